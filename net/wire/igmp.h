/* SPDX-License-Identifier: MIT */
/* IGMP of all versions (RFC 1112, 2236, 3376) as it lies in packets, and what a query says. */
#pragma once

#include "net/wire/ip4.h"
#include "net/wire/ip6.h"

enum igmp_type {
	IGMP_QUERY = 0x11,
	IGMP_REPORT_V1 = 0x12,
	IGMP_REPORT_V2 = 0x16,
	IGMP_LEAVE = 0x17,
	IGMP_REPORT_V3 = 0x22,
};

#define IGMP_HEADER 8
/* The header of all versions; of a report of version 3, the group holds the number of records. */
struct igmp_wire {
	u8 type, code;
	u16 csum;
	be32 group;
} __packed;
_Static_assert(sizeof(struct igmp_wire) == IGMP_HEADER, "as on the wire");

/* A query of either family; addresses of IPv4 are mapped ones. */
struct mc_query {
	struct ip6_addr group;
	bool is_general;		/* no group: all are asked of */
	u8 version;			/* 1, 2, 3 as IGMP counts; MLD's 1 and 2 are 2 and 3 */
	u8 qrv;				/* version 3: robustness, 0: not said */
	u32 max_delay_ms;		/* of an answer */
	u32 interval_s;			/* version 3: between queries, 0: not said */
	u32 nr_sources, sources_at;	/* they lie within the message */
};
/*
 * The first N bytes at P of a query of LEN bytes, whose checksum is right; 12 are enough. 0; -1: it
 * is none.
 */
int igmp_decode_query(struct mc_query *q, const u8 *p, u32 n, u32 len) __must_check;

/* A number of BITS mantissa bits below a 3-bit exponent, if CODE's highest bit says so. */
static inline u32 mc_float(u32 code, unsigned int bits)
{
	u32 mantissa = code & ((1u << bits) - 1);

	if (!(code >> (bits + 3)))
		return code;
	return (mantissa | 1u << bits) << ((code >> bits & 7) + 3);
}
