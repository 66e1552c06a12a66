// SPDX-License-Identifier: MIT
/*
 * What IPv6 does by itself on a device: duplicate address detection (RFC 4862, 5.4), asking for
 * routers (RFC 4861, 6.3.7), lifetimes. All of it is one item of work a device,
 * under rtnl, which looks at everything that is due and queues itself for what is due next. Packets
 * only leave marks (a conflict, an advertisement that waits) and kick it.
 */
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <linux/ipv6_route.h>
#include "net/dev/if_flags.h"
#include "net/ip6/addr6.h"

#define RS_MOST_S 3600u

static void arm(struct in6_device *in, u64 ns)
{
	unsigned long delay =
		msecs_to_jiffies((unsigned int)min(ns / NSEC_PER_MSEC + !!ns, (u64)3600 * 1000));

	/* Packets may find a device that is going: it has no work any more. */
	if (!refcount_inc_not_zero(&in->refs))
		return;
	if (mod_delayed_work(system_wq, &in->work, delay))
		in6_put(in);
}

void in6_kick(struct in6_device *in)
{
	smp_store_release(&in->kicked, true);
	arm(in, 0);
}

int in6_route_add(struct net *net, struct fib6_config *c)
{
	int err = fib6_add(net, c);
	struct netdev *d;

	if (err || !c->expires_ns)
		return err;
	d = netdev_by_index(net, c->oif);
	if (d && in6_dev(d))
		in6_kick(in6_dev(d));
	return 0;
}

static void earlier(u64 *next, u64 when)
{
	if (when && when < *next)
		*next = when;
}

/* ---- duplicate addresses ---- */

void in6_dad_start(struct in6_address *a)
{
	u64 delay = (u64)max(a->dev->conf.router_solicitation_delay, 0) * MSEC_PER_SEC;

	if (!(a->flags & IFA_F_TENTATIVE)) {
		in6_dad_done(a);
		return;
	}
	a->probes_left = (u8)clamp(a->dev->conf.dad_transmits, 1, 255);
	/* Hosts that came up together do not all ask at once. */
	a->probe_at_ns = ktime_get_ns() + get_random_u32_below((u32)delay + 1) * NSEC_PER_MSEC;
	in6_kick(a->dev);
}

void in6_dad_conflict(struct in6_device *in, struct in6_address *a)
{
	WRITE_ONCE(a->conflict, true);
	in6_kick(in);
}

static void dad_failed(struct in6_address *a)
{
	const u8 *b = a->local.b;

	a->probe_at_ns = 0;
	WRITE_ONCE(a->flags, a->flags | IFA_F_DADFAILED | IFA_F_TENTATIVE);
	pr_info("ip6: %s: another has %02x%02x:%02x%02x:...:%02x%02x too\n", a->dev->dev->name,
		b[0], b[1], b[2], b[3], b[14], b[15]);
}

static void dad_step(struct in6_address *a, u64 now, u64 *next)
{
	if (READ_ONCE(a->conflict)) {
		WRITE_ONCE(a->conflict, false);
		if (a->flags & IFA_F_TENTATIVE)
			dad_failed(a);
	}
	if (!a->probe_at_ns)
		return;
	if (a->probe_at_ns > now) {
		earlier(next, a->probe_at_ns);
		return;
	}
	if (!a->probes_left) {
		a->probe_at_ns = 0;
		in6_dad_done(a);
		return;
	}
	a->probes_left--;
	a->probe_at_ns = now + (u64)max(READ_ONCE(a->dev->neigh.retrans_ms), 1) * NSEC_PER_MSEC;
	earlier(next, a->probe_at_ns);
	rcu_read_lock();
	nd_probe(a->dev->dev, &a->local);
	rcu_read_unlock();
}

/* ---- lifetimes ---- */

/* False: A's time is over, and it is gone. */
static bool age(struct in6_address *a, u64 now, u64 *next)
{
	u64 valid = a->changed_ns + (u64)a->valid_s * NSEC_PER_SEC,
	    preferred = a->changed_ns + (u64)a->preferred_s * NSEC_PER_SEC;

	if (a->valid_s != U32_MAX && valid <= now) {
		in6_addr_del(a);
		return false;
	}
	if (a->preferred_s != U32_MAX && !(a->flags & IFA_F_DEPRECATED)) {
		if (preferred <= now) {
			WRITE_ONCE(a->flags, a->flags | IFA_F_DEPRECATED);
			fib6_changed(a->dev->dev->net);
		} else {
			earlier(next, preferred);
		}
	}
	if (a->valid_s != U32_MAX)
		earlier(next, valid);
	return true;
}

/* ---- routers ---- */

static bool hears_routers(const struct in6_device *in)
{
	return in->conf.accept_ra == 2 || (in->conf.accept_ra && !in->conf.forwarding);
}

void in6_rs_start(struct in6_device *in)
{
	if (!hears_routers(in) || !in->conf.router_solicitations ||
	    in->dev->flags & (IFF_LOOPBACK | IFF_NOARP))
		return;
	in->rs_left = in->conf.router_solicitations < 0 ?
			      UINT_MAX :
			      (unsigned int)in->conf.router_solicitations;
	in->rs_interval_s = (u32)max(in->conf.router_solicitation_interval, 1);
	in->rs_at_ns = ktime_get_ns();
	in6_kick(in);
}

static void rs_step(struct in6_device *in, u64 now, u64 *next)
{
	if (!in->rs_at_ns)
		return;
	if (in->rs_at_ns > now) {
		earlier(next, in->rs_at_ns);
		return;
	}
	rcu_read_lock();
	nd_solicit_routers(in->dev);
	rcu_read_unlock();
	in->rs_left--;
	in->rs_at_ns = in->rs_left ? now + (u64)in->rs_interval_s * NSEC_PER_SEC : 0;
	in->rs_interval_s = min(in->rs_interval_s * 2, RS_MOST_S);
	earlier(next, in->rs_at_ns);
}

/* Those that wait now: later ones kick the work again, so that a flood does not keep rtnl. */
static void take_advertisements(struct in6_device *in, u64 now)
{
	struct packet_list ras;
	struct packet *p;

	spin_lock(&in->lock);
	packet_list_move(&ras, &in->ras);
	spin_unlock(&in->lock);
	while ((p = packet_list_take(&ras))) {
		if (hears_routers(in)) {
			in->rs_at_ns = 0;
			in6_ra_process(in, p, now);
		}
		packet_consume(p);
	}
}

/* ---- all of it ---- */

static void run(struct in6_device *in)
{
	struct in6_address *a, *n;
	u64 now = ktime_get_ns(), next = U64_MAX;

	xchg(&in->kicked, false);	/* before what there is to do is looked at */
	take_advertisements(in, now);
	list_for_each_entry_safe(a, n, &in->addrs, list)
		if (age(a, now, &next))
			dad_step(a, now, &next);
	rs_step(in, now, &next);
	/*
	 * Look-ups pass over routes whose time is over: it remains to tell of them and free them.
	 */
	earlier(&next, fib6_expire(in->dev, now));
	if (next != U64_MAX)
		arm(in, next > now ? next - now : 0);
	/* arm() above may have put off a kick that came during this run, for hours. */
	smp_mb();
	if (READ_ONCE(in->kicked))
		arm(in, 0);
}

void in6_work(struct work_struct *w)
{
	struct in6_device *in = container_of(to_delayed_work(w), struct in6_device, work);

	rtnl_lock();
	if (!in->dead && in->dev->flags & IFF_UP)
		run(in);
	rtnl_unlock();
	in6_put(in);
}
