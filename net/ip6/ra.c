// SPDX-License-Identifier: MIT
/*
 * What router advertisements say (RFC 4861, 6.3.4; RFC 4862, 5.5.3): default routers, prefixes on
 * the link, addresses to make of them, hop limit and MTU. Routes and addresses of advertisements
 * have limits (FIB6_AUTO_MOST, max_addresses), as anybody on the link may send them. Under rtnl.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include <linux/ipv6_route.h>
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"
#include "net/wire/icmp6.h"

#define TWO_HOURS_S 7200u
#define REACHABLE_MOST_MS 3600000u	/* RFC 4861, 6.2.1 */
#define RA_MOST 9000u	/* bytes of an advertisement that is looked at */

static u64 expiry(u32 seconds, u64 now)
{
	return seconds == U32_MAX ? 0 : now + (u64)seconds * NSEC_PER_SEC;
}

/* The route of C, which advertisements keep alive: for SECONDS more; 0: it goes. */
static void keep_route(struct in6_device *in, struct fib6_config *c, u32 seconds, u64 now)
{
	struct net *net = in->dev->net;
	struct fib6_route *r;

	c->oif = in->dev->ifindex;
	c->type = RTN_UNICAST;
	r = fib6_get(net, c);
	if (r && !(r->rtf & RTF_ADDRCONF))
		return;			/* a program's own */
	if (!seconds) {
		if (r)
			fib6_del(net, c);
		return;
	}
	if (r && r->preference == c->preference) {
		fib6_set_expiry(net, r, expiry(seconds, now));
		return;
	}
	if (r)
		fib6_del(net, c);
	c->create = true;
	c->rtf |= RTF_ADDRCONF;
	c->expires_ns = expiry(seconds, now);
	if (c->expires_ns)
		c->rtf |= RTF_EXPIRES;
	if (fib6_add(net, c))
		return;			/* too many: the next advertisement may find room */
}

static void default_router(struct in6_device *in, const struct ip6_addr *from,
			   const struct nd_router *m, u64 now)
{
	struct fib6_config c = { .gateway = *from,
				 .metric = FIB6_METRIC_USER,
				 .preference = m->preference,
				 .protocol = RTPROT_RA,
				 .rtf = RTF_DEFAULT };

	if (in->conf.accept_ra_defrtr)
		keep_route(in, &c, m->lifetime_s, now);
}

/*
 * Lifetimes of an address that is there: short ones are not believed at once (RFC 4862, 5.5.3 e).
 * It may have been made a moment ago, by the same advertisement: after the time that the work reads
 * at its start.
 */
static void refresh(struct in6_address *a, const struct nd_prefix *x)
{
	u64 gone_s = (ktime_get_ns() - a->changed_ns) / NSEC_PER_SEC;
	u32 left = a->valid_s == U32_MAX ? U32_MAX :
		   gone_s < a->valid_s	 ? a->valid_s - (u32)gone_s :
					   0,
	    valid = x->valid_s;

	if (valid <= TWO_HOURS_S && valid <= left)
		valid = min(left, TWO_HOURS_S);
	in6_addr_change(a, valid, min(x->preferred_s, valid), a->flags);
}

static void autoconf(struct in6_device *in, const struct nd_prefix *x)
{
	struct in6_address want = { .local = x->prefix,
				    .bits = 64,
				    .valid_s = x->valid_s,
				    .preferred_s = x->preferred_s,
				    .flags = IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE,
				    .automatic = true,
				    .protocol = IFAPROT_KERNEL_RA };
	struct in6_address *a;

	if (!in->conf.autoconf || x->bits != 64 || in->dev->addr_len != ETH_ADDR)
		return;
	ip6_eui64(want.local.b + 8, in->dev->addr);
	a = in6_addr_find(in, &want.local, -1);
	if (a) {
		if (a->automatic)
			refresh(a, x);
		return;
	}
	if (!x->valid_s || in->nr_auto >= (unsigned int)max(in->conf.max_addresses, 0))
		return;
	if (in6_addr_add(in, &want))
		return;			/* no memory: the next advertisement may find some */
}

static void one_prefix(struct in6_device *in, const struct nd_prefix *x, u64 now)
{
	struct fib6_config c = { .dst = x->prefix,
				 .len = x->bits,
				 .metric = FIB6_METRIC_KERNEL,
				 .protocol = RTPROT_KERNEL, /* as Linux has it */
				 .rtf = RTF_PREFIX_RT };

	if (ip6_is_link_local(&x->prefix) || ip6_is_multicast(&x->prefix) ||
	    x->preferred_s > x->valid_s)
		return;
	if (x->on_link && x->bits)
		keep_route(in, &c, x->valid_s, now);
	if (x->autonomous)
		autoconf(in, x);
}

static void process(struct in6_device *in, const struct ip6_addr *from, const u8 *msg, u32 n,
		    u64 now)
{
	struct nd_router m;
	struct nd_prefix x;
	u32 at = 0;

	if (nd_decode_router(&m, msg, n))
		return;
	default_router(in, from, &m, now);
	if (m.hops)
		WRITE_ONCE(in->conf.hop_limit, m.hops);
	if (m.reachable_ms && m.reachable_ms <= REACHABLE_MOST_MS)
		WRITE_ONCE(in->neigh.base_reachable_ms, (int)m.reachable_ms);
	if (m.retrans_ms && m.retrans_ms <= INT_MAX)
		WRITE_ONCE(in->neigh.retrans_ms, (int)m.retrans_ms);
	nd_learn(in->dev, from, m.opt.source_hw, true);
	if (in->conf.accept_ra_mtu && m.opt.mtu >= IP6_MTU_LEAST && m.opt.mtu <= in->dev->mtu &&
	    in->conf.mtu != (int)m.opt.mtu) {
		WRITE_ONCE(in->conf.mtu, (int)m.opt.mtu);
		fib6_changed(in->dev->net);
	}
	while (in->conf.accept_ra_pinfo && nd_next_prefix(&x, msg, n, &at))
		one_prefix(in, &x, now);
}

void in6_ra_process(struct in6_device *in, struct packet *p, u64 now)
{
	struct ip6_addr from = ((const struct ip6_wire *)packet_net(p))->src;
	u8 *msg = p->len <= RA_MOST ? kmalloc(p->len, GFP_KERNEL) : NULL;

	if (msg && packet_read(p, 0, msg, p->len))
		process(in, &from, msg, p->len, now);
	kfree(msg);
}
