// SPDX-License-Identifier: MIT
/*
 * DHCP: net/wire/dhcp.h. Options are RFC 2132's; where "file" and "sname" hold some, section 9.3.
 */
#include <lib/string.h>
#include "net/wire/csum.h"
#include "net/wire/dhcp.h"
#include "net/wire/ip4.h"
#include "net/wire/udp.h"

#define SERVER_PORT 67
#define CLIENT_PORT 68
#define UDP 17
#define COOKIE 0x63825363u

struct bootp_wire {
	u8 op, htype, hlen, hops;
	be32 xid;
	be16 secs, flags;
	be32 ciaddr, yiaddr, siaddr, giaddr;
	u8 chaddr[16], sname[64], file[128];
	be32 cookie;
	u8 options[];
} __packed;
_Static_assert(sizeof(struct bootp_wire) == 240, "as on the wire");

enum {
	PAD = 0,
	MASK = 1,
	ROUTER = 3,
	NAME_SERVER = 6,
	HOST = 12,
	DOMAIN = 15,
	MTU = 26,
	ADDRESS = 50,
	LEASE = 51,
	OVERLOAD = 52,
	TYPE = 53,
	SERVER = 54,
	WANTED = 55,
	MOST_BYTES = 57,
	END = 255,
};

/* ---- what the client says ---- */

static u8 *put(u8 *o, u8 code, const void *data, u8 len)
{
	*o++ = code;
	*o++ = len;
	memcpy(o, data, len);
	return o + len;
}

static void put_options(u8 *o, const struct dhcp_query *q)
{
	static const u8 wanted[] = { MASK, ROUTER, NAME_SERVER, HOST, DOMAIN, MTU };
	const be16 most = be16_make(1500);
	const u8 type = (u8)q->type;

	o = put(o, TYPE, &type, 1);
	if (q->type == DHCP_REQUEST) {
		o = put(o, ADDRESS, &q->wanted, 4);
		o = put(o, SERVER, &q->server, 4);
	}
	o = put(o, WANTED, wanted, sizeof(wanted));
	o = put(o, MOST_BYTES, &most, 2);
	*o = END;
}

void dhcp_encode(u8 *p, const struct dhcp_query *q)
{
	const u32 udp_len = DHCP_REQUEST_LEN - IP4_HEADER;
	struct ip4_wire *ip = (struct ip4_wire *)p;
	struct udp_wire *u = (struct udp_wire *)(ip + 1);
	struct bootp_wire *b = (struct bootp_wire *)(u + 1);

	memset(p, 0, DHCP_REQUEST_LEN);
	b->op = 1;
	b->htype = 1;
	b->hlen = ETH_ADDR;
	b->xid = be32_make(q->xid);
	b->secs = be16_make(q->secs);
	memcpy(b->chaddr, q->hw, ETH_ADDR);
	b->cookie = be32_make(COOKIE);
	put_options(b->options, q);
	*ip = (struct ip4_wire){ .ver_ihl = 0x45,
				 .tot_len = be16_make(DHCP_REQUEST_LEN),
				 .ttl = 64,
				 .protocol = UDP,
				 .dst = be32_make(0xffffffff) };
	ip4_set_csum(ip, IP4_HEADER);
	udp_encode((u8 *)u, be16_make(CLIENT_PORT), be16_make(SERVER_PORT), udp_len);
	u->csum.v =
		csum_fold(csum_bytes(u, udp_len, csum_pseudo4(ip->src, ip->dst, UDP, udp_len, 0))) ?:
			0xffff;
}

/* ---- what a server says ---- */

static be32 address(const u8 *o)
{
	be32 a;

	memcpy(&a, o, sizeof(a));
	return a;
}

static u32 number(const u8 *o)
{
	return be32_get(address(o));
}

/* A name of letters, digits, dots and hyphens; anything else is none. */
static void take_name(char *name, const u8 *o, u8 len)
{
	if (len > DHCP_NAME)
		return;
	for (u8 i = 0; i < len; i++) {
		char c = (char)o[i];

		if (!c && i)
			break;
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      ((c == '.' || c == '-') && i))) {
			name[0] = 0;
			return;
		}
		name[i] = c;
		name[i + 1] = 0;
	}
}

static void take_servers(struct dhcp_reply *r, const u8 *o, u8 len)
{
	for (u8 i = 0; i < DHCP_NAME_SERVERS && i * 4 + 4 <= len; i++)
		r->names[i] = address(o + i * 4);
}

static void take(struct dhcp_reply *r, u8 code, const u8 *o, u8 len, u8 *overload)
{
	if (code == HOST) {
		take_name(r->host, o, len);
	} else if (code == DOMAIN) {
		take_name(r->domain, o, len);
	} else if (code == TYPE && len == 1 && *o <= DHCP_NAK) {
		r->type = (enum dhcp_type) * o;
	} else if (code == OVERLOAD && len == 1) {
		*overload = *o & 3;
	} else if (code == MTU && len == 2) {
		r->mtu = (u16)(o[0] << 8 | o[1]);
	} else if (len >= 4) {
		if (code == MASK)
			r->mask = address(o);
		else if (code == ROUTER)
			r->gateway = address(o);
		else if (code == NAME_SERVER)
			take_servers(r, o, len);
		else if (code == LEASE)
			r->lease_s = number(o);
		else if (code == SERVER)
			r->server = address(o);
	}
}

/* False: an option reaches over the end. */
static bool take_options(struct dhcp_reply *r, const u8 *o, size_t n, u8 *overload)
{
	size_t at = 0;

	while (at < n && o[at] != END) {
		u8 code = o[at++], len;

		if (code == PAD)
			continue;
		if (at == n || n - at - 1 < o[at])
			return false;
		len = o[at++];
		take(r, code, o + at, len, overload);
		at += len;
	}
	return true;
}

static bool sum_is_right(const struct ip4_wire *ip, const struct udp_wire *u, u32 len)
{
	return !u->csum.v ||
	       !csum_fold(csum_bytes(u, len, csum_pseudo4(ip->src, ip->dst, UDP, len, 0)));
}

bool dhcp_decode(struct dhcp_reply *r, const u8 *p, size_t len, bool check)
{
	const struct ip4_wire *ip = (const struct ip4_wire *)p;
	const struct udp_wire *u;
	const struct bootp_wire *b;
	u32 hdr, n = (u32)len;
	u8 overload = 0, none;

	memset(r, 0, sizeof(*r));
	if (len > 65535 || ip4_check(p, n, n, &hdr) != IP4_OK || ip->protocol != UDP ||
	    ip4_is_fragment(ip))
		return false;
	n = be16_get(ip->tot_len) - hdr;
	u = (const struct udp_wire *)(p + hdr);
	n = udp_check((const u8 *)u, n, n);
	if (n < UDP_HEADER + sizeof(*b) || be16_get(u->src) != SERVER_PORT ||
	    be16_get(u->dst) != CLIENT_PORT || (check && !sum_is_right(ip, u, n)))
		return false;
	b = (const struct bootp_wire *)(u + 1);
	n -= UDP_HEADER + (u32)sizeof(*b);
	if (b->op != 2 || b->htype != 1 || b->hlen != ETH_ADDR || be32_get(b->cookie) != COOKIE)
		return false;
	r->xid = be32_get(b->xid);
	memcpy(r->hw, b->chaddr, ETH_ADDR);
	r->address = b->yiaddr;
	r->boot_server = b->siaddr;
	if (!take_options(r, b->options, n, &overload))
		return false;
	if (overload & 1 && !take_options(r, b->file, sizeof(b->file), &none))
		return false;
	if (overload & 2 && !take_options(r, b->sname, sizeof(b->sname), &none))
		return false;
	return r->type != DHCP_NONE;
}
