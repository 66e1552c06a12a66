// SPDX-License-Identifier: MIT
/* The first line of a "#!" file (execve(2), "Interpreter scripts"). */
#include <lib/script.h>
#include <lib/string.h>
#include <abi/errno.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A line that is cut will do if the interpreter's name is whole. */
static bool name_is_whole(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	while (p < end && !is_blank(*p) && *p)
		p++;
	return p < end;
}

int script_parse_line(char *s, size_t n, bool whole, char **name, char **arg)
{
	char *end, *p = s + 2;
	bool to_the_end;

	if (n < 2 || s[0] != '#' || s[1] != '!')
		return -ENOEXEC;
	end = memchr(s, '\n', n);
	to_the_end = whole && !end;
	if (!end) {
		end = s + n;
		if (!whole && !name_is_whole(p, end))
			return -ENOEXEC;
	}
	/* As on Linux, where what follows a short file in the buffer is zero: blanks at its end are not the line's end. */
	while (!to_the_end && end > p && is_blank(end[-1]))
		end--;
	*end = '\0';
	while (is_blank(*p))
		p++;
	if (!*p && !to_the_end)
		return -ENOEXEC;
	*name = p;
	while (*p && !is_blank(*p))
		p++;
	*arg = NULL;
	if (*p) {
		*p++ = '\0';
		while (is_blank(*p))
			p++;
		if (*p || to_the_end)
			*arg = p;
	}
	return 0;
}
