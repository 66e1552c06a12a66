// SPDX-License-Identifier: MIT
/* Freeing extents by a later transaction: EFI and EFD. */
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/ag/drain.h"
#include <lib/string.h>
#include <abi/errno.h>

#define MOST 16

struct work {
	struct xfs_work w;
	u64 fsb;
	u32 len;
	bool keep;
	struct xfs_owner owner;
	struct xfs_pending pending;
};

/* The log's item, in the CPU's byte order. */
struct item {
	u16 type, regions;
	u32 count;
	u64 id;
	struct {
		u64 fsb;
		u32 len, pad;
	} ext[MOST];
};
_Static_assert(offsetof(struct item, ext) == 16, "EFI");

static u32 fill(struct item *it, u16 type, const struct list_head *list)
{
	struct xfs_work *w;

	memset(it, 0, sizeof(*it));
	it->type = type;
	it->regions = 1;
	list_for_each_entry(w, list, node) {
		const struct work *f = container_of(w, struct work, w);

		it->ext[it->count].fsb = f->fsb;
		it->ext[it->count++].len = f->len;
	}
	return (u32)(offsetof(struct item, ext) + it->count * sizeof(it->ext[0]));
}

static struct xfs_intent *free_begin(struct xfs_tx *tx, const struct list_head *list, int *e)
{
	struct item it;
	struct xfs_lpart part = { &it, fill(&it, XFS_LI_EFI, list) };
	struct xfs_intent *in = xfs_tx_intent(tx, &part, 1);

	*e = in ? 0 : -ENOMEM;
	return in;
}

static void free_end(struct xfs_tx *tx, struct xfs_intent *in, const struct list_head *list)
{
	struct item it;
	u32 len = fill(&it, XFS_LI_EFD, list);

	xfs_tx_done(tx, in, &it, len);
}

static int free_finish(struct xfs_tx *tx, struct xfs_work *w)
{
	struct work *f = container_of(w, struct work, w);
	int e;

	if (xfs_fsb_ag(&tx->fs->vol.sb, f->fsb) < tx->lowest)
		return -EAGAIN;		/* its lock may not be waited for: after a roll */
	e = xfs_free(tx, f->fsb, f->len, &f->owner, f->keep, false);
	if (!e && tx->refill)
		tx->blocks += f->len;
	return e;
}

static void free_free(struct xfs_work *w)
{
	struct work *f = container_of(w, struct work, w);

	xfs_pending_end(&f->pending);
	xfs_mem_free(f);
}

static int free_recover(struct xfs_tx *tx, const struct xfs_litem *it)
{
	static const struct xfs_owner any = { XFS_OWN_UNKNOWN, 0, false };
	const u8 *p = xfs_lregion_at(it, 0);
	u32 n;
	int e = 0;

	memcpy(&n, p + 4, sizeof(n));
	for (u32 i = 0; !e && i < n; i++) {
		u64 fsb;
		u32 len;

		memcpy(&fsb, p + 16 + (size_t)i * 16, sizeof(fsb));
		memcpy(&len, p + 24 + (size_t)i * 16, sizeof(len));
		if (!xfs_fsb_ok(&tx->fs->vol.sb, fsb, len))
			return xfs_tx_bad(tx, "EFI", "extent", fsb, len);
		e = xfs_free_later(tx, fsb, len, &any, false);
	}
	return e;
}

const struct xfs_work_ops xfs_free_ops = {
	MOST, free_begin, free_end, free_finish, free_free, free_recover,
};

int xfs_free_later(struct xfs_tx *tx, u64 fsb, u32 len, const struct xfs_owner *owner, bool keep)
{
	struct work *f;

	if (!xfs_fsb_ok(&tx->fs->vol.sb, fsb, len))
		return xfs_tx_bad(tx, "extent", "freed", fsb, len);
	f = xfs_mem(sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->fsb = fsb;
	f->len = len;
	f->owner = *owner;
	f->keep = keep;
	xfs_pending_begin(&f->pending, tx->fs, fsb);
	xfs_defer(tx, &f->w, &xfs_free_ops);
	return 0;
}
