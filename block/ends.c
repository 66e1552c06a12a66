// SPDX-License-Identifier: MIT
/*
 * The two ends of the system: what the boot finds its root file system by (names of partitions,
 * disks that arrive late), and what is done before the power goes.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/partition.h>
#include <alloc/slab.h>
#include <kernel/printk.h>
#include <sched/wait.h>
#include "block/blk_priv.h"

static DECLARE_WAIT_QUEUE_HEAD(disks_wait);
static atomic_t disks_added;

void block_partition_name(char *buf, size_t size, const struct partition *p)
{
	const u8 *u = p->uuid;

	if (p->mbr_type)
		snprintf(buf, size, "%08x-%02x", p->mbr_signature, p->number);
	else
		snprintf(buf, size,
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8], u[9], u[10], u[11],
			 u[12], u[13], u[14], u[15]);
}

void block_disk_added(void)
{
	atomic_inc(&disks_added);
	wake_up_all(&disks_wait);
}

unsigned int block_disks_added(void)
{
	return (unsigned int)atomic_read(&disks_added);
}

void block_wait_for_disk(unsigned int seen, long timeout)
{
	wait_event_timeout(disks_wait, block_disks_added() != seen, timeout);
}

void block_flush_all(void)
{
	dev_t *all;
	int n = block_devices(&all);

	for (int i = 0; i < n; i++) {
		struct bdev *b = bdev_open_by_dev(all[i]); /* one that is open stays */

		if (IS_ERR(b))
			continue;
		if (!b->partno && b->disk->write_cache && !READ_ONCE(b->disk->dead) &&
		    bdev_flush(b))
			pr_err("block: %s: what it has in its cache could not be made durable\n",
			       b->name);
		bdev_close(b);
	}
	if (n >= 0)
		kvfree(all);
}
