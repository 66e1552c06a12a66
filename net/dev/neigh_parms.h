/* SPDX-License-Identifier: MIT */
/* How neighbours of a family are asked for on a device (net/neigh; arp(7)): ints, as set. */
#pragma once

struct neigh_parms {
	int base_reachable_ms, retrans_ms, gc_stale_s, delay_probe_s, ucast_probes, mcast_probes,
		unres_bytes;
};
