// SPDX-License-Identifier: MIT
/* System V IPC at the edge: shmget(2), semop(2), msgsnd(2) and theirs. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <ipc/sysv.h>
#include <kernel/time.h>
#include <lib/minmax.h>
#include <proc/signal.h>
#include <syscall/time_user.h>
#include <abi/errno.h>
#include <linux/ipc.h>

long sys_shmget(int key, size_t size, int flags) { return shm_get(key, size, flags); }
long sys_shmat(int id, struct uptr addr, int flags) { return shm_attach(id, addr.addr, flags); }
long sys_shmdt(struct uptr addr) { return shm_detach(addr.addr); }
long sys_shmctl(int id, int cmd, struct uptr buf) { return shm_control(id, cmd & ~IPC_64, buf); }

long sys_semget(int key, int nsems, int flags) { return sem_get(key, nsems, flags); }

/* NS: for how long; below 0: for ever. */
static long sem_op_within(int id, struct uptr ops, unsigned int n, s64 ns)
{
	s64 until = ns >= 0 ? ktime_add_safe((ktime_t)ktime_get_ns(), ns) : 0;
	long r;

	while ((r = sem_op(id, ops, n, ns)) == -EINTR && proc_ran_task_work())
		if (ns >= 0)
			ns = max(until - (s64)ktime_get_ns(), (s64)0);
	return r;
}

long sys_semop(int id, struct uptr ops, unsigned int n) { return sem_op_within(id, ops, n, -1); }

long sys_semtimedop(int id, struct uptr ops, unsigned int n, struct uptr timeout)
{
	s64 ns = -1;
	int e = uptr_is_null(timeout) ? 0 : get_timespec_ns(&ns, timeout);

	return e ? e : sem_op_within(id, ops, n, ns);
}

long sys_semctl(int id, int num, int cmd, unsigned long arg) { return sem_control(id, num, cmd & ~IPC_64, arg); }

long sys_msgget(int key, int flags) { return msg_get(key, flags); }
long sys_msgsnd(int id, struct uptr msg, size_t size, int flags) { return msg_send(id, msg, size, flags); }
long sys_msgrcv(int id, struct uptr msg, size_t size, long type, int flags) { return msg_receive(id, msg, size, type, flags); }
long sys_msgctl(int id, int cmd, struct uptr buf) { return msg_control(id, cmd & ~IPC_64, buf); }
