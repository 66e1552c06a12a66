// SPDX-License-Identifier: MIT
/*
 * Groups: which sockets hear what. Each protocol's groups of a namespace are an array; each has a
 * table of its members, so that a notification looks at those alone.
 */
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <abi/errno.h>
#include "net/netlink/netlink_priv.h"

bool netlink_joined(const struct netlink_sock *n, unsigned int group)
{
	const struct nl_member *m;

	list_for_each_entry(m, &n->members, of_sock)
		if (m->group == group)
			return true;
	return false;
}

/* o. */
static void count_bits(struct netlink_sock *n)
{
	const struct nl_member *m;
	u32 bits = 0;

	list_for_each_entry(m, &n->members, of_sock)
		if (m->group <= 32)
			bits |= 1u << (m->group - 1);
	WRITE_ONCE(n->groups, bits);
}

int netlink_join(struct netlink_sock *n, unsigned int group)
{
	struct nl_group *g = &n->sk.net->netlink->groups[n->sk.protocol][group];
	struct nl_member *m;
	int err;

	if (netlink_joined(n, group))
		return 0;
	m = kmalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
	m->sock = n;
	m->group = group;
	m->nr = (unsigned long)atomic_long_inc_return(&g->next);
	err = xa_err(xa_store(&g->members, m->nr, m, GFP_KERNEL_ACCOUNT));
	if (err) {
		kfree(m);
		return err;
	}
	atomic_long_inc(&g->nr);
	list_add_tail(&m->of_sock, &n->members);
	count_bits(n);
	return 0;
}

static void leave(struct netlink_sock *n, struct nl_member *m)
{
	struct nl_group *g = &n->sk.net->netlink->groups[n->sk.protocol][m->group];

	xa_erase(&g->members, m->nr);
	atomic_long_dec(&g->nr);
	list_del(&m->of_sock);
	kfree_rcu(m, rcu);
}

void netlink_leave(struct netlink_sock *n, unsigned int group)
{
	struct nl_member *m, *next;

	list_for_each_entry_safe(m, next, &n->members, of_sock)
		if (m->group == group)
			leave(n, m);
	count_bits(n);
}

void netlink_leave_all(struct netlink_sock *n)
{
	struct nl_member *m, *next;

	list_for_each_entry_safe(m, next, &n->members, of_sock)
		leave(n, m);
}

int netlink_groups_begin(struct netlink_net *nn)
{
	for (int i = 0; i < NETLINK_PROTOCOLS; i++) {
		const struct nl_protocol *p = netlink_protocol(i);

		if (!p)
			continue;
		nn->groups[i] = kcalloc(p->groups + 1, sizeof(struct nl_group), GFP_KERNEL_ACCOUNT);
		if (!nn->groups[i])
			return -ENOMEM;
		for (unsigned int g = 0; g <= p->groups; g++)
			xa_init(&nn->groups[i][g].members);
	}
	return 0;
}

void netlink_groups_end(struct netlink_net *nn)
{
	for (int i = 0; i < NETLINK_PROTOCOLS; i++)
		kfree(nn->groups[i]);
}
