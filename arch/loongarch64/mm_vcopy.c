// SPDX-License-Identifier: MIT
/*
 * Copies of user memory and of pages: long ones by the unit of 256 bits where the CPU has it (vcopy.S), all else by words (uaccess.S). Pages that
 * are not there end a copy by that unit; the words after it have them brought.
 */
#include <arch/page.h>
#include <arch/uaccess.h>
#include <kernel/preempt.h>
#include <lib/minmax.h>
#include <sched/task.h>
#include "arch/shared/ucopy.h"
#include "arch/loongarch64/la64_priv.h"

#define BLOCK 256UL		/* bytes, not a page */
#define VECTOR_MIN 512		/* bytes: below, taking the unit costs more */

/* Words are never torn: they lie in one piece of a register. */
static bool wanted(unsigned long a, unsigned long b, size_t n)
{
	return n >= VECTOR_MIN && la64_has_vector_256 && !((a | b) & 7);
}

/* Of N bytes those that are done at once: whole blocks of a page's worth, so that others are not kept waiting. */
static __always_inline size_t by_vector(unsigned long dst, unsigned long src, size_t n, bool clear)
{
	size_t blocks = min(n, PAGE_SIZE) / BLOCK, left;

	preempt_disable();
	pagefault_disable();
	left = clear ? la64_clear_blocks((void *)dst, blocks) : la64_copy_blocks((void *)dst, (const void *)src, blocks);
	pagefault_enable();
	preempt_enable();
	return (blocks - left) * BLOCK;
}

static __always_inline size_t by_words(unsigned long dst, unsigned long src, size_t n, bool clear)
{
	return clear ? la64_clear_user(dst, n) : la64_copy_user(dst, src, n);
}

/* SRC means nothing where CLEAR is true. */
static __always_inline size_t go_on(unsigned long dst, unsigned long src, size_t n, bool clear)
{
	while (wanted(dst, clear ? 0 : src, n)) {
		size_t done = by_vector(dst, src, n, clear);

		if (!done) {
			size_t left = by_words(dst, src, BLOCK, clear);

			if (left)
				return n - BLOCK + left;
			done = BLOCK;
		}
		n -= done;
		dst += done;
		src += clear ? 0 : done;
	}
	return n ? by_words(dst, src, n, clear) : 0;
}

static noinline size_t copy_long(unsigned long dst, unsigned long src, size_t n)
{
	return go_on(dst, src, n, false);
}

static noinline size_t clear_long(unsigned long dst, size_t n)
{
	return go_on(dst, 0, n, true);
}

size_t __copy_from_user(void *dst, unsigned long src, size_t n)
{
	return n < VECTOR_MIN ? la64_copy_user((unsigned long)dst, src, n) : copy_long((unsigned long)dst, src, n);
}

size_t __copy_to_user(unsigned long dst, const void *src, size_t n)
{
	return n < VECTOR_MIN ? la64_copy_user(dst, (unsigned long)src, n) : copy_long(dst, (unsigned long)src, n);
}

size_t __clear_user(unsigned long dst, size_t n)
{
	return n < VECTOR_MIN ? la64_clear_user(dst, n) : clear_long(dst, n);
}

void arch_clear_page(void *page)
{
	if (!la64_has_vector_256) {
		la64_clear_page(page);
		return;
	}
	preempt_disable();
	la64_clear_blocks(page, PAGE_SIZE / BLOCK);
	preempt_enable();
}

void arch_copy_page(void *dst, const void *src)
{
	if (!la64_has_vector_256) {
		la64_copy_page(dst, src);
		return;
	}
	preempt_disable();
	la64_copy_blocks(dst, src, PAGE_SIZE / BLOCK);
	preempt_enable();
}
