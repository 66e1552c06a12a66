// SPDX-License-Identifier: MIT
/*
 * The end of a network namespace, in steps, but for the first half of one in a worker:
 * 1. The last user is gone: nothing new comes in. It leaves the list of all at once, however many
 *    wait for a worker; then listns(2).
 * 2. Each sub-room's end(), in the reverse order of their begins: devices go, tables empty,
 *    sockets that no program has open are closed.
 * 3. A grace period: every section that found the namespace by a packet or a table has ended.
 * 4. The pin of all users is dropped. A packet in a queue of another namespace's socket and a
 *    timer's function in flight have pins of their own; the last one frees.
 */
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <proc/ns_count.h>
#include "net/core/core_priv.h"
#include "net/core/netns_priv.h"

static void net_end(struct work_struct *w)
{
	struct net *net = container_of(w, struct net, end_work);
	struct net_ops *ops;

	ns_id_remove(&net->nsid);
	down_read(&net_ops_lock);
	list_for_each_entry_reverse(ops, &net_ops_list, list)
		if (ops->end)
			ops->end(net);
	up_read(&net_ops_lock);
	synchronize_rcu();
	net_unpin(net);
}

void net_init_end(struct net *net)
{
	INIT_WORK(&net->end_work, net_end);
}

void put_net(struct net *net)
{
	if (!net || !refcount_dec_and_test(&net->users))
		return;
	spin_lock(&net_list_lock);
	list_del(&net->all);
	spin_unlock(&net_list_lock);
	queue_work(system_unbound_wq, &net->end_work);
}

static void net_free(struct rcu_head *head)
{
	struct net *net = container_of(head, struct net, rcu);
	struct user_namespace *user_ns = net->user_ns;
	struct net_ops *ops;

	list_for_each_entry_reverse(ops, &net_ops_list, list)	/* which grows at boot alone */
		if (ops->release)
			ops->release(net);
	xa_destroy(&net->dev_by_index);
	net_conf_free(net);
	ns_uncount_one(net->made, COUNTED_NET);
	put_user_ns(user_ns);
	kfree(net);
}

void net_unpin(struct net *net)
{
	if (refcount_dec_and_test(&net->pins))
		call_rcu(&net->rcu, net_free);
}
