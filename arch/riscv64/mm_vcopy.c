// SPDX-License-Identifier: MIT
/*
 * User copies: long ones by the vector unit where there is one, all else by words (uaccess.S). The unit's registers are the task's: what it changed
 * is saved before, and loaded again after. Pages that are not there end a vector copy; the words after it have them brought.
 */
#include <arch/irqflags.h>
#include <arch/uaccess.h>
#include <kernel/preempt.h>
#include <lib/minmax.h>
#include <arch/ptrace.h>
#include <sched/task.h>
#include "arch/shared/ucopy.h"
#include "arch/riscv64/rv_priv.h"
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

#define VECTOR_MIN 512		/* bytes: below, taking the unit costs more */

static bool wanted(unsigned long a, unsigned long b, size_t n)
{
	return n >= VECTOR_MIN && rv_vlenb && !((a | b) & 7) && !in_interrupt() && !arch_irqs_disabled();
}

static void take_unit(void)
{
	preempt_disable();
	pagefault_disable();
	rv_vector_sync();
	csr_set(sstatus, SR_VS);
}

static void give_unit_back(void)
{
	csr_clear(sstatus, SR_VS);
	if (current->thread.vector)
		rv_vector_changed(current);
	pagefault_enable();
	preempt_enable();
}

/* How many bytes of N are done: whole words, a page's worth at a time, so that others are not kept waiting. SRC is NULL: cleared. */
static size_t by_vector(unsigned long dst, const unsigned long *src, size_t n)
{
	size_t done = 0;

	while (n - done >= VECTOR_MIN) {
		size_t words = min(n - done, (size_t)PAGE_SIZE) / 8, left;

		take_unit();
		left = src ? rv_vector_copy(dst + done, *src + done, words) : rv_vector_clear(dst + done, words);
		give_unit_back();
		done += (words - left) * 8;
		if (left)
			break;
	}
	return done;
}

static size_t copy(unsigned long dst, unsigned long src, size_t n)
{
	size_t done = wanted(dst, src, n) ? by_vector(dst, &src, n) : 0;

	return done < n ? rv_copy_user(dst + done, src + done, n - done) : 0;
}

size_t __copy_from_user(void *dst, unsigned long src, size_t n)
{
	return copy((unsigned long)dst, src, n);
}

size_t __copy_to_user(unsigned long dst, const void *src, size_t n)
{
	return copy(dst, (unsigned long)src, n);
}

size_t __clear_user(unsigned long dst, size_t n)
{
	size_t done = wanted(dst, 0, n) ? by_vector(dst, NULL, n) : 0;

	return done < n ? rv_clear_user(dst + done, n - done) : 0;
}
