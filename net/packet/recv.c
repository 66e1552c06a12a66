// SPDX-License-Identifier: MIT
/*
 * What packet sockets see. A packet is lent to the hook in the shape that the device layer has it
 * in; for the filter and the copy its data is moved to where the socket's type wants the first
 * byte, and moved back.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include "net/packet/psock.h"
#include "net/wire/eth.h"

#define MSG_TAKEN (MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_ERRQUEUE)

/* Where P's first byte for K is, in buf; within its headers and linear bytes. */
static u16 first_for(const struct packet_sock *k, const struct packet *p, const struct netdev *d)
{
	bool out = p->pkt_type == PACKET_OUTGOING;
	u16 at = p->data;

	if (!d->hard_header_len)
		return at;
	if (k->sk.type == SOCK_RAW)
		return out || p->mac_at > at ? at : p->mac_at;
	if (!out)
		return at;
	if (p->net_at != PACKET_NO_HEADER && p->net_at >= at)
		return min_t(u16, p->net_at, at + p->linear);
	return (u16)(at + min_t(u16, d->hard_header_len, p->linear));
}

/* P's data is at AT; what it was before comes back by the same call. */
static void move_data(struct packet *p, u16 at)
{
	int by = (int)at - p->data;

	p->data = at;
	p->linear = (u16)(p->linear - by);
	p->len = (u32)((int)p->len - by);
}

static void name_sender(struct sockaddr_ll *ll, const struct packet *p, const struct netdev *d)
{
	*ll = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = p->protocol.v,
		.sll_ifindex = d->ifindex,
		.sll_hatype = d->type,
		.sll_pkttype = p->pkt_type,
	};
	if (d->hard_header_len != ETH_HEADER || p->mac_at == PACKET_NO_HEADER)
		return;
	ll->sll_halen = ETH_ADDR;
	memcpy(ll->sll_addr, p->buf + p->mac_at + ETH_ADDR, ETH_ADDR);
}

u32 packet_csum_status(const struct packet *p)
{
	if (p->csum_state == PACKET_CSUM_PARTIAL)
		return TP_STATUS_CSUMNOTREADY;
	if (p->pkt_type != PACKET_OUTGOING && p->csum_state == PACKET_CSUM_VERIFIED)
		return TP_STATUS_CSUM_VALID;
	return 0;
}

bool packet_queue(struct packet_sock *k, const struct packet *p, const struct packet_cb *cb,
		  u32 len)
{
	struct sock *sk = &k->sk;
	struct packet *c;

	if (atomic_read(&sk->rmem) >= READ_ONCE(sk->rcvbuf))
		return false;
	c = packet_clone(p, GFP_ATOMIC);
	if (!c)
		return false;
	packet_trim(c, len);
	memcpy(c->cb, cb, sizeof(*cb));
	c->dev = NULL;			/* it outlives the RCU section */
	if (!c->tstamp_ns)
		c->tstamp_ns = ktime_get_real_ns();
	if (!sock_queue_rx(sk, c))
		return true;
	packet_free(c, DROP_RCVBUF);
	atomic_dec(&sk->drops);		/* the caller counts it */
	return false;
}

/* KEEP bytes of P, which begins where K wants it. Within RCU: K is hooked. */
static void keep_packet(struct packet_sock *k, struct packet *p, const struct netdev *d, u32 keep)
{
	struct packet_cb cb;

	keep = min(keep, p->len);
	if (!keep)
		return;
	cb.len = p->len;
	name_sender(&cb.from, p, d);
	if (packet_ring_put(k, p, &cb, keep))
		return;			/* it says itself whether it is lost */
	if (packet_queue(k, p, &cb, keep)) {
		atomic_inc(&k->packets);
	} else {
		atomic_inc(&k->lost);
		atomic_inc(&k->sk.drops);
	}
}

static void look_later(struct sock *sk, struct packet *p)
{
	struct packet_sock *k = packet_sk(sk);
	u32 keep = sock_filter_run(sk, p);

	rcu_read_lock();
	if (READ_ONCE(k->hooked))
		keep_packet(k, p, p->dev, keep);
	rcu_read_unlock();
	packet_consume(p);
}

void packet_look(struct packet *p, struct netdev *d, struct packet_type *t)
{
	struct packet_sock *k = container_of(t, struct packet_sock, hook);
	u16 was = p->data, at = first_for(k, p, d);
	struct packet *c;

	if (p->pkt_type == PACKET_LOOPBACK)
		return;
	move_data(p, at);
	if (likely(!sock_filter_searches(&k->sk))) {
		keep_packet(k, p, d, sock_filter_run(&k->sk, p));
	} else {
		c = packet_clone(p, GFP_ATOMIC);
		if (c) {
			c->dev = d;
			sock_later(&k->sk, c, look_later);
		}
	}
	move_data(p, was);
}

static void give_auxdata(const struct packet_sock *k, struct sock_msg *m, const struct packet *p,
			 u32 len)
{
	struct tpacket_auxdata a = {
		.tp_status = TP_STATUS_USER | packet_csum_status(p),
		.tp_len = len,
		.tp_snaplen = p->len,
		.tp_net = p->net_at != PACKET_NO_HEADER && p->net_at > p->data ?
				  (u16)(p->net_at - p->data) :
				  0,
	};

	if (READ_ONCE(k->auxdata))
		put_cmsg(m, SOL_PACKET, PACKET_AUXDATA, sizeof(a), &a);
}

ssize_t packet_recvmsg(struct socket *sock, struct sock_msg *m)
{
	struct packet_sock *k = packet_sk(sock->sk);
	struct packet_cb cb;
	struct packet *p;
	ssize_t ret;
	int vnet;
	u32 n;

	if (m->flags & ~(unsigned int)(MSG_TAKEN | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC))
		return -EINVAL;
	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;		/* nothing is ever put there */
	p = sock_recv_packet(&k->sk, m);
	if (IS_ERR_OR_NULL(p))
		return PTR_ERR(p);
	memcpy(&cb, p->cb, sizeof(cb));
	vnet = packet_vnet_write(k, p, m->iter);
	if (vnet < 0) {
		packet_consume(p);
		return vnet;
	}
	n = (u32)min_t(size_t, p->len, iter_count(m->iter));
	if (n < p->len)
		m->out_flags |= MSG_TRUNC;
	ret = packet_to_iter(p, 0, m->iter, n);
	if (!ret) {
		memcpy(&m->addr, &cb.from, sizeof(cb.from));
		m->addr_len = sizeof(cb.from);
		sock_recv_cmsgs(&k->sk, m, p);
		give_auxdata(k, m, p, cb.len);
		ret = vnet + (m->flags & MSG_TRUNC ? (ssize_t)p->len : (ssize_t)n);
	}
	packet_consume(p);
	return ret;
}
