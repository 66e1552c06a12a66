// SPDX-License-Identifier: MIT
/*
 * The map of a VM's local APICs (kvm_apic_map.h). A message for one APIC, by id or in a cluster,
 * costs the same however many there are; a broadcast costs what it delivers. Firmware that mixes
 * modes pays for a walk over all.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/x86_64/kvm_apic_map.h"
#include "arch/x86_64/kvm_lapic_priv.h"

static u32 clusters_of(u32 ids)
{
	/* as many as logical x2APIC addresses of those ids have, and all that the page's have */
	return max(16U, (ids + KVM_APIC_CLUSTER - 1) / KVM_APIC_CLUSTER);
}

size_t kvm_apic_map_size(u32 nr, u32 ids)
{
	return sizeof(struct kvm_apic_map) +
	       ((size_t)nr + ids + (size_t)clusters_of(ids) * KVM_APIC_CLUSTER) *
		       sizeof(struct kvm_lapic *);
}

static bool is_on(const struct kvm_lapic *l)
{
	return READ_ONCE(l->base) & KVM_APIC_BASE_ENABLED;
}

static u32 id_of(const struct kvm_lapic *l)
{
	return lapic_is_x2(l) ? l->id : lapic_reg(l, APIC_ID) >> 24;
}

static bool is_flat(const struct kvm_lapic *l)
{
	return lapic_reg(l, APIC_DFR) >> 28 == 0xf;
}

static void add_id(struct kvm_apic_map *map, struct kvm_lapic *l)
{
	u32 id = id_of(l);

	if (id >= map->ids || map->by_id[id])
		map->ids_unique = false;
	else
		map->by_id[id] = l;
}

/* An APIC has a bit alone, else the addresses are not known. None at all is well: it hears none. */
static void add_logical(struct kvm_apic_map *map, struct kvm_lapic *l, bool first)
{
	bool x2 = lapic_is_x2(l), flat = !x2 && is_flat(l);
	u32 ldr = lapic_reg(l, APIC_LDR), cluster, bits;

	if (!first && (x2 != map->logical_x2 || flat != map->logical_flat))
		map->logical_known = false;
	map->logical_x2 = x2;
	map->logical_flat = flat;
	cluster = x2 ? ldr >> 16 : flat ? 0 : ldr >> 28;
	bits = x2 ? ldr & 0xffff : flat ? ldr >> 24 : ldr >> 24 & 0xf;
	if (!bits || !map->logical_known)
		return;
	if (bits & (bits - 1) || cluster >= map->clusters ||
	    (!x2 && !flat && lapic_reg(l, APIC_DFR) >> 28)) {
		map->logical_known = false;
		return;
	}
	cluster = cluster * KVM_APIC_CLUSTER + (u32)__builtin_ctz(bits);
	if (map->by_cluster[cluster])
		map->logical_known = false;
	map->by_cluster[cluster] = l;
}

void kvm_apic_map_build(struct kvm_apic_map *map, struct kvm_lapic *const *all, u32 nr, u32 ids)
{
	bool first = true;

	memset(map, 0, kvm_apic_map_size(nr, ids));
	map->all = (struct kvm_lapic **)(map + 1);
	map->by_id = map->all + nr;
	map->by_cluster = map->by_id + ids;
	map->nr = nr;
	map->ids = ids;
	map->clusters = clusters_of(ids);
	map->ids_unique = map->logical_known = true;
	memcpy(map->all, all, nr * sizeof(*all));
	for (u32 i = 0; i < nr; i++) {
		if (!is_on(all[i]))
			continue;
		add_id(map, all[i]);
		add_logical(map, all[i], first);
		first = false;
	}
}

/* ---- delivery ---- */

struct targets {
	const struct kvm_message *m;
	struct kvm_lapic *best;		/* so far, for the lowest priority */
	int result;
};

static void offer(struct targets *t, struct kvm_lapic *l)
{
	int took;

	if (t->m->delivery != KVM_DELIVER_LOWEST) {
		took = kvm_lapic_accept(l, t->m);
		if (took >= 0)
			t->result = max(t->result, 0) + took;
	} else if (lapic_is_on(l) &&
		   (!t->best || READ_ONCE(l->arbitrated) < READ_ONCE(t->best->arbitrated))) {
		t->best = l;
	}
}

static void offer_all(struct targets *t, const struct kvm_apic_map *map, enum kvm_shorthand to,
		      const struct kvm_lapic *self)
{
	for (u32 i = 0; i < map->nr; i++) {
		struct kvm_lapic *l = map->all[i];

		if (to == KVM_TO_DEST ? kvm_lapic_matches(l, t->m) :
					is_on(l) && (to == KVM_TO_ALL || l != self))
			offer(t, l);
	}
}

static void offer_cluster(struct targets *t, const struct kvm_apic_map *map)
{
	u32 dest = t->m->dest, cluster, bits;

	if (map->logical_x2) {
		cluster = dest >> 16;
		bits = dest & 0xffff;
	} else {
		cluster = map->logical_flat ? 0 : dest >> 4 & 0xf;
		bits = map->logical_flat ? dest & 0xff : dest & 0xf;
	}
	if ((!map->logical_x2 && dest >> 8) || cluster >= map->clusters)
		return;
	for (; bits; bits &= bits - 1) {
		struct kvm_lapic *l =
			map->by_cluster[cluster * KVM_APIC_CLUSTER + (u32)__builtin_ctz(bits)];

		if (l)
			offer(t, l);
	}
}

bool kvm_apic_map_is_short(const struct kvm_apic_map *map, const struct kvm_message *m,
			   enum kvm_shorthand to)
{
	if (to == KVM_TO_SELF)
		return true;
	if (to != KVM_TO_DEST || m->dest == (m->wide ? ~0U : 0xffU))
		return false;
	return m->logical ? map->logical_known : map->ids_unique;
}

int kvm_apic_map_deliver(const struct kvm_apic_map *map, const struct kvm_message *m,
			 enum kvm_shorthand to, struct kvm_lapic *self)
{
	struct targets t = { .m = m, .result = -1 };
	bool broadcast = m->dest == (m->wide ? ~0U : 0xffU);

	if (to == KVM_TO_SELF) {
		if (is_on(self))
			offer(&t, self);
	} else if (to != KVM_TO_DEST || broadcast) {
		offer_all(&t, map, to, self);
	} else if (!m->logical && map->ids_unique) {
		if (m->dest < map->ids && map->by_id[m->dest])
			offer(&t, map->by_id[m->dest]);
	} else if (m->logical && map->logical_known) {
		offer_cluster(&t, map);
	} else {
		offer_all(&t, map, to, self);
	}
	if (t.best) {
		WRITE_ONCE(t.best->arbitrated, t.best->arbitrated + 1);
		t.result = kvm_lapic_accept(t.best, m);
	}
	return t.result;
}

int kvm_apic_map_deliver_ids(const struct kvm_apic_map *map, const struct kvm_message *m, u32 first,
			     u64 ids)
{
	int took = 0;

	for (; ids; ids &= ids - 1) {
		u64 id = (u64)first + (u32)__builtin_ctzll(ids);

		if (id >= map->ids)
			break;
		if (map->by_id[id])
			took += max(kvm_lapic_accept(map->by_id[id], m), 0);
	}
	return took;
}
