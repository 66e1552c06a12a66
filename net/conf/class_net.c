// SPDX-License-Identifier: MIT
/*
 * /sys/class/net and /sys/devices/virtual/net, of the network namespace that a mount of sysfs
 * shows. Nothing is kept for a device: entries are made as they are looked for, know their device
 * by its number, and are gone with it. A file that is open goes on when its device is renamed, and
 * says ENODEV when it is gone or in another namespace.
 *
 * The machine's buses are not in /sys, so that all devices are in devices/virtual.
 */
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include <alloc/xarray.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <kernel/show.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/stat.h>
#include "net/conf/class_net.h"

/* Numbers of inodes: a device's, an entry's or a queue's. */
#define INO_BASE (1ull << 56)
#define INO_DEVICE 20
#define INO_QUEUE (1u << 16)

static const struct show_within device_within, stats_within, queues_within, queue_within;

static struct netdev *device_of(const struct show_node *n)
{
	return netdev_by_index(n->ns, (int)n->id);
}

static bool is_there(const struct show_node *n)
{
	return device_of(n);
}

static bool is_there_by_name(const struct show_node *n)
{
	const struct netdev *d = device_of(n);

	return d && !strncmp(d->name, n->name, NETDEV_NAME);
}

static bool is_master(const struct show_node *n)
{
	const struct netdev *d = device_of(n);

	d = d ? rcu_dereference_raw(d->master) : NULL;
	return d && !strncmp(d->name, n->link_target + 3, NETDEV_NAME);
}

static struct show_node *entry(struct net *net, int ifindex, const char *name, umode_t mode,
			       const char *target, u64 number)
{
	struct show_node *n = show_entry(name, mode, target);
	kuid_t uid = make_kuid(net->user_ns, 0);
	kgid_t gid = make_kgid(net->user_ns, 0);

	if (!n)
		return ERR_PTR(-ENOMEM);
	n->ns = net;
	n->id = ifindex;
	n->uid = uid_valid(uid) ? uid.val : 0;
	n->gid = gid_valid(gid) ? gid.val : 0;
	n->ino = INO_BASE + ((u64)ifindex << INO_DEVICE) + number;
	n->alive = is_there;
	return n;
}

static struct show_node *directory(struct net *net, int ifindex, const char *name,
				   const struct show_within *within, u64 number)
{
	struct show_node *n = entry(net, ifindex, name, S_IFDIR | 0755, NULL, number);

	if (!IS_ERR(n))
		n->within = within;
	return n;
}

/* ---- the directories of devices: class/net with links, devices/virtual/net ---- */

static struct show_node *device_entry(struct show_node *dir, struct net *net, int ifindex,
				      const char *name)
{
	char target[40 + NETDEV_NAME];
	struct show_node *n;

	if (dir->data) {
		n = directory(net, ifindex, name, &device_within, 1);
	} else {
		snprintf(target, sizeof(target), "../../devices/virtual/net/%s", name);
		n = entry(net, ifindex, name, S_IFLNK | 0777, target, 0);
	}
	if (!IS_ERR(n))
		n->alive = is_there_by_name;
	return n;
}

static struct show_node *class_find(struct show_node *dir, void *ns, const char *name, size_t len)
{
	char text[NETDEV_NAME] = "";
	struct net *net = ns;
	struct netdev *d;
	int ifindex;

	if (!net || len >= NETDEV_NAME)
		return NULL;
	memcpy(text, name, len);
	rcu_read_lock();
	/* Its table of names goes a grace period after its end has begun. */
	d = READ_ONCE(net->dying) ? NULL : netdev_by_name(net, text);
	ifindex = d ? d->ifindex : 0;
	rcu_read_unlock();
	return ifindex ? device_entry(dir, net, ifindex, text) : NULL;
}

static struct show_node *class_next(struct show_node *dir, void *ns, u64 *at)
{
	unsigned long i = (unsigned long)*at + 1;
	struct net *net = ns;
	char name[NETDEV_NAME];
	struct netdev *d;

	if (!net)
		return NULL;
	rcu_read_lock();
	d = xa_find(&net->dev_by_index, &i, INT_MAX, XA_PRESENT);
	if (d)
		memcpy(name, d->name, NETDEV_NAME);
	rcu_read_unlock();
	if (!d)
		return NULL;
	*at = i;
	name[NETDEV_NAME - 1] = 0;
	return device_entry(dir, net, (int)i, name);
}

static const struct show_within class_within = { .find = class_find, .next = class_next };

/* ---- values ---- */

static ssize_t show_value(struct show_node *n, char *buf, size_t size)
{
	const struct class_value *v = n->data;
	struct netdev *d;
	ssize_t len = -ENODEV;

	rtnl_lock();
	d = device_of(n);
	if (d)
		len = v->show(d, v, buf, size);
	rtnl_unlock();
	return len;
}

static ssize_t store_value(struct show_node *n, const char *text, size_t len)
{
	const struct class_value *v = n->data;
	const struct net *net = n->ns;
	unsigned long value;
	struct netdev *d;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	err = kstrtoul(skip_spaces(text), 0, &value);
	if (err)
		return err;
	rtnl_lock();
	d = device_of(n);
	err = d ? v->set(d, value) : -ENODEV;
	rtnl_unlock();
	return err ?: (ssize_t)len;
}

static bool is_in(const struct class_value *v, const struct show_node *dir, const struct netdev *d)
{
	enum class_place place = dir->within == &device_within ? CLASS_DEVICE :
				 dir->within == &stats_within  ? CLASS_STATS :
								 CLASS_TX_QUEUE;

	if (place == CLASS_TX_QUEUE && dir->name[0] != 't')
		return false;
	return v->place == place && (!v->has || (d && v->has(d)));
}

static struct show_node *value_entry(struct show_node *dir, u64 i)
{
	const struct class_value *v = &class_values[i];
	umode_t mode = S_IFREG | (v->set ? 0644 : 0444);
	struct show_node *n = entry(dir->ns, (int)dir->id, v->name, mode, NULL, 16 + i);

	if (!IS_ERR(n)) {
		n->data = (void *)v;
		n->show = show_value;
		n->store = v->set ? store_value : NULL;
	}
	return n;
}

/* Whether the value I is one of DIR's. */
static bool value_is_in(struct show_node *dir, u64 i)
{
	bool is;

	rcu_read_lock();
	is = is_in(&class_values[i], dir, device_of(dir));
	rcu_read_unlock();
	return is;
}

static struct show_node *value_find(struct show_node *dir, void *ns, const char *name, size_t len)
{
	for (u64 i = 0; i < class_nr_values; i++)
		if (!strncmp(class_values[i].name, name, len) && !class_values[i].name[len] &&
		    value_is_in(dir, i))
			return value_entry(dir, i);
	return NULL;
}

static struct show_node *value_next(struct show_node *dir, void *ns, u64 *at)
{
	while (*at < class_nr_values) {
		u64 i = (*at)++;

		if (value_is_in(dir, i))
			return value_entry(dir, i);
	}
	return NULL;
}

static const struct show_within stats_within = { .find = value_find, .next = value_next };
static const struct show_within queue_within = { .find = value_find, .next = value_next };

/* ---- a device's directory ---- */

enum { SUB_STATS, SUB_QUEUES, SUB_SUBSYSTEM, SUB_MASTER, SUBS };

static struct show_node *sub_entry(struct show_node *dir, unsigned int i)
{
	const struct netdev *d;
	struct show_node *n;
	char master[NETDEV_NAME + 3] = "../";
	bool has = false;

	switch (i) {
	case SUB_STATS:
		return directory(dir->ns, (int)dir->id, "statistics", &stats_within, 2);
	case SUB_QUEUES:
		return directory(dir->ns, (int)dir->id, "queues", &queues_within, 3);
	case SUB_SUBSYSTEM:
		return entry(dir->ns, (int)dir->id, "subsystem", S_IFLNK | 0777,
			     "../../../../class/net", 4);
	}
	rcu_read_lock();
	d = device_of(dir);
	d = d ? rcu_dereference_raw(d->master) : NULL;
	if (d) {
		memcpy(master + 3, d->name, NETDEV_NAME);
		has = true;
	}
	rcu_read_unlock();
	if (!has)
		return NULL;
	n = entry(dir->ns, (int)dir->id, "master", S_IFLNK | 0777, master, 5);
	if (!IS_ERR(n))
		n->alive = is_master;
	return n;
}

static struct show_node *device_find(struct show_node *dir, void *ns, const char *name, size_t len)
{
	static const char *const names[SUBS] = { "statistics", "queues", "subsystem", "master" };

	for (unsigned int i = 0; i < SUBS; i++)
		if (!strncmp(names[i], name, len) && !names[i][len])
			return sub_entry(dir, i);
	return value_find(dir, ns, name, len);
}

static struct show_node *device_next(struct show_node *dir, void *ns, u64 *at)
{
	while (*at < SUBS) {
		struct show_node *n = sub_entry(dir, (unsigned int)(*at)++);

		if (n)
			return n;
	}
	*at -= SUBS;
	dir = value_next(dir, ns, at);
	*at += SUBS;
	return dir;
}

static const struct show_within device_within = { .find = device_find, .next = device_next };

/* ---- its queues: rx-0, rx-1 ..., tx-0 ... ---- */

static struct show_node *queue_next(struct show_node *dir, void *ns, u64 *at)
{
	u64 nr_rx = 0, nr_tx = 0, i = *at;
	const struct netdev *d;
	char name[16];

	rcu_read_lock();
	d = device_of(dir);
	if (d) {
		nr_rx = d->nr_rx;
		nr_tx = d->nr_tx;
	}
	rcu_read_unlock();
	if (i >= nr_rx + nr_tx)
		return NULL;
	(*at)++;
	snprintf(name, sizeof(name), "%s-%llu", i < nr_rx ? "rx" : "tx", i < nr_rx ? i : i - nr_rx);
	return directory(dir->ns, (int)dir->id, name, &queue_within, INO_QUEUE + i);
}

static struct show_node *queue_find(struct show_node *dir, void *ns, const char *name, size_t len)
{
	struct show_node *n;
	u64 at = 0;

	while ((n = queue_next(dir, ns, &at))) {
		if (IS_ERR(n) || (!strncmp(n->name, name, len) && !n->name[len]))
			return n;
		show_put(n);
	}
	return NULL;
}

static const struct show_within queues_within = { .find = queue_find, .next = queue_next };

static int class_net_init(void)
{
	struct show_node *class = show_path(SHOW_SYS, "class/net");
	struct show_node *devices = show_path(SHOW_SYS, "devices/virtual/net");

	if (!class || !devices)
		return -ENOMEM;
	class->within = devices->within = &class_within;
	devices->data = devices;	/* it has the directories themselves */
	return 0;
}
INITCALL(fs, class_net_init);
