// SPDX-License-Identifier: MIT
/* The per-CPU areas, one for each CPU that the firmware names. */
#include <arch/cpu.h>
#include <arch/page.h>
#include <arch/percpu.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/memblock.h>
#include <lib/string.h>
#include "arch/shared/percpu_areas.h"

DEFINE_PER_CPU(unsigned int, __cpu_number);
unsigned long __per_cpu_offset[NR_CPUS] __ro_after_init;

void __init percpu_make_areas(unsigned int nr_cpus)
{
	/* At a constant distance: dynamic per-CPU memory (alloc/) relies on it. */
	size_t size = (size_t)(__per_cpu_end - __per_cpu_start), step = PAGE_ALIGN(size);
	phys_addr_t all = memblock_alloc_phys(step * nr_cpus, PAGE_SIZE);

	if (!all)
		panic("boot: no memory for the variables of %u CPUs (%zu bytes each)", nr_cpus, size);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		void *p = phys_to_virt(all + cpu * step);

		memcpy(p, __per_cpu_start, size);
		__per_cpu_offset[cpu] = (unsigned long)p - (unsigned long)__per_cpu_start;
		*per_cpu_ptr(&__cpu_number, cpu) = cpu;
	}
}

void __init cpu_left_off(void)
{
	static bool told __initdata;

	if (!told)
		pr_warn("cpu: only %u CPUs are supported, the others stay off\n", NR_CPUS);
	told = true;
}
