// SPDX-License-Identifier: MIT
/*
 * Run in the guest: value set FILE NAME CHAR SIZE gives FILE an attribute of SIZE bytes CHAR, or
 * removes it if SIZE is 0; value get FILE NAME CHAR says how many of how many bytes are CHAR, or
 * none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int set(const char *file, const char *name, int c, size_t size)
{
	static char value[65536];

	if (!size)
		return removexattr(file, name) ? fail("removexattr") : 0;
	memset(value, c, sizeof(value));
	return setxattr(file, name, value, size, 0) ? fail("setxattr") : 0;
}

static int get(const char *file, const char *name, int c)
{
	static char value[65536];
	ssize_t n = getxattr(file, name, value, sizeof(value));
	int same = 0;

	if (n < 0 && errno == ENODATA)
		puts("none");
	if (n < 0)
		return errno == ENODATA ? 0 : fail("getxattr");
	for (ssize_t i = 0; i < n; i++)
		same += value[i] == c;
	printf("%d of %d\n", same, (int)n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "set"))
		return set(argv[2], argv[3], argv[4][0], strtoul(argv[5], NULL, 10));
	return argc == 5 && !strcmp(argv[1], "get") ? get(argv[2], argv[3], argv[4][0]) : 2;
}
