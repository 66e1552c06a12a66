// SPDX-License-Identifier: MIT
/*
 * Registers of guests: patterns in all SSE registers and MXCSR, of a thread's own and of guests,
 * that must meet only where they belong. The kernel itself uses none of them, so that a thread
 * keeps what it puts there.
 */
#include <lib/types.h>
#include <alloc/slab.h>
#include <arch/fpu.h>
#include <arch/ptrace.h>
#include <kernel/cpumask.h>
#include <kernel/ktest.h>
#include <kernel/random.h>
#include <lib/string.h>
#include <linux/elf.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/sched.h>
#include <abi/errno.h>
#include <arch_cpu/fpu.h>

#define IMAGE 4096
#define MXCSR_AT 24
#define XMM_AT 160

struct regs {
	u64 xmm[32];
	u32 mxcsr;
};

static struct regs pattern(u64 seed)
{
	struct regs r;

	for (unsigned int i = 0; i < 32; i++)
		r.xmm[i] = (seed << 8 | i | 1) * 0x9e3779b97f4a7c15ULL;
	r.mxcsr = 0x1f80 | (seed & 3) << 13;		/* how it rounds */
	return r;
}

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD(n) "movdqu 16*" #n "(%0), %%xmm" #n "\n"
#define STORE(n) "movdqu %%xmm" #n ", 16*" #n "(%0)\n"

static void put_regs(struct regs r)
{
	__asm__ volatile(EACH(LOAD) "ldmxcsr %1" : : "r"(r.xmm), "m"(r.mxcsr), "m"(r.xmm));
}

static bool regs_are(struct regs want)
{
	struct regs r;

	memset(&r, 0, sizeof(r));
	__asm__ volatile(EACH(STORE) "stmxcsr %1" : : "r"(r.xmm), "m"(r.mxcsr) : "memory");
	return !memcmp(r.xmm, want.xmm, sizeof(r.xmm)) && r.mxcsr == want.mxcsr;
}

static bool image_is(const void *image, struct regs want)
{
	return !memcmp((const u8 *)image + XMM_AT, want.xmm, sizeof(want.xmm)) &&
	       !memcmp((const u8 *)image + MXCSR_AT, &want.mxcsr, 4);
}

static void make_image(void *image, struct regs r)
{
	struct arch_fpu *f = image;

	memset(image, 0, IMAGE);
	memcpy(f->legacy + MXCSR_AT, &r.mxcsr, 4);
	memcpy(f->legacy + XMM_AT, r.xmm, sizeof(r.xmm));
	f->legacy[0] = 0x7f;
	f->legacy[1] = 0x03;
	f->xstate_bv = 3;
}

static bool set_guest(struct guest_fpu *g, void *image, u64 seed)
{
	make_image(image, pattern(seed));
	return !guest_fpu_set(g, image, IMAGE, guest_fpu_features());
}

static bool guest_is(const struct guest_fpu *g, void *image, u64 seed)
{
	guest_fpu_get(g, image, IMAGE, guest_fpu_features());
	return image_is(image, pattern(seed));
}

/* ---- the exchange ---- */

static struct stage {
	struct guest_fpu *g;
	void *image;
	struct completion loaded, seen;
	int wrong;
} stage;

static void expect(bool ok)
{
	if (!ok)
		stage.wrong++;
}

/*
 * A thread with registers of its own, as a user's has, runs a guest, sleeps meanwhile, and finds
 * changed what ptrace changed.
 */
static int runs_guest(void *unused)
{
	if (arch_fpu_exec())
		return -ENOMEM;
	put_regs(pattern(1));
	guest_fpu_load(stage.g);
	expect(regs_are(pattern(2)));
	put_regs(pattern(3));
	complete(&stage.loaded);
	wait_for_completion(&stage.seen);
	expect(regs_are(pattern(3)));
	kernel_fpu_begin();
	put_regs(pattern(5));
	kernel_fpu_end();
	expect(regs_are(pattern(3)));
	guest_fpu_unload(stage.g);
	expect(regs_are(pattern(4)));
	complete(&stage.loaded);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

KTEST(guest_fpu_is_exchanged)
{
	struct regs four = pattern(4);
	struct task *t;

	stage = (struct stage){ .g = guest_fpu_alloc(), .image = kmalloc(IMAGE, GFP_KERNEL) };
	KT_ASSERT(stage.g && stage.image);
	init_completion(&stage.loaded);
	init_completion(&stage.seen);
	KT_ASSERT(set_guest(stage.g, stage.image, 2));
	t = kthread_run(runs_guest, NULL, "guest");
	KT_ASSERT(!IS_ERR(t));
	wait_for_completion(&stage.loaded);
	/* It sleeps in the midst: a debugger sees the thread's registers, and changes them. */
	memset(stage.image, 0, IMAGE);
	KT_ASSERT(arch_regset_get(t, NT_PRFPREG, stage.image, FXSAVE_SIZE) == FXSAVE_SIZE);
	KT_ASSERT(image_is(stage.image, pattern(1)));
	memcpy((u8 *)stage.image + XMM_AT, four.xmm, sizeof(four.xmm));
	memcpy((u8 *)stage.image + MXCSR_AT, &four.mxcsr, 4);
	KT_ASSERT(arch_regset_set(t, NT_PRFPREG, stage.image, FXSAVE_SIZE) == FXSAVE_SIZE);
	complete(&stage.seen);
	wait_for_completion(&stage.loaded);
	KT_EQ(kthread_stop(t), 0);
	KT_EQ(stage.wrong, 0);
	KT_ASSERT(guest_is(stage.g, stage.image, 3));
	guest_fpu_free(stage.g);
	kfree(stage.image);
}

/* ---- many guests on few CPUs ---- */

#define CROWD 8
#define ROUNDS 150

static struct one {
	struct guest_fpu *g;
	void *image;
	u64 seed;
	int wrong;
} crowd[CROWD];
static atomic_t crowd_left;
static struct completion crowd_done;

static void move_on(int round)
{
	struct cpumask one;
	unsigned int cpu = (unsigned int)round % nr_cpu_ids;

	if (round % 10 || !cpu_online(cpu)) {
		yield();
		return;
	}
	cpumask_clear(&one);
	cpumask_set_cpu(cpu, &one);
	set_cpus_allowed(current, &one);
}

/*
 * In turn its own registers and the guest's, each other than what all the others have, over
 * switches and from CPU to CPU.
 */
static int takes_turns(void *arg)
{
	struct one *o = arg;
	u64 mine = o->seed << 32, guests = mine | 1 << 16;

	if (arch_fpu_exec())
		o->wrong++;
	put_regs(pattern(mine));
	for (int i = 0; i < ROUNDS; i++) {
		o->wrong += !set_guest(o->g, o->image, guests);
		guest_fpu_load(o->g);
		for (int j = 0; j < 3; j++) {
			o->wrong += !regs_are(pattern(guests));
			put_regs(pattern(++guests));
			move_on(3 * i + j);
			o->wrong += !regs_are(pattern(guests));
		}
		guest_fpu_unload(o->g);
		o->wrong += !regs_are(pattern(mine)) || !guest_is(o->g, o->image, guests);
		put_regs(pattern(++mine));
		move_on(i);
		o->wrong += !regs_are(pattern(mine));
	}
	if (atomic_dec_and_test(&crowd_left))
		complete(&crowd_done);
	return 0;
}

KTEST(guest_fpu_over_switches)
{
	init_completion(&crowd_done);
	atomic_set(&crowd_left, CROWD);
	for (unsigned int i = 0; i < CROWD; i++) {
		crowd[i] = (struct one){ guest_fpu_alloc(), kmalloc(IMAGE, GFP_KERNEL), i + 1, 0 };
		KT_ASSERT(crowd[i].g && crowd[i].image);
	}
	for (unsigned int i = 0; i < CROWD; i++)
		KT_ASSERT(!IS_ERR(kthread_run(takes_turns, &crowd[i], "guest/%u", i)));
	wait_for_completion(&crowd_done);
	for (unsigned int i = 0; i < CROWD; i++) {
		KT_EQ(crowd[i].wrong, 0);
		guest_fpu_free(crowd[i].g);
		kfree(crowd[i].image);
	}
}

/* ---- an end in the midst ---- */

static int exits_in_guest(void *unused)
{
	if (arch_fpu_exec())
		return -ENOMEM;
	guest_fpu_load(stage.g);
	put_regs(pattern(7));
	return 0;
}

KTEST(guest_fpu_outlives_a_task)
{
	void *image = kmalloc(IMAGE, GFP_KERNEL);
	struct task *t;

	stage = (struct stage){ .g = guest_fpu_alloc() };
	KT_ASSERT(stage.g && image);
	t = kthread_create(exits_in_guest, NULL, "guest");
	KT_ASSERT(!IS_ERR(t));
	get_task_struct(t);
	wake_up_process(t);
	while (READ_ONCE(t->state) != TASK_DEAD || READ_ONCE(t->on_cpu))
		schedule_timeout_uninterruptible(1);
	put_task_struct(t);
	KT_ASSERT(guest_is(stage.g, image, 7));
	guest_fpu_free(stage.g);
	kfree(image);
}

/* ---- images from outside ---- */

/* What XRSTOR makes of the area: a fault ends the test. */
static void try_load(struct guest_fpu *g)
{
	guest_fpu_load(g);
	guest_fpu_unload(g);
}

static int set_header(struct guest_fpu *g, struct arch_fpu *f, u64 bv, u64 comp, u8 reserved,
		      u32 mxcsr)
{
	int r;

	make_image(f, pattern(9));
	f->xstate_bv = bv;
	f->xcomp_bv = comp;
	f->rest[47] = reserved;
	memcpy(f->legacy + MXCSR_AT, &mxcsr, 4);
	r = guest_fpu_set(g, f, IMAGE, guest_fpu_features());
	try_load(g);
	return r;
}

KTEST(guest_fpu_refuses_what_faults)
{
	struct arch_fpu *f = kmalloc(IMAGE, GFP_KERNEL);
	struct guest_fpu *g = guest_fpu_alloc();

	KT_ASSERT(f && g);
	KT_EQ(set_header(g, f, 3, 0, 0, 0x1f80), 0);
	for (unsigned int i = 0; i < 64; i++) {
		KT_EQ(set_header(g, f, 1ULL << i, 0, 0, 0x1f80),
		      guest_fpu_features() >> i & 1 ? 0 : -EINVAL);
		KT_EQ(set_header(g, f, 3, 1ULL << i, 0, 0x1f80), -EINVAL);
	}
	KT_EQ(set_header(g, f, 3, 0, 1, 0x1f80), -EINVAL);
	for (unsigned int i = 18; i < 32; i++) {		/* AMD knows bit 17 */
		KT_EQ(set_header(g, f, 3, 0, 0, 0x1f80 | 1U << i), -EINVAL);
		KT_EQ(set_header(g, f, 1, 0, 0, 0x1f80 | 1U << i), -EINVAL);
		/*
		 * Nothing needs it: it is not taken over, and XRSTOR, which reads it all the same,
		 * finds a good one.
		 */
		KT_EQ(set_header(g, f, 0, 0, 0, 0x1f80 | 1U << i),
		      cpu_has(X86_FEATURE_XSAVE) ? 0 : -EINVAL);
	}
	/*
	 * A guest that is not to know of AVX: its bit is refused, and its registers are not told.
	 */
	if (guest_fpu_features() & 4) {
		make_image(f, pattern(9));
		f->xstate_bv = 7;
		memset(f->rest + 48, 0x5a, 256);
		KT_EQ(guest_fpu_set(g, f, IMAGE, 3), -EINVAL);
		KT_EQ(guest_fpu_set(g, f, IMAGE, 7), 0);
		guest_fpu_get(g, f, IMAGE, 3);
		KT_ASSERT(f->xstate_bv == 3 && !memchr_inv(f->rest + 48, 0, 256));
		guest_fpu_get(g, f, IMAGE, 7);
		KT_ASSERT(f->xstate_bv == 7 && !memchr_inv(f->rest + 48, 0x5a, 256));
		KT_EQ(guest_fpu_set(g, f, 576, 7), -EINVAL);
	}
	guest_fpu_free(g);
	kfree(f);
}

KTEST(guest_fpu_random_images)
{
	struct arch_fpu *f = kmalloc(IMAGE, GFP_KERNEL), *back = kmalloc(IMAGE, GFP_KERNEL);
	struct guest_fpu *g = guest_fpu_alloc();
	unsigned int taken = 0;

	KT_ASSERT(f && back && g);
	KT_ASSERT(guest_fpu_image_size() <= IMAGE);
	for (unsigned int i = 0; i < 2000; i++) {
		get_random_bytes(f, IMAGE);
		if (i & 1)
			memset(f->rest, 0, 48);
		if (i & 2)
			f->xcomp_bv = 0;
		if (i & 4)
			f->xstate_bv &= guest_fpu_features();
		if (i & 8)
			memset(f->legacy + MXCSR_AT + 2, 0, 2);
		if (guest_fpu_set(g, f, IMAGE, guest_fpu_features())) {
			try_load(g);
			continue;
		}
		taken++;
		try_load(g);
		memset(back, 0xff, IMAGE);
		guest_fpu_get(g, back, IMAGE, guest_fpu_features());
		if (f->xstate_bv & 2)
			KT_ASSERT(!memcmp(f->legacy + XMM_AT, back->legacy + XMM_AT, 256));
		else if (cpu_has(X86_FEATURE_XSAVE))
			KT_ASSERT(!memchr_inv(back->legacy + XMM_AT, 0, 256));
		KT_ASSERT(!memchr_inv(back->rest, 0, 48) &&
			  !memchr_inv((u8 *)back + guest_fpu_image_size(), 0,
				      IMAGE - guest_fpu_image_size()));
	}
	KT_ASSERT(taken > 50);
	guest_fpu_free(g);
	kfree(f);
	kfree(back);
}
