// SPDX-License-Identifier: MIT
/*
 * The 8259A pair (Intel's data sheet 231468; ELCR: 82371AB). A chip's priorities go round from
 * `priority_add`, the input that is highest. An input interrupts if it is requested, not masked,
 * and higher than all that are in service.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_pic.h"

#define CASCADE 2
#define SPURIOUS 7

static u8 bit(unsigned int input)
{
	return (u8)(1U << input);
}

/* How far behind the highest input the first one of MASK is; 8: MASK is empty. */
static unsigned int first_of(const struct kvm_pic_state *c, u8 mask)
{
	unsigned int n = 0;

	while (n < 8 && !(mask & bit((n + c->priority_add) & 7)))
		n++;
	return n;
}

/* The input that C interrupts for, or -1. */
static int pending(const struct kvm_pic *p, const struct kvm_pic_state *c)
{
	unsigned int wants = first_of(c, c->irr & (u8)~c->imr);
	u8 busy = c->isr;

	if (c->special_mask)
		busy &= (u8)~c->imr;
	if (c->special_fully_nested_mode && c == &p->chip[0])
		busy &= (u8)~bit(CASCADE);
	return wants < first_of(c, busy) ? (int)((wants + c->priority_add) & 7) : -1;
}

static bool set_input(struct kvm_pic_state *c, unsigned int input, bool level)
{
	u8 b = bit(input);
	bool fresh = true;

	if (c->elcr & b) {
		fresh = !level || !(c->irr & b);
		c->irr = level ? c->irr | b : c->irr & (u8)~b;
	} else if (level && !(c->last_irr & b)) {
		fresh = !(c->irr & b);
		c->irr |= b;
	}
	c->last_irr = level ? c->last_irr | b : c->last_irr & (u8)~b;
	return fresh;
}

/* The slave's output is the master's input, which sees each change of it as an edge. */
void kvm_pic_settle(struct kvm_pic *p)
{
	if (pending(p, &p->chip[1]) >= 0) {
		set_input(&p->chip[0], CASCADE, true);
		set_input(&p->chip[0], CASCADE, false);
	}
	p->output = pending(p, &p->chip[0]) >= 0;
}

bool kvm_pic_line(struct kvm_pic *p, unsigned int irq, bool level)
{
	bool fresh = set_input(&p->chip[irq >> 3 & 1], irq & 7, level);

	kvm_pic_settle(p);
	return fresh;
}

static void end(struct kvm_pic *p, struct kvm_pic_state *c, unsigned int input)
{
	c->isr &= (u8)~bit(input);
	p->ended |= (u16)(1U << (input + (c == &p->chip[1] ? 8 : 0)));
}

static void serve(struct kvm_pic *p, struct kvm_pic_state *c, unsigned int input)
{
	c->isr |= bit(input);
	if (!(c->elcr & bit(input)))
		c->irr &= (u8)~bit(input);
	if (!c->auto_eoi)
		return;
	if (c->rotate_on_auto_eoi)
		c->priority_add = (input + 1) & 7;
	end(p, c, input);
}

u8 kvm_pic_acknowledge(struct kvm_pic *p)
{
	struct kvm_pic_state *c = &p->chip[0];
	int input = pending(p, c);

	if (input >= 0)
		serve(p, c, (unsigned int)input);
	if (input == CASCADE) {
		c = &p->chip[1];
		input = pending(p, c);
		if (input >= 0)
			serve(p, c, (unsigned int)input);
	}
	kvm_pic_settle(p);
	return (u8)(c->irq_base + (input >= 0 ? input : SPURIOUS));
}

/* ---- registers ---- */

/* ICW1. Edges before it are forgotten: an input that is high has to rise anew. */
static void begin(struct kvm_pic_state *c, u8 value)
{
	c->init4 = value & 1;
	c->irr &= c->elcr;
	c->isr = 0;
	c->imr = 0;
	c->priority_add = 0;
	c->special_mask = 0;
	c->read_reg_select = 0;
	c->poll = 0;
	if (!c->init4) {
		c->special_fully_nested_mode = 0;
		c->auto_eoi = 0;
	}
	c->init_state = 1;
}

/* OCW2: ends of service and rotation. */
static void end_or_rotate(struct kvm_pic *p, struct kvm_pic_state *c, u8 value)
{
	unsigned int input = value & 7, command = value >> 5, first;

	switch (command) {
	case 0:
	case 4:
		c->rotate_on_auto_eoi = command == 4;
		return;
	case 1:
	case 5:
		first = first_of(c, c->isr);
		if (first == 8)
			return;
		input = (first + c->priority_add) & 7;
		end(p, c, input);
		break;
	case 3:
	case 7:
		end(p, c, input);
		break;
	case 2:
		return;
	}
	if (command >= 5)
		c->priority_add = (input + 1) & 7;
}

static void write_command(struct kvm_pic *p, struct kvm_pic_state *c, u8 value)
{
	if (value & 0x10) {
		begin(c, value);
	} else if (value & 0x08) {
		c->poll = value >> 2 & 1;
		if (value & 0x02)
			c->read_reg_select = value & 1;
		if (value & 0x40)
			c->special_mask = value >> 5 & 1;
	} else {
		end_or_rotate(p, c, value);
	}
}

static void write_data(struct kvm_pic_state *c, u8 value)
{
	switch (c->init_state) {
	case 1:
		c->irq_base = value & 0xf8;
		c->init_state = 2;
		break;
	case 2:
		c->init_state = c->init4 ? 3 : 0;
		break;
	case 3:
		c->special_fully_nested_mode = value >> 4 & 1;
		c->auto_eoi = value >> 1 & 1;
		c->init_state = 0;
		break;
	default:
		c->imr = value;
	}
}

/* A poll is an acknowledgement that names the input. */
static u8 poll(struct kvm_pic *p, struct kvm_pic_state *c)
{
	int input = pending(p, c);

	c->poll = 0;
	if (input < 0)
		return 0;
	serve(p, c, (unsigned int)input);
	kvm_pic_settle(p);
	return (u8)(0x80 | input);
}

static struct kvm_pic_state *chip_of(struct kvm_pic *p, u16 port)
{
	switch (port) {
	case 0x20:
	case 0x21:
	case 0x4d0:
		return &p->chip[0];
	case 0xa0:
	case 0xa1:
	case 0x4d1:
		return &p->chip[1];
	}
	return NULL;
}

bool kvm_pic_read(struct kvm_pic *p, u16 port, u8 *value)
{
	struct kvm_pic_state *c = chip_of(p, port);

	if (!c)
		return false;
	if (port >> 8)
		*value = c->elcr;
	else if (c->poll)
		*value = poll(p, c);
	else if (port & 1)
		*value = c->imr;
	else
		*value = c->read_reg_select ? c->isr : c->irr;
	return true;
}

bool kvm_pic_write(struct kvm_pic *p, u16 port, u8 value)
{
	struct kvm_pic_state *c = chip_of(p, port);

	if (!c)
		return false;
	if (port >> 8)
		c->elcr = value & c->elcr_mask;
	else if (port & 1)
		write_data(c, value);
	else
		write_command(p, c, value);
	kvm_pic_settle(p);
	return true;
}

/* Inputs of the timer, the keyboard, the cascade, the clock and the coprocessor have edges only. */
void kvm_pic_reset(struct kvm_pic *p)
{
	memset(p, 0, sizeof(*p));
	p->chip[0].elcr_mask = 0xf8;
	p->chip[1].elcr_mask = 0xde;
}
