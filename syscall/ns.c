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

/* What the caller will be of. Nothing of it is the caller's before all was allowed. */
struct entry {
	struct nsproxy *n;
	struct cred *cred;		/* NULL: as it is */
	struct path root;		/* of the mounts entered, mnt NULL: as it is */
	struct user_namespace *user_ns;	/* of cred, or the caller's */
	bool leaves_ipc;
};

/* The caller becomes all-powerful inside, as its creator was. */
static int install_user_ns(struct entry *e, struct user_namespace *ns)
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
	e->cred = c;
	e->user_ns = ns;
	return 0;
}

static bool admin_over(const struct entry *e, struct user_namespace *owner)
{
	return ns_capable(owner, CAP_SYS_ADMIN) && ns_capable(e->user_ns, CAP_SYS_ADMIN);
}

/* A pid namespace that is ours or below: children will live there. */
static bool is_descendant(const struct pid_namespace *ns, const struct pid_namespace *ancestor)
{
	while (ns->level > ancestor->level)
		ns = ns->parent;
	return ns == ancestor;
}

/* Puts NS into E, if it may be entered. */
static int install(struct entry *e, enum ns_kind kind, void *ns)
{
	struct nsproxy *n = e->n;
	int err;

	switch (kind) {
	case NSK_USER:
		return install_user_ns(e, ns);
	case NSK_MNT:
		err = mnt_ns_root(ns, e->user_ns, &e->root);
		if (err)
			return err;
		get_mnt_ns(ns);
		put_mnt_ns(n->mnt_ns);
		n->mnt_ns = ns;
		return 0;
	case NSK_UTS:
		if (!admin_over(e, ((struct uts_namespace *)ns)->user_ns))
			return -EPERM;
		put_uts_ns(n->uts_ns);
		n->uts_ns = get_uts_ns(ns);
		return 0;
	case NSK_CGROUP:
		if (!admin_over(e, ((struct cgroup_namespace *)ns)->user_ns))
			return -EPERM;
		put_cgroup_ns(n->cgroup_ns);
		n->cgroup_ns = get_cgroup_ns(ns);
		return 0;
	case NSK_IPC:
		if (!admin_over(e, ipc_ns_owner(ns)))
			return -EPERM;
		put_ipc_ns(n->ipc_ns);
		n->ipc_ns = get_ipc_ns(ns);
		e->leaves_ipc = true;
		return 0;
	case NSK_NET:
		if (!admin_over(e, net_ns_owner(ns)))
			return -EPERM;
		put_net(n->net_ns);
		n->net_ns = get_net_ns(ns);
		return 0;
	case NSK_PID:
		if (!admin_over(e, ((struct pid_namespace *)ns)->user_ns))
			return -EPERM;
		if (!is_descendant(ns, task_active_pid_ns(current)))
			return -EINVAL;
		put_pid_ns(n->pid_ns_for_children);
		n->pid_ns_for_children = get_pid_ns(ns);
		return 0;
	default:	/* of these there is one only */
		return admin_over(e, &init_user_ns) ? 0 : -EPERM;
	}
}

static int begin(struct entry *e)
{
	*e = (struct entry){ .n = nsproxy_create(0, NULL, current_user_ns()), .user_ns = current_user_ns() };
	return IS_ERR(e->n) ? (int)PTR_ERR(e->n) : 0;
}

/* All of it when ERR is 0, or nothing. Rights are changed first: what is left may be what they were for. */
static int finish(struct entry *e, int err)
{
	if (err) {
		if (e->cred)
			abort_creds(e->cred);
		put_nsproxy(e->n);
	} else {
		if (e->cred)
			commit_creds(e->cred);
		if (e->root.mnt) {
			set_fs_pwd(current->fs, &e->root);
			set_fs_root(current->fs, &e->root);
		}
		if (e->leaves_ipc)
			exit_sysv_undo(current);
		switch_task_namespaces(current, e->n);
	}
	if (e->root.mnt)
		path_put(&e->root);
	return err;
}

static int enter(enum ns_kind kind, void *ns)
{
	struct entry e;
	int err = begin(&e);

	return err ? err : finish(&e, install(&e, kind, ns));
}

static void put_any(enum ns_kind kind, void *ns)
{
	if (kind == NSK_MNT)
		put_mnt_ns(ns);
	else if (kind == NSK_UTS)
		put_uts_ns(ns);
	else if (kind == NSK_CGROUP)
		put_cgroup_ns(ns);
	else if (kind == NSK_PID)
		put_pid_ns(ns);
	else if (kind == NSK_IPC)
		put_ipc_ns(ns);
	else if (kind == NSK_NET)
		put_net(ns);
	else if (kind == NSK_USER)
		put_user_ns(ns);
}

static int install_of(struct entry *e, struct task *t, enum ns_kind kind)
{
	const char *label;
	u64 ino;
	void *ns = task_get_ns(t, kind, false, &label, &ino);
	int err;

	if (!ino)
		return -ESRCH;
	err = install(e, kind, ns);
	if (ns)
		put_any(kind, ns);
	return err;
}

/* All the namespaces of the process that MASK names, or none; the user namespace first, whose rights the others need. */
static int enter_those_of(struct task *t, unsigned int mask)
{
	struct entry e;
	int err;

	err = begin(&e);
	if (err)
		return err;
	err = ptrace_begin_access(t, PTRACE_MODE_READ_REALCREDS);
	if (err)
		return finish(&e, err);
	if (READ_ONCE(t->exit_state))
		err = -ESRCH;
	if (!err && (mask & CLONE_NEWUSER))
		err = install_of(&e, t, NSK_USER);
	for (unsigned int k = 0; k < ARRAY_SIZE(kind_flag) && !err; k++)
		if (k != NSK_USER && (mask & (unsigned int)kind_flag[k]))
			err = install_of(&e, t, (enum ns_kind)k);
	ptrace_end_access(t);
	return finish(&e, err);
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
