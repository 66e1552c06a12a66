// SPDX-License-Identifier: MIT
/*
 * C that only Rust calls, for memory that a program maps: see <rust/helpers_mm.h>.
 *
 * A page is set once, by whoever writes there first, and stays until the area goes: when the last
 * mapping of it is gone and its owner let go. So a fault needs no lock.
 */
#include <lib/types.h>
#include <rust/helpers_mm.h>

#include <abi/errno.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <kernel/owner.h>
#include <kernel/refcount.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <mm/fault.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <sched/task.h>
#include <sched/work.h>
#include <vfs/file.h>

struct rust_area {
	refcount_t refs; /* the owner's, one for each VMA, and that of work that is to run */
	u32 unmapped;  /* set once, with the work queued */
	struct work_struct work;
	void (*gone)(void *arg);
	void *arg;
	unsigned long base;  /* constant, as all that follows */
	pgoff_t first;  /* the first page's index in the file */
	size_t pages;
	struct page *page[]; /* each set once, by cmpxchg */
};

static vm_fault_t area_fault(struct vm_fault *f)
{
	struct rust_area *a = f->vma->vm_private_data;
	size_t i = f->pgoff - a->first;
	/* pairs with page_of()'s cmpxchg */
	struct page *page = i < a->pages ? smp_load_acquire(&a->page[i]) : NULL;

	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	f->page = page;
	return 0;
}

static void area_open(struct vma *vma)
{
	refcount_inc(&((struct rust_area *)vma->vm_private_data)->refs);
}

static void area_close(struct vma *vma)
{
	struct rust_area *a = vma->vm_private_data;

	if (!xchg(&a->unmapped, 1)) {
		refcount_inc(&a->refs);
		schedule_work(&a->work);
	}
	rust_area_put(a);
}

/* mmap_lock is held where a mapping goes: whoever is told of it may take locks outside that one. */
static void area_gone(struct work_struct *work)
{
	struct rust_area *a = container_of(work, struct rust_area, work);

	a->gone(a->arg);
	owner_unhold((const void *)a->gone);
	rust_area_put(a);
}

static const struct vm_operations area_vm_ops = { .open = area_open,
						  .close = area_close,
						  .fault = area_fault };

size_t rust_vma_size(const struct vma *vma)
{
	return vma->vm_end - vma->vm_start;
}

bool rust_vma_writable(const struct vma *vma)
{
	return vma->vm_flags & VM_WRITE;
}

int rust_area_map(struct vma *vma, size_t size, void (*gone)(void *arg), void *arg,
		  struct rust_area **out)
{
	struct rust_area *a;

	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	size = min(size, vma->vm_end - vma->vm_start) & PAGE_MASK;
	a = kvzalloc(struct_size(a, page, size >> PAGE_SHIFT), GFP_KERNEL_ACCOUNT);
	if (!a)
		return -ENOMEM;
	refcount_set(&a->refs, 2);
	INIT_WORK(&a->work, area_gone);
	a->gone = gone;	/* which runs behind the file's end: a hold until it has returned */
	owner_hold((const void *)gone);
	a->arg = arg;
	a->base = vma->vm_start;
	a->first = vma->vm_pgoff;
	a->pages = size >> PAGE_SHIFT;
	vma->vm_flags |= VM_DONTCOPY | VM_MIXEDMAP;
	vma->vm_flags &= ~VM_MAYWRITE;
	vma->vm_ops = &area_vm_ops;
	vma->vm_private_data = a;
	*out = a;
	return 0;
}

unsigned long rust_area_base(const struct rust_area *a)
{
	return a->base;
}

size_t rust_area_size(const struct rust_area *a)
{
	return a->pages << PAGE_SHIFT;
}

bool rust_area_mapped(const struct rust_area *a)
{
	return !READ_ONCE(a->unmapped);
}

void rust_area_get(struct rust_area *a)
{
	refcount_inc(&a->refs);
}

void rust_area_put(struct rust_area *a)
{
	if (!refcount_dec_and_test(&a->refs))
		return;
	for (size_t i = 0; i < a->pages; i++)
		if (a->page[i])
			put_page(a->page[i]);
	kvfree(a);
}

static struct page *page_of(struct rust_area *a, size_t i)
{
	struct page *page = smp_load_acquire(&a->page[i]), *other;

	if (page)
		return page;
	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!page)
		return NULL;
	other = cmpxchg(&a->page[i], NULL, page);
	if (!other)
		return page;
	put_page(page);
	return other;
}

/* FROM, or the program's SRC, or zeroes. */
static int area_fill(struct rust_area *a, size_t off, const char *from, struct uptr src, bool user,
		     size_t n)
{
	while (n) {
		struct page *page = page_of(a, off >> PAGE_SHIFT);
		size_t in = off & ~PAGE_MASK, part = min(n, PAGE_SIZE - in);
		char *to = page ? (char *)page_address(page) + in : NULL;

		if (!to)
			return -ENOMEM;
		if (user) {
			if (copy_from_user(to, src, part))
				return -EFAULT;
			src.addr += part;
		} else if (from) {
			memcpy(to, from, part);
			from += part;
		} else {
			memset(to, 0, part);
		}
		off += part;
		n -= part;
	}
	return 0;
}

int rust_area_write(struct rust_area *a, size_t off, const void *from, size_t n)
{
	return area_fill(a, off, from, (struct uptr){ 0 }, false, n);
}

int rust_area_zero(struct rust_area *a, size_t off, size_t n)
{
	return area_fill(a, off, NULL, (struct uptr){ 0 }, false, n);
}

int rust_area_from_user(struct rust_area *a, size_t off, struct uptr from, size_t n)
{
	return area_fill(a, off, NULL, from, true, n);
}

/* A thread of the kernel need not have a table. */
struct file *rust_file_of(u32 fd)
{
	return current->files ? fget(fd) : NULL;
}

void rust_file_put(struct file *f)
{
	fput(f);
}

int rust_reserve_fd(void)
{
	return current->files ? get_unused_fd_flags(O_CLOEXEC) : -EBADF;
}

/*
 * The file may be the very one whose ioctl runs, without a reference of its own: it ends behind
 * that call.
 */
int rust_close_fd(u32 fd)
{
	struct file *f = current->files ? file_close_fd(fd) : NULL;

	return f ? filp_close(f, current->files) : -EBADF;
}

struct pid *rust_process(void)
{
	return get_task_pid(current, PIDTYPE_TGID);
}

u32 rust_euid(void)
{
	return current_euid().val;
}

u32 rust_process_euid(void)
{
	return task_euid(current->group_leader).val;
}

u32 rust_uid_here(u32 kuid)
{
	return from_kuid(current_user_ns(), (kuid_t){ kuid });
}
