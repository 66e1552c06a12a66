// SPDX-License-Identifier: MIT
/* Power-off and reset: the bytes that the device tree names (syscon-poweroff, syscon-reboot). */
#include <arch/power.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/irqflags.h>
#include "arch/loongarch64/la64_priv.h"

static void poke(const struct la64_poke *p)
{
	arch_irq_disable();
	if (!p->reg)
		return;
	writeb(p->value, (u8 __iomem __force *)(DEVICE_MAP_START + p->reg));
	arch_cpu_halt();		/* it takes effect some instructions later */
}

void arch_power_off(void)
{
	poke(&machine.off);
}

void arch_reset(void)
{
	poke(&machine.reset);
}

/* This machine has no such device: its tests end by power-off and are judged by what they print. */
void arch_exit_status(unsigned int code)
{
}
