/* SPDX-License-Identifier: MIT */
/* Between the files of memtx. */
#pragma once

#include <assert.h>
#include "fs/xfs/tx/test/memtx.h"
#include "fs/xfs/format/stamp.h"
#include <lib/string.h>
#include <abi/errno.h>

#define MEMTX_HASH 4093

/* A block that a transaction has. */
struct mblock {
	struct xfs_txbuf b;		/* first */
	struct mblock *next;		/* of its hash */
	struct list_head node;		/* of its transaction */
	struct xfs_tx *tx;
	u8 *before;			/* at the beginning */
	u8 *logged;			/* a byte for each chunk */
	u32 got, nr;
	bool killed, hold, fresh;
	struct xfs_run runs[XFS_MAX_RUNS];
};

struct mino {
	struct xfs_ino ip;		/* first */
	struct mino *next;
	u8 literal[2048], before[2048];	/* BEFORE: as it was committed */
	struct xfs_core core;
	struct xfs_tx *tx;		/* NULL: in none */
	struct list_head node;
	u32 fields;
};

struct mbusy {
	struct mbusy *next;
	u32 agno, agb, len, born;	/* BORN: number of the commit */
	bool keep;
	struct xfs_tx *tx;		/* before its commit */
};

struct xfs_intent {
	struct list_head node;
	u64 id;
	u16 type;
	struct xfs_tx *begun;		/* until it is committed */
	struct xfs_tx *done;		/* which ends it */
	u8 *bytes;
	u32 len;
};

/* The highest use by an operation. */
struct muse {
	struct muse *next;
	const char *op;
	u32 count, blocks, bytes;
};

struct mtx {
	struct xfs_tx tx;		/* first */
	u32 reserved, highest, item_bytes;
	struct muse *use;
	struct list_head blocks, inodes;
};

struct memtx {
	struct xfs_fs fs;		/* first */
	int fd;
	u8 *map;
	u64 bytes, free, next_id;
	u8 *dirty, *locked;		/* a bit for each sector of 512 bytes */
	bool shut, quiet, damaged;
	u32 open, busy_age, commits;
	unsigned long faults, gets;	/* GETS: blocks that were asked for */
	struct mblock *hash[MEMTX_HASH];
	struct mino *inodes;
	struct mbusy *busy;
	u32 ended;		/* busy ones that ended */
	struct list_head intents;
	struct muse *uses;
	const char *cut;		/* where a cut goes; NULL: none is asked for */
	u32 cut_after;
};

/* ---- memtx_image.c ---- */
u32 memtx_runs_len(const struct xfs_run *runs, u32 n);
bool memtx_runs_ok(const struct memtx *m, const struct xfs_run *runs, u32 n);
void memtx_image_read(const struct memtx *m, const struct xfs_run *runs, u32 n, u8 *p);
void memtx_mark(u8 *bits, u64 daddr, u32 bbs, bool on);
bool memtx_marked(const u8 *bits, u64 daddr, u32 bbs);
struct mblock *memtx_find_block(struct memtx *m, u64 daddr);
void memtx_image_write(struct memtx *m, const struct xfs_run *runs, u32 n, const u8 *p);
/* ---- memtx_more.c ---- */
/* Encodes what T changed; bytes of the log. */
u32 memtx_commit_inodes(struct mtx *t);
void memtx_drop_inodes(struct mtx *t);
void memtx_intents_commit(struct memtx *m, struct xfs_tx *tx);
void memtx_busy_commit(struct memtx *m, struct xfs_tx *tx);
/* Forgets what is old enough; ALL: whatever is committed. */
void memtx_busy_expire(struct memtx *m, bool all);
void memtx_free_rest(struct memtx *m);
/* ---- memtx_cut.c ---- */
void memtx_cut_commit(struct memtx *m);
void memtx_write_counters(struct memtx *m);
