/* SPDX-License-Identifier: MIT */
/* Control registers (Reference Manual, volume 1, chapter 7) and what the kernel keeps in them; also for assembly. */
#pragma once

#define CSR_CRMD 0x0
#define CSR_PRMD 0x1
#define CSR_EUEN 0x2
#define CSR_ECFG 0x4
#define CSR_ESTAT 0x5
#define CSR_ERA 0x6
#define CSR_BADV 0x7
#define CSR_BADI 0x8
#define CSR_EENTRY 0xc
#define CSR_ASID 0x18
#define CSR_PGDL 0x19
#define CSR_PGDH 0x1a
#define CSR_PGD 0x1b
#define CSR_PWCL 0x1c
#define CSR_PWCH 0x1d
#define CSR_STLBPS 0x1e
#define CSR_CPUID 0x20
#define CSR_PRCFG3 0x23
#define CSR_TID 0x40
#define CSR_TCFG 0x41
#define CSR_TICLR 0x44
#define CSR_TLBRENTRY 0x88
#define CSR_TLBRBADV 0x89
#define CSR_TLBRERA 0x8a
#define CSR_TLBRSAVE 0x8b
#define CSR_TLBRELO0 0x8c
#define CSR_TLBRELO1 0x8d
#define CSR_TLBREHI 0x8e
#define CSR_MERRINFO1 0x91
#define CSR_MERRINFO2 0x92
#define CSR_MERRENTRY 0x93
#define CSR_MERRERA 0x94
#define CSR_DMW0 0x180
#define CSR_DMW1 0x181
#define CSR_DMW2 0x182
#define CSR_DMW3 0x183

/* Scratch registers of the CPU: two for entry, then constants of the running task and of the CPU. */
#define KS_SCRATCH 0x30
#define KS_SCRATCH2 0x31
#define KS_REFILL 0x35		/* the TLB refill's own */
#define KS_REFILL2 0x36
#define KS_FRAME 0x32		/* where the task's user registers are saved */
#define KS_TASK 0x33
#define KS_PERCPU 0x34

/* Of each CPU, for what cannot go on on the task's own stack. */
#ifdef CONFIG_KASAN
#define OVERFLOW_STACK_SHIFT 14
#else
#define OVERFLOW_STACK_SHIFT 13
#endif
#define OVERFLOW_STACK_SIZE (1 << OVERFLOW_STACK_SHIFT)	/* not a page */

/* Windows on memory. */
#define WINDOW_PLV0 1
#define WINDOW_NORMAL 0x10
#define CRMD_INTERRUPTS 4	/* CRMD.IE */
#define CRMD_PAGING 0xb0	/* translation on, interrupts off */

/* The entry points are this many instructions apart, as a power of two. */
#define VECTOR_SHIFT 2
