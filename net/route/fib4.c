// SPDX-License-Identifier: MIT
/* Routing tables of IPv4: fib4_priv.h. */
#include <lib/bits.h>
#include <lib/err.h>
#include <lib/siphash.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/route/fib4_priv.h"
#include "net/route/in_device.h"
#include "net/wire/ip4.h"

/* Programs choose prefixes, also in namespaces of their own. */
static struct siphash_key hash_key __ro_after_init;

static u32 prefix_hash(be32 prefix, u8 len)
{
	return hash_word(&hash_key, (u64)prefix.v << 8 | len);
}

static int hash_init(void)
{
	get_random_bytes(&hash_key, sizeof(hash_key));
	return 0;
}
INITCALL(sched, hash_init);

void fib4_changed(struct net *net)
{
	rtnl_assert();
	smp_store_release(&net->fib4->gen, net->fib4->gen + 1);
}

void route4_flush(struct net *net)
{
	fib4_changed(net);
}

/* ---- finding ---- */

static struct fib4_prefix *find_prefix(struct fib4_table *t, be32 prefix, u8 len)
{
	u32 hash = prefix_hash(prefix, len), seq = ghash_read_begin(&t->prefixes);
	struct fib4_prefix *p, *found = NULL;
	unsigned long *b;

	ghash_for_each_rcu(p, &t->prefixes, hash, node)
		if (p->prefix.v == prefix.v && p->len == len)
			return p;
	if (likely(!ghash_read_retry(&t->prefixes, seq)))
		return NULL;
	b = ghash_lock(&t->prefixes, hash);
	ghash_for_each(p, b, hash, node)
		if (p->prefix.v == prefix.v && p->len == len) {
			found = p;
			break;
		}
	ghash_unlock(b);
	return found;
}

static bool usable(const struct fib4_route *r, int oif, u8 tos, u8 scope)
{
	if (READ_ONCE(r->flags) & RTNH_F_DEAD || r->scope < scope)
		return false;
	if (r->tos && r->tos != tos)
		return false;
	return !oif || (r->dev && r->dev->ifindex == oif);
}

struct fib4_route *fib4_find(struct fib4_table *t, be32 dst, int oif, u8 tos, u8 scope)
{
	u64 lens = READ_ONCE(t->lens);

	while (lens) {
		unsigned int len = __fls(lens);
		struct fib4_prefix *p = find_prefix(t, (be32){ dst.v & ip4_mask(len).v }, (u8)len);
		struct fib4_route *r;

		lens &= ~(1ull << len);
		if (!p)
			continue;
		list_for_each_entry_rcu(r, &p->routes, list)
			if (usable(r, oif, tos, scope))
				return r;
	}
	return NULL;
}

static int verdict(const struct fib4_route *r)
{
	switch (r->type) {
	case RTN_BLACKHOLE:
		return -EINVAL;
	case RTN_UNREACHABLE:
		return -EHOSTUNREACH;
	case RTN_PROHIBIT:
		return -EACCES;
	}
	return 0;
}

int fib4_lookup(struct net *net, be32 dst, int oif, u8 tos, u8 scope, struct fib4_route **r)
{
	struct fib4 *f = net->fib4;
	struct fib4_table *more;

	*r = fib4_find(rcu_dereference(f->local), dst, oif, tos, scope);
	if (!*r)
		*r = fib4_find(rcu_dereference(f->main), dst, oif, tos, scope);
	if (!*r) {
		more = xa_load(&f->tables, RT_TABLE_DEFAULT);
		if (more)
			*r = fib4_find(more, dst, oif, tos, scope);
	}
	if (!*r || (*r)->type == RTN_THROW)
		return -ENETUNREACH;
	return verdict(*r);
}

/* ---- changing ---- */

static struct fib4_table *table_new(u32 id)
{
	struct fib4_table *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	if (ghash_init(&t->prefixes, 4)) {
		kfree(t);
		return NULL;
	}
	t->id = id;
	return t;
}

static void table_free(struct fib4_table *t)
{
	ghash_destroy(&t->prefixes);
	kfree(t);
}

struct fib4_table *fib4_table(struct net *net, u32 id, bool make)
{
	struct fib4_table *t;

	rtnl_assert();
	id = id ?: RT_TABLE_MAIN;
	t = xa_load(&net->fib4->tables, id);
	if (t || !make)
		return t;
	t = table_new(id);
	if (t && xa_err(xa_store(&net->fib4->tables, id, t, GFP_KERNEL))) {
		table_free(t);
		return NULL;
	}
	return t;
}

static struct fib4_prefix *prefix_get(struct fib4_table *t, be32 prefix, u8 len)
{
	struct fib4_prefix *p;
	unsigned long *b;

	rcu_read_lock();
	p = find_prefix(t, prefix, len);
	rcu_read_unlock();
	if (p)
		return p;
	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return NULL;
	p->prefix = prefix;
	p->len = len;
	INIT_LIST_HEAD(&p->routes);
	ghash_reserve(&t->prefixes);
	b = ghash_lock(&t->prefixes, prefix_hash(prefix, len));
	ghash_add(&t->prefixes, b, &p->node, prefix_hash(prefix, len));
	ghash_unlock(b);
	if (!t->nr[len]++)
		WRITE_ONCE(t->lens, t->lens | 1ull << len);
	return p;
}

static void prefix_put(struct fib4_table *t, struct fib4_prefix *p)
{
	if (!list_empty(&p->routes))
		return;
	ghash_del(&t->prefixes, &p->node);
	if (!--t->nr[p->len])
		WRITE_ONCE(t->lens, t->lens & ~(1ull << p->len));
	kfree_rcu(p, rcu);
}

static bool comes_before(const struct fib4_place *a, const struct fib4_place *b)
{
	u32 x = be32_get(a->prefix), y = be32_get(b->prefix);

	if (x != y)
		return x < y;
	if (a->len != b->len)
		return a->len > b->len;
	if (a->tos != b->tos)
		return a->tos > b->tos;
	return a->metric != b->metric ? a->metric < b->metric : a->nr < b->nr;
}

struct fib4_route *fib4_after(struct fib4_table *t, const struct fib4_place *p)
{
	struct rb_node *n = t->all.node;
	struct fib4_route *found = NULL;

	while (n) {
		struct fib4_route *r = rb_entry(n, struct fib4_route, dump);
		struct fib4_place at = fib4_place(r);

		if (!p->nr || comes_before(p, &at)) {
			found = r;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

static void (*listener)(struct net *net, const struct fib4_route *r,
			enum fib4_change change);	/* set at boot */

void fib4_set_listener(void (*fn)(struct net *net, const struct fib4_route *r,
				  enum fib4_change change))
{
	listener = fn;
}

static void tell(struct net *net, const struct fib4_route *r, enum fib4_change change)
{
	if (listener)
		listener(net, r, change);
}

static void dump_add(struct fib4_table *t, struct fib4_route *r)
{
	struct rb_node **at = &t->all.node, *parent = NULL;
	struct fib4_place a = fib4_place(r);

	while (*at) {
		struct fib4_place b;

		parent = *at;
		b = fib4_place(rb_entry(parent, struct fib4_route, dump));
		at = comes_before(&a, &b) ? &parent->left : &parent->right;
	}
	rb_link_node(&r->dump, parent, at);
	rb_insert_color(&r->dump, &t->all);
}

static void route_remove(struct net *net, struct fib4_table *t, struct fib4_route *r)
{
	list_del_rcu(&r->list);
	rb_erase(&r->dump, &t->all);
	t->count--;
	net->fib4->count--;
	prefix_put(t, r->prefix);
	kfree_rcu(r, rcu);
}

/*
 * The device of a route by C, or through a gateway that must be on a link of ours, or an address of
 * this machine's, as on a point-to-point device.
 */
static int find_hop(struct net *net, const struct fib4_config *c, struct netdev **d)
{
	struct fib4_route *via;
	int err;

	*d = c->oif ? netdev_by_index(net, c->oif) : NULL;
	if (c->oif && !*d)
		return -ENODEV;
	/* An address is ours whether its device is up or not. */
	if (*d && !((*d)->flags & IFF_UP) && c->scope != RT_SCOPE_HOST)
		return -ENETDOWN;
	if (!c->gateway.v)
		return *d ? 0 : -ENODEV;
	if (c->flags & RTNH_F_ONLINK)
		return *d ? 0 : -EINVAL;
	rcu_read_lock();
	err = fib4_lookup(net, c->gateway, c->oif, 0, RT_SCOPE_LINK, &via);
	if (!err && via->type != RTN_UNICAST && via->type != RTN_LOCAL)
		err = -EINVAL;
	if (!err && !*d)
		*d = via->dev;
	rcu_read_unlock();
	return err == -ENETUNREACH || err == -EHOSTUNREACH ? -ENETUNREACH : err;
}

static int check(const struct fib4_config *c)
{
	if (c->len > 32 || c->dst.v & ~ip4_mask(c->len).v)
		return -EINVAL;
	if (!c->type || c->type > RTN_THROW)
		return -EINVAL;
	return c->table == RT_TABLE_LOCAL || c->scope <= RT_SCOPE_HOST || c->type != RTN_UNICAST ?
		       0 :
		       -EINVAL;
}

static bool needs_device(u8 type)
{
	return type == RTN_UNICAST || type == RTN_LOCAL || type == RTN_BROADCAST ||
	       type == RTN_MULTICAST || type == RTN_ANYCAST;
}

static struct fib4_route *route_new(const struct fib4_config *c, struct fib4_prefix *p,
				    struct netdev *d)
{
	struct fib4_route *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	r->prefix = p;
	r->table = c->table ?: RT_TABLE_MAIN;
	r->type = c->type;
	r->scope = c->scope;
	r->protocol = c->protocol;
	r->tos = c->tos;
	r->metric = c->metric;
	r->dev = d;
	r->gateway = c->gateway;
	r->src = c->src;
	r->flags = c->flags & RTNH_F_ONLINK;
	memcpy(r->metrics, c->metrics, sizeof(r->metrics));
	return r;
}

static bool same_hop(const struct fib4_route *r, const struct fib4_config *c,
		     const struct netdev *d)
{
	return r->type == c->type && r->scope == c->scope && r->dev == d &&
	       r->gateway.v == c->gateway.v && r->src.v == c->src.v && r->protocol == c->protocol;
}

/* The number of a route that has none of its prefix, tos and metric beside it. */
#define FIRST_NR (1u << 31)

/*
 * Where C's route goes among P's: *BEFORE, or behind all; *OLD: the one that it replaces; *NR: its
 * number among those of its tos and metric. 0,
 * -EEXIST, -ENOENT.
 */
static int find_place(struct fib4_prefix *p, const struct fib4_config *c, const struct netdev *d,
		      struct list_head **before, struct fib4_route **old, u32 *nr)
{
	struct fib4_route *r, *first = NULL, *last = NULL;

	*before = &p->routes;
	*old = NULL;
	list_for_each_entry(r, &p->routes, list) {
		if (r->metric > c->metric) {
			*before = &r->list;
			break;
		}
		if (r->metric != c->metric || r->tos != c->tos)
			continue;
		if (same_hop(r, c, d))
			return c->replace ? 0 : -EEXIST;
		first = first ?: r;
		last = r;
	}
	if (first && c->excl)
		return -EEXIST;
	if (first && c->replace)
		*old = first;
	else if (first && !c->append)
		*before = &first->list;
	*nr = !first	 ? FIRST_NR :
	      c->replace ? first->nr :
	      c->append	 ? last->nr + 1 :
			   max(first->nr - 1, 1u);
	return first || c->create ? 0 : -ENOENT;
}

int fib4_add(struct net *net, const struct fib4_config *c)
{
	struct fib4_table *t;
	struct fib4_prefix *p;
	struct fib4_route *r, *old;
	struct list_head *before;
	struct netdev *d = NULL;
	int err = check(c);
	u32 nr;

	rtnl_assert();
	if (!err && net->dying)
		err = -ENODEV;
	if (!err && net->fib4->count >= FIB4_MOST)
		err = -ENOSPC;
	if (!err && needs_device(c->type))
		err = find_hop(net, c, &d);
	if (err)
		return err;
	if (c->src.v && c->type != RTN_LOCAL && !in_is_local(net, c->src))
		return -EINVAL;
	t = fib4_table(net, c->table, true);
	p = t ? prefix_get(t, c->dst, c->len) : NULL;
	if (!p)
		return -ENOMEM;
	err = find_place(p, c, d, &before, &old, &nr);
	r = err ? NULL : route_new(c, p, d);
	if (!r) {
		prefix_put(t, p);
		return err ?: -ENOMEM;
	}
	r->nr = nr;
	list_add_tail_rcu(&r->list, old ? &old->list : before);
	dump_add(t, r);
	t->count++;
	net->fib4->count++;
	if (old)
		route_remove(net, t, old);
	fib4_changed(net);
	tell(net, r, old ? FIB4_REPLACED : FIB4_NEW);
	return 0;
}

static bool matches(const struct fib4_route *r, const struct fib4_config *c)
{
	return r->tos == c->tos && (!c->type || r->type == c->type) &&
	       (c->scope == RT_SCOPE_NOWHERE || r->scope == c->scope) &&
	       (!c->protocol || r->protocol == c->protocol) &&
	       (!c->metric || r->metric == c->metric) && (!c->src.v || r->src.v == c->src.v) &&
	       (!c->oif || (r->dev && r->dev->ifindex == c->oif)) &&
	       (!c->gateway.v || r->gateway.v == c->gateway.v);
}

int fib4_del(struct net *net, const struct fib4_config *c)
{
	struct fib4_table *t = fib4_table(net, c->table, false);
	struct fib4_prefix *p = NULL;
	struct fib4_route *r;

	rtnl_assert();
	if (c->len > 32)
		return -EINVAL;
	rcu_read_lock();
	if (t)
		p = find_prefix(t, c->dst, c->len);
	rcu_read_unlock();
	if (!p)
		return -ESRCH;
	list_for_each_entry(r, &p->routes, list)
		if (matches(r, c)) {
			tell(net, r, FIB4_GONE);
			route_remove(net, t, r);
			fib4_changed(net);
			return 0;
		}
	return -ESRCH;
}

/*
 * Those of all tables for which GOES says so. No listener is told: the notice of the device or the
 * address speaks for its routes, as on Linux.
 */
static void remove_where(struct net *net, bool (*goes)(const struct fib4_route *r, const void *arg),
			 const void *arg)
{
	struct fib4_table *t;
	unsigned long id;

	rtnl_assert();
	xa_for_each(&net->fib4->tables, id, t) {
		struct rb_node *n, *next;

		for (n = rb_first(&t->all); n; n = next) {
			struct fib4_route *r = rb_entry(n, struct fib4_route, dump);

			next = rb_next(n);
			if (goes(r, arg))
				route_remove(net, t, r);
		}
	}
	fib4_changed(net);
}

static bool by_device(const struct fib4_route *r, const void *d)
{
	return r->dev == d && r->table != RT_TABLE_LOCAL;
}

static bool by_device_all(const struct fib4_route *r, const void *d)
{
	return r->dev == d;
}

static bool from_source(const struct fib4_route *r, const void *a)
{
	return r->src.v == ((const be32 *)a)->v;
}

void fib4_dev_down(struct netdev *d, bool all)
{
	remove_where(d->net, all ? by_device_all : by_device, d);
}

void fib4_source_gone(struct net *net, be32 a)
{
	remove_where(net, from_source, &a);
}

/* ---- life ---- */

static bool any(const struct fib4_route *r, const void *unused)
{
	return true;
}

u32 fib4_mtu_of(struct fib4 *f, be32 dst)
{
	struct ip6_addr key = ip6_mapped(dst);

	return pmtu_of(&f->mtus, &key);
}

u64 route4_mtu_left_ns(struct net *net, be32 dst)
{
	struct ip6_addr key = ip6_mapped(dst);

	return pmtu_left_ns(&net->fib4->mtus, &key);
}

void route4_forget_mtus(struct net *net)
{
	pmtus_forget(&net->fib4->mtus);
	route4_flush(net);
}

void route4_learn_mtu(struct net *net, be32 dst, u32 mtu)
{
	struct ip6_addr key = ip6_mapped(dst);

	pmtu_learn(&net->fib4->mtus, &key, mtu);
}

static int fib4_begin(struct net *net)
{
	struct fib4 *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int err = -ENOMEM;

	if (!f)
		return -ENOMEM;
	net->fib4 = f;
	f->gen = 1;
	xa_init(&f->tables);
	rtnl_lock();
	RCU_INIT_POINTER(f->local, fib4_table(net, RT_TABLE_LOCAL, true));
	RCU_INIT_POINTER(f->main, fib4_table(net, RT_TABLE_MAIN, true));
	rtnl_unlock();
	if (rcu_access_pointer(f->local) && rcu_access_pointer(f->main))
		err = pmtus_begin(&f->mtus);
	return err;
}

static void fib4_end(struct net *net)
{
	struct fib4 *f = net->fib4;
	struct fib4_table *t;
	unsigned long id;

	rtnl_lock();
	remove_where(net, any, NULL);
	rtnl_unlock();
	pmtus_end(&f->mtus);
	synchronize_rcu();
	xa_for_each(&f->tables, id, t) {
		xa_erase(&f->tables, id);
		table_free(t);
	}
	xa_destroy(&f->tables);
	net->fib4 = NULL;
	kfree(f);
}

static int fib4_make(struct net *net)
{
	int err = fib4_begin(net);

	if (err && net->fib4)
		fib4_end(net);
	return err;
}

static struct net_ops fib4_ops = { .init = fib4_make, .end = fib4_end };
static int fib4_init(void)
{
	return net_register_ops(&fib4_ops);
}
INITCALL(sched, fib4_init);
