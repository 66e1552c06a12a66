// SPDX-License-Identifier: MIT
/*
 * Mount namespaces: their life, the first one, and what /proc/PID/mounts, mountinfo and mountstats say.
 *
 * The first namespace holds nullfs as mount 1 and rootfs (tmpfs) as mount 2 on top of it. Every process's
 * root is rootfs, that of kernel threads nullfs; the real root takes its place by pivot_root.
 */
#include <lib/types.h>
#include "mount_priv.h"
#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <vfs/newmount.h>
#include <vfs/seq_file.h>
#include <vfs/poll.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/ns_count.h>
#include <linux/sched.h>
#include <linux/mount.h>
#include <kernel/init.h>
#include <linux/capability.h>

struct mnt_namespace *init_mnt_ns;
static DEFINE_XARRAY(all_namespaces);	/* by seq; RCU */

struct mnt_namespace *alloc_mnt_ns(struct user_namespace *user_ns, bool anon)
{
	struct ns_count *made = ns_count_one(user_ns, current_euid(), COUNTED_MNT);
	struct mnt_namespace *ns;

	if (!made)
		return ERR_PTR(-ENOSPC);
	ns = kzalloc(sizeof(*ns), GFP_KERNEL_ACCOUNT);
	if (!ns) {
		ns_uncount_one(made, COUNTED_MNT);
		return ERR_PTR(-ENOMEM);
	}
	ns->made = made;
	atomic_set(&ns->refs, 1);
	ns->mounts = RB_ROOT;
	init_waitqueue_head(&ns->poll);
	ns->user_ns = get_user_ns(user_ns);
	if (!anon) {
		ns->ino = ns_alloc_ino();
		ns_id_add(&ns->nsid, CLONE_NEWNS, user_ns);
		ns->seq = ns->nsid.id;
		if (xa_err(xa_store(&all_namespaces, (unsigned long)ns->seq, ns, GFP_KERNEL))) {
			ns_id_remove(&ns->nsid);
			ns_uncount_one(made, COUNTED_MNT);
			put_user_ns(ns->user_ns);
			kfree(ns);
			return ERR_PTR(-ENOMEM);
		}
	}
	return ns;
}

void free_mnt_ns(struct mnt_namespace *ns)
{
	if (ns->seq) {
		xa_erase(&all_namespaces, (unsigned long)ns->seq);
		ns_id_remove(&ns->nsid);
	}
	ns_uncount_one(ns->made, COUNTED_MNT);
	put_user_ns(ns->user_ns);
	kfree_rcu(ns, rcu);
}

struct mnt_namespace *mnt_ns_by_seq(u64 seq)
{
	struct mnt_namespace *ns;

	rcu_read_lock();
	ns = seq ? xa_load(&all_namespaces, (unsigned long)seq) : NULL;
	if (ns && !atomic_inc_not_zero(&ns->refs))
		ns = NULL;
	rcu_read_unlock();
	return ns;
}

void get_mnt_ns(struct mnt_namespace *ns)
{
	atomic_inc(&ns->refs);
}

void put_mnt_ns(struct mnt_namespace *ns)
{
	if (!ns || !atomic_dec_and_test(&ns->refs))
		return;
	namespace_lock();
	if (ns->root)
		umount_tree(ns->root, 0);
	namespace_unlock();
	free_mnt_ns(ns);
}

u64 mnt_ns_inum(const struct mnt_namespace *ns)
{
	return ns->ino;
}

u64 mnt_ns_seq(const struct mnt_namespace *ns)
{
	return ns->seq;
}

struct user_namespace *mnt_ns_owner(const struct mnt_namespace *ns)
{
	return ns->user_ns;
}

/* The copy's counterpart of whatever @fs refers to, while both trees are walked side by side. */
static void redirect_fs(struct fs_struct *fs, struct mount *from, struct mount *to, struct vfsmount **root,
			struct vfsmount **pwd)
{
	if (&from->mnt == fs->root.mnt) {
		fs->root.mnt = mntget(&to->mnt);
		*root = &from->mnt;
	}
	if (&from->mnt == fs->pwd.mnt) {
		fs->pwd.mnt = mntget(&to->mnt);
		*pwd = &from->mnt;
	}
}

/* namespace_sem held: gives ids to all mounts of a tree that is not visible yet. On failure the caller frees the tree, and the ids with it. */
static int assign_ids(struct mount *tree)
{
	struct mount *p = tree;
	int err;

	do {
		err = mnt_assign_id(p);
		p = next_mnt(p, tree);
		cond_resched();
	} while (!err && p);
	return err;
}

struct mnt_namespace *copy_mnt_ns(unsigned long flags, struct mnt_namespace *ns,
				  struct user_namespace *user_ns, struct fs_struct *fs)
{
	struct vfsmount *old_root = NULL, *old_pwd = NULL;
	int copy_flags = CL_COPY_UNBINDABLE | CL_EXPIRE;
	struct mnt_namespace *new_ns;
	struct mount *new, *p, *q;
	int err = 0;

	if (!(flags & CLONE_NEWNS)) {
		get_mnt_ns(ns);
		return ns;
	}
	new_ns = alloc_mnt_ns(user_ns, false);
	if (IS_ERR(new_ns))
		return new_ns;
	namespace_lock();
	/* Into another user namespace: what it mounts must not come back. */
	if (user_ns != ns->user_ns)
		copy_flags |= CL_SHARED_TO_SLAVE;
	new = copy_tree(ns->root, ns->root->mnt.mnt_root, copy_flags);
	if (IS_ERR(new)) {
		err = (int)PTR_ERR(new);
		goto fail;
	}
	if (user_ns != ns->user_ns)
		lock_mnt_tree(new);
	err = assign_ids(new);
	if (err) {
		namespace_free_tree(new);
		goto fail;
	}
	new_ns->root = new;
	p = ns->root;
	q = new;
	while (p) {
		mnt_add_to_ns(new_ns, q);
		if (fs)
			redirect_fs(fs, p, q, &old_root, &old_pwd);
		q = next_mnt(q, new);
		if (!q)
			break;
		/* The copy leaves nothing out but keeps its order: same root, same place. */
		p = next_mnt(p, ns->root);
		while (p && p->mnt.mnt_root != q->mnt.mnt_root)
			p = next_mnt(p, ns->root);
		cond_resched();
	}
	namespace_unlock();
	mntput(old_root);
	mntput(old_pwd);
	return new_ns;
fail:
	namespace_unlock();
	put_mnt_ns(new_ns);	/* somebody may have found it by its number */
	return ERR_PTR(err);
}

/* open_tree(2) with OPEN_TREE_NAMESPACE: a namespace that holds nullfs and, on it, a copy of what is at @path. */
struct mnt_namespace *mnt_ns_of_tree(const struct path *path, bool recurse)
{
	struct mnt_namespace *ns;
	struct mount *null, *tree;
	struct mountpoint *mp;
	bool foreign;
	int err = 0;

	if (!ns_capable(current_user_ns(), CAP_SYS_ADMIN))
		return ERR_PTR(-EPERM);
	ns = alloc_mnt_ns(current_user_ns(), false);
	if (IS_ERR(ns))
		return ns;
	foreign = ns->user_ns != current->nsproxy->mnt_ns->user_ns;
	namespace_lock();
	tree = do_loopback_copy(path, recurse, true, foreign);
	if (IS_ERR(tree)) {
		err = (int)PTR_ERR(tree);
		goto fail;
	}
	null = clone_mnt(init_mnt_ns->root, init_mnt_ns->root->mnt.mnt_root, CL_PRIVATE);
	if (IS_ERR(null)) {
		err = (int)PTR_ERR(null);
		namespace_free_tree(tree);
		goto fail;
	}
	mp = get_mountpoint(null->mnt.mnt_root);
	err = IS_ERR(mp) ? (int)PTR_ERR(mp) : mnt_assign_id(null);
	if (!err)
		err = assign_ids(tree);
	if (err) {
		if (!IS_ERR(mp))
			put_mountpoint(mp);
		namespace_free_tree(tree);
		namespace_free_tree(null);
		goto fail;
	}
	if (foreign)
		lock_mnt_tree(tree);
	ns->root = null;
	mnt_tree_join_ns(null, ns);
	mnt_tree_join_ns(tree, ns);
	lock_mount_hash();
	/* The nullfs is a copy of the first namespace's: only whose that is may uncover it. */
	if (ns->user_ns != init_mnt_ns->user_ns)
		tree->mnt.mnt_flags |= MNT_LOCKED;
	mnt_set_mountpoint(null, mp, tree);
	mnt_attach(tree);
	unlock_mount_hash();
	namespace_unlock();
	put_mountpoint(mp);
	return ns;
fail:
	namespace_unlock();
	put_mnt_ns(ns);
	return ERR_PTR(err);
}

/* setns(2), by a caller that will be of @user_ns: may it enter, and which root will it have? @root is referenced when 0. */
int mnt_ns_root(struct mnt_namespace *ns, struct user_namespace *user_ns, struct path *root)
{
	struct vfsmount *top;

	if (!ns_capable(ns->user_ns, CAP_SYS_ADMIN) || !ns_capable(user_ns, CAP_SYS_CHROOT) || !ns_capable(user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	if (is_anon_ns(ns) || current->fs->users != 1)
		return -EINVAL;
	down_read(&namespace_sem);
	root->mnt = mntget(&ns->root->mnt);
	root->dentry = dget(ns->root->mnt.mnt_root);
	up_read(&namespace_sem);
	while ((top = lookup_mnt(root))) {
		path_put(root);
		root->mnt = top;
		root->dentry = dget(top->mnt_root);
		cond_resched();
	}
	return 0;
}

/* Boot. */

int vfs_mount_roots(void)
{
	struct file_system_type *nullfs = get_fs_type("nullfs"), *tmpfs = get_fs_type("rootfs");
	struct vfsmount *null_mnt, *root_mnt;
	struct mountpoint *mp;
	struct path root;
	struct mount *m;
	int err;

	if (init_mnt_ns)
		return 0;
	if (!nullfs || !tmpfs)
		panic("vfs: no nullfs or tmpfs to start from");
	null_mnt = vfs_kern_mount(nullfs, 0, "nullfs", NULL);
	root_mnt = vfs_kern_mount(tmpfs, 0, "rootfs", NULL);
	if (IS_ERR(null_mnt) || IS_ERR(root_mnt))
		panic("vfs: cannot mount the root");
	init_mnt_ns = alloc_mnt_ns(&init_user_ns, false);
	if (IS_ERR(init_mnt_ns))
		panic("vfs: no memory for the first mount namespace");
	namespace_lock();
	m = real_mount(null_mnt);
	mnt_assign_id(m);
	mnt_assign_id(real_mount(root_mnt));
	init_mnt_ns->root = m;
	mp = get_mountpoint(null_mnt->mnt_root);
	lock_mount_hash();
	mnt_add_to_ns(init_mnt_ns, m);
	mnt_set_mountpoint(m, mp, real_mount(root_mnt));
	mnt_attach(real_mount(root_mnt));
	mnt_add_to_ns(init_mnt_ns, real_mount(root_mnt));
	unlock_mount_hash();
	namespace_unlock();
	put_mountpoint(mp);

	init_nsproxy.mnt_ns = init_mnt_ns;
	/* Kernel threads live in nullfs: no name of theirs means anything. Process 1 has an fs_struct of its own. */
	root.mnt = null_mnt;
	root.dentry = null_mnt->mnt_root;
	set_fs_pwd(&init_fs, &root);
	set_fs_root(&init_fs, &root);
	err = unshare_fs_struct();
	if (err)
		panic("vfs: no memory for the root of process 1");
	root.mnt = root_mnt;
	root.dentry = root_mnt->mnt_root;
	set_fs_pwd(current->fs, &root);
	set_fs_root(current->fs, &root);
	return 0;
}

/* Text for /proc. */

struct proc_mounts {
	struct mnt_namespace *ns;
	struct path root;
	enum mounts_format format;
	u64 event;
};

static void show_mangled(struct seq_file *m, const char *s)
{
	seq_escape(m, s, " \t\n\\#");
}

static void show_sb_opts(struct seq_file *m, struct super_block *sb)
{
	if (sb->s_flags & SB_SYNCHRONOUS)
		seq_puts(m, ",sync");
	if (sb->s_flags & SB_DIRSYNC)
		seq_puts(m, ",dirsync");
	if (sb->s_flags & SB_MANDLOCK)
		seq_puts(m, ",mand");
	if (sb->s_flags & SB_LAZYTIME)
		seq_puts(m, ",lazytime");
}

static void show_mnt_opts(struct seq_file *m, const struct vfsmount *mnt)
{
	static const struct {
		int flag;
		const char *text;
	} opts[] = {
		{ MNT_NOSUID, ",nosuid" }, { MNT_NODEV, ",nodev" }, { MNT_NOEXEC, ",noexec" },
		{ MNT_NOATIME, ",noatime" }, { MNT_NODIRATIME, ",nodiratime" },
		{ MNT_RELATIME, ",relatime" }, { MNT_NOSYMFOLLOW, ",nosymfollow" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(opts); i++) {
		if (mnt->mnt_flags & opts[i].flag)
			seq_puts(m, opts[i].text);
	}
}

static void show_devname(struct seq_file *m, struct mount *r)
{
	struct super_block *sb = r->mnt.mnt_sb;

	if (sb->s_op->show_devname)
		sb->s_op->show_devname(m, r->mnt.mnt_root);
	else
		show_mangled(m, r->mnt_devname && *r->mnt_devname ? r->mnt_devname : "none");
}

static void show_type(struct seq_file *m, struct super_block *sb)
{
	show_mangled(m, sb->s_type->name);
	if (sb->s_subtype) {
		seq_putc(m, '.');
		show_mangled(m, sb->s_subtype);
	}
}

static void show_fs_options(struct seq_file *m, struct mount *r)
{
	struct super_block *sb = r->mnt.mnt_sb;

	if (sb->s_op->show_options)
		sb->s_op->show_options(m, r->mnt.mnt_root);
}

void show_mount_options(struct seq_file *m, struct mount *r)
{
	show_fs_options(m, r);
}

static int show_fstab(struct seq_file *m, struct mount *r, const struct path *root)
{
	struct path path = { &r->mnt, r->mnt.mnt_root };
	int err;

	show_devname(m, r);
	seq_putc(m, ' ');
	err = seq_path_root(m, &path, root, " \t\n\\");
	if (err)
		return err;
	seq_putc(m, ' ');
	show_type(m, r->mnt.mnt_sb);
	seq_puts(m, mnt_is_readonly(&r->mnt) ? " ro" : " rw");
	show_sb_opts(m, r->mnt.mnt_sb);
	show_mnt_opts(m, &r->mnt);
	show_fs_options(m, r);
	seq_puts(m, " 0 0\n");
	return 0;
}

static int show_info(struct seq_file *m, struct mount *r, const struct path *root)
{
	struct path path = { &r->mnt, r->mnt.mnt_root };
	struct super_block *sb = r->mnt.mnt_sb;
	int err;

	seq_printf(m, "%d %d %u:%u ", r->mnt_id, r->mnt_parent->mnt_id, MAJOR(sb->s_dev), MINOR(sb->s_dev));
	if (sb->s_op->show_path)
		sb->s_op->show_path(m, r->mnt.mnt_root);
	else
		seq_dentry(m, r->mnt.mnt_root, " \t\n\\");
	seq_putc(m, ' ');
	err = seq_path_root(m, &path, root, " \t\n\\");
	if (err)
		return err;
	seq_puts(m, r->mnt.mnt_flags & MNT_READONLY ? " ro" : " rw");
	show_mnt_opts(m, &r->mnt);
	if (is_mnt_shared(r))
		seq_printf(m, " shared:%d", r->mnt_group_id);
	if (is_mnt_slave(r)) {
		int dom = get_dominating_id(r, root);

		seq_printf(m, " master:%d", r->mnt_master->mnt_group_id);
		if (dom && dom != r->mnt_master->mnt_group_id)
			seq_printf(m, " propagate_from:%d", dom);
	}
	if (r->unbindable)
		seq_puts(m, " unbindable");
	seq_puts(m, " - ");
	show_type(m, sb);
	seq_putc(m, ' ');
	show_devname(m, r);
	seq_puts(m, sb_rdonly(sb) ? " ro" : " rw");
	show_sb_opts(m, sb);
	show_fs_options(m, r);
	seq_putc(m, '\n');
	return 0;
}

static int show_stats(struct seq_file *m, struct mount *r, const struct path *root)
{
	struct path path = { &r->mnt, r->mnt.mnt_root };
	struct super_block *sb = r->mnt.mnt_sb;
	int err;

	if (r->mnt_devname && *r->mnt_devname) {
		seq_puts(m, "device ");
		show_devname(m, r);
	} else {
		seq_puts(m, "no device");
	}
	seq_puts(m, " mounted on ");
	err = seq_path_root(m, &path, root, " \t\n\\");
	if (err)
		return err;
	seq_puts(m, " with fstype ");
	show_type(m, sb);
	if (sb->s_op->show_stats) {
		seq_putc(m, ' ');
		sb->s_op->show_stats(m, r->mnt.mnt_root);
	}
	seq_putc(m, '\n');
	return 0;
}

/* A position is a unique id, so that a reader misses nothing that stays while other mounts come and go. */
static void *mounts_start(struct seq_file *m, loff_t *pos) __acquires(namespace_sem)
{
	struct proc_mounts *p = m->private;

	down_read(&namespace_sem);
	return mnt_find_id_at(p->ns, (u64)*pos);
}

static void *mounts_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct mount *r = v, *next = rb_entry_safe(rb_next(&r->mnt_node), struct mount, mnt_node);

	(void)m;
	*pos = (loff_t)(next ? next->mnt_id_unique : r->mnt_id_unique + 1);
	return next;
}

static void mounts_stop(struct seq_file *m, void *v) __releases(namespace_sem)
{
	(void)v;
	(void)m;
	up_read(&namespace_sem);
}

static int mounts_show(struct seq_file *m, void *v)
{
	struct mount *r = v;
	struct proc_mounts *p = m->private;

	switch (p->format) {
	case MOUNTS_FSTAB:
		return show_fstab(m, r, &p->root);
	case MOUNTS_INFO:
		return show_info(m, r, &p->root);
	default:
		return show_stats(m, r, &p->root);
	}
}

static const struct seq_operations mounts_seq_ops = {
	.start = mounts_start,
	.next = mounts_next,
	.stop = mounts_stop,
	.show = mounts_show,
};

/* The namespace and root as they are at open. -EINVAL: the task has none any more. */
int mounts_open(struct file *file, struct task *task, enum mounts_format format)
{
	struct mnt_namespace *ns = NULL;
	struct proc_mounts *p;
	struct path root;
	int err;

	task_lock(task);
	if (task->nsproxy && task->nsproxy->mnt_ns && task->fs) {
		ns = task->nsproxy->mnt_ns;
		get_mnt_ns(ns);
		get_fs_root(task->fs, &root);
	}
	task_unlock(task);
	if (!ns)
		return -EINVAL;
	p = __seq_open_private(file, &mounts_seq_ops, sizeof(*p));
	if (!p) {
		err = -ENOMEM;
		path_put(&root);
		put_mnt_ns(ns);
		return err;
	}
	p->ns = ns;
	p->root = root;
	p->format = format;
	p->event = ns->event;
	return 0;
}

int mounts_release(struct file *file)
{
	struct seq_file *m = file->private_data;
	struct proc_mounts *p = m->private;

	path_put(&p->root);
	put_mnt_ns(p->ns);
	return seq_release_private(file_inode(file), file);
}

/* POLLPRI when the set of mounts has changed since the last poll. */
unsigned int mounts_poll(struct file *file, struct poll_table_struct *pt)
{
	struct seq_file *m = file->private_data;
	struct proc_mounts *p = m->private;
	unsigned int res = EPOLLIN | EPOLLRDNORM;
	u64 now;

	poll_wait(file, &p->ns->poll, pt);
	now = READ_ONCE(p->ns->event);
	if (p->event != now) {
		p->event = now;
		res |= EPOLLERR | EPOLLPRI;
	}
	return res;
}

INITCALL(subsys, vfs_mount_roots);
