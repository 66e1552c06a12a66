// SPDX-License-Identifier: MIT
/* Options of TCP (tcp(7)). All are set and read by the owner. */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include "net/tcp/tcp_priv.h"

#define CC_NAME 16		/* TCP_CA_NAME_MAX */
#define MOST_KEEP_S 32767u
#define MOST_KEEP_PROBES 127u
#define MOST_SYN_TRIES 127u
#define MOST_LINGER2_S 120
#define LEAST_CLAMP 1152u	/* a window that no scale makes 0 */

static int set_number(u32 *to, u32 v, u32 least, u32 most)
{
	if (v < least || v > most)
		return -EINVAL;
	*to = v;
	return 0;
}

static int set_cc(struct tcp_sock *t, struct uptr val, int len)
{
	const struct tcp_cc *cc;
	char name[CC_NAME] = "";

	if (len < 1)
		return -EINVAL;
	if (copy_from_user(name, val, (size_t)min(len, CC_NAME - 1)))
		return -EFAULT;
	cc = tcp_cc_find(name);
	if (!cc)
		return -ENOENT;
	lock_sock(&t->inet.sk);
	t->cc = cc;
	cc->init(t);
	release_sock(&t->inet.sk);
	return 0;
}

static int set_keepidle(struct tcp_sock *t, u32 v)
{
	int e = set_number(&t->keep_idle_s, v, 1, MOST_KEEP_S);

	if (!e && sock_flag(&t->inet.sk, SOCK_F_KEEPALIVE))
		tcp_keepalive(&t->inet.sk, true);
	return e;
}

/* 1: no delays from now on; 0: as traffic asks for. */
static void set_quickack(struct tcp_sock *t, bool on)
{
	t->pingpong = !on;
	t->quickacks = on ? TCP_QUICKACKS : 0;
	if (on && t->rcv_nxt != t->rcv_wup && tcp_state_in(t, TCPS(ESTABLISHED) | TCPS(CLOSE_WAIT)))
		tcp_send_ack(t);
}

/* How long a request has lasted after TRIES timeouts, each twice as long as the one before. */
static u32 seconds_of(u8 tries)
{
	u32 all = 0;

	for (u8 i = 0; i < tries; i++)
		all += min(1u << min_t(u8, i, 7), TCP_RTO_MAX_US / 1000000u);
	return all;
}

static u8 tries_of(u32 seconds)
{
	u8 n = 0;

	while (n < U8_MAX && seconds_of(n) < seconds)
		n++;
	return n;
}

/* Owner. */
static int set_locked(struct tcp_sock *t, int name, u32 v)
{
	u32 n = 0;
	int e;

	switch (name) {
	case TCP_NODELAY:
		t->nodelay = v;
		if (v && t->send_head)
			tcp_push(t, TCP_PUSH_NOW);
		return 0;
	case TCP_CORK:
		t->corked = v;
		if (!v && t->send_head)
			tcp_push(t, t->nodelay ? TCP_PUSH_NOW : TCP_PUSH_NAGLE);
		return 0;
	case TCP_MAXSEG:
		if (v && (v < TCP_MSS_MIN || v > 32767))
			return -EINVAL;
		WRITE_ONCE(t->user_mss, (u16)v);	/* for handshakes to come */
		return 0;
	case TCP_KEEPIDLE:
		return set_keepidle(t, v);
	case TCP_KEEPINTVL:
		return set_number(&t->keep_intvl_s, v, 1, MOST_KEEP_S);
	case TCP_KEEPCNT:
		return set_number(&t->keep_probes, v, 1, MOST_KEEP_PROBES);
	case TCP_SYNCNT:
		e = set_number(&n, v, 1, MOST_SYN_TRIES);
		if (!e)
			t->syn_retries = (u8)n;
		return e;
	case TCP_LINGER2:
		t->linger2_s = (int)v < 0 ? -1 : (int)v > MOST_LINGER2_S ? MOST_LINGER2_S : (int)v;
		return 0;
	case TCP_DEFER_ACCEPT:
		WRITE_ONCE(t->defer_tries, tries_of((int)v > 0 ? v : 0));
		return 0;
	case TCP_WINDOW_CLAMP:
		if (!v && !tcp_state_in(t, TCPS(CLOSE)))
			return -EINVAL;
		t->window_clamp = v ? max(v, LEAST_CLAMP) : 0;
		return 0;
	case TCP_QUICKACK:
		set_quickack(t, v & 1);
		return 0;
	case TCP_USER_TIMEOUT:
		if ((int)v < 0)
			return -EINVAL;
		t->user_timeout_ms = v;
		return 0;
	case TCP_NOTSENT_LOWAT:
		t->notsent_lowat = v;
		tcp_wake_writer(t);
		return 0;
	case TCP_INQ:
		if (v > 1)
			return -EINVAL;
		t->inq = v;
		return 0;
	}
	return -ENOPROTOOPT;
}

int tcp_setsockopt(struct socket *s, int level, int name, struct uptr val, int len)
{
	struct tcp_sock *t = tcp_sk(s->sk);
	struct net_ctx ctx;
	u32 v;
	int e;

	if (level != IPPROTO_TCP) {
		e = inet_setsockopt(s, level, name, val, len);
		if (!e && level == IPPROTO_IP && name == IP_OPTIONS) {
			lock_sock(&t->inet.sk);
			tcp_sync_mss(t);	/* they take room in each segment */
			release_sock(&t->inet.sk);
		}
		return e;
	}
	if (name == TCP_CONGESTION)
		return set_cc(t, val, len);
	if (name == TCP_ULP)
		return -ENOENT;
	e = sock_get_int_option(&v, val, len);
	if (e)
		return e;
	net_ctx_begin(&ctx);
	lock_sock(s->sk);
	e = set_locked(t, name, v);
	release_sock(s->sk);
	net_ctx_end(&ctx);
	return e;
}

/* ---- asking ---- */

int tcp_get_socket_option(struct sock *sk, int name, struct uptr val, struct uptr len)
{
	s32 v;

	if (name == SO_ACCEPTCONN)
		v = READ_ONCE(sk->state) == TCPS_LISTEN;
	else
		return -ENOIOCTLCMD;
	return sock_put_option(&v, sizeof(v), val, len);
}

static u32 ms_since(u64 ns, u64 now)
{
	return ns && now > ns ? (u32)((now - ns) / NSEC_PER_MS) : 0;
}

/* What the peer was told that we take, without the options that each of its segments has. */
static u32 advertised(const struct tcp_sock *t)
{
	bool stamps = t->ts_ok && !tcp_state_in(t, TCPS(SYN_SENT));

	return t->advmss - (stamps && t->advmss ? TCP_STAMP_LEN : 0);
}

/* TCP_CA_*. */
static u8 ca_state(const struct tcp_sock *t)
{
	switch (t->recovery) {
	case TCP_REC_CWR:
		return TCP_CA_CWR;
	case TCP_REC_RECOVERY:
		return TCP_CA_Recovery;
	case TCP_REC_LOSS:
		return TCP_CA_Loss;
	}
	return t->sacked_out ? TCP_CA_Disorder : TCP_CA_Open;
}

static void fill_limits(const struct tcp_sock *t, struct tcp_info *i)
{
	i->tcpi_rwnd_limited = tcp_limit_ns(t, TCP_L_WINDOW) / NSEC_PER_USEC;
	i->tcpi_sndbuf_limited = tcp_limit_ns(t, TCP_L_BUFFER) / NSEC_PER_USEC;
	i->tcpi_busy_time = i->tcpi_rwnd_limited + i->tcpi_sndbuf_limited +
			    tcp_limit_ns(t, TCP_L_BUSY) / NSEC_PER_USEC;
}

void tcp_fill_info(const struct tcp_sock *t, struct tcp_info *i)
{
	u64 now = ktime_get_ns();

	*i = (struct tcp_info){
		.tcpi_state = t->inet.sk.state,
		.tcpi_retransmits = t->retries,
		.tcpi_probes = (u8)t->keep_sent,
		.tcpi_backoff = t->backoff,
		.tcpi_ca_state = ca_state(t),
		.tcpi_options =
			(u8)((t->ts_ok ? TCPI_OPT_TIMESTAMPS : 0) |
			     (t->sack_ok ? TCPI_OPT_SACK : 0) |
			     (t->wscale_ok ? TCPI_OPT_WSCALE : 0) | (t->ecn_ok ? TCPI_OPT_ECN : 0)),
		.tcpi_snd_wscale = t->snd_wscale & 15,
		.tcpi_rcv_wscale = t->rcv_wscale & 15,
		.tcpi_rto = t->rto_us << min_t(u8, t->backoff, 10),
		.tcpi_ato = (u32)(TCP_DELACK_NS / 1000),
		.tcpi_snd_mss = t->mss,
		.tcpi_rcv_mss = t->rcv_mss,
		.tcpi_unacked = t->packets_out,
		.tcpi_sacked = t->sacked_out,
		.tcpi_lost = t->lost_out,
		.tcpi_retrans = t->retrans_out,
		.tcpi_last_data_sent = ms_since(t->last_data_tx_ns, now),
		.tcpi_last_data_recv = ms_since(t->last_data_rx_ns, now),
		.tcpi_last_ack_recv = ms_since(t->last_rx_ns, now),
		.tcpi_pmtu = inet_sock_mtu(&t->inet),
		.tcpi_rcv_ssthresh = t->rcv_wnd,
		.tcpi_rtt = t->srtt8 >> 3,
		.tcpi_rttvar = t->rttvar4 >> 2,
		.tcpi_snd_ssthresh = t->ssthresh,
		.tcpi_snd_cwnd = t->cwnd,
		.tcpi_advmss = advertised(t),
		.tcpi_reordering = t->reordering,
		.tcpi_rcv_space = (u32)t->inet.sk.rcvbuf / 2,
		.tcpi_total_retrans = t->total_retrans,
		.tcpi_pacing_rate = tcp_send_rate(t),
		.tcpi_max_pacing_rate = t->inet.sk.pacing_rate,
		.tcpi_bytes_acked = t->bytes_acked,
		.tcpi_bytes_received = t->bytes_received,
		.tcpi_segs_out = t->segs_out,
		.tcpi_segs_in = t->segs_in,
		.tcpi_notsent_bytes = t->write_seq - t->snd_nxt,
		.tcpi_min_rtt = t->min_rtt_us,
		.tcpi_data_segs_in = t->data_segs_in,
		.tcpi_data_segs_out = t->data_segs_out,
		.tcpi_delivered = (u32)t->delivered,
		.tcpi_bytes_sent = t->bytes_sent,
		.tcpi_bytes_retrans = t->bytes_retrans,
		.tcpi_dsack_dups = t->copies,
		.tcpi_reord_seen = t->rack_disorder,
		.tcpi_snd_wnd = t->snd_wnd,
		.tcpi_rcv_wnd = t->rcv_wnd,
	};
	fill_limits(t, i);
	if (t->inet.sk.state == TCPS_LISTEN) {
		i->tcpi_unacked = t->accept_len;
		i->tcpi_sacked = t->accept_max;
	}
}

static int get_info(struct tcp_sock *t, struct uptr val, struct uptr len)
{
	struct tcp_info i;

	lock_sock(&t->inet.sk);
	tcp_fill_info(t, &i);
	release_sock(&t->inet.sk);
	return sock_put_option(&i, sizeof(i), val, len);
}

/* The options that are a number: what TCP_NAME is now. -ENOIOCTLCMD: NAME is none of them. */
static s32 get_number(const struct tcp_sock *t, int name)
{
	const struct tcp_net *n = tcp_net(t);

	switch (name) {
	case TCP_NODELAY:
		return t->nodelay;
	case TCP_CORK:
		return t->corked;
	case TCP_MAXSEG:
		return tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN)) ?
			       t->user_mss ?: TCPC_MSS_DEFAULT :
			       t->mss;
	case TCP_KEEPIDLE:
		return (s32)(t->keep_idle_s ?: (u32)n->keep_time);
	case TCP_KEEPINTVL:
		return (s32)(t->keep_intvl_s ?: (u32)n->keep_intvl);
	case TCP_KEEPCNT:
		return (s32)(t->keep_probes ?: (u32)n->keep_probes);
	case TCP_SYNCNT:
		return t->syn_retries ?: n->syn_retries;
	case TCP_LINGER2:
		return t->linger2_s ?: n->fin_timeout;
	case TCP_DEFER_ACCEPT:
		return (s32)seconds_of(t->defer_tries);
	case TCP_WINDOW_CLAMP:
		return (s32)t->window_clamp;
	case TCP_QUICKACK:
		return !t->pingpong;
	case TCP_USER_TIMEOUT:
		return (s32)t->user_timeout_ms;
	case TCP_NOTSENT_LOWAT:
		return (s32)t->notsent_lowat;
	case TCP_INQ:
		return t->inq;
	case TCP_FASTOPEN:
		return 0;
	}
	return -ENOIOCTLCMD;
}

int tcp_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr len)
{
	struct tcp_sock *t = tcp_sk(s->sk);
	char cc[CC_NAME] = "";
	s32 v = 0;

	if (level != IPPROTO_TCP)
		return inet_getsockopt(s, level, name, val, len);
	switch (name) {
	case TCP_INFO:
		return get_info(t, val, len);
	case TCP_CONGESTION:
		strscpy(cc, t->cc->name, sizeof(cc));
		return sock_put_option(cc, sizeof(cc), val, len);
	case TCP_ULP:
	case TCP_CC_INFO:	/* neither CUBIC nor Reno tells anything */
		return sock_put_option(&v, 0, val, len);
	}
	v = get_number(t, name);
	return v == -ENOIOCTLCMD ? -ENOPROTOOPT : sock_put_option(&v, sizeof(v), val, len);
}
