/* SPDX-License-Identifier: MIT */
/* IFF_*, ARPHRD_*: what devices are, as programs see it. */
#pragma once

#include <sys/socket.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

/* What a program may set by itself; the others follow from the device's state. */
#define IFF_SETTABLE (IFF_UP | IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_DYNAMIC | IFF_MULTICAST | IFF_PORTSEL | IFF_AUTOMEDIA | IFF_PROMISC | IFF_ALLMULTI)
