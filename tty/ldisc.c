// SPDX-License-Identifier: MIT
/*
 * The line discipline N_TTY (termios(3)).
 *
 * Input bytes are stored in a ring. In canonical mode read_head runs ahead of canon_head, which marks the end of the last
 * complete line; editing only ever moves read_head back to canon_head. A bit per ring position marks bytes that end a line
 * (an EOF character is stored as NUL with its bit and never given out). In raw mode everything up to read_head is
 * readable.
 *
 * Echo goes to a small ring, so that input is never held up by a slow line; it is pushed out before any output.
 *
 * Locks: ld_lock for input state, out_lock for output state; ld_lock is outer.
 */
#include <lib/types.h>
#include <lib/bitmap.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/iter.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "tty/tty_priv.h"

#define MASK (TTY_READ_SIZE - 1)
#define I_FLAG(t, f) ((t)->termios.c_iflag & (f))
#define O_FLAG(t, f) ((t)->termios.c_oflag & (f))
#define L_FLAG(t, f) ((t)->termios.c_lflag & (f))
#define CC(t, i) ((t)->termios.c_cc[i])
#define CC_IS(t, c, i) ((c) == CC(t, i) && CC(t, i) != _POSIX_VDISABLE_)
#define _POSIX_VDISABLE_ 0

int ld_open(struct tty *t)
{
	if (t->read_buf)
		return 0;
	t->read_buf = kmalloc(TTY_READ_SIZE, GFP_KERNEL);
	t->read_eol = kzalloc(TTY_READ_SIZE / 8, GFP_KERNEL);
	t->flip = kmalloc(TTY_FLIP_SIZE, GFP_KERNEL);
	t->flip_flags = kmalloc(TTY_FLIP_SIZE, GFP_KERNEL);
	if (t->read_buf && t->read_eol && t->flip && t->flip_flags)
		return 0;
	ld_free(t);
	return -ENOMEM;
}

void ld_free(struct tty *t)
{
	kfree(t->read_buf);
	kfree(t->read_eol);
	kfree(t->flip);
	kfree(t->flip_flags);
	t->read_buf = t->flip = t->flip_flags = NULL;
	t->read_eol = NULL;
}

/* ---- output ---- */

/* One byte with OPOST done. False: no room for all of it. out_lock held. */
static bool put_processed(struct tty *t, u8 c, size_t *room)
{
	static const u8 spaces[9] = "        ";
	size_t n;

	switch (c) {
	case '\n':
		if (O_FLAG(t, ONLRET))
			t->column = 0;
		if (O_FLAG(t, ONLCR)) {
			if (*room < 2)
				return false;
			t->column = 0;
			t->ops->write(t, (const u8 *)"\r\n", 2);
			*room -= 2;
			return true;
		}
		break;
	case '\r':
		if (O_FLAG(t, ONOCR) && !t->column)
			return true;
		if (O_FLAG(t, OCRNL)) {
			c = '\n';
			if (O_FLAG(t, ONLRET))
				t->column = 0;
			break;
		}
		t->column = 0;
		break;
	case '\t':
		n = 8 - (t->column & 7);
		if (O_FLAG(t, TABDLY) == XTABS) {
			if (*room < n)
				return false;
			t->column += (u32)n;
			t->ops->write(t, spaces, n);
			*room -= n;
			return true;
		}
		t->column += (u32)n;
		break;
	case '\b':
		if (t->column)
			t->column--;
		break;
	default:
		if (c >= ' ' && c != 0x7f) {
			if (O_FLAG(t, OLCUC) && c >= 'a' && c <= 'z')
				c -= 32;
			if ((c & 0xc0) != 0x80 || !I_FLAG(t, IUTF8))
				t->column++;
		}
	}
	if (!*room)
		return false;
	t->ops->write(t, &c, 1);
	--*room;
	return true;
}

/* out_lock held. */
static void push_echo(struct tty *t)
{
	size_t room = t->ops->write_room(t);

	while (t->echo_tail != t->echo_head && room) {
		u8 c = t->echo_buf[t->echo_tail % sizeof(t->echo_buf)];

		if (O_FLAG(t, OPOST)) {
			if (!put_processed(t, c, &room))
				return;
		} else {
			t->ops->write(t, &c, 1);
			room--;
		}
		t->echo_tail++;
	}
}

void ld_flush_echo(struct tty *t)
{
	if (READ_ONCE(t->echo_tail) == READ_ONCE(t->echo_head))
		return;
	mutex_lock(&t->out_lock);
	push_echo(t);
	mutex_unlock(&t->out_lock);
}

/* Echo that finds its ring full is lost, as on a real terminal. */
static void echo_raw(struct tty *t, u8 c)
{
	mutex_lock(&t->out_lock);
	if (t->echo_head - t->echo_tail < sizeof(t->echo_buf))
		t->echo_buf[t->echo_head++ % sizeof(t->echo_buf)] = c;
	mutex_unlock(&t->out_lock);
}

static bool is_ctrl(u8 c)
{
	return c < ' ' || c == 0x7f;
}

static void echo_char(struct tty *t, u8 c)
{
	if (L_FLAG(t, ECHOCTL) && is_ctrl(c) && c != '\t') {
		echo_raw(t, '^');
		echo_raw(t, c ^ 0100);
	} else {
		echo_raw(t, c);
	}
}

/* ---- editing ---- */

static u8 ring_at(struct tty *t, u32 pos)
{
	return t->read_buf[pos & MASK];
}

static bool is_continuation(struct tty *t, u8 c)
{
	return I_FLAG(t, IUTF8) && (c & 0xc0) == 0x80;
}

static void end_erase(struct tty *t)
{
	if (t->erasing) {
		echo_raw(t, '/');
		t->erasing = false;
	}
}

/* Columns that the line takes up to POS, from the column where it began. */
static u32 column_at(struct tty *t, u32 pos)
{
	u32 col = t->canon_column;

	for (u32 i = t->canon_head; i != pos; i++) {
		u8 c = ring_at(t, i);

		if (c == '\t')
			col += 8 - (col & 7);
		else if (is_ctrl(c))
			col += L_FLAG(t, ECHOCTL) ? 2 : 0;
		else if (!is_continuation(t, c))
			col++;
	}
	return col;
}

/* Takes the last character off the line and off the screen. */
static void erase_one(struct tty *t)
{
	u32 head = t->read_head, from;
	u8 c;

	do {
		head--;
		c = ring_at(t, head);
	} while (is_continuation(t, c) && head != t->canon_head);
	from = column_at(t, t->read_head);
	t->read_head = head;
	if (!L_FLAG(t, ECHO))
		return;
	if (L_FLAG(t, ECHOPRT)) {
		if (!t->erasing) {
			echo_raw(t, '\\');
			t->erasing = true;
		}
		echo_char(t, c);
	} else if (!L_FLAG(t, ECHOE)) {
		echo_char(t, CC(t, VERASE));
	} else if (c == '\t') {
		for (u32 n = from - column_at(t, head); n; n--)
			echo_raw(t, '\b');
	} else {
		u32 n = is_ctrl(c) ? (L_FLAG(t, ECHOCTL) ? 2 : 0) : 1;

		while (n--) {
			echo_raw(t, '\b');
			echo_raw(t, ' ');
			echo_raw(t, '\b');
		}
	}
}

static bool is_word(u8 c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static void erase_word(struct tty *t)
{
	bool seen = false;

	while (t->read_head != t->canon_head) {
		bool word = is_word(ring_at(t, t->read_head - 1));

		if (seen && !word)
			break;
		seen |= word;
		erase_one(t);
	}
}

static void kill_line(struct tty *t)
{
	if (!L_FLAG(t, ECHO)) {
		t->read_head = t->canon_head;
		return;
	}
	if (!L_FLAG(t, ECHOK) || !L_FLAG(t, ECHOKE) || !L_FLAG(t, ECHOE)) {
		t->read_head = t->canon_head;
		end_erase(t);
		echo_char(t, CC(t, VKILL));
		if (L_FLAG(t, ECHOK))
			echo_raw(t, '\n');
		return;
	}
	while (t->read_head != t->canon_head)
		erase_one(t);
}

/* ---- input ---- */

static void put_byte(struct tty *t, u8 c)
{
	t->read_buf[t->read_head & MASK] = c;
	clear_bit(t->read_head & MASK, t->read_eol);
	t->read_head++;
}

static bool input_full(struct tty *t)
{
	/* One place is kept for the byte that ends a line. */
	return t->read_head - t->read_tail >= TTY_READ_SIZE - 1;
}

static void line_done(struct tty *t, u8 c)
{
	t->read_buf[t->read_head & MASK] = c;
	set_bit(t->read_head & MASK, t->read_eol);
	t->read_head++;
	t->canon_head = t->read_head;
	t->canon_lines++;
}

static void flush_input_locked(struct tty *t)
{
	t->read_tail = t->read_head;
	t->canon_head = t->read_head;
	t->canon_lines = 0;
	t->lnext = t->erasing = false;
	bitmap_clear(t->read_eol, 0, TTY_READ_SIZE);
}

static void isig(struct tty *t, int sig, u8 c)
{
	if (!L_FLAG(t, NOFLSH)) {
		flush_input_locked(t);
		mutex_lock(&t->out_lock);
		t->echo_tail = t->echo_head;
		mutex_unlock(&t->out_lock);
		if (t->ops->flush_buffer)
			t->ops->flush_buffer(t);
	}
	if (I_FLAG(t, IXON))
		tty_start(t);
	if (L_FLAG(t, ECHO))
		echo_char(t, c);
	tty_signal_foreground(t, sig);
}

/* True when it was a control character of canonical mode and is done with. */
static bool canonical_char(struct tty *t, u8 c)
{
	if (CC_IS(t, c, VERASE) || (CC_IS(t, c, VWERASE) && L_FLAG(t, IEXTEN)) || CC_IS(t, c, VKILL)) {
		if (t->read_head == t->canon_head)
			return true;
		if (c == CC(t, VKILL))
			kill_line(t);
		else if (c == CC(t, VERASE))
			erase_one(t);
		else
			erase_word(t);
		return true;
	}
	if (CC_IS(t, c, VLNEXT) && L_FLAG(t, IEXTEN)) {
		t->lnext = true;
		if (L_FLAG(t, ECHO)) {
			end_erase(t);
			if (L_FLAG(t, ECHOCTL)) {
				echo_raw(t, '^');
				echo_raw(t, '\b');
			}
		}
		return true;
	}
	if (CC_IS(t, c, VREPRINT) && L_FLAG(t, ECHO) && L_FLAG(t, IEXTEN)) {
		end_erase(t);
		echo_char(t, c);
		echo_raw(t, '\n');
		for (u32 i = t->canon_head; i != t->read_head; i++)
			echo_char(t, ring_at(t, i));
		return true;
	}
	if (c == '\n') {
		if (L_FLAG(t, ECHO) || L_FLAG(t, ECHONL)) {
			end_erase(t);
			echo_raw(t, '\n');
		}
		line_done(t, '\n');
		return true;
	}
	if (CC_IS(t, c, VEOF)) {
		line_done(t, 0);
		return true;
	}
	if (CC_IS(t, c, VEOL) || (CC_IS(t, c, VEOL2) && L_FLAG(t, IEXTEN))) {
		if (L_FLAG(t, ECHO)) {
			end_erase(t);
			echo_char(t, c);
		}
		line_done(t, c);
		return true;
	}
	return false;
}

static void store_char(struct tty *t, u8 c)
{
	if (input_full(t)) {
		if (I_FLAG(t, IMAXBEL))
			echo_raw(t, '\a');
		return;
	}
	if (L_FLAG(t, ECHO)) {
		end_erase(t);
		if (c == '\n') {
			echo_raw(t, '\n');
		} else {
			if (t->canon_head == t->read_head)
				t->canon_column = t->column;
			echo_char(t, c);
		}
	}
	/* PARMRK: a real 0xff is told from the mark by being doubled. */
	if (I_FLAG(t, PARMRK) && c == 0xff)
		put_byte(t, c);
	put_byte(t, c);
}

static void receive_char(struct tty *t, u8 c)
{
	if (I_FLAG(t, ISTRIP))
		c &= 0x7f;
	if (I_FLAG(t, IUCLC) && L_FLAG(t, IEXTEN) && c >= 'A' && c <= 'Z')
		c += 32;
	if (t->lnext) {
		t->lnext = false;
		store_char(t, c);
		return;
	}
	if (I_FLAG(t, IXON)) {
		if (CC_IS(t, c, VSTART)) {
			tty_start(t);
			return;
		}
		if (CC_IS(t, c, VSTOP)) {
			tty_stop(t);
			return;
		}
	}
	if (L_FLAG(t, ISIG)) {
		int sig = CC_IS(t, c, VINTR) ? SIGINT : CC_IS(t, c, VQUIT) ? SIGQUIT : CC_IS(t, c, VSUSP) ? SIGTSTP : 0;

		if (sig) {
			isig(t, sig, c);
			return;
		}
	}
	if (t->stopped && I_FLAG(t, IXON) && I_FLAG(t, IXANY))
		tty_start(t);
	if (c == '\r') {
		if (I_FLAG(t, IGNCR))
			return;
		if (I_FLAG(t, ICRNL))
			c = '\n';
	} else if (c == '\n' && I_FLAG(t, INLCR)) {
		c = '\r';
	}
	if (L_FLAG(t, ICANON) && canonical_char(t, c))
		return;
	store_char(t, c);
}

static void receive_special(struct tty *t, u8 c, u8 flag)
{
	switch (flag) {
	case TTY_BREAK:
		if (I_FLAG(t, IGNBRK))
			return;
		if (I_FLAG(t, BRKINT)) {
			isig(t, SIGINT, CC(t, VINTR));
			return;
		}
		c = 0;
		break;
	case TTY_PARITY: case TTY_FRAME:
		if (I_FLAG(t, IGNPAR))
			return;
		if (!I_FLAG(t, INPCK)) {
			receive_char(t, c);
			return;
		}
		break;
	default:
		return;
	}
	if (I_FLAG(t, PARMRK) && !input_full(t)) {
		put_byte(t, 0xff);
		put_byte(t, 0);
		put_byte(t, c);
	} else if (!input_full(t)) {
		put_byte(t, flag == TTY_BREAK ? c : 0);
	}
}

static bool readable(struct tty *t, u32 min_chars)
{
	if (L_FLAG(t, ICANON))
		return t->canon_lines > 0;
	return t->read_head - t->read_tail >= max(min_chars, 1U);
}

void ld_input_work(struct work_struct *w)
{
	struct tty *t = container_of(w, struct tty, input_work);
	u8 buf[256], flags[256];
	bool unthrottle = false;

	mutex_lock(&t->ld_lock);
	for (;;) {
		u32 n = 0;

		/* What cannot be stored stays with the driver's side. A full canonical line still takes editing characters. */
		if (!L_FLAG(t, ICANON) && TTY_READ_SIZE - 1 - (t->read_head - t->read_tail) < 2 * sizeof(buf))
			break;
		if (L_FLAG(t, ICANON) && t->canon_lines && input_full(t))
			break;
		spin_lock_irq(&t->flip_lock);
		while (n < sizeof(buf) && t->flip_tail != t->flip_head) {
			buf[n] = t->flip[t->flip_tail % TTY_FLIP_SIZE];
			flags[n++] = t->flip_flags[t->flip_tail++ % TTY_FLIP_SIZE];
		}
		unthrottle |= n && t->flip_full;
		if (n)
			t->flip_full = false;
		spin_unlock_irq(&t->flip_lock);
		if (!n)
			break;
		for (u32 i = 0; i < n; i++) {
			if (unlikely(flags[i]))
				receive_special(t, buf[i], flags[i]);
			else
				receive_char(t, buf[i]);
		}
	}
	if (readable(t, 1))
		wake_up_interruptible_poll(&t->read_wait, EPOLLIN | EPOLLRDNORM);
	mutex_unlock(&t->ld_lock);
	ld_flush_echo(t);
	if (unthrottle && t->ops->unthrottle)
		t->ops->unthrottle(t);
}

void ld_flush_input(struct tty *t)
{
	mutex_lock(&t->ld_lock);
	spin_lock_irq(&t->flip_lock);
	t->flip_tail = t->flip_head;
	t->flip_full = false;
	spin_unlock_irq(&t->flip_lock);
	flush_input_locked(t);
	mutex_unlock(&t->ld_lock);
	if (t->ops->unthrottle)
		t->ops->unthrottle(t);
}

size_t ld_chars(struct tty *t)
{
	size_t n;

	mutex_lock(&t->ld_lock);
	n = (L_FLAG(t, ICANON) ? t->canon_head : t->read_head) - t->read_tail;
	if (L_FLAG(t, ICANON))		/* end-of-file marks are not read */
		for (u32 i = t->read_tail; i != t->canon_head; i++)
			if (test_bit(i & MASK, t->read_eol) && !ring_at(t, i))
				n--;
	mutex_unlock(&t->ld_lock);
	return n;
}

void ld_set_termios(struct tty *t, const struct ktermios *old)
{
	bool was = old && (old->c_lflag & ICANON), is = L_FLAG(t, ICANON);

	mutex_lock(&t->ld_lock);
	if (t->read_buf && was != is) {
		bitmap_clear(t->read_eol, 0, TTY_READ_SIZE);
		t->canon_lines = 0;
		if (is && t->read_head != t->read_tail) {
			/* What is there becomes one line. */
			set_bit((t->read_head - 1) & MASK, t->read_eol);
			t->canon_lines = 1;
		}
		t->canon_head = t->read_head;
		t->lnext = t->erasing = false;
	}
	mutex_unlock(&t->ld_lock);
	if (old && (old->c_iflag & IXON) && !I_FLAG(t, IXON))
		tty_start(t);
	wake_up_interruptible_all(&t->read_wait);
}

/* ---- reading ---- */

/* Up to N bytes of one line into BUF. *ENDED: the line is over. ld_lock held. */
static size_t take_line(struct tty *t, u8 *buf, size_t n, bool *ended)
{
	size_t done = 0;

	*ended = false;
	while (done < n && t->read_tail != t->canon_head) {
		u32 pos = t->read_tail++;
		bool eol = test_and_clear_bit(pos & MASK, t->read_eol);
		u8 c = ring_at(t, pos);

		if (!eol || c)
			buf[done++] = c;
		if (eol) {
			t->canon_lines--;
			*ended = true;
			break;
		}
	}
	/* A reader with exactly the line's room is not given an empty read for the end-of-file mark behind it. */
	if (!*ended && done == n && t->read_tail != t->canon_head && !ring_at(t, t->read_tail) &&
	    test_bit(t->read_tail & MASK, t->read_eol)) {
		clear_bit(t->read_tail & MASK, t->read_eol);
		t->read_tail++;
		t->canon_lines--;
		*ended = true;
	}
	return done;
}

static size_t take_raw(struct tty *t, u8 *buf, size_t n)
{
	size_t done = 0;

	while (done < n && t->read_tail != t->read_head)
		buf[done++] = ring_at(t, t->read_tail++);
	t->canon_head = t->read_head;
	return done;
}

/* Packet mode of a pty master: one status byte in front (ioctl_tty(2), TIOCPKT). */
static ssize_t read_packet_status(struct tty *t, struct iter *to)
{
	unsigned long flags;
	u8 status;

	spin_lock_irqsave(&t->ctrl_lock, flags);
	status = t->pkt_status;
	t->pkt_status = 0;
	spin_unlock_irqrestore(&t->ctrl_lock, flags);
	if (!status)
		return 0;
	return copy_to_iter(&status, 1, to) == 1 ? 1 : -EFAULT;
}

struct read_state {
	ssize_t done;
	long timeout;
	u32 min;
	long inter_byte;	/* TIME with MIN > 0 */
	bool line_over;
};

static void read_setup(struct tty *t, struct read_state *r)
{
	r->timeout = MAX_SCHEDULE_TIMEOUT;
	if (L_FLAG(t, ICANON))
		return;
	r->min = CC(t, VMIN);
	if (!r->min)
		r->timeout = CC(t, VTIME) ? (long)CC(t, VTIME) * HZ / 10 : 0;
	else
		r->inter_byte = (long)CC(t, VTIME) * HZ / 10;
}

/* Moves what is there. 0, or -EFAULT. */
static int read_some(struct tty *t, struct read_state *r, struct iter *to)
{
	u8 buf[256];

	while (iter_count(to) && !r->line_over) {
		size_t n = min(iter_count(to), sizeof(buf));
		bool restart;

		mutex_lock(&t->ld_lock);
		if (L_FLAG(t, ICANON))
			n = t->canon_lines ? take_line(t, buf, n, &r->line_over) : 0;
		else
			n = take_raw(t, buf, n);
		restart = READ_ONCE(t->flip_head) != READ_ONCE(t->flip_tail);
		mutex_unlock(&t->ld_lock);
		if (restart)
			queue_work(system_unbound_wq, &t->input_work);
		if (!n)
			break;
		if (copy_to_iter(buf, n, to) != n)
			return -EFAULT;
		r->done += (ssize_t)n;
	}
	return 0;
}

ssize_t ld_read(struct tty_file *f, struct kiocb *k, struct iter *to)
{
	struct tty *t = f->tty;
	struct file *file = k->ki_filp;
	bool nonblock = (file->f_flags & O_NONBLOCK) || (k->ki_flags & IOCB_NOWAIT);
	struct read_state r = { 0 };
	DEFINE_WAIT_FUNC(w, default_wake_function);
	int e = t->is_pty_master ? 0 : tty_check_change(t, SIGTTIN);

	if (e || !iter_count(to))
		return e;
	read_setup(t, &r);
	add_wait_queue(&t->read_wait, &w);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (t->packet) {
			ssize_t n;

			__set_current_state(TASK_RUNNING);
			n = read_packet_status(t, to);
			if (n) {
				r.done = n;
				break;
			}
			if (!r.done && ld_chars(t)) {
				u8 data = 0;

				if (copy_to_iter(&data, 1, to) != 1) {
					e = -EFAULT;
					break;
				}
				r.done = 1;
			}
			set_current_state(TASK_INTERRUPTIBLE);
		}
		if (READ_ONCE(t->canon_lines) || READ_ONCE(t->read_head) != READ_ONCE(t->read_tail)) {
			__set_current_state(TASK_RUNNING);
			e = read_some(t, &r, to);
			if (e)
				break;
			set_current_state(TASK_INTERRUPTIBLE);
		}
		if (r.line_over || !iter_count(to) || (r.done && (L_FLAG(t, ICANON) || r.done >= (ssize_t)r.min)))
			break;
		if (tty_file_hung(f))
			break;
		if (t->closed_other) {
			/* What the other side wrote before it closed is still read. */
			if (READ_ONCE(t->flip_head) == READ_ONCE(t->flip_tail) && !work_pending_or_running(&t->input_work)) {
				if (!r.done)
					e = t->is_pty_master ? -EIO : 0;
				break;
			}
			__set_current_state(TASK_RUNNING);
			flush_work(&t->input_work);
			continue;
		}
		if (!r.timeout)
			break;
		if (nonblock) {
			e = -EAGAIN;
			break;
		}
		if (signal_pending(current)) {
			e = -ERESTARTSYS;
			break;
		}
		if (r.done && r.inter_byte) {
			if (!schedule_timeout(r.inter_byte) && READ_ONCE(t->read_head) == READ_ONCE(t->read_tail))
				break;
		} else {
			r.timeout = schedule_timeout(r.timeout);
		}
	}
	__set_current_state(TASK_RUNNING);
	remove_wait_queue(&t->read_wait, &w);
	return r.done ?: e;
}

/* ---- writing ---- */

/* As much of [buf, buf + n) as fits. out_lock taken here. */
static size_t write_some(struct tty *t, const u8 *buf, size_t n)
{
	size_t room, done = 0;

	mutex_lock(&t->out_lock);
	push_echo(t);
	room = t->ops->write_room(t);
	if (!O_FLAG(t, OPOST)) {
		done = t->ops->write(t, buf, min(n, room));
	} else {
		while (done < n) {
			size_t run = 0;

			/* Plain text goes in one piece. */
			while (done + run < n && run < room && buf[done + run] >= ' ' && buf[done + run] < 0x7f && !O_FLAG(t, OLCUC))
				run++;
			if (run) {
				t->ops->write(t, buf + done, run);
				t->column += (u32)run;
				room -= run;
				done += run;
			} else if (put_processed(t, buf[done], &room)) {
				done++;
			} else {
				break;
			}
		}
	}
	mutex_unlock(&t->out_lock);
	return done;
}

ssize_t ld_write(struct tty_file *f, struct kiocb *k, struct iter *from)
{
	struct tty *t = f->tty;
	bool nonblock = (k->ki_filp->f_flags & O_NONBLOCK) || (k->ki_flags & IOCB_NOWAIT);
	DEFINE_WAIT_FUNC(w, default_wake_function);
	size_t have = 0, used = 0;
	ssize_t done = 0;
	u8 buf[512];
	int e = 0;

	if (L_FLAG(t, TOSTOP) && !t->is_pty_master)
		e = tty_check_change(t, SIGTTOU);
	if (e)
		return e;
	if (nonblock ? !mutex_trylock(&t->write_lock) : mutex_lock_interruptible(&t->write_lock))
		return nonblock ? -EAGAIN : -ERESTARTSYS;
	add_wait_queue(&t->write_wait, &w);
	for (;;) {
		size_t n;

		set_current_state(TASK_INTERRUPTIBLE);
		if (tty_file_hung(f) || (t->is_pty && t->closed_other && t->link)) {
			e = -EIO;
			break;
		}
		if (used == have) {
			if (!iter_count(from))
				break;
			__set_current_state(TASK_RUNNING);
			have = copy_from_iter(buf, min(iter_count(from), sizeof(buf)), from);
			used = 0;
			if (!have) {
				e = -EFAULT;
				break;
			}
			set_current_state(TASK_INTERRUPTIBLE);
		}
		__set_current_state(TASK_RUNNING);
		n = t->stopped ? 0 : write_some(t, buf + used, have - used);
		set_current_state(TASK_INTERRUPTIBLE);
		used += n;
		done += (ssize_t)n;
		if (n)
			continue;
		if (!t->stopped && t->ops->write_room(t) > 8)
			continue;	/* room came while we looked away */
		if (nonblock) {
			e = -EAGAIN;
			break;
		}
		if (signal_pending(current)) {
			e = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	remove_wait_queue(&t->write_wait, &w);
	if (have != used)
		iter_revert(from, have - used);
	mutex_unlock(&t->write_lock);
	return done ?: e;
}

u32 ld_poll(struct tty_file *f, struct file *file, struct poll_table_struct *p)
{
	struct tty *t = f->tty;
	u32 mask = 0;

	poll_wait(file, &t->read_wait, p);
	poll_wait(file, &t->write_wait, p);
	if (tty_file_hung(f))
		return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM;
	if (READ_ONCE(t->flip_head) != READ_ONCE(t->flip_tail))
		flush_work(&t->input_work);
	mutex_lock(&t->ld_lock);
	if (readable(t, !CC(t, VTIME) && CC(t, VMIN) ? CC(t, VMIN) : 1))
		mask |= EPOLLIN | EPOLLRDNORM;
	mutex_unlock(&t->ld_lock);
	if (t->packet && READ_ONCE(t->pkt_status))
		mask |= EPOLLPRI | EPOLLIN | EPOLLRDNORM;
	if (t->closed_other)
		mask |= EPOLLHUP;
	if (!t->stopped && t->ops->write_room(t) > 0 && t->ops->chars_in_buffer(t) < 256)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}
