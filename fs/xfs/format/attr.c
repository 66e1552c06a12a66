// SPDX-License-Identifier: MIT
#include "fs/xfs/format/attr.h"
#include "fs/xfs/format/da.h"
#include <lib/string.h>
#include <abi/errno.h>

#define SF "short attributes"
#define LEAF "attribute leaf"
#define HEAD ((u32)sizeof(struct xfs_dattr_leaf))

/* ---- in the inode ---- */

int xfs_attrsf_check(const u8 *p, u32 size, u64 ino, struct xfs_fault *f)
{
	u32 total, at = sizeof(struct xfs_dattr_sf), n;

	if (size < at)
		return xfs_bad(f, SF, "forkoff", ino, size);
	total = (u32)p[0] << 8 | p[1];
	n = p[2];
	if (total < at || total > size)
		return xfs_bad(f, SF, "totsize", ino, total);
	for (u32 i = 0; i < n; i++) {
		if (total - at < 3 || total - at < 3u + p[at] + p[at + 1])
			return xfs_bad(f, SF, "namelen", ino, i);
		if (!p[at] || ((p[at + 2] & XFS_ATTR_SPACE) & ((p[at + 2] & XFS_ATTR_SPACE) - 1)))
			return xfs_bad(f, SF, "flags", ino, p[at + 2]);
		at += 3u + p[at] + p[at + 1];
	}
	return at == total ? 0 : xfs_bad(f, SF, "totsize", ino, total);
}

bool xfs_attrsf_next(const u8 *p, u32 *at, struct xfs_attr *out)
{
	u32 i = *at >> 16, pos = *at & 0xffff;
	const u8 *e;

	if (!*at)
		pos = sizeof(struct xfs_dattr_sf);
	if (i >= p[2])
		return false;
	e = p + pos;
	*out = (struct xfs_attr){
		.name = e + 3,
		.value = e + 3 + e[0],
		.valuelen = e[1],
		.namelen = e[0],
		.flags = e[2] | XFS_ATTR_LOCAL,
		.hash = xfs_da_hash(e + 3, e[0]),
	};
	*at = (i + 1) << 16 | (pos + 3 + e[0] + e[1]);
	return true;
}

/* ---- leaves ---- */

static const struct xfs_dattr_ent *ent_at(const void *p, u32 i)
{
	return (const struct xfs_dattr_ent *)((const u8 *)p + HEAD) + i;
}

void xfs_attr_leaf_at(const void *p, u32 i, struct xfs_attr *out)
{
	const struct xfs_dattr_ent *e = ent_at(p, i);
	const u8 *n = (const u8 *)p + be16_get(e->nameidx);

	*out = (struct xfs_attr){ .hash = be32_get(e->hash), .flags = e->flags };
	if (e->flags & XFS_ATTR_LOCAL) {
		const struct xfs_dattr_local *l = (const void *)n;

		out->name = l->name;
		out->namelen = l->namelen;
		out->valuelen = be16_get(l->valuelen);
		out->value = l->name + l->namelen;
	} else {
		const struct xfs_dattr_remote *r = (const void *)n;

		out->name = r->name;
		out->namelen = r->namelen;
		out->valuelen = be32_get(r->valuelen);
		out->block = be32_get(r->block);
	}
}

u32 xfs_attr_leaf_find(const void *p, u32 hash)
{
	u32 lo = 0, hi = xfs_attr_leaf_count(p);

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (be32_get(ent_at(p, mid)->hash) < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* One entry whose name lies at AT of LEN bytes. */
static int check_entry(const struct xfs_dattr_ent *e, const void *p, u32 len, u32 lowest, u64 daddr,
		       struct xfs_fault *f)
{
	u32 at = be16_get(e->nameidx), head = e->flags & XFS_ATTR_LOCAL ?
						      sizeof(struct xfs_dattr_local) :
						      sizeof(struct xfs_dattr_remote);
	const u8 *n = (const u8 *)p + at;

	if (at < lowest || at > len - head)
		return xfs_bad(f, LEAF, "nameidx", daddr, at);
	if (e->flags & XFS_ATTR_LOCAL) {
		const struct xfs_dattr_local *l = (const void *)n;

		if (!l->namelen || (u32)l->namelen + be16_get(l->valuelen) > len - at - head)
			return xfs_bad(f, LEAF, "namelen", daddr, at);
	} else {
		const struct xfs_dattr_remote *r = (const void *)n;

		if (!r->namelen || r->namelen > len - at - head)
			return xfs_bad(f, LEAF, "namelen", daddr, at);
		if (be32_get(r->valuelen) > XFS_ATTR_MAX_VALUE ||
		    (be32_get(r->valuelen) && !be32_get(r->block) &&
		     !(e->flags & XFS_ATTR_INCOMPLETE)))
			return xfs_bad(f, LEAF, "valuelen", daddr, be32_get(r->valuelen));
	}
	if ((e->flags & XFS_ATTR_SPACE) & ((e->flags & XFS_ATTR_SPACE) - 1))
		return xfs_bad(f, LEAF, "flags", daddr, e->flags);
	return 0;
}

int xfs_attr_leaf_check(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f)
{
	const struct xfs_dattr_leaf *d = p;
	u32 n = be16_get(d->count), first = be16_get(d->firstused) ?: sb->blocksize, last = 0;

	if (n > (sb->blocksize - HEAD) / sizeof(struct xfs_dattr_ent))
		return xfs_bad(f, LEAF, "count", daddr, n);
	if (first > sb->blocksize || first < HEAD + n * sizeof(struct xfs_dattr_ent))
		return xfs_bad(f, LEAF, "firstused", daddr, first);
	for (u32 i = 0; i < n; i++) {
		const struct xfs_dattr_ent *e = ent_at(p, i);
		int err;

		if (be32_get(e->hash) < last)
			return xfs_bad(f, LEAF, "order of hashes", daddr, i);
		last = be32_get(e->hash);
		err = check_entry(e, p, sb->blocksize, first, daddr, f);
		if (err)
			return err;
	}
	return 0;
}

/* ---- values in blocks of their own, and symlinks ---- */

static int check_rmt(const struct xfs_sb *sb, u64 daddr, const void *p, u32 len, u32 magic,
		     const char *what, struct xfs_fault *f)
{
	const struct xfs_drmt *d = p;

	if (be32_get(d->magic) != magic)
		return xfs_bad(f, what, "magic", daddr, be32_get(d->magic));
	if (!xfs_crc_ok(p, len, offsetof(struct xfs_drmt, crc))) {
		xfs_bad(f, what, "crc", daddr, le32_get(d->crc));
		return -XFS_BAD_CRC;
	}
	if (memcmp(d->uuid, sb->meta_uuid, XFS_UUID_SIZE))
		return xfs_bad(f, what, "uuid", daddr, 0);
	if (be64_get(d->blkno) != daddr)
		return xfs_bad(f, what, "blkno", daddr, be64_get(d->blkno));
	if (!be32_get(d->bytes) || be32_get(d->bytes) > len - sizeof(*d))
		return xfs_bad(f, what, "bytes", daddr, be32_get(d->bytes));
	return 0;
}

int xfs_attr_rmt_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f)
{
	return check_rmt(sb, daddr, p, sb->blocksize, XFS_ATTR_RMT_MAGIC, "attribute value", f);
}

int xfs_symlink_verify(const struct xfs_sb *sb, u64 daddr, const void *p, u32 len,
		       struct xfs_fault *f)
{
	return check_rmt(sb, daddr, p, len, XFS_SYMLINK_MAGIC, "symlink", f);
}

u32 xfs_rmt_data(const struct xfs_sb *sb, const void *p, u64 ino, u32 offset, const u8 **data)
{
	const struct xfs_drmt *d = p;

	(void)sb;
	*data = (const u8 *)(d + 1);
	return be64_get(d->owner) == ino && be32_get(d->offset) == offset ? be32_get(d->bytes) : 0;
}

/* ---- ACLs ---- */

static u32 be32_at(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void put_le(u8 *p, u32 v, u32 n)
{
	while (n--) {
		*p++ = (u8)v;
		v >>= 8;
	}
}

/*
 * Entries of 12 bytes (tag, id, rights, padding) become entries of 8 (tag, rights, id); ids count
 * only where somebody is named (tags 2 and 8).
 */
long xfs_acl_decode(const u8 *p, u32 len, u8 *out, size_t size)
{
	u32 n;

	if (len < 4)
		return -EINVAL;
	n = be32_at(p);
	if (n > (len - 4) / 12 || len != 4 + n * 12)
		return -EINVAL;
	if (size < 4 + (size_t)n * 8)
		return -ERANGE;
	put_le(out, 2, 4);
	for (u32 i = 0; i < n; i++) {
		const u8 *e = p + 4 + (size_t)i * 12;
		u8 *o = out + 4 + (size_t)i * 8;
		u32 tag = be32_at(e);

		if (tag > 0xffff)
			return -EINVAL;
		put_le(o, tag, 2);
		put_le(o + 2, (u32)e[8] << 8 | e[9], 2);
		put_le(o + 4, tag == 2 || tag == 8 ? be32_at(e + 4) : 0xffffffffu, 4);
	}
	return 4 + (long)n * 8;
}
