/* SPDX-License-Identifier: MIT */
/*
 * Sockets: a struct socket is the file's side (state, operations), the family keeps its own
 * structure behind it. The constants are the ABI's that no uapi header has (socket(7)).
 */
#pragma once

#include <lib/list.h>
#include <mm/iter.h>
#include <sched/wait.h>
#include <asm/socket.h>
#include <linux/socket.h>

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_BRIDGE 7
#define AF_INET6 10
#define SOCK_STREAM 1		/* mips alone differs */
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
#define SOCK_TYPE_MASK 0xf
#define SOCK_CLOEXEC O_CLOEXEC
#define SOCK_NONBLOCK O_NONBLOCK
#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_DONTROUTE 0x4
#define MSG_CTRUNC 0x8
#define MSG_TRUNC 0x20
#define MSG_DONTWAIT 0x40
#define MSG_EOR 0x80
#define MSG_WAITALL 0x100
#define MSG_ERRQUEUE 0x2000
#define MSG_NOSIGNAL 0x4000
#define MSG_MORE 0x8000
#define MSG_WAITFORONE 0x10000
#define MSG_FASTOPEN 0x20000000
#define MSG_CMSG_CLOEXEC 0x40000000

#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define SCM_PIDFD 4
#define SCM_MAX_FD 253

struct file;
struct socket;
struct poll_table_struct;
struct vma;

struct user_cmsghdr {
	u64 len;
	s32 level, type;
};

/* One message on its way between the edge and a family. */
struct sock_msg {
	struct iter *iter;
	unsigned int flags;		/* MSG_* asked for */
	bool nonblock;
	bool splice;			/* receive: into a pipe */
	int addr_len;			/* of addr */
	/* Control messages: user memory. */
	struct uptr control;
	size_t control_len;		/* receive: room; what was used is control_done */
	size_t control_done;
	unsigned int out_flags;		/* MSG_TRUNC, MSG_CTRUNC */
	u32 skip;			/* receive: sock_recv_packet() */
	s32 left; /* receive, of a stream: bytes that are there for the next call; else 0 */
	/* Address of the peer: in for send, out for receive. Undefined where addr_len is 0. */
	struct __kernel_sockaddr_storage addr;
};

/* connect, socketpair, accept, listen and shutdown may be NULL: -EOPNOTSUPP. */
struct sock_ops {
	int (*release)(struct socket *s);
	int (*bind)(struct socket *s, const struct __kernel_sockaddr_storage *a, int len);
	int (*connect)(struct socket *s, const struct __kernel_sockaddr_storage *a, int len,
		       int flags);
	int (*socketpair)(struct socket *a, struct socket *b);
	int (*accept)(struct socket *s, struct socket *fresh, int flags);
	/* length or -errno */
	int (*getname)(struct socket *s, struct __kernel_sockaddr_storage *a, bool peer);
	/* The peer, also of a connection that is over. NULL: getname() knows. */
	int (*last_peer)(struct socket *s, struct __kernel_sockaddr_storage *a);
	u32 (*poll)(struct file *f, struct socket *s, struct poll_table_struct *p);
	int (*ioctl)(struct socket *s, unsigned int cmd, unsigned long arg);
	int (*listen)(struct socket *s, int backlog);
	int (*shutdown)(struct socket *s, int how);
	int (*setsockopt)(struct socket *s, int level, int name, struct uptr val, int len);
	int (*getsockopt)(struct socket *s, int level, int name, struct uptr val, struct uptr len);
	ssize_t (*sendmsg)(struct socket *s, struct sock_msg *m);
	ssize_t (*recvmsg)(struct socket *s, struct sock_msg *m);
	int (*fasync)(int fd, struct file *f, int on, struct socket *s);
	int (*mmap)(struct socket *s, struct vma *vma);	/* NULL: -ENODEV */
};

struct socket {
	int type;			/* c: SOCK_* */
	int protocol;			/* c */
	const struct sock_ops *ops;	/* c */
	void *sk;			/* the family's */
	struct file *file;
};

struct socket_family {
	int family;
	/* -EPROTONOSUPPORT, -ESOCKTNOSUPPORT, -ENOMEM */
	int (*create)(struct socket *s, int protocol);
};
int sock_register_family(const struct socket_family *f);

/* Calls of the edge. Descriptors in, 0 or a count or -errno out. */
int sock_create_fd(int family, int type, int protocol);
int sock_pair_fds(int family, int type, int protocol, int fds[2]);
/* The socket of FD, its file referenced (put with fput). ERR_PTR(-EBADF, -ENOTSOCK). */
struct socket *sock_from_fd(int fd);
struct socket *sock_from_file(struct file *f);
/* The peer of S, even if it has reset the connection: the length of its name, or -errno. */
int sock_last_peer(struct socket *s, struct __kernel_sockaddr_storage *a);
int sock_accept_fd(struct socket *s, struct __kernel_sockaddr_storage *a, int *len, int flags);
/* The same without a descriptor: the file or ERR_PTR. NOWAIT: -EAGAIN where there is no connection. */
struct file *sock_create_file(int family, int type, int protocol);
struct file *sock_accept_file(struct socket *s, struct __kernel_sockaddr_storage *a, int *len,
			      int flags, bool nowait);
void sock_init_msg(struct sock_msg *m, struct socket *s, struct iter *i, unsigned int flags);

/* Writes one control message for the receiver; sets MSG_CTRUNC when there is no room. */
void put_cmsg(struct sock_msg *m, int level, int type, size_t len, const void *data);
