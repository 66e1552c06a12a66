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

/* What is compared of T, by its address; a file is referenced, so that the address stays its own. */
static long get_part(struct task *t, int type, unsigned long fd, const void **part)
{
	long r = ptrace_begin_access(t, PTRACE_MODE_READ_REALCREDS);

	if (r)
		return r;
	*part = type == KCMP_FILE ? fget_task(t, (unsigned int)fd) : part_of(t, type);
	ptrace_end_access(t);
	return type == KCMP_FILE && !*part ? -EBADF : 0;
}

static void put_part(int type, const void *part)
{
	if (type == KCMP_FILE && part)
		fput((struct file *)(unsigned long)part);
}

/* Each of the two is looked at while it may be; both at once would take two locks of one kind and tell no more. */
static long compare(struct task *a, struct task *b, int type, unsigned long i, unsigned long k)
{
	const void *x = NULL, *y = NULL;
	long r = get_part(a, type, i, &x), e = get_part(b, type, k, &y);

	if (r == -EBADF)
		r = e ? e : r;		/* rights come before descriptors */
	else
		r = r ? r : e;
	if (!r)
		r = type == KCMP_EPOLL_TFD ? -EOPNOTSUPP : (unsigned int)type >= KCMP_TYPES ? -EINVAL : order(x, y, type);
	put_part(type, x);
	put_part(type, y);
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
