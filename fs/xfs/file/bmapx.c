// SPDX-License-Identifier: MIT
/*
 * Where the blocks of a file, directory or its attributes are: ioctl_xfs_getbmapx(2), in units of
 * 512 bytes. Each extent is looked up by itself: no lock is held over what the caller has room for.
 */
#include "fs/xfs/file/priv.h"
#include <mm/filemap.h>
#include <mm/uaccess.h>
#include <lib/minmax.h>

struct bmap {
	s64 offset, block, length;
	s32 count, entries;
};
struct bmapx {
	struct bmap b;
	s32 iflags, oflags, unused[2];
};
_Static_assert(sizeof(struct bmap) == 32 && sizeof(struct bmapx) == 48, "XFS_IOC_GETBMAPX");

#define IOC_GETBMAP _IOWR('X', 38, struct bmap)
#define IOC_GETBMAPA _IOWR('X', 44, struct bmap)
#define IOC_GETBMAPX _IOWR('X', 56, struct bmap)

enum {
	IF_ATTR = 1,
	IF_NO_DMAPI = 2,
	IF_PREALLOC = 4,
	IF_DELALLOC = 8,
	IF_NO_HOLES = 16,
	IF_ALL = 31	/* not the copies that are not written: EINVAL */
};
enum { OF_PREALLOC = 1, OF_DELALLOC = 2, OF_LAST = 4, OF_SHARED = 8 };

struct walk {
	struct inode *inode;
	struct bmapx *x;
	struct uptr to;			/* the next record */
	size_t size;			/* of one */
	u64 end;			/* bytes: of what is asked for */
	struct bmapx last;		/* not yet given out: it may be marked as the last */
	bool have;
};

static bool full(const struct walk *w)
{
	return w->x->b.entries + w->have >= w->x->b.count - 1;
}

static int give(struct walk *w)
{
	if (!w->have)
		return 0;
	if (copy_to_user(w->to, &w->last, w->size))
		return -EFAULT;
	w->to = uptr_add(w->to, w->size);
	w->x->b.entries++;
	w->have = false;
	return 0;
}

/* Bytes OFF to END at ADDR, or at the special BLOCK. */
static int add(struct walk *w, u64 off, u64 end, s64 block, s32 oflags)
{
	int e = give(w);

	w->last = (struct bmapx){ .b = { (s64)(off >> 9), block, (s64)((end - off) >> 9), 0, 0 },
				  .oflags = oflags };
	w->have = true;
	return e;
}

/* What *X says, cut to bytes OFF to END. */
static int tell(struct walk *w, const struct extent *x, u64 off, u64 end)
{
	s32 flags = 0;
	s64 block;

	switch (x->type) {
	case EXTENT_MAPPED:
	case EXTENT_UNWRITTEN:
		block = (s64)((x->addr + (off - (u64)x->off)) >> 9);
		if (x->type == EXTENT_UNWRITTEN && w->x->iflags & IF_PREALLOC)
			flags |= OF_PREALLOC;
		return add(w, off, end, block, flags | (x->flags & EXTENT_SHARED ? OF_SHARED : 0));
	case EXTENT_DELAYED:
		return w->x->iflags & IF_DELALLOC ? add(w, off, end, -2, OF_DELALLOC) : 0;
	default:
		return w->x->iflags & IF_NO_HOLES ? 0 : add(w, off, end, -1, 0);
	}
}

static bool is_data(const struct extent *x)
{
	return x->type != EXTENT_HOLE && x->type != EXTENT_INLINE;
}

/*
 * From byte OFF on. A hole is told when something comes behind it, or up to the end of the file,
 * SIZE; what comes before that is the last extent.
 */
static int walk(struct walk *w, u64 off, u64 size, bool attr)
{
	u64 block = (1u << w->inode->i_blkbits) - 1;
	struct extent x = { 0 };
	bool any = false;
	int e = 0;

	while (!e && off < w->end && !full(w)) {
		u64 end;

		e = xfs_fiemap_ops.map(w->inode, (loff_t)off, w->end - off, attr, &x);
		if (e || x.type == EXTENT_INLINE)
			break;
		end = (u64)x.off + x.len;
		if (!is_data(&x) && end > LLONG_MAX - block) {	/* nothing is behind it */
			w->last.oflags |= w->have && any ? OF_LAST : 0;
			end = min(size, w->end);
			any |= w->x->iflags & IF_DELALLOC;
			return any && !attr && off < end ? tell(w, &x, off, end) : 0;
		}
		any |= is_data(&x);
		e = tell(w, &x, off, min(end, w->end));
		off = end;
		if (fatal_signal_pending(current))
			e = -EINTR;
		cond_resched();
	}
	return e;
}

/* The bytes that a walk goes to where the caller does not say. */
static u64 most(struct inode *inode, bool attr)
{
	u64 block = (1u << inode->i_blkbits) - 1, size = (u64)i_size_read(inode);

	if (attr)
		return 1ull << 32;
	if (S_ISREG(inode->i_mode) &&
	    READ_ONCE(xfs_node_of(inode)->core.flags) & XFS_DIFLAG_PREALLOC)
		size = (u64)inode->i_sb->s_maxbytes - block;
	return (size + block) & ~block;
}

static int getbmap(struct inode *inode, struct bmapx *x, size_t size, struct uptr to)
{
	bool attr = x->iflags & IF_ATTR;
	struct walk w = { .inode = inode, .x = x, .to = to, .size = size };
	u64 off, block = (1u << inode->i_blkbits) - 1, all;
	int e = 0;

	x->b.entries = 0;
	if (!x->b.length)
		return 0;
	if (S_ISREG(inode->i_mode) && !attr && !(x->iflags & IF_DELALLOC))
		e = filemap_write_and_wait_range(inode->i_mapping, 0, LLONG_MAX);
	if (e)
		return e;
	all = most(inode, attr);
	if (x->b.offset < 0 || x->b.offset > LLONG_MAX >> 10)
		return 0;
	off = (u64)x->b.offset << 9;
	w.end = x->b.length < 0 ? all :
				  min(off + ((u64)min(x->b.length, (s64)(LLONG_MAX >> 10)) << 9),
				      (u64)LLONG_MAX - block);
	e = walk(&w, off & ~block, ((u64)i_size_read(inode) + block) & ~block, attr);
	if (!e && w.have)
		e = give(&w);
	if (!e && x->b.entries) {
		x->b.offset = w.last.b.offset + w.last.b.length;
		x->b.length = max((s64)(w.end >> 9) - x->b.offset, (s64)0);
	}
	return e;
}

long xfs_getbmap(struct file *file, unsigned int cmd, struct uptr arg)
{
	size_t size = cmd == IOC_GETBMAPX ? sizeof(struct bmapx) : sizeof(struct bmap);
	struct bmapx x = { 0 };
	int e;

	if (cmd != IOC_GETBMAP && cmd != IOC_GETBMAPA && cmd != IOC_GETBMAPX)
		return -ENOTTY;
	if (copy_from_user(&x, arg, size))
		return -EFAULT;
	if (cmd == IOC_GETBMAPA)
		x.iflags = IF_ATTR;
	if (x.b.count < 2 || x.iflags & ~IF_ALL || x.b.length < -1)
		return -EINVAL;
	e = getbmap(file_inode(file), &x, size, uptr_add(arg, size));
	return e ?: copy_to_user(arg, &x, size) ? -EFAULT : 0;
}
