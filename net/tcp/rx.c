// SPDX-License-Identifier: MIT
/*
 * The way of a segment to its sock: its header and sum are checked once, its ends are looked up,
 * and what is found takes it: a connection, one that is half open, TIME-WAIT, or a listener. A
 * segment for nobody is answered by a RST. ICMP errors find their connection in the same table.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/fcntl.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <linux/if_packet.h>
#include "net/ip4/ip4_priv.h"
#include "net/core/core_priv.h"
#include "net/tcp/tcp_priv.h"
#include "net/wire/csum.h"
#include "net/wire/icmp.h"

static bool check_sum(struct packet *p)
{
	const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(p);
	const struct ip6_wire *ip6 = (const struct ip6_wire *)packet_net(p);

	if (p->csum_state == PACKET_CSUM_VERIFIED || p->csum_state == PACKET_CSUM_PARTIAL)
		return true;		/* PARTIAL: it never left the machine */
	return !csum_fold(packet_sum(
		p, 0, p->len,
		packet_is_ip6(p) ? csum_pseudo6(&ip6->src, &ip6->dst, IPPROTO_TCP, p->len, 0) :
				   csum_pseudo4(ip->src, ip->dst, IPPROTO_TCP, p->len, 0)));
}

/* IP_MINTTL and IPV6_MINHOPCOUNT of SK: P came from too far away. */
static bool is_far(const struct sock *sk, struct packet *p)
{
	return unlikely(inet_is_far(inet_sk(sk), p));
}

/*
 * SK drops P, by its filter or as it is far. What the filter cuts off was never received: the
 * segment is decoded again.
 */
static bool filtered(const struct sock *sk, struct packet *p, struct tcp_seg *s)
{
	u32 len = p->len;

	if (is_far(sk, p)) {
		tcp_count_net(sk->net, TCP_MIN_TTL_DROP);
		return true;
	}
	if (!sk_filter(sk, p, s->hdr))
		return true;
	if (p->len != len)
		tcp_decode(s, packet_data(p), p->len);
	return false;
}

static void to_sock(struct tcp_sock *t, struct packet *p, struct tcp_seg *s)
{
	struct sock *sk = &t->inet.sk;

	if (filtered(sk, p, s)) {
		packet_free(p, DROP_FILTER);
		return;
	}
	spin_lock(&sk->lock);
	sk->napi_id = p->napi_id;
	if (!sock_owned(sk)) {
		tcp_input(t, p, s);
		if (t->push_wanted)
			tcp_queue_push(t);
	} else if (!sock_backlog_add(sk, p)) {
		tcp_count(t, TCP_BACKLOG_DROP);
		packet_free(p, DROP_BACKLOG);
	}
	spin_unlock(&sk->lock);
}

/* No connection has these ends: a listener, or nobody. */
static void to_listener(struct net *net, struct packet *p, struct tcp_seg *s,
			const struct inet_key *k)
{
	struct inet_sock *l = inet_bound_find(&net->tcp->table, k);

	if (!l) {
		tcp_reply_reset(net, p, s);
		packet_free(p, DROP_NO_SOCKET);
		return;
	}
	if (filtered(&l->sk, p, s))
		packet_free(p, DROP_FILTER);
	else
		tcp_listen_rcv(container_of(l, struct tcp_sock, inet), p, s);
	sock_put(&l->sk);
}

static void to_request(struct tcp_request *q, struct packet *p, struct tcp_seg *s)
{
	if (filtered(&q->listener->inet.sk, p, s))
		packet_free(p, DROP_FILTER);
	else
		tcp_request_rcv(q, p, s);
}

static void dispatch(struct net *net, struct packet *p, struct tcp_seg *s)
{
	struct inet_table *table = &net->tcp->table;
	struct inet_entry *e;
	struct inet_key k;

	inet_key_received(&k, p, net, s->dst, s->src);
	e = inet_connected_find(table, &k);
	if (!e) {
		to_listener(net, p, s, &k);
		return;
	}
	switch (e->kind) {
	case INET_FULL:
		to_sock(container_of(inet_of_entry(e), struct tcp_sock, inet), p, s);
		break;
	case INET_REQUEST:
		to_request(container_of(e, struct tcp_request, e), p, s);
		break;
	default:
		if (tcp_timewait_rcv(container_of(e, struct tcp_timewait, e), p, s))
			to_listener(net, p, s, &k);
	}
	inet_entry_put(table, e);
}

static void receive(struct packet *p)
{
	struct tcp_seg s;
	u32 hdr;

	struct net *net = p->dev->net;

	if (p->pkt_type != PACKET_HOST || ip4_cb(p)->dst_type != RTN_LOCAL) {
		packet_free(p, DROP_BAD_HEADER);
		return;
	}
	tcp_count_net_add(net, TCP_IN_SEGS, p->gso_segs ?: 1u);
	if (!packet_need(p, TCP_HEADER))
		goto bad;
	hdr = tcp_header_len(packet_data(p), p->linear, p->len);
	if (!hdr || !packet_need(p, (u16)hdr))
		goto bad;
	if (!check_sum(p)) {
		tcp_count_net(net, TCP_IN_CSUM_ERRORS);
		tcp_count_net(net, TCP_IN_ERRS);
		packet_free(p, DROP_CSUM);
		return;
	}
	packet_set_transport(p);
	tcp_decode(&s, packet_data(p), p->len);
	dispatch(net, p, &s);
	return;
bad:
	tcp_count_net(net, TCP_IN_ERRS);
	packet_free(p, DROP_BAD_HEADER);
}

/*
 * An ICMP error about a segment of ours: any ends an attempt to connect, as on Linux (RFC 5461);
 * later it is the reason if the connection times out (RFC 1122, 4.2.3.9).
 */
static void icmp_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
	struct {
		be16 src, dst;
		be32 seq;
	} h;
	struct net *net = p->dev->net;
	struct inet_entry *e;
	struct inet_key k;
	struct tcp_sock *t;
	struct sock *sk;
	u32 seq;

	if (!packet_read(p, q->transport_at, &h, sizeof(h)))
		return;
	inet_key_quoted(&k, p, net, q, h.src, h.dst);
	e = inet_connected_find(&net->tcp->table, &k);
	if (!e)
		return;
	if (e->kind != INET_FULL) {
		inet_entry_put(&net->tcp->table, e);
		return;
	}
	t = container_of(inet_of_entry(e), struct tcp_sock, inet);
	sk = &t->inet.sk;
	seq = be32_get(h.seq);
	spin_lock(&sk->lock);
	if (before(seq, t->snd_una) || after(seq, t->snd_nxt) || sk->state == TCPS_CLOSE) {
		tcp_count_net(net, TCP_OUT_OF_WINDOW_ICMPS); /* of no segment in flight: a guess */
	} else if (err == EMSGSIZE) {
		inet_learn_mtu(net, q);
		if (sock_owned(sk))
			atomic_long_or(1l << TCP_D_MTU, &t->deferred);
		else
			tcp_mtu_changed(t);
	} else if (tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV)) && !sock_owned(sk)) {
		tcp_done(t, err);
	} else {
		sk->err_soft = err;
		if (inet_flag(&t->inet, q->six ? INET6_RECVERR : INET_RECVERR) && !sock_owned(sk)) {
			sock_set_error(sk, err);
			sock_report_error(sk);
		}
	}
	spin_unlock(&sk->lock);
	inet_entry_put(&net->tcp->table, e);
}

const struct inet_protocol tcp_protocol = { .receive = receive, .error = icmp_error };
