// SPDX-License-Identifier: MIT
/*
 * Congestion control: Reno (RFC 5681) and CUBIC (RFC 9438), in whole numbers: segments and
 * milliseconds.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/time.h>
#include "net/tcp/hystart.h"
#include "net/tcp/tcp_priv.h"

#define FIRST_GROWTH 20u

u32 tcp_slow_start(struct tcp_sock *t, u32 acked)
{
	u32 more = min(acked, t->ssthresh - t->cwnd);

	t->cwnd += more;
	return acked - more;
}

void tcp_grow_by(struct tcp_sock *t, u32 w, u32 acked)
{
	t->cwnd_count += acked;
	if (t->cwnd_count >= w) {
		t->cwnd += t->cwnd_count / w;
		t->cwnd_count %= w;
	}
}

static void reno_init(struct tcp_sock *t)
{
}

static u32 reno_ssthresh(struct tcp_sock *t)
{
	return max(t->cwnd / 2, 2u);
}

static void reno_avoid(struct tcp_sock *t, u32 acked)
{
	tcp_grow_by(t, t->cwnd, acked);
}

static void reno_timeout(struct tcp_sock *t)
{
}

const struct tcp_cc tcp_reno = {
	.name = "reno",
	.init = reno_init,
	.ssthresh = reno_ssthresh,
	.avoid = reno_avoid,
	.timeout = reno_timeout,
};

/* ---- CUBIC: W(t) = 0.4 (t - K)^3 + W_max, t in seconds since the epoch of this growth ---- */

struct cubic {
	u32 w_max, w_last;		/* segments */
	u32 k_ms;
	u32 w_est, est_count;		/* what Reno would have (4.3) */
	u32 origin;
	u64 epoch_ms;			/* 0: the next growth begins one */
	struct hystart start;
};
_Static_assert(sizeof(struct cubic) <= sizeof_field(struct tcp_sock, cc_state), "fits");

static struct cubic *cubic(struct tcp_sock *t)
{
	return (struct cubic *)t->cc_state;
}

static void cubic_init(struct tcp_sock *t)
{
	memset(t->cc_state, 0, sizeof(t->cc_state));
	hystart_begin(&cubic(t)->start, t);
}

/* Not soon after a recovery: the queue that it was about may be there yet. */
static void cubic_rtt(struct tcp_sock *t, u32 rtt_us)
{
	struct cubic *c = cubic(t);

	if (t->cwnd < t->ssthresh &&
	    (!c->epoch_ms || ktime_get_ns() / NSEC_PER_MS - c->epoch_ms >= 1000))
		hystart_sample(&c->start, t, rtt_us);
}

/* The whole cube root of V. */
static u32 cube_root(u64 v)
{
	u64 x = 0;

	for (int bit = 20; bit >= 0; bit--) {
		u64 y = x | 1ull << bit;

		if (y * y * y <= v)
			x = y;
	}
	return (u32)x;
}

static u32 cubic_ssthresh(struct tcp_sock *t)
{
	struct cubic *c = cubic(t);

	c->epoch_ms = 0;
	/*
	 * Fast convergence (4.7): a flow that lost below its last maximum leaves room for
	 * newcomers.
	 */
	c->w_max = t->cwnd < c->w_last ? t->cwnd * 17 / 20 : t->cwnd;
	c->w_last = t->cwnd;
	return max(t->cwnd * 7 / 10, 2u);
}

static void cubic_begin(struct tcp_sock *t, struct cubic *c, u64 now)
{
	c->epoch_ms = now ?: 1;
	c->w_est = t->cwnd;
	c->est_count = 0;
	c->origin = max(c->w_max, t->cwnd);
	/* K = cbrt((W_max - cwnd) / 0.4) s; the root of 10^9 times that is in ms. */
	c->k_ms = cube_root((u64)(c->origin - t->cwnd) * 2500000000ull);
}

/* W(NOW + a round trip). */
static u32 cubic_target(const struct tcp_sock *t, const struct cubic *c, u64 now)
{
	s64 d = (s64)(now - c->epoch_ms + t->min_rtt_us / 1000) - c->k_ms;
	s64 w;

	d = clamp(d, -1000000ll, 1000000ll);
	w = (s64)c->origin + d * d / 1000 * d / 2500000;
	return (u32)clamp(w, 1ll, (s64)t->cwnd * 3 / 2);
}

static void cubic_avoid(struct tcp_sock *t, u32 acked)
{
	struct cubic *c = cubic(t);
	u64 now = ktime_get_ns() / NSEC_PER_MS;
	u32 target, wait;

	if (!c->epoch_ms)
		cubic_begin(t, c, now);
	/* 4.3: alpha = 3 (1 - 0.7) / (1 + 0.7) = 9/17 of a segment a window. */
	c->est_count += acked;
	while (c->est_count >= max(c->w_est * 17 / 9, 1u)) {
		c->est_count -= max(c->w_est * 17 / 9, 1u);
		c->w_est++;
	}
	target = max(cubic_target(t, c, now), c->w_est);
	wait = target > t->cwnd ? max(t->cwnd / (target - t->cwnd), 2u) : 100 * t->cwnd;
	/* Where no loss has told of a maximum, it grows by a twentieth at least. */
	tcp_grow_by(t, c->w_last ? wait : min(wait, FIRST_GROWTH), acked);
}

const struct tcp_cc tcp_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.ssthresh = cubic_ssthresh,
	.avoid = cubic_avoid,
	.timeout = cubic_init,
	.rtt = cubic_rtt,
};

const struct tcp_cc *tcp_cc_find(const char *name)
{
	return !strcmp(name, "cubic") ? &tcp_cubic : !strcmp(name, "reno") ? &tcp_reno : NULL;
}
