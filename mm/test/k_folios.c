// SPDX-License-Identifier: MIT
/*
 * Large folios of the page cache, over a make-believe disk: what is known of each page survives
 * when one is taken apart, a part that is cut off is gone although the rest is in use, and each of
 * its pages is found in page tables. Then the same file is changed at random, with folios of all
 * orders, beside a model.
 */
#include <alloc/page.h>
#include <kernel/ktest.h>
#include <kernel/random.h>
#include <lib/string.h>
#include <linux/mman.h>
#include <mm/filemap.h>
#include <mm/iter.h>
#include <mm/mm.h>
#include "mm/mm_priv.h"
#include "mm/filemap_priv.h"

#define PAGES	48u
#define BYTES	((loff_t)PAGES * PAGE_SIZE)

static u8 *disk, *want;
static struct address_space m;
static loff_t size;
static u64 forgotten;		/* pages of a folio that forget() was called for */
static pgoff_t bad = ~0ul;	/* a page that the disk does not read */

static int fake_read(struct file *file, struct folio *folio)
{
	size_t n = folio_pos(folio) < BYTES ?
			   (size_t)min((loff_t)folio_size(folio), BYTES - folio_pos(folio)) :
			   0;

	if (bad - folio_index(folio) < folio_nr_pages(folio)) {
		folio_end_read(folio, false);
		return 0;
	}
	memcpy(folio_address(folio), disk + min(folio_pos(folio), BYTES), n);
	folio_zero_range(folio, n, folio_size(folio) - n);
	folio_end_read(folio, true);
	return 0;
}

static int write_one(struct folio *folio, struct writeback_control *wbc, void *arg)
{
	size_t n = folio_pos(folio) < size ?
			   (size_t)min((loff_t)folio_size(folio), size - folio_pos(folio)) :
			   0;

	folio_start_writeback(folio);
	folio_unlock(folio);
	memcpy(disk + min(folio_pos(folio), BYTES), folio_address(folio), n);
	folio_end_writeback(folio);
	return 0;
}

static int fake_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	return filemap_for_each_dirty(mapping, wbc, write_one, NULL);
}

static int forget(struct folio *folio, size_t off, size_t len, bool clean)
{
	if (clean && folio_test_dirty(folio) && off < 3 * PAGE_SIZE && off + len > PAGE_SIZE)
		return -EBUSY;
	for (size_t at = off; at < off + len; at += PAGE_SIZE)
		forgotten |= 1ull << (at >> PAGE_SHIFT);
	return 0;
}

/* Pages 1 and 2 of a folio are dirty, 0 is not valid. */
static int split(struct folio_parts *p, enum folio_split_phase phase)
{
	if (phase == FOLIO_SPLIT_NOW) {
		p->valid &= ~1ull;
		p->dirty &= 6;
	}
	return 0;
}

static const struct mapping_ops fake_ops = { .read_folio = fake_read,
					     .writepages = fake_writepages };
static const struct mapping_ops part_ops = {
	.read_folio = fake_read,
	.writepages = fake_writepages,
	.forget_part = forget,
	.split_folio = split,
};

static enum folio_orders before;

static bool begin(const struct mapping_ops *ops)
{
	before = filemap_orders;
	filemap_orders = FOLIO_ORDERS_USE;
	disk = kvzalloc(BYTES, GFP_KERNEL);
	want = kvzalloc(BYTES, GFP_KERNEL);
	if (!disk || !want)
		return false;
	for (loff_t i = 0; i < BYTES; i++)
		disk[i] = want[i] = (u8)(i * 7 + (i >> PAGE_SHIFT) * 13 + 1);
	size = BYTES;
	address_space_init(&m, NULL, ops, &size);
	mapping_set_large_folios(&m);
	return true;
}

static void end(void)
{
	filemap_orders = before;
	truncate_inode_pages_final(&m);
	WARN_ON(m.nrpages);
	address_space_destroy(&m);
	kvfree(disk);
	kvfree(want);
}

/* A valid folio of 2^ORDER pages at INDEX, referenced, unlocked. */
static struct folio *new_folio(pgoff_t index, unsigned int order)
{
	struct folio *f =
		filemap_get_folio_order(&m, index, FGP_LOCK | FGP_CREAT, GFP_KERNEL, order);

	if (IS_ERR(f))
		return NULL;
	fake_read(NULL, f);
	return folio_order(f) == order ? f : NULL;
}

static long lru_sum(void)
{
	lru_add_drain_all();
	return (long)(lru_nr(LRU_INACTIVE_FILE) + lru_nr(LRU_ACTIVE_FILE));
}

KTEST(folio_split_keeps_what_is_known)
{
	long files = (long)vm_stat_sum(NR_FILE_PAGES), dirty = (long)vm_stat_sum(NR_DIRTY),
	     lru = lru_sum();
	struct folio *f;

	KT_ASSERT(begin(&part_ops));
	f = new_folio(8, 3);
	KT_ASSERT(f);
	KT_EQ(m.nrpages, 8);
	KT_EQ(lru_sum(), lru + 8);
	folio_lock(f);
	folio_mark_dirty(f);
	KT_EQ((long)vm_stat_sum(NR_DIRTY), dirty + 8);
	KT_ASSERT(folio_split(&m, f));
	KT_EQ((long)vm_stat_sum(NR_DIRTY), dirty + 2);
	KT_EQ((long)vm_stat_sum(NR_FILE_PAGES), files + 8);
	KT_EQ(m.nrpages, 8);
	for (unsigned int i = 0; i < 8; i++) {
		struct folio *p = (struct folio *)folio_page(f, i);

		KT_ASSERT(folio_order(p) == 0 && folio_index(p) == 8 + i && folio_mapping(p) == &m);
		KT_EQ(folio_test_uptodate(p), i != 0);
		KT_EQ(folio_test_dirty(p), i == 1 || i == 2);
		KT_EQ(xa_get_mark(&m.i_pages, 8 + i, CACHE_MARK_DIRTY), i == 1 || i == 2);
		KT_ASSERT(xa_load(&m.i_pages, 8 + i) == p);
		KT_ASSERT(!memcmp(folio_address(p), want + (8 + i) * PAGE_SIZE, PAGE_SIZE));
		folio_unlock(p);
	}
	KT_EQ(lru_sum(), lru + 8);
	for (unsigned int i = 0; i < 8; i++)
		put_page(folio_page(f, i));
	end();
	KT_EQ((long)vm_stat_sum(NR_DIRTY), dirty);
	KT_EQ((long)vm_stat_sum(NR_FILE_PAGES), files);
	KT_EQ(lru_sum(), lru);
}

/* It stays whole, and its part is forgotten, where it cannot be taken apart. */
KTEST(folio_in_use_is_not_split)
{
	struct folio *f;

	KT_ASSERT(begin(&part_ops));
	f = new_folio(8, 3);
	KT_ASSERT(f);
	forgotten = 0;
	truncate_inode_pages_range(&m, 10 * PAGE_SIZE, 12 * PAGE_SIZE - 1);
	KT_EQ(folio_order(f), 3);
	KT_EQ(m.nrpages, 8);
	KT_EQ(forgotten, 12);
	KT_ASSERT(!folio_test_uptodate(f));
	folio_put(f);
	truncate_inode_pages_range(&m, 10 * PAGE_SIZE, 12 * PAGE_SIZE - 1);
	KT_EQ(m.nrpages, 6);
	KT_ASSERT(!xa_load(&m.i_pages, 10) && !xa_load(&m.i_pages, 11) && xa_load(&m.i_pages, 12));
	end();
	/* Where a part cannot be forgotten: a clean one goes, a dirty one has zeroes. */
	KT_ASSERT(begin(&fake_ops));
	f = new_folio(0, 2);
	KT_ASSERT(f);
	truncate_inode_pages_range(&m, 0, PAGE_SIZE - 1);
	KT_EQ(m.nrpages, 0);
	folio_put(f);
	f = new_folio(0, 2);
	KT_ASSERT(f);
	folio_mark_dirty(f);
	truncate_inode_pages_range(&m, 0, PAGE_SIZE - 1);
	KT_EQ(m.nrpages, 4);
	KT_ASSERT(!memchr_inv(folio_address(f), 0, PAGE_SIZE));
	KT_ASSERT(!memcmp((u8 *)folio_address(f) + PAGE_SIZE, want + PAGE_SIZE, 3 * PAGE_SIZE));
	folio_put(f);
	end();
}

static bool is_there(pgoff_t index)
{
	return xa_load(&m.i_pages, index);
}

/*
 * What a direct write has made old goes, though other pages of its folio are dirty or it is in use;
 * dirty pages stay.
 */
KTEST(folio_old_pages_are_dropped)
{
	struct folio *f;

	KT_ASSERT(begin(&part_ops));
	f = new_folio(8, 3);
	KT_ASSERT(f);
	folio_mark_dirty(f);
	folio_put(f);
	KT_EQ(invalidate_inode_pages2_range(&m, 11, 12), 0);
	KT_EQ(m.nrpages, 6);
	KT_ASSERT(!is_there(11) && !is_there(12) && is_there(10) && is_there(13));
	KT_ASSERT(folio_test_dirty(xa_load(&m.i_pages, 9)));
	KT_EQ(invalidate_inode_pages2_range(&m, 8, 9), -EBUSY);
	KT_EQ(m.nrpages, 5);
	KT_ASSERT(!is_there(8) && is_there(9));
	/* In use: forgotten, but for what is dirty. */
	f = new_folio(16, 3);
	KT_ASSERT(f);
	folio_mark_dirty(f);
	forgotten = 0;
	KT_EQ(invalidate_inode_pages2_range(&m, 17, 18), -EBUSY);
	KT_EQ(forgotten, 0);
	KT_ASSERT(folio_test_uptodate(f));
	KT_EQ(invalidate_inode_pages2_range(&m, 18, 20), -EBUSY);
	KT_EQ(forgotten, 0x18);
	KT_ASSERT(!folio_test_uptodate(f) && folio_test_dirty(f));
	KT_EQ(folio_order(f), 3);
	folio_put(f);
	end();
}

/* POSIX_FADV_DONTNEED takes the pages that are named and no more. */
KTEST(folio_pages_not_needed_go_alone)
{
	struct folio *f;

	KT_ASSERT(begin(&fake_ops));
	f = new_folio(8, 3);
	KT_ASSERT(f);
	KT_EQ(invalidate_mapping_pages(&m, 9, 10), 0);
	KT_EQ(folio_order(f), 3);
	folio_put(f);
	KT_EQ(invalidate_mapping_pages(&m, 9, 10), 2);
	KT_EQ(m.nrpages, 6);
	KT_ASSERT(is_there(8) && !is_there(9) && !is_there(10) && is_there(11));
	f = new_folio(16, 3);
	KT_ASSERT(f);
	folio_put(f);
	KT_EQ(invalidate_mapping_pages(&m, 16, 23), 8);
	end();
}

/* Reclaim looks at so many pages, not folios. */
KTEST(folio_pages_are_isolated)
{
	struct folio *f, *out[32];
	unsigned long pages = 0;
	unsigned int n;

	KT_ASSERT(begin(&fake_ops));
	drop_caches(1);
	for (pgoff_t i = 0; i < PAGES; i += 16) {
		f = new_folio(i, 4);
		KT_ASSERT(f);
		folio_put(f);
	}
	n = lru_isolate(LRU_INACTIVE_FILE, 20, out);
	for (unsigned int i = 0; i < n; i++)
		pages += folio_nr_pages(out[i]);
	lru_putback(out, n);
	KT_ASSERT(pages >= 20 && pages < 36);
	end();
}

/* ---- mapped ---- */

static struct mm *map_file(unsigned long flags, unsigned long *addr)
{
	struct mm *mm = mm_alloc();
	struct file *file = mm_shmem_file_setup("ktest", 0, 0);
	struct vma *vma;

	if (!mm || IS_ERR(file))
		return NULL;
	mmap_write_lock(mm);
	vma = vma_alloc(mm);
	*addr = get_unmapped_area(mm, NULL, 0, PAGES << PAGE_SHIFT, 0, 0);
	vma->vm_start = *addr;
	vma->vm_end = *addr + (PAGES << PAGE_SHIFT);
	vma->vm_flags = flags | VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE;
	vma->vm_pgoff = 0;
	vma->anon_pgoff = *addr >> PAGE_SHIFT;
	vma->vm_file = file;
	vma->vm_mapping = &m;
	vma->vm_ops = &filemap_vm_ops;
	vma_update_prot(vma);
	if (flags & VM_SHARED)
		mapping_map_writable(&m);
	vma_link(mm, vma);
	vm_stat_account(mm, vma->vm_flags, PAGES);
	mmap_write_unlock(mm);
	return mm;
}

static unsigned int writable(struct mm *mm, unsigned long a)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PAGES; i++) {
		pte_t *pte = pte_find(mm, a + i * PAGE_SIZE);

		n += pte && pte_present(*pte) && pte_write(*pte);
	}
	return n;
}

/*
 * Stores through mappings of each page of a folio are seen, and its pages are unmapped one by one.
 */
KTEST(folio_pages_are_mapped)
{
	struct folio *f;
	unsigned long a, vm_flags;
	struct mm *mm;
	u8 b;

	KT_ASSERT(begin(&fake_ops));
	mm = map_file(VM_SHARED | VM_MAYSHARE, &a);
	f = new_folio(16, 4);
	KT_ASSERT(mm && f);
	for (unsigned int i = 16; i < 32; i++) {
		KT_EQ(access_remote_vm(mm, a + i * PAGE_SIZE + 3, &b, 1, 0), 1);
		KT_EQ(b, want[i * PAGE_SIZE + 3]);
		b = want[i * PAGE_SIZE + 3] = (u8)~b;
		KT_EQ(access_remote_vm(mm, a + i * PAGE_SIZE + 3, &b, 1, FOLL_WRITE), 1);
	}
	KT_EQ(folio_mapcount(f), 16);
	KT_EQ(folio_page_mapcount(f), 1);
	KT_EQ(get_mm_counter(mm, MM_FILEPAGES), 16);
	KT_EQ(writable(mm, a), 16);
	KT_EQ(filemap_write_and_wait(&m), 0);
	KT_EQ(writable(mm, a), 0);
	KT_ASSERT(!memcmp(disk, want, BYTES));
	folio_lock(f);
	KT_EQ(folio_referenced(f, &vm_flags), 1);
	KT_EQ(folio_referenced(f, &vm_flags), 0);
	folio_unlock(f);
	/* A part is punched while it is mapped, and one while it is in use. */
	unmap_mapping_range(&m, 20 * PAGE_SIZE, PAGE_SIZE, false);
	KT_EQ(folio_mapcount(f), 15);
	folio_lock(f);
	KT_ASSERT(try_to_unmap(f, 0));
	folio_unlock(f);
	KT_EQ(get_mm_counter(mm, MM_FILEPAGES), 0);
	KT_EQ(access_remote_vm(mm, a + 31 * PAGE_SIZE, &b, 1, 0), 1);
	folio_put(f);
	truncate_pagecache_range(&m, 30 * PAGE_SIZE, 31 * PAGE_SIZE - 1);
	KT_EQ(m.nrpages, 15);
	KT_EQ(get_mm_counter(mm, MM_FILEPAGES), 0);
	mmput(mm);
	end();
}

/* Readahead's mark keeps a folio's pages from being mapped together only until one is used. */
KTEST(folio_with_a_mark_is_mapped)
{
	unsigned long a;
	struct folio *f;
	struct mm *mm;
	u8 b;

	KT_ASSERT(begin(&fake_ops));
	mm = map_file(VM_SHARED | VM_MAYSHARE, &a);
	f = new_folio(16, 3);
	KT_ASSERT(mm && f);
	folio_set_readahead(f);
	KT_EQ(access_remote_vm(mm, a + 16 * PAGE_SIZE, &b, 1, 0), 1);
	KT_ASSERT(!folio_test_readahead(f));
	KT_EQ(access_remote_vm(mm, a + 17 * PAGE_SIZE, &b, 1, 0), 1);
	KT_EQ(folio_mapcount(f), 8);
	folio_put(f);
	mmput(mm);
	end();
}

/* ---- at random ---- */

static u32 chance(u32 n)
{
	return get_random_u32_below(n);
}

static ssize_t rw(void *buf, size_t len, loff_t pos, bool write)
{
	struct kvec kv = { buf, len };
	struct kiocb iocb = { .ki_pos = pos };
	struct file_ra_state ra;
	struct iter it;

	file_ra_state_init(&ra, &m);
	iter_init_kvec(&it, write ? ITER_SOURCE : ITER_DEST, &kv, 1, len);
	return write ? filemap_write(&iocb, &it, &m) :
		       filemap_read(&iocb, &it, &m, chance(2) ? &ra : NULL);
}

static bool step(struct mm *mm, unsigned long a, u8 *buf)
{
	loff_t pos = chance(BYTES);
	size_t len = min((size_t)(1 + chance(chance(3) ? 3000 : 60000)), (size_t)(BYTES - pos));
	loff_t from = round_up(pos, (loff_t)PAGE_SIZE),
	       to = round_down(pos + (loff_t)len, (loff_t)PAGE_SIZE);
	u8 b = (u8)chance(256);

	switch (chance(8)) {
	case 0:
		if (pos >= size)
			return true;
		len = min(len, (size_t)(size - pos));
		return rw(buf, len, pos, false) == (ssize_t)len && !memcmp(buf, want + pos, len);
	case 1:
	case 2:
		if (pos > size)
			return true;
		memset(buf, b, len);
		memset(want + pos, b, len);
		return rw(buf, len, pos, true) == (ssize_t)len;
	case 3:
		if (pos >= size)
			return true;
		want[pos] = b;
		return access_remote_vm(mm, a + (unsigned long)pos, &b, 1, FOLL_WRITE) == 1;
	case 4:
		if (pos >= size)
			return true;
		return access_remote_vm(mm, a + (unsigned long)pos, &b, 1, 0) == 1 &&
		       b == want[pos];
	case 5:
		return !filemap_write_and_wait(&m);
	case 6:
		invalidate_mapping_pages(&m, 0, (pgoff_t)-1);
		return true;
	default:
		if (chance(3)) {	/* a hole of whole pages */
			if (from >= to || filemap_write_and_wait(&m))
				return from >= to;
			truncate_pagecache_range(&m, from, to - 1);
			memset(disk + from, 0, (size_t)(to - from));
			memset(want + from, 0, (size_t)(to - from));
		} else if (chance(2)) {	/* the file ends elsewhere */
			loff_t old = size;

			size = pos;
			truncate_pagecache(&m, size);
			memset(want + size, 0, (size_t)(BYTES - size));
			memset(disk + size, 0, (size_t)(BYTES - size));
			size = chance(2) ? old : BYTES;
			if (size > pos)
				pagecache_isize_extended(&m, pos, size);
		}
		return true;
	}
}

KTEST(folio_orders_at_random)
{
	struct mm *mm;
	unsigned long a;
	u8 *buf = kvzalloc(BYTES, GFP_KERNEL);
	int i;

	KT_ASSERT(buf && begin(&fake_ops));
	mm = map_file(VM_SHARED | VM_MAYSHARE, &a);
	KT_ASSERT(mm);
	filemap_orders = FOLIO_ORDERS_RANDOM;
	for (i = 0; i < 3000 && step(mm, a, buf); i++)
		;
	KT_EQ(i, 3000);
	size = BYTES;
	KT_EQ(rw(buf, BYTES, 0, false), (ssize_t)BYTES);
	KT_ASSERT(!memcmp(buf, want, BYTES));
	KT_EQ(filemap_write_and_wait(&m), 0);
	KT_ASSERT(!memcmp(disk, want, BYTES));
	mmput(mm);
	end();
	kvfree(buf);
}

/* Sequential reads raise the order, and a read of one page elsewhere has one page. */
KTEST(folio_readahead_raises_the_order)
{
	unsigned int most = 0, first;
	struct file_ra_state ra;
	u8 b[64];

	KT_ASSERT(begin(&fake_ops));
	file_ra_state_init(&ra, &m);
	for (loff_t pos = 0; pos < 32 * (loff_t)PAGE_SIZE; pos += sizeof(b)) {
		struct kvec kv = { b, sizeof(b) };
		struct kiocb iocb = { .ki_pos = pos };
		struct iter it;

		iter_init_kvec(&it, ITER_DEST, &kv, 1, sizeof(b));
		KT_EQ(filemap_read(&iocb, &it, &m, &ra), (ssize_t)sizeof(b));
		KT_ASSERT(!memcmp(b, want + pos, sizeof(b)));
		most = max(most, folio_order(xa_load(&m.i_pages, (pgoff_t)pos >> PAGE_SHIFT)));
	}
	first = folio_order(xa_load(&m.i_pages, 0));
	KT_EQ(first, 2U);
	KT_ASSERT(most > 2);
	KT_EQ(rw(b, 1, 45 * PAGE_SIZE, false), 1);
	end();
}

/* A page that the disk does not read is the only one of its folio that cannot be read. */
KTEST(folio_bad_page_is_alone)
{
	struct folio *held;
	unsigned long a;
	struct mm *mm;
	u8 b;

	KT_ASSERT(begin(&fake_ops));
	mm = map_file(VM_SHARED | VM_MAYSHARE, &a);
	KT_ASSERT(mm);
	bad = 21;
	for (unsigned int round = 0; round < 2; round++) {
		struct folio *f =
			filemap_get_folio_order(&m, 16, FGP_LOCK | FGP_CREAT, GFP_KERNEL, 3);

		KT_ASSERT(!IS_ERR(f) && folio_order(f) == 3);
		folio_unlock(f);
		/* In use, it cannot be taken apart. */
		held = round ? f : NULL;
		if (!round)
			folio_put(f);
		for (pgoff_t i = 16; i < 24; i++) {
			ssize_t n = rw(&b, 1, (loff_t)i * PAGE_SIZE, false);

			KT_EQ(n, i == bad ? -EIO : 1);
			KT_ASSERT(i == bad || b == want[i * PAGE_SIZE]);
			KT_EQ(access_remote_vm(mm, a + i * PAGE_SIZE, &b, 1, 0), i != bad);
		}
		if (held)
			folio_put(held);
		truncate_inode_pages(&m, 0);
	}
	bad = ~0ul;
	mmput(mm);
	end();
}
