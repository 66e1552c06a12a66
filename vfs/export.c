// SPDX-License-Identifier: MIT
/*
 * Handles of files and back (vfs/export.h).
 *
 * A directory without a place is connected step by step: from it upwards to the first one that has
 * a place, each step by a look-up in the parent, which may be without a place itself. What others
 * do meanwhile can only help: who renames a directory has walked to it, so that it is connected.
 * Flags are cleared last, from the directory upwards, when all of the way is there.
 *
 * The names of a directory are read in pieces, since the reader holds its i_rwsem; their number is
 * the user's choice.
 */
#include <lib/types.h>
#include <vfs/export.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <proc/cred.h>
#include <sched/task.h>
#include <linux/fcntl.h>
#include <linux/limits.h>

/* ---- to a handle ---- */

static bool can_encode(const struct export_operations *op, unsigned int flags)
{
	if (flags & EXPORT_FID)
		return !op || op->encode_fh;
	if (!op || !op->encode_fh || !op->fh_to_dentry)
		return false;
	return !(flags & EXPORT_CONNECTABLE) || op->fh_to_parent;
}

static int encode_ino64(const struct inode *inode, u32 *fh, int *words)
{
	int room = *words;

	*words = 3;
	if (room < 3)
		return FILEID_INVALID;
	memcpy(fh, &inode->i_ino, sizeof(inode->i_ino));
	fh[2] = inode->i_generation;
	return FILEID_INO64_GEN;
}

int export_encode(struct dentry *d, u32 *fh, int *words, unsigned int flags)
{
	const struct export_operations *op = d->d_sb->s_export_op;
	struct inode *inode = d->d_inode;
	struct dentry *parent = NULL;
	int type;

	if (!can_encode(op, flags))
		return -EOPNOTSUPP;
	if (!op)
		return encode_ino64(inode, fh, words);
	if (flags & EXPORT_CONNECTABLE && !S_ISDIR(inode->i_mode))
		parent = dget_parent(d);
	type = op->encode_fh(inode, fh, words, parent ? parent->d_inode : NULL);
	dput(parent);
	return type;
}

/* ---- names of directories ---- */

#define NAMES_AT_ONCE 512

struct find_name {
	struct dir_context ctx;
	char *name;		/* NAME_MAX + 1 bytes */
	u64 ino;
	unsigned int seen;	/* in this piece */
	bool found;
};

static bool is_it(struct dir_context *ctx, const char *name, int len, loff_t pos, u64 ino,
		  unsigned int type)
{
	struct find_name *f = container_of(ctx, struct find_name, ctx);
	bool dots = name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));

	(void)pos;
	(void)type;
	if (f->seen++ == NAMES_AT_ONCE)
		return false;
	if (ino != f->ino || dots || len > NAME_MAX)
		return true;
	memcpy(f->name, name, (size_t)len);
	f->name[len] = '\0';
	f->found = true;
	return false;
}

/* Reads PARENT until it comes to CHILD's number. */
static int read_name(struct vfsmount *mnt, struct dentry *parent, char *name, struct dentry *child)
{
	struct find_name f = { .ctx.actor = is_it, .name = name, .ino = child->d_inode->i_ino };
	struct path path = { mnt, parent };
	struct file *file;
	int err;

	if (!d_can_lookup(parent))
		return -ENOTDIR;
	file = dentry_open(&path, O_RDONLY, current_cred());
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	do {
		f.seen = 0;
		err = iterate_dir(file, &f.ctx);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	} while (!err && !f.found && f.seen);
	fput(file);
	return f.found ? 0 : err ?: -ENOENT;
}

static int get_name(struct vfsmount *mnt, struct dentry *parent, char *name, struct dentry *child)
{
	const struct export_operations *op = parent->d_sb->s_export_op;

	int err = op->get_name ? op->get_name(parent, name, child) : -EOPNOTSUPP;

	return err == -EOPNOTSUPP ? read_name(mnt, parent, name, child) : err;
}

/* ---- to its place ---- */

static bool is_disconnected(const struct dentry *d)
{
	return READ_ONCE(d->d_flags) & DCACHE_DISCONNECTED;
}

/* Is there a way from D to a dentry with a place? */
static bool reaches_top(struct dentry *d)
{
	bool end = false;

	dget(d);
	while (!end && is_disconnected(d)) {
		struct dentry *up = dget_parent(d);

		end = up == d;
		dput(d);
		d = up;
	}
	dput(d);
	return !end;
}

/*
 * D, a directory that is the top of its tree, comes into its parent, which is returned. NULL:
 * somebody else has done it.
 */
static struct dentry *connect_one(struct vfsmount *mnt, struct dentry *d, char *name)
{
	const struct export_operations *op = d->d_sb->s_export_op;
	struct dentry *parent, *got;
	int err;

	if (!op->get_parent)
		return ERR_PTR(-EACCES);
	parent = op->get_parent(d);
	if (IS_ERR_OR_NULL(parent))
		return parent ? parent : ERR_PTR(-ESTALE);
	err = get_name(mnt, parent, name, d);
	if (!err) {
		got = lookup_noperm_unlocked(name, parent, (int)strlen(name));
		if (IS_ERR(got))
			err = (int)PTR_ERR(got);
		else
			dput(got);
		if (!err && got == d && !IS_ROOT(d))
			return parent;
	}
	dput(parent);
	if (err && err != -ENOENT && err != -ESTALE)
		return ERR_PTR(err);
	/*
	 * Renamed or removed meanwhile: who does that has a connected dentry. Else the filesystem
	 * is damaged.
	 */
	return reaches_top(d) ? NULL : ERR_PTR(-ESTALE);
}

static void clear_disconnected(struct dentry *d)
{
	dget(d);
	while (is_disconnected(d)) {
		struct dentry *up = dget_parent(d);

		spin_lock(&d->d_lock);
		d->d_flags &= ~DCACHE_DISCONNECTED;
		spin_unlock(&d->d_lock);
		dput(d);
		d = up;
	}
	dput(d);
}

/* TARGET, a directory, is below the root when this returns 0. NAME has NAME_MAX + 1 bytes. */
static int connect_path(struct vfsmount *mnt, struct dentry *target, char *name)
{
	struct dentry *d = dget(target), *up;

	while (is_disconnected(d)) {
		if (fatal_signal_pending(current))
			up = ERR_PTR(-EINTR);
		else
			up = IS_ROOT(d) ? connect_one(mnt, d, name) : dget_parent(d);
		if (!up)
			break;
		dput(d);
		if (IS_ERR(up))
			return (int)PTR_ERR(up);
		d = up;
	}
	dput(d);
	clear_disconnected(target);
	return 0;
}

/* ---- from a handle ---- */

typedef bool (*acceptable_t)(void *ctx, struct dentry *d);

/*
 * D or another dentry of its inode: D's reference is taken, or becomes the other's. NULL: none is
 * acceptable.
 */
static struct dentry *acceptable_alias(struct dentry *d, acceptable_t acceptable, void *ctx)
{
	struct inode *inode = d->d_inode;
	struct dentry *other, *held = NULL;

	if (acceptable(ctx, d))
		return d;
	spin_lock(&inode->i_lock);
	hlist_for_each_entry(other, &inode->i_dentry, d_alias) {
		if (!dget_not_dead(other))
			continue;
		spin_unlock(&inode->i_lock);
		dput(held);
		if (other != d && acceptable(ctx, other)) {
			dput(d);
			return other;
		}
		/* Its reference keeps the place in the list. */
		held = other;
		spin_lock(&inode->i_lock);
	}
	spin_unlock(&inode->i_lock);
	dput(held);
	return NULL;
}

/* The dentry of D's inode, no directory, in the directory that the handle has. */
static struct dentry *below_parent(struct vfsmount *mnt, const u32 *fh, int words, int type,
				   struct dentry *d, char *name)
{
	const struct export_operations *op = d->d_sb->s_export_op;
	struct dentry *parent, *got;
	int err;

	if (!op->fh_to_parent)
		return ERR_PTR(-ESTALE);
	parent = op->fh_to_parent(d->d_sb, fh, words, type);
	if (IS_ERR_OR_NULL(parent))
		return parent ? parent : ERR_PTR(-ESTALE);
	err = d_is_dir(parent) ? connect_path(mnt, parent, name) : -ESTALE;
	if (!err)
		err = get_name(mnt, parent, name, d);
	got = err ? ERR_PTR(err) : lookup_noperm_unlocked(name, parent, (int)strlen(name));
	dput(parent);
	if (!IS_ERR(got) && got->d_inode != d->d_inode) {
		dput(got);
		return ERR_PTR(-ESTALE);
	}
	return got;
}

static struct dentry *decode_dir(struct vfsmount *mnt, struct dentry *d, acceptable_t acceptable,
				 void *ctx, char *name)
{
	int err = is_disconnected(d) ? connect_path(mnt, d, name) : 0;

	if (!err && !acceptable(ctx, d))
		err = -EACCES;
	if (!err)
		return d;
	dput(d);
	return ERR_PTR(err);
}

static struct dentry *decode_file(struct vfsmount *mnt, const u32 *fh, int words, int type,
				  struct dentry *d, acceptable_t acceptable, void *ctx, char *name)
{
	struct dentry *got = acceptable_alias(d, acceptable, ctx), *there;

	if (got)
		return got;
	there = below_parent(mnt, fh, words, type, d, name);
	dput(d);
	if (IS_ERR(there))
		return there;
	got = acceptable_alias(there, acceptable, ctx);
	if (got)
		return got;
	dput(there);
	return ERR_PTR(-EACCES);
}

struct dentry *export_decode(struct vfsmount *mnt, const u32 *fh, int words, int type,
			     unsigned int flags, acceptable_t acceptable, void *ctx)
{
	const struct export_operations *op = mnt->mnt_sb->s_export_op;
	char name[NAME_MAX + 1];
	struct dentry *d;

	if (!op || !op->fh_to_dentry)
		return ERR_PTR(-ESTALE);
	d = op->fh_to_dentry(mnt->mnt_sb, fh, words, type);
	if (IS_ERR_OR_NULL(d))
		return d ? d : ERR_PTR(-ESTALE);
	if (flags & EXPORT_DIR_ONLY && !d_is_dir(d)) {
		dput(d);
		return ERR_PTR(-ENOTDIR);
	}
	if (!acceptable)
		return d;
	if (d_is_dir(d))
		return decode_dir(mnt, d, acceptable, ctx, name);
	return decode_file(mnt, fh, words, type, d, acceptable, ctx, name);
}
