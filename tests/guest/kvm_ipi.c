// SPDX-License-Identifier: MIT
/*
 * Two CPUs of a guest (x86_64) that send each other interrupts, halt, and have timers, while their
 * threads get signals and move from CPU to CPU, and all the guest's memory is taken out of its
 * tables again and again: each CPU goes on, with its own registers. KVM_IPIS=1000000 in the
 * environment makes it long; KVM_ALL_CPUS lets QEMU's first CPU run guests, too.
 */
#define TEST_LIMIT 900
#include "t.h"
#ifdef __x86_64__
#include "kvm_machine.h"
#include <pthread.h>
#include <stdatomic.h>

#define IDT 0x9000
#define GDT 0xa000
#define TIMER_CODE 0xb000
#define IPI_CODE 0xb800
#define COUNTS 0xc000			/* a page a CPU: interrupts sent, taken, timers */
#define STACKS 0x10000			/* a page a CPU, each ends 0x1000 above */
#define TOUCHED 0x100000
#define TOUCHED_END 0x180000
#define SIZE (2 * MB)
#define TIMER 0x40
#define IPI 0x41
#define CPUS 2

/* r9: its counts, r12: the other one's id, r14, r15: constants that stay. */
GUEST(sends, ".code64",
      "mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr\n"
      "mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr\n"
      "mov $0x83e, %ecx; mov $0xb, %eax; wrmsr; mov $0x832, %ecx; mov $0x20040, %eax; wrmsr\n"
      "mov $0x838, %ecx; mov $300000, %eax; wrmsr\n"
      "mov $0x100000, %rdi; sti\n"
      "1: mov $0x830, %ecx; mov %r12d, %edx; mov $0x41, %eax; wrmsr\n"
      "incq (%r9)\n"
      "mov (%rdi), %rbx; add $4096, %rdi; cmp $0x180000, %rdi; jb 2f; mov $0x100000, %rdi\n"
      "2: cmp %r14, %r15; jne 3f\n"
      "testb $7, (%r9); jnz 1b; hlt; jmp 1b\n"
      "3: ud2");
GUEST(on_timer, ".code64",
      "incq 16(%r9); push %rax; push %rcx; push %rdx\n"
      "mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr\n"
      "pop %rdx; pop %rcx; pop %rax; iretq");
GUEST(on_ipi, ".code64",
      "incq 8(%r9); push %rax; push %rcx; push %rdx\n"
      "mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr\n"
      "pop %rdx; pop %rcx; pop %rax; iretq");

static struct machine m;
static struct kvm_run *runs[CPUS];
static int vcpus[CPUS];
static pthread_t threads[CPUS];
static atomic_bool over;

static volatile uint64_t *counts(int cpu)
{
	return (volatile uint64_t *)(m.mem + COUNTS + cpu * PAGE);
}

static void gate(unsigned int vector, uint64_t to, const char *code, const char *end)
{
	uint64_t g[2] = { to | 8 << 16 | 0x8e00ull << 32, 0 };

	memcpy(m.mem + to, code, (size_t)(end - code));
	memcpy(m.mem + IDT + 16 * vector, g, sizeof(g));
}

static void boot(void)
{
	static const uint64_t gdt[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		SKIP("this CPU runs no guests");
	OK(kvm);
	m.vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));
	OK(ioctl(m.vm, KVM_CREATE_IRQCHIP, 0));
	/* shared: what is taken out of the tables stays as it is */
	m.mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(m.mem != MAP_FAILED);
	memcpy(m.mem + CODE, sends, (size_t)(sends_end - sends));
	memcpy(m.mem + GDT, gdt, sizeof(gdt));
	gate(TIMER, TIMER_CODE, on_timer, on_timer_end);
	gate(IPI, IPI_CODE, on_ipi, on_ipi_end);
	OK(region(&m, 0, 0, 0, SIZE, m.mem));
	for (int i = 0; i < CPUS; i++) {
		struct kvm_mp_state runs_now = { KVM_MP_STATE_RUNNABLE };
		struct kvm_regs regs = { .rip = CODE,
					 .rflags = 2,
					 .rsp = STACKS + (i + 1) * PAGE,
					 .r9 = COUNTS + i * PAGE,
					 .r12 = (uint64_t)!i,
					 .r14 = 77 + i,
					 .r15 = 77 + i };
		struct kvm_sregs s;

		m.v = vcpus[i] = vcpu(&m, (unsigned long)i, &runs[i]);
		long_mode(&m);
		OK(ioctl(m.v, KVM_GET_SREGS, &s));
		s.ss.selector = 16;
		s.gdt = (struct kvm_dtable){ .base = GDT, .limit = sizeof(gdt) - 1 };
		s.idt = (struct kvm_dtable){ .base = IDT, .limit = 0xfff };
		OK(ioctl(m.v, KVM_SET_SREGS, &s));
		OK(ioctl(m.v, KVM_SET_REGS, &regs));
		OK(ioctl(m.v, KVM_SET_MP_STATE, &runs_now));
	}
	close(kvm);
}

static void *run_one(void *arg)
{
	int i = (int)(intptr_t)arg;
	struct kvm_run *run = runs[i];

	while (!atomic_load(&over)) {
		struct kvm_regs r;

		if (ioctl(vcpus[i], KVM_RUN, 0) < 0 && errno == EINTR)
			continue;
		OK(ioctl(vcpus[i], KVM_GET_REGS, &r));
		FAIL("CPU %d: exit %u, %u: %llx %llx %llx %llx %llx; rip %llx rsp %llx rax %llx rcx %llx",
		     i, run->exit_reason, run->internal.suberror, run->internal.data[0],
		     run->internal.data[1], run->internal.data[2], run->internal.data[3],
		     run->internal.data[4], r.rip, r.rsp, r.rax, r.rcx);
	}
	return NULL;
}

static void nothing(int sig)
{
}

/* The next CPU of ALL behind CPU. */
static int next_cpu(const cpu_set_t *all, int cpu)
{
	do
		cpu = (cpu + 1) % CPU_SETSIZE;
	while (!CPU_ISSET(cpu, all));
	return cpu;
}

static void *disturb(void *arg)
{
	cpu_set_t all, one;
	int cpu = 0;

	OK(sched_getaffinity(0, sizeof(all), &all));
	for (unsigned long n = 0; !atomic_load(&over); n++) {
		EQ(pthread_kill(threads[n % CPUS], SIGUSR1), 0);
		cpu = next_cpu(&all, cpu);
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (n % 3 == 1)
			EQ(pthread_setaffinity_np(threads[n / 3 % CPUS], sizeof(one), &one), 0);
		sched_yield();
	}
	return NULL;
}

static void *take_memory(void *arg)
{
	for (size_t at = 0; !atomic_load(&over); at = (at + PAGE) % SIZE) {
		if (at == 0)
			OK(madvise(m.mem, 0x20000, MADV_DONTNEED));
		if (at >= TOUCHED && at < TOUCHED_END)
			OK(madvise(m.mem + at, PAGE, MADV_DONTNEED));
		if (at % (64 * PAGE) == 0)
			sched_yield();
	}
	return NULL;
}

TEST(kvm_ipi)
{
	const char *s = getenv("KVM_IPIS");
	uint64_t wanted = s ? strtoull(s, NULL, 0) : 300;
	pthread_t others[2];

	if (!getenv("KVM_ALL_CPUS"))
		avoid_first_cpu();
	boot();
	OK(signal(SIGUSR1, nothing) == SIG_ERR ? -1 : 0);
	for (int i = 0; i < CPUS; i++)
		EQ(pthread_create(&threads[i], NULL, run_one, (void *)(intptr_t)i), 0);
	EQ(pthread_create(&others[0], NULL, disturb, NULL), 0);
	EQ(pthread_create(&others[1], NULL, take_memory, NULL), 0);
	while (counts(0)[0] < wanted || counts(1)[0] < wanted)
		t_sleep_ms(5);
	atomic_store(&over, true);
	for (int i = 0; i < 2; i++)
		EQ(pthread_join(others[i], NULL), 0);
	for (int i = 0; i < CPUS; i++) {
		/* it may be on its way into the guest */
		runs[i]->immediate_exit = 1;
		EQ(pthread_kill(threads[i], SIGUSR1), 0);
		EQ(pthread_join(threads[i], NULL), 0);
	}
	for (int i = 0; i < CPUS; i++) {
		struct kvm_regs r;

		OK(ioctl(vcpus[i], KVM_GET_REGS, &r));
		EQ(r.r12, (uint64_t)!i);
		EQ(r.r9, COUNTS + (uint64_t)i * PAGE);
		CHECK(counts(i)[1]);
		if (s)
			fprintf(stderr, "CPU %d: sent %llu, took %llu, timers %llu\n", i,
				(unsigned long long)counts(i)[0], (unsigned long long)counts(i)[1],
				(unsigned long long)counts(i)[2]);
	}
}
#else
TEST(kvm_ipi)
{
	SKIP("guests of x86_64");
}
#endif
