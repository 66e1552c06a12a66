// SPDX-License-Identifier: MIT
/* sources: net/wire/dhcp.c net/wire/csum.c net/wire/ip4.c net/wire/udp.c */
/* DHCP: answers of servers are read within their bytes; what the client says is well formed. */
/* fuzz: -max_len=600 */
#define FUZZ_MAX 600
#include <assert.h>
#include "lib/test/fuzz.h"
#include "net/wire/csum.h"
#include "net/wire/dhcp.h"
#include "net/wire/ip4.h"

static bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n <= DHCP_NAME && !strpbrk(s, " \n\t/;'\"\\$`");
}

static void fuzz_one(const u8 *p, size_t n)
{
	u8 *own = malloc(n + 1);
	struct dhcp_reply r;

	memcpy(own, p, n);
	if (dhcp_decode(&r, own, n, false)) {
		assert(r.type > DHCP_NONE && r.type <= DHCP_NAK);
		assert(is_name(r.host) && is_name(r.domain));
	}
	(void)dhcp_decode(&r, own, n, true);
	free(own);
}

/* A server's answer, made of what the client would say: the ports and the first byte differ. */
static size_t answer(u8 *p, const u8 *options, size_t n)
{
	struct ip4_wire *ip = (struct ip4_wire *)p;
	const struct dhcp_query q = { DHCP_DISCOVER, 0x12345678, 3, { 2, 0, 0, 0, 0, 1 }, {}, {} };

	dhcp_encode(p, &q);
	assert(!csum_fold(csum_bytes(p, 20, 0)));
	assert(!csum_fold(
		csum_bytes(p + 20, DHCP_REQUEST_LEN - 20,
			   csum_pseudo4(ip->src, ip->dst, 17, DHCP_REQUEST_LEN - 20, 0))));
	p[21] = 67;
	p[23] = 68;
	p[26] = p[27] = 0;		/* no checksum */
	p[28] = 2;
	memcpy(p + 28 + 16, "\x0a\x00\x02\x0f", 4);
	memcpy(p + 28 + 240, options, n);
	return DHCP_REQUEST_LEN;
}

static void known(void)
{
	static const u8 offer[] = { 53,	 1,   2,    54,	  4,  10, 0,   2,   2,	 0,  0, 1,  4,
				    255, 255, 255,  0,	  3,  4,  10,  0,   2,	 2,  6, 12, 10,
				    0,	 2,   3,    1,	  1,  1,  1,   8,   8,	 8,  8, 51, 4,
				    0,	 1,   0x51, 0x80, 15, 3,  'l', 'a', 'n', 255 };
	static const u8 over[] = { 53, 1, 2, 54, 200, 255 },
			spaces[] = { 53, 1, 5, 12, 3, 'a', ' ', 'b', 255 };
	struct dhcp_reply r;
	u8 p[FUZZ_MAX];
	size_t n = answer(p, offer, sizeof(offer));

	assert(dhcp_decode(&r, p, n, true));
	assert(r.type == DHCP_OFFER && r.xid == 0x12345678 && r.hw[5] == 1 && r.hw[0] == 2);
	assert(be32_get(r.address) == 0x0a00020f && be32_get(r.server) == 0x0a000202);
	assert(be32_get(r.mask) == 0xffffff00 && be32_get(r.gateway) == 0x0a000202);
	assert(be32_get(r.names[0]) == 0x0a000203 && be32_get(r.names[1]) == 0x01010101);
	assert(r.lease_s == 86400 && !strcmp(r.domain, "lan") && !r.host[0]);
	assert(!dhcp_decode(&r, p, 28 + 239, true));
	p[27] = 9;
	assert(!dhcp_decode(&r, p, n, true) && dhcp_decode(&r, p, n, false));
	answer(p, over, sizeof(over));
	assert(!dhcp_decode(&r, p, n, true));
	answer(p, spaces, sizeof(spaces));
	assert(dhcp_decode(&r, p, n, true) && r.type == DHCP_ACK && !r.host[0]);
	p[21] = 66;
	assert(!dhcp_decode(&r, p, n, true));
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 ack[] = { 53, 1, 5, 54,	 4,  10, 0,   2,   2,	52,  1,	  3,
				  26, 2, 5, 220, 12, 5,	 'o', 'c', 'h', 'r', 'e', 255 };

	known();
	return i ? 0 : answer(buf, ack, sizeof(ack));
}
