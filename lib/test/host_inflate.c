// SPDX-License-Identifier: MIT
/* sources: lib/inflate.c lib/zstd.c */
/* Decompression against the host's gzip and zstd; damaged input ends in an error, never outside the buffers. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <lib/inflate.h>

static int grow(struct decomp_out *o, size_t want)
{
	size_t cap = o->cap * 2 > want ? o->cap * 2 : want;

	if (cap > 64 << 20)
		return -ENOMEM;
	o->buf = realloc(o->buf, cap);
	o->cap = cap;
	return 0;
}

static u8 *slurp(const char *cmd, size_t *len)
{
	FILE *f = popen(cmd, "r");
	u8 *p = malloc(32 << 20);

	*len = fread(p, 1, 32 << 20, f);
	pclose(f);
	return realloc(p, *len ? *len : 1);
}

static int unpack(const char *kind, const u8 *p, size_t n, size_t *used, struct decomp_out *o, void *ws)
{
	return *kind == 'g' ? gunzip(p, n, used, o) : unzstd(p, n, used, o, ws);
}

static void check(const char *kind, const char *make, const char *pack)
{
	char cmd[400];
	size_t plain_len, packed_len, used;
	u8 *plain, *packed;
	struct decomp_out o = { malloc(16), 0, 16, grow };
	void *ws = malloc(unzstd_workspace());
	int err;

	snprintf(cmd, sizeof(cmd), "%s", make);
	plain = slurp(cmd, &plain_len);
	snprintf(cmd, sizeof(cmd), "(%s) | %s", make, pack);
	packed = slurp(cmd, &packed_len);
	if (!packed_len) {
		printf("%s: not on this machine\n", pack);
		goto out;
	}
	err = unpack(kind, packed, packed_len, &used, &o, ws);
	if (err || used != packed_len || o.len != plain_len || memcmp(o.buf, plain, plain_len)) {
		printf("%s of %s: %d, %zu of %zu used, %zu of %zu out\n", pack, make, err, used, packed_len, o.len, plain_len);
		exit(1);
	}
	for (int round = 0; round < 300; round++) {
		size_t n = rand() % 4 ? packed_len : (size_t)rand() % (packed_len + 1);
		size_t cap = n < 20000 ? n : 20000;
		u8 *bad = malloc(n ? n : 1);

		memcpy(bad, packed, n);
		for (int k = rand() % 5; k && cap; k--)
			bad[(size_t)rand() % cap] = (u8)rand();
		o.len = 0;
		unpack(kind, bad, n, &used, &o, ws);
		free(bad);
		if (packed_len > 200000 && round > 20)
			break;
	}
out:
	free(plain);
	free(packed);
	free(o.buf);
	free(ws);
}

int main(void)
{
	static const char *const makes[] = {
		"true", "echo hello", "seq 1 30000", "head -c 100000 /dev/zero", "head -c 300000 /bin/sh",
		"cat /bin/bash",
	};

	srand(5);
	for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
		check("gzip", makes[i], "gzip -1");
		check("gzip", makes[i], "gzip -9");
		check("zstd", makes[i], "zstd -1 -c 2>/dev/null");
		check("zstd", makes[i], "zstd -19 -c 2>/dev/null");
		check("zstd", makes[i], "zstd --ultra -22 --no-check -c 2>/dev/null");
	}
	puts("ok");
	return 0;
}
