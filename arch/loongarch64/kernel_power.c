// SPDX-License-Identifier: MIT
/* Power-off and reset: the writes that the device tree names (syscon-poweroff, syscon-reboot). */
#include <arch/power.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/irqflags.h>
#include "arch/loongarch64/la64_priv.h"

static void poke(const struct la64_poke *p)
{
	char __iomem *reg = (char __iomem __force *)(DEVICE_MAP_START + p->reg);

	arch_irq_disable();
	if (!p->reg)
		return;
	if (p->width == 1)
		writeb((u8)((readb(reg) & ~p->mask) | (p->value & p->mask)), reg);
	else if (p->width == 2)
		writew((u16)((readw(reg) & ~p->mask) | (p->value & p->mask)), reg);
	else
		writel((readl(reg) & ~p->mask) | (p->value & p->mask), reg);
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
