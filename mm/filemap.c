// SPDX-License-Identifier: MIT
/*
 * The page cache: look-up, insertion, removal, buffered reads and writes.
 *
 * A look-up needs no lock: it takes the entry under RCU, a reference if the count is not zero, and then
 * checks that the folio still is this mapping's at this index. Whoever removes a folio clears its mapping
 * under the index lock first; a mapper that set an entry meanwhile sees that and takes it back, or is
 * seen by the remover (folio_remove_and_unmap).
 */
#include "mm_priv.h"
#include "filemap_priv.h"
#include <mm/backing.h>

void address_space_init(struct address_space *mapping, struct inode *host, const struct mapping_ops *ops,
			loff_t *i_size)
{
	memset(mapping, 0, sizeof(*mapping));
	mapping->host = host;
	mapping->backing = &default_backing;
	mapping->ops = ops;
	mapping->i_size = i_size;
	mapping->gfp_mask = GFP_HIGHUSER_MOVABLE;
	xa_init_flags(&mapping->i_pages, XA_FLAGS_LOCK_IRQ);
	init_rwsem(&mapping->invalidate_lock);
	init_rwsem(&mapping->i_mmap_rwsem);
	mapping->i_mmap = RB_ROOT_CACHED;
	atomic_set(&mapping->i_mmap_writable, 0);
	if (ops && !ops->writepages)
		mapping->flags |= 1ul << AS_NO_WRITEBACK;
	if (ops && !ops->writepages && !ops->read_folio)
		mapping->flags |= 1ul << AS_UNEVICTABLE;
}

void address_space_destroy(struct address_space *mapping)
{
	WARN_ON(mapping->nrpages);
	xa_destroy(&mapping->i_pages);
}

int mapping_map_writable(struct address_space *mapping)
{
	int c = atomic_read(&mapping->i_mmap_writable);

	do {
		if (c < 0)
			return -EPERM;
	} while (!atomic_try_cmpxchg(&mapping->i_mmap_writable, &c, c + 1));
	return 0;
}

void mapping_unmap_writable(struct address_space *mapping)
{
	atomic_dec(&mapping->i_mmap_writable);
}

int mapping_deny_writable(struct address_space *mapping)
{
	int c = atomic_read(&mapping->i_mmap_writable);

	do {
		if (c > 0)
			return -EBUSY;
	} while (!atomic_try_cmpxchg(&mapping->i_mmap_writable, &c, c - 1));
	return 0;
}

void mapping_allow_writable(struct address_space *mapping)
{
	atomic_inc(&mapping->i_mmap_writable);
}

loff_t mapping_size(struct address_space *mapping)
{
	return mapping->i_size ? READ_ONCE(*mapping->i_size) : LLONG_MAX;
}

struct folio *filemap_get_entry(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio;

	rcu_read_lock();
	for (;;) {
		folio = xa_load(&mapping->i_pages, index);
		if (!folio || xa_is_value(folio)) {
			folio = NULL;
			break;
		}
		if (unlikely(!folio_try_get_cached(folio)))
			continue;
		if (likely(folio_mapping(folio) == mapping &&
			   index - folio_index(folio) < folio_nr_pages(folio)))
			break;
		folio_put(folio);
	}
	rcu_read_unlock();
	return folio;
}

unsigned int filemap_get_run(struct address_space *mapping, pgoff_t index, unsigned int n, struct folio **first)
{
	void __rcu **slot, **at, **end;
	struct folio *next;

	rcu_read_lock();
	slot = at = xa_slots(&mapping->i_pages, index, &n);
	end = slot + n;
	next = slot ? rcu_dereference(*slot) : NULL;
	*first = next;
	if (likely(xa_is_pointer(next))) {
		/* Still in its slot when we have a reference, it is this file's and stays what it is. */
		for (; at < end && rcu_access_pointer(*at) == next && likely(folio_try_get_cached(next)); at++, next++) {
			if (unlikely(rcu_access_pointer(*at) != next)) {
				folio_put(next);
				break;
			}
		}
	} else if (!xa_is_internal(next)) {
		*first = NULL;
		while (++at < end && !(slot && READ_ONCE(*at)))
			;
	}
	rcu_read_unlock();
	if (likely(at > slot))
		return (unsigned int)(at - slot);
	*first = filemap_get_entry(mapping, index);
	return 1;
}

unsigned int filemap_get_folios_mark(struct address_space *mapping, pgoff_t *index, pgoff_t end, xa_mark_t mark,
				     struct folio **out, unsigned int max)
{
	void *entries[16];
	unsigned long idx[16];
	unsigned int got = 0;
	pgoff_t next = *index;		/* behind the last large folio: each is found once */

	while (got < max && *index <= end) {
		bool again = false;
		unsigned int n, i;

		rcu_read_lock();
		n = xa_extract_batch(&mapping->i_pages, index, end, mark, entries, idx, min(max - got, 16u));
		for (i = 0; i < n; i++) {
			struct folio *folio = entries[i];

			if (idx[i] < next || xa_is_value(folio))
				continue;
			again = !folio_try_get(folio);
			if (unlikely(again))	/* the holder of the index's lock drops it, or takes it apart */
				break;
			if (folio_mapping(folio) != mapping) {
				folio_put(folio);
				continue;
			}
			again = idx[i] - folio_index(folio) >= folio_nr_pages(folio);
			if (unlikely(again)) {	/* it was taken apart */
				folio_put(folio);
				break;
			}
			next = folio_index(folio) + folio_nr_pages(folio);
			out[got++] = folio;
		}
		rcu_read_unlock();
		if (unlikely(again)) {
			*index = idx[i];
			cpu_relax();
			continue;
		}
		/* The last batch: a further call with this index finds nothing. */
		if (!n || idx[n - 1] == end || next > end) {
			*index = end + 1 ? end + 1 : end;
			break;
		}
		*index = max(*index, next);
	}
	return got;
}

unsigned int filemap_get_folios(struct address_space *mapping, pgoff_t *index, pgoff_t end, struct folio **out,
				unsigned int max)
{
	return filemap_get_folios_mark(mapping, index, end, XA_PRESENT, out, max);
}

int filemap_add_folio(struct address_space *mapping, struct folio *folio, pgoff_t index, gfp_t gfp)
{
	unsigned long nr = folio_nr_pages(folio);
	bool shmem = mapping->flags & (1ul << AS_SHMEM);
	int err;
	u64 keep = (u64)folio->page.flags.counter & PG_FLAGS_MASK;

	folio->page.flags.counter = (s64)(keep | 1ul << PG_locked | (u64)index << PG_index_shift);
	folio->page.mapping = (uintptr_t)mapping;
	folio_ref_add(folio, (int)nr);
	xa_lock_irq(&mapping->i_pages);
	err = __xa_insert_run(&mapping->i_pages, index, folio_order(folio), folio, gfp & ~__GFP_ZERO);
	if (!err)
		mapping->nrpages += nr;
	xa_unlock_irq(&mapping->i_pages);
	if (err) {
		folio->page.mapping = 0;
		folio_put_refs(folio, (int)nr);
		return err == -EBUSY ? -EEXIST : err;
	}
	mod_stat(NR_FILE_PAGES, (long)nr);
	if (shmem)
		mod_stat(NR_SHMEM, (long)nr);
	if (!(mapping->flags & (1ul << AS_UNEVICTABLE)))
		folio_add_lru(folio);
	return 0;
}

int filemap_add_run(struct address_space *mapping, struct folio *first, pgoff_t index, unsigned int n, gfp_t gfp)
{
	unsigned int done = 0;
	int err = 0;

	xa_lock_irq(&mapping->i_pages);
	for (; done < n; done++) {
		struct folio *folio = first + done;
		u64 keep = (u64)folio->page.flags.counter & PG_FLAGS_MASK;

		folio->page.flags.counter = (s64)(keep | (u64)(index + done) << PG_index_shift);
		folio->page.mapping = (uintptr_t)mapping;
		folio_get(folio);
		err = __xa_insert(&mapping->i_pages, index + done, folio, gfp & ~__GFP_ZERO);
		if (err) {
			folio->page.mapping = 0;
			folio_put(folio);
			break;
		}
		mapping->nrpages++;
	}
	xa_unlock_irq(&mapping->i_pages);
	mod_stat(NR_FILE_PAGES, (long)done);
	if (mapping->flags & (1ul << AS_SHMEM))
		mod_stat(NR_SHMEM, (long)done);
	for (unsigned int i = 0; i < done && !(mapping->flags & (1ul << AS_UNEVICTABLE)); i++)
		folio_add_lru(first + i);
	return done ? (int)done : err == -EBUSY ? -EEXIST : err;
}

/* i_pages lock held, folio locked. The cache's references are the caller's to drop. */
void __filemap_remove(struct address_space *mapping, struct folio *folio)
{
	unsigned long nr = folio_nr_pages(folio);

	__xa_erase_run(&mapping->i_pages, folio_index(folio), folio_order(folio));
	mapping->nrpages -= nr;
	WRITE_ONCE(folio->page.mapping, 0);
	mod_stat(NR_FILE_PAGES, -(long)nr);
	if (mapping->flags & (1ul << AS_SHMEM)) {
		mod_stat(NR_SHMEM, -(long)nr);
		shmem_uncharge(mapping, nr);
	}
	if (folio_test_dirty(folio) && !(mapping->flags & (1ul << AS_NO_WRITEBACK))) {
		folio_clear_dirty_raw(folio);
		backing_cleaned(mapping, nr);
	}
}

void filemap_remove_folio(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);
	int nr = (int)folio_nr_pages(folio);

	if (!mapping)
		return;
	xa_lock_irq(&mapping->i_pages);
	__filemap_remove(mapping, folio);
	xa_unlock_irq(&mapping->i_pages);
	folio_put_refs(folio, nr);
}

/* The same, and no translation stays: first gone from the cache, then from the page tables. */
void folio_remove_and_unmap(struct address_space *mapping, struct folio *folio)
{
	loff_t pos = folio_pos(folio);

	filemap_remove_folio(folio);
	smp_mb();	/* pairs with the one in filemap_map_pages */
	if (folio_mapped(folio))
		unmap_mapping_range(mapping, pos, (loff_t)folio_size(folio), false);
}

struct folio *filemap_get_folio_order(struct address_space *mapping, pgoff_t index, unsigned int fgp, gfp_t gfp, unsigned int order)
{
	struct folio *folio;

repeat:
	folio = filemap_get_entry(mapping, index);
	if (folio) {
		if (fgp & FGP_LOCK) {
			if (fgp & FGP_NOWAIT) {
				if (!folio_trylock(folio)) {
					folio_put(folio);
					return ERR_PTR(-EAGAIN);
				}
			} else {
				folio_lock(folio);
			}
			if (unlikely(folio_mapping(folio) != mapping)) {
				folio_unlock(folio);
				folio_put(folio);
				goto repeat;
			}
		}
		if (fgp & FGP_ACCESSED)
			folio_mark_accessed(folio);
		return folio;
	}
	if (!(fgp & FGP_CREAT))
		return ERR_PTR(-ENOENT);
	gfp = gfp ? gfp : mapping->gfp_mask;
	if (fgp & FGP_NOWAIT)
		gfp = (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN;
	folio = filemap_new_folio(mapping, index, order, gfp);
	if (folio == ERR_PTR(-EEXIST))
		goto repeat;
	if (IS_ERR(folio))
		return folio;
	if (!(fgp & FGP_LOCK))
		folio_unlock(folio);
	return folio;
}

struct folio *__filemap_get_folio(struct address_space *mapping, pgoff_t index, unsigned int fgp, gfp_t gfp)
{
	return filemap_get_folio_order(mapping, index, fgp, gfp, 0);
}

/* Fill a folio that is not up to date; comes locked, goes unlocked. 0, -EIO, -EINTR, AOP_RETRY. */
static int fill_folio(struct address_space *mapping, struct file *file, struct folio *folio)
{
	int err = mapping->ops->read_folio(file, folio);

	if (err)
		return err;
	count_vm_event(PGPGIN);
	err = folio_wait_locked_killable(folio);
	if (err)
		return err;
	if (folio_test_uptodate(folio))
		return 0;
	if (!folio_mapping(folio))
		return AOP_RETRY;
	return folio_order(folio) ? folio_read_apart(folio) : -EIO;
}

/* Make a referenced folio of the cache valid. AOP_RETRY: it left the cache. */
int filemap_make_uptodate(struct address_space *mapping, struct file *file, struct folio *folio)
{
	int err;

	if (folio_test_uptodate(folio))
		return 0;
	err = folio_lock_killable(folio);
	if (err)
		return err;
	if (folio_mapping(folio) != mapping) {
		folio_unlock(folio);
		return AOP_RETRY;
	}
	if (folio_test_uptodate(folio)) {
		folio_unlock(folio);
		return 0;
	}
	if (!mapping->ops->read_folio) {
		folio_unlock(folio);
		return -EIO;
	}
	return fill_folio(mapping, file, folio);
}

struct folio *read_mapping_folio(struct address_space *mapping, pgoff_t index, struct file *file)
{
	for (;;) {
		struct folio *folio = __filemap_get_folio(mapping, index, FGP_CREAT, mapping->gfp_mask);
		int err;

		if (IS_ERR(folio))
			return folio;
		err = filemap_make_uptodate(mapping, file, folio);
		if (!err) {
			folio_mark_accessed(folio);
			return folio;
		}
		folio_put(folio);
		if (err != AOP_RETRY)
			return ERR_PTR(err);
	}
}

/* FOLIO, which has readahead's mark, is in use: starts reading behind it, at least up to page LAST. */
static void readahead_marked(struct address_space *mapping, struct file_ra_state *ra, struct file *file, struct folio *folio, pgoff_t last)
{
	pgoff_t end = folio_index(folio) + folio_nr_pages(folio) - 1;

	folio_clear_readahead(folio);
	page_cache_readahead(mapping, ra, file, end, last > end ? last - end + 1 : 1);
}

/* The folio for a read at index: valid and referenced. */
static struct folio *read_get_folio(struct kiocb *iocb, struct address_space *mapping, struct file_ra_state *ra,
				    pgoff_t index, pgoff_t last)
{
	for (;; ra = NULL) {	/* a second time the page alone is read: a larger folio may have one that cannot be */
		struct folio *folio = filemap_get_entry(mapping, index);
		int err;

		if (!folio) {
			if (iocb->ki_flags & (IOCB_NOWAIT | IOCB_NOIO))
				return ERR_PTR(-EAGAIN);
			if (ra)
				page_cache_readahead(mapping, ra, iocb->ki_filp, index, last - index + 1);
		} else if (unlikely(folio_test_readahead(folio)) && ra &&
			   !(iocb->ki_flags & (IOCB_NOWAIT | IOCB_NOIO))) {
			readahead_marked(mapping, ra, iocb->ki_filp, folio, last);
		}
		if (likely(folio && folio_test_uptodate(folio)))
			return folio;
		if (iocb->ki_flags & (IOCB_NOWAIT | IOCB_NOIO)) {
			folio_put(folio);
			return ERR_PTR(-EAGAIN);
		}
		/* Who takes data away holds the lock until it is gone below the cache too: none comes back in between. */
		filemap_invalidate_lock_shared(mapping);
		if (!folio)
			folio = __filemap_get_folio(mapping, index, FGP_CREAT, mapping->gfp_mask);
		err = IS_ERR(folio) ? (int)PTR_ERR(folio) : filemap_make_uptodate(mapping, iocb->ki_filp, folio);
		filemap_invalidate_unlock_shared(mapping);
		if (!err || IS_ERR(folio))
			return folio;
		folio_put(folio);
		if (err != AOP_RETRY)
			return ERR_PTR(err);
	}
}

ssize_t filemap_read(struct kiocb *iocb, struct iter *to, struct address_space *mapping, struct file_ra_state *ra)
{
	ssize_t done = 0;
	int err = 0;

	while (iter_count(to)) {
		loff_t pos = iocb->ki_pos, size = mapping_size(mapping);
		struct folio *folio;
		size_t off, n, copied;

		if (pos >= size)
			break;
		folio = read_get_folio(iocb, mapping, ra, (pgoff_t)pos >> PAGE_SHIFT,
				       (pgoff_t)(pos + (loff_t)iter_count(to) - 1) >> PAGE_SHIFT);
		if (IS_ERR(folio)) {
			err = (int)PTR_ERR(folio);
			break;
		}
		/* The size only now: data beyond it may be from before a truncation. */
		size = mapping_size(mapping);
		if (pos >= size) {
			folio_put(folio);
			break;
		}
		off = (size_t)(pos - folio_pos(folio));
		n = min3(iter_count(to), folio_size(folio) - off, (size_t)(size - pos));
		copied = copy_folio_to_iter(folio, off, n, to);
		if (folio_test_lru(folio) || !folio_test_referenced(folio))
			folio_mark_accessed(folio);
		folio_put(folio);
		iocb->ki_pos += (loff_t)copied;
		done += (ssize_t)copied;
		if (ra)
			ra->prev_pos = iocb->ki_pos;
		if (copied < n) {
			err = -EFAULT;
			break;
		}
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
	}
	return done ? done : err;
}

int generic_write_begin(struct file *file, struct address_space *mapping, loff_t pos, unsigned int len,
			struct folio **foliop, void **fsdata)
{
	size_t off;
	struct folio *folio;
	int err;

retry:
	folio = __filemap_get_folio(mapping, (pgoff_t)pos >> PAGE_SHIFT, FGP_WRITEBEGIN, mapping->gfp_mask);
	if (IS_ERR(folio))
		return (int)PTR_ERR(folio);
	off = (size_t)(pos - folio_pos(folio));
	if (!folio_test_uptodate(folio) && len < folio_size(folio)) {
		if (folio_pos(folio) >= mapping_size(mapping) || !mapping->ops->read_folio) {
			folio_zero_range(folio, 0, off);
			folio_zero_range(folio, off + len, folio_size(folio) - off - len);
		} else {
			err = fill_folio(mapping, file, folio);
			if (err) {
				folio_put(folio);
				if (err == AOP_RETRY)
					goto retry;
				return err;
			}
			folio_lock(folio);
			if (folio_mapping(folio) != mapping) {
				folio_unlock(folio);
				folio_put(folio);
				goto retry;
			}
		}
	}
	folio_wait_writeback(folio);
	*foliop = folio;
	return 0;
}

int generic_write_end(struct file *file, struct address_space *mapping, loff_t pos, unsigned int len,
		      unsigned int copied, struct folio *folio, void *fsdata)
{
	if (!folio_test_uptodate(folio)) {
		/* A short copy into a folio with holes: nothing of it counts. */
		if (copied < len)
			copied = 0;
		else
			folio_mark_uptodate(folio);
	}
	if (copied) {
		folio_mark_dirty(folio);
		if (mapping->i_size && pos + copied > *mapping->i_size)
			WRITE_ONCE(*mapping->i_size, pos + copied);
	}
	folio_unlock(folio);
	folio_put(folio);
	return (int)copied;
}

ssize_t filemap_write(struct kiocb *iocb, struct iter *from, struct address_space *mapping)
{
	const struct mapping_ops *ops = mapping->ops;
	ssize_t done = 0;
	int err = 0;

	while (iter_count(from)) {
		loff_t pos = iocb->ki_pos;
		size_t off = (size_t)pos & (PAGE_SIZE - 1);
		size_t bytes = min(PAGE_SIZE - off, iter_count(from)), copied, got;
		struct folio *folio;
		void *fsdata = NULL;

again:
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		err = ops->write_begin ? ops->write_begin(iocb->ki_filp, mapping, pos, (unsigned int)bytes, &folio, &fsdata)
				       : generic_write_begin(iocb->ki_filp, mapping, pos, (unsigned int)bytes, &folio, &fsdata);
		if (err)
			break;
		off = (size_t)(pos - folio_pos(folio));
		got = copy_folio_from_iter_atomic(folio, off, bytes, from);
		err = ops->write_end ? ops->write_end(iocb->ki_filp, mapping, pos, (unsigned int)bytes, (unsigned int)got, folio, fsdata)
				     : generic_write_end(iocb->ki_filp, mapping, pos, (unsigned int)bytes, (unsigned int)got, folio, fsdata);
		if (err < 0) {
			iter_revert(from, got);
			break;
		}
		if ((size_t)err < got)
			iter_revert(from, got - (size_t)err);
		copied = (size_t)err;
		err = 0;
		if (unlikely(!copied)) {
			/* The source ended within a folio that is not read: so much of it goes into one that is. */
			if (got) {
				bytes = got;
				goto again;
			}
			/* The source is not there: fetch it with no folio locked, it may be the same page. */
			bytes = min(bytes, iter_single_seg_count(from));
			if (fault_in_iter_readable(from, bytes) == bytes) {
				err = -EFAULT;
				break;
			}
			goto again;
		}
		iocb->ki_pos += (loff_t)copied;
		done += (ssize_t)copied;
		balance_dirty_pages_ratelimited(mapping);
	}
	return done ? done : err;
}

bool filemap_page_resident(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = filemap_get_entry(mapping, index);
	bool in = folio && folio_test_uptodate(folio);

	if (folio)
		folio_put(folio);
	return in;
}

loff_t mapping_seek_hole_data(struct address_space *mapping, loff_t start, loff_t end, int whence)
{
	pgoff_t i = (pgoff_t)start >> PAGE_SHIFT, last = (pgoff_t)(end - 1) >> PAGE_SHIFT;
	bool data = whence == 3;	/* SEEK_DATA */

	if (start >= end)
		return -ENXIO;
	if (data) {
		unsigned long at = i;

		if (!xa_find(&mapping->i_pages, &at, last, XA_PRESENT))
			return -ENXIO;
		return at == i ? start : (loff_t)at << PAGE_SHIFT;
	}
	while (i <= last && xa_load(&mapping->i_pages, i))
		i++;
	return clamp((loff_t)i << PAGE_SHIFT, start, end);
}

int filemap_mmap(struct file *file, struct vma *vma)
{
	if (!vma->vm_mapping || !vma->vm_mapping->ops || !vma->vm_mapping->ops->read_folio)
		return -ENOEXEC;
	mm_file_accessed(file);
	vma->vm_ops = &filemap_vm_ops;
	return 0;
}

/* A fault on a file page: returned locked and valid. */
static vm_fault_t filemap_fault(struct vm_fault *vmf)
{
	struct vma *vma = vmf->vma;
	struct address_space *mapping = vma->vm_mapping;
	struct file_ra_state *ra = mm_file_ra(vma->vm_file);
	vm_fault_t ret = 0;
	int err;

	for (;;) {
		pgoff_t max = (pgoff_t)((u64)(mapping_size(mapping) + (loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
		struct folio *folio;

		if (mapping->i_size && vmf->pgoff >= max)
			return VM_FAULT_SIGBUS;
		folio = filemap_get_entry(mapping, vmf->pgoff);
		if (folio && unlikely(folio_test_readahead(folio)) && ra && !(vma->vm_flags & VM_RAND_READ))
			readahead_marked(mapping, ra, vma->vm_file, folio, vmf->pgoff);
		if (!folio || !folio_test_uptodate(folio)) {
			ret |= VM_FAULT_MAJOR;
			if (!folio && ra && !(vma->vm_flags & VM_RAND_READ))
				page_cache_readahead(mapping, ra, vma->vm_file, vmf->pgoff, 1);
			filemap_invalidate_lock_shared(mapping);
			if (!folio) {
				folio = __filemap_get_folio(mapping, vmf->pgoff, FGP_CREAT, mapping->gfp_mask);
			}
			err = IS_ERR(folio) ? (int)PTR_ERR(folio)
					    : filemap_make_uptodate(mapping, vma->vm_file, folio);
			filemap_invalidate_unlock_shared(mapping);
			if (err) {
				if (!IS_ERR(folio))
					folio_put(folio);
				ra = NULL;	/* as in read_get_folio() */
				if (err == AOP_RETRY)
					continue;
				if (err == -EINTR)
					return VM_FAULT_RETRY;
				return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
			}
		}
		folio_lock(folio);
		if (unlikely(folio_mapping(folio) != mapping || !folio_test_uptodate(folio))) {
			folio_unlock(folio);
			folio_put(folio);
			continue;
		}
		max = (pgoff_t)((u64)(mapping_size(mapping) + (loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
		if (unlikely(mapping->i_size && vmf->pgoff >= max)) {
			folio_unlock(folio);
			folio_put(folio);
			return VM_FAULT_SIGBUS;
		}
		vmf->page = folio_page(folio, vmf->pgoff - folio_index(folio));
		return ret | VM_FAULT_LOCKED;
	}
}

/*
 * Fault-around: map valid cached pages [start, end] (one table's worth) whose entries are empty.
 * Without folio locks: the mapping is looked at again after the entry is set, and the entry taken back if
 * the folio left the cache; a remover that did not see our mapcount is seen here.
 */
vm_fault_t filemap_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	struct vma *vma = vmf->vma;
	struct address_space *mapping = vma->vm_mapping;
	bool write = vma_is_shared(vma) && vma->vm_flags & VM_WRITE && !vma_wants_writenotify(vma);
	unsigned int prot = write ? vma->vm_page_prot : vma->vm_page_prot & ~PTE_P_WRITE;
	loff_t size = mapping_size(mapping);
	unsigned long idx[16], nr[1] = { 0 };
	void *ent[16];
	unsigned int n;
	vm_fault_t ret = 0;
	spinlock_t *ptl;
	pgoff_t first = start;
	int counter = mapping->flags & (1ul << AS_SHMEM) ? MM_SHMEMPAGES : MM_FILEPAGES;

	if (mapping->i_size) {
		pgoff_t max = (pgoff_t)((u64)(size + (loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);

		if (!max || start >= max)
			return 0;
		end = min(end, max - 1);
	}
	rcu_read_lock();
	n = xa_extract_batch(&mapping->i_pages, &first, end, XA_PRESENT, ent, idx,
			     (unsigned int)min(end - start + 1, 16ul));
	if (!n) {
		rcu_read_unlock();
		return 0;
	}
	pte_t *base = pte_find_lock(vma->vm_mm, vmf->address, &ptl);
	if (base && unlikely(vma_was_reaped(vma)))
		n = 0;
	for (unsigned int i = 0; base && i < n; i++) {
		struct folio *folio = ent[i];
		pte_t *pte = base + ((long)idx[i] - (long)vmf->pgoff);
		struct page *page;

		if (xa_is_value(folio) || !pte_none(ptep_read(pte)) || !folio_is_plain(folio) || !folio_try_get(folio))
			continue;
		if (folio_mapping(folio) != mapping || idx[i] - folio_index(folio) >= folio_nr_pages(folio)) {
			folio_put(folio);
			continue;
		}
		page = folio_page(folio, idx[i] - folio_index(folio));
		folio_add_file_rmap(folio);
		ptep_set(pte, pte_make(page_to_pfn(page), prot, 0));
		smp_mb();	/* pairs with those of folio_remove_and_unmap and of split.c */
		if (unlikely(folio_mapping(folio) != mapping || !folio_test_uptodate(folio))) {
			unsigned long addr = vmf->address + ((idx[i] - vmf->pgoff) << PAGE_SHIFT);

			/* Another thread may have used the entry meanwhile. */
			ptep_clear(pte);
			arch_tlb_flush_mm_range(&vma->vm_mm->context, addr, addr + PAGE_SIZE, PAGE_SIZE, false);
			folio_remove_rmap(folio);
			folio_put(folio);
			continue;
		}
		nr[0]++;
		if (idx[i] == vmf->pgoff)
			ret = VM_FAULT_NOPAGE;
	}
	if (base)
		pte_unlock(ptl);
	rcu_read_unlock();
	if (nr[0])
		add_mm_counter(vma->vm_mm, counter, (long)nr[0]);
	return ret;
}

const struct vm_operations filemap_vm_ops = {
	.fault = filemap_fault,
	.map_pages = filemap_map_pages,
};
