// SPDX-License-Identifier: MIT
/*
 * Ports and MMIO, eight bytes of it at a time: the VM's own devices are asked first, then user
 * space. The owner changes
 * v->run at any time: what is asked is kept here, the answer is copied once.
 */
#include <kernel/bug.h>
#include <kvm/bus.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"

void *kvm_io_data(struct kvm_vcpu *v)
{
	return (char *)v->run + PAGE_SIZE;
}

static void ask_port(struct kvm_vcpu *v, bool out)
{
	struct kvm_cpu_vcpu *a = v->arch;
	struct kvm_run *r = v->run;

	r->io.direction = out ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	r->io.size = (u8)a->io.size;
	r->io.port = a->io.port;
	r->io.count = a->io.count;
	r->io.data_offset = PAGE_SIZE;
	WRITE_ONCE(r->exit_reason, KVM_EXIT_IO);
}

static u32 fragment(const struct kvm_mmio *m)
{
	return min(m->of[m->part].len - m->at, 8U);
}

static void advance(struct kvm_mmio *m, u32 n)
{
	m->at += n;
	if (m->at < m->of[m->part].len)
		return;
	m->part++;
	m->at = 0;
}

static int device_read(struct kvm_vcpu *v, u64 gpa, u32 n, void *data)
{
	return kvm_apic_read(v, gpa, n, data) ? kvm_bus_read(v, KVM_BUS_MMIO, gpa, n, data) : 0;
}

static int device_write(struct kvm_vcpu *v, u64 gpa, u32 n, const void *data)
{
	return kvm_apic_write(v, gpa, n, data) ? kvm_bus_write(v, KVM_BUS_MMIO, gpa, n, data) : 0;
}

bool kvm_mmio_here(struct kvm_vcpu *v)
{
	struct kvm_mmio *m = &v->arch->mmio;

	while (m->part < m->parts) {
		u64 gpa = m->of[m->part].gpa + m->at;
		u8 *data = m->data + m->of[m->part].offset + m->at;
		u32 n = fragment(m);

		if (m->write ? device_write(v, gpa, n, data) : device_read(v, gpa, n, data))
			return false;
		advance(m, n);
	}
	return true;
}

bool kvm_io_here(struct kvm_vcpu *v, bool out, u16 port, u32 size, u32 count, void *data)
{
	u8 *at = data;

	for (u32 i = 0; i < count; i++, at += size) {
		int r = out ? kvm_bus_write(v, KVM_BUS_PORTS, port, size, at) :
			      kvm_bus_read(v, KVM_BUS_PORTS, port, size, at);

		if (r && !i)
			return false;
		if (r && !out)
			memset(at, 0, size);
	}
	return true;
}

static void ask_mmio(struct kvm_vcpu *v)
{
	struct kvm_mmio *m = &v->arch->mmio;
	struct kvm_run *r = v->run;
	u32 n = fragment(m);

	r->mmio.phys_addr = m->of[m->part].gpa + m->at;
	r->mmio.len = n;
	r->mmio.is_write = m->write;
	memset(r->mmio.data, 0, sizeof(r->mmio.data));
	if (m->write)
		memcpy(r->mmio.data, m->data + m->of[m->part].offset + m->at, n);
	WRITE_ONCE(r->exit_reason, KVM_EXIT_MMIO);
}

int kvm_ask(struct kvm_vcpu *v, enum kvm_asked what)
{
	v->arch->asked = what;
	v->arch->shown = true;
	if (what == KVM_ASKED_MMIO)
		ask_mmio(v);
	else
		ask_port(v, what == KVM_ASKED_OUT);
	return 0;
}

static int answered_mmio(struct kvm_vcpu *v)
{
	struct kvm_mmio *m = &v->arch->mmio;
	u32 n = fragment(m);

	if (!m->write)
		memcpy(m->data + m->of[m->part].offset + m->at, v->run->mmio.data, n);
	advance(m, n);
	if (!kvm_mmio_here(v))
		return kvm_ask(v, KVM_ASKED_MMIO);
	v->arch->asked = KVM_ASKED_NOTHING;
	m->parts = 0;
	if (m->write)
		return 1;
	m->done = true;
	return kvm_emulate_run(v);
}

int kvm_port_read(struct kvm_vcpu *v, const void *data)
{
	struct kvm_cpu_vcpu *a = v->arch;
	u64 value = a->vmcb->save.rax;

	if (a->io.size == 4)
		value = 0;
	memcpy(&value, data, a->io.size);
	a->vmcb->save.rax = value;
	a->vmcb->save.rip = a->io.next_rip;
	kvm_emulate_stepped(a, 0);
	return 1;
}

/* An instruction waits for an answer, and the owner has put the vCPU elsewhere meanwhile. */
static bool moved(const struct kvm_cpu_vcpu *a)
{
	const struct kvm_exec_regs *r = &a->exec.regs;

	return a->exec.pending &&
	       (r->rip != a->vmcb->save.rip || r->seg[KVM_SEG_CS].base != a->vmcb->save.cs.base);
}

int kvm_answered(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	enum kvm_asked what = a->asked;

	if ((what == KVM_ASKED_EXEC_IN || (what == KVM_ASKED_MMIO && !a->mmio.write)) && moved(a)) {
		a->asked = KVM_ASKED_NOTHING;
		a->mmio.parts = 0;
		a->exec.pending = false;
		return 1;
	}
	if (what == KVM_ASKED_MMIO)
		return answered_mmio(v);
	a->asked = KVM_ASKED_NOTHING;
	/* An owner that has put the vCPU elsewhere meanwhile wants no answer, as on Linux. */
	if (what == KVM_ASKED_IN)
		return a->io.rip == a->vmcb->save.rip && a->io.cs == a->vmcb->save.cs.base ?
			       kvm_port_read(v, kvm_io_data(v)) :
			       1;
	if (what == KVM_ASKED_OUT)
		return 1;
	a->io.done = true;
	return kvm_emulate_run(v);
}
