// SPDX-License-Identifier: MIT
/*
 * What /sys/class/net/X says, by the names and in the forms of Linux's sysfs-class-net and
 * sysfs-class-net-statistics.
 */
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include "net/conf/class_net.h"
#include "net/dev/if_flags.h"
#include "net/virt/tun.h"

#define SHOW(name) \
	static ssize_t show_##name(struct netdev *d, const struct class_value *v, char *buf, \
				   size_t size)

static bool is_up(const struct netdev *d)
{
	return d->flags & IFF_UP;
}

/* Numbers that lie in struct netdev. */
SHOW(u32)
{
	return scnprintf(buf, size, "%u\n", *(const u32 *)((const u8 *)d + v->at));
}

SHOW(int)
{
	return scnprintf(buf, size, "%d\n", *(const int *)((const u8 *)d + v->at));
}

SHOW(stat)
{
	struct netdev_stats s;

	netdev_get_stats(d, &s);
	return scnprintf(buf, size, "%llu\n", *(const u64 *)((const u8 *)&s + v->at));
}

SHOW(zero)
{
	return scnprintf(buf, size, "0\n");
}

SHOW(zero_hex)
{
	return scnprintf(buf, size, "0x0\n");
}

/* What only some drivers know, and none here. */
SHOW(unknown)
{
	return -EINVAL;
}

SHOW(alias)
{
	return d->alias ? scnprintf(buf, size, "%s\n", d->alias) : 0;
}

static ssize_t link_addr(const u8 *a, unsigned int len, char *buf, size_t size)
{
	int n = 0;

	for (unsigned int i = 0; i < len; i++)
		n += scnprintf(buf + n, size - (size_t)n, "%s%02x", i ? ":" : "", a[i]);
	return n + scnprintf(buf + n, size - (size_t)n, "\n");
}

SHOW(address)
{
	return link_addr(d->addr, d->addr_len, buf, size);
}

SHOW(broadcast)
{
	return link_addr(d->broadcast, d->addr_len, buf, size);
}

SHOW(addr_len)
{
	return scnprintf(buf, size, "%u\n", d->addr_len);
}

/* NET_ADDR_PERM, _RANDOM, _SET: of devices that programs make addresses are random. */
SHOW(assign_type)
{
	int how = d->kind && d->addr_len ? 1 : 0;

	if (memcmp(d->addr, d->perm_addr, NETDEV_ADDR))
		how = 3;
	return scnprintf(buf, size, "%d\n", how);
}

SHOW(type)
{
	return scnprintf(buf, size, "%u\n", d->type);
}

SHOW(iflink)
{
	return scnprintf(buf, size, "%d\n", netdev_link(d)->ifindex);
}

SHOW(flags)
{
	return scnprintf(buf, size, "0x%x\n", d->flags);
}

SHOW(carrier)
{
	return is_up(d) ? scnprintf(buf, size, "%d\n", READ_ONCE(d->carrier)) : -EINVAL;
}

SHOW(changes)
{
	return scnprintf(buf, size, "%u\n", d->carrier_ups + d->carrier_downs);
}

/* Neither state exists here: a device that is up is not in it. */
SHOW(dormant)
{
	return is_up(d) ? scnprintf(buf, size, "0\n") : -EINVAL;
}

SHOW(operstate)
{
	static const char *const names[] = { "unknown", "notpresent", "down", "lowerlayerdown",
					     "testing", "dormant",    "up" };
	u8 state = netdev_operstate(d);

	return scnprintf(buf, size, "%s\n",
			 state < ARRAY_SIZE(names) ? names[state] : names[IF_OPER_UNKNOWN]);
}

ssize_t class_net_uevent(const struct netdev *d, char *buf, size_t size)
{
	const char *type = d->kind ? d->kind->devtype : NULL;

	return scnprintf(buf, size, "%s%s%sINTERFACE=%s\nIFINDEX=%d\n", type ? "DEVTYPE=" : "",
			 type ?: "", type ? "\n" : "", d->name, d->ifindex);
}

SHOW(uevent)
{
	return class_net_uevent(d, buf, size);
}

SHOW(tun_flags)
{
	return scnprintf(buf, size, "0x%x\n", tun_of(d)->flags);
}

SHOW(tun_owner)
{
	kuid_t o = tun_of(d)->owner;

	return scnprintf(buf, size, "%d\n",
			 uid_valid(o) ? (int)from_kuid_munged(current_user_ns(), o) : -1);
}

SHOW(tun_group)
{
	kgid_t g = tun_of(d)->group;

	return scnprintf(buf, size, "%d\n",
			 gid_valid(g) ? (int)from_kgid_munged(current_user_ns(), g) : -1);
}

static bool is_tun(const struct netdev *d)
{
	return d->ops == &tun_ops;
}

/* ---- changes ---- */

static int set_mtu(struct netdev *d, unsigned long v)
{
	return netdev_set_mtu(d, (u32)v);
}

static int set_queue_len(struct netdev *d, unsigned long v)
{
	if (v > U32_MAX)
		return -ERANGE;
	WRITE_ONCE(d->tx_queue_len, (u32)v);
	return 0;
}

static int set_flags(struct netdev *d, unsigned long v)
{
	return netdev_change_flags(d, (u32)v);
}

static int set_group(struct netdev *d, unsigned long v)
{
	d->group = (u32)v;
	return 0;
}

/* A newline at its end is not a part of it. */
static int set_alias(struct netdev *d, const char *text, size_t len)
{
	return netdev_set_alias(d, text, len && text[len - 1] == '\n' ? len - 1 : len);
}

static int set_carrier(struct netdev *d, unsigned long v)
{
	return is_up(d) ? netdev_set_carrier(d, v) : -EINVAL;
}

#define FIELD(n, field, kind) \
	{ .name = n, .at = offsetof(struct netdev, field), .show = show_##kind }
#define VALUE(n, kind) { .name = n, .show = show_##kind }
#define CHANGES(n, kind, how) { .name = n, .show = show_##kind, .set = how }
#define STAT(field) \
	{ .name = #field, \
	  .place = CLASS_STATS, \
	  .at = offsetof(struct netdev_stats, field), \
	  .show = show_stat }

const struct class_value class_values[] = {
	VALUE("addr_assign_type", assign_type),
	VALUE("addr_len", addr_len),
	VALUE("address", address),
	VALUE("broadcast", broadcast),
	CHANGES("carrier", carrier, set_carrier),
	VALUE("carrier_changes", changes),
	FIELD("carrier_down_count", carrier_downs, u32),
	FIELD("carrier_up_count", carrier_ups, u32),
	VALUE("dev_id", zero_hex),
	VALUE("dev_port", zero),
	VALUE("dormant", dormant),
	VALUE("duplex", unknown),
	CHANGES("flags", flags, set_flags),
	{ .name = "ifalias", .show = show_alias, .set_text = set_alias },
	FIELD("ifindex", ifindex, int),
	VALUE("iflink", iflink),
	VALUE("link_mode", zero),
	{ .name = "mtu", .at = offsetof(struct netdev, mtu), .show = show_u32, .set = set_mtu },
	VALUE("name_assign_type", unknown),
	{ .name = "netdev_group",
	  .at = offsetof(struct netdev, group),
	  .show = show_u32,
	  .set = set_group },
	VALUE("operstate", operstate),
	VALUE("proto_down", zero),
	VALUE("speed", unknown),
	VALUE("testing", dormant),
	{ .name = "tx_queue_len",
	  .at = offsetof(struct netdev, tx_queue_len),
	  .show = show_u32,
	  .set = set_queue_len },
	VALUE("type", type),
	{ .name = "uevent", .show = show_uevent, .is_uevent = true },
	{ .name = "tun_flags", .show = show_tun_flags, .has = is_tun },
	{ .name = "owner", .show = show_tun_owner, .has = is_tun },
	{ .name = "group", .show = show_tun_group, .has = is_tun },
	STAT(rx_packets),
	STAT(tx_packets),
	STAT(rx_bytes),
	STAT(tx_bytes),
	STAT(rx_errors),
	STAT(tx_errors),
	STAT(rx_dropped),
	STAT(tx_dropped),
	STAT(multicast),
	STAT(collisions),
	STAT(rx_length_errors),
	STAT(rx_over_errors),
	STAT(rx_crc_errors),
	STAT(rx_frame_errors),
	STAT(rx_fifo_errors),
	STAT(rx_missed_errors),
	STAT(tx_aborted_errors),
	STAT(tx_carrier_errors),
	STAT(tx_fifo_errors),
	STAT(tx_heartbeat_errors),
	STAT(tx_window_errors),
	STAT(rx_compressed),
	STAT(tx_compressed),
	STAT(rx_nohandler),
	{ .name = "tx_timeout", .place = CLASS_TX_QUEUE, .show = show_zero },
};
const unsigned int class_nr_values = ARRAY_SIZE(class_values);
