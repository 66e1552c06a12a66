// SPDX-License-Identifier: MIT
/*
 * A position in a directory is an entry's cookie, its address in units of 8 bytes (31 bits): it
 * stays the entry's while that is there, and telldir(3) may be told it.
 */
#include "fs/xfs/dir/dir.h"
#include <lib/hash.h>
#include <vfs/file.h>

static struct inode *bad_entry(struct xfs_mount *mp, struct inode *dir, const char *field, u64 ino)
{
	struct xfs_fault f = { "directory", field, dir->i_ino, ino };

	mp->vol.report(&mp->vol, &f);
	return ERR_PTR(-XFS_CORRUPT);
}

/* 64 bits of a name. Two names of one directory that share them would only be taken for one. */
static u64 name_key(const struct qstr *name)
{
	u64 h = name->len;

	for (u32 i = 0; i < name->len; i++) {
		h = (h ^ (u8)name->name[i]) * GOLDEN_RATIO_64;
		h ^= h >> 29;
	}
	return h;
}

/* The inode INO that DIR has under NAME. */
static struct inode *child(struct xfs_mount *mp, struct inode *dir, const struct qstr *name,
			   u64 ino)
{
	struct inode *inode = xfs_iget(mp, ino);

	if (IS_ERR(inode))
		return PTR_ERR(inode) == -ESTALE ? bad_entry(mp, dir, "inumber", ino) : inode;
	if (S_ISDIR(inode->i_mode) && !xfs_dir_found(XFS_I(inode), dir->i_ino, name_key(name))) {
		iput(inode);
		return bad_entry(mp, dir, "inumber (a directory that has another name)", ino);
	}
	return inode;
}

struct dentry *xfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct xfs_mount *mp = XFS_M(dir->i_sb);
	const struct qstr *name = &dentry->d_name;
	struct inode *inode = NULL;
	u64 ino;
	u8 ftype;
	int e;

	(void)flags;
	if (name->len > 255)
		return ERR_PTR(-ENAMETOOLONG);
	e = xfs_dir_lookup(&mp->vol, &XFS_I(dir)->node, (const u8 *)name->name, name->len, &ino,
			   &ftype);
	if (e && e != -ENOENT)
		return ERR_PTR(e);
	if (!e) {
		inode = child(mp, dir, name, ino);
		if (IS_ERR(inode))
			return ERR_CAST(inode);
	}
	return d_splice_alias(inode, dentry);
}

static bool emit(void *arg, const struct xfs_dirent *d)
{
	struct dir_context *ctx = arg;

	ctx->pos = d->cookie;
	return dir_emit(ctx, (const char *)d->name, d->len, d->ino, xfs_ftype_to_dt(d->ftype));
}

static int iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	u32 cookie;
	int e;

	if (ctx->pos < 0 || ctx->pos > S32_MAX)
		return 0;
	cookie = (u32)ctx->pos;
	e = xfs_dir_walk(&XFS_M(dir->i_sb)->vol, &XFS_I(dir)->node, &cookie, emit, ctx);
	ctx->pos = cookie;
	return e;
}

static loff_t llseek(struct file *file, loff_t off, int whence)
{
	return generic_file_llseek_size(file, off, whence, S32_MAX, i_size_read(file_inode(file)));
}

const struct file_operations xfs_dir_fops = {
	.llseek = llseek,
	.read_iter = generic_read_dir,
	.iterate_shared = iterate,
	.fsync = noop_fsync,
};
