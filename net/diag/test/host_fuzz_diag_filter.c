// SPDX-License-Identifier: MIT
/* sources: net/diag/filter.c */
/* Filters of inet_diag: what the check accepts ends, and reads nothing outside. */
/* fuzz: -max_len=128 */
#define FUZZ_MAX 128
#include <assert.h>
#include <linux/inet_diag.h>
#include "lib/test/fuzz.h"
#include "net/diag/filter.h"

static void fuzz_one(const u8 *p, size_t n)
{
	struct diag_ends e = { .family = 2,
			       .sport = 80,
			       .dport = 1024,
			       .saddr = { 0x0100007f, 0, 0, 1 },
			       .daddr = { 0, 0, 0xffff0000, 0x0100007f } };
	u8 *code = malloc(n ? n : 1);

	memcpy(code, p, n);
	if (!diag_filter_check(code, n)) {
		(void)diag_filter_run(code, n, &e);
		e.family = 10;
		(void)diag_filter_run(code, n, &e);
	}
	free(code);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	struct inet_diag_bc_op port[2] = { { INET_DIAG_BC_S_EQ, 8, 12 }, { 0, 0, 80 } };
	struct {
		struct inet_diag_bc_op op;
		struct inet_diag_hostcond c;
		u32 addr;
	} __attribute__((packed)) host = { { INET_DIAG_BC_D_COND, 16, 20 }, { 2, 8, -1 }, 0x7f };
	struct inet_diag_bc_op jump = { INET_DIAG_BC_JMP, 4, 8 };

	if (i > 3)
		return 0;
	memcpy(buf, port, 8);
	if (i == 0) {
		struct diag_ends e = { .family = 2, .sport = 80 };

		assert(!diag_filter_check(buf, 8) && diag_filter_run(buf, 8, &e));
		e.sport = 81;
		assert(!diag_filter_run(buf, 8, &e));
		return 8;
	}
	if (i == 1) {
		memcpy(buf, &host, sizeof(host));
		return sizeof(host);
	}
	memcpy(buf + 8, &jump, 4);
	memcpy(buf + 12, &host, sizeof(host));
	return 12 + sizeof(host);
}
