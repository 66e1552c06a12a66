// SPDX-License-Identifier: MIT
/* sources: net/wire/ip6.c net/wire/icmp6.c */
/*
 * IPv6: extension headers, quoted packets, neighbour discovery. Nothing outside of the bytes is
 * read, and each offset that is told lies within them.
 */
/* fuzz: -max_len=200 */
#define FUZZ_MAX 200
#include <assert.h>
#include "lib/test/fuzz.h"
#include "net/wire/icmp6.h"

static void fuzz_headers(const u8 *p, size_t n)
{
	struct ip6_exts e;

	if (ip6_check(p, (u32)n, (u32)n) != IP6_OK)
		return;
	if (ip6_walk(&e, p, (u32)n)) {
		assert(e.bad_at <= n || e.bad_code == IP6_BAD_SILENT);
		return;
	}
	assert(e.transport_at >= IP6_HEADER && e.transport_at <= n && e.next_at < n);
	assert(p[e.next_at] == e.protocol);
}

static void fuzz_icmp(const u8 *p, size_t n)
{
	struct nd_neighbour m;
	struct nd_router r;
	struct nd_prefix x;
	struct mc_query mq;
	struct icmp_quote q;
	u32 at = 0, was = 0;

	if (!icmp6_decode_error(&q, p, (u32)n))
		assert(q.six && q.transport_at >= ICMP_HEADER + IP6_HEADER &&
		       q.transport_at + 8 <= n);
	if (!nd_decode_neighbour(&m, p, (u32)n)) {
		assert(!m.opt.source_hw || m.opt.source_hw + ETH_ADDR <= p + n);
		assert(!m.opt.target_hw || m.opt.target_hw + ETH_ADDR <= p + n);
	}
	if (!nd_decode_router(&r, p, (u32)n))
		while (nd_next_prefix(&x, p, (u32)n, &at)) {
			assert(at > was && at <= n && x.bits <= 128);
			was = at;
		}
	if (!mld_decode_query(&mq, p, (u32)n, (u32)n))
		assert(n >= 24);
}

static void fuzz_one(const u8 *p, size_t n)
{
	if (!n)
		return;
	if (p[0] & 1)
		fuzz_headers(p + 1, n - 1);
	else
		fuzz_icmp(p + 1, n - 1);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	struct ip6_wire *h = (struct ip6_wire *)(buf + 1);

	memset(buf, 0, FUZZ_MAX);
	h->ver_class_flow = ip6_first_word(0, 0);
	h->payload = be16_make(32);
	h->dst = IP6_LOOPBACK;
	buf[0] = 1;
	switch (i) {
	case 0:
		h->next = IP6_HOPOPTS;
		buf[41] = IP6_DSTOPTS;
		memcpy(buf + 43, "\x05\x02\0\0\x01\0", 6);
		buf[49] = 17;
		buf[51] = 0xc1;
		return 90;
	case 1:
		h->next = IP6_FRAGMENT;
		return 60;
	case 2:
		buf[0] = 0;
		memmove(buf + 9, buf + 1, 60);
		memset(buf + 1, 0, 8);
		buf[1] = ICMP6_TOO_BIG;
		return 80;
	case 3:
		buf[0] = 0;
		memset(buf + 1, 0, 60);
		buf[1] = ICMP6_RA;
		buf[17] = 3;
		buf[18] = 4;
		buf[19] = 64;
		buf[49] = 1;
		buf[50] = 1;
		return 57;
	case 4: {
		struct nd_neighbour m = { .target = IP6_LOOPBACK };

		buf[0] = 0;
		return 1 + nd_encode_neighbour(buf + 1, ICMP6_NS, &m, (const u8 *)"\2\0\0\0\0\1");
	}
	}
	return 0;
}
