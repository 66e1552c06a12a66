/* SPDX-License-Identifier: MIT */
/*
 * Online repair of an AG (XFS_SCRUB_IFLAG_REPAIR): its headers and trees are made anew from the
 * tree of owners (rmapbt), while the file system is used.
 *
 * A repair holds the AGI and the AGF, in one transaction, from before it looks until its result is
 * committed, and nothing is pending for the AG (ag/drain.h): so what it gathers does not change.
 * First it checks what it reads from; a source that is damaged ends it with -EUCLEAN, and all stays
 * as it was. The same is true of whatever fails before the first change: the transaction is clean
 * and is cancelled.
 *
 * A new tree goes into blocks that are free, and whose freeing is durable. Nobody else can take
 * them while the AGF is locked. They are written past the log, to the disk, before the transaction
 * that switches the roots commits: a power cut before it leaves the old tree and free blocks, one
 * after it the new tree. The blocks of the old tree are freed by the same transaction, as deferred
 * work with intents (tx/defer.h); those beyond XFS_REAP_MOST by later ones, and a power cut in
 * between leaves them owned and unused, as on Linux, until the next repair of that tree.
 *
 * Inodes are repaired with their locks in place of those of an AG (inode.c, fork.c): what is read
 * of an AG is read with its headers locked, one AG after another.
 *
 * What a repair frees has one owner: a tree of owners where records overlap that must not is no
 * source.
 */
#pragma once

#include "fs/xfs/scrub/scrub.h"

/* struct xfs_mount, ioctl: scrub's ioctls with these repairs. */
long xfs_repair_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
/* What that calls (xfs_repair_fn): one repair. */
int xfs_repair_one(struct xfs_scrub *sc);

/* ---- between the files of this part ---- */

/* Numbers that were gathered. Zeroes; to be freed. */
struct xfs_list {
	u64 *v;
	u32 n, room;
};
/* -ENOMEM. */
int __must_check xfs_list_add(struct xfs_list *l, u64 v);
void xfs_list_free(struct xfs_list *l);
void xfs_list_sort(struct xfs_list *l);
/* Pairs of numbers that are records of extents, by their offsets. */
void xfs_list_sort_exts(struct xfs_list *l);
/* B's numbers go from A: both are sorted. -EUCLEAN: one of B is not in A, or is there twice. */
int __must_check xfs_list_subtract(struct xfs_list *a, const struct xfs_list *b);
/* An extent, or any two numbers of 32 bits, as one that sorts by START. */
static inline u64 xfs_pair(u32 start, u32 len)
{
	return (u64)start << 32 | len;
}

#define XFS_PART_PIECES 4u		/* that change hands with one XFS_RES_TRUNCATE of log */
struct xfs_repair {
	struct xfs_mount *mp;
	const struct xfs_sb *sb;
	struct xfs_ag *ag;
	struct xfs_tx *tx;
	struct xfs_txbuf *agi, *agf;	/* locked; NULL: it cannot be read */
	struct xfs_scrub sc;		/* for walks: says nothing to the user */
	struct xfs_scrub_req req;	/* its */
	struct xfs_buf old_agi, old_agf; /* stand for headers that cannot be read; data alone */
	/* Gathered from the tree of owners (gather.c). */
	struct xfs_list free;		/* extents that nobody has, by block */
	struct xfs_list own;   /* blocks of XFS_OWN_AG that the tree of owners does not have */
	struct xfs_list inobt, refc, inodes; /* the same owners' blocks; INODES: extents */
	struct xfs_list starts, ends;	/* of files' data: first blocks, blocks behind the last */
	struct xfs_list staged;		/* extents */
	u32 rmap_blocks;
	/* Blocks for new trees: extents. */
	struct xfs_list pieces;
	u32 at_piece, at_block;		/* what the next tree begins with */
	u32 most_pieces, more_pieces;	/* that the transaction has room for; that were asked for */
	u64 more_bytes;			/* of log, for these */
	u32 space;			/* of inodes: the AG where trees of forks go */
	/* Blocks that are freed when the new tree is there, sorted; from GONE on they are left. */
	struct xfs_list old;
	u32 gone, most_extents;		/* that one transaction frees */
	u64 old_owner;
	struct list_head busy;		/* pieces that nobody else is to find */
};

/* gather.c */
/* The tree of owners is sound, and what it says: all lists above. */
int __must_check xfs_gather_owners(struct xfs_repair *r);
void xfs_gather_end(struct xfs_repair *r);
/* Is the structure of a tree or header sound, as far as it can be said without others? */
int __must_check xfs_repair_sound(struct xfs_repair *r, enum xfs_scrub_type type);
/* All blocks of a sound tree, behind what L has. */
int __must_check xfs_repair_blocks(struct xfs_repair *r, enum xfs_bt kind, struct xfs_list *l);
/* Free extents of the trees, which are sound, are those of the gathered. */
int __must_check xfs_repair_space_ok(struct xfs_repair *r);
/* The same for the roots that SC's AGF has, of both trees, each. */
int __must_check xfs_repair_same_space(struct xfs_repair *r, enum xfs_bt kind);

/* loader.c */
struct xfs_new_tree {
	enum xfs_bt kind;
	const struct xfs_list *recs;	/* one number a record of free space, two of others */
	u32 n;				/* records */
	/*
	 * Of a fork: its inode, and the bytes there that become the root. INO 0: a tree of an AG.
	 */
	u64 ino;
	u8 *iroot;
	u32 iroot_size;
	u32 root, levels, blocks;	/* out; of a fork LEVELS without the root */
};
/* Blocks, and levels, that it will have. */
void xfs_new_tree_size(const struct xfs_repair *r, struct xfs_new_tree *t);
/*
 * WANT blocks become R's pieces, out of the free extents. Of those none goes, unless there is no
 * other way. COUNTED: files lose them. -ENOSPC; -E2BIG: R's transaction has too little log.
 */
int __must_check xfs_pick_blocks(struct xfs_repair *r, u32 want, bool counted);
/* Pieces that no tree took become old blocks, which are freed as they are. -ENOMEM. */
int __must_check xfs_spare_blocks(struct xfs_repair *r);
/* Writes it into the next of R's pieces, on the disk. */
int __must_check xfs_load_tree(struct xfs_repair *r, struct xfs_new_tree *t);

/* reap.c: R's old blocks, of R->old_owner, are freed by R's transaction, as many as it takes. */
#define XFS_REAP_MOST 256u
int __must_check xfs_reap(struct xfs_repair *r);
/* The pieces become OWNER's: in the AGF's trees, which are sound, and in that of owners. */
int __must_check xfs_own_pieces(struct xfs_repair *r, struct xfs_agop *op,
				const struct xfs_owner *owner);

/* ---- repair.c ---- */

void xfs_repair_init(struct xfs_repair *r, const struct xfs_scrub *sc);
/*
 * R's transaction, with room for more pieces where that was asked for. -ENOSPC: the log has none.
 */
int __must_check xfs_repair_begin(struct xfs_repair *r);
/* Has the log room for what R asks for? */
bool xfs_repair_has_room(const struct xfs_repair *r);
/* The free list of AG AGNO has what the next change may take. A transaction of its own. */
int __must_check xfs_repair_fill(struct xfs_repair *r, u32 agno);
/*
 * The headers of AG R->space, in R's transaction, and its free extents. -EUCLEAN; -EDEADLK: work is
 * pending there.
 */
int __must_check xfs_lock_space(struct xfs_repair *r);

/* What is repaired, with R's transaction and locks. 0: it is to be committed. */
int xfs_repair_agf(struct xfs_repair *r);
int xfs_repair_agfl(struct xfs_repair *r);
int xfs_repair_agi(struct xfs_repair *r);
int xfs_repair_alloc(struct xfs_repair *r);
int xfs_repair_ialloc(struct xfs_repair *r);
int xfs_repair_refcount(struct xfs_repair *r);
/* sb.c: the copy of the superblock in SC's AG. */
int xfs_repair_sb(struct xfs_scrub *sc);
/* inode.c: SC's inode, or one of its forks. */
int xfs_repair_inode(struct xfs_scrub *sc);
/* fscounters.c: the sums in memory. */
int xfs_repair_fscounters(struct xfs_scrub *sc);
/* agfl.c: R->own, what the trees of the AG leave, is the free list; what is too much is R->old. */
int __must_check xfs_write_agfl(struct xfs_repair *r, struct xfs_agop *op);
/* The AGFL is sound with this AGF; its blocks, behind what L has. */
int __must_check xfs_agfl_blocks(struct xfs_repair *r, struct xfs_list *l);
