// SPDX-License-Identifier: MIT
/* sources: arch/x86_64/kvm_insn_decode.c arch/x86_64/kvm_insn_table.c */
/* sources: arch/x86_64/kvm_insn_operand.c arch/x86_64/kvm_insn_exec.c arch/x86_64/kvm_insn_mem.c */
/* sources: arch/x86_64/kvm_insn_alu.c arch/x86_64/kvm_insn_bits.c arch/x86_64/kvm_insn_move.c */
/* sources: arch/x86_64/kvm_insn_vector.c arch/x86_64/kvm_insn_flow.c */
/* sources: arch/x86_64/kvm_insn_stack.c arch/x86_64/kvm_insn_string.c */
/* sources: arch/x86_64/kvm_insn_segment.c arch/x86_64/kvm_insn_system.c */
/* fuzz: -max_len=96 */
/*
 * KVM's execution of instructions: byte 0 is the mode and the privilege, byte 1 which callback
 * faults, bytes 2 to 5 which of them pend, 6 to 13 the registers' seed, 14 to 28 what is at RIP.
 * What faults changes nothing; what pends and is run again ends as it does without, and neither
 * memory nor a port sees it twice.
 */
#define FUZZ_MAX 96
#define FUZZ_ROUNDS 60000
#include <assert.h>
#include "arch/x86_64/kvm_insn_exec.h"
#include "lib/test/fuzz.h"

#define MEMORY 256u

/*
 * Memory repeats every MEMORY bytes, descriptors and TSS are apart, lest INS fills them; what has
 * an effect is summed up.
 */
struct world {
	struct kvm_exec e;
	u8 memory[MEMORY], tables[MEMORY], vec[16][32];
	u64 mmx[8], effects, nr_effects;
	u64 reads; /* those that MMIO could be, each once */
	u32 calls, fault_at;	/* the call that faults, from 1 on; 0: none */
	u32 pend;		/* bit N: the N-th new question pends once */
	u32 asked;
	bool owes; /* the question that pended is asked again and is answered */
};

static struct world *world_of(struct kvm_exec *e)
{
	return e->context;
}

/* Whether this call is answered, and how else. */
static enum kvm_exec_status gate(struct kvm_exec *e, bool may_pend)
{
	struct world *w = world_of(e);

	if (++w->calls == w->fault_at) {
		e->fault = (struct kvm_exec_fault){ .vector = 14, .has_code = 1 };
		return KVM_EXEC_FAULT;
	}
	if (!may_pend)
		return KVM_EXEC_DONE;
	if (w->owes) {
		w->owes = false;
		return KVM_EXEC_DONE;
	}
	if (w->pend >> (w->asked++ & 31) & 1) {
		w->owes = true;
		return KVM_EXEC_PENDING;
	}
	return KVM_EXEC_DONE;
}

static void effect(struct world *w, u64 what, u64 value)
{
	w->effects = (w->effects ^ what * 31 ^ value) * 0x9e3779b97f4a7c15ull;
	w->nr_effects++;
}

static u8 *place(struct kvm_exec *e, u64 linear, u32 how)
{
	struct world *w = world_of(e);

	return (how & KVM_READ_SYSTEM ? w->tables : w->memory) + linear % MEMORY;
}

static enum kvm_exec_status w_read(struct kvm_exec *e, u64 linear, void *data, u32 size, u32 how)
{
	enum kvm_exec_status s = gate(e, true);

	assert(size && size <= KVM_EXEC_IO_MAX);
	for (u32 k = 0; k < size && !s; k++)
		((u8 *)data)[k] = *place(e, linear + k, how);
	if (!s && !(how & KVM_READ_SYSTEM))
		world_of(e)->reads = world_of(e)->reads * 31 + linear + size;
	return s;
}

static enum kvm_exec_status write_how(struct kvm_exec *e, u64 linear, const void *data, u32 size,
				      u32 how)
{
	enum kvm_exec_status s = gate(e, true);

	assert(size && size <= KVM_EXEC_IO_MAX);
	for (u32 k = 0; k < size && !s; k++)
		*place(e, linear + k, how) = ((const u8 *)data)[k];
	if (!s)
		effect(world_of(e), linear, size);
	return s;
}

static enum kvm_exec_status w_write(struct kvm_exec *e, u64 linear, const void *data, u32 size)
{
	return write_how(e, linear, data, size, 0);
}

static enum kvm_exec_status w_probe(struct kvm_exec *e, u64 linear, u32 size)
{
	(void)linear;
	assert(size && size <= KVM_EXEC_IO_MAX);
	return gate(e, false);
}

static enum kvm_exec_status w_exchange(struct kvm_exec *e, u64 linear, const void *old,
				       const void *fresh, u32 size, u32 how)
{
	assert(size == 1 || size == 2 || size == 4 || size == 8 || size == 16);
	for (u32 k = 0; k < size; k++)
		assert(*place(e, linear + k, how) == ((const u8 *)old)[k]);
	return write_how(e, linear, fresh, size, how);
}

static enum kvm_exec_status w_in(struct kvm_exec *e, u16 port, u32 size, u32 count, void *data)
{
	struct world *w = world_of(e);
	enum kvm_exec_status s = gate(e, true);

	assert(size * count <= KVM_EXEC_IO_MAX && count);
	if (s)
		return s;
	effect(w, port, count);
	for (u32 k = 0; k < size * count; k++)
		((u8 *)data)[k] = (u8)(w->effects >> (k % 8));
	return s;
}

static enum kvm_exec_status w_out(struct kvm_exec *e, u16 port, u32 size, u32 count,
				  const void *data)
{
	enum kvm_exec_status s = gate(e, true);

	assert(size * count <= KVM_EXEC_IO_MAX && count);
	for (u32 k = 0; k < size * count && !s; k++)
		effect(world_of(e), port, ((const u8 *)data)[k]);
	return s;
}

static bool w_leave(struct kvm_exec *e)
{
	return world_of(e)->pend >> (world_of(e)->calls & 31) & 1;
}

static enum kvm_exec_status get_number(struct kvm_exec *e, u8 n, u64 *value)
{
	*value = n == 7 ? 0 : n * 0x1234567ull;
	return gate(e, false);
}

static enum kvm_exec_status set_number(struct kvm_exec *e, u8 n, u64 value)
{
	enum kvm_exec_status s = gate(e, true);

	if (!s)
		effect(world_of(e), n, value);
	return s;
}

static enum kvm_exec_status get_indexed(struct kvm_exec *e, u32 index, u64 *value)
{
	*value = index * 0x1234567ull;
	return gate(e, true);
}

static enum kvm_exec_status set_indexed(struct kvm_exec *e, u32 index, u64 value)
{
	enum kvm_exec_status s = gate(e, true);

	if (!s)
		effect(world_of(e), index, value);
	return s;
}

static enum kvm_exec_status w_tsc(struct kvm_exec *e, u64 *value)
{
	*value = 0x123456789abcdefull;
	return gate(e, false);
}

static enum kvm_exec_status w_cpuid(struct kvm_exec *e, u32 leaf, u32 index, u32 *out)
{
	for (u32 k = 0; k < 4; k++)
		out[k] = leaf + index + k;
	return gate(e, false);
}

static enum kvm_exec_status w_invlpg(struct kvm_exec *e, u64 linear)
{
	return set_number(e, 1, linear);
}

static enum kvm_exec_status w_hlt(struct kvm_exec *e)
{
	return set_number(e, 2, 0);
}

static enum kvm_exec_status w_flush(struct kvm_exec *e, bool write_back)
{
	return set_number(e, 3, write_back);
}

static enum kvm_exec_status w_get_vec(struct kvm_exec *e, u8 n, void *data, u32 size)
{
	assert(n < 16 && (size == 16 || size == 32));
	memcpy(data, world_of(e)->vec[n], size);
	return gate(e, false);
}

static enum kvm_exec_status w_set_vec(struct kvm_exec *e, u8 n, const void *data, u32 size,
				      bool clear)
{
	enum kvm_exec_status s = gate(e, false);

	assert(n < 16 && (size == 16 || (size == 32 && clear)));
	if (s)
		return s;
	memcpy(world_of(e)->vec[n], data, size);
	memset(world_of(e)->vec[n] + size, 0, clear ? 32 - size : 0);
	effect(world_of(e), n, size);
	return s;
}

static enum kvm_exec_status w_get_mmx(struct kvm_exec *e, u8 n, u64 *value)
{
	assert(n < 8);
	*value = world_of(e)->mmx[n];
	return gate(e, false);
}

static enum kvm_exec_status w_set_mmx(struct kvm_exec *e, u8 n, u64 value)
{
	enum kvm_exec_status s = gate(e, false);

	assert(n < 8);
	if (s)
		return s;
	world_of(e)->mmx[n] = value;
	effect(world_of(e), n, value);
	return s;
}

static const struct kvm_exec_ops ops = {
	.read = w_read,
	.write = w_write,
	.probe = w_probe,
	.exchange = w_exchange,
	.in = w_in,
	.out = w_out,
	.leave = w_leave,
	.get_cr = get_number,
	.set_cr = set_number,
	.get_dr = get_number,
	.set_dr = set_number,
	.get_msr = get_indexed,
	.set_msr = set_indexed,
	.get_pmc = get_indexed,
	.get_tsc = w_tsc,
	.cpuid = w_cpuid,
	.invlpg = w_invlpg,
	.hlt = w_hlt,
	.flush = w_flush,
	.get_vec = w_get_vec,
	.set_vec = w_set_vec,
	.get_mmx = w_get_mmx,
	.set_mmx = w_set_mmx,
};

static u64 next_random(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Segments that mostly let through, now and then one that does not. */
static void make_segments(struct world *w, u64 *seed)
{
	static const u16 attrs[] = { 0xc93, 0xcf3, 0xcfb, 0xc91, 0xc97, 0x493, 0x093, 0 };

	for (u32 k = 0; k < 6; k++) {
		u64 v = next_random(seed);

		w->e.regs.seg[k] = (struct kvm_exec_seg){
			.selector = (u16)v,
			.attr = v >> 60 ? 0xcf3 : attrs[v >> 16 & 7],
			.limit = v >> 56 & 15 ? 0xffffffff : (u32)v,
			.base = v >> 20 & 0xffff,
		};
	}
	w->e.regs.gdt.limit = 0x7ff;
	w->e.ldtr = w->e.tr = (struct kvm_exec_seg){ .attr = 0x8b, .limit = 0xffff };
}

static void make_world(struct world *w, const u8 *p, u64 seed)
{
	static const u64 cr4s[] = { 0x40600, 0, 0x40fff, 0x200 };

	seed |= 1;
	memset(w, 0, sizeof(*w));
	w->e.ops = &ops;
	w->e.mode = p[0] & 3;
	w->e.cpl = p[0] & 4 ? 3 : 0;
	w->e.cr0 = p[0] & 8 && p[0] & 16 ? 0x3f : 0x33;
	w->e.cr4 = cr4s[p[0] >> 5 & 3];
	for (u32 k = 0; k < 16; k++) {
		w->e.regs.gpr[k] = next_random(&seed) >> (seed & 63);
		if (w->e.mode != KVM_MODE_LONG64)
			w->e.regs.gpr[k] = (u32)w->e.regs.gpr[k];
	}
	w->e.regs.gpr[1] %= 1500;
	w->e.regs.rip = 0x1000;
	w->e.regs.rflags = (next_random(&seed) & 0x3ed5) | 2;
	if (w->e.mode == KVM_MODE_REAL && w->e.cpl)
		w->e.regs.rflags |= 1 << 17;
	make_segments(w, &seed);
	for (u32 k = 0; k < MEMORY; k++)
		w->memory[k] = w->tables[k] = (u8)(next_random(&seed) >> 8);
	for (u32 k = 0; k < 16 * 32; k++)
		w->vec[k / 32][k % 32] = (u8)(next_random(&seed) >> 8);
}

/* Until it is over; the last status. */
static enum kvm_exec_status run(struct world *w, const struct kvm_insn *insn)
{
	enum kvm_exec_status s = KVM_EXEC_AGAIN;

	w->e.context = w;
	w->e.insn = *insn;
	for (u32 n = 0; s == KVM_EXEC_AGAIN || s == KVM_EXEC_PENDING; n++) {
		assert(n < 20000);
		s = kvm_insn_exec(&w->e);
	}
	return s;
}

static void same(const struct world *a, const struct world *b)
{
	for (u32 k = 0; k < 16; k++)
		assert(a->e.regs.gpr[k] == b->e.regs.gpr[k]);
	assert(a->e.regs.rip == b->e.regs.rip && a->e.regs.rflags == b->e.regs.rflags);
	assert(a->e.regs.shadow == b->e.regs.shadow);
	for (u32 k = 0; k < 6; k++)
		assert(a->e.regs.seg[k].selector == b->e.regs.seg[k].selector &&
		       a->e.regs.seg[k].base == b->e.regs.seg[k].base);
	assert(!memcmp(a->memory, b->memory, MEMORY) && !memcmp(a->tables, b->tables, MEMORY) &&
	       !memcmp(a->vec, b->vec, sizeof(a->vec)));
	assert(!memcmp(a->mmx, b->mmx, sizeof(a->mmx)));
	assert(a->effects == b->effects && a->nr_effects == b->nr_effects);
}

static void fuzz_one(const u8 *p, size_t n)
{
	static struct world plain, other, start;
	struct kvm_insn insn;
	enum kvm_exec_status s;
	u64 seed;
	u32 pend;
	bool repeated;

	if (n < 15)
		return;
	memcpy(&pend, p + 2, 4);
	memcpy(&seed, p + 6, 8);
	if (kvm_insn_decode(p + 14, (u32)n - 14, p[0] & 3, &insn))
		return;
	repeated = insn.rep && insn.op >= KVM_OP_MOVS && insn.op <= KVM_OP_OUTS;
	make_world(&start, p, seed);
	plain = start;
	s = run(&plain, &insn);
	assert(s == KVM_EXEC_DONE || s == KVM_EXEC_FAULT || s == KVM_EXEC_UNHANDLED);
	if (s && !repeated)
		same(&plain, &start);
	other = start;
	other.pend = pend;
	assert(run(&other, &insn) == s);
	same(&plain, &other);
	assert(s || plain.reads == other.reads);
	other = start;
	other.fault_at = 1 + p[1] % 8;
	s = run(&other, &insn);
	/* a port that was read before the write faulted cannot be given back */
	if (s == KVM_EXEC_FAULT && !repeated && insn.op != KVM_OP_INS)
		same(&other, &start);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 seeds[][16] = {
		{ 3, 3, 0x89, 0x43, 0x10 },		/* mov %eax,16(%rbx) */
		{ 4, 3, 0xf0, 0x48, 0x01, 0x03 },	/* lock add %rax,(%rbx) */
		{ 3, 3, 0xf3, 0x48, 0xa7 },		/* repe cmpsq */
		{ 2, 0, 0xf3, 0x6c },			/* rep insb */
		{ 2, 2, 0xf3, 0x6f },			/* rep outsl */
		{ 2, 6, 0x8e, 0x18 },			/* mov (%eax),%ds */
		{ 3, 3, 0x0f, 0x22, 0xd8 },		/* mov %rax,%cr3 */
		{ 4, 3, 0x0f, 0xc7, 0x0c, 0x24 },	/* cmpxchg8b (%rsp) */
		{ 5, 3, 0x66, 0x0f, 0x6f, 0x04, 0x24 }, /* movdqa (%rsp),%xmm0 */
		{ 4, 3, 0xc5, 0xfd, 0x7f, 0x00 },	/* vmovdqa %ymm0,(%rax) */
		{ 4, 1, 0xc8, 0x10, 0x00, 0x00 },	/* enter $16,$0 */
		{ 2, 2, 0xff, 0x10 },			/* call *(%eax) */
		{ 4, 3, 0x48, 0x0f, 0xab, 0x03 },	/* bts %rax,(%rbx) */
		{ 3, 2, 0x0f, 0x01, 0x10 },		/* lgdt (%eax) */
		{ 3, 7, 0x48, 0xf7, 0x38 },		/* idivq (%rax) */
		{ 1, 4, 0xec },				/* in (%dx),%al */
	};

	if (i >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	memset(buf, 0, 32);
	buf[0] = seeds[i][1];
	buf[1] = (u8)i;
	buf[2] = 0x55;
	buf[6] = (u8)(i + 1);
	memcpy(buf + 14, seeds[i] + 2, seeds[i][0]);
	return 14u + 15;
}
