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

/* Between two pauses little comes out: others run meanwhile. */
static struct decomp_out *unpacking;
static size_t paused_at, pauses;

static void pause_here(void)
{
	size_t n = unpacking->len - paused_at;

	if (n > 2 * DECOMP_STRETCH + 258) {
		printf("%zu bytes without a pause\n", n);
		exit(1);
	}
	paused_at = unpacking->len;
	pauses++;
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
	unpacking = o;
	paused_at = pauses = 0;
	return *kind == 'g' ? gunzip(p, n, used, o) : unzstd(p, n, used, o, ws);
}

static void check(const char *kind, const char *make, const char *pack)
{
	char cmd[400];
	size_t plain_len, packed_len, used;
	u8 *plain, *packed;
	struct decomp_out o = { malloc(16), 0, 16, grow, pause_here };
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
	/* gzip's checksum goes over all of it once more. */
	if (o.len - paused_at > 2 * DECOMP_STRETCH || pauses < (*kind == 'g' ? plain_len / DECOMP_STRETCH * 2 : plain_len / DECOMP_STRETCH / 2)) {
		printf("%s of %s: %zu pauses\n", pack, make, pauses);
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
		if ((packed_len > 200000 || plain_len > 500000) && round > 20)
			break;
	}
out:
	free(plain);
	free(packed);
	free(o.buf);
	free(ws);
}

/* A member of N empty blocks: nothing comes out, but each pauses. */
static void check_empty_blocks(size_t n)
{
	static const u8 head[10] = { 0x1f, 0x8b, 8 };
	struct decomp_out o = { malloc(16), 0, 16, grow, pause_here };
	size_t size = 10 + (n * 10 + 7) / 8 + 8, used;
	u8 *p = calloc(1, size);

	memcpy(p, head, sizeof(head));
	for (size_t i = 0; i < n; i++) {	/* the last one's bit, type 1, and seven zeros: the end */
		size_t bit = i * 10 + 1;

		if (i == n - 1)
			p[10 + (bit - 1) / 8] |= (u8)(1u << (bit - 1) % 8);
		p[10 + bit / 8] |= (u8)(1u << bit % 8);
	}
	if (unpack("gzip", p, size, &used, &o, NULL) || o.len || used != size || pauses < n) {
		printf("%zu empty blocks: %zu pauses\n", n, pauses);
		exit(1);
	}
	free(p);
	free(o.buf);
}

int main(void)
{
	static const char *const makes[] = {
		"true", "echo hello", "seq 1 30000", "head -c 100000 /dev/zero", "head -c 300000 /bin/sh",
		"cat /bin/bash", "gzip -9 < /bin/bash", "head -c 2000000 /dev/zero",
	};

	srand(5);
	check_empty_blocks(10000);
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
