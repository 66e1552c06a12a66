/* SPDX-License-Identifier: MIT */
/*
 * A small file system in memory for tests of transactions: headers of four AGs, blocks of symlinks
 * that transactions change, a cluster of inodes, and a log of 1 MiB, on a disk whose power can be
 * cut and whose writes can be made to fail or not to end. It has a cache: of what was written
 * since the last flush, and not with FUA, ktx_forget() loses a part:
 * 256 sectors that lie together, or none of them.
 */
#pragma once

#include "fs/xfs/trans/trans.h"
#include <lib/minmax.h>
#include <lib/string.h>

#define BBS 32000u
#define LOG_AT ((2 * 4096 + 8) * 2u)
#define BLOCKS 64u		/* that ktx_change() changes; there is one more */
#define BLOCK_AT(i) ((200 + (u64)(i)) * 2)
#define EACH 5u			/* by a transaction */
#define INO_BB 128u		/* inodes 128 to 143 */
#define CACHED 8192u		/* sectors that the cache keeps without a flush */

struct ktx_disk {
	u8 *bytes;
	spinlock_t lock;
	u64 writes, cut_at;		/* lock; 0: never */
	bool cut, fail_log, fail_blocks;
	u32 fail_first;			/* lock: so many writes of blocks fail, and then none */
	bool cut_log;			/* only writes of the log count */
	bool hold, hold_log;		/* writes of blocks do not end, of the log neither */
	struct bio *held[16];		/* lock: those */
	u32 nr_held;			/* lock */
	u8 *media;			/* lock: what is durable */
	u16 *cached;			/* lock: sectors that are not */
	u32 nr_cached;			/* lock */
	struct disk *disk;
	struct bdev *bdev;
};
extern struct ktx_disk ktx_disk;
extern struct xfs_mount *ktx_mp;
extern struct xfs_log_work *ktx_work;

/* The disk comes, with an empty file system; and goes. */
bool ktx_begin(void);
void ktx_end(void);
void ktx_make_fs(void);
/* Writing begins; all is written and it ends. */
int ktx_start(void);
int ktx_stop(void);
int ktx_replay(void);
/* Writes of blocks end again, those that were held too. */
void ktx_let_go(void);
/* After a cut: what the cache forgot, chosen by SEED, is gone. */
void ktx_forget(u64 seed);
/* The same with transactions: what was begun and not finished, and where the log goes on. */
struct ktx_found {
	u32 n;
	u64 id, lsn;			/* of the last */
	struct xfs_log_state next;
};
int ktx_recover(struct ktx_found *f);
/* Writing begins behind that. */
int ktx_start_at(const struct xfs_log_state *s);
/* I into its blocks, in ascending order; FLAGS: of xfs_trans_begin(). */
int ktx_change(u64 i, u32 flags);
int ktx_get_block(struct xfs_tx *tx, u32 n, u32 flags, struct xfs_txbuf **b);
/*
 * Block BLOCKS, which ktx_change() leaves alone, gets V: until it is written the tail stays before
 * it.
 */
int ktx_change_other(u64 v);
/* The last transaction of which anything is on the disk; is the disk what 1 to LAST make? */
u64 ktx_last_on_disk(void);
bool ktx_equals_model(u64 last);
void ktx_put_be(u8 *p, u64 v, u32 n);
void ktx_report(struct xfs_vol *v, const struct xfs_fault *f);
