/* SPDX-License-Identifier: MIT */
/*
 * Recovery: what the log has is brought to the disk.
 *
 * The log is read three times: whole records are looked for; then every transaction that was
 * committed is taken apart, freed blocks are noted and unfinished work is counted; then they are
 * applied in their order, to copies of the disk's blocks in memory. A block on the disk that says
 * it was written later than a change is left as it is. All copies are checked as the blocks that
 * they are. Only then is anything written: the blocks, a flush, blanks over what was torn ahead of
 * the head, and a record that marks the log clean. A power cut on the way leaves a dirty log, which
 * is replayed again with the same result: a block says which change was its last. The log stays
 * dirty, too, where work was begun and not finished, or files without a name or staged blocks are
 * left, which takes transactions; a caller that has them (env->intent) goes on writing behind the
 * head.
 *
 * A log that is damaged, has items of unknown types, or begun work where the caller has no
 * transactions, is refused, and nothing is written.
 *
 * Pure code: the caller gives memory and the device. One caller at a time; it sleeps where
 * its callbacks do, and holds no locks.
 */
#pragma once

#include "fs/xfs/format/log.h"
#include "fs/xfs/format/logitem.h"

struct xfs_replay_env {
	void *ctx;
	/* N zeroed bytes; NULL. */
	void *(*alloc)(void *ctx, size_t n);
	void (*free)(void *ctx, void *p, size_t n);
	/* LEN bytes, whole sectors of the file system, at a device address: 0 or -errno. */
	int (*read)(void *ctx, u64 daddr, void *buf, u32 len);
	int (*write)(void *ctx, u64 daddr, const void *buf, u32 len);
	int (*flush)(void *ctx);	/* what was written is durable */
	bool (*stop)(void *ctx);	/* asked now and then: true: give up with -EINTR */
	/*
	 * NULL: the caller has no transactions. Else: takes work that was begun at LSN and not
	 * finished, oldest first, before anything is written; IT is there during the call. 0;
	 * -EOPNOTSUPP: it is of a kind that cannot be finished; -errno.
	 */
	int (*intent)(void *ctx, u64 lsn, const struct xfs_litem *it);
	size_t most;			/* bytes that may be allocated at one time */
	u64 sectors;			/* the device's length in 512-byte units */
};

struct xfs_replay_result {
	bool clean;		/* there was nothing to do, and nothing was written */
	bool left;		/* things to free, or begun work, are left: the log is dirty yet */
	u64 first_intent;	/* LSN of the oldest work that was begun; 0: none */
	const char *why;	/* why it was refused; NULL: *F says what is damaged */
	u32 bits;		/* for WHY: which */
	u64 transactions, blocks;	/* applied; written, in 512-byte units */
	u64 head, tail;
	/* Where the next record goes. Its tail is at the head, but for begun work that is left. */
	struct xfs_log_state next;
};

/*
 * Replays the log of the file system SB, which becomes what its superblock is afterwards. WRITABLE:
 * else a dirty log is refused with -EROFS. -EUCLEAN, -EBADMSG: damaged; -EINVAL: refused; -ENOMEM:
 * more memory than env->most; -errno of the callbacks.
 */
int xfs_replay(struct xfs_sb *sb, const struct xfs_replay_env *env, bool writable,
	       struct xfs_replay_result *out, struct xfs_fault *f);
