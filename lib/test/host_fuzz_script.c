// SPDX-License-Identifier: MIT
/* sources: lib/script.c */
/* "#!" lines: the interpreter and its argument lie in the line, have no blanks at their ends, and the interpreter none within. */
/* fuzz: -max_len=256 */
#define FUZZ_MAX 1024
#include <assert.h>
#include "lib/test/fuzz.h"
#include <lib/script.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static void fuzz_one(const u8 *p, size_t n)
{
	char *line = malloc(n + 1), *name = NULL, *arg = NULL;

	memcpy(line, p, n);
	line[n] = '\0';
	/* The end of a file that is no longer ends the line, with the blanks before it and whatever name there is. */
	bool open_end = n < 256 && !memchr(p, '\n', n);

	if (!script_parse_line(line, n, n < 256, &name, &arg)) {
		assert(name >= line + 2 && name + strlen(name) <= line + n && (*name || open_end) && !strpbrk(name, " \t\n"));
		assert(!arg || (arg > name + strlen(name) && arg + strlen(arg) <= line + n && (*arg || open_end) && !strchr(arg, '\n')));
		assert(!arg || !*arg || (!blank(*arg) && (open_end || !blank(arg[strlen(arg) - 1]) || memchr(p, 0, n))));
	}
	free(line);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const char *const lines[] = { "#!/bin/sh\n", "#! \t/usr/bin/env  python3 -x \t\nbody", "#!/bin/name-that-is-cut", "#!/bin/sh argument-that-is-cut", "#!\n",
					     "#! /x", "##" };

	if (i >= sizeof(lines) / sizeof(*lines))
		return 0;
	strcpy((char *)buf, lines[i]);
	return strlen(lines[i]);
}
