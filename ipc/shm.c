// SPDX-License-Identifier: MIT
/*
 * System V shared memory. A segment is an unlinked file of tmpfs; an attachment is a mapping of a file of its own over the same
 * inode, whose operations count how often the segment is attached. A removed segment lives, without a key, until its last
 * attachment goes.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <mm/fault.h>
#include <mm/mm.h>
#include <mm/shmem.h>
#include <mm/upcalls.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/mman.h>
#include <linux/resource.h>
#include "sysv_priv.h"

#define SHM_DEST 01000u
#define SHM_LOCKED 02000u

struct shm_segment {
	struct sysv_object o;
	struct file *file;		/* c */
	size_t size;			/* c: bytes */
	unsigned long attached;		/* o.lock */
	s64 atime, dtime, ctime;	/* o.lock */
	struct pid *cpid, *lpid;	/* o.lock; cpid: c */
};

/* An attachment's file: who it is of. */
struct shm_file {
	struct ipc_namespace *ns;	/* referenced */
	struct shm_segment *seg;	/* referenced */
	struct file *base;		/* referenced: its operations do the work */
};

#define to_shm(x) container_of(x, struct shm_segment, o)
static struct vm_operations shm_vm_ops;
static const struct file_operations shm_fops;
static const struct sysv_ops shm_ops;

static struct sysv_ids *shm_ids(struct ipc_namespace *ns) { return &ns->ids[SYSV_SHM]; }
static unsigned long pages_of(const struct shm_segment *s) { return PAGE_ALIGN(s->size) >> PAGE_SHIFT; }

static void shm_put(struct shm_segment *s)
{
	if (!refcount_dec_and_test(&s->o.refs))
		return;
	fput(s->file);
	put_pid(s->cpid);
	put_pid(s->lpid);
	sysv_free(s, sizeof(*s));
}

static void set_lpid(struct shm_segment *s)
{
	put_pid(s->lpid);
	s->lpid = get_task_pid(current, PIDTYPE_TGID);
}

/* ---- making ---- */

static struct sysv_object *shm_make(struct ipc_namespace *ns, unsigned long size, int key, int flags)
{
	struct shm_segment *s;
	char name[24];

	if (!size || size > ns->shm_max)
		return ERR_PTR(-EINVAL);
	if (flags & SHM_HUGETLB)
		return ERR_PTR(-ENOMEM);	/* there are none */
	if (PAGE_ALIGN(size) < size || ns->shm_tot + (PAGE_ALIGN(size) >> PAGE_SHIFT) > ns->shm_all)
		return ERR_PTR(-ENOSPC);
	s = sysv_alloc(sizeof(*s), __GFP_ZERO);
	if (!s)
		return ERR_PTR(-ENOMEM);
	snprintf(name, sizeof(name), "SYSV%08x", (unsigned int)key);
	s->file = mm_shmem_file_setup(name, (loff_t)size, flags & SHM_NORESERVE && sysctl_overcommit_memory != 2 ? VM_NORESERVE : 0);
	if (IS_ERR(s->file)) {
		long e = PTR_ERR(s->file);

		sysv_free(s, sizeof(*s));
		return ERR_PTR(e == -ENOSPC ? -ENOMEM : e);
	}
	refcount_set(&s->o.refs, 1);
	mutex_init(&s->o.lock);
	s->size = size;
	s->ctime = sysv_now();
	s->cpid = get_task_pid(current, PIDTYPE_TGID);
	return &s->o;
}

static int shm_fits(struct sysv_object *o, unsigned long size)
{
	return to_shm(o)->size < size ? -EINVAL : 0;
}

static void shm_added(struct ipc_namespace *ns, struct sysv_object *o)
{
	file_inode(to_shm(o)->file)->i_ino = (unsigned int)o->id;	/* pmap(1) and others take the one for the other */
	ns->shm_tot += pages_of(to_shm(o));
}

static void shm_unmake(struct sysv_object *o)
{
	shm_put(to_shm(o));
}

long shm_get(int key, size_t size, int flags)
{
	struct ipc_namespace *ns = current_ipc_ns();
	struct sysv_maker m = {
		.ids = shm_ids(ns), .make = shm_make, .fits = shm_fits, .free = shm_unmake, .added = shm_added,
		.max = (unsigned int)ns->shm_mni, .arg = size,
	};

	return sysv_obtain(ns, &m, key, flags);
}

/* ---- attachments ---- */

/* Its lock is held. */
static void attach_one(struct shm_segment *s)
{
	s->attached++;
	s->atime = sysv_now();
	set_lpid(s);
}

static void shm_vma_open(struct vma *vma)
{
	struct shm_file *f = vma->vm_file->private_data;

	mutex_lock(&f->seg->o.lock);
	attach_one(f->seg);
	mutex_unlock(&f->seg->o.lock);
}

/* One attachment less; of a mapping, where it is not only the hold of who attaches. */
static void detach_one(struct ipc_namespace *ns, struct shm_segment *s, bool mapping)
{
	mutex_lock(&shm_ids(ns)->lock);
	mutex_lock(&s->o.lock);
	s->attached--;
	if (mapping) {
		s->dtime = sysv_now();
		if (current->signal && task_own_pid(current))
			set_lpid(s);
	}
	if (!s->attached && (s->o.mode & SHM_DEST) && !s->o.removed) {
		sysv_destroy(ns, &shm_ops, &s->o);
		return;
	}
	mutex_unlock(&s->o.lock);
	mutex_unlock(&shm_ids(ns)->lock);
}

static void shm_vma_close(struct vma *vma)
{
	struct shm_file *f = vma->vm_file->private_data;

	detach_one(f->ns, f->seg, true);
}

/* A mapping that takes the place of the last one of a removed segment finds that gone (remap_file_pages). */
static int shm_mmap(struct file *file, struct vma *vma)
{
	struct shm_file *f = file->private_data;
	bool removed;
	int e;

	mutex_lock(&f->seg->o.lock);
	removed = f->seg->o.removed;
	if (!removed)
		attach_one(f->seg);
	mutex_unlock(&f->seg->o.lock);
	if (removed)
		return -EINVAL;
	e = f->base->f_op->mmap(f->base, vma);
	if (e)
		detach_one(f->ns, f->seg, true);
	else
		vma->vm_ops = &shm_vm_ops;
	return e;
}

static int shm_release(struct inode *inode, struct file *file)
{
	struct shm_file *f = file->private_data;

	fput(f->base);
	shm_put(f->seg);
	put_ipc_ns(f->ns);
	kfree(f);
	return 0;
}

static int shm_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return 0;
}

static const struct file_operations shm_fops = { .mmap = shm_mmap, .release = shm_release, .fsync = shm_fsync, .llseek = noop_llseek };

static struct file *attachment_file(struct ipc_namespace *ns, struct shm_segment *s, int o_flags)
{
	struct shm_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!f)
		return ERR_PTR(-ENOMEM);
	file = alloc_file_clone(s->file, o_flags, &shm_fops);
	if (IS_ERR(file)) {
		kfree(f);
		return file;
	}
	f->ns = get_ipc_ns(ns);
	refcount_inc(&s->o.refs);
	f->seg = s;
	f->base = get_file(s->file);
	file->private_data = f;
	return file;
}

static long map(struct file *file, unsigned long addr, size_t size, unsigned long prot, int flags)
{
	unsigned long mflags = MAP_SHARED | (addr ? flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE : 0), r;

	r = vm_mmap(current->mm, file, addr, size, prot, mflags, 0);
	return r == (unsigned long)-EEXIST ? -EINVAL : (long)r;
}

long shm_attach(int id, unsigned long addr, int flags)
{
	struct ipc_namespace *ns = current_ipc_ns();
	unsigned long prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
	int acc = S_IRUGO | (flags & SHM_RDONLY ? 0 : S_IWUGO) | (flags & SHM_EXEC ? S_IXUGO : 0);
	struct sysv_object *o;
	struct file *file;
	long r;

	if (addr & ~PAGE_MASK) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		addr &= PAGE_MASK;
	}
	if (!addr && (flags & SHM_REMAP))
		return -EINVAL;
	o = sysv_get(shm_ids(ns), id);
	if (IS_ERR(o))
		return PTR_ERR(o);
	r = sysv_lock(o);
	if (r)
		goto put;
	r = sysv_permitted(o, acc) ? 0 : -EACCES;
	if (!r)
		to_shm(o)->attached++;		/* over SHM_REMAP, which may take the last mapping away first */
	mutex_unlock(&o->lock);
	if (r)
		goto put;
	file = attachment_file(ns, to_shm(o), flags & SHM_RDONLY ? O_RDONLY : O_RDWR);
	if (IS_ERR(file)) {
		r = PTR_ERR(file);
	} else {
		r = map(file, addr, to_shm(o)->size, prot, flags);
		fput(file);
	}
	detach_one(ns, to_shm(o), false);
put:
	shm_put(to_shm(o));
	return r;
}

/* Everything of the attachment that began at ADDR, also where it was cut into parts, and the first of them are gone. */
long shm_detach(unsigned long addr)
{
	struct mm *mm = current->mm;
	unsigned long end = ULONG_MAX, size = 0;
	struct file *file = NULL;
	struct vma *vma, *next;
	long r = -EINVAL;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	for (vma = find_vma(mm, addr); vma && vma->vm_start < end; vma = next) {
		next = vma_next(vma);
		if (vma->vm_ops != &shm_vm_ops || (vma->vm_start - addr) >> PAGE_SHIFT != vma->vm_pgoff)
			continue;
		if (!file) {
			file = get_file(vma->vm_file);
			size = PAGE_ALIGN(((struct shm_file *)file->private_data)->seg->size);
			end = addr + size;
		}
		if (vma->vm_file != file)
			continue;
		r = do_munmap(mm, vma->vm_start, vma->vm_end - vma->vm_start);
		if (r)
			break;
		next = find_vma(mm, addr);
	}
	mmap_write_unlock(mm);
	if (file)
		fput(file);
	return r;
}

/* ---- control ---- */

static void shm_fill(union sysv_ds *d, const struct sysv_object *o)
{
	const struct shm_segment *s = to_shm(o);

	d->shm.shm_segsz = s->size;
	d->shm.shm_atime = s->atime;
	d->shm.shm_dtime = s->dtime;
	d->shm.shm_ctime = s->ctime;
	d->shm.shm_cpid = pid_vnr(s->cpid);
	d->shm.shm_lpid = s->lpid ? pid_vnr(s->lpid) : 0;
	d->shm.shm_nattch = s->attached;
}

/* IPC_SET, IPC_RMID, SHM_LOCK, SHM_UNLOCK. */
static long shm_modify(struct ipc_namespace *ns, struct sysv_object *o, int cmd, const union sysv_ds *d)
{
	struct shm_segment *s = to_shm(o);
	long r = 0;

	if (!sysv_owner(o) && !((cmd == SHM_LOCK || cmd == SHM_UNLOCK) && ns_capable(ns->user_ns, CAP_IPC_LOCK)))
		return -EPERM;
	if (cmd == IPC_SET) {
		r = sysv_change(o, &d->perm);
		if (!r)
			s->ctime = sysv_now();
	} else if (cmd == SHM_LOCK) {
		r = !rlimit(RLIMIT_MEMLOCK) && !ns_capable(ns->user_ns, CAP_IPC_LOCK) ? -EPERM : 0;
		o->mode |= r ? 0 : SHM_LOCKED;		/* nothing of it is ever paged out */
	} else if (cmd == SHM_UNLOCK) {
		o->mode &= (umode_t)~SHM_LOCKED;
	} else if (s->attached) {
		o->mode |= SHM_DEST;
		sysv_forget_key(&ns->ids[SYSV_SHM], o);
	} else {
		sysv_remove(ns, &shm_ops, o);
	}
	return r;
}

static void shm_removed(struct ipc_namespace *ns, struct sysv_object *o)
{
	ns->shm_tot -= pages_of(to_shm(o));
}

static const struct sysv_ops shm_ops = {
	.kind = SYSV_SHM, .ds_size = sizeof(struct shmid64_ds), .put = shm_unmake, .fill = shm_fill, .modify = shm_modify, .removed = shm_removed,
};

static long shm_limits(struct ipc_namespace *ns, struct uptr buf)
{
	struct shminfo64 i = { .shmmax = ns->shm_max, .shmmin = SHMMIN, .shmmni = (unsigned long)ns->shm_mni,
			       .shmseg = (unsigned long)ns->shm_mni, .shmall = ns->shm_all };
	int max;

	mutex_lock(&shm_ids(ns)->lock);
	max = sysv_max_index(shm_ids(ns));
	mutex_unlock(&shm_ids(ns)->lock);
	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : max;
}

static long shm_usage(struct ipc_namespace *ns, struct uptr buf)
{
	struct sysv_object *o;
	struct shm_info i;
	unsigned long x;
	int max;

	memset(&i, 0, sizeof(i));
	mutex_lock(&shm_ids(ns)->lock);
	i.used_ids = (int)shm_ids(ns)->count;
	i.shm_tot = ns->shm_tot;
	xa_for_each(&shm_ids(ns)->objects, x, o)
		i.shm_rss += to_shm(o)->file->f_mapping->nrpages;
	max = sysv_max_index(shm_ids(ns));
	mutex_unlock(&shm_ids(ns)->lock);
	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : max;
}

long shm_control(int id, int cmd, struct uptr buf)
{
	struct ipc_namespace *ns = current_ipc_ns();

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO: return shm_limits(ns, buf);
	case SHM_INFO: return shm_usage(ns, buf);
	case IPC_STAT: return sysv_stat(ns, &shm_ops, id, STAT_ID, buf);
	case SHM_STAT: return sysv_stat(ns, &shm_ops, id, STAT_INDEX, buf);
	case SHM_STAT_ANY: return sysv_stat(ns, &shm_ops, id, STAT_INDEX_ANY, buf);
	case IPC_SET: case IPC_RMID: case SHM_LOCK: case SHM_UNLOCK: return sysv_modify(ns, &shm_ops, id, cmd, buf);
	}
	return -EINVAL;
}

void shm_free_all(struct ipc_namespace *ns)
{
	sysv_destroy_all(ns, &shm_ops);		/* attachments hold the namespace: there are none any more */
}

void shm_show(struct seq_file *m, struct ipc_namespace *ns)
{
	struct user_namespace *u = current_user_ns();
	struct sysv_object *o;
	unsigned long i;

	seq_puts(m, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime"
		    "                   rss                  swap\n");
	mutex_lock(&shm_ids(ns)->lock);
	xa_for_each(&shm_ids(ns)->objects, i, o) {
		struct shm_segment *s = to_shm(o);

		seq_printf(m, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lld %10lld %10lld %21lu %21lu\n", o->key, o->id, o->mode,
			   (unsigned long)s->size, pid_vnr(s->cpid), s->lpid ? pid_vnr(s->lpid) : 0, s->attached,
			   from_kuid_munged(u, o->uid), from_kgid_munged(u, o->gid), from_kuid_munged(u, o->cuid),
			   from_kgid_munged(u, o->cgid), s->atime, s->dtime, s->ctime,
			   (unsigned long)s->file->f_mapping->nrpages << PAGE_SHIFT, 0UL);
	}
	mutex_unlock(&shm_ids(ns)->lock);
}

static int shm_init(void)
{
	shm_vm_ops = shmem_vm_ops;
	shm_vm_ops.open = shm_vma_open;
	shm_vm_ops.close = shm_vma_close;
	return 0;
}
INITCALL(core, shm_init);
