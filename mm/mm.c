// SPDX-License-Identifier: MIT
/*
 * Address spaces: life, copy, end.
 *
 * mm_users counts those who use the user half (threads, /proc readers); when it falls to 0 the space is
 * emptied. mm_count counts references to the structure (lazy kernel threads, notifiers); all users
 * together hold one.
 */
#include "mm_priv.h"
#include <kernel/init.h>
#include <sched/kthread.h>

struct mm init_mm = {
	.mm_users = ATOMIC_INIT(2),
	.mm_count = ATOMIC_INIT(1),
	.mmap_lock = __RWSEM_INITIALIZER(init_mm.mmap_lock),
	.page_table_lock = __SPIN_LOCK_UNLOCKED(init_mm.page_table_lock),
	.arg_lock = __SPIN_LOCK_UNLOCKED(init_mm.arg_lock),
	.family_link = LIST_HEAD_INIT(init_mm.family_link),
};

struct page *zero_page;
static struct kmem_cache *mm_cache;
DEFINE_PER_CPU(unsigned long, vm_events[NR_VM_EVENTS]);
DEFINE_PER_CPU(long, vm_stats[NR_VM_STATS]);

unsigned long vm_event_sum(enum vm_event e)
{
	unsigned long n = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(*per_cpu_ptr(&vm_events[e], cpu));
	return n;
}

unsigned long vm_stat_sum(enum vm_stat s)
{
	long n = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(*per_cpu_ptr(&vm_stats[s], cpu));
	return n < 0 ? 0 : (unsigned long)n;
}

static void mmput_work(struct work_struct *w);

static struct mm *mm_new(void)
{
	struct mm *mm = kmem_cache_zalloc(mm_cache, GFP_KERNEL);

	if (!mm)
		return NULL;
	if (arch_mm_init(&mm->context)) {
		kmem_cache_free(mm_cache, mm);
		return NULL;
	}
	atomic_set(&mm->mm_users, 1);
	atomic_set(&mm->mm_count, 1);
	init_rwsem(&mm->mmap_lock);
	spin_lock_init(&mm->page_table_lock);
	spin_lock_init(&mm->arg_lock);
	INIT_LIST_HEAD(&mm->family_link);
	INIT_WORK(&mm->async_work, mmput_work);
	mm->task_size = TASK_SIZE_MAX;
	mm->lock_seq = 1;
	return mm;
}

struct mm *mm_alloc(void)
{
	struct anon_family *f;
	struct mm *mm = mm_new();

	if (!mm)
		return NULL;
	f = family_create();
	if (!f) {
		mmdrop(mm);
		return NULL;
	}
	family_join(f, mm);
	family_put(f);
	mm->flags = 1ul << MMF_DUMPABLE | 0x33ul << MMF_DUMP_FILTER_SHIFT;
	mm_pick_layout(mm, 8ul << 20, 0, false);
	return mm;
}

void __mmdrop(struct mm *mm)
{
	if (unlikely(mm->notify))
		mm_notify_free(mm);
	arch_mm_destroy(&mm->context);
	mm_user_ns_put(mm->user_ns);
	kmem_cache_free(mm_cache, mm);
}

/* All tables, looking only where VMAs are. A table that several groups of VMAs share goes with the last of them. */
static void free_all_tables(struct mmu_gather *tlb, struct mm *mm)
{
	struct vma *vma = vt_first(&mm->tree);

	while (vma) {
		unsigned long start = vma->vm_start, end = vma->vm_end;

		while (vma->vm_next && vma->vm_next->vm_start <= end + 2 * pt_span(1)) {
			vma = vma->vm_next;
			end = vma->vm_end;
		}
		vma = vma->vm_next;
		free_pgtables(tlb, start, end, 0, vma ? vma->vm_start : 0);
	}
}

/* Everything goes; nobody else can reach the space. */
static void exit_mmap(struct mm *mm)
{
	struct mmu_gather tlb;
	struct vma *vma, *next;
	unsigned long accounted = 0;

	family_leave(mm);
	if (unlikely(mm->notify))
		__mm_notify_ended(mm);
	/* Reclaim may hold a VMA that it found through the family: it saw the mm before we left. */
	mmap_write_lock(mm);
	/* Where everything was unmapped there are page tables still, and nodes in the tree's reserve. */
	gather_init(&tlb, mm, 0, TASK_SIZE_MAX, true);
	for (vma = vt_first(&mm->tree); vma; vma = vma->vm_next) {
		vma_start_write(vma);
		vma_file_unlink(vma);
		zap_range(&tlb, vma, vma->vm_start, vma->vm_end, true);
		if (vma->vm_flags & VM_ACCOUNT)
			accounted += vma_pages(vma);
	}
	free_all_tables(&tlb, mm);
	gather_finish(&tlb);
	for (vma = vt_first(&mm->tree); vma; vma = next) {
		next = vma->vm_next;
		if (vma->vm_ops && vma->vm_ops->close)
			vma->vm_ops->close(vma);
		if (vma->vm_file) {
			if (vma->vm_flags & VM_SHARED && vma->vm_flags & VM_MAYWRITE)
				mapping_unmap_writable(vma->vm_mapping);
			mm_file_put(vma->vm_file);
		}
		vma_detach(vma);
		vma_free(vma);
	}
	vt_destroy(&mm->tree);
	vm_unacct_memory(accounted);
	mmap_write_unlock(mm);
	/* Only now: folios name the family as long as they are mapped. */
	if (mm->family)
		family_put(mm->family);
	mm->family = NULL;
}

static void mm_end(struct mm *mm)
{
	if (unlikely(mm->aio))
		mm_aio_exit(mm);
	exit_mmap(mm);
	mm_set_exe_file(mm, NULL);
	mmdrop(mm);
}

void mmput(struct mm *mm)
{
	might_sleep();
	if (atomic_dec_and_test(&mm->mm_users))
		mm_end(mm);
}

static void mmput_work(struct work_struct *w)
{
	mm_end(container_of(w, struct mm, async_work));
}

void mmput_async(struct mm *mm)
{
	if (atomic_dec_and_test(&mm->mm_users))
		queue_work(system_unbound_wq, &mm->async_work);
}

struct mm *get_task_mm(struct task *task)
{
	struct mm *mm;

	if (is_kthread(task))
		return NULL;
	task_lock(task);
	mm = task->mm;
	if (mm && !mmget_not_zero(mm))
		mm = NULL;
	task_unlock(task);
	return mm;
}

void mm_set_exe_file(struct mm *mm, struct file *file)
{
	struct file *old;

	if (file)
		mm_exe_file_get(file);
	spin_lock(&mm->arg_lock);
	old = mm->exe_file;
	mm->exe_file = file;
	spin_unlock(&mm->arg_lock);
	if (old)
		mm_exe_file_put(old);
}

struct file *mm_get_exe_file(struct mm *mm)
{
	struct file *file;

	spin_lock(&mm->arg_lock);
	file = mm->exe_file;
	if (file)
		mm_file_get(file);
	spin_unlock(&mm->arg_lock);
	return file;
}

static void copy_layout(struct mm *mm, struct mm *old)
{
	mm->task_size = old->task_size;
	mm->mmap_base = old->mmap_base;
	mm->hole_top = old->hole_top;
	mm->hole_max = old->hole_max;
	mm->def_flags = old->def_flags & VM_NOHUGEPAGE;
	mm->start_code = old->start_code;
	mm->end_code = old->end_code;
	mm->start_data = old->start_data;
	mm->end_data = old->end_data;
	mm->start_brk = old->start_brk;
	mm->brk = old->brk;
	mm->start_stack = old->start_stack;
	mm->arg_start = old->arg_start;
	mm->arg_end = old->arg_end;
	mm->env_start = old->env_start;
	mm->env_end = old->env_end;
	memcpy(mm->saved_auxv, old->saved_auxv, sizeof(mm->saved_auxv));
	mm->vdso = old->vdso;
	mm->binfmt = old->binfmt;
	mm->user_ns = mm_user_ns_get(old->user_ns);
	mm->flags = old->flags & ((1ul << MMF_OOM_VICTIM) - 1);
	mm->flags |= mmf_inherited(old->flags) | (old->flags & 1ul << MMF_ANON_MOVED);
	mm->total_vm = old->total_vm;
	mm->data_vm = old->data_vm;
	mm->exec_vm = old->exec_vm;
	mm->stack_vm = old->stack_vm;
}

/* A linked copy of one VMA with its page tables. */
static int dup_vma(struct mm *mm, struct vma *old, struct vma **prev, struct vt_node **leaf, bool *protected)
{
	struct vma *vma;

	if (old->vm_flags & VM_ACCOUNT && vm_enough_memory(mm, vma_pages(old)))
		return -ENOMEM;
	vma = vma_dup(old);
	if (!vma)
		goto unacct;
	if (vt_reserve(&mm->tree, 1)) {
		vma_free(vma);
		goto unacct;
	}
	WRITE_ONCE(vma->vm_mm, mm);
	vma->lock_seq = mm->lock_seq;
	vma->vm_flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
	if (vma->vm_file) {
		mm_file_get(vma->vm_file);
		if (vma->vm_flags & VM_SHARED && vma->vm_flags & VM_MAYWRITE)
			atomic_inc(&vma->vm_mapping->i_mmap_writable);
	}
	vma->vm_prev = *prev;
	if (*prev)
		(*prev)->vm_next = vma;
	*prev = vma;
	atomic_inc(&vma->readers);
	vt_append(&mm->tree, leaf, vma->vm_start, vma);
	mm->map_count++;
	if (vma->vm_mapping)
		vma_file_link(vma);
	if (vma->vm_ops && vma->vm_ops->open)
		vma->vm_ops->open(vma);
	if (old->vm_flags & VM_WIPEONFORK) {
		vma->has_anon = false;
		vma->anon_pgoff = vma->vm_start >> PAGE_SHIFT;
		return 0;
	}
	return copy_page_range(mm, vma, old, protected);
unacct:
	if (old->vm_flags & VM_ACCOUNT)
		vm_unacct_memory(vma_pages(old));
	return -ENOMEM;
}

struct mm *mm_dup(struct mm *old)
{
	struct vma *vma, *prev = NULL;
	struct vt_node *leaf = NULL;
	struct mm *mm = mm_new();
	bool protected = false;
	int err;

	if (!mm)
		return ERR_PTR(-ENOMEM);
	err = mmap_write_lock_killable(old);
	if (err) {
		mmdrop(mm);
		return ERR_PTR(err);
	}
	down_write_nested(&mm->mmap_lock, 1);
	copy_layout(mm, old);
	atomic_set(&mm->membarrier_state, atomic_read(&old->membarrier_state));
	family_join(old->family, mm);
	for (vma = vt_first(&old->tree); vma; vma = vma->vm_next) {
		vma_start_write(vma);
		if (vma->vm_flags & VM_DONTCOPY) {
			vm_stat_account(mm, vma->vm_flags, -(long)vma_pages(vma));
			mm->hole_top = mm->mmap_base;
			mm->hole_max = 0;
			continue;
		}
		err = dup_vma(mm, vma, &prev, &leaf, &protected);
		if (err)
			break;
	}
	/* Once for all: the copy does not run before, and who faults in the old space waits for its VMA. */
	if (protected)
		arch_tlb_flush_mm_range(&old->context, 0, TASK_SIZE_MAX, PAGE_SIZE, false);
	mmap_write_unlock(mm);
	mmap_write_unlock(old);
	if (err) {
		mmput(mm);
		return ERR_PTR(err);
	}
	spin_lock(&old->arg_lock);
	mm->exe_file = old->exe_file;
	if (mm->exe_file)
		mm_exe_file_get(mm->exe_file);
	spin_unlock(&old->arg_lock);
	mm->hiwater_rss = get_mm_rss(mm);
	mm->hiwater_vm = mm->total_vm;
	return mm;
}

unsigned long mm_hiwater_rss(struct mm *mm)
{
	unsigned long rss = get_mm_rss(mm);

	return max(rss, READ_ONCE(mm->hiwater_rss));
}

void mm_reset_hiwater_rss(struct mm *mm)
{
	mm->hiwater_rss = get_mm_rss(mm);
}

static int mm_init(void)
{
	mm_cache = kmem_cache_create("mm", offsetof(struct mm, context.cpus) + cpumask_size(), 64, SLAB_PANIC | SLAB_ACCOUNT, NULL);
	init_mm.context.pgd = kernel_pgd;
	zero_page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	if (!zero_page)
		panic("mm: no memory for the zero page");
	vma_init_caches();
	family_init();
	folio_wait_init();
	return 0;
}
INITCALL(early, mm_init);
