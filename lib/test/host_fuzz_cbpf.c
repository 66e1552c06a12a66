// SPDX-License-Identifier: MIT
/* sources: lib/cbpf.c */
/* Classic BPF (seccomp's filters): what the checker lets through reads nothing outside its data and ends. */
/* fuzz: -max_len=512 */
#define FUZZ_MAX 40000
#include <assert.h>
#include "lib/test/fuzz.h"
#include <lib/cbpf.h>

/* The first byte: how long the data is (the low six bits), and whether it is in the CPU's byte order. Then the data, then the filter. */
static void fuzz_one(const u8 *p, size_t n)
{
	size_t len, data;
	struct sock_filter *f;
	u16 *scratch;
	u8 *d;

	if (!n || n - 1 < (data = p[0] & 63))
		return;
	len = (n - 1 - data) / sizeof(*f);
	f = malloc(len * sizeof(*f) + 1);
	memcpy(f, p + 1 + data, len * sizeof(*f));
	scratch = malloc(len * sizeof(*scratch) + 1);
	d = malloc(data + 1);
	memcpy(d, p + 1, data);
	if (!cbpf_check(f, (unsigned int)len, scratch)) {
		u32 v = cbpf_run(f, d, (u32)data, p[0] & 64);

		assert(v == cbpf_run(f, d, (u32)data, p[0] & 64));
	}
	free(d);
	free(scratch);
	free(f);
}

#define S(c, k) BPF_STMT(c, k)
#define J(c, k, t, f) BPF_JUMP(c, k, t, f)
#define ALU(op) S(BPF_ALU | (op) | BPF_K, 3), S(BPF_ALU | (op) | BPF_X, 0)

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const struct sock_filter arch[] = {	/* what libseccomp makes of a list of calls */
		S(BPF_LD | BPF_W | BPF_ABS, 4), J(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 1, 0), S(BPF_RET | BPF_K, 0),
		S(BPF_LD | BPF_W | BPF_ABS, 0), J(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 2, 0), J(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0),
		J(BPF_JMP | BPF_JSET | BPF_X, 7, 0, 1), S(BPF_RET | BPF_K, 0x50001), S(BPF_RET | BPF_A, 0) };
	static const struct sock_filter all[] = {
		S(BPF_LDX | BPF_IMM, 5), S(BPF_LD | BPF_IMM, 77), ALU(BPF_ADD), ALU(BPF_SUB), ALU(BPF_MUL), ALU(BPF_DIV), ALU(BPF_OR), ALU(BPF_AND),
		ALU(BPF_LSH), ALU(BPF_RSH), ALU(0x90), ALU(0xa0), S(BPF_ALU | BPF_NEG, 0), S(BPF_ST, 3), S(BPF_STX, 4), S(BPF_MISC | BPF_TAX, 0),
		S(BPF_LD | BPF_MEM, 3), S(BPF_LDX | BPF_MEM, 4), S(BPF_MISC | BPF_TXA, 0), S(BPF_LD | BPF_LEN, 0), S(BPF_LDX | BPF_LEN, 0),
		S(BPF_LDX | BPF_B | BPF_MSH, 1), S(BPF_LD | BPF_H | BPF_IND, 2), S(BPF_LD | BPF_B | BPF_ABS, 9), S(BPF_LD | BPF_H | BPF_ABS, 8),
		S(BPF_JMP | BPF_JA, 1), S(BPF_RET | BPF_K, 1), J(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1), S(BPF_RET | BPF_K, 2), S(BPF_RET | BPF_A, 0) };

	if (i == 4) {		/* one more than may be */
		memset(buf, 0, 1 + 8 * (BPF_MAXINSNS + 1));
		return 1 + 8 * (BPF_MAXINSNS + 1);
	}
	if (i > 4)
		return 0;
	for (int k = 0; k < 64; k++)
		buf[1 + k] = (u8)(k * 5);
	buf[0] = (u8)(48 | (i & 2 ? 64 : 0));
	memcpy(buf + 49, i & 1 ? all : arch, i & 1 ? sizeof(all) : sizeof(arch));
	return 49 + (i & 1 ? sizeof(all) : sizeof(arch));
}
