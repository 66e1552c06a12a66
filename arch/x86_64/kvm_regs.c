// SPDX-License-Identifier: MIT
/* A vCPU's state, read and set by its owner. What is set is copied once and checked. */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <arch/fpu.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

/* ---- general registers ---- */

static void get_regs(const struct kvm_cpu_vcpu *a, struct kvm_regs *r)
{
	const u64 *g = a->world.regs;
	const struct vmcb_save *s = &a->vmcb->save;

	*r = (struct kvm_regs){
		.rax = s->rax,
		.rcx = g[1],
		.rdx = g[2],
		.rbx = g[3],
		.rsp = s->rsp,
		.rbp = g[5],
		.rsi = g[6],
		.rdi = g[7],
		.r8 = g[8],
		.r9 = g[9],
		.r10 = g[10],
		.r11 = g[11],
		.r12 = g[12],
		.r13 = g[13],
		.r14 = g[14],
		.r15 = g[15],
		.rip = s->rip,
		.rflags = s->rflags,
	};
}

static void set_regs(struct kvm_cpu_vcpu *a, const struct kvm_regs *r)
{
	u64 *g = a->world.regs;
	struct vmcb_save *s = &a->vmcb->save;

	s->rax = r->rax;
	g[1] = r->rcx;
	g[2] = r->rdx;
	g[3] = r->rbx;
	s->rsp = r->rsp;
	g[5] = r->rbp;
	g[6] = r->rsi;
	g[7] = r->rdi;
	memcpy(&g[8], &r->r8, 8 * sizeof(u64));
	s->rip = r->rip;
	s->rflags = r->rflags | 2;
	/* One that is on its way into the guest stays, as on Linux. */
	a->events.exception.pending = false;
}

/* ---- segments and control registers ---- */

static struct kvm_segment segment_out(const struct vmcb_segment *s)
{
	u16 t = s->attrib;

	return (struct kvm_segment){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.type = t & 0xf,
		.s = t >> 4 & 1,
		.dpl = t >> 5 & 3,
		.present = t >> 7 & 1,
		.avl = t >> 8 & 1,
		.l = t >> 9 & 1,
		.db = t >> 10 & 1,
		.g = t >> 11 & 1,
		.unusable = !(t >> 7 & 1),
	};
}

static struct vmcb_segment segment_in(const struct kvm_segment *k)
{
	u16 t = (u16)((k->type & 0xf) | (k->s & 1) << 4 | (k->dpl & 3) << 5 |
		      (k->present && !k->unusable) << 7 | (k->avl & 1) << 8 | (k->l & 1) << 9 |
		      (k->db & 1) << 10 | (k->g & 1) << 11);

	return (struct vmcb_segment){ k->selector, t, k->limit, k->base };
}

static void get_sregs(const struct kvm_cpu_vcpu *a, struct kvm_sregs *r)
{
	const struct vmcb_save *s = &a->vmcb->save;

	memset(r, 0, sizeof(*r));
	r->cs = segment_out(&s->cs);
	r->ds = segment_out(&s->ds);
	r->es = segment_out(&s->es);
	r->fs = segment_out(&s->fs);
	r->gs = segment_out(&s->gs);
	r->ss = segment_out(&s->ss);
	r->ss.dpl = s->cpl;
	r->tr = segment_out(&s->tr);
	r->ldt = segment_out(&s->ldtr);
	r->gdt = (struct kvm_dtable){ .base = s->gdtr.base, .limit = (u16)s->gdtr.limit };
	r->idt = (struct kvm_dtable){ .base = s->idtr.base, .limit = (u16)s->idtr.limit };
	r->cr0 = kvm_vcpu_cr0(a);
	r->cr2 = s->cr2;
	r->cr3 = s->cr3;
	r->cr4 = a->cr4;
	r->cr8 = kvm_vcpu_cr8(a);
	r->efer = a->efer;
	r->apic_base = kvm_apic_base(a);
	if (a->events.interrupt.injected)
		r->interrupt_bitmap[a->events.interrupt.vector / 64] |=
			1ULL << a->events.interrupt.vector % 64;
}

static bool sregs_valid(const struct kvm_sregs *r)
{
	bool long_mode = r->efer & GUEST_EFER_LME && r->cr0 & GUEST_CR0_PG;

	if (long_mode && (!(r->cr4 & GUEST_CR4_PAE) || !(r->efer & GUEST_EFER_LMA)))
		return false;
	if (long_mode && r->cr3 >> cpu_phys_bits)
		return false;
	if (!long_mode && (r->efer & GUEST_EFER_LMA || r->cs.l))
		return false;
	if (r->cr0 >> 32 || (r->cr0 & GUEST_CR0_PG && !(r->cr0 & GUEST_CR0_PE)) ||
	    (r->cr0 & GUEST_CR0_NW && !(r->cr0 & GUEST_CR0_CD)))
		return false;
	return !(r->cr8 & ~0xfULL);
}

static void set_segments(struct kvm_cpu_vcpu *a, const struct kvm_sregs *r)
{
	struct vmcb_save *s = &a->vmcb->save;

	s->cs = segment_in(&r->cs);
	s->ds = segment_in(&r->ds);
	s->es = segment_in(&r->es);
	s->fs = segment_in(&r->fs);
	s->gs = segment_in(&r->gs);
	s->ss = segment_in(&r->ss);
	s->cpl = r->ss.dpl & 3;
	s->tr = segment_in(&r->tr);
	s->ldtr = segment_in(&r->ldt);
	s->gdtr.base = r->gdt.base;
	s->gdtr.limit = r->gdt.limit;
	s->idtr.base = r->idt.base;
	s->idtr.limit = r->idt.limit;
}

/*
 * The first interrupt of the bitmap, as if it had been under way; none: what is stays, as on Linux.
 */
static void set_interrupt_bitmap(struct kvm_cpu_vcpu *a, const u64 *bitmap)
{
	for (unsigned int i = 0; i < KVM_NR_INTERRUPTS; i++) {
		if (!(bitmap[i / 64] >> i % 64 & 1))
			continue;
		a->events.interrupt.injected = true;
		a->events.interrupt.vector = (u8)i;
		return;
	}
}

static long set_sregs(struct kvm_cpu_vcpu *a, const struct kvm_sregs *r)
{
	u64 old = a->efer, cr4 = a->cr4;

	if (!sregs_valid(r) || !kvm_apic_base_valid(a, r->apic_base))
		return -EINVAL;
	/* CR4 is compared with the mode that is to be, not with the one before. */
	a->efer = 0;
	a->cr4 = r->cr4 & GUEST_CR4_PCIDE;
	if (!kvm_set_cr4(a, r->cr4)) {
		a->efer = old;
		a->cr4 = cr4;
		return -EINVAL;
	}
	if (!kvm_set_efer(a, r->efer, true)) {
		a->efer = old;
		a->cr4 = cr4;
		kvm_vcpu_control(a);
		return -EINVAL;
	}
	a->cr0 = (r->cr0 & GUEST_CR0_KNOWN) | GUEST_CR0_ET;
	kvm_vcpu_control(a);
	a->vmcb->save.cr2 = r->cr2;
	a->vmcb->save.cr3 = r->cr3;
	kvm_apic_set_base(a->v, r->apic_base, true);
	kvm_vcpu_set_cr8(a, r->cr8);
	set_segments(a, r);
	set_interrupt_bitmap(a, r->interrupt_bitmap);
	a->flush = true;
	return 0;
}

/* ---- floating point ---- */

static long get_xsave(struct kvm_cpu_vcpu *a, struct uptr arg)
{
	size_t size = max(sizeof(struct kvm_xsave), guest_fpu_image_size());
	void *image = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	long r;

	if (!image)
		return -ENOMEM;
	guest_fpu_get(a->fpu, image, size, guest_fpu_features());
	r = copy_to_user(arg, image, sizeof(struct kvm_xsave)) ? -EFAULT : 0;
	kvfree(image);
	return r;
}

static long set_xsave(struct kvm_cpu_vcpu *a, struct uptr arg)
{
	void *image = kvzalloc(sizeof(struct kvm_xsave), GFP_KERNEL_ACCOUNT);
	long r = -EFAULT;

	if (!image)
		return -ENOMEM;
	if (!copy_from_user(image, arg, sizeof(struct kvm_xsave)))
		r = guest_fpu_set(a->fpu, image, sizeof(struct kvm_xsave), guest_fpu_features());
	kvfree(image);
	return r;
}

/* FXSAVE's image is the beginning of XSAVE's. */
static long get_fpu(struct kvm_cpu_vcpu *a, struct kvm_fpu *f)
{
	size_t size = max((size_t)576, guest_fpu_image_size());
	u8 *image = kvzalloc(size, GFP_KERNEL_ACCOUNT);

	if (!image)
		return -ENOMEM;
	guest_fpu_get(a->fpu, image, size, guest_fpu_features());
	memset(f, 0, sizeof(*f));
	memcpy(&f->fcw, image, 2);
	memcpy(&f->fsw, image + 2, 2);
	f->ftwx = image[4];
	memcpy(&f->last_opcode, image + 6, 2);
	memcpy(&f->last_ip, image + 8, 8);
	memcpy(&f->last_dp, image + 16, 8);
	memcpy(&f->mxcsr, image + 24, 4);
	memcpy(f->fpr, image + 32, sizeof(f->fpr));
	memcpy(f->xmm, image + 160, sizeof(f->xmm));
	kvfree(image);
	return 0;
}

static long set_fpu(struct kvm_cpu_vcpu *a, const struct kvm_fpu *f)
{
	size_t size = max((size_t)576, guest_fpu_image_size());
	u8 *image = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	u64 present;
	long r;

	if (!image)
		return -ENOMEM;
	guest_fpu_get(a->fpu, image, size, guest_fpu_features());
	memcpy(image, &f->fcw, 2);
	memcpy(image + 2, &f->fsw, 2);
	image[4] = f->ftwx;
	memcpy(image + 6, &f->last_opcode, 2);
	memcpy(image + 8, &f->last_ip, 8);
	memcpy(image + 16, &f->last_dp, 8);
	memcpy(image + 24, &f->mxcsr, 4);
	memcpy(image + 32, f->fpr, sizeof(f->fpr));
	memcpy(image + 160, f->xmm, sizeof(f->xmm));
	memcpy(&present, image + 512, 8);
	present |= 3;
	memcpy(image + 512, &present, 8);
	r = guest_fpu_set(a->fpu, image, size, guest_fpu_features());
	kvfree(image);
	return r;
}

static long get_xcrs(const struct kvm_cpu_vcpu *a, struct kvm_xcrs *x)
{
	if (!cpu_has(X86_FEATURE_XSAVE))
		return -EINVAL;
	memset(x, 0, sizeof(*x));
	x->nr_xcrs = 1;
	x->xcrs[0].value = a->xcr0;
	return 0;
}

static long set_xcrs(struct kvm_cpu_vcpu *a, const struct kvm_xcrs *x)
{
	if (!cpu_has(X86_FEATURE_XSAVE) || x->nr_xcrs > KVM_MAX_XCRS || x->flags)
		return -EINVAL;
	for (u32 i = 0; i < x->nr_xcrs; i++)
		if (!x->xcrs[i].xcr)
			return kvm_set_xcr0(a, x->xcrs[i].value) ? 0 : -EINVAL;
	return 0;
}

/* ---- events and debug registers ---- */

static void get_events(const struct kvm_cpu_vcpu *a, struct kvm_vcpu_events *k)
{
	const struct kvm_events *e = &a->events;

	memset(k, 0, sizeof(*k));
	/* Linux shows a pending one as injected where payloads are not asked for. */
	k->exception.injected = e->exception.injected || e->exception.pending;
	k->exception.nr = e->exception.vector;
	k->exception.has_error_code = e->exception.has_error;
	k->exception.error_code = e->exception.error;
	k->interrupt.injected = e->interrupt.injected;
	k->interrupt.nr = e->interrupt.vector;
	k->interrupt.shadow = a->vmcb->control.int_state & VMCB_SHADOW ?
				      KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS :
				      0;
	k->nmi.injected = e->nmi.injected;
	k->nmi.pending = e->nmi.pending;
	k->nmi.masked = e->nmi.masked;
	k->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
}

static long set_events(struct kvm_cpu_vcpu *a, const struct kvm_vcpu_events *k)
{
	struct kvm_events *e = &a->events;
	u32 known = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |
		    KVM_VCPUEVENT_VALID_SHADOW;

	if (k->flags & ~known)
		return -EINVAL;
	if (k->exception.injected && (k->exception.nr > 31 || k->exception.nr == VEC_NMI))
		return -EINVAL;
	e->exception.pending = false;
	e->exception.injected = k->exception.injected;
	e->exception.vector = k->exception.nr;
	e->exception.has_error = k->exception.has_error_code;
	e->exception.error = k->exception.error_code;
	e->interrupt.injected = k->interrupt.injected;
	e->interrupt.vector = k->interrupt.nr;
	if (k->flags & KVM_VCPUEVENT_VALID_SHADOW)
		a->vmcb->control.int_state = k->interrupt.shadow ? VMCB_SHADOW : 0;
	e->nmi.injected = k->nmi.injected;
	e->nmi.masked = k->nmi.masked;
	if (k->flags & KVM_VCPUEVENT_VALID_NMI_PENDING) {
		e->nmi.pending = 0;
		kvm_event_nmi(a, k->nmi.pending);
	}
	if (e->nmi.masked)
		vmcb_intercept(a->vmcb, VMCB_I_IRET);
	/* For KVM_MP_STATE_SIPI_RECEIVED, which comes before or behind it. */
	if (k->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR && a->has_lapic)
		WRITE_ONCE(a->sipi_vector, (u8)k->sipi_vector);
	return 0;
}

static void get_debug(const struct kvm_cpu_vcpu *a, struct kvm_debugregs *d)
{
	memset(d, 0, sizeof(*d));
	memcpy(d->db, a->dr, sizeof(d->db));
	d->dr6 = a->vmcb->save.dr6;
	d->dr7 = a->vmcb->save.dr7;
}

static long set_debug(struct kvm_cpu_vcpu *a, const struct kvm_debugregs *d)
{
	if (d->flags || d->dr6 >> 32 || d->dr7 >> 32)
		return -EINVAL;
	memcpy(a->dr, d->db, sizeof(a->dr));
	a->vmcb->save.dr6 = (d->dr6 & 0xe00f) | GUEST_DR6_FIXED;
	a->vmcb->save.dr7 = (d->dr7 & 0xffff2bff) | 0x400;
	return 0;
}

static long set_interrupt(struct kvm_cpu_vcpu *a, u32 vector)
{
	if (vector >= KVM_NR_INTERRUPTS)
		return -EINVAL;
	if (a->has_lapic)
		return -ENXIO;
	a->events.interrupt.injected = true;
	a->events.interrupt.vector = (u8)vector;
	return 0;
}

static long set_nmi(struct kvm_cpu_vcpu *a)
{
	kvm_event_nmi(a, 1);
	return 0;
}

/* ---- ioctls ---- */

/* Any of the images that are copied whole. */
union image {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	struct kvm_xcrs xcrs;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct kvm_mp_state mp;
	struct kvm_interrupt interrupt;
};

static long get(struct kvm_cpu_vcpu *a, unsigned int cmd, union image *i)
{
	switch (cmd) {
	case KVM_GET_REGS:
		get_regs(a, &i->regs);
		return 0;
	case KVM_GET_SREGS:
		get_sregs(a, &i->sregs);
		return 0;
	case KVM_GET_FPU:
		return get_fpu(a, &i->fpu);
	case KVM_GET_XCRS:
		return get_xcrs(a, &i->xcrs);
	case KVM_GET_VCPU_EVENTS:
		get_events(a, &i->events);
		return 0;
	case KVM_GET_DEBUGREGS:
		get_debug(a, &i->debug);
		return 0;
	case KVM_GET_MP_STATE:
		i->mp.mp_state = kvm_apic_mp_state(a->v);
		return 0;
	default:
		return -ENOTTY;
	}
}

static long set(struct kvm_cpu_vcpu *a, unsigned int cmd, const union image *i)
{
	switch (cmd) {
	case KVM_SET_REGS:
		set_regs(a, &i->regs);
		return 0;
	case KVM_SET_SREGS:
		return set_sregs(a, &i->sregs);
	case KVM_SET_FPU:
		return set_fpu(a, &i->fpu);
	case KVM_SET_XCRS:
		return set_xcrs(a, &i->xcrs);
	case KVM_SET_VCPU_EVENTS:
		return set_events(a, &i->events);
	case KVM_SET_DEBUGREGS:
		return set_debug(a, &i->debug);
	case KVM_SET_MP_STATE:
		return kvm_apic_set_mp_state(a->v, i->mp.mp_state);
	case KVM_INTERRUPT:
		return set_interrupt(a, i->interrupt.irq);
	default:
		return -ENOTTY;
	}
}

static long move(struct kvm_cpu_vcpu *a, unsigned int cmd, struct uptr arg)
{
	size_t size = _IOC_SIZE(cmd);
	union image *i;
	long r = -EFAULT;

	if (!size || size > sizeof(*i))
		return -ENOTTY;
	i = kzalloc(sizeof(*i), GFP_KERNEL_ACCOUNT);
	if (!i)
		return -ENOMEM;
	if (_IOC_DIR(cmd) == _IOC_READ) {
		r = get(a, cmd, i);
		if (!r && copy_to_user(arg, i, size))
			r = -EFAULT;
	} else if (!copy_from_user(i, arg, size)) {
		r = set(a, cmd, i);
	}
	kfree(i);
	return r;
}

static long tsc_khz_set(unsigned long khz)
{
	/* The guest's counter runs at the host's rate: there is no scaling. */
	return !khz || khz == tsc_khz ? 0 : -EINVAL;
}

static long vcpu_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg)
{
	struct kvm_cpu_vcpu *a = v->arch;

	switch (cmd) {
	case KVM_GET_MSRS:
	case KVM_SET_MSRS:
		return kvm_msr_ioctl(v, cmd, arg);
	case KVM_GET_CPUID2:
	case KVM_SET_CPUID2:
		return kvm_cpuid_ioctl(v, cmd, arg);
	case KVM_TRANSLATE:
		return kvm_translate_ioctl(v, arg);
	case KVM_SET_GUEST_DEBUG:
		return kvm_debug_ioctl(v, arg);
	case KVM_X86_SETUP_MCE:
	case KVM_X86_SET_MCE:
		return kvm_mce_ioctl(v, cmd, arg);
	case KVM_GET_XSAVE:
	case KVM_GET_XSAVE2:
		return get_xsave(a, arg);
	case KVM_SET_XSAVE:
		return set_xsave(a, arg);
	case KVM_NMI:
		return set_nmi(a);
	case KVM_SET_TSC_KHZ:
		return tsc_khz_set(arg.addr);
	case KVM_GET_TSC_KHZ:
		return (long)tsc_khz;
	case KVM_GET_LAPIC:
	case KVM_SET_LAPIC:
	case KVM_SET_VAPIC_ADDR:
		return kvm_apic_ioctl(v, cmd, arg);
	default:
		return move(a, cmd, arg);
	}
}

long kvm_cpu_vcpu_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg)
{
	long r = vcpu_ioctl(v, cmd, arg);
	int e = kvm_apic_follow(v);

	return r < 0 ? r : e ? e : r;
}

long kvm_cpu_dev_ioctl(unsigned int cmd, struct uptr arg)
{
	switch (cmd) {
	case KVM_GET_SUPPORTED_CPUID:
		return kvm_cpuid_supported(arg);
	case KVM_GET_EMULATED_CPUID:
		return kvm_cpuid_emulated(arg);
	case KVM_X86_GET_MCE_CAP_SUPPORTED:
		return kvm_mce_supported(arg);
	case KVM_GET_MSR_INDEX_LIST:
	case KVM_GET_MSR_FEATURE_INDEX_LIST:
		return kvm_msr_lists(cmd, arg);
	case KVM_GET_MSRS:
		return kvm_msr_ioctl(NULL, cmd, arg);
	default:
		return -ENOTTY;
	}
}
