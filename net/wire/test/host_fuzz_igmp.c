// SPDX-License-Identifier: MIT
/* sources: net/wire/igmp.c net/wire/ip4.c net/wire/ip6.c net/wire/icmp6.c net/wire/csum.c */
/* Queries of IGMP and MLD: sources lie within the message, delays are bounded. */
/* fuzz: -max_len=128 */
#define FUZZ_MAX 128
#include <assert.h>
#include "lib/test/fuzz.h"
#include "net/wire/icmp6.h"
#include "net/wire/igmp.h"

static void sane(const struct mc_query *q, size_t n, u32 size)
{
	assert(q->version >= 1 && q->version <= 3 && q->qrv <= 7);
	assert(q->interval_s <= 31744);
	assert(!q->nr_sources || q->version == 3);
	assert(q->sources_at + q->nr_sources * (size_t)size <= n);
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct mc_query q;

	if (!igmp_decode_query(&q, p, n < 12 ? (u32)n : 12, (u32)n)) {
		sane(&q, n, 4);
		assert(q.max_delay_ms >= 100 && q.max_delay_ms <= 3174400);
		assert(q.is_general || ip6_is_mapped(&q.group));
	}
	if (!mld_decode_query(&q, p, n < 28 ? (u32)n : 28, (u32)n)) {
		sane(&q, n, 16);
		assert(q.max_delay_ms <= 8387584);
	}
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 v3[] = { 0x11, 0x9f, 0, 0, 239, 1, 2, 3, 2, 0x8f, 0, 1, 10, 0, 0, 1 };

	memset(buf, 0, 64);
	memcpy(buf, v3, sizeof(v3));
	switch (i) {
	case 0:
		return sizeof(v3);
	case 1:
		return 8;
	case 2:			/* MLDv2, with a source */
		buf[0] = 130;
		buf[4] = 0xff;
		buf[8] = 0xff;
		buf[24] = 2;
		buf[25] = 125;
		buf[27] = 1;
		return 44;
	case 3:
		buf[8] = 0xff;
		return 24;
	}
	return 0;
}
