// SPDX-License-Identifier: MIT
/*
 * /sys/block/NAME/queue: what a disk takes and how it is used, by the names that Linux documents in sysfs-block. What this room does not
 * do (schedulers, zones, polling) is shown as absent, and what has no meaning here is not shown.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/show.h>
#include <abi/errno.h>
#include "block/blk_priv.h"

static u64 discard_bytes(const struct disk *d) { return (u64)d->max_discard_sectors << SECTOR_SHIFT; }
static u64 zeroes_bytes(const struct disk *d) { return (u64)d->max_zeroes_sectors << SECTOR_SHIFT; }
static u64 block_size(const struct disk *d) { return d->block_size; }
static u64 phys_block_size(const struct disk *d) { return d->phys_block_size; }
static u64 max_kb(const struct disk *d) { return (d->max_segments ? d->max_request : d->max_bytes) >> 10; }
static u64 depth(const struct disk *d) { return d->depth; }
static u64 segments(const struct disk *d) { return d->max_segments ?: BIO_MAX_VECS; }
static u64 no_merges(const struct disk *d) { return d->max_segments ? 0 : 2; }
static u64 discard_unit(const struct disk *d) { return d->max_discard_sectors ? d->block_size : 0; }
static u64 fua(const struct disk *d) { return d->fua; }
static u64 one(const struct disk *d) { return 1; }
static u64 none(const struct disk *d) { return 0; }

static const struct number {
	const char *name;
	u64 (*value)(const struct disk *d);
} numbers[] = {
	{ "logical_block_size", block_size }, { "hw_sector_size", block_size }, { "physical_block_size", phys_block_size },
	{ "minimum_io_size", phys_block_size }, { "optimal_io_size", none }, { "dma_alignment", none },
	{ "max_sectors_kb", max_kb }, { "max_hw_sectors_kb", max_kb }, { "max_segments", segments },
	{ "nr_requests", depth }, { "rotational", none }, { "fua", fua }, { "dax", none }, { "add_random", none },
	{ "nomerges", no_merges }, { "iostats", one }, { "io_poll", none }, { "nr_zones", none },
	{ "discard_granularity", discard_unit }, { "discard_max_bytes", discard_bytes }, { "discard_max_hw_bytes", discard_bytes },
	{ "discard_zeroes_data", none }, { "write_zeroes_max_bytes", zeroes_bytes },
};

/* A node's data is the disk; its name says which number. */
static ssize_t show_number(struct show_node *n, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(numbers[i].name, n->name))
			return scnprintf(buf, size, "%llu\n", numbers[i].value(n->data));
	return -EIO;
}

static ssize_t show_cache(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%s\n", ((struct disk *)n->data)->write_cache ? "write back" : "write through");
}

static ssize_t show_scheduler(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "[none]\n");
}

static ssize_t show_zoned(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "none\n");
}

static ssize_t show_readahead(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%lu\n", ((struct disk *)n->data)->ra_pages * (PAGE_SIZE >> 10));
}

static ssize_t store_readahead(struct show_node *n, const char *text, size_t len)
{
	unsigned int kb;
	int e = kstrtouint(text, 10, &kb);

	if (e)
		return e;
	WRITE_ONCE(((struct disk *)n->data)->ra_pages, kb / (unsigned int)(PAGE_SIZE >> 10));
	return (ssize_t)len;
}

void disk_show_queue(struct disk *d)
{
	struct show_node *dir = show_dir(SHOW_SYS, d->show, "queue");

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		disk_attr(dir, numbers[i].name, 0444, show_number, NULL, d);
	disk_attr(dir, "write_cache", 0444, show_cache, NULL, d);
	show_attr(dir, "scheduler", 0444, show_scheduler, NULL, d);
	show_attr(dir, "zoned", 0444, show_zoned, NULL, d);
	disk_attr(dir, "read_ahead_kb", 0644, show_readahead, store_readahead, d);
}
