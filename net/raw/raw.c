// SPDX-License-Identifier: MIT
/*
 * Raw sockets (raw(7), ipv6(7)): packets of one protocol, of IPv4 with their IP header, of IPv6
 * without; and packets that a program makes from the transport header on, or with IP_HDRINCL from
 * the IP header on. Of IPv6 the kernel makes and checks sums that it is told the place of; that of
 * ICMPv6 it knows (RFC 3542, 3.1).
 *
 * A socket owns the "port" of its protocol, by which packets find it (net/inet/many.h); a packet is
 * cloned for each that wants it. The table of bound ones serves those who list sockets.
 */
#include <lib/err.h>
#include <lib/hash.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include "net/core/stats.h"
#include "net/dev/if_flags.h"
#include "net/inet/dgram.h"
#include "net/inet/many.h"
#include "net/inet/mcast.h"
#include "net/ip4/addr.h"
#include "net/wire/csum.h"
#include "net/wire/icmp.h"
#include "net/wire/ip4.h"

#define SOL_RAW_ 255		/* SOL_RAW, which no uapi header has */

struct raw_sock {
	struct inet_sock inet;		/* first */
	u32 icmp_filter;	 /* o: types that are not wanted; of IPv6: six->icmp_filter */
};

static struct raw_sock *raw_sk(const struct inet_sock *s)
{
	return (struct raw_sock *)s;
}

static struct inet_table *table(struct net *net, bool six)
{
	return six ? &net->inet->raw6 : &net->inet->raw;
}

/* ---- receiving ---- */

/* S's ends are K's, or any. */
static bool has_ends(const struct inet_sock *s, const struct inet_key *k)
{
	if ((s->e.local.v && s->e.local.v != k->local.v) ||
	    (s->e.peer.v && s->e.peer.v != k->peer.v))
		return false;
	return !k->v6 || ((!s->e.local.v || ip6_equal(&s->v6.local, &k->v6->local)) &&
			  (!s->e.peer.v || ip6_equal(&s->v6.peer, &k->v6->peer)));
}

/* P's ICMP message is of a type that R does not want. */
static bool is_filtered(const struct raw_sock *r, const struct packet *p, u8 protocol)
{
	u8 type = p->linear ? p->buf[p->data] : 0;

	if (!p->linear)
		return false;
	if (protocol == IPPROTO_ICMPV6 && r->inet.six)
		return READ_ONCE(r->inet.six->icmp_filter[type / 32]) >> type % 32 & 1;
	return protocol == IPPROTO_ICMP && !r->inet.six && type < 32 &&
	       READ_ONCE(r->icmp_filter) >> type & 1;
}

static bool wants(struct inet_sock *s, const struct inet_many *m)
{
	if (!has_ends(s, &m->k) || (s->sk.bound_dev && s->sk.bound_dev != (int)m->p->iif))
		return false;
	return inet_mc_wants_packet(s, m->p) &&
	       !is_filtered(raw_sk(s), m->p, (u8)be16_get(m->port));
}

/* The sum that S told the place of is right; ICMPv6's was checked for all. */
static bool sum_is_right(const struct inet_sock *s, struct packet *p)
{
	const struct ip6_wire *ip = (const struct ip6_wire *)packet_net(p);
	int at = READ_ONCE(s->six->checksum_at);

	if (at < 0 || s->sk.protocol == IPPROTO_ICMPV6 || p->csum_state == PACKET_CSUM_PARTIAL)
		return true;
	return (u32)at + 2 <= p->len &&
	       !csum_fold(
		       packet_sum(p, 0, p->len,
				  csum_pseudo6(&ip->src, &ip->dst, (u8)s->sk.protocol, p->len, 0)));
}

static void filter_and_queue(struct sock *sk, struct packet *p)
{
	if (!sk_filter(sk, p, 0))
		packet_free(p, DROP_FILTER);
	else if (sock_queue_rx(sk, p))
		packet_free(p, DROP_RCVBUF);
}

static void queue(struct inet_sock *s, struct packet *p)
{
	struct packet *c;

	if (s->six && !sum_is_right(s, p)) {
		atomic_inc(&s->sk.drops);
		return;
	}
	c = packet_clone(p, GFP_ATOMIC);
	if (!c)
		return;
	if (!s->six)
		packet_push(c, (u16)(c->data - c->net_at));
	if (sock_filter_searches(&s->sk))
		sock_later(&s->sk, c, filter_and_queue);
	else
		filter_and_queue(&s->sk, c);
}

static void give(struct inet_sock *s, struct inet_many *m)
{
	queue(s, m->p);
}

static void end(struct inet_many *m)
{
	if (inet_protocol((u8)be16_get(m->port)))
		packet_consume(m->p);
	else
		ip4_unclaimed(m->p, m->given);
}

static void end6(struct inet_many *m)
{
	if (inet6_protocol((u8)be16_get(m->port)))
		packet_consume(m->p);
	else
		ip6_unclaimed(m->p, m->given);
}

static const struct inet_many_kind to_raw = { wants, give, end }, to_raw6 = { wants, give, end6 };

/* P's transport header is at its data. */
static enum raw_answer deliver(struct packet *p, u8 protocol, bool six)
{
	struct net *net = p->dev->net;
	struct inet_many m;
	struct inet_sock *one;

	if (likely(!ghash_count(&table(net, six)->bound)))
		return RAW_NONE;
	m.kind = six ? &to_raw6 : &to_raw;
	m.table = table(net, six);
	m.p = p;
	m.port = be16_make(protocol);
	inet_key_received(&m.k, p, net, be16_make(0), be16_make(0));
	switch (inet_many_ask(&m, &one)) {
	case INET_MANY_NONE:
		break;
	case INET_MANY_ONE:
		queue(one, p);
		sock_put(&one->sk);
		return RAW_TAKEN;
	case INET_MANY_LATER:
		return RAW_LATER;
	}
	return RAW_NONE;
}

static enum raw_answer raw_deliver(struct packet *p)
{
	return deliver(p, ((const struct ip4_wire *)packet_net(p))->protocol, false);
}

static enum raw_answer raw6_deliver(struct packet *p)
{
	return deliver(p, ip6_cb(p)->protocol, true);
}

static bool hears(struct inet_sock *s, const struct inet_many *m)
{
	return has_ends(s, &m->k);
}

static void tell(struct inet_sock *s, struct inet_many *m)
{
	inet_dgram_error(s, m->p, &m->q, m->err, m->fatal, be16_make(0), m->q.transport_at);
}

static void told(struct inet_many *m)
{
	packet_consume(m->p);
}

static const struct inet_many_kind errors = { hears, tell, told };

static void raw_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
	struct net *net = p->dev->net;
	struct inet_many m;
	struct inet_sock *one;

	if (likely(!ghash_count(&table(net, q->six)->bound)))
		return;
	m.kind = &errors;
	m.table = table(net, q->six);
	m.p = p;
	m.port = be16_make(q->protocol);
	m.err = err;
	m.fatal = fatal;
	m.q = *q;
	inet_key_quoted(&m.k, p, net, q, be16_make(0), be16_make(0));
	if (inet_many_ask(&m, &one) != INET_MANY_ONE)
		return;
	tell(one, &m);
	sock_put(&one->sk);
}

static ssize_t raw_recvmsg(struct socket *sock, struct sock_msg *m)
{
	return inet_dgram_recv(sock->sk, m, NULL);
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

/* As fill_header(): of IPv6 the program's header is taken as it is but for its length. */
static int fill_header6(struct net *net, struct packet *p)
{
	struct ip6_wire *h;

	if (p->len < IP6_HEADER || !packet_need(p, IP6_HEADER))
		return -EINVAL;
	h = (struct ip6_wire *)packet_data(p);
	if (be32_get(h->ver_class_flow) >> 28 != 6)
		return -EINVAL;
	h->payload = be16_make((u16)(p->len - IP6_HEADER));
	net_count(net, IP6_OUT_REQUESTS);
	return 0;
}

/* The sum that S told the place of is put there: 0, -EINVAL: the message is too short for it. */
static int fill_sum(struct inet_sock *s, struct packet *p, const struct inet_way *w)
{
	int at = s->sk.protocol == IPPROTO_ICMPV6 ? 2 : READ_ONCE(s->six->checksum_at);
	u16 sum = 0;

	if (at < 0)
		return 0;
	if (!packet_write(p, (u32)at, &sum, sizeof(sum)))
		return -EINVAL;
	sum = csum_fold(packet_sum(p, 0, p->len, inet_way_pseudo(w, w->v6.t.protocol, p->len)));
	if (!sum)
		sum = 0xffff;
	return packet_write(p, (u32)at, &sum, sizeof(sum)) ? 0 : -EINVAL;
}

/* P goes as it is, from its IP header on. */
static int send_whole(struct net *net, struct packet *p, const struct inet_way *w)
{
	int err = p->len > inet_way_mtu(w) ? -EMSGSIZE :
		  w->six		   ? fill_header6(net, p) :
					     fill_header(net, p, &w->v4.t);

	if (err) {
		packet_free(p, DROP_BAD_HEADER);
		return err;
	}
	return w->six ? ip6_output(net, p, &w->v6.r) : ip4_output(net, p, &w->v4.r);
}

static int transmit(struct inet_sock *s, struct packet *p, const struct inet_dgram *d)
{
	struct net *net = s->sk.net;
	struct inet_way w;
	int err;

	rcu_read_lock();
	err = inet_dgram_route(s, d, &w);
	if (!err && d->c.protocol && !w.six)
		w.v4.t.protocol = (u8)d->c.protocol;
	if (!err && w.six && !inet_flag(s, INET_HDRINCL))
		err = fill_sum(s, p, &w);
	if (err) {
		packet_free(p, DROP_NO_ROUTE);
	} else {
		p->mark = d->c.tx.mark;
		err = inet_flag(s, INET_HDRINCL) ? send_whole(net, p, &w) :
						   inet_way_send(net, p, &w);
	}
	rcu_read_unlock();
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
	/* traceroute(8) sends its next probes while an error of the first is pending */
	p = inet_flag(s, INET_HDRINCL) ? sock_packet_from(&s->sk, m, (u32)len) :
					 sock_packet_now(&s->sk, m, (u32)len);
	err = IS_ERR(p) ? PTR_ERR(p) : transmit(s, p, &d);
	net_ctx_end(&ctx);
	return err ?: (ssize_t)len;
}

/* ---- names, options, life ---- */

static int raw_bind(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len)
{
	struct inet_sock *s = sock->sk;
	struct inet_name n;
	int err = inet_check_bind(s, a, len, &n);

	if (err)
		return err;
	lock_sock(&s->sk);
	if (s->sk.state != INET_CLOSED) {
		err = -EINVAL;
	} else {
		inet_set_local(s, &n);
		s->bind_gave = inet_name_is_any(&n) ? 0 : BOUND_ADDRESS;
	}
	release_sock(&s->sk);
	return err;
}

static int raw_connect(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len,
		       int flags)
{
	struct inet_sock *s = sock->sk;
	struct inet_name n;
	int err = inet_check_peer(s, a, len, &n);

	if (err < 0)
		return err;
	lock_sock(&s->sk);
	if (err) {
		inet_dgram_disconnect(s);
		err = 0;
	} else {
		n.port = be16_make(0);
		err = inet_dgram_connect(s, &n);
		if (!err && !s->e.local.v)
			inet_adopt_source(s);
	}
	release_sock(&s->sk);
	return err;
}

static int raw_getname(struct socket *sock, struct __kernel_sockaddr_storage *a, bool peer)
{
	struct inet_sock *s = sock->sk;
	be32 local = s->e.local.v ? s->e.local : s->saddr;
	struct ip6_addr name;
	struct sock_msg m;

	if (peer && READ_ONCE(s->sk.state) != INET_ESTABLISHED)
		return -ENOTCONN;
	if (s->six)
		name = peer ? s->v6.peer : s->e.local.v ? s->v6.local : s->six->saddr;
	else
		name = ip6_mapped(peer ? s->e.peer : local);
	inet_put_name(s, &m, &name, be16_make(peer ? 0 : s->sk.protocol), s->sk.bound_dev);
	memcpy(a, &m.addr, (size_t)m.addr_len);
	return m.addr_len;
}

/* ICMP6_FILTER, whose bits are types that do not pass. */
static int set_filter6(struct inet_sock *s, int name, struct uptr val, int len)
{
	u32 filter[8];

	if (name != ICMPV6_FILTER)
		return -ENOPROTOOPT;
	if (!s->six || s->sk.protocol != IPPROTO_ICMPV6)
		return -EOPNOTSUPP;
	if (len < 0)
		return -EINVAL;
	memcpy(filter, s->six->icmp_filter, sizeof(filter));
	if (copy_from_user(filter, val, min_t(size_t, (size_t)len, sizeof(filter))))
		return -EFAULT;
	memcpy(s->six->icmp_filter, filter, sizeof(filter));
	return 0;
}

/* IPV6_CHECKSUM, also at the level of raw sockets. */
static int set_checksum(struct inet_sock *s, int level, struct uptr val, int len)
{
	s32 at;

	if (len < (int)sizeof(at))
		return -EINVAL;
	if (get_user(at, val))
		return -EFAULT;
	if (s->sk.protocol == IPPROTO_ICMPV6) /* its place is known: ping(8) says it all the same */
		return level == SOL_RAW_ && at == 2 ? 0 : -EINVAL;
	if (at > 0 && at & 1)
		return -EINVAL;
	WRITE_ONCE(s->six->checksum_at, at < 0 ? -1 : at);
	return 0;
}

static int raw_setsockopt(struct socket *sock, int level, int name, struct uptr val, int len)
{
	struct inet_sock *s = sock->sk;
	u32 filter = 0;

	if (s->six && name == IPV6_CHECKSUM && (level == IPPROTO_IPV6 || level == SOL_RAW_))
		return set_checksum(s, level, val, len);
	if (level == IPPROTO_ICMPV6)
		return set_filter6(s, name, val, len);
	if (level != SOL_RAW_ || s->six)
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

	if (s->six && name == IPV6_CHECKSUM && (level == IPPROTO_IPV6 || level == SOL_RAW_)) {
		s32 at = s->sk.protocol == IPPROTO_ICMPV6 ? 2 : s->six->checksum_at;

		return sock_put_option(&at, sizeof(at), val, len);
	}
	if (level == IPPROTO_ICMPV6) {
		if (name != ICMPV6_FILTER)
			return -ENOPROTOOPT;
		if (!s->six || s->sk.protocol != IPPROTO_ICMPV6)
			return -EOPNOTSUPP;
		return sock_put_option(s->six->icmp_filter, sizeof(s->six->icmp_filter), val, len);
	}
	if (level != SOL_RAW_ || s->six)
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
	if (s->port) {
		inet_port_put(table(s->sk.net, s->six), s);
		ghash_del(&table(s->sk.net, s->six)->bound, &s->bound);
	}
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
	struct inet_table *t = table(s->sk.net, s->six);
	u32 hash = hash_64(sock_cookie(&s->sk), 32);
	unsigned long *b;
	int err;

	if (s->sk.protocol > 255)
		return -EPROTONOSUPPORT;
	s->sk.state = INET_CLOSED;
	s->e.local_port = be16_make(0);
	if (s->sk.protocol == IPPROTO_RAW)
		inet_set_flag(s, INET_HDRINCL, true);
	err = inet_port_join(t, s, be16_make((u16)s->sk.protocol));
	if (err)
		return err;
	ghash_reserve(&t->bound);
	b = ghash_lock(&t->bound, hash);
	ghash_add(&t->bound, b, &s->bound, hash);
	ghash_unlock(b);
	return 0;
}

static const struct sock_ops raw_ops = {
	.release = raw_release,
	.bind = raw_bind,
	.connect = raw_connect,
	.getname = raw_getname,
	.poll = sock_poll_dgram,
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
	ip6_register_raw(raw6_deliver, raw_error);
	inet_register_type(&raw_type);
	return 0;
}
INITCALL(subsys, raw_init);
