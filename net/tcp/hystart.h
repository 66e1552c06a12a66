/* SPDX-License-Identifier: MIT */
/* HyStart: when CUBIC leaves slow start. By the owner. */
#pragma once

#include <lib/types.h>

struct tcp_sock;

struct hystart {
	u32 least_us;			/* the least round trip; 0: none is known */
	u32 round_us, last_ack_us;	/* when the round, and its latest train, began or went on */
	u32 round_end;			/* sequence number */
	u32 round_rtt_us;		/* the least of it */
	u32 samples;
};

void hystart_begin(struct hystart *h, const struct tcp_sock *t);
/* A round trip of RTT_US: T leaves slow start where that is due. */
void hystart_sample(struct hystart *h, struct tcp_sock *t, u32 rtt_us);
