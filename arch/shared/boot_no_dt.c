// SPDX-License-Identifier: MIT
/* There is no device tree in the flat form that could name an interrupt. */
#include <arch/firmware.h>
#include <abi/errno.h>

int arch_dt_irq(const struct dt_irq *irq)
{
	return -EINVAL;
}

bool arch_dt_msi(u32 controller)
{
	return false;
}
