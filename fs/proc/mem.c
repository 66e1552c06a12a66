// SPDX-License-Identifier: MIT
/* A task's memory: maps, smaps, mem, cmdline, environ, auxv, pagemap, clear_refs. */
#include "proc_priv.h"
#include <alloc/slab.h>
#include <alloc/page.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <linux/auxvec.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mempolicy.h>

/* The memory of the task an inode is of, if it may be accessed so. ERR_PTR(-ESRCH, -EACCES, -EINTR); NULL: it has none. */
static struct mm *open_mm(struct inode *inode, unsigned int mode)
{
	struct task *task = get_proc_task(inode);
	struct mm *mm;

	if (!task)
		return ERR_PTR(-ESRCH);
	mm = ptrace_get_mm(task, mode | PTRACE_MODE_FSCREDS);
	put_task_struct(task);
	return mm == ERR_PTR(-EPERM) ? ERR_PTR(-EACCES) : mm;
}

/* For files that keep the mm: it is pinned, but its users are not (a reader must not keep memory alive). */
static int keep_mm_for(struct inode *inode, struct file *file, unsigned int mode)
{
	struct mm *mm = open_mm(inode, mode);

	if (IS_ERR(mm))
		return (int)PTR_ERR(mm);
	if (!mm)
		return -ESRCH;
	mmgrab(mm);
	mmput(mm);
	file->private_data = mm;
	return 0;
}

static int keep_mm(struct inode *inode, struct file *file) { return keep_mm_for(inode, file, PTRACE_MODE_READ); }
static int mem_open(struct inode *inode, struct file *file) { return keep_mm_for(inode, file, PTRACE_MODE_ATTACH); }

static int drop_mm(struct inode *inode, struct file *file)
{
	(void)inode;
	mmdrop(file->private_data);
	return 0;
}

/* maps, smaps. */

struct maps {
	struct mm *mm;		/* pinned while open */
	bool locked;		/* between start and stop */
};

static void *maps_start(struct seq_file *m, loff_t *pos)
{
	struct maps *p = m->private;

	if (!p->mm || !mmget_not_zero(p->mm))
		return NULL;
	mmap_read_lock(p->mm);
	__release(mmap_lock);		/* kept in mind: */
	p->locked = true;
	/* *pos is the address after the last record, so that changes in between lose nothing. */
	return find_vma(p->mm, (unsigned long)*pos);
}

static void *maps_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct vma *vma = v;

	(void)m;
	*pos = (loff_t)vma->vm_end;
	return vma_next(vma);
}

static void maps_stop(struct seq_file *m, void *v)
{
	struct maps *p = m->private;

	(void)v;
	if (!p->locked)
		return;
	p->locked = false;
	__acquire(mmap_lock);
	mmap_read_unlock(p->mm);
	mmput(p->mm);
}

static void show_header(struct seq_file *m, unsigned long start, unsigned long end, unsigned long flags,
			u64 pgoff, dev_t dev, u64 ino)
{
	seq_setwidth(m, 25 + sizeof(void *) * 6 - 1);
	seq_put_hex_ll(m, NULL, start, 8);
	seq_put_hex_ll(m, "-", end, 8);
	seq_putc(m, ' ');
	seq_putc(m, flags & VM_READ ? 'r' : '-');
	seq_putc(m, flags & VM_WRITE ? 'w' : '-');
	seq_putc(m, flags & VM_EXEC ? 'x' : '-');
	seq_putc(m, flags & VM_MAYSHARE ? 's' : 'p');
	seq_put_hex_ll(m, " ", pgoff, 8);
	seq_put_hex_ll(m, " ", MAJOR(dev), 2);
	seq_put_hex_ll(m, ":", MINOR(dev), 2);
	seq_put_decimal_ull(m, " ", ino);
	seq_putc(m, ' ');
}

static int maps_show(struct seq_file *m, void *v)
{
	struct vma *vma = v;
	struct file *file = vma->vm_file;
	const char *name;
	char buf[96];
	dev_t dev = 0;
	u64 ino = 0, pgoff = 0;

	if (file) {
		dev = file_inode(file)->i_sb->s_dev;
		ino = file_inode(file)->i_ino;
		pgoff = (u64)vma->vm_pgoff << PAGE_SHIFT;
	}
	show_header(m, vma->vm_start, vma->vm_end, vma->vm_flags, pgoff, dev, ino);
	name = vma_name(vma, buf, sizeof(buf));
	if (name) {
		seq_pad(m, ' ');
		seq_puts(m, name);
	} else if (file) {
		seq_pad(m, ' ');
		seq_path(m, &file->f_path, "\n");
	}
	seq_putc(m, '\n');
	return 0;
}

static void kb(struct seq_file *m, const char *name, unsigned long bytes)
{
	seq_printf(m, "%-16s%8lu kB\n", name, bytes >> 10);
}

static void show_smap(struct seq_file *m, const struct smaps *s, bool rollup)
{
	kb(m, "Rss:", s->rss);
	kb(m, "Pss:", s->pss);
	kb(m, "Pss_Dirty:", s->pss_dirty);
	if (rollup) {
		kb(m, "Pss_Anon:", s->anon_pss);
		kb(m, "Pss_File:", s->file_pss);
		kb(m, "Pss_Shmem:", s->shmem_pss);
	}
	kb(m, "Shared_Clean:", s->shared_clean);
	kb(m, "Shared_Dirty:", s->shared_dirty);
	kb(m, "Private_Clean:", s->private_clean);
	kb(m, "Private_Dirty:", s->private_dirty);
	kb(m, "Referenced:", s->referenced);
	kb(m, "Anonymous:", s->anonymous);
	kb(m, "KSM:", 0);
	kb(m, "LazyFree:", s->lazyfree);
	kb(m, "AnonHugePages:", 0);
	kb(m, "ShmemPmdMapped:", 0);
	kb(m, "FilePmdMapped:", 0);
	kb(m, "Shared_Hugetlb:", 0);
	kb(m, "Private_Hugetlb:", 0);
	kb(m, "Swap:", s->swap);
	kb(m, "SwapPss:", s->swap);
	kb(m, "Locked:", s->locked);
}

static void show_vm_flags(struct seq_file *m, const struct vma *vma)
{
	static const struct {
		unsigned long flag;
		char name[3];
	} names[] = {
		{ VM_READ, "rd" }, { VM_WRITE, "wr" }, { VM_EXEC, "ex" }, { VM_SHARED, "sh" },
		{ VM_MAYREAD, "mr" }, { VM_MAYWRITE, "mw" }, { VM_MAYEXEC, "me" }, { VM_MAYSHARE, "ms" },
		{ VM_GROWSDOWN, "gd" }, { VM_PFNMAP, "pf" }, { VM_LOCKED, "lo" }, { VM_IO, "io" },
		{ VM_SEQ_READ, "sr" }, { VM_RAND_READ, "rr" }, { VM_DONTCOPY, "dc" },
		{ VM_DONTEXPAND, "de" }, { VM_LOCKONFAULT, "lf" }, { VM_ACCOUNT, "ac" },
		{ VM_NORESERVE, "nr" }, { VM_SYNC, "sf" }, { VM_WIPEONFORK, "wf" }, { VM_DONTDUMP, "dd" },
		{ VM_MIXEDMAP, "mm" }, { VM_HUGEPAGE, "hg" }, { VM_NOHUGEPAGE, "nh" },
		{ VM_MERGEABLE, "mg" }, { VM_SEALED, "sl" },
	};

	unsigned long flags = vma->vm_flags;

	seq_puts(m, "VmFlags: ");
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & names[i].flag) {
			seq_puts(m, names[i].name);
			seq_putc(m, ' ');
		}
	}
	if (ARCH_PROT_GUARDED && (flags & VM_GUARDED))
		seq_puts(m, "bt ");
	if (vma->had_guards)
		seq_puts(m, "gu ");
	seq_putc(m, '\n');
}

static int smaps_show(struct seq_file *m, void *v)
{
	struct vma *vma = v;
	struct smaps s = { 0 };

	mm_smaps(vma, &s);
	maps_show(m, vma);
	kb(m, "Size:", vma->vm_end - vma->vm_start);
	kb(m, "KernelPageSize:", PAGE_SIZE);
	kb(m, "MMUPageSize:", PAGE_SIZE);
	show_smap(m, &s, false);
	seq_puts(m, "THPeligible:           0\n");
	show_vm_flags(m, vma);
	return 0;
}

static const struct seq_operations maps_ops = {
	.start = maps_start, .next = maps_next, .stop = maps_stop, .show = maps_show,
};
static const struct seq_operations smaps_ops = {
	.start = maps_start, .next = maps_next, .stop = maps_stop, .show = smaps_show,
};

static int open_maps(struct inode *inode, struct file *file, const struct seq_operations *ops)
{
	struct mm *mm = open_mm(inode, PTRACE_MODE_READ);
	struct maps *p;

	if (IS_ERR(mm))
		return (int)PTR_ERR(mm);
	p = __seq_open_private(file, ops, sizeof(*p));
	if (mm) {
		if (p)
			mmgrab(mm);
		mmput(mm);
	}
	if (!p)
		return -ENOMEM;
	p->mm = mm;
	return 0;
}

static int maps_open(struct inode *inode, struct file *file) { return open_maps(inode, file, &maps_ops); }
static int smaps_open(struct inode *inode, struct file *file) { return open_maps(inode, file, &smaps_ops); }

static int maps_release(struct inode *inode, struct file *file)
{
	struct maps *p = ((struct seq_file *)file->private_data)->private;

	if (p->mm)
		mmdrop(p->mm);
	return seq_release_private(inode, file);
}

static long maps_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct maps *p = ((struct seq_file *)file->private_data)->private;

	return cmd == PROCMAP_QUERY ? proc_maps_query(p->mm, UPTR(arg)) : -ENOIOCTLCMD;
}

const struct file_operations proc_maps_fops = {
	.open = maps_open, .read_iter = seq_read_iter, .llseek = seq_lseek, .release = maps_release, .ioctl = maps_ioctl,
};
const struct file_operations proc_smaps_fops = {
	.open = smaps_open, .read_iter = seq_read_iter, .llseek = seq_lseek, .release = maps_release,
};

static void show_policy(struct seq_file *m, unsigned int policy)
{
	static const char *const names[] = {
		[MPOL_DEFAULT] = "default", [MPOL_PREFERRED] = "prefer:0", [MPOL_BIND] = "bind:0", [MPOL_INTERLEAVE] = "interleave:0",
		[MPOL_LOCAL] = "local", [MPOL_PREFERRED_MANY] = "prefer (many):0", [MPOL_WEIGHTED_INTERLEAVE] = "weighted interleave:0",
	};
	unsigned int mode = policy & ~(unsigned int)MPOL_MODE_FLAGS;

	seq_puts(m, mode < ARRAY_SIZE(names) ? names[mode] : "unknown");
}

/* The machine has one NUMA node: every page is on it. */
static int numa_show(struct seq_file *m, void *v)
{
	struct vma *vma = v;
	struct smaps s = { 0 };
	char buf[96];
	const char *name = vma->vm_file ? NULL : vma_name(vma, buf, sizeof(buf));

	mm_smaps(vma, &s);
	seq_printf(m, "%08lx ", vma->vm_start);
	show_policy(m, vma_policy(vma));
	if (vma->vm_file) {
		seq_puts(m, " file=");
		seq_path(m, &vma->vm_file->f_path, "\n\t= ");
	} else if (name && !strcmp(name, "[heap]")) {
		seq_puts(m, " heap");
	} else if (name && !strcmp(name, "[stack]")) {
		seq_puts(m, " stack");
	}
	if (s.rss) {
		if (s.anonymous)
			seq_printf(m, " anon=%lu", s.anonymous >> PAGE_SHIFT);
		if (s.shared_dirty + s.private_dirty)
			seq_printf(m, " dirty=%lu", (s.shared_dirty + s.private_dirty) >> PAGE_SHIFT);
		if (s.rss != s.anonymous && s.rss != s.shared_dirty + s.private_dirty)
			seq_printf(m, " mapped=%lu", s.rss >> PAGE_SHIFT);
		seq_printf(m, " N0=%lu kernelpagesize_kB=%lu", s.rss >> PAGE_SHIFT, PAGE_SIZE >> 10);
	}
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations numa_ops = {
	.start = maps_start, .next = maps_next, .stop = maps_stop, .show = numa_show,
};

static int numa_open(struct inode *inode, struct file *file) { return open_maps(inode, file, &numa_ops); }

const struct file_operations proc_numa_maps_fops = {
	.open = numa_open, .read_iter = seq_read_iter, .llseek = seq_lseek, .release = maps_release,
};

static int rollup_show(struct seq_file *m, void *v)
{
	struct mm *mm = m->private;
	unsigned long first = 0, last = 0;
	struct smaps s = { 0 };
	struct vma *vma;

	(void)v;
	if (!mmget_not_zero(mm))
		return -ESRCH;
	mmap_read_lock(mm);
	for_each_vma(mm, vma) {
		if (!first)
			first = vma->vm_start;
		last = vma->vm_end;
		mm_smaps(vma, &s);
	}
	mmap_read_unlock(mm);
	mmput(mm);
	show_header(m, first, last, 0, 0, 0, 0);
	seq_pad(m, ' ');
	seq_puts(m, "[rollup]\n");
	show_smap(m, &s, true);
	return 0;
}

static int rollup_open(struct inode *inode, struct file *file)
{
	struct mm *mm = open_mm(inode, PTRACE_MODE_READ);
	int err;

	if (IS_ERR_OR_NULL(mm))
		return mm ? (int)PTR_ERR(mm) : -ESRCH;
	err = single_open(file, rollup_show, mm);
	if (!err)
		mmgrab(mm);
	mmput(mm);
	return err;
}

static int rollup_release(struct inode *inode, struct file *file)
{
	mmdrop(((struct seq_file *)file->private_data)->private);
	return single_release(inode, file);
}

const struct file_operations proc_rollup_fops = {
	.open = rollup_open, .read_iter = seq_read_iter, .llseek = seq_lseek, .release = rollup_release,
};

/* Reading strings out of the task: @limit bytes at @start, from the position on. */
static ssize_t read_range(struct mm *mm, unsigned long start, unsigned long end, struct kiocb *iocb,
			  struct iter *to, unsigned int foll)
{
	ssize_t done = 0;
	char *page;

	if (iocb->ki_pos >= (loff_t)(end - start) || !iter_count(to))
		return 0;
	page = (char *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	start += (unsigned long)iocb->ki_pos;
	while (iter_count(to) && start < end) {
		size_t chunk = min(min(iter_count(to), (size_t)PAGE_SIZE), (size_t)(end - start));
		int got = access_remote_vm(mm, start, page, (int)chunk, foll);
		size_t n;

		if (got <= 0)
			break;
		n = copy_to_iter(page, (size_t)got, to);
		if (!n) {
			done = done ? done : -EFAULT;
			break;
		}
		start += n;
		done += (ssize_t)n;
		iocb->ki_pos += (loff_t)n;
	}
	free_page((unsigned long)page);
	return done;
}

/* cmdline: setproctitle may have run the arguments into the environment. */
static ssize_t cmdline_read(struct kiocb *iocb, struct iter *to)
{
	struct task *task = get_proc_task(file_inode(iocb->ki_filp));
	unsigned long arg_start, arg_end, env_start, env_end;
	ssize_t ret = 0;
	struct mm *mm;
	char last;

	if (!task)
		return -ESRCH;
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return 0;
	spin_lock(&mm->arg_lock);
	arg_start = mm->arg_start;
	arg_end = mm->arg_end;
	env_start = mm->env_start;
	env_end = mm->env_end;
	spin_unlock(&mm->arg_lock);
	if (!mm->env_end || arg_start >= arg_end)
		goto out;
	/* No NUL at the end of the arguments: the title goes on over the environment up to its NUL. */
	if (env_start == arg_end && env_end > env_start &&
	    access_remote_vm(mm, arg_end - 1, &last, 1, FOLL_ANON) == 1 && last) {
		char buf[256];
		int n = access_remote_vm(mm, env_start, buf, (int)min(sizeof(buf), env_end - env_start), FOLL_ANON);

		if (n > 0)
			arg_end = env_start + strnlen(buf, (size_t)n);
	}
	ret = read_range(mm, arg_start, arg_end, iocb, to, FOLL_ANON);
out:
	mmput(mm);
	return ret;
}

const struct file_operations proc_cmdline_fops = {
	.read_iter = cmdline_read, .llseek = generic_file_llseek,
};

static ssize_t environ_read(struct kiocb *iocb, struct iter *to)
{
	struct mm *mm = iocb->ki_filp->private_data;
	unsigned long start, end;
	ssize_t ret;

	if (!mm || !mm->env_end || !mmget_not_zero(mm))
		return 0;
	spin_lock(&mm->arg_lock);
	start = mm->env_start;
	end = mm->env_end;
	spin_unlock(&mm->arg_lock);
	ret = read_range(mm, start, end, iocb, to, FOLL_ANON);
	mmput(mm);
	return ret;
}

const struct file_operations proc_environ_fops = {
	.open = keep_mm, .read_iter = environ_read, .llseek = generic_file_llseek, .release = drop_mm,
};

static ssize_t auxv_read(struct kiocb *iocb, struct iter *to)
{
	struct mm *mm = iocb->ki_filp->private_data;
	size_t len = 0, n;

	if (!mm)
		return 0;
	do
		len += 2;
	while (len < AT_VECTOR_SIZE && mm->saved_auxv[len - 2] != AT_NULL);
	len *= sizeof(long);
	if (iocb->ki_pos >= (loff_t)len)
		return 0;
	n = copy_to_iter((char *)mm->saved_auxv + iocb->ki_pos, len - (size_t)iocb->ki_pos, to);
	iocb->ki_pos += (loff_t)n;
	return n || !iter_count(to) ? (ssize_t)n : -EFAULT;
}

const struct file_operations proc_auxv_fops = {
	.open = keep_mm, .read_iter = auxv_read, .llseek = generic_file_llseek, .release = drop_mm,
};

/* mem: the position is the address. */

static ssize_t mem_io(struct kiocb *iocb, struct iter *it, bool write)
{
	struct mm *mm = iocb->ki_filp->private_data;
	unsigned int foll = FOLL_FORCE | (write ? FOLL_WRITE : 0);
	unsigned long addr = (unsigned long)iocb->ki_pos;
	ssize_t done = 0;
	char *page;

	if (!mm)
		return 0;
	page = (char *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	if (!mmget_not_zero(mm)) {
		free_page((unsigned long)page);
		return 0;
	}
	while (iter_count(it)) {
		size_t chunk = min(iter_count(it), (size_t)PAGE_SIZE), n;
		int got;

		if (write && !copy_from_iter_full(page, chunk, it)) {
			done = done ? done : -EFAULT;
			break;
		}
		got = access_remote_vm(mm, addr, page, (int)chunk, foll);
		if (got <= 0) {
			done = done ? done : -EIO;
			break;
		}
		n = (size_t)got;
		if (!write && copy_to_iter(page, n, it) != n) {
			done = done ? done : -EFAULT;
			break;
		}
		addr += n;
		done += (ssize_t)n;
		if (n < chunk)
			break;
	}
	iocb->ki_pos = (loff_t)addr;
	mmput(mm);
	free_page((unsigned long)page);
	return done;
}

static ssize_t mem_read(struct kiocb *iocb, struct iter *to) { return mem_io(iocb, to, false); }
static ssize_t mem_write(struct kiocb *iocb, struct iter *from) { return mem_io(iocb, from, true); }

static loff_t mem_lseek(struct file *file, loff_t offset, int whence)
{
	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		offset += file->f_pos;
		break;
	default:
		return -EINVAL;
	}
	return file->f_pos = offset;
}

const struct file_operations proc_mem_fops = {
	.fop_flags = FOP_UNSIGNED_OFFSET,
	.open = mem_open, .read_iter = mem_read, .write_iter = mem_write, .llseek = mem_lseek, .release = drop_mm,
};

/* pagemap: 8 bytes a page. Page frame numbers are shown if the opener had CAP_SYS_ADMIN: the reader may have been given the file. */

static ssize_t pagemap_read(struct kiocb *iocb, struct iter *to)
{
	struct mm *mm = iocb->ki_filp->private_data;
	bool show_pfn = cred_capable(iocb->ki_filp->f_cred, &init_user_ns, CAP_SYS_ADMIN);
	ssize_t done = 0;
	u64 *buf;

	if (iocb->ki_pos & 7 || iter_count(to) & 7)
		return -EINVAL;
	if (!mm || !mmget_not_zero(mm))
		return 0;
	buf = (u64 *)__get_free_page(GFP_KERNEL);
	if (!buf) {
		mmput(mm);
		return -ENOMEM;
	}
	while (iter_count(to)) {
		unsigned long page = (unsigned long)iocb->ki_pos / 8, n;
		unsigned long want = min(iter_count(to) / 8, PAGE_SIZE / 8);

		if (page >= mm->task_size >> PAGE_SHIFT)
			break;
		want = min(want, (mm->task_size >> PAGE_SHIFT) - page);
		if (fatal_signal_pending(current) || mmap_read_lock_killable(mm)) {
			done = done ? done : -EINTR;
			break;
		}
		n = mm_pagemap(mm, page << PAGE_SHIFT, want, buf);
		mmap_read_unlock(mm);
		if (!n)
			break;
		for (unsigned long i = 0; !show_pfn && i < n; i++)
			buf[i] &= ~((1ull << 55) - 1);
		if (copy_to_iter(buf, n * 8, to) != n * 8) {
			done = done ? done : -EFAULT;
			break;
		}
		done += (ssize_t)n * 8;
		iocb->ki_pos += (loff_t)n * 8;
	}
	free_page((unsigned long)buf);
	mmput(mm);
	return done;
}

const struct file_operations proc_pagemap_fops = {
	.open = keep_mm, .read_iter = pagemap_read, .llseek = mem_lseek, .release = drop_mm,
};

static ssize_t clear_refs_write(struct kiocb *iocb, struct iter *from)
{
	struct task *task = get_proc_task(file_inode(iocb->ki_filp));
	ssize_t len = (ssize_t)iter_count(from);
	char buf[16] = "";
	struct mm *mm;
	int type, err;

	if (!task)
		return -ESRCH;
	mm = get_task_mm(task);
	put_task_struct(task);
	err = copy_from_iter_full(buf, min((size_t)len, sizeof(buf) - 1), from) ? kstrtoint(strim(buf), 10, &type) :
	      -EFAULT;
	if (mm) {
		if (!err)
			err = mm_clear_refs(mm, type);
		mmput(mm);
	}
	return err ? err : len;
}

const struct file_operations proc_clear_refs_fops = { .write_iter = clear_refs_write, .llseek = noop_llseek };
