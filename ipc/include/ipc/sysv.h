/* SPDX-License-Identifier: MIT */
/* System V IPC (sysvipc(7)): shared memory, semaphores and message queues, by key, in a namespace. */
#pragma once

#include <lib/types.h>

struct ipc_namespace;
struct seq_file;

enum sysv_kind { SYSV_SEM, SYSV_MSG, SYSV_SHM, SYSV_KINDS };

long shm_get(int key, size_t size, int flags);
long shm_attach(int id, unsigned long addr, int flags);
long shm_detach(unsigned long addr);
long shm_control(int id, int cmd, struct uptr buf);

long sem_get(int key, int nsems, int flags);
/* TIMEOUT_NS: < 0: none. */
long sem_op(int id, struct uptr ops, unsigned int n, s64 timeout_ns);
long sem_control(int id, int num, int cmd, unsigned long arg);

long msg_get(int key, int flags);
long msg_send(int id, struct uptr msg, size_t size, int flags);
long msg_receive(int id, struct uptr msg, size_t size, long type, int flags);
long msg_control(int id, int cmd, struct uptr buf);

/* /proc/sysvipc: a table of all there is in the caller's namespace. */
void sysv_show(enum sysv_kind kind, struct seq_file *m);
unsigned int ipc_ns_ino(const struct ipc_namespace *ns);
u64 ipc_ns_id(const struct ipc_namespace *ns);		/* <proc/ns_ids.h> */
struct user_namespace *ipc_ns_owner(const struct ipc_namespace *ns);
