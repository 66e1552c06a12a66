/* SPDX-License-Identifier: MIT */
/* DHCP messages (RFC 2131, RFC 2132) as IPv4 datagrams, from a client that has no address yet. */
#pragma once

#include <lib/byteorder.h>
#include "net/wire/eth.h"

#define DHCP_NAME 64
#define DHCP_NAME_SERVERS 2
/* IP, UDP, and a BOOTP message of 300 bytes, which is the shortest that old servers take */
#define DHCP_REQUEST_LEN (20 + 8 + 300)

enum dhcp_type {
	DHCP_NONE,
	DHCP_DISCOVER,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK
};

struct dhcp_query {
	enum dhcp_type type;		/* DHCP_DISCOVER, DHCP_REQUEST */
	u32 xid;
	u16 secs;			/* since the client began */
	u8 hw[ETH_ADDR];
	be32 wanted, server;		/* DHCP_REQUEST: what was offered, by whom */
};

struct dhcp_reply {
	enum dhcp_type type;
	u32 xid;
	u8 hw[ETH_ADDR];
	be32 address, server;		/* server: its identifier */
	be32 boot_server;		/* siaddr; 0: none */
	be32 mask, gateway;		/* 0: not told */
	be32 names[DHCP_NAME_SERVERS];
	u32 lease_s;
	u16 mtu;			/* 0: not told */
	char host[DHCP_NAME + 1], domain[DHCP_NAME + 1];
};

/* Q as a datagram from 0.0.0.0 to 255.255.255.255, of DHCP_REQUEST_LEN bytes. */
void dhcp_encode(u8 *p, const struct dhcp_query *q);
/*
 * The LEN bytes at P, which begin with an IP header, are a server's answer to a client. CHECK: the
 * checksum of UDP has not been looked at yet. False: they are not, or are malformed.
 */
bool dhcp_decode(struct dhcp_reply *r, const u8 *p, size_t len, bool check) __must_check;
