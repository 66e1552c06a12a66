/* SPDX-License-Identifier: MIT */
/*
 * The FPU area of a task, shared by the switch, signals and ptrace. A program begins with the floating-point registers; the first
 * instruction on 128 or 256 bits traps and widens what the task owns from then on.
 */
#pragma once

#include <arch/irqflags.h>
#include <lib/string.h>
#include "arch/loongarch64/la64_priv.h"
#include <lib/types.h>

struct task;

enum fpu_width { FPU_NONE, FPU_64, FPU_128, FPU_256 };

struct arch_fpu {
	u64 v[32][4];
	u64 fcc;		/* a byte for each condition flag */
	u32 fcsr;
	u32 width;		/* enum fpu_width: what is saved and loaded; what lies above is zero */
};
static_assert(offsetof(struct arch_fpu, fcc) == 1024 && offsetof(struct arch_fpu, fcsr) == 1032, "fpu.S");

/* The running task may use WIDTH from now on. False: this CPU has no such registers, or the task none at all. */
bool la64_fpu_widen(enum fpu_width width);

/*
 * The running task's registers to and from the record of a signal frame: 32 of WIDTH (8, 16 or 32 bytes each), the condition flags, the control
 * word. A record has the task's width; one that has less than the task by now leaves the rest of the registers 0.
 */
#define FPU_RECORD_MAX (32 * 32 + 16)
void la64_fpu_to_record(void *record);
void la64_fpu_from_record(const void *record, enum fpu_width width);

#define FPU_SIZE sizeof(struct arch_fpu)
#define FPU_ALIGN 32

/* FPE, SXE, ASXE: each needs those before it. */
static inline void fpu_units_on(enum fpu_width width)
{
	csr_write((1U << width) - 1, CSR_EUEN);
}

static inline void fpu_regs_init(void) { csr_write(0, CSR_EUEN); }

static inline void fpu_regs_save(struct task *t, struct arch_fpu *f)
{
	switch (f->width) {
	case FPU_64: la64_save_fp(f); break;
	case FPU_128: la64_save_lsx(f); break;
	case FPU_256: la64_save_lasx(f); break;
	}
}

/* The units that are on are those of the owner's width. */
static inline void fpu_regs_load(struct task *t, const struct arch_fpu *f)
{
	fpu_units_on(f->width);
	switch (f->width) {
	case FPU_64: la64_load_fp(f); break;
	case FPU_128: la64_load_lsx(f); break;
	case FPU_256: la64_load_lasx(f); break;
	}
}

static inline void fpu_regs_initial(struct arch_fpu *f)
{
	memset(f, 0, sizeof(*f));
	f->width = la64_fpu_width() ? FPU_64 : FPU_NONE;
}

static inline void fpu_kernel_on(void) { fpu_units_on(la64_fpu_width()); }
static inline void fpu_kernel_off(void) { }
