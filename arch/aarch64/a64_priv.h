/* SPDX-License-Identifier: MIT */
/* What the aarch64 files share: the machine as its device tree tells it, system registers, entry points. */
#pragma once

#include <lib/types.h>
#include <arch/pgtable.h>
#include <arch/percpu.h>
#include "arch/shared/kaslr.h"

#define read_sysreg(name) ({ u64 __v; __asm__ volatile("mrs %0, " #name : "=r"(__v)); __v; })
#define write_sysreg(v, name) __asm__ volatile("msr " #name ", %0" : : "rZ"((u64)(v)) : "memory")
#define isb() __asm__ volatile("isb" : : : "memory")

/* Exception classes of ESR_EL1 (Arm ARM, D24.2.40). */
#define ESR_EC(esr) ((unsigned int)((esr) >> 26) & 0x3f)
#define EC_UNKNOWN 0x00
#define EC_WFX 0x01
#define EC_FP_ACCESS 0x07
#define EC_BTI 0x0d
#define EC_SVC64 0x15
#define EC_SYSREG 0x18
#define EC_SVE 0x19
#define EC_PAC_FAIL 0x1c
#define EC_IABORT_USER 0x20
#define EC_IABORT_KERNEL 0x21
#define EC_PC_ALIGN 0x22
#define EC_MOPS 0x27
#define EC_DABORT_USER 0x24
#define EC_DABORT_KERNEL 0x25
#define EC_SP_ALIGN 0x26
#define EC_FP_EXC 0x2c
#define EC_BREAK_USER 0x30
#define EC_STEP_USER 0x32
#define EC_WATCH_USER 0x34
#define EC_BRK 0x3c
#define ESR_WNR (1U << 6)
#define ESR_CM (1U << 8)
#define FSC_TYPE(esr) ((esr) & 0x3c)
#define FSC_TRANSLATION 0x04
#define FSC_ACCESS 0x08
#define FSC_PERMISSION 0x0c
#define FSC_ALIGNMENT 0x21

/* boot_start.c */
struct a64_machine {
	unsigned int nr_cpus;
	u64 mpidr[NR_CPUS];		/* by CPU number; 0 is the boot CPU */
	phys_addr_t uart;		/* PL011; 0: none */
	unsigned int gic;		/* 2, 3; 0: none that is known */
	u32 gic_node;			/* of the device tree */
	phys_addr_t gic_dist, gic_cpu;	/* cpu: GICv3's redistributors */
	u64 gic_cpu_size;
	phys_addr_t msi_frame;		/* GICv2m; 0: none */
	phys_addr_t its;		/* GICv3's translation service; 0: none */
	void *lpi_config, *lpi_pending;	/* of the redistributors */
	u32 msi_node;			/* who takes messages, of the device tree; DT_NONE */
	bool psci, psci_smc;
	u32 psci_cpu_on;		/* function number */
	unsigned int timer_irq;		/* INTID of the virtual timer */
};
extern struct a64_machine machine;
struct efi_handoff;
void __noreturn a64_start(phys_addr_t fdt, phys_addr_t efi);

/* boot_acpi.c */
void a64_read_acpi(void);

/* boot_efi.c, head.S */
void __noreturn a64_efi_enter(u64 entry, u64 fdt, u64 handoff);
extern char boot_entry_efi[];

/* boot_kaslr.c */
u64 a64_randomize(phys_addr_t fdt, phys_addr_t efi);

/* kernel_cpu.c */
extern bool a64_has_pan, a64_has_bti, a64_has_mops;
extern unsigned int a64_asid_bits;
void a64_detect_cpu(void);
void a64_cpu_registers(void);
void a64_setup_percpu(void);

/* kernel_features.c */
void a64_detect_features(void);
void a64_check_features(void);
size_t a64_show_features(char *buf, size_t size);
struct pt_regs;
bool a64_emulate_mrs(struct pt_regs *regs);
/* The bits of pstate that are a program's own, through signals and ptrace. */
extern u64 a64_user_pstate;

/* sched_debug.c */
struct task;
struct user_hwdebug_state;
void a64_debug_load(const struct task *next);
void a64_debug_free(struct task *task);
int a64_debug_get(struct task *task, bool watch, struct user_hwdebug_state *out);
int a64_debug_set(struct task *task, bool watch, const void *buf, size_t n);

/* sched_sve.c */
extern bool a64_has_sve;
void a64_sve_init_cpu(void);
int a64_sve_first_use(void);
/* Around a system call of a task with THREAD_*, interrupts off. */
void a64_sve_begin_call(void);
void a64_sve_end_call(void);

/* sched_pac.c */
extern bool a64_has_paca, a64_has_pacg;

/* kernel_patch.c */
extern bool a64_alts[];			/* by ALT_*: the text was patched for it */
bool a64_fits_alternatives(void);

/* kernel_console.c */
void a64_console_window(const char *cmdline);

/* kernel_pgtable.c */
extern pte_t kernel_root[], empty_root[], early_root[];
void a64_build_kernel_tables(void);

/* kernel_gic.c */
void a64_gic_init_cpu(void);
void a64_gic_handle(void);
void a64_gic_enable_ppi(unsigned int intid);
phys_addr_t a64_redist_pa(const char __iomem *redist);

/* kernel_its.c: messages by GICv3's translation service; LPI n is INTID FIRST_LPI + n. */
#define FIRST_LPI 8192U
#define LPI_BITS 14		/* the fewest that INTIDs of LPIs have */
#define LPI_PENDING_STRIDE (64UL << 10)
#define LPI_PENDING_BYTES(cpus) (((cpus) - 1) * LPI_PENDING_STRIDE + (1UL << LPI_BITS) / 8)
struct arch_msi;
unsigned int a64_its_init(unsigned int most);
void a64_its_init_cpu(char __iomem *redist);
int a64_lpi_alloc(u32 device, unsigned int max, unsigned int count);
void a64_lpi_free(unsigned int n);
void a64_lpi_enable(unsigned int n, bool on);
int a64_lpi_route(unsigned int n, unsigned int cpu);
void a64_lpi_compose(unsigned int n, struct arch_msi *msg);

/* kernel_power.c */
#define PSCI_OFF 0x84000008U
#define PSCI_RESET 0x84000009U
long a64_psci(u32 fn, u64 a, u64 b, u64 c);

/* sched_trap.c */
struct pt_regs;

/* mm_fault.c: the CPU's part of keeping young, dirty and code coherent. True: the entry for ADDR was marked, try again. */
bool a64_mark_access(unsigned long addr, bool write, bool fetch);
/* mm_cache.c: what was written at [start, start + n) may be fetched by all CPUs. */
void a64_detect_caches(void);
void a64_check_caches(void);
void a64_sync_code(unsigned long start, size_t n);

/* sched_smp.c */
extern char secondary_entry[], boot_stack[], boot_stack_top[], vectors[];

/* Called from assembly alone. */
struct task;
void a64_user_sync(struct pt_regs *regs, u64 esr);
void a64_user_irq(struct pt_regs *regs);
void a64_kernel_sync(struct pt_regs *regs, u64 esr);
void a64_kernel_irq(struct pt_regs *regs);
void a64_stack_overflow(struct pt_regs *regs, u64 esr);
void a64_serror(struct pt_regs *regs, u64 esr);
void a64_bad(struct pt_regs *regs, u64 esr);
void a64_exit_to_user(struct pt_regs *regs);
void __noreturn a64_secondary_start(unsigned int cpu);
struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp, struct task *next);
void ret_from_fork(void);
