// SPDX-License-Identifier: MIT
/*
 * Files that share blocks at random, are written by copy and shifted, beside a model: each block on
 * the disk has a tag, and each file knows the tag that every block of it must have. share IMAGE
 * SEED OPS [WHAT [CUT N]]: goes on with the files that the image has, and leaves them. WHAT:
 * "empty": all are removed; "begun": mappings that others began, "recover": IMAGE was made by a
 * cut; "exchange": the cut is in the middle of an exchange, and "exchanged": IMAGE was made by such
 * a cut: recovery finishes the exchange. CUT, N: memtx_cut().
 */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/ag/refcount.h"
#include "fs/xfs/bmap/reflink.h"
#include "fs/xfs/tx/reserve.h"
#include "fs/xfs/xattr/test/links.h"

#define FILES 10u
#define SPAN 6000u			/* blocks of a file */

struct file {
	struct xfs_ino *ip;		/* NULL: there is none */
	u32 tag[SPAN];			/* 0: zeroes */
};

static struct xfs_fs *fs;
static const struct xfs_sb *sb;
static struct xfs_ino *root;
static struct file files[FILES];
static u32 *tags, next_tag;		/* of blocks */
static u32 shares, copies, in_place, cancels, full, most_extents, collapses, inserts, exchanges;

static u32 below(u32 n)
{
	return xfs_random() % n;
}

static u32 *tag_of(u64 fsb)
{
	return &tags[(u64)xfs_fsb_ag(sb, fsb) * sb->agblocks + xfs_fsb_agb(sb, fsb)];
}

static const char *name_of(const struct file *f)
{
	static char s[8];

	sprintf(s, "f%u", (u32)(f - files));
	return s;
}

static u64 map(const struct file *f, u64 off, struct xfs_map *m)
{
	assert(!xfs_bmap(&fs->vol, &f->ip->node, false, off, m));
	assert(m->off <= off && m->count);
	return m->type == XFS_MAP_DATA ? m->fsb + (off - m->off) : 0;
}

static void compare(struct file *f, bool load)
{
	u32 extents = 0;

	for (u64 off = 0; off < 3 * SPAN;) {
		struct xfs_map m;

		map(f, off, &m);
		for (u64 i = off; i < m.off + m.count && i < SPAN; i++) {
			u32 *t = m.type == XFS_MAP_DATA ? tag_of(m.fsb + (i - m.off)) : NULL;

			if (load && t && !*t)
				*t = ++next_tag;
			if (load)
				f->tag[i] = t ? *t : 0;
			assert(f->tag[i] == (t ? *t : 0));
		}
		extents += m.type != XFS_MAP_HOLE;
		off = m.off + m.count;
	}
	assert(extents == f->ip->node.core.nextents);
	most_extents = extents > most_extents ? extents : most_extents;
}

/* ---- operations ---- */

static struct xfs_tx *begin(u32 blocks, const char *op)
{
	struct xfs_tx *tx = memtx_begin(fs, blocks, op);

	full += !tx;
	return tx;
}

static void extend(struct file *f)
{
	u32 off = below(SPAN), n = 0, want = 1 + below(below(3) ? 8 : 100);
	bool unwritten = !below(6);
	struct xfs_tx *tx;
	struct xfs_map m;
	struct xfs_ext got;
	int e;

	map(f, off, &m);
	if (m.type != XFS_MAP_HOLE)
		return;
	n = (u32)(m.off + m.count - off < want ? m.off + m.count - off : want);
	n = n < SPAN - off ? n : SPAN - off;
	tx = begin(n + xfs_bmap_tree_room(sb, false), "extend");
	if (!tx)
		return;
	e = xfs_bmap_extend(tx, f->ip, false, off, 1, n, 0, unwritten, &got);
	assert(!e || (e == -ENOSPC && !tx->dirty));
	if (e) {
		full++;
		memtx_cancel(tx);
		return;
	}
	memtx_commit(tx);
	for (u32 i = 0; i < got.count && !unwritten; i++)
		f->tag[off + i] = *tag_of(got.fsb + i) = ++next_tag;
}

/* N blocks of F from FROM on become G's, from TO on. */
static void share_range(struct file *f, u32 from, struct file *g, u32 to, u32 n)
{
	for (u32 i = 0; i < n;) {
		struct xfs_tx *tx = begin(xfs_bmap_remap_room(sb), "share");
		u64 done;

		if (!tx)
			return;
		assert(!xfs_bmap_share(tx, f->ip, from + i, g->ip, to + i, n - i, &done));
		assert(done && done <= n - i);
		if (tx->dirty || !list_empty(&tx->work))
			memtx_commit(tx);
		else
			memtx_cancel(tx);
		memcpy(&g->tag[to + i], &f->tag[from + i], done * sizeof(u32));
		i += (u32)done;
		shares++;
	}
}

static void share(struct file *f, struct file *g)
{
	u32 n = 1 + below(below(12) ? 30 : 800), from = below(SPAN), to = below(SPAN);

	n = n < SPAN - from ? n : SPAN - from;
	n = n < SPAN - to ? n : SPAN - to;
	if (f == g && from < to + n && to < from + n)
		return;
	share_range(f, from, g, to, n);
}

/* Into the place of what there is, in parts. */
static bool put_copy(struct file *f, struct xfs_ext x)
{
	while (x.count) {
		struct xfs_tx *tx = begin(xfs_bmap_remap_room(sb), "finish copy");
		u32 done;

		if (!tx) {
			tx = memtx_begin(fs, 0, "cancel copy");
			assert(!xfs_cow_cancel(tx, x.fsb, x.count));
			memtx_commit(tx);
			return false;
		}
		assert(!xfs_cow_finish(tx, f->ip, &x, &done));
		assert(done && done <= x.count);
		memtx_commit(tx);
		for (u32 i = 0; i < done; i++)
			f->tag[x.off + i] = *tag_of(x.fsb + i);
		x.off += done;
		x.fsb += done;
		x.count -= done;
	}
	return true;
}

static void copy(struct file *f, u32 off, u32 n)
{
	while (n) {
		struct xfs_tx *tx = begin(n, "stage");
		struct xfs_ext x;
		int e;

		if (!tx)
			return;
		e = xfs_cow_stage(tx, f->ip, off, 1, n, 0, &x);
		assert(!e || (e == -ENOSPC && !tx->dirty));
		if (e) {
			full++;
			memtx_cancel(tx);
			return;
		}
		memtx_commit(tx);
		if (!below(6)) {
			tx = memtx_begin(fs, 0, "cancel copy");
			assert(!xfs_cow_cancel(tx, x.fsb, x.count));
			memtx_commit(tx);
			cancels++;
			return;
		}
		for (u32 i = 0; i < x.count; i++)
			*tag_of(x.fsb + i) = ++next_tag;
		if (!put_copy(f, x))
			return;
		copies++;
		off += x.count;
		n -= x.count;
	}
}

/*
 * A file's blocks change: those that are shared by a copy, with some around perhaps. False: none
 * was shared.
 */
static bool overwrite(struct file *f)
{
	u32 off = below(SPAN), n = 1 + below(40), skip, shared;
	struct xfs_ext x = { .off = off };
	struct xfs_tx *tx;
	struct xfs_map m;

	x.fsb = map(f, off, &m);
	if (!x.fsb)
		return false;
	n = (u32)(m.off + m.count - off < n ? m.off + m.count - off : n);
	n = n < SPAN - off ? n : SPAN - off;
	x.count = n;
	tx = memtx_begin(fs, 0, "look");
	assert(!xfs_bmap_shared(tx, &x, &skip, &shared));
	memtx_cancel(tx);
	assert(!shared || skip + shared <= n);
	for (u32 i = 0; i < (shared ? skip : n); i++, in_place++)
		f->tag[off + i] = *tag_of(x.fsb + i) = ++next_tag;
	if (!shared)
		return false;
	off += skip;
	if (!below(4)) {	/* more than is needed */
		shared += below(50);
		shared = shared < SPAN - off ? shared : SPAN - off;
	}
	copy(f, off, shared);
	return true;
}

static void cut(struct file *f, u32 off, u32 n)
{
	n = n < SPAN - off ? n : SPAN - off;
	unmap_all(fs, f->ip, false, off, n);
	memset(&f->tag[off], 0, n * sizeof(u32));
}

static void write_unwritten(struct file *f)
{
	u32 off = below(SPAN);
	struct xfs_tx *tx;
	struct xfs_map m;
	u64 left;

	map(f, off, &m);
	if (m.type != XFS_MAP_UNWRITTEN)
		return;
	tx = begin(2 * xfs_bmap_tree_room(sb, false), "mark");
	if (!tx)
		return;
	assert(!xfs_bmap_mark(tx, f->ip, off, 1, false, 1, &left));
	memtx_commit(tx);
	f->tag[off] = *tag_of(map(f, off, &m)) = ++next_tag;
}

/* What is behind N blocks from OFF on takes their place. */
static void collapse(struct file *f, u32 off, u32 n)
{
	u64 at = off + n;

	unmap_all(fs, f->ip, false, off, n);
	while (at < XFS_OFF_MAX) {
		struct xfs_tx *tx = memtx_begin(fs, 2 * xfs_bmap_tree_room(sb, false), "move down");
		u64 was = at;

		assert(tx && !xfs_bmap_move_down(tx, f->ip, n, &at));
		assert(at > was);
		if (tx->dirty)
			memtx_commit(tx);
		else
			memtx_cancel(tx);
	}
	memmove(&f->tag[off], &f->tag[off + n], (SPAN - off - n) * sizeof(u32));
	memset(&f->tag[SPAN - n], 0, n * sizeof(u32));
	collapses++;
}

/* N blocks of hole come between OFF and what is there; what then lies behind the span goes. */
static void insert(struct file *f, u32 off, u32 n)
{
	struct xfs_tx *tx = memtx_begin(fs, 2 * xfs_bmap_tree_room(sb, false), "split");
	u64 end = ~0ull, was;

	assert(tx && !xfs_bmap_split(tx, f->ip, off) && !xfs_bmap_end(tx, f->ip, &end));
	if (tx->dirty)
		memtx_commit(tx);
	else
		memtx_cancel(tx);
	while (end > off) {
		tx = memtx_begin(fs, 2 * xfs_bmap_tree_room(sb, false), "move up");
		was = end;
		assert(tx && !xfs_bmap_move_up(tx, f->ip, n, off, &end));
		assert(end < was);
		if (tx->dirty)
			memtx_commit(tx);
		else
			memtx_cancel(tx);
	}
	memmove(&f->tag[off + n], &f->tag[off], (SPAN - off - n) * sizeof(u32));
	memset(&f->tag[off], 0, n * sizeof(u32));
	unmap_all(fs, f->ip, false, SPAN, 2 * SPAN);
	inserts++;
}

static void shift(struct file *f)
{
	u32 n = 1 + below(below(6) ? 30 : 1000), off = below(SPAN - n);

	if (memtx_free(fs) < 200)
		return;
	if (below(2))
		collapse(f, off, n);
	else
		insert(f, off, n);
}

/* N blocks of F from FROM on and as many of G from TO on. */
static void exchange(struct file *f, u32 from, struct file *g, u32 to, u32 n, bool written)
{
	struct xfs_ino *ip[2] = { f->ip, g->ip };
	struct xfs_lexch x = { .ino = { f->ip->node.core.ino, g->ip->node.core.ino },
			       .gen = { f->ip->node.core.gen, g->ip->node.core.gen },
			       .flags = written ? XFS_LEXCH_WRITTEN : 0,
			       .off = { from, to },
			       .count = n };
	struct xfs_reserve res[XFS_RES_KINDS];
	struct xfs_tx *tx;
	u32 room;

	assert(!xfs_exchange_room(ip, &x, &room));
	tx = begin(room, "exchange");
	if (!tx)
		return;
	assert(!xfs_exchange_later(tx, ip, &x));
	memtx_commit(tx);
	for (u32 i = 0; i < n; i++) {
		u32 tag = f->tag[from + i];

		if (written && !tag)
			continue;
		f->tag[from + i] = g->tag[to + i];
		g->tag[to + i] = tag;
	}
	exchanges++;
	xfs_reserve_of(sb, res);
	assert(memtx_most_bytes(fs, "exchange") <= res[XFS_RES_EXCHANGE].bytes);
}

static void exchange_some(struct file *f, struct file *g)
{
	u32 n = 1 + below(below(3) ? 40 : 3000), from = below(SPAN), to = below(SPAN);

	n = n < SPAN - from ? n : SPAN - from;
	n = n < SPAN - to ? n : SPAN - to;
	if (f == g && from < to + n && to < from + n)
		return;
	exchange(f, from, g, to, n, !below(3));
}

static void step(void)
{
	struct file *f = &files[below(FILES)], *g = &files[below(FILES)];
	u32 what = below(40);

	if (!f->ip) {
		f->ip = make_file(fs, root, name_of(f), (u64)SPAN << sb->blocklog, false);
		return;
	}
	if (!what && !below(8)) {
		unlink_file(fs, root, name_of(f), f->ip);
		*f = (struct file){ 0 };
	} else if (what < 6) {
		cut(f, below(SPAN), 1 + below(what || below(6) ? 20 : SPAN));
	} else if (what < 14) {
		extend(f);
	} else if (what < 17) {
		write_unwritten(f);
	} else if (what < 24 && g->ip) {
		share(f, g);
	} else if (what == 25 && g->ip && sb->incompat & XFS_IN_EXCHRANGE) {
		exchange_some(f, g);
	} else if (what == 24) {
		if (!below(4))
			shift(f);
	} else {
		for (u32 i = 0; i < 8 && !overwrite(f); i++)
			;
	}
	if (!below(30))
		for (u32 i = 0; i < FILES; i++)
			if (files[i].ip)
				compare(&files[i], false);
}

/* The first blocks of all files are those of one. */
static void clones(void)
{
	for (u32 i = 0; i < FILES; i++)
		if (!files[i].ip)
			files[i].ip = make_file(fs, root, name_of(&files[i]),
						(u64)SPAN << sb->blocklog, false);
	for (u32 i = 0; i < 400; i++)
		extend(&files[0]);
	for (u32 i = 1; i < FILES; i++)
		share_range(&files[0], 0, &files[i], i % 3, SPAN / 5);
}

/* KNOWN: all files exist, with the blocks of the model. */
static void load(bool known)
{
	for (u32 i = 0; i < FILES; i++) {
		const char *name = name_of(&files[i]);
		u64 ino;
		u8 type;
		int e = xfs_dir_lookup(&fs->vol, &root->node, (const u8 *)name, (u32)strlen(name),
				       &ino, &type);

		assert(!e || (e == -ENOENT && !known));
		if (e)
			continue;
		files[i].ip = memtx_iget(fs, ino);
		assert(files[i].ip && type == 1);
		compare(&files[i], !known);
	}
}

/* ---- a power cut in the middle of an exchange ---- */

/* The model of image CUT, which has all files, is written to the file CUT.model, or read. */
static void keep_model(const char *cut, bool save)
{
	char name[4096];
	FILE *f;

	snprintf(name, sizeof(name), "%s.model", cut);
	f = fopen(name, save ? "wb" : "rb");
	assert(f);
	if (save)
		assert(fwrite(tags, sizeof(*tags), sb->dblocks, f) == sb->dblocks);
	else
		assert(fread(tags, sizeof(*tags), sb->dblocks, f) == sb->dblocks);
	for (u32 i = 0; i < FILES; i++)
		if (save)
			assert(fwrite(files[i].tag, sizeof(files[i].tag), 1, f) == 1);
		else
			assert(fread(files[i].tag, sizeof(files[i].tag), 1, f) == 1);
	assert(!fclose(f));
	for (u64 i = 0; i < sb->dblocks; i++)
		next_tag = tags[i] > next_tag ? tags[i] : next_tag;
}

/*
 * The cut comes after the intent was committed, so the exchange counts as done: the model that is
 * kept is that of its end.
 */
static void cut_exchange(const char *path, u32 n)
{
	u32 tries = 0, was;

	clones();
	was = exchanges;
	memtx_cut(fs, n, path);
	while (!memtx_was_cut(fs)) {
		assert(tries++ < 1000);
		exchange_some(&files[below(FILES)], &files[below(FILES)]);
	}
	printf("cut in exchange %u\n", exchanges - was);
	keep_model(path, true);
}

/* ---- mappings that others began ---- */

struct bui {
	u16 type, regions;
	u32 n;
	u64 id, ino, fsb, off;
	u32 len, flags;
};

static void bui(struct xfs_tx *tx, struct file *f, u64 off, u64 fsb, u32 len, u32 op)
{
	struct bui b = { XFS_LI_BUI, 1, 1, 7, f->ip->node.core.ino, fsb, off, len, op };
	struct xfs_lregion r = { 0, sizeof(b) };
	struct xfs_litem it = { (u8 *)&b, &r, 1, XFS_LI_BUI };

	assert(xfs_bmap_intent_ino(&it) == f->ip->node.core.ino);
	assert(!xfs_bmap_recover(tx, f->ip, &it));
	memtx_commit(tx);
	b.flags = 9;
	tx = memtx_begin(fs, 0, "look");
	assert(xfs_bmap_recover(tx, f->ip, &it) == -XFS_CORRUPT);
	memtx_cancel(tx);
}

/* Blocks are mapped and unmapped as a log with such work asks for, and left mapped. */
static void begun_mappings(void)
{
	static const struct xfs_owner nobody = { XFS_OWN_NULL, 0, false };

	memtx_faults(fs, true);
	for (u32 i = 0; i < 40; i++) {
		struct file *f = &files[below(FILES)];
		struct xfs_alloc a = { .minlen = 3, .maxlen = 9, .owner = nobody };
		struct xfs_tx *tx = memtx_begin(fs, 9 + xfs_bmap_tree_room(sb, false), "begun");
		u64 off = 2 * SPAN + 10 * i;

		assert(tx);
		if (!f->ip) {
			memtx_cancel(tx);
			continue;
		}
		assert(!xfs_alloc(tx, &a));
		bui(tx, f, off, a.fsb, a.len, 1);
		if (i % 3)
			continue;
		tx = memtx_begin(fs, xfs_bmap_tree_room(sb, false), "begun");
		assert(!xfs_free_later(tx, a.fsb, a.len, &nobody, false));
		bui(tx, f, off, a.fsb, a.len, 2);
	}
}

/* ---- an AG that has hardly a free block ---- */

#define OWNERS 12u			/* files that share the blocks of another */

/* All of AG 0 becomes BIG's, but for 150 blocks. */
static void fill_first_ag(struct xfs_ino *big)
{
	struct xfs_ext got = { .fsb = 1 };
	u64 off = 0;

	for (;;) {
		struct xfs_tx *tx = memtx_begin(fs, 100 + xfs_bmap_tree_room(sb, false), "fill");

		assert(tx && !xfs_bmap_extend(tx, big, false, off, 1, 100, 1, false, &got));
		memtx_commit(tx);
		if (xfs_fsb_ag(sb, got.fsb))
			break;
		off += got.count;
	}
	unmap_all(fs, big, false, 100, 150);
	memtx_sync(fs);
}

/* Blocks get owners until their AG says that it can note no more; nothing fails until then. */
static void tight(void)
{
	struct xfs_ino *many = make_file(fs, root, "many", 0, false),
		       *big = make_file(fs, root, "big", 0, false), *owner[OWNERS];
	char name[16];
	u32 n = 0;

	for (u32 i = 0; i < OWNERS; i++) {
		sprintf(name, "owner%u", i);
		owner[i] = make_file(fs, root, name, 0, false);
	}
	for (u32 i = 0; i < 2000; i++) {
		struct xfs_tx *tx = memtx_begin(fs, 1 + xfs_bmap_tree_room(sb, false), "extend");
		struct xfs_ext got;

		assert(!xfs_bmap_extend(tx, many, false, 2 * i, 1, 1, 1, false, &got));
		assert(!xfs_fsb_ag(sb, got.fsb));
		memtx_commit(tx);
	}
	fill_first_ag(big);
	assert(!xfs_ag_is_tight(fs, 0) && !xfs_ag_is_tight(fs, 1));
	for (u32 i = 0; i < OWNERS * 2000 && !xfs_ag_is_tight(fs, 0); i++, n++) {
		struct xfs_tx *tx = memtx_begin(fs, xfs_bmap_remap_room(sb), "share");
		u64 done, off = 2 * (i % 2000);

		assert(tx);
		/* Elsewhere in each file: so that no record continues another. */
		assert(!xfs_bmap_share(tx, many, off, owner[i / 2000], 3 * off, 1, &done));
		memtx_commit(tx);
	}
	printf("tight after %u owners\n", n);
	assert(n > 100 && xfs_ag_is_tight(fs, 0));
	for (u32 i = 0; i < OWNERS; i++) {
		sprintf(name, "owner%u", i);
		unlink_file(fs, root, name, owner[i]);
	}
}

static void finish(const char *what)
{
	for (u32 i = 0; i < FILES; i++)
		if (files[i].ip) {
			compare(&files[i], false);
			if (!strcmp(what, "empty"))
				unlink_file(fs, root, name_of(&files[i]), files[i].ip);
		}
	assert(!memtx_faults(fs, false));
	if (!strcmp(what, "begun"))
		begun_mappings();
	memtx_print_use(fs);
	printf("shares %u, copies %u, cancels %u, in place %u, full %u, most extents %u, collapses %u, inserts %u, exchanges %u\n",
	       shares, copies, cancels, in_place, full, most_extents, collapses, inserts,
	       exchanges);
	memtx_sync(fs);
	memtx_close(fs);
	free(tags);
}

int main(int argc, char **argv)
{
	const char *what = argc > 4 ? argv[4] : "";
	bool exchanged = !strcmp(what, "exchanged"), cut_later = !strcmp(what, "exchange");

	assert(argc >= 4);
	memtx_seed((u32)atoi(argv[2]));
	fs = memtx_open(argv[1]);
	sb = &fs->vol.sb;
	root = memtx_iget(fs, sb->rootino);
	tags = calloc(sb->dblocks, sizeof(*tags));
	if (exchanged)
		keep_model(argv[1], false);
	if (exchanged || !strcmp(what, "recover"))
		recover(fs, argv[1]);
	load(exchanged);
	if (argc > 6 && !cut_later)
		memtx_cut(fs, (u32)atoi(argv[6]), argv[5]);
	for (int i = 0; i < atoi(argv[3]); i++)
		step();
	if (cut_later) {
		assert(argc > 6);
		cut_exchange(argv[5], (u32)atoi(argv[6]));
	}
	if (!strcmp(what, "clones"))
		clones();
	if (!strcmp(what, "tight"))
		tight();
	if (argc > 6)
		printf("%s\n", memtx_was_cut(fs) ? "cut" : "not cut");
	finish(what);
	return 0;
}
