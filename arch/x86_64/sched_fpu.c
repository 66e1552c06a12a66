// SPDX-License-Identifier: MIT
/* The initial state of FPU and vector registers; areas that come from outside. */
#include <abi/errno.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <arch_cpu/fpu.h>

static u32 mxcsr_mask = 0xffbf;
static struct {
	struct arch_fpu fpu;
	u8 header_rest[64];		/* the header; components in their initial state are not read */
} init_fpu __aligned(64);

void x86_fpu_reset(struct arch_fpu *fpu)
{
	memset(fpu, 0, xsave_size);
	memcpy(fpu, &init_fpu, min(xsave_size, (u32)sizeof(init_fpu)));	/* an area without XSAVE ends before the header */
}

/* Once, on the boot CPU, with the FPU enabled. */
void x86_fpu_detect(void)
{
	u32 mask;

	__asm__ volatile("fninit");
	__asm__ volatile("fxsave64 %0" : "=m"(init_fpu));
	memcpy(&mask, init_fpu.fpu.legacy + 28, 4);
	if (mask)
		mxcsr_mask = mask;
	memset(&init_fpu, 0, sizeof(init_fpu));
	init_fpu.fpu.legacy[0] = 0x7f;		/* FCW 0x37f */
	init_fpu.fpu.legacy[1] = 0x03;
	init_fpu.fpu.legacy[24] = 0x80;		/* MXCSR 0x1f80 */
	init_fpu.fpu.legacy[25] = 0x1f;
}

void fpu_regs_init(void)
{
	x86_xrstor(&init_fpu.fpu);
}

void fpu_kernel_on(void)
{
	__asm__ volatile("fninit");
	__asm__ volatile("ldmxcsr %0" : : "m"(*(const u32 *)(init_fpu.fpu.legacy + 24)));
}

void x86_fpu_reset_some(u64 components)
{
	x86_xrstor_some(&init_fpu.fpu, components);
}

bool x86_mxcsr_valid(const struct arch_fpu *fpu)
{
	u32 mxcsr;

	memcpy(&mxcsr, fpu->legacy + 24, 4);
	return !(mxcsr & ~mxcsr_mask);
}

int x86_fpu_sanitize(struct arch_fpu *fpu, size_t len)
{
	if (!x86_mxcsr_valid(fpu))
		return -EINVAL;
	if (!cpu_has(X86_FEATURE_XSAVE))
		return 0;
	if (len < 576)
		fpu->xstate_bv = 3;
	else if (fpu->xstate_bv & ~xfeatures_mask)
		return -EINVAL;
	fpu->xcomp_bv = 0;
	memset(fpu->rest, 0, 48);
	return 0;
}
