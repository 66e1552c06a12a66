// SPDX-License-Identifier: MIT
/*
 * AF_INET and AF_INET6: which sockets there are, their names, what all kinds of them share; and the
 * state of a namespace. What is of AF_INET6 alone: af_inet6.c.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <vfs/seq_file.h>
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
static struct inet_type *find_type(int family, int type, int *protocol)
{
	struct inet_type *t;
	int err = -ESOCKTNOSUPPORT;

	list_for_each_entry(t, &types, list) {
		if (t->type != type || (t->family && t->family != family))
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

static int inet_sock_init(struct inet_sock *s, int family)
{
	struct net *net = s->sk.net;

	s->e = (struct inet_entry){ .net = net, .kind = INET_FULL, .family = AF_INET };
	s->ttl = -1;
	s->mc_ttl = 1;
	s->pmtudisc = READ_ONCE(net->ip4->no_pmtu_disc) ? IP_PMTUDISC_DONT : IP_PMTUDISC_WANT;
	s->flags = 1ul << INET_MC_LOOP | 1ul << INET_MC_ALL;
	INIT_LIST_HEAD(&s->mc);
	sock_set_flag(&s->sk, SOCK_F_RCU_FREE, true);
	return family == AF_INET6 ? inet6_init_sock(s, GFP_KERNEL_ACCOUNT) : 0;
}

static int create(struct socket *s, int protocol, int family)
{
	struct net *net = current_net();
	struct inet_type *t;
	struct sock *sk;
	int err;

	if (protocol < 0 || protocol >= PROTOCOLS_MOST)
		return -EINVAL;
	t = find_type(family, s->type, &protocol);
	if (IS_ERR(t))
		return (int)PTR_ERR(t);
	err = t->may ? t->may(net) : 0;
	if (err)
		return err;
	sk = sock_alloc(t->kind, net, true, family, s, protocol, GFP_KERNEL_ACCOUNT);
	if (!sk)
		return -ENOBUFS;
	s->sk = sk;
	s->ops = t->ops;
	s->protocol = protocol;
	err = inet_sock_init(inet_sk(sk), family);
	if (!err)
		err = t->init ? t->init(inet_sk(sk)) : 0;
	if (err) {
		s->sk = NULL;
		s->ops = NULL;
		sock_put(sk);
	}
	return err;
}

static int inet_create(struct socket *s, int protocol)
{
	return create(s, protocol, AF_INET);
}

static int inet6_create(struct socket *s, int protocol)
{
	return create(s, protocol, AF_INET6);
}

void inet_destruct(struct sock *sk)
{
	struct inet_sock *s = inet_sk(sk);
	struct inet_options *opt = rcu_dereference_protected(s->opt, true);

	sock_free_queues(sk);
	WARN_ON(s->port);
	if (opt)
		kfree_rcu(opt, rcu);
	if (s->six)
		kfree_rcu(s->six, rcu);
}

int inet_bind_dev(struct sock *sk)
{
	struct inet_sock *s = inet_sk(sk);

	inet_bound_set_device(s, sk->bound_dev);
	inet_route_stale(s);
	return 0;
}

/* ---- names ---- */

static void put4(struct sockaddr_in *in, be32 a, be16 port)
{
	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_port = port.v;
	in->sin_addr.s_addr = a.v;
}

void inet_put_name(const struct inet_sock *s, struct sock_msg *m, const struct ip6_addr *a,
		   be16 port, int device)
{
	if (s->sk.family == AF_INET6) {
		inet6_put_name((struct sockaddr_in6 *)&m->addr, a, port, device);
		m->addr_len = sizeof(struct sockaddr_in6);
	} else {
		put4((struct sockaddr_in *)&m->addr, a->w[3], port);
		m->addr_len = sizeof(struct sockaddr_in);
	}
}

void inet_put_sender(const struct inet_sock *s, struct sock_msg *m, struct packet *p, be16 port)
{
	struct ip6_addr a;

	if (likely(!packet_is_ip6(p))) {
		a = ip6_mapped(((const struct ip4_wire *)packet_net(p))->src);
		inet_put_name(s, m, &a, port, 0);
	} else {
		a = ((const struct ip6_wire *)packet_net(p))->src;
		inet_put_name(s, m, &a, port, (int)p->iif);
	}
}

/* S's own address, or its peer's, mapped if it is of IPv4. */
static struct ip6_addr end_of(const struct inet_sock *s, bool peer)
{
	be32 local = s->e.local.v ? s->e.local : s->saddr;

	if (inet_is_six(s))
		return peer ? s->v6.peer : s->e.local.v ? s->v6.local : s->six->saddr;
	if (!peer && s->six && (!local.v || !ip6_is_any(&s->six->saddr)))
		return s->six->saddr;	/* of an earlier peer, which was of IPv6 */
	return ip6_mapped(peer ? s->e.peer : local);
}

/* Owner. The length of what is in OUT now. */
static int put_end(struct inet_sock *s, struct __kernel_sockaddr_storage *out, bool peer)
{
	struct ip6_addr a = end_of(s, peer);
	struct sock_msg m;

	inet_put_name(s, &m, &a, peer ? s->e.peer_port : s->e.local_port, s->sk.bound_dev);
	memcpy(out, &m.addr, (size_t)m.addr_len);
	return m.addr_len;
}

int inet_getname(struct socket *sock, struct __kernel_sockaddr_storage *out, bool peer)
{
	struct inet_sock *s = sock->sk;
	int len = -ENOTCONN;

	lock_sock(&s->sk);
	if (!peer || (s->e.peer_port.v && s->sk.state != INET_CLOSED))
		len = put_end(s, out, peer);
	release_sock(&s->sk);
	return len;
}

int inet_last_peer(struct socket *sock, struct __kernel_sockaddr_storage *out)
{
	struct inet_sock *s = sock->sk;
	int len = -ENOTCONN;

	lock_sock(&s->sk);
	if (s->e.peer_port.v)
		len = put_end(s, out, true);
	release_sock(&s->sk);
	return len;
}

bool inet_may_bind(struct net *net, u16 port)
{
	return !port || port >= READ_ONCE(net->inet->unprivileged_port) ||
	       ns_capable(net->user_ns, CAP_NET_BIND_SERVICE);
}

static int check_bind4(struct inet_sock *s, const struct sockaddr_in *in, int len,
		       struct inet_name *n)
{
	if (len < (int)sizeof(*in))
		return -EINVAL;
	*n = (struct inet_name){ .v4 = { in->sin_addr.s_addr }, .port = { in->sin_port } };
	return in->sin_family != AF_INET && (in->sin_family != AF_UNSPEC || n->v4.v) ?
		       -EAFNOSUPPORT :
		       0;
}

int inet_check_bind(struct inet_sock *s, const struct __kernel_sockaddr_storage *a, int len,
		    struct inet_name *n)
{
	struct net *net = s->sk.net;
	u8 type;
	int err = s->sk.family == AF_INET6 ?
			  inet6_check_bind(s, (const struct sockaddr_in6 *)a, len, n) :
			  check_bind4(s, (const struct sockaddr_in *)a, len, n);

	if (err || n->six)
		return err;
	rcu_read_lock();
	type = route4_addr_type(net, n->v4, NULL);
	rcu_read_unlock();
	if (!n->v4.v || type != RTN_UNICAST || READ_ONCE(net->ip4->nonlocal_bind) ||
	    inet_flag(s, INET_FREEBIND) || inet_flag(s, INET_TRANSPARENT))
		return 0;
	return -EADDRNOTAVAIL;
}

int inet_check_peer(struct inet_sock *s, const struct __kernel_sockaddr_storage *a, int len,
		    struct inet_name *n)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)a;

	if (len < (int)sizeof(in->sin_family))
		return -EINVAL;
	if (in->sin_family == AF_UNSPEC)
		return 1;
	if (s->sk.family == AF_INET6 && in->sin_family != AF_INET)
		return inet6_check_peer(s, (const struct sockaddr_in6 *)a, len, n);
	if (len < (int)sizeof(*in))
		return -EINVAL;
	if (in->sin_family != AF_INET || (s->six && inet_flag(s, INET_V6ONLY)))
		return -EAFNOSUPPORT;
	*n = (struct inet_name){ .v4 = { in->sin_addr.s_addr }, .port = { in->sin_port } };
	return 0;
}

/* Groups and broadcast addresses are to be received at, not sent from. */
static void set_local4(struct inet_sock *s, be32 a)
{
	u8 type;

	rcu_read_lock();
	type = route4_addr_type(s->sk.net, a, NULL);
	rcu_read_unlock();
	s->e.family = AF_INET;
	s->e.v6 = NULL;
	s->e.local = a;
	s->saddr = a.v && (type == RTN_MULTICAST || type == RTN_BROADCAST) ? be32_make(0) : a;
}

void inet_set_local(struct inet_sock *s, const struct inet_name *n)
{
	if (!n->six) {
		set_local4(s, n->v4);
		return;
	}
	s->e.family = AF_INET6;
	s->e.v6 = &s->v6;
	s->e.local = inet6_fold(&n->v6);
	s->saddr = be32_make(0);
	s->v6.local = n->v6;
	s->six->saddr = ip6_is_multicast(&n->v6) ? IP6_ANY : n->v6;
	if (n->scope)
		s->sk.bound_dev = n->scope;
}

void inet_reset_local(struct inet_sock *s)
{
	struct inet_name any = { .six = s->sk.family == AF_INET6 };

	inet_set_local(s, &any);
}

int inet_scope_of(const struct inet_sock *s, const struct inet_name *n)
{
	int scope = n->scope ?: s->sk.bound_dev;

	if (!n->six || !ip6_needs_scope(&n->v6))
		return s->sk.bound_dev;
	if (!scope && ip6_is_multicast(&n->v6))
		scope = s->six->mc_index;
	if (!scope || (s->sk.bound_dev && s->sk.bound_dev != scope))
		return -EINVAL;
	return scope;
}

void inet_set_peer(struct inet_sock *s, const struct inet_name *n)
{
	s->e.peer_port = n->port;
	if (!n->six) {
		s->e.family = AF_INET;
		s->e.v6 = NULL;
		s->e.peer = n->v4;
		return;
	}
	s->e.family = AF_INET6;
	s->e.v6 = &s->v6;
	s->v6.peer = n->v6;
	s->e.peer = inet6_fold(&n->v6);
	s->six->label = n->label;
}

void inet_reset_peer(struct inet_sock *s)
{
	s->e.peer = be32_make(0);
	s->e.peer_port = be16_make(0);
	s->v6.peer = IP6_ANY;
	s->route.gen = 0;
	if (s->six)
		s->six->route.gen = 0;
}

void inet_adopt_source(struct inet_sock *s)
{
	if (!inet_is_six(s)) {
		s->e.local = s->saddr;
		return;
	}
	s->v6.local = s->six->saddr;
	s->e.local = inet6_fold(&s->v6.local);
}

static void show_end(struct seq_file *m, u16 family, const struct ip6_addr *a, u32 port)
{
	if (family == AF_INET6)
		seq_printf(m, " %08X%08X%08X%08X:%04X", a->w[0].v, a->w[1].v, a->w[2].v, a->w[3].v,
			   port);
	else
		seq_printf(m, " %08X:%04X", a->w[3].v, port);
}

void inet_show_ends(struct seq_file *m, u16 family, const struct inet_entry *e, be32 saddr,
		    u32 local_port)
{
	be32 own = e->local.v ? e->local : saddr;
	struct ip6_addr local = e->v6 ? e->v6->local : ip6_mapped(own),
			peer = e->v6 ? e->v6->peer : ip6_mapped(e->peer);

	show_end(m, family, &local, local_port);
	show_end(m, family, &peer, be16_get(e->peer_port));
}

/* ---- ioctls ---- */

int inet_ioctl(struct socket *s, unsigned int cmd, unsigned long arg)
{
	const struct sock *sk = s->sk;

	return (int)(sk->family == AF_INET6 ? inet6_conf_ioctl(sk->net, cmd, UPTR(arg)) :
					      inet_conf_ioctl(sk->net, cmd, UPTR(arg)));
}

int inet_fasync(int fd, struct file *f, int on, struct socket *s)
{
	return sock_fasync(fd, f, on, s);
}

/* ---- namespaces ---- */

#define TABLES 5u

static struct inet_table *table_of(struct inet_net *n, unsigned int i)
{
	struct inet_table *const all[TABLES] = { &n->udp, &n->raw, &n->ping, &n->raw6, &n->ping6 };

	return all[i];
}

static int inet_begin(struct net *net)
{
	struct inet_net *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	int err;

	if (!n)
		return -ENOMEM;
	n->port_range = 32768u | 60999u << 16;
	n->unprivileged_port = 1024;
	n->udp_least[0] = n->udp_least[1] = 4096;	/* not a page */
	n->ping_group[0] = 1;
	n->ping_group[1] = 0;
	for (unsigned int i = 0; i < TABLES; i++) {
		err = inet_table_init(table_of(n, i));
		if (!err)
			continue;
		while (i--)
			inet_table_destroy(table_of(n, i));
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

	for (unsigned int i = 0; i < TABLES; i++)
		inet_table_destroy(table_of(n, i));
	synchronize_rcu();
	net->inet = NULL;
	kvfree(rcu_dereference_protected(n->reserved, true));
	kfree(n);
}

static struct net_ops inet_ops = { .init = inet_begin, .end = inet_end };
static const struct socket_family inet_family = { .family = AF_INET, .create = inet_create };
static const struct socket_family inet6_family = { .family = AF_INET6, .create = inet6_create };

static int inet_init(void)
{
	int err = net_register_ops(&inet_ops);

	err = err ?: sock_register_family(&inet_family);
	return err ?: sock_register_family(&inet6_family);
}
INITCALL(fs, inet_init);
