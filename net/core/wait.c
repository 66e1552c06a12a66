// SPDX-License-Identifier: MIT
/*
 * Waiting at a sock, and the queues that are waited for: what readers take, what writers need room
 * for, and what poll(2) and SIGIO say of it. A reader or writer waits on sk->wait, with poll keys,
 * so that a wake-up for data does not wake writers.
 *
 * The receive queue is guarded by queue.lock. A packet in it is charged to the sock until a reader
 * frees it. A reader that peeks gets a clone, so that the queue's packet stays in its place while
 * the copy to user memory faults.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <kernel/bug.h>
#include <net/netdev.h>
#include <net/sock.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>

int sock_waited(long r, long *timeo)
{
	if (r < 0)
		return *timeo == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR;
	if (!r)
		return -EAGAIN;
	if (*timeo != MAX_SCHEDULE_TIMEOUT)
		*timeo = r;
	return 0;
}

/* ---- wake-ups ---- */

void sock_wake_readable(struct sock *sk)
{
	wake_up_interruptible_poll(&sk->wait, EPOLLIN | EPOLLRDNORM | EPOLLRDBAND);
	if (unlikely(rcu_access_pointer(sk->fasync)) && !READ_ONCE(sk->reader_waits))
		kill_fasync(&sk->fasync, SIGIO, POLL_IN);
}

void sock_wake_writable(struct sock *sk)
{
	if (atomic_read(&sk->wmem) * 2 > READ_ONCE(sk->sndbuf))
		return;
	wake_up_interruptible_poll(&sk->wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (unlikely(rcu_access_pointer(sk->fasync)) && xchg(&sk->wants_space, false))
		kill_fasync(&sk->fasync, SIGIO, POLL_OUT);
}

void sock_wake_state(struct sock *sk)
{
	wake_up_interruptible_all(&sk->wait);
}

void sock_urgent(struct sock *sk)
{
	if (sk->socket && sk->socket->file && send_sigurg(sk->socket->file))
		wake_up_interruptible_poll(&sk->wait, EPOLLPRI);
}

void sock_want_space(struct sock *sk)
{
	if (unlikely(rcu_access_pointer(sk->fasync)))
		WRITE_ONCE(sk->wants_space, true);
}

u32 sock_poll_common(struct sock *sk)
{
	u8 shut = READ_ONCE(sk->shut);
	u32 mask = 0;

	if (READ_ONCE(sk->err) || READ_ONCE(sk->queue.errors.nr))
		mask |= EPOLLERR | (sock_flag(sk, SOCK_F_SELECT_ERR_QUEUE) ? EPOLLPRI : 0);
	if (shut == 3)
		mask |= EPOLLHUP;
	if (shut & 1)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	return mask;
}

u32 sock_poll_dgram(struct file *f, struct socket *s, struct poll_table_struct *pt)
{
	struct sock *sk = s->sk;
	u32 mask;

	poll_wait(f, &sk->wait, pt);
	mask = sock_poll_common(sk);
	if (READ_ONCE(sk->queue.rx.nr))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (sock_wspace_free(sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	else
		sock_want_space(sk);
	return mask;
}

int sock_fasync(int fd, struct file *f, int on, struct socket *s)
{
	struct sock *sk = s->sk;
	int e = fasync_helper(fd, f, on, &sk->fasync);

	return e < 0 ? e : 0;
}

/* ---- charging ---- */

static void uncharge_tx(struct packet *p)
{
	struct sock *sk = p->sk;

	atomic_sub((int)p->truesize, &sk->wmem);
	sock_wake_writable(sk);
	sock_put(sk);
}

void sock_charge_tx(struct sock *sk, struct packet *p)
{
	packet_orphan(p);
	sock_hold(sk);
	p->sk = sk;
	p->uncharge = uncharge_tx;
	atomic_add((int)p->truesize, &sk->wmem);
}

static void uncharge_rx(struct packet *p)
{
	atomic_sub((int)p->truesize, &p->sk->rmem);
}

int sock_charge_rx(struct sock *sk, struct packet *p)
{
	if (!sock_rx_fits(sk, p)) {
		atomic_inc(&sk->drops);
		return -ENOBUFS;
	}
	packet_orphan(p);
	p->sk = sk;		/* no reference: the sock empties its queues before it goes */
	p->uncharge = uncharge_rx;
	atomic_add((int)p->truesize, &sk->rmem);
	return 0;
}

int sock_queue_rx(struct sock *sk, struct packet *p)
{
	int e = sock_charge_rx(sk, p);

	if (e)
		return e;
	spin_lock(&sk->queue.lock);
	packet_list_add(&sk->queue.rx, p);
	spin_unlock(&sk->queue.lock);
	if (!sock_flag(sk, SOCK_F_DEAD))
		sock_wake_readable(sk);
	return 0;
}

int sock_queue_error(struct sock *sk, struct packet *p)
{
	int e = sock_charge_rx(sk, p);

	if (e)
		return e;
	spin_lock(&sk->queue.lock);
	packet_list_add(&sk->queue.errors, p);
	spin_unlock(&sk->queue.lock);
	if (!sock_flag(sk, SOCK_F_DEAD))
		sock_report_error(sk);
	return 0;
}

void sock_free_queues(struct sock *sk)
{
	packet_list_free(&sk->queue.rx, DROP_QUEUE_FLUSH);
	packet_list_free(&sk->queue.errors, DROP_QUEUE_FLUSH);
}

/* ---- waiting ---- */

/*
 * A task that waits first looks at this CPU's device queues, and delivers what it sent itself and
 * what those packets caused.
 */
static void before_waiting(void)
{
	net_poll_look();
	net_ctx_flush();
}

int sock_wait_wspace(struct sock *sk, long *timeo)
{
	int e;

	for (;;) {
		if (READ_ONCE(sk->err))
			return sock_take_error(sk);
		if (READ_ONCE(sk->shut) & 2)
			return -EPIPE;
		if (sock_wspace_free(sk))
			return 0;
		sock_want_space(sk);
		if (!*timeo)
			return -EAGAIN;
		before_waiting();
		e = sock_waited(wait_event_interruptible_timeout(sk->wait,
								 sock_wspace_free(sk) ||
									 READ_ONCE(sk->err) ||
									 (READ_ONCE(sk->shut) & 2),
								 *timeo),
				timeo);
		if (e)
			return e;
	}
}

static struct packet *packet_of(struct sock *sk, struct sock_msg *m, u32 len)
{
	struct packet *p = packet_alloc(GFP_KERNEL_ACCOUNT);
	int err;

	if (!p)
		return ERR_PTR(-ENOBUFS);
	err = packet_from_iter(p, m->iter, len, GFP_KERNEL_ACCOUNT);
	if (err) {
		packet_consume(p);
		return ERR_PTR(err == -ENOMEM ? -ENOBUFS : err);
	}
	sock_charge_tx(sk, p);
	return p;
}

struct packet *sock_packet_from(struct sock *sk, struct sock_msg *m, u32 len)
{
	long timeo = sock_sndtimeo(sk, m->nonblock);
	int err = sock_wait_wspace(sk, &timeo);

	return err ? ERR_PTR(err) : packet_of(sk, m, len);
}

struct packet *sock_packet_now(struct sock *sk, struct sock_msg *m, u32 len)
{
	if (atomic_read(&sk->wmem) > 2 * (s64)READ_ONCE(sk->sndbuf))
		return ERR_PTR(-ENOBUFS);
	return packet_of(sk, m, len);
}

/*
 * The packet that a peek from OFF on begins with, and how many of its bytes come before. queue.lock
 * held.
 */
static struct packet *peek_at(struct sock *sk, int *off)
{
	struct packet *p;

	list_for_each_entry(p, &sk->queue.rx.head, list) {
		if (*off < (int)p->len || (!*off && !p->len))
			return p;
		*off -= (int)p->len;
	}
	return NULL;
}

void sock_peek_move(struct sock *sk, const struct sock_msg *m, size_t n)
{
	int off = READ_ONCE(sk->peek_off);

	if (off < 0)
		return;
	WRITE_ONCE(sk->peek_off, m->flags & MSG_PEEK ? (int)min((u64)off + n, (u64)S32_MAX) :
						       off - (int)min((size_t)off, n));
}

/* The next packet, without waiting; NULL: there is none. ERR_PTR(-ENOMEM) for a peek. */
static struct packet *take_or_peek(struct sock *sk, struct sock_msg *m)
{
	int off = (int)sock_peek_skip(sk, m);
	bool peek = m->flags & MSG_PEEK;
	struct packet *p, *found;

	spin_lock(&sk->queue.lock);
	p = off ? peek_at(sk, &off) : packet_list_first(&sk->queue.rx);
	m->skip = (u32)off;
	found = p;
	if (p && peek)
		found = packet_clone(p, GFP_ATOMIC) ?: ERR_PTR(-ENOMEM);
	else if (p)
		packet_list_del(&sk->queue.rx, p);
	spin_unlock(&sk->queue.lock);
	return found;
}

/* There is something for M. */
static bool has_packet(struct sock *sk, const struct sock_msg *m)
{
	int off = (int)sock_peek_skip(sk, m);
	bool has;

	if (likely(!off))
		return READ_ONCE(sk->queue.rx.nr);
	spin_lock(&sk->queue.lock);
	has = peek_at(sk, &off);
	spin_unlock(&sk->queue.lock);
	return has;
}

struct packet *sock_recv_packet(struct sock *sk, struct sock_msg *m)
{
	long timeo = sock_rcvtimeo(sk, m->nonblock);
	struct packet *p;
	int e;

	for (;;) {
		e = sock_take_error(sk);
		if (e)
			return ERR_PTR(e);
		p = take_or_peek(sk, m);
		if (p)
			return p;
		if (READ_ONCE(sk->shut) & 1)
			return NULL;
		before_waiting();
		e = sock_take_error(sk);	/* polling brought an ICMP error */
		if (e)
			return ERR_PTR(e);
		p = take_or_peek(sk, m);
		if (p)
			return p;
		if (!timeo)
			return ERR_PTR(-EAGAIN);
		WRITE_ONCE(sk->reader_waits, true);
		e = sock_waited(wait_event_interruptible_timeout(sk->wait,
								 has_packet(sk, m) ||
									 READ_ONCE(sk->err) ||
									 (READ_ONCE(sk->shut) & 1),
								 timeo),
				&timeo);
		WRITE_ONCE(sk->reader_waits, false);
		if (e)
			return ERR_PTR(e);
	}
}
