// SPDX-License-Identifier: MIT
/*
 * Attributes of files by handle, as libattr's attr_list and attr_multi have them: names of one name
 * space, with offsets at the beginning of the caller's buffer and entries from its end downwards;
 * and several gets, sets and removals in one call, each with an error of its own.
 */
#include "fs/xfs/admin/admin.h"
#include <alloc/slab.h>
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <vfs/mount.h>
#include <linux/limits.h>
#include <linux/xattr.h>

enum { OF_ROOT = 2, OF_SECURE = 8, CREATE = 0x10, REPLACE = 0x20 };
enum { OP_GET = 1, OP_SET, OP_REMOVE };

struct op {
	u32 code;
	s32 error;
	u64 name, value;		/* pointers */
	u32 len, flags;
};
struct listed {			/* an entry */
	u32 valuelen;
	char name[];
};
struct head {
	s32 count, more, offset[];
};
_Static_assert(sizeof(struct op) == 32, "struct xfs_attr_multiop");

#define NAME_ROOM 256u			/* MAXNAMELEN */

static u8 space_of(u32 flags)
{
	return flags & OF_ROOT ? XFS_ATTR_ROOT : flags & OF_SECURE ? XFS_ATTR_SECURE : 0;
}

/* ---- names ---- */

struct list {
	struct head *h;
	u32 first;			/* bytes: where the last entry begins */
	u8 space;
};

static bool add(void *arg, const struct xfs_attr *a)
{
	u32 need = ALIGN((u32)sizeof(struct listed) + a->namelen + 1u, 4u), used;
	struct list *l = arg;
	struct listed *x;

	if ((a->flags & XFS_ATTR_SPACE) != l->space)
		return true;
	used = (u32)sizeof(*l->h) + (u32)l->h->count * 4;
	/* One more offset, too. */
	if (need > l->first || l->first - need < used + 4) {
		l->h->more = 1;
		return false;
	}
	l->first -= need;
	x = (struct listed *)((u8 *)l->h + l->first);
	x->valuelen = a->valuelen;
	memcpy(x->name, a->name, a->namelen);
	l->h->offset[l->h->count++] = (s32)l->first;
	return true;
}

static int list_names(struct inode *inode, struct xfs_attrlist_req *r)
{
	struct list l = { .first = r->buflen & ~3u, .space = space_of(r->flags) };
	int e;

	if (r->buflen < sizeof(struct head) || r->buflen > XATTR_LIST_MAX)
		return -EINVAL;
	if (r->flags & ~(u32)(OF_ROOT | OF_SECURE) || r->flags == (OF_ROOT | OF_SECURE))
		return -EINVAL;
	l.h = kvzalloc(r->buflen, GFP_KERNEL);
	if (!l.h)
		return -ENOMEM;
	e = xfs_attr_list(inode, &r->pos, add, &l);
	if (!e && copy_to_user(UPTR(r->buffer), l.h, r->buflen))
		e = -EFAULT;
	kvfree(l.h);
	return e;
}

long xfs_attrlist(struct file *file, struct uptr arg)
{
	struct xfs_attrlist_req r;
	struct dentry *d;
	int e = xfs_may_use_handles();

	if (e)
		return e;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	d = xfs_handle_dentry(file, UPTR(r.h.ihandle), r.h.ihandlen);
	if (IS_ERR(d))
		return PTR_ERR(d);
	e = list_names(d->d_inode, &r);
	dput(d);
	return e ?:
		       copy_to_user(uptr_add(arg, offsetof(struct xfs_attrlist_req, pos)), &r.pos,
				    sizeof(r.pos)) ?
		       -EFAULT :
		       0;
}

/* ---- values ---- */

static int get_value(struct inode *inode, const char *name, struct op *op)
{
	u32 size = op->len;
	u8 *buf;
	long n;
	int e = 0;

	if (size > XATTR_SIZE_MAX)
		return -EINVAL;
	buf = kvmalloc(size ?: 1, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	xfs_read_lock(inode);
	n = xfs_attr_get(&XFS_M(inode->i_sb)->fs.vol, xfs_node_of(inode), (const u8 *)name,
			 (u32)strlen(name), space_of(op->flags), buf, size);
	xfs_read_unlock(inode);
	if (n >= 0) {
		op->len = (u32)n;
		e = size && copy_to_user(UPTR(op->value), buf, (size_t)n) ? -EFAULT : 0;
	}
	kvfree(buf);
	return n < 0 ? (int)n : e;
}

static int set_value(struct inode *inode, const char *name, const struct op *op)
{
	int how = (op->flags & CREATE ? XATTR_CREATE : 0) |
		  (op->flags & REPLACE ? XATTR_REPLACE : 0);
	bool remove = op->code == OP_REMOVE || !op->value;
	void *value = NULL;
	int e;

	if (IS_IMMUTABLE(inode) || IS_APPEND(inode))
		return -EPERM;
	if (!remove && op->len > XATTR_SIZE_MAX)
		return -EINVAL;
	if (!remove) {
		value = kvmalloc(op->len ?: 1, GFP_KERNEL);
		if (!value)
			return -ENOMEM;
		if (copy_from_user(value, UPTR(op->value), op->len)) {
			kvfree(value);
			return -EFAULT;
		}
	}
	e = xfs_attr_change(inode, space_of(op->flags), name, value, op->len, how);
	kvfree(value);
	return e;
}

static int do_one(struct file *file, struct inode *inode, struct op *op)
{
	char *name;
	int e;

	if (op->flags & OF_ROOT && op->flags & OF_SECURE)
		return -EINVAL;
	if (op->code < OP_GET || op->code > OP_REMOVE)
		return -EINVAL;
	name = strndup_user(UPTR(op->name), NAME_ROOM);
	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	if (op->code == OP_GET) {
		e = get_value(inode, name, op);
	} else {
		e = *name ? mnt_want_write_file(file) : -EINVAL;
		if (!e) {
			e = set_value(inode, name, op);
			mnt_drop_write_file(file);
		}
	}
	kfree(name);
	return e;
}

static int do_all(struct file *file, struct inode *inode, const struct xfs_attrmulti_req *r)
{
	size_t size = (size_t)r->opcount * sizeof(struct op);
	struct op *ops;
	int e = 0;

	if (!r->opcount || r->opcount > 16 * PAGE_SIZE / sizeof(struct op))
		return -E2BIG;
	ops = kvmalloc(size, GFP_KERNEL);
	if (!ops)
		return -ENOMEM;
	if (copy_from_user(ops, UPTR(r->ops), size))
		e = -EFAULT;
	for (u32 i = 0; i < r->opcount && !e; i++) {
		ops[i].error = do_one(file, inode, &ops[i]);
		if (fatal_signal_pending(current))
			e = -EINTR;
		cond_resched();
	}
	if (!e && copy_to_user(UPTR(r->ops), ops, size))
		e = -EFAULT;
	kvfree(ops);
	return e;
}

long xfs_attrmulti(struct file *file, struct uptr arg)
{
	struct xfs_attrmulti_req r;
	struct dentry *d;
	int e = xfs_may_use_handles();

	if (e)
		return e;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	d = xfs_handle_dentry(file, UPTR(r.h.ihandle), r.h.ihandlen);
	if (IS_ERR(d))
		return PTR_ERR(d);
	e = do_all(file, d->d_inode, &r);
	dput(d);
	return e;
}
