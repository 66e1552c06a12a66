// SPDX-License-Identifier: MIT
#pragma once
/* What this room needs from above; each is defined by the room named. */
#include <lib/types.h>

struct file;
struct inode;
struct mnt_namespace;
struct net;
struct path;

/* ipc/: the last reference to a watched file (f_ep set) is gone; forget every watch of it. */
void eventpoll_release_file(struct file *file);
/* block/: open operations of block device nodes. */
int blkdev_open_inode(struct inode *inode, struct file *file);
/* fs/: is it a namespace's? The mount of such files is nobody's, and they may be bind-mounted all the same. */
bool nsfs_is_file(const struct inode *inode);
/* fs/: the mount namespace whose file it is; NULL: another file. */
struct mnt_namespace *nsfs_mnt_ns(const struct inode *inode);
/* fs/: the network namespace whose file it is, not referenced; NULL: another file. */
struct net *nsfs_net(const struct inode *inode);
/* fs/: a descriptor for NET's file; -EMFILE, -ENOMEM. */
int nsfs_open_net(struct net *net);
