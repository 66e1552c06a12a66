/* SPDX-License-Identifier: MIT */
/* "#!" lines: INTERPRETER [ONE-ARGUMENT]. */
#pragma once

#include <lib/types.h>

/*
 * Splits the first line of the N bytes at S, behind which there is room for one more. *NAME and *ARG (NULL: none) lie in it. -ENOEXEC
 * where it is no such line, or holds no usable interpreter.
 */
int script_parse_line(char *s, size_t n, char **name, char **arg);
