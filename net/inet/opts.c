// SPDX-License-Identifier: MIT
/* Options of IPPROTO_IP (ip(7)). Groups: mcast.c. */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "net/dev/if_flags.h"
#include "net/inet/inet_priv.h"
#include "net/inet/mcast.h"
#include "net/ip4/addr.h"
#include "net/wire/ip4.h"

#define TOS_MASK 0x1e
#define ECN_MASK 3

/* Options that are a flag of the socket. -1: none. */
static int flag_of(int name)
{
	switch (name) {
	case IP_RECVERR:
		return INET_RECVERR;
	case IP_FREEBIND:
		return INET_FREEBIND;
	case IP_NODEFRAG:
		return INET_NODEFRAG;
	case IP_BIND_ADDRESS_NO_PORT:
		return INET_BIND_NO_PORT;
	case IP_RECVFRAGSIZE:
		return INET_RECV_FRAGSIZE;
	case IP_MULTICAST_ALL:
		return INET_MC_ALL;
	case IP_MULTICAST_LOOP:
		return INET_MC_LOOP;
	case IP_PKTINFO:
		return INET_C_PKTINFO;
	case IP_RECVTTL:
		return INET_C_TTL;
	case IP_RECVTOS:
		return INET_C_TOS;
	case IP_RECVOPTS:
		return INET_C_RECVOPTS;
	case IP_RETOPTS:
		return INET_C_RETOPTS;
	case IP_RECVORIGDSTADDR:
		return INET_C_ORIGDST;
	case IP_TRANSPARENT:
		return INET_TRANSPARENT;
	case IP_HDRINCL:
		return INET_HDRINCL;
	}
	return -1;
}

static int set_flag_option(struct inet_sock *s, int name, int flag, u32 v)
{
	bool raw = s->sk.type == SOCK_RAW;

	switch (name) {
	case IP_HDRINCL:
		if (!raw)
			return -ENOPROTOOPT;
		break;
	case IP_NODEFRAG:
		if (!raw)
			return -ENOPROTOOPT;
		break;
	case IP_TRANSPARENT:
		if (v && !sock_capable(&s->sk, CAP_NET_RAW) && !sock_capable(&s->sk, CAP_NET_ADMIN))
			return -EPERM;
		break;
	case IP_MULTICAST_ALL:
		if (v > 1)
			return -EINVAL;
		break;
	case IP_RECVFRAGSIZE:
		if (!raw && s->sk.type != SOCK_DGRAM)
			return -EINVAL;
		break;
	}
	inet_set_flag(s, (enum inet_flag)flag, v);
	if (name == IP_RECVERR && !v)
		inet_purge_errors(s);
	return 0;
}

void inet_purge_errors(struct inet_sock *s)
{
	struct packet_list gone;

	spin_lock(&s->sk.queue.lock);
	packet_list_move(&gone, &s->sk.queue.errors);
	spin_unlock(&s->sk.queue.lock);
	packet_list_free(&gone, DROP_QUEUE_FLUSH);
}

static int set_options(struct inet_sock *s, struct uptr val, int len)
{
	struct inet_options *n = NULL, *old;
	struct ip4_options parsed;

	if (len < 0 || len > IP4_OPTIONS_MOST)
		return -EINVAL;
	if (len) {
		n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
		if (!n)
			return -ENOMEM;
		n->len = (u8)ALIGN((unsigned int)len, 4u);
		if (copy_from_user(n->bytes, val, (size_t)len)) {
			kfree(n);
			return -EFAULT;
		}
		/* Packets that go a way of their own are not made. */
		if (ip4_options_parse(&parsed, n->bytes, n->len) || parsed.route_at) {
			kfree(n);
			return -EINVAL;
		}
	}
	old = rcu_replace_pointer(s->opt, n, true);
	if (old)
		kfree_rcu(old, rcu);
	s->route.gen = 0;
	return 0;
}

static int set_tos(struct inet_sock *s, u32 v)
{
	u8 tos = (u8)v;

	if (s->sk.type == SOCK_STREAM)
		tos = (u8)((tos & ~ECN_MASK) | (s->tos & ECN_MASK));
	if (s->tos != tos) {
		static const u8 prio[16] = { 0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4 };

		s->tos = tos;
		s->sk.priority = prio[(tos & TOS_MASK) >> 1];
		s->route.gen = 0;
	}
	return 0;
}

static int set_number(struct inet_sock *s, int name, u32 v)
{
	s32 n = (s32)v;
	struct netdev *d;

	switch (name) {
	case IP_TOS:
		return set_tos(s, v);
	case IP_TTL:
		if (n != -1 && (n < 1 || n > 255))
			return -EINVAL;
		s->ttl = (s16)n;
		return 0;
	case IP_MTU_DISCOVER:
		if (v > IP_PMTUDISC_OMIT)
			return -EINVAL;
		s->pmtudisc = (u8)v;
		return 0;
	case IP_MINTTL:
		if (v > 255)
			return -EINVAL;
		s->min_ttl = (u8)v;
		return 0;
	case IP_MULTICAST_TTL:
		if (s->sk.type == SOCK_STREAM || n < -1 || n > 255)
			return -EINVAL;
		s->mc_ttl = n == -1 ? 1 : (u8)n;
		return 0;
	case IP_UNICAST_IF:
		n = (s32)be32_raw(v);
		rcu_read_lock();
		d = n ? netdev_by_index(s->sk.net, n) : NULL;
		rcu_read_unlock();
		if (n && !d)
			return -EADDRNOTAVAIL;
		if (n && s->sk.bound_dev && s->sk.bound_dev != n)
			return -EINVAL;
		s->uc_index = n;
		s->route.gen = 0;
		return 0;
	case IP_LOCAL_PORT_RANGE:
		if ((v & 0xffff) && (v >> 16) && (v & 0xffff) > v >> 16)
			return -EINVAL;
		s->port_range = v;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int set_ip(struct inet_sock *s, int name, struct uptr val, int len)
{
	int flag = flag_of(name), err;
	u32 v = 0;
	u8 b;

	/* A byte will do, and nothing means 0. */
	if (len >= (int)sizeof(v)) {
		if (get_user(v, val))
			return -EFAULT;
	} else if (len >= 1) {
		if (get_user(b, val))
			return -EFAULT;
		v = b;
	}
	if (flag < 0 && name != IP_TTL && name != IP_TOS && name != IP_MULTICAST_TTL &&
	    name != IP_MTU_DISCOVER && name != IP_MINTTL && len < 1)
		return -EINVAL;
	if ((name == IP_UNICAST_IF || name == IP_LOCAL_PORT_RANGE) && len != sizeof(v))
		return -EINVAL;
	if ((name == IP_TTL || name == IP_MINTTL || name == IP_MULTICAST_TTL ||
	     name == IP_MULTICAST_ALL || name == IP_HDRINCL) &&
	    len < 1)
		return -EINVAL;
	lock_sock(&s->sk);
	err = flag >= 0 ? set_flag_option(s, name, flag, v) : set_number(s, name, v);
	release_sock(&s->sk);
	return err;
}

int inet_setsockopt(struct socket *sock, int level, int name, struct uptr val, int len)
{
	struct inet_sock *s = sock->sk;
	int err;

	if (level == SOL_SOCKET)
		return sock_setsockopt(sock, name, val, len);
	if (level == IPPROTO_IPV6 && s->sk.family == AF_INET6)
		return inet6_setsockopt(s, name, val, len);
	if (level != IPPROTO_IP)
		return -ENOPROTOOPT;
	if (len < 0)
		return -EINVAL;
	err = inet_mc_setsockopt(s, name, val, len);
	if (err != -ENOIOCTLCMD)
		return err;
	if (name == IP_OPTIONS) {
		lock_sock(&s->sk);
		err = set_options(s, val, len);
		release_sock(&s->sk);
		return err;
	}
	return set_ip(s, name, val, len);
}

/* ---- reading ---- */

static int get_mtu(struct inet_sock *s, s32 *v)
{
	const struct ip4_flow f = { .dst = s->e.peer,
				    .src = s->saddr,
				    .oif = s->sk.bound_dev,
				    .mark = s->sk.mark,
				    .protocol = (u8)s->sk.protocol,
				    .any_src = true };
	struct ip4_route r = {};
	int err;

	if (!s->e.peer.v && !s->e.peer_port.v)
		return -ENOTCONN;
	rcu_read_lock();
	err = route4_out(s->sk.net, &f, &r);
	*v = (s32)r.mtu;
	rcu_read_unlock();
	return err ? -ENOTCONN : 0;
}

static int get_number(struct inet_sock *s, int name, s32 *v)
{
	int flag = flag_of(name);

	if (flag >= 0) {
		*v = inet_flag(s, (enum inet_flag)flag);
		return 0;
	}
	switch (name) {
	case IP_TOS:
		*v = s->tos;
		return 0;
	case IP_TTL:
		*v = s->ttl < 0 ? READ_ONCE(s->sk.net->ip4->default_ttl) : s->ttl;
		return 0;
	case IP_MTU_DISCOVER:
		*v = s->pmtudisc;
		return 0;
	case IP_MTU:
		return get_mtu(s, v);
	case IP_MINTTL:
		*v = s->min_ttl;
		return 0;
	case IP_MULTICAST_TTL:
		*v = s->mc_ttl;
		return 0;
	case IP_UNICAST_IF:
		*v = (s32)be32_raw((u32)s->uc_index);
		return 0;
	case IP_LOCAL_PORT_RANGE:
		*v = (s32)s->port_range;
		return 0;
	case IP_PROTOCOL:
		*v = s->sk.protocol;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int get_options(struct inet_sock *s, struct uptr val, struct uptr ulen)
{
	const struct inet_options *o;
	u8 bytes[IP4_OPTIONS_MOST];
	u8 len = 0;

	rcu_read_lock();
	o = rcu_dereference(s->opt);
	if (o) {
		len = o->len;
		memcpy(bytes, o->bytes, len);
	}
	rcu_read_unlock();
	return len ? sock_put_option(bytes, len, val, ulen) : put_user((s32)0, ulen) ? -EFAULT : 0;
}

/* A room of less than an int gets a byte, as Linux does. */
static int put_number(s32 v, struct uptr val, struct uptr ulen)
{
	s32 room;
	u8 b = (u8)v;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (room > 0 && room < (s32)sizeof(v) && v >= 0 && v <= 255)
		return put_user((s32)1, ulen) || copy_to_user(val, &b, 1) ? -EFAULT : 0;
	return sock_put_option(&v, sizeof(v), val, ulen);
}

int inet_getsockopt(struct socket *sock, int level, int name, struct uptr val, struct uptr len)
{
	struct inet_sock *s = sock->sk;
	s32 v = 0;
	int err;

	if (level == SOL_SOCKET)
		return sock_getsockopt(sock, name, val, len);
	if (level == IPPROTO_IPV6 && s->sk.family == AF_INET6)
		return inet6_getsockopt(s, name, val, len);
	if (level != IPPROTO_IP)
		return s->sk.family == AF_INET6 ? -ENOPROTOOPT : -EOPNOTSUPP;
	if (name == IP_OPTIONS)
		return get_options(s, val, len);
	err = inet_mc_getsockopt(s, name, val, len);
	if (err != -ENOIOCTLCMD)
		return err;
	lock_sock(&s->sk);
	err = get_number(s, name, &v);
	release_sock(&s->sk);
	return err ?: put_number(v, val, len);
}
