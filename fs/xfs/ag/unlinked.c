// SPDX-License-Identifier: MIT
/*
 * Lists of inodes without a name (ialloc.h). The head is in the AGI; each inode's block has the
 * number of the next one, which is logged with the block and not with the inode. The number of the
 * one before is known in memory, so that an inode leaves without a walk; recovery, which knows
 * none, takes the first of a list alone.
 */
#include "fs/xfs/ag/ialloc_priv.h"

/* IP's number of the next becomes NEXT, on the disk too. */
static int set_next(struct xfs_tx *tx, struct xfs_ino *ip, u32 next)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u64 ino = ip->node.core.ino;
	struct xfs_dinode *d;
	struct xfs_txbuf *b;
	u32 blocks, at;
	u64 fsb = xfs_cluster_of(sb, ino, &blocks, &at);
	int e = xfs_tx_get(tx, XFS_BLK_INODES, xfs_fsb_daddr(sb, fsb), blocks << (sb->blocklog - 9),
			   0, &b);

	if (e)
		return e;
	d = (struct xfs_dinode *)(b->data + at);
	if (be16_get(d->magic) != XFS_DI_MAGIC ||
	    be32_get(d->next_unlinked) != ip->node.core.next_unlinked)
		return xfs_tx_bad_ino(tx, ip, XFS_SICK_INO_CORE, "inode", "next_unlinked",
				      be32_get(d->next_unlinked));
	d->next_unlinked = be32_make(next);
	xfs_tx_log(tx, b, at + offsetof(struct xfs_dinode, next_unlinked), 4);
	ip->node.core.next_unlinked = next;
	return 0;
}

static void log_head(struct xfs_tx *tx, struct xfs_txbuf *agi, u32 bucket)
{
	xfs_tx_log(tx, agi, offsetof(struct xfs_dagi, unlinked) + bucket * 4, 4);
}

/* The inode of AG AGNO with this number tells what is before it. */
static void set_prev(struct xfs_tx *tx, u32 agno, u32 agino, u32 prev)
{
	struct xfs_ino *next;

	if (agino == XFS_NULL32)
		return;
	next = xfs_ino_in_memory(tx->fs, xfs_ino_make(&tx->fs->vol.sb, agno, agino));
	if (next)
		next->prev_unlinked = prev;
}

int xfs_unlinked_add(struct xfs_tx *tx, struct xfs_ino *ip)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 agno = xfs_ino_ag(sb, ip->node.core.ino), agino = xfs_ino_agino(sb, ip->node.core.ino);
	u32 bucket = agino % XFS_AGI_BUCKETS, head;
	struct xfs_txbuf *agi;
	struct xfs_dagi *d;
	int e = xfs_ag_agi(tx, agno, 0, &agi);

	if (e)
		return e;
	d = (struct xfs_dagi *)agi->data;
	head = be32_get(d->unlinked[bucket]);
	if (head == agino || (head != XFS_NULL32 && !xfs_agino_ok(sb, agno, head)))
		return xfs_tx_bad_ag(tx, agno, XFS_SICK_AG_AGI, "AGI", "unlinked", agno, head);
	if (head != XFS_NULL32) {
		e = set_next(tx, ip, head);
		if (e)
			return e;
		set_prev(tx, agno, head, agino);
	}
	ip->prev_unlinked = XFS_NULL32;
	d->unlinked[bucket] = be32_make(agino);
	log_head(tx, agi, bucket);
	return 0;
}

int xfs_unlinked_remove(struct xfs_tx *tx, struct xfs_ino *ip)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 agno = xfs_ino_ag(sb, ip->node.core.ino), agino = xfs_ino_agino(sb, ip->node.core.ino);
	u32 bucket = agino % XFS_AGI_BUCKETS, next = ip->node.core.next_unlinked, prev;
	struct xfs_ino *before;
	struct xfs_txbuf *agi;
	struct xfs_dagi *d;
	int e = xfs_ag_agi(tx, agno, 0, &agi);

	if (e)
		return e;
	d = (struct xfs_dagi *)agi->data;
	prev = ip->prev_unlinked;
	if (be32_get(d->unlinked[bucket]) == agino) {
		d->unlinked[bucket] = be32_make(next);
		log_head(tx, agi, bucket);
	} else {
		before = prev == XFS_NULL32 ?
				 NULL :
				 xfs_ino_in_memory(tx->fs, xfs_ino_make(sb, agno, prev));
		if (!before || before->node.core.next_unlinked != agino)
			return xfs_tx_bad_ag(tx, agno, XFS_SICK_AG_AGI, "inode",
					     "place in the unlinked list", ip->node.core.ino, prev);
		e = set_next(tx, before, next);
	}
	set_prev(tx, agno, next, prev);
	ip->prev_unlinked = XFS_NULL32;
	if (!e && next != XFS_NULL32)
		e = set_next(tx, ip, XFS_NULL32);
	return e;
}
