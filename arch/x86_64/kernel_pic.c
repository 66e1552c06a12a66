// SPDX-License-Identifier: MIT
/*
 * A PC without a local APIC: interrupts come through the pair of 8259A controllers, the deadline timer is channel 0 of the 8254.
 * There is one CPU, no IOAPIC is used and nobody takes messages. Intel 8259A and 8254 data sheets; the ELCR is that of EISA and PCI.
 */
#include <arch/irq.h>
#include <arch/io.h>
#include <arch/clock.h>
#include <arch/irqflags.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <lib/minmax.h>
#include "arch/x86_64/x86_priv.h"

#define PIC1 0x20
#define PIC2 0xa0
#define CASCADE 2			/* the line of the first on which the second comes */
#define READ_ISR 0x0b
#define EOI_OF(n) (0x60 | (n))
#define ELCR 0x4d0
#define PIT_CH0 0x40
#define PIT_MODE 0x43
#define PIT_HZ 1193182ULL
#define COUNT_DOWN 0x30			/* channel 0, both bytes, mode 0: an interrupt when the count ends, then quiet */

bool x86_pic_mode __ro_after_init;
static u16 masked = 0xffff;		/* interrupts off; one CPU */

static u16 port_of(unsigned int line)
{
	return line < 8 ? PIC1 : PIC2;
}

static void write_masks(void)
{
	outb((u8)masked, PIC1 + 1);
	outb((u8)(masked >> 8), PIC2 + 1);
}

/* Both masked but for the cascade, their vectors moved off the exceptions. */
void __init x86_pic_init(u8 vector)
{
	outb(0x11, PIC1);
	outb(0x11, PIC2);
	outb(vector, PIC1 + 1);
	outb(vector + 8, PIC2 + 1);
	outb(1 << CASCADE, PIC1 + 1);
	outb(CASCADE, PIC2 + 1);
	outb(1, PIC1 + 1);
	outb(1, PIC2 + 1);
	if (x86_pic_mode)
		masked &= (u16)~(1U << CASCADE);
	write_masks();
}

bool x86_pic_is_level(unsigned int line)
{
	return inb((u16)(ELCR + line / 8)) >> (line & 7) & 1;
}

void x86_pic_mask(unsigned int line, bool mask)
{
	unsigned long flags = arch_irq_save();

	masked = (u16)(mask ? masked | 1U << line : masked & ~(1U << line));
	write_masks();
	arch_irq_restore(flags);
}

/* False: it was gone when the CPU asked for it, and is told as the last line of its controller (8259A, "spurious"). */
bool x86_pic_claimed(unsigned int line)
{
	u16 port = port_of(line);

	if ((line & 7) != 7)
		return true;
	outb(READ_ISR, port);
	if (inb(port) & 0x80)
		return true;
	if (port == PIC2)
		outb(EOI_OF(CASCADE), PIC1);		/* to the first it was one */
	return false;
}

void x86_pic_eoi(unsigned int line)
{
	if (line >= 8) {
		outb(EOI_OF(line & 7), PIC2);
		outb(EOI_OF(CASCADE), PIC1);
	} else {
		outb((u8)EOI_OF(line), PIC1);
	}
}

static void count_from(u16 ticks)
{
	outb(COUNT_DOWN, PIT_MODE);
	outb((u8)ticks, PIT_CH0);
	outb((u8)(ticks >> 8), PIT_CH0);
}

static u16 read_count(void)
{
	u8 low;

	outb(0, PIT_MODE);		/* latch channel 0 */
	low = inb(PIT_CH0);
	return (u16)(low | inb(PIT_CH0) << 8);
}

void __init x86_pit_init(void)
{
	unsigned int tries = 100000;
	u16 first;

	count_from(0xffff);
	first = read_count();
	while (read_count() == first)
		if (!--tries)
			panic("timer: this machine has neither a local APIC nor an 8254, one of which this kernel needs");
	outb(COUNT_DOWN, PIT_MODE);
	x86_pic_mask(0, false);
}

/* What lies beyond the counter's 55 ms comes early; timer_interrupt() asks again. */
void x86_pit_set_deadline(u64 deadline_ns)
{
	u64 now, delta;

	if (deadline_ns == U64_MAX) {
		outb(COUNT_DOWN, PIT_MODE);		/* it waits for a count */
		return;
	}
	now = arch_clock_ns();
	delta = deadline_ns > now ? min(deadline_ns - now, (u64)NSEC_PER_SEC) : 0;
	count_from((u16)min(delta * PIT_HZ / NSEC_PER_SEC + 1, (u64)0xffff));
}
