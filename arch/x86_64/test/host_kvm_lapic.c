// SPDX-License-Identifier: MIT
/*
 * A guest's local APIC: each register in both modes, the timer, and priorities against a model that
 * keeps plain arrays, through random messages, acknowledgements and ends.
 * sources: arch/x86_64/kvm_lapic.c arch/x86_64/kvm_lapic_regs.c arch/x86_64/kvm_lapic_timer.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/kvm_lapic_priv.h"

#define CHECK(c) do {								\
	if (!(c)) {								\
		printf("%s:%d: %s does not hold\n", __FILE__, __LINE__, #c);	\
		exit(1);							\
	} } while (0)

static u64 now_ns = 1000;
static struct kvm_message sent;
static int sent_to = -1, ended_vector = -1, ended_level, event = -1, event_vector;
static unsigned int timer_calls;

static u64 now(const struct kvm_lapic *l)
{
	return now_ns;
}

static u64 tsc(const struct kvm_lapic *l)
{
	return now_ns * 2;
}

static u64 tsc_to_ns(const struct kvm_lapic *l, u64 ticks)
{
	return ticks / 2;
}

static void send(struct kvm_lapic *l, const struct kvm_message *m, enum kvm_shorthand to)
{
	sent = *m;
	sent_to = (int)to;
}

static void ended(struct kvm_lapic *l, u8 vector, bool level)
{
	ended_vector = vector;
	ended_level = level;
}

static void timer(struct kvm_lapic *l)
{
	timer_calls++;
}

static bool on_event(struct kvm_lapic *l, enum kvm_delivery what, u8 vector)
{
	event = (int)what;
	event_vector = vector;
	return true;
}

static unsigned int requests;

static void asked(struct kvm_lapic *l)
{
	requests++;
}

static const struct kvm_lapic_ops ops = { now, tsc, tsc_to_ns, send, ended, timer, on_event, asked };
static struct kvm_lapic apic;

static void fresh(u32 id)
{
	memset(&apic, 0xa5, sizeof(apic));
	apic.ops = &ops;
	apic.id = id;
	apic.base_reserved = ~0ULL << 40;
	kvm_lapic_reset(&apic, id == 0);
	kvm_lapic_write(&apic, APIC_SVR, 0x1ff);
}

static int request(u8 vector, bool level)
{
	struct kvm_message m = { .vector = vector, .level = level };

	unsigned int before = requests;
	int took = kvm_lapic_accept(&apic, &m);

	CHECK(requests - before == (took == 1 && vector >= 16)); /* each new one is told of */
	return took;
}

static void test_reset(void)
{
	fresh(5);
	kvm_lapic_reset(&apic, false);
	CHECK(kvm_lapic_read(&apic, APIC_ID) == 5U << 24);
	CHECK(kvm_lapic_read(&apic, APIC_VERSION) == 0x50014);
	CHECK(kvm_lapic_read(&apic, APIC_SVR) == 0xff && kvm_lapic_read(&apic, APIC_DFR) == ~0U);
	CHECK(kvm_lapic_read(&apic, APIC_LVT_LINT0) == LVT_MASKED);
	CHECK(!kvm_lapic_takes_extint(&apic) && apic.base == 0xfee00800);
	CHECK(request(0x30, false) == -1 && kvm_lapic_pending(&apic) == -1);
	kvm_lapic_reset(&apic, true);
	CHECK(kvm_lapic_takes_extint(&apic) && apic.base == 0xfee00900);
	for (u32 i = 0; i < 0x400; i += 16)
		if (i < APIC_ID || (i > APIC_VERSION && i < APIC_LDR))
			CHECK(!kvm_lapic_read(&apic, i));
}

static void test_registers(void)
{
	static const struct {
		u32 offset, all_ones;
	} kept[] = {
		{ APIC_ID, 0xff000000 },     { APIC_TPR, 0xff },
		{ APIC_LDR, 0xff000000 },    { APIC_DFR, ~0U },
		{ APIC_SVR, 0x3ff },	     { APIC_ICR2, 0xff000000 },
		{ APIC_LVT_TIMER, 0x700ff }, { APIC_LVT_THERMAL, 0x107ff },
		{ APIC_LVT_PERF, 0x107ff },  { APIC_LVT_LINT0, 0x1a7ff },
		{ APIC_LVT_LINT1, 0x1a7ff }, { APIC_LVT_ERROR, 0x100ff },
		{ APIC_TDCR, 0xb },
	};

	fresh(1);
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		kvm_lapic_write(&apic, kept[i].offset, ~0U);
		CHECK(kvm_lapic_read(&apic, kept[i].offset) == kept[i].all_ones);
	}
	kvm_lapic_write(&apic, APIC_LVT_LINT1, 0x400);
	kvm_lapic_write(&apic, APIC_SVR, 0xff);		/* off: all are masked, and stay so */
	CHECK(kvm_lapic_read(&apic, APIC_LVT_LINT1) == 0x10400);
	kvm_lapic_write(&apic, APIC_LVT_LINT1, 0x400);
	CHECK(kvm_lapic_read(&apic, APIC_LVT_LINT1) == 0x10400);
	kvm_lapic_write(&apic, APIC_VERSION, 0);
	kvm_lapic_write(&apic, APIC_ESR, 0);
	CHECK(kvm_lapic_read(&apic, APIC_ESR) == ESR_REGISTER);
	kvm_lapic_write(&apic, APIC_ESR, 0);
	CHECK(kvm_lapic_read(&apic, APIC_ESR) == 0);
}

static void test_service(void)
{
	fresh(1);
	CHECK(request(0x41, true) == 1 && request(0x41, true) == 0 && request(0x52, false) == 1);
	CHECK(kvm_lapic_pending(&apic) == 0x52);
	kvm_lapic_serve(&apic, 0x52);
	CHECK(kvm_lapic_read(&apic, APIC_PPR) == 0x50 && kvm_lapic_pending(&apic) == -1);
	CHECK(request(0x5f, false) == 1 && kvm_lapic_pending(&apic) == -1);
	CHECK(kvm_lapic_requested(&apic) == 0x5f);
	kvm_lapic_write(&apic, APIC_EOI, 0);
	CHECK(ended_vector == 0x52 && !ended_level && kvm_lapic_pending(&apic) == 0x5f);
	kvm_lapic_set_tpr(&apic, 5);
	CHECK(kvm_lapic_read(&apic, APIC_TPR) == 0x50 && kvm_lapic_tpr(&apic) == 5);
	CHECK(kvm_lapic_pending(&apic) == -1);
	kvm_lapic_set_tpr(&apic, 4);
	CHECK(kvm_lapic_pending(&apic) == 0x5f);
	kvm_lapic_serve(&apic, 0x5f);
	kvm_lapic_write(&apic, APIC_EOI, 0);
	kvm_lapic_set_tpr(&apic, 0);
	kvm_lapic_serve(&apic, 0x41);
	kvm_lapic_write(&apic, APIC_EOI, 0);
	CHECK(ended_vector == 0x41 && ended_level);
	ended_vector = -1;
	kvm_lapic_write(&apic, APIC_EOI, 0);		/* nothing is in service */
	CHECK(ended_vector == -1 && kvm_lapic_requested(&apic) == -1);
	CHECK(request(0x0f, false) == 1 && kvm_lapic_requested(&apic) == -1);
	kvm_lapic_write(&apic, APIC_ESR, 0);
	CHECK(kvm_lapic_read(&apic, APIC_ESR) == ESR_RECEIVE_VECTOR);
}

/* PPR and the pending vector, from arrays of what is requested and in service. */
static void test_priorities(void)
{
	static bool irr[256], isr[256], tmr[256];

	fresh(1);
	for (unsigned int round = 0; round < 200000; round++) {
		u8 v = (u8)rand();
		int top = -1, served = -1, class;
		bool level = rand() & 1;

		switch (rand() % 4) {
		case 0:
		case 1:
			CHECK(request(v, level) == (v < 16 || !irr[v]));
			if (v >= 16)
				irr[v] = true, tmr[v] = level;
			break;
		case 2:
			kvm_lapic_write(&apic, APIC_TPR, v & (rand() & 1 ? 0xff : 0x3f));
			break;
		case 3:
			for (int i = 255; i >= 0 && served < 0; i--)
				served = isr[i] ? i : -1;
			ended_vector = -1;
			kvm_lapic_write(&apic, APIC_EOI, 0);
			CHECK(ended_vector == served);
			CHECK(served < 0 || ended_level == tmr[served]);
			if (served >= 0)
				isr[served] = false;
			break;
		}
		served = -1;
		for (int i = 255; i >= 0; i--) {
			top = top < 0 && irr[i] ? i : top;
			served = served < 0 && isr[i] ? i : served;
		}
		class = (int)(apic.regs[APIC_TPR / 4] >> 4);
		class = served >> 4 > class ? served >> 4 : class;
		CHECK((int)(kvm_lapic_read(&apic, APIC_PPR) >> 4) == class);
		CHECK(kvm_lapic_pending(&apic) == (top >> 4 > class ? top : -1));
		if (top >> 4 > class && rand() & 1) {
			kvm_lapic_serve(&apic, (u8)top);
			irr[top] = false, isr[top] = true;
		}
	}
}

static bool matches(u32 dest, bool logical, bool wide)
{
	struct kvm_message m = { .dest = dest, .logical = logical, .wide = wide };

	return kvm_lapic_matches(&apic, &m);
}

static void test_destinations(void)
{
	fresh(3);
	CHECK(matches(3, false, false) && !matches(2, false, false) && matches(0xff, false, false));
	CHECK(!matches(0x103, false, true) && !matches(0xff, false, true) &&
	      matches(~0U, true, true));
	kvm_lapic_write(&apic, APIC_LDR, 0x24000000);
	CHECK(matches(0x04, true, false) && matches(0x20, true, false) &&
	      !matches(0x5b, true, false));
	CHECK(!matches(0x124, true, true));
	kvm_lapic_write(&apic, APIC_DFR, 0);		/* clusters: 2, its third */
	CHECK(matches(0x2c, true, false) && !matches(0x1c, true, false));
	CHECK(!matches(0x23, true, false) && matches(0xff, true, false));
	kvm_lapic_write(&apic, APIC_DFR, 0x50000000);	/* neither */
	CHECK(!matches(0x24, true, false));
	apic.base &= ~KVM_APIC_BASE_ENABLED;
	CHECK(!matches(3, false, false) && !matches(0xff, false, false));
	fresh(0x123);
	CHECK(kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00c00));
	CHECK(matches(0x123, false, true) && !matches(0x23, false, true));
	CHECK(matches(0x120008, true, true) && !matches(0x130008, true, true));
	CHECK(!matches(0x120004, true, true) && matches(~0U, false, true));
	CHECK(matches(0xff, false, false));
}

static void test_commands(void)
{
	fresh(3);
	kvm_lapic_write(&apic, APIC_ICR2, 0x07ffffff);
	kvm_lapic_write(&apic, APIC_ICR, 0x000048f1);
	CHECK(sent_to == KVM_TO_DEST && sent.dest == 7 && sent.vector == 0xf1 && sent.logical);
	CHECK(sent.delivery == KVM_DELIVER_FIXED && !sent.level && !sent.wide);
	CHECK(kvm_lapic_read(&apic, APIC_ICR) == 0x48f1);
	kvm_lapic_write(&apic, APIC_ICR, 0x000c4500);
	CHECK(sent_to == KVM_TO_OTHERS && sent.delivery == KVM_DELIVER_INIT);
	sent_to = -1;
	kvm_lapic_write(&apic, APIC_ICR, 0x00088500);	/* the end of INIT */
	CHECK(sent_to == -1);
	kvm_lapic_write(&apic, APIC_ICR, 0x00000608);
	CHECK(sent_to == KVM_TO_DEST && sent.delivery == KVM_DELIVER_STARTUP && sent.vector == 8);
	sent_to = -1;
	kvm_lapic_write(&apic, APIC_LVT_ERROR, 0x33);
	kvm_lapic_write(&apic, APIC_ICR, 0x0000000f);
	CHECK(sent_to == -1 && kvm_lapic_pending(&apic) == 0x33);
	kvm_lapic_write(&apic, APIC_ESR, 0);
	CHECK(kvm_lapic_read(&apic, APIC_ESR) == ESR_SEND_VECTOR);
	CHECK(kvm_lapic_accept(&apic, &(struct kvm_message){ .vector = 8, .delivery = 6 }) == 1);
	CHECK(event == KVM_DELIVER_STARTUP && event_vector == 8);
	CHECK(kvm_lapic_accept(&apic, &(struct kvm_message){ .delivery = 7 }) == -1);
	kvm_lapic_write(&apic, APIC_LVT_LINT1, 0x400);
	event = -1;
	CHECK(kvm_lapic_local(&apic, APIC_LVT_LINT1) && event == KVM_DELIVER_NMI);
	kvm_lapic_write(&apic, APIC_LVT_LINT1, 0x10400);
	CHECK(!kvm_lapic_local(&apic, APIC_LVT_LINT1));
}

static void test_x2apic(void)
{
	u64 value;

	fresh(0x45);
	CHECK(!kvm_lapic_rdmsr(&apic, 0x802, &value));
	CHECK(!kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00400));	/* not without the APIC */
	CHECK(!kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00a00) &&
	      !kvm_lapic_wrmsr(&apic, 0x1b, 1ULL << 40));
	kvm_lapic_set_tpr(&apic, 3);
	CHECK(kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00c00) && apic.base == 0xfee00c00);
	CHECK(kvm_lapic_tpr(&apic) == 3);
	CHECK(!kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00800));	/* not back to the page */
	CHECK(kvm_lapic_rdmsr(&apic, 0x802, &value) && value == 0x45);
	CHECK(kvm_lapic_rdmsr(&apic, 0x80d, &value) && value == 0x40020);
	CHECK(!kvm_lapic_rdmsr(&apic, 0x80e, &value) && !kvm_lapic_wrmsr(&apic, 0x80e, 0));
	CHECK(!kvm_lapic_rdmsr(&apic, 0x831, &value) && !kvm_lapic_rdmsr(&apic, 0x80b, &value));
	CHECK(!kvm_lapic_wrmsr(&apic, 0x802, 0) && !kvm_lapic_wrmsr(&apic, 0x80b, 1));
	CHECK(!kvm_lapic_wrmsr(&apic, 0x808, 1ULL << 32) && !kvm_lapic_wrmsr(&apic, 0x828, 1));
	CHECK(kvm_lapic_wrmsr(&apic, 0x830, 0x12345678000000f1ULL));
	CHECK(sent.wide && sent.dest == 0x12345678 && sent.vector == 0xf1);
	CHECK(kvm_lapic_rdmsr(&apic, 0x830, &value) && value == 0x12345678000000f1ULL);
	CHECK(kvm_lapic_wrmsr(&apic, 0x83f, 0x77) && sent_to == KVM_TO_SELF && sent.vector == 0x77);
	CHECK(!kvm_lapic_wrmsr(&apic, 0x83f, 0x100) && !kvm_lapic_rdmsr(&apic, 0x840, &value));
	CHECK(kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00000));	/* off, and then the page */
	CHECK(!kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00c00) && kvm_lapic_takes_extint(&apic));
	CHECK(kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00800));
	CHECK(kvm_lapic_read(&apic, APIC_ID) == 0x45U << 24 && !kvm_lapic_tpr(&apic));
}

static void test_timer_counts(void)
{
	fresh(1);
	now_ns = 10000000;
	kvm_lapic_write(&apic, APIC_LVT_TIMER, 0x40);
	timer_calls = 0;
	kvm_lapic_write(&apic, APIC_TMICT, 1000);		/* by 2 */
	CHECK(timer_calls == 1 && kvm_lapic_next(&apic) == now_ns + 2000);
	now_ns += 500;
	CHECK(kvm_lapic_read(&apic, APIC_TMCCT) == 750 &&
	      kvm_lapic_read(&apic, APIC_TMICT) == 1000);
	kvm_lapic_write(&apic, APIC_TDCR, 0xb);			/* by 1, in the middle */
	CHECK(kvm_lapic_next(&apic) == now_ns + 750);
	now_ns += 749;
	kvm_lapic_expire(&apic);
	CHECK(kvm_lapic_pending(&apic) == -1 && kvm_lapic_read(&apic, APIC_TMCCT) == 1);
	now_ns++;
	kvm_lapic_expire(&apic);
	CHECK(kvm_lapic_pending(&apic) == 0x40 && kvm_lapic_next(&apic) == KVM_APIC_NEVER);
	CHECK(kvm_lapic_read(&apic, APIC_TMCCT) == 0);
	for (u32 i = 0; i < 8; i++) {
		static const u32 by[] = { 2, 4, 8, 16, 32, 64, 128, 1 };

		kvm_lapic_write(&apic, APIC_TDCR, (i & 3) | (i & 4) << 1);
		kvm_lapic_write(&apic, APIC_TMICT, 1000000);
		CHECK(kvm_lapic_next(&apic) == now_ns + 1000000ULL * by[i]);
	}
	kvm_lapic_write(&apic, APIC_TMICT, 0);
	CHECK(kvm_lapic_next(&apic) == KVM_APIC_NEVER);
}

static void test_timer_modes(void)
{
	u64 start = now_ns = 20000000, value;

	fresh(1);
	kvm_lapic_write(&apic, APIC_TDCR, 0xb);
	kvm_lapic_write(&apic, APIC_LVT_TIMER, 0x20040);
	kvm_lapic_write(&apic, APIC_TMICT, 300000);
	now_ns = start + 950000;	 /* three periods at once: one interrupt */
	CHECK(kvm_lapic_read(&apic, APIC_TMCCT) == 250000);
	kvm_lapic_expire(&apic);
	CHECK(kvm_lapic_pending(&apic) == 0x40 && kvm_lapic_next(&apic) == start + 1200000);
	CHECK(kvm_lapic_read(&apic, APIC_TMCCT) == 250000);
	kvm_lapic_write(&apic, APIC_TMICT, 1);   /* not more often than 5,000 times a second */
	CHECK(kvm_lapic_next(&apic) == now_ns + 200000);
	kvm_lapic_write(&apic, APIC_LVT_TIMER, 0x40040);	/* deadline: stops what ran */
	CHECK(kvm_lapic_next(&apic) == KVM_APIC_NEVER && !kvm_lapic_read(&apic, APIC_TMICT));
	kvm_lapic_write(&apic, APIC_TMICT, 5);
	CHECK(!kvm_lapic_read(&apic, APIC_TMICT));
	CHECK(kvm_lapic_wrmsr(&apic, 0x6e0, 2 * now_ns + 1000));
	CHECK(kvm_lapic_next(&apic) == now_ns + 500 && !kvm_lapic_read(&apic, APIC_TMCCT));
	CHECK(kvm_lapic_rdmsr(&apic, 0x6e0, &value) && value == 2 * now_ns + 1000);
	now_ns += 500;
	kvm_lapic_serve(&apic, 0x40);
	kvm_lapic_write(&apic, APIC_EOI, 0);
	kvm_lapic_expire(&apic);
	CHECK(kvm_lapic_pending(&apic) == 0x40);
	CHECK(kvm_lapic_rdmsr(&apic, 0x6e0, &value) && !value);
	CHECK(kvm_lapic_wrmsr(&apic, 0x6e0, 1) && kvm_lapic_next(&apic) == now_ns); /* is over */
	kvm_lapic_write(&apic, APIC_LVT_TIMER, 0x40);
	CHECK(kvm_lapic_wrmsr(&apic, 0x6e0, ~0ULL) && kvm_lapic_next(&apic) == KVM_APIC_NEVER);
}

static void test_image(void)
{
	static u32 image[KVM_APIC_REG_SIZE / 4];

	fresh(0x45);
	now_ns = 50000000;
	CHECK(request(0x61, true) == 1 && request(0x30, false) == 1);
	kvm_lapic_write(&apic, APIC_TDCR, 0xb);
	kvm_lapic_write(&apic, APIC_LVT_TIMER, 0x40);
	kvm_lapic_write(&apic, APIC_TMICT, 5000);
	CHECK(kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00c00));
	now_ns += 2000;
	kvm_lapic_get(&apic, image, true);
	CHECK(image[APIC_ID / 4] == 0x45 && image[APIC_TMCCT / 4] == 3000);
	kvm_lapic_get(&apic, image, false);
	CHECK(image[APIC_ID / 4] == 0x45U << 24);
	fresh(0x45);
	CHECK(kvm_lapic_wrmsr(&apic, 0x1b, 0xfee00c00));
	image[APIC_ID / 4]++;
	CHECK(!kvm_lapic_set(&apic, image) && kvm_lapic_requested(&apic) == -1);
	image[APIC_ID / 4]--;
	image[APIC_VERSION / 4] = image[APIC_LDR / 4] = ~0U;
	image[APIC_IRR / 4] |= 3;
	CHECK(kvm_lapic_set(&apic, image) && kvm_lapic_pending(&apic) == 0x61);
	CHECK(kvm_lapic_next(&apic) == now_ns + 3000 && apic.regs[APIC_LDR / 4] == 0x40020);
	image[APIC_TMCCT / 4] = ~0U;				/* more than it counts from */
	CHECK(kvm_lapic_set(&apic, image) && kvm_lapic_next(&apic) == now_ns + 5000);
	image[APIC_TMCCT / 4] = 0;				/* is over, and was told then */
	CHECK(kvm_lapic_set(&apic, image) && kvm_lapic_next(&apic) == KVM_APIC_NEVER);
	kvm_lapic_serve(&apic, 0x61);
	kvm_lapic_serve(&apic, 0x30);
	CHECK(kvm_lapic_requested(&apic) == -1 && kvm_lapic_read(&apic, APIC_VERSION) == 0x50014);
}

int main(void)
{
	test_reset();
	test_registers();
	test_service();
	test_priorities();
	test_destinations();
	test_commands();
	test_x2apic();
	test_timer_counts();
	test_timer_modes();
	test_image();
	return 0;
}
