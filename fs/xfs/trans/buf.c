// SPDX-License-Identifier: MIT
/*
 * Blocks in transactions and in the log. MAP has the chunks that were changed since the block was
 * written last: each commit logs all of them, so that the log before it is no longer needed for
 * this block. While a copy is on its way to the disk they are kept in OUT, and are logged too. The
 * write may end at any time, also within a commit, which logs what it found when it began.
 */
#include "fs/xfs/trans/priv.h"
#include <lib/bitmap.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define CHUNKS(b) ((b)->tx.len / XFS_LB_CHUNK)

static struct xfs_bli *bli_of(struct xfs_item *it)
{
	return container_of(it, struct xfs_bli, item);
}

/* The first chunk from FROM on that is in MAP, or is not; TO: none before that. */
static u32 next_chunk(const u32 *map, u32 from, u32 to, bool set)
{
	while (from < to) {
		u32 word = (set ? map[from / 32] : ~map[from / 32]) >> from % 32;

		if (word)
			return min(to, from + (u32)__builtin_ctz(word));
		from = (from / 32 + 1) * 32;
	}
	return to;
}

static void set_chunk(u32 *map, u32 i)
{
	map[i / 32] |= 1u << i % 32;
}

/* ---- what the log is told ---- */

/* All that is not on the disk. */
static void merge(const struct xfs_bli *bi, u32 *map)
{
	memcpy(map, bi->map, sizeof(bi->map));
	if (READ_ONCE(bi->way) != XFS_WAY_NONE)
		for (u32 i = 0; i < XFS_MAP_WORDS; i++)
			map[i] |= bi->out[i];
}

/*
 * The next run of chunks in MAP from *AT on, up to TO; *AT goes to its first. Its end, TO at most.
 */
static u32 next_run(const u32 *map, u32 *at, u32 to)
{
	*at = next_chunk(map, *at, to, true);
	return next_chunk(map, *at, to, false);
}

static void size(struct xfs_item *it, u32 *regions, u32 *bytes)
{
	struct xfs_bli *bi = bli_of(it);
	u32 chunks = 0, runs = 0, to = bi->cancel ? 0 : CHUNKS(bi->b), end;

	if (bi->ordered)
		return;
	merge(bi, bi->logged);
	for (u32 i = 0; (end = next_run(bi->logged, &i, to)) > i; i = end, runs++)
		chunks += end - i;
	/* A run of chunks is cut where the block's parts meet. */
	*regions = 2 * bi->b->nr_runs + runs;
	*bytes = chunks * XFS_LB_CHUNK +
		 bi->b->nr_runs * xfs_lbuf_head(0, XFS_LB_MAX_BBS, 0, 0, NULL, 0, NULL);
}

/* The inodes whose bytes were changed: their checksums. */
static void stamp_inodes(struct xfs_bli *bi, const u32 *map)
{
	const struct xfs_sb *sb = &bi->live->mp->fs.vol.sb;
	u32 per = sb->inodesize / XFS_LB_CHUNK, to = CHUNKS(bi->b), k;

	for (u32 i = 0; (i = next_chunk(map, i, to, true)) < to; i = (k + 1) * per) {
		k = i / per;
		xfs_inode_stamp(sb, bi->b->tx.data + (size_t)k * sb->inodesize);
	}
}

/* The part of the block in chunks FROM to TO, at DADDR. */
static void format_part(struct xfs_bli *bi, struct xfs_lvec *lv, const u32 *map, u64 daddr,
			u32 from, u32 to)
{
	struct xfs_buf *b = bi->b;
	u32 part[XFS_MAP_WORDS] = { 0 }, bbs = (to - from) * XFS_LB_CHUNK / XFS_SECTOR, n = 0, end;
	u8 what = bi->cancel ? XFS_LB_CANCEL : b->tx.kind == XFS_BLK_INODES ? XFS_LB_UNLINKED : 0;
	u8 kind = from ? XFS_LK_UNKNOWN : xfs_block_lkind(b->tx.kind, b->tx.data);
	void *head;

	if (!bi->cancel && next_chunk(map, from, to, true) == to)
		return;
	head = xfs_lvec_add(lv, xfs_lbuf_head(0, bbs, 0, 0, NULL, 0, NULL));
	for (u32 i = from; !bi->cancel && (end = next_run(map, &i, to)) > i; i = end, n++) {
		xfs_lvec_copy(lv, b->tx.data + (size_t)i * XFS_LB_CHUNK, (end - i) * XFS_LB_CHUNK);
		for (u32 k = i; k < end; k++)
			set_chunk(part, k - from);
	}
	xfs_lbuf_head(daddr, bbs, bi->cancel ? 0 : kind, what, part, 1 + n, head);
}

static void format(struct xfs_item *it, struct xfs_lvec *lv)
{
	struct xfs_bli *bi = bli_of(it);
	const struct xfs_run *runs = xfs_buf_runs(bi->b);
	u32 at = 0;

	lv->cancel = bi->cancel;
	if (bi->ordered)
		return;
	if (bi->b->tx.kind == XFS_BLK_INODES && !bi->cancel)
		stamp_inodes(bi, bi->logged);
	for (u32 i = 0; i < bi->b->nr_runs; i++) {
		u32 n = runs[i].bbs * (XFS_SECTOR / XFS_LB_CHUNK);

		format_part(bi, lv, bi->logged, runs[i].daddr, at, at + n);
		at += n;
	}
}

/* ---- its life in the log ---- */

static void pin(struct xfs_item *it)
{
	struct xfs_buf *b = bli_of(it)->b;

	atomic_inc(&b->pins);
	xfs_buf_hold(b);
}

static void unpin(struct xfs_item *it, bool aborted)
{
	struct xfs_buf *b = bli_of(it)->b;

	if (aborted && b->stale)
		xfs_buf_forget(b);
	atomic_dec(&b->pins);
	xfs_buf_rele(b);
}

static u64 committed(struct xfs_item *it, const struct xfs_lvec *lv, u64 lsn)
{
	struct xfs_bli *bi = bli_of(it);
	bool keep;

	if (lv->cancel) {
		/* That its block was freed is in the log: nothing of it needs to be written. */
		xfs_ail_remove(it, 0);
		xfs_buf_forget(bi->b);
		unpin(it, false);
		return 0;
	}
	/* New inodes were logged once, by number: until they are written the tail stays there. */
	spin_lock(&bi->live->gathered_lock);
	keep = (bi->made || bi->out_made) && READ_ONCE(it->lsn);
	bi->again |= keep && bi->out_made;
	spin_unlock(&bi->live->gathered_lock);
	return keep ? it->lsn : lsn;
}

static void get(struct xfs_item *it)
{
	xfs_buf_hold(bli_of(it)->b);
}

static void put(struct xfs_item *it)
{
	xfs_buf_rele(bli_of(it)->b);
}

/* ---- to the disk ---- */

/* New inodes were written, or not. True: changes that were committed meanwhile are yet to be. */
static bool made_landed(struct xfs_bli *bi, int e)
{
	bool again;

	spin_lock(&bi->live->gathered_lock);
	again = bi->again;
	if (e && bi->out_made)
		WRITE_ONCE(bi->made, true);
	bi->again = bi->out_made = false;
	spin_unlock(&bi->live->gathered_lock);
	return again;
}

/*
 * A disk that is gone does not come back. Others get as many tries as it takes, as on Linux, where
 * that is the default; but when the file system is unmounted, which must end, one more.
 */
static bool give_up(struct xfs_bli *bi, int e)
{
	bool failed = bi->failed;

	bi->failed = e;
	return e == -ENODEV || (e && failed && READ_ONCE(bi->item.j->closing));
}

static void written(struct xfs_buf *b, u64 lsn, int e)
{
	struct xfs_bli *bi = b->item;
	struct xfs_journal *j = bi->item.j;
	bool again = made_landed(bi, e);

	WRITE_ONCE(bi->way, e ? XFS_WAY_FAILED : XFS_WAY_NONE);
	if (e)
		printk_ratelimited(KERN_ERR "xfs: %s: block %llu cannot be written: error %d\n",
				   j->id, b->tx.daddr, e);
	if (give_up(bi, e))
		xfs_journal_kill(j, XFS_WHY_META_IO, "a block cannot be written");
	if (!e && lsn && !again)
		xfs_ail_remove(&bi->item, lsn);
	xfs_linos_landed(bi->live, b, e);
}

enum xfs_pushed xfs_push_locked(struct xfs_live *live, struct xfs_buf *b)
{
	struct xfs_bli *bi = xfs_bli_of(b, live);
	enum xfs_pushed what = XFS_PUSH_BEGUN;

	if (atomic_read(&b->pins) || b->stale || b->dead) {
		what = XFS_PUSH_PINNED;
	} else if (READ_ONCE(b->writing) || xfs_journal_dead(live->j)) {
		what = XFS_PUSH_BUSY;
	} else {
		if (bi->way == XFS_WAY_NONE)
			memset(bi->out, 0, sizeof(bi->out));
		for (u32 i = 0; i < XFS_MAP_WORDS; i++)
			bi->out[i] |= bi->map[i];
		memset(bi->map, 0, sizeof(bi->map));
		WRITE_ONCE(bi->way, XFS_WAY_OUT);
		spin_lock(&live->gathered_lock);
		bi->out_made = bi->made;
		WRITE_ONCE(bi->made, false);
		spin_unlock(&live->gathered_lock);
		xfs_linos_fly(live, b);
		xfs_buf_write(b, &live->mp->fs.vol.sb, READ_ONCE(bi->item.lsn), written);
	}
	xfs_buf_unlock(b);
	return what;
}

static enum xfs_pushed push(struct xfs_item *it)
{
	struct xfs_buf *b = bli_of(it)->b;

	if (!xfs_buf_trylock(b))
		return XFS_PUSH_BUSY;
	return xfs_push_locked(bli_of(it)->live, b);
}

static void drop(struct xfs_item *it)
{
	(void)it;
}

static const struct xfs_item_ops bli_ops = {
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

struct xfs_bli *xfs_bli_of(struct xfs_buf *b, struct xfs_live *live)
{
	struct xfs_bli *bi = b->item;

	if (bi)
		return bi;
	bi = kzalloc(sizeof(*bi), GFP_NOFS | __GFP_NOFAIL);
	xfs_item_init(&bi->item, live ? live->j : NULL, &bli_ops);
	INIT_LIST_HEAD(&bi->bucket);
	INIT_LIST_HEAD(&bi->gather);
	bi->b = b;
	bi->live = live;
	b->item = bi;
	return bi;
}

/* ---- in transactions (tx.h) ---- */

static struct list_head *bucket_of(struct xfs_ktx *tx, u64 daddr)
{
	return &tx->buckets[hash_64(daddr, 4)];
}

static struct xfs_bli *find(struct xfs_ktx *tx, u64 daddr, u32 len)
{
	struct xfs_bli *bi;

	list_for_each_entry(bi, bucket_of(tx, daddr), bucket)
		if (bi->b->tx.daddr == daddr && bi->b->tx.len == len)
			return bi;
	return NULL;
}

static int again(struct xfs_ktx *tx, struct xfs_bli *bi, enum xfs_kind kind, u32 flags,
		 struct xfs_fault *f)
{
	struct xfs_buf *b = bi->b;

	if (flags & XFS_GET_NEW) {
		/* What TX freed it may use again: then the freeing is not logged. */
		bi->cancel = b->stale = false;
		memset(b->tx.data, 0, b->tx.len);
		b->changed = true;
		b->tx.kind = (u8)kind;
	} else if (bi->cancel) {
		return xfs_bad(f, "block", "use of it after it was freed", b->tx.daddr, kind);
	} else {
		int e = xfs_buf_as(b, &tx->mp->fs.vol.sb, kind, f);

		if (e)
			return e;
	}
	bi->got++;
	return 0;
}

int xfs_tx_get_runs(struct xfs_tx *t, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
		    u32 flags, struct xfs_txbuf **out)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	struct xfs_fault f = { 0 };
	struct xfs_bli *bi;
	struct xfs_buf *b;
	u32 len = 0;
	int e;

	for (u32 i = 0; i < n; i++)
		len += runs[i].bbs << SECTOR_SHIFT;
	if (len > XFS_LB_MAX_BBS * XFS_SECTOR)
		return -EIO;
	bi = find(tx, runs[0].daddr, len);
	if (bi) {
		e = again(tx, bi, kind, flags, &f);
	} else if (tx->live && xfs_journal_dead(tx->live->j)) {
		e = -EIO;
	} else {
		e = xfs_buf_take(&tx->mp->cache, &tx->mp->fs.vol.sb, kind, runs, n, flags, &b, &f);
		if (!e) {
			bi = xfs_bli_of(b, tx->live);
			bi->tx = tx;
			bi->got = 1;
			list_add(&bi->bucket, bucket_of(tx, b->tx.daddr));
		}
	}
	if (e && f.what)
		tx->mp->fs.vol.report(&tx->mp->fs.vol, &f);
	if (!e)
		*out = &bi->b->tx;
	e = xfs_errno(e);
	if (e == -XFS_CORRUPT)
		xfs_sick_block(&tx->mp->fs.vol, kind, runs[0].daddr);
	return e;
}

/* Out of its transaction. */
static void let_go(struct xfs_bli *bi)
{
	struct xfs_buf *b = bi->b;

	list_del_init(&bi->bucket);
	list_del_init(&bi->item.tx);
	bi->item.dirty = false;
	bi->tx = NULL;
	bi->got = 0;
	bi->held = false;
	/* The mount may write later. */
	if (!bi->live) {
		b->item = NULL;
		kfree(bi);
	}
	xfs_buf_unlock(b);
	xfs_buf_rele(b);
}

void xfs_tx_put(struct xfs_tx *t, struct xfs_txbuf *tb)
{
	struct xfs_bli *bi = xfs_buf_of(tb)->item;

	(void)t;
	if (bi->got > 1)
		bi->got--;
	else if (!bi->item.dirty && !bi->held)
		let_go(bi);
}

static void make_dirty(struct xfs_ktx *tx, struct xfs_bli *bi)
{
	tx->tx.dirty = true;
	bi->b->changed = true;
	if (!bi->item.dirty) {
		bi->item.dirty = true;
		list_add_tail(&bi->item.tx, &tx->items);
	}
}

void xfs_tx_log(struct xfs_tx *t, struct xfs_txbuf *tb, u32 off, u32 len)
{
	struct xfs_bli *bi = xfs_buf_of(tb)->item;

	if (WARN_ON(!len || off > tb->len || len > tb->len - off))
		return;
	for (u32 i = off / XFS_LB_CHUNK; i <= (off + len - 1) / XFS_LB_CHUNK; i++)
		set_chunk(bi->map, i);
	bi->ordered = false;
	make_dirty(xfs_ktx(t), bi);
}

void xfs_tx_order(struct xfs_tx *t, struct xfs_txbuf *tb)
{
	struct xfs_bli *bi = xfs_buf_of(tb)->item;

	if (!bi->item.dirty)
		bi->ordered = true;
	WRITE_ONCE(bi->made, true);
	make_dirty(xfs_ktx(t), bi);
}

void xfs_tx_retype(struct xfs_tx *t, struct xfs_txbuf *tb, enum xfs_kind kind)
{
	(void)t;
	tb->kind = (u8)kind;
}

void xfs_tx_kill(struct xfs_tx *t, struct xfs_txbuf *tb)
{
	struct xfs_buf *b = xfs_buf_of(tb);
	struct xfs_bli *bi = b->item;

	/* Once its freeing is durable others write there: that must not be overtaken by this. */
	xfs_buf_land(b);
	b->stale = true;
	bi->cancel = true;
	bi->ordered = false;
	memset(bi->map, 0, sizeof(bi->map));
	make_dirty(xfs_ktx(t), bi);
}

void xfs_tx_kill_at(struct xfs_tx *t, u64 daddr, u32 bbs)
{
	struct xfs_run run = { daddr, bbs };
	struct xfs_txbuf *b;

	/* Not read; one that is there is killed whatever it is. */
	if (xfs_tx_get_runs(t, XFS_BLK_INODES, &run, 1, XFS_GET_NEW, &b))
		xfs_journal_kill(xfs_ktx(t)->live->j, XFS_WHY_INCORE,
				 "no memory for a freed block");
	else
		xfs_tx_kill(t, b);
}

void xfs_tx_forget_at(struct xfs_tx *t, u64 daddr, u32 bbs)
{
	xfs_cache_forget(&xfs_ktx(t)->mp->cache, daddr, bbs << SECTOR_SHIFT);
}

void xfs_tx_hold(struct xfs_tx *t, struct xfs_txbuf *tb)
{
	struct xfs_bli *bi = xfs_buf_of(tb)->item;

	(void)t;
	bi->held = true;
}

/*
 * A block that stays locked is logged again with the next commit: nobody can write it meanwhile,
 * and it must not keep the tail for which the roll may wait.
 */
static void keep_held(struct xfs_ktx *tx, struct xfs_bli *bi)
{
	u32 map[XFS_MAP_WORDS], some = 0;

	merge(bi, map);
	for (u32 i = 0; i < XFS_MAP_WORDS; i++)
		some |= map[i];
	bi->held = false;
	bi->got = 1;
	list_del_init(&bi->item.tx);
	bi->item.dirty = some && !READ_ONCE(bi->made);
	if (bi->item.dirty)
		list_add_tail(&bi->item.tx, &tx->items);
}

void xfs_tx_release_bufs(struct xfs_ktx *tx, bool keep)
{
	struct xfs_bli *bi, *next;

	for (u32 i = 0; i < XFS_TX_BUCKETS; i++)
		list_for_each_entry_safe(bi, next, &tx->buckets[i], bucket) {
			if (keep && bi->held && !bi->cancel) {
				keep_held(tx, bi);
				continue;
			}
			/* Its freeing will never be in the log: waiters for that go on. */
			if (bi->cancel && xfs_journal_dead(tx->live->j))
				xfs_buf_forget(bi->b);
			let_go(bi);
		}
}

int xfs_tx_write(struct xfs_tx *t, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
		 const u8 *data)
{
	struct xfs_ktx *tx = xfs_ktx(t);
	u32 len = 0, at = 0;
	u8 *copy;
	int e = 0;

	for (u32 i = 0; i < n; i++)
		len += runs[i].bbs << SECTOR_SHIFT;
	copy = kvmalloc(len, GFP_NOFS | __GFP_NOFAIL);
	memcpy(copy, data, len);
	xfs_block_stamp(&tx->mp->fs.vol.sb, kind, copy, len, 0);
	for (u32 i = 0; !e && i < n; i++) {
		e = xfs_write_raw(tx->mp->cache.bdev, runs[i].daddr, copy + at,
				  runs[i].bbs << SECTOR_SHIFT);
		at += runs[i].bbs << SECTOR_SHIFT;
	}
	kvfree(copy);
	return e;
}
