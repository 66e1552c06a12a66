// SPDX-License-Identifier: MIT
#pragma once
/*
 * Inside procfs. An inode is of a static entry (pde), of a show node (/proc/sys), or of a task: then pid
 * says which, and the operations what of it.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/namei.h>
#include <vfs/seq_file.h>
#include <fs/proc.h>
#include <proc/pid.h>
#include <proc/ns.h>
#include <proc/ptrace.h>
#include <sched/task.h>

#define PROC_ROOT_INO 1
#define PROC_DYNAMIC_FIRST 0xf0000000u
#define FIRST_PROCESS_ENTRY 256

struct proc_dir_entry {
	const char		*name;
	umode_t			mode;
	u64			ino;
	unsigned int		nlink;
	bool			dead;		/* removed */
	atomic_t		refs;
	struct proc_dir_entry	*parent;
	struct list_head	children;	/* proc_lock */
	union {
		struct list_head sibling;	/* proc_lock */
		struct rcu_head	rcu;		/* without a reference: read within RCU still */
	};
	const struct proc_ops	*ops;
	const struct seq_operations *seq_ops;
	int			(*single_show)(struct seq_file *, void *);
	char			*link;
	void			*data;
	const struct inode_operations *iops;	/* NULL: the usual ones */
};

struct proc_inode {
	struct proc_dir_entry	*pde;	/* referenced */
	struct pid		*pid;	/* referenced */
	struct hlist_node	of_pid;	/* pid->lock: a task's directory, in pid->inodes */
	unsigned int		fd;
	struct inode		vfs_inode;
};

static inline struct proc_inode *PROC_I(const struct inode *inode)
{
	return container_of((struct inode *)(unsigned long)inode, struct proc_inode, vfs_inode);
}

struct proc_fs_info {
	struct pid_namespace	*pid_ns;
	kgid_t			pid_gid;
	int			hide_pid;
	bool			pid_only;
};
static inline struct proc_fs_info *proc_sb_info(struct super_block *sb) { return sb->s_fs_info; }
static inline struct pid_namespace *proc_pid_ns(struct super_block *sb) { return proc_sb_info(sb)->pid_ns; }

extern struct proc_dir_entry proc_root;

/* root.c */
struct dentry *proc_lookup_de(struct inode *dir, struct dentry *d, struct proc_dir_entry *de);
int proc_readdir_de(struct file *file, struct dir_context *ctx, struct proc_dir_entry *de);
/* pid.c: tasks as directories. */
struct dentry *proc_pid_lookup(struct dentry *d, struct super_block *sb);
int proc_pid_readdir(struct file *file, struct dir_context *ctx);
/*
 * Inode numbers of tasks' files: the task's pid->ino, whether the directory is a thread's, a kind,
 * a number. So that a directory lists the numbers that stat(2) says without a look at the files.
 */
enum proc_of_task { PROC_OF_TASK, PROC_OF_ENTRY, PROC_OF_NET, PROC_OF_FD, PROC_OF_FDINFO, PROC_OF_NS };
static inline u64 proc_task_ino(const struct pid *pid, bool thread)
{
	return pid->ino << 36 | (u64)thread << 32;
}
/* DIR: a task's directory, or one in it. */
static inline u64 proc_ino_in(const struct inode *dir, enum proc_of_task kind, u32 n)
{
	return (dir->i_ino & (~0ull << 36 | 1ull << 32)) | (u64)kind << 33 | n;
}
struct inode *proc_task_inode(struct super_block *sb, struct task *task, umode_t mode, u64 ino);
void proc_pid_forget(struct proc_inode *pi);	/* it goes: out of pid->inodes */
void proc_task_owner(struct task *task, umode_t mode, kuid_t *uid, kgid_t *gid);
struct task *get_proc_task(const struct inode *inode);	/* referenced or NULL */
extern const struct dentry_operations proc_pid_dops;
int __must_check proc_begin_access(struct task *task, unsigned int mode);
#define proc_end_access(task) ptrace_end_access(task)
int proc_task_permission(struct mnt_idmap *idmap, struct inode *inode, int mask);
bool proc_in_list(const char *name, u32 len, const char *want);

/* One thing of a task. */
struct pid_entry {
	const char	*name;
	umode_t		mode;
	const struct inode_operations *iop;
	const struct file_operations *fop;
	/* a file of one record about the task, for file operations proc_single_fops */
	int (*show)(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task);
	/* a file of one record about the network namespace of the task, in /proc/PID/net */
	void (*show_net)(struct seq_file *m, struct net *net);
	/* a magic link */
	int (*get_link)(struct task *task, struct path *path);
};
struct dentry *proc_entries_lookup(struct inode *dir, struct dentry *d, const struct pid_entry *ents,
				   unsigned int n, enum proc_of_task kind);
int proc_entries_readdir(struct file *file, struct dir_context *ctx, const struct pid_entry *ents,
			 unsigned int n, enum proc_of_task kind);
extern const struct file_operations proc_single_fops;
extern const struct inode_operations proc_link_iops;
int proc_setattr(struct mnt_idmap *, struct dentry *, struct iattr *);

/* fd.c */
extern const struct inode_operations proc_fd_iops, proc_fdinfo_iops;
extern const struct file_operations proc_fd_fops, proc_fdinfo_fops;
/* mem.c */
long proc_maps_query(struct mm *mm, struct uptr arg);	/* mapquery.c */
extern const struct file_operations proc_maps_fops, proc_smaps_fops, proc_numa_maps_fops, proc_rollup_fops, proc_mem_fops,
	proc_cmdline_fops, proc_environ_fops, proc_auxv_fops, proc_clear_refs_fops, proc_pagemap_fops;
/* login.c */
extern const struct file_operations proc_loginuid_fops, proc_sessionid_fops;
/* status.c */
int proc_show_status(struct seq_file *, struct pid_namespace *, struct pid *, struct task *);
int proc_show_stat(struct seq_file *, struct pid_namespace *, struct pid *, struct task *);
int proc_show_thread_stat(struct seq_file *, struct pid_namespace *, struct pid *, struct task *);
int proc_show_statm(struct seq_file *, struct pid_namespace *, struct pid *, struct task *);
int proc_show_limits(struct seq_file *, struct pid_namespace *, struct pid *, struct task *);
int proc_show_io(struct seq_file *, struct pid_namespace *, struct pid *, struct task *);
int proc_show_sched(struct seq_file *, struct pid_namespace *, struct pid *, struct task *);
int proc_show_schedstat(struct seq_file *, struct pid_namespace *, struct pid *, struct task *);
char proc_state_char(struct task *t);
/* ns.c */
extern const struct inode_operations proc_ns_dir_iops;
extern const struct file_operations proc_ns_dir_fops;
/* net.c */
extern const struct inode_operations proc_net_iops;
extern const struct file_operations proc_net_fops;
/* self.c */
struct dentry *proc_self_lookup(struct inode *dir, struct dentry *d);
/* children.c */
extern const struct file_operations proc_children_fops;
/* userns.c */
extern const struct file_operations proc_uid_map_fops, proc_gid_map_fops, proc_projid_map_fops,
	proc_setgroups_fops;
