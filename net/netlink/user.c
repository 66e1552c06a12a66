// SPDX-License-Identifier: MIT
/*
 * Protocols without requests: NETLINK_USERSOCK, between programs, and NETLINK_KOBJECT_UEVENT, whose
 * group 1 hears events of devices (kernel/uevent.h), and on whose others a device manager tells
 * programs of them.
 */
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/upcalls.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <net/netlink.h>
#include <net/netns.h>
#include <proc/cred.h>

/* A program that may administrate the namespace sends an event to all of its group 1. */
static int uevent_request(struct nl_request *r)
{
	return nl_capable(r, CAP_SYS_ADMIN) ? -EOPNOTSUPP : -EPERM;
}

static const struct nl_protocol usersock = { .protocol = NETLINK_USERSOCK,
					     .groups = 32,
					     .anybody_sends = true };
static const struct nl_protocol uevent = { .protocol = NETLINK_KOBJECT_UEVENT,
					   .groups = 32,
					   .anybody_joins = true,
					   .request = uevent_request };

#define UEVENT_GROUP 1

static bool hears(struct net *net)
{
	return netlink_has_listeners(net, NETLINK_KOBJECT_UEVENT, UEVENT_GROUP);
}

/* The next namespace after NET that hears of the machine's devices and has listeners; puts NET. */
static struct net *next_hearer(struct net *net)
{
	do {
		net = net_next(net);
	} while (net && (net->user_ns != &init_user_ns || !hears(net)));
	return net;
}

bool uevent_is_heard(void *net)
{
	struct net *n;

	if (net)
		return hears(net);
	n = next_hearer(NULL);
	put_net(n);
	return n;
}

static void deliver(struct net *net, const char *msg, size_t len)
{
	struct nlmsg_buf b;

	if (nlmsg_init(&b, len, len, GFP_KERNEL)) {
		netlink_missed(net, NETLINK_KOBJECT_UEVENT, UEVENT_GROUP);
		return;
	}
	memcpy(b.data, msg, len);
	b.len = len;
	netlink_notify(net, NETLINK_KOBJECT_UEVENT, UEVENT_GROUP, &b, NULL);
}

void uevent_deliver(void *net, const char *msg, size_t len)
{
	if (net) {
		deliver(net, msg, len);
		return;
	}
	for (struct net *n = next_hearer(NULL); n; n = next_hearer(n))
		deliver(n, msg, len);
}

void uevent_missed(void *net)
{
	if (net) {
		netlink_missed(net, NETLINK_KOBJECT_UEVENT, UEVENT_GROUP);
		return;
	}
	for (struct net *n = next_hearer(NULL); n; n = next_hearer(n))
		netlink_missed(n, NETLINK_KOBJECT_UEVENT, UEVENT_GROUP);
}

static int user_init(void)
{
	netlink_register(&usersock);
	netlink_register(&uevent);
	return 0;
}
INITCALL(core, user_init);
