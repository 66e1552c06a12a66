// SPDX-License-Identifier: MIT
/* sources: lib/cmdline.c */
/* fuzz: -max_len=256 */
/* The kernel command line: every byte of it is in one word at the most, and no word holds what separates them unless it was quoted. */
#include <assert.h>
#include "lib/test/fuzz.h"
#include <lib/cmdline.h>

static void fuzz_one(const u8 *p, size_t n)
{
	char *line = malloc(n + 1), *at = line, *w, *last = line;
	bool quotes = memchr(p, '"', n) != NULL;

	memcpy(line, p, n);
	line[n] = '\0';
	n = strlen(line);
	while ((w = cmdline_next_word(&at))) {
		const char *value = line;

		assert(w >= last && w + strlen(w) <= line + n && at <= line + n && at > w);
		last = at;
		assert(quotes || !strpbrk(w, " \t\n\v\f\r"));
		if (cmdline_name_matches("log-buf_len", w, &value))
			assert(!value || value == w + 12);
		assert(!cmdline_name_matches("", w, &value) || !*w || *w == '=');
	}
	free(line);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const char *const lines[] = {
		"console=ttyS0,115200n8 root=/dev/vda1 rw init=/bin/sh quiet loglevel=7 -- -c \"echo hello\"",
		"log_buf_len=1M log-buf-len=2M  a=\"b c\" \"d e\"=f \t\n mem=256M\v x.y=z TERM=vt100", "\"", "log_buf_len",
	};

	if (i >= sizeof(lines) / sizeof(*lines))
		return 0;
	strcpy((char *)buf, lines[i]);
	return strlen(lines[i]);
}
