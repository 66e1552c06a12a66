// SPDX-License-Identifier: MIT
#pragma once
#include <lib/types.h>
struct path;
/* getcwd(2)'s and /proc's text of @path as seen from @root; ERR_PTR(-ENAMETOOLONG). */
char *d_path_root(const struct path *path, const struct path *root, char *buf, int buflen,
		  bool mark_deleted, bool mark_unreachable);
