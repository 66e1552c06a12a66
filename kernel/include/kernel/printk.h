/* SPDX-License-Identifier: MIT */
/*
 * The kernel log: a lock-free ring of records, usable in any context, NMI included. Consoles are fed by
 * a thread of their own, and by the caller itself before that thread runs and during a panic.
 */
#pragma once

#include <lib/types.h>

#define KERN_EMERG "\0010"
#define KERN_ALERT "\0011"
#define KERN_CRIT "\0012"
#define KERN_ERR "\0013"
#define KERN_WARNING "\0014"
#define KERN_NOTICE "\0015"
#define KERN_INFO "\0016"
#define KERN_DEBUG "\0017"
#define KERN_CONT "\001c"

int printk(const char *fmt, ...) __printf(1, 2);
int vprintk(const char *fmt, va_list ap);

#define pr_emerg(fmt, ...) printk(KERN_EMERG fmt, ##__VA_ARGS__)
#define pr_alert(fmt, ...) printk(KERN_ALERT fmt, ##__VA_ARGS__)
#define pr_crit(fmt, ...) printk(KERN_CRIT fmt, ##__VA_ARGS__)
#define pr_err(fmt, ...) printk(KERN_ERR fmt, ##__VA_ARGS__)
#define pr_warn(fmt, ...) printk(KERN_WARNING fmt, ##__VA_ARGS__)
#define pr_notice(fmt, ...) printk(KERN_NOTICE fmt, ##__VA_ARGS__)
#define pr_info(fmt, ...) printk(KERN_INFO fmt, ##__VA_ARGS__)
#define pr_debug(fmt, ...) printk(KERN_DEBUG fmt, ##__VA_ARGS__)
#define pr_cont(fmt, ...) printk(KERN_CONT fmt, ##__VA_ARGS__)

struct ratelimit {
	u64 window_start_ns;
	u32 interval_ms, burst;
	u32 printed, missed;
};

#define RATELIMIT_INIT { .interval_ms = 5000, .burst = 10 }
bool ratelimit_ok(struct ratelimit *rl);
#define printk_ratelimited(fmt, ...) do {					\
	static struct ratelimit __rl = RATELIMIT_INIT;				\
	if (ratelimit_ok(&__rl))						\
		printk(fmt, ##__VA_ARGS__);					\
} while (0)
#define pr_err_ratelimited(fmt, ...) printk_ratelimited(KERN_ERR fmt, ##__VA_ARGS__)
#define pr_warn_ratelimited(fmt, ...) printk_ratelimited(KERN_WARNING fmt, ##__VA_ARGS__)
#define pr_info_ratelimited(fmt, ...) printk_ratelimited(KERN_INFO fmt, ##__VA_ARGS__)

/* A place records go. write() may be called from any context when ATOMIC is set, else from the console
 * thread only. */
struct console {
	const char *name;
	void (*write)(struct console *c, const char *text, size_t len);
	bool atomic;
	bool enabled;
	u64 next_seq;			/* next record to print */
	struct console *next;
};

void register_console(struct console *c);
void unregister_console(struct console *c);
extern int dmesg_restrict;		/* kernel.dmesg_restrict: reading messages needs CAP_SYSLOG */
extern int console_loglevel;		/* records with a lower number reach the consoles */
/* From here on every record is printed by its writer through atomic consoles. */
void console_panic_mode(void);
/* Prints what is still waiting, or has the console thread do it. */
void console_flush(void);
/* By how many records the slowest console is behind; 1 also while one is printed. */
u64 console_behind(void);

/* Readers: /dev/kmsg and syslog(2). SEQ counts records from 0. */
struct printk_record {
	u64 seq, ts_ns;
	u32 caller_pid;
	u8 level, facility;
	u16 len;
	char text[1024];
};

/* Copies record *SEQ or the next one still there and sets *SEQ to it. -ENODATA: none yet; -EPIPE: some were lost (and
 * *SEQ is now the oldest). */
int printk_read(u64 *seq, struct printk_record *out);
u64 printk_first_seq(void);
u64 printk_next_seq(void);
/* A record from user space through /dev/kmsg. */
void printk_user(unsigned int facility, unsigned int level, const char *text, size_t len);
