// SPDX-License-Identifier: MIT
/*
 * The root file system of a disk. root= names the device:
 *
 *   /dev/NAME                 a node of devtmpfs
 *   PARTUUID=UUID             a partition: its GUID, or an MBR's signature and number, xxxxxxxx-nn
 *   UUID=UUID, LABEL=LABEL    what the file system on it says of itself
 *   MAJOR:MINOR, or hexadecimal digits (fe01)    its number
 *
 * rootwait[=SECONDS] waits until it is there, rootdelay=SECONDS before it is looked for.
 * rootfstype= (a list) and rootflags= are for the mount. It is read-only unless rw comes behind
 * every ro: a program of the root file system mounts it anew when it has been checked.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/kdev.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <block/blk.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/time.h>
#include <linux/mount.h>
#include <sched/task.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <vfs/namei.h>
#include "boot/boot_priv.h"

static bool writable;

static int set_ro(const char *value)
{
	(void)value;
	writable = false;
	return 0;
}
KERNEL_PARAM("ro", set_ro);

static int set_rw(const char *value)
{
	(void)value;
	writable = true;
	return 0;
}
KERNEL_PARAM("rw", set_rw);

/* ---- which device ---- */

static bool uuid_is(const u8 *u, const char *text)
{
	char buf[37];

	snprintf(buf, sizeof(buf),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
		 u[15]);
	return !strcasecmp(buf, text);
}

/* Whether a file system on B has this UUID, or this label: one of them is NULL. */
static bool is_wanted(struct bdev *b, const char *uuid, const char *label)
{
	const char *name;
	int i = 0;

	while ((name = fs_next_dev_type(&i))) {
		struct file_system_type *type = get_fs_type(name);
		struct fs_identity id;

		if (type && type->identify && !type->identify(b, &id))
			return uuid ? uuid_is(id.uuid, uuid) : !strcmp(id.label, label);
	}
	return false;
}

/* The first device with such a file system, the disk referenced; NULL. */
static struct bdev *find_fs(const char *uuid, const char *label)
{
	struct bdev *b, *found = NULL;
	dev_t *all;
	int n = block_devices(&all);

	for (int i = 0; i < n && !found; i++) {
		b = bdev_open_by_dev(all[i]);
		if (IS_ERR(b))
			continue;
		if (b->sectors && is_wanted(b, uuid, label))
			found = bdev_get_by_dev(all[i]);
		bdev_close(b);
	}
	if (n >= 0)
		kvfree(all);
	return found;
}

/* Of a number: "254:1", "fe01". */
static struct bdev *find_number(const char *text)
{
	unsigned int major, minor;
	char *end, *second;
	u64 n;

	major = (unsigned int)simple_strtoull(text, &end, 10);
	if (end > text && *end == ':') {
		minor = (unsigned int)simple_strtoull(end + 1, &second, 10);
		return second > end + 1 && !*second ? bdev_get_by_dev(MKDEV(major, minor)) : NULL;
	}
	n = simple_strtoull(text, &end, 16);
	if (end == text || *end || n > U32_MAX)
		return NULL;
	return bdev_get_by_dev(new_decode_dev((u32)n));
}

/* The path of what ROOT names, into PATH. False: it is not there. */
static bool find_root(const char *root, char *path, size_t size)
{
	struct bdev *b;
	struct path p;

	if (!strncmp(root, "PARTUUID=", 9)) {
		b = bdev_get_by_partuuid(root + 9);
	} else if (!strncmp(root, "UUID=", 5)) {
		b = find_fs(root + 5, NULL);
	} else if (!strncmp(root, "LABEL=", 6)) {
		b = find_fs(NULL, root + 6);
	} else if (*root != '/') {
		b = find_number(root);
	} else {
		strscpy(path, root, size);
		if (kern_path(path, LOOKUP_FOLLOW, &p))
			return false;
		path_put(&p);
		return true;
	}
	if (!b)
		return false;
	snprintf(path, size, "/dev/%s", b->name);
	bdev_put(b);
	return true;
}

/* The same, after rootdelay=, and where rootwait says so, when it comes. */
static bool wait_for_root(const char *root, char *path, size_t size)
{
	const char *delay = command_line_get("rootdelay"), *wait = command_line_get("rootwait");
	unsigned int seconds = 0;
	u64 end;

	if (delay && !kstrtouint(delay, 10, &seconds) && seconds)
		msleep(min(seconds, U32_MAX / 1000) * 1000);
	if (wait && *wait && kstrtouint(wait, 10, &seconds)) {
		pr_err("boot: rootwait=%s: seconds are expected\n", wait);
		wait = NULL;
	}
	end = ktime_get_ns() + (u64)seconds * NSEC_PER_SEC;
	for (bool said = false;; said = true) {
		unsigned int seen = block_disks_added();
		u64 now;

		if (find_root(root, path, size))
			return true;
		now = ktime_get_ns();
		if (!wait || (*wait && now >= end))
			return false;
		if (!said)
			pr_info("boot: waiting for the root device %s\n", root);
		block_wait_for_disk(seen,
				    *wait ? (long)min((end - now) / TICK_NSEC + 1, (u64)LONG_MAX) :
					    LONG_MAX);
	}
}

/* ---- mounting it ---- */

/*
 * What there is, so that the command line can be put right; then the end. PATH: the device; NULL:
 * it was not found.
 */
static void __noreturn no_root(const char *root, const char *path, const char *tried, int err)
{
	const char *name;
	int i = 0;

	if (!path && (!strncmp(root, "UUID=", 5) || !strncmp(root, "LABEL=", 6)))
		pr_err("boot: root=%s: no disk has a file system that says so\n", root);
	else if (!path)
		pr_err("boot: root=%s: there is no such device\n", root);
	else
		pr_err("boot: root=%s: no file system could be mounted from it (tried: %s; error %d)\n",
		       root, *tried ? tried : "none", err);
	pr_err("boot: please append a right root= option; these are the disks and partitions:\n");
	block_print_partitions();
	pr_err("boot: these are the file systems of disks that this kernel knows:\n");
	while ((name = fs_next_dev_type(&i)))
		pr_err("  %s\n", name);
	panic("Unable to mount the root file system on \"%s\"", root);
}

/*
 * One type. A device or a file system that cannot be written is mounted read-only, as mount(8)
 * does.
 */
static int try_type(const char *dev, const char *type, unsigned long flags)
{
	const char *data = command_line_get("rootflags");
	char *opts = NULL;
	int err;

	do {
		if (data && *data) {
			kfree(opts);
			opts = kstrdup(data, GFP_KERNEL);	/* the mount takes it apart */
			if (!opts)
				return -ENOMEM;
		}
		err = init_mount(dev, "/root", type, flags, opts);
		if ((err != -EACCES && err != -EROFS) || flags & MS_RDONLY)
			break;
		flags |= MS_RDONLY;
		pr_warn("boot: %s cannot be written: it is mounted read-only\n", dev);
	} while (true);
	kfree(opts);
	return err;
}

/*
 * Mounts DEV with the types of LIST (rootfstype=, by commas), or each that lives on disks. What was
 * tried into TRIED.
 */
static int try_types(const char *dev, const char *list, unsigned long flags, char *tried,
		     size_t size)
{
	int err = -ENODEV, i = 0;
	const char *name;
	size_t used = 0;
	char type[32];

	*tried = '\0';
	do {
		if (list) {
			size_t n = strcspn(list, ",");

			if (!*list)
				break;
			strscpy(type, list, n + 1 < sizeof(type) ? n + 1 : sizeof(type));
			list += n + (list[n] == ',');
		} else {
			name = fs_next_dev_type(&i);
			if (!name)
				break;
			strscpy(type, name, sizeof(type));
		}
		used += scnprintf(tried + used, size - used, "%s%s", used ? " " : "", type);
		err = try_type(dev, type, flags);
	} while (err);
	return err;
}

void boot_mount_root(void)
{
	const char *root = command_line_get("root"), *type = command_line_get("rootfstype");
	char tried[160], path[64];
	int err;

	if (!root || !*root)
		return;
	init_mkdir("/root", 0700);
	/* Not yet mounted anywhere: the nodes that root= may name. */
	init_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if (!wait_for_root(root, path, sizeof(path)))
		no_root(root, NULL, "", 0);
	err = try_types(path, type && *type ? type : NULL, writable ? 0 : MS_RDONLY, tried,
			sizeof(tried));
	if (err)
		no_root(root, path, tried, err);
	init_chdir("/root");
	init_mount("devtmpfs", "dev", "devtmpfs", 0, NULL);
	init_mount(".", "/", NULL, MS_MOVE, NULL);
	init_chroot(".");
}
