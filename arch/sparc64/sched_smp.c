// SPDX-License-Identifier: MIT
/* QEMU's sun4u has one CPU: there are no others to start, tell or stop. */
#include <arch/smp.h>
#include <abi/errno.h>
#include <kernel/init.h>

int __init arch_smp_prepare(void)
{
	return 0;
}

int arch_smp_boot_cpu(unsigned int cpu, struct task *idle)
{
	return -EIO;
}

void arch_send_reschedule(unsigned int cpu)
{
}

void arch_send_call(const struct cpumask *mask)
{
}

void arch_smp_stop_others(void)
{
}

void arch_smp_nmi_backtrace(unsigned int cpu)
{
}
