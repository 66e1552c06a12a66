// SPDX-License-Identifier: MIT
/*
 * Pointer authentication for programs (FEAT_PAuth): keys of their own from exec on, which threads and children share. The kernel's code signs
 * nothing, so a CPU keeps the last program's keys until another program comes.
 */
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/switch.h>
#include <abi/errno.h>
#include <abi/syscalls.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <linux/prctl.h>
#include <sched/task.h>
#include "arch/aarch64/a64_priv.h"
#include "arch/aarch64/fpu_priv.h"

bool a64_has_paca __ro_after_init, a64_has_pacg __ro_after_init;

static DEFINE_PER_CPU(u64, loaded);	/* serial of the CPU's keys */
static u64 serials;			/* atomic */

#define ADDRESS_KEYS (PR_PAC_APIAKEY | PR_PAC_APIBKEY | PR_PAC_APDAKEY | PR_PAC_APDBKEY)
static_assert((ADDRESS_KEYS | PR_PAC_APGAKEY) == ALL_PAC_KEYS, "the keys' order");

static const u64 enable_bit[4] = { 1ULL << 31, 1ULL << 30, 1ULL << 27, 1ULL << 13 };	/* SCTLR_EL1: EnIA EnIB EnDA EnDB */
#define SCTLR_PAC (1ULL << 31 | 1ULL << 30 | 1ULL << 27 | 1ULL << 13)

void a64_keys_make(struct a64_keys *k, unsigned int mask)
{
	if (!a64_has_paca && !a64_has_pacg)
		return;
	for (unsigned int i = 0; i < NR_PAC_KEYS; i++)
		if (mask & 1U << i)
			get_random_bytes(k->key[i], sizeof(k->key[i]));
	if (!k->serial)
		k->sctlr = SCTLR_PAC;
	k->serial = __atomic_add_fetch(&serials, 1, __ATOMIC_RELAXED);
}

#define LOAD(lo, hi, n) do { write_sysreg(k->key[n][0], lo); write_sysreg(k->key[n][1], hi); } while (0)

/* Holds from the next eret to user mode on. */
void a64_keys_load(const struct a64_keys *k)
{
	u64 sctlr;

	if (this_cpu_read(loaded) == k->serial)		/* both 0: there is no such thing */
		return;
	this_cpu_write(loaded, k->serial);
	if (a64_has_paca) {
		LOAD(s3_0_c2_c1_0, s3_0_c2_c1_1, 0);
		LOAD(s3_0_c2_c1_2, s3_0_c2_c1_3, 1);
		LOAD(s3_0_c2_c2_0, s3_0_c2_c2_1, 2);
		LOAD(s3_0_c2_c2_2, s3_0_c2_c2_3, 3);
		sctlr = read_sysreg(sctlr_el1);
		if ((sctlr & SCTLR_PAC) != k->sctlr)
			write_sysreg((sctlr & ~SCTLR_PAC) | k->sctlr, sctlr_el1);
	}
	if (a64_has_pacg)
		LOAD(s3_0_c2_c3_0, s3_0_c2_c3_1, 4);
}

unsigned long a64_keys_enabled(const struct a64_keys *k)
{
	unsigned long on = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(enable_bit); i++)
		on |= k->sctlr & enable_bit[i] ? 1UL << i : 0;
	return on;
}

int a64_keys_enable(struct a64_keys *k, unsigned long keys, unsigned long enabled)
{
	if ((keys & ~(unsigned long)ADDRESS_KEYS) || (enabled & ~keys))
		return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(enable_bit); i++)
		if (keys & 1UL << i)
			k->sctlr = enabled & 1UL << i ? k->sctlr | enable_bit[i] : k->sctlr & ~enable_bit[i];
	k->serial = __atomic_add_fetch(&serials, 1, __ATOMIC_RELAXED);
	return 0;
}

static long reset_keys(unsigned long mask)
{
	struct a64_keys *k = &current->thread.fpu->keys;
	unsigned long flags;

	if ((!a64_has_paca && !a64_has_pacg) || (mask & ~(unsigned long)ALL_PAC_KEYS) ||
	    ((mask & ADDRESS_KEYS) && !a64_has_paca) || ((mask & PR_PAC_APGAKEY) && !a64_has_pacg))
		return -EINVAL;
	flags = arch_irq_save();
	a64_keys_make(k, mask ? (unsigned int)mask : ALL_PAC_KEYS);
	a64_keys_load(k);
	arch_irq_restore(flags);
	return 0;
}

static long enable_keys(unsigned long keys, unsigned long enabled)
{
	struct a64_keys *k = &current->thread.fpu->keys;
	unsigned long flags;
	int err;

	if (!a64_has_paca)
		return -EINVAL;
	flags = arch_irq_save();
	err = a64_keys_enable(k, keys, enabled);
	if (!err)
		a64_keys_load(k);
	arch_irq_restore(flags);
	return err;
}

long arch_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	if (!current->thread.fpu)
		return -EINVAL;
	switch (option) {
	case PR_PAC_RESET_KEYS: return a3 || a4 || a5 ? -EINVAL : reset_keys(a2);
	case PR_PAC_SET_ENABLED_KEYS: return a4 || a5 ? -EINVAL : enable_keys(a2, a3);
	case PR_PAC_GET_ENABLED_KEYS:
		return a2 || a3 || a4 || a5 || !a64_has_paca ? -EINVAL : (long)a64_keys_enabled(&current->thread.fpu->keys);
	}
	return a64_sve_prctl(option, a2);
}
