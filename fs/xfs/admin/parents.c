// SPDX-License-Identifier: MIT
/*
 * The directories that a file lies in, and its names there, from its parent pointers. Records are
 * put together while the inode is locked, and copied out afterwards; the last one is as long as
 * what is left of the caller's buffer.
 */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/xattr/xattr.h"
#include <alloc/slab.h>
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <linux/limits.h>

struct record {
	struct xfs_handle parent;
	u32 len, zero;
	char name[];
};
_Static_assert(sizeof(struct record) == 32 && sizeof(struct xfs_getparents) == 40 &&
		       sizeof(struct xfs_getparents_by) == 64,
	       "XFS_IOC_GETPARENTS");

#define OF_ROOT 1
#define DONE 2
#define MOST 65536u			/* bytes of records in a call */

struct list {
	struct xfs_mount *mp;
	u8 *buf;
	u32 size, used, last;		/* bytes, of it; where the last record is */
	bool any, full, damaged;
};

static u32 record_size(u32 namelen)
{
	return ALIGN((u32)sizeof(struct record) + namelen + 1, 8u);
}

static bool add(void *arg, const struct xfs_attr *a)
{
	struct list *l = arg;
	struct xfs_parent p;
	struct record *r;
	u32 len;

	if (!(a->flags & XFS_ATTR_PARENT))
		return true;
	l->damaged = !xfs_parent_of(a, &p);
	if (l->damaged)
		return false;
	len = record_size(p.len);
	l->full = len > l->size - l->used;
	if (l->full)
		return false;
	r = (struct record *)(l->buf + l->used);
	xfs_handle_make(l->mp, p.ino, p.gen, &r->parent);
	r->len = len;
	memcpy(r->name, p.name, p.len);
	l->last = l->used;
	l->used += len;
	l->any = true;
	return true;
}

/* Of INODE; G as the caller gets it back. */
static int list_parents(struct inode *inode, struct xfs_getparents *g, struct list *l)
{
	int e = xfs_attr_list(inode, &g->pos, add, l);

	if (!e && l->damaged) {
		xfs_vol_sick(&l->mp->fs.vol, XFS_DOMAIN_INO, inode->i_ino, inode->i_generation,
			     XFS_SICK_INO_PARENT);
		e = -XFS_CORRUPT;
	}
	if (e)
		return e;
	if (l->full && !l->any)
		return -EMSGSIZE;
	if (l->any)
		((struct record *)(l->buf + l->last))->len = g->bufsize - l->last;
	g->oflags = l->full ? 0 : DONE;
	if (inode->i_ino == l->mp->fs.vol.sb.rootino)
		g->oflags |= OF_ROOT;
	return copy_to_user(UPTR(g->buffer), l->buf, l->used) ? -EFAULT : 0;
}

static int parents_of(struct inode *inode, struct xfs_getparents *g)
{
	struct list l = { .mp = XFS_M(inode->i_sb), .size = g->bufsize & ~7u };
	int e;

	if (g->bufsize > MOST)
		return -ENOMEM;
	if (g->bufsize < record_size(1) || g->iflags || g->zero)
		return -EINVAL;
	l.buf = kvzalloc(l.size, GFP_KERNEL);
	if (!l.buf)
		return -ENOMEM;
	e = list_parents(inode, g, &l);
	kvfree(l.buf);
	return e;
}

static int parents_of_handle(struct file *file, struct xfs_getparents_by *by)
{
	struct inode *inode;
	int e = xfs_handle_check(file, &by->h);

	if (e)
		return e;
	inode = xfs_iget_outside(XFS_M(file_inode(file)->i_sb), by->h.ino, &by->h.gen);
	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	e = parents_of(inode, &by->g);
	iput(inode);
	return e;
}

long xfs_getparents(struct file *file, struct uptr arg, bool by_handle)
{
	struct inode *inode = file_inode(file);
	struct xfs_getparents_by by;
	void *req = by_handle ? (void *)&by : &by.g;
	size_t size = by_handle ? sizeof(by) : sizeof(by.g);
	int e = xfs_may_use_handles();

	if (e)
		return e;
	if (!(XFS_M(inode->i_sb)->fs.vol.sb.incompat & XFS_IN_PARENT))
		return -EOPNOTSUPP;
	if (copy_from_user(req, arg, size))
		return -EFAULT;
	e = by_handle ? parents_of_handle(file, &by) : parents_of(inode, &by.g);
	return e ?: copy_to_user(arg, req, size) ? -EFAULT : 0;
}
