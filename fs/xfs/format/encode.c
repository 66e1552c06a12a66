// SPDX-License-Identifier: MIT
/* The way back to the disk: inodes from their cores. */
#include "fs/xfs/format/stamp.h"
#include <lib/string.h>

static be64 time_put(const struct xfs_core *c, struct xfs_time t)
{
	if (c->flags2 & XFS_DIFLAG2_BIGTIME)
		return be64_make((u64)(t.sec + (1ll << 31)) * 1000000000 + t.nsec);
	return be64_make((u64)(u32)t.sec << 32 | t.nsec);
}

static void put_counts(const struct xfs_core *c, struct xfs_dinode *d)
{
	if (c->flags2 & XFS_DIFLAG2_NREXT64) {
		d->big_nextents = be64_make(c->nextents);
		d->nextents = be32_make((u32)c->anextents);
		d->anextents = be16_make(0);
	} else {
		d->big_nextents = be64_make(0);
		d->nextents = be32_make((u32)c->nextents);
		d->anextents = be16_make((u16)c->anextents);
	}
}

void xfs_core_encode(const struct xfs_sb *sb, const struct xfs_core *c, struct xfs_dinode *d)
{
	d->magic = be16_make(XFS_DI_MAGIC);
	d->version = 3;
	d->mode = be16_make(c->mode);
	d->format = c->format;
	d->aformat = c->aformat;
	d->uid = be32_make(c->uid);
	d->gid = be32_make(c->gid);
	d->nlink = be32_make(c->nlink);
	d->projid_lo = be16_make((u16)c->projid);
	d->projid_hi = be16_make((u16)(c->projid >> 16));
	put_counts(c, d);
	d->atime = time_put(c, c->atime);
	d->mtime = time_put(c, c->mtime);
	d->ctime = time_put(c, c->ctime);
	d->crtime = time_put(c, c->crtime);
	d->size = be64_make(c->size);
	d->nblocks = be64_make(c->nblocks);
	d->extsize = be32_make(c->extsize);
	d->cowextsize = be32_make(c->cowextsize);
	d->forkoff = (u8)(c->forkoff / 8);
	d->flags = be16_make(c->flags);
	d->flags2 = be64_make(c->flags2);
	d->gen = be32_make(c->gen);
	d->next_unlinked = be32_make(c->next_unlinked);
	d->changecount = be64_make(c->changecount);
	d->ino = be64_make(c->ino);
	memcpy(d->uuid, sb->meta_uuid, XFS_UUID_SIZE);
}

void xfs_inode_encode(const struct xfs_sb *sb, const struct xfs_core *c, const u8 *literal, u8 *p)
{
	struct xfs_dinode d;

	memcpy(&d, p, sizeof(d));
	xfs_core_encode(sb, c, &d);
	memcpy(p, &d, sizeof(d));
	memcpy(p + sizeof(d), literal, xfs_literal_size(sb));
	xfs_inode_stamp(sb, p);
}
