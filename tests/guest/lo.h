/* SPDX-License-Identifier: MIT */
/*
 * Sockets over loopback, in a network namespace of the test's own: what other tests do does not
 * matter.
 */
#pragma once

#include "t.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Makes the namespace, with lo up. */
static inline void own_net(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	int s;

	if (unshare(CLONE_NEWNET))
		SKIP("no network namespaces");
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(ioctl(s, SIOCGIFFLAGS, &r));
	r.ifr_flags |= IFF_UP;
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	close(s);
}

static inline struct sockaddr_in in_addr_of(const char *a, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((unsigned short)port),
				  .sin_addr.s_addr = inet_addr(a) };

	return in;
}

#define SA(x) ((struct sockaddr *)&(x)), sizeof(x)
