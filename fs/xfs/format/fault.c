// SPDX-License-Identifier: MIT
#include "fs/xfs/format/fault.h"
#include <lib/byteorder.h>
#include <lib/crc32c.h>
#include <lib/string.h>

int xfs_bad(struct xfs_fault *f, const char *what, const char *field, u64 place, u64 value)
{
	*f = (struct xfs_fault){ what, field, place, value };
	return -XFS_CORRUPT;
}

u32 xfs_crc(const void *p, u32 len, u32 at)
{
	static const u8 zero[4];
	const u8 *b = p;
	u32 crc = crc32c(~0u, b, at);

	crc = crc32c(crc, zero, sizeof(zero));
	return ~crc32c(crc, b + at + 4, len - at - 4);
}

bool xfs_crc_ok(const void *p, u32 len, u32 at)
{
	u32 stored;

	memcpy(&stored, (const u8 *)p + at, sizeof(stored));
	return le32_raw(stored) == xfs_crc(p, len, at);
}
