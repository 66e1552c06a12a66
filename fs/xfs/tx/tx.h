/* SPDX-License-Identifier: MIT */
/*
 * Transactions, as the code sees them that changes a file system: the rooms from here to `buf`.
 * That code is pure, so that programs on the host can run it on images and let xfs_repair judge the
 * result. The functions that this header declares are defined twice: by `trans/`, with the log, and
 * by `tx/test/memtx.c`, in the memory of a program.
 *
 * A transaction changes blocks and inodes. All its changes become durable together, or none. The
 * blocks that it has are locked from xfs_tx_get() until it is committed; the metadata locks of its
 * inodes are the caller's, held for writing. After a change was logged, an error cannot be undone:
 * the caller cancels the transaction, and the file system shuts down. So code checks everything
 * that may fail for an ordinary reason (no space, a name that is there) before it logs the first
 * change.
 *
 * Locks, in this order: inodes by number; AGI and then AGF of one AG, AGs in ascending order (see
 * struct xfs_tx, lowest); blocks of trees from the root down, of one level from the left to the
 * right.
 */
#pragma once

#include "fs/xfs/format/logitem.h"
#include "fs/xfs/format/walk.h"
#include "fs/xfs/health/marks.h"
#include <lib/list.h>

/* An allocation group, in memory. */
struct xfs_ag {
	u32 agno, length;		/* c */
	/*
	 * What its headers say, for choosing an AG without their locks. Changed with the header
	 * that has it; valid once that header was read by xfs_ag_agf() or xfs_ag_agi().
	 */
	bool agf_known, agi_known;
	u32 freeblks, longest, flcount, btreeblks;
	u32 inodes, freeinodes;
	/*
	 * AGF: blocks that only the trees of owners, references and free inodes may take, and how
	 * many they have.
	 */
	u32 kept_rmap, kept_other, used_other;
	struct xfs_marks marks;		/* health.lock (health/) */
	u32 pending;			/* atomic: deferred work (ag/drain.h) */
};

/* Blocks that AG keeps and that its trees do not have. */
static inline u32 xfs_ag_kept_left(const struct xfs_ag *ag)
{
	u32 used = ag->used_other;

	return ag->kept_rmap + (ag->kept_other > used ? ag->kept_other - used : 0);
}

#define XFS_GROWN_MOST 31u		/* times that the number of AGs doubled */

/* A file system that is mounted. */
struct xfs_fs {
	struct xfs_vol vol;		/* first: the walks hand it back */
	/*
	 * In memory an AG stays where it is when the file system grows: AGS are the first NR_AGS,
	 * and MORE_AGS[K] as many more as there were before, NR_AGS << K, or not there.
	 */
	struct xfs_ag *ags, *more_ags[XFS_GROWN_MOST];
	u32 nr_ags;			/* c */
	u32 next_ag;			/* where the next directory goes: a hint */
	/* c; NULL: nobody waits. Nothing is pending for an AG (ag/drain.h). */
	void (*drained)(struct xfs_fs *fs);
};

/* AGNO, not below NR, is the *AT-th of the K-th doubling. */
static inline u32 xfs_grown_at(u32 nr, u32 agno, u32 *at)
{
	u32 k = 0;

	while (agno >> 1 >= (u64)nr << k)
		k++;
	*at = agno - (nr << k);
	return k;
}

static inline struct xfs_ag *xfs_ag_of(const struct xfs_fs *fs, u32 agno)
{
	u32 k, at;

	if (agno < fs->nr_ags)
		return &fs->ags[agno];
	k = xfs_grown_at(fs->nr_ags, agno, &at);
	return &fs->more_ags[k][at];
}

/*
 * An inode whose metadata lock the caller has for writing. Node.literal has xfs_literal_size() bytes
 * and is the truth: both forks lie there as on the disk (extents, root of a btree, short form).
 */
struct xfs_ino {
	struct xfs_fs *fs;		/* c */
	struct xfs_node node;
	/*
	 * The AGI's lock, as for node.core.next_unlinked: what is before it in its list
	 * (ag/ialloc.h).
	 */
	u32 prev_unlinked;
	/*
	 * Its blocks came from another file or place (xfs_tx.moved): for as long as it is in
	 * memory.
	 */
	bool moved;
};

static inline u8 *xfs_ino_literal(const struct xfs_ino *ip)
{
	return (u8 *)(uintptr_t)ip->node.literal;
}

/* A block of a transaction, locked. */
struct xfs_txbuf {
	u8 *data;			/* LEN bytes */
	u64 daddr;			/* of its first run */
	u32 len;
	u8 kind;			/* enum xfs_kind, as what it was asked for last */
};

struct xfs_tx {
	struct xfs_fs *fs;
	struct list_head work;		/* deferred (defer.h) */
	u32 blocks;			/* reserved ones that were not used yet */
	/*
	 * The lowest AG whose headers may be waited for: one above was locked. A lower one:
	 * XFS_GET_TRY.
	 */
	u32 lowest;
	bool dirty;			/* something was logged */
	/*
	 * A block that two places had is one place's alone now, or is another place's. Until that
	 * is durable no data may be written over it: a power cut would show them where it was.
	 */
	bool moved;
	/*
	 * Blocks that it frees are its own reserved ones again: of trees that shrink and grow as
	 * it goes on.
	 */
	bool refill;
	/* Changes of the superblock's counters, which become true with the commit. */
	s64 fdblocks, icount, ifree;
	s64 kept;			/* of fdblocks: that came out of what AGs keep */
};

/* ---- blocks ---- */

#define XFS_GET_TRY	1u	/* -EAGAIN instead of waiting for a lock */
#define XFS_GET_NEW	2u	/* the block was just allocated: zeroed, not read */

/*
 * The block that N runs make, verified as KIND, locked until the commit. A block that TX has is
 * given again. 0, -EAGAIN, -EIO, -ENOMEM, -EUCLEAN (reported).
 */
int __must_check xfs_tx_get_runs(struct xfs_tx *tx, enum xfs_kind kind, const struct xfs_run *runs,
				 u32 n, u32 flags, struct xfs_txbuf **out);
static inline int __must_check xfs_tx_get(struct xfs_tx *tx, enum xfs_kind kind, u64 daddr, u32 bbs,
					  u32 flags, struct xfs_txbuf **out)
{
	struct xfs_run run = { daddr, bbs };

	return xfs_tx_get_runs(tx, kind, &run, 1, flags, out);
}

/*
 * Unlocks a block before the commit, if TX changed nothing in it and got it once; else has no
 * effect.
 */
void xfs_tx_put(struct xfs_tx *tx, struct xfs_txbuf *b);
/* LEN bytes at OFF were changed. Checksum and LSN are set when the block is written. */
void xfs_tx_log(struct xfs_tx *tx, struct xfs_txbuf *b, u32 off, u32 len);
static inline void xfs_tx_log_all(struct xfs_tx *tx, struct xfs_txbuf *b)
{
	xfs_tx_log(tx, b, 0, b->len);
}

/*
 * B becomes another kind of block in this transaction (its bytes are a KIND's when it is
 * committed).
 */
void xfs_tx_retype(struct xfs_tx *tx, struct xfs_txbuf *b, enum xfs_kind kind);
/* B's place was freed: it is not written any more, and recovery leaves out earlier changes. */
void xfs_tx_kill(struct xfs_tx *tx, struct xfs_txbuf *b);
/* The same for a block that need not be in memory. */
void xfs_tx_kill_at(struct xfs_tx *tx, u64 daddr, u32 bbs);
/*
 * A block of a value, which was never in the log, was freed: if it is in memory it is forgotten at
 * once. The metadata lock of the inode that had it is held for writing.
 */
void xfs_tx_forget_at(struct xfs_tx *tx, u64 daddr, u32 bbs);
/* B stays locked, and TX's, when TX is rolled the next time. */
void xfs_tx_hold(struct xfs_tx *tx, struct xfs_txbuf *b);
/*
 * New inodes in COUNT inodes of BLOCKS blocks from AGB on, all free, of generation GEN. They lie in
 * memory, and reach the disk before the log's record of them leaves the log. -ENOMEM.
 */
int __must_check xfs_tx_new_inodes(struct xfs_tx *tx, u32 agno, u32 agb, u32 count, u32 blocks,
				   u32 gen);
/* Past the log: a value of an attribute, in blocks that the commit of TX makes reachable. */
int __must_check xfs_tx_write(struct xfs_tx *tx, enum xfs_kind kind, const struct xfs_run *runs,
			      u32 n, const u8 *data);

/* ---- inodes ---- */

#define XFS_LI_CORE	0x001u
/* Fields (XFS_LI_*) of IP were changed. IP belongs to TX until it ends, over rolls too. */
void xfs_tx_inode(struct xfs_tx *tx, struct xfs_ino *ip, u32 fields);

/*
 * Inode INO, if it is in memory: of another inode than the caller's own, whose metadata lock need
 * not be held. The caller has its AGI locked, which keeps inodes of unlinked lists in memory.
 */
struct xfs_ino *xfs_ino_in_memory(struct xfs_fs *fs, u64 ino);

/* ---- free blocks ---- */

/*
 * LEN blocks from AGB on were freed by TX: until its commit is durable they are busy.
 * XFS_BUSY_KEEP: they need not be discarded (they are blocks of trees).
 */
void xfs_tx_busy(struct xfs_tx *tx, u32 agno, u32 agb, u32 len, bool keep);
/*
 * The longest part of the LEN blocks from *AGB on that is not busy; 0: all are. USED_AGAIN: for
 * metadata of TX, whose changes are in the log behind the freeing: blocks that were metadata are no
 * longer busy.
 */
u32 xfs_busy_trim(struct xfs_fs *fs, u32 agno, u32 *agb, u32 len, bool used_again);
/* No longer busy where it was freed as metadata: TX uses it as metadata again. */
void xfs_tx_unbusy(struct xfs_tx *tx, u32 agno, u32 agb, u32 len);
/* How many busy extents of AG AGNO have ended so far: they do at any time. */
u32 xfs_busy_ended(struct xfs_fs *fs, u32 agno);
/*
 * Waits until one more has ended than ENDED, which is from before the caller looked; TX has the AGF
 * locked, so that no other comes. -EAGAIN: none has, and all that are left are TX's.
 */
int __must_check xfs_busy_wait(struct xfs_tx *tx, u32 agno, u32 ended);

/* ---- work that was begun ---- */

struct xfs_lpart {
	const void *p;
	u32 len;
};
struct xfs_intent;		/* the implementation's */
/*
 * Logs an item that begins work. Part 0 is its head, in the log's format of its type; the identity,
 * 8 bytes at offset 8 of it, is set. NULL: no memory.
 */
struct xfs_intent *xfs_tx_intent(struct xfs_tx *tx, const struct xfs_lpart *parts, u32 n);
/*
 * Logs its end; HEAD is the item, whose bytes 8 to 15 become the identity. I is gone with the
 * commit.
 */
void xfs_tx_done(struct xfs_tx *tx, struct xfs_intent *i, const void *head, u32 len);
/*
 * Commits what TX has and goes on with as much log space as it began with. Its inodes, held blocks
 * and deferred work stay. -errno: the file system is shut down; TX is to be cancelled.
 */
int __must_check xfs_tx_roll(struct xfs_tx *tx);

/* ---- memory and chance ---- */

/*
 * N zeroed bytes, for as long as the caller likes; NULL only where the task is being killed for
 * memory.
 */
void *xfs_mem(size_t n);
void xfs_mem_free(void *p);
u32 xfs_random(void);

/* Says in one line that the metadata are damaged; -EUCLEAN. */
static inline int xfs_tx_bad(struct xfs_tx *tx, const char *what, const char *field, u64 place,
			     u64 value)
{
	struct xfs_fault f = { what, field, place, value };

	tx->fs->vol.report(&tx->fs->vol, &f);
	return -XFS_CORRUPT;
}

/* The same, and parts MASK (XFS_SICK_*) of AG AGNO are sick. */
static inline int xfs_tx_bad_ag(struct xfs_tx *tx, u32 agno, u32 mask, const char *what,
				const char *field, u64 place, u64 value)
{
	xfs_sick_ag(&tx->fs->vol, agno, mask);
	return xfs_tx_bad(tx, what, field, place, value);
}

/* The same, and parts MASK of IP are; its number is the place. */
static inline int xfs_tx_bad_ino(struct xfs_tx *tx, const struct xfs_ino *ip, u32 mask,
				 const char *what, const char *field, u64 value)
{
	xfs_sick_ino(&tx->fs->vol, &ip->node.core, mask);
	return xfs_tx_bad(tx, what, field, ip->node.core.ino, value);
}
