/* SPDX-License-Identifier: MIT */
/* Numbers of the UltraSPARC IIi User's Manual and where the trap block keeps what; also for assembly. */
#pragma once

/* Address-space identifiers. */
#define ASI_AS_IF_USER_PRIMARY 0x10
#define ASI_AS_IF_USER 0x11		/* the secondary context: user memory, from the kernel */
#define ASI_PHYS 0x14			/* cacheable memory by physical address */
#define ASI_IMMU 0x50
#define ASI_ITLB_IN 0x54
#define ASI_ITLB_ENTRY 0x55
#define ASI_ITLB_DEMAP 0x57
#define ASI_DMMU 0x58
#define ASI_DTLB_IN 0x5c
#define ASI_DTLB_ENTRY 0x5d
#define ASI_DTLB_DEMAP 0x5f
#define ASI_IVEC_STATUS 0x49
#define ASI_IVEC_DATA 0x7f
/* Registers of ASI_DMMU (and, but for the contexts, of ASI_IMMU). */
#define MMU_PRIMARY 0x08
#define MMU_SECONDARY 0x10
#define MMU_SFSR 0x18
#define MMU_SFAR 0x20
#define MMU_TAG 0x30
/* Demap: bits 4..5 name the context, bit 6 says all of it. */
#define DEMAP_SECONDARY 0x10
#define DEMAP_NUCLEUS 0x20
#define DEMAP_CONTEXT 0x40

#define PSTATE_KERNEL 0x14		/* PRIV, PEF; interrupts off */
#define PSTATE_TRAP 0x15
#define PSTATE_MISS 0x414
#define PSTATE_VECTOR 0x814
#define TSTATE_PRIV_BIT 0x400

#define BIAS 2047
#define WINDOW_FRAME 176		/* of each function: its window, six arguments */
#define WSTATE_KERNEL 0
#define WSTATE_USER 1
#define OTHER_WINDOWS 6			/* windows of the CPU less two */

/* struct trap_frame. */
#define R_TSTATE 128
#define R_TPC 136
#define R_TNPC 144
#define R_Y 152
#define R_MAGIC 156
#define R_FAULT 160
#define R_ORIG 168
#define R_NR 176
#define R_SIZE 192

/* struct trap_block. */
#define TB_USER_ROOT 0
#define TB_KERNEL_ROOT 8
#define TB_CONTEXT 16
#define TB_STACK 24
#define TB_SPILLED 32
#define TB_CURRENT 40
#define TB_PERCPU 48
#define TB_WINDOW 56

/* struct task: its stack, and of thread (at 16): sp, next_spilled, window. */
#define TASK_STACK 8
#define TASK_SP 24
#define TASK_SPILLED 32
#define TASK_WINDOW 40

/* What the miss handlers say beside the trap's number (bits 9 and up of fault status). */
#define FAULT_WINDOW_STORE 0x200	/* in a user's window spill */
#define FAULT_WINDOW_LOAD 0x400		/* in a fill */
