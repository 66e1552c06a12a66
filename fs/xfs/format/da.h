/* SPDX-License-Identifier: MIT */
/*
 * Trees of hashes: nodes (directories and attributes alike) and a directory's leaves. Blocks of
 * directories have sb->dirblksize bytes, of attributes a block's; numbers of blocks ("dablk") are
 * the fork's, in file-system blocks.
 */
#pragma once

#include "fs/xfs/format/sb.h"

#define XFS_DA_MAXLEVELS 5

/* The name's hash. */
u32 xfs_da_hash(const u8 *name, u32 len);

static inline u32 xfs_da_magic(const void *p)
{
	return be16_get(((const struct xfs_dda *)p)->magic);
}

static inline u64 xfs_da_owner(const void *p)
{
	return be64_get(((const struct xfs_dda *)p)->owner);
}

static inline u32 xfs_da_forw(const void *p)
{
	return be32_get(((const struct xfs_dda *)p)->forw);
}

/* A block of LEN bytes of a directory (a node or a leaf), of attributes (a node or a leaf). */
int xfs_da_dir_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f);
int xfs_da_attr_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f);
/* For those verifiers: what every block has. */
int xfs_da_check(const struct xfs_sb *sb, u64 daddr, const void *p, u32 len, const char *what,
		 struct xfs_fault *f);
int xfs_da_node_check(u64 daddr, const void *p, u32 len, struct xfs_fault *f);

/*
 * A verified node: its level (1: leaves are below), where a hash lies (the first child whose last
 * hash is not below HASH; the last one where all are).
 */
static inline u32 xfs_da_level(const void *p)
{
	return be16_get(((const struct xfs_dda_node *)p)->level);
}

static inline u32 xfs_da_count(const void *p)
{
	return be16_get(((const struct xfs_dda_node *)p)->count);
}

static inline const struct xfs_dda_ent *xfs_da_ents(const void *p)
{
	return (const void *)((const struct xfs_dda_node *)p + 1);
}

u32 xfs_da_child(const void *p, u32 hash);

/* A verified leaf of a directory. */
static inline u32 xfs_dir_leaf_count(const void *p)
{
	return be16_get(((const struct xfs_ddir_leaf *)p)->count);
}

static inline const struct xfs_ddir_ent *xfs_dir_leaf_ents(const void *p)
{
	return (const void *)((const struct xfs_ddir_leaf *)p + 1);
}

/* The first of N sorted entries whose hash is not below HASH; N: all are. */
u32 xfs_dir_hash_find(const struct xfs_ddir_ent *e, u32 n, u32 hash);
