// SPDX-License-Identifier: MIT
/* Part of the first program (user/first.c): calls made by hand, with both results, as no C library shows them. */
#include <asm/unistd.h>
#include <errno.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void first_check(int ok, const char *what);
void first_own_calls(void);

struct results {
	long v0, a3, a4;
};

static struct results call(long nr, long first, long second)
{
	register long v0 __asm__("$0") = nr;
	register long a0 __asm__("$16") = first;
	register long a1 __asm__("$17") = second;
	register long a3 __asm__("$19") = 0;
	register long a4 __asm__("$20") = -1;

	__asm__ volatile("callsys" : "+r"(v0), "+r"(a0), "+r"(a1), "+r"(a3), "+r"(a4) : :
			 "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$18", "$21", "$22", "$23", "$24", "$25", "$27", "$28", "memory");
	return (struct results){ v0, a3, a4 };
}

void first_own_calls(void)
{
	struct results r = call(__NR_getxpid, 0, 0), p;
	int status = 0;
	char c = 0;

	first_check(!r.a3 && r.v0 == getpid() && r.a4 == getppid(), "getxpid's two results");
	r = call(__NR_getxuid, 0, 0);
	first_check(!r.a3 && r.v0 == 0 && r.a4 == 0, "getxuid's two results");
	p = call(__NR_pipe, 0, 0);
	first_check(!p.a3 && p.v0 >= 0 && p.a4 > p.v0, "pipe's two results");
	first_check(write((int)p.a4, "y", 1) == 1 && read((int)p.v0, &c, 1) == 1 && c == 'y', "the pipe");
	close((int)p.v0);
	close((int)p.a4);
	first_check(time(NULL) > 1700000000, "the time of day");
	r = call(__NR_close, p.v0, 0);
	first_check(r.a3 && r.v0 == EBADF, "an errno is positive, and a3 says so");
	r = call(__NR_fork, 0, 0);
	if (!r.a3 && !r.v0)
		_exit(r.a4 == 1 ? 3 : 4);
	first_check(!r.a3 && r.v0 > 0 && r.a4 == 0, "fork's two results in the parent");
	first_check(wait(&status) == r.v0 && WIFEXITED(status) && WEXITSTATUS(status) == 3, "fork's two results in the child");
}
