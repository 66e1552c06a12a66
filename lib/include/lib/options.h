/* SPDX-License-Identifier: MIT */
/* The text of mount options, "a,b=c". */
#pragma once

#include <lib/types.h>

/* The next option's key, NULL at the end; *VALUE: what stands behind '=', NULL without one. Writes NULs into the text. Empty keys are left out. */
char *option_next(char **text, char **value);

/* Values; -EINVAL for none and for what is not one. */
int fs_param_u64(const char *value, u64 *out);		/* plain number */
int fs_param_u32(const char *value, int base, u32 *out);
int fs_param_size(const char *value, u64 *out);		/* 10k, 4m, 1g */
