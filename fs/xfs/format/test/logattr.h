/* SPDX-License-Identifier: MIT */
/* Log items of attributes, for tests: regions in one buffer. */
#pragma once

#include "fs/xfs/format/attr.h"
#include "fs/xfs/format/logitem.h"
#include <string.h>

struct attri_head {
	u16 type, n;
	u32 gen;
	u64 id, ino;
	u32 op;
	u16 len, new_len;
	u32 valuelen, filter;
};

struct attri {
	u8 bytes[1200];
	struct xfs_lregion r[5];
	struct xfs_litem it;
	u32 used;
};

static inline void attri_region(struct attri *t, const void *p, u32 len)
{
	if (!len)
		return;
	t->r[t->it.n++] = (struct xfs_lregion){ t->used, (len + 3) & ~3u };
	memcpy(t->bytes + t->used, p, len);
	t->used += (len + 7) & ~7u;
}

/* An item of head H, with names and values of its lengths. */
static inline void attri_make(struct attri *t, const struct attri_head *h)
{
	static const u8 name[300] = "a-name-of-an-attribute", value[300];
	bool two = h->op == XFS_LATTR_PARENT_REPLACE;

	memset(t, 0, sizeof(*t));
	t->it = (struct xfs_litem){ t->bytes, t->r, 0, XFS_LI_ATTRI };
	attri_region(t, h, sizeof(*h));
	attri_region(t, name, h->len);
	attri_region(t, name, two ? h->new_len : 0);
	attri_region(t, value, h->valuelen);
	attri_region(t, value, two ? h->valuelen : 0);
}
