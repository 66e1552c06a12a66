/* SPDX-License-Identifier: MIT */
/* The newc cpio format of initramfs archives (070701, and 070702 with checksums), decoded in place. */
#pragma once

#include <lib/types.h>

#define CPIO_NAME_MAX 4096	/* bytes; not a page */

struct cpio_entry {
	const char *name;	/* relative, clean: no leading '/', no "." or ".." or empty components; "" is the root */
	u32 ino, mode, uid, gid, nlink, mtime;
	u32 dev_major, dev_minor, rdev_major, rdev_minor;
	const u8 *data;
	u32 size;
};

/*
 * The next entry at *OFF of an archive of LEN bytes; *OFF moves behind it. 1: an entry; 0: the trailer was met, *OFF is
 * behind it. -EINVAL: not a header, a number or a name that cannot be; -E2BIG: goes past the end; -EBADMSG: checksum.
 * BUF holds the cleaned name (CPIO_NAME_MAX bytes).
 */
int cpio_next(const u8 *archive, size_t len, size_t *off, char *buf, struct cpio_entry *out);
/* Whether a header starts here. */
bool cpio_is_header(const u8 *p, size_t len);
