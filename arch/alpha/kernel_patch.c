// SPDX-License-Identifier: MIT
/*
 * Patching kernel text. The superpage that it runs in can be written. Only no-op and branch are exchanged, which other
 * CPUs may run meanwhile: they see one or the other, and the new one for certain once they did an imb.
 */
#include <arch/patch.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/static_key.h>
#include "arch/alpha/alpha_priv.h"

#define NOP 0x47ff041fU		/* bis $31, $31, $31 */
#define BR 0xc3e00000U		/* br $31 */

static void fetch_anew(void *unused)
{
	(void)unused;
	pal_call0(PAL_imb);
}

void arch_text_poke(void *addr, const void *code, size_t len)
{
	u32 *to = addr;
	const u32 *words = code;

	BUG_ON((unsigned long)addr & 3 || len & 3);
	for (size_t i = 0; i < len / 4; i++)
		WRITE_ONCE(to[i], words[i]);
	if (num_online_cpus() > 1)
		on_each_cpu(fetch_anew, NULL, true);
	else
		fetch_anew(NULL);
}

/* The instruction cache does not follow writes. */
void arch_code_written(const void *p, size_t n)
{
	(void)p;
	(void)n;
	on_each_cpu(fetch_anew, NULL, true);
}

void arch_jump_patch(const struct jump_entry *e, bool jump)
{
	unsigned long at = jump_entry_code(e);
	u32 words = (u32)((long)(jump_entry_target(e) - at - 4) >> 2), code = NOP;

	if (at >= (unsigned long)__init_begin && at < (unsigned long)__init_end && system_state >= SYSTEM_RUNNING)
		return;			/* given back with init's memory */
	if (jump)
		code = BR | (words & 0x1fffff);
	if (*(const u32 *)at != code)
		arch_text_poke((void *)at, &code, 4);
}

/* There are no alternatives here; branch sites are compiled for one state of their key, what the keys are now is the truth. */
void __init arch_apply_alternatives(void)
{
	for (const struct jump_entry *e = __start_jump_table; e < __stop_jump_table; e++) {
		const struct static_key *k = jump_entry_key(e);

		arch_jump_patch(e, atomic_read(&k->enabled) > 0);
	}
}
