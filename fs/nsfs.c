// SPDX-License-Identifier: MIT
/*
 * nsfs: a file is a namespace held. The inode number is the namespace's, so that two files of the same
 * one compare equal.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/mount.h>
#include <vfs/seq_file.h>
#include <vfs/upcalls.h>
#include <fs/nsfs.h>
#include <ipc/sysv.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

#define NSFS_MAGIC 0x6e736673

struct ns_ref {
	enum ns_kind	kind;
	const char	*label;		/* static */
	void		*ns;
};

static struct vfsmount *nsfs_mnt __ro_after_init;

static void put_ns(enum ns_kind kind, void *ns)
{
	if (!ns)
		return;
	switch (kind) {
	case NSK_MNT:
		put_mnt_ns(ns);
		break;
	case NSK_PID:
		put_pid_ns(ns);
		break;
	case NSK_USER:
		put_user_ns(ns);
		break;
	case NSK_CGROUP:
		put_cgroup_ns(ns);
		break;
	case NSK_UTS:
		put_uts_ns(ns);
		break;
	case NSK_IPC:
		put_ipc_ns(ns);
		break;
	case NSK_NET:
		put_net(ns);
		break;
	default:
		break;
	}
}

static void nsfs_evict(struct inode *inode)
{
	struct ns_ref *r = inode->i_private;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (r) {
		put_ns(r->kind, r->ns);
		kfree(r);
	}
}

static char *nsfs_dname(struct dentry *d, char *buf, int len)
{
	const struct ns_ref *r = d->d_inode->i_private;

	return dynamic_dname(buf, len, "%s:[%llu]", r->label, (u64)d->d_inode->i_ino);
}

static const struct dentry_operations nsfs_dops = { .d_dname = nsfs_dname, .d_delete = always_delete_dentry };
/* In mountinfo: such a file is the root of its own small tree, and has no other name. */
static int nsfs_show_path(struct seq_file *m, struct dentry *root)
{
	const struct ns_ref *r = root->d_inode->i_private;

	seq_printf(m, "%s:[%llu]", r->label, (u64)root->d_inode->i_ino);
	return 0;
}

static const struct super_operations nsfs_super_ops = {
	.statfs = simple_statfs, .evict_inode = nsfs_evict, .show_path = nsfs_show_path,
};

static struct user_namespace *owner_of(const struct ns_ref *r)
{
	switch (r->kind) {
	case NSK_MNT:
		return mnt_ns_owner(r->ns);
	case NSK_PID:
		return ((struct pid_namespace *)r->ns)->user_ns;
	case NSK_USER:
		return ((struct user_namespace *)r->ns)->parent;
	case NSK_UTS:
		return ((struct uts_namespace *)r->ns)->user_ns;
	case NSK_CGROUP:
		return ((struct cgroup_namespace *)r->ns)->user_ns;
	case NSK_IPC:
		return ipc_ns_owner(r->ns);
	case NSK_NET:
		return net_ns_owner(r->ns);
	default:
		return &init_user_ns;
	}
}

static long clone_flag(enum ns_kind kind)
{
	static const long flags[] = {
		[NSK_CGROUP] = CLONE_NEWCGROUP, [NSK_IPC] = CLONE_NEWIPC, [NSK_MNT] = CLONE_NEWNS,
		[NSK_NET] = CLONE_NEWNET, [NSK_PID] = CLONE_NEWPID, [NSK_TIME] = CLONE_NEWTIME,
		[NSK_USER] = CLONE_NEWUSER, [NSK_UTS] = CLONE_NEWUTS,
	};

	return flags[kind];
}

static u64 id_of(const struct ns_ref *r)
{
	switch (r->kind) {
	case NSK_MNT:
		return mnt_ns_seq(r->ns);
	case NSK_PID:
		return ((struct pid_namespace *)r->ns)->nsid.id;
	case NSK_USER:
		return ((struct user_namespace *)r->ns)->nsid.id;
	case NSK_UTS:
		return ((struct uts_namespace *)r->ns)->nsid.id;
	case NSK_CGROUP:
		return ((struct cgroup_namespace *)r->ns)->nsid.id;
	case NSK_IPC:
		return ipc_ns_id(r->ns);
	case NSK_NET:
		return net_ns_id(r->ns);
	default:
		return ns_id_of_time();
	}
}

/* Is P the namespace NS, or below it? */
static bool in_pid_ns(const struct pid_namespace *ns, const struct pid_namespace *p)
{
	while (p->level > ns->level)
		p = p->parent;
	return p == ns;
}

static long nsfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct ns_ref *r = file_inode(file)->i_private;
	struct user_namespace *u;

	switch (cmd) {
	case NS_GET_USERNS:
		u = owner_of(r);
		if (!u || !in_userns(current_user_ns(), u))
			return -EPERM;
		return nsfs_open_fd(NSK_USER, "user", get_user_ns(u), u->ino, O_CLOEXEC);
	case NS_GET_PARENT:
		if (r->kind == NSK_USER) {
			u = ((struct user_namespace *)r->ns)->parent;
			if (!u || !in_userns(current_user_ns(), u))
				return -EPERM;
			return nsfs_open_fd(NSK_USER, "user", get_user_ns(u), u->ino, O_CLOEXEC);
		}
		if (r->kind == NSK_PID) {
			struct pid_namespace *p = ((struct pid_namespace *)r->ns)->parent;

			if (!p || !in_pid_ns(task_active_pid_ns(current), p))
				return -EPERM;
			return nsfs_open_fd(NSK_PID, "pid", get_pid_ns(p), p->ino, O_CLOEXEC);
		}
		return -EINVAL;
	case NS_GET_NSTYPE:
		return clone_flag(r->kind);
	case NS_GET_MNTNS_ID:
		if (r->kind != NSK_MNT)
			return -EINVAL;
		return put_user(mnt_ns_seq(r->ns), UPTR(arg)) ? -EFAULT : 0;
	case NS_GET_ID:
		return put_user(id_of(r), UPTR(arg)) ? -EFAULT : 0;
	case NS_GET_OWNER_UID:
		if (r->kind != NSK_USER)
			return -EINVAL;
		u = r->ns;
		return put_user(from_kuid_munged(current_user_ns(), u->owner), UPTR(arg)) ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations nsfs_fops = { .ioctl = nsfs_ioctl };

int nsfs_get_path(enum ns_kind kind, const char *label, void *ns, u64 ino, struct path *path)
{
	struct ns_ref *r = kmalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	struct inode *inode = r ? new_inode_pseudo(nsfs_mnt->mnt_sb) : NULL;
	struct dentry *d;

	if (!inode) {
		kfree(r);
		put_ns(kind, ns);
		return -ENOMEM;
	}
	*r = (struct ns_ref){ kind, label, ns };
	inode->i_private = r;
	inode->i_ino = ino;
	inode->i_mode = S_IFREG | S_IRUGO;
	inode->i_flags |= S_IMMUTABLE;
	inode->i_fop = &nsfs_fops;
	simple_inode_init_ts(inode);
	inode_set_op_flags(inode);
	d = d_alloc_anon(nsfs_mnt->mnt_sb);
	if (!d) {
		iput(inode);
		return -ENOMEM;
	}
	d_instantiate(d, inode);
	path->mnt = mntget(nsfs_mnt);
	path->dentry = d;
	return 0;
}

struct file *nsfs_open_file(enum ns_kind kind, const char *label, void *ns, u64 ino)
{
	struct path path;
	struct file *f;
	int err = nsfs_get_path(kind, label, ns, ino, &path);

	if (err)
		return ERR_PTR(err);
	f = dentry_open(&path, O_RDONLY, current_cred());
	path_put(&path);
	return f;
}

int nsfs_open_fd(enum ns_kind kind, const char *label, void *ns, u64 ino, unsigned int o_flags)
{
	struct file *f = nsfs_open_file(kind, label, ns, ino);
	int fd;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	fd = get_unused_fd_flags(o_flags);
	if (fd >= 0)
		fd_install((unsigned int)fd, f);
	else
		fput(f);
	return fd;
}

bool nsfs_of_file(const struct file *file, enum ns_kind *kind, void **ns)
{
	const struct ns_ref *r;

	if (file->f_op != &nsfs_fops)
		return false;
	r = file->f_inode->i_private;
	*kind = r->kind;
	*ns = r->ns;
	return true;
}

bool nsfs_is_file(const struct inode *inode)
{
	return inode->i_fop == &nsfs_fops;
}

struct mnt_namespace *nsfs_mnt_ns(const struct inode *inode)
{
	const struct ns_ref *r = nsfs_is_file(inode) ? inode->i_private : NULL;

	return r && r->kind == NSK_MNT ? r->ns : NULL;
}

int nsfs_open_net(struct net *net)
{
	return nsfs_open_fd(NSK_NET, "net", get_net_ns(net), net_ns_ino(net), O_CLOEXEC);
}

struct net *nsfs_net(const struct inode *inode)
{
	const struct ns_ref *r = nsfs_is_file(inode) ? inode->i_private : NULL;

	return r && r->kind == NSK_NET ? r->ns : NULL;
}

static const struct pseudo_fs nsfs = {
	.name = "nsfs", .magic = NSFS_MAGIC, .ops = &nsfs_super_ops, .dops = &nsfs_dops,
};

static int nsfs_init_fs_context(struct fs_context *fc)
{
	return pseudo_init_fs_context(fc, &nsfs);
}

static struct file_system_type nsfs_type = {
	.name = "nsfs", .init_fs_context = nsfs_init_fs_context, .kill_sb = kill_anon_super,
};

static int nsfs_init(void)
{
	nsfs_mnt = kern_mount(&nsfs_type);
	if (IS_ERR(nsfs_mnt))
		panic("nsfs: cannot mount");
	/* Bind mounts of namespace files keep a namespace alive: the superblock must allow them. */
	nsfs_mnt->mnt_sb->s_flags &= ~(unsigned long)SB_NOUSER;
	return 0;
}
INITCALL(fs, nsfs_init);
