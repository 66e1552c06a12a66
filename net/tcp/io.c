// SPDX-License-Identifier: MIT
/*
 * Sending and receiving: bytes between a program and the queues, poll(2), and the ioctls about
 * both.
 *
 * Each call has a struct net_ctx, so that a segment over loopback reaches its receiver without a
 * switch of threads. A long send(2) delivers after each batch of segments, while it owns the sock:
 * answers to it wait in its backlog. So no segment is held back while user memory faults.
 *
 * A sender fills the last packet of the queue as far as tcp_goal() goes before it takes another. A
 * reader takes from the first packet, and tells the peer of the room when it is worth a segment.
 * Both own the sock while they copy, so that user memory may fault.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <net/netdev.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include "net/inet/cmsg.h"
#include "net/tcp/tcp_priv.h"

/* ---- sending ---- */

static int send_error(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;

	if (READ_ONCE(sk->err))
		return sock_take_error(sk);
	return sk->shut & 2 || !tcp_state_in(t, TCPS(ESTABLISHED) | TCPS(CLOSE_WAIT) |
							TCPS(SYN_SENT) | TCPS(SYN_RECV)) ?
		       -EPIPE :
		       0;
}

/* Owner, let go meanwhile: until COND, or an end. */
#define tcp_wait(t, timeo, cond) ({								\
	struct sock *__sk = &(t)->inet.sk;							\
	long __r;										\
	release_sock(__sk);									\
	net_poll_look();									\
	net_ctx_flush();									\
	__r = wait_event_interruptible_timeout(__sk->wait, cond, *(timeo));			\
	lock_sock(__sk);									\
	sock_waited(__r, timeo);								\
})

/* A writer hears of room. */
static void want_room(struct tcp_sock *t)
{
	sock_want_space(&t->inet.sk);
	WRITE_ONCE(t->room_wanted, true);
}

static int wait_for_room(struct tcp_sock *t, long *timeo)
{
	struct sock *sk = &t->inet.sk;

	want_room(t);
	if (!*timeo)
		return -EAGAIN;
	return tcp_wait(t, timeo,
			tcp_may_write(t) || READ_ONCE(sk->err) || READ_ONCE(sk->shut) & 2 ||
				READ_ONCE(sk->state) == TCPS_CLOSE);
}

static int wait_for_peer(struct tcp_sock *t, long *timeo)
{
	if (!*timeo)
		return -EAGAIN;
	return tcp_wait(t, timeo, !tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV)));
}

/* The last packet, if it was not sent and has room for more. */
static struct packet *open_packet(struct tcp_sock *t)
{
	struct packet *p = packet_list_empty(&t->sndq) ?
				   NULL :
				   list_last_entry(&t->sndq.head, struct packet, list);

	return p && t->send_head && p->len < tcp_goal(t) && p->nr_pieces < PACKET_PIECES - 1 &&
			       !(tcp_cb(p)->flags & TCP_SYN) && !(tcp_cb(p)->mark & TCPM_EOR) ?
		       p :
		       NULL;
}

static struct packet *new_packet(struct tcp_sock *t)
{
	struct packet *p = packet_alloc(GFP_KERNEL);

	if (!p)
		return NULL;
	*tcp_cb(p) = (struct tcp_cb){ .seq = t->write_seq, .end = t->write_seq };
	packet_list_add(&t->sndq, p);
	atomic_add((int)p->truesize, &t->inet.sk.wmem);
	if (!t->send_head)
		t->send_head = p;
	return p;
}

static void remove_empty(struct tcp_sock *t, struct packet *p)
{
	if (p->len)
		return;
	packet_list_del(&t->sndq, p);
	if (t->send_head == p)
		t->send_head = NULL;
	tcp_free_sent(t, p);
}

/* Some bytes of M into P, the last packet. How many, or -errno. */
static ssize_t fill_packet(struct tcp_sock *t, struct packet *p, struct sock_msg *m)
{
	u32 n, was;
	int e;

	if (!p)
		return -ENOMEM;
	n = (u32)min(iter_count(m->iter), (size_t)(tcp_goal(t) - p->len));
	was = p->truesize;
	e = packet_from_iter(p, m->iter, n, GFP_KERNEL);
	tcp_recount(t, p, was);
	if (e) {
		remove_empty(t, p);
		return e;
	}
	tcp_cb(p)->flags &= (u8)~TCP_PSH;	/* it is not the end any more */
	tcp_cb(p)->end += n;
	t->write_seq += n;
	tcp_limit_enter(t, TCP_L_BUSY);
	return (ssize_t)n;
}

/*
 * -ENOBUFS: the memory of all sockets is used up, and this one waits for what it sent. An empty
 * queue gets its first packet in any case, and a packet that was begun is filled.
 */
static ssize_t add_bytes(struct tcp_sock *t, struct sock_msg *m)
{
	struct packet *p = open_packet(t);
	u32 most = (u32)min(iter_count(m->iter), (size_t)tcp_goal(t));
	ssize_t n;

	if (!tcp_mem_charge(t, max(most, (u32)t->mss), p || packet_list_empty(&t->sndq))) {
		WRITE_ONCE(t->mem_short, true);
		return -ENOBUFS;
	}
	n = p ? fill_packet(t, p, m) : -EMSGSIZE;
	/* the pieces of one packet may be too many */
	return n == -EMSGSIZE ? fill_packet(t, new_packet(t), m) : n;
}

/*
 * PSH for the last packet, where the peer's reader has something to do: no more of M comes now
 * (LAST), and nothing is announced behind it; or half of the peer's window has gone without.
 * MSG_EOR: the packet stays as it is.
 */
static void mark_end(struct tcp_sock *t, const struct sock_msg *m, bool last)
{
	bool more = m->flags & MSG_MORE || !last;
	struct packet *p;

	if (!t->send_head)
		return;
	p = list_last_entry(&t->sndq.head, struct packet, list);
	if (unlikely(t->inet.sk.ts_flags) && (last || !iter_count(m->iter)))
		tcp_stamp_mark(t, p);
	if (!iter_count(m->iter) && m->flags & MSG_EOR)
		tcp_cb(p)->mark |= TCPM_EOR;
	if (more && (p->len < tcp_goal(t) || t->write_seq - t->push_seq <= t->max_window / 2))
		return;
	tcp_cb(p)->flags |= TCP_PSH;
	t->push_seq = t->write_seq;
}

/* What a program sends soon after it has read goes with the ACK; its next ones wait for that. */
static void answered(struct tcp_sock *t)
{
	if (!t->bytes_received || ktime_get_ns() - t->last_data_rx_ns > TCP_DELACK_NS)
		return;
	t->pingpong = true;
	t->quickacks = 0;
}

/* So many bytes go before all of a long message is here. */
static u32 worth_pushing(const struct tcp_sock *t)
{
	return tcp_in_flight(t) ? max(t->max_window / 2, (u32)t->mss) : tcp_goal(t);
}

/* What waits goes, else the writer waits: 0, or as wait_for_room(). */
static int make_room(struct tcp_sock *t, struct sock_msg *m, long *timeo)
{
	mark_end(t, m, true);
	tcp_push(t, m->flags & MSG_MORE ? TCP_PUSH_NAGLE : TCP_PUSH_NOW);
	if (!tcp_may_write(t))
		return wait_for_room(t, timeo);
	net_ctx_flush();
	return 0;
}

static ssize_t send_locked(struct tcp_sock *t, struct sock_msg *m)
{
	long timeo = sock_sndtimeo(&t->inet.sk, m->nonblock);
	ssize_t done = 0, n;
	u32 mark = t->snd_up;
	int e = 0;

	while (tcp_state_in(t, TCPS(SYN_SENT) | TCPS(SYN_RECV)) && !send_error(t)) {
		e = wait_for_peer(t, &timeo);
		if (e)
			return e;
	}
	e = send_error(t);
	if (e)
		goto out;
	tcp_cwnd_after_idle(t);
	if (m->flags & MSG_OOB)
		/* the mark is behind the last byte */
		t->snd_up = t->write_seq + (u32)iter_count(m->iter);
	while (iter_count(m->iter)) {
		if (done && READ_ONCE(t->inet.sk.err))
			break;		/* the next call, of a reader too, says so */
		e = send_error(t);
		if (e)
			break;
		/* A packet that was begun is filled in any case. */
		if (!tcp_may_write(t) && (t->mem_short || !open_packet(t))) {
			e = make_room(t, m, &timeo);
			if (e)
				break;
			continue;
		}
		n = add_bytes(t, m);
		if (n == -ENOBUFS && t->mem_short)
			continue;	/* as when the buffer is full */
		if (n < 0) {
			e = (int)n;
			break;
		}
		done += n;
		mark_end(t, m, !iter_count(m->iter));
		if (t->write_seq - t->snd_nxt >= worth_pushing(t)) {
			tcp_push(t, TCP_PUSH_NAGLE);
			if (iter_count(m->iter) && tcp_may_write(t))
				net_ctx_flush();
		}
	}
	if (m->flags & MSG_OOB)
		t->snd_up = done ? t->write_seq : mark;	/* as far as it came */
	if (done) {
		answered(t);
		mark_end(t, m, true);
		tcp_push(t, m->flags & MSG_MORE ? TCP_PUSH_CORK : TCP_PUSH_NAGLE);
		return done;
	}
out:
	return e == -EPIPE ? sock_pipe_error(m, 0) : e;
}

ssize_t tcp_sendmsg(struct socket *s, struct sock_msg *m)
{
	struct sock *sk = s->sk;
	struct net_ctx ctx;
	ssize_t r;

	if (m->flags & MSG_FASTOPEN)
		return -EOPNOTSUPP;
	net_ctx_begin(&ctx);
	lock_sock(sk);
	r = send_locked(tcp_sk(sk), m);
	release_sock(sk);
	net_ctx_end(&ctx);
	return r;
}

/* ---- receiving ---- */

/* The window has grown enough to be told of, or an ACK waits. */
static void reader_has_room(struct tcp_sock *t, bool read_any)
{
	u32 left = after(tcp_rcv_right(t), t->rcv_nxt) ? tcp_rcv_right(t) - t->rcv_nxt : 0,
	    space = tcp_space(t), worth;

	if (tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN)))
		return;
	worth = min((u32)t->inet.sk.rcvbuf / 4, t->rcv_mss);
	if (read_any && space >= 2 * left && space >= left + worth && !(t->inet.sk.shut & 1))
		tcp_send_ack(t);
	else if (read_any && t->rcv_nxt - t->rcv_wup > t->rcv_mss)
		tcp_send_ack(t);
	else if (read_any && packet_list_empty(&t->inet.sk.queue.rx) &&
		 (t->pushed == 2 || (t->pushed && !t->pingpong)))
		tcp_send_ack(t); /* the sender may wait for it, and nothing more of his is here */
}

/*
 * The buffer grows with what is read within a round trip, up to the namespace's most
 * (tcp_moderate_rcvbuf).
 */
static void tune_buffer(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;
	u64 now = ktime_get_ns(), rtt = max((u64)(t->srtt8 >> 3) * 1000, NSEC_PER_MS);
	u32 copied;
	int want;

	if (now - t->drs_begin_ns < rtt)
		return;
	copied = t->copied_seq - t->drs_seq;
	want = (int)min((u64)copied * 4 + 32 * (u64)t->rcv_mss, (u64)tcp_net(t)->rmem[2]);
	if (!(sk->buf_locks & SOCK_RCVBUF_LOCK) && want > sk->rcvbuf &&
	    READ_ONCE(tcp_net(t)->moderate_rcvbuf) && !READ_ONCE(tcp_mem_pressure))
		WRITE_ONCE(sk->rcvbuf, want);
	t->drs_begin_ns = now;
	t->drs_seq = t->copied_seq;
}

/*
 * The unread packet where SEQ lies: *OFF. P is one before it, or NULL: the first. NULL: nothing is
 * there.
 */
static struct packet *at_seq(struct tcp_sock *t, struct packet *p, u32 seq, u32 *off)
{
	struct list_head *head = &t->inet.sk.queue.rx.head;

	for (p = p ?: packet_list_first(&t->inet.sk.queue.rx); p;
	     p = list_is_last(&p->list, head) ? NULL : list_next_entry(p, list)) {
		struct tcp_cb *cb = tcp_cb(p);

		if (before(seq, cb->seq))
			return NULL;
		if (before(seq, cb->seq + p->len)) {
			*off = seq - cb->seq;
			return p;
		}
	}
	return NULL;
}

static void eat(struct tcp_sock *t, struct packet *p)
{
	packet_list_del(&t->inet.sk.queue.rx, p);
	atomic_sub((int)p->truesize, &t->inet.sk.rmem);
	packet_consume(p);
	tcp_mem_release(t);
}

void tcp_pass_mark(struct tcp_sock *t)
{
	struct packet *p;

	t->urg_valid = false;
	t->copied_seq = t->urg_seq + 1;
	while ((p = packet_list_first(&t->inet.sk.queue.rx)) &&
	       !after(tcp_cb(p)->seq + p->len, t->copied_seq))
		eat(t, p);
}

/*
 * The byte of the mark is no part of the stream, unless SO_OOBINLINE: how many bytes from SEQ on
 * come before it.
 */
static u32 before_mark(const struct tcp_sock *t, u32 seq, u32 n)
{
	if (!t->urg_valid || !after(t->urg_seq, seq) || t->urg_seq - seq >= n)
		return n;
	return t->urg_seq - seq;
}

/* Why a reader that found no byte does not wait: 0: it may; 1: end of the stream; -errno. */
static int read_end(struct tcp_sock *t)
{
	struct sock *sk = &t->inet.sk;

	if (READ_ONCE(sk->err))
		return sock_take_error(sk);
	if (sk->shut & 1)
		return 1;
	if (tcp_state_in(t, TCPS(CLOSE)))
		return t->inet.e.peer.v ? 1 : -ENOTCONN;
	return 0;
}

static ssize_t read_urgent(struct tcp_sock *t, struct sock_msg *m)
{
	if (sock_flag(&t->inet.sk, SOCK_F_OOBINLINE) || !t->urg_valid || t->urg_read)
		return -EINVAL;
	if (!t->urg_have)
		return t->inet.sk.shut & 1 ? 0 : -EAGAIN;
	if (iter_count(m->iter) && copy_to_iter(&t->urg_byte, 1, m->iter) != 1)
		return -EFAULT;
	m->out_flags |= MSG_OOB;
	if (!(m->flags & MSG_PEEK)) {
		t->urg_have = false;
		t->urg_read = true;
	}
	return 1;
}

struct reading {
	struct sock_msg *m;
	u32 seq;			/* next to read */
	size_t done, want;
	bool peek;
	struct packet *seen;		/* the last that was looked at, while the sock is owned */
};

/* The mark's byte is here, next, and no part of the stream. */
static bool is_at_mark(const struct tcp_sock *t, u32 seq)
{
	return t->urg_valid && seq == t->urg_seq && after(t->rcv_nxt, seq) &&
	       !sock_flag(&t->inet.sk, SOCK_F_OOBINLINE);
}

/* The mark's byte is here and next: it is passed over, unless it is a part of the stream. */
static void skip_mark(struct tcp_sock *t, struct reading *r)
{
	if (!is_at_mark(t, r->seq))
		return;
	r->seq++;
	if (!r->peek)
		tcp_pass_mark(t);
}

/* The reader is past the mark: there is none any more. */
static void forget_mark(struct tcp_sock *t)
{
	if (t->urg_valid && after(t->copied_seq, t->urg_seq))
		t->urg_valid = t->urg_have = false;
}

/* As much as one packet has. Bytes, 0: there is no packet, or -EFAULT. */
static ssize_t read_some(struct tcp_sock *t, struct reading *r)
{
	struct packet *p;
	u32 off, n;

	skip_mark(t, r);
	p = at_seq(t, r->seen, r->seq, &off);
	if (!p)
		return 0;
	n = (u32)min(iter_count(r->m->iter), (size_t)(p->len - off));
	n = before_mark(t, r->seq, n);
	if (r->m->flags & MSG_TRUNC)
		iter_advance(r->m->iter, n);
	else if (packet_to_iter(p, off, r->m->iter, n))
		return -EFAULT;
	r->seq += n;
	r->done += n;
	if (r->peek) {
		r->seen = p;
		return (ssize_t)n;
	}
	t->copied_seq = r->seq;
	forget_mark(t);
	if (off + n == p->len) {
		t->inet.sk.rx_stamp_ns = p->tstamp_ns;
		eat(t, p);
	}
	return (ssize_t)n;
}

static ssize_t recv_locked(struct tcp_sock *t, struct sock_msg *m)
{
	struct sock *sk = &t->inet.sk;
	long timeo = sock_rcvtimeo(sk, m->nonblock);
	size_t size = iter_count(m->iter);
	struct reading r = { .m = m, .seq = t->copied_seq, .peek = m->flags & MSG_PEEK };
	ssize_t n;
	int e = 0;

	if (tcp_state_in(t, TCPS(LISTEN)))
		return -ENOTCONN;
	if (m->flags & MSG_OOB)
		return read_urgent(t, m);
	r.want = max(m->flags & MSG_WAITALL ? size : min((size_t)sk->rcvlowat, size), (size_t)1);
	r.seq += sock_peek_skip(sk, m);
	while (iter_count(m->iter)) {
		if (unlikely(m->splice) && is_at_mark(t, r.seq))
			break;			/* a pipe has no marks: nothing goes beyond it */
		n = read_some(t, &r);
		if (n < 0) {
			e = (int)n;
			break;
		}
		if (n) {
			if (t->urg_valid && r.seq == t->urg_seq && r.done)
				break;		/* a read ends before the mark */
			continue;
		}
		if (r.done >= r.want)
			break;
		if (r.done && READ_ONCE(sk->err))
			break;			/* the next call says so */
		e = read_end(t);
		if (e)
			break;
		if (!timeo) {
			e = -EAGAIN;
			break;
		}
		reader_has_room(t, r.done && !r.peek);
		WRITE_ONCE(sk->reader_waits, true);
		e = tcp_wait(t, &timeo,
			     after(READ_ONCE(t->rcv_nxt), r.seq) || READ_ONCE(sk->err) ||
				     READ_ONCE(sk->shut) & 1 || READ_ONCE(sk->state) == TCPS_CLOSE);
		WRITE_ONCE(sk->reader_waits, false);
		r.seen = NULL;
		if (e)
			break;
		if (before(r.seq, t->copied_seq))
			r.seq = t->copied_seq;
	}
	sock_peek_moved(sk, m, r.done);
	if (!r.peek && r.done) {
		tune_buffer(t);
		reader_has_room(t, true);
		sock_recv_stamp(sk, m, sk->rx_stamp_ns);
	}
	return r.done ? (ssize_t)r.done : e > 0 ? 0 : e;
}

ssize_t tcp_recvmsg(struct socket *s, struct sock_msg *m)
{
	struct sock *sk = s->sk;
	struct net_ctx ctx;
	bool tell;
	ssize_t r;
	s32 inq;	/* the peer's FIN is one, until the end was read */

	m->addr_len = 0;
	if (m->flags & MSG_ERRQUEUE)
		return inet_recv_error(inet_sk(sk), m);
	net_ctx_begin(&ctx);
	lock_sock(sk);
	r = recv_locked(tcp_sk(sk), m);
	inq = (s32)(tcp_sk(sk)->rcv_nxt - tcp_sk(sk)->copied_seq);
	m->left = inq;
	tell = tcp_sk(sk)->inq;
	release_sock(sk);
	net_ctx_end(&ctx);
	if (unlikely(tell) && r >= 0)
		put_cmsg(m, IPPROTO_TCP, TCP_CM_INQ, sizeof(inq), &inq);
	return r;
}

/* ---- poll(2), ioctl(2) ---- */

bool tcp_is_readable(const struct tcp_sock *t)
{
	const struct sock *sk = &t->inet.sk;
	int there = (int)(READ_ONCE(t->rcv_nxt) - READ_ONCE(t->copied_seq));

	if (t->urg_valid && !sock_flag(sk, SOCK_F_OOBINLINE) && t->urg_seq == t->copied_seq &&
	    there)
		there--;
	if (there <= 0)
		return false;
	/*
	 * A reader that wants more than the buffer takes, for which the window is shut, would wait
	 * for ever.
	 */
	return there >= READ_ONCE(sk->rcvlowat) || tcp_space(t) < tcp_silly_window(t) ||
	       READ_ONCE(tcp_mem_pressure);
}

u32 tcp_poll(struct file *f, struct socket *s, struct poll_table_struct *p)
{
	struct sock *sk = s->sk;
	struct tcp_sock *t = tcp_sk(sk);
	u8 state, shut;
	u32 mask = 0;

	poll_wait(f, &sk->wait, p);
	net_poll_look();
	state = READ_ONCE(sk->state);
	if (state == TCPS_LISTEN)
		return READ_ONCE(t->accept_len) ? EPOLLIN | EPOLLRDNORM : 0;
	shut = READ_ONCE(sk->shut);
	if (shut == 3 || state == TCPS_CLOSE)
		mask |= EPOLLHUP;
	if (shut & 1)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (state == TCPS_CLOSE && !shut)
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (state != TCPS_SYN_SENT && state != TCPS_SYN_RECV) {
		if (tcp_is_readable(t))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (shut & 2 || tcp_has_room(t))
			mask |= EPOLLOUT | EPOLLWRNORM;
		else
			want_room(t);
		if (t->urg_valid && t->urg_have)
			mask |= EPOLLPRI;
	}
	if (READ_ONCE(sk->err) || READ_ONCE(sk->queue.errors.nr))
		mask |= EPOLLERR;
	return mask;
}

/* Bytes that a reader finds before the mark. */
static u32 unread(struct tcp_sock *t)
{
	struct packet_list *rx = &t->inet.sk.queue.rx;
	struct packet *last;

	if (packet_list_empty(rx))
		return 0;
	last = list_last_entry(&rx->head, struct packet, list);
	return before_mark(t, t->copied_seq, tcp_cb(last)->seq + last->len - t->copied_seq);
}

int tcp_ioctl(struct socket *s, unsigned int cmd, unsigned long arg)
{
	struct sock *sk = s->sk;
	struct tcp_sock *t = tcp_sk(sk);
	int n, e = 0;

	if (cmd != SIOCINQ && cmd != SIOCATMARK && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD)
		return inet_ioctl(s, cmd, arg);
	lock_sock(sk);
	if (tcp_state_in(t, TCPS(LISTEN)) && cmd != SIOCATMARK)
		e = -EINVAL;
	switch (cmd) {
	case SIOCINQ:
		n = (int)unread(t);
		break;
	case SIOCATMARK:
		n = t->urg_valid && t->urg_seq == t->copied_seq;
		break;
	case SIOCOUTQ:
		n = tcp_state_in(t, TCPS(CLOSE) | TCPS(SYN_SENT) | TCPS(SYN_RECV)) ?
			    0 :
			    (int)(t->write_seq - t->snd_una);
		break;
	default:
		n = tcp_state_in(t, TCPS(CLOSE) | TCPS(SYN_SENT) | TCPS(SYN_RECV)) ?
			    0 :
			    (int)(t->write_seq - t->snd_nxt);
	}
	release_sock(sk);
	return e ?: put_user(n, UPTR(arg)) ? -EFAULT : 0;
}
