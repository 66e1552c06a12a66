// SPDX-License-Identifier: MIT
/* Classic BPF: known programs, and random ones that the checker lets through must end within themselves. sources: lib/cbpf.c */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lib/cbpf.h>

static uint16_t room[BPF_MAXINSNS];

#define RUN(data, len, native, ...) ({ static const struct sock_filter p[] = { __VA_ARGS__ };			\
	assert(!cbpf_check(p, sizeof(p) / sizeof(*p), room)); cbpf_run(p, data, len, native); })
#define BAD(...) ({ static const struct sock_filter p[] = { __VA_ARGS__ };					\
	assert(cbpf_check(p, sizeof(p) / sizeof(*p), room) == -22); })
#define S(c, k) BPF_STMT(c, k)
#define J(c, k, t, f) BPF_JUMP(c, k, t, f)
#define RETK S(BPF_RET | BPF_K, 0)

static void known(void)
{
	static const uint8_t d[] = { 0x45, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07 };
	uint32_t w;

	assert(RUN(d, 8, false, S(BPF_RET | BPF_K, 7)) == 7);
	assert(RUN(d, 8, false, S(BPF_LD | BPF_W | BPF_ABS, 4), S(BPF_RET | BPF_A, 0)) == 0x04050607);
	memcpy(&w, d + 4, 4);
	assert(RUN(d, 8, true, S(BPF_LD | BPF_W | BPF_ABS, 4), S(BPF_RET | BPF_A, 0)) == w);
	assert(RUN(d, 8, false, S(BPF_LD | BPF_W | BPF_ABS, 5), S(BPF_RET | BPF_A, 0)) == 0);
	assert(RUN(d, 8, false, S(BPF_LD | BPF_H | BPF_ABS, 1), S(BPF_RET | BPF_A, 0)) == 0x0102);
	assert(RUN(d, 8, false, S(BPF_LDX | BPF_B | BPF_MSH, 0), S(BPF_MISC | BPF_TXA, 0), S(BPF_RET | BPF_A, 0)) == 20);
	assert(RUN(d, 8, false, S(BPF_LDX | BPF_IMM, 3), S(BPF_LD | BPF_B | BPF_IND, 2), S(BPF_RET | BPF_A, 0)) == 5);
	assert(RUN(d, 8, false, S(BPF_LDX | BPF_IMM, 0xffffffff), S(BPF_LD | BPF_B | BPF_IND, 2), S(BPF_RET | BPF_A, 0)) == 1);
	assert(RUN(d, 8, false, S(BPF_LDX | BPF_IMM, 0xffffffff), S(BPF_LD | BPF_B | BPF_IND, 0), S(BPF_RET | BPF_A, 0)) == 0);
	assert(RUN(d, 8, false, S(BPF_LD | BPF_IMM, 9), S(BPF_ST, 15), S(BPF_LD | BPF_IMM, 1), S(BPF_LDX | BPF_MEM, 15),
		   S(BPF_ALU | BPF_SUB | BPF_X, 0), S(BPF_RET | BPF_A, 0)) == (uint32_t)-8);
	assert(RUN(d, 8, false, S(BPF_LD | BPF_IMM, 9), S(BPF_LDX | BPF_IMM, 0), S(BPF_ALU | BPF_DIV | BPF_X, 0), S(BPF_RET | BPF_K, 5)) == 0);
	assert(RUN(d, 8, false, S(BPF_LD | BPF_W | BPF_LEN, 0), J(BPF_JMP | BPF_JEQ | BPF_K, 8, 1, 0), RETK, S(BPF_RET | BPF_K, 3)) == 3);
	assert(RUN(d, 8, false, S(BPF_LD | BPF_IMM, 1), S(BPF_ALU | BPF_LSH | BPF_K, 31), J(BPF_JMP | BPF_JSET | BPF_K, 1u << 31, 0, 1),
		   S(BPF_RET | BPF_A, 0), RETK) == 1u << 31);
	/* A shift by X: its low five bits. */
	assert(RUN(d, 8, false, S(BPF_LD | BPF_IMM, 1), S(BPF_LDX | BPF_IMM, 33), S(BPF_ALU | BPF_LSH | BPF_X, 0), S(BPF_RET | BPF_A, 0)) == 2);
	assert(RUN(d, 8, false, S(BPF_LD | BPF_IMM, 5), S(BPF_LDX | BPF_IMM, 32), S(BPF_ALU | BPF_RSH | BPF_X, 0), S(BPF_RET | BPF_A, 0)) == 5);
	assert(RUN(d, 8, false, S(BPF_JMP | BPF_JA, 1), RETK, S(BPF_RET | BPF_K, 2)) == 2);
}

static void refused(void)
{
	BAD(S(BPF_LD | BPF_IMM, 1));					/* no return */
	BAD(S(0xffff, 0), RETK);
	BAD(S(BPF_JMP | BPF_JA, 1), RETK);				/* over the end */
	BAD(S(BPF_JMP | BPF_JA, 0xffffffff), RETK);
	BAD(J(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), RETK);
	BAD(S(BPF_LD | BPF_MEM, 0), RETK);				/* never written */
	BAD(J(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), S(BPF_ST, 3), S(BPF_LD | BPF_MEM, 3), RETK);	/* on one way only */
	BAD(S(BPF_ST, 16), RETK);
	BAD(S(BPF_ALU | BPF_DIV | BPF_K, 0), RETK);
	BAD(S(BPF_ALU | BPF_LSH | BPF_K, 32), RETK);
	BAD(S(BPF_ALU | BPF_RSH | BPF_K, 32), RETK);
	BAD(S(BPF_RET | BPF_X, 0));
	BAD(S(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_MAX), RETK);	/* no such fact */
	BAD(S(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + 1), RETK);
	assert(cbpf_check(NULL, 0, room) == -22);
}

static bool far(const struct cbpf_input *in, u32 off, u32 size, u32 *out)
{
	*out = off + size;
	return off != 100;
}

static bool fact(const struct cbpf_input *in, u32 fact, u32 x, u32 *a)
{
	*a += fact + x;
	return fact != SKF_AD_RANDOM;
}

/* What is not flat is asked for. */
static void inputs(void)
{
	static const uint8_t d[] = { 1, 2, 3, 4 };
	const struct cbpf_input in = { d, 4, 1000, false, far, fact };
#define ASK(...) ({ static const struct sock_filter p[] = { __VA_ARGS__, S(BPF_RET | BPF_A, 0) };		\
	assert(!cbpf_check(p, sizeof(p) / sizeof(*p), room)); cbpf_run_input(p, &in); })

	assert(ASK(S(BPF_LD | BPF_LEN, 0)) == 1000);
	assert(ASK(S(BPF_LD | BPF_H | BPF_ABS, 2)) == 0x304);
	assert(ASK(S(BPF_LD | BPF_H | BPF_ABS, 3)) == 5);
	assert(ASK(S(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF)) == (uint32_t)SKF_NET_OFF + 4);
	assert(ASK(S(BPF_LDX | BPF_IMM, 90), S(BPF_LD | BPF_B | BPF_IND, 9)) == 100);
	assert(ASK(S(BPF_LDX | BPF_IMM, 90), S(BPF_LD | BPF_B | BPF_IND, 10)) == 0);
	assert(ASK(S(BPF_LDX | BPF_B | BPF_MSH, 4), S(BPF_MISC | BPF_TXA, 0)) == 20);
	assert(ASK(S(BPF_LD | BPF_IMM, 7), S(BPF_LDX | BPF_IMM, 1), S(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_MARK)) == 28);
	assert(ASK(S(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_RANDOM)) == 0);
	assert(ASK(S(BPF_LDX | BPF_IMM, (uint32_t)SKF_AD_OFF), S(BPF_LD | BPF_B | BPF_IND, 0)) == (uint32_t)SKF_AD_OFF + 1);
}

static void random_programs(void)
{
	struct sock_filter p[40];
	uint8_t d[64];
	unsigned int passed = 0;

	srand(1);
	for (int i = 0; i < 2000000; i++) {
		unsigned int len = 1 + (unsigned int)rand() % 8, dl = (unsigned int)rand() % sizeof(d);
		struct sock_filter *own;

		for (unsigned int k = 0; k < len; k++)
			p[k] = (struct sock_filter){ (uint16_t)(rand() & 0xff), (uint8_t)(rand() % 4), (uint8_t)(rand() % 4),
						     rand() % 3 ? (uint32_t)rand() % 20 : (uint32_t)rand() };
		if (rand() % 2)
			p[len - 1].code = BPF_RET | BPF_K;
		own = malloc(len * sizeof(*own));		/* the sanitizer sees a step outside */
		memcpy(own, p, len * sizeof(*own));
		if (!cbpf_check(own, len, room)) {
			passed++;
			for (unsigned int k = 0; k < dl; k++)
				d[k] = (uint8_t)rand();
			cbpf_run(own, d, dl, rand() & 1);
		}
		free(own);
	}
	assert(passed > 1000);
}

int main(void)
{
	known();
	inputs();
	refused();
	random_programs();
	return 0;
}
