// SPDX-License-Identifier: MIT
/* The edge: memory calls. Raw values in, checks, then mm. */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>
#include <abi/syscalls.h>
#include <alloc/page.h>
#include <arch/syscall.h>
#include <linux/capability.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include <mm/uaccess.h>
#include <mm/upcalls.h>
#include <sched/task.h>
#include <vfs/file.h>
#include "syscall/mm_priv.h"

/* The sizes are what an entry of the two upper kinds of table maps, one of which holds 2^(PAGE_SHIFT - 3); 0: the default. */
static bool huge_page_known(unsigned long log)
{
	return !log || log == 2 * PAGE_SHIFT - 3 || log == 3 * PAGE_SHIFT - 6;
}

long sys_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags, unsigned long fd,
	      unsigned long off)
{
	struct mm *mm = current->mm;
	struct file *file = NULL;
	unsigned long ret, populate;

	if (off & ~PAGE_MASK)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		file = fget((unsigned int)fd);
		if (!file)
			return -EBADF;
		if (flags & MAP_HUGETLB) {
			fput(file);
			return -EINVAL;
		}
	} else if (flags & MAP_HUGETLB) {
		return huge_page_known(flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK) ? -ENOMEM : -EINVAL;	/* there is no pool of them */
	}
	if (prot & PROT_READ && current->personality & READ_IMPLIES_EXEC)
		prot |= file && mm_file_mode(file) & MM_FILE_NOEXEC ? 0 : PROT_EXEC;
	ret = -EINTR;
	if (!mmap_write_lock_killable(mm)) {
		ret = do_mmap(mm, file, addr, len, prot, flags, 0, off >> PAGE_SHIFT, &populate);
		mmap_write_unlock(mm);
		if (populate)
			mm_populate(mm, ret, populate);
	}
	if (file)
		fput(file);
	return (long)ret;
}

long sys_munmap(unsigned long addr, size_t len)
{
	return vm_munmap(current->mm, untagged_addr(addr), len);
}

long sys_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len, unsigned long flags,
		unsigned long new_addr)
{
	return (long)mm_mremap(current->mm, addr, old_len, new_len, flags, new_addr);
}

long sys_brk(unsigned long brk)
{
	return (long)mm_brk(current->mm, brk);
}

static long do_mprotect(unsigned long start, size_t len, unsigned long prot)
{
	bool down = prot & PROT_GROWSDOWN, up = prot & PROT_GROWSUP;

	if (down && up)
		return -EINVAL;
	if (up)
		return -EINVAL;		/* no stack grows up here */
	prot &= ~(unsigned long)(PROT_GROWSDOWN | PROT_GROWSUP);
	if (prot & PROT_READ && current->personality & READ_IMPLIES_EXEC)
		prot |= PROT_EXEC;
	return mprotect_range(current->mm, start, len, prot, down);
}

long sys_mprotect(unsigned long start, size_t len, unsigned long prot)
{
	return do_mprotect(start, len, prot);
}

long sys_pkey_mprotect(unsigned long start, size_t len, unsigned long prot, int pkey)
{
	/* No key can be allocated, so only "no key" names one. */
	return pkey == -1 ? do_mprotect(start, len, prot) : -EINVAL;
}

long sys_pkey_alloc(unsigned long flags, unsigned long init_val)
{
	if (flags || init_val & ~3ul)
		return -EINVAL;
	return -ENOSPC;
}

long sys_pkey_free(int pkey)
{
	return -EINVAL;
}

long sys_madvise(unsigned long start, size_t len_in, int behavior)
{
	return mm_madvise(current->mm, start, len_in, behavior);
}

long sys_msync(unsigned long start, size_t len, int flags)
{
	return mm_msync(current->mm, start, len, flags);
}

long sys_mlock(unsigned long start, size_t len)
{
	return mm_mlock(current->mm, start, len, false);
}

long sys_mlock2(unsigned long start, size_t len, int flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return mm_mlock(current->mm, start, len, flags & MLOCK_ONFAULT);
}

long sys_munlock(unsigned long start, size_t len)
{
	return mm_munlock(current->mm, start, len);
}

long sys_mlockall(int flags)
{
	return mm_mlockall(current->mm, flags);
}

long sys_munlockall(void)
{
	return mm_munlockall(current->mm);
}

long sys_mseal(unsigned long start, size_t len, unsigned long flags)
{
	return flags ? -EINVAL : mm_mseal(current->mm, start, len);
}

long sys_remap_file_pages(unsigned long start, unsigned long size, unsigned long prot, unsigned long pgoff,
			  unsigned long flags)
{
	return prot ? -EINVAL : mm_remap_file_pages(current->mm, start, size, pgoff, flags);
}

long sys_mincore(unsigned long start, size_t len, struct uptr vec)
{
	unsigned long pages = len >> PAGE_SHIFT;
	unsigned char *buf;
	long ret = 0;

	if (start & ~PAGE_MASK)
		return -EINVAL;
	if (!access_ok(UPTR(start), len))
		return -ENOMEM;
	pages += (len & ~PAGE_MASK) != 0;
	if (!access_ok(vec, pages))
		return -EFAULT;
	buf = (unsigned char *)__get_free_page(GFP_USER);
	if (!buf)
		return -EAGAIN;
	while (pages) {
		ret = fatal_signal_pending(current) ? -EINTR : mm_mincore(current->mm, start, min(pages, PAGE_SIZE), buf);
		if (ret <= 0)
			break;
		if (copy_to_user(vec, buf, (size_t)ret)) {
			ret = -EFAULT;
			break;
		}
		pages -= (unsigned long)ret;
		vec = uptr_add(vec, (unsigned long)ret);
		start += (unsigned long)ret << PAGE_SHIFT;
		ret = 0;
		cond_resched();
	}
	free_page((unsigned long)buf);
	return ret;
}

#define MAX_NODES 1024	/* that masks may name (Linux's NODES_SHIFT); there is one */

/* *NODES: the first word of the mask, with bit 1 for any node above. */
long mm_read_nodes(struct uptr nmask, unsigned long maxnode, unsigned long *nodes)
{
	unsigned long bits = maxnode - 1;

	*nodes = 0;
	if (uptr_is_null(nmask) || maxnode == 1)
		return 0;
	if (bits > PAGE_SIZE * 8)
		return -EINVAL;
	for (unsigned long w = 0; w < (bits + 63) / 64; w++) {
		unsigned long v;

		if (get_user(v, uptr_add(nmask, w * sizeof(v))))
			return -EFAULT;
		if (w == bits / 64 && bits % 64)
			v &= (1ul << bits % 64) - 1;
		if (v && w >= MAX_NODES / 64)
			return -EINVAL;
		*nodes |= w ? (v ? 2 : 0) : (v & 1) | (v > 1 ? 2 : 0);
	}
	return 0;
}

/* Of the nodes that a mask names the first alone exists; relative ones are counted round among those that do. */
static long check_policy(int mode, unsigned long nodes)
{
	const int both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
	bool one_exists = mode & MPOL_F_RELATIVE_NODES ? nodes : nodes & 1;

	if ((mode & both) == both)
		return -EINVAL;
	switch (mode & ~MPOL_MODE_FLAGS) {
	case MPOL_DEFAULT:
		return nodes ? -EINVAL : 0;
	case MPOL_LOCAL:
		return nodes || mode & both ? -EINVAL : 0;
	case MPOL_PREFERRED:
		if (!nodes)
			return mode & both ? -EINVAL : 0;
		fallthrough;
	case MPOL_BIND:
	case MPOL_INTERLEAVE:
	case MPOL_PREFERRED_MANY:
	case MPOL_WEIGHTED_INTERLEAVE:
		return one_exists ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* What is kept of a policy; the node of all that name nodes is node 0. PREFERRED of none is LOCAL. */
static unsigned int kept_policy(unsigned int mode, unsigned long nodes)
{
	if ((mode & ~MPOL_MODE_FLAGS) == MPOL_PREFERRED && !nodes)
		return MPOL_LOCAL;
	return mode;
}

static bool names_nodes(unsigned int mode)
{
	mode &= ~(unsigned int)MPOL_MODE_FLAGS;
	return mode != MPOL_DEFAULT && mode != MPOL_LOCAL;
}

long sys_set_mempolicy(int mode, struct uptr nmask, unsigned long maxnode)
{
	unsigned long nodes;
	long err = mm_read_nodes(nmask, maxnode, &nodes);

	if (!err)
		err = check_policy(mode, nodes);
	if (!err)
		current->mempolicy = (u16)kept_policy((unsigned int)mode, nodes);
	return err;
}

long sys_mbind(unsigned long start, unsigned long len, unsigned long mode, struct uptr nmask, unsigned long maxnode,
	       unsigned int flags)
{
	unsigned long nodes;
	long err;

	if (start & ~PAGE_MASK || flags & ~(unsigned int)MPOL_MF_VALID)
		return -EINVAL;
	if (flags & MPOL_MF_MOVE_ALL && !mm_capable(CAP_SYS_NICE))
		return -EPERM;
	err = mm_read_nodes(nmask, maxnode, &nodes);
	if (!err)
		err = mode > INT_MAX ? -EINVAL : check_policy((int)mode, nodes);
	len = PAGE_ALIGN(len);
	if (err || !len)
		return err;
	if (start + len < start)
		return -EINVAL;
	return mm_set_policy(current->mm, start, len, kept_policy((unsigned int)mode, nodes));
}

/* The policy of the memory at ADDR; where it has none of its own that is said, and not the task's. */
static long policy_at(unsigned long addr, unsigned int *mode)
{
	struct vma *vma;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	*mode = vma ? vma_policy(vma) : MPOL_DEFAULT;
	mmap_read_unlock(current->mm);
	return vma ? 0 : -EFAULT;
}

long sys_get_mempolicy(struct uptr policy, struct uptr nmask, unsigned long maxnode, unsigned long addr,
		       unsigned long flags)
{
	unsigned int mode = current->mempolicy;
	unsigned long nodes;

	if (flags & ~(unsigned long)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (!uptr_is_null(nmask) && maxnode < 1)
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
			return -EINVAL;
		mode = 0;
		nodes = 1;
	} else {
		long err = flags & MPOL_F_ADDR ? policy_at(addr, &mode) : addr ? -EINVAL : 0;

		if (err)
			return err;
		nodes = names_nodes(mode);
		if (flags & MPOL_F_NODE) {
			unsigned int m = mode & ~(unsigned int)MPOL_MODE_FLAGS;

			if (!(flags & MPOL_F_ADDR) && m != MPOL_INTERLEAVE && m != MPOL_WEIGHTED_INTERLEAVE)
				return -EINVAL;
			mode = 0;	/* the node of the page, or the next in turn: there is one */
		}
	}
	if (!uptr_is_null(policy) && put_user(mode, policy))
		return -EFAULT;
	if (!uptr_is_null(nmask)) {
		unsigned long bytes = ALIGN(maxnode - 1, 8 * sizeof(long)) / 8;

		if (bytes > PAGE_SIZE)
			return -EINVAL;
		if (clear_user(nmask, bytes) || (bytes && put_user(nodes, nmask)))
			return -EFAULT;
	}
	return 0;
}

/* ENOENT: nothing there has a policy of its own; EOPNOTSUPP: one that prefers no node. */
long sys_set_mempolicy_home_node(unsigned long start, unsigned long len, unsigned long home_node,
				 unsigned long flags)
{
	long err = -ENOENT;
	struct vma *vma;

	if (flags || start & ~PAGE_MASK || home_node)
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (start + len < start)
		return -EINVAL;
	if (!len)
		return 0;
	mmap_read_lock(current->mm);
	for (vma = find_vma_intersection(current->mm, start, start + len); vma && vma->vm_start < start + len; vma = vma_next(vma)) {
		unsigned int mode = vma_policy(vma) & ~(unsigned int)MPOL_MODE_FLAGS;

		if (!mode)
			continue;
		err = mode == MPOL_BIND || mode == MPOL_PREFERRED_MANY ? 0 : -EOPNOTSUPP;
		if (err)
			break;
	}
	mmap_read_unlock(current->mm);
	return err;
}

/* partial: map_shadow_stack: no CPU's shadow stacks are used */
long sys_map_shadow_stack(unsigned long addr, unsigned long size, unsigned int flags)
{
	return -ARCH_NO_SHADOW_STACK;
}
