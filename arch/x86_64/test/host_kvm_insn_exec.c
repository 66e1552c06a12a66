// SPDX-License-Identifier: MIT
/* sources: arch/x86_64/kvm_insn_decode.c arch/x86_64/kvm_insn_table.c */
/* sources: arch/x86_64/kvm_insn_operand.c arch/x86_64/kvm_insn_exec.c arch/x86_64/kvm_insn_mem.c */
/* sources: arch/x86_64/kvm_insn_alu.c arch/x86_64/kvm_insn_bits.c arch/x86_64/kvm_insn_move.c */
/* sources: arch/x86_64/kvm_insn_vector.c arch/x86_64/kvm_insn_flow.c */
/* sources: arch/x86_64/kvm_insn_stack.c arch/x86_64/kvm_insn_string.c */
/* sources: arch/x86_64/kvm_insn_segment.c arch/x86_64/kvm_insn_system.c */
/*
 * KVM's execution where the host's CPU cannot judge: 16-bit modes, segments, privileges, ports,
 * what waits for user space. Each row says what is set and, by the manual, all that changes.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/kvm_insn_exec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MEMORY 0x200000u

/*
 * SET: name=value, hexadecimal; @address=value: 8 bytes. EXPECTED: the callbacks' calls with an
 * effect, how it ended (ok: RIP is that of the next instruction; #vector(code)), then what changed.
 */
struct row {
	u8 mode, cpl;
	const char *bytes, *set, *expected;
};

#define R16 KVM_MODE_REAL
#define P16 KVM_MODE_PROT16
#define P32 KVM_MODE_PROT32
#define L64 KVM_MODE_LONG64

static u8 memory[MEMORY];
static struct kvm_exec e;
static char log[4096];
static u64 mmio;	/* from this address on it is not memory: reads pend once */
static u64 dr7, answered, rom; /* rom: not written from this address on */
static u8 vec[32];

static void note(const char *format, u64 a, u64 b, u64 c)
{
	size_t n = strlen(log);

	snprintf(log + n, sizeof(log) - n, format, a, b, c);
}

static enum kvm_exec_status page_fault(u64 linear)
{
	e.fault = (struct kvm_exec_fault){ .vector = 14, .has_code = 1, .address = linear };
	return KVM_EXEC_FAULT;
}

static enum kvm_exec_status on_read(struct kvm_exec *x, u64 linear, void *data, u32 size, u32 how)
{
	(void)x;
	(void)how;
	if (linear >= mmio && answered != linear) {
		answered = linear;
		note("read %llx ", linear, 0, 0);
		return KVM_EXEC_PENDING;
	}
	if (linear >= MEMORY - size)
		return page_fault(linear);
	memcpy(data, memory + linear, size);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status on_probe(struct kvm_exec *x, u64 linear, u32 size)
{
	(void)x;
	return linear + size > rom ? page_fault(linear) : KVM_EXEC_DONE;
}

static enum kvm_exec_status on_write(struct kvm_exec *x, u64 linear, const void *data, u32 size)
{
	u64 v = 0;
	enum kvm_exec_status s = on_probe(x, linear, size);

	if (s)
		return s;
	memcpy(memory + linear, data, size);
	memcpy(&v, data, size < 8 ? size : 8);
	note("@%llx:%llu=%llx ", linear, size, v);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status on_exchange(struct kvm_exec *x, u64 linear, const void *old,
					const void *fresh, u32 size, u32 how)
{
	(void)how;
	if (memcmp(memory + linear, old, size))
		return KVM_EXEC_AGAIN;
	note("lock ", 0, 0, 0);
	return on_write(x, linear, fresh, size);
}

static enum kvm_exec_status on_in(struct kvm_exec *x, u16 port, u32 size, u32 count, void *data)
{
	(void)x;
	if (port >= 0x80 && answered != port) {
		answered = port;
		note("ask %llx %llu*%llu ", port, size, count);
		return KVM_EXEC_PENDING;
	}
	note("in %llx %llu*%llu ", port, size, count);
	for (u32 k = 0; k < size * count; k++)
		((u8 *)data)[k] = (u8)(0x81 + k);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status on_out(struct kvm_exec *x, u16 port, u32 size, u32 count,
				   const void *data)
{
	u64 v = 0;

	(void)x;
	memcpy(&v, data, size * count < 8 ? size * count : 8);
	note("out %llx %llu*%llu", port, size, count);
	note("=%llx ", v, 0, 0);
	return KVM_EXEC_DONE;
}

#define GETTER(name, type, text)                                                                   \
	static enum kvm_exec_status on_get_##name(struct kvm_exec *x, type n, u64 *v)              \
	{                                                                                          \
		(void)x;                                                                           \
		*v = !strcmp(text, "dr") && n == 7 ? dr7 : 0xabc00000000ull + n;                   \
		return KVM_EXEC_DONE;                                                              \
	}                                                                                          \
	static enum kvm_exec_status on_set_##name(struct kvm_exec *x, type n, u64 v)               \
	{                                                                                          \
		(void)x;                                                                           \
		note(text "%llx=%llx ", n, v, 0);                                                  \
		return KVM_EXEC_DONE;                                                              \
	}
GETTER(cr, u8, "cr")
GETTER(dr, u8, "dr")
GETTER(msr, u32, "msr")

static enum kvm_exec_status on_tsc(struct kvm_exec *x, u64 *v)
{
	(void)x;
	*v = 0x1122334455667788ull;
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status on_invlpg(struct kvm_exec *x, u64 linear)
{
	(void)x;
	note("invlpg %llx ", linear, 0, 0);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status on_set_system(struct kvm_exec *x, bool task,
					  const struct kvm_exec_seg *seg)
{
	(void)x;
	note(task ? "tr=%llx:%llx" : "ldt=%llx:%llx", seg->selector, seg->base, 0);
	note("+%llx,%llx ", seg->limit, seg->attr, 0);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status on_hlt(struct kvm_exec *x)
{
	(void)x;
	note("hlt ", 0, 0, 0);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status on_flush(struct kvm_exec *x, bool write_back)
{
	(void)x;
	note("flush %llu ", write_back, 0, 0);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status on_get_vec(struct kvm_exec *x, u8 n, void *data, u32 size)
{
	(void)x;
	(void)n;
	memcpy(data, vec, size);
	return KVM_EXEC_DONE;
}

static enum kvm_exec_status on_set_vec(struct kvm_exec *x, u8 n, const void *data, u32 size,
				       bool clear)
{
	u64 v;

	(void)x;
	memcpy(&v, data, 8);
	note("vec%llu:%llu=%llx", n, size, v);
	note(clear ? "c " : " ", 0, 0, 0);
	return KVM_EXEC_DONE;
}

static const struct kvm_exec_ops ops = {
	.read = on_read,
	.write = on_write,
	.probe = on_probe,
	.exchange = on_exchange,
	.in = on_in,
	.out = on_out,
	.get_cr = on_get_cr,
	.set_cr = on_set_cr,
	.get_dr = on_get_dr,
	.set_dr = on_set_dr,
	.get_msr = on_get_msr,
	.set_msr = on_set_msr,
	.get_tsc = on_tsc,
	.invlpg = on_invlpg,
	.hlt = on_hlt,
	.set_system = on_set_system,
	.flush = on_flush,
	.get_vec = on_get_vec,
	.set_vec = on_set_vec,
};

static const char *const gprs[8] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
static const char *const segs[6] = { "es", "cs", "ss", "ds", "fs", "gs" };

static bool set_segment(const char *name, u64 v)
{
	struct kvm_exec_seg *s = NULL;

	for (u32 k = 0; k < 6; k++)
		if (!strncmp(name, segs[k], 2))
			s = &e.regs.seg[k];
	if (!strncmp(name, "tr", 2) || !strncmp(name, "ld", 2))
		s = name[0] == 't' ? &e.tr : &e.ldtr;
	if (!s || name[2] != '.')
		return false;
	if (name[3] == 'b')
		s->base = v;
	else if (name[3] == 'l')
		s->limit = (u32)v;
	else
		s->attr = (u16)v;
	return true;
}

static void set_one(const char *name, u64 v)
{
	u64 *const places[] = { &e.regs.rip, &e.regs.rflags, &e.cr0, &e.cr4, &mmio, &dr7, &rom };
	const char *const names[] = { "ip", "fl", "cr0", "cr4", "mmio", "dr7", "rom" };

	if (name[0] == '@') {
		memcpy(memory + strtoul(name + 1, NULL, 16), &v, 8);
		return;
	}
	for (u32 k = 0; k < 8; k++)
		if (!strcmp(name, gprs[k])) {
			e.regs.gpr[k] = v;
			return;
		}
	for (u32 k = 0; k < COUNT(names); k++)
		if (!strcmp(name, names[k])) {
			*places[k] = v;
			return;
		}
	if (!strcmp(name, "gdt"))
		e.regs.gdt.limit = (u16)v;
	else if (!strcmp(name, "shadow"))
		e.regs.shadow = (u8)v;
	else
		assert(set_segment(name, v));
}

static void set_all(const char *text)
{
	char name[16];

	while (*text) {
		size_t n = strcspn(text, "=");
		char *end;

		assert(n < sizeof(name));
		memcpy(name, text, n);
		name[n] = 0;
		set_one(name, strtoull(text + n + 1, &end, 16));
		text = end + (*end == ' ');
	}
}

/* Segments at 64 KiB, twice that and so on in real mode; flat ones else. A GDT at 8000h. */
static void start(const struct row *r)
{
	memset(memory, 0, MEMORY);
	memset(&e, 0, sizeof(e));
	log[0] = 0;
	mmio = ~0ull;
	rom = MEMORY;
	answered = dr7 = 0;
	e.ops = &ops;
	e.mode = r->mode;
	e.cpl = r->cpl;
	e.cr0 = 0x33;
	e.cr4 = 0x40200;
	e.regs.rip = 0x100;
	e.regs.rflags = 2;
	e.regs.gdt.base = 0x8000;
	e.regs.gdt.limit = 0x7f;
	e.tr = (struct kvm_exec_seg){ .attr = 0x8b, .limit = 0xff, .base = 0x9000 };
	for (u32 k = 0; k < 6; k++)
		e.regs.seg[k] = r->mode == R16 ?
					(struct kvm_exec_seg){ (u16)(k * 0x1000), 0x93, 0xffff,
							       k * 0x10000 } :
					(struct kvm_exec_seg){ 0x10, k == 1 ? 0xc9b : 0xc93,
							       0xffffffff, 0 };
	if (r->mode == P16)
		for (u32 k = 0; k < 6; k++)
			e.regs.seg[k].attr &= ~KVM_ATTR_DB;
	set_all(r->set);
}

static void show(enum kvm_exec_status s, const struct kvm_exec_regs *old)
{
	static const char *const words[] = { "ok", "", "pending", "again", "none" };

	if (s == KVM_EXEC_FAULT)
		note(e.fault.has_code ? "#%llu(%llx)" : "#%llu", e.fault.vector, e.fault.code, 0);
	else
		note(words[s], 0, 0, 0);
	if (e.regs.rip != old->rip + (s ? 0 : e.insn.length))
		note(" ip=%llx", e.regs.rip, 0, 0);
	for (u32 k = 0; k < 8; k++)
		if (e.regs.gpr[k] != old->gpr[k]) {
			note(" ", 0, 0, 0);
			strcat(log, gprs[k]);
			note("=%llx", e.regs.gpr[k], 0, 0);
		}
	if (e.regs.rflags != old->rflags)
		note(" fl=%llx", e.regs.rflags, 0, 0);
	for (u32 k = 0; k < 6; k++) {
		const struct kvm_exec_seg *seg = &e.regs.seg[k];

		if (!memcmp(seg, &old->seg[k], sizeof(*seg)))
			continue;
		note(" ", 0, 0, 0);
		strcat(log, segs[k]);
		note("=%llx:%llx", seg->selector, seg->base, 0);
		note("+%llx,%llx", seg->limit, seg->attr, 0);
	}
	if (e.regs.gdt.base != old->gdt.base || e.regs.gdt.limit != old->gdt.limit)
		note(" gdt=%llx+%llx", e.regs.gdt.base, e.regs.gdt.limit, 0);
	if (e.regs.shadow)
		note(" shadow=%llu", e.regs.shadow, 0, 0);
}

static u32 check(const struct row *r)
{
	u8 b[KVM_INSN_MAX];
	u32 n = 0;
	struct kvm_exec_regs old;
	enum kvm_exec_status s;

	for (const char *p = r->bytes; *p; p += strcspn(p, " "), p += *p == ' ')
		b[n++] = (u8)strtoul(p, NULL, 16);
	start(r);
	if (kvm_insn_decode(b, n, r->mode, &e.insn) || e.insn.length != n) {
		printf("%s is no instruction\n", r->bytes);
		return 1;
	}
	old = e.regs;
	s = kvm_insn_exec(&e);
	if (s == KVM_EXEC_PENDING) {
		note("pending ", 0, 0, 0);
		s = kvm_insn_exec(&e);
	}
	show(s, &old);
	if (!strcmp(log, r->expected))
		return 0;
	printf("%s with %s: %s\n  expected %s\n", r->bytes, r->set, log, r->expected);
	return 1;
}

static const struct row rows[] = {
	/* sizes and what wraps around */
	{ R16, 0, "50", "ax=1234 sp=2", "@20000:2=1234 ok sp=0" },
	{ R16, 0, "50", "ax=1234 sp=0", "@2fffe:2=1234 ok sp=fffe" },
	{ R16, 0, "50", "ax=1234 sp=1", "#12(0)" },
	{ R16, 0, "58", "sp=fffe @2fffe=5678", "ok ax=5678 sp=0" },
	{ R16, 0, "66 50", "ax=12345678 sp=50010", "@2000c:4=12345678 ok sp=5000c" },
	{ P16, 0, "50", "ax=1234 sp=100010", "@e:2=1234 ok sp=10000e" },
	{ P16, 0, "50", "ax=1234 sp=100010 ss.a=c93", "@10000e:2=1234 ok sp=10000e" },
	{ P32, 0, "50", "ax=1234 sp=100010 ss.a=893", "@c:4=1234 ok sp=10000c" },
	{ R16, 0, "eb fe", "", "ok ip=100" },
	{ R16, 0, "eb 7f", "ip=fff0", "ok ip=71" },
	{ P32, 0, "66 eb 7f", "ip=1fff0", "ok ip=72" },
	{ P32, 0, "eb 7f", "cs.l=100", "#13(0)" },
	{ P32, 0, "e8 0 10 0 0", "cs.l=fff sp=1000", "#13(0)" },
	{ R16, 0, "ff 16 00 02", "@30200=4567 sp=10", "@2000e:2=104 ok ip=4567 sp=e" },
	{ R16, 0, "c2 04 00", "sp=10 @20010=777", "ok ip=777 sp=16" },
	{ R16, 0, "a4", "si=ffff di=ffff @3ffff=41", "@ffff:1=41 ok si=0 di=0" },
	{ R16, 0, "ad", "si=ffff", "#13(0)" },
	{ R16, 0, "f3 aa", "di=fffe cx=3 ax=5", "@fffe:1=5 @ffff:1=5 @0:1=5 ok cx=0 di=1" },
	{ R16, 0, "67 f3 aa", "di=fffe cx=3 ax=5", "@fffe:1=5 @ffff:1=5 #13(0) cx=1 di=10000" },
	{ R16, 0, "f3 a4", "fl=402 si=1 di=1 cx=2 @30000=4142",
	  "@1:1=41 @0:1=42 ok cx=0 si=ffff di=ffff" },
	{ R16, 0, "f3 a4", "cx=10000", "ok" },
	{ R16, 0, "e2 fe", "cx=10001", "ok cx=10000" },
	{ P32, 0, "67 e2 fd", "cx=10001", "ok cx=10000" },
	{ R16, 0, "8b 40 ff", "bx=1 si=0 @30000=1234", "ok ax=1234" },
	{ R16, 0, "8b 42 02", "bp=ffff si=ffff @20000=9988", "ok ax=9988" },
	{ R16, 0, "67 8b 03", "bx=ffff", "#13(0)" },
	{ R16, 0, "67 8b 03", "bx=10000", "#13(0)" },
	{ R16, 0, "2e 88 07", "bx=8 ax=7", "@10008:1=7 ok" },
	{ P32, 0, "c8 10 0 0", "sp=1000 bp=77", "@ffc:4=77 ok sp=fec bp=ffc" },
	{ P32, 0, "c8 10 0 1", "sp=1000", "none" },
	/* segments: limit, direction, type, presence */
	{ P32, 0, "8b 03", "bx=ffd ds.l=1000", "ok" },
	{ P32, 0, "8b 03", "bx=ffe ds.l=1000", "#13(0)" },
	{ P32, 0, "8b 03", "bx=ffffffff", "#13(0)" },
	{ P32, 0, "8b 45 0", "bp=ffe ss.l=1000", "#12(0)" },
	{ P32, 0, "8b 03", "bx=1000 ds.l=1000 ds.a=497", "#13(0)" },
	{ P32, 0, "8b 03", "bx=1001 ds.l=1000 ds.a=497 @1001=5", "ok ax=5" },
	{ P32, 0, "8b 03", "bx=fffd ds.l=1000 ds.a=97", "#13(0)" },
	{ P32, 0, "8b 03", "bx=fffc ds.l=1000 ds.a=97", "ok" },
	{ P32, 0, "88 03", "bx=10 ds.a=c91", "#13(0)" },
	{ P32, 0, "00 03", "bx=10 ds.a=c91", "#13(0)" },
	{ P32, 0, "8a 03", "bx=10 ds.a=c91 @10=6", "ok ax=6" },
	{ P32, 0, "2e 88 03", "bx=10", "#13(0)" },
	{ P32, 0, "2e 8a 03", "bx=10 cs.a=c99", "#13(0)" },
	{ P32, 0, "8a 03", "bx=10 ds.a=0", "#13(0)" },
	{ P32, 0, "8b 03", "bx=10 ds.b=fffffff8 @8=77", "ok ax=77" },
	{ L64, 0, "8b 03", "bx=800000000000", "#13(0)" },
	{ L64, 0, "8b 03", "bx=7ffffffffffd", "#13(0)" },
	{ L64, 0, "8b 03", "bx=800000000000 cr4=1000", "#14(0)" },
	{ L64, 0, "8b 45 0", "bp=800000000000", "#12(0)" },
	{ L64, 0, "50", "sp=800000000004", "#12(0)" },
	{ L64, 0, "ff e0", "ax=800000000000", "#13(0)" },
	{ L64, 0, "64 8b 03", "bx=10 fs.b=100 ds.b=1000 @110=9", "ok ax=9" },
	{ L64, 0, "8b 03", "bx=10 ds.b=1000 ds.a=0 @10=9", "ok ax=9" },
	/* far jumps by a pointer in memory */
	{ R16, 0, "ff 2f", "bx=10 @30010=12345678", "ok ip=5678 cs=1234:12340+ffff,93" },
	{ P32, 0, "ff 2b", "bx=10 @10=180000000f @8018=12409a23456700ab",
	  "lock @8018:8=12409b23456700ab ok ip=f cs=18:12234567+ab,49b" },
	{ P32, 0, "ff 2b", "bx=10 @10=18000000ac @8018=12409a23456700ab", "#13(0)" },
	{ P32, 0, "ff 2b", "bx=10 @10=1b0000000f @8018=12409a23456700ab", "#13(18)" },
	{ P32, 3, "ff 2b", "bx=10 @10=180000000f @8018=12409b23456700ab", "#13(18)" },
	{ P32, 3, "ff 2b", "bx=10 @10=180000000f @8018=12409f23456700ab",
	  "ok ip=f cs=1b:12234567+ab,49f" },
	{ P32, 0, "ff 2b", "bx=10 @10=180000000f @8018=12409323456700ab", "#13(18)" },
	{ P32, 0, "ff 2b", "bx=10 @10=180000000f @8018=12401b23456700ab", "#11(18)" },
	{ P32, 0, "ff 2b", "bx=10 @10=100000000f", "none" },
	{ P32, 0, "ff 2b", "bx=10 @10=30000000f", "#13(0)" },
	{ L64, 0, "48 ff 2b", "bx=10 @10=ffff800000000123 @18=18 @8018=209b0000000000",
	  "ok ip=ffff800000000123 cs=18:0+0,29b" },
	{ L64, 0, "48 ff 2b", "bx=10 @10=800000000123 @18=18 @8018=209b0000000000", "#13(0)" },
	{ L64, 0, "48 ff 2b", "bx=10 @10=123 @18=18 @8018=609b0000000000", "#13(18)" },
	/* LLDT, LTR */
	{ P32, 3, "0f 00 d8", "ax=18 @8018=12008923456700ab", "#13(0)" },
	{ P32, 0, "0f 00 d8", "ax=18 @8018=12008923456700ab",
	  "lock @8018:8=12008b23456700ab tr=18:12234567+ab,8b ok" },
	{ P32, 0, "0f 00 d8", "ax=0", "#13(0)" },
	{ P32, 0, "0f 00 d8", "ax=80", "#13(80)" },
	{ P32, 0, "0f 00 d8", "ax=1c @8018=12008923456700ab", "#13(1c)" },
	{ P32, 0, "0f 00 d8", "ax=18 @8018=12008b23456700ab", "#13(18)" },
	{ P32, 0, "0f 00 d8", "ax=18 @8018=12009923456700ab", "#13(18)" },
	{ P32, 0, "0f 00 d8", "ax=18 @8018=12000923456700ab", "#11(18)" },
	{ P32, 0, "0f 00 d8", "ax=18 @8018=8123456700ab",
	  "lock @8018:8=8323456700ab tr=18:234567+ab,83 ok" },
	{ L64, 0, "0f 00 d8", "ax=18 @8018=8123456700ab", "#13(18)" },
	{ L64, 0, "0f 00 d8", "ax=18 @8018=12008923456700ab @8020=ffff8000",
	  "lock @8018:8=12008b23456700ab tr=18:ffff800012234567+ab,8b ok" },
	{ L64, 0, "0f 00 d8", "ax=18 @8018=12008923456700ab @8020=8000", "#13(18)" },
	{ L64, 0, "0f 00 d8", "ax=18 @8018=12008923456700ab @8020=10000000000", "#13(18)" },
	{ L64, 0, "0f 00 d8", "ax=18 gdt=26 @8018=12008923456700ab", "#13(18)" },
	{ P32, 0, "0f 00 d0", "ax=20 @8020=12008223456700ab", "ldt=20:12234567+ab,82 ok" },
	{ P32, 0, "0f 00 d0", "ax=20 @8020=12008923456700ab", "#13(20)" },
	{ P32, 0, "0f 00 d0", "ax=3", "ldt=3:0+0,0 ok" },
	/* loading them */
	{ R16, 0, "8e d8", "ax=1234", "ok ds=1234:12340+ffff,93" },
	{ P32, 0, "8e d8", "ax=18 @8018=cf93000000ffff", "ok ds=18:0+ffffffff,c93" },
	{ P32, 0, "8e d8", "ax=18 @8018=124092345678abcd",
	  "lock @8018:8=124093345678abcd ok ds=18:12345678+abcd,493" },
	{ P32, 0, "8e d8", "ax=3", "ok ds=3:0+0,0" },
	{ P32, 0, "8e d8", "ax=80", "#13(80)" },
	{ P32, 0, "8e d8", "ax=1c", "#13(1c)" },
	{ P32, 0, "8e d8", "ax=18 @8018=cf13000000ffff", "#11(18)" },
	{ P32, 0, "8e d8", "ax=18 @8018=cf83000000ffff", "#13(18)" },
	{ P32, 0, "8e d8", "ax=18 @8018=cf99000000ffff", "#13(18)" },
	{ P32, 3, "8e d8", "ax=18 @8018=cf93000000ffff", "#13(18)" },
	{ P32, 0, "8e d8", "ax=1b @8018=cf93000000ffff", "#13(18)" },
	{ P32, 3, "8e d8", "ax=1b @8018=cf9f000000ffff", "ok ds=1b:0+ffffffff,c9f" },
	{ P32, 0, "8e d0", "ax=18 @8018=cf93000000ffff", "ok ss=18:0+ffffffff,c93 shadow=2" },
	{ P32, 0, "8e d0", "ax=18 @8018=cf91000000ffff", "#13(18)" },
	{ P32, 0, "8e d0", "ax=18 @8018=cf13000000ffff", "#12(18)" },
	{ P32, 0, "8e d0", "ax=18 @8018=cff3000000ffff", "#13(18)" },
	{ P32, 0, "8e d0", "ax=0", "#13(0)" },
	{ L64, 0, "8e d0", "ax=0", "ok ss=0:0+0,0 shadow=2" },
	{ L64, 3, "8e d0", "ax=3", "#13(0)" },
	{ P32, 0, "1f", "sp=100 @100=18 @8018=cf93000000ffff", "ok sp=104 ds=18:0+ffffffff,c93" },
	{ P32, 0, "17", "sp=100 @100=18 @8018=cf93000000ffff",
	  "ok sp=104 ss=18:0+ffffffff,c93 shadow=2" },
	{ P32, 0, "17", "sp=100 @100=18 @8018=cf93000000ffff shadow=2",
	  "ok sp=104 ss=18:0+ffffffff,c93" },
	{ P32, 0, "8e d0", "ax=18 @8018=cf93000000ffff shadow=2", "ok ss=18:0+ffffffff,c93" },
	{ P32, 0, "8e d8", "ax=18 gdt=1e @8018=cf93000000ffff", "#13(18)" },
	{ P32, 0, "8e d8", "ax=18 gdt=1f @8018=cf93000000ffff", "ok ds=18:0+ffffffff,c93" },
	{ P32, 0, "8e d8", "ax=1c ld.a=82 ld.b=a000 ld.l=1f @a018=cf93000000ffff",
	  "ok ds=1c:0+ffffffff,c93" },
	{ P32, 0, "8e d8", "ax=1c ld.a=82 ld.b=a000 ld.l=1e @a018=cf93000000ffff", "#13(1c)" },
	{ P32, 0, "8e d8", "ax=18 @8018=cf9a000000ffff rom=8000", "lock #14(0)" },
	{ P32, 0, "c5 03", "bx=40 @40=1812345678 @8018=cf93000000ffff",
	  "ok ax=12345678 ds=18:0+ffffffff,c93" },
	{ R16, 0, "0f b2 07", "bx=40 @30040=12345678", "ok ax=5678 ss=1234:12340+ffff,93" },
	/* quotients at the edge */
	{ P32, 0, "f6 fb", "ax=80 bx=1", "#0" },
	{ P32, 0, "f6 fb", "ax=ff80 bx=1", "ok ax=80" },
	{ P32, 0, "f6 fb", "ax=80 bx=ff", "ok" },
	{ P32, 0, "f6 fb", "ax=ff80 bx=ff", "#0" },
	{ P32, 0, "f6 f3", "ax=ff bx=1", "ok" },
	{ P32, 0, "f6 f3", "ax=100 bx=1", "#0" },
	{ L64, 0, "48 f7 fb", "dx=ffffffffffffffff ax=8000000000000000 bx=1", "ok dx=0" },
	{ L64, 0, "48 f7 fb", "dx=0 ax=8000000000000000 bx=1", "#0" },
	{ L64, 0, "48 f7 fb", "dx=8000000000000000 ax=0 bx=ffffffffffffffff", "#0" },
	/* privileges */
	{ P32, 0, "fb", "", "ok fl=202 shadow=1" },
	{ P32, 0, "fb", "fl=202", "ok" },
	{ P32, 3, "fb", "", "#13(0)" },
	{ P32, 3, "fb", "fl=3002", "ok fl=3202 shadow=1" },
	{ R16, 3, "fa", "fl=23202", "ok fl=23002" },
	{ R16, 3, "fa", "fl=20202", "#13(0)" },
	{ R16, 3, "fa", "fl=20202 cr4=1", "none" },
	{ P32, 3, "9d", "sp=100 @100=3202 fl=2", "ok sp=104" },
	{ P32, 0, "9d", "sp=100 @100=3202 fl=2", "ok sp=104 fl=3202" },
	{ P32, 0, "66 9c", "sp=100 fl=10202", "@fe:2=202 ok sp=fe fl=202" },
	{ P32, 0, "f4", "", "hlt ok" },
	{ P32, 3, "f4", "", "#13(0)" },
	{ P32, 0, "0f 22 d8", "ax=5000", "cr3=5000 ok" },
	{ L64, 0, "44 0f 22 c0", "ax=5", "cr8=5 ok" },
	{ L64, 0, "0f 20 d0", "", "ok ax=abc00000002" },
	{ P32, 0, "0f 20 d0", "", "ok ax=2" },
	{ P32, 3, "0f 20 d0", "", "#13(0)" },
	{ P32, 0, "0f 23 e0", "ax=55", "dr6=55 ok" },
	{ P32, 0, "0f 23 e0", "cr4=8", "#6" },
	{ P32, 0, "0f 21 c0", "dr7=2000", "#1" },
	{ P32, 0, "0f 06", "cr0=3b", "cr0=33 ok" },
	{ P32, 0, "0f 01 f0", "ax=fffe", "cr0=3f ok" },
	{ P32, 0, "0f 01 f0", "ax=0", "cr0=31 ok" },
	{ P32, 3, "0f 01 e0", "cr0=80000033", "ok ax=80000033" },
	{ P32, 3, "0f 01 e0", "cr4=800", "#13(0)" },
	{ P32, 0, "0f 01 3b", "bx=123 ds.b=1000", "invlpg 1123 ok" },
	{ P32, 0, "0f 01 13", "bx=40 @40=ff123456787fff", "ok gdt=12345678+7fff" },
	{ P32, 0, "66 0f 01 13", "bx=40 @40=ff123456787fff", "ok gdt=345678+7fff" },
	{ L64, 0, "0f 01 13", "bx=40 @40=7fff @42=800000000000", "#13(0)" },
	{ P32, 0, "0f 01 03", "bx=40", "@40:6=8000007f ok" },
	{ P32, 0, "0f 30", "cx=10 ax=2 dx=1", "msr10=100000002 ok" },
	{ P32, 3, "0f 30", "", "#13(0)" },
	{ P32, 0, "0f 32", "cx=10", "ok ax=10 dx=abc" },
	{ P32, 3, "0f 31", "", "ok ax=55667788 dx=11223344" },
	{ P32, 3, "0f 31", "cr4=4", "#13(0)" },
	{ P32, 0, "0f 31", "cr4=4", "ok ax=55667788 dx=11223344" },
	{ P32, 0, "0f 33", "", "none" },
	{ L64, 0, "0f 01 f9", "", "ok ax=55667788 cx=c0000103 dx=11223344" },
	{ P32, 0, "0f 09", "", "flush 1 ok" },
	/* ports */
	{ P32, 0, "e4 10", "ax=11223344", "in 10 1*1 ok ax=11223381" },
	{ L64, 0, "ed", "dx=10 ax=1122334455667788", "in 10 4*1 ok ax=84838281" },
	{ P32, 0, "66 e7 f0", "ax=11223344", "out f0 2*1=3344 ok" },
	{ P32, 3, "ee", "dx=3f8 @9066=68 @90e7=0 ax=41", "out 3f8 1*1=41 ok" },
	{ P32, 3, "ee", "dx=3f8 @9066=68 @90e7=1 ax=41", "#13(0)" },
	{ P32, 3, "ee", "dx=3f8 @9066=68 @90e7=fe ax=41", "out 3f8 1*1=41 ok" },
	{ P32, 3, "ef", "dx=3f8 @9066=68 @90e7=8 ax=41", "#13(0)" },
	{ P32, 3, "ee", "dx=3f8 @9066=7f ax=41", "out 3f8 1*1=41 ok" },
	{ P32, 3, "ee", "dx=3f8 @9066=80 ax=41", "#13(0)" },
	{ P32, 3, "ee", "dx=3f8 tr.a=83", "#13(0)" },
	{ P32, 3, "ee", "dx=3f8 fl=3002 ax=41", "out 3f8 1*1=41 ok" },
	{ R16, 3, "ee", "dx=8 fl=23002 tr.a=0", "#13(0)" },
	{ P32, 0, "f3 6c", "dx=10 di=100 cx=4", "in 10 1*4 @100:4=84838281 ok cx=0 di=104" },
	{ P32, 0, "f3 6c", "dx=10 di=104 cx=2 fl=402",
	  "in 10 1*1 @104:1=81 in 10 1*1 @103:1=81 ok cx=0 di=102" },
	{ P32, 0, "f3 6d", "dx=90 di=ff8 cx=3",
	  "ask 90 4*2 pending in 90 4*2 @ff8:8=8887868584838281 in 90 4*1 @1000:4=84838281 ok cx=0 di=1004" },
	{ P32, 0, "6c", "dx=10 di=100 rom=100", "#14(0)" },
	{ P32, 0, "f3 6e", "dx=10 si=100 cx=4 @100=41424344",
	  "out 10 1*4=41424344 ok cx=0 si=104" },
	{ P32, 0, "f3 6e", "dx=10 si=100 cx=10000", "out 10 1*1024=0 again cx=fc00 si=500" },
	{ R16, 0, "f3 6e", "dx=10 si=fffe cx=4", "out 10 1*2=0 out 10 1*2=0 ok cx=0 si=2" },
	/* what waits for user space */
	{ P32, 0, "8b 03", "bx=1000 mmio=1000 @1000=5", "read 1000 pending ok ax=5" },
	{ P32, 0, "01 03", "bx=1000 mmio=1000 @1000=5 ax=3", "read 1000 pending @1000:4=8 ok" },
	{ P32, 0, "a6", "si=1000 di=1100 mmio=1100 @1000=5 @1100=5",
	  "read 1100 pending ok si=1001 di=1101 fl=46" },
	{ P32, 0, "ec", "dx=80", "ask 80 1*1 pending in 80 1*1 ok ax=81" },
	{ P32, 0, "f3 a5", "si=ff8 di=100 cx=3 mmio=1000 @1000=7",
	  "@100:4=0 @104:4=0 read 1000 pending @108:4=7 ok cx=0 si=1004 di=10c" },
	{ P32, 0, "f3 ab", "di=1000 cx=3 rom=1008", "@1000:4=0 @1004:4=0 #14(0) cx=1 di=1008" },
	/* locked */
	{ P32, 0, "f0 01 03", "bx=10 ax=1 @10=5", "lock @10:4=6 ok fl=6" },
	{ P32, 0, "87 03", "bx=10 ax=1 @10=5", "lock @10:4=1 ok ax=5" },
	{ P32, 0, "0f b1 0b", "bx=10 ax=1 cx=7 @10=5", "@10:4=5 ok ax=5 fl=97" },
	{ L64, 0, "48 0f c7 0b", "bx=18", "#13(0)" },
	/* vectors */
	{ P32, 0, "0f 28 03", "bx=10 @10=1234", "vec0:16=1234 ok" },
	{ P32, 0, "0f 28 03", "bx=18", "#13(0)" },
	{ P32, 0, "0f 10 03", "bx=18 @18=5", "vec0:16=5 ok" },
	{ P32, 0, "0f 10 03", "cr0=3b", "#7" },
	{ P32, 0, "0f 10 03", "cr0=37", "#6" },
	{ P32, 0, "0f 10 03", "cr4=0", "#6" },
	{ P32, 0, "0f 6f 03", "", "none" },
	{ P32, 0, "c5 fc 28 03", "bx=20 @20=7", "vec0:32=7c ok" },
	{ P32, 0, "c5 fc 28 03", "bx=10", "#13(0)" },
	{ P32, 0, "c5 f8 28 03", "bx=10 cr4=0", "#6" },
	{ P32, 0, "c5 fc 58 03", "", "none" },
	{ P32, 0, "0f 58 03", "", "none" },
	/* not executed */
	{ P32, 0, "60", "", "none" },
	{ P32, 0, "cf", "", "none" },
};

int main(void)
{
	u32 bad = 0;

	for (u32 k = 0; k < COUNT(rows); k++)
		bad += check(&rows[k]);
	printf("%zu instructions, %u wrong\n", COUNT(rows), bad);
	return bad != 0;
}
