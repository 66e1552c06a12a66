// SPDX-License-Identifier: MIT
/*
 * /proc/sys/net/ipv4/conf/DEV, net/ipv4/neigh/DEV, and the same of ipv6: settings of the devices of
 * the caller's network namespace. Nothing is kept for a device: directories are made as they are
 * looked for, know the namespace by its cookie and the device by its number, and are gone with
 * either, or with the device's name. An open file is its device's, whatever that is called.
 */
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include <alloc/xarray.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <abi/errno.h>
#include <linux/stat.h>
#include "net/conf/conf.h"
#include "net/conf/conf_dev.h"
#include "net/core/core_priv.h"
#include "net/ip4/addr.h"
#include "net/ip6/addr6.h"

#define INO_BASE (1ull << 57)
#define INO_DEVICE 20
#define INO_KIND 8

/* The directories that have one for each device. */
struct conf_kind {
	const char *path;
	bool six, neigh;
	const struct conf_value *values;
	const unsigned int *nr;
};
static const struct conf_kind kinds[] = {
	{ "net/ipv4/conf", false, false, conf4_values, &conf4_nr },
	{ "net/ipv4/neigh", false, true, neigh_values, &neigh_nr },
	{ "net/ipv6/conf", true, false, conf6_values, &conf6_nr },
	{ "net/ipv6/neigh", true, true, neigh_values, &neigh_nr },
};

static const struct show_within values_within;

static void *cookie_of(const struct net *net)
{
	return (void *)(unsigned long)net->cookie;
}

/* rtnl or RCU. N's device, if it is in the namespace that is acted upon; NULL. */
static struct netdev *device_of(const struct show_node *n)
{
	struct net *net = current_net();

	return n->ns == cookie_of(net) ? netdev_by_index(net, (int)n->id) : NULL;
}

static bool has_family(const struct netdev *d, bool six)
{
	return six ? !!in6_dev(d) : !!in_dev(d);
}

static bool is_there(const struct show_node *n)
{
	return device_of(n);
}

static bool is_there_by_name(const struct show_node *n)
{
	const struct conf_kind *k = n->data;
	const struct netdev *d = device_of(n);

	return d && has_family(d, k->six) && !strncmp(d->name, n->name, NETDEV_NAME);
}

static struct show_node *entry(void *ns, long id, const char *name, umode_t mode, u64 number)
{
	struct show_node *n = show_entry(name, mode, NULL);

	if (!n)
		return ERR_PTR(-ENOMEM);
	n->ns = ns;
	n->id = id;
	n->ino = INO_BASE + ((u64)id << INO_DEVICE) + number;
	n->alive = is_there;
	return n;
}

/* ---- values ---- */

/* rtnl. The int of V that D has; NULL. */
static int *place(struct netdev *d, const struct conf_kind *k, const struct conf_value *v)
{
	u8 *base;

	if (!d || !has_family(d, k->six))
		return NULL;
	if (k->six)
		base = k->neigh ? (u8 *)&in6_dev(d)->neigh : (u8 *)&in6_dev(d)->conf;
	else
		base = k->neigh ? (u8 *)&in_dev(d)->neigh : (u8 *)&in_dev(d)->conf;
	return (int *)(base + v->at);
}

struct conf_which {
	const struct conf_kind *kind;
	const struct conf_value *value;
};

static struct conf_which which_of(const struct show_node *n)
{
	u64 number = n->ino & ((1u << INO_DEVICE) - 1);
	const struct conf_kind *k = &kinds[number >> INO_KIND];

	return (struct conf_which){ k, &k->values[(number & ((1u << INO_KIND) - 1)) - 1] };
}

static ssize_t show_value(struct show_node *n, char *buf, size_t size)
{
	struct conf_which w = which_of(n);
	ssize_t len = -ENOENT;
	const int *at;

	rtnl_lock();
	at = place(device_of(n), w.kind, w.value);
	if (at)
		len = scnprintf(buf, size, "%d\n", READ_ONCE(*at) / (w.value->scale ?: 1));
	rtnl_unlock();
	return len;
}

void conf4_copy_default(struct net *net, u32 at)
{
	const u8 *from = (const u8 *)&net->ip4->conf_default;
	struct netdev *d;
	unsigned int i = 0;

	rtnl_assert();
	while (conf4_values[i].at != at)
		i++;
	list_for_each_entry(d, &net->devs, list) {
		struct in_device *in = in_dev(d);

		if (in && !(in->conf_set >> i & 1))
			WRITE_ONCE(*(int *)((u8 *)&in->conf + at),
				   READ_ONCE(*(const int *)(from + at)));
	}
	route4_flush(net);
}

/* rtnl. D has a setting of its own. */
static void note_set(struct netdev *d, const struct conf_which *w)
{
	if (w->kind->values == conf4_values)
		in_dev(d)->conf_set |= 1u << (w->value - conf4_values);
}

/* rtnl. -ENOENT: the device is gone. */
static int set_value(const struct show_node *n, const struct conf_which *w, int v, int scale)
{
	struct netdev *d = device_of(n);
	int *at = place(d, w->kind, w->value);

	if (!at)
		return -ENOENT;
	note_set(d, w);
	if (w->value->set)
		w->value->set(d, v);
	else
		WRITE_ONCE(*at, v * scale);
	return 0;
}

static ssize_t store_value(struct show_node *n, const char *text, size_t len)
{
	struct conf_which w = which_of(n);
	int v, err = kstrtoint(skip_spaces(text), 10, &v), scale = w.value->scale ?: 1;

	if (err)
		return err;
	if (v < w.value->least || v > w.value->most / scale)
		return -EINVAL;
	if (rtnl_lock_interruptible())
		return -ERESTARTSYS;
	err = set_value(n, &w, v, scale);
	rtnl_unlock();
	return err ?: (ssize_t)len;
}

static struct show_node *value_entry(struct show_node *dir, const struct conf_kind *k, u64 i)
{
	u64 number = ((u64)(k - kinds) << INO_KIND) + i + 1;
	struct show_node *n = entry(dir->ns, dir->id, k->values[i].name, S_IFREG | 0644, number);

	if (!IS_ERR(n)) {
		n->show = show_value;
		n->store = store_value;
		net_setting(n, k->values[i].memory ? net_memory_rights : net_setting_rights);
	}
	return n;
}

static struct show_node *value_find(struct show_node *dir, void *ns, const char *name, size_t len)
{
	const struct conf_kind *k = dir->data;

	for (unsigned int i = 0; i < *k->nr; i++)
		if (!strncmp(k->values[i].name, name, len) && !k->values[i].name[len])
			return value_entry(dir, k, i);
	return NULL;
}

static struct show_node *value_next(struct show_node *dir, void *ns, u64 *at)
{
	const struct conf_kind *k = dir->data;

	return *at < *k->nr ? value_entry(dir, k, (*at)++) : NULL;
}

static const struct show_within values_within = { .find = value_find, .next = value_next };

/* ---- directories of devices ---- */

static struct show_node *device_entry(struct show_node *dir, const struct net *net, long ifindex,
				      const char *name)
{
	const struct conf_kind *k = dir->data;
	struct show_node *n =
		entry(cookie_of(net), ifindex, name, S_IFDIR | 0555, (u64)(k - kinds) << INO_KIND);

	if (!IS_ERR(n)) {
		n->data = dir->data;
		n->within = &values_within;
		n->alive = is_there_by_name;
	}
	return n;
}

static struct show_node *device_find(struct show_node *dir, void *ns, const char *name, size_t len)
{
	const struct conf_kind *k = dir->data;
	struct net *net = current_net();
	char text[NETDEV_NAME] = "";
	const struct netdev *d;
	long ifindex;

	if (len >= NETDEV_NAME)
		return NULL;
	memcpy(text, name, len);
	rcu_read_lock();
	d = READ_ONCE(net->dying) ? NULL : netdev_by_name(net, text);
	ifindex = d && has_family(d, k->six) ? d->ifindex : 0;
	rcu_read_unlock();
	return ifindex ? device_entry(dir, net, ifindex, text) : NULL;
}

static struct show_node *device_next(struct show_node *dir, void *ns, u64 *at)
{
	const struct conf_kind *k = dir->data;
	struct net *net = current_net();
	unsigned long i = (unsigned long)*at;
	char name[NETDEV_NAME];
	const struct netdev *d;

	rcu_read_lock();
	do {
		i++;
		d = xa_find(&net->dev_by_index, &i, INT_MAX, XA_PRESENT);
	} while (d && !has_family(d, k->six));
	if (d)
		memcpy(name, d->name, NETDEV_NAME);
	rcu_read_unlock();
	if (!d)
		return NULL;
	*at = i;
	name[NETDEV_NAME - 1] = 0;
	return device_entry(dir, net, (long)i, name);
}

static const struct show_within devices_within = { .find = device_find, .next = device_next };

static int conf_dev_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct show_node *n = show_path(SHOW_SYSCTL, kinds[i].path);

		if (!n)
			return -ENOMEM;
		n->data = (void *)&kinds[i];
		n->within = &devices_within;
	}
	return 0;
}
INITCALL(late, conf_dev_init);
