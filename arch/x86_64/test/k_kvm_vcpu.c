// SPDX-License-Identifier: MIT
/*
 * A vCPU in KVM_RUN: small guests whose memory is a space of the test's own, which its thread
 * borrows. Guest memory is 64 KiB at 0, code at 1000h; all else is MMIO.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <arch/mmu.h>
#include <arch/page.h>
#include <kernel/irq.h>
#include <kernel/ktest.h>
#include <kernel/time.h>
#include <kvm/bus.h>
#include <kvm/event.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <linux/mman.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include <mm/uaccess.h>
#include <sched/sched.h>
#include <sched/task.h>
#include <asm/svm.h>
#include "arch/x86_64/kvm_irqchip.h"
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define MEMORY 0x10000UL		/* not a page: the guest's memory */
#define CODE 0x1000UL			/* not a page: where its code is */
#define MMIO 0x20000UL			/* not a page: where it has no memory */

static struct {
	struct kvm_vm *vm;
	struct kvm_vcpu *v;
	struct mm *mm, *before;
	unsigned long at;
} g;

static void take_space(struct mm *mm)
{
	struct task *me = current;

	local_irq_disable();
	g.before = me->active_mm;
	me->mm = me->active_mm = mm;
	arch_switch_mm(g.before ? &g.before->context : NULL, &mm->context, me);
	local_irq_enable();
	if (g.before)
		mmdrop(g.before);
}

static void leave_space(void)
{
	struct mm *mm = current->mm;

	mmgrab(mm);
	local_irq_disable();
	current->mm = NULL;
	arch_enter_lazy_mm(&mm->context);
	local_irq_enable();
}

static int make_vm(void)
{
	int e;

	refcount_set(&g.vm->refs, 1);
	mutex_init(&g.vm->lock);
	mutex_init(&g.vm->slots_lock);
	kvm_slots_init(&g.vm->slots);
	xa_init(&g.vm->slot_by_id);
	xa_init(&g.vm->vcpus);
	g.vm->mm = g.mm;
	g.vm->notify.ops = &kvm_notify_ops;
	e = init_srcu_struct(&g.vm->srcu);
	if (!e)
		e = kvm_cpu_get();
	if (!e)
		e = kvm_cpu_vm_new(g.vm, KVM_X86_DEFAULT_VM);
	if (!e)
		e = mm_notify_register(&g.vm->notify, g.mm);
	return e;
}

static int make_vcpu(void)
{
	struct kvm_userspace_memory_region r = { .memory_size = MEMORY, .userspace_addr = g.at };

	g.v->vm = g.vm;
	g.v->cpu = -1;
	mutex_init(&g.v->lock);
	init_waitqueue_head(&g.v->halted);
	g.v->run = __vmalloc(kvm_cpu_run_size(), GFP_KERNEL | __GFP_ZERO);
	if (!g.v->run)
		return -ENOMEM;
	return kvm_region_set(g.vm, &r) ?: kvm_cpu_vcpu_new(g.v);
}

/* A guest in real mode that runs CODE of N bytes, with its data at MMIO. 0, or -errno. */
static int begin(const void *code, size_t n)
{
	struct vmcb_save *s;
	int e;

	memset(&g, 0, sizeof(g));
	g.vm = kzalloc(sizeof(*g.vm), GFP_KERNEL);
	g.v = kzalloc(sizeof(*g.v), GFP_KERNEL);
	g.mm = mm_alloc();
	if (!g.vm || !g.v || !g.mm)
		return -ENOMEM;
	g.at = vm_mmap(g.mm, NULL, 0, MEMORY, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE,
		       0);
	take_space(g.mm);
	e = make_vm() ?: make_vcpu();
	if (e)
		return e;
	if (copy_to_user(UPTR(g.at + CODE), code, n))
		return -EFAULT;
	s = &g.v->arch->vmcb->save;
	s->cs.selector = 0;
	s->cs.base = 0;
	s->rip = CODE;
	s->rsp = 0x8000;
	s->ds.base = MMIO;
	return 0;
}

static void end(void)
{
	mm_notify_unregister(&g.vm->notify);
	kvm_cpu_vcpu_free(g.v);
	kvm_regions_free(g.vm);
	kvm_cpu_vm_free(g.vm);
	kvm_cpu_put();
	cleanup_srcu_struct(&g.vm->srcu);
	vfree(g.v->run);
	kfree(g.v);
	kfree(g.vm);
	leave_space();
	mmput(g.mm);
}

/* The reason of the next exit, or -errno. */
static int run(void)
{
	long r;

	mutex_lock(&g.v->lock);
	r = kvm_vcpu_run(g.v);
	mutex_unlock(&g.v->lock);
	return r ? (int)r : (int)g.v->run->exit_reason;
}

static struct vmcb_save *save(void)
{
	return &g.v->arch->vmcb->save;
}

static u8 *port_data(void)
{
	return (u8 *)g.v->run + g.v->run->io.data_offset;
}

static bool poke(u64 gpa, u64 value, size_t size)
{
	return !copy_to_user(UPTR(g.at + gpa), &value, size);
}

static u64 peek(u64 gpa, size_t size)
{
	u64 value = 0;

	return copy_from_user(&value, UPTR(g.at + gpa), size) ? ~0ULL : value;
}

static bool have_svm(void)
{
	return !svm_refusal(svm_machine());
}

/* mov $0x3f8, %dx; mov $0x41, %al; out %al, %dx; in %dx, %ax; mov %ax, %bx; hlt */
static const char ports[] = "\xba\xf8\x03\xb0\x41\xee\xed\x89\xc3\xf4";

KTEST(kvm_vcpu_ports)
{
	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(begin(ports, sizeof(ports) - 1), 0);
	KT_EQ(run(), KVM_EXIT_IO);
	KT_EQ(g.v->run->io.direction, KVM_EXIT_IO_OUT);
	KT_EQ(g.v->run->io.port, 0x3f8);
	KT_EQ(g.v->run->io.size, 1);
	KT_EQ(g.v->run->io.count, 1);
	KT_EQ(port_data()[0], 0x41);
	KT_EQ(run(), KVM_EXIT_IO);
	KT_EQ(g.v->run->io.direction, KVM_EXIT_IO_IN);
	KT_EQ(g.v->run->io.size, 2);
	memcpy(port_data(), "\x34\x12", 2);
	KT_EQ(run(), KVM_EXIT_HLT);
	KT_EQ(g.v->arch->world.regs[3], 0x1234);
	KT_EQ(save()->rip, CODE + sizeof(ports) - 1);
	end();
}

/* mov $0x5566, %ax; mov %ax, 0x10; add %ax, 0x20; mov 0xfff, %eax; hlt */
static const char mmio[] = "\xb8\x66\x55\xa3\x10\x00\x01\x06\x20\x00\x66\xa1\xff\x0f\xf4";

KTEST(kvm_vcpu_mmio)
{
	struct kvm_run *r;

	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(begin(mmio, sizeof(mmio) - 1), 0);
	r = g.v->run;
	KT_EQ(run(), KVM_EXIT_MMIO);
	KT_ASSERT(r->mmio.is_write && r->mmio.len == 2 && r->mmio.phys_addr == MMIO + 0x10);
	KT_ASSERT(!memcmp(r->mmio.data, "\x66\x55\0\0\0\0\0", 8));
	KT_EQ(run(), KVM_EXIT_MMIO);
	KT_ASSERT(!r->mmio.is_write && r->mmio.len == 2 && r->mmio.phys_addr == MMIO + 0x20);
	memcpy(r->mmio.data, "\x01\x00", 2);
	KT_EQ(run(), KVM_EXIT_MMIO);
	KT_ASSERT(r->mmio.is_write && r->mmio.phys_addr == MMIO + 0x20);
	KT_ASSERT(!memcmp(r->mmio.data, "\x67\x55", 2));
	KT_EQ(run(), KVM_EXIT_MMIO);	/* over the end of a page: one byte, then three */
	KT_ASSERT(!r->mmio.is_write && r->mmio.len == 1 && r->mmio.phys_addr == MMIO + 0xfff);
	r->mmio.data[0] = 0x11;
	KT_EQ(run(), KVM_EXIT_MMIO);
	KT_ASSERT(!r->mmio.is_write && r->mmio.len == 3 && r->mmio.phys_addr == MMIO + 0x1000);
	memcpy(r->mmio.data, "\x22\x33\x44", 3);
	KT_EQ(run(), KVM_EXIT_HLT);
	KT_EQ((u32)save()->rax, 0x44332211);
	end();
}

/* mov $0xc0000081, %ecx; mov $5, %eax; wrmsr; mov $0x10a, %ecx; rdmsr; hlt */
static const char msrs[] = "\x66\xb9\x81\x00\x00\xc0\x66\xb8\x05\x00\x00\x00\x0f\x30"
			   "\x66\xb9\x0a\x01\x00\x00\x0f\x32\xf4";

/* An MSR of its own; one that it does not have is #GP, whose handler halts. */
KTEST(kvm_vcpu_msrs_and_exceptions)
{
	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(begin(msrs, sizeof(msrs) - 1), 0);
	KT_ASSERT(poke(13 * 4, 0x3000, 4) && poke(0x3000, 0xf4, 1));
	KT_EQ(run(), KVM_EXIT_HLT);
	KT_EQ((u32)save()->star, 5);
	KT_EQ(save()->rip, 0x3001);
	KT_EQ(peek(0x8000 - 6, 2), CODE + 20);	/* of RDMSR: it is a fault */
	end();
}

/* sti; nop; jmp . */
static const char waits[] = "\xfb\x90\xeb\xfe";

KTEST(kvm_vcpu_interrupt_window)
{
	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(begin(waits, sizeof(waits) - 1), 0);
	KT_ASSERT(poke(0x20 * 4, 0x3000, 4) && poke(0x3000, 0xf4, 1));
	g.v->run->request_interrupt_window = 1;
	KT_EQ(run(), KVM_EXIT_IRQ_WINDOW_OPEN);
	KT_ASSERT(g.v->run->ready_for_interrupt_injection && g.v->run->if_flag);
	KT_ASSERT(save()->rip > CODE);
	g.v->run->request_interrupt_window = 0;
	g.v->arch->events.interrupt.injected = true;
	g.v->arch->events.interrupt.vector = 0x20;
	KT_EQ(run(), KVM_EXIT_HLT);
	KT_EQ(save()->rip, 0x3001);
	KT_ASSERT(!g.v->run->if_flag && !g.v->arch->events.interrupt.injected);
	end();
}

/* The VM has interrupt controllers, and the vCPU is its first. */
static int join(void)
{
	int e = kvm_buses_new(g.vm) ?: kvm_events_new(g.vm);

	if (e)
		return e;
	e = (int)kvm_chips_ioctl(g.vm, KVM_CREATE_IRQCHIP, UPTR(0));
	if (e)
		return e;
	mutex_lock(&g.vm->lock);
	e = kvm_cpu_vcpu_join(g.v) ?: xa_err(xa_store(&g.vm->vcpus, 0, g.v, GFP_KERNEL));
	if (!e) {
		g.vm->nr_vcpus = 1;
		kvm_cpu_vcpu_joined(g.v);
	}
	mutex_unlock(&g.vm->lock);
	return e;
}

static void out(u64 port, u8 value)
{
	int idx = srcu_read_lock(&g.vm->srcu);

	(void)kvm_bus_write(g.v, KVM_BUS_PORTS, port, 1, &value);
	srcu_read_unlock(&g.vm->srcu, idx);
}

static bool told(void)
{
	return kvm_request_take(g.v, KVM_REQUEST_EVENT);
}

/* The vCPU is told when the 8259A begins to ask, not of each change while it asks. */
KTEST(kvm_vcpu_is_told_of_the_8259a_once)
{
	struct kvm_route r = { .type = KVM_IRQ_ROUTING_IRQCHIP, .input = { .pin = 4 } };
	u32 extint = 0x700;

	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(begin("\xf4", 1), 0);
	KT_EQ(join(), 0);
	out(0x20, 0x11);	/* ICW1 to ICW4, no input is masked */
	out(0x21, 0x20);
	out(0x21, 4);
	out(0x21, 1);
	out(0x21, 0);
	told();
	KT_EQ(kvm_cpu_route_set(g.vm, &r, 0, true), 1);
	KT_ASSERT(kvm_chips_extint(g.vm) && told());
	r.input.pin = 5;
	KT_EQ(kvm_cpu_route_set(g.vm, &r, 0, true), 1);
	KT_ASSERT(kvm_chips_extint(g.vm) && !told());
	out(0x21, 0x80);
	KT_ASSERT(kvm_chips_extint(g.vm) && !told());
	KT_EQ(kvm_chips_acknowledge(g.vm), 0x24);
	KT_ASSERT(!kvm_chips_extint(g.vm) && !told());
	out(0x20, 0x20);	/* the end of 4: 5 is next */
	KT_ASSERT(kvm_chips_extint(g.vm) && told());
	/* LINT0 may have begun to take it. */
	KT_EQ(kvm_apic_write(g.v, 0xfee00350, 4, &extint), 0);
	KT_ASSERT(told());
	kvm_events_free(g.vm);
	kvm_buses_free(g.vm);
	xa_erase(&g.vm->vcpus, 0);
	end();
}

/* ud2 */
KTEST(kvm_vcpu_shutdown)
{
	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(begin("\x0f\x0b", 2), 0);
	save()->idtr.limit = 0;
	KT_EQ(run(), KVM_EXIT_SHUTDOWN);
	end();
}

/* mov $4, %eax; cpuid; vmmcall; mov %rax, 0x200008; mov %cr4, %rbx; hlt */
static const char long_code[] = "\xb8\x04\x00\x00\x00\x0f\xa2\x0f\x01\xd9"
				"\x48\x89\x04\x25\x08\x00\x20\x00"
				"\x0f\x20\xe3\xf4";

/* A page of 2 MiB is memory, the page behind it is MMIO. */
static bool long_mode(void)
{
	struct kvm_cpu_vcpu *a = g.v->arch;

	save()->cs.attrib = 0xa9b;
	save()->ds.base = 0;
	save()->cr3 = 0x4000;
	a->cr4 = GUEST_CR4_PAE;
	a->efer = GUEST_EFER_LME | GUEST_EFER_LMA;
	a->cr0 = GUEST_CR0_PG | GUEST_CR0_PE | GUEST_CR0_ET;
	kvm_vcpu_control(a);
	return poke(0x4000, 0x5003, 8) && poke(0x5000, 0x6003, 8) && poke(0x6000, 0x83, 8) &&
	       poke(0x6008, 0x7003, 8) && poke(0x7000, MMIO | 3, 8);
}

KTEST(kvm_vcpu_long_mode)
{
	struct kvm_run *r;

	if (!have_svm())
		KT_SKIP("no SVM");
	KT_EQ(begin(long_code, sizeof(long_code) - 1), 0);
	KT_ASSERT(long_mode());
	r = g.v->run;
	KT_EQ(run(), KVM_EXIT_MMIO);
	KT_ASSERT(r->mmio.is_write && r->mmio.len == 8 && r->mmio.phys_addr == MMIO + 8);
	KT_ASSERT(!memcmp(r->mmio.data, "\x18\xfc\xff\xff\xff\xff\xff\xff", 8)); /* -KVM_ENOSYS */
	KT_EQ(peek(0x7000, 8) & 0x60, 0x60);	/* accessed, dirty */
	KT_EQ(run(), KVM_EXIT_HLT);
	/*
	 * QEMU 10 looks at CR0's intercept for a read of any control register: the guest sees what
	 * the hardware has, with the host's MCE.
	 */
	KT_EQ(g.v->arch->world.regs[3] & ~CR4_MCE, GUEST_CR4_PAE);
	end();
}

static struct task *runner;		/* whose guest never leaves by itself, perhaps */

static void stop_runner(struct timer_list *t)
{
	set_tsk_flag(runner, TIF_NOTIFY_SIGNAL);
	mod_timer(t, jiffies + 3);
}

#define ROUNDS 200
#define STEPS 50			/* exits of one round at most */

/* Makes QEMU itself die or write where it must not (tests/README.md). */
static bool breaks_qemu(u8 before, u8 c)
{
	return c == 0x8e || c == 0xd9 || c == 0xdd || (before == 0x0f && (c == 0xae || c == 0xc7));
}

/* Bytes by chance: whatever they do, it is the guest's alone. */
KTEST(kvm_vcpu_random_bytes)
{
	u8 code[256];
	struct timer_list timer;
	u64 seed = 1;

	if (!have_svm())
		KT_SKIP("no SVM");
	runner = current;
	timer_setup(&timer, stop_runner, 0);
	mod_timer(&timer, jiffies + 3);
	for (int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < sizeof(code); i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			code[i] = (u8)(seed >> 56);
			if (breaks_qemu(i ? code[i - 1] : 0, code[i]))
				code[i] = 0x90;
		}
		code[sizeof(code) - 2] = 0xf4;
		KT_EQ(begin(code, sizeof(code)), 0);
		if (round & 1)
			KT_ASSERT(long_mode());
		for (int i = 0; i < STEPS; i++) {
			int reason;

			g.v->run->request_interrupt_window = 1;
			reason = run();
			clear_tsk_flag(runner, TIF_NOTIFY_SIGNAL);
			if (reason != KVM_EXIT_IO && reason != KVM_EXIT_MMIO)
				break;
		}
		end();
	}
	timer_delete_sync(&timer);
	clear_tsk_flag(runner, TIF_NOTIFY_SIGNAL);
}
