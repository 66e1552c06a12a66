// SPDX-License-Identifier: MIT
/*
 * SIOCETHTOOL: what programs ask of a device (ethtool(8)). Of what they change, features and the
 * number of queues are there; the rest answers EOPNOTSUPP, after the check of rights. Sets of
 * strings are asked for by their number of entries, then by name, then by value; a device that has
 * no such set is EOPNOTSUPP.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/show.h>
#include <mm/uaccess.h>
#include <net/netns.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include "net/conf/conf.h"

#define ETOOSMALL 525		/* as Linux gives it: not in errno(3) */
#define MASK_WORDS ((__ETHTOOL_LINK_MODE_MASK_NBITS + 31) / 32)

/* Features that have a name on Linux; their order is ours, as programs go by the names. */
static const struct {
	u32 bit;
	const char *name;
	bool fixed;
} features[] = {
	{ NETDEV_F_SG, "tx-scatter-gather", false },
	{ NETDEV_F_CSUM, "tx-checksum-ip-generic", false },
	{ NETDEV_F_TSO4, "tx-tcp-segmentation", false },
	{ NETDEV_F_TSO_ECN, "tx-tcp-ecn-segmentation", false },
	{ NETDEV_F_TSO6, "tx-tcp6-segmentation", false },
	{ NETDEV_F_GSO, "tx-generic-segmentation", true },
	{ NETDEV_F_GSO_UDP, "tx-udp-segmentation", false },
	{ NETDEV_F_GRO, "rx-gro", false },
	{ NETDEV_F_LRO, "rx-lro", false },
	{ NETDEV_F_RXCSUM, "rx-checksum", false },
	{ NETDEV_F_LOCAL, "loopback", true },
};
_Static_assert(ARRAY_SIZE(features) <= 32, "one block");

static bool is_loopback(const struct netdev *d)
{
	return d->flags & IFF_LOOPBACK;
}

static long get_driver(const struct netdev *d, struct uptr arg)
{
	struct ethtool_drvinfo i = { .cmd = ETHTOOL_GDRVINFO };
	const char *name = d->kind ? d->kind->name : d->driver_name;

	if (!name)
		return -EOPNOTSUPP;
	strscpy(i.driver, name, sizeof(i.driver));
	/* the name on the bus above, as Linux's virtio_net says */
	if (d->parent && d->parent->parent)
		strscpy(i.bus_info, d->parent->parent->name, sizeof(i.bus_info));
	strscpy(i.version, utsname_ns()->name.release, sizeof(i.version));
	return copy_to_user(arg, &i, sizeof(i)) ? -EFAULT : 0;
}

static long get_link(const struct netdev *d, struct uptr arg)
{
	const struct ethtool_value v = { ETHTOOL_GLINK,
					 d->flags & IFF_UP && READ_ONCE(d->carrier) };

	return copy_to_user(arg, &v, sizeof(v)) ? -EFAULT : 0;
}

/* The speed is not known of devices that have no wire; the first call asks how long masks are. */
static long get_link_settings(const struct netdev *d, struct uptr arg)
{
	static const u32 masks[3 * MASK_WORDS];
	struct ethtool_link_settings s;
	s8 words;

	if (is_loopback(d))
		return -EOPNOTSUPP;
	if (copy_from_user(&s, arg, sizeof(s)))
		return -EFAULT;
	words = s.link_mode_masks_nwords;
	memset(&s, 0, sizeof(s));
	s.cmd = ETHTOOL_GLINKSETTINGS;
	s.link_mode_masks_nwords = MASK_WORDS;
	if (words != MASK_WORDS) {
		s.link_mode_masks_nwords = -(s8)MASK_WORDS;
		return copy_to_user(arg, &s, sizeof(s)) ? -EFAULT : 0;
	}
	s.speed = d->kind ? 10000 : (u32)SPEED_UNKNOWN;	/* veth: as Linux says */
	s.duplex = d->kind ? DUPLEX_FULL : DUPLEX_UNKNOWN;
	s.port = d->kind ? PORT_TP : PORT_OTHER;
	if (copy_to_user(arg, &s, sizeof(s)) ||
	    copy_to_user(uptr_add(arg, sizeof(s)), masks, sizeof(masks)))
		return -EFAULT;
	return 0;
}

/* Features as programs number them. */
static u32 bits_of(u32 f)
{
	u32 b = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
		b |= f & features[i].bit ? 1u << i : 0;
	return b;
}

static u32 features_of(u32 bits)
{
	u32 f = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
		f |= bits >> i & 1 && !features[i].fixed ? features[i].bit : 0;
	return f;
}

static long get_features(const struct netdev *d, struct uptr arg)
{
	struct ethtool_gfeatures g;
	struct ethtool_get_features_block b = { .active = bits_of(d->features) };
	u32 room;

	if (copy_from_user(&g, arg, sizeof(g)))
		return -EFAULT;
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++) {
		u32 bit = 1u << i;

		b.available |= d->hw_features & features[i].bit && !features[i].fixed ? bit : 0;
		b.never_changed |= features[i].fixed ? bit : 0;
	}
	b.requested = bits_of(d->wanted);
	room = g.size;
	g.size = 1;
	if (copy_to_user(arg, &g, sizeof(g)) ||
	    (room && copy_to_user(uptr_add(arg, sizeof(g)), &b, sizeof(b))))
		return -EFAULT;
	return 0;
}

/* Which of what was asked for cannot be, as ETHTOOL_F_*; -errno. */
static long set_features(struct netdev *d, struct uptr arg)
{
	struct ethtool_set_features_block b;
	struct ethtool_sfeatures s;
	long said = 0;
	u32 mask;

	if (copy_from_user(&s, arg, sizeof(s)))
		return -EFAULT;
	if (s.size != 1)
		return -EINVAL;
	if (copy_from_user(&b, uptr_add(arg, sizeof(s)), sizeof(b)))
		return -EFAULT;
	if (b.valid & ~(u32)((1ull << ARRAY_SIZE(features)) - 1))
		return -EINVAL;
	mask = features_of(b.valid) & d->hw_features;
	if (bits_of(mask) != b.valid)
		said |= ETHTOOL_F_UNSUPPORTED;
	netdev_want_features(d, mask, features_of(b.requested));
	if ((d->features ^ d->wanted) & mask)
		said |= ETHTOOL_F_WISH;
	return said;
}

/* What the older commands, with one value each, mean; 0: it is none of those. */
static u32 one_feature(u32 cmd)
{
	switch (cmd) {
	case ETHTOOL_GSG:
	case ETHTOOL_SSG:
		return NETDEV_F_SG;
	case ETHTOOL_GTXCSUM:
	case ETHTOOL_STXCSUM:
		return NETDEV_F_CSUM;
	case ETHTOOL_GRXCSUM:
	case ETHTOOL_SRXCSUM:
		return NETDEV_F_RXCSUM;
	case ETHTOOL_GTSO:
	case ETHTOOL_STSO:
		return NETDEV_F_TSO4 | NETDEV_F_TSO6 | NETDEV_F_TSO_ECN;
	case ETHTOOL_GGSO:
	case ETHTOOL_SGSO:
		return NETDEV_F_GSO;
	case ETHTOOL_GGRO:
	case ETHTOOL_SGRO:
		return NETDEV_F_GRO;
	}
	return 0;
}

static bool sets_one(u32 cmd)
{
	return cmd == ETHTOOL_SSG || cmd == ETHTOOL_STXCSUM || cmd == ETHTOOL_SRXCSUM ||
	       cmd == ETHTOOL_STSO || cmd == ETHTOOL_SGSO || cmd == ETHTOOL_SGRO;
}

static long get_one(const struct netdev *d, u32 cmd, struct uptr arg)
{
	const struct ethtool_value v = { cmd, !!(d->features & one_feature(cmd)) };

	return copy_to_user(arg, &v, sizeof(v)) ? -EFAULT : 0;
}

static long set_one(struct netdev *d, u32 cmd, struct uptr arg)
{
	u32 mask = one_feature(cmd) & d->hw_features;
	struct ethtool_value v;

	if (copy_from_user(&v, arg, sizeof(v)))
		return -EFAULT;
	if (!mask)
		return -EOPNOTSUPP;
	netdev_want_features(d, mask, v.data ? mask : 0);
	return 0;
}

/* Entries of a set of strings; -EOPNOTSUPP. */
static int set_size(u32 set)
{
	return set == ETH_SS_FEATURES ? (int)ARRAY_SIZE(features) : -EOPNOTSUPP;
}

/* The mask keeps the sets that are there; their sizes follow, in the order of the sets. */
static long get_set_info(struct uptr arg)
{
	struct ethtool_sset_info i;
	u32 size = (u32)set_size(ETH_SS_FEATURES);

	if (copy_from_user(&i, arg, sizeof(i)))
		return -EFAULT;
	if (!i.sset_mask)
		return 0;
	i.sset_mask &= 1ull << ETH_SS_FEATURES;
	if (copy_to_user(arg, &i, sizeof(i)) ||
	    (i.sset_mask && put_user(size, uptr_add(arg, sizeof(i)))))
		return -EFAULT;
	return 0;
}

static long get_strings(struct uptr arg)
{
	struct ethtool_gstrings g;
	int n;

	if (copy_from_user(&g, arg, sizeof(g)))
		return -EFAULT;
	n = set_size(g.string_set);
	if (n < 0)
		return n;
	g.len = (u32)n;
	if (copy_to_user(arg, &g, sizeof(g)))
		return -EFAULT;
	arg = uptr_add(arg, sizeof(g));
	for (int i = 0; i < n; i++, arg = uptr_add(arg, ETH_GSTRING_LEN)) {
		char name[ETH_GSTRING_LEN] = {};

		strscpy(name, features[i].name, sizeof(name));
		if (copy_to_user(arg, name, sizeof(name)))
			return -EFAULT;
	}
	return 0;
}

static long get_channels(const struct netdev *d, struct uptr arg)
{
	struct ethtool_channels c = { .cmd = ETHTOOL_GCHANNELS };

	if (is_loopback(d))
		return -EOPNOTSUPP;
	c.max_combined = min(d->nr_rx, d->nr_tx);
	c.combined_count = min(d->real_rx, d->real_tx);
	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}

/* The counts of rx, tx and other are 0 here, and stay so. */
static long set_channels(struct netdev *d, struct uptr arg)
{
	struct ethtool_channels c;

	if (!d->ops->set_channels)
		return -EOPNOTSUPP;
	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.rx_count || c.tx_count || c.other_count || c.combined_count > min(d->nr_rx, d->nr_tx))
		return -EINVAL;
	if (c.combined_count == min(d->real_rx, d->real_tx))
		return 0;
	return netdev_set_channels(d, (u16)c.combined_count);
}

static long get_permanent_address(const struct netdev *d, struct uptr arg)
{
	struct ethtool_perm_addr a;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.size < d->addr_len)
		return -ETOOSMALL;
	a.size = d->addr_len;
	if (copy_to_user(arg, &a, sizeof(a)) ||
	    copy_to_user(uptr_add(arg, sizeof(a)), d->perm_addr, d->addr_len))
		return -EFAULT;
	return 0;
}

/* Others than these are for CAP_NET_ADMIN, whether they are there or not. */
static bool is_anybodys(u32 cmd)
{
	switch (cmd) {
	case ETHTOOL_GSET:
	case ETHTOOL_GDRVINFO:
	case ETHTOOL_GMSGLVL:
	case ETHTOOL_GLINK:
	case ETHTOOL_GCOALESCE:
	case ETHTOOL_GRINGPARAM:
	case ETHTOOL_GPAUSEPARAM:
	case ETHTOOL_GRXCSUM:
	case ETHTOOL_GTXCSUM:
	case ETHTOOL_GSG:
	case ETHTOOL_GSSET_INFO:
	case ETHTOOL_GSTRINGS:
	case ETHTOOL_GSTATS:
	case ETHTOOL_GTSO:
	case ETHTOOL_GPERMADDR:
	case ETHTOOL_GGSO:
	case ETHTOOL_GGRO:
	case ETHTOOL_GFLAGS:
	case ETHTOOL_GPFLAGS:
	case ETHTOOL_GRXFH:
	case ETHTOOL_GRXRINGS:
	case ETHTOOL_GRXCLSRLCNT:
	case ETHTOOL_GRXCLSRULE:
	case ETHTOOL_GRXCLSRLALL:
	case ETHTOOL_GRXFHINDIR:
	case ETHTOOL_GFEATURES:
	case ETHTOOL_GCHANNELS:
	case ETHTOOL_GET_TS_INFO:
	case ETHTOOL_GEEE:
	case ETHTOOL_GLINKSETTINGS:
	case ETHTOOL_GFECPARAM:
		return true;
	}
	return false;
}

long conf_ethtool(struct net *net, struct netdev *d, struct uptr arg)
{
	u32 cmd;

	rtnl_assert();
	if (get_user(cmd, arg))
		return -EFAULT;
	if (!is_anybodys(cmd) && !ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (one_feature(cmd))
		return sets_one(cmd) ? set_one(d, cmd, arg) : get_one(d, cmd, arg);
	switch (cmd) {
	case ETHTOOL_GDRVINFO:
		return get_driver(d, arg);
	case ETHTOOL_GLINK:
		return get_link(d, arg);
	case ETHTOOL_GLINKSETTINGS:
		return get_link_settings(d, arg);
	case ETHTOOL_GFEATURES:
		return get_features(d, arg);
	case ETHTOOL_SFEATURES:
		return set_features(d, arg);
	case ETHTOOL_GSSET_INFO:
		return get_set_info(arg);
	case ETHTOOL_GSTRINGS:
		return get_strings(arg);
	case ETHTOOL_GCHANNELS:
		return get_channels(d, arg);
	case ETHTOOL_SCHANNELS:
		return set_channels(d, arg);
	case ETHTOOL_GPERMADDR:
		return get_permanent_address(d, arg);
	}
	return -EOPNOTSUPP;	/* GSTATS too: no device here counts anything of its own */
}
