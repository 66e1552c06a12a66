// SPDX-License-Identifier: MIT
/*
 * Sending: a packet with its link header goes to a send queue of its device, or waits in it. A
 * device with NETDEV_F_NO_QUEUE is called without any lock.
 *
 * The link header: the device's type says how it looks. Devices without addresses have none.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <kernel/percpu.h>
#include <net/gso.h>
#include <abi/errno.h>
#include "net/dev/dev_priv.h"
#include "net/dev/if_flags.h"
#include "net/wire/eth.h"

#define RUN_MOST (4 * NET_BATCH)	/* packets that a queue hands over under its lock, at a time */

int dev_hard_header(struct packet *p, struct netdev *d, u16 protocol, const u8 *to, const u8 *from)
{
	static const u8 nobody[ETH_ADDR];

	p->protocol = be16_make(protocol);
	if (!d->hard_header_len)
		return 0;
	if (packet_headroom(p) < d->hard_header_len && !packet_want_headroom(p, d->hard_header_len))
		return -ENOMEM;
	eth_encode(packet_push(p, ETH_HEADER), to ?: nobody, from ?: d->addr, p->protocol);
	packet_set_mac(p);
	return 0;
}

/* A frame of LEN bytes; of loopback its link header, which no link carries, does not count. */
static void count_sent(struct netdev *d, u32 len)
{
	if (d->flags & IFF_LOOPBACK && len >= d->hard_header_len)
		len -= d->hard_header_len;
	this_cpu_inc(d->stats->tx_packets);
	this_cpu_add(d->stats->tx_bytes, len);
}

static int drop(struct packet *p, struct netdev *d, enum drop_reason why, int err)
{
	this_cpu_inc(d->stats->tx_dropped);
	packet_free(p, why);
	return err;
}

/* The sum that the device cannot make itself. */
static bool prepare(struct packet *p, const struct netdev *d)
{
	if (p->csum_state != PACKET_CSUM_PARTIAL ||
	    READ_ONCE(d->features) & (NETDEV_F_CSUM | NETDEV_F_LOCAL))
		return true;
	return packet_csum_finish(p);
}

/* The CPU's own, so that CPUs share neither its lock nor its ring. */
static u16 choose_queue(const struct netdev *d)
{
	u16 nr = READ_ONCE(d->real_tx);

	return nr == 1 ? 0 : (u16)(raw_smp_processor_id() % nr);
}

/*
 * Hands waiting packets to the driver, at most RUN_MOST. The queue's lock is held. True: it would
 * take more.
 */
static bool run_some(struct netdev *d, u16 queue)
{
	struct netdev_tx_queue *q = &d->tx[queue];
	struct packet *p;

	lockdep_assert_held(&q->lock);
	for (unsigned int n = 1; !q->stopped && (p = packet_list_first(&q->waiting)); n++) {
		bool last = n == RUN_MOST;
		u32 len = p->len;

		packet_list_del(&q->waiting, p);
		if (d->ops->xmit(d, p, queue, !last && !packet_list_empty(&q->waiting)) ==
		    NETDEV_XMIT_BUSY) {
			list_add(&p->list, &q->waiting.head);
			q->waiting.nr++;
			q->waiting.bytes += p->truesize;
			return false;
		}
		count_sent(d, len);
		if (last)
			return true;
	}
	return false;
}

/* The queue's lock is held, and let go between the parts: none waits that the driver would take. */
static void run_queue(struct netdev *d, u16 queue) __must_hold(&d -> tx[queue].lock)
{
	struct netdev_tx_queue *q = &d->tx[queue];

	while (run_some(d, queue)) {
		spin_unlock(&q->lock);
		spin_lock(&q->lock);
	}
}

/* How many packets may wait for the driver. */
static u32 queue_limit(const struct netdev *d)
{
	return READ_ONCE(d->qdisc_handle) ? READ_ONCE(d->qdisc_limit) :
					    max(READ_ONCE(d->tx_queue_len), 1u);
}

static int queue_xmit(struct packet *p, struct netdev *d)
{
	u16 queue = choose_queue(d);
	struct netdev_tx_queue *q = &d->tx[queue];
	u32 len = p->len;
	int err = 0;

	p->queue = queue;
	spin_lock(&q->lock);
	if (!q->stopped && packet_list_empty(&q->waiting) &&
	    d->ops->xmit(d, p, queue, false) == NETDEV_XMIT_OK) {
		count_sent(d, len);
	} else if (q->waiting.nr < queue_limit(d)) {
		packet_list_add(&q->waiting, p);
		run_queue(d, queue);
	} else {
		err = -ENOBUFS;
	}
	spin_unlock(&q->lock);
	return err ? drop(p, d, DROP_TX, err) : 0;
}

/* P is as the device takes it, but for its sum. */
static inline int xmit_one(struct packet *p, struct netdev *d)
{
	u32 len = p->len;

	if (unlikely(!prepare(p, d)))
		return drop(p, d, DROP_BAD_HEADER, -EINVAL);
	if (unlikely(READ_ONCE(d->qdisc_handle)) && !READ_ONCE(d->qdisc_limit))
		return drop(p, d, DROP_TX, -ENOBUFS);	/* its queue has room for none */
	if (unlikely(netdev_has_taps(d)))
		netdev_tap_sent(p, d);
	if (!(d->features & NETDEV_F_NO_QUEUE))
		return queue_xmit(p, d);
	if (d->ops->xmit(d, p, 0, false) == NETDEV_XMIT_BUSY)
		return drop(p, d, DROP_TX, -ENOBUFS);
	count_sent(d, len);
	return 0;
}

/* P's segments, GSO_SEGMENTS_MOST at most, one by one. */
static noinline int xmit_segments(struct packet *p, struct netdev *d)
{
	u32 nr = gso_segments(p);
	int err = 0;

	for (u32 i = 0; i < nr && !err; i++) {
		struct packet *q = gso_segment(p, i, GFP_ATOMIC);

		err = q ? xmit_one(q, d) : -ENOMEM;
	}
	if (err == -ENOMEM)
		return drop(p, d, DROP_NOMEM, err);
	packet_consume(p);
	return err;
}

int dev_queue_xmit(struct packet *p)
{
	struct netdev *d = p->dev;

	if (unlikely(!(READ_ONCE(d->flags) & IFF_UP)))
		return drop(p, d, DROP_DEV_DOWN, -ENETDOWN);
	if (unlikely(p->gso_size) && !gso_device_takes(p, d))
		return xmit_segments(p, d);
	return xmit_one(p, d);
}
EXPORT(dev_queue_xmit);

void netdev_stop_queue(struct netdev *d, u16 queue)
{
	lockdep_assert_held(&d->tx[queue].lock);
	WRITE_ONCE(d->tx[queue].stopped, true);
}

void netdev_wake_queue(struct netdev *d, u16 queue)
{
	struct netdev_tx_queue *q = &d->tx[queue];

	if (!READ_ONCE(q->stopped))
		return;
	spin_lock(&q->lock);
	q->stopped = false;
	run_queue(d, queue);
	spin_unlock(&q->lock);
}

static void purge_from(struct netdev *d, u16 first)
{
	for (u16 i = first; i < d->nr_tx; i++) {
		struct netdev_tx_queue *q = &d->tx[i];
		struct packet_list gone;

		spin_lock(&q->lock);
		packet_list_move(&gone, &q->waiting);
		q->stopped = false;
		spin_unlock(&q->lock);
		packet_list_free(&gone, DROP_DEV_DOWN);
	}
}

void netdev_tx_purge(struct netdev *d)
{
	purge_from(d, 0);
}

int netdev_set_channels(struct netdev *d, u16 n)
{
	u16 old = d->real_tx;
	int err;

	rtnl_assert();
	if (!d->ops->set_channels)
		return -EOPNOTSUPP;
	if (!n || n > d->nr_tx || n > d->nr_rx)
		return -EINVAL;
	if (n < old) {
		WRITE_ONCE(d->real_tx, n);
		synchronize_rcu();	/* every xmit() that chose another has returned */
		purge_from(d, n);
	}
	err = d->ops->set_channels(d, n);
	WRITE_ONCE(d->real_tx, err ? old : n);
	if (!err)
		WRITE_ONCE(d->real_rx, n);
	return err;
}
