/* SPDX-License-Identifier: MIT */
/* What the files of kvm/event/ share. */
#pragma once

#include <kvm/event.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <alloc/xarray.h>
#include <sched/mutex.h>

struct kvm_routes;

struct kvm_events_of_vm {
	struct kvm_routes *routes;	/* vm->lock; readers srcu; NULL: none */
	struct mutex lock;		/* which irqfds there are */
	struct rb_root irqfds;		/* lock: by eventfd */
	struct xarray resamplers;	/* lock; readers srcu: by GSI */
};

/*
 * The one message that GSI leads to; false: it leads elsewhere, or nowhere. vm->srcu is held, R
 * stays until it is left. Any context.
 */
const struct kvm_route *kvm_gsi_message(const struct kvm_vm *vm, u32 gsi);

/* irqfd.c: of a VM whose descriptors have all gone; all irqfds go. Sleeps. */
void kvm_irqfds_free(struct kvm_vm *vm);
long kvm_irqfd(struct kvm_vm *vm, struct uptr arg);
/* resample: an input that leads to GSI is served. srcu is held. */
void kvm_resample(struct kvm_vm *vm, u32 gsi);
