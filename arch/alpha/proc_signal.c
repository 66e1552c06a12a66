// SPDX-License-Identifier: MIT
/*
 * Signal frames of the alpha ABI: siginfo, ucontext with all registers, and three instructions that go back, for programs that gave rt_sigaction no
 * restorer (its fifth argument here) and whose stack may be executed. rt_sigreturn is told where the frame is, and trusts none of it.
 */
#include <arch/signal.h>
#include <arch/ptrace.h>
#include <arch/syscall.h>
#include <arch/uaccess.h>
#include <abi/errno.h>
#include <asm/sigcontext.h>
#include <asm/signal.h>
#include <kernel/preempt.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/shared/signal_stack.h"
#include "arch/alpha/alpha_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

#define MOV_SP_A0 0x47fe0410U
#define LDI_V0 0x201f0000U
#define CALLSYS 0x00000083U

struct frame {
	u8 info[128];
	u64 flags, link, osf_mask;
	struct user_stack stack;
	struct sigcontext context;
	u64 mask;
	u32 code[4];
};
static_assert(sizeof(struct sigcontext) == 648 && offsetof(struct frame, context) == 176, "struct rt_sigframe of the ABI");

size_t arch_signal_frame_size(void)
{
	return sizeof(struct frame) + 16;
}

static void save_context(struct sigcontext *c, struct pt_regs *r, bool on_alt, u64 mask)
{
	const struct arch_fpu *f = current->thread.fpu;

	c->sc_onstack = on_alt;
	c->sc_mask = (long)mask;
	c->sc_pc = (long)r->pc;
	c->sc_ps = PS_USER;
	for (unsigned int i = 0; i < 31; i++)
		c->sc_regs[i] = (long)*regs_general(r, i);
	c->sc_traparg_a0 = r->trap[0];
	c->sc_traparg_a1 = r->trap[1];
	c->sc_traparg_a2 = r->trap[2];
	if (!f)
		return;
	memcpy(c->sc_fpregs, f->f, sizeof(f->f));
	c->sc_fpcr = f->fpcr;
}

int arch_signal_setup(struct pt_regs *regs, const struct arch_sigframe *f)
{
	struct signal_stack stack = signal_stack(f, regs->r[REG_SP]);
	unsigned long at;
	struct frame k;

	fpu_sync();
	at = ALIGN_DOWN(stack.sp - sizeof(k), 32);
	if (!signal_fits(&stack, f, at))
		return -EFAULT;
	memset(&k, 0, sizeof(k));
	memcpy(k.info, f->info, f->info_size);
	k.osf_mask = k.mask = f->mask;
	k.stack = signal_user_stack(f, stack.on_alt);
	save_context(&k.context, regs, stack.on_alt, f->mask);
	k.code[0] = MOV_SP_A0;
	k.code[1] = LDI_V0 | __NR_rt_sigreturn;
	k.code[2] = CALLSYS;
	if (arch_copy_to_user(UPTR(at), &k, sizeof(k)))
		return -EFAULT;
	if (!f->restorer)
		pal_call0(PAL_imb);
	regs->a[0] = (u64)f->sig;
	regs->a[1] = at + offsetof(struct frame, info);
	regs->a[2] = at + offsetof(struct frame, flags);
	regs->r[REG_RA] = f->restorer ? f->restorer : at + offsetof(struct frame, code);
	regs->r[REG_PV] = f->handler;
	regs->r[REG_SP] = at;
	regs->pc = f->handler;
	return 0;
}

static void load_fp(const struct sigcontext *c)
{
	struct arch_fpu *f = current->thread.fpu;

	if (!f)
		return;
	preempt_disable();
	memcpy(f->f, c->sc_fpregs, sizeof(f->f));
	f->fpcr = c->sc_fpcr;
	fpu_changed(current);
	preempt_enable();
}

int arch_signal_return(struct pt_regs *regs, struct arch_sigreturn *out)
{
	struct uptr at = UPTR(regs->a[0]);
	struct frame k;

	if ((at.addr & 7) || arch_copy_from_user(&k, at, sizeof(k)))
		return -EFAULT;
	for (unsigned int i = 0; i < 31; i++)
		*regs_general(regs, i) = (u64)k.context.sc_regs[i];
	regs->pc = (u64)k.context.sc_pc;
	regs->syscallno = -1;
	load_fp(&k.context);
	*out = (struct arch_sigreturn){ .mask = k.mask, .altstack_sp = k.stack.sp, .altstack_size = k.stack.size,
					.altstack_flags = k.stack.flags };
	return 0;
}
