// SPDX-License-Identifier: MIT
/*
 * Four timers a connection: what was sent is sent again, or a closed window is asked for (rto); an
 * ACK that waited for company goes (delack); a peer that is silent is asked (keep); segments go for
 * which the section of the packet that let them go had no room (push). Each function
 * takes sk->lock; where the sock is owned it leaves a mark, and the owner does the work as it lets
 * go.
 */
#include <lib/minmax.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include <net/netdev.h>
#include "net/tcp/tcp_priv.h"

#define BUSY_NS (500 * NSEC_PER_MS)

void tcp_timer_arm(struct tcp_sock *t, struct wheel_timer *w, u64 ns)
{
	sock_hold(&t->inet.sk);
	if (wheel_arm(w, ns))
		sock_put(&t->inet.sk);	/* that of the last time goes on */
}

void tcp_timer_cancel(struct tcp_sock *t, struct wheel_timer *w)
{
	if (wheel_is_armed(w) && wheel_cancel(w))
		sock_put(&t->inet.sk);	/* never the last: the caller has one */
}

/* Nothing has been acknowledged for so long that the connection is over. */
static bool is_hopeless(struct tcp_sock *t, u32 tries)
{
	u64 now = ktime_get_ns();

	if (t->user_timeout_ms && t->stuck_since_ns &&
	    now - t->stuck_since_ns >= (u64)t->user_timeout_ms * NSEC_PER_MS)
		return true;
	if (sock_flag(&t->inet.sk, SOCK_F_DEAD))
		tries = min(tries, (u32)TCP_ORPHAN_TRIES);
	/*
	 * A peer that answers, but has taken its window back, is alive. Nobody waits for it where
	 * no program has the socket.
	 */
	if (!t->snd_wnd && t->packets_out && !sock_flag(&t->inet.sk, SOCK_F_DEAD) &&
	    now - t->last_rx_ns < 2 * TCP_RTO_MAX_US * 1000ull)
		return false;
	return !t->user_timeout_ms && t->retries >= tries;
}

static u32 most_tries(const struct tcp_sock *t)
{
	if (tcp_state_in(t, TCPS(SYN_SENT)))
		return t->syn_retries ?: (u32)tcp_net(t)->syn_retries;
	return tcp_state_in(t, TCPS(SYN_RECV)) ? (u32)tcp_net(t)->synack_retries :
						 (u32)tcp_net(t)->retries2;
}

static void rto_expired(struct tcp_sock *t)
{
	struct packet *p;
	bool busy = false;

	if (tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN)) || (!t->packets_out && !t->send_head))
		return;
	if (tcp_probe_expired(t) || tcp_rack_expired(t))
		return;
	if (!t->stuck_since_ns)
		t->stuck_since_ns = ktime_get_ns();
	/* An orphan's peer that keeps its window shut, and says so, cannot hold it for ever. */
	if (is_hopeless(t, most_tries(t)) ||
	    (sock_flag(&t->inet.sk, SOCK_F_DEAD) && t->backoff >= TCP_ORPHAN_TRIES)) {
		tcp_count(t, TCP_ABORT_ON_TIMEOUT);
		if (sock_flag(&t->inet.sk, SOCK_F_DEAD))
			tcp_abort(t, 0);
		else
			tcp_done(t, t->inet.sk.err_soft ?: ETIMEDOUT);
		return;
	}
	t->retries++;
	if (t->packets_out)
		tcp_count(t, TCP_TIMEOUTS);
	if (!t->packets_out) {
		tcp_send_window_probe(t);
	} else {
		if (!tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV)))
			tcp_enter_loss(t);
		p = packet_list_first(&t->sndq);
		busy = p && tcp_retransmit(t, p) == -ENOBUFS;
	}
	if (busy) {		/* this machine's queues: nothing is known of the network */
		tcp_timer_arm(t, &t->rto_timer, BUSY_NS);
		return;
	}
	if (t->backoff < 30)
		t->backoff++;
	tcp_arm_rto(t);
}

static void delack_expired(struct tcp_sock *t)
{
	if (t->rcv_nxt != t->rcv_wup || t->ack_now) {
		t->pingpong = false;
		tcp_count(t, TCP_DELAYED_ACKS);
		tcp_send_ack(t);
	}
}

static u64 keep_idle_ns(const struct tcp_sock *t)
{
	return (u64)(t->keep_idle_s ?: (u32)tcp_net(t)->keep_time) * NSEC_PER_SEC;
}

static u64 keep_intvl_ns(const struct tcp_sock *t)
{
	return (u64)(t->keep_intvl_s ?: (u32)tcp_net(t)->keep_intvl) * NSEC_PER_SEC;
}

static void keep_expired(struct tcp_sock *t)
{
	u64 idle, silent = ktime_get_ns() - t->last_rx_ns;
	u32 probes = t->keep_probes ?: (u32)tcp_net(t)->keep_probes;

	if (!sock_flag(&t->inet.sk, SOCK_F_KEEPALIVE) ||
	    tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN) | TCPS(SYN_SENT)))
		return;
	idle = keep_idle_ns(t);
	if (silent < idle || t->packets_out || t->send_head) {
		tcp_timer_arm(t, &t->keep_timer, silent < idle ? idle - silent : idle);
		return;
	}
	if (t->keep_sent >= probes ||
	    (t->user_timeout_ms && silent >= (u64)t->user_timeout_ms * NSEC_PER_MS &&
	     t->keep_sent)) {
		tcp_abort(t, ETIMEDOUT);
		return;
	}
	t->keep_sent++;
	tcp_count(t, TCP_KEEP_ALIVE);
	tcp_send_probe(t);
	tcp_timer_arm(t, &t->keep_timer, keep_intvl_ns(t));
}

void tcp_keepalive(struct sock *sk, bool on)
{
	struct tcp_sock *t = tcp_sk(sk);

	if (!on)
		tcp_timer_cancel(t, &t->keep_timer);
	else if (!tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN)))
		tcp_timer_arm(t, &t->keep_timer, keep_idle_ns(t));
}

/* The timer's reference is the caller's. */
static void run(struct tcp_sock *t, enum tcp_deferred d, void (*fn)(struct tcp_sock *t))
{
	struct sock *sk = &t->inet.sk;
	struct net_ctx c;

	net_ctx_begin(&c);
	spin_lock(&sk->lock);
	if (sock_owned(sk)) {
		if (d == TCP_D_DELACK)
			tcp_count(t, TCP_DELAYED_ACK_LOCKED);
		atomic_long_or(1l << d, &t->deferred);
	} else {
		fn(t);
		if (t->push_wanted)
			tcp_queue_push(t);
	}
	spin_unlock(&sk->lock);
	net_ctx_end(&c);
	sock_put(sk);
}

static void rto_fired(struct wheel_timer *w)
{
	run(container_of(w, struct tcp_sock, rto_timer), TCP_D_RTO, rto_expired);
}

static void delack_fired(struct wheel_timer *w)
{
	run(container_of(w, struct tcp_sock, delack_timer), TCP_D_DELACK, delack_expired);
}

static void keep_fired(struct wheel_timer *w)
{
	run(container_of(w, struct tcp_sock, keep_timer), TCP_D_KEEP, keep_expired);
}

/* ---- segments that a packet let go ---- */

static void push_expired(struct tcp_sock *t)
{
	t->push_wanted = true;
}

static void push_fired(struct wheel_timer *w)
{
	run(container_of(w, struct tcp_sock, push_timer), TCP_D_PUSH, push_expired);
}

/* An owner sends by itself, as it lets go. */
static bool push_after(struct net_after *a)
{
	struct tcp_sock *t = container_of(a, struct tcp_sock, after);
	struct sock *sk = &t->inet.sk;

	spin_lock(&sk->lock);
	if (!sock_owned(sk) && t->push_wanted)
		tcp_push_batch(t);
	t->push_queued = !sock_owned(sk) && t->push_wanted;
	if (t->push_queued) {
		spin_unlock(&sk->lock);
		return true;
	}
	spin_unlock(&sk->lock);
	sock_put(sk);
	return false;
}

static void push_late(struct net_after *a)
{
	struct tcp_sock *t = container_of(a, struct tcp_sock, after);
	struct sock *sk = &t->inet.sk;

	spin_lock(&sk->lock);
	t->push_queued = false;
	if (!sock_owned(sk) && t->push_wanted && !tcp_state_in(t, TCPS(CLOSE)))
		tcp_timer_arm(t, &t->push_timer, 0);
	spin_unlock(&sk->lock);
	sock_put(sk);
}

void tcp_queue_push(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;

	lockdep_assert_held(&sk->lock);
	if (t->push_queued || tcp_state_in(t, TCPS(CLOSE)))
		return;
	t->push_queued = net_ctx_after(&t->after);
	if (t->push_queued)
		sock_hold(sk);
	else
		tcp_timer_arm(t, &t->push_timer, 0);
}

static void run_deferred(struct tcp_sock *t)
{
	if (tcp_deferred_test_clear(t, TCP_D_RTO))
		rto_expired(t);
	if (tcp_deferred_test_clear(t, TCP_D_DELACK))
		delack_expired(t);
	if (tcp_deferred_test_clear(t, TCP_D_KEEP))
		keep_expired(t);
	if (tcp_deferred_test_clear(t, TCP_D_MTU))
		tcp_mtu_changed(t);
	if (tcp_deferred_test_clear(t, TCP_D_PUSH))
		push_expired(t);
}

/* sk->lock held, still owned. */
void tcp_release_cb(struct sock *sk)
{
	struct tcp_sock *t = tcp_sk(sk);

	if (atomic_long_read(&t->deferred))
		run_deferred(t);
	if (t->push_wanted)
		tcp_queue_push(t);
}

void tcp_timers_init(struct tcp_sock *t)
{
	wheel_init_timer(&t->rto_timer, rto_fired);
	wheel_init_timer(&t->delack_timer, delack_fired);
	wheel_init_timer(&t->keep_timer, keep_fired);
	wheel_init_timer(&t->push_timer, push_fired);
	INIT_LIST_HEAD(&t->after.node);
	t->after.run = push_after;
	t->after.late = push_late;
}

void tcp_timers_stop(struct tcp_sock *t)
{
	tcp_timer_cancel(t, &t->rto_timer);
	tcp_timer_cancel(t, &t->delack_timer);
	tcp_timer_cancel(t, &t->keep_timer);
	tcp_timer_cancel(t, &t->push_timer);
}
