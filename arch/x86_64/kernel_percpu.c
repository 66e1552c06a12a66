// SPDX-License-Identifier: MIT
/* The per-CPU areas: one for each CPU that the firmware names, made before anything but arch code used a variable. */
#include <arch/percpu.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <arch/smp.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/x86_64/x86_priv.h"

unsigned long __per_cpu_offset[NR_CPUS] __ro_after_init;

void __init x86_setup_percpu(void)
{
	/* At a constant distance: dynamic per-CPU memory (alloc/) relies on it. */
	size_t size = (size_t)(__per_cpu_end - __per_cpu_start), step = PAGE_ALIGN(size);
	phys_addr_t all = memblock_alloc_phys(step * machine.nr_cpus, PAGE_SIZE);

	if (!all)
		panic("boot: no memory for the variables of %u CPUs (%zu bytes each)", machine.nr_cpus, size);
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++) {
		phys_addr_t pa = all + cpu * step;
		unsigned long off;

		memcpy(phys_to_virt(pa), __per_cpu_start, size);
		off = (unsigned long)phys_to_virt(pa) - (unsigned long)__per_cpu_start;
		__per_cpu_offset[cpu] = off;
		*per_cpu_ptr(&this_cpu_off, cpu) = off;
		*per_cpu_ptr(&__cpu_number, cpu) = cpu;
	}
	wrmsr(MSR_GS_BASE, __per_cpu_offset[0]);
}

unsigned int arch_smp_count(void)
{
	return machine.nr_cpus;
}
