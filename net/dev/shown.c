// SPDX-License-Identifier: MIT
/* What programs see of a device's state (RFC 2863, ifOperStatus). */
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"

u32 netdev_shown_flags(const struct netdev *d)
{
	u32 flags = READ_ONCE(d->flags) &
		    ~(u32)(IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT | IFF_PROMISC | IFF_ALLMULTI);

	flags |= READ_ONCE(d->asked_flags);
	if (flags & IFF_UP && READ_ONCE(d->carrier))
		flags |= IFF_RUNNING | IFF_LOWER_UP;
	return flags;
}

/*
 * A device without open() has no link that could be missing, and of one of software whose link
 * never changed nothing was heard yet: its state is not known.
 */
static bool is_known(const struct netdev *d)
{
	if (READ_ONCE(d->carrier_ups) || READ_ONCE(d->carrier_downs))
		return true;
	return d->ops->open && !(d->features & NETDEV_F_NO_QUEUE);
}

u8 netdev_operstate(const struct netdev *d)
{
	if (!(READ_ONCE(d->flags) & IFF_UP))
		return IF_OPER_DOWN;
	if (!READ_ONCE(d->carrier))
		return d->ops->link ? IF_OPER_LOWERLAYERDOWN : IF_OPER_DOWN;
	return is_known(d) ? IF_OPER_UP : IF_OPER_UNKNOWN;
}

struct netdev *netdev_link(struct netdev *d)
{
	struct netdev *other = d->ops->link ? d->ops->link(d) : NULL;

	rtnl_assert();
	/* One end of a pair is registered before the other: until then it stands alone. */
	return other && other->net ? other : d;
}
