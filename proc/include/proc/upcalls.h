/* SPDX-License-Identifier: MIT */
/* What the life of a process needs of the rooms above. Each is defined by the room named. */
#pragma once

#include <lib/types.h>

struct task;
struct pid;
struct file;
struct files_struct;
struct fs_struct;
struct mnt_namespace;
struct user_namespace;

/* vfs/: descriptor tables and file-system context of a new and an ending task. 0 or -errno. */
int copy_files(unsigned long clone_flags, struct task *child, bool no_files);
void exit_files(struct task *task);
int copy_fs(unsigned long clone_flags, struct task *child);
void exit_fs(struct task *task);
int unshare_files(void);
int unshare_fs_struct(void);
/* The same in two steps: a copy for the running task alone (NULL: what it has is not shared; ERR_PTR), and its taking over, which cannot fail. */
struct files_struct *unshared_files(void);
void install_files(struct files_struct *files);
void put_files_struct(struct files_struct *files);
struct fs_struct *unshared_fs_struct(void);
void install_fs_struct(struct fs_struct *fs);
void free_fs_struct(struct fs_struct *fs);
/* vfs/: mount namespaces; ERR_PTR on failure. */
struct mnt_namespace *copy_mnt_ns(unsigned long flags, struct mnt_namespace *ns,
				  struct user_namespace *user_ns, struct fs_struct *fs);
void get_mnt_ns(struct mnt_namespace *ns);
void put_mnt_ns(struct mnt_namespace *ns);

/*
 * io_uring/: the running task, which has t->uring, ends, or (_stop) replaces its program: its
 * requests are stopped, or waited for. Before its files and memory go.
 */
void uring_task_exit(struct task *t);
void uring_task_stop(struct task *t);
/* io_uring/: the running task, a worker, ends. */
void uring_worker_exit(struct task *t);
/* io_uring/: T has t->uring_rules, as its maker has; the running task, which has some, ends. */
void uring_rules_fork(struct task *t);
void uring_rules_exit(struct task *t);
#ifdef CONFIG_KCOV
/* fs/: an ending task is traced no more. */
void exit_kcov(void);
#else
static inline void exit_kcov(void) { }
#endif
/* ipc/: futexes of an ending task or one that replaces its program (robust lists). */
void futex_exit_release(struct task *task);
/* ipc/, dev/: the session leader ends: its terminal is hung up; the task drops the terminal. */
void disassociate_ctty(bool on_exit);
/* exec/: writes a core file if that is wanted; true when it did. */
bool do_coredump(int sig);
/* ipc/: wakes FUTEX_WAIT at clear_child_tid. */
int do_futex_wake_private(struct uptr uaddr, int nr);
/* vfs/: the running task's root is not its namespace's. */
bool proc_current_chrooted(void);
/* fs/: the task of PID is gone: what the dentry cache keeps of its directories goes too. Sleeps. */
void proc_flush_pid(struct pid *pid);
/* dev/: the process of T leaves its terminal (setsid). tasklist_lock held. */
void proc_clear_tty(struct task *t);
struct signal_struct;
/* tty/: a process that inherited a terminal holds it; one that ends lets go. */
void proc_tty_inherited(struct signal_struct *s);
void proc_tty_released(struct signal_struct *s);
/* fs/: the descriptor of CLONE_PIDFD, in three steps. The number or -errno; file in *out. */
int proc_pidfd_prepare(struct pid *pid, bool thread, struct file **out);
void proc_pidfd_install(int fd, struct file *file);
void proc_pidfd_abort(int fd, struct file *file);
struct ipc_namespace;
/* ipc/: namespaces of System V IPC; a new one when FRESH, else a reference to OLD. ERR_PTR. */
struct ipc_namespace *copy_ipc_ns(bool fresh, struct ipc_namespace *old, struct user_namespace *user_ns);
struct ipc_namespace *get_ipc_ns(struct ipc_namespace *ns);
void put_ipc_ns(struct ipc_namespace *ns);
extern struct ipc_namespace init_ipc_ns;
struct net;
/* net/: network namespaces; a new one when FRESH, else a reference to OLD. ERR_PTR(-ENOSPC, -ENOMEM). */
struct net *copy_net_ns(bool fresh, struct net *old, struct user_namespace *user_ns);
struct net *get_net_ns(struct net *net);
void put_net(struct net *net);
struct user_namespace *net_ns_owner(struct net *net);
unsigned int net_ns_ino(struct net *net);
u64 net_ns_id(struct net *net);
/* ipc/: what semaphores get back when a process ends (SEM_UNDO). */
int copy_sysv_undo(unsigned long flags, struct task *child);
void exit_sysv_undo(struct task *t);
