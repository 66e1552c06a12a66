/* SPDX-License-Identifier: MIT */
/* What the sparc64 files share: the machine as Open Firmware tells it, registers of the MMU, entry points. */
#pragma once

#include <lib/types.h>
#include <arch/pgtable.h>
#include <arch/percpu.h>
#include <arch/ptrace.h>
#include "arch/sparc64/asm_priv.h"

#define TLB_ENTRIES 64		/* of each TLB; the last of instructions is locked (kernel_pgtable.c) */

/* Registers behind an address-space identifier. */
#define asi_read(asi, at) ({ u64 __v; __asm__ volatile("ldxa [%1] %2, %0" : "=r"(__v) : "r"((u64)(at)), "i"(asi) : "memory"); __v; })
#define asi_write(v, asi, at) \
	__asm__ volatile("stxa %0, [%1] %2\n\tmembar #Sync" : : "r"((u64)(v)), "r"((u64)(at)), "i"(asi) : "memory")

/* Trap types (SPARC V9, table 14; UltraSPARC IIi, 8.3). */
#define TT_INSN_EXCEPTION 0x08
#define TT_ILLEGAL 0x10
#define TT_PRIVILEGED 0x11
#define TT_FP_OFF 0x20
#define TT_FP_IEEE 0x21
#define TT_FP_OTHER 0x22
#define TT_TAG_OVERFLOW 0x23
#define TT_DIV_ZERO 0x28
#define TT_DATA_EXCEPTION 0x30
#define TT_UNALIGNED 0x34
#define TT_UNALIGNED_LDDF 0x35
#define TT_UNALIGNED_STDF 0x36
#define TT_PRIVILEGED_ACTION 0x37
#define TT_INTERRUPT 0x40		/* plus the level */
#define TT_ITLB_MISS 0x64
#define TT_DTLB_MISS 0x68
#define TT_DTLB_PROTECTION 0x6c
#define TT_BREAKPOINT 0x101
#define TT_FLUSH_WINDOWS 0x103
#define TT_SYSCALL 0x16d
#define LEVEL_TICK 14

/* What the miss handlers and the way in and out of a program need, at offsets that asm_priv.h gives. */
struct trap_block {
	u64 user_root, kernel_root;	/* physical */
	u64 context;			/* of the program's address space */
	unsigned long stack;		/* the running task's first frame */
	struct arch_spilled *next_spilled;
	struct task *task;
	unsigned long percpu;
	struct arch_window *window;	/* of the running task */
};
extern struct trap_block trap_block;

/* boot_of.c: what the machine is. */
struct of_range {
	phys_addr_t start;
	u64 size;
};
#define OF_RANGES_MAX 32
struct sparc_machine {
	struct of_range memory[OF_RANGES_MAX], available[OF_RANGES_MAX];
	unsigned int nr_memory, nr_available;
	u32 clock_hz;			/* of the tick counter */
	phys_addr_t uart;		/* 16550; 0: none */
	phys_addr_t power;		/* a register that turns the machine off; 0: none */
	char cpu_name[32];
	char model[32];
};
extern struct sparc_machine machine;
void sparc_read_firmware(int (*client)(void *args));
void __noreturn sparc_start(int (*client)(void *args));
void sparc_own_traps(struct trap_block *tb);
extern u32 boot_initrd[2];

/* kernel_cpu.c */
void sparc_setup_percpu(void);
/* kernel_pgtable.c */
extern pte_t kernel_root[], empty_root[];
void sparc_build_kernel_tables(void);
/* kernel_clock.c */
void sparc_timer_handle(void);

/* sched_trap.c */
extern char idle_wait[], idle_wait_end[], entry_text[], entry_text_end[], trap_table[];

/* sched_window.c: what of the program's windows is kept for it goes to its stack. False: the stack cannot take it. */
bool sparc_windows_to_user(void);
/* What no program will want any more. */
void sparc_forget_windows(void);
/* The window of REGS from its stack into the thread. False: nothing readable is there. */
bool sparc_window_from_user(const struct pt_regs *regs);
bool sparc_windows_kept(void);

extern char boot_stack[], boot_stack_top[];

/* fpu.S */
struct arch_fpu;
void sparc_save_fp(struct arch_fpu *f);
void sparc_load_fp(const struct arch_fpu *f);

/* Called from assembly alone. */
struct task;
void sparc_trap(struct pt_regs *regs, unsigned long what);
void sparc_exit_to_user(struct pt_regs *regs);
void __noreturn sparc_broken(unsigned long what, unsigned long addr, unsigned long pc, unsigned long tt, unsigned long tl, unsigned long sp);
struct task *__switch_stacks(struct task *prev, struct task *next);
void ret_from_fork(void);
