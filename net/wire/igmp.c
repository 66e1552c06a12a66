// SPDX-License-Identifier: MIT
/* Queries of IGMP: the length says the version (RFC 3376, 7.1). */
#include <lib/minmax.h>
#include "net/wire/igmp.h"

#define V3_LEAST 12u
#define V1_DELAY_MS 10000u

int igmp_decode_query(struct mc_query *q, const u8 *p, u32 n, u32 len)
{
	be32 group;

	if (n < IGMP_HEADER || len < n || p[0] != IGMP_QUERY)
		return -1;
	memcpy(&group, p + 4, sizeof(group));
	*q = (struct mc_query){ .group = ip6_mapped(group), .is_general = !group.v };
	if (group.v && !ip4_is_multicast(group))
		return -1;
	if (len == IGMP_HEADER) {
		q->version = p[1] ? 2 : 1;
		q->max_delay_ms = p[1] ? p[1] * 100u : V1_DELAY_MS;
		return 0;
	}
	if (n < V3_LEAST)
		return -1;
	q->version = 3;
	q->max_delay_ms = max(mc_float(p[1], 4), 1u) * 100;
	q->qrv = p[8] & 7;
	q->interval_s = mc_float(p[9], 4);
	q->nr_sources = (u32)p[10] << 8 | p[11];
	q->sources_at = V3_LEAST;
	return q->nr_sources <= (len - V3_LEAST) / 4 ? 0 : -1;
}
