// SPDX-License-Identifier: MIT
/*
 * Making tasks of the kernel: its threads, the workers of a program's process, and its helpers,
 * which execute a program. kthreadd is the parent of the first and the last.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <kernel/bug.h>
#include <proc/proc_priv.h>
#include <proc/signal_sets.h>
#include <sched/sched.h>
#include <sched/task_life.h>
#include <sched/upcalls.h>
#include <abi/errno.h>
#include <linux/sched.h>
#include <linux/signal.h>

struct task *kthreadd_task;

void __noreturn kernel_thread_exit(long code)
{
	do_exit(code);
}

struct task *kernel_thread_create(int (*fn)(void *), void *arg, const char *name)
{
	struct kernel_clone_args a = {
		.flags = CLONE_VM | CLONE_UNTRACED | CLONE_FS | CLONE_FILES,
		.fn = fn,
		.fn_arg = arg,
		.name = name,
	};

	return copy_process(&a, NULL);
}

struct task *proc_worker_create(int (*fn)(void *), void *arg, const char *name)
{
	struct kernel_clone_args a = {
		.flags = CLONE_VM | CLONE_UNTRACED | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			 CLONE_THREAD | CLONE_SYSVSEM,
		.fn = fn,
		.fn_arg = arg,
		.name = name,
		.worker = true,
	};
	struct task *t = copy_process(&a, NULL);

	return t == ERR_PTR(-EINTR) ? ERR_PTR(-EAGAIN) : t;	/* its process ends */
}

struct task *proc_helper_create(int (*fn)(void *), void *arg, const char *name)
{
	struct kernel_clone_args a = {
		.flags = CLONE_UNTRACED | CLONE_FILES,
		.exit_signal = SIGCHLD,
		.fn = fn,
		.fn_arg = arg,
		.name = name,
	};

	WARN_ON(!is_kthread(current));
	return copy_process(&a, NULL);
}

/*
 * kthreadd: parent of all kernel threads, which reap themselves, and of the kernel's helpers, which
 * leave no zombie.
 */
static int kthreadd_main(void *unused)
{
	spin_lock_irq(&my_sighand()->siglock);
	my_sighand()->action[SIGCHLD - 1].handler = SIG_KERNEL_IGN;
	spin_unlock_irq(&my_sighand()->siglock);
	for (;;) {
		set_current_state(TASK_IDLE);
		schedule();
	}
	return 0;
}

int proc_start_kthreadd(void)
{
	struct task *t = kernel_thread_create(kthreadd_main, NULL, "kthreadd");

	if (IS_ERR(t))
		return (int)PTR_ERR(t);
	kthreadd_task = t;
	wake_up_process(t);
	return 0;
}
