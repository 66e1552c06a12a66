// SPDX-License-Identifier: MIT
/*
 * What ./ochre asks of programs on this machine:
 *
 *	tool check FILE...		says which lines of which files are none; status 1 if any is
 *	tool split FILE			each program of FILE as it would be printed, for merging: one that is the same is the same text
 *	tool c TITLE TIMES FILE		FILE's first program as C
 *	tool make SEED N		N programs
 */
#include "mutate.h"
#include "desc.h"
#include <stdlib.h>
#include <string.h>

static char *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	size_t room = 1 << 16, r;
	char *text = must_alloc(room);

	if (!f) {
		perror(path);
		exit(2);
	}
	for (*n = 0; (r = fread(text + *n, 1, room - *n, f)); ) {
		*n += r;
		if (*n == room && !(text = realloc(text, room *= 2)))
			exit(2);
	}
	fclose(f);
	return text;
}

enum what { CHECK, SPLIT, TO_C };

static int each(const char *path, enum what what, const char *title, unsigned int times)
{
	static char out[PROG_BYTES];
	size_t n;
	char *text = slurp(path, &n), *end = text + n, *next;
	unsigned int number = 0;
	int bad = 0;

	for (char *at = text; at < end; at = next, number++) {
		struct prog p;
		char err[120];

		for (next = at + 1; next < end && !(*next == '@' && next[-1] == '\n'); next++)
			;
		if (!prog_parse(&p, at, (size_t)(next - at), err)) {
			fprintf(stderr, "%s: program %u, %s\n", path, number, err);
			bad = 1;
			continue;
		}
		if (what == SPLIT && p.n)
			fwrite(out, 1, prog_print(&p, out, sizeof(out)), stdout);
		if (what == TO_C)
			prog_to_c(&p, stdout, title, times);
		prog_free(&p);
		if (what == TO_C)
			break;
	}
	free(text);
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0;

	if (argc > 2 && !strcmp(argv[1], "check")) {
		for (int i = 2; i < argc; i++)
			bad |= each(argv[i], CHECK, NULL, 0);
		return bad;
	}
	if (argc == 3 && !strcmp(argv[1], "split"))
		return each(argv[2], SPLIT, NULL, 0);
	if (argc == 5 && !strcmp(argv[1], "c"))
		return each(argv[4], TO_C, argv[2], (unsigned int)strtoul(argv[3], NULL, 0));
	if (argc == 4 && !strcmp(argv[1], "make")) {
		rng_seed(strtoull(argv[2], NULL, 0));
		for (long i = strtol(argv[3], NULL, 0); i > 0; i--) {
			static char out[PROG_BYTES];
			struct prog p;

			prog_generate(&p, 1 + (unsigned int)rng_below(10));
			for (uint64_t k = rng_below(6); k; k--)
				prog_mutate(&p);
			fwrite(out, 1, prog_print(&p, out, sizeof(out)), stdout);
			prog_free(&p);
		}
		return 0;
	}
	fputs("usage: tool check FILE... | split FILE | c TITLE TIMES FILE | make SEED N\n", stderr);
	return 2;
}
