/* SPDX-License-Identifier: MIT */
/*
 * Super-packets: a packet of TCP, longer than its link takes, that stands for many segments, so
 * that what a packet costs is paid once for all of them. p->gso_size is the payload of each segment
 * but the last, p->gso_segs how many there are. The segments are made by the device (NETDEV_F_TSO4,
 * NETDEV_F_TSO6), by the last device in software (net/dev/gso.c), or never, where the packet stays
 * in this machine.
 *
 * Invariants of a packet with gso_size: its headers are linear; transport_at is that of its TCP
 * header; its sum is PACKET_CSUM_PARTIAL and begins there; from its network header on it has 65,535
 * bytes at most. Its IP header says its whole length. Limits of length are compared with
 * packet_wire_len().
 */
#pragma once

#include <net/packet.h>

struct netdev;
struct vnet_wire;

/* packet->gso_type */
#define GSO_TCP6 1			/* else IPv4 */
#define GSO_ECN 2			/* CWR is set: of the first segment alone */
#define GSO_SAME_ID 4			/* IPv4, DF: all segments have the packet's identification */

/* Segments of a packet that goes through this machine as one. */
#define GSO_SEGMENTS_MOST 128u

/* Bytes before P's payload, from its first byte on. P has gso_size. */
static inline u32 gso_header_len(const struct packet *p)
{
	return (u32)(p->transport_at - p->data) + (u32)(p->buf[p->transport_at + 12] >> 4) * 4;
}

/* How many segments P is. It has gso_size. */
static inline u32 gso_segments(const struct packet *p)
{
	u32 hdr = gso_header_len(p);

	return p->len > hdr ? (p->len - hdr + p->gso_size - 1) / p->gso_size : 1;
}

/* From P's first byte on, the length of the longest packet that becomes of it. */
static inline u32 packet_wire_len(const struct packet *p)
{
	u32 most;

	if (likely(!p->gso_size))
		return p->len;
	most = gso_header_len(p) + p->gso_size;
	return p->len < most ? p->len : most;
}

/*
 * Heeds H, the header of virtio_net in the CPU's byte order that came with P from outside: sums and
 * sizes are compared with P, whose network header begins NET_AT bytes from its first. 0; -EINVAL:
 * it is not true of P.
 */
int gso_heed_vnet(struct packet *p, const struct vnet_wire *h, u16 net_at) __must_check;
/*
 * What a reader, or a device, is to be told of P, which begins with its link header if it has one.
 */
void gso_tell_vnet(const struct packet *p, struct vnet_wire *h);
/*
 * P, with its headers linear and net_at, transport_at set, becomes a super-packet of SEGS segments
 * of SIZE bytes, of TYPE (GSO_*): its length and sum follow.
 */
void gso_make_super(struct packet *p, u16 size, u16 segs, u8 type);
/* Segment I of P, with its sum PARTIAL; it is charged to nobody. NULL: no memory. */
struct packet *gso_segment(const struct packet *p, u32 i, gfp_t gfp) __must_check;
/* D makes the segments of P itself. */
bool gso_device_takes(const struct packet *p, const struct netdev *d);
