// SPDX-License-Identifier: MIT
/* sources: lib/options.c */
/* with sources: lib/numbers.c lib/string.c */
/* Mount options: each key and value is a piece of the text, in its order, and nothing of the text is lost but what separates. */
/* fuzz: -max_len=256 */
#define FUZZ_MAX 4096
#include <assert.h>
#include "lib/test/fuzz.h"
#include <lib/options.h>
#include <lib/string.h>

static void fuzz_one(const u8 *p, size_t n)
{
	char *text = malloc(n + 1), *at = text, *key, *value, *end;
	u64 v;
	u32 w;

	memcpy(text, p, n);
	text[n] = '\0';
	end = text + strlen(text);
	for (char *last = text; (key = option_next(&at, &value)); last = key + 1) {
		assert(key >= last && *key && *key != '=' && !strpbrk(key, ",=") && key + strlen(key) <= end);
		assert(!memcmp(key, p + (key - text), strlen(key)));
		if (!value)
			continue;
		assert(value == key + strlen(key) + 1 && value + strlen(value) <= end && !strchr(value, ','));
		if (!fs_param_u64(value, &v) && !fs_param_u32(value, 0, &w))
			assert(v == w);
		if (!fs_param_u32(value, 8, &w))
			assert(strtoul(value, NULL, 8) == w);
		if (!fs_param_size(value, &v))
			assert(strspn(value, "0123456789abcdefxABCDEFXKMGTkmgt") == strlen(value));
	}
	assert(!at);
	assert(fs_param_u64(NULL, &v) && fs_param_u32(NULL, 0, &w) && fs_param_u32("", 0, &w) && fs_param_size(NULL, &v));
	free(text);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const char *const texts[] = { "size=50%,nr_inodes=1k,mode=1777,uid=0", "ro,,=x,gid=5,a=b=c,", "hidepid=2,subset=pid", "ptmxmode=0666,newinstance", "", "size=0x10M,uid=99999999999" };

	if (i >= sizeof(texts) / sizeof(*texts))
		return 0;
	strcpy((char *)buf, texts[i]);
	return strlen(texts[i]) + 1;
}
