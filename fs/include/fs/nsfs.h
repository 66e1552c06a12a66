// SPDX-License-Identifier: MIT
#pragma once
/* Namespaces as files: what /proc/PID/ns links lead to and setns(2) takes. */
#include <lib/types.h>

struct path;
struct file;
struct task;

enum ns_kind { NSK_CGROUP, NSK_IPC, NSK_MNT, NSK_NET, NSK_PID, NSK_TIME, NSK_USER, NSK_UTS };

/* A path to a file for the namespace. @ns: a reference, taken over, also on failure (NULL: the kind that has one only). */
int nsfs_get_path(enum ns_kind kind, const char *label, void *ns, u64 ino, struct path *path);
/* A descriptor for it; -EMFILE, -ENOMEM. */
struct file *nsfs_open_file(enum ns_kind kind, const char *label, void *ns, u64 ino);
int nsfs_open_fd(enum ns_kind kind, const char *label, void *ns, u64 ino, unsigned int o_flags);
/* The namespace of an open namespace file (borrowed), or false: not one. */
bool nsfs_of_file(const struct file *file, enum ns_kind *kind, void **ns);
/* A reference to a namespace of TASK for the two above, its label and number (0: the task has none any more). */
void *task_get_ns(struct task *task, enum ns_kind kind, bool for_children, const char **label, u64 *ino);
