// SPDX-License-Identifier: MIT
#pragma once
/*
 * Presents a tree of <kernel/show.h> nodes as directories, text files and links: what sysfs, debugfs and
 * /proc/sys are made of. The inode's i_private pins its node.
 */
#include <lib/types.h>

struct inode;
struct super_block;
struct show_node;

/* An inode for @node in @sb (takes its own pin). @sysctl: sizes are 0, capabilities open nothing. ERR_PTR. */
struct inode *showfs_inode(struct super_block *sb, struct show_node *node, bool sysctl);
/* Its number, in a mount that shows sysctls or not. */
u64 showfs_ino(const struct show_node *node, bool sysctl);
/* From evict_inode of whoever holds such inodes. */
void showfs_evict(struct inode *inode);
bool showfs_is_inode(const struct inode *inode);
