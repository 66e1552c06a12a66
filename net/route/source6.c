// SPDX-License-Identifier: MIT
/*
 * Which address of ours an IPv6 packet has as source (RFC 6724, 5), and what is asked of a device's
 * addresses and groups. Rules 4 (home addresses) and 5.5 (next hops' prefixes) do not apply here.
 */
#include <lib/siphash.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include "net/dev/if_flags.h"
#include "net/route/fib6_priv.h"
#include "net/route/in6_device.h"

#define ADDRS_TRIED 1024u	/* packets ask, and programs make any number of addresses */

struct search {
	const struct netdev *out;
	const struct ip6_addr *dst;
	u32 prefer;
	u8 scope, label;		/* of dst */
	const struct in6_address *best;
};

/* More than 0: X is better than Y; the rules in their order. */
static int compare(const struct search *s, const struct in6_address *x, const struct in6_address *y)
{
	u8 sx = ip6_scope(&x->local), sy = ip6_scope(&y->local);
	u32 fx = READ_ONCE(x->flags), fy = READ_ONCE(y->flags);
	int n;

	if (ip6_equal(&x->local, s->dst) != ip6_equal(&y->local, s->dst))
		return ip6_equal(&x->local, s->dst) ? 1 : -1;
	if (sx != sy)		/* the smaller one that reaches as far */
		return sx < sy ? (sx < s->scope ? -1 : 1) : (sy < s->scope ? 1 : -1);
	n = !!(fy & IFA_F_DEPRECATED) - !!(fx & IFA_F_DEPRECATED);
	if (n)
		return n;
	n = (x->dev->dev == s->out) - (y->dev->dev == s->out);
	if (n)
		return n;
	n = (ip6_policy(&x->local).label == s->label) - (ip6_policy(&y->local).label == s->label);
	if (n)
		return n;
	n = !!(fx & IFA_F_TEMPORARY) - !!(fy & IFA_F_TEMPORARY);
	if (n)
		return s->prefer & IN6_PREFER_TEMPORARY ? n : -n;
	return (int)ip6_common_bits(&x->local, s->dst) - (int)ip6_common_bits(&y->local, s->dst);
}

static unsigned int of_device(struct search *s, const struct in6_device *in)
{
	struct in6_address *a;
	unsigned int n = 0;

	list_for_each_entry_rcu(a, &in->addrs, list) {
		if (n++ == ADDRS_TRIED)
			break;
		if (in6_is_usable(a) && (!s->best || compare(s, a, s->best) > 0))
			s->best = a;
	}
	return n;
}

bool in6_select_source(struct net *net, const struct netdev *out, const struct ip6_addr *dst,
		       u32 prefer, struct ip6_addr *src)
{
	struct search s = { .out = out,
			    .dst = dst,
			    .prefer = prefer,
			    .scope = ip6_scope(dst),
			    .label = ip6_policy(dst).label };
	unsigned int n = 0;
	struct netdev *d;

	if (out && ip6_needs_scope(dst)) {
		if (in6_dev(out))
			of_device(&s, in6_dev(out));
	} else {
		list_for_each_entry_rcu(d, &net->devs, list) {
			const struct in6_device *in = in6_dev(d);

			if (n >= ADDRS_TRIED)
				break;
			n += in && READ_ONCE(d->flags) & IFF_UP ? of_device(&s, in) + 1 : 1;
		}
	}
	if (!s.best)
		return false;
	/* Addresses of a link do not leave it. */
	if (s.scope > 2 && s.best->dev->dev != out && ip6_is_link_local(&s.best->local))
		return false;
	*src = s.best->local;
	return true;
}

bool in6_link_local(const struct netdev *d, struct ip6_addr *out)
{
	const struct in6_device *in = in6_dev(d);
	struct in6_address *a;
	unsigned int n = 0;

	if (!in)
		return false;
	list_for_each_entry_rcu(a, &in->addrs, list) {
		if (n++ == ADDRS_TRIED)
			break;
		if (ip6_is_link_local(&a->local) && in6_is_usable(a)) {
			*out = a->local;
			return true;
		}
	}
	return false;
}

static struct siphash_key hash_key __ro_after_init;

u32 in6_hash(const struct ip6_addr *a)
{
	u64 w[2];

	memcpy(w, a, sizeof(w));
	return (u32)siphash_13(&hash_key, w, 2);
}

static int hash_init(void)
{
	get_random_bytes(&hash_key, sizeof(hash_key));
	return 0;
}
INITCALL(sched, hash_init);

bool in6_group_joined(const struct in6_device *in, const struct ip6_addr *group,
		      const struct ip6_addr *src)
{
	return mc_wants(&in->mc, group, ip6_is_any(src) ? NULL : src);
}

bool in6_is_local(struct net *net, const struct ip6_addr *a, const struct netdev *d)
{
	return route6_addr_type(net, a, d) == RTN_LOCAL;
}

struct in6_address *in6_address_of(const struct in6_device *in, const struct ip6_addr *want)
{
	struct in6_address *a;

	ghash_for_each_rcu(a, &in->addr_hash, in6_hash(want), node)
		if (ip6_equal(&a->local, want))
			return a;
	return NULL;
}
