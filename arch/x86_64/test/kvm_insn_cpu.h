/* SPDX-License-Identifier: MIT */
/*
 * Runs one instruction of the CPU that a test runs on, in 64-bit mode or in 32-bit mode, between
 * loads and stores of all registers. Faults come back as their vector.
 */
#pragma once

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <lib/types.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* All below 2 GiB, so that 32-bit addresses reach it. */
#define CODE 0x30000000u
#define ENTRY (CODE + 16) /* a sanitizer looks before a function */
#define INSN (CODE + 0x800)
#define TAKEN (INSN + 32) /* where branches go */
#define BOX 0x30004000u
#define ARENA 0x30010000u
#define ARENA_SIZE 8192u

#define CF 1u
#define PF 4u
#define AF 0x10u
#define ZF 0x40u
#define SF 0x80u
#define DF 0x400u
#define OF 0x800u
#define STATUS (CF | PF | AF | ZF | SF | OF)

/* What the machine code loads and stores. */
struct box {
	u64 gpr[16];
	u64 flags;
	u8 vec[16][32];
	u64 host_sp, landed;
	u64 vector, address, fault_rip; /* vector: ~0 where there was none */
};

static struct box *const box = (struct box *)(unsigned long)BOX;
static u8 *const arena = (u8 *)(unsigned long)ARENA;
static u8 stack[65536];
static u32 restore_at;
static bool avx, in_32;

/* --- the machine code around an instruction --- */

static u8 *at;

static void emit(const char *hex)
{
	for (char *end; *hex; hex = end + (*end == ' '))
		*at++ = (u8)strtoul(hex, &end, 16);
}

static void emit32(u32 v)
{
	memcpy(at, &v, 4);
	at += 4;
}

static void emit_jump(u32 to)
{
	emit("e9");
	emit32(to - (u32)(unsigned long)at - 4);
}

#define FIELD(f) (BOX + (u32)__builtin_offsetof(struct box, f))

/* MOV between register R and the box; not of flags. */
static void emit_gpr(u32 r, bool load, bool wide)
{
	if (wide)
		*at++ = 0x48 | (r >> 3) << 2;
	*at++ = load ? 0x8b : 0x89;
	*at++ = (r & 7) << 3 | (wide ? 4 : 5);
	if (wide)
		*at++ = 0x25;
	emit32(BOX + r * 8);
}

static void emit_vec(u32 r, bool load)
{
	if (avx) {
		*at++ = 0xc5;
		*at++ = r < 8 ? 0xfc : 0x7c;
	} else {
		if (r >= 8)
			*at++ = 0x44;
		*at++ = 0x0f;
	}
	*at++ = load ? 0x10 : 0x11;
	*at++ = 4 | (r & 7) << 3;
	*at++ = 0x25;
	emit32(FIELD(vec) + r * 32);
}

static void emit_gprs(bool load, bool wide)
{
	for (u32 r = 0; r < (wide ? 16 : 8); r++)
		if (r != 4)
			emit_gpr(r, load, wide);
	emit_gpr(4, load, wide); /* the stack is the last to be another, as flags come by it */
}

static void emit_landed(u32 value, bool wide)
{
	emit(wide ? "c7 04 25" : "c7 05"); /* movl $value, landed */
	emit32(FIELD(landed));
	emit32(value);
}

/* Back on the host's stack: the flags, then what the caller wants kept. */
static void emit_end(void)
{
	emit("48 8b 24 25");
	emit32(FIELD(host_sp));
	emit("9c 8f 04 25");
	emit32(FIELD(flags));
	restore_at = (u32)(unsigned long)at;
	emit("48 8b 24 25");
	emit32(FIELD(host_sp));
	emit("6a 02 9d"); /* flags as C wants them */
	if (avx)
		emit("c5 f8 77");
	emit("41 5f 41 5e 41 5d 41 5c 5d 5b c3");
}

static void emit_begin(void)
{
	emit("53 55 41 54 41 55 41 56 41 57 48 89 24 25");
	emit32(FIELD(host_sp));
	for (u32 r = 0; r < 16; r++)
		emit_vec(r, true);
	emit("ff 34 25");
	emit32(FIELD(flags));
	emit("9d");
}

static void build_64(void)
{
	u32 fall, taken, save;

	at = (u8 *)(unsigned long)(CODE + 0x1000);
	fall = (u32)(unsigned long)at;
	emit_landed(0, true);
	emit("eb 0b"); /* past the other */
	taken = (u32)(unsigned long)at;
	emit_landed(1, true);
	save = (u32)(unsigned long)at;
	assert(save - taken == 11);
	emit_gprs(false, true);
	for (u32 r = 0; r < 16; r++)
		emit_vec(r, false);
	emit_end();
	at = (u8 *)(unsigned long)ENTRY;
	emit_begin();
	emit_gprs(true, true);
	emit_jump(INSN);
	at = (u8 *)(unsigned long)TAKEN;
	emit_jump(taken);
	at = (u8 *)(unsigned long)(INSN + 16);
	emit_jump(fall);
}

/* The same in 32-bit mode, by a far return there and a far jump back. */
static void build_32(void)
{
	u32 fall, taken, back, start;

	at = (u8 *)(unsigned long)(CODE + 0x2000);
	back = (u32)(unsigned long)at;
	emit("b8 0 0 0 0 8e d8 8e c0");
	for (u32 r = 0; r < 16; r++)
		emit_vec(r, false);
	emit_end();
	at = (u8 *)(unsigned long)(CODE + 0x1000);
	fall = (u32)(unsigned long)at;
	emit_landed(0, false);
	emit("eb 0a");
	taken = (u32)(unsigned long)at;
	emit_landed(1, false);
	emit_gprs(false, false);
	emit("ea");
	emit32(back);
	emit("33 0");
	at = (u8 *)(unsigned long)(CODE + 0x1800);
	start = (u32)(unsigned long)at;
	emit_gprs(true, false);
	emit_jump(INSN);
	at = (u8 *)(unsigned long)ENTRY;
	emit_begin();
	emit("b8 2b 0 0 0 8e d8 8e c0 6a 23 68");
	emit32(start);
	emit("48 cb");
	at = (u8 *)(unsigned long)TAKEN;
	emit_jump(taken);
	at = (u8 *)(unsigned long)(INSN + 16);
	emit_jump(fall);
	in_32 = true;
}

/* The order of mcontext_t, whose names need what lib/types.h does not go with. */
enum { GREG_RIP = 16, GREG_EFL, GREG_CSGSFS, GREG_ERR, GREG_TRAPNO, GREG_OLDMASK, GREG_CR2 };
#define GREG_RSP 15

static void on_signal(int sig, siginfo_t *info, void *context)
{
	static const u8 order[16] = { 13, 14, 12, 11, 15, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7 };
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	if ((u64)g[GREG_RIP] < CODE || (u64)g[GREG_RIP] > CODE + 0x4000)
		abort();
	(void)sig;
	(void)info;
	for (u32 r = 0; r < 16; r++)
		box->gpr[r] = (u64)g[order[r]];
	box->flags = (u64)g[GREG_EFL];
	box->vector = (u64)g[GREG_TRAPNO];
	box->address = (u64)g[GREG_CR2];
	box->fault_rip = (u64)g[GREG_RIP];
	g[GREG_RIP] = restore_at;
	g[GREG_CSGSFS] = (g[GREG_CSGSFS] & ~0xffffll) | 0x33;
	g[GREG_RSP] = (greg_t)box->host_sp;
	g[GREG_EFL] &= ~(greg_t)(DF | 0x40100);
}

static void prepare(void)
{
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };
	int signals[] = { SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGTRAP };
	u32 prot = PROT_READ | PROT_WRITE,
	    flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	assert(mmap((void *)(unsigned long)CODE, 0x4000, prot | PROT_EXEC, flags, -1, 0) ==
	       (void *)(unsigned long)CODE);
	assert(mmap(box, 4096, prot, flags, -1, 0) == box);
	assert(mmap(arena, ARENA_SIZE, prot, flags, -1, 0) == arena);
	sigaltstack(&alt, NULL);
	for (u32 k = 0; k < COUNT(signals); k++)
		sigaction(signals[k], &action, NULL);
	__builtin_cpu_init();
	avx = __builtin_cpu_supports("avx");
	build_64();
}

static void run_native(const u8 *bytes, u32 length)
{
	u8 *to = (u8 *)(unsigned long)INSN;

	memset(to, 0x90, 16);
	memcpy(to, bytes, length);
	/* from the instruction's end by NOPs to the jump at INSN + 16 */
	box->vector = ~0ull;
	((void (*)(void))(unsigned long)ENTRY)();
}
