// SPDX-License-Identifier: MIT
/* setns(2): entering a namespace by its file. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <fs/nsfs.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <proc/cred.h>
#include <proc/ns.h>
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

static int enter(enum ns_kind kind, void *ns)
{
	struct nsproxy *n;
	int err = 0;

	if (kind == NSK_USER)
		return enter_user_ns(ns);
	/* Of these there is one only. */
	if (kind != NSK_MNT && kind != NSK_UTS && kind != NSK_PID)
		return ns_capable(current_user_ns(), CAP_SYS_ADMIN) ? 0 : -EPERM;
	n = nsproxy_create(0, current, current_user_ns());
	if (IS_ERR(n))
		return (int)PTR_ERR(n);
	if (kind == NSK_MNT) {
		err = mnt_ns_install(ns, current);
		if (!err) {
			get_mnt_ns(ns);
			put_mnt_ns(n->mnt_ns);
			n->mnt_ns = ns;
		}
	} else if (kind == NSK_UTS) {
		if (!admin_over(((struct uts_namespace *)ns)->user_ns)) {
			err = -EPERM;
		} else {
			put_uts_ns(n->uts_ns);
			n->uts_ns = get_uts_ns(ns);
		}
	} else {
		if (!admin_over(((struct pid_namespace *)ns)->user_ns))
			err = -EPERM;
		else if (!is_descendant(ns, task_active_pid_ns(current)))
			err = -EINVAL;
		if (!err) {
			put_pid_ns(n->pid_ns_for_children);
			n->pid_ns_for_children = get_pid_ns(ns);
		}
	}
	if (err)
		put_nsproxy(n);
	else
		switch_task_namespaces(current, n);
	return err;
}

/* partial: setns: process descriptors (pidfd) are not taken */
long sys_setns(int fd, int nstype)
{
	struct fd f = fdget((unsigned int)fd);
	enum ns_kind kind;
	void *ns;
	int err = -EINVAL;

	if (fd_empty(f))
		return -EBADF;
	if (nsfs_of_file(fd_file(f), &kind, &ns) && (!nstype || nstype == kind_flag[kind]))
		err = enter(kind, ns);
	fdput(f);
	return err;
}
