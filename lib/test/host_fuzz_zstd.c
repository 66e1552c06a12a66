// SPDX-License-Identifier: MIT
/* sources: lib/zstd.c */
/* with sources: lib/inflate.c */
/* fuzz: -max_len=1024 */
/* zstd frames: any bytes end in output within its buffer or an error. */
#include "lib/test/fuzz_unpack.h"

static int unpack(const u8 *p, size_t n, size_t *used, struct decomp_out *o)
{
	static void *workspace;

	if (!workspace)
		workspace = malloc(unzstd_workspace());
	return unzstd(p, n, used, o, workspace);
}

static void fuzz_one(const u8 *p, size_t n)
{
	unpack_one(p, n, unpack);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	/* "hello", a raw block and no checksum (RFC 8878, 3.1.1); the others by the host's zstd where there is one. */
	static const u8 raw[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0, 'h', 'e', 'l', 'l', 'o' };
	static const char *const make[] = { "seq 300 | zstd -19 -c 2>/dev/null", "head -c 3000 /dev/zero | zstd -c 2>/dev/null",
					    "seq 9000 | zstd -c 2>/dev/null",
					    "seq 3000 | zstd -19 --target-compressed-block-size=1340 -c 2>/dev/null" };

	if (i == 0) {
		memcpy(buf, raw, sizeof(raw));
		return sizeof(raw);
	}
	return i <= 4 ? output_of(make[i - 1], buf) : 0;
}
