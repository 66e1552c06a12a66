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
#include <net/gso.h>
#include <net/netns.h>
#include <rust/helpers.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/wire/ip4.h"
#include "net/wire/ip6.h"
#include "net/wire/tcp.h"
#include "net/wire/vnet.h"

/* bytes of a long packet that are looked at for headers; copied, where it is not TCP's */
#define COPIED_HEADERS 128
#define TCP_PROTOCOL 6

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

u16 rust_poll_index(const struct net_poll *q)
{
	return (u16)(q - priv(q->dev)->polls);
}

struct netdev *rust_netdev_alloc(const char *pattern, const struct netdev_ops *ops, void *driver,
				 u16 queues, u16 active)
{
	size_t size = sizeof(struct rust_netdev) + queues * sizeof(struct net_poll);
	struct netdev *d = netdev_alloc(size, pattern, queues, queues, ops);

	if (!d)
		return NULL;
	ether_setup(d);
	d->carrier = false;
	d->real_tx = d->real_rx = active;
	priv(d)->driver = driver;
	for (u16 i = 0; i < queues; i++)
		net_poll_prepare(&priv(d)->polls[i]);
	return d;
}

/* A poller for each pair, on the CPU where its interrupt comes. */
static int add_polls(struct netdev *d, const struct net_poll_ops *ops)
{
	for (u16 i = 0; i < d->nr_rx; i++) {
		int e = net_poll_add(d, &priv(d)->polls[i], ops, (int)rust_nth_cpu(i));

		if (!e)
			continue;
		while (i--)
			net_poll_del(&priv(d)->polls[i]);
		return e;
	}
	return 0;
}

int rust_netdev_register(struct netdev *d, const struct net_poll_ops *ops, struct show_node *parent)
{
	int e = parent ? netdev_set_parent(d, parent) : 0;

	if (e)
		return e;
	rtnl_lock();
	e = netdev_register(d, &init_net);
	if (!e) {
		e = add_polls(d, ops);
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
	netdev_get(d);		/* its pollers go after the device has closed */
	netdev_unregister(d);
	for (u16 i = 0; i < d->nr_rx; i++)
		net_poll_del(&priv(d)->polls[i]);
	rtnl_unlock();
	netdev_put(d);
}

/*
 * Within a section: the poller's thread does not end before it has seen the queue off
 * (net_poll_disable()).
 */
void rust_netdev_schedule(struct netdev *d, u16 i)
{
	if (i >= d->nr_rx)
		return;
	rcu_read_lock();
	net_poll_schedule(&priv(d)->polls[i]);
	rcu_read_unlock();
}

void rust_netdev_wake(struct netdev *d, u16 i)
{
	if (i < d->nr_tx)
		netdev_wake_queue(d, i);
}

void rust_netdev_stop(struct netdev *d, u16 i)
{
	if (i < d->nr_tx)
		netdev_stop_queue(d, i);
}

void rust_netdev_poll_on(struct netdev *d)
{
	for (u16 i = 0; i < d->nr_rx; i++)
		net_poll_enable(&priv(d)->polls[i]);
}

void rust_netdev_poll_off(struct netdev *d)
{
	for (u16 i = 0; i < d->nr_rx; i++)
		net_poll_disable(&priv(d)->polls[i]);
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
	d->features = d->hw_features = features | NETDEV_F_GRO;
}

void rust_netdev_mode(const struct netdev *d, bool *promiscuous, bool *all_groups)
{
	*promiscuous = d->flags & IFF_PROMISC;
	*all_groups = d->flags & IFF_ALLMULTI;
}

void rust_netdev_address(const struct netdev *d, u8 *to)
{
	memcpy(to, d->perm_addr, ETH_ALEN);
}

struct groups {
	u8 *to;
	u32 most, nr;
};

static void take_group(void *arg, const u8 *addr)
{
	struct groups *g = arg;

	if (g->nr++ < g->most)
		memcpy(g->to + (g->nr - 1) * ETH_ALEN, addr, ETH_ALEN);
}

u32 rust_netdev_groups(struct netdev *d, u8 *to, u32 most)
{
	struct groups g = { .to = to, .most = most };

	netdev_mc_each(d, take_group, &g);
	return g.nr;
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

/*
 * Of the LEN bytes at P, the beginning of a frame, the headers: what lies behind them can go from
 * packet to packet without a copy. LEN, if it is not known better.
 */
static u32 headers_of(const u8 *p, u32 len)
{
	const u8 *ip = p + ETH_HLEN;
	u32 at = ETH_HLEN;

	if (len < ETH_HLEN + IP6_HEADER + TCP_HEADER)
		return len;
	if (p[12] == 0x08 && !p[13] && ip[0] >> 4 == 4 && ip[9] == TCP_PROTOCOL)
		at += (ip[0] & 15u) * 4;
	else if (p[12] == 0x86 && p[13] == 0xdd && ip[6] == TCP_PROTOCOL)
		at += IP6_HEADER;
	else
		return len;
	if (at + TCP_HEADER > len)
		return len;
	at += (p[at + 12] >> 4) * 4u;
	return at < len && at > ETH_HLEN + IP4_HEADER ? at : len;
}

struct packet *rust_rx_packet(struct page *page, u32 off, u32 len)
{
	struct packet *p = packet_alloc(GFP_ATOMIC);
	u32 here, headers;

	if (!p) {
		put_page(page);
		return NULL;
	}
	here = len <= packet_tailroom(p) ? len : min_t(u32, len, COPIED_HEADERS);
	memcpy(packet_put(p, (u16)here), at(page, off), here);
	if (here < len) {
		headers = headers_of(packet_data(p), here);
		packet_trim(p, headers);
		here = headers;
	}
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
	/* Pages that do not lie one behind the other: many buffers do not fit as they are. */
	if (p->len + len <= RUST_RX_MOST && packet_compact(p, GFP_ATOMIC) &&
	    packet_add_piece(p, page, off, len, RUST_RX_BUFFER))
		return true;
	put_page(page);
	return false;
}

/* The header is little-endian. */
static struct vnet_wire from_le(struct vnet_wire h)
{
	h.hdr_len = le16_raw(h.hdr_len);
	h.gso_size = le16_raw(h.gso_size);
	h.csum_start = le16_raw(h.csum_start);
	h.csum_off = le16_raw(h.csum_off);
	return h;
}

bool rust_rx_heed(struct packet *p, const void *header)
{
	struct vnet_wire h;

	memcpy(&h, header, sizeof(h));
	h = from_le(h);
	return !gso_heed_vnet(p, &h, ETH_HLEN);
}

static void deliver(struct net_poll *q, struct packet *p)
{
	p->napi_id = q->napi_id;
	eth_type_trans(p, q->dev);
	net_poll_receive(q, p);
}

void rust_rx_deliver(struct net_poll *poll, struct packet *p)
{
	u32 nr;

	if (likely(p->gso_segs <= GSO_SEGMENTS_MOST)) {
		deliver(poll, p);
		return;
	}
	nr = gso_segments(p);
	for (u32 i = 0; i < nr; i++) {
		struct packet *q = gso_segment(p, i, GFP_ATOMIC);

		if (!q)
			break;
		deliver(poll, q);
	}
	packet_consume(p);
}

void rust_rx_pretend(struct page *page, u32 off, const void *from, u32 len)
{
	memcpy(at(page, off), from, len);
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

void rust_packet_vnet(const struct packet *p, void *header)
{
	struct vnet_wire h;

	gso_tell_vnet(p, &h);
	h = from_le(h);
	memcpy(header, &h, sizeof(h));
}
