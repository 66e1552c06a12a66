// SPDX-License-Identifier: MIT
/*
 * Records that overlap: those with one key between their low and their high one may lie anywhere
 * before it. A node's entry has the lowest and the highest key below it, so that only blocks are
 * looked at that can have such a record, each once, from the left to the right.
 */
#include "fs/xfs/btree/priv.h"

/* Is entry I of V a record, or above records, whose keys have KEY between them? */
static bool spans(const struct xfs_bt_view *v, u32 i, const struct xfs_bt_key *key)
{
	struct xfs_bt_key high;

	xfs_bt_high_key(v, i, &high);
	return v->c->shape->cmp(high.b, key->b) >= 0;
}

/*
 * From entry *AT of the path's block of LEVEL on, the first that spans KEY, and which FITS if it is
 * a record.
 */
static bool next_span(struct xfs_bt_cur *c, u32 level, const struct xfs_bt_key *key,
		      bool (*fits)(const u8 *rec, const void *what), const void *what)
{
	struct xfs_bt_view v;
	u32 n;

	xfs_bt_view_at(c, level, &v);
	n = xfs_bt_count(&v);
	for (u32 i = c->lv[level].at; i < n; i++) {
		struct xfs_bt_key low;

		xfs_bt_key(&v, i, &low);
		if (c->shape->cmp(low.b, key->b) > 0)
			return false;
		if (!spans(&v, i, key) || (!level && !fits(xfs_bt_entry(&v, i), what)))
			continue;
		c->lv[level].at = i;
		return true;
	}
	return false;
}

int xfs_bt_find_span(struct xfs_bt_cur *c, const struct xfs_bt_key *key,
		     bool (*fits)(const u8 *rec, const void *what), const void *what, bool *found)
{
	int e = xfs_bt_start(c);
	u32 l = e ? 0 : c->levels - 1;

	*found = false;
	if (e)
		return e;
	c->lv[l].at = 0;
	for (;;) {
		if (next_span(c, l, key, fits, what)) {
			if (!l) {
				*found = true;
				return 0;
			}
			e = xfs_bt_go_down(c, --l);
			if (e)
				break;
			c->lv[l].at = 0;
		} else {
			if (++l == c->levels)
				break;
			c->lv[l].at++;
		}
	}
	xfs_bt_close(c);
	return e;
}
