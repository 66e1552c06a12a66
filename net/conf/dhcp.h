/* SPDX-License-Identifier: MIT */
/* The DHCP client of ip=dhcp, for ipparam.c. */
#pragma once

#include <net/netdev.h>
#include "net/wire/dhcp.h"

/*
 * A lease for D, an Ethernet device of its namespace that is up and referenced. Sleeps, without
 * rtnl. 0; -ETIMEDOUT: nobody answered; -ECONNREFUSED, -EADDRNOTAVAIL, -EOPNOTSUPP, -ENOMEM.
 */
int conf_dhcp(struct netdev *d, struct dhcp_reply *r) __must_check;
