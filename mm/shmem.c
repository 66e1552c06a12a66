// SPDX-License-Identifier: MIT
/*
 * Files that live in memory. The folios of the page cache are the data: never clean, never written back,
 * never reclaimed; a missing folio is a hole of zeroes.
 *
 * Charging: each folio counts against its mount's limit (shmem_sb), against all that may outlive its maker (mm/lasting.h) and,
 * unless the whole size was committed at creation, against the system's commit limit; all are given back when the folio leaves
 * the cache.
 *
 * Writes, truncation and fallocate run under the inode lock (the caller's); reads and faults do not. A
 * folio enters the cache complete: zeroed, or filled by the write that makes it.
 */
#include "mm_priv.h"
#include "filemap_priv.h"
#include <mm/lasting.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>

static struct shmem_inode *to_si(struct address_space *mapping)
{
	return mapping->private_data;
}

const struct mapping_ops shmem_mapping_ops = {
	.dirty_folio = noop_dirty_folio,
};

void shmem_inode_init(struct shmem_inode *si, struct shmem_sb *sb, struct address_space *mapping,
		      struct inode *host, loff_t *i_size)
{
	address_space_init(mapping, host, &shmem_mapping_ops, i_size);
	mapping->flags |= 1ul << AS_SHMEM | 1ul << AS_UNEVICTABLE | 1ul << AS_NO_WRITEBACK;
	mapping->private_data = si;
	si->sb = sb;
	si->mapping = mapping;
	si->i_size = i_size;
	atomic64_set(&si->nr_pages, 0);
	si->seals = F_SEAL_SEAL;
	si->flags = 0;
	si->acct_pages = 0;
}

int shmem_acct_size(struct shmem_inode *si, loff_t size)
{
	unsigned long pages = (unsigned long)(PAGE_ALIGN((u64)size) >> PAGE_SHIFT);

	if (vm_enough_memory(NULL, pages))
		return -ENOMEM;
	si->acct_pages = pages;
	return 0;
}

void shmem_inode_evict(struct shmem_inode *si)
{
	truncate_inode_pages_final(si->mapping);
	if (si->acct_pages)
		vm_unacct_memory(si->acct_pages);
	si->acct_pages = 0;
}

int shmem_sb_reserve(struct shmem_sb *sb, unsigned long nr)
{
	u64 max = READ_ONCE(sb->max_pages);
	s64 used = atomic64_read(&sb->used);

	if (lasting_charge(nr << PAGE_SHIFT))
		return -ENOSPC;
	do {
		if (max && (u64)used + nr > max) {
			lasting_uncharge(nr << PAGE_SHIFT);
			return -ENOSPC;
		}
	} while (!atomic64_try_cmpxchg(&sb->used, &used, used + (s64)nr));
	return 0;
}

void shmem_sb_release(struct shmem_sb *sb, unsigned long nr)
{
	lasting_uncharge(nr << PAGE_SHIFT);
	atomic64_sub((s64)nr, &sb->used);
}

static int charge(struct shmem_inode *si, unsigned long nr)
{
	if (!si->acct_pages && vm_enough_memory(NULL, nr))
		return -ENOMEM;
	if (si->sb && shmem_sb_reserve(si->sb, nr)) {
		if (!si->acct_pages)
			vm_unacct_memory(nr);
		return -ENOSPC;
	}
	atomic64_add((s64)nr, &si->nr_pages);
	return 0;
}

static void uncharge(struct shmem_inode *si, unsigned long nr)
{
	atomic64_sub((s64)nr, &si->nr_pages);
	if (si->sb)
		shmem_sb_release(si->sb, nr);
	if (!si->acct_pages)
		vm_unacct_memory(nr);
}

/* Called for each folio that leaves the cache. */
void shmem_uncharge(struct address_space *mapping, unsigned long nr)
{
	uncharge(to_si(mapping), nr);
}

#define FOLIO_GFP (GFP_HIGHUSER_MOVABLE | __GFP_ACCOUNT)
#define FOLIO_FLAGS (1l << PG_swapbacked | 1l << PG_uptodate | 1l << PG_referenced)

/* A new folio, not in the cache yet. */
static struct folio *new_folio(gfp_t extra)
{
	struct folio *folio = folio_alloc(FOLIO_GFP | extra, 0);

	if (folio)
		folio->page.flags.counter = FOLIO_FLAGS;
	return folio;
}

/* Insert with the charge; -EEXIST if somebody else was faster. On error the folio is the caller's. */
static int insert(struct shmem_inode *si, struct folio *folio, pgoff_t index)
{
	int err = charge(si, 1);

	if (err)
		return err;
	err = filemap_add_folio(si->mapping, folio, index, GFP_KERNEL);
	if (err) {
		uncharge(si, 1);
		return err;
	}
	folio_unlock(folio);
	return 0;
}

/* A page for a fallocate that may still fail; a fault takes it over. */
static int reserve_page(struct shmem_inode *si, pgoff_t index)
{
	struct folio *folio = new_folio(__GFP_ZERO);
	int err;

	if (!folio)
		return -ENOMEM;
	folio_set_owner(folio);
	err = insert(si, folio, index);
	folio_put(folio);
	return err == -EEXIST ? 0 : err;
}

/* Where none was found. Out of line: whoever finds one saves no registers. */
static noinline struct folio *make_folio(struct shmem_inode *si, pgoff_t index)
{
	for (;;) {
		struct folio *folio = new_folio(__GFP_ZERO);
		int err;

		if (!folio)
			return ERR_PTR(-ENOMEM);
		err = insert(si, folio, index);
		if (!err)
			return folio;
		folio_put(folio);
		if (err != -EEXIST)
			return ERR_PTR(err);
		folio = filemap_get_entry(si->mapping, index);
		if (folio)
			return folio;
	}
}

struct folio *shmem_get_folio(struct shmem_inode *si, pgoff_t index, bool create)
{
	struct folio *folio = filemap_get_entry(si->mapping, index);

	return folio || !create ? folio : make_folio(si, index);
}

#define RUN_ORDER 4		/* reads and writes go by runs of up to 64 KiB with pages of 4 */

/* What of N bytes from POS on is in one piece: *first and *pages as of filemap_get_run(). Bytes. */
static __always_inline size_t get_run(struct address_space *mapping, loff_t pos, size_t n, struct folio **first, unsigned int *pages)
{
	pgoff_t index = (pgoff_t)pos >> PAGE_SHIFT;
	size_t off = (size_t)pos & (PAGE_SIZE - 1);

	n = min(n, ((size_t)PAGE_SIZE << RUN_ORDER) - off);
	*pages = 1;
	if (off + n <= PAGE_SIZE) {
		*first = filemap_get_entry(mapping, index);
		return n;
	}
	*pages = filemap_get_run(mapping, index, (unsigned int)DIV_ROUND_UP(off + n, PAGE_SIZE), first);
	return min(n, *pages * PAGE_SIZE - off);
}

static __always_inline void put_run(struct folio *first, unsigned int pages)
{
	for (struct folio *f = first; f < first + pages; f++)
		folio_put(f);
}

ssize_t shmem_read_iter(struct kiocb *iocb, struct iter *to, struct shmem_inode *si)
{
	ssize_t done = 0;

	while (iter_count(to)) {
		loff_t pos = iocb->ki_pos, size = READ_ONCE(*si->i_size);
		struct folio *first;
		unsigned int pages;
		size_t n, copied;

		if (pos >= size)
			break;
		n = get_run(si->mapping, pos, min(iter_count(to), (size_t)(size - pos)), &first, &pages);
		if (first) {
			copied = copy_to_iter((char *)folio_address(first) + (pos & (PAGE_SIZE - 1)), n, to);
			put_run(first, pages);
		} else {
			copied = iter_zero(n, to);
		}
		iocb->ki_pos += (loff_t)copied;
		done += (ssize_t)copied;
		if (copied < n)
			return done ? done : -EFAULT;
		if (need_resched())
			cond_resched();
		if (unlikely(signal_pending(current)) && fatal_signal_pending(current))
			break;
	}
	return done;
}

/*
 * Write whole pages that are not there, as many as 2^ORDER, to places one behind the other, so that they can be read in one piece.
 * Bytes; 0: by single pages then.
 */
static ssize_t write_run(struct shmem_inode *si, pgoff_t index, unsigned int order, struct iter *from)
{
	unsigned int nr = 1u << order, pages;
	struct page *block;
	size_t copied;
	int put = 0;

	if (charge(si, nr))
		return 0;
	block = alloc_pages_adjacent(FOLIO_GFP, order);
	if (!block) {
		uncharge(si, nr);
		return 0;
	}
	copied = copy_from_iter(page_address(block), PAGE_SIZE << order, from);
	pages = (unsigned int)(copied >> PAGE_SHIFT);
	for (unsigned int i = 0; i < pages; i++)
		block[i].flags.counter = FOLIO_FLAGS;
	if (pages)
		put = max(filemap_add_run(si->mapping, (struct folio *)block, index, pages, GFP_KERNEL), 0);
	iter_revert(from, copied - ((size_t)put << PAGE_SHIFT));
	for (unsigned int i = 0; i < nr; i++)
		put_page(block + i);
	if (put < (int)nr)
		uncharge(si, nr - (unsigned int)put);
	return (ssize_t)put << PAGE_SHIFT;
}

/* Write a page that is not there: fill it first, then show it. Bytes, -EEXIST (nothing moved), -errno. */
static ssize_t write_new(struct shmem_inode *si, pgoff_t index, size_t off, size_t n, struct iter *from)
{
	struct folio *folio = new_folio(n < PAGE_SIZE ? __GFP_ZERO : 0);
	size_t copied;
	int err;

	if (!folio)
		return -ENOMEM;
	copied = copy_folio_from_iter(folio, off, n, from);
	if (!copied) {
		folio_put(folio);
		return -EFAULT;
	}
	if (copied < n)
		folio_zero_range(folio, off + copied, n - copied);
	err = insert(si, folio, index);
	folio_put(folio);
	if (err) {
		iter_revert(from, copied);
		return err;
	}
	return (ssize_t)copied;
}

ssize_t shmem_write_iter(struct kiocb *iocb, struct iter *from, struct shmem_inode *si)
{
	ssize_t done = 0, n = 0;

	while (iter_count(from)) {
		loff_t pos = iocb->ki_pos;
		size_t off = (size_t)pos & (PAGE_SIZE - 1), want;
		pgoff_t index = (pgoff_t)pos >> PAGE_SHIFT;
		struct folio *first;
		unsigned int pages;

		want = get_run(si->mapping, pos, iter_count(from), &first, &pages);
		if (first) {
			n = (ssize_t)copy_from_iter((char *)folio_address(first) + off, want, from);
			put_run(first, pages);
			if (!n)
				n = -EFAULT;
		} else {
			n = 0;
			if (!off && want >= 2 * PAGE_SIZE)
				n = write_run(si, index, (unsigned int)ilog2(want >> PAGE_SHIFT), from);
			want = n ? (size_t)n : min(want, PAGE_SIZE - off);
			if (!n)
				n = write_new(si, index, off, want, from);
			if (n == -EEXIST)
				continue;
		}
		if (n < 0)
			break;
		iocb->ki_pos += n;
		done += n;
		if (iocb->ki_pos > *si->i_size)
			WRITE_ONCE(*si->i_size, iocb->ki_pos);
		if ((size_t)n < want) {
			n = -EFAULT;
			break;
		}
		if (need_resched())
			cond_resched();
		if (fatal_signal_pending(current)) {
			n = -EINTR;
			break;
		}
	}
	return done ? done : n < 0 ? n : 0;
}

/* The size is the new one: a fault that still saw the old one has put its page in when we have the lock. */
void shmem_truncate(struct shmem_inode *si, loff_t newsize)
{
	filemap_invalidate_lock(si->mapping);
	truncate_pagecache(si->mapping, newsize);
	filemap_invalidate_unlock(si->mapping);
}

static int punch_hole(struct shmem_inode *si, loff_t offset, loff_t len)
{
	if (si->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	filemap_invalidate_lock(si->mapping);
	truncate_pagecache_range(si->mapping, offset, offset + len - 1);
	filemap_invalidate_unlock(si->mapping);
	return 0;
}

/*
 * Take back the folios that this fallocate made and nobody has mapped: they carry the owner flag from before they can
 * be found until the first fault, which clears it under the folio's lock. Writers hold the inode lock as we do.
 */
static void undo_allocate(struct shmem_inode *si, pgoff_t start, pgoff_t end)
{
	for (pgoff_t i = start; i < end; i++) {
		struct folio *folio = filemap_lock_folio(si->mapping, i);

		if (IS_ERR(folio))
			continue;
		if (folio_test_owner(folio))
			folio_remove_and_unmap(si->mapping, folio);
		folio_unlock(folio);
		folio_put(folio);
	}
}

int shmem_fallocate(struct shmem_inode *si, int mode, loff_t offset, loff_t len)
{
	pgoff_t start = (pgoff_t)offset >> PAGE_SHIFT, end, i;
	int err = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_PUNCH_HOLE)
		return mode & FALLOC_FL_KEEP_SIZE ? punch_hole(si, offset, len) : -EOPNOTSUPP;
	if (!(mode & FALLOC_FL_KEEP_SIZE) && offset + len > *si->i_size && si->seals & F_SEAL_GROW)
		return -EPERM;
	end = (pgoff_t)((u64)(offset + len + (loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
	if (si->sb && si->sb->max_pages && end - start > si->sb->max_pages)
		return -ENOSPC;
	for (i = start; i < end; i++) {
		struct folio *folio;

		if (signal_pending(current)) {
			err = -EINTR;
			break;
		}
		folio = filemap_get_entry(si->mapping, i);
		if (folio) {
			folio_put(folio);
		} else {
			err = reserve_page(si, i);
			if (err)
				break;
		}
		cond_resched();
	}
	if (err) {
		undo_allocate(si, start, i);
		return err;
	}
	for (i = start; i < end; i++) {
		struct folio *folio = filemap_get_entry(si->mapping, i);

		if (folio) {
			folio_clear_owner(folio);
			folio_put(folio);
		}
	}
	if (!(mode & FALLOC_FL_KEEP_SIZE) && offset + len > *si->i_size)
		WRITE_ONCE(*si->i_size, offset + len);
	return 0;
}

loff_t shmem_seek(struct shmem_inode *si, loff_t offset, int whence)
{
	if (offset < 0 || offset >= *si->i_size)
		return -ENXIO;
	return mapping_seek_hole_data(si->mapping, offset, *si->i_size, whence);
}

static bool beyond_end(struct address_space *mapping, pgoff_t index)
{
	return index >= (pgoff_t)((u64)(mapping_size(mapping) + (loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
}

/* A page that a fault wants: none is made behind the end, and none where a hole is just being punched. */
static struct folio *fault_folio(struct shmem_inode *si, pgoff_t index)
{
	struct address_space *mapping = si->mapping;
	struct folio *folio = filemap_get_entry(mapping, index);

	if (folio)
		return folio;
	filemap_invalidate_lock_shared(mapping);
	folio = beyond_end(mapping, index) ? ERR_PTR(-EFAULT) : shmem_get_folio(si, index, true);
	filemap_invalidate_unlock_shared(mapping);
	return folio;
}

static vm_fault_t shmem_fault(struct vm_fault *vmf)
{
	struct address_space *mapping = vmf->vma->vm_mapping;
	struct shmem_inode *si = to_si(mapping);

	for (;;) {
		struct folio *folio = fault_folio(si, vmf->pgoff);

		if (IS_ERR(folio))
			return PTR_ERR(folio) == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
		folio_lock(folio);
		if (unlikely(folio_mapping(folio) != mapping || beyond_end(mapping, vmf->pgoff))) {
			bool end = folio_mapping(folio) == mapping;

			folio_unlock(folio);
			folio_put(folio);
			if (end)
				return VM_FAULT_SIGBUS;
			continue;
		}
		if (unlikely(folio_test_owner(folio)))
			folio_clear_owner(folio);
		vmf->page = folio_page(folio, vmf->pgoff - folio_index(folio));
		return VM_FAULT_LOCKED;
	}
}

const struct vm_operations shmem_vm_ops = {
	.fault = shmem_fault,
	.map_pages = filemap_map_pages,
};

/* The same for a mapping without a file of its own (MAP_SHARED | MAP_ANONYMOUS): it can be given a name. */
const struct vm_operations shmem_anon_vm_ops = {
	.fault = shmem_fault,
	.map_pages = filemap_map_pages,
};

int shmem_mmap(struct vma *vma, struct shmem_inode *si)
{
	if (si->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) && vma->vm_flags & VM_SHARED) {
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		vma->vm_flags &= ~VM_MAYWRITE;
	}
	vma->vm_ops = &shmem_vm_ops;
	return 0;
}

int shmem_zero_setup(struct vma *vma)
{
	struct file *file = mm_shmem_file_setup("dev/zero", (loff_t)(vma->vm_end - vma->vm_start), vma->vm_flags);

	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	if (vma->vm_file)
		mm_file_put(vma->vm_file);
	vma->vm_file = file;
	vma->vm_mapping = mm_file_mapping(file);
	vma->vm_ops = &shmem_anon_vm_ops;
	if (vma->vm_flags & VM_SHARED && vma->vm_flags & VM_MAYWRITE)
		mapping_map_writable(vma->vm_mapping);
	return 0;
}

/* Is any folio of the file held by somebody besides the cache and page tables (DMA, GUP)? */
static bool pinned(struct shmem_inode *si)
{
	pgoff_t index = 0, end = ~0ul >> PG_index_shift;
	struct folio *batch[16];
	bool found = false;
	unsigned int n;

	while (index < end && (n = filemap_get_folios(si->mapping, &index, end, batch, ARRAY_SIZE(batch)))) {
		for (unsigned int i = 0; i < n; i++) {
			found |= folio_ref_count(batch[i]) != folio_mapcount(batch[i]) + 2;
			folio_put(batch[i]);
		}
	}
	return found;
}

int shmem_add_seals(struct shmem_inode *si, unsigned int seals)
{
	int err;

	if (seals & ~(unsigned int)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
				    F_SEAL_FUTURE_WRITE | F_SEAL_EXEC))
		return -EINVAL;
	if (si->seals & F_SEAL_SEAL)
		return -EPERM;
	if (seals & F_SEAL_EXEC)
		seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	if (seals & F_SEAL_WRITE && !(si->seals & F_SEAL_WRITE)) {
		err = mapping_deny_writable(si->mapping);
		if (err)
			return err;
		for (int tries = 0; pinned(si); tries++) {
			if (tries == 5) {
				mapping_allow_writable(si->mapping);
				return -EBUSY;
			}
			schedule_timeout_uninterruptible(1 << tries);
		}
	}
	si->seals |= seals;
	return 0;
}

unsigned int shmem_get_seals(struct shmem_inode *si)
{
	return si->seals;
}

int shmem_adopt_pages(struct shmem_inode *si, pgoff_t index, phys_addr_t pa, unsigned long nr)
{
	/* This memory comes with the file, beside what the mount was given. */
	if (si->sb && si->sb->max_pages)
		WRITE_ONCE(si->sb->max_pages, si->sb->max_pages + nr);
	for (unsigned long i = 0; i < nr; i++) {
		struct page *page = phys_to_page(pa + ((phys_addr_t)i << PAGE_SHIFT));
		struct folio *folio = (struct folio *)page;
		int err;

		if (!pfn_valid(page_to_pfn(page)) || !PageReserved(page))
			return -EINVAL;
		page->refcount.counter = 1;
		page->mapcount.counter = 0;
		page->mapping = 0;
		page->lru_next = page->lru_prev = 0;
		page->flags.counter = 1l << PG_swapbacked | 1l << PG_uptodate | 1l << PG_referenced;
		err = insert(si, folio, index + i);
		if (err) {
			page->mapcount.counter = PAGE_TYPE_RESERVED;
			return err;
		}
		page_adopt_managed(page);
		folio_put(folio);
	}
	return 0;
}

unsigned long shmem_total_pages(void)
{
	return vm_stat_sum(NR_SHMEM);
}
