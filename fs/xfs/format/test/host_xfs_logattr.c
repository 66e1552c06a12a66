// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/logattr.c fs/xfs/format/fault.c lib/crc32c.c */
/* Changes of attributes in the log: those of Linux are understood, all others are refused. */
#include <assert.h>
#include "fs/xfs/format/test/logattr.h"

#define R (u32)XFS_ATTR_ROOT
#define P (u32)XFS_ATTR_PARENT

static struct xfs_sb sb = { .incompat = XFS_IN_PARENT };

static bool good(const struct attri *t)
{
	struct xfs_fault f = { 0 };
	struct xfs_lattr a;
	int e = xfs_lattr_get(&sb, &t->it, 7, &a, &f);

	assert(!e || (e == -XFS_CORRUPT && f.what && f.place == 7));
	return !e;
}

static bool takes(u32 op, u32 filter, u16 len, u16 new_len, u32 valuelen)
{
	struct attri_head h = { XFS_LI_ATTRI, 3, 9, 1, 130, op, len, new_len, valuelen, filter };
	struct attri t;

	attri_make(&t, &h);
	return good(&t);
}

static void test_kinds(void)
{
	assert(takes(1, 0, 5, 0, 0) && takes(1, R, 21, 0, 200) && takes(3, 0, 5, 0, 7));
	assert(takes(2, XFS_ATTR_SECURE | XFS_ATTR_INCOMPLETE, 20, 0, 0) && !takes(2, 0, 5, 0, 4));
	assert(takes(4, P, 5, 0, 12) && takes(5, P, 5, 0, 12) && takes(6, P, 5, 9, 12));
	assert(!takes(0, 0, 5, 0, 0) && !takes(7, 0, 5, 0, 0) && !takes(0x101, 0, 5, 0, 0));
	/* Names of parents are changed by their own operations, which change nothing else. */
	assert(!takes(1, P, 5, 0, 12) && !takes(4, 0, 5, 0, 12) && !takes(5, P | R, 5, 0, 12));
	assert(!takes(1, 0x10, 5, 0, 0) && !takes(1, 0x40000000, 5, 0, 0) && !takes(1, 6, 5, 0, 0));
	assert(!takes(4, P, 5, 0, 11) && !takes(6, P, 5, 9, 13) && !takes(5, P, 5, 0, 0));
	assert(!takes(1, 0, 0, 0, 4) && !takes(6, P, 5, 0, 12) && !takes(6, P, 0, 5, 12));
	assert(!takes(1, 0, 256, 0, 4) && !takes(1, 0, 5, 1, 4) && !takes(6, P, 5, 256, 12));
	sb.incompat = 0;
	assert(!takes(4, P, 5, 0, 12) && takes(1, 0, 5, 0, 0));
	sb.incompat = XFS_IN_PARENT;
}

static void test_regions(void)
{
	struct attri_head h = { XFS_LI_ATTRI, 5, 9, 1, 130, 6, 10, 8, 12, P };
	struct attri t;

	attri_make(&t, &h);
	assert(t.it.n == 5 && good(&t));
	t.it.n = 4;
	assert(!good(&t));
	t.it.n = 5;
	t.r[1].len = 10;	/* as it is, or rounded up */
	assert(good(&t));
	t.r[1].len = 16;
	assert(!good(&t));
	t.r[1].len = 8;
	assert(!good(&t));
	t.r[1].len = 12;
	t.bytes[t.r[2].off + 7] = 0;
	assert(!good(&t));
	t.bytes[t.r[2].off + 7] = '/';
	assert(!good(&t));
	h = (struct attri_head){ XFS_LI_ATTRI, 3, 9, 1, 130, 1, 10, 0, 70000, 0 };
	attri_make(&t, &(struct attri_head){ XFS_LI_ATTRI, 3, 9, 1, 130, 1, 10, 0, 100, 0 });
	memcpy(t.bytes, &h, sizeof(h));
	t.r[2].len = 70000;
	assert(!good(&t));
}

/* What was decoded is what the item has; a copy of it too. */
static void test_decoded(void)
{
	struct attri_head h = { XFS_LI_ATTRI, 5, 9, 1, 130, 6, 10, 8, 12, P };
	struct xfs_fault f;
	struct xfs_lattr a;
	struct attri t;

	attri_make(&t, &h);
	assert(!xfs_lattr_get(&sb, &t.it, 7, &a, &f));
	assert(a.ino == 130 && a.gen == 9 && a.op == XFS_LATTR_PARENT_REPLACE && a.space == P);
	assert(a.len == 10 && a.new_len == 8 && a.valuelen == 12);
	assert(a.name == t.bytes + t.r[1].off && a.new_name == t.bytes + t.r[2].off);
	assert(a.value == t.bytes + t.r[3].off && a.new_value == t.bytes + t.r[4].off);
	h.op = XFS_LATTR_PARENT_SET;
	h.new_len = 0;
	attri_make(&t, &h);
	assert(!xfs_lattr_get(&sb, &t.it, 7, &a, &f) && a.value && !a.new_name && !a.new_value);
}

int main(void)
{
	test_kinds();
	test_regions();
	test_decoded();
	return 0;
}
