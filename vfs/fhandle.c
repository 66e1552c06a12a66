// SPDX-License-Identifier: MIT
/*
 * Who may open files by handle, and where the files must lie.
 *
 * A handle passes over the permissions of all directories above the file. CAP_DAC_READ_SEARCH in the
 * initial user namespace allows that. Who rules the filesystem's user namespace could mount it, and
 * who rules the mount's could bind it elsewhere: they may open directories, whose place is known,
 * if the way there leads through inodes with ids in their user namespace, and, of a mount that only
 * is theirs, if it lies below the directory they gave and nothing locked is mounted on that.
 */
#include <lib/types.h>
#include <vfs/export.h>
#include <vfs/fs.h>
#include <proc/cred.h>
#include <sched/task.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include "mount_priv.h"

int handle_encode(const struct path *path, u32 *fh, int *words, int *type, unsigned int flags)
{
	struct dentry *d = path->dentry;
	int room = *words, t;

	/* A file that was itself opened by handle: its parent is not known. */
	if (flags & EXPORT_CONNECTABLE && d->d_flags & DCACHE_DISCONNECTED)
		return -EINVAL;
	t = export_encode(d, fh, words, flags);
	*type = t;
	if (t < 0)
		return t;
	if (t == FILEID_INVALID || *words > room)
		return -EOVERFLOW;
	if (flags & EXPORT_CONNECTABLE)
		*type |= HANDLE_IS_CONNECTABLE | (d_is_dir(d) ? HANDLE_IS_DIR : 0);
	return 0;
}

/* RCU keeps the namespace. */
static bool rules_mount(const struct vfsmount *mnt)
{
	const struct mnt_namespace *ns;
	bool yes;

	rcu_read_lock();
	ns = READ_ONCE(real_mount(mnt)->mnt_ns);
	yes = is_mounted_ns(ns) && ns_capable(ns->user_ns, CAP_SYS_ADMIN);
	rcu_read_unlock();
	return yes;
}

int handle_may_decode(const struct path *root, int flags, struct handle_right *right)
{
	const struct super_block *sb = root->mnt->mnt_sb;

	*right = (struct handle_right){ 0 };
	if (capable(CAP_DAC_READ_SEARCH))
		return 0;
	if (!(flags & O_DIRECTORY))
		return -EPERM;
	right->ids = true;
	if (!ns_capable(sb->s_user_ns, CAP_SYS_ADMIN)) {
		right->subtree = true;
		if (!rules_mount(root->mnt) || has_locked_children(root))
			return -EPERM;
	}
	return ns_capable(current_user_ns(), CAP_DAC_READ_SEARCH) ? 0 : -EPERM;
}

struct wanted {
	const struct dentry *root;
	const struct handle_right *right;
};

static bool has_ids(const struct wanted *w, const struct dentry *d)
{
	const struct inode *inode = d->d_inode;

	return !w->right->ids ||
	       privileged_wrt_inode_ids(current_user_ns(), inode->i_uid, inode->i_gid);
}

/*
 * The way up from D, which renames may change; nobody who may not go that way is helped by that,
 * since he rules the tree.
 */
static bool acceptable(void *ctx, struct dentry *d)
{
	const struct wanted *w = ctx;
	bool ok;

	if (!w->right->ids && !w->right->subtree)
		return true;
	ok = has_ids(w, d);
	dget(d);
	while (ok && d != w->root && !IS_ROOT(d)) {
		struct dentry *up = dget_parent(d);

		dput(d);
		d = up;
		ok = has_ids(w, d) && !fatal_signal_pending(current);
	}
	ok = ok && (!w->right->subtree || d == w->root);
	dput(d);
	return ok;
}

int handle_decode(const struct path *root, const u32 *fh, int words, int type,
		  const struct handle_right *right, struct path *path)
{
	struct handle_right r = *right;
	struct wanted w = { root->dentry, &r };
	unsigned int flags = 0;
	struct dentry *d;

	/* Who has no right but over a tree gets directories, the only files with one place. */
	if (r.ids || type & HANDLE_IS_DIR)
		flags |= EXPORT_DIR_ONLY;
	if (type & HANDLE_IS_CONNECTABLE)
		r.subtree = true;
	d = export_decode(root->mnt, fh, words, type & ~HANDLE_USER_FLAGS, flags, acceptable, &w);
	if (IS_ERR(d))
		return PTR_ERR(d) == -ENOMEM ? -ENOMEM : -ESTALE;
	path->mnt = mntget(root->mnt);
	path->dentry = d;
	return 0;
}
