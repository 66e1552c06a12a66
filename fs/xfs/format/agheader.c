// SPDX-License-Identifier: MIT
#include "fs/xfs/format/agheader.h"
#include <lib/string.h>

static int check_root(const struct xfs_sb *sb, u32 agno, struct xfs_btroot r, const char *what,
		      const char *root, const char *level, u64 place, struct xfs_fault *f)
{
	if (!r.levels || r.levels > XFS_BT_MAXLEVELS)
		return xfs_bad(f, what, level, place, r.levels);
	if (!xfs_agb_ok(sb, agno, r.block))
		return xfs_bad(f, what, root, place, r.block);
	return 0;
}

/* What each of the three has. */
static int check_common(const struct xfs_sb *sb, u32 agno, const void *p, u32 crc_at,
			const u8 *uuid, u32 seqno, const char *what, u64 place, struct xfs_fault *f)
{
	if (!xfs_crc_ok(p, sb->sectsize, crc_at)) {
		xfs_bad(f, what, "crc", place, 0);
		return -XFS_BAD_CRC;
	}
	if (memcmp(uuid, sb->meta_uuid, XFS_UUID_SIZE))
		return xfs_bad(f, what, "uuid", place, 0);
	if (seqno != agno)
		return xfs_bad(f, what, "seqno", place, seqno);
	return 0;
}

int xfs_agf_decode(const struct xfs_sb *sb, u32 agno, const void *p, u64 place, struct xfs_agf *a,
		   struct xfs_fault *f)
{
	const struct xfs_dagf *d = p;
	u32 size = xfs_agfl_size(sb);
	int e;

	if (be32_get(d->magic) != XFS_AGF_MAGIC)
		return xfs_bad(f, "AGF", "magic", place, be32_get(d->magic));
	if (be32_get(d->version) != 1)
		return xfs_bad(f, "AGF", "version", place, be32_get(d->version));
	e = check_common(sb, agno, p, offsetof(struct xfs_dagf, crc), d->uuid, be32_get(d->seqno),
			 "AGF", place, f);
	if (e)
		return e;
	*a = (struct xfs_agf){
		.length = be32_get(d->length),
		.flfirst = be32_get(d->flfirst),
		.fllast = be32_get(d->fllast),
		.flcount = be32_get(d->flcount),
		.freeblks = be32_get(d->freeblks),
		.longest = be32_get(d->longest),
		.btreeblks = be32_get(d->btreeblks),
		.bno = { be32_get(d->bno_root), be32_get(d->bno_level) },
		.cnt = { be32_get(d->cnt_root), be32_get(d->cnt_level) },
	};
	if (a->length != xfs_ag_blocks(sb, agno))
		return xfs_bad(f, "AGF", "length", place, a->length);
	if (a->flfirst >= size || a->fllast >= size || a->flcount > size)
		return xfs_bad(f, "AGF", "flcount", place, a->flcount);
	if (a->freeblks > a->length || a->longest > a->freeblks)
		return xfs_bad(f, "AGF", "freeblks", place, a->freeblks);
	if (a->btreeblks > a->length)
		return xfs_bad(f, "AGF", "btreeblks", place, a->btreeblks);
	e = check_root(sb, agno, a->bno, "AGF", "bno_root", "bno_level", place, f);
	e = e ?: check_root(sb, agno, a->cnt, "AGF", "cnt_root", "cnt_level", place, f);
	if (!e && sb->ro_compat & XFS_RO_RMAPBT) {
		a->rmap = (struct xfs_btroot){ be32_get(d->rmap_root), be32_get(d->rmap_level) };
		a->rmap_blocks = be32_get(d->rmap_blocks);
		if (a->rmap_blocks > a->length)
			return xfs_bad(f, "AGF", "rmapblocks", place, a->rmap_blocks);
		e = check_root(sb, agno, a->rmap, "AGF", "rmap_root", "rmap_level", place, f);
	}
	if (!e && sb->ro_compat & XFS_RO_REFLINK) {
		a->refc = (struct xfs_btroot){ be32_get(d->refc_root), be32_get(d->refc_level) };
		a->refc_blocks = be32_get(d->refc_blocks);
		if (a->refc_blocks > a->length)
			return xfs_bad(f, "AGF", "refcntblocks", place, a->refc_blocks);
		e = check_root(sb, agno, a->refc, "AGF", "refcount_root", "refcount_level", place,
			       f);
	}
	return e;
}

int xfs_agi_decode(const struct xfs_sb *sb, u32 agno, const void *p, u64 place, struct xfs_agi *a,
		   struct xfs_fault *f)
{
	const struct xfs_dagi *d = p;
	int e;

	if (be32_get(d->magic) != XFS_AGI_MAGIC)
		return xfs_bad(f, "AGI", "magic", place, be32_get(d->magic));
	if (be32_get(d->version) != 1)
		return xfs_bad(f, "AGI", "version", place, be32_get(d->version));
	e = check_common(sb, agno, p, offsetof(struct xfs_dagi, crc), d->uuid, be32_get(d->seqno),
			 "AGI", place, f);
	if (e)
		return e;
	*a = (struct xfs_agi){
		.length = be32_get(d->length),
		.count = be32_get(d->count),
		.freecount = be32_get(d->freecount),
		.newino = be32_get(d->newino),
		.ino = { be32_get(d->root), be32_get(d->level) },
	};
	if (a->length != xfs_ag_blocks(sb, agno))
		return xfs_bad(f, "AGI", "length", place, a->length);
	if (a->freecount > a->count || a->count > (u64)a->length << sb->inopblog)
		return xfs_bad(f, "AGI", "freecount", place, a->freecount);
	e = check_root(sb, agno, a->ino, "AGI", "root", "level", place, f);
	if (!e && sb->ro_compat & XFS_RO_FINOBT) {
		a->fino = (struct xfs_btroot){ be32_get(d->free_root), be32_get(d->free_level) };
		e = check_root(sb, agno, a->fino, "AGI", "free_root", "free_level", place, f);
	}
	if (sb->ro_compat & XFS_RO_INOBTCNT) {
		a->iblocks = be32_get(d->iblocks);
		a->fblocks = be32_get(d->fblocks);
	}
	for (u32 i = 0; !e && i < XFS_AGI_BUCKETS; i++) {
		a->unlinked[i] = be32_get(d->unlinked[i]);
		if (a->unlinked[i] != XFS_NULL32 && (a->unlinked[i] % XFS_AGI_BUCKETS != i ||
						     !xfs_agino_ok(sb, agno, a->unlinked[i])))
			return xfs_bad(f, "AGI", "unlinked", place, a->unlinked[i]);
	}
	return e;
}

int xfs_agfl_check(const struct xfs_sb *sb, u32 agno, const void *p, u64 place, struct xfs_fault *f)
{
	const struct xfs_dagfl *d = p;

	if (be32_get(d->magic) != XFS_AGFL_MAGIC)
		return xfs_bad(f, "AGFL", "magic", place, be32_get(d->magic));
	return check_common(sb, agno, p, offsetof(struct xfs_dagfl, crc), d->uuid,
			    be32_get(d->seqno), "AGFL", place, f);
}
