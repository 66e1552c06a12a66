/* SPDX-License-Identifier: MIT */
/* "#!" lines: INTERPRETER [ONE-ARGUMENT]. */
#pragma once

#include <lib/types.h>

/*
 * Splits the first line of the N bytes at S, behind which there is room for one more; WHOLE: that is all of the file, and its end ends
 * the line too. *NAME and *ARG (NULL: none) lie in it. -ENOEXEC where it is no such line, or holds no usable interpreter.
 */
int script_parse_line(char *s, size_t n, bool whole, char **name, char **arg);
