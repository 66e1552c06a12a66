// SPDX-License-Identifier: MIT
/*
 * Guests and owners that mean harm, aimed (x86_64): random MSRs, ports and registers of interrupt
 * chips; tables that change while they are walked, by the owner and by another vCPU, and tables in
 * MMIO. What must hold is in kvm_hostile.c's head. KVM_PROGRAMS=N: N turns of each.
 */
#define TEST_LIMIT 400
#include "t.h"
#ifdef __x86_64__
#include <pthread.h>
#include "kvm_hostile.h"

#define PML4 0x2000

GUEST(write_msr, ".code32", "wrmsr; rdmsr; out %al, $0x80");
GUEST(read_msr, ".code32", "rdmsr; out %al, $0x80");
GUEST(write_port, ".code32", "out %al, %dx; out %eax, %dx; in %dx, %ax; rep outsb; out %al, $0x80");
GUEST(write_page, ".code32",
      "mov %eax, (%edi); mov (%edi), %ebx; mov %bl, 1(%edi); out %al, $0x80");
/* Through tables, with MMIO, which the kernel executes, and a table of interrupts. */
GUEST(walker, ".code64",
      "1: mov (%rsi), %eax; mov %eax, (%rdi); invlpg (%rdi); push %rax; pop %rbx; int $0x20; jmp 1b");
/* ESI: which entries; the page of each comes from a few that are there. */
GUEST(changer, ".code32",
      "1: imul $1103515245, %esi, %esi; add $12345, %esi; mov %esi, %edi; shr $16, %edi;"
      "and $0x4ff8, %edi; add $0x2000, %edi; mov %esi, %eax; shr $8, %eax; and $0x7fe7, %eax;"
      "xchg %eax, (%edi); cpuid; mov %eax, (%edi); jmp 1b");

static void put_regs(int v, uint64_t ax, uint64_t cx, uint64_t dx, uint64_t di)
{
	struct kvm_regs r = { .rip = CODE, .rflags = 2, .rsp = 0x8000, .rsi = 0x7000 };

	r.rax = ax;
	r.rcx = cx;
	r.rdx = dx;
	r.rdi = di;
	OK(ioctl(v, KVM_SET_REGS, &r));
}

static void put_code(struct machine *m, const char *code, const char *end)
{
	memcpy(m->mem + CODE, code, (size_t)(end - code));
}

/* A vCPU that is as it was once, whatever became of it. */
static void revive(int v, const struct kvm_sregs *s)
{
	struct kvm_vcpu_events none = { .flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
						 KVM_VCPUEVENT_VALID_SHADOW };
	struct kvm_mp_state runs = { KVM_MP_STATE_RUNNABLE };

	OK(ioctl(v, KVM_SET_MP_STATE, &runs));
	OK(ioctl(v, KVM_SET_VCPU_EVENTS, &none));
	OK(ioctl(v, KVM_SET_SREGS, s));
}

static void aimed_machine(struct machine *m, bool chips, struct kvm_sregs *s)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	hostile_machine(m, chips);
	if (chips)
		OK(ioctl(m->vm, KVM_CREATE_PIT2, &pit));
	protected_mode(m->v);
	OK(ioctl(m->v, KVM_GET_SREGS, s));
	s->idt.limit = 0;		/* a fault is the end of a turn */
}

static void exits(struct machine *m)
{
	for (int i = 0; i < 20 && step(m->v, m->run); i++)
		if (m->run->exit_reason == KVM_EXIT_IO && m->run->io.port == 0x80)
			break;
	a_state(m->v);
}

static uint32_t some_msr(void)
{
	static const uint32_t near[] = { 0,	0x10,	    0x1b,	0x170,	    0x1d0,
					 0x200, 0x250,	    0x277,	0x2ff,	    0x400,
					 0x6e0, 0x800,	    0x830,	0xda0,	    0x4b564d00,
					 0xe7,	0xc0000080, 0xc0000100, 0xc0010000, 0xc0010110 };
	uint64_t x = chance();

	return x & 7 ? near[(x >> 8) % (sizeof(near) / 4)] + (x >> 39 & 1 ? x >> 40 & 15 : 0) :
		       (uint32_t)(x >> 16);
}

static uint64_t some_value(void)
{
	uint64_t x = chance();

	switch (x >> 60 & 3) {
	case 0:
		return x & 0xfff;
	case 1:
		return 0xfee00000 | (x & 0xfff);
	case 2:
		return 1ull << (x & 63);
	default:
		return x;
	}
}

static void random_msrs(bool chips)
{
	struct kvm_sregs s;
	struct machine m;

	ticks();
	aimed_machine(&m, chips, &s);
	for (unsigned int i = 0; i < programs(1000); i++) {
		struct {
			struct kvm_msrs head;
			struct kvm_msr_entry e;
		} one = { { .nmsrs = 1 }, { .index = some_msr(), .data = some_value() } };
		uint64_t x = some_value();
		int r = ioctl(m.v, KVM_SET_MSRS, &one);

		CHECK(r == 0 || r == 1);
		r = ioctl(m.v, KVM_GET_MSRS, &one);
		CHECK(r == 0 || r == 1);
		revive(m.v, &s);
		if (i & 1)
			put_code(&m, write_msr, write_msr_end);
		else
			put_code(&m, read_msr, read_msr_end);
		put_regs(m.v, (uint32_t)x, some_msr(), x >> 32, 0);
		exits(&m);
	}
	end_machine(&m);
}

TEST(kvm_random_msrs)
{
	random_msrs(false);
}

TEST(kvm_random_msrs_with_an_apic)
{
	random_msrs(true);
}

TEST(kvm_random_ports)
{
	struct kvm_sregs s;
	struct machine m;

	ticks();
	aimed_machine(&m, true, &s);
	put_code(&m, write_port, write_port_end);
	for (unsigned int i = 0; i < programs(1000); i++) {
		static const uint16_t near[] = { 0x20, 0xa0, 0x40, 0x60, 0x4d0 };
		uint64_t x = chance();

		revive(m.v, &s);
		put_regs(m.v, x & 0xffffffff, x >> 32 & 15,
			 x >> 62 ? near[(x >> 40) % 5] + (x >> 50 & 3) : x >> 40 & 0xffff, 0);
		exits(&m);
	}
	end_machine(&m);
}

TEST(kvm_random_registers_of_chips)
{
	struct kvm_sregs s;
	struct machine m;

	ticks();
	aimed_machine(&m, true, &s);
	put_code(&m, write_page, write_page_end);
	for (unsigned int i = 0; i < programs(1000); i++) {
		uint64_t x = chance();
		uint64_t at = x >> 60 ? 0xfee00000 + (x & (x >> 59 & 1 ? 0xfff : 0xff0)) :
					0xfec00000 + (x & 0x10);

		revive(m.v, &s);
		put_regs(m.v, (uint32_t)some_value(), 0, 0, at);
		exits(&m);
	}
	end_machine(&m);
}

/* Long mode, with the walker's code and tables of four levels down to pages of 4 KiB. */
static void walked_machine(struct machine *m, struct kvm_sregs *s)
{
	hostile_machine(m, false);
	put_code(m, walker, walker_end);
	long_mode(m);
	OK(ioctl(m->v, KVM_GET_SREGS, s));
	s->idt = (struct kvm_dtable){ PML4 + 3 * PAGE, 0xfff, { 0 } };
	s->gdt = (struct kvm_dtable){ PML4 + 4 * PAGE, 0xfff, { 0 } };
}

static struct {
	struct machine *m;
	int over;
} owner;

/* The ticks are the first thread's. */
static void no_ticks(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

/* The owner changes entries: memory, nothing, MMIO, the APIC's page, bits that are reserved. */
static void *rewrite(void *arg)
{
	static const uint64_t to[] = { 0,	    0x3003,
				       0x4003,	    0x5003,
				       0x83,	    0x200087,
				       0x7007,	    AT_MMIO | 0x83,
				       0xfee00003,  0x2003,
				       0x6005,	    0x63,
				       AT_MMIO | 3, 0x000ffffffffff003,
				       ~0ull };
	uint64_t x = 88172645463325252ull;

	no_ticks();
	while (!__atomic_load_n(&owner.over, __ATOMIC_RELAXED)) {
		uint64_t *e;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		e = (uint64_t *)(owner.m->mem + PML4 + (x % 5) * PAGE) +
		    (x >> 8 & 3 ? 0 : x >> 16 & 511);
		__atomic_store_n(e, to[(x >> 32) % (sizeof(to) / 8)], __ATOMIC_RELAXED);
		if (x >> 40 & 1)
			__atomic_store_n(e, to[1 + (x % 5)], __ATOMIC_RELAXED);
	}
	return arg;
}

static void walk(struct machine *m, const struct kvm_sregs *s)
{
	for (unsigned int i = 0; i < programs(100); i++) {
		uint64_t tables[] = { 0x3003, 0x4003 };

		memcpy(m->mem + PML4, &tables[0], 8);
		memcpy(m->mem + PML4 + PAGE, &tables[1], 8);
		memcpy(m->mem + PML4 + 2 * PAGE, &(uint64_t){ 0x83 }, 8);
		memcpy(m->mem + PML4 + 2 * PAGE + 8,
		       &(uint64_t){ i & 1 ? 0x83 | AT_MMIO : 0x200083 }, 8);
		revive(m->v, s);
		put_regs(m->v, 0, 0, 0, 0x200000);
		exits(m);
	}
}

TEST(kvm_tables_that_the_owner_changes)
{
	struct kvm_sregs s;
	struct machine m;
	pthread_t t;

	ticks();
	walked_machine(&m, &s);
	owner.m = &m;
	EQ(pthread_create(&t, NULL, rewrite, NULL), 0);
	walk(&m, &s);
	__atomic_store_n(&owner.over, 1, __ATOMIC_RELAXED);
	EQ(pthread_join(t, NULL), 0);
	end_machine(&m);
}

static void *run_changer(void *arg)
{
	int v = *(int *)arg;

	no_ticks();
	while (!__atomic_load_n(&owner.over, __ATOMIC_RELAXED))
		if (ioctl(v, KVM_RUN, 0) && errno != EINTR)
			return arg;
	return NULL;
}

TEST(kvm_tables_that_another_vcpu_changes)
{
	struct kvm_sregs s;
	struct kvm_run *run;
	struct machine m;
	pthread_t t;
	void *r;
	int v;

	ticks();
	walked_machine(&m, &s);
	v = vcpu(&m, 1, &run);
	memcpy(m.mem + 0x10000, changer, (size_t)(changer_end - changer));
	protected_mode(v);
	set_rip(v, 0x10000);
	OK(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = tick }, NULL));
	EQ(pthread_create(&t, NULL, run_changer, &v), 0);
	walk(&m, &s);
	__atomic_store_n(&owner.over, 1, __ATOMIC_RELAXED);
	run->immediate_exit = 1;
	EQ(pthread_kill(t, SIGUSR1), 0);
	EQ(pthread_join(t, &r), 0);
	CHECK(!r);
	OK(munmap(run, 3 * PAGE));
	OK(close(v));
	end_machine(&m);
}

/* Page tables, descriptors, stack and code where there is no memory. */
TEST(kvm_tables_in_mmio)
{
	static const uint64_t bases[] = { AT_MMIO, 0xfee00000, 0xfec00000, SIZE - 8, 0xfffff000 };
	struct kvm_sregs first, s;
	struct machine m;

	ticks();
	walked_machine(&m, &first);
	for (unsigned int i = 0; i < programs(100); i++) {
		uint64_t x = chance(), base = bases[x % 5];
		struct kvm_regs r = {
			.rip = CODE, .rflags = 2, .rsp = 0x8000, .rsi = 0x7000, .rdi = 0x200000
		};

		s = first;
		if (x >> 8 & 1)
			s.cr3 = base;
		if (x >> 9 & 1)
			s.gdt.base = base;
		if (x >> 10 & 1)
			s.idt.base = base;
		if (x >> 11 & 1)
			s.tr.base = s.ldt.base = base;
		if (x >> 12 & 1)
			r.rsp = base;
		if (x >> 13 & 1)
			r.rip = base;
		memcpy(m.mem + PML4 + (x >> 16) % 3 * PAGE, &(uint64_t){ base | 0x83 },
		       x >> 20 & 1 ? 8 : 0);
		revive(m.v, &s);
		OK(ioctl(m.v, KVM_SET_REGS, &r));
		exits(&m);
		long_mode(&m);
	}
	end_machine(&m);
}
#else
TEST(kvm_hostile_state)
{
	SKIP("these guests are x86_64's");
}
#endif
