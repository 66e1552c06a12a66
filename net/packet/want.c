// SPDX-License-Identifier: MIT
/*
 * What packet sockets want devices to receive (PACKET_ADD_MEMBERSHIP): all packets, all groups, one
 * group, one more address. Each want is counted in its socket, and is in the lists of its socket
 * and of its device; all under rtnl. A socket is charged for its own, up to optmem_max.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include <linux/packet_diag.h>
#include "net/packet/psock.h"

struct packet_want {
	struct list_head of_sock, of_dev;
	struct packet_sock *owner;
	struct netdev *dev;
	unsigned int count;
	u16 type, alen;
	u8 addr[NETDEV_ADDR];
};

/* struct packet_mreq_max of Linux: packet_mreq with the longest address. */
struct request {
	s32 ifindex;
	u16 type, alen;
	u8 addr[NETDEV_ADDR];
};

#define ADDR_AT offsetof(struct request, addr)

/* The device begins (BY 1) or ends (-1) to receive what W says. */
static int apply(const struct packet_want *w, int by)
{
	switch (w->type) {
	case PACKET_MR_MULTICAST:
		if (w->alen != w->dev->addr_len)
			return -EINVAL;
		return by > 0 ? netdev_mc_add(w->dev, w->addr) : netdev_mc_del(w->dev, w->addr);
	case PACKET_MR_UNICAST:		/* no device here has a list of them: it hears all */
		if (w->alen != w->dev->addr_len)
			return -EINVAL;
		netdev_set_promiscuity(w->dev, by);
		return 0;
	case PACKET_MR_PROMISC:
		netdev_set_promiscuity(w->dev, by);
		return 0;
	case PACKET_MR_ALLMULTI:
		netdev_set_allmulti(w->dev, by);
		return 0;
	}
	return 0;			/* Linux counts unknown ones too */
}

static void forget(struct packet_want *w)
{
	atomic_sub((int)sizeof(*w), &w->owner->sk.omem);
	list_del(&w->of_sock);
	list_del(&w->of_dev);
	kfree(w);
}

static void end(struct packet_want *w)
{
	apply(w, -1);
	forget(w);
}

static struct packet_want *find(struct packet_sock *k, const struct request *q)
{
	struct packet_want *w;

	list_for_each_entry(w, &k->wants, of_sock)
		if (w->dev->ifindex == q->ifindex && w->type == q->type && w->alen == q->alen &&
		    !memcmp(w->addr, q->addr, q->alen))
			return w;
	return NULL;
}

static int add(struct packet_sock *k, const struct request *q)
{
	struct netdev *d = netdev_by_index(k->sk.net, q->ifindex);
	struct packet_want *w;
	int err;

	if (!d)
		return -ENODEV;
	if (q->alen > d->addr_len)
		return -EINVAL;
	w = find(k, q);
	if (w) {
		w->count++;
		return 0;
	}
	if (atomic_read(&k->sk.omem) + (int)sizeof(*w) > sock_conf(&k->sk)->optmem_max)
		return -ENOBUFS;
	w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	if (!w)
		return -ENOBUFS;
	*w = (struct packet_want){
		.owner = k, .dev = d, .count = 1, .type = q->type, .alen = q->alen
	};
	memcpy(w->addr, q->addr, sizeof(w->addr));
	err = apply(w, 1);
	if (err) {
		kfree(w);
		return err;
	}
	atomic_add((int)sizeof(*w), &k->sk.omem);
	list_add(&w->of_sock, &k->wants);
	list_add(&w->of_dev, &d->packet_wants);
	return 0;
}

/* What was never asked for is given up without an error, as on Linux. */
static int drop(struct packet_sock *k, const struct request *q)
{
	struct packet_want *w = find(k, q);

	if (w && !--w->count)
		end(w);
	return 0;
}

int packet_want_change(struct packet_sock *k, bool is_add, struct uptr val, int len)
{
	struct request q = {};
	int err;

	if (len < (int)sizeof(struct packet_mreq))
		return -EINVAL;
	if (copy_from_user(&q, val, min_t(size_t, (size_t)len, sizeof(q))))
		return -EFAULT;
	if (len < (int)(q.alen + ADDR_AT) || q.alen > sizeof(q.addr))
		return -EINVAL;
	rtnl_lock();
	err = is_add ? add(k, &q) : drop(k, &q);
	rtnl_unlock();
	return err;
}

void packet_want_none(struct packet_sock *k)
{
	struct packet_want *w, *next;

	rtnl_assert();
	list_for_each_entry_safe(w, next, &k->wants, of_sock)
		end(w);
}

void packet_want_gone(struct netdev *d)
{
	struct packet_want *w, *next;

	rtnl_assert();
	list_for_each_entry_safe(w, next, &d->packet_wants, of_dev)
		end(w);
}

u32 packet_wants_describe(struct packet_sock *k, struct packet_diag_mclist *out, u32 most)
{
	struct packet_want *w;
	u32 n = 0;

	rtnl_assert();
	list_for_each_entry(w, &k->wants, of_sock) {
		if (n < most) {
			out[n] = (struct packet_diag_mclist){ .pdmc_index = (u32)w->dev->ifindex,
							      .pdmc_count = w->count,
							      .pdmc_type = w->type,
							      .pdmc_alen = w->alen };
			memcpy(out[n].pdmc_addr, w->addr, sizeof(out[n].pdmc_addr));
		}
		n++;
	}
	return n;
}
