// SPDX-License-Identifier: MIT
/* setns(2): entering a namespace by its file, or those of a process by its descriptor. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <fs/nsfs.h>
#include <fs/pidfs.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <proc/cred.h>
#include <ipc/sysv.h>
#include <proc/ns.h>
#include <proc/upcalls.h>
#include <proc/pid.h>
#include <proc/ptrace.h>
#include <proc/proc_priv.h>
#include <linux/capability.h>
#include <linux/sched.h>

static const int kind_flag[] = {
	[NSK_CGROUP] = CLONE_NEWCGROUP, [NSK_IPC] = CLONE_NEWIPC, [NSK_MNT] = CLONE_NEWNS,
	[NSK_NET] = CLONE_NEWNET, [NSK_PID] = CLONE_NEWPID, [NSK_TIME] = CLONE_NEWTIME,
	[NSK_USER] = CLONE_NEWUSER, [NSK_UTS] = CLONE_NEWUTS,
};

/* The caller becomes all-powerful inside, as its creator was. */
static int enter_user_ns(struct user_namespace *ns)
{
	struct cred *c;

	if (ns == current_user_ns())
		return -EINVAL;
	if (!list_is_singular(&current->signal->threads) || current->fs->users != 1)
		return -EINVAL;
	if (!ns_capable(ns, CAP_SYS_ADMIN))
		return -EPERM;
	c = prepare_creds();
	if (!c)
		return -ENOMEM;
	put_user_ns(c->user_ns);
	c->user_ns = get_user_ns(ns);
	c->securebits = 0;
	c->cap_inheritable = CAP_EMPTY_SET;
	c->cap_ambient = CAP_EMPTY_SET;
	c->cap_permitted = c->cap_effective = c->cap_bset = CAP_FULL_SET;
	return commit_creds(c);
}

static bool admin_over(struct user_namespace *owner)
{
	return ns_capable(owner, CAP_SYS_ADMIN) && ns_capable(current_user_ns(), CAP_SYS_ADMIN);
}

/* A pid namespace that is ours or below: children will live there. */
static bool is_descendant(const struct pid_namespace *ns, const struct pid_namespace *ancestor)
{
	while (ns->level > ancestor->level)
		ns = ns->parent;
	return ns == ancestor;
}

/* Puts NS into N, if it may be entered. */
static int install(struct nsproxy *n, enum ns_kind kind, void *ns)
{
	int err = 0;

	switch (kind) {
	case NSK_MNT:
		err = mnt_ns_install(ns, current);
		if (!err) {
			get_mnt_ns(ns);
			put_mnt_ns(n->mnt_ns);
			n->mnt_ns = ns;
		}
		return err;
	case NSK_UTS:
		if (!admin_over(((struct uts_namespace *)ns)->user_ns))
			return -EPERM;
		put_uts_ns(n->uts_ns);
		n->uts_ns = get_uts_ns(ns);
		return 0;
	case NSK_IPC:
		if (!admin_over(ipc_ns_owner(ns)))
			return -EPERM;
		exit_sysv_undo(current);
		put_ipc_ns(n->ipc_ns);
		n->ipc_ns = get_ipc_ns(ns);
		return 0;
	case NSK_PID:
		if (!admin_over(((struct pid_namespace *)ns)->user_ns))
			return -EPERM;
		if (!is_descendant(ns, task_active_pid_ns(current)))
			return -EINVAL;
		put_pid_ns(n->pid_ns_for_children);
		n->pid_ns_for_children = get_pid_ns(ns);
		return 0;
	default:	/* of these there is one only */
		return ns_capable(current_user_ns(), CAP_SYS_ADMIN) ? 0 : -EPERM;
	}
}

static int enter(enum ns_kind kind, void *ns)
{
	struct nsproxy *n;
	int err;

	if (kind == NSK_USER)
		return enter_user_ns(ns);
	n = nsproxy_create(0, current, current_user_ns());
	if (IS_ERR(n))
		return (int)PTR_ERR(n);
	err = install(n, kind, ns);
	if (err)
		put_nsproxy(n);
	else
		switch_task_namespaces(current, n);
	return err;
}

static void put_any(enum ns_kind kind, void *ns)
{
	if (kind == NSK_MNT)
		put_mnt_ns(ns);
	else if (kind == NSK_UTS)
		put_uts_ns(ns);
	else if (kind == NSK_PID)
		put_pid_ns(ns);
	else if (kind == NSK_IPC)
		put_ipc_ns(ns);
	else if (kind == NSK_USER)
		put_user_ns(ns);
}

static int install_of(struct nsproxy *n, struct task *t, enum ns_kind kind)
{
	const char *label;
	u64 ino;
	void *ns = task_get_ns(t, kind, false, &label, &ino);
	int err;

	if (!ino)
		return -ESRCH;
	err = kind == NSK_USER ? enter_user_ns(ns) : install(n, kind, ns);
	if (ns)
		put_any(kind, ns);
	return err;
}

/* All the namespaces of the process that MASK names, or none; the user namespace first, whose rights the others need. */
static int enter_those_of(struct task *t, unsigned int mask)
{
	struct nsproxy *n;
	int err = 0;

	if (!ptrace_may_access(t, PTRACE_MODE_READ_REALCREDS))
		return -EPERM;
	if (mask & CLONE_NEWUSER)
		err = install_of(NULL, t, NSK_USER);
	if (err)
		return err;
	n = nsproxy_create(0, current, current_user_ns());
	if (IS_ERR(n))
		return (int)PTR_ERR(n);
	for (unsigned int k = 0; k < ARRAY_SIZE(kind_flag) && !err; k++)
		if (k != NSK_USER && (mask & (unsigned int)kind_flag[k]))
			err = install_of(n, t, (enum ns_kind)k);
	if (err)
		put_nsproxy(n);
	else
		switch_task_namespaces(current, n);
	return err;
}

long sys_setns(int fd, int nstype)
{
	struct fd f = fdget((unsigned int)fd);
	unsigned int all = 0;
	enum ns_kind kind;
	struct pid *pid;
	struct task *t;
	void *ns;
	int err = -EINVAL;

	if (fd_empty(f))
		return -EBADF;
	for (unsigned int k = 0; k < ARRAY_SIZE(kind_flag); k++)
		all |= (unsigned int)kind_flag[k];
	pid = pidfs_pid(fd_file(f));
	if (pid && nstype && !((unsigned int)nstype & ~all)) {
		t = get_pid_task(pid, PIDTYPE_PID);
		err = t ? enter_those_of(t, (unsigned int)nstype) : -ESRCH;
		if (t)
			put_task_struct(t);
	} else if (!pid && nsfs_of_file(fd_file(f), &kind, &ns) && (!nstype || nstype == kind_flag[kind])) {
		err = enter(kind, ns);
	}
	fdput(f);
	return err;
}
