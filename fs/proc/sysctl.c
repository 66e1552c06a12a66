// SPDX-License-Identifier: MIT
/* /proc/sys entries that belong to no room of their own, or to rooms below the tree of names. */
#include "proc_priv.h"
#include <alloc/page.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/show.h>
#include <mm/lasting.h>
#include <mm/backing.h>
#include <mm/mm.h>
#include <vfs/fs.h>
#include <linux/capability.h>
#include <linux/limits.h>

static int cap_last = CAP_LAST_CAP, ngroups_max = NGROUPS_MAX;
static char boot_id[37];

static ssize_t show_line(char *buf, size_t size, const char *text)
{
	return scnprintf(buf, size, "%s\n", text);
}

/* Names of the system: of the reader's uts namespace. */
#define UTS_SHOW(field)								\
	static ssize_t show_##field(struct show_node *n, char *buf, size_t size) \
	{									\
		ssize_t len;							\
										\
		(void)n;							\
		down_read(&uts_sem);						\
		len = show_line(buf, size, utsname_ns()->name.field);		\
		up_read(&uts_sem);						\
		return len;							\
	}
UTS_SHOW(sysname)
UTS_SHOW(release)
UTS_SHOW(version)
UTS_SHOW(nodename)
UTS_SHOW(domainname)

static ssize_t store_uts(bool domain, const char *text, size_t len)
{
	uts_set_name(domain, text, strcspn(text, "\n"));	/* who may is checked by the file's mode, at open */
	return (ssize_t)len;
}

/* Settings that their file's mode alone does not protect: of uid 0 without the capability, too. */
static store_fn plain_int, plain_ulong;		/* constant once they are registered */

static ssize_t store_admin(struct show_node *n, const char *text, size_t len)
{
	return capable(CAP_SYS_ADMIN) ? plain_int(n, text, len) : -EPERM;
}

static ssize_t store_rawio(struct show_node *n, const char *text, size_t len)
{
	return capable(CAP_SYS_RAWIO) ? plain_ulong(n, text, len) : -EPERM;
}

static ssize_t store_writeback(struct show_node *n, const char *text, size_t len)
{
	ssize_t done = plain_int(n, text, len);

	if (done > 0)
		backing_reschedule_all();
	return done;
}

static void guard_store(struct show_node *n, store_fn *plain, store_fn guarded)
{
	if (!n)
		return;
	*plain = n->store;
	n->store = guarded;
}

static ssize_t store_nodename(struct show_node *n, const char *text, size_t len) { return store_uts(false, text, len); }
static ssize_t store_domainname(struct show_node *n, const char *text, size_t len) { return store_uts(true, text, len); }

static ssize_t show_machine(struct show_node *n, char *buf, size_t size)
{
	return show_line(buf, size, utsname_ns()->name.machine);
}

static void make_uuid(char *text)
{
	u8 b[16];

	get_random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
		 b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static ssize_t show_uuid(struct show_node *n, char *buf, size_t size)
{
	char text[37];

	(void)n;
	make_uuid(text);
	return show_line(buf, size, text);
}

static ssize_t show_boot_id(struct show_node *n, char *buf, size_t size)
{
	static DEFINE_MUTEX(lock);

	(void)n;
	mutex_lock(&lock);
	if (!boot_id[0])
		make_uuid(boot_id);
	mutex_unlock(&lock);
	return show_line(buf, size, boot_id);
}

static ssize_t show_entropy(struct show_node *n, char *buf, size_t size)
{
	(void)n;
	return scnprintf(buf, size, "%u\n", rng_entropy_bits());
}

static ssize_t show_poolsize(struct show_node *n, char *buf, size_t size)
{
	(void)n;
	return scnprintf(buf, size, "256\n");
}

static ssize_t show_printk(struct show_node *n, char *buf, size_t size)
{
	(void)n;
	return scnprintf(buf, size, "%d\t4\t1\t7\n", console_loglevel);
}

static ssize_t store_printk(struct show_node *n, const char *text, size_t len)
{
	int level;
	char *end;

	(void)n;
	level = (int)simple_strtol(text, &end, 10);
	if (end == text || level < 0 || level > 15)
		return -EINVAL;
	console_loglevel = level;
	return (ssize_t)len;
}

static ssize_t show_tainted(struct show_node *n, char *buf, size_t size)
{
	(void)n;
	return scnprintf(buf, size, "%u\n", (kernel_tainted ? 512u : 0u) | (kernel_outside_module ? 4096u : 0u) | (kernel_unsigned_module ? 8192u : 0u));
}

/* Files, inodes, dentries. */

static ssize_t show_file_nr(struct show_node *n, char *buf, size_t size)
{
	(void)n;
	return scnprintf(buf, size, "%lu\t0\t%lu\n", get_nr_files(), sysctl_file_max);
}

static ssize_t show_inode_nr(struct show_node *n, char *buf, size_t size)
{
	(void)n;
	return scnprintf(buf, size, "%ld\t%ld\n", get_nr_inodes(), inodes_unused());
}

static ssize_t show_inode_state(struct show_node *n, char *buf, size_t size)
{
	(void)n;
	return scnprintf(buf, size, "%ld\t%ld\t0\t0\t0\t0\t0\n", get_nr_inodes(), inodes_unused());
}

static ssize_t show_dentry_state(struct show_node *n, char *buf, size_t size)
{
	struct dentry_stat st;

	(void)n;
	dentry_get_stat(&st);
	return scnprintf(buf, size, "%ld\t%ld\t45\t0\t%ld\t0\n", st.nr_dentry, st.nr_unused, st.nr_negative);
}

static ssize_t store_drop_caches(struct show_node *n, const char *text, size_t len)
{
	int what;

	(void)n;
	if (kstrtoint(text, 10, &what) || what < 1 || what > 4)
		return -EINVAL;
	if (what != 4)
		drop_caches(what);
	return (ssize_t)len;
}

static ssize_t show_zero(struct show_node *n, char *buf, size_t size)
{
	(void)n;
	return scnprintf(buf, size, "0\n");
}

static ssize_t show_min_free(struct show_node *n, char *buf, size_t size)
{
	struct zone_info z;
	unsigned long min = 0;

	(void)n;
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
		if (zone_info((enum zone_type)i, &z))
			min += z.wmark_min;
	}
	return scnprintf(buf, size, "%lu\n", min << (PAGE_SHIFT - 10));
}

static int proc_sysctl_init(void)
{
	struct show_node *kernel = show_path(SHOW_SYSCTL, "kernel"), *fs = show_path(SHOW_SYSCTL, "fs");
	struct show_node *vm = show_path(SHOW_SYSCTL, "vm"), *rnd = show_path(SHOW_SYSCTL, "kernel/random");

	if (!kernel || !fs || !vm || !rnd)
		return -ENOMEM;
	show_attr(kernel, "ostype", 0444, show_sysname, NULL, NULL);
	show_attr(kernel, "osrelease", 0444, show_release, NULL, NULL);
	show_attr(kernel, "version", 0444, show_version, NULL, NULL);
	show_attr(kernel, "arch", 0444, show_machine, NULL, NULL);
	show_set_changes(show_attr(kernel, "hostname", 0644, show_nodename, store_nodename, NULL), &hostname_changes);
	show_set_changes(show_attr(kernel, "domainname", 0644, show_domainname, store_domainname, NULL), &domainname_changes);
	show_attr(kernel, "printk", 0644, show_printk, store_printk, NULL);
	show_attr(kernel, "tainted", 0444, show_tainted, NULL, NULL);
	sysctl_int("kernel/cap_last_cap", 0444, &cap_last, CAP_LAST_CAP, CAP_LAST_CAP);
	sysctl_int("kernel/ngroups_max", 0444, &ngroups_max, NGROUPS_MAX, NGROUPS_MAX);
	show_attr(rnd, "boot_id", 0444, show_boot_id, NULL, NULL);
	show_attr(rnd, "uuid", 0444, show_uuid, NULL, NULL);
	show_attr(rnd, "entropy_avail", 0444, show_entropy, NULL, NULL);
	show_attr(rnd, "poolsize", 0444, show_poolsize, NULL, NULL);

	show_attr(fs, "file-nr", 0444, show_file_nr, NULL, NULL);
	show_attr(fs, "inode-nr", 0444, show_inode_nr, NULL, NULL);
	show_attr(fs, "inode-state", 0444, show_inode_state, NULL, NULL);
	show_attr(fs, "dentry-state", 0444, show_dentry_state, NULL, NULL);
	show_attr(fs, "leases-enable", 0444, show_zero, NULL, NULL);
	sysctl_ulong("fs/file-max", 0644, &sysctl_file_max, 0, LONG_MAX);
	sysctl_ulong("fs/nr_open", 0644, &sysctl_nr_open, BITS_PER_LONG, 1024 * 1024 * 1024);
	sysctl_int("fs/mount-max", 0644, (int *)&sysctl_mount_max, 1, INT_MAX);

	sysctl_int("vm/overcommit_memory", 0644, &sysctl_overcommit_memory, 0, 2);
	sysctl_int("vm/overcommit_ratio", 0644, &sysctl_overcommit_ratio, 0, INT_MAX);
	sysctl_ulong("vm/overcommit_kbytes", 0644, &sysctl_overcommit_kbytes, 0, ULONG_MAX);
	sysctl_ulong("vm/max_map_count", 0644, &sysctl_max_map_count, 0, INT_MAX);
	guard_store(sysctl_ulong("vm/mmap_min_addr", 0644, &sysctl_mmap_min_addr, 0, ULONG_MAX), &plain_ulong, store_rawio);
	guard_store(sysctl_int("kernel/dmesg_restrict", 0644, &dmesg_restrict, 0, 1), &plain_int, store_admin);
	sysctl_ulong("vm/user_reserve_kbytes", 0644, &sysctl_user_reserve_kbytes, 0, ULONG_MAX);
	sysctl_ulong("vm/user_lasting_kbytes", 0644, &sysctl_user_lasting_kbytes, 0, ULONG_MAX);
	sysctl_ulong("vm/admin_reserve_kbytes", 0644, &sysctl_admin_reserve_kbytes, 0, ULONG_MAX);
	sysctl_int("vm/panic_on_oom", 0644, &sysctl_panic_on_oom, 0, 2);
	sysctl_int("vm/oom_kill_allocating_task", 0644, &sysctl_oom_kill_allocating_task, 0, 1);
	sysctl_int("vm/dirty_ratio", 0644, &sysctl_dirty_ratio, 0, 100);
	sysctl_int("vm/dirty_background_ratio", 0644, &sysctl_dirty_background_ratio, 0, 100);
	guard_store(sysctl_int("vm/dirty_writeback_centisecs", 0644, &sysctl_dirty_writeback_centisecs, 0, INT_MAX / HZ), &plain_int, store_writeback);
	sysctl_int("vm/dirty_expire_centisecs", 0644, &sysctl_dirty_expire_centisecs, 0, INT_MAX / 10);
	sysctl_int("vm/vfs_cache_pressure", 0644, &sysctl_vfs_cache_pressure, 0, INT_MAX / 1000);
	show_attr(vm, "drop_caches", 0200, NULL, store_drop_caches, NULL);
	show_attr(vm, "min_free_kbytes", 0444, show_min_free, NULL, NULL);
	return 0;
}
INITCALL(fs, proc_sysctl_init);
