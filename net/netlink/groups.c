// SPDX-License-Identifier: MIT
/*
 * Groups: which sockets hear what. Each protocol's groups of a namespace are an array of lists, so
 * that a notification reaches its members and looks at nobody else.
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
	struct netlink_net *nn = n->sk.net->netlink;
	struct nl_member *m;

	if (netlink_joined(n, group))
		return 0;
	m = kmalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
	m->sock = n;
	m->group = group;
	list_add_tail(&m->of_sock, &n->members);
	spin_lock(&nn->groups_lock);
	list_add_tail_rcu(&m->of_group, &nn->groups[n->sk.protocol][group].members);
	spin_unlock(&nn->groups_lock);
	count_bits(n);
	return 0;
}

static void leave(struct netlink_sock *n, struct nl_member *m)
{
	struct netlink_net *nn = n->sk.net->netlink;

	spin_lock(&nn->groups_lock);
	list_del_rcu(&m->of_group);
	spin_unlock(&nn->groups_lock);
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
			INIT_LIST_HEAD(&nn->groups[i][g].members);
	}
	return 0;
}

void netlink_groups_end(struct netlink_net *nn)
{
	for (int i = 0; i < NETLINK_PROTOCOLS; i++)
		kfree(nn->groups[i]);
}
