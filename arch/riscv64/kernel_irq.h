/* SPDX-License-Identifier: MIT */
/* What kernel_irq.c, which keeps the table of irq numbers, and the interrupt controllers share. */
#pragma once

#include <lib/types.h>
#include <arch/irq.h>
#include <kernel/spinlock.h>
#include "arch/riscv64/rv_priv.h"

struct rv_irq {
	bool used;		/* rv_irq_lock */
	bool message;		/* constant while in use; else a line */
	bool level, low;	/* the same: the line's trigger */
	u16 source;		/* the same: the line's number */
	u16 cpu;		/* rv_irq_lock */
	u32 state;		/* atomic: the controller's */
};

extern spinlock_t rv_irq_lock;
extern struct rv_irq rv_irqs[NR_IRQS];

/* A controller. An irq number is what rv_intc.handle hands to irq_handle(): below nr_irqs, and not 0. */
struct rv_intc {
	const char *lines, *messages;		/* its names; messages NULL: it takes none */
	unsigned int nr_irqs, nr_lines;		/* sources are from 1 to nr_lines - 1 */
	bool by_source;				/* a line's irq number is its source */
	bool (*reaches)(unsigned int cpu);
	void (*init_cpu)(void);			/* of this CPU */
	void (*handle)(void);
	/* rv_irq_lock held: begins with rv_irqs[IRQ], masked; ends with it. */
	void (*open)(unsigned int irq);
	void (*close)(unsigned int irq);
	/* rv_irq_lock held: to CPU, from that which rv_irqs[IRQ].cpu still is. */
	void (*route)(unsigned int irq, unsigned int cpu);
	void (*set_masked)(unsigned int irq, bool masked);	/* from anywhere */
	void (*compose)(unsigned int irq, struct arch_msi *msg);
};

/* For machine.irq_kind; they panic where the tree gives them no room. */
const struct rv_intc *rv_plic_init(void);
const struct rv_intc *rv_aplic_init(void);
const struct rv_intc *rv_imsic_init(void);

/* The APLIC's side of lines that it forwards as messages: SOURCE's to the interrupt file of CPU as IDENTITY. */
void rv_aplic_forward_init(void);
void rv_aplic_line(unsigned int source, bool level, bool low);
void rv_aplic_line_off(unsigned int source);
void rv_aplic_forward(unsigned int source, unsigned int cpu, unsigned int identity);
void rv_aplic_set_masked(unsigned int source, bool masked);
/* A level line that was handled: another message if it still asks. */
void rv_aplic_look_again(unsigned int source);
