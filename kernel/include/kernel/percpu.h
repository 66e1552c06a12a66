/* SPDX-License-Identifier: MIT */
/* Per-CPU data: static variables (arch contract) and memory allocated for every possible CPU. */
#pragma once

#include <arch/percpu.h>

#define PERCPU_MOST 512		/* bytes of one allocation, and its alignment */
/* Zeroed, for every possible CPU, reached by per_cpu_ptr/this_cpu_ptr; NULL: no memory, or more than PERCPU_MOST. Sleeps. */
void *__alloc_percpu(size_t size, size_t align) __must_check;
void free_percpu(void *p);
#define alloc_percpu(type) ({									\
	_Static_assert(sizeof(type) <= PERCPU_MOST && __alignof__(type) <= PERCPU_MOST, "too large");	\
	(type *)__alloc_percpu(sizeof(type), __alignof__(type));					\
})
