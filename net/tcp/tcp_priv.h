/* SPDX-License-Identifier: MIT */
/*
 * TCP (RFC 9293) between its files.
 *
 * A connection's state belongs to its owner (lock_sock()), or to the holder of sk->lock while there
 * is none; letters as in net/sock.h. Packets, timers and calls all come to it that way, so that
 * there is no lock of TCP's own.
 *
 * Sequence numbers: snd_una <= snd_nxt <= write_seq; copied_seq <= rcv_nxt, copied_seq is what the
 * program has read. Send queue: sndq holds payload packets from snd_una on, in order; those before
 * send_head were sent, and are in the tree `sent` too. A segment is sent as a clone with a header.
 * Receive queue: sk->queue.rx, in order; packets that came early are in the tree `early`.
 *
 * Half-open connections of a listener (struct tcp_request) and TIME-WAIT (struct tcp_timewait) are
 * small types in the table of connections.
 *
 * Timers run in a thread (sched/wheel.h); an armed timer holds a reference of the sock. One that
 * finds the sock owned leaves a mark in `deferred`, and release_sock() does the work.
 */
#pragma once

#include <lib/rbtree.h>
#include <net/netdev.h>
#include <net/packet.h>
#include <net/sock.h>
#include <sched/wheel.h>
#include <linux/tcp.h>
#include "net/inet/inet_priv.h"
#include "net/tcp/count.h"
#include "net/wire/tcp.h"

#define NSEC_PER_MS 1000000ull
#define TCPC_RTO_MIN_US 200000u
#define TCPC_RTO_LEAST_US 1000u	/* whatever net.ipv4.tcp_rto_min_us says */
#define TCP_RTO_MAX_US 120000000u
#define TCP_RTO_INIT_US 1000000u
#define TCP_DELACK_NS (40 * NSEC_PER_MS)
#define TCP_TIMEWAIT_NS (60000 * NSEC_PER_MS)
#define TCP_MSS_MIN 88			/* the least that a peer can make us use */
#define TCPC_MSS_DEFAULT 536
#define TCP_INIT_CWND 10
#define TCP_ORPHAN_TRIES 8
#define TCP_QUICKACKS 16

/* States, with the numbers that programs see (TCP_INFO, /proc/net/tcp). */
enum tcp_state {
	TCPS_ESTABLISHED = 1,
	TCPS_SYN_SENT,
	TCPS_SYN_RECV,
	TCPS_FIN_WAIT1,
	TCPS_FIN_WAIT2,
	TCPS_TIME_WAIT,
	TCPS_CLOSE,
	TCPS_CLOSE_WAIT,
	TCPS_LAST_ACK,
	TCPS_LISTEN,
	TCPS_CLOSING,
};
#define TCPS(s) (1u << TCPS_##s)

/* In p->cb of packets in sndq, rx and early. */
struct tcp_cb {
	struct rb_node rb;
	struct list_head tx;		/* of one that was sent: tcp_sock's in_flight or lost */
	u64 tx_ns;			/* when it was sent last */
	u32 seq, end;
	u8 flags;			/* TCP_FIN, TCP_SYN, TCP_PSH */
	u8 mark;			/* TCPM_* */
	u8 sent;			/* how often */
	u32 stamp_seq;			/* with TCPM_STAMP: of the byte that it is about */
};
static inline struct tcp_cb *tcp_cb(struct packet *p)
{
	return (struct tcp_cb *)p->cb;
}

static inline struct packet *tcp_packet_of(struct rb_node *n)
{
	return n ? (struct packet *)((u8 *)rb_entry(n, struct tcp_cb, rb) -
				     offsetof(struct packet, cb)) :
		   NULL;
}

_Static_assert(sizeof(struct tcp_cb) <= PACKET_CB, "fits");
#define TCPM_SACKED 1
#define TCPM_LOST 2
#define TCPM_RETRANS 4			/* sent again, and that copy may still be in flight */
#define TCPM_EVER 8			/* was ever sent again: says nothing of round trips */
#define TCPM_EOR 16			/* nothing is added to it (MSG_EOR) */
#define TCPM_STAMP 32			/* times of it are told of (SO_TIMESTAMPING) */

/* CWR: nothing is lost, but cwnd shrinks as the network says that it is full (ECN). */
enum tcp_recovery { TCP_REC_OPEN, TCP_REC_CWR, TCP_REC_RECOVERY, TCP_REC_LOSS };
enum tcp_deferred { TCP_D_RTO, TCP_D_DELACK, TCP_D_KEEP, TCP_D_MTU, TCP_D_PUSH };

struct tcp_cc;

struct tcp_sock {
	struct inet_sock inet;		/* first */

	/* sending: o */
	u32 snd_una, snd_nxt, write_seq, snd_wl1, snd_wnd, max_window, snd_up, isn;
	u32 reuse_isn;			/* of one that takes the place of TIME-WAIT; 0: none */
	struct packet_list sndq;
	struct packet *send_head;	/* the first that was never sent; NULL: none */
	struct rb_root sent;
	/*
	 * Each that was sent and is not SACKed is in one of two lists: what was sent, in the order
	 * of tx_ns; what is lost and was not sent again.
	 */
	struct list_head in_flight, lost;
	u32 packets_out, sacked_out, lost_out, retrans_out;
	u16 mss;			/* payload of a segment now, options taken off */
	u16 mss_peer;			/* what the peer takes: its option, or the default */
	u16 user_mss;			/* TCP_MAXSEG */
	u16 advmss;			/* what our SYN told; 0: there was none */
	u32 tso;	/* payload that goes to the device in one packet: whole segments, or one */
	u8 snd_wscale, rcv_wscale;
	bool wscale_ok, sack_ok, ts_ok;
	bool nodelay, corked;
	u32 notsent_lowat;		/* 0: the namespace's */
	u32 push_seq;			/* behind the last byte that has PSH, or may have it */
	bool inq;			/* TCP_INQ: a reader hears how much is left */

	u64 pace_next_ns;		/* SO_MAX_PACING_RATE: nothing goes before */
	u32 mem_pages;			/* reserved for what both queues hold */
	bool mem_short;	/* memory was refused: the writer waits for an acknowledgement */
	bool room_wanted;	/* plain: a writer waits, or polls, as the buffer is full */

	/* congestion: o */
	const struct tcp_cc *cc;
	u64 cc_state[8];
	u32 cwnd, cwnd_count, ssthresh, high_seq;
	u8 recovery;			/* enum tcp_recovery */
	/*
	 * cwnd.c: in the round trip until cwnd_round_end cwnd was the limit; if not, as many
	 * segments were in flight at most
	 */
	bool cwnd_limited;
	u32 cwnd_peak, cwnd_round_end;
	/* prr.c: cwnd when it began to shrink; segments that arrived and that went since */
	u32 prr_cwnd, prr_delivered, prr_out;
	/* ecn.c: both ends speak ECN; the peer is to hear of CE; the next new segment has CWR */
	bool ecn_ok, ecn_echo, ecn_cwr;
	bool fast; /* recovery has begun or gone on: one lost segment goes whatever is in flight */
	/*
	 * undo.c: what cwnd and ssthresh were before this recovery (0: nothing to undo); segments
	 * sent again since, and copies that the peer told of; the first one, and when
	 */
	u32 undo_cwnd, undo_ssthresh, undo_sent, undo_copies, undo_seq, undo_ts;
	bool undo_late;		/* it began with a segment that others overtook */
	/*
	 * rack.c: when the latest sent of those that arrived was sent, its end; the last round
	 * trip; the highest end that arrived, and with this ACK; segments that arrived below it
	 */
	u64 rack_ns, rack_rtt_ns;
	u32 rack_end, rack_top, rack_top_new, rack_disorder;
	/* segments by which the latest of those was late; as many dupacks are no loss */
	u32 reordering;
	u64 rack_wait_ns;		/* until the next may be lost; 0: none waits */
	u32 copies;			/* of segments sent again, that the peer told of */
	u32 rack_round_end;		/* of the round trip in which rack_more grew */
	u8 rack_more, rack_persist;	/* quarters that the window grew by; recoveries to last */
	bool rack_late;			/* this ACK told of one that others overtook */
	bool rack_round, rack_next;	/* rto_timer is for the window's end */
	/*
	 * A loss probe (probe.c): rto_timer is for one; one is out, at this end of what was sent.
	 */
	bool probe_next, probe_out, probe_again;
	u32 probe_end;
	/* the blocks of the last ACK that had any: all that lies in them is marked */
	struct tcp_sack sacked[TCP_SACK_BLOCKS];
	u8 nr_sacked;
	u32 total_retrans, dupacks;
	u64 delivered;

	/* round trips: o; in us, srtt 8 times as large, rttvar 4 */
	u32 srtt8, rttvar4, rto_us, min_rtt_us;
	u32 rto_min_us; /* net.ipv4.tcp_rto_min_us when the socket, or its listener, was made */
	u8 backoff, retries;
	u64 stuck_since_ns; /* since when nothing is acknowledged; 0: nothing is sent again */

	/* receiving: o */
	u32 rcv_nxt, rcv_wup, rcv_wnd, copied_seq, window_clamp;
	u32 route_window;		/* RTAX_WINDOW when the connection began; 0: none */
	struct rb_root early;
	struct tcp_sack recent[TCP_SACK_BLOCKS];	/* what came early, the latest first */
	u8 nr_recent;
	struct tcp_sack dsack;		/* what came twice; begin == end: nothing to tell */
	u32 ts_recent, ts_offset;
	u64 ts_recent_ns;
	u32 rcv_mss;			/* what the peer seems to send at a time */
	u8 quickacks;
	/* since the last ACK: 1: a segment that may be the last for now, 2: more than one */
	u8 pushed;
	bool pingpong, ack_now;
	/* a segment within the window was dropped: the next window is 0, whatever was promised */
	bool no_room;
	u32 urg_seq;
	/* a mark lies ahead, or was not passed; its byte is here; it was read */
	bool urg_valid, urg_have, urg_read;
	u8 urg_byte;
	u64 drs_begin_ns; /* the receive buffer's tuning: bytes read within a round trip */
	u32 drs_seq;

	/*
	 * Segments may go that a packet let go: o. They go behind the section of its reception, at
	 * most NET_BATCH at a time, by `after` or push_timer.
	 */
	bool push_wanted;
	bool push_queued; /* sk->lock: `after` is in a context, and holds a reference */
	struct net_after after;

	/* timers */
	struct wheel_timer rto_timer, delack_timer, keep_timer, push_timer;
	atomic_long_t deferred;		/* enum tcp_deferred */
	u64 last_rx_ns, last_tx_ns, last_data_rx_ns, last_data_tx_ns;
	/* limit.c: why no more goes now, since when; ns spent with each reason but the first */
	u8 limit;			/* enum tcp_limit */
	u64 limit_since_ns, limit_ns[3];
	u32 keep_idle_s, keep_intvl_s, keep_probes, keep_sent;	/* 0: the namespace's */
	u32 user_timeout_ms;
	int linger2_s;
	u8 syn_retries;
	bool connecting;		/* o: no connect(2) has told yet how it ended */
	bool is_orphan;			/* o: counted as one */
	bool was_hashed;		/* o: left a table, and nothing has been waited for since */
	u32 challenges;			/* within the second that begins at challenge_ns */
	u64 challenge_ns;

	/* a listener: sk->lock */
	struct list_head accept_queue;	/* children by accept_node */
	struct list_head requests;	/* struct tcp_request by node */
	u32 accept_len, accept_max, nr_requests;
	u64 cookie_ns;			/* w: when a cookie was sent last; 0: never */
	bool flood_told;		/* w: the log has a line of it */
	u8 defer_tries;			/* TCP_DEFER_ACCEPT, as timeouts of a request */
	/* of a child: its listener's lock; empty: it is in no queue */
	struct list_head accept_node;

	/* counters: o */
	u64 bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	u32 segs_in, segs_out, data_segs_in, data_segs_out;
};

static inline struct tcp_sock *tcp_sk(const struct sock *sk)
{
	return (struct tcp_sock *)sk;
}

static inline struct sock *tcp_sock_of(struct tcp_sock *t)
{
	return &t->inet.sk;
}

struct tcp_request {
	struct inet_entry e;		/* first */
	struct inet6_pair v6;		/* what e.v6 points to */
	struct rcu_head rcu;
	struct tcp_sock *listener;	/* referenced */
	struct list_head node;		/* the listener's lock; empty: it gave it up */
	struct wheel_timer timer;	/* armed: holds a reference */
	u32 rcv_isn, snd_isn, ts_recent, ts_offset, rcv_wnd;
	u16 mss, mss_peer;		/* what each end takes: ours is told in the SYN-ACK */
	u8 snd_wscale, rcv_wscale, tries;
	bool wscale_ok, sack_ok, ts_ok, ecn_ok;
	bool acked;			/* the peer has answered, without data */
	bool was_sent;
	u64 answered_ns; /* when a stray segment without data was answered last; 0: never */
	u64 sent_ns;			/* of the SYN-ACK; 0: it went more than once, or never */
	bool is_cookie;			/* in no table and no list: nothing is kept of it */
};

struct tcp_timewait {
	struct inet_entry e;		/* first */
	struct inet6_pair v6;		/* what e.v6 points to */
	struct rcu_head rcu;
	struct wheel_timer timer;	/* armed: holds a reference */
	struct inet_tie tie;
	u32 snd_nxt, rcv_nxt, rcv_wnd, ts_recent, ts_offset;
	u64 entered_ns;
	u8 rcv_wscale;
	u64 answered_ns;		/* when an ACK that carried nothing was answered last */
	bool ts_ok, fin_wait2;
};

/* opt.c, by the owner: what TCP_INFO shows. */
struct tcp_info;
void tcp_fill_info(const struct tcp_sock *t, struct tcp_info *i);

/* Congestion control. All by the owner. */
struct tcp_cc {
	const char *name;
	void (*init)(struct tcp_sock *t);
	u32 (*ssthresh)(struct tcp_sock *t);	/* upon loss: the new slow-start threshold */
	/* ACKED segments arrived; cwnd was the limit */
	void (*avoid)(struct tcp_sock *t, u32 acked);
	void (*timeout)(struct tcp_sock *t);		/* a retransmission timeout */
	void (*rtt)(struct tcp_sock *t, u32 rtt_us);	/* a round trip was measured; NULL */
};
extern const struct tcp_cc tcp_reno, tcp_cubic;
const struct tcp_cc *tcp_cc_find(const char *name);
/* Grows cwnd towards ssthresh; returns the part of ACKED that is left for congestion avoidance. */
u32 tcp_slow_start(struct tcp_sock *t, u32 acked);
/* Grows cwnd by one segment for each W that arrive. */
void tcp_grow_by(struct tcp_sock *t, u32 w, u32 acked);

struct tcp_net {
	struct inet_table table;
	atomic_t nr_timewait;
	int rmem[3], wmem[3];		/* least, at first, most: bytes */
	int syn_backlog, fin_timeout, keep_time, keep_intvl, keep_probes, syn_retries,
		synack_retries, retries2, window_scaling, sack, timestamps, abort_on_overflow,
		max_timewait, syncookies, early_retrans, tw_reuse, tw_reuse_delay_ms, min_tso_segs,
		tso_win_divisor, tso_rtt_log, pacing_ss_ratio, pacing_ca_ratio,
		slow_start_after_idle, dsack, reordering, ecn, ecn_fallback, rto_min_us, rfc1337,
		moderate_rcvbuf, no_metrics_save;
	u32 notsent_lowat;
	const struct tcp_cc *cc;	/* of new sockets */
};
static inline struct tcp_net *tcp_net(const struct tcp_sock *t)
{
	return t->inet.sk.net->tcp;
}

static inline bool before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool after(u32 a, u32 b)
{
	return before(b, a);
}

static inline u32 tcp_in_flight(const struct tcp_sock *t)
{
	return t->packets_out - t->sacked_out - t->lost_out + t->retrans_out;
}

static inline u32 tcp_rcv_right(const struct tcp_sock *t)
{
	return t->rcv_wup + t->rcv_wnd;
}

static inline bool tcp_state_in(const struct tcp_sock *t, u32 states)
{
	return 1u << t->inet.sk.state & states;
}

/* The clock of timestamps at NS of ktime_get_ns(). */
static inline u32 tcp_ms(u64 ns)
{
	return (u32)(ns / NSEC_PER_MS);
}

static inline u32 tcp_clock_ms(void)
{
	return tcp_ms(ktime_get_ns());
}

static inline bool tcp_deferred_test_clear(struct tcp_sock *t, enum tcp_deferred d)
{
	return (u64)atomic_long_fetch_andnot(1l << d, &t->deferred) >> d & 1;
}

/* sock.c */
extern struct inet_type tcp_type;
extern atomic_t tcp_orphans, tcp_allocated;	/* the machine's: without a program; all */
extern int tcp_max_orphans; /* how many connections without a program there may be, the machine's */
void tcp_set_state(struct tcp_sock *t, enum tcp_state s);
/*
 * The connection is over, with error ERR (positive; 0: none): it is in no table, has no timer, and
 * waiters are awake. Owner or sk->lock.
 */
void tcp_done(struct tcp_sock *t, int err);
/*
 * T has no peer and listens no more: a RST tells the peer, if there is one, and ECONNRESET waits
 * for the program where that or a SYN went. It may connect or listen again. Owner.
 */
void tcp_disconnect(struct tcp_sock *t);
/* tcp_done() for that: neither direction is shut. */
void tcp_done_for_now(struct tcp_sock *t);
/* The same after a RST, where the peer may not know. */
void tcp_abort(struct tcp_sock *t, int err);
/* A new socket with the listener's settings, without owner. Atomic. NULL: no memory. */
struct tcp_sock *tcp_child(struct tcp_sock *listener);
void tcp_make_keys(void);	/* at boot, before the two below */
u32 tcp_make_isn(struct net *net, be32 local, be16 lport, be32 peer, be16 pport);
u32 tcp_make_ts_offset(struct net *net, be32 local, be32 peer);
/* P of sndq, whose truesize WAS another, counts for what it is. */
void tcp_recount(struct tcp_sock *t, const struct packet *p, u32 was);
/* P, in sndq no more, is freed. */
void tcp_free_sent(struct tcp_sock *t, struct packet *p);
bool tcp_may_write(const struct tcp_sock *t);
/*
 * A third of the buffer is free, and half of TCP_NOTSENT_LOWAT: a writer that is woken for less
 * would come for each segment.
 */
bool tcp_has_room(const struct tcp_sock *t);
void tcp_wake_writer(struct tcp_sock *t);
void tcp_may_hash(struct tcp_sock *t);
/* Unread and early packets go. */
void tcp_purge_received(struct tcp_sock *t);

/* out.c */
int tcp_transmit(struct tcp_sock *t, struct packet *p);		/* a segment of sndq, maybe again */
enum tcp_push {
	TCP_PUSH_NAGLE,			/* as the options say */
	TCP_PUSH_NOW,			/* small segments, too */
	TCP_PUSH_CORK,			/* no small one, whatever the options say */
};
/*
 * All that windows and Nagle allow. By the owner, as it may be much: within a section of packets
 * push_wanted is set instead.
 */
void tcp_push(struct tcp_sock *t, enum tcp_push how);
void tcp_send_ack(struct tcp_sock *t);
void tcp_send_probe(struct tcp_sock *t); /* an old sequence number that is answered by an ACK */
bool tcp_send_window_probe(struct tcp_sock *t);	/* false: no memory */
void tcp_send_fin(struct tcp_sock *t);
void tcp_send_reset(struct tcp_sock *t);
/* SYN or SYN-ACK of a full sock: queued as the first packet and sent. 0 or -errno. */
int tcp_start_syn(struct tcp_sock *t);
/* SO_MAX_PACING_RATE: nothing may go yet, and push_timer sends when it may. */
bool tcp_is_paced(struct tcp_sock *t);

/* One segment of new data within the peer's window, whatever cwnd is. False: there is none. */
bool tcp_send_one(struct tcp_sock *t);
/* Lost segments and new ones, NET_BATCH together at most; push_wanted: more could go. */
void tcp_push_batch(struct tcp_sock *t);
/* A header before P's payload, with the sum of the pseudo header in place. */
void tcp_put_header(struct packet *p, const struct inet_entry *e, u32 seq, u32 ack, u8 flags,
		    u16 window, u16 urgent, const struct tcp_tx_options *o);

/* again.c */
int tcp_retransmit(struct tcp_sock *t, struct packet *p);
/* At most MOST of them; where more could go, push_wanted is set. What is left of MOST. */
u32 tcp_retransmit_lost(struct tcp_sock *t, u32 most);
/*
 * The way takes shorter packets than it did: the route is asked again, and what was too long goes
 * again. Owner or sk->lock.
 */
void tcp_mtu_changed(struct tcp_sock *t);

/* reply.c */
/* A RST in answer to S, for which there is no socket. Within RCU. */
void tcp_reply_reset(struct net *net, struct packet *p, const struct tcp_seg *s);
/* A segment without data of a connection that is no full sock. Within RCU. */
void tcp_reply(const struct inet_entry *e, u32 seq, u32 ack, u8 flags, u16 window,
	       const struct tcp_tx_options *o);

/* out.c and size.c */
u32 tcp_space(const struct tcp_sock *t);	/* payload that the receive buffer has room for */
/* less room than this is told of as none (RFC 9293, 3.8.6.2.2) */
u32 tcp_silly_window(const struct tcp_sock *t);
/* The scale that lets the largest receive buffer be told of. */
u8 tcp_choose_wscale(const struct tcp_net *n);
/* What a first window is, at most 65535, by a route that says at most ROUTE (0: nothing). */
u32 tcp_first_window(const struct tcp_sock *t, u32 route);
/* By a route of MTU and ADVMSS (0: not set), with HEADER bytes of IP header. */
u16 tcp_advertised_mss(const struct tcp_sock *t, u32 mtu, u32 advmss, u32 header);
/*
 * How long the peer that said SYN takes segments, and T's program has them (TCP_MAXSEG, of then).
 */
u16 tcp_agreed_mss(const struct tcp_sock *t, const struct tcp_seg *syn);
void tcp_sync_mss(struct tcp_sock *t);
/*
 * Payload bytes of the longest packet that T's device takes as one: whole segments, one at least.
 */
u32 tcp_tso_bytes(struct tcp_sock *t);
/* The same of one that goes now: no more than a millisecond's, nor half of cwnd. */
u32 tcp_burst_bytes(struct tcp_sock *t);
/* Bytes a second that the window, or SO_MAX_PACING_RATE, lets go; ~0: not known yet. */
u64 tcp_send_rate(const struct tcp_sock *t);
/*
 * Payload that a packet of sndq is filled with: a segment, or as much as goes to the device as one.
 */
static inline u32 tcp_goal(const struct tcp_sock *t)
{
	u32 tso = t->tso < t->max_window / 2 ? t->tso : t->max_window / 2;

	return likely(t->tso <= t->mss) || tso <= t->mss ? t->mss : tso / t->mss * t->mss;
}

bool tcp_fragment(struct tcp_sock *t, struct packet *p, u32 len) __must_check;

/* in.c */
/* owner or sk->lock; within RCU; consumes P */
void tcp_input(struct tcp_sock *t, struct packet *p, const struct tcp_seg *s);
/*
 * No program has T, and the peer's FIN alone is missing: something small waits for it. T is gone.
 */
void tcp_await_fin(struct tcp_sock *t);
/* windows, clocks and buffers of one that becomes ESTABLISHED */
void tcp_established(struct tcp_sock *t);
u32 tcp_sack_options(struct tcp_sock *t, struct tcp_tx_options *o, u32 room);

/* ack.c: acknowledgements and loss */
/* S's ACK field. False: it acknowledges what was never sent. */
bool tcp_ack(struct tcp_sock *t, const struct tcp_seg *s);
void tcp_enter_loss(struct tcp_sock *t);
void tcp_rtt_sample(struct tcp_sock *t, u64 rtt_ns);
/* Or for a probe, which comes first; disarms where nothing is in flight. */
void tcp_arm_rto(struct tcp_sock *t);

void tcp_mark_lost(struct tcp_sock *t, struct tcp_cb *cb);
void tcp_enter_recovery(struct tcp_sock *t);

/* rack.c: loss by time (RFC 8985); by the owner */
/* An ACK's segments are told of one by one between these two. */
void tcp_rack_begin(struct tcp_sock *t);
void tcp_rack_arrived(struct tcp_sock *t, const struct tcp_cb *cb, u64 now);
void tcp_rack_end(struct tcp_sock *t);
void tcp_rack_copy(struct tcp_sock *t, const struct tcp_sack *b);	/* the peer has B twice */
void tcp_rack_recovered(struct tcp_sock *t);	/* a recovery is over */
/* True: something new is lost. rack_wait_ns says when to look again. */
bool tcp_rack_mark(struct tcp_sock *t, u64 now);
void tcp_rack_arm(struct tcp_sock *t);
bool tcp_rack_expired(struct tcp_sock *t);	/* rto_timer has. True: it was for this alone */

/* undo.c: a recovery begins; CB was sent again; a copy has arrived; an ACK, which may undo it. */
void tcp_undo_begin(struct tcp_sock *t);
void tcp_undo_sent(struct tcp_sock *t, const struct tcp_cb *cb);
void tcp_undo_copy(struct tcp_sock *t, const struct tcp_sack *b);
void tcp_undo_try(struct tcp_sock *t, const struct tcp_seg *s, bool progress);

/* cwnd.c: whether the window is used, and how it grows; by the owner */
/* Segments went, or none did as cwnd is the LIMIT. */
void tcp_cwnd_used(struct tcp_sock *t, bool limit);
bool tcp_cwnd_is_limited(const struct tcp_sock *t);
/* Nothing is in flight, and something may go: cwnd is what it is worth after that time. */
void tcp_cwnd_after_idle(struct tcp_sock *t);
/* ssthresh that remembers cwnd, before that shrinks for another reason than loss. */
u32 tcp_current_ssthresh(const struct tcp_sock *t);
/* It is better to wait for more room than to send a small part of what waits at P. */
bool tcp_defers(struct tcp_sock *t, const struct packet *p, u32 room);

/* prr.c: cwnd shrinks as segments arrive (RFC 6937); by the owner */
static inline bool tcp_shrinks(const struct tcp_sock *t)
{
	return t->recovery == TCP_REC_CWR || t->recovery == TCP_REC_RECOVERY;
}

/* A bound on unsent bytes is set. */
static inline bool tcp_has_lowat(const struct tcp_sock *t)
{
	return t->notsent_lowat || READ_ONCE(tcp_net(t)->notsent_lowat) != U32_MAX;
}

static inline bool tcp_recovers(const struct tcp_sock *t)
{
	return t->recovery >= TCP_REC_RECOVERY;
}

void tcp_prr_begin(struct tcp_sock *t);
/* NEWLY segments arrived; PROGRESS: snd_una is new, and no new loss was found. */
void tcp_prr_arrived(struct tcp_sock *t, u32 newly, bool progress);

/* ecn.c: explicit congestion notification (RFC 3168); by the owner */
/* Flags of the SYN that T begins with. */
u8 tcp_ecn_syn_flags(struct tcp_sock *t);
/* S answers T's SYN, which had FLAGS. */
void tcp_ecn_synack(struct tcp_sock *t, const struct tcp_seg *s, u8 flags);
/* May the request of the SYN S, in P, use it? */
bool tcp_ecn_accepts(struct tcp_net *n, struct packet *p, const struct tcp_seg *s);
/* A segment goes: flags to add to its header; P's mark. FRESH: payload that goes first now. */
u8 tcp_ecn_send(struct tcp_sock *t, struct packet *p, bool fresh);
/* Data S, in P, has arrived. */
void tcp_ecn_data(struct tcp_sock *t, struct packet *p, const struct tcp_seg *s);
/* An acceptable ACK. True: the peer says that the network is full. */
bool tcp_ecn_acked(const struct tcp_sock *t, const struct tcp_seg *s);
/* cwnd shrinks, at most once a round trip. */
void tcp_enter_cwr(struct tcp_sock *t);

/* stamp.c: times of sending (SO_TIMESTAMPING); by the owner */
int tcp_stamps(struct sock *sk, u32 flags);		/* sock_kind.stamps */
/* P has the last byte of a send(2), as its last one. */
void tcp_stamp_mark(struct tcp_sock *t, struct packet *p);
/* A packet is cut into A and B, both marked as it was. */
void tcp_stamp_cut(struct tcp_cb *a, struct tcp_cb *b);
/* P, which is marked, reached the stage TYPE (SCM_TSTAMP_*). */
void tcp_stamp(struct tcp_sock *t, const struct packet *p, u32 type);

/* limit.c: what holds sending back, for TCP_INFO; by the owner */
enum tcp_limit { TCP_L_NONE, TCP_L_BUSY, TCP_L_WINDOW, TCP_L_BUFFER };
void tcp_limit_enter(struct tcp_sock *t, enum tcp_limit l);
void tcp_limit_leave(struct tcp_sock *t, enum tcp_limit l);
/* ns spent so, up to now. */
u64 tcp_limit_ns(const struct tcp_sock *t, enum tcp_limit l);

/* probe.c: the loss of the last segments (RFC 8985, 7); by the owner */
bool tcp_may_probe(const struct tcp_sock *t);
/* ns until the first segment's timeout: something is in flight */
u64 tcp_rto_left(const struct tcp_sock *t);
/* New segments went: a probe is due soon after them. */
void tcp_arm_probe(struct tcp_sock *t);
u64 tcp_probe_us(const struct tcp_sock *t);		/* from now on */
/* rto_timer has expired. True: it was for a probe. */
bool tcp_probe_expired(struct tcp_sock *t);
/* S's ACK field has been heeded; PROGRESS: it was new, else NEWS: it tells of more. */
void tcp_probe_acked(struct tcp_sock *t, const struct tcp_seg *s, bool progress, bool news);

/* timers.c */
void tcp_timers_init(struct tcp_sock *t);
void tcp_timers_stop(struct tcp_sock *t);
void tcp_timer_arm(struct tcp_sock *t, struct wheel_timer *w, u64 ns);
void tcp_timer_cancel(struct tcp_sock *t, struct wheel_timer *w);
void tcp_release_cb(struct sock *sk);
/* sk->lock is held, push_wanted is set: this task's context, or a timer, sends. */
void tcp_queue_push(struct tcp_sock *t);
void tcp_keepalive(struct sock *sk, bool on);

/* connect.c */
int tcp_connect(struct socket *s, const struct __kernel_sockaddr_storage *a, int len, int flags);

/* listen.c */
/* within RCU; consumes P; no lock held */
void tcp_listen_rcv(struct tcp_sock *l, struct packet *p, const struct tcp_seg *s);
/* the same */
void tcp_request_rcv(struct tcp_request *q, struct packet *p, const struct tcp_seg *s);
/* Q is over: out of table, list and wheel. No lock held. */
void tcp_drop_request(struct tcp_request *q);
void tcp_entry_free(struct inet_entry *e);

/* accept.c */
int tcp_listen(struct socket *s, int backlog);
int tcp_accept(struct socket *s, struct socket *fresh, int flags);
void tcp_listen_stop(struct tcp_sock *l);	/* owner; it has left the tables */

/* cookies.c: Q, with its ends, is on the stack of the caller */
/* snd_isn becomes a cookie; options that it has no room for are off. */
void tcp_cookie_make(struct tcp_request *q);
u32 tcp_cookie_stamp(const struct tcp_request *q);	/* our timestamp in its SYN-ACK */
/* The ACK S brings one of ours, of which Q is made. False: it does not. */
bool tcp_cookie_read(struct tcp_request *q, const struct tcp_seg *s) __must_check;
void tcp_cookie_sent(struct tcp_sock *l);
bool tcp_cookie_expected(const struct tcp_sock *l);	/* L has sent one that is still good */

/* mem.c: the memory of all sockets (tcp_mem); by the owner */
extern int tcp_mem_limit[3];		/* pages: low, pressure, high; the machine's */
extern bool tcp_mem_pressure;
long tcp_mem_pages(void);
bool tcp_mem_is_out(void);		/* above the highest limit */
/* T may hold BYTES more than it does, or has to: FORCE. */
bool tcp_mem_charge(struct tcp_sock *t, u32 bytes, bool force);
void tcp_mem_release(struct tcp_sock *t);	/* T holds less than it did */
void tcp_mem_end(struct tcp_sock *t);		/* T holds nothing any more */

/* timewait.c */
/*
 * T goes; its ends stay in the table for NS. FIN_WAIT2: the peer's FIN is missing. Without memory T
 * just goes.
 */
void tcp_time_wait(struct tcp_sock *t, bool fin_wait2, u64 ns);
/* W leaves the table. */
void tcp_timewait_forget(struct tcp_timewait *w);
/*
 * W goes, as T's connection, which has its ends, can be told from it by timestamps (tcp_tw_reuse):
 * a sequence number for T to begin with, behind W's. 0: W stays.
 */
u32 tcp_timewait_reuse(struct tcp_sock *t, struct tcp_timewait *w);
/* True: S begins a new connection, and is for a listener. Else P is consumed. */
bool tcp_timewait_rcv(struct tcp_timewait *w, struct packet *p, const struct tcp_seg *s);

/* proc.c: the counts that sockstat shows, of NET and of the machine */
void tcp_show_sockstat(struct seq_file *m, struct net *net);

/* io.c, opt.c */
ssize_t tcp_sendmsg(struct socket *s, struct sock_msg *m);
ssize_t tcp_recvmsg(struct socket *s, struct sock_msg *m);
int tcp_ioctl(struct socket *s, unsigned int cmd, unsigned long arg);
/* The mark's byte, which is here and next, is behind the reader. */
void tcp_pass_mark(struct tcp_sock *t);
/* A reader, or poll(2), finds enough. */
bool tcp_is_readable(const struct tcp_sock *t);
u32 tcp_poll(struct file *f, struct socket *s, struct poll_table_struct *p);
int tcp_get_socket_option(struct sock *sk, int name, struct uptr val, struct uptr len);
int tcp_setsockopt(struct socket *s, int level, int name, struct uptr val, int len);
int tcp_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr len);

/* rx.c */
extern const struct inet_protocol tcp_protocol;
