// SPDX-License-Identifier: MIT
/*
 * Signal frames of the riscv64 ABI: siginfo, then ucontext with the floating-point registers, then records of further state (the
 * vector unit's) ended by zeros. rt_sigreturn trusts none of it. Handlers return through the vDSO.
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
#include "arch/shared/signal_stack.h"
#include "arch/riscv64/rv_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

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
static_assert(sizeof(struct frame) == 128 + 176 + 784, "struct rt_sigframe of the ABI");

#define END_OFFSET offsetof(struct frame, uc.mc.sc_extdesc.hdr)

/* The vector state stands right behind the frame; its header is the last word of the frame. */
static_assert(sizeof(struct __sc_riscv_v_state) == 48, "struct __sc_riscv_v_state of the ABI");
#define V_STATE sizeof(struct frame)

static size_t v_size(void)
{
	return sizeof(struct __riscv_ctx_hdr) + sizeof(struct __sc_riscv_v_state) + 32UL * rv_vlenb;
}

/* With room for the record that ends the list. */
static size_t frame_size(bool vector)
{
	return sizeof(struct frame) + (vector ? v_size() + sizeof(struct __riscv_ctx_hdr) : 0);
}

size_t arch_signal_frame_size(void)
{
	return ALIGN(frame_size(rv_vlenb), 16) + 16;
}

static int put_vector(struct uptr frame)
{
	const struct __riscv_v_ext_state *mine = current->thread.vector;
	struct __riscv_ctx_hdr hdr = { RISCV_V_MAGIC, (u32)v_size() }, end = { END_MAGIC, END_HDR_SIZE };
	struct __sc_riscv_v_state v;
	struct uptr regs = uptr_add(frame, V_STATE + sizeof(v));

	rv_vector_sync();
	memset(&v, 0, sizeof(v));	/* its end is padding */
	v.v_state = *mine;
	memcpy(&v.v_state.datap, &regs.addr, sizeof(regs.addr));
	if (arch_copy_to_user(uptr_add(frame, END_OFFSET), &hdr, sizeof(hdr)) ||
	    arch_copy_to_user(uptr_add(frame, V_STATE), &v, sizeof(v)) ||
	    arch_copy_to_user(regs, mine + 1, 32UL * rv_vlenb) ||
	    arch_copy_to_user(uptr_add(frame, END_OFFSET + hdr.size), &end, sizeof(end)))
		return -EFAULT;
	return 0;
}

static int put_frame(struct uptr at, const struct pt_regs *regs, const struct arch_sigframe *f, bool on_alt)
{
	struct frame fr;

	memset(&fr, 0, sizeof(fr));
	memcpy(fr.info, f->info, f->info_size);
	fr.uc.stack = signal_user_stack(f, on_alt);
	fr.uc.mask = f->mask;
	fr.uc.mc.sc_regs = regs->user;
	if (current->thread.fpu) {
		fpu_sync();
		fr.uc.mc.sc_fpregs.d = current->thread.fpu->d;
	}
	if (arch_copy_to_user(at, &fr, sizeof(fr)))
		return -EFAULT;
	return current->thread.vector ? put_vector(at) : 0;
}

int arch_signal_setup(struct pt_regs *regs, const struct arch_sigframe *f)
{
	struct signal_stack stack = signal_stack(f, regs->sp);
	unsigned long at = ALIGN_DOWN(stack.sp - frame_size(current->thread.vector), 16);

	if (!signal_fits(&stack, f, at))
		return -EFAULT;
	if (put_frame(UPTR(at), regs, f, stack.on_alt))
		return -EFAULT;
	regs->ra = current->mm->vdso + arch_vdso_sigreturn();
	regs->sp = at;
	regs->pc = f->handler;
	regs->a0 = (unsigned long)f->sig;
	regs->a1 = at + offsetof(struct frame, info);
	regs->a2 = at + offsetof(struct frame, uc);
	return 0;
}

static int get_vector(struct uptr state)
{
	struct __riscv_v_ext_state *mine = current->thread.vector;
	struct __sc_riscv_v_state v;
	void *regs;
	int err;

	if (!mine)		/* there was nothing of it when the frame was made */
		return -EFAULT;
	if (arch_copy_from_user(&v, state, sizeof(v)) || v.v_state.vlenb != rv_vlenb)
		return -EFAULT;
	rv_vector_sync();	/* nothing of the CPU's registers overwrites the area from here on */
	regs = mine + 1;
	err = arch_copy_from_user(regs, UPTR(v.v_state.datap), 32UL * rv_vlenb) ? -EFAULT : 0;
	mine->vstart = v.v_state.vstart;
	mine->vl = v.v_state.vl;
	mine->vtype = v.v_state.vtype;
	mine->vcsr = v.v_state.vcsr;
	rv_vector_changed(current);
	return err;
}

/* The records behind the registers: a chain by size, ended by zeros. What is not known is refused. */
static int get_records(struct uptr frame)
{
	struct uptr at = uptr_add(frame, END_OFFSET);
	struct __riscv_ctx_hdr h;
	u32 reserved;

	if (arch_get_user_4(&reserved, uptr_add(frame, offsetof(struct frame, uc.mc.sc_extdesc.reserved))) || reserved)
		return -EFAULT;
	for (bool seen = false; ; at = uptr_add(at, h.size)) {
		if (arch_copy_from_user(&h, at, sizeof(h)))
			return -EFAULT;
		if (h.magic == END_MAGIC)
			return h.size == END_HDR_SIZE ? 0 : -EFAULT;
		if (h.magic != RISCV_V_MAGIC || !rv_vlenb || seen || h.size != v_size() || get_vector(uptr_add(at, sizeof(h))))
			return -EFAULT;
		seen = true;
	}
}

int arch_signal_return(struct pt_regs *regs, struct arch_sigreturn *out)
{
	struct uptr at = UPTR(regs->sp);
	struct user_regs_struct r;
	struct __riscv_d_ext_state d;
	struct user_stack stack;
	u64 mask;

	if ((at.addr & 15) || arch_copy_from_user(&stack, uptr_add(at, offsetof(struct frame, uc.stack)), sizeof(stack)) ||
	    arch_copy_from_user(&mask, uptr_add(at, offsetof(struct frame, uc.mask)), sizeof(mask)) ||
	    arch_copy_from_user(&r, uptr_add(at, offsetof(struct frame, uc.mc.sc_regs)), sizeof(r)) ||
	    arch_copy_from_user(&d, uptr_add(at, offsetof(struct frame, uc.mc.sc_fpregs)), sizeof(d)))
		return -EFAULT;
	regs->user = r;
	regs->syscallno = -1;
	if (current->thread.fpu) {
		preempt_disable();
		current->thread.fpu->d = d;
		fpu_changed(current);
		preempt_enable();
	}
	*out = (struct arch_sigreturn){ .mask = mask, .altstack_sp = stack.sp, .altstack_size = stack.size,
					.altstack_flags = stack.flags };
	return get_records(at);
}
