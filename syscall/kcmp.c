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

static const void *part_of(struct task *t, int type)
{
	switch (type) {
	case KCMP_VM: return t->mm;
	case KCMP_FILES: return t->files;
	case KCMP_FS: return t->fs;
	case KCMP_SIGHAND: return rcu_access_pointer(t->sighand);
	case KCMP_SYSVSEM: return t->sysv_undo;
	}
	return NULL;		/* KCMP_IO: there are no contexts of their own */
}

static long compare_files(struct task *a, struct task *b, unsigned int i, unsigned int k)
{
	struct file *x = fget_task(a, i), *y = fget_task(b, k);
	long r = x && y ? order(x, y, KCMP_FILE) : -EBADF;

	if (x)
		fput(x);
	if (y)
		fput(y);
	return r;
}

static long compare(struct task *a, struct task *b, int type, unsigned long i, unsigned long k)
{
	long r = ptrace_begin_access_both(a, b, PTRACE_MODE_READ_REALCREDS);

	if (r)
		return r;
	if (type == KCMP_FILE)
		r = compare_files(a, b, (unsigned int)i, (unsigned int)k);
	else if (type == KCMP_EPOLL_TFD)
		r = -EOPNOTSUPP;
	else
		r = (unsigned int)type >= KCMP_TYPES ? -EINVAL : order(part_of(a, type), part_of(b, type), type);
	ptrace_end_access_both(a, b);
	return r;
}

/* partial: kcmp: KCMP_EPOLL_TFD */
long sys_kcmp(pid_t pid1, pid_t pid2, int type, unsigned long idx1, unsigned long idx2)
{
	struct task *a = find_get_task_by_vpid(pid1), *b = find_get_task_by_vpid(pid2);
	long r = a && b ? compare(a, b, type, idx1, idx2) : -ESRCH;

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
