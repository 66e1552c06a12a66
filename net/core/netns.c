// SPDX-License-Identifier: MIT
/*
 * Network namespaces: making them, finding them, the list of all. Their end: netns_end.c.
 *
 * Locks: net_ops_lock over the list of struct net_ops. It is read while a namespace begins or ends,
 * so that each sees each op's init and end exactly once; many do so side by side, as an end waits
 * for a dozen grace periods. It is above rtnl, which the functions may take. net_list_lock over the
 * list of namespaces.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <net/netns.h>
#include <proc/ns.h>
#include <proc/cred.h>
#include <proc/ns_count.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <linux/sched.h>
#include <abi/errno.h>
#include "net/core/netns_priv.h"

#define FIRST_NET_INO 0xeffffff9u	/* what Linux's initial one has: programs compare */

struct net init_net = {
	.users = REFCOUNT_INIT(1),
	.pins = REFCOUNT_INIT(1),
	.user_ns = &init_user_ns,
	.ino = FIRST_NET_INO,
	.cookie = 1,
	.devs = LIST_HEAD_INIT(init_net.devs),
	.taps = PACKET_TAPS_INIT(init_net.taps),
	.all = LIST_HEAD_INIT(init_net.all),
	.dev_by_index = XARRAY_INIT(init_net.dev_by_index, 0),
	.next_ifindex = 1,
};
EXPORT(init_net);

DECLARE_RWSEM(net_ops_lock);
LIST_HEAD(net_ops_list);
DEFINE_SPINLOCK(net_list_lock);
LIST_HEAD(net_list);
static DEFINE_MUTEX(rtnl_mutex);
static atomic64_t last_cookie = ATOMIC64_INIT(1);

void rtnl_lock(void) __acquires(rtnl_mutex)
{
	mutex_lock(&rtnl_mutex);
}
EXPORT(rtnl_lock);

int rtnl_lock_interruptible(void)
{
	return mutex_lock_interruptible(&rtnl_mutex);
}

void rtnl_unlock(void) __releases(rtnl_mutex)
{
	mutex_unlock(&rtnl_mutex);
}
EXPORT(rtnl_unlock);

void rtnl_assert(void)
{
	WARN_ON_ONCE(!mutex_is_locked(&rtnl_mutex));
}
EXPORT(rtnl_assert);

struct net *current_net(void)
{
	if (unlikely(current->acting_net))
		return current->acting_net;
	return current->nsproxy ? current->nsproxy->net_ns : &init_net;
}

bool get_net_unless_zero(struct net *net)
{
	return refcount_inc_not_zero(&net->users);
}

int net_register_ops(struct net_ops *ops)
{
	struct net *net;
	int err;

	/* Registered at boot, when the initial namespace is the only one. */
	down_write(&net_ops_lock);
	err = ops->init ? ops->init(&init_net) : 0;
	if (!err)
		list_add_tail(&ops->list, &net_ops_list);
	spin_lock(&net_list_lock);
	list_for_each_entry(net, &net_list, all)
		BUG_ON(net != &init_net);
	spin_unlock(&net_list_lock);
	up_write(&net_ops_lock);
	return err;
}

struct net *net_next(struct net *net)
{
	struct net *next = NULL, *at;

	spin_lock(&net_list_lock);
	/* NET is referenced and so on the list: the last put_net() takes a namespace off it. */
	at = net ? list_next_entry(net, all) : list_first_entry(&net_list, struct net, all);
	list_for_each_entry_from(at, &net_list, all) {
		if (get_net_unless_zero(at)) {
			next = at;
			break;
		}
	}
	spin_unlock(&net_list_lock);
	put_net(net);
	return next;
}

/* All ops begin; on failure those that began end. */
static int begin(struct net *net)
{
	struct net_ops *ops;
	int err = 0;

	down_read(&net_ops_lock);
	list_for_each_entry(ops, &net_ops_list, list) {
		err = ops->init ? ops->init(net) : 0;
		if (err)
			break;
	}
	while (err && ops->list.prev != &net_ops_list) {
		ops = list_prev_entry(ops, list);
		if (ops->end)
			ops->end(net);
	}
	up_read(&net_ops_lock);
	return err;
}

static struct net *net_new(struct user_namespace *user_ns, struct ns_count *made)
{
	struct net *net = kzalloc(sizeof(*net), GFP_KERNEL_ACCOUNT);

	if (!net)
		return NULL;
	refcount_set(&net->users, 1);
	refcount_set(&net->pins, 1);
	net->user_ns = get_user_ns(user_ns);
	net->made = made;
	net->ino = ns_alloc_ino();
	net->cookie = (u64)atomic64_inc_return(&last_cookie);
	xa_init(&net->dev_by_index);
	INIT_LIST_HEAD(&net->devs);
	packet_taps_init(&net->taps);
	net->next_ifindex = 1;
	net_init_end(net);
	return net;
}

struct net *copy_net_ns(bool fresh, struct net *old, struct user_namespace *user_ns)
{
	struct ns_count *made;
	struct net *net;
	int err;

	if (!fresh)
		return get_net(old);
	made = ns_count_one(user_ns, current_euid(), COUNTED_NET);
	if (!made)
		return ERR_PTR(-ENOSPC);
	net = net_new(user_ns, made);
	if (!net) {
		ns_uncount_one(made, COUNTED_NET);
		return ERR_PTR(-ENOMEM);
	}
	err = begin(net);
	if (err) {
		net_unpin(net);
		return ERR_PTR(err);
	}
	spin_lock(&net_list_lock);
	list_add_tail(&net->all, &net_list);
	spin_unlock(&net_list_lock);
	ns_id_add(&net->nsid, CLONE_NEWNET, user_ns);
	return net;
}

struct net *get_net_ns(struct net *net)
{
	return get_net(net);
}

struct user_namespace *net_ns_owner(struct net *net)
{
	return net->user_ns;
}

unsigned int net_ns_ino(struct net *net)
{
	return net->ino;
}

u64 net_ns_id(struct net *net)
{
	return net->nsid.id;
}

static int netns_init(void)
{
	ns_id_add(&init_net.nsid, CLONE_NEWNET, &init_user_ns);
	init_nsproxy.net_ns = &init_net;
	list_add_tail(&init_net.all, &net_list);
	net_init_end(&init_net);
	return 0;
}
INITCALL(early, netns_init);
