// SPDX-License-Identifier: MIT
/*
 * Changes of attributes that recovery finds begun, over images: redo IMAGE SEED OPS. Each is done
 * from a state in which another system may have left it: not begun, with incomplete entries of its
 * name, or done; and then once more, which changes nothing. A model says what there must be.
 */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/tx/test/memtx_priv.h"
#include "fs/xfs/xattr/xattr_priv.h"

#define NAMES 60u

static struct xfs_fs *fs;
static struct xfs_ino *ip;
static struct slot {
	u8 name[256];
	u32 len, valuelen;
	bool there;
	u8 value[3000];
} slots[NAMES];
static u32 torn, redone[7], trees;
static u8 space;

static u32 below(u32 n)
{
	return xfs_random() % n;
}

/* ---- an item as the log has it ---- */

struct item {
	u8 bytes[8000];
	struct xfs_lregion r[5];
	struct xfs_litem it;
	u32 used;
};

static void region(struct item *t, const u8 *p, u32 len)
{
	if (!len)
		return;
	t->r[t->it.n++] = (struct xfs_lregion){ t->used, (len + 3) & ~3u };
	memcpy(t->bytes + t->used, p, len);
	t->used += (len + 7) & ~7u;
}

static void make_item(struct item *t, u32 op, const struct slot *a, const struct slot *b)
{
	struct {
		u16 type, n;
		u32 gen;
		u64 id, ino;
		u32 op;
		u16 len[2];
		u32 valuelen, filter;
	} h = { XFS_LI_ATTRI, 0,     ip->node.core.gen, 1,    ip->node.core.ino,
		op,	      { 0 }, a->valuelen,	space };
	u32 len = a->len;

	if (op == XFS_LATTR_REMOVE)
		h.valuelen = 0;
	if (b) {
		h.len[0] = (u16)a->len;
		h.len[1] = (u16)b->len;
	} else {
		memcpy(h.len, &len, 4);
	}
	*t = (struct item){ .it = { .type = XFS_LI_ATTRI } };
	t->it.base = t->bytes;
	t->it.r = t->r;
	region(t, (u8 *)&h, sizeof(h));
	region(t, a->name, a->len);
	if (b)
		region(t, b->name, b->len);
	region(t, a->value, h.valuelen);
	if (b)
		region(t, b->value, h.valuelen);
}

/* ---- states ---- */

static struct xfs_xattr attr_of(const struct slot *s)
{
	return (struct xfs_xattr){ s->name, s->value, s->len, s->valuelen, space };
}

static void plain(const struct slot *s, bool remove)
{
	struct xfs_tx *tx = memtx_begin(fs, xfs_xattr_room(&fs->vol.sb, 3000), "plain");
	struct xfs_xattr x = attr_of(s);

	assert(tx && !(remove ? xfs_xattr_remove(tx, ip, &x) : xfs_xattr_set(tx, ip, &x, 0)));
	memtx_commit(tx);
}

/* S's entry, which is there, becomes an incomplete one, if it lies in a leaf. */
static bool tear(const struct slot *s)
{
	struct xfs_tx *tx = memtx_begin(fs, 0, "tear");
	struct xfs_xattr x = attr_of(s);
	struct xfs_xop o = xfs_xop_of(tx, ip, &x);
	struct xfs_da d = { tx, ip, &xfs_xleaf, true };
	struct xfs_da_path p;
	struct xfs_attr a;
	struct xfs_txbuf *b;
	u32 i;

	if (xfs_xop_in_inode(&o)) {
		memtx_cancel(tx);
		return false;
	}
	trees++;
	assert(!xfs_da_find(&d, o.hash, &p));
	b = xfs_da_leaf_at(&p)->b;
	for (i = xfs_attr_leaf_find(b->data, o.hash); i < xfs_attr_leaf_count(b->data); i++) {
		xfs_attr_leaf_at(b->data, i, &a);
		if (xfs_xop_is(&o, &a))
			break;
	}
	if (i == xfs_attr_leaf_count(b->data)) {
		memtx_cancel(tx);
		return false;
	}
	((struct xfs_dattr_ent *)(b->data + sizeof(struct xfs_dattr_leaf)))[i].flags |=
		XFS_ATTR_INCOMPLETE;
	xfs_tx_log_all(tx, b);
	memtx_commit(tx);
	torn++;
	return true;
}

/* ---- the change ---- */

static void redo(const struct item *t)
{
	struct xfs_fault f;
	struct xfs_lattr a;
	int e;

	assert(!xfs_lattr_get(&fs->vol.sb, &t->it, 0, &a, &f));
	do {
		struct xfs_tx *tx = memtx_begin(fs, xfs_xattr_redo_room(&fs->vol.sb, &a), "redo");

		assert(tx);
		e = xfs_xattr_redo(tx, ip, &a);
		assert(!e || e == -EAGAIN);
		memtx_commit(tx);
	} while (e);
	redone[a.op]++;
}

static void new_value(struct slot *s)
{
	s->valuelen = space ? XFS_PARENT_LEN : below(5) ? below(80) : below(3000);
	for (u32 i = 0; i < s->valuelen; i++)
		s->value[i] = (u8)xfs_random();
	if (!space)
		return;
	xfs_put32(s->value, 0);
	xfs_put32(s->value + 4, (u32)fs->vol.sb.rootino);
}

static void change(void)
{
	u32 base = space ? XFS_LATTR_PARENT_SET - XFS_LATTR_SET : 0;
	struct slot *a = &slots[below(NAMES)], *b = &slots[below(NAMES)];
	u32 op = 1 + below(3);
	bool two = space && op == 3;
	struct item t;

	if (two && (a == b || b->there))
		op = 1, two = false;
	if (space && op == 1 && a->there)
		op = 2;
	/* Half done: entries were left incomplete. */
	if (a->there && !below(3) && tear(a))
		a->there = false;
	if (!space && op != 2)
		new_value(a);
	if (!a->there && !below(3)) {
		plain(a, false);
		if (below(2) && tear(a))
			a->there = false;
		else
			a->there = true;
	}
	make_item(&t, op + base, a, two ? b : NULL);
	redo(&t);
	if (!below(4))
		redo(&t);
	a->there = op != 2 && !two;
	if (two)
		b->there = true;
}

/* ---- what there is ---- */

static bool see(void *ctx, const struct xfs_attr *a)
{
	char digits[256] = { 0 };
	static u8 v[3000];
	struct slot *s;

	/* Those of mkfs, which are no names of ours. */
	if (a->flags & XFS_ATTR_INCOMPLETE || (a->flags & XFS_ATTR_SPACE) != space)
		return true;
	memcpy(digits, a->name, a->namelen);
	s = &slots[strtoul(digits, NULL, 16)];
	assert(s->there && s->valuelen == a->valuelen &&
	       !xfs_attr_value(&fs->vol, &ip->node, a, v) && !memcmp(v, s->value, a->valuelen));
	++*(u32 *)ctx;
	return true;
}

static void check(void)
{
	u32 n = 0, there = 0;

	for (u32 i = 0; i < NAMES; i++)
		there += slots[i].there;
	assert(!xfs_attr_walk(&fs->vol, &ip->node, see, &n) && n == there);
}

static void setup(void)
{
	for (u32 i = 0; i < NAMES; i++) {
		struct slot *s = &slots[i];

		s->len = (u32)sprintf((char *)s->name, "%x.", i);
		for (u32 end = s->len + below(100); s->len < end;)
			s->name[s->len++] = 'n';
		new_value(s);
	}
	ip = memtx_iget(fs, fs->vol.sb.rootino);
	assert(ip);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	memtx_seed((u32)atoi(argv[2]));
	fs = memtx_open(argv[1]);
	space = fs->vol.sb.incompat & XFS_IN_PARENT ? XFS_ATTR_PARENT : 0;
	setup();
	for (int n = atoi(argv[3]); n; n--) {
		change();
		if (!below(20))
			check();
	}
	check();
	/* Nothing incomplete stays, and no parent pointers of names that are not there. */
	for (u32 i = 0; i < NAMES; i++) {
		bool keep = !space && below(2);
		struct item t;

		make_item(&t,
			  keep	? XFS_LATTR_SET :
			  space ? XFS_LATTR_PARENT_REMOVE :
				  XFS_LATTR_REMOVE,
			  &slots[i], NULL);
		redo(&t);
		slots[i].there = keep;
	}
	check();
	memtx_sync(fs);
	memtx_close(fs);
	printf("torn %u, in trees %u, redone %u %u %u %u %u %u\n", torn, trees, redone[1],
	       redone[2], redone[3], redone[4], redone[5], redone[6]);
	return 0;
}
