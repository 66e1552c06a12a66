// SPDX-License-Identifier: MIT
#pragma once
/*
 * Pipes: a power-of-two ring of page references. head is moved by writers, tail by readers, both only
 * under the pipe's mutex; poll and the fast emptiness tests read them without.
 */
#include <lib/types.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <alloc/page.h>

struct pipe_inode_info;
struct file;
struct fasync_struct;
struct user_struct;

#define PIPE_DEF_BUFFERS	16
#define PIPE_MIN_DEF_BUFFERS	2

#define PIPE_BUF_FLAG_PACKET	0x08	/* a read ends here */
#define PIPE_BUF_FLAG_CAN_MERGE	0x10	/* later writes may append */

struct pipe_buffer;
struct pipe_buf_operations {
	void (*release)(struct pipe_inode_info *, struct pipe_buffer *);
	bool (*get)(struct pipe_inode_info *, struct pipe_buffer *);	/* one more reference, for tee */
};

struct pipe_buffer {
	struct page	*page;
	unsigned int	offset, len;
	const struct pipe_buf_operations *ops;
	unsigned int	flags;
	unsigned long	private;
};

struct pipe_inode_info {
	struct mutex		mutex;		/* everything below unless said */
	wait_queue_head_t	rd_wait, wr_wait;
	unsigned int		head, tail;
	unsigned int		max_usage;	/* slots a writer may fill */
	unsigned int		ring_size;	/* power of two */
	unsigned int		nr_accounted;	/* pages charged to the user */
	unsigned int		readers, writers;
	unsigned int		files;		/* inode's i_lock */
	unsigned int		r_counter, w_counter;	/* FIFO opens seen */
	bool			poll_usage;	/* somebody polls edge-triggered */
	struct page		*tmp_page[2];	/* spares */
	struct fasync_struct __rcu *fasync_readers, *fasync_writers;
	struct pipe_buffer	*bufs;
	struct user_struct	*user;
};

static inline unsigned int pipe_occupancy(unsigned int head, unsigned int tail) { return head - tail; }
static inline bool pipe_empty(unsigned int head, unsigned int tail) { return head == tail; }
static inline bool pipe_full(unsigned int head, unsigned int tail, unsigned int limit)
{
	return head - tail >= limit;
}
static inline struct pipe_buffer *pipe_buf(const struct pipe_inode_info *p, unsigned int slot)
{
	return &p->bufs[slot & (p->ring_size - 1)];
}

struct pipe_inode_info *alloc_pipe_info(void);
void free_pipe_info(struct pipe_inode_info *pipe);
struct pipe_inode_info *get_pipe_info(struct file *file, bool for_splice);	/* NULL: not a pipe */
int do_pipe_flags(int *fd, struct file **files, int flags);
int create_pipe_files(struct file **res, int flags);
long pipe_fcntl(struct file *, unsigned int cmd, unsigned int arg);
void pipe_lock(struct pipe_inode_info *pipe) __acquires(pipe->mutex);
void pipe_unlock(struct pipe_inode_info *pipe) __releases(pipe->mutex);
void pipe_double_lock(struct pipe_inode_info *a, struct pipe_inode_info *b) __acquires(a->mutex) __acquires(b->mutex);
void generic_pipe_buf_release(struct pipe_inode_info *, struct pipe_buffer *);
bool generic_pipe_buf_get(struct pipe_inode_info *, struct pipe_buffer *);
extern const struct pipe_buf_operations default_pipe_buf_ops;
extern const struct file_operations pipefifo_fops;
