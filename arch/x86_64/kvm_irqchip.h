/* SPDX-License-Identifier: MIT */
/*
 * A VM's interrupt controllers and timer in the kernel: the 8259A pair, the I/O APIC, the 8254,
 * with the ports and the memory that guests reach them by. Local APICs: kvm_priv.h.
 */
#pragma once

#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <kvm/bus.h>
#include <kvm/event.h>
#include <lib/types.h>
#include <sched/work.h>
#include "arch/x86_64/kvm_ioapic.h"
#include "arch/x86_64/kvm_pic.h"
#include "arch/x86_64/kvm_pit.h"

#define PIC_INPUTS 16

struct kvm_chip_pit {
	struct kvm_vm *vm;		/* c */
	struct kvm_bus_device ports, gate; /* 40h to 43h; 61h, if `has_gate` */
	bool has_gate;			/* c */
	spinlock_t ticks_lock;		/* taken by the timer: with interrupts off */
	struct kvm_pit pit;		/* ticks_lock */
	u32 flags;			/* ticks_lock: KVM_PIT_FLAGS_* */
	bool reinject;			/* ticks_lock: ticks that met an unserved one come later */
	u64 due;	 /* ticks_lock: of the timer; KVM_PIT_NEVER: it is not queued */
	u64 waiting;   /* ticks_lock: ticks that no interrupt was requested for yet */
	struct hrtimer timer;		/* started under ticks_lock */
	struct work_struct work;	/* requests the interrupts */
};

struct kvm_chips {
	struct kvm_vm *vm;		/* c */
	struct kvm_bus_device pic_master, pic_slave, pic_levels, ioapic_page;
	spinlock_t inputs_lock;		/* no interrupt takes it; all that follows */
	struct kvm_pic pic;
	struct kvm_ioapic ioapic;
	u8 pic_sources[PIC_INPUTS];	/* who holds the input: bits of enum kvm_irq_source */
	u8 ioapic_sources[KVM_IOAPIC_NUM_PINS];
	/* Messages for many APICs: they are sent when the lock is let go. */
	struct kvm_message later[KVM_IOAPIC_NUM_PINS];
	u32 nr_later;
	bool told;   /* the vCPU that takes them of the 8259A's output as it is */
	struct kvm_chip_pit *pit;	/* once, under vm->lock (release, acquire) */
};

/* The VM's, or NULL: it has none. */
struct kvm_chips *kvm_chips_of(const struct kvm_vm *vm);
void kvm_chips_free(struct kvm_vm *vm);
/* Whether the 8259A asks for an acknowledgement; its vector, -1: it does not ask any more. */
bool kvm_chips_extint(struct kvm_vm *vm);
int kvm_chips_acknowledge(struct kvm_vm *vm);
/* A local APIC ended VECTOR. A vCPU's thread, no lock held. */
void kvm_chips_ended(struct kvm_vm *vm, u8 vector, bool level);
/* KVM_CREATE_IRQCHIP, KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, those of the PIT; else -ENOTTY. */
long kvm_chips_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg);

/* kvm_chip_pit.c */
long kvm_chip_pit_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg);
/* No tick is counted or requested any more. Sleeps. */
void kvm_chip_pit_stop(struct kvm_chip_pit *p);
void kvm_chip_pit_free(struct kvm_chip_pit *p);
/* An interrupt's service ended: ticks that wait may be requested. Any context. */
void kvm_chip_pit_again(struct kvm_chip_pit *p);
/* An input was unmasked: ticks that nobody waited for do not come now. */
void kvm_chip_pit_forget(struct kvm_chip_pit *p);
