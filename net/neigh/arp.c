// SPDX-License-Identifier: MIT
/* ARP (RFC 826; RFC 5227 for announcements): IPv4's neighbours on links with addresses. */
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/neigh/neigh.h"
#include "net/route/fib4_priv.h"
#include "net/route/in_device.h"
#include "net/route/route4.h"
#include "net/wire/arp.h"
#include "net/wire/ip4.h"

static void arp_xmit(struct netdev *d, const struct arp_packet *a, const u8 *to)
{
	struct packet *p = packet_alloc(GFP_ATOMIC);

	if (!p)
		return;
	arp_encode(packet_put(p, ARP_LEN), a);
	packet_set_net(p);
	p->dev = d;
	if (dev_hard_header(p, d, ETH_P_ARP, to, NULL))
		packet_free(p, DROP_NOMEM);
	else
		dev_queue_xmit(p);
}

/* D has the address A, with TARGET in the same prefix. */
static bool on_link(const struct in_device *in, be32 a, be32 target)
{
	const struct in_addr4 *i;

	list_for_each_entry_rcu(i, &in->addrs, list)
		if (i->local.v == a.v && !((i->local.v ^ target.v) & ip4_mask(i->bits).v))
			return true;
	return false;
}

/*
 * The address that a question has as sender: that of the packet that waits, if it is ours
 * (arp_announce 0) and the target is in its prefix (1), else one of the link (2).
 */
static be32 question_source(struct netdev *d, be32 target, const struct packet *p)
{
	const struct in_device *in = in_dev(d);
	be32 src = {};
	int announce = in ? in_conf_max(in, arp_announce) : 2;

	if (p && p->net_at != PACKET_NO_HEADER)
		src = ((const struct ip4_wire *)(p->buf + p->net_at))->src;
	if (src.v && (announce == 0 ? route4_addr_type(d->net, src, NULL) == RTN_LOCAL :
				      announce == 1 && on_link(in, src, target)))
		return src;
	return in_select_source(d, target, RT_SCOPE_LINK);
}

static void arp_solicit(struct neigh *n, const u8 *dst, struct packet *p)
{
	struct arp_packet a = { .op = ARP_REQUEST, .target_ip = { n->key[0] } };

	a.sender_ip = question_source(n->dev, a.target_ip, p);
	memcpy(a.sender_hw, n->dev->addr, ETH_ADDR);
	if (dst)
		memcpy(a.target_hw, dst, ETH_ADDR);
	arp_xmit(n->dev, &a, dst ?: n->dev->broadcast);
}

/* net/ip4 says it in ICMP's words. */
static void (*tell_unreachable)(struct packet *p);

void arp_set_unreachable(void (*fn)(struct packet *p))
{
	tell_unreachable = fn;
}

static void arp_give_up(struct packet *p)
{
	if (tell_unreachable)
		tell_unreachable(p);
	packet_free(p, DROP_NEIGH);
}

static bool arp_fixed(struct netdev *d, const u32 *key, u8 *hw, u8 *state)
{
	be32 a = { key[0] };
	u32 group = ip4_host(a) & 0x7fffff;

	if (!d->hard_header_len || d->flags & (IFF_NOARP | IFF_LOOPBACK)) {
		*state = NUD_NOARP;
		return true;
	}
	if (ip4_is_multicast(a)) {
		const u8 mac[ETH_ADDR] = { 1,	     0, 0x5e, (u8)(group >> 16), (u8)(group >> 8),
					   (u8)group };

		memcpy(hw, mac, ETH_ADDR);
		*state = NUD_NOARP;
		return true;
	}
	if (ip4_is_broadcast(a) || route4_addr_type(d->net, a, d) == RTN_BROADCAST) {
		memcpy(hw, d->broadcast, ETH_ADDR);
		*state = NUD_NOARP;
		return true;
	}
	return false;
}

static const struct neigh_family arp_family = {
	.family = 2 /* AF_INET */,
	.key_words = 1,
	.solicit = arp_solicit,
	.give_up = arp_give_up,
	.fixed = arp_fixed,
};

int arp_send(struct net *net, struct packet *p, struct netdev *d, be32 next)
{
	u32 key = next.v;

	if (!d->hard_header_len || d->flags & IFF_LOOPBACK) {
		p->dev = d;
		if (dev_hard_header(p, d, be16_get(p->protocol), d->addr, NULL)) {
			packet_free(p, DROP_NOMEM);
			return -ENOMEM;
		}
		return dev_queue_xmit(p);
	}
	return neigh_send(arp_table(net), d, &key, p);
}

void arp_announce(struct netdev *d, be32 addr)
{
	struct arp_packet a = { .op = ARP_REQUEST, .sender_ip = addr, .target_ip = addr };

	if (d->flags & (IFF_NOARP | IFF_LOOPBACK) || !(d->flags & IFF_UP) ||
	    d->type != ARPHRD_ETHER)
		return;
	memcpy(a.sender_hw, d->addr, ETH_ADDR);
	rcu_read_lock();
	arp_xmit(d, &a, d->broadcast);
	rcu_read_unlock();
}

/* ---- receiving ---- */

/* TARGET is an address of NET's that is good beyond this machine. */
static bool has_wide(struct net *net, be32 target)
{
	struct fib4_route *r =
		fib4_find(rcu_dereference(net->fib4->local), target, 0, 0, RT_SCOPE_UNIVERSE);
	const struct in_device *in = r && r->dev ? in_dev(r->dev) : NULL;
	const struct in_addr4 *i;

	if (!in)
		return false;
	list_for_each_entry_rcu(i, &in->addrs, list)
		if (i->local.v == target.v)
			return i->scope < RT_SCOPE_HOST;
	return false;
}

/* Do we answer SENDER for TARGET on D? arp_ignore of ip-sysctl. */
static bool we_answer(struct netdev *d, const struct in_device *in, be32 target, be32 sender)
{
	if (ip4_is_loopback(target) || route4_addr_type(d->net, target, NULL) != RTN_LOCAL)
		return false;
	switch (in_conf_max(in, arp_ignore)) {
	case 1:
		return route4_addr_type(d->net, target, d) == RTN_LOCAL;
	case 2:
		return on_link(in, target, sender);
	case 3:
		return has_wide(d->net, target);
	case 8:
		return false;
	default:
		return true;
	}
}

static void answer(struct netdev *d, const struct arp_packet *q)
{
	struct arp_packet a = { .op = ARP_REPLY,
				.sender_ip = q->target_ip,
				.target_ip = q->sender_ip };

	memcpy(a.sender_hw, d->addr, ETH_ADDR);
	memcpy(a.target_hw, q->sender_hw, ETH_ADDR);
	arp_xmit(d, &a, q->sender_hw);
}

/* What A says of its sender; made an entry of only if it was for us. */
static void learn(struct net *net, struct netdev *d, const struct arp_packet *a, bool for_us,
		  bool unicast)
{
	struct neigh_table *t = arp_table(net);
	bool reply = a->op == ARP_REPLY;
	u32 key = a->sender_ip.v;
	struct neigh *n;

	if (for_us) {
		n = neigh_get(t, d, &key);
		if (IS_ERR(n))
			return;
	} else {
		n = neigh_find(t, d, &key);
		if (!n || !refcount_inc_not_zero(&n->refs))
			return;
	}
	neigh_update(n, a->sender_hw, reply && unicast ? NUD_REACHABLE : NUD_STALE, NEIGH_OVERRIDE);
	neigh_put(n);
}

static void arp_process(struct net *net, struct netdev *d, const struct in_device *in,
			const struct arp_packet *a, u8 pkt_type)
{
	bool ours;

	if (ip4_is_multicast(a->target_ip) || ip4_is_loopback(a->target_ip) ||
	    !eth_is_station(a->sender_hw))
		return;
	ours = we_answer(d, in, a->target_ip, a->sender_ip);
	/* A probe for a double of an address (RFC 5227). */
	if (!a->sender_ip.v) {
		if (a->op == ARP_REQUEST && ours)
			answer(d, a);
		return;
	}
	if (route4_addr_type(net, a->sender_ip, NULL) != RTN_UNICAST)
		return;
	learn(net, d, a, ours && a->op == ARP_REQUEST, pkt_type == PACKET_HOST);
	if (a->op == ARP_REQUEST && ours)
		answer(d, a);
}

static void arp_receive(struct packet *p, struct netdev *d, struct packet_type *t)
{
	const struct in_device *in = in_dev(d);
	struct arp_packet a;

	if (in && p->pkt_type != PACKET_OTHERHOST && p->pkt_type != PACKET_LOOPBACK &&
	    !(d->flags & IFF_NOARP) && packet_need(p, ARP_LEN) &&
	    !arp_decode(&a, packet_data(p), p->linear) &&
	    (a.op == ARP_REQUEST || a.op == ARP_REPLY))
		arp_process(d->net, d, in, &a, p->pkt_type);
	packet_consume(p);
}

static struct packet_type arp_type = { .receive = arp_receive };

static int arp_event(struct netdev *d, enum netdev_event e)
{
	struct net *net = d->net;

	switch (e) {
	case NETDEV_DOWN:
	case NETDEV_CHANGEADDR:
		neigh_dev_down(arp_table(net), d, e == NETDEV_CHANGEADDR);
		break;
	case NETDEV_UNREGISTER:
		neigh_dev_down(arp_table(net), d, false);
		break;
	default:
		break;
	}
	return 0;
}

static struct netdev_listener arp_listener = { .event = arp_event };

/* IPv6's: its functions are net/ip6's. */
static struct neigh_family nd_family = { .family = 10 /* AF_INET6 */, .key_words = 4 };

void nd_set_functions(void (*solicit)(struct neigh *n, const u8 *dst, struct packet *p),
		      void (*give_up)(struct packet *p),
		      bool (*fixed)(struct netdev *d, const u32 *key, u8 *hw, u8 *state))
{
	nd_family.solicit = solicit;
	nd_family.give_up = give_up;
	nd_family.fixed = fixed;
}

static int arp_begin(struct net *net)
{
	int err;

	net->neigh = kzalloc(sizeof(*net->neigh), GFP_KERNEL_ACCOUNT);
	if (!net->neigh)
		return -ENOMEM;
	err = neigh_table_begin(&net->neigh->arp, net, &arp_family);
	if (!err) {
		err = neigh_table_begin(&net->neigh->nd, net, &nd_family);
		if (err)
			neigh_table_end(&net->neigh->arp);
	}
	if (err) {
		kfree(net->neigh);
		net->neigh = NULL;
	}
	return err;
}

static void arp_end(struct net *net)
{
	struct neigh_net *n = net->neigh;

	neigh_table_end(&n->nd);
	neigh_table_end(&n->arp);
	synchronize_rcu();
	net->neigh = NULL;
	kfree(n);
}

static struct net_ops arp_ops = { .init = arp_begin, .end = arp_end };

static int arp_init(void)
{
	int err = net_register_ops(&arp_ops);

	if (err)
		return err;
	netdev_listen(&arp_listener);
	arp_type.protocol = be16_make(ETH_P_ARP);
	packet_type_add(&arp_type);
	return 0;
}
INITCALL(fs, arp_init);
