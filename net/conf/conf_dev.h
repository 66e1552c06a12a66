/* SPDX-License-Identifier: MIT */
/*
 * Settings that each device has: tables of them, from which conf/all, conf/default and conf/DEV,
 * neigh/default and neigh/DEV are made.
 */
#pragma once

#include <kernel/show.h>
#include <net/netdev.h>

struct conf_value {
	const char *name;
	u16 at;				/* of the int, in struct in_conf and its like */
	int least, most;
	int scale;			/* the int is in units of 1 / scale; 0: 1 */
	bool memory;			/* what peers can make the namespace keep */
	/* rtnl. V is set, with what follows from it; NULL: nothing does. */
	void (*set)(struct netdev *d, int v);
};

extern const struct conf_value conf4_values[], conf6_values[], neigh_values[];
extern const unsigned int conf4_nr, conf6_nr, neigh_nr;
/* sysctl.c: an attribute below DIR for each of V that needs nothing done, at BASE. */
void conf_settings(const char *dir, const struct conf_value *v, unsigned int nr, void *base,
		   void *(*of_caller)(void *value));
/* rtnl. The int at AT of conf/default is that of devices that have none of their own. */
void conf4_copy_default(struct net *net, u32 at);
/* sysctl6.c. */
void conf6_set_forwarding(struct netdev *d, int v);
void conf6_set_disable(struct netdev *d, int v);
