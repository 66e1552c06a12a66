/* SPDX-License-Identifier: MIT */
/* Address resolution of IPv4 over Ethernet (RFC 826). */
#pragma once

#include <lib/byteorder.h>
#include "net/wire/eth.h"

#define ARP_LEN 28
enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
	u16 op;
	u8 sender_hw[ETH_ADDR], target_hw[ETH_ADDR];
	be32 sender_ip, target_ip;
};

/* 0; -1: not of IPv4 over Ethernet, or cut short. Bytes behind are padding. */
int arp_decode(struct arp_packet *a, const u8 *p, size_t len) __must_check;
/* ARP_LEN bytes. */
void arp_encode(u8 *p, const struct arp_packet *a);
