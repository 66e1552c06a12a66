// SPDX-License-Identifier: MIT
/*
 * One CPU made ready: what it can do (CPUID), its descriptor tables, its control registers. The boot CPU decides, the
 * others follow it: a feature that the boot CPU has and another lacks stops that other CPU from being used at all.
 */
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/preempt.h>
#include <arch/ptrace.h>
#include <lib/bits.h>
#include <lib/string.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/spinlock.h>
#include <asm/kvm_para.h>
#include "arch/x86_64/x86_priv.h"

u32 x86_features[X86_FEATURE_WORDS] __ro_after_init;
u64 xfeatures_mask __ro_after_init = 3;
u32 xsave_size __ro_after_init = 512;
char cpu_vendor[13] __ro_after_init, cpu_model_name[49] __ro_after_init;
u8 cpu_phys_bits __ro_after_init = 36, cpu_virt_bits __ro_after_init = 48;
unsigned int cpu_family __ro_after_init, cpu_model __ro_after_init, cpu_stepping __ro_after_init;
u32 hypervisor_base __ro_after_init;
u64 pte_nx_bit __ro_after_init = X86_PTE_NX;
u64 pte_global_bit __ro_after_init;
bool pte_has_1g __ro_after_init;

DEFINE_PER_CPU(unsigned long, this_cpu_off);
DEFINE_PER_CPU(int, __preempt_count) = (int)(PREEMPT_NEED_RESCHED + 1);
EXPORT(__preempt_count);
DEFINE_PER_CPU_ALIGNED(struct tss, cpu_tss);
static DEFINE_PER_CPU_ALIGNED(u64, gdt[GDT_ENTRIES]);

struct idt_gate {
	u16 off_low, selector;
	u8 ist, type;
	u16 off_mid;
	u32 off_high, zero;
};
static struct idt_gate idt[256] __section(".data..ro_after_init") __aligned(64);

static void read_vendor(void)
{
	u32 a, b, c, d;

	cpuid(0, 0, &a, &b, &c, &d);
	memcpy(cpu_vendor, &b, 4);
	memcpy(cpu_vendor + 4, &d, 4);
	memcpy(cpu_vendor + 8, &c, 4);
	cpuid(1, 0, &a, &b, &c, &d);
	cpu_family = a >> 8 & 15;
	cpu_model = a >> 4 & 15;
	cpu_stepping = a & 15;
	if (cpu_family == 15)
		cpu_family += a >> 20 & 0xff;
	if (cpu_family == 6 || cpu_family >= 15)
		cpu_model |= (a >> 16 & 15) << 4;
}

static void read_features(void)
{
	u32 a, b, c, d, max, xmax, hints = 0;

	cpuid(0, 0, &max, &b, &c, &d);
	cpuid(1, 0, &a, &b, &x86_features[1], &x86_features[0]);
	if (max >= 7) {
		cpuid(7, 0, &a, &x86_features[4], &x86_features[5], &x86_features[6]);
		if (a >= 1)
			cpuid(7, 1, &x86_features[9], &b, &c, &d);
	}
	if (max >= 13 && cpu_has(X86_FEATURE_XSAVE))
		cpuid(13, 1, &x86_features[7], &b, &c, &d);
	cpuid(0x80000000, 0, &xmax, &b, &c, &d);
	if (xmax >= 0x80000001)
		cpuid(0x80000001, 0, &a, &b, &x86_features[3], &x86_features[2]);
	if (xmax >= 0x80000004)
		for (u32 i = 0; i < 3; i++) {
			u32 r[4];

			cpuid(0x80000002 + i, 0, &r[0], &r[1], &r[2], &r[3]);
			memcpy(cpu_model_name + 16 * i, r, 16);
		}
	if (xmax >= 0x80000007)
		cpuid(0x80000007, 0, &a, &b, &c, &x86_features[10]);
	if (xmax >= 0x80000008) {
		cpuid(0x80000008, 0, &a, &x86_features[8], &c, &d);
		cpu_phys_bits = a & 0xff;
		cpu_virt_bits = a >> 8 & 0xff;
	}
	if (xmax >= 0x8000000a && cpu_has(X86_FEATURE_SVM))
		cpuid(0x8000000a, 0, &a, &b, &c, &x86_features[12]);
	if (xmax >= 0x80000021)
		cpuid(0x80000021, 0, &x86_features[13], &b, &c, &d);
	if (cpu_has(X86_FEATURE_HYPERVISOR)) {
		for (u32 base = 0x40000000; base < 0x40010000; base += 0x100) {
			cpuid(base, 0, &a, &b, &c, &d);
			if (b == 0x4b4d564b && c == 0x564b4d56 && d == 0x4d) {	/* KVMKVMKVM */
				hypervisor_base = base;
				cpuid(base + 1, 0, &x86_features[11], &b, &c, &d);
				hints = d;
				break;
			}
			if (base == 0x40000000 && a < base)
				break;
		}
		/* Unless the host promises that each CPU has one of its own. */
		spin_unfair = !(hints & 1U << KVM_HINTS_REALTIME);
	}
	x86_features[X86_FEATURE_ALWAYS / 32] |= 1U << (X86_FEATURE_ALWAYS % 32);
}

/* x87, SSE, AVX, AVX-512: what the area must hold in the standard format. No PKRU: the kernel leaves protection keys off, and guests get none. */
static void read_xstate(void)
{
	u32 a, b, c, d;

	cpuid(0, 0, &a, &b, &c, &d);
	if (a >= 13)
		cpuid(13, 0, &a, &b, &c, &d);
	else
		a = d = 0;
	/* Old virtual machines name XSAVE and nothing that it saves: XSETBV would fault. */
	if ((a & 3) != 3)
		x86_features[X86_FEATURE_XSAVE / 32] &= ~(1U << X86_FEATURE_XSAVE % 32);
	if (!cpu_has(X86_FEATURE_XSAVE))
		return;
	xfeatures_mask = (a | (u64)d << 32) & 0xe7;
	if ((xfeatures_mask & 0xe0) != 0xe0)
		xfeatures_mask &= ~0xe0ULL;
	if (!(xfeatures_mask & 4))
		xfeatures_mask &= 3;
	xsave_size = 576;
	for (u32 i = 2; i < 8; i++) {
		if (!(xfeatures_mask >> i & 1))
			continue;
		cpuid(13, i, &a, &b, &c, &d);
		if (b + a > xsave_size)
			xsave_size = b + a;
	}
}

void x86_detect_cpu(void)
{
	read_vendor();
	read_features();
	read_xstate();
	pte_nx_bit = cpu_has(X86_FEATURE_NX) ? X86_PTE_NX : 0;
	pte_global_bit = cpu_has(X86_FEATURE_PGE) ? X86_PTE_G : 0;
	pte_has_1g = cpu_has(X86_FEATURE_GBPAGES);
}

static void set_gate(unsigned int v, const void *fn, unsigned int ist, unsigned int dpl)
{
	unsigned long a = (unsigned long)fn;

	idt[v] = (struct idt_gate){
		.off_low = (u16)a, .off_mid = (u16)(a >> 16), .off_high = (u32)(a >> 32),
		.selector = KERNEL_CS, .ist = (u8)ist, .type = (u8)(0x8e | dpl << 5),
	};
}

void x86_idt_init(void)
{
	for (unsigned int v = 0; v < 256; v++)
		set_gate(v, vector_stubs + 16 * v, 0, v == VEC_BP || v == VEC_OF ? 3 : 0);
}

/* Once the boot CPU's IST stacks are mapped. */
static void idt_use_ist(void)
{
	set_gate(VEC_DF, ist_stub_df, IST_DF, 0);
	set_gate(VEC_NMI, ist_stub_nmi, IST_NMI, 0);
	set_gate(VEC_MC, ist_stub_mc, IST_MC, 0);
	set_gate(VEC_DB, ist_stub_db, IST_DB, 0);
}

struct table_ptr {
	u16 limit;
	unsigned long base;
} __packed;

/* GDT, TSS and IDT of this CPU; GS base already is CPU's per-CPU distance. */
void x86_cpu_tables(unsigned int cpu)
{
	u64 *g = this_cpu_ptr(&gdt[0]);
	struct tss *t = this_cpu_ptr(&cpu_tss);
	unsigned long ta = (unsigned long)t;
	struct table_ptr gp = { GDT_ENTRIES * 8 - 1, (unsigned long)g };
	struct table_ptr ip = { sizeof(idt) - 1, (unsigned long)idt };

	g[2] = 0x00af9b000000ffff;	/* kernel code */
	g[3] = 0x00cf93000000ffff;	/* kernel data */
	g[4] = 0x00cffb000000ffff;	/* user 32-bit code */
	g[5] = 0x00cff3000000ffff;	/* user data */
	g[6] = 0x00affb000000ffff;	/* user code */
	g[GDT_CPUNUMBER / 8] = 0x0040f50000000000 | (cpu & 0xfff);
	g[GDT_TSS / 8] = (sizeof(*t) - 1) | (ta & 0xffffff) << 16 | 0x89ULL << 40 | (ta >> 24 & 0xff) << 56;
	g[GDT_TSS / 8 + 1] = ta >> 32;
	t->iomap_base = sizeof(*t);
	__asm__ volatile("lgdt %0" : : "m"(gp));
	__asm__ volatile("lidt %0" : : "m"(ip));
	__asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:" : : "i"(KERNEL_CS) : "rax", "memory");
	__asm__ volatile("movl %0, %%ss; movl %1, %%ds; movl %1, %%es" : : "r"(KERNEL_DS), "r"(0));
	__asm__ volatile("ltr %w0" : : "r"(GDT_TSS));
	__asm__ volatile("lldt %w0" : : "r"(0));
}

/* CPU's IST stacks are mapped: use them. */
void x86_use_ist(unsigned int cpu)
{
	struct tss *t = this_cpu_ptr(&cpu_tss);

	for (unsigned int i = IST_DF; i < IST_COUNT; i++) {
		unsigned long top = IST_TOP(cpu, i) - 16;

		*(unsigned long *)top = __per_cpu_offset[cpu];	/* what the stubs load into GS */
		t->ist[i - 1] = top;
	}
	if (cpu == 0)
		idt_use_ist();
}

static void init_xstate(void)
{
	if (!cpu_has(X86_FEATURE_XSAVE))
		return;
	__asm__ volatile("xsetbv" : : "c"(0), "a"((u32)xfeatures_mask), "d"((u32)(xfeatures_mask >> 32)));
}

/* Control registers and MSRs, the same on each CPU. */
void x86_cpu_registers(void)
{
	unsigned long cr4 = CR4_PAE | CR4_DE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	u64 efer = rdmsr(MSR_EFER) | EFER_SCE;

	if (cpu_has(X86_FEATURE_PGE))
		cr4 |= CR4_PGE;
	if (cpu_has(X86_FEATURE_UMIP))
		cr4 |= CR4_UMIP;
	if (cpu_has(X86_FEATURE_FSGSBASE))
		cr4 |= CR4_FSGSBASE;
	if (cpu_has(X86_FEATURE_XSAVE))
		cr4 |= CR4_OSXSAVE;
	if (cpu_has(X86_FEATURE_SMEP))
		cr4 |= CR4_SMEP;
	if (cpu_has(X86_FEATURE_SMAP))
		cr4 |= CR4_SMAP;
	if (cpu_has(X86_FEATURE_PCID))
		cr4 |= CR4_PCIDE;
	write_cr4(cr4);
	/* A loader of the 64-bit protocol need not have set it: without it the kernel writes through read-only pages. */
	write_cr0(read_cr0() | CR0_WP);
	init_xstate();
	if (cpu_has(X86_FEATURE_NX))
		efer |= EFER_NX;
	wrmsr(MSR_EFER, efer);
	wrmsr(MSR_STAR, (u64)USER32_CS << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)entry_syscall);
	wrmsr(MSR_CSTAR, (u64)entry_syscall32);
	wrmsr(MSR_SFMASK, X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_IF | X86_EFLAGS_IOPL | X86_EFLAGS_AC |
	      X86_EFLAGS_NT | X86_EFLAGS_RF);
	if (cpu_has(X86_FEATURE_PAT))
		wrmsr(MSR_PAT, 0x0007010600070106ULL);	/* PWT alone: write-combining */
	if (cpu_has(X86_FEATURE_RDTSCP))
		wrmsr(MSR_TSC_AUX, this_cpu_read(__cpu_number));
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	wrmsr(MSR_FS_BASE, 0);
}

/* hlt right behind sti: an interrupt is taken only after hlt began, so none is slept through. */
void arch_cpu_idle(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

void arch_cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

bool arch_random_u64(u64 *out)
{
	bool ok = false;

	if (cpu_has(X86_FEATURE_RDSEED))
		for (int i = 0; i < 10 && !ok; i++)
			__asm__ volatile("rdseed %0" : "=r"(*out), "=@ccc"(ok));
	if (!ok && cpu_has(X86_FEATURE_RDRAND))
		for (int i = 0; i < 10 && !ok; i++)
			__asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
	return ok;
}
