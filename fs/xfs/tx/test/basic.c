// SPDX-License-Identifier: MIT
/* memtx over an image: inodes come back to the same bytes, and what is committed is written. */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/tx/test/memtx_priv.h"

struct piece {
	struct xfs_work w;
	struct xfs_ino *ip;
	u32 left;
};

static u32 *order_at, order[16];

static struct xfs_intent *piece_begin(struct xfs_tx *tx, const struct list_head *list, int *e)
{
	(void)tx;
	(void)list;
	*e = 0;
	return NULL;
}

static void piece_free(struct xfs_work *w)
{
	free(w);
}

static int piece_finish(struct xfs_tx *tx, struct xfs_work *w);
static const struct xfs_work_ops piece_ops = {
	2, piece_begin, NULL, piece_finish, piece_free, NULL
};

static void queue(struct xfs_tx *tx, struct xfs_ino *ip, u32 left)
{
	struct piece *p = xfs_mem(sizeof(*p));

	p->ip = ip;
	p->left = left;
	xfs_defer(tx, &p->w, &piece_ops);
}

/* Counts down with rolls between; one with 3 left queues another. */
static int piece_finish(struct xfs_tx *tx, struct xfs_work *w)
{
	struct piece *p = container_of(w, struct piece, w);

	*order_at++ = p->left;
	p->ip->node.core.changecount++;
	xfs_tx_inode(tx, p->ip, XFS_LI_CORE);
	if (p->left == 3)
		queue(tx, p->ip, 10);
	return p->left && p->left-- < 10 ? -EAGAIN : 0;
}

/* Each inode of the image's mapping, encoded again, is what it was. */
static u32 same_bytes(struct memtx *m)
{
	const struct xfs_sb *sb = &m->fs.vol.sb;
	u64 blocks = sb->dblocks;
	u32 seen = 0;

	for (u64 b = 0; b < blocks; b++)
		for (u32 i = 0; i < 1u << sb->inopblog; i++) {
			u8 *p = m->map + (b << sb->blocklog) + ((u64)i << sb->inodelog), q[2048];
			u64 ino = xfs_ino_make(sb, (u32)(b / sb->agblocks),
					       ((u32)(b % sb->agblocks) << sb->inopblog) + i);
			struct xfs_core c, again;
			struct xfs_fault f;
			int e;

			if (p[0] != 'I' || p[1] != 'N')
				continue;
			e = xfs_inode_decode(sb, ino, p, &c, &f);
			assert(!e || e == -ESTALE);
			memcpy(q, p, sb->inodesize);
			xfs_inode_encode(sb, &c, p + sizeof(struct xfs_dinode), q);
			assert(!memcmp(p, q, sb->inodesize));
			e = xfs_inode_decode(sb, ino, q, &again, &f);
			assert((!e || e == -ESTALE) && !memcmp(&c, &again, sizeof(c)));
			seen++;
		}
	return seen;
}

static void change(struct xfs_fs *fs)
{
	struct xfs_ino *root = memtx_iget(fs, fs->vol.sb.rootino);
	const u32 want[] = { 1, 0, 3, 10, 2, 1, 0, 5, 4, 3, 10, 2, 1, 0 };
	struct xfs_tx *tx = memtx_begin(fs, 0, "defer");
	u64 before;

	assert(root && root->node.core.ino == fs->vol.sb.rootino && tx);
	before = root->node.core.changecount;
	order_at = order;
	queue(tx, root, 1);
	queue(tx, root, 3);
	queue(tx, root, 5);
	memtx_commit(tx);
	assert(order_at - order == 14 && !memcmp(order, want, sizeof(want)));
	assert(root->node.core.changecount == before + 14);
	assert(!memtx_begin(fs, (u32)memtx_free(fs) + 1, "too much"));
	tx = memtx_begin(fs, 5, "nothing");
	memtx_cancel(tx);
	memtx_sync(fs);
}

int main(int argc, char **argv)
{
	struct xfs_fs *fs = memtx_open(argv[argc - 1]);
	u32 n = same_bytes((struct memtx *)fs);
	u64 count;

	change(fs);
	count = memtx_iget(fs, fs->vol.sb.rootino)->node.core.changecount;
	memtx_close(fs);
	fs = memtx_open(argv[argc - 1]);
	assert(memtx_iget(fs, fs->vol.sb.rootino)->node.core.changecount == count);
	memtx_close(fs);
	printf("%u inodes\n", n);
	return 0;
}
