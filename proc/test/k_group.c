// SPDX-License-Identifier: MIT
/* The group of the kernel itself, which process 1 and its children begin in: its first member has no number. */
#include <lib/types.h>
#include <kernel/ktest.h>
#include <proc/pid.h>
#include <proc/signal.h>

KTEST(group_of_the_kernel)
{
	struct pid *pgrp = get_task_pid(current, PIDTYPE_PGID);

	KT_EQ(pid_nr(pgrp), 0);
	put_pid(pgrp);
	KT_ASSERT(is_current_pgrp_orphaned());
}
