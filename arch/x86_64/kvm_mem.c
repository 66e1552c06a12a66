// SPDX-License-Identifier: MIT
/*
 * A VM's nested tables: what faults put there, and what is taken out (kvm/cpu.h, kvm_priv.h).
 *
 * Taking out is one task's at a time (zap_lock): another that finds nothing there any more, and is
 * about to let the page go, must not return before the first has made all CPUs forget it.
 */
#include <abi/errno.h>
#include <arch/pgtable.h>
#include <lib/atomic.h>
#include <lib/bits.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/filemap.h>
#include <mm/folio.h>
#include <mm/lookup.h>
#include <mm/mm.h>
#include <sched/sched.h>

#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/x86_priv.h"

/* ---- faults ---- */

/* PAGE, found at ADDR after SEQ, for GFN. -EAGAIN: it may be gone meanwhile. */
static int map_found(struct kvm_vm *vm, u64 gfn, unsigned long addr, unsigned long seq,
		     const struct mm_looked_up *found, bool writable, struct npt_cache *cache)
{
	struct npt *t = &vm->cpu->npt;
	int e;

	read_lock(&t->lock);
	if (vm->ended)
		e = -EIO;
	else if (mm_notify_retry(&vm->notify, seq, addr))
		e = -EAGAIN;
	else
		e = npt_map(t, gfn, page_to_pfn(found->page), 0,
			    NPT_EXEC | (writable ? NPT_WRITE : 0), cache);
	read_unlock(&t->lock);
	return e;
}

/* One try. */
static int fault_once(struct kvm_vm *vm, const struct kvm_slot *slot, u64 gfn, bool write,
		      struct npt_cache *cache)
{
	unsigned long addr = slot->hva + ((gfn - slot->gfn) << PAGE_SHIFT);
	unsigned long seq = mm_notify_seq(&vm->notify);
	u32 flags = READ_ONCE(slot->flags);
	struct mm_looked_up found;
	bool writable;
	int e;

	e = mm_look_up(vm->mm, addr, LOOKUP_INTERRUPTIBLE | (write ? LOOKUP_WRITE : 0), &found);
	if (e)
		return e;
	/*
	 * Where there is a log of writes, a page that may be written at once counts as written, as
	 * on Linux: what is read only to be written afterwards faults once.
	 */
	writable = found.writable && !(flags & KVM_MEM_READONLY);
	e = map_found(vm, gfn, addr, seq, &found, writable, cache);
	/*
	 * Not before: a reader of the log would take the mark, and protect an entry that is not
	 * there yet.
	 */
	if (!e && writable && slot->dirty)
		set_bit((long)(gfn - slot->gfn), slot->dirty);
	put_page(found.page);
	return e;
}

int kvm_mem_fault(struct kvm_vcpu *v, u64 gpa, unsigned int rights)
{
	struct kvm_vm *vm = v->vm;
	u64 gfn = gpa >> PAGE_SHIFT;
	const struct kvm_slot *slot = kvm_slot_at(kvm_slots_active(&vm->slots), gfn);
	struct npt_cache cache = { 0 };
	bool write = rights & NPT_WRITE;
	u32 flags = slot ? READ_ONCE(slot->flags) : 0;
	int e;

	if (!slot || (write && flags & KVM_MEM_READONLY))
		return 0;
	/* The guest tries again, until it is gone, or elsewhere. */
	if (flags & KVM_SLOT_GOING)
		return 1;
	for (;;) {
		e = npt_cache_fill(&cache, &vm->cpu->npt);
		if (!e)
			e = fault_once(vm, slot, gfn, write, &cache);
		if (e != -EAGAIN)
			break;
		if (signal_pending(current)) {
			e = -EINTR;
			break;
		}
		cond_resched();
	}
	npt_cache_drop(&cache);
	return e ? e : 1;
}

/* ---- taking away ---- */

static void forget(void *arg)
{
	struct kvm_vm *vm = arg;

	lockdep_assert_held(&vm->cpu->zap_lock);
	kvm_count(&vm->stat.remote_tlb_flush_requests);
	if (kvm_request_all(vm, KVM_REQUEST_FLUSH))
		kvm_count(&vm->stat.remote_tlb_flush);
}

static void note_written(void *arg, u64 gfn, unsigned int level, u64 entry)
{
	struct folio *folio = pfn_folio((entry & X86_PTE_FRAME) >> PAGE_SHIFT);

	/* A larger entry is over one folio alone. */
	if (level)
		folio_mark_dirty(folio);
	else
		folio_mark_page_dirty(folio, pfn_to_page((entry & X86_PTE_FRAME) >> PAGE_SHIFT));
}

static const struct npt_zap_ops zap_ops = { .flush = forget, .written = note_written };

void kvm_cpu_zap(struct kvm_vm *vm, u64 gfn, u64 pages)
{
	mutex_lock(&vm->cpu->zap_lock);
	npt_zap(&vm->cpu->npt, gfn, pages, &zap_ops, vm);
	mutex_unlock(&vm->cpu->zap_lock);
}

void kvm_cpu_protect(struct kvm_vm *vm, u64 gfn, u64 pages)
{
	mutex_lock(&vm->cpu->zap_lock);
	npt_protect(&vm->cpu->npt, gfn, pages, &zap_ops, vm);
	mutex_unlock(&vm->cpu->zap_lock);
}

bool kvm_cpu_young(struct kvm_vm *vm, u64 gfn, u64 pages, bool clear)
{
	return npt_young(&vm->cpu->npt, gfn, pages, clear);
}

void kvm_cpu_mirror_ends(struct kvm_vm *vm)
{
	write_lock(&vm->cpu->npt.lock);
	WRITE_ONCE(vm->ended, true);
	write_unlock(&vm->cpu->npt.lock);
	kvm_cpu_zap(vm, 0, kvm_cpu_last_gfn() + 1);
}

bool kvm_cpu_exchange_16(void *to, const void *old, const void *fresh)
{
	u64 was[2], now[2];
	bool same;

	memcpy(was, old, sizeof(was));
	memcpy(now, fresh, sizeof(now));
	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(same), "+m"(*(char(*)[16])to), "+a"(was[0]), "+d"(was[1])
			 : "b"(now[0]), "c"(now[1])
			 : "memory");
	return same;
}
