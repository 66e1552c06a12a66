/* SPDX-License-Identifier: MIT */
/*
 * Disks and requests.
 *
 * A bio is one transfer between a run of sectors and memory, or a command without data. submit_bio() gives it to a hardware
 * queue of the disk chosen by CPU; when the queue has no tag left it waits there in order. The driver calls bio_done() from
 * its interrupt; end_io runs later in a worker, where it may sleep.
 *
 * REQ_PREFLUSH has what was completed before made durable first, REQ_FUA this write itself; where the disk has no FUA a flush
 * follows. No order between bios is implied otherwise. A disk that is gone completes everything with -ENODEV.
 */
#pragma once

#include <mm/backing.h>
#include <lib/list.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <mm/iter.h>
#include <sched/work.h>

enum { REQ_READ, REQ_WRITE, REQ_FLUSH, REQ_DISCARD, REQ_WRITE_ZEROES };
#define REQ_PREFLUSH 0x1
#define REQ_FUA 0x2
#define BIO_MAX_VECS 32
#define SECTOR_SHIFT 9
#define SECTOR_SIZE 512U

struct disk;
struct bdev;
struct file;

struct bio {
	struct bdev *bdev;		/* c */
	sector_t sector;		/* c; relative to the device it was submitted to */
	sector_t disk_sector;		/* on the whole disk */
	u8 op;				/* c: REQ_READ ... */
	u8 flags;			/* c: REQ_PREFLUSH, REQ_FUA */
	u8 stage;			/* what the driver works on now */
	bool split_tag;
	u16 nvecs;
	int tag;			/* queue's lock; -1: none */
	u32 len;			/* bytes; for discard and zeroes too */
	int status;			/* 0 or -errno when end_io runs */
	struct disk_queue *queue;
	struct list_head list;		/* queue's lock */
	void (*end_io)(struct bio *b);
	void *private;
	u64 start_ns;
	struct bio_vec vecs[BIO_MAX_VECS];
};

struct disk_ops {
	/* Starts the bio with operation bio_op(b) and tag b->tag on hardware queue Q. Interrupts may be off.
	 * 0; -EBUSY: no room, offer it again after a completion; else it failed. */
	int (*queue)(struct disk *d, unsigned int q, struct bio *b);
	/* The driver's side is no longer used. */
	void (*release)(struct disk *d);
	/* These may be absent. Before a file of the disk or of a partition is opened (it is counted already): 0 or -errno. */
	int (*open)(struct disk *d);
	/* The last of them was closed. */
	void (*closed)(struct disk *d);
	/* An ioctl of the whole disk that this room does not know; -ENOTTY: nor does the driver. */
	long (*ioctl)(struct disk *d, struct file *f, unsigned int cmd, unsigned long arg);
};

struct disk_queue {
	spinlock_t lock;		/* irq-safe */
	struct disk *disk;
	unsigned int index, depth, used;	/* lock */
	unsigned long *tags;		/* lock */
	struct list_head pending;	/* lock: no tag yet, in order */
	struct list_head done;		/* lock: end_io to be called */
	struct work_struct work;
} ____cacheline_aligned;

struct disk_stats {
	u64 ios[4], sectors[4], ns[4];	/* atomic: read, write, discard, flush */
};

struct disk {
	char name[32];			/* c */
	int major;			/* c */
	unsigned int first_minor, minors;	/* c */
	u32 block_size, phys_block_size;	/* c: logical block in bytes */
	u64 sectors;			/* of 512 bytes; disk_set_sectors() */
	u32 max_bytes;			/* c: in one bio */
	u32 max_discard_sectors;	/* c; 0: none */
	u32 max_zeroes_sectors;
	unsigned int ra_pages;		/* readahead of files opened from here on; BLKRASET */
	bool read_only, write_cache, fua, dead;
	const struct disk_ops *ops;	/* c */
	void *driver_data;		/* c */
	unsigned int nr_queues, depth;	/* c */
	struct disk_queue *queues;	/* c */
	struct list_head list;		/* disks_lock */
	struct list_head parts;		/* disks_lock: struct bdev; the first is the whole disk */
	struct disk_stats stats;
	struct show_node *show;
	struct backing backing;		/* of all its parts, and of file systems on them */
	refcount_t refs;
	u64 seq;
};

/* A disk that is not there yet; fill in the (c) members, then disk_add(). NULL without memory. */
struct disk *disk_alloc(const char *prefix, unsigned int nr_queues, unsigned int depth);
/* The same with a name and numbers of the driver's own: 1 minor for the disk, partitions get theirs of BLKEXT_MAJOR. */
struct disk *disk_alloc_numbered(const char *name, int major, unsigned int minor, unsigned int nr_queues, unsigned int depth);
#define LOOP_MAJOR 7
#define BLKEXT_MAJOR 259
/* Makes /dev nodes and reads the partition table. Sleeps. 0 or -errno. */
int disk_add(struct disk *d);
/* It has another size now; what lay behind is forgotten. Partitions stay until disk_rescan(). */
void disk_set_sectors(struct disk *d, u64 sectors);
/* How many files of it and its partitions are open. */
unsigned int disk_openers(struct disk *d);
/* Kills the disk and takes it out of /dev, /sys and the list. The caller's reference stays. 0; -EBUSY: somebody has it open. */
int __must_check disk_remove_unless_open(struct disk *d);
/* The device is gone: everything under way and to come fails. */
void disk_kill(struct disk *d);
void disk_put(struct disk *d);
/* From the driver, any context: B is done. */
void bio_done(struct bio *b, int status);
/* What the driver is to do for B now. */
static inline unsigned int bio_op(const struct bio *b) { return b->stage; }
static inline bool bio_fua(const struct bio *b) { return b->stage == REQ_WRITE && (b->flags & REQ_FUA); }

struct bio *bio_alloc(struct bdev *bdev, unsigned int op, unsigned int flags, gfp_t gfp);
void bio_free(struct bio *b);
/* False: no room for another piece. */
bool bio_add_page(struct bio *b, struct page *page, unsigned int len, unsigned int offset);
void submit_bio(struct bio *b);
/* Submits, waits, frees. The status. */
int submit_bio_wait(struct bio *b);

/* A block device: a whole disk or a partition, with a page cache. */
struct bdev {
	struct disk *disk;
	unsigned int partno;
	sector_t start, sectors;	/* on the disk */
	dev_t dev;
	char name[36];
	struct inode *inode;		/* holds the page cache */
	struct list_head list;		/* disks_lock */
	bool read_only;
	u8 uuid[16];
	atomic_t openers;
	void *holder;			/* disks_lock: the exclusive holder, or NULL */
	unsigned int claims;		/* disks_lock: how often the holder has claimed it */
	u32 soft_block;			/* a: BLKBSZSET; 0: a page */
	bool ext;			/* its number is one of BLKEXT_MAJOR's */
#ifdef CONFIG_FAULT_INJECTION
	bool make_it_fail;		/* w: its transfers may be made to fail */
#endif
};

/* Counted as open, the disk referenced; ERR_PTR(-ENXIO), what the driver says. bdev_close() undoes it. */
struct bdev *bdev_open_by_dev(dev_t dev);
int bdev_close(struct bdev *b);			/* what writing its cache said, if it was the last */
struct bdev *bdev_get_by_dev(dev_t dev);	/* the disk referenced; NULL */
struct bdev *bdev_get_by_name(const char *name);
void bdev_put(struct bdev *b);
/*
 * Exclusive use: a mounted file system, a file opened with O_EXCL. A disk and its partitions exclude each other; partitions do not. The device is open.
 * 0; -EBUSY: somebody else's. HOLDER may claim again.
 */
int __must_check bdev_claim(struct bdev *b, void *holder);
void bdev_unclaim(struct bdev *b, void *holder);
int bdev_flush(struct bdev *b);
int bdev_discard(struct bdev *b, sector_t sector, u64 n, bool zeroes);
int bdev_init_cache(struct bdev *b);
/* Partitions are read anew. -EBUSY: one is open. */
int disk_rescan(struct disk *d);

/* The disks and partitions there are, as kernel messages. */
void block_print_partitions(void);

/*
 * File systems on block devices: one superblock a device (sb->s_bdev), which is claimed while it is there. For fs_context_operations.get_tree: finds the superblock
 * of fc->source's device, or makes one and has FILL fill it. -ENOTBLK, -EACCES (nodev; a read-only disk), -EBUSY: in use, or mounted with other rights.
 */
struct fs_context;
struct super_block;
int get_tree_bdev(struct fs_context *fc, int (*fill)(struct super_block *sb, struct fs_context *fc));
/* file_system_type.kill_sb of those. */
void kill_block_super(struct super_block *sb) __releases(sb->s_umount);
