// SPDX-License-Identifier: MIT
/* sources: net/wire/udp.c net/wire/eth.c */
/* UDP and Ethernet headers: no byte outside is read, and no length is longer than what is there. */
/* fuzz: -max_len=64 */
#define FUZZ_MAX 64
#include <assert.h>
#include "lib/test/fuzz.h"
#include "net/wire/eth.h"
#include "net/wire/udp.h"

static void fuzz_one(const u8 *p, size_t n)
{
	u32 len;

	if (n < ETH_HEADER)
		return;
	(void)eth_protocol(p, n);
	len = udp_check(p + ETH_HEADER, (u32)n - ETH_HEADER, (u32)n - ETH_HEADER + p[0]);
	assert(!len || (len >= UDP_HEADER && len <= n - ETH_HEADER + p[0]));
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	if (i > 2)
		return 0;
	memset(buf, 0, 64);
	eth_encode(buf, buf, buf, be16_make(i == 2 ? 100 : 0x0800));
	udp_encode(buf + ETH_HEADER, be16_make(53), be16_make(1024), 8 + 4 * i);
	return ETH_HEADER + 20;
}
