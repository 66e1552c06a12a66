// SPDX-License-Identifier: MIT
/*
 * The table of inodes (inode.h). An inode's reference count is taken up only while it is not 0, so
 * that one that goes is not found. A lookup then reads the inode again, and finds all of it in its
 * block, as nothing of it was only in memory.
 *
 * Inodes in unlinked lists point to one another by number (ag/unlinked.c). They are asked for with
 * the AGI locked, and get no reference. LISTED, which changes with the AGI locked too, says that
 * one may be in a list: it comes there with the VFS's inode in memory, whose eviction takes it out
 * of the list before it drops its reference. Where that fails the inode stays until the end of the
 * mount (xfs_lino_park()).
 */
#include "fs/xfs/inode/priv.h"
#include <alloc/slab.h>
#include <lib/hash.h>

DEFINE_GHASH(linos, 8);			/* of all mounts */
static DECLARE_WAIT_QUEUE_HEAD(all_gone);

static struct xfs_mount *mount_of(const struct xfs_lino *li)
{
	return container_of(li->ip.fs, struct xfs_mount, fs);
}

static u32 hash_of(const struct xfs_mount *mp, u64 ino)
{
	return hash_64((unsigned long)mp ^ ino * GOLDEN_RATIO_64, 32);
}

/* ---- memory ---- */

/* Behind an inode lies its literal area: for what mkfs.xfs makes by default there is a cache. */
#define LITERAL (512u - (u32)sizeof(struct xfs_dinode))

static struct kmem_cache *lino_cache __ro_after_init;

int xfs_lino_cache_init(void)
{
	lino_cache = kmem_cache_create("xfs_lino", sizeof(struct xfs_lino) + LITERAL,
				       __alignof__(struct xfs_lino),
				       SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, NULL);
	return lino_cache ? 0 : -ENOMEM;
}

static struct xfs_lino *alloc_lino(const struct xfs_mount *mp, gfp_t gfp)
{
	u32 literal = xfs_literal_size(&mp->fs.vol.sb);

	if (literal == LITERAL)
		return kmem_cache_zalloc(lino_cache, gfp);
	return kzalloc(sizeof(struct xfs_lino) + literal, gfp);
}

static void free_lino(struct xfs_lino *li)
{
	struct xfs_mount *mp = mount_of(li);

	if (xfs_literal_size(&mp->fs.vol.sb) == LITERAL)
		kmem_cache_free(lino_cache, li);
	else
		kfree(li);
	/* MP may go as soon as the count is 0: the queue is no mount's. */
	if (atomic_dec_and_test(&mp->linos))
		wake_up_all(&all_gone);
}

static void gone(struct xfs_lino *li)
{
	ghash_del(&linos, &li->node);
	free_lino(li);
}

/* The bucket is locked. */
static struct xfs_lino *find(unsigned long *bucket, struct xfs_mount *mp, u64 ino, u32 hash)
{
	struct xfs_lino *li;

	ghash_for_each(li, bucket, hash, node)
		if (li->ip.fs == &mp->fs && li->ip.node.core.ino == ino)
			return li;
	return NULL;
}

static struct xfs_lino *find_and_get(unsigned long *bucket, struct xfs_mount *mp, u64 ino, u32 hash)
{
	struct xfs_lino *li;

	/* One that goes may stand beside the one that came after it. */
	ghash_for_each(li, bucket, hash, node)
		if (li->ip.fs == &mp->fs && li->ip.node.core.ino == ino && xfs_lino_try_get(li))
			return li;
	return NULL;
}

static struct xfs_lino *look_up(struct xfs_mount *mp, u64 ino)
{
	u32 hash = hash_of(mp, ino);
	unsigned long *bucket = ghash_lock(&linos, hash);
	struct xfs_lino *li = find_and_get(bucket, mp, ino, hash);

	ghash_unlock(bucket);
	return li;
}

/* NEW comes into the table, unless there is one. */
static struct xfs_lino *add(struct xfs_mount *mp, struct xfs_lino *new)
{
	u64 ino = new->ip.node.core.ino;
	u32 hash = hash_of(mp, ino);
	struct xfs_lino *old;
	unsigned long *bucket;

	ghash_reserve(&linos);
	bucket = ghash_lock(&linos, hash);
	old = find_and_get(bucket, mp, ino, hash);
	if (!old)
		ghash_add(&linos, bucket, &new->node, hash);
	ghash_unlock(bucket);
	if (!old)
		return new;
	free_lino(new);
	return old;
}

/* From the disk; in no table. FREE: it is free; else that is -ESTALE. */
static struct xfs_lino *read_lino(struct xfs_mount *mp, u64 ino, bool free)
{
	/* A transaction that has logged something cannot do without. */
	struct xfs_lino *li = alloc_lino(mp, GFP_KERNEL_ACCOUNT | (free ? __GFP_NOFAIL : 0));
	int e;

	if (!li)
		return ERR_PTR(-ENOMEM);
	atomic_inc(&mp->linos);
	li->ip.fs = &mp->fs;
	li->ip.prev_unlinked = XFS_NULL32;
	e = xfs_node_read(&mp->fs.vol, ino, (u8 *)(li + 1), &li->ip.node);
	if (e == -ESTALE && free)
		e = 0;
	if (e) {
		free_lino(li);
		return ERR_PTR(xfs_errno(e));
	}
	xfs_lino_init(li, mp->live);
	li->gone = gone;
	atomic_set(&li->refs, 1);
	return li;
}

struct xfs_lino *xfs_lino_adopt(struct xfs_mount *mp, const struct xfs_core *c, const u8 *literal)
{
	struct xfs_lino *li = alloc_lino(mp, GFP_KERNEL_ACCOUNT), *old;
	u32 hash = hash_of(mp, c->ino);
	unsigned long *bucket;

	if (!li)
		return ERR_PTR(-ENOMEM);
	atomic_inc(&mp->linos);
	li->ip.fs = &mp->fs;
	li->ip.prev_unlinked = XFS_NULL32;
	li->ip.node.core = *c;
	li->ip.node.literal = (u8 *)(li + 1);
	memcpy(li + 1, literal, xfs_literal_size(&mp->fs.vol.sb));
	xfs_lino_init(li, mp->live);
	li->gone = gone;
	atomic_set(&li->refs, 1);
	down_write(&li->lock);
	ghash_reserve(&linos);
	bucket = ghash_lock(&linos, hash);
	old = find_and_get(bucket, mp, c->ino, hash);
	if (!old)
		ghash_add(&linos, bucket, &li->node, hash);
	ghash_unlock(bucket);
	if (!old)
		return li;
	up_write(&li->lock);
	free_lino(li);
	xfs_lino_put(old);
	return ERR_PTR(-EDEADLK);
}

static struct xfs_lino *get_lino(struct xfs_mount *mp, u64 ino, bool free)
{
	struct xfs_lino *li = look_up(mp, ino);

	if (li)
		return li;
	li = read_lino(mp, ino, free);
	return IS_ERR(li) ? li : add(mp, li);
}

struct xfs_lino *xfs_lino_get(struct xfs_mount *mp, u64 ino)
{
	struct xfs_lino *li = get_lino(mp, ino, false);
	bool free;

	if (IS_ERR(li))
		return li;
	down_read(&li->lock);
	free = !li->ip.node.core.mode;
	up_read(&li->lock);
	if (!free)
		return li;
	xfs_lino_put(li);
	return ERR_PTR(-ESTALE);
}

struct xfs_lino *xfs_lino_get_free(struct xfs_mount *mp, u64 ino)
{
	return get_lino(mp, ino, true);
}

int xfs_lino_check_free(const struct xfs_lino *li)
{
	const struct xfs_core *c = &li->ip.node.core;
	struct xfs_fault f = { "inode", "mode (it should be free)", c->ino, c->mode };

	if (!c->mode && !li->listed)
		return 0;
	/* As on Linux: the tree said that it is free. */
	xfs_sick_ag(&li->ip.fs->vol, xfs_ino_ag(&li->ip.fs->vol.sb, c->ino), XFS_SICK_AG_INOBT);
	li->ip.fs->vol.report(&li->ip.fs->vol, &f);
	return -XFS_CORRUPT;
}

struct xfs_ino *xfs_ino_in_memory(struct xfs_fs *fs, u64 ino)
{
	struct xfs_mount *mp = container_of(fs, struct xfs_mount, fs);
	u32 hash = hash_of(mp, ino);
	unsigned long *bucket = ghash_lock(&linos, hash);
	struct xfs_lino *li = find(bucket, mp, ino, hash);
	bool stays = li && li->listed;

	ghash_unlock(bucket);
	return stays ? &li->ip : NULL;
}

bool xfs_ino_mode_in_memory(struct xfs_fs *fs, u64 ino, u16 *mode)
{
	struct xfs_mount *mp = container_of(fs, struct xfs_mount, fs);
	u32 hash = hash_of(mp, ino);
	unsigned long *bucket = ghash_lock(&linos, hash);
	struct xfs_lino *li = find(bucket, mp, ino, hash);

	if (li)
		*mode = li->ip.node.core.mode;
	ghash_unlock(bucket);
	return li;
}

/* ---- the mount's end ---- */

void xfs_inodes_begin(struct xfs_mount *mp)
{
	atomic_set(&mp->linos, 0);
	xfs_reserve_of(&mp->fs.vol.sb, mp->res);
}

struct parked {
	struct xfs_mount *mp;
	struct xfs_lino *first;
};

/* One whose last reference is the one that was left behind. */
static void find_parked(struct ghash_node *n, void *arg)
{
	struct xfs_lino *li = container_of(n, struct xfs_lino, node);
	struct parked *p = arg;

	if (!p->first && li->ip.fs == &p->mp->fs && li->parked) {
		li->parked = false;
		p->first = li;
	}
}

void xfs_inodes_end(struct xfs_mount *mp)
{
	struct parked p = { mp, NULL };

	do {
		u64 pos = 0;

		p.first = NULL;
		while (atomic_read(&mp->parked) && !p.first && pos != GHASH_END)
			ghash_walk(&linos, &pos, find_parked, &p);
		if (p.first) {
			atomic_dec(&mp->parked);
			xfs_lino_put(p.first);
		}
	} while (p.first);
	wait_event(all_gone, !atomic_read(&mp->linos));
}

void xfs_lino_park(struct xfs_lino *li)
{
	atomic_inc(&mount_of(li)->parked);
	li->parked = true;
}
