// SPDX-License-Identifier: MIT
#pragma once
/* mount(2) and its relatives below the edge, and the numbers a mount is known by. */
#include <lib/types.h>

struct path;
struct filename;
struct vfsmount;

bool may_mount(void);
/* Strings are kernel memory; @options is modified. @from: the source as a file name too, for binds. */
int path_mount(const char *dev, struct filename *from, struct path *path, const char *type,
	       unsigned long flags, char *options);
int path_umount(struct path *path, int flags);	/* eats the path */
int path_pivot_root(const struct path *new, const struct path *old);
/* What mountinfo shows, and the number that is never reused. */
int mnt_id_of(const struct vfsmount *mnt);
u64 mnt_unique_id_of(const struct vfsmount *mnt);
