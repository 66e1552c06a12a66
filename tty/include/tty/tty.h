/* SPDX-License-Identifier: MIT */
/*
 * Terminals: a struct tty stands between a driver that moves bytes (a serial port, the other end of a pty) and the files
 * that programs have open. The line discipline in between edits, echoes and makes signals (termios(3)).
 *
 * Input comes in through tty_insert() from any context and is worked on by a work item; what is written to one end of a pty is worked
 * on by its writer. Output goes to the driver in process context, and what the driver has no room for waits until it calls tty_wakeup().
 */
#pragma once

#include <lib/bitmap.h>
#include <lib/list.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <sched/work.h>
#include <asm/termbits.h>
#include <asm/ioctls.h>
#include <asm/termios.h>

struct tty;
struct pid;
struct file;
struct cdev;

struct tty_ops {
	/* First open and last close; sleep. */
	int (*open)(struct tty *t);
	void (*close)(struct tty *t);
	/* Takes up to N bytes and says how many; never sleeps. */
	size_t (*write)(struct tty *t, const u8 *buf, size_t n);
	/* All is written for now; sleeps, no lock of T held. NULL: write() has begun to send. */
	void (*push)(struct tty *t);
	size_t (*write_room)(struct tty *t);
	size_t (*chars_in_buffer)(struct tty *t);
	void (*flush_buffer)(struct tty *t);		/* forgets what was not sent; may be NULL */
	void (*set_termios)(struct tty *t, const struct ktermios *old);	/* may be NULL; sleeps */
	void (*stop)(struct tty *t);			/* ^S and ^Q; may be NULL */
	void (*start)(struct tty *t);
	int (*break_ctl)(struct tty *t, bool on);	/* may be NULL */
	int (*tiocmget)(struct tty *t);			/* modem lines; NULL: ENOTTY */
	int (*tiocmset)(struct tty *t, unsigned int set, unsigned int clear);
	/* The reader has room again (after tty_insert took less than it was given). */
	void (*unthrottle)(struct tty *t);
	long (*ioctl)(struct tty *t, unsigned int cmd, unsigned long arg);	/* -ENOIOCTLCMD: not mine */
	void (*hangup)(struct tty *t);
	void (*free)(struct tty *t);			/* the last reference is gone */
};

#define TTY_READ_SIZE 4096U	/* bytes; not a page */
#define TTY_FLIP_SIZE 65536U

/* What tty_insert carries beside each byte. */
enum { TTY_NORMAL, TTY_BREAK, TTY_PARITY, TTY_FRAME, TTY_OVERRUN };

struct tty {
	refcount_t refs;
	const struct tty_ops *ops;	/* c */
	void *driver_data;		/* c */
	char name[32];			/* c */
	unsigned int index;		/* c */
	dev_t dev;			/* c */
	bool is_pty_master, is_pty;	/* c */
	struct tty *link;		/* c: other end of a pty, referenced */

	struct mutex open_lock;
	int count;			/* open_lock: open files */
	struct list_head files;		/* open_lock: these, but the dead */
	unsigned int hangups;		/* open_lock, read without: files of before are dead */
	bool exclusive, closed_other;	/* open_lock; the other end is closed */

	struct rw_semaphore termios_lock;
	struct ktermios termios;	/* termios_lock; single flags read without */
	struct ktermios termios_locked;	/* termios_lock: what is not zero in it cannot be set */
	struct winsize winsize;		/* open_lock */

	spinlock_t ctrl_lock;		/* irq-safe */
	struct pid *session, *pgrp;	/* ctrl_lock */
	bool stopped;			/* ctrl_lock: ^S or TIOCSTOP */
	u8 pkt_status;			/* ctrl_lock: what TIOCPKT has to tell */
	bool packet;			/* ctrl_lock */

	/* Raw input. */
	spinlock_t flip_lock;		/* irq-safe */
	u8 *flip, *flip_flags;		/* TTY_FLIP_SIZE ring, made at first open */
	u32 flip_head, flip_tail;	/* flip_lock */
	bool flip_full;			/* flip_lock: the driver was turned away */
	bool flip_flagged;		/* flip_lock: flip_flags are set; else all are TTY_NORMAL */
	struct work_struct input_work;

	/* The line discipline. */
	struct mutex ld_lock;
	u8 *read_buf;			/* ld_lock: TTY_READ_SIZE ring */
	unsigned long *read_eol;	/* ld_lock: bytes that end a line */
	u32 read_head, read_tail, canon_head;	/* ld_lock, looked at without: counted without wrapping */
	u32 canon_lines;		/* ld_lock, looked at without: lines complete in read_buf */
	bool lnext, erasing;		/* ld_lock */
	bool all_plain;			/* ld_lock: special is empty */
	DECLARE_BITMAP(special, 256);	/* ld_lock: input that is more than stored, by the settings */
	u8 echo_buf[1024];		/* out_lock */
	u32 echo_head, echo_tail;	/* out_lock */
	struct mutex out_lock;
	struct mutex write_lock;	/* one write(2) at a time */
	u32 column, canon_column;	/* out_lock */
	wait_queue_head_t read_wait, write_wait;
	struct fasync_struct __rcu *fasync;	/* receivers of SIGIO: vfs/fasync.c's lock */
	bool wants_room;		/* atomic: of them somebody could not write all */
	struct work_struct hangup_work;
	struct rcu_head rcu;		/* the node of a pty's slave is looked at without a reference */
};

struct tty *tty_alloc(const struct tty_ops *ops, const char *name, dev_t dev, void *driver_data);
void tty_get(struct tty *t);
void tty_put(struct tty *t);
/* A terminal with a fixed device number and a node in /dev. 0 or -errno. */
int tty_register(struct tty *t);
void tty_unregister(struct tty *t);
/* T may be what /dev/console opens, and what init has as descriptors 0 to 2: it is if the last console= names it, or where nothing was so far
 * if it is a FALLBACK. Sleeps. */
void tty_offer_console(struct tty *t, bool fallback);
/* The last console= of the command line is T. */
bool tty_is_named_console(const struct tty *t);

/* From the driver, any context: N bytes, flags NULL: all normal. How many were taken. */
size_t tty_insert(struct tty *t, const u8 *buf, const u8 *flags, size_t n);
size_t tty_insert_room(struct tty *t);
/* The driver has room again. Any context. */
void tty_wakeup(struct tty *t);
/* The line is gone: processes that have it are told. Any context for the _async form. */
/* The controlling terminal of the running process, referenced, or NULL. */
struct tty *get_current_tty(void);
void tty_hangup(struct tty *t);
void tty_hangup_async(struct tty *t);
/* Job control (SIGWINCH included): to the foreground group. */
void tty_signal_foreground(struct tty *t, int sig);
int tty_set_winsize(struct tty *t, const struct winsize *ws);

extern const struct ktermios tty_std_termios;
