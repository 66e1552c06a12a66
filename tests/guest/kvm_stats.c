// SPDX-License-Identifier: MIT
/* KVM_GET_STATS_FD: the file of a VM's and a vCPU's counts, and what they count (x86_64). */
#include "t.h"
#ifdef __x86_64__
#include "kvm_machine.h"
#include <fcntl.h>
#include <sys/eventfd.h>

#define ROWS_MAX 256

/* A file of counts, taken apart. */
struct stats {
	int fd;
	struct kvm_stats_header h;
	char id[256];
	char desc[ROWS_MAX * (sizeof(struct kvm_stats_desc) + 256)];
};

static const struct kvm_stats_desc *row(const struct stats *s, unsigned int i)
{
	return (const void *)(s->desc + i * (sizeof(struct kvm_stats_desc) + s->h.name_size));
}

/* Sizes and places as linux/kvm.h says. */
static void open_stats(struct stats *s, int of)
{
	size_t size;

	s->fd = OK(ioctl(of, KVM_GET_STATS_FD, 0));
	EQ(pread(s->fd, &s->h, sizeof(s->h), 0), sizeof(s->h));
	EQ(s->h.flags, 0);
	CHECK(s->h.name_size > 0 && s->h.name_size <= sizeof(s->id));
	CHECK(s->h.num_desc > 0 && s->h.num_desc <= ROWS_MAX);
	CHECK(s->h.id_offset >= sizeof(s->h));
	CHECK(s->h.desc_offset >= s->h.id_offset + s->h.name_size);
	EQ(pread(s->fd, s->id, s->h.name_size, s->h.id_offset), s->h.name_size);
	CHECK(memchr(s->id, 0, s->h.name_size));
	size = s->h.num_desc * (sizeof(struct kvm_stats_desc) + s->h.name_size);
	CHECK(s->h.data_offset >= s->h.desc_offset + size);
	EQ(pread(s->fd, s->desc, size, s->h.desc_offset), size);
	for (unsigned int i = 0; i < s->h.num_desc; i++) {
		const struct kvm_stats_desc *d = row(s, i);
		uint32_t type = d->flags & KVM_STATS_TYPE_MASK;

		CHECK(memchr(d->name, 0, s->h.name_size) && d->name[0]);
		CHECK(type <= KVM_STATS_TYPE_MAX);
		CHECK((d->flags & KVM_STATS_UNIT_MASK) <= KVM_STATS_UNIT_MAX);
		CHECK((d->flags & KVM_STATS_BASE_MASK) <= KVM_STATS_BASE_MAX);
		CHECK(d->size > 0 && !(d->offset & 7));
		EQ(!!d->bucket_size, type == KVM_STATS_TYPE_LINEAR_HIST);
		for (unsigned int k = 0; k < i; k++)
			CHECK(strcmp(d->name, row(s, k)->name));
	}
}

static const struct kvm_stats_desc *find(const struct stats *s, const char *name)
{
	for (unsigned int i = 0; i < s->h.num_desc; i++)
		if (!strcmp(row(s, i)->name, name))
			return row(s, i);
	printf("no %s\n", name);
	CHECK(0);
	return NULL;
}

static uint64_t count(const struct stats *s, const char *name)
{
	uint64_t n;

	EQ(pread(s->fd, &n, sizeof(n), s->h.data_offset + find(s, name)->offset), sizeof(n));
	return n;
}

#define FLAGS(type, unit) (KVM_STATS_TYPE_##type | KVM_STATS_UNIT_##unit | KVM_STATS_BASE_POW10)

GUEST(quiet, ".code16", "hlt");

static struct stats vm, v;

TEST(kvm_stats_layout)
{
	struct machine m;
	char want[64], link[64] = "", path[64], all[4096], byte;
	size_t size, half;
	int id;

	machine(&m, MB, quiet, quiet_end);
	EQ(extension(&m, KVM_CAP_BINARY_STATS_FD), 1);
	open_stats(&vm, m.vm);
	open_stats(&v, m.v);
	/* Named by the thread that made the VM, as the first namespace numbers it. */
	EQ(sscanf(vm.id, "kvm-%d", &id), 1);
	CHECK(id > 0);
	snprintf(want, sizeof(want), "kvm-%d", id);
	CHECK(!strcmp(vm.id, want));
	snprintf(want, sizeof(want), "kvm-%d/vcpu-0", id);
	CHECK(!strcmp(v.id, want));
	/* Only to be read, from any place; closed by exec. */
	EQ(fcntl(v.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	EQ(fcntl(v.fd, F_GETFD), FD_CLOEXEC);
	ERR(write(v.fd, "", 1), EBADF);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", v.fd);
	OK(readlink(path, link, sizeof(link) - 1));
	CHECK(!strcmp(link, "anon_inode:kvm-vcpu-stats:0"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", vm.fd);
	memset(link, 0, sizeof(link));
	OK(readlink(path, link, sizeof(link) - 1));
	CHECK(!strcmp(link, "anon_inode:kvm-vm-stats"));
	/* The file goes on where the last read ended, and ends behind the counts. */
	EQ(read(v.fd, all, 7), 7);
	EQ(read(v.fd, all + 7, sizeof(v.h) - 7), sizeof(v.h) - 7);
	CHECK(!memcmp(all, &v.h, sizeof(v.h)));
	EQ(read(v.fd, all, 4), 4);
	CHECK(!memcmp(all, v.id, 4));
	size = v.h.data_offset;
	for (unsigned int i = 0; i < v.h.num_desc; i++) {
		size_t end = v.h.data_offset + row(&v, i)->offset + 8ul * row(&v, i)->size;

		size = end > size ? end : size;
	}
	ERR(pread(v.fd, (void *)8, 1, 0), EFAULT);
	EQ(pread(v.fd, &byte, 1, (off_t)size), 0);
	EQ(pread(v.fd, &byte, 1, (off_t)1 << 40), 0);
	EQ(pread(v.fd, &byte, 1, (off_t)size - 1), 1);
	half = size - v.h.data_offset;
	CHECK(half < sizeof(all));
	EQ(pread(v.fd, all, sizeof(all), v.h.data_offset), half);
	/* As they are said. */
	EQ(find(&v, "exits")->flags, FLAGS(CUMULATIVE, NONE));
	EQ(find(&v, "exits")->exponent, 0);
	EQ(find(&v, "exits")->size, 1);
	EQ(find(&v, "halt_wait_ns")->flags, FLAGS(CUMULATIVE, SECONDS));
	EQ(find(&v, "halt_wait_ns")->exponent, -9);
	EQ(find(&v, "blocking")->flags, FLAGS(INSTANT, BOOLEAN));
	EQ(find(&vm, "remote_tlb_flush")->flags, FLAGS(CUMULATIVE, NONE));
}

GUEST(busy, ".code64", "1: outb %al, %dx; movl %eax, (%rbx); dec %rcx; jnz 1b; vmmcall; hlt");

/* Ten writes to a port, ten to MMIO, one hypercall, one HLT. */
static void busily(struct machine *m, bool owner)
{
	struct kvm_regs regs = { .rip = CODE,
				 .rflags = 2,
				 .rsp = 0x8000,
				 .rax = 99,
				 .rbx = MMIO,
				 .rcx = 10,
				 .rdx = PORT };

	OK(ioctl(m->v, KVM_SET_REGS, &regs));
	for (int i = 0; i < 10 && owner; i++) {
		RUN(m, KVM_EXIT_IO);
		RUN(m, KVM_EXIT_MMIO);
	}
	RUN(m, KVM_EXIT_HLT);
}

static void expect(const struct stats *s, uint64_t io, uint64_t mmio, uint64_t call, uint64_t halt)
{
	EQ(count(s, "io_exits"), io);
	EQ(count(s, "mmio_exits"), mmio);
	EQ(count(s, "hypercalls"), call);
	EQ(count(s, "halt_exits"), halt);
}

TEST(kvm_stats_exits)
{
	struct machine m;
	struct kvm_ioeventfd e = { .addr = MMIO, .len = 4, .fd = OK(eventfd(0, EFD_NONBLOCK)) };
	uint64_t before;

	machine(&m, MB, busy, busy_end);
	long_mode(&m);
	open_stats(&v, m.v);
	expect(&v, 0, 0, 0, 0);
	EQ(count(&v, "exits"), 0);
	EQ(count(&v, "pf_taken"), 0);
	busily(&m, true);
	expect(&v, 10, 10, 1, 1);
	/* Each of these, and what there was of memory. */
	CHECK(count(&v, "exits") >= 22);
	CHECK(count(&v, "pf_taken") >= 1);
	CHECK(count(&v, "pf_fixed") >= 1);
	EQ(count(&v, "insn_emulation_fail"), 0);
	EQ(count(&v, "irq_injections"), 0);
	EQ(count(&v, "signal_exits"), 0);
	EQ(count(&v, "blocking"), 0);
	EQ(count(&v, "halt_wakeup"), 0);
	/* An eventfd in the owner's place: the exits to it are no more, those of the guest are. */
	OK(ioctl(m.vm, KVM_IOEVENTFD, &e));
	e.addr = PORT;
	e.len = 1;
	e.flags = KVM_IOEVENTFD_FLAG_PIO;
	OK(ioctl(m.vm, KVM_IOEVENTFD, &e));
	before = count(&v, "exits");
	busily(&m, false);
	expect(&v, 20, 10, 2, 2);
	CHECK(count(&v, "exits") >= before + 22);
	/* No exit at all. */
	before = count(&v, "exits");
	m.run->immediate_exit = 1;
	ERR(ioctl(m.v, KVM_RUN, 0), EINTR);
	m.run->immediate_exit = 0;
	EQ(count(&v, "exits"), before);
	EQ(count(&v, "signal_exits"), 0);
}

GUEST(takes, ".code16", "1: sti; hlt; jmp 1b");

TEST(kvm_stats_interrupts)
{
	struct machine m;
	struct kvm_interrupt irq = { .irq = 0x20 };
	uint16_t *ivt;

	machine(&m, MB, takes, takes_end);
	ivt = (void *)m.mem;
	m.mem[0x3000] = (char)0xcf;	/* IRET */
	ivt[2 * 0x20] = ivt[2 * 2] = 0x3000;
	open_stats(&v, m.v);
	RUN(&m, KVM_EXIT_HLT);
	for (int i = 0; i < 5; i++) {
		OK(ioctl(m.v, KVM_INTERRUPT, &irq));
		RUN(&m, KVM_EXIT_HLT);
	}
	CHECK(count(&v, "irq_injections") >= 5);
	EQ(count(&v, "nmi_injections"), 0);
	OK(ioctl(m.v, KVM_NMI, 0));
	RUN(&m, KVM_EXIT_HLT);
	CHECK(count(&v, "nmi_injections") >= 1);
	EQ(count(&v, "halt_exits"), 7);
}

TEST(kvm_stats_flushes)
{
	struct machine m;
	uint64_t n, requests;

	machine(&m, MB, quiet, quiet_end);
	open_stats(&vm, m.vm);
	open_stats(&v, m.v);
	RUN(&m, KVM_EXIT_HLT);
	n = count(&vm, "remote_tlb_flush");
	requests = count(&vm, "remote_tlb_flush_requests");
	CHECK(requests >= n);
	/* What the guest reached goes. It does not run: nobody is interrupted. */
	OK(madvise(m.mem, m.size, MADV_DONTNEED));
	CHECK(count(&vm, "remote_tlb_flush_requests") > requests);
	EQ(count(&vm, "remote_tlb_flush"), n);
	/* The file holds the VM. */
	munmap(m.run, 3 * PAGE);
	close(m.v);
	close(m.vm);
	EQ(count(&v, "halt_exits"), 1);
	CHECK(count(&vm, "remote_tlb_flush_requests") > requests);
}

#else
TEST(kvm_stats)
{
	SKIP("another CPU");
}
#endif
