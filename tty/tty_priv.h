/* SPDX-License-Identifier: MIT */
/* Between the files of this room. */
#pragma once

#include <tty/tty.h>

struct kiocb;
struct iter;
struct poll_table_struct;
struct file;

/* What file->private_data points to. */
struct tty_file {
	struct tty *tty;	/* referenced */
	struct file *file;	/* c: the open file that has this */
	struct list_head node;	/* tty->open_lock: in tty->files, until a hang-up */
	unsigned int hangups;	/* of the tty when it was opened */
};

static inline bool tty_file_hung(const struct tty_file *f) { return READ_ONCE(f->tty->hangups) != f->hangups; }

int tty_open_file(struct tty *t, struct file *file);
extern const struct file_operations tty_fops, pty_master_fops;

#define OUT_MOST 8U	/* bytes that one byte of output becomes at most: a tab */

/* tty_insert() whose caller sees to it that ld_input() follows. */
size_t tty_insert_only(struct tty *t, const u8 *buf, const u8 *flags, size_t n);
static inline bool flip_has(const struct tty *t) { return READ_ONCE(t->flip_head) != READ_ONCE(t->flip_tail); }

/* ldisc.c */
int ld_open(struct tty *t);
void ld_free(struct tty *t);
ssize_t ld_read(struct tty_file *f, struct kiocb *k, struct iter *to);
ssize_t ld_write(struct tty_file *f, struct kiocb *k, struct iter *from);
u32 ld_poll(struct tty_file *f, struct file *file, struct poll_table_struct *p);
/* Works on what the driver's side has. Process context, no lock of the line discipline held. */
void ld_input(struct tty *t);
void ld_input_work(struct work_struct *w);
void ld_set_termios(struct tty *t, const struct ktermios *old);
void ld_flush_input(struct tty *t);
size_t ld_chars(struct tty *t);
void ld_flush_echo(struct tty *t);
/* What the driver's write() was given is on its way from here on; as ld_input(). */
void tty_push(struct tty *t);

/* job.c */
/* 0; -ERESTARTSYS after SIGTTIN/SIGTTOU was sent; -EIO for an orphan. */
int tty_check_change(struct tty *t, int sig);
int tty_set_ctty(struct tty *t, struct file *file, unsigned long arg);
long tty_job_ioctl(struct tty *t, struct tty *real, unsigned int cmd, unsigned long arg, struct file *file);
void session_clear(struct tty *t);

/* ioctl.c */
long tty_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
void tty_wait_until_sent(struct tty *t, long timeout);
void tty_stop(struct tty *t);
void tty_start(struct tty *t);

/* pty.c */
long pty_ioctl(struct tty *t, struct file *file, unsigned int cmd, unsigned long arg);
int pty_open_slave(struct file *file, struct tty **out);
