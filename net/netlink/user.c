// SPDX-License-Identifier: MIT
/*
 * Protocols between programs: NETLINK_USERSOCK, and NETLINK_KOBJECT_UEVENT, on which programs (a
 * device manager) send what the kernel does not.
 */
#include <kernel/init.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <net/netlink.h>

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

static int user_init(void)
{
	netlink_register(&usersock);
	netlink_register(&uevent);
	return 0;
}
INITCALL(core, user_init);
