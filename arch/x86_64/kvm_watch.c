// SPDX-License-Identifier: MIT
/*
 * The ring of entries and exits of each CPU (kvm_watch.h). A CPU writes its own with interrupts
 * off; nobody else reads it.
 */
#include "arch/x86_64/kvm_watch.h"
#ifdef CONFIG_DEBUG
#include <kernel/bug.h>
#include <kernel/irq.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include "arch/x86_64/x86_priv.h"

#define EVENTS 16

struct event {
	u64 tsc, rip, cr3, code, info1, info2;
	const struct kvm_cpu_vcpu *vcpu;
	u32 inject, under_way, int_ctl;
	bool exit;
};

struct ring {
	u32 next;			/* counts on */
	struct event events[EVENTS];
};
static DEFINE_PER_CPU(struct ring, ring);

static void note(const struct kvm_cpu_vcpu *a, bool exit)
{
	struct ring *r = this_cpu_ptr(&ring);
	const struct vmcb *b = a->vmcb;

	r->events[r->next++ % EVENTS] = (struct event){
		.tsc = rdtsc_ordered(),
		.rip = b->save.rip,
		.cr3 = b->save.cr3,
		.code = b->control.exit_code,
		.info1 = b->control.exit_info1,
		.info2 = b->control.exit_info2,
		.vcpu = a,
		.inject = b->control.event_inj,
		.under_way = b->control.exit_int_info,
		.int_ctl = b->control.int_ctl,
		.exit = exit,
	};
}

static void show_ring(void)
{
	const struct ring *r = this_cpu_ptr(&ring);

	for (u32 i = 0; i < EVENTS; i++) {
		const struct event *e = &r->events[(r->next + i) % EVENTS];

		if (e->vcpu)
			pr_err("kvm: %llu %s vcpu %p rip %llx cr3 %llx: exit %llx %llx %llx, injected %x, under way %x, int_ctl %x\n",
			       e->tsc, e->exit ? "left" : "entered", e->vcpu, e->rip, e->cr3,
			       e->code, e->info1, e->info2, e->inject, e->under_way, e->int_ctl);
	}
}

static void check(const struct kvm_cpu_vcpu *a, const char *when)
{
	const struct vmcb *b = a->vmcb;
	u64 hsave = rdmsr(MSR_VM_HSAVE_PA);
	bool host = b->save.rip == (u64)(unsigned long)kvm_svm_left;

	if (likely(!host && hsave != a->world.vmcb_pa && hsave != a->world.host_pa &&
		   a->v->cpu == (int)raw_smp_processor_id()))
		return;
	pr_err("kvm: %s vcpu %p on CPU %u (its %d): rip %llx rsp %llx rax %llx cr3 %llx cr0 %llx rflags %llx gdtr %llx cpl %u; vmcb %llx, of the host %llx, hsave %llx; host cr3 %lx\n",
	       when, a, raw_smp_processor_id(), a->v->cpu, b->save.rip, b->save.rsp, b->save.rax,
	       b->save.cr3, b->save.cr0, b->save.rflags, b->save.gdtr.base, b->save.cpl,
	       a->world.vmcb_pa, a->world.host_pa, hsave, (unsigned long)read_cr3());
	show_ring();
	WARN(true, "kvm: the host's state in a VMCB, or another CPU's vCPU");
}

void kvm_watch_enter(const struct kvm_cpu_vcpu *a)
{
	note(a, false);
	check(a, "entering");
}

void kvm_watch_exit(const struct kvm_cpu_vcpu *a)
{
	note(a, true);
	check(a, "leaving");
}
#endif
