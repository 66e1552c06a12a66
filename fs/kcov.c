// SPDX-License-Identifier: MIT
/*
 * /sys/kernel/debug/kcov (debug build): a descriptor has an area that a program maps, and that the one task which enabled it fills.
 * The area lives while the descriptor is open, mapped, or a task fills it.
 */
#include <lib/types.h>

#ifdef CONFIG_KCOV
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/init.h>
#include <kernel/refcount.h>
#include <kernel/show.h>
#include <kernel/spinlock.h>
#include <mm/fault.h>
#include <mm/mm.h>
#include <proc/upcalls.h>
#include <sched/kcov.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/kcov.h>

struct kcov {
	refcount_t refs;	/* the descriptor's, and the task's that fills the area */
	spinlock_t lock;
	u64 *area;		/* lock; set once */
	unsigned long words;	/* lock; set once */
	struct task *owner;	/* lock: whom it traces; compared only */
};

static void kcov_put(struct kcov *k)
{
	if (!refcount_dec_and_test(&k->refs))
		return;
	vfree(k->area);
	kfree(k);
}

static int kcov_open(struct inode *inode, struct file *file)
{
	struct kcov *k = kzalloc(sizeof(*k), GFP_KERNEL);

	if (!k)
		return -ENOMEM;
	refcount_set(&k->refs, 1);
	spin_lock_init(&k->lock);
	file->private_data = k;
	return nonseekable_open(inode, file);
}

static int kcov_release(struct inode *inode, struct file *file)
{
	(void)inode;
	kcov_put(file->private_data);
	return 0;
}

static int kcov_mmap(struct file *file, struct vma *vma)
{
	struct kcov *k = file->private_data;
	unsigned long size = 0;
	u64 *area;
	int err = 0;

	spin_lock(&k->lock);
	area = k->area;
	size = k->words * sizeof(u64);
	spin_unlock(&k->lock);
	if (!area || vma->vm_pgoff || vma->vm_end - vma->vm_start != size)
		return -EINVAL;
	vma->vm_flags |= VM_DONTEXPAND;
	for (unsigned long off = 0; !err && off < size; off += PAGE_SIZE)
		err = vm_insert_page(vma, vma->vm_start + off, vmalloc_to_page((char *)area + off));
	return err;
}

static long kcov_init_trace(struct kcov *k, unsigned long words)
{
	u64 *area;
	bool busy;

	if (words < 2 || words > INT_MAX / sizeof(unsigned long))
		return -EINVAL;
	area = vzalloc(words * sizeof(u64));
	if (!area)
		return -ENOMEM;
	spin_lock(&k->lock);
	busy = k->area;
	if (!busy) {
		k->area = area;
		k->words = words;
	}
	spin_unlock(&k->lock);
	if (busy)
		vfree(area);
	return busy ? -EBUSY : 0;
}

static long kcov_enable(struct kcov *k, unsigned long mode)
{
	long err = 0;

	spin_lock(&k->lock);
	if (!k->area || k->owner)
		err = -EINVAL;
	else if (current->kcov.owner)
		err = -EBUSY;
	else if (mode != KCOV_TRACE_PC && mode != KCOV_TRACE_CMP)
		err = -EINVAL;
	else
		k->owner = current;
	spin_unlock(&k->lock);
	if (err)
		return err;
	refcount_inc(&k->refs);
	kcov_start(mode == KCOV_TRACE_PC ? KCOV_PCS : KCOV_COMPARISONS, k->area, k->words, k);
	return 0;
}

static void stop(struct kcov *k)
{
	kcov_stop();
	spin_lock(&k->lock);
	k->owner = NULL;
	spin_unlock(&k->lock);
	kcov_put(k);
}

static long kcov_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kcov *k = file->private_data;

	switch (cmd) {
	case KCOV_INIT_TRACE:
		return kcov_init_trace(k, arg);
	case KCOV_ENABLE:
		return kcov_enable(k, arg);
	case KCOV_DISABLE:
		if (arg || current->kcov.owner != k)
			return -EINVAL;
		stop(k);
		return 0;
	case KCOV_REMOTE_ENABLE:
		/* No part of this kernel says yet for whom it works. */
		return READ_ONCE(k->area) && !READ_ONCE(k->owner) ? -ENOTSUPP : -EINVAL;
	}
	return -ENOTTY;
}

void exit_kcov(void)
{
	if (unlikely(current->kcov.owner))
		stop(current->kcov.owner);
}

static const struct file_operations kcov_fops = {
	.open = kcov_open,
	.release = kcov_release,
	.mmap = kcov_mmap,
	.ioctl = kcov_ioctl,
};

static int kcov_init(void)
{
	return show_file(show_root_node(SHOW_DEBUG), "kcov", 0600, &kcov_fops, NULL) ? 0 : -ENOMEM;
}
INITCALL(fs, kcov_init);
#endif
