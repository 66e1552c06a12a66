/* SPDX-License-Identifier: MIT */
/*
 * Events of devices (udev(7), NETLINK_KOBJECT_UEVENT): "ACTION@PATH" and variables, each ended by
 * NUL. A device is a directory of /sys with a link "subsystem" and a file "uevent", whose lines are
 * its own variables; written to, the file repeats an event for whoever came too late.
 */
#pragma once

#include <lib/types.h>

struct show_node;

enum uevent_action {
	UEVENT_ADD,
	UEVENT_REMOVE,
	UEVENT_CHANGE,
	UEVENT_MOVE,
	UEVENT_ONLINE,
	UEVENT_OFFLINE,
	UEVENT_BIND,
	UEVENT_UNBIND,
	UEVENT_ACTIONS
};

#define UEVENT_MOST 2048		/* bytes of an event */

/*
 * DEV's event goes to the group in each network namespace that belongs to the initial user
 * namespace. EXTRA: more lines, or NULL. What does not fit or has no memory is not sent. Sleeps.
 */
void uevent_send(struct show_node *dev, enum uevent_action action, const char *extra);
/*
 * The same of a device of the network namespace NET, that alone hears it: WAY is its path below
 * /sys, OWN and EXTRA are lines, each ended by a newline; EXTRA may be NULL.
 */
void uevent_send_net(void *net, const char *way, const char *subsystem, enum uevent_action action,
		     const char *extra, const char *own);
/*
 * "ACTION" or "ACTION UUID [KEY=VALUE ...]", as it is written to a file "uevent": the action, and
 * the lines that belong to it in EXTRA (UEVENT_MOST bytes). 0 or -EINVAL.
 */
int uevent_parse(const char *text, size_t len, enum uevent_action *action, char *extra);
/* store() of a device's file "uevent". */
ssize_t uevent_store(struct show_node *n, const char *text, size_t len);
