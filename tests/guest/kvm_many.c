// SPDX-License-Identifier: MIT
/*
 * Many guests at once (x86_64), each in a process of its own, that touch all their memory and are
 * then killed in whatever they do: all memory comes back, round after round. The normal run has
 * small guests and few rounds; KVM_GUESTS=16 KVM_MIB=32 KVM_ROUNDS=10 in the environment (of a
 * machine of 1 GiB) take more, and print what memory there was after each round.
 */
#define TEST_LIMIT 900
#include "t.h"
#ifdef __x86_64__
#include "kvm_machine.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/utsname.h>

#define MOST 64				/* guests */
#define SEEN 0x10000000			/* where a guest has the page that the test sees */
#define STARTED 0x7004			/* how many other CPUs run */
#define IDT 0x9000
#define GDT 0xa000
#define AP_CODE 0xb000
#define TIMER_CODE 0xc000
#define TIMER 0x40
#define CPUS 3

/*
 * Long mode. rbx: where its memory ends, r9: the page that the test sees (0: all is touched; 8:
 * what goes on; 16: its TSC), r12: a number of its own.
 */
#define FILL									\
	"mov $0x100000, %rdi\n"							\
	"1: lea (%rdi,%r12), %rax; mov %rax, (%rdi); add $4096, %rdi; cmp %rbx, %rdi; jb 1b\n" \
	"mov $0x100000, %rdi\n"							\
	"1: lea (%rdi,%r12), %rax; cmp %rax, (%rdi); jne 2f\n"			\
	"add $4096, %rdi; cmp %rbx, %rdi; jb 1b; jmp 3f\n"			\
	"2: ud2\n"								\
	"3:\n"
#define SAY "movl $1, (%r9)\n"
#define X2APIC									\
	"mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr\n"			\
	"mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr\n"
#define START(cpu)								\
	"mov $0x830, %ecx; mov $" #cpu ", %edx; mov $0x4500, %eax; wrmsr\n"	\
	"mov $0x460b, %eax; wrmsr; wrmsr\n"

GUEST(spins, ".code64",
      "cli\n" FILL SAY "1: rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, 16(%r9)\n"
      "incq 8(%r9); jmp 1b");
GUEST(halts, ".code64", "cli\n" FILL SAY "1: hlt; jmp 1b");
GUEST(ends, ".code64", FILL SAY "out %al, $0x80");
GUEST(refills, ".code64",
      FILL SAY "1: mov $0x100000, %rdi\n"
	       "2: mov %rdi, (%rdi); add $4096, %rdi; cmp %rbx, %rdi; jb 2b\n"
	       "incq 8(%r9); jmp 1b");
GUEST(ticks, ".code64",
      FILL X2APIC
      "mov $0x83e, %ecx; mov $0xb, %eax; wrmsr; mov $0x832, %ecx; mov $0x20040, %eax; wrmsr\n"
      "mov $0x838, %ecx; mov $1000000, %eax; wrmsr\n" SAY "sti\n"
      "1: hlt; jmp 1b");
GUEST(starts, ".code64",
      FILL X2APIC START(1) START(2) "1: pause; cmpw $2, 0x7004; jne 1b\n" SAY
				    "cli; 1: hlt; jmp 1b");

/* Of the other CPUs, in real mode; and of the timer. */
GUEST(another, ".code16", "cli; lock incw 0x7004; 1: jmp 1b");
GUEST(timer, ".code64",
      "incq 8(%r9); push %rax; push %rcx; push %rdx\n"
      "mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr\n"
      "pop %rdx; pop %rcx; pop %rax; iretq");

struct kind {
	const char *code, *end;
	uint64_t on;			/* it goes on: how far before it is killed */
	bool many, churn, ends;
};

/* Those that leave the CPU to others come first. */
static const struct kind kinds[] = {
	{ halts, halts_end, .on = 0 },		/* halted for ever */
	{ ticks, ticks_end, .on = 3 },		/* halted, woken by a timer in the kernel */
	{ ends, ends_end, .ends = true },	/* the owner ends by itself */
	{ ticks, ticks_end, .on = 1 },
	{ halts, halts_end, .on = 0 },
#define QUIET 5
#define SPINS (&kinds[QUIET])
	{ spins, spins_end, .on = 1 },		/* with interrupts off */
	{ starts, starts_end, .many = true },	/* three CPUs: one halted, two that spin */
	{ refills, refills_end, .on = 1, .churn = true }, /* the owner's memory goes meanwhile */
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct seen {
	volatile uint64_t filled, on, tsc;
	char pad[PAGE - 24];
};

struct owner {
	struct machine m;
	struct seen *seen;
	const struct kind *kind;
	size_t size;
};

static int run_one(int v, struct kvm_run *run)
{
	int r;

	/* EAGAIN: another CPU has started it */
	do
		r = ioctl(v, KVM_RUN, 0);
	while (r < 0 && (errno == EAGAIN || errno == EINTR));
	return r ? -1 : (int)run->exit_reason;
}

static void *run_other(void *arg)
{
	struct kvm_run *run;
	struct machine *m = arg;
	int v = vcpu(m, (unsigned long)__atomic_add_fetch(&m->size, 1, __ATOMIC_RELAXED), &run);

	EQ(run_one(v, run), -1);	/* it never ends */
	return NULL;
}

/* Its memory goes, and comes back empty. */
static void *forget(void *arg)
{
	struct owner *o = arg;

	while (!o->seen->filled)
		sched_yield();
	for (;;)
		for (size_t at = MB; at < o->size; at += MB)
			OK(madvise(o->m.mem + at, MB, MADV_DONTNEED));
	return NULL;
}

static void boot(struct owner *o, uint64_t number)
{
	size_t size = o->size;
	static const uint64_t gdt[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff };
	struct kvm_regs regs = {
		.rip = CODE, .rflags = 2, .rsp = 0x8000, .rbx = size, .r9 = SEEN, .r12 = number
	};
	uint64_t gate[2] = { TIMER_CODE | 8 << 16 | 0x8e00ull << 32, 0 };
	struct machine *m = &o->m;
	struct kvm_sregs s;
	int kvm = OK(open("/dev/kvm", O_RDWR | O_CLOEXEC));

	avoid_first_cpu();
	m->vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));
	OK(ioctl(m->vm, KVM_CREATE_IRQCHIP, 0));
	m->mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m->mem != MAP_FAILED);
	memcpy(m->mem + CODE, o->kind->code, (size_t)(o->kind->end - o->kind->code));
	memcpy(m->mem + AP_CODE, another, (size_t)(another_end - another));
	memcpy(m->mem + TIMER_CODE, timer, (size_t)(timer_end - timer));
	memcpy(m->mem + GDT, gdt, sizeof(gdt));
	memcpy(m->mem + IDT + 16 * TIMER, gate, sizeof(gate));
	OK(region(m, 0, 0, 0, size, m->mem));
	OK(region(m, 1, 0, SEEN, PAGE, o->seen));
	m->v = vcpu(m, 0, &m->run);
	long_mode(m);
	OK(ioctl(m->v, KVM_GET_SREGS, &s));
	s.ss.selector = 16;
	s.gdt = (struct kvm_dtable){ .base = GDT, .limit = sizeof(gdt) - 1 };
	s.idt = (struct kvm_dtable){ .base = IDT, .limit = 0xfff };
	OK(ioctl(m->v, KVM_SET_SREGS, &s));
	OK(ioctl(m->v, KVM_SET_REGS, &regs));
	m->size = 0;			/* of vCPUs that run_other() has made */
	close(kvm);
}

static void bad_exit(struct owner *o)
{
	struct kvm_run *run = o->m.run;
	struct kvm_regs r;

	OK(ioctl(o->m.v, KVM_GET_REGS, &r));
	FAIL("guest %zu: exit %u, %u with %u: %llx %llx %llx %llx %llx; rip %llx, rdi %llx",
	     (size_t)(o->kind - kinds), run->exit_reason, run->internal.suberror,
	     run->internal.ndata, run->internal.data[0], run->internal.data[1],
	     run->internal.data[2], run->internal.data[3], run->internal.data[4], r.rip, r.rdi);
}

/* A process that has a guest. */
static pid_t begin(const struct kind *kind, struct seen *seen, uint64_t number, size_t size)
{
	struct owner o = { .kind = kind, .seen = seen, .size = size };
	pid_t pid;

	seen->filled = seen->on = 0;
	pid = OK(fork());
	if (pid)
		return pid;
	boot(&o, number);
	for (unsigned int i = 1; kind->many && i < CPUS; i++)
		EQ(pthread_create(&(pthread_t){ 0 }, NULL, run_other, &o.m), 0);
	while (kind->many && __atomic_load_n(&o.m.size, __ATOMIC_RELAXED) < CPUS - 1)
		sched_yield();
	if (kind->churn)
		EQ(pthread_create(&(pthread_t){ 0 }, NULL, forget, &o), 0);
	if (run_one(o.m.v, o.m.run) != KVM_EXIT_IO)
		bad_exit(&o);
	CHECK(kind->ends);
	close(o.m.v);
	close(o.m.vm);
	_exit(0);
}

static void until_it_is_there(const struct kind *kind, struct seen *seen, pid_t pid)
{
	while (!seen->filled || seen->on < kind->on) {
		EQ(waitpid(pid, NULL, WNOHANG), 0);
		t_sleep_ms(1);
	}
}

static void need_guests(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		SKIP("this CPU runs no guests");
	OK(kvm);
	if (!ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_IRQCHIP))
		SKIP("no controllers in the kernel");
	close(kvm);
}

static struct seen *pages(void)
{
	struct seen *p =
		mmap(NULL, MOST * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 0, MOST * PAGE);
	return p;
}

/* A number of the environment, or N. */
static long wanted(const char *name, long n)
{
	const char *s = getenv(name);

	return s ? atol(s) : n;
}

/* KiB, as /proc/meminfo has it. */
static long meminfo(const char *name)
{
	char line[200];
	long v = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			v = atol(line + strlen(name) + 1);
	fclose(f);
	CHECK(v >= 0);
	return v;
}

/* N guests of one round, of each kind in turn. */
static void round_of(struct seen *seen, long n, size_t size, long nr)
{
	pid_t pid[MOST];

	for (int noisy = 0; noisy < 2; noisy++) {
		for (long i = 0; i < n; i++)
			if (noisy == ((size_t)i % KINDS >= QUIET))
				pid[i] = begin(&kinds[(size_t)i % KINDS], &seen[i],
					       (uint64_t)(nr * MOST + i) << 40, size);
		for (long i = 0; i < n; i++)
			if (noisy == ((size_t)i % KINDS >= QUIET) && !kinds[(size_t)i % KINDS].ends)
				until_it_is_there(&kinds[(size_t)i % KINDS], &seen[i], pid[i]);
	}
	for (long i = 0; i < n; i++)
		if (!kinds[(size_t)i % KINDS].ends)
			OK(kill(pid[i], SIGKILL));
	for (long i = 0; i < n; i++)
		EQ(t_wait(pid[i]), kinds[(size_t)i % KINDS].ends ? 0 : SIGKILL);
	for (long i = 0; i < n; i++)
		CHECK(seen[i].filled);
}

/* The address sanitizer keeps what was freed last: here nothing of guests. */
static void fill_quarantine(void)
{
	int fd[2];

	for (int i = 0; i < 5000; i++) {
		OK(pipe(fd));
		close(fd[0]);
		close(fd[1]);
	}
}

/* The most that is free, once it has not become more for a while. */
static long settled(void)
{
	long most = meminfo("MemFree");

	for (int i = 0; i < 40; i++) {
		long now = meminfo("MemFree");

		if (now > most) {
			most = now;
			i = 0;
		}
		t_sleep_ms(5);
	}
	return most;
}

#define LOOKS 2000

/* What the dead had is let go by others, a little later. MAY: KiB that may be elsewhere. */
static void until_back(long free, long slab, long may)
{
	for (int i = 0; meminfo("MemFree") < free - may || meminfo("Slab") > slab + may; i++) {
		if (i == LOOKS)
			FAIL("MemFree from %ld to %ld, Slab from %ld to %ld", free,
			     meminfo("MemFree"), slab, meminfo("Slab"));
		t_sleep_ms(5);
	}
}

static bool is_debug(void)
{
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	return !access("/sys/kernel/debug/plant", F_OK);
}

TEST(kvm_many)
{
	size_t size = (size_t)wanted("KVM_MIB", 4) * MB;
	long n = wanted("KVM_GUESTS", 8);
	long rounds = wanted("KVM_ROUNDS", 1), free, slab, may;
	struct seen *seen;
	struct utsname u;

	need_guests();
	OK(uname(&u));
	/* Linux keeps more for later; the debug build what its address sanitizer watches. */
	may = !strstr(u.release, "ochre") ? 8192 : is_debug() ? 4096 : 160;
	seen = pages();
	CHECK(n <= MOST);
	/* What the first ones make is kept: caches, the programs' pages, lists of free objects. */
	round_of(seen, n, size, 0);
	round_of(seen, n, size, 1);
	settled();
	fill_quarantine();
	free = settled();
	slab = meminfo("Slab");
	for (long i = 0; i < rounds; i++) {
		round_of(seen, n, size, i + 2);
		fill_quarantine();
		until_back(free, slab, may);
		if (getenv("KVM_ROUNDS"))
			fprintf(stderr, "round %ld: MemFree %ld (%ld), Slab %ld (%ld)\n", i,
				meminfo("MemFree"), free, meminfo("Slab"), slab);
	}
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	OK(sched_setaffinity(0, sizeof(set), &set));
}

/* On the killer's own CPU it does not run once more. */
TEST(kvm_killed_beside)
{
	struct seen *seen;
	int same = 0;

	need_guests();
	seen = pages();
	on_cpu(0);
	for (int i = 0; i < 20; i++) {
		pid_t pid = begin(SPINS, seen, 0, 2 * MB);
		uint64_t on;

		until_it_is_there(SPINS, seen, pid);
		on = seen->on;
		OK(kill(pid, SIGKILL));
		EQ(t_wait(pid), SIGKILL);
		same += seen->on == on;
	}
	/* It may have gone on between the look and the kill: that is rare. */
	if (same < 10)
		FAIL("%d of 20 did not go on", same);
}

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* How far the guest's TSC is behind, from above. */
static uint64_t behind(const struct seen *seen)
{
	uint64_t least = ~0ull;

	for (int i = 0; i < 1000; i++) {
		uint64_t of_guest = seen->tsc, d = tsc() - of_guest;

		least = d < least ? d : least;
	}
	return least;
}

#define TICK 4000000ll			/* ns */
#define TRIES 40

/* On another CPU it runs a tick at most: mostly, for the host may be busy. */
TEST(kvm_killed_elsewhere)
{
	long long took, best = 1ll << 62, begin_ns = t_now_ns();
	uint64_t begin_tsc = tsc();
	struct seen *seen;

	need_guests();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("one CPU");
	seen = pages();
	for (int i = 0; i < TRIES && best > TICK; i++) {
		uint64_t killed, d;
		pid_t pid;

		on_cpu(1);
		pid = begin(SPINS, seen, 0, 2 * MB);
		on_cpu(0);
		until_it_is_there(SPINS, seen, pid);
		d = behind(seen);
		killed = tsc();
		OK(kill(pid, SIGKILL));
		EQ(t_wait(pid), SIGKILL);
		took = (long long)(seen->tsc + d - killed);
		took = (long long)((double)took * (double)(t_now_ns() - begin_ns) /
				   (double)(tsc() - begin_tsc));
		best = took < best ? took : best;
	}
	if (getenv("KVM_ROUNDS"))
		fprintf(stderr, "it ran for %lld ns more\n", best);
	if (best > TICK)
		FAIL("the fastest ran for %lld us more", best / 1000);
}
#else
TEST(kvm_many)
{
	SKIP("guests of x86_64");
}
#endif
