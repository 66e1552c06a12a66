// SPDX-License-Identifier: MIT
/*
 * What instructions that KVM executes reach the guest by: its memory through its own page tables,
 * MMIO and ports (kvm_ask.c), control registers, MSRs.
 */
#include <abi/errno.h>
#include <arch/fpu.h>
#include <kernel/bug.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include <proc/signal.h>
#include <sched/sched.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_walk.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

static struct kvm_vcpu *vcpu_of(struct kvm_exec *e)
{
	return e->context;
}

static enum kvm_exec_status fault(struct kvm_exec *e, u8 vector)
{
	e->fault = (struct kvm_exec_fault){ .vector = vector, .has_code = vector == VEC_GP };
	return KVM_EXEC_FAULT;
}

static enum kvm_exec_status gp_unless(struct kvm_exec *e, bool good)
{
	return good ? KVM_EXEC_DONE : fault(e, VEC_GP);
}

/* ---- addresses ---- */

static int table_read(void *vm, u64 gpa, void *to, size_t size)
{
	return kvm_guest_read(vm, gpa, to, size);
}

static int table_exchange(void *vm, u64 gpa, const void *old, const void *fresh, u32 size)
{
	return kvm_guest_exchange(vm, gpa, old, fresh, size);
}

/* What a failed access to guest memory makes of the instruction. */
static enum kvm_exec_status failed(struct kvm_cpu_vcpu *a, int e)
{
	if (e == -EAGAIN)
		return KVM_EXEC_AGAIN;
	if (e != -ENXIO)
		a->error = e;
	return KVM_EXEC_UNHANDLED;
}

/* How V's CPU walks its page tables at CPL. */
static struct kvm_walk walk_of(struct kvm_vcpu *v, u8 cpl)
{
	const struct kvm_cpu_vcpu *a = v->arch;

	return (struct kvm_walk){
		.cr0 = a->cr0,
		.cr3 = a->vmcb->save.cr3,
		.cr4 = a->cr4,
		.efer = a->efer,
		.rflags = a->vmcb->save.rflags,
		.cpl = cpl,
		.phys_bits = cpu_phys_bits,
		.read = table_read,
		.exchange = table_exchange,
		.arg = v->vm,
	};
}

static enum kvm_exec_status translate(struct kvm_exec *e, u64 linear, unsigned int how, u64 *gpa)
{
	struct kvm_vcpu *v = vcpu_of(e);
	struct kvm_cpu_vcpu *a = v->arch;
	struct kvm_walk w = walk_of(v, a->vmcb->save.cpl);
	u32 code = 0;
	int r = kvm_walk(&w, linear, how, gpa, &code);

	if (r <= 0)
		return r ? failed(a, r) : KVM_EXEC_DONE;
	e->fault = (struct kvm_exec_fault){
		.vector = VEC_PF, .has_code = 1, .code = code, .address = linear
	};
	return KVM_EXEC_FAULT;
}

/*
 * As where the guest's kernel reads there, accessed bits too. The addresses of a guest without
 * paging are not cut to 32 bits, as on Linux.
 */
long kvm_translate_ioctl(struct kvm_vcpu *v, struct uptr arg)
{
	struct kvm_walk w = walk_of(v, 0);
	struct kvm_translation t;
	u64 gpa;
	u32 code;
	int r = 0;

	if (copy_from_user(&t, arg, sizeof(t)))
		return -EFAULT;
	gpa = t.linear_address;
	while (w.cr0 & GUEST_CR0_PG) {
		r = kvm_walk(&w, t.linear_address, 0, &gpa, &code);
		if (r != -EAGAIN)
			break;
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	t.physical_address = r ? ~0ULL : gpa;
	t.valid = t.physical_address != ~0ULL;
	t.writeable = 1;
	t.usermode = 0;
	return copy_to_user(arg, &t, sizeof(t)) ? -EFAULT : 0;
}

/* One access, cut at the end of a page. */
struct pieces {
	u32 n;
	struct {
		u64 gpa;
		u32 offset, len;
	} of[2];
};

static enum kvm_exec_status cut(struct kvm_exec *e, u64 linear, u32 size, unsigned int how,
				struct pieces *p)
{
	u32 done = 0;

	DEBUG_ON(size > KVM_EXEC_IO_MAX);
	for (p->n = 0; done < size; p->n++) {
		u64 at = linear + done;
		u32 n = min(size - done, (u32)(PAGE_SIZE - (at & (PAGE_SIZE - 1))));
		enum kvm_exec_status s = translate(e, at, how, &p->of[p->n].gpa);

		if (s)
			return s;
		p->of[p->n].offset = done;
		p->of[p->n].len = n;
		done += n;
	}
	return KVM_EXEC_DONE;
}

static void add_part(struct kvm_mmio *m, u64 gpa, u32 offset, u32 len)
{
	m->of[m->parts].gpa = gpa;
	m->of[m->parts].offset = offset;
	m->of[m->parts++].len = len;
}

static void begin_mmio(struct kvm_mmio *m, bool write)
{
	m->write = write;
	m->parts = m->part = 0;
	m->at = 0;
}

/* ---- memory ---- */

static unsigned int how_of(u32 how)
{
	return (how & KVM_READ_WRITES ? KVM_WALK_WRITE : 0) |
	       (how & KVM_READ_SYSTEM ? KVM_WALK_SYSTEM : 0);
}

static enum kvm_exec_status op_read(struct kvm_exec *e, u64 linear, void *data, u32 size, u32 how)
{
	struct kvm_vcpu *v = vcpu_of(e);
	struct kvm_cpu_vcpu *a = v->arch;
	struct kvm_mmio *m = &a->mmio;
	bool answered = m->done;
	struct pieces p;
	enum kvm_exec_status s = cut(e, linear, size, how_of(how), &p);

	if (s)
		return s;
	m->done = false;
	begin_mmio(m, false);
	for (u32 i = 0; i < p.n; i++) {
		int r = kvm_guest_read(v->vm, p.of[i].gpa, (u8 *)data + p.of[i].offset,
				       p.of[i].len);

		if (r == -ENXIO && answered)
			memcpy((u8 *)data + p.of[i].offset, m->data + p.of[i].offset, p.of[i].len);
		else if (r == -ENXIO)
			add_part(m, p.of[i].gpa, p.of[i].offset, p.of[i].len);
		else if (r)
			return failed(a, r);
	}
	if (!kvm_mmio_here(v)) {
		a->asked = KVM_ASKED_MMIO;
		return KVM_EXEC_PENDING;
	}
	for (u32 i = 0; i < m->parts; i++)
		memcpy((u8 *)data + m->of[i].offset, m->data + m->of[i].offset, m->of[i].len);
	m->parts = 0;
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status write_pieces(struct kvm_vcpu *v, const struct pieces *p,
					 const void *data, u32 size)
{
	struct kvm_mmio *m = &v->arch->mmio;

	begin_mmio(m, true);
	for (u32 i = 0; i < p->n; i++) {
		int r = kvm_guest_write(v->vm, p->of[i].gpa, (const u8 *)data + p->of[i].offset,
					p->of[i].len);

		if (r == -ENXIO) {
			add_part(m, p->of[i].gpa, p->of[i].offset, p->of[i].len);
		} else if (r) {
			m->parts = 0;	/* none is left for user space */
			return failed(v->arch, r);
		}
	}
	if (m->parts)
		memcpy(m->data, data, size);
	if (kvm_mmio_here(v))
		m->parts = 0;		/* else user space has the rest, when it is over */
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status op_write(struct kvm_exec *e, u64 linear, const void *data, u32 size)
{
	struct pieces p;
	enum kvm_exec_status s = cut(e, linear, size, KVM_WALK_WRITE, &p);

	return s ? s : write_pieces(vcpu_of(e), &p, data, size);
}

static enum kvm_exec_status op_probe(struct kvm_exec *e, u64 linear, u32 size)
{
	struct pieces p;

	return cut(e, linear, size, KVM_WALK_WRITE, &p);
}

static enum kvm_exec_status op_exchange(struct kvm_exec *e, u64 linear, const void *old,
					const void *fresh, u32 size, u32 how)
{
	struct kvm_vcpu *v = vcpu_of(e);
	struct pieces p;
	enum kvm_exec_status s = cut(e, linear, size, how_of(how) | KVM_WALK_WRITE, &p);
	int r;

	if (s)
		return s;
	if (p.n > 1)
		return KVM_EXEC_UNHANDLED;
	r = kvm_guest_exchange(v->vm, p.of[0].gpa, old, fresh, size);
	if (r == -ENXIO)
		return write_pieces(v, &p, fresh, size);
	return r ? failed(v->arch, r) : KVM_EXEC_DONE;
}

enum kvm_exec_status kvm_exec_fetch(struct kvm_vcpu *v, u64 linear, void *to, u32 size)
{
	u64 gpa;
	enum kvm_exec_status s = translate(&v->arch->exec, linear, KVM_WALK_FETCH, &gpa);
	int r;

	if (s)
		return s;
	r = kvm_guest_read(v->vm, gpa, to, size);
	return r ? failed(v->arch, r) : KVM_EXEC_DONE;
}

/* ---- ports ---- */

static void set_port(struct kvm_cpu_vcpu *a, u16 port, u32 size, u32 count)
{
	a->io.port = port;
	a->io.size = size;
	a->io.count = count;
}

static enum kvm_exec_status op_in(struct kvm_exec *e, u16 port, u32 size, u32 count, void *data)
{
	struct kvm_vcpu *v = vcpu_of(e);
	struct kvm_cpu_vcpu *a = v->arch;

	if (a->io.done && a->io.port == port && a->io.size == size && a->io.count == count) {
		a->io.done = false;
		memcpy(data, kvm_io_data(v), (size_t)size * count);
		return KVM_EXEC_DONE;
	}
	if (kvm_io_here(v, false, port, size, count, data))
		return KVM_EXEC_DONE;
	set_port(a, port, size, count);
	a->asked = KVM_ASKED_EXEC_IN;
	return KVM_EXEC_PENDING;
}

static enum kvm_exec_status op_out(struct kvm_exec *e, u16 port, u32 size, u32 count,
				   const void *data)
{
	struct kvm_vcpu *v = vcpu_of(e);

	if (kvm_io_here(v, true, port, size, count, (void *)data))
		return KVM_EXEC_DONE;
	memcpy(kvm_io_data(v), data, (size_t)size * count);
	set_port(v->arch, port, size, count);
	v->arch->asked = KVM_ASKED_OUT;
	return KVM_EXEC_DONE;
}

static bool op_leave(struct kvm_exec *e)
{
	struct kvm_vcpu *v = vcpu_of(e);

	return v->arch->asked != KVM_ASKED_NOTHING || v->arch->mmio.parts ||
	       READ_ONCE(v->requests) || signal_pending(current);
}

/* ---- registers ---- */

static enum kvm_exec_status op_get_cr(struct kvm_exec *e, u8 n, u64 *value)
{
	struct kvm_cpu_vcpu *a = vcpu_of(e)->arch;

	switch (n) {
	case 0:
		*value = kvm_vcpu_cr0(a);
		break;
	case 2:
		*value = a->vmcb->save.cr2;
		break;
	case 3:
		*value = a->vmcb->save.cr3;
		break;
	case 4:
		*value = a->cr4;
		break;
	case 8:
		*value = kvm_vcpu_cr8(a);
		break;
	default:
		return fault(e, VEC_UD);
	}
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status set_cr8(struct kvm_exec *e, u64 value)
{
	struct kvm_cpu_vcpu *a = vcpu_of(e)->arch;

	if (value & ~0xfULL)
		return fault(e, VEC_GP);
	/* the owner may have an interrupt for it now */
	a->set_tpr = !a->has_lapic && value < a->cr8;
	kvm_vcpu_set_cr8(a, value);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status op_set_cr(struct kvm_exec *e, u8 n, u64 value)
{
	struct kvm_cpu_vcpu *a = vcpu_of(e)->arch;

	switch (n) {
	case 0:
		return gp_unless(e, kvm_set_cr0(a, value));
	case 2:
		a->vmcb->save.cr2 = value;
		return KVM_EXEC_DONE;
	case 3:
		return gp_unless(e, kvm_set_cr3(a, value));
	case 4:
		return gp_unless(e, kvm_set_cr4(a, value));
	case 8:
		return set_cr8(e, value);
	default:
		return fault(e, VEC_UD);
	}
}

static enum kvm_exec_status op_get_dr(struct kvm_exec *e, u8 n, u64 *value)
{
	struct kvm_cpu_vcpu *a = vcpu_of(e)->arch;

	*value = n < 4 ? a->dr[n] : n == 6 ? a->vmcb->save.dr6 : a->vmcb->save.dr7;
	return n < 4 || n == 6 || n == 7 ? KVM_EXEC_DONE : fault(e, VEC_UD);
}

static enum kvm_exec_status op_set_dr(struct kvm_exec *e, u8 n, u64 value)
{
	struct kvm_cpu_vcpu *a = vcpu_of(e)->arch;

	if (n < 4)
		a->dr[n] = value;
	else if (value >> 32)
		return fault(e, VEC_GP);
	else if (n == 6)
		a->vmcb->save.dr6 = (value & 0xe00f) | GUEST_DR6_FIXED;
	else if (n == 7)
		a->vmcb->save.dr7 = (value & 0xffff2bff) | 0x400;
	else
		return fault(e, VEC_UD);
	return KVM_EXEC_DONE;
}

static bool msr_allowed(struct kvm_vcpu *v, u32 index, bool write)
{
	return kvm_msr_filter_allows(smp_load_acquire(&v->vm->cpu->msr_filter), index, write);
}

static enum kvm_exec_status op_get_msr(struct kvm_exec *e, u32 index, u64 *value)
{
	return gp_unless(e, msr_allowed(vcpu_of(e), index, false) &&
				    kvm_msr_get(vcpu_of(e), index, value, false));
}

static enum kvm_exec_status op_set_msr(struct kvm_exec *e, u32 index, u64 value)
{
	return gp_unless(e, msr_allowed(vcpu_of(e), index, true) &&
				    kvm_msr_set(vcpu_of(e), index, value, false));
}

static enum kvm_exec_status op_get_pmc(struct kvm_exec *e, u32 index, u64 *value)
{
	return fault(e, VEC_GP);	/* the guest has no counters */
}

static enum kvm_exec_status op_get_tsc(struct kvm_exec *e, u64 *value)
{
	*value = rdtsc_ordered() + vcpu_of(e)->arch->vmcb->control.tsc_offset;
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status op_cpuid(struct kvm_exec *e, u32 leaf, u32 index, u32 *out)
{
	kvm_cpuid(vcpu_of(e)->arch, leaf, index, out);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status op_set_system(struct kvm_exec *e, bool task,
					  const struct kvm_exec_seg *seg)
{
	struct vmcb_save *s = &vcpu_of(e)->arch->vmcb->save;

	*(task ? &s->tr : &s->ldtr) =
		(struct vmcb_segment){ seg->selector, seg->attr, seg->limit, seg->base };
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status op_hlt(struct kvm_exec *e)
{
	vcpu_of(e)->arch->halt = true;
	return KVM_EXEC_DONE;
}

/* The guest's memory is coherent: caches are the host's. */
static enum kvm_exec_status op_flush(struct kvm_exec *e, bool write_back)
{
	return KVM_EXEC_DONE;
}

#define XCR0_AVX 6ULL			/* SSE and AVX */

/* Upper halves, and what is encoded by VEX, belong to who has AVX enabled. */
static bool vectors_enabled(const struct kvm_exec *e, u32 size)
{
	return (e->insn.encoding != KVM_ENC_VEX && size == 16) ||
	       (vcpu_of((struct kvm_exec *)e)->arch->xcr0 & XCR0_AVX) == XCR0_AVX;
}

static enum kvm_exec_status op_get_vec(struct kvm_exec *e, u8 n, void *data, u32 size)
{
	if (!vectors_enabled(e, size))
		return fault(e, VEC_UD);
	guest_fpu_get_vector(vcpu_of(e)->arch->fpu, n, data, size);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status op_set_vec(struct kvm_exec *e, u8 n, const void *data, u32 size,
				       bool clear)
{
	if (!vectors_enabled(e, size))
		return fault(e, VEC_UD);
	guest_fpu_set_vector(vcpu_of(e)->arch->fpu, n, data, size, clear);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status op_get_mmx(struct kvm_exec *e, u8 n, u64 *value)
{
	return guest_fpu_get_mmx(vcpu_of(e)->arch->fpu, n, value) ? KVM_EXEC_DONE :
								    fault(e, VEC_MF);
}

static enum kvm_exec_status op_set_mmx(struct kvm_exec *e, u8 n, u64 value)
{
	u64 old;
	enum kvm_exec_status s = op_get_mmx(e, n, &old);

	if (!s)
		guest_fpu_set_mmx(vcpu_of(e)->arch->fpu, n, value);
	return s;
}

const struct kvm_exec_ops kvm_exec_ops = {
	.read = op_read,
	.write = op_write,
	.probe = op_probe,
	.exchange = op_exchange,
	.in = op_in,
	.out = op_out,
	.leave = op_leave,
	.get_cr = op_get_cr,
	.set_cr = op_set_cr,
	.get_dr = op_get_dr,
	.set_dr = op_set_dr,
	.get_msr = op_get_msr,
	.set_msr = op_set_msr,
	.get_pmc = op_get_pmc,
	.get_tsc = op_get_tsc,
	.cpuid = op_cpuid,
	.hlt = op_hlt,
	.set_system = op_set_system,
	.flush = op_flush,
	.get_vec = op_get_vec,
	.set_vec = op_set_vec,
	.get_mmx = op_get_mmx,
	.set_mmx = op_set_mmx,
};
