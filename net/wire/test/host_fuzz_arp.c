// SPDX-License-Identifier: MIT
/* sources: net/wire/arp.c */
/* ARP: what is taken says again what it said. */
/* fuzz: -max_len=64 */
#define FUZZ_MAX 64
#include <assert.h>
#include "lib/test/fuzz.h"
#include "net/wire/arp.h"

static void fuzz_one(const u8 *p, size_t n)
{
	struct arp_packet a;
	u8 again[ARP_LEN];

	if (arp_decode(&a, p, n))
		return;
	arp_encode(again, &a);
	assert(!memcmp(again, p, ARP_LEN));
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	const struct arp_packet a = { i ? ARP_REPLY : ARP_REQUEST,
				      { 2, 0, 0, 0, 0, 1 },
				      { 2, 0, 0, 0, 0, 2 },
				      be32_make(0x0a00020f),
				      be32_make(0x0a000202) };

	if (i > 1)
		return 0;
	arp_encode(buf, &a);
	return ARP_LEN + i * 18;
}
