/* SPDX-License-Identifier: MIT */
/* TCP's header and its options (RFC 9293, 3.1; RFC 7323; RFC 2018). */
#pragma once

#include <lib/byteorder.h>

#define TCP_HEADER 20
#define TCP_HEADER_MOST 60
#define TCP_STAMP_LEN 12	/* the option of timestamps, filled up to a multiple of 4 */
#define TCP_SACK_BLOCKS 4

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

struct tcp_wire {
	be16 src, dst;
	be32 seq, ack;
	u8 off, flags;			/* off: words of 4 bytes, in the high half */
	be16 window, csum, urgent;
} __packed;
_Static_assert(sizeof(struct tcp_wire) == TCP_HEADER, "as on the wire");

struct tcp_sack {
	u32 begin, end;
};

/* A segment as it was received, checked. */
struct tcp_seg {
	u32 seq, end;			/* end: behind the last byte, SYN and FIN counted */
	u32 ack;
	u32 len;			/* payload bytes */
	u16 window;			/* as on the wire */
	u16 urgent;
	be16 src, dst;
	u8 flags;
	u8 hdr;				/* bytes of the header with its options */
	/* Options; those of a SYN count only there. */
	bool has_ts, sack_ok, has_wscale;
	u8 wscale;
	u16 mss;			/* 0: not there */
	u32 ts_val, ts_ecr;
	u8 nr_sack;
	struct tcp_sack sack[TCP_SACK_BLOCKS];
};

/*
 * Bytes of the header that begins at P, of which LINEAR bytes lie there, of LEN in the packet. 0:
 * malformed, or shorter than its fixed part.
 */
u32 tcp_header_len(const u8 *p, u32 linear, u32 len) __must_check;
/*
 * The header at P, of which tcp_header_len() bytes lie there, with LEN bytes in all. Malformed
 * options end the list, as nothing else can be believed.
 */
void tcp_decode(struct tcp_seg *s, const u8 *p, u32 len);

/* Options to send. */
struct tcp_tx_options {
	bool ts, sack_ok, wscale;
	u8 shift;			/* of wscale */
	u16 mss;			/* 0: none */
	u32 ts_val, ts_ecr;
	u8 nr_sack;
	struct tcp_sack sack[TCP_SACK_BLOCKS];
};
/* Bytes that they take: a multiple of 4, at most 40. */
u32 tcp_options_len(const struct tcp_tx_options *o);
void tcp_options_encode(u8 *p, const struct tcp_tx_options *o);
