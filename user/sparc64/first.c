// SPDX-License-Identifier: MIT
/*
 * The first program on sparc64, which no package suite has programs for: its own system calls (ta 0x6d, carry on errors, two results), its
 * numbers, register windows that spill to its stack. It says on the console what it saw; init's status is how many steps went wrong, and
 * tells the kernel so. Freestanding: nothing but the packaged headers.
 */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <linux/mman.h>
#include <asm/unistd.h>
#include <linux/reboot.h>
#include <linux/utsname.h>

typedef unsigned long ulong;

struct result {
	long a;			/* -errno on failure */
	long b;			/* %o1 */
};

static struct result call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long g1 __asm__("g1") = nr;
	register long o0 __asm__("o0") = a;
	register long o1 __asm__("o1") = b;
	register long o2 __asm__("o2") = c;
	register long o3 __asm__("o3") = d;
	register long o4 __asm__("o4") = e;
	register long o5 __asm__("o5") = f;
	long failed;

	__asm__ volatile("ta 0x6d\n\tmov 0, %0\n\tmovcs %%xcc, 1, %0"
			 : "=&r"(failed), "+r"(o0), "+r"(o1) : "r"(g1), "r"(o2), "r"(o3), "r"(o4), "r"(o5) : "memory", "cc");
	return (struct result){ failed ? -o0 : o0, o1 };
}

#define C(nr, ...) CALL_(nr, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(nr, a, b, c, d, e, f, ...) call(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void *memcpy(void *to, const void *from, ulong n)
{
	for (ulong i = 0; i < n; i++)
		((char *)to)[i] = ((const char *)from)[i];
	return to;
}

void *memset(void *to, int c, ulong n)
{
	for (ulong i = 0; i < n; i++)
		((char *)to)[i] = (char)c;
	return to;
}

static void say(const char *s)
{
	ulong n = 0;

	while (s[n])
		n++;
	C(__NR_write, 1, s, n);
}

static void number(long v)
{
	char buf[24], *p = buf + 23;
	ulong u = v < 0 ? -(ulong)v : (ulong)v;

	*p = 0;
	do
		*--p = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		*--p = '-';
	say(p);
}

static int wrong;

static void step(const char *what, int good, long saw)
{
	say(good ? "ok    " : "WRONG ");
	say(what);
	if (!good) {
		wrong++;
		say(": ");
		number(saw);
	}
	say("\n");
}

/* Deeper than the CPU has windows: each level's come back from the stack, with system calls on the way. */
static long __attribute__((noinline)) deep(long n)
{
	long mine = n * 7;

	if (n)
		mine += deep(n - 1);
	else
		C(__NR_getpid);
	__asm__ volatile("" : "+r"(mine));
	return mine + n;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static void files(void)
{
	static char got[64];
	struct result r = C(__NR_mkdir, "/d", 0755);
	long fd;

	step("mkdir", r.a == 0, r.a);
	r = C(__NR_mkdir, "/d", 0755);
	step("mkdir again is EEXIST", r.a == -EEXIST, r.a);
	r = C(__NR_rmdir, "/none");
	step("rmdir of nothing is ENOENT", r.a == -ENOENT, r.a);
	fd = C(__NR_open, "/d/f", O_CREAT | O_RDWR | O_EXCL, 0600).a;
	step("open", fd >= 0, fd);
	r = C(__NR_write, fd, "0123456789", 10);
	step("write", r.a == 10, r.a);
	r = C(__NR_lseek, fd, 3, 0);
	step("lseek", r.a == 3, r.a);
	r = C(__NR_read, fd, got, sizeof(got));
	step("read", r.a == 7 && same(got, "3456789"), r.a);
	r = C(__NR_open, "/d/f", O_DIRECTORY | O_RDONLY);
	step("O_DIRECTORY has this CPU's value", r.a == -ENOTDIR, r.a);
	r = C(__NR_read, fd, -1L, 8);
	step("read to nowhere is EFAULT", r.a == -EFAULT, r.a);
	C(__NR_close, fd);
	r = C(999999);
	step("no such call is ENOSYS", r.a == -ENOSYS, r.a);
}

static void pipes_and_processes(void)
{
	struct result p, r, w;
	char c = 0;
	int status = 0;

	p = C(__NR_pipe);
	step("pipe has two results", p.a >= 0 && p.b == p.a + 1, p.b);
	r = C(__NR_fork);
	if (r.a >= 0 && r.b == 1) {		/* the child, told so by the second */
		c = deep(20) == 20 * 21 / 2 * 8 ? 'x' : '!';
		C(__NR_write, p.b, &c, 1);
		C(__NR_exit_group, 7);
	}
	step("fork has two results", r.a > 1 && r.b == 0, r.b);
	w = C(__NR_read, p.a, &c, 1);
	step("the child wrote through the pipe, its windows sound", w.a == 1 && c == 'x', c);
	w = C(__NR_wait4, r.a, &status, 0, 0);
	step("wait4", w.a == r.a && status == 7 << 8, status);
}

static void memory(void)
{
	struct result m = C(__NR_mmap, 0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile char *p = (volatile char *)m.a;
	long sum = 0;

	step("mmap", m.a > 0, m.a);
	if (m.a <= 0)
		return;
	for (long i = 0; i < 1 << 20; i += 8192)
		p[i] = (char)(i >> 13);
	for (long i = 0; i < 1 << 20; i += 8192)
		sum += p[i] == (char)(i >> 13);
	step("its pages", sum == 128, sum);
	m = C(__NR_munmap, m.a, 1 << 20);
	step("munmap", m.a == 0, m.a);
	step("windows", deep(40) == 40 * 41 / 2 * 8, deep(40));
}

void start_c(long *sp)
{
	static struct new_utsname u;
	struct result r = C(__NR_uname, &u);

	step("uname", r.a == 0, r.a);
	say("first: ");
	say(u.sysname);
	say(" ");
	say(u.machine);
	say(", argc ");
	number(sp[0]);
	say(", pid ");
	number(C(__NR_getpid).a);
	say("\n");
	files();
	memory();
	pipes_and_processes();
	say(wrong ? "first: failed\n" : "first: passed\n");
	if (!wrong)
		C(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF);
	C(__NR_exit_group, wrong);
	for (;;)
		;
}

__asm__(".globl _start\n"
	"_start: mov 0, %fp\n"
	"	sub %sp, 48, %sp\n"		/* room for the arguments of what is called */
	"	call start_c\n"
	"	 add %sp, 48 + 2047 + 128, %o0\n");
