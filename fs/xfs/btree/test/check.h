/* SPDX-License-Identifier: MIT */
/* What holds of every block on a cursor's path. */
#pragma once

#include <assert.h>
#include "fs/xfs/btree/priv.h"

/* Keys above are exact, and every block but the root, and the only one of its level, half full. */
static inline void check_path(struct xfs_bt_cur *c)
{
	for (u32 l = 0; l + 1 < c->levels; l++) {
		u8 key[XFS_BT_ENTRY_MAX];
		struct xfs_bt_view v, up;

		xfs_bt_view_at(c, l, &v);
		xfs_bt_view_at(c, l + 1, &up);
		xfs_bt_node_key(&v, key);
		assert(!memcmp(key, xfs_bt_entry(&up, c->lv[l + 1].at), up.entry));
		assert(xfs_bt_count(&v) >= v.max / 2 || xfs_bt_count(&up) == 1);
	}
}
