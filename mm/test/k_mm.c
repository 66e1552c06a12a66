// SPDX-License-Identifier: MIT
/* Address spaces from inside: mapping, faults, copy on write, moving, reverse map, shmem, iter. */
#include <alloc/page.h>
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <lib/string.h>
#include <linux/falloc.h>
#include <linux/mman.h>
#include <mm/filemap.h>
#include <mm/iter.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include <mm/rmap.h>
#include <mm/shmem.h>
#include "mm/mm_priv.h"

#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define RW	(PROT_READ | PROT_WRITE)

static unsigned long map(struct mm *mm, unsigned long addr, unsigned long pages, unsigned long flags)
{
	return vm_mmap(mm, NULL, addr, pages << PAGE_SHIFT, RW, ANON | flags, 0);
}

static u64 peek(struct mm *mm, unsigned long addr)
{
	u64 v = ~0ull;

	return access_remote_vm(mm, addr, &v, sizeof(v), 0) == sizeof(v) ? v : ~0ull;
}

static bool poke(struct mm *mm, unsigned long addr, u64 v)
{
	return access_remote_vm(mm, addr, &v, sizeof(v), FOLL_WRITE) == sizeof(v);
}

static struct page *page_at(struct mm *mm, unsigned long addr)
{
	pte_t *pte = pte_find(mm, addr);

	return pte && pte_present(*pte) ? pte_normal_page(*pte) : NULL;
}

/* Everything of the space is in order: VMAs sorted, apart, counted. */
static bool consistent(struct mm *mm)
{
	unsigned long end = 0, pages = 0;
	struct vma *vma, *prev = NULL;
	int n = 0;

	for_each_vma(mm, vma) {
		if (vma->vm_start < end || vma->vm_end <= vma->vm_start || vma->vm_prev != prev ||
		    find_vma(mm, vma->vm_start) != vma || vma_lookup(mm, vma->vm_end - 1) != vma)
			return false;
		end = vma->vm_end;
		pages += vma_pages(vma);
		prev = vma;
		n++;
	}
	return n == mm->map_count && pages == mm->total_vm;
}

KTEST(mm_map_unmap)
{
	struct mm *mm = mm_alloc();
	unsigned long a, b, c;

	KT_ASSERT(mm);
	a = map(mm, 0, 4, 0);
	b = map(mm, 0, 4, 0);
	KT_EQ(b, a - (4 << PAGE_SHIFT));
	KT_EQ(mm->map_count, 1);	/* merged */
	KT_ASSERT(poke(mm, a, 1) && poke(mm, b + PAGE_SIZE, 2));
	KT_EQ(peek(mm, a), 1);
	KT_EQ(peek(mm, a + 8), 0);
	KT_EQ(get_mm_counter(mm, MM_ANONPAGES), 2);
	KT_EQ(vm_munmap(mm, b + 2 * PAGE_SIZE, 3 * PAGE_SIZE), 0);
	KT_EQ(mm->map_count, 2);
	KT_ASSERT(consistent(mm));
	KT_EQ(get_mm_counter(mm, MM_ANONPAGES), 1);
	c = map(mm, 0, 3, 0);
	KT_EQ(c, b + 2 * PAGE_SIZE);
	KT_EQ(mm->map_count, 1);
	KT_EQ(peek(mm, a), 0);
	KT_EQ(peek(mm, b + PAGE_SIZE), 2);
	KT_EQ(map(mm, a, 1, MAP_FIXED_NOREPLACE), -EEXIST);
	KT_EQ(map(mm, a + 1, 1, MAP_FIXED), -EINVAL);
	KT_EQ(vm_munmap(mm, a + 1, PAGE_SIZE), -EINVAL);
	KT_ASSERT(consistent(mm));
	mmput(mm);
}

KTEST(mm_many_maps)
{
	struct mm *mm = mm_alloc();
	u32 rnd = 12345;

	KT_ASSERT(mm);
	for (int i = 0; i < 3000; i++) {
		unsigned long base = 0x10000000ul, addr, len;

		rnd = rnd * 1103515245 + 12345;
		addr = base + ((unsigned long)(rnd >> 8) % 2000 << PAGE_SHIFT);
		len = (1 + (rnd >> 20) % 8) << PAGE_SHIFT;
		switch (rnd >> 4 & 3) {
		case 0:
			KT_EQ(vm_munmap(mm, addr, len), 0);
			break;
		case 1:
			mprotect_range(mm, addr, len, PROT_READ, false);
			break;
		default:
			KT_EQ(vm_mmap(mm, NULL, addr, len, rnd & 64 ? RW : PROT_READ, ANON | MAP_FIXED, 0), addr);
			if (rnd & 64)
				KT_ASSERT(poke(mm, addr, addr));
		}
		if (i % 100 == 0)
			KT_ASSERT(consistent(mm));
	}
	KT_ASSERT(consistent(mm));
	mmput(mm);
}

KTEST(mm_fork_cow)
{
	struct mm *mm = mm_alloc(), *child;
	unsigned long a;
	struct page *p;

	KT_ASSERT(mm);
	a = map(mm, 0, 600, 0);
	for (unsigned long i = 0; i < 600; i++)
		KT_ASSERT(poke(mm, a + (i << PAGE_SHIFT), i + 1));
	child = mm_dup(mm);
	KT_ASSERT(!IS_ERR(child));
	KT_ASSERT(consistent(child));
	KT_EQ(get_mm_counter(child, MM_ANONPAGES), 600);
	p = page_at(mm, a);
	KT_ASSERT(p && p == page_at(child, a));
	KT_EQ(atomic_read(&p->mapcount), 2);
	KT_ASSERT(poke(child, a, 77));
	KT_EQ(peek(mm, a), 1);
	KT_EQ(peek(child, a), 77);
	KT_EQ(atomic_read(&p->mapcount), 1);
	KT_ASSERT(page_at(mm, a) == p);
	KT_ASSERT(poke(mm, a, 5));	/* alone again: taken over, not copied */
	KT_ASSERT(page_at(mm, a) == p);
	for (unsigned long i = 1; i < 600; i++)
		KT_EQ(peek(child, a + (i << PAGE_SHIFT)), i + 1);
	mmput(child);
	KT_EQ(peek(mm, a + PAGE_SIZE), 2);
	mmput(mm);
}

KTEST(mm_fork_pinned)
{
	struct mm *mm = mm_alloc(), *child;
	struct page *p = NULL;
	unsigned long a;
	long got;

	KT_ASSERT(mm);
	a = map(mm, 0, 1, 0);
	KT_ASSERT(poke(mm, a, 1));
	mmap_read_lock(mm);
	got = get_user_pages_remote(mm, a, 1, FOLL_PIN | FOLL_WRITE, &p);
	mmap_read_unlock(mm);
	KT_EQ(got, 1);
	child = mm_dup(mm);
	KT_ASSERT(!IS_ERR(child));
	KT_ASSERT(page_at(mm, a) == p && page_at(child, a) != p);
	KT_EQ(peek(child, a), 1);
	KT_ASSERT(poke(mm, a, 2));
	KT_ASSERT(page_at(mm, a) == p);
	unpin_user_page(p);
	mmput(child);
	mmput(mm);
}

static bool count_one(struct folio *folio, struct vma *vma, unsigned long addr, void *arg)
{
	(*(int *)arg)++;
	return true;
}

static int count_maps(struct page *p)
{
	int n = 0;
	struct rmap_walk rw = { .arg = &n, .one = count_one };

	folio_lock(page_folio(p));
	rmap_walk(page_folio(p), &rw);
	folio_unlock(page_folio(p));
	return n;
}

KTEST(mm_rmap_anon)
{
	struct mm *mm = mm_alloc(), *c1, *c2;
	unsigned long a, b;
	struct page *p;

	KT_ASSERT(mm);
	a = map(mm, 0, 8, 0);
	KT_ASSERT(poke(mm, a + PAGE_SIZE, 9));
	c1 = mm_dup(mm);
	c2 = mm_dup(c1);
	KT_ASSERT(!IS_ERR(c1) && !IS_ERR(c2));
	p = page_at(mm, a + PAGE_SIZE);
	KT_EQ(count_maps(p), 3);
	b = mm_mremap(c1, a, 8 << PAGE_SHIFT, 16 << PAGE_SHIFT, MREMAP_MAYMOVE | MREMAP_FIXED, a - (64ul << PAGE_SHIFT));
	KT_ASSERT(!IS_ERR_VALUE(b) && b != a);
	KT_ASSERT(page_at(c1, b + PAGE_SIZE) == p && !page_at(c1, a + PAGE_SIZE));
	KT_EQ(count_maps(p), 3);
	mmput(c2);
	KT_EQ(count_maps(p), 2);
	folio_get(page_folio(p));
	folio_lock(page_folio(p));
	folio_clear_dirty_raw(page_folio(p));
	folio_unlock(page_folio(p));
	mmput(mm);
	KT_EQ(count_maps(p), 1);
	mmput(c1);
	KT_EQ(page_ref_count(p), 1);
	put_page(p);
}

KTEST(mm_mremap_big)
{
	struct mm *mm = mm_alloc();
	unsigned long a, b, pages = 3 * PT_ENTRIES + 7;

	KT_ASSERT(mm);
	a = map(mm, 0, pages, 0);
	for (unsigned long i = 0; i < pages; i += 5)
		KT_ASSERT(poke(mm, a + (i << PAGE_SHIFT), i));
	b = (1ul << (62 - __builtin_clzl(TASK_SIZE_MAX))) - 0x1000000;	/* a quarter up, and in two tables of each level */
	KT_EQ(mm_mremap(mm, a, pages << PAGE_SHIFT, pages << PAGE_SHIFT, MREMAP_MAYMOVE | MREMAP_FIXED, b), b);
	for (unsigned long i = 0; i < pages; i += 5)
		KT_EQ(peek(mm, b + (i << PAGE_SHIFT)), i);
	KT_EQ(peek(mm, a), ~0ull);
	KT_ASSERT(consistent(mm));
	KT_EQ(mm_mremap(mm, b, pages << PAGE_SHIFT, PAGE_SIZE, 0, 0), b);
	KT_EQ(get_mm_counter(mm, MM_ANONPAGES), 1);
	KT_EQ(mm_mremap(mm, b, PAGE_SIZE, 2 * PAGE_SIZE, 0, 0), b);
	KT_EQ(mm_mremap(mm, b + (9ul << PAGE_SHIFT), PAGE_SIZE, PAGE_SIZE, 0, 0), -EFAULT);
	KT_ASSERT(consistent(mm));
	mmput(mm);
}

KTEST(mm_madvise_basic)
{
	struct mm *mm = mm_alloc(), *child;
	unsigned char vec[8];
	unsigned long a;

	KT_ASSERT(mm);
	a = map(mm, 0, 8, 0);
	for (int i = 0; i < 8; i++)
		KT_ASSERT(poke(mm, a + ((unsigned long)i << PAGE_SHIFT), 5));
	KT_EQ(mm_madvise(mm, a, 2 * PAGE_SIZE, MADV_DONTNEED), 0);
	KT_EQ(peek(mm, a), 0);
	KT_EQ(peek(mm, a + 2 * PAGE_SIZE), 5);
	KT_EQ(mm_madvise(mm, a + 2 * PAGE_SIZE, PAGE_SIZE, MADV_WIPEONFORK), 0);
	KT_EQ(mm_madvise(mm, a + 3 * PAGE_SIZE, PAGE_SIZE, MADV_DONTFORK), 0);
	KT_EQ(mm_madvise(mm, a + 7 * PAGE_SIZE, PAGE_SIZE, MADV_GUARD_INSTALL), 0);
	KT_ASSERT(!poke(mm, a + 7 * PAGE_SIZE, 1));
	child = mm_dup(mm);
	KT_ASSERT(!IS_ERR(child));
	KT_EQ(peek(child, a + 2 * PAGE_SIZE), 0);
	KT_EQ(peek(child, a + 3 * PAGE_SIZE), ~0ull);
	KT_EQ(peek(child, a + 4 * PAGE_SIZE), 5);
	KT_EQ(peek(child, a + 7 * PAGE_SIZE), ~0ull);
	KT_ASSERT(consistent(child));
	mmput(child);
	KT_EQ(mm_madvise(mm, a + 7 * PAGE_SIZE, PAGE_SIZE, MADV_GUARD_REMOVE), 0);
	KT_ASSERT(poke(mm, a + 7 * PAGE_SIZE, 1));
	KT_EQ(mm_madvise(mm, a + 4 * PAGE_SIZE, PAGE_SIZE, MADV_FREE), 0);
	KT_EQ(lru_nr(LRU_LAZYFREE), 1);
	KT_EQ(peek(mm, a + 4 * PAGE_SIZE), 5);
	drop_caches(1);
	KT_EQ(mm_mincore(mm, a, 8, vec), 2);	/* up to the end of the VMA: flags differ behind */
	KT_EQ(mm_madvise(mm, a, 8 * PAGE_SIZE, 12345), -EINVAL);
	KT_EQ(mm_madvise(mm, a + 8 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED), -ENOMEM);
	mmput(mm);
	KT_EQ(lru_nr(LRU_LAZYFREE), 0);
}

KTEST(mm_mprotect)
{
	struct mm *mm = mm_alloc();
	struct page *p;
	unsigned long a;

	KT_ASSERT(mm);
	a = map(mm, 0, 4, 0);
	KT_ASSERT(poke(mm, a + PAGE_SIZE, 3));
	p = page_at(mm, a + PAGE_SIZE);
	KT_EQ(mprotect_range(mm, a + PAGE_SIZE, PAGE_SIZE, PROT_READ, false), 0);
	KT_EQ(mm->map_count, 3);
	KT_ASSERT(!poke(mm, a + PAGE_SIZE, 4));
	KT_EQ(access_remote_vm(mm, a + PAGE_SIZE, "12345678", 8, FOLL_WRITE | FOLL_FORCE), 8);
	KT_EQ(mprotect_range(mm, a + PAGE_SIZE, PAGE_SIZE, RW, false), 0);
	KT_EQ(mm->map_count, 1);
	KT_ASSERT(page_at(mm, a + PAGE_SIZE) == p);
	KT_EQ(mprotect_range(mm, a, 4 * PAGE_SIZE, PROT_NONE, false), 0);
	KT_EQ(peek(mm, a + PAGE_SIZE), ~0ull);
	KT_EQ(mprotect_range(mm, a, 4 * PAGE_SIZE, RW, false), 0);
	KT_ASSERT(peek(mm, a + PAGE_SIZE) != ~0ull && peek(mm, a + PAGE_SIZE));
	KT_EQ(mprotect_range(mm, a, 5 * PAGE_SIZE, RW, false), -ENOMEM);
	mmput(mm);
}

KTEST(mm_brk_stack)
{
	struct mm *mm = mm_alloc();
	unsigned long top = mm->task_size & PAGE_MASK, start = 0x600000, next = start + PAGE_SIZE;

	KT_ASSERT(mm);
	mm->start_brk = mm->brk = start;
	KT_EQ(mm_brk(mm, next + 0x234), next + 0x234);
	KT_ASSERT(poke(mm, next, 1));
	KT_EQ(mm_brk(mm, start + 64 * PAGE_SIZE), start + 64 * PAGE_SIZE);
	KT_EQ(mm->map_count, 1);
	KT_EQ(mm_brk(mm, start + 0x800), start + 0x800);
	KT_EQ(peek(mm, next), ~0ull);
	KT_EQ(mm_brk(mm, start - PAGE_SIZE), start + 0x800);
	KT_EQ(mm_brk(mm, ~0ul), start + 0x800);
	KT_EQ(mm_setup_stack(mm, top, 4 * PAGE_SIZE, 0), 0);
	KT_ASSERT(poke(mm, top - 8, 1));
	KT_ASSERT(poke(mm, top - 100 * PAGE_SIZE, 2));
	KT_EQ(find_vma(mm, top - PAGE_SIZE)->vm_start, top - 100 * PAGE_SIZE);
	KT_ASSERT(consistent(mm));
	mmput(mm);
}

KTEST(mm_shmem_data)
{
	struct shmem_sb sb = { .max_pages = 20 };
	struct address_space mapping;
	struct shmem_inode si;
	loff_t size = 0;
	char buf[300], in[300];
	struct kvec kv = { buf, sizeof(buf) };
	struct kiocb iocb = { .ki_pos = 10 * PAGE_SIZE - 100 };
	struct iter it;

	shmem_inode_init(&si, &sb, &mapping, NULL, &size);
	for (int i = 0; i < 300; i++)
		buf[i] = (char)(i + 1);
	iter_init_kvec(&it, ITER_SOURCE, &kv, 1, 300);
	KT_EQ(shmem_write_iter(&iocb, &it, &si), 300);
	KT_EQ(size, 10 * PAGE_SIZE + 200);
	KT_EQ(atomic64_read(&sb.used), 2);
	KT_EQ(shmem_seek(&si, 0, 3), 9 * PAGE_SIZE);
	KT_EQ(shmem_seek(&si, 0, 4), 0);
	KT_EQ(shmem_seek(&si, 9 * PAGE_SIZE + 5, 4), size);
	kv.iov_base = in;
	iocb.ki_pos = 10 * PAGE_SIZE - 200;
	iter_init_kvec(&it, ITER_DEST, &kv, 1, 300);
	KT_EQ(shmem_read_iter(&iocb, &it, &si), 300);
	KT_EQ(in[99], 0);
	KT_ASSERT(!memcmp(in + 100, buf, 200));
	KT_EQ(shmem_fallocate(&si, 0, 0, 5 * PAGE_SIZE), 0);
	KT_EQ(atomic64_read(&sb.used), 7);
	KT_EQ(shmem_fallocate(&si, FALLOC_FL_KEEP_SIZE, 0, 40 * PAGE_SIZE), -ENOSPC);
	KT_EQ(shmem_fallocate(&si, 0, 11 * PAGE_SIZE, 18 * PAGE_SIZE), -ENOSPC);
	KT_EQ(atomic64_read(&sb.used), 7);
	KT_EQ(shmem_fallocate(&si, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 3 * PAGE_SIZE), 0);
	KT_EQ(atomic64_read(&sb.used), 5);
	size = 10 * PAGE_SIZE - 50;
	shmem_truncate(&si, size);
	KT_EQ(atomic64_read(&sb.used), 4);
	shmem_inode_evict(&si);
	KT_EQ(atomic64_read(&sb.used), 0);
	KT_EQ(mapping.nrpages, 0);
	address_space_destroy(&mapping);
}

KTEST(mm_iter_kvec)
{
	char a[10], b[7], out[17];
	struct kvec kv[3] = { { a, 10 }, { NULL, 0 }, { b, 7 } };
	struct iter it;

	iter_init_kvec(&it, ITER_DEST, kv, 3, 17);
	KT_EQ(copy_to_iter("hello", 5, &it), 5);
	KT_EQ(copy_to_iter("0123456789abcdef", 16, &it), 12);
	KT_EQ(iter_count(&it), 0);
	iter_revert(&it, 17);
	KT_EQ(iter_count(&it), 17);
	it.data_source = true;
	KT_EQ(copy_from_iter(out, 17, &it), 17);
	KT_ASSERT(!memcmp(out, "hello0123456789ab", 17));
	iter_revert(&it, 3);
	KT_EQ(copy_from_iter(out, 17, &it), 3);
	KT_ASSERT(!memcmp(out, "9ab", 3));
}

/* A whole life must leave nothing behind. */
KTEST(mm_no_leak)
{
	unsigned long live, free, committed = vm_committed();

	for (int round = 0; round < 2; round++) {
		rcu_barrier();
		drain_local_pages();
		live = slab_total_live();
		free = nr_free_pages();
		for (int i = 0; i < 50; i++) {
			struct mm *mm = mm_alloc(), *c;
			unsigned long a = map(mm, 0, 50, 0);

			for (unsigned long k = 0; k < 50; k++)
				poke(mm, a + (k << PAGE_SHIFT), k);
			c = mm_dup(mm);
			for (unsigned long k = 0; k < 50; k += 2)
				poke(c, a + (k << PAGE_SHIFT), k);
			mmput(mm);
			mm_madvise(c, a, 10 << PAGE_SHIFT, MADV_DONTNEED);
			mmput(c);
		}
		rcu_barrier();
		drain_local_pages();
	}
	KT_EQ(vm_committed(), committed);
	KT_ASSERT(slab_total_live() <= live + 2);
	KT_ASSERT(nr_free_pages() + 40 >= free);
}
