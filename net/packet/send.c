// SPDX-License-Identifier: MIT
/*
 * Sending by a packet socket: SOCK_RAW's message begins with the link header, SOCK_DGRAM's gets one
 * to the address that is given. Nothing else is looked at: no route, no neighbour.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <kernel/rcu.h>
#include <net/gso.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/packet/psock.h"
#include "net/wire/eth.h"

#define VLAN_TAG 4
#define ETH_P_VLAN 0x8100

/* Where a message goes. */
struct target {
	struct netdev *dev;		/* referenced */
	be16 protocol;
	const u8 *addr;			/* NULL: none was given */
};

/* 0, -EINVAL, -ENXIO, -ENETDOWN. On success T's device is referenced. */
static int find_target(const struct packet_sock *k, const struct sock_msg *m, struct target *t)
{
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)&m->addr;
	const int addr_at = (int)offsetof(struct sockaddr_ll, sll_addr);
	int index = READ_ONCE(k->ifindex), err = 0;

	*t = (struct target){ .protocol = { READ_ONCE(k->num.v) } };
	if (m->addr_len) {
		if (m->addr_len < (int)sizeof(*ll) || m->addr_len < addr_at + ll->sll_halen)
			return -EINVAL;
		t->protocol.v = ll->sll_protocol;
		index = ll->sll_ifindex;
		t->addr = ll->sll_addr;
	}
	rcu_read_lock();
	t->dev = index > 0 ? netdev_by_index(k->sk.net, index) : NULL;
	if (!t->dev)
		err = -ENXIO;
	else if (t->addr && k->sk.type == SOCK_DGRAM && m->addr_len < addr_at + t->dev->addr_len)
		err = -EINVAL;
	else if (!(READ_ONCE(t->dev->flags) & IFF_UP))
		err = -ENETDOWN;
	if (!err)
		netdev_get(t->dev);
	rcu_read_unlock();
	return err;
}

/* The program made the link header. IS_SUPER: P is for segments. 0, -EINVAL, -EMSGSIZE. */
static int take_header(struct packet *p, const struct target *t, bool is_super)
{
	u16 n = t->dev->hard_header_len;
	bool vlan;

	p->protocol = t->protocol;
	if (!n) {
		packet_set_net(p);
		return p->len ? 0 : -EINVAL;
	}
	if (p->len < n || !packet_need(p, n))
		return -EINVAL;
	packet_set_mac(p);
	p->net_at = (u16)(p->data + n);
	if (n != ETH_HEADER)
		return 0;
	vlan = be16_get(((struct eth_wire *)packet_data(p))->type) == ETH_P_VLAN;
	if (!is_super && p->len > READ_ONCE(t->dev->mtu) + n + (vlan ? VLAN_TAG : 0))
		return -EMSGSIZE;
	if (!p->protocol.v || be16_get(p->protocol) == ETH_P_ALL)
		p->protocol = eth_protocol(packet_data(p), p->linear);
	return 0;
}

/* 0, -EINVAL, -ENOMEM. */
static int make_header(struct packet *p, const struct target *t)
{
	if (t->dev->hard_header_len && !t->addr && !(t->dev->flags & (IFF_LOOPBACK | IFF_NOARP)))
		return -EINVAL;
	packet_set_net(p);
	return dev_hard_header(p, t->dev, be16_get(t->protocol), t->addr, NULL);
}

/* Consumes P. */
static int pass_on(struct packet *p, const struct target *t)
{
	int err;

	p->dev = t->dev;
	rcu_read_lock();
	err = dev_queue_xmit(p);
	rcu_read_unlock();
	return err;
}

/* P is more segments than go through the machine as one. Consumes it. */
static int pass_segments(struct packet *p, const struct target *t)
{
	u32 nr = gso_segments(p);
	int err = 0;

	for (u32 i = 0; i < nr && !err; i++) {
		struct packet *q = gso_segment(p, i, GFP_KERNEL);

		err = q ? pass_on(q, t) : -ENOBUFS;
		if (i % NET_BATCH == NET_BATCH - 1)
			net_ctx_flush();
	}
	packet_consume(p);
	return err;
}

/* Consumes P. */
static int transmit(struct packet_sock *k, struct packet *p, const struct target *t,
		    const struct vnet_wire *h)
{
	struct net_ctx ctx;
	int err = k->sk.type == SOCK_RAW ? take_header(p, t, h->gso_type) : make_header(p, t);

	if (!err)
		err = gso_heed_vnet(p, h, t->dev->hard_header_len);
	if (err) {
		packet_consume(p);
		return err;
	}
	net_ctx_begin(&ctx);
	err = p->gso_segs > GSO_SEGMENTS_MOST ? pass_segments(p, t) : pass_on(p, t);
	net_ctx_end(&ctx);
	return err;
}

/* Bytes of the longest message to T with H before it. */
static size_t longest(const struct packet_sock *k, const struct target *t,
		      const struct vnet_wire *h)
{
	size_t most = READ_ONCE(t->dev->mtu);

	if (h->gso_type)
		return U16_MAX + (size_t)t->dev->hard_header_len;
	if (k->sk.type == SOCK_RAW)
		most += t->dev->hard_header_len;
	if (k->sk.type == SOCK_RAW || be16_get(t->protocol) == ETH_P_VLAN)
		most += VLAN_TAG;	/* take_header() looks closer */
	return most;
}

ssize_t packet_sendmsg(struct socket *sock, struct sock_msg *m)
{
	struct packet_sock *k = packet_sk(sock->sk);
	struct sock_tx tx = { .mark = k->sk.mark, .priority = k->sk.priority };
	size_t total = iter_count(m->iter), len;
	struct vnet_wire h;
	struct target t;
	struct packet *p;
	ssize_t err = find_target(k, m, &t);

	if (err)
		return err;
	err = sock_send_cmsgs(&k->sk, m, &tx);
	if (!err)
		err = min(packet_vnet_read(k, m->iter, &h), 0);
	len = iter_count(m->iter);
	if (!err && len > longest(k, &t, &h))
		err = -EMSGSIZE;
	if (!err) {
		p = sock_packet_from(&k->sk, m, (u32)len);
		err = PTR_ERR_OR_ZERO(p);
	}
	if (!err) {
		p->mark = tx.mark;
		p->priority = tx.priority;
		err = transmit(k, p, &t, &h);
	}
	netdev_put(t.dev);
	return err ?: (ssize_t)total;
}
