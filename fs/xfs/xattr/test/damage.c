// SPDX-License-Identifier: MIT
/*
 * A directory and the attributes of a file, of which blocks have wrong numbers with checksums that
 * fit: whatever is done with them ends, with an error or without. damage IMAGE SEED NAMES.
 */
#include <stdlib.h>
#include "fs/xfs/da/fork.h"
#include "fs/xfs/xattr/test/links.h"

static struct xfs_fs *fs;
static struct xfs_ino *root, *dp, *file;
static u32 nr, errors, done;

static u32 below(u32 n)
{
	return xfs_random() % n;
}

static void name_of(u32 i, u8 *name, u32 *len)
{
	*len = (u32)sprintf((char *)name, "%u-name", i);
	if (i % 5 == 0)
		for (; *len < 100 + i % 100; ++*len)
			name[*len] = 'x';
}

static int attr(struct xfs_tx *tx, u32 i, bool remove)
{
	static u8 value[3000];
	u8 name[256];
	struct xfs_xattr x = { name, value, 0, i % 7 ? i % 90 : i % 3000, 0 };

	name_of(i, name, &x.len);
	return remove ? xfs_xattr_remove(tx, file, &x) : xfs_xattr_set(tx, file, &x, 0);
}

static int entry(struct xfs_tx *tx, u32 i, u32 what)
{
	u64 ino = file->node.core.ino;
	u8 name[256];
	u32 len;

	name_of(i, name, &len);
	return what == 0 ? xfs_dirent_add(tx, dp, name, len, ino, 1) :
	       what == 1 ? xfs_dirent_remove(tx, dp, name, len, ino) :
			   xfs_dirent_replace(tx, dp, name, len, root->node.core.ino, 2);
}

static struct xfs_tx *begin(void)
{
	const struct xfs_sb *sb = &fs->vol.sb;
	struct xfs_tx *tx = memtx_begin(fs, xfs_xattr_room(sb, 3000) + 300, "change");

	assert(tx);
	return tx;
}

static void fill(void)
{
	for (u32 i = 0; i < nr; i++) {
		struct xfs_tx *tx = begin();

		assert(!entry(tx, i, 0));
		memtx_commit(tx);
		tx = begin();
		assert(!attr(tx, i, false));
		memtx_commit(tx);
	}
}

/* ---- damage ---- */

/* A block of a fork: its address, and what it should be. */
static bool some_block(bool of_attr, u64 *daddr, enum xfs_kind *kind)
{
	const struct xfs_sb *sb = &fs->vol.sb;
	struct xfs_ino *ip = of_attr ? file : dp;
	u64 offs[] = { 0, XFS_DIR_LEAF_START >> sb->blocklog, XFS_DIR_FREE_START >> sb->blocklog };
	u32 region = of_attr ? 0 : below(3);
	struct xfs_map m;
	u64 off;

	off = offs[region] + (below(3) ? below(3) : below(40));
	if (xfs_bmap(&fs->vol, &ip->node, of_attr, off, &m) || m.type != XFS_MAP_DATA)
		return false;
	*daddr = xfs_fsb_daddr(sb, m.fsb + (off - m.off));
	*kind = of_attr	    ? XFS_BLK_ATTR :
		region == 0 ? XFS_BLK_DIR_DATA :
		region == 1 ? XFS_BLK_DIR_HASH :
			      XFS_BLK_DIR_FREE;
	return true;
}

static void spoil(void)
{
	const struct xfs_sb *sb = &fs->vol.sb;
	enum xfs_kind kind;
	u64 daddr;
	u32 at, v;
	u8 *p;

	if (!some_block(below(2), &daddr, &kind))
		return;
	p = ((struct memtx *)fs)->map + daddr * XFS_SECTOR;
	/* Often the header, its table, and the first entries. */
	at = below(3) ? below(140) : below(sb->blocksize - 4);
	if (!below(8))
		at = sb->blocksize - 4 - below(60);
	v = xfs_get32(p + at);
	v = !below(4) ? xfs_random() :
	    !below(3) ? v ^ 1u << below(32) :
	    !below(2) ? v + below(9) - 4 :
			xfs_get32(p + below(sb->blocksize - 4));
	xfs_put32(p + at, v);
	if (below(10) < 9)	/* the number that says what it is stays right, mostly */
		xfs_block_stamp(sb, kind, p, sb->blocksize, 0);
}

static void change(void)
{
	struct xfs_tx *tx = begin();
	u32 i = below(nr + nr / 4 + 3);
	int e = below(2) ? attr(tx, i, below(2)) : entry(tx, i, below(3));

	done++;
	errors += e == -XFS_CORRUPT || e == -XFS_BAD_CRC;
	assert(!e || e == -ENOSPC || e == -EEXIST || e == -ENOENT || e == -ENODATA ||
	       e == -XFS_CORRUPT || e == -XFS_BAD_CRC || e == -EFBIG);
	if (e && (tx->dirty || e == -XFS_CORRUPT || e == -XFS_BAD_CRC))
		memtx_cancel_dirty(tx);
	else if (e)
		memtx_cancel(tx);
	else
		memtx_commit(tx);
}

static bool walk_one(void *ctx, const struct xfs_dirent *x)
{
	(void)x;
	return ++*(u32 *)ctx < 1000000;
}

static bool walk_attr(void *ctx, const struct xfs_attr *a)
{
	(void)a;
	return ++*(u32 *)ctx < 1000000;
}

int main(int argc, char **argv)
{
	u32 n = 0, cookie = 0;

	assert(argc == 4);
	memtx_seed((u32)atoi(argv[2]));
	nr = (u32)atoi(argv[3]);
	fs = memtx_open(argv[1]);
	root = memtx_iget(fs, fs->vol.sb.rootino);
	dp = make_file(fs, root, "dir", 0, true);
	file = make_file(fs, root, "file", 0, false);
	fill();
	memtx_damaged(fs);
	memtx_faults(fs, true);
	for (u32 i = 6 + below(20); i; i--)
		spoil();
	for (u32 i = 0; i < 150 && !memtx_is_shut(fs); i++)
		change();
	if (!memtx_is_shut(fs)) {
		xfs_dir_walk(&fs->vol, &dp->node, &cookie, walk_one, &n);
		xfs_attr_walk(&fs->vol, &file->node, walk_attr, &n);
		assert(n < 1000000);
	}
	printf("errors %u of %u, faults %lu\n", errors, done, memtx_faults(fs, true));
	((struct memtx *)fs)->shut = true;
	memtx_close(fs);
	return 0;
}
