// SPDX-License-Identifier: MIT
#pragma once
struct inode;
struct super_block;
/* Takes @inode off the dirty list; it is about to go. Waits for writeback of it under way. */
void writeback_forget_inode(struct inode *inode);
/* Writes every dirty inode of @sb (NULL: of all); wait: data integrity. First error. */
int writeback_sync_sb(struct super_block *sb, bool wait);
