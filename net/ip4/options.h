/* SPDX-License-Identifier: MIT */
/* IP_OPTIONS: what a socket puts into the headers of its packets. */
#pragma once

#include <kernel/rcu.h>
#include <lib/byteorder.h>

struct inet_options {
	struct rcu_head rcu;
	u8 len;				/* a multiple of 4 */
	u8 bytes[40];
};
