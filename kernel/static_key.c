// SPDX-License-Identifier: MIT
/* Static keys: patches every branch that asks about a key. A site jumps exactly while its key is enabled. */
#include <lib/types.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include <kernel/static_key.h>

static DEFINE_SPINLOCK(key_lock);

static void patch_sites(struct static_key *k, bool on)
{
	for (const struct jump_entry *e = __start_jump_table; e < __stop_jump_table; e++)
		if (jump_entry_key(e) == k)
			arch_jump_patch(e, on);
}

void static_key_enable(struct static_key *k)
{
	spin_lock(&key_lock);
	if (atomic_inc_return(&k->enabled) == 1)
		patch_sites(k, true);
	spin_unlock(&key_lock);
}

void static_key_disable(struct static_key *k)
{
	spin_lock(&key_lock);
	if (atomic_dec_return(&k->enabled) == 0)
		patch_sites(k, false);
	spin_unlock(&key_lock);
}
