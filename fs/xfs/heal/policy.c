// SPDX-License-Identifier: MIT
/* Decisions without a file system (policy.h). */
#include "fs/xfs/heal/policy.h"
#include <lib/minmax.h>

#define NONE XFS_SCRUB_TYPES

static const struct xfs_heal_kind of_fs[] = {
	{ XFS_SCRUB_FSCOUNTERS, "fscounters" },
	{ XFS_SCRUB_UQUOTA, "usrquota" },
	{ XFS_SCRUB_GQUOTA, "grpquota" },
	{ XFS_SCRUB_PQUOTA, "prjquota" },
	{ NONE, "bit 4" },
	{ NONE, "bit 5" },
	{ XFS_SCRUB_QUOTACHECK, "quotacheck" },
	{ XFS_SCRUB_NLINKS, "nlinks" },
};

static const struct xfs_heal_kind of_ag[] = {
	{ XFS_SCRUB_SB, "sb" },
	{ XFS_SCRUB_AGF, "agf" },
	{ XFS_SCRUB_AGFL, "agfl" },
	{ XFS_SCRUB_AGI, "agi" },
	{ XFS_SCRUB_BNOBT, "bnobt" },
	{ XFS_SCRUB_CNTBT, "cntbt" },
	{ XFS_SCRUB_INOBT, "inobt" },
	{ XFS_SCRUB_FINOBT, "finobt" },
	{ XFS_SCRUB_RMAPBT, "rmapbt" },
	{ XFS_SCRUB_REFCNTBT, "refcountbt" },
	{ NONE, "inodes" },
};

static const struct xfs_heal_kind of_ino[] = {
	{ XFS_SCRUB_INODE, "inode" },	  { XFS_SCRUB_BMBTD, "bmapbtd" },
	{ XFS_SCRUB_BMBTA, "bmapbta" },	  { XFS_SCRUB_BMBTC, "bmapbtc" },
	{ XFS_SCRUB_DIR, "directory" },	  { XFS_SCRUB_XATTR, "xattr" },
	{ XFS_SCRUB_SYMLINK, "symlink" }, { XFS_SCRUB_PARENT, "parent" },
	{ XFS_SCRUB_DIRTREE, "dirtree" },
};

const struct xfs_heal_kind *xfs_heal_kind(enum xfs_domain domain, u32 bit)
{
	static const struct xfs_heal_kind unknown = { NONE, "unknown" };

	if (domain == XFS_DOMAIN_FS && bit < ARRAY_SIZE(of_fs))
		return &of_fs[bit];
	if (domain == XFS_DOMAIN_AG && bit < ARRAY_SIZE(of_ag))
		return &of_ag[bit];
	if (domain == XFS_DOMAIN_INO && bit < ARRAY_SIZE(of_ino))
		return &of_ino[bit];
	return &unknown;
}

#define LEFT (XFS_SCRUB_CORRUPT | XFS_SCRUB_XCORRUPT | XFS_SCRUB_XFAIL | XFS_SCRUB_INCOMPLETE)

enum xfs_heal_result xfs_heal_judge(int e, u32 flags, int *err)
{
	*err = -e;
	switch (e) {
	case 0:
		*err = flags & LEFT ? XFS_CORRUPT : 0;
		return flags & LEFT ? XFS_HEAL_FAILED : XFS_HEAL_DONE;
	case -EBUSY:
	case -EINTR:
	case -EAGAIN:
	case -EDEADLK:
	case -ENOMEM:
	case -EROFS:		/* a remount has just begun, or ended */
		return XFS_HEAL_BUSY;
	case -EOPNOTSUPP:
		return XFS_HEAL_NEVER;
	case -ESHUTDOWN:
		return XFS_HEAL_GONE;
	}
	return XFS_HEAL_FAILED;
}

unsigned long xfs_heal_longer(unsigned long delay)
{
	return min(2 * delay, (unsigned long)XFS_HEAL_DELAY_MOST);
}

int xfs_heal_prepend(char *buf, int at, const u8 *name, u32 len)
{
	while (len--) {
		u8 c = name[len];
		bool plain = c > ' ' - 1 && c < 0x7f && c != '\\';

		if (at < (plain ? 1 : 4))
			return -ENAMETOOLONG;
		if (plain) {
			buf[--at] = (char)c;
			continue;
		}
		buf[--at] = (char)('0' + (c & 7));
		buf[--at] = (char)('0' + (c >> 3 & 7));
		buf[--at] = (char)('0' + (c >> 6));
		buf[--at] = '\\';
	}
	if (at < 1)
		return -ENAMETOOLONG;
	buf[--at] = '/';
	return at;
}
