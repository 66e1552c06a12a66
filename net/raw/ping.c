// SPDX-License-Identifier: MIT
/*
 * Ping sockets (icmp(7)): echo requests for those whose group is in ping_group_range. The
 * identifier is the socket's port; the kernel writes it, and the sum.
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
#include "net/wire/icmp.h"
#include "net/wire/ip4.h"

static struct inet_table *table(struct net *net)
{
	return &net->inet->ping;
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
	err = inet_port_get(table(s->sk.net), s, ident);
	if (!err)
		inet_bound_add(table(s->sk.net), s);
	return err == -EADDRINUSE && !ident ? -EAGAIN : err;
}

static int ping_bind(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)a;
	struct inet_sock *s = sock->sk;
	int err = inet_check_bind(s, in, len);

	if (err)
		return err;
	lock_sock(&s->sk);
	if (s->port) {
		err = -EINVAL;
	} else {
		inet_set_local(s, (be32){ in->sin_addr.s_addr });
		err = autobind(s, be16_raw(in->sin_port));
		if (err)
			inet_set_local(s, be32_make(0));
		else if (in->sin_addr.s_addr)
			s->bind_gave = BOUND_ADDRESS;
	}
	release_sock(&s->sk);
	return err;
}

static int ping_connect(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len,
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
		err = autobind(s, 0);
		if (!err)
			err = inet_dgram_connect(s, (be32){ in->sin_addr.s_addr },
						 (be16){ in->sin_port });
	}
	release_sock(&s->sk);
	return err;
}

static int transmit(struct inet_sock *s, struct packet *p, const struct inet_dgram *d)
{
	struct icmp_wire *h;
	struct ip4_route r;
	struct ip4_tx t;
	int err;

	rcu_read_lock();
	err = inet_dgram_route(s, d, &r, &t);
	if (err) {
		rcu_read_unlock();
		packet_free(p, DROP_NO_ROUTE);
		return err;
	}
	h = (struct icmp_wire *)packet_data(p);
	h->echo.id = s->e.local_port;
	h->csum.v = 0;
	h->csum.v = csum_fold(packet_sum(p, 0, p->len, 0));
	p->mark = d->c.tx.mark;
	net_count(s->sk.net, ICMP_OUT_MSGS);
	net_count(s->sk.net, ICMP_OUT_TYPE + ICMP_ECHO);
	err = ip4_send(s->sk.net, p, &r, &t);
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
	p = inet_dgram_packet(s, m, len);
	if (IS_ERR(p))
		return PTR_ERR(p);
	if (!packet_need(p, ICMP_HEADER) || packet_data(p)[0] != ICMP_ECHO || packet_data(p)[1]) {
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

static void ping_name(struct sock_msg *m, struct packet *p)
{
	inet_put_name(m, ((struct ip4_wire *)packet_net(p))->src, be16_make(0));
}

static ssize_t ping_recvmsg(struct socket *sock, struct sock_msg *m)
{
	return inet_dgram_recv(sock->sk, m, ping_name);
}

/* An echo reply, from its ICMP header on. False: nobody's. */
static bool ping_reply(struct packet *p)
{
	const struct ip4_wire *ip = (const struct ip4_wire *)packet_net(p);
	const struct icmp_wire *h = (const struct icmp_wire *)packet_data(p);
	struct net *net = p->dev->net;
	struct inet_sock *s;

	if (!ghash_count(&table(net)->bound))
		return false;
	s = inet_bound_find(table(net), net, ip->dst, h->echo.id, ip->src, be16_make(0),
			    (int)p->iif);
	if (!s)
		return false;
	if (!sk_filter(&s->sk, p, 0))
		packet_free(p, DROP_FILTER);
	else if (sock_queue_rx(&s->sk, p))
		packet_free(p, DROP_RCVBUF);
	sock_put(&s->sk);
	return true;
}

/* An error about an echo request; raw sockets hear of it by themselves. */
static void ping_error(struct packet *p, const struct icmp_quote *q, int err, bool fatal)
{
	const struct icmp_wire *h = (const struct icmp_wire *)(packet_data(p) + q->transport_at);
	struct net *net = p->dev->net;
	struct inet_sock *s;

	if (h->type != ICMP_ECHO || !ghash_count(&table(net)->bound))
		return;
	s = inet_bound_find(table(net), net, q->src, h->echo.id, q->dst, be16_make(0), (int)p->iif);
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
	if (inet_bound_del(table(s->sk.net), s))
		sock_put(&s->sk);
	inet_port_put(table(s->sk.net), s);
	release_sock(&s->sk);
	sock->sk = NULL;
	sock_put(&s->sk);
	return 0;
}

static int ping_make(struct inet_sock *s)
{
	s->sk.state = INET_CLOSED;
	return 0;
}

static const struct sock_ops ping_ops = {
	.release = ping_release,
	.bind = ping_bind,
	.connect = ping_connect,
	.getname = inet_getname,
	.poll = inet_dgram_poll,
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
static struct inet_type ping_type = { .type = SOCK_DGRAM,
				      .protocol = IPPROTO_ICMP,
				      .may = ping_may,
				      .kind = &ping_kind,
				      .ops = &ping_ops,
				      .init = ping_make };

static int ping_init(void)
{
	icmp_register_reply(ping_reply, ping_error);
	inet_register_type(&ping_type);
	return 0;
}
INITCALL(subsys, ping_init);
