// SPDX-License-Identifier: MIT
/*
 * VMAs: life, locks, splitting and merging.
 *
 * A VMA's read lock is a count in vma->readers, taken from RCU without any other lock; holders keep the
 * VMA, its file and the page tables under it. The write lock is vma->lock_seq == mm->lock_seq: set by a
 * holder of mmap_lock for writing, dropped for all VMAs at once when mmap_lock is released (which moves
 * mm->lock_seq). Writer: store lock_seq, full barrier, wait until no reader is left. Reader: count up
 * (full barrier), then look at lock_seq and step back if it is a writer's. One of both sees the other.
 *
 * VMAs come from a type-safe cache. A reader counts only on a VMA that is in a tree, and whoever takes one out
 * waits for those who counted too late and are about to step back: a VMA with readers is never freed, and what a
 * reader finds in it after it has counted stays true.
 */
#include "mm_priv.h"
#include <arch/cpu.h>
#include <sched/wait.h>
#include <lib/hash.h>

static struct kmem_cache *vma_cache, *node_cache;

#define VMA_WAITQS	16
static wait_queue_head_t vma_waitq[VMA_WAITQS];

static wait_queue_head_t *vma_wq(struct vma *vma)
{
	return &vma_waitq[((unsigned long)vma >> 8) % VMA_WAITQS];
}

struct vt_node *vt_node_alloc(void)
{
	return kmem_cache_alloc(node_cache, GFP_KERNEL);
}

void vt_node_free(struct vt_node *n)
{
	kmem_cache_free(node_cache, n);
}

static void vma_ctor(void *p)
{
	memset(p, 0, sizeof(struct vma));
}

struct vma *vma_alloc(struct mm *mm)
{
	struct vma *vma = kmem_cache_alloc(vma_cache, GFP_KERNEL);

	if (!vma)
		return NULL;
	vma->vm_flags = 0;
	vma->vm_page_prot = 0;
	vma->vm_ops = NULL;
	vma->vm_file = NULL;
	vma->vm_mapping = NULL;
	vma->vm_private_data = NULL;
	vma->has_anon = false;
	vma->had_guards = false;
	vma->on_i_mmap = false;
	vma->anon_name = NULL;
	vma->vm_next = vma->vm_prev = NULL;
#ifdef CONFIG_DEBUG
	vma->vm_pgoff = vma->anon_pgoff = ~0ul >> 1;	/* a caller that forgets them is seen each time */
#endif
	WRITE_ONCE(vma->lock_seq, mm->lock_seq);
	smp_store_release(&vma->vm_mm, mm);
	return vma;
}

struct vma *vma_dup(struct vma *old)
{
	struct vma *vma = kmem_cache_alloc(vma_cache, GFP_KERNEL);

	if (!vma)
		return NULL;
	vma->vm_start = old->vm_start;
	vma->vm_end = old->vm_end;
	vma->vm_page_prot = old->vm_page_prot;
	vma->vm_flags = old->vm_flags;
	vma->vm_ops = old->vm_ops;
	vma->vm_file = old->vm_file;
	vma->vm_mapping = old->vm_mapping;
	vma->vm_private_data = old->vm_private_data;
	vma->vm_pgoff = old->vm_pgoff;
	vma->anon_pgoff = old->anon_pgoff;
	vma->has_anon = old->has_anon;
	vma->had_guards = old->had_guards;
	vma->on_i_mmap = false;
	vma->vm_next = vma->vm_prev = NULL;
	vma->anon_name = NULL;
	if (old->anon_name) {
		vma->anon_name = kstrdup(old->anon_name, GFP_KERNEL);
		if (!vma->anon_name) {
			kmem_cache_free(vma_cache, vma);
			return NULL;
		}
	}
	WRITE_ONCE(vma->lock_seq, old->vm_mm->lock_seq);
	smp_store_release(&vma->vm_mm, old->vm_mm);
	return vma;
}

/* The VMA is in no tree; the file reference is the caller's business. */
void vma_free(struct vma *vma)
{
	kfree(vma->anon_name);
	vma->anon_name = NULL;
	WRITE_ONCE(vma->vm_mm, NULL);
	kmem_cache_free(vma_cache, vma);
}

bool vma_lock_read_try(struct vma *vma, struct mm *mm)
{
	int old;

	if (READ_ONCE(vma->lock_seq) == READ_ONCE(mm->lock_seq))
		return false;
	old = atomic_read(&vma->readers);
	do {
		if (!(old & ~VMA_WAITER))
			return false;
	} while (!atomic_try_cmpxchg(&vma->readers, &old, old + 1));
	if (likely(READ_ONCE(vma->vm_mm) == mm)) {
		/* Acquire: what the writer before did to the VMA is seen when its lock is seen dropped. */
		unsigned int seq = smp_load_acquire(&vma->lock_seq);

		if (likely(seq != smp_load_acquire(&mm->lock_seq)))
			return true;
	}
	vma_end_read(vma);
	return false;
}

void vma_end_read(struct vma *vma)
{
	if (unlikely(atomic_dec_return(&vma->readers) & VMA_WAITER))
		wake_up_all(vma_wq(vma));
}

struct vma *lock_vma_under_rcu(struct mm *mm, unsigned long addr)
{
	struct vma *vma;

	rcu_read_lock();
	vma = vt_floor_rcu(&mm->tree, addr);
	if (unlikely(!vma) || unlikely(!vma_lock_read_try(vma, mm))) {
		rcu_read_unlock();
		return NULL;
	}
	rcu_read_unlock();
	/* Locked: now the fields stay. */
	if (unlikely(addr < vma->vm_start || addr >= vma->vm_end)) {
		vma_end_read(vma);
		return NULL;
	}
	return vma;
}

static noinline void vma_wait_readers(struct vma *vma)
{
	atomic_or(VMA_WAITER, &vma->readers);
	wait_event(*vma_wq(vma), (atomic_read_acquire(&vma->readers) & ~VMA_WAITER) <= 1);
	atomic_andnot(VMA_WAITER, &vma->readers);
}

void vma_start_write(struct vma *vma)
{
	struct mm *mm = vma->vm_mm;

	if (vma->lock_seq == mm->lock_seq)
		return;
	WRITE_ONCE(vma->lock_seq, mm->lock_seq);
	smp_mb();	/* pairs with the count in vma_lock_read_try */
	if (unlikely(atomic_read_acquire(&vma->readers) > 1))
		vma_wait_readers(vma);
}

/*
 * Out of its tree, write-locked. A reader may still have counted between the write lock and now: it will find the
 * lock taken, which must stay so until it has looked. It is a few instructions from there, with preemption off.
 */
void vma_detach(struct vma *vma)
{
	if (likely(!atomic_dec_return(&vma->readers)))
		return;
	while (atomic_read_acquire(&vma->readers))
		cpu_relax();
}

struct vma *find_vma(struct mm *mm, unsigned long addr)
{
	struct vma *vma = vt_floor(&mm->tree, addr);

	if (!vma)
		return vt_first(&mm->tree);
	return addr < vma->vm_end ? vma : vma->vm_next;
}

struct vma *find_vma_prev(struct mm *mm, unsigned long addr, struct vma **prev)
{
	struct vma *vma = vt_floor(&mm->tree, addr);

	if (!vma) {
		*prev = NULL;
		return vt_first(&mm->tree);
	}
	if (addr < vma->vm_end) {
		*prev = vma->vm_prev;
		return vma;
	}
	*prev = vma;
	return vma->vm_next;
}

struct vma *find_vma_intersection(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vma *vma = find_vma(mm, start);

	return vma && vma->vm_start < end ? vma : NULL;
}

void vma_file_link(struct vma *vma)
{
	struct address_space *mapping = vma->vm_mapping;

	if (!mapping || vma->on_i_mmap)
		return;
	down_write(&mapping->i_mmap_rwsem);
	imap_insert(vma, mapping);
	up_write(&mapping->i_mmap_rwsem);
	vma->on_i_mmap = true;
}

void vma_file_unlink(struct vma *vma)
{
	struct address_space *mapping = vma->vm_mapping;

	if (!vma->on_i_mmap)
		return;
	down_write(&mapping->i_mmap_rwsem);
	imap_remove(vma, mapping);
	up_write(&mapping->i_mmap_rwsem);
	vma->on_i_mmap = false;
}

void vma_link_reserved(struct mm *mm, struct vma *vma)
{
	struct vma *prev = vt_floor(&mm->tree, vma->vm_start);
	struct vma *next = prev ? prev->vm_next : vt_first(&mm->tree);

	vma->vm_prev = prev;
	vma->vm_next = next;
	if (prev)
		prev->vm_next = vma;
	if (next) {
		next->vm_prev = vma;
		/* In the guard gap of a stack: the hole below ends here now. */
		if (unlikely(vma_is_stack(next)) && vma->vm_start > mm->hole_top)
			mm->hole_top = min(vma->vm_start, mm->mmap_base);
	}
	atomic_inc(&vma->readers);
	vt_insert(&mm->tree, vma->vm_start, vma);
	mm->map_count++;
	vma_file_link(vma);
}

int vma_link(struct mm *mm, struct vma *vma)
{
	if (vt_reserve(&mm->tree, 1))
		return -ENOMEM;
	vma_link_reserved(mm, vma);
	return 0;
}

void vma_unlink(struct vma *vma)
{
	struct mm *mm = vma->vm_mm;

	if (vma->vm_prev)
		vma->vm_prev->vm_next = vma->vm_next;
	if (vma->vm_next)
		vma->vm_next->vm_prev = vma->vm_prev;
	vt_erase(&mm->tree, vma->vm_start);
	mm->map_count--;
	vma_detach(vma);
}

/* Keeps those out who look for the pages of a file through its VMAs. NULL: nobody can. */
static struct address_space *imap_lock(struct vma *vma)
{
	struct address_space *mapping = vma->on_i_mmap ? vma->vm_mapping : NULL;

	if (mapping) {
		down_write(&mapping->i_mmap_rwsem);
		__release(mapping->i_mmap_rwsem);	/* what is returned keeps it in mind */
	}
	return mapping;
}

static void imap_unlock(struct address_space *mapping)
{
	if (mapping) {
		__acquire(mapping->i_mmap_rwsem);
		up_write(&mapping->i_mmap_rwsem);
	}
}

/*
 * New borders of a linked VMA. The interval tree (mapping, locked) sees the change as removal and insertion.
 * Neighbours never overlap in between: callers shrink before they grow.
 */
static void set_range(struct vma *vma, unsigned long start, unsigned long end, pgoff_t pgoff,
		      struct address_space *mapping)
{
	unsigned long old = vma->vm_start;

	if (mapping)
		imap_remove(vma, mapping);
	vma->anon_pgoff += (long)(start - old) >> PAGE_SHIFT;
	WRITE_ONCE(vma->vm_start, start);
	WRITE_ONCE(vma->vm_end, end);
	vma->vm_pgoff = pgoff;
	if (start != old)
		vt_rekey(&vma->vm_mm->tree, old, start);
	if (mapping)
		imap_insert(vma, mapping);
}

void vma_set_range(struct vma *vma, unsigned long start, unsigned long end, pgoff_t pgoff)
{
	struct address_space *mapping = imap_lock(vma);

	set_range(vma, start, end, pgoff, mapping);
	imap_unlock(mapping);
}

void vma_update_prot(struct vma *vma)
{
	WRITE_ONCE(vma->vm_page_prot, vm_prot(vma->vm_flags) | (vma->vm_page_prot & (PTE_P_NOCACHE | PTE_P_WC)));
}

int split_vma(struct mm *mm, struct vma *vma, unsigned long addr, bool new_below)
{
	struct vma *new;
	pgoff_t cut = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
	struct address_space *mapping;
	int err;

	if (vma->vm_ops && vma->vm_ops->may_split) {
		err = vma->vm_ops->may_split(vma, addr);
		if (err)
			return err;
	}
	if (mm->map_count >= (int)sysctl_max_map_count)
		return -ENOMEM;
	/* Before the copy: a fault under the VMA's lock alone may set has_anon until then. */
	vma_start_write(vma);
	new = vma_dup(vma);
	if (!new)
		return -ENOMEM;
	if (vt_reserve(&mm->tree, 1)) {
		vma_free(new);
		return -ENOMEM;
	}
	if (new->vm_file)
		mm_file_get(new->vm_file);
	if (new->vm_file && new->vm_flags & VM_SHARED && new->vm_flags & VM_MAYWRITE)
		atomic_inc(&new->vm_mapping->i_mmap_writable);
	/* In one step: who unmaps or cleans pages of the file must find each of them in one of the two. */
	mapping = imap_lock(vma);
	if (new_below) {
		new->vm_end = addr;
		set_range(vma, addr, vma->vm_end, cut, mapping);
	} else {
		new->anon_pgoff += (addr - vma->vm_start) >> PAGE_SHIFT;
		new->vm_start = addr;
		new->vm_pgoff = cut;
		set_range(vma, vma->vm_start, addr, vma->vm_pgoff, mapping);
	}
	if (mapping) {
		imap_insert(new, mapping);
		new->on_i_mmap = true;
	}
	imap_unlock(mapping);
	vma_link_reserved(mm, new);
	if (new->vm_ops && new->vm_ops->open)
		new->vm_ops->open(new);
	return 0;
}

static bool same_name(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Could a range of these properties be one VMA with vma, borders aside? */
static bool mergeable(struct vma *vma, unsigned long vm_flags, struct file *file, const char *anon_name)
{
	if (vma->vm_flags != vm_flags || vma->vm_file != file || vm_flags & VM_SPECIAL)
		return false;
	if (vma->vm_ops && vma->vm_ops->close)
		return false;
	return same_name(vma->anon_name, anon_name);
}

static void vma_drop_file(struct vma *vma)
{
	if (!vma->vm_file)
		return;
	if (vma->vm_flags & VM_SHARED && vma->vm_flags & VM_MAYWRITE)
		atomic_dec(&vma->vm_mapping->i_mmap_writable);
	mm_file_put(vma->vm_file);
	vma->vm_file = NULL;
}

/* Take b, which lies right after a and maps the same file or none, into a. */
static void vma_swallow(struct vma *a, struct vma *b)
{
	unsigned long end = b->vm_end;
	struct address_space *mapping;

	vma_start_write(a);
	vma_start_write(b);
	vma_unlink(b);
	a->has_anon |= b->has_anon;
	a->had_guards |= b->had_guards;
	/* In one step, as in split_vma(). */
	mapping = imap_lock(a);
	if (mapping) {
		imap_remove(b, mapping);
		b->on_i_mmap = false;
	}
	set_range(a, a->vm_start, end, a->vm_pgoff, mapping);
	imap_unlock(mapping);
	vma_drop_file(b);
	vma_free(b);
}

/* Do anonymous folios of a and of what follows at (addr, index) count on without a break? */
static bool anon_joins(struct vma *a, pgoff_t next_anon)
{
	return a->anon_pgoff + vma_pages(a) == next_anon;
}

static bool vmas_join(struct vma *a, struct vma *b)
{
	if (a->vm_end != b->vm_start || !mergeable(a, b->vm_flags, b->vm_file, b->anon_name) ||
	    a->vm_ops != b->vm_ops || a->vm_private_data != b->vm_private_data)
		return false;
	if (a->vm_file && a->vm_pgoff + vma_pages(a) != b->vm_pgoff)
		return false;
	return anon_joins(a, b->anon_pgoff);
}

struct vma *vma_merge_new(struct mm *mm, struct vma *prev, struct vma *next, unsigned long start,
			  unsigned long end, unsigned long vm_flags, struct file *file, pgoff_t pgoff,
			  const char *anon_name)
{
	unsigned long pages = (end - start) >> PAGE_SHIFT;
	pgoff_t anon = start >> PAGE_SHIFT;
	bool left, right;

	left = prev && prev->vm_end == start && mergeable(prev, vm_flags, file, anon_name) &&
	       (file || !prev->vm_ops) && anon_joins(prev, anon) &&
	       (!file || prev->vm_pgoff + vma_pages(prev) == pgoff);
	right = next && next->vm_start == end && mergeable(next, vm_flags, file, anon_name) &&
		(file || !next->vm_ops) && anon + pages == next->anon_pgoff &&
		(!file || pgoff + pages == next->vm_pgoff);
	if (left) {
		vma_start_write(prev);
		vma_set_range(prev, prev->vm_start, end, prev->vm_pgoff);
		if (right && vmas_join(prev, next))
			vma_swallow(prev, next);
		return prev;
	}
	if (right) {
		vma_start_write(next);
		vma_set_range(next, start, next->vm_end, next->vm_pgoff - (file ? pages : 0));
		if (!file)
			next->vm_pgoff = next->vm_start >> PAGE_SHIFT;
		return next;
	}
	return NULL;
}

struct vma *vma_join(struct vma *vma)
{
	if (vma->vm_prev && vmas_join(vma->vm_prev, vma)) {
		struct vma *prev = vma->vm_prev;

		vma_swallow(prev, vma);
		vma = prev;
	}
	if (vma->vm_next && vmas_join(vma, vma->vm_next))
		vma_swallow(vma, vma->vm_next);
	return vma;
}

struct vma *vma_modify(struct vma *vma, unsigned long start, unsigned long end, unsigned long newflags,
		       const char *anon_name)
{
	struct mm *mm = vma->vm_mm;
	int err;

	if (start > vma->vm_start) {
		err = split_vma(mm, vma, start, true);
		if (err)
			return ERR_PTR(err);
	}
	if (end < vma->vm_end) {
		err = split_vma(mm, vma, end, false);
		if (err)
			return ERR_PTR(err);
	}
	vma_start_write(vma);
	if (!same_name(vma->anon_name, anon_name)) {
		char *name = NULL;

		if (anon_name) {
			name = kstrdup(anon_name, GFP_KERNEL);
			if (!name)
				return ERR_PTR(-ENOMEM);
		}
		kfree(vma->anon_name);
		vma->anon_name = name;
	}
	WRITE_ONCE(vma->vm_flags, newflags);
	vma_update_prot(vma);
	return vma_join(vma);
}

void vma_init_caches(void)
{
	vma_cache = kmem_cache_create("vma", sizeof(struct vma), 64, SLAB_PANIC | SLAB_TYPESAFE_BY_RCU | SLAB_ACCOUNT,
				      vma_ctor);
	node_cache = kmem_cache_create("vma_tree", sizeof(struct vt_node), 64,
				       SLAB_PANIC | SLAB_TYPESAFE_BY_RCU | SLAB_ACCOUNT, NULL);
	for (int i = 0; i < VMA_WAITQS; i++)
		init_waitqueue_head(&vma_waitq[i]);
}
