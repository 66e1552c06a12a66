// SPDX-License-Identifier: MIT
/* Routing tables of IPv6: fib6_priv.h. */
#include <lib/bits.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/siphash.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include <linux/ipv6_route.h>
#include "net/dev/if_flags.h"
#include "net/route/fib6_priv.h"
#include "net/route/in6_device.h"

/* Programs choose prefixes, also in namespaces of their own. */
static struct siphash_key hash_key __ro_after_init;

static u32 prefix_hash(const struct ip6_addr *a, u8 len)
{
	const u64 w[3] = { (u64)a->w[0].v << 32 | a->w[1].v, (u64)a->w[2].v << 32 | a->w[3].v,
			   len };

	return (u32)siphash_13(&hash_key, w, 3);
}

static int hash_init(void)
{
	get_random_bytes(&hash_key, sizeof(hash_key));
	return 0;
}
INITCALL(sched, hash_init);

void fib6_changed(struct net *net)
{
	rtnl_assert();
	smp_store_release(&net->fib6->gen, net->fib6->gen + 1);
}

/* ---- finding ---- */

static bool is(const struct fib6_prefix *p, const struct ip6_addr *prefix, u8 len)
{
	return p->len == len && ip6_equal(&p->prefix, prefix);
}

static struct fib6_prefix *find_prefix(struct fib6_table *t, const struct ip6_addr *prefix, u8 len)
{
	u32 hash = prefix_hash(prefix, len), seq = ghash_read_begin(&t->prefixes);
	struct fib6_prefix *p, *found = NULL;
	unsigned long *b;

	ghash_for_each_rcu(p, &t->prefixes, hash, node)
		if (is(p, prefix, len))
			return p;
	if (likely(!ghash_read_retry(&t->prefixes, seq)))
		return NULL;
	b = ghash_lock(&t->prefixes, hash);
	ghash_for_each(p, b, hash, node)
		if (is(p, prefix, len)) {
			found = p;
			break;
		}
	ghash_unlock(b);
	return found;
}

static bool expired(const struct fib6_route *r, u64 now)
{
	u64 at = READ_ONCE(r->expires_ns);

	return at && at <= now;
}

static bool usable(const struct fib6_route *r, int oif, bool on_link)
{
	if (on_link && !ip6_is_any(&r->gateway))
		return false;
	if (oif && r->dev->ifindex != oif)
		return false;
	return !READ_ONCE(r->expires_ns) || !expired(r, ktime_get_coarse_ns());
}

/* Better routers first, at the same metric (RFC 4191, 3.2). */
static int rank(const struct fib6_route *r)
{
	return r->preference == 1 ? 2 : r->preference == 3 ? 0 : 1;
}

static struct fib6_route *best_of(struct fib6_prefix *p, int oif, bool on_link)
{
	struct fib6_route *r, *best = NULL;

	list_for_each_entry_rcu(r, &p->routes, list) {
		if (best && r->metric != best->metric)
			break;
		if (usable(r, oif, on_link) && (!best || rank(r) > rank(best)))
			best = r;
	}
	return best;
}

struct fib6_route *fib6_find(struct fib6_table *t, const struct ip6_addr *dst, int oif,
			     bool on_link)
{
	for (int w = 2; w >= 0; w--) {
		u64 lens = READ_ONCE(t->lens[w]);

		while (lens) {
			unsigned int bit = __fls(lens), len = (unsigned int)w * 64 + bit;
			struct ip6_addr prefix = ip6_prefix(dst, len);
			struct fib6_prefix *p = find_prefix(t, &prefix, (u8)len);
			struct fib6_route *r = p ? best_of(p, oif, on_link) : NULL;

			lens &= ~(1ull << bit);
			if (r)
				return r;
		}
	}
	return NULL;
}

int fib6_lookup(struct net *net, const struct ip6_addr *dst, int oif, bool on_link,
		struct fib6_route **r)
{
	struct fib6 *f = net->fib6;

	*r = fib6_find(rcu_dereference(f->local), dst, oif, on_link);
	if (!*r)
		*r = fib6_find(rcu_dereference(f->main), dst, oif, on_link);
	if (!*r)
		return -ENETUNREACH;
	switch ((*r)->type) {
	case RTN_BLACKHOLE:
		return -EINVAL;
	case RTN_UNREACHABLE:
		return -EHOSTUNREACH;
	case RTN_PROHIBIT:
		return -EACCES;
	case RTN_THROW:
		return -ENETUNREACH;
	}
	return 0;
}

/* ---- changing ---- */

static void table_free(struct fib6_table *t)
{
	ghash_destroy(&t->prefixes);
	kfree(t);
}

struct fib6_table *fib6_table(struct net *net, u32 id, bool make)
{
	struct fib6_table *t;

	rtnl_assert();
	id = id ?: RT_TABLE_MAIN;
	t = xa_load(&net->fib6->tables, id);
	if (t || !make)
		return t;
	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return NULL;
	t->id = id;
	if (ghash_init(&t->prefixes, 4)) {
		kfree(t);
		return NULL;
	}
	if (xa_err(xa_store(&net->fib6->tables, id, t, GFP_KERNEL))) {
		table_free(t);
		return NULL;
	}
	return t;
}

static struct fib6_prefix *prefix_get(struct fib6_table *t, const struct ip6_addr *prefix, u8 len)
{
	u32 hash = prefix_hash(prefix, len);
	struct fib6_prefix *p;
	unsigned long *b;

	rcu_read_lock();
	p = find_prefix(t, prefix, len);
	rcu_read_unlock();
	if (p)
		return p;
	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return NULL;
	p->prefix = *prefix;
	p->len = len;
	INIT_LIST_HEAD(&p->routes);
	ghash_reserve(&t->prefixes);
	b = ghash_lock(&t->prefixes, hash);
	ghash_add(&t->prefixes, b, &p->node, hash);
	ghash_unlock(b);
	if (!t->nr[len]++)
		WRITE_ONCE(t->lens[len / 64], t->lens[len / 64] | 1ull << len % 64);
	return p;
}

static void prefix_put(struct fib6_table *t, struct fib6_prefix *p)
{
	if (!list_empty(&p->routes))
		return;
	ghash_del(&t->prefixes, &p->node);
	if (!--t->nr[p->len])
		WRITE_ONCE(t->lens[p->len / 64], t->lens[p->len / 64] & ~(1ull << p->len % 64));
	kfree_rcu(p, rcu);
}

static bool comes_before(const struct fib6_place *a, const struct fib6_place *b)
{
	int order = memcmp(&a->prefix, &b->prefix, sizeof(struct ip6_addr));

	if (order)
		return order < 0;
	if (a->len != b->len)
		return a->len > b->len;
	return a->metric != b->metric ? a->metric < b->metric : a->nr < b->nr;
}

struct fib6_route *fib6_after(struct fib6_table *t, const struct fib6_place *p)
{
	struct rb_node *n = t->all.node;
	struct fib6_route *found = NULL;

	while (n) {
		struct fib6_route *r = rb_entry(n, struct fib6_route, dump);
		struct fib6_place at = fib6_place(r);

		if (!p->nr || comes_before(p, &at)) {
			found = r;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

static fib6_listener *listener;		/* rtnl; set at boot */

fib6_listener *fib6_set_listener(fib6_listener *fn)
{
	fib6_listener *was = listener;

	listener = fn;
	return was;
}

static void tell(struct net *net, const struct fib6_route *r, enum fib6_change change)
{
	if (listener)
		listener(net, r, change);
}

static void dump_add(struct fib6_table *t, struct fib6_route *r)
{
	struct rb_node **at = &t->all.node, *parent = NULL;
	struct fib6_place a = fib6_place(r);

	while (*at) {
		struct fib6_place b;

		parent = *at;
		b = fib6_place(rb_entry(parent, struct fib6_route, dump));
		at = comes_before(&a, &b) ? &parent->left : &parent->right;
	}
	rb_link_node(&r->dump, parent, at);
	rb_insert_color(&r->dump, &t->all);
}

static void route_remove(struct net *net, struct fib6_table *t, struct fib6_route *r)
{
	list_del_rcu(&r->list);
	list_del(&r->passing);
	rb_erase(&r->dump, &t->all);
	t->count--;
	net->fib6->count--;
	if (r->rtf & RTF_ADDRCONF)
		net->fib6->auto_count--;
	prefix_put(t, r->prefix);
	kfree_rcu(r, rcu);
}

static bool needs_device(u8 type)
{
	return type == RTN_UNICAST || type == RTN_LOCAL || type == RTN_MULTICAST ||
	       type == RTN_ANYCAST;
}

/* The device of a route by C, or through a gateway that must be on a link of ours. */
static int find_device(struct net *net, const struct fib6_config *c, struct netdev **d)
{
	struct fib6_route *via;
	int err;

	*d = c->oif ? netdev_by_index(net, c->oif) : NULL;
	if (c->oif && !*d)
		return -ENODEV;
	if (!needs_device(c->type)) {
		*d = net->loopback;
		return *d ? 0 : -ENODEV;
	}
	if (*d && !((*d)->flags & IFF_UP) && c->type != RTN_LOCAL)
		return -ENETDOWN;
	if (ip6_is_any(&c->gateway))
		return *d ? 0 : -ENODEV;
	if (ip6_is_multicast(&c->gateway))
		return -EINVAL;
	if (ip6_is_link_local(&c->gateway) || c->flags & RTNH_F_ONLINK)
		return *d ? 0 : -EINVAL;
	rcu_read_lock();
	err = fib6_lookup(net, &c->gateway, c->oif, true, &via);
	if (!err && via->type != RTN_UNICAST)
		err = -EINVAL;
	if (!err && !*d)
		*d = via->dev;
	rcu_read_unlock();
	return err && err != -EINVAL ? -EHOSTUNREACH : err;
}

/* One without IPv6 has no routes. */
static int find_hop(struct net *net, const struct fib6_config *c, struct netdev **d)
{
	int err = find_device(net, c, d);

	return err ?: in6_dev(*d) ? 0 : -ENODEV;
}

static struct fib6_route *route_new(const struct fib6_config *c, struct fib6_prefix *p,
				    struct netdev *d, u32 metric)
{
	struct fib6_route *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	INIT_LIST_HEAD(&r->passing);
	r->prefix = p;
	r->table = c->table ?: RT_TABLE_MAIN;
	r->type = c->type;
	r->protocol = c->protocol;
	r->preference = c->preference;
	r->metric = metric;
	r->dev = d;
	r->gateway = c->gateway;
	r->src = c->src;
	r->flags = c->flags & RTNH_F_ONLINK;
	r->rtf = c->rtf;
	r->expires_ns = c->expires_ns;
	memcpy(r->metrics, c->metrics, sizeof(r->metrics));
	return r;
}

/*
 * Where C's route goes among P's: before *BEFORE, or behind all; *OLD: the one that it replaces. 0,
 * -EEXIST, -ENOENT.
 */
static int find_place(struct fib6_prefix *p, const struct fib6_config *c, const struct netdev *d,
		      u32 metric, struct list_head **before, struct fib6_route **old)
{
	struct fib6_route *r;
	bool found = false;

	*before = &p->routes;
	*old = NULL;
	list_for_each_entry(r, &p->routes, list) {
		if (r->metric > metric) {
			*before = &r->list;
			break;
		}
		if (r->metric != metric)
			continue;
		if (c->excl)
			return -EEXIST;
		found = true;
		if (c->replace) {
			*old = r;
			return 0;
		}
		if (r->dev == d && r->type == c->type && ip6_equal(&r->gateway, &c->gateway))
			return -EEXIST;
	}
	return found || c->create ? 0 : -ENOENT;
}

static int check(struct net *net, const struct fib6_config *c)
{
	if (c->len > 128 || !c->type || c->type > RTN_THROW || c->type == RTN_BROADCAST)
		return -EINVAL;
	if (net->dying)
		return -ENODEV;
	if (net->fib6->count >= FIB6_MOST)
		return -ENOSPC;
	return c->rtf & RTF_ADDRCONF && net->fib6->auto_count >= FIB6_AUTO_MOST ? -ENOSPC : 0;
}

int fib6_add(struct net *net, struct fib6_config *c)
{
	u32 metric = c->metric ?: c->type == RTN_LOCAL ? 0 : FIB6_METRIC_USER;
	struct ip6_addr prefix = ip6_prefix(&c->dst, c->len);
	struct fib6_table *t;
	struct fib6_prefix *p;
	struct fib6_route *r, *old;
	struct list_head *before;
	struct netdev *d = NULL;
	int err = check(net, c);

	rtnl_assert();
	err = err ?: find_hop(net, c, &d);
	if (err)
		return err;
	if (!ip6_is_any(&c->src) && c->type != RTN_LOCAL) {
		rcu_read_lock();
		err = in6_is_local(net, &c->src, NULL) ? 0 : -EINVAL;
		rcu_read_unlock();
		if (err)
			return err;
	}
	t = fib6_table(net, c->table, true);
	p = t ? prefix_get(t, &prefix, c->len) : NULL;
	if (!p)
		return -ENOMEM;
	err = find_place(p, c, d, metric, &before, &old);
	r = err ? NULL : route_new(c, p, d, metric);
	if (!r) {
		prefix_put(t, p);
		return err ?: -ENOMEM;
	}
	r->nr = ++net->fib6->last_nr ?: ++net->fib6->last_nr;
	list_add_tail_rcu(&r->list, old ? &old->list : before);
	dump_add(t, r);
	t->count++;
	net->fib6->count++;
	if (r->rtf & RTF_ADDRCONF)
		net->fib6->auto_count++;
	if (r->rtf & RTF_ADDRCONF || r->expires_ns)
		list_add_tail(&r->passing, &net->fib6->passing);
	if (old)
		route_remove(net, t, old);
	fib6_changed(net);
	tell(net, r, old ? FIB6_REPLACED : FIB6_NEW);
	c->oif = d->ifindex;
	return 0;
}

static bool matches(const struct fib6_route *r, const struct fib6_config *c)
{
	return (!c->type || r->type == c->type) && (!c->protocol || r->protocol == c->protocol) &&
	       (!c->metric || r->metric == c->metric) && (!c->oif || r->dev->ifindex == c->oif) &&
	       (ip6_is_any(&c->src) || ip6_equal(&r->src, &c->src)) &&
	       (ip6_is_any(&c->gateway) || ip6_equal(&r->gateway, &c->gateway));
}

struct fib6_route *fib6_get(struct net *net, const struct fib6_config *c)
{
	struct ip6_addr prefix = ip6_prefix(&c->dst, c->len);
	struct fib6_table *t = fib6_table(net, c->table, false);
	struct fib6_prefix *p = NULL;
	struct fib6_route *r;

	rcu_read_lock();
	if (t && c->len <= 128)
		p = find_prefix(t, &prefix, c->len);
	rcu_read_unlock();
	if (p)
		list_for_each_entry(r, &p->routes, list)
			if (matches(r, c))
				return r;
	return NULL;
}

int fib6_del(struct net *net, const struct fib6_config *c)
{
	struct fib6_route *r = fib6_get(net, c);

	if (!r)
		return -ESRCH;
	tell(net, r, FIB6_GONE);
	route_remove(net, fib6_table(net, r->table, false), r);
	fib6_changed(net);
	return 0;
}

void fib6_set_expiry(struct net *net, struct fib6_route *r, u64 expires_ns)
{
	rtnl_assert();
	WRITE_ONCE(r->expires_ns, expires_ns);
	r->rtf = expires_ns ? r->rtf | RTF_EXPIRES : r->rtf & ~(u32)RTF_EXPIRES;
}

struct choice {
	const struct netdev *dev;
	const struct ip6_addr *src;
};

static bool goes(const struct fib6_route *r, const struct choice *c)
{
	if (c->dev && r->dev != c->dev)
		return false;
	return !c->src || ip6_equal(&r->src, c->src);
}

static void remove_where(struct net *net, const struct choice *c)
{
	struct fib6_table *t;
	unsigned long id;
	bool any = false;

	rtnl_assert();
	xa_for_each(&net->fib6->tables, id, t) {
		struct rb_node *n, *next;

		for (n = rb_first(&t->all); n; n = next) {
			struct fib6_route *r = rb_entry(n, struct fib6_route, dump);

			next = rb_next(n);
			if (!goes(r, c))
				continue;
			tell(net, r, FIB6_GONE);
			route_remove(net, t, r);
			any = true;
		}
	}
	if (any)
		fib6_changed(net);
}

void fib6_dev_down(struct netdev *d)
{
	remove_where(d->net, &(struct choice){ .dev = d });
}

/* After a walk of many routes rtnl is free for a while: so much for each, which takes 50 ns. */
#define WALK_PAUSE_NS (20 * NSEC_PER_USEC)

static void remove_passing(struct net *net, struct fib6_route *r)
{
	tell(net, r, FIB6_GONE);
	route_remove(net, fib6_table(net, r->table, false), r);
	fib6_changed(net);
}

u64 fib6_expire(struct netdev *d, u64 now_ns)
{
	u64 next = U64_MAX, seen = 0;
	struct fib6_route *r, *n;

	rtnl_assert();
	list_for_each_entry_safe(r, n, &d->net->fib6->passing, passing) {
		seen++;
		if (r->dev != d || !r->expires_ns)
			continue;
		if (expired(r, now_ns))
			remove_passing(d->net, r);
		else
			next = min(next, r->expires_ns);
	}
	return next == U64_MAX ? 0 : max(next, now_ns + seen * WALK_PAUSE_NS);
}

void fib6_drop_auto(struct netdev *d)
{
	struct fib6_route *r, *n;

	rtnl_assert();
	list_for_each_entry_safe(r, n, &d->net->fib6->passing, passing)
		if (r->dev == d && r->rtf & RTF_ADDRCONF)
			remove_passing(d->net, r);
}

void fib6_source_gone(struct net *net, const struct ip6_addr *a)
{
	remove_where(net, &(struct choice){ .src = a });
}

/* ---- life ---- */

static void fib6_end(struct net *net)
{
	struct fib6 *f = net->fib6;
	struct fib6_table *t;
	unsigned long id;

	rtnl_lock();
	remove_where(net, &(struct choice){});
	rtnl_unlock();
	pmtus_end(&f->mtus);
	synchronize_rcu();
	xa_for_each(&f->tables, id, t) {
		xa_erase(&f->tables, id);
		table_free(t);
	}
	xa_destroy(&f->tables);
	net->fib6 = NULL;
	kfree(f);
}

static int fib6_begin(struct net *net)
{
	struct fib6 *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int err = -ENOMEM;

	if (!f)
		return -ENOMEM;
	net->fib6 = f;
	f->gen = 1;
	INIT_LIST_HEAD(&f->passing);
	xa_init(&f->tables);
	rtnl_lock();
	RCU_INIT_POINTER(f->local, fib6_table(net, RT_TABLE_LOCAL, true));
	RCU_INIT_POINTER(f->main, fib6_table(net, RT_TABLE_MAIN, true));
	rtnl_unlock();
	if (rcu_access_pointer(f->local) && rcu_access_pointer(f->main))
		err = pmtus_begin(&f->mtus);
	if (err)
		fib6_end(net);
	return err;
}

static struct net_ops fib6_ops = { .init = fib6_begin, .end = fib6_end };
static int fib6_init(void)
{
	return net_register_ops(&fib6_ops);
}
INITCALL(sched, fib6_init);
