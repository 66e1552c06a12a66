// SPDX-License-Identifier: MIT
#pragma once
/*
 * Open files and the tables that name them by number.
 *
 * A struct file's memory stays a struct file until a grace period has passed (type-safe slab), so the
 * lock-free fd lookup may touch one that is being closed: it takes a reference unless the count is 0
 * and then checks that the table still points there. fdget() of a table with one user takes none.
 *
 * Locks: [f] f_lock  [p] f_pos_lock (when FMODE_ATOMIC_POS)  [t] files_struct.file_lock  [c] constant
 */
#include <lib/types.h>
#include <lib/list.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <kernel/spinlock.h>
#include <kernel/rcu.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <mm/iter.h>
#include <mm/filemap.h>
#include <vfs/mount.h>
#include <vfs/poll.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/falloc.h>

struct file;
struct inode;
struct cred;
struct dir_context;
struct vma;
struct pipe_inode_info;
struct file_lock;
struct seq_file;
struct fown_struct;
typedef void *fl_owner_t;

/* f_mode */
typedef unsigned int fmode_t;
#define FMODE_READ		0x00000001u
#define FMODE_WRITE		0x00000002u
#define FMODE_LSEEK		0x00000004u
#define FMODE_PREAD		0x00000008u
#define FMODE_PWRITE		0x00000010u
#define FMODE_EXEC		0x00000020u
#define FMODE_WRITE_RESTRICTED	0x00000040u
#define FMODE_CAN_ATOMIC_WRITE	0x00000080u
#define FMODE_NOCMTIME		0x00000800u
#define FMODE_RANDOM		0x00001000u
#define FMODE_PATH		0x00004000u	/* O_PATH */
#define FMODE_ATOMIC_POS	0x00008000u	/* f_pos needs its lock */
#define FMODE_WRITER		0x00010000u	/* holds write access of the inode and mount */
#define FMODE_CAN_READ		0x00020000u	/* has a read operation */
#define FMODE_CAN_WRITE		0x00040000u
#define FMODE_OPENED		0x00080000u
#define FMODE_CREATED		0x00100000u
#define FMODE_STREAM		0x00200000u	/* no position at all */
#define FMODE_CAN_ODIRECT	0x00400000u
#define FMODE_NOREUSE		0x00800000u
#define FMODE_DNOTIFY		0x01000000u	/* [f] F_NOTIFY was asked for: closing has to look */
#define FMODE_BACKING		0x02000000u
#define FMODE_NOWAIT		0x08000000u	/* IOCB_NOWAIT is honoured */
#define FMODE_NEED_UNMOUNT	0x10000000u
#define FMODE_NOACCOUNT		0x20000000u
/* Kernel-internal open flag: opened for execution. */
#define __FMODE_EXEC		0x20

#define OPEN_FMODE(flag) ((fmode_t)(((flag) + 1) & O_ACCMODE))
#define ACC_MODE(x) ("\004\002\006\006"[(x) & O_ACCMODE])

#ifndef O_LARGEFILE
#define O_LARGEFILE 00100000
#endif
#define VALID_OPEN_FLAGS (O_RDONLY | O_WRONLY | O_RDWR | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | \
	O_APPEND | O_NDELAY | O_NONBLOCK | __O_SYNC | O_DSYNC | FASYNC | O_DIRECT | O_LARGEFILE | \
	O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | __O_TMPFILE)

/* Types of directory entries: those of the C library's <dirent.h>. */
enum { DT_UNKNOWN = 0, DT_FIFO = 1, DT_CHR = 2, DT_DIR = 4, DT_BLK = 6, DT_REG = 8, DT_LNK = 10,
	DT_SOCK = 12, DT_WHT = 14 };

struct dir_context {
	/* true: taken, go on; false: stop (full, or a signal) */
	bool (*actor)(struct dir_context *, const char *name, int len, loff_t pos, u64 ino,
		      unsigned int type);
	loff_t pos;
	int count;
};

struct file_operations {
	unsigned int fop_flags;			/* FOP_* */
	loff_t (*llseek)(struct file *, loff_t, int whence);
	ssize_t (*read_iter)(struct kiocb *, struct iter *);
	ssize_t (*write_iter)(struct kiocb *, struct iter *);
	int (*iterate_shared)(struct file *, struct dir_context *);	/* i_rwsem held shared */
	__poll_t (*poll)(struct file *, struct poll_table_struct *);
	long (*ioctl)(struct file *, unsigned int cmd, unsigned long arg);
	int (*mmap)(struct file *, struct vma *);
	unsigned long (*get_unmapped_area)(struct file *, unsigned long addr, unsigned long len,
					   unsigned long pgoff, unsigned long flags);
	int (*open)(struct inode *, struct file *);
	int (*flush)(struct file *, fl_owner_t id);	/* every close(2) */
	int (*release)(struct inode *, struct file *);	/* the last one */
	int (*fsync)(struct file *, loff_t start, loff_t end, int datasync);
	int (*fasync)(int fd, struct file *, int on);
	int (*lock)(struct file *, int cmd, struct file_lock *);
	int (*flock)(struct file *, int cmd, struct file_lock *);
	ssize_t (*splice_write)(struct pipe_inode_info *, struct file *, loff_t *, size_t,
				unsigned int flags);
	ssize_t (*splice_read)(struct file *, loff_t *, struct pipe_inode_info *, size_t,
			       unsigned int flags);
	/* The up-to-date page at an index, referenced, for a reader that copies nothing; NULL: a hole; ERR_PTR. */
	struct page *(*splice_page)(struct file *, pgoff_t index);
	long (*fallocate)(struct file *, int mode, loff_t offset, loff_t len);
	/* A part of one file becomes another's too, where that shares blocks: vfs/remap.h. Bytes. */
	loff_t (*remap_range)(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out,
			      loff_t len, unsigned int flags);
	int (*fadvise)(struct file *, loff_t offset, loff_t len, int advice);
	void (*show_fdinfo)(struct seq_file *m, struct file *f);
};
#define FOP_MMAP_SYNC		1u
#define FOP_UNSIGNED_OFFSET	2u	/* f_pos may be "negative": /proc/PID/mem */
#define FOP_DIO_PARALLEL_WRITE	4u
#define FOP_NOWAIT		FMODE_NOWAIT	/* read_iter and write_iter honour IOCB_NOWAIT */
#define FOP_NOT_SENT		8u	/* not over sockets (SCM_RIGHTS: EINVAL): circles of them would never end */

struct file {
	atomic_long_t		f_count;	/* 0: being closed */
	fmode_t			f_mode;		/* [c] after open */
	unsigned int		f_flags;	/* [f] O_* */
	const struct file_operations *f_op;	/* [c] */
	struct address_space	*f_mapping;	/* [c] */
	void			*private_data;	/* the owner's */
	struct inode		*f_inode;	/* [c] */
	const struct cred	*f_cred;	/* [c] the opener's */
	struct path		f_path;		/* [c] */
	loff_t			f_pos;		/* [p] */
	struct mutex		f_pos_lock;
	spinlock_t		f_lock;
	unsigned int		f_iocb_flags;	/* IOCB_* of f_flags */
	struct fown_struct	*f_owner;	/* set once: SIGIO */
	errseq_t		f_wb_err;	/* last writeback error seen */
	errseq_t		f_sb_err;
	u64			f_version;
	struct file_ra_state	f_ra;
	void			*f_ep;		/* epoll's watchers, epoll's locks */
	union {
		struct rcu_head	f_rcu;
		struct task_work f_work;	/* delayed final put */
		struct file	*f_free_next;
	};
};

static inline struct inode *file_inode(const struct file *f) { return f->f_inode; }
static inline struct dentry *file_dentry(const struct file *f) { return f->f_path.dentry; }
struct mnt_idmap *file_mnt_idmap(const struct file *f);

static inline struct file *get_file(struct file *f)
{
	atomic_long_inc(&f->f_count);
	return f;
}
static inline bool get_file_rcu(struct file *f) { return atomic_long_inc_not_zero(&f->f_count); }
#define file_count(f) atomic_long_read(&(f)->f_count)
void fput(struct file *f);		/* final put runs on return to user or in a work item */
void __fput_sync(struct file *f);	/* final put here: kernel threads that know they may sleep */

/* Descriptor tables. */
#define NR_OPEN_DEFAULT BITS_PER_LONG

struct fdtable {
	unsigned int	max_fds;
	struct file __rcu **fd;
	unsigned long	*close_on_exec;
	unsigned long	*open_fds;
	unsigned long	*full_fds_bits;		/* one bit a full word of open_fds */
	struct rcu_head	rcu;
};

struct files_struct {
	atomic_t	count;			/* tasks sharing it */
	bool		resize_in_progress;	/* [t] */
	wait_queue_head_t resize_wait;
	struct fdtable __rcu *fdt;		/* replaced under [t] */
	struct fdtable	fdtab;			/* the first table */
	spinlock_t	file_lock;
	unsigned int	next_fd;		/* [t] no free number below */
	unsigned long	close_on_exec_init[1];
	unsigned long	open_fds_init[1];
	unsigned long	full_fds_bits_init[1];
	struct file __rcu *fd_array[NR_OPEN_DEFAULT];
};

/* Under its lock, or of a table that has one user. */
#define __files_mine(files) (lockdep_is_held(&(files)->file_lock) || atomic_read(&(files)->count) <= 1)
#define files_fdt(files) rcu_dereference_protected((files)->fdt, __files_mine(files))
#define files_slot(files, table, n) rcu_dereference_protected((table)->fd[n], __files_mine(files))

/* A file borrowed from the table: low bits say what to undo. */
struct fd {
	unsigned long word;
};
#define FDPUT_FPUT	1ul
#define FDPUT_POS_UNLOCK 2ul
#define fd_file(f) ((struct file *)((f).word & ~3ul))
#define fd_empty(f) unlikely(!(f).word)
#define EMPTY_FD ((struct fd){ 0 })

struct fd fdget(unsigned int fd);	/* not O_PATH files */
struct fd fdget_raw(unsigned int fd);	/* any file */
struct fd fdget_pos(unsigned int fd);	/* and f_pos locked where needed */
void fdput_slow(struct fd f);
static inline void fdput(struct fd f)
{
	if (unlikely(f.word & FDPUT_FPUT))
		fput(fd_file(f));
}
static inline void fdput_pos(struct fd f)
{
	if (unlikely(f.word & 3))
		fdput_slow(f);
}
struct file *fget(unsigned int fd);	/* with a reference; NULL: EBADF */
struct file *fget_raw(unsigned int fd);
struct file *fget_task(struct task *task, unsigned int fd);
/* OWNER: the owner of TASK's POSIX locks. It may be freed at once: only compare the pointer. */
struct file *fget_task_info(struct task *task, unsigned int fd, bool *cloexec, const void **owner);
struct file *fget_task_next(struct task *task, unsigned int *fd);	/* first at or after *fd */

int get_unused_fd_flags(unsigned int flags);	/* O_CLOEXEC; -EMFILE */
void put_unused_fd(unsigned int fd);
void fd_install(unsigned int fd, struct file *file);	/* eats the reference */
int receive_fd(struct file *file, struct uptr ufd, unsigned int flags);	/* SCM_RIGHTS, pidfd_getfd */
int f_dupfd(unsigned int from, struct file *file, unsigned int flags);
int replace_fd(unsigned int fd, struct file *file, unsigned int flags);
int close_fd(unsigned int fd);
struct file *file_close_fd(unsigned int fd);
/* FD of the caller's table is FILE still. True: who closes it afterwards sees what was written before this call. */
bool fd_names(unsigned int fd, const struct file *file);
bool get_close_on_exec(unsigned int fd);
void set_close_on_exec(unsigned int fd, int on);
int iterate_fd(struct files_struct *files, unsigned int from,
	       int (*fn)(const void *, struct file *, unsigned int), const void *arg);

/* Task life: called by proc/ and exec/. */
int copy_files(unsigned long clone_flags, struct task *child, bool no_files);
void exit_files(struct task *task);
int unshare_files(void);		/* exec: a private table */
void do_close_on_exec(struct files_struct *files);
void put_files_struct(struct files_struct *files);
extern struct files_struct init_files;

/* Making files. */
struct file *alloc_empty_file(int flags, const struct cred *cred);
struct file *alloc_file_pseudo(struct inode *inode, struct vfsmount *mnt, const char *name, int flags,
			       const struct file_operations *fops);	/* eats the inode on success */
struct file *alloc_file_clone(struct file *base, int flags, const struct file_operations *fops);
struct file *filp_open(const char *name, int flags, umode_t mode);
struct file *file_open_root(const struct path *root, const char *name, int flags, umode_t mode);
struct file *dentry_open(const struct path *path, int flags, const struct cred *cred);
int filp_close(struct file *f, fl_owner_t id);
int vfs_open(const struct path *path, struct file *file);
int finish_open(struct file *file, struct dentry *dentry, int (*open)(struct inode *, struct file *));
int finish_no_open(struct file *file, struct dentry *dentry);
void replace_fops(struct file *f, const struct file_operations *fops);
int nonseekable_open(struct inode *, struct file *);
int stream_open(struct inode *, struct file *);
int generic_file_open(struct inode *, struct file *);
void file_accessed(struct file *file);

/* Position, reading, writing. Sizes are capped at MAX_RW_COUNT. */
#define MAX_RW_COUNT (INT_MAX & PAGE_MASK)
#define MAX_LFS_FILESIZE ((loff_t)LLONG_MAX)
loff_t vfs_llseek(struct file *, loff_t, int);
loff_t no_llseek(struct file *, loff_t, int);
loff_t noop_llseek(struct file *, loff_t, int);
loff_t default_llseek(struct file *, loff_t, int);
loff_t fixed_size_llseek(struct file *, loff_t, int, loff_t size);
loff_t generic_file_llseek(struct file *, loff_t, int);
loff_t generic_file_llseek_size(struct file *, loff_t, int, loff_t maxsize, loff_t eof);
loff_t vfs_setpos(struct file *, loff_t offset, loff_t maxsize);
int rw_verify_area(int write, struct file *, const loff_t *pos, size_t count);
/* pos: not NULL; a stream does not look at it. */
ssize_t vfs_read(struct file *, struct uptr buf, size_t count, loff_t *pos);
ssize_t vfs_write(struct file *, struct uptr buf, size_t count, loff_t *pos);
ssize_t kernel_read(struct file *, void *buf, size_t count, loff_t *pos);
ssize_t kernel_write(struct file *, const void *buf, size_t count, loff_t *pos);
ssize_t vfs_iter_read(struct file *, struct iter *, loff_t *pos, int rwf);
ssize_t vfs_iter_write(struct file *, struct iter *, loff_t *pos, int rwf);
/* The same as parts of a call that tells the watchers of the files when it is done. KI: IOCB_* besides. */
ssize_t vfs_iter_read_quietly(struct file *, struct iter *, loff_t *pos);
ssize_t vfs_iter_write_quietly(struct file *, struct iter *, loff_t *pos, u32 ki);
/*
 * Of a kiocb that may have a ki_complete: bytes, -errno, -EIOCBQUEUED, after vfs_iocb_check() (0, -EBADF, -EINVAL) and rw_verify_area().
 * vfs_iocb_done() follows once, with the result, before the file is put: until then a regular file's filesystem does not freeze
 * (one that is frozen: -EAGAIN for a write with IOCB_NOWAIT).
 */
int vfs_iocb_check(const struct kiocb *k, bool write);
ssize_t vfs_iocb_read(struct kiocb *k, struct iter *to);
ssize_t vfs_iocb_write(struct kiocb *k, struct iter *from);
void vfs_iocb_done(struct kiocb *k, ssize_t ret);
void init_sync_kiocb(struct kiocb *kiocb, struct file *filp);
int kiocb_set_rw_flags(struct kiocb *kiocb, int rwf, int rw);
int iocb_flags(struct file *file);
/* Cuts *COUNT bytes at POS to RLIMIT_FSIZE and the filesystem's largest file. 0; -EFBIG: none may go (SIGXFSZ by the first). */
int generic_write_limit(struct file *file, loff_t pos, size_t *count);
ssize_t generic_write_checks(struct kiocb *, struct iter *);
ssize_t generic_write_sync(struct kiocb *iocb, ssize_t count);
int vfs_fsync(struct file *file, int datasync);
int vfs_fsync_range(struct file *file, loff_t start, loff_t end, int datasync);
int vfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
int do_truncate(struct mnt_idmap *, struct dentry *, loff_t length, unsigned int time_attrs,
		struct file *filp);
int vfs_truncate(const struct path *path, loff_t length);
int iterate_dir(struct file *, struct dir_context *);
long vfs_ioctl(int fd, struct file *, unsigned int cmd, unsigned long arg);	/* of descriptor FD, which SIGIO will name */

/* Executables: no writers while they run. */
int deny_write_access(struct file *file);
void allow_write_access(struct file *file);
int exe_file_deny_write_access(struct file *file);
void exe_file_allow_write_access(struct file *file);

/* File name arguments of system calls: on the stack, long ones in a page. */
struct filename {
	const char	*name;		/* the string */
	struct uptr	uptr;		/* where it came from */
	void		*page;		/* to free, or NULL */
	int		len;		/* without the NUL; -Exxx: could not be read */
	char		iname[112];
};
int getname(struct filename *fn, struct uptr name);	/* 0, EFAULT, ENAMETOOLONG, ENOENT */
int getname_flags(struct filename *fn, struct uptr name, int at_flags);	/* AT_EMPTY_PATH */
void getname_kernel(struct filename *fn, const char *name);		/* borrows @name */
void putname(struct filename *fn);
/*
 * RESOLVE: openat2(2)'s, or RESOLVE_AT_ONCE: -EAGAIN rather than wait for a disk, and where it is
 * no regular file and no directory.
 */
#define RESOLVE_AT_ONCE (RESOLVE_CACHED | 1ull << 32)
int do_open_filename(int dfd, struct filename *fn, int flags, umode_t mode, u64 resolve,
		     struct file **out);
struct file *do_open_execat(int dfd, struct filename *fn, int flags);	/* exec/'s way in */
struct file *open_exec(const char *name);

/* SIGIO ownership. */
struct fasync_struct {
	spinlock_t		fa_lock;
	int			fa_fd;
	struct fasync_struct __rcu *fa_next;
	struct fasync_struct __rcu **fa_pprev;	/* what points here; NULL: on no list any more */
	struct file		*fa_file;	/* NULL: gone, or a place kept */
	struct fasync_struct __rcu **fa_list;
	struct fasync_struct	*fa_other;	/* of the same file, on another list */
	struct rcu_head		fa_rcu;
};
int fasync_helper(int fd, struct file *, int on, struct fasync_struct __rcu **);
void kill_fasync(struct fasync_struct __rcu **, int sig, int band);
int f_setown(struct file *filp, int who, int force);
/* Sets the receiver of FILP's signals; without FORCE only if there is none yet. 0, -ENOMEM. */
int f_set_owner(struct file *filp, struct pid *pid, enum pid_type type, bool force);
void send_sigio(struct fown_struct *fown, int fd, int band);
int send_sigurg(struct file *file);
int fcntl_dirnotify(unsigned int fd, struct file *file, unsigned int arg);	/* F_NOTIFY */

/* Files without a name of their own: eventfd, epoll, pidfd... */
struct file *anon_inode_getfile(const char *name, const struct file_operations *fops, void *priv,
				int flags);
int anon_inode_getfd(const char *name, const struct file_operations *fops, void *priv, int flags);
struct inode *anon_inode_make_inode(void);

ssize_t generic_file_splice_read(struct file *, loff_t *, struct pipe_inode_info *, size_t,
				 unsigned int);
ssize_t copy_splice_read(struct file *, loff_t *, struct pipe_inode_info *, size_t, unsigned int);
ssize_t iter_file_splice_write(struct pipe_inode_info *, struct file *, loff_t *, size_t,
			       unsigned int);
/* Page-cache files whose mapping ops do the work. */
ssize_t generic_file_read_iter(struct kiocb *, struct iter *);
ssize_t generic_file_write_iter(struct kiocb *, struct iter *);
int generic_file_mmap(struct file *, struct vma *);
int generic_file_readonly_mmap(struct file *, struct vma *);
