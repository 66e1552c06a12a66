/* SPDX-License-Identifier: MIT */
/*
 * Ways through a file system, for the kernel and for programs: from an offset to an extent, from a
 * name to an inode, over a directory, over attributes.
 *
 * A volume gives blocks that were verified as the kind that is asked for, and keeps them until they
 * are put. What a block says of its place in a tree (owner, level, block numbers of the fork) is
 * checked here, on the way. Every walk ends: levels descend, offsets ascend, and chains of leaves
 * are watched for loops. All functions return 0 or -errno; -EUCLEAN: the file system is damaged,
 * report() was told where, and sick() what of it.
 */
#pragma once

#include "fs/xfs/format/attr.h"
#include "fs/xfs/format/dir.h"
#include "fs/xfs/format/inode.h"
#include "fs/xfs/format/sick.h"

enum xfs_kind {
	XFS_BLK_BT,			/* plus an enum xfs_bt */
	XFS_BLK_BMBT = XFS_BT_KINDS,
	XFS_BLK_DIR_DATA,
	XFS_BLK_DIR_HASH,
	XFS_BLK_DIR_FREE,
	XFS_BLK_ATTR,
	XFS_BLK_ATTR_RMT,
	XFS_BLK_SYMLINK,
	XFS_BLK_INODES, /*
			 * A cluster, xfs_cluster_of(); not verified: each inode
			 * is when it is decoded.
			 */
	XFS_BLK_AGF,			/* one sector each */
	XFS_BLK_AGI,
	XFS_BLK_AGFL,
	XFS_BLK_SB,
};

/* A run of 512-byte units. */
struct xfs_run {
	u64 daddr;
	u32 bbs;
};
#define XFS_MAX_RUNS 64			/* the largest directory block in the smallest blocks */

struct xfs_blk {
	const void *data;
	void *ref;			/* the volume's */
};

struct xfs_vol {
	struct xfs_sb sb;
	/* The block that the N runs make, verified as KIND. */
	int (*get)(struct xfs_vol *v, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
		   struct xfs_blk *out);
	void (*put)(struct xfs_vol *v, struct xfs_blk *b);
	void (*report)(struct xfs_vol *v, const struct xfs_fault *f);
	/*
	 * What is damaged, once for each time that it is met; of blocks of an AG get() itself
	 * says so. NULL: nobody remembers it. May be called with any locks but spinning ones held.
	 */
	void (*sick)(struct xfs_vol *v, const struct xfs_sick *s);
	/* Asked now and then: true: give up with -EINTR. */
	bool (*stop)(struct xfs_vol *v);
};

static inline void xfs_vol_sick(struct xfs_vol *v, enum xfs_domain domain, u64 who, u32 gen,
				u32 mask)
{
	struct xfs_sick s = { domain, mask, who, gen };

	if (v->sick)
		v->sick(v, &s);
}

static inline void xfs_sick_ag(struct xfs_vol *v, u32 agno, u32 mask)
{
	xfs_vol_sick(v, XFS_DOMAIN_AG, agno, 0, mask);
}

static inline void xfs_sick_ino(struct xfs_vol *v, const struct xfs_core *c, u32 mask)
{
	xfs_vol_sick(v, XFS_DOMAIN_INO, c->ino, c->gen, mask);
}

/* E, what came of something that the inode has: if it is damage, MASK of the inode is sick. */
static inline int xfs_sick_if(struct xfs_vol *v, int e, const struct xfs_core *c, u32 mask)
{
	if (e == -XFS_CORRUPT || e == -XFS_BAD_CRC)
		xfs_sick_ino(v, c, mask);
	return e;
}

/* What of an AG a block of KIND is; 0: it is no AG's. */
u32 xfs_sick_of_kind(enum xfs_kind kind);
/* A block of KIND at DADDR is damaged: a volume's get() says so. */
void xfs_sick_block(struct xfs_vol *v, enum xfs_kind kind, u64 daddr);

/* For a volume's get(): verifies LEN bytes that were read from DADDR. */
int xfs_verify(const struct xfs_sb *sb, enum xfs_kind kind, u64 daddr, const void *p, u32 len,
	       struct xfs_fault *f);

/* An inode in memory: its core and the bytes behind it. */
struct xfs_node {
	struct xfs_core core;
	const u8 *literal;		/* xfs_literal_size() bytes */
};

/* Reads inode INO; LITERAL becomes the copy that N->literal points to. -ESTALE: it is free. */
int xfs_node_read(struct xfs_vol *v, u64 ino, u8 *literal, struct xfs_node *n);

/*
 * Is INO, any number, that of an inode in use, by the tree of its AG? 0, -ESTALE. Of a file system
 * that is written the AGI is locked.
 */
int xfs_ino_in_use(struct xfs_vol *v, u64 ino);

enum xfs_map_type { XFS_MAP_HOLE, XFS_MAP_DATA, XFS_MAP_UNWRITTEN };
struct xfs_map {
	enum xfs_map_type type;
	u64 off, count;			/* blocks */
	u64 fsb;
};
/* The extent or hole of a fork in which block OFF lies. A hole may end before the next extent. */
int xfs_bmap(struct xfs_vol *v, const struct xfs_node *n, bool attr, u64 off, struct xfs_map *out);

/*
 * COUNT blocks of a fork from OFF on as one block, verified as KIND; its owner is not. -ENOENT: OFF
 * is in a hole.
 */
int xfs_get_mapped(struct xfs_vol *v, const struct xfs_node *n, bool attr, enum xfs_kind kind,
		   u64 off, u32 count, struct xfs_blk *out);

/* The entry called NAME: -ENOENT. */
int xfs_dir_lookup(struct xfs_vol *v, const struct xfs_node *dir, const u8 *name, u32 len, u64 *ino,
		   u8 *ftype);
/*
 * Entries from *COOKIE on, "." and ".." among them, until EMIT says false; then *COOKIE is that
 * entry's, at the end the one behind the last.
 */
typedef bool (*xfs_dir_emit)(void *ctx, const struct xfs_dirent *e);
int xfs_dir_walk(struct xfs_vol *v, const struct xfs_node *dir, u32 *cookie, xfs_dir_emit emit,
		 void *ctx);

/*
 * The value of an attribute of a name space (XFS_ATTR_SPACE bits) into BUF; its length; SIZE 0:
 * only that. -ENODATA, -ERANGE.
 */
long xfs_attr_get(struct xfs_vol *v, const struct xfs_node *n, const u8 *name, u32 len, u8 space,
		  void *buf, size_t size);
/* All attributes that are complete; FN returns false to end it. */
typedef bool (*xfs_attr_fn)(void *ctx, const struct xfs_attr *a);
int xfs_attr_walk(struct xfs_vol *v, const struct xfs_node *n, xfs_attr_fn fn, void *ctx);
/* The same from hash HASH on, in that order, where they lie in blocks; in the inode all, in any. */
int xfs_attr_walk_from(struct xfs_vol *v, const struct xfs_node *n, u32 hash, xfs_attr_fn fn,
		       void *ctx);
/* The value of A, found by xfs_attr_walk(), A->valuelen bytes. */
int xfs_attr_value(struct xfs_vol *v, const struct xfs_node *n, const struct xfs_attr *a, u8 *buf);

/* The target, core.size bytes (at most 1024), into BUF; no byte of it is 0. */
int xfs_symlink_read(struct xfs_vol *v, const struct xfs_node *n, char *buf);
