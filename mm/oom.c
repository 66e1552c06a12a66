// SPDX-License-Identifier: MIT
/*
 * The out-of-memory killer.
 *
 * Badness of a process is the memory that its end would free (resident pages and page tables) plus
 * oom_score_adj thousandths of all memory; -1000 exempts. While a victim is on its way out nobody else is
 * chosen. A reaper thread takes the victim's private memory away at once, because the victim itself
 * may be stuck behind a lock that an allocating task holds: so may one that is dying anyway, which is chosen like others.
 */
#include "mm_priv.h"
#include <alloc/upcalls.h>
#include <mm/backing.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <sched/kthread.h>
#include <sched/nowait.h>
#include <sched/wait.h>

int sysctl_panic_on_oom, sysctl_oom_kill_allocating_task;
static DEFINE_MUTEX(oom_lock);
static DECLARE_WAIT_QUEUE_HEAD(reaper_wq);
static struct mm *reap_mm;		/* (atomic) one at a time: there is one victim */

#define ADJ_MIN	(-1000)

struct choice {
	struct task *task;
	struct mm *mm;
	long points;
	bool dying;
	bool wait;
};

long oom_badness_pages(struct mm *mm)
{
	return (long)(get_mm_rss(mm) + ((u64)atomic64_read(&mm->pgtables_bytes) >> PAGE_SHIFT));
}

long oom_badness(struct mm *mm, int adj)
{
	long points;

	if (adj == ADJ_MIN)
		return LONG_MIN;
	points = oom_badness_pages(mm) + adj * ((long)totalram_pages() / 1000);
	return points;
}

static int consider(struct task *task, struct mm *mm, int adj, bool dying, void *arg)
{
	struct choice *c = arg;
	long points;

	if (test_bit(MMF_OOM_SKIP, &mm->flags))
		return 0;
	if (test_bit(MMF_OOM_VICTIM, &mm->flags)) {
		c->wait = true;		/* memory is about to come */
		return 1;
	}
	points = oom_badness(mm, adj);
	if (points == LONG_MIN || points <= c->points)
		return 0;
	if (c->task) {
		put_task_struct(c->task);
		mmdrop(c->mm);
	}
	get_task_struct(task);
	mmgrab(mm);
	c->task = task;
	c->mm = mm;
	c->points = points;
	c->dying = dying;
	return 0;
}

static int uses_and_lives(struct task *task, struct mm *mm, int adj, bool dying, void *arg)
{
	return mm == arg && !dying;
}

static void announce(struct choice *c)
{
	int pid;
	const char *name = oom_task_name(c->task, &pid);

	count_vm_event(OOM_KILL);
	pr_err("Out of memory: Killed process %d (%s) total-vm:%lukB, anon-rss:%lukB, file-rss:%lukB, "
	       "shmem-rss:%lukB, pgtables:%lukB\n", pid, name, c->mm->total_vm << (PAGE_SHIFT - 10),
	       get_mm_counter(c->mm, MM_ANONPAGES) << (PAGE_SHIFT - 10),
	       get_mm_counter(c->mm, MM_FILEPAGES) << (PAGE_SHIFT - 10),
	       get_mm_counter(c->mm, MM_SHMEMPAGES) << (PAGE_SHIFT - 10),
	       (unsigned long)atomic64_read(&c->mm->pgtables_bytes) >> 10);
}

/* Where memory is, in pages, so that who reads the console can tell what was short (Linux's "Mem-Info"). */
static void say_where_memory_is(gfp_t gfp, unsigned int order)
{
	struct zone_info z;
	struct meminfo i;

	mm_meminfo(&i);
	pr_warn("%s invoked oom-killer: gfp %#x, order %u\n", current->comm, (unsigned int)gfp, order);
	pr_warn("Mem-Info: active_anon:%lu inactive_anon:%lu active_file:%lu inactive_file:%lu unevictable:%lu dirty:%lu writeback:%lu\n",
		i.active_anon, i.inactive_anon, i.active_file, i.inactive_file, i.unevictable, i.dirty, i.writeback);
	pr_warn(" slab_reclaimable:%lu slab_unreclaimable:%lu mapped:%lu shmem:%lu pagetables:%lu stacks:%lu free:%lu\n",
		i.slab_reclaimable, i.slab_unreclaimable, i.file_mapped, i.shmem, i.page_tables, i.kernel_stacks, i.free);
	for (int n = 0; n < MAX_NR_ZONES; n++)
		if (zone_info((enum zone_type)n, &z))
			pr_warn(" %s free:%lu min:%lu low:%lu high:%lu managed:%lu on CPUs:%lu\n", z.name, z.free, z.wmark_min,
				z.wmark_low, z.wmark_high, z.managed, z.pcp);
}

static void kill(struct choice *c)
{
	/* Nobody need be told of what dies anyway. */
	if (!c->dying || oom_for_each_process(uses_and_lives, c->mm))
		announce(c);
	set_bit(MMF_OOM_VICTIM, &c->mm->flags);
	set_tsk_flag(c->task, TIF_MEMDIE);
	oom_kill_process(c->task);
	mmgrab(c->mm);		/* the reaper's, who may be done before we go on */
	if (!cmpxchg(&reap_mm, NULL, c->mm))
		wake_up(&reaper_wq);
	else
		mmdrop(c->mm);
}

static bool out_of_memory(gfp_t gfp, unsigned int order)
{
	struct choice c = { .points = LONG_MIN };

	if (system_state < SYSTEM_RUNNING && !current->mm && !system_state)
		return false;
	if (fatal_signal_pending(current) && current->mm) {
		/* Dying anyway: let it have what is left and go. Others may live on in its space. */
		set_thread_flag(TIF_MEMDIE);
		return true;
	}
	/* Pages that are about to be written can be freed then: wait for them, unless this task may be the one that writes them. */
	if ((gfp & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS) && backing_wait_for_any())
		return true;
	if (!mutex_trylock(&oom_lock)) {
		schedule_timeout_uninterruptible(1);
		return true;
	}
	/* Maybe somebody freed memory while we got here. */
	if (nr_free_pages() > totalreserve_pages()) {
		mutex_unlock(&oom_lock);
		return true;
	}
	oom_for_each_process(consider, &c);
	if (!c.wait) {
		say_where_memory_is(gfp, order);
		if (!c.task || sysctl_panic_on_oom)
			panic("Out of memory: %s", c.task ? "panic_on_oom is set" : "no killable process left");
		kill(&c);
	}
	if (c.task) {
		put_task_struct(c.task);
		mmdrop(c.mm);
	}
	mutex_unlock(&oom_lock);
	schedule_timeout_uninterruptible(1);
	return true;
}

bool reclaim_out_of_memory(gfp_t gfp, unsigned int order)
{
	bool was = nowait_pause(), again = out_of_memory(gfp, order);

	nowait_resume(was);
	return again;
}

static void reap_locked(struct mm *mm)
{
	struct vma *vma;

	set_bit(MMF_UNSTABLE, &mm->flags);
	for_each_vma(mm, vma) {
		if (vma->vm_flags & (VM_SHARED | VM_LOCKED | VM_PFNMAP) || !vma->has_anon)
			continue;
		zap_vma_range(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	}
}

/* Take private memory away from a space whose users are all being killed. False: could not get the lock. */
bool oom_reap_mm(struct mm *mm)
{
	if (!mmap_read_trylock(mm))
		return false;
	reap_locked(mm);
	mmap_read_unlock(mm);
	return true;
}

int mm_reap_dying(struct mm *mm)
{
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (!test_bit(MMF_OOM_SKIP, &mm->flags))	/* else the reaper has been here */
		reap_locked(mm);
	mmap_read_unlock(mm);
	return 0;
}

static int reaper(void *arg)
{
	current->flags |= PF_MEMALLOC;
	for (;;) {
		struct mm *mm;

		wait_event_interruptible(reaper_wq, READ_ONCE(reap_mm));
		mm = READ_ONCE(reap_mm);
		/* Give the victim a moment to do it by itself. */
		schedule_timeout_interruptible(HZ / 10);
		if (mmget_not_zero(mm)) {
			for (int tries = 0; tries < 10 && !oom_reap_mm(mm); tries++)
				schedule_timeout_interruptible(HZ / 10);
			/* Free for the next victim before there can be one. */
			smp_store_release(&reap_mm, NULL);
			set_bit(MMF_OOM_SKIP, &mm->flags);
			mmput_async(mm);
		} else {
			smp_store_release(&reap_mm, NULL);
		}
		mmdrop(mm);
	}
	return 0;
}

static int reaper_start(void)
{
	struct task *t = kthread_run(reaper, NULL, "oom_reaper");

	return IS_ERR(t) ? (int)PTR_ERR(t) : 0;
}
INITCALL(subsys, reaper_start);
