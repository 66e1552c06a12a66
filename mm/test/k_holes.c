// SPDX-License-Identifier: MIT
/*
 * The search for room against one that looks at each VMA, over layouts that random calls make: the address that
 * mmap chooses without a hint, and with MAP_32BIT.
 */
#include <kernel/ktest.h>
#include <linux/mman.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include "mm/mm_priv.h"

#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define WINDOW		2000ul		/* pages that fixed mappings are laid into, below mmap_base and from 1 GiB on */
#define ROUNDS		6000

static u64 seed;

static unsigned long below(unsigned long limit)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned long)(seed >> 33) % limit;
}

static unsigned long needs_from(const struct vma *vma)
{
	unsigned long gap = vma_is_stack(vma) ? stack_guard_gap() : 0;

	return vma->vm_start > gap ? vma->vm_start - gap : 0;
}

/* The lowest room in [low, end), or the highest, found by a look at each hole. 0: none. */
static unsigned long naive(struct mm *mm, unsigned long low, unsigned long end, unsigned long len, bool highest)
{
	unsigned long from = low, found = 0;
	struct vma *vma = vt_first(&mm->tree);

	for (;; vma = vma->vm_next) {
		unsigned long to = min(end, vma ? needs_from(vma) : end);

		if (to > from && to - from >= len) {
			found = highest ? to - len : from;
			if (!highest)
				return found;
		}
		if (!vma)
			return found;
		from = max(from, vma->vm_end);
	}
}

static unsigned long naive_top_down(struct mm *mm, unsigned long len)
{
	unsigned long found = naive(mm, sysctl_mmap_min_addr, mm->mmap_base, len, true);

	return found ?: naive(mm, min(mm->mmap_base, PAGE_ALIGN(mm->task_size / 3)), mm->task_size, len, false);
}

static bool finds_the_same(struct mm *mm)
{
	unsigned long len = (1 + below(below(8) ? 8 : WINDOW)) << PAGE_SHIFT, got, want;
	bool ok = true;

	mmap_write_lock(mm);
	want = naive_top_down(mm, len);
	got = get_unmapped_area(mm, NULL, 0, len, 0, 0);
	if (got != (want ?: (unsigned long)-ENOMEM)) {
		pr_err("%lu bytes: %lx, not %lx\n", len, got, want);
		ok = false;
	}
#ifdef MAP_32BIT
	want = naive(mm, 1ul << 30, 1ul << 31, len, false);
	got = get_unmapped_area(mm, NULL, 0, len, 0, MAP_32BIT);
	if (got != (want ?: (unsigned long)-ENOMEM)) {
		pr_err("%lu bytes of 32 bits: %lx, not %lx\n", len, got, want);
		ok = false;
	}
#endif
	mmap_write_unlock(mm);
	return ok;
}

static void change_at_random(struct mm *mm)
{
	unsigned long base = below(3) ? mm->mmap_base - (WINDOW << PAGE_SHIFT) : 1ul << 30;
	unsigned long at = base + (below(WINDOW) << PAGE_SHIFT), len = (1 + below(below(4) ? 4 : 40)) << PAGE_SHIFT;
	unsigned long prot = below(4);		/* neighbours of different rights stay apart */

	switch (below(8)) {
	case 0: case 1: case 2:
		vm_mmap(mm, NULL, at, len, prot, ANON | MAP_FIXED | MAP_NORESERVE, 0);
		break;
	case 3: case 4:
		vm_munmap(mm, at, len);
		break;
	case 5:
		vm_mmap(mm, NULL, below(2) ? at : 0, len, prot, ANON | MAP_NORESERVE, 0);
		break;
	case 6:
		vm_mmap(mm, NULL, at, PAGE_SIZE, prot, ANON | MAP_FIXED | MAP_NORESERVE | (below(4) ? 0 : MAP_GROWSDOWN), 0);
		break;
	default:
		mm_mremap(mm, at, PAGE_SIZE, len, MREMAP_MAYMOVE, 0);
	}
}

static void run_rounds(struct ktest_run *__kt, struct mm *mm, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		change_at_random(mm);
		KT_ASSERT(i % 3 || finds_the_same(mm));
	}
}

KTEST(mm_room_is_what_a_naive_search_finds)
{
	struct mm *mm = mm_alloc(), *copy;

	KT_ASSERT(mm);
	seed = 1;
	run_rounds(__kt, mm, ROUNDS);
	copy = mm_dup(mm);
	KT_ASSERT(!IS_ERR(copy));
	KT_ASSERT(finds_the_same(copy));
	run_rounds(__kt, copy, ROUNDS / 4);
	mmput(copy);
	run_rounds(__kt, mm, ROUNDS / 4);
	mmput(mm);
}

/* Where nothing is left below mmap_base, and where nothing is left at all. */
KTEST(mm_room_above_mmap_base)
{
	struct mm *mm = mm_alloc();
	unsigned long above;

	KT_ASSERT(mm);
	KT_ASSERT(!IS_ERR_VALUE(vm_mmap(mm, NULL, sysctl_mmap_min_addr, mm->mmap_base - sysctl_mmap_min_addr, PROT_NONE,
					ANON | MAP_FIXED | MAP_NORESERVE, 0)));
	KT_ASSERT(finds_the_same(mm));
	above = vm_mmap(mm, NULL, 0, PAGE_SIZE, PROT_READ, ANON, 0);
	KT_EQ(above, mm->mmap_base);
	KT_ASSERT(finds_the_same(mm));
	KT_ASSERT(!IS_ERR_VALUE(vm_mmap(mm, NULL, above + 2 * PAGE_SIZE, mm->task_size - above - 2 * PAGE_SIZE, PROT_NONE,
					ANON | MAP_FIXED | MAP_NORESERVE, 0)));
	KT_EQ(vm_mmap(mm, NULL, 0, 2 * PAGE_SIZE, PROT_READ, ANON, 0), (unsigned long)-ENOMEM);
	KT_EQ(vm_mmap(mm, NULL, 0, PAGE_SIZE, PROT_READ, ANON, 0), above + PAGE_SIZE);
	KT_EQ(vm_mmap(mm, NULL, 0, PAGE_SIZE, PROT_READ, ANON, 0), (unsigned long)-ENOMEM);
	mmput(mm);
}

/* What fork leaves out is room in the copy, though above where the last search ended. */
KTEST(mm_room_in_a_copy_without_all)
{
	struct mm *mm = mm_alloc(), *copy;
	unsigned long first = 0;

	KT_ASSERT(mm);
	for (unsigned long i = 0; i < 8; i++) {
		unsigned long at = vm_mmap(mm, NULL, 0, PAGE_SIZE, i & 1 ? PROT_READ : PROT_NONE, ANON, 0);

		KT_ASSERT(!IS_ERR_VALUE(at));
		first = first ?: at;
	}
	KT_EQ(mm_madvise(mm, first, PAGE_SIZE, MADV_DONTFORK), 0);
	copy = mm_dup(mm);
	KT_ASSERT(!IS_ERR(copy));
	KT_EQ(vm_mmap(copy, NULL, 0, PAGE_SIZE, PROT_READ, ANON, 0), first);
	mmput(copy);
	mmput(mm);
}

/* A mapping in the guard gap of a stack makes the hole below larger, though above where the last search ended. */
KTEST(mm_room_below_what_is_in_a_guard_gap)
{
	const unsigned long fixed = ANON | MAP_FIXED;
	struct mm *mm = mm_alloc();
	unsigned long stack, guard;

	KT_ASSERT(mm);
	stack = mm->mmap_base - PAGE_SIZE;
	guard = stack - stack_guard_gap();
	KT_EQ(vm_mmap(mm, NULL, stack, PAGE_SIZE, PROT_READ, fixed | MAP_GROWSDOWN, 0), stack);
	for (unsigned long i = 2; i < 10; i++)
		KT_EQ(vm_mmap(mm, NULL, guard - i * PAGE_SIZE, PAGE_SIZE, i & 1 ? PROT_READ : PROT_NONE, fixed, 0), guard - i * PAGE_SIZE);
	KT_EQ(vm_mmap(mm, NULL, 0, 2 * PAGE_SIZE, PROT_WRITE, ANON, 0), guard - 11 * PAGE_SIZE);
	KT_EQ(vm_mmap(mm, NULL, guard + 4 * PAGE_SIZE, PAGE_SIZE, PROT_READ, fixed, 0), guard + 4 * PAGE_SIZE);
	KT_EQ(vm_mmap(mm, NULL, 0, 3 * PAGE_SIZE, PROT_WRITE, ANON, 0), guard + PAGE_SIZE);
	mmput(mm);
}
