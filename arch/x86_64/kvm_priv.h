/* SPDX-License-Identifier: MIT */
/*
 * What the parts of KVM's x86 side share: a VM's nested tables (kvm_mem.c, kvm_vm.c), a vCPU's
 * state (kvm_vcpu.c and its neighbours).
 */
#pragma once

#include <kvm/cpu.h>
#include <kvm/memory.h>
#include <kvm/vcpu.h>
#include <kernel/time.h>
#include <kvm/vm.h>
#include "arch/x86_64/kvm_insn_exec.h"
#include "arch/x86_64/kvm_lapic.h"
#include "arch/x86_64/kvm_npt.h"
#include "arch/x86_64/kvm_svm.h"

struct apic_table;
struct kvm_chips;
struct msr_filter;

/* kvm_clock.c */
struct kvm_vm_clock {
	spinlock_t lock;		/* taken in threads alone; the rest */
	u64 tsc, ns;			/* of one moment, where the host's clock is its TSC */
	u64 offset;			/* to the host's clock, where it is not */
	u64 tsc_offset;			/* of the vCPUs whose TSCs are equal: */
	u64 tsc_generation;		/* theirs, from 1 on */
	u64 tsc_written, tsc_written_at; /* the owner's last one that was not made equal; when */
	u32 vcpus, equal;		/* how many there are, of that generation */
};

struct kvm_cpu_vm {
	struct npt npt;
	struct mutex zap_lock; /* who takes away from NPT; none of the host's is taken under it */
	struct kvm_vm_clock clock;
	u64 wall_msr;			/* once */
	u64 tss_addr, identity_map_addr; /* vm->lock: told by the owner, used by nobody on SVM */
	/* once, under vm->lock (release, acquire): its interrupt controllers (kvm_irqchip.c) */
	struct kvm_chips *irqchip;
	struct mutex apic_lock;		/* who builds `apics` */
	struct apic_table __rcu *apics;	/* apic_lock; readers RCU: NULL: no vCPU has an APIC yet */
	u32 apic_ids;			/* apic_lock: above those of all vCPUs */
	struct msr_filter *msr_filter;	/* vm->lock; readers srcu; NULL: none */
};

/*
 * The guest of V touched GPA and its nested tables had nothing that allows it. RIGHTS: NPT_WRITE,
 * NPT_EXEC, or 0 for a read. Sleeps; srcu is held. 1: mapped now, run on; 0: MMIO: no slot, or a
 * write to one that may only be read; -EFAULT: the owner has no memory there; -EINTR; -ENOMEM;
 * -EIO: the owner's space has ended.
 */
int kvm_mem_fault(struct kvm_vcpu *v, u64 gpa, unsigned int rights);

/* ---- a vCPU ---- */

struct guest_fpu;
struct kvm_cpuid_entry2;

/* What is to be delivered, or was under way when the guest left: KVM_GET_VCPU_EVENTS's image. */
struct kvm_events {
	struct {
		bool pending, injected, has_error;
		u8 vector;
		u32 error;
	} exception;
	struct {
		bool injected;
		u8 vector;
	} interrupt;
	struct {
		u8 pending;		/* kvm_event_nmi() */
		bool injected, masked;
	} nmi;
	bool triple_fault;
};

/* What user space was asked for; its answer is taken where KVM_RUN begins. */
enum kvm_asked {
	KVM_ASKED_NOTHING,
	KVM_ASKED_IN,			/* an IN of the fast path */
	KVM_ASKED_OUT,
	KVM_ASKED_EXEC_IN,		/* one that the executor waits for */
	KVM_ASKED_MMIO
};

/* One access to MMIO, of at most a transfer's bytes on two pages; done eight bytes at a time. */
struct kvm_mmio {
	bool write, done;
	u8 parts, part;			/* how many; which is being done */
	u32 at;				/* bytes of `part` that are answered */
	struct {
		u64 gpa;
		u32 offset, len;	/* in data */
	} of[2];
	u8 data[KVM_EXEC_IO_MAX];
};

#define KVM_MTRR_VARIABLE 8
#define KVM_MTRR_FIXED 11
#define KVM_MCE_BANKS 32		/* as on Linux */

/* Requests to a vCPU of this CPU's. */
enum {
	/* An interrupt, an NMI, INIT or STARTUP came, or what holds them back has changed. */
	KVM_REQUEST_EVENT = KVM_REQUESTS_CPU,
	KVM_REQUEST_TIMER,		/* the local APIC's may have expired */
	KVM_REQUEST_CLOCK,		/* the guest's page of kvm-clock is to be written */
	KVM_REQUEST_APICS,		/* the VM's map of APICs is to be built anew */
	KVM_REQUEST_MSRS,		/* the VM's filter of MSRs is another one */
};

/* kvm_cpu_vcpu.apic_events */
#define APIC_EVENT_INIT 1U
#define APIC_EVENT_STARTUP 2U
#define APIC_EVENT_NMI 4U
#define APIC_EVENT_NMI_MORE 8U		/* another one, while the first was noted already */

/* v->lock, or its thread in KVM_RUN. */
struct kvm_cpu_vcpu {
	struct kvm_vcpu *v;		/* c */
	struct svm_world world;
	struct vmcb *vmcb;
	void *host;			/* a page for VMSAVE */
	struct guest_fpu *fpu;
	u64 cr0, cr4, efer, xcr0;	/* as the guest has them; cr0: CR0.TS, MP are the VMCB's */
	u64 dr[4];
	u64 tsc_aux, tsc_adjust, misc_enable, hwcr;
	u64 apic_base, cr8;		/* without a local APIC; with one they are its */
	u64 mtrr_def, mtrr_fixed[KVM_MTRR_FIXED], mtrr_variable[2 * KVM_MTRR_VARIABLE];
	struct kvm_events events;
	struct {
		u64 cap, status, ctl, banks[KVM_MCE_BANKS][4];
	} mce;
	u64 time_msr, tsc_generation;	/* kvm_clock.c */
	bool has_clock;			/* it has joined the VM's */
	u32 time_version;		/* of the page that the guest has: even */
	struct {
		u32 control;		/* KVM_GUESTDBG_*; 0: the owner does not debug it */
		u64 dr[8];		/* the owner's */
		bool armed;		/* the VMCB has the owner's, these are the guest's: */
		bool guest_tf;
		bool to_window;		/* one instruction, behind which an NMI can be taken */
		u64 guest_dr6, guest_dr7;
		u64 dr6, dr7;		/* where the guest left */
		bool stepped;		/* over an executed instruction: the owner is told */
		bool breakpoint;	/* #BP is the owner's, not an INT3's */
	} debug;
	bool nmi_iret;			/* an IRET that ends an NMI begins at: */
	u64 nmi_iret_rip;
	u32 mp_state;
	/* ---- the local APIC (kvm_apic.c) ---- */
	bool has_lapic;			/* c, from kvm_cpu_vcpu_join() on */
	struct kvm_lapic lapic;
	struct hrtimer apic_timer;	/* its function only makes a request */
	struct apic_table *spare;	/* vm->lock: from kvm_cpu_vcpu_join() to ..joined() */
	u32 apic_events;		/* atomic bits, APIC_EVENT_* */
	u8 sipi_vector;			/* before APIC_EVENT_STARTUP */
	u64 asid_generation;		/* of CPU asid_cpu's */
	int asid_cpu;
	bool flush;			/* before the next entry */
	struct kvm_cpuid_entry2 *cpuid;	/* nr_cpuid of them */
	u32 nr_cpuid;
	enum kvm_asked asked;
	bool shown;			/* v->run says so */
	u32 leave;			/* an exit of KVM_RUN's beginning: its reason; 0: none */
	struct {
		bool done;		/* an IN of the executor's is answered */
		u16 port;
		u32 size, count;
		u64 next_rip, rip, cs;	/* KVM_ASKED_IN: behind it; where it is, its segment */
	} io;
	struct kvm_mmio mmio;
	/* of the instruction that is executed */
	bool halt, set_tpr;
	int error;			/* the owner's memory is not there */
	u8 bytes[KVM_INSN_MAX], nr_bytes;
	struct kvm_exec exec;
};

/*
 * kvm_vcpu.c: the VMCB's CR0, CR4 and EFER are those of the guest, as the hardware may have them.
 */
void kvm_vcpu_control(struct kvm_cpu_vcpu *a);
/* CR0 with what the guest changes itself. */
u64 kvm_vcpu_cr0(const struct kvm_cpu_vcpu *a);
/* An exception; what it does to one that is being delivered (#DF, shutdown). */
void kvm_vcpu_raise(struct kvm_cpu_vcpu *a, u8 vector, bool has_error, u32 error);

/* kvm_emulate.c: executes the instruction at RIP. As kvm_cpu_exit(). */
int kvm_emulate(struct kvm_vcpu *v);
/* It is taken apart into exec.insn: KVM_EXEC_DONE, FAULT (raised) or UNHANDLED. */
enum kvm_exec_status kvm_emulate_fetch(struct kvm_vcpu *v);
/* The instruction that was fetched is done. */
void kvm_emulate_skip(struct kvm_vcpu *v);
/* Runs what was fetched; also again once user space has answered. As kvm_cpu_exit(). */
int kvm_emulate_run(struct kvm_vcpu *v);
/* KVM_EXIT_INTERNAL_ERROR, or #UD of user mode: 0, 1. */
int kvm_emulate_failed(struct kvm_vcpu *v);
/* Without any effect of the next instruction: single step and shadow. */
void kvm_emulate_stepped(struct kvm_cpu_vcpu *a, u8 shadow);

/* kvm_ask.c: v->run says what a->asked is: 0. What was answered is used: as kvm_cpu_exit(). */
int kvm_ask(struct kvm_vcpu *v, enum kvm_asked what);
int kvm_answered(struct kvm_vcpu *v);
/*
 * What the kernel's own devices do of a->mmio, from where it stands, in order up to the first that
 * is not theirs. True: all is done.
 */
bool kvm_mmio_here(struct kvm_vcpu *v);
/*
 * COUNT transfers by a port; false: the first one is nobody's here. As on Linux, where a device
 * goes in between, the others read 0 and write to nowhere.
 */
bool kvm_io_here(struct kvm_vcpu *v, bool out, u16 port, u32 size, u32 count, void *data);
/* The IN of a->io has read DATA: 1. */
int kvm_port_read(struct kvm_vcpu *v, const void *data);
/* The data of a port's transfer, in the owner's sight. */
void *kvm_io_data(struct kvm_vcpu *v);

/* kvm_exec_ops.c: what the executor reaches memory, ports and registers by. */
extern const struct kvm_exec_ops kvm_exec_ops;
/* As its `read`, for the instruction itself. */
enum kvm_exec_status kvm_exec_fetch(struct kvm_vcpu *v, u64 linear, void *to, u32 size);
/* KVM_TRANSLATE. */
long kvm_translate_ioctl(struct kvm_vcpu *v, struct uptr arg);

/* kvm_cr.c: false: #GP */
bool kvm_set_cr0(struct kvm_cpu_vcpu *a, u64 value);
bool kvm_set_cr3(struct kvm_cpu_vcpu *a, u64 value);
bool kvm_set_cr4(struct kvm_cpu_vcpu *a, u64 value);
bool kvm_set_efer(struct kvm_cpu_vcpu *a, u64 value, bool owner);
bool kvm_set_xcr0(struct kvm_cpu_vcpu *a, u64 value);

/* kvm_msr.c: false: there is none, or not with that value. OWNER: user space asks. */
bool kvm_msr_get(struct kvm_vcpu *v, u32 index, u64 *value, bool owner);
bool kvm_msr_set(struct kvm_vcpu *v, u32 index, u64 value, bool owner);
/* KVM_GET_MSRS, KVM_SET_MSRS. V NULL: of /dev/kvm: what a guest can have. */
long kvm_msr_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg);
long kvm_msr_lists(unsigned int cmd, struct uptr arg);

/*
 * kvm_msr_filter.c: KVM_X86_SET_MSR_FILTER; whether the guest may; its map of intercepted MSRs.
 */
#define KVM_MSR_MAP_ORDER 1
long kvm_msr_filter_ioctl(struct kvm_vm *vm, struct uptr arg);
bool kvm_msr_filter_allows(const struct msr_filter *f, u32 index, bool write);
const u8 *kvm_msr_filter_map(const struct msr_filter *f);
void kvm_msr_filter_free(struct msr_filter *f);
/*
 * kvm_vcpu.c: MAP is one: what the guest has for itself is not intercepted where F (NULL) allows.
 */
void kvm_vcpu_fill_msr_map(u8 *map, const struct msr_filter *f);
/* KVM_REQUEST_MSRS was taken. In srcu. */
void kvm_vcpu_msrs_request(struct kvm_vcpu *v);

/* kvm_mce.c: the MSRs are its own; false: #GP. KVM_X86_SETUP_MCE, KVM_X86_SET_MCE. */
void kvm_mce_init(struct kvm_cpu_vcpu *a);
bool kvm_mce_has(u32 index);
bool kvm_mce_get(const struct kvm_cpu_vcpu *a, u32 index, u64 *value, bool owner);
bool kvm_mce_set(struct kvm_cpu_vcpu *a, u32 index, u64 value, bool owner);
long kvm_mce_supported(struct uptr to);
long kvm_mce_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg);

#define KVM_DEBUG_KNOWN (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP | \
			 KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_INJECT_DB | \
			 KVM_GUESTDBG_INJECT_BP | KVM_GUESTDBG_BLOCKIRQ)

/* kvm_debug.c: before an entry; after it, also where none came of it. */
void kvm_debug_arm(struct kvm_cpu_vcpu *a);
void kvm_debug_disarm(struct kvm_cpu_vcpu *a);
/* Whether the guest is to be left behind its next instruction, for an NMI that waits. */
void kvm_debug_to_window(struct kvm_cpu_vcpu *a, bool on);
/* DR0 to DR3 for the entry. */
const u64 *kvm_debug_dr(const struct kvm_cpu_vcpu *a);
/* #DB or #BP: the owner's, KVM_EXIT_DEBUG and 0; else 1. */
int kvm_debug_exit(struct kvm_vcpu *v, u8 vector);
/*
 * The guest's #DB for WHY, bits of DR6, as by its CPU (AMD APM vol. 2, 13.1.1.3): what it says of
 * breakpoints is of this one alone, and DR7.GD is clear for its handler. Its own registers are in
 * place (kvm_debug_disarm()).
 */
void kvm_debug_raise(struct kvm_cpu_vcpu *a, u64 why);
/* An instruction was executed. True: the owner is told, not the guest. */
bool kvm_debug_step(struct kvm_cpu_vcpu *a);
/* Whether it has still to be: v->run says so. */
bool kvm_debug_leaves(struct kvm_vcpu *v);
long kvm_debug_ioctl(struct kvm_vcpu *v, struct uptr arg);

/* kvm_clock.c. Which flags KVM_CLOCK_* there are. */
#define KVM_CLOCK_FLAGS (KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)
void kvm_clock_init(struct kvm_vm *vm);
/* KVM_GET_CLOCK, KVM_SET_CLOCK. */
long kvm_clock_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg);
/* A vCPU is made, its TSC equal to the others'; it goes. */
void kvm_clock_join(struct kvm_vcpu *v);
void kvm_clock_leave(struct kvm_vcpu *v);
void kvm_tsc_write(struct kvm_vcpu *v, u64 value, bool owner);
/* IA32_TSC_ADJUST: a guest moves its TSC by what it adds to it; its owner restores the number. */
void kvm_tsc_adjust(struct kvm_vcpu *v, u64 value, bool owner);
/* KVM_RUN begins; KVM_REQUEST_CLOCK was taken. In an srcu section, sleeps. */
void kvm_clock_run(struct kvm_vcpu *v);
void kvm_clock_request(struct kvm_vcpu *v);
/* Its MSRs. */
bool kvm_clock_has(u32 index);
u64 kvm_clock_get(const struct kvm_vcpu *v, u32 index);
void kvm_clock_set(struct kvm_vcpu *v, u32 index, u64 value);
/* Of CPUID 4000_0001h, EAX. */
u32 kvm_clock_features(void);

/* kvm_msr_fixed.c: MSRs without a function; false: not one of them, or #GP. */
bool kvm_msr_fixed_get(u32 index, u64 *value);
bool kvm_msr_fixed_set(u32 index, u64 value);

/* kvm_hypercall.c: RAX and the rest are the call; its answer is in RAX. */
void kvm_hypercall(struct kvm_vcpu *v);
/* Of CPUID 4000_0001h, EAX. */
u32 kvm_hypercall_features(void);

/* kvm_cpuid.c: OUT: EAX, EBX, ECX, EDX */
void kvm_cpuid(const struct kvm_cpu_vcpu *a, u32 leaf, u32 index, u32 *out);
long kvm_cpuid_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg);
long kvm_cpuid_supported(struct uptr arg);
long kvm_cpuid_emulated(struct uptr arg);

/* kvm_event.c: N NMIs came. */
void kvm_event_nmi(struct kvm_cpu_vcpu *a, unsigned int n);
/* After each exit, before all else; whether an interrupt could be taken now; tell. */
void kvm_event_back(struct kvm_cpu_vcpu *a);
bool kvm_event_window(const struct kvm_cpu_vcpu *a);
void kvm_event_watch(struct kvm_cpu_vcpu *a, bool on);
/* After each exit too: the priority that the guest has set by itself. */
void kvm_event_tpr_back(struct kvm_cpu_vcpu *a);

/* kvm_vcpu.c: INIT: the state after it, but for the local APIC's. */
void kvm_vcpu_init_state(struct kvm_vcpu *v);

/* ---- kvm_apic.c: a vCPU's local APIC, and the map of a VM's. v->lock but where it is said ---- */

void kvm_apics_init(struct kvm_vm *vm);
void kvm_apics_free(struct kvm_vm *vm);
/* The vCPU's part begins, has no APIC yet; ends: its timer is not running any more. Sleeps. */
void kvm_apic_init(struct kvm_vcpu *v);
void kvm_apic_free(struct kvm_vcpu *v);
/*
 * M to all that it is for. As kvm_apic_map_deliver(). SELF: a shorthand's sender. Sleeps, in no
 * section of RCU. `fast`: any context that may wake a task; -EWOULDBLOCK: it is for many.
 */
int kvm_apics_send(struct kvm_vm *vm, const struct kvm_message *m, enum kvm_shorthand to,
		   struct kvm_lapic *self);
int kvm_apics_send_fast(struct kvm_vm *vm, const struct kvm_message *m);
/* As kvm_apic_map_deliver_ids(); -EOPNOTSUPP: there are no APICs. Any context. */
int kvm_apics_send_ids(struct kvm_vm *vm, const struct kvm_message *m, u32 first, u64 ids);
/* What has been requested, before an entry. 0; -EAGAIN: an INIT or STARTUP ended a wait; -ENOMEM */
int kvm_apic_requests(struct kvm_vcpu *v);
/* Whether an interrupt waits; takes one, -1: there is none. */
bool kvm_apic_has_interrupt(struct kvm_vcpu *v);
int kvm_apic_take_interrupt(struct kvm_vcpu *v);
/* The map is to follow what an ioctl changed: 0, -ENOMEM. Sleeps. */
int kvm_apic_follow(struct kvm_vcpu *v);
u64 kvm_apic_base(const struct kvm_cpu_vcpu *a);
/* Whether the owner may set it. */
bool kvm_apic_base_valid(const struct kvm_cpu_vcpu *a, u64 value);
/* False: no such value, or the guest may not change to it. OWNER: user space asks. */
bool kvm_apic_set_base(struct kvm_vcpu *v, u64 value, bool owner);
u64 kvm_vcpu_cr8(const struct kvm_cpu_vcpu *a);
void kvm_vcpu_set_cr8(struct kvm_cpu_vcpu *a, u64 cr8);
/* MSRs 6E0h, 800h to 83Fh. False: #GP. */
bool kvm_apic_rdmsr(struct kvm_vcpu *v, u32 msr, u64 *value);
bool kvm_apic_wrmsr(struct kvm_vcpu *v, u32 msr, u64 value);
/* LEN bytes at GPA, if they are of the APIC's page: 0; -EOPNOTSUPP: they are not. */
int kvm_apic_read(struct kvm_vcpu *v, u64 gpa, u32 len, void *data);
int kvm_apic_write(struct kvm_vcpu *v, u64 gpa, u32 len, const void *data);
/* KVM_GET_LAPIC, KVM_SET_LAPIC, KVM_SET_VAPIC_ADDR; KVM_SET_MP_STATE. */
long kvm_apic_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg);
long kvm_apic_set_mp_state(struct kvm_vcpu *v, u32 state);
u32 kvm_apic_mp_state(struct kvm_vcpu *v);
/* What it may have of CPUID says which modes it has. */
void kvm_apic_cpuid(struct kvm_vcpu *v);
