// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/inode.c fs/xfs/format/btree.c fs/xfs/format/dir.c */
/* sources: fs/xfs/format/attr.c fs/xfs/format/da.c fs/xfs/format/sb.c */
/* An accepted inode's forks lie in it, and what is in them can be walked. */
/* fuzz: -max_len=512 */
#define FUZZ_MAX 512
#include "fs/xfs/format/test/fuzz_xfs.h"
#include "fs/xfs/format/da.h"

static void short_forms(const struct xfs_core *c, const u8 *literal)
{
	struct xfs_fork k;
	struct xfs_dirent d;
	struct xfs_attr a;
	u32 last = 0;

	if (c->format == XFS_FMT_LOCAL && (c->mode & 0170000) == 0040000) {
		for (u32 at = 0; xfs_dirsf_next(literal, &at, &d);) {
			assert(d.len && d.cookie > last && xfs_ino_ok(&geometry, d.ino));
			last = d.cookie;
			(void)xfs_da_hash(d.name, d.len);
		}
	}
	if (xfs_fork_of(&geometry, c, literal, true, &k) && k.format == XFS_FMT_LOCAL)
		for (u32 at = 0; xfs_attrsf_next(k.data, &at, &a);)
			assert(a.namelen && a.value + a.valuelen <= literal + 336);
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct xfs_fault f = { 0 };
	struct xfs_core c;
	u8 *b = as_block(p, n, 512);
	int e = xfs_inode_decode(&geometry, 200, b, &c, &f);

	if (e != -116)
		answer_ok(e, &f);
	if (!e) {
		assert(c.ino == 200 && c.mode && !(c.size >> 63) && c.forkoff < 336 &&
		       c.mtime.nsec < 1000000000);
		for (int attr = 0; attr < 2; attr++) {
			struct xfs_fork k;

			if (!xfs_fork_of(&geometry, &c, b + 176, attr, &k))
				continue;
			assert(k.data >= b + 176 && k.data + k.size <= b + 512);
			assert(k.format != XFS_FMT_EXTENTS || k.nextents * 16 <= k.size);
			if (k.format == XFS_FMT_BTREE) {
				u32 level, count;

				xfs_bmdr_head(&k, &level, &count);
				assert(level &&
				       xfs_fsb_ok(&geometry, xfs_bmdr_ptr_at(&k, count - 1), 1));
			}
		}
		short_forms(&c, b + 176);
	}
	free(b);
}

static size_t fuzz_seed(unsigned int i, u8 *b)
{
	static const u16 mode[] = { 0100644, 0040755, 0120777, 0020644, 0100644, 0100600 };
	static const u8 format[] = { XFS_FMT_EXTENTS, XFS_FMT_LOCAL, XFS_FMT_LOCAL,
				     XFS_FMT_DEV,     XFS_FMT_BTREE, XFS_FMT_EXTENTS };
	static const u8 dir[] = { 2, 0,	  0, 0, 0,   128, 1,   0, 96, 'a', 1, 0,  0,
				  0, 200, 2, 0, 112, 'b', 'c', 2, 0,  0,   0, 201 };
	static const u8 attrs[] = { 0,	 19,  2, 0, 3, 2,   0,	 'a', 'b', 'c',
				    'v', 'w', 1, 3, 4, 'd', 'x', 'y', 'z' };

	if (i > 5)
		return 0;
	memset(b, 0, 512);
	put_be(b, XFS_DI_MAGIC, 2);
	put_be(b + 2, mode[i], 2);
	b[4] = 3;
	b[5] = format[i];
	put_be(b + 56, i == 1 ? sizeof(dir) : i == 2 ? 5 : 4000, 8);
	put_be(b + 152, 200, 8);
	put_be(b + 120, i & 1 ? 0x18 : 0x10, 8);
	b[83] = XFS_FMT_EXTENTS;
	if (i == 0 || i == 5) {
		put_be(b + 24, 2, 8);
		for (u32 k = 0; k < 2; k++) {
			put_be(b + 176 + 16 * k, (u64)k * 10 << 9 | (u64)k << 63, 8);
			put_be(b + 184 + 16 * k, (4096ull + 100 + k) << 21 | 4, 8);
		}
	}
	if (i == 1)
		memcpy(b + 176, dir, sizeof(dir));
	if (i == 2)
		memcpy(b + 176, "hello", 5);
	if (i == 3)
		put_be(b + 176, 1 << 18 | 3, 4);
	if (i == 4) {
		put_be(b + 176, 1, 2);
		put_be(b + 178, 1, 2);
		put_be(b + 180 + (336 - 4) / 16 * 8, 4096 + 50, 8);
	}
	if (i == 0 || i == 1) {
		b[82] = 24;
		b[83] = XFS_FMT_LOCAL;
		memcpy(b + 176 + 192, attrs, sizeof(attrs));
	}
	return 512;
}
