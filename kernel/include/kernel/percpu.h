/* SPDX-License-Identifier: MIT */
/* Per-CPU data: static variables (arch contract) and memory allocated for every possible CPU. */
#pragma once

#include <arch/percpu.h>

/* Zeroed, for every possible CPU, reached by per_cpu_ptr/this_cpu_ptr; NULL when there is none left. Sleeps. */
void *__alloc_percpu(size_t size, size_t align) __must_check;
void free_percpu(void *p);
#define alloc_percpu(type) ((type *)__alloc_percpu(sizeof(type), __alignof__(type)))
