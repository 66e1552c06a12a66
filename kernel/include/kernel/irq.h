/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts. An irq number names a line (GSI) or a message (MSI) that arch allocated; handlers run with
 * interrupts off, do little, and wake a thread or queue work.
 */
#pragma once

#include <lib/types.h>
#include <kernel/cpumask.h>

enum irqreturn { IRQ_NONE, IRQ_HANDLED, IRQ_WAKE_THREAD };
typedef enum irqreturn irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *dev);

#define IRQF_SHARED 0x1
#define IRQF_ONESHOT 0x2

/* 0; -EBUSY when the line is taken and not shared; -ENOMEM. Sleeps. */
int request_irq(int irq, irq_handler_t handler, unsigned long flags, const char *name, void *dev);
int request_threaded_irq(int irq, irq_handler_t handler, irq_handler_t thread_fn, unsigned long flags,
			 const char *name, void *dev);
void free_irq(int irq, void *dev);
void disable_irq(int irq);		/* and waits for a handler that runs; sleeps */
void disable_irq_nosync(int irq);
void enable_irq(int irq);
void synchronize_irq(int irq);
int irq_set_affinity(int irq, const struct cpumask *mask);
/* For /proc/interrupts: the next irq in use at or after IRQ, or -1, and its facts. */
int irq_next(int irq);
u64 irq_count(int irq, int cpu);
const char *irq_name(int irq, char *buf, size_t size);

/* Runs FN(ARG) on every other CPU in MASK, in interrupt context. WAIT: until all have. Interrupts on, preemption off. */
void smp_call_function_many(const struct cpumask *mask, void (*fn)(void *arg), void *arg, bool wait);
void on_each_cpu(void (*fn)(void *arg), void *arg, bool wait);
int smp_call_function_single(int cpu, void (*fn)(void *arg), void *arg, bool wait);
/* irq_handle(), irq_enter(), irq_exit() and smp_call_interrupt() are what arch calls: <arch/upcalls.h>. */
