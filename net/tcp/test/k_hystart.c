// SPDX-License-Identifier: MIT
/* HyStart: round trips that grow longer end slow start, such that do not let it go on. */
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include "net/tcp/hystart.h"
#include "net/tcp/tcp_priv.h"

#define UNLIMITED (U32_MAX / 2)

/* N round trips of RTT_US, of a round that began at 0. */
static void samples(struct hystart *h, struct tcp_sock *t, u32 n, u32 rtt_us)
{
	while (n--)
		hystart_sample(h, t, rtt_us);
}

KTEST(hystart_delay)
{
	struct tcp_sock *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct hystart h = { 0 };

	KT_ASSERT(t);
	*t = (struct tcp_sock){ .cwnd = 20, .ssthresh = UNLIMITED, .snd_nxt = 1000 };
	hystart_begin(&h, t);
	samples(&h, t, 20, 100000);
	KT_EQ(t->ssthresh, UNLIMITED);
	/* an eighth longer, but one of the round was not */
	samples(&h, t, 20, 120000);
	KT_EQ(t->ssthresh, UNLIMITED);
	/* a new round: eight are looked at, the ninth decides */
	t->snd_una = 1001;
	t->snd_nxt = 2000;
	samples(&h, t, 8, 113000);
	KT_EQ(t->ssthresh, UNLIMITED);
	samples(&h, t, 1, 113000);
	KT_EQ(t->ssthresh, 20u);
	kfree(t);
}

KTEST(hystart_small_window)
{
	struct tcp_sock *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct hystart h = { 0 };

	KT_ASSERT(t);
	*t = (struct tcp_sock){ .cwnd = 15, .ssthresh = UNLIMITED, .snd_nxt = 1000 };
	hystart_begin(&h, t);
	samples(&h, t, 1, 1000);
	samples(&h, t, 20, 500000);
	KT_EQ(t->ssthresh, UNLIMITED);
	/* less than 4 ms longer is noise, whatever the part of a short round trip */
	t->cwnd = 16;
	samples(&h, t, 20, 4999);
	KT_EQ(t->ssthresh, UNLIMITED);
	t->snd_una = 1001;
	t->snd_nxt = 2000;
	samples(&h, t, 9, 5001);
	KT_EQ(t->ssthresh, 16u);
	kfree(t);
}
