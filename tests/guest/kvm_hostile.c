// SPDX-License-Identifier: MIT
/*
 * Guests that mean harm (x86_64): random bytes in each mode, random MSRs, ports and registers of
 * the local APIC, tables in MMIO, and tables that somebody changes while they are walked. Whatever
 * they do, KVM_RUN gives an exit or an errno that its owner knows, the vCPU's state is one that a
 * CPU can have (what was read can be set), and memory behind the guest's is not touched.
 * KVM_PROGRAMS=N in the environment: N programs of each kind; KVM_SEED=N: others.
 */
#define TEST_LIMIT 400
#include "t.h"
#ifdef __x86_64__
#include "kvm_hostile.h"

#define TABLES 0x2000		/* three pages: of long mode, and of PAE */
#define DESCS 0x6000		/* GDT, IDT, TSS: a page each */
#define CODE_SIZE 256
#define STEPS 40		/* exits of one program */

enum mode { REAL, PROTECTED, PAE, LONG };

/* The third GiB of addresses is the second one of the guest's: MMIO; so is the second one. */
static void tables(struct machine *m, enum mode mode)
{
	uint64_t *top = (void *)(m->mem + TABLES), *pdpt = top,
		 *pd = (void *)(m->mem + TABLES + 2 * PAGE);

	memset(top, 0, 3 * PAGE);
	if (mode == LONG) {
		pdpt = (void *)(m->mem + TABLES + PAGE);
		top[0] = (TABLES + PAGE) | 7;
		pdpt[1] = AT_MMIO | 0x87;
	}
	pdpt[0] = (TABLES + 2 * PAGE) | (mode == LONG ? 7 : 1);
	for (uint64_t i = 0; i < 512; i++)
		pd[i] = (i << 21) | 0x87;
}

/* Code, and descriptors that mean something now and then. */
static void fill(struct machine *m, enum mode mode)
{
	static const uint64_t descs[] = {
		0,
		0x00cf9b000000ffff,
		0x00cf93000000ffff,
		0x00af9b000000ffff,
		0x00008b0000000067,
		0x00cffb000000ffff,
		0x10008e0000080000,
		0x10008f0000080000,
	};

	random_bytes(m->mem + CODE, CODE_SIZE);
	random_bytes(m->mem + DESCS, 3 * PAGE);
	for (size_t i = 0; i < 3 * PAGE; i += 8) {
		uint64_t x = chance();

		if (x & 3)
			memcpy(m->mem + DESCS + i, &descs[x >> 8 & 7], 8);
	}
	if (mode == REAL) /* what looks like a gate is code there */
		for (size_t i = 0; i < 3 * PAGE; i++)
			m->mem[DESCS + i] = (char)harmless(m->mem[DESCS + i], 1);
	tables(m, mode);
}

static void segments(struct kvm_sregs *s, enum mode mode)
{
	static const struct kvm_segment flat = { .limit = 0xffffffff,
						 .selector = 8,
						 .type = 3,
						 .present = 1,
						 .s = 1,
						 .db = 1,
						 .g = 1 },
					real = { .limit = 0xffff, .type = 3, .present = 1, .s = 1 };

	s->ds = s->es = s->fs = s->gs = s->ss = s->cs = mode == REAL ? real : flat;
	s->cs.type = 11;
	s->cs.l = mode == LONG;
	s->cs.db = mode == PROTECTED || mode == PAE;
	s->ldt = real;
	s->ldt.s = 0;
	s->tr = s->ldt;
	s->ldt.type = 2;
	s->ldt.base = DESCS;
	s->tr.type = 11;
	s->tr.base = DESCS + 2 * PAGE;
	s->gdt = (struct kvm_dtable){ DESCS, PAGE - 1, { 0 } };
	s->idt = (struct kvm_dtable){ DESCS + PAGE, PAGE - 1, { 0 } };
}

/* A vCPU as it begins in MODE. */
static void begin(struct machine *m, int v, enum mode mode)
{
	struct kvm_regs r = { .rip = CODE, .rflags = 2, .rsp = 0x9000 };
	struct kvm_vcpu_events none = { .flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
						 KVM_VCPUEVENT_VALID_SHADOW };
	struct kvm_mp_state runs = { KVM_MP_STATE_RUNNABLE };
	struct kvm_debugregs d = { .dr6 = 0xffff0ff0, .dr7 = 0x400 };
	struct kvm_sregs s;

	fill(m, mode);
	OK(ioctl(v, KVM_SET_VCPU_EVENTS, &none));
	OK(ioctl(v, KVM_SET_MP_STATE, &runs));
	OK(ioctl(v, KVM_GET_SREGS, &s));
	segments(&s, mode);
	s.cr0 = mode == REAL ? 0x10 : mode == PROTECTED ? 0x11 : 0x80000011;
	s.cr3 = mode >= PAE ? TABLES : 0;
	s.cr4 = mode >= PAE ? 0x20 : 0;
	s.efer = mode == LONG ? 1 << 8 | 1 << 10 | 1 : 0;
	s.cr8 = 0;
	memset(s.interrupt_bitmap, 0, sizeof(s.interrupt_bitmap));
	OK(ioctl(v, KVM_SET_SREGS, &s));
	OK(ioctl(v, KVM_SET_DEBUGREGS, &d));
	r.rax = harmless(chance(), 8);
	r.rbx = harmless(chance(), 8) & (SIZE - 1);
	r.rcx = harmless(chance(), 8) & 0xff;
	r.rdx = harmless(chance(), 8) & 0xffff;
	r.rsi = AT_MMIO + (harmless(chance(), 8) & 0xffff);
	r.rdi = chance() & 1 ? 0xfee00000 + (chance() & 0xff0) : harmless(chance(), 8);
	r.rbp = AT_MMIO;
	OK(ioctl(v, KVM_SET_REGS, &r));
}

static void random_programs(enum mode mode, unsigned int n)
{
	const char *other = getenv("KVM_SEED");
	struct machine m;

	seed = 1 + (uint64_t)mode + (other ? strtoull(other, NULL, 0) << 8 : 0);
	ticks();
	for (unsigned int i = 0; i < n; i++) {
		if (i % 100 == 0)
			hostile_machine(&m, false);
		begin(&m, m.v, mode);
		for (int k = 0; k < STEPS && step(m.v, m.run); k++)
			;
		a_state(m.v);
		if (i % 100 == 99 || i == n - 1)
			end_machine(&m);
	}
}

TEST(kvm_random_bytes_in_real_mode)
{
	random_programs(REAL, programs(60));
}

TEST(kvm_random_bytes_in_protected_mode)
{
	random_programs(PROTECTED, programs(60));
}

TEST(kvm_random_bytes_under_pae)
{
	random_programs(PAE, programs(60));
}

TEST(kvm_random_bytes_in_long_mode)
{
	random_programs(LONG, programs(60));
}
#else
TEST(kvm_hostile)
{
	SKIP("these guests are x86_64's");
}
#endif
