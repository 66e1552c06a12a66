// SPDX-License-Identifier: MIT
/* What names a word of memory that several address spaces share (futex(2)). */
#include <lib/types.h>
#include <mm/mm.h>
#include <abi/errno.h>

int mm_shared_key(struct mm *mm, unsigned long addr, bool write, u64 *object, u64 *offset)
{
	struct vma *vma = lock_vma_under_rcu(mm, addr);
	bool locked = false;
	int e = 0;

	if (!vma) {
		mmap_read_lock(mm);
		locked = true;
		vma = vma_lookup(mm, addr);
	}
	if (!vma || !(vma->vm_flags & VM_READ) || (write && !(vma->vm_flags & VM_WRITE))) {
		e = -EFAULT;
	} else if ((vma->vm_flags & VM_MAYSHARE) && vma->vm_mapping) {	/* a file opened for reading has no VM_SHARED */
		*object = (unsigned long)vma->vm_mapping;
		*offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
	} else {
		*object = (unsigned long)mm;
		*offset = addr | 1;	/* the private name of the same word is another (futex(2), FUTEX_PRIVATE_FLAG) */
	}
	if (locked)
		mmap_read_unlock(mm);
	else
		vma_end_read(vma);
	return e;
}
