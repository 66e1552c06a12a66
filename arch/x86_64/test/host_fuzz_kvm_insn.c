// SPDX-License-Identifier: MIT
/* sources: arch/x86_64/kvm_insn_decode.c arch/x86_64/kvm_insn_table.c */
/* sources: arch/x86_64/kvm_insn_operand.c */
/* fuzz: -max_len=20 */
/*
 * KVM's decoder of instructions: the first byte is the mode, the others are what a guest has at
 * RIP.
 */
#define FUZZ_MAX 64
#include <assert.h>
#include "arch/x86_64/kvm_insn.h"
#include "lib/test/fuzz.h"

static void check_operand(const struct kvm_insn *i, const struct kvm_operand *o)
{
	assert(o->kind > KVM_OPND_NONE && o->kind <= KVM_OPND_ONE);
	assert(o->size == 1 || o->size == 2 || o->size == 4 || o->size == 6 || o->size == 8 ||
	       o->size == 10 || o->size == 16);
	switch (o->kind) {
	case KVM_OPND_REG:
	case KVM_OPND_XMM:
		assert(o->reg < 16 && (!o->high || (o->reg < 4 && o->size == 1)));
		break;
	case KVM_OPND_CR:
		assert(o->reg <= 8);
		break;
	case KVM_OPND_SEG:
		assert(o->reg <= KVM_SEG_GS);
		break;
	case KVM_OPND_DR:
	case KVM_OPND_MMX:
		assert(o->reg < 8);
		break;
	case KVM_OPND_MEM:
	case KVM_OPND_SOURCE:
		assert(i->mem.present);
		break;
	default:
		break;
	}
}

static void check(const struct kvm_insn *i, enum kvm_insn_mode mode)
{
	const struct kvm_insn_mem *m = &i->mem;

	assert(i->length && i->length <= KVM_INSN_MAX && i->prefixes < i->length);
	assert(i->op < KVM_OP_COUNT && i->nr_operands <= 3);
	assert(i->op_size == 2 || i->op_size == 4 || (i->op_size == 8 && mode == KVM_MODE_LONG64));
	assert(i->addr_size == 2 || i->addr_size == 4 ||
	       (i->addr_size == 8 && mode == KVM_MODE_LONG64));
	assert(i->addr_size != 2 || mode != KVM_MODE_LONG64);
	assert(i->prefixes + i->has_modrm + i->has_sib + i->disp_size + i->imm_size + i->imm2_size <
	       i->length);
	assert(mode == KVM_MODE_LONG64 || !(i->r | i->x | i->b | i->has_rex));
	assert(mode != KVM_MODE_REAL || i->encoding <= KVM_ENC_3DNOW);
	assert(i->op != KVM_OP_OTHER || (!i->nr_operands && !i->regs_read && !i->regs_written));
	if (m->present) {
		assert(m->seg <= KVM_SEG_GS);
		assert(m->base < 16 || m->base == KVM_REG_NONE ||
		       (m->base == KVM_REG_RIP && mode == KVM_MODE_LONG64));
		assert(m->index == KVM_REG_NONE || m->index < 16);
		assert(m->scale == 1 || m->scale == 2 || m->scale == 4 || m->scale == 8);
	}
	for (u32 k = 0; k < i->nr_operands; k++)
		check_operand(i, &i->operands[k]);
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct kvm_insn i, again;
	enum kvm_insn_status s, t;
	enum kvm_insn_mode mode;
	u32 count;

	if (!n)
		return;
	mode = p[0] % 4;
	count = (u32)n - 1;
	s = kvm_insn_decode(p + 1, count, mode, &i);
	assert(i.length <= KVM_INSN_MAX && i.length <= count);
	assert(s != KVM_INSN_MORE || i.length == count);
	assert(s != KVM_INSN_TOO_LONG || i.length == KVM_INSN_MAX);
	if (!s)
		check(&i, mode);
	/* Fewer bytes ask for more, as long as one is missing; more than it has change nothing. */
	for (u32 k = 0; k < count && k <= KVM_INSN_MAX; k++) {
		t = kvm_insn_decode(p + 1, k, mode, &again);
		if (s)
			assert(t == KVM_INSN_MORE || t == s);
		else
			assert(t == (k < i.length ? KVM_INSN_MORE : KVM_INSN_OK));
		assert(t || (again.length == i.length && again.op == i.op && again.imm == i.imm));
	}
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 seeds[][20] = {
		{ 5, 3, 0x89, 0x44, 0x8b, 0x10 },		/* mov %eax,16(%rbx,%rcx,4) */
		{ 8, 3, 0x48, 0x81, 0x05, 1, 2, 3, 4, 5 },	/* add $n,n(%rip) */
		{ 4, 0, 0xf3, 0x66, 0xa5, 0 },			/* rep movsl */
		{ 7, 2, 0xf0, 0x0f, 0xc7, 0x0c, 0x24, 0 },	/* lock cmpxchg8b (%esp) */
		{ 5, 1, 0x67, 0x66, 0x8b, 0x04, 0x24 },
		{ 6, 3, 0xc4, 0xe2, 0x7d, 0x18, 0x00 },		/* vbroadcastss */
		{ 8, 3, 0x62, 0xf1, 0x7c, 0x48, 0x10, 0x40, 1 }, /* vmovups */
		{ 9, 3, 0x8f, 0xea, 0x78, 0x10, 0xc0, 1, 2, 3 },
		{ 5, 2, 0x0f, 0x0f, 0xc1, 0x9e },		/* pfadd */
		{ 4, 3, 0x0f, 0x22, 0xd8, 0 },			/* mov %rax,%cr3 */
		{ 8, 2, 0x9a, 1, 2, 3, 4, 5, 6, 0 },		/* lcall */
		{ 12, 3, 0x49, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0 },
		{ 7, 3, 0xf2, 0x0f, 0x38, 0xf1, 0x07, 0 },	/* crc32 */
		{ 5, 3, 0x0f, 0x01, 0xd9, 0 },			/* vmmcall */
		{ 4, 0, 0xdd, 0x06, 1, 2 },
	};

	if (i >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memcpy(buf, seeds[i] + 1, seeds[i][0]);
	return seeds[i][0];
}
