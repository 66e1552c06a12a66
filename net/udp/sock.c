// SPDX-License-Identifier: MIT
/*
 * UDP sockets (udp(7)): names, connecting, options. A socket with a port is in the table of bound
 * ones; one that is connected in that of connections instead, where several may have the same ends.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <mm/uaccess.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <linux/udp.h>
#include "net/inet/mcast.h"
#include "net/udp/udp.h"
#include "net/wire/ip4.h"

/* S, which has a port, is where it is to be found now. Owner. */
static void place(struct inet_sock *s)
{
	if (s->sk.state == INET_ESTABLISHED && s->e.peer_port.v) {
		s->e.bound_dev = s->sk.bound_dev;
		sock_hold(&s->sk);
		inet_connected_add_also(udp_table(s->sk.net), &s->e);
	} else {
		inet_bound_add(udp_table(s->sk.net), s);
	}
}

/* S is in no table; a grace period must pass before it may be in one again. */
static bool displace(struct inet_sock *s)
{
	struct inet_table *t = udp_table(s->sk.net);

	if (!inet_connected_del(t, &s->e) && !inet_bound_del(t, s))
		return false;
	sock_put(&s->sk);
	return true;
}

int udp_autobind(struct inet_sock *s)
{
	int err;

	if (s->port)
		return 0;
	err = inet_port_get(udp_table(s->sk.net), s, 0);
	if (err)
		return err == -EADDRINUSE ? -EAGAIN : err;
	place(s);
	return 0;
}

static int udp_bind(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len)
{
	struct inet_sock *s = sock->sk;
	struct inet_name n;
	int err = inet_check_bind(s, a, len, &n);

	if (err)
		return err;
	if (!inet_may_bind(s->sk.net, be16_get(n.port)))
		return -EACCES;
	lock_sock(&s->sk);
	if (s->port || s->sk.state != INET_CLOSED) {
		err = -EINVAL;
	} else {
		inet_set_local(s, &n);
		s->e.bound_dev = s->sk.bound_dev;
		err = n.port.v || !inet_flag(s, INET_BIND_NO_PORT) ?
			      inet_port_get(udp_table(s->sk.net), s, be16_get(n.port)) :
			      0;
		if (err)
			inet_reset_local(s);
		else if (s->port)
			place(s);
		if (!err && !inet_name_is_any(&n))
			s->bind_gave |= BOUND_ADDRESS;
		if (!err && n.port.v)
			s->bind_gave |= BOUND_PORT;
	}
	release_sock(&s->sk);
	return err;
}

/* Owner: no peer any more; what bind(2) did not give is given up. */
static void disconnect(struct inet_sock *s)
{
	bool was = displace(s);

	inet_dgram_disconnect(s);
	if (was)
		synchronize_rcu();
	if (s->bind_gave & BOUND_PORT) {
		place(s);
	} else {
		inet_port_put(udp_table(s->sk.net), s);
		s->e.local_port = be16_make(0);
	}
}

/*
 * Owner: S, in no table, has the peer N, by the way W. A source that an earlier peer gave stays, as
 * does the name of one of IPv6 where N is of IPv4.
 */
static void set_peer(struct inet_sock *s, const struct inet_name *n, const struct inet_way *w)
{
	bool bound = s->bind_gave & BOUND_ADDRESS;

	if (n->six)
		s->saddr = be32_make(0);
	inet_dgram_set_peer(s, n, w);
	if (!bound || !s->e.local.v)
		inet_adopt_source(s);
}

/* Owner: what can fail comes first. While S is in no table it hears nothing. */
static int connect_to(struct inet_sock *s, const struct inet_name *n)
{
	bool fresh = !s->port;
	struct inet_way w;
	int err;

	if (fresh && inet_port_get(udp_table(s->sk.net), s, 0))
		return -EAGAIN;
	err = inet_dgram_way_to(s, n, &w);
	if (!err) {
		bool was = displace(s);

		set_peer(s, n, &w);
		if (was)
			synchronize_rcu();
	}
	if (fresh || !err)
		place(s);
	return err;
}

static int udp_connect(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len,
		       int flags)
{
	struct inet_sock *s = sock->sk;
	struct inet_name n;
	int err = inet_check_peer(s, a, len, &n);

	if (err < 0)
		return err;
	lock_sock(&s->sk);
	if (err) {
		disconnect(s);
		err = 0;
	} else {
		err = connect_to(s, &n);
	}
	release_sock(&s->sk);
	return err;
}

static int udp_release(struct socket *sock)
{
	struct inet_sock *s = sock->sk;
	struct net_ctx ctx;

	if (!s)
		return 0;
	inet_mc_drop_all(s);
	net_ctx_begin(&ctx);
	lock_sock(&s->sk);
	sock_orphan(&s->sk);
	packet_consume(udp_sk(s)->pending);
	udp_sk(s)->pending = NULL;
	displace(s);
	inet_port_put(udp_table(s->sk.net), s);
	release_sock(&s->sk);
	net_ctx_end(&ctx);
	sock->sk = NULL;
	/*
	 * Who found it in a table has a reference, and may queue until he lets go: inet_destruct()
	 * frees that.
	 */
	sock_put(&s->sk);
	return 0;
}

static int udp_setsockopt(struct socket *sock, int level, int name, struct uptr val, int len)
{
	struct inet_sock *s = sock->sk;
	struct net_ctx ctx;
	u32 v;
	int err;

	if (level != IPPROTO_UDP)
		return inet_setsockopt(sock, level, name, val, len);
	err = sock_get_int_option(&v, val, len);
	if (err)
		return err;
	if (name != UDP_CORK)
		return -ENOPROTOOPT;
	net_ctx_begin(&ctx);
	lock_sock(&s->sk);
	udp_sk(s)->cork = v;
	if (!v)
		err = udp_push(udp_sk(s));
	release_sock(&s->sk);
	net_ctx_end(&ctx);
	return err;
}

static int udp_getsockopt(struct socket *sock, int level, int name, struct uptr val,
			  struct uptr len)
{
	struct inet_sock *s = sock->sk;
	s32 v;

	if (level != IPPROTO_UDP)
		return inet_getsockopt(sock, level, name, val, len);
	if (name != UDP_CORK)
		return -ENOPROTOOPT;
	v = udp_sk(s)->cork;
	return sock_put_option(&v, sizeof(v), val, len);
}

static be16 udp_port(struct packet *p)
{
	be16 port;

	memcpy(&port, packet_transport(p), sizeof(port));
	return port;
}

static ssize_t udp_recvmsg(struct socket *sock, struct sock_msg *m)
{
	return inet_dgram_recv(sock->sk, m, udp_port);
}

static const struct sock_ops udp_ops = {
	.release = udp_release,
	.bind = udp_bind,
	.connect = udp_connect,
	.getname = inet_getname,
	.poll = sock_poll_dgram,
	.ioctl = inet_dgram_ioctl,
	.shutdown = inet_dgram_shutdown,
	.setsockopt = udp_setsockopt,
	.getsockopt = udp_getsockopt,
	.sendmsg = udp_sendmsg,
	.recvmsg = udp_recvmsg,
	.fasync = inet_fasync,
};
/* Messages are counted from 0 on. */
static int udp_stamps(struct sock *sk, u32 flags)
{
	return 0;
}

static const struct sock_kind udp_kind = { .name = "UDP",
					   .size = sizeof(struct udp_sock),
					   .destruct = inet_destruct,
					   .bind_dev = inet_bind_dev,
					   .peeks_on = true,
					   .stamps = udp_stamps,
					   SOCK_LOCKS("udp sk->lock", "udp lock_sock()") };
static const struct inet_protocol udp_protocol = { .receive = udp_receive, .error = udp_error };

static int udp_make(struct inet_sock *s)
{
	s->sk.state = INET_CLOSED;
	return 0;
}

static struct inet_type udp_type = { .type = SOCK_DGRAM,
				     .protocol = IPPROTO_UDP,
				     .is_default = true,
				     .kind = &udp_kind,
				     .ops = &udp_ops,
				     .init = udp_make };

static int udp_init(void)
{
	inet_register_protocol(IPPROTO_UDP, &udp_protocol);
	inet6_register_protocol(IPPROTO_UDP, &udp_protocol);
	inet_register_type(&udp_type);
	return 0;
}
INITCALL(subsys, udp_init);
