// SPDX-License-Identifier: MIT
/*
 * Breakpoints and watchpoints of the CPU, set by debuggers (NT_ARM_HW_BREAK, NT_ARM_HW_WATCH). They are a task's own, gone with exec and not
 * had by children; memory for them is there once one was set. They hold in user mode alone, and stop before the instruction is done: whoever
 * goes on takes them away first, as debuggers do.
 */
#include <arch/ptrace.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <arch/irqflags.h>
#include <linux/elf.h>
#include <lib/bits.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/aarch64/a64_priv.h"

#define SLOTS 16U
#define MDSCR_MDE (1UL << 15)
#define CTRL_ON 1U
#define CTRL_EL0 (2U << 1)
#define CTRL_KIND(c) ((c) >> 3 & 3)	/* 0 runs, 1 loads, 2 stores, 3 both */
#define CTRL_BYTES(c) ((c) >> 5 & 0xff)
#define CTRL_USED 0x1fffU

struct a64_debug {
	struct { u64 addr; u32 ctrl; } slot[2][SLOTS];	/* breakpoints, watchpoints: as they were set */
};

static unsigned int nr_slots(bool watch)
{
	return (unsigned int)(read_sysreg(id_aa64dfr0_el1) >> (watch ? 20 : 12) & 15) + 1;
}

#define FOR_16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static void load_slot(bool watch, unsigned int i, u64 addr, u32 ctrl)
{
	u64 c = ctrl & CTRL_ON ? (ctrl & CTRL_USED) | CTRL_EL0 : 0;

	if (watch) {
		c = ctrl & CTRL_ON ? (c & ~(0xffULL << 5)) | (u64)(CTRL_BYTES(ctrl) << (addr & 7) & 0xff) << 5 : 0;
		switch (i) {
#define WATCH(n) case n: write_sysreg(addr & ~7ULL, dbgwvr##n##_el1); write_sysreg(c, dbgwcr##n##_el1); break;
		FOR_16(WATCH)
		}
	} else {
		switch (i) {
#define BREAK(n) case n: write_sysreg(addr & ~3ULL, dbgbvr##n##_el1); write_sysreg(c, dbgbcr##n##_el1); break;
		FOR_16(BREAK)
		}
	}
}

/* Interrupts off. What a task without any leaves in the registers means nothing. */
void a64_debug_load(const struct task *next)
{
	const struct a64_debug *d = next->thread.debug;
	u64 mdscr = read_sysreg(mdscr_el1) & ~MDSCR_MDE;

	for (unsigned int w = 0; d && w < 2; w++)
		for (unsigned int i = 0; i < nr_slots(w); i++)
			load_slot(w, i, d->slot[w][i].addr, d->slot[w][i].ctrl);
	write_sysreg(d ? mdscr | MDSCR_MDE : mdscr, mdscr_el1);
}

/* exec, and the task's end. */
void a64_debug_free(struct task *task)
{
	struct a64_debug *d = task->thread.debug;
	unsigned long flags;

	if (!d)
		return;
	flags = arch_irq_save();
	task->thread.debug = NULL;
	task->thread.extra &= (u8)~THREAD_DEBUG;
	if (task == current)
		a64_debug_load(task);
	arch_irq_restore(flags);
	kfree(d);
}

int a64_debug_get(struct task *task, bool watch, struct user_hwdebug_state *out)
{
	unsigned int n = nr_slots(watch);

	memset(out, 0, sizeof(*out));
	out->dbg_info = (u32)(read_sysreg(id_aa64dfr0_el1) & 15) << 8 | n;
	for (unsigned int i = 0; task->thread.debug && i < n; i++) {
		out->dbg_regs[i].addr = task->thread.debug->slot[watch][i].addr;
		out->dbg_regs[i].ctrl = task->thread.debug->slot[watch][i].ctrl;
	}
	return 0;
}

/* Bytes that are one run, within the register's eight. */
static int check_slot(bool watch, u64 addr, u32 ctrl)
{
	u32 bytes = CTRL_BYTES(ctrl), run = bytes >> (bytes ? __ffs(bytes) : 0);

	if (!(ctrl & CTRL_ON))
		return 0;
	if (!bytes || (run & (run + 1)) || addr >= TASK_SIZE_MAX || !!CTRL_KIND(ctrl) != watch)
		return -EINVAL;
	if (!watch)
		return bytes == 0xf && !(addr & 3) ? 0 : -EINVAL;
	return (bytes << (addr & 7)) > 0xff ? -EINVAL : 0;
}

/* N bytes of a set, of which the first eight are not ours to write; slots that are not in it stay. 0, -EINVAL, -ENOSPC, -ENOMEM. */
int a64_debug_set(struct task *task, bool watch, const void *buf, size_t n)
{
	struct user_hwdebug_state s;
	struct a64_debug *d;
	unsigned int slots;
	int err = 0;

	a64_debug_get(task, watch, &s);
	memcpy(&s, buf, min(n, sizeof(s)));
	slots = n < offsetof(struct user_hwdebug_state, dbg_regs) ? 0 :
		(unsigned int)((n - offsetof(struct user_hwdebug_state, dbg_regs)) / sizeof(s.dbg_regs[0]));
	for (unsigned int i = 0; i < min(slots, SLOTS) && !err; i++) {
		err = check_slot(watch, s.dbg_regs[i].addr, s.dbg_regs[i].ctrl);
		if (i >= nr_slots(watch) && (s.dbg_regs[i].ctrl & CTRL_ON))
			err = -ENOSPC;
	}
	if (err)
		return err;
	d = task->thread.debug ?: kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	for (unsigned int i = 0; i < min(slots, nr_slots(watch)); i++) {
		d->slot[watch][i].addr = s.dbg_regs[i].addr;
		d->slot[watch][i].ctrl = s.dbg_regs[i].ctrl & CTRL_USED;
	}
	task->thread.debug = d;
	task->thread.extra |= THREAD_DEBUG;
	return 0;
}
