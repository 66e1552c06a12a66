// SPDX-License-Identifier: MIT
/* Packet sockets: making, binding, names, what becomes of them when devices come and go. */
#include <lib/err.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <asm/ioctls.h>
#include <linux/capability.h>
#include "net/dev/if_flags.h"
#include "net/inet/dgram.h"
#include "net/packet/psock.h"

/* ---- hooks; rtnl, or nobody else knows K ---- */

static void hook(struct packet_sock *k)
{
	if (k->hooked || !k->num.v)
		return;
	k->hook.protocol = k->num;
	packet_type_add(&k->hook);
	WRITE_ONCE(k->hooked, true);
}

/* After a grace period nothing comes any more. */
static bool unhook(struct packet_sock *k)
{
	if (!k->hooked)
		return false;
	packet_type_del(&k->hook);
	WRITE_ONCE(k->hooked, false);
	return true;
}

static void went_down(struct packet_sock *k)
{
	sock_set_error(&k->sk, ENETDOWN);
	if (!sock_flag(&k->sk, SOCK_F_DEAD))
		sock_report_error(&k->sk);
}

/* rtnl. K is of PROTOCOL and of D (NULL: of all devices) from here on. */
static void rebind(struct packet_sock *k, be16 protocol, struct netdev *d)
{
	if (k->num.v == protocol.v && k->hook.dev == d && k->ifindex == (d ? d->ifindex : 0))
		return;
	if (k->num.v) {		/* its hook leaves one list for another */
		unhook(k);
		synchronize_rcu();
	}
	list_del_init(&k->on_dev);
	k->num = protocol;
	k->hook.dev = d;
	WRITE_ONCE(k->ifindex, d ? d->ifindex : 0);
	if (d)
		list_add_tail(&k->on_dev, &d->packet_bound);
	if (!k->num.v)
		return;
	if (!d || d->flags & IFF_UP)
		hook(k);
	else
		went_down(k);
}

static int packet_bind(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len)
{
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)a;
	struct packet_sock *k = packet_sk(sock->sk);
	struct netdev *d = NULL;
	int err = 0;

	if (len < (int)sizeof(*ll) || ll->sll_family != AF_PACKET)
		return -EINVAL;
	rtnl_lock();
	if (ll->sll_ifindex) {
		d = netdev_by_index(k->sk.net, ll->sll_ifindex);
		err = d ? 0 : -ENODEV;
	}
	if (!err)
		rebind(k, ll->sll_protocol ? (be16){ ll->sll_protocol } : k->num, d);
	rtnl_unlock();
	return err;
}

static int packet_getname(struct socket *sock, struct __kernel_sockaddr_storage *a, bool peer)
{
	struct sockaddr_ll *ll = (struct sockaddr_ll *)a;
	struct packet_sock *k = packet_sk(sock->sk);
	struct netdev *d;

	if (peer)
		return -EOPNOTSUPP;
	memset(ll, 0, sizeof(*ll));
	ll->sll_family = AF_PACKET;
	ll->sll_ifindex = READ_ONCE(k->ifindex);
	ll->sll_protocol = READ_ONCE(k->num.v);
	rcu_read_lock();
	d = netdev_by_index(k->sk.net, ll->sll_ifindex);
	if (d) {
		ll->sll_hatype = d->type;
		ll->sll_halen = d->addr_len;
		memcpy((u8 *)a + offsetof(struct sockaddr_ll, sll_addr), d->addr, d->addr_len);
	}
	rcu_read_unlock();
	return (int)offsetof(struct sockaddr_ll, sll_addr) + ll->sll_halen;
}

/* ---- devices come and go; rtnl ---- */

static void device_down(struct netdev *d)
{
	struct packet_sock *k;

	list_for_each_entry(k, &d->packet_bound, on_dev)
		if (unhook(k))
			went_down(k);
}

static void device_gone(struct netdev *d)
{
	struct packet_sock *k, *next;

	device_down(d);
	list_for_each_entry_safe(k, next, &d->packet_bound, on_dev) {
		list_del_init(&k->on_dev);
		k->hook.dev = NULL;
		WRITE_ONCE(k->ifindex, -1);
	}
	packet_want_gone(d);
}

static int device_event(struct netdev *d, enum netdev_event e)
{
	struct packet_sock *k;

	switch (e) {
	case NETDEV_UP:
		list_for_each_entry(k, &d->packet_bound, on_dev)
			hook(k);
		break;
	case NETDEV_DOWN:
		device_down(d);
		break;
	case NETDEV_UNREGISTER:
		device_gone(d);
		break;
	default:
		break;
	}
	return 0;
}

static struct netdev_listener listener = { .event = device_event };

/* ---- calls ---- */

static u32 packet_poll(struct file *f, struct socket *sock, struct poll_table_struct *pt)
{
	u32 mask = sock_poll_dgram(f, sock, pt);

	return packet_ring_readable(packet_sk(sock->sk)) ? mask | EPOLLIN | EPOLLRDNORM : mask;
}

static int packet_release(struct socket *sock)
{
	struct packet_sock *k = packet_sk(sock->sk);

	if (!k)
		return 0;
	rtnl_lock();
	unhook(k);
	list_del_init(&k->on_dev);
	packet_want_none(k);
	rtnl_unlock();
	ghash_del(&k->sk.net->packet->socks, &k->node);
	sock_orphan(&k->sk);
	synchronize_rcu();		/* no hook runs any more */
	packet_ring_free(k);
	sock->sk = NULL;
	sock_put(&k->sk);
	return 0;
}

static const struct sock_ops packet_ops = {
	.release = packet_release,
	.bind = packet_bind,
	.getname = packet_getname,
	.poll = packet_poll,
	.ioctl = inet_dgram_ioctl,
	.setsockopt = packet_setsockopt,
	.getsockopt = packet_getsockopt,
	.sendmsg = packet_sendmsg,
	.recvmsg = packet_recvmsg,
	.fasync = sock_fasync,
	.mmap = packet_ring_mmap,
};
static const struct sock_kind packet_kind = { .name = "PACKET",
					      .size = sizeof(struct packet_sock),
					      .destruct = sock_free_queues,
					      SOCK_LOCKS("packet sk->lock", "packet lock_sock()") };

static void enlist(struct packet_sock *k)
{
	struct ghash *h = &k->sk.net->packet->socks;
	u32 hash = hash_32((u32)sock_cookie(&k->sk), 32);
	unsigned long *b;

	ghash_reserve(h);
	b = ghash_lock(h, hash);
	ghash_add(h, b, &k->node, hash);
	ghash_unlock(b);
}

/* PROTOCOL is an EtherType in network order (packet(7)). */
static int packet_create(struct socket *s, int protocol)
{
	struct net *net = current_net();
	struct packet_sock *k;
	struct sock *sk;

	if (!ns_capable(net->user_ns, CAP_NET_RAW))
		return -EPERM;
	if (s->type != SOCK_DGRAM && s->type != SOCK_RAW)
		return -ESOCKTNOSUPPORT;
	sk = sock_alloc(&packet_kind, net, true, AF_PACKET, s, 0, GFP_KERNEL_ACCOUNT);
	if (!sk)
		return -ENOBUFS;
	k = packet_sk(sk);
	sock_set_flag(sk, SOCK_F_RCU_FREE, true);
	INIT_LIST_HEAD(&k->on_dev);
	INIT_LIST_HEAD(&k->wants);
	mutex_init(&k->ring_mutex);
	spin_lock_init(&k->ring_lock);
	k->num = (be16){ (u16)protocol };
	k->hook.net = net;
	k->hook.look = packet_look;
	k->hook.sk = sk;
	s->sk = sk;
	s->ops = &packet_ops;
	enlist(k);
	hook(k);
	return 0;
}

/* ---- namespaces ---- */

static int packet_begin(struct net *net)
{
	struct packet_net *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	int err = n ? ghash_init(&n->socks, 4) : -ENOMEM;

	if (err) {
		kfree(n);
		return err;
	}
	net->packet = n;
	return 0;
}

static void packet_end_release(struct net *net)
{
	if (!net->packet)		/* the namespace failed to begin */
		return;
	ghash_destroy(&net->packet->socks);
	kfree(net->packet);
}

static struct net_ops net_ops = { .init = packet_begin, .release = packet_end_release };
static const struct socket_family family = { AF_PACKET, packet_create };

static int packet_init(void)
{
	int err = net_register_ops(&net_ops);

	if (err)
		return err;
	netdev_listen(&listener);
	return sock_register_family(&family);
}
INITCALL(subsys, packet_init);
