// SPDX-License-Identifier: MIT
/*
 * TCP's sockets: made, connected, shut down, closed; and the way of a segment to its sock.
 *
 * References: the file's, or the accept queue's before there is one; the table's while the ends are
 * known; one for each armed timer. close(2) gives the file's up at once where nothing is left to
 * do, and otherwise leaves an orphan, which its last acknowledgement or its timer ends.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/fcntl.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/ip4/ip4_priv.h"
#include "net/core/core_priv.h"
#include "net/inet/mcast.h"
#include "net/tcp/tcp_priv.h"
#include "net/wire/csum.h"

static struct siphash_key isn_key __ro_after_init;
atomic_t tcp_orphans = ATOMIC_INIT(0), tcp_allocated = ATOMIC_INIT(0);
int tcp_max_orphans = 16384;

void tcp_make_keys(void)
{
	get_random_bytes(&isn_key, sizeof(isn_key));
}

u32 tcp_make_isn(struct net *net, be32 local, be16 lport, be32 peer, be16 pport)
{
	u64 w[3] = { (u64)local.v << 32 | peer.v, (u64)lport.v << 16 | pport.v, net->cookie };

	return (u32)siphash_words(&isn_key, w, 3) + (u32)(ktime_get_ns() >> 6);	/* RFC 6528 */
}

u32 tcp_make_ts_offset(struct net *net, be32 local, be32 peer)
{
	u64 w[3] = { (u64)local.v << 32 | peer.v, net->cookie, 1 };

	return (u32)siphash_words(&isn_key, w, 3);
}

/* ---- states ---- */

void tcp_set_state(struct tcp_sock *t, enum tcp_state s)
{
	const u32 open = TCPS(ESTABLISHED) | TCPS(CLOSE_WAIT);
	bool was = tcp_state_in(t, open), is = 1u << s & open;

	if (was != is)
		tcp_count_net_add(t->inet.sk.net, TCP_CURR_ESTAB, is ? 1ull : -1ull);
	if (was && s == TCPS_CLOSE)
		tcp_count(t, TCP_ESTAB_RESETS);
	WRITE_ONCE(t->inet.sk.state, (u8)s);
}

void tcp_free_sent(struct tcp_sock *t, struct packet *p)
{
	atomic_sub((int)p->truesize, &t->inet.sk.wmem);
	packet_consume(p);
	WRITE_ONCE(t->mem_short, false);
	tcp_mem_release(t);
}

/* Unsent bytes times TIMES are less than TCP_NOTSENT_LOWAT. */
static bool is_low(const struct tcp_sock *t, u32 times)
{
	u32 low = t->notsent_lowat ?: READ_ONCE(tcp_net(t)->notsent_lowat);

	return (u64)(t->write_seq - t->snd_nxt) * times < low;
}

bool tcp_may_write(const struct tcp_sock *t)
{
	const struct sock *sk = &t->inet.sk;

	return atomic_read(&sk->wmem) < READ_ONCE(sk->sndbuf) && is_low(t, 1) &&
	       !READ_ONCE(t->mem_short);
}

bool tcp_has_room(const struct tcp_sock *t)
{
	int used = atomic_read(&t->inet.sk.wmem);

	return used + used / 2 <= READ_ONCE(t->inet.sk.sndbuf) && is_low(t, 2) && tcp_may_write(t);
}

void tcp_wake_writer(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;
	int want = (int)min(2ull * t->cwnd * (t->mss + 1024u), (u64)tcp_net(t)->wmem[2]);

	if (!(sk->buf_locks & SOCK_SNDBUF_LOCK) && want > sk->sndbuf &&
	    !READ_ONCE(tcp_mem_pressure))
		WRITE_ONCE(sk->sndbuf, want);
	if (!tcp_has_room(t))
		return;
	WRITE_ONCE(t->room_wanted, false);
	if (unlikely(t->limit == TCP_L_BUFFER))
		tcp_limit_leave(t, TCP_L_BUFFER);
	wake_up_interruptible_poll(&sk->wait, EPOLLOUT | EPOLLWRNORM);
	if (unlikely(rcu_access_pointer(sk->fasync)) && xchg(&sk->wants_space, false))
		kill_fasync(&sk->fasync, SIGIO, POLL_OUT);
}

void tcp_recount(struct tcp_sock *t, const struct packet *p, u32 was)
{
	t->sndq.bytes += p->truesize - was;
	atomic_add((int)(p->truesize - was), &t->inet.sk.wmem);
	(void)tcp_mem_charge(t, 0, true);
}

static void purge_sent(struct tcp_sock *t)
{
	struct packet *p;

	while ((p = packet_list_take(&t->sndq)))
		tcp_free_sent(t, p);
	t->send_head = NULL;
	t->sent = RB_ROOT;
	INIT_LIST_HEAD(&t->in_flight);
	INIT_LIST_HEAD(&t->lost);
	t->nr_sacked = 0;
	t->packets_out = t->sacked_out = t->lost_out = t->retrans_out = 0;
}

void tcp_purge_received(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;
	struct packet *p;

	while ((p = packet_list_take(&sk->queue.rx))) {
		atomic_sub((int)p->truesize, &sk->rmem);
		packet_consume(p);
	}
	while ((p = tcp_packet_of(rb_first(&t->early)))) {
		rb_erase(&tcp_cb(p)->rb, &t->early);
		atomic_sub((int)p->truesize, &sk->rmem);
		packet_consume(p);
	}
	t->nr_recent = 0;
	tcp_mem_release(t);
}

/* T leaves the tables. A port that bind(2) gave stays until close(2). */
static void unhash(struct tcp_sock *t)
{
	struct inet_table *table = &tcp_net(t)->table;
	struct inet_sock *s = &t->inet;

	if (inet_connected_del(table, &s->e)) {
		t->was_hashed = true;
		sock_put(&s->sk);
	}
	if (inet_bound_del(table, s)) {
		t->was_hashed = true;
		sock_put(&s->sk);
	}
	if (s->port && (sock_flag(&s->sk, SOCK_F_DEAD) || !(s->bind_gave & BOUND_PORT)))
		inet_port_put(table, s);
}

/* A node goes into a table again only when no search can be at its old place any more. Sleeps. */
void tcp_may_hash(struct tcp_sock *t)
{
	if (t->was_hashed)
		synchronize_rcu();
	t->was_hashed = false;
}

static void end(struct tcp_sock *t, int err, u8 shut)
{
	struct sock *sk = &t->inet.sk;

	if (sk->state == TCPS_CLOSE)
		return;
	/* A program that gives up has not failed. */
	if (err && tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV)))
		tcp_count(t, TCP_ATTEMPT_FAILS);
	tcp_set_state(t, TCPS_CLOSE);
	sk->shut = shut;
	if (t->is_orphan) {
		t->is_orphan = false;
		atomic_dec(&tcp_orphans);
	}
	if (err)
		sock_set_error(sk, err);
	tcp_timers_stop(t);
	purge_sent(t);
	if (sock_flag(sk, SOCK_F_DEAD))
		tcp_purge_received(t);
	unhash(t);
	if (!sock_flag(sk, SOCK_F_DEAD)) {
		sock_wake_state(sk);
		if (unlikely(rcu_access_pointer(sk->fasync)))
			kill_fasync(&sk->fasync, SIGIO, err ? POLL_ERR : POLL_HUP);
	}
}

void tcp_done(struct tcp_sock *t, int err)
{
	end(t, err, 3);
}

void tcp_done_for_now(struct tcp_sock *t)
{
	end(t, 0, 0);
}

void tcp_abort(struct tcp_sock *t, int err)
{
	if (tcp_state_in(t, TCPS(ESTABLISHED) | TCPS(SYN_RECV) | TCPS(FIN_WAIT1) | TCPS(FIN_WAIT2) |
				    TCPS(CLOSE_WAIT) | TCPS(CLOSING) | TCPS(LAST_ACK)))
		tcp_send_reset(t);
	tcp_done(t, err);
}

/* ---- made and unmade ---- */

static void set_up(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;

	atomic_inc(&tcp_allocated);
	sock_set_flag(sk, SOCK_F_RCU_FREE, true);
	sk->state = TCPS_CLOSE;
	packet_list_init(&t->sndq);
	t->sent = t->early = RB_ROOT;
	INIT_LIST_HEAD(&t->in_flight);
	INIT_LIST_HEAD(&t->lost);
	INIT_LIST_HEAD(&t->accept_queue);
	INIT_LIST_HEAD(&t->requests);
	INIT_LIST_HEAD(&t->accept_node);
	tcp_timers_init(t);
	t->cwnd = TCP_INIT_CWND;
	t->ssthresh = U32_MAX / 2;
	t->mss = t->mss_peer = TCPC_MSS_DEFAULT;
	t->rcv_mss = TCPC_MSS_DEFAULT;
	t->rto_us = TCP_RTO_INIT_US;
	t->rto_min_us = max((u32)READ_ONCE(tcp_net(t)->rto_min_us), TCPC_RTO_LEAST_US);
	t->reordering = (u32)READ_ONCE(tcp_net(t)->reordering);
	t->cc->init(t);
}

static int tcp_init_sock(struct inet_sock *s)
{
	struct tcp_sock *t = container_of(s, struct tcp_sock, inet);
	struct tcp_net *n = s->sk.net->tcp;

	s->sk.rcvbuf = n->rmem[1];
	s->sk.sndbuf = n->wmem[1];
	t->cc = READ_ONCE(n->cc);
	set_up(t);
	return 0;
}

static void tcp_destruct(struct sock *sk)
{
	struct tcp_sock *t = tcp_sk(sk);

	DEBUG_ON(wheel_is_armed(&t->rto_timer) || wheel_is_armed(&t->delack_timer) ||
		 wheel_is_armed(&t->keep_timer) || wheel_is_armed(&t->push_timer) ||
		 t->push_queued);
	atomic_dec(&tcp_allocated);
	purge_sent(t);
	tcp_purge_received(t);
	tcp_mem_end(t);
	inet_destruct(sk);
}

static void backlog_rcv(struct sock *sk, struct packet *p)
{
	struct tcp_sock *t = tcp_sk(sk);
	struct tcp_seg s;

	rcu_read_lock();
	tcp_decode(&s, packet_data(p), p->len);
	tcp_input(t, p, &s);
	rcu_read_unlock();
	while (t->push_wanted)
		tcp_push_batch(t);
}

static const struct sock_kind tcp_kind = { .name = "TCP",
					   .size = sizeof(struct tcp_sock),
					   .destruct = tcp_destruct,
					   .bind_dev = inet_bind_dev,
					   .backlog_rcv = backlog_rcv,
					   .release_cb = tcp_release_cb,
					   .keepalive = tcp_keepalive,
					   .peeks_on = true,
					   .get = tcp_get_socket_option,
					   .stamps = tcp_stamps,
					   SOCK_LOCKS("&tcp->sk.lock", "&tcp->sk.owner") };

/* What a child has of its listener's IP. */
static void inherit(struct inet_sock *s, const struct inet_sock *l)
{
	INIT_LIST_HEAD(&s->mc);
	s->tos = l->tos;
	s->ttl = l->ttl;
	s->mc_ttl = l->mc_ttl;
	s->pmtudisc = l->pmtudisc;
	s->min_ttl = l->min_ttl;
	s->flags = l->flags;
	s->uc_index = l->uc_index;
}

/* The settings of IPv6. 0, -ENOBUFS. */
static int inherit6(struct inet_sock *s, const struct inet_sock *l)
{
	const struct inet6_sock *from = l->six;

	if (inet6_init_sock(s, GFP_ATOMIC | __GFP_NOWARN))
		return -ENOBUFS;
	s->six->hops = from->hops;
	s->six->tclass = from->tclass;
	s->six->pmtudisc = from->pmtudisc;
	s->six->min_hops = from->min_hops;
	s->six->uc_index = from->uc_index;
	s->six->prefer = from->prefer;
	s->six->prefer_shown = from->prefer_shown;
	return 0;
}

struct tcp_sock *tcp_child(struct tcp_sock *l)
{
	struct sock *sk = sock_alloc(&tcp_kind, l->inet.sk.net, true, l->inet.sk.family, NULL,
				     IPPROTO_TCP, GFP_ATOMIC | __GFP_NOWARN);
	const struct sock *from = &l->inet.sk;
	struct tcp_sock *t;

	if (!sk)
		return NULL;
	t = tcp_sk(sk);
	if (l->inet.six && inherit6(&t->inet, &l->inet)) {
		sock_put(sk);
		return NULL;
	}
	sk->type = SOCK_STREAM;
	sk->uid = from->uid;
	atomic_long_set(&sk->flags, atomic_long_read(&from->flags));
	sk->rcvbuf = from->rcvbuf;
	sk->sndbuf = from->sndbuf;
	sk->buf_locks = from->buf_locks;
	sk->rcvlowat = from->rcvlowat;
	sk->rcvtimeo = from->rcvtimeo;
	sk->sndtimeo = from->sndtimeo;
	sk->linger_s = from->linger_s;
	sk->mark = from->mark;
	sk->ts_flags = from->ts_flags;
	sk->busy_poll_us = from->busy_poll_us;
	sk->pacing_rate = from->pacing_rate;
	sk->bound_dev = from->bound_dev;
	sock_filter_inherit(sk, &l->inet.sk);
	inherit(&t->inet, &l->inet);
	t->cc = l->cc;
	t->user_mss = l->user_mss;
	t->rto_min_us = l->rto_min_us;
	t->nodelay = l->nodelay;
	t->corked = l->corked;
	t->window_clamp = l->window_clamp;
	t->keep_idle_s = l->keep_idle_s;
	t->keep_intvl_s = l->keep_intvl_s;
	t->keep_probes = l->keep_probes;
	t->user_timeout_ms = l->user_timeout_ms;
	t->linger2_s = l->linger2_s;
	t->notsent_lowat = l->notsent_lowat;
	set_up(t);
	return t;
}

/* ---- bind(2) ---- */

static int tcp_bind(struct socket *sock, const struct __kernel_sockaddr_storage *a, int len)
{
	struct inet_sock *s = sock->sk;
	struct inet_name n;
	int e = inet_check_bind(s, a, len, &n);

	if (e)
		return e;
	if (!inet_may_bind(s->sk.net, be16_get(n.port)))
		return -EACCES;
	lock_sock(&s->sk);
	if (s->port || s->sk.state != TCPS_CLOSE) {
		e = -EINVAL;
	} else {
		inet_set_local(s, &n);
		s->e.bound_dev = s->sk.bound_dev;
		if (n.port.v || !inet_flag(s, INET_BIND_NO_PORT))
			e = inet_port_get(&tcp_net(tcp_sk(&s->sk))->table, s, be16_get(n.port));
		if (e)
			inet_reset_local(s);
		else
			s->bind_gave |= (inet_name_is_any(&n) ? 0 : BOUND_ADDRESS) |
					(n.port.v ? BOUND_PORT : 0);
	}
	release_sock(&s->sk);
	return e;
}

/* ---- shutdown(2), close(2) ---- */

/* Our side says no more. True: a FIN is to be sent. */
static bool close_state(struct tcp_sock *t)
{
	switch (t->inet.sk.state) {
	case TCPS_SYN_RECV:
	case TCPS_ESTABLISHED:
		tcp_set_state(t, TCPS_FIN_WAIT1);
		return true;
	case TCPS_CLOSE_WAIT:
		tcp_set_state(t, TCPS_LAST_ACK);
		return true;
	}
	return false;
}

static int tcp_shutdown(struct socket *s, int how)
{
	struct sock *sk = s->sk;
	struct tcp_sock *t = tcp_sk(sk);
	struct net_ctx ctx;
	int e = 0;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	net_ctx_begin(&ctx);
	lock_sock(sk);
	if (tcp_state_in(t, TCPS(CLOSE))) {
		sk->shut |= (u8)(how + 1);	/* to be seen, until it connects */
		e = -ENOTCONN;
	} else if (tcp_state_in(t, TCPS(LISTEN) | TCPS(SYN_SENT))) {
		if (how != SHUT_WR || sk->state == TCPS_SYN_SENT)
			tcp_disconnect(t);
	} else {
		sk->shut |= (u8)(how + 1);
		if (how != SHUT_RD && close_state(t))
			tcp_send_fin(t);
	}
	sock_wake_state(sk);
	release_sock(sk);
	net_ctx_end(&ctx);
	return e;
}

/* SO_LINGER: until all is acknowledged, or for that long. Owner, let go meanwhile. */
static void linger(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;
	long ticks = (long)min((u64)sk->linger_s * HZ, (u64)MAX_SCHEDULE_TIMEOUT);

	release_sock(sk);
	net_ctx_flush();
	(void)wait_event_interruptible_timeout(
		sk->wait, !tcp_state_in(t, TCPS(FIN_WAIT1) | TCPS(CLOSING) | TCPS(LAST_ACK)),
		ticks);
	lock_sock(sk);
}

/* Owner: what close(2) says to the peer. True: to linger makes sense. */
static bool say_goodbye(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;
	bool unread = !packet_list_empty(&sk->queue.rx) || !RB_EMPTY_ROOT(&t->early);

	sk->shut = 3;
	if (tcp_state_in(t, TCPS(SYN_SENT) | TCPS(CLOSE))) {
		tcp_done(t, 0);
		return false;
	}
	/* RFC 2525, 2.17: data that will not be read is answered by a RST. */
	if ((unread && tcp_state_in(t, TCPS(ESTABLISHED) | TCPS(CLOSE_WAIT) | TCPS(SYN_RECV) |
					       TCPS(FIN_WAIT1) | TCPS(FIN_WAIT2))) ||
	    (sock_flag(sk, SOCK_F_LINGER) && !sk->linger_s)) {
		tcp_count(t, unread ? TCP_ABORT_ON_CLOSE : TCP_ABORT_ON_DATA);
		tcp_abort(t, 0);
		return false;
	}
	if (close_state(t))
		tcp_send_fin(t);
	return sock_flag(sk, SOCK_F_LINGER) && !(current->flags & PF_EXITING);
}

/* T goes on without a program, unless too many do: a peer that never answers costs memory. */
static void leave_orphan(struct tcp_sock *t)
{
	if (atomic_add_return(1, &tcp_orphans) > READ_ONCE(tcp_max_orphans) ||
	    (tcp_mem_is_out() && !packet_list_empty(&t->sndq))) {
		atomic_dec(&tcp_orphans);
		tcp_count(t, TCP_ABORT_ON_MEMORY);
		tcp_abort(t, 0);
		return;
	}
	t->is_orphan = true;
}

static int tcp_release(struct socket *s)
{
	struct sock *sk = s->sk;
	struct tcp_sock *t = tcp_sk(sk);
	struct net_ctx ctx;

	if (!sk)
		return 0;
	inet_mc_drop_all(&t->inet);
	net_ctx_begin(&ctx);
	lock_sock(sk);
	if (sk->state == TCPS_LISTEN) {
		tcp_done(t, 0);
		tcp_listen_stop(t);
	} else if (say_goodbye(t)) {
		linger(t);
	}
	sock_orphan(sk);
	sock_net_unuse(sk);
	s->sk = NULL;
	tcp_purge_received(t);
	if (sk->state == TCPS_FIN_WAIT2)
		tcp_await_fin(t);
	if (sk->state == TCPS_CLOSE)
		unhash(t);
	else
		leave_orphan(t);
	release_sock(sk);
	net_ctx_end(&ctx);
	sock_put(sk);
	return 0;
}

static int tcp_getname(struct socket *s, struct __kernel_sockaddr_storage *a, bool peer)
{
	struct tcp_sock *t = tcp_sk(s->sk);

	if (peer &&
	    (tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN) | TCPS(SYN_SENT)) || !t->inet.e.peer.v))
		return -ENOTCONN;
	return inet_getname(s, a, peer);
}

static const struct sock_ops tcp_ops = {
	.release = tcp_release,
	.bind = tcp_bind,
	.connect = tcp_connect,
	.accept = tcp_accept,
	.getname = tcp_getname,
	.last_peer = inet_last_peer,
	.poll = tcp_poll,
	.ioctl = tcp_ioctl,
	.listen = tcp_listen,
	.shutdown = tcp_shutdown,
	.setsockopt = tcp_setsockopt,
	.getsockopt = tcp_getsockopt,
	.sendmsg = tcp_sendmsg,
	.recvmsg = tcp_recvmsg,
	.fasync = sock_fasync,
};

struct inet_type tcp_type = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_TCP,
	.is_default = true,
	.kind = &tcp_kind,
	.ops = &tcp_ops,
	.init = tcp_init_sock,
};
