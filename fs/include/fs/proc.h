// SPDX-License-Identifier: MIT
#pragma once
/*
 * procfs entries. Static entries live until removed; a file opened before its removal keeps working
 * until closed because every operation runs inside a use count of the entry.
 */
#include <lib/types.h>
#include <vfs/seq_file.h>
#include <vfs/poll.h>

struct proc_dir_entry;
struct file;
struct pid;
struct task;

struct proc_ops {
	int (*proc_open)(struct inode *, struct file *);
	ssize_t (*proc_read_iter)(struct kiocb *, struct iter *);
	ssize_t (*proc_write)(struct file *, struct uptr, size_t, loff_t *);
	loff_t (*proc_lseek)(struct file *, loff_t, int);
	int (*proc_release)(struct inode *, struct file *);
	__poll_t (*proc_poll)(struct file *, struct poll_table_struct *);
	long (*proc_ioctl)(struct file *, unsigned int, unsigned long);
	int (*proc_mmap)(struct file *, struct vma *);
};

struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent);
struct proc_dir_entry *proc_mkdir_mode(const char *name, umode_t mode, struct proc_dir_entry *parent);
struct proc_dir_entry *proc_create(const char *name, umode_t mode, struct proc_dir_entry *parent,
				   const struct proc_ops *ops);
struct proc_dir_entry *proc_create_data(const char *name, umode_t mode, struct proc_dir_entry *parent,
					const struct proc_ops *ops, void *data);
struct proc_dir_entry *proc_create_seq(const char *name, umode_t mode, struct proc_dir_entry *parent,
				       const struct seq_operations *ops);
struct proc_dir_entry *proc_create_single(const char *name, umode_t mode,
					  struct proc_dir_entry *parent,
					  int (*show)(struct seq_file *, void *));
struct proc_dir_entry *proc_create_single_data(const char *name, umode_t mode,
					       struct proc_dir_entry *parent,
					       int (*show)(struct seq_file *, void *), void *data);
struct proc_dir_entry *proc_symlink(const char *name, struct proc_dir_entry *parent,
				    const char *target);
struct proc_dir_entry *proc_create_mount_point(const char *name);
void proc_remove(struct proc_dir_entry *entry);
void remove_proc_entry(const char *name, struct proc_dir_entry *parent);
void *pde_data(const struct inode *inode);
/* The pid (borrowed) whose directory, /proc/PID, this open file is, or NULL. */
struct pid *proc_dir_pid(const struct file *file);
