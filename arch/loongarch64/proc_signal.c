// SPDX-License-Identifier: MIT
/*
 * Signal frames of the loongarch64 ABI. From the (alternate) stack downwards: an empty context record, the registers of the width
 * that the task uses with a head before them, ucontext, siginfo. rt_sigreturn trusts none of it. Handlers return through the
 * vDSO.
 */
#include <arch/signal.h>
#include <arch/ptrace.h>
#include <arch/syscall.h>
#include <arch/uaccess.h>
#include <arch/vdso.h>
#include <abi/errno.h>
#include <asm/sigcontext.h>
#include <asm/signal.h>
#include <lib/bits.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sched/task.h>
#include "arch/shared/signal_stack.h"
#include "arch/loongarch64/la64_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

struct frame {
	u8 info[128];
	u64 flags, link;
	struct user_stack stack;
	u64 mask, mask_rest[15];
	u64 pad;
	u64 pc, regs[32];
	u32 sc_flags, pad2;
};
static_assert(offsetof(struct frame, pc) == 128 + 176, "struct rt_sigframe of the ABI");
static_assert(sizeof(struct frame) == 128 + 176 + 272 && sizeof(struct sigcontext) == 272, "the records follow");

/* A record of registers: its mark, its alignment, bytes of one register. */
static const struct {
	u32 magic, align, width;
} kinds[] = {
	[FPU_64] = { FPU_CTX_MAGIC, FPU_CTX_ALIGN, 8 },
	[FPU_128] = { LSX_CTX_MAGIC, LSX_CTX_ALIGN, 16 },
	[FPU_256] = { LASX_CTX_MAGIC, LASX_CTX_ALIGN, 32 },
};

/* The flags and the control word, behind the registers of each kind. */
struct record_tail {
	u64 fcc;
	u32 fcsr, pad;
};

static size_t record_size(u32 width)
{
	return 32 * (size_t)kinds[width].width + sizeof(struct record_tail);
}

size_t arch_signal_frame_size(void)
{
	u32 w = la64_fpu_width();

	return sizeof(struct frame) + 16 + (w ? record_size(w) + kinds[w].align + 2 * sizeof(struct sctx_info) : sizeof(struct sctx_info));
}

/* Places of a frame below SP. */
struct places {
	unsigned long end, record, frame;	/* record: its head; 0: none */
};

static struct places lay_out(unsigned long sp, u32 width)
{
	struct places p = { .end = ALIGN_DOWN(sp, 16) - sizeof(struct sctx_info) };

	p.frame = p.end;
	if (width) {
		p.record = ALIGN_DOWN(p.end - record_size(width), max(16U, kinds[width].align)) - sizeof(struct sctx_info);
		p.frame = p.record;
	}
	p.frame -= sizeof(struct frame);
	return p;
}

static int put_record(const struct places *p)
{
	struct sctx_info head = { 0 }, end = { 0 };
	u64 record[FPU_RECORD_MAX / 8];

	if (p->record) {
		u32 width = current->thread.fpu->width;

		head.magic = kinds[width].magic;
		head.size = (u32)(p->end - p->record);
		record[record_size(width) / 8 - 1] = 0;		/* its upper half is no register's */
		la64_fpu_to_record(record);
		if (arch_copy_to_user(UPTR(p->record), &head, sizeof(head)) ||
		    arch_copy_to_user(UPTR(p->record + sizeof(head)), record, record_size(width)))
			return -EFAULT;
	}
	return arch_copy_to_user(UPTR(p->end), &end, sizeof(end)) ? -EFAULT : 0;
}

int arch_signal_setup(struct pt_regs *regs, const struct arch_sigframe *f)
{
	struct signal_stack stack = signal_stack(f, regs->regs[REG_SP]);
	struct arch_fpu *fpu = current->thread.fpu;
	struct places p;
	struct frame k;

	p = lay_out(stack.sp, fpu ? fpu->width : FPU_NONE);
	if (!signal_fits(&stack, f, p.frame))
		return -EFAULT;
	memset(&k, 0, sizeof(k));
	memcpy(k.info, f->info, f->info_size);
	k.stack = signal_user_stack(f, stack.on_alt);
	k.mask = f->mask;
	k.pc = regs->era;
	memcpy(&k.regs[1], &regs->regs[1], sizeof(k.regs) - 8);
	k.sc_flags = current->thread.sc_flags | (p.record ? SC_USED_FP : 0);
	if (arch_copy_to_user(UPTR(p.frame), &k, sizeof(k)) || put_record(&p))
		return -EFAULT;
	regs->regs[REG_A0] = (u64)f->sig;
	regs->regs[REG_A0 + 1] = p.frame + offsetof(struct frame, info);
	regs->regs[REG_A0 + 2] = p.frame + offsetof(struct frame, flags);
	regs->regs[REG_RA] = current->mm->vdso + arch_vdso_sigreturn();
	regs->regs[REG_SP] = p.frame;
	regs->era = f->handler;
	current->thread.sc_flags = 0;
	return 0;
}

/* The registers of a record become the task's, which is widened where it has to be. */
static int get_registers(struct uptr at, u32 width)
{
	u64 record[FPU_RECORD_MAX / 8];

	if (arch_copy_from_user(record, at, record_size(width)) || (current->thread.fpu->width < width && !la64_fpu_widen(width)))
		return -EFAULT;
	la64_fpu_from_record(record, width);
	return 0;
}

/* The chain of records at AT, by size, ended by zeros. At most one of registers; what is not known is an error. */
static int get_records(struct uptr at)
{
	struct sctx_info head;
	bool seen = false;

	for (;;) {
		u32 w;

		if (arch_copy_from_user(&head, at, sizeof(head)))
			return -EFAULT;
		if (!head.magic)
			return head.size ? -EFAULT : 0;
		for (w = FPU_64; w <= FPU_256 && kinds[w].magic != head.magic; w++)
			;
		if (w > FPU_256 || seen || head.size < sizeof(head) + record_size(w) - sizeof(u32) || !current->thread.fpu ||
		    w > la64_fpu_width())
			return -EFAULT;
		if (get_registers(uptr_add(at, sizeof(head)), w))
			return -EFAULT;
		seen = true;
		at = uptr_add(at, head.size);
	}
}

int arch_signal_return(struct pt_regs *regs, struct arch_sigreturn *out)
{
	struct uptr at = UPTR(regs->regs[REG_SP]);
	struct frame k;

	if ((at.addr & 15) || arch_copy_from_user(&k, at, sizeof(k)))
		return -EFAULT;
	memcpy(&regs->regs[1], &k.regs[1], sizeof(k.regs) - 8);
	regs->era = k.pc;
	regs->syscallno = -1;
	*out = (struct arch_sigreturn){ .mask = k.mask, .altstack_sp = k.stack.sp, .altstack_size = k.stack.size,
					.altstack_flags = k.stack.flags };
	return get_records(uptr_add(at, sizeof(k)));
}
