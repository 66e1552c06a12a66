// SPDX-License-Identifier: MIT
/*
 * Options that both families have (RFC 3678): MCAST_*, which name groups and sources by struct
 * sockaddr_storage.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include "net/core/core_priv.h"
#include "net/inet/mcast.h"

#define FILTER_HEAD offsetof(struct group_filter, gf_slist_flex)

/* False: A is of another family. */
static bool address_in(struct ip6_addr *out, const struct __kernel_sockaddr_storage *a, bool six)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (a->ss_family != (six ? AF_INET6 : AF_INET))
		return false;
	memcpy(&in, a, sizeof(in));
	memcpy(&in6, a, sizeof(in6));
	if (six)
		memcpy(out, &in6.sin6_addr, sizeof(*out));
	else
		*out = ip6_mapped((be32){ in.sin_addr.s_addr });
	return true;
}

static void address_out(struct __kernel_sockaddr_storage *out, const struct ip6_addr *a, bool six)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	in.sin_addr.s_addr = a->w[3].v;
	memcpy(&in6.sin6_addr, a, sizeof(*a));
	if (six)
		memcpy(out, &in6, sizeof(in6));
	else
		memcpy(out, &in, sizeof(in));
}

static int set_group(struct inet_sock *s, bool six, bool joins, struct uptr val, int len)
{
	struct inet_mc_where w = { .six = six };
	struct group_req g;
	int err;

	if (len < (int)sizeof(g))
		return -EINVAL;
	if (copy_from_user(&g, val, sizeof(g)))
		return -EFAULT;
	if (!address_in(&w.group, &g.gr_group, six))
		return six ? -EADDRNOTAVAIL : -EINVAL;
	w.ifindex = (int)g.gr_interface;
	rtnl_lock();
	lock_sock(&s->sk);
	err = joins ? inet_mc_join(s, &w, MC_EXCLUDE) : inet_mc_leave(s, &w);
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}

static int set_source(struct inet_sock *s, bool six, int name, struct uptr val, int len)
{
	bool joins = name == MCAST_JOIN_SOURCE_GROUP;
	enum mc_mode mode = joins || name == MCAST_LEAVE_SOURCE_GROUP ? MC_INCLUDE : MC_EXCLUDE;
	struct inet_mc_where w = { .six = six };
	struct group_source_req g;
	struct ip6_addr source;
	int err = 0;

	if (six ? len < (int)sizeof(g) : len != (int)sizeof(g))
		return -EINVAL;
	if (copy_from_user(&g, val, sizeof(g)))
		return -EFAULT;
	if (!address_in(&w.group, &g.gsr_group, six) || !address_in(&source, &g.gsr_source, six))
		return -EADDRNOTAVAIL;
	w.ifindex = (int)g.gsr_interface;
	rtnl_lock();
	lock_sock(&s->sk);
	if (joins)
		err = inet_mc_join(s, &w, MC_INCLUDE);
	if (!err || err == -EADDRINUSE)
		err = inet_mc_source(s, &w, &source, mode, joins || name == MCAST_BLOCK_SOURCE);
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}

static int filter_sources(struct ip6_addr *out, struct uptr at, u32 nr, bool six)
{
	struct __kernel_sockaddr_storage a;

	for (u32 i = 0; i < nr; i++) {
		if (copy_from_user(&a, uptr_add(at, i * sizeof(a)), sizeof(a)))
			return -EFAULT;
		if (!address_in(&out[i], &a, six))
			return -EADDRNOTAVAIL;
	}
	return 0;
}

static int apply_filter(struct inet_sock *s, const struct inet_mc_where *w, u32 mode, u32 nr,
			const struct ip6_addr *sources)
{
	struct mc_filter f = { .mode = (enum mc_mode)mode, .nr = nr, .sources = sources };
	int err;

	if (mode != MC_INCLUDE && mode != MC_EXCLUDE)
		return -EINVAL;
	rtnl_lock();
	lock_sock(&s->sk);
	err = inet_mc_set_filter(s, w, &f);
	release_sock(&s->sk);
	rtnl_unlock();
	return err;
}

static int set_filter(struct inet_sock *s, bool six, struct uptr val, int len)
{
	struct inet_mc_where w = { .six = six };
	struct ip6_addr *sources;
	struct group_filter g;
	int err;

	if (len < (int)FILTER_HEAD)
		return -EINVAL;
	if (len > READ_ONCE(s->sk.net->conf->optmem_max))
		return -ENOBUFS;
	if (copy_from_user(&g, val, FILTER_HEAD))
		return -EFAULT;
	if (g.gf_numsrc > inet_mc_max_sources(s, six))
		return -ENOBUFS;
	if (FILTER_HEAD + g.gf_numsrc * sizeof(g.gf_slist[0]) > (size_t)len)
		return -EINVAL;
	if (!address_in(&w.group, &g.gf_group, six))
		return six ? -EINVAL : -EADDRNOTAVAIL;
	w.ifindex = (int)g.gf_interface;
	sources = kcalloc(g.gf_numsrc + 1, sizeof(*sources), GFP_KERNEL_ACCOUNT);
	if (!sources)
		return -ENOBUFS;
	err = filter_sources(sources, uptr_add(val, FILTER_HEAD), g.gf_numsrc, six);
	if (!err)
		err = apply_filter(s, &w, g.gf_fmode, g.gf_numsrc, sources);
	kfree(sources);
	return err;
}

int inet_mc_set_common(struct inet_sock *s, bool six, int name, struct uptr val, int len)
{
	switch (name) {
	case MCAST_JOIN_GROUP:
	case MCAST_LEAVE_GROUP:
		return set_group(s, six, name == MCAST_JOIN_GROUP, val, len);
	case MCAST_JOIN_SOURCE_GROUP:
	case MCAST_LEAVE_SOURCE_GROUP:
	case MCAST_BLOCK_SOURCE:
	case MCAST_UNBLOCK_SOURCE:
		return set_source(s, six, name, val, len);
	case MCAST_MSFILTER:
		return set_filter(s, six, val, len);
	}
	return -ENOIOCTLCMD;
}

/* ---- reading a filter ---- */

/* A copy of the filter that W means, at most MOST sources of it; ERR_PTR(-EADDRNOTAVAIL). */
static struct inet_mc_filter *filter_copy(struct inet_sock *s, const struct inet_mc_where *w)
{
	const struct inet_mc_filter *f;
	struct inet_mc_filter *c = NULL;

	rtnl_lock();
	lock_sock(&s->sk);
	f = inet_mc_filter_of(s, w);
	if (f) {
		c = kmalloc(sizeof(*f) + f->nr * sizeof(f->sources[0]), GFP_KERNEL_ACCOUNT);
		if (c)
			memcpy(c, f, sizeof(*f) + f->nr * sizeof(f->sources[0]));
	}
	release_sock(&s->sk);
	rtnl_unlock();
	return c ?: f ? ERR_PTR(-ENOBUFS) : ERR_PTR(-EADDRNOTAVAIL);
}

static int put_filter(struct group_filter *g, const struct inet_mc_filter *f, bool six,
		      struct uptr val, struct uptr len)
{
	u32 n = min(g->gf_numsrc, f->nr);
	int size = (int)(FILTER_HEAD + n * sizeof(g->gf_slist[0]));

	g->gf_fmode = f->mode;
	g->gf_numsrc = f->nr;
	for (u32 i = 0; i < n; i++) {
		struct __kernel_sockaddr_storage a;

		address_out(&a, &f->sources[i], six);
		if (copy_to_user(uptr_add(val, FILTER_HEAD + i * sizeof(a)), &a, sizeof(a)))
			return -EFAULT;
	}
	if (copy_to_user(len, &size, sizeof(size)) || copy_to_user(val, g, FILTER_HEAD))
		return -EFAULT;
	return 0;
}

int inet_mc_get_filter(struct inet_sock *s, bool six, struct uptr val, struct uptr len)
{
	struct inet_mc_where w = { .six = six };
	struct inet_mc_filter *f;
	struct group_filter g;
	int n, err;

	if (copy_from_user(&n, len, sizeof(n)))
		return -EFAULT;
	if (n < (int)FILTER_HEAD)
		return -EINVAL;
	if (copy_from_user(&g, val, FILTER_HEAD))
		return -EFAULT;
	if (!address_in(&w.group, &g.gf_group, six))
		return six ? -EADDRNOTAVAIL : -EINVAL;
	if (six ? !ip6_is_multicast(&w.group) : !ip4_is_multicast(w.group.w[3]))
		return -EINVAL;
	w.ifindex = (int)g.gf_interface;
	g.gf_numsrc = min_t(u32, g.gf_numsrc, ((u32)n - FILTER_HEAD) / sizeof(g.gf_slist[0]));
	f = filter_copy(s, &w);
	if (IS_ERR(f))
		return PTR_ERR(f);
	err = put_filter(&g, f, six, val, len);
	kfree(f);
	return err;
}
