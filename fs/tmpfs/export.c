// SPDX-License-Identifier: MIT
/*
 * tmpfs: handles of files. All of a tree is in memory with its dentries, so that nothing that is
 * found lacks a place. An inode gets its generation, and comes into the hash, with its first
 * handle, and leaves it with its last name and user: to the others handles cost nothing. Numbers
 * come again after 2^32 inodes; the generation is random.
 */
#include "tmpfs_priv.h"
#include <kernel/random.h>
#include <vfs/export.h>

#define WORDS 3		/* generation, number (low, high), as Linux's */

/* An inode comes into the hash once, with its generation. */
static DEFINE_MUTEX(hashing);

static bool is_hashed(const struct inode *inode)
{
	return !ghash_unhashed(&inode->i_hash);
}

static int tmpfs_encode_fh(struct inode *inode, u32 *fh, int *words, const struct inode *parent)
{
	int room = *words;

	(void)parent;
	*words = WORDS;
	if (room < WORDS)
		return FILEID_INVALID;
	mutex_lock(&hashing);
	if (!is_hashed(inode)) {
		inode->i_generation = get_random_u32();
		insert_inode_hash(inode);
	}
	mutex_unlock(&hashing);
	fh[0] = inode->i_generation;
	fh[1] = (u32)inode->i_ino;
	fh[2] = (u32)(inode->i_ino >> 32);
	return FILEID_INO32_GEN;
}

static u64 ino_of(const u32 *fh)
{
	return (u64)fh[2] << 32 | fh[1];
}

static int is_of(struct inode *inode, void *arg)
{
	const u32 *fh = arg;

	return inode->i_ino == ino_of(fh) && inode->i_generation == fh[0];
}

static struct dentry *tmpfs_fh_to_dentry(struct super_block *sb, const u32 *fh, int words, int type)
{
	u32 of[WORDS];
	struct inode *inode;
	struct dentry *d;

	(void)type;
	if (words < WORDS)
		return NULL;
	memcpy(of, fh, sizeof(of));
	inode = ilookup5(sb, ino_of(of), is_of, of);
	if (!inode)
		return NULL;
	/* Without a name but open, it has a dentry, too; with neither it is going. */
	d = d_find_alias(inode) ?: d_find_any_alias(inode);
	iput(inode);
	return d;
}

const struct export_operations tmpfs_export_ops = {
	.encode_fh = tmpfs_encode_fh,
	.fh_to_dentry = tmpfs_fh_to_dentry,
};
