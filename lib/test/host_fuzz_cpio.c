// SPDX-License-Identifier: MIT
/* sources: lib/cpio.c */
/* fuzz: -max_len=1024 */
/* cpio archives: an entry that is given lies in the archive and has a clean name; the walk always ends. */
#include <assert.h>
#include <errno.h>
#include "lib/test/fuzz.h"
#include <lib/cpio.h>

static void check_name(const char *name)
{
	size_t n = strlen(name);

	assert(n < CPIO_NAME_MAX && name[0] != '/' && (!n || name[n - 1] != '/'));
	for (const char *p = name; *p;) {
		size_t len = strcspn(p, "/");

		assert(len && strncmp(p, ".", len) && !(len == 2 && !strncmp(p, "..", 2)));
		p += len + (p[len] == '/');
	}
}

static void fuzz_one(const u8 *p, size_t n)
{
	static char name[CPIO_NAME_MAX];
	struct cpio_entry e;
	size_t off = 0, was, beyond = n + 1;
	int r;

	cpio_is_header(p, n);
	assert(cpio_next(p, n, &beyond, name, &e) == -EINVAL);
	for (;;) {
		was = off;
		r = cpio_next(p, n, &off, name, &e);
		if (r < 0)
			return;
		assert(off > was && off <= n);
		if (!r)
			continue;
		check_name(e.name);
		assert(!e.size || (e.data >= p && e.data + e.size <= p + n));
	}
}

static size_t put(u8 *p, const char *magic, const char *name, u32 mode, const void *data, u32 size, u32 sum)
{
	char h[128];
	size_t n = strlen(name) + 1, at;

	snprintf(h, sizeof(h), "%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", magic, 1, mode, 0, 0, 1, 5, size, 0, 0,
		 0, 0, (unsigned int)n, sum);
	memcpy(p, h, 110);
	memcpy(p + 110, name, n);
	at = (110 + n + 3) & ~3UL;
	memset(p + 110 + n, 0, at - 110 - n);
	memcpy(p + at, data, size);
	memset(p + at + size, 0, 4);
	return (at + size + 3) & ~3UL;
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	size_t n = 0;

	if (i > 1)
		return 0;
	n += put(buf + n, "070701", "bin", 040755, "", 0, 0);
	n += put(buf + n, i ? "070702" : "070701", "bin/sh", 0100755, "abcdef", 6, i ? 597 : 0);
	n += put(buf + n, "070701", "./etc//passwd", 0100644, "root:x", 6, 0);
	n += put(buf + n, "070701", "TRAILER!!!", 0, "", 0, 0);
	n += put(buf + n, "070701", "init", 0120777, "bin/sh", 6, 0);
	return n;
}
