// SPDX-License-Identifier: MIT
/*
 * Allocations and frees at random over an image, beside a model: an array that says of each block
 * whether the test has it. space IMAGE SEED OPS: ends with everything given back.
 */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/btree/test/check.h"
#include "fs/xfs/tx/test/memtx_priv.h"

struct ext {
	u64 fsb;
	u32 len;
	struct xfs_owner o;
};

static struct xfs_fs *fs;
static const struct xfs_sb *sb;
static struct ext *exts;
static u32 nr, cap;
static u8 *mine;
static u32 full, dirty_full;		/* -ENOSPC, and those with changes */
static u32 deepest[XFS_BT_KINDS];

static u64 linear(u64 fsb)
{
	return (u64)xfs_fsb_ag(sb, fsb) * sb->agblocks + xfs_fsb_agb(sb, fsb);
}

static void mark(u64 fsb, u32 len, u8 as)
{
	for (u64 i = linear(fsb); i < linear(fsb) + len; i++) {
		assert(mine[i] != as);
		mine[i] = as;
	}
}

static void add(u64 fsb, u32 len, struct xfs_owner o)
{
	if (nr == cap) {
		cap = cap ? 2 * cap : 64;
		exts = realloc(exts, sizeof(*exts) * cap);
	}
	exts[nr++] = (struct ext){ fsb, len, o };
}

static u32 below(u32 n)
{
	return xfs_random() % n;
}

/* ---- looking at the trees ---- */

struct seen {
	u32 recs, blocks, longest;
};

static void walk(struct xfs_bt_cur *c, enum xfs_bt kind, struct seen *s)
{
	struct xfs_bt_key k = { { 0 } };
	u64 levels_root;
	u32 levels, end = 0;
	bool found;

	c->ops->root(c, &levels_root, &levels);
	if (levels > deepest[kind])
		deepest[kind] = levels;
	assert(!xfs_bt_lookup(c, &k, XFS_BT_GE, &found));
	while (found) {
		const u8 *r = xfs_bt_rec(c);
		u32 start = xfs_get32(r), len = xfs_get32(r + 4);

		if (kind != XFS_BT_CNT) {
			assert(start >= end && (kind != XFS_BT_BNO || start > end || !end));
			end = start + len;
		} else {
			assert(len >= s->longest);
		}
		s->longest = len > s->longest ? len : s->longest;
		s->recs++;
		check_path(c);
		s->blocks += len;
		for (u32 i = 0; i < len; i++) {
			u8 m = mine[(u64)c->agno * sb->agblocks + start + i];

			assert(kind == XFS_BT_RMAP || !m);
		}
		assert(!xfs_bt_next(c, &found));
	}
	xfs_bt_close(c);
}

static void verify_ag(u32 agno)
{
	struct xfs_tx *tx = memtx_begin(fs, 0, "look");
	struct seen b = { 0 }, n = { 0 }, r = { 0 };
	struct xfs_txbuf *agf;
	struct xfs_agop op;

	assert(!xfs_ag_agf(tx, agno, 0, &agf));
	xfs_agop_open(&op, tx, agno, agf);
	walk(&op.bno, XFS_BT_BNO, &b);
	walk(&op.cnt, XFS_BT_CNT, &n);
	assert(b.recs == n.recs && b.blocks == n.blocks && b.longest == n.longest);
	assert(b.blocks == op.ag->freeblks && b.longest == op.ag->longest);
	if (sb->ro_compat & XFS_RO_RMAPBT) {
		walk(&op.rmap, XFS_BT_RMAP, &r);
		assert(r.blocks + b.blocks == op.ag->length);
	}
	xfs_agop_close(&op);
	memtx_cancel(tx);
}

static void verify(void)
{
	for (u32 i = 0; i < sb->agcount; i++)
		verify_ag(i);
}

/* ---- changing ---- */

static struct xfs_owner some_owner(void)
{
	struct xfs_owner o = { 1000 + below(5), (u64)below(1000) << 20 };

	if (!below(8))
		o = (struct xfs_owner){ XFS_OWN_INOBT, 0 };
	else if (!below(4))
		o.offset = XFS_RMAP_BMBT;
	else if (!below(4))
		o.offset |= XFS_RMAP_UNWRITTEN;
	else if (!below(6))
		o.offset |= XFS_RMAP_ATTR;
	return o;
}

static void random_request(struct xfs_alloc *a, u32 most)
{
	u64 near = xfs_fsb_make(sb, below(sb->agcount), 0);

	*a = (struct xfs_alloc){ .near = near + below(xfs_ag_blocks(sb, xfs_fsb_ag(sb, near))),
				 .minlen = 1,
				 .maxlen = 1 + below(most),
				 .where = (u8)below(3),
				 .metadata = !below(4),
				 .owner = some_owner() };
	if (nr && !below(2)) {	/* behind an extent that is there, as a part of it */
		const struct ext *x = &exts[below(nr)];
		u64 behind = x->fsb + x->len;

		a->near = xfs_fsb_ok(sb, behind, 1) ? behind : a->near;
		a->owner = x->o;
		if (!(x->o.owner >> 63) && !(x->o.offset & XFS_RMAP_BMBT))
			a->owner.offset += x->len;
	}
	if (!below(3))
		a->minlen = 1 + below(a->maxlen);
	if (!below(4))
		a->align = 1u << below(5);
	if (!below(8) && a->where == XFS_ALLOC_NEAR)
		a->same_ag = true;
	if (!below(6)) {
		a->prod = 2 + below(6);
		a->mod = below(a->prod);
	}
}

static void check_answer(const struct xfs_alloc *a)
{
	assert(a->len >= a->minlen && a->len <= a->maxlen && xfs_fsb_ok(sb, a->fsb, a->len));
	assert(a->align < 2 || a->where == XFS_ALLOC_EXACT ||
	       !(xfs_fsb_agb(sb, a->fsb) % a->align));
	assert(a->where != XFS_ALLOC_EXACT || a->fsb == a->near);
	assert(!a->same_ag || xfs_fsb_ag(sb, a->fsb) == xfs_fsb_ag(sb, a->near));
}

static bool do_alloc(struct xfs_alloc *a)
{
	struct xfs_tx *tx = memtx_begin(fs, a->maxlen, "allocate");
	int e;

	if (!tx) {
		full++;
		return false;
	}
	if (a->where == XFS_ALLOC_EXACT)
		a->align = 0;
	e = xfs_alloc(tx, a);
	assert(!e || e == -ENOSPC);
	if (e) {
		full++;
		dirty_full += tx->dirty;
		/* One place, or one AG, may be taken by the free list; not all that there is. */
		assert(!tx->dirty || a->where == XFS_ALLOC_EXACT || a->same_ag ||
		       memtx_free(fs) < 200 * sb->agcount);
		if (tx->dirty)
			memtx_commit(tx);
		else
			memtx_cancel(tx);
		return false;
	}
	check_answer(a);
	mark(a->fsb, a->len, 1);
	add(a->fsb, a->len, a->owner);
	memtx_commit(tx);
	return true;
}

static void free_part(struct xfs_tx *tx, u64 fsb, u32 len, struct xfs_owner o, bool later)
{
	mark(fsb, len, 0);
	if (later)
		assert(!xfs_free_later(tx, fsb, len, &o, o.owner >> 63));
	else
		assert(!xfs_free(tx, fsb, len, &o, o.owner >> 63, false));
}

static struct xfs_owner behind(struct xfs_owner o, u32 n)
{
	if (!(o.owner >> 63) && !(o.offset & XFS_RMAP_BMBT))
		o.offset += n;
	return o;
}

/* The I-th extent, or a part of it. */
static void give_back(struct xfs_tx *tx, u32 i, bool whole, bool later)
{
	struct ext x = exts[i];
	u32 from = whole ? 0 : below(x.len), n = whole ? x.len : 1 + below(x.len - from);

	exts[i] = exts[--nr];
	free_part(tx, x.fsb + from, n, behind(x.o, from), later);
	if (from)
		add(x.fsb, from, x.o);
	if (from + n < x.len)
		add(x.fsb + from + n, x.len - from - n, behind(x.o, from + n));
}

static void do_free(bool whole)
{
	struct xfs_tx *tx = memtx_begin(fs, 0, "free");
	u32 n = 1 + below(4);

	if (!below(2)) {
		give_back(tx, below(nr), whole, false);
		memtx_commit(tx);
		return;
	}
	for (u32 i = 0; i < n && nr; i++)
		give_back(tx, below(nr), whole, true);
	memtx_commit(tx);
}

static void do_convert(void)
{
	struct xfs_tx *tx = memtx_begin(fs, 0, "convert");
	struct ext *x = &exts[below(nr)], old = *x;
	u32 from = below(x->len), n = 1 + below(x->len - from);
	struct xfs_owner part = behind(x->o, from);
	struct xfs_txbuf *agf;
	struct xfs_agop op;
	int e;

	if (x->o.owner >> 63 || x->o.offset & (XFS_RMAP_BMBT | XFS_RMAP_ATTR)) {
		memtx_cancel(tx);
		return;
	}
	assert(!xfs_ag_agf(tx, xfs_fsb_ag(sb, x->fsb), 0, &agf));
	xfs_agop_open(&op, tx, xfs_fsb_ag(sb, x->fsb), agf);
	e = xfs_agop_fill(&op);
	assert(!e || (e == -ENOSPC && op.ag->freeblks < 200));
	if (!e) {
		assert(!xfs_rmap_convert(&op, xfs_fsb_agb(sb, x->fsb) + from, n, &part));
		*x = exts[--nr];
		part.offset ^= XFS_RMAP_UNWRITTEN;
		add(old.fsb + from, n, part);
		if (from)
			add(old.fsb, from, old.o);
		if (from + n < old.len)
			add(old.fsb + from + n, old.len - from - n, behind(old.o, from + n));
	}
	xfs_agop_close(&op);
	memtx_commit(tx);
}

/* ---- what is done ---- */

static void at_random(u32 ops, u32 most)
{
	for (u32 i = 0; i < ops; i++) {
		struct xfs_alloc a;

		if (!nr || below(100) < 52) {
			random_request(&a, most);
			do_alloc(&a);
		} else if (below(8)) {
			do_free(below(2));
		} else {
			do_convert();
		}
		if (i % 500 == 0)
			verify();
	}
	verify();
}

/* Until nothing is left; what is left then is what the AGs need. */
static void fill_up(u32 most)
{
	struct xfs_alloc a;
	u32 tries = 0;
	u64 left;

	while (tries < 50) {
		random_request(&a, most);
		a.minlen = 1;
		a.align = a.prod = 0;
		a.where = XFS_ALLOC_ANY;
		a.same_ag = false;
		a.maxlen = memtx_free(fs) < a.maxlen ? (u32)memtx_free(fs) : a.maxlen;
		tries = a.maxlen && do_alloc(&a) ? 0 : tries + 1;
		most = tries && most > 1 ? most / 2 : most;
	}
	left = memtx_free(fs) / sb->agcount;
	printf("full: %llu blocks an AG are left\n", (unsigned long long)left);
	assert(left < 200);
	verify();
}

/* Single blocks in AG 1, of which every second is freed: as many free extents as can be. */
static void fragment(void)
{
	struct xfs_alloc a;
	u32 first = nr, n;

	for (u64 at = 0;; at++) {
		a = (struct xfs_alloc){ .near = xfs_fsb_make(sb, 1, 0),
					.minlen = 1,
					.maxlen = 1,
					.where = XFS_ALLOC_NEAR,
					.same_ag = true,
					.owner = { 2000 + at % 3, at * 2 } };
		if (!do_alloc(&a))
			break;
	}
	n = nr;
	for (u32 i = first; i < n; i++)	/* by address, every second */
		if (xfs_fsb_agb(sb, exts[i].fsb) % 2) {
			struct xfs_tx *tx = memtx_begin(fs, 0, "fragment");

			free_part(tx, exts[i].fsb, 1, exts[i].o, false);
			exts[i].len = 0;
			memtx_commit(tx);
		}
	for (u32 i = first; i < nr;)
		if (exts[i].len)
			i++;
		else
			exts[i] = exts[--nr];
	verify();
}

static void empty(void)
{
	while (nr)
		do_free(true);
	verify();
	/* Lists shrink as the trees do. */
}

/* ---- damage, with checksums that fit ---- */

static u8 *map_at(u64 daddr)
{
	return ((struct memtx *)fs)->map + daddr * XFS_SECTOR;
}

/* A block of the tree: some child of the root, or the root. */
static u32 some_block(enum xfs_bt kind, u32 agno, u32 root)
{
	u32 agb = root;

	for (u32 i = xfs_agb_ok(sb, agno, root) ? below(4) : 0; i; i--) {
		const u8 *p = map_at(xfs_agb_daddr(sb, agno, agb));
		struct xfs_bt_block h;

		xfs_bt_head(p, &h);
		if (!h.level)
			break;
		if (!h.numrecs || h.numrecs > 80)
			break;
		agb = xfs_bt_ptr_at(sb, kind, p, below(h.numrecs));
		if (!xfs_agb_ok(sb, agno, agb))		/* spoilt before */
			return root;
	}
	return agb;
}

/* A word of a header, a tree or the free list becomes another number, often a likely one. */
static void spoil(void)
{
	u32 agno = below(sb->agcount), bbs = sb->sectsize / XFS_SECTOR, what = below(5), at, v;
	u64 daddr = xfs_agb_daddr(sb, agno, 0) + bbs;
	const struct xfs_dagf *d = (const struct xfs_dagf *)(const void *)map_at(daddr);
	u32 roots[] = { be32_get(d->bno_root), be32_get(d->cnt_root), be32_get(d->rmap_root) };
	enum xfs_kind kind = XFS_BLK_AGF;
	u32 len = sb->sectsize;

	at = 16 + below(12) * 4;
	if (what == 1) {
		daddr += 2 * bbs;
		kind = XFS_BLK_AGFL;
		at = 36 + (be32_get(d->flfirst) + below(be32_get(d->flcount) + 1)) * 4;
		at = at < len ? at : 36;
	} else if (what > 1) {
		enum xfs_bt t = what == 2 ? XFS_BT_BNO : what == 3 ? XFS_BT_CNT : XFS_BT_RMAP;

		v = some_block(t, agno, roots[what - 2]);
		if (!xfs_agb_ok(sb, agno, v))
			return;
		daddr = xfs_agb_daddr(sb, agno, v);
		kind = (enum xfs_kind)(XFS_BLK_BT + t);
		len = sb->blocksize;
		at = 4 + below(below(2) ? 30 : len / 4 - 1) * 4;
	}
	v = xfs_get32(map_at(daddr) + at);
	v = !below(3) ? xfs_random() : !below(2) ? roots[below(3)] : v + below(9) - 4;
	xfs_put32(map_at(daddr) + at, v);
	xfs_block_stamp(sb, kind, map_at(daddr), len, 0);
}

static int one_change(void)
{
	struct xfs_tx *tx;
	struct xfs_alloc a;
	int e;

	random_request(&a, 40);
	tx = memtx_begin(fs, a.maxlen, "damaged");
	assert(tx);
	if (nr && below(2)) {
		struct ext x = exts[below(nr)];

		e = below(2) ? xfs_free(tx, x.fsb, x.len, &x.o, false, false) :
			       xfs_free_later(tx, x.fsb, x.len, &x.o, false);
	} else {
		e = xfs_alloc(tx, &a);
	}
	assert(!e || e == -ENOSPC || e == -XFS_CORRUPT || e == -XFS_BAD_CRC);
	if (e && e != -ENOSPC)
		memtx_cancel_dirty(tx);
	else if (e && !tx->dirty)
		memtx_cancel(tx);
	else
		memtx_commit(tx);
	return e;
}

static int damage(u32 ops)
{
	at_random(ops, 9);
	memtx_damaged(fs);
	memtx_faults(fs, true);
	for (u32 n = 1 + below(4); n; n--)
		spoil();
	for (u32 i = 0; i < 100 && !memtx_is_shut(fs); i++)
		one_change();
	printf("faults: %lu\n", memtx_faults(fs, true));
	memtx_close(fs);
	free(mine);
	free(exts);
	return 0;
}

int main(int argc, char **argv)
{
	u32 ops = argc > 3 ? (u32)atoi(argv[3]) : 1000;
	u64 before;

	assert(argc > 2);
	fs = memtx_open(argv[1]);
	sb = &fs->vol.sb;
	mine = calloc(1, sb->dblocks);
	memtx_seed((u32)atoi(argv[2]));
	if (argc > 4)
		return damage(ops);
	before = sb->fdblocks;
	verify();
	at_random(ops, 2000);
	memtx_sync(fs);
	at_random(ops, 7);
	fragment();
	at_random(ops, 30);
	empty();
	assert(sb->fdblocks == before);
	fill_up(20000);
	empty();
	assert(sb->fdblocks == before && memtx_free(fs) == before);
	memtx_sync(fs);
	memtx_print_use(fs);
	printf("levels: bno %u cnt %u rmap %u; full %u, after a change %u\n", deepest[XFS_BT_BNO],
	       deepest[XFS_BT_CNT], deepest[XFS_BT_RMAP], full, dirty_full);
	memtx_close(fs);
	free(mine);
	free(exts);
	return 0;
}
