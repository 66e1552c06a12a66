// SPDX-License-Identifier: MIT
/*
 * PALcode's context of each CPU. Tables are changed by its swpctx, from the CPU's context to itself with another root: all else in it is stored
 * first and loaded back.
 */
#include <arch/cpu.h>
#include <arch/percpu.h>
#include "arch/alpha/alpha_priv.h"

static DEFINE_PER_CPU(struct pcb, pcb);	/* PALcode's, by physical address */

static u64 frame_of(const pte_t *root)
{
	return PFN_DOWN(virt_to_phys(root));
}

void alpha_load_root(const pte_t *root)
{
	struct pcb *p = this_cpu_ptr(&pcb);

	p->ptbr = frame_of(root);
	__swap_context(p, virt_to_phys(p));
	pal_tbi(TBI_SPACE, 0);
}

/* The firmware's context is left for ours. The stack pointer in it is only what is in use. */
void alpha_pcb_init_cpu(unsigned int cpu)
{
	per_cpu(pcb, cpu) = (struct pcb){ .ptbr = frame_of(kernel_root), .fen = 1 };
	alpha_load_root(kernel_root);
	pal_tbi(TBI_ALL, 0);
}
