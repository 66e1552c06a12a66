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

#else
TEST(kvm_state)
{
	SKIP("guests of x86_64");
}
#endif
