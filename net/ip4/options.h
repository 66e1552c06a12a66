/* SPDX-License-Identifier: MIT */
/* IP_OPTIONS: what a socket puts into the headers of its packets. */
#pragma once

#include <kernel/rcu.h>
#include <lib/byteorder.h>

struct inet_options {
	struct rcu_head rcu;
	be32 first_hop;			/* source routing: what packets are sent to; zero: none */
	u8 len;				/* a multiple of 4 */
	u8 bytes[40];
};
