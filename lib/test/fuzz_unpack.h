/* SPDX-License-Identifier: MIT */
/* What the targets of decompressors share: bounded output, seeds from the host's own tools. */
#pragma once

#include <assert.h>
#include <errno.h>
#define FUZZ_ROUNDS 30000
#define FUZZ_MAX 131072
#include "lib/test/fuzz.h"
#include <lib/inflate.h>

static size_t most;	/* room that there is */

static int grow(struct decomp_out *o, size_t want)
{
	size_t cap = o->cap * 2 > want ? o->cap * 2 : want;

	if (cap > most)
		return -ENOMEM;
	o->buf = realloc(o->buf, cap);
	o->cap = cap;
	return 0;
}

static void unpack_one(const u8 *p, size_t n, int (*unpack)(const u8 *, size_t, size_t *, struct decomp_out *))
{
	struct decomp_out o = { malloc(16), 0, 16, grow };
	size_t used = 0;
	int e;

	most = n % 4 == 1 ? 2000 : 4 << 20;
	e = unpack(p, n, &used, &o);

	assert(o.len <= o.cap && (e || used <= n));
	free(o.buf);
}

/* What COMMAND prints; 0 where there is no such tool. */
static size_t output_of(const char *command, u8 *buf)
{
	FILE *f = popen(command, "r");
	size_t n = f ? fread(buf, 1, FUZZ_MAX, f) : 0;

	if (f)
		pclose(f);
	return n;
}
