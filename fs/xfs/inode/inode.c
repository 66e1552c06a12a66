// SPDX-License-Identifier: MIT
#include "fs/xfs/inode/inode.h"
#include <alloc/slab.h>
#include <linux/stat.h>

static struct kmem_cache *inode_cache __ro_after_init;

int xfs_inode_cache_init(void)
{
	inode_cache = kmem_cache_create("xfs_inode", sizeof(struct xfs_inode),
					__alignof__(struct xfs_inode), SLAB_ACCOUNT, NULL);
	return inode_cache ? 0 : -ENOMEM;
}

struct inode *xfs_alloc_inode(struct super_block *sb)
{
	struct xfs_inode *xi = kmem_cache_alloc(inode_cache, GFP_KERNEL_ACCOUNT);

	(void)sb;
	if (!xi)
		return NULL;
	memset(&xi->node, 0, sizeof(xi->node));
	xi->file.ops = NULL;
	xi->parent = 0;
	return &xi->vfs;
}

void xfs_free_inode(struct inode *inode)
{
	struct xfs_inode *xi = XFS_I(inode);

	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kfree(xi->node.literal);
	kmem_cache_free(inode_cache, xi);
}

void xfs_evict_inode(struct inode *inode)
{
	struct xfs_inode *xi = XFS_I(inode);

	truncate_inode_pages_final(&inode->i_data);
	if (xi->file.ops)
		extent_file_destroy(&xi->file);
	clear_inode(inode);
}

static struct timespec64 time_of(struct xfs_time t)
{
	return (struct timespec64){ .tv_sec = t.sec, .tv_nsec = t.nsec };
}

static unsigned int flags_of(const struct xfs_core *c)
{
	unsigned int f = 0;

	if (c->flags & XFS_DIFLAG_IMMUTABLE)
		f |= S_IMMUTABLE;
	if (c->flags & XFS_DIFLAG_APPEND)
		f |= S_APPEND;
	if (c->flags & XFS_DIFLAG_SYNC)
		f |= S_SYNC;
	if (c->flags & XFS_DIFLAG_NOATIME)
		f |= S_NOATIME;
	return f;
}

static void fill_vfs(struct xfs_mount *mp, struct inode *inode, const struct xfs_core *c)
{
	inode->i_mode = c->mode;
	inode->i_uid = make_kuid(mp->sb->s_user_ns, c->uid);
	inode->i_gid = make_kgid(mp->sb->s_user_ns, c->gid);
	set_nlink(inode, c->nlink);
	inode->i_size = (loff_t)c->size;
	inode->i_blocks = c->nblocks << (mp->vol.sb.blocklog - 9);
	inode->i_generation = c->gen;
	inode->i_version = c->changecount;
	inode->i_atime = time_of(c->atime);
	inode->i_mtime = time_of(c->mtime);
	inode->i_ctime = time_of(c->ctime);
	inode->i_flags = flags_of(c);
}

/* INODE is new and nobody sees it. */
static int read_inode(struct xfs_mount *mp, struct inode *inode, u64 ino)
{
	struct xfs_inode *xi = XFS_I(inode);
	u8 *literal = kmalloc(xfs_literal_size(&mp->vol.sb), GFP_KERNEL_ACCOUNT);
	int e;

	if (!literal)
		return -ENOMEM;
	e = xfs_node_read(&mp->vol, ino, literal, &xi->node);
	xi->node.literal = literal;
	if (e)
		return xfs_errno(e);
	fill_vfs(mp, inode, &xi->node.core);
	e = mp->setup(mp, xi);
	inode_set_op_flags(inode);
	return e;
}

struct inode *xfs_iget(struct xfs_mount *mp, u64 ino)
{
	struct inode *inode = iget_locked(mp->sb, ino);
	int e;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(READ_ONCE(inode->i_state) & I_NEW))
		return inode;
	e = read_inode(mp, inode, ino);
	if (e) {
		iget_failed(inode);
		return ERR_PTR(e);
	}
	unlock_new_inode(inode);
	return inode;
}

bool xfs_dir_found(struct xfs_inode *xi, u64 parent, u64 name_key)
{
	bool ok;

	spin_lock(&xi->vfs.i_lock);
	if (!xi->parent) {
		xi->parent = parent;
		xi->name_key = name_key;
	}
	ok = xi->parent == parent && xi->name_key == name_key;
	spin_unlock(&xi->vfs.i_lock);
	return ok;
}

int xfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
		unsigned int flags)
{
	struct inode *inode = path->dentry->d_inode;
	const struct xfs_core *c = &XFS_I(inode)->node.core;

	(void)flags;
	generic_fillattr(idmap, mask, inode, stat);
	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
	if (c->flags & XFS_DIFLAG_IMMUTABLE)
		stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (c->flags & XFS_DIFLAG_APPEND)
		stat->attributes |= STATX_ATTR_APPEND;
	if (c->flags & XFS_DIFLAG_NODUMP)
		stat->attributes |= STATX_ATTR_NODUMP;
	stat->blksize = (u32)PAGE_SIZE;
	if (mask & STATX_DIOALIGN && S_ISREG(inode->i_mode)) {
		stat->result_mask |= STATX_DIOALIGN;
		stat->dio_mem_align = stat->dio_offset_align =
			inode->i_sb->s_bdev->disk->block_size;
	}
	if (mask & STATX_BTIME) {
		stat->result_mask |= STATX_BTIME;
		stat->btime = time_of(c->crtime);
	}
	return 0;
}
