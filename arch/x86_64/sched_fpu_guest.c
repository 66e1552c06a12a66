// SPDX-License-Identifier: MIT
/*
 * FPU and vector registers of guests: areas that stand in for the running task's own, images from
 * user space.
 *
 * thread.fpu names the guest's area meanwhile, so that switches save and load it as they would the
 * task's. The task's own registers are in its area, where ptrace finds and changes them; they are
 * loaded from there at the end. What is in an area can always be loaded: XRSTOR faults on reserved
 * bits of MXCSR, also where no component needs it, on XSTATE_BV beyond XCR0 and on XCOMP_BV (Intel
 * SDM vol. 1, 13.8.1), and none of them gets past guest_fpu_set().
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <arch/fpu.h>
#include <arch/irqflags.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

#define XSAVE_HEADER 64
#define IMAGE_MIN (FXSAVE_SIZE + XSAVE_HEADER)
#define SW_RESERVED 464			/* the software's bytes of the legacy area */
#define FP_MASK 1ULL
#define SSE_MASK 2ULL
#define YMM_MASK 4ULL
#define FPSSE_MASK 3ULL

struct guest_fpu {
	struct task *task;		/* who has it loaded; NULL */
	struct arch_fpu *own;		/* of that task, or NULL */
	struct arch_fpu area;		/* FPU_SIZE */
};

/*
 * Bytes of the standard format, in XCR0's order; x87's and SSE's lie apart, and MXCSR is of both
 * and of AVX.
 */
static struct span {
	u32 at, len;
} components[8];
static const struct span x87_control = { 0, 24 }, mxcsr = { 24, 8 }, x87_registers = { 32, 128 },
			 sse_registers = { 160, 256 };
static struct kmem_cache *guest_fpu_cache;

static int __init guest_fpu_init(void)
{
	u32 b, c;

	for (unsigned int i = 2; i < ARRAY_SIZE(components); i++)
		if (cpu_has(X86_FEATURE_XSAVE) && xfeatures_mask >> i & 1)
			cpuid(13, i, &components[i].len, &components[i].at, &b, &c);
	guest_fpu_cache = kmem_cache_create(
		"guest_fpu", (u32)offsetof(struct guest_fpu, area) + max(FPU_SIZE, (u32)IMAGE_MIN),
		FPU_ALIGN, SLAB_ACCOUNT, NULL);
	return guest_fpu_cache ? 0 : -ENOMEM;
}
INITCALL(early, guest_fpu_init);

struct guest_fpu *guest_fpu_alloc(void)
{
	struct guest_fpu *g = kmem_cache_alloc(guest_fpu_cache, GFP_KERNEL);

	if (!g)
		return NULL;
	g->task = NULL;
	g->own = NULL;
	x86_fpu_reset(&g->area);
	return g;
}

void guest_fpu_free(struct guest_fpu *g)
{
	if (!g)
		return;
	BUG_ON(g->task);
	kmem_cache_free(guest_fpu_cache, g);
}

struct arch_fpu *x86_own_fpu(const struct task *task)
{
	const struct guest_fpu *g = task->thread.guest_fpu;

	return g ? g->own : task->thread.fpu;
}

void guest_fpu_load(struct guest_fpu *g)
{
	struct arch_thread *t = &current->thread;
	unsigned long flags;

	DEBUG_ON(g->task || t->guest_fpu);
	flags = arch_irq_save();
	fpu_sync();
	g->own = t->fpu;
	g->task = current;
	t->guest_fpu = g;
	t->fpu = &g->area;
	fpu_changed(current);
	arch_irq_restore(flags);
}

void guest_fpu_unload(struct guest_fpu *g)
{
	struct arch_thread *t = &current->thread;
	unsigned long flags;

	DEBUG_ON(g->task != current || t->guest_fpu != g);
	flags = arch_irq_save();
	fpu_sync();
	t->fpu = g->own;
	t->guest_fpu = NULL;
	g->task = NULL;
	g->own = NULL;
	/*
	 * A kernel thread has none: the guest's stay, as a user task's would, until somebody's are
	 * loaded.
	 */
	if (t->fpu)
		fpu_changed(current);
	arch_irq_restore(flags);
}

void guest_fpu_drop(void)
{
	if (unlikely(current->thread.guest_fpu))
		guest_fpu_unload(current->thread.guest_fpu);
}

u64 guest_fpu_features(void)
{
	return xfeatures_mask;
}

size_t guest_fpu_image_size(void)
{
	return max(xsave_size, (u32)IMAGE_MIN);
}

/* S of FROM, as much of it as there is room for. */
static void copy_span(void *to, size_t size, const void *from, struct span s)
{
	if (s.at < size)
		memcpy((u8 *)to + s.at, (const u8 *)from + s.at, min((size_t)s.len, size - s.at));
}

void guest_fpu_get(const struct guest_fpu *g, void *image, size_t size, u64 features)
{
	static const u16 initial_fcw = 0x37f;
	static const u32 initial_mxcsr = 0x1f80;
	const struct arch_fpu *f = &g->area;
	struct arch_fpu *to = image;
	u64 used = cpu_has(X86_FEATURE_XSAVE) ? f->xstate_bv & (features | FPSSE_MASK) : FPSSE_MASK;

	DEBUG_ON(g->task || size < IMAGE_MIN);
	memset(image, 0, size);
	memcpy(to->legacy, &initial_fcw, sizeof(initial_fcw));
	memcpy(to->legacy + mxcsr.at, &initial_mxcsr, sizeof(initial_mxcsr));
	if (used & FP_MASK) {
		copy_span(to, size, f, x87_control);
		copy_span(to, size, f, x87_registers);
	}
	if (used & (SSE_MASK | YMM_MASK))
		copy_span(to, size, f, mxcsr);
	if (used & SSE_MASK)
		copy_span(to, size, f, sse_registers);
	memcpy(to->legacy + SW_RESERVED, &xfeatures_mask, sizeof(xfeatures_mask));
	to->xstate_bv = used;
	for (unsigned int i = 2; i < ARRAY_SIZE(components); i++)
		if (used >> i & 1)
			copy_span(to, size, f, components[i]);
}

/* Without XSAVE the legacy part is all that there is, and all of it counts. */
static u64 taken(const struct arch_fpu *from)
{
	return cpu_has(X86_FEATURE_XSAVE) ? from->xstate_bv : FPSSE_MASK;
}

static bool image_valid(const struct arch_fpu *from, size_t size, u64 features)
{
	if (from->xstate_bv & ~(features & xfeatures_mask))
		return false;
	if (from->xcomp_bv || memchr_inv(from->rest, 0, XSAVE_HEADER - 16))
		return false;
	for (unsigned int i = 2; i < ARRAY_SIZE(components); i++)
		if (from->xstate_bv >> i & 1 && components[i].at + components[i].len > size)
			return false;
	return !(taken(from) & (FPSSE_MASK | YMM_MASK)) || x86_mxcsr_valid(from);
}

int guest_fpu_set(struct guest_fpu *g, const void *image, size_t size, u64 features)
{
	const struct arch_fpu *from = image;
	struct arch_fpu *f = &g->area;
	u64 takes = taken(from);

	DEBUG_ON(g->task || size < IMAGE_MIN);
	if (!image_valid(from, size, features | FPSSE_MASK))
		return -EINVAL;
	if (takes & (FPSSE_MASK | YMM_MASK))
		copy_span(f, FPU_SIZE, from, mxcsr);
	if (takes & FP_MASK) {
		copy_span(f, FPU_SIZE, from, x87_control);
		copy_span(f, FPU_SIZE, from, x87_registers);
	}
	if (takes & SSE_MASK)
		copy_span(f, FPU_SIZE, from, sse_registers);
	for (unsigned int i = 2; i < ARRAY_SIZE(components); i++)
		if (takes >> i & 1)
			copy_span(f, FPU_SIZE, from, components[i]);
	if (cpu_has(X86_FEATURE_XSAVE))
		f->xstate_bv = takes;
	return 0;
}

/* ---- single registers, of the guest that the running task has loaded ---- */

#define MMX_AT(place) (32 + 16 * (place))
#define FSW_AT 2
#define FTW_AT 4
#define FSW_TOP (7U << 11)
#define FSW_ES 0x80U
#define YMM 2				/* components: upper halves of the first sixteen, */
#define ZMM_UPPER 6			/* and upper halves of those */

/* G's area has what the registers hold. Interrupts are off until changed(). */
static struct arch_fpu *hold(struct guest_fpu *g, unsigned long *flags)
{
	DEBUG_ON(g->task != current || current->thread.guest_fpu != g);
	*flags = arch_irq_save();
	fpu_sync();
	return &g->area;
}

static bool has(const struct arch_fpu *f, u32 component)
{
	return taken(f) >> component & 1;
}

/* COMPONENT, of LEN bytes at AT, is to be written in part: it leaves its initial state, all 0. */
static void begin(struct arch_fpu *f, u32 component, struct span s)
{
	if (has(f, component))
		return;
	memset((u8 *)f + s.at, 0, s.len);
	f->xstate_bv |= 1ULL << component;
}

void guest_fpu_get_vector(struct guest_fpu *g, u8 n, void *data, u32 size)
{
	unsigned long flags;
	const struct arch_fpu *f = hold(g, &flags);

	memset(data, 0, size);
	if (has(f, 1))
		memcpy(data, (const u8 *)f + sse_registers.at + 16 * n, 16);
	if (size > 16 && has(f, YMM))
		memcpy((u8 *)data + 16, (const u8 *)f + components[YMM].at + 16 * n, 16);
	arch_irq_restore(flags);
}

void guest_fpu_set_vector(struct guest_fpu *g, u8 n, const void *data, u32 size, bool clear)
{
	unsigned long flags;
	struct arch_fpu *f = hold(g, &flags);

	begin(f, 1, sse_registers);
	memcpy((u8 *)f + sse_registers.at + 16 * n, data, 16);
	if (size > 16) {
		begin(f, YMM, components[YMM]);
		memcpy((u8 *)f + components[YMM].at + 16 * n, (const u8 *)data + 16, 16);
	} else if (clear && has(f, YMM)) {
		memset((u8 *)f + components[YMM].at + 16 * n, 0, 16);
	}
	if ((size > 16 || clear) && has(f, ZMM_UPPER))
		memset((u8 *)f + components[ZMM_UPPER].at + 32 * n, 0, 32);
	fpu_changed(current);
	arch_irq_restore(flags);
}

static u16 status_word(const struct arch_fpu *f)
{
	u16 w;

	memcpy(&w, f->legacy + FSW_AT, sizeof(w));
	return has(f, 0) ? w : 0;
}

bool guest_fpu_get_mmx(struct guest_fpu *g, u8 n, u64 *value)
{
	unsigned long flags;
	const struct arch_fpu *f = hold(g, &flags);
	u16 status = status_word(f);

	/* An image has the stack's order; MMX registers are numbered as the x87's own. */
	*value = 0;
	if (has(f, 0))
		memcpy(value, (const u8 *)f + MMX_AT((n - (status >> 11)) & 7), sizeof(*value));
	arch_irq_restore(flags);
	return !(status & FSW_ES);
}

void guest_fpu_set_mmx(struct guest_fpu *g, u8 n, u64 value)
{
	static const u16 fcw = 0x37f, ones = 0xffff;
	unsigned long flags;
	struct arch_fpu *f = hold(g, &flags);
	u8 old[128], *at = (u8 *)f;
	u16 status = status_word(f);

	if (!has(f, 0)) {
		begin(f, 0, x87_control);
		memset(at + x87_registers.at, 0, x87_registers.len);
		memcpy(f->legacy, &fcw, sizeof(fcw));
	}
	/* as after any MMX instruction but EMMS: all are valid, and the stack's top is 0 */
	memcpy(old, at + x87_registers.at, sizeof(old));
	for (u32 i = 0; i < 8; i++)
		memcpy(at + MMX_AT(i), old + 16 * ((i - (status >> 11)) & 7), 16);
	status &= (u16)~FSW_TOP;
	memcpy(f->legacy + FSW_AT, &status, sizeof(status));
	f->legacy[FTW_AT] = 0xff;
	memcpy(at + MMX_AT(n), &value, sizeof(value));
	memcpy(at + MMX_AT(n) + 8, &ones, sizeof(ones));
	fpu_changed(current);
	arch_irq_restore(flags);
}
