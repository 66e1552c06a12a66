// SPDX-License-Identifier: MIT
/* Names and numbers of devices: tables of each namespace, read under RCU, changed under rtnl. */
#include <lib/bitmap.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/siphash.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <abi/errno.h>
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"

#define MOST_NUMBERS 32768	/* of names by one pattern */

/* Programs choose names. */
static struct siphash_key hash_key __ro_after_init;

u32 netdev_name_hash(const char *name)
{
	u64 w[2] = { 0, 0 };

	memcpy(w, name, strnlen(name, NETDEV_NAME - 1));
	return (u32)siphash_13(&hash_key, w, 2);
}

struct netdev *netdev_by_index(struct net *net, int ifindex)
{
	return ifindex > 0 ? xa_load(&net->dev_by_index, (unsigned long)ifindex) : NULL;
}

struct netdev *netdev_by_name(struct net *net, const char *name)
{
	u32 hash = netdev_name_hash(name);
	struct netdev *d, *found = NULL;

	rcu_read_lock();
	ghash_for_each_rcu(d, &net->dev_by_name, hash, by_name)
		if (!strncmp(d->name, name, NETDEV_NAME)) {
			found = d;
			break;
		}
	rcu_read_unlock();
	return found;
}

static bool valid(const char *name)
{
	size_t n = strnlen(name, NETDEV_NAME);

	if (!n || n == NETDEV_NAME || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (const char *c = name; *c; c++)
		if (*c == '/' || *c == ':' || *c == ' ' || (*c >= '\t' && *c <= '\r') ||
		    (u8)*c == 0xa0)
			return false;
	return true;
}

/* The numbers that names of PREFIX%dREST have in NET. */
static void note_used(struct net *net, const char *prefix, size_t n, const char *rest,
		      unsigned long *used)
{
	struct netdev *d;

	list_for_each_entry(d, &net->devs, list) {
		char text[NETDEV_NAME];
		unsigned long v = 0;
		const char *c = d->name + n;

		if (strncmp(d->name, prefix, n) || *c < '0' || *c > '9')
			continue;
		while (*c >= '0' && *c <= '9' && v < MOST_NUMBERS)
			v = v * 10 + (unsigned long)(*c++ - '0');
		if (v >= MOST_NUMBERS || strcmp(c, rest))
			continue;
		snprintf(text, sizeof(text), "%.*s%lu%s", (int)n, prefix, v, rest);
		if (!strcmp(text, d->name))
			__set_bit((unsigned int)v, used);
	}
}

static int by_pattern(struct net *net, const char *pattern, const char *at, char name[NETDEV_NAME])
{
	unsigned long *used = kzalloc(MOST_NUMBERS / 8, GFP_KERNEL), v;

	if (!used)
		return -ENOMEM;
	note_used(net, pattern, (size_t)(at - pattern), at + 2, used);
	v = find_next_zero_bit(used, MOST_NUMBERS, 0);
	kfree(used);
	if (v >= MOST_NUMBERS)
		return -ENFILE;
	if (snprintf(name, NETDEV_NAME, "%.*s%lu%s", (int)(at - pattern), pattern, v, at + 2) >=
	    NETDEV_NAME)
		return -EINVAL;
	return 0;
}

int netdev_make_name(struct net *net, const char *pattern, char name[NETDEV_NAME])
{
	const char *at;

	rtnl_assert();
	if (!valid(pattern))
		return -EINVAL;
	at = strchr(pattern, '%');
	if (at)
		return at[1] == 'd' && !strchr(at + 2, '%') ? by_pattern(net, pattern, at, name) :
							      -EINVAL;
	if (netdev_by_name(net, pattern))
		return -EEXIST;
	memset(name, 0, NETDEV_NAME);
	memcpy(name, pattern, strlen(pattern));
	return 0;
}

static void name_add(struct netdev *d)
{
	u32 hash = netdev_name_hash(d->name);
	unsigned long *b = ghash_lock(&d->net->dev_by_name, hash);

	ghash_add(&d->net->dev_by_name, b, &d->by_name, hash);
	ghash_unlock(b);
}

static int next_index(struct net *net)
{
	while (xa_load(&net->dev_by_index, (unsigned long)net->next_ifindex))
		if (++net->next_ifindex <= 0)
			net->next_ifindex = 1;
	return net->next_ifindex;
}

static void list_in_order(struct netdev *d)
{
	struct netdev *o;

	list_for_each_entry_reverse(o, &d->net->devs, list)
		if (o->ifindex < d->ifindex)
			break;
	list_add_rcu(&d->list, &o->list);
}

int netdev_publish(struct netdev *d, gfp_t gfp)
{
	struct net *net = d->net;
	int err;

	if (!d->ifindex || netdev_by_index(net, d->ifindex)) {
		d->ifindex = next_index(net);
		if (++net->next_ifindex <= 0)
			net->next_ifindex = 1;
	}
	ghash_reserve(&net->dev_by_name);
	err = xa_err(xa_store(&net->dev_by_index, (unsigned long)d->ifindex, d, gfp));
	if (err)
		return err;
	name_add(d);
	list_in_order(d);
	net->dev_seq++;
	return 0;
}

void netdev_unpublish(struct netdev *d)
{
	list_del_rcu(&d->list);
	ghash_del(&d->net->dev_by_name, &d->by_name);
	xa_erase(&d->net->dev_by_index, (unsigned long)d->ifindex);
	d->net->dev_seq++;
}

int netdev_rename(struct netdev *d, const char *pattern)
{
	char name[NETDEV_NAME];
	int err;

	rtnl_assert();
	if (!strncmp(d->name, pattern, NETDEV_NAME))
		return 0;
	err = netdev_make_name(d->net, pattern, name);
	if (err)
		return err;
	/* The node may be inserted again only when no reader stands on it. */
	ghash_del(&d->net->dev_by_name, &d->by_name);
	synchronize_rcu();
	memcpy(d->was, d->name, NETDEV_NAME);
	memcpy(d->name, name, NETDEV_NAME);
	name_add(d);
	d->net->dev_seq++;
	netdev_tell(d, NETDEV_CHANGENAME);
	return 0;
}

int netdev_set_alias(struct netdev *d, const char *text, size_t len)
{
	char *alias = NULL;

	rtnl_assert();
	if (len >= IFALIASZ)
		return -EINVAL;
	if (len) {
		alias = kmalloc(len + 1, GFP_KERNEL_ACCOUNT);
		if (!alias)
			return -ENOMEM;
		memcpy(alias, text, len);
		alias[len] = 0;
	}
	kfree(d->alias);
	d->alias = alias;
	if (d->flags & IFF_UP)		/* as on Linux, others hear nothing */
		netdev_tell(d, NETDEV_CHANGE);
	return 0;
}

static int names_begin(struct net *net)
{
	return ghash_init(&net->dev_by_name, 3);
}

static void names_end(struct net *net)
{
	ghash_destroy(&net->dev_by_name);
}

static struct net_ops names_ops = { .init = names_begin, .end = names_end };
static int names_init(void)
{
	get_random_bytes(&hash_key, sizeof(hash_key));
	return net_register_ops(&names_ops);
}
INITCALL(sched, names_init);
