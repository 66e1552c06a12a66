// SPDX-License-Identifier: MIT
/*
 * A tree whose root is in an inode: records are inserted and deleted in several orders, beside an
 * array that says which are there. bmbt IMAGE SEED RECORDS: of the inode behind the first three.
 */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/btree/test/check.h"
#include "fs/xfs/tx/test/memtx_priv.h"

static struct xfs_fs *fs;
static const struct xfs_sb *sb;
static struct xfs_ino *ip;
static u8 *there;
static u32 most, nr, blocks, deepest;

static u8 *iroot(struct xfs_bt_cur *c, u32 *size)
{
	struct xfs_fork k;

	assert(xfs_fork_of(sb, &c->ip->node.core, c->ip->node.literal, c->attr, &k));
	*size = k.size;
	return xfs_ino_literal(c->ip) + (k.data - c->ip->node.literal);
}

static void log_iroot(struct xfs_bt_cur *c)
{
	xfs_tx_inode(c->tx, c->ip, XFS_LI_CORE | XFS_LI_DBROOT);
}

static struct xfs_owner owner(void)
{
	return (struct xfs_owner){ ip->node.core.ino, XFS_RMAP_BMBT };
}

static int take_block(struct xfs_bt_cur *c, u64 near, u64 *ptr)
{
	struct xfs_alloc a = { .near = near,
			       .minlen = 1,
			       .maxlen = 1,
			       .where = XFS_ALLOC_NEAR,
			       .metadata = true,
			       .owner = owner() };
	int e = xfs_alloc(c->tx, &a);

	*ptr = a.fsb;
	blocks += !e;
	return e;
}

static int free_block(struct xfs_bt_cur *c, u64 ptr)
{
	struct xfs_owner o = owner();

	blocks--;
	return xfs_free_later(c->tx, ptr, 1, &o, true);
}

static const struct xfs_bt_ops ops = { NULL, NULL, iroot, log_iroot, take_block, free_block };

static void make_rec(u8 *rec, u32 off)
{
	u64 fsb = xfs_fsb_make(sb, 1, 1000 + off % 1000);

	xfs_put64(rec, (u64)off << 9 | fsb >> 43);
	xfs_put64(rec + 8, fsb << 21 | 1);
}

static u64 off_of(const u8 *rec)
{
	return xfs_get64(rec) << 1 >> 10;
}

/* All records in their order. */
static void verify(void)
{
	struct xfs_tx *tx = memtx_begin(fs, 0, "look");
	struct xfs_bt_key k = { { 0 } };
	struct xfs_bt_cur c;
	bool found;
	u32 n = 0, at = 0;

	xfs_bt_open_ino(&c, tx, &ops, ip, false);
	assert(!xfs_bt_lookup(&c, &k, XFS_BT_GE, &found));
	deepest = c.levels > deepest ? c.levels : deepest;
	while (found) {
		u64 off = off_of(xfs_bt_rec(&c));

		check_path(&c);
		for (; at < off; at++)
			assert(!there[at]);
		assert(there[at++]);
		n++;
		assert(!xfs_bt_next(&c, &found));
	}
	assert(n == nr);
	memset(k.b, 0xff, sizeof(k.b));
	assert(!xfs_bt_lookup(&c, &k, XFS_BT_LE, &found) && found);
	while (found) {
		n--;
		assert(!xfs_bt_prev(&c, &found));
	}
	assert(!n);
	xfs_bt_close(&c);
	memtx_cancel(tx);
}

static void put(struct xfs_tx *tx, u32 off)
{
	struct xfs_bt_cur c;
	u8 rec[16];

	make_rec(rec, off);
	xfs_bt_open_ino(&c, tx, &ops, ip, false);
	assert(!xfs_bt_insert(&c, rec));
	xfs_bt_close(&c);
	there[off] = 1;
	nr++;
}

static void drop(struct xfs_tx *tx, u32 off)
{
	struct xfs_bt_cur c;
	struct xfs_bt_key k;
	bool found;

	xfs_put64(k.b, off);
	xfs_bt_open_ino(&c, tx, &ops, ip, false);
	assert(!xfs_bt_lookup(&c, &k, XFS_BT_EQ, &found) && found);
	assert(!xfs_bt_delete(&c));
	xfs_bt_close(&c);
	there[off] = 0;
	nr--;
}

static void change(u32 off)
{
	struct xfs_tx *tx;

	if (there[off] && nr == 1)
		return;
	tx = memtx_begin(fs, 10, "change");
	if (there[off])
		drop(tx, off);
	else
		put(tx, off);
	memtx_commit(tx);
}

/* The fork becomes a tree with one leaf that has record 0. */
static void begin(void)
{
	struct xfs_tx *tx = memtx_begin(fs, 1, "begin");
	struct xfs_bt_view root, v;
	struct xfs_bt_cur c;
	struct xfs_txbuf *b;
	u8 rec[16];
	u64 ptr;

	ip->node.core.format = XFS_FMT_BTREE;
	xfs_bt_open_ino(&c, tx, &ops, ip, false);
	c.levels = 2;
	assert(!take_block(&c, ip->node.core.ino >> sb->inopblog, &ptr));
	assert(!xfs_bt_new_block(&c, 0, ptr, &b));
	make_rec(rec, 0);
	xfs_bt_view(&c, 0, b, &v);
	xfs_bt_set(&v, 0, rec, 0);
	xfs_bt_set_count(&v, 1);
	xfs_bt_log(&v, 0, 1);
	xfs_bt_view(&c, 1, NULL, &root);
	xfs_bt_set_iroot_level(&root, 1);
	xfs_bt_set_count(&root, 1);
	xfs_bt_set_ptr(&root, 0, ptr);
	xfs_bt_put_key(&root, 0, &v);
	c.levels = 0;
	xfs_bt_close(&c);
	there[0] = 1;
	nr = 1;
	memtx_commit(tx);
	verify();
}

static void end(const struct xfs_core *core, const u8 *literal)
{
	struct xfs_tx *tx = memtx_begin(fs, 0, "end");
	struct xfs_bt_view root;
	struct xfs_bt_cur c;
	u64 ptr;

	xfs_bt_open_ino(&c, tx, &ops, ip, false);
	c.levels = 2;
	xfs_bt_view(&c, 1, NULL, &root);
	ptr = xfs_bt_ptr(&root, 0);
	c.levels = 0;
	xfs_tx_kill_at(tx, xfs_fsb_daddr(sb, ptr), sb->blocksize / XFS_SECTOR);
	assert(!free_block(&c, ptr) && !blocks);
	ip->node.core = *core;
	memcpy(xfs_ino_literal(ip), literal, xfs_literal_size(sb));
	xfs_tx_inode(tx, ip, XFS_LI_CORE | XFS_LI_DDATA | XFS_LI_ADATA);
	memtx_commit(tx);
}

int main(int argc, char **argv)
{
	struct xfs_core core;
	u8 literal[2048];

	assert(argc > 3);
	fs = memtx_open(argv[1]);
	sb = &fs->vol.sb;
	memtx_seed((u32)atoi(argv[2]));
	most = (u32)atoi(argv[3]);
	there = calloc(1, most);
	ip = memtx_iget(fs, sb->rootino + 3);
	assert(ip && (ip->node.core.mode & 0170000) == 0100000 && !ip->node.core.nextents);
	core = ip->node.core;
	memcpy(literal, ip->node.literal, xfs_literal_size(sb));
	begin();
	for (u32 i = 1; i < most; i++)		/* ascending, then from the front */
		change(i);
	verify();
	for (u32 i = 0; i < most; i++)
		change(i);
	verify();
	for (u32 i = most - 1; i--;)		/* descending, then from the end */
		change(i);
	verify();
	for (u32 i = most - 1; i > 0; i--)
		change(i);
	verify();
	for (u32 i = 0; i < most * 2; i++) {	/* at random */
		change(xfs_random() % most);
		if (i % 1000 == 0)
			verify();
	}
	for (u32 i = 0; i < most; i++)
		if (there[i])
			change(i);
	assert(nr == 1);
	verify();
	end(&core, literal);
	memtx_sync(fs);
	memtx_print_use(fs);
	printf("levels: %u\n", deepest);
	memtx_close(fs);
	free(there);
	return 0;
}
