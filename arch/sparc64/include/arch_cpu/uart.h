/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_uart.c asks. */
#pragma once

#include "arch/sparc64/sparc_priv.h"

/* By its physical address. */
static inline char __iomem *uart_regs(void)
{
	return (char __iomem __force *)machine.uart;
}
