/* SPDX-License-Identifier: MIT */
/* What the loongarch64 files share: the machine as its device tree tells it, control registers, entry points. */
#pragma once

#include <lib/types.h>
#include <arch/pgtable.h>
#include <arch/percpu.h>
#include "arch/loongarch64/asm_priv.h"
#include "arch/shared/kaslr.h"

#define csr_read(n) ({ u64 __v; __asm__ volatile("csrrd %0, %1" : "=r"(__v) : "i"(n) : "memory"); __v; })
#define csr_write(v, n) do { u64 __v = (v); __asm__ volatile("csrwr %0, %1" : "+r"(__v) : "i"(n) : "memory"); } while (0)
#define cpucfg(n) ({ u32 __v; __asm__("cpucfg %0, %1" : "=r"(__v) : "r"(n)); __v; })

static inline u32 iocsr_read(unsigned int reg)
{
	u32 v;

	__asm__ volatile("iocsrrd.w %0, %1" : "=r"(v) : "r"(reg) : "memory");
	return v;
}

static inline u64 iocsr_read64(unsigned int reg)
{
	u64 v;

	__asm__ volatile("iocsrrd.d %0, %1" : "=r"(v) : "r"(reg) : "memory");
	return v;
}

static inline void iocsr_write(u32 v, unsigned int reg)
{
	__asm__ volatile("iocsrwr.w %0, %1" : : "r"(v), "r"(reg) : "memory");
}

static inline void iocsr_write64(u64 v, unsigned int reg)
{
	__asm__ volatile("iocsrwr.d %0, %1" : : "r"(v), "r"(reg) : "memory");
}

/* Exception codes (Reference Manual, volume 1, table 7-8). */
#define ESTAT_CODE(estat) ((unsigned int)((estat) >> 16) & 0x3f)
#define ESTAT_SUBCODE(estat) ((unsigned int)((estat) >> 22) & 0x1ff)
#define EX_LOAD 0x1		/* no valid entry */
#define EX_STORE 0x2
#define EX_FETCH 0x3
#define EX_MODIFY 0x4		/* store to what is not dirty */
#define EX_NO_READ 0x5
#define EX_NO_EXEC 0x6
#define EX_PRIVILEGE 0x7
#define EX_ADDRESS 0x8
#define EX_ALIGN 0x9
#define EX_BOUND 0xa
#define EX_BREAK 0xc
#define EX_NO_INSN 0xd
#define EX_PRIV_INSN 0xe
#define EX_FP_OFF 0xf
#define EX_LSX_OFF 0x10
#define EX_LASX_OFF 0x11
#define EX_FP 0x12
#define EX_WATCH 0x13

/* Interrupt lines of a CPU. */
#define LINE_EXTIOI 3
#define LINE_TIMER 11
#define LINE_IPI 12

/* boot_start.c */
struct la64_machine {
	unsigned int nr_cpus;
	u32 core[NR_CPUS];		/* the hardware's number of each CPU; 0 is the boot CPU */
	phys_addr_t uart;		/* 16550; 0: none */
	phys_addr_t pic;		/* PCH-PIC; 0: none */
	u32 pic_base, msi_base, msi_count;	/* vectors */
	u32 pic_node, msi_node;		/* of the device tree */
	phys_addr_t msi;		/* PCH-MSI; 0: none */
	bool extioi, extioi_virtual;	/* it is there; and may be a virtual machine's */
	struct la64_poke {		/* a write that turns the machine off, or starts it anew */
		phys_addr_t reg;	/* 0: there is none */
		u32 width, value, mask;
	} off, reset;
};
extern struct la64_machine machine;
void __noreturn la64_start(phys_addr_t cmdline, phys_addr_t systab);
/* Where the device tree lies; 0: misaligned. */
phys_addr_t la64_find_tree(phys_addr_t systab);
#define LA64_PA_LIMIT (1ULL << 48)
#define LA64_FDT_MAX (2UL << 20)

/* boot_kaslr.c: how far the image moved; where it was it stays mapped */
u64 la64_randomize(phys_addr_t cmdline, phys_addr_t systab);

/* kernel_cpu.c */
void la64_detect_cpu(void);
void la64_cpu_registers(unsigned int cpu);
void la64_setup_percpu(void);
enum fpu_width la64_fpu_width(void);
extern bool la64_has_vector_256;

/* kernel_pgtable.c */
extern pte_t kernel_root[], empty_root[];
void la64_build_kernel_tables(void);

/* kernel_extioi.c */
void la64_irq_init_cpu(void);
void la64_irq_handle(u64 estat);

/* kernel_ipi.c */
void la64_ipi_init_cpu(void);
void la64_ipi_handle(void);
/* Firmware's parked CPU goes on at ENTRY (physical), told ARG. */
void la64_ipi_start_core(u32 core, phys_addr_t entry, u64 arg);

/* kernel_clock.c */
void la64_timer_handle(void);

/* sched_trap.c */
struct pt_regs;
extern char idle_wait[], idle_wait_end[];

/* fpu.S */
struct arch_fpu;
void la64_save_fp(struct arch_fpu *f);
void la64_save_lsx(struct arch_fpu *f);
void la64_save_lasx(struct arch_fpu *f);
void la64_load_fp(const struct arch_fpu *f);
void la64_load_lsx(const struct arch_fpu *f);
void la64_load_lasx(const struct arch_fpu *f);
void la64_save_fp_record(void *record);
void la64_save_lsx_record(void *record);
void la64_load_fp_record(const void *record);
void la64_load_lsx_record(const void *record);

/* uaccess.S, by words; bytes that are left, as <arch/shared/ucopy.h> says */
size_t la64_copy_user(unsigned long dst, unsigned long src, size_t n);
size_t la64_clear_user(unsigned long dst, size_t n);
void la64_clear_page(void *page);
void la64_copy_page(void *dst, const void *src);

/* vcopy.S: 256 bytes a block, user memory too; blocks that are left */
size_t la64_copy_blocks(void *dst, const void *src, size_t blocks);
size_t la64_clear_blocks(void *dst, size_t blocks);

/* sched_smp.c */
extern char secondary_entry[], boot_stack[], boot_stack_top[];

/* Called from assembly alone. */
struct task;
void la64_user_exception(struct pt_regs *regs);
void la64_kernel_exception(struct pt_regs *regs);
void la64_user_irq(struct pt_regs *regs);
void la64_kernel_irq(struct pt_regs *regs);
void la64_stack_overflow(struct pt_regs *regs);
void __noreturn la64_machine_error(void);
DECLARE_PER_CPU_ALIGNED(char, overflow_stack[OVERFLOW_STACK_SIZE]);	/* or, with CONFIG_KASAN: */
extern char *overflow_stacks[NR_CPUS];
void la64_exit_to_user(struct pt_regs *regs);
void __noreturn la64_secondary_start(unsigned int cpu);
struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp, struct task *next);
void ret_from_fork(void);
