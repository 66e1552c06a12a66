// SPDX-License-Identifier: MIT
/*
 * SYN cookies (RFC 4987, 3.6). A listener whose queue of half-open connections is full keeps
 * nothing of a SYN: the sequence number of its SYN-ACK says all that the ACK needs, and that ACK
 * makes the connection.
 *
 * From the top, 5 bits of minutes and 3 of the peer's MSS, rounded down, masked by a keyed hash of
 * the ends; then 24 bits of another keyed hash, over ends, the peer's sequence number, the minute
 * and the MSS. A cookie is believed for LIFE minutes, and only by a listener that has sent one
 * within that time. There is no room for other options: with timestamps they lie in the lowest 6
 * bits of ours, which the peer sends back; without them they are off.
 */
#include <lib/minmax.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include "net/tcp/tcp_priv.h"

#define MINUTE_NS (60 * NSEC_PER_SEC)
#define LIFE 2u
#define MINUTES_MASK 31u
#define CHECK_MASK 0xffffffu
#define STAMP_MASK 63u		/* of a timestamp: the scale, SACK */
#define STAMP_SACK 16u
#define NO_SCALE 15u

static struct siphash_key cookie_key __ro_after_init;
/* Usual ones of links and tunnels: the next lower stands for all in between. */
static const u16 sizes[8] = { TCP_MSS_MIN, TCPC_MSS_DEFAULT, 1220, 1300, 1400, 1440, 1460, 8940 };

/* A keyed hash of Q's ends and of MORE. */
static u32 hash(const struct tcp_request *q, u64 more)
{
	const struct inet_entry *e = &q->e;
	u64 w[8] = { (u64)e->local.v << 32 | e->peer.v, (u64)e->local_port.v << 16 | e->peer_port.v,
		     e->net->cookie, more };

	if (!e->v6)
		return (u32)siphash_words(&cookie_key, w, 4);
	_Static_assert(sizeof(*e->v6) == 4 * sizeof(w[0]), "the rest");
	__builtin_memcpy(w + 4, e->v6, sizeof(*e->v6));
	return (u32)siphash_words(&cookie_key, w, 8);
}

static u32 minute(void)
{
	return (u32)(ktime_get_ns() / MINUTE_NS);
}

/* The lower 24 bits; TOP: minute and MSS. */
static u32 check(const struct tcp_request *q, u8 top)
{
	return hash(q, 1ull << 40 | (u64)top << 32 | q->rcv_isn) & CHECK_MASK;
}

static u8 mask(const struct tcp_request *q)
{
	return (u8)hash(q, 0);
}

void tcp_cookie_make(struct tcp_request *q)
{
	u8 top, i = ARRAY_SIZE(sizes) - 1;

	while (i && sizes[i] > q->mss_peer)
		i--;
	top = (u8)((minute() & MINUTES_MASK) << 3 | i);
	q->snd_isn = (u32)(top ^ mask(q)) << 24 | check(q, top);
	if (!q->ts_ok)
		q->sack_ok = q->wscale_ok = false;
}

u32 tcp_cookie_stamp(const struct tcp_request *q)
{
	u32 now = tcp_clock_ms(), bits = q->wscale_ok ? min_t(u32, q->snd_wscale, 14) : NO_SCALE,
	    stamp;

	bits |= q->sack_ok ? STAMP_SACK : 0;
	stamp = (now & ~STAMP_MASK) | bits;
	if (after(stamp, now))
		stamp -= STAMP_MASK + 1;	/* clocks of ours do not go back afterwards */
	return stamp + q->ts_offset;
}

/* Q's options, from the timestamp that comes back. False: settings do not allow them. */
static bool read_stamp(struct tcp_request *q, const struct tcp_seg *s)
{
	const struct tcp_net *n = q->e.net->tcp;
	u32 bits = (s->ts_ecr - q->ts_offset) & STAMP_MASK;

	q->ts_ok = s->has_ts;
	if (!s->has_ts)
		return true;
	q->ts_recent = s->ts_val;
	q->sack_ok = bits & STAMP_SACK;
	q->wscale_ok = (bits & NO_SCALE) != NO_SCALE;
	q->snd_wscale = q->wscale_ok ? bits & NO_SCALE : 0;
	q->rcv_wscale = q->wscale_ok ? tcp_choose_wscale(n) : 0;
	return n->timestamps && (!q->sack_ok || n->sack) && (!q->wscale_ok || n->window_scaling);
}

bool tcp_cookie_read(struct tcp_request *q, const struct tcp_seg *s)
{
	u8 top;

	q->snd_isn = s->ack - 1;
	q->rcv_isn = s->seq - 1;
	top = (u8)(q->snd_isn >> 24) ^ mask(q);
	if (((minute() - (top >> 3)) & MINUTES_MASK) >= LIFE ||
	    (q->snd_isn & CHECK_MASK) != check(q, top))
		return false;
	q->mss_peer = sizes[top & 7];
	return read_stamp(q, s);
}

void tcp_cookie_sent(struct tcp_sock *l)
{
	tcp_count(l, TCP_SYNCOOKIES_SENT);
	WRITE_ONCE(l->cookie_ns, ktime_get_ns());
}

bool tcp_cookie_expected(const struct tcp_sock *l)
{
	u64 sent = READ_ONCE(l->cookie_ns);

	return sent && ktime_get_ns() - sent < LIFE * MINUTE_NS &&
	       READ_ONCE(tcp_net(l)->syncookies);
}

static int cookies_init(void)
{
	get_random_bytes(&cookie_key, sizeof(cookie_key));
	return 0;
}
INITCALL(subsys, cookies_init);
