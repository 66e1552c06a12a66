// SPDX-License-Identifier: MIT
/*
 * Ioctls of /dev/net/tun (Linux's Documentation/networking/tuntap.rst, if_tun.h). Making a device
 * needs CAP_NET_ADMIN over the namespace of the file; one that is persistent may be attached by its
 * owner or group, or by anybody if it has neither. What changes an attached device needs the file
 * alone.
 */
#include <lib/err.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include "net/dev/if_flags.h"
#include "net/virt/tun.h"
#include "net/wire/eth.h"

#define FEATURES (IFF_TUN | IFF_TAP | IFF_NO_CARRIER | TUN_KEPT)
#define OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_UFO)

static bool may_attach(const struct netdev *d)
{
	const struct tun *t = tun_of(d);

	if ((!uid_valid(t->owner) || uid_eq(current_cred()->euid, t->owner)) &&
	    (!gid_valid(t->group) || in_egroup_p(t->group)))
		return true;
	return ns_capable(d->net->user_ns, CAP_NET_ADMIN);
}

static int attach_old(struct tun_file *f, struct netdev *d, u32 flags)
{
	struct tun *t = tun_of(d);
	int err;

	if (flags & IFF_TUN_EXCL)
		return -EBUSY;
	if (d->ops != &tun_ops)
		return -EINVAL;
	if (!(flags & (tun_is_tap(d) ? IFF_TAP : IFF_TUN)))
		return -EINVAL;
	if (!may_attach(d))
		return -EPERM;
	err = tun_attach(d, f);
	if (!err)
		WRITE_ONCE(t->flags, (t->flags & ~(u32)TUN_KEPT) | (flags & TUN_KEPT));
	return err;
}

static struct netdev *attach_new(struct tun_file *f, const char *name, u32 flags)
{
	struct netdev *d;

	if (!ns_capable(f->net->user_ns, CAP_NET_ADMIN))
		return ERR_PTR(-EPERM);
	if (!(flags & (IFF_TUN | IFF_TAP)))
		return ERR_PTR(-EINVAL);
	if (f->ifindex && netdev_by_index(f->net, f->ifindex))
		return ERR_PTR(-EBUSY);
	d = tun_new(f->net, name, f->ifindex,
		    (flags & IFF_TUN ? IFF_TUN : IFF_TAP) | (flags & TUN_KEPT));
	if (!IS_ERR(d) && tun_attach(d, f)) {	/* not yet seen by another */
		netdev_unregister(d);
		return ERR_PTR(-EBUSY);
	}
	return d;
}

/* TUNSETIFF. rtnl. */
static int set_iff(struct tun_file *f, struct ifreq *r)
{
	u32 flags = (u16)r->ifr_flags;
	struct netdev *d;
	int err = 0;

	if (rcu_access_pointer(f->dev))
		return -EEXIST;
	if (flags & (IFF_MULTI_QUEUE | IFF_NAPI | IFF_NAPI_FRAGS))
		return -EINVAL;
	r->ifr_name[IFNAMSIZ - 1] = 0;
	d = netdev_by_name(f->net, r->ifr_name);
	if (d)
		err = attach_old(f, d, flags);
	else
		d = attach_new(f, r->ifr_name, flags);
	if (err || IS_ERR(d))
		return err ?: (int)PTR_ERR(d);
	netdev_carrier(d, !(flags & IFF_NO_CARRIER));
	memcpy(r->ifr_name, d->name, IFNAMSIZ);
	return 0;
}

static int set_offload(struct netdev *d, unsigned long arg)
{
	u32 can = NETDEV_F_CSUM | NETDEV_F_TSO4 | NETDEV_F_TSO6 | NETDEV_F_TSO_ECN, on = 0;

	if (arg & ~(unsigned long)OFFLOADS || (arg && !(arg & TUN_F_CSUM)))
		return -EINVAL;
	if (arg & TUN_F_TSO_ECN && !(arg & (TUN_F_TSO4 | TUN_F_TSO6)))
		return -EINVAL;
	on |= arg & TUN_F_CSUM ? NETDEV_F_CSUM : 0;
	on |= arg & TUN_F_TSO4 ? NETDEV_F_TSO4 : 0;
	on |= arg & TUN_F_TSO6 ? NETDEV_F_TSO6 : 0;
	on |= arg & TUN_F_TSO_ECN ? NETDEV_F_TSO_ECN : 0;
	/* What the reader takes; programs may want less of it. */
	d->hw_features |= can;
	d->wanted &= ~can;
	netdev_update_features(d);
	d->hw_features = (d->hw_features & ~can) | on;
	netdev_want_features(d, on, on);
	return 0;
}

static int set_owner(struct tun *t, unsigned int cmd, unsigned long arg)
{
	kuid_t uid = make_kuid(current_user_ns(), (uid_t)arg);
	kgid_t gid = make_kgid(current_user_ns(), (gid_t)arg);

	if (cmd == TUNSETOWNER && uid_valid(uid))
		t->owner = uid;
	else if (cmd == TUNSETGROUP && gid_valid(gid))
		t->group = gid;
	else
		return -EINVAL;
	return 0;
}

/* The kind of link, which says how long its addresses are. */
static int set_link(struct netdev *d, unsigned long type)
{
	if (d->flags & IFF_UP)
		return -EBUSY;
	if (d->hard_header_len && type != ARPHRD_ETHER)
		return -EINVAL;		/* its frames have Ethernet's header */
	d->type = (u16)type;
	return 0;
}

/* Settings that are the argument itself. -ENOTTY: it is none. */
static int set_value(struct netdev *d, unsigned int cmd, unsigned long arg)
{
	struct tun *t = tun_of(d);

	switch (cmd) {
	case TUNSETPERSIST:
		WRITE_ONCE(t->flags, arg ? t->flags | IFF_PERSIST : t->flags & ~(u32)IFF_PERSIST);
		return 0;
	case TUNSETOWNER:
	case TUNSETGROUP:
		return set_owner(t, cmd, arg);
	case TUNSETLINK:
		return set_link(d, arg);
	case TUNSETOFFLOAD:
		return set_offload(d, arg);
	}
	return -ENOTTY;
}

/* Settings that an int in user memory holds. */
static int set_int(struct tun_file *f, struct netdev *d, unsigned int cmd, int v)
{
	struct tun *t = tun_of(d);

	switch (cmd) {
	case TUNSETSNDBUF:
		if (v <= 0)
			return -EINVAL;
		f->sndbuf = v;
		return 0;
	case TUNSETVNETHDRSZ:
		if (v < (int)sizeof(struct vnet_wire))
			return -EINVAL;
		WRITE_ONCE(t->hdr_size, v);
		return 0;
	case TUNSETVNETLE:
		WRITE_ONCE(t->little, !!v);
		return 0;
	case TUNSETCARRIER:
		return netdev_set_carrier(d, v);
	}
	return -EINVAL;
}

static int get_int(const struct tun_file *f, const struct netdev *d, unsigned int cmd)
{
	const struct tun *t = tun_of(d);

	return cmd == TUNGETSNDBUF ? f->sndbuf : cmd == TUNGETVNETHDRSZ ? t->hdr_size : t->little;
}

static bool is_get(unsigned int cmd)
{
	return cmd == TUNGETSNDBUF || cmd == TUNGETVNETHDRSZ || cmd == TUNGETVNETLE;
}

static bool is_set(unsigned int cmd)
{
	return cmd == TUNSETSNDBUF || cmd == TUNSETVNETHDRSZ || cmd == TUNSETVNETLE ||
	       cmd == TUNSETCARRIER;
}

/* rtnl: what is read or changed of D by a struct ifreq. */
static int by_ifreq(struct netdev *d, unsigned int cmd, struct ifreq *r)
{
	const struct tun *t = tun_of(d);

	switch (cmd) {
	case TUNGETIFF:
		memcpy(r->ifr_name, d->name, IFNAMSIZ);
		/* No filter is attached ever. */
		r->ifr_flags = (short)(t->flags | IFF_NOFILTER);
		return 0;
	case SIOCGIFHWADDR:
		memset(&r->ifr_hwaddr, 0, sizeof(r->ifr_hwaddr));
		r->ifr_hwaddr.sa_family = d->type;
		memcpy(r->ifr_hwaddr.sa_data, d->addr, d->addr_len);
		return 0;
	case SIOCSIFHWADDR:
		if (!netdev_changes_mac(d))
			return -EOPNOTSUPP;
		if (r->ifr_hwaddr.sa_family != d->type)
			return -EINVAL;
		if (!eth_is_station((const u8 *)r->ifr_hwaddr.sa_data))
			return -EADDRNOTAVAIL;
		return netdev_set_mac(d, (const u8 *)r->ifr_hwaddr.sa_data);
	}
	return -ENOTTY;
}

/* The number that the next device is to have. */
static int set_ifindex(struct tun_file *f, int v)
{
	if (rcu_access_pointer(f->dev))
		return -EPERM;
	if (v < 0)
		return -EINVAL;
	f->ifindex = v;
	return 0;
}

static bool takes_ifreq(unsigned int cmd)
{
	return cmd == TUNSETIFF || cmd == SIOCGIFHWADDR || cmd == SIOCSIFHWADDR;
}

struct call {
	struct ifreq r;
	int v;
	bool give_ifreq, give_int;
};

/* rtnl. */
static long run(struct tun_file *f, unsigned int cmd, unsigned long arg, struct call *c)
{
	struct netdev *d = rcu_dereference_raw(f->dev);
	int err;

	if (cmd == TUNSETIFF) {
		c->give_ifreq = true;
		return set_iff(f, &c->r);
	}
	if (cmd == TUNSETIFINDEX)
		return set_ifindex(f, c->v);
	if (!d)
		return -EBADFD;
	if (is_get(cmd)) {
		c->give_int = true;
		c->v = get_int(f, d, cmd);
		return 0;
	}
	if (is_set(cmd))
		return set_int(f, d, cmd, c->v);
	err = set_value(d, cmd, arg);
	if (err != -ENOTTY)
		return err;
	err = by_ifreq(d, cmd, &c->r);
	c->give_ifreq = cmd != SIOCSIFHWADDR;
	return err == -ENOTTY ? -EINVAL : err;
}

long tun_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct tun_file *f = file->private_data;
	struct uptr user = UPTR(arg);
	struct call c = {};
	long err;

	if (cmd == TUNGETFEATURES) {
		u32 features = FEATURES;

		return copy_to_user(user, &features, sizeof(features)) ? -EFAULT : 0;
	}
	if (takes_ifreq(cmd) && copy_from_user(&c.r, user, sizeof(c.r)))
		return -EFAULT;
	if ((is_set(cmd) || cmd == TUNSETIFINDEX) && copy_from_user(&c.v, user, sizeof(c.v)))
		return -EFAULT;
	rtnl_lock();
	err = run(f, cmd, arg, &c);
	rtnl_unlock();
	if (!err && c.give_ifreq && copy_to_user(user, &c.r, sizeof(c.r)))
		err = -EFAULT;
	if (!err && c.give_int && copy_to_user(user, &c.v, sizeof(c.v)))
		err = -EFAULT;
	return err;
}
