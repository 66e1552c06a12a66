// SPDX-License-Identifier: MIT
/*
 * What an owner does to a vCPU's state between two KVM_RUNs, and what a guest cannot do (x86_64).
 */
#include "t.h"
#ifdef __x86_64__
#include "kvm_machine.h"

#define HANDLER 0x1800
#define TAKEN 0x5400			/* how often the handler ran */
#define TSS 0x5800
#define GDT 0x6000
#define IDT 0x7000
#define TIMES 2000
#define TF 0x100
#define AC (1 << 18)

/* ---- between two runs ---- */

GUEST(protects, ".code16", "outb %al, $0x80; hlt");
GUEST(says, ".code16", "outb %al, $0x81; hlt");

/* An exception that is on its way when the registers are set is delivered. */
TEST(kvm_set_regs_keeps_an_injected_exception)
{
	struct kvm_vcpu_events e;
	struct machine m;

	machine(&m, MB, protects, protects_end);
	memcpy(m.mem + HANDLER, says, (size_t)(says_end - says));
	memcpy(m.mem + 13 * 4, (uint16_t[]){ HANDLER, 0 }, 4);
	OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
	e.exception.injected = 1;
	e.exception.nr = 13;
	OK(ioctl(m.v, KVM_SET_VCPU_EVENTS, &e));
	set_rip(m.v, CODE);
	OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.exception.injected, 1);
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x81);
}

GUEST(opens, ".code16", "sti; outb %al, $0x80; hlt");

/* So is an interrupt where segments are set, whose bitmap names none; one that it names comes. */
TEST(kvm_set_sregs_keeps_an_injected_interrupt)
{
	struct kvm_interrupt i = { 0x20 };
	struct kvm_vcpu_events e;
	struct kvm_sregs s;
	struct machine m;

	machine(&m, MB, opens, opens_end);
	memcpy(m.mem + HANDLER, says, (size_t)(says_end - says));
	memcpy(m.mem + 0x21 * 4, (uint16_t[]){ HANDLER, 0 }, 4);
	OK(ioctl(m.v, KVM_GET_SREGS, &s));
	OK(ioctl(m.v, KVM_INTERRUPT, &i));
	OK(ioctl(m.v, KVM_SET_SREGS, &s));
	OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.interrupt.injected, 1);
	EQ(e.interrupt.nr, 0x20);
	s.interrupt_bitmap[0] = 1ull << 0x21;
	OK(ioctl(m.v, KVM_SET_SREGS, &s));
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x81);
}

GUEST(reads, ".code16",
      "inb $0x60, %al; outb %al, $0x80; hlt\n"
      ".org reads + 0x20\noutb %al, $0x81; hlt");

/* One that was put elsewhere while a port was read stays there. */
TEST(kvm_port_is_read_for_one_that_went)
{
	struct kvm_regs regs = { .rip = CODE + 0x20, .rflags = 2, .rax = 7 };
	struct machine m;

	machine(&m, MB, reads, reads_end);
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x60);
	*io_data(m.run) = 41;
	OK(ioctl(m.v, KVM_SET_REGS, &regs));
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x81);
	EQ(*io_data(m.run), 7);
}

GUEST(loads, ".code32", "movl 0x10000000, %eax; hlt\n.org loads + 0x20\noutb %al, $0x81; hlt");

/* So does one that was put elsewhere while MMIO was read. */
TEST(kvm_mmio_is_read_for_one_that_went)
{
	struct kvm_regs regs = { .rip = CODE + 0x20, .rflags = 2, .rax = 7 };
	struct machine m;

	machine(&m, MB, loads, loads_end);
	protected_mode(m.v);
	RUN(&m, KVM_EXIT_MMIO);
	m.run->mmio.data[0] = 41;
	OK(ioctl(m.v, KVM_SET_REGS, &regs));
	OK(ioctl(m.v, KVM_RUN, 0));
	if (m.run->exit_reason == KVM_EXIT_HLT)
		SKIP("it goes on behind what has read");
	EQ(m.run->exit_reason, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x81);
	EQ(*io_data(m.run), 7);
}

/* A STARTUP that came and was not taken yet, as one moves it to another host: in either order. */
static void sipi(bool state_first)
{
	struct kvm_vcpu_events e;
	struct kvm_mp_state mp = { KVM_MP_STATE_SIPI_RECEIVED };
	struct machine m;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		SKIP("this CPU runs no guests");
	m.vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));
	OK(ioctl(m.vm, KVM_CREATE_IRQCHIP, 0));
	m.mem = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m.mem != MAP_FAILED);
	memcpy(m.mem, protects, (size_t)(protects_end - protects));
	memcpy(m.mem + 0x9000, says, (size_t)(says_end - says));
	OK(region(&m, 0, 0, 0, MB, m.mem));
	m.v = vcpu(&m, 1, &m.run);
	OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
	e.flags = KVM_VCPUEVENT_VALID_SIPI_VECTOR;
	e.sipi_vector = 9;
	if (state_first)
		OK(ioctl(m.v, KVM_SET_MP_STATE, &mp));
	OK(ioctl(m.v, KVM_SET_VCPU_EVENTS, &e));
	if (!state_first)
		OK(ioctl(m.v, KVM_SET_MP_STATE, &mp));
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x81);
	close(kvm);
}

TEST(kvm_sipi_vector_is_set)
{
	sipi(false);
	sipi(true);
}

GUEST(fails, ".code16", "movw $0x1234, %dx; lidt 0x5000; ud2");

/* What a VMCB holds behind a shutdown is undefined: the vCPU is as after an INIT. */
TEST(kvm_shutdown_resets)
{
	struct kvm_sregs s;
	struct kvm_regs r;
	struct machine m;

	machine(&m, MB, fails, fails_end);
	RUN(&m, KVM_EXIT_SHUTDOWN);
	OK(ioctl(m.v, KVM_GET_REGS, &r));
	OK(ioctl(m.v, KVM_GET_SREGS, &s));
	EQ(r.rip, 0xfff0);
	EQ(r.rflags, 2);
	EQ(s.cs.selector, 0xf000);
	EQ(s.cs.base, 0xffff0000);
	EQ(s.idt.limit, 0xffff);
}

GUEST(halves, ".code32", "movl %eax, 0x6ffe; hlt\n.org halves + 0x20\nmovl %cr0, %eax; hlt");

/*
 * A write to MMIO and to a slot without memory is no MMIO that is left for the next instruction. On
 * Linux both halves are.
 */
TEST(kvm_failed_write_is_over)
{
	struct machine m;
	char *gone = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r;

	CHECK(gone != MAP_FAILED);
	machine(&m, 0x6000, halves, halves_end);
	OK(region(&m, 1, 0, 0x7000, PAGE, gone));
	OK(munmap(gone, PAGE));
	protected_mode(m.v);
	r = ioctl(m.v, KVM_RUN, 0);
	if (!r) {
		EQ(m.run->exit_reason, KVM_EXIT_MMIO);
		SKIP("a page without memory is MMIO here");
	}
	EQ(errno, EFAULT);
	set_rip(m.v, CODE + 0x20);
	RUN(&m, KVM_EXIT_HLT);
}

static uint64_t translated(int v, uint64_t linear)
{
	struct kvm_translation t = { .linear_address = linear };

	OK(ioctl(v, KVM_TRANSLATE, &t));
	EQ(t.linear_address, linear);
	EQ(t.valid, t.physical_address != ~0ull);
	EQ(t.writeable, 1);
	EQ(t.usermode, 0);
	return t.physical_address;
}

GUEST(nothing, ".code16", "hlt");

/* KVM_TRANSLATE walks the guest's page tables as the guest's kernel does when it reads. */
TEST(kvm_translates)
{
	struct machine m;
	uint64_t *pd, *pdpt;

	machine(&m, MB, nothing, nothing_end);
	EQ(translated(m.v, 0x10000), 0x10000);
	EQ(translated(m.v, 1ull << 32), 1ull << 32);
	EQ(translated(m.v, ~0ull), ~0ull);
	ERR(ioctl(m.v, KVM_TRANSLATE, 8), EFAULT);
	long_mode(&m);
	pdpt = (void *)(m.mem + 0x3000);
	pd = (void *)(m.mem + 0x4000);
	pd[1] = 7 << 21 | 0x83;
	pdpt[2] = 0x40000003;		/* no memory */
	EQ(translated(m.v, 0x123456), 0x123456);
	EQ(pd[0], 0xa3);
	EQ(pdpt[0], 0x4023);
	EQ(translated(m.v, 0x200123), 0xe00123);
	EQ(pd[2], 2 << 21 | 0x83);
	EQ(translated(m.v, 1ull << 30), ~0ull);
	EQ(translated(m.v, 2ull << 30), ~0ull);
}

/* ---- what makes a CPU raise exceptions without end must leave the guest ---- */

static uint64_t exits(const struct machine *m)
{
	static char file[65536];
	const struct kvm_stats_header *h = (const void *)file;
	int fd = OK(ioctl(m->v, KVM_GET_STATS_FD, 0));
	ssize_t n = OK(pread(fd, file, sizeof(file), 0));

	close(fd);
	for (unsigned int i = 0; i < h->num_desc; i++) {
		const struct kvm_stats_desc *d =
			(const void *)(file + h->desc_offset + i * (sizeof(*d) + h->name_size));
		uint64_t value;

		if (strcmp(d->name, "exits"))
			continue;
		CHECK((size_t)n >= h->data_offset + d->offset + sizeof(value));
		memcpy(&value, file + h->data_offset + d->offset, sizeof(value));
		return value;
	}
	FAIL("no count of exits");
	return 0;
}

GUEST(traced, ".code16", "1: loop 1b; hlt");
GUEST(on_trap, ".code16", "incw 0x5400; iret");

/* A guest that traps its own #DB for ever (CVE-2015-8104) is left each time. */
TEST(kvm_leaves_at_a_debug_trap)
{
	struct kvm_regs r = { .rip = CODE, .rflags = 2 | TF, .rsp = 0x8000, .rcx = TIMES };
	struct machine m;

	machine(&m, MB, traced, traced_end);
	memcpy(m.mem + HANDLER, on_trap, (size_t)(on_trap_end - on_trap));
	memcpy(m.mem + 1 * 4, (uint16_t[]){ HANDLER, 0 }, 4);
	OK(ioctl(m.v, KVM_SET_REGS, &r));
	RUN(&m, KVM_EXIT_HLT);
	EQ(*(uint16_t *)(m.mem + TAKEN), TIMES);
	OK(ioctl(m.v, KVM_GET_REGS, &r));
	EQ(r.rcx, 0);
	CHECK(exits(&m) >= TIMES);
}

/* The load has five bytes, which the handler steps over. */
GUEST(misaligned, ".code32", "1: .byte 0xa1; .long 0x5001; decl %ecx; jnz 1b; outb %al, $0x80");
GUEST(on_check, ".code32", "addl $4, %esp; addl $5, (%esp); incl 0x5400; iretl");

/* The same of #AC (CVE-2015-5307), at CPL 3. */
TEST(kvm_leaves_at_an_alignment_check)
{
	static const uint64_t gdt[] = { 0,
					0x00cf9b000000ffff,
					0x00cf93000000ffff,
					0x00cffb000000ffff,
					0x00cff3000000ffff,
					0x00008b0058000067 };
	uint64_t gate = (uint64_t)HANDLER | 8 << 16 | 0x8e00ull << 32;
	struct kvm_segment data = { .limit = 0xffffffff,
				    .selector = 0x23,
				    .type = 3,
				    .present = 1,
				    .dpl = 3,
				    .s = 1,
				    .db = 1,
				    .g = 1 };
	struct kvm_regs r = { .rip = CODE, .rflags = 2 | AC | 3 << 12, .rsp = 0x8000, .rcx = TIMES };
	struct kvm_sregs s;
	struct machine m;

	machine(&m, MB, misaligned, misaligned_end);
	memcpy(m.mem + HANDLER, on_check, (size_t)(on_check_end - on_check));
	memcpy(m.mem + GDT, gdt, sizeof(gdt));
	memcpy(m.mem + IDT + 8 * 17, &gate, sizeof(gate));
	memcpy(m.mem + TSS + 4, (uint32_t[]){ 0x9000, 16 }, 8);
	OK(ioctl(m.v, KVM_GET_SREGS, &s));
	s.ds = s.es = s.ss = s.fs = s.gs = s.cs = data;
	s.cs.type = 11;
	s.cs.selector = 0x1b;
	s.tr = (struct kvm_segment){
		.base = TSS, .limit = 0x67, .selector = 0x28, .type = 11, .present = 1
	};
	s.gdt = (struct kvm_dtable){ .base = GDT, .limit = sizeof(gdt) - 1 };
	s.idt = (struct kvm_dtable){ .base = IDT, .limit = 8 * 18 - 1 };
	s.cr0 |= 1 | 1 << 18;
	OK(ioctl(m.v, KVM_SET_SREGS, &s));
	OK(ioctl(m.v, KVM_SET_REGS, &r));
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x80);
	if (!*(uint32_t *)(m.mem + TAKEN))
		SKIP("this CPU checks no alignment");
	EQ(*(uint32_t *)(m.mem + TAKEN), TIMES);
	CHECK(exits(&m) >= TIMES);
}
#else
TEST(kvm_state)
{
	SKIP("guests of x86_64");
}
#endif
