/* SPDX-License-Identifier: MIT */
/* What the riscv64 files share: the machine as its device tree tells it, control registers, SBI, entry points. */
#pragma once

#include <lib/types.h>
#include <arch/pgtable.h>
#include <arch/percpu.h>
#include "arch/shared/kaslr.h"

#define csr_read(name) ({ unsigned long __v; __asm__ volatile("csrr %0, " #name : "=r"(__v) : : "memory"); __v; })
#define csr_write(name, v) __asm__ volatile("csrw " #name ", %0" : : "rK"((unsigned long)(v)) : "memory")
#define csr_set(name, v) __asm__ volatile("csrs " #name ", %0" : : "rK"((unsigned long)(v)) : "memory")
#define csr_clear(name, v) __asm__ volatile("csrc " #name ", %0" : : "rK"((unsigned long)(v)) : "memory")

#define SATP_MODE_SHIFT 60
#define SATP_SV39 8UL
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK 0xffffUL

/* Bits of sie and sip, numbers in scause. */
#define IRQ_SOFT 1
#define IRQ_TIMER 5
#define IRQ_EXT 9
#define CAUSE_IRQ (1UL << 63)
#define CAUSE_INSN_MISALIGNED 0
#define CAUSE_INSN_ACCESS 1
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_LOAD_MISALIGNED 4
#define CAUSE_LOAD_ACCESS 5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS 7
#define CAUSE_ECALL_USER 8
#define CAUSE_INSN_PAGE 12
#define CAUSE_LOAD_PAGE 13
#define CAUSE_STORE_PAGE 15

/* boot_start.c */
#define RV_NO_CONTEXT 0xffffffffU
struct rv_machine {
	unsigned int nr_cpus;
	unsigned int hart[NR_CPUS];		/* by CPU number; 0 is the boot CPU */
	u32 cpu_node[NR_CPUS];			/* in the device tree */
	phys_addr_t uart, test_device;		/* 0: none */
	unsigned int uart_shift, uart_width;
	/* boot_irq.c: interrupts of devices. */
	enum { RV_NO_INTC, RV_PLIC, RV_APLIC, RV_APLIC_IMSIC } irq_kind;
	u32 irq_node, msi_node;			/* of the lines' controller, of the messages'; DT_NONE */
	phys_addr_t irq_base;
	u64 irq_size;
	unsigned int irq_sources;		/* 1 to this */
	u32 irq_context[NR_CPUS];		/* of the PLIC or APLIC, for S mode; RV_NO_CONTEXT: none */
	phys_addr_t imsic[NR_CPUS];		/* interrupt files of S mode; 0: none */
	u32 imsic_target[NR_CPUS];		/* as an APLIC names the CPU: group and number in it */
	unsigned int imsic_ids;			/* 1 to this */
	u64 timebase;				/* Hz of rdtime */
};
extern struct rv_machine machine;
void __noreturn rv_start(unsigned long hart, phys_addr_t fdt);

/* boot_irq.c. UART: the console's node, or DT_NONE. */
struct dt;
void rv_read_intc(const struct dt *t, u32 uart);

/* boot_early.c: before the MMU is on */
void rv_early_tables(phys_addr_t fdt);
/* Maps the image at another place too, by pages. */
void rv_early_image(unsigned long va);
/* boot_kaslr.c: how far the image moved; where it was it stays mapped */
u64 rv_randomize(phys_addr_t fdt);

/* head.S: the CPU's entropy source (Zkr), read once; 0: it has none, or none for S mode */
u64 rv_read_seed(void);
/* The entry of the early direct map for the GiB around PA; NULL: it has none. */
pte_t *rv_early_gib(phys_addr_t pa);

/* kernel_sbi.c */
struct sbi_ret {
	long error;
	long value;
};
#define SBI_EXT_BASE 0x10
#define SBI_EXT_TIME 0x54494d45
#define SBI_EXT_IPI 0x735049
#define SBI_EXT_RFENCE 0x52464e43
#define SBI_EXT_HSM 0x48534d
#define SBI_EXT_SRST 0x53525354
#define SBI_EXT_DBCN 0x4442434e
#define SBI_LEGACY_PUTCHAR 1
#define SBI_LEGACY_GETCHAR 2
#define SBI_LEGACY_SHUTDOWN 8
struct sbi_ret sbi_call(unsigned long ext, unsigned long fn, unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			unsigned long a4);
bool sbi_has(unsigned long ext);
void rv_sbi_init(void);
struct cpumask;
void rv_sbi_ipi(unsigned int cpu);
/* On the CPUs of MASK, complete when these return. SIZE ~0: everything. */
void rv_sbi_sfence(const struct cpumask *mask, unsigned long start, unsigned long size);
void rv_sbi_fence_i(const struct cpumask *mask);
DECLARE_PER_CPU(unsigned int, rv_fences);	/* how often a CPU asked for them */

/* kernel_isa.c: what all CPUs can do */
enum rv_ext {
	RV_EXT_F, RV_EXT_D, RV_EXT_C, RV_EXT_V, RV_EXT_ZBA, RV_EXT_ZBB, RV_EXT_ZBS, RV_EXT_ZIHINTPAUSE, RV_EXT_SSTC, RV_EXT_SVPBMT,
	RV_EXT_SVVPTC, RV_EXT_ZKR, NR_RV_EXT
};
bool rv_has(enum rv_ext e);
void rv_read_isa(void);

/* kernel_cpu.c */
extern unsigned int rv_nr_asids;	/* 1: none but 0 */
void rv_cpu_registers(void);
void rv_setup_percpu(void);

/* kernel_console.c */
void rv_console_window(void);

/* kernel_pgtable.c */
extern pte_t kernel_root[], idmap_root[];
extern u32 rv_map_gen;			/* raised when the kernel's tables got new entries */
void rv_build_kernel_tables(void);

static inline unsigned long rv_make_satp(phys_addr_t root, unsigned int asid)
{
	return (SATP_SV39 + rv_pt_levels - 3) << SATP_MODE_SHIFT | (unsigned long)asid << SATP_ASID_SHIFT | root >> PAGE_SHIFT;
}

/* uaccess.S: bytes that are left; addresses are checked already. */
size_t rv_copy_user(unsigned long dst, unsigned long src, size_t n);
size_t rv_clear_user(unsigned long dst, size_t n);

/* mm_icache.c: instructions of the running task's space were written, or a page that may hold such became executable. */
void rv_sync_icache(void);

/* kernel_irq.c */
void rv_irq_init_cpu(void);
void rv_irq_handle(void);

/* kernel_clock.c */
void rv_timer_interrupt(void);

/* sched_trap.c */
struct pt_regs;

bool rv_kernel_spurious(unsigned long addr, unsigned long cause);

/* sched_smp.c */
void rv_soft_interrupt(void);
extern char secondary_entry[], boot_stack[], boot_stack_top[], rv_trap_entry[];

/* sched_stacktrace.c */
#define OVERFLOW_STACK_SIZE 8192	/* not a page; entry.S knows it */
DECLARE_PER_CPU_ALIGNED(char, overflow_stack[OVERFLOW_STACK_SIZE]);

/* Called from assembly alone. */
struct task;
void rv_system_call(struct pt_regs *regs);
void rv_user_trap(struct pt_regs *regs, unsigned long cause);
void rv_user_irq(struct pt_regs *regs, unsigned long cause);
void rv_kernel_trap(struct pt_regs *regs, unsigned long cause);
void rv_kernel_irq(struct pt_regs *regs, unsigned long cause);
void rv_stack_overflow(struct pt_regs *regs);
void rv_exit_to_user(struct pt_regs *regs);
void __noreturn rv_secondary_start(unsigned int cpu);
struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp, struct task *next);
void ret_from_fork(void);
