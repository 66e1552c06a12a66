// SPDX-License-Identifier: MIT
/*
 * The attributes of one inode of an image against a model in memory: random changes by seed. A walk
 * and look-ups say the same as the model. Arguments: image, seed, names, operations, longest value,
 * scatter (2: blocks lie one by one).
 */
#include <stdio.h>
#include <stdlib.h>
#include <assert.h>
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/tx/test/memtx.h"
#include "fs/xfs/bmap/bmap.h"
#include "fs/xfs/xattr/xattr_priv.h"

struct slot {
	u8 name[255];
	u8 len, space;
	bool there, seen;
	u8 *value;
	u32 valuelen;
};
static struct slot *slots;
static u32 nr, there, seed, longest;
static struct xfs_fs *fs;
static struct xfs_ino *ip;
static u32 ups[4][4];
static u64 most;			/* extents */

static u32 rnd(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (u32)(((u64)(seed >> 4) * n) >> 28);
}

static u32 form(void)
{
	const struct xfs_core *c = &ip->node.core;
	struct xfs_txbuf *b;
	struct xfs_tx *tx;
	u32 f;

	if (!c->forkoff || c->aformat == XFS_FMT_LOCAL)
		return c->forkoff != 0;
	tx = memtx_begin(fs, 0, "form");
	assert(!xfs_fork_get(tx, ip, true, 0, XFS_BLK_ATTR, 0, &b));
	f = xfs_da_magic(b->data) == XFS_DA_NODE_MAGIC ? 3 : 2;
	memtx_cancel(tx);
	return f;
}

static bool see(void *ctx, const struct xfs_attr *a)
{
	char digits[256] = { 0 };
	struct slot *s;
	u32 *n = ctx, i;
	u8 *v = malloc(a->valuelen + 1);

	memcpy(digits, a->name, a->namelen);
	i = (u32)strtoul(digits, NULL, 16);
	s = &slots[i];
	assert(i < nr && s->there && !s->seen && s->len == a->namelen &&
	       s->valuelen == a->valuelen);
	assert(!memcmp(s->name, a->name, s->len) && s->space == (a->flags & XFS_ATTR_SPACE));
	s->seen = true;
	assert(!xfs_attr_value(&fs->vol, &ip->node, a, v) && !memcmp(v, s->value, a->valuelen));
	free(v);
	++*n;
	return true;
}

static u32 last_blk[8];
static u32 check_tree(struct xfs_tx *tx, u32 blk, u32 level, u32 *low)
{
	struct xfs_txbuf *b;
	u32 last = *low;

	assert(!xfs_fork_get(tx, ip, true, blk, XFS_BLK_ATTR, 0, &b));
	assert(be32_get(((struct xfs_dda *)b->data)->back) == last_blk[level]);
	last_blk[level] = blk;
	if (xfs_da_magic(b->data) == XFS_DA_NODE_MAGIC) {
		for (u32 i = 0; i < xfs_da_count(b->data); i++) {
			last = check_tree(tx, be32_get(xfs_da_ents(b->data)[i].before), level - 1,
					  low);
			assert(last == be32_get(xfs_da_ents(b->data)[i].hash));
		}
		return last;
	}
	assert(!level);
	for (u32 i = 0; i < xfs_attr_leaf_count(b->data); i++) {
		struct xfs_attr a;

		xfs_attr_leaf_at(b->data, i, &a);
		assert(a.hash >= *low);
		*low = last = a.hash;
	}
	return last;
}

static void check(void)
{
	u32 n = 0;

	assert(!xfs_attr_walk(&fs->vol, &ip->node, see, &n) && n == there);
	for (u32 i = 0; i < nr; i++) {
		struct slot *s = &slots[i];
		static u8 v[65536];
		long got =
			xfs_attr_get(&fs->vol, &ip->node, s->name, s->len, s->space, v, sizeof(v));

		s->seen = false;
		assert(got == (s->there ? (long)s->valuelen : -ENODATA));
		assert(!s->there || !memcmp(v, s->value, s->valuelen));
	}
	if (form() == 3) {
		struct xfs_tx *tx = memtx_begin(fs, 0, "check");
		struct xfs_txbuf *b;
		u32 low = 0;

		memset(last_blk, 0, sizeof(last_blk));
		assert(!xfs_fork_get(tx, ip, true, 0, XFS_BLK_ATTR, 0, &b));
		check_tree(tx, 0, xfs_da_level(b->data), &low);
		memtx_cancel(tx);
	}
}

static void change(u32 i, bool remove)
{
	struct slot *s = &slots[i];
	u32 flags = rnd(3), from = form(), room;
	struct xfs_xattr x = { s->name, NULL, s->len, 0, s->space };
	struct xfs_tx *tx;
	u8 *v;
	int e;

	x.valuelen = rnd(6) ? rnd(min(longest, 60u) + 1) : rnd(longest + 1);
	room = rnd(20) ? xfs_xattr_room(&fs->vol.sb, x.valuelen) : 0;
	v = malloc(x.valuelen + 1);
	for (u32 k = 0; k < x.valuelen; k++)
		v[k] = (u8)rnd(256);
	x.value = v;
	tx = memtx_begin(fs, room, remove ? "remove" : "set");
	e = remove ? xfs_xattr_remove(tx, ip, &x) : xfs_xattr_set(tx, ip, &x, flags);
	if (remove)
		assert(e == (s->there ? 0 : -ENODATA) || (e == -ENOSPC && !room));
	else
		assert(e == (flags == 1 && s->there  ? -EEXIST :
			     flags == 2 && !s->there ? -ENODATA :
						       0) ||
		       (e == -ENOSPC && !room));
	if (e) {
		memtx_cancel(tx);
		free(v);
		return;
	}
	memtx_commit(tx);
	free(s->value);
	s->value = remove ? NULL : v;
	s->valuelen = x.valuelen;
	if (remove)
		free(v);
	there += !remove - s->there;
	s->there = !remove;
	ups[from][form()]++;
	most = max(most, ip->node.core.anextents);
}

static void setup(const char *path)
{
	static const u8 spaces[] = { 0, XFS_ATTR_ROOT, XFS_ATTR_SECURE };
	struct xfs_ino *root;
	struct xfs_tx *tx;

	fs = memtx_open(path);
	slots = calloc(nr, sizeof(*slots));
	for (u32 i = 0; i < nr; i++) {
		struct slot *s = &slots[i];
		u32 at = (u32)sprintf((char *)s->name, "%x", i);

		s->len = (u8)(at + (rnd(4) ? rnd(12) : rnd(256 - at)));
		s->space = spaces[rnd(3)];
		for (u32 k = at; k < s->len; k++)
			s->name[k] = k == at ? '.' : (u8)(128 + rnd(128));
	}
	root = memtx_iget(fs, fs->vol.sb.rootino);
	ip = memtx_iget(fs, fs->vol.sb.rootino + 40);
	tx = memtx_begin(fs, 0, "init");
	ip->node.core = root->node.core;
	ip->node.core.ino = fs->vol.sb.rootino + 40;
	ip->node.core.mode = 0100644;
	ip->node.core.nlink = 1;
	ip->node.core.size = ip->node.core.forkoff = 0;
	ip->node.core.nblocks = ip->node.core.nextents = ip->node.core.anextents = 0;
	ip->node.core.format = ip->node.core.aformat = XFS_FMT_EXTENTS;
	memset(xfs_ino_literal(ip), 0, xfs_literal_size(&fs->vol.sb));
	xfs_tx_inode(tx, ip, XFS_LI_CORE | XFS_LI_DEXT);
	memtx_commit(tx);
}

/* All space is taken, but for some thousand single blocks. */
static void scatter(void)
{
	static const struct xfs_owner nobody = { XFS_OWN_NULL, 0, false };
	static struct {
		u64 fsb;
		u32 len;
	} got[100000];
	u32 n = 0, most = 1u << 20;

	while (most && n < 100000) {
		struct xfs_alloc a = { .minlen = 1, .maxlen = most, .owner = nobody };
		struct xfs_tx *tx = memtx_begin(fs, most, "scatter");
		int e = tx ? xfs_alloc(tx, &a) : -ENOSPC;

		assert(!e || e == -ENOSPC);
		if (tx)
			memtx_commit(tx);
		if (e) {
			most /= 2;
			continue;
		}
		got[n].fsb = a.fsb;
		got[n++].len = a.len;
	}
	for (u32 i = 0, freed = 0; i < n && freed < 4000; i++)
		for (u32 k = 0; k < got[i].len && freed < 4000; k += 2, freed++) {
			struct xfs_tx *tx = memtx_begin(fs, 0, "scatter");

			assert(!xfs_free_later(tx, got[i].fsb + k, 1, &nobody, false));
			memtx_commit(tx);
		}
	memtx_sync(fs);
}

int main(int argc, char **argv)
{
	u32 ops, goal = 0;

	assert(argc >= 7);
	seed = (u32)atoi(argv[2]);
	nr = (u32)atoi(argv[3]);
	ops = (u32)atoi(argv[4]);
	longest = (u32)atoi(argv[5]);
	setup(argv[1]);
	if (argc == 7 && atoi(argv[6]) == 2)
		scatter();
	for (u32 k = 0; k < ops; k++) {
		u32 i = rnd(nr);
		bool remove = there > goal;

		if (there == goal)
			goal = rnd(3) ? rnd(nr + 1) : rnd(min(nr, 8u) + 1);
		while (slots[i].there != remove && rnd(16))
			i = (i + 1) % nr;
		change(i, rnd(8) ? remove : rnd(2));
		if (k % (ops / 60 + 1) == 0)
			check();
	}
	if (argc > 7)
		memtx_sync(fs);
	for (u32 i = 0; i < nr && argc < 8; i++)
		while (slots[i].there)
			change(i, true);
	check();
	assert(argc != 7 || atoi(argv[6]) != 2 || most > 10);
	for (u32 a = 0; a < 16; a++)
		printf("%u%s", ups[a / 4][a % 4], a == 15 ? "\n" : " ");
	memtx_print_use(fs);
	memtx_close(fs);
	for (u32 i = 0; i < nr; i++)
		free(slots[i].value);
	free(slots);
	return 0;
}
