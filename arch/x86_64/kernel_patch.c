// SPDX-License-Identifier: MIT
/*
 * Patching kernel text. Text is never writable where it runs: bytes go in through a page of our own, mapped for the
 * moment by this CPU alone, while every other CPU spins in an interrupt (whose return serialises its fetches).
 */
#include <arch/module.h>
#include <arch/patch.h>
#include <arch/barrier.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/pgtable.h>
#include <arch_cpu/alternative.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include <kernel/static_key.h>
#include <lib/string.h>
#include "arch/x86_64/x86_priv.h"

static DEFINE_SPINLOCK(poke_lock);
static pte_t *poke_pte;			/* constant once made: of TEXT_POKE_VA and the page behind it */

struct alt_entry {
	s32 old, new;
	u16 feature;
	u8 old_len, new_len;
};
extern const struct alt_entry __start_alternatives[], __stop_alternatives[];

static void write_text(void *addr, const void *code, size_t len)
{
	unsigned long off = offset_in_page(addr), flags = arch_irq_save();
	char *alias = (char *)TEXT_POKE_VA + off;
	phys_addr_t pa = image_to_phys((char *)addr - off);
	volatile u8 first;

	for (int i = 0; i < 2; i++)
		ptep_set(poke_pte + i, pte_make(PFN_DOWN(pa) + i, PTE_P_READ | PTE_P_WRITE, 0));
	memcpy(alias, code, len);
	for (int i = 0; i < 2; i++) {
		ptep_set(poke_pte + i, PTE_NONE);
		invlpg(TEXT_POKE_VA + i * PAGE_SIZE);
	}
	first = *(volatile u8 *)addr;
	BUG_ON(first != *(const u8 *)code);
	arch_irq_restore(flags);
}

struct rendezvous {
	u32 arrived, gone;		/* atomic */
	bool done;			/* release-set by who patches */
};

static void wait_for_patch(void *arg)
{
	struct rendezvous *r = arg;

	__atomic_add_fetch(&r->arrived, 1, __ATOMIC_SEQ_CST);
	while (!smp_load_acquire(&r->done))
		cpu_relax();
	__atomic_add_fetch(&r->gone, 1, __ATOMIC_RELEASE);
}

#define PATIENCE 2000000

/*
 * A CPU that spins with interrupts off for a lock comes only when the lock's holder goes on, and the holder may be here already: who
 * does not meet all of them in time lets everybody go and tries again.
 */
void arch_text_poke(void *addr, const void *code, size_t len)
{
	struct cpumask others;
	unsigned int n;
	bool all;

	spin_lock(&poke_lock);
	do {
		struct rendezvous r = { 0 };

		cpumask_copy(&others, cpu_online_mask);
		__cpumask_clear_cpu(arch_cpu_number(), &others);
		n = cpumask_weight(&others);
		if (n)
			smp_call_function_many(&others, wait_for_patch, &r, false);
		for (unsigned int i = 0; __atomic_load_n(&r.arrived, __ATOMIC_ACQUIRE) != n && i < PATIENCE; i++)
			cpu_relax();
		all = __atomic_load_n(&r.arrived, __ATOMIC_ACQUIRE) == n;
		if (all)
			write_text(addr, code, len);
		smp_store_release(&r.done, true);
		while (__atomic_load_n(&r.gone, __ATOMIC_ACQUIRE) != n)	/* R is on this stack */
			cpu_relax();
	} while (!all);
	spin_unlock(&poke_lock);
}

void arch_jump_patch(const struct jump_entry *e, bool jump)
{
	unsigned long at = jump_entry_code(e);
	u8 code[ARCH_JUMP_SIZE] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };

	if (at >= (unsigned long)__init_begin && at < (unsigned long)__init_end && system_state >= SYSTEM_RUNNING)
		return;			/* given back with init's memory */
	if (jump) {
		s32 rel = (s32)(jump_entry_target(e) - at - ARCH_JUMP_SIZE);

		code[0] = 0xe9;
		memcpy(code + 1, &rel, 4);
	}
	if (memcmp((const void *)at, code, ARCH_JUMP_SIZE))
		arch_text_poke((void *)at, code, ARCH_JUMP_SIZE);
}

/* No-ops of 1 to 8 bytes (Intel SDM vol. 2B, NOP). */
static const u8 nops[8][8] = {
	{ 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }, { 0x0f, 0x1f, 0x40, 0x00 }, { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 }, { 0x0f, 0x1f, 0x80, 0, 0, 0, 0 }, { 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 },
};

static void __init fill_nops(u8 *p, size_t n)
{
	while (n) {
		size_t k = n < 8 ? n : 8;

		memcpy(p, nops[k - 1], k);
		p += k;
		n -= k;
	}
}

/*
 * The features by which the alternatives are chosen, with Linux's words: clearcpuid=NAME,... takes the usual code, setcpuid=NAME,... the other,
 * whatever the CPU says. VERW and string instructions do the same everywhere; who sets smap on a CPU without it gets what he asked for.
 */
static const struct {
	const char *name;
	unsigned int feature;
} choices[] __initconst = {
	{ "erms", X86_FEATURE_ERMS }, { "fsrm", X86_FEATURE_FSRM }, { "smap", X86_FEATURE_SMAP }, { "clear_cpu_buf", X86_FEATURE_CLEAR_CPU_BUF },
};

static void __init override_one(const char *name, size_t len, bool set)
{
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		u32 bit = 1U << choices[i].feature % 32, *word = &x86_features[choices[i].feature / 32];

		if (strlen(choices[i].name) == len && !memcmp(choices[i].name, name, len)) {
			*word = set ? *word | bit : *word & ~bit;
			return;
		}
	}
	pr_warn("%scpuid: cannot change '%.*s'\n", set ? "set" : "clear", (int)len, name);
}

static void __init override_list(const char *cmdline, const char *word, bool set)
{
	for (const char *p = strstr(cmdline, word); p; p = strstr(p, word)) {
		bool begins = p == cmdline || p[-1] == ' ';

		p += strlen(word);
		while (begins && *p && *p != ' ') {
			size_t len = strcspn(p, ", ");

			override_one(p, len, set);
			p += len + (p[len] == ',');
		}
	}
}

void __init x86_override_features(const char *cmdline)
{
	override_list(cmdline, "clearcpuid=", false);
	override_list(cmdline, "setcpuid=", true);
}

extern const u32 __start_alt_relative[], __stop_alt_relative[];	/* from _text, ascending (tools/mkalts.py) */

/* The first of the list that is not before AT. */
static const u32 *__init first_relative(u32 at)
{
	const u32 *low = __start_alt_relative, *high = __stop_alt_relative;

	while (low < high) {
		const u32 *mid = low + (high - low) / 2;

		if (*mid < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* BUF is a copy of the code at NEW that is to run at OLD: what its operands refer to stays where it is. */
static void __init move_operands(u8 *buf, const u8 *new, size_t len, const u8 *old)
{
	u32 at = (u32)(new - (const u8 *)_text);

	for (const u32 *p = first_relative(at); p < __stop_alt_relative && *p < at + len; p++) {
		s32 rel;

		memcpy(&rel, buf + (*p - at), sizeof(rel));
		rel += (s32)(new - old);
		memcpy(buf + (*p - at), &rel, sizeof(rel));
	}
}

static void __init apply_one(const struct alt_entry *a)
{
	u8 *old = (u8 *)&a->old + a->old;
	const u8 *new = (const u8 *)&a->new + a->new;
	u8 buf[256];

	if (cpu_has(a->feature)) {
		memcpy(buf, new, a->new_len);
		move_operands(buf, new, a->new_len, old);
		fill_nops(buf + a->new_len, (size_t)a->old_len - a->new_len);
	} else {
		size_t used = a->old_len;

		memcpy(buf, old, a->old_len);
		while (used && buf[used - 1] == 0x90)	/* padding becomes long no-ops */
			used--;
		if (a->old_len - used < 2)
			return;
		fill_nops(buf + used, a->old_len - used);
	}
	write_text(old, buf, a->old_len);
}

/* Branch sites are compiled for one state of their key; what the keys are now is the truth. */
static void __init fix_branches(void)
{
	for (const struct jump_entry *e = __start_jump_table; e < __stop_jump_table; e++) {
		const struct static_key *k = jump_entry_key(e);

		arch_jump_patch(e, atomic_read(&k->enabled) > 0);
	}
}

/* Fetches see each store here. */
void arch_code_written(const void *p, size_t n)
{
}

void arch_module_text_written(const void *text, size_t n)
{
}

void __init arch_apply_alternatives(void)
{
	int level;

	/* Makes the tables for the alias, once. */
	if (arch_map_kernel(TEXT_POKE_VA, 0, 2 * PAGE_SIZE, PTE_P_READ))
		panic("patch: no memory for the alias");
	poke_pte = arch_kernel_pte(TEXT_POKE_VA, &level);
	for (const struct alt_entry *a = __start_alternatives; a < __stop_alternatives; a++)
		apply_one(a);
	fix_branches();
}
