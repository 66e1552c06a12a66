// SPDX-License-Identifier: MIT
/*
 * A plugin of QEMU's: counts what kernel code does that costs more than an instruction, the same way under any kernel, between two
 * marks that a user program makes (ops.c: a NOP with one of two displacements). A row for each pair of marks goes to the file out=:
 *
 *	kernel instructions, user instructions, atomics, exchanges, TLB invalidations, page table loads, IPIs, device accesses
 *
 * Atomics are the instructions with a LOCK prefix and XCHG with memory; exchanges are those of them that take a lock as both
 * kernels take one: CMPXCHG, XCHG, BTS (reference counts and lists of waiters do that too). A device access is a read or write of
 * MMIO (looked for in MOVs), a port, or an MSR of the local APIC; an IPI is a write to its interrupt command register.
 *
 * With lines=on each access of kernel code to kernel memory is noted too. A shared line is one of 64 bytes that more than one CPU
 * touched between the marks, and one access in fifty wrote. Before the row come the worst of them, "line ACCESSES ADDRESS
 * INSTRUCTION", and "shared ACCESSES ATOMICS".
 *
 * With blocks=on each block of kernel instructions that ran between the marks is told before the row: "block ADDRESS INSTRUCTIONS TIMES".
 *
 * With entry=ADDRESS what ran before the instruction there was first reached is told before the row: "entry INSTRUCTIONS". That is a firmware's
 * share where the address is a kernel's first.
 *
 * Of other CPUs than x86_64 the instructions are counted, and lines and blocks noted; atomics, invalidations and the like are 0.
 * Kernel code is what lies in the upper half. The declarations are those of QEMU's plugin interface, version 3 and later.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_plugin_register;
struct qemu_plugin_scoreboard;
typedef struct { struct qemu_plugin_scoreboard *score; size_t offset; } qemu_plugin_u64;
typedef struct { struct qemu_plugin_register *handle; const char *name, *feature; } qemu_plugin_reg_descriptor;
struct info {
	const char *target;
	struct { int min, cur; } version;
	bool whole_system;
	struct { int cpus, most; } system;
};
typedef struct { char *data; unsigned int len; } GArray;
typedef struct { uint8_t *data; unsigned int len; } GByteArray;
enum { NO_REGS, READ_REGS };
enum { MEM_READ = 1, MEM_WRITE = 2, MEM_BOTH = 3 };
enum { INLINE_ADD = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, unsigned int));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned int, void *), int flags, void *);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *, int op, qemu_plugin_u64, uint64_t imm);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, void (*)(unsigned int, qemu_plugin_meminfo_t, uint64_t, void *), int flags,
				      int rw, void *);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned int, void *), int flags, void *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *, void *dest, size_t len);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t);
uint64_t qemu_plugin_u64_sum(qemu_plugin_u64);
GArray *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register *, GByteArray *);
GByteArray *g_byte_array_new(void);
GByteArray *g_byte_array_set_size(GByteArray *, unsigned int);

#define PUBLIC __attribute__((visibility("default")))
#define MARK 0x6f636862u		/* displacement of the NOP at the beginning; + 1 at the end */
#define APIC_ICR 0xfee00300u		/* physical, as both kernels leave it */
#define MSR_X2APIC 0x800u		/* .. 0x8ff */
#define MSR_X2APIC_ICR 0x830u
#define MSR_TSC_DEADLINE 0x6e0u

PUBLIC int qemu_plugin_version = 3;

enum { KERNEL, USER, ATOMIC, EXCHANGE, TLB, TABLE, IPI, DEVICE, COUNTERS };
static struct qemu_plugin_scoreboard *score;
static uint64_t called[COUNTERS];	/* what functions counted */
static bool by_call;			/* all of it: code in line takes all CPUs of one thread for the one that translated it */
static struct qemu_plugin_register *rcx;
static GByteArray *value;
static uint64_t begun[COUNTERS];
static bool want_entry, entered;
static uint64_t entry, before_entry;
static FILE *out;

static qemu_plugin_u64 counter(int what)
{
	return (qemu_plugin_u64){ score, (size_t)what * sizeof(uint64_t) };
}

static uint64_t value_of(int what)
{
	return qemu_plugin_u64_sum(counter(what)) + __atomic_load_n(&called[what], __ATOMIC_RELAXED);
}

static void count(int what)
{
	__atomic_fetch_add(&called[what], 1, __ATOMIC_RELAXED);
}

/* --- what an instruction is --- */

struct decoded {
	bool lock, wide, data16;	/* wide: of the 0F page */
	uint8_t op, next;		/* opcode; the byte after it, ModRM mostly */
	const uint8_t *rest;		/* from NEXT on */
	size_t left;
};

static bool decode(struct decoded *d, const uint8_t *p, size_t n)
{
	size_t i = 0;

	memset(d, 0, sizeof(*d));
	for (; i < n && (memchr("\x66\x67\x2e\x36\x3e\x26\x64\x65\xf2\xf3\xf0", p[i], 11)); i++) {
		d->lock |= p[i] == 0xf0;
		d->data16 |= p[i] == 0x66;
	}
	if (i < n && (p[i] & 0xf0) == 0x40)
		i++;
	if (i < n && p[i] == 0x0f) {
		d->wide = true;
		i++;
	}
	if (i >= n)
		return false;
	d->op = p[i++];
	d->rest = p + i;
	d->left = n - i;
	d->next = d->left ? p[i] : 0;
	return true;
}

static unsigned int reg_field(const struct decoded *d) { return d->next >> 3 & 7; }
static bool in_memory(const struct decoded *d) { return d->next >> 6 != 3; }

static bool is_exchange(const struct decoded *d)
{
	if (!d->wide)
		return (d->op == 0x86 || d->op == 0x87) && in_memory(d);
	return d->lock && (d->op == 0xb0 || d->op == 0xb1 || d->op == 0xab || (d->op == 0xba && reg_field(d) == 5)
			   || (d->op == 0xc7 && reg_field(d) == 1));
}

static bool is_invalidation(const struct decoded *d)
{
	if (!d->wide)
		return false;
	return (d->op == 0x01 && reg_field(d) == 7 && in_memory(d)) || (d->data16 && d->op == 0x38 && d->next == 0x82);
}

static bool is_table_load(const struct decoded *d) { return d->wide && d->op == 0x22 && reg_field(d) == 3; }
static bool is_wrmsr(const struct decoded *d) { return d->wide && d->op == 0x30; }

static bool is_port(const struct decoded *d)
{
	return !d->wide && ((d->op >= 0xe4 && d->op <= 0xe7) || (d->op >= 0xec && d->op <= 0xef) || (d->op >= 0x6c && d->op <= 0x6f));
}

static bool is_move(const struct decoded *d)
{
	if (d->wide)
		return d->op == 0xb6 || d->op == 0xb7;
	return (d->op >= 0x88 && d->op <= 0x8b) || (d->op >= 0xa0 && d->op <= 0xa3) || d->op == 0xc6 || d->op == 0xc7;
}

/* 0 for none, 1 for the beginning, 2 for the end. */
static int x86_mark(const struct decoded *d)
{
	uint32_t disp;

	if (!d->wide || d->op != 0x1f || d->next != 0x80 || d->left < 5)
		return 0;
	memcpy(&disp, d->rest + 1, 4);
	return disp == MARK ? 1 : disp == MARK + 1 ? 2 : 0;
}

/* The marks of other CPUs (cpu.h), a word each. */
static const struct marks {
	const char *target;
	uint32_t word[2];
} marks[] = {
	{ "aarch64", { 0xd5032fdf, 0xd5032fff } },	/* hint #126, #127 */
	{ "riscv64", { 0x6f636037, 0x6f637037 } },	/* lui x0 */
	{ "loongarch64", { 0x035bd800, 0x035bdc00 } },	/* andi $zero, $zero, 0x6f6, 0x6f7 */
};
static const struct marks *own;		/* NULL: x86_64 */

static int word_mark(const uint8_t *bytes, size_t n)
{
	uint32_t w;

	if (n != 4)
		return 0;
	memcpy(&w, bytes, 4);
	return w == own->word[0] ? 1 : w == own->word[1] ? 2 : 0;
}

/* --- lines of kernel memory --- */

#define LINES (1u << 18)
#define WORST 8

struct line {
	uint64_t number;		/* address / 64; 0: free */
	uint64_t instruction;		/* the last that touched it from another CPU than the one before */
	uint32_t touched;		/* bit a CPU */
	uint32_t accesses, atomics, writes;
	uint8_t last;			/* CPU */
};
static struct line *lines;		/* open addressing; NULL: not wanted */
static unsigned int used;
static pthread_mutex_t tables_lock = PTHREAD_MUTEX_INITIALIZER;	/* of the lines and the blocks: each CPU is a thread */

static struct line *line_of(uint64_t number)
{
	unsigned int i = (unsigned int)(number * 0x9e3779b97f4a7c15ull >> 46) & (LINES - 1);

	while (lines[i].number && lines[i].number != number)
		i = (i + 1) & (LINES - 1);
	if (!lines[i].number) {
		if (used > LINES / 4 * 3)
			return NULL;
		used++;
		lines[i].number = number;
	}
	return &lines[i];
}

/* What is written now and then only, as the clock is by ticks, stays in every CPU's cache. */
static bool is_shared(const struct line *l)
{
	return l->writes && l->writes >= l->accesses / 50 && (l->touched & (l->touched - 1));
}

static void note(struct line *l, unsigned int cpu, bool write, uintptr_t by)
{
	if (l->last != cpu || !l->accesses)
		l->instruction = by & ~1ull;
	l->last = (uint8_t)cpu;
	l->touched |= 1u << (cpu & 31);
	l->writes += write;
	l->accesses++;
	l->atomics += by & 1;
}

static void at_line(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *udata)
{
	struct line *l;

	if (!(vaddr >> 63))
		return;
	pthread_mutex_lock(&tables_lock);
	l = line_of(vaddr >> 6);
	if (l)
		note(l, cpu, qemu_plugin_mem_is_store(info), (uintptr_t)udata);
	pthread_mutex_unlock(&tables_lock);
}

/* Instructions lie at odd addresses too: the lowest bit says whether it is an atomic, and the address is off by one at most. */
static void *line_data(uint64_t vaddr, bool atomic)
{
	return (void *)(uintptr_t)((vaddr & ~1ull) | atomic);
}

static void print_worst(void)
{
	static struct line none;

	for (int k = 0; k < WORST; k++) {
		struct line *worst = &none;

		for (unsigned int i = 0; i < LINES; i++)
			if (is_shared(&lines[i]) && lines[i].accesses > worst->accesses)
				worst = &lines[i];
		if (!worst->accesses)
			return;
		fprintf(out, "line %u %llx %llx\n", worst->accesses, (unsigned long long)worst->number << 6, (unsigned long long)worst->instruction);
		worst->accesses = 0;
	}
}

static void print_lines(void)
{
	uint64_t accesses = 0, atomics = 0;

	for (unsigned int i = 0; i < LINES; i++)
		if (is_shared(&lines[i])) {
			accesses += lines[i].accesses;
			atomics += lines[i].atomics;
		}
	print_worst();
	fprintf(out, "shared %llu %llu\n", (unsigned long long)accesses, (unsigned long long)atomics);
}

/* --- blocks of instructions --- */

struct block {
	struct block *next;
	uint64_t address, instructions, times, before;	/* BEFORE: the times at the first mark */
};
static struct block *blocks;		/* as many as were translated: they are never freed */
static bool want_blocks;

static void at_block(unsigned int cpu, void *b)
{
	__atomic_fetch_add(&((struct block *)b)->times, 1, __ATOMIC_RELAXED);
}

static void add_block(struct qemu_plugin_tb *tb)
{
	struct block *b = calloc(1, sizeof(*b));

	if (!b)
		return;
	b->address = qemu_plugin_tb_vaddr(tb);
	b->instructions = qemu_plugin_tb_n_insns(tb);
	pthread_mutex_lock(&tables_lock);
	b->next = blocks;
	blocks = b;
	pthread_mutex_unlock(&tables_lock);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, at_block, NO_REGS, b);
}

/* tables_lock held. */
static void print_blocks(void)
{
	for (struct block *b = blocks; b; b = b->next)
		if (b->times != b->before)
			fprintf(out, "block %llx %llu %llu\n", (unsigned long long)b->address, (unsigned long long)b->instructions,
				(unsigned long long)(b->times - b->before));
}

/* --- while it runs --- */

static void at_begin(unsigned int cpu, void *unused)
{
	for (int i = 0; i < COUNTERS; i++)
		begun[i] = value_of(i);
	pthread_mutex_lock(&tables_lock);
	if (lines)
		memset(lines, 0, LINES * sizeof(*lines));
	used = 0;
	for (struct block *b = blocks; b; b = b->next)
		b->before = b->times;
	pthread_mutex_unlock(&tables_lock);
}

/* Of those who come here at the same time, which no firmware lets happen, the last one counts. */
static void at_entry(unsigned int cpu, void *unused)
{
	if (entered)
		return;
	before_entry = value_of(KERNEL) + value_of(USER);
	entered = true;
}

static void at_end(unsigned int cpu, void *unused)
{
	if (entered)
		fprintf(out, "entry %llu\n", (unsigned long long)before_entry);
	pthread_mutex_lock(&tables_lock);
	if (lines)
		print_lines();
	print_blocks();
	pthread_mutex_unlock(&tables_lock);
	for (int i = 0; i < COUNTERS; i++)
		fprintf(out, "%llu%c", (unsigned long long)(value_of(i) - begun[i]), i + 1 == COUNTERS ? '\n' : ' ');
	fflush(out);
}

static void at_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *unused)
{
	struct qemu_plugin_hwaddr *hw = qemu_plugin_get_hwaddr(info, vaddr);

	if (!hw || !qemu_plugin_hwaddr_is_io(hw))
		return;
	count(DEVICE);
	if (qemu_plugin_mem_is_store(info) && qemu_plugin_hwaddr_phys_addr(hw) == APIC_ICR)
		count(IPI);
}

static void at_wrmsr(unsigned int cpu, void *unused)
{
	uint32_t msr = 0;

	if (!rcx)
		return;
	g_byte_array_set_size(value, 0);
	if (qemu_plugin_read_register(rcx, value) >= 4)
		memcpy(&msr, value->data, 4);
	if ((msr & ~0xffu) == MSR_X2APIC || msr == MSR_TSC_DEADLINE)
		count(DEVICE);
	if (msr == MSR_X2APIC_ICR)
		count(IPI);
}

static void at_cpu(qemu_plugin_id_t id, unsigned int cpu)
{
	GArray *all = rcx ? NULL : qemu_plugin_get_registers();

	for (unsigned int i = 0; all && i < all->len; i++) {
		qemu_plugin_reg_descriptor *r = (qemu_plugin_reg_descriptor *)all->data + i;

		if (!strcmp(r->name, "rcx"))
			rcx = r->handle;
	}
}

static void at_counted(unsigned int cpu, void *what)
{
	count((int)(intptr_t)what);
}

static void add(struct qemu_plugin_insn *insn, int what)
{
	if (by_call)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, at_counted, NO_REGS, (void *)(intptr_t)what);
	else
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, INLINE_ADD, counter(what), 1);
}

static void at_mark(struct qemu_plugin_insn *insn, int mark)
{
	if (mark)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, mark == 1 ? at_begin : at_end, NO_REGS, NULL);
}

static void at_instruction(struct qemu_plugin_insn *insn, bool kernel, const struct decoded *d)
{
	if (!kernel) {
		at_mark(insn, x86_mark(d));
		return;
	}
	if (d->lock || is_exchange(d))
		add(insn, ATOMIC);
	if (is_exchange(d))
		add(insn, EXCHANGE);
	if (is_invalidation(d))
		add(insn, TLB);
	if (is_table_load(d))
		add(insn, TABLE);
	if (is_port(d))
		add(insn, DEVICE);
	if (is_wrmsr(d))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, at_wrmsr, READ_REGS, NULL);
	if (lines)
		qemu_plugin_register_vcpu_mem_cb(insn, at_line, NO_REGS, MEM_BOTH,
						 line_data(qemu_plugin_insn_vaddr(insn), d->lock || is_exchange(d)));
	if (is_move(d))
		qemu_plugin_register_vcpu_mem_cb(insn, at_access, NO_REGS, MEM_BOTH, NULL);
}

static void at_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	if (want_blocks && qemu_plugin_tb_vaddr(tb) >> 63)
		add_block(tb);
	for (size_t i = 0, n = qemu_plugin_tb_n_insns(tb); i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		bool kernel = qemu_plugin_insn_vaddr(insn) >> 63;
		struct decoded d;
		uint8_t bytes[16];
		size_t len = qemu_plugin_insn_data(insn, bytes, sizeof(bytes));

		if (want_entry && qemu_plugin_insn_vaddr(insn) == entry)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_entry, NO_REGS, NULL);
		add(insn, kernel ? KERNEL : USER);
		if (own && !kernel)
			at_mark(insn, word_mark(bytes, len));
		else if (own && lines)
			qemu_plugin_register_vcpu_mem_cb(insn, at_line, NO_REGS, MEM_BOTH, line_data(qemu_plugin_insn_vaddr(insn), false));
		else if (!own && decode(&d, bytes, len))
			at_instruction(insn, kernel, &d);
	}
}

PUBLIC int qemu_plugin_install(qemu_plugin_id_t id, const struct info *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		if (!strcmp(argv[i], "lines=on"))
			lines = calloc(LINES, sizeof(*lines));
		want_blocks |= !strcmp(argv[i], "blocks=on");
		if (!strncmp(argv[i], "entry=", 6)) {
			entry = strtoull(argv[i] + 6, NULL, 16);
			want_entry = true;
		}
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (!strcmp(info->target, marks[i].target))
			own = &marks[i];
	if (!out || (!own && strcmp(info->target, "x86_64")))
		return -1;
	by_call = info->system.cpus > 1 && !lines;
	score = qemu_plugin_scoreboard_new(COUNTERS * sizeof(uint64_t));
	value = g_byte_array_new();
	qemu_plugin_register_vcpu_init_cb(id, at_cpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, at_translation);
	return 0;
}
