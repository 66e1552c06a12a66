// SPDX-License-Identifier: MIT
/* The end of a CPU's work is PALcode's halt: the firmware of QEMU turns the machine off then. Nothing is known that starts it anew. */
#include <arch/power.h>
#include <arch/irqflags.h>
#include <kernel/printk.h>
#include "arch/alpha/alpha_priv.h"

void arch_power_off(void)
{
	arch_irq_disable();
	pal_call0(PAL_halt);
}

void arch_reset(void)
{
	pr_emerg("power: nothing starts this machine anew; it is turned off\n");
	arch_power_off();
}

/* This machine has no such device: its tests end by power-off and are judged by what they print. */
void arch_exit_status(unsigned int code)
{
}
