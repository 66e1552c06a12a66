// SPDX-License-Identifier: MIT
/* Devices that programs make and change: wish.h. */
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/upcalls.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"
#include "net/dev/wish.h"
#include "net/wire/eth.h"

const struct nla_rule netdev_link_rules[IFLA_MAX + 1] = {
	[IFLA_ADDRESS] = { NLA_K_ANY, NETDEV_ADDR },
	[IFLA_BROADCAST] = { NLA_K_ANY, NETDEV_ADDR },
	[IFLA_IFNAME] = { NLA_K_TEXT, NETDEV_NAME - 1 },
	[IFLA_ALT_IFNAME] = { NLA_K_TEXT, 127 },
	[IFLA_IFALIAS] = { NLA_K_ANY, IFALIASZ - 1 },
	[IFLA_MTU] = { NLA_K_U32, 0 },
	[IFLA_LINK] = { NLA_K_U32, 0 },
	[IFLA_MASTER] = { NLA_K_U32, 0 },
	[IFLA_TXQLEN] = { NLA_K_U32, 0 },
	[IFLA_OPERSTATE] = { NLA_K_U8, 0 },
	[IFLA_LINKMODE] = { NLA_K_U8, 0 },
	[IFLA_LINKINFO] = { NLA_K_NESTED, 0 },
	[IFLA_NET_NS_PID] = { NLA_K_U32, 0 },
	[IFLA_NET_NS_FD] = { NLA_K_U32, 0 },
	[IFLA_GROUP] = { NLA_K_U32, 0 },
	[IFLA_EXT_MASK] = { NLA_K_U32, 0 },
	[IFLA_NUM_TX_QUEUES] = { NLA_K_U32, 0 },
	[IFLA_NUM_RX_QUEUES] = { NLA_K_U32, 0 },
	[IFLA_CARRIER] = { NLA_K_U8, 0 },
	[IFLA_AF_SPEC] = { NLA_K_NESTED, 0 },
};

static int refuse(struct nla_error *e, int err, const char *text, const struct nlattr *at)
{
	*e = (struct nla_error){ text, at };
	return err;
}

int netdev_wish_parse(struct netdev_wish *w, const struct nlattr *const *tb, struct nla_error *e)
{
	memset(w, 0, sizeof(*w));
	if (tb[IFLA_IFNAME] && !nla_text(tb[IFLA_IFNAME], w->name, sizeof(w->name)))
		return refuse(e, -EINVAL, "Name too long", tb[IFLA_IFNAME]);
	w->named = tb[IFLA_IFNAME];
	if (tb[IFLA_ADDRESS]) {
		w->has_addr = true;
		w->addr_len = (u8)nla_len(tb[IFLA_ADDRESS]);
		memcpy(w->addr, nla_data(tb[IFLA_ADDRESS]), w->addr_len);
	}
	if (tb[IFLA_MTU])
		w->mtu = nla_u32(tb[IFLA_MTU]);
	if (tb[IFLA_TXQLEN]) {
		w->has_qlen = true;
		w->qlen = nla_u32(tb[IFLA_TXQLEN]);
	}
	if (tb[IFLA_GROUP])
		w->group = nla_u32(tb[IFLA_GROUP]);
	return 0;
}

int netdev_wish_apply(const struct netdev_wish *w, struct netdev *d, const char *kind)
{
	if (w->name[0])
		memcpy(d->name, w->name, NETDEV_NAME);
	else
		snprintf(d->name, NETDEV_NAME, "%s%%d", kind);
	if (w->has_addr && w->addr_len != d->addr_len)
		return -EINVAL;
	if (w->has_addr && d->type == ARPHRD_ETHER && !eth_is_station(w->addr))
		return -EADDRNOTAVAIL;
	if (w->has_addr)
		memcpy(d->addr, w->addr, d->addr_len);
	if (w->mtu && (w->mtu < d->min_mtu || (d->max_mtu && w->mtu > d->max_mtu)))
		return -EINVAL;
	if (w->mtu)
		d->mtu = w->mtu;
	if (w->has_qlen)
		d->tx_queue_len = w->qlen;
	d->group = w->group;
	return 0;
}
EXPORT(netdev_wish_apply);

struct net *netns_by_pid(int nr)
{
	struct net *net = ERR_PTR(-ESRCH);
	struct task *t;

	rcu_read_lock();
	t = pid_task(find_pid_ns(nr, task_active_pid_ns(current)), PIDTYPE_PID);
	if (t) {
		task_lock(t);
		if (t->nsproxy)
			net = get_net(t->nsproxy->net_ns);
		task_unlock(t);
	}
	rcu_read_unlock();
	return net;
}

struct net *netns_by_fd(int fd)
{
	struct file *f = fget((unsigned int)fd);
	struct net *net;

	if (!f)
		return ERR_PTR(-EBADF);
	net = nsfs_net(file_inode(f));
	net = net ? get_net(net) : ERR_PTR(-EINVAL);
	fput(f);
	return net;
}

struct net *netdev_wish_net(const struct nlattr *const *tb)
{
	struct net *net = NULL;

	if (tb[IFLA_NET_NS_PID])
		net = netns_by_pid((int)nla_u32(tb[IFLA_NET_NS_PID]));
	else if (tb[IFLA_NET_NS_FD])
		net = netns_by_fd((int)nla_u32(tb[IFLA_NET_NS_FD]));
	if (!IS_ERR_OR_NULL(net) && !ns_capable(net->user_ns, CAP_NET_ADMIN)) {
		put_net(net);
		return ERR_PTR(-EPERM);
	}
	return net;
}
