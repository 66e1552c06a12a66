/* SPDX-License-Identifier: MIT */
/* Files with names, for tests over images: as a mounted file system makes and removes them. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/ag/intents.h"
#include "fs/xfs/bmap/exchange.h"
#include "fs/xfs/bmap/later.h"
#include "fs/xfs/bmap/reflink.h"
#include "fs/xfs/dirent/dirent.h"
#include "fs/xfs/tx/test/memtx_priv.h"
#include "fs/xfs/xattr/xattr.h"

static inline bool with_parents(const struct xfs_fs *fs)
{
	return fs->vol.sb.incompat & XFS_IN_PARENT;
}

/* One entry more or less. */
static inline void count_links(struct xfs_tx *tx, struct xfs_ino *ip, int by)
{
	ip->node.core.nlink += (u32)by;
	ip->node.core.changecount++;
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
}

static inline u32 link_room(struct xfs_tx *tx, const struct xfs_ino *dp, u32 len)
{
	const struct xfs_sb *sb = &dp->fs->vol.sb;

	return xfs_dirent_room(tx, dp, len) +
	       (sb->incompat & XFS_IN_PARENT ? xfs_xattr_room(sb, 12) : 0);
}

static inline void add_name(struct xfs_tx *tx, struct xfs_ino *dp, const char *name,
			    struct xfs_ino *ip)
{
	const u8 *n = (const u8 *)name;
	u32 len = (u32)strlen(name);

	assert(!xfs_dirent_add(tx, dp, n, len, ip->node.core.ino,
			       (ip->node.core.mode & 0170000) == 0040000 ? 2 : 1));
	if (with_parents(dp->fs))
		assert(!xfs_parent_add(tx, ip, dp->node.core.ino, dp->node.core.gen, n, len));
	count_links(tx, ip, 1);
}

static inline void remove_name(struct xfs_tx *tx, struct xfs_ino *dp, const char *name,
			       struct xfs_ino *ip)
{
	const u8 *n = (const u8 *)name;
	u32 len = (u32)strlen(name);

	assert(!xfs_dirent_remove(tx, dp, n, len, ip->node.core.ino));
	if (with_parents(dp->fs))
		assert(!xfs_parent_remove(tx, ip, dp->node.core.ino, dp->node.core.gen, n, len));
	count_links(tx, ip, -1);
}

/* A new file in DP, or a directory; NULL: there is no space. */
static inline struct xfs_ino *make_file(struct xfs_fs *fs, struct xfs_ino *dp, const char *name,
					u64 size, bool dir)
{
	struct xfs_tx *tx = memtx_begin(fs, xfs_ialloc_room(&fs->vol.sb) + 400, "create");
	struct xfs_ino *ip;
	u64 ino;
	int e;

	if (!tx)
		return NULL;
	e = xfs_ialloc(tx, dp->node.core.ino, dir, &ino);
	assert(!e || (e == -ENOSPC && !tx->dirty));
	if (e) {
		memtx_cancel(tx);
		return NULL;
	}
	ip = memtx_iget(fs, ino);
	assert(ip && !ip->node.core.mode);
	xfs_ino_init(tx, ip, ino,
		     &(struct xfs_new){ .mode = dir ? 0040755 : 0100644,
					.now = { 1700000000, 5 } });
	if (dir) {
		xfs_dirent_init(tx, ip, dp->node.core.ino);
		count_links(tx, ip, 1);
		count_links(tx, dp, 1);
	} else {
		ip->node.core.size = size;
	}
	assert(tx->blocks >= link_room(tx, dp, (u32)strlen(name)));
	add_name(tx, dp, name, ip);
	memtx_commit(tx);
	return ip;
}

/* Unmaps what there is of COUNT blocks from OFF on, a few extents a transaction. */
static inline void unmap_all(struct xfs_fs *fs, struct xfs_ino *ip, bool attr, u64 off, u64 count)
{
	u64 left = count;

	while (left) {
		struct xfs_tx *tx = memtx_begin(fs, xfs_bmap_tree_room(&fs->vol.sb, attr), "unmap");

		assert(tx);
		assert(!xfs_bmap_unmap(tx, ip, attr, off + count - left, left, 2, &left));
		memtx_commit(tx);
	}
}

/* IP has no name any more: it is freed. */
static inline void free_file(struct xfs_fs *fs, struct xfs_ino *ip)
{
	struct xfs_tx *tx;
	bool gone;

	if (ip->node.core.format != XFS_FMT_LOCAL)
		unmap_all(fs, ip, false, 0, XFS_OFF_MAX);
	if (ip->node.core.forkoff && ip->node.core.aformat != XFS_FMT_LOCAL)
		unmap_all(fs, ip, true, 0, 1ull << 32);
	tx = memtx_begin(fs, 0, "free inode");
	assert(!xfs_unlinked_remove(tx, ip));
	ip->node.core.mode = 0;
	ip->node.core.size = 0;
	ip->node.core.forkoff = 0;
	ip->node.core.format = ip->node.core.aformat = XFS_FMT_EXTENTS;
	ip->node.core.flags = 0;
	ip->node.core.flags2 &= XFS_DIFLAG2_BIGTIME | XFS_DIFLAG2_NREXT64;
	ip->node.core.gen++;
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
	assert(!xfs_ifree(tx, ip->node.core.ino, false, &gone));
	memtx_commit(tx);
}

/* The last name of IP goes, and IP. */
static inline void unlink_file(struct xfs_fs *fs, struct xfs_ino *dp, const char *name,
			       struct xfs_ino *ip)
{
	struct xfs_tx *tx = memtx_begin(fs, 400, "unlink");
	bool dir = (ip->node.core.mode & 0170000) == 0040000;

	assert(tx);
	remove_name(tx, dp, name, ip);
	if (dir) {
		count_links(tx, ip, -1);
		count_links(tx, dp, -1);
	}
	if (!ip->node.core.nlink)
		assert(!xfs_unlinked_add(tx, ip));
	memtx_commit(tx);
	if (!ip->node.core.nlink)
		free_file(fs, ip);
}

/* ---- recovery, as a mount does it ---- */

/* What a piece asked for, of the second pass. */
struct put_off {
	struct put_off *next;
	struct list_head work;
	struct xfs_ino *ip[2];		/* an exchange's */
	struct xfs_lexch x;
};
static struct put_off *first_off, **last_off = &first_off;

static inline int recover_exchange(struct xfs_tx *tx, struct put_off *p, const struct xfs_litem *it)
{
	struct xfs_fault f;
	int e;

	assert(!xfs_lexch_get(&tx->fs->vol.sb, it, 0, &p->x, &f));
	for (u32 i = 0; i < 2; i++)
		p->ip[i] = memtx_iget(tx->fs, p->x.ino[i]);
	e = xfs_exchange_check(tx, p->ip, &p->x);
	return e ? e : xfs_exchange_later(tx, p->ip, &p->x);
}

/* The first pass, as super/begun.c does it. */
static inline int recover_one(void *ctx, const struct xfs_litem *it)
{
	struct xfs_fs *fs = ctx;
	struct xfs_tx *tx = memtx_begin(fs, xfs_bmap_remap_room(&fs->vol.sb), "recover");
	const struct xfs_work_ops *ops = it->type == XFS_LI_EFI ? &xfs_free_ops :
					 it->type == XFS_LI_RUI ? &xfs_rmap_ops :
					 it->type == XFS_LI_CUI ? &xfs_refcount_ops :
								  NULL;
	struct put_off *p = calloc(1, sizeof(*p));
	int e;

	assert(tx && (ops || it->type == XFS_LI_BUI || it->type == XFS_LI_XMI));
	INIT_LIST_HEAD(&p->work);
	*last_off = p;
	last_off = &p->next;
	if (ops)
		e = ops->recover(tx, it);
	else if (it->type == XFS_LI_XMI)
		e = recover_exchange(tx, p, it);
	else
		e = xfs_bmap_recover(tx, memtx_iget(fs, xfs_bmap_intent_ino(it)), it);
	if (!e)
		e = ops ? xfs_defer_once(tx, &p->work) : xfs_defer_put_off(tx, &p->work);
	if (e)
		memtx_cancel_dirty(tx);
	else
		memtx_commit(tx);
	return e;
}

static inline void recover_rest(struct xfs_fs *fs)
{
	struct put_off *p;

	while ((p = first_off)) {
		u32 blocks = 0;
		struct xfs_tx *tx;

		if (p->ip[0])
			assert(!xfs_exchange_room(p->ip, &p->x, &blocks));
		tx = memtx_begin(fs, blocks, "recover rest");
		assert(tx);
		tx->refill = p->ip[0];
		assert(!xfs_defer_go_on(tx, &p->work));
		memtx_commit(tx);
		first_off = p->next;
		free(p);
	}
	last_off = &first_off;
}

/* Inodes that the lists of AG AGNO have are freed; how many. */
static inline u32 free_unlinked(struct xfs_fs *fs, u32 agno)
{
	u32 n = 0;

	for (u32 i = 0; i < XFS_AGI_BUCKETS; i++)
		for (;;) {
			struct xfs_tx *tx = memtx_begin(fs, 0, "look");
			struct xfs_txbuf *b;
			u32 agino;

			assert(!xfs_ag_agi(tx, agno, 0, &b));
			agino = be32_get(((struct xfs_dagi *)(void *)b->data)->unlinked[i]);
			memtx_cancel(tx);
			if (agino == XFS_NULL32)
				break;
			free_file(fs, memtx_iget(fs, xfs_ino_make(&fs->vol.sb, agno, agino)));
			n++;
		}
	return n;
}

/* All that recovery does behind the log's; PATH: as memtx_cut() had it. */
static inline void recover(struct xfs_fs *fs, const char *path)
{
	int n = memtx_intents(path, recover_one, fs);
	u32 files = 0, staged = 0;

	assert(n > 0);
	recover_rest(fs);
	for (u32 i = 0; i < fs->vol.sb.agcount; i++) {
		bool more = true;

		files += free_unlinked(fs, i);
		while (more) {
			struct xfs_tx *tx = memtx_begin(fs, 0, "recover staged");

			assert(!xfs_cow_cancel_some(tx, i, &more));
			staged += more;
			if (more)
				memtx_commit(tx);
			else
				memtx_cancel(tx);
		}
	}
	printf("recovered: intents %d, files %u, staged %u\n", n, files, staged);
}
