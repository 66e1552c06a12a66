// SPDX-License-Identifier: MIT
/* sources: lib/idmap.c */
/* with sources: lib/numbers.c lib/string.c */
/* Maps of user namespaces: what is accepted is sorted, not empty, and names each id once on either side. */
/* fuzz: -max_len=512 */
#define FUZZ_MAX 8192
#define FUZZ_ROUNDS 30000
#include <assert.h>
#include "lib/test/fuzz.h"
#include <lib/idmap.h>

static void fuzz_one(const u8 *p, size_t n)
{
	static struct uid_gid_extent ext[UID_GID_MAP_MAX_EXTENTS];
	char *text = malloc(n + 1);
	u32 nr;

	memcpy(text, p, n);
	text[n] = '\0';
	if (!idmap_parse(text, ext, &nr)) {
		assert(nr && nr <= UID_GID_MAP_MAX_EXTENTS);
		for (u32 i = 0; i < nr; i++) {
			const struct uid_gid_extent *e = &ext[i];

			assert(e->count && (u64)e->first + e->count <= ~0u && (u64)e->lower_first + e->count <= ~0u);
			assert(!i || ext[i - 1].first + ext[i - 1].count <= e->first);
			for (u32 k = 0; k < i; k++)
				assert(ext[k].lower_first + ext[k].count <= e->lower_first || e->lower_first + e->count <= ext[k].lower_first);
		}
	}
	free(text);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const char *const maps[] = { "0 1000 1\n", "         0     100000      65536\n65536 0 1\n", "5 5 5\n0\t0\t5 \n10 10 4294967284", "0 0 4294967295", "1 2", "" };
	size_t n = 0;

	if (i == 5) {		/* one more than fits */
		for (int k = UID_GID_MAP_MAX_EXTENTS; k >= 0; k--)
			n += (size_t)sprintf((char *)buf + n, "%d %d 1\n", k, k + 7);
		return n;
	}
	if (i > 5)
		return 0;
	strcpy((char *)buf, maps[i]);
	return strlen(maps[i]);
}
