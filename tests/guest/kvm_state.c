// SPDX-License-Identifier: MIT
/* What an owner does to a vCPU's state between two KVM_RUNs, and what a guest cannot do (x86_64). */
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

GUEST(reads, ".code16", "inb $0x60, %al; outb %al, $0x80; hlt\n"
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

#else
TEST(kvm_state)
{
	SKIP("guests of x86_64");
}
#endif
