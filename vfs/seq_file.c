// SPDX-License-Identifier: MIT
/*
 * Text files made on the fly.
 *
 * A read fills m->buf with whole records: the first one must fit (the buffer doubles until it does), as
 * many more as fit are added. m->index is the record that comes next, m->from and m->count what is left
 * of the text. Reading at another position than the last one starts over and skips.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/seq_file.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <sched/task.h>
#include "mount_priv.h"

static struct kmem_cache *seq_cache __ro_after_init;

int seq_open(struct file *file, const struct seq_operations *op)
{
	struct seq_file *m = kmem_cache_zalloc(seq_cache, GFP_KERNEL_ACCOUNT);

	if (!m)
		return -ENOMEM;
	file->private_data = m;
	mutex_init(&m->lock);
	m->op = op;
	m->file = file;
	/* No pwrite; pread works. */
	file->f_mode &= ~FMODE_PWRITE;
	return 0;
}

static void *seq_buf_alloc(size_t size)
{
	return kvmalloc(size, GFP_KERNEL_ACCOUNT);
}

static void overflow(struct seq_file *m)
{
	m->count = m->size;
}

/* Twice the room for a record that did not fit. */
static int grow(struct seq_file *m)
{
	m->op->stop(m, NULL);
	kvfree(m->buf);
	m->count = 0;
	m->buf = seq_buf_alloc(m->size <<= 1);
	return m->buf ? 0 : -ENOMEM;
}

/* Skips to @offset from the start. */
static int traverse(struct seq_file *m, loff_t offset)
{
	loff_t pos = 0;
	int err = 0;
	void *p;

	m->index = 0;
	m->count = m->from = 0;
	if (!offset)
		return 0;
	if (!m->buf) {
		m->buf = seq_buf_alloc(m->size = PAGE_SIZE);
		if (!m->buf)
			return -ENOMEM;
	}
	p = m->op->start(m, &m->index);
	while (p) {
		err = (int)PTR_ERR(p);
		if (IS_ERR(p))
			break;
		err = m->op->show(m, p);
		if (err < 0)
			break;
		if (unlikely(err)) {
			err = 0;
			m->count = 0;
		}
		if (seq_has_overflowed(m)) {
			err = grow(m);
			return err ? err : -EAGAIN;
		}
		p = m->op->next(m, p, &m->index);
		if (pos + (loff_t)m->count > offset) {
			m->from = (size_t)(offset - pos);
			m->count -= m->from;
			break;
		}
		pos += (loff_t)m->count;
		m->count = 0;
		if (pos == offset)
			break;
	}
	m->op->stop(m, p);
	return err;
}

/* Fills the buffer; 0: something is in it, 1: the end, -Exxx. */
static int fill(struct seq_file *m, size_t want)
{
	void *p;
	int err;

	m->from = 0;
	p = m->op->start(m, &m->index);
	for (;;) {
		err = (int)PTR_ERR(p);
		if (!p || IS_ERR(p)) {
			m->op->stop(m, p);
			m->count = 0;
			return p ? err : 1;
		}
		err = m->op->show(m, p);
		if (err < 0) {
			m->op->stop(m, p);
			m->count = 0;
			return err;
		}
		if (unlikely(err))
			m->count = 0;
		if (unlikely(!m->count)) {
			p = m->op->next(m, p, &m->index);
			continue;
		}
		if (!seq_has_overflowed(m))
			break;
		err = grow(m);
		if (err)
			return err;
		p = m->op->start(m, &m->index);
	}
	/* One is there; more while they fit. */
	for (;;) {
		size_t before = m->count;
		loff_t pos = m->index;

		p = m->op->next(m, p, &m->index);
		if (unlikely(pos == m->index))
			m->index++;
		if (!p || IS_ERR(p) || m->count >= want)
			break;
		err = m->op->show(m, p);
		if (err > 0) {
			m->count = before;
		} else if (err || seq_has_overflowed(m)) {
			m->count = before;
			break;
		}
	}
	m->op->stop(m, p);
	return 0;
}

static size_t flush_out(struct seq_file *m, struct iter *to)
{
	size_t n = min(m->count, iter_count(to)), done;

	done = copy_to_iter(m->buf + m->from, n, to);
	m->count -= done;
	m->from = m->count ? m->from + done : 0;
	return done;
}

ssize_t seq_read_iter(struct kiocb *iocb, struct iter *to)
{
	struct seq_file *m = iocb->ki_filp->private_data;
	size_t copied = 0, n;
	int err = 0;

	if (!iter_count(to))
		return 0;
	mutex_lock(&m->lock);
	if (!iocb->ki_pos) {
		m->index = 0;
		m->count = 0;
	}
	if (unlikely(iocb->ki_pos != m->read_pos)) {
		do
			err = traverse(m, iocb->ki_pos);
		while (err == -EAGAIN);
		if (err) {
			m->read_pos = 0;
			m->index = 0;
			m->count = 0;
			goto out;
		}
		m->read_pos = iocb->ki_pos;
	}
	if (!m->buf) {
		m->buf = seq_buf_alloc(m->size = PAGE_SIZE);
		if (!m->buf) {
			err = -ENOMEM;
			goto out;
		}
	}
	if (m->count) {
		n = flush_out(m, to);
		copied += n;
		if (m->count || !iter_count(to))
			goto efault_or_done;
	}
	err = fill(m, iter_count(to));
	if (err > 0)
		err = 0;
	else if (!err)
		copied += flush_out(m, to);
efault_or_done:
	if (!copied && !err && m->count)
		err = -EFAULT;
out:
	if (copied) {
		err = 0;
		iocb->ki_pos += (loff_t)copied;
		m->read_pos += (loff_t)copied;
	}
	mutex_unlock(&m->lock);
	return err ? err : (ssize_t)copied;
}

loff_t seq_lseek(struct file *file, loff_t offset, int whence)
{
	struct seq_file *m = file->private_data;
	loff_t res = -EINVAL;
	int err;

	mutex_lock(&m->lock);
	switch (whence) {
	case SEEK_CUR:
		offset += file->f_pos;
		fallthrough;
	case SEEK_SET:
		if (offset < 0)
			break;
		res = offset;
		if (offset == m->read_pos) {
			file->f_pos = offset;
			break;
		}
		do
			err = traverse(m, offset);
		while (err == -EAGAIN);
		if (err) {
			file->f_pos = 0;
			m->read_pos = 0;
			m->index = 0;
			m->count = 0;
			res = err;
		} else {
			m->read_pos = offset;
			file->f_pos = offset;
		}
	}
	mutex_unlock(&m->lock);
	return res;
}

int seq_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	(void)inode;
	kvfree(m->buf);
	kmem_cache_free(seq_cache, m);
	return 0;
}

/* One record. */

static void *single_start(struct seq_file *m, loff_t *pos)
{
	(void)m;
	return *pos ? NULL : SEQ_START_TOKEN;
}

static void *single_next(struct seq_file *m, void *v, loff_t *pos)
{
	(void)m;
	(void)v;
	++*pos;
	return NULL;
}

static void single_stop(struct seq_file *m, void *v)
{
	(void)m;
	(void)v;
}

struct single {
	struct seq_operations op;
};

int single_open(struct file *file, int (*show)(struct seq_file *, void *), void *priv)
{
	struct single *s = kmalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	int err;

	if (!s)
		return -ENOMEM;
	s->op = (struct seq_operations){ single_start, single_stop, single_next, show };
	err = seq_open(file, &s->op);
	if (err)
		kfree(s);
	else
		((struct seq_file *)file->private_data)->private = priv;
	return err;
}

int single_open_size(struct file *file, int (*show)(struct seq_file *, void *), void *priv, size_t size)
{
	char *buf = seq_buf_alloc(size);
	int err;

	if (!buf)
		return -ENOMEM;
	err = single_open(file, show, priv);
	if (err) {
		kvfree(buf);
		return err;
	}
	((struct seq_file *)file->private_data)->buf = buf;
	((struct seq_file *)file->private_data)->size = size;
	return 0;
}

int single_release(struct inode *inode, struct file *file)
{
	const struct seq_operations *op = ((struct seq_file *)file->private_data)->op;
	int res = seq_release(inode, file);

	kfree(op);
	return res;
}

void *__seq_open_private(struct file *file, const struct seq_operations *ops, int size)
{
	void *priv = kzalloc((size_t)size, GFP_KERNEL_ACCOUNT);

	if (!priv)
		return NULL;
	if (seq_open(file, ops)) {
		kfree(priv);
		return NULL;
	}
	((struct seq_file *)file->private_data)->private = priv;
	return priv;
}

int seq_open_private(struct file *file, const struct seq_operations *ops, int size)
{
	return __seq_open_private(file, ops, size) ? 0 : -ENOMEM;
}

int seq_release_private(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	kfree(m->private);
	m->private = NULL;
	return seq_release(inode, file);
}

/* Printing. */

void seq_vprintf(struct seq_file *m, const char *fmt, va_list args)
{
	if (m->count < m->size) {
		int n = vsnprintf(m->buf + m->count, m->size - m->count, fmt, args);

		if (m->count + (size_t)n < m->size) {
			m->count += (size_t)n;
			return;
		}
	}
	overflow(m);
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	seq_vprintf(m, fmt, ap);
	va_end(ap);
}

void seq_putc(struct seq_file *m, char c)
{
	if (m->count < m->size)
		m->buf[m->count++] = c;
}

int seq_write(struct seq_file *m, const void *data, size_t len)
{
	if (m->count + len < m->size) {
		memcpy(m->buf + m->count, data, len);
		m->count += len;
		return 0;
	}
	overflow(m);
	return -1;
}

void seq_puts(struct seq_file *m, const char *s)
{
	seq_write(m, s, strlen(s));
}

static int to_decimal(char *end, u64 num)
{
	char *p = end;

	do {
		*--p = (char)('0' + num % 10);
		num /= 10;
	} while (num);
	return (int)(end - p);
}

void seq_put_decimal_ull_width(struct seq_file *m, const char *delim, u64 num, unsigned int width)
{
	char buf[20];
	int n = to_decimal(buf + sizeof(buf), num);

	if (delim)
		seq_puts(m, delim);
	for (; width > (unsigned int)n; width--)
		seq_putc(m, ' ');
	seq_write(m, buf + sizeof(buf) - n, (size_t)n);
}

void seq_put_decimal_ull(struct seq_file *m, const char *delim, u64 num)
{
	seq_put_decimal_ull_width(m, delim, num, 0);
}

void seq_put_decimal_ll(struct seq_file *m, const char *delim, s64 num)
{
	if (delim)
		seq_puts(m, delim);
	if (num < 0)
		seq_putc(m, '-');
	seq_put_decimal_ull_width(m, NULL, num < 0 ? 0 - (u64)num : (u64)num, 0);
}

void seq_put_hex_ll(struct seq_file *m, const char *delim, u64 v, unsigned int width)
{
	char buf[16];
	unsigned int n = 0;

	if (delim)
		seq_puts(m, delim);
	do {
		buf[15 - n++] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	for (; width > n; width--)
		seq_putc(m, '0');
	seq_write(m, buf + 16 - n, n);
}

/* @from to the end, characters of @esc as \ooo, in place at the end of the buffer. */
static int append_escaped(struct seq_file *m, const char *s, const char *esc)
{
	for (; *s; s++) {
		if (strchr(esc, *s)) {
			unsigned int c = (u8)*s;

			if (m->count + 4 >= m->size)
				goto full;
			m->buf[m->count++] = '\\';
			m->buf[m->count++] = (char)('0' + (c >> 6));
			m->buf[m->count++] = (char)('0' + (c >> 3 & 7));
			m->buf[m->count++] = (char)('0' + (c & 7));
		} else {
			if (m->count + 1 >= m->size)
				goto full;
			m->buf[m->count++] = *s;
		}
	}
	return 0;
full:
	overflow(m);
	return -1;
}

void seq_escape(struct seq_file *m, const char *s, const char *esc)
{
	append_escaped(m, s, esc);
}

/* Path text is first made at the far end of the free room, then escaped towards the front. */
static int put_path_text(struct seq_file *m, char *(*make)(const void *, char *, int), const void *arg,
			 const char *esc)
{
	char *buf, *p;
	int err = 0;

	if (m->count >= m->size)
		return 0;
	buf = (char *)__get_free_page(GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	p = make(arg, buf, min(PAGE_SIZE, PATH_MAX));
	if (!p)
		err = SEQ_SKIP;
	else if (!IS_ERR(p))
		append_escaped(m, p, esc ? esc : "");
	else if (p != ERR_PTR(-ENAMETOOLONG))
		err = (int)PTR_ERR(p);
	free_page((unsigned long)buf);
	return err;
}

static char *make_path(const void *path, char *buf, int len)
{
	return d_path(path, buf, len);
}

int seq_path(struct seq_file *m, const struct path *path, const char *esc)
{
	return put_path_text(m, make_path, path, esc);
}

int seq_file_path(struct seq_file *m, struct file *file, const char *esc)
{
	return seq_path(m, &file->f_path, esc);
}

struct rooted {
	const struct path *path, *root;
};

static char *make_rooted(const void *arg, char *buf, int len)
{
	const struct rooted *r = arg;

	return __d_path(r->path, r->root, buf, len);
}

/* SEQ_SKIP: not below @root. */
int seq_path_root(struct seq_file *m, const struct path *path, const struct path *root, const char *esc)
{
	struct rooted r = { path, root };

	return put_path_text(m, make_rooted, &r, esc);
}

static char *make_dentry(const void *d, char *buf, int len)
{
	return dentry_path(d, buf, len);
}

int seq_dentry(struct seq_file *m, struct dentry *dentry, const char *esc)
{
	return put_path_text(m, make_dentry, dentry, esc);
}

void seq_pad(struct seq_file *m, char c)
{
	while (m->count < m->pad_until && m->count < m->size)
		m->buf[m->count++] = ' ';
	if (c)
		seq_putc(m, c);
}

size_t seq_get_buf(struct seq_file *m, char **bufp)
{
	*bufp = m->count < m->size ? m->buf + m->count : NULL;
	return m->size - m->count;
}

void seq_commit(struct seq_file *m, int num)
{
	if (num < 0)
		overflow(m);
	else
		m->count += (size_t)num;
}

static int seq_file_init(void)
{
	seq_cache = KMEM_CACHE(seq_file, SLAB_PANIC | SLAB_ACCOUNT);
	return 0;
}
INITCALL(core, seq_file_init);
