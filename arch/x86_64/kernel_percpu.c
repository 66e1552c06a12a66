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
	size_t size = (size_t)(__per_cpu_end - __per_cpu_start);

	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++) {
		phys_addr_t pa = memblock_alloc_phys(ALIGN(size, 64), PAGE_SIZE);
		unsigned long off;

		if (!pa)
			panic("boot: no memory for CPU %u's variables (%zu bytes) %u %llx-%llx, %u", cpu, size, memblock.memory.nr, memblock_start(), memblock_end(), memblock.reserved.nr);
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
