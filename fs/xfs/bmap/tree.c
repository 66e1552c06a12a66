// SPDX-License-Identifier: MIT
/*
 * The tree of a fork's extents: where its root is, where its blocks come from and go, and how it
 * begins and ends as a list in the inode. Its blocks count as the file's.
 */
#include "fs/xfs/bmap/bmap_priv.h"
#include "fs/xfs/ag/ag.h"

static u8 *iroot(struct xfs_bt_cur *c, u32 *size)
{
	return xfs_fork_bytes_at(c->ip, c->attr, size);
}

static void log_iroot(struct xfs_bt_cur *c)
{
	xfs_tx_inode(c->tx, c->ip, XFS_LI_CORE | (c->attr ? XFS_LI_ABROOT : XFS_LI_DBROOT));
}

static struct xfs_owner owner_of(const struct xfs_bt_cur *c)
{
	return (struct xfs_owner){ c->ip->node.core.ino,
				   XFS_RMAP_BMBT | (c->attr ? XFS_RMAP_ATTR : 0), false };
}

static int take_block(struct xfs_bt_cur *c, u64 near, u64 *ptr)
{
	struct xfs_alloc a = { .near = near ? near : xfs_beside_inode(c->ip),
			       .minlen = 1,
			       .maxlen = 1,
			       .where = XFS_ALLOC_NEAR,
			       .metadata = true,
			       .owner = owner_of(c) };
	int e = xfs_alloc(c->tx, &a);

	if (e)
		return e;
	*ptr = a.fsb;
	return xfs_bmap_count(c->tx, c->ip, 1);
}

static int free_block(struct xfs_bt_cur *c, u64 ptr)
{
	struct xfs_owner o = owner_of(c);
	int e = xfs_bmap_count(c->tx, c->ip, -1);

	return e ? e : xfs_free_later(c->tx, ptr, 1, &o, true);
}

const struct xfs_bt_ops xfs_bmap_bt_ops = {
	.iroot = iroot,
	.log_iroot = log_iroot,
	.alloc = take_block,
	.free = free_block,
};

#define ROOT_ENTRY 16u			/* bytes of a key and a pointer */

static u32 root_most(u32 size)
{
	return (size - (u32)sizeof(struct xfs_dbmdr)) / ROOT_ENTRY;
}

int xfs_bmap_to_tree(struct xfs_tx *tx, struct xfs_ino *ip, bool attr)
{
	u32 n = (u32)*xfs_fork_nextents(ip, attr), size;
	u8 *p = xfs_fork_bytes_at(ip, attr, &size), *rec;
	struct xfs_bt_cur c;
	struct xfs_txbuf *b;
	struct xfs_ext first;
	u64 ptr;
	int e;

	if (!n || size < sizeof(struct xfs_dbmdr) + ROOT_ENTRY)
		return xfs_tx_bad_ino(tx, ip, XFS_SICK_INO_CORE, "inode", "size of a fork", size);
	xfs_bt_open_ino(&c, tx, &xfs_bmap_bt_ops, ip, attr);
	e = take_block(&c, 0, &ptr);
	e = e ?: xfs_bt_new_block(&c, 0, ptr, &b);
	if (e)
		return e;
	xfs_ext_get(p, &first);
	rec = b->data + sizeof(struct xfs_dbt_long);
	memcpy(rec, p, (size_t)n * 16);
	((struct xfs_dbt_long *)b->data)->numrecs = be16_make((u16)n);
	xfs_tx_log(tx, b, 0, (u32)sizeof(struct xfs_dbt_long) + n * 16);
	memset(p, 0, size);
	*(struct xfs_dbmdr *)p = (struct xfs_dbmdr){ be16_make(1), be16_make(1) };
	xfs_put64(p + sizeof(struct xfs_dbmdr), first.off);
	xfs_put64(p + sizeof(struct xfs_dbmdr) + (size_t)root_most(size) * 8, ptr);
	*xfs_fork_format(ip, attr) = XFS_FMT_BTREE;
	log_iroot(&c);
	return 0;
}

int xfs_bmap_from_tree(struct xfs_tx *tx, struct xfs_ino *ip, bool attr)
{
	u64 n = *xfs_fork_nextents(ip, attr), ptr;
	u32 size;
	u8 *p = xfs_fork_bytes_at(ip, attr, &size);
	struct xfs_bt_cur c;
	struct xfs_bt_block h;
	struct xfs_txbuf *b;
	int e;

	/* Level 1, one leaf. */
	if (n * 16 > size || xfs_get32(p) != 0x00010001)
		return 0;
	ptr = xfs_get64(p + sizeof(struct xfs_dbmdr) + (size_t)root_most(size) * 8);
	xfs_bt_open_ino(&c, tx, &xfs_bmap_bt_ops, ip, attr);
	e = xfs_bt_block(&c, 0, ptr, &b);
	if (e)
		return e;
	xfs_bmbt_head(b->data, &h);
	if (h.numrecs != n)
		return xfs_tx_bad_ino(tx, ip, xfs_sick_bmbt(attr), "inode", "records of its leaf",
				      h.numrecs);
	memset(p, 0, size);
	memcpy(p, b->data + sizeof(struct xfs_dbt_long), (size_t)n * 16);
	*xfs_fork_format(ip, attr) = XFS_FMT_EXTENTS;
	xfs_tx_inode(tx, ip, XFS_LI_CORE | (attr ? XFS_LI_AEXT : XFS_LI_DEXT));
	xfs_tx_kill(tx, b);
	return free_block(&c, ptr);
}

/* ---- room ---- */

u32 xfs_bmap_tree_room(const struct xfs_sb *sb, bool attr)
{
	u32 half = xfs_bt_max(sb, &xfs_bmbt_shape, 0) / 2, levels = 1;
	u64 blocks = (attr ? 0xffffffffull : (1ull << 48) - 1) / half;

	for (half = xfs_bt_max(sb, &xfs_bmbt_shape, 1) / 2; blocks > 1; levels++)
		blocks = (blocks + half - 1) / half;
	return min(levels, (u32)XFS_BT_MAXLEVELS);
}

int xfs_bmap_fit(struct xfs_tx *tx, struct xfs_ino *ip, u32 bytes)
{
	const u8 *p = xfs_ino_literal(ip);
	struct xfs_bt_key k = { 0 };
	struct xfs_bt_cur c;
	bool found;
	int e;

	if (bytes < sizeof(struct xfs_dbmdr) + ROOT_ENTRY)
		return -ENOSPC;
	if (ip->node.core.format == XFS_FMT_EXTENTS)
		return ip->node.core.nextents * 16 > bytes ? xfs_bmap_to_tree(tx, ip, false) : 0;
	if (ip->node.core.format != XFS_FMT_BTREE ||
	    sizeof(struct xfs_dbmdr) + ROOT_ENTRY * (xfs_get32(p) & 0xffff) <= bytes)
		return 0;
	xfs_bt_open_ino(&c, tx, &xfs_bmap_bt_ops, ip, false);
	e = xfs_bt_lookup(&c, &k, XFS_BT_GE, &found);
	e = e ?: xfs_bt_grow_iroot(&c);
	xfs_bt_close(&c);
	return e;
}
