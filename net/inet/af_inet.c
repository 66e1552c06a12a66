// SPDX-License-Identifier: MIT
/*
 * AF_INET: which sockets there are, their names, what all kinds of them share; and the state of a
 * namespace.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "net/dev/if_flags.h"
#include "net/inet/inet_priv.h"
#include "net/ip4/addr.h"

#define PROTOCOLS_MOST 263		/* IPPROTO_MAX */

static LIST_HEAD(types);		/* added to at boot */

void inet_set_flag(struct inet_sock *s, enum inet_flag f, bool on)
{
	if (on)
		__atomic_fetch_or(&s->flags, 1ul << f, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&s->flags, ~(1ul << f), __ATOMIC_RELAXED);
}

void inet_register_type(struct inet_type *t)
{
	list_add_tail(&t->list, &types);
}

/* ERR_PTR(-ESOCKTNOSUPPORT, -EPROTONOSUPPORT). */
static struct inet_type *find_type(int type, int *protocol)
{
	struct inet_type *t;
	int err = -ESOCKTNOSUPPORT;

	list_for_each_entry(t, &types, list) {
		if (t->type != type)
			continue;
		err = -EPROTONOSUPPORT;
		if (t->protocol == *protocol && *protocol)
			return t;
		if (!*protocol && t->is_default) {
			*protocol = t->protocol;
			return t;
		}
		if (!t->protocol && *protocol)
			return t;
	}
	return ERR_PTR(err);
}

static void inet_sock_init(struct inet_sock *s, int protocol)
{
	struct net *net = s->sk.net;

	s->e = (struct inet_entry){ .net = net, .kind = INET_FULL, .family = AF_INET };
	s->ttl = -1;
	s->mc_ttl = 1;
	s->pmtudisc = READ_ONCE(net->ip4->no_pmtu_disc) ? IP_PMTUDISC_DONT : IP_PMTUDISC_WANT;
	s->flags = 1ul << INET_MC_LOOP | 1ul << INET_MC_ALL;
	INIT_LIST_HEAD(&s->mc);
	sock_set_flag(&s->sk, SOCK_F_RCU_FREE, true);
}

static int inet_create(struct socket *s, int protocol)
{
	struct net *net = current_net();
	struct inet_type *t;
	struct sock *sk;
	int err;

	if (protocol < 0 || protocol >= PROTOCOLS_MOST)
		return -EINVAL;
	t = find_type(s->type, &protocol);
	if (IS_ERR(t))
		return (int)PTR_ERR(t);
	err = t->may ? t->may(net) : 0;
	if (err)
		return err;
	sk = sock_alloc(t->kind, net, true, AF_INET, s, protocol, GFP_KERNEL_ACCOUNT);
	if (!sk)
		return -ENOBUFS;
	inet_sock_init(inet_sk(sk), protocol);
	s->sk = sk;
	s->ops = t->ops;
	s->protocol = protocol;
	err = t->init ? t->init(inet_sk(sk)) : 0;
	if (err) {
		s->sk = NULL;
		s->ops = NULL;
		sock_put(sk);
	}
	return err;
}

void inet_destruct(struct sock *sk)
{
	struct inet_sock *s = inet_sk(sk);
	struct inet_options *opt = rcu_dereference_protected(s->opt, true);

	packet_list_free(&sk->queue.rx, DROP_QUEUE_FLUSH);
	packet_list_free(&sk->queue.errors, DROP_QUEUE_FLUSH);
	WARN_ON(s->port);
	if (opt)
		kfree_rcu(opt, rcu);
}

int inet_bind_dev(struct sock *sk)
{
	struct inet_sock *s = inet_sk(sk);

	WRITE_ONCE(s->e.bound_dev, sk->bound_dev);
	WRITE_ONCE(s->route.gen, 0);
	return 0;
}

/* ---- names ---- */

void inet_put_name(struct sock_msg *m, be32 a, be16 port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&m->addr;

	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_port = port.v;
	in->sin_addr.s_addr = a.v;
	m->addr_len = sizeof(*in);
}

int inet_getname(struct socket *sock, struct __kernel_sockaddr_storage *a, bool peer)
{
	struct inet_sock *s = sock->sk;
	struct sockaddr_in *in = (struct sockaddr_in *)a;

	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	lock_sock(&s->sk);
	if (peer && (!s->e.peer_port.v || s->sk.state == INET_CLOSED)) {
		release_sock(&s->sk);
		return -ENOTCONN;
	}
	in->sin_port = peer ? s->e.peer_port.v : s->e.local_port.v;
	in->sin_addr.s_addr = peer ? s->e.peer.v : s->e.local.v ? s->e.local.v : s->saddr.v;
	release_sock(&s->sk);
	return sizeof(*in);
}

bool inet_may_bind(struct net *net, u16 port)
{
	return !port || port >= READ_ONCE(net->inet->unprivileged_port) ||
	       ns_capable(net->user_ns, CAP_NET_BIND_SERVICE);
}

int inet_check_bind(struct inet_sock *s, const struct sockaddr_in *in, int len)
{
	struct net *net = s->sk.net;
	be32 a;
	u8 type;

	if (len < (int)sizeof(*in))
		return -EINVAL;
	a = (be32){ in->sin_addr.s_addr };
	if (in->sin_family != AF_INET && (in->sin_family != AF_UNSPEC || a.v))
		return -EAFNOSUPPORT;
	rcu_read_lock();
	type = route4_addr_type(net, a, NULL);
	rcu_read_unlock();
	if (!a.v || type != RTN_UNICAST || READ_ONCE(net->ip4->nonlocal_bind) ||
	    inet_flag(s, INET_FREEBIND) || inet_flag(s, INET_TRANSPARENT))
		return 0;
	return -EADDRNOTAVAIL;
}

/* Groups and broadcast addresses are to be received at, not sent from. */
void inet_set_local(struct inet_sock *s, be32 a)
{
	u8 type;

	rcu_read_lock();
	type = route4_addr_type(s->sk.net, a, NULL);
	rcu_read_unlock();
	s->e.local = a;
	s->saddr = a.v && (type == RTN_MULTICAST || type == RTN_BROADCAST) ? be32_make(0) : a;
}

/* ---- ioctls ---- */

int inet_ioctl(struct socket *s, unsigned int cmd, unsigned long arg)
{
	return (int)inet_conf_ioctl(((struct sock *)s->sk)->net, cmd, UPTR(arg));
}

int inet_fasync(int fd, struct file *f, int on, struct socket *s)
{
	return sock_fasync(fd, f, on, s);
}

/* ---- namespaces ---- */

static int inet_begin(struct net *net)
{
	struct inet_net *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	int err;

	if (!n)
		return -ENOMEM;
	n->port_range = 32768u | 60999u << 16;
	n->unprivileged_port = 1024;
	n->ping_group[0] = 1;
	n->ping_group[1] = 0;
	err = inet_table_init(&n->udp);
	if (!err)
		err = inet_table_init(&n->ping);
	if (!err)
		err = inet_table_init(&n->raw);
	if (err) {
		inet_table_destroy(&n->ping);
		inet_table_destroy(&n->udp);
		kfree(n);
		return err;
	}
	net->inet = n;
	return 0;
}

/* No socket has a user reference any more, so no program's is left in a table. */
static void inet_end(struct net *net)
{
	struct inet_net *n = net->inet;

	inet_table_destroy(&n->udp);
	inet_table_destroy(&n->ping);
	inet_table_destroy(&n->raw);
	synchronize_rcu();
	net->inet = NULL;
	kfree(n);
}

static struct net_ops inet_ops = { .init = inet_begin, .end = inet_end };
static const struct socket_family inet_family = { .family = AF_INET, .create = inet_create };

static int inet_init(void)
{
	int err = net_register_ops(&inet_ops);

	return err ?: sock_register_family(&inet_family);
}
INITCALL(fs, inet_init);
