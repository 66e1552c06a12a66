// SPDX-License-Identifier: MIT
/* The first line of a "#!" file (execve(2), "Interpreter scripts"). */
#include <lib/script.h>
#include <lib/string.h>
#include <abi/errno.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int script_parse_line(char *s, size_t n, char **name, char **arg)
{
	char *end, *p = s + 2;

	if (n < 2 || s[0] != '#' || s[1] != '!')
		return -ENOEXEC;
	end = memchr(s, '\n', n);
	if (!end) {
		/* A cut line will do if the interpreter's name is whole. */
		char *q = p;

		end = s + n;
		while (q < end && is_blank(*q))
			q++;
		while (q < end && !is_blank(*q) && *q)
			q++;
		if (q == end)
			return -ENOEXEC;
	}
	while (end > p && is_blank(end[-1]))
		end--;
	*end = '\0';
	while (is_blank(*p))
		p++;
	if (!*p)
		return -ENOEXEC;
	*name = p;
	while (*p && !is_blank(*p))
		p++;
	*arg = NULL;
	if (*p) {
		*p++ = '\0';
		while (is_blank(*p))
			p++;
		if (*p)
			*arg = p;
	}
	return 0;
}
