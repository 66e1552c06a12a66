/* SPDX-License-Identifier: MIT */
/* What the alpha files share: the machine as the HWRPB tells it, PALcode's calls, entry points. */
#pragma once

#include <lib/types.h>
#include <arch/pgtable.h>
#include <arch/percpu.h>
#include <arch/ptrace.h>

#define PAL_CLOBBERS "$1", "$22", "$23", "$24", "$25", "memory"

/* call_pal N with up to two arguments; Alpha Architecture Handbook, II-B 2. */
#define pal_call0(n) ({ register u64 __v0 __asm__("$0");						\
	__asm__ volatile("call_pal %1" : "=r"(__v0) : "i"(n) : "$16", PAL_CLOBBERS); __v0; })
#define pal_call1(n, x) ({ register u64 __v0 __asm__("$0"); register u64 __a0 __asm__("$16") = (u64)(x);	\
	__asm__ volatile("call_pal %2" : "=r"(__v0), "+r"(__a0) : "i"(n) : "$17", PAL_CLOBBERS); __v0; })
#define pal_call2(n, x, y) ({ register u64 __v0 __asm__("$0"); register u64 __a0 __asm__("$16") = (u64)(x);	\
	register u64 __a1 __asm__("$17") = (u64)(y);							\
	__asm__ volatile("call_pal %3" : "=r"(__v0), "+r"(__a0), "+r"(__a1) : "i"(n) : "$18", "$19", "$20", "$21", PAL_CLOBBERS); __v0; })

#define PAL_halt 0
#define PAL_cserve 9
#define PAL_wripir 0x0d
#define PAL_wrmces 0x11
#define PAL_tbi 0x33
#define PAL_wrent 0x34
#define PAL_wrkgp 0x37
#define PAL_rdusp 0x3a
#define PAL_whami 0x3c
#define PAL_imb 0x86
#define PAL_rdunique 0x9e
#define PAL_wrunique 0x9f

/* QEMU's own services, under the number that is the console's to define. */
#define CSERVE_WALL_TIME 3	/* nanoseconds since 1970 */
#define CSERVE_ALARM_ABS 6	/* nanoseconds of its clock; 0: never */
#define CSERVE_TIME 7

#define TBI_ALL -2L
#define TBI_SPACE -1L		/* what is not the same in each space */
#define TBI_PAGE 3L

static inline u64 pal_tbi(long what, unsigned long va)
{
	return pal_call2(PAL_tbi, what, va);
}

/* Kinds of interrupt, of instruction fault, of memory fault. */
enum { INT_IPI, INT_CLOCK, INT_MACHINE, INT_DEVICE, INT_PERF };
enum { IF_BREAK, IF_BUGCHECK, IF_GENTRAP, IF_FEN, IF_OPCODE };
enum { MM_NOT_VALID, MM_RIGHTS, MM_FOR, MM_FOE, MM_FOW };

/* boot_hwrpb.c: the block that the firmware leaves (Alpha Architecture Handbook, III 2). */
struct pcb {		/* PALcode's process context, in physical memory */
	u64 ksp, usp, ptbr;
	u32 pcc, asn;
	u64 unique, fen, reserved[2];
} __aligned(64);

struct alpha_machine {
	unsigned int nr_cpus;
	u16 core[NR_CPUS];	/* the hardware's number of each CPU; 0 is the boot CPU */
	u64 cycle_hz;
	u32 cpu_type;
	u64 system_type, system_variation;
	char serial[17];
	bool qemu;		/* its PALcode has a clock and alarms */
};
extern struct alpha_machine machine;
/* Reads the block at PA: the memory map, CPUs, system. False: it is none. */
bool alpha_read_hwrpb(phys_addr_t pa);
/* No message to a CPU is left that the firmware has not taken. It clears the marks of all when it takes one. */
bool alpha_hwrpb_taken(void);
/* The firmware sends a waiting CPU to ENTRY with that context. False: it is not there to be asked. */
bool alpha_hwrpb_start(unsigned int core, void (*entry)(void), const struct pcb *pcb);
const char *alpha_cpu_name(void);

/* kernel_cpu.c */
void alpha_setup_percpu(void);
void alpha_entry_points(void);

/* kernel_pgtable.c */
extern pte_t kernel_root[];
void alpha_build_kernel_tables(void);

/* mm_pcb.c */
void alpha_pcb_init_cpu(unsigned int cpu);
/* Interrupts are off. */
void alpha_load_root(const pte_t *root);

/* kernel_irq.c */
void alpha_device_interrupt(unsigned long vector);

/* kernel_clock.c */
void alpha_timer_handle(void);

extern char idle_wait[], idle_wait_end[], entry_text_begin[], entry_text_end[];
extern char boot_stack[], boot_stack_top[];

/* sched_smp.c */
void alpha_ipi_handle(void);

/* fpu.S */
struct arch_fpu;
void alpha_save_fp(struct arch_fpu *f);
void alpha_load_fp(const struct arch_fpu *f);

/* syscall_pairs.c, called by the dispatch table (tools/abi-gen.py) */
long ret2_pipe(struct pt_regs *regs);

/* entry.S, and what it calls */
struct task;
void alpha_ent_int(void);
void alpha_ent_arith(void);
void alpha_ent_mm(void);
void alpha_ent_if(void);
void alpha_ent_una(void);
void alpha_ent_sys(void);
void alpha_secondary_entry(void);
void alpha_interrupt(struct pt_regs *regs);
void alpha_arith(struct pt_regs *regs);
void alpha_memory_fault(struct pt_regs *regs);
void alpha_instruction_fault(struct pt_regs *regs);
void alpha_unaligned(struct pt_regs *regs);
void alpha_system_call(struct pt_regs *regs);
void alpha_exit_to_user(struct pt_regs *regs);
void __noreturn alpha_start(void);
void __noreturn alpha_secondary_start(void);
struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp, struct task *next);
/* Loads the page tables of PCB, which is the running one. */
void __swap_context(struct pcb *pcb, phys_addr_t pa);
void ret_from_fork(void);
