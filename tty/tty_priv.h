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
	unsigned int hangups;	/* of the tty when it was opened */
};

static inline bool tty_file_hung(const struct tty_file *f) { return READ_ONCE(f->tty->hangups) != f->hangups; }

int tty_open_file(struct tty *t, struct file *file);
extern const struct file_operations tty_fops, pty_master_fops;

/* ldisc.c */
int ld_open(struct tty *t);
void ld_free(struct tty *t);
ssize_t ld_read(struct tty_file *f, struct kiocb *k, struct iter *to);
ssize_t ld_write(struct tty_file *f, struct kiocb *k, struct iter *from);
u32 ld_poll(struct tty_file *f, struct file *file, struct poll_table_struct *p);
void ld_input_work(struct work_struct *w);
void ld_set_termios(struct tty *t, const struct ktermios *old);
void ld_flush_input(struct tty *t);
size_t ld_chars(struct tty *t);
void ld_flush_echo(struct tty *t);

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
