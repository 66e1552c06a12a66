// SPDX-License-Identifier: MIT
/* The page cache over a make-believe disk: reads, writes, maps, writeback, truncation, reclaim. */
#include <alloc/page.h>
#include <kernel/cpumask.h>
#include <kernel/ktest.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <linux/mman.h>
#include <mm/filemap.h>
#include <mm/iter.h>
#include <mm/mm.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include "mm/mm_priv.h"

#define DISK_PAGES	64
static u8 *disk;
static int reads, writes;

/* Every byte of the disk beyond DISK_PAGES is a function of its place. */
static u8 pattern(loff_t pos)
{
	return (u8)(pos * 7 + (pos >> 12) * 13 + 1);
}

static int fake_read(struct file *file, struct folio *folio)
{
	u8 *p = folio_address(folio);
	loff_t pos = folio_pos(folio);

	reads++;
	if (disk && folio_index(folio) < DISK_PAGES)
		memcpy(p, disk + pos, PAGE_SIZE);
	else
		for (size_t i = 0; i < PAGE_SIZE; i += 64)
			p[i] = pattern(pos + (loff_t)i);
	folio_end_read(folio, true);
	return 0;
}

static int fake_write_one(struct folio *folio, struct writeback_control *wbc, void *arg)
{
	writes++;
	folio_start_writeback(folio);
	folio_unlock(folio);
	memcpy(disk + folio_pos(folio), folio_address(folio), PAGE_SIZE);
	folio_end_writeback(folio);
	return 0;
}

static int fake_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	return filemap_for_each_dirty(mapping, wbc, fake_write_one, NULL);
}

static const struct mapping_ops fake_ops = { .read_folio = fake_read, .writepages = fake_writepages };
/* Like a file on a disk that is only read. */
static const struct mapping_ops fake_ro_ops = { .read_folio = fake_read };

static ssize_t rw(struct address_space *m, void *buf, size_t len, loff_t pos, bool write)
{
	struct kvec kv = { buf, len };
	struct kiocb iocb = { .ki_pos = pos };
	struct iter it;

	iter_init_kvec(&it, write ? ITER_SOURCE : ITER_DEST, &kv, 1, len);
	return write ? filemap_write(&iocb, &it, m) : filemap_read(&iocb, &it, m, NULL);
}

KTEST(filemap_read_write)
{
	static struct address_space m;
	loff_t size = 10 * PAGE_SIZE + 100;
	static u8 buf[3 * PAGE_SIZE];
	const size_t more = PAGE_SIZE + 1000, at = PAGE_SIZE - 1100;	/* two pages */

	disk = kvzalloc(DISK_PAGES * PAGE_SIZE, GFP_KERNEL);
	KT_ASSERT(disk);
	for (size_t i = 0; i < DISK_PAGES * PAGE_SIZE; i++)
		disk[i] = pattern((loff_t)i);
	address_space_init(&m, NULL, &fake_ops, &size);
	reads = writes = 0;
	KT_EQ(rw(&m, buf, more, (loff_t)at, false), (ssize_t)more);
	for (int i = 0; i < (int)more; i++)
		KT_EQ(buf[i], pattern((loff_t)at + i));
	KT_EQ(reads, 2);
	KT_EQ(rw(&m, buf, more, (loff_t)at, false), (ssize_t)more);
	KT_EQ(reads, 2);
	KT_EQ(rw(&m, buf, 500, size - 50, false), 50);
	KT_EQ(rw(&m, buf, 500, size, false), 0);
	memset(buf, 0xee, sizeof(buf));
	KT_EQ(rw(&m, buf, more, 4 * PAGE_SIZE + 10, true), (ssize_t)more);
	KT_EQ(m.nrpages, 5);
	KT_ASSERT(xa_marked(&m.i_pages, CACHE_MARK_DIRTY));
	KT_EQ(filemap_write_and_wait(&m), 0);
	KT_EQ(writes, 2);
	KT_ASSERT(!xa_marked(&m.i_pages, CACHE_MARK_DIRTY) && !xa_marked(&m.i_pages, CACHE_MARK_WRITEBACK));
	KT_EQ(disk[4 * PAGE_SIZE + 9], pattern(4 * PAGE_SIZE + 9));
	KT_EQ(disk[4 * PAGE_SIZE + 10], 0xee);
	KT_EQ(disk[5 * PAGE_SIZE + 1009], 0xee);
	KT_EQ(disk[5 * PAGE_SIZE + 1010], pattern(5 * PAGE_SIZE + 1010));
	/* Appending moves the size. */
	KT_EQ(rw(&m, buf, 300, size, true), 300);
	KT_EQ(size, 10 * PAGE_SIZE + 400);
	KT_EQ(filemap_write_and_wait(&m), 0);
	KT_EQ(vm_stat_sum(NR_DIRTY), 0);
	/* Truncation drops and zeroes. */
	size = 4 * PAGE_SIZE + 20;
	truncate_pagecache(&m, size);
	KT_EQ(m.nrpages, 3);
	size = 5 * PAGE_SIZE;
	KT_EQ(rw(&m, buf, 100, 4 * PAGE_SIZE, false), 100);
	KT_EQ(buf[19], 0xee);
	KT_EQ(buf[20], 0);
	KT_EQ(invalidate_mapping_pages(&m, 0, 2), 2);
	truncate_inode_pages_final(&m);
	KT_EQ(m.nrpages, 0);
	address_space_destroy(&m);
	KT_EQ(vm_stat_sum(NR_DIRTY), 0);
	kvfree(disk);
	disk = NULL;
}

struct reader {
	struct address_space *m;
	bool ready;
	struct completion done;
};

/* Reads a page, then keeps the CPU for a while. */
static int read_and_hold(void *arg)
{
	struct reader *r = arg;
	u64 end;
	u8 b;

	if (rw(r->m, &b, 1, 0, false) != 1)
		r->m = NULL;
	preempt_disable();
	smp_store_release(&r->ready, true);
	for (end = ktime_get_ns() + 20 * NSEC_PER_MSEC; ktime_get_ns() < end; )
		cpu_relax();
	preempt_enable();
	complete(&r->done);
	return 0;
}

/* Another CPU's batch of new pages is emptied, whatever that CPU does when it is asked. */
KTEST(filemap_drain_waits)
{
	static struct address_space m;
	static struct reader r;
	loff_t size = PAGE_SIZE;
	struct task *t;

	if (num_online_cpus() == 1)
		KT_SKIP("one CPU");
	address_space_init(&m, NULL, &fake_ro_ops, &size);
	r = (struct reader){ .m = &m };
	init_completion(&r.done);
	t = kthread_create(read_and_hold, &r, "k_drain");
	KT_ASSERT(!IS_ERR(t));
	kthread_bind(t, (int)num_online_cpus() - 1);
	wake_up_process(t);
	while (!smp_load_acquire(&r.ready))
		cond_resched();
	lru_add_drain_all();
	KT_EQ(invalidate_mapping_pages(&m, 0, 0), 1);
	wait_for_completion(&r.done);
	KT_ASSERT(r.m);
	truncate_inode_pages_final(&m);
	address_space_destroy(&m);
}

/* A space with the fake file mapped at *addr. */
static struct mm *map_fake(struct address_space *m, unsigned long pages, unsigned long flags, unsigned long *addr)
{
	struct mm *mm = mm_alloc();
	struct file *file = mm_shmem_file_setup("ktest", 0, 0);
	struct vma *vma;

	if (!mm || IS_ERR(file))
		return NULL;
	mmap_write_lock(mm);
	vma = vma_alloc(mm);
	*addr = get_unmapped_area(mm, NULL, 0, pages << PAGE_SHIFT, 0, 0);
	vma->vm_start = *addr;
	vma->vm_end = *addr + (pages << PAGE_SHIFT);
	vma->vm_flags = flags | VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE;
	vma->vm_pgoff = 0;
	vma->anon_pgoff = *addr >> PAGE_SHIFT;
	vma->vm_file = file;
	vma->vm_mapping = m;
	vma->vm_ops = &filemap_vm_ops;
	vma_update_prot(vma);
	if (flags & VM_SHARED)
		mapping_map_writable(m);
	vma_link(mm, vma);
	vm_stat_account(mm, vma->vm_flags, (long)pages);
	mmap_write_unlock(mm);
	return mm;
}

KTEST(filemap_mapped)
{
	static struct address_space m;
	loff_t size = 20 * PAGE_SIZE;
	struct mm *mm;
	unsigned long a;
	pte_t *pte;
	u8 b;

	disk = kvzalloc(DISK_PAGES * PAGE_SIZE, GFP_KERNEL);
	KT_ASSERT(disk);
	for (size_t i = 0; i < DISK_PAGES * PAGE_SIZE; i++)
		disk[i] = pattern((loff_t)i);
	address_space_init(&m, NULL, &fake_ops, &size);
	mm = map_fake(&m, 24, VM_SHARED | VM_MAYSHARE, &a);
	KT_ASSERT(mm);
	KT_EQ(access_remote_vm(mm, a + 5, &b, 1, 0), 1);
	KT_EQ(b, pattern(5));
	KT_EQ(access_remote_vm(mm, a + 21 * PAGE_SIZE, &b, 1, 0), 0);	/* beyond the end */
	pte = pte_find(mm, a);
	KT_ASSERT(pte_present(*pte) && !pte_write(*pte));
	b = 0x99;
	KT_EQ(access_remote_vm(mm, a + 7, &b, 1, FOLL_WRITE), 1);
	KT_ASSERT(pte_write(*pte) && pte_dirty(*pte));
	KT_ASSERT(xa_get_mark(&m.i_pages, 0, CACHE_MARK_DIRTY));
	KT_EQ(filemap_write_and_wait(&m), 0);
	KT_EQ(disk[7], 0x99);
	KT_ASSERT(!pte_write(*pte) && !pte_dirty(*pte));	/* cleaned: the next write is seen */
	b = 0x77;
	KT_EQ(access_remote_vm(mm, a + 8, &b, 1, FOLL_WRITE), 1);
	KT_ASSERT(xa_get_mark(&m.i_pages, 0, CACHE_MARK_DIRTY));
	size = PAGE_SIZE;
	truncate_pagecache(&m, size);
	KT_EQ(get_mm_counter(mm, MM_FILEPAGES), 1);
	KT_EQ(m.nrpages, 1);
	mmput(mm);
	KT_EQ(filemap_write_and_wait(&m), 0);
	KT_EQ(disk[8], 0x77);
	truncate_inode_pages_final(&m);
	address_space_destroy(&m);
	kvfree(disk);
	disk = NULL;
}

KTEST(filemap_private_map)
{
	static struct address_space m;
	loff_t size = 20 * PAGE_SIZE;
	unsigned long a;
	struct mm *mm;
	u8 b;

	address_space_init(&m, NULL, &fake_ro_ops, &size);
	mm = map_fake(&m, 20, 0, &a);
	KT_ASSERT(mm);
	b = 1;
	KT_EQ(access_remote_vm(mm, a + 3 * PAGE_SIZE, &b, 1, FOLL_WRITE), 1);
	KT_EQ(get_mm_counter(mm, MM_ANONPAGES), 1);
	KT_EQ(access_remote_vm(mm, a + 4 * PAGE_SIZE, &b, 1, 0), 1);
	KT_EQ(b, pattern(4 * PAGE_SIZE));
	KT_EQ(access_remote_vm(mm, a + 4 * PAGE_SIZE, &b, 1, FOLL_WRITE), 1);
	KT_EQ(get_mm_counter(mm, MM_ANONPAGES), 2);
	KT_EQ(vm_stat_sum(NR_DIRTY), 0);
	mmput(mm);
	truncate_inode_pages_final(&m);
	address_space_destroy(&m);
}

/* A file larger than memory is read through: reclaim must keep up, mapped pages included. */
KTEST(filemap_reclaim)
{
	static struct address_space m;
	unsigned long pages = totalram_pages() * 2, steal = vm_event_sum(PGSTEAL), a;
	loff_t size = (loff_t)pages << PAGE_SHIFT;
	struct mm *mm;
	u8 b;

	if (pages > (1ul << 30) >> PAGE_SHIFT)
		KT_SKIP("too much memory to fill");
	address_space_init(&m, NULL, &fake_ro_ops, &size);
	mm = map_fake(&m, pages, 0, &a);
	KT_ASSERT(mm);
	for (unsigned long i = 0; i < pages; i++) {
		if (i % 16 == 0) {
			KT_EQ(access_remote_vm(mm, a + (i << PAGE_SHIFT), &b, 1, 0), 1);
			KT_EQ(b, pattern((loff_t)i << PAGE_SHIFT));
		} else {
			KT_EQ(rw(&m, &b, 1, (loff_t)i << PAGE_SHIFT, false), 1);
			KT_EQ(b, pattern((loff_t)i << PAGE_SHIFT));
		}
	}
	KT_ASSERT(vm_event_sum(PGSTEAL) - steal > pages / 4);
	KT_ASSERT(m.nrpages < totalram_pages());
	mmput(mm);
	drop_caches(1);
	KT_ASSERT(m.nrpages < 100);
	truncate_inode_pages_final(&m);
	KT_EQ(m.nrpages, 0);
	address_space_destroy(&m);
}

static bool written_back;

static int write_back_often(void *mapping)
{
	struct address_space *m = mapping;
	u8 b = 0;
	int err = 0;

	for (int i = 0; i < 1000 && !err; i++) {
		err = rw(m, &b, 1, 0, true) == 1 ? filemap_write_and_wait(m) : -EIO;
		cond_resched();
	}
	smp_store_release(&written_back, true);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return err;
}

/* Who finds no mark of writeback sees no folio under writeback. */
KTEST(filemap_writeback_mark_is_flag)
{
	static struct address_space m;
	loff_t size = PAGE_SIZE;
	struct folio *folio;
	struct task *t;
	int differ = 0;
	u8 b = 0;

	disk = kvzalloc(DISK_PAGES * PAGE_SIZE, GFP_KERNEL);
	KT_ASSERT(disk);
	address_space_init(&m, NULL, &fake_ops, &size);
	KT_EQ(rw(&m, &b, 1, 0, true), 1);
	folio = __filemap_get_folio(&m, 0, 0, 0);
	KT_ASSERT(folio);
	written_back = false;
	t = kthread_run(write_back_often, &m, "writeback test");
	KT_ASSERT(!IS_ERR(t));
	while (!smp_load_acquire(&written_back)) {
		xa_lock_irq(&m.i_pages);
		differ += folio_test_writeback(folio) != xa_get_mark(&m.i_pages, 0, CACHE_MARK_WRITEBACK);
		xa_unlock_irq(&m.i_pages);
		cond_resched();
	}
	KT_EQ(kthread_stop(t), 0);
	KT_EQ(differ, 0);
	folio_put(folio);
	truncate_inode_pages_final(&m);
	address_space_destroy(&m);
	kvfree(disk);
	disk = NULL;
}

struct toggler {
	struct address_space m;
	struct folio *folio;
	unsigned int runs;	/* of the reader: on one CPU that a busy host takes away it may wait long */
	bool both;	/* the first page goes and comes, too */
	bool over;
};

static int toggle(void *arg)
{
	struct toggler *t = arg;
	struct xarray *xa = &t->m.i_pages;
	int err = 0;

	for (int i = 0; (i < 20000 || !READ_ONCE(t->runs)) && !err; i++) {
		err = xa_err(xa_store(xa, 1, xa_mk_value(1), GFP_KERNEL));
		xa_erase(xa, 1);
		if (t->both && !err) {
			xa_erase(xa, 0);
			err = xa_err(xa_store(xa, 0, t->folio, GFP_KERNEL));
		}
		cond_resched();
	}
	smp_store_release(&t->over, true);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return err;
}

/* A run is found, or none, while the index grows from one entry to a node and back. */
static void runs_of_a_growing_file(struct ktest_run *__kt, bool both)
{
	static struct toggler t;
	struct folio *first;
	unsigned int none = 0;
	loff_t size = PAGE_SIZE;
	struct task *task;
	u8 b;

	address_space_init(&t.m, NULL, &fake_ro_ops, &size);
	KT_EQ(rw(&t.m, &b, 1, 0, false), 1);
	t.folio = __filemap_get_folio(&t.m, 0, 0, 0);
	KT_ASSERT(t.folio);
	t.both = both;
	t.over = false;
	t.runs = 0;
	task = kthread_run(toggle, &t, "index test");
	KT_ASSERT(!IS_ERR(task));
	while (!smp_load_acquire(&t.over)) {
		unsigned int n = filemap_get_run(&t.m, 0, 2, &first);

		if (first) {
			KT_EQ(n, 1);
			KT_EQ(first, t.folio);
			folio_put(first);
		}
		none += !first;
		WRITE_ONCE(t.runs, t.runs + 1);
		cond_resched();
	}
	KT_EQ(kthread_stop(task), 0);
	if (!both)
		KT_EQ(none, 0U);
	folio_put(t.folio);
	truncate_inode_pages_final(&t.m);
	KT_EQ(t.m.nrpages, 0);
	address_space_destroy(&t.m);
}

KTEST(filemap_run_grows)
{
	runs_of_a_growing_file(__kt, false);
	runs_of_a_growing_file(__kt, true);
}

KTEST(filemap_errseq)
{
	errseq_t e = 0, a = errseq_sample(&e), b;

	KT_EQ(errseq_check_and_advance(&e, &a), 0);
	errseq_set(&e, -EIO);
	KT_EQ(errseq_check_and_advance(&e, &a), -EIO);
	KT_EQ(errseq_check_and_advance(&e, &a), 0);
	b = errseq_sample(&e);
	KT_EQ(errseq_check_and_advance(&e, &b), 0);
	errseq_set(&e, -ENOSPC);
	KT_EQ(errseq_check_and_advance(&e, &a), -ENOSPC);
	KT_EQ(errseq_check_and_advance(&e, &b), -ENOSPC);
	errseq_set(&e, -EIO);
	b = errseq_sample(&e);		/* not seen by anybody: a new opener hears of it */
	KT_EQ(errseq_check_and_advance(&e, &b), -EIO);
}
