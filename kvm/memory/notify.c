// SPDX-License-Identifier: MIT
/*
 * What the host does to the owner's pages, told to the nested tables (mm/notify.h). A page of the
 * owner's is reached by every slot that has its address.
 */
#include <kvm/cpu.h>
#include <kvm/memory.h>
#include <kvm/vm.h>
#include <lib/minmax.h>

#define FRAME_SHIFT 12			/* not a page of the host: a guest's frame */
#define YOUNG_SLOTS 64			/* looked at with a table locked */

/* The frames of SLOT at [FIRST, LAST]. */
static u64 frames_at(const struct kvm_slot *slot, unsigned long first, unsigned long last,
		     u64 *pages)
{
	u64 from = first > slot->hva ? (first - slot->hva) >> FRAME_SHIFT : 0;
	u64 to = min((u64)(last - slot->hva) >> FRAME_SHIFT, slot->pages - 1);

	*pages = to - from + 1;
	return slot->gfn + from;
}

static void invalidate(struct mm_notify_user *u, unsigned long start, unsigned long end)
{
	struct kvm_vm *vm = container_of(u, struct kvm_vm, notify);
	int idx = srcu_read_lock(&vm->srcu);
	const struct kvm_slot_set *s = kvm_slots_active(&vm->slots);
	struct kvm_slot *slot;

	for (slot = kvm_slot_first(s, start, end - 1); slot;
	     slot = kvm_slot_next(s, slot, start, end - 1)) {
		u64 pages, gfn = frames_at(slot, start, end - 1, &pages);

		kvm_cpu_zap(vm, gfn, pages);
	}
	srcu_read_unlock(&vm->srcu, idx);
}

static bool young(struct mm_notify_user *u, unsigned long start, unsigned long end, bool clear)
{
	struct kvm_vm *vm = container_of(u, struct kvm_vm, notify);
	int idx = srcu_read_lock(&vm->srcu), n = 0;
	const struct kvm_slot_set *s = kvm_slots_active(&vm->slots);
	struct kvm_slot *slot;
	bool used = false;

	for (slot = kvm_slot_first(s, start, end - 1); slot && (clear || !used);
	     slot = kvm_slot_next(s, slot, start, end - 1)) {
		u64 pages, gfn = frames_at(slot, start, end - 1, &pages);

		/* The owner has one page in ever so many slots: it is in use. */
		if (n++ == YOUNG_SLOTS) {
			used = true;
			break;
		}
		used |= kvm_cpu_young(vm, gfn, pages, clear);
	}
	srcu_read_unlock(&vm->srcu, idx);
	return used;
}

static void ended(struct mm_notify_user *u)
{
	kvm_cpu_mirror_ends(container_of(u, struct kvm_vm, notify));
}

const struct mm_notify_ops kvm_notify_ops = { .invalidate = invalidate,
					      .young = young,
					      .ended = ended };
