// SPDX-License-Identifier: MIT
/*
 * SVM: on and off, and small guests of a page in real mode, in nested page tables of the test's own.
 */
#include <abi/errno.h>
#include <alloc/page.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/ktest.h>
#include <kernel/preempt.h>
#include <lib/string.h>
#include <sched/sched.h>
#include <asm/svm.h>
#include "arch/x86_64/kvm_npt.h"
#include "arch/x86_64/kvm_svm.h"
#include "arch/x86_64/test/kvm_guest.h"
#include "arch/x86_64/x86_priv.h"

#define GUEST_AT 0x1000UL	/* not a page: the guest's code, at the second page of its memory */
#define NPT_RWXU 7UL

/* One guest: its VMCB, the host's page, nested tables of four levels, a page of memory. */
static struct {
	struct vmcb *vmcb;
	void *host, *io, *msr;
	u64 *level[4];
	u8 *memory;
	struct svm_world world;
} g;

static bool guest_memory(void)
{
	g.vmcb = (void *)get_zeroed_page(GFP_KERNEL);
	g.host = (void *)get_zeroed_page(GFP_KERNEL);
	g.io = (void *)__get_free_pages(GFP_KERNEL, 2);
	g.msr = (void *)__get_free_pages(GFP_KERNEL, 1);
	g.memory = (void *)get_zeroed_page(GFP_KERNEL);
	for (int i = 0; i < 4; i++)
		g.level[i] = (void *)get_zeroed_page(GFP_KERNEL);
	return g.vmcb && g.host && g.io && g.msr && g.memory && g.level[0] && g.level[1] &&
	       g.level[2] && g.level[3];
}

void test_guest_end(void)
{
	free_page((unsigned long)g.vmcb);
	free_page((unsigned long)g.host);
	free_pages((unsigned long)g.io, 2);
	free_pages((unsigned long)g.msr, 1);
	free_page((unsigned long)g.memory);
	for (int i = 0; i < 4; i++)
		free_page((unsigned long)g.level[i]);
	memset(&g, 0, sizeof(g));
}

static struct vmcb_segment real_segment(u16 attrib)
{
	return (struct vmcb_segment){ .attrib = attrib, .limit = 0xffff };
}

/* A guest in real mode that runs CODE of N bytes. */
bool test_guest_begin(const char *code, size_t n)
{
	struct vmcb *v;

	if (!guest_memory())
		return false;
	memcpy(g.memory, code, n);
	memset(g.io, 0xff, 4 * PAGE_SIZE);
	memset(g.msr, 0xff, 2 * PAGE_SIZE);
	for (int i = 0; i < 3; i++)
		g.level[i][0] = virt_to_phys(g.level[i + 1]) | NPT_RWXU;
	g.level[3][GUEST_AT / PAGE_SIZE] = virt_to_phys(g.memory) | NPT_RWXU;
	v = g.vmcb;
	v->control.iopm_pa = virt_to_phys(g.io);
	v->control.msrpm_pa = virt_to_phys(g.msr);
	v->control.asid = 1;
	v->control.tlb_control = TLB_FLUSH_ALL;
	v->control.int_ctl = V_INTR_MASKING;
	v->control.nested_ctl = NESTED_PAGING;
	v->control.nested_cr3 = virt_to_phys(g.level[0]);
	vmcb_intercept(v, VMCB_I_INTR);
	vmcb_intercept(v, VMCB_I_NMI);
	vmcb_intercept(v, VMCB_I_CPUID);
	vmcb_intercept(v, VMCB_I_HLT);
	vmcb_intercept(v, VMCB_I_IOIO);
	vmcb_intercept(v, VMCB_I_MSR);
	vmcb_intercept(v, VMCB_I_SHUTDOWN);
	vmcb_intercept(v, VMCB_I_VMRUN);
	vmcb_intercept(v, VMCB_I_VMMCALL);
	v->save.cs = real_segment(0x9b);
	v->save.ds = v->save.es = v->save.ss = v->save.fs = v->save.gs = real_segment(0x93);
	v->save.gdtr.limit = v->save.idtr.limit = 0xffff;
	v->save.ldtr = (struct vmcb_segment){ .attrib = 0x82, .limit = 0xffff };
	v->save.tr = (struct vmcb_segment){ .attrib = 0x8b, .limit = 0xffff };
	v->save.efer = EFER_SVME;
	v->save.cr0 = 0x10;
	v->save.dr6 = 0xffff0ff0;
	v->save.dr7 = 0x400;
	v->save.rflags = 2;
	v->save.rip = GUEST_AT;
	v->save.g_pat = 0x0007040600070406ULL;
	g.world.vmcb_pa = virt_to_phys(v);
	g.world.host_pa = virt_to_phys(g.host);
	return true;
}

struct svm_world *test_guest_world(void)
{
	return &g.world;
}

/* Enters it; LEN is the length of the instruction that it left at the last time. */
static u64 guest_run(unsigned int len)
{
	unsigned long flags;

	g.vmcb->save.rip += len;
	preempt_disable();
	local_irq_save(flags);
	svm_run(&g.world);
	local_irq_restore(flags);
	preempt_enable();
	return g.vmcb->control.exit_code;
}

/* Interrupts of the host may come between; each lets the guest go on where it was. */
static u64 guest_run_to_exit(unsigned int len)
{
	u64 code;

	do {
		code = guest_run(len);
		len = 0;
	} while (code == SVM_EXIT_INTR || code == SVM_EXIT_NMI);
	return code;
}

static bool have_svm(void)
{
	return !svm_refusal(svm_machine());
}

KTEST(kvm_svm_refusals)
{
	struct svm_cpu good = { .amd = true, .svm = true, .asids = 2, .features = SVM_HAS_NPT }, c;

	KT_ASSERT(!svm_refusal(&good));
	c = good, c.amd = false;
	KT_ASSERT(!strcmp(svm_refusal(&c), "CPUs of this vendor are not supported"));
	c = good, c.svm = false;
	KT_ASSERT(!strcmp(svm_refusal(&c), "the CPU has no SVM"));
	c = good, c.vm_cr = VM_CR_SVMDIS;
	KT_ASSERT(!strcmp(svm_refusal(&c), "SVM is switched off by the firmware"));
	c.vm_cr |= VM_CR_LOCK;
	KT_ASSERT(!strcmp(svm_refusal(&c), "SVM is switched off and locked by the firmware"));
	c.vm_cr = VM_CR_LOCK;
	KT_ASSERT(!svm_refusal(&c));
	c = good, c.features = ~SVM_HAS_NPT;
	KT_ASSERT(!strcmp(svm_refusal(&c), "the CPU has no nested paging"));
	c = good, c.asids = 1;
	KT_ASSERT(!strcmp(svm_refusal(&c), "the CPU has no address space identifiers for guests"));
}

static unsigned int on;			/* atomic: CPUs with SVM on and a page for the host */

static void count_on(void *unused)
{
	if (rdmsr(MSR_EFER) & EFER_SVME && rdmsr(MSR_VM_HSAVE_PA))
		__atomic_fetch_add(&on, 1, __ATOMIC_RELAXED);
}

static unsigned int cpus_on(void)
{
	on = 0;
	on_each_cpu(count_on, NULL, true);
	return on;
}

static void set_svme(void *set)
{
	wrmsr(MSR_EFER, (rdmsr(MSR_EFER) & ~EFER_SVME) | (set ? EFER_SVME : 0));
}

KTEST(kvm_svm_on_while_used)
{
	unsigned int cpus = 0, cpu;

	if (!have_svm())
		KT_SKIP("no SVM");
	for_each_online_cpu(cpu)
		cpus++;
	KT_EQ(cpus_on(), 0);
	KT_EQ(svm_get(), 0);
	KT_EQ(cpus_on(), cpus);
	KT_EQ(svm_get(), 0);
	svm_put();
	KT_EQ(cpus_on(), cpus);
	svm_put();
	KT_EQ(cpus_on(), 0);
	/* Somebody else has it on, on one CPU: all are as they were. */
	KT_EQ(smp_call_function_single((int)cpus - 1, set_svme, &on, true), 0);
	KT_EQ(svm_get(), -EBUSY);
	KT_EQ(cpus_on(), 0);
	KT_EQ(smp_call_function_single((int)cpus - 1, set_svme, NULL, true), 0);
	KT_EQ(svm_get(), 0);
	KT_EQ(cpus_on(), cpus);
	svm_put();
}

/*
 * As before a reset: SVM is off and interrupts arrive, even where the global interrupt flag was
 * clear.
 */
KTEST(kvm_svm_off_before_reset)
{
	unsigned long flags;
	u64 after;

	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(svm_get(), 0);
	preempt_disable();
	local_irq_save(flags);
	__asm__ volatile("clgi" : : : "memory");
	x86_svm_off();
	after = rdmsr(MSR_EFER);
	set_svme(&on);			/* the flag is seen again */
	local_irq_restore(flags);
	preempt_enable();
	schedule_timeout_uninterruptible(1);	/* for ever, if this CPU's timer had no interrupt */
	KT_ASSERT(!(after & EFER_SVME));
	svm_put();
}

/* mov $0x12345678, %eax; out %al, $0x80; cpuid; inc %ebx; vmmcall; hlt */
static const char four_exits[] = "\x66\xb8\x78\x56\x34\x12"
				 "\xe6\x80"
				 "\x0f\xa2"
				 "\x66\x43"
				 "\x0f\x01\xd9"
				 "\xf4";

KTEST(kvm_svm_exits_and_registers)
{
	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(svm_get(), 0);
	KT_ASSERT(test_guest_begin(four_exits, sizeof(four_exits) - 1));
	for (unsigned int i = 0; i < 16; i++)
		g.world.regs[i] = 0x1111111111111111ULL * i;
	g.vmcb->save.rsp = 0x7700;
	KT_EQ(guest_run_to_exit(0), SVM_EXIT_IOIO);
	/* port 80h, one byte, out; address size 64: see below */
	/*
	 * Port 80h, one byte, out. Whether it tells the size of addresses too (bits 7 to 9) is the
	 * CPU's business.
	 */
	KT_EQ(g.vmcb->control.exit_info1 & ~0x380ULL, 0x80 << 16 | 1 << 4);
	KT_EQ(g.vmcb->control.exit_info2, GUEST_AT + 8);
	KT_EQ((u32)g.vmcb->save.rax, 0x12345678);
	KT_EQ(guest_run_to_exit(2), SVM_EXIT_CPUID);
	KT_EQ(guest_run_to_exit(2), SVM_EXIT_VMMCALL);
	KT_EQ(guest_run_to_exit(3), SVM_EXIT_HLT);
	KT_EQ(g.vmcb->save.rip, GUEST_AT + sizeof(four_exits) - 2);
	KT_EQ(g.vmcb->save.rsp, 0x7700);
	for (unsigned int i = 0; i < 16; i++)
		if (i == 3)
			KT_EQ(g.world.regs[i], 0x33333334);	/* inc %ebx: 32 bits */
		else
			KT_EQ(g.world.regs[i], 0x1111111111111111ULL * i);
	test_guest_end();
	svm_put();
}

/* jmp . */
static const char for_ever[] = "\xeb\xfe";

/* The guest has interrupts off, and never leaves by itself. */
KTEST(kvm_svm_interrupts_end_a_guest)
{
	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(svm_get(), 0);
	KT_ASSERT(test_guest_begin(for_ever, sizeof(for_ever) - 1));
	for (int i = 0; i < 5; i++)
		KT_EQ(guest_run(0), SVM_EXIT_INTR);
	KT_EQ(g.vmcb->save.rip, GUEST_AT);
	test_guest_end();
	svm_put();
}

/* mov 0x2345, %al; hlt */
static const char reads_far[] = "\xa0\x45\x23"
				"\xf4";

KTEST(kvm_svm_nested_fault)
{
	u8 *more;

	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(svm_get(), 0);
	KT_ASSERT(test_guest_begin(reads_far, sizeof(reads_far) - 1));
	KT_EQ(guest_run_to_exit(0), SVM_EXIT_NPF);
	/* a user's, as all of a guest's; nothing was there */
	KT_EQ(g.vmcb->control.exit_info1, NPF_FINAL | 4);
	KT_EQ(g.vmcb->control.exit_info2, 0x2345);
	KT_EQ(g.vmcb->save.rip, GUEST_AT);
	more = (void *)get_zeroed_page(GFP_KERNEL);
	KT_ASSERT(more);
	more[0x345] = 0x5a;
	g.level[3][2] = virt_to_phys(more) | NPT_RWXU;
	KT_EQ(guest_run_to_exit(0), SVM_EXIT_HLT);
	KT_EQ(g.vmcb->save.rax & 0xff, 0x5a);
	free_page((unsigned long)more);
	test_guest_end();
	svm_put();
}

/* hlt */
static const char halts[] = "\xf4";

static const u32 switched[] = { MSR_EFER,   MSR_STAR,	 MSR_LSTAR,   MSR_CSTAR,
				MSR_SFMASK, MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
				0x174,	    0x175,	 0x176,	      MSR_PAT };

struct host_state {
	u64 msr[ARRAY_SIZE(switched)], cr0, cr3, cr4, flags;
	u8 gdtr[10], idtr[10];
	u16 seg[6];
};

static void host_state(struct host_state *h)
{
	memset(h, 0, sizeof(*h));
	for (unsigned int i = 0; i < ARRAY_SIZE(switched); i++)
		h->msr[i] = rdmsr(switched[i]);
	h->cr0 = read_cr0();
	h->cr3 = read_cr3();
	h->cr4 = read_cr4();
	__asm__ volatile("sgdt %0; sidt %1" : "=m"(h->gdtr), "=m"(h->idtr));
	__asm__ volatile("str %0; sldt %1" : "=m"(h->seg[0]), "=m"(h->seg[1]));
	__asm__ volatile("movw %%fs, %0; movw %%gs, %1; movw %%ss, %2; movw %%ds, %3"
			 : "=m"(h->seg[2]), "=m"(h->seg[3]), "=m"(h->seg[4]), "=m"(h->seg[5]));
	__asm__ volatile("pushfq; popq %0" : "=r"(h->flags));
	h->flags &= ~0x8d5ULL;		/* of arithmetic */
}

/* The guest has other values in all that is switched; what it has comes back too. */
KTEST(kvm_svm_host_state_stays)
{
	struct host_state before, after;
	struct vmcb_save *s;
	unsigned long flags;
	u64 code;

	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(svm_get(), 0);
	KT_ASSERT(test_guest_begin(halts, sizeof(halts) - 1));
	s = &g.vmcb->save;
	s->fs.base = 0x1230000;
	s->gs.base = 0x4560000;
	s->kernel_gs_base = 0x7890000;
	s->star = 0x1111222200000000;
	s->lstar = 0x333333;
	s->cstar = 0x444444;
	s->sfmask = 0x555;
	s->sysenter_cs = 0x66;
	s->sysenter_esp = 0x777777;
	s->sysenter_eip = 0x888888;
	s->g_pat = 0x0606060606060606;
	preempt_disable();
	local_irq_save(flags);
	host_state(&before);
	do {
		svm_run(&g.world);
		host_state(&after);
		code = g.vmcb->control.exit_code;
		local_irq_restore(flags);
		local_irq_save(flags);
	} while (code == SVM_EXIT_INTR);
	local_irq_restore(flags);
	preempt_enable();
	KT_EQ(code, SVM_EXIT_HLT);
	for (unsigned int i = 0; i < ARRAY_SIZE(switched); i++)
		KT_EQ(after.msr[i], before.msr[i]);
	KT_ASSERT(!memcmp(&before, &after, sizeof(before)));
	KT_EQ(s->fs.base, 0x1230000);
	KT_EQ(s->gs.base, 0x4560000);
	KT_EQ(s->kernel_gs_base, 0x7890000);
	KT_EQ(s->star, 0x1111222200000000);
	KT_EQ(s->sysenter_eip, 0x888888);
	test_guest_end();
	svm_put();
}

/* mov $0x55, %al; mov %al, 0x2345; hlt */
static const char writes_far[] = "\xb0\x55"
				 "\xa2\x45\x23"
				 "\xf4";
static unsigned int wrote;

static void no_flush(void *arg)
{
}  /* each entry of guest_run() flushes */
static void count_written(void *arg, u64 gfn, unsigned int level, u64 entry)
{
	wrote += gfn == 2 && !level;
}

static int npt_give(struct npt *t, u64 gfn, void *page, unsigned int rights)
{
	struct npt_cache c = { 0 };
	int e = npt_cache_fill(&c, t);

	if (!e) {
		read_lock(&t->lock);
		e = npt_map(t, gfn, virt_to_phys(page) >> PAGE_SHIFT, 0, rights, &c);
		read_unlock(&t->lock);
	}
	npt_cache_drop(&c);
	return e;
}

/*
 * The CPU walks kvm_npt.c's tables: rights are heeded, use and writes are marked, what was zapped
 * is gone.
 */
KTEST(kvm_npt_under_a_guest)
{
	static const struct npt_zap_ops ops = { .flush = no_flush, .written = count_written };
	struct npt t;
	u8 *more;

	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(svm_get(), 0);
	KT_ASSERT(test_guest_begin(writes_far, sizeof(writes_far) - 1));
	KT_EQ(npt_init(&t), 0);
	more = (void *)get_zeroed_page(GFP_KERNEL);
	KT_ASSERT(more);
	wrote = 0;
	g.vmcb->control.nested_cr3 = virt_to_phys(t.root);
	KT_EQ(guest_run_to_exit(0), SVM_EXIT_NPF);
	KT_EQ(g.vmcb->control.exit_info2, GUEST_AT);
	KT_EQ(npt_give(&t, 1, g.memory, NPT_EXEC), 0);
	KT_EQ(guest_run_to_exit(0), SVM_EXIT_NPF);
	KT_EQ(g.vmcb->control.exit_info2, 0x2345);
	KT_EQ(g.vmcb->control.exit_info1, NPF_FINAL | 6); /* a user's write; nothing was there */
	KT_EQ(npt_give(&t, 2, more, 0), 0);
	KT_EQ(guest_run_to_exit(0), SVM_EXIT_NPF);
	KT_EQ(g.vmcb->control.exit_info1, NPF_FINAL | 7);	/* something was */
	KT_EQ(npt_give(&t, 2, more, NPT_WRITE), 0);
	npt_young(&t, 2, 1, true);
	KT_EQ(guest_run_to_exit(0), SVM_EXIT_HLT);
	KT_EQ(more[0x345], 0x55);
	KT_ASSERT(npt_young(&t, 2, 1, true));
	KT_ASSERT(npt_protect(&t, 2, 1, &ops, NULL));
	g.vmcb->save.rip = GUEST_AT;
	KT_EQ(guest_run_to_exit(0), SVM_EXIT_NPF);
	KT_EQ(g.vmcb->control.exit_info1, NPF_FINAL | 7);
	KT_ASSERT(npt_zap(&t, 0, 100, &ops, NULL));
	KT_EQ(wrote, 1);
	KT_EQ(guest_run_to_exit(0), SVM_EXIT_NPF);
	npt_destroy(&t);
	free_page((unsigned long)more);
	test_guest_end();
	svm_put();
}
