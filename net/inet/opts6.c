// SPDX-License-Identifier: MIT
/* Options of IPPROTO_IPV6 (ipv6(7), RFC 3493, RFC 3542). Groups: mcast6.c. */
#include <lib/minmax.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/ipv6.h>
#include "net/inet/mcast.h"
#include "net/ip6/addr6.h"

/* Options that are a flag of the socket. -1: none. */
static int flag_of(int name)
{
	static const struct {
		u8 name, flag;
	} rows[] = {
		{ IPV6_V6ONLY, INET_V6ONLY },
		{ IPV6_RECVERR, INET6_RECVERR },
		{ IPV6_MULTICAST_LOOP, INET6_MC_LOOP },
		{ IPV6_MULTICAST_ALL, INET6_MC_ALL },
		{ IPV6_DONTFRAG, INET6_DONTFRAG },
		{ IPV6_FLOWINFO_SEND, INET6_FLOWINFO_SEND },
		{ IPV6_FREEBIND, INET_FREEBIND },
		{ IPV6_TRANSPARENT, INET_TRANSPARENT },
		{ IPV6_HDRINCL, INET_HDRINCL },
		{ IPV6_RECVPKTINFO, INET6_C_PKTINFO },
		{ IPV6_2292PKTINFO, INET6_C_PKTINFO_OLD },
		{ IPV6_RECVHOPLIMIT, INET6_C_HOPS },
		{ IPV6_2292HOPLIMIT, INET6_C_HOPS_OLD },
		{ IPV6_RECVTCLASS, INET6_C_TCLASS },
		{ IPV6_FLOWINFO, INET6_C_FLOWINFO },
		{ IPV6_RECVORIGDSTADDR, INET6_C_ORIGDST },
		{ IPV6_RECVHOPOPTS, INET6_C_HOPOPTS },
		{ IPV6_RECVDSTOPTS, INET6_C_DSTOPTS },
		{ IPV6_RECVRTHDR, INET6_C_RTHDR },
		{ IPV6_RECVFRAGSIZE, INET6_C_FRAGSIZE },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].name == name)
			return rows[i].flag;
	return -1;
}

static int set_flag_option(struct inet_sock *s, int name, int flag, u32 v)
{
	switch (name) {
	case IPV6_V6ONLY:
		if (s->port)
			return -EINVAL;
		break;
	case IPV6_TRANSPARENT:
		if (v && !sock_capable(&s->sk, CAP_NET_ADMIN) && !sock_capable(&s->sk, CAP_NET_RAW))
			return -EPERM;
		break;
	case IPV6_HDRINCL:
		if (s->sk.type != SOCK_RAW)
			return -ENOPROTOOPT;
		break;
	case IPV6_MULTICAST_ALL:
	case IPV6_MULTICAST_LOOP:
		if (v > 1)
			return -EINVAL;
		break;
	}
	inet_set_flag(s, (enum inet_flag)flag, v);
	if (name == IPV6_RECVERR && !v)
		inet_purge_errors(s);
	return 0;
}

/* IPV6_MULTICAST_IF and UNICAST_IF: INDEX is a device that S may use. */
static int check_device(struct inet_sock *s, int index)
{
	struct netdev *d;

	if (!index)
		return 0;
	if (index < 0 || (s->sk.bound_dev && s->sk.bound_dev != index))
		return index < 0 ? -ENODEV : -EINVAL;
	rcu_read_lock();
	d = netdev_by_index(s->sk.net, index);
	rcu_read_unlock();
	return d ? 0 : -ENODEV;
}

static int set_preferences(struct inet6_sock *six, u32 v)
{
	const u32 pairs[][2] = {
		{ IPV6_PREFER_SRC_TMP, IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_PUBTMP_DEFAULT },
		{ IPV6_PREFER_SRC_PUBLIC, IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBTMP_DEFAULT },
		{ IPV6_PREFER_SRC_HOME, IPV6_PREFER_SRC_COA },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(pairs); i++)
		if (v & pairs[i][0] && v & pairs[i][1])
			return -EINVAL;
	six->prefer_shown = v;
	six->prefer = v & IPV6_PREFER_SRC_TMP ? IN6_PREFER_TEMPORARY : 0;
	six->route.gen = 0;
	return 0;
}

/* The socket becomes one of AF_INET, where its ends are IPv4's (RFC 3493's elder). */
static int set_family(struct inet_sock *s, s32 v)
{
	if (v != AF_INET || s->sk.type == SOCK_RAW)
		return v != AF_INET ? -EINVAL : -ENOPROTOOPT;
	if (s->sk.protocol != IPPROTO_UDP && s->sk.protocol != IPPROTO_TCP)
		return -EBUSY;
	if (s->sk.state != INET_ESTABLISHED)
		return -ENOTCONN;
	if (inet_flag(s, INET_V6ONLY) || inet_is_six(s))
		return -EADDRNOTAVAIL;
	s->sk.family = AF_INET;
	return 0;
}

static int set_mtu(struct inet6_sock *six, s32 v)
{
	if (v && v < (s32)IP6_MTU_LEAST)
		return -EINVAL;
	six->mtu = (u32)v;
	return 0;
}

static int set_number(struct inet_sock *s, int name, s32 v)
{
	struct inet6_sock *six = s->six;
	bool in_byte = v >= -1 && v <= 255;
	int err;

	switch (name) {
	case IPV6_UNICAST_HOPS:
		if (!in_byte)
			return -EINVAL;
		six->hops = (s16)v;
		return 0;
	case IPV6_MULTICAST_HOPS:
		if (s->sk.type == SOCK_STREAM)
			return -ENOPROTOOPT;
		if (!in_byte)
			return -EINVAL;
		six->mc_hops = v == -1 ? 1 : (s16)v;
		return 0;
	case IPV6_TCLASS:
		if (!in_byte)
			return -EINVAL;
		six->tclass = v == -1 ? 0 : (u8)v;
		six->route.gen = 0;
		return 0;
	case IPV6_MTU_DISCOVER:
		if (v < IPV6_PMTUDISC_DONT || v > IPV6_PMTUDISC_OMIT)
			return -EINVAL;
		six->pmtudisc = (u8)v;
		return 0;
	case IPV6_MTU:
		return set_mtu(six, v);
	case IPV6_MINHOPCOUNT:
		if (v < 0 || v > 255)
			return -EINVAL;
		six->min_hops = (u8)v;
		return 0;
	case IPV6_MULTICAST_IF:
		if (s->sk.type == SOCK_STREAM)
			return -ENOPROTOOPT;
		err = check_device(s, v);
		if (!err)
			six->mc_index = v;
		return err;
	case IPV6_UNICAST_IF:
		v = (s32)be32_raw((u32)v);
		err = check_device(s, v);
		if (!err) {
			six->uc_index = v;
			six->route.gen = 0;
		}
		return err == -ENODEV ? -EADDRNOTAVAIL : err;
	case IPV6_ADDR_PREFERENCES:
		return set_preferences(six, (u32)v);
	case IPV6_ADDRFORM:
		return set_family(s, v);
	}
	return -ENOPROTOOPT;
}

/* IPV6_PKTINFO as an option: what packets leave with. */
static int set_pktinfo(struct inet_sock *s, struct uptr val, int len)
{
	struct in6_pktinfo i = {};
	struct ip6_addr a;

	if (len && len < (int)sizeof(i))
		return -EINVAL;
	if (len && copy_from_user(&i, val, sizeof(i)))
		return -EFAULT;
	memcpy(&a, &i.ipi6_addr, sizeof(a));
	if (!ip6_is_any(&a)) {
		bool ours;

		rcu_read_lock();
		ours = in6_is_local(s->sk.net, &a, NULL);
		rcu_read_unlock();
		if (!ours)
			return -EINVAL;
	}
	if (s->sk.bound_dev && i.ipi6_ifindex && s->sk.bound_dev != i.ipi6_ifindex)
		return -EINVAL;
	lock_sock(&s->sk);
	s->six->info_addr = a;
	s->six->info_index = i.ipi6_ifindex;
	release_sock(&s->sk);
	return 0;
}

int inet6_setsockopt(struct inet_sock *s, int name, struct uptr val, int len)
{
	int flag = flag_of(name), err = inet6_mc_setsockopt(s, name, val, len);
	s32 v = 0;

	if (err != -ENOIOCTLCMD)
		return err;
	if (name == IPV6_PKTINFO)
		return set_pktinfo(s, val, len);
	if (len >= (int)sizeof(v)) {
		if (get_user(v, val))
			return -EFAULT;
	} else if (flag >= 0 || name == IPV6_ADDRFORM) {
		return -EINVAL;
	} else if (set_number(s, name, -2) == -ENOPROTOOPT) {
		return -ENOPROTOOPT;
	} else {
		return -EINVAL;
	}
	lock_sock(&s->sk);
	err = flag >= 0 ? set_flag_option(s, name, flag, (u32)v) : set_number(s, name, v);
	release_sock(&s->sk);
	return err;
}

/* ---- reading ---- */

static u32 path_mtu(struct inet_sock *s)
{
	u32 mtu = 0;

	if (!inet_is_six(s) || s->sk.state != INET_ESTABLISHED)
		return 0;
	rcu_read_lock();
	if (!inet_sock_route(s))
		mtu = s->six->route.mtu;
	rcu_read_unlock();
	return mtu;
}

static s32 default_hops(struct inet_sock *s)
{
	const struct in6_device *in;
	s32 hops = READ_ONCE(s->sk.net->ip6->conf_all.hop_limit);

	if (!inet_is_six(s) || s->sk.state != INET_ESTABLISHED)
		return hops;
	rcu_read_lock();
	if (!inet_sock_route(s)) {
		in = in6_dev(s->six->route.dev);
		hops = s->six->route.hoplimit ? (s32)s->six->route.hoplimit :
		       in		      ? READ_ONCE(in->conf.hop_limit) :
						hops;
	}
	rcu_read_unlock();
	return hops;
}

static int get_number(struct inet_sock *s, int name, s32 *v)
{
	const struct inet6_sock *six = s->six;
	int flag = flag_of(name);

	if (flag >= 0) {
		*v = inet_flag(s, (enum inet_flag)flag);
		return 0;
	}
	switch (name) {
	case IPV6_ADDRFORM:
		*v = s->sk.family;
		return 0;
	case IPV6_UNICAST_HOPS:
		*v = six->hops >= 0 ? six->hops : default_hops(s);
		return 0;
	case IPV6_MULTICAST_HOPS:
		*v = six->mc_hops >= 0 ? six->mc_hops : 1;
		return 0;
	case IPV6_TCLASS:
		*v = six->tclass;
		return 0;
	case IPV6_MTU_DISCOVER:
		*v = six->pmtudisc;
		return 0;
	case IPV6_MTU:
		*v = (s32)path_mtu(s);
		return *v ? 0 : -ENOTCONN;
	case IPV6_MINHOPCOUNT:
		*v = six->min_hops;
		return 0;
	case IPV6_MULTICAST_IF:
		*v = six->mc_index;
		return 0;
	case IPV6_UNICAST_IF:
		*v = (s32)be32_raw((u32)six->uc_index);
		return 0;
	case IPV6_ADDR_PREFERENCES:
		*v = (s32)(six->prefer_shown ?: IPV6_PREFER_SRC_PUBTMP_DEFAULT);
		return 0;
	}
	return -ENOPROTOOPT;
}

static int get_path_mtu(struct inet_sock *s, struct uptr val, struct uptr ulen)
{
	struct ip6_mtuinfo i = {};

	lock_sock(&s->sk);
	i.ip6m_mtu = path_mtu(s);
	inet6_put_name(&i.ip6m_addr, &s->v6.peer, be16_make(0), s->sk.bound_dev);
	release_sock(&s->sk);
	return i.ip6m_mtu ? sock_put_option(&i, sizeof(i), val, ulen) : -ENOTCONN;
}

int inet6_getsockopt(struct inet_sock *s, int name, struct uptr val, struct uptr len)
{
	s32 v = 0;
	int err;

	if (name == IPV6_PATHMTU)
		return get_path_mtu(s, val, len);
	err = inet6_mc_getsockopt(s, name, val, len);
	if (err != -ENOIOCTLCMD)
		return err;
	lock_sock(&s->sk);
	err = get_number(s, name, &v);
	release_sock(&s->sk);
	return err ?: sock_put_option(&v, sizeof(v), val, len);
}
