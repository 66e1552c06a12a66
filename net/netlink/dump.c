// SPDX-License-Identifier: MIT
/*
 * Dumps. One at a time for a socket. A buffer is filled when the dump begins and each time that the
 * reader has read and half of its receive buffer is free. The buffer is as long as the longest that
 * a reader has offered, and longer only for a message that does not fit into that.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <abi/errno.h>
#include "net/netlink/netlink_priv.h"

#define DONE_ROOM 32u

static const struct nl_from kernel = {};

/* dump_lock. */
static void end(struct netlink_sock *n)
{
	if (!n->dumping)
		return;
	n->dumping = false;
	if (n->dump.done)
		n->dump.done(&n->dump);
}

/* What was walked has changed since the last buffer: every message of this one says so. */
static void mark_interrupted(struct nlmsg_buf *b)
{
	for (size_t at = 0; at < b->len;) {
		struct nlmsghdr *h = (struct nlmsghdr *)(b->data + at);

		h->nlmsg_flags |= NLM_F_DUMP_INTR;
		at += NLMSG_ALIGN((size_t)h->nlmsg_len);
	}
}

/*
 * One call of the dump's function, with a larger buffer if not even one message fitted. Behind what
 * it fills there is room for the end.
 */
static int fill(struct netlink_sock *n, struct nlmsg_buf *b)
{
	struct nl_dump *d = &n->dump;
	size_t room = clamp(READ_ONCE(n->longest_read), (size_t)NETLINK_FIRST_ROOM,
			    (size_t)NETLINK_MOST_ROOM);
	int r;

	for (;;) {
		if (nlmsg_init(b, room, room, GFP_KERNEL))
			return -ENOMEM;
		b->room = b->most = room - DONE_ROOM;
		r = d->fn(b, d);
		b->room = b->most = room;
		if (r <= 0 || b->len)
			return r;
		nlmsg_free(b);
		if (room == NLMSG_MOST)
			return -EMSGSIZE;
		room = min_t(size_t, room * 2, NLMSG_MOST);
	}
}

static void put_done(struct netlink_sock *n, struct nlmsg_buf *b, int err)
{
	const struct nlmsghdr *h = &n->dump.hdr;
	int *body =
		nlmsg_put(b, n->dump.portid, h->nlmsg_seq, NLMSG_DONE, NLM_F_MULTI, sizeof(int));

	if (body)
		*body = err;
	(void)nlmsg_end(b);
}

/* dump_lock. 0 or -ENOMEM, which ends the dump. */
static int more(struct netlink_sock *n)
{
	struct nl_dump *d = &n->dump;
	struct nlmsg_buf b = {};
	struct packet *p = NULL;
	int r = fill(n, &b);

	if (b.data || !nlmsg_init(&b, DONE_ROOM, DONE_ROOM, GFP_KERNEL)) {
		if (r <= 0)
			put_done(n, &b, r);
		if (n->dump_seq && d->seq != n->dump_seq)
			mark_interrupted(&b);
		n->dump_seq = d->seq;
		p = netlink_packet(b.data, b.len, &kernel, GFP_KERNEL);
		nlmsg_free(&b);
	}
	if (p && sock_queue_rx(&n->sk, p)) {
		packet_free(p, DROP_RCVBUF);
		netlink_overrun(n);
	}
	if (!p || r <= 0)
		end(n);
	return p ? 0 : -ENOMEM;
}

/* Whether a buffer more would be taken by the receive queue. */
static bool has_room(const struct netlink_sock *n)
{
	u32 rmem = (u32)atomic_read(&n->sk.rmem), rcvbuf = (u32)READ_ONCE(n->sk.rcvbuf);

	return !rmem || (rmem <= rcvbuf / 2 && rcvbuf / 2 > 2 * NETLINK_MOST_ROOM);
}

int netlink_dump_more(struct netlink_sock *n)
{
	int err = 0;

	if (!READ_ONCE(n->dumping) || !has_room(n))
		return 0;
	mutex_lock(&n->dump_lock);
	if (n->dumping)
		err = more(n);
	mutex_unlock(&n->dump_lock);
	return err;
}

void netlink_dump_end(struct netlink_sock *n)
{
	mutex_lock(&n->dump_lock);
	end(n);
	mutex_unlock(&n->dump_lock);
}

/* ---- tables ---- */

#define TABLE_BATCH 16			/* objects that are referenced at once */

struct table_walk {
	const struct nl_table *t;
	struct nl_dump *d;
	void *found[TABLE_BATCH];
	long at[TABLE_BATCH];		/* how many nodes are before each in the bucket */
	long seen;
	unsigned int nr;
};

/* args: the bucket, and how many of its nodes are done. */
static void note(struct ghash_node *n, void *arg)
{
	struct table_walk *w = arg;
	long at = w->seen++;

	if (at < w->d->args[1] || w->nr == TABLE_BATCH)
		return;
	w->found[w->nr] = w->t->get(n, w->d);
	w->at[w->nr] = at;
	w->nr += !!w->found[w->nr];
}

/* The objects that W found. False: B is full, and the cursor is at the first that it lacks. */
static bool show_found(struct nlmsg_buf *b, struct table_walk *w)
{
	bool fits = true;

	for (unsigned int i = 0; i < w->nr; i++) {
		if (fits && !w->t->show(b, w->d, w->found[i])) {
			fits = false;
			w->d->args[1] = w->at[i];
		}
		w->t->put(w->found[i]);
	}
	return fits;
}

int netlink_dump_table(struct nlmsg_buf *b, struct nl_dump *d, const struct nl_table *t)
{
	while ((u64)d->args[0] < GHASH_END) {
		struct table_walk w = { .t = t, .d = d };
		u64 pos = (u64)d->args[0];

		t->walk(d, &pos, note, &w);
		if (!show_found(b, &w))
			return 1;
		if (w.nr == TABLE_BATCH) {
			d->args[1] = w.at[w.nr - 1] + 1;	/* there may be more in it */
		} else {
			d->args[0] = (long)pos;
			d->args[1] = 0;
		}
	}
	return 0;
}

int netlink_start_dump(const struct nl_request *r, const struct nl_dump *d)
{
	struct netlink_sock *n = r->from;
	int err = 0;

	mutex_lock(&n->dump_lock);
	if (n->dumping) {
		mutex_unlock(&n->dump_lock);
		if (d->done)
			d->done((struct nl_dump *)d);
		return -EBUSY;
	}
	n->dump = *d;
	n->dump.net = r->net;
	n->dump.hdr = *r->hdr;
	n->dump.portid = r->portid;
	n->dump.strict = r->strict;
	n->dump_seq = 0;
	WRITE_ONCE(n->dumping, true);
	if (has_room(n))
		err = more(n);
	mutex_unlock(&n->dump_lock);
	return err ?: -EINTR;
}
