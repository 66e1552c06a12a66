// SPDX-License-Identifier: MIT
/*
 * A position in a directory is an entry's cookie, its address in units of 8 bytes (31 bits): it
 * stays the entry's while that is there, and telldir(3) may be told it.
 */
#include "fs/xfs/dir/priv.h"
#include <alloc/slab.h>
#include <lib/minmax.h>
#include <vfs/file.h>

static struct inode *bad_entry(struct xfs_mount *mp, struct inode *dir, const char *field, u64 ino)
{
	struct xfs_fault f = { "directory", field, dir->i_ino, ino };

	xfs_vol_sick(&mp->fs.vol, XFS_DOMAIN_INO, dir->i_ino, dir->i_generation, XFS_SICK_INO_DIR);
	mp->fs.vol.report(&mp->fs.vol, &f);
	return ERR_PTR(-XFS_CORRUPT);
}

/* The inode INO that DIR has under NAME. */
static struct inode *child(struct xfs_mount *mp, struct inode *dir, const struct qstr *name,
			   u64 ino)
{
	struct inode *inode = xfs_iget(mp, ino);

	if (IS_ERR(inode))
		return PTR_ERR(inode) == -ESTALE ? bad_entry(mp, dir, "inumber", ino) : inode;
	if (!inode->i_nlink) {
		iput(inode);
		return bad_entry(mp, dir, "inumber (an inode without links)", ino);
	}
	if (S_ISDIR(inode->i_mode) &&
	    !xfs_dir_found(XFS_I(inode), dir->i_ino, xfs_name_key(name))) {
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
	xfs_read_lock(dir);
	e = xfs_dir_lookup(&mp->fs.vol, xfs_node_of(dir), (const u8 *)name->name, name->len, &ino,
			   &ftype);
	xfs_read_unlock(dir);
	if (e && e != -ENOENT)
		return ERR_PTR(e);
	if (!e) {
		inode = child(mp, dir, name, ino);
		if (IS_ERR(inode))
			return ERR_CAST(inode);
	}
	return d_splice_alias(inode, dentry);
}

/*
 * Entries are copied while the directory is locked, a buffer full at a time, and are told to the
 * reader afterwards: that may fault in pages of this file system.
 */
struct copied {
	u64 ino;
	u32 cookie;
	u8 dtype, len;
	u8 name[];
};

struct copies {
	u8 *buf;
	u32 used;
};

static u32 copied_size(u32 len)
{
	return ALIGN((u32)sizeof(struct copied) + len, 8u);
}

static bool copy(void *arg, const struct xfs_dirent *d)
{
	struct copies *c = arg;
	struct copied *x = (void *)(c->buf + c->used);

	if (copied_size(d->len) > PAGE_SIZE - c->used)
		return false;
	x->ino = d->ino;
	x->cookie = d->cookie;
	x->dtype = (u8)xfs_ftype_to_dt(d->ftype);
	x->len = (u8)d->len;
	memcpy(x->name, d->name, d->len);
	c->used += copied_size(d->len);
	return true;
}

/* False: the reader has enough; ctx->pos is the first entry that it did not get. */
static bool emit(const struct copies *c, struct dir_context *ctx)
{
	for (u32 at = 0; at < c->used;) {
		const struct copied *x = (const void *)(c->buf + at);

		ctx->pos = x->cookie;
		if (!dir_emit(ctx, (const char *)x->name, x->len, x->ino, x->dtype))
			return false;
		at += copied_size(x->len);
	}
	return true;
}

int xfs_dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct copies c = { 0 };
	u32 cookie;
	int e;

	if (ctx->pos < 0 || ctx->pos > S32_MAX)
		return 0;
	c.buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!c.buf)
		return -ENOMEM;
	cookie = (u32)ctx->pos;
	do {
		c.used = 0;
		xfs_read_lock(dir);
		e = xfs_dir_walk(&XFS_M(dir->i_sb)->fs.vol, xfs_node_of(dir), &cookie, copy, &c);
		xfs_read_unlock(dir);
		if (!emit(&c, ctx))
			break;
		ctx->pos = cookie;
	} while (!e && c.used);
	kfree(c.buf);
	return e;
}

loff_t xfs_dir_llseek(struct file *file, loff_t off, int whence)
{
	return generic_file_llseek_size(file, off, whence, S32_MAX, i_size_read(file_inode(file)));
}
