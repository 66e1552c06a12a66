// SPDX-License-Identifier: MIT
/* C for rust/net.rs: see <rust/helpers_net.h>. */
#include <lib/types.h>
#include <rust/helpers_net.h>

#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <mm/folio.h>
#include <net/netns.h>
#include <abi/errno.h>

/* bytes of a long packet that are copied: link, IP and TCP headers with options */
#define COPIED_HEADERS 128

static struct rust_netdev *priv(const struct netdev *d)
{
	return d->priv;
}

void *rust_netdev_driver(const struct netdev *d)
{
	return priv(d)->driver;
}

struct netdev *rust_poll_dev(const struct net_poll *q)
{
	return q->dev;
}

struct netdev *rust_netdev_alloc(const char *pattern, const struct netdev_ops *ops, void *driver)
{
	struct netdev *d = netdev_alloc(sizeof(struct rust_netdev), pattern, 1, 1, ops);

	if (!d)
		return NULL;
	ether_setup(d);
	d->carrier = false;
	priv(d)->driver = driver;
	net_poll_prepare(&priv(d)->poll);
	return d;
}

int rust_netdev_register(struct netdev *d, const struct net_poll_ops *ops)
{
	int e;

	rtnl_lock();
	e = netdev_register(d, &init_net);
	if (!e) {
		e = net_poll_add(d, &priv(d)->poll, ops, 0);
		if (e) {
			netdev_get(d);
			netdev_unregister(d);
		}
	}
	rtnl_unlock();
	return e;
}

void rust_netdev_unregister(struct netdev *d)
{
	rtnl_lock();
	netdev_get(d);		/* its poller goes after the device has closed */
	netdev_unregister(d);
	net_poll_del(&priv(d)->poll);
	rtnl_unlock();
	netdev_put(d);
}

/*
 * Within a section: the poller's thread does not end before it has seen the queue off
 * (net_poll_disable()).
 */
void rust_netdev_schedule(struct netdev *d)
{
	rcu_read_lock();
	net_poll_schedule(&priv(d)->poll);
	rcu_read_unlock();
}

void rust_netdev_poll_on(struct netdev *d)
{
	net_poll_enable(&priv(d)->poll);
}

void rust_netdev_poll_off(struct netdev *d)
{
	net_poll_disable(&priv(d)->poll);
}

void rust_netdev_setup(struct netdev *d, const char *driver, const u8 *mac, u32 mtu, u32 max_mtu,
		       u32 features)
{
	d->driver_name = driver;
	if (mac) {
		memcpy(d->addr, mac, ETH_ALEN);
	} else {
		get_random_bytes(d->addr, ETH_ALEN);
		d->addr[0] = (u8)((d->addr[0] & 0xfe) | 2); /* one station's, given by its user */
	}
	d->mtu = mtu;
	d->max_mtu = max_mtu;
	d->features = d->hw_features = features;
}

/* ---- received ---- */

/* Each CPU hands out the buffers of a page one after the other. */
struct rx_share {
	struct page *page;
	u32 used;
};
static DEFINE_PER_CPU(struct rx_share, rx_share);

struct page *rust_rx_alloc(u32 *off, u64 *phys)
{
	struct rx_share *s;
	struct page *page;

	preempt_disable();
	s = this_cpu_ptr(&rx_share);
	if (!s->page) {
		s->page = alloc_page(GFP_ATOMIC | __GFP_NOWARN);
		s->used = 0;
	}
	page = s->page;
	if (page) {
		*off = s->used;
		*phys = page_to_phys(page) + s->used;
		s->used += RUST_RX_BUFFER;
		if (s->used + RUST_RX_BUFFER > PAGE_SIZE)
			s->page = NULL;		/* the last buffer takes the share's reference */
		else
			get_page(page);
	}
	preempt_enable();
	return page;
}

void rust_rx_free(struct page *page)
{
	put_page(page);
}

static u8 *at(const struct page *page, u32 off)
{
	return (u8 *)page_address(page) + off;
}

void rust_rx_read(const struct page *page, u32 off, void *to, u32 len)
{
	memcpy(to, at(page, off), len);
}

struct packet *rust_rx_packet(struct page *page, u32 off, u32 len)
{
	struct packet *p = packet_alloc(GFP_ATOMIC);
	u32 here;

	if (!p) {
		put_page(page);
		return NULL;
	}
	here = len <= packet_tailroom(p) ? len : min_t(u32, len, COPIED_HEADERS);
	memcpy(packet_put(p, (u16)here), at(page, off), here);
	if (here == len)
		put_page(page);
	else
		WARN_ON(!packet_add_piece(p, page, off + here, len - here, RUST_RX_BUFFER));
	return p;
}

bool rust_rx_add(struct packet *p, struct page *page, u32 off, u32 len)
{
	if (packet_add_piece(p, page, off, len, RUST_RX_BUFFER))
		return true;
	put_page(page);
	return false;
}

bool rust_rx_partial(struct packet *p, u16 start, u16 off)
{
	if ((u32)start + off + sizeof(u16) > p->len ||
	    !packet_need(p, (u16)(start + off + sizeof(u16))))
		return false;
	p->csum_state = PACKET_CSUM_PARTIAL;
	p->csum_start = (u16)(p->data + start);
	p->csum_off = off;
	return true;
}

void rust_rx_deliver(struct netdev *d, struct packet *p)
{
	p->napi_id = priv(d)->poll.napi_id;
	eth_type_trans(p, d);
	netdev_receive(p);
}

/* ---- sent ---- */

bool rust_packet_segment(const struct packet *p, u32 i, u64 *addr, u32 *len)
{
	const struct packet_piece *f;

	if (!i) {
		*addr = virt_to_phys(p->buf + p->data);
		*len = p->linear;
		return true;
	}
	if (i > p->nr_pieces)
		return false;
	f = &p->pieces[i - 1];
	*addr = page_to_phys(f->page) + f->off;
	*len = f->len;
	return true;
}
