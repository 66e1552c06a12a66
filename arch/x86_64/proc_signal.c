// SPDX-License-Identifier: MIT
/*
 * Signal frames of the x86_64 ABI. From the (alternate) stack downwards, below the red zone: the FPU state in XSAVE's
 * standard form with its software words (asm/sigcontext.h), then siginfo, ucontext and the return address.
 * rt_sigreturn trusts none of it.
 */
#include <arch/signal.h>
#include <arch/fpu.h>
#include <kernel/bug.h>
#include <arch/ptrace.h>
#include <arch/syscall.h>
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <asm/processor-flags.h>
#include <asm/sigcontext.h>
#include <asm/signal.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/shared/signal_stack.h"
#include "arch/x86_64/x86_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

/* uc_flags of <asm/ucontext.h>, which cannot be included without the C library's types. */
#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4

#define RED_ZONE 128
#define SW_RESERVED 464			/* where struct _fpx_sw_bytes stands in the legacy area */
#define MAGIC2_SIZE 4

struct user_context {
	u64 flags, link;
	struct user_stack stack;
	struct sigcontext_64 mc;
	u64 mask;
};

struct frame {
	u64 restorer;
	struct user_context uc;
	u8 info[128];
};
static_assert(sizeof(struct user_context) == 304, "struct ucontext of the ABI");
static_assert(offsetof(struct frame, info) == 312, "struct rt_sigframe of the ABI");

#define USER_FLAGS (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF | \
		    X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_RF | X86_EFLAGS_AC)

static size_t fpstate_size(void)
{
	return xsave_size + (cpu_has(X86_FEATURE_XSAVE) ? MAGIC2_SIZE : 0);
}

size_t arch_signal_frame_size(void)
{
	return RED_ZONE + fpstate_size() + 64 + sizeof(struct frame) + 32;
}

/*
 * XSAVE and XRSTOR go to and from the user's memory itself. They may fault there and sleep: whoever runs meanwhile, the registers are
 * the task's again when it goes on. 0 or -EFAULT; after a failed XRSTOR the registers hold anything.
 */
static int xsave_user(struct uptr to)
{
	u64 mask = xfeatures_mask;
	int err = (int)mask;

	__asm__ volatile(UACCESS_BEGIN "1: xsave64 (%1)\n xorl %%eax, %%eax\n2:\n" UACCESS_END EXTABLE(1b, 2b, EX_EFAULT)
			 : "+a"(err) : "r"(to.addr), "d"((u32)(mask >> 32)) : "memory");
	return err;
}

static int xrstor_user(struct uptr from, u64 mask)
{
	int err = (int)mask;

	__asm__ volatile(UACCESS_BEGIN "1: xrstor64 (%1)\n xorl %%eax, %%eax\n2:\n" UACCESS_END EXTABLE(1b, 2b, EX_EFAULT)
			 : "+a"(err) : "r"(from.addr), "d"((u32)(mask >> 32)) : "memory");
	return err;
}

#define XSAVE_HEADER 512		/* 64 bytes; XSAVE writes the first 8 alone */

static int put_xsave(struct uptr at)
{
	struct _fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1, .extended_size = (u32)fpstate_size(), .xfeatures = xfeatures_mask, .xstate_size = xsave_size,
	};
	struct uptr header = uptr_add(at, XSAVE_HEADER);
	u64 bv;

	if (arch_clear_user(header, 64) || xsave_user(at) || arch_get_user_8(&bv, header))
		return -EFAULT;
	/* Components in their initial state were written too: the bits that say so come along, for handlers that change them. */
	if (arch_put_user_8(bv | 3, header) || arch_copy_to_user(uptr_add(at, SW_RESERVED), &sw, sizeof(sw)))
		return -EFAULT;
	return arch_put_user_4(FP_XSTATE_MAGIC2, uptr_add(at, xsave_size));
}

static int put_fpstate(struct uptr at)
{
	struct _fpx_sw_bytes none = { 0 };

	if (likely(cpu_has(X86_FEATURE_XSAVE)))
		return put_xsave(at);
	fpu_sync();
	return arch_copy_to_user(at, current->thread.fpu, xsave_size) || arch_copy_to_user(uptr_add(at, SW_RESERVED), &none, sizeof(none)) ? -EFAULT : 0;
}

/* A handler is a function that is called: its ABI wants the control words as they are at first, and it sees nobody's registers. */
static void fpu_initial(void)
{
	if (!current->thread.fpu)
		return;
	if (likely(cpu_has(X86_FEATURE_XSAVE)))
		x86_fpu_reset_some(xfeatures_mask);
	else
		arch_fpu_exec();
}

static void fill_context(struct sigcontext_64 *mc, const struct pt_regs *r, u64 mask, struct uptr fp)
{
	const struct arch_thread *t = &current->thread;

	*mc = (struct sigcontext_64){
		.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11, .r12 = r->r12, .r13 = r->r13,
		.r14 = r->r14, .r15 = r->r15, .di = r->rdi, .si = r->rsi, .bp = r->rbp, .bx = r->rbx,
		.dx = r->rdx, .ax = r->rax, .cx = r->rcx, .sp = r->rsp, .ip = r->rip, .flags = r->eflags,
		.cs = (u16)r->cs, .ss = (u16)r->ss, .err = t->error_code, .trapno = t->trap_nr,
		.oldmask = mask, .cr2 = t->cr2, .fpstate = fp.addr,
	};
}

/* The stack the handler runs on. */
static unsigned long pick_stack(const struct pt_regs *regs, const struct arch_sigframe *f, bool *switched)
{
	unsigned long sp = regs->rsp - RED_ZONE;
	bool on_alt = regs->rsp > f->altstack_sp && regs->rsp - f->altstack_sp <= f->altstack_size;

	*switched = false;
	if ((f->altstack_flags & (int)AUTODISARM) == 0 && f->altstack_size && on_alt)
		return sp;
	if ((f->flags & SA_ONSTACK) && f->altstack_size) {
		*switched = true;
		return f->altstack_sp + f->altstack_size;
	}
	return sp;
}

int arch_signal_setup(struct pt_regs *regs, const struct arch_sigframe *f)
{
	bool switched, on_alt = f->altstack_size && regs->rsp > f->altstack_sp &&
				regs->rsp - f->altstack_sp <= f->altstack_size;
	unsigned long sp = pick_stack(regs, f, &switched), at;
	struct uptr fp = UPTR_NULL;
	struct {
		u64 restorer;
		struct user_context uc;
	} fr;

	DEBUG_ON(current->thread.guest_fpu);
	if (!(f->flags & 0x04000000 /* SA_RESTORER */))
		return -EFAULT;
	if (current->thread.fpu) {
		sp = ALIGN_DOWN(sp - fpstate_size(), 64);
		fp = UPTR(sp);
		if (!access_ok(fp, fpstate_size()) || put_fpstate(fp))
			return -EFAULT;
	}
	at = ALIGN_DOWN(sp - sizeof(struct frame), 16) - 8;	/* as after a call */
	/* A handler that already runs on the alternate stack and no longer fits must not run past its end. */
	if ((on_alt || switched) && (at < f->altstack_sp || at - f->altstack_sp > f->altstack_size))
		return -EFAULT;
	fr.restorer = f->restorer;
	fr.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (cpu_has(X86_FEATURE_XSAVE) ? UC_FP_XSTATE : 0);
	fr.uc.link = 0;
	fr.uc.stack = signal_user_stack(f, on_alt);
	fill_context(&fr.uc.mc, regs, f->mask, fp);
	fr.uc.mask = f->mask;
	if (arch_copy_to_user(UPTR(at), &fr, sizeof(fr)) || arch_copy_to_user(UPTR(at + offsetof(struct frame, info)), f->info, f->info_size) ||
	    arch_clear_user(UPTR(at + offsetof(struct frame, info) + f->info_size), sizeof(((struct frame *)0)->info) - f->info_size))
		return -EFAULT;
	fpu_initial();
	regs->rdi = (unsigned long)f->sig;
	regs->rsi = at + offsetof(struct frame, info);
	regs->rdx = at + offsetof(struct frame, uc);
	regs->rax = 0;
	regs->rip = f->handler;
	regs->rsp = at;
	regs->cs = USER_CS;
	regs->ss = USER_DS;
	regs->eflags &= ~(X86_EFLAGS_DF | X86_EFLAGS_RF | X86_EFLAGS_TF);
	return 0;
}

/* A whole image. XRSTOR itself refuses what no XSAVE would have written. */
static int get_xsave(struct uptr p, u64 features)
{
	features &= xfeatures_mask;
	if (!access_ok(p, xsave_size) || xrstor_user(p, features)) {
		arch_fpu_exec();
		return -EFAULT;
	}
	if (unlikely(features != xfeatures_mask))
		x86_fpu_reset_some(xfeatures_mask & ~features);
	return 0;
}

/* The FPU image at P: how much of it to take, by its software words. 0: a legacy image. */
static int get_fpstate(struct uptr p)
{
	struct arch_fpu *f = current->thread.fpu, *tmp;
	struct _fpx_sw_bytes sw;
	size_t len = 512;
	u32 magic2;
	int err = -EFAULT;

	if (uptr_is_null(p)) {
		arch_fpu_exec();
		return 0;
	}
	if (!f || p.addr & (cpu_has(X86_FEATURE_XSAVE) ? 63 : 15))
		return -EFAULT;
	if (arch_copy_from_user(&sw, uptr_add(p, SW_RESERVED), sizeof(sw)))
		return -EFAULT;
	if (cpu_has(X86_FEATURE_XSAVE) && sw.magic1 == FP_XSTATE_MAGIC1 && sw.xstate_size >= 576 &&
	    sw.xstate_size <= xsave_size && sw.xstate_size <= sw.extended_size &&
	    !arch_copy_from_user(&magic2, uptr_add(p, sw.xstate_size), 4) && magic2 == FP_XSTATE_MAGIC2)
		len = sw.xstate_size;
	if (likely(cpu_has(X86_FEATURE_XSAVE) && len == xsave_size))
		return get_xsave(p, sw.xfeatures);
	tmp = kvmalloc(xsave_size + 64, GFP_KERNEL);
	if (!tmp)
		return -ENOMEM;
	if (!arch_copy_from_user(tmp, p, len)) {
		memset((u8 *)tmp + len, 0, xsave_size - len);
		if (len > 512)
			tmp->xstate_bv &= sw.xfeatures;
		err = x86_fpu_sanitize(tmp, len);
	}
	if (!err) {
		memset(tmp->legacy + SW_RESERVED, 0, 48);
		preempt_disable();
		memcpy(f, tmp, xsave_size);
		fpu_changed(current);
		preempt_enable();
	}
	kvfree(tmp);
	return err;
}

int arch_signal_return(struct pt_regs *regs, struct arch_sigreturn *out)
{
	struct user_context uc;
	const struct sigcontext_64 *mc = &uc.mc;

	/* The handler's return popped the restorer. */
	if (arch_copy_from_user(&uc, UPTR(regs->rsp - 8 + offsetof(struct frame, uc)), sizeof(uc)))
		return -EFAULT;
	*regs = (struct pt_regs){
		.r8 = mc->r8, .r9 = mc->r9, .r10 = mc->r10, .r11 = mc->r11, .r12 = mc->r12, .r13 = mc->r13,
		.r14 = mc->r14, .r15 = mc->r15, .rdi = mc->di, .rsi = mc->si, .rbp = mc->bp, .rbx = mc->bx,
		.rdx = mc->dx, .rax = mc->ax, .rcx = mc->cx, .rsp = mc->sp, .rip = mc->ip,
		.eflags = (regs->eflags & ~USER_FLAGS) | (mc->flags & USER_FLAGS),
		.cs = USER_CS, .ss = USER_DS, .orig_rax = (unsigned long)-1,
	};
	*out = (struct arch_sigreturn){ .mask = uc.mask, .altstack_sp = uc.stack.sp, .altstack_size = uc.stack.size,
					.altstack_flags = uc.stack.flags };
	return get_fpstate(UPTR(mc->fpstate));
}
