// SPDX-License-Identifier: MIT
/*
 * Signal frames of the aarch64 ABI. From the (alternate) stack downwards: a frame record {x29, lr} for unwinders, then ucontext
 * with the FPU registers as a record of its reserved area, then siginfo. rt_sigreturn trusts none of it. A handler without a
 * restorer returns through the vDSO.
 */
#include <arch/signal.h>
#include <arch/ptrace.h>
#include <arch/syscall.h>
#include <arch/uaccess.h>
#include <arch/vdso.h>
#include <abi/errno.h>
#include <asm/sigcontext.h>
#include <asm/signal.h>
#include <kernel/preempt.h>
#include <lib/bits.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sched/task.h>
#include "arch/aarch64/a64_priv.h"
#include "arch/aarch64/fpu_priv.h"

#define ON_STACK 1			/* SS_ONSTACK */
#define DISABLED 2			/* SS_DISABLE */
#define AUTODISARM (1U << 31)

struct user_stack {
	u64 sp;
	s32 flags, pad;
	u64 size;
};

struct user_context {
	u64 flags, link;
	struct user_stack stack;
	u64 mask, mask_rest[15];
	struct sigcontext mc;
};

struct frame {
	u8 info[128];
	struct user_context uc;
};
static_assert(offsetof(struct user_context, mc) == 176, "struct ucontext of the ABI");
static_assert(sizeof(struct frame) == 128 + 176 + 288 + 4096 /* not a page */, "struct rt_sigframe of the ABI");

/* All but the reserved area, which is written record by record. */
#define HEAD_SIZE (offsetof(struct frame, uc.mc) + offsetof(struct sigcontext, __reserved))

size_t arch_signal_frame_size(void)
{
	return sizeof(struct frame) + 16 + 16;
}

static int put_records(struct uptr at)
{
	struct fpsimd_context fp = { .head = { FPSIMD_MAGIC, sizeof(fp) } };
	struct esr_context esr = { .head = { ESR_MAGIC, sizeof(esr) }, .esr = current->thread.fault_code };
	struct _aarch64_ctx end = { 0, 0 };

	if (current->thread.fpu) {
		const struct user_fpsimd_state *v = &current->thread.fpu->v;

		a64_fpu_sync();
		fp.fpsr = v->fpsr;
		fp.fpcr = v->fpcr;
		memcpy(fp.vregs, v->vregs, sizeof(fp.vregs));
		if (arch_copy_to_user(at, &fp, sizeof(fp)))
			return -EFAULT;
		at = uptr_add(at, sizeof(fp));
	}
	if (current->thread.fault_code) {
		if (arch_copy_to_user(at, &esr, sizeof(esr)))
			return -EFAULT;
		at = uptr_add(at, sizeof(esr));
	}
	return arch_copy_to_user(at, &end, sizeof(end)) ? -EFAULT : 0;
}

static int put_head(struct uptr at, const struct pt_regs *regs, const struct arch_sigframe *f, bool on_alt)
{
	union {
		u8 bytes[HEAD_SIZE];
		struct {
			u8 info[128];
			u64 flags, link;
			struct user_stack stack;
			u64 mask, mask_rest[15];
			u64 pad;
			u64 fault_address, regs[31], sp, pc, pstate;
		} __packed h;
	} head;

	memset(&head, 0, sizeof(head));
	memcpy(head.h.info, f->info, f->info_size);
	head.h.stack = (struct user_stack){
		.sp = f->altstack_sp, .size = f->altstack_size,
		.flags = f->altstack_flags | (f->altstack_size ? on_alt ? ON_STACK : 0 : DISABLED),
	};
	head.h.mask = f->mask;
	head.h.fault_address = current->thread.fault_address;
	memcpy(head.h.regs, regs->regs, sizeof(head.h.regs));
	head.h.sp = regs->sp;
	head.h.pc = regs->pc;
	head.h.pstate = regs->pstate;
	return arch_copy_to_user(at, &head, sizeof(head)) ? -EFAULT : 0;
}

int arch_signal_setup(struct pt_regs *regs, const struct arch_sigframe *f)
{
	bool on_alt = f->altstack_size && regs->sp > f->altstack_sp && regs->sp - f->altstack_sp <= f->altstack_size;
	bool switched = (f->flags & SA_ONSTACK) && f->altstack_size && (!on_alt || (f->altstack_flags & (int)AUTODISARM));
	unsigned long sp = ALIGN_DOWN(switched ? f->altstack_sp + f->altstack_size : regs->sp, 16), record = sp - 16;
	unsigned long at = ALIGN_DOWN(record - sizeof(struct frame), 16);
	u64 rec[2] = { regs->regs[29], regs->regs[30] };
	int err;

	if (at > sp)
		return -EFAULT;
	/* A handler that already runs on the alternate stack and no longer fits must not run past its end. */
	if ((on_alt || switched) && (at < f->altstack_sp || at - f->altstack_sp > f->altstack_size))
		return -EFAULT;
	err = put_head(UPTR(at), regs, f, on_alt);
	if (!err)
		err = put_records(UPTR(at + HEAD_SIZE));
	if (err || arch_copy_to_user(UPTR(record), rec, sizeof(rec)))
		return -EFAULT;
	regs->regs[0] = (u64)f->sig;
	regs->regs[1] = at + offsetof(struct frame, info);
	regs->regs[2] = at + offsetof(struct frame, uc);
	regs->regs[29] = record;
	regs->regs[30] = f->flags & SA_RESTORER ? f->restorer : current->mm->vdso + arch_vdso_sigreturn();
	regs->sp = at;
	regs->pc = f->handler;
	regs->pstate &= ~(u64)(PSR_BTYPE_MASK | PSR_TCO_BIT);
	if (a64_has_bti)
		regs->pstate |= PSR_BTYPE_C;	/* the handler is called, as by blr */
	current->thread.fault_code = 0;
	return 0;
}

/* The records at AT: a chain by size, ended by zeros. FPU registers are required, what is not known is skipped. */
static int get_records(struct uptr at)
{
	struct fpsimd_context fp;
	struct _aarch64_ctx head;
	size_t off = 0, room = sizeof(((struct sigcontext *)0)->__reserved);
	bool seen = false;

	while (off + sizeof(head) <= room) {
		if (arch_copy_from_user(&head, uptr_add(at, off), sizeof(head)))
			return -EFAULT;
		if (!head.magic)
			return head.size || (!seen && current->thread.fpu) ? -EFAULT : 0;
		if (head.size < sizeof(head) || (head.size & 15) || head.size > room - off)
			return -EFAULT;
		if (head.magic == FPSIMD_MAGIC) {
			if (seen || head.size != sizeof(fp) || !current->thread.fpu ||
			    arch_copy_from_user(&fp, uptr_add(at, off), sizeof(fp)))
				return -EFAULT;
			seen = true;
			preempt_disable();
			memcpy(current->thread.fpu->v.vregs, fp.vregs, sizeof(fp.vregs));
			current->thread.fpu->v.fpsr = fp.fpsr;
			current->thread.fpu->v.fpcr = fp.fpcr;
			a64_fpu_changed(current);
			preempt_enable();
		}
		off += head.size;
	}
	return -EFAULT;
}

int arch_signal_return(struct pt_regs *regs, struct arch_sigreturn *out)
{
	struct {
		u64 fault_address, regs[31], sp, pc, pstate;
	} mc;
	struct user_stack stack;
	struct uptr at = UPTR(regs->sp);
	u64 mask;

	if ((at.addr & 15) || arch_copy_from_user(&stack, uptr_add(at, offsetof(struct frame, uc.stack)), sizeof(stack)) ||
	    arch_copy_from_user(&mask, uptr_add(at, offsetof(struct frame, uc.mask)), sizeof(mask)) ||
	    arch_copy_from_user(&mc, uptr_add(at, offsetof(struct frame, uc.mc)), sizeof(mc)))
		return -EFAULT;
	memcpy(regs->regs, mc.regs, sizeof(mc.regs));
	regs->sp = mc.sp;
	regs->pc = mc.pc;
	regs->pstate = (mc.pstate & a64_user_pstate) | PSR_MODE_EL0t;
	regs->syscallno = -1;
	*out = (struct arch_sigreturn){ .mask = mask, .altstack_sp = stack.sp, .altstack_size = stack.size,
					.altstack_flags = stack.flags };
	return get_records(uptr_add(at, HEAD_SIZE));
}
