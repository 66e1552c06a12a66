// SPDX-License-Identifier: MIT
/*
 * New inodes: allocated, filled in and named in one transaction; or without a name, in an unlinked
 * list. What they inherit of ACLs follows in transactions of its own: after a crash between, the
 * file has the mode that they left it.
 *
 * Where space is short that is found before anything but the choice of the inode was logged, which
 * is then freed again.
 */
#include "fs/xfs/attr/attr.h"
#include "fs/xfs/bmap/bmap.h"
#include "fs/xfs/dir/priv.h"
#include <lib/minmax.h>
#include <vfs/posix_acl.h>

struct make {
	struct mnt_idmap *idmap;
	struct inode *dir;
	const struct qstr *name;	/* NULL: without one */
	umode_t mode;
	dev_t dev;
	const char *target;		/* of a symlink */
	u32 target_len;
};

/* ---- symlinks ---- */

/*
 * Bytes of a target that lie in the inode: behind them is room for a btree's root, so that the
 * inode can get any attributes, and for the first pointer to a parent.
 */
static u32 most_inline(const struct xfs_sb *sb, u32 namelen)
{
	u32 attrs = 52, pointer = 4 + 3 + namelen + 12;

	if (sb->incompat & XFS_IN_PARENT)
		attrs = max(attrs, pointer);
	return (xfs_literal_size(sb) - attrs) & ~7u;
}

static u32 target_blocks(const struct xfs_sb *sb, const struct make *m)
{
	if (!m->target || m->target_len <= most_inline(sb, m->name->len))
		return 0;
	return DIV_ROUND_UP(m->target_len, sb->blocksize - (u32)sizeof(struct xfs_drmt));
}

/* One extent of the target from AT on; how many bytes it took, or -errno. */
static int put_part(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_map *x,
		    const struct make *m, u32 at)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 bytes = (u32)x->count << sb->blocklog, part;
	struct xfs_drmt *h;
	struct xfs_txbuf *b;
	int e = xfs_tx_get(tx, XFS_BLK_SYMLINK, xfs_fsb_daddr(sb, x->fsb), bytes >> SECTOR_SHIFT,
			   XFS_GET_NEW, &b);

	if (e)
		return e;
	part = min(bytes - (u32)sizeof(*h), m->target_len - at);
	h = (void *)b->data;
	*h = (struct xfs_drmt){ .magic = be32_make(XFS_SYMLINK_MAGIC),
				.offset = be32_make(at),
				.bytes = be32_make(part),
				.owner = be64_make(ip->node.core.ino),
				.blkno = be64_make(b->daddr) };
	memcpy(h->uuid, sb->meta_uuid, XFS_UUID_SIZE);
	memcpy(h + 1, m->target + at, part);
	xfs_tx_log_all(tx, b);
	return (int)part;
}

static int put_target(struct xfs_tx *tx, struct xfs_ino *ip, const struct make *m)
{
	struct xfs_core *c = &ip->node.core;
	u32 blocks = target_blocks(&tx->fs->vol.sb, m), at = 0;
	u64 off = 0;
	int e;

	c->size = m->target_len;
	if (!blocks) {
		c->format = XFS_FMT_LOCAL;
		memcpy(xfs_ino_literal(ip), m->target, m->target_len);
		xfs_tx_inode(tx, ip, XFS_LI_CORE | XFS_LI_DDATA);
		return 0;
	}
	e = xfs_bmap_alloc(tx, ip, false, 0, blocks, 0, true);
	while (!e && at < m->target_len && off < blocks) {
		struct xfs_map x;

		e = xfs_bmap(&tx->fs->vol, &ip->node, false, off, &x);
		if (e)
			break;
		e = put_part(tx, ip, &x, m, at);
		if (e > 0) {
			at += (u32)e;
			off += x.count;
			e = 0;
		}
	}
	return e;
}

/* ---- the transaction ---- */

static int begin(const struct make *m, struct xfs_tx **tx)
{
	struct xfs_mount *mp = XFS_M(m->dir->i_sb);
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	u32 target = target_blocks(sb, m), blocks = xfs_ialloc_room(sb);

	if (!m->name)
		return xfs_begin(mp, XFS_RES_TMPFILE, 0, blocks, 0, tx);
	blocks += xfs_name_room(mp, 1) + xfs_parent_room(mp, 1);
	if (target)
		blocks += target + xfs_bmap_tree_room(sb, false);
	return xfs_begin(mp, m->target ? XFS_RES_SYMLINK : XFS_RES_CREATE, xfs_has_parents(mp),
			 blocks, xfs_sync_of(m->dir), tx);
}

/* The new inode as M says, in TX; INODE has its owner and its mode. */
static void init_ino(struct xfs_tx *tx, struct xfs_ino *ip, struct inode *inode,
		     const struct make *m, u64 ino)
{
	const struct xfs_core *d = &xfs_node_of(m->dir)->core;
	struct user_namespace *ns = inode->i_sb->s_user_ns;
	struct xfs_new how = { .mode = inode->i_mode,
			       .uid = from_kuid(ns, inode->i_uid),
			       .gid = from_kgid(ns, inode->i_gid),
			       .rdev = m->dev,
			       .projid = d->flags & XFS_DIFLAG_PROJINHERIT ? d->projid : 0,
			       .now = xfs_time_of(current_time(m->dir)),
			       .parent = d };

	xfs_ino_init(tx, ip, ino, &how);
	ip->node.core.nlink = !m->name ? 0 : S_ISDIR(inode->i_mode) ? 2 : 1;
	if (S_ISDIR(inode->i_mode))
		xfs_dirent_init(tx, ip, d->ino);
}

/* An entry for it in its directory, which is locked; -ENOSPC: nothing was logged for that. */
static int add_entry(struct xfs_tx *tx, const struct make *m, u64 ino)
{
	return m->name ? xfs_dirent_add(tx, xfs_ino_of(m->dir), (const u8 *)m->name->name,
					m->name->len, ino, xfs_ftype_of(m->mode)) :
			 0;
}

/* With the inode allocated and its entry there: the rest. */
static int fill_in(struct xfs_tx *tx, const struct make *m, struct inode *inode,
		   struct xfs_lino *li, u64 ino)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	const struct xfs_core *d = &xfs_node_of(m->dir)->core;
	int e = 0;

	init_ino(tx, &li->ip, inode, m, ino);
	if (m->target)
		e = put_target(tx, &li->ip, m);
	if (!e && m->name && xfs_has_parents(mp))
		e = xfs_parent_add(tx, &li->ip, d->ino, d->gen, (const u8 *)m->name->name,
				   m->name->len);
	if (e)
		return e;
	inode->i_ino = ino;
	xfs_fill_vfs(mp, inode, &li->ip.node.core);
	XFS_I(inode)->li = li;
	if (!m->name)
		return xfs_list_unlinked(tx, inode);
	xfs_dir_changed(m->dir);
	if (S_ISDIR(inode->i_mode)) {
		xfs_set_links(m->dir, m->dir->i_nlink + 1);
		xfs_dir_moved(XFS_I(inode), d->ino, xfs_name_key(m->name));
	}
	xfs_log_vfs(tx, m->dir);
	return 0;
}

/* No space. Only the allocation of INO was logged, or changes made while looking for an inode. */
static int no_space(struct xfs_tx *tx, u64 ino)
{
	bool gone;
	int e = ino ? xfs_ifree(tx, ino, true, &gone) : 0;

	if (e || !tx->dirty)
		return xfs_end(tx, e ?: -ENOSPC);
	return xfs_end(tx, 0) ?: -ENOSPC;
}

/* INODE gets a number and all that makes it one on the disk. */
static int make_in_tx(struct xfs_tx *tx, const struct make *m, struct inode *inode)
{
	struct xfs_lino *li;
	u64 ino;
	int e = xfs_ialloc(tx, m->dir->i_ino, S_ISDIR(m->mode), &ino);

	if (e)
		return e == -ENOSPC ? no_space(tx, 0) : xfs_end(tx, e);
	e = add_entry(tx, m, ino);
	if (e)
		return e == -ENOSPC ? no_space(tx, ino) : xfs_end(tx, e);
	li = xfs_lino_get_free(XFS_M(inode->i_sb), ino);
	if (IS_ERR(li))
		return xfs_end(tx, (int)PTR_ERR(li));
	down_write_nested(&li->lock, XFS_LOCK_NEW);
	e = xfs_lino_check_free(li);
	e = e ?: fill_in(tx, m, inode, li, ino);
	li->making = !e;
	e = xfs_end(tx, e);
	if (!e && m->name)
		xfs_tell_name(m->dir, inode, 1);
	up_write(&li->lock);
	/* Until here the inode had no use for it. */
	if (XFS_I(inode)->li != li)
		xfs_lino_put(li);
	return e;
}

/*
 * INODE is on the disk: into the VFS's cache, I_NEW. Nothing is locked, since somebody may have to
 * look at it first (inode/inode.c).
 */
static int finish(struct inode *inode)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	int e;

	xfs_read_lock(inode);
	e = mp->setup(mp, XFS_I(inode));
	xfs_read_unlock(inode);
	inode_set_op_flags(inode);
	e = e ?: insert_inode_locked(inode);
	smp_store_release(&XFS_I(inode)->li->making, false); /* pairs with is_it() */
	return e;
}

static struct inode *make(const struct make *m)
{
	struct inode *inode = new_inode(m->dir->i_sb);
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode_init_owner(m->idmap, inode, m->dir, m->mode);
	e = posix_acl_init_inode(m->dir, inode);
	e = e ?: begin(m, &tx);
	if (!e) {
		xfs_lock_inodes(&l, &m->dir, 1);
		e = make_in_tx(tx, m, inode);
		xfs_unlock_inodes(&l);
	}
	e = e ?: finish(inode);
	if (e) {
		iput(inode);
		return ERR_PTR(e);
	}
	e = xfs_acl_inherit(inode);
	if (e)
		pr_warn("xfs: %s: inode %llu: its ACL could not be stored: error %d\n",
			inode->i_sb->s_id, (u64)inode->i_ino, e);
	return inode;
}

static int make_at(const struct make *m, struct dentry *d)
{
	struct inode *inode;

	if (d->d_name.len > 255)
		return -ENAMETOOLONG;
	inode = make(m);
	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	d_instantiate_new(d, inode);
	return 0;
}

int xfs_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode,
	       bool excl)
{
	(void)excl;
	return make_at(&(struct make){ idmap, dir, &d->d_name, mode | S_IFREG, 0, NULL, 0 }, d);
}

int xfs_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode, dev_t dev)
{
	return make_at(&(struct make){ idmap, dir, &d->d_name, mode, dev, NULL, 0 }, d);
}

int xfs_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode)
{
	return make_at(&(struct make){ idmap, dir, &d->d_name, mode | S_IFDIR, 0, NULL, 0 }, d);
}

int xfs_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, const char *target)
{
	size_t n = strlen(target);

	if (n >= 1024)
		return -ENAMETOOLONG;
	if (!n)
		return -EINVAL;
	return make_at(&(struct make){ idmap, dir, &d->d_name, S_IFLNK | S_IRWXUGO, 0, target,
				       (u32)n },
		       d);
}

struct inode *xfs_make_nameless(struct mnt_idmap *idmap, struct inode *dir, umode_t mode, dev_t dev)
{
	return make(&(struct make){ idmap, dir, NULL, mode, dev, NULL, 0 });
}

int xfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file, umode_t mode)
{
	struct inode *inode = xfs_make_nameless(idmap, dir, mode, 0);

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	unlock_new_inode(inode);
	/* It is taken back there. */
	set_nlink(inode, 1);
	d_tmpfile(file->f_path.dentry, inode);
	return finish_open(file, file->f_path.dentry, NULL);
}
