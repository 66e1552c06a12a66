// SPDX-License-Identifier: MIT
/* Power-off: the register of the ebus's "power" node. */
#include <arch/power.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/irqflags.h>
#include "arch/sparc64/sparc_priv.h"

#define POWER_OFF 0x1000000U	/* as the CPU writes it, big-endian */

void arch_power_off(void)
{
	if (!machine.power)
		return;
	arch_irq_disable();
	__asm__ volatile("stwa %0, [%1] 0x15\n\tmembar #Sync" : : "r"(POWER_OFF), "r"(machine.power) : "memory");
	arch_cpu_halt();
}

/* The machine's reset is the firmware's, which is gone by now. */
void arch_reset(void)
{
}

/* This machine has no such device: its tests end by power-off and are judged by what they print. */
void arch_exit_status(unsigned int code)
{
}
