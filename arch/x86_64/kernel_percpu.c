// SPDX-License-Identifier: MIT
/* The per-CPU areas: one for each CPU that the firmware names, made before anything but arch code used a variable. */
#include <arch/percpu.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <arch/smp.h>
#include <lib/minmax.h>
#include "arch/shared/percpu_areas.h"
#include "arch/x86_64/x86_priv.h"

void __init x86_setup_percpu(void)
{
	percpu_make_areas(machine.nr_cpus);
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		*per_cpu_ptr(&this_cpu_off, cpu) = __per_cpu_offset[cpu];
	wrmsr(MSR_GS_BASE, __per_cpu_offset[0]);
}

unsigned int arch_smp_count(void)
{
	return machine.nr_cpus;
}
