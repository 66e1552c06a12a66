// SPDX-License-Identifier: MIT
#pragma once
/*
 * Advisory locks. Three families on one inode, each its own list: flock (owner: the open file), POSIX
 * (owner: the descriptor table), OFD (POSIX ranges, owner: the open file). Leases are refused.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <sched/mutex.h>
#include <sched/wait.h>

struct file;
struct inode;
struct files_struct;
struct pid_namespace;
struct seq_file;
struct task;

#define FL_POSIX	1
#define FL_FLOCK	2
#define FL_LEASE	32
#define FL_CLOSE	64
#define FL_SLEEP	128
#define FL_OFDLCK	1024
#define FL_FAMILY	(FL_POSIX | FL_FLOCK | FL_OFDLCK)
#define FILE_LOCK_DEFERRED 1

struct lock_end {
	loff_t			end;		/* -1: none */
	const void		*owner;
};

struct file_lock {
	struct list_head	fl_list;	/* [l] of the context: the granted list */
	struct rb_node		fl_own;		/* [l] of the context: flc_own */
	struct rb_node		fl_range;	/* [l] of the context: flc_read, flc_write; POSIX only */
	struct lock_end		fl_far[2];	/* [l] of fl_range and those below: the two farthest, of different owners */
	struct list_head	fl_blocked_member; /* [B] the blocker's fl_blocked_requests */
	struct list_head	fl_blocked_requests; /* [B] who waits for this one */
	struct ghash_node	fl_link;	/* [B] deadlock hash, waiting POSIX locks only */
	struct file_lock	*fl_blocker;	/* [B] */
	void			*fl_owner;
	unsigned int		fl_flags;
	unsigned char		fl_type;	/* F_RDLCK, F_WRLCK, F_UNLCK */
	int			fl_pid;
	wait_queue_head_t	fl_wait;
	struct file		*fl_file;
	loff_t			fl_start, fl_end;	/* inclusive */
};

struct file_lock_context {
	struct mutex		flc_lock;
	struct list_head	flc_flock;	/* [l] as they came */
	struct list_head	flc_posix;	/* [l] the locks of an owner beside each other, by start */
	struct rb_root		flc_own;	/* [l] all, by owner, family and start */
	struct rb_root		flc_read, flc_write;	/* [l] POSIX, by start */
	struct inode		*flc_inode;	/* constant */
	struct list_head	flc_all;	/* [C] */
};

void locks_remove_posix(struct file *, void *owner);
void locks_remove_file(struct file *);
void locks_free_lock_context(struct inode *inode);
void locks_init_lock(struct file_lock *fl);
int posix_lock_file(struct file *, struct file_lock *, struct file_lock *conflock);
void posix_test_lock(struct file *, struct file_lock *);
int vfs_lock_file(struct file *, unsigned int cmd, struct file_lock *, struct file_lock *conf);
int locks_lock_inode_wait(struct inode *inode, struct file_lock *fl);
int do_flock(struct file *file, unsigned int cmd);	/* flock(2) */
long fcntl_getlk(struct file *, unsigned int cmd, struct uptr arg);
long fcntl_setlk(unsigned int fd, struct file *, unsigned int cmd, struct uptr arg);
/* /proc/locks, and what fdinfo says of them, with the numbers that NS has for processes. */
int locks_show(struct seq_file *m, const struct pid_namespace *ns);
void show_fd_locks(struct seq_file *m, const struct pid_namespace *ns, struct file *filp, const void *files);
