// SPDX-License-Identifier: MIT
/* sources: lib/acl.c */
/* POSIX ACLs as attributes: an accepted one has its three main entries, a mask where somebody is named, and nothing out of order. */
/* fuzz: -max_len=256 */
#define FUZZ_MAX 4096
#include <assert.h>
#include "lib/test/fuzz.h"
#include <lib/acl.h>
#include <linux/posix_acl.h>

static void fuzz_one(const u8 *p, size_t n)
{
	unsigned int seen[0x40] = { 0 };
	u16 last = 0;
	int count = acl_check(p, n);

	assert(!acl_check(p, 0));

	assert(count <= 0 || 4 + 8 * (size_t)count == n);
	for (int i = 0; i < count; i++) {
		struct acl_raw_entry e;

		acl_entry(p, (unsigned int)i, &e);
		assert(e.tag < 0x40 && e.tag >= last && !(e.perm & ~7));
		last = e.tag;
		seen[e.tag]++;
	}
	if (count > 0) {
		assert(seen[ACL_USER_OBJ] == 1 && seen[ACL_GROUP_OBJ] == 1 && seen[ACL_OTHER] == 1 && seen[ACL_MASK] <= 1);
		assert(seen[ACL_MASK] || !(seen[ACL_USER] + seen[ACL_GROUP]));
	}
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 acl[] = { 2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 5, 0, 100, 0, 0, 0, 4, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
				  8, 0, 4, 0, 200, 0, 0, 0, 16, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 4, 0, 0xff, 0xff, 0xff, 0xff };
	static const u8 small[] = { 2, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 4, 0, 4, 0, 0, 0, 0, 0, 32, 0, 4, 0, 0, 0, 0, 0 };

	if (i > 3)
		return 0;
	if (i == 3) {		/* somebody is named, and there is no mask */
		memcpy(buf, acl, 36);
		memcpy(buf + 36, acl + 44, 8);
		return 44;
	}
	memcpy(buf, i == 1 ? small : acl, i == 1 ? sizeof(small) : sizeof(acl));
	return i == 0 ? sizeof(acl) : i == 1 ? sizeof(small) : 4;
}
