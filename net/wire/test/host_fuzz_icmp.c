// SPDX-License-Identifier: MIT
/* sources: net/wire/icmp.c net/wire/ip4.c net/wire/csum.c */
/* ICMP errors: the quoted transport header lies within the message. */
/* fuzz: -max_len=128 */
#define FUZZ_MAX 128
#include <assert.h>
#include "lib/test/fuzz.h"
#include "net/wire/icmp.h"
#include "net/wire/ip4.h"

static void fuzz_one(const u8 *p, size_t n)
{
	struct icmp_quote q;

	if (icmp_decode_error(&q, p, (u32)n))
		return;
	assert(icmp_is_error(q.type) && q.transport_at >= ICMP_HEADER + IP4_HEADER &&
	       q.transport_at + 8 <= n);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 kinds[][2] = {
		{ 3, 3 }, { 3, 4 }, { 11, 0 }, { 12, 0 }, { 5, 1 }, { 8, 0 }
	};
	struct ip4_wire *h = (struct ip4_wire *)(buf + ICMP_HEADER);

	if (i >= sizeof(kinds) / sizeof(*kinds))
		return 0;
	memset(buf, 0, 64);
	memcpy(buf, kinds[i], 2);
	buf[6] = 5;
	*h = (struct ip4_wire){ 0x45,
				0,
				be16_make(28),
				{},
				{},
				64,
				17,
				{},
				be32_make(0x0a000001),
				be32_make(0x0a000002) };
	return ICMP_HEADER + IP4_HEADER + 8;
}
