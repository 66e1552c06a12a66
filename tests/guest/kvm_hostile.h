/* SPDX-License-Identifier: MIT */
/*
 * What tests of guests that mean harm share (x86_64): chance, a tick, an exit and the answer to it,
 * a state that is read and set. Include t.h first.
 */
#pragma once

#include <sys/time.h>
#include "kvm_machine.h"

#define SIZE (2 * MB)
#define AT_MMIO 0x40000000ull	/* the second GiB has no memory */

static uint64_t seed = 1;

static inline uint64_t chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static inline unsigned int programs(unsigned int few)
{
	const char *n = getenv("KVM_PROGRAMS");

	return n ? (unsigned int)atoi(n) : few;
}

static inline void tick(int sig)
{
	(void)sig;
}

/* A guest that loops for ever is interrupted. */
static inline void ticks(void)
{
	struct itimerval t = { { 0, 4000 }, { 0, 4000 } };

	OK(sigaction(SIGALRM, &(struct sigaction){ .sa_handler = tick }, NULL));
	OK(setitimer(ITIMER_REAL, &t, NULL));
}

/*
 * Without the instructions that make QEMU itself die or write where it must not (tests/README.md).
 */
static inline bool breaks_qemu(unsigned char before, unsigned char c)
{
	return c == 0x8e || c == 0xd9 || c == 0xdd || (before == 0x0f && (c == 0xae || c == 0xc7));
}

static inline void random_bytes(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p[i] = (char)chance();
		if (breaks_qemu(i ? (unsigned char)p[i - 1] : 0, (unsigned char)p[i]))
			p[i] = (char)0x90;
	}
}

/* The same of the low N bytes of a number that a program may store, and jump to. */
static inline uint64_t harmless(uint64_t x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (breaks_qemu(0, (unsigned char)(x >> 8 * i)))
			x ^= 0xffull << 8 * i;
	return x;
}

/* What was read can be set, and is the same then. */
static inline void a_state(int v)
{
	struct kvm_vcpu_events e, f;
	struct kvm_debugregs d;
	struct kvm_sregs s, t;
	struct kvm_regs r, q;

	OK(ioctl(v, KVM_GET_VCPU_EVENTS, &e));
	OK(ioctl(v, KVM_GET_DEBUGREGS, &d));
	OK(ioctl(v, KVM_GET_SREGS, &s));
	OK(ioctl(v, KVM_GET_REGS, &r));
	if (s.cs.l && !(s.efer & 1 << 10)) { /* means nothing there, and Linux does not take it */
		ERR(ioctl(v, KVM_SET_SREGS, &s), EINVAL);
		s.cs.l = 0;
	}
	OK(ioctl(v, KVM_SET_SREGS, &s));
	OK(ioctl(v, KVM_SET_REGS, &r));
	OK(ioctl(v, KVM_SET_DEBUGREGS, &d));
	OK(ioctl(v, KVM_SET_VCPU_EVENTS, &e));
	OK(ioctl(v, KVM_GET_SREGS, &t));
	OK(ioctl(v, KVM_GET_REGS, &q));
	OK(ioctl(v, KVM_GET_VCPU_EVENTS, &f));
	CHECK(!memcmp(&s, &t, sizeof(s)));
	CHECK(!memcmp(&r, &q, sizeof(r)));
	EQ(e.exception.nr, f.exception.nr);
	EQ(e.interrupt.nr, f.interrupt.nr);
	EQ(e.nmi.masked, f.nmi.masked);
}

/* One KVM_RUN, and the answer to its exit. False: the program is over. */
static inline bool step(int v, struct kvm_run *run)
{
	run->request_interrupt_window = chance() & 1;
	if (ioctl(v, KVM_RUN, 0)) {
		CHECK(errno == EINTR || errno == EAGAIN || errno == EFAULT);
		return false;
	}
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		CHECK(run->io.size == 1 || run->io.size == 2 || run->io.size == 4);
		CHECK(run->io.count && run->io.size * (uint64_t)run->io.count <= PAGE);
		EQ(run->io.data_offset, PAGE);
		if (run->io.direction == KVM_EXIT_IO_IN)
			random_bytes((char *)run + PAGE, run->io.size * run->io.count);
		return true;
	case KVM_EXIT_MMIO:
		CHECK(run->mmio.len >= 1 && run->mmio.len <= 8);
		CHECK(run->mmio.phys_addr >= SIZE);
		if (!run->mmio.is_write)
			random_bytes((char *)run->mmio.data, 8);
		return true;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		CHECK(run->ready_for_interrupt_injection && run->if_flag);
		OK(ioctl(v, KVM_INTERRUPT,
			 &(struct kvm_interrupt){ (unsigned int)chance() & 0xff }));
		return true;
	case KVM_EXIT_INTERNAL_ERROR:
		CHECK(run->internal.ndata <= 16);
		return false;
	case KVM_EXIT_HLT:
	case KVM_EXIT_SHUTDOWN:
		return false;
	default:
		FAIL("exit %u", run->exit_reason);
	}
}

/* Flat memory, and a page behind it that is the owner's own. */
static inline void hostile_machine(struct machine *m, bool chips)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		SKIP("this CPU runs no guests");
	OK(kvm);
	do		/* Linux: a signal of ticks() ends it */
		m->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	while (m->vm < 0 && errno == EINTR);
	OK(m->vm);
	OK(close(kvm));
	if (chips)
		OK(ioctl(m->vm, KVM_CREATE_IRQCHIP, 0));
	m->size = SIZE;
	m->mem =
		mmap(NULL, SIZE + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m->mem != MAP_FAILED);
	memset(m->mem + SIZE, 0x5a, PAGE);
	OK(region(m, 0, 0, 0, SIZE, m->mem));
	m->v = vcpu(m, 0, &m->run);
}

static inline void end_machine(struct machine *m)
{
	for (size_t i = 0; i < PAGE; i++)
		EQ(m->mem[SIZE + i], 0x5a);
	OK(munmap(m->mem, SIZE + PAGE));
	OK(munmap(m->run, 3 * PAGE));
	OK(close(m->v));
	OK(close(m->vm));
}
