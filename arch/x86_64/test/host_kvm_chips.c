// SPDX-License-Identifier: MIT
/*
 * The 8259A pair, the I/O APIC and the 8254 of a guest, by what their data sheets say of each
 * register. sources: arch/x86_64/kvm_pic.c arch/x86_64/kvm_ioapic.c arch/x86_64/kvm_pit.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/kvm_ioapic.h"
#include "arch/x86_64/kvm_pic.h"
#include "arch/x86_64/kvm_pit.h"

#define CHECK(c) do {								\
	if (!(c)) {								\
		printf("%s:%d: %s does not hold\n", __FILE__, __LINE__, #c);	\
		exit(1);							\
	} } while (0)

/* ---- 8259A ---- */

static struct kvm_pic pic;

static void out(u16 port, u8 value)
{
	CHECK(kvm_pic_write(&pic, port, value));
}

static u8 in(u16 port)
{
	u8 value = 0;

	CHECK(kvm_pic_read(&pic, port, &value));
	return value;
}

/* As a PC's firmware does it: vectors from 20h and 28h on, nothing masked. MODE: ICW4. */
static void begin(u8 mode)
{
	kvm_pic_reset(&pic);
	out(0x20, 0x11);
	out(0x21, 0x20);
	out(0x21, 0x04);
	out(0x21, mode);
	out(0xa0, 0x11);
	out(0xa1, 0x28);
	out(0xa1, 0x02);
	out(0xa1, mode);
}

static void pulse(unsigned int irq)
{
	CHECK(kvm_pic_line(&pic, irq, true));
	CHECK(kvm_pic_line(&pic, irq, false));
}

static void test_pic_edges(void)
{
	begin(1);
	CHECK(!pic.output);
	CHECK(kvm_pic_acknowledge(&pic) == 0x27);	/* spurious */
	pulse(4);
	CHECK(pic.output);
	CHECK(!kvm_pic_line(&pic, 4, true));		/* one more edge of what is requested */
	kvm_pic_line(&pic, 4, false);
	pulse(3);
	CHECK(in(0x20) == 0x18);			/* IRR */
	CHECK(kvm_pic_acknowledge(&pic) == 0x23);
	CHECK(!pic.output);				/* 4 is below 3, which is in service */
	out(0x20, 0x0b);
	CHECK(in(0x20) == 0x08);			/* ISR */
	pulse(1);
	CHECK(pic.output && kvm_pic_acknowledge(&pic) == 0x21);
	CHECK(in(0x20) == 0x0a);
	pic.ended = 0;
	out(0x20, 0x20);
	CHECK(pic.ended == 0x02 && in(0x20) == 0x08 && !pic.output);
	out(0x20, 0x63);				/* the end of 3 by name */
	CHECK(pic.ended == 0x0a && in(0x20) == 0 && pic.output);
	CHECK(kvm_pic_acknowledge(&pic) == 0x24);
	out(0x21, 0x10);
	pulse(5);
	CHECK(!pic.output);
	out(0x20, 0x68);				/* special mask: what is masked bars none */
	CHECK(pic.output && kvm_pic_acknowledge(&pic) == 0x25);
	CHECK(in(0x21) == 0x10);
}

static void test_pic_slave_and_levels(void)
{
	begin(1);
	pulse(12);
	CHECK(pic.output && kvm_pic_acknowledge(&pic) == 0x2c);
	pulse(10);
	CHECK(!pic.output);		/* the master's input 2 is in service: fully nested */
	out(0x20, 0x20);
	CHECK(pic.output && kvm_pic_acknowledge(&pic) == 0x2a);
	begin(1);
	out(0x4d1, 0xff);
	CHECK(in(0x4d1) == 0xde);	/* 8 and 13 have edges only */
	CHECK(in(0x4d0) == 0);
	CHECK(kvm_pic_line(&pic, 11, true) && pic.output);
	CHECK(kvm_pic_acknowledge(&pic) == 0x2b);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	CHECK(pic.output);		/* still high */
	CHECK(kvm_pic_acknowledge(&pic) == 0x2b);
	kvm_pic_line(&pic, 11, false);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	CHECK(!pic.output);
	kvm_pic_line(&pic, 11, true);
	kvm_pic_line(&pic, 11, false);	/* gone before it was acknowledged: spurious, the slave's */
	CHECK(kvm_pic_acknowledge(&pic) == 0x2f && pic.chip[0].isr == 4 && !pic.chip[1].isr);
}

static void test_pic_modes(void)
{
	begin(3);			/* ends by themselves */
	pulse(6);
	CHECK(kvm_pic_acknowledge(&pic) == 0x26);
	out(0x20, 0x0b);
	CHECK(in(0x20) == 0 && pic.ended == 0x40);
	begin(1);
	out(0x20, 0xc4);		/* 5 is the highest now */
	pulse(1);
	pulse(6);
	CHECK(kvm_pic_acknowledge(&pic) == 0x26);
	out(0x20, 0xa0);		/* its end, and it becomes the lowest */
	CHECK(pic.chip[0].priority_add == 7);
	CHECK(kvm_pic_acknowledge(&pic) == 0x21);
	begin(1);
	pulse(7);
	out(0x20, 0x0c);
	CHECK(in(0x20) == 0x87 && in(0x20) == 0);	/* a poll acknowledges; then IRR again */
	CHECK(pic.chip[0].isr == 0x80);
	begin(1);
	kvm_pic_line(&pic, 3, true);
	out(0x20, 0x13);		/* ICW1 forgets it, and the level alone is no edge */
	out(0x21, 0x40);
	out(0x21, 0x01);
	CHECK(!pic.output && kvm_pic_line(&pic, 3, true) && !pic.output);
	kvm_pic_line(&pic, 3, false);
	kvm_pic_line(&pic, 3, true);
	CHECK(kvm_pic_acknowledge(&pic) == 0x43);
	CHECK(!kvm_pic_read(&pic, 0x22, &(u8){ 0 }) && !kvm_pic_write(&pic, 0x4d2, 0));
}

/* ---- I/O APIC ---- */

static struct kvm_message sent[8];
static unsigned int nr_sent;
static int answer = 1;

static int deliver(void *context, const struct kvm_message *m)
{
	CHECK(nr_sent < 8);
	sent[nr_sent++] = *m;
	return answer;
}

static struct kvm_ioapic ioapic = { .deliver = deliver };

static void set_entry(unsigned int pin, u64 e)
{
	kvm_ioapic_write(&ioapic, 0, 0x11 + 2 * pin);
	kvm_ioapic_write(&ioapic, 0x10, (u32)(e >> 32));
	kvm_ioapic_write(&ioapic, 0, 0x10 + 2 * pin);
	kvm_ioapic_write(&ioapic, 0x10, (u32)e);
}

static u32 indexed(u8 i)
{
	kvm_ioapic_write(&ioapic, 0x100, i);		/* repeats */
	CHECK(kvm_ioapic_read(&ioapic, 0) == i);
	return kvm_ioapic_read(&ioapic, 0x10);
}

static void test_ioapic_registers(void)
{
	kvm_ioapic_reset(&ioapic);
	CHECK(indexed(1) == 0x00170011 && indexed(0) == 0 && indexed(3) == 0);
	CHECK(indexed(0x10) == 0x10000 && indexed(0x3f) == 0 && indexed(0x40) == ~0U);
	kvm_ioapic_write(&ioapic, 0, 0);
	kvm_ioapic_write(&ioapic, 0x10, ~0U);
	CHECK(indexed(0) == 0x0f000000 && indexed(2) == 0x0f000000);
	set_entry(5, ~0ULL);
	CHECK(indexed(0x1a) == 0x0001afff && indexed(0x1b) == ~0U);
	CHECK(!nr_sent);
}

static void test_ioapic_inputs(void)
{
	kvm_ioapic_reset(&ioapic);
	CHECK(kvm_ioapic_line(&ioapic, 4, true) == -1);
	set_entry(4, 0x0300000000000831);
	CHECK(!nr_sent);				/* an edge under the mask is lost */
	CHECK(kvm_ioapic_line(&ioapic, 4, true) == 0);	/* no edge */
	CHECK(kvm_ioapic_line(&ioapic, 4, false) == 1);
	CHECK(kvm_ioapic_line(&ioapic, 4, true) == 1 && nr_sent == 1);
	CHECK(sent[0].dest == 3 && sent[0].vector == 0x31 && sent[0].logical && !sent[0].level);
	CHECK(sent[0].delivery == KVM_DELIVER_FIXED && !sent[0].wide);
	nr_sent = 0;
	CHECK(kvm_ioapic_line(&ioapic, 9, true) == -1);
	set_entry(9, 0xff00000000008142);		/* a level under the mask is not */
	CHECK(nr_sent == 1 && sent[0].level && sent[0].delivery == KVM_DELIVER_LOWEST);
	CHECK(indexed(0x22) == 0xc142);
	CHECK(kvm_ioapic_line(&ioapic, 9, true) == -1 && nr_sent == 1);
	CHECK(kvm_ioapic_ended(&ioapic, 0x31) == 0);
	CHECK(kvm_ioapic_ended(&ioapic, 0x42) == 1U << 9 && indexed(0x22) == 0x8142);
	kvm_ioapic_again(&ioapic, 1U << 9);
	CHECK(nr_sent == 2 && indexed(0x22) == 0xc142);
	kvm_ioapic_line(&ioapic, 9, false);
	kvm_ioapic_again(&ioapic, kvm_ioapic_ended(&ioapic, 0x42));
	CHECK(nr_sent == 2);
	set_entry(9, 0x4142);				/* remote IRR cannot be written */
	CHECK(indexed(0x22) == 0x142);
	nr_sent = 0;
	answer = -1;					/* nobody took it: it stays deliverable */
	set_entry(9, 0x8142);
	CHECK(kvm_ioapic_line(&ioapic, 9, true) == -1 && nr_sent == 1 && indexed(0x22) == 0x8142);
	answer = 1;
	kvm_ioapic_settle(&ioapic);
	CHECK(nr_sent == 2 && indexed(0x22) == 0xc142);
}

/* ---- 8254 ---- */

static struct kvm_pit pit;
#define START 5000000000ULL
#define TICKS(n) (START + ((n) * 1000000000ULL + 1193181) / 1193182)

static void pit_out(u16 port, u8 value, u64 now)
{
	bool fresh;

	CHECK(kvm_pit_write(&pit, port, value, now, &fresh));
}

static u8 pit_in(u16 port, u64 now)
{
	u8 value = 0;

	CHECK(kvm_pit_read(&pit, port, &value, now));
	return value;
}

static void set_counter(unsigned int n, unsigned int mode, u16 count)
{
	pit_out(0x43, (u8)(n << 6 | 0x30 | mode << 1), START);
	pit_out((u16)(0x40 + n), (u8)count, START);
	pit_out((u16)(0x40 + n), (u8)(count >> 8), START);
}

static unsigned int count_at(unsigned int n, u64 now)
{
	unsigned int low;

	pit_out(0x43, (u8)(n << 6), now);	/* latched: time goes on between the bytes */
	low = pit_in((u16)(0x40 + n), now + 1000000);
	return low | (unsigned int)pit_in((u16)(0x40 + n), now + 2000000) << 8;
}

static void test_pit_counts(void)
{
	kvm_pit_reset(&pit, START);
	CHECK(kvm_pit_next(&pit, START) == KVM_PIT_NEVER);
	set_counter(0, 2, 11932);
	CHECK(count_at(0, TICKS(0)) == 11932 && count_at(0, TICKS(11931)) == 1);
	CHECK(count_at(0, TICKS(11932)) == 11932 && count_at(0, TICKS(11932 * 5 + 7)) == 11925);
	CHECK(kvm_pit_next(&pit, START) == TICKS(11932));
	CHECK(kvm_pit_next(&pit, TICKS(11932) - 1) == TICKS(11932));
	CHECK(kvm_pit_next(&pit, TICKS(11932)) == TICKS(2 * 11932));
	CHECK(kvm_pit_next(&pit, TICKS(1000ULL * 11932)) == TICKS(1001ULL * 11932));
	set_counter(0, 3, 1000);
	CHECK(count_at(0, TICKS(100)) == 800 && count_at(0, TICKS(600)) == 800);
	set_counter(0, 0, 500);
	CHECK(count_at(0, TICKS(10)) == 490 && count_at(0, TICKS(510)) == 65526);
	CHECK(kvm_pit_next(&pit, START) == TICKS(500));
	CHECK(kvm_pit_next(&pit, TICKS(500)) == KVM_PIT_NEVER);
	set_counter(0, 4, 0);
	CHECK(kvm_pit_next(&pit, START) == TICKS(65537));
	set_counter(0, 1, 500);
	CHECK(kvm_pit_next(&pit, START) == KVM_PIT_NEVER);
	set_counter(0, 7, 500);					/* mode 3 by its other name */
	CHECK(pit.channel[0].mode == 3);
}

static void test_pit_bytes_and_status(void)
{
	bool fresh;

	kvm_pit_reset(&pit, START);
	pit_out(0x43, 0x14, START);				/* low byte, mode 2 */
	CHECK(kvm_pit_write(&pit, 0x40, 200, START, &fresh) && fresh);
	CHECK(pit_in(0x40, TICKS(50)) == 150 && pit_in(0x40, TICKS(60)) == 140);
	pit_out(0x43, 0x24, START);				/* high byte */
	pit_out(0x40, 2, START);
	CHECK(pit_in(0x40, TICKS(1)) == 1);
	pit_out(0x43, 0x34, START);				/* both */
	CHECK(kvm_pit_write(&pit, 0x40, 0x34, START, &fresh) && !fresh);
	CHECK(kvm_pit_write(&pit, 0x40, 0x12, START, &fresh) && fresh);
	CHECK(pit_in(0x40, TICKS(0x34)) == 0 && pit_in(0x40, TICKS(0x34)) == 0x12);
	pit_out(0x43, 0xe2, TICKS(1));				/* status of counter 0 */
	CHECK(pit_in(0x40, TICKS(2)) == 0xb4);
	pit_out(0x43, 0xc2, TICKS(0x1233));			/* both: status first; low */
	pit_out(0x43, 0x00, TICKS(0x2000)); /* latched already: nothing happens */
	CHECK(pit_in(0x40, START) == 0x34 && pit_in(0x40, START) == 1 && pit_in(0x40, START) == 0);
	CHECK(!pit_in(0x43, START) && !kvm_pit_read(&pit, 0x44, &(u8){ 0 }, START));
}

static void test_pit_gate(void)
{
	kvm_pit_reset(&pit, START);
	set_counter(2, 0, 1000);
	pit_out(0x61, 1, START);
	CHECK((pit_in(0x61, TICKS(999)) & 0x23) == 0x01);
	CHECK((pit_in(0x61, TICKS(1000)) & 0x23) == 0x21);
	set_counter(2, 1, 1000);
	CHECK((pit_in(0x61, TICKS(2000)) & 0x20) == 0x20);
	pit_out(0x61, 0, TICKS(2000));
	pit_out(0x61, 3, TICKS(2000));				/* a rising edge: anew */
	CHECK((pit_in(0x61, TICKS(2998)) & 0x23) == 0x03);
	CHECK((pit_in(0x61, TICKS(3001)) & 0x23) == 0x23);
	set_counter(2, 2, 10);
	CHECK((pit_in(0x61, TICKS(8)) & 0x20) && !(pit_in(0x61, TICKS(9)) & 0x20));
	CHECK(pit_in(0x61, TICKS(10)) & 0x20);
	set_counter(2, 3, 11);					/* odd: longer high than low */
	CHECK((pit_in(0x61, TICKS(5)) & 0x20) && !(pit_in(0x61, TICKS(6)) & 0x20));
	set_counter(2, 4, 10);
	CHECK(!(pit_in(0x61, TICKS(10)) & 0x20) && pit_in(0x61, TICKS(11)) & 0x20);
	CHECK((pit_in(0x61, 0) ^ pit_in(0x61, 15085)) == 0x10);
	memset(&pit, 0xff, sizeof(pit));
	kvm_pit_settle(&pit, START);
	CHECK(pit.channel[0].count == 0xffff && pit.channel[0].mode == 0);
	CHECK(kvm_pit_next(&pit, START) == TICKS(0xffff));
}

int main(void)
{
	test_pic_edges();
	test_pic_slave_and_levels();
	test_pic_modes();
	test_ioapic_registers();
	test_ioapic_inputs();
	test_pit_counts();
	test_pit_bytes_and_status();
	test_pit_gate();
	return 0;
}
