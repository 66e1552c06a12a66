// SPDX-License-Identifier: MIT
/*
 * Inodes in the log (logitem.h). The core is logged in the CPU's byte order with the fields where
 * the disk has them; a list of extents and short forms are as on the disk; the root of a btree is
 * logged as it was in the writer's memory: with the header of a block.
 */
#include "fs/xfs/format/logitem.h"
#include <lib/minmax.h>
#include <lib/string.h>

#define ITEM "log item"
#define DFORK (XFS_LI_DDATA | XFS_LI_DEXT | XFS_LI_DBROOT)
#define AFORK (XFS_LI_ADATA | XFS_LI_AEXT | XFS_LI_ABROOT)

struct inode_head {
	u16 type, n;
	u32 fields;
	u16 asize, dsize;
	u32 pad;
	u64 ino;
	u32 rdev;
	u8 unused[12];
	s64 daddr;
	s32 bbs, offset;
};
struct inode_head32 {	/* of CPUs of 32 bits: without the padding */
	u16 type, n;
	u32 fields;
	u16 asize, dsize;
	u64 ino;
	u32 rdev;
	u8 unused[12];
	s64 daddr;
	s32 bbs, offset;
} __packed;
_Static_assert(sizeof(struct inode_head) == 56 && sizeof(struct inode_head32) == 52, "inode item");

/* Where struct xfs_dinode has integers of several bytes. */
static const struct {
	u8 at, width;
} fields[] = {
	{ offsetof(struct xfs_dinode, magic), 2 },
	{ offsetof(struct xfs_dinode, mode), 2 },
	{ offsetof(struct xfs_dinode, onlink), 2 },
	{ offsetof(struct xfs_dinode, uid), 4 },
	{ offsetof(struct xfs_dinode, gid), 4 },
	{ offsetof(struct xfs_dinode, nlink), 4 },
	{ offsetof(struct xfs_dinode, projid_lo), 2 },
	{ offsetof(struct xfs_dinode, projid_hi), 2 },
	{ offsetof(struct xfs_dinode, size), 8 },
	{ offsetof(struct xfs_dinode, nblocks), 8 },
	{ offsetof(struct xfs_dinode, extsize), 4 },
	{ offsetof(struct xfs_dinode, nextents), 4 },
	{ offsetof(struct xfs_dinode, anextents), 2 },
	{ offsetof(struct xfs_dinode, dmevmask), 4 },
	{ offsetof(struct xfs_dinode, dmstate), 2 },
	{ offsetof(struct xfs_dinode, flags), 2 },
	{ offsetof(struct xfs_dinode, gen), 4 },
	{ offsetof(struct xfs_dinode, changecount), 8 },
	{ offsetof(struct xfs_dinode, flags2), 8 },
	{ offsetof(struct xfs_dinode, cowextsize), 4 },
	{ offsetof(struct xfs_dinode, ino), 8 },
	{ offsetof(struct xfs_dinode, big_nextents), 8 },
};
static const u8 times[] = {
	offsetof(struct xfs_dinode, atime),
	offsetof(struct xfs_dinode, mtime),
	offsetof(struct xfs_dinode, ctime),
	offsetof(struct xfs_dinode, crtime),
};

/* WIDTH bytes from the CPU's order into the disk's. */
static void turn(u8 *p, u32 width)
{
	u16 v2;
	u32 v4;
	u64 v8;

	switch (width) {
	case 2:
		memcpy(&v2, p, 2);
		v2 = be16_raw(v2);
		memcpy(p, &v2, 2);
		break;
	case 4:
		memcpy(&v4, p, 4);
		v4 = be32_raw(v4);
		memcpy(p, &v4, 4);
		break;
	default:
		memcpy(&v8, p, 8);
		v8 = be64_raw(v8);
		memcpy(p, &v8, 8);
	}
}

/* The other way: D as the disk has it, as it is logged. */
void xfs_linode_core(const struct xfs_dinode *d, u8 *core)
{
	bool big = be64_get(d->flags2) & XFS_DIFLAG2_BIGTIME;

	memcpy(core, d, sizeof(*d));
	for (u32 i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		turn(core + fields[i].at, fields[i].width);
	for (u32 i = 0; i < sizeof(times); i++) {
		turn(core + times[i], big ? 8 : 4);
		if (!big)
			turn(core + times[i] + 4, 4);
	}
	turn(core + offsetof(struct xfs_dinode, next_unlinked), 4);
}

void xfs_linode_head(const struct xfs_linode *li, u16 regions, void *p)
{
	struct inode_head h = { .type = XFS_LI_INODE,
				.n = regions,
				.fields = li->fields,
				.asize = (u16)li->alen,
				.dsize = (u16)li->dlen,
				.ino = li->ino,
				.rdev = li->rdev,
				.daddr = (s64)li->daddr,
				.bbs = (s32)li->bbs,
				.offset = (s32)li->offset };

	memcpy(p, &h, sizeof(h));
}

u32 xfs_linode_root(const struct xfs_sb *sb, u64 ino, const u8 *fork, u32 room, u8 *p)
{
	struct xfs_dbt_long b = { .magic = be32_make(XFS_BMAP_MAGIC),
				  .left = be64_make(XFS_NULL64),
				  .right = be64_make(XFS_NULL64),
				  .blkno = be64_make(XFS_NULL64),
				  .owner = be64_make(ino) };
	struct xfs_dbmdr r;
	u32 n, most = (room - (u32)sizeof(r)) / 16;

	memcpy(&r, fork, sizeof(r));
	n = min((u32)be16_get(r.numrecs), most);
	if (!p)
		return (u32)sizeof(b) + n * 16;
	b.level = r.level;
	b.numrecs = be16_make((u16)n);
	memcpy(b.uuid, sb->meta_uuid, sizeof(b.uuid));
	memcpy(p, &b, sizeof(b));
	memcpy(p + sizeof(b), fork + sizeof(r), (size_t)n * 8);
	memcpy(p + sizeof(b) + (size_t)n * 8, fork + sizeof(r) + (size_t)most * 8, (size_t)n * 8);
	return (u32)sizeof(b) + n * 16;
}

/* The logged core as the disk has it; what is not logged is zero. */
static void core_to_disk(const u8 *core, struct xfs_dinode *d)
{
	bool big;

	memcpy(d, core, sizeof(*d));
	for (u32 i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		turn((u8 *)d + fields[i].at, fields[i].width);
	big = be64_get(d->flags2) & XFS_DIFLAG2_BIGTIME;
	for (u32 i = 0; i < sizeof(times); i++) {
		u8 *p = (u8 *)d + times[i];

		if (big) {
			turn(p, 8);
		} else {	/* seconds and nanoseconds */
			turn(p, 4);
			turn(p + 4, 4);
		}
	}
	memset(d->pad2, 0, sizeof(d->pad2));
}

int xfs_linode_get(const struct xfs_litem *it, u64 place, struct xfs_linode *out,
		   struct xfs_fault *f)
{
	struct inode_head h = { 0 };
	struct inode_head32 h32;
	u32 next = 2;

	if (it->r[0].len >= sizeof(h)) {
		memcpy(&h, xfs_lregion_at(it, 0), sizeof(h));
	} else {
		memcpy(&h32, xfs_lregion_at(it, 0), sizeof(h32));
		h = (struct inode_head){ .fields = h32.fields,
					 .asize = h32.asize,
					 .dsize = h32.dsize,
					 .ino = h32.ino,
					 .rdev = h32.rdev,
					 .daddr = h32.daddr,
					 .bbs = h32.bbs,
					 .offset = h32.offset };
	}
	*out = (struct xfs_linode){ .ino = h.ino,
				    .daddr = (u64)h.daddr,
				    .bbs = (u32)h.bbs,
				    .offset = (u32)h.offset,
				    .fields = h.fields,
				    .rdev = h.rdev,
				    .core = xfs_lregion_at(it, 1) };
	if (h.daddr < 0 || h.bbs <= 0 || (u32)h.bbs > XFS_LB_MAX_BBS)
		return xfs_bad(f, ITEM, "ilf_blkno", place, (u64)h.daddr);
	if (h.offset < 0 || (u32)h.offset >= (u32)h.bbs * XFS_SECTOR)
		return xfs_bad(f, ITEM, "ilf_boffset", place, (u32)h.offset);
	if (it->r[1].len != sizeof(struct xfs_dinode))
		return xfs_bad(f, ITEM, "length of an inode", place, it->r[1].len);
	if (h.fields & DFORK) {
		if (next >= it->n || it->r[next].len < h.dsize)
			return xfs_bad(f, ITEM, "ilf_dsize", place, h.dsize);
		out->dfork = xfs_lregion_at(it, next++);
		out->dlen = h.dsize;
	}
	if (h.fields & AFORK) {
		if (next >= it->n || it->r[next].len < h.asize)
			return xfs_bad(f, ITEM, "ilf_asize", place, h.asize);
		out->afork = xfs_lregion_at(it, next++);
		out->alen = h.asize;
	}
	if (next != it->n)
		return xfs_bad(f, ITEM, "number of regions", place, it->n);
	return 0;
}

/* The root of a btree, LEN bytes at SRC with a block's header, into the ROOM bytes of a fork. */
static bool put_root(const u8 *src, u32 len, u8 *fork, u32 room)
{
	const u32 head = (u32)sizeof(struct xfs_dbt_long);
	struct xfs_dbt_long b;
	struct xfs_dbmdr r;
	u32 n, from, to;

	if (len < head || room < sizeof(r))
		return false;
	memcpy(&b, src, sizeof(b));
	n = be16_get(b.numrecs);
	from = (len - head) / 16;
	to = (room - (u32)sizeof(r)) / 16;
	if (n > from || n > to || !be16_get(b.level))
		return false;
	r = (struct xfs_dbmdr){ b.level, b.numrecs };
	memcpy(fork, &r, sizeof(r));
	memcpy(fork + sizeof(r), src + head, (size_t)n * 8);
	memcpy(fork + sizeof(r) + (size_t)to * 8, src + head + (size_t)from * 8, (size_t)n * 8);
	return true;
}

int xfs_linode_apply(const struct xfs_sb *sb, const struct xfs_linode *li, u64 lsn, u8 *p,
		     struct xfs_fault *f)
{
	u32 all = xfs_literal_size(sb), dsize, off;
	u8 *literal = p + sizeof(struct xfs_dinode);
	struct xfs_dinode old, d;
	bool ok = true;

	memcpy(&old, p, sizeof(old));
	core_to_disk(li->core, &d);
	if (be16_get(d.magic) != XFS_DI_MAGIC || d.version != 3 || be64_get(d.ino) != li->ino)
		return xfs_bad(f, ITEM, "inode", li->ino, be16_get(d.magic));
	off = d.forkoff * 8u;
	if (off >= all)
		return xfs_bad(f, ITEM, "forkoff", li->ino, off);
	/* The unlinked list is logged with the block. */
	if (!(be64_get(d.flags2) & XFS_DIFLAG2_METADATA))	/* else it says which metadata */
		d.onlink = be16_make(0);
	d.next_unlinked = old.next_unlinked;
	d.lsn = be64_make(lsn);
	d.crc = old.crc;
	memcpy(d.uuid, sb->meta_uuid, sizeof(d.uuid));
	memcpy(p, &d, sizeof(d));
	dsize = off ? off : all;
	if (li->fields & XFS_LI_DEV) {
		be32 dev = be32_make(li->rdev);

		memcpy(literal, &dev, sizeof(dev));
	}
	if (li->fields & (XFS_LI_DDATA | XFS_LI_DEXT)) {
		ok = li->dlen <= dsize;
		memcpy(literal, li->dfork, min(li->dlen, dsize));
	} else if (li->fields & XFS_LI_DBROOT) {
		ok = put_root(li->dfork, li->dlen, literal, dsize);
	}
	if (ok && li->fields & (XFS_LI_ADATA | XFS_LI_AEXT)) {
		ok = off && li->alen <= all - off;
		if (ok)
			memcpy(literal + off, li->afork, li->alen);
	} else if (ok && li->fields & XFS_LI_ABROOT) {
		ok = off && put_root(li->afork, li->alen, literal + off, all - off);
	}
	return ok ? 0 : xfs_bad(f, ITEM, "fork", li->ino, li->fields);
}
