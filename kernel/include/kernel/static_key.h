/* SPDX-License-Identifier: MIT */
/*
 * Conditions that almost never change: a branch patched into the code (arch/patch.h) where the CPU can do that.
 */
#pragma once

#include <lib/atomic.h>
#include <arch/patch.h>

struct static_key {
	atomic_t enabled;
};

#define DEFINE_STATIC_KEY_FALSE(n) struct static_key n = { ATOMIC_INIT(0) }
#define DEFINE_STATIC_KEY_TRUE(n) struct static_key n = { ATOMIC_INIT(1) }
#define DECLARE_STATIC_KEY(n) extern struct static_key n

/* Each is true while the key is enabled; the name says which way is the straight one. */
#define static_branch_unlikely(k) arch_static_branch((k), false)
#define static_branch_likely(k) arch_static_branch_jump((k), true)
/* Counted. Sleep. */
void static_key_enable(struct static_key *k);
void static_key_disable(struct static_key *k);
