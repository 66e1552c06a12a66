// SPDX-License-Identifier: MIT
/*
 * KVM_SET_USER_MEMORY_REGION and the logs of writes.
 *
 * A slot leaves in three steps. It is marked, and when no reader is left that did not see the mark,
 * nothing new is mapped through it. Its frames are taken out of the nested tables; until then
 * invalidations find the slot by its addresses, so that no frame outlives its page. Then it leaves
 * the sets, and is freed when no reader is left in them.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kvm/cpu.h>
#include <kvm/memory.h>
#include <kvm/region.h>
#include <kvm/vm.h>
#include <lib/bits.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <arch/page.h>
#include <sched/sched.h>

#define FRAME_SHIFT 12			/* not a page of the host: a guest's frame */
#define BITS 64

static void slot_free(struct kvm_slot *slot)
{
	if (slot)
		kvfree(slot->dirty);
	kfree(slot);
}

/* NULL: no memory. */
static struct kvm_slot *slot_new(const struct kvm_userspace_memory_region *r)
{
	struct kvm_slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);

	if (!slot)
		return NULL;
	slot->gfn = r->guest_phys_addr >> FRAME_SHIFT;
	slot->pages = r->memory_size >> FRAME_SHIFT;
	slot->hva = r->userspace_addr;
	slot->flags = r->flags;
	slot->id = (u16)r->slot;
	if (!(r->flags & KVM_MEM_LOG_DIRTY_PAGES))
		return slot;
	slot->dirty = kvzalloc((slot->pages + BITS - 1) / BITS * sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!slot->dirty) {
		slot_free(slot);
		return NULL;
	}
	return slot;
}

static void replace(struct kvm_vm *vm, struct kvm_slot *gone, struct kvm_slot *come)
{
	kvm_slots_replace(&vm->slots, gone, come);
	synchronize_srcu(&vm->srcu);
	kvm_slots_settle(&vm->slots);
}

/* Nothing is reached through SLOT any more when it returns. */
static void close_slot(struct kvm_vm *vm, struct kvm_slot *slot)
{
	WRITE_ONCE(slot->flags, slot->flags | KVM_SLOT_GOING);
	synchronize_srcu(&vm->srcu);
	kvm_cpu_zap(vm, slot->gfn, slot->pages);
}

/* The change is allowed. */
static int change_slot(struct kvm_vm *vm, const struct kvm_userspace_memory_region *r,
		       struct kvm_slot *old, enum kvm_region_change change)
{
	struct kvm_slot *fresh = NULL;

	if (change != KVM_REGION_GONE) {
		fresh = slot_new(r);
		/* In the place of OLD it needs no memory. */
		if (!fresh ||
		    xa_err(xa_store(&vm->slot_by_id, r->slot, fresh, GFP_KERNEL_ACCOUNT))) {
			slot_free(fresh);
			return -ENOMEM;
		}
	} else {
		xa_erase(&vm->slot_by_id, r->slot);
	}
	if (change == KVM_REGION_GONE || change == KVM_REGION_MOVED)
		close_slot(vm, old);
	replace(vm, old, fresh);
	if (change == KVM_REGION_FLAGS && fresh->dirty)
		kvm_cpu_protect(vm, fresh->gfn, fresh->pages);
	slot_free(old);
	return 0;
}

int kvm_region_set(struct kvm_vm *vm, const struct kvm_userspace_memory_region *r)
{
	const struct kvm_region_limits limits = { .last_gfn = kvm_cpu_last_gfn(),
						  .user_end = TASK_SIZE_MAX,
						  .readonly = true };
	enum kvm_region_change change;
	struct kvm_slot *old;
	int e;

	mutex_lock(&vm->slots_lock);
	old = xa_load(&vm->slot_by_id, r->slot);
	e = kvm_region_judge(&vm->slots, r, old, &limits, &change);
	if (!e && change != KVM_REGION_SAME)
		e = change_slot(vm, r, old, change);
	mutex_unlock(&vm->slots_lock);
	return e;
}

/* ---- logs ---- */

#define LOG_WORDS 64			/* taken at a time */

/* Takes the marks of WORDS words of SLOT's log from the one AT on. Whether there were any. */
static bool take_marks(struct kvm_slot *slot, u64 at, u64 words, u64 *marks)
{
	u64 any = 0;

	for (u64 i = 0; i < words; i++) {
		marks[i] = READ_ONCE(slot->dirty[at + i]) ? xchg(&slot->dirty[at + i], 0) : 0;
		any |= marks[i];
	}
	return any;
}

static int read_log(struct kvm_vm *vm, struct kvm_slot *slot, struct uptr to)
{
	u64 marks[LOG_WORDS], words = (slot->pages + BITS - 1) / BITS;

	for (u64 at = 0; at < words; at += LOG_WORDS) {
		u64 n = min(words - at, (u64)LOG_WORDS), first = at * BITS;

		/*
		 * Taken first: a write that comes before the protection is marked again, or copied.
		 */
		if (take_marks(slot, at, n, marks))
			kvm_cpu_protect(vm, slot->gfn + first, min(n * BITS, slot->pages - first));
		if (copy_to_user(uptr_add(to, at * sizeof(u64)), marks, n * sizeof(u64)))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

int kvm_region_log(struct kvm_vm *vm, const struct kvm_dirty_log *log)
{
	struct kvm_slot *slot;
	int e;

	if (log->slot >= KVM_SLOTS_MAX)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	slot = xa_load(&vm->slot_by_id, log->slot);
	e = slot && slot->dirty ? read_log(vm, slot, UPTR(log->dirty_bitmap)) : -ENOENT;
	mutex_unlock(&vm->slots_lock);
	return e;
}

void kvm_regions_free(struct kvm_vm *vm)
{
	struct kvm_slot *slot;
	unsigned long id;

	xa_for_each(&vm->slot_by_id, id, slot)
		slot_free(slot);
	xa_destroy(&vm->slot_by_id);
}
