// SPDX-License-Identifier: MIT
#pragma once
/*
 * The page cache: struct address_space maps file offsets to folios. One is embedded in each inode
 * (i_data). A filesystem supplies struct mapping_ops; common code does buffered reads and writes,
 * mapped I/O, readahead and writeback.
 *
 * A folio in the cache holds one reference for each of its pages. Adding and removing need the
 * index lock; look-up is under RCU. Truncation holds invalidate_lock for writing, readers that fill
 * the cache hold it for reading. Lock order: inode lock, invalidate_lock, folio lock, index lock.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <alloc/xarray.h>
#include <lib/rbtree.h>
#include <sched/rwsem.h>
#include <sched/mutex.h>
#include <mm/folio.h>
#include <mm/iter.h>

struct inode;
struct file;
struct address_space;
struct vma;
struct vm_fault;

/* Marks of the index. */
#define CACHE_MARK_DIRTY	XA_MARK_0
#define CACHE_MARK_WRITEBACK	XA_MARK_1
#define CACHE_MARK_TOWRITE	XA_MARK_2

struct writeback_control {
	long nr_to_write;		/* pages; reduced as written */
	loff_t range_start, range_end;	/* end inclusive */
	bool sync_all;			/* data integrity: wait for earlier writeback, write all */
	bool for_reclaim;
};

/* A readahead request: folios are in the cache, locked and not up to date. */
struct readahead_control {
	struct file *file;
	struct address_space *mapping;
	pgoff_t index;			/* next folio to take */
	unsigned int nr_pages;		/* left */
};
/* The next folio to read (locked, one reference that the caller puts), or NULL at the end. */
struct folio *readahead_folio(struct readahead_control *rac);

/*
 * A locked folio that is taken apart (mm/split.c). BEGIN: allocate; 0 or -ENOMEM. NOW: no one else has it, interrupts are off: fill in VALID and
 * DIRTY, a bit a page. DONE: the pages are folios, all locked; or FAILED: it stays as it is.
 */
enum folio_split_phase { FOLIO_SPLIT_BEGIN, FOLIO_SPLIT_NOW, FOLIO_SPLIT_DONE, FOLIO_SPLIT_FAILED };
struct folio_parts {
	struct folio *folio;
	unsigned int order;
	u64 valid, dirty;
	void *private;		/* the filesystem's, from BEGIN to the end */
};

struct mapping_ops {
	/* Fill a locked folio and end with folio_end_read(), now or at I/O completion. */
	int (*read_folio)(struct file *file, struct folio *folio);
	/* Optional: the same for many, by readahead_folio(). */
	void (*readahead)(struct readahead_control *rac);
	/*
	 * Buffered write of [pos, pos+len): return in *foliop a locked, referenced folio that may take
	 * the bytes (read in what the write does not cover). write_end marks dirty, extends i_size,
	 * unlocks and puts; returns bytes accepted. NULL: filemap's generic ones (read_folio based).
	 */
	int (*write_begin)(struct file *file, struct address_space *mapping, loff_t pos, unsigned int len,
			   struct folio **foliop, void **fsdata);
	int (*write_end)(struct file *file, struct address_space *mapping, loff_t pos, unsigned int len,
			 unsigned int copied, struct folio *folio, void *fsdata);
	/* Write dirty folios (see filemap_for_each_dirty). NULL: the file is memory only. */
	int (*writepages)(struct address_space *mapping, struct writeback_control *wbc);
	/* First write to a clean folio. NULL: filemap_dirty_folio. */
	bool (*dirty_folio)(struct address_space *mapping, struct folio *folio);
	/* The same for LEN bytes at OFF of a large one, which a mapping wrote to. NULL: all of it is dirty then. */
	void (*dirty_part)(struct address_space *mapping, struct folio *folio, size_t off, size_t len);
	/* The folio leaves the cache or loses bytes; drop private state. Optional. */
	void (*invalidate_folio)(struct folio *folio, size_t offset, size_t len);
	/*
	 * LEN bytes at OFF of a large folio, whole pages, are no longer valid nor dirty; the rest stays what it is. It is locked, not under
	 * writeback, and not up to date afterwards: read_folio reads these bytes alone. CLEAN: unless some of them are dirty, -EBUSY. 0 or
	 * -ENOMEM. NULL: that cannot be.
	 */
	int (*forget_part)(struct folio *folio, size_t off, size_t len, bool clean);
	/* A large folio becomes single pages. NULL: all are what it was. */
	int (*split_folio)(struct folio_parts *parts, enum folio_split_phase phase);
	/* May reclaim drop this clean folio? NULL: yes. It waits for nothing: any allocation may ask. */
	bool (*release_folio)(struct folio *folio);
	/* A mapped page is to become writable: reserve space; locked folio on success. Optional. */
	int (*page_mkwrite)(struct vma *vma, struct folio *folio);
	ssize_t (*direct_IO)(struct kiocb *iocb, struct iter *iter);
};

/* Error sequence: who saw which writeback error (lib: errseq). */
typedef u32 errseq_t;
errseq_t errseq_set(errseq_t *eseq, int err);
/* The last error in a sequence: 0 or -errno. */
int errseq_error(errseq_t e);
errseq_t errseq_sample(errseq_t *eseq);
int errseq_check_and_advance(errseq_t *eseq, errseq_t *since);

struct backing;

struct address_space {
	struct inode		*host;
	const struct mapping_ops *ops;
	struct backing		*backing;	/* where it is written back to */
	struct xarray		i_pages;	/* index; its lock */
	loff_t			*i_size;	/* the file's size; may be NULL (devices): unlimited */
	unsigned long		nrpages;	/* (i_pages lock) */
	unsigned long		flags;		/* AS_* bits, atomic */
	gfp_t			gfp_mask;
	errseq_t		wb_err;
	u32			wb_errors;	/* how many there were: tells whether one came in between */
	pgoff_t			writeback_index;
	struct rw_semaphore	invalidate_lock;
	struct rw_semaphore	i_mmap_rwsem;	/* guards i_mmap */
	struct rb_root_cached	i_mmap;		/* VMAs that map the file, interval tree */
	atomic_t		i_mmap_writable; /* > 0: shared writable maps; < 0: denied */
	void			*private_data;	/* filesystem's (shmem: struct shmem_inode) */
};
#define AS_UNEVICTABLE	2	/* not on the LRU lists (tmpfs without swap, ramfs) */
#define AS_EXITING	3
#define AS_LARGE_FOLIO	4
#define AS_NO_WRITEBACK	5	/* dirty is not accounted: nothing to write to */
#define AS_SHMEM	6
#define AS_ZEROES_PARTS	7	/* the filesystem zeroes parts of pages itself before they are cut off */

void address_space_init(struct address_space *mapping, struct inode *host,
			const struct mapping_ops *ops, loff_t *i_size);
/* No folio may be left (truncate_inode_pages_final). */
void address_space_destroy(struct address_space *mapping);

static inline bool mapping_writably_mapped(struct address_space *mapping)
{
	return atomic_read(&mapping->i_mmap_writable) > 0;
}
/* For MAP_SHARED+PROT_WRITE and for seals/deny-write: -EPERM / -EBUSY. */
int mapping_map_writable(struct address_space *mapping);
void mapping_unmap_writable(struct address_space *mapping);
int mapping_deny_writable(struct address_space *mapping);
void mapping_allow_writable(struct address_space *mapping);
static inline void filemap_invalidate_lock(struct address_space *m) { down_write(&m->invalidate_lock); }
static inline void filemap_invalidate_unlock(struct address_space *m) { up_write(&m->invalidate_lock); }
static inline void filemap_invalidate_lock_shared(struct address_space *m) { down_read(&m->invalidate_lock); }
static inline void filemap_invalidate_unlock_shared(struct address_space *m) { up_read(&m->invalidate_lock); }

/* Look-up. A folio comes back referenced; FGP_* as in Linux; ERR_PTR(-ENOENT, -ENOMEM, -EAGAIN). */
#define FGP_ACCESSED	0x01u
#define FGP_LOCK	0x02u
#define FGP_CREAT	0x04u
#define FGP_WRITE	0x08u
#define FGP_NOWAIT	0x20u
#define FGP_WRITEBEGIN	(FGP_LOCK | FGP_WRITE | FGP_CREAT)
struct folio *__filemap_get_folio(struct address_space *mapping, pgoff_t index, unsigned int fgp, gfp_t gfp);
static inline struct folio *filemap_lock_folio(struct address_space *mapping, pgoff_t index)
{
	return __filemap_get_folio(mapping, index, FGP_LOCK, 0);
}
static inline struct folio *filemap_grab_folio(struct address_space *mapping, pgoff_t index)
{
	return __filemap_get_folio(mapping, index, FGP_LOCK | FGP_CREAT | FGP_ACCESSED, mapping->gfp_mask);
}
/* Referenced or NULL, no waiting. */
struct folio *filemap_get_entry(struct address_space *mapping, pgoff_t index);
/*
 * Of a file whose folios are single pages: how many of up to N from INDEX on, at least one, are holes (*FIRST is NULL), or lie one behind
 * the other in memory, each with a reference: *FIRST and the struct pages that follow.
 */
unsigned int filemap_get_run(struct address_space *mapping, pgoff_t index, unsigned int n, struct folio **first);
/*
 * The N single-page folios from FIRST on enter at INDEX on, with contents that are valid: how many did, up to the first place that is taken. Each that
 * did has a reference more. -EEXIST, -ENOMEM: none.
 */
int filemap_add_run(struct address_space *mapping, struct folio *first, pgoff_t index, unsigned int n, gfp_t gfp);
/* Up to max folios from *index on (end inclusive), referenced; *index moves past the last. */
unsigned int filemap_get_folios(struct address_space *mapping, pgoff_t *index, pgoff_t end,
				struct folio **out, unsigned int max);
unsigned int filemap_get_folios_mark(struct address_space *mapping, pgoff_t *index, pgoff_t end,
				     xa_mark_t mark, struct folio **out, unsigned int max);
/* As __filemap_get_folio(); a new one has 2^ORDER pages, or fewer where memory is short or some are there. It has INDEX, and begins there. */
struct folio *filemap_get_folio_order(struct address_space *mapping, pgoff_t index, unsigned int fgp, gfp_t gfp, unsigned int order);
/* Folios of more than one page may be in MAPPING. Before it is seen. */
static inline void mapping_set_large_folios(struct address_space *mapping)
{
	mapping->flags |= 1ul << AS_LARGE_FOLIO;
}
/* Of new folios of such mappings. A boot parameter: folio_orders=0, single pages, as without it; =large; =random, for tests. */
enum folio_orders { FOLIO_ORDERS_USE, FOLIO_ORDERS_ZERO, FOLIO_ORDERS_RANDOM };
extern enum folio_orders filemap_orders;
/*
 * FOLIO, locked and in the cache, not under writeback, becomes single pages: folios that are locked too, with a reference each that the caller
 * puts, as it has had one on FOLIO. It is unmapped. False: someone else has a reference, or memory is short; it may be unmapped then.
 */
bool folio_split(struct address_space *mapping, struct folio *folio);
/* Insert a locked new folio. -EEXIST, -ENOMEM. */
int filemap_add_folio(struct address_space *mapping, struct folio *folio, pgoff_t index, gfp_t gfp);
/* Take a locked folio out of the cache and drop the cache's references. */
void filemap_remove_folio(struct folio *folio);
/* Up-to-date folio, read if needed; ERR_PTR(-EIO...). file goes to read_folio. */
struct folio *read_mapping_folio(struct address_space *mapping, pgoff_t index, struct file *file);

#define RA_DEFAULT_PAGES 32u

/* Readahead state, one in each struct file. Zero it, then file_ra_state_init. */
struct file_ra_state {
	pgoff_t start;
	unsigned int size;
	unsigned int async_size;
	unsigned int ra_pages;
	u8 order;		/* of the last window's folios */
	loff_t prev_pos;
};
void file_ra_state_init(struct file_ra_state *ra, struct address_space *mapping);
void page_cache_readahead(struct address_space *mapping, struct file_ra_state *ra, struct file *file,
			  pgoff_t index, unsigned long nr);
void force_page_cache_readahead(struct address_space *mapping, struct file *file, pgoff_t index,
				unsigned long nr);

/* Buffered I/O. Bytes or -errno; iocb->ki_pos moves. ra may be NULL. */
ssize_t filemap_read(struct kiocb *iocb, struct iter *to, struct address_space *mapping,
		     struct file_ra_state *ra);
/* The caller holds the inode lock, has checked limits and rights and updated times. */
ssize_t filemap_write(struct kiocb *iocb, struct iter *from, struct address_space *mapping);
int generic_write_begin(struct file *file, struct address_space *mapping, loff_t pos, unsigned int len,
			struct folio **foliop, void **fsdata);
int generic_write_end(struct file *file, struct address_space *mapping, loff_t pos, unsigned int len,
		      unsigned int copied, struct folio *folio, void *fsdata);

/* Dirty and writeback. */
bool folio_mark_dirty(struct folio *folio);		/* true: it was clean */
/* A page of FOLIO was written to, not more. */
void folio_mark_page_dirty(struct folio *folio, struct page *page);
bool filemap_dirty_folio(struct address_space *mapping, struct folio *folio);
bool noop_dirty_folio(struct address_space *mapping, struct folio *folio);
bool folio_clear_dirty_for_io(struct folio *folio);	/* locked; also write-protects all mappings */
void folio_cancel_dirty(struct folio *folio);
void folio_start_writeback(struct folio *folio);
void folio_end_writeback(struct folio *folio);
/*
 * For ops->writepages: calls fn for each dirty folio in range, locked, dirty cleared; fn starts the
 * write (folio_start_writeback), unlocks, and returns 0 or an error.
 */
int filemap_for_each_dirty(struct address_space *mapping, struct writeback_control *wbc,
			   int (*fn)(struct folio *folio, struct writeback_control *wbc, void *arg), void *arg);
int do_writepages(struct address_space *mapping, struct writeback_control *wbc);
int filemap_fdatawrite_range(struct address_space *mapping, loff_t start, loff_t end);
/* Waits for what is under writeback. Whether it failed is in the mapping's error sequence. */
void filemap_fdatawait_range(struct address_space *mapping, loff_t start, loff_t end);
/*
 * Write and wait; end inclusive (LLONG_MAX: all). An error that came meanwhile, whoever caused it; it stays in the sequence for open files, so fsync
 * reports what filemap_check_wb_err() says and not this.
 */
int filemap_write_and_wait_range(struct address_space *mapping, loff_t start, loff_t end);
static inline int filemap_write_and_wait(struct address_space *mapping)
{
	return filemap_write_and_wait_range(mapping, 0, LLONG_MAX);
}
/* A write failed: into the error sequences of the mapping and of its superblock. Any context. */
void mapping_set_error(struct address_space *mapping, int error);
/* Report a writeback error once to each open file: since is the file's sample. */
int filemap_check_wb_err(struct address_space *mapping, errseq_t *since);
/* Sleep while too much is dirty; after dirtying that many pages. */
void balance_dirty_pages(struct address_space *mapping, unsigned int pages);
static inline void balance_dirty_pages_ratelimited(struct address_space *mapping)
{
	balance_dirty_pages(mapping, 1);
}

/* Truncation: i_size is already the new one. lend/end inclusive; LLONG_MAX/-1: to the end. */
void truncate_inode_pages_range(struct address_space *mapping, loff_t lstart, loff_t lend);
static inline void truncate_inode_pages(struct address_space *mapping, loff_t lstart)
{
	truncate_inode_pages_range(mapping, lstart, (loff_t)-1);
}
void truncate_inode_pages_final(struct address_space *mapping);
/* Unmap and drop everything beyond newsize. */
void truncate_pagecache(struct address_space *mapping, loff_t newsize);
void truncate_pagecache_range(struct address_space *mapping, loff_t start, loff_t end);
void pagecache_isize_extended(struct address_space *mapping, loff_t from, loff_t to);
/* Drops clean, unmapped folios without users, including those in other CPUs' LRU batches. May sleep. The number of pages dropped. */
unsigned long invalidate_mapping_pages(struct address_space *mapping, pgoff_t start, pgoff_t end);
/* Drop all, unmapping; -EBUSY if some would not go. */
int invalidate_inode_pages2_range(struct address_space *mapping, pgoff_t start, pgoff_t end);
/* Remove all translations of [holebegin, +holelen) of the file (0: to the end) from all mms. */
void unmap_mapping_range(struct address_space *mapping, loff_t holebegin, loff_t holelen, bool even_cows);
/* mincore: is this page of the file in memory? */
bool filemap_page_resident(struct address_space *mapping, pgoff_t index);
/* SEEK_DATA / SEEK_HOLE over cached folios (memory-only files). */
loff_t mapping_seek_hole_data(struct address_space *mapping, loff_t start, loff_t end, int whence);
/* fadvise(2) on a mapping. */
int generic_fadvise(struct file *file, struct address_space *mapping, struct file_ra_state *ra,
		    loff_t offset, loff_t len, int advice);

/* mmap of a page-cache file: vm_ops whose faults use mapping->ops. */
struct vm_operations;
extern const struct vm_operations filemap_vm_ops;
int filemap_mmap(struct file *file, struct vma *vma);	/* sets vm_ops; -ENOEXEC without read_folio */
