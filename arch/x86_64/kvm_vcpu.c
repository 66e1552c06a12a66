// SPDX-License-Identifier: MIT
/*
 * A vCPU on AMD's SVM: its life, the state after reset, and how it comes onto a CPU and into its
 * guest (kvm/cpu.h). Exits: kvm_exit.c.
 *
 * Who restores what of the host: VMRUN, VMLOAD and VMSAVE see kvm_enter.S; XCR0 and the debug
 * registers are put back here, behind each exit; TSC_AUX, which the kernel does not read, when the
 * vCPU leaves the CPU; the FPU at the end of KVM_RUN.
 */
#include <abi/errno.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/cpu.h>
#include <arch/fpu.h>
#include <arch_cpu/thread.h>
#include <kernel/bug.h>
#include <kernel/irq.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <asm/svm.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_watch.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

/* ---- address space identifiers ---- */

/* Preemption is off: which identifiers of this CPU are used since it last forgot all. */
struct asids {
	u64 generation;			/* from 1 on */
	u32 next;
};
static DEFINE_PER_CPU(struct asids, asids);

/*
 * One that nothing on this CPU is remembered for. Those of vCPUs that are gone are used again only
 * when all have run out, and the CPU then forgets everything.
 */
static void new_asid(struct kvm_cpu_vcpu *a)
{
	struct asids *s = this_cpu_ptr(&asids);

	a->vmcb->control.tlb_control = TLB_KEEP;
	if (!s->generation || s->next >= svm_machine()->asids) {
		s->generation++;
		s->next = 1;
		a->vmcb->control.tlb_control = TLB_FLUSH_ALL;
	}
	a->vmcb->control.asid = s->next++;
	a->asid_generation = s->generation;
	a->asid_cpu = (int)raw_smp_processor_id();
}

static void update_asid(struct kvm_cpu_vcpu *a)
{
	if (a->asid_cpu != (int)raw_smp_processor_id() ||
	    a->asid_generation != this_cpu_read(asids.generation))
		new_asid(a);
	else if (a->flush)
		new_asid(a);
	a->flush = false;
}

/* ---- control registers as the hardware has them ---- */

static u64 host_cr4(void)
{
	return read_cr4() & CR4_MCE;	/* a machine check is the host's */
}

u64 kvm_vcpu_cr0(const struct kvm_cpu_vcpu *a)
{
	u64 own = GUEST_CR0_TS | GUEST_CR0_MP;

	return (a->cr0 & ~own) | (a->vmcb->save.cr0 & own);
}

void kvm_vcpu_control(struct kvm_cpu_vcpu *a)
{
	struct vmcb *b = a->vmcb;

	b->save.cr0 = a->cr0 & ~(GUEST_CR0_CD | GUEST_CR0_NW);	/* caches are the host's */
	/* What the guest would read is not what it wrote. */
	if (b->save.cr0 != a->cr0)
		b->control.intercept_cr |= 1U;
	else
		b->control.intercept_cr &= ~1U;
	b->save.cr4 = a->cr4 | host_cr4();
	b->save.efer = a->efer | EFER_SVME;
}

/* ---- lives ---- */

static DEFINE_MUTEX(maps_lock);
static u8 *io_map, *msr_map;		/* maps_lock; constant once there: never freed */

#define IO_MAP_ORDER 2

/* MSRs that the guest has for itself, in its VMCB. */
static const u32 own_msrs[] = { MSR_STAR,    MSR_LSTAR,	  MSR_CSTAR,	     MSR_SFMASK,
				MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE };

/* Two bits each, to read and to write; C000_0000h and up from byte 800h on (APM 2, 15.11). */
void kvm_vcpu_fill_msr_map(u8 *map, const struct msr_filter *f)
{
	memset(map, 0xff, PAGE_SIZE << KVM_MSR_MAP_ORDER);
	for (unsigned int i = 0; i < ARRAY_SIZE(own_msrs); i++) {
		u32 bit = (own_msrs[i] & 0x1fff) * 2;
		u32 free = (kvm_msr_filter_allows(f, own_msrs[i], false) ? 1U : 0) |
			   (kvm_msr_filter_allows(f, own_msrs[i], true) ? 2U : 0);

		map[0x800 + bit / 8] &= (u8) ~(free << bit % 8);
	}
}

void kvm_vcpu_msrs_request(struct kvm_vcpu *v)
{
	const struct msr_filter *f = smp_load_acquire(&v->vm->cpu->msr_filter);

	v->arch->vmcb->control.msrpm_pa = virt_to_phys(f ? kvm_msr_filter_map(f) : msr_map);
}

static int make_maps(void)
{
	u8 *io, *msr;

	if (msr_map)
		return 0;
	io = (u8 *)__get_free_pages(GFP_KERNEL, IO_MAP_ORDER);
	msr = (u8 *)__get_free_pages(GFP_KERNEL, KVM_MSR_MAP_ORDER);
	if (!io || !msr) {
		free_pages((unsigned long)io, IO_MAP_ORDER);
		free_pages((unsigned long)msr, KVM_MSR_MAP_ORDER);
		return -ENOMEM;
	}
	memset(io, 0xff, PAGE_SIZE << IO_MAP_ORDER);
	kvm_vcpu_fill_msr_map(msr, NULL);
	io_map = io;
	msr_map = msr;
	return 0;
}

static const u8 intercepted[] = {
	VMCB_I_INTR,	VMCB_I_NMI,    VMCB_I_SMI,     VMCB_I_INIT,	VMCB_I_CR0_SEL,
	VMCB_I_RDPMC,	VMCB_I_CPUID,  VMCB_I_INVD,    VMCB_I_HLT,	VMCB_I_INVLPGA,
	VMCB_I_IOIO,	VMCB_I_MSR,    VMCB_I_TASK,    VMCB_I_SHUTDOWN, VMCB_I_VMRUN,
	VMCB_I_VMMCALL, VMCB_I_VMLOAD, VMCB_I_VMSAVE,  VMCB_I_STGI,	VMCB_I_CLGI,
	VMCB_I_SKINIT,	VMCB_I_WBINVD, VMCB_I_MONITOR, VMCB_I_MWAIT,	VMCB_I_XSETBV,
	VMCB_I_RDPRU,	VMCB_I_RSM,
};

static void set_intercepts(struct vmcb *b)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(intercepted); i++)
		vmcb_intercept(b, intercepted[i]);
	b->control.intercept_cr = 1U << 4 | 1U << 8 | (1U << 4 | 1U << 8) << 16;
	b->control.intercept_dr = 0xffffffff;
	/* A guest can make a CPU deliver #AC or #DB without end, deaf to the host's interrupts. */
	b->control.intercept_exceptions = 1U << VEC_MC | 1U << VEC_AC | 1U << VEC_DB;
	b->control.int_ctl = V_INTR_MASKING;
	b->control.iopm_pa = virt_to_phys(io_map);
	b->control.msrpm_pa = virt_to_phys(msr_map);
}

static struct vmcb_segment real_segment(u16 attrib)
{
	return (struct vmcb_segment){ .attrib = attrib, .limit = 0xffff };
}

/* APM 2, table 14-1: what RESET and INIT have in common */
static void reset_common(struct kvm_cpu_vcpu *a)
{
	struct vmcb_save *s = &a->vmcb->save;

	s->cs = real_segment(0x9b);
	s->cs.selector = 0xf000;
	s->cs.base = 0xffff0000;
	s->ds = s->es = s->ss = s->fs = s->gs = real_segment(0x93);
	s->gdtr.limit = s->idtr.limit = 0xffff;
	s->ldtr = real_segment(0x82);
	s->tr = real_segment(0x8b);
	s->rip = 0xfff0;
	s->rflags = 2;
	s->dr6 = 0xffff0ff0;
	s->dr7 = 0x400;
	a->world.regs[GUEST_RDX] = 0x600;
}

/* Caches, the FPU, MTRRs, PAT and the TSC are as before. */
void kvm_vcpu_init_state(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	struct vmcb_save *s = &a->vmcb->save;

	memset(a->world.regs, 0, sizeof(a->world.regs));
	memset(a->dr, 0, sizeof(a->dr));
	s->rax = s->rsp = s->cr2 = s->cr3 = 0;
	s->cpl = 0;
	s->gdtr.base = s->idtr.base = 0;
	reset_common(a);
	a->cr0 = (a->cr0 & (GUEST_CR0_CD | GUEST_CR0_NW)) | GUEST_CR0_ET;
	a->cr4 = a->efer = 0;
	a->events = (struct kvm_events){ 0 };
	a->nmi_iret = false;
	a->vmcb->control.int_state = 0;
	a->vmcb->control.intercept[VMCB_I_IRET / 32] &= ~(1U << VMCB_I_IRET % 32);
	a->flush = true;
	kvm_vcpu_control(a);
}

static void reset(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	reset_common(a);
	a->vmcb->save.g_pat = 0x0007040600070406ULL;
	a->cr0 = GUEST_CR0_CD | GUEST_CR0_NW | GUEST_CR0_ET;
	a->xcr0 = 1;
	a->apic_base = 0xfee00000 | 1 << 11 | (v->id ? 0 : 1 << 8);
	a->mp_state = KVM_MP_STATE_RUNNABLE;
	a->misc_enable = 1;
	kvm_vcpu_control(a);
}

void kvm_cpu_vcpu_free(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	if (!a)
		return;
	kvm_apic_free(v);
	kvm_clock_leave(v);
	guest_fpu_free(a->fpu);
	free_page((unsigned long)a->vmcb);
	free_page((unsigned long)a->host);
	kvfree(a->cpuid);
	kvfree(a);
	v->arch = NULL;
}

int kvm_cpu_vcpu_new(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = kvzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	int e;

	v->arch = a;
	if (!a)
		return -ENOMEM;
	a->v = v;
	kvm_apic_init(v);
	mutex_lock(&maps_lock);
	e = make_maps();
	mutex_unlock(&maps_lock);
	a->vmcb = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	a->host = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	a->fpu = guest_fpu_alloc();
	if (e || !a->vmcb || !a->host || !a->fpu) {
		kvm_cpu_vcpu_free(v);
		return -ENOMEM;
	}
	a->asid_cpu = -1;
	a->world.vmcb_pa = virt_to_phys(a->vmcb);
	a->world.host_pa = virt_to_phys(a->host);
	a->vmcb->control.nested_ctl = NESTED_PAGING;
	a->vmcb->control.nested_cr3 = virt_to_phys(v->vm->cpu->npt.root);
	set_intercepts(a->vmcb);
	reset(v);
	kvm_mce_init(a);
	kvm_clock_join(v);
	return 0;
}

/* ---- onto a CPU, into the guest ---- */

void kvm_cpu_load(struct kvm_vcpu *v)
{
	DEBUG_ON(!preempt_count());
	if (cpu_has(X86_FEATURE_RDTSCP))
		wrmsr(MSR_TSC_AUX, v->arch->tsc_aux);
}

void kvm_cpu_unload(struct kvm_vcpu *v)
{
	if (cpu_has(X86_FEATURE_RDTSCP))
		wrmsr(MSR_TSC_AUX, raw_smp_processor_id());
	x86_guest_was_here();
}

static void write_dr(const u64 *dr)
{
	__asm__ volatile("movq %0, %%dr0" : : "r"(dr[0]));
	__asm__ volatile("movq %0, %%dr1" : : "r"(dr[1]));
	__asm__ volatile("movq %0, %%dr2" : : "r"(dr[2]));
	__asm__ volatile("movq %0, %%dr3" : : "r"(dr[3]));
}

static void write_xcr0(u64 x)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((u32)x), "d"((u32)(x >> 32)) : "memory");
}

/* #VMEXIT has cleared DR7. */
static void restore_breakpoints(void)
{
	const struct arch_thread *t = &current->thread;
	u64 dr[4];

	if (!(t->rare & THREAD_DEBUG))
		return;
	for (unsigned int i = 0; i < 4; i++)
		dr[i] = t->debugreg[i];
	write_dr(dr);
	__asm__ volatile("movq %0, %%dr7" : : "r"(t->dr7 & DR7_USED));
}

void kvm_cpu_enter(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	bool xsave = cpu_has(X86_FEATURE_XSAVE) && a->xcr0 != xfeatures_mask;

	DEBUG_ON(!irqs_disabled() || !preempt_count());
	DEBUG_ON(!(rdmsr(MSR_EFER) & EFER_SVME));
	update_asid(a);
	kvm_watch_enter(a);
	__asm__ volatile("movq %0, %%dr7" : : "r"(0x400UL));
	if (a->vmcb->save.dr7 & 0xff)
		write_dr(kvm_debug_dr(a));
	__asm__ volatile("clgi" : : : "memory");
	if (xsave)
		write_xcr0(a->xcr0);
	kvm_svm_enter(&a->world);
	if (xsave)
		write_xcr0(xfeatures_mask);
	restore_breakpoints();
	__asm__ volatile("stgi" : : : "memory");
	a->vmcb->control.tlb_control = TLB_KEEP;
	kvm_watch_exit(a);
}

bool kvm_cpu_runnable(const struct kvm_vcpu *v)
{
	return READ_ONCE(v->arch->mp_state) == KVM_MP_STATE_RUNNABLE ||
	       READ_ONCE(v->requests) >> KVM_REQUESTS_CPU;
}
