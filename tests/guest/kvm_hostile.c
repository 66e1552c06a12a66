// SPDX-License-Identifier: MIT
/*
 * Guests that mean harm (x86_64): random bytes in each mode, random MSRs, ports and registers of
 * the local APIC, tables in MMIO, and tables that somebody changes while they are walked. Whatever
 * they do, KVM_RUN gives an exit or an errno that its owner knows, the vCPU's state is one that a
 * CPU can have (what was read can be set), and memory behind the guest's is not touched.
 * KVM_PROGRAMS=N in the environment: N programs of each kind, with no limit of time.
 */
#define TEST_LIMIT 600
#include "t.h"
#ifdef __x86_64__
#include <pthread.h>
#include <sys/time.h>
#include "kvm_machine.h"

#define SIZE (2 * MB)
#define TABLES 0x2000		/* three pages: of long mode, and of PAE */
#define DESCS 0x6000		/* GDT, IDT, TSS: a page each */
#define CODE_SIZE 256
#define STEPS 40		/* exits of one program */
#define AT_MMIO 0x40000000ull	/* the second GiB has no memory */

enum mode { REAL, PROTECTED, PAE, LONG };

static uint64_t seed = 1;

static uint64_t chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static unsigned int programs(unsigned int few)
{
	const char *n = getenv("KVM_PROGRAMS");

	return n ? (unsigned int)atoi(n) : few;
}

static void tick(int sig)
{
	(void)sig;
}

/* A guest that loops for ever is interrupted. */
static void ticks(void)
{
	struct itimerval t = { { 0, 4000 }, { 0, 4000 } };

	OK(sigaction(SIGALRM, &(struct sigaction){ .sa_handler = tick }, NULL));
	OK(setitimer(ITIMER_REAL, &t, NULL));
}

/*
 * QEMU 10.0 itself dies of a load of segment register 7 (8E /7), whoever executes it, a user
 * program too.
 */
static void random_bytes(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p[i] = (char)chance();
		if ((unsigned char)p[i] == 0x8e)
			p[i] = (char)0x90;
	}
}

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
	for (size_t i = 0; i < 3 * PAGE; i += 8) {
		uint64_t x = chance();

		x = x & 3 ? descs[x >> 8 & 7] : x;
		memcpy(m->mem + DESCS + i, &x, 8);
	}
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
	r.rax = chance();
	r.rbx = chance() & (SIZE - 1);
	r.rcx = chance() & 0xff;
	r.rdx = chance() & 0xffff;
	r.rsi = AT_MMIO + (chance() & 0xffff);
	r.rdi = chance() & 1 ? 0xfee00000 + (chance() & 0xff0) : chance();
	r.rbp = AT_MMIO;
	OK(ioctl(v, KVM_SET_REGS, &r));
}

/* What was read can be set, and is the same then. */
static void a_state(int v)
{
	struct kvm_vcpu_events e, f;
	struct kvm_debugregs d;
	struct kvm_sregs s, t;
	struct kvm_regs r, q;

	OK(ioctl(v, KVM_GET_VCPU_EVENTS, &e));
	OK(ioctl(v, KVM_GET_DEBUGREGS, &d));
	OK(ioctl(v, KVM_GET_SREGS, &s));
	OK(ioctl(v, KVM_GET_REGS, &r));
	if (s.cs.l && !(s.efer & 1 << 10)) { /* means nothing there, and Linux does not take it */
		ERR(ioctl(v, KVM_SET_SREGS, &s), EINVAL);
		s.cs.l = 0;
	}
	OK(ioctl(v, KVM_SET_SREGS, &s));
	OK(ioctl(v, KVM_SET_REGS, &r));
	OK(ioctl(v, KVM_SET_DEBUGREGS, &d));
	OK(ioctl(v, KVM_SET_VCPU_EVENTS, &e));
	OK(ioctl(v, KVM_GET_SREGS, &t));
	OK(ioctl(v, KVM_GET_REGS, &q));
	OK(ioctl(v, KVM_GET_VCPU_EVENTS, &f));
	CHECK(!memcmp(&s, &t, sizeof(s)));
	CHECK(!memcmp(&r, &q, sizeof(r)));
	EQ(e.exception.nr, f.exception.nr);
	EQ(e.interrupt.nr, f.interrupt.nr);
	EQ(e.nmi.masked, f.nmi.masked);
}

/* One KVM_RUN, and the answer to its exit. False: the program is over. */
static bool step(int v, struct kvm_run *run)
{
	run->request_interrupt_window = chance() & 1;
	if (ioctl(v, KVM_RUN, 0)) {
		CHECK(errno == EINTR || errno == EAGAIN || errno == EFAULT);
		return false;
	}
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		CHECK(run->io.size == 1 || run->io.size == 2 || run->io.size == 4);
		CHECK(run->io.count && run->io.size * (uint64_t)run->io.count <= PAGE);
		EQ(run->io.data_offset, PAGE);
		if (run->io.direction == KVM_EXIT_IO_IN)
			random_bytes((char *)run + PAGE, run->io.size * run->io.count);
		return true;
	case KVM_EXIT_MMIO:
		CHECK(run->mmio.len >= 1 && run->mmio.len <= 8);
		CHECK(run->mmio.phys_addr >= SIZE);
		if (!run->mmio.is_write)
			random_bytes((char *)run->mmio.data, 8);
		return true;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		CHECK(run->ready_for_interrupt_injection && run->if_flag);
		OK(ioctl(v, KVM_INTERRUPT,
			 &(struct kvm_interrupt){ (unsigned int)chance() & 0xff }));
		return true;
	case KVM_EXIT_INTERNAL_ERROR:
		CHECK(run->internal.ndata <= 16);
		return false;
	case KVM_EXIT_HLT:
	case KVM_EXIT_SHUTDOWN:
		return false;
	default:
		FAIL("exit %u", run->exit_reason);
	}
}

/* Flat memory, and a page behind it that is the owner's own. */
static void hostile_machine(struct machine *m)
{
	static const char halt[] = "\xf4";

	machine(m, SIZE + PAGE, halt, halt + 1);
	OK(region(m, 0, 0, 0, 0, NULL));
	memset(m->mem + SIZE, 0x5a, PAGE);
	OK(region(m, 0, 0, 0, SIZE, m->mem));
	m->size = SIZE;
}

static void end_machine(struct machine *m)
{
	for (size_t i = 0; i < PAGE; i++)
		EQ(m->mem[SIZE + i], 0x5a);
	OK(munmap(m->mem, SIZE + PAGE));
	OK(munmap(m->run, 3 * PAGE));
	OK(close(m->v));
	OK(close(m->vm));
}

static void random_programs(enum mode mode, unsigned int n)
{
	struct machine m;

	seed = 1 + (uint64_t)mode;
	ticks();
	for (unsigned int i = 0; i < n; i++) {
		if (i % 100 == 0)
			hostile_machine(&m);
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
	random_programs(REAL, programs(200));
}

TEST(kvm_random_bytes_in_protected_mode)
{
	random_programs(PROTECTED, programs(200));
}

TEST(kvm_random_bytes_under_pae)
{
	random_programs(PAE, programs(200));
}

TEST(kvm_random_bytes_in_long_mode)
{
	random_programs(LONG, programs(200));
}
#else
TEST(kvm_hostile)
{
	SKIP("these guests are x86_64's");
}
#endif
