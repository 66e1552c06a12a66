// SPDX-License-Identifier: MIT
/*
 * Owners of blocks that many files have at once, beside a model: of each owner and block, whether
 * it has it and with which mark; before that, many copies of one extent. owners IMAGE SEED OPS:
 * ends with no owner left, the blocks freed.
 */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/btree/test/check.h"
#include "fs/xfs/tx/test/memtx_priv.h"

#define OWNERS 24u
#define BLOCKS 1500u
#define FIRST_INO 100000u

enum { NONE, WRITTEN, UNWRITTEN };

static struct xfs_fs *fs;
static const struct xfs_sb *sb;
static u32 agno, start, deepest, most;
static u8 has[OWNERS][BLOCKS];

static u32 below(u32 n)
{
	return xfs_random() % n;
}

/* An owner's blocks are two pieces of it that do not touch. */
static struct xfs_owner owner(u32 o, u32 b, u8 mark)
{
	u64 off = (u64)o * 7 + b + (b >= BLOCKS / 2 ? 1000000 : 0);

	return (struct xfs_owner){ FIRST_INO + o,
				   off | (mark == UNWRITTEN ? XFS_RMAP_UNWRITTEN : 0), true };
}

static bool one_piece(u32 a, u32 b)
{
	return (a >= BLOCKS / 2) == (b >= BLOCKS / 2);
}

/* ---- the tree says what the model says, in as few records as can be ---- */

static u32 expected(void)
{
	u32 n = 0;

	for (u32 o = 0; o < OWNERS; o++)
		for (u32 b = 0; b < BLOCKS; b++)
			n += has[o][b] &&
			     (!b || has[o][b - 1] != has[o][b] || !one_piece(b - 1, b));
	return n;
}

static void check_rec(const u8 *r)
{
	u32 at = xfs_get32(r), len = xfs_get32(r + 4), o = (u32)(xfs_get64(r + 8) - FIRST_INO);

	assert(at >= start && at + len <= start + BLOCKS && o < OWNERS);
	for (u32 b = at - start; b < at - start + len; b++) {
		struct xfs_owner want = owner(o, b, has[o][b]);

		assert(has[o][b] && want.offset == xfs_get64(r + 16) + (b - (at - start)));
	}
}

static void verify(struct xfs_agop *op)
{
	struct xfs_bt_key k = { { 0 } };
	u32 n = 0;
	bool found;

	xfs_put32(k.b, start);
	assert(!xfs_bt_lookup(&op->rmap, &k, XFS_BT_GE, &found));
	while (found && xfs_get32(xfs_bt_rec(&op->rmap)) < start + BLOCKS) {
		check_rec(xfs_bt_rec(&op->rmap));
		check_path(&op->rmap);
		n++;
		assert(!xfs_bt_next(&op->rmap, &found));
	}
	if (op->rmap.levels > deepest)
		deepest = op->rmap.levels;
	assert(n == expected());
	most = n > most ? n : most;
}

/* ---- changes ---- */

/* How many blocks from B on are O's with the mark of B's. */
static u32 run(u32 o, u32 b)
{
	u32 n = 1;

	while (b + n < BLOCKS && has[o][b + n] == has[o][b] && one_piece(b, b + n))
		n++;
	return n;
}

static void change(struct xfs_agop *op, u32 longest, bool last)
{
	u32 o = below(OWNERS), b = below(BLOCKS), n, was;
	struct xfs_owner w;

	n = 1 + below(longest);
	n = n < run(o, b) ? n : run(o, b);
	was = has[o][b];
	if (!was && last)
		return;
	if (!was) {
		u8 mark = below(3) ? WRITTEN : UNWRITTEN;

		w = owner(o, b, mark);
		assert(!xfs_rmap_map(op, start + b, n, &w));
		memset(&has[o][b], mark, n);
		return;
	}
	w = owner(o, b, (u8)was);
	if (!below(3)) {
		assert(!xfs_rmap_convert(op, start + b, n, &w));
		memset(&has[o][b], was == WRITTEN ? UNWRITTEN : WRITTEN, n);
	} else {
		assert(!xfs_rmap_unmap(op, start + b, n, &w));
		memset(&has[o][b], NONE, n);
	}
}

static void at_random(u32 ops, u32 longest, bool last)
{
	for (u32 i = 0; last ? expected() : i < ops; i++) {
		struct xfs_tx *tx = memtx_begin(fs, 0, "owners");
		struct xfs_txbuf *agf;
		struct xfs_agop op;

		assert(!xfs_ag_agf(tx, agno, 0, &agf));
		xfs_agop_open(&op, tx, agno, agf);
		assert(!xfs_agop_fill(&op));
		for (u32 k = 0; k < (last ? 20 : 1); k++) {
			change(&op, longest, last);
			assert(!xfs_agop_fill(&op));
		}
		if (i % 200 == 0)
			verify(&op);
		xfs_agop_close(&op);
		memtx_commit(tx);
	}
}

/* ---- copies of one extent ---- */

#define COPIES 10000u

/* Owners from FROM on get the extent, or lose it; the most blocks that one of them takes. */
static unsigned long copy_some(u32 from, u32 n, bool lose)
{
	struct memtx *m = (struct memtx *)fs;
	struct xfs_tx *tx = memtx_begin(fs, 0, "copies");
	struct xfs_txbuf *agf;
	struct xfs_agop op;
	unsigned long top = 0;

	assert(!xfs_ag_agf(tx, agno, 0, &agf));
	xfs_agop_open(&op, tx, agno, agf);
	for (u32 i = 0; i < n; i++) {
		struct xfs_owner o = { FIRST_INO + from + i, 3, true };
		unsigned long before;
		int e;

		assert(!xfs_agop_fill(&op));
		before = m->gets;
		e = lose ? xfs_rmap_unmap(&op, start, BLOCKS, &o) :
			   xfs_rmap_map(&op, start, BLOCKS, &o);
		assert(!e);
		top = m->gets - before > top ? m->gets - before : top;
	}
	xfs_agop_close(&op);
	memtx_commit(tx);
	return top;
}

/* An owner leaves by a path through the tree, not by all that come before it. */
static unsigned long copies(void)
{
	unsigned long top = 0;

	for (u32 i = 0; i < COPIES; i += 10)
		copy_some(i, 10, false);
	for (u32 i = COPIES; i; i -= 10) {
		unsigned long n = copy_some(i - 10, 10, true);

		top = n > top ? n : top;
	}
	return top;
}

int main(int argc, char **argv)
{
	struct xfs_alloc a = { .minlen = BLOCKS,
			       .maxlen = BLOCKS,
			       .owner = { XFS_OWN_NULL, 0, false } };
	unsigned long top;
	struct xfs_tx *tx;

	assert(argc == 4);
	memtx_seed((u32)atoi(argv[2]));
	fs = memtx_open(argv[1]);
	sb = &fs->vol.sb;
	tx = memtx_begin(fs, BLOCKS, "allocate");
	assert(tx && !xfs_alloc(tx, &a));
	memtx_commit(tx);
	agno = xfs_fsb_ag(sb, a.fsb);
	start = xfs_fsb_agb(sb, a.fsb);
	top = copies();
	printf("an owner of %u leaves: at most %lu blocks\n", COPIES, top);
	assert(top < 20);
	at_random((u32)atoi(argv[3]), 8, false);
	at_random((u32)atoi(argv[3]), 300, false);
	at_random(0, 300, true);
	tx = memtx_begin(fs, 0, "free");
	assert(!xfs_free(tx, a.fsb, BLOCKS, &a.owner, false, false));
	memtx_commit(tx);
	printf("records %u, levels %u\n", most, deepest);
	assert(!memtx_faults(fs, false));
	memtx_sync(fs);
	memtx_close(fs);
	return 0;
}
