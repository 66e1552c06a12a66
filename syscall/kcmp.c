// SPDX-License-Identifier: MIT
/*
 * kcmp(2): do two processes share a thing? Where they do not, the order of the things is told, by addresses that are made
 * unreadable first.
 */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <mm/uaccess.h>
#include <proc/pid.h>
#include <proc/ptrace.h>
#include <proc/signal.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/kcmp.h>

static unsigned long cookies[KCMP_TYPES][2];	/* c: a mask and an odd factor a type */

/* 0: the same, 1: A is before B, 2: behind. */
static long order(const void *a, const void *b, int type)
{
	unsigned long x = ((unsigned long)a ^ cookies[type][0]) * cookies[type][1];
	unsigned long y = ((unsigned long)b ^ cookies[type][0]) * cookies[type][1];

	return x == y ? 0 : x < y ? 1 : 2;
}

static long compare_files(struct task *a, struct task *b, unsigned long i, unsigned long k)
{
	struct file *x = fget_task(a, (unsigned int)i), *y = fget_task(b, (unsigned int)k);
	long r = x && y ? order(x, y, KCMP_FILE) : -EBADF;

	if (x)
		fput(x);
	if (y)
		fput(y);
	return r;
}

static long compare(struct task *a, struct task *b, int type, unsigned long i, unsigned long k)
{
	switch (type) {
	case KCMP_FILE: return compare_files(a, b, i, k);
	case KCMP_VM: return order(a->mm, b->mm, type);
	case KCMP_FILES: return order(a->files, b->files, type);
	case KCMP_FS: return order(a->fs, b->fs, type);
	case KCMP_SIGHAND: return order(rcu_access_pointer(a->sighand), rcu_access_pointer(b->sighand), type);
	case KCMP_IO: return order(NULL, NULL, type);		/* there are no contexts of their own */
	case KCMP_SYSVSEM: return order(a->sysv_undo, b->sysv_undo, type);
	}
	return -EINVAL;
}

/* partial: kcmp: KCMP_EPOLL_TFD */
long sys_kcmp(pid_t pid1, pid_t pid2, int type, unsigned long idx1, unsigned long idx2)
{
	struct task *a = find_get_task_by_vpid(pid1), *b = find_get_task_by_vpid(pid2);
	long r = -ESRCH;

	if (a && b) {
		r = ptrace_may_access(a, PTRACE_MODE_READ_REALCREDS) && ptrace_may_access(b, PTRACE_MODE_READ_REALCREDS) ? 0 : -EPERM;
		if (!r)
			r = type == KCMP_EPOLL_TFD ? -EOPNOTSUPP : compare(a, b, type, idx1, idx2);
	}
	if (a)
		put_task_struct(a);
	if (b)
		put_task_struct(b);
	return r;
}

static int kcmp_init(void)
{
	get_random_bytes(cookies, sizeof(cookies));
	for (int i = 0; i < KCMP_TYPES; i++)
		cookies[i][1] |= 1;
	return 0;
}
INITCALL(late, kcmp_init);
