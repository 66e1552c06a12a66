/* SPDX-License-Identifier: MIT */
/* The areas of a task's floating-point and vector registers, shared by the switch, signals and ptrace. */
#pragma once

#include <asm/sigcontext.h>

struct task;
struct pt_regs;

struct arch_fpu {
	struct __riscv_d_ext_state d;
};

#define FPU_NO_CPU 0xffffffffU

void rv_fpu_save(struct __riscv_d_ext_state *regs);
void rv_fpu_load(const struct __riscv_d_ext_state *regs);
void rv_fpu_switch(struct task *prev, struct task *next);
/* Writes the running task's registers into its area. */
void rv_fpu_sync(void);
/* The area of a stopped or the running task was changed: registers anywhere are stale. */
void rv_fpu_changed(struct task *task);

/* sched_vector.c. The state and, right behind it, 32 registers of vlenb bytes. */
extern unsigned int rv_vlenb;		/* 0: no vector unit */
void rv_vector_save(struct __riscv_v_ext_state *s);
void rv_vector_load(const struct __riscv_v_ext_state *s);
/* uaccess.S: words of user memory, both sides aligned, with the unit on; how many are left. */
size_t rv_vector_copy(unsigned long dst, unsigned long src, size_t words);
size_t rv_vector_clear(unsigned long dst, size_t words);
void rv_vector_detect(void);
void rv_vector_switch(struct task *prev, struct task *next);
void rv_vector_sync(void);
void rv_vector_changed(struct task *task);
int rv_vector_fork(struct task *child);
void rv_vector_exec(void);
void rv_vector_free(struct task *task);
/* An illegal instruction of user mode: true if it was the first use of the unit, which is on now. */
bool rv_vector_first_use(struct pt_regs *regs);
