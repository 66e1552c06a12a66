// SPDX-License-Identifier: MIT
/* A network device whose other end is the test: tun or tap, in a network namespace of its own. */
#pragma once

#include "nl.h"
#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

/*
 * Makes the namespace and the device "wire", up with ADDRESS (host order) and a mask of 24 bits.
 * FLAGS: IFF_TUN or IFF_TAP, and more of TUNSETIFF's; with IFF_VNET_HDR TUNSETOFFLOAD sets
 * OFFLOADS. IFINDEX may be NULL.
 */
static inline int open_wire(unsigned int address, short flags, unsigned int offloads, int *ifindex)
{
	struct ifreq r = { .ifr_name = "wire", .ifr_flags = (short)(IFF_NO_PI | flags) };
	struct sockaddr_in *at = (void *)&r.ifr_addr;
	int s, tun;

	own_net(NETLINK_ROUTE);
	tun = open("/dev/net/tun", O_RDWR);
	if (tun < 0 && (errno == ENOENT || errno == ENODEV))
		SKIP("no /dev/net/tun");
	OK(tun);
	OK(ioctl(tun, TUNSETIFF, &r));
	if (flags & IFF_VNET_HDR)
		OK(ioctl(tun, TUNSETOFFLOAD, offloads));
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(address);
	OK(ioctl(s, SIOCSIFADDR, &r));
	at->sin_addr.s_addr = htonl(0xffffff00);
	OK(ioctl(s, SIOCSIFNETMASK, &r));
	r.ifr_flags = IFF_UP;
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	OK(ioctl(s, SIOCGIFINDEX, &r));
	if (ifindex)
		*ifindex = r.ifr_ifindex;
	close(s);
	return tun;
}
