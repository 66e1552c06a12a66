// SPDX-License-Identifier: MIT
#pragma once
/*
 * Address spaces. struct mm: one of a process; struct vma: one range of it with equal rights and
 * backing. docs in mm/README.md.
 *
 * Locks: mmap_lock (rwsem) guards the range tree and all VMA fields for writers. Page faults find
 * the VMA under RCU and take only its own lock (vma_start_read); whoever changes a VMA holds
 * mmap_lock for writing and calls vma_start_write() first. Page table entries are guarded by the
 * spinlock of their table page. Lock order: mmap_lock, VMA lock, folio lock, i_mmap_rwsem, family
 * rwsem, table locks.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <lib/atomic.h>
#include <kernel/spinlock.h>
#include <kernel/rcu.h>
#include <sched/rwsem.h>
#include <sched/work.h>
#include <arch/page.h>
#include <arch/pgtable.h>
#include <arch/mmu.h>
#include <mm/folio.h>
#include <mm/vmatree.h>

struct file;
struct task;
struct user_namespace;
struct address_space;
struct anon_family;
struct vm_operations;
struct mm_notify;
struct vm_fault;

/* vm_flags. The low ones equal Linux's, as seen in smaps' VmFlags. */
#define VM_NONE		0x00000000ul
#define VM_READ		0x00000001ul
#define VM_WRITE	0x00000002ul
#define VM_EXEC		0x00000004ul
#define VM_SHARED	0x00000008ul
#define VM_MAYREAD	0x00000010ul
#define VM_MAYWRITE	0x00000020ul
#define VM_MAYEXEC	0x00000040ul
#define VM_MAYSHARE	0x00000080ul
#define VM_GROWSDOWN	0x00000100ul
#define VM_PFNMAP	0x00000400ul
#define VM_LOCKED	0x00002000ul
#define VM_IO		0x00004000ul
#define VM_SEQ_READ	0x00008000ul
#define VM_RAND_READ	0x00010000ul
#define VM_DONTCOPY	0x00020000ul
#define VM_DONTEXPAND	0x00040000ul
#define VM_LOCKONFAULT	0x00080000ul
#define VM_ACCOUNT	0x00100000ul
#define VM_NORESERVE	0x00200000ul
#define VM_SEALED	0x00400000ul
#define VM_SYNC		0x00800000ul
#define VM_WIPEONFORK	0x02000000ul
#define VM_DONTDUMP	0x04000000ul
#define VM_MIXEDMAP	0x10000000ul
#define VM_HUGEPAGE	0x20000000ul
#define VM_NOHUGEPAGE	0x40000000ul
#define VM_MERGEABLE	0x80000000ul
#define VM_GUARDED	(1ul << 36)	/* ARCH_PROT_GUARDED; never set where that is 0 */
#define VM_POLICY_SHIFT	40		/* mbind(2): mode in 3 bits, its flags (MPOL_F_*, from bit 13) in 3 */
#define VM_POLICY_MASK	(0x3ful << VM_POLICY_SHIFT)
#define VM_SPECIAL	(VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP)
#define VM_ACCESS_FLAGS	(VM_READ | VM_WRITE | VM_EXEC)
#define VM_STACK_FLAGS	(VM_GROWSDOWN | VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT)
#define VM_DATA_DEFAULT	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT)

struct vma {
	unsigned long		vm_start;	/* first address */
	unsigned long		vm_end;		/* first beyond */
	struct mm		*vm_mm;
	unsigned int		vm_page_prot;	/* PTE_P_* */
	unsigned long		vm_flags;
	unsigned int		lock_seq;	/* == mm->lock_seq: write-locked */
	atomic_t		readers;	/* 1 while in a tree, + readers, + VMA_WAITER */
	const struct vm_operations *vm_ops;
	struct file		*vm_file;	/* referenced; NULL: anonymous */
	struct address_space	*vm_mapping;	/* of vm_file */
	void			*vm_private_data;
	unsigned long		vm_pgoff;	/* offset in the file in pages; anonymous: vm_start >> PAGE_SHIFT */
	unsigned long		anon_pgoff;	/* index of anonymous folios at vm_start */
	bool			has_anon;	/* anonymous folios may be mapped; set under the VMA lock */
	bool			had_guards;	/* MADV_GUARD_INSTALL, as smaps says; set under the VMA lock, and stays */
	bool			on_i_mmap;	/* (mmap_lock) */
	struct vma		*vm_next, *vm_prev; /* (mmap_lock) neighbours */
	struct rb_node		shared_rb;	/* in mapping->i_mmap (i_mmap_rwsem) */
	unsigned long		shared_last;
	const char		*anon_name;	/* PR_SET_VMA_ANON_NAME, kmalloc'ed */
	struct rcu_head		rcu;
};

static inline unsigned long vma_pages(const struct vma *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}
static inline bool vma_is_anonymous(const struct vma *vma)
{
	return !vma->vm_ops;
}

/* The MPOL_* mode that mbind(2) gave this memory, with its flags; 0: none. */
static inline unsigned int vma_policy(const struct vma *vma)
{
	unsigned int p = vma->vm_flags >> VM_POLICY_SHIFT & 0x3f;

	return (p & 7) | (p >> 3) << 13;
}

/* rss counters */
enum { MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES, NR_MM_COUNTERS };

#define AT_VECTOR_SIZE	64

struct mm {
	struct vma_tree		tree;		/* (mmap_lock; readers under RCU) */
	struct rw_semaphore	mmap_lock;
	unsigned int		lock_seq;	/* bumped when mmap_lock is write-released */
	atomic_t		mm_users;	/* user-space users; 0: address space is torn down */
	atomic_t		mm_count;	/* struct references (all users count as one) */
	spinlock_t		page_table_lock; /* lists hung on the mm */
	int			map_count;	/* (mmap_lock) */
	unsigned long		task_size;
	unsigned long		mmap_base;	/* top of the mmap area */
	unsigned long		hole_top;	/* search from here (mmap_lock) */
	unsigned long		hole_max;	/* no hole that ends above hole_top is larger */
	/* in pages (mmap_lock) */
	unsigned long		total_vm, locked_vm, data_vm, exec_vm, stack_vm;
	atomic64_t		pinned_vm;
	unsigned long		hiwater_rss, hiwater_vm;
	atomic64_t		rss[NR_MM_COUNTERS];
	atomic64_t		pgtables_bytes;
	unsigned long		def_flags;
	/* layout; set by exec, read by procfs and brk (arg_lock) */
	spinlock_t		arg_lock;
	unsigned long		start_code, end_code, start_data, end_data;
	unsigned long		start_brk, brk, start_stack;
	unsigned long		arg_start, arg_end, env_start, env_end;
	unsigned long		saved_auxv[AT_VECTOR_SIZE];
	unsigned long		vdso;
	struct file		*exe_file;	/* RCU; mm_set_exe_file */
	unsigned long		flags;		/* MMF_* bits, atomic */
	struct user_namespace	*user_ns;	/* referenced: who has rights over it when it is not dumpable; exec sets it */
	void			*binfmt;
	struct mm_notify	*notify;	/* NULL until the first user (mm/notify.h) */
	struct anon_family	*family;	/* constant; see mm/rmap.h */
	struct list_head	family_link;	/* (family->rwsem) */
	void			*aio;		/* ipc's (ipc/aio.c) */
	atomic_t		membarrier_state;
	void			*futex_private;	/* ipc's */
	struct work_struct	async_work;	/* mmput_async */
	struct arch_mm		context;	/* root table and TLB state (arch/mmu.h); last: cut to the CPUs that there are */
};

/* mm->flags bits */
#define MMF_DUMPABLE		0	/* 2 bits: SUID_DUMP_* */
#define MMF_DUMPABLE_MASK	3ul
#define MMF_DUMP_FILTER_SHIFT	2	/* 9 bits: coredump_filter */
#define MMF_OOM_VICTIM		16
#define MMF_OOM_SKIP		17
#define MMF_INITIALISED		18
#define MMF_HAS_PINNED		19
#define MMF_VM_MERGE_ANY	20
#define MMF_UNSTABLE		21
#define MMF_DISABLE_THP		22
#define MMF_ANON_MOVED		23	/* some VMA has anon_pgoff != its address */
#define MMF_MDWE		24	/* nothing writable becomes executable (PR_SET_MDWE) */
#define MMF_MDWE_NO_INHERIT	25
#define MMF_THP_EXCEPT_ADVISED	26
/* What a child and a new program take over, but for MMF_MDWE with MMF_MDWE_NO_INHERIT. */
#define MMF_INHERITED	(((1ul << (MMF_DUMP_FILTER_SHIFT + 9)) - 1) | 1ul << MMF_DISABLE_THP | 1ul << MMF_THP_EXCEPT_ADVISED | \
			 1ul << MMF_VM_MERGE_ANY | 1ul << MMF_MDWE)
static inline unsigned long mmf_inherited(unsigned long flags)
{
	return flags & MMF_INHERITED & ~(flags >> MMF_MDWE_NO_INHERIT & 1 ? 1ul << MMF_MDWE : 0);
}

/* The other bits change meanwhile, also by other tasks. */
static inline void mm_set_dumpable(struct mm *mm, unsigned long how)
{
	unsigned long old = READ_ONCE(mm->flags);

	while (!try_cmpxchg(&mm->flags, &old, (old & ~MMF_DUMPABLE_MASK) | how))
		;
}

static inline bool mm_dumpable(const struct mm *mm) { return (READ_ONCE(mm->flags) & MMF_DUMPABLE_MASK) == 1; }

extern struct mm init_mm;

static inline void mmap_read_lock(struct mm *mm) { down_read(&mm->mmap_lock); }
static inline int mmap_read_lock_killable(struct mm *mm) { return down_read_killable(&mm->mmap_lock); }
static inline bool mmap_read_trylock(struct mm *mm) { return down_read_trylock(&mm->mmap_lock); }
static inline void mmap_read_unlock(struct mm *mm) { up_read(&mm->mmap_lock); }
static inline void mmap_write_lock(struct mm *mm) { down_write(&mm->mmap_lock); }
static inline int __must_check mmap_write_lock_killable(struct mm *mm) { return down_write_killable(&mm->mmap_lock); }
/* Also releases all VMAs write-locked under it. */
static inline void mm_bump_lock_seq(struct mm *mm)
{
	smp_store_release(&mm->lock_seq, mm->lock_seq + 1);
}
static inline void mmap_write_unlock(struct mm *mm)
{
	mm_bump_lock_seq(mm);
	up_write(&mm->mmap_lock);
}
static inline void mmap_write_downgrade(struct mm *mm)
{
	mm_bump_lock_seq(mm);
	downgrade_write(&mm->mmap_lock);
}

/* Life: mm_alloc gives an empty space with one user. NULL when out of memory. */
struct mm *mm_alloc(void);
/* Takes private memory away, at once. All users of MM must be dying: they meet SIGBUS where it was. -EINTR. */
int __must_check mm_reap_dying(struct mm *mm);
static inline void mmget(struct mm *mm) { atomic_inc(&mm->mm_users); }
static inline bool mmget_not_zero(struct mm *mm) { return atomic_add_unless(&mm->mm_users, 1, 0); }
/* Last user: tears the space down; may sleep. */
void mmput(struct mm *mm);
/* From contexts that must not sleep: a work item does it. */
void mmput_async(struct mm *mm);
static inline void mmgrab(struct mm *mm) { atomic_inc(&mm->mm_count); }
void __mmdrop(struct mm *mm);
static inline void mmdrop(struct mm *mm)
{
	if (atomic_dec_and_test(&mm->mm_count))
		__mmdrop(mm);
}
/* fork: a copy-on-write copy of the space. ERR_PTR(-ENOMEM, -EINTR). */
struct mm *mm_dup(struct mm *old);
/* Kernel threads and procfs: a reference to a task's mm or NULL. */
struct mm *get_task_mm(struct task *task);
void mm_set_exe_file(struct mm *mm, struct file *file);
struct file *mm_get_exe_file(struct mm *mm);	/* referenced or NULL */

/* Look-up. Under mmap_lock, either side. */
struct vma *find_vma(struct mm *mm, unsigned long addr);	/* first with addr < vm_end */
struct vma *find_vma_prev(struct mm *mm, unsigned long addr, struct vma **prev);
struct vma *find_vma_intersection(struct mm *mm, unsigned long start, unsigned long end);
static inline struct vma *vma_lookup(struct mm *mm, unsigned long addr)
{
	struct vma *vma = find_vma(mm, addr);

	return vma && addr >= vma->vm_start ? vma : NULL;
}
static inline struct vma *vma_next(struct vma *vma) { return vma->vm_next; }
static inline struct vma *vma_prev(struct vma *vma) { return vma->vm_prev; }
#define for_each_vma(mm, vma) \
	for ((vma) = find_vma(mm, 0); (vma); (vma) = vma_next(vma))
/* find_vma that grows a stack down to addr if that is allowed. mmap_lock read (retaken for write). */
struct vma *find_extend_vma(struct mm *mm, unsigned long addr);

/* Faults' side: VMA that holds addr with its read lock taken, or NULL (then use mmap_lock). */
struct vma *lock_vma_under_rcu(struct mm *mm, unsigned long addr);
void vma_end_read(struct vma *vma);
/* Exclude faults from the VMA until mmap_write_unlock(). */
void vma_start_write(struct vma *vma);

/*
 * mmap(2) below the system call: mm's mmap_lock is NOT held. file: NULL or a reference that the
 * caller keeps. Address or -errno.
 */
unsigned long vm_mmap(struct mm *mm, struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags, loff_t offset);
int vm_munmap(struct mm *mm, unsigned long addr, unsigned long len);
/* Anonymous private zero memory at a fixed place (ELF bss, brk). */
int vm_brk_flags(struct mm *mm, unsigned long addr, unsigned long len, unsigned long vm_flags);
/* mmap_lock held for writing. populate: bytes to populate after the lock is dropped. */
unsigned long do_mmap(struct mm *mm, struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags, unsigned long vm_flags,
		      unsigned long pgoff, unsigned long *populate);
int do_munmap(struct mm *mm, unsigned long start, size_t len);
unsigned long get_unmapped_area(struct mm *mm, struct file *file, unsigned long addr, unsigned long len,
				unsigned long pgoff, unsigned long flags);
int mprotect_range(struct mm *mm, unsigned long start, unsigned long len, unsigned long prot, bool grows);
unsigned long mm_brk(struct mm *mm, unsigned long brk);
int mm_populate(struct mm *mm, unsigned long start, unsigned long len);

/*
 * exec: the stack VMA, [top - size, top), growing down (size rounded to pages, top aligned). Then
 * write arguments through access_remote_vm() (FOLL_WRITE) or after activation by copy_to_user.
 */
int mm_setup_stack(struct mm *mm, unsigned long top, unsigned long size, unsigned long extra_flags);
/*
 * Special pages (vDSO, vvar): count pages at addr (already chosen by get_unmapped_area), not
 * charged, not merged. pages stay the caller's. name as in /proc/PID/maps, "[vdso]".
 */
struct special_mapping {
	const char *name;
	struct page **pages;		/* NULL-terminated, or: */
	unsigned int (*fault)(const struct special_mapping *sm, struct vma *vma, struct vm_fault *vmf);
};
int install_special_mapping(struct mm *mm, unsigned long addr, unsigned long len, unsigned long vm_flags,
			    const struct special_mapping *spec);
bool vma_is_special_mapping(const struct vma *vma, const struct special_mapping *spec);

/* Layout for a new program (exec): bases from the stack's limit and 64 random bits (or 0). */
void mm_pick_layout(struct mm *mm, unsigned long stack_rlimit, unsigned long rnd, bool legacy);
/* Make mm the current address space (exec) or none (kernel thread adopting): see arch/mmu.h. */

/* Pages of another (or the own) space. FOLL_* */
#define FOLL_WRITE	0x01u
#define FOLL_GET	0x02u
#define FOLL_FORCE	0x10u	/* ptrace: ignore rights, break COW */
#define FOLL_LONGTERM	0x100u
#define FOLL_PIN	0x200u
#define FOLL_UNLOCKABLE	0x400u
#define FOLL_ANON	0x800u	/* access_remote_vm: anonymous memory only (/proc/PID/cmdline) */
#define FOLL_NOFAULT	0x1000u
#define FOLL_POPULATE	0x2000u	/* internal: mm_populate */
/* Bytes moved. mm must have a user. */
int access_remote_vm(struct mm *mm, unsigned long addr, void *buf, int len, unsigned int foll);
/* mmap_lock held for reading; pages[i] referenced (FOLL_GET) or pinned (FOLL_PIN). Count or -errno. */
long get_user_pages_remote(struct mm *mm, unsigned long start, unsigned long nr, unsigned int foll,
			   struct page **pages);
/* Current mm, takes the lock itself. */
long pin_user_pages_fast(unsigned long start, int nr, unsigned int foll, struct page **pages);
long get_user_pages_fast(unsigned long start, int nr, unsigned int foll, struct page **pages);
void unpin_user_page(struct page *page);
void unpin_user_pages(struct page **pages, unsigned long nr);
void unpin_user_pages_dirty_lock(struct page **pages, unsigned long nr, bool dirty);

/* rss */
static inline void add_mm_counter(struct mm *mm, int member, long v)
{
	atomic64_add(v, &mm->rss[member]);
}
static inline unsigned long get_mm_counter(struct mm *mm, int member)
{
	long v = (long)atomic64_read(&mm->rss[member]);

	return v < 0 ? 0 : (unsigned long)v;
}
static inline unsigned long get_mm_rss(struct mm *mm)
{
	return get_mm_counter(mm, MM_FILEPAGES) + get_mm_counter(mm, MM_ANONPAGES) +
	       get_mm_counter(mm, MM_SHMEMPAGES);
}
unsigned long mm_hiwater_rss(struct mm *mm);	/* pages */
void mm_reset_hiwater_rss(struct mm *mm);

/* Overcommit: sysctl vm.overcommit_memory etc. Values in pages. */
extern int sysctl_overcommit_memory;	/* 0 heuristic, 1 always, 2 never */
extern int sysctl_overcommit_ratio;
extern unsigned long sysctl_overcommit_kbytes;
extern unsigned long sysctl_max_map_count;
extern unsigned long sysctl_mmap_min_addr;
bool mm_addr_allowed(unsigned long addr);	/* vm.mmap_min_addr: what lies below is CAP_SYS_RAWIO's */
extern unsigned long sysctl_user_reserve_kbytes, sysctl_admin_reserve_kbytes;
extern int sysctl_panic_on_oom, sysctl_oom_kill_allocating_task, sysctl_drop_caches;
extern int sysctl_dirty_ratio, sysctl_dirty_background_ratio, sysctl_dirty_writeback_centisecs, sysctl_dirty_expire_centisecs;
int vm_enough_memory(struct mm *mm, unsigned long pages);	/* charges; 0 or -ENOMEM */
void vm_unacct_memory(unsigned long pages);
unsigned long vm_commit_limit(void);
unsigned long vm_committed(void);

/* /proc/meminfo in pages. */
struct meminfo {
	unsigned long total, free, available, buffers, cached, active_anon, inactive_anon, active_file,
		inactive_file, unevictable, mlocked, dirty, writeback, anon_mapped, file_mapped, shmem,
		slab_reclaimable, slab_unreclaimable, kernel_stacks, page_tables, commit_limit, committed,
		vmalloc_total, vmalloc_used, percpu, kreclaimable, secondary_tables;
};
void mm_meminfo(struct meminfo *mi);
/* So many pages more (or less) are tables that translate for other than the CPU's own programs: SecPageTables. */
void mm_count_secondary_tables(long pages);
/* The identity of the memory at ADDR, the same for everyone who shares it. 0, -EFAULT. */
int mm_shared_key(struct mm *mm, unsigned long addr, bool write, u64 *object, u64 *offset);

/* /proc/vmstat: name and value of entry i; NULL at the end. */
const char *mm_vmstat(unsigned int i, unsigned long *value);

/* smaps of one VMA; mmap_lock held for reading. Bytes. */
struct smaps {
	unsigned long rss, pss, shared_clean, shared_dirty, private_clean, private_dirty, referenced,
		anonymous, lazyfree, swap, locked, anon_pss, file_pss, shmem_pss, pss_dirty;
};
void mm_smaps(struct vma *vma, struct smaps *out);	/* adds */
/* pagemap entries of [start, end): PM_* format of Documentation; count written. */
unsigned long mm_pagemap(struct mm *mm, unsigned long start, unsigned long nr, u64 *out);
/* /proc/PID/clear_refs: type 1 all, 2 anon, 3 file, 4 soft-dirty(-EINVAL), 5 reset hiwater. */
int mm_clear_refs(struct mm *mm, int type);
/* Name shown in /proc/PID/maps for a VMA without a file, or NULL: [heap], [stack], [vdso], [anon:..]. */
const char *vma_name(struct vma *vma, char *buf, size_t size);

/* Populate/lock policies used by syscall/mm.c live in mm/mman.h. */

static inline unsigned long untagged_addr(unsigned long addr)
{
	return addr;
}

/* Badness of a process for the OOM killer, in pages (LONG_MIN: exempt); /proc/PID/oom_score scales it. */
long oom_badness(struct mm *mm, int oom_score_adj);

/* Shrinkers: caches that can give memory back. */
struct shrink_control {
	gfp_t gfp_mask;
	unsigned long nr_to_scan, nr_scanned;
};
#define SHRINK_STOP	(~0ul)
#define SHRINK_EMPTY	(~0ul - 1)
struct shrinker {
	const char *name;
	unsigned long (*count_objects)(struct shrinker *s, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *s, struct shrink_control *sc);
	int seeks;			/* 0: DEFAULT_SEEKS */
	unsigned long deferred;
	struct list_head list;
};
#define DEFAULT_SEEKS	2
void register_shrinker(struct shrinker *s, const char *name);
void unregister_shrinker(struct shrinker *s);
/* vm.drop_caches: 1 page cache, 2 shrinkers, 3 both. */
void drop_caches(int what);
