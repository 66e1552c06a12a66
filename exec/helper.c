// SPDX-License-Identifier: MIT
/*
 * Programs that the kernel runs for itself. Each is a child of kthreadd, with the kernel's rights
 * and namespaces, process 1's root and no descriptors; who started it waits for the end of its
 * number, which then has its status.
 */
#include <abi/errno.h>
#include <dev/upcalls.h>
#include <exec/exec.h>
#include <kernel/bug.h>
#include <lib/err.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/proc_priv.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <sched/task_life.h>
#include <sched/upcalls.h>
#include <sched/wait.h>
#include <vfs/mount.h>

/* On the stack of who waits. */
struct helper {
	const char *path;
	const char *const *argv, *const *envp;
	int err;			/* of the start; not written once the program runs */
};

static int become(const struct helper *h)
{
	struct files_struct *files = unshared_files();
	int err;

	if (IS_ERR(files))
		return (int)PTR_ERR(files);
	install_files(files);
	err = set_fs_root_to_init();
	current->fs->umask = 022;
	return err ?: kernel_execve(h->path, h->argv, h->envp);
}

static int helper_main(void *arg)
{
	struct helper *h = arg;
	int err = become(h);

	if (!err)
		return 0;		/* to user mode */
	h->err = err;
	kernel_thread_exit(0);
}

int helper_run(const char *path, const char *const *argv, const char *const *envp)
{
	struct helper h = { .path = path, .argv = argv, .envp = envp };
	struct task *t = proc_helper_create(helper_main, &h, "helper");
	struct pid *pid;
	int status;

	if (IS_ERR(t))
		return (int)PTR_ERR(t);
	pid = get_task_pid(t, PIDTYPE_PID);
	wake_up_new_task(t);
	wait_event_idle(pid->wait_pidfd, smp_load_acquire(&pid->exited));
	status = pid->exit_code;
	put_pid(pid);
	return h.err ?: status;
}
