// SPDX-License-Identifier: MIT
/*
 * Memory as KVM's instructions see it: segment checks (APM 2, 4.5 to 4.12), canonical addresses,
 * the stack, and what was read while an instruction is pending.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_insn_exec_priv.h"

#define CR4_LA57 (1ull << 12)

u64 kvm_exec_offset(const struct kvm_exec *e)
{
	const struct kvm_insn_mem *m = &e->insn.mem;
	u64 v = (u64)m->disp;

	if (m->base == KVM_REG_RIP)
		v += e->regs.rip + e->insn.length;
	else if (m->base != KVM_REG_NONE)
		v += e->next.gpr[m->base];
	if (m->index != KVM_REG_NONE)
		v += e->next.gpr[m->index] * m->scale;
	return v & kvm_exec_mask(e->insn.addr_size);
}

bool kvm_exec_canonical(const struct kvm_exec *e, u64 address)
{
	u32 unused = e->cr4 & CR4_LA57 ? 7 : 16;

	return (u64)((s64)(address << unused) >> unused) == address;
}

static enum kvm_exec_status bad(struct kvm_exec *e, u8 seg)
{
	return kvm_exec_fault(e, seg == KVM_SEG_SS ? VECTOR_SS : VECTOR_GP, 0);
}

/* Whether SEGMENT's type and presence let it be read or written. Real mode has no types. */
static bool accessible(const struct kvm_exec *e, const struct kvm_exec_seg *seg, bool write)
{
	if (e->mode == KVM_MODE_REAL)
		return true;
	if (!(seg->attr & KVM_ATTR_P))
		return false;
	if (seg->attr & KVM_ATTR_CODE)
		return !write && (seg->attr & KVM_ATTR_RW);
	return !write || (seg->attr & KVM_ATTR_RW);
}

static bool within(const struct kvm_exec_seg *seg, u64 first, u32 size)
{
	u64 last = first + size - 1;
	bool down = (seg->attr & (KVM_ATTR_CODE | KVM_ATTR_DOWN)) == KVM_ATTR_DOWN;

	if (!down)
		return last <= seg->limit;
	return first > seg->limit && last <= (seg->attr & KVM_ATTR_DB ? 0xffffffff : 0xffff);
}

enum kvm_exec_status kvm_exec_linear(struct kvm_exec *e, u8 seg, u64 offset, u32 size, bool write,
				     u64 *linear)
{
	const struct kvm_exec_seg *s = &e->next.seg[seg];

	if (e->mode == KVM_MODE_LONG64) {
		*linear = offset + (seg >= KVM_SEG_FS ? s->base : 0);
		return kvm_exec_canonical(e, *linear) && kvm_exec_canonical(e, *linear + size - 1) ?
			       KVM_EXEC_DONE :
			       bad(e, seg);
	}
	if (!accessible(e, s, write) || !within(s, offset, size))
		return bad(e, seg);
	*linear = (u32)(s->base + offset);
	return KVM_EXEC_DONE;
}

/* What was read there while this instruction was pending, once. */
static const struct kvm_exec_kept *find_kept(struct kvm_exec *e, u64 linear, u32 size)
{
	for (u32 k = 0; k < e->nr_kept; k++) {
		struct kvm_exec_kept *kept = &e->kept[k];

		if (kept->fresh && kept->linear == linear && kept->size == size) {
			kept->fresh = false;
			return kept;
		}
	}
	return NULL;
}

static void keep(struct kvm_exec *e, u64 linear, const void *data, u32 size)
{
	struct kvm_exec_kept *k = &e->kept[e->nr_kept];

	if (e->nr_kept >= sizeof(e->kept) / sizeof(e->kept[0]) || size > sizeof(k->data))
		return;
	*k = (struct kvm_exec_kept){ .linear = linear, .size = (u8)size };
	memcpy(k->data, data, size);
	e->nr_kept++;
}

enum kvm_exec_status kvm_exec_read_at(struct kvm_exec *e, u64 linear, void *data, u32 size, u32 how)
{
	const struct kvm_exec_kept *k = find_kept(e, linear, size);
	enum kvm_exec_status s;

	if (k) {
		memcpy(data, k->data, size);
		return KVM_EXEC_DONE;
	}
	s = e->ops->read(e, linear, data, size, how);
	if (!s)
		keep(e, linear, data, size);
	return s;
}

enum kvm_exec_status kvm_exec_read(struct kvm_exec *e, u8 seg, u64 offset, void *data, u32 size,
				   bool will_write)
{
	u64 linear;
	enum kvm_exec_status s = kvm_exec_linear(e, seg, offset, size, false, &linear);

	if (!s && will_write)
		s = kvm_exec_linear(e, seg, offset, size, true, &linear);
	return s ? s : kvm_exec_read_at(e, linear, data, size, will_write ? KVM_READ_WRITES : 0);
}

enum kvm_exec_status kvm_exec_write(struct kvm_exec *e, u8 seg, u64 offset, const void *data,
				    u32 size)
{
	u64 linear;
	enum kvm_exec_status s = kvm_exec_linear(e, seg, offset, size, true, &linear);

	return s ? s : e->ops->write(e, linear, data, size);
}

enum kvm_exec_status kvm_exec_exchange(struct kvm_exec *e, u8 seg, u64 offset, const void *old,
				       const void *fresh, u32 size)
{
	u64 linear;
	enum kvm_exec_status s = kvm_exec_linear(e, seg, offset, size, true, &linear);

	return s ? s : e->ops->exchange(e, linear, old, fresh, size, 0);
}

u32 kvm_exec_stack_size(const struct kvm_exec *e)
{
	if (e->mode == KVM_MODE_LONG64)
		return 8;
	return e->next.seg[KVM_SEG_SS].attr & KVM_ATTR_DB ? 4 : 2;
}

/* RSP, of which a 16-bit stack moves the low half alone. */
static void set_sp(struct kvm_exec *e, u64 value)
{
	kvm_exec_merge(&e->next.gpr[RSP], value, kvm_exec_stack_size(e));
}

enum kvm_exec_status kvm_exec_push(struct kvm_exec *e, u64 value, u32 size)
{
	u64 sp = (e->next.gpr[RSP] - size) & kvm_exec_mask(kvm_exec_stack_size(e));
	enum kvm_exec_status s = kvm_exec_write(e, KVM_SEG_SS, sp, &value, size);

	if (!s)
		set_sp(e, sp);
	return s;
}

enum kvm_exec_status kvm_exec_pop(struct kvm_exec *e, u64 *value, u32 size)
{
	u64 sp = e->next.gpr[RSP] & kvm_exec_mask(kvm_exec_stack_size(e));
	enum kvm_exec_status s;

	*value = 0;
	s = kvm_exec_read(e, KVM_SEG_SS, sp, value, size, false);
	if (!s)
		set_sp(e, sp + size);
	return s;
}
