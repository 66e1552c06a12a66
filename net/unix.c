// SPDX-License-Identifier: MIT
/*
 * Local sockets (unix(7)): streams, datagrams and sequenced packets between processes of one machine, with descriptors
 * and credentials.
 *
 * A message is queued at its receiver; its bytes count against the sender's buffer until it is read. A connected pair holds
 * references of each other. Names: bound path names are found through their inode, abstract ones by their bytes, in one hash.
 *
 * Locks: u->lock (state, peer, queues; two of them in the order of their addresses), name_lock (the hash) outside of it.
 * u->io_lock keeps readers of one stream apart. Descriptors that are under way in messages may form cycles that no process can
 * reach: unix_gc.c collects them.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/hash.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <net/socket.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/dentry.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <vfs/namei.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include <linux/capability.h>
#include <linux/un.h>
#include "net/unix_priv.h"

#define HASH_BITS 8
#define CHUNK 32768UL
#define NAME_OFF offsetof(struct sockaddr_un, sun_path)

static struct hlist_head names[1 << HASH_BITS];		/* name_lock */
static DEFINE_SPINLOCK(name_lock);
static int wmem_default = 212992, max_dgram_qlen = 10, somaxconn = 4096;	/* not a page */
static u32 next_auto;					/* name_lock */

struct msg_creds {
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;
};

static void get_my_creds(struct msg_creds *c)
{
	c->pid = get_pid(current->group_leader->thread_pid);
	c->uid = current_uid();
	c->gid = current_gid();
}

/* ---- life ---- */

static void addr_put(struct unix_addr *a)
{
	if (a && refcount_dec_and_test(&a->refs))
		kfree(a);
}

void unix_put(struct unix_sock *u)
{
	if (!refcount_dec_and_test(&u->refs))
		return;
	addr_put(u->addr);
	if (u->path.dentry)
		path_put(&u->path);
	put_pid(u->peer_pid);
	kfree(u);
}

static void msg_free(struct unix_msg *m)
{
	struct unix_sock *from = m->from;

	atomic_sub((int)m->truesize, &from->wmem);
	if (atomic_read(&from->wmem) * 2 <= from->sndbuf)
		wake_up_interruptible_poll(&from->wait, EPOLLOUT | EPOLLWRNORM);
	unix_put(from);
	if (m->fds)
		unix_fds_free(m->fds);
	put_pid(m->pid);
	kvfree(m);
}

static struct unix_sock *unix_new(struct socket *s)
{
	struct unix_sock *u = kzalloc(sizeof(*u), GFP_KERNEL);

	if (!u)
		return NULL;
	refcount_set(&u->refs, 1);
	u->type = s->type;
	spin_lock_init(&u->lock);
	mutex_init(&u->io_lock);
	init_waitqueue_head(&u->wait);
	init_waitqueue_head(&u->peer_wait);
	INIT_LIST_HEAD(&u->queue);
	INIT_LIST_HEAD(&u->accept_link);
	u->sndbuf = u->rcvbuf = wmem_default;
	u->rcvlowat = 1;
	u->rcvtimeo = u->sndtimeo = MAX_SCHEDULE_TIMEOUT;
	u->uid = current_uid();
	unix_track(u);
	return u;
}

static void lock_two(struct unix_sock *a, struct unix_sock *b)
{
	if (a > b)
		swap(a, b);
	spin_lock(&a->lock);
	if (a != b)
		spin_lock_nested(&b->lock, 1);
}

static void unlock_two(struct unix_sock *a, struct unix_sock *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

static void wake_all_state(struct unix_sock *u)
{
	wake_up_interruptible_all(&u->wait);
	wake_up_interruptible_all(&u->peer_wait);
}

/* The peer, referenced; NULL: none. */
static struct unix_sock *peer_get(struct unix_sock *u)
{
	struct unix_sock *p;

	spin_lock(&u->lock);
	p = u->peer;
	if (p)
		refcount_inc(&p->refs);
	spin_unlock(&u->lock);
	return p;
}

static void unbind_name(struct unix_sock *u)
{
	spin_lock(&name_lock);
	if (!hlist_unhashed(&u->name_node))
		hlist_del_init(&u->name_node);
	spin_unlock(&name_lock);
}

/* What is still queued at a socket that goes. */
static void drop_queue(struct unix_sock *u)
{
	for (;;) {
		struct unix_msg *m;

		spin_lock(&u->lock);
		m = list_first_entry_or_null(&u->queue, struct unix_msg, list);
		if (m)
			list_del(&m->list);
		spin_unlock(&u->lock);
		if (!m)
			return;
		if (m->embryo) {		/* a connection that nobody accepted */
			unix_release_sock(m->embryo, true);
			m->embryo = NULL;
		}
		msg_free(m);
	}
}

void unix_release_sock(struct unix_sock *u, bool embryo)
{
	struct unix_sock *peer;
	bool unread;

	unix_untrack(u);
	unbind_name(u);
	spin_lock(&u->lock);
	u->dead = true;
	u->shut = 3;
	u->state = UNIX_CLOSED;
	peer = u->peer;
	u->peer = NULL;
	unread = !list_empty(&u->queue);
	spin_unlock(&u->lock);
	wake_all_state(u);
	if (peer) {
		if (u->type != SOCK_DGRAM) {
			spin_lock(&peer->lock);
			peer->shut = 3;
			if (unread || embryo)
				peer->err = ECONNRESET;
			spin_unlock(&peer->lock);
		}
		wake_all_state(peer);
		unix_put(peer);
	}
	drop_queue(u);
	unix_put(u);
	unix_gc_poke();
}

static int unix_release(struct socket *s)
{
	struct unix_sock *u = s->sk;

	s->sk = NULL;
	if (u)
		unix_release_sock(u, false);
	return 0;
}

/* ---- names ---- */

static u32 name_hash(const struct unix_addr *a)
{
	u64 h = (u64)a->len;

	for (int i = 0; i < a->len - (int)NAME_OFF; i++)
		h = h * 31 + (u8)a->name.sun_path[i];
	return hash_64(h, HASH_BITS);
}

static u32 inode_hash(const struct inode *i)
{
	return hash_ptr(i, HASH_BITS);
}

/* name_lock held. */
static struct unix_sock *find_abstract(const struct unix_addr *a, int type)
{
	struct unix_sock *u;

	hlist_for_each_entry(u, &names[name_hash(a)], name_node)
		if (!u->path.dentry && u->type == type && u->addr && u->addr->len == a->len &&
		    !memcmp(&u->addr->name, &a->name, (size_t)a->len))
			return u;
	return NULL;
}

/* A checked copy of a user's address. -EINVAL; -EAFNOSUPPORT-like is -EINVAL too (unix(7)). */
static struct unix_addr *addr_copy(const struct __kernel_sockaddr_storage *sa, int len)
{
	const struct sockaddr_un *un = (const void *)sa;
	struct unix_addr *a;

	if (len <= (int)NAME_OFF || len > (int)sizeof(*un) || un->sun_family != AF_UNIX)
		return ERR_PTR(-EINVAL);
	a = kzalloc(sizeof(*a) + sizeof(*un) + 1, GFP_KERNEL);
	if (!a)
		return ERR_PTR(-ENOMEM);
	refcount_set(&a->refs, 1);
	memcpy(&a->name, un, (size_t)len);
	if (a->name.sun_path[0]) {
		/* A path ends at its NUL, whether the caller counted it or not. */
		((char *)&a->name)[len] = '\0';
		a->len = (int)(NAME_OFF + strlen(a->name.sun_path) + 1);
	} else {
		a->len = len;
	}
	return a;
}

static struct unix_sock *find_path(const char *path, int type, int *err)
{
	struct unix_sock *u, *found = NULL;
	struct inode *inode;
	struct path p;
	int e = kern_path(path, LOOKUP_FOLLOW, &p);

	*err = e;
	if (e)
		return NULL;
	inode = d_inode(p.dentry);
	*err = path_permission(&p, MAY_WRITE);
	if (!*err) {
		*err = -ECONNREFUSED;
		spin_lock(&name_lock);
		hlist_for_each_entry(u, &names[inode_hash(inode)], name_node) {
			if (!u->path.dentry || d_inode(u->path.dentry) != inode)
				continue;
			if (u->type != type) {
				*err = -EPROTOTYPE;
				break;
			}
			if (refcount_inc_not_zero(&u->refs))
				found = u;
			break;
		}
		spin_unlock(&name_lock);
	}
	path_put(&p);
	return found;
}

/* Who is bound to the address, referenced; ERR_PTR. */
static struct unix_sock *find_other(const struct __kernel_sockaddr_storage *sa, int len, int type)
{
	struct unix_addr *a = addr_copy(sa, len);
	struct unix_sock *u;
	int e = -ECONNREFUSED;

	if (IS_ERR(a))
		return ERR_CAST(a);
	if (a->name.sun_path[0]) {
		u = find_path(a->name.sun_path, type, &e);
	} else {
		spin_lock(&name_lock);
		u = find_abstract(a, type);
		if (u && !refcount_inc_not_zero(&u->refs))
			u = NULL;
		spin_unlock(&name_lock);
	}
	addr_put(a);
	return u ? u : ERR_PTR(e);
}

static int bind_abstract(struct unix_sock *u, struct unix_addr *a)
{
	int e = 0;

	spin_lock(&name_lock);
	if (find_abstract(a, u->type)) {
		e = -EADDRINUSE;
	} else {
		spin_lock(&u->lock);
		if (u->addr)
			e = -EINVAL;
		else
			smp_store_release(&u->addr, a);
		spin_unlock(&u->lock);
		if (!e)
			hlist_add_head(&u->name_node, &names[name_hash(a)]);
	}
	spin_unlock(&name_lock);
	return e;
}

static int bind_path(struct unix_sock *u, struct unix_addr *a)
{
	struct path parent;
	struct dentry *d = kern_path_create(a->name.sun_path, &parent, 0);
	umode_t mode = S_IFSOCK | (0777 & ~(umode_t)current_umask());
	int e;

	if (IS_ERR(d))
		return PTR_ERR(d) == -EEXIST ? -EADDRINUSE : (int)PTR_ERR(d);
	e = vfs_mknod(mnt_idmap(parent.mnt), d_inode(parent.dentry), d, mode, 0);
	if (!e) {
		spin_lock(&name_lock);
		spin_lock(&u->lock);
		if (u->addr) {
			e = -EINVAL;
		} else {
			u->path.mnt = mntget(parent.mnt);
			u->path.dentry = dget(d);
			smp_store_release(&u->addr, a);
		}
		spin_unlock(&u->lock);
		if (!e)
			hlist_add_head(&u->name_node, &names[inode_hash(d_inode(d))]);
		spin_unlock(&name_lock);
		if (e)
			vfs_unlink(mnt_idmap(parent.mnt), d_inode(parent.dentry), d);
	}
	end_creating_path(&parent, d);
	return e == -EEXIST ? -EADDRINUSE : e;
}

/* A name of five hexadecimal digits in the abstract space. */
static int autobind(struct unix_sock *u)
{
	static const char hex[] = "0123456789abcdef";

	if (READ_ONCE(u->addr))
		return 0;
	for (u32 tries = 0; tries <= 0xfffff; tries++) {
		struct unix_addr *a = kzalloc(sizeof(*a) + sizeof(struct sockaddr_un), GFP_KERNEL);
		u32 n;
		int e;

		if (!a)
			return -ENOMEM;
		spin_lock(&name_lock);
		n = next_auto++ & 0xfffff;
		spin_unlock(&name_lock);
		refcount_set(&a->refs, 1);
		a->name.sun_family = AF_UNIX;
		for (int i = 0; i < 5; i++)
			a->name.sun_path[5 - i] = hex[n >> 4 * i & 15];
		a->len = (int)NAME_OFF + 6;
		e = bind_abstract(u, a);
		if (!e)
			return 0;
		addr_put(a);
		if (e != -EADDRINUSE)
			return e == -EINVAL ? 0 : e;
	}
	return -ENOSPC;
}

static int unix_bind(struct socket *s, const struct __kernel_sockaddr_storage *sa, int len)
{
	struct unix_sock *u = s->sk;
	struct unix_addr *a;
	int e;

	if (len == (int)NAME_OFF && ((const struct sockaddr_un *)sa)->sun_family == AF_UNIX)
		return READ_ONCE(u->addr) ? -EINVAL : autobind(u);
	a = addr_copy(sa, len);
	if (IS_ERR(a))
		return (int)PTR_ERR(a);
	if (READ_ONCE(u->addr))
		e = -EINVAL;
	else
		e = a->name.sun_path[0] ? bind_path(u, a) : bind_abstract(u, a);
	if (e)
		addr_put(a);
	return e;
}

static int unix_getname(struct socket *s, struct __kernel_sockaddr_storage *sa, bool peer)
{
	struct unix_sock *u = s->sk, *p = u;
	struct unix_addr *a;
	int len;

	if (peer) {
		p = peer_get(u);
		if (!p)
			return -ENOTCONN;
	}
	a = smp_load_acquire(&p->addr);
	if (a) {
		len = a->len;
		memcpy(sa, &a->name, (size_t)len);
	} else {
		((struct sockaddr_un *)sa)->sun_family = AF_UNIX;
		len = (int)NAME_OFF;
	}
	if (peer)
		unix_put(p);
	return len;
}

/* ---- connecting ---- */

static void set_peer_creds(struct unix_sock *u)
{
	put_pid(u->peer_pid);
	u->peer_pid = get_pid(current->group_leader->thread_pid);
	u->peer_uid = current_euid();
	u->peer_gid = current_egid();
}

static void copy_peer_creds(struct unix_sock *to, struct unix_sock *from)
{
	put_pid(to->peer_pid);
	to->peer_pid = get_pid(from->peer_pid);
	to->peer_uid = from->peer_uid;
	to->peer_gid = from->peer_gid;
}

static int unix_socketpair(struct socket *sa, struct socket *sb)
{
	struct unix_sock *a = sa->sk, *b = sb->sk;

	refcount_inc(&a->refs);
	refcount_inc(&b->refs);
	a->peer = b;
	b->peer = a;
	set_peer_creds(a);
	set_peer_creds(b);
	if (a->type != SOCK_DGRAM)
		a->state = b->state = UNIX_CONNECTED;
	return 0;
}

static bool may_send(struct unix_sock *to, struct unix_sock *from)
{
	return !to->peer || to->peer == from;
}

static int dgram_connect(struct unix_sock *u, const struct __kernel_sockaddr_storage *sa, int len)
{
	struct unix_sock *other = NULL, *old;
	int e = 0;

	if (sa->ss_family != AF_UNSPEC) {
		if (u->passcred)
			e = autobind(u);
		if (e)
			return e;
		other = find_other(sa, len, u->type);
		if (IS_ERR(other))
			return (int)PTR_ERR(other);
		lock_two(u, other);
		if (!may_send(other, u))
			e = -EPERM;
		if (other->dead)
			e = -ECONNREFUSED;
		if (e) {
			unlock_two(u, other);
			unix_put(other);
			return e;
		}
		old = u->peer;
		u->peer = other;
		unlock_two(u, other);
	} else {
		spin_lock(&u->lock);
		old = u->peer;
		u->peer = NULL;
		spin_unlock(&u->lock);
	}
	if (old) {
		if (old != other)
			wake_all_state(old);
		unix_put(old);
	}
	return 0;
}

static bool backlog_full(const struct unix_sock *o)
{
	return o->queued > (unsigned int)o->backlog;
}

/* Waits until the listener has room. 0: look again. */
static int wait_for_backlog(struct unix_sock *o, long *timeo)
{
	long r;

	if (!*timeo)
		return -EAGAIN;
	r = wait_event_interruptible_timeout(o->peer_wait, o->dead || o->state != UNIX_LISTEN || !backlog_full(o), *timeo);
	if (r < 0)
		return *timeo == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR;
	*timeo = *timeo == MAX_SCHEDULE_TIMEOUT ? *timeo : r;
	return r ? 0 : -EAGAIN;
}

static struct unix_msg *msg_new(struct unix_sock *from, size_t len)
{
	struct unix_msg *m = kvmalloc(sizeof(*m) + len, GFP_KERNEL);

	if (!m)
		return NULL;
	*m = (struct unix_msg){ .from = from, .len = len, .truesize = sizeof(*m) + len };
	INIT_LIST_HEAD(&m->list);
	refcount_inc(&from->refs);
	atomic_add((int)m->truesize, &from->wmem);
	return m;
}

static int stream_connect(struct socket *s, const struct __kernel_sockaddr_storage *sa, int len, int flags)
{
	struct unix_sock *u = s->sk, *other, *n;
	long timeo = flags & O_NONBLOCK ? 0 : u->sndtimeo;
	struct socket fake = { .type = s->type };
	struct unix_msg *m;
	int e = u->passcred ? autobind(u) : 0;

	if (e)
		return e;
	n = unix_new(&fake);
	if (!n)
		return -ENOMEM;
	m = msg_new(n, 0);
	if (!m) {
		unix_release_sock(n, false);
		return -ENOMEM;
	}
again:
	other = find_other(sa, len, s->type);
	if (IS_ERR(other)) {
		e = (int)PTR_ERR(other);
		goto drop;
	}
	lock_two(u, other);
	if (u->state == UNIX_CONNECTED)
		e = -EISCONN;
	else if (u->state != UNIX_CLOSED || u == other)
		e = -EINVAL;
	else if (other->dead || other->state != UNIX_LISTEN || (other->shut & 1))
		e = -ECONNREFUSED;
	else
		e = 0;
	if (e) {
		unlock_two(u, other);
		unix_put(other);
		goto drop;
	}
	if (backlog_full(other)) {
		unlock_two(u, other);
		e = wait_for_backlog(other, &timeo);
		unix_put(other);
		if (e)
			goto drop;
		goto again;
	}
	/* N is the server's end: it has the listener's name and waits in its queue. */
	refcount_inc(&u->refs);
	n->peer = u;
	n->state = UNIX_CONNECTED;
	set_peer_creds(n);
	if (other->addr) {
		refcount_inc(&other->addr->refs);
		n->addr = other->addr;
	}
	if (other->path.dentry) {
		path_get(&other->path);
		n->path = other->path;
	}
	copy_peer_creds(u, other);
	n->passcred = other->passcred;
	u->state = UNIX_CONNECTED;
	u->peer = n;
	refcount_inc(&n->refs);
	m->embryo = n;
	list_add_tail(&m->list, &other->queue);
	other->queued++;
	unlock_two(u, other);
	wake_up_interruptible_poll(&other->wait, EPOLLIN | EPOLLRDNORM);
	unix_put(other);
	return 0;
drop:
	msg_free(m);
	unix_release_sock(n, false);
	return e;
}

static int unix_connect(struct socket *s, const struct __kernel_sockaddr_storage *sa, int len, int flags)
{
	if (s->type == SOCK_DGRAM)
		return dgram_connect(s->sk, sa, len);
	return stream_connect(s, sa, len, flags);
}

static int unix_listen(struct socket *s, int backlog)
{
	struct unix_sock *u = s->sk;
	int e = 0;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!READ_ONCE(u->addr))
		return -EINVAL;
	spin_lock(&u->lock);
	if (u->state == UNIX_CONNECTED) {
		e = -EINVAL;
	} else {
		u->backlog = min((unsigned int)backlog, (unsigned int)somaxconn);
		u->state = UNIX_LISTEN;
		set_peer_creds(u);
	}
	spin_unlock(&u->lock);
	wake_up_interruptible_all(&u->peer_wait);
	return e;
}

static int unix_accept(struct socket *s, struct socket *fresh, int flags)
{
	struct unix_sock *u = s->sk;
	long timeo = flags & O_NONBLOCK ? 0 : u->rcvtimeo;
	struct unix_msg *m = NULL;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (u->state != UNIX_LISTEN)
		return -EINVAL;
	for (;;) {
		long r;

		spin_lock(&u->lock);
		m = list_first_entry_or_null(&u->queue, struct unix_msg, list);
		if (m) {
			list_del(&m->list);
			u->queued--;
		}
		spin_unlock(&u->lock);
		if (m)
			break;
		if (u->shut & 1)
			return -EINVAL;
		if (!timeo)
			return -EAGAIN;
		r = wait_event_interruptible_timeout(u->wait, !list_empty(&u->queue) || (u->shut & 1), timeo);
		if (r < 0)
			return timeo == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR;
		if (!r)
			return -EAGAIN;
	}
	wake_up_interruptible(&u->peer_wait);
	fresh->sk = m->embryo;
	m->embryo = NULL;
	msg_free(m);
	return 0;
}

static int unix_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = s->sk, *p;
	int mine = how + 1, theirs = (mine & 1) << 1 | mine >> 1;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	spin_lock(&u->lock);
	u->shut |= mine;
	p = u->peer;
	if (p)
		refcount_inc(&p->refs);
	spin_unlock(&u->lock);
	wake_all_state(u);
	if (p) {
		if (u->type != SOCK_DGRAM) {
			spin_lock(&p->lock);
			p->shut |= theirs;
			spin_unlock(&p->lock);
			wake_all_state(p);
		}
		unix_put(p);
	} else if (u->type != SOCK_DGRAM && u->state != UNIX_LISTEN) {
		return -ENOTCONN;
	}
	return 0;
}

/* ---- control messages ---- */

struct control {
	struct unix_fds *fds;
	bool have_creds;
	struct msg_creds creds;
};

static void control_free(struct control *c)
{
	if (c->fds)
		unix_fds_free(c->fds);
	put_pid(c->creds.pid);
}

static int take_rights(struct control *c, struct uptr data, size_t bytes)
{
	unsigned int n = (unsigned int)(bytes / sizeof(int));

	if (!n)
		return 0;
	if (n > SCM_MAX_FD || (c->fds && c->fds->count + n > SCM_MAX_FD))
		return -EINVAL;
	if (!c->fds) {
		c->fds = kzalloc(sizeof(*c->fds), GFP_KERNEL);
		if (!c->fds)
			return -ENOMEM;
		INIT_LIST_HEAD(&c->fds->all);
		c->fds->user = current_cred()->user;
		refcount_inc(&c->fds->user->refs);
	}
	for (unsigned int i = 0; i < n; i++) {
		s32 fd;
		struct file *f;

		if (get_user(fd, uptr_add(data, i * sizeof(fd))))
			return -EFAULT;
		f = fget((unsigned int)fd);
		if (!f)
			return -EBADF;
		c->fds->file[c->fds->count++] = f;
	}
	return 0;
}

static int take_creds(struct control *c, struct uptr data, size_t bytes)
{
	struct { s32 pid; u32 uid, gid; } u;
	const struct cred *cr = current_cred();
	kuid_t uid;
	kgid_t gid;

	if (bytes != sizeof(u))
		return -EINVAL;
	if (copy_from_user(&u, data, sizeof(u)))
		return -EFAULT;
	uid = make_kuid(cr->user_ns, u.uid);
	gid = make_kgid(cr->user_ns, u.gid);
	if (!uid_valid(uid) || !gid_valid(gid))
		return -EINVAL;
	if ((u.pid != task_tgid_vnr(current) && !ns_capable(cr->user_ns, CAP_SYS_ADMIN)) ||
	    (!uid_eq(uid, cr->uid) && !uid_eq(uid, cr->euid) && !uid_eq(uid, cr->suid) && !ns_capable(cr->user_ns, CAP_SETUID)) ||
	    (!gid_eq(gid, cr->gid) && !gid_eq(gid, cr->egid) && !gid_eq(gid, cr->sgid) && !ns_capable(cr->user_ns, CAP_SETGID)))
		return -EPERM;
	put_pid(c->creds.pid);
	c->creds.pid = find_get_pid(u.pid);
	if (!c->creds.pid)
		return -ESRCH;
	c->creds.uid = uid;
	c->creds.gid = gid;
	c->have_creds = true;
	return 0;
}

static int read_control(struct sock_msg *m, struct control *c)
{
	size_t off = 0;
	int e = 0;

	get_my_creds(&c->creds);
	while (!e && off + sizeof(struct user_cmsghdr) <= m->control_len) {
		struct uptr at = uptr_add(m->control, off);
		struct user_cmsghdr h;

		if (copy_from_user(&h, at, sizeof(h)))
			return -EFAULT;
		if (h.len < sizeof(h) || h.len > m->control_len - off)
			return -EINVAL;
		if (h.level == SOL_SOCKET && h.type == SCM_RIGHTS)
			e = take_rights(c, uptr_add(at, sizeof(h)), h.len - sizeof(h));
		else if (h.level == SOL_SOCKET && h.type == SCM_CREDENTIALS)
			e = take_creds(c, uptr_add(at, sizeof(h)), h.len - sizeof(h));
		else if (h.level == SOL_SOCKET)
			e = -EINVAL;
		off += ALIGN(h.len, 8UL);
	}
	return e;
}

static void give_rights(struct sock_msg *m, struct unix_fds *f)
{
	size_t room = m->control_len - m->control_done;
	int fds[SCM_MAX_FD];
	unsigned int max_fds, n = 0;

	max_fds = room > sizeof(struct user_cmsghdr) ? (unsigned int)((room - sizeof(struct user_cmsghdr)) / sizeof(int)) : 0;
	while (n < f->count && n < max_fds) {
		int fd = receive_fd(f->file[n], UPTR_NULL, m->flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);

		if (fd < 0)
			break;
		fds[n++] = fd;
	}
	if (n)
		put_cmsg(m, SOL_SOCKET, SCM_RIGHTS, n * sizeof(int), fds);
	if (n < f->count)
		m->out_flags |= MSG_CTRUNC;
}

static void give_control(struct unix_sock *u, struct sock_msg *m, struct unix_msg *q)
{
	if (u->passcred) {
		struct { s32 pid; u32 uid, gid; } c = {
			pid_vnr(q->pid), from_kuid_munged(current_user_ns(), q->uid), from_kgid_munged(current_user_ns(), q->gid),
		};

		put_cmsg(m, SOL_SOCKET, SCM_CREDENTIALS, sizeof(c), &c);
	}
	if (q->fds) {
		give_rights(m, q->fds);
		if (!(m->flags & MSG_PEEK)) {
			unix_fds_free(q->fds);
			q->fds = NULL;
		}
	}
}

/* ---- sending ---- */

static struct unix_msg *build(struct unix_sock *u, struct sock_msg *m, struct control *c, size_t len)
{
	struct unix_msg *q = msg_new(u, len);

	if (!q)
		return ERR_PTR(-ENOMEM);
	if (len && copy_from_iter(q->data, len, m->iter) != len) {
		msg_free(q);
		return ERR_PTR(-EFAULT);
	}
	q->pid = get_pid(c->creds.pid);
	q->uid = c->creds.uid;
	q->gid = c->creds.gid;
	q->fds = c->fds;
	c->fds = NULL;
	if (q->fds)
		unix_fds_attach(q->fds);
	return q;
}

static bool can_queue(struct unix_sock *u)
{
	return atomic_read(&u->wmem) < u->sndbuf;
}

static int wait_for_room(struct unix_sock *u, long *timeo)
{
	long r;

	if (!*timeo)
		return -EAGAIN;
	r = wait_event_interruptible_timeout(u->wait, can_queue(u) || (u->shut & 2) || u->dead, *timeo);
	if (r < 0)
		return *timeo == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR;
	if (!r)
		return -EAGAIN;
	if (*timeo != MAX_SCHEDULE_TIMEOUT)
		*timeo = r;
	return 0;
}

static ssize_t pipe_error(struct sock_msg *m, ssize_t done)
{
	if (done)
		return done;
	if (!(m->flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return -EPIPE;
}

static ssize_t stream_send(struct unix_sock *u, struct sock_msg *m, struct control *c)
{
	long timeo = m->nonblock ? 0 : u->sndtimeo;
	ssize_t done = 0;

	if (m->addr_len)
		return u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	if (!READ_ONCE(u->peer))
		return u->shut & 2 ? pipe_error(m, 0) : -ENOTCONN;
	do {
		size_t len = min3(iter_count(m->iter), CHUNK, (size_t)max(u->sndbuf / 2 - 64, 256));
		struct unix_sock *p;
		struct unix_msg *q;
		int e;

		if (u->shut & 2)
			return pipe_error(m, done);
		if (!can_queue(u)) {
			e = wait_for_room(u, &timeo);
			if (e)
				return done ?: e;
			continue;
		}
		if (!len && !c->fds)
			break;
		q = build(u, m, c, len);
		if (IS_ERR(q))
			return done ?: PTR_ERR(q);
		p = peer_get(u);
		if (!p) {
			msg_free(q);
			return pipe_error(m, done);
		}
		spin_lock(&p->lock);
		if (p->dead || (p->shut & 1)) {
			spin_unlock(&p->lock);
			msg_free(q);
			unix_put(p);
			return pipe_error(m, done);
		}
		list_add_tail(&q->list, &p->queue);
		p->bytes += len;
		spin_unlock(&p->lock);
		wake_up_interruptible_poll(&p->wait, EPOLLIN | EPOLLRDNORM);
		unix_put(p);
		done += (ssize_t)len;
	} while (iter_count(m->iter));
	return done;
}

/* A datagram's receiver is full. 0: try again. */
static int wait_for_peer(struct unix_sock *u, struct unix_sock *p, long *timeo)
{
	long r;

	if (!*timeo)
		return -EAGAIN;
	r = wait_event_interruptible_timeout(p->peer_wait, p->dead || (p->shut & 1) || p->queued <= (unsigned int)max_dgram_qlen ||
					     (u->shut & 2), *timeo);
	if (r < 0)
		return *timeo == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR;
	if (!r)
		return -EAGAIN;
	if (*timeo != MAX_SCHEDULE_TIMEOUT)
		*timeo = r;
	return 0;
}

/* Puts Q into P's queue. 0; -EAGAIN: full; -ECONNREFUSED; -EPERM; -EPIPE. */
static int deliver(struct unix_sock *u, struct unix_sock *p, struct unix_msg *q, bool connected)
{
	int e = 0;

	spin_lock(&p->lock);
	if (p->dead)
		e = -ECONNREFUSED;
	else if (!may_send(p, u))
		e = -EPERM;
	else if (p->shut & 1)
		e = -EPIPE;
	else if (p != u && u->peer != NULL && p->peer != u && p->queued > (unsigned int)max_dgram_qlen)
		e = -EAGAIN;
	else if (p != u && p->peer != u && p->queued > (unsigned int)max_dgram_qlen)
		e = -EAGAIN;
	if (!e) {
		list_add_tail(&q->list, &p->queue);
		p->bytes += q->len;
		p->queued++;
	}
	spin_unlock(&p->lock);
	if (!e)
		wake_up_interruptible_poll(&p->wait, EPOLLIN | EPOLLRDNORM);
	return e;
}

static ssize_t dgram_send(struct unix_sock *u, struct sock_msg *m, struct control *c)
{
	long timeo = m->nonblock ? 0 : u->sndtimeo;
	size_t len = iter_count(m->iter);
	struct unix_sock *p;
	struct unix_msg *q;
	ssize_t r;

	if (u->type == SOCK_SEQPACKET && u->state != UNIX_CONNECTED)
		return u->shut & 2 ? pipe_error(m, 0) : -ENOTCONN;
	if (u->type == SOCK_SEQPACKET)
		m->addr_len = 0;
	if (u->passcred && !READ_ONCE(u->addr)) {
		r = autobind(u);
		if (r)
			return r;
	}
	if (len > (size_t)u->sndbuf - 32)
		return -EMSGSIZE;
	if (u->shut & 2)
		return pipe_error(m, 0);
	while (!can_queue(u)) {
		r = wait_for_room(u, &timeo);
		if (r)
			return r;
	}
	if (m->addr_len) {
		p = find_other(&m->addr, m->addr_len, u->type);
		if (IS_ERR(p))
			return PTR_ERR(p);
	} else {
		p = peer_get(u);
		if (!p)
			return -ENOTCONN;
	}
	q = build(u, m, c, len);
	if (IS_ERR(q)) {
		unix_put(p);
		return PTR_ERR(q);
	}
	for (;;) {
		r = deliver(u, p, q, !m->addr_len);
		if (r != -EAGAIN)
			break;
		r = wait_for_peer(u, p, &timeo);
		if (r)
			break;
	}
	if (r) {
		msg_free(q);
		if (r == -ECONNREFUSED && !m->addr_len) {
			/* The connected peer is gone: so is the connection. */
			spin_lock(&u->lock);
			if (u->peer == p) {
				u->peer = NULL;
				unix_put(p);
			}
			spin_unlock(&u->lock);
		}
		if (r == -EPIPE)
			r = pipe_error(m, 0);
	}
	unix_put(p);
	return r ?: (ssize_t)len;
}

static ssize_t unix_sendmsg(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = s->sk;
	struct control c = { 0 };
	ssize_t r;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	r = read_control(m, &c);
	if (!r)
		r = s->type == SOCK_STREAM ? stream_send(u, m, &c) : dgram_send(u, m, &c);
	control_free(&c);
	return r;
}

/* ---- receiving ---- */

static int wait_for_data(struct unix_sock *u, long *timeo)
{
	long r;

	if (!*timeo)
		return -EAGAIN;
	r = wait_event_interruptible_timeout(u->wait, !list_empty(&u->queue) || u->err || (u->shut & 1) ||
					     (u->type != SOCK_DGRAM && u->state == UNIX_CONNECTED && !u->peer), *timeo);
	if (r < 0)
		return *timeo == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR;
	if (!r)
		return -EAGAIN;
	if (*timeo != MAX_SCHEDULE_TIMEOUT)
		*timeo = r;
	return 0;
}

static void give_address(struct sock_msg *m, struct unix_sock *from)
{
	struct unix_addr *a = smp_load_acquire(&from->addr);

	m->addr_len = 0;
	if (a) {
		memcpy(&m->addr, &a->name, (size_t)a->len);
		m->addr_len = a->len;
	}
}

static int take_error(struct unix_sock *u)
{
	return -xchg(&u->err, 0);
}

static ssize_t dgram_recv(struct unix_sock *u, struct sock_msg *m)
{
	long timeo = m->nonblock ? 0 : u->rcvtimeo;
	struct unix_msg *q;
	size_t n;
	int e;

	if (u->type == SOCK_SEQPACKET && u->state != UNIX_CONNECTED)
		return -ENOTCONN;
	mutex_lock(&u->io_lock);
	for (;;) {
		spin_lock(&u->lock);
		q = list_first_entry_or_null(&u->queue, struct unix_msg, list);
		if (q && !(m->flags & MSG_PEEK)) {
			list_del_init(&q->list);
			u->bytes -= q->len;
			if (u->queued)
				u->queued--;
		}
		spin_unlock(&u->lock);
		if (q)
			break;
		e = take_error(u);
		if (!e && (u->shut & 1)) {
			mutex_unlock(&u->io_lock);
			return 0;
		}
		mutex_unlock(&u->io_lock);
		if (e)
			return e;
		e = wait_for_data(u, &timeo);
		if (e)
			return e;
		mutex_lock(&u->io_lock);
	}
	n = min(iter_count(m->iter), q->len);
	if (copy_to_iter(q->data, n, m->iter) != n) {
		e = -EFAULT;
	} else {
		e = 0;
		if (n < q->len)
			m->out_flags |= MSG_TRUNC;
		if (u->type == SOCK_SEQPACKET)
			m->out_flags |= MSG_EOR;
		give_address(m, q->from);
		give_control(u, m, q);
	}
	n = m->flags & MSG_TRUNC ? q->len : n;
	if (!(m->flags & MSG_PEEK)) {
		msg_free(q);
		wake_up_interruptible(&u->peer_wait);
	}
	mutex_unlock(&u->io_lock);
	return e ?: (ssize_t)n;
}

static ssize_t stream_recv(struct unix_sock *u, struct sock_msg *m)
{
	long timeo = m->nonblock ? 0 : u->rcvtimeo;
	size_t want = m->flags & MSG_WAITALL ? iter_count(m->iter) : min((size_t)u->rcvlowat, iter_count(m->iter)), done = 0, skip = 0;
	struct unix_msg *q, *first = NULL;
	bool peek = m->flags & MSG_PEEK, gave = false;
	struct msg_creds origin = { 0 };
	int e = 0;

	if (u->state != UNIX_CONNECTED)
		return u->state == UNIX_LISTEN ? -EINVAL : -EINVAL;
	mutex_lock(&u->io_lock);
	while (iter_count(m->iter) || !done) {
		size_t n, seen = 0;

		spin_lock(&u->lock);
		q = NULL;
		list_for_each_entry(first, &u->queue, list) {
			size_t left = first->len - first->off;

			if (peek && seen + left <= skip && left) {
				seen += left;
				continue;
			}
			q = first;
			break;
		}
		spin_unlock(&u->lock);
		if (!q) {
			if (done >= want)
				break;
			e = take_error(u);
			if (e || (u->shut & 1))
				break;
			mutex_unlock(&u->io_lock);
			e = wait_for_data(u, &timeo);
			mutex_lock(&u->io_lock);
			if (e)
				break;
			continue;
		}
		if (gave && u->passcred && (q->pid != origin.pid || !uid_eq(q->uid, origin.uid)))
			break;
		if (done && q->fds)
			break;
		n = min(iter_count(m->iter), q->len - q->off - (peek ? skip - seen : 0));
		if (copy_to_iter(q->data + q->off + (peek ? skip - seen : 0), n, m->iter) != n) {
			e = -EFAULT;
			break;
		}
		if (!gave) {
			give_address(m, q->from);
			give_control(u, m, q);
			gave = true;
			origin.pid = q->pid;
			origin.uid = q->uid;
		}
		done += n;
		skip += n;
		if (!peek) {
			bool over;

			spin_lock(&u->lock);
			q->off += n;
			u->bytes -= n;
			over = q->off == q->len;
			if (over)
				list_del_init(&q->list);
			spin_unlock(&u->lock);
			if (over) {
				bool had_fds = q->fds != NULL;

				msg_free(q);
				if (had_fds)
					break;
			}
		}
		if (!iter_count(m->iter))
			break;
	}
	mutex_unlock(&u->io_lock);
	return done ? (ssize_t)done : e;
}

static ssize_t unix_recvmsg(struct socket *s, struct sock_msg *m)
{
	if (m->flags & (MSG_OOB | MSG_ERRQUEUE))
		return m->flags & MSG_OOB ? -EOPNOTSUPP : -EAGAIN;
	m->addr_len = 0;
	return s->type == SOCK_STREAM ? stream_recv(s->sk, m) : dgram_recv(s->sk, m);
}

/* ---- the rest ---- */

static u32 unix_poll(struct file *f, struct socket *s, struct poll_table_struct *p)
{
	struct unix_sock *u = s->sk, *peer;
	bool writable = can_queue(u) && atomic_read(&u->wmem) * 4 <= u->sndbuf;
	u32 mask = 0;

	poll_wait(f, &u->wait, p);
	if (u->err)
		mask |= EPOLLERR;
	if (u->shut == 3)
		mask |= EPOLLHUP;
	if (u->shut & 1)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (!list_empty(&u->queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (u->type != SOCK_DGRAM && u->state == UNIX_CLOSED)
		mask |= EPOLLHUP;
	if (u->type == SOCK_DGRAM && writable) {
		peer = peer_get(u);
		if (peer) {
			poll_wait(f, &peer->peer_wait, p);
			if (peer->peer != u && peer->queued > (unsigned int)max_dgram_qlen)
				writable = false;
			unix_put(peer);
		}
	}
	if (writable)
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

static int unix_ioctl(struct socket *s, unsigned int cmd, unsigned long arg)
{
	struct unix_sock *u = s->sk;
	struct unix_msg *q;
	u32 n;

	switch (cmd) {
	case SIOCOUTQ:
		return put_user((u32)atomic_read(&u->wmem), UPTR(arg)) ? -EFAULT : 0;
	case SIOCINQ:
		if (u->state == UNIX_LISTEN)
			return -EINVAL;
		spin_lock(&u->lock);
		if (u->type == SOCK_STREAM) {
			n = (u32)u->bytes;
		} else {
			q = list_first_entry_or_null(&u->queue, struct unix_msg, list);
			n = q ? (u32)q->len : 0;
		}
		spin_unlock(&u->lock);
		return put_user(n, UPTR(arg)) ? -EFAULT : 0;
	}
	return -ENOTTY;
}

static int get_timeo(long *out, struct uptr val, int len)
{
	struct { s64 sec, usec; } t;

	if (len < (int)sizeof(t))
		return -EINVAL;
	if (copy_from_user(&t, val, sizeof(t)))
		return -EFAULT;
	if (t.usec < 0 || t.usec >= USEC_PER_SEC)
		return -EDOM;
	if (t.sec < 0)
		*out = 0;
	else if ((!t.sec && !t.usec) || t.sec >= MAX_SCHEDULE_TIMEOUT / HZ - 1)
		*out = MAX_SCHEDULE_TIMEOUT;
	else
		*out = t.sec * HZ + (t.usec + (USEC_PER_SEC / HZ) - 1) / (USEC_PER_SEC / HZ);
	return 0;
}

static int set_buffer(int *buf, u32 v, bool force)
{
	if (force && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!force)
		v = min(v, (u32)wmem_default);
	*buf = max((int)min(v, (u32)INT_MAX / 2) * 2, 4608);
	return 0;
}

static int unix_setsockopt(struct socket *s, int level, int name, struct uptr val, int len)
{
	struct unix_sock *u = s->sk;
	u32 v;

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW)
		return get_timeo(&u->rcvtimeo, val, len);
	if (name == SO_SNDTIMEO_OLD || name == SO_SNDTIMEO_NEW)
		return get_timeo(&u->sndtimeo, val, len);
	if (name == SO_LINGER)
		return len < 8 ? -EINVAL : 0;
	if (len < (int)sizeof(v))
		return -EINVAL;
	if (get_user(v, val))
		return -EFAULT;
	switch (name) {
	case SO_PASSCRED: u->passcred = v; return 0;
	case SO_SNDBUF: case SO_SNDBUFFORCE: return set_buffer(&u->sndbuf, v, name == SO_SNDBUFFORCE);
	case SO_RCVBUF: case SO_RCVBUFFORCE: return set_buffer(&u->rcvbuf, v, name == SO_RCVBUFFORCE);
	case SO_RCVLOWAT: u->rcvlowat = (int)v < 0 ? INT_MAX : max((int)v, 1); return 0;
	case SO_REUSEADDR: u->reuse = v; return 0;
	case SO_KEEPALIVE: u->keepalive = v; return 0;
	case SO_BROADCAST: u->broadcast = v; return 0;
	case SO_DONTROUTE: case SO_OOBINLINE: case SO_PRIORITY: return 0;
	}
	return -ENOPROTOOPT;
}

static int put_value(const void *v, size_t size, struct uptr val, struct uptr ulen)
{
	s32 len;

	if (get_user(len, ulen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	len = min_t(s32, len, (s32)size);
	if (copy_to_user(val, v, (size_t)len) || put_user(len, ulen))
		return -EFAULT;
	return 0;
}

static int put_timeo(long t, struct uptr val, struct uptr len)
{
	struct { s64 sec, usec; } v = { 0, 0 };

	if (t != MAX_SCHEDULE_TIMEOUT) {
		v.sec = t / HZ;
		v.usec = t % HZ * (USEC_PER_SEC / HZ);
	}
	return put_value(&v, sizeof(v), val, len);
}

static int unix_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr len)
{
	struct unix_sock *u = s->sk;
	s32 v;

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	switch (name) {
	case SO_TYPE: v = s->type; break;
	case SO_DOMAIN: v = AF_UNIX; break;
	case SO_PROTOCOL: v = s->protocol; break;
	case SO_ERROR: v = -take_error(u); break;
	case SO_ACCEPTCONN: v = u->state == UNIX_LISTEN; break;
	case SO_PASSCRED: v = u->passcred; break;
	case SO_SNDBUF: v = u->sndbuf; break;
	case SO_RCVBUF: v = u->rcvbuf; break;
	case SO_RCVLOWAT: v = u->rcvlowat; break;
	case SO_SNDLOWAT: v = 1; break;
	case SO_REUSEADDR: v = u->reuse; break;
	case SO_KEEPALIVE: v = u->keepalive; break;
	case SO_BROADCAST: v = u->broadcast; break;
	case SO_DONTROUTE: case SO_OOBINLINE: case SO_PRIORITY: v = 0; break;
	case SO_RCVTIMEO_OLD: case SO_RCVTIMEO_NEW: return put_timeo(u->rcvtimeo, val, len);
	case SO_SNDTIMEO_OLD: case SO_SNDTIMEO_NEW: return put_timeo(u->sndtimeo, val, len);
	case SO_LINGER: {
		u64 none = 0;

		return put_value(&none, sizeof(none), val, len);
	}
	case SO_PEERCRED: {
		struct { s32 pid; u32 uid, gid; } c = {
			pid_vnr(u->peer_pid), u->peer_pid ? from_kuid_munged(current_user_ns(), u->peer_uid) : (u32)-1,
			u->peer_pid ? from_kgid_munged(current_user_ns(), u->peer_gid) : (u32)-1,
		};

		return put_value(&c, sizeof(c), val, len);
	}
	default: return -ENOPROTOOPT;
	}
	return put_value(&v, sizeof(v), val, len);
}

static const struct sock_ops unix_ops = {
	.release = unix_release, .bind = unix_bind, .connect = unix_connect, .socketpair = unix_socketpair, .accept = unix_accept,
	.getname = unix_getname, .poll = unix_poll, .ioctl = unix_ioctl, .listen = unix_listen, .shutdown = unix_shutdown,
	.setsockopt = unix_setsockopt, .getsockopt = unix_getsockopt, .sendmsg = unix_sendmsg, .recvmsg = unix_recvmsg,
};

static int unix_create(struct socket *s, int protocol)
{
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (s->type == SOCK_RAW)
		s->type = SOCK_DGRAM;
	if (s->type != SOCK_STREAM && s->type != SOCK_DGRAM && s->type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	s->sk = unix_new(s);
	if (!s->sk)
		return -ENOMEM;
	s->ops = &unix_ops;
	return 0;
}

static const struct socket_family unix_family = { AF_UNIX, unix_create };

static int unix_init(void)
{
	sysctl_int("net/unix/max_dgram_qlen", 0644, &max_dgram_qlen, 0, INT_MAX);
	sysctl_int("net/core/somaxconn", 0644, &somaxconn, 0, INT_MAX);
	sysctl_int("net/core/wmem_default", 0644, &wmem_default, 4608, INT_MAX / 2);
	return sock_register_family(&unix_family);
}
INITCALL(subsys, unix_init);
