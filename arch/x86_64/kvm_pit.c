// SPDX-License-Identifier: MIT
/*
 * The 8254 (Intel 231164): three counters that count down at 1,193,182 Hz. Nothing runs: a count
 * and an output follow from the time that has passed since the count was loaded.
 */
#include <lib/string.h>
#include "arch/x86_64/kvm_pit.h"

#define FREQUENCY 1193182U
#define SECOND 1000000000U
#define MODE_PORT 3

/* rw_mode, read_state, write_state: which byte comes next */
#define LOW 1
#define HIGH 2
#define WORD_LOW 3
#define WORD_HIGH 4

/* A * B / C without an overflow of the product, for B and C below 2^31. */
static u64 mul_div(u64 a, u32 b, u32 c)
{
	return a / c * b + a % c * b / c;
}

static u64 ticks_since_load(const struct kvm_pit_channel_state *c, u64 now)
{
	u64 loaded = (u64)c->count_load_time;

	return now <= loaded ? 0 : mul_div(now - loaded, FREQUENCY, SECOND);
}

/* The time of tick N, the first nanosecond at which ticks_since_load() answers it. */
static u64 time_of_tick(const struct kvm_pit_channel_state *c, u64 n)
{
	u64 t = mul_div(n, SECOND, FREQUENCY);

	if (mul_div(t, FREQUENCY, SECOND) < n)
		t++;
	return (u64)c->count_load_time + t;
}

static u16 count_now(const struct kvm_pit_channel_state *c, u64 now)
{
	u64 d = ticks_since_load(c, now);
	u32 n;

	switch (c->mode) {
	case 2:
		n = c->count - (u32)(d % c->count);
		break;
	case 3:
		n = c->count - (u32)(2 * d % c->count);
		break;
	default:
		n = (u32)(c->count - d);
	}
	return (u16)n;
}

static bool output_now(const struct kvm_pit_channel_state *c, u64 now)
{
	u64 d = ticks_since_load(c, now);

	switch (c->mode) {
	case 0:
		return d >= c->count;
	case 1:
		return d >= c->count;
	case 2:
		return d % c->count != c->count - 1;	/* low for one tick, the count's last */
	case 3:
		return d % c->count < (c->count + 1) / 2;
	default:
		return d != c->count;		/* 4, 5: low for one tick */
	}
}

u64 kvm_pit_next(const struct kvm_pit *p, u64 after)
{
	const struct kvm_pit_channel_state *c = &p->channel[0];
	u64 period = c->count, at;

	if (!c->count_load_time)
		return KVM_PIT_NEVER;
	switch (c->mode) {
	case 2:
	case 3:
		return time_of_tick(c, (ticks_since_load(c, after) / period + 1) * period);
	case 0:
	case 4:
		at = time_of_tick(c, c->mode ? period + 1 : period);
		return at > after ? at : KVM_PIT_NEVER;
	}
	return KVM_PIT_NEVER;		/* started by the gate's edge, which counter 0 never has */
}

static void load(struct kvm_pit_channel_state *c, u32 count, u64 now)
{
	c->count = count ? count : 0x10000;
	c->count_load_time = (s64)now;
}

static void latch_count(struct kvm_pit_channel_state *c, u64 now)
{
	if (c->count_latched)
		return;
	c->latched_count = count_now(c, now);
	c->count_latched = c->rw_mode;
}

static void latch_status(struct kvm_pit_channel_state *c, u64 now)
{
	if (c->status_latched)
		return;
	c->status = (u8)(output_now(c, now) << 7 | (c->rw_mode & 3) << 4 | c->mode << 1 | c->bcd);
	c->status_latched = 1;
}

static void write_mode(struct kvm_pit *p, u8 value, u64 now)
{
	unsigned int n = value >> 6, rw = value >> 4 & 3;
	struct kvm_pit_channel_state *c;

	if (n == 3) {			/* read back */
		for (n = 0; n < 3; n++) {
			if (!(value & 2U << n))
				continue;
			if (!(value & 0x20))
				latch_count(&p->channel[n], now);
			if (!(value & 0x10))
				latch_status(&p->channel[n], now);
		}
		return;
	}
	c = &p->channel[n];
	if (!rw) {
		latch_count(c, now);
		return;
	}
	c->rw_mode = c->read_state = c->write_state = (u8)rw;
	c->mode = value >> 1 & 7;
	if (c->mode > 5)
		c->mode -= 4;
	c->bcd = value & 1;
	c->count_latched = c->status_latched = 0;
}

/* True: a whole count was written. */
static bool write_count(struct kvm_pit_channel_state *c, u8 value, u64 now)
{
	switch (c->write_state) {
	case HIGH:
		load(c, (u32)value << 8, now);
		return true;
	case WORD_LOW:
		c->write_latch = value;
		c->write_state = WORD_HIGH;
		return false;
	case WORD_HIGH:
		load(c, (u32)value << 8 | c->write_latch, now);
		c->write_state = WORD_LOW;
		return true;
	default:
		load(c, value, now);
		return true;
	}
}

static u8 read_latched(struct kvm_pit_channel_state *c)
{
	u8 which = c->count_latched;

	c->count_latched = which == WORD_LOW ? HIGH : 0;
	return (u8)(which == HIGH ? c->latched_count >> 8 : c->latched_count);
}

static u8 read_count(struct kvm_pit_channel_state *c, u64 now)
{
	u16 n;

	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (c->count_latched)
		return read_latched(c);
	n = count_now(c, now);
	switch (c->read_state) {
	case HIGH:
		return (u8)(n >> 8);
	case WORD_LOW:
		c->read_state = WORD_HIGH;
		return (u8)n;
	case WORD_HIGH:
		c->read_state = WORD_LOW;
		return (u8)(n >> 8);
	}
	return (u8)n;
}

/* The gate of counter 2: in modes 1, 2, 3 and 5 its rising edge starts the count anew. */
static void write_gate(struct kvm_pit *p, u8 value, u64 now)
{
	struct kvm_pit_channel_state *c = &p->channel[2];
	u8 gate = value & 1;

	p->speaker = value >> 1 & 1;
	if (gate && !c->gate && c->mode != 0 && c->mode != 4)
		c->count_load_time = (s64)now;
	c->gate = gate;
}

bool kvm_pit_read(struct kvm_pit *p, u16 port, u8 *value, u64 now)
{
	const struct kvm_pit_channel_state *c = &p->channel[2];

	if (port == 0x61)	/* bit 4: the refresh, which toggles every 15 us */
		*value = (u8)(c->gate | p->speaker << 1 | (now / 15085 & 1) << 4 |
			      output_now(c, now) << 5);
	else if (port == 0x40 + MODE_PORT)
		*value = 0;		/* cannot be read */
	else if (port >= 0x40 && port < 0x40 + MODE_PORT)
		*value = read_count(&p->channel[port - 0x40], now);
	else
		return false;
	return true;
}

bool kvm_pit_write(struct kvm_pit *p, u16 port, u8 value, u64 now, bool *fresh)
{
	*fresh = false;
	if (port == 0x61)
		write_gate(p, value, now);
	else if (port == 0x40 + MODE_PORT)
		write_mode(p, value, now);
	else if (port >= 0x40 && port < 0x40 + MODE_PORT)
		*fresh = write_count(&p->channel[port - 0x40], value, now) && port == 0x40;
	else
		return false;
	return true;
}

void kvm_pit_settle(struct kvm_pit *p, u64 now)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct kvm_pit_channel_state *c = &p->channel[i];

		if (c->mode > 5)
			c->mode = 0;
		c->bcd &= 1;
		c->gate &= 1;
		c->rw_mode &= 3;
		c->count_latched = c->count_latched > WORD_LOW ? 0 : c->count_latched;
		c->read_state = c->read_state > WORD_HIGH ? 0 : c->read_state;
		c->write_state = c->write_state > WORD_HIGH ? 0 : c->write_state;
		load(c, c->count & 0xffff, now);
	}
}

/* As a PC's firmware finds it: each counter in mode 3, with its longest count, counter 2 gated. */
void kvm_pit_reset(struct kvm_pit *p, u64 now)
{
	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < 3; i++) {
		p->channel[i].mode = 3;
		p->channel[i].gate = i != 2;
		load(&p->channel[i], 0, now);
	}
	p->channel[0].count_load_time = 0;	/* nothing interrupts before it is set */
}
