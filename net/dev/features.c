// SPDX-License-Identifier: MIT
/*
 * What a device does by itself: what programs want of what can be switched, less what makes no
 * sense without the rest. A super-packet is cut up by a device that adds sums and takes pieces, or
 * in software.
 */
#include "net/dev/dev_priv.h"

#define TSO (NETDEV_F_TSO4 | NETDEV_F_TSO6 | NETDEV_F_TSO_ECN)

void netdev_update_features(struct netdev *d)
{
	u32 f = (d->features & ~d->hw_features) | (d->wanted & d->hw_features);

	rtnl_assert();
	if (!(f & NETDEV_F_SG) || !(f & NETDEV_F_CSUM))
		f &= ~(u32)TSO;
	if (!(f & NETDEV_F_TSO4))
		f &= ~(u32)NETDEV_F_TSO_ECN;
	if (f == d->features)
		return;
	WRITE_ONCE(d->features, f);
	netdev_tell(d, NETDEV_CHANGEFEATURES);
}

void netdev_want_features(struct netdev *d, u32 mask, u32 on)
{
	rtnl_assert();
	mask &= d->hw_features;
	d->wanted = (d->wanted & ~mask) | (on & mask);
	netdev_update_features(d);
}
