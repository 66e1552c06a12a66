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
	KT_ASSERT(is_current_pgrp_orphaned());
	/* What an orphaned group hears, this one's threads and idle task do not. */
	KT_EQ(kill_pgrp(pgrp, SIGHUP, 1), 0);
	KT_EQ(do_send_sig_info(SIGHUP, SEND_SIG_PRIV, &init_task, PIDTYPE_TGID), 0);
	KT_EQ(do_send_sig_info(SIGKILL, SEND_SIG_PRIV, current, PIDTYPE_TGID), 0);
	KT_EQ(init_task.signal->flags & SIGNAL_GROUP_EXIT, 0);
	KT_ASSERT(!signal_pending(&init_task) && !signal_pending(current));
	put_pid(pgrp);
}
