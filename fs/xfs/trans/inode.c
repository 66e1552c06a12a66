// SPDX-License-Identifier: MIT
/*
 * Inodes in the log, and on their way into their blocks. The AIL's thread puts an inode that is not
 * pinned into its block in memory; blocks that have such inodes are gathered, and written when the
 * thread has gone over the list once, so that neighbours share a transfer. FIELDS are logged again
 * with each commit until they were put into the block, and LAST until that was written.
 */
#include "fs/xfs/trans/priv.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

static struct xfs_lino *lino_of(struct xfs_item *it)
{
	return container_of(it, struct xfs_lino, item);
}

static const struct xfs_sb *sb_of(const struct xfs_lino *li)
{
	return &li->ip.fs->vol.sb;
}

/* ---- what the log is told ---- */

/* Bytes of a fork that are in use, of ROOM at P. */
static u32 fork_len(const struct xfs_core *c, bool attr, const u8 *p, u32 room)
{
	u8 format = attr ? c->aformat : c->format;
	u64 n = attr ? c->anextents : c->nextents;
	be16 total;

	if (format == XFS_FMT_EXTENTS)
		return (u32)min(n * 16, (u64)room);
	if (format != XFS_FMT_LOCAL)
		return 0;
	if (!attr)
		return (u32)min(c->size, (u64)room);
	memcpy(&total, p, sizeof(total));
	return min((u32)be16_get(total), room);
}

/* FIELDS of which there is something, given the formats of the forks. */
static u32 fields_of(const struct xfs_lino *li)
{
	const struct xfs_core *c = &li->ip.node.core;
	static const u32 data[] = { XFS_LI_DEV, XFS_LI_DDATA, XFS_LI_DEXT, XFS_LI_DBROOT };
	static const u32 attr[] = { 0, XFS_LI_ADATA, XFS_LI_AEXT, XFS_LI_ABROOT };
	u32 f = li->fields | READ_ONCE(li->last);

	return f & (XFS_LI_CORE | data[c->format & 3] | (c->forkoff ? attr[c->aformat & 3] : 0));
}

static void size(struct xfs_item *it, u32 *regions, u32 *bytes)
{
	struct xfs_lino *li = lino_of(it);

	*regions = 4;
	*bytes = XFS_LINODE_HEAD + (u32)sizeof(struct xfs_dinode) + xfs_literal_size(sb_of(li)) +
		 2 * (u32)sizeof(struct xfs_dbt_long) + 16;
}

/* A fork into LV; its length, 0: nothing is logged, and *FIELDS loses its bits. */
static u32 format_fork(struct xfs_lino *li, struct xfs_lvec *lv, bool attr, u32 *fields)
{
	const struct xfs_core *c = &li->ip.node.core;
	u32 all = xfs_literal_size(sb_of(li)), off = attr ? c->forkoff : 0;
	u32 room = attr || !c->forkoff ? all - off : c->forkoff, len;
	u32 root = attr ? XFS_LI_ABROOT : XFS_LI_DBROOT;
	u32 bytes = attr ? XFS_LI_ADATA | XFS_LI_AEXT : XFS_LI_DDATA | XFS_LI_DEXT;
	const u8 *p = xfs_ino_literal(&li->ip) + off;

	if (*fields & root) {
		len = xfs_linode_root(sb_of(li), c->ino, p, room, NULL);
		xfs_linode_root(sb_of(li), c->ino, p, room, xfs_lvec_add(lv, len));
		return len;
	}
	if (!(*fields & bytes))
		return 0;
	len = fork_len(c, attr, p, room);
	if (len)
		xfs_lvec_copy(lv, p, len);
	else
		*fields &= ~bytes;
	return len;
}

static void format(struct xfs_item *it, struct xfs_lvec *lv)
{
	struct xfs_lino *li = lino_of(it);
	const struct xfs_sb *sb = sb_of(li);
	struct xfs_linode l = { .ino = li->ip.node.core.ino, .fields = fields_of(li) };
	u8 *head = xfs_lvec_add(lv, XFS_LINODE_HEAD);
	u8 *core = xfs_lvec_add(lv, (u32)sizeof(struct xfs_dinode));
	struct xfs_dinode d = { 0 };
	be32 dev;

	l.daddr = xfs_fsb_daddr(sb, xfs_cluster_of(sb, l.ino, &l.bbs, &l.offset));
	l.bbs <<= sb->blocklog - 9;
	xfs_core_encode(sb, &li->ip.node.core, &d);
	xfs_linode_core(&d, core);
	if (l.fields & XFS_LI_DEV) {
		memcpy(&dev, xfs_ino_literal(&li->ip), sizeof(dev));
		l.rdev = be32_get(dev);
	}
	l.dlen = format_fork(li, lv, false, &l.fields);
	l.alen = format_fork(li, lv, true, &l.fields);
	l.fields |= XFS_LI_CORE;
	xfs_linode_head(&l, (u16)lv->n, head);
}

/* ---- its life in the log ---- */

bool xfs_lino_try_get(struct xfs_lino *li)
{
	return atomic_add_unless(&li->refs, 1, 0);
}

void xfs_lino_put(struct xfs_lino *li)
{
	void (*gone)(struct xfs_lino *li) = li->gone;

	if (atomic_dec_and_test(&li->refs) && gone)
		gone(li);
}

static void get(struct xfs_item *it)
{
	atomic_inc(&lino_of(it)->refs);
}

static void put(struct xfs_item *it)
{
	xfs_lino_put(lino_of(it));
}

static void pin(struct xfs_item *it)
{
	atomic_inc(&lino_of(it)->pins);
	get(it);
}

static void unpin(struct xfs_item *it, bool aborted)
{
	(void)aborted;
	atomic_dec(&lino_of(it)->pins);
	put(it);
}

static u64 committed(struct xfs_item *it, const struct xfs_lvec *lv, u64 lsn)
{
	(void)it;
	(void)lv;
	return lsn;
}

bool xfs_lino_idle(const struct xfs_lino *li)
{
	return !atomic_read(&li->refs);
}

/* ---- into its block ---- */

static void put_into(struct xfs_lino *li, struct xfs_buf *b, u32 off)
{
	const struct xfs_sb *sb = sb_of(li);
	u8 *p = b->tx.data + off;
	struct xfs_dinode d;
	be32 unlinked;

	memcpy(&d, p, sizeof(d));
	unlinked = d.next_unlinked;
	xfs_core_encode(sb, &li->ip.node.core, &d);
	/* Unlinked lists are logged with the block. */
	d.next_unlinked = unlinked;
	d.lsn = be64_make(li->item.lsn);
	memcpy(p, &d, sizeof(d));
	memcpy(p + sizeof(d), xfs_ino_literal(&li->ip), xfs_literal_size(sb));
	xfs_inode_stamp(sb, p);
	b->changed = true;
}

/* LI's lock is held for reading. */
static enum xfs_pushed push_inode(struct xfs_lino *li)
{
	struct xfs_live *live = xfs_live_of(li->ip.fs);
	const struct xfs_sb *sb = sb_of(li);
	struct xfs_fault f = { 0 };
	struct xfs_run run;
	struct xfs_buf *b;
	u32 off;
	int e;

	run.daddr = xfs_fsb_daddr(sb, xfs_cluster_of(sb, li->ip.node.core.ino, &run.bbs, &off));
	run.bbs <<= sb->blocklog - 9;
	e = xfs_buf_take(&live->mp->cache, sb, XFS_BLK_INODES, &run, 1, XFS_GET_TRY, &b, &f);
	if (e == -EAGAIN)
		return XFS_PUSH_BUSY;
	if (e == -XFS_CORRUPT)
		xfs_sick_block(&live->mp->fs.vol, XFS_BLK_INODES, run.daddr);
	if (e) {
		xfs_journal_kill(live->j, XFS_WHY_META_IO, "a block of inodes cannot be read");
		return XFS_PUSH_BUSY;
	}
	if (!READ_ONCE(li->put) && !READ_ONCE(li->last)) {
		put_into(li, b, off);
		WRITE_ONCE(li->last, li->fields);
		li->fields = 0;
		get(&li->item);
		spin_lock(&live->gathered_lock);
		li->put = true;
		li->put_lsn = li->item.lsn;
		list_add_tail(&li->in_block, &b->inodes);
		spin_unlock(&live->gathered_lock);
	}
	if (!list_empty(&b->inodes))
		xfs_gather(live, b);
	xfs_buf_unlock(b);
	xfs_buf_rele(b);
	return XFS_PUSH_BEGUN;
}

static enum xfs_pushed push(struct xfs_item *it)
{
	struct xfs_lino *li = lino_of(it);
	enum xfs_pushed what;

	if (atomic_read(&li->pins))
		return XFS_PUSH_PINNED;
	/* For writing: two that push would both put it. */
	if (!down_write_trylock(&li->lock))
		return XFS_PUSH_BUSY;
	what = atomic_read(&li->pins) ? XFS_PUSH_PINNED : push_inode(li);
	up_write(&li->lock);
	return what;
}

/* One that waits in its block for a write that never comes is let go. */
static void drop(struct xfs_item *it)
{
	struct xfs_lino *li = lino_of(it);
	struct xfs_live *live = xfs_live_of(li->ip.fs);
	bool was;

	spin_lock(&live->gathered_lock);
	was = li->put;
	li->put = false;
	/* Else it may be on a list of those whose write has just ended. */
	if (was)
		list_del_init(&li->in_block);
	spin_unlock(&live->gathered_lock);
	if (was)
		put(it);
}

const struct xfs_item_ops xfs_lino_ops = {
	.size = size,
	.format = format,
	.pin = pin,
	.committed = committed,
	.unpin = unpin,
	.get = get,
	.push = push,
	.put = put,
	.drop = drop,
};

void xfs_lino_init(struct xfs_lino *li, struct xfs_live *live)
{
	init_rwsem(&li->lock);
	xfs_item_init(&li->item, live ? live->j : NULL, &xfs_lino_ops);
	INIT_LIST_HEAD(&li->in_block);
	li->fields = li->last = 0;
	li->put = false;
	atomic_set(&li->pins, 0);
	atomic_set(&li->refs, 0);
	li->gone = NULL;
	li->seq = 0;
	ghash_node_init(&li->node);
	li->listed = false;
	li->making = false;
}

int xfs_lino_sync(struct xfs_lino *li)
{
	struct xfs_live *live = xfs_live_of(li->ip.fs);
	u64 seq;

	if (!live)
		return 0;
	down_read(&li->lock);
	seq = li->item.j == live->j ? li->seq : 0;
	up_read(&li->lock);
	if (seq)
		return xfs_journal_force(live->j, seq);
	return xfs_journal_dead(live->j) ? -EIO : 0;
}

void xfs_tx_inode(struct xfs_tx *t, struct xfs_ino *ip, u32 fields)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	struct xfs_lino *li = container_of(ip, struct xfs_lino, ip);

	li->fields |= fields | XFS_LI_CORE;
	/* It may be in memory since the mount was read-only, or wrote with another journal. */
	if (li->item.j != tx->live->j) {
		li->item.j = tx->live->j;
		li->item.seq = li->seq = 0;
		li->item.lv = NULL;
	}
	tx->tx.dirty = true;
	if (!li->item.dirty) {
		li->item.dirty = true;
		list_add_tail(&li->item.tx, &tx->items);
	}
}

/* ---- blocks of inodes ---- */

void xfs_linos_fly(struct xfs_live *live, struct xfs_buf *b)
{
	spin_lock(&live->gathered_lock);
	list_splice_tail_init(&b->inodes, &b->flying);
	spin_unlock(&live->gathered_lock);
}

/* B->writing is still set: FLYING is this transfer's. */
void xfs_linos_landed(struct xfs_live *live, struct xfs_buf *b, int e)
{
	struct xfs_lino *li, *next;
	LIST_HEAD(landed);

	spin_lock(&live->gathered_lock);
	list_splice_tail_init(&b->flying, e ? &b->inodes : &landed);
	list_for_each_entry(li, &landed, in_block)
		li->put = false;
	spin_unlock(&live->gathered_lock);
	list_for_each_entry_safe(li, next, &landed, in_block) {
		u64 lsn = li->put_lsn;

		list_del_init(&li->in_block);
		xfs_ail_remove(&li->item, lsn);
		smp_store_release(&li->last, 0u);
		put(&li->item);
	}
}

void xfs_gather(struct xfs_live *live, struct xfs_buf *b)
{
	struct xfs_bli *bi = xfs_bli_of(b, live);

	spin_lock(&live->gathered_lock);
	if (!bi->gathered) {
		bi->gathered = true;
		xfs_buf_hold(b);
		list_add_tail(&bi->gather, &live->gathered);
	}
	spin_unlock(&live->gathered_lock);
}

void xfs_write_gathered(void *ctx)
{
	struct xfs_live *live = ctx;
	LIST_HEAD(list);

	spin_lock(&live->gathered_lock);
	list_splice_init(&live->gathered, &list);
	spin_unlock(&live->gathered_lock);
	while (!list_empty(&list)) {
		struct xfs_bli *bi = list_first_entry(&list, struct xfs_bli, gather);

		spin_lock(&live->gathered_lock);
		list_del_init(&bi->gather);
		bi->gathered = false;
		spin_unlock(&live->gathered_lock);
		/* One that is pinned or locked is gathered again by the next round. */
		if (xfs_buf_trylock(bi->b) && xfs_push_locked(live, bi->b) == XFS_PUSH_PINNED)
			xfs_journal_force_async(live->j);
		xfs_buf_rele(bi->b);
		cond_resched();
	}
}
