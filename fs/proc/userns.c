// SPDX-License-Identifier: MIT
/*
 * /proc/PID/uid_map, gid_map, projid_map, setgroups: how the ids of a user namespace are those of its
 * parent. Each map is written once, by somebody in the namespace or its parent who may (user_namespaces(7)).
 * A file is of the namespace that the task had when it was opened, whatever the task has entered since.
 */
#include "proc_priv.h"
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <linux/capability.h>

static DEFINE_MUTEX(map_lock);

enum which { MAP_UID, MAP_GID, MAP_PROJID };

static struct user_namespace *ns_of(struct inode *inode)
{
	struct task *task = get_proc_task(inode);
	struct user_namespace *ns;

	if (!task)
		return NULL;
	rcu_read_lock();
	ns = get_user_ns(__task_cred(task)->user_ns);
	rcu_read_unlock();
	put_task_struct(task);
	return ns;
}

static struct user_namespace *ns_of_file(const struct file *file)
{
	return ((const struct seq_file *)file->private_data)->private;
}

static struct uid_gid_map *map_of(struct user_namespace *ns, enum which w)
{
	return w == MAP_UID ? &ns->uid_map : w == MAP_GID ? &ns->gid_map : &ns->projid_map;
}

/*
 * The kernel's number for id @id of @ns, where @count ids from @id are in a row; (u32)-1: some have no number. One extent must hold them
 * all: between two extents there may be ids that the namespace does not own.
 */
static u32 to_kernel(struct user_namespace *ns, enum which w, u32 id, u32 count)
{
	const struct uid_gid_map *map = map_of(ns, w);
	u32 nr = smp_load_acquire(&map->nr);

	for (u32 i = 0; i < nr; i++) {
		const struct uid_gid_extent *e = &map->extents[i];

		if (id >= e->first && id - e->first < e->count)
			return count <= e->count - (id - e->first) ? e->lower_first + (id - e->first) : ~0u;
	}
	return ~0u;
}

/* An id of the kernel as @ns numbers it; (u32)-1: not at all. */
static u32 from_kernel(struct user_namespace *ns, enum which w, u32 id)
{
	const struct uid_gid_map *map = map_of(ns, w);
	u32 nr = smp_load_acquire(&map->nr);

	for (u32 i = 0; i < nr; i++) {
		const struct uid_gid_extent *e = &map->extents[i];

		if (id >= e->lower_first && id - e->lower_first < e->count)
			return e->first + (id - e->lower_first);
	}
	return ~0u;
}

/* Showing: the other side in the reader's namespace, or, for one's own, the parent's. */
static int show_map(struct seq_file *m, enum which w)
{
	struct user_namespace *ns = m->private, *reader = m->file->f_cred->user_ns, *lower;
	struct uid_gid_map *map;
	u32 nr;

	lower = reader == ns && ns->parent ? ns->parent : reader;
	map = map_of(ns, w);
	nr = smp_load_acquire(&map->nr);
	for (u32 i = 0; i < nr; i++)
		seq_printf(m, "%10u %10u %10u\n", map->extents[i].first,
			   from_kernel(lower, w, map->extents[i].lower_first), map->extents[i].count);
	return 0;
}

/* Mapping the parent's root takes CAP_SETFCAP over the parent: of the namespace's creator when it was made, or of a writer in the parent. */
static bool may_map_root(const struct cred *cred, struct user_namespace *ns)
{
	if (cred->user_ns == ns)
		return ns->parent_could_setfcap;
	return cred_capable(cred, ns->parent, CAP_SETFCAP);
}

/* One's own id alone is everybody's right; more needs the parent's CAP_SETUID or CAP_SETGID. */
static bool permitted(const struct file *file, struct user_namespace *ns, enum which w,
		      const struct uid_gid_extent *ext, u32 nr)
{
	const struct cred *cred = file->f_cred;
	int cap = w == MAP_UID ? CAP_SETUID : w == MAP_GID ? CAP_SETGID : -1;

	for (u32 i = 0; w == MAP_UID && i < nr; i++) {
		if (!ext[i].lower_first && !may_map_root(cred, ns))
			return false;
	}
	if (nr == 1 && ext[0].count == 1 && uid_eq(ns->owner, cred->euid)) {
		if (w == MAP_UID && to_kernel(ns->parent, w, ext[0].lower_first, 1) == cred->euid.val)
			return true;
		if (w == MAP_GID && to_kernel(ns->parent, w, ext[0].lower_first, 1) == cred->egid.val &&
		    !ns->setgroups_allowed)
			return true;
	}
	if (cap < 0)
		return true;
	return ns_capable(ns->parent, cap) && cred_capable(cred, ns->parent, cap);
}

static int install_map(struct file *file, struct user_namespace *ns, enum which w, char *text)
{
	struct user_namespace *opener = file->f_cred->user_ns;
	struct uid_gid_map *map = map_of(ns, w);
	struct uid_gid_extent *ext;
	u32 nr;
	int err;

	if (!ns->parent || (opener != ns && opener != ns->parent) || map->nr)
		return -EPERM;
	if (w != MAP_PROJID && !cred_capable(file->f_cred, ns, CAP_SYS_ADMIN))
		return -EPERM;
	ext = kvmalloc_array(UID_GID_MAP_MAX_EXTENTS, sizeof(*ext), GFP_KERNEL);
	if (!ext)
		return -ENOMEM;
	err = idmap_parse(text, ext, &nr);
	if (!err && !permitted(file, ns, w, ext, nr))
		err = -EPERM;
	for (u32 i = 0; !err && i < nr; i++) {
		ext[i].lower_first = to_kernel(ns->parent, w, ext[i].lower_first, ext[i].count);
		if (ext[i].lower_first == ~0u)
			err = -EPERM;
	}
	if (!err) {
		map->extents = kmemdup(ext, nr * sizeof(*ext), GFP_KERNEL_ACCOUNT);
		if (map->extents)
			smp_store_release(&map->nr, nr);	/* pairs with the readers' acquire */
		else
			err = -ENOMEM;
	}
	kvfree(ext);
	return err;
}

/* The whole text at once, from the start of the file. */
static ssize_t take_text(struct kiocb *iocb, struct iter *from, enum which w,
			 int (*take)(struct file *, struct user_namespace *, enum which, char *))
{
	struct file *file = iocb->ki_filp;
	size_t len = iter_count(from);
	char *text;
	int err;

	if (iocb->ki_pos || len >= PAGE_SIZE)
		return -EINVAL;
	text = kmalloc(len + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	err = copy_from_iter_full(text, len, from) ? 0 : -EFAULT;
	text[len] = 0;
	if (!err) {
		mutex_lock(&map_lock);
		err = take(file, ns_of_file(file), w, text);
		mutex_unlock(&map_lock);
	}
	kfree(text);
	if (err)
		return err;
	iocb->ki_pos = (loff_t)len;
	return (ssize_t)len;
}

/* "deny" for good, while gid_map is not written yet: then groups can be dropped by nobody. */
static int take_setgroups(struct file *file, struct user_namespace *ns, enum which w, char *text)
{
	bool allow;

	(void)file;
	(void)w;
	text = strim(text);
	if (!strcmp(text, "allow"))
		allow = true;
	else if (!strcmp(text, "deny"))
		allow = false;
	else
		return -EINVAL;
	if (allow)
		return ns->setgroups_allowed ? 0 : -EPERM;
	if (ns->gid_map.nr)
		return -EPERM;
	ns->setgroups_allowed = false;
	return 0;
}

static int show_setgroups(struct seq_file *m, void *v)
{
	const struct user_namespace *ns = m->private;

	(void)v;
	seq_puts(m, ns->setgroups_allowed ? "allow\n" : "deny\n");
	return 0;
}

static int open_of(struct inode *inode, struct file *file, int (*show)(struct seq_file *, void *), int gone)
{
	struct user_namespace *ns = ns_of(inode);
	int err;

	if (!ns)
		return gone;
	err = single_open(file, show, ns);
	if (err)
		put_user_ns(ns);
	return err;
}

static int release(struct inode *inode, struct file *file)
{
	put_user_ns(ns_of_file(file));
	return single_release(inode, file);
}

static ssize_t setgroups_write(struct kiocb *iocb, struct iter *from)
{
	return take_text(iocb, from, MAP_GID, take_setgroups);
}

static int setgroups_open(struct inode *inode, struct file *file)
{
	int err = open_of(inode, file, show_setgroups, -ESRCH);

	if (err || !(file->f_mode & FMODE_WRITE) || ns_capable(ns_of_file(file), CAP_SYS_ADMIN))
		return err;
	release(inode, file);
	return -EACCES;
}

const struct file_operations proc_setgroups_fops = {
	.open = setgroups_open, .read_iter = seq_read_iter, .write_iter = setgroups_write, .llseek = seq_lseek,
	.release = release,
};

#define MAP_FILE(name, which)								\
	static int name##_show(struct seq_file *m, void *v) { (void)v; return show_map(m, which); } \
	static ssize_t name##_write(struct kiocb *iocb, struct iter *from)		\
	{										\
		return take_text(iocb, from, which, install_map);			\
	}										\
	static int name##_open(struct inode *inode, struct file *file)			\
	{										\
		return open_of(inode, file, name##_show, -EINVAL);			\
	}										\
	const struct file_operations proc_##name##_fops = {				\
		.open = name##_open, .read_iter = seq_read_iter, .write_iter = name##_write, \
		.llseek = seq_lseek, .release = release,				\
	}
MAP_FILE(uid_map, MAP_UID);
MAP_FILE(gid_map, MAP_GID);
MAP_FILE(projid_map, MAP_PROJID);
