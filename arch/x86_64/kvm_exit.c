// SPDX-License-Identifier: MIT
/* Why a guest left, and what is done about it. */
#include <abi/errno.h>
#include <kernel/bug.h>
#include <linux/kvm.h>
#include <lib/string.h>
#include <asm/svm.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define IO_IN 1U
#define IO_STRING 4U
#define IO_REP 8U
#define IO_SIZE(info) ((info) >> 4 & 7)

static int undefined(struct kvm_vcpu *v)
{
	kvm_vcpu_raise(v->arch, VEC_UD, false, 0);
	return 1;
}

/* IN and OUT alone: EXITINFO2 is the next RIP on each CPU. Strings are executed. */
static int exit_io(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	struct vmcb *b = a->vmcb;
	u32 info = (u32)b->control.exit_info1;
	u64 value = 0;

	kvm_count(&v->stat.io_exits);
	if (info & (IO_STRING | IO_REP))
		return kvm_emulate(v);
	a->io.port = (u16)(info >> 16);
	a->io.size = IO_SIZE(info);
	a->io.count = 1;
	if (info & IO_IN) {
		a->io.next_rip = b->control.exit_info2;
		a->io.rip = b->save.rip;
		a->io.cs = b->save.cs.base;
		if (kvm_io_here(v, false, a->io.port, a->io.size, 1, &value))
			return kvm_port_read(v, &value);
		return kvm_ask(v, KVM_ASKED_IN);
	}
	value = b->save.rax;
	b->save.rip = b->control.exit_info2;
	kvm_emulate_stepped(a, 0);
	if (kvm_io_here(v, true, a->io.port, a->io.size, 1, &value))
		return 1;
	memcpy(kvm_io_data(v), &value, a->io.size);
	return kvm_ask(v, KVM_ASKED_OUT);
}

static int delivery_failed(struct kvm_vcpu *v)
{
	const struct vmcb_control *c = &v->arch->vmcb->control;
	struct kvm_run *r = v->run;

	r->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
	r->internal.ndata = 3;
	r->internal.data[0] = c->exit_code;
	r->internal.data[1] = c->exit_info1;
	r->internal.data[2] = c->exit_info2;
	WRITE_ONCE(r->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	return 0;
}

static int exit_nested_fault(struct kvm_vcpu *v)
{
	const struct kvm_events *ev = &v->arch->events;
	const struct vmcb_control *c = &v->arch->vmcb->control;
	unsigned int rights = (c->exit_info1 & 2 ? NPT_WRITE : 0) |
			      (c->exit_info1 & 16 ? NPT_EXEC : 0);
	int r = kvm_mem_fault(v, c->exit_info2, rights);

	kvm_count(&v->stat.pf_taken);
	if (r > 0)
		kvm_count(&v->stat.pf_fixed);
	if (r)
		return r;
	kvm_count(&v->stat.pf_emulate);
	if (ev->exception.injected || ev->nmi.injected || ev->interrupt.injected)
		return delivery_failed(v);
	return kvm_emulate(v);
}

static int hypercall(struct kvm_vcpu *v)
{
	kvm_count(&v->stat.hypercalls);
	kvm_hypercall(v);
	kvm_emulate_skip(v);
	return 1;
}

static int xsetbv(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	u64 value = a->world.regs[GUEST_RDX] << 32 | (u32)a->vmcb->save.rax;

	if (a->vmcb->save.cpl || (u32)a->world.regs[GUEST_RCX] || !kvm_set_xcr0(a, value))
		kvm_vcpu_raise(a, VEC_GP, true, 0);
	else
		kvm_emulate_skip(v);
	return 1;
}

static int identify(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	u32 out[4];

	kvm_cpuid(a, (u32)a->vmcb->save.rax, (u32)a->world.regs[GUEST_RCX], out);
	a->vmcb->save.rax = out[0];
	a->world.regs[GUEST_RBX] = out[1];
	a->world.regs[GUEST_RCX] = out[2];
	a->world.regs[GUEST_RDX] = out[3];
	kvm_emulate_skip(v);
	return 1;
}

/*
 * Instructions that the executor does not know, and one that needs none of what it takes. Their
 * length is the decoder's.
 */
static int exit_other(struct kvm_vcpu *v, u64 code)
{
	switch (kvm_emulate_fetch(v)) {
	case KVM_EXEC_DONE:
		break;
	case KVM_EXEC_FAULT:
	case KVM_EXEC_AGAIN:
		return 1;
	default:
		return kvm_emulate_failed(v);
	}
	if (code == SVM_EXIT_CPUID)
		return identify(v);
	if (code == SVM_EXIT_VMMCALL)
		return hypercall(v);
	if (code == SVM_EXIT_XSETBV)
		return xsetbv(v);
	kvm_emulate_skip(v);		/* MONITOR, MWAIT: as NOP */
	return 1;
}

/* The VMCB's state is undefined now: as after an INIT, as on Linux. */
static int shut_down(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	if (a->has_lapic) {
		kvm_lapic_init(&a->lapic);
		kvm_request(v, KVM_REQUEST_APICS);
	}
	kvm_vcpu_init_state(v);
	WRITE_ONCE(v->run->exit_reason, KVM_EXIT_SHUTDOWN);
	return 0;
}

static int unknown(struct kvm_vcpu *v, u64 code)
{
	struct kvm_run *r = v->run;

	if (code == (u64)SVM_EXIT_ERR) {
		r->fail_entry.hardware_entry_failure_reason = code;
		r->fail_entry.cpu = (u32)v->cpu;
		WRITE_ONCE(r->exit_reason, KVM_EXIT_FAIL_ENTRY);
		return 0;
	}
	r->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	r->internal.ndata = 2;
	r->internal.data[0] = code;
	r->internal.data[1] = (u64)v->cpu;
	WRITE_ONCE(r->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	return 0;
}

/* An IRET is about to end an NMI, when it has been executed. */
static int exit_iret(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	kvm_count(&v->stat.nmi_window_exits);
	a->vmcb->control.intercept[VMCB_I_IRET / 32] &= ~(1U << VMCB_I_IRET % 32);
	a->nmi_iret = true;
	a->nmi_iret_rip = a->vmcb->save.rip;
	return 1;
}

/* Where the CPU was in the guest, the host's handler sees it. */
static int exit_machine_check(struct kvm_vcpu *v)
{
	__asm__ volatile("int $18" : : : "memory");
	return 1;
}

int kvm_cpu_exit_fast(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	kvm_event_back(a);
	kvm_event_tpr_back(a);
	switch (a->vmcb->control.exit_code) {
	case SVM_EXIT_INTR:
		kvm_count(&v->stat.irq_exits);
		return 1;
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
		return 1;
	case SVM_EXIT_VINTR:		/* the window is open: kvm_cpu_prepare() sees it */
		kvm_count(&v->stat.irq_window_exits);
		return 1;
	case SVM_EXIT_IRET:
		return exit_iret(v);
	case SVM_EXIT_EXCP_BASE + VEC_MC:
		return exit_machine_check(v);
	default:
		return 0;
	}
}

int kvm_cpu_exit(struct kvm_vcpu *v)
{
	u64 code = v->arch->vmcb->control.exit_code;

	switch (code) {
	case SVM_EXIT_NPF:
		return exit_nested_fault(v);
	case SVM_EXIT_IOIO:
		return exit_io(v);
	case SVM_EXIT_EXCP_BASE + VEC_DB:
		return kvm_debug_exit(v, VEC_DB);
	case SVM_EXIT_EXCP_BASE + VEC_BP:
		return kvm_debug_exit(v, VEC_BP);
	case SVM_EXIT_EXCP_BASE + VEC_AC:
		kvm_vcpu_raise(v->arch, VEC_AC, true, 0);
		return 1;
	case SVM_EXIT_SHUTDOWN:
		return shut_down(v);
	case SVM_EXIT_READ_CR0 ... SVM_EXIT_WRITE_CR8:
	case SVM_EXIT_READ_DR0 ... SVM_EXIT_WRITE_DR7:
	case SVM_EXIT_CR0_SEL_WRITE:
	case SVM_EXIT_MSR:
	case SVM_EXIT_HLT:
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_RDPMC:
		return kvm_emulate(v);
	case SVM_EXIT_CPUID:
	case SVM_EXIT_VMMCALL:
	case SVM_EXIT_XSETBV:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
		return exit_other(v, code);
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD ... SVM_EXIT_SKINIT:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_RDPRU:
	case SVM_EXIT_RSM:
		return undefined(v);
	case SVM_EXIT_TASK_SWITCH:	/* not executed */
		v->arch->nr_bytes = 0;
		v->arch->error = 0;
		return kvm_emulate_failed(v);
	default:
		return unknown(v, code);
	}
}
