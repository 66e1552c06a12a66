// SPDX-License-Identifier: MIT
/* sources: arch/x86_64/kvm_insn_decode.c arch/x86_64/kvm_insn_table.c */
/* sources: arch/x86_64/kvm_insn_operand.c arch/x86_64/kvm_insn_exec.c arch/x86_64/kvm_insn_mem.c */
/* sources: arch/x86_64/kvm_insn_alu.c arch/x86_64/kvm_insn_bits.c arch/x86_64/kvm_insn_move.c */
/* sources: arch/x86_64/kvm_insn_vector.c arch/x86_64/kvm_insn_flow.c */
/* sources: arch/x86_64/kvm_insn_stack.c arch/x86_64/kvm_insn_string.c */
/* sources: arch/x86_64/kvm_insn_segment.c arch/x86_64/kvm_insn_system.c */
/*
 * KVM's execution of instructions against the CPU: random registers, memory and instructions, run
 * both ways in 64-bit mode and, through a segment of the host's, where it has one, in 32-bit mode.
 * All registers, the flags that the manual defines, memory, faults and RIP are compared.
 */
#include <cpuid.h>
#include <stdio.h>
#include "arch/x86_64/kvm_insn_exec.h"
#include "arch/x86_64/test/kvm_insn_cpu.h"

static u8 shadow[ARENA_SIZE], vectors[16][32];
static u64 seed = 88172645463325252ull;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 2685821657736338717ull >> 8 ^ seed << 40;
}

/* Values that make carries, signs and zeros likely. */
static u64 rnd_value(void)
{
	u64 v = rnd(), ones = ~0ull << rnd() % 64;

	switch (rnd() % 6) {
	case 0:
		return ones;
	case 1:
		return ~ones;
	case 2:
		return (u64)(s64)(s8)v;
	case 3:
		return 1ull << v % 64;
	default:
		return v;
	}
}

/* --- the emulation's side --- */

static enum kvm_exec_status page_fault(struct kvm_exec *e, u64 linear)
{
	e->fault = (struct kvm_exec_fault){ .vector = 14, .has_code = 1, .address = linear };
	return KVM_EXEC_FAULT;
}

/* The place in shadow, or NULL with the first byte that is not there as the fault's. */
static u8 *find(struct kvm_exec *e, u64 linear, u32 size)
{
	for (u32 k = 0; k < size; k++)
		if (linear + k < ARENA || linear + k >= ARENA + ARENA_SIZE) {
			page_fault(e, linear + k);
			return NULL;
		}
	return shadow + (linear - ARENA);
}

static enum kvm_exec_status mem_read(struct kvm_exec *e, u64 linear, void *data, u32 size, u32 how)
{
	u8 *p = find(e, linear, size);

	(void)how;
	if (!p)
		return KVM_EXEC_FAULT;
	memcpy(data, p, size);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status mem_write(struct kvm_exec *e, u64 linear, const void *data, u32 size)
{
	u8 *p = find(e, linear, size);

	if (!p)
		return KVM_EXEC_FAULT;
	memcpy(p, data, size);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status mem_exchange(struct kvm_exec *e, u64 linear, const void *old,
					 const void *fresh, u32 size, u32 how)
{
	u8 *p = find(e, linear, size);

	(void)how;
	if (!p)
		return KVM_EXEC_FAULT;
	assert(!memcmp(p, old, size));
	memcpy(p, fresh, size);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status mem_probe(struct kvm_exec *e, u64 linear, u32 size)
{
	return find(e, linear, size) ? KVM_EXEC_DONE : KVM_EXEC_FAULT;
}

static enum kvm_exec_status get_vec(struct kvm_exec *e, u8 n, void *data, u32 size)
{
	(void)e;
	memcpy(data, vectors[n], size);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status set_vec(struct kvm_exec *e, u8 n, const void *data, u32 size,
				    bool clear)
{
	(void)e;
	memcpy(vectors[n], data, size);
	if (clear)
		memset(vectors[n] + size, 0, 32 - size);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status cpuid(struct kvm_exec *e, u32 leaf, u32 index, u32 *out)
{
	(void)e;
	__cpuid_count(leaf, index, out[0], out[1], out[2], out[3]);
	return KVM_EXEC_DONE;
}

static const struct kvm_exec_ops ops = {
	.read = mem_read,
	.write = mem_write,
	.exchange = mem_exchange,
	.probe = mem_probe,
	.get_vec = get_vec,
	.set_vec = set_vec,
	.cpuid = cpuid,
};

/* --- instructions --- */

#define T_BYTE 1	/* no operand size */
#define T_PLAIN 2	/* ModRM's reg field is part of the opcode, or there is none */
#define T_STACK 4
#define T_STRING 8
#define T_BRANCH 16
#define T_NO64 32
#define T_ONLY64 64
#define T_MEMORY 128	/* only with memory */

/* Opcodes: FIRST to LAST after PREFIX; REG: ModRM's reg field, 8 for any. */
static const struct template
{
	const char *prefix;
	u8 first, last, reg;
	u16 flags;
	const char *cpu; /* what it needs */
}

templates[] = {
	{ "", 0x00, 0x03, 8, 0, 0 },
	{ "", 0x04, 0x05, 8, T_PLAIN, 0 },
	{ "", 0x08, 0x0b, 8, 0, 0 },
	{ "", 0x0c, 0x0d, 8, T_PLAIN, 0 },
	{ "", 0x10, 0x13, 8, 0, 0 },
	{ "", 0x14, 0x15, 8, T_PLAIN, 0 },
	{ "", 0x18, 0x1b, 8, 0, 0 },
	{ "", 0x1c, 0x1d, 8, T_PLAIN, 0 },
	{ "", 0x20, 0x23, 8, 0, 0 },
	{ "", 0x28, 0x2b, 8, 0, 0 },
	{ "", 0x30, 0x33, 8, 0, 0 },
	{ "", 0x38, 0x3b, 8, 0, 0 },
	{ "", 0x3c, 0x3d, 8, T_PLAIN, 0 },
	{ "", 0x80, 0x81, 8, 0, 0 },
	{ "", 0x83, 0x83, 8, 0, 0 },
	{ "", 0x84, 0x87, 8, 0, 0 },
	{ "", 0x88, 0x8b, 8, 0, 0 },
	{ "", 0x8c, 0x8d, 8, 0, 0 },
	{ "", 0x90, 0x99, 8, T_PLAIN, 0 },
	{ "", 0x9e, 0x9f, 8, T_PLAIN, 0 },
	{ "", 0xa0, 0xa3, 8, T_PLAIN, 0 },
	{ "", 0xa8, 0xa9, 8, T_PLAIN, 0 },
	{ "", 0xb0, 0xbf, 8, T_PLAIN, 0 },
	{ "", 0xc6, 0xc7, 0, 0, 0 },
	{ "", 0xc0, 0xc1, 8, 0, 0 },
	{ "", 0xd0, 0xd3, 8, 0, 0 },
	{ "", 0xd7, 0xd7, 8, T_PLAIN, 0 },
	{ "", 0xf6, 0xf7, 8, 0, 0 },
	{ "", 0xfe, 0xff, 0, 0, 0 },
	{ "", 0xfe, 0xff, 1, 0, 0 },
	{ "", 0x69, 0x69, 8, 0, 0 },
	{ "", 0x6b, 0x6b, 8, 0, 0 },
	{ "", 0x40, 0x4f, 8, T_PLAIN | T_NO64, 0 },
	{ "", 0x63, 0x63, 8, T_ONLY64, 0 },
	{ "", 0xf5, 0xf5, 8, T_PLAIN, 0 },
	{ "", 0xf8, 0xfd, 8, T_PLAIN, 0 },
	{ "", 0xf4, 0xf4, 8, T_PLAIN, 0 },
	{ "", 0xe4, 0xe7, 8, T_PLAIN, 0 },
	{ "", 0xec, 0xef, 8, T_PLAIN, 0 },
	{ "", 0x50, 0x5f, 8, T_PLAIN | T_STACK, 0 },
	{ "", 0x68, 0x68, 8, T_PLAIN | T_STACK, 0 },
	{ "", 0x6a, 0x6a, 8, T_PLAIN | T_STACK, 0 },
	{ "", 0x8f, 0x8f, 0, T_STACK, 0 },
	{ "", 0xff, 0xff, 6, T_STACK, 0 },
	{ "", 0xc8, 0xc9, 8, T_PLAIN | T_STACK, 0 },
	{ "", 0x9c, 0x9d, 8, T_PLAIN | T_STACK, 0 },
	{ "", 0xff, 0xff, 2, T_STACK | T_BRANCH, 0 },
	{ "", 0xff, 0xff, 4, T_BRANCH, 0 },
	{ "", 0xc2, 0xc3, 8, T_PLAIN | T_STACK | T_BRANCH, 0 },
	{ "", 0xe8, 0xe9, 8, T_PLAIN | T_STACK | T_BRANCH, 0 },
	{ "", 0x70, 0x7f, 8, T_PLAIN | T_BRANCH, 0 },
	{ "", 0xe0, 0xe3, 8, T_PLAIN | T_BRANCH, 0 },
	{ "", 0xeb, 0xeb, 8, T_PLAIN | T_BRANCH, 0 },
	{ "", 0xa4, 0xa7, 8, T_PLAIN | T_STRING, 0 },
	{ "", 0xaa, 0xaf, 8, T_PLAIN | T_STRING, 0 },
	{ "", 0x6c, 0x6f, 8, T_PLAIN | T_STRING, 0 },
	{ "0f", 0x80, 0x8f, 8, T_PLAIN | T_BRANCH, 0 },
	{ "0f", 0x40, 0x4f, 8, 0, 0 },
	{ "0f", 0x90, 0x9f, 8, 0, 0 },
	{ "0f", 0xa2, 0xa2, 8, T_PLAIN, 0 },
	{ "0f", 0xa3, 0xa5, 8, 0, 0 },
	{ "0f", 0xab, 0xad, 8, 0, 0 },
	{ "0f", 0xaf, 0xb1, 8, 0, 0 },
	{ "0f", 0xb3, 0xb3, 8, 0, 0 },
	{ "0f", 0xb6, 0xb7, 8, 0, 0 },
	{ "f3 0f", 0xb8, 0xb8, 8, 0, "popcnt" },
	{ "0f", 0xba, 0xba, 8, 0, 0 },
	{ "0f", 0xbb, 0xbf, 8, 0, 0 },
	{ "f3 0f", 0xbc, 0xbc, 8, 0, "bmi" },
	{ "f3 0f", 0xbd, 0xbd, 8, 0, "lzcnt" },
	{ "0f", 0xc0, 0xc1, 8, 0, 0 },
	{ "0f", 0xc3, 0xc3, 8, T_MEMORY, 0 },
	{ "0f", 0xc7, 0xc7, 1, T_MEMORY, 0 },
	{ "0f", 0xc8, 0xcf, 8, T_PLAIN, 0 },
	{ "0f", 0x1f, 0x1f, 0, 0, 0 },
	{ "0f 38", 0xf0, 0xf1, 8, T_MEMORY, "movbe" },
	/* privileged: #GP, as the test runs in user mode */
	{ "0f", 0x06, 0x06, 8, T_PLAIN, 0 },
	{ "0f", 0x08, 0x09, 8, T_PLAIN, 0 },
	{ "0f", 0x20, 0x23, 8, 0, 0 },
	{ "0f", 0x30, 0x30, 8, T_PLAIN, 0 },
	{ "0f", 0x32, 0x32, 8, T_PLAIN, 0 },
	{ "0f", 0x01, 0x01, 6, 0, 0 },
	{ "0f", 0x01, 0x01, 7, T_MEMORY, 0 },
	/* vectors */
	{ "0f", 0x10, 0x11, 8, T_MEMORY, 0 },
	{ "66 0f", 0x10, 0x11, 8, T_MEMORY, 0 },
	{ "f3 0f", 0x10, 0x11, 8, T_MEMORY, 0 },
	{ "f2 0f", 0x10, 0x11, 8, T_MEMORY, 0 },
	{ "0f", 0x12, 0x13, 8, T_MEMORY, 0 },
	{ "66 0f", 0x16, 0x17, 8, T_MEMORY, 0 },
	{ "0f", 0x28, 0x29, 8, T_MEMORY, 0 },
	{ "0f", 0x2b, 0x2b, 8, T_MEMORY, 0 },
	{ "66 0f", 0x6e, 0x6f, 8, T_MEMORY, 0 },
	{ "f3 0f", 0x6f, 0x6f, 8, T_MEMORY, 0 },
	{ "66 0f", 0x7e, 0x7f, 8, T_MEMORY, 0 },
	{ "f3 0f", 0x7e, 0x7f, 8, T_MEMORY, 0 },
	{ "66 0f", 0xd6, 0xd6, 8, T_MEMORY, 0 },
	{ "66 0f", 0xe7, 0xe7, 8, T_MEMORY, 0 },
	{ "f2 0f", 0xf0, 0xf0, 8, T_MEMORY, 0 },
	{ "66 0f 38", 0x2a, 0x2a, 8, T_MEMORY, "sse4.1" },
	{ "c5 fc", 0x10, 0x11, 8, T_MEMORY, "avx" },
	{ "c5 f8", 0x28, 0x29, 8, T_MEMORY, "avx" },
	{ "c5 fd", 0x6f, 0x6f, 8, T_MEMORY, "avx" },
	{ "c5 7e", 0x6f, 0x6f, 8, T_MEMORY | T_ONLY64, "avx" },
	{ "c5 fd", 0x7f, 0x7f, 8, T_MEMORY, "avx" },
	{ "c5 fd", 0xe7, 0xe7, 8, T_MEMORY, "avx" },
	{ "c5 fb", 0xf0, 0xf0, 8, T_MEMORY, "avx" },
	{ "c4 e2 7d", 0x2a, 0x2a, 8, T_MEMORY, "avx2" },
};

static bool has(const char *cpu)
{
	u32 a, b, c, d, extended;

	__cpuid(0x80000001, a, b, extended, d);
	__cpuid(1, a, b, c, d);
	return !cpu || (!strcmp(cpu, "popcnt") && __builtin_cpu_supports("popcnt")) ||
	       (!strcmp(cpu, "bmi") && __builtin_cpu_supports("bmi")) ||
	       (!strcmp(cpu, "lzcnt") && (extended >> 5 & 1)) ||
	       (!strcmp(cpu, "movbe") && (c >> 22 & 1)) ||
	       (!strcmp(cpu, "sse4.1") && __builtin_cpu_supports("sse4.1")) ||
	       (!strcmp(cpu, "avx") && avx) ||
	       (!strcmp(cpu, "avx2") && __builtin_cpu_supports("avx2"));
}

static void make_bytes(u8 *b, const struct template *t)
{
	const char *p = t->prefix;
	bool vex = *p == 'c';
	u32 n = 0;
	char *end;

	for (u32 k = 0; k < KVM_INSN_MAX; k++)
		b[k] = (u8)rnd();
	if (!vex && !(t->flags & T_BRANCH) && rnd() % 4 == 0)
		b[n++] = 0x66;
	if (rnd() % 8 == 0 && !(in_32 && rnd() % 8))
		b[n++] = 0x67;
	if (!vex && rnd() % 8 == 0)
		b[n++] = 0xf0;
	if ((t->flags & T_STRING) && rnd() % 2)
		b[n++] = rnd() % 2 ? 0xf2 : 0xf3;
	for (; *p == '6' || *p == 'f'; p = end + (*end == ' '))
		b[n++] = (u8)strtoul(p, &end, 16);
	if (!vex && !in_32 && rnd() % 2)
		b[n++] = 0x40 | rnd() % 16;
	for (; *p; p = end + (*end == ' '))
		b[n++] = (u8)strtoul(p, &end, 16);
	b[n++] = t->first + (u8)(rnd() % (t->last - t->first + 1u));
	if (t->reg < 8)
		b[n] = (b[n] & 0xc7) | t->reg << 3;
	if (t->flags & T_MEMORY && b[n] >= 0xc0)
		b[n] -= 0x40u << rnd() % 2;
	if (b[n - 1] == 0xc8 && !*t->prefix) { /* ENTER of one frame, mostly in the arena */
		b[n + 1] = rnd() % 8 ? b[n + 1] & 3 : 0x30;
		b[n + 2] &= 0xe0;
	}
}

static u32 target_of(const struct kvm_insn *i)
{
	u32 t = 1024 + (u32)(rnd() % (ARENA_SIZE - 2048));

	if (rnd() % 32 == 0)
		t = ARENA_SIZE - (u32)(rnd() % 33);
	return ARENA + (i->op == KVM_OP_MOVX || i->op == KVM_OP_CMPXCHG8B ||
					i->op == KVM_OP_OTHER || rnd() % 2 ?
				(rnd() % 8 ? t & ~31u : t) :
				t);
}

/* Makes insn.mem an address of the arena, by the base, the displacement or the index. */
static bool aim(struct kvm_insn *i, u8 *b, u64 *gpr, u32 target)
{
	struct kvm_insn_mem *m = &i->mem;
	u8 *disp = b + i->length - i->imm_size - i->imm2_size - i->disp_size;
	u64 left = target;
	s32 small = (s32)(rnd() % 2048) - 1024;

	if (i->encoding != KVM_ENC_LEGACY)
		disp = b + i->length - i->disp_size;
	if (m->index != KVM_REG_NONE && m->index == m->base)
		return false;
	if (m->index != KVM_REG_NONE) {
		gpr[m->index] = rnd() % 64;
		left -= gpr[m->index] * m->scale;
	}
	if (m->base < 16) {
		if (i->disp_size == 4 && rnd() % 2) {
			memcpy(disp, &small, 4);
			m->disp = small;
		}
		gpr[m->base] = (left - (u64)m->disp) & (i->addr_size == 8 ? ~0ull : 0xffffffff);
		if (i->addr_size == 4 && !in_32)
			gpr[m->base] |= rnd() << 32;
		return true;
	}
	if (m->base == KVM_REG_RIP)
		left -= INSN + i->length;
	memset(disp, 0, i->disp_size);
	memcpy(disp, &left, i->disp_size < 4 ? i->disp_size : 4);
	if (i->disp_size == 8 && m->base == KVM_REG_NONE)
		memcpy(disp, &left, 8);
	return true;
}

static void aim_branch(struct kvm_insn *i, u8 *b, u64 *gpr, u32 target)
{
	u64 to = TAKEN;
	u32 rel = TAKEN - (INSN + i->length);
	const struct kvm_operand *o = &i->operands[0];

	if (i->op == KVM_OP_RET)
		memcpy(arena + (gpr[4] - ARENA), &to, 8);
	else if (o->kind == KVM_OPND_REL)
		memcpy(b + i->length - i->imm_size, &rel, i->imm_size);
	else if (o->kind == KVM_OPND_REG)
		gpr[o->reg] = to;
	else if (target <= ARENA + ARENA_SIZE - 8)
		memcpy(arena + (target - ARENA), &to, 8);
}

static void random_state(struct kvm_exec_regs *r)
{
	for (u32 k = 0; k < 16; k++)
		r->gpr[k] = rnd_value();
	r->gpr[1] = rnd() % 2 ? rnd() % 40 : r->gpr[1];
	if (rnd() % 2) /* quotients that fit */
		r->gpr[2] = rnd() % 2 ? 0 : (u64)((s64)r->gpr[0] >> 63);
	r->rflags = (rnd() & STATUS) | 0x202 | (rnd() % 8 ? 0 : DF);
	r->rip = INSN;
	for (u32 k = 0, all = rnd() % 32 == 0; k < ARENA_SIZE; k += all ? 8 : 256) {
		u64 v = rnd_value();

		memcpy(arena + (all ? k : k + rnd() % 248), &v, 8);
	}
	for (u32 k = 0; k < sizeof(vectors); k++)
		vectors[k / 32][k % 32] = (u8)rnd();
}

static void point(struct kvm_exec_regs *r, const struct kvm_insn *i)
{
	u64 flags = (rnd() & (STATUS | DF)) | 0x202;

	r->gpr[4] = ARENA + 2048 + rnd() % 2048;
	if (i->op == KVM_OP_LEAVE)
		r->gpr[5] = ARENA + 2048 + rnd() % 2048;
	if (i->op >= KVM_OP_MOVS && i->op <= KVM_OP_OUTS) {
		r->gpr[6] = target_of(i);
		r->gpr[7] = rnd() % 4 ? target_of(i) : r->gpr[6] + rnd() % 9;
		r->gpr[1] = rnd() % 3 ? rnd() % 40 : rnd() % 1100;
	}
	if (i->op == KVM_OP_XLAT)
		r->gpr[3] = target_of(i);
	if (i->opcode == 0xa2 && i->map == 1) /* what all of the host's CPUs have alike */
		r->gpr[0] = 0x80000002 + rnd() % 3;
	if (i->opcode == 0x9d && !i->map)
		memcpy(arena + (r->gpr[4] - ARENA), &flags, 8);
}

/* An instruction in B and I, and registers for it. */
static bool make(const struct template *t, u8 *b, struct kvm_insn *i, struct kvm_exec_regs *r)
{
	enum kvm_insn_mode mode = in_32 ? KVM_MODE_PROT32 : KVM_MODE_LONG64;
	u32 target;

	if ((t->flags & (in_32 ? T_ONLY64 : T_NO64)) || !has(t->cpu))
		return false;
	make_bytes(b, t);
	if (kvm_insn_decode(b, KVM_INSN_MAX, mode, i))
		return false;
	random_state(r);
	point(r, i);
	target = target_of(i);
	if (i->mem.present && !(i->op >= KVM_OP_MOVS && i->op <= KVM_OP_XLAT) &&
	    !aim(i, b, r->gpr, target))
		return false;
	if (i->op >= KVM_OP_BT && i->op <= KVM_OP_BTC && i->mem.present &&
	    i->operands[1].kind == KVM_OPND_REG && i->operands[1].reg != i->mem.base &&
	    i->operands[1].reg != i->mem.index)
		r->gpr[i->operands[1].reg] = rnd() % 16000 - 8000;
	if (i->op == KVM_OP_LOOP || i->op == KVM_OP_JCXZ)
		r->gpr[1] = rnd() % 3 | (rnd() % 2 ? 0 : rnd() << 32);
	if (t->flags & T_BRANCH)
		aim_branch(i, b, r->gpr, target);
	for (u32 k = 0; k < 16 && in_32; k++)
		r->gpr[k] = k < 8 ? (u32)r->gpr[k] : 0;
	return !kvm_insn_decode(b, KVM_INSN_MAX, mode, i);
}

/* --- comparison --- */

static struct kvm_exec e;

/* The count of a shift, as it is masked. */
static u32 count_of(const struct kvm_insn *i, const struct kvm_exec_regs *r)
{
	const struct kvm_operand *o = &i->operands[i->op >= KVM_OP_SHLD ? 2 : 1];
	u64 v = o->kind == KVM_OPND_ONE ? 1 : o->kind == KVM_OPND_IMM ? i->imm : r->gpr[1];

	return (u32)v & (i->operands[0].size == 8 ? 63 : 31);
}

/* Flags that APM 3 leaves undefined after I. */
static u32 undefined(const struct kvm_insn *i, const struct kvm_exec_regs *r)
{
	u32 count = count_of(i, r), bits = i->operands[0].size * 8u;

	switch (i->op) {
	case KVM_OP_AND:
	case KVM_OP_OR:
	case KVM_OP_XOR:
	case KVM_OP_TEST:
		return AF;
	case KVM_OP_ROL ... KVM_OP_RCR:
		return count > 1 ? OF : 0;
	case KVM_OP_SHL ... KVM_OP_SAR:
	case KVM_OP_SHLD ... KVM_OP_SHRD:
		return !count ? 0 : AF | (count > 1 ? OF : 0) | (count >= bits ? CF : 0);
	case KVM_OP_MUL ... KVM_OP_IMUL:
	case KVM_OP_IMUL_REG:
		return SF | ZF | AF | PF;
	case KVM_OP_DIV ... KVM_OP_IDIV:
		return STATUS;
	case KVM_OP_BT ... KVM_OP_BTC:
		return OF | SF | AF | PF;
	case KVM_OP_BSF ... KVM_OP_BSR:
		return STATUS & ~ZF;
	case KVM_OP_TZCNT ... KVM_OP_LZCNT:
		return OF | SF | AF | PF;
	default:
		return 0;
	}
}

/* Results that the manual leaves undefined, or on which the vendors differ. */
static bool undecided(const struct kvm_insn *i, const struct kvm_exec_regs *r)
{
	bool string = i->op >= KVM_OP_MOVS && i->op <= KVM_OP_OUTS;

	return ((i->op == KVM_OP_SHLD || i->op == KVM_OP_SHRD) && i->operands[0].size == 2 &&
		count_of(i, r) > 16) ||
	       (i->op == KVM_OP_MOV_CR && i->lock) || /* AMD's CR8 */
	       (i->op == KVM_OP_CALL && r->gpr[4] == TAKEN) ||
	       (i->op == KVM_OP_BSWAP && i->op_size == 2) ||
	       (string && !in_32 && i->rep && i->addr_size == 4 && !(u32)r->gpr[1]);
}

static const char *differ(enum kvm_exec_status s, const struct kvm_exec_regs *old)
{
	u64 wide = in_32 ? 0xffffffff : ~0ull;
	bool faulted = box->vector != ~0ull;
	u32 flags = STATUS | DF;
	bool compares = e.insn.op == KVM_OP_CMPS || e.insn.op == KVM_OP_SCAS;

	if (s != (faulted ? KVM_EXEC_FAULT : KVM_EXEC_DONE))
		return "status";
	if (faulted && e.fault.vector != box->vector)
		return "vector";
	if (faulted && box->vector == 14 && e.fault.address != box->address)
		return "CR2";
	if (e.regs.rip != (faulted ? INSN : box->landed ? TAKEN : INSN + e.insn.length))
		return "RIP";
	for (u32 k = 0; k < (in_32 ? 8 : 16); k++)
		if ((box->gpr[k] ^ e.regs.gpr[k]) & wide)
			return "a register";
	flags &= faulted ? (compares ? 0 : ~0u) : ~undefined(&e.insn, old);
	if ((e.regs.rflags ^ box->flags) & flags)
		return "flags";
	/* ENTER's fault at its frame's end comes after the push (SDM 2, ENTER): here before it. */
	if (memcmp(arena, shadow, ARENA_SIZE) && !(faulted && e.insn.op == KVM_OP_ENTER))
		return "memory";
	if (!faulted && memcmp(box->vec, vectors, avx ? sizeof(vectors) : 16))
		return "a vector register";
	return NULL;
}

static void complain(const char *what, const u8 *b, enum kvm_exec_status s,
		     const struct kvm_exec_regs *old)
{
	printf("%s: %s differs:", in_32 ? "32 bits" : "64 bits", what);
	for (u32 k = 0; k < e.insn.length; k++)
		printf(" %02x", b[k]);
	printf(" (operation %u)\n  status %d vector %u address %llx rip %llx flags %llx; the CPU: vector %lld address %llx landed %llu flags %llx\n",
	       e.insn.op, s, e.fault.vector, e.fault.address, e.regs.rip, e.regs.rflags,
	       (s64)box->vector, box->address, box->landed, box->flags);
	printf("  flags before: %llx\n", old->rflags);
	for (u32 k = 0; k < (in_32 ? 8 : 16); k++)
		if (box->gpr[k] != old->gpr[k] || e.regs.gpr[k] != old->gpr[k])
			printf("  r%u: %llx, then %llx; the CPU: %llx\n", k, old->gpr[k],
			       e.regs.gpr[k], box->gpr[k]);
}

static void set_machine(void)
{
	static const u16 sel64[6] = { 0, 0x33, 0x2b, 0, 0, 0 };
	static const u16 sel32[6] = { 0x2b, 0x23, 0x2b, 0x2b, 0, 0 };

	e.ops = &ops;
	e.mode = in_32 ? KVM_MODE_PROT32 : KVM_MODE_LONG64;
	e.cr0 = 0x80000033;
	e.cr4 = 0x406e0;
	e.cpl = 3;
	for (u32 k = 0; k < 6; k++)
		e.regs.seg[k] = (struct kvm_exec_seg){
			.selector = in_32 ? sel32[k] : sel64[k],
			.attr = k == KVM_SEG_CS ? 0xcfb : 0xcf3,
			.limit = 0xffffffff,
		};
}

/* Runs B both ways. */
static enum kvm_exec_status run(const u8 *b, const struct kvm_exec_regs *r)
{
	enum kvm_exec_status s;

	memcpy(shadow, arena, ARENA_SIZE);
	memcpy(box->gpr, r->gpr, sizeof(box->gpr));
	memcpy(box->vec, vectors, sizeof(vectors));
	box->flags = r->rflags;
	run_native(b, e.insn.length);
	memcpy(e.regs.gpr, r->gpr, sizeof(r->gpr));
	e.regs.rip = r->rip;
	e.regs.rflags = r->rflags;
	do
		s = kvm_insn_exec(&e);
	while (s == KVM_EXEC_AGAIN);
	return s;
}

static u32 compare(u32 rounds)
{
	u32 bad = 0, faults = 0, ran = 0;
	u8 b[KVM_INSN_MAX + 1];

	set_machine();
	for (u32 n = 0; n < rounds; n++) {
		struct kvm_exec_regs r = e.regs;
		const struct template *t = &templates[rnd() % COUNT(templates)];
		enum kvm_exec_status s;
		const char *what;

		if (!make(t, b, &e.insn, &r) || undecided(&e.insn, &r))
			continue;
		s = run(b, &r);
		ran++;
		faults += s == KVM_EXEC_FAULT;
		what = differ(s, &r);
		if (what && bad++ < 20)
			complain(what, b, s, &r);
	}
	printf("%u bits: %u instructions run, %u of them fault, %u differ\n", in_32 ? 32 : 64, ran,
	       faults, bad);
	return bad;
}

/*
 * Does the machine run 32-bit code of programs? Some virtual ones do not: the jump into that
 * segment faults, whatever comes behind it.
 */
static bool runs_32(void)
{
	static const u8 nop = 0x90;

	memset(box->gpr, 0, sizeof(box->gpr));
	box->flags = 0x202;
	run_native(&nop, 1);
	return box->vector == ~0ull;
}

int main(void)
{
	const char *env = getenv("OCHRE_INSN_ROUNDS");
	u32 rounds = getenv("OCHRE_FULL") ? 1000000 : 20000, bad;

	if (env)
		rounds = (u32)strtoul(env, NULL, 10);
	prepare();
	bad = compare(rounds);
	build_32();
	if (runs_32())
		bad += compare(rounds);
	else
		printf("32 bits: this machine runs no such code: not compared\n");
	return bad != 0;
}
