// SPDX-License-Identifier: MIT
/* The one CPU: its per-CPU area, what is told to users. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/elf.h>
#include <arch/irqflags.h>
#include <arch/smp.h>
#include <abi/errno.h>
#include <kernel/init.h>
#include <lib/format.h>
#include "arch/shared/percpu_areas.h"
#include "arch/sparc64/sparc_priv.h"

void __init sparc_setup_percpu(void)
{
	percpu_make_areas(1);
	trap_block.percpu = __per_cpu_offset[0];
	__asm__ volatile("mov %0, %%g7" : : "r"(__per_cpu_offset[0]) : "memory");
}

unsigned int arch_smp_count(void)
{
	return 1;
}

void arch_cpu_halt(void)
{
	arch_irq_disable();
	for (;;)
		cpu_relax();
}

/* Lets interrupts in. The CPU has no instruction that waits for one: the idle loop asks again. */
void arch_cpu_idle(void)
{
	arch_irq_enable();
}

/* The CPU has no such instruction. */
bool arch_random_u64(u64 *out)
{
	return false;
}

int arch_cpuinfo_show(char *buf, size_t size, unsigned int cpu)
{
	return snprintf(buf, size, "cpu\t\t: %s\ntype\t\t: %s\nncpus probed\t: 1\nncpus active\t: 1\nMMU Type\t: Spitfire\n"
			"Cpu0ClkTck\t: %016lx\n\n", machine.cpu_name, machine.model, arch_clock_khz() * 1000);
}

#define HWCAP_SPARC_FLUSH 1
#define HWCAP_SPARC_STBAR 2
#define HWCAP_SPARC_SWAP 4
#define HWCAP_SPARC_MULDIV 8
#define HWCAP_SPARC_V9 0x10
#define HWCAP_SPARC_MUL32 0x100
#define HWCAP_SPARC_DIV32 0x200
#define HWCAP_SPARC_FSMULD 0x400
#define HWCAP_SPARC_V8PLUS 0x800
#define HWCAP_SPARC_VIS 0x2000

/* What every UltraSPARC IIi has. */
unsigned long arch_elf_hwcap(void)
{
	return HWCAP_SPARC_FLUSH | HWCAP_SPARC_STBAR | HWCAP_SPARC_SWAP | HWCAP_SPARC_MULDIV | HWCAP_SPARC_V9 | HWCAP_SPARC_MUL32 |
	       HWCAP_SPARC_DIV32 | HWCAP_SPARC_FSMULD | HWCAP_SPARC_V8PLUS | HWCAP_SPARC_VIS;
}

unsigned long arch_elf_hwcap2(void)
{
	return 0;
}

const char *arch_vulnerability_name(unsigned int i)
{
	return NULL;
}

int arch_vulnerability_show(char *buf, size_t size, unsigned int i)
{
	return -EINVAL;
}
