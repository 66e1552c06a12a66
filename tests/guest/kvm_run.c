// SPDX-License-Identifier: MIT
/*
 * Guests of a few instructions (x86_64): ports, MMIO, memory, signals, and what their owner does to
 * it meanwhile.
 */
#include "t.h"
#ifdef __x86_64__
#include <linux/kvm.h>
#include <pthread.h>
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

static char *io_data(struct kvm_run *run)
{
	return (char *)run + run->io.data_offset;
}

GUEST(hello, ".code16",
      "movw $0x3f8, %dx; movb $'h', %al; outb %al, %dx; movb $'i', %al; outb %al, %dx\n"
      "movw $0x60, %dx; inb %dx, %al; incb %al; outb %al, $0x80\n"
      "movw $0x1234, %ax; outw %ax, $0x82; inl $0x84, %eax; outl %eax, $0x88\n"
      "hlt; outb %al, $0x81; hlt");

TEST(kvm_ports)
{
	struct machine m;
	struct kvm_regs regs;

	machine(&m, MB, hello, hello_end);
	for (int i = 0; i < 2; i++) {
		RUN(&m, KVM_EXIT_IO);
		EQ(m.run->io.direction, KVM_EXIT_IO_OUT);
		EQ(m.run->io.port, 0x3f8);
		EQ(m.run->io.size, 1);
		EQ(m.run->io.count, 1);
		EQ(*io_data(m.run), "hi"[i]);
	}
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.direction, KVM_EXIT_IO_IN);
	EQ(m.run->io.port, 0x60);
	*io_data(m.run) = 41;
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x80);
	EQ(*io_data(m.run), 42);
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x82);
	EQ(m.run->io.size, 2);
	EQ(*(uint16_t *)io_data(m.run), 0x1234);
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.size, 4);
	*(uint32_t *)io_data(m.run) = 0xdeadbeef;
	RUN(&m, KVM_EXIT_IO);
	EQ(*(uint32_t *)io_data(m.run), 0xdeadbeef);
	RUN(&m, KVM_EXIT_HLT);
	/* What it halted for is the owner's business: it goes on. */
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x81);
	RUN(&m, KVM_EXIT_HLT);
	OK(ioctl(m.v, KVM_GET_REGS, &regs));
	EQ(regs.rip, CODE + (uint64_t)(hello_end - hello));
	EQ(regs.rax, 0xdeadbeef);
}

/* Without a local APIC RUNNABLE is the one state; to set it keeps no vCPU out of its guest. */
TEST(kvm_mp_state)
{
	struct kvm_mp_state mp = { ~0u };
	struct machine m;

	machine(&m, MB, hello, hello_end);
	OK(ioctl(m.v, KVM_GET_MP_STATE, &mp));
	EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	for (uint32_t state = KVM_MP_STATE_UNINITIALIZED; state <= KVM_MP_STATE_SIPI_RECEIVED;
	     state++) {
		mp.mp_state = state;
		ERR(ioctl(m.v, KVM_SET_MP_STATE, &mp), EINVAL);
	}
	mp.mp_state = KVM_MP_STATE_RUNNABLE;
	OK(ioctl(m.v, KVM_SET_MP_STATE, &mp));
	RUN(&m, KVM_EXIT_IO);
	EQ(m.run->io.port, 0x3f8);
}

GUEST(device, ".code32",
      "movl 0x10000000, %eax; movl %eax, 0x10000004; movb 0x10000010, %bl; movb %bl, 0x10000011\n"
      "movzwl 0x10000020, %ecx; hlt");

TEST(kvm_mmio)
{
	static const struct {
		uint64_t at;
		int write, len;
		uint32_t data;
	} want[] = { { 0x10000000, 0, 4, 0x12345678 },
		     { 0x10000004, 1, 4, 0x12345678 },
		     { 0x10000010, 0, 1, 0x9a },
		     { 0x10000011, 1, 1, 0x9a },
		     { 0x10000020, 0, 2, 0xfedc } };
	struct machine m;
	struct kvm_regs regs;

	machine(&m, MB, device, device_end);
	protected_mode(m.v);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		uint32_t data = 0;

		RUN(&m, KVM_EXIT_MMIO);
		EQ(m.run->mmio.phys_addr, want[i].at);
		EQ(m.run->mmio.is_write, want[i].write);
		EQ(m.run->mmio.len, want[i].len);
		memcpy(&data, m.run->mmio.data, m.run->mmio.len);
		if (want[i].write)
			EQ(data, want[i].data);
		else
			memcpy(m.run->mmio.data, &want[i].data, m.run->mmio.len);
	}
	RUN(&m, KVM_EXIT_HLT);
	OK(ioctl(m.v, KVM_GET_REGS, &regs));
	EQ(regs.rax, 0x12345678);
	EQ(regs.rcx, 0xfedc);
}

GUEST(touch, ".code64",
      "movq $0x100000, %rdi; 1: movq %rdi, (%rdi); addq $4096, %rdi; cmpq $0x4000000, %rdi; jb 1b\n"
      "movq $0x1122334455667788, %rax; movq %rax, 0x9000; hlt");

static long secondary_tables(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[200];
	long kb = -1;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "SecPageTables: %ld kB", &kb);
	fclose(f);
	return kb;
}

TEST(kvm_touches_64_mib)
{
	long before = secondary_tables();
	struct machine m;

	CHECK(before >= 0);
	machine(&m, 64 * MB, touch, touch_end);
	long_mode(&m);
	RUN(&m, KVM_EXIT_HLT);
	for (uint64_t at = MB; at < 64 * MB; at += 4096)
		EQ(*(uint64_t *)(m.mem + at), at);
	EQ(*(uint64_t *)(m.mem + 0x9000), 0x1122334455667788);
	EQ(*(uint64_t *)(m.mem + 0xa000), 0);
	/* At least a table of each level; a host with large pages needs no more. */
	CHECK(secondary_tables() >= before + 3 * 4);
}

/* Counts at 0x5000 until 0x6000 holds something. */
GUEST(count, ".code32", "1: incl 0x5000; cmpl $0, 0x6000; je 1b; hlt");

static volatile uint32_t *word(struct machine *m, uint64_t at)
{
	return (volatile uint32_t *)(m->mem + at);
}

static void *run_thread(void *arg)
{
	struct machine *m = arg;

	return ioctl(m->v, KVM_RUN, 0) ? (void *)(long)errno : NULL;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void catch (int sig)
{
	struct sigaction sa = { .sa_handler = on_signal };

	OK(sigaction(sig, &sa, NULL));
}

static pthread_t start(struct machine *m)
{
	pthread_t t;

	machine(m, MB, count, count_end);
	protected_mode(m->v);
	EQ(pthread_create(&t, NULL, run_thread, m), 0);
	while (!*word(m, 0x5000))
		sched_yield();
	return t;
}

/* The guest counts on; then it is stopped, and has halted. */
static void stop(struct machine *m, pthread_t t)
{
	uint32_t n = *word(m, 0x5000);
	void *e;

	while (*word(m, 0x5000) == n)
		sched_yield();
	*word(m, 0x6000) = 1;
	EQ(pthread_join(t, &e), 0);
	CHECK(!e);
	EQ(m->run->exit_reason, KVM_EXIT_HLT);
}

TEST(kvm_signal_ends_a_run)
{
	struct machine m;
	pthread_t t;
	void *e;

	catch (SIGUSR1);
	t = start(&m);
	EQ(pthread_kill(t, SIGUSR1), 0);
	EQ(pthread_join(t, &e), 0);
	EQ((long)e, EINTR);
	EQ(m.run->exit_reason, KVM_EXIT_INTR);
	/* It goes on where it was. */
	EQ(pthread_create(&t, NULL, run_thread, &m), 0);
	stop(&m, t);
}

/* A signal that the thread blocks, but for KVM_RUN: it ends it, and is still there. */
TEST(kvm_signal_mask)
{
	struct {
		struct kvm_signal_mask m;
		unsigned char set[8];
	} __attribute__((packed)) mask = { { 8 }, { 0 } };
	struct machine m;
	sigset_t set;

	machine(&m, MB, count, count_end);
	protected_mode(m.v);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	OK(raise(SIGUSR1));
	OK(ioctl(m.v, KVM_SET_SIGNAL_MASK, &mask));
	for (int i = 0; i < 2; i++) {
		ERR(ioctl(m.v, KVM_RUN, 0), EINTR);
		EQ(m.run->exit_reason, KVM_EXIT_INTR);
		OK(sigpending(&set));
		EQ(sigismember(&set, SIGUSR1), 1);
	}
	/* Blocked also there, the guest runs to its end. */
	memset(mask.set, 0xff, 8);
	OK(ioctl(m.v, KVM_SET_SIGNAL_MASK, &mask));
	*word(&m, 0x6000) = 1;
	RUN(&m, KVM_EXIT_HLT);
}

/* What the owner takes away, the guest does not keep. */
TEST(kvm_pages_go)
{
	struct machine m;
	pthread_t t = start(&m);

	for (int i = 0; i < 50; i++) {
		OK(madvise(m.mem + 0x5000, PAGE, MADV_DONTNEED));
		while (!*word(&m, 0x5000))
			sched_yield();
		CHECK(mmap(m.mem + 0x6000, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	}
	stop(&m, t);
}

GUEST(writer, ".code32",
      "movl $1, 0x20000; movl $1, 0x23008; movl 0x25000, %eax; movl $2, 0x3f000; hlt");

/* A child has what was there at the fork, whatever the guest writes to afterwards. */
TEST(kvm_fork)
{
	struct machine m;
	int fds[2], pid, status;
	char c;

	machine(&m, MB, writer, writer_end);
	protected_mode(m.v);
	RUN(&m, KVM_EXIT_HLT);
	EQ(*word(&m, 0x20000), 1);
	*word(&m, 0x20000) = *word(&m, 0x3f000) = 7;
	OK(pipe(fds));
	pid = OK(fork());
	if (!pid) {
		EQ(read(fds[0], &c, 1), 1);
		EQ(*word(&m, 0x20000), 7);
		EQ(*word(&m, 0x3f000), 7);
		_exit(0);
	}
	set_rip(m.v, CODE);
	RUN(&m, KVM_EXIT_HLT);
	EQ(*word(&m, 0x20000), 1);
	EQ(*word(&m, 0x3f000), 2);
	EQ(write(fds[1], "x", 1), 1);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
}

/* Memory goes from under the guest: reading it becomes MMIO. */
TEST(kvm_slot_goes)
{
	struct machine m;
	pthread_t t;
	void *e;

	machine(&m, MB, count, count_end);
	protected_mode(m.v);
	OK(region(&m, 0, 0, 0, 0, NULL));
	OK(region(&m, 0, 0, 0, 0x6000, m.mem));
	OK(region(&m, 1, 0, 0x6000, PAGE, m.mem + 0x6000));
	EQ(pthread_create(&t, NULL, run_thread, &m), 0);
	while (!*word(&m, 0x5000))
		sched_yield();
	OK(region(&m, 1, 0, 0x6000, 0, NULL));
	EQ(pthread_join(t, &e), 0);
	CHECK(!e);
	EQ(m.run->exit_reason, KVM_EXIT_MMIO);
	EQ(m.run->mmio.phys_addr, 0x6000);
	EQ(m.run->mmio.is_write, 0);
	memset(m.run->mmio.data, 1, 4);
	RUN(&m, KVM_EXIT_HLT);
}

TEST(kvm_log)
{
	struct machine m;
	uint64_t bits[1];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };
	char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	machine(&m, 16 * PAGE, writer, writer_end);
	protected_mode(m.v);
	OK(region(&m, 1, KVM_MEM_LOG_DIRTY_PAGES, 0x20000, 32 * PAGE, p));
	for (int i = 0; i < 3; i++) {
		set_rip(m.v, CODE);
		RUN(&m, KVM_EXIT_HLT);
		OK(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log));
		EQ(bits[0], 1ull | 1ull << 3 | 1ull << 31);
		OK(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log));
		EQ(bits[0], 0);
		if (i == 1) {
			OK(region(&m, 1, 0, 0x20000, 32 * PAGE, p));
			set_rip(m.v, CODE);
			RUN(&m, KVM_EXIT_HLT);
			ERR(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
			OK(region(&m, 1, KVM_MEM_LOG_DIRTY_PAGES, 0x20000, 32 * PAGE, p));
		}
	}
	EQ(*(uint32_t *)(p + 0x3008), 1);
}

GUEST(reader, ".code32", "movl 0x20000, %eax; movl 0x21000, %eax; hlt");

/*
 * The first use of a page that may be written at once counts; that of one which may not does not.
 */
TEST(kvm_log_of_reads)
{
	struct machine m;
	uint64_t bits[1];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	*p = 7;
	machine(&m, 16 * PAGE, reader, reader_end);
	protected_mode(m.v);
	OK(region(&m, 1, KVM_MEM_LOG_DIRTY_PAGES, 0x20000, 2 * PAGE, p));
	for (uint64_t first = 1; first <= 1; first--) {
		set_rip(m.v, CODE);
		RUN(&m, KVM_EXIT_HLT);
		OK(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log));
		EQ(bits[0], first);
	}
}

TEST(kvm_read_only)
{
	struct machine m;
	char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_regs regs;

	CHECK(p != MAP_FAILED);
	*(uint32_t *)(p + 0x5000) = 0x55;
	machine(&m, 16 * PAGE, writer, writer_end);
	protected_mode(m.v);
	OK(region(&m, 1, KVM_MEM_READONLY, 0x20000, 32 * PAGE, p));
	for (int i = 0; i < 3; i++) {
		static const uint64_t at[] = { 0x20000, 0x23008, 0x3f000 };

		RUN(&m, KVM_EXIT_MMIO);
		EQ(m.run->mmio.is_write, 1);
		EQ(m.run->mmio.phys_addr, at[i]);
	}
	RUN(&m, KVM_EXIT_HLT);
	OK(ioctl(m.v, KVM_GET_REGS, &regs));
	EQ(regs.rax, 0x55);
	EQ(*(uint32_t *)p, 0);
}

/* Memory that the owner does not have. */
TEST(kvm_no_memory)
{
	struct machine m;

	machine(&m, MB, count, count_end);
	protected_mode(m.v);
	OK(munmap(m.mem + 0x5000, PAGE));
	ERR(ioctl(m.v, KVM_RUN, 0), EFAULT);
}

#define VCPUS 4

static void *run_one(void *arg)
{
	int v = *(int *)arg;

	return ioctl(v, KVM_RUN, 0) ? (void *)(long)errno : NULL;
}

/* Each counts its own word: EBX says where. */
GUEST(count_own, ".code32", "1: incl (%ebx); cmpl $0, 0x6000; je 1b; hlt");

TEST(kvm_vcpus)
{
	struct machine m;
	struct kvm_run *run[VCPUS];
	int v[VCPUS];
	pthread_t t[VCPUS];

	machine(&m, MB, count_own, count_own_end);
	for (int i = 0; i < VCPUS; i++) {
		struct kvm_regs regs = { .rip = CODE,
					 .rflags = 2,
					 .rbx = 0x10000 + 0x1000ull * (uint64_t)i };

		v[i] = vcpu(&m, (unsigned long)i + 1, &run[i]);
		protected_mode(v[i]);
		OK(ioctl(v[i], KVM_SET_REGS, &regs));
		EQ(pthread_create(&t[i], NULL, run_one, &v[i]), 0);
	}
	/* All go on while their memory goes. */
	for (int k = 0; k < 20; k++)
		for (unsigned long i = 0; i < VCPUS; i++) {
			OK(madvise(m.mem + 0x10000 + 0x1000 * i, PAGE, MADV_DONTNEED));
			while (!*word(&m, 0x10000 + 0x1000 * i))
				sched_yield();
		}
	*word(&m, 0x6000) = 1;
	for (int i = 0; i < VCPUS; i++) {
		void *e;

		EQ(pthread_join(t[i], &e), 0);
		CHECK(!e);
		EQ(run[i]->exit_reason, KVM_EXIT_HLT);
	}
}

/* Killed in the guest, its VM goes with it. */
TEST(kvm_killed)
{
	int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pid, status;

	CHECK(shared != MAP_FAILED);
	pid = OK(fork());
	if (!pid) {
		struct machine m;

		machine(&m, MB, count, count_end);
		protected_mode(m.v);
		OK(region(&m, 0, 0, 0, 0, NULL));
		OK(region(&m, 0, 0, 0, 0x5000, m.mem));
		OK(region(&m, 1, 0, 0x5000, PAGE, shared));
		OK(region(&m, 2, 0, 0x6000, PAGE, m.mem + 0x6000));
		ioctl(m.v, KVM_RUN, 0);
		_exit(1);
	}
	while (!*(volatile int *)shared)
		if (waitpid(pid, &status, WNOHANG)) {
			if (WIFEXITED(status) && WEXITSTATUS(status) == T_SKIPPED)
				SKIP("this CPU runs no guests");
			FAIL("it ended: %x", status);
		}
	OK(kill(pid, SIGKILL));
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
#else
TEST(kvm_run)
{
	SKIP("these guests are x86_64's");
}
#endif
