/* SPDX-License-Identifier: MIT */
/*
 * Memory slots: which guest frames lie at which addresses of the VM's owner.
 *
 * All slots of a VM are in two sets, each a tree by guest frame and a tree by address. Readers use
 * the active one, under SRCU. A change is made in the other, which then becomes the active one;
 * when no reader is left in the old one the same change is made there (kvm_slots_settle). So
 * readers take no lock and see each change whole, and a change costs O(log n).
 */
#pragma once

#include <lib/rbtree.h>
#include <lib/types.h>

/*
 * The slot is about to leave: a reader that sees this reaches nothing through it. The slot is still
 * found by its addresses, so that what the host takes away is taken from its frames too.
 */
#define KVM_SLOT_GOING (1U << 31)

struct kvm_slot {
	/* constant from kvm_slots_replace() on, as the next four; pages is not 0 */
	u64 gfn, pages;
	unsigned long hva;		/* of the first page */
	/* KVM_MEM_*, but KVM_SLOT_GOING comes at any time: read once */
	u32 flags;
	u16 id;				/* the owner's name for it */
	unsigned long *dirty;		/* a bit a page: written to (atomic); NULL: no log */
	struct kvm_slot_links {
		struct rb_node by_gfn, by_hva;
		unsigned long last;	/* the last address of all slots at and below by_hva */
	} in[2];			/* a set each: its writer's */
};

struct kvm_slot_set {
	struct rb_root by_gfn, by_hva;
	unsigned int n;			/* which of kvm_slot.in it uses */
};

struct kvm_slot_map {
	struct kvm_slot_set set[2];	/* writers exclude each other */
	struct kvm_slot_set *active;	/* release, acquire */
	struct kvm_slot *gone, *come;	/* writer's: the change that the other set lacks */
	bool behind;			/* writer's: there is one */
	u64 pages;			/* writer's: of all slots */
};

void kvm_slots_init(struct kvm_slot_map *m);

/* For readers; what it leads to stays until the reader's section ends. */
const struct kvm_slot_set *kvm_slots_active(const struct kvm_slot_map *m);
/* The slot of GFN, or NULL. */
struct kvm_slot *kvm_slot_at(const struct kvm_slot_set *s, u64 gfn);
/* The lowest slot with a frame at or above GFN, or NULL. */
struct kvm_slot *kvm_slot_from(const struct kvm_slot_set *s, u64 gfn);
/*
 * The slots with a page in [FIRST, LAST], two addresses of the owner, by rising address: the first,
 * the one after SLOT; NULL: no more. Slots may share addresses.
 */
struct kvm_slot *kvm_slot_first(const struct kvm_slot_set *s, unsigned long first,
				unsigned long last);
struct kvm_slot *kvm_slot_next(const struct kvm_slot_set *s, const struct kvm_slot *slot,
			       unsigned long first, unsigned long last);
/* The slots by rising frame; NULL: no more. */
struct kvm_slot *kvm_slot_lowest(const struct kvm_slot_set *s);
struct kvm_slot *kvm_slot_above(const struct kvm_slot_set *s, const struct kvm_slot *slot);

/*
 * A writer's change, seen by readers at once: GONE, if not NULL, leaves, and COME, if not NULL, is
 * there, which overlaps no other. Both may be at the same frames. GONE is kept by the caller until
 * kvm_slots_settle().
 */
void kvm_slots_replace(struct kvm_slot_map *m, struct kvm_slot *gone, struct kvm_slot *come);
/* Once no reader is left that began before kvm_slots_replace() returned; before the next change. */
void kvm_slots_settle(struct kvm_slot_map *m);
