// SPDX-License-Identifier: MIT
/* Where data and holes are: lseek(2) and FS_IOC_FIEMAP, one extent after the other. */
#include <lib/minmax.h>
#include <extent/file.h>
#include <sched/task.h>
#include <vfs/fiemap.h>
#include <mm/filemap.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include "extent/extent_priv.h"

static bool is_data(const struct extent *e)
{
	return e->type == EXTENT_MAPPED || e->type == EXTENT_INLINE || e->type == EXTENT_DELAYED;
}

/*
 * AT is unwritten and has OFF: whether OFF is data, as the cache has something that may not be on
 * the device yet. *END: up to where that holds.
 */
static bool cached_data(struct extent_file *x, const struct extent *at, loff_t off, loff_t *end)
{
	struct address_space *m = &x->inode->i_data;
	pgoff_t index = (pgoff_t)(off >> PAGE_SHIFT), last = (pgoff_t)((*end - 1) >> PAGE_SHIFT);
	struct folio *f;
	loff_t pos, unit;
	bool data;

	if (at->type != EXTENT_UNWRITTEN || !filemap_get_folios(m, &index, last, &f, 1))
		return false;
	pos = folio_pos(f);
	data = folio_test_uptodate(f);
	*end = (loff_t)min((u64)*end, pos > off ? (u64)pos : folio_end(f));
	if (!data && pos <= off) {
		unit = 1ll << extent_unit_bits(x);
		data = extent_state_has(x, f, (unsigned int)((off - pos) / unit));
		*end = (loff_t)min((u64)*end, (u64)(off - off % unit) + (u64)unit);
	}
	folio_put(f);
	return data && pos <= off;
}

loff_t extent_seek(struct extent_file *x, loff_t off, int whence)
{
	loff_t size = i_size_read(x->inode);

	if (off < 0 || off >= size)
		return -ENXIO;
	while (off < size) {
		struct extent at;
		loff_t to;
		int e = fatal_signal_pending(current) ?
				-EINTR :
				x->ops->map(x->inode, off, (u64)(size - off), false, &at);

		if (e)
			return e;
		to = at.len >= (u64)(size - at.off) ? size : at.off + (loff_t)at.len;
		if ((is_data(&at) || cached_data(x, &at, off, &to)) == (whence == SEEK_DATA))
			return off;
		off = to;
		cond_resched();
	}
	return whence == SEEK_HOLE ? size : -ENXIO;
}

static u32 fiemap_flags(const struct extent *e)
{
	u32 f = 0;

	if (e->type == EXTENT_UNWRITTEN)
		f |= FIEMAP_EXTENT_UNWRITTEN;
	if (e->type == EXTENT_INLINE)
		f |= FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_NOT_ALIGNED;
	if (e->type == EXTENT_DELAYED)
		f |= FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN;
	if (e->flags & EXTENT_SHARED)
		f |= FIEMAP_EXTENT_SHARED;
	return f;
}

/* The last extent is known when the next is looked for: one is kept back. */
int extent_fiemap(struct extent_file *x, struct fiemap_extent_info *info, u64 start, u64 len)
{
	bool attr = info->flags & FIEMAP_FLAG_XATTR;
	struct extent kept = { 0 }, at;
	u64 end = start + len, pos = start;
	int e = 0;

	while (pos < end && !e) {
		e = fatal_signal_pending(current) ?
			    -EINTR :
			    x->ops->map(x->inode, (loff_t)pos, end - pos, attr, &at);
		if (e)
			return e;
		if (at.type != EXTENT_HOLE) {
			if (kept.len)
				e = fiemap_add(info, (u64)kept.off, kept.addr, kept.len,
					       fiemap_flags(&kept));
			kept = at;
		}
		pos = (u64)at.off + at.len;
		cond_resched();
	}
	if (!e && kept.len) {
		/* Whether anything follows the range, too. */
		bool last = true;

		while (last && pos < (u64)LLONG_MAX) {
			e = fatal_signal_pending(current) ?
				    -EINTR :
				    x->ops->map(x->inode, (loff_t)pos, (u64)LLONG_MAX - pos, attr,
						&at);
			if (e)
				return e;
			last = at.type == EXTENT_HOLE;
			if (last && at.len >= (u64)LLONG_MAX - pos)
				break;
			pos = (u64)at.off + at.len;
		}
		e = fiemap_add(info, (u64)kept.off, kept.addr, kept.len,
			       fiemap_flags(&kept) | (last ? FIEMAP_EXTENT_LAST : 0));
	}
	return e < 0 ? e : 0;
}
