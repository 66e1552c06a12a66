// SPDX-License-Identifier: MIT
/*
 * Where jumps may go (FEAT_BTI: PROT_BTI, programs that ask for it by a property) and signed
 * addresses (FEAT_PAuth: keys of each program), as prctl(2) and ptrace(2) see them. On a CPU
 * without them what asks for them is refused. proves: prctl mmap mprotect ptrace
 */
#include "t.h"

#ifndef __aarch64__
TEST(branches_aarch64)
{
	SKIP("another CPU");
}
#else
#include <asm/hwcap.h>
#include <asm/ptrace.h>
#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#ifndef PT_GNU_PROPERTY
#define PT_GNU_PROPERTY 0x6474e553
#endif
#ifndef NT_ARM_PAC_MASK
#define NT_ARM_PAC_MASK 0x406
#endif
#ifndef NT_ARM_PAC_ENABLED_KEYS
#define NT_ARM_PAC_ENABLED_KEYS 0x40a
#endif
#ifndef PROT_BTI
#define PROT_BTI 0x10
#endif
/* Without a function to return from: the C library's may be signed with the key that changes. */
static inline __attribute__((always_inline)) long
raw_prctl(long op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	register long x8 __asm__("x8") = SYS_prctl, x0 __asm__("x0") = op;
	register unsigned long x1 __asm__("x1") = a, x2 __asm__("x2") = b, x3 __asm__("x3") = c,
				  x4 __asm__("x4") = d;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	if (x0 < 0)
		errno = (int)-x0;
	return x0 < 0 ? -1 : x0;
}
#define prctl raw_prctl

#define BTI_C 0xd503245fu
#define RET 0xd65f03c0u
#define BTI (getauxval(AT_HWCAP2) & HWCAP2_BTI)
#define PACA (getauxval(AT_HWCAP) & HWCAP_PACA)

/* A page of its own with these instructions. */
static void *code(const uint32_t *words, size_t n, int prot)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	memcpy(p, words, n * 4);
	__builtin___clear_cache(p, (char *)p + n * 4);
	OK(mprotect(p, PAGE, prot));
	return p;
}

TEST(prot_bti)
{
	static const uint32_t good[] = { BTI_C, RET }, bad[] = { RET };
	void *p, *q;

	if (!BTI) {
		p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ERR(mprotect(p, PAGE, PROT_READ | PROT_BTI), EINVAL);
		return;
	}
	p = code(good, 2, PROT_READ | PROT_EXEC | PROT_BTI);
	q = code(bad, 1, PROT_READ | PROT_EXEC | PROT_BTI);
	EQ(t_call(p), 7);
	EQ(t_call(q), -SIGILL);
	OK(mprotect(q, PAGE, PROT_READ | PROT_EXEC));
	EQ(t_call(q), 7);
	ERR(mprotect(q, PAGE, PROT_READ | PROT_EXEC | 0x20), EINVAL);
}

static void *volatile wanted;

static void at_ill(int sig, siginfo_t *i, void *uc)
{
	_exit(i->si_code == ILL_ILLOPC && i->si_addr == wanted ? 11 : 12);
}

static void jump_badly(void)
{
	struct sigaction sa = { .sa_sigaction = at_ill, .sa_flags = SA_SIGINFO };

	sigaction(SIGILL, &sa, NULL);
	((void (*)(void))wanted)();
}

TEST(what_the_signal_says)
{
	static const uint32_t bad[] = { RET };

	if (!BTI)
		SKIP("no BTI");
	wanted = code(bad, 1, PROT_READ | PROT_EXEC | PROT_BTI);
	EQ(t_call(jump_badly), 11);
}

static void signal_self(void)
{
	signal(SIGUSR1, (void (*)(int))wanted);
	raise(SIGUSR1);
}

/* A handler is called as a function is. */
TEST(handlers_land_too)
{
	static const uint32_t good[] = { BTI_C, RET }, bad[] = { RET };

	if (!BTI)
		SKIP("no BTI");
	wanted = code(good, 2, PROT_READ | PROT_EXEC | PROT_BTI);
	EQ(t_call(signal_self), 7);
	wanted = code(bad, 1, PROT_READ | PROT_EXEC | PROT_BTI);
	EQ(t_call(signal_self), -SIGILL);
}

TEST(smaps_say_it)
{
	static const uint32_t good[] = { BTI_C, RET };
	unsigned long start, end, at;
	char line[512];
	bool in = false, seen = false;
	FILE *f;

	if (!BTI)
		SKIP("no BTI");
	at = (unsigned long)code(good, 2, PROT_READ | PROT_EXEC | PROT_BTI);
	f = fopen("/proc/self/smaps", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			in = start <= at && at < end;
		else if (!strncmp(line, "VmFlags:", 8) && !!strstr(line, " bt") != in)
			CHECK(!"the flags of one mapping alone say bt");
		else if (in && !strncmp(line, "VmFlags:", 8))
			seen = true;
	}
	fclose(f);
	CHECK(seen);
}

/* A program that calls a place which is no landing place, then leaves with 7. */
struct program {
	Elf64_Ehdr e;
	Elf64_Phdr p[2];
	struct {
		Elf64_Nhdr n;
		char name[4];
		uint32_t type, size, value, pad;
	} note;
	uint32_t code[8];
};

static const struct program model = {
	.e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
	       .e_type = ET_EXEC,
	       .e_machine = EM_AARCH64,
	       .e_version = EV_CURRENT,
	       .e_entry = 0x400000 + offsetof(struct program, code),
	       .e_phoff = offsetof(struct program, p),
	       .e_ehsize = sizeof(Elf64_Ehdr),
	       .e_phentsize = sizeof(Elf64_Phdr),
	       .e_phnum = 2 },
	.p = { { .p_type = PT_LOAD,
		 .p_flags = PF_R | PF_X,
		 .p_vaddr = 0x400000,
		 .p_filesz = sizeof(struct program),
		 .p_memsz = sizeof(struct program),
		 .p_align = PAGE },
	       { .p_type = PT_GNU_PROPERTY,
		 .p_flags = PF_R,
		 .p_offset = offsetof(struct program, note),
		 .p_filesz = 32,
		 .p_memsz = 32,
		 .p_align = 8 } },
	.note = { { 4, 16, 5 }, "GNU", 0xc0000000, 4, 1, 0 },
	.code = { 0x10000089 /* adr x9, .+16 */, 0xd63f0120 /* blr x9 */,
		  0x52800ba8 /* mov w8, #93 */, 0xd4000001 /* svc #0 */,
		  0x528000e0 /* mov w0, #7 */, RET },
};

static int run(const struct program *p, size_t size)
{
	int status, fd = OK(open("/tmp/prog", O_CREAT | O_WRONLY | O_TRUNC, 0755));
	pid_t pid;

	EQ(write(fd, p, size), (ssize_t)size);
	close(fd);
	pid = OK(fork());
	if (!pid) {
		execl("/tmp/prog", "prog", NULL);
		_exit(errno == ENOEXEC ? 100 : 101);
	}
	EQ(waitpid(pid, &status, 0), pid);
	unlink("/tmp/prog");
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(programs_that_ask_for_it)
{
	struct program p = model;

	EQ(run(&p, sizeof(p)), BTI ? -SIGILL : 7);
	p.note.value = 2;				/* signs, but has no landing places */
	EQ(run(&p, sizeof(p)), 7);
	p.note.type = 0xc0000001;
	p.note.value = 1;
	EQ(run(&p, sizeof(p)), 7);
	p.p[1].p_type = PT_NOTE;
	EQ(run(&p, sizeof(p)), 7);
	if (!BTI)
		return;
	/* Notes that are no notes. */
	p = model;
	p.note.size = 8;
	EQ(run(&p, sizeof(p)), 100);
	p = model;
	p.note.size = 0xffffffff;
	EQ(run(&p, sizeof(p)), 100);
	p = model;
	p.note.n.n_descsz = 4000;
	EQ(run(&p, sizeof(p)), 100);
	p = model;
	p.note.n.n_namesz = 5;
	EQ(run(&p, sizeof(p)), 100);
	p = model;
	p.p[1].p_filesz = 8;
	EQ(run(&p, sizeof(p)), 100);
	p = model;
	p.p[1].p_filesz = 2000;
	EQ(run(&p, sizeof(p)), 100);
	p = model;
	p.p[1].p_offset = 1ul << 40;
	CHECK(run(&p, sizeof(p)) >= 100);
}

#define SIGN(insn, v, m) ({ register uint64_t __x0 __asm__("x0") = (v); register uint64_t __x1 __asm__("x1") = (m); \
	__asm__ volatile(".inst " #insn : "+r"(__x0) : "r"(__x1)); __x0; })

/* Sixteen signatures of one key: by chance two keys do not agree on all of them. */
struct signs {
	uint64_t v[16];
};

static struct signs signs(void)
{
	struct signs s;

	for (unsigned int i = 0; i < 16; i++)
		s.v[i] = SIGN(0xdac10020, 0x123450 + i, 7 * i);
	return s;
}

static bool same(struct signs a, struct signs b)
{
	return !memcmp(&a, &b, sizeof(a));
}

TEST(keys)
{
	struct signs mine, now;
	int status, fds[2];
	pid_t pid;

	if (!PACA) {
		ERR(prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0), EINVAL);
		return;
	}
	mine = signs();
	CHECK(mine.v[0] != 0x123450 || mine.v[1] != 0x123451 || mine.v[2] != 0x123452);
	for (unsigned int i = 0; i < 16; i++)
		EQ(SIGN(0xdac11020, mine.v[i], 7 * i), 0x123450 + i);
	for (unsigned int i = 0; i < 50; i++) {
		sched_yield();
		CHECK(same(mine, signs()));
	}
	pid = OK(fork());			/* a child has the same */
	if (!pid)
		_exit(same(mine, signs()) ? 0 : 1);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	OK(pipe(fds));				/* and what it makes anew is its own */
	pid = OK(fork());
	if (!pid) {
		OK(prctl(PR_PAC_RESET_KEYS, PR_PAC_APIAKEY, 0, 0, 0));
		now = signs();
		_exit(write(fds[1], &now, sizeof(now)) != sizeof(now));
	}
	EQ(read(fds[0], &now, sizeof(now)), sizeof(now));
	CHECK(!same(mine, now));
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	CHECK(same(mine, signs()));
	OK(prctl(PR_PAC_RESET_KEYS, PR_PAC_APIBKEY | PR_PAC_APDAKEY, 0, 0, 0));
	CHECK(same(mine, signs()));
	OK(prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0));
	CHECK(!same(mine, signs()));
	ERR(prctl(PR_PAC_RESET_KEYS, 1 << 5, 0, 0, 0), EINVAL);
	ERR(prctl(PR_PAC_RESET_KEYS, 1, 1, 0, 0), EINVAL);
}

/* Another program has others: it is this one again, which says its own. */
TEST(keys_of_the_next_program)
{
	struct signs mine, its;
	int fds[2], status;
	pid_t pid;
	char arg[16];

	if (!PACA)
		SKIP("no pointer authentication");
	if (getenv("SIGNS")) {
		mine = signs();
		_exit(write(atoi(getenv("SIGNS")), &mine, sizeof(mine)) != sizeof(mine));
	}
	OK(pipe(fds));
	mine = signs();
	pid = OK(fork());
	if (!pid) {
		snprintf(arg, sizeof(arg), "%d", fds[1]);
		setenv("SIGNS", arg, 1);
		execl("/proc/self/exe", "branches_aarch64", "keys_of_the_next_program", NULL);
		_exit(1);
	}
	EQ(read(fds[0], &its, sizeof(its)), sizeof(its));
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(!same(mine, its));
}

TEST(enabled_keys)
{
	uint64_t plain = 0x1230;

	if (!PACA) {
		ERR(prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0), EINVAL);
		ERR(prctl(PR_PAC_SET_ENABLED_KEYS, 1, 1, 0, 0), EINVAL);
		return;
	}
	EQ(prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0), 15);
	OK(prctl(PR_PAC_SET_ENABLED_KEYS, PR_PAC_APIAKEY | PR_PAC_APDAKEY, PR_PAC_APDAKEY, 0, 0));
	EQ(prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0), 14);
	for (unsigned int i = 0; i < 16; i++)
		EQ(SIGN(0xdac10020, plain + i, i), plain + i);
	sched_yield();
	EQ(SIGN(0xdac10020, plain, 1), plain);
	OK(prctl(PR_PAC_SET_ENABLED_KEYS, PR_PAC_APIAKEY, PR_PAC_APIAKEY, 0, 0));
	EQ(prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0), 15);
	CHECK(signs().v[0] != 0x123450 || signs().v[1] != 0x123451 || signs().v[2] != 0x123452);
	ERR(prctl(PR_PAC_SET_ENABLED_KEYS, PR_PAC_APGAKEY, 0, 0, 0), EINVAL);
	ERR(prctl(PR_PAC_SET_ENABLED_KEYS, PR_PAC_APIAKEY, PR_PAC_APIBKEY, 0, 0), EINVAL);
	ERR(prctl(PR_PAC_GET_ENABLED_KEYS, 1, 0, 0, 0), EINVAL);
}

TEST(seen_by_ptrace)
{
	struct user_pac_mask mask = { 0, 0 };
	struct iovec iov = { &mask, sizeof(mask) };
	uint64_t on = 0;
	int status;
	pid_t pid = OK(fork());

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(SIGN(0xdac10820, 0x1230, 1) == 0x1230 &&
				      SIGN(0xdac10820, 0x1240, 1) == 0x1240 ?
			      5 :
			      6);
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status));
	if (!PACA) {
		ERR(ptrace(PTRACE_GETREGSET, pid, (void *)NT_ARM_PAC_MASK, &iov), EINVAL);
		kill(pid, SIGKILL);
		return;
	}
	OK(ptrace(PTRACE_GETREGSET, pid, (void *)NT_ARM_PAC_MASK, &iov));
	EQ(mask.data_mask, mask.insn_mask);
	CHECK(mask.data_mask & 1ull << 54 && !(mask.data_mask & 1ull << 55) &&
	      !(mask.data_mask & ((1ull << 48) - 1)));
	for (unsigned int i = 0; i < 16; i++)		/* and nothing but that changes */
		EQ((SIGN(0xdac10020, 0x123450 + i, i) ^ (0x123450 + i)) & ~mask.data_mask, 0);
	iov = (struct iovec){ &on, sizeof(on) };
	OK(ptrace(PTRACE_GETREGSET, pid, (void *)NT_ARM_PAC_ENABLED_KEYS, &iov));
	EQ(on, 15);
	on = 11;				/* not pacda */
	OK(ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_PAC_ENABLED_KEYS, &iov));
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static void nothing(int sig)
{
}

/* What a program set of its own state stays so when a handler was called. */
TEST(own_state_outlives_signals)
{
	uint64_t v;

	if (!(getauxval(AT_HWCAP) & HWCAP_DIT))
		SKIP("no DIT");
	signal(SIGUSR1, nothing);
	__asm__ volatile("msr s3_3_c4_c2_5, %0" : : "r"(1ull << 24));
	raise(SIGUSR1);
	__asm__ volatile("mrs %0, s3_3_c4_c2_5" : "=r"(v));
	EQ(v, 1ull << 24);
}
#endif
