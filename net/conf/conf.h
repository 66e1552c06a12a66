/* SPDX-License-Identifier: MIT */
/* Between the files of net/conf. */
#pragma once

#include <kernel/show.h>
#include "net/dev/if_flags.h"
#include "net/inet/inet_priv.h"

/* struct ifconf, with the pointer as a number. */
struct user_ifconf {
	s32 ifc_len;
	u32 pad;
	u64 addresses;
};

static inline void conf_put_addr(struct sockaddr *s, be32 a)
{
	struct sockaddr_in *in = (struct sockaddr_in *)s;

	__builtin_memset(s, 0, sizeof(*s));
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = a.v;
}

static inline be32 conf_get_addr(const struct sockaddr *s)
{
	return (be32){ ((const struct sockaddr_in *)s)->sin_addr.s_addr };
}

/* rtnl. SIOCETHTOOL of D, which is in NET: what lies at ARG says which question. */
long conf_ethtool(struct net *net, struct netdev *d, struct uptr arg);
/* S as four numbers with dots. */
bool conf_parse_ip(const char *s, be32 *out) __must_check;
/* SIOCADDRT, SIOCDELRT; SIOCSARP and its like. */
long conf_route_ioctl(struct net *net, unsigned int cmd, struct uptr arg);
long conf_arp_ioctl(struct net *net, unsigned int cmd, struct uptr arg);

/*
 * sysctl.c: settings of the caller's namespace, an int at VALUE in the initial one's: OF_CALLER
 * says where the caller's is. conf_memory(): what peers can make the namespace keep.
 */
void conf_setting(const char *path, int *value, int least, int most,
		  void *(*of_caller)(void *value));
void conf_memory(const char *path, int *value, int least, void *(*of_caller)(void *value));
void conf_special(const char *dir, const char *name, show_fn show, store_fn store);
