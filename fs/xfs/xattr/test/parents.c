// SPDX-License-Identifier: MIT
/*
 * Names at random: files and directories made, linked, renamed and removed, on an image with parent
 * pointers; each name's file has its parent pointer and no other. parents IMAGE SEED OPS: leaves
 * what there is.
 */
#include <stdio.h>
#include <stdlib.h>
#include "fs/xfs/xattr/test/links.h"

#define MOST 600u			/* names */
#define DIRS 6u

struct entry {
	struct xfs_ino *dir, *ip;	/* IP NULL: unused */
	char name[256];
};

static struct xfs_fs *fs;
static struct entry entries[MOST];
static struct xfs_ino *dirs[DIRS];
static u32 renames, links, removed, most_names, next_name, trees;

static u32 below(u32 n)
{
	return xfs_random() % n;
}

static bool is_dir(const struct xfs_ino *ip)
{
	return (ip->node.core.mode & 0170000) == 0040000;
}

static struct entry *some(bool used)
{
	for (u32 tries = 0; tries < 50; tries++) {
		struct entry *x = &entries[below(MOST)];

		if (!x->ip == !used)
			return x;
	}
	return NULL;
}

static void new_name(char *name)
{
	u32 n = (u32)sprintf(name, "%x", next_name++), len = n + below(below(4) ? 20 : 256 - n);

	for (; n < len; n++)
		name[n] = (char)('a' + below(26));
	name[n] = 0;
}

/* ---- what a file's attributes say ---- */

struct seen {
	const struct xfs_ino *ip;
	u32 n;
};

static bool see(void *ctx, const struct xfs_attr *a)
{
	struct seen *s = ctx;
	u32 found = 0;

	assert((a->flags & XFS_ATTR_SPACE) == XFS_ATTR_PARENT && a->value && a->valuelen == 12);
	for (u32 i = 0; i < MOST; i++) {
		const struct entry *x = &entries[i];

		if (x->ip == s->ip && strlen(x->name) == a->namelen &&
		    !memcmp(x->name, a->name, a->namelen)) {
			assert(xfs_get64(a->value) == x->dir->node.core.ino &&
			       xfs_get32(a->value + 8) == x->dir->node.core.gen);
			found++;
		}
	}
	assert(found == 1);
	s->n++;
	return true;
}

static void compare(const struct xfs_ino *ip)
{
	struct seen s = { ip, 0 };
	u32 n = 0;

	for (u32 i = 0; i < MOST; i++)
		n += entries[i].ip == ip;
	assert(!xfs_attr_walk(&fs->vol, &ip->node, see, &s));
	assert(s.n == n && (is_dir(ip) || ip->node.core.nlink == n));
	most_names = n > most_names ? n : most_names;
	trees += ip->node.core.aformat != XFS_FMT_LOCAL && ip->node.core.anextents > 2;
}

/* ---- operations ---- */

static struct xfs_tx *begin(const char *op, const struct xfs_ino *a, const struct xfs_ino *b)
{
	struct xfs_tx *tx = memtx_begin(fs, 2000, op);
	u32 n;

	assert(tx);
	n = link_room(tx, a, 255) + link_room(tx, b, 255);
	memtx_cancel(tx);
	tx = memtx_begin(fs, n, op);
	assert(tx);
	return tx;
}

static void make(bool dir)
{
	struct entry *x = some(false);

	if (!x)
		return;
	x->dir = dirs[below(DIRS)];
	new_name(x->name);
	x->ip = make_file(fs, x->dir, x->name, 0, dir);
	assert(x->ip);
}

static void link_it(void)
{
	struct entry *x = some(false), *of = some(true);
	struct xfs_tx *tx;

	if (!below(3))		/* one has most names */
		of = entries[0].ip ? &entries[0] : of;
	if (!x || !of || is_dir(of->ip))
		return;
	x->dir = dirs[below(DIRS)];
	new_name(x->name);
	tx = begin("link", x->dir, x->dir);
	add_name(tx, x->dir, x->name, of->ip);
	memtx_commit(tx);
	x->ip = of->ip;
	links++;
}

static bool may_go(const struct xfs_ino *ip)
{
	for (u32 i = 0; i < DIRS; i++)
		if (ip == dirs[i])
			return false;
	return true;
}

static void unlink_it(void)
{
	struct entry *x = some(true);

	if (!x || !may_go(x->ip))
		return;
	unlink_file(fs, x->dir, x->name, x->ip);
	x->ip = NULL;
	removed++;
}

/* A directory gets another parent. */
static void move_dir(struct xfs_tx *tx, const struct entry *x, struct xfs_ino *to)
{
	if (!is_dir(x->ip) || x->dir == to)
		return;
	assert(!xfs_dirent_replace(tx, x->ip, (const u8 *)"..", 2, to->node.core.ino, 2));
	count_links(tx, x->dir, -1);
	count_links(tx, to, 1);
}

static void rename_it(void)
{
	struct entry *x = some(true);
	struct xfs_ino *to = dirs[below(DIRS)];
	char name[256];
	u32 was, len;
	struct xfs_tx *tx;

	if (!x || !may_go(x->ip))
		return;
	new_name(name);
	if (!below(3)) {	/* a name of the same length, or in another directory the same */
		memcpy(name, x->name, 256);
		if (to == x->dir)
			name[strlen(name) - 1] ^= 1;
	}
	was = (u32)strlen(x->name);
	len = (u32)strlen(name);
	for (u32 i = 0; i < MOST; i++)
		if (entries[i].ip && entries[i].dir == to && !strcmp(entries[i].name, name))
			return;
	tx = begin("rename", x->dir, to);
	assert(!xfs_dirent_add(tx, to, (const u8 *)name, len, x->ip->node.core.ino,
			       is_dir(x->ip) ? 2 : 1));
	assert(!xfs_dirent_remove(tx, x->dir, (const u8 *)x->name, was, x->ip->node.core.ino));
	assert(!xfs_parent_replace(tx, x->ip,
				   &(struct xfs_parent){ x->dir->node.core.ino,
							 x->dir->node.core.gen, was,
							 (const u8 *)x->name },
				   &(struct xfs_parent){ to->node.core.ino, to->node.core.gen, len,
							 (const u8 *)name }));
	move_dir(tx, x, to);
	memtx_commit(tx);
	x->dir = to;
	memcpy(x->name, name, 256);
	renames++;
}

int main(int argc, char **argv)
{
	assert(argc == 4);
	memtx_seed((u32)atoi(argv[2]));
	fs = memtx_open(argv[1]);
	assert(with_parents(fs));
	dirs[0] = memtx_iget(fs, fs->vol.sb.rootino);
	for (u32 i = 1; i < DIRS; i++) {
		struct entry *x = &entries[i];

		new_name(x->name);
		x->dir = dirs[below(i)];
		x->ip = dirs[i] = make_file(fs, x->dir, x->name, 0, true);
	}
	new_name(entries[0].name);
	entries[0].dir = dirs[0];
	entries[0].ip = make_file(fs, dirs[0], entries[0].name, 0, false);
	for (int i = 0; i < atoi(argv[3]); i++) {
		u32 what = below(20);

		if (what < 6)
			make(!below(4));
		else if (what < 13)
			link_it();
		else if (what < 16)
			rename_it();
		else
			unlink_it();
		if (!below(20) && entries[0].ip)
			compare(entries[0].ip);
	}
	for (u32 i = 0; i < MOST; i++)
		if (entries[i].ip)
			compare(entries[i].ip);
	memtx_print_use(fs);
	printf("links %u, renames %u, removed %u, most names %u, in trees %u\n", links, renames,
	       removed, most_names, trees);
	assert(!memtx_faults(fs, false));
	memtx_sync(fs);
	memtx_close(fs);
	return 0;
}
