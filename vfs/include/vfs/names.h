// SPDX-License-Identifier: MIT
#pragma once
/* System calls on names, for init_*() and syscall/. */
#include <vfs/file.h>
int do_renameat2(int olddfd, struct filename *from, int newdfd, struct filename *to, unsigned int flags);
int do_mknodat(int dfd, struct filename *name, umode_t mode, dev_t dev);
int do_mkdirat(int dfd, struct filename *name, umode_t mode);
int do_symlinkat(const char *target, int dfd, struct filename *name);
int do_linkat(int olddfd, struct filename *old, int newdfd, struct filename *new, int flags);
int do_unlinkat(int dfd, struct filename *name);
int do_rmdir(int dfd, struct filename *name);
bool is_local_mountpoint(const struct dentry *d);
void detach_if_mounted(struct dentry *d);
void d_delete_if_hashed(struct dentry *d);
