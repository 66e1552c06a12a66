// SPDX-License-Identifier: MIT
/*
 * Addresses with a lifetime (DHCP's): past the preferred one an address is deprecated, past the
 * valid one it goes. One work item of a namespace looks at all of them, when the first is due.
 */
#include <lib/minmax.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include "net/ip4/addr.h"

static void (*listener)(const struct in_addr4 *a, bool added);	/* set at boot */

void in_addr_set_listener(void (*fn)(const struct in_addr4 *a, bool added))
{
	listener = fn;
}

void in_addr_tell(const struct in_addr4 *a, bool added)
{
	if (listener)
		listener(a, added);
}

static u64 age_s(const struct in_addr4 *a)
{
	return (ktime_get_ns() - a->changed_ns) / NSEC_PER_SEC;
}

static u32 left(u32 whole, u64 age)
{
	if (whole == U32_MAX)
		return U32_MAX;
	return age < whole ? whole - (u32)age : 0;
}

void in_addr_left(const struct in_addr4 *a, u32 *valid_s, u32 *preferred_s)
{
	u64 age = age_s(a);

	*valid_s = left(a->valid_s, age);
	*preferred_s = left(a->preferred_s, age);
}

/* Seconds until something happens to A; U32_MAX: nothing will. */
static u32 next_of(const struct in_addr4 *a)
{
	u32 valid, preferred;

	in_addr_left(a, &valid, &preferred);
	if (a->flags & IFA_F_DEPRECATED)
		return valid;
	return min(valid, preferred);
}

static void look(struct in_device *in, u32 *next)
{
	struct in_addr4 *a, *following;

	list_for_each_entry_safe(a, following, &in->addrs, list) {
		u32 valid, preferred;

		in_addr_left(a, &valid, &preferred);
		if (!valid) {
			in_addr_del(a);
			/* Others may have gone with it, the next one too. */
			*next = 0;
			return;
		}
		if (!preferred && !(a->flags & IFA_F_DEPRECATED)) {
			WRITE_ONCE(a->flags, a->flags | IFA_F_DEPRECATED);
			in_addr_tell(a, true);
		}
		*next = min(*next, next_of(a));
	}
}

static void life_work(struct work_struct *w)
{
	struct ip4_net *n = container_of(w, struct ip4_net, life.work);
	u32 next = U32_MAX;
	struct netdev *d;

	rtnl_lock();
	list_for_each_entry(d, &n->net->devs, list)
		if (in_dev(d))
			look(in_dev(d), &next);
	if (next != U32_MAX && !n->net->dying)
		mod_delayed_work(system_unbound_wq, &n->life, (unsigned long)next * HZ + 1);
	rtnl_unlock();
}

void in_addr_watch(const struct in_addr4 *a)
{
	struct net *net = a->dev->dev->net;

	rtnl_assert();
	/* The work looks when the first is due; a look too many finds nothing to do. */
	if (next_of(a) != U32_MAX && !net->dying)
		mod_delayed_work(system_unbound_wq, &net->ip4->life, HZ);
}

void in_addr_renew(struct in_addr4 *a, const struct in_addr4 *want)
{
	rtnl_assert();
	a->valid_s = want->valid_s;
	a->preferred_s = want->preferred_s;
	a->changed_ns = ktime_get_ns();
	WRITE_ONCE(a->flags, (a->flags & ~(u32)(IFA_F_DEPRECATED | IFA_F_PERMANENT)) |
				     (want->valid_s == U32_MAX ? IFA_F_PERMANENT : 0) |
				     (want->preferred_s ? 0 : IFA_F_DEPRECATED));
	in_addr_watch(a);
	in_addr_tell(a, true);
}

void in_addr_life_begin(struct net *net, struct ip4_net *n)
{
	n->net = net;
	INIT_DELAYED_WORK(&n->life, life_work);
}

void in_addr_life_end(struct ip4_net *n)
{
	cancel_delayed_work_sync(&n->life);
}
