// SPDX-License-Identifier: MIT
/* Sending UDP: one datagram a call, or what UDP_CORK and MSG_MORE put together. */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>
#include <linux/time.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include "net/core/stats.h"
#include "net/udp/udp.h"
#include "net/wire/csum.h"
#include "net/wire/udp.h"

#define UDP_MOST 65535u
#define SENDING (SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED)

static void too_long(struct inet_sock *s, const struct inet_way *w, be16 port)
{
	struct ip6_addr dst = inet_way_dst(w);

	if (inet_flag(s, w->six ? INET6_RECVERR : INET_RECVERR))
		inet_queue_local(s, EMSGSIZE, &dst, port, inet_way_mtu(w));
}

/* P, the payload, gets its header and goes. Consumes P. */
static int transmit(struct inet_sock *s, struct packet *p, const struct inet_dgram *d)
{
	struct net *net = s->sk.net;
	struct udp_wire *h;
	struct inet_way w;
	struct packet *copy;
	u32 len = p->len + UDP_HEADER, key;
	bool stamps;
	int err;

	rcu_read_lock();
	err = inet_dgram_route(s, d, &w);
	if (!err && !inet_way_takes(&w, len)) {
		err = -EMSGSIZE;
		too_long(s, &w, d->port);
	}
	if (err) {
		rcu_read_unlock();
		packet_free(p, err == -EMSGSIZE ? DROP_TOO_BIG : DROP_NO_ROUTE);
		return err;
	}
	stamps = unlikely(READ_ONCE(s->sk.ts_flags) & SENDING);
	key = stamps ? sock_next_stamp(&s->sk) : 0;
	packet_push(p, UDP_HEADER);
	packet_set_transport(p);
	h = (struct udp_wire *)packet_data(p);
	udp_encode((u8 *)h, s->e.local_port, d->port, len);
	if (w.six || !sock_flag(&s->sk, SOCK_F_NO_CHECK)) {
		h->csum.v = csum_fold_raw(inet_way_pseudo(&w, IPPROTO_UDP, len));
		p->csum_state = PACKET_CSUM_PARTIAL;
		p->csum_start = p->transport_at;
		p->csum_off = offsetof(struct udp_wire, csum);
	}
	p->mark = d->c.tx.mark;
	p->priority = d->c.tx.priority;
	copy = stamps ? packet_clone(p, GFP_ATOMIC) : NULL;
	if (stamps && READ_ONCE(s->sk.ts_flags) & SOF_TIMESTAMPING_TX_SCHED)
		inet_queue_stamp(s, copy, SCM_TSTAMP_SCHED, key);
	err = inet_way_send(net, p, &w);
	rcu_read_unlock();
	if (stamps && !err && READ_ONCE(s->sk.ts_flags) & SOF_TIMESTAMPING_TX_SOFTWARE)
		inet_queue_stamp(s, copy, SCM_TSTAMP_SND, key);
	packet_consume(copy);
	if (w.six)
		net_count(net, err == -ENOBUFS ? UDP6_SNDBUF_ERRORS : UDP6_OUT_DATAGRAMS);
	else
		net_count(net, err == -ENOBUFS ? UDP_SNDBUF_ERRORS : UDP_OUT_DATAGRAMS);
	return inet_dgram_sent(s, err);
}

int udp_push(struct udp_sock *u)
{
	struct packet *p = u->pending;

	u->pending = NULL;
	return p ? transmit(&u->inet, p, &u->to) : 0;
}

/* What is corked is given up: a call that fails ends it, as on Linux. Owner. */
static void flush(struct udp_sock *u)
{
	packet_free(u->pending, DROP_TOO_BIG);
	u->pending = NULL;
}

/* LEN bytes more for what is corked. Owner. D NULL, and nothing is any more: -ESTALE. */
static ssize_t append(struct udp_sock *u, struct sock_msg *m, u32 len, const struct inet_dgram *d)
{
	struct packet *p = u->pending;
	int err;

	if (!p && !d)
		return -ESTALE;
	if (!p) {
		p = sock_packet_from(&u->inet.sk, m, len);
		if (IS_ERR(p))
			return PTR_ERR(p);
		u->pending = p;
		u->to = *d;
		return 0;
	}
	if (p->len + len > UDP_MOST - UDP_HEADER - (u->to.six ? 0u : IP4_HEADER))
		return -EMSGSIZE;
	packet_orphan(p);
	err = packet_from_iter(p, m->iter, len, GFP_KERNEL_ACCOUNT);
	/* Of many small pieces that are apart, P's pages become few that are full. */
	if (err == -EMSGSIZE)
		err = packet_compact(p, GFP_KERNEL_ACCOUNT) ?
			      packet_from_iter(p, m->iter, len, GFP_KERNEL_ACCOUNT) :
			      -ENOBUFS;
	sock_charge_tx(&u->inet.sk, p);
	return err;
}

/* Corking, and all sending while something is corked. */
static ssize_t corked(struct udp_sock *u, struct sock_msg *m, u32 len, const struct inet_dgram *d)
{
	ssize_t err;

	lock_sock(&u->inet.sk);
	err = append(u, m, len, d);
	if (err && err != -ESTALE)
		flush(u);
	if (!err && !u->cork && !(m->flags & MSG_MORE))
		err = udp_push(u);
	release_sock(&u->inet.sk);
	return err;
}

static int bind_first(struct inet_sock *s)
{
	int err;

	if (likely(READ_ONCE(s->port)))
		return 0;
	lock_sock(&s->sk);
	err = udp_autobind(s);
	release_sock(&s->sk);
	return err;
}

/* -EMSGSIZE, reported as transmit() does, if the way of D does not take LEN bytes; else 0. */
static int check_length(struct inet_sock *s, u32 len, const struct inet_dgram *d)
{
	struct inet_way w;
	int err = 0;

	rcu_read_lock();
	if (!inet_dgram_route(s, d, &w) && !inet_way_takes(&w, len + UDP_HEADER)) {
		err = -EMSGSIZE;
		too_long(s, &w, d->port);
	}
	rcu_read_unlock();
	return err;
}

static ssize_t send_one(struct inet_sock *s, struct sock_msg *m, u32 len,
			const struct inet_dgram *d)
{
	struct packet *p;

	/* A length that is wrong is told before an error that is pending. */
	if (unlikely(READ_ONCE(s->sk.err)) && check_length(s, len, d))
		return -EMSGSIZE;
	p = sock_packet_from(&s->sk, m, len);
	return IS_ERR(p) ? PTR_ERR(p) : transmit(s, p, d);
}

/* More bytes than a datagram of D's family has: -EMSGSIZE, reported as transmit() does. */
static int refuse_length(struct inet_sock *s, const struct inet_dgram *d)
{
	struct inet_way w;
	int err;

	rcu_read_lock();
	err = inet_dgram_route(s, d, &w);
	if (!err) {
		err = -EMSGSIZE;
		too_long(s, &w, d->port);
	}
	rcu_read_unlock();
	return err;
}

/* LEN bytes, to what is corked, or in a datagram of their own. -ESTALE: it was sent meanwhile. */
static ssize_t send_or_append(struct udp_sock *u, struct sock_msg *m, size_t len)
{
	bool appends = READ_ONCE(u->pending);
	struct inet_dgram d;
	ssize_t err = appends ? 0 : inet_dgram_begin(&u->inet, m, true, &d);
	struct net_ctx ctx;

	if (err)
		return err;
	if (len > UDP_MOST && (appends || !d.six))
		return -EMSGSIZE;	/* IPv4 reports no MTU for it, as on Linux */
	if (!appends && len > UDP_MOST - UDP_HEADER - (d.six ? 0u : IP4_HEADER))
		return refuse_length(&u->inet, &d);
	net_ctx_begin(&ctx);
	if (appends || READ_ONCE(u->cork) || m->flags & MSG_MORE)
		err = corked(u, m, (u32)len, appends ? NULL : &d);
	else
		err = send_one(&u->inet, m, (u32)len, &d);
	net_ctx_end(&ctx);
	return err;
}

ssize_t udp_sendmsg(struct socket *sock, struct sock_msg *m)
{
	struct inet_sock *s = sock->sk;
	struct udp_sock *u = udp_sk(s);
	size_t len = iter_count(m->iter);
	ssize_t err;

	err = bind_first(s);	/* before all else, as on Linux */
	if (err)
		return err;
	if (len > (s->six ? INT_MAX - UDP_HEADER : UDP_MOST))
		return -EMSGSIZE;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (READ_ONCE(s->sk.shut) & 2)
		return sock_pipe_error(m, 0);
	do
		err = send_or_append(u, m, len);
	while (err == -ESTALE);
	return err ?: (ssize_t)len;
}
