// SPDX-License-Identifier: MIT
/* sources: net/wire/nlattr.c */
/* Netlink attributes: what comes out lies within what went in, and has the length of its rule. */
/* fuzz: -max_len=256 */
#define FUZZ_MAX 256
#include <assert.h>
#include <net/nlattr.h>
#include "lib/test/fuzz.h"

#define MOST 8

static const struct nla_rule rules[MOST + 1] = {
	[1] = { NLA_K_U32, 0 },	  [2] = { NLA_K_TEXT, 16 },   [3] = { NLA_K_NESTED, 0 },
	[4] = { NLA_K_EXACT, 6 }, [5] = { NLA_K_FLAG, 0 },    [6] = { NLA_K_LEAST, 3 },
	[7] = { NLA_K_U8, 0 },	  [8] = { NLA_K_REFUSED, 0 },
};

static void check_one(const u8 *p, size_t n, bool strict)
{
	const struct nlattr *tb[MOST + 1];
	struct nla_error e = {};
	char text[17];
	int err = nla_parse(tb, MOST, p, n, rules, strict, &e);

	assert(!err == !e.text);
	if (err)
		return;
	assert(!tb[0] && !tb[8]);
	for (int i = 1; i <= MOST; i++) {
		const u8 *at = (const u8 *)tb[i];

		if (!at)
			continue;
		assert(at >= p && at + sizeof(struct nlattr) <= p + n);
		assert(at + tb[i]->nla_len <= p + n && nla_kind_of(tb[i]) == (unsigned int)i);
	}
	if (tb[1])
		assert(nla_len(tb[1]) >= 4);
	if (tb[2])
		assert(nla_text(tb[2], text, sizeof(text)) && strlen(text) <= 16);
	if (tb[4])
		assert(nla_len(tb[4]) == 6);
	if (tb[5])
		assert(!nla_len(tb[5]));
}

static void fuzz_one(const u8 *p, size_t n)
{
	u8 copy[FUZZ_MAX] __attribute__((aligned(4)));

	memcpy(copy, p, n);
	check_one(copy, n, false);
	check_one(copy, n, true);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	struct nlattr a = { (u16)(4 + i), (u16)(1 + i % 8) };

	if (i > 12)
		return 0;
	memset(buf, 'x', 64);
	memcpy(buf, &a, sizeof(a));
	memcpy(buf + NLA_ALIGN(a.nla_len), &a, sizeof(a));
	return 2 * NLA_ALIGN((size_t)a.nla_len);
}
