// SPDX-License-Identifier: MIT
/*
 * The life of devices: <net/netdev.h>. Everything here is under rtnl. One that is unregistered goes
 * through these steps, many at once: closed; out of the tables; protocols drop what they hold
 * (NETDEV_UNREGISTER); a grace period; packets that are under way are purged; the registration's
 * reference is put. The last netdev_put() frees, which may be later.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/export.h>
#include <kernel/owner.h>
#include <kernel/show.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"

static LIST_HEAD(listeners);		/* rtnl */

void netdev_listen(struct netdev_listener *l)
{
	rtnl_lock();
	list_add_tail(&l->list, &listeners);
	rtnl_unlock();
}
EXPORT(netdev_listen);

void netdev_unlisten(struct netdev_listener *l)
{
	rtnl_lock();
	list_del(&l->list);
	rtnl_unlock();
}
EXPORT(netdev_unlisten);

int netdev_tell(struct netdev *d, enum netdev_event e)
{
	struct netdev_listener *l;
	int err = 0;

	rtnl_assert();
	list_for_each_entry(l, &listeners, list) {
		int r = l->event(d, e);

		if (r && !err)
			err = r;
		if (err && (e == NETDEV_REGISTER || e == NETDEV_UP || e == NETDEV_CHANGEMTU))
			break;
	}
	return err;
}
EXPORT(netdev_tell);

struct netdev *netdev_alloc(size_t priv_size, const char *name_pattern, u16 nr_tx, u16 nr_rx,
			    const struct netdev_ops *ops)
{
	size_t base = ALIGN(sizeof(struct netdev), (size_t)L1_CACHE_BYTES);
	struct netdev *d = kvzalloc(size_add(base, priv_size), GFP_KERNEL_ACCOUNT);

	if (!d)
		return NULL;
	d->tx = kcalloc(nr_tx, sizeof(*d->tx), GFP_KERNEL_ACCOUNT);
	d->stats = alloc_percpu(struct netdev_pcpu);
	if (!d->tx || !d->stats) {
		kfree(d->tx);
		free_percpu(d->stats);
		kvfree(d);
		return NULL;
	}
	for (u16 i = 0; i < nr_tx; i++) {
		spin_lock_init(&d->tx[i].lock);
		packet_list_init(&d->tx[i].waiting);
	}
	strscpy(d->name, name_pattern, NETDEV_NAME);
	d->nr_tx = d->real_tx = nr_tx;
	d->nr_rx = d->real_rx = nr_rx;
	d->ops = ops;
	owner_hold(ops);
	d->carrier = true;
	d->gso_max_size = 65536;
	d->max_mtu = 65535;
	if (priv_size)
		d->priv = (u8 *)d + base;
	refcount_set(&d->refs, 1);
	INIT_LIST_HEAD(&d->list);
	INIT_LIST_HEAD(&d->mc);
	packet_taps_init(&d->taps);
	INIT_LIST_HEAD(&d->packet_bound);
	INIT_LIST_HEAD(&d->packet_wants);
	INIT_LIST_HEAD(&d->polls);
	return d;
}
EXPORT(netdev_alloc);

void ether_setup(struct netdev *d)
{
	d->type = ARPHRD_ETHER;
	d->addr_len = ETH_ALEN;
	d->hard_header_len = ETH_HLEN;
	d->mtu = ETH_DATA_LEN;
	d->min_mtu = 68;
	d->max_mtu = 65535;
	d->tx_queue_len = 1000;
	d->flags |= IFF_BROADCAST | IFF_MULTICAST;
	memset(d->broadcast, 0xff, ETH_ALEN);
}
EXPORT(ether_setup);

int netdev_register(struct netdev *d, struct net *net)
{
	char name[NETDEV_NAME];
	int err;

	rtnl_assert();
	if (net->dying)
		return -ENODEV;
	err = netdev_make_name(net, d->name, name);
	if (err)
		return err;
	memcpy(d->name, name, NETDEV_NAME);
	d->net = net;
	d->features |= NETDEV_F_GSO;
	d->wanted = d->features;
	memcpy(d->perm_addr, d->addr, NETDEV_ADDR);
	err = netdev_publish(d, GFP_KERNEL);
	if (err)
		return err;
	netdev_kind_count(d, 1);
	err = netdev_tell(d, NETDEV_REGISTER);
	if (err) {
		LIST_HEAD(going);

		netdev_get(d);		/* stays the caller's */
		netdev_unregister_queue(d, &going);
		netdev_unregister_all(&going);
	}
	return err;
}
EXPORT(netdev_register);

void netdev_put(struct netdev *d)
{
	if (!refcount_dec_and_test(&d->refs))
		return;
	if (d->ops->free)
		d->ops->free(d);
	owner_unhold(d->ops);
	show_put(d->parent);
	free_percpu(d->stats);
	kfree(d->tx);
	kfree(d->alias);
	kvfree(d);
}
EXPORT(netdev_put);

void netdev_unregister_queue(struct netdev *d, struct list_head *going)
{
	rtnl_assert();
	if (WARN_ON(d->dismantling))
		return;
	d->dismantling = true;
	list_add_tail(&d->going, going);
}
EXPORT(netdev_unregister_queue);

/* rtnl. False: it was down. */
static bool goes_down(struct netdev *d)
{
	rtnl_assert();
	if (!(d->flags & IFF_UP))
		return false;
	netdev_tell(d, NETDEV_GOING_DOWN);
	WRITE_ONCE(d->flags, d->flags & ~(u32)IFF_UP);
	return true;
}

/* After goes_down() and a grace period: every xmit() that saw it up has returned. */
static void down(struct netdev *d)
{
	if (d->ops->stop)
		d->ops->stop(d);
	netdev_tx_purge(d);
	netdev_tell(d, NETDEV_DOWN);
}

/* As netdev_close() of each, behind one grace period. */
static void close_all(struct list_head *going)
{
	bool any = false;
	struct netdev *d;

	list_for_each_entry(d, going, going) {
		d->closing = goes_down(d);
		any |= d->closing;
	}
	if (!any)
		return;
	synchronize_rcu();
	list_for_each_entry(d, going, going)
		if (d->closing)
			down(d);
}

void netdev_unregister_all(struct list_head *going)
{
	struct netdev *d, *next;

	rtnl_assert();
	if (list_empty(going))
		return;
	close_all(going);
	list_for_each_entry(d, going, going) {
		netdev_unpublish(d);
		netdev_tell(d, NETDEV_UNREGISTER);
	}
	synchronize_rcu();
	list_for_each_entry(d, going, going)
		netdev_tx_purge(d);
	net_local_purge(going);
	list_for_each_entry_safe(d, next, going, going) {
		list_del(&d->going);
		netdev_kind_count(d, -1);
		netdev_put(d);
	}
}

void netdev_unregister(struct netdev *d)
{
	LIST_HEAD(going);

	netdev_unregister_queue(d, &going);
	netdev_unregister_all(&going);
}

/* ---- up and down ---- */

int netdev_open(struct netdev *d)
{
	int err;

	rtnl_assert();
	if (d->flags & IFF_UP)
		return 0;
	if (d->dismantling)
		return -ENODEV;
	err = d->ops->open ? d->ops->open(d) : 0;
	if (err)
		return err;
	d->was_up = true;
	WRITE_ONCE(d->flags, d->flags | IFF_UP);
	err = netdev_tell(d, NETDEV_UP);
	if (err)
		netdev_close(d);
	else if (d->ops->set_rx_mode)
		d->ops->set_rx_mode(d);
	return err;
}

void netdev_close(struct netdev *d)
{
	if (goes_down(d)) {
		synchronize_rcu();	/* every xmit() that saw it up has returned */
		down(d);
	}
}

static void count_flag(struct netdev *d, u32 *count, u32 flag, int by)
{
	bool was = *count;

	rtnl_assert();
	if (WARN_ON(by < 0 && !*count))
		return;
	*count += (u32)by;
	if (was == !!*count)
		return;
	WRITE_ONCE(d->flags, *count ? d->flags | flag : d->flags & ~flag);
	if (d->flags & IFF_UP && d->ops->set_rx_mode)
		d->ops->set_rx_mode(d);
	netdev_tell(d, NETDEV_CHANGEFLAGS);
}

void netdev_set_promiscuity(struct netdev *d, int by)
{
	count_flag(d, &d->promiscuity, IFF_PROMISC, by);
}
EXPORT(netdev_set_promiscuity);

void netdev_set_allmulti(struct netdev *d, int by)
{
	count_flag(d, &d->allmulti, IFF_ALLMULTI, by);
}

int netdev_change_flags(struct netdev *d, u32 flags)
{
	u32 plain = IFF_SETTABLE & ~(u32)(IFF_UP | IFF_PROMISC | IFF_ALLMULTI), old = d->flags;
	u32 asked = flags & (IFF_PROMISC | IFF_ALLMULTI), changed = asked ^ d->asked_flags;
	int err = 0;

	rtnl_assert();
	WRITE_ONCE(d->flags, (d->flags & ~plain) | (flags & plain));
	if ((flags ^ old) & IFF_UP) {
		if (flags & IFF_UP)
			err = netdev_open(d);
		else
			netdev_close(d);
	}
	/* A program's wish counts as one more, beside those of packet sockets. */
	WRITE_ONCE(d->asked_flags, asked);
	if (changed & IFF_PROMISC)
		netdev_set_promiscuity(d, asked & IFF_PROMISC ? 1 : -1);
	if (changed & IFF_ALLMULTI)
		netdev_set_allmulti(d, asked & IFF_ALLMULTI ? 1 : -1);
	if ((d->flags ^ old) & plain)
		netdev_tell(d, NETDEV_CHANGEFLAGS);
	return err;
}

int netdev_set_mtu(struct netdev *d, u32 mtu)
{
	u32 old = d->mtu;
	int err = 0;

	rtnl_assert();
	if (mtu == old)
		return 0;
	if (mtu < d->min_mtu || mtu > d->max_mtu)
		return -EINVAL;
	if (d->ops->set_mtu)
		err = d->ops->set_mtu(d, mtu);
	if (err)
		return err;
	WRITE_ONCE(d->mtu, mtu);
	err = netdev_tell(d, NETDEV_CHANGEMTU);
	if (err) {
		WRITE_ONCE(d->mtu, old);
		if (d->ops->set_mtu)
			d->ops->set_mtu(d, old);
	}
	return err;
}
EXPORT(netdev_set_mtu);

bool netdev_changes_mac(const struct netdev *d)
{
	return d->addr_len != 0;
}

int netdev_set_mac(struct netdev *d, const u8 *addr)
{
	int err = d->ops->set_mac ? d->ops->set_mac(d, addr) : 0;

	rtnl_assert();
	if (err)
		return err;
	memcpy(d->addr, addr, d->addr_len);
	netdev_tell(d, NETDEV_CHANGEADDR);
	return 0;
}

void netdev_notify_peers(struct netdev *d)
{
	rtnl_lock();
	if (!d->dismantling && d->flags & IFF_UP)
		netdev_tell(d, NETDEV_NOTIFY_PEERS);
	rtnl_unlock();
}

int netdev_set_carrier(struct netdev *d, bool on)
{
	rtnl_assert();
	return d->ops->set_carrier ? d->ops->set_carrier(d, on) : -EOPNOTSUPP;
}

/* ---- multicast addresses of the link ---- */

struct mc_addr {
	struct list_head list;
	unsigned int users;
	u8 addr[NETDEV_ADDR];
};

static struct mc_addr *mc_find(struct netdev *d, const u8 *addr)
{
	struct mc_addr *m;

	list_for_each_entry(m, &d->mc, list)
		if (!memcmp(m->addr, addr, d->addr_len))
			return m;
	return NULL;
}

void netdev_show_mc(struct seq_file *f, struct netdev *d)
{
	struct mc_addr *m;

	rtnl_assert();
	list_for_each_entry(m, &d->mc, list) {
		seq_printf(f, "%-4d %-15s %-5u %-5d ", d->ifindex, d->name, m->users, 0);
		for (unsigned int i = 0; i < d->addr_len; i++)
			seq_printf(f, "%02x", m->addr[i]);
		seq_putc(f, '\n');
	}
}

void netdev_mc_each(struct netdev *d, void (*f)(void *arg, const u8 *addr), void *arg)
{
	struct mc_addr *m;

	rtnl_assert();
	list_for_each_entry(m, &d->mc, list)
		f(arg, m->addr);
}

static void mc_changed(struct netdev *d)
{
	if (d->flags & IFF_UP && d->ops->set_rx_mode)
		d->ops->set_rx_mode(d);
}

int netdev_mc_add(struct netdev *d, const u8 *addr)
{
	struct mc_addr *m = mc_find(d, addr);

	rtnl_assert();
	if (m) {
		m->users++;
		return 0;
	}
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
	m->users = 1;
	memcpy(m->addr, addr, d->addr_len);
	list_add_tail(&m->list, &d->mc);
	mc_changed(d);
	return 0;
}

int netdev_mc_del(struct netdev *d, const u8 *addr)
{
	struct mc_addr *m = mc_find(d, addr);

	rtnl_assert();
	if (!m)
		return -ENOENT;
	if (--m->users)
		return 0;
	list_del(&m->list);
	kfree(m);
	mc_changed(d);
	return 0;
}

/* ---- carrier, counters, namespaces ---- */

struct carrier_work {
	struct work_struct work;
	struct netdev *dev;
};

static void carrier_changed(struct work_struct *w)
{
	struct carrier_work *c = container_of(w, struct carrier_work, work);

	rtnl_lock();
	if (!c->dev->dismantling)
		netdev_tell(c->dev, NETDEV_CHANGE);
	rtnl_unlock();
	netdev_put(c->dev);
	kfree(c);
}

void netdev_carrier(struct netdev *d, bool on)
{
	struct carrier_work *c;

	if (xchg(&d->carrier, on) == on || !d->net)
		return;
	if (on)
		WRITE_ONCE(d->carrier_ups, d->carrier_ups + 1);
	else
		WRITE_ONCE(d->carrier_downs, d->carrier_downs + 1);
	c = kmalloc(sizeof(*c), GFP_ATOMIC);
	if (!c)
		return;			/* the state is right, only the notice is lost */
	INIT_WORK(&c->work, carrier_changed);
	c->dev = d;
	netdev_get(d);
	queue_work(system_unbound_wq, &c->work);
}
EXPORT(netdev_carrier);

void netdev_get_stats(struct netdev *d, struct netdev_stats *s)
{
	unsigned int cpu;

	memset(s, 0, sizeof(*s));
	for_each_possible_cpu(cpu) {
		const struct netdev_pcpu *c = per_cpu_ptr(d->stats, cpu);

		s->rx_packets += READ_ONCE(c->rx_packets);
		s->rx_bytes += READ_ONCE(c->rx_bytes);
		s->tx_packets += READ_ONCE(c->tx_packets);
		s->tx_bytes += READ_ONCE(c->tx_bytes);
		s->rx_dropped += READ_ONCE(c->rx_dropped);
		s->tx_dropped += READ_ONCE(c->tx_dropped);
		s->multicast += READ_ONCE(c->multicast);
		s->rx_nohandler += READ_ONCE(c->rx_nohandler);
	}
	if (d->ops->get_stats)
		d->ops->get_stats(d, s);
}

int netdev_move(struct netdev *d, struct net *net, const char *pattern)
{
	char name[NETDEV_NAME];
	LIST_HEAD(one);
	int err;

	rtnl_assert();
	if (net == d->net)
		return 0;
	if (net->dying)
		return -ENODEV;
	if (d == d->net->loopback || (d->kind && d->kind->stays))
		return -EINVAL;
	err = netdev_make_name(net, pattern && netdev_by_name(net, d->name) ? pattern : d->name,
			       name);
	if (err)
		return err;
	netdev_close(d);
	netdev_unpublish(d);
	netdev_tell(d, NETDEV_UNREGISTER);
	synchronize_rcu();
	list_add(&d->going, &one);
	net_local_purge(&one);
	list_del(&d->going);
	memcpy(d->name, name, NETDEV_NAME);
	d->net = net;
	/* It is in no table now, and cannot go back: a node of a table is all that this needs. */
	if (!WARN_ON(netdev_publish(d, GFP_KERNEL | __GFP_NOFAIL)))
		netdev_tell(d, NETDEV_REGISTER);
	return 0;
}

/*
 * A namespace ends: its devices go, those that no program made return to the initial one, the
 * loopback device last.
 */
static void devs_end(struct net *net)
{
	struct netdev *d, *next;
	LIST_HEAD(going);

	rtnl_lock();
	net->dying = true;
	list_for_each_entry_safe(d, next, &net->devs, list) {
		if (d == net->loopback || d->dismantling)
			continue;
		if (d->kind && d->kind->remove)
			d->kind->remove(d, &going);
		else if (d->kind)
			netdev_unregister_queue(d, &going);
		else if (netdev_move(d, &init_net, "dev%d"))
			netdev_unregister_queue(d, &going);
	}
	if (net->loopback) {
		netdev_unregister_queue(net->loopback, &going);
		WRITE_ONCE(net->loopback, NULL);	/* a grace period follows */
	}
	netdev_unregister_all(&going);
	rtnl_unlock();
}

/* Registered after all protocols: devices come when those are there, and go while they are. */
static struct net_ops devs_ops = { .init = loopback_begin, .end = devs_end };
static int devs_init(void)
{
	return net_register_ops(&devs_ops);
}
INITCALL(subsys, devs_init);
