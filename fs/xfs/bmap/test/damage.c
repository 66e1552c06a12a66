// SPDX-License-Identifier: MIT
/*
 * Headers and trees of allocation groups, trees of files and inodes of which fields are wrong, with
 * checksums that fit: whatever is done with them ends, with an error or without. damage IMAGE SEED
 * OPS|counts: fills IMAGE by OPS changes, opens it again as a mount would, spoils it and goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/bmap/reflink.h"
#include "fs/xfs/tx/test/memtx_priv.h"

#define FILES 24u
#define SPAN  12000u			/* blocks of a file */

static struct xfs_fs *fs;
static const struct xfs_sb *sb;
static u64 files[FILES];		/* inodes; 0: there is none */
static bool unlinked[FILES];
static u32 done, errors, lost;

static u32 below(u32 n)
{
	return xfs_random() % n;
}

/* ---- operations: each ends its transaction, whatever becomes of it ---- */

static bool damaged(void)
{
	return ((struct memtx *)fs)->damaged;
}

static void end(struct xfs_tx *tx, int e)
{
	bool bad = e == -XFS_CORRUPT || e == -XFS_BAD_CRC;

	done++;
	errors += bad;
	assert(!e || e == -ENOSPC || e == -EFBIG || (bad && damaged()));
	if (!e || (e == -ENOSPC && tx->dirty))
		memtx_commit(tx);
	else if (tx->dirty || bad)
		memtx_cancel_dirty(tx);
	else
		memtx_cancel(tx);
}

static struct xfs_ino *get(u32 i)
{
	struct xfs_ino *ip = files[i] ? memtx_iget(fs, files[i]) : NULL;

	if (ip && (ip->node.core.mode & 0170000) == 0100000)
		return ip;
	assert(!files[i] || damaged());
	lost += files[i] != 0;
	files[i] = 0;
	return NULL;
}

static void make(u32 i)
{
	struct xfs_tx *tx = memtx_begin(fs, xfs_ialloc_room(sb), "create");
	struct xfs_ino *ip;
	u64 ino;
	int e;

	if (!tx)
		return;
	e = xfs_ialloc(tx, sb->rootino, !below(3), &ino);
	ip = e ? NULL : memtx_iget(fs, ino);
	if (!e && (!ip || ip->node.core.mode)) {	/* the tree says that it is free */
		assert(damaged());
		e = -XFS_CORRUPT;
	}
	if (!e) {
		xfs_ino_init(tx, ip, ino, &(struct xfs_new){ .mode = 0100644 });
		ip->node.core.nlink = 1;
		files[i] = ino;
		unlinked[i] = false;
	}
	end(tx, e);
}

static void cut(struct xfs_ino *ip, u64 off, u64 count)
{
	u64 left = count;

	while (left && !memtx_is_shut(fs)) {
		struct xfs_tx *tx = memtx_begin(fs, xfs_bmap_tree_room(sb, false), "unmap");
		u64 was = left;
		int e;

		if (!tx)
			return;
		e = xfs_bmap_unmap(tx, ip, false, off + count - left, left, 2, &left);
		end(tx, e);
		if (e)
			return;
		assert(left < was);
	}
}

static void unlink_it(u32 i, struct xfs_ino *ip)
{
	struct xfs_tx *tx = memtx_begin(fs, 0, "unlink");

	ip->node.core.nlink = 0;
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
	unlinked[i] = true;
	end(tx, xfs_unlinked_add(tx, ip));
}

static void destroy(u32 i, struct xfs_ino *ip)
{
	struct xfs_tx *tx;
	bool gone;
	int e;

	if (!unlinked[i])
		unlink_it(i, ip);
	if (!memtx_is_shut(fs))
		cut(ip, 0, XFS_OFF_MAX);
	if (memtx_is_shut(fs) || ip->node.core.nextents)
		return;
	tx = memtx_begin(fs, 0, "free inode");
	e = xfs_unlinked_remove(tx, ip);
	if (!e) {
		ip->node.core.mode = 0;
		ip->node.core.format = XFS_FMT_EXTENTS;
		ip->node.core.flags = 0;
		ip->node.core.flags2 &= XFS_DIFLAG2_BIGTIME | XFS_DIFLAG2_NREXT64;
		ip->node.core.gen++;
		xfs_tx_inode(tx, ip, XFS_LI_CORE);
		e = xfs_ifree(tx, files[i], false, &gone);
	}
	end(tx, e);
	files[i] = 0;
}

static void extend(struct xfs_ino *ip)
{
	u64 off = below(SPAN);
	u32 count = 1 + below(below(8) ? 5 : 200);
	struct xfs_tx *tx;
	struct xfs_ext got;
	struct xfs_map m;
	int e = xfs_bmap(&fs->vol, &ip->node, false, off, &m);

	assert(!e || damaged());
	if (e || m.type != XFS_MAP_HOLE)
		return;
	if (count > m.off + m.count - off)
		count = (u32)(m.off + m.count - off);
	tx = memtx_begin(fs, count + xfs_bmap_tree_room(sb, false), "extend");
	if (!tx)
		return;
	e = xfs_bmap_extend(tx, ip, false, off, 1, count, 0, !below(3), &got);
	assert(e || (got.off == off && got.count && got.count <= count));
	end(tx, e);
}

static void mark(struct xfs_ino *ip)
{
	struct xfs_tx *tx = memtx_begin(fs, 2 * xfs_bmap_tree_room(sb, false), "mark");
	u64 left;

	if (tx)
		end(tx, xfs_bmap_mark(tx, ip, below(SPAN), 1 + below(100), below(2), 1, &left));
}

/* What FROM has becomes TO's too. */
static void share(struct xfs_ino *from, struct xfs_ino *to)
{
	u64 off = below(SPAN), n = 1 + below(300), was_done = 0;
	u64 toff = from == to ? off + n : below(SPAN);
	struct xfs_tx *tx;
	int e = 0;

	while (was_done < n && !e && !memtx_is_shut(fs)) {
		u64 one = 0;

		tx = memtx_begin(fs, xfs_bmap_remap_room(sb), "share");
		if (!tx)
			return;
		e = xfs_bmap_share(tx, from, off + was_done, to, toff + was_done, n - was_done,
				   &one);
		assert(e || (one && one <= n - was_done));
		was_done += one;
		if (!e && !tx->dirty && list_empty(&tx->work))
			memtx_cancel(tx);
		else
			end(tx, e);
	}
}

/* Blocks are staged, and take the place of what IP has there, or are not wanted. */
static void copy(struct xfs_ino *ip)
{
	u32 n = 1 + below(60), part;
	struct xfs_tx *tx = memtx_begin(fs, n + xfs_bmap_remap_room(sb), "stage");
	struct xfs_ext x;
	int e;

	if (!tx)
		return;
	e = xfs_cow_stage(tx, ip, below(SPAN), 1, n, 0, &x);
	end(tx, e);
	while (!e && x.count && !memtx_is_shut(fs)) {
		tx = memtx_begin(fs, xfs_bmap_remap_room(sb), "put");
		if (!tx)
			return;
		part = x.count;
		e = below(4) ? xfs_cow_finish(tx, ip, &x, &part) :
			       xfs_cow_cancel(tx, x.fsb, x.count);
		assert(e || (part && part <= x.count));
		end(tx, e);
		x.off += part;
		x.fsb += part;
		x.count -= part;
	}
}

static struct xfs_ino *other(struct xfs_ino *ip)
{
	struct xfs_ino *to = get(below(FILES));

	return to ? to : ip;
}

static void step(void)
{
	u32 i = below(FILES);
	struct xfs_ino *ip = get(i);

	if (!ip) {
		make(i);
		return;
	}
	switch (below(20)) {
	case 0:
		if (!below(8))
			destroy(i, ip);
		break;
	case 1:
		if (!unlinked[i] && !below(8))
			unlink_it(i, ip);
		break;
	case 2:
	case 3:
		cut(ip, below(SPAN), 1 + below(below(60) ? 20 : SPAN));
		break;
	case 4:
	case 5:
		mark(ip);
		break;
	case 6:
	case 7:
	case 8:
		if (sb->ro_compat & XFS_RO_REFLINK)
			share(ip, other(ip));
		break;
	case 9:
	case 10:
		if (sb->ro_compat & XFS_RO_REFLINK)
			copy(ip);
		break;
	default:
		extend(ip);
	}
}

/* ---- damage ---- */

static u8 *at(u64 daddr)
{
	return ((struct memtx *)fs)->map + daddr * XFS_SECTOR;
}

/* A wrong number among LEN bytes, often among the first OFTEN. Not what says which kind it is. */
static void spoil_bytes(u8 *p, u32 len, u32 often)
{
	u32 off = 4 + (below(4) ? below(often - 8) : below(len - 8)), v;

	off -= below(4) ? off % 4 : 0;
	v = xfs_get32(p + off);
	v = !below(5) ? xfs_random() :
	    !below(4) ? v ^ 1u << below(32) :
	    !below(3) ? v + below(9) - 4 :
	    !below(2) ? below(2) - 1 :
			xfs_get32(p + below(often - 4) / 4 * 4);
	xfs_put32(p + off, v);
}

static void spoil_block(u64 daddr, enum xfs_kind kind, u32 len, u32 often)
{
	spoil_bytes(at(daddr), len, often);
	xfs_block_stamp(sb, kind, at(daddr), len, 0);
}

/* A block of a tree whose root is block ROOT of AG, on a way from there down. */
static void spoil_tree(u32 agno, enum xfs_bt kind, u32 root, u32 levels)
{
	u32 head = 56, ptr = root,
	    key = xfs_bt_shapes[kind].key * (xfs_bt_shapes[kind].overlap + 1u);

	if (levels > XFS_BT_MAXLEVELS)		/* of a header that is spoiled already */
		return;
	for (u32 level = levels; level && ptr < xfs_ag_blocks(sb, agno); level--) {
		u64 daddr = xfs_fsb_daddr(sb, xfs_fsb_make(sb, agno, ptr));
		u8 *p = at(daddr);
		u32 n = (u32)p[6] << 8 | p[7], most = (sb->blocksize - head) / (key + 4);

		if (level == 1 || !below(3) || !n || n > most) {
			spoil_block(daddr, XFS_BLK_BT + kind, sb->blocksize, 140);
			return;
		}
		ptr = xfs_get32(p + head + most * key + 4 * below(n));
	}
}

static void spoil_ag(u32 agno)
{
	u64 first = xfs_fsb_daddr(sb, xfs_fsb_make(sb, agno, 0));
	u32 unit = sb->sectsize / XFS_SECTOR;
	const u8 *agf = at(first + unit), *agi = at(first + 2 * unit);

	switch (below(10)) {
	case 0:
		spoil_block(first + unit, XFS_BLK_AGF, sb->sectsize, 128);
		break;
	case 1:
		spoil_block(first + 2 * unit, XFS_BLK_AGI, sb->sectsize, 340);
		break;
	case 2:
		spoil_block(first + 3 * unit, XFS_BLK_AGFL, sb->sectsize, 80);
		break;
	case 3:
	case 4:
		spoil_tree(agno, XFS_BT_BNO, xfs_get32(agf + 16), xfs_get32(agf + 28));
		break;
	case 5:
		spoil_tree(agno, XFS_BT_CNT, xfs_get32(agf + 20), xfs_get32(agf + 32));
		break;
	case 6:
		if (sb->ro_compat & XFS_RO_RMAPBT)
			spoil_tree(agno, XFS_BT_RMAP, xfs_get32(agf + 24), xfs_get32(agf + 36));
		break;
	case 7:
		spoil_tree(agno, XFS_BT_INO, xfs_get32(agi + 20), xfs_get32(agi + 24));
		break;
	case 8:
		if (sb->ro_compat & XFS_RO_REFLINK)
			spoil_tree(agno, XFS_BT_REFC, xfs_get32(agf + 88), xfs_get32(agf + 92));
		break;
	default:
		if (sb->ro_compat & XFS_RO_FINOBT)
			spoil_tree(agno, XFS_BT_FINO, xfs_get32(agi + 328), xfs_get32(agi + 332));
	}
}

/* An inode, or a block of its tree of extents that the root names. */
static void spoil_file(u32 i)
{
	u64 ino = files[i];
	u64 daddr = xfs_fsb_daddr(sb, ino >> sb->inopblog);
	u8 *p = at(daddr) + ((ino & ((1u << sb->inopblog) - 1)) << sb->inodelog);
	u32 size = p[82] ? p[82] * 8u : sb->inodesize - 176, most = (size - 4) / 16;
	u8 *root = p + 176;
	u64 ptr;

	if (!ino)
		return;
	if (p[5] != XFS_FMT_BTREE || size < 20 || size > sb->inodesize - 176 || !below(3)) {
		if (below(3))
			spoil_bytes(p, sb->inodesize, 240);
		else		/* fewer blocks than its extents name */
			xfs_put32(p + offsetof(struct xfs_dinode, nblocks) + 4, below(4));
		xfs_inode_stamp(sb, p);
		return;
	}
	ptr = xfs_get64(root + 4 + most * 8 + 8 * below(1 + root[3]));
	if (xfs_fsb_ok(sb, ptr, 1))
		spoil_block(xfs_fsb_daddr(sb, ptr), XFS_BLK_BMBT, sb->blocksize, 200);
}

/* An inode is never left with fewer blocks than none, or more than there are. */
static void wrong_counts(void)
{
	struct xfs_ino *ip;
	struct xfs_ext got;
	struct xfs_tx *tx;
	u64 left;

	make(0);
	ip = get(0);
	for (u32 i = 0; i < 20; i++)
		extend(ip);
	assert(ip->node.core.nblocks > 2);
	memtx_damaged(fs);
	memtx_faults(fs, true);
	tx = memtx_begin(fs, xfs_bmap_tree_room(sb, false), "too few");
	ip->node.core.nblocks = 1;
	assert(xfs_bmap_unmap(tx, ip, false, 0, SPAN, 99, &left) == -XFS_CORRUPT);
	assert(ip->node.core.nblocks <= 1);
	ip->node.core.nblocks = sb->dblocks;
	assert(xfs_bmap_extend(tx, ip, false, SPAN, 1, 1, 0, false, &got) == -XFS_CORRUPT);
	assert(ip->node.core.nblocks == sb->dblocks);
	memtx_cancel_dirty(tx);
	memtx_close(fs);
}

int main(int argc, char **argv)
{
	assert(argc == 4);
	memtx_seed((u32)atoi(argv[2]));
	fs = memtx_open(argv[1]);
	sb = &fs->vol.sb;
	if (!strcmp(argv[3], "counts")) {
		wrong_counts();
		return 0;
	}
	for (int i = 0; i < atoi(argv[3]); i++)
		step();
	memtx_sync(fs);
	memtx_close(fs);
	fs = memtx_open(argv[1]);
	sb = &fs->vol.sb;
	for (u32 i = 1 + below(6); i; i--) {
		if (below(4))
			spoil_ag(below(sb->agcount));
		else
			spoil_file(below(FILES));
	}
	memtx_damaged(fs);
	memtx_faults(fs, true);
	done = errors = 0;
	for (u32 i = 0; i < 300 && !memtx_is_shut(fs); i++)
		step();
	printf("errors %u of %u, files lost %u, faults %lu\n", errors, done, lost,
	       memtx_faults(fs, true));
	((struct memtx *)fs)->shut = true;
	memtx_close(fs);
	return 0;
}
