// SPDX-License-Identifier: MIT
/*
 * The kinds of devices that programs make: net/kind.h. A kind counts its registered devices under
 * rtnl, so that the end of a kind waits for those of namespaces that end at the same time, which it
 * does not find.
 */
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <lib/string.h>
#include <net/kind.h>
#include <sched/wait.h>
#include "net/dev/dev_priv.h"

static LIST_HEAD(kinds);		/* rtnl */
static DECLARE_WAIT_QUEUE_HEAD(last_gone);

struct netdev_kind *netdev_kind_find(const char *name)
{
	struct netdev_kind *k;

	rtnl_assert();
	list_for_each_entry(k, &kinds, list)
		if (!strcmp(k->name, name))
			return k;
	return NULL;
}

int netdev_kind_register(struct netdev_kind *k)
{
	int err = 0;

	rtnl_lock();
	if (netdev_kind_find(k->name))
		err = -EEXIST;
	else
		list_add_tail(&k->list, &kinds);
	rtnl_unlock();
	return err;
}
EXPORT(netdev_kind_register);

void netdev_kind_count(struct netdev *d, int by)
{
	struct netdev_kind *k = d->kind;

	rtnl_assert();
	if (!k)
		return;
	WRITE_ONCE(k->devices, k->devices + by);
	if (!k->devices)
		wake_up_all(&last_gone);
}

static void queue_all(struct net *net, const struct netdev_kind *k, struct list_head *going)
{
	struct netdev *d, *next;

	list_for_each_entry_safe(d, next, &net->devs, list) {
		if (d->kind != k || d->dismantling)
			continue;
		if (k->remove)
			k->remove(d, going);
		else
			netdev_unregister_queue(d, going);
	}
}

void netdev_kind_unregister(struct netdev_kind *k)
{
	struct net *net = NULL;
	LIST_HEAD(going);

	rtnl_lock();
	list_del(&k->list);
	while ((net = net_next(net)))
		queue_all(net, k, &going);
	netdev_unregister_all(&going);
	rtnl_unlock();
	wait_event(last_gone, !READ_ONCE(k->devices));
	rtnl_lock();			/* who counted down has left it */
	rtnl_unlock();
}
EXPORT(netdev_kind_unregister);
