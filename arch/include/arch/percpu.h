/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU variables. Each CPU has a copy of the section; the CPU's register holds the distance from the
 * linked address to its copy. this_cpu_* is one preemption-safe step on 1, 2, 4 and 8-byte variables;
 * this_cpu_ptr and raw __this_cpu_* need preemption off.
 *
 * A CPU gives, in <arch_cpu/percpu.h>: this_cpu_read(v) this_cpu_write(v, x) this_cpu_add(v, n) this_cpu_sub
 * this_cpu_inc this_cpu_dec this_cpu_and this_cpu_or this_cpu_add_return(v, n) this_cpu_xchg(v, x)
 * this_cpu_cmpxchg(v, old, new) (returns what was there), __my_cpu_offset(), and any __this_cpu_ variant that is cheaper.
 */
#pragma once

#include <lib/types.h>
#include <arch/cpu.h>

#define PER_CPU_SECTION ".percpu"
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) name
#define DEFINE_PER_CPU(type, name) __section(PER_CPU_SECTION) __typeof__(type) name
#define DECLARE_PER_CPU_ALIGNED(type, name) extern __typeof__(type) name
#define DEFINE_PER_CPU_ALIGNED(type, name) \
	__section(PER_CPU_SECTION "..aligned") __typeof__(type) name __aligned(L1_CACHE_BYTES)

extern char __per_cpu_start[], __per_cpu_end[];
extern unsigned long __per_cpu_offset[NR_CPUS];

#define per_cpu_ptr(p, cpu) ((__typeof__(p))((unsigned long)(p) + __per_cpu_offset[cpu]))
#define per_cpu(var, cpu) (*per_cpu_ptr(&(var), (cpu)))

#include <arch_cpu/percpu.h>

#define this_cpu_ptr(p) ((__typeof__(p))((unsigned long)(p) + __my_cpu_offset()))
#define raw_cpu_ptr(p) this_cpu_ptr(p)

#ifndef __this_cpu_read
#define __this_cpu_read(v) this_cpu_read(v)
#define __this_cpu_write(v, x) this_cpu_write(v, x)
#define __this_cpu_add(v, n) this_cpu_add(v, n)
#define __this_cpu_sub(v, n) this_cpu_sub(v, n)
#define __this_cpu_inc(v) this_cpu_inc(v)
#define __this_cpu_dec(v) this_cpu_dec(v)
#endif
