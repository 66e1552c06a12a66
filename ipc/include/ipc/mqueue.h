/* SPDX-License-Identifier: MIT */
/* POSIX message queues (mq_overview(7)). Names come without their leading slash. */
#pragma once

#include <lib/types.h>
#include <linux/mqueue.h>

struct ipc_namespace;
struct sigevent;

/* ATTR: NULL for the defaults. A descriptor or -errno. */
int mqueue_open(const char *name, int oflag, umode_t mode, const struct mq_attr *attr);
int mqueue_unlink(const char *name);
/* UNTIL: of CLOCK_REALTIME, or NULL. */
long mqueue_send(int fd, struct uptr msg, size_t len, unsigned int prio, const ktime_t *until);
long mqueue_receive(int fd, struct uptr msg, size_t len, struct uptr prio, const ktime_t *until);
/* SE NULL: no notification any more. */
int mqueue_notify(int fd, const struct sigevent *se);
/* NEW may be NULL; only its O_NONBLOCK counts. */
int mqueue_attributes(int fd, const struct mq_attr *n, struct mq_attr *old);
void mqueue_free_all(struct ipc_namespace *ns);
