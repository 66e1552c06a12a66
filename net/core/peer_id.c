// SPDX-License-Identifier: MIT
/*
 * Numbers that a network namespace has for others (RTM_NEWNSID; ip-netns(8)): messages about a
 * device whose other end is elsewhere name that namespace by them. A number is given once, by a
 * program or when it is needed, and lasts as long as both namespaces do.
 *
 * struct peer_id is in two tables of its owner, by number and by the other's inode number, and in a
 * list of the other; one mutex guards all of them, as they change seldom.
 */
#include <lib/err.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <net/netns.h>
#include <abi/errno.h>

struct peer_id {
	struct list_head list;		/* peer->named */
	struct net *owner, *peer;
	int id;
};

static DEFINE_MUTEX(ids_lock);

static struct peer_id *find(struct net *net, const struct net *peer)
{
	return xa_load(&net->ids_by_ino, peer->ino);
}

int netns_peer_id(struct net *net, struct net *peer)
{
	const struct peer_id *p;
	int id = NETNS_NO_ID;

	mutex_lock(&ids_lock);
	p = find(net, peer);
	if (p)
		id = p->id;
	mutex_unlock(&ids_lock);
	return id;
}

/* ids_lock. The lowest number that is free from WANT on; only WANT, if that is not negative. */
static int choose(struct net *net, int want)
{
	unsigned long i;

	if (want >= 0)
		return xa_load(&net->ids, (unsigned long)want) ? -ENOSPC : want;
	i = xa_find_hole(&net->ids, 0, INT_MAX);
	return i > INT_MAX ? -ENOSPC : (int)i;
}

/* ids_lock. */
static int add(struct net *net, struct net *peer, int want)
{
	struct peer_id *p = kmalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	int id = choose(net, want), err;

	if (!p || id < 0) {
		kfree(p);
		return p ? id : -ENOMEM;
	}
	*p = (struct peer_id){ .owner = net, .peer = peer, .id = id };
	err = xa_err(xa_store(&net->ids, (unsigned long)id, p, GFP_KERNEL));
	if (!err)
		err = xa_err(xa_store(&net->ids_by_ino, peer->ino, p, GFP_KERNEL));
	if (err) {
		xa_erase(&net->ids, (unsigned long)id);
		kfree(p);
		return err;
	}
	list_add_tail(&p->list, &peer->named);
	return id;
}

int netns_peer_id_make(struct net *net, struct net *peer, int want)
{
	const struct peer_id *p;
	int id;

	mutex_lock(&ids_lock);
	p = find(net, peer);
	if (p)
		id = want >= 0 ? -EEXIST : p->id;
	else if (net->ids_ended || peer->ids_ended)
		id = -ENODEV;
	else
		id = add(net, peer, want);
	mutex_unlock(&ids_lock);
	return id;
}

struct net *netns_by_peer_id(struct net *net, int id)
{
	const struct peer_id *p;
	struct net *peer = NULL;

	if (id < 0)
		return NULL;
	mutex_lock(&ids_lock);
	p = xa_load(&net->ids, (unsigned long)id);
	if (p && get_net_unless_zero(p->peer))
		peer = p->peer;
	mutex_unlock(&ids_lock);
	return peer;
}

int netns_next_peer_id(struct net *net, int after)
{
	unsigned long i = (unsigned long)after + 1;	/* of -1: 0 */
	int id;

	mutex_lock(&ids_lock);
	id = xa_find(&net->ids, &i, INT_MAX, XA_PRESENT) ? (int)i : NETNS_NO_ID;
	mutex_unlock(&ids_lock);
	return id;
}

/* ids_lock. */
static void drop(struct peer_id *p)
{
	xa_erase(&p->owner->ids, (unsigned long)p->id);
	xa_erase(&p->owner->ids_by_ino, p->peer->ino);
	list_del(&p->list);
	kfree(p);
}

static int ids_begin(struct net *net)
{
	xa_init(&net->ids);
	xa_init(&net->ids_by_ino);
	INIT_LIST_HEAD(&net->named);
	return 0;
}

static void ids_end(struct net *net)
{
	struct peer_id *p, *next;
	unsigned long i;

	mutex_lock(&ids_lock);
	net->ids_ended = true;
	list_for_each_entry_safe(p, next, &net->named, list)
		drop(p);
	xa_for_each(&net->ids, i, p)
		drop(p);
	mutex_unlock(&ids_lock);
	xa_destroy(&net->ids);
	xa_destroy(&net->ids_by_ino);
}

static struct net_ops ids_ops = { .init = ids_begin, .end = ids_end };

static int ids_init(void)
{
	return net_register_ops(&ids_ops);
}
INITCALL(core, ids_init);
