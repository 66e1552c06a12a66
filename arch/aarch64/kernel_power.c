// SPDX-License-Identifier: MIT
/* Power-off and reset: PSCI (Arm DEN 0022), by the conduit that the device tree names. */
#include <arch/power.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <abi/errno.h>
#include "arch/aarch64/a64_priv.h"

long a64_psci(u32 fn, u64 a, u64 b, u64 c)
{
	register u64 x0 __asm__("x0") = fn;
	register u64 x1 __asm__("x1") = a;
	register u64 x2 __asm__("x2") = b;
	register u64 x3 __asm__("x3") = c;

	if (!machine.psci)
		return -ENODEV;
	if (machine.psci_smc)
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory", "x4", "x5", "x6", "x7", "x8", "x9",
				 "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17");
	else
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory", "x4", "x5", "x6", "x7", "x8", "x9",
				 "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17");
	return (long)(s32)x0;
}

void arch_power_off(void)
{
	arch_irq_disable();
	a64_psci(PSCI_OFF, 0, 0, 0);
}

void arch_reset(void)
{
	arch_irq_disable();
	a64_psci(PSCI_RESET, 0, 0, 0);
}

/* This machine has no such device: its tests end by power-off and are judged by what they print. */
void arch_exit_status(unsigned int code)
{
}
