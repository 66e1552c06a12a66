/* SPDX-License-Identifier: MIT */
/* What is decided without a file system: which check a part belongs to, what its result means. */
#pragma once

#include "fs/xfs/scrub/scrub.h"

struct xfs_heal_kind {
	u32 type;		/* enum xfs_scrub_type; XFS_SCRUB_TYPES: there is no check of it */
	const char *name;	/* as xfs_io spells it */
};
/*
 * The kind of part BIT of an object. Bits are in the order of repair: what is made anew comes
 * behind what it is made from.
 */
const struct xfs_heal_kind *xfs_heal_kind(enum xfs_domain domain, u32 bit);

/* GONE: the file system is shut down. */
enum xfs_heal_result {
	XFS_HEAL_DONE,
	XFS_HEAL_BUSY,
	XFS_HEAL_FAILED,
	XFS_HEAL_NEVER,
	XFS_HEAL_GONE
};
/* What scrub with repair said: E, or if that is 0 FLAGS; *ERR: the errno to tell, positive. */
enum xfs_heal_result xfs_heal_judge(int e, u32 flags, int *err);

#define XFS_HEAL_DELAY_FIRST (HZ / 4 ?: 1)
#define XFS_HEAL_DELAY_MOST  (64 * HZ)
/* The next delay after DELAY jiffies. */
unsigned long xfs_heal_longer(unsigned long delay);

/*
 * NAME of LEN bytes and a slash before it are put before what begins at BUF[AT], with bytes that
 * are no printable ASCII, and backslashes, as \ooo: where it begins now, or -ENAMETOOLONG.
 */
int xfs_heal_prepend(char *buf, int at, const u8 *name, u32 len);
