// SPDX-License-Identifier: MIT
/* /proc/net/netlink. */
#include <alloc/ghash.h>
#include <net/show.h>
#include <vfs/file.h>
#include <vfs/seq_file.h>
#include "net/netlink/netlink_priv.h"

static void show(struct ghash_node *node, void *arg)
{
	struct netlink_info i;

	netlink_describe(netlink_of_node(node), &i);
	/* The first column was an address once. */
	seq_printf(arg, "%016lx %-3d %-10u %08x %-8d %-8d %-5d %-8d %-8u %-8llu\n", 0ul, i.protocol,
		   i.portid, i.groups, i.rmem, i.wmem, i.dumping, i.refs, i.drops,
		   (unsigned long long)i.ino);
}

void net_show_netlink(struct seq_file *m, struct net *net)
{
	seq_puts(m, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    "
		    "Drops    Inode\n");
	for (u64 pos = 0; pos < GHASH_END && !seq_has_overflowed(m);)
		netlink_walk(net, &pos, show, m);
}
