/* SPDX-License-Identifier: MIT */
/* Futexes below the edge. Errors are those of futex(2). */
#pragma once

#include <lib/types.h>

long futex_wait(struct uptr p, bool shared, u32 val, const ktime_t *until, clockid_t clock, u32 bitset);
int futex_wake(struct uptr p, bool shared, int nr, u32 bitset);
/* CMPVAL: the first word must hold it (FUTEX_CMP_REQUEUE), or NULL. */
int futex_requeue(struct uptr p1, bool shared1, struct uptr p2, bool shared2, int nr_wake, int nr_requeue, const u32 *cmpval);
/* Several at once; the place of one that was woken. */
struct futex_spec {
	struct uptr p;
	u32 val;
	bool shared;
};
long futex_wait_many(const struct futex_spec *s, unsigned int n, const ktime_t *until, clockid_t clock);
int futex_wake_op(struct uptr p1, struct uptr p2, bool shared, int nr1, int nr2, u32 op);
