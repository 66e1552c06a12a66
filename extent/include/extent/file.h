/* SPDX-License-Identifier: MIT */
/*
 * Files by extents: buffered and mapped reads with readahead, SEEK_HOLE and SEEK_DATA, fiemap, for
 * any filesystem that says where its bytes are (map.h).
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

struct extent_file {
	const struct extent_ops *ops;	/* c */
	struct bdev *bdev;		/* c */
	struct inode *inode;		/* c */
	/* of folios that are valid in part, by index; an entry is its locked folio's */
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
bool extent_release_folio(struct folio *folio, gfp_t gfp);

/* SEEK_DATA or SEEK_HOLE from OFF on. The offset, -ENXIO, -errno. */
loff_t extent_seek(struct extent_file *x, loff_t off, int whence);
/* A read with IOCB_DIRECT. Bytes; -EINVAL: not in the device's blocks. */
ssize_t extent_direct_read(struct extent_file *x, struct kiocb *k, struct iter *it);
/* inode_operations.fiemap. 0 or -errno. */
int extent_fiemap(struct extent_file *x, struct fiemap_extent_info *info, u64 start, u64 len);
