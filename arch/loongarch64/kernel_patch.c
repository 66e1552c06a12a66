// SPDX-License-Identifier: MIT
/*
 * Patching kernel text. Text is never writable where it runs: words go in through the direct map. Only no-op and branch are
 * exchanged, which other CPUs may run meanwhile: they see one or the other.
 */
#include <arch/module.h>
#include <arch/patch.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/static_key.h>
#include "arch/loongarch64/la64_priv.h"

#define NOP 0x03400000U
#define B 0x50000000U

void arch_text_poke(void *addr, const void *code, size_t len)
{
	u32 *to = phys_to_virt(image_to_phys(addr));
	const u32 *words = code;

	BUG_ON((unsigned long)addr & 3 || len & 3);
	for (size_t i = 0; i < len / 4; i++)
		WRITE_ONCE(to[i], words[i]);
	__asm__ volatile("dbar 0; ibar 0" : : : "memory");
}

static void fetch_anew(void *unused)
{
	(void)unused;
	__asm__ volatile("dbar 0; ibar 0" : : : "memory");
}

/* Caches are coherent; what a CPU has fetched already is dropped. */
void arch_code_written(const void *p, size_t n)
{
	(void)p;
	(void)n;
	on_each_cpu(fetch_anew, NULL, true);
}

void arch_module_text_written(const void *text, size_t n)
{
	arch_code_written(text, n);
}

void arch_jump_patch(const struct jump_entry *e, bool jump)
{
	unsigned long at = jump_entry_code(e);
	u32 words = (u32)((long)(jump_entry_target(e) - at) >> 2), code = NOP;

	if (at >= (unsigned long)__init_begin && at < (unsigned long)__init_end && system_state >= SYSTEM_RUNNING)
		return;			/* given back with init's memory */
	if (jump)
		code = B | (words & 0xffff) << 10 | (words >> 16 & 0x3ff);
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
