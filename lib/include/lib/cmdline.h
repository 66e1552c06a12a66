/* SPDX-License-Identifier: MIT */
/* The words of a kernel command line (bootparam(7)): white space separates them, double quotes hide it. Pure. */
#pragma once

#include <lib/types.h>

/* The next word of *P, its quotes taken off; NULL at the end. Writes NULs into the text. */
char *cmdline_next_word(char **p);
/* Is WORD the parameter NAME (a dash and an underscore are the same)? *VALUE: what stands behind '=', NULL without one. */
bool cmdline_name_matches(const char *name, const char *word, const char **value);
