/* SPDX-License-Identifier: MIT */
/*
 * Online scrub: structures of a mounted file system are checked while it is used
 * (ioctl_xfs_scrub_metadata(2)). What is found is told by flags, not by an errno, and is marked in
 * the health (health/) as found by a check; a check that was complete and found nothing takes the
 * marks away. Reading damage here is no error of the file system: nothing is reported or shut down.
 *
 * A check of a part of an AG has its headers locked, AGI before AGF, while nothing is pending for
 * the AG (ag/drain.h): so its trees agree, and no block of them changes. Blocks of trees are read
 * without their locks. A damaged pointer may lead to a block that somebody else has locked, who
 * waits for these headers: locks of such blocks are tried for a while, then all is let go, and the
 * check begins again.
 *
 * A check of an inode has its li->lock for reading, and the headers of one AG at a time for what
 * the trees there say of its blocks. It does not wait for long below li->lock (setup.c): with that
 * held, the inode cannot be written to its place, and the log may need that to go on.
 */
#pragma once

#include "fs/xfs/admin/admin.h"
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/ag/drain.h"
#include "fs/xfs/ag/refcount.h"

struct xfs_scrub;
/*
 * What a check of SC's object found is to be repaired (repair/): 0: it was, and is checked again;
 * -EOPNOTSUPP: nobody can; else it is as it was. No lock of metadata is held.
 */
typedef int (*xfs_repair_fn)(struct xfs_scrub *sc);

/* XFS_IOC_SCRUB_METADATA, XFS_IOC_SCRUBV_METADATA; -ENOTTY: CMD is none of them. */
long xfs_scrub_ioctl(struct file *file, unsigned int cmd, unsigned long arg, xfs_repair_fn repair);

/* ---- between the files of this part ---- */

enum xfs_scrub_type {
	XFS_SCRUB_PROBE,
	XFS_SCRUB_SB,
	XFS_SCRUB_AGF,
	XFS_SCRUB_AGFL,
	XFS_SCRUB_AGI,
	XFS_SCRUB_BNOBT,
	XFS_SCRUB_CNTBT,
	XFS_SCRUB_INOBT,
	XFS_SCRUB_FINOBT,
	XFS_SCRUB_RMAPBT,
	XFS_SCRUB_REFCNTBT,
	XFS_SCRUB_INODE,
	XFS_SCRUB_BMBTD,
	XFS_SCRUB_BMBTA,
	XFS_SCRUB_BMBTC,
	XFS_SCRUB_DIR,
	XFS_SCRUB_XATTR,
	XFS_SCRUB_SYMLINK,
	XFS_SCRUB_PARENT,
	XFS_SCRUB_RTBITMAP,
	XFS_SCRUB_RTSUM,
	XFS_SCRUB_UQUOTA,
	XFS_SCRUB_GQUOTA,
	XFS_SCRUB_PQUOTA,
	XFS_SCRUB_FSCOUNTERS,
	XFS_SCRUB_QUOTACHECK,
	XFS_SCRUB_NLINKS,
	XFS_SCRUB_HEALTHY,
	XFS_SCRUB_DIRTREE,
	XFS_SCRUB_METAPATH,
	XFS_SCRUB_RGSUPER,
	XFS_SCRUB_RTRMAPBT,
	XFS_SCRUB_RTREFCBT,
	XFS_SCRUB_TYPES
};
#define XFS_SCRUB_BARRIER	U32_MAX	/* in vectors */

#define XFS_SCRUB_REPAIR	(1u << 0)
#define XFS_SCRUB_CORRUPT	(1u << 1)
#define XFS_SCRUB_PREEN		(1u << 2)
#define XFS_SCRUB_XFAIL		(1u << 3)	/* a cross-reference could not be made */
#define XFS_SCRUB_XCORRUPT	(1u << 4)	/* two structures disagree */
#define XFS_SCRUB_INCOMPLETE	(1u << 5)
#define XFS_SCRUB_WARNING	(1u << 6)
#define XFS_SCRUB_NO_NEED	(1u << 7)	/* of a repair */
#define XFS_SCRUB_REBUILD	(1u << 8)
#define XFS_SCRUB_IN		(XFS_SCRUB_REPAIR | XFS_SCRUB_REBUILD)
#define XFS_SCRUB_OUT		0xfeu

struct xfs_scrub_req {			/* the ABI's struct xfs_scrub_metadata */
	u32 type, flags;
	u64 ino;
	u32 gen, agno;
	u64 reserved[5];
};

struct xfs_scrub {
	struct xfs_mount *mp;
	struct xfs_scrub_req *req;
	u32 mask;	  /* of the object's marks: those that this check is about; 0: none */
	u32 agno;
	struct xfs_lino *li;	/* checks of inodes: its lock is held for reading */
	struct inode *inode;	/* the same; NULL: the VFS does not have it */
	struct xfs_vol *vol;	/* the same: the walks' volume, which tells nobody of damage */
	u64 dir_ino;			/* dir.c: the directory's number and generation */
	u32 dir_gen;
	struct xfs_buf *agi, *agf;	/* locked; NULL: not held, or damaged */
	bool no[XFS_BT_KINDS];		/* not for cross-references */
	bool xref;			/* which were begun */
	int error;			/* that ends the check: -EINTR, -EDEADLK */
	/* c: the kernel's own thread asks (heal/), which waits for nobody who may wait for it. */
	bool own;
};

/* An inode whose generation is not known: its record could not be read when it was met. */
static inline bool xfs_scrub_any_gen(const struct xfs_scrub *sc)
{
	return sc->own && !sc->req->gen;
}

static inline void xfs_scrub_bad(struct xfs_scrub *sc)
{
	sc->req->flags |= XFS_SCRUB_CORRUPT;
}

static inline bool xfs_scrub_is_bad(const struct xfs_scrub *sc)
{
	return sc->req->flags & XFS_SCRUB_CORRUPT;
}

static inline void xfs_scrub_differs(struct xfs_scrub *sc)
{
	sc->req->flags |= XFS_SCRUB_XCORRUPT;
}

static inline const struct xfs_dagf *xfs_scrub_agf(const struct xfs_scrub *sc)
{
	return (const void *)sc->agf->tx.data;
}

static inline const struct xfs_dagi *xfs_scrub_agi(const struct xfs_scrub *sc)
{
	return (const void *)sc->agi->tx.data;
}

static inline const struct xfs_node *xfs_scrub_node(const struct xfs_scrub *sc)
{
	return &sc->li->ip.node;
}

/* One check. 0 with flags in REQ, or as the ioctl says (-errno). */
int xfs_scrub_one(struct file *file, struct xfs_scrub_req *req, xfs_repair_fn repair);
/*
 * The same with REPAIR for the kernel's own thread, for whose end unmount and remounts wait. Where
 * it would have to wait for what they, or a repair that waits for them, hold: -EBUSY. Generation 0
 * is any.
 */
int xfs_scrub_own(struct xfs_mount *mp, struct xfs_scrub_req *req, xfs_repair_fn repair);
/* vector.c */
long xfs_scrub_vector(struct file *file, struct uptr arg, xfs_repair_fn repair);

/* agheader.c, alloc.c and those of their kind: what of SC's AG is checked; 0 or -errno. */
int xfs_scrub_sb(struct xfs_scrub *sc);
void xfs_scrub_sb_refer(struct xfs_scrub *sc);
int xfs_scrub_check_agf(struct xfs_scrub *sc);
int xfs_scrub_check_agfl(struct xfs_scrub *sc);
int xfs_scrub_check_agi(struct xfs_scrub *sc);
int xfs_scrub_alloc(struct xfs_scrub *sc);
int xfs_scrub_ialloc(struct xfs_scrub *sc);
int xfs_scrub_rmap(struct xfs_scrub *sc);
int xfs_scrub_refcount(struct xfs_scrub *sc);

/* setup.c: what is asked for, of an AG or an inode, with its locks: 0 or -errno. */
int xfs_scrub_check_all(struct xfs_scrub *sc);

/* rt.c, healthy.c: of the file system. */
int xfs_scrub_rt_file(struct xfs_scrub *sc);
int xfs_scrub_healthy(struct xfs_scrub *sc);
/* nlinks.c, fscounters.c: the same. */
int xfs_scrub_fscounters(struct xfs_scrub *sc);
/* What the headers of all AGs say together; they are read one after another. -EUCLEAN, -EINTR. */
struct xfs_sums {
	s64 fdblocks, icount, ifree;
};
int __must_check xfs_scrub_count(struct xfs_mount *mp, struct xfs_sums *n);
/*
 * FN(CTX) while SC's file system is frozen by the kernel: its result. -EBUSY: others freeze and
 * thaw it all the time; -EINTR.
 */
int __must_check xfs_scrub_frozen(struct xfs_scrub *sc, int (*fn)(void *ctx), void *ctx);
int xfs_scrub_nlinks(struct xfs_scrub *sc);
/* inode.c and those of its kind: what of SC's inode is checked; 0 or -errno. */
int xfs_scrub_inode(struct xfs_scrub *sc);
int xfs_scrub_bmap(struct xfs_scrub *sc);
int xfs_scrub_symlink(struct xfs_scrub *sc);
int xfs_scrub_xattr(struct xfs_scrub *sc);
int xfs_scrub_dir(struct xfs_scrub *sc);
int xfs_scrub_parent(struct xfs_scrub *sc);
/* The same, with no lock held. */
int xfs_scrub_dirtree(struct xfs_scrub *sc);
/* dirblk.c: what is free in the blocks of SC's directory. -EUCLEAN: it is damaged. */
int xfs_scrub_dir_blocks(struct xfs_scrub *sc);
/* Block number DB of names; -ENOENT: a hole. */
int xfs_scrub_dir_data(struct xfs_scrub *sc, u32 db, struct xfs_blk *b);
/* get.c: is INO one of the file system's own, which no name leads to? */
bool xfs_scrub_is_internal(const struct xfs_sb *sb, u64 ino);
/* get.c: SC's inode, referenced, and its volume. -ENOENT: there is no such one; -EUCLEAN. */
int xfs_scrub_get_inode(struct xfs_scrub *sc, struct file *file);
void xfs_scrub_put_inode(struct xfs_scrub *sc);
/* get.c: SC's volume alone, put as the inode is. */
int xfs_scrub_make_volume(struct xfs_scrub *sc);
/* Is the core as whoever reads an inode of the disk demands, and the forks, too? */
bool xfs_scrub_core_ok(const struct xfs_sb *sb, const struct xfs_core *c);
/* Hints of how many blocks to allocate: FLAG: there is one. */
bool xfs_scrub_hint_ok(const struct xfs_sb *sb, u32 hint, bool flag);
/*
 * The headers of an AG are locked, while nothing is pending for it, for cross-references of an
 * inode's blocks. -EUCLEAN: they are damaged; -EDEADLK, -EINTR, -EIO. Undone in any case.
 */
int xfs_scrub_lock_ag(struct xfs_scrub *sc, u32 agno);
/* The AGI alone, also while something is pending. */
int xfs_scrub_lock_agi(struct xfs_scrub *sc, u32 agno);
void xfs_scrub_unlock_ag(struct xfs_scrub *sc);

/* ---- fork.c ---- */

struct xfs_scrub_fork {
	bool attr;
	/* NULL: as it is there. 0, or what ends the walk. */
	int (*ext)(struct xfs_scrub *sc, const struct xfs_ext *x, void *ctx);
	int (*block)(struct xfs_scrub *sc, u64 fsb, void *ctx);
	void *ctx;
	u64 exts, blocks;		/* out: extents; blocks of all extents and of the tree */
};
/*
 * All extents and blocks of a fork, in their order. -EUCLEAN: the fork is damaged; other errors as
 * those of xfs_scrub_walk().
 */
int xfs_scrub_walk_fork(struct xfs_scrub *sc, struct xfs_scrub_fork *f);

/* ---- da.c ---- */

struct xfs_scrub_da {
	bool attr;			/* of attributes; else of a directory */
	/* A verified leaf, in order; LIMIT: its last hash by the node above. 0, or what ends it. */
	int (*leaf)(struct xfs_scrub *sc, const void *p, const u32 *limit, void *ctx);
	void *ctx;
};
/*
 * The tree of hashes in the blocks of a fork. -EUCLEAN: it is damaged; -ENOENT: there is none, as
 * in a directory of one block.
 */
int xfs_scrub_walk_da(struct xfs_scrub *sc, const struct xfs_scrub_da *d);
/* A block of SC's directory, or of its attributes, verified as KIND: xfs_get_mapped(). */
int xfs_scrub_da_block(struct xfs_scrub *sc, bool attr, enum xfs_kind kind, u32 off,
		       struct xfs_blk *out);

/* ---- tree.c ---- */

/* A block of SC's file system, verified as KIND. -EDEADLK: somebody keeps it locked. */
int xfs_scrub_get_block(struct xfs_scrub *sc, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
			struct xfs_blk *out);

struct xfs_scrub_tree {
	enum xfs_bt kind;
	/* NULL: as it is in the header. 0, or what ends the walk. */
	int (*rec)(struct xfs_scrub *sc, const struct xfs_bt_rec *r, void *ctx);
	int (*block)(struct xfs_scrub *sc, u32 agb, void *ctx);
	void *ctx;
	u32 from, last;			/* only records that have some of these numbers */
	/* Of the tree by length, where LAST is not the highest number: the extent's key. */
	struct xfs_bt_key key;
	bool check;			/* of the structure: what is wrong is CORRUPT */
	u64 blocks;			/* out: that were visited */
};
/*
 * All records and blocks of a tree of SC's AG, in their order. What is wrong ends it: -EUCLEAN, or
 * where it is to CHECK CORRUPT and 0. Other errors: -EIO, -EINTR, -EDEADLK.
 */
int xfs_scrub_walk(struct xfs_scrub *sc, struct xfs_scrub_tree *t);
/*
 * Blocks that are looked up when the walk has ended: of the trees that look-ups need. Zeroes; to be
 * given to xfs_scrub_each_later() in any case, which frees them.
 */
#define XFS_SCRUB_LATER 500u
struct xfs_scrub_later {
	struct xfs_scrub_later *next;
	u32 n, agb[XFS_SCRUB_LATER];
};
int xfs_scrub_add_later(struct xfs_scrub_later **l, u32 agb);
void xfs_scrub_each_later(struct xfs_scrub *sc, struct xfs_scrub_later *l,
			  void (*fn)(struct xfs_scrub *sc, u32 agb));
/* Does the file system have such trees? */
bool xfs_scrub_has(const struct xfs_scrub *sc, enum xfs_bt kind);

/* ---- xref.c: cross-references, which say XCORRUPT, or XFAIL where a tree cannot be read ---- */

/* The headers are locked: trees that are known to be sick are left out: XFAIL. */
void xfs_scrub_xref_begin(struct xfs_scrub *sc);
bool xfs_scrub_can(const struct xfs_scrub *sc, enum xfs_bt kind);
/* E came of walking KIND: true: all was there. */
bool xfs_scrub_xref_ok(struct xfs_scrub *sc, enum xfs_bt kind, int e);
/* LEN blocks from AGB on: none is free; none is, or all are, of inodes; nobody has them. */
void xfs_scrub_used(struct xfs_scrub *sc, u32 agb, u32 len);
void xfs_scrub_no_inodes(struct xfs_scrub *sc, u32 agb, u32 len);
void xfs_scrub_inodes(struct xfs_scrub *sc, u32 agb, u32 len);
void xfs_scrub_no_owner(struct xfs_scrub *sc, u32 agb, u32 len);
/* OWNER, not a file, has them all; and, ALONE, nobody else. */
void xfs_scrub_owned(struct xfs_scrub *sc, u32 agb, u32 len, u64 owner, bool alone);
/* No file shares them; they are not staged. */
void xfs_scrub_not_shared(struct xfs_scrub *sc, u32 agb, u32 len);
void xfs_scrub_not_staged(struct xfs_scrub *sc, u32 agb, u32 len);
/* A file's extent, whose record of the tree of owners is exact; ALONE: nobody else has it. */
void xfs_scrub_owned_by(struct xfs_scrub *sc, u32 agb, u32 len, u64 ino, u64 off, bool alone);
/* The block is of file INO; KIND: XFS_RMAP_* of its record, without the offset. */
void xfs_scrub_has_owner(struct xfs_scrub *sc, u32 agb, u64 ino, u64 kind);
/* Does another file have one of them, as far as it is KNOWN? */
bool xfs_scrub_shared(struct xfs_scrub *sc, u32 agb, u32 len, bool *known);
/* The tree of free inodes does not have this one. */
void xfs_scrub_not_free(struct xfs_scrub *sc, u32 agino);
/* All of them are staged. */
void xfs_scrub_in_staged(struct xfs_scrub *sc, u32 agb, u32 len);
/* Exactly these are staged. */
void xfs_scrub_staged(struct xfs_scrub *sc, u32 agb, u32 len);
/* How many blocks OWNER has. False: it cannot be said. */
bool xfs_scrub_owner_blocks(struct xfs_scrub *sc, u64 owner, u64 *n);
/* How many blocks the tree has. False: it cannot be said. */
bool xfs_scrub_tree_blocks(struct xfs_scrub *sc, enum xfs_bt kind, u64 *n);
/* The record that begins at START, in the tree by length of LEN; false: none, or unknown. */
bool xfs_scrub_find(struct xfs_scrub *sc, enum xfs_bt kind, u32 start, u32 len,
		    struct xfs_bt_rec *out, bool *known);
