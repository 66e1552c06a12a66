// SPDX-License-Identifier: MIT
/* ARP packets. */
#include <lib/string.h>
#include "net/wire/arp.h"

#define HW_ETHERNET 1
#define PROTO_IP 0x0800

struct arp_wire {
	be16 hw, proto;
	u8 hw_len, proto_len;
	be16 op;
	u8 sender_hw[ETH_ADDR];
	be32 sender_ip;
	u8 target_hw[ETH_ADDR];
	be32 target_ip;
} __packed;
_Static_assert(sizeof(struct arp_wire) == ARP_LEN, "as on the wire");

int arp_decode(struct arp_packet *a, const u8 *p, size_t len)
{
	const struct arp_wire *w = (const struct arp_wire *)p;

	if (len < ARP_LEN || be16_get(w->hw) != HW_ETHERNET || be16_get(w->proto) != PROTO_IP ||
	    w->hw_len != ETH_ADDR || w->proto_len != 4)
		return -1;
	a->op = be16_get(w->op);
	memcpy(a->sender_hw, w->sender_hw, ETH_ADDR);
	memcpy(a->target_hw, w->target_hw, ETH_ADDR);
	a->sender_ip = w->sender_ip;
	a->target_ip = w->target_ip;
	return 0;
}

void arp_encode(u8 *p, const struct arp_packet *a)
{
	struct arp_wire *w = (struct arp_wire *)p;

	*w = (struct arp_wire){ be16_make(HW_ETHERNET),
				be16_make(PROTO_IP),
				ETH_ADDR,
				4,
				be16_make(a->op),
				{},
				a->sender_ip,
				{},
				a->target_ip };
	memcpy(w->sender_hw, a->sender_hw, ETH_ADDR);
	memcpy(w->target_hw, a->target_hw, ETH_ADDR);
}
