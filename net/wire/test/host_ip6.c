// SPDX-License-Identifier: MIT
/* sources: net/wire/ip6.c net/wire/icmp6.c */
/* IPv6 addresses and headers: what RFC 4291, 6724, 8200 and 4861 say of them. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "net/wire/icmp6.h"

static void test_kinds(void)
{
	struct ip6_addr a = ip6_make(0xfe800000, 0, 0x021122ff, 0xfe334455), x,
			mapped = ip6_mapped(be32_make(0x7f000001));
	u8 id[8], mac[6];

	assert(ip6_is_link_local(&a) && ip6_needs_scope(&a) && ip6_scope(&a) == 2);
	ip6_eui64(id, (const u8 *)"\x00\x11\x22\x33\x44\x55");
	assert(!memcmp(id, a.b + 8, 8));
	x = ip6_solicited_node(&a);
	assert(ip6_is_multicast(&x) && ip6_mc_scope(&x) == 2);
	ip6_group_mac(mac, &x);
	assert(!memcmp(mac, "\x33\x33\xff\x33\x44\x55", 6));
	assert(ip6_is_mapped(&mapped) && ip6_policy(&mapped).label == 4);
	x = IP6_LOOPBACK;
	assert(ip6_is_loopback(&x) && ip6_policy(&x).precedence == 50);
	x = ip6_make(0x2a000000, 1, 2, 3);
	assert(ip6_policy(&x).precedence == 40 && ip6_scope(&x) == 14);
	x = ip6_make(0xfd000000, 1, 2, 3);
	assert(ip6_policy(&x).label == 13);
	x = ip6_make(0xfec00000, 0, 0, 3);
	assert(ip6_policy(&x).label == 11 && ip6_scope(&x) == 5);
}

static void test_prefixes(void)
{
	struct ip6_addr a = ip6_make(0x20010db8, 0xffffffff, 0xffffffff, 0xffffffff), p, q;

	for (unsigned int bits = 0; bits <= 128; bits++) {
		p = ip6_prefix(&a, bits);
		assert(ip6_common_bits(&a, &p) >= bits);
		q = ip6_prefix(&p, bits);
		assert(ip6_equal(&p, &q));
	}
	p = ip6_prefix(&a, 33);
	assert(be32_get(p.w[1]) == 0x80000000 && !p.w[2].v);
}

static void test_walk(void)
{
	u8 p[120] = {};
	struct ip6_wire *h = (struct ip6_wire *)p;
	struct ip6_exts e;

	h->ver_class_flow = ip6_first_word(0x12, 0x34567);
	assert(ip6_tclass(h) == 0x12 && ip6_flow_label(h) == 0x34567);
	h->payload = be16_make(40);
	h->next = IP6_HOPOPTS;
	p[40] = IP6_ROUTING;
	memcpy(p + 42, "\x05\x02\0\0\x01\0", 6);
	p[48] = 17;
	assert(ip6_check(p, 80, 80) == IP6_OK && ip6_check(p, 79, 79) == IP6_SHORT);
	assert(!ip6_walk(&e, p, 80) && e.alert && e.protocol == 17 && e.transport_at == 56 &&
	       e.hop_at == 40 && e.route_at == 48 && e.next_at == 48);
	p[51] = 1;			/* segments left */
	assert(ip6_walk(&e, p, 80) && e.bad_code == IP6_BAD_FIELD && e.bad_at == 50);
	p[51] = 0;
	p[42] = 0x85;			/* an unknown option that wants an answer */
	assert(ip6_walk(&e, p, 80) && e.bad_code == IP6_BAD_OPTION && e.bad_at == 42);
	p[42] = 0x45;			/* one that wants silence */
	assert(ip6_walk(&e, p, 80) && e.bad_code == IP6_BAD_SILENT);
	p[42] = 5;
	p[40] = IP6_HOPOPTS;		/* twice */
	assert(ip6_walk(&e, p, 80) && e.bad_code == IP6_BAD_NEXT && e.bad_at == 40);
	p[40] = IP6_DSTOPTS;
	p[49] = 9;			/* longer than the packet */
	assert(ip6_walk(&e, p, 80) && e.bad_code == IP6_BAD_SILENT);
	/* A chain without end is refused. */
	for (int i = 40; i < 120; i += 8)
		memcpy(p + i, "\x3c\0\x01\x04\0\0\0\0", 8);
	h->next = IP6_DSTOPTS;
	assert(ip6_walk(&e, p, 120) && e.bad_code == IP6_BAD_SILENT);
}

static void test_nd(void)
{
	struct nd_neighbour m = { .target = ip6_make(0xfe800000, 0, 0, 1), .solicited = true }, n;
	u8 buf[64];
	u32 len = nd_encode_neighbour(buf, ICMP6_NA, &m, (const u8 *)"\2\0\0\0\0\1");

	assert(len == 32 && !nd_decode_neighbour(&n, buf, len) && n.solicited && !n.override);
	assert(n.opt.target_hw && !memcmp(n.opt.target_hw, "\2\0\0\0\0\1", 6) && !n.opt.source_hw);
	assert(nd_decode_neighbour(&n, buf, 31) && nd_decode_neighbour(&n, buf, 23));
	buf[25] = 0;			/* an option without length */
	assert(nd_decode_neighbour(&n, buf, 32));
}

int main(void)
{
	test_kinds();
	test_prefixes();
	test_walk();
	test_nd();
	puts("ok");
	return 0;
}
