// SPDX-License-Identifier: MIT
/*
 * Groups that this machine has joined on a device. (Routers are not told: IGMP is not there yet;
 * switches that do not snoop, and other namespaces, need none.)
 */
#include <lib/string.h>
#include <alloc/slab.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/wire/eth.h"
#include "net/wire/ip4.h"

static void link_address(be32 group, u8 *mac)
{
	u32 g = ip4_host(group);
	const u8 a[ETH_ADDR] = { 1, 0, 0x5e, (g >> 16) & 0x7f, (u8)(g >> 8), (u8)g };

	memset(mac, 0, NETDEV_ADDR);
	memcpy(mac, a, ETH_ADDR);
}

static struct in_group *find(struct in_device *in, be32 group)
{
	u32 hash = in_group_hash(group);
	struct in_group *g, *found = NULL;
	unsigned long *b = ghash_lock(&in->group_hash, hash);

	ghash_for_each(g, b, hash, node)
		if (g->group.v == group.v) {
			found = g;
			break;
		}
	ghash_unlock(b);
	return found;
}

int in_group_join(struct in_device *in, be32 group)
{
	struct in_group *g = find(in, group);
	u8 mac[NETDEV_ADDR];
	unsigned long *b;
	int err;

	rtnl_assert();
	if (g) {
		g->users++;
		return 0;
	}
	g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);
	if (!g)
		return -ENOMEM;
	link_address(group, mac);
	err = netdev_mc_add(in->dev, mac);
	if (err) {
		kfree(g);
		return err;
	}
	g->group = group;
	g->users = 1;
	list_add_tail(&g->list, &in->groups);
	ghash_reserve(&in->group_hash);
	b = ghash_lock(&in->group_hash, in_group_hash(group));
	ghash_add(&in->group_hash, b, &g->node, in_group_hash(group));
	ghash_unlock(b);
	return 0;
}

void in_group_leave(struct in_device *in, be32 group)
{
	struct in_group *g = find(in, group);
	u8 mac[NETDEV_ADDR];

	rtnl_assert();
	if (!g || --g->users)
		return;
	link_address(group, mac);
	netdev_mc_del(in->dev, mac);
	ghash_del(&in->group_hash, &g->node);
	list_del(&g->list);
	kfree_rcu(g, rcu);
}
