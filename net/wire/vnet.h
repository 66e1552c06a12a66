/* SPDX-License-Identifier: MIT */
/*
 * The header of virtio_net before a frame (virtio 1.3, 5.1.6), which devices and writers of tun
 * give and readers get, and what a frame must be like that is to be cut into segments of TCP.
 */
#pragma once

#include <lib/byteorder.h>

/* In the CPU's byte order, once vnet_turn() has been at it. */
struct vnet_wire {
	u8 flags, gso_type;
	u16 hdr_len, gso_size, csum_start, csum_off;
};
#define VNET_HEADER 10
_Static_assert(sizeof(struct vnet_wire) == VNET_HEADER, "as programs have it");

enum { VNET_NEEDS_CSUM = 1, VNET_DATA_VALID = 2 };
enum { VNET_GSO_NONE = 0, VNET_GSO_TCP4 = 1, VNET_GSO_TCP6 = 4, VNET_GSO_ECN = 0x80 };

/*
 * Between the CPU's byte order and that of the header; LITTLE: that is little-endian, else the
 * CPU's.
 */
void vnet_turn(struct vnet_wire *h, bool little);
/*
 * The headers that H speaks of, with the place of the sum, are within the LEN bytes that follow it.
 */
bool vnet_is_within(const struct vnet_wire *h, size_t len) __must_check;
/*
 * H is before a frame of LEN bytes: its offsets are within, its kind is one that we know. What the
 * frame is is not looked at.
 */
bool vnet_fits(const struct vnet_wire *h, u32 len) __must_check;

/* A frame of TCP for many segments, and where its parts are, from its first byte on. */
struct vnet_super {
	u16 net_at, tcp_at, payload_at;
	u16 size;			/* payload bytes of a segment */
	u32 nr;				/* segments, 1 at least */
	bool v6;
};
#define VNET_SEGMENTS_MOST 1024		/* of one frame: more is nobody's need */
/*
 * A frame of LEN bytes, of which LINEAR lie at P, with its network header at NET_AT, for segments
 * of SIZE bytes. 0; -1: it is no such frame; else as many bytes must be linear.
 */
int vnet_super_decode(struct vnet_super *s, const u8 *p, u32 linear, u32 len, u16 net_at, bool v6,
		      u16 size) __must_check;
