/* SPDX-License-Identifier: MIT */
/*
 * Vector and floating-point registers: each user task owns an area sized by the CPU's features; it is saved whenever the
 * task leaves the CPU and loaded before it returns to user mode. Kernel threads have none. No lazy trap.
 */
#pragma once

#include <lib/types.h>
#include <arch_cpu/thread.h>

struct task;

void arch_fpu_init_cpu(void);
/* CHILD gets a copy of the running task's registers, or none (kernel thread). 0, -ENOMEM. */
int arch_fpu_fork(struct task *child);
void arch_fpu_free(struct task *task);
/* The running task's registers become the ABI's initial ones. 0, -ENOMEM (first exec of a kernel thread). */
int arch_fpu_exec(void);
/* Between these the kernel may use vector registers: preemption is off. Not from hard interrupts. */
void kernel_fpu_begin(void);
void kernel_fpu_end(void);

#ifdef ARCH_GUESTS
/*
 * The registers of a guest's CPU, in an area like a task's. Between guest_fpu_load() and guest_fpu_unload() the running task has them in
 * place of its own, also over switches; ptrace sees its own. It neither forks, executes a program nor returns to user mode in between;
 * an exit takes the guest's off.
 */
struct guest_fpu;

/* In their initial state (FNINIT, MXCSR 0x1f80). NULL: no memory. Sleeps; charged to the caller. */
struct guest_fpu *guest_fpu_alloc(void) __must_check;
/* Loaded by nobody. NULL is allowed. */
void guest_fpu_free(struct guest_fpu *g);
/* G is loaded by nobody, and the task has none. */
void guest_fpu_load(struct guest_fpu *g);
/* The task has G. */
void guest_fpu_unload(struct guest_fpu *g);
/* If the task, which exits, has any. */
void guest_fpu_drop(void);

/* What XCR0 of a guest may have: that of the kernel. There is no PKRU in it, so that a guest has no protection keys. */
u64 guest_fpu_features(void);
/* Bytes of an image: the standard format of XSAVE, with a header also where the CPU has no XSAVE. */
size_t guest_fpu_image_size(void);
/*
 * The image of a guest that knows FEATURES (bits of XCR0; x87 and SSE always): SIZE bytes, 576 or more, all written. Components in their
 * initial state have that, and no bit in XSTATE_BV. Nobody has G loaded.
 */
void guest_fpu_get(const struct guest_fpu *g, void *image, size_t size, u64 features);
/*
 * Back, from anybody: what is kept can be loaded. -EINVAL, and nothing is changed: components beyond FEATURES or SIZE, a compacted image,
 * reserved bits in the header or (where x87, SSE or AVX come along) in MXCSR. Components that have no bit take their initial state.
 */
int guest_fpu_set(struct guest_fpu *g, const void *image, size_t size, u64 features) __must_check;

/*
 * Vector register N (0 to 15) of G, which the running task has loaded: its low SIZE bytes, 16 or 32 (the CPU has AVX). Writing 32, or 16 with
 * CLEAR, clears what is above them.
 */
void guest_fpu_get_vector(struct guest_fpu *g, u8 n, void *data, u32 size);
void guest_fpu_set_vector(struct guest_fpu *g, u8 n, const void *data, u32 size, bool clear);
/*
 * MMX register N (0 to 7) of G, the same. False: an x87 exception is pending, which an MMX instruction meets first. Writing makes the x87 state that
 * which any MMX instruction leaves.
 */
bool guest_fpu_get_mmx(struct guest_fpu *g, u8 n, u64 *value);
void guest_fpu_set_mmx(struct guest_fpu *g, u8 n, u64 value);
#else
static inline void guest_fpu_drop(void) { }
#endif
