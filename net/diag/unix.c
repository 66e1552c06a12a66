// SPDX-License-Identifier: MIT
/* Local sockets: unix_diag. */
#include <lib/string.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/unix_diag.h>
#include "net/diag/diag.h"
#include "net/unix/unix_priv.h"

enum { ARG_SHOW = 2, ARG_STATES };	/* behind netlink_dump_table()'s */

static u8 state_of(const struct unix_sock *u)
{
	return u->sk.state == UNIX_LISTEN ? 10 : u->sk.state == UNIX_CONNECTED ? 1 : 7;
}

#define BESIDES 256u			/* bytes of a message at most, without the list of connections */

/*
 * u->sk.lock: its queue's length, and the clients whose connections wait in a listener's, unless
 * those are more than an empty buffer has room for. B has all of its room from the start, and does
 * not grow here. While a connection is in the queue its peer stays the client.
 */
static void put_queue(struct nlmsg_buf *b, struct unix_sock *u, u32 show)
{
	struct unix_diag_rqlen q = {};
	struct unix_msg *m;
	size_t left = u->queued;
	u32 *icons;

	if (show & UDIAG_SHOW_ICONS && u->sk.state == UNIX_LISTEN &&
	    left * sizeof(*icons) + BESIDES < b->most) {
		icons = nla_reserve(b, UNIX_DIAG_ICONS, left * sizeof(*icons));
		list_for_each_entry(m, &u->queue, list)
			if (icons && m->embryo && left) {
				*icons++ = (u32)diag_ino(&m->embryo->peer->sk);
				left--;
			}
	}
	if (!(show & UDIAG_SHOW_RQLEN))
		return;
	if (u->sk.state == UNIX_LISTEN) {
		q.udiag_rqueue = u->queued;
		q.udiag_wqueue = u->backlog;
	} else {
		q.udiag_rqueue = unix_unread(u);
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

/* ---- dump ---- */

static void walk(struct nl_dump *d, u64 *pos, void (*fn)(struct ghash_node *n, void *arg),
		 void *arg)
{
	unix_walk(pos, fn, arg);
}

static void *get(struct ghash_node *node, struct nl_dump *d)
{
	struct unix_sock *u = container_of(node, struct unix_sock, all_node);

	if (u->sk.net != d->net || !(d->args[ARG_STATES] & 1l << state_of(u)))
		return NULL;
	return sock_get(&u->sk) ? u : NULL;
}

static bool show(struct nlmsg_buf *b, struct nl_dump *d, void *object)
{
	return put(b, object, d->portid, d->hdr.nlmsg_seq, NLM_F_MULTI, (u32)d->args[ARG_SHOW]);
}

static void drop(void *object)
{
	unix_put(object);
}

static const struct nl_table table = { .walk = walk, .get = get, .show = show, .put = drop };

static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	return netlink_dump_table(b, d, &table);
}

/* ---- one socket ---- */

struct search {
	const struct net *net;
	u64 ino;
	struct unix_sock *found;	/* referenced */
};

static void look(struct ghash_node *node, void *arg)
{
	struct unix_sock *u = container_of(node, struct unix_sock, all_node);
	struct search *s = arg;

	if (!s->found && u->sk.net == s->net && diag_ino(&u->sk) == s->ino && sock_get(&u->sk))
		s->found = u;
}

static int get_one(struct nl_request *r, const struct unix_diag_req *q)
{
	struct search s = { .net = r->net, .ino = q->udiag_ino };
	struct nlmsg_buf b;
	u64 pos = 0;
	int err;

	if (!q->udiag_ino)
		return -EINVAL;
	while (pos < GHASH_END && !s.found)
		unix_walk(&pos, look, &s);
	if (!s.found)
		return -ENOENT;
	err = diag_check_cookie(&s.found->sk, q->udiag_cookie);
	if (!err)
		err = nlmsg_init(&b, NLMSG_MOST, NLMSG_MOST, GFP_KERNEL);
	if (!err)
		err = netlink_answer(
			r, &b, put(&b, s.found, r->portid, r->hdr->nlmsg_seq, 0, q->udiag_show));
	unix_put(s.found);
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
