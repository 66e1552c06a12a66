// SPDX-License-Identifier: MIT
#pragma once
/* What mm needs from rooms above; each is defined in the room named. */
#include <lib/types.h>

struct file;
struct inode;
struct vma;
struct mm;
struct task;
struct user_namespace;
struct file_ra_state;
struct address_space;

/* proc: the current task's soft limit (RLIMIT_*), and a capability of the current task. */
unsigned long mm_rlimit(unsigned int resource);
bool mm_capable(int cap);
/* proc: references to the user namespace of a space; NULL is none. */
struct user_namespace *mm_user_ns_get(struct user_namespace *ns);
void mm_user_ns_put(struct user_namespace *ns);
/* proc: OOM choice. Calls fn for each process with a user mm that is not init's, with one of its threads. fn != 0 stops. */
int oom_for_each_process(int (*fn)(struct task *task, struct mm *mm, int oom_score_adj, bool dying, void *arg),
			 void *arg);
/* proc: SIGKILL to the whole process (and others that share its mm), mark it a victim. */
void oom_kill_process(struct task *task);
/* proc: name and pid for the kill message. */
const char *oom_task_name(struct task *task, int *pid);

/* vfs: files behind VMAs. */
struct file *mm_file_get(struct file *file);
void mm_file_put(struct file *file);
/* The file that a space runs: referenced, and not to be opened for writing meanwhile (ETXTBSY). The caller holds it already so. */
void mm_exe_file_get(struct file *file);
void mm_exe_file_put(struct file *file);
struct address_space *mm_file_mapping(struct file *file);	/* f_mapping */
#define MM_FILE_READ	1u	/* opened for reading */
#define MM_FILE_WRITE	2u	/* opened for writing */
#define MM_FILE_APPEND	4u	/* O_APPEND on an append-only inode: no shared writable map */
#define MM_FILE_NOEXEC	8u	/* on a noexec mount */
#define MM_FILE_CAN_MMAP 16u	/* has an mmap operation */
#define MM_FILE_REGULAR	32u	/* or a block device */
unsigned int mm_file_mode(struct file *file);
int mm_file_mmap(struct file *file, struct vma *vma);		/* f_op->mmap */
struct file_ra_state *mm_file_ra(struct file *file);		/* its readahead state, or NULL */
/* f_op->get_unmapped_area or 0 (use the default) */
unsigned long mm_file_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
				    unsigned long pgoff, unsigned long flags);
int mm_file_fsync(struct file *file, loff_t start, loff_t end);	/* msync(MS_SYNC) */
int mm_file_fallocate(struct file *file, int mode, loff_t off, loff_t len);	/* MADV_REMOVE */
int mm_file_fadvise(struct file *file, loff_t off, loff_t len, int advice);
/* The current task may see which pages of the file are in memory: the file's owner, or a task that may write it. */
bool mm_file_may_see_cache(struct file *file);
void mm_file_accessed(struct file *file);
void mm_file_update_time(struct file *file);			/* first write through a shared map */
/* vfs: an unlinked shmem file of this size, for MAP_SHARED|MAP_ANONYMOUS. ERR_PTR. name: "dev/zero". */
struct file *mm_shmem_file_setup(const char *name, loff_t size, unsigned long vm_flags);
/* vfs: the inode got its first dirty folio (put it on the superblock's dirty list). */
void mm_mark_inode_dirty_pages(struct inode *inode);
/* vfs: a write of the inode's data failed; into its superblock's error sequence. Any context. */
void mm_inode_write_failed(struct inode *inode, int error);
struct backing;
/* vfs: starts writing what is dirty for the device: all of it, or what is older than vm.dirty_expire_centisecs. For its flush work. */
void mm_flush_backing(struct backing *b, bool all);
/* ipc: mm->aio is set, and MM, which nobody uses any more, ends. Waits for what its requests have under way. */
void mm_aio_exit(struct mm *mm);
