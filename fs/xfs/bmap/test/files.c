// SPDX-License-Identifier: MIT
/*
 * Files over an image: made, given extents at random, cut, marked as written or not, and removed; a
 * model has for each file and offset the block that lies there. files IMAGE SEED OPS: ends with all
 * files removed, so that nothing of them is left.
 */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/bmap/bmap.h"
#include "fs/xfs/tx/test/memtx_priv.h"

#define FILES 12u
#define SPAN 12000u			/* blocks of a file */

struct file {
	u64 ino;			/* 0: there is none */
	bool unlinked;
	u64 at[SPAN];			/* fsb; 0: a hole */
	bool unwritten[SPAN];
	u32 mapped;
};

static struct xfs_fs *fs;
static const struct xfs_sb *sb;
static struct file files[FILES];
static u32 full, most_extents, trees, lists, chunks_gone, sparse_made;

static u32 below(u32 n)
{
	return xfs_random() % n;
}

static struct xfs_ino *get(const struct file *f)
{
	struct xfs_ino *ip = memtx_iget(fs, f->ino);

	assert(ip && ip->node.core.mode);
	return ip;
}

/* ---- the model beside the walk that readers use ---- */

static void compare(const struct file *f)
{
	struct xfs_ino *ip = get(f);
	u64 mapped = 0, extents = 0;

	for (u64 off = 0; off < SPAN;) {
		struct xfs_map m;

		assert(!xfs_bmap(&fs->vol, &ip->node, false, off, &m));
		assert(m.off <= off && m.count);
		for (u64 i = off; i < m.off + m.count && i < SPAN; i++) {
			assert((m.type == XFS_MAP_HOLE) == !f->at[i]);
			if (!f->at[i])
				continue;
			assert(f->at[i] == m.fsb + (i - m.off));
			assert((m.type == XFS_MAP_UNWRITTEN) == f->unwritten[i]);
			mapped++;
		}
		extents += m.type != XFS_MAP_HOLE;
		off = m.off + m.count;
	}
	assert(mapped == f->mapped && extents == ip->node.core.nextents);
	assert(ip->node.core.nblocks >= mapped);
	assert(ip->node.core.format == XFS_FMT_BTREE || ip->node.core.nblocks == mapped);
	if (extents > most_extents)
		most_extents = (u32)extents;
	*(ip->node.core.format == XFS_FMT_BTREE ? &trees : &lists) += 1;
}

/* ---- operations ---- */

static void make(struct file *f)
{
	struct xfs_tx *tx = memtx_begin(fs, xfs_ialloc_room(sb), "create");
	u32 was = 0, is = 0;
	struct xfs_ino *ip;
	u64 ino;
	int e;

	if (!tx) {
		full++;
		return;
	}
	for (u32 i = 0; i < sb->agcount; i++)
		was += fs->ags[i].inodes;
	e = xfs_ialloc(tx, sb->rootino, !below(3), &ino);
	assert(!e || e == -ENOSPC);
	if (e) {
		full++;
		if (tx->dirty)
			memtx_commit(tx);
		else
			memtx_cancel(tx);
		return;
	}
	for (u32 i = 0; i < sb->agcount; i++)
		is += fs->ags[i].inodes;
	sparse_made += is > was && is - was < 64;
	ip = memtx_iget(fs, ino);
	assert(ip && !ip->node.core.mode);
	xfs_ino_init(
		tx, ip, ino,
		&(struct xfs_new){ .mode = 0100644, .uid = 1, .gid = 2, .now = { 1700000000, 5 } });
	ip->node.core.nlink = 1;
	memtx_commit(tx);
	*f = (struct file){ .ino = ino };
}

static void cut(struct file *f, u64 off, u64 n)
{
	struct xfs_ino *ip = get(f);
	u64 left = n;

	while (left) {
		struct xfs_tx *tx = memtx_begin(fs, xfs_bmap_tree_room(sb, false), "unmap");

		if (!tx) {
			full++;
			n -= left;
			break;
		}
		assert(!xfs_bmap_unmap(tx, ip, false, off + n - left, left, 2, &left));
		memtx_commit(tx);
	}
	for (u64 i = off; i < off + n && i < SPAN; i++) {
		f->mapped -= f->at[i] != 0;
		f->at[i] = 0;
	}
}

static void unlink_it(struct file *f)
{
	struct xfs_tx *tx = memtx_begin(fs, 0, "unlink");
	struct xfs_ino *ip = get(f);

	ip->node.core.nlink = 0;
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
	assert(!xfs_unlinked_add(tx, ip));
	memtx_commit(tx);
	f->unlinked = true;
}

static void destroy(struct file *f)
{
	struct xfs_ino *ip = get(f);
	struct xfs_tx *tx;
	bool gone;

	if (!f->unlinked)
		unlink_it(f);
	for (u32 tries = 0; f->mapped; tries++) {
		cut(f, 0, SPAN);
		assert(tries < 100);
	}
	tx = memtx_begin(fs, 0, "free inode");
	assert(!xfs_unlinked_remove(tx, ip));
	ip->node.core.mode = 0;
	ip->node.core.format = XFS_FMT_EXTENTS;
	ip->node.core.flags = 0;
	ip->node.core.flags2 &= XFS_DIFLAG2_BIGTIME | XFS_DIFLAG2_NREXT64;
	ip->node.core.gen++;
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
	assert(!xfs_ifree(tx, f->ino, false, &gone));
	memtx_commit(tx);
	chunks_gone += gone;
	f->ino = 0;
}

static void extend(struct file *f)
{
	u32 off = below(SPAN), n = 0, want = 1 + below(below(8) ? 5 : 200);
	bool unwritten = !below(3);
	struct xfs_tx *tx;
	struct xfs_ext got;
	int e;

	while (n < want && off + n < SPAN && !f->at[off + n])
		n++;
	if (!n)
		return;
	tx = memtx_begin(fs, n + xfs_bmap_tree_room(sb, false), "extend");
	if (!tx) {
		full++;
		return;
	}
	e = xfs_bmap_extend(tx, get(f), false, off, 1, n, 0, unwritten, &got);
	assert(!e || e == -ENOSPC);
	if (e) {
		full++;
		if (tx->dirty)
			memtx_commit(tx);
		else
			memtx_cancel(tx);
		return;
	}
	memtx_commit(tx);
	assert(got.count && got.count <= n && got.off == off);
	for (u32 i = 0; i < got.count; i++) {
		f->at[off + i] = got.fsb + i;
		f->unwritten[off + i] = unwritten;
	}
	f->mapped += got.count;
}

static void mark(struct file *f)
{
	u64 off = below(SPAN), n = 1 + below(100), left;
	bool unwritten = below(2);
	struct xfs_tx *tx;

	n = off + n > SPAN ? SPAN - off : n;
	left = n;
	while (left) {
		u64 from = off + n - left;

		tx = memtx_begin(fs, 2 * xfs_bmap_tree_room(sb, false), "mark");
		if (!tx) {
			full++;
			return;
		}
		assert(!xfs_bmap_mark(tx, get(f), from, left, unwritten, 1, &left));
		memtx_commit(tx);
		for (u64 i = from; i < off + n - left; i++)
			f->unwritten[i] = unwritten;
	}
}

static void step(void)
{
	struct file *f = &files[below(FILES)];

	if (!f->ino) {
		make(f);
		return;
	}
	switch (below(20)) {
	case 0:
		if (!below(20))
			destroy(f);
		break;
	case 1:
		if (!f->unlinked && !below(20))
			unlink_it(f);
		break;
	case 2:
	case 3:
		cut(f, below(SPAN), 1 + below(below(60) ? 20 : SPAN));
		break;
	case 4:
	case 5:
	case 6:
		mark(f);
		break;
	default:
		extend(f);
	}
	if (!below(32) && f->ino)
		compare(f);
}

int main(int argc, char **argv)
{
	assert(argc == 4);
	memtx_seed((u32)atoi(argv[2]));
	fs = memtx_open(argv[1]);
	sb = &fs->vol.sb;
	for (int i = 0; i < atoi(argv[3]); i++)
		step();
	for (u32 i = 0; i < FILES; i++)
		if (files[i].ino)
			compare(&files[i]);
	for (u32 i = 0; i < FILES; i++)
		if (files[i].ino)
			destroy(&files[i]);
	memtx_print_use(fs);
	printf("full %u, most extents %u, seen as trees %u, as lists %u, chunks given back %u, parts made %u\n",
	       full, most_extents, trees, lists, chunks_gone, sparse_made);
	assert(!memtx_faults(fs, false));
	memtx_sync(fs);
	memtx_close(fs);
	return 0;
}
