// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/attr.c fs/xfs/format/da.c fs/xfs/format/sb.c */
/*
 * Attributes: leaves and nodes, values and symlinks in blocks of their own, ACLs. The first byte
 * chooses.
 */
/* fuzz: -max_len=1025 */
#define FUZZ_MAX 1025
#define FUZZ_ROUNDS 60000
#include "fs/xfs/format/test/fuzz_xfs.h"
#include "fs/xfs/format/da.h"

#define PLACE 4000ull

static void leaf(const u8 *b, struct xfs_fault *f)
{
	int e = xfs_da_attr_verify(&geometry, PLACE, b, f);

	answer_ok(e, f);
	if (e)
		return;
	if (xfs_da_magic(b) != XFS_ATTR_LEAF_MAGIC) {
		(void)xfs_da_child(b, 55);
		return;
	}
	assert(xfs_attr_leaf_find(b, 60) <= xfs_attr_leaf_count(b));
	for (u32 i = 0; i < xfs_attr_leaf_count(b); i++) {
		struct xfs_attr a;

		xfs_attr_leaf_at(b, i, &a);
		assert(a.namelen && a.name > b && a.name + a.namelen <= b + 1024 &&
		       a.valuelen <= XFS_ATTR_MAX_VALUE);
		assert(!a.value || a.value + a.valuelen <= b + 1024);
	}
}

static void value(const u8 *b, bool symlink, struct xfs_fault *f)
{
	int e = symlink ? xfs_symlink_verify(&geometry, PLACE, b, 1024, f) :
			  xfs_attr_rmt_verify(&geometry, PLACE, b, f);
	const u8 *data;

	answer_ok(e, f);
	if (!e)
		assert(xfs_rmt_data(&geometry, b, 200, 0, &data) <= xfs_rmt_room(&geometry) &&
		       data == b + 56);
}

static void acl(const u8 *p, size_t n)
{
	u8 *copy = malloc(n + 1), out[1024];
	long r;

	memcpy(copy, p, n);
	r = xfs_acl_decode(copy, (u32)n, out, sizeof(out));
	assert(r == -22 || r == -34 || (r >= 4 && r <= (long)sizeof(out)));
	free(copy);
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct xfs_fault f = { 0 };
	u8 *b;

	if (!n)
		return;
	b = as_block(p + 1, n - 1, 1024);
	if (p[0] % 4 == 0)
		leaf(b, &f);
	else if (p[0] % 4 == 3)
		acl(p + 1, n - 1);
	else
		value(b, p[0] % 4 == 1, &f);
	free(b);
}

static size_t fuzz_seed(unsigned int i, u8 *s)
{
	u8 *b = s + 1;

	if (i > 4)
		return 0;
	memset(s, 0, 1025);
	if (i < 2) {
		put_be(b + 8, i ? XFS_DA_NODE_MAGIC : XFS_ATTR_LEAF_MAGIC, 2);
		put_be(b + 16, PLACE, 8);
		put_be(b + 56, 2, 2);
		put_be(b + 60, 1000, 2);
		put_be(b + (i ? 64 : 80), 50, 4);
		if (i) {
			put_be(b + 58, 1, 2);
			put_be(b + 60, 0, 2);
			put_be(b + 72, 90, 4);
			return 1025;
		}
		put_be(b + 84, 1000, 2);
		b[86] = XFS_ATTR_LOCAL;
		put_be(b + 88, 60, 4);
		put_be(b + 92, 1008, 2);
		b[94] = XFS_ATTR_ROOT;
		put_be(b + 1000, 3, 2);
		b[1002] = 2;
		put_be(b + 1008, 3, 4);
		put_be(b + 1012, 4000, 4);
		b[1016] = 3;
		return 1025;
	}
	if (i < 4) {
		s[0] = (u8)(i - 1);
		put_be(b, i == 2 ? XFS_SYMLINK_MAGIC : XFS_ATTR_RMT_MAGIC, 4);
		put_be(b + 8, 700, 4);
		put_be(b + 32, 200, 8);
		put_be(b + 40, PLACE, 8);
		return 1025;
	}
	s[0] = 3;
	put_be(b, 4, 4);
	for (u32 k = 0; k < 4; k++) {
		put_be(b + 4 + 12 * k, 1u << k, 4);
		put_be(b + 12 + 12 * k, 7, 2);
	}
	return 1 + 4 + 48;
}
