// SPDX-License-Identifier: MIT
/* See memtx.h. This file: power cuts with begun work. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "fs/xfs/tx/test/memtx_priv.h"

#define PIECE 65536u

void memtx_cut(struct xfs_fs *fs, u32 n, const char *path)
{
	struct memtx *m = (struct memtx *)fs;

	assert(n);
	m->cut = path;
	m->cut_after = n;
}

bool memtx_was_cut(struct xfs_fs *fs)
{
	return !((struct memtx *)fs)->cut;
}

/* The image as it was committed; pieces of zeroes are holes. */
static void write_image(const struct memtx *m, const char *path)
{
	static const u8 zero[PIECE];
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert(fd >= 0 && !ftruncate(fd, (off_t)m->bytes));
	for (u64 at = 0; at < m->bytes; at += PIECE) {
		size_t n = m->bytes - at < PIECE ? m->bytes - at : PIECE;

		if (memcmp(m->map + at, zero, n))
			assert(pwrite(fd, m->map + at, n, (off_t)at) == (ssize_t)n);
	}
	close(fd);
}

static FILE *intents_file(const char *path, const char *mode)
{
	char name[4096];

	snprintf(name, sizeof(name), "%s.intents", path);
	return fopen(name, mode);
}

void memtx_cut_commit(struct memtx *m)
{
	struct xfs_intent *in;
	bool left = false;
	FILE *f;

	if (!m->cut)
		return;
	list_for_each_entry(in, &m->intents, node)
		left |= !in->begun;
	if (!left || --m->cut_after)
		return;
	memtx_write_counters(m);
	write_image(m, m->cut);
	f = intents_file(m->cut, "wb");
	assert(f);
	list_for_each_entry(in, &m->intents, node) {
		if (in->begun)
			continue;
		assert(fwrite(&in->len, sizeof(in->len), 1, f) == 1);
		assert(fwrite(in->bytes, in->len, 1, f) == 1);
	}
	assert(!fclose(f));
	m->cut = NULL;
}

int memtx_intents(const char *path, int (*fn)(void *ctx, const struct xfs_litem *it), void *ctx)
{
	FILE *f = intents_file(path, "rb");
	int n = 0, e = 0;
	u32 len;

	assert(f);
	while (!e && fread(&len, sizeof(len), 1, f) == 1) {
		struct xfs_fault fault = { 0 };
		struct xfs_lregion r = { 0, len };
		const char *why = NULL;
		struct xfs_litem it;
		u8 *p = xfs_mem(len);

		assert(fread(p, len, 1, f) == 1);
		assert(!xfs_litem_get(p, &r, 1, 0, &it, &why, &fault) && !why);
		e = fn(ctx, &it);
		free(p);
		n++;
	}
	fclose(f);
	return e ? e : n;
}
