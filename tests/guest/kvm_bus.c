// SPDX-License-Identifier: MIT
/*
 * What a VM's owner does not have to do itself (x86_64): writes that signal eventfds or wait in the
 * ring of coalesced ones, interrupts that eventfds raise.
 */
#include "t.h"
#ifdef __x86_64__
#include <linux/kvm.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MB (1ul << 20)
#define CODE 0x1000

/* Real mode unless said otherwise; each begins at CODE. */
#define GUEST(name, mode, text)							\
	extern const char name[], name##_end[];					\
	__asm__(".pushsection .rodata\n" mode "\n" #name ":\n" text "\n"	\
		#name "_end:\n.code64\n.popsection")

struct machine {
	int vm, v;
	struct kvm_run *run;
	char *mem;
	size_t size;
};

static int region(struct machine *m, unsigned int slot, unsigned int flags, uint64_t at,
		  uint64_t size, void *p)
{
	struct kvm_userspace_memory_region r = { slot, flags, at, size, (uintptr_t)p };

	return ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static void set_rip(int v, uint64_t rip)
{
	struct kvm_regs regs = { .rip = rip, .rflags = 2, .rsp = 0x8000 };

	OK(ioctl(v, KVM_SET_REGS, &regs));
}

/* All that guests can have here. */
static void know_all(int v)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} id = { { .nent = 256 }, { { 0 } } };
	int kvm = OK(open("/dev/kvm", O_RDWR | O_CLOEXEC));

	OK(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &id));
	OK(ioctl(v, KVM_SET_CPUID2, &id));
	close(kvm);
}

/* A vCPU in real mode, all segments at 0. */
static int vcpu(struct machine *m, unsigned long id, struct kvm_run **run)
{
	int v = OK(ioctl(m->vm, KVM_CREATE_VCPU, id));
	struct kvm_sregs s;

	know_all(v);
	*run = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v, 0);
	CHECK(*run != MAP_FAILED);
	OK(ioctl(v, KVM_GET_SREGS, &s));
	s.cs.base = s.cs.selector = 0;
	OK(ioctl(v, KVM_SET_SREGS, &s));
	set_rip(v, CODE);
	return v;
}

static void machine(struct machine *m, size_t size, const char *code, const char *end)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		SKIP("this CPU runs no guests");
	OK(kvm);
	m->vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));
	m->size = size;
	m->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m->mem != MAP_FAILED);
	memcpy(m->mem + CODE, code, (size_t)(end - code));
	OK(region(m, 0, 0, 0, size, m->mem));
	m->v = vcpu(m, 0, &m->run);
	close(kvm);
}

/* Flat segments of 4 GiB; ring 0. */
static void protected_mode(int v)
{
	struct kvm_segment flat = {
		.limit = 0xffffffff, .selector = 8, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1
	};
	struct kvm_sregs s;

	OK(ioctl(v, KVM_GET_SREGS, &s));
	s.ds = s.es = s.ss = s.fs = s.gs = s.cs = flat;
	s.cs.type = 11;
	s.cr0 |= 1;
	OK(ioctl(v, KVM_SET_SREGS, &s));
}

/* Identity by entries of 2 MiB for the first GiB, tables from 0x2000 on. */
static void long_mode(struct machine *m)
{
	struct kvm_segment flat = {
		.limit = 0xffffffff, .selector = 8, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1
	};
	uint64_t *pml4 = (void *)(m->mem + 0x2000), *pdpt = (void *)(m->mem + 0x3000),
		 *pd = (void *)(m->mem + 0x4000);
	struct kvm_sregs s;

	pml4[0] = 0x3003;
	pdpt[0] = 0x4003;
	for (uint64_t i = 0; i < 512; i++)
		pd[i] = i << 21 | 0x83;
	OK(ioctl(m->v, KVM_GET_SREGS, &s));
	s.ds = s.es = s.ss = s.fs = s.gs = s.cs = flat;
	s.cs.type = 11;
	s.cs.l = 1;
	s.cs.db = 0;
	s.cr3 = 0x2000;
	s.cr4 |= 1 << 5;
	s.efer |= 1 << 8 | 1 << 10;
	s.cr0 |= 1u << 31 | 1;
	OK(ioctl(m->v, KVM_SET_SREGS, &s));
}

#define RUN(m, why) do {							\
	OK(ioctl((m)->v, KVM_RUN, 0));						\
	EQ((m)->run->exit_reason, why);						\
} while (0)

#define MMIO 0x10000000ull
#define PORT 0x510

static char *io_data(struct kvm_run *run)
{
	return (char *)run + run->io.data_offset;
}

static int extension(struct machine *m, unsigned long what)
{
	return ioctl(m->vm, KVM_CHECK_EXTENSION, what);
}

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
		EQ(value, i == 3 ? 0x1122334455667788 :
				   0x1122334455667788 & ((1ull << (8 << i)) - 1));
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

/* ---- interrupts ---- */

#define EVENTS 0x5000			/* how many messages came */
#define GDT 0x6000
#define IDT 0x7000
#define MESSAGE 0x40			/* vectors */
#define INPUT 0x41
#define MSI_GSI 30
#define PIN 10

/* Entry, a message's handler at +0x10, an input's at +0x40: it says so before and after its EOI. */
GUEST(waits, ".code32",
      "1: sti; hlt; jmp 1b\n"
      ".org waits + 0x10\n"
      "incl 0x5000; movl $0, 0xfee000b0; outb %al, $0x80; iretl\n"
      ".org waits + 0x40\n"
      "outb %al, $0x81; movl $0, 0xfee000b0; outb %al, $0x82; iretl");

static void gate(struct machine *m, unsigned int vector, uint32_t to)
{
	*(uint64_t *)(m->mem + IDT + 8 * vector) = (to & 0xffff) | 8 << 16 | 0x8e00ull << 32;
}

/* Controllers in the kernel, a vCPU whose APIC is on, an input of the I/O APIC that is a level. */
static void interrupts(struct machine *m)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	struct kvm_lapic_state lapic;
	struct kvm_sregs s;

	if (kvm < 0)
		SKIP("this CPU runs no guests");
	if (!ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_IRQCHIP))
		SKIP("no controllers in the kernel");
	m->vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));
	OK(ioctl(m->vm, KVM_CREATE_IRQCHIP));
	m->size = MB;
	m->mem = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m->mem != MAP_FAILED);
	memcpy(m->mem + CODE, waits, (size_t)(waits_end - waits));
	OK(region(m, 0, 0, 0, MB, m->mem));
	m->v = vcpu(m, 0, &m->run);
	protected_mode(m->v);
	*(uint64_t *)(m->mem + GDT + 8) = 0x00cf9b000000ffff;
	gate(m, MESSAGE, CODE + 0x10);
	gate(m, INPUT, CODE + 0x40);
	OK(ioctl(m->v, KVM_GET_SREGS, &s));
	s.gdt.base = GDT;
	s.gdt.limit = 15;
	s.idt.base = IDT;
	s.idt.limit = 0x7ff;
	OK(ioctl(m->v, KVM_SET_SREGS, &s));
	OK(ioctl(m->v, KVM_GET_LAPIC, &lapic));
	*(uint32_t *)(lapic.regs + 0xf0) = 0x1ff;
	OK(ioctl(m->v, KVM_SET_LAPIC, &lapic));
	OK(ioctl(m->vm, KVM_GET_IRQCHIP, &chip));
	chip.chip.ioapic.redirtbl[PIN].bits = INPUT | 1 << 15;
	OK(ioctl(m->vm, KVM_SET_IRQCHIP, &chip));
	close(kvm);
}

struct routes {
	struct kvm_irq_routing head;
	struct kvm_irq_routing_entry e[4];
};

static struct kvm_irq_routing_entry message(uint32_t gsi)
{
	return (struct kvm_irq_routing_entry){ .gsi = gsi,
					       .type = KVM_IRQ_ROUTING_MSI,
					       .u.msi = { .address_lo = 0xfee00000,
							  .data = MESSAGE } };
}

static struct kvm_irq_routing_entry input(uint32_t gsi, uint32_t chip, uint32_t pin)
{
	return (struct kvm_irq_routing_entry){ .gsi = gsi,
					       .type = KVM_IRQ_ROUTING_IRQCHIP,
					       .u.irqchip = { chip, pin } };
}

static int set_routes(struct machine *m, struct routes *r, unsigned int nr)
{
	r->head.nr = nr;
	return ioctl(m->vm, KVM_SET_GSI_ROUTING, r);
}

static void some_routes(struct machine *m)
{
	struct routes r = { .e = { message(MSI_GSI), input(PIN, KVM_IRQCHIP_IOAPIC, PIN) } };

	OK(set_routes(m, &r, 2));
}

static int irqfd(struct machine *m, int fd, uint32_t gsi, uint32_t flags, int resamplefd)
{
	struct kvm_irqfd i = { .fd = (uint32_t)fd,
			       .gsi = gsi,
			       .flags = flags,
			       .resamplefd = (uint32_t)resamplefd };

	return ioctl(m->vm, KVM_IRQFD, &i);
}

static void signal_event(int fd)
{
	uint64_t one = 1;

	EQ(write(fd, &one, 8), 8);
}

static void *signal_later(void *arg)
{
	usleep(20000);			/* in most runs it sleeps by then: either is right */
	signal_event(*(int *)arg);
	return NULL;
}

static uint32_t events(struct machine *m)
{
	return *(volatile uint32_t *)(m->mem + EVENTS);
}

TEST(kvm_no_irqchip)
{
	struct machine m;
	struct routes r = { .e = { message(MSI_GSI) } };
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = MESSAGE };
	struct kvm_irq_level level = { .irq = 1, .level = 1 };

	machine(&m, MB, outs, outs_end);
	ERR(set_routes(&m, &r, 1), EINVAL);
	ERR(ioctl(m.vm, KVM_SET_GSI_ROUTING, NULL), EFAULT);
	ERR(ioctl(m.vm, KVM_SIGNAL_MSI, &msi), EINVAL);
	ERR(ioctl(m.vm, KVM_IRQ_LINE, &level), ENXIO);
	ERR(ioctl(m.vm, KVM_IRQ_LINE_STATUS, &level), ENXIO);
	ERR(ioctl(m.vm, KVM_IRQ_LINE, NULL), EFAULT);
	ERR(irqfd(&m, event(), 1, 0, -1), EINVAL);
	ERR(irqfd(&m, 9999, 1, 0, -1), EINVAL);
	ERR(irqfd(&m, 9999, 1, KVM_IRQFD_FLAG_DEASSIGN, -1), EBADF);
	ERR(ioctl(m.vm, KVM_IRQFD, NULL), EFAULT);
}

TEST(kvm_routes)
{
	struct machine m;
	struct routes r;
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = MESSAGE };
	struct kvm_irq_level level = { .irq = MSI_GSI, .level = 1 };

	interrupts(&m);
	EQ(extension(&m, KVM_CAP_IRQ_ROUTING), 4096);
	EQ(extension(&m, KVM_CAP_SIGNAL_MSI), 1);
	EQ(extension(&m, KVM_CAP_IRQ_INJECT_STATUS), 1);
	some_routes(&m);
	r = (struct routes){ .head.flags = 1 };
	ERR(set_routes(&m, &r, 0), EINVAL);
	r = (struct routes){ .e = { message(4096) } };
	ERR(set_routes(&m, &r, 1), EINVAL);
	ERR(set_routes(&m, &r, 4097), EINVAL);
	r.e[0].gsi = 4095;
	OK(set_routes(&m, &r, 1));
	r.e[0].flags = 2;
	ERR(set_routes(&m, &r, 1), EINVAL);
	r = (struct routes){ .e = { message(1), message(1) } };
	ERR(set_routes(&m, &r, 2), EINVAL);
	r = (struct routes){ .e = { input(1, KVM_IRQCHIP_IOAPIC, 1), message(1) } };
	ERR(set_routes(&m, &r, 2), EINVAL);
	r.e[1] = input(1, KVM_IRQCHIP_IOAPIC, 2);
	ERR(set_routes(&m, &r, 2), EINVAL);
	r.e[1] = input(1, KVM_IRQCHIP_PIC_MASTER, 2);
	OK(set_routes(&m, &r, 2));
	r.e[1] = input(2, KVM_IRQCHIP_IOAPIC, 24);
	ERR(set_routes(&m, &r, 2), EINVAL);
	r.e[1].type = 77;
	ERR(set_routes(&m, &r, 2), EINVAL);
	/* What failed has changed nothing; a message by its GSI, and alone. */
	OK(ioctl(m.vm, KVM_IRQ_LINE_STATUS, &level));
	EQ(level.status, -1);
	some_routes(&m);
	level = (struct kvm_irq_level){ .irq = MSI_GSI, .level = 1 };
	OK(ioctl(m.vm, KVM_IRQ_LINE_STATUS, &level));
	EQ(level.status, 1);
	expect_out(&m, 0x80, 1);
	EQ(events(&m), 1);
	EQ(ioctl(m.vm, KVM_SIGNAL_MSI, &msi), 1);
	expect_out(&m, 0x80, 1);
	EQ(events(&m), 2);
	msi.flags = 2;
	ERR(ioctl(m.vm, KVM_SIGNAL_MSI, &msi), EINVAL);
	/* An empty table. */
	OK(set_routes(&m, &r, 0));
	level = (struct kvm_irq_level){ .irq = MSI_GSI, .level = 1 };
	OK(ioctl(m.vm, KVM_IRQ_LINE_STATUS, &level));
	EQ(level.status, -1);
}

TEST(kvm_irqfd)
{
	struct machine m;
	int fd = event(), other = event(), before = event();
	int null = OK(open("/dev/null", O_RDWR));
	pthread_t t;

	interrupts(&m);
	EQ(extension(&m, KVM_CAP_IRQFD), 1);
	EQ(extension(&m, KVM_CAP_IRQFD_RESAMPLE), 1);
	some_routes(&m);
	ERR(irqfd(&m, fd, MSI_GSI, 4, -1), EINVAL);
	ERR(irqfd(&m, 9999, MSI_GSI, 0, -1), EBADF);
	ERR(irqfd(&m, null, MSI_GSI, 0, -1), EINVAL);
	ERR(irqfd(&m, fd, MSI_GSI, KVM_IRQFD_FLAG_RESAMPLE, 9999), EBADF);
	ERR(irqfd(&m, fd, MSI_GSI, KVM_IRQFD_FLAG_RESAMPLE, null), EINVAL);
	ERR(irqfd(&m, 9999, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN, -1), EBADF);
	ERR(irqfd(&m, null, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN, -1), EINVAL);
	OK(irqfd(&m, fd, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN, -1));
	OK(irqfd(&m, fd, MSI_GSI, 0, -1));
	ERR(irqfd(&m, fd, MSI_GSI, 0, -1), EBUSY);
	ERR(irqfd(&m, fd, 1, 0, -1), EBUSY);
	OK(irqfd(&m, fd, 1, KVM_IRQFD_FLAG_DEASSIGN, -1));
	ERR(irqfd(&m, fd, MSI_GSI, 0, -1), EBUSY);
	/* Each signal is one interrupt, and is taken. */
	for (uint32_t i = 1; i <= 5; i++) {
		signal_event(fd);
		EQ(signals(fd), 0);
		expect_out(&m, 0x80, 1);
		EQ(events(&m), i);
	}
	/* Out of its sleep. */
	EQ(pthread_create(&t, NULL, signal_later, &fd), 0);
	expect_out(&m, 0x80, 1);
	EQ(pthread_join(t, NULL), 0);
	EQ(events(&m), 6);
	/* What was there before it was assigned. */
	signal_event(before);
	OK(irqfd(&m, before, MSI_GSI, 0, -1));
	expect_out(&m, 0x80, 1);
	EQ(events(&m), 7);
	/* No more: the count stays; elsewhere. */
	OK(irqfd(&m, fd, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN, -1));
	signal_event(fd);
	EQ(signals(fd), 1);
	OK(irqfd(&m, other, MSI_GSI, 0, -1));
	close(before);
	close(fd);
	signal_event(other);
	expect_out(&m, 0x80, 1);
	EQ(events(&m), 8);
}

TEST(kvm_irqfd_resample)
{
	struct machine m;
	int a = event(), b = event(), again_a = event(), again_b = event(), fd = event();

	interrupts(&m);
	some_routes(&m);
	OK(irqfd(&m, a, PIN, KVM_IRQFD_FLAG_RESAMPLE, again_a));
	OK(irqfd(&m, b, PIN, KVM_IRQFD_FLAG_RESAMPLE, again_b));
	OK(irqfd(&m, fd, MSI_GSI, 0, -1));
	for (unsigned int i = 0; i < 3; i++) {
		signal_event(a);
		expect_out(&m, 0x81, 1);
		EQ(signals(again_a), 0);
		expect_out(&m, 0x82, 1);
		EQ(signals(again_a), 1);
		EQ(signals(again_b), 1);
	}
	/* It is low again: the next interrupt is another one. */
	signal_event(fd);
	expect_out(&m, 0x80, 1);
	/* The last one that leaves lowers it. */
	OK(irqfd(&m, a, PIN, KVM_IRQFD_FLAG_DEASSIGN, -1));
	signal_event(b);
	expect_out(&m, 0x81, 1);
	expect_out(&m, 0x82, 1);
	EQ(signals(again_a), 0);
	EQ(signals(again_b), 1);
	OK(irqfd(&m, b, PIN, KVM_IRQFD_FLAG_DEASSIGN, -1));
	signal_event(fd);
	expect_out(&m, 0x80, 1);
}

/* A VM ends with all that is assigned, and with signals in flight; the eventfds live on. */
TEST(kvm_irqfd_ends)
{
	struct machine m;
	int fd[64];

	interrupts(&m);
	some_routes(&m);
	for (int i = 0; i < 64; i++) {
		fd[i] = event();
		OK(irqfd(&m, fd[i], i % 2 ? MSI_GSI : PIN, i % 4 ? 0 : KVM_IRQFD_FLAG_RESAMPLE,
			 fd[i / 2]));
	}
	for (int i = 0; i < 64; i++)
		signal_event(fd[i]);
	for (int i = 0; i < 32; i++)
		close(fd[i]);
	OK(munmap(m.run, 3 * PAGE));
	close(m.v);
	close(m.vm);
	for (int i = 32; i < 64; i++) {
		signals(fd[i]);
		signal_event(fd[i]);
		EQ(signals(fd[i]), 1);
	}
}
#else
TEST(kvm_bus)
{
	SKIP("these guests are x86_64's");
}
#endif
