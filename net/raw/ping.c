// SPDX-License-Identifier: MIT
/*
 * Ping sockets (icmp(7)), of both families: echo requests for those whose group is in
 * ping_group_range. The identifier is the socket's port; the kernel writes it, and the sum.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/icmp.h>
#include "net/core/stats.h"
#include "net/inet/dgram.h"
#include "net/inet/mcast.h"
#include "net/wire/csum.h"
#include "net/wire/icmp6.h"
#include "net/wire/ip4.h"

static struct inet_table *table_of(struct net *net, bool six)
{
	return six ? &net->inet->ping6 : &net->inet->ping;
}

static struct inet_table *table(const struct inet_sock *s)
{
	return table_of(s->sk.net, s->sk.protocol == IPPROTO_ICMPV6);
}

static int ping_may(struct net *net)
{
	const struct cred *c = current_cred();
	u32 low = (u32)READ_ONCE(net->inet->ping_group[0]),
	    high = (u32)READ_ONCE(net->inet->ping_group[1]);

	if (c->egid.val >= low && c->egid.val <= high)
		return 0;
	for (unsigned int i = 0; c->group_info && i < c->group_info->ngroups; i++)
		if (c->group_info->gid[i].val >= low && c->group_info->gid[i].val <= high)
			return 0;
	return -EACCES;
}

static int autobind(struct inet_sock *s, u16 ident)
{
	int err;

	if (s->port)
		return 0;
	err = inet_port_get(table(s), s, ident);
	if (!err)
		inet_bound_add(table(s), s);
	return err == -EADDRINUSE && !ident ? -EAGAIN : err;
}

/* Groups and broadcast addresses are no sources of echo requests. */
static int check_unicast(struct inet_sock *s, const struct inet_name *n)
{
	u8 type;

	if (n->six)
		return ip6_is_multicast(&n->v6) ? -EINVAL : 0;
	rcu_read_lock();
	type = n->v4.v ? route4_addr_type(s->sk.net, n->v4, NULL) : RTN_LOCAL;
	rcu_read_unlock();
	return type == RTN_MULTICAST || type == RTN_BROADCAST ? -EADDRNOTAVAIL : 0;
}

static int ping_bind(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len)
{
	struct inet_sock *s = sock->sk;
	struct inet_name n;
	int err = inet_check_bind(s, a, len, &n);

	err = err ?: check_unicast(s, &n);
	if (err)
		return err;
	lock_sock(&s->sk);
	if (s->port) {
		err = -EINVAL;
	} else {
		inet_set_local(s, &n);
		err = autobind(s, be16_get(n.port));
		if (err)
			inet_reset_local(s);
		else if (!inet_name_is_any(&n))
			s->bind_gave = BOUND_ADDRESS;
	}
	release_sock(&s->sk);
	return err;
}

static int ping_connect(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len,
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
		err = autobind(s, 0);
		if (!err)
			err = inet_dgram_connect(s, &n);
	}
	release_sock(&s->sk);
	return err;
}

static u8 request_of(const struct inet_sock *s)
{
	return s->sk.protocol == IPPROTO_ICMPV6 ? ICMP6_ECHO : ICMP_ECHO;
}

static int transmit(struct inet_sock *s, struct packet *p, const struct inet_dgram *d)
{
	struct net *net = s->sk.net;
	struct icmp_wire *h;
	struct inet_way w;
	int err;

	rcu_read_lock();
	err = inet_dgram_route(s, d, &w);
	if (err) {
		rcu_read_unlock();
		packet_free(p, DROP_NO_ROUTE);
		return err;
	}
	h = (struct icmp_wire *)packet_data(p);
	h->echo.id = s->e.local_port;
	h->csum.v = 0;
	h->csum.v = csum_fold(
		packet_sum(p, 0, p->len, w.six ? inet_way_pseudo(&w, IPPROTO_ICMPV6, p->len) : 0));
	p->mark = d->c.tx.mark;
	net_count(net, w.six ? ICMP6_OUT_MSGS : ICMP_OUT_MSGS);
	net_count(net, w.six ? (enum net_counter)icmp6_counter(false, ICMP6_ECHO) :
			       ICMP_OUT_TYPE + ICMP_ECHO);
	err = inet_way_send(net, p, &w);
	rcu_read_unlock();
	return inet_dgram_sent(s, err);
}

/* Owner. */
static ssize_t send_locked(struct inet_sock *s, struct sock_msg *m, u32 len,
			   const struct inet_dgram *d)
{
	struct packet *p;
	int err = autobind(s, 0);

	if (err)
		return err;
	p = sock_packet_from(&s->sk, m, len);
	if (IS_ERR(p))
		return PTR_ERR(p);
	if (!packet_need(p, ICMP_HEADER) || packet_data(p)[0] != request_of(s) ||
	    packet_data(p)[1]) {
		packet_free(p, DROP_BAD_HEADER);
		return -EINVAL;
	}
	return transmit(s, p, d);
}

static ssize_t ping_sendmsg(struct socket *sock, struct sock_msg *m)
{
	struct inet_sock *s = sock->sk;
	size_t len = iter_count(m->iter);
	struct inet_dgram d;
	struct net_ctx ctx;
	ssize_t err;

	if (len > 65535)
		return -EMSGSIZE;
	if (len < ICMP_HEADER)
		return -EINVAL;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = inet_dgram_begin(s, m, false, &d);
	if (err)
		return err;
	net_ctx_begin(&ctx);
	lock_sock(&s->sk);
	err = send_locked(s, m, (u32)len, &d);
	release_sock(&s->sk);
	net_ctx_end(&ctx);
	return err ?: (ssize_t)len;
}

static ssize_t ping_recvmsg(struct socket *sock, struct sock_msg *m)
{
	return inet_dgram_recv(sock->sk, m, NULL);
}

static void filter_and_queue(struct sock *sk, struct packet *p)
{
	if (!sk_filter(sk, p, 0))
		packet_free(p, DROP_FILTER);
	else if (sock_queue_rx(sk, p))
		packet_free(p, DROP_RCVBUF);
}

/* An echo reply, from its ICMP header on. False: nobody's. */
static bool ping_reply(struct packet *p)
{
	const struct icmp_wire *h = (const struct icmp_wire *)packet_data(p);
	struct net *net = p->dev->net;
	struct inet_table *t = table_of(net, packet_is_ip6(p));
	struct inet_sock *s;
	struct inet_key k;

	if (!ghash_count(&t->bound))
		return false;
	inet_key_received(&k, p, net, h->echo.id, be16_make(0));
	s = inet_bound_find(t, &k);
	if (!s)
		return false;
	if (sock_filter_searches(&s->sk))
		sock_later(&s->sk, p, filter_and_queue);
	else
		filter_and_queue(&s->sk, p);
	sock_put(&s->sk);
	return true;
}

/* An error about an echo request; raw sockets hear of it by themselves. */
static void ping_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
	const struct icmp_wire *h = (const struct icmp_wire *)(packet_data(p) + q->transport_at);
	struct net *net = p->dev->net;
	struct inet_table *t = table_of(net, q->six);
	struct inet_sock *s;
	struct inet_key k;

	if (h->type != (q->six ? ICMP6_ECHO : ICMP_ECHO) || !ghash_count(&t->bound))
		return;
	inet_key_quoted(&k, p, net, q, h->echo.id, be16_make(0));
	s = inet_bound_find(t, &k);
	if (!s)
		return;
	inet_dgram_error(s, p, q, err, fatal, be16_make(0), q->transport_at);
	sock_put(&s->sk);
}

static int ping_release(struct socket *sock)
{
	struct inet_sock *s = sock->sk;

	if (!s)
		return 0;
	inet_mc_drop_all(s);
	lock_sock(&s->sk);
	sock_orphan(&s->sk);
	if (inet_bound_del(table(s), s))
		sock_put(&s->sk);
	inet_port_put(table(s), s);
	release_sock(&s->sk);
	sock->sk = NULL;
	sock_put(&s->sk);
	return 0;
}

static int ping_make(struct inet_sock *s)
{
	s->sk.state = INET_CLOSED;
	sock_set_flag(&s->sk, SOCK_F_REUSEADDR, true);	/* ids may be shared, as on Linux */
	return 0;
}

static const struct sock_ops ping_ops = {
	.release = ping_release,
	.bind = ping_bind,
	.connect = ping_connect,
	.getname = inet_getname,
	.poll = sock_poll_dgram,
	.ioctl = inet_dgram_ioctl,
	.shutdown = inet_dgram_shutdown,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.sendmsg = ping_sendmsg,
	.recvmsg = ping_recvmsg,
	.fasync = inet_fasync,
};
static const struct sock_kind ping_kind = { .name = "PING",
					    .size = sizeof(struct inet_sock),
					    .destruct = inet_destruct,
					    .bind_dev = inet_bind_dev,
					    SOCK_LOCKS("ping sk->lock", "ping lock_sock()") };
static struct inet_type ping6_type = { .family = AF_INET6,
				       .type = SOCK_DGRAM,
				       .protocol = IPPROTO_ICMPV6,
				       .may = ping_may,
				       .kind = &ping_kind,
				       .ops = &ping_ops,
				       .init = ping_make };
static struct inet_type ping_type = { .family = AF_INET,
				      .type = SOCK_DGRAM,
				      .protocol = IPPROTO_ICMP,
				      .may = ping_may,
				      .kind = &ping_kind,
				      .ops = &ping_ops,
				      .init = ping_make };

static int ping_init(void)
{
	icmp_register_reply(ping_reply, ping_error);
	icmp6_register_reply(ping_reply, ping_error);
	inet_register_type(&ping_type);
	inet_register_type(&ping6_type);
	return 0;
}
INITCALL(subsys, ping_init);
