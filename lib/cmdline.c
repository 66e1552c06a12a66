// SPDX-License-Identifier: MIT
/* Words of the kernel command line. */
#include <lib/cmdline.h>

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *cmdline_next_word(char **p)
{
	char *s = *p, *w, *out;
	bool quoted = false;

	while (is_space(*s))
		s++;
	if (!*s)
		return NULL;
	for (w = out = s; *s && (quoted || !is_space(*s)); s++) {
		if (*s == '"')
			quoted = !quoted;
		else
			*out++ = *s;
	}
	*p = *s ? s + 1 : s;
	*out = '\0';
	return w;
}

static bool is_dash(char c)
{
	return c == '-' || c == '_';
}

bool cmdline_name_matches(const char *name, const char *word, const char **value)
{
	for (; *name; name++, word++)
		if (*name != *word && !(is_dash(*name) && is_dash(*word)))
			return false;
	*value = *word == '=' ? word + 1 : NULL;
	return *word == '=' || !*word;
}
