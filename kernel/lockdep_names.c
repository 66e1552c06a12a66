// SPDX-License-Identifier: MIT
/* The names of modules' locks: few and short, kept for ever. */
#include <lib/types.h>

#ifdef CONFIG_LOCKDEP
#include <lib/string.h>
#include "lockdep_priv.h"

const char *lockdep_copied_name(const char *name)
{
	static char names[8192];
	static size_t used;
	size_t size = strlen(name) + 1;
	char *at;

	for (at = names; at < names + used; at += strlen(at) + 1)
		if (!strcmp(at, name))
			return at;
	if (size > sizeof(names) - used)
		return NULL;
	memcpy(at, name, size);
	used += size;
	return at;
}
#endif
