// SPDX-License-Identifier: MIT
/*
 * Names and numbers of disks whose names are a prefix and letters: "sda", ..., "sdz", "sdaa", ...
 * Each prefix has indices of its own, and a new disk gets the lowest that is free. The numbers of
 * "vd" and "sd" are Linux's; disks of other prefixes have numbers of BLKEXT_MAJOR. CD drives have
 * digits for letters ("sr0") and no partitions.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/kdev.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <sched/mutex.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include "block/blk_priv.h"

#define MINORS 16U

struct disk_prefix {
	struct list_head list;	/* disks_lock */
	struct xarray taken;	/* indices of its disks */
	char name[];		/* c */
};

static LIST_HEAD(prefixes);	/* disks_lock; a prefix stays for ever */

static bool is_cd(const char *prefix)
{
	return !strcmp(prefix, "sr");
}

void disk_letters(char *buf, size_t size, const char *prefix, unsigned int index)
{
	char letters[8];
	int at = sizeof(letters) - 1;

	if (is_cd(prefix)) {
		snprintf(buf, size, "%s%u", prefix, index);
		return;
	}
	letters[at] = '\0';
	for (index++; index && at; index = (index - 1) / 26)
		letters[--at] = (char)('a' + (index - 1) % 26);
	snprintf(buf, size, "%s%s", prefix, letters + at);
}

/* Which of the 16 majors of SCSI disks the block of 16 disks with that number has. */
static int scsi_major(unsigned int block)
{
	return block == 0 ? SCSI_DISK0_MAJOR :
	       block < 8  ? SCSI_DISK1_MAJOR + (int)block - 1 :
			    SCSI_DISK8_MAJOR + (int)block - 8;
}

void disk_numbers(const char *prefix, unsigned int index, int *major, unsigned int *first,
		  unsigned int *minors)
{
	*minors = MINORS;
	if (is_cd(prefix)) {
		*major = SCSI_CDROM_MAJOR;
		*first = index;
		*minors = 1;
	} else if (!strcmp(prefix, "sd")) {
		/*
		 * 256 disks have the 16 minors of each major one after the other, the next 256
		 * those behind.
		 */
		*major = scsi_major(index >> 4 & 15);
		*first = (index & 15) * MINORS | (index & ~0xffU);
	} else if (!strcmp(prefix, "vd")) {
		*major = VIRTBLK_MAJOR;
		*first = index * MINORS;
	} else {
		*major = BLKEXT_MAJOR;
		*first = *minors = 0;
	}
}

/* The prefix of that name; MORE becomes it if there is none. disks_lock held. */
static struct disk_prefix *find_prefix(const char *name, struct disk_prefix *more)
{
	struct disk_prefix *p;

	lockdep_assert_held(&disks_lock);
	list_for_each_entry(p, &prefixes, list)
		if (!strcmp(p->name, name))
			return p;
	list_add_tail(&more->list, &prefixes);
	return more;
}

int disk_name(struct disk *d, const char *prefix)
{
	size_t n = strlen(prefix) + 1;
	struct disk_prefix *p, *more = kzalloc(sizeof(*more) + n, GFP_KERNEL);
	u32 index;
	int e;

	if (!more)
		return -ENOMEM;
	memcpy(more->name, prefix, n);
	xa_init_flags(&more->taken, XA_FLAGS_ALLOC);
	mutex_lock(&disks_lock);
	p = find_prefix(prefix, more);
	mutex_unlock(&disks_lock);
	if (p != more)
		kfree(more);
	e = xa_alloc(&p->taken, &index, d, XA_LIMIT(0, MINORMASK / MINORS), GFP_KERNEL);
	if (e)
		return e;
	d->prefix = p;
	d->index = index;
	disk_letters(d->name, sizeof(d->name), prefix, index);
	disk_numbers(prefix, index, &d->major, &d->first_minor, &d->minors);
	return 0;
}

void disk_unname(struct disk *d)
{
	if (d->prefix)
		xa_erase(&d->prefix->taken, d->index);
}

void block_show_majors(struct seq_file *m)
{
	seq_printf(m, "%3d loop\n", LOOP_MAJOR);
	for (unsigned int i = 0; i < 16; i++) {
		seq_printf(m, "%3d sd\n", scsi_major(i));
		if (!i)
			seq_printf(m, "%3d sr\n", SCSI_CDROM_MAJOR);
	}
	seq_printf(m, "%3d virtblk\n%3d blkext\n", VIRTBLK_MAJOR, BLKEXT_MAJOR);
}
