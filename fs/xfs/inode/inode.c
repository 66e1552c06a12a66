// SPDX-License-Identifier: MIT
/*
 * Inodes of the VFS: made from what is in the table, and evicted (inode.h).
 *
 * A number from a directory is an inode's that has a name there, which the directory's lock keeps.
 * One from outside (a handle) may be anything: of no inode, of one that is freed meanwhile, or of
 * one that somebody makes. The tree of the AG is asked first, then the inode itself, twice: before
 * and while its VFS inode is in the hash as I_NEW. Who makes an inode marks it (li->making) before
 * its lock is first given back, and puts its own VFS inode into the hash without any lock of XFS
 * and with nothing begun. So the one who asks never waits with a lock for the maker; the maker
 * waits for one who came before the mark, who then sees it and goes; who comes later puts nothing
 * into the hash.
 */
#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/inode/priv.h"
#include <alloc/slab.h>
#include <linux/stat.h>

static struct kmem_cache *inode_cache __ro_after_init;

int xfs_inode_cache_init(void)
{
	inode_cache = kmem_cache_create("xfs_inode", sizeof(struct xfs_inode),
					__alignof__(struct xfs_inode),
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, NULL);
	return inode_cache ? xfs_lino_cache_init() : -ENOMEM;
}

struct inode *xfs_alloc_inode(struct super_block *sb)
{
	struct xfs_inode *xi = kmem_cache_alloc(inode_cache, GFP_KERNEL_ACCOUNT);

	(void)sb;
	if (!xi)
		return NULL;
	xi->li = NULL;
	xi->file.ops = NULL;
	xfs_delays_init(&xi->delays);
	xi->copies = RB_ROOT;
	xi->parent = 0;
	return &xi->vfs;
}

void xfs_free_inode(struct inode *inode)
{
	struct xfs_inode *xi = XFS_I(inode);

	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kmem_cache_free(inode_cache, xi);
}

void xfs_evict_inode(struct inode *inode)
{
	struct xfs_inode *xi = XFS_I(inode);
	bool left = false;

	truncate_inode_pages_final(&inode->i_data);
	if (xi->file.ops)
		extent_file_destroy(&xi->file);
	if (!RB_EMPTY_ROOT(&xi->delays.root)) {
		down_write(&xi->li->lock);
		xfs_delay_drop(inode, 0, U64_MAX);
		up_write(&xi->li->lock);
	}
	if (!RB_EMPTY_ROOT(&xi->copies)) {
		if (xfs_copy_drop(inode, 0, U64_MAX))
			pr_debug("xfs: staged blocks of inode %llu are left to recovery\n",
				 (unsigned long long)inode->i_ino);
		xfs_copies_forget(inode);
	}
	if (xi->li && !inode->i_nlink && XFS_M(inode->i_sb)->live)
		left = READ_ONCE(xi->li->listed) && xfs_inactivate(inode);
	clear_inode(inode);
	if (left)
		xfs_lino_park(xi->li);
	else if (xi->li)
		xfs_lino_put(xi->li);
}

static struct timespec64 time_of(struct xfs_time t)
{
	return (struct timespec64){ .tv_sec = t.sec, .tv_nsec = t.nsec };
}

#define FLAGS (S_IMMUTABLE | S_APPEND | S_SYNC | S_NOATIME)

void xfs_set_vfs_flags(struct inode *inode, const struct xfs_core *c)
{
	/* The same call may have changed rights too: the next write looks for them. */
	unsigned int f = inode->i_flags & ~(unsigned int)(FLAGS | S_NOSEC);

	if (c->flags & XFS_DIFLAG_IMMUTABLE)
		f |= S_IMMUTABLE;
	if (c->flags & XFS_DIFLAG_APPEND)
		f |= S_APPEND;
	if (c->flags & XFS_DIFLAG_SYNC)
		f |= S_SYNC;
	if (c->flags & XFS_DIFLAG_NOATIME)
		f |= S_NOATIME;
	inode->i_flags = f;
}

void xfs_fill_vfs(struct xfs_mount *mp, struct inode *inode, const struct xfs_core *c)
{
	inode->i_mode = c->mode;
	inode->i_uid = make_kuid(mp->sb->s_user_ns, c->uid);
	inode->i_gid = make_kgid(mp->sb->s_user_ns, c->gid);
	set_nlink(inode, c->nlink);
	inode->i_size = (loff_t)c->size;
	inode->i_blocks = c->nblocks << (mp->fs.vol.sb.blocklog - 9);
	inode->i_generation = c->gen;
	inode->i_version = c->changecount;
	inode->i_atime = time_of(c->atime);
	inode->i_mtime = time_of(c->mtime);
	inode->i_ctime = time_of(c->ctime);
	xfs_set_vfs_flags(inode, c);
}

/* What a number from outside leads to: its lock is held. GEN: NULL: any. */
static bool is_it(const struct xfs_lino *li, const u32 *gen)
{
	const struct xfs_core *c = &li->ip.node.core;

	return c->mode && c->nlink && !smp_load_acquire(&li->making) &&
	       !(c->flags2 & XFS_DIFLAG2_METADATA) && (!gen || c->gen == *gen);
}

struct asked {
	const u32 *gen; /* NULL: any */
};

/*
 * INODE is new and nobody sees it. FROM: what is asked for from outside; NULL: it is known to be in
 * use.
 */
static int read_inode(struct xfs_mount *mp, struct inode *inode, u64 ino, const struct asked *from)
{
	struct xfs_lino *li = xfs_lino_get(mp, ino);
	struct xfs_inode *xi = XFS_I(inode);
	int e;

	if (IS_ERR(li))
		return (int)PTR_ERR(li);
	down_read(&li->lock);
	if (from && !is_it(li, from->gen)) {
		up_read(&li->lock);
		xfs_lino_put(li);
		return -ESTALE;
	}
	xi->li = li;
	xfs_fill_vfs(mp, inode, &li->ip.node.core);
	/* Found by the recovery of unlinked lists: its eviction takes it out. */
	if (!inode->i_nlink && mp->live)
		WRITE_ONCE(li->listed, true);
	e = mp->setup(mp, xi);
	up_read(&li->lock);
	inode_set_op_flags(inode);
	return e;
}

static struct inode *get(struct xfs_mount *mp, u64 ino, const struct asked *from)
{
	struct inode *inode = iget_locked(mp->sb, ino);
	int e;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(READ_ONCE(inode->i_state) & I_NEW))
		return inode;
	e = read_inode(mp, inode, ino, from);
	if (e) {
		iget_failed(inode);
		return ERR_PTR(e);
	}
	unlock_new_inode(inode);
	return inode;
}

struct inode *xfs_iget(struct xfs_mount *mp, u64 ino)
{
	return get(mp, ino, NULL);
}

/* ---- by numbers from outside ---- */

/* Inodes of the file system's own. */
static bool is_internal(const struct xfs_sb *sb, u64 ino)
{
	return ino == sb->rbmino || ino == sb->rsumino || ino == sb->uquotino ||
	       ino == sb->gquotino || ino == sb->pquotino;
}

/*
 * While the mount writes, the AGI is locked from the look at the tree until the inode is in memory,
 * which is read without waiting for anybody.
 */
struct xfs_lino *xfs_lino_get_outside(struct xfs_mount *mp, u64 ino)
{
	struct xfs_lino *li;
	struct xfs_txbuf *agi;
	struct xfs_tx *tx;
	int e;

	if (!mp->live) {
		e = xfs_ino_in_use(&mp->fs.vol, ino);
		return e ? ERR_PTR(xfs_errno(e)) : xfs_lino_get(mp, ino);
	}
	e = xfs_begin_look(mp, &tx);
	if (e)
		return ERR_PTR(e);
	e = xfs_ag_agi(tx, xfs_ino_ag(&mp->fs.vol.sb, ino), 0, &agi);
	e = e ?: xfs_ino_in_use(&mp->fs.vol, ino);
	li = e ? ERR_PTR(xfs_errno(e)) : xfs_lino_get_free(mp, ino);
	xfs_trans_cancel(tx);
	return li;
}

/* INO is not in the VFS's hash, or was not a moment ago. */
static struct inode *get_outside(struct xfs_mount *mp, u64 ino, const struct asked *from)
{
	struct xfs_lino *li = xfs_lino_get_outside(mp, ino);
	struct inode *inode;
	bool ok;

	if (IS_ERR(li))
		return ERR_CAST(li);
	/* What is refused here keeps no creator waiting. */
	down_read(&li->lock);
	ok = is_it(li, from->gen);
	up_read(&li->lock);
	inode = ok ? get(mp, ino, from) : ERR_PTR(-ESTALE);
	xfs_lino_put(li);
	return inode;
}

struct inode *xfs_iget_outside(struct xfs_mount *mp, u64 ino, const u32 *gen)
{
	const struct asked from = { gen };
	struct inode *inode;

	if (!ino || !xfs_ino_ok(&mp->fs.vol.sb, ino) || is_internal(&mp->fs.vol.sb, ino))
		return ERR_PTR(-ESTALE);
	inode = ilookup(mp->sb, ino) ?: get_outside(mp, ino, &from);
	if (IS_ERR(inode) || !gen || inode->i_generation == *gen)
		return inode;
	iput(inode);
	return ERR_PTR(-ESTALE);
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

void xfs_dir_moved(struct xfs_inode *xi, u64 parent, u64 name_key)
{
	spin_lock(&xi->vfs.i_lock);
	xi->parent = parent;
	xi->name_key = name_key;
	spin_unlock(&xi->vfs.i_lock);
}

int xfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
		unsigned int flags)
{
	struct inode *inode = path->dentry->d_inode;
	struct xfs_core *c = &xfs_node_of(inode)->core;
	struct xfs_time crtime;
	u64 delayed;
	u16 diflags;

	(void)flags;
	xfs_read_lock(inode);
	diflags = c->flags;
	crtime = c->crtime;
	delayed = XFS_I(inode)->delays.blocks;
	xfs_read_unlock(inode);
	generic_fillattr(idmap, mask, inode, stat);
	stat->blocks += delayed << (inode->i_blkbits - 9);
	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
	if (diflags & XFS_DIFLAG_IMMUTABLE)
		stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (diflags & XFS_DIFLAG_APPEND)
		stat->attributes |= STATX_ATTR_APPEND;
	if (diflags & XFS_DIFLAG_NODUMP)
		stat->attributes |= STATX_ATTR_NODUMP;
	stat->blksize = (u32)PAGE_SIZE;
	if (mask & STATX_DIOALIGN && S_ISREG(inode->i_mode)) {
		stat->result_mask |= STATX_DIOALIGN;
		stat->dio_mem_align = stat->dio_offset_align =
			inode->i_sb->s_bdev->disk->block_size;
	}
	if (mask & STATX_BTIME) {
		stat->result_mask |= STATX_BTIME;
		stat->btime = time_of(crtime);
	}
	return 0;
}
