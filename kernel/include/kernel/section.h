/* SPDX-License-Identifier: MIT */
/*
 * How much runs in one go with preemption or interrupts off, which holding a spinlock and an RCU read section do as well (debug build; section.c). What opens the
 * outermost of such sections calls here; the compiler's call at each branch counts (sched/kcov.c).
 */
#pragma once

#include <lib/types.h>
#include <arch/irqflags.h>

#ifdef CONFIG_SECTIONS
/* preempt_disable(): raises the count of preemption. */
void section_preempt_disable(void);
/* Interrupts were on and are off. */
void section_irqs_off(void);
/* They open no section of their own, but say what the section is for. */
void section_lock(const char *name);
void section_rcu(void);
/* An interrupt's handler begins, ends. */
void section_irq_enter(void);
void section_irq_exit(void);
/* What went on here is over, though the count of preemption does not say so: the idle loop. */
void section_break(void);
/* A branch at IP was taken. */
bool section_is_open(void);
void section_branch(unsigned long ip);

struct section_worst {
	unsigned long opened, at;	/* where it began; where it passed the limit, or 0 */
	u32 branches;
	u8 what;
	const char *lock;		/* the first spinlock in it, or NULL */
};

/* The worst section that was opened from BEGIN up to END (addresses of code). False: none was long enough to be kept. */
bool section_find(unsigned long begin, unsigned long end, struct section_worst *w);
/* Branches from which on a section is reported. */
u32 section_limit(void);

#define SECTION_IRQ_SAVE() ({ unsigned long __sf = arch_irq_save(); if (!arch_irqs_disabled_flags(__sf)) section_irqs_off(); __sf; })
#else
#define section_lock(name) do { } while (0)
#define section_rcu() do { } while (0)
#define section_irq_enter() do { } while (0)
#define section_irq_exit() do { } while (0)
#define section_break() do { } while (0)
#endif
