// SPDX-License-Identifier: MIT
/*
 * /proc/PID/net: the sockets of the process's network namespace. /proc/net is a link to one's own.
 */
#include "proc_priv.h"
#include <kernel/init.h>
#include <lib/minmax.h>
#include <net/netns.h>
#include <net/show.h>
#include <net/unix.h>
#include <proc/ns.h>
#include <proc/upcalls.h>

/* The namespace of TASK, kept; NULL: it has left. */
static struct net *net_of(struct task *task)
{
	struct net *net = NULL;

	task_lock(task);
	if (task->nsproxy)
		net = get_net_ns(task->nsproxy->net_ns);
	task_unlock(task);
	return net;
}

/* A file shows the namespace that its process was in when it was opened: it keeps that one. */
static int show(struct seq_file *m, void *v)
{
	const struct pid_entry *e = file_inode(m->file)->i_private;

	e->show_net(m, m->private);
	return 0;
}

static int show_open(struct inode *inode, struct file *file)
{
	struct task *task = get_proc_task(inode);
	struct net *net = task ? net_of(task) : NULL;
	int err;

	if (task)
		put_task_struct(task);
	if (!net)
		return -ENOENT;
	err = single_open(file, show, net);
	if (err)
		put_net(net);
	return err;
}

static int show_release(struct inode *inode, struct file *file)
{
	put_net(((struct seq_file *)file->private_data)->private);
	return single_release(inode, file);
}

static const struct file_operations show_fops = { .open = show_open,
						  .read_iter = seq_read_iter,
						  .llseek = seq_lseek,
						  .splice_read = copy_splice_read,
						  .release = show_release };

static void show_unix(struct seq_file *m, struct net *net)
{
	unix_show_sockets(m, net);
}

#define SHOW_BY(what, fn) \
	{ .name = #what, .mode = S_IFREG | 0444, .fop = &show_fops, .show_net = fn }
#define SHOWN(what) SHOW_BY(what, net_show_##what)

static const struct pid_entry entries[] = {
	SHOW_BY(unix, show_unix),
	SHOWN(dev),
	SHOWN(dev_mcast),
	SHOWN(route),
	SHOWN(psched),
	SHOWN(fib_trie),
	SHOWN(igmp),
	SHOWN(mcfilter),
	SHOWN(arp),
	SHOWN(tcp),
	SHOWN(udp),
	SHOWN(raw),
	SHOWN(icmp),
	SHOWN(snmp),
	SHOWN(netstat),
	SHOWN(sockstat),
	SHOWN(pnp),
	SHOWN(netlink),
	SHOWN(packet),
	SHOWN(ptype),
	SHOWN(if_inet6),
	SHOWN(ipv6_route),
	SHOWN(igmp6),
	SHOWN(mcfilter6),
	SHOWN(tcp6),
	SHOWN(udp6),
	SHOWN(raw6),
	SHOWN(icmp6),
	SHOWN(snmp6),
	SHOWN(sockstat6),
};

/* A zombie has left its namespaces: its net directory is empty. */
static bool has_namespaces(struct inode *dir)
{
	struct task *task = get_proc_task(dir);
	bool has = false;

	if (task) {
		task_lock(task);
		has = task->nsproxy;
		task_unlock(task);
		put_task_struct(task);
	}
	return has;
}

static struct dentry *net_lookup(struct inode *dir, struct dentry *d, unsigned int flags)
{
	return has_namespaces(dir) ? proc_entries_lookup(dir, d, entries, ARRAY_SIZE(entries), PROC_OF_NET) :
				     ERR_PTR(-ENOENT);
}

static int net_readdir(struct file *file, struct dir_context *ctx)
{
	return has_namespaces(file_inode(file)) ?
		       proc_entries_readdir(file, ctx, entries, ARRAY_SIZE(entries), PROC_OF_NET) :
		       -EINVAL;
}

const struct inode_operations proc_net_iops = { .lookup = net_lookup, .setattr = proc_setattr };
const struct file_operations proc_net_fops = {
	.llseek = generic_file_llseek,
	.read_iter = generic_read_dir,
	.iterate_shared = net_readdir,
};

static int net_link(void)
{
	proc_symlink("net", NULL, "self/net");
	return 0;
}
INITCALL(fs, net_link);
