// SPDX-License-Identifier: MIT
/* sources: net/wire/csum.c net/wire/ip4.c net/wire/eth.c */
/* Internet checksums against sums of 16-bit words one by one; headers made and changed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "net/wire/csum.h"
#include "net/wire/eth.h"
#include "net/wire/ip4.h"

static u16 slow(const u8 *p, size_t n)
{
	u32 s = 0;

	for (size_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : (u32)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (u16)s;
}

static bool same(u16 a, u16 b)
{
	return a % 0xffff == b % 0xffff;
}

static void sums(void)
{
	static u8 b[700], to[700];

	for (int round = 0; round < 20000; round++) {
		size_t off = (size_t)rand() % 9, n = (size_t)rand() % 600,
		       cut = n ? (size_t)rand() % n : 0;
		u32 s;

		for (size_t i = 0; i < sizeof(b); i++)
			b[i] = round % 3 ? (u8)rand() : 0xff;
		s = csum_bytes(b + off, n, 0);
		assert(same(be16_raw(csum_fold_raw(s)), slow(b + off, n)));
		assert(same(csum_fold_raw(csum_copy(to + off, b + off, n, 0)), csum_fold_raw(s)) &&
		       !memcmp(to + off, b + off, n));
		/* In two blocks, of which the second may begin at an odd byte. */
		assert(same(csum_fold_raw(csum_add_at(csum_bytes(b + off, cut, 0),
						      csum_bytes(b + off + cut, n - cut, 0), cut)),
			    csum_fold_raw(s)));
		assert(same(csum_fold_raw(csum_sub(csum_add(s, 12345), 12345)), csum_fold_raw(s)));
	}
}

static void pseudo(void)
{
	const u8 raw[12] = { 10, 0, 2, 15, 10, 0, 2, 2, 0, 17, 0xff, 0xf8 };
	be32 src, dst;

	memcpy(&src, raw, 4);
	memcpy(&dst, raw + 4, 4);
	assert(same(be16_raw(csum_fold_raw(csum_pseudo4(src, dst, 17, 0xfff8, 0))), slow(raw, 12)));
}

static void header(void)
{
	/* The example of RFC 1071's successors: 45 00 00 73 ... b8 61. */
	u8 h[20] = { 0x45, 0,	 0,    0x73, 0, 0, 0x40, 0,    0x40, 0x11,
		     0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,    0xc7 };
	struct ip4_wire *w = (struct ip4_wire *)h;
	u32 hdr;

	assert(ip4_check(h, 20, 0x73, &hdr) == IP4_OK && hdr == 20);
	assert(ip4_check(h, 20, 0x72, &hdr) == IP4_SHORT);
	for (int i = 0; i < 63; i++) {
		ip4_dec_ttl(w);
		assert(ip4_check(h, 20, 0x73, &hdr) == IP4_OK);
	}
	assert(w->ttl == 1);
	h[15] ^= 1;
	assert(ip4_check(h, 20, 0x73, &hdr) == IP4_BAD_CSUM);
	ip4_set_csum(w, 20);
	assert(ip4_check(h, 20, 0x73, &hdr) == IP4_OK);
	assert(ip4_mask_bits(ip4_mask(0)) == 0 && ip4_mask_bits(ip4_mask(24)) == 24 &&
	       ip4_mask_bits(ip4_mask(32)) == 32);
	assert(ip4_mask_bits(be32_make(0xff00ff00)) == -1 && ip4_mask_bits(be32_make(1)) == -1);
}

static void options(void)
{
	/* A record of the route for three hops, NOP, LSRR over one, end. */
	u8 o[] = { 7, 15, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 131, 7, 4, 1, 2, 3, 4, 0 };
	struct ip4_options p;

	assert(!ip4_options_parse(&p, o, sizeof(o)) && p.record_at == 20 && p.route_at == 36 &&
	       !p.strict);
	ip4_options_for_fragments(o, sizeof(o));
	assert(o[0] == 1 && o[14] == 1 && o[16] == 131);
	o[17] = 30;
	assert(ip4_options_parse(&p, o, sizeof(o)) == -1 && p.bad_at == 36);
}

static void frames(void)
{
	u8 f[16] = { 0 };

	eth_encode(f, (const u8 *)"\xff\xff\xff\xff\xff\xff", (const u8 *)"\x02\0\0\0\0\1",
		   be16_make(0x0806));
	assert(be16_get(eth_protocol(f, 14)) == 0x0806 && eth_is_broadcast(f) &&
	       eth_is_multicast(f) && eth_is_station(f + 6));
	f[12] = 0;
	f[13] = 2;
	assert(be16_get(eth_protocol(f, 16)) == 4);
	f[14] = f[15] = 0xff;
	assert(be16_get(eth_protocol(f, 16)) == 1 && be16_get(eth_protocol(f, 14)) == 4);
}

int main(void)
{
	sums();
	pseudo();
	header();
	options();
	frames();
	return 0;
}
