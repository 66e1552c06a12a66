// SPDX-License-Identifier: MIT
/* The disk and the file system of ktx.h. */
#include "fs/xfs/trans/test/ktx.h"
#include "fs/xfs/log/replay.h"
#include "fs/xfs/format/stamp.h"
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <lib/hash.h>
#include <abi/errno.h>

static const struct xfs_sb geometry = {
	.blocksize = 1024,
	.sectsize = 512,
	.inodesize = 512,
	.dirblksize = 2048,
	.blocklog = 10,
	.sectlog = 9,
	.inodelog = 9,
	.inopblog = 1,
	.agblklog = 12,
	.dirblklog = 1,
	.agblocks = 4096,
	.agcount = 4,
	.logblocks = 1024,
	.dblocks = 16000,
	.logstart = 8200,
	.rootino = 128,
	.incompat = XFS_IN_FTYPE,
};

/* ---- the disk ---- */

struct ktx_disk ktx_disk;

static bool in_log(u64 bb)
{
	return bb >= LOG_AT && bb < LOG_AT + 2048;
}

/* Half of the write in which the power is cut comes there. */
static u32 reaches(u32 len, bool log)
{
	if (ktx_disk.cut)
		return 0;
	if (ktx_disk.cut_log && !log)
		return len;
	if (++ktx_disk.writes != ktx_disk.cut_at)
		return len;
	ktx_disk.cut = true;
	return len / 2 / 512 * 512;
}

static void make_durable(u64 sector)
{
	memcpy(ktx_disk.media + sector * 512, ktx_disk.bytes + sector * 512, 512);
}

static void flush_locked(void)
{
	while (ktx_disk.nr_cached && !ktx_disk.cut)
		make_durable(ktx_disk.cached[--ktx_disk.nr_cached]);
}

/* N sectors from SECTOR were written. */
static void written_locked(u64 sector, u32 n, bool fua)
{
	for (u64 end = sector + n; sector < end; sector++) {
		if (!fua && ktx_disk.nr_cached == CACHED)
			flush_locked();
		if (fua)
			make_durable(sector);
		else if (ktx_disk.nr_cached < CACHED)
			ktx_disk.cached[ktx_disk.nr_cached++] = (u16)sector;
	}
}

void ktx_forget(u64 seed)
{
	for (u32 i = 0; i < ktx_disk.nr_cached; i++) {
		u64 at = ktx_disk.cached[i];

		if (hash_64(seed * BBS + at / 256, 1))
			memcpy(ktx_disk.bytes + at * 512, ktx_disk.media + at * 512, 512);
	}
}

void ktx_let_go(void)
{
	struct bio *b[ARRAY_SIZE(ktx_disk.held)];
	u32 n;

	spin_lock_irq(&ktx_disk.lock);
	ktx_disk.hold = ktx_disk.hold_log = false;
	n = ktx_disk.nr_held;
	memcpy(b, ktx_disk.held, sizeof(b));
	ktx_disk.nr_held = 0;
	spin_unlock_irq(&ktx_disk.lock);
	for (u32 i = 0; i < n; i++)
		bio_done(b[i], 0);
}

static bool fails_locked(void)
{
	if (!ktx_disk.fail_first)
		return ktx_disk.fail_blocks;
	ktx_disk.fail_first--;
	return true;
}

static int queue(struct disk *disk, unsigned int q, struct bio *b)
{
	u64 at = b->disk_sector << SECTOR_SHIFT;
	bool write = bio_op(b) == REQ_WRITE, held;
	unsigned long flags;
	u32 left = b->len, n_written = 0;
	int status = 0;

	(void)disk;
	(void)q;
	spin_lock_irqsave(&ktx_disk.lock, flags);
	if (write && (in_log(b->disk_sector) ? ktx_disk.fail_log : fails_locked()))
		status = -EIO;
	else if (write)
		left = reaches(left, in_log(b->disk_sector));
	else if (bio_op(b) == REQ_FLUSH)
		flush_locked();
	if (!status && write)
		n_written = left / 512;
	for (unsigned int i = 0; !status && bio_op(b) != REQ_FLUSH && i < b->nvecs; i++) {
		u8 *p = (u8 *)page_address(b->vecs[i].bv_page) + b->vecs[i].bv_offset;
		u32 n = min(b->vecs[i].bv_len, left);

		if (write)
			memcpy(ktx_disk.bytes + at, p, n);
		else
			memcpy(p, ktx_disk.bytes + at, n);
		at += n;
		left -= n;
	}
	written_locked(b->disk_sector, n_written, b->flags & REQ_FUA);
	held = write && (in_log(b->disk_sector) ? ktx_disk.hold_log : ktx_disk.hold);
	if (held)
		ktx_disk.held[ktx_disk.nr_held++] = b;
	spin_unlock_irqrestore(&ktx_disk.lock, flags);
	if (!held)
		bio_done(b, status);
	return 0;
}

static const struct disk_ops ops = { .queue = queue };

/* ---- the file system ---- */

void ktx_put_be(u8 *p, u64 v, u32 n)
{
	while (n--) {
		p[n] = (u8)v;
		v >>= 8;
	}
}

static void make_header(u32 agno, u32 i, u8 *p)
{
	static const u32 magic[] = { XFS_SB_MAGIC, XFS_AGF_MAGIC, XFS_AGI_MAGIC, XFS_AGFL_MAGIC };
	const struct xfs_sb *g = &geometry;

	ktx_put_be(p, magic[i], 4);
	ktx_put_be(p + 4, i == 3 ? agno : 1, 4);
	if (i == 1 || i == 2) {
		ktx_put_be(p + 8, agno, 4);
		ktx_put_be(p + 12, xfs_ag_blocks(g, agno), 4);
	}
	if (i == 0) {
		ktx_put_be(p + 4, 1024, 4);
		ktx_put_be(p + 8, g->dblocks, 8);
		ktx_put_be(p + 48, g->logstart, 8);
		ktx_put_be(p + 56, 128, 8);
		ktx_put_be(p + 84, 4096, 4);
		ktx_put_be(p + 88, 4, 4);
		ktx_put_be(p + 96, 1024, 4);
		ktx_put_be(p + 100, 0xb4a5, 2);
		ktx_put_be(p + 102, 512, 2);
		ktx_put_be(p + 104, 512, 2);
		ktx_put_be(p + 106, 2, 2);
		memcpy(p + 120, "\12\11\11\1\14", 5);
		p[192] = 1;
		ktx_put_be(p + 216, g->incompat, 4);
	} else if (i == 1) {
		for (u32 k = 0; k < 3; k++) {
			ktx_put_be(p + 16 + 4 * k, 10, 4);
			ktx_put_be(p + 28 + 4 * k, 1, 4);
		}
		ktx_put_be(p + 52, 100, 4);
	} else if (i == 2) {
		ktx_put_be(p + 20, 10, 4);
		ktx_put_be(p + 24, 1, 4);
		memset(p + 40, 0xff, 256);
	}
	xfs_block_stamp(g, XFS_BLK_SB, p, 512, 0);
}

static void make_block(u32 i)
{
	u8 *p = ktx_disk.bytes + BLOCK_AT(i) * 512;
	struct xfs_drmt h = { .magic = be32_make(XFS_SYMLINK_MAGIC),
			      .bytes = be32_make(900),
			      .blkno = be64_make(BLOCK_AT(i)) };

	memcpy(p, &h, sizeof(h));
	xfs_block_stamp(&geometry, XFS_BLK_SYMLINK, p, 1024, 0);
}

static void make_inode(u32 i)
{
	u8 *p = ktx_disk.bytes + (INO_BB + i) * 512;
	struct xfs_dinode n = { .magic = be16_make(XFS_DI_MAGIC),
				.mode = be16_make(0100644),
				.version = 3,
				.format = XFS_FMT_EXTENTS,
				.aformat = XFS_FMT_EXTENTS,
				.nlink = be32_make(1),
				.next_unlinked = be32_make(XFS_NULL32),
				.ino = be64_make(INO_BB + i) };

	memcpy(p, &n, sizeof(n));
	xfs_inode_stamp(&geometry, p);
}

static int read_log(void *ctx, u64 bb, u32 n, void *buf)
{
	(void)ctx;
	memcpy(buf, ktx_disk.bytes + (LOG_AT + bb) * 512, (size_t)n * 512);
	return 0;
}

static const struct xfs_log_reader reader = { read_log, NULL };
struct xfs_log_work *ktx_work;

/* An empty file system whose log is clean. */
void ktx_make_fs(void)
{
	struct xfs_log_state s = { .cycle = 1 };
	struct xfs_fault f;
	struct xfs_log l;

	memset(ktx_disk.bytes, 0, BBS * 512);
	for (u32 ag = 0; ag < 4; ag++)
		for (u32 i = 0; i < 4; i++)
			make_header(ag, i, ktx_disk.bytes + (ag * 8192ul + i) * 512);
	for (u32 i = 0; i <= BLOCKS; i++)
		make_block(i);
	for (u32 i = 0; i < 16; i++)
		make_inode(i);
	if (xfs_log_open(&l, &geometry, &reader, ktx_work, &f))
		return;
	xfs_log_unmount_make(&l, &s);
	memcpy(ktx_disk.bytes + LOG_AT * 512, ktx_work->record,
	       xfs_log_unmount_size(&geometry) * 512);
	memcpy(ktx_disk.media, ktx_disk.bytes, BBS * 512);
	ktx_disk.nr_cached = 0;
}

struct xfs_mount *ktx_mp;

void ktx_report(struct xfs_vol *v, const struct xfs_fault *f)
{
	(void)v;
	pr_err("ktest: %s %llu: %s is wrong (%llu)\n", f->what, f->place, f->field, f->value);
}

int ktx_start_at(const struct xfs_log_state *at)
{
	struct xfs_fault f = { 0 };
	struct xfs_log_state s;
	struct xfs_log l;
	int e;

	ktx_mp = kzalloc(sizeof(*ktx_mp), GFP_KERNEL);
	if (!ktx_mp)
		return -ENOMEM;
	xfs_vol_init(ktx_mp, NULL);
	ktx_mp->fs.vol.report = ktx_report;
	e = xfs_sb_decode(ktx_disk.bytes, 512, &ktx_mp->fs.vol.sb, &f);
	e = e ?: xfs_log_open(&l, &ktx_mp->fs.vol.sb, &reader, ktx_work, &f);
	e = e ?: xfs_log_find(&l, &s, &f);
	if (!e && at)
		s = *at;
	if (e || (!s.clean && !at)) {
		ktx_report(&ktx_mp->fs.vol, &f);
		return -EINVAL;
	}
	xfs_health_init(&ktx_mp->health);
	xfs_cache_init(&ktx_mp->cache, ktx_disk.bdev, "ktest");
	return xfs_ags_open(ktx_mp) ?: xfs_live_open(ktx_mp, ktx_disk.bdev, "ktest", &s);
}

int ktx_start(void)
{
	return ktx_start_at(NULL);
}

int ktx_stop(void)
{
	int e = xfs_live_close(ktx_mp);

	xfs_cache_destroy(&ktx_mp->cache);
	xfs_ags_close(ktx_mp);
	xfs_health_destroy(&ktx_mp->health);
	kfree(ktx_mp);
	return e;
}

bool ktx_begin(void)
{
	spin_lock_init(&ktx_disk.lock);
	ktx_disk.bytes = vmalloc(BBS * 512);
	ktx_disk.media = vmalloc(BBS * 512);
	ktx_disk.cached = vmalloc(CACHED * sizeof(*ktx_disk.cached));
	ktx_work = kvzalloc(sizeof(*ktx_work), GFP_KERNEL);
	ktx_disk.disk = disk_alloc_numbered("ktestxfs", BLKEXT_MAJOR, 1048100, 1, 16);
	if (!ktx_disk.bytes || !ktx_disk.media || !ktx_disk.cached || !ktx_work || !ktx_disk.disk)
		return false;
	memset(ktx_disk.bytes, 0, BBS * 512);
	ktx_disk.disk->ops = &ops;
	ktx_disk.disk->sectors = BBS;
	ktx_disk.disk->max_bytes = 64 << 10;
	ktx_disk.disk->write_cache = true;
	ktx_disk.disk->fua = true;
	if (disk_add(ktx_disk.disk))
		return false;
	ktx_disk.bdev = bdev_get_by_name("ktestxfs");
	ktx_disk.cut = ktx_disk.fail_log = ktx_disk.fail_blocks = false;
	ktx_disk.hold = ktx_disk.hold_log = ktx_disk.cut_log = false;
	ktx_disk.fail_first = 0;
	ktx_disk.writes = ktx_disk.cut_at = 0;
	ktx_make_fs();
	return ktx_disk.bdev;
}

void ktx_end(void)
{
	bdev_put(ktx_disk.bdev);
	if (!disk_remove_unless_open(ktx_disk.disk))
		disk_put(ktx_disk.disk);
	kvfree(ktx_work);
	vfree(ktx_disk.bytes);
	vfree(ktx_disk.media);
	vfree(ktx_disk.cached);
}

/* ---- transactions ---- */

static u32 nth_block(u64 i, u32 k)
{
	return (u32)hash_64(i * 16 + k, 6);
}

static u32 nth_at(u64 i, u32 k)
{
	return 64 + (u32)hash_64(i * 31 + k, 5) % 29 * 32;
}

int ktx_get_block(struct xfs_tx *tx, u32 n, u32 flags, struct xfs_txbuf **b)
{
	return xfs_tx_get(tx, XFS_BLK_SYMLINK, BLOCK_AT(n), 2, flags, b);
}

int ktx_change_other(u64 v)
{
	struct xfs_txbuf *b;
	struct xfs_tx *tx;
	int e = xfs_trans_begin(ktx_mp, 2000, 1, 0, XFS_TX_SYNC, &tx);

	if (e)
		return e;
	e = ktx_get_block(tx, BLOCKS, 0, &b);
	if (e) {
		xfs_trans_cancel(tx);
		return e;
	}
	ktx_put_be(b->data + 64, v, 8);
	xfs_tx_log(tx, b, 64, 8);
	return xfs_trans_commit(tx);
}

/* I into its blocks, in ascending order; FLAGS: of xfs_trans_begin(). */
int ktx_change(u64 i, u32 flags)
{
	struct xfs_tx *tx;
	u64 picked = 0;
	int e = xfs_trans_begin(ktx_mp, EACH * 1300, 1, 0, flags, &tx);

	if (e)
		return e;
	for (u32 k = 0; k < EACH; k++)
		picked |= 1ull << nth_block(i, k);
	for (u32 n = 0; !e && n < BLOCKS; n++) {
		struct xfs_txbuf *b;

		if (!(picked >> n & 1))
			continue;
		e = xfs_tx_get(tx, XFS_BLK_SYMLINK, BLOCK_AT(n), 2, 0, &b);
		for (u32 k = 0; !e && k < EACH; k++)
			if (nth_block(i, k) == n) {
				ktx_put_be(b->data + nth_at(i, k), i, 8);
				xfs_tx_log(tx, b, nth_at(i, k), 8);
			}
	}
	if (e) {
		xfs_trans_cancel(tx);
		return e;
	}
	return xfs_trans_commit(tx);
}

/* The payload of the blocks after transactions 1 to LAST. */
static void model(u64 last, u8 *p)
{
	memset(p, 0, BLOCKS * 1024);
	for (u64 i = 1; i <= last; i++)
		for (u32 k = 0; k < EACH; k++)
			ktx_put_be(p + nth_block(i, k) * 1024ul + nth_at(i, k), i, 8);
}

/* The last transaction of which anything is on the disk. */
u64 ktx_last_on_disk(void)
{
	u64 last = 0;

	for (u32 n = 0; n < BLOCKS; n++)
		for (u32 at = 64; at + 8 <= 1024; at += 32) {
			be64 v;

			memcpy(&v, ktx_disk.bytes + BLOCK_AT(n) * 512 + at, sizeof(v));
			last = max(last, be64_get(v));
		}
	return last;
}

bool ktx_equals_model(u64 last)
{
	u8 *p = kvmalloc(BLOCKS * 1024, GFP_KERNEL);
	bool same = true;

	if (!p)
		return false;
	model(last, p);
	for (u32 n = 0; same && n < BLOCKS; n++)
		same = !memcmp(p + n * 1024ul + 64, ktx_disk.bytes + BLOCK_AT(n) * 512 + 64,
			       1024 - 64);
	kvfree(p);
	return same;
}

/* ---- replay ---- */

static void *env_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return kvzalloc(n, GFP_KERNEL);
}

static void env_free(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	kvfree(p);
}

static int env_read(void *ctx, u64 daddr, void *buf, u32 len)
{
	(void)ctx;
	memcpy(buf, ktx_disk.bytes + daddr * 512, len);
	return 0;
}

static int env_write(void *ctx, u64 daddr, const void *buf, u32 len)
{
	(void)ctx;
	memcpy(ktx_disk.bytes + daddr * 512, buf, len);
	return 0;
}

static int env_flush(void *ctx)
{
	(void)ctx;
	return 0;
}

static bool env_stop(void *ctx)
{
	(void)ctx;
	return false;
}

static int env_intent(void *ctx, u64 lsn, const struct xfs_litem *it)
{
	struct ktx_found *f = ctx;

	f->n++;
	f->lsn = lsn;
	memcpy(&f->id, xfs_lregion_at(it, 0) + 8, sizeof(f->id));
	return 0;
}

/* FOUND NULL: without transactions. */
static int replay(struct ktx_found *found)
{
	struct xfs_replay_env env = { .ctx = found,
				      .intent = found ? env_intent : NULL,
				      .alloc = env_alloc,
				      .free = env_free,
				      .read = env_read,
				      .write = env_write,
				      .flush = env_flush,
				      .stop = env_stop,
				      .most = 64 << 20,
				      .sectors = BBS };
	struct xfs_replay_result res = { 0 };
	struct xfs_fault f = { 0 };
	struct xfs_sb sb;
	int e = xfs_sb_decode(ktx_disk.bytes, 512, &sb, &f);

	e = e ?: xfs_replay(&sb, &env, true, &res, &f);
	if (e)
		pr_err("ktest: replay: %d %s; %s %llu: %s is wrong (%llu)\n", e,
		       res.why ? res.why : "", f.what ? f.what : "", f.place,
		       f.field ? f.field : "", f.value);
	if (found)
		found->next = res.next;
	return e;
}

int ktx_replay(void)
{
	return replay(NULL);
}

int ktx_recover(struct ktx_found *f)
{
	*f = (struct ktx_found){ 0 };
	return replay(f);
}
