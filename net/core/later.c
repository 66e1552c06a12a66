// SPDX-License-Identifier: MIT
/* A packet that its socket gets behind the section that it is received in (struct net_rest). */
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <net/netdev.h>
#include <net/sock.h>

struct later {
	struct net_rest rest;
	struct sock *sk;		/* referenced */
	struct packet *p;
	struct netdev *dev;		/* referenced; NULL */
	void (*give)(struct sock *sk, struct packet *p);
};

static bool step(struct net_rest *r)
{
	struct later *l = container_of(r, struct later, rest);

	l->give(l->sk, l->p);
	sock_put(l->sk);
	if (l->dev)
		netdev_put(l->dev);
	kfree(l);
	return false;
}

void sock_later(struct sock *sk, struct packet *p, void (*give)(struct sock *sk, struct packet *p))
{
	struct later *l = kmalloc(sizeof(*l), GFP_ATOMIC);

	if (!l || !sock_get(sk)) {
		kfree(l);
		atomic_inc(&sk->drops);
		packet_free(p, DROP_NOMEM);
		return;
	}
	*l = (struct later){ .sk = sk, .p = p, .dev = p->dev, .give = give, .rest.step = step };
	if (l->dev)
		netdev_get(l->dev);
	net_rest_add(&l->rest);
}
