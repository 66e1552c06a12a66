/* SPDX-License-Identifier: MIT */
/* Interval timers of the running process (setitimer(2)). */
#pragma once

#include <lib/types.h>

struct itimer_k {
	u64 value_ns, interval_ns;	/* value 0: off */
};

/* -EINVAL: no such timer. */
int itimer_get(int which, struct itimer_k *out);
int itimer_set(int which, const struct itimer_k *new_value, struct itimer_k *old);
