// SPDX-License-Identifier: MIT
/*
 * Options about groups of IPv4 (ip(7)): joining, leaving, sources, where packets to groups leave.
 * Those of RFC 3678 that both families have are in mcast_source.c.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include "net/core/core_priv.h"
#include "net/inet/mcast.h"
#include "net/wire/ip4.h"

#define FILTER_HEAD offsetof(struct ip_msfilter, imsf_slist_flex)

/* ip_mreq, ip_mreqn, or what of the latter is there. */
static int read_request(struct ip_mreqn *q, struct uptr val, int len)
{
	memset(q, 0, sizeof(*q));
	if (len < (int)sizeof(struct ip_mreq))
		return -EINVAL;
	return copy_from_user(q, val, len < (int)sizeof(*q) ? 8 : sizeof(*q)) ? -EFAULT : 0;
}

static struct inet_mc_where where_of(const struct ip_mreqn *q)
{
	return (struct inet_mc_where){ .group = ip6_mapped((be32){ q->imr_multiaddr.s_addr }),
				       .address = { q->imr_address.s_addr },
				       .ifindex = q->imr_ifindex };
}

static int set_membership(struct inet_sock *s, bool joins, struct uptr val, int len)
{
	struct inet_mc_where w;
	struct ip_mreqn q;
	int err;

	if (s->sk.type == SOCK_STREAM)
		return -EPROTO;
	err = read_request(&q, val, len);
	if (err)
		return err;
	w = where_of(&q);
	rtnl_lock();
	lock_sock(&s->sk);
	err = joins ? inet_mc_join(s, &w, MC_EXCLUDE) : inet_mc_leave(s, &w);
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}

static int set_source(struct inet_sock *s, int name, struct uptr val, int len)
{
	bool joins = name == IP_ADD_SOURCE_MEMBERSHIP;
	enum mc_mode mode = joins || name == IP_DROP_SOURCE_MEMBERSHIP ? MC_INCLUDE : MC_EXCLUDE;
	struct ip_mreq_source q;
	struct ip6_addr source;
	struct inet_mc_where w;
	int err = 0;

	if (len != (int)sizeof(q))
		return -EINVAL;
	if (copy_from_user(&q, val, sizeof(q)))
		return -EFAULT;
	w = (struct inet_mc_where){ .group = ip6_mapped((be32){ q.imr_multiaddr }),
				    .address = { q.imr_interface } };
	source = ip6_mapped((be32){ q.imr_sourceaddr });
	rtnl_lock();
	lock_sock(&s->sk);
	if (joins)
		err = inet_mc_join(s, &w, MC_INCLUDE);
	if (!err || err == -EADDRINUSE)
		err = inet_mc_source(s, &w, &source, mode, joins || name == IP_BLOCK_SOURCE);
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}

/* ---- the whole filter (IP_MSFILTER) ---- */

static int set_sources(struct inet_sock *s, const struct ip_msfilter *q, const be32 *list)
{
	struct ip6_addr *a = kcalloc(q->imsf_numsrc + 1, sizeof(*a), GFP_KERNEL_ACCOUNT);
	struct inet_mc_where w = { .group = ip6_mapped((be32){ q->imsf_multiaddr }),
				   .address = { q->imsf_interface } };
	struct mc_filter f = { .mode = (enum mc_mode)q->imsf_fmode,
			       .nr = q->imsf_numsrc,
			       .sources = a };
	int err;

	if (!a)
		return -ENOBUFS;
	for (u32 i = 0; i < f.nr; i++)
		a[i] = ip6_mapped(list[i]);
	rtnl_lock();
	lock_sock(&s->sk);
	err = inet_mc_set_filter(s, &w, &f);
	release_sock(&s->sk);
	rtnl_unlock();
	kfree(a);
	return err;
}

static int set_filter(struct inet_sock *s, struct uptr val, int len)
{
	struct ip_msfilter q;
	be32 *list;
	int err;

	if (len < (int)FILTER_HEAD)
		return -EINVAL;
	if (len > READ_ONCE(s->sk.net->conf->optmem_max))
		return -ENOBUFS;
	if (copy_from_user(&q, val, FILTER_HEAD))
		return -EFAULT;
	if (q.imsf_numsrc > inet_mc_max_sources(s, false))
		return -ENOBUFS;
	if (FILTER_HEAD + q.imsf_numsrc * sizeof(*list) > (size_t)len)
		return -EINVAL;
	if (!ip4_is_multicast((be32){ q.imsf_multiaddr }) ||
	    (q.imsf_fmode != MC_INCLUDE && q.imsf_fmode != MC_EXCLUDE))
		return -EINVAL;
	list = kcalloc(q.imsf_numsrc + 1, sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOBUFS;
	err = copy_from_user(list, uptr_add(val, FILTER_HEAD), q.imsf_numsrc * sizeof(*list)) ?
		      -EFAULT :
		      set_sources(s, &q, list);
	kfree(list);
	return err;
}

/* As read: Q, and at LIST what fits of its sources. */
static int read_filter(struct inet_sock *s, struct ip_msfilter *q, be32 *list, u32 *nr)
{
	struct inet_mc_where w = { .group = ip6_mapped((be32){ q->imsf_multiaddr }),
				   .address = { q->imsf_interface } };
	const struct inet_mc_filter *f;
	struct netdev *d;
	int err = 0;

	rtnl_lock();
	lock_sock(&s->sk);
	d = inet_mc_device(s, &w);
	w.ifindex = d ? d->ifindex : 0;
	f = d ? inet_mc_filter_of(s, &w) : NULL;
	if (f) {
		*nr = min(*nr, f->nr);
		q->imsf_fmode = f->mode;
		q->imsf_numsrc = f->nr;
		for (u32 i = 0; i < *nr; i++)
			list[i] = f->sources[i].w[3];
	} else {
		err = d ? -EADDRNOTAVAIL : -ENODEV;
	}
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}

static int get_filter(struct inet_sock *s, struct uptr val, struct uptr len)
{
	struct ip_msfilter q;
	be32 *list;
	int n, err;
	u32 nr;

	if (copy_from_user(&n, len, sizeof(n)))
		return -EFAULT;
	if (n < (int)FILTER_HEAD)
		return -EINVAL;
	if (copy_from_user(&q, val, FILTER_HEAD))
		return -EFAULT;
	if (!ip4_is_multicast((be32){ q.imsf_multiaddr }))
		return -EINVAL;
	nr = min3((u32)q.imsf_numsrc, ((u32)n - (u32)FILTER_HEAD) / 4, MC_SOURCES_MOST);
	list = kcalloc(nr + 1, sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOBUFS;
	err = read_filter(s, &q, list, &nr);
	n = (int)(FILTER_HEAD + nr * sizeof(*list));
	if (!err && (copy_to_user(len, &n, sizeof(n)) || copy_to_user(val, &q, FILTER_HEAD) ||
		     copy_to_user(uptr_add(val, FILTER_HEAD), list, nr * sizeof(*list))))
		err = -EFAULT;
	kfree(list);
	return err;
}

/* ---- where packets leave ---- */

static int set_interface(struct inet_sock *s, const struct ip_mreqn *q)
{
	struct inet_mc_where w = where_of(q);
	struct netdev *d;

	if (!q->imr_ifindex && !q->imr_address.s_addr) {
		s->mc_index = 0;
		s->mc_addr = be32_make(0);
		return 0;
	}
	d = inet_mc_device(s, &w);
	if (!d)
		return -EADDRNOTAVAIL;
	if (s->sk.bound_dev && s->sk.bound_dev != d->ifindex)
		return -EINVAL;
	s->mc_index = d->ifindex;
	s->mc_addr = w.address;
	return 0;
}

static int interface(struct inet_sock *s, struct uptr val, int len)
{
	struct ip_mreqn q;
	int err;

	if (s->sk.type == SOCK_STREAM)
		return -EINVAL;
	if (len >= (int)sizeof(struct ip_mreq)) {
		err = read_request(&q, val, len);
	} else {
		memset(&q, 0, sizeof(q));
		err = len < 4 ? -EINVAL : copy_from_user(&q.imr_address, val, 4) ? -EFAULT : 0;
	}
	if (err)
		return err;
	rtnl_lock();
	lock_sock(&s->sk);
	err = set_interface(s, &q);
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}

int inet_mc_setsockopt(struct inet_sock *s, int name, struct uptr val, int len)
{
	switch (name) {
	case IP_ADD_MEMBERSHIP:
	case IP_DROP_MEMBERSHIP:
		return set_membership(s, name == IP_ADD_MEMBERSHIP, val, len);
	case IP_ADD_SOURCE_MEMBERSHIP:
	case IP_DROP_SOURCE_MEMBERSHIP:
	case IP_BLOCK_SOURCE:
	case IP_UNBLOCK_SOURCE:
		return set_source(s, name, val, len);
	case IP_MSFILTER:
		return set_filter(s, val, len);
	case IP_MULTICAST_IF:
		return interface(s, val, len);
	}
	return inet_mc_set_common(s, false, name, val, len);
}

int inet_mc_getsockopt(struct inet_sock *s, int name, struct uptr val, struct uptr len)
{
	be32 a;

	if (name == IP_MSFILTER)
		return get_filter(s, val, len);
	if (name == MCAST_MSFILTER)
		return inet_mc_get_filter(s, false, val, len);
	if (name != IP_MULTICAST_IF)
		return -ENOIOCTLCMD;
	a = s->mc_addr;
	return sock_put_option(&a, sizeof(a), val, len);
}
