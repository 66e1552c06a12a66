// SPDX-License-Identifier: MIT
/*
 * Loading segments, LDTR and TR, for KVM's instructions (APM 2, 4.7, 4.8 and 4.11; APM 3, MOV,
 * LLDT, LTR). The accessed or busy bit is set in the descriptor when nothing else can fail.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_insn_exec_priv.h"

#define ACCESSED 1u
#define TYPE_CONFORMING 0x0c

static u32 dpl_of(u16 attr)
{
	return attr >> 5 & 3;
}

static void unpack(struct kvm_exec_seg *seg, u16 selector, u64 d)
{
	u32 limit = (u32)(d & 0xffff) | (u32)(d >> 32 & 0xf0000);

	seg->selector = selector;
	seg->attr = (u16)((d >> 40 & 0xff) | (d >> 44 & 0xf00));
	seg->limit = seg->attr & KVM_ATTR_G ? limit << 12 | 0xfff : limit; /* not a page */
	seg->base = (d >> 16 & 0xffffff) | (d >> 56 & 0xff) << 24;
}

/* The descriptor's linear address. */
static enum kvm_exec_status find(struct kvm_exec *e, u16 selector, u64 *linear)
{
	bool local = selector & 4;
	u64 base = local ? e->ldtr.base : e->regs.gdt.base;
	u32 limit = local ? e->ldtr.limit : e->regs.gdt.limit, offset = selector & 0xfff8;

	if ((local && !(e->ldtr.attr & KVM_ATTR_P)) || offset + 7 > limit)
		return kvm_exec_fault(e, VECTOR_GP, selector & 0xfffc);
	*linear = base + offset;
	if (e->mode != KVM_MODE_LONG64)
		*linear = (u32)*linear;
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status check(struct kvm_exec *e, u8 seg, const struct kvm_exec_seg *s)
{
	u32 rpl = s->selector & 3, code = s->selector & 0xfffc, dpl = dpl_of(s->attr);
	bool is_code = s->attr & KVM_ATTR_CODE, ok;

	if (seg == KVM_SEG_SS)
		ok = !is_code && (s->attr & KVM_ATTR_RW) && rpl == e->cpl && dpl == e->cpl;
	else if (is_code && !(s->attr & KVM_ATTR_RW))
		ok = false;
	else
		ok = (s->attr & TYPE_CONFORMING) == TYPE_CONFORMING ||
		     (rpl <= dpl && e->cpl <= dpl);
	if (!(s->attr & KVM_ATTR_S) || !ok)
		return kvm_exec_fault(e, VECTOR_GP, code);
	if (!(s->attr & KVM_ATTR_P))
		return kvm_exec_fault(e, seg == KVM_SEG_SS ? VECTOR_SS : VECTOR_NP, code);
	return KVM_EXEC_DONE;
}

/* A null selector: not for SS, but in 64-bit mode below CPL 3 with its own RPL. */
static enum kvm_exec_status load_null(struct kvm_exec *e, u8 seg, u16 selector)
{
	if (seg == KVM_SEG_SS &&
	    (e->mode != KVM_MODE_LONG64 || e->cpl == 3 || (selector & 3) != e->cpl))
		return kvm_exec_fault(e, VECTOR_GP, 0);
	e->next.seg[seg] = (struct kvm_exec_seg){ .selector = selector };
	/* SS keeps saying what the CPL is. */
	if (seg == KVM_SEG_SS)
		e->next.seg[seg].attr = (u16)(e->cpl << 5);
	return KVM_EXEC_DONE;
}

enum kvm_exec_status kvm_exec_load_segment(struct kvm_exec *e, u8 seg, u16 selector)
{
	struct kvm_exec_seg loaded;
	u64 linear, old, fresh;
	enum kvm_exec_status s;

	if (e->mode == KVM_MODE_REAL) {
		e->next.seg[seg].selector = selector;
		e->next.seg[seg].base = (u64)selector << 4;
		return KVM_EXEC_DONE;
	}
	if (!(selector & 0xfffc))
		return load_null(e, seg, selector);
	s = find(e, selector, &linear);
	if (!s)
		s = kvm_exec_read_at(e, linear, &old, 8, KVM_READ_SYSTEM);
	if (s)
		return s;
	unpack(&loaded, selector, old);
	s = check(e, seg, &loaded);
	if (s)
		return s;
	e->next.seg[seg] = loaded;
	e->next.seg[seg].attr |= ACCESSED;
	if (loaded.attr & ACCESSED)
		return KVM_EXEC_DONE;
	fresh = old | (u64)ACCESSED << 40;
	return e->ops->exchange(e, linear, &old, &fresh, 8, KVM_READ_SYSTEM);
}

/* ---- CS ---- */

/* A code segment that a jump may go to from this CPL, which stays. */
static enum kvm_exec_status check_code(struct kvm_exec *e, const struct kvm_exec_seg *s)
{
	u32 rpl = s->selector & 3, code = s->selector & 0xfffc, dpl = dpl_of(s->attr);
	bool conforming = (s->attr & TYPE_CONFORMING) == TYPE_CONFORMING;

	if (!(s->attr & KVM_ATTR_CODE) ||
	    (conforming ? dpl > e->cpl : rpl > e->cpl || dpl != e->cpl))
		return kvm_exec_fault(e, VECTOR_GP, code);
	if (!(s->attr & KVM_ATTR_P))
		return kvm_exec_fault(e, VECTOR_NP, code);
	if (s->attr & KVM_ATTR_L && s->attr & KVM_ATTR_DB)
		return kvm_exec_fault(e, VECTOR_GP, code);
	return KVM_EXEC_DONE;
}

/* Whether the new CS has TARGET; then it is taken. */
static enum kvm_exec_status enter(struct kvm_exec *e, const struct kvm_exec_seg *cs, u64 target)
{
	if (cs->attr & KVM_ATTR_L ? !kvm_exec_canonical(e, target) : target > cs->limit)
		return kvm_exec_fault(e, VECTOR_GP, 0);
	e->next.seg[KVM_SEG_CS] = *cs;
	e->next.rip = target;
	return KVM_EXEC_DONE;
}

enum kvm_exec_status kvm_exec_jump_far(struct kvm_exec *e, u16 selector, u64 target)
{
	struct kvm_exec_seg cs = e->next.seg[KVM_SEG_CS];
	u64 linear, old, fresh;
	enum kvm_exec_status s;

	if (e->mode == KVM_MODE_REAL) {
		cs.selector = selector;
		cs.base = (u64)selector << 4;
		return enter(e, &cs, target);
	}
	if (!(selector & 0xfffc))
		return kvm_exec_fault(e, VECTOR_GP, 0);
	s = find(e, selector, &linear);
	if (!s)
		s = kvm_exec_read_at(e, linear, &old, 8, KVM_READ_SYSTEM);
	if (s)
		return s;
	unpack(&cs, selector, old);
	/* Gates and tasks; and outside 64-bit mode it is not known whether this is long mode. */
	if (!(cs.attr & KVM_ATTR_S) || (cs.attr & KVM_ATTR_L && e->mode != KVM_MODE_LONG64))
		return KVM_EXEC_UNHANDLED;
	s = check_code(e, &cs);
	if (s)
		return s;
	fresh = old | (u64)ACCESSED << 40;
	cs.selector = (u16)((selector & 0xfffc) | e->cpl);
	cs.attr |= ACCESSED;
	s = enter(e, &cs, target);
	if (s || fresh == old)
		return s;
	return e->ops->exchange(e, linear, &old, &fresh, 8, KVM_READ_SYSTEM);
}

/* ---- LDTR and TR ---- */

#define TYPE_LDT 2u
#define TYPE_TSS16 1u			/* available; not in long mode */
#define TYPE_TSS 9u
#define BUSY 2u
#define UPPER_ZERO 0x1f00u		/* of the last four bytes, in long mode: S and the type */

/* In long mode eight bytes more: the base's upper half. */
static enum kvm_exec_status extend(struct kvm_exec *e, u64 linear, struct kvm_exec_seg *seg)
{
	u32 code = seg->selector & 0xfffc;
	u64 upper;
	enum kvm_exec_status s;

	if ((seg->selector & 0xfff8) + 15 > e->regs.gdt.limit)
		return kvm_exec_fault(e, VECTOR_GP, code);
	s = kvm_exec_read_at(e, linear + 8, &upper, 8, KVM_READ_SYSTEM);
	if (s)
		return s;
	seg->base |= upper << 32;
	if (upper >> 32 & UPPER_ZERO || !kvm_exec_canonical(e, seg->base))
		return kvm_exec_fault(e, VECTOR_GP, code);
	return KVM_EXEC_DONE;
}

static bool type_fits(const struct kvm_exec *e, const struct kvm_exec_seg *seg, bool task)
{
	u32 type = seg->attr & 0xf;

	if (seg->attr & KVM_ATTR_S)
		return false;
	if (!task)
		return type == TYPE_LDT;
	return type == TYPE_TSS || (type == TYPE_TSS16 && e->mode != KVM_MODE_LONG64);
}

enum kvm_exec_status kvm_exec_load_system(struct kvm_exec *e, bool task, u16 selector)
{
	struct kvm_exec_seg seg = { .selector = selector };
	u32 code = selector & 0xfffc;
	u64 linear, old, fresh;
	enum kvm_exec_status s;

	if (!code && !task)
		return e->ops->set_system(e, task, &seg);
	if (!code || selector & 4)
		return kvm_exec_fault(e, VECTOR_GP, code);
	s = find(e, selector, &linear);
	if (!s)
		s = kvm_exec_read_at(e, linear, &old, 8, KVM_READ_SYSTEM);
	if (s)
		return s;
	unpack(&seg, selector, old);
	if (!type_fits(e, &seg, task))
		return kvm_exec_fault(e, VECTOR_GP, code);
	if (!(seg.attr & KVM_ATTR_P))
		return kvm_exec_fault(e, VECTOR_NP, code);
	s = e->mode == KVM_MODE_LONG64 ? extend(e, linear, &seg) : KVM_EXEC_DONE;
	if (s)
		return s;
	if (task) {
		seg.attr |= BUSY;
		fresh = old | (u64)BUSY << 40;
		s = e->ops->exchange(e, linear, &old, &fresh, 8, KVM_READ_SYSTEM);
	}
	return s ? s : e->ops->set_system(e, task, &seg);
}
