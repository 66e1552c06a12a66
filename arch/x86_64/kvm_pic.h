/* SPDX-License-Identifier: MIT */
/*
 * The two 8259A interrupt controllers of a PC, one behind input 2 of the other, with the registers
 * of edge or level (ELCR) beside them. Pure: the caller excludes others.
 */
#pragma once

#include <lib/types.h>
#include <linux/kvm.h>

struct kvm_pic {
	struct kvm_pic_state chip[2];	/* the master, the slave; as KVM_GET_IRQCHIP has them */
	bool output;			/* the master asks for an acknowledgement */
	/*
	 * Inputs, 0 to 15, whose service ended since the caller looked and cleared it: those of
	 * devices that keep an input high until then look again.
	 */
	u16 ended;
};

/* As after power-on. */
void kvm_pic_reset(struct kvm_pic *p);
/* Input IRQ, 0 to 15, has LEVEL. False: the rising edge met a request that was there already. */
bool kvm_pic_line(struct kvm_pic *p, unsigned int irq, bool level);
/* The state was set from outside: inputs and the output follow. */
void kvm_pic_settle(struct kvm_pic *p);
/* The CPU's acknowledgement: the vector, one of a spurious interrupt if there is none. */
u8 kvm_pic_acknowledge(struct kvm_pic *p);
/* Ports 20h, 21h, A0h, A1h, 4D0h, 4D1h, a byte each. False: another port. */
bool kvm_pic_read(struct kvm_pic *p, u16 port, u8 *value);
bool kvm_pic_write(struct kvm_pic *p, u16 port, u8 value);
