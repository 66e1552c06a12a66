// SPDX-License-Identifier: MIT
/*
 * Raw sockets (raw(7)): packets of one protocol with their IP header, and packets that a program
 * makes from the transport header on, or with IP_HDRINCL from the IP header on.
 *
 * A socket is in a list by protocol, which packets walk under RCU; a packet is cloned for each that
 * wants it.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/icmp.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/inet/dgram.h"
#include "net/inet/mcast.h"
#include "net/ip4/addr.h"
#include "net/wire/icmp.h"
#include "net/wire/ip4.h"

#define SOL_RAW_ 255		/* SOL_RAW, which no uapi header has */

struct raw_sock {
	struct inet_sock inet;		/* first */
	u32 icmp_filter;		/* o: types that are not wanted */
};

static struct raw_sock *raw_sk(const struct inet_sock *s)
{
	return (struct raw_sock *)s;
}

/* Sockets are in the table of bound ones, by protocol. */
static struct ghash *table(struct net *net)
{
	return &net->inet->raw.bound;
}

static u32 protocol_hash(u8 protocol)
{
	return (u32)(protocol + 1) * 0x9E3779B1u;
}

/* ---- receiving ---- */

static bool wants(const struct raw_sock *r, const struct packet *p, const struct ip4_wire *h)
{
	const struct inet_sock *s = &r->inet;

	if (s->sk.protocol != h->protocol || (s->e.local.v && s->e.local.v != h->dst.v) ||
	    (s->e.peer.v && s->e.peer.v != h->src.v))
		return false;
	if (s->sk.bound_dev && s->sk.bound_dev != (int)p->iif)
		return false;
	if (!inet_mc_wants(s, h->dst, (int)p->iif))
		return false;
	if (h->protocol == IPPROTO_ICMP && p->linear && p->buf[p->data] < 32)
		return !(READ_ONCE(r->icmp_filter) >> p->buf[p->data] & 1);
	return true;
}

static void queue(struct inet_sock *s, const struct packet *p)
{
	struct packet *c = packet_clone(p, GFP_ATOMIC);

	if (!c)
		return;
	memcpy(c->cb, p->cb, sizeof(c->cb));
	packet_push(c, (u16)(c->data - c->net_at));
	if (!sk_filter(&s->sk, c, 0))
		packet_free(c, DROP_FILTER);
	else if (sock_queue_rx(&s->sk, c))
		packet_free(c, DROP_RCVBUF);
}

/* P's transport header is at its data. */
static bool raw_deliver(struct packet *p)
{
	const struct ip4_wire *h = (const struct ip4_wire *)packet_net(p);
	struct net *net = p->dev->net;
	struct raw_sock *r;
	unsigned int n = 0;

	if (likely(!ghash_count(table(net))))
		return false;
	ghash_for_each_rcu(r, table(net), protocol_hash(h->protocol), inet.bound) {
		if (!wants(r, p, h) || !sock_get(&r->inet.sk))
			continue;
		queue(&r->inet, p);
		sock_put(&r->inet.sk);
		n++;
	}
	return n;
}

static void raw_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
	struct net *net = p->dev->net;
	struct raw_sock *r;

	if (likely(!ghash_count(table(net))))
		return;
	ghash_for_each_rcu(r, table(net), protocol_hash(q->protocol), inet.bound) {
		struct inet_sock *s = &r->inet;

		if (s->sk.protocol != q->protocol || (s->e.peer.v && s->e.peer.v != q->dst.v) ||
		    (s->e.local.v && s->e.local.v != q->src.v))
			continue;
		if (!sock_get(&s->sk))
			continue;
		inet_dgram_error(s, p, q, err, fatal, be16_make(0), q->transport_at);
		sock_put(&s->sk);
	}
}

static void raw_name(struct sock_msg *m, struct packet *p)
{
	inet_put_name(m, ((struct ip4_wire *)packet_net(p))->src, be16_make(0));
}

static ssize_t raw_recvmsg(struct socket *sock, struct sock_msg *m)
{
	return inet_dgram_recv(sock->sk, m, raw_name);
}

/* ---- sending ---- */

/* P begins with an IP header that the program made: what it left out is filled in (raw(7)). */
static int fill_header(struct net *net, struct packet *p, const struct ip4_tx *t)
{
	struct ip4_wire *h;
	u32 hdr;

	if (p->len < IP4_HEADER || !packet_need(p, IP4_HEADER))
		return -EINVAL;
	hdr = ip4_header_len((struct ip4_wire *)packet_data(p));
	if (hdr < IP4_HEADER || hdr > p->len || !packet_need(p, (u16)hdr))
		return -EINVAL;
	h = (struct ip4_wire *)packet_data(p);
	if (!h->src.v)
		h->src = t->src;
	h->tot_len = be16_make((u16)p->len);
	if (!h->id.v)
		h->id = be16_make(ip4_next_id(net, h->src, h->dst, h->protocol));
	ip4_set_csum(h, hdr);
	net_count(net, IP_OUT_REQUESTS);
	return 0;
}

static int transmit(struct inet_sock *s, struct packet *p, const struct inet_dgram *d)
{
	struct net *net = s->sk.net;
	struct ip4_route r;
	struct ip4_tx t;
	int err;

	rcu_read_lock();
	err = inet_dgram_route(s, d, &r, &t);
	if (!err && inet_flag(s, INET_HDRINCL)) {
		err = p->len > r.mtu ? -EMSGSIZE : fill_header(net, p, &t);
		if (!err) {
			p->mark = d->c.tx.mark;
			err = ip4_output(net, p, &r);
			p = NULL;
		}
	} else if (!err) {
		p->mark = d->c.tx.mark;
		if (d->c.protocol)
			t.protocol = (u8)d->c.protocol;
		err = ip4_send(net, p, &r, &t);
		p = NULL;
	}
	rcu_read_unlock();
	packet_free(p, DROP_NO_ROUTE);
	return inet_dgram_sent(s, err);
}

static ssize_t raw_sendmsg(struct socket *sock, struct sock_msg *m)
{
	struct inet_sock *s = sock->sk;
	size_t len = iter_count(m->iter);
	struct net_ctx ctx;
	struct inet_dgram d;
	struct packet *p;
	ssize_t err;

	if (len > 65535)
		return -EMSGSIZE;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (READ_ONCE(s->sk.shut) & 2)
		return sock_pipe_error(m, 0);
	err = inet_dgram_begin(s, m, false, &d);
	if (err)
		return err;
	net_ctx_begin(&ctx);
	p = inet_dgram_packet(s, m, (u32)len);
	err = IS_ERR(p) ? PTR_ERR(p) : transmit(s, p, &d);
	net_ctx_end(&ctx);
	return err ?: (ssize_t)len;
}

/* ---- names, options, life ---- */

static int raw_bind(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)a;
	struct inet_sock *s = sock->sk;
	int err = inet_check_bind(s, in, len);

	if (err)
		return err;
	lock_sock(&s->sk);
	if (s->sk.state != INET_CLOSED) {
		err = -EINVAL;
	} else {
		inet_set_local(s, (be32){ in->sin_addr.s_addr });
		s->bind_gave = in->sin_addr.s_addr ? BOUND_ADDRESS : 0;
	}
	release_sock(&s->sk);
	return err;
}

static int raw_connect(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len,
		       int flags)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)a;
	struct inet_sock *s = sock->sk;
	int err = inet_dgram_peer(in, len);

	if (err < 0)
		return err;
	lock_sock(&s->sk);
	if (err) {
		inet_dgram_disconnect(s);
		err = 0;
	} else {
		err = inet_dgram_connect(s, (be32){ in->sin_addr.s_addr }, be16_make(0));
		if (!err && !s->e.local.v)
			s->e.local = s->saddr;
	}
	release_sock(&s->sk);
	return err;
}

static int raw_getname(struct socket *sock, struct __kernel_sockaddr_storage *a, bool peer)
{
	struct inet_sock *s = sock->sk;
	struct sock_msg m;

	if (peer && READ_ONCE(s->sk.state) != INET_ESTABLISHED)
		return -ENOTCONN;
	inet_put_name(&m,
		      peer	   ? s->e.peer :
		      s->e.local.v ? s->e.local :
				     s->saddr,
		      be16_make(peer ? 0 : s->sk.protocol));
	memcpy(a, &m.addr, sizeof(struct sockaddr_in));
	return m.addr_len;
}

static int raw_setsockopt(struct socket *sock, int level, int name, struct uptr val, int len)
{
	struct inet_sock *s = sock->sk;
	u32 filter = 0;

	if (level != SOL_RAW_)
		return inet_setsockopt(sock, level, name, val, len);
	if (name != ICMP_FILTER)
		return -ENOPROTOOPT;
	if (s->sk.protocol != IPPROTO_ICMP)
		return -EOPNOTSUPP;
	if (len < 0 || copy_from_user(&filter, val, min_t(size_t, (size_t)len, sizeof(filter))))
		return len < 0 ? -EINVAL : -EFAULT;
	WRITE_ONCE(raw_sk(s)->icmp_filter, filter);
	return 0;
}

static int raw_getsockopt(struct socket *sock, int level, int name, struct uptr val,
			  struct uptr len)
{
	struct inet_sock *s = sock->sk;

	if (level != SOL_RAW_)
		return inet_getsockopt(sock, level, name, val, len);
	if (name != ICMP_FILTER)
		return -ENOPROTOOPT;
	if (s->sk.protocol != IPPROTO_ICMP)
		return -EOPNOTSUPP;
	return sock_put_option(&raw_sk(s)->icmp_filter, sizeof(u32), val, len);
}

static int raw_release(struct socket *sock)
{
	struct inet_sock *s = sock->sk;

	if (!s)
		return 0;
	inet_mc_drop_all(s);
	sock_orphan(&s->sk);
	ghash_del(table(s->sk.net), &s->bound);
	sock->sk = NULL;
	sock_put(&s->sk);
	return 0;
}

static int raw_may(struct net *net)
{
	return ns_capable(net->user_ns, CAP_NET_RAW) ? 0 : -EPERM;
}

static int raw_make(struct inet_sock *s)
{
	u32 hash = protocol_hash((u8)s->sk.protocol);
	unsigned long *b;

	if (s->sk.protocol > 255)
		return -EPROTONOSUPPORT;
	s->sk.state = INET_CLOSED;
	s->e.local_port = be16_make(0);
	if (s->sk.protocol == IPPROTO_RAW)
		inet_set_flag(s, INET_HDRINCL, true);
	ghash_reserve(table(s->sk.net));
	b = ghash_lock(table(s->sk.net), hash);
	ghash_add(table(s->sk.net), b, &s->bound, hash);
	ghash_unlock(b);
	return 0;
}

static const struct sock_ops raw_ops = {
	.release = raw_release,
	.bind = raw_bind,
	.connect = raw_connect,
	.getname = raw_getname,
	.poll = inet_dgram_poll,
	.ioctl = inet_dgram_ioctl,
	.shutdown = inet_dgram_shutdown,
	.setsockopt = raw_setsockopt,
	.getsockopt = raw_getsockopt,
	.sendmsg = raw_sendmsg,
	.recvmsg = raw_recvmsg,
	.fasync = inet_fasync,
};
static const struct sock_kind raw_kind = { .name = "RAW",
					   .size = sizeof(struct raw_sock),
					   .destruct = inet_destruct,
					   .bind_dev = inet_bind_dev,
					   SOCK_LOCKS("raw sk->lock", "raw lock_sock()") };
static struct inet_type raw_type = {
	.type = SOCK_RAW, .may = raw_may, .kind = &raw_kind, .ops = &raw_ops, .init = raw_make
};

static int raw_init(void)
{
	ip4_register_raw(raw_deliver, raw_error);
	inet_register_type(&raw_type);
	return 0;
}
INITCALL(subsys, raw_init);
