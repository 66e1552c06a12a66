// SPDX-License-Identifier: MIT
/*
 * Handles of files (vfs/export.h), the same bytes as Linux's: number and generation, and those of a
 * parent. Handles of filesystems whose numbers were kept in 32 bits (Linux's option inode32) are
 * understood; those made here have 64.
 *
 * A directory's parent is what its ".." says. Its name there is in its parent pointer, where the
 * filesystem has them; else the VFS reads the parent.
 */
#include "fs/xfs/dir/priv.h"
#include <lib/string.h>
#include <vfs/export.h>

/* Words, and where they are. */
#define WORDS64 3
#define WORDS64_PARENT 6
#define WORDS32 2
#define WORDS32_PARENT 4

static void put64(u32 *fh, const struct inode *inode)
{
	memcpy(fh, &inode->i_ino, sizeof(inode->i_ino));
	fh[2] = inode->i_generation;
}

static int encode_fh(struct inode *inode, u32 *fh, int *words, const struct inode *parent)
{
	int room = *words;

	*words = parent ? WORDS64_PARENT : WORDS64;
	if (room < *words)
		return FILEID_INVALID;
	put64(fh, inode);
	if (parent)
		put64(fh + WORDS64, parent);
	return parent ? FILEID_INO64_GEN_PARENT : FILEID_INO64_GEN;
}

/* Of the file, or with PARENT of its parent: number and generation. False: FH does not say. */
static bool decode(const u32 *fh, int words, int type, bool parent, u64 *ino, u32 *gen)
{
	bool has_parent = type == FILEID_INO64_GEN_PARENT || type == FILEID_INO32_GEN_PARENT;

	if (parent && !has_parent)
		return false;
	if (type == FILEID_INO64_GEN || type == FILEID_INO64_GEN_PARENT) {
		if (words < (has_parent ? WORDS64_PARENT : WORDS64))
			return false;
		fh += parent ? WORDS64 : 0;
		memcpy(ino, fh, sizeof(*ino));
		*gen = fh[2];
		return true;
	}
	if (type != FILEID_INO32_GEN && type != FILEID_INO32_GEN_PARENT)
		return false;
	if (words < (has_parent ? WORDS32_PARENT : WORDS32))
		return false;
	fh += parent ? WORDS32 : 0;
	*ino = fh[0];
	*gen = fh[1];
	return true;
}

static struct dentry *find(struct super_block *sb, const u32 *fh, int words, int type, bool parent)
{
	u64 ino;
	u32 gen;

	if (!decode(fh, words, type, parent, &ino, &gen))
		return NULL;
	return d_obtain_alias(xfs_iget_outside(XFS_M(sb), ino, &gen));
}

static struct dentry *fh_to_dentry(struct super_block *sb, const u32 *fh, int words, int type)
{
	return find(sb, fh, words, type, false);
}

static struct dentry *fh_to_parent(struct super_block *sb, const u32 *fh, int words, int type)
{
	return find(sb, fh, words, type, true);
}

/* Nothing keeps CHILD in its parent, nor that one's number its own. */
static struct dentry *get_parent(struct dentry *child)
{
	struct inode *dir = child->d_inode, *parent;
	struct xfs_mount *mp = XFS_M(dir->i_sb);
	u8 ftype;
	u64 ino;
	int e;

	xfs_read_lock(dir);
	e = xfs_dir_lookup(&mp->fs.vol, xfs_node_of(dir), (const u8 *)"..", 2, &ino, &ftype);
	xfs_read_unlock(dir);
	if (e)
		return ERR_PTR(e);
	parent = xfs_iget_outside(mp, ino, NULL);
	if (!IS_ERR(parent) && !S_ISDIR(parent->i_mode)) {
		iput(parent);
		return ERR_PTR(-ESTALE);
	}
	return d_obtain_alias(parent);
}

struct wanted {
	struct xfs_parent of;	/* its number and generation */
	char *name;
	bool found;
};

static bool is_from(void *arg, const struct xfs_attr *a)
{
	struct wanted *w = arg;
	struct xfs_parent p;

	if (!xfs_parent_of(a, &p) || p.ino != w->of.ino || p.gen != w->of.gen)
		return true;
	memcpy(w->name, p.name, p.len);
	w->name[p.len] = '\0';
	w->found = true;
	return false;
}

static int get_name(struct dentry *parent, char *name, struct dentry *child)
{
	struct inode *inode = child->d_inode, *dir = parent->d_inode;
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct wanted w = { { .ino = dir->i_ino, .gen = dir->i_generation }, name, false };
	int e;

	if (!xfs_has_parents(mp))
		return -EOPNOTSUPP;
	xfs_read_lock(inode);
	e = xfs_attr_walk(&mp->fs.vol, xfs_node_of(inode), is_from, &w);
	xfs_read_unlock(inode);
	return e ?: w.found ? 0 : -ENOENT;
}

const struct export_operations xfs_export_ops = {
	.encode_fh = encode_fh,
	.fh_to_dentry = fh_to_dentry,
	.fh_to_parent = fh_to_parent,
	.get_parent = get_parent,
	.get_name = get_name,
};
