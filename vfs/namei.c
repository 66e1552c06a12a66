// SPDX-License-Identifier: MIT
/*
 * Walking a path.
 *
 * A walk starts in RCU mode: it takes no reference and writes nothing; each dentry is known by its
 * sequence count, mounts by mount_lock's. What it cannot do that way (ask a filesystem, sleep, follow
 * something that moves) makes it try to become an ordinary walk where it stands (try_to_unlazy), and if
 * even that fails (-ECHILD) the whole walk is repeated holding references from the start. A third try,
 * with LOOKUP_REVAL, follows -ESTALE.
 *
 * Symlinks are followed without recursion: the rest of the name is pushed on nd->stack.
 */
#include <lib/types.h>
#include "namei_priv.h"
#include "dcache_priv.h"
#include <alloc/slab.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <mm/uaccess.h>
#include <kernel/show.h>
#include <kernel/init.h>

int sysctl_protected_symlinks = 1;

/* File names. */

int getname_flags(struct filename *fn, struct uptr name, int at_flags)
{
	long len;

	fn->page = NULL;
	fn->uptr = name;
	len = strncpy_from_user(fn->iname, name, sizeof(fn->iname));
	if (unlikely(len < 0))
		return fn->len = (int)len;
	fn->name = fn->iname;
	if (unlikely(len == sizeof(fn->iname))) {
		fn->page = kmalloc(PATH_MAX, GFP_KERNEL);
		if (!fn->page)
			return fn->len = -ENOMEM;
		len = strncpy_from_user(fn->page, name, PATH_MAX);
		if (len < 0 || len == PATH_MAX) {
			kfree(fn->page);
			fn->page = NULL;
			return fn->len = len < 0 ? (int)len : -ENAMETOOLONG;
		}
		fn->name = fn->page;
	}
	fn->len = (int)len;
	if (unlikely(!len) && !(at_flags & AT_EMPTY_PATH))
		return fn->len = -ENOENT;
	return 0;
}

int getname(struct filename *fn, struct uptr name)
{
	return getname_flags(fn, name, 0);
}

void getname_kernel(struct filename *fn, const char *name)
{
	fn->page = NULL;
	fn->uptr = UPTR_NULL;
	fn->name = name;
	fn->len = (int)strlen(name);
}

void putname(struct filename *fn)
{
	if (unlikely(fn->page)) {
		kfree(fn->page);
		fn->page = NULL;
	}
}

/* State. */

void set_nameidata(struct nameidata *nd, int dfd, struct filename *name, const struct path *root)
{
	struct nameidata *old = current->vfs_data;

	nd->stack = nd->internal;
	nd->depth = 0;
	nd->dfd = dfd;
	nd->name = name;
	nd->pathname = name->name;
	nd->total_link_count = old ? old->total_link_count : 0;
	nd->saved = old;
	nd->path.mnt = NULL;
	nd->path.dentry = NULL;
	nd->state = 0;
	nd->root.mnt = NULL;
	if (root) {
		nd->state = ND_ROOT_PRESET;
		nd->root = *root;
	}
	current->vfs_data = nd;
}

void restore_nameidata(struct nameidata *nd)
{
	struct nameidata *old = nd->saved;

	current->vfs_data = old;
	if (old)
		old->total_link_count = nd->total_link_count;
	if (unlikely(nd->stack != nd->internal))
		kfree(nd->stack);
}

static bool stack_grow(struct nameidata *nd)
{
	struct saved_link *p;

	if (likely(nd->depth != EMBEDDED_LEVELS) || nd->stack != nd->internal)
		return true;
	p = kmalloc_array(MAXSYMLINKS, sizeof(*p), nd->flags & LOOKUP_RCU ? GFP_ATOMIC : GFP_KERNEL);
	if (!p)
		return false;
	memcpy(p, nd->internal, sizeof(nd->internal));
	nd->stack = p;
	return true;
}

/* Is what we stand on still below the root of its mount? (A bind of a directory moved out of it.) */
static bool path_connected(struct vfsmount *mnt, struct dentry *dentry)
{
	if (mnt->mnt_root == mnt->mnt_sb->s_root)
		return true;
	return is_subdir(dentry, mnt->mnt_root);
}

#define CONNECTED_STEPS 16

/* Under RCU: is it known to be, within some steps? How deep it is nested, and how often a walk asks, is the user's choice. */
static bool path_connected_rcu(const struct vfsmount *mnt, const struct dentry *d)
{
	if (likely(mnt->mnt_root == mnt->mnt_sb->s_root))
		return true;
	for (int steps = 0; steps < CONNECTED_STEPS; steps++) {
		if (d == mnt->mnt_root)
			return true;
		d = READ_ONCE(d->d_parent);
	}
	return false;
}

/* The walk's read section: LOOKUP_RCU keeps it in mind, so that sparse need not count it. */
static void enter_rcu(void)
{
	rcu_read_lock();
	__release(RCU);
}

static void leave_rcu(struct nameidata *nd)
{
	nd->flags &= ~LOOKUP_RCU;
	nd->seq = nd->next_seq = 0;
	__acquire(RCU);
	rcu_read_unlock();
}

static void drop_links(struct nameidata *nd)
{
	unsigned int i = nd->depth;

	while (i--) {
		do_delayed_call(&nd->stack[i].done);
		clear_delayed_call(&nd->stack[i].done);
	}
}

void terminate_walk(struct nameidata *nd)
{
	if (unlikely(nd->depth))
		drop_links(nd);
	if (!(nd->flags & LOOKUP_RCU)) {
		path_put(&nd->path);
		for (unsigned int i = 0; i < nd->depth; i++)
			path_put(&nd->stack[i].link);
		if (nd->state & ND_ROOT_GRABBED) {
			path_put(&nd->root);
			nd->state &= ~ND_ROOT_GRABBED;
		}
	} else {
		leave_rcu(nd);
	}
	nd->depth = 0;
	nd->path.mnt = NULL;
	nd->path.dentry = NULL;
}

/* From a path known by sequences to one with references. False: references may be half taken. */
static bool __legitimize_path(struct path *path, unsigned int seq, u32 mseq)
{
	int res = legitimize_mnt(path->mnt, mseq);

	if (unlikely(res)) {
		if (res > 0)
			path->mnt = NULL;
		path->dentry = NULL;
		return false;
	}
	if (unlikely(!dget_not_dead(path->dentry))) {
		path->dentry = NULL;
		return false;
	}
	return !read_seqcount_retry(&path->dentry->d_seq, seq);
}

static bool legitimize_links(struct nameidata *nd)
{
	if (unlikely(nd->flags & LOOKUP_CACHED)) {
		drop_links(nd);
		nd->depth = 0;
		return false;
	}
	for (unsigned int i = 0; i < nd->depth; i++) {
		struct saved_link *l = &nd->stack[i];

		if (unlikely(!__legitimize_path(&l->link, l->seq, nd->m_seq))) {
			drop_links(nd);
			nd->depth = i + 1;
			return false;
		}
	}
	return true;
}

static bool legitimize_root(struct nameidata *nd)
{
	if (!nd->root.mnt || nd->state & ND_ROOT_PRESET)
		return true;
	nd->state |= ND_ROOT_GRABBED;
	return __legitimize_path(&nd->root, nd->root_seq, nd->m_seq);
}

/* Goes on without RCU from nd->path. False: nothing can be used, -ECHILD. */
bool try_to_unlazy(struct nameidata *nd)
{
	if (unlikely(nd->depth && !legitimize_links(nd)))
		goto fail_paths;
	if (unlikely(nd->flags & LOOKUP_CACHED))
		goto fail_paths;
	if (unlikely(!__legitimize_path(&nd->path, nd->seq, nd->m_seq)))
		goto fail;
	if (unlikely(!legitimize_root(nd)))
		goto fail;
	leave_rcu(nd);
	return true;
fail_paths:
	nd->path.mnt = NULL;
	nd->path.dentry = NULL;
fail:
	leave_rcu(nd);
	return false;
}

/* The same while standing between nd->path and @dentry (with nd->next_seq). */
static bool try_to_unlazy_next(struct nameidata *nd, struct dentry *dentry)
{
	int res;

	if (unlikely(nd->depth && !legitimize_links(nd)))
		goto none;
	if (unlikely(nd->flags & LOOKUP_CACHED))
		goto none;
	res = legitimize_mnt(nd->path.mnt, nd->m_seq);
	if (unlikely(res)) {
		if (res > 0)
			goto none;
		nd->path.dentry = NULL;
		goto out;
	}
	if (unlikely(!dget_not_dead(nd->path.dentry))) {
		nd->path.dentry = NULL;
		goto out;
	}
	if (unlikely(!dget_not_dead(dentry)))
		goto out;
	if (read_seqcount_retry(&dentry->d_seq, nd->next_seq) ||
	    read_seqcount_retry(&nd->path.dentry->d_seq, nd->seq) || unlikely(!legitimize_root(nd))) {
		leave_rcu(nd);
		dput(dentry);
		return false;
	}
	leave_rcu(nd);
	return true;
none:
	nd->path.mnt = NULL;
	nd->path.dentry = NULL;
out:
	leave_rcu(nd);
	return false;
}

static int d_revalidate(struct inode *dir, const struct qstr *name, struct dentry *dentry, unsigned int flags)
{
	if (unlikely(dentry->d_flags & DCACHE_OP_REVALIDATE))
		return dentry->d_op->d_revalidate(dir, name, dentry, flags);
	return 1;
}

/* At the end of the walk: out of RCU mode, still inside the scope. */
int complete_walk(struct nameidata *nd)
{
	struct dentry *dentry = nd->path.dentry;
	int status;

	if (nd->flags & LOOKUP_RCU) {
		/* A preset root is checked by its owner; ours must not be put when it was never taken. */
		if (!(nd->state & ND_ROOT_PRESET) && !(nd->flags & LOOKUP_IS_SCOPED))
			nd->root.mnt = NULL;
		nd->flags &= ~LOOKUP_CACHED;
		if (!try_to_unlazy(nd))
			return -ECHILD;
	}
	if (unlikely(nd->flags & LOOKUP_IS_SCOPED)) {
		/* Renames may have let the walk out: what we found must still be below the root. */
		if (!is_mounted(nd->path.mnt) || !nd->root.mnt)
			return -EXDEV;
		if (!path_is_under(&nd->path, &nd->root))
			return -EXDEV;
	}
	if (likely(!(nd->state & ND_JUMPED)) || likely(!(dentry->d_flags & DCACHE_OP_WEAK_REVALIDATE)))
		return 0;
	status = dentry->d_op->d_weak_revalidate(dentry, nd->flags);
	if (status > 0)
		return 0;
	return status ? status : -ESTALE;
}

bool path_is_under(const struct path *path, const struct path *root)
{
	bool res;

	down_read(&namespace_sem);
	res = is_path_reachable(real_mount(path->mnt), path->dentry, root);
	up_read(&namespace_sem);
	return res;
}

static __always_inline void set_root_rcu(struct nameidata *nd)
{
	struct fs_struct *fs = current->fs;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&fs->seq);
		nd->root = fs->root;
		nd->root_seq = raw_read_seqcount(&nd->root.dentry->d_seq) & ~1u;
	} while (read_seqcount_retry(&fs->seq, seq));
}

/* RCU mode, root known. */
static __always_inline int jump_root_rcu(struct nameidata *nd)
{
	nd->path = nd->root;
	nd->inode = READ_ONCE(nd->path.dentry->d_inode);
	nd->seq = nd->root_seq;
	if (read_seqcount_retry(&nd->path.dentry->d_seq, nd->seq))
		return -ECHILD;
	nd->state |= ND_JUMPED;
	return 0;
}

static int set_root(struct nameidata *nd)
{
	/* A scoped walk has its root from the start: losing it would be an escape. */
	if (unlikely(nd->flags & LOOKUP_IS_SCOPED && nd->root.mnt == NULL && nd->state & ND_JUMPED))
		return -ENOTRECOVERABLE;
	if (nd->flags & LOOKUP_RCU) {
		set_root_rcu(nd);
	} else {
		get_fs_root(current->fs, &nd->root);
		nd->state |= ND_ROOT_GRABBED;
	}
	return 0;
}

static int nd_jump_root(struct nameidata *nd)
{
	if (unlikely(nd->flags & LOOKUP_BENEATH))
		return -EXDEV;
	if (unlikely(nd->flags & LOOKUP_NO_XDEV) && nd->path.mnt && nd->root.mnt &&
	    nd->path.mnt != nd->root.mnt)
		return -EXDEV;
	if (!nd->root.mnt) {
		int err = set_root(nd);

		if (err)
			return err;
	}
	if (nd->flags & LOOKUP_RCU)
		return jump_root_rcu(nd);
	path_put(&nd->path);
	nd->path = nd->root;
	path_get(&nd->path);
	nd->inode = nd->path.dentry->d_inode;
	nd->state |= ND_JUMPED;
	return 0;
}

/* From a get_link operation: the walk goes on at @path, whose references it takes over. */
int nd_jump_link(const struct path *path)
{
	struct nameidata *nd = current->vfs_data;
	int err;

	err = -ELOOP;
	if (unlikely(nd->flags & LOOKUP_NO_MAGICLINKS))
		goto fail;
	err = -EXDEV;
	if (unlikely(nd->flags & LOOKUP_NO_XDEV) && nd->path.mnt != path->mnt)
		goto fail;
	if (unlikely(nd->flags & LOOKUP_IS_SCOPED))
		goto fail;
	path_put(&nd->path);
	nd->path = *path;
	nd->inode = nd->path.dentry->d_inode;
	nd->state |= ND_JUMPED;
	return 0;
fail:
	path_put(path);
	return err;
}

void put_link_top(struct nameidata *nd)
{
	struct saved_link *last = &nd->stack[--nd->depth];

	do_delayed_call(&last->done);
	if (!(nd->flags & LOOKUP_RCU))
		path_put(&last->link);
}

/* fs.protected_symlinks: in a sticky world-writable directory follow only the owner's and one's own. */
static int may_follow_link(struct nameidata *nd, const struct inode *inode)
{
	if (!sysctl_protected_symlinks)
		return 0;
	if (uid_eq(current_fsuid(), inode->i_uid))
		return 0;
	if ((nd->dir_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH))
		return 0;
	if (uid_valid(nd->dir_uid) && uid_eq(nd->dir_uid, inode->i_uid))
		return 0;
	return nd->flags & LOOKUP_RCU ? -ECHILD : -EACCES;
}

/* Pushes a symlink; returns the text to walk, NULL if it leads nowhere further, or ERR_PTR. */
static const char *pick_link(struct nameidata *nd, struct path *link, struct inode *inode, unsigned int flags)
{
	struct saved_link *last;
	const char *res;
	int err = 0;

	if (unlikely(nd->total_link_count++ >= MAXSYMLINKS)) {
		err = -ELOOP;
		goto fail;
	}
	if (unlikely(!stack_grow(nd))) {
		if (!(nd->flags & LOOKUP_RCU)) {
			err = -ENOMEM;
			goto fail;
		}
		bool grabbed = __legitimize_path(link, nd->next_seq, nd->m_seq);

		if (!try_to_unlazy(nd) || !grabbed || !stack_grow(nd)) {
			path_put(link);
			return ERR_PTR(grabbed && !(nd->flags & LOOKUP_RCU) && nd->path.mnt ? -ENOMEM :
				       -ECHILD);
		}
	}
	last = &nd->stack[nd->depth++];
	last->link = *link;
	clear_delayed_call(&last->done);
	last->seq = nd->next_seq;
	if (flags & WALK_TRAILING) {
		err = may_follow_link(nd, inode);
		if (unlikely(err))
			return ERR_PTR(err);
	}
	if (unlikely(nd->flags & LOOKUP_NO_SYMLINKS) || unlikely(link->mnt->mnt_flags & MNT_NOSYMFOLLOW))
		return ERR_PTR(-ELOOP);
	if (!(nd->flags & LOOKUP_RCU))
		touch_atime(&last->link);
	else if (unlikely(!(link->mnt->mnt_flags & MNT_RELATIME) && !IS_RDONLY(inode) &&
			  !(inode->i_flags & S_NOATIME) && !(link->mnt->mnt_flags & MNT_NOATIME))) {
		if (!try_to_unlazy(nd))
			return ERR_PTR(-ECHILD);
		touch_atime(&last->link);
	}
	res = READ_ONCE(inode->i_link);
	if (!res || S_ISDIR(inode->i_mode)) {
		const char *(*get)(struct dentry *, struct inode *, struct delayed_call *) =
			inode->i_op->get_link;

		if (nd->flags & LOOKUP_RCU) {
			res = get(NULL, inode, &last->done);
			if (res == ERR_PTR(-ECHILD) && try_to_unlazy(nd))
				res = get(link->dentry, inode, &last->done);
		} else {
			res = get(link->dentry, inode, &last->done);
		}
		if (!res)
			goto all_done;
		if (IS_ERR(res))
			return res;
	}
	if (*res == '/') {
		err = nd_jump_root(nd);
		if (unlikely(err))
			return ERR_PTR(err);
		while (unlikely(*++res == '/'))
			;
	}
	if (*res)
		return res;
all_done:	/* "/", or a magic link that has jumped */
	put_link_top(nd);
	return NULL;
fail:	/* step_into() took both references, also on the mount where the walk stands */
	if (!(nd->flags & LOOKUP_RCU))
		path_put(link);
	return ERR_PTR(err);
}

/* Crossing mounts. */

static bool rcu_cross_mounts(struct nameidata *nd, struct path *path)
{
	struct dentry *d = path->dentry;
	unsigned int flags = d->d_flags;

	if (likely(!(flags & DCACHE_MANAGED_DENTRY)))
		return true;
	if (unlikely(nd->flags & LOOKUP_NO_XDEV))
		return false;
	for (int steps = 0;;) {
		if (unlikely(flags & DCACHE_MANAGE_TRANSIT)) {
			int res = d->d_op->d_manage(path, true);

			if (res)
				return res == -EISDIR;
			flags = d->d_flags;
		}
		if (flags & DCACHE_MOUNTED) {
			struct mount *m = __lookup_mnt(path->mnt, d);

			if (m) {
				path->mnt = &m->mnt;
				d = path->dentry = m->mnt.mnt_root;
				nd->state |= ND_JUMPED;
				nd->next_seq = read_seqcount_begin(&d->d_seq);
				flags = d->d_flags;
				/* The mount may be going: then its sequence told. */
				if (read_seqretry(&mount_lock, nd->m_seq))
					return false;
				if (likely(!(flags & DCACHE_MANAGED_DENTRY)))
					return true;
				/* A high stack is climbed with references. */
				if (unlikely(++steps == MNT_STEPS))
					return false;
				continue;
			}
			if (read_seqretry(&mount_lock, nd->m_seq))
				return false;
		}
		return !(flags & DCACHE_NEED_AUTOMOUNT);
	}
}

/* References held: the caller's dentry is replaced by the root of what is mounted there. */
static int cross_mounts(struct path *path, bool *jumped, unsigned int lookup_flags)
{
	struct vfsmount *mnt = path->mnt;
	bool need_mntput = false;
	int err = 0;

	while (path->dentry->d_flags & DCACHE_MANAGED_DENTRY) {
		if (path->dentry->d_flags & DCACHE_MANAGE_TRANSIT) {
			err = path->dentry->d_op->d_manage(path, false);
			if (err < 0)
				break;
		}
		if (path->dentry->d_flags & DCACHE_MOUNTED) {
			struct vfsmount *m = lookup_mnt(path);

			if (m) {
				dput(path->dentry);
				if (need_mntput)
					mntput(path->mnt);
				path->mnt = m;
				path->dentry = dget(m->mnt_root);
				need_mntput = true;
				continue;
			}
		}
		break;
	}
	if (err == -EISDIR)
		err = 0;
	if (need_mntput && path->mnt == mnt)
		mntput(path->mnt);
	if (!err && need_mntput) {
		*jumped = true;
		if (lookup_flags & LOOKUP_NO_XDEV)
			err = -EXDEV;
	}
	return err;
}

static int handle_mounts(struct nameidata *nd, struct dentry *dentry, struct path *path)
{
	bool jumped = false;
	int err;

	path->mnt = nd->path.mnt;
	path->dentry = dentry;
	if (nd->flags & LOOKUP_RCU) {
		unsigned int seq = nd->next_seq;

		if (likely(rcu_cross_mounts(nd, path)))
			return 0;
		nd->next_seq = seq;
		path->mnt = nd->path.mnt;
		path->dentry = dentry;
		if (!try_to_unlazy_next(nd, dentry))
			return -ECHILD;
	}
	err = cross_mounts(path, &jumped, nd->flags);
	if (jumped)
		nd->state |= ND_JUMPED;
	if (unlikely(err)) {
		dput(path->dentry);
		if (path->mnt != nd->path.mnt)
			mntput(path->mnt);
	}
	return err;
}

/* One step: onto @dentry, across mounts, into a symlink if it is to be followed. */
const char *step_into(struct nameidata *nd, unsigned int flags, struct dentry *dentry)
{
	struct inode *inode;
	struct path path;
	int err;

	/* The common step: nothing mounted here, no symlink. */
	if (likely(nd->flags & LOOKUP_RCU && !(dentry->d_flags & DCACHE_MANAGED_DENTRY) && !d_is_symlink(dentry))) {
		inode = READ_ONCE(dentry->d_inode);
		if (read_seqcount_retry(&dentry->d_seq, nd->next_seq))
			return ERR_PTR(-ECHILD);
		if (unlikely(!inode))
			return ERR_PTR(-ENOENT);
		nd->path.dentry = dentry;
		nd->inode = inode;
		nd->seq = nd->next_seq;
		return NULL;
	}
	err = handle_mounts(nd, dentry, &path);
	if (unlikely(err))
		return ERR_PTR(err);
	inode = READ_ONCE(path.dentry->d_inode);
	if (likely(!d_is_symlink(path.dentry)) ||
	    (flags & WALK_TRAILING && !(nd->flags & LOOKUP_FOLLOW)) || flags & WALK_NOFOLLOW) {
		if (nd->flags & LOOKUP_RCU) {
			if (read_seqcount_retry(&path.dentry->d_seq, nd->next_seq))
				return ERR_PTR(-ECHILD);
			if (unlikely(!inode))
				return ERR_PTR(-ENOENT);
		} else {
			dput(nd->path.dentry);
			if (nd->path.mnt != path.mnt)
				mntput(nd->path.mnt);
		}
		nd->path = path;
		nd->inode = inode;
		nd->seq = nd->next_seq;
		return NULL;
	}
	if (nd->flags & LOOKUP_RCU) {
		if (read_seqcount_retry(&path.dentry->d_seq, nd->next_seq))
			return ERR_PTR(-ECHILD);
	} else if (path.mnt == nd->path.mnt) {
		mntget(path.mnt);
	}
	return pick_link(nd, &path, inode, flags);
}

/* "..": the parent in RCU mode; NULL is returned at the root (then we stay). */
static struct dentry *dotdot_rcu(struct nameidata *nd)
{
	struct dentry *parent, *old;

	if (path_equal(&nd->path, &nd->root))
		goto in_root;
	if (unlikely(nd->path.dentry == nd->path.mnt->mnt_root)) {
		struct path path = nd->path;
		unsigned int seq;

		for (int steps = 0;;) {
			struct mount *m = real_mount(path.mnt), *up = mnt_up(m);

			if (!up)
				goto in_root;
			if (unlikely(++steps == MNT_STEPS))
				return ERR_PTR(-ECHILD);
			path.dentry = READ_ONCE(m->mnt_mountpoint);
			path.mnt = &up->mnt;
			seq = read_seqcount_begin(&path.dentry->d_seq);
			if (path_equal(&path, &nd->root))
				goto in_root;
			if (path.dentry != path.mnt->mnt_root)
				break;
		}
		if (unlikely(nd->flags & LOOKUP_NO_XDEV))
			return ERR_PTR(-ECHILD);
		if (read_seqretry(&mount_lock, nd->m_seq))
			return ERR_PTR(-ECHILD);
		nd->path = path;
		nd->inode = path.dentry->d_inode;
		nd->seq = seq;
	}
	old = nd->path.dentry;
	parent = READ_ONCE(old->d_parent);
	nd->next_seq = read_seqcount_begin(&parent->d_seq);
	if (read_seqcount_retry(&old->d_seq, nd->seq))
		return ERR_PTR(-ECHILD);
	if (unlikely(!path_connected_rcu(nd->path.mnt, parent)))
		return ERR_PTR(-ECHILD);
	return parent;
in_root:
	if (read_seqretry(&mount_lock, nd->m_seq))
		return ERR_PTR(-ECHILD);
	if (unlikely(nd->flags & LOOKUP_BENEATH))
		return ERR_PTR(-ECHILD);
	nd->next_seq = nd->seq;
	return nd->path.dentry;
}

/*
 * RCU held. @path, without references: what the lowest mount of the stack is mounted on whose top is @m. False at the walk's root, or if the
 * mounts have changed since @seq.
 */
static bool below_stack_rcu(struct mount *m, const struct path *root, struct path *path, u32 seq) __must_hold(RCU)
{
	unsigned int steps = 0;
	struct mount *up;

	while ((up = mnt_up(m))) {
		struct dentry *d = READ_ONCE(m->mnt_mountpoint);

		if (!mnt_step_rcu(&steps, seq))
			break;
		m = up;
		if (unlikely(root->dentry == d && root->mnt == &m->mnt))
			break;
		if (d != m->mnt.mnt_root) {
			path->dentry = d;
			path->mnt = &m->mnt;
			return true;
		}
	}
	return false;
}

/* One try, in a read section of its own. False: the mounts have changed or the place has gone, and nothing is held. */
static bool try_choose_mountpoint(struct mount *m, const struct path *root, struct path *path, bool *found)
{
	bool done;
	u32 seq;
	int res;

	seq = read_seqbegin(&mount_lock);	/* outside the section: it waits for a writer */
	rcu_read_lock();
	*found = below_stack_rcu(m, root, path, seq);
	res = legitimize_mnt(*found ? path->mnt : NULL, seq);
	done = !res && (!*found || dget_not_dead(path->dentry));
	rcu_read_unlock();
	if (unlikely(!done && res <= 0))
		mntput(path->mnt);
	return done;
}

/*
 * From the root of a mount to the place below everything stacked there, with references; false at the walk's root. The stack may be high:
 * RCU is let go of now and then, which means nothing while the sequence stays.
 */
static bool choose_mountpoint(struct mount *m, const struct path *root, struct path *path)
{
	bool found;

	while (!try_choose_mountpoint(m, root, path, &found))
		cond_resched();
	return found;
}

static struct dentry *dotdot_ref(struct nameidata *nd)
{
	struct dentry *parent;

	if (path_equal(&nd->path, &nd->root))
		goto in_root;
	if (unlikely(nd->path.dentry == nd->path.mnt->mnt_root)) {
		struct path path;

		if (!choose_mountpoint(real_mount(nd->path.mnt), &nd->root, &path))
			goto in_root;
		path_put(&nd->path);
		nd->path = path;
		nd->inode = path.dentry->d_inode;
		if (unlikely(nd->flags & LOOKUP_NO_XDEV))
			return ERR_PTR(-EXDEV);
	}
	parent = dget_parent(nd->path.dentry);
	if (unlikely(!path_connected(nd->path.mnt, parent))) {
		dput(parent);
		return ERR_PTR(-ENOENT);
	}
	return parent;
in_root:
	if (unlikely(nd->flags & LOOKUP_BENEATH))
		return ERR_PTR(-EXDEV);
	return dget(nd->path.dentry);
}

const char *handle_dots(struct nameidata *nd, enum last_type type)
{
	struct dentry *parent;
	const char *err;

	if (type != LAST_DOTDOT)
		return NULL;
	if (!nd->root.mnt) {
		int e = set_root(nd);

		if (e)
			return ERR_PTR(e);
	}
	parent = nd->flags & LOOKUP_RCU ? dotdot_rcu(nd) : dotdot_ref(nd);
	if (IS_ERR(parent))
		return ERR_CAST(parent);
	err = step_into(nd, WALK_NOFOLLOW, parent);
	if (unlikely(err))
		return err;
	if (unlikely(nd->flags & LOOKUP_IS_SCOPED)) {
		/* A rename or mount during the walk could have let ".." out: then try again. */
		smp_rmb();
		if (read_seqretry(&mount_lock, nd->m_seq) || read_seqretry(&rename_lock, nd->r_seq))
			return ERR_PTR(-EAGAIN);
	}
	return NULL;
}

/*
 * The step that only reads. What is special about a name (something mounted on it, a symlink, a filesystem that must be asked,
 * nothing known) is left to walk_component(), which starts the component anew.
 */

#define SPECIAL_PARENT	(DCACHE_OP_HASH | DCACHE_OP_COMPARE)
#define SPECIAL_CHILD	(DCACHE_MANAGED_DENTRY | DCACHE_OP_REVALIDATE)

/* Across what is mounted on the directory @d, seen at nd->next_seq. False: nothing has changed that counts. */
static noinline bool cross_cached(struct nameidata *nd, struct dentry *d)
{
	struct path path = { nd->path.mnt, d };
	struct inode *inode;

	if (d->d_flags & DCACHE_OP_REVALIDATE || !rcu_cross_mounts(nd, &path))
		return false;
	inode = READ_ONCE(path.dentry->d_inode);
	if (!d_can_lookup(path.dentry) || read_seqcount_retry(&path.dentry->d_seq, nd->next_seq))
		return false;
	nd->path = path;
	nd->inode = inode;
	nd->seq = nd->next_seq;
	return true;
}

/*
 * RCU mode. From nd->path, whose flags have none of SPECIAL_PARENT, to its child of that name: a directory, or (@last) anything but a
 * symlink to be followed. False: walk_component() must do it.
 */
static __always_inline bool step_cached(struct nameidata *nd, const char *name, u64 hashlen, u64 tail, bool last)
{
	struct dentry *parent = nd->path.dentry, *d;
	struct inode *inode;
	unsigned int flags;
	u32 seq;

	d = d_find_rcu(parent, name, hashlen, tail, &seq);
	if (unlikely(!d))
		return false;
	flags = READ_ONCE(d->d_flags);
	inode = READ_ONCE(d->d_inode);
	/* The parent had this child while it was the directory we came through; type and inode belong together. */
	smp_rmb();
	if (unlikely(READ_ONCE(parent->d_seq.seq) != nd->seq || READ_ONCE(d->d_seq.seq) != seq))
		return false;
	if (last) {
		if (unlikely(flags & SPECIAL_CHILD || !(flags & DCACHE_ENTRY_TYPE) ||
			     ((flags & DCACHE_ENTRY_TYPE) == DCACHE_SYMLINK_TYPE && nd->flags & LOOKUP_FOLLOW)))
			return false;
	} else if (unlikely((flags & (SPECIAL_CHILD | DCACHE_ENTRY_TYPE)) != DCACHE_DIRECTORY_TYPE)) {
		if ((flags & DCACHE_ENTRY_TYPE) != DCACHE_DIRECTORY_TYPE)
			return false;
		nd->next_seq = seq;
		return cross_cached(nd, d);
	}
	nd->path.dentry = d;
	nd->inode = inode;
	nd->seq = seq;
	return true;
}

/* The last component, when it is as simple as that. */
bool step_last_cached(struct nameidata *nd)
{
	if (unlikely(nd->last_type != LAST_NORM || nd->depth || !(nd->flags & LOOKUP_RCU) ||
		     nd->path.dentry->d_flags & SPECIAL_PARENT))
		return false;
	return step_cached(nd, nd->last.name, nd->last.hash_len, nd->last_tail, true);
}

/* Looking a component up. */

/* From the cache: NULL means ask the filesystem (we are out of RCU mode then). */
struct dentry *lookup_fast(struct nameidata *nd)
{
	struct dentry *parent = nd->path.dentry, *d;
	int status;

	if (nd->flags & LOOKUP_RCU) {
		d = d_lookup_rcu(parent, &nd->last, &nd->next_seq);
		if (unlikely(!d)) {
			if (!try_to_unlazy(nd))
				return ERR_PTR(-ECHILD);
			return NULL;
		}
		/* The parent had this child while it was the directory we came through. */
		if (read_seqcount_retry(&parent->d_seq, nd->seq))
			return ERR_PTR(-ECHILD);
		status = d_revalidate(nd->inode, &nd->last, d, nd->flags);
		if (likely(status > 0))
			return d;
		if (!try_to_unlazy_next(nd, d))
			return ERR_PTR(-ECHILD);
		if (status == -ECHILD)
			status = d_revalidate(nd->inode, &nd->last, d, nd->flags);
	} else {
		d = d_lookup(parent, &nd->last);
		if (unlikely(!d))
			return NULL;
		status = d_revalidate(nd->inode, &nd->last, d, nd->flags);
	}
	if (unlikely(status <= 0)) {
		if (!status)
			d_invalidate(d);
		dput(d);
		return ERR_PTR(status);
	}
	return d;
}

/* dir's i_rwsem held shared: one asker a name. */
static struct dentry *lookup_slow_locked(const struct qstr *name, struct dentry *dir, unsigned int flags)
{
	DECLARE_WAIT_QUEUE_HEAD(wq);
	struct inode *inode = dir->d_inode;
	struct dentry *d, *old;

	if (unlikely(IS_DEADDIR(inode)))
		return ERR_PTR(-ENOENT);
	for (;;) {
		d = d_alloc_parallel(dir, name, &wq);
		if (IS_ERR(d))
			return d;
		if (likely(d_in_lookup(d)))
			break;
		int status = d_revalidate(inode, name, d, flags);

		if (likely(status > 0))
			return d;
		if (!status) {
			d_invalidate(d);
			dput(d);
			continue;
		}
		dput(d);
		return ERR_PTR(status);
	}
	old = inode->i_op->lookup(inode, d, flags);
	d_lookup_done(d);
	if (unlikely(old)) {
		dput(d);
		d = old;
	}
	return d;
}

static struct dentry *lookup_slow(const struct qstr *name, struct dentry *dir, unsigned int flags)
{
	struct inode *inode = dir->d_inode;
	struct dentry *d;

	inode_lock_shared(inode);
	d = lookup_slow_locked(name, dir, flags);
	inode_unlock_shared(inode);
	return d;
}

static const char *walk_component(struct nameidata *nd, unsigned int flags)
{
	struct dentry *d;

	if (unlikely(nd->last_type != LAST_NORM)) {
		if (unlikely(nd->depth) && !(flags & WALK_MORE))
			put_link_top(nd);
		return handle_dots(nd, nd->last_type);
	}
	d = lookup_fast(nd);
	if (IS_ERR(d))
		return ERR_CAST(d);
	if (unlikely(!d)) {
		d = lookup_slow(&nd->last, nd->path.dentry, nd->flags);
		if (IS_ERR(d))
			return ERR_CAST(d);
	}
	/* In RCU mode step_into() finds out, and checks that it was so. */
	if (!(nd->flags & LOOKUP_RCU) && unlikely(d_is_negative(d))) {
		dput(d);
		return ERR_PTR(-ENOENT);
	}
	if (unlikely(nd->depth) && !(flags & WALK_MORE))
		put_link_top(nd);
	return step_into(nd, flags, d);
}

static int may_lookup(struct nameidata *nd)
{
	struct inode *inode = nd->inode;
	int err;

	/* Searchable by everybody: nothing else matters. */
	if (likely((READ_ONCE(inode->i_mode) & S_IXUGO) == S_IXUGO && inode->i_opflags & IOP_FASTPERM && !READ_ONCE(inode->i_acl)))
		return 0;
	if (nd->flags & LOOKUP_RCU) {
		err = inode_permission(mnt_idmap(nd->path.mnt), inode, MAY_EXEC | MAY_NOT_BLOCK);
		if (likely(!err))
			return 0;
		/* A denial counts only if it was about the inode we mean. */
		if (!try_to_unlazy(nd))
			return -ECHILD;
		if (err != -ECHILD)
			return err;
	}
	return inode_permission(mnt_idmap(nd->path.mnt), inode, MAY_EXEC);
}

static __always_inline bool is_dots(const char *name, u32 len, enum last_type *type)
{
	if (likely(name[0] != '.') || len > 2)
		return false;
	if (len == 1)
		*type = LAST_DOT;
	else if (name[1] == '.')
		*type = LAST_DOTDOT;
	else
		return false;
	return true;
}

/* The component to walk next, or to leave to the caller. */
static int set_last(struct nameidata *nd, const char *name, u64 hashlen, u64 tail)
{
	struct dentry *dir = nd->path.dentry;

	nd->last.hash_len = hashlen;
	nd->last.name = name;
	nd->last_tail = tail;
	nd->last_type = LAST_NORM;
	if (unlikely(is_dots(name, hashlen_len(hashlen), &nd->last_type))) {
		if (nd->last_type == LAST_DOTDOT)
			nd->state |= ND_JUMPED;
		return 0;
	}
	nd->state &= ~ND_JUMPED;
	if (unlikely(dir->d_flags & DCACHE_OP_HASH))
		return min(dir->d_op->d_hash(dir, &nd->last), 0);
	return 0;
}

/* All components but the last, which is left in nd->last. */
int link_path_walk(const char *name, struct nameidata *nd)
{
	unsigned int depth = 0;
	int err;

	nd->last_type = LAST_ROOT;
	nd->flags |= LOOKUP_PARENT;
	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	if (*name == '/') {
		do
			name++;
		while (unlikely(*name == '/'));
	}
	if (!*name) {
		nd->dir_mode = 0;
		return 0;
	}
	for (;;) {
		const char *link, *next;
		u64 hashlen, tail;

		err = may_lookup(nd);
		if (unlikely(err))
			return err;
		hashlen = nh_hashlen(nd->path.dentry, name, &tail);
		next = name + hashlen_len(hashlen);
		if (likely(*next)) {
			do
				next++;
			while (unlikely(*next == '/'));
		}
		if (likely(*next && *name != '.' && nd->flags & LOOKUP_RCU &&
			   !(nd->path.dentry->d_flags & SPECIAL_PARENT))) {
			nd->state &= ~ND_JUMPED;
			if (likely(step_cached(nd, name, hashlen, tail, false))) {
				name = next;
				continue;
			}
		}
		err = set_last(nd, name, hashlen, tail);
		if (unlikely(err))
			return err;
		name = next;
		if (!*name) {
			/* The end of the name, or of a symlink's text. */
			if (!depth) {
				nd->dir_uid = nd->inode->i_uid;
				nd->dir_mode = nd->inode->i_mode;
				nd->flags &= ~LOOKUP_PARENT;
				return 0;
			}
			name = nd->stack[--depth].name;
			link = walk_component(nd, 0);
		} else {
			link = walk_component(nd, WALK_MORE);
		}
		if (unlikely(link)) {
			if (IS_ERR(link))
				return (int)PTR_ERR(link);
			nd->stack[depth++].name = name;
			name = link;
			continue;
		}
		if (unlikely(!d_can_lookup(nd->path.dentry))) {
			if (nd->flags & LOOKUP_RCU && !try_to_unlazy(nd))
				return -ECHILD;
			return -ENOTDIR;
		}
	}
}

/* The caller gave the root (and it is where the walk starts). */
static int start_at_preset_root(struct nameidata *nd, bool empty, bool rcu)
{
	struct dentry *root = nd->root.dentry;

	nd->path = nd->root;
	nd->inode = root->d_inode;
	if (!empty && unlikely(!d_can_lookup(root))) {
		if (rcu)
			nd->seq = 0;
		else
			path_get(&nd->path);
		return -ENOTDIR;
	}
	if (rcu) {
		nd->seq = read_seqcount_begin(&root->d_seq);
		nd->root_seq = nd->seq;
	} else {
		path_get(&nd->path);
	}
	return 0;
}

static void start_at_cwd(struct nameidata *nd, bool rcu)
{
	struct fs_struct *fs = current->fs;
	unsigned int seq;

	if (!rcu) {
		get_fs_pwd(fs, &nd->path);
		nd->inode = nd->path.dentry->d_inode;
		return;
	}
	do {
		seq = read_seqcount_begin(&fs->seq);
		nd->path = fs->pwd;
		nd->inode = nd->path.dentry->d_inode;
		nd->seq = raw_read_seqcount(&nd->path.dentry->d_seq) & ~1u;
	} while (read_seqcount_retry(&fs->seq, seq));
}

static int start_at_dfd(struct nameidata *nd, bool empty, bool rcu)
{
	struct fd f = fdget_raw((unsigned int)nd->dfd);
	struct dentry *d;

	if (fd_empty(f))
		return -EBADF;
	d = fd_file(f)->f_path.dentry;
	if (!empty && unlikely(!d_can_lookup(d))) {
		fdput(f);
		return -ENOTDIR;
	}
	nd->path = fd_file(f)->f_path;
	nd->inode = d->d_inode;
	if (rcu)
		nd->seq = read_seqcount_begin(&d->d_seq);
	else
		path_get(&nd->path);
	fdput(f);
	return 0;
}

static const char *path_init_slow(struct nameidata *nd, unsigned int flags);

/* Where the walk starts; returns the name to walk. Enters RCU mode if asked for. */
const char *path_init(struct nameidata *nd, unsigned int flags)
{
	const char *s = nd->pathname;

	if (*s != '/' || (flags & (LOOKUP_RCU | LOOKUP_IS_SCOPED)) != LOOKUP_RCU || nd->state & ND_ROOT_PRESET)
		return path_init_slow(nd, flags);
	/* The usual absolute path. */
	enter_rcu();
	nd->flags = flags;
	nd->m_seq = read_seqbegin(&mount_lock);
	set_root_rcu(nd);
	return unlikely(jump_root_rcu(nd)) ? ERR_PTR(-ECHILD) : s;
}

static noinline const char *path_init_slow(struct nameidata *nd, unsigned int flags)
{
	const char *s = nd->pathname;
	bool rcu;
	int err = 0;

	nd->flags = flags & ~LOOKUP_RCU;
	if (unlikely((flags & (LOOKUP_RCU | LOOKUP_CACHED)) == LOOKUP_CACHED))
		return ERR_PTR(-EAGAIN);
	if (!*s)
		flags &= ~LOOKUP_RCU;
	rcu = flags & LOOKUP_RCU;
	if (rcu)
		enter_rcu();
	else
		nd->seq = nd->next_seq = 0;
	nd->flags = flags;
	nd->state |= ND_JUMPED;
	nd->m_seq = read_seqbegin(&mount_lock);
	nd->r_seq = read_seqbegin(&rename_lock);
	if (nd->state & ND_ROOT_PRESET) {
		err = start_at_preset_root(nd, !*s, rcu);
		return err ? ERR_PTR(err) : s;
	}
	nd->root.mnt = NULL;
	if (*s == '/' && !(flags & LOOKUP_IN_ROOT)) {
		err = nd_jump_root(nd);
		return unlikely(err) ? ERR_PTR(err) : s;
	}
	if (nd->dfd == AT_FDCWD)
		start_at_cwd(nd, rcu);
	else
		err = start_at_dfd(nd, !*s, rcu);
	if (unlikely(err))
		return ERR_PTR(err);
	if (flags & LOOKUP_IS_SCOPED) {
		nd->root = nd->path;
		if (rcu) {
			nd->root_seq = nd->seq;
		} else {
			path_get(&nd->root);
			nd->state |= ND_ROOT_GRABBED;
		}
	}
	return s;
}

/* The last component, with a trailing slash meaning a directory. */
static const char *lookup_last(struct nameidata *nd)
{
	if (nd->last_type == LAST_NORM && nd->last.name[nd->last.len])
		nd->flags |= LOOKUP_FOLLOW | LOOKUP_DIRECTORY;
	if (likely(step_last_cached(nd)))
		return NULL;
	return walk_component(nd, WALK_TRAILING);
}

/* What is mounted on the place where we are. */
int handle_lookup_down(struct nameidata *nd)
{
	if (!(nd->flags & LOOKUP_RCU))
		dget(nd->path.dentry);
	nd->next_seq = nd->seq;
	return (int)PTR_ERR(step_into(nd, WALK_NOFOLLOW, nd->path.dentry));
}

/* complete_walk(), the usual case in line: a name below the root, nothing to ask about it again. */
static __always_inline int finish_walk(struct nameidata *nd)
{
	if (likely((nd->flags & (LOOKUP_RCU | LOOKUP_IS_SCOPED)) == LOOKUP_RCU &&
		   !(nd->state & (ND_ROOT_PRESET | ND_JUMPED)))) {
		nd->root.mnt = NULL;
		nd->flags &= ~LOOKUP_CACHED;
		return likely(try_to_unlazy(nd)) ? 0 : -ECHILD;
	}
	return complete_walk(nd);
}

int path_lookupat(struct nameidata *nd, unsigned int flags, struct path *path)
{
	const char *s = path_init(nd, flags);
	int err;

	while (!(err = link_path_walk(s, nd)) && (s = lookup_last(nd)) != NULL)
		;
	if (!err && unlikely(nd->flags & LOOKUP_MOUNTPOINT)) {
		err = handle_lookup_down(nd);
		nd->state &= ~ND_JUMPED;
	}
	if (!err)
		err = finish_walk(nd);
	if (!err && nd->flags & LOOKUP_DIRECTORY && !d_can_lookup(nd->path.dentry))
		err = -ENOTDIR;
	if (!err) {
		*path = nd->path;
		nd->path.mnt = NULL;
		nd->path.dentry = NULL;
		if (likely(!nd->depth && !(nd->state & ND_ROOT_GRABBED)))
			return 0;	/* nothing else is held */
	}
	terminate_walk(nd);
	return err;
}

int filename_lookup(int dfd, struct filename *name, unsigned int flags, struct path *path,
		    const struct path *root)
{
	struct nameidata nd;
	int err;

	if (unlikely(name->len < 0))
		return name->len;
	set_nameidata(&nd, dfd, name, root);
	err = path_lookupat(&nd, flags | LOOKUP_RCU, path);
	if (unlikely(err == -ECHILD))
		err = path_lookupat(&nd, flags, path);
	if (unlikely(err == -ESTALE))
		err = path_lookupat(&nd, flags | LOOKUP_REVAL, path);
	restore_nameidata(&nd);
	return err;
}

static int path_parentat(struct nameidata *nd, unsigned int flags, struct path *parent)
{
	const char *s = path_init(nd, flags);
	int err = link_path_walk(s, nd);

	if (!err)
		err = complete_walk(nd);
	if (!err) {
		*parent = nd->path;
		nd->path.mnt = NULL;
		nd->path.dentry = NULL;
	}
	terminate_walk(nd);
	return err;
}

/* The parent, referenced, and the last component (pointing into @name). */
int filename_parentat(int dfd, struct filename *name, unsigned int flags, struct path *parent,
		      struct qstr *last, enum last_type *type, const struct path *root)
{
	struct nameidata nd;
	int err;

	if (unlikely(name->len < 0))
		return name->len;
	set_nameidata(&nd, dfd, name, root);
	err = path_parentat(&nd, flags | LOOKUP_RCU, parent);
	if (unlikely(err == -ECHILD))
		err = path_parentat(&nd, flags, parent);
	if (unlikely(err == -ESTALE))
		err = path_parentat(&nd, flags | LOOKUP_REVAL, parent);
	if (likely(!err)) {
		*last = nd.last;
		*type = nd.last_type;
	}
	restore_nameidata(&nd);
	return err;
}

int user_path_at(int dfd, struct uptr name, unsigned int flags, struct path *path)
{
	struct filename fn;
	int err = getname_flags(&fn, name, flags & LOOKUP_EMPTY ? AT_EMPTY_PATH : 0);

	if (likely(!err))
		err = filename_lookup(dfd, &fn, flags, path, NULL);
	putname(&fn);
	return err;
}

int kern_path(const char *name, unsigned int flags, struct path *path)
{
	struct filename fn;

	getname_kernel(&fn, name);
	return filename_lookup(AT_FDCWD, &fn, flags, path, NULL);
}

int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt, const char *name, unsigned int flags,
		    struct path *path)
{
	struct path root = { mnt, dentry };
	struct filename fn;

	getname_kernel(&fn, name);
	return filename_lookup(AT_FDCWD, &fn, flags, path, &root);
}

/* Single names, for callers that hold the directory's lock exclusively. */

struct dentry *lookup_dcache_revalidated(const struct qstr *name, struct dentry *dir, unsigned int flags)
{
	struct dentry *d = d_lookup(dir, name);
	int status;

	if (!d)
		return NULL;
	status = d_revalidate(dir->d_inode, name, d, flags);
	if (likely(status > 0))
		return d;
	if (!status)
		d_invalidate(d);
	dput(d);
	return ERR_PTR(status);
}

struct dentry *lookup_one_qstr(const struct qstr *name, struct dentry *base, unsigned int flags)
{
	struct inode *dir = base->d_inode;
	struct dentry *d = lookup_dcache_revalidated(name, base, flags), *old;

	if (d)
		return d;
	if (unlikely(IS_DEADDIR(dir)))
		return ERR_PTR(-ENOENT);
	d = d_alloc(base, name);
	if (unlikely(!d))
		return ERR_PTR(-ENOMEM);
	old = dir->i_op->lookup(dir, d, flags);
	if (unlikely(old)) {
		dput(d);
		d = old;
	}
	return d;
}

static int make_qstr(struct qstr *q, const char *name, struct dentry *base, int len)
{
	enum last_type type;

	q->name = name;
	q->len = (u32)len;
	if (!len || is_dots(name, q->len, &type) || memchr(name, '/', q->len) || memchr(name, 0, q->len))
		return -EACCES;
	q->hash = full_name_hash(base, name, q->len);
	if (base->d_flags & DCACHE_OP_HASH)
		return base->d_op->d_hash(base, q);
	return 0;
}

struct dentry *lookup_one_len(const char *name, struct dentry *base, int len)
{
	struct qstr q;
	int err = make_qstr(&q, name, base, len);

	return err ? ERR_PTR(err) : lookup_one_qstr(&q, base, 0);
}

struct dentry *lookup_noperm_unlocked(const char *name, struct dentry *base, int len)
{
	struct dentry *d;
	struct qstr q;
	int err = make_qstr(&q, name, base, len);

	if (err)
		return ERR_PTR(err);
	d = lookup_dcache_revalidated(&q, base, 0);
	return d ? d : lookup_slow(&q, base, 0);
}

static int namei_sysctls(void)
{
	sysctl_int("fs/protected_symlinks", 0644, &sysctl_protected_symlinks, 0, 1);
	return 0;
}
INITCALL(fs, namei_sysctls);
