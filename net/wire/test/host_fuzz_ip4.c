// SPDX-License-Identifier: MIT
/* sources: net/wire/ip4.c net/wire/csum.c */
/*
 * IPv4 headers: nothing outside of the bytes is read; a header that is taken stays right as it is
 * changed for the next hop and for fragments.
 */
/* fuzz: -max_len=128 */
#define FUZZ_MAX 128
#include <assert.h>
#include "lib/test/fuzz.h"
#include "net/wire/csum.h"
#include "net/wire/ip4.h"

static void fuzz_one(const u8 *p, size_t n)
{
	struct ip4_options o;
	u32 hdr, len;
	u8 *h;

	if (n < 4)
		return;
	/* The first two bytes say how much of the packet is somewhere else. */
	len = (u32)n - 2 + (u32)(p[0] << 8 | p[1]);
	if (ip4_check(p + 2, (u32)n - 2, len, &hdr) != IP4_OK)
		return;
	assert(hdr >= IP4_HEADER && hdr <= n - 2);
	h = malloc(hdr);
	memcpy(h, p + 2, hdr);
	if (((struct ip4_wire *)h)->ttl)
		ip4_dec_ttl((struct ip4_wire *)h);
	assert(!csum_fold(csum_bytes(h, hdr, 0)));
	if (!ip4_options_parse(&o, h + IP4_HEADER, hdr - IP4_HEADER)) {
		ip4_options_for_fragments(h + IP4_HEADER, hdr - IP4_HEADER);
		assert(!ip4_options_parse(&o, h + IP4_HEADER, hdr - IP4_HEADER) && !o.record_at &&
		       !o.stamp_at);
	} else {
		assert(o.bad_at >= IP4_HEADER && o.bad_at < hdr);
	}
	free(h);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 opts[][12] = { { 0 },
				       { 7, 7, 4, 0, 0, 0, 0, 1 },
				       { 131, 7, 4, 1, 2, 3, 4, 0 },
				       { 68, 8, 5, 0, 0, 0, 0, 0 },
				       { 148, 4, 0, 0, 0x86, 3, 1, 0 } };
	struct ip4_wire *h = (struct ip4_wire *)(buf + 2);
	u32 hdr = i ? 28 : 20;

	if (i > 4)
		return 0;
	memset(buf, 0, 64);
	*h = (struct ip4_wire){ (u8)(0x40 | hdr / 4),
				0,
				be16_make((u16)(hdr + 8)),
				be16_make(7),
				be16_make(IP4_DF),
				64,
				17,
				{},
				be32_make(0x7f000001),
				be32_make(0x7f000001) };
	memcpy(buf + 2 + 20, opts[i], 8);
	ip4_set_csum(h, hdr);
	return 2 + hdr + 8;
}
