/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_uart.c asks. */
#pragma once

#include "arch/loongarch64/la64_priv.h"

/* Through the device window. */
static inline char __iomem *uart_regs(void)
{
	return machine.uart ? (char __iomem __force *)(DEVICE_MAP_START + machine.uart) : NULL;
}
