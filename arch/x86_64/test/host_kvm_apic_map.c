// SPDX-License-Identifier: MIT
/*
 * The map of a VM's local APICs against a walk over all of them, in random mixes of modes and
 * addresses. sources: arch/x86_64/kvm_apic_map.c arch/x86_64/kvm_lapic.c
 * sources: arch/x86_64/kvm_lapic_regs.c arch/x86_64/kvm_lapic_timer.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/kvm_apic_map.h"
#include "arch/x86_64/kvm_lapic_priv.h"

#define CHECK(c) do {								\
	if (!(c)) {								\
		printf("%s:%d: %s does not hold\n", __FILE__, __LINE__, #c);	\
		exit(1);							\
	} } while (0)

#define APICS 40
#define IDS 300
static struct kvm_lapic apics[APICS], *all[APICS];
static unsigned int nr;			/* of them, in this round */
static struct kvm_apic_map *map;

static u64 zero(const struct kvm_lapic *l)
{
	return 0;
}

static u64 no_ns(const struct kvm_lapic *l, u64 ticks)
{
	return 0;
}

static void nothing(struct kvm_lapic *l)
{
}

static const struct kvm_lapic_ops ops = {
	.now = zero, .tsc = zero, .tsc_to_ns = no_ns, .timer = nothing, .requested = nothing
};

enum mix { PLAIN_FLAT, PLAIN_CLUSTER, PLAIN_X2, ANYTHING, MIXES };

static unsigned int most;		/* the format that most APICs have, in this round */

static void set_logical(struct kvm_lapic *l, enum mix mix, unsigned int i)
{
	if (mix == PLAIN_FLAT) {
		kvm_lapic_write(l, APIC_LDR, i < 8 ? 1U << (24 + i) : 0);
	} else if (mix == PLAIN_CLUSTER) {
		kvm_lapic_write(l, APIC_DFR, 0);
		kvm_lapic_write(l, APIC_LDR, i / 4 << 28 | 1U << (24 + i % 4));
	} else {
		static const u32 dfrs[] = { 0xf0000000, 0, 0x50000000 };
		static const u32 bits[] = { 1, 2, 0x11, 0x12, 0x21, 3, 0, 0x80 };

		kvm_lapic_write(l, APIC_DFR, dfrs[rand() % 8 ? most : (unsigned int)rand() % 3]);
		kvm_lapic_write(l, APIC_LDR, bits[rand() % 8] << 24);
		if (!(rand() & 3))
			kvm_lapic_write(l, APIC_ID, (u32)rand() % 4 << 24);
	}
}

static void make(enum mix mix)
{
	/* Few at a time: then it is seldom that nothing but a walk is left. */
	most = (unsigned int)rand() % 2;
	nr = mix == ANYTHING ? 1 + (unsigned int)rand() % 3 : APICS;
	for (unsigned int i = 0; i < nr; i++) {
		struct kvm_lapic *l = &apics[i];

		memset(l, 0, sizeof(*l));
		all[i] = l;
		l->ops = &ops;
		l->id = mix == PLAIN_X2 && i == APICS - 1 ? IDS - 1 : i;
		kvm_lapic_reset(l, !i);
		kvm_lapic_write(l, APIC_SVR, 0x1ff);
		if (mix == PLAIN_X2 || (mix == ANYTHING && rand() % 6 == 0))
			CHECK(kvm_lapic_wrmsr(l, 0x1b, 0xfee00c00));
		else
			set_logical(l, mix, i);
		if (mix == ANYTHING && rand() % 8 == 0)
			kvm_lapic_wrmsr(l, 0x1b, 0xfee00000);
		if (rand() % 8 == 0)
			kvm_lapic_write(l, APIC_SVR, 0xff);
	}
	kvm_apic_map_build(map, all, nr, IDS);
	CHECK(mix == ANYTHING || map->ids_unique);
	CHECK(mix == ANYTHING || map->logical_known);
}

/* Which APICs have VECTOR requested, as the walk and as the map has it. */
static void compare(const struct kvm_message *m, enum kvm_shorthand to, struct kvm_lapic *self)
{
	int want = -1, got;

	got = kvm_apic_map_deliver(map, m, to, self);
	for (unsigned int i = 0; i < nr; i++) {
		struct kvm_lapic *l = &apics[i];
		bool is_meant, has = kvm_lapic_requested(l) == m->vector;

		is_meant = l->base & KVM_APIC_BASE_ENABLED &&
			   (to == KVM_TO_DEST	? kvm_lapic_matches(l, m) :
			    to == KVM_TO_SELF	? l == self :
			    to == KVM_TO_OTHERS ? l != self :
						  true);
		is_meant &= lapic_is_on(l);
		if (m->delivery == KVM_DELIVER_LOWEST) {
			CHECK(!has || is_meant);
			want = is_meant ? 1 : want;
		} else {
			CHECK(has == is_meant);
			if (is_meant)
				want = (want > 0 ? want : 0) + 1;
		}
		if (has)
			kvm_lapic_serve(l, m->vector);
	}
	CHECK(got == want);
}

static u32 some_dest(bool wide)
{
	switch (rand() % 4) {
	case 0:
		return wide ? ~0U : 0xff;
	case 1:
		return (u32)rand() % nr;
	case 2:
		return (u32)rand() & 0xff;
	}
	return wide ? (u32)(rand() % 20) << 16 | 1U << rand() % 16 : (u32)rand() & 0xff;
}

static bool on_all_of_flat(void)
{
	for (unsigned int i = 0; i < 8; i++)
		if (!lapic_is_on(&apics[i]))
			return false;
	return true;
}

int main(void)
{
	map = malloc(kvm_apic_map_size(APICS, IDS));
	CHECK(map);
	for (unsigned int round = 0; round < 2000; round++) {
		make((enum mix)(round % MIXES));
		for (unsigned int i = 0; i < 20; i++) {
			bool wide = rand() & 1;
			struct kvm_message m = { .dest = some_dest(wide),
						 .wide = wide,
						 .vector = (u8)(0x20 + i),
						 .logical = rand() & 1,
						 .delivery = rand() & 1 };

			compare(&m, rand() & 1 ? KVM_TO_DEST : (enum kvm_shorthand)(rand() & 3),
				&apics[(unsigned int)rand() % nr]);
		}
	}
	/* the lowest priority goes round */
	do
		make(PLAIN_FLAT);
	while (!on_all_of_flat());
	for (unsigned int i = 0; i < 8; i++)
		CHECK(kvm_apic_map_deliver(map,
					   &(struct kvm_message){ .dest = 0xff,
								  .logical = true,
								  .vector = 0x99,
								  .delivery = 1 },
					   KVM_TO_DEST, NULL) == 1);
	free(map);
	return 0;
}
