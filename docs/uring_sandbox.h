/* SPDX-License-Identifier: MIT */
/*
 * A sandbox for a program that does its input and output by io_uring(7): docs/uring-sandbox.md says
 * why each line is there, tests/guest/uring_sandbox.c tries to get around it. Include it and call
 * sandbox_enter() before the program makes its rings.
 *
 * Afterwards this task, its threads and its children make sockets of one family only, and open
 * files only by openat2 with RESOLVE_BENEATH, and both only by rings: the system calls are gone.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct io_uring_bpf of Linux 7.0's <linux/io_uring/bpf_filter.h>. */
struct sandbox_filter {
	uint16_t cmd_type, cmd_flags;
	uint32_t resv, opcode, flags, len;
	uint8_t pdu_size, resv1[3];
	uint64_t ptr, resv2[5];
};

#define SANDBOX_REGISTER_FILTER 37	/* IORING_REGISTER_BPF_FILTER */
#define SANDBOX_DENY_REST 1		/* operations that have no filter by now are denied */
#define SANDBOX_PAYLOAD 16		/* of the operation, in what a filter sees */

/* The task's filters have one more, for OP. */
static inline int sandbox_filter(int op, const struct sock_filter *f, unsigned int n,
				 unsigned int flags)
{
	struct sandbox_filter b = {
		.cmd_type = 1, .opcode = (uint32_t)op, .flags = flags, .len = n, .ptr = (uintptr_t)f
	};

	return (int)syscall(SYS_io_uring_register, -1, SANDBOX_REGISTER_FILTER, &b, 1);
}

/* What rings do. FAMILY: of sockets. */
static inline int sandbox_rings(int family)
{
	static const unsigned char allowed[] = {
		IORING_OP_NOP,		IORING_OP_READ,		  IORING_OP_WRITE,
		IORING_OP_READV,	IORING_OP_WRITEV,	  IORING_OP_FSYNC,
		IORING_OP_CLOSE,	IORING_OP_POLL_ADD,	  IORING_OP_POLL_REMOVE,
		IORING_OP_TIMEOUT,	IORING_OP_TIMEOUT_REMOVE, IORING_OP_LINK_TIMEOUT,
		IORING_OP_ASYNC_CANCEL, IORING_OP_ACCEPT,	  IORING_OP_SEND,
		IORING_OP_RECV,		IORING_OP_SENDMSG,	  IORING_OP_RECVMSG,
		IORING_OP_SHUTDOWN,
	};
	const struct sock_filter yes[] = { BPF_STMT(BPF_RET | BPF_K, 1) };
	const struct sock_filter sockets[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SANDBOX_PAYLOAD),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)family, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	/* The lower half of "resolve", which is of 64 bits and the third of three. */
	const unsigned int resolve =
		SANDBOX_PAYLOAD + 16 + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
	const struct sock_filter beneath[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, resolve),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, RESOLVE_BENEATH, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	for (unsigned int i = 0; i < sizeof(allowed); i++)
		if (sandbox_filter(allowed[i], yes, 1, 0))
			return -1;
	if (sandbox_filter(IORING_OP_SOCKET, sockets, 4, 0))
		return -1;
	return sandbox_filter(IORING_OP_OPENAT2, beneath, 4, SANDBOX_DENY_REST);
}

/* System calls that would do the same without a ring. */
static inline int sandbox_calls(void)
{
	static const unsigned int gone[] = {
		SYS_socket,
		SYS_socketpair,
		SYS_connect,
		SYS_bind,
		SYS_openat,
		SYS_openat2,
		SYS_open_by_handle_at,
		SYS_ptrace,
		SYS_process_vm_writev,
		SYS_pidfd_getfd,
#ifdef SYS_open
		SYS_open,
		SYS_creat,
#endif
	};
	enum { N = sizeof(gone) / sizeof(gone[0]) };
	struct sock_filter f[N + 3];
	struct sock_fprog p = { N + 3, f };

	f[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					    offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < N; i++)
		f[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, gone[i],
							(unsigned char)(N - i), 0);
	f[N + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[N + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p);
}

/* 0, or -1 and errno; then the program should not go on. */
static inline int sandbox_enter(int family)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return sandbox_rings(family) || sandbox_calls() ? -1 : 0;
}
