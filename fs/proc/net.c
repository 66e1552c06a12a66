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

static int show_unix(struct seq_file *m, struct pid_namespace *ns, struct pid *pid,
		     struct task *task)
{
	struct net *net = NULL;

	task_lock(task);
	if (task->nsproxy)
		net = get_net(task->nsproxy->net_ns);
	task_unlock(task);
	if (!net)
		return -EINVAL;
	unix_show_sockets(m, net);
	put_net(net);
	return 0;
}

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

#define SHOWS(what)										\
static int show_##what(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)	\
{												\
	struct net *net = net_of(task);								\
												\
	if (net)										\
		net_show_##what(m, net);							\
	put_net(net);										\
	return 0;										\
}
SHOWS(dev)
SHOWS(dev_mcast)
SHOWS(route)
SHOWS(arp)
SHOWS(tcp)
SHOWS(udp)
SHOWS(raw)
SHOWS(icmp)
SHOWS(snmp)
SHOWS(netstat)
SHOWS(sockstat)
SHOWS(pnp)
SHOWS(netlink)
SHOWS(packet)
SHOWS(ptype)
SHOWS(if_inet6)
SHOWS(ipv6_route)
SHOWS(tcp6)
SHOWS(udp6)
SHOWS(raw6)
SHOWS(icmp6)
SHOWS(snmp6)
SHOWS(sockstat6)

#define SHOWN(what) { .name = #what, .mode = S_IFREG | 0444, .show = show_##what }

static const struct pid_entry entries[] = {
	{ .name = "unix", .mode = S_IFREG | 0444, .show = show_unix },
	SHOWN(dev),
	SHOWN(dev_mcast),
	SHOWN(route),
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
	return has_namespaces(dir) ? proc_entries_lookup(dir, d, entries, ARRAY_SIZE(entries)) :
				     ERR_PTR(-ENOENT);
}

static int net_readdir(struct file *file, struct dir_context *ctx)
{
	return has_namespaces(file_inode(file)) ?
		       proc_entries_readdir(file, ctx, entries, ARRAY_SIZE(entries)) :
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
