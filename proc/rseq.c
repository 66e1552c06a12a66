// SPDX-License-Identifier: MIT
/*
 * Restartable sequences: a thread shares an area with the kernel, in which it finds its CPU, and names the piece of code that
 * must not be interrupted. Whenever the thread was switched, or takes a signal, within that piece, it goes on at the piece's abort
 * address. The scheduler raises TIF_RSEQ; the work is done on the way to user mode, where the area may be touched.
 */
#include <lib/types.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/rseq.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <abi/errno.h>
#include <linux/rseq.h>

#define AREA(t) UPTR((unsigned long)(t)->rseq)
#define FIELD(t, f) uptr_add(AREA(t), offsetof(struct rseq, f))

/* Where the thread runs. The concurrency number is the CPU's: unique among the threads of a process that run. */
static bool update_area(struct task *t)
{
	u32 cpu = (u32)raw_smp_processor_id(), node = 0;

	return put_user(cpu, FIELD(t, cpu_id_start)) || put_user(cpu, FIELD(t, cpu_id)) || put_user(node, FIELD(t, node_id)) ||
	       put_user(cpu, FIELD(t, mm_cid)) ? false : true;
}

/* A sequence in which the thread stands is left by its abort address. False: the thread's data is wrong. */
static bool leave_sequence(struct task *t, struct pt_regs *regs)
{
	unsigned long ip = regs_ip(regs), limit = t->mm->task_size;
	struct rseq_cs cs;
	u64 at, zero = 0;
	u32 sig;

	if (get_user(at, FIELD(t, rseq_cs)))
		return false;
	if (likely(!at))
		return true;
	if (at >= limit || copy_from_user(&cs, UPTR(at), sizeof(cs)))
		return false;
	if (cs.start_ip >= limit || cs.start_ip + cs.post_commit_offset >= limit || cs.start_ip + cs.post_commit_offset < cs.start_ip ||
	    cs.abort_ip >= limit || cs.version)
		return false;
	/* Cleared in any case: outside of it there is nothing to leave. */
	if (ip - cs.start_ip >= cs.post_commit_offset)
		return !put_user(zero, FIELD(t, rseq_cs));
	/* The abort address is no part of the sequence, and is marked, so that nobody can be sent just anywhere. */
	if (cs.abort_ip - cs.start_ip < cs.post_commit_offset || get_user(sig, UPTR(cs.abort_ip - sizeof(sig))) || sig != t->rseq_sig)
		return false;
	if (cs.flags || put_user(zero, FIELD(t, rseq_cs)))
		return false;
	regs_set_ip(regs, cs.abort_ip);
	return true;
}

void rseq_return_to_user(struct pt_regs *regs)
{
	struct task *t = current;

	if (!t->rseq || (t->flags & PF_EXITING))
		return;
	rseq_end_slice();
	if (!leave_sequence(t, regs) || !update_area(t))
		force_sig(SIGSEGV);
}

void rseq_signal(struct pt_regs *regs)
{
	if (current->rseq && !leave_sequence(current, regs))
		force_sig(SIGSEGV);
}

/* A short area is aligned as in the first days. */
static bool fits(struct uptr area, u32 len)
{
	if (len == RSEQ_ORIG_SIZE)
		return !(area.addr & (RSEQ_ORIG_SIZE - 1));
	return len >= RSEQ_FEATURES && !(area.addr & (RSEQ_ALIGN - 1));
}

long rseq_register(struct uptr area, u32 len, u32 sig, bool slices)
{
	struct task *t = current;
	u32 flags = RSEQ_CS_FLAG_SLICE_EXT_AVAILABLE | (slices ? RSEQ_CS_FLAG_SLICE_EXT_ENABLED : 0), zero = 0;

	if (t->rseq) {
		if (AREA(t).addr != area.addr || t->rseq_len != len)
			return -EINVAL;
		return t->rseq_sig != sig ? -EPERM : -EBUSY;
	}
	if (!fits(area, len))
		return -EINVAL;
	if (uptr_is_null(area) || !access_ok(area, len))
		return -EFAULT;
	if (put_user(flags, uptr_add(area, offsetof(struct rseq, flags))) || put_user(zero, uptr_add(area, offsetof(struct rseq, slice_ctrl))))
		return -EFAULT;
	t->slice_enabled = slices;
	t->rseq = (void *)area.addr;
	t->rseq_len = len;
	t->rseq_sig = sig;
	set_thread_flag(TIF_RSEQ);
	return 0;
}

long rseq_unregister(struct uptr area, u32 len, u32 sig)
{
	struct task *t = current;
	u32 zero = 0, none = (u32)RSEQ_CPU_ID_UNINITIALIZED;

	if (!t->rseq || AREA(t).addr != area.addr || t->rseq_len != len)
		return -EINVAL;
	if (t->rseq_sig != sig)
		return -EPERM;
	if (put_user(zero, FIELD(t, cpu_id_start)) || put_user(none, FIELD(t, cpu_id)) || put_user(zero, FIELD(t, node_id)) ||
	    put_user(zero, FIELD(t, mm_cid)) || put_user(zero, FIELD(t, flags)) || put_user(zero, FIELD(t, slice_ctrl)))
		return -EFAULT;
	rseq_slice_forget(t);
	t->rseq = NULL;
	return 0;
}
