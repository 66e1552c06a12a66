// SPDX-License-Identifier: MIT
/*
 * Instructions executed for a guest: fetched through its page tables, decoded, executed
 * (kvm_insn_exec.h), and what comes of them. What the executor reaches is in kvm_exec_ops.c.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define FAIL_WORDS 5			/* flags, size and bytes of the instruction, exit code, info */

static struct kvm_exec_seg seg_in(const struct vmcb_segment *s)
{
	return (struct kvm_exec_seg){ s->selector, s->attrib, s->limit, s->base };
}

static struct vmcb_segment seg_out(const struct kvm_exec_seg *s)
{
	return (struct vmcb_segment){ s->selector, s->attr, s->limit, s->base };
}

static enum kvm_insn_mode mode_of(const struct kvm_cpu_vcpu *a)
{
	const struct vmcb_save *s = &a->vmcb->save;

	if (a->cr0 & GUEST_CR0_PE && s->rflags & GUEST_FLAG_VM)
		return KVM_MODE_REAL;
	if (a->efer & GUEST_EFER_LMA && s->cs.attrib & KVM_ATTR_L)
		return KVM_MODE_LONG64;
	if (s->cs.attrib & KVM_ATTR_DB)
		return KVM_MODE_PROT32;
	return a->cr0 & GUEST_CR0_PE ? KVM_MODE_PROT16 : KVM_MODE_REAL;
}

/* What executing takes, and fetching does not. */
static void take(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	const struct vmcb_save *s = &a->vmcb->save;
	struct kvm_exec *e = &a->exec;
	struct kvm_exec_regs *r = &e->regs;

	memcpy(r->gpr, a->world.regs, sizeof(r->gpr));
	r->gpr[GUEST_RAX] = s->rax;
	r->gpr[GUEST_RSP] = s->rsp;
	r->rip = s->rip;
	r->rflags = s->rflags;
	for (unsigned int i = 0; i < 6; i++)	/* the VMCB has them in the same order */
		r->seg[i] = seg_in(&(&s->es)[i]);
	r->gdt = (struct kvm_exec_table){ s->gdtr.base, (u16)s->gdtr.limit };
	r->idt = (struct kvm_exec_table){ s->idtr.base, (u16)s->idtr.limit };
	r->shadow = a->vmcb->control.int_state & VMCB_SHADOW ? KVM_SHADOW_STI : 0;
	e->cr0 = kvm_vcpu_cr0(a);
	e->cr4 = a->cr4;
	e->cpl = s->cpl;
	e->ldtr = seg_in(&s->ldtr);
	e->tr = seg_in(&s->tr);
}

static void give(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	struct vmcb_save *s = &a->vmcb->save;
	const struct kvm_exec_regs *r = &a->exec.regs;
	bool ss_changed = r->seg[KVM_SEG_SS].attr != s->ss.attrib;

	memcpy(a->world.regs, r->gpr, sizeof(r->gpr));
	s->rax = r->gpr[GUEST_RAX];
	s->rsp = r->gpr[GUEST_RSP];
	s->rip = r->rip;
	s->rflags = r->rflags;
	for (unsigned int i = 0; i < 6; i++)
		(&s->es)[i] = seg_out(&r->seg[i]);
	s->gdtr.base = r->gdt.base;
	s->gdtr.limit = r->gdt.limit;
	s->idtr.base = r->idt.base;
	s->idtr.limit = r->idt.limit;
	if (ss_changed)
		s->cpl = r->rflags & GUEST_FLAG_VM ? 3 : r->seg[KVM_SEG_SS].attr >> 5 & 3;
}

void kvm_emulate_stepped(struct kvm_cpu_vcpu *a, u8 shadow)
{
	a->vmcb->control.int_state = shadow ? VMCB_SHADOW : 0;
	if (kvm_debug_step(a))
		return;
	if (!(a->vmcb->save.rflags & GUEST_FLAG_TF))
		return;
	kvm_debug_raise(a, GUEST_DR6_BS);
}

static void raise_fault(struct kvm_cpu_vcpu *a)
{
	const struct kvm_exec_fault *f = &a->exec.fault;

	if (f->vector == VEC_PF)
		a->vmcb->save.cr2 = f->address;
	if (f->vector == VEC_DB)
		kvm_debug_raise(a, f->address);
	else
		kvm_vcpu_raise(a, f->vector, f->has_code, f->code);
}

/* ---- fetch ---- */

/* N bytes more of the instruction. */
static enum kvm_exec_status fetch_more(struct kvm_vcpu *v, u32 n)
{
	struct kvm_cpu_vcpu *a = v->arch;
	const struct vmcb_save *s = &a->vmcb->save;
	u64 offset = s->rip + a->nr_bytes, linear = offset;
	enum kvm_exec_status st;

	if (a->exec.mode != KVM_MODE_LONG64) {
		if ((u32)offset > s->cs.limit) {
			a->exec.fault = (struct kvm_exec_fault){ .vector = VEC_GP, .has_code = 1 };
			return KVM_EXEC_FAULT;
		}
		linear = (u32)(offset + s->cs.base);
	}
	n = min(n, (u32)(PAGE_SIZE - (linear & (PAGE_SIZE - 1))));
	st = kvm_exec_fetch(v, linear, a->bytes + a->nr_bytes, n);
	if (!st)
		a->nr_bytes += (u8)n;
	return st;
}

static enum kvm_exec_status fetch(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	u8 vector = VEC_UD;

	a->nr_bytes = 0;
	do {
		enum kvm_exec_status s = fetch_more(v, KVM_INSN_MAX - a->nr_bytes);

		if (s)
			return s;
		switch (kvm_insn_decode(a->bytes, a->nr_bytes, a->exec.mode, &a->exec.insn)) {
		case KVM_INSN_OK:
			return KVM_EXEC_DONE;
		case KVM_INSN_MORE:
			continue;
		case KVM_INSN_TOO_LONG:
			vector = VEC_GP;
			break;
		case KVM_INSN_INVALID:
			break;
		}
		break;
	} while (a->nr_bytes < KVM_INSN_MAX);
	a->exec.fault = (struct kvm_exec_fault){ .vector = vector, .has_code = vector == VEC_GP };
	return KVM_EXEC_FAULT;
}

enum kvm_exec_status kvm_emulate_fetch(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	enum kvm_exec_status s;

	a->error = 0;
	a->exec.pending = false;
	a->exec.ops = &kvm_exec_ops;
	a->exec.context = v;
	a->exec.mode = mode_of(a);
	s = fetch(v);
	if (s == KVM_EXEC_FAULT)
		raise_fault(a);
	return s;
}

void kvm_emulate_skip(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	u64 rip = a->vmcb->save.rip + a->exec.insn.length;

	a->vmcb->save.rip = a->exec.mode == KVM_MODE_LONG64 ? rip : (u32)rip;
	a->vmcb->save.rflags &= ~GUEST_FLAG_RF;
	kvm_emulate_stepped(a, 0);
}

/* ---- execution ---- */

static int internal_error(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	struct kvm_run *r = v->run;

	memset(&r->emulation_failure, 0, sizeof(r->emulation_failure));
	r->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	r->emulation_failure.ndata = FAIL_WORDS;
	if (a->nr_bytes) {
		r->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
		r->emulation_failure.insn_size = a->nr_bytes;
		memset(r->emulation_failure.insn_bytes, 0x90,
		       sizeof(r->emulation_failure.insn_bytes));
		memcpy(r->emulation_failure.insn_bytes, a->bytes, a->nr_bytes);
	}
	r->internal.data[3] = a->vmcb->control.exit_code;
	r->internal.data[4] = a->vmcb->control.exit_info1;
	WRITE_ONCE(r->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	return 0;
}

int kvm_emulate_failed(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	if (a->error)
		return a->error;
	kvm_count(&v->stat.insn_emulation_fail);
	if (!a->vmcb->save.cpl)
		return internal_error(v);
	kvm_vcpu_raise(a, VEC_UD, false, 0);
	return 1;
}

/* What the instruction left to do for user space. As kvm_cpu_exit(). */
static int after(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	if (a->mmio.parts && a->mmio.write) {
		kvm_count(&v->stat.mmio_exits);
		return kvm_ask(v, KVM_ASKED_MMIO);
	}
	if (a->asked == KVM_ASKED_OUT)
		return kvm_ask(v, KVM_ASKED_OUT);
	if (a->halt)
		kvm_count(&v->stat.halt_exits);
	if (a->halt && a->has_lapic) {
		WRITE_ONCE(a->mp_state, KVM_MP_STATE_HALTED);
		kvm_request(v, KVM_REQUEST_EVENT);	/* what came before is seen */
		return 1;
	}
	if (a->halt) {
		WRITE_ONCE(v->run->exit_reason, KVM_EXIT_HLT);
		return 0;
	}
	if (a->set_tpr) {
		WRITE_ONCE(v->run->exit_reason, KVM_EXIT_SET_TPR);
		return 0;
	}
	return 1;
}

int kvm_emulate_run(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	enum kvm_exec_status s;

	a->error = 0;
	a->halt = a->set_tpr = false;
	take(v);
	s = kvm_insn_exec(&a->exec);
	if (s == KVM_EXEC_PENDING) {
		give(v);
		if (a->asked == KVM_ASKED_MMIO)
			kvm_count(&v->stat.mmio_exits);
		return kvm_ask(v, a->asked);
	}
	a->mmio.done = a->io.done = false;
	a->exec.pending = false;
	if (s == KVM_EXEC_UNHANDLED)
		return kvm_emulate_failed(v);
	give(v);			/* also the iterations before a fault */
	if (s == KVM_EXEC_FAULT)
		raise_fault(a);
	else if (s == KVM_EXEC_DONE)
		kvm_emulate_stepped(a, a->exec.regs.shadow);
	return after(v);
}

int kvm_emulate(struct kvm_vcpu *v)
{
	switch (kvm_emulate_fetch(v)) {
	case KVM_EXEC_DONE:
		kvm_count(&v->stat.insn_emulation);
		take(v);
		return kvm_emulate_run(v);
	case KVM_EXEC_FAULT:
	case KVM_EXEC_AGAIN:
		return 1;
	default:
		return kvm_emulate_failed(v);
	}
}
