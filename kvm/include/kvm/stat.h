/* SPDX-License-Identifier: MIT */
/*
 * What a VM and a vCPU count; KVM_GET_STATS_FD shows it. The names and
 * what they mean are Linux's on x86 (kvm/api/stat.c has the table).
 *
 * A vCPU's are written by its thread alone, under v->lock, so that counting is one store to memory
 * of that vCPU's; a VM's by who holds the lock that stands beside them. Readers take none: each
 * count is one aligned word.
 */
#pragma once

#include <lib/atomic.h>
#include <lib/types.h>

struct kvm_vcpu_stat {
	u64 halt_wakeup, halt_wait_ns;	/* HLT in the kernel: ended by an event; how long */
	u64 blocking;			/* 1: it waits in HLT now */
	u64 pf_taken, pf_fixed, pf_emulate; /* nested faults; mapped; MMIO */
	u64 tlb_flush;
	u64 exits;
	u64 io_exits;			/* IN and OUT, also those of the kernel's devices */
	u64 mmio_exits;			/* to user space */
	u64 signal_exits, irq_window_exits, nmi_window_exits, halt_exits, irq_exits;
	u64 insn_emulation, insn_emulation_fail, hypercalls;
	u64 irq_injections, nmi_injections; /* also again, where a delivery was interrupted */
};

struct kvm_vm_stat {
	/* the CPU's lock of who takes away nested tables; flushes that ended a guest; all */
	u64 remote_tlb_flush, remote_tlb_flush_requests;
};

/* One more of COUNTER. What it is counted in is the caller's alone (above). */
static inline void kvm_count(u64 *counter)
{
	WRITE_ONCE(*counter, *counter + 1);
}
