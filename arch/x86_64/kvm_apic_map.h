/* SPDX-License-Identifier: MIT */
/*
 * Which local APICs of a VM a message is for. A map is built from all of them whenever one changes
 * its mode or an address, and then read without a lock (the owner publishes it, by RCU). Pure.
 */
#pragma once

#include <lib/types.h>
#include "arch/x86_64/kvm_lapic.h"

#define KVM_APIC_CLUSTER 16

struct kvm_apic_map {
	u32 nr;				/* of `all` */
	u32 ids;			/* of `by_id` */
	u32 clusters;			/* of `by_cluster`, 16 APICs each */
	/*
	 * One that is on, of each id. Ids that two have, and logical addresses in more than one
	 * mode, are looked for among all.
	 */
	bool ids_unique, logical_known, logical_x2, logical_flat;
	struct kvm_lapic **all, **by_id, **by_cluster;
};

/* Bytes that a map of NR APICs, of ids below IDS, needs; the map begins there. */
size_t kvm_apic_map_size(u32 nr, u32 ids);
/* In MAP, of that size, over ALL, which is copied. */
void kvm_apic_map_build(struct kvm_apic_map *map, struct kvm_lapic *const *all, u32 nr, u32 ids);
/* Whether M goes to the APICs of one cluster at most, which are found without a walk. */
bool kvm_apic_map_is_short(const struct kvm_apic_map *map, const struct kvm_message *m,
			   enum kvm_shorthand to);
/*
 * Delivers M, from SELF (NULL: not an APIC) with a shorthand, to all that it is for; one alone with
 * the lowest priority of delivery. The number of APICs that requested it now; 0: they had all
 * requested it; -1: it was for none that takes it.
 */
int kvm_apic_map_deliver(const struct kvm_apic_map *map, const struct kvm_message *m,
			 enum kvm_shorthand to, struct kvm_lapic *self);
/*
 * Delivers M, whatever its destination, to the APICs of the ids FIRST + n, where n is the number of
 * a bit in IDS: how many requested it now.
 */
int kvm_apic_map_deliver_ids(const struct kvm_apic_map *map, const struct kvm_message *m, u32 first,
			     u64 ids);
