// SPDX-License-Identifier: MIT
/*
 * TCP over a loopback device that loses, repeats and reorders packets by seed: what is sent
 * arrives, once and in order, and both ends see the end. Which packet has which number depends on
 * when timers run, so that the seed alone does not say which are lost: the first of all, the
 * client's SYN, and the first that is long are lost in any case. Four namespaces run at once, as
 * most of the time is waiting for timers.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/ktest.h>
#include <kernel/printk.h>
#include <kernel/rcu.h>
#include <net/netdev.h>
#include <proc/cred.h>
#include <proc/upcalls.h>
#include <sched/task.h>
#include <vfs/fcntl.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "net/tcp/tcp_priv.h"

#define SIZE 65536u		/* bytes each way */
#define CHUNK 3000u
#define REPEATED 5u		/* percent */
#define HELD 10u
#define LONG 1000u			/* bytes of a packet that has data */
#define MOST_TICKS (300 * HZ)

/* One direction. */
struct stream {
	struct socket *from, *to;
	u32 sent, got;
	bool shut, ended;
};

struct run {
	struct net *net;
	const struct netdev_ops *plain;
	struct socket listener, client, server;
	struct stream way[2];
	/* the device: lock */
	spinlock_t lock;
	u32 seed, loss, sent;
	bool lost_long;
	struct packet *held;		/* goes behind the next one */
	u32 lost;
};

static struct run runs[4];

static struct run *run_of(const struct netdev *d)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++)
		if (runs[i].net == d->net)
			return &runs[i];
	return NULL;
}

/* Of the seed: 0..99. */
static u32 roll(struct run *r)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 17;
	r->seed ^= r->seed << 5;
	return r->seed % 100;
}

static void deliver(struct netdev *d, struct packet *p)
{
	if (!p)
		return;
	packet_orphan(p);
	eth_type_trans(p, d);
	if (p->csum_state == PACKET_CSUM_NONE)
		p->csum_state = PACKET_CSUM_VERIFIED;
	net_local_receive(p);
}

/* The device's lock is held. */
static bool loses(struct run *r, const struct packet *p)
{
	bool must = !r->sent++;

	if (p->len >= LONG && !r->lost_long)
		must = r->lost_long = true;
	return must || roll(r) < r->loss;
}

static enum netdev_xmit lossy_xmit(struct netdev *d, struct packet *p, u16 queue, bool more)
{
	struct packet *twin = NULL, *after = NULL;
	struct run *r = run_of(d);

	spin_lock(&r->lock);
	if (loses(r, p)) {
		r->lost++;
		packet_free(p, DROP_TX);
		p = NULL;
	} else if (roll(r) < REPEATED) {
		twin = packet_clone(p, GFP_ATOMIC);
	} else if (!r->held && roll(r) < HELD) {
		r->held = p;
		p = NULL;
	} else {
		after = r->held;
		r->held = NULL;
	}
	spin_unlock(&r->lock);
	deliver(d, p);
	deliver(d, twin);
	deliver(d, after);
	return NETDEV_XMIT_OK;
}

static const struct netdev_ops lossy_ops = { .xmit = lossy_xmit };

static int make(struct socket *s, struct net *net)
{
	struct sock *sk;

	*s = (struct socket){ .type = SOCK_STREAM, .protocol = IPPROTO_TCP, .ops = tcp_type.ops };
	sk = sock_alloc(tcp_type.kind, net, true, AF_INET, s, IPPROTO_TCP, GFP_KERNEL);
	if (!sk)
		return -ENOMEM;
	inet_sk(sk)->e = (struct inet_entry){ .net = net, .kind = INET_FULL, .family = AF_INET };
	inet_sk(sk)->ttl = -1;
	INIT_LIST_HEAD(&inet_sk(sk)->mc);
	s->sk = sk;
	return tcp_type.init(inet_sk(sk));
}

static int begin(struct run *r, u32 seed, u32 loss, bool sack)
{
	struct __kernel_sockaddr_storage a = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&a;
	int e;

	*r = (struct run){ .seed = seed, .loss = loss };
	spin_lock_init(&r->lock);
	r->net = copy_net_ns(true, &init_net, &init_user_ns);
	if (IS_ERR(r->net))
		return (int)PTR_ERR(r->net);
	r->net->tcp->sack = sack;
	rtnl_lock();
	r->plain = r->net->loopback->ops;
	r->net->loopback->ops = &lossy_ops;
	e = netdev_set_mtu(r->net->loopback, 1500) ?: netdev_open(r->net->loopback);
	rtnl_unlock();
	e = e ?: make(&r->listener, r->net) ?: make(&r->client, r->net);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = be32_make(0x7f000001).v;
	e = e ?: tcp_type.ops->bind(&r->listener, &a, sizeof(*in)) ?: tcp_listen(&r->listener, 1);
	if (e)
		return e;
	in->sin_port = inet_sk(r->listener.sk)->e.local_port.v;
	e = tcp_type.ops->connect(&r->client, &a, sizeof(*in), O_NONBLOCK);
	r->way[0] = (struct stream){ .from = &r->client, .to = &r->server };
	r->way[1] = (struct stream){ .from = &r->server, .to = &r->client };
	return e == -EINPROGRESS ? 0 : e;
}

/* As accept(2), but for the file. True: the server's end is there. */
static bool accept_child(struct run *r)
{
	struct tcp_sock *l = tcp_sk(r->listener.sk), *t;
	struct sock *sk;

	if (r->server.sk)
		return true;
	spin_lock(&l->inet.sk.lock);
	t = list_first_entry_or_null(&l->accept_queue, struct tcp_sock, accept_node);
	if (t) {
		list_del_init(&t->accept_node);
		l->accept_len--;
	}
	spin_unlock(&l->inet.sk.lock);
	if (!t)
		return false;
	r->server = (struct socket){ .type = SOCK_STREAM,
				     .protocol = IPPROTO_TCP,
				     .ops = tcp_type.ops };
	sk = &t->inet.sk;
	spin_lock(&sk->lock);
	sk->socket = &r->server;
	spin_unlock(&sk->lock);
	r->server.sk = sk;
	return true;
}

static u8 byte_at(u32 i)
{
	return (u8)(i * 7 + (i >> 8));
}

static ssize_t move(struct socket *s, u8 *buf, u32 n, bool out)
{
	struct kvec v = { buf, n };
	struct sock_msg m;
	struct iter it;

	iter_init_kvec(&it, out ? ITER_SOURCE : ITER_DEST, &v, 1, n);
	m = (struct sock_msg){ .iter = &it,
			       .flags = MSG_DONTWAIT | MSG_NOSIGNAL,
			       .nonblock = true };
	return out ? tcp_sendmsg(s, &m) : tcp_recvmsg(s, &m);
}

/* What can be sent and read now. Bytes, 0: nothing, or what went wrong (-EILSEQ: a wrong byte). */
static ssize_t step(struct stream *w)
{
	static u8 buf[CHUNK];
	ssize_t n = 0, r;
	u32 len = min(CHUNK, SIZE - w->sent);

	for (u32 i = 0; i < len; i++)
		buf[i] = byte_at(w->sent + i);
	r = len ? move(w->from, buf, len, true) : 0;
	if (r > 0)
		w->sent += (u32)r;
	else if (r && r != -EAGAIN)
		return r;
	if (w->sent == SIZE && !w->shut) {
		w->shut = true;
		r = tcp_type.ops->shutdown(w->from, SHUT_WR);
		if (r)
			return r;
	}
	n = w->ended ? 0 : move(w->to, buf, CHUNK, false);
	if (n == -EAGAIN)
		return r > 0 ? r : 0;
	if (n < 0)
		return n;
	for (u32 i = 0; i < (u32)n; i++)
		if (buf[i] != byte_at(w->got + i))
			return -EILSEQ;
	w->got += (u32)n;
	w->ended |= !n;
	return n + max(r, (ssize_t)0);
}

static bool is_over(const struct run *r)
{
	return r->way[0].ended && r->way[1].ended;
}

static void end(struct run *r)
{
	struct netdev *d = r->net->loopback;

	if (r->server.sk)
		tcp_type.ops->release(&r->server);
	tcp_type.ops->release(&r->client);
	tcp_type.ops->release(&r->listener);
	rtnl_lock();
	d->ops = r->plain;
	rtnl_unlock();
	synchronize_rcu();
	packet_free(r->held, DROP_TX);
	put_net(r->net);
}

/* All that can be done now, in all runs: bytes, or -errno of one that failed. */
static ssize_t round_of_all(void)
{
	ssize_t all = 0, n;

	for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++) {
		if (!accept_child(&runs[i]) || is_over(&runs[i]))
			continue;
		for (unsigned int k = 0; k < 2; k++) {
			n = step(&runs[i].way[k]);
			if (n < 0) {
				pr_err("ktest: run %u, way %u: %zd after %u sent, %u read\n", i, k,
				       n, runs[i].way[k].sent, runs[i].way[k].got);
				return n;
			}
			all += n;
		}
	}
	return all;
}

KTEST(tcp_lossy)
{
	bool over = false;

	for (u32 i = 0; i < ARRAY_SIZE(runs); i++)
		KT_EQ(begin(&runs[i], 0x9e3779b9u * (i + 1), i < 2 ? 20 : 10, i % 2), 0);
	for (u64 tick = 0; tick < MOST_TICKS && !over; tick++) {
		ssize_t n = round_of_all();

		KT_ASSERT(n >= 0);
		over = true;
		for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++)
			over &= is_over(&runs[i]);
		if (!n && !over)
			schedule_timeout_uninterruptible(1);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++) {
		KT_EQ(runs[i].way[0].got, SIZE);
		KT_EQ(runs[i].way[1].got, SIZE);
		KT_ASSERT(is_over(&runs[i]) && runs[i].lost);
		KT_EQ(tcp_sk(runs[i].client.sk)->sack_ok, i % 2);
		KT_ASSERT(tcp_sk(runs[i].client.sk)->total_retrans);	/* the SYN at least */
		KT_ASSERT(runs[i].lost_long);
		end(&runs[i]);
	}
}
