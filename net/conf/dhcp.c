// SPDX-License-Identifier: MIT
/*
 * The DHCP client behind ip=dhcp (RFC 2131): an address for one device before the first program
 * runs. It asks for an offer, requests it, and takes the first acknowledgement; a lease is not
 * renewed, as Linux does not renew one either: that is a program's part.
 *
 * Messages go out as frames and answers come by a tap, since the device has no address yet. The tap
 * decodes into a client under its lock; whoever waits takes it from there. There are TRIES messages
 * at most, and the waits for answers sum up to 23 s.
 *
 * Locks: client.lock, innermost.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <mm/iter.h>
#include <sched/wait.h>
#include <abi/errno.h>
#include "net/conf/dhcp.h"
#include "net/dev/if_flags.h"
#include "net/ip4/addr.h"
#include "net/wire/ip4.h"

#define TRIES 5
#define LONGEST_WAIT (8 * HZ)
#define ANSWER_MOST 1500

struct client {
	struct packet_type tap;
	spinlock_t lock;
	wait_queue_head_t wait;
	struct dhcp_query query;	/* lock: what was sent last */
	struct dhcp_reply got;		/* lock */
	bool has;			/* lock to change: an answer to query is in got */
	u8 buf[ANSWER_MOST];		/* lock */
};

/* R answers Q. */
static bool answers(const struct dhcp_reply *r, const struct dhcp_query *q)
{
	if (r->xid != q->xid || memcmp(r->hw, q->hw, sizeof(r->hw)))
		return false;
	if (q->type == DHCP_DISCOVER)
		return r->type == DHCP_OFFER && r->server.v && r->address.v;
	return (r->type == DHCP_ACK || r->type == DHCP_NAK) && r->server.v == q->server.v;
}

static void look(struct packet *p, struct netdev *d, struct packet_type *t)
{
	struct client *c = container_of(t, struct client, tap);
	bool check = p->csum_state != PACKET_CSUM_VERIFIED && p->csum_state != PACKET_CSUM_PARTIAL;
	u32 n = min_t(u32, p->len, ANSWER_MOST);
	bool wake = false;

	spin_lock(&c->lock);
	if (!c->has && packet_read(p, 0, c->buf, n) && dhcp_decode(&c->got, c->buf, n, check) &&
	    answers(&c->got, &c->query)) {
		WRITE_ONCE(c->has, true);
		wake = true;
	}
	spin_unlock(&c->lock);
	if (wake)
		wake_up(&c->wait);
}

static int send(struct netdev *d, const struct dhcp_query *q)
{
	u8 message[DHCP_REQUEST_LEN];
	struct kvec v = { message, sizeof(message) };
	struct packet *p = packet_alloc(GFP_KERNEL);
	struct net_ctx ctx;
	struct iter it;
	int err;

	if (!p)
		return -ENOMEM;
	dhcp_encode(message, q);
	iter_init_kvec(&it, ITER_SOURCE, &v, 1, v.iov_len);
	err = packet_from_iter(p, &it, sizeof(message), GFP_KERNEL);
	if (!err) {
		packet_set_net(p);
		p->dev = d;
		err = dev_hard_header(p, d, ETH_P_IP, d->broadcast, NULL);
	}
	if (err) {
		packet_consume(p);
		return err;
	}
	net_ctx_begin(&ctx);
	rcu_read_lock();
	err = dev_queue_xmit(p);
	rcu_read_unlock();
	net_ctx_end(&ctx);
	return err;
}

/* Sends Q and waits for its answer: 0, -ETIMEDOUT, or why it was not sent. */
static int ask(struct client *c, struct netdev *d, const struct dhcp_query *q, long wait,
	       struct dhcp_reply *r)
{
	int err;

	spin_lock(&c->lock);
	c->query = *q;
	WRITE_ONCE(c->has, false);
	spin_unlock(&c->lock);
	err = send(d, q);
	if (err)
		return err;
	wait_event_timeout(c->wait, READ_ONCE(c->has), wait);
	spin_lock(&c->lock);
	err = c->has ? 0 : -ETIMEDOUT;
	*r = c->got;
	spin_unlock(&c->lock);
	return err;
}

static bool is_usable(const struct dhcp_reply *r)
{
	u32 first = ip4_host(r->address) >> 24;

	return first && first != 127 && first < 224;
}

/* What C has to say after R, which answered Q. */
static void go_on(struct dhcp_query *q, const struct dhcp_reply *r)
{
	if (q->type == DHCP_DISCOVER) {
		q->type = DHCP_REQUEST;
		q->wanted = r->address;
		q->server = r->server;
	} else {			/* refused */
		q->type = DHCP_DISCOVER;
		q->xid = get_random_u32();
	}
}

static int lease(struct client *c, struct netdev *d, struct dhcp_reply *r)
{
	struct dhcp_query q = { .type = DHCP_DISCOVER, .xid = get_random_u32() };
	u64 began = ktime_get_ns();
	long wait = HZ;
	int err = -ETIMEDOUT, sent = 0;

	memcpy(q.hw, d->addr, sizeof(q.hw));
	while (sent < TRIES) {
		q.secs = (u16)min_t(u64, (ktime_get_ns() - began) / NSEC_PER_SEC, U16_MAX);
		err = ask(c, d, &q, wait, r);
		sent++;
		if (!err && r->type == DHCP_ACK)
			return is_usable(r) ? 0 : -EADDRNOTAVAIL;
		if (!err) {
			sent -= q.type == DHCP_DISCOVER;	/* its request is of the same try */
			go_on(&q, r);
			err = -ECONNREFUSED;
			continue;
		}
		q.type = DHCP_DISCOVER;		/* another server may be quicker */
		wait = min_t(long, wait * 2, LONGEST_WAIT);
	}
	return err;
}

int conf_dhcp(struct netdev *d, struct dhcp_reply *r)
{
	struct client *c;
	int err;

	if (d->type != ARPHRD_ETHER)
		return -EOPNOTSUPP;
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	spin_lock_init(&c->lock);
	init_waitqueue_head(&c->wait);
	c->tap = (struct packet_type){
		.protocol = be16_make(ETH_P_IP), .dev = d, .net = d->net, .look = look
	};
	packet_type_add(&c->tap);
	err = lease(c, d, r);
	packet_type_del(&c->tap);
	synchronize_rcu();
	kfree(c);
	return err;
}
