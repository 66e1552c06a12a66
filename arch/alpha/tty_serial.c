// SPDX-License-Identifier: MIT
/*
 * The two serial ports of the machine's Super I/O (16550s at the PC's addresses): ttyS0 and ttyS1. In C, because there is no Rust on this CPU; it does
 * what drivers/tty/ns16550.rs does.
 *
 * Sending: bytes wait in a ring; while it holds any the transmitter-empty interrupt is on and moves 16 at a time. Receiving: the interrupt
 * empties the FIFO into the terminal layer. One lock for both, taken with interrupts off.
 */
#include <arch/io.h>
#include <arch/irq.h>
#include <abi/errno.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include <lib/kdev.h>
#include <lib/minmax.h>
#include <tty/tty.h>

#define NR_PORTS 2
#define RING 4096U		/* bytes; not a page */
#define FIFO 16
#define CLOCK 115200U
#define PASSES 256		/* of one interrupt; a broken device that never stops asking is left after a while */

enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
#define IER_RX 0x01
#define IER_TX 0x02
#define IER_LINE 0x04
#define LSR_READY 0x01
#define LSR_PARITY 0x04
#define LSR_FRAME 0x08
#define LSR_BREAK 0x10
#define LSR_THR_EMPTY 0x20
#define LSR_ALL_SENT 0x40
#define LCR_DLAB 0x80
#define LCR_BREAK 0x40
#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT2 0x08

struct uart {
	u16 base;		/* c, as are name and isa */
	u8 isa;
	const char *name;
	struct tty *tty;	/* c, once it is registered */
	spinlock_t lock;	/* irq-safe; guards the rest, and the registers */
	u8 ier, lcr, mcr;
	bool receiving;
	u32 head, tail;		/* counted without wrapping */
	u8 ring[RING];
};

static struct uart uarts[NR_PORTS] = {
	{ .base = 0x3f8, .isa = 4, .name = "ttyS0" }, { .base = 0x2f8, .isa = 3, .name = "ttyS1" },
};

static u8 reg_read(const struct uart *u, u16 reg)
{
	return inb((u16)(u->base + reg));
}

static void reg_write(const struct uart *u, u16 reg, u8 v)
{
	outb(v, (u16)(u->base + reg));
}

/* Is a UART there? Its scratch register keeps what is written, and its interrupt enable has four bits. */
static bool __init probe(const struct uart *u)
{
	u8 ier;

	reg_write(u, IER, 0xff);
	ier = reg_read(u, IER);
	reg_write(u, IER, 0);
	reg_write(u, SCR, 0x5a);
	return ier == 0x0f && reg_read(u, SCR) == 0x5a;
}

static void set_ier(struct uart *u, u8 ier)
{
	if (ier != u->ier)
		reg_write(u, IER, ier);
	u->ier = ier;
}

/* Moves what fits into the FIFO. True when the ring has drained to where writers are worth waking. */
static bool feed(struct uart *u)
{
	u32 before = u->head - u->tail;

	if (reg_read(u, LSR) & LSR_THR_EMPTY)
		for (int i = 0; i < FIFO && u->head != u->tail; i++)
			reg_write(u, DATA, u->ring[u->tail++ % RING]);
	set_ier(u, (u8)(u->head != u->tail ? u->ier | IER_TX : u->ier & ~IER_TX));
	return before >= RING / 2 && u->head - u->tail < RING / 2;
}

static void receive(struct uart *u)
{
	u8 bytes[64], flags[64], lsr;
	size_t n = 0;

	while (n < sizeof(bytes) && (lsr = reg_read(u, LSR)) & LSR_READY) {
		flags[n] = lsr & LSR_BREAK ? TTY_BREAK : lsr & LSR_PARITY ? TTY_PARITY : lsr & LSR_FRAME ? TTY_FRAME : TTY_NORMAL;
		bytes[n++] = reg_read(u, DATA);
	}
	if (n && u->receiving && u->tty)
		tty_insert(u->tty, bytes, flags, n);
}

static irqreturn_t interrupt(int irq, void *dev)
{
	struct uart *u = dev;
	irqreturn_t ours = IRQ_NONE;
	bool wake = false;
	unsigned long f;

	spin_lock_irqsave(&u->lock, f);
	for (int i = 0; i < PASSES; i++) {
		u8 iir = reg_read(u, IIR_FCR);

		if (iir & 1)
			break;
		ours = IRQ_HANDLED;
		switch (iir & 0x0e) {
		case 0x04:
		case 0x0c:
		case 0x06:
			receive(u);
			break;
		case 0x02:
			wake |= feed(u);
			break;
		default:
			reg_read(u, MSR);
		}
	}
	spin_unlock_irqrestore(&u->lock, f);
	if (wake && u->tty)
		tty_wakeup(u->tty);
	return ours;
}

static int serial_open(struct tty *t)
{
	struct uart *u = t->driver_data;

	spin_lock_irq(&u->lock);
	reg_write(u, IIR_FCR, 0x07);		/* FIFOs on and empty, interrupt at one byte */
	u->receiving = true;
	u->mcr = MCR_DTR | MCR_RTS | MCR_OUT2;
	reg_write(u, MCR, u->mcr);
	set_ier(u, (u8)(u->ier | IER_RX | IER_LINE));
	spin_unlock_irq(&u->lock);
	return 0;
}

static void serial_close(struct tty *t)
{
	struct uart *u = t->driver_data;

	spin_lock_irq(&u->lock);
	u->receiving = false;
	set_ier(u, u->ier & IER_TX);
	spin_unlock_irq(&u->lock);
}

static size_t serial_write(struct tty *t, const u8 *buf, size_t n)
{
	struct uart *u = t->driver_data;
	unsigned long f;

	spin_lock_irqsave(&u->lock, f);
	n = min(n, (size_t)(RING - (u->head - u->tail)));
	for (size_t i = 0; i < n; i++)
		u->ring[u->head++ % RING] = buf[i];
	feed(u);
	spin_unlock_irqrestore(&u->lock, f);
	return n;
}

static size_t serial_write_room(struct tty *t)
{
	struct uart *u = t->driver_data;
	unsigned long f;
	size_t n;

	spin_lock_irqsave(&u->lock, f);
	n = RING - (u->head - u->tail);
	spin_unlock_irqrestore(&u->lock, f);
	return n;
}

static size_t serial_pending(struct tty *t)
{
	struct uart *u = t->driver_data;
	unsigned long f;
	size_t n;

	spin_lock_irqsave(&u->lock, f);
	n = u->head - u->tail + !(reg_read(u, LSR) & LSR_ALL_SENT);
	spin_unlock_irqrestore(&u->lock, f);
	return n;
}

static void serial_flush(struct tty *t)
{
	struct uart *u = t->driver_data;
	unsigned long f;

	spin_lock_irqsave(&u->lock, f);
	u->tail = u->head;
	spin_unlock_irqrestore(&u->lock, f);
}

static void serial_settings(struct tty *t, const struct ktermios *old)
{
	struct uart *u = t->driver_data;
	u32 c = t->termios.c_cflag, baud = t->termios.c_ospeed, divisor;

	spin_lock_irq(&u->lock);
	u->receiving = c & CREAD;
	u->lcr = (u8)((c & CSIZE) == CS8 ? 3 : (c & CSIZE) == CS7 ? 2 : (c & CSIZE) == CS6 ? 1 : 0);
	u->lcr |= (u8)((c & CSTOPB ? 0x04 : 0) | (c & PARENB ? c & PARODD ? 0x08 : 0x18 : 0));
	if (baud) {
		divisor = clamp(CLOCK / baud, 1U, 0xffffU);
		reg_write(u, LCR, u->lcr | LCR_DLAB);
		reg_write(u, DATA, (u8)divisor);
		reg_write(u, IER, (u8)(divisor >> 8));
		reg_write(u, LCR, u->lcr);
		reg_write(u, IER, u->ier);
	} else {
		u->mcr &= (u8)~(MCR_DTR | MCR_RTS);	/* B0 hangs up */
		reg_write(u, MCR, u->mcr);
	}
	spin_unlock_irq(&u->lock);
}

static int serial_break(struct tty *t, bool on)
{
	struct uart *u = t->driver_data;

	spin_lock_irq(&u->lock);
	u->lcr = (u8)(on ? u->lcr | LCR_BREAK : u->lcr & ~LCR_BREAK);
	reg_write(u, LCR, u->lcr);
	spin_unlock_irq(&u->lock);
	return 0;
}

static int serial_modem(struct tty *t)
{
	struct uart *u = t->driver_data;
	u8 msr, mcr;

	spin_lock_irq(&u->lock);
	msr = reg_read(u, MSR);
	mcr = u->mcr;
	spin_unlock_irq(&u->lock);
	return (msr & 0x10 ? TIOCM_CTS : 0) | (msr & 0x20 ? TIOCM_DSR : 0) | (msr & 0x40 ? TIOCM_RI : 0) | (msr & 0x80 ? TIOCM_CD : 0) |
	       (mcr & MCR_DTR ? TIOCM_DTR : 0) | (mcr & MCR_RTS ? TIOCM_RTS : 0);
}

static int serial_set_modem(struct tty *t, unsigned int set, unsigned int clear)
{
	struct uart *u = t->driver_data;
	u8 on = (u8)((set & TIOCM_DTR ? MCR_DTR : 0) | (set & TIOCM_RTS ? MCR_RTS : 0));
	u8 off = (u8)((clear & TIOCM_DTR ? MCR_DTR : 0) | (clear & TIOCM_RTS ? MCR_RTS : 0));

	spin_lock_irq(&u->lock);
	u->mcr = (u8)((u->mcr & ~off) | on);
	reg_write(u, MCR, u->mcr);
	spin_unlock_irq(&u->lock);
	return 0;
}

static const struct tty_ops serial_ops = {
	.open = serial_open, .close = serial_close, .write = serial_write, .write_room = serial_write_room,
	.chars_in_buffer = serial_pending, .flush_buffer = serial_flush, .set_termios = serial_settings, .break_ctl = serial_break,
	.tiocmget = serial_modem, .tiocmset = serial_set_modem,
};

static int __init add(unsigned int i)
{
	struct uart *u = &uarts[i];
	unsigned int flags, gsi = arch_isa_to_gsi(u->isa, &flags);
	int irq = arch_irq_map_gsi(gsi, flags), err;

	spin_lock_init(&u->lock);
	u->lcr = 3;
	if (irq < 0)
		return irq;
	err = request_irq(irq, interrupt, 0, u->name, u);
	if (err)
		return err;
	u->tty = tty_alloc(&serial_ops, u->name, MKDEV(4, 64 + i), u);
	if (!u->tty)
		return -ENOMEM;
	err = tty_register(u->tty);
	if (err)
		return err;
	tty_offer_console(u->tty, i == 0);
	pr_info("serial: %s at port %#x, irq %d\n", u->name, u->base, irq);
	return 0;
}

static int __init serial_init(void)
{
	for (unsigned int i = 0; i < NR_PORTS; i++)
		if (probe(&uarts[i])) {
			int err = add(i);

			if (err)
				return err;
		}
	return 0;
}
INITCALL(device, serial_init);
