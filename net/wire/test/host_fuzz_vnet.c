// SPDX-License-Identifier: MIT
/* sources: net/wire/vnet.c net/wire/ip4.c net/wire/ip6.c net/wire/csum.c */
/*
 * The header of virtio_net and the frame behind it: no byte outside is read, and what is taken for
 * a frame of segments has its parts within.
 */
/* fuzz: -max_len=180 */
#define FUZZ_MAX 180
#include <assert.h>
#include "lib/test/fuzz.h"
#include "net/wire/vnet.h"

/* The same with as few bytes before P's end as the decoder asks for. */
static int decode(struct vnet_super *s, const u8 *p, u32 n, u32 len, u16 at, bool v6, u16 size)
{
	u32 linear = 0;
	int want;

	while ((want = vnet_super_decode(s, p, linear, len, at, v6, size)) > 0) {
		assert((u32)want > linear && (u32)want <= len);
		if ((u32)want > n)
			return -1;
		linear = (u32)want;
	}
	return want;
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct vnet_super s = { 0 };
	struct vnet_wire h;
	u32 len;
	u16 at;

	if (n < VNET_HEADER + 2)
		return;
	memcpy(&h, p, VNET_HEADER);
	vnet_turn(&h, p[VNET_HEADER] & 1);
	at = p[VNET_HEADER] & 2 ? 14 : 0;
	len = (u32)n - VNET_HEADER - 1;
	if (p[VNET_HEADER] & 4)
		len += 60000;		/* the rest is not linear */
	p += VNET_HEADER + 1;
	n -= VNET_HEADER + 1;
	if (!vnet_fits(&h, len))
		return;
	assert(!(h.flags & VNET_NEEDS_CSUM) || (u32)h.csum_start + h.csum_off + 2 <= len);
	if (h.gso_type == VNET_GSO_NONE ||
	    decode(&s, p, (u32)n, len, at, h.gso_type & 4, h.gso_size))
		return;
	assert(s.net_at == at && s.tcp_at >= at + 20 && s.payload_at >= s.tcp_at + 20 &&
	       s.payload_at <= n && s.payload_at <= len && s.nr && s.nr <= VNET_SEGMENTS_MOST);
	assert((u64)s.nr * s.size >= len - s.payload_at &&
	       (s.nr == 1 || (u64)(s.nr - 1) * s.size < len - s.payload_at));
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	bool v6 = i & 1, tap = i & 2, big = i & 4;
	struct vnet_wire h = { .flags = VNET_NEEDS_CSUM,
			       .gso_type = v6 ? VNET_GSO_TCP6 : VNET_GSO_TCP4,
			       .gso_size = big ? 1448 : 20,
			       .csum_start = (tap ? 14 : 0) + (v6 ? 40 : 20),
			       .csum_off = 16 };
	u8 *ip = buf + VNET_HEADER + 1 + (tap ? 14 : 0), *tcp = ip + (v6 ? 40 : 20);

	if (i > 8)
		return 0;
	memset(buf, 0, FUZZ_MAX);
	if (i == 8)
		h.gso_type = VNET_GSO_NONE;
	memcpy(buf, &h, VNET_HEADER);
	buf[VNET_HEADER] = (u8)((tap ? 2 : 0) | (big ? 4 : 0));
	ip[0] = v6 ? 0x60 : 0x45;
	ip[v6 ? 6 : 9] = 6;
	tcp[12] = 0x80;
	return FUZZ_MAX;
}
