/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_uart.c asks. */
#pragma once

#include <arch/io.h>

/* COM1. */
static inline char __iomem *uart_regs(void)
{
	return (char __iomem __force *)(ALPHA_PORTS + 0x3f8);
}
