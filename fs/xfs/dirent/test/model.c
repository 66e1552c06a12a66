// SPDX-License-Identifier: MIT
/*
 * One directory of an image against a model in memory: random changes by seed; after some of them
 * the walk and look-ups say the same as the model, entries have the positions that they had, and
 * the tables of the blocks are right. Arguments: image, seed, names, operations, kind of names,
 * scatter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <assert.h>
#include "fs/xfs/tx/test/memtx.h"
#include "fs/xfs/bmap/bmap.h"
#include "fs/xfs/dirent/dirent_priv.h"

struct slot {
	u8 name[255];
	u8 len, ftype;
	bool there, seen, known;
	u32 cookie;		/* where KNOWN */
	u64 ino;
};
static struct slot *slots;
static u32 nr, there, seed;
static bool real;
static struct xfs_fs *fs;
static struct xfs_ino *dp;
static u64 parent;
static u32 *index_of_name, index_size;
static u32 ups[4][4];		/* changes of form */

static u32 rnd(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (u32)(((u64)(seed >> 4) * n) >> 28);
}

static void make_name(struct slot *s, u32 i, char kind)
{
	u32 at;

	if (kind == 'c') {	/* all have one hash */
		memset(s->name, 'b', 20);
		for (u32 t = 0; t < 18; t++)
			if (i >> t & 1) {
				s->name[t] ^= 1;
				s->name[t + 1] ^= 0x80;
			}
		s->len = 20;
		return;
	}
	at = (u32)sprintf((char *)s->name, "%x", i);
	s->len = (u8)at;
	if (kind == 's')
		return;
	s->len = (u8)(at + rnd(kind == 'l' ? 256 - at : 40));
	for (u32 k = at; k < s->len; k++)
		s->name[k] = k == at ? '.' : (u8)(128 + rnd(128));
}

static u32 find_slot(const u8 *name, u32 len)
{
	for (u32 h = xfs_da_hash(name, len) * 2654435761u ^
		     (len ? name[0] * 77u + name[len - 1] : 0);
	     ; h++) {
		u32 *p = &index_of_name[h % index_size];

		if (!*p || (slots[*p - 1].len == len && !memcmp(slots[*p - 1].name, name, len)))
			return h % index_size;
	}
}

static bool see(void *ctx, const struct xfs_dirent *d)
{
	u32 *n = ctx, i;
	struct slot *s;

	if (d->len == 1 && d->name[0] == '.') {
		assert(d->ino == dp->node.core.ino && d->cookie == 8);
		return true;
	}
	if (d->len == 2 && !memcmp(d->name, "..", 2)) {
		assert(d->ino == parent && d->cookie == 10);
		return true;
	}
	i = index_of_name[find_slot(d->name, d->len)];
	assert(i);
	s = &slots[i - 1];
	assert(s->there && !s->seen && s->ino == d->ino && s->ftype == d->ftype);
	assert(!s->known || s->cookie == d->cookie);
	s->known = s->seen = true;
	s->cookie = d->cookie;
	++*n;
	return true;
}

static enum xfs_dform form(struct xfs_tx *tx)
{
	struct xfs_dop o = { .tx = tx, .dp = dp, .sb = &fs->vol.sb };
	enum xfs_dform f;

	assert(!xfs_dform_of(&o, &f));
	return f;
}

/* The table of block DB is right: the length of its largest free piece. */
static u32 largest(struct xfs_dop *o, u32 db)
{
	const struct xfs_ddir_data *h;
	u32 lens[3] = { 0 };
	struct xfs_txbuf *b;
	bool free = false;

	assert(!xfs_dd_get(o, db, &b));
	h = (const void *)b->data;
	for (u32 at = 64, len; at < xfs_dd_end(o->sb, b); at += len) {
		if (b->data[at] != 0xff || b->data[at + 1] != 0xff) {
			free = false;
			len = xfs_dd_size(b->data[at + 8]);
			continue;
		}
		len = (u32)b->data[at + 2] << 8 | b->data[at + 3];
		assert(!free);
		free = true;
		for (u32 k = 0, l = len; k < 3; k++)
			if (l > lens[k])
				swap(l, lens[k]);
	}
	for (u32 k = 0; k < 3; k++) {
		u32 at = be16_get(h->best[k].offset);

		assert(be16_get(h->best[k].length) == lens[k]);
		assert(lens[k] ? ((u32)b->data[at + 2] << 8 | b->data[at + 3]) == lens[k] : !at);
	}
	return lens[0];
}

/* The table of each block of names is right, and what is said elsewhere of it. */
static void check_names(struct xfs_dop *o, enum xfs_dform f)
{
	u32 end = (u32)(dp->node.core.size / o->sb->dirblksize), nvalid = 0;
	struct xfs_txbuf *leaf = NULL;
	be16 *best = NULL;

	assert(dp->node.core.size % o->sb->dirblksize == 0);
	if (f == XFS_DFORM_LEAF) {
		assert(!xfs_fork_get(o->tx, dp, false, xfs_dir_leaf_off(o->sb), XFS_BLK_DIR_HASH, 0,
				     &leaf));
		best = xfs_dirleaf_bests(o->sb, leaf, &nvalid);
		assert(nvalid == end);
	}
	for (u32 db = 0; db < end; db++) {
		int has = xfs_fork_has(o->tx, dp, false, (u64)db << o->sb->dirblklog);
		u32 says = XFS_DIR_NULL_BEST, is = XFS_DIR_NULL_BEST;
		struct xfs_txbuf *b;

		assert(has >= 0 && (has || (db && db + 1 < end)));
		if (has)
			is = largest(o, db);
		if (f == XFS_DFORM_LEAF)
			says = be16_get(best[db]);
		if (f == XFS_DFORM_NODE) {
			u32 max = xfs_dirfree_max(o->sb);
			u64 off = (XFS_DIR_FREE_START >> o->sb->blocklog) +
				  ((u64)(db / max) << o->sb->dirblklog);

			if (xfs_fork_has(o->tx, dp, false, off)) {
				const struct xfs_ddir_free *h;

				assert(!xfs_dirfree_get(o, db / max, &b));
				h = (const void *)b->data;
				if (db % max < be32_get(h->nvalid))
					says = be16_get(h->best[db % max]);
				if (db % max == 0) {
					u32 used = 0;

					for (u32 k = 0; k < be32_get(h->nvalid); k++)
						used += be16_get(h->best[k]) != 0xffff;
					assert(used == be32_get(h->nused) && used);
				}
			}
		}
		if (f >= XFS_DFORM_LEAF)
			assert(says == is);
	}
}

/* Of a tree: each node knows the last hashes of its children; levels are chains. */
static u32 last_blk[8], blocks_seen;
static u32 check_tree(struct xfs_dop *o, u32 blk, u32 level, u32 *low)
{
	struct xfs_txbuf *b;
	u32 last = *low;

	assert(!xfs_fork_get(o->tx, dp, false, blk, XFS_BLK_DIR_HASH, 0, &b));
	blocks_seen++;
	assert(be32_get(((struct xfs_dda *)b->data)->back) == last_blk[level]);
	last_blk[level] = blk;
	if (xfs_da_magic(b->data) == XFS_DA_NODE_MAGIC) {
		assert(xfs_da_level(b->data) == level && xfs_da_count(b->data));
		for (u32 i = 0; i < xfs_da_count(b->data); i++) {
			last = check_tree(o, be32_get(xfs_da_ents(b->data)[i].before), level - 1,
					  low);
			assert(last == be32_get(xfs_da_ents(b->data)[i].hash));
		}
		return last;
	}
	assert(level == 0 && xfs_da_magic(b->data) == XFS_DIR_LEAFN_MAGIC);
	{
		struct xfs_ents s = xfs_dirleaf_ents(b);
		u32 stale = 0;

		for (u32 i = 0; i < s.n; i++) {
			assert(be32_get(s.e[i].hash) >= *low);
			*low = last = be32_get(s.e[i].hash);
			stale += !be32_get(s.e[i].addr);
		}
		assert(stale == s.stale);
	}
	return last;
}

static void lookups(void)
{
	u32 step = nr > 3000 ? nr / 1500 : 1;
	u64 ino;
	u8 ft;

	for (u32 i = rnd(step); i < nr; i += step) {
		int e = xfs_dir_lookup(&fs->vol, &dp->node, slots[i].name, slots[i].len, &ino, &ft);

		assert(e == (slots[i].there ? 0 : -ENOENT));
		assert(e || (ino == slots[i].ino && ft == slots[i].ftype));
	}
	assert(!xfs_dir_lookup(&fs->vol, &dp->node, (const u8 *)"..", 2, &ino, &ft) &&
	       ino == parent);
}

static void check(void)
{
	struct xfs_tx *tx = memtx_begin(fs, 0, "check");
	struct xfs_dop o = { .tx = tx, .dp = dp, .sb = &fs->vol.sb };
	enum xfs_dform f = form(tx);
	u32 n = 0, cookie = 0;

	assert(!xfs_dir_walk(&fs->vol, &dp->node, &cookie, see, &n));
	assert(n == there);
	for (u32 i = 0; i < nr; i++)
		slots[i].seen = false;
	lookups();
	assert(xfs_dirent_empty(dp) == !there);
	if (f > XFS_DFORM_SHORT)
		check_names(&o, f);
	if (f == XFS_DFORM_NODE) {
		struct xfs_txbuf *b;
		u32 low = 0;

		memset(last_blk, 0, sizeof(last_blk));
		assert(!xfs_fork_get(tx, dp, false, xfs_dir_leaf_off(o.sb), XFS_BLK_DIR_HASH, 0,
				     &b));
		check_tree(&o, (u32)xfs_dir_leaf_off(o.sb),
			   xfs_da_magic(b->data) == XFS_DA_NODE_MAGIC ? xfs_da_level(b->data) : 0,
			   &low);
	}
	memtx_cancel(tx);
}

static u64 some_ino(void)
{
	const struct xfs_sb *sb = &fs->vol.sb;

	if (real)
		return sb->rootino + 3 + rnd(20);	/* files of the image */
	return xfs_ino_make(sb, rnd(sb->agcount), 6400 + rnd(6400));
}

static void change(u32 i, u32 what)
{
	struct slot *s = &slots[i];
	u32 room;
	struct xfs_tx *tx = memtx_begin(fs, 0, "room");
	enum xfs_dform from = form(tx), to;
	u64 ino = some_ino();
	u8 ft = real ? 1 : (u8)(1 + rnd(7));
	int e;

	room = xfs_dirent_room(tx, dp, s->len);
	memtx_cancel(tx);
	/* Now and then without blocks: then it does without, or does nothing. */
	if (!rnd(20))
		room = 0;
	tx = memtx_begin(fs, room, what == 0 ? "add" : what == 1 ? "remove" : "replace");
	if (what == 0) {
		e = xfs_dirent_add(tx, dp, s->name, s->len, ino, ft);
		assert(e == (s->there ? -EEXIST : 0) || (e == -ENOSPC && !room));
		if (!e) {
			s->there = true;
			s->known = false;
			there++;
		}
	} else if (what == 1) {
		e = xfs_dirent_remove(tx, dp, s->name, s->len, s->ino);
		assert(e == (s->there ? 0 : -ENOENT));
		if (!e) {
			s->there = false;
			there--;
		}
	} else {
		e = xfs_dirent_replace(tx, dp, s->name, s->len, ino, ft);
		assert(e == (s->there ? 0 : -ENOENT) || (e == -ENOSPC && !room));
	}
	if (!e && what != 1) {
		s->ino = ino;
		s->ftype = ft;
	}
	if (e) {
		memtx_cancel(tx);
		return;
	}
	memtx_commit(tx);
	tx = memtx_begin(fs, 0, "room");
	to = form(tx);
	memtx_cancel(tx);
	ups[from][to]++;
}

static void setup(char **argv)
{
	struct xfs_tx *tx;
	struct xfs_ino *root;
	char kind = argv[5][0];

	fs = memtx_open(argv[1]);
	memtx_seed(seed);
	slots = calloc(nr, sizeof(*slots));
	index_size = nr * 2 + 1;
	index_of_name = calloc(index_size, 4);
	for (u32 i = 0; i < nr; i++) {
		make_name(&slots[i], i, kind);
		index_of_name[find_slot(slots[i].name, slots[i].len)] = i + 1;
	}
	root = memtx_iget(fs, fs->vol.sb.rootino);
	dp = memtx_iget(fs, fs->vol.sb.rootino + 40);
	assert(root && dp && !dp->node.core.mode);
	parent = root->node.core.ino;
	tx = memtx_begin(fs, 0, "init");
	dp->node.core = root->node.core;
	dp->node.core.ino = fs->vol.sb.rootino + 40;
	dp->node.core.forkoff = 0;
	dp->node.core.nblocks = 0;
	dp->node.core.aformat = XFS_FMT_EXTENTS;
	xfs_dirent_init(tx, dp, parent);
	memtx_commit(tx);
}

int main(int argc, char **argv)
{
	u32 ops, goal = 0;

	assert(argc >= 7);
	seed = (u32)atoi(argv[2]);
	nr = (u32)atoi(argv[3]);
	ops = (u32)atoi(argv[4]);
	real = argc > 7;
	setup(argv);
	check();
	for (u32 k = 0; k < ops; k++) {
		u32 i = rnd(nr), what = 2;

		/* Towards a number of names, which is another one when it is reached. */
		if (there == goal)
			goal = rnd(3) ? rnd(nr + 1) : rnd(min(nr, 60u) + 1);
		if (rnd(8))
			what = rnd(8) ? there > goal : rnd(2);
		while (what < 2 && slots[i].there != (what == 1) && rnd(64))
			i = (i + 1) % nr;
		if (!rnd(200) && !real) {
			struct xfs_tx *tx = memtx_begin(fs, 300, "..");
			u64 ino = some_ino();

			if (!xfs_dirent_replace(tx, dp, (const u8 *)"..", 2, ino, 2))
				parent = ino;
			memtx_commit(tx);
		}
		change(i, what);
		if (there == goal || k % (ops / 40 + 1) == 0)
			check();
	}
	if (argc > 7)
		memtx_sync(fs);
	for (u32 i = 0; i < nr && argc < 8; i++)
		if (slots[i].there) {
			change(i, 1);
			if (i % (nr / 20 + 1) == 0)
				check();
		}
	check();
	for (u32 a = 0; a < 4; a++)
		for (u32 b = 0; b < 4; b++)
			printf("%u%s", ups[a][b], a == 3 && b == 3 ? "\n" : " ");
	memtx_print_use(fs);
	memtx_close(fs);
	free(slots);
	free(index_of_name);
	return 0;
}
