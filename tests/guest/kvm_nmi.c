// SPDX-License-Identifier: MIT
/*
 * When a guest takes an NMI that has to wait (x86_64): at once behind what holds it back, not at
 * the next exit. Real mode; the handler tells the owner by port 81h.
 */
#include "t.h"
#ifdef __x86_64__
#include "kvm_machine.h"

#define HANDLER 0x1800
#define TRACER 0x1900
#define TF 0x100

GUEST(handler, ".code16", "out %al, $0x81; iret");
/* It takes TF away from whom it has interrupted. */
GUEST(tracer, ".code16",
      "out %al, $0x85; push %bp; mov %sp, %bp; andw $0xfeff, 6(%bp); pop %bp; iret");
GUEST(main_guest, ".code16", "out %al, $0x80; nop; out %al, $0x82; hlt");
GUEST(open_guest, ".code16", "sti; nop; out %al, $0x80; nop; out %al, $0x82; hlt");

static void nmi_machine(struct machine *m, const char *code, const char *end)
{
	machine(m, MB, code, end);
	memcpy(m->mem + HANDLER, handler, (size_t)(handler_end - handler));
	memcpy(m->mem + TRACER, tracer, (size_t)(tracer_end - tracer));
	memcpy(m->mem + 2 * 4, (uint16_t[]){ HANDLER, 0 }, 4);
	memcpy(m->mem + 1 * 4, (uint16_t[]){ TRACER, 0 }, 4);
}

static void port(struct machine *m, int expected)
{
	RUN(m, KVM_EXIT_IO);
	EQ(m->run->io.port, expected);
}

static uint64_t rflags(struct machine *m)
{
	struct kvm_regs r;

	OK(ioctl(m->v, KVM_GET_REGS, &r));
	return r.rflags;
}

/* One that comes while the one before is served: behind its IRET. */
TEST(kvm_nmi_behind_an_iret)
{
	struct kvm_vcpu_events e;
	struct machine m;

	nmi_machine(&m, main_guest, main_guest_end);
	port(&m, 0x80);
	OK(ioctl(m.v, KVM_NMI));
	for (int i = 0; i < 5; i++) {
		port(&m, 0x81);
		OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
		EQ(e.nmi.masked, 1);
		EQ(e.nmi.pending, 0);
		OK(ioctl(m.v, KVM_NMI));
	}
	port(&m, 0x81);
	port(&m, 0x82);
	EQ(rflags(&m), 2);
	OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.nmi.masked, 0);
	RUN(&m, KVM_EXIT_HLT);
}

/* The IRET gives TF back to a guest that steps through itself; it has its trap. */
TEST(kvm_nmi_behind_an_iret_that_traces)
{
	struct kvm_regs r;
	struct machine m;

	nmi_machine(&m, main_guest, main_guest_end);
	port(&m, 0x80);
	OK(ioctl(m.v, KVM_NMI));
	OK(ioctl(m.v, KVM_GET_REGS, &r));
	r.rflags |= TF;
	OK(ioctl(m.v, KVM_SET_REGS, &r));
	port(&m, 0x81);
	EQ(rflags(&m) & TF, 0);
	OK(ioctl(m.v, KVM_NMI));
	port(&m, 0x81);
	EQ(rflags(&m) & TF, 0);
	port(&m, 0x85);
	port(&m, 0x82);
	EQ(rflags(&m), 2);
	RUN(&m, KVM_EXIT_HLT);
}

static void shadowed(const char *code, const char *end, uint64_t flags)
{
	struct kvm_vcpu_events e;
	struct machine m;

	nmi_machine(&m, code, end);
	port(&m, 0x80);
	OK(ioctl(m.v, KVM_GET_VCPU_EVENTS, &e));
	e.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	e.nmi.pending = 1;
	e.flags = KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_NMI_PENDING;
	OK(ioctl(m.v, KVM_SET_VCPU_EVENTS, &e));
	port(&m, 0x81);
	port(&m, 0x82);
	EQ(rflags(&m), flags);
	RUN(&m, KVM_EXIT_HLT);
}

/* Behind the instruction that a shadow covers, with interrupts off (MOV SS) and on (STI). */
TEST(kvm_nmi_behind_a_shadow)
{
	shadowed(main_guest, main_guest_end, 2);
	shadowed(open_guest, open_guest_end, 0x202);
}
#else
TEST(kvm_nmi)
{
	SKIP("these guests are x86_64's");
}
#endif
