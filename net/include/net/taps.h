/* SPDX-License-Identifier: MIT */
/* The taps (struct packet_type) of a device, or of a namespace: net/dev/taps.c. */
#pragma once

#include <lib/list.h>

struct packet_taps {
	struct list_head list;		/* types_lock, RCU */
	struct list_head order;		/* types_lock: the same, and the places of walks */
	unsigned int nr;		/* types_lock to change */
};
#define PACKET_TAPS_INIT(name) { LIST_HEAD_INIT((name).list), LIST_HEAD_INIT((name).order), 0 }

static inline void packet_taps_init(struct packet_taps *t)
{
	INIT_LIST_HEAD(&t->list);
	INIT_LIST_HEAD(&t->order);
	t->nr = 0;
}
