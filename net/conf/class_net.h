/* SPDX-License-Identifier: MIT */
/* The values of a network device in /sys: class_net.c has the directories. */
#pragma once

#include <net/netdev.h>
#include <net/netns.h>

enum class_place { CLASS_DEVICE, CLASS_STATS, CLASS_TX_QUEUE };

struct class_value {
	const char *name;
	enum class_place place;
	unsigned int at;		/* where in its structure, of a number */
	/* rtnl. Text into BUF (SIZE bytes): the length or -errno. */
	ssize_t (*show)(struct netdev *d, const struct class_value *v, char *buf, size_t size);
	/* rtnl; the caller may. 0 or -errno; NULL: it cannot be changed. */
	int (*set)(struct netdev *d, unsigned long value);
	/* The same of a text that is no number, LEN bytes; NULL: it is none. */
	int (*set_text)(struct netdev *d, const char *text, size_t len);
	/* RCU: whether D has it; NULL: all have it. */
	bool (*has)(const struct netdev *d);
	bool is_uevent;			/* an action is written to it */
};
/* rtnl. D's own lines in its file "uevent". */
ssize_t class_net_uevent(const struct netdev *d, char *buf, size_t size);

extern const struct class_value class_values[];
extern const unsigned int class_nr_values;
