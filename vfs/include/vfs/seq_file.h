// SPDX-License-Identifier: MIT
#pragma once
/*
 * Text files made on the fly: records are printed whole into a buffer that grows until one fits; the
 * reader takes it in pieces of any size. start/next/stop walk the records; *pos counts them.
 */
#include <lib/types.h>
#include <sched/mutex.h>
#include <vfs/file.h>

struct seq_operations;
struct path;
struct dentry;

struct seq_file {
	char			*buf;
	size_t			size;
	size_t			from;
	size_t			count;		/* == size: overflowed */
	size_t			pad_until;
	loff_t			index;
	loff_t			read_pos;
	struct mutex		lock;
	const struct seq_operations *op;
	int			poll_event;
	struct file		*file;
	void			*private;
};

struct seq_operations {
	void *(*start)(struct seq_file *m, loff_t *pos);
	void (*stop)(struct seq_file *m, void *v);
	void *(*next)(struct seq_file *m, void *v, loff_t *pos);
	int (*show)(struct seq_file *m, void *v);
};
#define SEQ_SKIP 1
#define SEQ_START_TOKEN ((void *)1)

static inline bool seq_has_overflowed(const struct seq_file *m) { return m->count == m->size; }

int seq_open(struct file *, const struct seq_operations *);
ssize_t seq_read_iter(struct kiocb *, struct iter *);
loff_t seq_lseek(struct file *, loff_t, int);
int seq_release(struct inode *, struct file *);
int single_open(struct file *, int (*show)(struct seq_file *, void *), void *priv);
int single_open_size(struct file *, int (*show)(struct seq_file *, void *), void *priv, size_t size);
int single_release(struct inode *, struct file *);
void *__seq_open_private(struct file *, const struct seq_operations *, int size);
int seq_open_private(struct file *, const struct seq_operations *, int size);
int seq_release_private(struct inode *, struct file *);

void seq_printf(struct seq_file *m, const char *fmt, ...) __printf(2, 3);
void seq_vprintf(struct seq_file *m, const char *fmt, va_list args);
void seq_putc(struct seq_file *m, char c);
void seq_puts(struct seq_file *m, const char *s);
int seq_write(struct seq_file *m, const void *data, size_t len);
void seq_put_decimal_ull(struct seq_file *m, const char *delim, u64 num);
void seq_put_decimal_ll(struct seq_file *m, const char *delim, s64 num);
void seq_put_decimal_ull_width(struct seq_file *m, const char *delim, u64 num, unsigned int width);
void seq_put_hex_ll(struct seq_file *m, const char *delim, u64 v, unsigned int width);
void seq_escape(struct seq_file *m, const char *s, const char *esc);	/* \ooo */
int seq_path(struct seq_file *m, const struct path *path, const char *esc);
int seq_file_path(struct seq_file *m, struct file *file, const char *esc);
int seq_path_root(struct seq_file *m, const struct path *path, const struct path *root, const char *esc);
int seq_dentry(struct seq_file *m, struct dentry *dentry, const char *esc);
void seq_pad(struct seq_file *m, char c);
static inline void seq_setwidth(struct seq_file *m, size_t size) { m->pad_until = m->count + size; }
size_t seq_get_buf(struct seq_file *m, char **bufp);
void seq_commit(struct seq_file *m, int num);

