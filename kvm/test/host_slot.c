// SPDX-License-Identifier: MIT
/*
 * Memory slots against a plain array that is searched from end to end, through random changes;
 * readers of the set before a change see it as it was. sources: lib/rbtree.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../memory/slot.c"
#undef FRAME_SHIFT
#include "../memory/rules.c"

#define CHECK(c) do {								\
	if (!(c)) {								\
		printf("%s:%d: %s does not hold\n", __FILE__, __LINE__, #c);	\
		exit(1);							\
	} } while (0)

#define SLOTS 300
static struct kvm_slot *slots[SLOTS];		/* by id */
static struct kvm_slot_map map;
static const struct kvm_region_limits limits = { .last_gfn = (1ULL << 36) - 1,
						 .user_end = 0x7ffffffff000,
						 .readonly = true };

static u64 random_up_to(u64 n)
{
	return (((u64)rand() << 31) ^ (u64)rand()) % n;
}

static struct kvm_slot *model_at(u64 gfn)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (slots[i] && gfn >= slots[i]->gfn && gfn < slots[i]->gfn + slots[i]->pages)
			return slots[i];
	return NULL;
}

static bool model_overlaps(u64 gfn, u64 pages, const struct kvm_slot *old)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (slots[i] && slots[i] != old && gfn < slots[i]->gfn + slots[i]->pages &&
		    slots[i]->gfn < gfn + pages)
			return true;
	return false;
}

/* Every slot of the model that has a page there is given once, in order, and no other. */
static void check_range(const struct kvm_slot_set *s, unsigned long first, unsigned long last)
{
	unsigned int want = 0, got = 0;
	const struct kvm_slot *before = NULL;

	for (unsigned int i = 0; i < SLOTS; i++)
		want += slots[i] && slots[i]->hva <= last && last_of(slots[i]) >= first;
	for (struct kvm_slot *at = kvm_slot_first(s, first, last); at;
	     at = kvm_slot_next(s, at, first, last)) {
		CHECK(at->hva <= last && last_of(at) >= first);
		CHECK(slots[at->id] == at);
		CHECK(!before || before->hva < at->hva ||
		      (before->hva == at->hva && before->gfn < at->gfn));
		before = at;
		got++;
	}
	CHECK(got == want);
}

static void check_set(const struct kvm_slot_set *s)
{
	unsigned int n = 0, m = 0;
	u64 pages = 0, end = 0;

	for (struct kvm_slot *at = kvm_slot_lowest(s); at; at = kvm_slot_above(s, at)) {
		CHECK(at->gfn >= end);
		end = at->gfn + at->pages;
		pages += at->pages;
		n++;
	}
	for (unsigned int i = 0; i < SLOTS; i++)
		m += slots[i] != NULL;
	CHECK(n == m && pages == map.pages);
}

static void look(void)
{
	const struct kvm_slot_set *s = kvm_slots_active(&map);
	u64 gfn = random_up_to(4000);
	/* not a page */
	unsigned long first = 0x10000000 + (random_up_to(3000) << FRAME_SHIFT) + random_up_to(4096);

	CHECK(kvm_slot_at(s, gfn) == model_at(gfn));
	check_range(s, first, first + random_up_to(1 << 22));
	check_range(s, first, first);
}

/* What the other set says until it is settled: as before the change. */
static void check_before(u64 gfn, const struct kvm_slot *was)
{
	CHECK(kvm_slot_at(&map.set[!map.active->n], gfn) == was);
}

static struct kvm_slot *made_of(const struct kvm_userspace_memory_region *r)
{
	struct kvm_slot *s = calloc(1, sizeof(*s));

	s->gfn = r->guest_phys_addr >> FRAME_SHIFT;
	s->pages = r->memory_size >> FRAME_SHIFT;
	s->hva = r->userspace_addr;
	s->flags = r->flags;
	s->id = (u16)r->slot;
	return s;
}

static void change_one(void)
{
	struct kvm_userspace_memory_region r = { .slot = (u32)random_up_to(SLOTS) };
	struct kvm_slot *old = slots[r.slot], *come, *was;
	enum kvm_region_change c;
	u64 gfn;
	int e;

	r.guest_phys_addr = random_up_to(4000) << FRAME_SHIFT;
	r.memory_size = random_up_to(4) ? (1 + random_up_to(40)) << FRAME_SHIFT : 0;
	r.userspace_addr = 0x10000000 + (random_up_to(3000) << FRAME_SHIFT);
	if (old && random_up_to(4)) {
		r.userspace_addr = old->hva;
		r.memory_size = old->pages << FRAME_SHIFT;
	}
	gfn = r.guest_phys_addr >> FRAME_SHIFT;
	was = model_at(gfn);
	e = kvm_region_judge(&map, &r, old, &limits, &c);
	if (e == -EEXIST) {
		CHECK(model_overlaps(gfn, r.memory_size >> FRAME_SHIFT, old));
		return;
	}
	if (e || c == KVM_REGION_SAME)
		return;
	CHECK(c == KVM_REGION_GONE || c == KVM_REGION_FLAGS ||
	      !model_overlaps(gfn, r.memory_size >> FRAME_SHIFT, old));
	come = c == KVM_REGION_GONE ? NULL : made_of(&r);
	kvm_slots_replace(&map, old, come);
	slots[r.slot] = come;
	look();
	check_before(gfn, was);
	kvm_slots_settle(&map);
	check_set(&map.set[0]);
	check_set(&map.set[1]);
	free(old);
}

struct rule {
	struct kvm_userspace_memory_region r;
	int want;
	enum kvm_region_change change;
	bool old;
};

/*
 * {id, flags, guest address, size, address}; the slot that is there: 3, from 0x5000, two frames, at
 * 0x700000.
 */
static const struct rule rules[] = {
	{ { 1, 0, 0x1000, 0x1000, 0x600000 }, 0, KVM_REGION_NEW, false },
	{ { 1, 1, 0x1000, 0x1000, 0x600000 }, 0, KVM_REGION_NEW, false },
	{ { 1, 2, 0x1000, 0x1000, 0x600000 }, 0, KVM_REGION_NEW, false },
	{ { 1, 4, 0x1000, 0x1000, 0x600000 }, -EINVAL, 0, false },
	{ { 1, 0x80000000, 0x1000, 0x1000, 0x600000 }, -EINVAL, 0, false },
	{ { 32763, 0, 0x1000, 0x1000, 0x600000 }, 0, KVM_REGION_NEW, false },
	{ { 32764, 0, 0x1000, 0x1000, 0x600000 }, -EINVAL, 0, false },
	{ { 0x10001, 0, 0x1000, 0x1000, 0x600000 }, -EINVAL, 0, false },
	{ { 1, 0, 0x1000, 0, 0x600000 }, -EINVAL, 0, false },
	{ { 1, 0, 0x1001, 0x1000, 0x600000 }, -EINVAL, 0, false },
	{ { 1, 0, 0x1000, 0x1001, 0x600000 }, -EINVAL, 0, false },
	{ { 1, 0, 0x1000, 0x1000, 0x600001 }, -EINVAL, 0, false },
	{ { 1, 0, 0x1000, 0x1000, 0x7fffffffe000 }, 0, KVM_REGION_NEW, false },
	{ { 1, 0, 0x1000, 0x1000, 0x7ffffffff000 }, -EINVAL, 0, false },
	{ { 1, 0, 0x1000, 0x2000, 0x7fffffffe000 }, -EINVAL, 0, false },
	{ { 1, 0, 0x1000, ~0xfffULL, 0x1000 }, -EINVAL, 0, false },
	{ { 1, 0, ~0xfffULL, 0x1000, 0x600000 }, -EINVAL, 0, false },
	{ { 1, 0, (1ULL << 48) - 0x1000, 0x1000, 0x600000 }, 0, KVM_REGION_NEW, false },
	{ { 1, 0, (1ULL << 48) - 0x1000, 0x2000, 0x600000 }, -EINVAL, 0, false },
	/* not a page */
	{ { 1, 0, 0x1000000, 0x7fffffffULL << 12, 0x600000 }, 0, KVM_REGION_NEW, false },
	{ { 1, 0, 0x1000000, 0x80000000ULL << 12, 0x600000 }, -EINVAL, 0, false }, /* not a page */
	{ { 1, 0, 0x4000, 0x1000, 0x600000 }, 0, KVM_REGION_NEW, false },
	{ { 1, 0, 0x4000, 0x2000, 0x600000 }, -EEXIST, 0, false },
	{ { 1, 0, 0x6000, 0x1000, 0x600000 }, -EEXIST, 0, false },
	{ { 1, 0, 0x7000, 0x1000, 0x600000 }, 0, KVM_REGION_NEW, false },
	{ { 1, 0, 0x1000, 0x10000, 0x600000 }, -EEXIST, 0, false },
	{ { 3, 0, 0x5000, 0x2000, 0x700000 }, 0, KVM_REGION_SAME, true },
	{ { 3, 1, 0x5000, 0x2000, 0x700000 }, 0, KVM_REGION_FLAGS, true },
	{ { 3, 2, 0x5000, 0x2000, 0x700000 }, -EINVAL, 0, true },
	{ { 3, 0, 0x6000, 0x2000, 0x700000 }, 0, KVM_REGION_MOVED, true },
	{ { 3, 1, 0x9000, 0x2000, 0x700000 }, 0, KVM_REGION_MOVED, true },
	{ { 3, 0, 0x5000, 0x2000, 0x701000 }, -EINVAL, 0, true },
	{ { 3, 0, 0x5000, 0x3000, 0x700000 }, -EINVAL, 0, true },
	{ { 3, 0, 0x5000, 0, 0x700000 }, 0, KVM_REGION_GONE, true },
	{ { 3, 0, 0, 0, 0 }, 0, KVM_REGION_GONE, true },
};

static void check_rules(void)
{
	struct kvm_slot there = { .gfn = 5, .pages = 2, .hva = 0x700000, .id = 3 };
	struct kvm_region_limits none = limits;
	struct kvm_userspace_memory_region ro = { 1, KVM_MEM_READONLY, 0x1000, 0x1000, 0x600000 };
	struct kvm_slot_map m;
	enum kvm_region_change c;

	kvm_slots_init(&m);
	kvm_slots_replace(&m, NULL, &there);
	kvm_slots_settle(&m);
	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		int e = kvm_region_judge(&m, &rules[i].r, rules[i].old ? &there : NULL, &limits,
					 &c);

		if (e != rules[i].want || (!e && c != rules[i].change)) {
			printf("rule %u: %d, change %d\n", i, e, c);
			exit(1);
		}
	}
	none.readonly = false;
	CHECK(kvm_region_judge(&m, &ro, NULL, &none, &c) == -EINVAL);
}

int main(void)
{
	check_rules();
	kvm_slots_init(&map);
	srand(1);
	for (int i = 0; i < 60000; i++)
		change_one();
	for (unsigned int i = 0; i < SLOTS; i++)
		free(slots[i]);
	printf("ok\n");
	return 0;
}
