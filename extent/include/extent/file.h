/* SPDX-License-Identifier: MIT */
/*
 * Files by extents: buffered, mapped and direct reads and writes with readahead and writeback,
 * SEEK_HOLE and SEEK_DATA, fiemap, for any filesystem that says where its bytes are (map.h).
 *
 * A filesystem embeds a struct extent_file in its inode, puts the functions below into its
 * mapping_ops and file_operations, and reads with filemap_read().
 */
#pragma once

#include <alloc/xarray.h>
#include <extent/map.h>
#include <mm/filemap.h>

struct bdev;
struct fiemap_extent_info;
struct readahead_control;
struct kiocb;
struct iter;
struct vma;

struct extent_file {
	const struct extent_ops *ops;	/* c */
	struct bdev *bdev;		/* c */
	struct inode *inode;		/* c */
	/* of folios that are valid or dirty in part, by index; an entry is its locked folio's */
	struct xarray states;
};

/*
 * Before the inode is seen; becomes the mapping's private_data. The block size is
 * inode->i_blkbits'.
 */
void extent_file_init(struct extent_file *x, struct inode *inode, struct bdev *bdev,
		      const struct extent_ops *ops);
/* The cache is empty and nobody reads. */
void extent_file_destroy(struct extent_file *x);

/* For struct mapping_ops. */
int extent_read_folio(struct file *file, struct folio *folio);
void extent_readahead(struct readahead_control *rac);
void extent_invalidate_folio(struct folio *folio, size_t offset, size_t len);
bool extent_release_folio(struct folio *folio);
bool extent_dirty_folio(struct address_space *mapping, struct folio *folio);
void extent_dirty_part(struct address_space *mapping, struct folio *folio, size_t off, size_t len);
int extent_forget_part(struct folio *folio, size_t off, size_t len, bool clean);
int extent_split_folio(struct folio_parts *parts, enum folio_split_phase phase);
int extent_writepages(struct address_space *mapping, struct writeback_control *wbc);
/* file_operations.mmap of a file that is written. */
int extent_mmap(struct file *file, struct vma *vma);

/* SEEK_DATA or SEEK_HOLE from OFF on. The offset, -ENXIO, -errno. */
loff_t extent_seek(struct extent_file *x, loff_t off, int whence);
/* A read with IOCB_DIRECT. Bytes; -EINVAL: not in the device's blocks. */
ssize_t extent_direct_read(struct extent_file *x, struct kiocb *k, struct iter *it);
/* inode_operations.fiemap. 0 or -errno. */
int extent_fiemap(struct extent_file *x, struct fiemap_extent_info *info, u64 start, u64 len);

/*
 * The inode is locked, at least shared. True: a direct write of FROM at k->ki_pos would change
 * bytes of written blocks, and nothing else of the file; as long as the lock is held,
 * extent_direct_write() may be called with it. The caller checks IOCB_APPEND and shared blocks.
 */
bool extent_direct_overwrites(struct extent_file *x, const struct kiocb *k,
			      const struct iter *from);

/*
 * The functions below are called with the inode locked for writing, but for the above.
 *
 * A write into the page cache, at k->ki_pos, which moves; i_size grows. Behind the file's end:
 * after extent_extend(). Bytes or -errno; -EAGAIN with IOCB_NOWAIT.
 */
ssize_t extent_buffered_write(struct extent_file *x, struct kiocb *k, struct iter *from);
/*
 * A write with IOCB_DIRECT, durable as far as the device's cache. -EINVAL: not in the device's
 * blocks. -ENOTBLK: it is to go through the page cache.
 */
ssize_t extent_direct_write(struct extent_file *x, struct kiocb *k, struct iter *from);
/*
 * Bytes from OFF to END read as zeroes: those in written blocks and in the cache are overwritten
 * there. 0 or -errno; -EINTR: killed.
 */
int extent_zero(struct extent_file *x, loff_t off, loff_t end);
/*
 * Bytes OFF to END, in the file, become dirty as they are: they are written back to where the
 * filesystem wants them then. Their folios are read. 0 or -errno; -EINTR: killed.
 */
int extent_rewrite(struct extent_file *x, loff_t off, loff_t end);
/* Before a write at TO, or before the file ends there: bytes from its old end to TO are zeroes. */
int extent_extend(struct extent_file *x, loff_t to);
/*
 * i_size becomes SIZE, the cache follows. Blocks are the caller's. Where the file does not grow,
 * invalidate_lock is held for writing until its blocks behind SIZE are gone.
 */
int extent_resize(struct extent_file *x, loff_t size);
