/* SPDX-License-Identifier: MIT */
/* The kernel's log as one stream of lines, each read by one reader only: /proc/kmsg and syslog(2)'s SYSLOG_ACTION_READ. */
#pragma once

#include <lib/types.h>

struct iter;
struct printk_record;

/* 0 where the caller may read the log's stream or change its settings; -EPERM: neither CAP_SYSLOG nor CAP_SYS_ADMIN. */
int kmsg_may_control(void);
/* The same for reading the whole log, which everybody may without kernel.dmesg_restrict. */
int kmsg_may_read(void);

/* Waits for a record unless NONBLOCK (-EAGAIN); what fits of those there are. -EFAULT, -ERESTARTSYS. */
ssize_t kmsg_stream_read(struct iter *to, bool nonblock);
/* Bytes that are still to be read. -ENOMEM. */
ssize_t kmsg_stream_unread(void);
/* The first record after the last SYSLOG_ACTION_CLEAR. */
extern u64 kmsg_cleared;
/* The record as a line: "<6>[    1.000000] text\n". Its length, at most SIZE - 1. */
int kmsg_format(char *buf, size_t size, const struct printk_record *r);
