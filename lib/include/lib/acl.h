/* SPDX-License-Identifier: MIT */
/* The decoder of POSIX ACLs' attributes. Ids are as they lie there: whose they are is for the caller. */
#pragma once

#include <lib/types.h>

struct acl_raw_entry {
	u16 tag, perm;
	u32 id;
};

/* How many entries the SIZE (at most 64 KiB) bytes at VALUE have, all of them in their order; -EINVAL, -EOPNOTSUPP (another version). */
int acl_check(const u8 *value, size_t size);
/* The I-th of them. */
void acl_entry(const u8 *value, unsigned int i, struct acl_raw_entry *out);
