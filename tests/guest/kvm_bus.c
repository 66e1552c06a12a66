// SPDX-License-Identifier: MIT
/*
 * What a VM's owner does not have to do itself (x86_64): writes that signal eventfds or wait in the
 * ring of coalesced ones.
 */
#include "t.h"
#ifdef __x86_64__
#include "kvm_machine.h"
#include <sys/eventfd.h>

static int event(void)
{
	return OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

/* How often FD was signalled since the last time. */
static uint64_t signals(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static int ioeventfd(struct machine *m, int fd, uint64_t addr, uint32_t len, uint32_t flags,
		     uint64_t value)
{
	struct kvm_ioeventfd e = {
		.datamatch = value, .addr = addr, .len = len, .fd = fd, .flags = flags
	};

	return ioctl(m->vm, KVM_IOEVENTFD, &e);
}

#define MATCH KVM_IOEVENTFD_FLAG_DATAMATCH
#define PIO KVM_IOEVENTFD_FLAG_PIO
#define OFF KVM_IOEVENTFD_FLAG_DEASSIGN

static void start(struct machine *m, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct kvm_regs regs = {
		.rip = CODE, .rflags = 2, .rsp = 0x8000, .rax = a, .rbx = b, .rcx = c, .rdx = d
	};

	OK(ioctl(m->v, KVM_SET_REGS, &regs));
}

static void expect_out(struct machine *m, uint16_t port, unsigned int size)
{
	RUN(m, KVM_EXIT_IO);
	EQ(m->run->io.direction, KVM_EXIT_IO_OUT);
	EQ(m->run->io.port, port);
	EQ(m->run->io.size, size);
}

static void expect_store(struct machine *m, uint64_t gpa, unsigned int len)
{
	RUN(m, KVM_EXIT_MMIO);
	EQ(m->run->mmio.is_write, 1);
	EQ(m->run->mmio.phys_addr, gpa);
	EQ(m->run->mmio.len, len);
}

GUEST(outs, ".code32", "outb %al, %dx; outw %ax, %dx; outl %eax, %dx; hlt");
GUEST(stores, ".code64",
      "movb %al, (%rbx); movw %ax, (%rbx); movl %eax, (%rbx); movq %rax, (%rbx); hlt");

TEST(kvm_ioeventfd_ports)
{
	struct machine m;
	int fd[3] = { event(), event(), event() }, any = event();

	machine(&m, MB, outs, outs_end);
	protected_mode(m.v);
	EQ(extension(&m, KVM_CAP_IOEVENTFD), 1);
	EQ(extension(&m, KVM_CAP_IOEVENTFD_ANY_LENGTH), 1);
	EQ(extension(&m, KVM_CAP_IOEVENTFD_NO_LENGTH), 1);
	/* One after the other, what is not taken goes to the owner. */
	for (int i = 0; i < 3; i++)
		OK(ioeventfd(&m, fd[i], PORT, 1u << i, PIO, 0));
	start(&m, 0x11223344, 0, 0, PORT);
	RUN(&m, KVM_EXIT_HLT);
	for (int i = 0; i < 3; i++)
		EQ(signals(fd[i]), 1);
	OK(ioeventfd(&m, fd[1], PORT, 2, PIO | OFF, 0));
	start(&m, 0x11223344, 0, 0, PORT);
	expect_out(&m, PORT, 2);
	EQ(*(uint16_t *)io_data(m.run), 0x3344);
	RUN(&m, KVM_EXIT_HLT);
	EQ(signals(fd[0]), 1);
	EQ(signals(fd[1]), 0);
	EQ(signals(fd[2]), 1);
	/* Beside it, and MMIO of the same address, is nothing. */
	start(&m, 0, 0, 0, PORT + 1);
	for (unsigned int size = 1; size < 8; size *= 2)
		expect_out(&m, PORT + 1, size);
	RUN(&m, KVM_EXIT_HLT);
	/* Of any length. */
	OK(ioeventfd(&m, any, PORT + 1, 0, PIO, 0));
	start(&m, 0, 0, 0, PORT + 1);
	RUN(&m, KVM_EXIT_HLT);
	EQ(signals(any), 3);
	for (int i = 0; i < 3; i++)
		EQ(signals(fd[i]), 0);
}

TEST(kvm_ioeventfd_memory)
{
	struct machine m;
	int fd[4] = { event(), event(), event(), event() }, any = event();

	machine(&m, MB, stores, stores_end);
	long_mode(&m);
	for (int i = 0; i < 4; i++)
		OK(ioeventfd(&m, fd[i], MMIO, 1u << i, 0, 0));
	start(&m, 0x1122334455667788, MMIO, 0, 0);
	RUN(&m, KVM_EXIT_HLT);
	for (int i = 0; i < 4; i++) {
		EQ(signals(fd[i]), 1);
		OK(ioeventfd(&m, fd[i], MMIO, 1u << i, OFF, 0));
	}
	OK(ioeventfd(&m, any, MMIO, 0, 0, 0));
	start(&m, 1, MMIO, 0, 0);
	RUN(&m, KVM_EXIT_HLT);
	EQ(signals(any), 4);
	start(&m, 1, MMIO + 1, 0, 0);
	for (unsigned int len = 1; len < 16; len *= 2)
		expect_store(&m, MMIO + 1, len);
	RUN(&m, KVM_EXIT_HLT);
	OK(ioeventfd(&m, any, MMIO, 0, OFF, 0));
	start(&m, 1, MMIO, 0, 0);
	expect_store(&m, MMIO, 1);
	EQ(signals(any), 0);
}

/* Values, each of its own length; the owner sees what nobody waits for. */
TEST(kvm_ioeventfd_values)
{
	struct machine m;
	int a = event(), b = event(), c = event();

	machine(&m, MB, outs, outs_end);
	protected_mode(m.v);
	OK(ioeventfd(&m, a, PORT, 1, PIO | MATCH, 0x44));
	OK(ioeventfd(&m, b, PORT, 1, PIO | MATCH, 0x45));
	OK(ioeventfd(&m, c, PORT, 2, PIO | MATCH, 0x3344));
	/* More than a byte has: never. */
	OK(ioeventfd(&m, c, PORT, 1, PIO | MATCH, 0x144));
	OK(ioeventfd(&m, c, PORT, 4, PIO | MATCH, 0x11223344));
	start(&m, 0x11223344, 0, 0, PORT);
	RUN(&m, KVM_EXIT_HLT);
	EQ(signals(a), 1);
	EQ(signals(b), 0);
	EQ(signals(c), 2);
	start(&m, 0x11223345, 0, 0, PORT);
	expect_out(&m, PORT, 2);
	expect_out(&m, PORT, 4);
	RUN(&m, KVM_EXIT_HLT);
	EQ(signals(a), 0);
	EQ(signals(b), 1);
	EQ(signals(c), 0);
}

GUEST(rep_outs, ".code32", "cld; rep outsb; hlt");
GUEST(rep_stores, ".code32", "cld; rep stosl; hlt");

/* Strings: each element is a write. */
TEST(kvm_ioeventfd_strings)
{
	struct machine m;
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rsi = 0x5000, .rcx = 100, .rdx = PORT };
	int all = event(), one = event();

	machine(&m, MB, rep_outs, rep_outs_end);
	protected_mode(m.v);
	for (unsigned int i = 0; i < 100; i++)
		m.mem[0x5000 + i] = (char)i;
	OK(ioeventfd(&m, all, PORT, 1, PIO, 0));
	OK(ioctl(m.v, KVM_SET_REGS, &regs));
	RUN(&m, KVM_EXIT_HLT);
	EQ(signals(all), 100);
	memcpy(m.mem + CODE, rep_stores, (size_t)(rep_stores_end - rep_stores));
	OK(ioeventfd(&m, one, MMIO + 8, 4, MATCH, 5));
	regs.rdi = MMIO;
	regs.rcx = 4;
	regs.rax = 5;
	OK(ioctl(m.v, KVM_SET_REGS, &regs));
	expect_store(&m, MMIO, 4);
	expect_store(&m, MMIO + 4, 4);
	expect_store(&m, MMIO + 12, 4);
	RUN(&m, KVM_EXIT_HLT);
	EQ(signals(one), 1);
}

TEST(kvm_ioeventfd_errors)
{
	struct machine m;
	int fd = event(), other = event(), null;

	machine(&m, MB, outs, outs_end);
	null = OK(open("/dev/null", O_RDWR));
	ERR(ioctl(m.vm, KVM_IOEVENTFD, NULL), EFAULT);
	ERR(ioeventfd(&m, fd, MMIO, 3, 0, 0), EINVAL);
	ERR(ioeventfd(&m, fd, MMIO, 16, 0, 0), EINVAL);
	ERR(ioeventfd(&m, fd, ~0ull, 1, 0, 0), EINVAL);
	ERR(ioeventfd(&m, fd, ~0ull - 2, 4, 0, 0), EINVAL);
	ERR(ioeventfd(&m, fd, MMIO, 4, 1u << 5, 0), EINVAL);
	ERR(ioeventfd(&m, fd, MMIO, 0, MATCH, 0), EINVAL);
	/* The rules come before the descriptor. */
	ERR(ioeventfd(&m, 9999, MMIO, 3, 0, 0), EINVAL);
	ERR(ioeventfd(&m, 9999, MMIO, 4, 0, 0), EBADF);
	ERR(ioeventfd(&m, null, MMIO, 4, 0, 0), EINVAL);
	ERR(ioeventfd(&m, 9999, MMIO, 4, OFF, 0), EBADF);
	ERR(ioeventfd(&m, null, MMIO, 4, OFF, 0), EINVAL);
	ERR(ioeventfd(&m, fd, MMIO, 4, OFF, 0), ENOENT);
	ERR(ioeventfd(&m, fd, MMIO, 3, OFF | 1u << 5, 0), ENOENT);
	/* What two would take is the first one's. */
	OK(ioeventfd(&m, fd, MMIO, 4, 0, 0));
	ERR(ioeventfd(&m, other, MMIO, 4, 0, 0), EEXIST);
	ERR(ioeventfd(&m, other, MMIO, 4, MATCH, 7), EEXIST);
	ERR(ioeventfd(&m, other, MMIO, 0, 0, 0), EEXIST);
	OK(ioeventfd(&m, other, MMIO, 2, MATCH, 7));
	ERR(ioeventfd(&m, other, MMIO, 2, MATCH, 7), EEXIST);
	ERR(ioeventfd(&m, other, MMIO, 2, 0, 0), EEXIST);
	OK(ioeventfd(&m, other, MMIO, 2, MATCH, 8));
	OK(ioeventfd(&m, other, MMIO, 4, PIO, 0));
	OK(ioeventfd(&m, other, MMIO + 2, 4, 0, 0));
	/* All must be as it was. */
	ERR(ioeventfd(&m, other, MMIO, 4, OFF, 0), ENOENT);
	ERR(ioeventfd(&m, fd, MMIO, 4, OFF | PIO, 0), ENOENT);
	ERR(ioeventfd(&m, fd, MMIO, 2, OFF, 0), ENOENT);
	ERR(ioeventfd(&m, fd, MMIO, 4, OFF | MATCH, 0), ENOENT);
	ERR(ioeventfd(&m, other, MMIO, 2, OFF | MATCH, 9), ENOENT);
	OK(ioeventfd(&m, other, MMIO, 2, OFF | MATCH, 8));
	OK(ioeventfd(&m, fd, MMIO, 4, OFF, 0));
	ERR(ioeventfd(&m, fd, MMIO, 4, OFF, 0), ENOENT);
	ERR(ioeventfd(&m, other, MMIO, 0, 0, 0), EEXIST);
	OK(ioeventfd(&m, other, MMIO, 2, OFF | MATCH, 7));
	OK(ioeventfd(&m, other, MMIO, 0, 0, 0));
}

/* The last address there is, many at once, descriptors that are gone, a VM that goes with all. */
TEST(kvm_ioeventfd_many)
{
	struct machine m;
	int fd = event(), gone = event();
	unsigned int n = 1200;	/* more than a bus has other devices */

	machine(&m, MB, outs, outs_end);
	protected_mode(m.v);
	OK(ioeventfd(&m, fd, ~0ull, 0, 0, 0));
	for (unsigned int i = 0; i < n; i++)
		OK(ioeventfd(&m, fd, 0x1000 + 4 * ((i * 7) % n), 4, PIO, 0));
	OK(ioeventfd(&m, gone, PORT, 2, PIO, 0));
	close(gone);
	for (unsigned int i = 0; i < n; i += 97) {
		start(&m, 1, 0, 0, 0x1000 + 4 * i);
		expect_out(&m, (uint16_t)(0x1000 + 4 * i), 1);
		expect_out(&m, (uint16_t)(0x1000 + 4 * i), 2);
		RUN(&m, KVM_EXIT_HLT);
		EQ(signals(fd), 1);
	}
	start(&m, 1, 0, 0, PORT);
	expect_out(&m, PORT, 1);
	expect_out(&m, PORT, 4);
	RUN(&m, KVM_EXIT_HLT);
	for (unsigned int i = 0; i < n; i += 3)
		OK(ioeventfd(&m, fd, 0x1000 + 4 * i, 4, PIO | OFF, 0));
	for (unsigned int i = 0; i < 6; i++) {
		start(&m, 1, 0, 0, 0x1000 + 4 * i);
		expect_out(&m, (uint16_t)(0x1000 + 4 * i), 1);
		expect_out(&m, (uint16_t)(0x1000 + 4 * i), 2);
		if (i % 3 == 0)
			expect_out(&m, (uint16_t)(0x1000 + 4 * i), 4);
		RUN(&m, KVM_EXIT_HLT);
		EQ(signals(fd), i % 3 ? 1 : 0);
	}
}

/* ---- coalesced writes ---- */

#define RING_MAX KVM_COALESCED_MMIO_MAX
#define PAGE_SIZE PAGE

static int zone(struct machine *m, unsigned long cmd, uint64_t addr, uint32_t size, uint32_t pio)
{
	struct kvm_coalesced_mmio_zone z = { .addr = addr, .size = size, .pio = pio };

	return ioctl(m->vm, cmd, &z);
}

static struct kvm_coalesced_mmio_ring *ring_of(struct machine *m)
{
	return (void *)((char *)m->run + extension(m, KVM_CAP_COALESCED_MMIO) * PAGE);
}

TEST(kvm_coalesced)
{
	struct machine m;
	struct kvm_coalesced_mmio_ring *r;
	struct kvm_run *second;

	machine(&m, MB, stores, stores_end);
	long_mode(&m);
	EQ(extension(&m, KVM_CAP_COALESCED_MMIO), 2);
	EQ(extension(&m, KVM_CAP_COALESCED_PIO), 1);
	r = ring_of(&m);
	EQ(r->first, 0);
	EQ(r->last, 0);
	ERR(ioctl(m.vm, KVM_REGISTER_COALESCED_MMIO, NULL), EFAULT);
	ERR(zone(&m, KVM_REGISTER_COALESCED_MMIO, MMIO, PAGE, 2), EINVAL);
	ERR(zone(&m, KVM_UNREGISTER_COALESCED_MMIO, MMIO, PAGE, 2), EINVAL);
	OK(zone(&m, KVM_UNREGISTER_COALESCED_MMIO, MMIO, PAGE, 0));
	OK(zone(&m, KVM_REGISTER_COALESCED_MMIO, MMIO, 0x100, 0));
	OK(zone(&m, KVM_REGISTER_COALESCED_MMIO, ~0ull, 0x100, 0));
	OK(zone(&m, KVM_REGISTER_COALESCED_MMIO, MMIO + 0x1000, 0, 0));
	start(&m, 0x1122334455667788, MMIO + 0x20, 0, 0);
	RUN(&m, KVM_EXIT_HLT);
	EQ(r->first, 0);
	EQ(r->last, 4);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t value = 0;

		EQ(r->coalesced_mmio[i].phys_addr, MMIO + 0x20);
		EQ(r->coalesced_mmio[i].len, 1u << i);
		EQ(r->coalesced_mmio[i].pio, 0);
		memcpy(&value, r->coalesced_mmio[i].data, 8);
		EQ(value,
		   i == 3 ? 0x1122334455667788 : 0x1122334455667788 & ((1ull << (8 << i)) - 1));
	}
	/* Not all within the zone. */
	start(&m, 0, MMIO + 0xfc, 0, 0);
	expect_store(&m, MMIO + 0xfc, 8);
	EQ(r->last, 7);
	RUN(&m, KVM_EXIT_HLT);
	start(&m, 0, MMIO - 1, 0, 0);
	expect_store(&m, MMIO - 1, 1);
	/* Each vCPU's mapping shows the same. */
	vcpu(&m, 1, &second);
	CHECK(!memcmp((char *)second + 2 * PAGE, r, PAGE));
	((struct kvm_coalesced_mmio_ring *)((char *)second + 2 * PAGE))->first = 7;
	EQ(r->first, 7);
	/* A part of the zone, and all of it goes. */
	OK(zone(&m, KVM_UNREGISTER_COALESCED_MMIO, MMIO, 0x101, 0));
	start(&m, 0, MMIO, 0, 0);
	RUN(&m, KVM_EXIT_HLT);
	EQ(r->last, 11);
	OK(zone(&m, KVM_UNREGISTER_COALESCED_MMIO, MMIO + 0x10, 0x10, 0));
	start(&m, 0, MMIO, 0, 0);
	expect_store(&m, MMIO, 1);
}

TEST(kvm_coalesced_ports)
{
	struct machine m;
	struct kvm_coalesced_mmio_ring *r;

	machine(&m, MB, outs, outs_end);
	protected_mode(m.v);
	r = ring_of(&m);
	OK(zone(&m, KVM_REGISTER_COALESCED_MMIO, PORT, 4, 1));
	start(&m, 0xaabbccdd, 0, 0, PORT);
	RUN(&m, KVM_EXIT_HLT);
	EQ(r->last, 3);
	EQ(r->coalesced_mmio[1].pio, 1);
	EQ(r->coalesced_mmio[1].phys_addr, PORT);
	EQ(r->coalesced_mmio[1].len, 2);
	EQ(*(uint32_t *)r->coalesced_mmio[2].data, 0xaabbccdd);
	OK(zone(&m, KVM_UNREGISTER_COALESCED_MMIO, PORT, 4, 0));	/* no such MMIO */
	start(&m, 0, 0, 0, PORT);
	RUN(&m, KVM_EXIT_HLT);
	EQ(r->last, 6);
	OK(zone(&m, KVM_UNREGISTER_COALESCED_MMIO, PORT, 4, 1));
	start(&m, 0, 0, 0, PORT);
	expect_out(&m, PORT, 1);
}

/* Full, or with indices that the owner spoils: the write is the owner's. */
TEST(kvm_coalesced_full)
{
	static const uint32_t bad[] = { RING_MAX, RING_MAX + 1, 0x80000000, 0xffffffff };
	struct machine m;
	struct kvm_coalesced_mmio_ring *r;
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rdi = MMIO };

	machine(&m, MB, rep_stores, rep_stores_end);
	protected_mode(m.v);
	r = ring_of(&m);
	OK(zone(&m, KVM_REGISTER_COALESCED_MMIO, MMIO, 0x10000, 0));
	regs.rcx = RING_MAX + 1;
	regs.rax = 9;
	OK(ioctl(m.v, KVM_SET_REGS, &regs));
	expect_store(&m, MMIO + 4 * (RING_MAX - 1), 4);
	EQ(r->last, RING_MAX - 1);
	r->first = 1;
	RUN(&m, KVM_EXIT_HLT);
	EQ(r->last, 0);
	EQ(r->coalesced_mmio[RING_MAX - 1].phys_addr, MMIO + 4 * RING_MAX);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r->first = bad[i];
		r->last = RING_MAX - 1;
		regs.rcx = 1;
		OK(ioctl(m.v, KVM_SET_REGS, &regs));
		RUN(&m, KVM_EXIT_HLT);
		EQ(r->last, 0);
		r->last = bad[i];
		OK(ioctl(m.v, KVM_SET_REGS, &regs));
		expect_store(&m, MMIO, 4);
		EQ(r->last, bad[i]);
		RUN(&m, KVM_EXIT_HLT);
	}
}

/* A bus has 1,000 devices, but for eventfds, which there is no room for then either. */
TEST(kvm_bus_full)
{
	struct machine m;
	int fd = event();
	struct kvm_coalesced_mmio_ring *r;

	machine(&m, MB, outs, outs_end);
	protected_mode(m.v);
	r = ring_of(&m);
	for (uint64_t i = 0; i < 10; i++)
		OK(ioeventfd(&m, fd, 0x2000 + i, 1, PIO, 0));
	for (uint64_t i = 0; i < 1000; i++)
		OK(zone(&m, KVM_REGISTER_COALESCED_MMIO, 0x1000 + 4 * i, 4, 1));
	ERR(zone(&m, KVM_REGISTER_COALESCED_MMIO, 0x5000, 4, 1), ENOSPC);
	ERR(ioeventfd(&m, fd, 0x5000, 1, PIO, 0), ENOSPC);
	OK(zone(&m, KVM_REGISTER_COALESCED_MMIO, 0x5000, 4, 0));
	start(&m, 0, 0, 0, 0x1000 + 4 * 700);
	RUN(&m, KVM_EXIT_HLT);
	EQ(r->last, 3);
	OK(zone(&m, KVM_UNREGISTER_COALESCED_MMIO, 0x1000 + 4 * 700, 4, 1));
	OK(ioeventfd(&m, fd, 0x5000, 1, PIO, 0));
	OK(zone(&m, KVM_REGISTER_COALESCED_MMIO, 0x5000, 4, 1));
	ERR(zone(&m, KVM_REGISTER_COALESCED_MMIO, 0x5004, 4, 1), ENOSPC);
}
#else
TEST(kvm_bus)
{
	SKIP("these guests are x86_64's");
}
#endif
