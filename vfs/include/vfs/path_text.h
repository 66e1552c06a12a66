// SPDX-License-Identifier: MIT
#pragma once
#include <lib/types.h>
struct path;
/*
 * getcwd(2)'s text of @path as seen from @root; ERR_PTR(-ENAMETOOLONG). "(unreachable)" is in front where
 * @path is not below @root. RCU is held and let go of on a long way. ERR_PTR(-ECHILD): take both again.
 */
char *d_path_root_rcu(const struct path *path, const struct path *root, char *buf, int buflen) __must_hold(RCU);
