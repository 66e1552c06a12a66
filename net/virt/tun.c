// SPDX-License-Identifier: MIT
/* The device of tun.h: its life, what it sends, and what rtnetlink(7) says of it. */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <net/gso.h>
#include <net/netlink.h>
#include <proc/signal.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/virt/tun.h"
#include "net/virt/virt.h"

/* Whether P waits now for F's reader. */
static bool queue_for_reader(struct netdev *d, struct tun_file *f, struct packet *p)
{
	u32 most = max(READ_ONCE(d->tx_queue_len), 1u);
	bool ok;

	packet_orphan(p);		/* it may wait for long */
	spin_lock(&f->lock);
	ok = f->queue.nr < most && f->queue.bytes + p->truesize <= TUN_QUEUE_BYTES;
	if (ok) {
		p->dev = NULL;		/* it outlives the RCU section */
		packet_list_add(&f->queue, p);
	}
	spin_unlock(&f->lock);
	return ok;
}

/* A reader without headers cannot be told of segments: they are made for it. */
static bool queue_segments(struct netdev *d, struct tun_file *f, struct packet *p)
{
	u32 nr = gso_segments(p);

	for (u32 i = 0; i < nr; i++) {
		struct packet *q = gso_segment(p, i, GFP_ATOMIC);

		if (!q || !queue_for_reader(d, f, q)) {
			this_cpu_inc(d->stats->tx_dropped);
			packet_free(q, DROP_TX);
			if (!i)
				return false;
			break;
		}
	}
	packet_consume(p);
	return true;
}

static enum netdev_xmit tun_xmit(struct netdev *d, struct packet *p, u16 queue, bool more)
{
	struct tun_file *f = rcu_dereference(tun_of(d)->file);
	bool split = p->gso_size && !(READ_ONCE(tun_of(d)->flags) & IFF_VNET_HDR);

	/* What does not fit the caller drops and counts. */
	if (!f || !(split ? queue_segments(d, f, p) : queue_for_reader(d, f, p)))
		return NETDEV_XMIT_BUSY;
	wake_up_interruptible_poll(&f->wait, EPOLLIN | EPOLLRDNORM);
	if (unlikely(rcu_access_pointer(f->fasync)))
		kill_fasync(&f->fasync, SIGIO, POLL_IN);
	return NETDEV_XMIT_OK;
}

static void tun_stats(struct netdev *d, struct netdev_stats *s)
{
	s->rx_frame_errors += (u32)atomic_read(&tun_of(d)->bad_frames);
}

/* Without a file there is none. */
static int tun_carrier(struct netdev *d, bool on)
{
	if (on && !rcu_access_pointer(tun_of(d)->file))
		return -EPERM;
	netdev_carrier(d, on);
	return 0;
}

const struct netdev_ops tun_ops = {
	.xmit = tun_xmit,
	.get_stats = tun_stats,
	.set_carrier = tun_carrier,
};

/* ---- the device and its file ---- */

int tun_attach(struct netdev *d, struct tun_file *f)
{
	struct tun *t = tun_of(d);
	struct packet_list old;

	rtnl_assert();
	if (rcu_access_pointer(t->file))
		return -EBUSY;
	/* What waited when the last device went: a reader may be taking one of them right now. */
	spin_lock(&f->lock);
	packet_list_move(&old, &f->queue);
	spin_unlock(&f->lock);
	packet_list_free(&old, DROP_DEV_DOWN);
	rcu_assign_pointer(t->file, f);
	rcu_assign_pointer(f->dev, d);
	return 0;
}

/* rtnl. Senders may still see F until a grace period has passed. */
static void part(struct netdev *d, struct tun_file *f)
{
	RCU_INIT_POINTER(tun_of(d)->file, NULL);
	RCU_INIT_POINTER(f->dev, NULL);
	wake_up_interruptible_all(&f->wait);
}

void tun_detach(struct tun_file *f)
{
	struct netdev *d = rcu_dereference_raw(f->dev);

	rtnl_assert();
	if (!d)
		return;
	part(d, f);
	netdev_carrier(d, false);
	if (!(tun_of(d)->flags & IFF_PERSIST) && !d->dismantling)
		netdev_unregister(d);
}

static int tun_event(struct netdev *d, enum netdev_event e)
{
	struct tun_file *f;

	if (d->ops != &tun_ops)
		return 0;
	f = rcu_dereference_raw(tun_of(d)->file);
	if (f && e == NETDEV_UNREGISTER && d->dismantling)
		part(d, f);
	if (f && e == NETDEV_UP)
		wake_up_interruptible_poll(&f->wait, EPOLLOUT | EPOLLWRNORM);
	return 0;
}

/* ---- making one ---- */

static struct netdev *refuse(struct net *net, const struct netdev_wish *w,
			     const struct nlattr *data, struct nla_error *e)
{
	e->text = "tun/tap creation via rtnetlink is not supported.";
	return ERR_PTR(-EOPNOTSUPP);
}

static void put_info(struct nlmsg_buf *b, struct netdev *d)
{
	const struct tun *t = tun_of(d);

	nla_put_u8(b, IFLA_TUN_TYPE, tun_is_tap(d) ? IFF_TAP : IFF_TUN);
	if (uid_valid(t->owner))
		nla_put_u32(b, IFLA_TUN_OWNER, from_kuid_munged(current_user_ns(), t->owner));
	if (gid_valid(t->group))
		nla_put_u32(b, IFLA_TUN_GROUP, from_kgid_munged(current_user_ns(), t->group));
	nla_put_u8(b, IFLA_TUN_PI, !(t->flags & IFF_NO_PI));
	nla_put_u8(b, IFLA_TUN_VNET_HDR, !!(t->flags & IFF_VNET_HDR));
	nla_put_u8(b, IFLA_TUN_PERSIST, !!(t->flags & IFF_PERSIST));
	nla_put_u8(b, IFLA_TUN_MULTI_QUEUE, 0);
}

static struct netdev_kind tun_kind = { .name = "tun", .make = refuse, .put_info = put_info };

static void setup(struct netdev *d, bool tap)
{
	if (tap) {
		ether_setup(d);
		virt_random_addr(d);
		d->max_mtu = U16_MAX - ETH_HLEN;
		return;
	}
	d->type = ARPHRD_NONE;
	d->mtu = ETH_DATA_LEN;
	d->min_mtu = 68;
	d->max_mtu = U16_MAX;
	d->tx_queue_len = TUN_QUEUE_TUN;
	d->flags |= IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
}

struct netdev *tun_new(struct net *net, const char *name, int index, u32 flags)
{
	bool tap = flags & IFF_TAP;
	struct netdev *d;
	struct tun *t;
	int err;

	rtnl_assert();
	d = netdev_alloc(sizeof(*t), name[0] ? name : tap ? "tap%d" : "tun%d", 1, 1, &tun_ops);
	if (!d)
		return ERR_PTR(-ENOMEM);
	setup(d, tap);
	d->ifindex = index;
	d->kind = &tun_kind;
	d->driver_name = "tun";
	d->carrier = false;
	d->features = NETDEV_F_SG | NETDEV_F_NO_QUEUE;
	d->hw_features = NETDEV_F_SG;	/* TUNSETOFFLOAD adds to it */
	t = tun_of(d);
	t->flags = flags;
	t->owner = INVALID_UID;
	t->group = INVALID_GID;
	t->hdr_size = sizeof(struct vnet_wire);
	err = netdev_register(d, net);
	if (!err)
		return d;
	netdev_put(d);
	return ERR_PTR(err);
}

static struct netdev_listener listener = { .event = tun_event };
static int tun_init(void)
{
	if (netdev_kind_register(&tun_kind))
		return -EEXIST;
	netdev_listen(&listener);
	return 0;
}
INITCALL(fs, tun_init);
