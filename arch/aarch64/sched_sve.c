// SPDX-License-Identifier: MIT
/*
 * The scalable vector extension. The unit is off (CPACR_EL1.ZEN) until a task's first instruction of it, which traps: the task gets memory for the
 * registers and the unit (THREAD_SVE). What the FPSIMD registers hold of Z0-31 is theirs: struct arch_fpu's v is the truth of it, the area has a
 * copy. A system call leaves the FPSIMD registers alone: the rest is zero then (THREAD_SVE_ZERO), and a task that is switched away from meanwhile
 * has to trap again. Tasks without cost a switch and a system call one test (thread.extra).
 */
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/ptrace.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <asm/sigcontext.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/show.h>
#include <lib/bits.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/prctl.h>
#include <sched/task.h>
#include "arch/aarch64/a64_priv.h"
#include "arch/aarch64/fpu_priv.h"

#define CPACR_ZEN_EL1 (1UL << 16)
#define CPACR_ZEN_EL0 (1UL << 17)
#define MOST 16U		/* the longest that there is, in quadwords */

bool a64_has_sve __ro_after_init;
static u32 lengths = (1U << MOST) - 1;		/* bit n: n + 1 quadwords, which each CPU has that ever came up; atomic */
static unsigned int default_vl = 64;		/* Linux's: what programs' frames have room for */

static void set_length(unsigned int vl)
{
	u64 len = vl / SVE_VQ_BYTES - 1;

	if (read_sysreg(s3_0_c1_c2_0) != len) {
		write_sysreg(len, s3_0_c1_c2_0);		/* ZCR_EL1 */
		isb();
	}
}

/* The kernel may always use the unit; for programs from the next eret on. */
static void unit_on(bool on)
{
	u64 v = read_sysreg(cpacr_el1);

	write_sysreg(on ? v | CPACR_ZEN_EL0 : v & ~CPACR_ZEN_EL0, cpacr_el1);
}

void a64_sve_init_cpu(void)
{
	u32 mine = 0;

	if (!a64_has_sve)
		return;
	write_sysreg(read_sysreg(cpacr_el1) | CPACR_ZEN_EL1, cpacr_el1);
	isb();
	for (unsigned int vq = MOST; vq; vq--) {
		set_length(vq * SVE_VQ_BYTES);
		vq = (unsigned int)a64_sve_length() / SVE_VQ_BYTES;	/* the next shorter that there is */
		mine |= 1U << (vq - 1);
	}
	__atomic_and_fetch(&lengths, mine, __ATOMIC_RELAXED);
}

/* The longest up to VL that all CPUs have, or the shortest. */
static unsigned int supported(unsigned long vl)
{
	u32 all = __atomic_load_n(&lengths, __ATOMIC_RELAXED), fit;
	unsigned int vq = min((unsigned int)(vl / SVE_VQ_BYTES), MOST);

	fit = all & (u32)((1UL << vq) - 1);
	return ((fit ? __fls(fit) : __ffs(all)) + 1) * SVE_VQ_BYTES;
}

unsigned int a64_sve_max(void)
{
	return supported(MOST * SVE_VQ_BYTES);
}

int a64_sve_alloc(struct arch_fpu *f)
{
	if (!f->sve)
		f->sve = kzalloc(SVE_SIG_REGS_SIZE(sve_vq_from_vl(f->vl)), GFP_KERNEL);
	return f->sve ? 0 : -ENOMEM;
}

/* T is switched away from, its FPSIMD registers are still to be saved. Interrupts off, here and below. */
void a64_sve_leave(struct task *t)
{
	if (!(t->thread.extra & THREAD_SVE_ANY))
		return;
	if (t->thread.extra & THREAD_SVE)
		a64_sve_save(t->thread.fpu->sve);
	t->thread.extra &= (u8)~THREAD_SVE_ZERO;
	unit_on(false);
}

void a64_sve_enter(const struct task *t, bool load)
{
	set_length(t->thread.fpu->vl);
	unit_on(true);
	if (load)
		a64_sve_load(t->thread.fpu->sve);
}

void a64_sve_drop(struct task *t)
{
	if (!(t->thread.extra & THREAD_SVE_ANY))
		return;
	t->thread.extra &= (u8)~THREAD_SVE_ANY;
	if (t == current)
		unit_on(false);
}

void a64_sve_from_fpsimd(struct arch_fpu *f)
{
	for (unsigned int i = 0; i < SVE_NUM_ZREGS; i++)
		memcpy((u8 *)f->sve + i * f->vl, &f->v.vregs[i], sizeof(f->v.vregs[i]));
}

void a64_sve_to_fpsimd(struct arch_fpu *f)
{
	for (unsigned int i = 0; i < SVE_NUM_ZREGS; i++)
		memcpy(&f->v.vregs[i], (u8 *)f->sve + i * f->vl, sizeof(f->v.vregs[i]));
}

void a64_sve_zero(struct arch_fpu *f)
{
	if (f->sve)
		memset(f->sve, 0, SVE_SIG_REGS_SIZE(sve_vq_from_vl(f->vl)));
}

int a64_sve_first_use(void)
{
	struct arch_fpu *f = current->thread.fpu;
	unsigned long flags;

	if (!a64_has_sve || !f)
		return -ENODEV;
	if (a64_sve_alloc(f))
		return -ENOMEM;
	flags = arch_irq_save();
	current->thread.extra |= THREAD_SVE;
	a64_sve_enter(current, false);
	a64_sve_flush();
	arch_irq_restore(flags);
	return 0;
}

void a64_sve_begin_call(void)
{
	if (!(current->thread.extra & THREAD_SVE))
		return;
	a64_sve_flush();
	current->thread.extra ^= THREAD_SVE | THREAD_SVE_ZERO;
}

void a64_sve_end_call(void)
{
	if (current->thread.extra & THREAD_SVE_ZERO)
		current->thread.extra ^= THREAD_SVE | THREAD_SVE_ZERO;
}

void *a64_sve_exec(struct arch_fpu *f)
{
	void *old = f->sve;

	if (!a64_has_sve)
		return NULL;
	a64_sve_drop(current);
	f->sve = NULL;
	f->vl = f->vl_onexec ?: (u16)supported(READ_ONCE(default_vl));
	if (!f->vl_inherit)
		f->vl_onexec = 0;
	return old;
}

/* ---- lengths ---- */

int a64_sve_set_vl(struct task *t, unsigned long vl, unsigned long how)
{
	struct arch_fpu *f = t->thread.fpu;
	unsigned long flags;
	void *old = NULL;

	if (!a64_has_sve || !f || (how & ~(unsigned long)(PR_SVE_VL_INHERIT | PR_SVE_SET_VL_ONEXEC)) || !sve_vl_valid(vl))
		return -EINVAL;
	vl = supported(vl);
	f->vl_onexec = how ? (u16)vl : 0;
	if (!(how & PR_SVE_SET_VL_ONEXEC) && vl != f->vl) {
		flags = arch_irq_save();
		a64_sve_drop(t);
		old = f->sve;
		f->sve = NULL;
		f->vl = (u16)vl;
		arch_irq_restore(flags);
	}
	f->vl_inherit = how & PR_SVE_VL_INHERIT;
	kfree(old);
	return 0;
}

static long status(unsigned long how)
{
	const struct arch_fpu *f = current->thread.fpu;

	if (!a64_has_sve)
		return -EINVAL;
	return (how & PR_SVE_SET_VL_ONEXEC ? f->vl_onexec : f->vl) | (f->vl_inherit ? PR_SVE_VL_INHERIT : 0);
}

long a64_sve_prctl(int option, unsigned long arg)
{
	unsigned long how = arg & ~(unsigned long)PR_SVE_VL_LEN_MASK;
	int err;

	if (option == PR_SVE_GET_VL)
		return status(0);
	if (option != PR_SVE_SET_VL)
		return -EINVAL;
	err = a64_sve_set_vl(current, arg & PR_SVE_VL_LEN_MASK, how);
	return err ?: status(how);
}

static ssize_t show_default(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%u\n", READ_ONCE(default_vl));
}

/* -1: the longest. */
static ssize_t store_default(struct show_node *n, const char *text, size_t len)
{
	int vl;

	if (kstrtoint(text, 10, &vl))
		return -EINVAL;
	if (vl == -1)
		vl = (int)a64_sve_max();
	if (vl < 0 || !sve_vl_valid(vl))
		return -EINVAL;
	WRITE_ONCE(default_vl, supported((unsigned long)vl));
	return (ssize_t)len;
}

static int __init sve_init(void)
{
	struct show_node *abi;

	if (!a64_has_sve)
		return 0;
	default_vl = supported(default_vl);
	pr_info("cpu: SVE registers of up to %u bytes\n", a64_sve_max());
	abi = show_path(SHOW_SYSCTL, "abi");
	return abi && show_attr(abi, "sve_default_vector_length", 0644, show_default, store_default, NULL) ? 0 : -ENOMEM;
}
INITCALL(late, sve_init);
