// SPDX-License-Identifier: MIT
/*
 * AMD's SVM switched on and off (AMD APM vol. 2, 15.4 and 15.30.1), and one entry into a guest.
 *
 * A CPU with SVM on blocks INIT while its global interrupt flag is clear, and believes what
 * VM_HSAVE_PA says: so it is on only while there are guests, and is switched off before a reset
 * (x86_svm_off()).
 */
#include <abi/errno.h>
#include <alloc/page.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <lib/atomic.h>
#include <lib/string.h>
#include <sched/mutex.h>
#include "arch/x86_64/kvm_svm.h"
#include "arch/x86_64/x86_priv.h"

static DEFINE_MUTEX(svm_lock);
static unsigned int svm_users;			/* svm_lock */
/* svm_lock: where the CPU keeps the host's state while a guest runs */
static DEFINE_PER_CPU(struct page *, host_save);
static atomic_t svm_busy;	  /* svm_lock, and the CPUs of one enabling: those that had it on */

const char *svm_refusal(const struct svm_cpu *c)
{
	if (!c->amd)
		return "CPUs of this vendor are not supported";
	if (!c->svm)
		return "the CPU has no SVM";
	if (c->vm_cr & VM_CR_SVMDIS)
		return c->vm_cr & VM_CR_LOCK ? "SVM is switched off and locked by the firmware" :
					       "SVM is switched off by the firmware";
	if (!(c->features & SVM_HAS_NPT))
		return "the CPU has no nested paging";
	if (c->asids < 2)
		return "the CPU has no address space identifiers for guests";
	return NULL;
}

const struct svm_cpu *svm_machine(void)
{
	static struct svm_cpu found;		/* the same whoever finds it */
	struct svm_cpu now = { 0 };
	u32 a, b, c, d, max;

	now.amd = !strcmp(cpu_vendor, "AuthenticAMD") || !strcmp(cpu_vendor, "HygonGenuine");
	now.svm = cpu_has(X86_FEATURE_SVM);
	cpuid(0x80000000, 0, &max, &b, &c, &d);
	if (now.svm && max >= 0x8000000a) {
		cpuid(0x8000000a, 0, &a, &now.asids, &c, &now.features);
		if (!rdmsr_safe(MSR_VM_CR, &now.vm_cr))
			now.vm_cr = 0;
	}
	found = now;
	return &found;
}

static void svm_on(void *unused)
{
	u64 efer = rdmsr(MSR_EFER);

	if (efer & EFER_SVME) {
		atomic_inc(&svm_busy);
		return;
	}
	wrmsr(MSR_EFER, efer | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, page_to_phys(this_cpu_read(host_save)));
}

static void svm_off(void *unused)
{
	if (rdmsr(MSR_VM_HSAVE_PA) != page_to_phys(this_cpu_read(host_save)))
		return;		/* somebody else's: see svm_get() */
	wrmsr(MSR_VM_HSAVE_PA, 0);
	x86_svm_off();
}

static void free_pages_of_host(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct page *p = per_cpu(host_save, cpu);

		per_cpu(host_save, cpu) = NULL;
		if (p)
			__free_page(p);
	}
}

static int alloc_pages_of_host(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		per_cpu(host_save, cpu) = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!per_cpu(host_save, cpu)) {
			free_pages_of_host();
			return -ENOMEM;
		}
	}
	return 0;
}

static int switch_on(void)
{
	int e = svm_refusal(svm_machine()) ? -EOPNOTSUPP : alloc_pages_of_host();

	if (e)
		return e;
	atomic_set(&svm_busy, 0);
	on_each_cpu(svm_on, NULL, true);
	if (!atomic_read(&svm_busy))
		return 0;
	on_each_cpu(svm_off, NULL, true);
	free_pages_of_host();
	return -EBUSY;
}

int svm_get(void)
{
	int e = 0;

	mutex_lock(&svm_lock);
	if (!svm_users)
		e = switch_on();
	if (!e)
		svm_users++;
	mutex_unlock(&svm_lock);
	return e;
}

void svm_put(void)
{
	mutex_lock(&svm_lock);
	if (!--svm_users) {
		on_each_cpu(svm_off, NULL, true);
		free_pages_of_host();
	}
	mutex_unlock(&svm_lock);
}

void svm_run(struct svm_world *w)
{
	DEBUG_ON(!irqs_disabled());
	DEBUG_ON(!(rdmsr(MSR_EFER) & EFER_SVME));
	__asm__ volatile("clgi" : : : "memory");
	kvm_svm_enter(w);
	__asm__ volatile("stgi" : : : "memory");
}
