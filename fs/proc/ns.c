// SPDX-License-Identifier: MIT
/*
 * /proc/PID/ns: a task's namespaces, as links whose text names kind and number. Two tasks are in the same
 * one exactly if the numbers are equal. Following a link leads to the namespace as a file (nsfs.c).
 */
#include "proc_priv.h"
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <vfs/mount.h>
#include <fs/nsfs.h>
#include <ipc/sysv.h>
#include <proc/upcalls.h>

enum kind { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_PID_CHILDREN, NS_TIME, NS_TIME_CHILDREN, NS_USER,
	NS_UTS, NS_KINDS };

static const struct {
	const char *name, *label;
	u64 initial;		/* the number of the only one there is */
} kinds[NS_KINDS] = {
	[NS_CGROUP] = { "cgroup", "cgroup", 0 },
	[NS_IPC] = { "ipc", "ipc", 0 },
	[NS_MNT] = { "mnt", "mnt", 0 },
	[NS_NET] = { "net", "net", 0 },
	[NS_PID] = { "pid", "pid", 0 },
	[NS_PID_CHILDREN] = { "pid_for_children", "pid", 0 },
	[NS_TIME] = { "time", "time", 0xeffffffa },
	[NS_TIME_CHILDREN] = { "time_for_children", "time", 0xeffffffa },
	[NS_USER] = { "user", "user", 0 },
	[NS_UTS] = { "uts", "uts", 0 },
};

static u64 ns_number(struct task *task, enum kind kind)
{
	u64 ino = kinds[kind].initial;

	if (kind == NS_USER) {
		rcu_read_lock();
		ino = __task_cred(task)->user_ns->ino;
		rcu_read_unlock();
		return ino;
	}
	if (kind == NS_PID) {
		rcu_read_lock();
		ino = task_active_pid_ns(task) ? task_active_pid_ns(task)->ino : 0;
		rcu_read_unlock();
		return ino;
	}
	task_lock(task);
	if (!task->nsproxy)
		ino = 0;		/* it went as the task ended */
	else if (kind == NS_MNT)
		ino = mnt_ns_inum(task->nsproxy->mnt_ns);
	else if (kind == NS_PID_CHILDREN)
		ino = task->nsproxy->pid_ns_for_children->ino;
	else if (kind == NS_IPC)
		ino = ipc_ns_ino(task->nsproxy->ipc_ns);
	else if (kind == NS_NET)
		ino = net_ns_ino(task->nsproxy->net_ns);
	else if (kind == NS_CGROUP)
		ino = task->nsproxy->cgroup_ns->ino;
	else if (kind == NS_UTS)
		ino = task->nsproxy->uts_ns->ino;
	task_unlock(task);
	return ino;
}

static int ns_readlink(struct dentry *d, struct uptr buf, int buflen)
{
	struct inode *inode = d->d_inode;
	enum kind kind = (enum kind)(unsigned long)inode->i_private;
	struct task *task = get_proc_task(inode);
	char text[48];
	int len, err;
	u64 ino;

	if (!task)
		return -EACCES;
	err = proc_begin_access(task, PTRACE_MODE_READ);
	if (err) {
		put_task_struct(task);
		return err;
	}
	ino = ns_number(task, kind);
	proc_end_access(task);
	put_task_struct(task);
	if (!ino)
		return -ENOENT;
	len = snprintf(text, sizeof(text), "%s:[%llu]", kinds[kind].label, ino);
	if (len > buflen)
		len = buflen;
	return copy_to_user(buf, text, (size_t)len) ? -EFAULT : len;
}

/* A reference to what the link means; *NSK for nsfs. NULL with *INO set: the kind there is one of; with 0: it went as the task ended. */
static void *get_ns(struct task *task, enum kind kind, enum ns_kind *nsk, u64 *ino)
{
	static const enum ns_kind map[NS_KINDS] = {
		[NS_CGROUP] = NSK_CGROUP, [NS_IPC] = NSK_IPC, [NS_MNT] = NSK_MNT, [NS_NET] = NSK_NET,
		[NS_PID] = NSK_PID, [NS_PID_CHILDREN] = NSK_PID, [NS_TIME] = NSK_TIME,
		[NS_TIME_CHILDREN] = NSK_TIME, [NS_USER] = NSK_USER, [NS_UTS] = NSK_UTS,
	};
	void *ns = NULL;

	*nsk = map[kind];
	*ino = kinds[kind].initial;
	if (kind == NS_USER) {
		rcu_read_lock();
		ns = get_user_ns(__task_cred(task)->user_ns);
		rcu_read_unlock();
		*ino = ((struct user_namespace *)ns)->ino;
	} else if (kind == NS_PID) {
		rcu_read_lock();
		ns = task_active_pid_ns(task);
		if (ns)
			get_pid_ns(ns);
		rcu_read_unlock();
		*ino = ns ? ((struct pid_namespace *)ns)->ino : 0;
	} else {
		task_lock(task);
		if (!task->nsproxy) {
			*ino = 0;
		} else if (*ino) {
			;
		} else if (kind == NS_MNT) {
			ns = task->nsproxy->mnt_ns;
			get_mnt_ns(ns);
			*ino = mnt_ns_inum(ns);
		} else if (kind == NS_PID_CHILDREN) {
			ns = get_pid_ns(task->nsproxy->pid_ns_for_children);
			*ino = ((struct pid_namespace *)ns)->ino;
		} else if (kind == NS_IPC) {
			ns = get_ipc_ns(task->nsproxy->ipc_ns);
			*ino = ipc_ns_ino(ns);
		} else if (kind == NS_NET) {
			ns = get_net_ns(task->nsproxy->net_ns);
			*ino = net_ns_ino(ns);
		} else if (kind == NS_CGROUP) {
			ns = get_cgroup_ns(task->nsproxy->cgroup_ns);
			*ino = ((struct cgroup_namespace *)ns)->ino;
		} else {
			ns = get_uts_ns(task->nsproxy->uts_ns);
			*ino = ((struct uts_namespace *)ns)->ino;
		}
		task_unlock(task);
	}
	return ns;
}

void *task_get_ns(struct task *task, enum ns_kind want, bool for_children, const char **label, u64 *ino)
{
	static const enum kind map[] = {
		[NSK_CGROUP] = NS_CGROUP, [NSK_IPC] = NS_IPC, [NSK_MNT] = NS_MNT, [NSK_NET] = NS_NET, [NSK_PID] = NS_PID,
		[NSK_TIME] = NS_TIME, [NSK_USER] = NS_USER, [NSK_UTS] = NS_UTS,
	};
	enum kind kind = for_children && want == NSK_PID ? NS_PID_CHILDREN : map[want];
	enum ns_kind nsk;

	*label = kinds[kind].label;
	return get_ns(task, kind, &nsk, ino);
}

static const char *ns_get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	enum kind kind = (enum kind)(unsigned long)inode->i_private;
	struct task *task;
	enum ns_kind nsk;
	struct path path;
	void *ns;
	u64 ino;
	int err;

	(void)done;
	if (!d)
		return ERR_PTR(-ECHILD);
	task = get_proc_task(inode);
	if (!task)
		return ERR_PTR(-EACCES);
	err = proc_begin_access(task, PTRACE_MODE_READ);
	if (!err) {
		ns = get_ns(task, kind, &nsk, &ino);
		proc_end_access(task);
		err = ino ? nsfs_get_path(nsk, kinds[kind].label, ns, ino, &path) : -ENOENT;
		if (!err)
			err = nd_jump_link(&path);
	}
	put_task_struct(task);
	return ERR_PTR(err);
}

static const struct inode_operations ns_link_iops = {
	.readlink = ns_readlink, .get_link = ns_get_link, .setattr = proc_setattr,
};

static struct dentry *ns_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	struct task *task = get_proc_task(dir);
	struct inode *inode = NULL;
	unsigned int k;

	(void)flags;
	if (!task)
		return ERR_PTR(-ENOENT);
	for (k = 0; k < NS_KINDS; k++) {
		if (proc_in_list(d->d_name.name, d->d_name.len, kinds[k].name))
			break;
	}
	if (k < NS_KINDS)
		inode = proc_task_inode(dir->i_sb, task, S_IFLNK | S_IRWXUGO, proc_ino_in(dir, PROC_OF_NS, k));
	put_task_struct(task);
	if (!inode)
		return ERR_PTR(-ENOENT);
	inode->i_private = (void *)(unsigned long)k;
	inode->i_op = &ns_link_iops;
	inode_set_op_flags(inode);
	d_set_d_op(d, &proc_pid_dops);
	return d_splice_alias(inode, d);
}

static int ns_readdir(struct file *file, struct dir_context *ctx)
{
	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; ctx->pos - 2 < NS_KINDS; ctx->pos++) {
		const char *name = kinds[ctx->pos - 2].name;

		if (!dir_emit(ctx, name, (int)strlen(name), proc_ino_in(file_inode(file), PROC_OF_NS, (u32)ctx->pos - 2), DT_LNK))
			break;
	}
	return 0;
}

const struct inode_operations proc_ns_dir_iops = { .lookup = ns_lookup, .permission = proc_task_permission, .setattr = proc_setattr };
const struct file_operations proc_ns_dir_fops = {
	.llseek = generic_file_llseek, .read_iter = generic_read_dir, .iterate_shared = ns_readdir,
};
