// SPDX-License-Identifier: MIT
/*
 * /sys/class/net, /sys/devices/virtual/net and net/ of each device of the machine that has network
 * devices, of the network namespace that a mount of sysfs shows. Nothing is kept for a device:
 * entries are made as they are looked for, know their device by its number, and are gone with it. A
 * file that is open goes on when its device is renamed, and says ENODEV when it is gone or in
 * another namespace.
 */
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <kernel/show.h>
#include <kernel/uevent.h>
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
	return d && !strncmp(d->name, strrchr(n->link_target, '/') + 1, NETDEV_NAME);
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

/* ---- the directories of devices: class/net with links, and those that hold them ---- */

/* A path below /sys, and of a link to it. */
#define WAY 192

/*
 * The way to NAME's directory, whose device is a part of PARENT; *DEPTH: directories from the root.
 */
static void way_of(const struct show_node *parent, const char *name, char *buf, unsigned int *depth)
{
	char above[WAY - NETDEV_NAME - 8] = "devices/virtual";

	if (parent && show_way(parent, above, sizeof(above)) < 0)
		above[0] = 0;	/* no device is as deep */
	snprintf(buf, WAY, "%s/net/%s", above, name);
	*depth = 1;
	for (const char *c = buf; *c; c++)
		*depth += *c == '/';
}

/* The path of D's directory, under the name NAME. */
static void device_way(const struct netdev *d, const char *name, char *buf)
{
	unsigned int depth;

	way_of(d->parent, name, buf, &depth);
}

/* A link in a directory DEPTH below the root, to WHAT. */
static void link_text(char *buf, unsigned int depth, const char *what)
{
	size_t len = 0;

	while (depth-- && len + 3 < WAY)
		len += (size_t)scnprintf(buf + len, WAY - len, "../");
	scnprintf(buf + len, WAY - len, "%s", what);
}

/* Whether a device that is a part of PARENT is in DIR, a directory or the class. */
static bool belongs(const struct show_node *dir, const struct show_node *parent)
{
	return !dir->data || parent == (dir->data == dir ? NULL : dir->data);
}

static struct show_node *device_entry(struct show_node *dir, struct net *net, int ifindex,
				      const char *name, const struct show_node *parent)
{
	char way[WAY], target[WAY];
	struct show_node *n;
	unsigned int depth;

	if (dir->data) {
		n = directory(net, ifindex, name, &device_within, 1);
	} else {
		way_of(parent, name, way, &depth);
		link_text(target, 2, way);
		n = entry(net, ifindex, name, S_IFLNK | 0777, target, 0);
	}
	if (!IS_ERR(n))
		n->alive = is_there_by_name;
	return n;
}

static struct show_node *class_find(struct show_node *dir, void *ns, const char *name, size_t len)
{
	const struct show_node *parent;
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
	parent = d ? d->parent : NULL;
	ifindex = d && belongs(dir, parent) ? d->ifindex : 0;
	rcu_read_unlock();
	return ifindex ? device_entry(dir, net, ifindex, text, parent) : NULL;
}

static struct show_node *class_next(struct show_node *dir, void *ns, u64 *at)
{
	const struct show_node *parent = NULL;
	unsigned long i = (unsigned long)*at;
	struct net *net = ns;
	char name[NETDEV_NAME];
	struct netdev *d;

	if (!net)
		return NULL;
	do {
		i++;
		rcu_read_lock();
		d = xa_find(&net->dev_by_index, &i, INT_MAX, XA_PRESENT);
		if (d) {
			memcpy(name, d->name, NETDEV_NAME);
			parent = d->parent;
		}
		rcu_read_unlock();
	} while (d && !belongs(dir, parent));
	if (!d)
		return NULL;
	*at = i;
	name[NETDEV_NAME - 1] = 0;
	return device_entry(dir, net, (int)i, name, parent);
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
	unsigned long value = 0;
	struct netdev *d;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	err = v->set ? kstrtoul(skip_spaces(text), 0, &value) : 0;
	if (err)
		return err;
	rtnl_lock();
	d = device_of(n);
	if (!d)
		err = -ENODEV;
	else
		err = v->set ? v->set(d, value) : v->set_text(d, text, len);
	rtnl_unlock();
	return err ?: (ssize_t)len;
}

/* rtnl. Sends an event of D in its namespace; EXTRA: lines, or NULL. Sleeps. */
static void tell(struct netdev *d, enum uevent_action action, const char *extra)
{
	char way[WAY], own[128];

	device_way(d, d->name, way);
	class_net_uevent(d, own, sizeof(own));
	uevent_send_net(d->net, way, "net", action, extra, own);
}

/* The file's mode decides; unlike the other values, no capability over the network is needed. */
static ssize_t store_uevent(struct show_node *n, const char *text, size_t len)
{
	char *extra = kmalloc(UEVENT_MOST, GFP_KERNEL);
	enum uevent_action action;
	struct netdev *d;
	int err;

	if (!extra)
		return -ENOMEM;
	err = uevent_parse(text, len, &action, extra);
	if (!err) {
		rtnl_lock();
		d = device_of(n);
		if (d)
			tell(d, action, extra);
		else
			err = -ENODEV;
		rtnl_unlock();
	}
	kfree(extra);
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
	umode_t mode = S_IFREG | (v->set || v->set_text || v->is_uevent ? 0644 : 0444);
	struct show_node *n = entry(dir->ns, (int)dir->id, v->name, mode, NULL, 16 + i);

	if (!IS_ERR(n)) {
		n->data = (void *)v;
		n->show = show_value;
		n->store = v->is_uevent ? store_uevent : v->set || v->set_text ? store_value : NULL;
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

enum { SUB_STATS, SUB_QUEUES, SUB_SUBSYSTEM, SUB_DEVICE, SUB_MASTER, SUBS };

static struct show_node *link_entry(struct show_node *dir, const char *name, const char *to, u64 nr)
{
	return entry(dir->ns, (int)dir->id, name, S_IFLNK | 0777, to, nr);
}

/* A link to DIR's class, or to its device's master, if it has one. */
static struct show_node *far_entry(struct show_node *dir, bool to_master)
{
	const struct show_node *parent = NULL, *above = NULL;
	char way[WAY], target[WAY], name[NETDEV_NAME] = "";
	const struct netdev *d, *master;
	unsigned int depth, unused;
	struct show_node *n;

	rcu_read_lock();
	d = device_of(dir);
	parent = d ? d->parent : NULL;
	master = d ? rcu_dereference_raw(d->master) : NULL;
	if (master) {
		memcpy(name, master->name, NETDEV_NAME - 1);
		above = master->parent;
	}
	rcu_read_unlock();
	if (to_master && !name[0])
		return NULL;
	way_of(parent, dir->name, way, &depth);
	if (!to_master) {
		link_text(target, depth, "class/net");
		return link_entry(dir, "subsystem", target, 4);
	}
	way_of(above, name, way, &unused);
	/* Both are in devices/, and most are side by side. */
	if (parent == above)
		link_text(target, 1, name);
	else
		link_text(target, depth - 1, way + strlen("devices/"));
	n = link_entry(dir, "master", target, 5);
	if (!IS_ERR(n))
		n->alive = is_master;
	return n;
}

/* A link to the device of the machine that DIR's is a part of, if there is one. */
static struct show_node *parent_entry(struct show_node *dir)
{
	const struct show_node *parent;
	const struct netdev *d;
	char target[WAY];

	rcu_read_lock();
	d = device_of(dir);
	parent = d ? d->parent : NULL;
	rcu_read_unlock();
	if (!parent)
		return NULL;
	link_text(target, 3, parent->name);
	return link_entry(dir, "device", target, 6);
}

static struct show_node *sub_entry(struct show_node *dir, unsigned int i)
{
	switch (i) {
	case SUB_STATS:
		return directory(dir->ns, (int)dir->id, "statistics", &stats_within, 2);
	case SUB_QUEUES:
		return directory(dir->ns, (int)dir->id, "queues", &queues_within, 3);
	case SUB_DEVICE:
		return parent_entry(dir);
	default:
		return far_entry(dir, i == SUB_MASTER);
	}
}

static struct show_node *device_find(struct show_node *dir, void *ns, const char *name, size_t len)
{
	static const char *const names[SUBS] = { "statistics", "queues", "subsystem", "device",
						 "master" };

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
		nr_rx = READ_ONCE(d->real_rx);
		nr_tx = READ_ONCE(d->real_tx);
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

/* ---- events ---- */

/* Its queues have no variables of their own. */
static void tell_queues(struct netdev *d, enum uevent_action action)
{
	u32 nr_rx = d->real_rx, nr_tx = d->real_tx;
	char way[WAY];
	size_t len;

	device_way(d, d->name, way);
	len = strlen(way);
	for (u32 i = 0; i < nr_rx + nr_tx; i++) {
		snprintf(way + len, sizeof(way) - len, "/queues/%s-%u", i < nr_rx ? "rx" : "tx",
			 i < nr_rx ? i : i - nr_rx);
		uevent_send_net(d->net, way, "queues", action, NULL, NULL);
	}
}

static void tell_of_name(struct netdev *d)
{
	char way[WAY], extra[WAY + 16];

	device_way(d, d->was, way);
	snprintf(extra, sizeof(extra), "DEVPATH_OLD=/%s\n", way);
	tell(d, UEVENT_MOVE, extra);
}

static int device_event(struct netdev *d, enum netdev_event e)
{
	switch (e) {
	case NETDEV_REGISTER:
		tell(d, UEVENT_ADD, NULL);
		tell_queues(d, UEVENT_ADD);
		break;
	case NETDEV_UNREGISTER:
		tell_queues(d, UEVENT_REMOVE);
		tell(d, UEVENT_REMOVE, NULL);
		break;
	case NETDEV_CHANGENAME:
		tell_of_name(d);
		break;
	default:
		break;
	}
	return 0;
}

static struct netdev_listener listener = { .event = device_event };

int netdev_set_parent(struct netdev *d, struct show_node *parent)
{
	struct show_node *dir = show_dir(SHOW_SYS, parent, "net");

	if (!dir)
		return -ENOMEM;
	dir->data = parent;	/* whose devices it has */
	dir->within = &class_within;
	show_get(parent);
	d->parent = parent;
	return 0;
}

static int class_net_init(void)
{
	struct show_node *class = show_path(SHOW_SYS, "class/net");
	struct show_node *devices = show_path(SHOW_SYS, "devices/virtual/net");

	if (!class || !devices)
		return -ENOMEM;
	class->within = devices->within = &class_within;
	devices->data = devices;	/* it has the directories themselves */
	netdev_listen(&listener);
	return 0;
}
INITCALL(fs, class_net_init);
