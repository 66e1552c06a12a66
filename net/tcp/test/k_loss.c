// SPDX-License-Identifier: MIT
/*
 * TCP over a loopback device that loses, repeats and reorders packets by seed: what is sent
 * arrives, once and in order, and both ends see the end. Which packet has which number depends on
 * when timers run, so that the seed alone does not say which are lost: the first of all, the
 * client's SYN, and the first that is long are lost in any case. Four namespaces run at once.
 *
 * A retransmission waits for its timer, a second or more where several are lost in a row. Where
 * nothing else can happen, the test lets those timers expire at once.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/cpumask.h>
#include <kernel/ktest.h>
#include <kernel/printk.h>
#include <kernel/rcu.h>
#include <net/netdev.h>
#include <proc/cred.h>
#include <proc/upcalls.h>
#include <sched/sched.h>
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
#define QUIET_TICKS 2			/* all that was sent has arrived, or is lost */

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
	u32 seed, loss, sent, supers;
	bool lost_long;
	/*
	 * calm: it loses these and nothing else: of the long packets lose_nr from number lose_from
	 * on; the short ones. slow: it takes until the next millisecond of the timestamps' clock
	 */
	bool calm, lose_acks, slow;
	u32 lose_from, lose_nr, data_seen;
	u64 timeouts, again;	/* counters before that */
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

	if (r->calm)
		return p->len < LONG ? r->lose_acks :
				       r->data_seen++ >= r->lose_from &&
					       r->data_seen <= r->lose_from + r->lose_nr;
	if (p->len >= LONG && !r->lost_long)
		must = r->lost_long = true;
	return must || roll(r) < r->loss;
}

static void next_ms(void)
{
	for (u32 now = tcp_clock_ms(); now == tcp_clock_ms();)
		cpu_relax();
}

static enum netdev_xmit lossy_xmit(struct netdev *d, struct packet *p, u16 queue, bool more)
{
	struct packet *twin = NULL, *after = NULL;
	struct run *r = run_of(d);

	spin_lock(&r->lock);
	r->supers += !!p->gso_size;
	if (r->slow)
		next_ms();
	if (loses(r, p)) {
		r->lost++;
		packet_free(p, DROP_TX);
		p = NULL;
	} else if (!r->calm && roll(r) < REPEATED) {
		twin = packet_clone(p, GFP_ATOMIC);
	} else if (!r->calm && !r->held && roll(r) < HELD) {
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

/* TSO: the device takes super-packets, which are lost whole. */
static int begin(struct run *r, u32 seed, u32 loss, bool sack, bool tso)
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
	r->net->tcp->syn_retries = r->net->tcp->synack_retries = 30; /* no attempt ends by chance */
	rtnl_lock();
	r->plain = r->net->loopback->ops;
	r->net->loopback->ops = &lossy_ops;
	netdev_want_features(r->net->loopback, NETDEV_F_TSO4, tso ? NETDEV_F_TSO4 : 0);
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

/* S's timers of retransmission and of a delayed ACK expire now. */
static void hurry_sock(struct sock *sk)
{
	struct tcp_sock *t = tcp_sk(sk);

	if (!sk)
		return;
	spin_lock(&sk->lock);
	if (wheel_is_armed(&t->rto_timer))
		tcp_timer_arm(t, &t->rto_timer, 0);
	if (wheel_is_armed(&t->delack_timer))
		tcp_timer_arm(t, &t->delack_timer, 0);
	spin_unlock(&sk->lock);
}

/* The same for a connection that is half open. */
static void hurry_request(struct sock *sk)
{
	struct tcp_request *q;

	spin_lock(&sk->lock);
	q = list_first_entry_or_null(&tcp_sk(sk)->requests, struct tcp_request, node);
	if (q) {
		refcount_inc(&q->e.refs);
		if (wheel_arm(&q->timer, 0))
			inet_entry_put(&sk->net->tcp->table, &q->e);
	}
	spin_unlock(&sk->lock);
}

static void hurry(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++) {
		if (is_over(&runs[i]))
			continue;
		hurry_sock(runs[i].client.sk);
		hurry_sock(runs[i].server.sk);
		hurry_request(runs[i].listener.sk);
	}
}

KTEST(tcp_lossy)
{
	unsigned int quiet = 0;
	bool over = false;

	for (u32 i = 0; i < ARRAY_SIZE(runs); i++)
		KT_EQ(begin(&runs[i], 0x9e3779b9u * (i + 1), i < 2 ? 20 : 10, i % 2,
			    i == 1 || i == 2),
		      0);
	for (u64 tick = 0; tick < MOST_TICKS && !over; tick++) {
		ssize_t n = round_of_all();

		KT_ASSERT(n >= 0);
		over = true;
		for (unsigned int i = 0; i < ARRAY_SIZE(runs); i++)
			over &= is_over(&runs[i]);
		quiet = n ? 0 : quiet + 1;
		if (quiet >= QUIET_TICKS)
			hurry();
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
		KT_EQ(!!runs[i].supers, i == 1 || i == 2);
		end(&runs[i]);
	}
}

/* ---- loss probes ---- */

static u64 count_of(struct run *r, int item)
{
	return net_counter_sum(r->net, (enum net_counter)item);
}

/*
 * A connection over a device that loses no packets but those of lose(), and keeps their order: the
 * caller, its timers and what they send stay on one CPU, as each CPU has a backlog of its own.
 * 0 or -errno.
 */
static int begin_calm(struct run *r)
{
	struct cpumask one = { 0 };
	int e;

	cpumask_set_cpu(raw_smp_processor_id(), &one);
	e = set_cpus_allowed(current, &one) ?: begin(r, 1, 0, true, false);
	if (e)
		return e;
	while (!accept_child(r)) {
		hurry_sock(r->client.sk);
		schedule_timeout_uninterruptible(1);
	}
	r->calm = true;
	r->timeouts = count_of(r, TCP_TIMEOUTS);
	r->again = count_of(r, TCP_RETRANS_SEGS);
	tcp_sk(r->client.sk)->min_rtt_us = 1;	/* an answer to a copy never comes too soon */
	return 0;
}

static void end_calm(struct run *r)
{
	end(r);
	set_cpus_allowed(current, cpu_online_mask);
}

/* BYTES more go to the server, and are read by it. 0 or -errno. */
static ssize_t transfer(struct run *r, u32 bytes)
{
	struct stream *w = &r->way[0];
	u32 upto = w->got + bytes;
	static u8 buf[16384];
	ssize_t n = move(w->from, buf, bytes, true);

	while (n > 0 && w->got < upto) {
		n = move(w->to, buf, sizeof(buf), false);
		if (n == -EAGAIN) {
			schedule_timeout_uninterruptible(1);
			n = 1;
		} else if (n > 0) {
			w->got += (u32)n;
		}
	}
	return n < 0 ? n : 0;
}

/* All that was sent is acknowledged. */
static void settle(struct run *r)
{
	struct tcp_sock *t = tcp_sk(r->client.sk);

	while (READ_ONCE(t->packets_out))
		schedule_timeout_uninterruptible(1);
}

/* Loses the long packets from number FROM on, NR of them. */
static void lose(struct run *r, u32 from, u32 nr)
{
	spin_lock(&r->lock);
	r->data_seen = 0;
	r->lose_from = from;
	r->lose_nr = nr;
	spin_unlock(&r->lock);
}

#define TRIES 3

/*
 * Of BYTES, the long packets from number 5 on are lost, NR of them. On a host that stands still
 * timers send more than that asks for: then it is tried again.
 */
static void check_tail(struct run *r, u32 bytes, u32 nr, bool slow, struct ktest_run *__kt)
{
	for (int tries = 1;; tries++) {
		KT_EQ(begin_calm(r), 0);
		r->slow = slow;
		KT_EQ(transfer(r, 14000), 0);
		settle(r);
		lose(r, 5, nr);
		KT_EQ(transfer(r, bytes), 0);
		settle(r);
		if (tries == TRIES ||
		    (count_of(r, TCP_LOSS_PROBES) == 1 && count_of(r, TCP_TIMEOUTS) == r->timeouts))
			break;
		end_calm(r);
	}
	KT_EQ(count_of(r, TCP_LOSS_PROBES), 1);
	KT_EQ(count_of(r, TCP_SACK_RECOVERY), 1);
	KT_EQ(count_of(r, TCP_TIMEOUTS), r->timeouts);
	KT_EQ(count_of(r, TCP_LOSS_PROBE_RECOVERY), 0);
	end_calm(r);
}

/*
 * The last segments are lost: the SACK of a probe tells of the others, and no timeout is waited
 * for.
 */
KTEST(tcp_probe_tail)
{
	check_tail(&runs[0], 8 * 1448, 3, false, __kt);
}

/* The same, where a probe has something new: what Nagle's rule holds back. */
KTEST(tcp_probe_new)
{
	check_tail(&runs[0], 7 * 1448 + 1200, 2, false, __kt);
}

/* A copy that is long on its way to the device is not taken for older than its own sending. */
KTEST(tcp_undo_slow_device)
{
	check_tail(&runs[0], 8 * 1448, 3, true, __kt);
}

/* The last one alone is lost: its copy fills the hole, and cwnd shrinks all the same. */
KTEST(tcp_probe_repairs)
{
	struct run *r = &runs[0];
	struct tcp_sock *t;

	for (int tries = 1;; tries++) {
		KT_EQ(begin_calm(r), 0);
		lose(r, 3, 1);
		KT_EQ(transfer(r, 3 * 1448 + 1200), 0);
		settle(r);
		if (tries == TRIES || count_of(r, TCP_RETRANS_SEGS) == r->again + 1)
			break;
		end_calm(r);
	}
	t = tcp_sk(r->client.sk);
	KT_EQ(count_of(r, TCP_LOSS_PROBES), 1);
	KT_EQ(count_of(r, TCP_RETRANS_SEGS), r->again + 1);
	KT_EQ(count_of(r, TCP_LOSS_PROBE_RECOVERY), 0);
	KT_EQ(t->ssthresh, U32_MAX / 2);
	KT_EQ(transfer(r, 1200), 0);
	settle(r);
	KT_EQ(count_of(r, TCP_LOSS_PROBE_RECOVERY), 1);
	KT_ASSERT(t->ssthresh < U32_MAX / 2 && !t->probe_out);
	KT_EQ(count_of(r, TCP_TIMEOUTS), r->timeouts);
	end_calm(r);
}

/* ACKs alone are lost: the peer tells that the probe was a copy, and nothing shrinks. */
KTEST(tcp_probe_copy)
{
	struct run *r = &runs[0];
	struct tcp_sock *t;

	for (int tries = 1;; tries++) {
		KT_EQ(begin_calm(r), 0);
		r->lose_acks = true;
		KT_EQ(transfer(r, 3 * 1448), 0);
		WRITE_ONCE(r->lose_acks, false);
		settle(r);
		if (tries == TRIES || count_of(r, TCP_TIMEOUTS) == r->timeouts)
			break;
		end_calm(r);
	}
	t = tcp_sk(r->client.sk);
	KT_ASSERT(count_of(r, TCP_LOSS_PROBES) <= 1);
	KT_EQ(transfer(r, 1200), 0);
	settle(r);
	KT_EQ(count_of(r, TCP_LOSS_PROBE_RECOVERY), 0);
	KT_EQ(t->ssthresh, U32_MAX / 2);
	end_calm(r);
}

/* net.ipv4.tcp_early_retrans is 0: the timeout finds the loss. */
KTEST(tcp_probe_off)
{
	struct run *r = &runs[0];

	KT_EQ(begin_calm(r), 0);
	r->net->tcp->early_retrans = 0;
	lose(r, 3, 1);
	KT_EQ(transfer(r, 3 * 1448 + 1200), 0);
	settle(r);
	KT_EQ(count_of(r, TCP_LOSS_PROBES), 0);
	KT_EQ(count_of(r, TCP_TIMEOUTS), r->timeouts + 1);
	end_calm(r);
}

/*
 * A TIME-WAIT that was forgotten between a packet's finding it and arming its timer: the timer is
 * not left armed, and the namespace is free at once, not a minute later.
 */
KTEST(tcp_forgotten_is_not_armed)
{
	struct net *net = copy_net_ns(true, &init_net, &init_user_ns);
	struct tcp_seg s = { .flags = TCP_FIN | TCP_ACK, .seq = 6, .end = 7 };
	struct tcp_timewait *w = kzalloc(sizeof(*w), GFP_KERNEL);
	struct packet *p = packet_alloc(GFP_KERNEL);

	KT_ASSERT(!IS_ERR(net) && w && p);
	atomic_inc(&net->tcp->nr_timewait);
	w->e = (struct inet_entry){ .net = net_pin(net), .kind = INET_TIMEWAIT, .family = AF_INET };
	w->rcv_nxt = 7;
	refcount_set(&w->e.refs, 1);
	wheel_init_timer(&w->timer, NULL);
	KT_ASSERT(!tcp_timewait_rcv(w, p, &s));
	KT_ASSERT(!wheel_is_armed(&w->timer));
	KT_EQ(refcount_read(&w->e.refs), 1);
	inet_entry_put(&net->tcp->table, &w->e);
	put_net(net);
}
