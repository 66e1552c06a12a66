// SPDX-License-Identifier: MIT
/* Local sockets: unix_diag. */
#include <lib/string.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/unix_diag.h>
#include "net/diag/diag.h"
#include "net/unix/unix_priv.h"

enum { ARG_POS, ARG_DONE, ARG_SHOW, ARG_STATES };

static u8 state_of(const struct unix_sock *u)
{
	return u->sk.state == UNIX_LISTEN ? 10 : u->sk.state == UNIX_CONNECTED ? 1 : 7;
}

/* u->sk.lock: its queue's length, and the connections that wait in a listener's. */
static void put_queue(struct nlmsg_buf *b, struct unix_sock *u, u32 show)
{
	struct unix_diag_rqlen q = {};
	struct unix_msg *m;
	size_t left = u->queued, room = b->most > b->len ? b->most - b->len : 0;
	u32 *icons;

	if (show & UDIAG_SHOW_ICONS && u->sk.state == UNIX_LISTEN &&
	    left * sizeof(*icons) + 64 < room) {
		icons = nla_reserve(b, UNIX_DIAG_ICONS, left * sizeof(*icons));
		list_for_each_entry(m, &u->queue, list)
			if (icons && m->embryo && left) {
				*icons++ = (u32)m->embryo->sk.ino;
				left--;
			}
	}
	if (!(show & UDIAG_SHOW_RQLEN))
		return;
	if (u->sk.state == UNIX_LISTEN) {
		q.udiag_rqueue = u->queued;
		q.udiag_wqueue = u->backlog;
	} else {
		q.udiag_rqueue = (u32)u->bytes;
		q.udiag_wqueue = (u32)atomic_read(&u->sk.wmem);
	}
	nla_put_bytes(b, UNIX_DIAG_RQLEN, &q, sizeof(q));
}

static bool put(struct nlmsg_buf *b, struct unix_sock *u, u32 portid, u32 seq, u16 flags, u32 show)
{
	struct unix_addr *a = smp_load_acquire(&u->addr);
	struct unix_diag_msg *m = nlmsg_put(b, portid, seq, SOCK_DIAG_BY_FAMILY, flags, sizeof(*m));
	struct unix_sock *peer = show & UDIAG_SHOW_PEER ? unix_peer_get(u) : NULL;

	if (m) {
		*m = (struct unix_diag_msg){ .udiag_family = AF_UNIX,
					     .udiag_type = (u8)u->sk.type,
					     .udiag_state = state_of(u),
					     .udiag_ino = (u32)diag_ino(&u->sk) };
		diag_put_cookie(&u->sk, m->udiag_cookie);
	}
	if (show & UDIAG_SHOW_NAME && a)
		nla_put_bytes(b, UNIX_DIAG_NAME, a->name.sun_path,
			      (size_t)a->len - offsetof(struct sockaddr_un, sun_path));
	if (show & UDIAG_SHOW_VFS && a && u->path.dentry) {
		struct inode *i = d_inode(u->path.dentry);
		struct unix_diag_vfs v = { .udiag_vfs_ino = (u32)i->i_ino,
					   .udiag_vfs_dev = i->i_sb->s_dev };

		nla_put_bytes(b, UNIX_DIAG_VFS, &v, sizeof(v));
	}
	if (peer) {
		nla_put_u32(b, UNIX_DIAG_PEER, (u32)diag_ino(&peer->sk));
		unix_put(peer);
	}
	spin_lock(&u->sk.lock);
	put_queue(b, u, show);
	spin_unlock(&u->sk.lock);
	if (show & UDIAG_SHOW_MEMINFO)
		diag_put_meminfo(b, &u->sk, UNIX_DIAG_MEMINFO);
	nla_put_u8(b, UNIX_DIAG_SHUTDOWN, READ_ONCE(u->sk.shut));
	if (show & UDIAG_SHOW_UID)
		nla_put_u32(b, UNIX_DIAG_UID, from_kuid_munged(current_user_ns(), u->sk.uid));
	return nlmsg_end(b);
}

struct walk {
	struct nlmsg_buf *b;
	struct nl_dump *d;
	long seen;
	bool full;
	/* of a request about one: */
	const struct unix_diag_req *q;
	struct unix_sock *found;
};

static void show(struct ghash_node *node, void *arg)
{
	struct unix_sock *u = container_of(node, struct unix_sock, all_node);
	struct walk *w = arg;

	if (w->full || w->seen++ < w->d->args[ARG_DONE])
		return;
	if (u->sk.net != w->d->net || !(w->d->args[ARG_STATES] & 1l << state_of(u)))
		return;
	if (!put(w->b, u, w->d->portid, w->d->hdr.nlmsg_seq, NLM_F_MULTI,
		 (u32)w->d->args[ARG_SHOW])) {
		w->full = true;
		w->seen--;
	}
}

static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	u64 pos = (u64)d->args[ARG_POS];

	while (pos < GHASH_END) {
		struct walk w = { .b = b, .d = d };

		d->args[ARG_POS] = (long)pos;
		unix_walk(&pos, show, &w);
		d->args[ARG_DONE] = w.full ? w.seen : 0;
		if (w.full)
			return 1;
	}
	d->args[ARG_POS] = (long)GHASH_END;
	return 0;
}

static void look(struct ghash_node *node, void *arg)
{
	struct unix_sock *u = container_of(node, struct unix_sock, all_node);
	struct walk *w = arg;

	if (!w->found && u->sk.net == w->d->net && diag_ino(&u->sk) == w->q->udiag_ino &&
	    sock_get(&u->sk))
		w->found = u;
}

static int get_one(struct nl_request *r, const struct unix_diag_req *q)
{
	struct nl_dump d = { .net = r->net };
	struct walk w = { .d = &d, .q = q };
	struct nlmsg_buf b;
	u64 pos = 0;
	int err;

	if (!q->udiag_ino)
		return -EINVAL;
	while (pos < GHASH_END && !w.found)
		unix_walk(&pos, look, &w);
	if (!w.found)
		return -ENOENT;
	err = diag_check_cookie(&w.found->sk, q->udiag_cookie);
	if (!err)
		err = nlmsg_init(&b, NLMSG_MOST, NLMSG_MOST, GFP_KERNEL);
	if (!err && put(&b, w.found, r->portid, r->hdr->nlmsg_seq, 0, q->udiag_show))
		err = netlink_reply(r, &b);
	unix_put(w.found);
	return err;
}

static int request(struct nl_request *r)
{
	const struct unix_diag_req *q = r->body;
	struct nl_dump d = { .fn = dump };

	if (r->body_len < sizeof(*q))
		return -EINVAL;
	if (!(r->hdr->nlmsg_flags & NLM_F_DUMP))
		return get_one(r, q);
	d.args[ARG_SHOW] = q->udiag_show;
	d.args[ARG_STATES] = q->udiag_states;
	return netlink_start_dump(r, &d);
}

static struct diag_family family = { .family = AF_UNIX, .request = request };

static int unix_diag_init(void)
{
	diag_register(&family);
	return 0;
}
INITCALL(fs, unix_diag_init);
