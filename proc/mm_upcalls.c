// SPDX-License-Identifier: MIT
/* What mm asks about processes: limits, and the candidates of the out-of-memory killer. */
#include <mm/mm.h>
#include <mm/upcalls.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <asm/signal.h>

unsigned long mm_rlimit(unsigned int resource)
{
	return (unsigned long)rlimit(resource);
}

bool process_is_dying(struct task *t)
{
	return t->signal->flags & SIGNAL_GROUP_EXIT || (t->flags & PF_EXITING && thread_group_empty(t));
}

int oom_for_each_process(int (*fn)(struct task *, struct mm *, int, bool, void *), void *arg)
{
	struct mm *of_init = NULL;
	struct task *p, *t;
	int r = 0;

	rcu_read_lock();
	for_each_process(p) {
		if (is_kthread(p))
			continue;
		if (p->tgid == 1) {
			of_init = READ_ONCE(p->mm);
			continue;
		}
		/* The leader may have exited before its threads: any thread's space will do. */
		for_each_thread(p, t) {
			struct mm *mm;

			task_lock(t);
			mm = t->mm;
			if (mm && mm != of_init)	/* its child by vfork lives in what must not be reaped */
				r = fn(t, mm, p->signal->oom_score_adj, process_is_dying(t), arg);
			task_unlock(t);
			if (mm)
				break;
		}
		if (r)
			break;
	}
	rcu_read_unlock();
	return r;
}

/* The whole group, and every other process that runs in the same space. */
void oom_kill_process(struct task *task)
{
	struct mm *mm = task->mm;
	struct task *p;

	rcu_read_lock();
	for_each_process(p) {
		bool same = p == task->group_leader || (mm && READ_ONCE(p->mm) == mm);

		if (same && p->tgid != 1 && !is_kthread(p))
			do_send_sig_info(SIGKILL, SEND_SIG_PRIV, p, PIDTYPE_TGID);
	}
	rcu_read_unlock();
}

const char *oom_task_name(struct task *task, int *pid)
{
	*pid = task->tgid;
	return task->comm;
}
