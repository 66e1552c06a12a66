// SPDX-License-Identifier: MIT
/* IPv4 headers: checks of what came in, options. */
#include <lib/string.h>
#include "net/wire/csum.h"
#include "net/wire/ip4.h"

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_RR = 7,
	OPT_STAMP = 68,
	OPT_LSRR = 131,
	OPT_SSRR = 137,
	OPT_ALERT = 148,
	OPT_COPIED = 0x80
};

/* The sum of a header of HDR bytes, a multiple of 4: five words, as a rule. */
static inline u32 header_sum(const void *h, u32 hdr)
{
	const u8 *p = h;
	u64 s = 0;

	for (const u8 *end = p + hdr; p < end; p += 4) {
		u32 w;

		memcpy(&w, p, sizeof(w));
		s += w;
	}
	return csum_add((u32)s, (u32)(s >> 32));
}

enum ip4_bad ip4_check(const u8 *p, u32 linear, u32 len, u32 *hdr)
{
	const struct ip4_wire *h = (const struct ip4_wire *)p;
	u32 total;

	*hdr = IP4_HEADER;
	if (len < IP4_HEADER || linear < IP4_HEADER)
		return IP4_SHORT;
	*hdr = ip4_header_len(h);
	total = be16_get(h->tot_len);
	if (h->ver_ihl >> 4 != 4 || *hdr < IP4_HEADER || total < *hdr)
		return IP4_BAD_HEADER;
	if (total > len || *hdr > linear)
		return IP4_SHORT;
	return csum_fold(header_sum(p, *hdr)) ? IP4_BAD_CSUM : IP4_OK;
}

void ip4_set_csum(struct ip4_wire *h, u32 hdr)
{
	h->csum.v = 0;
	h->csum.v = csum_fold(header_sum(h, hdr));
}

void ip4_dec_ttl(struct ip4_wire *h)
{
	u16 was = be16_raw((u16)(h->ttl << 8 | h->protocol)), now;

	h->ttl--;
	now = be16_raw((u16)(h->ttl << 8 | h->protocol));
	h->csum.v = csum_replace(h->csum.v, was, now);
}

/* One option at OPTS[AT], of N bytes of which its length is one. False: its inside is malformed. */
static bool parse_one(struct ip4_options *o, const u8 *opts, u32 at, u32 n)
{
	const u8 *p = opts + at;
	u8 where = (u8)(IP4_HEADER + at);

	switch (p[0]) {
	case OPT_LSRR:
	case OPT_SSRR:
		if (n < 3 || p[2] < 4 || o->route_at)
			return false;
		o->route_at = where;
		o->strict = p[0] == OPT_SSRR;
		return true;
	case OPT_RR:
		if (n < 3 || p[2] < 4 || o->record_at || (p[2] <= n && p[2] + 3u > n))
			return false;
		o->record_at = where;
		return true;
	case OPT_STAMP:
		if (n < 4 || p[2] < 5 || o->stamp_at)
			return false;
		o->stamp_at = where;
		return true;
	case OPT_ALERT:
		if (n < 4)
			return false;
		o->alert_at = where;
		return true;
	}
	return true;
}

int ip4_options_parse(struct ip4_options *o, const u8 *opts, u32 len)
{
	memset(o, 0, sizeof(*o));
	for (u32 at = 0; at < len;) {
		u32 n;

		if (opts[at] == OPT_END)
			return 0;
		if (opts[at] == OPT_NOP) {
			at++;
			continue;
		}
		o->bad_at = (u8)(IP4_HEADER + at);
		if (at + 1 >= len)
			return -1;
		n = opts[at + 1];
		if (n < 2 || n > len - at || !parse_one(o, opts, at, n))
			return -1;
		at += n;
	}
	o->bad_at = 0;
	return 0;
}

void ip4_options_for_fragments(u8 *opts, u32 len)
{
	for (u32 at = 0; at < len;) {
		u32 n;

		if (opts[at] == OPT_END)
			return;
		if (opts[at] == OPT_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= len)
			return;
		n = opts[at + 1];
		if (n < 2 || n > len - at)
			return;
		if (!(opts[at] & OPT_COPIED))
			memset(opts + at, OPT_NOP, n);
		at += n;
	}
}
