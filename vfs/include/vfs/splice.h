// SPDX-License-Identifier: MIT
#pragma once
/* Moving pages between pipes and files without copying through user memory. */
#include <lib/types.h>

struct file;
struct iter;
struct pipe_inode_info;

#define SPLICE_F_MOVE		0x01
#define SPLICE_F_NONBLOCK	0x02
#define SPLICE_F_MORE		0x04
#define SPLICE_F_GIFT		0x08
#define SPLICE_F_ALL		0x0f

ssize_t do_splice(struct file *in, loff_t *off_in, struct file *out, loff_t *off_out, size_t len,
		  unsigned int flags);
ssize_t do_splice_direct(struct file *in, loff_t *ppos, struct file *out, loff_t *opos, size_t len,
			 unsigned int flags);
/* Waits for room, but not for more of it: what fits is written. */
ssize_t vmsplice_to_pipe(struct file *file, struct iter *from, unsigned int flags);
ssize_t do_tee(struct file *in, struct file *out, size_t len, unsigned int flags);
ssize_t do_sendfile(int out_fd, int in_fd, loff_t *ppos, size_t count, loff_t max);
/* Whether these two can be source and target of a copy. */
int vfs_copy_checks(struct file *in, struct file *out);
ssize_t vfs_copy_file_range(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out,
			    size_t len, unsigned int flags);
