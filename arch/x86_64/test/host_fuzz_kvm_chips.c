// SPDX-License-Identifier: MIT
/* sources: arch/x86_64/kvm_pic.c arch/x86_64/kvm_ioapic.c arch/x86_64/kvm_pit.c */
/* sources: arch/x86_64/kvm_lapic.c arch/x86_64/kvm_lapic_regs.c arch/x86_64/kvm_lapic_timer.c */
/* fuzz: -max_len=512 */
/*
 * A guest's interrupt chips under a guest that writes anything anywhere, and an owner who sets any
 * state: records of 8 bytes, each a step.
 */
#define FUZZ_MAX 512
#include <assert.h>
#include "arch/x86_64/kvm_lapic_priv.h"
#include "arch/x86_64/kvm_pic.h"
#include "arch/x86_64/kvm_pit.h"
#include "lib/test/fuzz.h"

static u64 now_ns;
static unsigned int depth, deliveries;
static struct kvm_lapic apic;
static struct kvm_ioapic ioapic;
static struct kvm_pic pic;
static struct kvm_pit pit;

static u64 now(const struct kvm_lapic *l)
{
	return now_ns;
}

static u64 tsc(const struct kvm_lapic *l)
{
	return now_ns * 3;
}

static u64 tsc_to_ns(const struct kvm_lapic *l, u64 ticks)
{
	return ticks / 3;
}

static void send(struct kvm_lapic *l, const struct kvm_message *m, enum kvm_shorthand to)
{
	assert(depth < 4 && m->delivery < 8);
	depth++;
	if (to == KVM_TO_SELF || to == KVM_TO_ALL || kvm_lapic_matches(l, m))
		kvm_lapic_accept(l, m);
	depth--;
}

static void ended(struct kvm_lapic *l, u8 vector, bool level)
{
	assert(vector >= FIRST_VECTOR);
	if (level)
		kvm_ioapic_again(&ioapic, kvm_ioapic_ended(&ioapic, vector));
}

static void timer(struct kvm_lapic *l)
{
}

static bool event(struct kvm_lapic *l, enum kvm_delivery what, u8 vector)
{
	if (what == KVM_DELIVER_INIT)
		kvm_lapic_init(l);
	return true;
}

static const struct kvm_lapic_ops ops = { now, tsc, tsc_to_ns, send, ended, timer, event, timer };

static int deliver(void *context, const struct kvm_message *m)
{
	deliveries++;
	return kvm_lapic_matches(&apic, m) ? kvm_lapic_accept(&apic, m) : -1;
}

static void step_apic(u8 what, u16 where, u32 value)
{
	static u32 image[KVM_APIC_REG_SIZE / 4];
	u64 wide;

	switch (what & 7) {
	case 0:
	case 1:
		kvm_lapic_write(&apic, where & 0x3f0, value);
		break;
	case 2:
		kvm_lapic_read(&apic, where & 0x3f0);
		break;
	case 3:
		kvm_lapic_wrmsr(&apic, 0x800 + (where & 0x3f), value);
		kvm_lapic_rdmsr(&apic, 0x800 + (where & 0x3f), &wide);
		break;
	case 4:
		kvm_lapic_wrmsr(&apic, where & 1 ? 0x1b : 0x6e0,
				where & 1 ? value & ~0x100U : value * 8ULL);
		break;
	case 5:
		kvm_lapic_get(&apic, image, where & 1);
		image[where & 0xff] = value;
		kvm_lapic_set(&apic, image);
		break;
	case 6:
		kvm_lapic_local(&apic, APIC_LVT_TIMER + (where % 6) * 0x10);
		break;
	case 7:
		kvm_lapic_set_tpr(&apic, (u8)value);
		break;
	}
}

static void step_pic_pit(u8 what, u16 where, u32 value)
{
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	static const u16 timers[] = { 0x40, 0x41, 0x42, 0x43, 0x61 };
	bool fresh;
	u8 byte;

	switch (what & 7) {
	case 0:
		kvm_pic_write(&pic, ports[where % 6], (u8)value);
		break;
	case 1:
		kvm_pic_read(&pic, ports[where % 6], &byte);
		break;
	case 2:
		kvm_pic_line(&pic, where & 15, value & 1);
		break;
	case 3:
		byte = kvm_pic_acknowledge(&pic);
		assert(byte - pic.chip[0].irq_base < 8U || byte - pic.chip[1].irq_base < 8U);
		break;
	case 4:
	case 5:
		kvm_pit_write(&pit, timers[where % 5], (u8)value, now_ns, &fresh);
		break;
	case 6:
		kvm_pit_read(&pit, timers[where % 5], &byte, now_ns);
		break;
	case 7:
		((u8 *)pit.channel)[where % sizeof(pit.channel)] = (u8)value;
		kvm_pit_settle(&pit, now_ns);
		break;
	}
	assert(kvm_pit_next(&pit, now_ns) > now_ns);
}

static void step_ioapic(u8 what, u16 where, u32 value)
{
	switch (what & 3) {
	case 0:
		kvm_ioapic_write(&ioapic, 0, where);
		kvm_ioapic_write(&ioapic, 0x10, value);
		break;
	case 1:
		kvm_ioapic_read(&ioapic, where);
		break;
	case 2:
		kvm_ioapic_line(&ioapic, where % KVM_IOAPIC_NUM_PINS, value & 1);
		break;
	case 3:
		ioapic.state.redirtbl[where % KVM_IOAPIC_NUM_PINS].bits ^= (u64)value
									   << (where >> 8 & 31);
		kvm_ioapic_settle(&ioapic);
		break;
	}
}

/* Bytes: chip and step, time, where (2), value (4). */
static void fuzz_one(const u8 *p, size_t n)
{
	memset(&apic, 0, sizeof(apic));
	apic.ops = &ops;
	apic.base_reserved = ~0ULL << 48;
	ioapic.deliver = deliver;
	now_ns = 1000000;
	kvm_lapic_reset(&apic, true);
	kvm_ioapic_reset(&ioapic);
	kvm_pic_reset(&pic);
	kvm_pit_reset(&pit, now_ns);
	for (; n >= 8; p += 8, n -= 8) {
		u16 where = (u16)(p[2] | p[3] << 8);
		u32 value = (u32)(p[4] | p[5] << 8 | p[6] << 16) | (u32)p[7] << 24;
		int vector;

		deliveries = 0;
		now_ns += (u64)p[1] * p[1] * 4000;
		switch (p[0] >> 4 & 3) {
		case 0:
			step_apic(p[0], where, value);
			break;
		case 1:
			step_pic_pit(p[0], where, value);
			break;
		case 2:
			step_ioapic(p[0], where, value);
			break;
		case 3:
			break;
		}
		kvm_lapic_expire(&apic);
		assert(kvm_lapic_next(&apic) > now_ns);
		assert(deliveries <= KVM_IOAPIC_NUM_PINS);	/* one step ends */
		vector = kvm_lapic_pending(&apic);
		assert(vector == -1 || (vector >= FIRST_VECTOR && vector <= 255));
		if (vector >= 0 && p[0] & 0x40) {
			kvm_lapic_serve(&apic, (u8)vector);
			assert(kvm_lapic_pending(&apic) != vector);
		}
	}
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 seeds[][32] = {
		{ 0x00, 1, 0xf0, 0, 0xff, 1, 0, 0, 0x00, 1, 0x20, 3, 0x40, 0, 2, 0,
		  0x00, 1, 0x80, 3, 0,	  1, 0, 0, 0x70, 9, 0,	  0, 0,	   0, 0, 0 },
		{ 0x20, 1, 0x12, 0, 0x31, 0x80, 0, 0, 0x22, 0, 1,    0, 1, 0, 0, 0,
		  0x70, 0, 0,	 0, 0,	  0,	0, 0, 0x00, 0, 0xb0, 0, 0, 0, 0, 0 },
		{ 0x10, 0, 0, 0, 0x11, 0, 0, 0, 0x10, 0, 1, 0, 0x20, 0, 0, 0,
		  0x12, 0, 3, 0, 1,    0, 0, 0, 0x13, 0, 0, 0, 0,    0, 0, 0 },
		{ 0x14, 0, 3, 0, 0x34, 0, 0, 0, 0x14, 0,  0, 0, 0x9c, 0, 0, 0,
		  0x14, 0, 0, 0, 0x2e, 0, 0, 0, 0x16, 99, 0, 0, 0,    0, 0, 0 },
		{ 0x04, 0, 1,	 0, 0,	  0xc, 0xe0, 0xfe, 0x03, 0, 0x30, 0, 0xf1, 0, 4, 0,
		  0x05, 0, 0x20, 0, 0xff, 0,   0,    0,	   0x03, 0, 0x3f, 0, 0x77, 0, 0, 0 },
	};

	if (i >= sizeof(seeds) / sizeof(*seeds))
		return 0;
	memcpy(buf, seeds[i], sizeof(seeds[i]));
	return sizeof(seeds[i]);
}
