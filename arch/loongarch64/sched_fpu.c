// SPDX-License-Identifier: MIT
/* The first instruction on more bits than a task's registers have had; registers as signal frames have them. */
#include <arch/irqflags.h>
#include <lib/string.h>
#include <sched/task.h>
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

void la64_fpu_to_record(void *record)
{
	unsigned long flags = arch_irq_save();

	switch (current->thread.fpu->width) {
	case FPU_64: la64_save_fp_record(record); break;
	case FPU_128: la64_save_lsx_record(record); break;
	case FPU_256: la64_save_lasx(record); break;
	}
	arch_irq_restore(flags);
}

static void load_record(const void *record, enum fpu_width width)
{
	switch (width) {
	case FPU_64: la64_load_fp_record(record); break;
	case FPU_128: la64_load_lsx_record(record); break;
	case FPU_256: la64_load_lasx(record); break;
	case FPU_NONE: break;
	}
}

/* The area is all zeros above what the record has, then the registers are loaded from it. */
static void widen_record(struct arch_fpu *f, const void *record, enum fpu_width width)
{
	size_t size = width == FPU_64 ? 8 : 16;

	memset(f->v, 0, sizeof(f->v));
	for (unsigned int i = 0; i < 32; i++)
		memcpy(f->v[i], record + i * size, size);
	memcpy(&f->fcc, record + 32 * size, sizeof(f->fcc));
	memcpy(&f->fcsr, record + 32 * size + sizeof(f->fcc), sizeof(f->fcsr));
	fpu_changed(current);
}

void la64_fpu_from_record(const void *record, enum fpu_width width)
{
	struct arch_fpu *f = current->thread.fpu;
	unsigned long flags = arch_irq_save();

	if (f->width == width)
		load_record(record, width);
	else
		widen_record(f, record, width);
	arch_irq_restore(flags);
}

bool la64_fpu_widen(enum fpu_width width)
{
	struct arch_fpu *f = current->thread.fpu;
	unsigned long flags;

	if (!f || width > la64_fpu_width())
		return false;
	flags = arch_irq_save();
	fpu_regs_save(current, f);
	if (f->width < width)
		f->width = width;
	fpu_changed(current);
	arch_irq_restore(flags);
	return true;
}
