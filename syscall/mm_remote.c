// SPDX-License-Identifier: MIT
/* The edge: memory calls that reach into another process. */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <abi/errno.h>
#include <abi/syscalls.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <linux/capability.h>
#include <linux/mempolicy.h>
#include <mm/iter.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include <mm/uaccess.h>
#include <mm/upcalls.h>
#include <proc/pid.h>
#include <proc/ptrace.h>
#include <sched/task.h>
#include "syscall/mm_priv.h"

/* Another process's memory, to and from ours. */
static ssize_t vm_rw(struct mm *mm, struct iter *local, const struct iovec *rvec, unsigned long riovcnt, bool write)
{
	char *buf = (char *)__get_free_page(GFP_KERNEL);
	ssize_t done = 0, err = 0;

	if (!buf)
		return -ENOMEM;
	for (unsigned long i = 0; i < riovcnt && iter_count(local) && !err; i++) {
		unsigned long addr = (unsigned long)rvec[i].iov_base;
		size_t left = rvec[i].iov_len;

		while (left && iter_count(local)) {
			size_t n = min3(left, iter_count(local), PAGE_SIZE - offset_in_page(addr)), moved;
			int r;

			if (write) {
				n = copy_from_iter(buf, n, local);
				r = n ? access_remote_vm(mm, addr, buf, (int)n, FOLL_WRITE) : 0;
				moved = (size_t)r;
			} else {
				r = access_remote_vm(mm, addr, buf, (int)n, 0);
				moved = r > 0 ? copy_to_iter(buf, (size_t)r, local) : 0;
			}
			done += (ssize_t)moved;
			if (moved < n || !n) {
				err = -EFAULT;
				break;
			}
			addr += n;
			left -= n;
		}
	}
	free_page((unsigned long)buf);
	return done ? done : err;
}

/* Addresses in another space: nothing but lengths can be checked. Positive if there are any bytes. */
static ssize_t remote_vec(struct uptr rvec, unsigned long n, struct iovec *fast, struct iovec **iovp)
{
	struct iovec *iov = fast;
	size_t total = 0;

	if (n > UIO_MAXIOV)
		return -EINVAL;
	if (n > UIO_FASTIOV) {
		iov = kmalloc_array(n, sizeof(*iov), GFP_KERNEL);
		if (!iov)
			return -ENOMEM;
	}
	*iovp = iov;
	if (copy_from_user(iov, rvec, n * sizeof(*iov)))
		return -EFAULT;
	for (unsigned long i = 0; i < n; i++) {
		if ((ssize_t)iov[i].iov_len < 0)
			return -EINVAL;
		total |= iov[i].iov_len;
	}
	return (ssize_t)total;
}

static long process_vm_rw(pid_t pid, struct uptr lvec, unsigned long liovcnt, struct uptr rvec,
			  unsigned long riovcnt, unsigned long flags, bool write)
{
	struct iovec lfast[UIO_FASTIOV], rfast[UIO_FASTIOV], *liov = lfast, *riov = rfast;
	struct iter local;
	struct task *task;
	struct mm *mm;
	ssize_t ret;

	if (flags)
		return -EINVAL;
	ret = import_iovec(write ? ITER_SOURCE : ITER_DEST, lvec, (unsigned int)liovcnt, UIO_FASTIOV, &liov, &local);
	if (ret <= 0)
		goto free_remote;
	ret = remote_vec(rvec, riovcnt, rfast, &riov);
	if (ret <= 0)
		goto free_remote;
	task = find_get_task_by_vpid(pid);
	if (!task) {
		ret = -ESRCH;
		goto free_remote;
	}
	mm = ptrace_get_mm(task, PTRACE_MODE_ATTACH_REALCREDS);
	if (IS_ERR_OR_NULL(mm)) {
		ret = mm ? PTR_ERR(mm) : -ESRCH;
	} else {
		ret = vm_rw(mm, &local, riov, riovcnt, write);
		mmput(mm);
	}
	put_task_struct(task);
free_remote:
	if (riov != rfast)
		kfree(riov);
	kfree(liov);
	return ret;
}

long sys_process_vm_readv(pid_t pid, struct uptr lvec, unsigned long liovcnt, struct uptr rvec,
			  unsigned long riovcnt, unsigned long flags)
{
	return process_vm_rw(pid, lvec, liovcnt, rvec, riovcnt, flags, false);
}

long sys_process_vm_writev(pid_t pid, struct uptr lvec, unsigned long liovcnt, struct uptr rvec,
			   unsigned long riovcnt, unsigned long flags)
{
	return process_vm_rw(pid, lvec, liovcnt, rvec, riovcnt, flags, true);
}

/* The memory whose pages the caller may move. */
static struct mm *get_movable(struct task *task)
{
	int e = ptrace_begin_access(task, PTRACE_MODE_READ_REALCREDS);
	struct mm *mm;

	if (e)
		return ERR_PTR(e);
	mm = get_task_mm(task);
	ptrace_end_access(task);
	return mm ? mm : ERR_PTR(-EINVAL);
}

long sys_migrate_pages(pid_t pid, unsigned long maxnode, struct uptr old_nodes, struct uptr new_nodes)
{
	unsigned long from, to;
	struct task *task;
	struct mm *mm;
	long err = mm_read_nodes(old_nodes, maxnode, &from);

	if (!err)
		err = mm_read_nodes(new_nodes, maxnode, &to);
	if (err)
		return err;
	task = pid ? find_get_task_by_vpid(pid) : current;
	if (!task)
		return -ESRCH;
	mm = get_movable(task);
	if (pid)
		put_task_struct(task);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	mmput(mm);
	return to != 1 ? -EINVAL : 0;	/* there is one node */
}

long sys_move_pages(pid_t pid, unsigned long nr_pages, struct uptr pages, struct uptr nodes, struct uptr status,
		    int flags)
{
	struct task *task = pid ? find_get_task_by_vpid(pid) : current;
	struct mm *mm = NULL;
	long err = 0;

	if (flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) {
		err = -EINVAL;
	} else if (flags & MPOL_MF_MOVE_ALL && !mm_capable(CAP_SYS_NICE)) {
		err = -EPERM;
	} else if (!task) {
		return -ESRCH;
	} else {
		mm = get_movable(task);
		err = IS_ERR(mm) ? PTR_ERR(mm) : 0;
	}
	if (pid && task)
		put_task_struct(task);
	if (err)
		return err;
	for (unsigned long i = 0; i < nr_pages && !err; i++) {
		unsigned long addr;
		int node = 0, st;
		unsigned char in = 0;

		if (get_user(addr, uptr_add(pages, i * sizeof(addr))) ||
		    (!uptr_is_null(nodes) && get_user(node, uptr_add(nodes, i * sizeof(node))))) {
			err = -EFAULT;
			break;
		}
		if (node) {
			err = -ENODEV;
			break;
		}
		st = mm_mincore(mm, addr & PAGE_MASK, 1, &in) == 1 ? (in ? 0 : -ENOENT) : -EFAULT;
		if (put_user(st, uptr_add(status, i * sizeof(st))))
			err = -EFAULT;
		else if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	mmput(mm);
	return err;
}
