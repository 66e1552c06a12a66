// SPDX-License-Identifier: MIT
/*
 * Writes into the page cache, zeroing there, and faults that make a page writable.
 *
 * User memory is faulted in while no folio is locked and copied without faulting under the lock, so
 * that a write from a mapping of the same page does not wait for itself. A write gives back the
 * reservations that it did not use. It holds invalidate_lock for writing then, and page_mkwrite()
 * holds it for reading, so that no page whose reservation goes becomes writable at the same time.
 *
 * Locks: inode lock (writes and zeroing) > invalidate_lock > folio lock > the filesystem's.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <kernel/bug.h>
#include <mm/fault.h>
#include <mm/mm.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include "extent/extent_priv.h"

static void balance_dirty(struct address_space *m, size_t bytes)
{
	balance_dirty_pages(m, (unsigned int)DIV_ROUND_UP(bytes, PAGE_SIZE));
}

/* Reservations from FROM to TO go back, but for those of dirty data. */
static void give_back(struct extent_file *x, u64 from, u64 to)
{
	struct address_space *m = &x->inode->i_data;
	pgoff_t index = (pgoff_t)(from >> PAGE_SHIFT), last = (pgoff_t)((to - 1) >> PAGE_SHIFT);
	u64 block = 1ull << x->inode->i_blkbits;
	struct folio *batch[16];
	unsigned int n;

	to = (to + block - 1) & -block;
	filemap_invalidate_lock(m);
	while (index <= last &&
	       (n = filemap_get_folios(m, &index, last, batch, ARRAY_SIZE(batch)))) {
		for (unsigned int i = 0; i < n; i++) {
			struct folio *f = batch[i];
			u64 pos = (u64)folio_pos(f);

			folio_lock(f);
			if (folio_mapping(f) == m &&
			    (folio_test_dirty(f) || folio_test_writeback(f))) {
				if (pos > from)
					x->ops->unreserve(x->inode, (loff_t)from, pos - from);
				extent_change_undo(x, f, (loff_t)from);
				from = folio_end(f);
			}
			folio_unlock(f);
			folio_put(f);
		}
		cond_resched();
	}
	if (from < to)
		x->ops->unreserve(x->inode, (loff_t)from, to - from);
	filemap_invalidate_unlock(m);
}

/*
 * As much of the next folio as FROM has, at most *MOST. Bytes; 0: its memory is not there now, or a
 * shorter copy is to be tried, *MOST; -errno.
 */
static ssize_t write_some(struct extent_change *c, struct kiocb *k, struct iter *from, size_t *most)
{
	size_t len = *most, got, counted;
	struct folio *folio;
	int e = extent_change_begin(c, k->ki_pos, &len, iter_count(from), &folio);

	if (e)
		return e;
	got = copy_folio_from_iter_atomic(folio, (size_t)(k->ki_pos - folio_pos(folio)), len, from);
	counted = extent_change_end(c, folio, k->ki_pos, len, got);
	if (counted < got)
		iter_revert(from, got - counted);
	/* The part that was there goes into units that are read first. */
	*most = counted ? SIZE_MAX : got;
	k->ki_pos += (loff_t)counted;
	return (ssize_t)counted;
}

ssize_t extent_buffered_write(struct extent_file *x, struct kiocb *k, struct iter *from)
{
	struct extent_change c = { .x = x };
	loff_t start = k->ki_pos, end = start + (loff_t)iter_count(from);
	size_t most = SIZE_MAX;
	ssize_t n = 0;

	if (k->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	while (iter_count(from)) {
		most = min(most, iter_count(from));
		n = fatal_signal_pending(current) ? -EINTR : write_some(&c, k, from, &most);
		if (n < 0)
			break;
		if (n) {
			balance_dirty(&x->inode->i_data, (size_t)n);
		} else if (!most) {
			size_t want = min(iter_single_seg_count(from), PAGE_SIZE);

			most = want;
			if (fault_in_iter_readable(from, want) == want) {
				n = -EFAULT;
				break;
			}
		}
	}
	if (k->ki_pos < end && c.reserved)
		give_back(x, (u64)k->ki_pos, (u64)end);
	return k->ki_pos - start ?: n;
}

/* ---- zeroes ---- */

/*
 * FOLIO is locked, its bytes FROM to TO have no written block as AT says. *STALE: that may be no
 * longer so.
 */
static void zero_cached(struct extent_file *x, struct folio *folio, size_t from, size_t to,
			const struct extent *at, bool *stale)
{
	struct extent_state *s = extent_state_of(x, folio);
	unsigned int bits = extent_unit_bits(x);

	*stale = at->cookie != x->ops->cookie(x->inode);
	if (*stale)
		return;
	folio_zero_range(folio, from, to - from);
	/* A folio that is dirty or under writeback is written once more, with the zeroes. */
	if (!folio_test_dirty(folio) && !folio_test_writeback(folio))
		return;
	if (s)
		extent_state_redirty(s, (unsigned int)(from >> bits),
				     (unsigned int)((to - 1) >> bits));
	filemap_dirty_folio(&x->inode->i_data, folio);
}

/* Cached folios between OFF and END. Where AT is stale, *DONE lies before END. */
static void zero_unwritten(struct extent_file *x, loff_t off, loff_t end, const struct extent *at,
			   loff_t *done)
{
	struct address_space *m = &x->inode->i_data;
	pgoff_t index = (pgoff_t)(off >> PAGE_SHIFT), last = (pgoff_t)((end - 1) >> PAGE_SHIFT);
	struct folio *batch[16];
	bool stale = false;
	unsigned int n;

	*done = end;
	while (!stale && index <= last &&
	       (n = filemap_get_folios(m, &index, last, batch, ARRAY_SIZE(batch)))) {
		for (unsigned int i = 0; i < n; i++) {
			struct folio *f = batch[i];
			loff_t from = max(off, folio_pos(f)),
			       to = (loff_t)min((u64)end, folio_end(f));

			folio_lock(f);
			if (!stale && folio_mapping(f) == m)
				zero_cached(x, f, (size_t)(from - folio_pos(f)),
					    (size_t)(to - folio_pos(f)), at, &stale);
			if (stale)
				*done = min(*done, from);
			folio_unlock(f);
			folio_put(f);
		}
	}
}

/*
 * Blocks behind the file's end: the file grows with them, as only what is in the file is written
 * back. In its last block it does not, so that a write that fails then leaves its size.
 */
static int zero_written(struct extent_file *x, loff_t off, loff_t end)
{
	struct extent_change c = { .x = x, .zeroes = true };
	int e = 0;

	while (!e && off < end) {
		size_t n = (size_t)min((u64)(end - off), (u64)SIZE_MAX);
		struct folio *folio;

		e = fatal_signal_pending(current) ?
			    -EINTR :
			    extent_change_begin(&c, off, &n, (u64)(end - off), &folio);
		if (e)
			break;
		folio_zero_range(folio, (size_t)(off - folio_pos(folio)), n);
		extent_change_end(&c, folio, off, n, n);
		off += (loff_t)n;
		balance_dirty(&x->inode->i_data, n);
	}
	return e;
}

int extent_zero(struct extent_file *x, loff_t off, loff_t end)
{
	struct extent at;
	int e = 0;

	while (off < end) {
		loff_t to;

		e = fatal_signal_pending(current) ?
			    -EINTR :
			    x->ops->map(x->inode, off, (u64)(end - off), false, &at);
		if (e)
			break;
		to = at.len < (u64)(end - at.off) ? at.off + (loff_t)at.len : end;
		if (at.type == EXTENT_MAPPED) {
			e = zero_written(x, off, to);
			if (e)
				break;
			off = to;
		} else {
			zero_unwritten(x, off, to, &at, &off);
		}
		cond_resched();
	}
	return e;
}

int extent_extend(struct extent_file *x, loff_t to)
{
	loff_t old = i_size_read(x->inode);
	int e = to > old ? extent_zero(x, old, to) : 0;

	if (e && i_size_read(x->inode) > old) {
		i_size_write(x->inode, old);
		truncate_pagecache(&x->inode->i_data, old);
	}
	return e;
}

int extent_resize(struct extent_file *x, loff_t size)
{
	loff_t old = i_size_read(x->inode);
	u64 block = 1ull << x->inode->i_blkbits;
	int e = extent_extend(x, size);

	if (!e && size < old)
		e = extent_zero(x, size, (loff_t)min((u64)old, ((u64)size + block - 1) & -block));
	if (e)
		return e;
	i_size_write(x->inode, size);
	if (size > old)
		return 0;
	truncate_pagecache(&x->inode->i_data, size);
	/*
	 * The caller gives back the blocks behind SIZE, also those of the page in which the file
	 * ends: the next store to that page is to fault, so that page_mkwrite() reserves them.
	 */
	if (size & (PAGE_SIZE - 1))
		unmap_mapping_range(&x->inode->i_data, size & PAGE_MASK, PAGE_SIZE, false);
	return 0;
}

/* ---- as they are ---- */

/*
 * Pages of FOLIO, which is valid, between FROM and TO in the file; its other ones stay clean. 0;
 * -EAGAIN: it left the cache.
 */
static int rewrite_folio(struct extent_file *x, struct folio *folio, loff_t from, loff_t to)
{
	struct extent_change c = { .x = x };
	struct extent_state *s;
	size_t off = (size_t)max(from - folio_pos(folio), (loff_t)0) & PAGE_MASK,
	       end = (size_t)min(to - folio_pos(folio), (loff_t)folio_size(folio));
	int e = -EAGAIN;

	end = round_up(end, PAGE_SIZE);
	folio_lock(folio);
	if (folio_mapping(folio) == &x->inode->i_data && folio_test_uptodate(folio)) {
		e = folio_order(folio) ? extent_state_get(x, folio, &s) : 0;
		e = e ?: extent_change_pages(&c, folio, off, end);
		if (!e)
			extent_dirty_part(&x->inode->i_data, folio, off, end - off);
	}
	folio_unlock(folio);
	return e;
}

int extent_rewrite(struct extent_file *x, loff_t off, loff_t end)
{
	struct address_space *m = &x->inode->i_data;
	int e = 0;

	while (!e && off < end) {
		struct folio *folio;
		size_t size;

		if (fatal_signal_pending(current))
			return -EINTR;
		folio = read_mapping_folio(m, (pgoff_t)(off >> PAGE_SHIFT), NULL);
		if (IS_ERR(folio))
			return (int)PTR_ERR(folio);
		size = folio_size(folio);
		e = rewrite_folio(x, folio, off, end);
		if (!e)
			off = (loff_t)min((u64)end, folio_end(folio));
		else if (e == -EAGAIN)
			e = 0;
		folio_put(folio);
		balance_dirty(m, size);
	}
	return e;
}

/* ---- mapped writes ---- */

static vm_fault_t fault(struct vm_fault *vmf)
{
	return filemap_vm_ops.fault(vmf);
}

static vm_fault_t map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	return filemap_vm_ops.map_pages(vmf, start, end);
}

/* The page at OFF of FOLIO. */
static int mkwrite(struct extent_change *c, struct folio *folio, size_t off)
{
	struct extent_state *s;
	/* A large folio's other pages stay clean: from here on it has a state. */
	int e = folio_order(folio) ? extent_state_get(c->x, folio, &s) : 0;

	return e ?: extent_change_pages(c, folio, off, off + PAGE_SIZE);
}

/*
 * The whole page is reserved, though the file may end in it: then a file that grows has nothing in
 * the cache that is writable and not reserved. Other pages of its folio are neither.
 */
static vm_fault_t page_mkwrite(struct vm_fault *vmf)
{
	struct address_space *m = vmf->vma->vm_mapping;
	struct extent_change c = { .x = m->private_data };
	struct folio *folio = page_folio(vmf->page);
	size_t off = (size_t)(vmf->page - &folio->page) << PAGE_SHIFT;
	vm_fault_t ret = VM_FAULT_LOCKED;
	int e;

	sb_start_pagefault(m->host->i_sb);
	filemap_invalidate_lock_shared(m);
	folio_lock(folio);
	if (folio_mapping(folio) != m || !folio_test_uptodate(folio) ||
	    folio_pos(folio) + (loff_t)off >= i_size_read(m->host)) {
		ret = VM_FAULT_NOPAGE;	/* truncated: the fault finds out */
	} else {
		e = mkwrite(&c, folio, off);
		if (!e)
			folio_mark_page_dirty(folio, vmf->page);
		else
			ret = e == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	}
	if (ret != VM_FAULT_LOCKED)
		folio_unlock(folio);
	filemap_invalidate_unlock_shared(m);
	sb_end_pagefault(m->host->i_sb);
	return ret;
}

static const struct vm_operations vm_ops = {
	.fault = fault,
	.map_pages = map_pages,
	.page_mkwrite = page_mkwrite,
};

int extent_mmap(struct file *file, struct vma *vma)
{
	int e = generic_file_mmap(file, vma);

	if (!e)
		vma->vm_ops = &vm_ops;
	return e;
}
