// SPDX-License-Identifier: MIT
/* Long values: blocks of the fork, each with a header; they are written past the log. */
#include "fs/xfs/xattr/xattr_priv.h"

/* Block N of the value, as it lies at DADDR. */
static void fill(struct xfs_xop *o, u8 *p, u32 n, u64 daddr)
{
	u32 room = xfs_rmt_room(o->sb), part = min(room, o->x->valuelen - n * room);
	struct xfs_drmt *h = (void *)p;
	u32 crc;

	*h = (struct xfs_drmt){ .magic = be32_make(XFS_ATTR_RMT_MAGIC),
				.offset = be32_make(n * room),
				.bytes = be32_make(part),
				.owner = be64_make(o->ip->node.core.ino),
				.blkno = be64_make(daddr),
				.lsn = be64_make(XFS_NULL64) };
	memcpy(h->uuid, o->sb->meta_uuid, XFS_UUID_SIZE);
	memcpy(h + 1, o->x->value + (size_t)n * room, part);
	memset((u8 *)(h + 1) + part, 0, room - part);
	crc = xfs_crc(p, o->sb->blocksize, offsetof(struct xfs_drmt, crc));
	memcpy(&h->crc, &(u32){ le32_raw(crc) }, 4);
}

/* For each run of the N blocks from BLOCK on: written (DATA a buffer for all), or forgotten. */
static int each_run(struct xfs_xop *o, u32 block, u32 n, u8 *data)
{
	for (u32 done = 0; done < n;) {
		struct xfs_run run;
		struct xfs_map m;
		u32 count;
		int e = xfs_bmap(&o->tx->fs->vol, &o->ip->node, true, block + done, &m);

		if (e)
			return e;
		count = (u32)min(m.off + m.count - block - done, (u64)(n - done));
		if (m.type == XFS_MAP_HOLE && o->torn) {
			done += count;
			continue;
		}
		if (m.type != XFS_MAP_DATA)
			return xfs_xop_bad(o, "block of a value", block + done);
		m.fsb += block + done - m.off;
		run.daddr = xfs_fsb_daddr(o->sb, m.fsb);
		run.bbs = count << (o->sb->blocklog - 9);
		for (u32 i = 0; data && i < count; i++)
			fill(o, data + ((size_t)i << o->sb->blocklog), done + i,
			     run.daddr + ((u64)i << (o->sb->blocklog - 9)));
		if (data)
			e = xfs_tx_write(o->tx, XFS_BLK_ATTR_RMT, &run, 1, data);
		/* Values are read block by block, and were never in the log. */
		for (u32 i = 0; !data && i < count; i++)
			xfs_tx_forget_at(o->tx, xfs_fsb_daddr(o->sb, m.fsb + i),
					 1u << (o->sb->blocklog - 9));
		if (e)
			return e;
		done += count;
	}
	return 0;
}

int xfs_xremote_write(struct xfs_xop *o, u32 *block)
{
	u32 n = xfs_xremote_blocks(o->sb, o->x->valuelen);
	u64 off = 1;
	u8 *data;
	int e = xfs_fork_hole(o->tx, o->ip, true, &off, XFS_NULL32, n);

	if (e)
		return e;
	data = xfs_mem((size_t)n << o->sb->blocklog);
	if (!data)
		return -ENOMEM;
	e = xfs_bmap_alloc(o->tx, o->ip, true, off, n, o->ip->node.core.ino >> o->sb->inopblog,
			   false);
	*block = (u32)off;
	e = e ?: each_run(o, *block, n, data);
	xfs_mem_free(data);
	return e;
}

int xfs_xremote_free(struct xfs_xop *o, const struct xfs_attr *a)
{
	u32 n = xfs_xremote_blocks(o->sb, a->valuelen);
	int e;

	if (a->flags & XFS_ATTR_LOCAL || !n || !a->block)
		return 0;
	e = each_run(o, a->block, n, NULL);
	return e ?: xfs_bmap_free(o->tx, o->ip, true, a->block, n);
}
