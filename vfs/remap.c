// SPDX-License-Identifier: MIT
/*
 * Sharing of blocks between files (vfs/remap.h): what is the same for all filesystems.
 *
 * While both files are locked no page of them becomes writable: a page that was written back is
 * write-protected, and the fault that would change it waits for invalidate_lock. So the bytes that
 * dedupe compares stay the same until the blocks are shared.
 *
 * Locks: i_rwsem of both, invalidate_lock of both, folio locks.
 */
#include <alloc/slab.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <mm/filemap.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <vfs/notify.h>
#include <vfs/remap.h>
#include <vfs/splice.h>
#include <linux/capability.h>
#include <linux/fs.h>

/* ---- locks ---- */

static void lock_mappings(struct inode *a, struct inode *b)
{
	if ((unsigned long)a > (unsigned long)b) {
		struct inode *t = a;

		a = b;
		b = t;
	}
	/* Who unlocks knows the two, and sparse need not count. */
	down_write(&a->i_data.invalidate_lock);
	__release(a->i_data.invalidate_lock);
	if (a != b) {
		down_write_nested(&b->i_data.invalidate_lock, 1);
		__release(b->i_data.invalidate_lock);
	}
}

void remap_lock(struct inode *a, struct inode *b)
{
	lock_two_nondirectories(a, b);
	inode_dio_wait(a);
	inode_dio_wait(b);
	lock_mappings(a, b);
}

void remap_unlock(struct inode *a, struct inode *b)
{
	__acquire(a->i_data.invalidate_lock);
	up_write(&a->i_data.invalidate_lock);
	if (a != b) {
		__acquire(b->i_data.invalidate_lock);
		up_write(&b->i_data.invalidate_lock);
	}
	unlock_two_nondirectories(a, b);
}

/* ---- are the bytes the same? ---- */

/* N bytes at A and B, within a page each: 0, or -EBADE where they differ, -errno. */
static int compare_part(struct file *in, loff_t a, struct file *out, loff_t b, size_t n)
{
	struct folio *x, *y;
	int e = -EBADE;

	x = read_mapping_folio(file_inode(in)->i_mapping, (pgoff_t)(a >> PAGE_SHIFT), in);
	if (IS_ERR(x))
		return (int)PTR_ERR(x);
	y = read_mapping_folio(file_inode(out)->i_mapping, (pgoff_t)(b >> PAGE_SHIFT), out);
	if (IS_ERR(y)) {
		folio_put(x);
		return (int)PTR_ERR(y);
	}
	if (!memcmp((u8 *)folio_address(x) + (a - folio_pos(x)),
		    (u8 *)folio_address(y) + (b - folio_pos(y)), n))
		e = 0;
	folio_put(y);
	folio_put(x);
	return e;
}

static int compare(struct file *in, loff_t a, struct file *out, loff_t b, loff_t len)
{
	int e = 0;

	while (!e && len) {
		size_t n = min3((size_t)(PAGE_SIZE - (a & (PAGE_SIZE - 1))),
				(size_t)(PAGE_SIZE - (b & (PAGE_SIZE - 1))), (size_t)len);

		e = fatal_signal_pending(current) ? -EINTR : compare_part(in, a, out, b, n);
		a += (loff_t)n;
		b += (loff_t)n;
		len -= (loff_t)n;
		cond_resched();
	}
	return e;
}

/* ---- checks ---- */

static int check_kind(const struct inode *in, const struct inode *out)
{
	if (IS_IMMUTABLE(out))
		return -EPERM;
	if ((in->i_flags | out->i_flags) & S_SWAPFILE)
		return -ETXTBSY;
	if (S_ISDIR(in->i_mode) || S_ISDIR(out->i_mode))
		return -EISDIR;
	return S_ISREG(in->i_mode) && S_ISREG(out->i_mode) ? 0 : -EINVAL;
}

/* The ends of files, limits of sizes, alignment: *LEN may become shorter. */
static int check_ranges(struct inode *in, loff_t a, struct file *file, loff_t b, loff_t *len,
			unsigned int flags)
{
	struct inode *out = file_inode(file);
	loff_t block = (loff_t)out->i_sb->s_blocksize, size_in = i_size_read(in),
	       size_out = i_size_read(out), blocks, end;
	size_t n = (size_t)*len;
	int e;

	if ((a | b) & (block - 1) || __builtin_add_overflow(a, *len, &end))
		return -EINVAL;
	if (flags & REMAP_DEDUPE && (a >= size_in || end > size_in || b >= size_out ||
				     __builtin_add_overflow(b, *len, &end) || end > size_out))
		return -EINVAL;
	if (a >= size_in || __builtin_add_overflow(b, *len, &end))
		return -EINVAL;
	n = min(n, (size_t)(size_in - a));
	e = generic_write_limit(file, b, &n);
	if (e)
		return e;
	/*
	 * The last block of IN goes as a whole, where it becomes the last of OUT, or is one of its.
	 */
	if (a + (loff_t)n == size_in && (!(flags & REMAP_DEDUPE) || b + (loff_t)n == size_out)) {
		blocks = ((size_in + block - 1) & -block) - a;
	} else {
		n &= (size_t)-block;
		blocks = (loff_t)n;
	}
	if (in == out && b + blocks > a && b < a + blocks)
		return -EINVAL;
	if ((loff_t)n != *len && !(flags & REMAP_SHORTEN))
		return -EINVAL;
	*len = (loff_t)n;
	return 0;
}

/* A range that ends within a block must reach OUT's end, or bytes of OUT would be lost. */
static int check_end(const struct inode *out, loff_t b, loff_t *len, unsigned int flags)
{
	loff_t block = (loff_t)out->i_sb->s_blocksize;

	if (!(*len & (block - 1)) || b + *len >= i_size_read(out))
		return 0;
	if (!(flags & REMAP_SHORTEN))
		return flags & REMAP_DEDUPE ? -EBADE : -EINVAL;
	*len &= -block;
	return 0;
}

int remap_prepare(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, loff_t *len,
		  unsigned int flags)
{
	struct inode *from = file_inode(in), *to = file_inode(out);
	int e = check_kind(from, to);

	if (e)
		return e;
	if (!*len && !(flags & REMAP_DEDUPE)) {
		if (pos_in > i_size_read(from))
			return -EINVAL;
		*len = i_size_read(from) - pos_in;
	}
	if (!*len)
		return 0;
	e = check_ranges(from, pos_in, out, pos_out, len, flags);
	if (e || !*len)
		return e;
	e = filemap_write_and_wait_range(from->i_mapping, pos_in, pos_in + *len - 1);
	e = e ?: filemap_write_and_wait_range(to->i_mapping, pos_out, pos_out + *len - 1);
	if (!e && flags & REMAP_DEDUPE)
		e = compare(in, pos_in, out, pos_out, *len);
	e = e ?: check_end(to, pos_out, len, flags);
	if (e || !*len || flags & REMAP_DEDUPE)
		return e;
	return file_modified(out);
}

static int check_area(loff_t pos, loff_t len)
{
	loff_t end;

	return pos < 0 || len < 0 || __builtin_add_overflow(pos, len, &end) ? -EINVAL : 0;
}

/* ---- clone ---- */

loff_t vfs_clone_range(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, loff_t len,
		       unsigned int flags)
{
	struct super_block *sb = file_inode(out)->i_sb;
	loff_t n;

	if (file_inode(in)->i_sb != sb)
		return -EXDEV;
	n = vfs_copy_checks(in, out);
	if (n)
		return n;
	if (!in->f_op->remap_range)
		return -EOPNOTSUPP;
	n = check_area(pos_in, len) ?: check_area(pos_out, len);
	if (n)
		return n;
	sb_start_write(sb);
	n = in->f_op->remap_range(in, pos_in, out, pos_out, len, flags);
	sb_end_write(sb);
	if (n >= 0) {
		notify_file(in, IN_ACCESS);
		notify_file(out, IN_MODIFY);
	}
	return n;
}

static long clone(struct file *out, unsigned int in_fd, u64 pos_in, u64 len, u64 pos_out)
{
	struct file *in = fget(in_fd);
	loff_t n;

	if (!in)
		return -EBADF;
	n = vfs_clone_range(in, (loff_t)pos_in, out, (loff_t)pos_out, (loff_t)len, 0);
	fput(in);
	if (n < 0)
		return n;
	return len && (u64)n != len ? -EINVAL : 0;
}

static long clone_range(struct file *out, struct uptr p)
{
	struct file_clone_range r;

	if (copy_from_user(&r, p, sizeof(r)))
		return -EFAULT;
	return clone(out, (unsigned int)r.src_fd, r.src_offset, r.src_length, r.dest_offset);
}

/* ---- dedupe ---- */

#define DEDUPE_MOST (1u << 30)		/* bytes of one request, as on Linux */

/* The blocks that the file has change, though its bytes do not: whoever may write or owns it. */
static bool may_dedupe(struct file *file)
{
	struct inode *inode = file_inode(file);

	return capable(CAP_SYS_ADMIN) || file->f_mode & FMODE_WRITE ||
	       uid_eq(inode->i_uid, current_fsuid()) ||
	       !inode_permission(file_mnt_idmap(file), inode, MAY_WRITE);
}

static loff_t dedupe_writable(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out,
			      loff_t len)
{
	int e = check_area(pos_out, len);

	if (e)
		return e;
	if (!may_dedupe(out))
		return -EPERM;
	if (file_inode(in)->i_sb != file_inode(out)->i_sb)
		return -EXDEV;
	if (S_ISDIR(file_inode(out)->i_mode))
		return -EISDIR;
	if (!out->f_op->remap_range)
		return -EINVAL;
	return len ? out->f_op->remap_range(in, pos_in, out, pos_out, len,
					    REMAP_DEDUPE | REMAP_SHORTEN) :
		     0;
}

static loff_t dedupe_one(struct file *in, loff_t pos_in, const struct file_dedupe_range_info *info,
			 loff_t len)
{
	struct file *out = fget((unsigned int)info->dest_fd);
	loff_t n;

	if (!out)
		return -EBADF;
	n = info->reserved ? -EINVAL : mnt_want_write_file(out);
	if (!n) {
		n = dedupe_writable(in, pos_in, out, (loff_t)info->dest_offset, len);
		mnt_drop_write_file(out);
	}
	fput(out);
	return n;
}

static int check_source(struct file *in, const struct file_dedupe_range *r)
{
	struct inode *inode = file_inode(in);

	if (!(in->f_mode & FMODE_READ) || r->reserved1 || r->reserved2)
		return -EINVAL;
	if (S_ISDIR(inode->i_mode))
		return -EISDIR;
	if (!S_ISREG(inode->i_mode))
		return -EINVAL;
	if (!in->f_op->remap_range)
		return -EOPNOTSUPP;
	if (check_area((loff_t)r->src_offset, (loff_t)r->src_length))
		return -EINVAL;
	return r->src_offset + r->src_length > (u64)i_size_read(inode) ? -EINVAL : 0;
}

/* Each file of R gets its status; a signal that kills leaves the rest undone. */
static int dedupe(struct file *in, struct file_dedupe_range *r)
{
	loff_t len = (loff_t)min(r->src_length, (u64)DEDUPE_MOST);
	int e = check_source(in, r);

	for (u32 i = 0; !e && i < r->dest_count; i++) {
		r->info[i].bytes_deduped = 0;
		r->info[i].status = FILE_DEDUPE_RANGE_SAME;
	}
	for (u32 i = 0; !e && i < r->dest_count && !fatal_signal_pending(current); i++) {
		loff_t n = dedupe_one(in, (loff_t)r->src_offset, &r->info[i], len);

		if (n == -EBADE)
			r->info[i].status = FILE_DEDUPE_RANGE_DIFFERS;
		else if (n < 0)
			r->info[i].status = (s32)n;
		else
			r->info[i].bytes_deduped = (u64)len;
	}
	return e;
}

static long dedupe_range(struct file *in, struct uptr p)
{
	struct file_dedupe_range *r;
	size_t size;
	u16 count;
	int e;

	if (get_user(count, uptr_add(p, offsetof(struct file_dedupe_range, dest_count))))
		return -EFAULT;
	size = offsetof(struct file_dedupe_range, info) + count * sizeof(r->info[0]);
	if (size > PAGE_SIZE)
		return -ENOMEM;
	r = memdup_user(p, size);
	if (IS_ERR(r))
		return PTR_ERR(r);
	r->dest_count = count;
	e = dedupe(in, r);
	if (!e && copy_to_user(p, r, size))
		e = -EFAULT;
	kfree(r);
	return e;
}

long remap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case FICLONE:
		return clone(file, (unsigned int)arg, 0, 0, 0);
	case FICLONERANGE:
		return clone_range(file, UPTR(arg));
	}
	return dedupe_range(file, UPTR(arg));
}
