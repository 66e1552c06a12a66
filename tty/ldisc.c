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
 * Most bytes of input only have to be stored: `special` has a bit for each value that the settings give a meaning, and runs
 * of all others are copied in one piece.
 *
 * Locks: ld_lock for input state, out_lock for output state; ld_lock is outer. Input is worked on by whoever calls ld_input()
 * in process context with neither held: a work item, the writer at the other end of a pty, a reader that made room.
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

#define EACH_BYTE 0x0101010101010101ULL

/* How many bytes BUF begins with that are printable ASCII: a word at a time, then the rest. */
static size_t printable_run(const u8 *buf, size_t n)
{
	size_t run = 0;

	for (u64 w; run + sizeof(w) <= n; run += sizeof(w)) {
		memcpy(&w, buf + run, sizeof(w));
		/* A byte's top bit comes up if it was set, below ' ' (borrow) or 0x7f (carry). */
		if ((w | (w - ' ' * EACH_BYTE) | (w + EACH_BYTE)) & (0x80 * EACH_BYTE))
			break;
	}
	while (run < n && buf[run] >= ' ' && buf[run] < 0x7f)
		run++;
	return run;
}

/* As much of [buf, buf + n) as there is room for, with OPOST done if it is on. out_lock held. */
static size_t put_bytes(struct tty *t, const u8 *buf, size_t n, size_t *room)
{
	size_t done = 0;

	if (!O_FLAG(t, OPOST)) {
		done = t->ops->write(t, buf, min(n, *room));
		*room -= done;
		return done;
	}
	while (done < n) {
		size_t run = O_FLAG(t, OLCUC) ? 0 : printable_run(buf + done, min(n - done, *room));

		if (run) {
			t->ops->write(t, buf + done, run);
			t->column += (u32)run;
			*room -= run;
			done += run;
		} else if (put_processed(t, buf[done], room)) {
			done++;
		} else {
			break;
		}
	}
	return done;
}

/* What is left of ROOM. out_lock held. */
static size_t push_echo(struct tty *t, size_t room)
{
	while (t->echo_tail != t->echo_head && room) {
		u32 pos = t->echo_tail % sizeof(t->echo_buf);
		u32 n = min(t->echo_head - t->echo_tail, (u32)sizeof(t->echo_buf) - pos);
		size_t done = put_bytes(t, t->echo_buf + pos, n, &room);

		t->echo_tail += (u32)done;
		if (done < n)
			break;
	}
	return room;
}

void ld_flush_echo(struct tty *t)
{
	if (READ_ONCE(t->echo_tail) == READ_ONCE(t->echo_head))
		return;
	mutex_lock(&t->out_lock);
	push_echo(t, t->ops->write_room(t));
	mutex_unlock(&t->out_lock);
	tty_push(t);
}

void tty_push(struct tty *t)
{
	if (t->ops->push)
		t->ops->push(t);
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

/* The values that store_run() must not be given. ld_lock held, or T is new. */
static void find_special(struct tty *t)
{
	unsigned long *map = t->special;

	bitmap_zero(map, 256);
	if (I_FLAG(t, ISTRIP))
		bitmap_set(map, 0x80, 0x80);
	if (I_FLAG(t, IUCLC))
		bitmap_set(map, 'A', 26);
	if (I_FLAG(t, PARMRK))
		__set_bit(0xff, map);
	if (I_FLAG(t, IGNCR) || I_FLAG(t, ICRNL))
		__set_bit('\r', map);
	if (I_FLAG(t, INLCR))
		__set_bit('\n', map);
	if (I_FLAG(t, IXON)) {
		__set_bit(CC(t, VSTART), map);
		__set_bit(CC(t, VSTOP), map);
		if (I_FLAG(t, IXANY))
			bitmap_fill(map, 256);
	}
	if (L_FLAG(t, ISIG)) {
		__set_bit(CC(t, VINTR), map);
		__set_bit(CC(t, VQUIT), map);
		__set_bit(CC(t, VSUSP), map);
	}
	if (L_FLAG(t, ICANON)) {
		static const u8 editing[] = { VERASE, VWERASE, VKILL, VLNEXT, VREPRINT, VEOF, VEOL, VEOL2 };

		__set_bit('\n', map);
		for (size_t i = 0; i < sizeof(editing); i++)
			__set_bit(CC(t, editing[i]), map);
	}
	if (L_FLAG(t, ECHO)) {		/* what does not echo as itself */
		bitmap_set(map, 0, ' ');
		__set_bit(0x7f, map);
	}
	t->all_plain = bitmap_empty(map, 256);
}

static void ring_put(struct tty *t, const u8 *buf, u32 n)
{
	u32 pos = t->read_head & MASK, first = min(n, TTY_READ_SIZE - pos);

	memcpy(t->read_buf + pos, buf, first);
	if (unlikely(n > first))
		memcpy(t->read_buf, buf + first, n - first);
	if (L_FLAG(t, ICANON)) {
		bitmap_clear(t->read_eol, pos, first);
		bitmap_clear(t->read_eol, 0, n - first);
	}
	WRITE_ONCE(t->read_head, t->read_head + n);
}

/* One place is kept for the byte that ends a line. */
static u32 input_room(struct tty *t)
{
	u32 used = t->read_head - t->read_tail;

	return used < TTY_READ_SIZE - 1 ? TTY_READ_SIZE - 1 - used : 0;
}

static void line_done(struct tty *t, u8 c)
{
	t->read_buf[t->read_head & MASK] = c;
	__set_bit(t->read_head & MASK, t->read_eol);
	t->read_head++;
	t->canon_head = t->read_head;
	WRITE_ONCE(t->canon_lines, t->canon_lines + 1);
	kill_fasync(&t->fasync, SIGIO, POLL_IN);
}

static void flush_input_locked(struct tty *t)
{
	WRITE_ONCE(t->read_tail, t->read_head);
	t->canon_head = t->read_head;
	WRITE_ONCE(t->canon_lines, 0);
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
	u8 twice[2] = { c, c };
	u32 n = I_FLAG(t, PARMRK) && c == 0xff ? 2 : 1;	/* a real 0xff is told from the mark */

	if (input_room(t) < n) {
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
	ring_put(t, twice, n);
}

/* N bytes that are stored and echoed as they are. */
static void store_run(struct tty *t, const u8 *buf, u32 n)
{
	u32 fits = min(n, input_room(t));

	if (fits && L_FLAG(t, ECHO)) {
		end_erase(t);
		if (t->canon_head == t->read_head)
			t->canon_column = t->column;
		mutex_lock(&t->out_lock);
		for (u32 i = 0; i < fits && t->echo_head - t->echo_tail < sizeof(t->echo_buf); i++)
			t->echo_buf[t->echo_head++ % sizeof(t->echo_buf)] = buf[i];
		mutex_unlock(&t->out_lock);
	}
	ring_put(t, buf, fits);
	while (fits++ < n && I_FLAG(t, IMAXBEL))
		echo_raw(t, '\a');
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

static void receive_run(struct tty *t, const u8 *buf, u32 n)
{
	for (u32 done = 0, run; done < n; done += run) {
		run = 0;
		if (t->all_plain)
			run = n - done;
		while (done + run < n && !test_bit(buf[done + run], t->special))
			run++;
		if (run && !t->lnext) {
			store_run(t, buf + done, run);
		} else {
			receive_char(t, buf[done]);
			run = 1;
		}
	}
}

static void receive_special(struct tty *t, u8 c, u8 flag)
{
	u8 marked[3] = { 0xff, 0, c };

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
	if (!I_FLAG(t, PARMRK)) {
		c = 0;
		if (input_room(t))
			ring_put(t, &c, 1);
	} else if (input_room(t) >= sizeof(marked)) {
		ring_put(t, marked, sizeof(marked));
	}
}

/* Also without ld_lock, for a look: the tail first, which never passes the head. */
static bool readable(struct tty *t, u32 min_chars)
{
	u32 tail;

	if (L_FLAG(t, ICANON))
		return READ_ONCE(t->canon_lines) > 0;
	tail = smp_load_acquire(&t->read_tail);
	return READ_ONCE(t->read_head) - tail >= max(min_chars, 1U);
}

/* How many bytes the ring can be given. What cannot be stored stays with the driver's side; a line that is too long, and whose end is
 * not there, still takes editing characters. */
static u32 input_wanted(struct tty *t, u32 n)
{
	u32 room = input_room(t);

	if (I_FLAG(t, PARMRK))
		room /= 3;		/* a byte may become as many */
	if (!room && L_FLAG(t, ICANON) && !t->canon_lines)
		return min(n, 1U);	/* the reserved place holds one end of line; bytes after it are dropped */
	return min(room, n);
}

/* Up to N bytes of the driver's, which all have *FLAG. */
static u32 take_flip(struct tty *t, u8 *buf, u32 n, u8 *flag, bool *unthrottle)
{
	u32 pos;

	*flag = TTY_NORMAL;
	spin_lock_irq(&t->flip_lock);
	pos = t->flip_tail % TTY_FLIP_SIZE;
	n = min3(n, t->flip_head - t->flip_tail, TTY_FLIP_SIZE - pos);
	if (!n)
		goto out;
	if (unlikely(t->flip_flagged)) {
		u32 same = 1;

		*flag = t->flip_flags[pos];
		while (same < n && t->flip_flags[pos + same] == *flag)
			same++;
		n = same;
	}
	memcpy(buf, t->flip + pos, n);
	WRITE_ONCE(t->flip_tail, t->flip_tail + n);
	if (t->flip_tail == t->flip_head)
		t->flip_flagged = false;
	*unthrottle |= t->flip_full;
	t->flip_full = false;
out:
	spin_unlock_irq(&t->flip_lock);
	return n;
}

void ld_input(struct tty *t)
{
	u8 buf[256], flag;
	bool unthrottle = false, came = false;
	u32 n;

	mutex_lock(&t->ld_lock);
	while ((n = input_wanted(t, sizeof(buf))) && (n = take_flip(t, buf, n, &flag, &unthrottle))) {
		came = true;
		if (likely(flag == TTY_NORMAL))
			receive_run(t, buf, n);
		else
			for (u32 i = 0; i < n; i++)
				receive_special(t, buf[i], flag);
	}
	if (came && readable(t, 1)) {
		wake_up_interruptible_poll(&t->read_wait, EPOLLIN | EPOLLRDNORM);
		if (!L_FLAG(t, ICANON))		/* else each line was told of */
			kill_fasync(&t->fasync, SIGIO, POLL_IN);
	}
	mutex_unlock(&t->ld_lock);
	ld_flush_echo(t);
	if (unthrottle && t->ops->unthrottle)
		t->ops->unthrottle(t);
}

/* Sends SIGIO for room to the owners of files on T whose last write was short, if there is room. */
static void tell_of_room(struct tty *t)
{
	if (!READ_ONCE(t->stopped) && t->ops->write_room(t) >= OUT_MOST && xchg(&t->wants_room, false))
		kill_fasync(&t->fasync, SIGIO, POLL_OUT);
}

void ld_input_work(struct work_struct *w)
{
	struct tty *t = container_of(w, struct tty, input_work);

	ld_input(t);
	if (unlikely(READ_ONCE(t->wants_room)))
		tell_of_room(t);
}

void ld_flush_input(struct tty *t)
{
	mutex_lock(&t->ld_lock);
	spin_lock_irq(&t->flip_lock);
	WRITE_ONCE(t->flip_tail, t->flip_head);
	t->flip_full = t->flip_flagged = false;
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
	find_special(t);
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

static void ring_take(struct tty *t, u8 *buf, u32 n)
{
	u32 pos = t->read_tail & MASK, first = min(n, TTY_READ_SIZE - pos);

	memcpy(buf, t->read_buf + pos, first);
	if (unlikely(n > first))
		memcpy(buf + first, t->read_buf, n - first);
	/* Pairs with readable(): who sees the tail sees a head that is not behind it. */
	smp_store_release(&t->read_tail, t->read_tail + n);
}

/* Up to N bytes of the first line into BUF, which there is one of. *ENDED: the line is over. ld_lock held. */
static size_t take_line(struct tty *t, u8 *buf, size_t n, bool *ended)
{
	u32 tail = t->read_tail & MASK;
	u32 end = (u32)find_next_bit(t->read_eol, TTY_READ_SIZE, tail);
	u32 data;
	bool eof;

	if (end == TTY_READ_SIZE)
		end = (u32)find_next_bit(t->read_eol, TTY_READ_SIZE, 0);
	data = (end - tail) & MASK;
	eof = !t->read_buf[end];	/* is not given out itself */
	/* A reader with exactly the line's room is not given an empty read for the end-of-file mark behind it. */
	*ended = data + !eof <= n;
	if (!*ended) {
		ring_take(t, buf, (u32)n);
		return n;
	}
	ring_take(t, buf, data + !eof);
	if (eof)
		smp_store_release(&t->read_tail, t->read_tail + 1);
	__clear_bit(end, t->read_eol);
	WRITE_ONCE(t->canon_lines, t->canon_lines - 1);
	return data + !eof;
}

static size_t take_raw(struct tty *t, u8 *buf, size_t n)
{
	n = min(n, (size_t)(t->read_head - t->read_tail));
	ring_take(t, buf, (u32)n);
	t->canon_head = t->read_head;
	return n;
}

struct read_state {
	ssize_t done;
	long timeout;
	u32 min;
	long inter_byte;	/* TIME with MIN > 0 */
	bool line_over, status;
};

/* Packet mode of a pty master: one byte in front, the status alone or 0 before data (ioctl_tty(2), TIOCPKT). 0, or -EFAULT. */
static int read_packet(struct tty *t, struct read_state *r, struct iter *to)
{
	u8 status;

	spin_lock_irq(&t->ctrl_lock);
	status = t->pkt_status;
	t->pkt_status = 0;
	spin_unlock_irq(&t->ctrl_lock);
	if (!status && !readable(t, 1))
		return 0;
	__set_current_state(TASK_RUNNING);
	if (copy_to_iter(&status, 1, to) != 1)
		return -EFAULT;
	r->status = status;
	r->done = 1;
	return 0;
}

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

		mutex_lock(&t->ld_lock);
		if (L_FLAG(t, ICANON))
			n = t->canon_lines ? take_line(t, buf, n, &r->line_over) : 0;
		else
			n = take_raw(t, buf, n);
		mutex_unlock(&t->ld_lock);
		if (n && copy_to_iter(buf, n, to) != n)
			return -EFAULT;
		r->done += (ssize_t)n;
		if (flip_has(t))		/* there may be room for it now */
			ld_input(t);
		if (!n)
			break;
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
	bool queued = false, drained = false;
	int e = t->is_pty_master ? 0 : tty_check_change(t, SIGTTIN);

	if (e || !iter_count(to))
		return e;
	read_setup(t, &r);
	for (;;) {
		if (queued)
			set_current_state(TASK_INTERRUPTIBLE);
		if (unlikely(t->packet) && !r.done) {
			e = read_packet(t, &r, to);
			if (e || r.status || (r.done && !iter_count(to)))
				break;
		}
		if (readable(t, 1)) {
			__set_current_state(TASK_RUNNING);
			e = read_some(t, &r, to);
			if (e || r.line_over || !iter_count(to) || (r.done && (L_FLAG(t, ICANON) || r.done >= (ssize_t)r.min)))
				break;
			continue;
		}
		if (tty_file_hung(f) || (t->packet && r.done))
			break;
		if (t->closed_other) {
			if (drained) {
				if (!r.done)
					e = t->is_pty_master ? -EIO : 0;
				break;
			}
			/* What the other side wrote before it closed is still read: also what somebody is working on. */
			__set_current_state(TASK_RUNNING);
			ld_input(t);
			drained = true;
			continue;
		}
		drained = false;
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
		if (!queued) {
			add_wait_queue(&t->read_wait, &w);
			queued = true;
			continue;
		}
		if (r.done && r.inter_byte) {
			if (!schedule_timeout(r.inter_byte) && !readable(t, 1))
				break;
		} else {
			r.timeout = schedule_timeout(r.timeout);
		}
	}
	if (queued) {
		__set_current_state(TASK_RUNNING);
		remove_wait_queue(&t->read_wait, &w);
	}
	return r.done ?: e;
}

/* ---- writing ---- */

/* As much of [buf, buf + n) as fits. out_lock taken here. */
static size_t write_some(struct tty *t, const u8 *buf, size_t n)
{
	size_t room;

	mutex_lock(&t->out_lock);
	room = t->ops->write_room(t);
	if (unlikely(t->echo_tail != t->echo_head))
		room = push_echo(t, room);
	n = put_bytes(t, buf, n, &room);
	mutex_unlock(&t->out_lock);
	return n;
}

#define WRITE_PIECE 2048	/* bytes that are written without a look for signals, as under Linux: programs that draw a screen rely on it */

/*
 * Is the write to end here for a signal? Asked also while there is room: the input queue takes any number of bytes beyond the longest line and drops
 * them, so a write to a pty's master might never wait.
 */
static bool signal_cuts(size_t *uncut)
{
	if (*uncut < WRITE_PIECE)
		return false;
	*uncut = 0;
	return signal_pending(current);
}

static bool write_dead(struct tty_file *f)
{
	struct tty *t = f->tty;

	return tty_file_hung(f) || (t->is_pty && t->closed_other && t->link);
}

ssize_t ld_write(struct tty_file *f, struct kiocb *k, struct iter *from)
{
	struct tty *t = f->tty;
	bool nonblock = (k->ki_filp->f_flags & O_NONBLOCK) || (k->ki_flags & IOCB_NOWAIT);
	DEFINE_WAIT_FUNC(w, default_wake_function);
	size_t have = 0, used = 0, uncut = 0;
	bool queued = false, pushed = true;
	ssize_t done = 0;
	u8 buf[512];
	int e = 0;

	if (L_FLAG(t, TOSTOP) && !t->is_pty_master)
		e = tty_check_change(t, SIGTTOU);
	if (e)
		return e;
	if (nonblock ? !mutex_trylock(&t->write_lock) : mutex_lock_interruptible(&t->write_lock))
		return nonblock ? -EAGAIN : -ERESTARTSYS;
	for (;;) {
		size_t n;

		if (write_dead(f)) {
			e = -EIO;
			break;
		}
		if (used == have) {
			if (!iter_count(from))
				break;
			if (signal_cuts(&uncut)) {
				e = -ERESTARTSYS;
				break;
			}
			cond_resched();
			have = copy_from_iter(buf, min(iter_count(from), sizeof(buf)), from);
			used = 0;
			if (!have) {
				e = -EFAULT;
				break;
			}
		}
		n = READ_ONCE(t->stopped) ? 0 : write_some(t, buf + used, have - used);
		if (n) {
			used += n;
			uncut += n;
			done += (ssize_t)n;
			pushed = false;
			continue;
		}
		if (!pushed) {
			tty_push(t);
			pushed = true;
			continue;	/* there may be room now */
		}
		if (nonblock) {
			e = -EAGAIN;
			break;
		}
		if (signal_pending(current)) {
			e = -ERESTARTSYS;
			break;
		}
		if (!queued) {
			add_wait_queue(&t->write_wait, &w);
			queued = true;
		}
		set_current_state(TASK_INTERRUPTIBLE);
		if (!write_dead(f) && (READ_ONCE(t->stopped) || t->ops->write_room(t) < OUT_MOST) && !signal_pending(current))
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	if (queued)
		remove_wait_queue(&t->write_wait, &w);
	if (!pushed)
		tty_push(t);
	if (have != used)
		iter_revert(from, have - used);
	if (unlikely(rcu_access_pointer(t->fasync)) && iter_count(from)) {
		WRITE_ONCE(t->wants_room, true);
		smp_mb();	/* tty_wakeup() comes after room was made, which may have been just now */
		tell_of_room(t);
	}
	mutex_unlock(&t->write_lock);
	return done ?: e;
}

u32 ld_poll(struct tty_file *f, struct file *file, struct poll_table_struct *p)
{
	struct tty *t = f->tty;
	u32 mask = 0, min;

	poll_wait(file, &t->read_wait, p);
	poll_wait(file, &t->write_wait, p);
	if (tty_file_hung(f))
		return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM;
	min = !CC(t, VTIME) && CC(t, VMIN) ? CC(t, VMIN) : 1;
	if (!readable(t, min) && flip_has(t))
		ld_input(t);
	if (readable(t, min))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (t->packet && READ_ONCE(t->pkt_status))
		mask |= EPOLLPRI | EPOLLIN | EPOLLRDNORM;
	if (t->closed_other)
		mask |= EPOLLHUP;
	if (!t->stopped && t->ops->write_room(t) > 0 && t->ops->chars_in_buffer(t) < 256)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}
