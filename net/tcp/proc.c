// SPDX-License-Identifier: MIT
/*
 * /proc/PID/net/tcp (proc(5)): listeners first, then connections, half-open ones and TIME-WAIT.
 * What a line says is read without a lock: each value is one that was true, and together they need
 * not have been.
 */
#include <lib/minmax.h>
#include <kernel/time.h>
#include <net/show.h>
#include <proc/cred.h>
#include <vfs/seq_file.h>
#include "net/tcp/tcp_priv.h"

#define WIDTH 149
#define CLOCK_TICK_NS (NSEC_PER_SEC / 100)	/* USER_HZ */

enum { TIMER_NONE, TIMER_RTO, TIMER_KEEP, TIMER_TIMEWAIT, TIMER_PROBE };

static void ends(struct seq_file *m, u32 n, const struct inet_entry *e, u16 family, u8 state)
{
	seq_printf(m, "%4u:", n);
	inet_show_ends(m, family, e, e->local, be16_get(e->local_port));
	seq_printf(m, " %02X", state);
}

static u64 ticks_left(const struct wheel_timer *w)
{
	return (wheel_left_ns(w) + CLOCK_TICK_NS - 1) / CLOCK_TICK_NS;
}

static void full(struct seq_file *m, u32 n, struct tcp_sock *t, u8 state)
{
	struct sock *sk = &t->inet.sk;
	const struct wheel_timer *w = wheel_is_armed(&t->rto_timer)  ? &t->rto_timer :
				      wheel_is_armed(&t->keep_timer) ? &t->keep_timer :
								       NULL;
	int kind = !w			     ? TIMER_NONE :
		   w == &t->keep_timer	     ? TIMER_KEEP :
		   READ_ONCE(t->packets_out) ? TIMER_RTO :
					       TIMER_PROBE;
	u32 rx = state == TCPS_LISTEN ?
			 READ_ONCE(t->accept_len) :
			 (u32)max((int)(READ_ONCE(t->rcv_nxt) - READ_ONCE(t->copied_seq)), 0);
	u32 ssthresh = READ_ONCE(t->ssthresh);

	ends(m, n, &t->inet.e, sk->family, state);
	seq_printf(m, " %08X:%08X %02X:%08llX %08X %5u %8u %llu %u %pK",
		   state == TCPS_LISTEN ? 0 : READ_ONCE(t->write_seq) - READ_ONCE(t->snd_una), rx,
		   kind, w ? ticks_left(w) : 0ull, (u32)READ_ONCE(t->retries),
		   from_kuid_munged(current_user_ns(), sk->uid), READ_ONCE(t->keep_sent),
		   READ_ONCE(sk->ino), (u32)refcount_read(&sk->refs) - 1, (void *)sk);
	seq_printf(m, " %llu %llu %u %u %d", (u64)READ_ONCE(t->rto_us) / 10000,
		   (u64)(TCP_DELACK_NS / CLOCK_TICK_NS),
		   (u32)READ_ONCE(t->quickacks) << 1 | READ_ONCE(t->pingpong), READ_ONCE(t->cwnd),
		   state == TCPS_LISTEN	   ? (s32)READ_ONCE(t->accept_max) :
		   ssthresh >= U32_MAX / 2 ? -1 :
					     (s32)ssthresh);
}

static void request(struct seq_file *m, u32 n, struct tcp_request *q)
{
	ends(m, n, &q->e, q->e.family, TCPS_SYN_RECV);
	seq_printf(m, " %08X:%08X %02X:%08llX %08X %5u %8d %d %d %pK", 0, 0, TIMER_RTO,
		   ticks_left(&q->timer), q->tries,
		   from_kuid_munged(current_user_ns(), q->listener->inet.sk.uid), 0, 0, 0,
		   (void *)q);
}

static void timewait(struct seq_file *m, u32 n, struct tcp_timewait *w)
{
	ends(m, n, &w->e, w->e.family, w->fin_wait2 ? TCPS_FIN_WAIT2 : TCPS_TIME_WAIT);
	seq_printf(m, " %08X:%08X %02X:%08llX %08X %5d %8d %d %d %pK", 0, 0, TIMER_TIMEWAIT,
		   ticks_left(&w->timer), 0, 0, 0, 0, (int)refcount_read(&w->e.refs) - 1,
		   (void *)w);
}

static void line(struct seq_file *m, u32 *n, struct inet_entry *e, u16 family)
{
	struct tcp_sock *t = NULL;
	u8 state = 0;

	if (e->kind == INET_FULL) {
		t = container_of(inet_of_entry(e), struct tcp_sock, inet);
		state = READ_ONCE(t->inet.sk.state);
		if (state == TCPS_CLOSE)	/* it has ended since it was found */
			return;
	}
	if (family == AF_INET)
		seq_setwidth(m, WIDTH);
	if (t)
		full(m, (*n)++, t, state);
	else if (e->kind == INET_REQUEST)
		request(m, (*n)++, container_of(e, struct tcp_request, e));
	else
		timewait(m, (*n)++, container_of(e, struct tcp_timewait, e));
	if (family == AF_INET)
		seq_pad(m, '\n');
	else
		seq_putc(m, '\n');
}

static void walk(struct seq_file *m, struct inet_table *t, bool bound, u16 family, u32 *nr)
{
	struct inet_walk w = { .table = t, .bound = bound, .family = family };

	while (inet_walk_next(&w))
		for (u32 i = 0; i < w.nr; i++)
			line(m, nr, w.found[i], family);
}

void net_show_tcp(struct seq_file *m, struct net *net)
{
	struct inet_table *table = &net->tcp->table;
	u32 nr = 0;

	seq_setwidth(m, WIDTH);
	seq_puts(
		m,
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode");
	seq_pad(m, '\n');
	walk(m, table, true, AF_INET, &nr);
	walk(m, table, false, AF_INET, &nr);
}

void net_show_tcp6(struct seq_file *m, struct net *net)
{
	struct inet_table *table = &net->tcp->table;
	u32 nr = 0;

	seq_puts(
		m,
		"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
	walk(m, table, true, AF_INET6, &nr);
	walk(m, table, false, AF_INET6, &nr);
}

static u32 count_full(struct inet_table *t, bool bound)
{
	struct inet_walk w = { .table = t, .bound = bound, .family = AF_INET };
	u32 n = 0;

	while (inet_walk_next(&w))
		for (u32 i = 0; i < w.nr; i++)
			n += w.found[i]->kind == INET_FULL;
	return n;
}

void tcp_show_sockstat(struct seq_file *m, struct net *net)
{
	struct inet_table *t = &net->tcp->table;

	seq_printf(m, "TCP: inuse %u orphan %d tw %d alloc %d mem %ld\n",
		   count_full(t, true) + count_full(t, false), atomic_read(&tcp_orphans),
		   atomic_read(&net->tcp->nr_timewait), atomic_read(&tcp_allocated),
		   tcp_mem_pages());
}
