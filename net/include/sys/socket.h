/* SPDX-License-Identifier: MIT */
/* What <linux/if.h> and its kin want of the C library: the general form of an address. */
#pragma once

#include <linux/socket.h>

struct sockaddr {
	unsigned short sa_family;
	char sa_data[14];
};
