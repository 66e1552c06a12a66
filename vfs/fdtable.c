// SPDX-License-Identifier: MIT
/*
 * Descriptor tables.
 *
 * A table is an array of file pointers with three bitmaps (open, close-on-exec, full words). Reading is
 * under RCU; slots, bitmaps and growing are under file_lock. A task that is the table's only user reads
 * without RCU and without taking references: nobody else can close what it uses.
 *
 * What takes as long as the table is large, to copy it, is done without file_lock: who copies says so in resize_in_progress, and
 * who would change the table meanwhile sleeps until it is over (lock_table()).
 */
#include <lib/types.h>
#include <lib/bitmap.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <sched/task.h>
#include <proc/signal.h>
#include <proc/upcalls.h>
#include <linux/sched.h>
#include <linux/resource.h>
#include <linux/close_range.h>
#include <mm/uaccess.h>
#include "file_priv.h"

static struct kmem_cache *files_cache __ro_after_init;
unsigned long sysctl_nr_open = 1024 * 1024;

struct files_struct init_files = {
	.count = ATOMIC_INIT(1),
	.resize_wait = __WAIT_QUEUE_HEAD_INIT(init_files.resize_wait),
	.fdt = RCU_INITIALIZER(&init_files.fdtab),
	.fdtab = {
		.max_fds = NR_OPEN_DEFAULT,
		.fd = init_files.fd_array,
		.close_on_exec = init_files.close_on_exec_init,
		.open_fds = init_files.open_fds_init,
		.full_fds_bits = init_files.full_fds_bits_init,
	},
	.file_lock = __SPIN_LOCK_UNLOCKED(init_files.file_lock),
};

/* Tables. */

static void free_fdtable(struct fdtable *fdt)
{
	kvfree(fdt->fd);
	kvfree(fdt->open_fds);
	kfree(fdt);
}

static void free_fdtable_rcu(struct rcu_head *head)
{
	free_fdtable(container_of(head, struct fdtable, rcu));
}

static unsigned int bitbit_words(unsigned int nr)
{
	return (unsigned int)BITS_TO_LONGS(BITS_TO_LONGS(nr));
}

/* For @slots descriptors at least: whole words, powers of two from a kilobyte of pointers on. */
static struct fdtable *alloc_fdtable(unsigned int slots)
{
	unsigned int nr = max(slots, 1024u / (unsigned int)sizeof(struct file *));
	struct fdtable *fdt;
	unsigned long *bits;

	nr = 1u << (32 - __builtin_clz(nr - 1));
	nr = (nr + BITS_PER_LONG - 1) & ~(unsigned int)(BITS_PER_LONG - 1);
	if (nr > sysctl_nr_open) {
		nr = (unsigned int)((sysctl_nr_open - 1) | (BITS_PER_LONG - 1)) + 1;
		if (nr < slots)
			return ERR_PTR(-EMFILE);
	}
	fdt = kmalloc(sizeof(*fdt), GFP_KERNEL_ACCOUNT);
	if (!fdt)
		return ERR_PTR(-ENOMEM);
	fdt->max_fds = nr;
	fdt->fd = kvcalloc(nr, sizeof(struct file *), GFP_KERNEL_ACCOUNT);
	bits = kvzalloc(2 * nr / 8 + bitbit_words(nr) * sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!fdt->fd || !bits) {
		kvfree(fdt->fd);
		kvfree(bits);
		kfree(fdt);
		return ERR_PTR(-ENOMEM);
	}
	fdt->open_fds = bits;
	fdt->close_on_exec = bits + nr / BITS_PER_LONG;
	fdt->full_fds_bits = bits + 2 * nr / BITS_PER_LONG;
	return fdt;
}

static void copy_bitmaps(struct fdtable *to, const struct fdtable *from, unsigned int words)
{
	unsigned int bb = bitbit_words(words * BITS_PER_LONG);

	memcpy(to->open_fds, from->open_fds, words * sizeof(long));
	memcpy(to->close_on_exec, from->close_on_exec, words * sizeof(long));
	memcpy(to->full_fds_bits, from->full_fds_bits, bb * sizeof(long));
}

static void copy_table(struct fdtable *to, const struct fdtable *from)
{
	memcpy(to->fd, from->fd, from->max_fds * sizeof(struct file *));
	copy_bitmaps(to, from, from->max_fds / BITS_PER_LONG);
}

static noinline void wait_copied(struct files_struct *files) __must_hold(files->file_lock)
{
	do {
		spin_unlock(&files->file_lock);
		wait_event(files->resize_wait, !READ_ONCE(files->resize_in_progress));
		spin_lock(&files->file_lock);
	} while (files->resize_in_progress);
}

/* Takes file_lock, to change the table. */
static __always_inline void lock_table(struct files_struct *files) __acquires(files->file_lock)
{
	spin_lock(&files->file_lock);
	if (unlikely(files->resize_in_progress))
		wait_copied(files);
}

/* From here to end_copy() the table stays as it is. file_lock held, dropped. */
static void begin_copy(struct files_struct *files) __releases(files->file_lock)
{
	files->resize_in_progress = true;
	spin_unlock(&files->file_lock);
}

/* Takes file_lock. */
static void end_copy(struct files_struct *files) __acquires(files->file_lock)
{
	spin_lock(&files->file_lock);
	files->resize_in_progress = false;
	wake_up_all(&files->resize_wait);
}

/* file_lock held by lock_table(), dropped and taken again. 1: grown (look again), 0: big enough, -Exxx. */
static int expand_files(struct files_struct *files, unsigned int nr) __must_hold(files->file_lock)
{
	struct fdtable *fdt = files_fdt(files), *new;

	if (nr < fdt->max_fds)
		return 0;
	if (nr >= sysctl_nr_open)
		return -EMFILE;
	begin_copy(files);
	new = alloc_fdtable(nr + 1);
	if (!IS_ERR(new))
		copy_table(new, fdt);
	end_copy(files);
	if (IS_ERR(new))
		return (int)PTR_ERR(new);
	rcu_assign_pointer(files->fdt, new);
	if (fdt != &files->fdtab)
		call_rcu(&fdt->rcu, free_fdtable_rcu);
	return 1;
}

static void mark_open(struct fdtable *fdt, unsigned int fd)
{
	unsigned int word = fd / BITS_PER_LONG;

	__set_bit(fd, fdt->open_fds);
	if (!~fdt->open_fds[word])
		__set_bit(word, fdt->full_fds_bits);
}

static void mark_closed(struct files_struct *files, struct fdtable *fdt, unsigned int fd)
{
	__clear_bit(fd, fdt->open_fds);
	__clear_bit(fd / BITS_PER_LONG, fdt->full_fds_bits);
	if (fd < files->next_fd)
		files->next_fd = fd;
}

static void mark_cloexec(struct fdtable *fdt, unsigned int fd, bool on)
{
	if (on)
		__set_bit(fd, fdt->close_on_exec);
	else if (test_bit(fd, fdt->close_on_exec))
		__clear_bit(fd, fdt->close_on_exec);
}

static unsigned int find_next_fd(struct fdtable *fdt, unsigned int start)
{
	unsigned int word = start / BITS_PER_LONG, words = fdt->max_fds / BITS_PER_LONG;
	unsigned long free = ~fdt->open_fds[word] & (~0ul << start % BITS_PER_LONG);

	if (likely(free))
		return word * BITS_PER_LONG + (unsigned int)__builtin_ctzl(free);
	word = (unsigned int)find_next_zero_bit(fdt->full_fds_bits, words, word + 1);
	if (word >= words)
		return fdt->max_fds;
	return word * BITS_PER_LONG + (unsigned int)__builtin_ctzl(~fdt->open_fds[word]);
}

static int alloc_fd(unsigned int start, unsigned int end, unsigned int flags)
{
	struct files_struct *files = current->files;
	struct fdtable *fdt;
	unsigned int fd;
	int err;

	lock_table(files);
	for (;;) {
		fdt = files_fdt(files);
		fd = max(start, files->next_fd);
		if (likely(fd < fdt->max_fds))
			fd = find_next_fd(fdt, fd);
		if (unlikely(fd >= end)) {
			err = -EMFILE;
			goto out;
		}
		if (likely(fd < fdt->max_fds))
			break;
		err = expand_files(files, fd);
		if (err < 0)
			goto out;
	}
	if (start <= files->next_fd)
		files->next_fd = fd + 1;
	mark_open(fdt, fd);
	mark_cloexec(fdt, fd, flags & O_CLOEXEC);
	err = (int)fd;
out:
	spin_unlock(&files->file_lock);
	return err;
}

static unsigned int nofile_limit(void)
{
	u64 lim = rlimit(RLIMIT_NOFILE);

	return lim > INT_MAX ? INT_MAX : (unsigned int)lim;
}

int get_unused_fd_flags(unsigned int flags)
{
	return alloc_fd(0, nofile_limit(), flags);
}

void put_unused_fd(unsigned int fd)
{
	struct files_struct *files = current->files;

	lock_table(files);
	mark_closed(files, files_fdt(files), fd);
	spin_unlock(&files->file_lock);
}

void fd_install(unsigned int fd, struct file *file)
{
	struct files_struct *files = current->files;

	/* The slot is ours; only a table being copied away by another user of it is in the way. */
	if (likely(atomic_read(&files->count) == 1)) {
		rcu_assign_pointer(files_fdt(files)->fd[fd], file);
		return;
	}
	lock_table(files);
	rcu_assign_pointer(files_fdt(files)->fd[fd], file);
	spin_unlock(&files->file_lock);
}

/* Looking up. */

/* RCU held, or the table is the current task's ALONE. */
static __always_inline struct file *slot(struct fdtable *fdt, unsigned int fd, bool alone)
{
	return likely(fd < fdt->max_fds) ? rcu_dereference_check(fdt->fd[fd], alone) : NULL;
}

/* RCU held. A file whose memory was reused in between is not what the slot names any more. */
static struct file *get_slot_rcu(struct files_struct *files, unsigned int fd, fmode_t mask)
{
	for (;;) {
		struct fdtable *fdt = rcu_dereference(files->fdt);
		struct file *f = slot(fdt, fd, false);

		if (unlikely(!f))
			return NULL;
		if (unlikely(!get_file_rcu(f)))
			continue;
		/* Its mode says something only of the file that the slot names. */
		if (likely(rcu_dereference(files->fdt) == fdt && slot(fdt, fd, false) == f)) {
			if (likely(!(f->f_mode & mask)))
				return f;
			fput(f);
			return NULL;
		}
		fput(f);
	}
}

static struct file *fget_files(struct files_struct *files, unsigned int fd, fmode_t mask)
{
	struct file *f;

	rcu_read_lock();
	f = get_slot_rcu(files, fd, mask);
	rcu_read_unlock();
	return f;
}

static __always_inline struct fd fget_light(unsigned int fd, fmode_t mask)
{
	struct files_struct *files = current->files;
	struct file *f;

	if (likely(atomic_read_acquire(&files->count) == 1)) {
		f = slot(files_fdt(files), fd, true);
		if (!f || unlikely(f->f_mode & mask))
			return EMPTY_FD;
		return (struct fd){ (unsigned long)f };
	}
	f = fget_files(files, fd, mask);
	return f ? (struct fd){ (unsigned long)f | FDPUT_FPUT } : EMPTY_FD;
}

/* The reference of a table that is the task's alone stays until another is taken. */
static __always_inline struct file *fget_ref(unsigned int fd, fmode_t mask)
{
	struct fd f = fget_light(fd, mask);

	if (likely(f.word) && likely(!(f.word & FDPUT_FPUT)))
		get_file(fd_file(f));
	return fd_file(f);
}

struct file *fget(unsigned int fd)
{
	return fget_ref(fd, FMODE_PATH);
}

struct file *fget_raw(unsigned int fd)
{
	return fget_ref(fd, 0);
}

struct fd fdget(unsigned int fd)
{
	return fget_light(fd, FMODE_PATH);
}

struct fd fdget_raw(unsigned int fd)
{
	return fget_light(fd, 0);
}

/* The position is locked where two could use it: a shared file, or one in a shared table. */
struct fd fdget_pos(unsigned int fd)
{
	struct fd f = fget_light(fd, FMODE_PATH);
	struct file *file = fd_file(f);

	if (likely(file) && file->f_mode & FMODE_ATOMIC_POS &&
	    (f.word & FDPUT_FPUT || file_count(file) > 1 || file->f_op->iterate_shared)) {
		f.word |= FDPUT_POS_UNLOCK;
		mutex_lock(&file->f_pos_lock);
		__release(file->f_pos_lock);	/* the flag keeps it in mind */
	}
	return f;
}

void fdput_slow(struct fd f)
{
	if (f.word & FDPUT_POS_UNLOCK) {
		__acquire(file->f_pos_lock);
		mutex_unlock(&fd_file(f)->f_pos_lock);
	}
	if (f.word & FDPUT_FPUT)
		fput(fd_file(f));
}

struct file *fget_task(struct task *task, unsigned int fd)
{
	struct file *f = NULL;

	task_lock(task);
	if (task->files)
		f = fget_files(task->files, fd, 0);
	task_unlock(task);
	return f;
}

struct file *fget_task_info(struct task *task, unsigned int fd, bool *cloexec, const void **owner)
{
	struct file *f = NULL;

	/* No reference to the table: execve and close_range copy a table that is shared, and the task would lose the locks of its own. */
	task_lock(task);
	*owner = task->files;
	if (task->files) {
		rcu_read_lock();
		f = get_slot_rcu(task->files, fd, 0);
		*cloexec = f && test_bit(fd, rcu_dereference(task->files->fdt)->close_on_exec);
		rcu_read_unlock();
	}
	task_unlock(task);
	return f;
}

/* The first descriptor in use from FD on, or ~0. RCU held. */
static unsigned int next_open_rcu(struct files_struct *files, unsigned int fd)
{
	struct fdtable *fdt = rcu_dereference(files->fdt);

	fd = (unsigned int)find_next_bit(fdt->open_fds, fdt->max_fds, fd);
	return fd < fdt->max_fds ? fd : ~0u;
}

struct file *fget_task_next(struct task *task, unsigned int *fd)
{
	struct files_struct *files;
	struct file *f = NULL;

	task_lock(task);
	files = task->files;
	if (files) {
		rcu_read_lock();
		while ((*fd = next_open_rcu(files, *fd)) != ~0u) {
			f = get_slot_rcu(files, *fd, 0);
			if (f)
				break;
			++*fd;
		}
		rcu_read_unlock();
	}
	task_unlock(task);
	return f;
}

int iterate_fd(struct files_struct *files, unsigned int from,
	       int (*fn)(const void *, struct file *, unsigned int), const void *arg)
{
	int res = 0;

	if (!files)
		return 0;
	spin_lock(&files->file_lock);
	for (; !res && from < files_fdt(files)->max_fds; from++) {
		struct file *f = files_slot(files, files_fdt(files), from);

		if (f)
			res = fn(arg, f, from);
	}
	spin_unlock(&files->file_lock);
	return res;
}

/* Closing. */

/* file_lock held. */
static struct file *take_slot(struct files_struct *files, unsigned int fd)
{
	struct fdtable *fdt = files_fdt(files);
	struct file *f;

	if (fd >= fdt->max_fds)
		return NULL;
	f = files_slot(files, fdt, fd);
	if (f) {
		rcu_assign_pointer(fdt->fd[fd], NULL);
		mark_closed(files, fdt, fd);
	}
	return f;
}

struct file *file_close_fd(unsigned int fd)
{
	struct files_struct *files = current->files;
	struct file *f;

	lock_table(files);
	f = take_slot(files, fd);
	spin_unlock(&files->file_lock);
	return f;
}

bool fd_names(unsigned int fd, const struct file *file)
{
	struct files_struct *files = current->files;
	bool same;

	spin_lock(&files->file_lock);
	same = fd < files_fdt(files)->max_fds && files_slot(files, files_fdt(files), fd) == file;
	spin_unlock(&files->file_lock);
	return same;
}

int close_fd(unsigned int fd)
{
	struct file *f = file_close_fd(fd);

	return f ? file_close_and_put(f, current->files) : -EBADF;
}

bool get_close_on_exec(unsigned int fd)
{
	struct fdtable *fdt;
	bool res;

	rcu_read_lock();
	fdt = rcu_dereference(current->files->fdt);
	res = fd < fdt->max_fds && test_bit(fd, fdt->close_on_exec);
	rcu_read_unlock();
	return res;
}

void set_close_on_exec(unsigned int fd, int on)
{
	struct files_struct *files = current->files;

	lock_table(files);
	mark_cloexec(files_fdt(files), fd, on);
	spin_unlock(&files->file_lock);
}

void do_close_on_exec(struct files_struct *files)
{
	lock_table(files);
	for (unsigned int i = 0; i * BITS_PER_LONG < files_fdt(files)->max_fds; i++) {
		unsigned long set = files_fdt(files)->close_on_exec[i];

		files_fdt(files)->close_on_exec[i] = 0;
		while (set) {
			unsigned int fd = i * BITS_PER_LONG + (unsigned int)__builtin_ctzl(set);
			struct file *f = take_slot(files, fd);

			set &= set - 1;
			if (!f)
				continue;
			spin_unlock(&files->file_lock);
			filp_close(f, files);
			cond_resched();
			lock_table(files);
		}
	}
	spin_unlock(&files->file_lock);
}

/* dup2: @file takes the place of what @fd names. file_lock held, dropped. */
static int replace_slot(struct files_struct *files, struct file *file, unsigned int fd, unsigned int flags)
	__releases(files->file_lock)
	__must_hold(files->file_lock)
{
	struct fdtable *fdt = files_fdt(files);
	struct file *old = files_slot(files, fdt, fd);

	/* Allocated by an open in another thread that has not installed its file yet. */
	if (!old && test_bit(fd, fdt->open_fds)) {
		spin_unlock(&files->file_lock);
		return -EBUSY;
	}
	get_file(file);
	rcu_assign_pointer(fdt->fd[fd], file);
	if (!old)
		mark_open(fdt, fd);
	mark_cloexec(fdt, fd, flags & O_CLOEXEC);
	spin_unlock(&files->file_lock);
	if (old)
		filp_close(old, files);
	return (int)fd;
}

int replace_fd(unsigned int fd, struct file *file, unsigned int flags)
{
	struct files_struct *files = current->files;
	int err;

	if (!file)
		return close_fd(fd);
	if (fd >= nofile_limit())
		return -EBADF;
	lock_table(files);
	err = expand_files(files, fd);
	if (err < 0) {
		spin_unlock(&files->file_lock);
		return err;
	}
	err = replace_slot(files, file, fd, flags);
	return err < 0 ? err : 0;
}

int do_dup3(unsigned int oldfd, unsigned int newfd, int flags)
{
	struct files_struct *files = current->files;
	struct file *file;
	int err;

	if (flags & ~O_CLOEXEC || oldfd == newfd)
		return -EINVAL;
	if (newfd >= nofile_limit())
		return -EBADF;
	lock_table(files);
	err = expand_files(files, newfd);
	file = oldfd < files_fdt(files)->max_fds ? files_slot(files, files_fdt(files), oldfd) : NULL;
	if (!file)
		err = -EBADF;
	if (err < 0) {
		spin_unlock(&files->file_lock);
		return err == -EMFILE ? -EBADF : err;
	}
	return replace_slot(files, file, newfd, (unsigned int)flags);
}

int f_dupfd(unsigned int from, struct file *file, unsigned int flags)
{
	int fd;

	if (from >= nofile_limit())
		return -EINVAL;
	fd = alloc_fd(from, nofile_limit(), flags);
	if (fd >= 0)
		fd_install((unsigned int)fd, get_file(file));
	return fd;
}

/* A descriptor for @file (the reference stays the caller's), its number also written to @ufd. */
int receive_fd(struct file *file, struct uptr ufd, unsigned int flags)
{
	int fd = get_unused_fd_flags(flags);

	if (fd < 0)
		return fd;
	if (!uptr_is_null(ufd) && put_user(fd, ufd)) {
		put_unused_fd((unsigned int)fd);
		return -EFAULT;
	}
	fd_install((unsigned int)fd, get_file(file));
	return fd;
}

/* Sharing and copying. */

static unsigned int words_in_use(struct fdtable *fdt)
{
	unsigned int i = fdt->max_fds / BITS_PER_LONG;

	while (i > 1 && !fdt->open_fds[i - 1])
		i--;
	return i;
}

/* TO gets FROM's files, referenced, but for the numbers from @punch_from to @punch_to. */
static void copy_open(struct fdtable *to, const struct fdtable *from, unsigned int words, unsigned int punch_from, unsigned int punch_to)
{
	copy_bitmaps(to, from, words);
	memset(to->fd, 0, to->max_fds * sizeof(struct file *));
	for (unsigned int i = 0; i < words; i++) {
		for (unsigned long set = to->open_fds[i]; set; set &= set - 1) {
			unsigned int fd = i * BITS_PER_LONG + (unsigned int)__builtin_ctzl(set);
			struct file *f = rcu_dereference_protected(from->fd[fd], true);		/* nobody changes it */

			if (f && !(fd >= punch_from && fd <= punch_to)) {
				RCU_INIT_POINTER(to->fd[fd], get_file(f));
			} else {
				/* Claimed but not installed in the old table, or punched out: free here. */
				__clear_bit(fd, to->open_fds);
				__clear_bit(i, to->full_fds_bits);
			}
		}
	}
}

/* A private copy; descriptors from @punch_from to @punch_to (inclusive) are left out. */
static struct files_struct *dup_fd(struct files_struct *old, unsigned int punch_from, unsigned int punch_to)
{
	struct files_struct *new = kmem_cache_alloc(files_cache, GFP_KERNEL_ACCOUNT);
	struct fdtable *from, *to;
	unsigned int words;
	int err = 0;

	if (!new)
		return ERR_PTR(-ENOMEM);
	atomic_set(&new->count, 1);
	new->resize_in_progress = false;
	init_waitqueue_head(&new->resize_wait);
	spin_lock_init(&new->file_lock);
	new->next_fd = 0;
	to = &new->fdtab;
	to->max_fds = NR_OPEN_DEFAULT;
	to->fd = new->fd_array;
	to->open_fds = new->open_fds_init;
	to->close_on_exec = new->close_on_exec_init;
	to->full_fds_bits = new->full_fds_bits_init;

	lock_table(old);
	begin_copy(old);
	from = rcu_dereference_protected(old->fdt, true);	/* it stays */
	words = words_in_use(from);
	if (words * BITS_PER_LONG > to->max_fds) {
		to = alloc_fdtable(words * BITS_PER_LONG);
		if (IS_ERR(to))
			err = (int)PTR_ERR(to);
	}
	if (!err)
		copy_open(to, from, words, punch_from, punch_to);
	end_copy(old);
	spin_unlock(&old->file_lock);
	if (err) {
		kmem_cache_free(files_cache, new);
		return ERR_PTR(err);
	}
	RCU_INIT_POINTER(new->fdt, to);
	return new;
}

int copy_files(unsigned long clone_flags, struct task *child, bool no_files)
{
	struct files_struct *files = current->files, *new;

	if (!files || no_files) {
		child->files = NULL;
		return 0;
	}
	if (clone_flags & CLONE_FILES) {
		atomic_inc(&files->count);
		child->files = files;
		return 0;
	}
	new = dup_fd(files, ~0u, 0);
	if (IS_ERR(new))
		return (int)PTR_ERR(new);
	child->files = new;
	return 0;
}

static void close_all(struct files_struct *files)
{
	struct fdtable *fdt = files_fdt(files);

	for (unsigned int i = 0; i * BITS_PER_LONG < fdt->max_fds; i++) {
		unsigned long set = fdt->open_fds[i];

		for (; set; set &= set - 1) {
			unsigned int fd = i * BITS_PER_LONG + (unsigned int)__builtin_ctzl(set);
			struct file *f = files_slot(files, fdt, fd);

			if (f) {
				RCU_INIT_POINTER(fdt->fd[fd], NULL);
				filp_close(f, files);
				cond_resched();
			}
		}
	}
}

void put_files_struct(struct files_struct *files)
{
	if (!atomic_dec_and_test(&files->count))
		return;
	close_all(files);
	if (files_fdt(files) != &files->fdtab)
		free_fdtable(files_fdt(files));
	if (files != &init_files)
		kmem_cache_free(files_cache, files);
}

void exit_files(struct task *task)
{
	struct files_struct *files = task->files;

	if (!files)
		return;
	task_lock(task);
	task->files = NULL;
	task_unlock(task);
	put_files_struct(files);
}

static struct files_struct *unshared_punched(unsigned int from, unsigned int to)
{
	struct files_struct *old = current->files;

	if (old && atomic_read(&old->count) == 1)
		return NULL;
	/* A kernel thread that becomes a program has none yet: an empty one. */
	return dup_fd(old ? old : &init_files, from, to);
}

struct files_struct *unshared_files(void)
{
	return unshared_punched(~0u, 0);
}

void install_files(struct files_struct *new)
{
	struct files_struct *old = current->files;

	task_lock(current);
	current->files = new;
	task_unlock(current);
	if (old)
		put_files_struct(old);
}

static int unshare_files_punched(unsigned int from, unsigned int to)
{
	struct files_struct *new = unshared_punched(from, to);

	if (IS_ERR(new))
		return (int)PTR_ERR(new);
	if (new)
		install_files(new);
	return 0;
}

int unshare_files(void)
{
	return unshare_files_punched(~0u, 0);
}

/* Whole words at once: an open table is as large as its user wants it. */
static void cloexec_range(struct fdtable *fdt, unsigned int fd, unsigned int last)
{
	for (unsigned int i = fd / BITS_PER_LONG; i <= last / BITS_PER_LONG && fd <= last; i++) {
		unsigned long bits = fdt->open_fds[i];

		if (i == fd / BITS_PER_LONG)
			bits &= ~0ul << fd % BITS_PER_LONG;
		if (i == last / BITS_PER_LONG)
			bits &= ~0ul >> (BITS_PER_LONG - 1 - last % BITS_PER_LONG);
		fdt->close_on_exec[i] |= bits;
	}
}

int do_close_range(unsigned int fd, unsigned int max_fd, unsigned int flags)
{
	struct files_struct *files;
	int err;

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || fd > max_fd)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE && atomic_read(&current->files->count) > 1) {
		/* What would be closed at once need not be copied first. */
		err = flags & CLOSE_RANGE_CLOEXEC ? unshare_files() : unshare_files_punched(fd, max_fd);
		if (err)
			return err;
	}
	files = current->files;
	lock_table(files);
	if (flags & CLOSE_RANGE_CLOEXEC) {
		cloexec_range(files_fdt(files), fd, min(max_fd, files_fdt(files)->max_fds - 1));
		spin_unlock(&files->file_lock);
		return 0;
	}
	for (; fd <= max_fd && fd < files_fdt(files)->max_fds; fd++) {
		struct file *f;

		/* Skip whole empty words. */
		if (!(fd % BITS_PER_LONG) && !files_fdt(files)->open_fds[fd / BITS_PER_LONG]) {
			fd += BITS_PER_LONG - 1;
			continue;
		}
		f = take_slot(files, fd);
		if (!f)
			continue;
		spin_unlock(&files->file_lock);
		filp_close(f, files);
		cond_resched();
		lock_table(files);
	}
	spin_unlock(&files->file_lock);
	return 0;
}

static int fdtable_init(void)
{
	files_cache = KMEM_CACHE(files_struct, SLAB_PANIC | SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	return 0;
}
INITCALL(core, fdtable_init);
