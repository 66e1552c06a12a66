/* SPDX-License-Identifier: MIT */
/*
 * Transactions over an image's file, for programs on the host: what tx.h declares, with the rules
 * of its use checked by assert(). The image is mapped privately: the mapping is what was committed;
 * blocks of a transaction are copies. memtx_sync() brings the mapping to the file.
 *
 * What is checked: each byte that changed lies in a chunk of 128 bytes that was logged; a block is
 * in one transaction at most; when it is committed it verifies as its kind; blocks that were
 * reserved suffice; intents are well formed, and ended once; AG headers are waited for in ascending
 * order; an inode that changed was logged.
 */
#pragma once

#include "fs/xfs/tx/defer.h"

/* Opens an image whose log is clean; ends the program where that fails. */
struct xfs_fs *memtx_open(const char *path);
/* Frees all; nothing more is written. No transaction is open, no intent without its end. */
void memtx_close(struct xfs_fs *fs);
/* Writes all that was committed to the file, and the superblock's counters. */
void memtx_sync(struct xfs_fs *fs);

/*
 * A transaction that may take BLOCKS free blocks. OP: the name under which the highest use is
 * remembered, a constant. NULL: so many are not free.
 */
struct xfs_tx *memtx_begin(struct xfs_fs *fs, u32 blocks, const char *op);
/* Finishes deferred work, and commits. */
void memtx_commit(struct xfs_tx *tx);
/* Of a transaction that logged nothing. */
void memtx_cancel(struct xfs_tx *tx);
/* Of one that may have: the file system is shut down: only memtx_close() may follow. */
void memtx_cancel_dirty(struct xfs_tx *tx);

/*
 * Inode INO, for writing; one that is free too (core.mode is 0). It stays in memory until
 * memtx_close(). NULL: it is damaged (reported).
 */
struct xfs_ino *memtx_iget(struct xfs_fs *fs, u64 ino);

/* Blocks are busy until so many commits later (default 8); ~0u: until memtx_sync(). */
void memtx_busy_age(struct xfs_fs *fs, u32 commits);
/* Free blocks that nobody has reserved. */
u64 memtx_free(struct xfs_fs *fs);
/* Faults that were reported; QUIET: they are not printed. */
unsigned long memtx_faults(struct xfs_fs *fs, bool quiet);
/*
 * A power cut: the N-th commit from now on after which begun work is left, and what follows is
 * lost. What the disk has then goes to the new file PATH, the intents to PATH.intents; the program
 * goes on. memtx_was_cut(): it came to that.
 */
void memtx_cut(struct xfs_fs *fs, u32 n, const char *path);
bool memtx_was_cut(struct xfs_fs *fs);
/*
 * FN gets each intent of PATH.intents, in the order in which they were logged; the number of them.
 * -errno of FN: ends it.
 */
int memtx_intents(const char *path, int (*fn)(void *ctx, const struct xfs_litem *it), void *ctx);
/* One line for each OP: transactions, most blocks of the file system, most bytes logged. */
void memtx_print_use(struct xfs_fs *fs);
/* The highest number of bytes that a transaction of OP logged. */
u32 memtx_most_bytes(struct xfs_fs *fs, const char *op);
void memtx_seed(u32 seed);
/*
 * The image is damaged: what would be an assertion is a fault and a shutdown where damage can bring
 * it about. memtx_is_shut(): it was.
 */
void memtx_damaged(struct xfs_fs *fs);
bool memtx_is_shut(struct xfs_fs *fs);
