// SPDX-License-Identifier: MIT
#pragma once
/* poll and select below the edge: absolute deadlines on CLOCK_MONOTONIC, NULL for none. */
#include <lib/types.h>

int do_poll(struct uptr ufds, unsigned int nfds, const ktime_t *expires, bool dont_wait);
int do_select(int n, struct uptr in, struct uptr out, struct uptr ex, const ktime_t *expires, bool dont_wait);
