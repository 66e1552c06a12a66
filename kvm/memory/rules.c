// SPDX-License-Identifier: MIT
/*
 * What a memory region may be (kvm/region.h): Linux's rules, in Linux's order where it decides the
 * errno.
 */
#include <abi/errno.h>
#include <kvm/region.h>

#define FRAME_SHIFT 12			/* not a page of the host: a guest's frame */
#define FRAME_MASK ((1ULL << FRAME_SHIFT) - 1)

static bool fits(const struct kvm_userspace_memory_region *r,
		 const struct kvm_region_limits *limits)
{
	u32 flags = KVM_MEM_LOG_DIRTY_PAGES | (limits->readonly ? KVM_MEM_READONLY : 0);

	/* The upper half of the slot's number names an address space, and there is one. */
	if (r->flags & ~flags || r->slot >= KVM_SLOTS_MAX)
		return false;
	if ((r->memory_size | r->guest_phys_addr | r->userspace_addr) & FRAME_MASK)
		return false;
	if (r->memory_size > limits->user_end ||
	    r->userspace_addr > limits->user_end - r->memory_size)
		return false;
	return r->guest_phys_addr + r->memory_size >= r->guest_phys_addr &&
	       r->memory_size >> FRAME_SHIFT <= KVM_SLOT_PAGES_MAX;
}

/* Another slot than OLD has a frame of [GFN, GFN + PAGES). */
static bool overlaps(const struct kvm_slot_map *m, u64 gfn, u64 pages, const struct kvm_slot *old)
{
	const struct kvm_slot_set *s = kvm_slots_active(m);
	const struct kvm_slot *low = kvm_slot_from(s, gfn);

	if (low && low == old)
		low = kvm_slot_above(s, low);
	return low && low->gfn < gfn + pages;
}

int kvm_region_judge(const struct kvm_slot_map *m, const struct kvm_userspace_memory_region *r,
		     const struct kvm_slot *old, const struct kvm_region_limits *limits,
		     enum kvm_region_change *change)
{
	u64 gfn = r->guest_phys_addr >> FRAME_SHIFT, pages = r->memory_size >> FRAME_SHIFT;

	if (!fits(r, limits))
		return -EINVAL;
	if (!pages) {
		*change = KVM_REGION_GONE;
		return old ? 0 : -EINVAL;
	}
	if (!old)
		*change = KVM_REGION_NEW;
	else if (r->userspace_addr != old->hva || pages != old->pages ||
		 (r->flags ^ old->flags) & KVM_MEM_READONLY)
		return -EINVAL;
	else if (gfn != old->gfn)
		*change = KVM_REGION_MOVED;
	else
		*change = r->flags == old->flags ? KVM_REGION_SAME : KVM_REGION_FLAGS;
	if (*change != KVM_REGION_NEW && *change != KVM_REGION_MOVED)
		return 0;
	if (*change == KVM_REGION_NEW && m->pages + pages < m->pages)
		return -EINVAL;
	if (overlaps(m, gfn, pages, old))
		return -EEXIST;
	return gfn + pages - 1 > limits->last_gfn ? -EINVAL : 0;
}
