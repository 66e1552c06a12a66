/* SPDX-License-Identifier: MIT */
/* What terminals need of fs/devpts, which defines all of these. An instance is one devpts mount. */
#pragma once

#include <lib/types.h>

struct file;
struct inode;

/* The instance that an open ptmx belongs to, referenced: its own mount's, or that of ./pts beside it. ERR_PTR(-ENODEV...). */
void *devpts_acquire(struct file *ptmx);
void devpts_release(void *inst);
/* A number for a new pty: -ENOSPC (max=), -ENOMEM. */
int devpts_new_index(void *inst);
void devpts_kill_index(void *inst, int index);
/* The node N in the instance; DATA is what devpts_node_data() of its inode gives. -ENOMEM. */
int devpts_add_node(void *inst, int index, void *data);
void devpts_remove_node(void *inst, int index);
/* NULL: not a live devpts node. Under RCU or with the file open. */
void *devpts_node_data(struct inode *inode);
/* Opens node INDEX for TIOCGPTPEER, by the mount that the open ptmx is beside: a file, or ERR_PTR(-ENODEV...). */
struct file *devpts_open_node(void *inst, struct file *ptmx, int index, int flags);
