/* SPDX-License-Identifier: MIT */
/* One place for Sv39, Sv48 and Sv57: the end is the same, the start follows from where the kernel's half begins. */
#pragma once

#define KASAN_SHADOW_OFFSET 0xdfffffe000000000UL
#define KASAN_COVERED_START rv_direct_map

#include <arch_cpu/page.h>
#include "arch/shared/kasan.h"
