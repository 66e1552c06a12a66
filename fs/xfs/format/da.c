// SPDX-License-Identifier: MIT
#include "fs/xfs/format/da.h"
#include "fs/xfs/format/attr.h"
#include <lib/string.h>

#define LEAF "directory leaf"

u32 xfs_da_hash(const u8 *name, u32 len)
{
	u32 h = 0;

	while (len--)
		h = *name++ ^ (h << 7 | h >> 25);
	return h;
}

int xfs_da_check(const struct xfs_sb *sb, u64 daddr, const void *p, u32 len, const char *what,
		 struct xfs_fault *f)
{
	const struct xfs_dda *h = p;

	if (!xfs_crc_ok(p, len, offsetof(struct xfs_dda, crc))) {
		xfs_bad(f, what, "crc", daddr, le32_get(h->crc));
		return -XFS_BAD_CRC;
	}
	if (memcmp(h->uuid, sb->meta_uuid, XFS_UUID_SIZE))
		return xfs_bad(f, what, "uuid", daddr, 0);
	if (be64_get(h->blkno) != daddr)
		return xfs_bad(f, what, "blkno", daddr, be64_get(h->blkno));
	return 0;
}

int xfs_da_node_check(u64 daddr, const void *p, u32 len, struct xfs_fault *f)
{
	const struct xfs_dda_ent *e = xfs_da_ents(p);
	u32 n = xfs_da_count(p), level = xfs_da_level(p), last = 0;

	if (!level || level > XFS_DA_MAXLEVELS)
		return xfs_bad(f, "hash node", "level", daddr, level);
	if (!n || n > (len - sizeof(struct xfs_dda_node)) / sizeof(*e))
		return xfs_bad(f, "hash node", "count", daddr, n);
	for (u32 i = 0; i < n; i++) {
		if (be32_get(e[i].hash) < last)
			return xfs_bad(f, "hash node", "order of hashes", daddr, i);
		last = be32_get(e[i].hash);
	}
	return 0;
}

u32 xfs_da_child(const void *p, u32 hash)
{
	const struct xfs_dda_ent *e = xfs_da_ents(p);
	u32 lo = 0, hi = xfs_da_count(p) - 1;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (be32_get(e[mid].hash) < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	return be32_get(e[lo].before);
}

u32 xfs_dir_hash_find(const struct xfs_ddir_ent *e, u32 n, u32 hash)
{
	u32 lo = 0, hi = n;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (be32_get(e[mid].hash) < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Of a single leaf the free space of each block of names lies at the end. */
static int check_leaf(const struct xfs_sb *sb, u64 daddr, const void *p, bool single,
		      struct xfs_fault *f)
{
	const struct xfs_ddir_ent *e = xfs_dir_leaf_ents(p);
	u32 n = xfs_dir_leaf_count(p), room = sb->dirblksize - (u32)sizeof(struct xfs_ddir_leaf),
	    last = 0;

	if (single) {
		be32 bests;

		memcpy(&bests, (const u8 *)p + sb->dirblksize - 4, sizeof(bests));
		if (be32_get(bests) > (room - 4) / 2)
			return xfs_bad(f, LEAF, "bestcount", daddr, be32_get(bests));
		room -= 4 + 2 * be32_get(bests);
	}
	if (n > room / sizeof(*e))
		return xfs_bad(f, LEAF, "count", daddr, n);
	if (be16_get(((const struct xfs_ddir_leaf *)p)->stale) > n)
		return xfs_bad(f, LEAF, "stale", daddr,
			       be16_get(((const struct xfs_ddir_leaf *)p)->stale));
	for (u32 i = 0; i < n; i++) {
		if (be32_get(e[i].hash) < last)
			return xfs_bad(f, LEAF, "order of hashes", daddr, i);
		last = be32_get(e[i].hash);
	}
	return 0;
}

int xfs_da_dir_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f)
{
	u32 magic = xfs_da_magic(p);
	int e;

	if (magic != XFS_DIR_LEAF1_MAGIC && magic != XFS_DIR_LEAFN_MAGIC &&
	    magic != XFS_DA_NODE_MAGIC)
		return xfs_bad(f, LEAF, "magic", daddr, magic);
	e = xfs_da_check(sb, daddr, p, sb->dirblksize,
			 magic == XFS_DA_NODE_MAGIC ? "hash node" : LEAF, f);
	if (e)
		return e;
	return magic == XFS_DA_NODE_MAGIC ?
		       xfs_da_node_check(daddr, p, sb->dirblksize, f) :
		       check_leaf(sb, daddr, p, magic == XFS_DIR_LEAF1_MAGIC, f);
}

int xfs_da_attr_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f)
{
	u32 magic = xfs_da_magic(p);
	int e;

	if (magic != XFS_ATTR_LEAF_MAGIC && magic != XFS_DA_NODE_MAGIC)
		return xfs_bad(f, "attribute leaf", "magic", daddr, magic);
	e = xfs_da_check(sb, daddr, p, sb->blocksize,
			 magic == XFS_DA_NODE_MAGIC ? "hash node" : "attribute leaf", f);
	if (e)
		return e;
	return magic == XFS_DA_NODE_MAGIC ? xfs_da_node_check(daddr, p, sb->blocksize, f) :
					    xfs_attr_leaf_check(sb, daddr, p, f);
}
