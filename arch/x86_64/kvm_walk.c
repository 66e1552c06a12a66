// SPDX-License-Identifier: MIT
/* A guest's page tables (kvm_walk.h). */
#include <abi/errno.h>
#include "arch/x86_64/kvm_walk.h"

#define CR0_WP (1ULL << 16)
#define CR0_PG (1ULL << 31)
#define CR4_PSE (1ULL << 4)
#define CR4_PAE (1ULL << 5)
#define CR4_LA57 (1ULL << 12)
#define CR4_SMEP (1ULL << 20)
#define CR4_SMAP (1ULL << 21)
#define EFER_LMA (1ULL << 10)
#define EFER_NX (1ULL << 11)
#define FLAG_AC (1ULL << 18)
#define E_P 1ULL
#define E_W 2ULL
#define E_U 4ULL
#define E_A 0x20ULL
#define E_D 0x40ULL
#define E_PS 0x80ULL
#define E_NX (1ULL << 63)
#define FRAME 0xffffffffff000ULL
#define LEVELS_MAX 5
#define TRIES 64			/* another CPU of the guest changed the entry each time */

struct steps {
	u64 gpa[LEVELS_MAX], entry[LEVELS_MAX];
	unsigned int n;
};

struct shape {
	unsigned int levels, bits, size;	/* bits of address a level, bytes of an entry */
	bool lma, pae;
};

static struct shape shape_of(const struct kvm_walk *w)
{
	struct shape s = { .lma = w->efer & EFER_LMA };

	s.pae = s.lma || w->cr4 & CR4_PAE;
	s.levels = s.lma ? (w->cr4 & CR4_LA57 ? 5 : 4) : s.pae ? 3 : 2;
	s.bits = s.pae ? 9 : 10;
	s.size = s.pae ? 8 : 4;
	return s;
}

static u64 low_bits(unsigned int n)
{
	return (1ULL << n) - 1;
}

/* Bits of ENTRY of LEVEL (0: of pages) that must be 0. */
static u64 reserved(const struct kvm_walk *w, const struct shape *s, unsigned int level, u64 entry)
{
	bool large = level && entry & E_PS;
	u64 r;

	if (!s->pae)			/* PSE-36: bits 13 to 20 are more of the address */
		return level && large && w->cr4 & CR4_PSE ? 1ULL << 21 : 0;
	r = FRAME & ~low_bits(w->phys_bits);
	if (!s->lma)
		r |= 0x7ff0000000000000ULL;
	if (!(w->efer & EFER_NX) || (!s->lma && level == 2))
		r |= E_NX;
	if (!s->lma && level == 2)
		return r | 0x1e6;
	if (level >= 3)
		return r | E_PS;
	if (large)
		r |= low_bits(12 + 9 * level) & ~low_bits(13);
	return r;
}

static bool is_last(const struct kvm_walk *w, const struct shape *s, unsigned int level, u64 entry)
{
	if (!level)
		return true;
	if (!(entry & E_PS))
		return false;
	return s->pae ? level == 1 || (level == 2 && s->lma) : w->cr4 & CR4_PSE;
}

/* Whether rights of all entries together, RIGHTS (E_W, E_U, E_NX if any forbids), allow it. */
static bool allowed(const struct kvm_walk *w, u64 rights, unsigned int how, bool user)
{
	if (user && !(rights & E_U))
		return false;
	if (how & KVM_WALK_FETCH) {
		if (rights & E_NX && w->efer & EFER_NX)
			return false;
		return user || !(rights & E_U) || !(w->cr4 & CR4_SMEP);
	}
	if (how & KVM_WALK_WRITE && !(rights & E_W) && (user || w->cr0 & CR0_WP))
		return false;
	if (!user && rights & E_U && w->cr4 & CR4_SMAP)
		return !(how & KVM_WALK_SYSTEM) && w->rflags & FLAG_AC && w->cpl < 3;
	return true;
}

static u64 frame_of(const struct shape *s, unsigned int level, u64 entry, u64 linear)
{
	unsigned int shift = 12 + s->bits * level;
	u64 f = entry & (s->pae ? FRAME : 0xfffff000ULL) & ~low_bits(shift);

	if (!s->pae && level)
		f |= (entry >> 13 & 0xff) << 32;
	return f | (linear & low_bits(shift));
}

/* Accessed in all entries of T, dirty in the last one too. -EAGAIN: one changed. */
static int mark(const struct kvm_walk *w, const struct shape *s, const struct steps *t, bool dirty)
{
	for (unsigned int i = 0; i < t->n; i++) {
		u64 want = t->entry[i] | E_A | (dirty && i == t->n - 1 ? E_D : 0);
		int e;

		if (s->pae && !s->lma && i == 0)	/* a PDPTE has no such bits */
			continue;
		if (want == t->entry[i])
			continue;
		e = w->exchange(w->arg, t->gpa[i], &t->entry[i], &want, s->size);
		if (e)
			return e;
	}
	return 0;
}

static int walk_once(const struct kvm_walk *w, const struct shape *s, u64 linear, unsigned int how,
		     u64 *gpa, u32 *code)
{
	bool user = w->cpl == 3 && !(how & KVM_WALK_SYSTEM);
	u64 table = w->cr3 & (s->lma ? FRAME : s->pae ? 0xffffffe0ULL : 0xfffff000ULL);
	u64 rights = E_W | E_U;
	struct steps t = { .n = 0 };

	for (unsigned int level = s->levels; level-- > 0;) {
		unsigned int index = linear >> (12 + s->bits * level) & low_bits(s->bits);
		u64 at = table + index * s->size, entry = 0;
		int e = w->read(w->arg, at, &entry, s->size);

		if (e)
			return e;
		if (!(entry & E_P))
			return 1;
		*code |= PF_PRESENT;
		if (entry & reserved(w, s, level, entry)) {
			*code |= PF_RESERVED;
			return 1;
		}
		t.gpa[t.n] = at;
		t.entry[t.n++] = entry;
		if (!(s->pae && !s->lma && level == 2))
			rights &= entry | ~(E_W | E_U);
		rights |= s->pae ? entry & E_NX : 0;
		if (is_last(w, s, level, entry)) {
			if (!allowed(w, rights, how, user))
				return 1;
			*gpa = frame_of(s, level, entry, linear);
			return mark(w, s, &t, how & KVM_WALK_WRITE);
		}
		*code &= ~PF_PRESENT;
		table = entry & (s->pae ? FRAME : 0xfffff000ULL);
	}
	return 1;			/* not reached: level 0 is the last */
}

int kvm_walk(const struct kvm_walk *w, u64 linear, unsigned int how, u64 *gpa, u32 *code)
{
	struct shape s = shape_of(w);
	u32 base = (how & KVM_WALK_WRITE ? PF_WRITE : 0) |
		   (w->cpl == 3 && !(how & KVM_WALK_SYSTEM) ? PF_USER : 0);
	int e = -EAGAIN;

	if (!s.lma)
		linear &= 0xffffffff;
	if (!(w->cr0 & CR0_PG)) {
		*gpa = linear;
		return 0;
	}
	if (how & KVM_WALK_FETCH && ((w->efer & EFER_NX && s.pae) || w->cr4 & CR4_SMEP))
		base |= PF_FETCH;
	for (unsigned int i = 0; e == -EAGAIN && i < TRIES; i++) {
		*code = base;
		e = walk_once(w, &s, linear, how, gpa, code);
	}
	return e;
}
