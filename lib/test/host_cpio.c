// SPDX-License-Identifier: MIT
/* sources: lib/cpio.c */
/* cpio decoding: what GNU cpio writes is read back; anything else is refused without a read outside. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <lib/cpio.h>
#include <lib/string.h>

static size_t put(u8 *p, const char *magic, const char *name, u32 mode, const void *data, u32 size, u32 sum)
{
	char h[128];
	size_t n = strlen(name) + 1, at;

	snprintf(h, sizeof(h), "%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", magic, 1, mode, 0, 0, 1, 5, size, 0, 0,
		 0, 0, (unsigned int)n, sum);
	memcpy(p, h, 110);
	memcpy(p + 110, name, n);
	at = (110 + n + 3) & ~3UL;
	memcpy(p + at, data, size);
	return (at + size + 3) & ~3UL;
}

static u8 *exact(const u8 *p, size_t n)
{
	u8 *q = malloc(n ? n : 1);

	memcpy(q, p, n);
	return q;
}

static void one(const char *name, int want, const char *clean)
{
	static u8 a[16384];
	char buf[CPIO_NAME_MAX];
	struct cpio_entry e;
	size_t n, off = 0;
	u8 *p;

	memset(a, 0, sizeof(a));
	n = put(a, "070701", name, 0100644, "hello", 5, 0);
	p = exact(a, n);
	assert(cpio_next(p, n, &off, buf, &e) == want);
	if (want == 1)
		assert(!strcmp(e.name, clean) && e.size == 5 && !memcmp(e.data, "hello", 5) && off == n && e.mode == 0100644);
	free(p);
}

int main(void)
{
	static u8 a[4096];
	char buf[CPIO_NAME_MAX];
	struct cpio_entry e;
	size_t n, off;

	one("bin/sh", 1, "bin/sh");
	one("/./bin//sh/", 1, "bin/sh");
	one(".", 1, "");
	one("..", -EINVAL, NULL);
	one("a/../b", -EINVAL, NULL);
	one("..a/b..", 1, "..a/b..");
	one("TRAILER!!!", 0, NULL);
	n = put(a, "070702", "x", 0100644, "\1\2\3", 3, 6);
	off = 0;
	assert(cpio_next(a, n, &off, buf, &e) == 1);
	n = put(a, "070702", "x", 0100644, "\1\2\3", 3, 7);
	off = 0;
	assert(cpio_next(a, n, &off, buf, &e) == -EBADMSG);
	srand(3);
	for (int round = 0; round < 300000; round++) {
		u8 *p;

		memset(a, 0, 400);
		n = put(a, "070701", "some/name", 0100644, "data data data", 14, 0);
		for (int k = rand() % 4; k; k--)
			a[(size_t)rand() % n] = "0123456789abcdefF7\0/.."[rand() % 22];
		n = rand() % 3 ? n : (size_t)rand() % (n + 1);
		p = exact(a, n);
		off = 0;
		while (cpio_next(p, n, &off, buf, &e) == 1) {
			volatile u8 s = 0;

			for (u32 i = 0; i < e.size; i++)
				s += e.data[i];
			assert(!strstr(e.name, "..") || strstr(e.name, "..") != e.name || e.name[2]);
		}
		free(p);
	}
	puts("ok");
	return 0;
}
