/* SPDX-License-Identifier: MIT */
/* What the x86_64 files share: control registers, MSRs, per-CPU tables, vectors. */
#pragma once

#include <lib/types.h>
#include <arch/pgtable.h>
#include <arch/percpu.h>
#include <arch_cpu/features.h>

/* MSRs (Intel SDM vol. 4). */
#define MSR_APIC_BASE 0x1b
#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49
#define PRED_CMD_IBPB 1
#define MSR_ARCH_CAPS 0x10a
#define MSR_PAT 0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800
#define MSR_XSS 0xda0
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103
#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117
#define EFER_SCE 1ULL
#define EFER_NX (1ULL << 11)
#define EFER_SVME (1ULL << 12)

#define CR0_WP (1UL << 16)
#define CR4_TSD (1UL << 2)
#define CR4_DE (1UL << 3)
#define CR4_PAE (1UL << 5)
#define CR4_MCE (1UL << 6)
#define CR4_PGE (1UL << 7)
#define CR4_OSFXSR (1UL << 9)
#define CR4_OSXMMEXCPT (1UL << 10)
#define CR4_UMIP (1UL << 11)
#define CR4_LA57 (1UL << 12)
#define CR4_FSGSBASE (1UL << 16)
#define CR4_PCIDE (1UL << 17)
#define CR4_OSXSAVE (1UL << 18)
#define CR4_SMEP (1UL << 20)
#define CR4_SMAP (1UL << 21)

/* Vectors. 0..31 are the CPU's own; devices take FIRST_DEVICE_VECTOR and up on each CPU separately. */
#define VEC_DE 0
#define VEC_DB 1
#define VEC_NMI 2
#define VEC_BP 3
#define VEC_OF 4
#define VEC_BR 5
#define VEC_UD 6
#define VEC_NM 7
#define VEC_DF 8
#define VEC_TS 10
#define VEC_NP 11
#define VEC_SS 12
#define VEC_GP 13
#define VEC_PF 14
#define VEC_MF 16
#define VEC_AC 17
#define VEC_MC 18
#define VEC_XM 19
#define FIRST_DEVICE_VECTOR 0x30
#define LAST_DEVICE_VECTOR 0xef
#define VEC_SPURIOUS 0xff
#define VEC_STOP 0xf7
#define VEC_CALL 0xf9
#define VEC_RESCHED 0xfa
#define VEC_TIMER 0xfc
#define VEC_ERROR 0xfe

#define GDT_TSS 0x40
#define GDT_CPUNUMBER 0x78		/* limit is the CPU's number, for getcpu in user mode */
#define GDT_ENTRIES 16

struct tss {
	u32 reserved0;
	u64 sp[3];			/* sp[0]: top of the running task's stack; system calls use it too */
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap_base;
} __packed;

DECLARE_PER_CPU(struct tss, cpu_tss);

enum { IST_NONE, IST_DF, IST_NMI, IST_MC, IST_DB, IST_COUNT };
#define IST_STACK_SIZE (2 * PAGE_SIZE)
#define IST_STRIDE (3 * PAGE_SIZE)		/* a guard page below each */
#define IST_AREA(cpu) (FIXMAP_START + (unsigned long)(cpu) * IST_STRIDE * (IST_COUNT - 1))
#define IST_TOP(cpu, ist) (IST_AREA(cpu) + IST_STRIDE * (ist))
#define TEXT_POKE_VA (FIXMAP_END - 16 * PAGE_SIZE)		/* two pages, in one table */

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

/* False when the MSR does not exist. */
bool rdmsr_safe(u32 msr, u64 *v);
bool wrmsr_safe(u32 msr, u64 v);

static inline void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	__asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(sub));
}

static inline unsigned long read_cr0(void) { unsigned long v; __asm__ volatile("movq %%cr0, %0" : "=r"(v)); return v; }
static inline unsigned long read_cr2(void) { unsigned long v; __asm__ volatile("movq %%cr2, %0" : "=r"(v)); return v; }
static inline unsigned long read_cr3(void) { unsigned long v; __asm__ volatile("movq %%cr3, %0" : "=r"(v) : : "memory"); return v; }
static inline unsigned long read_cr4(void) { unsigned long v; __asm__ volatile("movq %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr0(unsigned long v) { __asm__ volatile("movq %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr3(unsigned long v) { __asm__ volatile("movq %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(unsigned long v) { __asm__ volatile("movq %0, %%cr4" : : "r"(v) : "memory"); }
static inline void invlpg(unsigned long a) { __asm__ volatile("invlpg (%0)" : : "r"(a) : "memory"); }

static inline u64 rdtsc_ordered(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

/* kernel_cpu.c */
extern u64 xfeatures_mask;		/* XCR0 */
extern u32 xsave_size;			/* standard format, 512 without XSAVE */
extern char cpu_vendor[13], cpu_model_name[49];
extern u8 cpu_phys_bits, cpu_virt_bits;
extern unsigned int cpu_family, cpu_model, cpu_stepping;
extern u32 hypervisor_base;		/* CPUID leaf of the hypervisor, 0: none */
void x86_detect_cpu(void);
void x86_cpu_tables(unsigned int cpu);
void x86_cpu_registers(void);
void x86_idt_init(void);
void x86_use_ist(unsigned int cpu);
void x86_map_ist(unsigned int cpu);

/* kernel_power.c: SVM off on this CPU, its global interrupt flag set, as a reset needs it. Any context. */
void x86_svm_off(void);

/* kernel_pgtable.c */
void x86_build_kernel_tables(void);

/* boot_acpi.c */
struct x86_machine {
	u32 nr_cpus;			/* these two: read by head.S */
	u32 apic_id[NR_CPUS];		/* by CPU number; 0 is the boot CPU */
	phys_addr_t lapic;
	bool have_pic;
	bool madt;
	unsigned int nr_ioapics;
	struct { phys_addr_t pa; u32 gsi_base; } ioapic[8];
	struct { u32 gsi; u16 flags; bool set; } isa[16];
	/* FADT */
	bool fadt, hw_reduced;
	u32 pm1a_cnt, pm1b_cnt, pm_timer;
	bool pm_timer_32;
	u8 slp_typa, slp_typb;
	bool have_s5;
	struct { u8 space; u64 addr; u8 value; bool ok; } reset;
	struct { u8 space; u64 addr; bool ok; } sleep_ctl;
	phys_addr_t hpet;
	bool no_8042, no_vga;
};
extern struct x86_machine machine;
void x86_read_firmware_tables(void);

/* kernel_percpu.c */
void x86_setup_percpu(void);

/* kernel_apic.c */
extern bool x2apic_mode;
void x86_apic_init_cpu(void);
void x86_apic_init(void);
void apic_eoi(void);
u32 apic_id(void);
void apic_send(unsigned int cpu, u32 vector);
void apic_send_icr(u32 apicid, u32 low);
void x86_apic_ticks_begin(void);
u32 x86_apic_ticks(void);
u32 x86_apic_ticks_end(void);
void x86_apic_timer_rate(u64 khz, bool tsc_reliable);
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 v);

/* kernel_pic.c */
#define PIC_LINES 16
extern bool x86_pic_mode;		/* no local APIC: one CPU, the 8259As and the 8254 */
void x86_pic_init(u8 vector);		/* of line 0; both controllers masked */
bool x86_pic_is_level(unsigned int line);
void x86_pic_mask(unsigned int line, bool mask);
bool x86_pic_claimed(unsigned int line);
void x86_pic_eoi(unsigned int line);
void x86_pit_init(void);
void x86_pit_set_deadline(u64 deadline_ns);

/* kernel_irq.c */
struct pt_regs;
void x86_device_interrupt(u32 vector);

/* sched_trap.c */
bool x86_fixup_exception(struct pt_regs *regs);

/* kernel_clock.c */
extern u64 tsc_khz;
u64 x86_clock_tsc_of(u64 ns);		/* TSC value at that time */
struct x86_clock {			/* ns = base_ns + ((tsc - base_tsc) * mult >> shift) */
	u64 base_tsc, base_ns;
	u32 mult, shift;
	bool user_readable;		/* the vDSO may compute it */
};
extern struct x86_clock x86_clock;

/* entry.S */
extern char entry_syscall[], entry_syscall32[], vector_stubs[], iret_to_user[];
extern char ist_stub_df[], ist_stub_nmi[], ist_stub_mc[], ist_stub_db[];
/* head.S, trampoline.S */
extern char boot_stack[], boot_stack_top[];
extern u64 early_root[], early_pdpt_low[], early_pdpt_high[], early_pd[], early_pd_slid[], early_pdpt_direct[];
#define EARLY_IMAGE_ENTRIES 16		/* of early_pd_slid, from its start: the image where it was linked */
void __noreturn x86_efi_step(u64 root, u64 entry, u64 handoff);

/* kernel_bugs.c */
void x86_judge_bugs(bool mitigations_off);
void x86_override_features(const char *cmdline);

/* kernel_sha.c, once the features are known; sha256.S, between kernel_fpu_begin() and kernel_fpu_end(): WORDS are F E B A H G D C, BLOCKS of 64 bytes at P, one or more */
void x86_sha_init(void);
void x86_sha256(u32 *words, const u8 *p, size_t blocks);
void x86_mitigate_cpu(void);
/* A guest ran here since, and now user mode or another task comes: what it trained is forgotten, where that helps. */
void x86_guest_was_here(void);

/* sched_smp.c */
void x86_smp_reserve(void);
DECLARE_PER_CPU(unsigned long, secondary_stack);

/* sched_fpu.c */
void x86_fpu_detect(void);
