// SPDX-License-Identifier: MIT
/*
 * Making and removing mappings: mmap, munmap, brk, the search for room, stack growth.
 *
 * Room is searched downwards from mmap_base, and the highest fit is taken. A run of mmaps finds it at once:
 * hole_top remembers where the last search ended, and no hole that ends above it (mmap_base at most) has more
 * than hole_max bytes. A mapping only makes holes smaller; unmapping raises hole_top to the end of the hole
 * that it makes. After a few VMAs the range tree has the next fit (mm/include/mm/vmatree.h).
 */
#include <abi/mman.h>
#include <arch/elf.h>
#include "mm_priv.h"
#include <linux/personality.h>
#include <linux/capability.h>

unsigned long sysctl_max_map_count = 65530;
unsigned long sysctl_mmap_min_addr = 65536;

bool mm_addr_allowed(unsigned long addr)
{
	return addr >= sysctl_mmap_min_addr || mm_capable(CAP_SYS_RAWIO);
}

unsigned long stack_guard_gap(void)
{
	return 256ul << PAGE_SHIFT;
}

/* Lowest address that new mappings below vma must keep free. */
static unsigned long vm_start_gap(const struct vma *vma)
{
	unsigned long gap = stack_guard_gap();

	if (!vma_is_stack(vma))
		return vma->vm_start;
	return vma->vm_start > gap ? vma->vm_start - gap : 0;
}

void vm_stat_account(struct mm *mm, unsigned long flags, long pages)
{
	mm->total_vm += (unsigned long)pages;
	if (mm->total_vm > mm->hiwater_vm)
		mm->hiwater_vm = mm->total_vm;
	if ((flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) == VM_EXEC)
		mm->exec_vm += (unsigned long)pages;
	else if (flags & VM_GROWSDOWN)
		mm->stack_vm += (unsigned long)pages;
	else if ((flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
		mm->data_vm += (unsigned long)pages;
}

bool may_expand_vm(struct mm *mm, unsigned long flags, unsigned long pages)
{
	if (mm->total_vm + pages > mm_rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return false;
	if ((flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE &&
	    mm->data_vm + pages > mm_rlimit(RLIMIT_DATA) >> PAGE_SHIFT)
		return false;
	return true;
}

bool accountable_mapping(struct file *file, unsigned long vm_flags)
{
	return (vm_flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
}

/* RLIMIT_MEMLOCK would allow so many more pages. */
bool mlock_allowed(struct mm *mm, unsigned long more)
{
	unsigned long limit = mm_rlimit(RLIMIT_MEMLOCK);

	if (mm->locked_vm + more <= limit >> PAGE_SHIFT)
		return true;
	return mm_capable(CAP_IPC_LOCK);
}

unsigned long vt_gap_below(const struct vma *vma)
{
	unsigned long from = vma->vm_prev ? vma->vm_prev->vm_end : 0, to = vm_start_gap(vma);

	return to > from ? to - from : 0;
}

/* Never 0, whatever the sysctl says: nobody gets that address without asking for it. */
static unsigned long lowest_room(void)
{
	return max(sysctl_mmap_min_addr, PAGE_SIZE);
}

/* The lowest room of LEN bytes in [low, end). */
static unsigned long lowest_area(struct mm *mm, unsigned long low, unsigned long end, unsigned long len)
{
	struct vma *vma = find_vma(mm, low);

	if (vma && (low > vm_start_gap(vma) || vm_start_gap(vma) - low < len)) {
		struct vma *above = vt_gap_up(&mm->tree, vma->vm_start + 1, len);

		low = above ? above->vm_prev->vm_end : vt_floor(&mm->tree, ~0ul)->vm_end;
	}
	return low < end && end - low >= len ? low : (unsigned long)-ENOMEM;
}

/* Nothing fits below mmap_base: anything from the hole around it up to the end of user space. */
static unsigned long area_above_base(struct mm *mm, unsigned long len)
{
	struct vma *vma = vt_floor(&mm->tree, mm->mmap_base - 1);
	unsigned long low = max(vma ? vma->vm_end : lowest_room(), PAGE_ALIGN(mm->task_size / 3));

	mm->hole_top = mm->mmap_base;
	mm->hole_max = 0;
	return lowest_area(mm, min(low, mm->mmap_base), mm->task_size, len);
}

/* The end of the highest room of LEN bytes below mmap_base, or 0. LEN is above hole_max. */
static unsigned long highest_area(struct mm *mm, unsigned long len)
{
	struct vma *vma = vt_floor(&mm->tree, mm->hole_top - 1);
	struct vma *next = vma ? vma->vm_next : vt_first(&mm->tree);
	unsigned long top, end;

	for (int tries = 0; tries < 4; tries++) {
		top = next ? min(mm->mmap_base, vm_start_gap(next)) : mm->mmap_base;
		end = max(vma ? vma->vm_end : 0, lowest_room());
		if (top > end) {
			if (top - end >= len)
				return top;
			mm->hole_max = max(mm->hole_max, top - end);
		}
		if (!vma)
			return 0;
		next = vma;
		vma = vma->vm_prev;
	}
	next = vt_gap_down(&mm->tree, next->vm_start, len);
	if (!next)
		return 0;
	mm->hole_max = len - 1;
	top = vm_start_gap(next);
	return top - len >= lowest_room() ? top : 0;
}

unsigned long vm_unmapped_area(struct mm *mm, unsigned long len)
{
	unsigned long top;

	if (len <= mm->hole_max) {
		mm->hole_top = mm->mmap_base;
		mm->hole_max = 0;
	}
	top = highest_area(mm, len);
	if (!top)
		return area_above_base(mm, len);
	mm->hole_top = top;
	return top - len;
}

#ifdef MAP_32BIT
/* The lowest hole of LEN bytes in the second gigabyte, which is all that MAP_32BIT may have (mmap(2)). */
static unsigned long area_of_32_bits(struct mm *mm, unsigned long len)
{
	return lowest_area(mm, 1ul << 30, 1ul << 31, len);
}
#endif

/* Is [addr, addr + len) free, guard gap of a stack above included? */
static bool area_free(struct mm *mm, unsigned long addr, unsigned long len)
{
	struct vma *vma = find_vma(mm, addr);

	return !vma || addr + len <= vm_start_gap(vma);
}

unsigned long get_unmapped_area(struct mm *mm, struct file *file, unsigned long addr, unsigned long len,
				unsigned long pgoff, unsigned long flags)
{
	unsigned long r;

	if (len > mm->task_size)
		return (unsigned long)-ENOMEM;
	if (flags & MAP_FIXED) {
		if (addr & ~PAGE_MASK)
			return (unsigned long)-EINVAL;
		if (addr > mm->task_size - len)
			return (unsigned long)-ENOMEM;
		return addr;
	}
	if (file) {
		r = mm_file_unmapped_area(file, addr, len, pgoff, flags);
		if (r)
			return r;
	}
	if (addr) {
		unsigned long end = mm->task_size;

#ifdef MAP_32BIT
		if (flags & MAP_32BIT)
			end = min(end, 1ul << 31);
#endif
		addr = PAGE_ALIGN(addr);
		addr = max(addr, sysctl_mmap_min_addr);
		if (len <= end && addr <= end - len && area_free(mm, addr, len))
			return addr;
	}
#ifdef MAP_32BIT
	if (flags & MAP_32BIT)
		return area_of_32_bits(mm, len);
#endif
	return vm_unmapped_area(mm, len);
}

static void unmap_vma_done(struct mm *mm, struct vma *vma, unsigned long *unacct)
{
	unsigned long pages = vma_pages(vma);

	vm_stat_account(mm, vma->vm_flags, -(long)pages);
	if (vma->vm_flags & VM_ACCOUNT)
		*unacct += pages;
	if (vma->vm_flags & VM_LOCKED)
		mm->locked_vm -= pages;
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	if (vma->vm_file) {
		if (vma->vm_flags & VM_SHARED && vma->vm_flags & VM_MAYWRITE)
			mapping_unmap_writable(vma->vm_mapping);
		mm_file_put(vma->vm_file);
	}
	vma_free(vma);
}

/* [start, end) begins inside or before vma, the first one in it. Whole pages, checked. */
int do_vma_munmap(struct mm *mm, struct vma *vma, unsigned long start, unsigned long end)
{
	unsigned long floor, ceiling, unacct = 0, first;
	struct vma *v, *next, *last;
	struct mmu_gather tlb;
	int err;

	for (v = vma; v && v->vm_start < end; v = v->vm_next)
		if (unlikely(v->vm_flags & VM_SEALED))
			return -EPERM;
	if (start > vma->vm_start) {
		err = split_vma(mm, vma, start, true);
		if (err)
			return err;
	}
	for (last = vma; last->vm_next && last->vm_next->vm_start < end; last = last->vm_next)
		;
	if (end < last->vm_end) {
		err = split_vma(mm, last, end, true);
		if (err)
			return err;
		last = last->vm_prev;
		if (vma->vm_start >= end)
			vma = last;
	}
	floor = vma->vm_prev ? vma->vm_prev->vm_end : 0;
	ceiling = last->vm_next ? last->vm_next->vm_start : 0;
	first = vma->vm_start;
	gather_init(&tlb, mm, first, last->vm_end, false);
	for (v = vma;; v = next) {
		next = v->vm_next;
		vma_start_write(v);
		zap_range(&tlb, v, v->vm_start, v->vm_end, true);
		vma_file_unlink(v);
		vma_unlink(v);
		if (v == last)
			break;
	}
	free_pgtables(&tlb, first, last->vm_end, floor, ceiling);
	gather_finish(&tlb);
	if (!ceiling || ceiling > mm->hole_top)
		mm->hole_top = ceiling ? min(ceiling, mm->mmap_base) : mm->mmap_base;
	/* Unlinked VMAs keep their next pointers. */
	if (unlikely(mm->tree.searched) && last->vm_next)
		vt_gap_grew(&mm->tree, last->vm_next->vm_start, vt_gap_below(last->vm_next));
	for (v = vma;; v = next) {
		bool end_here = v == last;

		next = v->vm_next;
		unmap_vma_done(mm, v, &unacct);
		if (end_here)
			break;
	}
	if (unacct)
		vm_unacct_memory(unacct);
	return 0;
}

int do_munmap(struct mm *mm, unsigned long start, size_t len)
{
	struct vma *vma;
	unsigned long end;

	if (offset_in_page(start) || start > mm->task_size || len > mm->task_size - start)
		return -EINVAL;
	end = start + PAGE_ALIGN(len);
	if (end == start)
		return -EINVAL;
	vma = find_vma_intersection(mm, start, end);
	return vma ? do_vma_munmap(mm, vma, start, end) : 0;
}

int vm_munmap(struct mm *mm, unsigned long start, unsigned long len)
{
	int err = mmap_write_lock_killable(mm);

	if (err)
		return err;
	err = do_munmap(mm, start, len);
	mmap_write_unlock(mm);
	return err;
}

/* Pages of [start, end) that are mapped now (they go when MAP_FIXED replaces them). */
static unsigned long pages_in_range(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vma *vma = find_vma_intersection(mm, start, end);
	unsigned long pages = 0;

	for (; vma && vma->vm_start < end; vma = vma->vm_next)
		pages += (min(end, vma->vm_end) - max(start, vma->vm_start)) >> PAGE_SHIFT;
	return pages;
}

/* Hang a file, or a new shmem file, on the VMA. */
static int vma_attach_file(struct vma *vma, struct file *file)
{
	int err;

	if (!file)
		return vma->vm_flags & VM_SHARED ? shmem_zero_setup(vma) : 0;
	vma->vm_file = mm_file_get(file);
	vma->vm_mapping = mm_file_mapping(file);
	/* The operation may take VM_MAYWRITE away (seals) or put another file there. */
	err = mm_file_mmap(file, vma);
	if (err)
		goto put;
	if (vma->vm_flags & VM_SHARED && vma->vm_flags & VM_MAYWRITE && vma->vm_mapping) {
		err = mapping_map_writable(vma->vm_mapping);
		if (err) {
			if (vma->vm_ops && vma->vm_ops->close)
				vma->vm_ops->close(vma);
			goto put;
		}
	}
	return 0;
put:
	mm_file_put(vma->vm_file);
	vma->vm_file = NULL;
	return err;
}

static unsigned long mmap_region(struct mm *mm, struct file *file, unsigned long addr, unsigned long len,
				 unsigned long vm_flags, unsigned long pgoff)
{
	unsigned long end = addr + len, pages = len >> PAGE_SHIFT, charged = 0;
	struct vma *vma, *prev;
	int err;

	if (!may_expand_vm(mm, vm_flags, pages) &&
	    !may_expand_vm(mm, vm_flags, pages - pages_in_range(mm, addr, end)))
		return (unsigned long)-ENOMEM;
	vma = find_vma_intersection(mm, addr, end);
	if (vma) {
		err = do_vma_munmap(mm, vma, addr, end);
		if (err)
			return (unsigned long)err;
	}
	if (accountable_mapping(file, vm_flags)) {
		if (vm_enough_memory(mm, pages))
			return (unsigned long)-ENOMEM;
		charged = pages;
		vm_flags |= VM_ACCOUNT;
	}
	vma = find_vma_prev(mm, addr, &prev);
	/* A file's mmap operation may take rights from a shared mapping (seals): such a VMA is joined after it, below. */
	if (!(vm_flags & VM_SHARED)) {
		struct vma *merged = vma_merge_new(mm, prev, vma, addr, end, vm_flags, file, pgoff, NULL);

		if (merged)
			goto done;
	}
	err = -ENOMEM;
	vma = vma_alloc(mm);
	if (!vma)
		goto unacct;
	vma->vm_start = addr;
	vma->vm_end = end;
	vma->vm_flags = vm_flags;
	vma->vm_pgoff = pgoff;
	vma->anon_pgoff = addr >> PAGE_SHIFT;
	vma_update_prot(vma);
	err = vma_attach_file(vma, file);
	if (err)
		goto free;
	err = vma_link(mm, vma);
	if (err)
		goto detach;
	vm_flags = vma->vm_flags;
	if (file && vm_flags & VM_SHARED)
		vma_join(vma);
done:
	vm_stat_account(mm, vm_flags, (long)pages);
	if (vm_flags & VM_LOCKED)
		mm->locked_vm += pages;
	return addr;
detach:
	if (vma->vm_file) {
		if (vma->vm_flags & VM_SHARED && vma->vm_flags & VM_MAYWRITE)
			mapping_unmap_writable(vma->vm_mapping);
		if (vma->vm_ops && vma->vm_ops->close)
			vma->vm_ops->close(vma);
		mm_file_put(vma->vm_file);
	}
free:
	vma_free(vma);
unacct:
	if (charged)
		vm_unacct_memory(charged);
	return (unsigned long)err;
}

/* Rights of a mapping of a file of MODE (mm_file_mode()); may narrow *vm_flags. */
static int check_file_flags(unsigned int mode, unsigned long prot, unsigned long flags, unsigned long *vm_flags)
{
	const unsigned long known = MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE |
		MAP_EXECUTABLE | MAP_UNINITIALIZED | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |
		MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_FIXED_NOREPLACE | 0x3ful << 26;

	switch (flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
		if (flags & ~(known | MAP_SHARED_VALIDATE))
			return -EOPNOTSUPP;
		fallthrough;
	case MAP_SHARED:
		if (prot & PROT_WRITE && !(mode & MM_FILE_WRITE))
			return -EACCES;
		if (mode & MM_FILE_APPEND && mode & MM_FILE_WRITE)
			return -EACCES;
		*vm_flags |= VM_SHARED | VM_MAYSHARE;
		if (!(mode & MM_FILE_WRITE))
			*vm_flags &= ~(VM_MAYWRITE | VM_SHARED);
		fallthrough;
	case MAP_PRIVATE:
		if (!(mode & MM_FILE_READ))
			return -EACCES;
		if (mode & MM_FILE_NOEXEC) {
			if (*vm_flags & VM_EXEC)
				return -EPERM;
			*vm_flags &= ~VM_MAYEXEC;
		}
		if (!(mode & MM_FILE_CAN_MMAP))
			return -ENODEV;
		return *vm_flags & VM_GROWSDOWN ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static unsigned long flags_to_vm(unsigned long prot, unsigned long flags)
{
	unsigned long v = 0;

	v |= prot & PROT_READ ? VM_READ : 0;
	v |= prot & PROT_WRITE ? VM_WRITE : 0;
	v |= prot & PROT_EXEC ? VM_EXEC : 0;
	v |= prot & ARCH_PROT_GUARDED ? VM_GUARDED : 0;
	v |= flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0;
	v |= flags & MAP_LOCKED ? VM_LOCKED : 0;
	v |= flags & MAP_SYNC ? VM_SYNC : 0;
	v |= flags & MAP_STACK ? VM_NOHUGEPAGE : 0;
	return v;
}

/* Do LEN bytes from page PGOFF on lie where a file of MODE can have bytes? Offsets in regular files and disks are signed (lseek(2)). */
static bool offsets_exist(unsigned int mode, unsigned long pgoff, unsigned long len)
{
	u64 most = mode & MM_FILE_REGULAR ? LLONG_MAX : ~0ull;

	return len <= most && pgoff <= (most - len) >> PAGE_SHIFT;
}

unsigned long do_mmap(struct mm *mm, struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags, unsigned long vm_flags,
		      unsigned long pgoff, unsigned long *populate)
{
	unsigned long nonblock;
	int err;

	*populate = 0;
	if (!len)
		return (unsigned long)-EINVAL;
	if (flags & MAP_FIXED_NOREPLACE)
		flags |= MAP_FIXED;
	if (!(flags & MAP_FIXED) && addr)
		addr &= PAGE_MASK;
	len = PAGE_ALIGN(len);
	if (!len)
		return (unsigned long)-ENOMEM;
	if (pgoff + (len >> PAGE_SHIFT) < pgoff)
		return (unsigned long)-EOVERFLOW;
	if (mm->map_count > (int)sysctl_max_map_count)
		return (unsigned long)-ENOMEM;
	addr = get_unmapped_area(mm, file, addr, len, pgoff, flags);
	if (IS_ERR_VALUE(addr))
		return addr;
	if (!mm_addr_allowed(addr))
		return (unsigned long)-EPERM;
	if (flags & MAP_FIXED_NOREPLACE && find_vma_intersection(mm, addr, addr + len))
		return (unsigned long)-EEXIST;
	vm_flags |= flags_to_vm(prot, flags) | mm->def_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	if (mm->flags & 1ul << MMF_MDWE && (vm_flags & (VM_WRITE | VM_EXEC)) == (VM_WRITE | VM_EXEC))
		return (unsigned long)-EACCES;
	if (flags & MAP_LOCKED && !mm_rlimit(RLIMIT_MEMLOCK) && !mm_capable(CAP_IPC_LOCK))
		return (unsigned long)-EPERM;
	if (vm_flags & VM_LOCKED && !mlock_allowed(mm, len >> PAGE_SHIFT))
		return (unsigned long)-EAGAIN;
	if (file) {
		unsigned int mode = mm_file_mode(file);

		if (!offsets_exist(mode, pgoff, len))
			return (unsigned long)-EOVERFLOW;
		err = check_file_flags(mode, prot, flags, &vm_flags);
		if (err)
			return (unsigned long)err;
	} else {
		switch (flags & MAP_TYPE) {
		case MAP_SHARED:
			if (vm_flags & VM_GROWSDOWN)
				return (unsigned long)-EINVAL;
			pgoff = 0;
			vm_flags |= VM_SHARED | VM_MAYSHARE;
			break;
		case MAP_PRIVATE:
			pgoff = addr >> PAGE_SHIFT;
			break;
		case MAP_DROPPABLE:
			if (vm_flags & (VM_GROWSDOWN | VM_LOCKED))
				return (unsigned long)-EINVAL;
			vm_flags |= VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP;
			pgoff = addr >> PAGE_SHIFT;
			break;
		default:
			return (unsigned long)-EINVAL;
		}
	}
	if (flags & MAP_NORESERVE && sysctl_overcommit_memory != 2)
		vm_flags |= VM_NORESERVE;
	addr = mmap_region(mm, file, addr, len, vm_flags, pgoff);
	if (IS_ERR_VALUE(addr))
		return addr;
	nonblock = flags & (MAP_POPULATE | MAP_NONBLOCK);
	if (vm_flags & VM_LOCKED || nonblock == MAP_POPULATE)
		*populate = len;
	return addr;
}

unsigned long vm_mmap(struct mm *mm, struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags, loff_t offset)
{
	unsigned long populate, ret;
	int err;

	if (offset < 0 || offset & (loff_t)~PAGE_MASK)
		return (unsigned long)-EINVAL;
	err = mmap_write_lock_killable(mm);
	if (err)
		return (unsigned long)err;
	ret = do_mmap(mm, file, addr, len, prot, flags, 0, (unsigned long)offset >> PAGE_SHIFT, &populate);
	mmap_write_unlock(mm);
	if (populate)
		mm_populate(mm, ret, populate);
	return ret;
}

/* Anonymous private memory at a fixed, free place. mmap_lock held for writing. */
static int do_brk_flags(struct mm *mm, unsigned long addr, unsigned long len, unsigned long vm_flags)
{
	unsigned long pages = len >> PAGE_SHIFT;
	struct vma *vma, *prev, *next;

	vm_flags |= VM_DATA_DEFAULT | mm->def_flags;
	if (!may_expand_vm(mm, vm_flags, pages))
		return -ENOMEM;
	if (mm->map_count > (int)sysctl_max_map_count || vm_enough_memory(mm, pages))
		return -ENOMEM;
	next = find_vma_prev(mm, addr, &prev);
	vma = vma_merge_new(mm, prev, next, addr, addr + len, vm_flags, NULL, addr >> PAGE_SHIFT, NULL);
	if (!vma) {
		vma = vma_alloc(mm);
		if (!vma)
			goto nomem;
		vma->vm_start = addr;
		vma->vm_end = addr + len;
		vma->vm_flags = vm_flags;
		vma->vm_pgoff = vma->anon_pgoff = addr >> PAGE_SHIFT;
		vma_update_prot(vma);
		if (vma_link(mm, vma)) {
			vma_free(vma);
			goto nomem;
		}
	}
	vm_stat_account(mm, vm_flags, (long)pages);
	if (vm_flags & VM_LOCKED)
		mm->locked_vm += pages;
	return 0;
nomem:
	vm_unacct_memory(pages);
	return -ENOMEM;
}

int vm_brk_flags(struct mm *mm, unsigned long addr, unsigned long len, unsigned long vm_flags)
{
	bool populate;
	int err;

	len = PAGE_ALIGN(len);
	if (!len)
		return 0;
	if (offset_in_page(addr) || addr > mm->task_size - len)
		return -EINVAL;
	err = mmap_write_lock_killable(mm);
	if (err)
		return err;
	err = do_munmap(mm, addr, len);
	if (!err)
		err = do_brk_flags(mm, addr, len, vm_flags);
	populate = mm->def_flags & VM_LOCKED;
	mmap_write_unlock(mm);
	if (!err && populate)
		mm_populate(mm, addr, len);
	return err;
}

unsigned long mm_brk(struct mm *mm, unsigned long brk)
{
	unsigned long newbrk, oldbrk, ret, limit;
	bool populate = false;
	struct vma *next;

	if (mmap_write_lock_killable(mm))
		return (unsigned long)-EINTR;
	ret = mm->brk;
	if (brk < mm->start_brk || brk > mm->task_size)
		goto out;
	limit = mm_rlimit(RLIMIT_DATA);
	if (limit != RLIM_INFINITY &&
	    (brk - mm->start_brk) + (mm->end_data - mm->start_data) > limit)
		goto out;
	newbrk = PAGE_ALIGN(brk);
	oldbrk = PAGE_ALIGN(mm->brk);
	if (newbrk == oldbrk) {
		mm->brk = ret = brk;
		goto out;
	}
	if (newbrk < oldbrk) {
		if (!do_munmap(mm, newbrk, oldbrk - newbrk))
			mm->brk = ret = brk;
		goto out;
	}
	if (newbrk < brk || newbrk > mm->task_size)
		goto out;
	if (mm->def_flags & VM_LOCKED && !mlock_allowed(mm, (newbrk - oldbrk) >> PAGE_SHIFT))
		goto out;
	next = find_vma(mm, oldbrk);
	if (next && newbrk + PAGE_SIZE > vm_start_gap(next))
		goto out;
	if (do_brk_flags(mm, oldbrk, newbrk - oldbrk, current->personality & READ_IMPLIES_EXEC ? VM_EXEC : 0))
		goto out;
	mm->brk = ret = brk;
	populate = mm->def_flags & VM_LOCKED;
	mmap_write_unlock(mm);
	if (populate)
		mm_populate(mm, oldbrk, newbrk - oldbrk);
	return ret;
out:
	mmap_write_unlock(mm);
	return ret;
}

int expand_stack_locked(struct vma *vma, unsigned long addr)
{
	struct mm *mm = vma->vm_mm;
	struct vma *prev = vma->vm_prev;
	unsigned long grow;

	addr &= PAGE_MASK;
	if (!vma_is_stack(vma) || addr < sysctl_mmap_min_addr)
		return -EFAULT;
	if (addr >= vma->vm_start)
		return 0;
	if (prev && !vma_is_stack(prev) && prev->vm_flags & VM_ACCESS_FLAGS &&
	    (addr < prev->vm_end || addr - prev->vm_end < stack_guard_gap()))
		return -ENOMEM;
	if (prev && addr < prev->vm_end)
		return -ENOMEM;
	grow = (vma->vm_start - addr) >> PAGE_SHIFT;
	if (grow > vma->anon_pgoff || !may_expand_vm(mm, vma->vm_flags, grow) ||
	    vma->vm_end - addr > mm_rlimit(RLIMIT_STACK))
		return -ENOMEM;
	if (vma->vm_flags & VM_LOCKED && !mlock_allowed(mm, grow))
		return -ENOMEM;
	if (vma->vm_flags & VM_ACCOUNT && vm_enough_memory(mm, grow))
		return -ENOMEM;
	vma_start_write(vma);
	vma_set_range(vma, addr, vma->vm_end, vma->vm_pgoff - grow);
	vm_stat_account(mm, vma->vm_flags, (long)grow);
	if (vma->vm_flags & VM_LOCKED)
		mm->locked_vm += grow;
	return 0;
}

struct vma *find_extend_vma(struct mm *mm, unsigned long addr)
{
	struct vma *vma = find_vma(mm, addr);

	if (!vma || vma->vm_start <= addr)
		return vma;
	if (!vma_is_stack(vma))
		return NULL;
	mmap_read_unlock(mm);
	mmap_write_lock(mm);
	vma = find_vma(mm, addr);
	if (vma && vma->vm_start > addr && expand_stack_locked(vma, addr))
		vma = NULL;
	mmap_write_downgrade(mm);
	return vma;
}

int mm_setup_stack(struct mm *mm, unsigned long top, unsigned long size, unsigned long extra)
{
	unsigned long flags = VM_STACK_FLAGS | extra | mm->def_flags;
	struct vma *vma;
	int err;

	size = PAGE_ALIGN(size);
	if (offset_in_page(top) || size > top || top > mm->task_size)
		return -EINVAL;
	err = mmap_write_lock_killable(mm);
	if (err)
		return err;
	err = -ENOMEM;
	if (find_vma_intersection(mm, top - size, top) || vm_enough_memory(mm, size >> PAGE_SHIFT))
		goto out;
	vma = vma_alloc(mm);
	if (!vma)
		goto unacct;
	vma->vm_start = top - size;
	vma->vm_end = top;
	vma->vm_flags = flags;
	vma->vm_pgoff = vma->anon_pgoff = vma->vm_start >> PAGE_SHIFT;
	vma_update_prot(vma);
	err = vma_link(mm, vma);
	if (err) {
		vma_free(vma);
		goto unacct;
	}
	vm_stat_account(mm, flags, (long)(size >> PAGE_SHIFT));
	goto out;
unacct:
	vm_unacct_memory(size >> PAGE_SHIFT);
out:
	mmap_write_unlock(mm);
	return err;
}

void mm_pick_layout(struct mm *mm, unsigned long stack_rlimit, unsigned long rnd, bool legacy)
{
	unsigned long gap = stack_rlimit + stack_guard_gap() + (1ul << 34);

	if (gap < stack_rlimit)
		gap = ~0ul;
	gap = clamp(gap, 128ul << 20, mm->task_size / 6 * 5);
	rnd &= (1ul << (ARCH_MMAP_RND_BITS + PAGE_SHIFT)) - 1;
	mm->mmap_base = PAGE_ALIGN(mm->task_size - gap - (rnd & PAGE_MASK));
	if (legacy)
		mm->mmap_base = PAGE_ALIGN(mm->task_size / 3 * 2 + (rnd & PAGE_MASK));
	mm->hole_top = mm->mmap_base;
	mm->hole_max = 0;
}

/* Special mappings: pages that the kernel owns (vDSO). */
static vm_fault_t special_fault(struct vm_fault *vmf)
{
	const struct special_mapping *sm = vmf->vma->vm_private_data;
	pgoff_t i;

	if (sm->fault)
		return sm->fault(sm, vmf->vma, vmf);
	for (i = 0; i <= vmf->pgoff; i++)
		if (!sm->pages[i])
			return VM_FAULT_SIGBUS;
	vmf->page = sm->pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static const char *special_name(struct vma *vma)
{
	return ((const struct special_mapping *)vma->vm_private_data)->name;
}

static int special_may_split(struct vma *vma, unsigned long addr)
{
	return -EINVAL;
}

static int special_mremap(struct vma *vma)
{
	const struct special_mapping *sm = vma->vm_private_data;

	if (sm->name && !strcmp(sm->name, "[vdso]"))
		vma->vm_mm->vdso = vma->vm_start;
	return 0;
}

const struct vm_operations special_vm_ops = {
	.fault = special_fault,
	.name = special_name,
	.may_split = special_may_split,
	.mremap = special_mremap,
};

int install_special_mapping(struct mm *mm, unsigned long addr, unsigned long len, unsigned long vm_flags,
			    const struct special_mapping *spec)
{
	struct vma *vma;
	int err;

	if (find_vma_intersection(mm, addr, addr + len))
		return -EEXIST;
	vma = vma_alloc(mm);
	if (!vma)
		return -ENOMEM;
	vma->vm_start = addr;
	vma->vm_end = addr + len;
	vma->vm_flags = vm_flags | VM_DONTEXPAND | (mm->def_flags & ~VM_LOCKED);
	vma->vm_pgoff = 0;
	vma->anon_pgoff = addr >> PAGE_SHIFT;
	vma->vm_ops = &special_vm_ops;
	vma->vm_private_data = (void *)spec;
	vma_update_prot(vma);
	err = vma_link(mm, vma);
	if (err) {
		vma_free(vma);
		return err;
	}
	vm_stat_account(mm, vma->vm_flags, (long)(len >> PAGE_SHIFT));
	return 0;
}

bool vma_is_special_mapping(const struct vma *vma, const struct special_mapping *spec)
{
	return vma->vm_ops == &special_vm_ops && vma->vm_private_data == spec;
}
