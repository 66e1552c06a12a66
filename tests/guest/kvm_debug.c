// SPDX-License-Identifier: MIT
/*
 * What a VM's owner has of a vCPU besides running it (x86_64): debugging its guest, machine checks,
 * and the clock that guests read.
 */
#include "t.h"
#ifdef __x86_64__
#include "kvm_machine.h"
#include <linux/kvm_para.h>

static void start(struct machine *m, uint64_t a)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rsp = 0x8000, .rax = a };

	OK(ioctl(m->v, KVM_SET_REGS, &regs));
}

static struct kvm_regs regs_of(struct machine *m)
{
	struct kvm_regs r;

	OK(ioctl(m->v, KVM_GET_REGS, &r));
	return r;
}

/* ---- debugging ---- */

#define ON KVM_GUESTDBG_ENABLE
#define STEP KVM_GUESTDBG_SINGLESTEP

static int debug(struct machine *m, uint32_t control, uint64_t dr0, uint64_t dr7)
{
	struct kvm_guest_debug d = { .control = control };

	d.arch.debugreg[0] = dr0;
	d.arch.debugreg[7] = dr7;
	return ioctl(m->v, KVM_SET_GUEST_DEBUG, &d);
}

static void expect_debug(struct machine *m, uint32_t exception, uint64_t pc)
{
	RUN(m, KVM_EXIT_DEBUG);
	EQ(m->run->debug.arch.exception, exception);
	EQ(m->run->debug.arch.pc, pc);
	EQ(regs_of(m).rip, pc);
}

/* Of one, two, two and one bytes; CPUID and MOV CR are executed for it. */
GUEST(steps, ".code32",
      "incl %eax; cpuid; movl %cr0, %edx; nop; pushf; popl %ecx; incl %eax; nop; hlt");

TEST(kvm_single_step)
{
	static const unsigned int at[] = { 1, 3, 6, 7, 8, 9, 10, 11 };
	struct machine m;

	machine(&m, MB, steps, steps_end);
	protected_mode(m.v);
	EQ(extension(&m, KVM_CAP_SET_GUEST_DEBUG), 1);
	EQ(extension(&m, KVM_CAP_X86_ROBUST_SINGLESTEP), 1);
	EQ(extension(&m, KVM_CAP_SET_GUEST_DEBUG2) & 0x1f0003, 0x1f0003);
	ERR(ioctl(m.v, KVM_SET_GUEST_DEBUG, NULL), EFAULT);
	start(&m, 1);
	OK(debug(&m, ON | STEP, 0, 0));
	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		expect_debug(&m, 1, CODE + at[i]);
		EQ(m.run->debug.arch.dr6 & 1 << 14, 1 << 14);
		/* The guest's flags are its own. */
		struct kvm_regs r = regs_of(&m);

		EQ(r.rflags & 1 << 8, 0);
		OK(ioctl(m.v, KVM_SET_REGS, &r));
		OK(debug(&m, ON | STEP, 0, 0));	/* Linux forgets it here */
	}
	OK(debug(&m, 0, 0, 0));
	RUN(&m, KVM_EXIT_HLT);
	/* Off from the first one on, it is not seen at all. */
	start(&m, 1);
	OK(debug(&m, STEP, 0, 0));
	RUN(&m, KVM_EXIT_HLT);
}

GUEST(breaks, ".code32", "incl %eax; int3; movl %eax, 0x5000; nop; hlt");

/* The owner's INT3. QEMU's emulation takes it for INT 3, whose intercept is another one. */
TEST(kvm_int3)
{
	struct machine m;

	machine(&m, MB, breaks, breaks_end);
	protected_mode(m.v);
	OK(debug(&m, ON | KVM_GUESTDBG_USE_SW_BP, 0, 0));
	start(&m, 6);
	OK(ioctl(m.v, KVM_RUN, 0));
	if (m.run->exit_reason == KVM_EXIT_SHUTDOWN)
		SKIP("this CPU does not intercept INT3");
	EQ(m.run->exit_reason, KVM_EXIT_DEBUG);
	EQ(m.run->debug.arch.exception, 3);
	EQ(m.run->debug.arch.pc, CODE + 1);
	EQ(regs_of(&m).rip, CODE + 1);
	EQ(regs_of(&m).rax, 7);
}

TEST(kvm_breakpoints)
{
	struct machine m;
	struct kvm_debugregs d;

	machine(&m, MB, breaks, breaks_end);
	protected_mode(m.v);
	/* An instruction, then a write. */
	OK(ioctl(m.v, KVM_GET_DEBUGREGS, &d));
	OK(debug(&m, ON | KVM_GUESTDBG_USE_HW_BP, CODE + 7, 0x402));
	set_rip(m.v, CODE + 2);
	expect_debug(&m, 1, CODE + 7);
	EQ(m.run->debug.arch.dr6 & 0xf, 1);
	OK(debug(&m, ON | KVM_GUESTDBG_USE_HW_BP, 0x5000, 0x402 | 0xd << 16));
	set_rip(m.v, CODE + 2);
	expect_debug(&m, 1, CODE + 7);
	EQ(m.run->debug.arch.dr6 & 0xf, 1);
	/* The guest's own registers are not touched. */
	{
		struct kvm_debugregs e;

		OK(ioctl(m.v, KVM_GET_DEBUGREGS, &e));
		CHECK(!memcmp(d.db, e.db, sizeof(d.db)));
		EQ(e.dr7, d.dr7);
	}
	OK(debug(&m, 0, 0, 0));
	set_rip(m.v, CODE + 2);
	RUN(&m, KVM_EXIT_HLT);
}

/* Vectors of real mode: #DB and #BP each say so by a port. */
GUEST(caught, ".code16",
      "int3; hlt\n.org caught + 0x10\npopw %ax; outw %ax, $0x83; hlt\n"
      ".org caught + 0x20\npopw %ax; outw %ax, $0x81; hlt");

TEST(kvm_debug_inject)
{
	struct machine m;

	machine(&m, MB, caught, caught_end);
	*(uint32_t *)(m.mem + 4) = CODE + 0x20;
	*(uint32_t *)(m.mem + 12) = CODE + 0x10;
	/* In place of the INT3 that the owner has caught: behind it. */
	OK(debug(&m, ON | KVM_GUESTDBG_INJECT_BP, 0, 0));
	ERR(debug(&m, ON | KVM_GUESTDBG_INJECT_DB, 0, 0), EBUSY);
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x83);
	EQ(*(uint16_t *)io_data(m.run), CODE + 1);
	RUN(&m, KVM_EXIT_HLT);
	set_rip(m.v, CODE + 1);
	OK(debug(&m, ON | KVM_GUESTDBG_INJECT_DB, 0, 0));
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x81);
	EQ(*(uint16_t *)io_data(m.run), CODE + 1);
}

/* ---- machine checks ---- */

#define VALID (1ull << 63)
#define OVER (1ull << 62)
#define UC (1ull << 61)
#define AR (1ull << 55)

static int get_msr(struct machine *m, uint32_t index, uint64_t *value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e;
	} x = { { .nmsrs = 1 }, { .index = index } };
	int n = OK(ioctl(m->v, KVM_GET_MSRS, &x));

	*value = x.e.data;
	return n;
}

static int set_msr(struct machine *m, uint32_t index, uint64_t value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e;
	} x = { { .nmsrs = 1 }, { .index = index, .data = value } };

	return OK(ioctl(m->v, KVM_SET_MSRS, &x));
}

static uint64_t msr(struct machine *m, uint32_t index)
{
	uint64_t value;

	EQ(get_msr(m, index, &value), 1);
	return value;
}

static int raise_mce(struct machine *m, unsigned int bank, uint64_t status, uint64_t mcg)
{
	struct kvm_x86_mce e = { .status = status,
				 .addr = 0x1234,
				 .misc = 0x55,
				 .mcg_status = mcg,
				 .bank = (uint8_t)bank };

	return ioctl(m->v, KVM_X86_SET_MCE, &e);
}

GUEST(checked, ".code16", "hlt\n.org checked + 0x10\noutb %al, $0x92; hlt");

TEST(kvm_mce)
{
	struct machine m;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	uint64_t cap, value;

	machine(&m, MB, checked, checked_end);
	EQ(extension(&m, KVM_CAP_MCE), 32);
	OK(ioctl(kvm, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap));
	EQ(cap & 0x1000100, 0x1000100);
	EQ(cap & 0xffffff, 0x100);
	ERR(ioctl(kvm, KVM_X86_GET_MCE_CAP_SUPPORTED, NULL), EFAULT);
	EQ(msr(&m, 0x179), 32);
	/* Refused: no banks, too many, what is not supported. */
	value = 0x100;
	ERR(ioctl(m.v, KVM_X86_SETUP_MCE, &value), EINVAL);
	value = 33;
	ERR(ioctl(m.v, KVM_X86_SETUP_MCE, &value), EINVAL);
	value = 10 | 1ull << 40;
	ERR(ioctl(m.v, KVM_X86_SETUP_MCE, &value), EINVAL);
	ERR(ioctl(m.v, KVM_X86_SETUP_MCE, NULL), EFAULT);
	value = 10 | cap;
	OK(ioctl(m.v, KVM_X86_SETUP_MCE, &value));
	EQ(msr(&m, 0x179), value & 0x1ff);	/* the rest is Intel's */
	EQ(msr(&m, 0x17b), ~0ull);
	EQ(msr(&m, 0x400), ~0ull);
	EQ(msr(&m, 0x400 + 4 * 9), ~0ull);
	EQ(get_msr(&m, 0x400 + 4 * 10, &value), 0);
	EQ(set_msr(&m, 0x400, 5), 0);
	EQ(set_msr(&m, 0x400, ~1ull), 1);
	EQ(set_msr(&m, 0x17b, 5), 0);
	EQ(set_msr(&m, 0x179, 5), 0);
	EQ(set_msr(&m, 0x400, ~0ull), 1);
	close(kvm);
}

TEST(kvm_mce_raised)
{
	struct machine m;
	uint64_t value = 0x10a;
	struct kvm_sregs s;

	machine(&m, MB, checked, checked_end);
	*(uint32_t *)(m.mem + 4 * 18) = CODE + 0x10;
	OK(ioctl(m.v, KVM_X86_SETUP_MCE, &value));
	ERR(raise_mce(&m, 10, VALID, 0), EINVAL);
	ERR(raise_mce(&m, 0, UC, 0), EINVAL);
	/* Corrected: only noted. A second one overflows. */
	OK(raise_mce(&m, 1, VALID, 0));
	EQ(msr(&m, 0x405), VALID);
	EQ(msr(&m, 0x406), 0x1234);
	EQ(msr(&m, 0x407), 0x55);
	OK(raise_mce(&m, 1, VALID | 7, 0));
	EQ(msr(&m, 0x405), VALID | OVER | 7);
	/* Uncorrected: #MC. */
	OK(ioctl(m.v, KVM_GET_SREGS, &s));
	s.cr4 |= 1 << 6;
	OK(ioctl(m.v, KVM_SET_SREGS, &s));
	OK(raise_mce(&m, 2, VALID | UC | AR, 5));
	EQ(msr(&m, 0x409), VALID | UC | AR);
	EQ(msr(&m, 0x17a), 5);
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x92);
	RUN(&m, KVM_EXIT_HLT);
	OK(raise_mce(&m, 2, VALID, 0));
	EQ(msr(&m, 0x409), VALID | OVER | UC | AR);
	/* Not heard of: its bank is off. In the middle of another one: the end. */
	EQ(set_msr(&m, 0x40c, 0), 1);
	OK(raise_mce(&m, 3, VALID | UC | AR, 1));
	EQ(msr(&m, 0x40d), 0);
	EQ(set_msr(&m, 0x17a, 4), 1);
	OK(raise_mce(&m, 2, VALID | UC | AR, 4));
	RUN(&m, KVM_EXIT_SHUTDOWN);
}

/* ---- kvm-clock ---- */

struct time_page {
	uint32_t version, pad0;
	uint64_t tsc, ns;
	uint32_t mult;
	int8_t shift;
	uint8_t flags, pad[2];
};

static uint64_t clock_now(struct machine *m)
{
	struct kvm_clock_data d = { 0 };

	OK(ioctl(m->vm, KVM_GET_CLOCK, &d));
	EQ(d.flags & ~14u, 0);
	return d.clock;
}

static int clock_set(struct machine *m, uint64_t ns, uint32_t flags)
{
	struct kvm_clock_data d = { .clock = ns, .flags = flags };

	return ioctl(m->vm, KVM_SET_CLOCK, &d);
}

static uint64_t guest_ns(const struct time_page *p, uint64_t tsc)
{
	uint64_t delta = tsc - p->tsc;

	delta = p->shift < 0 ? delta >> -p->shift : delta << p->shift;
	return p->ns + (uint64_t)((unsigned __int128)delta * p->mult >> 32);
}

/* What the guest reads is between two of the owner's. SLACK: two roundings. */
static void same_clock(struct machine *m, const struct time_page *p)
{
	uint64_t slack = 2000, a = clock_now(m), g = guest_ns(p, msr(m, 0x10)), b = clock_now(m);

	CHECK(a <= b);
	CHECK(g + slack >= a);
	CHECK(g <= b + slack);
}

GUEST(halts, ".code16", "1: hlt; jmp 1b");

TEST(kvm_clock)
{
	struct machine m;
	volatile struct time_page *p;
	struct time_page once;
	struct kvm_clock_data d = { 0 };

	machine(&m, MB, halts, halts_end);
	p = (void *)(m.mem + 0x9000);
	EQ(extension(&m, KVM_CAP_ADJUST_CLOCK), 14);
	ERR(ioctl(m.vm, KVM_GET_CLOCK, NULL), EFAULT);
	ERR(ioctl(m.vm, KVM_SET_CLOCK, NULL), EFAULT);
	ERR(clock_set(&m, 0, 1), EINVAL);
	ERR(clock_set(&m, 0, 16), EINVAL);
	/* It began with the VM. */
	CHECK(clock_now(&m) < 1000000000000ull);
	EQ(p->version, 0);
	EQ(set_msr(&m, 0x4b564d01, 0x9001), 1);
	EQ(msr(&m, 0x4b564d01), 0x9001);
	RUN(&m, KVM_EXIT_HLT);
	once = *(struct time_page *)p;
	CHECK(once.version && !(once.version & 1));
	CHECK(once.mult >> 31 || once.shift);
	same_clock(&m, &once);
	/* Set by its owner, to what it had long ago, then forwards. */
	OK(clock_set(&m, 5000000000000ull, 0));
	CHECK(clock_now(&m) >= 5000000000000ull);
	RUN(&m, KVM_EXIT_HLT);
	CHECK(p->version != once.version && !(p->version & 1));
	once = *(struct time_page *)p;
	same_clock(&m, &once);
	CHECK(guest_ns(&once, msr(&m, 0x10)) >= 5000000000000ull);
	OK(ioctl(m.vm, KVM_GET_CLOCK, &d));
	if (d.flags & KVM_CLOCK_TSC_STABLE)
		EQ(once.flags & 1, 1);
	if (d.flags & KVM_CLOCK_REALTIME) {
		/* A second ago it was 7 s: 8 s now, or more. */
		d.clock = 7000000000ull;
		d.realtime -= 1000000000;
		d.flags = KVM_CLOCK_REALTIME;
		OK(ioctl(m.vm, KVM_SET_CLOCK, &d));
		CHECK(clock_now(&m) >= 8000000000ull);
		CHECK(clock_now(&m) < 5000000000000ull);
	}
}

TEST(kvm_clock_pages)
{
	struct machine m;
	volatile struct time_page *p;
	volatile uint32_t *wall;
	struct kvm_run *run;
	uint32_t version;
	struct timespec now;
	int second;

	machine(&m, MB, halts, halts_end);
	p = (void *)(m.mem + 0x9000);
	wall = (void *)(m.mem + 0xa000);
	EQ(set_msr(&m, 0x4b564d01, 0x9001), 1);
	/* The time of day at its 0. */
	OK(clock_set(&m, 0, 0));
	EQ(set_msr(&m, 0x4b564d00, 0xa000), 1);
	EQ(wall[0] & 1, 0);
	CHECK(wall[0]);
	CHECK(wall[2] < 1000000000);
	OK(clock_gettime(CLOCK_REALTIME, &now));
	CHECK(wall[1] <= now.tv_sec && wall[1] + 60 > now.tv_sec);
	/* Off: it is not written any more. Where there is no memory nothing happens. */
	RUN(&m, KVM_EXIT_HLT);
	EQ(set_msr(&m, 0x4b564d01, 0), 1);
	version = p->version;
	OK(clock_set(&m, 1, 0));
	RUN(&m, KVM_EXIT_HLT);
	EQ(p->version, version);
	EQ(set_msr(&m, 0x4b564d01, 0x40000001), 1);
	RUN(&m, KVM_EXIT_HLT);
	/* A second vCPU's TSC is the first one's; the old numbers are the same MSRs. */
	second = vcpu(&m, 1, &run);
	{
		struct machine o = { .vm = m.vm, .v = second };
		uint64_t a = msr(&m, 0x10), b = msr(&o, 0x10), c = msr(&m, 0x10);

		CHECK(a <= b && b <= c);
		EQ(set_msr(&o, 0x12, 0x9001), 1);
		EQ(msr(&o, 0x4b564d01), 0x9001);
	}
}

/* What CPUID promises. */
TEST(kvm_clock_cpuid)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} id = { { .nent = 256 }, { { 0 } } };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	unsigned int found = 0;

	if (kvm < 0)
		SKIP("this CPU runs no guests");
	OK(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &id));
	for (unsigned int i = 0; i < id.head.nent; i++) {
		const struct kvm_cpuid_entry2 *e = &id.entries[i];

		if (e->function == KVM_CPUID_SIGNATURE) {
			EQ(e->ebx, 0x4b4d564b);
			found++;
		} else if (e->function == KVM_CPUID_FEATURES) {
			EQ(e->eax & 9, 9);
			found++;
		} else if (e->function == 1) {
			EQ(e->edx & 0x4080, 0x4080);
			found++;
		}
	}
	EQ(found, 3);
}
#else
TEST(kvm_vcpu)
{
	SKIP("these guests are x86_64's");
}
#endif
