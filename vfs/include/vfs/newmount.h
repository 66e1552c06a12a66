// SPDX-License-Identifier: MIT
#pragma once
/* fsopen(2) and what follows it, below the edge. Descriptors are returned installed. */
#include <lib/types.h>

/* The smallest number of a mount; below it are the old numbers, which are reused. */
#define MNT_ID_FIRST ((1ull << 31) + 1)

struct file;
struct fs_context;
struct mnt_namespace;
struct mount_attr;
struct path;

int fs_context_fd(struct fs_context *fc, unsigned int o_flags);	/* takes @fc over */
struct fs_context *fs_context_of_file(struct file *file);	/* NULL: another kind of file */
int fs_context_param(struct fs_context *fc, const char *key, const char *value);
/* A value that is a path, a file or bytes: no filesystem here has an option of such a kind. */
int fs_context_other_param(struct fs_context *fc, const char *key);
int fs_context_create(struct fs_context *fc, bool exclusive);
int fs_context_reconfigure(struct fs_context *fc);
int fs_context_mount(struct fs_context *fc, u64 attr, unsigned int o_flags);
struct file *open_tree_clone(const struct path *path, bool recurse);
/* A reference to a new mount namespace; ERR_PTR. */
struct mnt_namespace *mnt_ns_of_tree(const struct path *path, bool recurse);
int path_move_mount(struct path *from, struct path *to, bool beneath);
int path_set_group(const struct path *from, const struct path *to);
int path_mount_setattr(const struct path *path, const struct mount_attr *attr, bool recurse);
/*
 * @fd >= 0: the mount of that file instead of @id. In the namespace @given (borrowed) or with the number @ns_seq; NULL and 0: the caller's.
 */
int do_statmount(u64 ns_seq, struct mnt_namespace *given, u64 id, int fd, u64 want, struct uptr buf, size_t bufsize);
ssize_t do_listmount(u64 ns_seq, struct mnt_namespace *given, u64 id, u64 last, struct uptr ids, size_t max, bool reverse);
