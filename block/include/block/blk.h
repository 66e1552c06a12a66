/* SPDX-License-Identifier: MIT */
/*
 * Disks and requests.
 *
 * A bio is one transfer between a run of sectors and memory, or a command without data.
 * submit_bio() gives it to a hardware queue of the disk chosen by CPU; when the queue has no tag
 * left it waits there in order. The driver calls bio_done() from its interrupt; end_io runs later
 * in a worker, where it may sleep.
 *
 * A request is what the driver gets at once: a bio, or a chain of bios of one device and operation
 * that follow each other on the disk (b->next; the first stands for all, and has the sums in
 * req_bytes and req_segs). Chains are made for disks whose driver asks for them (max_segments) of
 * what a task with a plug submits (sched/plug.h, plug.c). All bios of a request end with its
 * status, each by its own end_io.
 *
 * REQ_PREFLUSH has what was completed before made durable first, REQ_FUA this write itself; where
 * the disk has no FUA a flush follows. No order between bios is implied otherwise. A disk that is
 * gone completes everything with -EIO.
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
#define REQUEST_MAX_BYTES (4U << 20)
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
	bool counted;			/* as a request: stats.c */
	u16 nvecs;
	int tag;			/* queue's lock; -1: none */
	u32 len;			/* bytes; for discard and zeroes too */
	int status;			/* 0 or -errno when end_io runs */
	struct disk_queue *queue;
	struct list_head list;		/* queue's lock */
	void (*end_io)(struct bio *b);
	void *private;
	u64 start_ns;
	u64 stage_ns;			/* since when stage is that */
	/* the submitter's until it is queued, then c: of the same request; NULL: the last */
	struct bio *next;
	struct bio *last;  /* the same; of a request's first bio: the last, maybe itself */
	u32 req_bytes;			/* the same; of a request's first bio: the sum of len */
	u16 req_segs;			/* the same: pieces of memory that do not touch, at most */
	u16 req_bios;			/* the same */
	struct bio_vec vecs[BIO_MAX_VECS];
};

struct disk_ops {
	/* Starts the bio with operation bio_op(b) and tag b->tag on hardware queue Q. Interrupts
	 * may be off. 0; -EBUSY: no room, offer it again after a completion; else it failed. */
	int (*queue)(struct disk *d, unsigned int q, struct bio *b);
	/*
	 * Optional. Notifies the device of the requests that queue() put into queue Q since the
	 * last call. In queue()'s context.
	 */
	void (*commit)(struct disk *d, unsigned int q);
	/* The driver's side is no longer used. */
	void (*release)(struct disk *d);
	/*
	 * These may be absent. Before a file of the disk or of a partition is opened (it is counted
	 * already): 0 or -errno.
	 */
	int (*open)(struct disk *d);
	/* The last of them was closed. */
	void (*closed)(struct disk *d);
	/*
	 * For disks whose media change. opening(): before each open; HOW has bits of enum disk_how.
	 * The driver finds out what medium there is and tells disk_set_medium(). 0 or -errno.
	 * closing(): of each opening() that succeeded, at close. Neither is called once the disk is
	 * gone. They sleep.
	 */
	int (*opening)(struct disk *d, unsigned int how);
	void (*closing)(struct disk *d);
	/* An ioctl of the whole disk that this room does not know; -ENOTTY: nor does the driver. */
	long (*ioctl)(struct disk *d, struct file *f, unsigned int cmd, unsigned long arg);
	/* They may also come from a partition, with CAP_SYS_RAWIO: they reach the whole disk. */
	bool raw_partitions;
};

enum disk_how { DISK_OPEN_WRITE = 1, DISK_OPEN_NONBLOCK = 2 };

struct disk_queue {
	spinlock_t lock;		/* irq-safe */
	struct disk *disk;
	unsigned int index, depth, used;	/* lock */
	unsigned long *tags;		/* lock */
	struct list_head pending;	/* lock: no tag yet, in order */
	struct list_head done;		/* lock: end_io to be called */
	struct work_struct work;
} ____cacheline_aligned;

enum { STAT_READ, STAT_WRITE, STAT_DISCARD, STAT_FLUSH, STAT_GROUPS };

/* Of one CPU: stats.c. */
struct disk_stats {
	/* of requests: how many, bios beyond their first, 512 bytes each, time */
	u64 ios[STAT_GROUPS], merges[STAT_GROUPS], sectors[STAT_GROUPS], ns[STAT_GROUPS];
	u64 busy;		/* ticks in which something was in flight */
	long in_flight[2];	/* reads, others: the sum of all CPUs is right */
};

struct disk {
	char name[32];			/* c */
	int major;			/* c */
	unsigned int first_minor, minors;	/* c */
	/* c: of a name made of letters (names.c); NULL: the driver's own */
	struct disk_prefix *prefix;
	unsigned int index;		/* c: among the disks of that prefix */
	/* c, or of the medium (disk_set_medium()): logical block in bytes */
	u32 block_size, phys_block_size;
	u64 sectors;			/* of 512 bytes; disk_set_sectors() */
	u32 max_bytes;			/* c: in one bio */
	u32 max_request;		/* c: bytes of a request of many bios */
	u32 max_segment;		/* c: bytes of a piece of memory that several pages make */
	/* c: its pieces of memory; 0: the driver takes single bios only */
	unsigned int max_segments;
	u32 max_discard_sectors;	/* c; 0: none */
	u32 max_zeroes_sectors;
	unsigned int ra_pages;		/* readahead of files opened from here on; BLKRASET */
	bool read_only, write_cache, fua, dead;
	bool removable;			/* c: its medium can be taken out */
	bool no_partitions;		/* c: none are looked for, none can be added */
	bool gone; /* parts_lock: the device is gone; the set of partitions is fixed */
	bool released;			/* c once gone: ops->release() was called */
	const struct disk_ops *ops;	/* c */
	void *driver_data;		/* c */
	unsigned int nr_queues, depth;	/* c */
	struct disk_queue *queues;	/* c */
	struct list_head list;		/* disks_lock */
	struct list_head parts;		/* disks_lock: struct bdev; the first is the whole disk */
	struct bdev *whole;		/* c: that one */
	struct mutex parts_lock;	/* held while the set of partitions changes */
	/* c: pinned: the device in /sys/devices that it is a part of; NULL: it is virtual */
	struct show_node *parent;
	struct show_node *show;		/* c: pinned: its directory, below the parent's block/ */
	struct backing backing;		/* of all its parts, and of file systems on them */
	atomic_t calls;			/* ioctls of the driver that run (gone.c) */
	wait_queue_head_t calls_done;	/* they are fewer, and the disk is gone */
	refcount_t refs;
	refcount_t pins;		/* of its memory alone: one of all refs, one of each bdev */
	u64 seq;
};

/*
 * The driver of one that is not there yet. A module's is held until the disk is freed
 * (kernel/owner.h); one that opens the disk uses it.
 */
void disk_set_driver(struct disk *d, const struct disk_ops *ops, void *data);
/*
 * A disk that is not there yet, named PREFIX and the first letters that are free; fill in the (c)
 * members, then disk_add(). NULL without memory.
 */
struct disk *disk_alloc(const char *prefix, unsigned int nr_queues, unsigned int depth);
/*
 * The same with a name and numbers of the driver's own: 1 minor for the disk, partitions get theirs
 * of BLKEXT_MAJOR.
 */
struct disk *disk_alloc_numbered(const char *name, int major, unsigned int minor,
				 unsigned int nr_queues, unsigned int depth);
#define LOOP_MAJOR 7
#define SCSI_DISK0_MAJOR 8
#define SCSI_DISK1_MAJOR 65	/* to 71 */
#define SCSI_DISK8_MAJOR 128	/* to 135 */
#define SCSI_CDROM_MAJOR 11
#define VIRTBLK_MAJOR 254	/* what Linux gives virtblk when nothing else took it */
#define BLKEXT_MAJOR 259
/* Makes /dev nodes and reads the partition table. Sleeps. 0 or -errno. */
int disk_add(struct disk *d);
/* It has another size now; what lay behind is forgotten. Partitions stay until disk_rescan(). */
void disk_set_sectors(struct disk *d, u64 sectors);
/* Its size in sectors of 512 bytes. */
u64 disk_sectors(const struct disk *d);
/*
 * Sets the size when the device itself reports a new one, and logs it; no effect if the size is
 * unchanged. Sleeps.
 */
void disk_resize(struct disk *d, u64 sectors);
/*
 * Another medium is in the disk: what is cached of the old one is forgotten, and it has SECTORS in
 * blocks of BLOCK_SIZE bytes. Sleeps.
 */
void disk_set_medium(struct disk *d, u64 sectors, u32 block_size);
/* Sends a change event with the lines EXTRA (or NULL). The disk must not be in removal. Sleeps. */
void disk_changed(struct disk *d, const char *extra);
/* How many files of it and its partitions are open. */
unsigned int disk_openers(struct disk *d);
/*
 * Kills the disk and takes it out of /dev, /sys and the list. The caller's reference stays. 0;
 * -EBUSY: somebody has it open.
 */
int __must_check disk_remove_unless_open(struct disk *d);
/*
 * Removal in two steps, also of a disk that is open or mounted (gone.c). disk_detach(): writes
 * dirty pages (unless SURPRISE: the device is already gone), shuts down file systems, fails new
 * opens and requests with an error. The driver then completes its requests in flight.
 * disk_remove(): out of /dev and /sys; releases the driver. The caller's reference stays; the last
 * close frees the disk. Both sleep.
 */
void disk_detach(struct disk *d, bool surprise);
void disk_remove(struct disk *d);
/* The device is gone: everything under way and to come fails. */
void disk_kill(struct disk *d);
void disk_get(struct disk *d);
void disk_put(struct disk *d);
/* From the driver, any context: B is done. */
void bio_done(struct bio *b, int status);
/* What the driver is to do for B now. */
static inline unsigned int bio_op(const struct bio *b)
{
	return b->stage;
}

static inline bool bio_fua(const struct bio *b)
{
	return b->stage == REQ_WRITE && (b->flags & REQ_FUA);
}

/*
 * The next piece of memory of the request *B, of the disk's max_segment bytes at most; pieces that
 * touch are one. At first *I is 0 and *B the request. False: no more.
 */
bool bio_next_segment(struct bio **b, unsigned int *i, u64 *phys, u32 *len);

struct bio *bio_alloc(struct bdev *bdev, unsigned int op, unsigned int flags, gfp_t gfp);
void bio_free(struct bio *b);
/* False: no room for another piece. */
bool bio_add_page(struct bio *b, struct page *page, unsigned int len, unsigned int offset);
/*
 * The last piece goes on for LEN bytes, which lie behind it in memory. False: that is too much for
 * the device.
 */
bool bio_extend(struct bio *b, unsigned int len);
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
	refcount_t pins;		/* of its memory: one of the disk, one of each attribute */
	char uuid[37];			/* c: of a partition, as PARTUUID= has it; "": none */
	struct disk_stats *stats;	/* c: per CPU */
	u64 counted_to;			/* a: up to which tick stats->busy is right */
	atomic_t openers;
	void *holder;			/* disks_lock: the exclusive holder, or NULL */
	unsigned int claims;		/* disks_lock: how often the holder has claimed it */
	u32 soft_block;			/* a: BLKBSZSET; 0: a page */
	bool ext;			/* its number is one of BLKEXT_MAJOR's */
#ifdef CONFIG_FAULT_INJECTION
	bool make_it_fail;		/* w: its transfers may be made to fail */
#endif
};

/*
 * Counted as open, the disk referenced; ERR_PTR(-ENXIO), what the driver says. bdev_close() undoes
 * it.
 */
struct bdev *bdev_open_by_dev(dev_t dev);
/* The same, as HOW says (enum disk_how). */
struct bdev *bdev_open(dev_t dev, unsigned int how);
int bdev_close(struct bdev *b); /* what writing its cache said, if it was the last */
struct bdev *bdev_get_by_dev(dev_t dev);	/* the disk referenced; NULL */
struct bdev *bdev_get_by_name(const char *name);
void bdev_put(struct bdev *b);
/*
 * Exclusive use: a mounted file system, a file opened with O_EXCL. A disk and its partitions
 * exclude each other; partitions do not. The device is open. 0; -EBUSY: somebody else's. HOLDER may
 * claim again.
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
/* The numbers of all there are into *OUT (kvfree()). How many; -ENOMEM. Sleeps. */
int block_devices(dev_t **out);
/* The partition that PARTUUID= names (letters of both cases), the disk referenced; NULL. */
struct bdev *bdev_get_by_partuuid(const char *uuid);
/* How many disks were ever added with their partitions: for block_wait_for_disk(). */
unsigned int block_disks_added(void);
/* Sleeps until another was, after block_disks_added() said SEEN, or for TIMEOUT jiffies at most. */
void block_wait_for_disk(unsigned int seen, long timeout);
/* Before the machine ends: what disks have in volatile caches is made durable. Sleeps. */
void block_flush_all(void);

/*
 * File systems on block devices: one superblock a device (sb->s_bdev), which is claimed while it is
 * there. For fs_context_operations.get_tree: finds the superblock of fc->source's device, or makes
 * one and has FILL fill it. -ENOTBLK, -EACCES (nodev; a read-only disk), -EBUSY: in use, or mounted
 * with other rights.
 */
struct fs_context;
struct super_block;
int get_tree_bdev(struct fs_context *fc,
		  int (*fill)(struct super_block *sb, struct fs_context *fc));
/* file_system_type.kill_sb of those. */
void kill_block_super(struct super_block *sb) __releases(sb -> s_umount);
