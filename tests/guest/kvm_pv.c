// SPDX-License-Identifier: MIT
/*
 * What a guest (x86_64) asks of its CPU and host that has no device: MSRs without a function,
 * IA32_TSC_ADJUST, hypercalls, NMIs that come at once. Also on Linux.
 */
#include "t.h"
#ifdef __x86_64__
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "kvm_machine.h"

#define M_TSC 0x10
#define M_TSC_ADJUST 0x3b
#define IDT 0x9000
#define GDT 0xa000
#define FAULT 0x3000			/* handler of #GP: EDI counts, and behind the two bytes */

GUEST(write_msr, ".code32", "wrmsr; hlt; rdmsr; hlt");
GUEST(at_fault, ".code32", "pop %eax; incl %edi; addl $2, (%esp); iret");

/* A vCPU in protected mode whose #GP skips an instruction of two bytes and is counted in EDI. */
static void msr_machine(struct machine *m)
{
	static const uint64_t gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff };
	uint64_t gate = (uint64_t)FAULT | 8 << 16 | 0x8e00ull << 32;
	struct kvm_sregs s;

	machine(m, MB, write_msr, write_msr_end);
	memcpy(m->mem + FAULT, at_fault, (size_t)(at_fault_end - at_fault));
	memcpy(m->mem + GDT, gdt, sizeof(gdt));
	memcpy(m->mem + IDT + 8 * 13, &gate, sizeof(gate));
	protected_mode(m->v);
	OK(ioctl(m->v, KVM_GET_SREGS, &s));
	s.ss.selector = 16;
	s.gdt = (struct kvm_dtable){ .base = GDT, .limit = sizeof(gdt) - 1 };
	s.idt = (struct kvm_dtable){ .base = IDT, .limit = 8 * 14 - 1 };
	OK(ioctl(m->v, KVM_SET_SREGS, &s));
}

/* The guest writes VALUE and reads: what it reads; how many of both were #GP in *FAULTS. */
static uint64_t write_read(struct machine *m, uint32_t msr, uint64_t value, unsigned int *faults)
{
	struct kvm_regs r = { .rip = CODE, .rflags = 2, .rsp = 0x8000, .rcx = msr };

	r.rax = (uint32_t)value;
	r.rdx = value >> 32;
	OK(ioctl(m->v, KVM_SET_REGS, &r));
	RUN(m, KVM_EXIT_HLT);
	OK(ioctl(m->v, KVM_GET_REGS, &r));
	*faults = (unsigned int)r.rdi;
	r.rax = r.rdx = 0;
	OK(ioctl(m->v, KVM_SET_REGS, &r));
	RUN(m, KVM_EXIT_HLT);
	OK(ioctl(m->v, KVM_GET_REGS, &r));
	*faults |= (unsigned int)(r.rdi - *faults) << 1;
	return (uint32_t)r.rax | r.rdx << 32;
}

/* bit 0: the write is #GP, bit 1: the read */
TEST(kvm_msrs_without_a_function)
{
	static const struct {
		uint32_t msr;
		unsigned int faults;
		uint64_t value;
	} want[] = {
		{ 0xc0010000, 0, 0 }, { 0xc0010003, 0, 0 }, { 0xc0010004, 0, 0 },
		{ 0xc0010007, 0, 0 }, { 0xc1, 0, 0 },	    { 0x187, 0, 0 },
		{ 0x17, 1, 0 },	      { 0xcd, 1, 3 },	    { 0x198, 1, 1000 | 4ull << 40 },
		{ 0x79, 2, 0 },	      { 0xc0010020, 2, 0 }, { 0xc001001b, 0, 0x20000000 },
		{ 0xc001001f, 0, 0 }, { 0xc0010058, 1, 0 }, { 0xc0010112, 1, 0 },
		{ 0xc0011022, 0, 0 }, { 0xc0011023, 0, 0 }, { 0xc001102a, 0, 0 },
		{ 0x606, 1, 0 },      { 0xc3, 3, 0 },	    { 0x188, 3, 0 },
		{ 0xc0010008, 3, 0 }, { 0x40000200, 3, 0 },
	};
	struct machine m;

	msr_machine(&m);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		unsigned int faults;
		uint64_t value = write_read(&m, want[i].msr, 0x1234, &faults);

		if (faults != want[i].faults || value != want[i].value)
			FAIL("MSR %x: faults %u, value %llx", want[i].msr, faults,
			     (unsigned long long)value);
	}
}

static uint64_t get_msr(int v, uint32_t msr)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e;
	} x = { { .nmsrs = 1 }, { .index = msr } };

	EQ(ioctl(v, KVM_GET_MSRS, &x), 1);
	return x.e.data;
}

static void set_msr(int v, uint32_t msr, uint64_t value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e;
	} x = { { .nmsrs = 1 }, { .index = msr, .data = value } };

	EQ(ioctl(v, KVM_SET_MSRS, &x), 1);
}

/*
 * What a guest adds to IA32_TSC_ADJUST is added to its TSC, and the other way round; the owner's
 * does not.
 */
TEST(kvm_tsc_adjust)
{
	const uint64_t far = 1ull << 50, slack = 1ull << 45;
	struct machine m;
	unsigned int faults;
	uint64_t before;

	msr_machine(&m);
	EQ(get_msr(m.v, M_TSC_ADJUST), 0);
	before = get_msr(m.v, M_TSC);
	EQ(write_read(&m, M_TSC_ADJUST, far, &faults), far);
	EQ(faults, 0);
	CHECK(get_msr(m.v, M_TSC) - before >= far);
	CHECK(get_msr(m.v, M_TSC) - before < far + slack);
	write_read(&m, M_TSC, 0, &faults);
	EQ(faults, 0);
	CHECK(get_msr(m.v, M_TSC) < slack);
	CHECK(-get_msr(m.v, M_TSC_ADJUST) - before < slack);
	set_msr(m.v, M_TSC_ADJUST, far);
	EQ(get_msr(m.v, M_TSC_ADJUST), far);
	CHECK(get_msr(m.v, M_TSC) < slack);
}

#define M_LSTAR 0xc0000082
#define M_STAR 0xc0000081

static unsigned int faults_of(struct machine *m, uint32_t msr, uint64_t value)
{
	unsigned int faults;

	write_read(m, msr, value, &faults);
	return faults;
}

static void check_filter_errors(int vm)
{
	struct kvm_msr_filter f = { .flags = KVM_MSR_FILTER_DEFAULT_DENY };
	uint8_t bits[8] = { 0 };

	EQ(ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_X86_MSR_FILTER), 1);
	ERR(ioctl(vm, KVM_X86_SET_MSR_FILTER, 8), EFAULT);
	ERR(ioctl(vm, KVM_X86_SET_MSR_FILTER, &f), EINVAL);	/* of nothing */
	f.ranges[15] = (struct kvm_msr_filter_range){ .nmsrs = 1, .bitmap = bits };
	ERR(ioctl(vm, KVM_X86_SET_MSR_FILTER, &f), EINVAL);	/* neither read nor write */
	f.ranges[15].flags = 4;
	ERR(ioctl(vm, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
	f.ranges[15].flags = KVM_MSR_FILTER_READ;
	f.ranges[15].nmsrs = 0x600 * 8 + 1;
	ERR(ioctl(vm, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
	f.ranges[15].nmsrs = 1;
	f.ranges[15].bitmap = (void *)8;
	ERR(ioctl(vm, KVM_X86_SET_MSR_FILTER, &f), EFAULT);
	f.flags = 2;
	ERR(ioctl(vm, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
}

/* What a filter forbids is #GP, also of MSRs that the guest has for itself; not for its owner. */
TEST(kvm_msr_filter)
{
	uint8_t first[8] = { 1 }, none[8] = { 0 };
	struct kvm_msr_filter f = { 0 };
	struct machine m;

	msr_machine(&m);
	check_filter_errors(m.vm);
	EQ(faults_of(&m, M_LSTAR, 0x1000), 0);
	f.ranges[0] = (struct kvm_msr_filter_range){ KVM_MSR_FILTER_READ, 2, M_STAR, first };
	f.ranges[3] = (struct kvm_msr_filter_range){ KVM_MSR_FILTER_WRITE, 1, 0x174, none };
	OK(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &f));
	EQ(faults_of(&m, M_STAR, 1), 0);
	EQ(faults_of(&m, M_LSTAR, 0x2000), 2);
	EQ(get_msr(m.v, M_LSTAR), 0x2000);
	EQ(faults_of(&m, 0x174, 8), 1);
	EQ(get_msr(m.v, 0x174), 0);
	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	OK(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &f));
	EQ(faults_of(&m, M_STAR, 1), 1);
	EQ(faults_of(&m, M_LSTAR, 1), 3);
	EQ(faults_of(&m, 0x175, 1), 3);
	memset(&f, 0, sizeof(f));
	OK(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &f));
	EQ(faults_of(&m, M_LSTAR, 0x3000), 0);
	EQ(faults_of(&m, 0x174, 8), 0);
}

GUEST(call, ".code32", "vmmcall; hlt");

static uint64_t hypercall(struct machine *m, struct kvm_regs r)
{
	r.rip = CODE;
	r.rflags = 2;
	OK(ioctl(m->v, KVM_SET_REGS, &r));
	RUN(m, KVM_EXIT_HLT);
	OK(ioctl(m->v, KVM_GET_REGS, &r));
	return r.rax;
}

TEST(kvm_hypercalls)
{
	struct machine m;

	machine(&m, MB, call, call_end);
	protected_mode(m.v);
	EQ(hypercall(&m, (struct kvm_regs){ .rax = KVM_HC_VAPIC_POLL_IRQ }), 0);
	EQ(hypercall(&m, (struct kvm_regs){ .rax = 1000 }), (uint32_t)-KVM_ENOSYS);
	/* a shorthand is none of its IPIs' */
	EQ(hypercall(&m, (struct kvm_regs){ .rax = KVM_HC_SEND_IPI, .rsi = 1 << 18 }),
	   (uint32_t)-KVM_EINVAL);
	EQ(hypercall(&m, (struct kvm_regs){ .rax = KVM_HC_SEND_IPI, .rsi = 1 << 11 }),
	   (uint32_t)-KVM_EINVAL);
}

/* One CPU's local APIC, which has to be on, at EBX. */
GUEST(sends, ".code32", "movl $0x1ff, 0xf0(%ebp); vmmcall; out %eax, $0x80; jmp sends");

static uint32_t sent(struct machine *m, struct kvm_regs r)
{
	uint32_t took;

	r.rip = CODE;
	r.rflags = 2;
	r.rbp = 0xfee00000;
	r.rax = KVM_HC_SEND_IPI;
	OK(ioctl(m->v, KVM_SET_REGS, &r));
	RUN(m, KVM_EXIT_IO);
	memcpy(&took, io_data(m->run), 4);
	return took;
}

static bool requested(int v, unsigned int vector)
{
	struct kvm_lapic_state l;
	uint32_t word;

	OK(ioctl(v, KVM_GET_LAPIC, &l));
	memcpy(&word, l.regs + 0x200 + vector / 32 * 16, 4);
	return word >> vector % 32 & 1;
}

/* Bit N of the two words is the APIC of id first + N. */
TEST(kvm_pv_ipi)
{
	struct machine m = { 0 };
	struct kvm_run *run;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), second;

	if (kvm < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		SKIP("this CPU runs no guests");
	OK(kvm);
	avoid_first_cpu();
	m.vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));
	OK(ioctl(m.vm, KVM_CREATE_IRQCHIP, 0));
	m.mem = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m.mem != MAP_FAILED);
	memcpy(m.mem + CODE, sends, (size_t)(sends_end - sends));
	OK(region(&m, 0, 0, 0, MB, m.mem));
	m.v = vcpu(&m, 0, &m.run);
	second = vcpu(&m, 1, &run);
	protected_mode(m.v);
	/* the second one's is off: it takes none */
	EQ(sent(&m, (struct kvm_regs){ .rbx = 3, .rsi = 0x41 }), 1);
	CHECK(requested(m.v, 0x41) && !requested(second, 0x41));
	EQ(sent(&m, (struct kvm_regs){ .rbx = 1, .rdx = 1, .rsi = 0x42 }), 0);
	CHECK(!requested(m.v, 0x42));
	EQ(sent(&m, (struct kvm_regs){ .rbx = ~0ull, .rcx = ~0ull, .rdx = 2, .rsi = 0x43 }), 0);
	EQ(sent(&m, (struct kvm_regs){ .rbx = ~0ull, .rdx = 0xffffffff, .rsi = 0x43 }), 0);
	CHECK(!requested(m.v, 0x43));
}

/* Two at once are both taken; of more, while none is served, two; while one is, one. */
TEST(kvm_two_nmis)
{
	struct kvm_vcpu_events e;
	struct machine m;

	machine(&m, MB, call, call_end);
	for (int i = 0; i < 3; i++)
		OK(ioctl(m.v, KVM_NMI));
	OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.nmi.pending, 2);
	e.nmi.masked = 1;
	OK(ioctl(m.v, KVM_SET_VCPU_EVENTS, &e));
	OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.nmi.pending, 1);
	OK(ioctl(m.v, KVM_NMI));
	OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.nmi.pending, 1);
}
#else
TEST(kvm_pv)
{
	SKIP("guests of x86_64");
}
#endif
