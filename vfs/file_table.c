// SPDX-License-Identifier: MIT
/*
 * Open files: allocation and the last reference.
 *
 * The memory of a struct file is type-stable for a grace period, so fget() may find one that has been
 * freed and reused; it takes a reference if the count is not zero and then looks whether the descriptor
 * still names that file. The last put runs release() with nothing locked: for a user task on its way out
 * to user mode, otherwise in a work item; close(2) runs it at once.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/notify.h>
#include <vfs/file.h>
#include <vfs/locks.h>
#include <vfs/upcalls.h>
#include <alloc/slab.h>
#include <kernel/owner.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/cpumask.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <linux/capability.h>
#include "file_priv.h"
#include "mount_priv.h"

static struct kmem_cache *file_cache __ro_after_init;
static DEFINE_PER_CPU(long, nr_files);
unsigned long sysctl_file_max __read_mostly = 8192;

unsigned long get_nr_files(void)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(nr_files, cpu);
	return sum < 0 ? 0 : (unsigned long)sum;
}

/* Adding up all CPUs costs: look only when this one's own share says it could be too many. */
static bool too_many_files(void)
{
	return unlikely(__this_cpu_read(nr_files) >= (long)(sysctl_file_max / nr_cpu_ids)) &&
	       get_nr_files() >= sysctl_file_max && !capable(CAP_SYS_ADMIN);
}

struct file *alloc_empty_file(int flags, const struct cred *cred)
{
	struct file *f;

	if (too_many_files()) {
		pr_info_ratelimited("vfs: file-max limit %lu reached\n", sysctl_file_max);
		return ERR_PTR(-ENFILE);
	}
	f = kmem_cache_alloc(file_cache, GFP_KERNEL_ACCOUNT);
	if (unlikely(!f))
		return ERR_PTR(-ENOMEM);
	f->f_cred = get_cred(cred);
	f->f_mode = OPEN_FMODE(flags);
	f->f_flags = (unsigned int)flags;
	f->f_op = NULL;
	f->f_mapping = NULL;
	f->private_data = NULL;
	f->f_inode = NULL;
	f->f_path.mnt = NULL;
	f->f_path.dentry = NULL;
	f->f_pos = 0;
	f->f_iocb_flags = 0;
	f->f_owner = NULL;
	f->f_wb_err = 0;
	f->f_sb_err = 0;
	f->f_version = 0;
	f->f_ep = NULL;
	spin_lock_init(&f->f_lock);
	mutex_init(&f->f_pos_lock);
	memset(&f->f_ra, 0, sizeof(f->f_ra));
	this_cpu_inc(nr_files);
	/* Last: fget() may be watching this memory. */
	atomic_long_set_release(&f->f_count, 1);
	return f;
}

void file_free(struct file *f)
{
	put_cred(f->f_cred);
	this_cpu_dec(nr_files);
	kmem_cache_free(file_cache, f);
}

void file_set_path(struct file *f, const struct path *path, const struct file_operations *fops)
{
	struct inode *inode = path->dentry->d_inode;

	f->f_path = *path;
	f->f_inode = inode;
	f->f_mapping = inode->i_mapping;
	f->f_op = fops;
	if (f->f_mode & FMODE_READ && fops->read_iter)
		f->f_mode |= FMODE_CAN_READ;
	if (f->f_mode & FMODE_WRITE && fops->write_iter)
		f->f_mode |= FMODE_CAN_WRITE;
	if (fops->llseek)
		f->f_mode |= FMODE_LSEEK;
	f->f_iocb_flags = (unsigned int)iocb_flags(f);
	f->f_mode |= FMODE_OPENED | (fops->fop_flags & FOP_NOWAIT);
}

struct file *alloc_file_pseudo(struct inode *inode, struct vfsmount *mnt, const char *name, int flags,
			       const struct file_operations *fops)
{
	struct qstr q = QSTR(name);
	struct path path;
	struct file *f;

	path.dentry = d_alloc_pseudo(mnt->mnt_sb, &q);
	if (!path.dentry)
		return ERR_PTR(-ENOMEM);
	f = alloc_empty_file(flags, current_cred());
	if (IS_ERR(f)) {
		dput(path.dentry);
		return f;
	}
	path.mnt = mntget(mnt);
	d_instantiate(path.dentry, inode);
	file_set_path(f, &path, fops);
	return f;
}

struct file *alloc_file_clone(struct file *base, int flags, const struct file_operations *fops)
{
	struct file *f = alloc_empty_file(flags, current_cred());

	if (IS_ERR(f))
		return f;
	path_get(&base->f_path);
	file_set_path(f, &base->f_path, fops);
	f->f_mapping = base->f_mapping;
	return f;
}

/* The end: no references, no locks held. */
static void do_final_put(struct file *f)
{
	struct dentry *dentry = f->f_path.dentry;
	struct vfsmount *mnt = f->f_path.mnt;
	struct inode *inode = f->f_inode;

	if (unlikely(!(f->f_mode & FMODE_OPENED)))
		goto out;
	might_sleep();
	if (likely(!(f->f_mode & FMODE_PATH)))
		notify_file(f, f->f_mode & FMODE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	if (unlikely(f->f_ep))
		eventpoll_release_file(f);
	if (unlikely(inode->i_flctx))
		locks_remove_file(f);
	if (unlikely(f->f_flags & FASYNC) && f->f_op->fasync)
		f->f_op->fasync(-1, f, 0);
	if (f->f_op->release)
		f->f_op->release(inode, f);
	owner_unuse(f->f_op);
	if (unlikely(f->f_owner))
		file_free_owner(f);
	if (f->f_mode & FMODE_WRITER) {
		put_write_access(inode);
		mnt_put_write_access(mnt);
	}
	dput(dentry);
	if (unlikely(f->f_mode & FMODE_NEED_UNMOUNT))
		dissolve_on_fput(mnt);
	mntput(mnt);
out:
	file_free(f);
}

static void final_put_work(struct task_work *w)
{
	do_final_put(container_of(w, struct file, f_work));
}

static noinline void fput_last(struct file *f)
{
	if (unlikely(!(f->f_mode & (FMODE_OPENED | FMODE_BACKING)))) {
		file_free(f);
		return;
	}
	f->f_work.func = final_put_work;
	task_work_defer(&f->f_work);
}

void fput(struct file *f)
{
	if (unlikely(atomic_long_dec_and_test(&f->f_count)))
		fput_last(f);
}

void __fput_sync(struct file *f)
{
	if (atomic_long_dec_and_test(&f->f_count))
		do_final_put(f);
}

/* One file per ten kilobytes of memory, but no fewer than 8192. */
static int files_init(void)
{
	unsigned long n = totalram_pages() * (PAGE_SIZE / 1024) / 10;

	file_cache = KMEM_CACHE(file, SLAB_PANIC | SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT | SLAB_TYPESAFE_BY_RCU);
	sysctl_file_max = max(n, 8192ul);
	return 0;
}
INITCALL(core, files_init);

/* ipc/ takes its place as soon as it is there. */
__weak void eventpoll_release_file(struct file *file)
{
	(void)file;
}
