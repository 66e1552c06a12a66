/* SPDX-License-Identifier: MIT */
/*
 * Device registers: readb readw readl readq, writeb writew writel writeq on pointers from arch_ioremap, ordered
 * among themselves and with memory around them; inb inw inl outb outw outl where the CPU has ports (ARCH_HAS_PORTS).
 */
#pragma once

#include <lib/types.h>
#include <arch_cpu/io.h>
