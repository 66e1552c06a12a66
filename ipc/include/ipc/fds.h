/* SPDX-License-Identifier: MIT */
/* Descriptors for events: each call gives a descriptor or an errno of its man page. */
#pragma once

#include <lib/types.h>

struct file;
struct epoll_event;

int eventfd_create(unsigned int count, int flags);
int signalfd_create(int fd, u64 mask, int flags);
int timerfd_create(int clock, int flags);

struct timerfd_spec {
	s64 value_ns, interval_ns;
};
int timerfd_set(int fd, int flags, const struct timerfd_spec *n, struct timerfd_spec *old);
int timerfd_get(int fd, struct timerfd_spec *out);

int epoll_create_fd(int flags);
/* EV is user data already copied in; NULL for EPOLL_CTL_DEL. */
int epoll_control(int epfd, int op, int fd, const struct epoll_event *ev);
/* UNTIL: NULL for ever; a time in the past: do not wait. */
int epoll_wait_events(int epfd, struct uptr events, int maxevents, const ktime_t *until);
