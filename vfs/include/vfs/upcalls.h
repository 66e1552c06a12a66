// SPDX-License-Identifier: MIT
#pragma once
/* What this room needs from above; each is defined by the room named. */
#include <lib/types.h>

struct file;
struct inode;
struct path;

/* ipc/: the last reference to a watched file (f_ep set) is gone; forget every watch of it. */
void eventpoll_release_file(struct file *file);
/* block/: open operations of block device nodes. */
int blkdev_open_inode(struct inode *inode, struct file *file);
