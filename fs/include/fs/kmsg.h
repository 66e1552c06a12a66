/* SPDX-License-Identifier: MIT */
/* The kernel's log as one stream of lines, each read by one reader only: /proc/kmsg and syslog(2)'s SYSLOG_ACTION_READ. */
#pragma once

#include <lib/types.h>

struct iter;
struct printk_record;

/* Waits for a record unless NONBLOCK (-EAGAIN); what fits of those there are. -EFAULT, -ERESTARTSYS. */
ssize_t kmsg_stream_read(struct iter *to, bool nonblock);
/* Bytes that are still to be read. -ENOMEM. */
ssize_t kmsg_stream_unread(void);
/* The record as a line: "<6>[    1.000000] text\n". Its length, at most SIZE - 1. */
int kmsg_format(char *buf, size_t size, const struct printk_record *r);
