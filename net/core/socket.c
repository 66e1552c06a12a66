// SPDX-License-Identifier: MIT
/* Sockets as files: sockfs, the file operations, making and accepting. */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <mm/uaccess.h>
#include <net/netns.h>
#include <net/sock.h>
#include <sched/nowait.h>
#include <proc/cred.h>
#include <vfs/fs.h>
#include <vfs/fcntl.h>
#include <vfs/file.h>
#include <vfs/mount.h>
#include <vfs/poll.h>
#include <vfs/upcalls.h>
#include <abi/errno.h>
#include <asm/sockios.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include "net/core/core_priv.h"

#define SOCKFS_MAGIC 0x534F434B
#define MAX_FAMILIES 46

static const struct socket_family *families[MAX_FAMILIES];
static struct vfsmount *sock_mnt __ro_after_init;
static const struct file_operations socket_fops;

int sock_register_family(const struct socket_family *f)
{
	families[f->family] = f;
	return 0;
}

/* A message of read(2) or write(2) has no address: what lies there is neither read nor given to anyone. */
static void init_without_address(struct sock_msg *m, struct socket *s, struct iter *i, unsigned int flags)
{
	memset(m, 0, offsetof(struct sock_msg, addr));
	m->iter = i;
	m->flags = flags;
	m->nonblock = (flags & MSG_DONTWAIT) || (s->file->f_flags & O_NONBLOCK);
}

void sock_init_msg(struct sock_msg *m, struct socket *s, struct iter *i, unsigned int flags)
{
	init_without_address(m, s, i, flags);
	memset(&m->addr, 0, sizeof(m->addr));
}

/* The lock of a socket is waited for also by a call that does not wait, as long as another copies. */
static ssize_t socket_read(struct kiocb *k, struct iter *to)
{
	struct socket *s = k->ki_filp->private_data;
	struct sock_msg m;
	ssize_t n;
	bool was;

	if (!iter_count(to))
		return 0;
	was = nowait_pause();
	init_without_address(&m, s, to, k->ki_flags & IOCB_NOWAIT ? MSG_DONTWAIT : 0);
	m.splice = k->ki_flags & IOCB_SPLICE;
	n = s->ops->recvmsg(s, &m);
	nowait_resume(was);
	return n;
}

static ssize_t socket_write(struct kiocb *k, struct iter *from)
{
	struct socket *s = k->ki_filp->private_data;
	bool was = nowait_pause();
	struct sock_msg m;
	ssize_t n;

	init_without_address(&m, s, from, k->ki_flags & IOCB_NOWAIT ? MSG_DONTWAIT : 0);
	if (s->type == SOCK_SEQPACKET)
		m.flags |= MSG_EOR;
	if (k->ki_flags & IOCB_NOSIGNAL)
		m.flags |= MSG_NOSIGNAL;
	if (k->ki_flags & IOCB_MORE)
		m.flags |= MSG_MORE;
	n = s->ops->sendmsg(s, &m);
	nowait_resume(was);
	return n;
}

static __poll_t socket_poll(struct file *f, struct poll_table_struct *p)
{
	struct socket *s = f->private_data;

	return s->ops->poll(f, s, p);
}

/* SIOCGSKNS: a descriptor for the namespace NET of a socket, or -errno. */
static long open_namespace(struct net *net)
{
	return ns_capable(net->user_ns, CAP_NET_ADMIN) ? nsfs_open_net(net) : -EPERM;
}

static long socket_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct socket *s = f->private_data;
	const struct sock *sk = s->sk;
	long ret;
	int who;

	switch (cmd) {
	case FIOSETOWN:
	case SIOCSPGRP:
		return get_user(who, UPTR(arg)) ? -EFAULT : f_setown(f, who, 1);
	case FIOGETOWN:
	case SIOCGPGRP:
		return put_user(f_getown(f), UPTR(arg)) ? -EFAULT : 0;
	case SIOCGSKNS:
		return open_namespace(sk->net ?: current_net());
	}
	ret = s->ops->ioctl(s, cmd, arg);
	return ret == -ENOIOCTLCMD ? interface_ioctl(sk->net ?: current_net(), cmd, UPTR(arg)) :
				     ret;
}

static int socket_fasync(int fd, struct file *f, int on)
{
	struct socket *s = f->private_data;

	return s->ops->fasync(fd, f, on, s);
}

static int socket_mmap(struct file *f, struct vma *vma)
{
	struct socket *s = f->private_data;

	return s->ops->mmap ? s->ops->mmap(s, vma) : -ENODEV;
}

static int socket_release(struct inode *inode, struct file *f)
{
	struct socket *s = f->private_data;

	if (s->ops)
		s->ops->release(s);
	kfree(s);
	return 0;
}

static const struct file_operations socket_fops = {
	.fop_flags = FOP_NOWAIT,
	.llseek = no_llseek,
	.read_iter = socket_read,
	.write_iter = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.mmap = socket_mmap,
	.fasync = socket_fasync,
	.release = socket_release,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
};

/* ---- sockfs ---- */

static char *sockfs_dname(struct dentry *d, char *buf, int len)
{
	return dynamic_dname(buf, len, "socket:[%llu]", (u64)d->d_inode->i_ino);
}

static const struct dentry_operations sockfs_dops = { .d_dname = sockfs_dname };
static const struct super_operations sockfs_ops = { .statfs = simple_statfs };
static const struct pseudo_fs sockfs = {
	.name = "sockfs", .magic = SOCKFS_MAGIC, .ops = &sockfs_ops, .dops = &sockfs_dops
};

static int sockfs_init_context(struct fs_context *fc)
{
	return pseudo_init_fs_context(fc, &sockfs);
}

static struct file_system_type sock_fs_type = {
	.name = "sockfs",
	.init_fs_context = sockfs_init_context,
	.kill_sb = kill_anon_super,
};

/* S's sock, which it has unless it is to be accepted (sock_graft()), is found by its file's number. */
static void number_sock(struct socket *s, const struct inode *inode)
{
	struct sock *sk = s->sk;

	if (!sk)
		return;
	spin_lock(&sk->lock);
	WRITE_ONCE(sk->ino, inode->i_ino);
	spin_unlock(&sk->lock);
}

/* A file for S, which it owns from here on; on failure S is still the caller's. */
static struct file *socket_file(struct socket *s, int flags)
{
	struct inode *inode = new_inode_pseudo(sock_mnt->mnt_sb);
	struct file *f;

	if (!inode)
		return ERR_PTR(-ENFILE);
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFSOCK | 0777;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	inode_set_op_flags(inode);
	simple_inode_init_ts(inode);
	f = alloc_file_pseudo(inode, sock_mnt, "", O_RDWR | (flags & O_NONBLOCK), &socket_fops);
	if (IS_ERR(f)) {
		iput(inode);
		return f;
	}
	f->private_data = s;
	stream_open(inode, f);
	s->file = f;
	number_sock(s, inode);
	return f;
}

static struct socket *socket_new(int family, int type, int protocol)
{
	const struct socket_family *f;
	struct socket *s;
	int e;

	if (family < 0 || family >= MAX_FAMILIES || !families[family])
		return ERR_PTR(-EAFNOSUPPORT);
	if (type < 0 || type > 10)
		return ERR_PTR(-EINVAL);
	f = families[family];
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	s->type = type;
	s->protocol = protocol;
	e = f->create(s, protocol);
	if (e) {
		kfree(s);
		return ERR_PTR(e);
	}
	return s;
}

static void socket_discard(struct socket *s)
{
	s->ops->release(s);
	kfree(s);
}

struct file *sock_create_file(int family, int type, int protocol)
{
	int flags = type & ~SOCK_TYPE_MASK;
	struct socket *s;
	struct file *f;

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return ERR_PTR(-EINVAL);
	s = socket_new(family, type & SOCK_TYPE_MASK, protocol);
	if (IS_ERR(s))
		return ERR_CAST(s);
	f = socket_file(s, flags);
	if (IS_ERR(f))
		socket_discard(s);
	return f;
}

int sock_create_fd(int family, int type, int protocol)
{
	struct file *f = sock_create_file(family, type, protocol);
	int fd;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	fd = get_unused_fd_flags((unsigned int)type & O_CLOEXEC);
	if (fd < 0)
		fput(f);
	else
		fd_install((unsigned int)fd, f);
	return fd;
}

int sock_pair_fds(int family, int type, int protocol, int fds[2])
{
	int flags = type & ~SOCK_TYPE_MASK, e;
	struct socket *s[2];
	struct file *f[2];

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	s[0] = socket_new(family, type & SOCK_TYPE_MASK, protocol);
	if (IS_ERR(s[0]))
		return (int)PTR_ERR(s[0]);
	s[1] = socket_new(family, type & SOCK_TYPE_MASK, protocol);
	if (IS_ERR(s[1])) {
		socket_discard(s[0]);
		return (int)PTR_ERR(s[1]);
	}
	e = s[0]->ops->socketpair ? s[0]->ops->socketpair(s[0], s[1]) : -EOPNOTSUPP;
	f[0] = e ? ERR_PTR(e) : socket_file(s[0], flags);
	if (IS_ERR(f[0])) {
		socket_discard(s[0]);
		socket_discard(s[1]);
		return (int)PTR_ERR(f[0]);
	}
	f[1] = socket_file(s[1], flags);
	if (IS_ERR(f[1])) {
		socket_discard(s[1]);
		fput(f[0]);
		return (int)PTR_ERR(f[1]);
	}
	for (int i = 0; i < 2; i++) {
		fds[i] = get_unused_fd_flags((unsigned int)flags & O_CLOEXEC);
		if (fds[i] < 0) {
			e = fds[i];
			if (i)
				put_unused_fd((unsigned int)fds[0]);
			fput(f[0]);
			fput(f[1]);
			return e;
		}
	}
	fd_install((unsigned int)fds[0], f[0]);
	fd_install((unsigned int)fds[1], f[1]);
	return 0;
}

struct socket *sock_from_file(struct file *f)
{
	return f->f_op == &socket_fops ? f->private_data : NULL;
}

struct socket *sock_from_fd(int fd)
{
	struct file *f = fget((unsigned int)fd);

	if (!f)
		return ERR_PTR(-EBADF);
	if (f->f_op != &socket_fops) {
		fput(f);
		return ERR_PTR(-ENOTSOCK);
	}
	return f->private_data;
}

int sock_last_peer(struct socket *s, struct __kernel_sockaddr_storage *a)
{
	return s->ops->last_peer ? s->ops->last_peer(s, a) : s->ops->getname(s, a, true);
}

struct file *sock_accept_file(struct socket *s, struct __kernel_sockaddr_storage *a, int *len,
			      int flags, bool nowait)
{
	struct socket *n;
	struct file *f;
	int e;

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return ERR_PTR(-EINVAL);
	if (!s->ops->accept)
		return ERR_PTR(-EOPNOTSUPP);
	n = kzalloc(sizeof(*n), GFP_KERNEL);
	if (!n)
		return ERR_PTR(-ENOMEM);
	n->type = s->type;
	f = socket_file(n, flags);
	if (IS_ERR(f)) {
		kfree(n);
		return f;
	}
	e = s->ops->accept(s, n, (int)(s->file->f_flags | (nowait ? O_NONBLOCK : 0)));
	if (e) {
		fput(f);
		return ERR_PTR(e);
	}
	n->ops = s->ops;
	*len = sock_last_peer(n, a);
	if (*len < 0)
		*len = 0;
	return f;
}

int sock_accept_fd(struct socket *s, struct __kernel_sockaddr_storage *a, int *len, int flags)
{
	int fd = get_unused_fd_flags((unsigned int)flags & O_CLOEXEC);
	struct file *f;

	if (fd < 0)
		return fd;
	f = sock_accept_file(s, a, len, flags, false);
	if (IS_ERR(f)) {
		put_unused_fd((unsigned int)fd);
		return (int)PTR_ERR(f);
	}
	fd_install((unsigned int)fd, f);
	return fd;
}

static int socket_init(void)
{
	int e = register_filesystem(&sock_fs_type);

	if (e)
		return e;
	sock_mnt = kern_mount(&sock_fs_type);
	return IS_ERR(sock_mnt) ? (int)PTR_ERR(sock_mnt) : 0;
}
INITCALL(fs, socket_init);
