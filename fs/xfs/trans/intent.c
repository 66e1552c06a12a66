// SPDX-License-Identifier: MIT
/*
 * Work that was begun, its end, and new inodes. A beginning stays in the AIL, and keeps the tail,
 * until its end is durable; it has two references for that: the log's and the end's. In a dead
 * journal the end may go first. Its identity is its address, or where recovery found it what the
 * log says.
 */
#include "fs/xfs/trans/priv.h"
#include <lib/string.h>
#include <abi/errno.h>

struct xfs_intent {
	struct xfs_item item;
	atomic_t refs;
	bool ended;			/* atomic: the end's reference was put */
	u64 id;
	u32 n, bytes;
	struct xfs_lpart *parts;	/* their bytes lie behind */
};

static struct xfs_intent *intent_of(struct xfs_item *it)
{
	return container_of(it, struct xfs_intent, item);
}

static void put(struct xfs_item *it)
{
	struct xfs_intent *in = intent_of(it);

	if (atomic_dec_and_test(&in->refs))
		kvfree(in);
}

static void get(struct xfs_item *it)
{
	atomic_inc(&intent_of(it)->refs);
}

static void put_ends(struct xfs_intent *in)
{
	if (!xchg(&in->ended, true))
		put(&in->item);
}

static void intent_size(struct xfs_item *it, u32 *regions, u32 *bytes)
{
	*regions = intent_of(it)->n;
	*bytes = intent_of(it)->bytes;
}

static void intent_format(struct xfs_item *it, struct xfs_lvec *lv)
{
	struct xfs_intent *in = intent_of(it);

	for (u32 i = 0; i < in->n; i++)
		xfs_lvec_copy(lv, in->parts[i].p, in->parts[i].len);
}

/* One that never came into the log waits for its end, or for the end of all, in the AIL. */
static void unpin(struct xfs_item *it, bool aborted)
{
	if (aborted)
		xfs_ail_insert(it, 1);
	put(it);
}

static u64 intent_committed(struct xfs_item *it, const struct xfs_lvec *lv, u64 lsn)
{
	(void)it;
	(void)lv;
	return lsn;
}

static enum xfs_pushed push(struct xfs_item *it)
{
	(void)it;
	return XFS_PUSH_PINNED;
}

/* It never came into the log, or the log ends: the end's reference goes with the log's. */
static void intent_drop(struct xfs_item *it)
{
	put_ends(intent_of(it));
}

static const struct xfs_item_ops intent_ops = {
	.size = intent_size,
	.format = intent_format,
	.pin = get,
	.committed = intent_committed,
	.unpin = unpin,
	.get = get,
	.push = push,
	.put = put,
	.drop = intent_drop,
};

struct xfs_intent *xfs_tx_intent(struct xfs_tx *t, const struct xfs_lpart *parts, u32 n)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	struct xfs_intent *in;
	u32 bytes = 0;
	u8 *p;

	for (u32 i = 0; i < n; i++)
		bytes += (parts[i].len + 7) & ~7u;
	in = kvzalloc(sizeof(*in) + n * sizeof(*parts) + bytes, GFP_NOFS | __GFP_NOFAIL);
	if (!in)
		return NULL;
	xfs_item_init(&in->item, tx->live->j, &intent_ops);
	in->item.once = true;
	in->n = n;
	in->bytes = bytes;
	in->parts = (void *)(in + 1);
	p = (u8 *)(in->parts + n);
	for (u32 i = 0; i < n; i++) {
		in->parts[i] = (struct xfs_lpart){ p, parts[i].len };
		memcpy(p, parts[i].p, parts[i].len);
		p += (parts[i].len + 7) & ~7u;
	}
	in->id = (u64)(uintptr_t)in;
	memcpy((u8 *)(in->parts + n) + 8, &in->id, sizeof(in->id));
	/* The end's. */
	atomic_set(&in->refs, 1);
	in->item.dirty = true;
	t->dirty = true;
	list_add_tail(&in->item.tx, &tx->items);
	return in;
}

struct xfs_intent *xfs_intent_found(struct xfs_live *live, u64 id, u64 lsn)
{
	struct xfs_intent *in = kvzalloc(sizeof(*in), GFP_NOFS);

	if (!in)
		return NULL;
	xfs_item_init(&in->item, live->j, &intent_ops);
	in->id = id;
	atomic_set(&in->refs, 1);
	xfs_ail_insert(&in->item, lsn);
	return in;
}

/* ---- the end ---- */

struct done {
	struct xfs_item item;
	struct xfs_intent *in;		/* NULL: none (new inodes) */
	u32 len;
	u8 bytes[];
};

static struct done *done_of(struct xfs_item *it)
{
	return container_of(it, struct done, item);
}

static void done_size(struct xfs_item *it, u32 *regions, u32 *bytes)
{
	*regions = 1;
	*bytes = done_of(it)->len + 8;
}

static void done_format(struct xfs_item *it, struct xfs_lvec *lv)
{
	xfs_lvec_copy(lv, done_of(it)->bytes, done_of(it)->len);
}

static void done_free(struct xfs_item *it)
{
	struct done *d = done_of(it);

	WARN_ON(!list_empty(&it->tx));
	if (d->in) {
		xfs_ail_remove(&d->in->item, 0);
		put_ends(d->in);
	}
	kfree(d);
}

static u64 done_committed(struct xfs_item *it, const struct xfs_lvec *lv, u64 lsn)
{
	(void)lv;
	(void)lsn;
	done_free(it);
	return 0;
}

static void done_unpin(struct xfs_item *it, bool aborted)
{
	if (aborted)
		done_free(it);
}

static void nothing(struct xfs_item *it)
{
	(void)it;
}

static const struct xfs_item_ops done_ops = {
	.size = done_size,
	.format = done_format,
	.pin = nothing,
	.committed = done_committed,
	.unpin = done_unpin,
	.get = nothing,
	.push = push,
	.put = nothing,
	.drop = done_free,
};

static struct done *new_done(struct xfs_ktx *tx, struct xfs_intent *in, const void *p, u32 len)
{
	struct done *d = kzalloc(sizeof(*d) + len, GFP_NOFS | __GFP_NOFAIL);

	xfs_item_init(&d->item, tx->live->j, &done_ops);
	d->item.once = true;
	d->in = in;
	d->len = len;
	memcpy(d->bytes, p, len);
	d->item.dirty = true;
	tx->tx.dirty = true;
	list_add_tail(&d->item.tx, &tx->items);
	return d;
}

void xfs_tx_done(struct xfs_tx *t, struct xfs_intent *i, const void *head, u32 len)
{
	struct done *d = new_done(xfs_ktx(t), i, head, len);

	memcpy(d->bytes + 8, &i->id, sizeof(i->id));
}

/* ---- new inodes ---- */

/* COUNT inodes from number FIRST into a block's bytes. */
static void fill(const struct xfs_sb *sb, u8 *p, u32 count, u64 first, u32 gen)
{
	for (u32 i = 0; i < count; i++) {
		struct xfs_dinode d = { .magic = be16_make(XFS_DI_MAGIC),
					.version = 3,
					.gen = be32_make(gen),
					.next_unlinked = be32_make(XFS_NULL32),
					.ino = be64_make(first + i) };

		memcpy(d.uuid, sb->meta_uuid, sizeof(d.uuid));
		memcpy(p, &d, sizeof(d));
		xfs_inode_stamp(sb, p);
		p += sb->inodesize;
	}
}

int xfs_tx_new_inodes(struct xfs_tx *t, u32 agno, u32 agb, u32 count, u32 blocks, u32 gen)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	const struct xfs_sb *sb = &tx->mp->fs.vol.sb;
	u32 step = xfs_cluster_blocks(sb), bbs = sb->blocksize / XFS_SECTOR;
	struct xfs_licreate c = { agno, agb, count, sb->inodesize, blocks, gen };
	u8 item[XFS_LICREATE_LEN];

	if (WARN_ON(blocks % step))	/* clusters are aligned, also in chunks with holes */
		return -EIO;
	for (u32 i = 0; i < blocks; i += step) {
		struct xfs_txbuf *b;
		int e = xfs_tx_get(t, XFS_BLK_INODES, xfs_agb_daddr(sb, agno, agb + i), step * bbs,
				   XFS_GET_NEW, &b);

		if (e)
			return e;
		fill(sb, b->data, step << sb->inopblog,
		     xfs_ino_make(sb, agno, (agb + i) << sb->inopblog), gen);
		xfs_tx_order(t, b);
	}
	xfs_licreate_put(&c, item);
	new_done(tx, NULL, item, sizeof(item));
	return 0;
}
