// SPDX-License-Identifier: MIT
/*
 * Netlink sockets (netlink(7)). A socket has a port, by which others and the kernel's answers reach
 * it: the process's number if that is free. What it sends to port 0 are requests to the kernel,
 * handled before send(2) returns.
 */
#include <lib/bits.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <asm/sockios.h>
#include <linux/capability.h>
#include "net/netlink/netlink_priv.h"

static const struct nl_protocol *protocols[NETLINK_PROTOCOLS];	/* set at boot */

const struct nl_protocol *netlink_protocol(int protocol)
{
	return protocol >= 0 && protocol < NETLINK_PROTOCOLS ? protocols[protocol] : NULL;
}

void netlink_register(const struct nl_protocol *p)
{
	DEBUG_ON(init_net.netlink);	/* namespaces are made later */
	protocols[p->protocol] = p;
}

/* ---- ports ---- */

/* Programs choose ports: the key keeps them from filling one bucket. */
static u32 port_hash(const struct netlink_net *nn, int protocol, u32 portid)
{
	u64 w = (u64)portid << 32 | (u32)protocol;

	return (u32)siphash_13(&nn->key, &w, 1);
}

struct netlink_sock *netlink_find(struct net *net, int protocol, u32 portid)
{
	struct ghash *h = &net->netlink->socks;
	u32 hash = port_hash(net->netlink, protocol, portid);
	struct netlink_sock *n, *found = NULL;
	unsigned long *b = ghash_lock(h, hash);

	ghash_for_each(n, b, hash, node)
		if (n->portid == portid && n->sk.protocol == protocol && sock_get(&n->sk)) {
			found = n;
			break;
		}
	ghash_unlock(b);
	return found;
}

/* o. 0; -EADDRINUSE: another socket has it. */
static int take_port(struct netlink_sock *n, u32 portid)
{
	struct netlink_net *nn = n->sk.net->netlink;
	struct ghash *h = &nn->socks;
	u32 hash = port_hash(nn, n->sk.protocol, portid);
	const struct netlink_sock *o;
	unsigned long *b;
	int err = 0;

	ghash_reserve(h);
	b = ghash_lock(h, hash);
	ghash_for_each(o, b, hash, node)
		if (o->portid == portid && o->sk.protocol == n->sk.protocol) {
			err = -EADDRINUSE;
			break;
		}
	if (!err) {
		WRITE_ONCE(n->portid, portid);
		sock_hold(&n->sk);
		ghash_add(h, b, &n->node, hash);
	}
	ghash_unlock(b);
	return err;
}

/* o. A free port: the process's number, or one that looks negative. */
static void choose_port(struct netlink_sock *n)
{
	u32 port = (u32)task_tgid_vnr(current);

	while (!n->portid && take_port(n, port))
		port = 0x80000000u | get_random_u32_below(0x7ffff000u);
}

bool netlink_may(const struct netlink_sock *n, bool anybody)
{
	return anybody || sock_capable(&n->sk, CAP_NET_ADMIN);
}

/* Of the groups in BITS, the one that a message goes to; 0: none. */
static u32 first_group(u32 bits)
{
	return bits ? (u32)__ffs(bits) + 1 : 0;
}

static int check_name(const struct __kernel_sockaddr_storage *a, int len)
{
	const struct sockaddr_nl *nl = (const struct sockaddr_nl *)a;

	return len < (int)sizeof(*nl) || nl->nl_family != AF_NETLINK ? -EINVAL : 0;
}

/* o. The first 32 groups become those of BITS. */
static int set_groups(struct netlink_sock *n, u32 bits)
{
	u32 have = n->groups;

	if (n->protocol->groups < 32)
		bits &= (1u << n->protocol->groups) - 1;
	for (unsigned int g = 1; g <= 32; g++) {
		u32 bit = 1u << (g - 1);
		int err = bits & ~have & bit ? netlink_join(n, g) : 0;

		if (err)
			return err;
		if (have & ~bits & bit)
			netlink_leave(n, g);
	}
	return 0;
}

static int bind_locked(struct netlink_sock *n, const struct sockaddr_nl *nl)
{
	int err = 0;

	if (nl->nl_groups && !netlink_may(n, n->protocol->anybody_joins))
		return -EPERM;
	if (n->portid && nl->nl_pid != n->portid)
		return -EINVAL;
	if (!n->portid && nl->nl_pid)
		err = take_port(n, nl->nl_pid);
	else if (!n->portid)
		choose_port(n);
	return err ?: set_groups(n, nl->nl_groups);
}

static int netlink_bind(struct socket *s, const struct __kernel_sockaddr_storage *a, int len)
{
	struct netlink_sock *n = netlink_sk(s);
	int err = check_name(a, len);

	if (err)
		return err;
	lock_sock(&n->sk);
	err = bind_locked(n, (const struct sockaddr_nl *)a);
	release_sock(&n->sk);
	return err;
}

static int netlink_connect(struct socket *s, const struct __kernel_sockaddr_storage *a, int len,
			   int flags)
{
	const struct sockaddr_nl *nl = (const struct sockaddr_nl *)a;
	struct netlink_sock *n = netlink_sk(s);
	int err = 0;

	if (len < (int)sizeof(nl->nl_family))
		return -EINVAL;
	if (nl->nl_family != AF_UNSPEC) {
		err = check_name(a, len);
		if (!err && (nl->nl_groups || nl->nl_pid) &&
		    !netlink_may(n, n->protocol->anybody_sends))
			err = -EPERM;
	}
	if (err)
		return err;
	lock_sock(&n->sk);
	if (nl->nl_family == AF_UNSPEC) {
		n->dst_portid = n->dst_group = 0;
		WRITE_ONCE(n->sk.state, NETLINK_UNCONNECTED);
	} else {
		if (!n->portid)
			choose_port(n);
		WRITE_ONCE(n->dst_portid, nl->nl_pid);
		n->dst_group = first_group(nl->nl_groups);
		WRITE_ONCE(n->sk.state, NETLINK_CONNECTED);
	}
	release_sock(&n->sk);
	return 0;
}

static int netlink_getname(struct socket *s, struct __kernel_sockaddr_storage *a, bool peer)
{
	struct sockaddr_nl *nl = (struct sockaddr_nl *)a;
	struct netlink_sock *n = netlink_sk(s);

	*nl = (struct sockaddr_nl){ .nl_family = AF_NETLINK };
	lock_sock(&n->sk);
	nl->nl_pid = peer ? n->dst_portid : n->portid;
	nl->nl_groups = !peer				   ? n->groups :
			n->dst_group && n->dst_group <= 32 ? 1u << (n->dst_group - 1) :
							     0;
	release_sock(&n->sk);
	return sizeof(*nl);
}

/* ---- sending ---- */

struct nl_target {
	u32 portid, group;
};

static int target_of(struct netlink_sock *n, const struct sock_msg *m, struct nl_target *t)
{
	const struct sockaddr_nl *nl = (const struct sockaddr_nl *)&m->addr;
	int err = 0;

	if (m->addr_len) {
		err = check_name(&m->addr, m->addr_len);
		t->portid = nl->nl_pid;
		t->group = first_group(nl->nl_groups);
		if (!err && (t->portid || t->group) && !netlink_may(n, n->protocol->anybody_sends))
			err = -EPERM;
	}
	lock_sock(&n->sk);
	if (!m->addr_len) {
		t->portid = n->dst_portid;
		t->group = n->dst_group;
	}
	if (!err && !n->portid)
		choose_port(n);
	release_sock(&n->sk);
	if (!err && t->group > n->protocol->groups)
		t->group = 0;
	return err;
}

/* A connected socket receives from its peer alone. */
static bool hears(const struct netlink_sock *to, const struct netlink_sock *from)
{
	return READ_ONCE(to->sk.state) != NETLINK_CONNECTED ||
	       READ_ONCE(to->dst_portid) == from->portid;
}

/* Has TO room for P? A queue that lost messages has none until its reader has emptied it. */
static bool takes(const struct netlink_sock *to, const struct packet *p)
{
	return (!READ_ONCE(to->congested) || !atomic_read(&to->sk.rmem)) &&
	       sock_rx_fits(&to->sk, p);
}

/* Puts P into the queue of TO, where it has waited for room. P stays the caller's on failure. */
static int queue_waiting(struct netlink_sock *to, struct packet *p, long timeo)
{
	int err;

	while (!takes(to, p) || sock_queue_rx(&to->sk, p)) {
		if (!timeo)
			return -EAGAIN;
		err = sock_waited(wait_event_interruptible_timeout(
					  to->room, sock_flag(&to->sk, SOCK_F_DEAD) || takes(to, p),
					  timeo),
				  &timeo);
		if (err)
			return err;
		if (sock_flag(&to->sk, SOCK_F_DEAD))
			return -ECONNREFUSED;
	}
	return 0;
}

/*
 * To another program's socket. Waits for room in its queue. How many bytes its filter let through;
 * if it wants none of them the sender hears nothing of it.
 */
static int to_program(struct netlink_sock *n, u32 portid, struct packet *p, struct sock_msg *m)
{
	long timeo = sock_sndtimeo(&n->sk, m->nonblock);
	struct netlink_sock *to = netlink_find(n->sk.net, n->sk.protocol, portid);
	int err, len;

	if (!to || !hears(to, n)) {
		packet_free(p, DROP_NO_SOCKET);
		if (to)
			sock_put(&to->sk);
		return -ECONNREFUSED;
	}
	len = (int)p->len;
	if (!sk_filter(&to->sk, p, 0)) {
		packet_free(p, DROP_FILTER);
		sock_put(&to->sk);
		return len;
	}
	len = (int)p->len;
	err = queue_waiting(to, p, timeo);
	if (err)
		packet_free(p, DROP_RCVBUF);
	sock_put(&to->sk);
	return err ?: len;
}

/* How many bytes were sent, or -errno. */
static int deliver(struct netlink_sock *n, const struct nl_target *t, const void *data, size_t len,
		   struct sock_msg *m)
{
	struct nl_from from = { .portid = n->portid,
				.group = t->group,
				.protocol = n->sk.protocol,
				.pid = current->tgid,
				.uid = current_uid(),
				.gid = current_gid() };
	struct packet *p = NULL, *c;

	if (t->group || t->portid) {
		if (len > NLMSG_MOST)
			return -EMSGSIZE;
		p = netlink_packet(data, len, &from, GFP_KERNEL);
		if (!p)
			return -ENOBUFS;
	}
	if (t->group) {
		c = t->portid ? packet_clone(p, GFP_KERNEL) : p;
		if (t->portid != 0 && !c) {
			packet_free(p, DROP_NOMEM);
			return -ENOBUFS;
		}
		netlink_multicast(n->sk.net, c, n->portid);
	}
	if (t->portid)
		return to_program(n, t->portid, p, m);
	return netlink_requests(n, data, len) ?: (int)len;
}

static ssize_t netlink_sendmsg(struct socket *s, struct sock_msg *m)
{
	struct netlink_sock *n = netlink_sk(s);
	size_t len = iter_count(m->iter);
	struct nl_target t = {};
	void *data;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!len)
		return -ENODATA;
	err = target_of(n, m, &t);
	if (err)
		return err;
	if (len > (size_t)READ_ONCE(n->sk.sndbuf) - 32)
		return -EMSGSIZE;
	data = kvmalloc(len, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOBUFS;
	err = copy_from_iter_full(data, len, m->iter) ? deliver(n, &t, data, len, m) : -EFAULT;
	kvfree(data);
	return err;
}

/* ---- receiving ---- */

static void give_cmsgs(struct netlink_sock *n, struct sock_msg *m, struct packet *p)
{
	const struct nl_from *from = nl_from(p);
	struct nl_pktinfo info = { .group = from->group };
	struct {
		s32 pid;
		u32 uid, gid;
	} c = {};

	if (netlink_flag(n, NETLINK_F_PKTINFO))
		put_cmsg(m, SOL_NETLINK, NETLINK_PKTINFO, sizeof(info), &info);
	sock_recv_cmsgs(&n->sk, m, p);
	if (!sock_flag(&n->sk, SOCK_F_PASSCRED))
		return;
	if (from->pid) {
		rcu_read_lock();
		c.pid = pid_vnr(find_pid_ns(from->pid, &init_pid_ns));
		rcu_read_unlock();
	}
	c.uid = from_kuid_munged(current_user_ns(), from->uid);
	c.gid = from_kgid_munged(current_user_ns(), from->gid);
	put_cmsg(m, SOL_SOCKET, SCM_CREDENTIALS, sizeof(c), &c);
}

static void give_name(struct sock_msg *m, struct packet *p)
{
	const struct nl_from *from = nl_from(p);
	struct sockaddr_nl *nl = (struct sockaddr_nl *)&m->addr;

	*nl = (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_pid = from->portid };
	if (from->group && from->group <= 32)
		nl->nl_groups = 1u << (from->group - 1);
	m->addr_len = sizeof(*nl);
}

/* The reader has taken something, or has heard of a loss. */
static void was_read(struct netlink_sock *n)
{
	if (!READ_ONCE(n->sk.queue.rx.nr))
		WRITE_ONCE(n->congested, 0);
	if (wq_has_sleeper(&n->room))
		wake_up_interruptible_all(&n->room);
}

static ssize_t netlink_recvmsg(struct socket *s, struct sock_msg *m)
{
	struct netlink_sock *n = netlink_sk(s);
	size_t room = iter_count(m->iter), len;
	struct packet *p;
	ssize_t ret;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	p = sock_recv_packet(&n->sk, m);
	if (IS_ERR_OR_NULL(p)) {
		was_read(n);
		return PTR_ERR(p);
	}
	if (room > READ_ONCE(n->longest_read))
		WRITE_ONCE(n->longest_read, room);
	len = min(room, (size_t)p->len);
	if (len < p->len)
		m->out_flags |= MSG_TRUNC;
	ret = packet_to_iter(p, 0, m->iter, (u32)len);
	if (!ret) {
		give_name(m, p);
		give_cmsgs(n, m, p);
		ret = m->flags & MSG_TRUNC ? (ssize_t)p->len : (ssize_t)len;
	}
	packet_consume(p);
	err = netlink_dump_more(n);
	if (err) {
		sock_set_error(&n->sk, -err);
		sock_report_error(&n->sk);
	}
	was_read(n);
	return ret;
}

static int netlink_ioctl(struct socket *s, unsigned int cmd, unsigned long arg)
{
	return -ENOIOCTLCMD;
}

/* ---- life ---- */

static int netlink_release(struct socket *s)
{
	struct netlink_sock *n = netlink_sk(s);

	if (!n)
		return 0;
	lock_sock(&n->sk);
	netlink_leave_all(n);
	if (n->portid && ghash_del(&n->sk.net->netlink->socks, &n->node))
		sock_put(&n->sk);
	release_sock(&n->sk);
	netlink_dump_end(n);
	sock_orphan(&n->sk);
	wake_up_interruptible_all(&n->room);
	s->sk = NULL;
	sock_put(&n->sk);
	return 0;
}

static const struct sock_ops netlink_ops = {
	.release = netlink_release,
	.bind = netlink_bind,
	.connect = netlink_connect,
	.getname = netlink_getname,
	.poll = sock_poll_dgram,
	.ioctl = netlink_ioctl,
	.setsockopt = netlink_setsockopt,
	.getsockopt = netlink_getsockopt,
	.sendmsg = netlink_sendmsg,
	.recvmsg = netlink_recvmsg,
	.fasync = sock_fasync,
};
static const struct sock_kind netlink_kind = { .name = "NETLINK",
					       .size = sizeof(struct netlink_sock),
					       .destruct = sock_free_queues,
					       SOCK_LOCKS("netlink sk->lock",
							  "netlink lock_sock()") };

static int netlink_create(struct socket *s, int protocol)
{
	const struct nl_protocol *p = netlink_protocol(protocol);
	struct netlink_sock *n;
	struct sock *sk;

	if (s->type != SOCK_RAW && s->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (!p)
		return -EPROTONOSUPPORT;
	sk = sock_alloc(&netlink_kind, current_net(), true, AF_NETLINK, s, protocol,
			GFP_KERNEL_ACCOUNT);
	if (!sk)
		return -ENOMEM;
	sock_set_flag(sk, SOCK_F_RCU_FREE, true);
	n = container_of(sk, struct netlink_sock, sk);
	n->protocol = p;
	INIT_LIST_HEAD(&n->members);
	init_waitqueue_head(&n->room);
	mutex_init(&n->dump_lock);
	s->ops = &netlink_ops;
	s->sk = sk;
	return 0;
}

static const struct socket_family netlink_family = { .family = AF_NETLINK,
						     .create = netlink_create };

static int netlink_begin(struct net *net)
{
	struct netlink_net *nn = kzalloc(sizeof(*nn), GFP_KERNEL_ACCOUNT);
	int err;

	if (!nn)
		return -ENOMEM;
	netlink_later_begin(nn);
	get_random_bytes(&nn->key, sizeof(nn->key));
	err = ghash_init(&nn->socks, 4);
	if (!err)
		err = netlink_groups_begin(nn);
	if (err) {
		netlink_groups_end(nn);
		ghash_destroy(&nn->socks);
		kfree(nn);
		return err;
	}
	net->netlink = nn;
	return 0;
}

/*
 * No socket is left, as each holds the namespace as a user: groups have no members, so that nothing
 * sends notifications.
 */
static void netlink_end(struct net *net)
{
	struct netlink_net *nn = net->netlink;

	netlink_later_end(nn);
	net->netlink = NULL;
	netlink_groups_end(nn);
	ghash_destroy(&nn->socks);
	kfree(nn);
}

static struct net_ops netlink_net_ops = { .init = netlink_begin, .end = netlink_end };

/* ---- walking, /proc ---- */

struct netlink_sock *netlink_of_node(struct ghash_node *node)
{
	return container_of(node, struct netlink_sock, node);
}

struct netlink_sock *netlink_get_node(struct ghash_node *node)
{
	struct netlink_sock *n = netlink_of_node(node);

	return sock_get(&n->sk) ? n : NULL;
}

void netlink_put(struct netlink_sock *n)
{
	sock_put(&n->sk);
}

void netlink_describe(struct netlink_sock *n, struct netlink_info *i)
{
	struct sock *sk = &n->sk;

	*i = (struct netlink_info){ .portid = n->portid,
				    .dst_portid = READ_ONCE(n->dst_portid),
				    .dst_group = READ_ONCE(n->dst_group),
				    .groups = READ_ONCE(n->groups),
				    .flags = (u32)READ_ONCE(n->flags),
				    .ngroups = n->protocol->groups,
				    .type = sk->type,
				    .protocol = sk->protocol,
				    .state = sk->state,
				    .dumping = READ_ONCE(n->dumping),
				    .ino = READ_ONCE(sk->ino),
				    .cookie = sock_cookie(sk),
				    .rmem = (u32)atomic_read(&sk->rmem),
				    .wmem = (u32)atomic_read(&sk->wmem),
				    .rcvbuf = (u32)sk->rcvbuf,
				    .sndbuf = (u32)sk->sndbuf,
				    .drops = (u32)atomic_read(&sk->drops),
				    .refs = (u32)refcount_read(&sk->refs) };
}

void netlink_walk(struct net *net, u64 *pos, void (*fn)(struct ghash_node *node, void *arg),
		  void *arg)
{
	ghash_walk(&net->netlink->socks, pos, fn, arg);
}

/* Behind the protocols, which register before namespaces are made. */
static int netlink_init(void)
{
	int err = net_register_ops(&netlink_net_ops);

	return err ?: sock_register_family(&netlink_family);
}
INITCALL(sched, netlink_init);
