// SPDX-License-Identifier: MIT
#include "fs/xfs/format/inode.h"
#include "fs/xfs/format/attr.h"
#include "fs/xfs/format/dir.h"
#include <lib/string.h>
#include <abi/errno.h>

#define IN "inode"
#define S_FMT 0170000u
#define FMT_FIFO 0010000u
#define FMT_CHR 0020000u
#define FMT_DIR 0040000u
#define FMT_BLK 0060000u
#define FMT_REG 0100000u
#define FMT_LNK 0120000u
#define FMT_SOCK 0140000u

/*
 * Bigtime counts nanoseconds since 1901-12-13 20:45:52; before there were seconds and nanoseconds.
 */
static struct xfs_time time_get(const struct xfs_core *c, be64 v)
{
	u64 t = be64_get(v);

	if (c->flags2 & XFS_DIFLAG2_BIGTIME)
		return (struct xfs_time){ (s64)(t / 1000000000) - (1ll << 31),
					  (u32)(t % 1000000000) };
	return (struct xfs_time){ (s32)(t >> 32), (u32)t % 1000000000 };
}

static void decode(const struct xfs_dinode *d, struct xfs_core *c)
{
	*c = (struct xfs_core){
		.ino = be64_get(d->ino),
		.mode = be16_get(d->mode),
		.format = d->format,
		.aformat = d->aformat,
		.uid = be32_get(d->uid),
		.gid = be32_get(d->gid),
		.nlink = be32_get(d->nlink),
		.projid = (u32)be16_get(d->projid_hi) << 16 | be16_get(d->projid_lo),
		.gen = be32_get(d->gen),
		.extsize = be32_get(d->extsize),
		.cowextsize = be32_get(d->cowextsize),
		.size = be64_get(d->size),
		.nblocks = be64_get(d->nblocks),
		.changecount = be64_get(d->changecount),
		.flags2 = be64_get(d->flags2),
		.flags = be16_get(d->flags),
		.forkoff = d->forkoff * 8u,
		.next_unlinked = be32_get(d->next_unlinked),
	};
	if (c->flags2 & XFS_DIFLAG2_NREXT64) {
		c->nextents = be64_get(d->big_nextents);
		c->anextents = be32_get(d->nextents);
	} else {
		c->nextents = be32_get(d->nextents);
		c->anextents = be16_get(d->anextents);
	}
	c->atime = time_get(c, d->atime);
	c->mtime = time_get(c, d->mtime);
	c->ctime = time_get(c, d->ctime);
	c->crtime = time_get(c, d->crtime);
}

/* ---- forks ---- */

static u32 bmdr_max(u32 size)
{
	return (size - 4) / 16;
}

void xfs_bmdr_head(const struct xfs_fork *k, u32 *level, u32 *numrecs)
{
	const struct xfs_dbmdr *r = (const void *)k->data;

	*level = be16_get(r->level);
	*numrecs = be16_get(r->numrecs);
}

u64 xfs_bmdr_key_at(const struct xfs_fork *k, u32 i)
{
	be64 v;

	memcpy(&v, k->data + 4 + (size_t)i * 8, sizeof(v));
	return be64_get(v);
}

u64 xfs_bmdr_ptr_at(const struct xfs_fork *k, u32 i)
{
	be64 v;

	memcpy(&v, k->data + 4 + (size_t)bmdr_max(k->size) * 8 + (size_t)i * 8, sizeof(v));
	return be64_get(v);
}

static int check_extents(const struct xfs_sb *sb, const struct xfs_fork *k, u64 ino,
			 struct xfs_fault *f)
{
	u64 end = 0;

	if (k->nextents > k->size / 16)
		return xfs_bad(f, IN, k->attr ? "anextents" : "nextents", ino, k->nextents);
	for (u32 i = 0; i < k->nextents; i++) {
		struct xfs_ext x;

		xfs_ext_get(k->data + (size_t)i * 16, &x);
		if (!xfs_ext_ok(sb, &x) || x.off < end ||
		    (k->attr && (x.unwritten || x.off + x.count > XFS_NULL32)))
			return xfs_bad(f, IN, k->attr ? "extent of attributes" : "extent", ino, i);
		end = x.off + x.count;
	}
	return 0;
}

static int check_bmdr(const struct xfs_sb *sb, const struct xfs_fork *k, u64 ino,
		      struct xfs_fault *f)
{
	u32 level, n;

	if (k->size < 20)
		return xfs_bad(f, IN, "forkoff", ino, k->size);
	xfs_bmdr_head(k, &level, &n);
	if (!level || level >= XFS_BT_MAXLEVELS)
		return xfs_bad(f, IN, "bmdr level", ino, level);
	if (!n || n > bmdr_max(k->size))
		return xfs_bad(f, IN, "bmdr numrecs", ino, n);
	for (u32 i = 0; i < n; i++) {
		if (!xfs_fsb_ok(sb, xfs_bmdr_ptr_at(k, i), 1))
			return xfs_bad(f, IN, "bmdr ptr", ino, xfs_bmdr_ptr_at(k, i));
		if (i && xfs_bmdr_key_at(k, i) <= xfs_bmdr_key_at(k, i - 1))
			return xfs_bad(f, IN, "bmdr key", ino, xfs_bmdr_key_at(k, i));
	}
	return 0;
}

static int check_local(const struct xfs_sb *sb, const struct xfs_core *c, const struct xfs_fork *k,
		       struct xfs_fault *f)
{
	switch (c->mode & S_FMT) {
	case FMT_DIR:
		if (c->size > k->size)
			return xfs_bad(f, IN, "size", c->ino, c->size);
		return xfs_dirsf_check(sb, k->data, (u32)c->size, c->ino, f);
	case FMT_LNK:
		if (!c->size || c->size > k->size)
			return xfs_bad(f, IN, "size", c->ino, c->size);
		return 0;
	}
	return xfs_bad(f, IN, "format", c->ino, c->format);
}

bool xfs_fork_of(const struct xfs_sb *sb, const struct xfs_core *c, const u8 *literal, bool attr,
		 struct xfs_fork *out)
{
	u32 all = xfs_literal_size(sb);

	if (attr && !c->forkoff)
		return false;
	if (attr)
		*out = (struct xfs_fork){ c->aformat, true, all - c->forkoff, c->anextents,
					  literal + c->forkoff };
	else
		*out = (struct xfs_fork){ c->format, false, c->forkoff ? c->forkoff : all,
					  c->nextents, literal };
	return true;
}

static int check_data_fork(const struct xfs_sb *sb, struct xfs_core *c, const u8 *literal,
			   struct xfs_fault *f)
{
	u32 type = c->mode & S_FMT;
	struct xfs_fork k;

	xfs_fork_of(sb, c, literal, false, &k);
	if (type == FMT_CHR || type == FMT_BLK || type == FMT_FIFO || type == FMT_SOCK) {
		be32 dev;

		if (c->format != XFS_FMT_DEV)
			return xfs_bad(f, IN, "format", c->ino, c->format);
		memcpy(&dev, k.data, sizeof(dev));
		c->rdev = (be32_get(dev) >> 18) << 20 | (be32_get(dev) & 0x3ffff);
		return 0;
	}
	if (type != FMT_REG && type != FMT_DIR && type != FMT_LNK)
		return xfs_bad(f, IN, "mode", c->ino, c->mode);
	switch (c->format) {
	case XFS_FMT_LOCAL:
		return check_local(sb, c, &k, f);
	case XFS_FMT_EXTENTS:
		return check_extents(sb, &k, c->ino, f);
	case XFS_FMT_BTREE:
		if (type == FMT_LNK)
			break;
		return check_bmdr(sb, &k, c->ino, f);
	}
	return xfs_bad(f, IN, "format", c->ino, c->format);
}

static int check_attr_fork(const struct xfs_sb *sb, const struct xfs_core *c, const u8 *literal,
			   struct xfs_fault *f)
{
	struct xfs_fork k;

	if (!xfs_fork_of(sb, c, literal, true, &k)) {
		if (c->anextents || c->aformat != XFS_FMT_EXTENTS)
			return xfs_bad(f, IN, "aformat", c->ino, c->aformat);
		return 0;
	}
	switch (c->aformat) {
	case XFS_FMT_LOCAL:
		return xfs_attrsf_check(k.data, k.size, c->ino, f);
	case XFS_FMT_EXTENTS:
		return check_extents(sb, &k, c->ino, f);
	case XFS_FMT_BTREE:
		return check_bmdr(sb, &k, c->ino, f);
	}
	return xfs_bad(f, IN, "aformat", c->ino, c->aformat);
}

static int check_core(const struct xfs_sb *sb, const struct xfs_core *c, struct xfs_fault *f)
{
	u32 type = c->mode & S_FMT;

	if (c->forkoff && c->forkoff >= xfs_literal_size(sb))
		return xfs_bad(f, IN, "forkoff", c->ino, c->forkoff / 8);
	if (c->size >> 63)
		return xfs_bad(f, IN, "size", c->ino, c->size);
	if (type == FMT_DIR && (c->size >= XFS_DIR_LEAF_START || !c->size))
		return xfs_bad(f, IN, "size", c->ino, c->size);
	if (type == FMT_LNK && (c->size > 1024 || !c->size))
		return xfs_bad(f, IN, "size", c->ino, c->size);
	if (c->nblocks > sb->dblocks && !(c->flags2 & XFS_DIFLAG2_REFLINK))
		return xfs_bad(f, IN, "nblocks", c->ino, c->nblocks);
	if (c->flags & XFS_DIFLAG_REALTIME)
		return xfs_bad(f, IN, "flags", c->ino, c->flags);
	if (c->flags2 & XFS_DIFLAG2_BIGTIME && !(sb->incompat & XFS_IN_BIGTIME))
		return xfs_bad(f, IN, "flags2", c->ino, c->flags2);
	if (c->flags2 & XFS_DIFLAG2_NREXT64 && !(sb->incompat & XFS_IN_NREXT64))
		return xfs_bad(f, IN, "flags2", c->ino, c->flags2);
	return 0;
}

u32 xfs_inode_gen(const void *p)
{
	struct xfs_dinode d;

	memcpy(&d, p, sizeof(d));
	return be32_get(d.gen);
}

void xfs_inode_decode_as_is(const void *p, struct xfs_core *out)
{
	struct xfs_dinode d;

	memcpy(&d, p, sizeof(d));
	decode(&d, out);
}

int xfs_inode_decode(const struct xfs_sb *sb, u64 ino, const void *p, struct xfs_core *c,
		     struct xfs_fault *f)
{
	struct xfs_dinode d;
	const u8 *literal = (const u8 *)p + sizeof(d);
	int e;

	memcpy(&d, p, sizeof(d));
	if (be16_get(d.magic) != XFS_DI_MAGIC)
		return xfs_bad(f, IN, "magic", ino, be16_get(d.magic));
	if (d.version != 3)
		return xfs_bad(f, IN, "version", ino, d.version);
	if (!xfs_crc_ok(p, sb->inodesize, offsetof(struct xfs_dinode, crc))) {
		xfs_bad(f, IN, "crc", ino, le32_get(d.crc));
		return -XFS_BAD_CRC;
	}
	decode(&d, c);
	if (c->ino != ino)
		return xfs_bad(f, IN, "ino", ino, c->ino);
	if (memcmp(d.uuid, sb->meta_uuid, XFS_UUID_SIZE))
		return xfs_bad(f, IN, "uuid", ino, 0);
	if (!c->mode)
		return -ESTALE;
	e = check_core(sb, c, f);
	e = e ?: check_data_fork(sb, c, literal, f);
	return e ?: check_attr_fork(sb, c, literal, f);
}
