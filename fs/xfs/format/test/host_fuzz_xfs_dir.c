// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/dir.c fs/xfs/format/da.c fs/xfs/format/attr.c fs/xfs/format/sb.c */
/*
 * Blocks of directories: names, hashes, free space. An accepted block is walked, and entered at any
 * place that a hash may name. The first byte chooses.
 */
/* fuzz: -max_len=2049 */
#define FUZZ_MAX 2049
#define FUZZ_ROUNDS 60000
#include "fs/xfs/format/test/fuzz_xfs.h"
#include "fs/xfs/format/da.h"

#define PLACE 4000ull

static void entry_ok(const u8 *b, const struct xfs_dirent *d)
{
	assert(d->len && d->name > b && d->name + d->len < b + 2048 &&
	       xfs_ino_ok(&geometry, d->ino));
}

static void names(const u8 *b, struct xfs_fault *f)
{
	struct xfs_dirent d;
	u32 last = 0;
	int e = xfs_dir_data_verify(&geometry, PLACE, b, f);

	answer_ok(e, f);
	if (e)
		return;
	for (u32 at = sizeof(struct xfs_ddir_data); xfs_dir_data_next(&geometry, b, 1, &at, &d);) {
		entry_ok(b, &d);
		assert(d.cookie > last && !memchr(d.name, '/', d.len));
		last = d.cookie;
	}
	for (u32 at = 0; at < 2048; at++)
		if (xfs_dir_data_entry(&geometry, b, 0, at, &d))
			entry_ok(b, &d);
	if (xfs_dir_data_is_block(b))
		(void)xfs_dir_hash_find(xfs_dir_block_ents(&geometry, b),
					xfs_dir_block_count(&geometry, b), 77);
}

static void hashes(const u8 *b, struct xfs_fault *f)
{
	int e = xfs_da_dir_verify(&geometry, PLACE, b, f);

	answer_ok(e, f);
	if (e)
		return;
	if (xfs_da_magic(b) == XFS_DA_NODE_MAGIC) {
		assert(xfs_da_level(b) && xfs_da_level(b) <= XFS_DA_MAXLEVELS && xfs_da_count(b));
		(void)xfs_da_child(b, 0);
		(void)xfs_da_child(b, ~0u);
	} else {
		u32 i = xfs_dir_hash_find(xfs_dir_leaf_ents(b), xfs_dir_leaf_count(b), 100);

		assert(i <= xfs_dir_leaf_count(b) && 64 + 8 * xfs_dir_leaf_count(b) <= 2048);
	}
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct xfs_fault f = { 0 };
	u8 *b;

	if (!n)
		return;
	b = as_block(p + 1, n - 1, 2048);
	if (p[0] % 3 == 0)
		names(b, &f);
	else if (p[0] % 3 == 1)
		hashes(b, &f);
	else
		answer_ok(xfs_dir_free_verify(&geometry, PLACE, b, &f), &f);
	(void)xfs_ftype_to_dt(p[0]);
	free(b);
}

static size_t seed_names(u8 *b, bool tail)
{
	u32 at = 64, end = tail ? 2048 - 8 - 3 * 8 : 2048;

	put_be(b, tail ? XFS_DIR_BLOCK_MAGIC : XFS_DIR_DATA_MAGIC, 4);
	put_be(b + 8, PLACE, 8);
	for (u32 i = 1; i < 4; i++) {
		u32 size = (12 + i + 7) & ~7u;

		put_be(b + at, 128 + i, 8);
		b[at + 8] = (u8)i;
		memcpy(b + at + 9, "abc", i);
		put_be(b + at + size - 2, at, 2);
		if (tail)
			put_be(b + end + 8 * (i - 1), i * 50, 4),
				put_be(b + end + 8 * (i - 1) + 4, at >> 3, 4);
		at += size;
	}
	put_be(b + at, 0xffff, 2);
	put_be(b + at + 2, end - at, 2);
	put_be(b + end - 2, at, 2);
	if (tail)
		put_be(b + 2040, 3, 4);
	return 2049;
}

static size_t fuzz_seed(unsigned int i, u8 *s)
{
	static const u16 magic[] = { XFS_DIR_LEAF1_MAGIC, XFS_DIR_LEAFN_MAGIC, XFS_DA_NODE_MAGIC };
	u8 *b = s + 1;

	if (i > 5)
		return 0;
	memset(s, 0, 2049);
	if (i < 2)
		return seed_names(b, i);
	if (i == 5) {
		s[0] = 2;
		put_be(b, XFS_DIR_FREE_MAGIC, 4);
		put_be(b + 8, PLACE, 8);
		put_be(b + 52, 5, 4);
		put_be(b + 56, 3, 4);
		return 2049;
	}
	s[0] = 1;
	put_be(b + 8, magic[i - 2], 2);
	put_be(b + 16, PLACE, 8);
	put_be(b + 56, 3, 2);
	if (i == 4)
		put_be(b + 58, 1, 2);
	for (u32 k = 0; k < 3; k++) {
		put_be(b + 64 + 8 * k, 60 * k, 4);
		put_be(b + 68 + 8 * k, 20 + k, 4);
	}
	if (i == 2)
		put_be(b + 2044, 1, 4);
	return 2049;
}
