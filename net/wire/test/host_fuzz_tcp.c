// SPDX-License-Identifier: MIT
/* sources: net/wire/tcp.c */
/*
 * TCP headers: no byte outside is read, lengths agree, and options that were encoded are decoded
 * again.
 */
/* fuzz: -max_len=80 */
#define FUZZ_MAX 80
#include <assert.h>
#include "lib/test/fuzz.h"
#include "net/wire/tcp.h"

static void round_trip(const u8 *p)
{
	struct tcp_tx_options o = {
		.ts = p[0] & 1,
		.sack_ok = p[0] & 2,
		.wscale = p[0] & 4,
		.shift = p[1] % 15,
		.mss = p[0] & 8 ? 1460 : 0,
		.ts_val = 0x01020304u * p[2],
		.ts_ecr = 77,
	};
	u8 h[TCP_HEADER_MOST] = { 0 };
	u32 n = tcp_options_len(&o);
	struct tcp_seg s;

	h[12] = (u8)((TCP_HEADER + n) / 4 << 4);
	h[13] = TCP_SYN;
	tcp_options_encode(h + TCP_HEADER, &o);
	assert(tcp_header_len(h, sizeof(h), sizeof(h)) == TCP_HEADER + n);
	tcp_decode(&s, h, TCP_HEADER + n + 5);
	assert(s.has_ts == o.ts && s.sack_ok == o.sack_ok && s.has_wscale == o.wscale &&
	       s.mss == o.mss && s.len == 5 && s.end == s.seq + 6);
	assert(!o.ts || (s.ts_val == o.ts_val && s.ts_ecr == 77));
	assert(!o.wscale || s.wscale == (o.shift < 14 ? o.shift : 14));
}

static void fuzz_one(const u8 *p, size_t n)
{
	u32 hdr = tcp_header_len(p, (u32)n, (u32)n);
	struct tcp_seg s;

	if (n >= 3)
		round_trip(p);
	if (!hdr)
		return;
	assert(hdr >= TCP_HEADER && hdr <= n && hdr <= TCP_HEADER_MOST);
	tcp_decode(&s, p, (u32)n);
	assert(s.hdr == hdr && s.len == n - hdr && s.nr_sack <= TCP_SACK_BLOCKS && s.wscale <= 14);
	assert(s.end - s.seq == s.len + !!(s.flags & TCP_SYN) + !!(s.flags & TCP_FIN));
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	struct tcp_tx_options o = { .ts = i != 1,
				    .nr_sack = i == 2 ? 3 : 0,
				    .sack = { { 1, 5 }, { 9, 12 }, { 20, 21 } },
				    .mss = i == 1 ? 536 : 0 };

	if (i > 2)
		return 0;
	memset(buf, 0, 80);
	buf[12] = (u8)((TCP_HEADER + tcp_options_len(&o)) / 4 << 4);
	buf[13] = i == 1 ? TCP_SYN : TCP_ACK;
	tcp_options_encode(buf + TCP_HEADER, &o);
	return TCP_HEADER + tcp_options_len(&o) + 3;
}
