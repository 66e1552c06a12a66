// SPDX-License-Identifier: MIT
/*
 * Leaving slow start before it loses what it overshoots by (HyStart: Ha and Rhee, "Taming the
 * elephants", 2011; RFC 9406, 4.2). Two signs of a queue that fills, each looked at once a round
 * trip, with a window of LOW_WINDOW segments or more:
 *
 * - DELAY: the least of a round's first MIN_SAMPLES round trips is an eighth longer than the least
 *   ever, 4 ms at least and 16 ms at most;
 * - TRAIN: acknowledgements at most TRAIN_GAP_US apart go on for half of the least round trip.
 *
 * /sys/module/tcp_cubic/parameters/hystart_detect says which count; at first DELAY alone, as a
 * train's end is often the end of what a program had to send.
 */
#include <lib/minmax.h>
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include "net/tcp/hystart.h"
#include "net/tcp/tcp_priv.h"

#define LOW_WINDOW 16u
#define MIN_SAMPLES 8u
#define DELAY_LEAST_US 4000u
#define DELAY_MOST_US 16000u
#define TRAIN_GAP_US 2000u
#define TRAIN 1
#define DELAY 2

static int detect = DELAY;

static u32 now_us(void)
{
	return (u32)(ktime_get_ns() / NSEC_PER_USEC);
}

void hystart_begin(struct hystart *h, const struct tcp_sock *t)
{
	h->round_us = h->last_ack_us = now_us();
	h->round_end = t->snd_nxt;
	h->round_rtt_us = U32_MAX;
	h->samples = 0;
}

static bool is_train(struct hystart *h)
{
	u32 now = now_us();

	if (now - h->last_ack_us > TRAIN_GAP_US)
		return false;
	h->last_ack_us = now;
	return now - h->round_us > h->least_us / 2;
}

static bool is_delayed(struct hystart *h, u32 rtt_us)
{
	h->round_rtt_us = min(h->round_rtt_us, rtt_us);
	if (h->samples < MIN_SAMPLES) {
		h->samples++;
		return false;
	}
	return h->round_rtt_us >
	       h->least_us + clamp(h->least_us / 8, DELAY_LEAST_US, DELAY_MOST_US);
}

void hystart_sample(struct hystart *h, struct tcp_sock *t, u32 rtt_us)
{
	int by = READ_ONCE(detect);

	if (!h->least_us || rtt_us < h->least_us)
		h->least_us = max(rtt_us, 1u);
	if (t->cwnd >= t->ssthresh || t->cwnd < LOW_WINDOW)
		return;
	if (after(t->snd_una, h->round_end))
		hystart_begin(h, t);
	if ((by & TRAIN && is_train(h)) || (by & DELAY && is_delayed(h, rtt_us)))
		t->ssthresh = t->cwnd;
}

static ssize_t detect_show(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", READ_ONCE(detect));
}

static ssize_t detect_store(struct show_node *n, const char *text, size_t len)
{
	int v, e = kstrtoint(skip_spaces(text), 0, &v);

	if (e)
		return e;
	if (v < 0 || v > (TRAIN | DELAY))
		return -EINVAL;
	WRITE_ONCE(detect, v);
	return (ssize_t)len;
}

static int hystart_init(void)
{
	struct show_node *dir = show_path(SHOW_SYS, "module/tcp_cubic/parameters");

	if (dir)
		show_attr(dir, "hystart_detect", 0644, detect_show, detect_store, NULL);
	return 0;
}
INITCALL(late, hystart_init);
