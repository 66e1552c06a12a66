// SPDX-License-Identifier: MIT
/* Waiting for the random-number generator's seed. */
#include <lib/types.h>
#include <kernel/random.h>
#include <kernel/upcalls.h>
#include <sched/wait.h>

static DECLARE_WAIT_QUEUE_HEAD(seed_wait);

void random_ready(void)
{
	wake_up_all(&seed_wait);
}

int wait_for_random(void)
{
	return wait_event_interruptible(seed_wait, rng_is_seeded());
}
