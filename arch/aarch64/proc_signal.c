// SPDX-License-Identifier: MIT
/*
 * Signal frames of the aarch64 ABI. From the (alternate) stack downwards: a frame record {x29, lr} for unwinders, then ucontext
 * with the FPU registers as records of its reserved area, then siginfo. Where SVE's are too many for that area a record of it (extra_context) says that
 * they follow it, behind the zeros that end it. rt_sigreturn trusts none of it. A handler without a restorer returns through the vDSO.
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
#include "arch/aarch64/a64_priv.h"
#include "arch/aarch64/fpu_priv.h"

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

#define RESERVED sizeof(((struct sigcontext *)0)->__reserved)
#define MAX_FRAME (256UL << 10)		/* what the ABI promises never to exceed */

struct end {
	struct _aarch64_ctx head;
	u64 pad;
};

/* What goes before SVE's record, and behind it or instead of it where that does not fit. */
#define FIRST_SIZE (sizeof(struct fpsimd_context) + sizeof(struct esr_context))
#define LAST_SIZE (sizeof(struct extra_context) + sizeof(struct end))

static bool needs_extra(size_t sve)
{
	return sve > RESERVED - FIRST_SIZE - LAST_SIZE;
}

static size_t frame_size(size_t sve)
{
	return needs_extra(sve) ? max(sizeof(struct frame), HEAD_SIZE + FIRST_SIZE + LAST_SIZE + sve + sizeof(struct end)) : sizeof(struct frame);
}

/* With the frame record and what alignment takes. */
size_t arch_signal_frame_size(void)
{
	return frame_size(a64_sve_record_max()) + 16 + 16;
}

/* Any record's beginning, and all of the short ones. */
struct short_record {
	struct _aarch64_ctx head;
	u64 data;
};
static_assert(sizeof(struct short_record) == sizeof(struct esr_context) && sizeof(struct short_record) == sizeof(struct sve_context) &&
	      sizeof(struct short_record) == sizeof(struct end), "16 bytes each");

/* Registers of SVE, SVE bytes of them, and the end of all. */
static noinline int put_sve(struct uptr at, size_t sve)
{
	struct {
		struct extra_context extra;
		struct end end;
	} more = { .extra = { .head = { EXTRA_MAGIC, sizeof(struct extra_context) } } };

	if (needs_extra(sve)) {
		more.extra.datap = at.addr + sizeof(more);
		more.extra.size = (u32)(sve + sizeof(struct end));
		if (arch_copy_to_user(at, &more, sizeof(more)))
			return -EFAULT;
		at = uptr_add(at, sizeof(more));
	}
	if (a64_sve_put_record(at, (u32)sve))
		return -EFAULT;
	return arch_copy_to_user(uptr_add(at, sve), &more.end, sizeof(more.end)) ? -EFAULT : 0;
}

/* SVE bytes of its record. */
static int put_records(struct uptr at, size_t sve)
{
	const struct arch_fpu *f = current->thread.fpu;
	struct {
		struct fpsimd_context fp;
		struct short_record rest[3];
	} k;
	void *from = k.rest;
	unsigned int n = 0;
	size_t size;

	if (f) {
		a64_fpu_sync();
		from = &k;
		k.fp.head = (struct _aarch64_ctx){ FPSIMD_MAGIC, sizeof(k.fp) };
		k.fp.fpsr = f->v.fpsr;
		k.fp.fpcr = f->v.fpcr;
		memcpy(k.fp.vregs, f->v.vregs, sizeof(k.fp.vregs));
	}
	if (current->thread.fault_code)
		k.rest[n++] = (struct short_record){ { ESR_MAGIC, sizeof(struct esr_context) }, current->thread.fault_code };
	if (f && sve == sizeof(struct sve_context))
		k.rest[n++] = (struct short_record){ { SVE_MAGIC, sizeof(struct sve_context) }, f->vl };
	if (sve <= sizeof(struct sve_context))
		k.rest[n++] = (struct short_record){ { 0, 0 }, 0 };
	size = (size_t)((u8 *)&k.rest[n] - (u8 *)from);
	if (arch_copy_to_user(at, from, size))
		return -EFAULT;
	return sve > sizeof(struct sve_context) ? put_sve(uptr_add(at, size), sve) : 0;
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
	head.h.stack = signal_user_stack(f, on_alt);
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
	struct signal_stack stack = signal_stack(f, regs->sp);
	unsigned long sp = ALIGN_DOWN(stack.sp, 16), record = sp - 16;
	size_t sve = a64_sve_record_size();
	unsigned long at = ALIGN_DOWN(record - frame_size(sve), 16);
	u64 rec[2] = { regs->regs[29], regs->regs[30] };
	int err;

	if (!signal_fits(&stack, f, at))
		return -EFAULT;
	err = put_head(UPTR(at), regs, f, stack.on_alt);
	if (!err)
		err = put_records(UPTR(at + HEAD_SIZE), sve);
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

struct records {
	struct uptr fp, sve;		/* null: not there */
	struct short_record head;	/* sve's */
};

/* The record AT of SIZE bytes says where and how many bytes the rest of the chain is: behind the zeros behind it. Their place, or null. */
static struct uptr follow_extra(struct uptr at, u32 size, u32 *room)
{
	struct extra_context extra;
	struct end end;
	struct uptr rest = uptr_add(at, size + sizeof(end));

	if (size < sizeof(extra) || arch_copy_from_user(&extra, at, sizeof(extra)) ||
	    arch_copy_from_user(&end, uptr_add(at, size), sizeof(end)) || end.head.magic || end.head.size ||
	    extra.datap != rest.addr || (extra.size & 15) || extra.size > MAX_FRAME - sizeof(struct frame))
		return UPTR(0);
	*room = extra.size;
	return rest;
}

/* The records at AT: a chain by size, ended by zeros, each at most once. */
static int find_records(struct uptr at, struct records *r)
{
	u32 off = 0, room = RESERVED;
	struct short_record rec;
	bool extra = false;

	for (;;) {
		struct uptr here = uptr_add(at, off);

		if (room - off < sizeof(rec) || arch_copy_from_user(&rec, here, sizeof(rec)))
			return -EFAULT;
		if (!rec.head.magic)
			return rec.head.size ? -EFAULT : 0;
		if (rec.head.size < sizeof(rec) || (rec.head.size & 15) || rec.head.size > room - off)
			return -EFAULT;
		off += rec.head.size;
		switch (rec.head.magic) {
		case FPSIMD_MAGIC:
			if (r->fp.addr || rec.head.size != sizeof(struct fpsimd_context))
				return -EFAULT;
			r->fp = here;
			break;
		case SVE_MAGIC:
			if (!a64_has_sve || r->sve.addr || rec.head.size < sizeof(struct sve_context))
				return -EFAULT;
			r->sve = here;
			r->head = rec;
			break;
		case EXTRA_MAGIC:
			if (extra || room - off < sizeof(struct end))
				return -EFAULT;
			extra = true;
			at = follow_extra(here, rec.head.size, &room);
			off = 0;
			if (!at.addr)
				return -EFAULT;
			break;
		case ESR_MAGIC:
			break;
		default:
			return -EFAULT;
		}
	}
}

/* The FPU registers are required; without a record of SVE's those are gone. Bits that both records have are taken from the first. */
static int get_records(struct uptr at)
{
	struct arch_fpu *f = current->thread.fpu;
	struct records r = { 0 };
	struct fpsimd_context fp;
	int err = find_records(at, &r), sve = 0;

	if (err || !f)
		return err || r.fp.addr || r.sve.addr ? -EFAULT : 0;
	if (!r.fp.addr || arch_copy_from_user(&fp, r.fp, sizeof(fp)))
		return -EFAULT;
	if (r.sve.addr)
		sve = a64_sve_take_record(r.sve, r.head.head.size, r.head.data);
	if (sve < 0)
		return sve;
	preempt_disable();
	if (!sve)
		a64_sve_drop(current);
	memcpy(f->v.vregs, fp.vregs, sizeof(fp.vregs));
	f->v.fpsr = fp.fpsr;
	f->v.fpcr = fp.fpcr;
	if (sve)
		current->thread.extra |= THREAD_SVE;
	a64_fpu_changed(current);
	preempt_enable();
	return 0;
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
