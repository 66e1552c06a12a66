// SPDX-License-Identifier: MIT
/*
 * io_uring(7): completions that find the ring full, and no memory to be kept in. The debug build's
 * fault injection makes that.
 * proves: io_uring_enter
 */
#include "uring.h"
#include <sys/mount.h>

#define DEBUG "/sys/kernel/debug"
#define NTH "/proc/self/fail-nth"

static void put(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void need_faults(void)
{
	if (access(NTH, F_OK))
		SKIP("no " NTH ": this kernel was built without fault injection");
	if (access(DEBUG "/failslab", F_OK))
		OK(mount("debugfs", DEBUG, "debugfs", 0, NULL));
	put(DEBUG "/failslab/verbose", "0");
	put(DEBUG "/fail_page_alloc/verbose", "0");
	put(DEBUG "/failslab/ignore-gfp-wait", "N");
}

static struct ring ring_of_two(unsigned int flags)
{
	return ring_of(2, (struct io_uring_params){ .flags = flags | IORING_SETUP_CQSIZE,
						    .cq_entries = 2 });
}

static void fill(struct ring *r)
{
	sqe(r, IORING_OP_NOP, -1, 1);
	sqe(r, IORING_OP_NOP, -1, 2);
	EQ(submit(r, 2), 2);
}

/*
 * Submits a request whose completion finds no room, and the *Nth allocation on its way fails. True:
 * that was the completion's. *N is 0 where there were fewer: a cache that is filled meanwhile has
 * allocations of its own, so that a certain one may be passed over.
 */
static bool is_lost(struct ring *r, int *n)
{
	int nth = OK(open(NTH, O_RDWR | O_CLOEXEC)), e;
	char text[16] = "";

	sqe(r, IORING_OP_NOP, -1, 99);
	snprintf(text, sizeof(text), "%d", *n);
	EQ(write(nth, text, strlen(text)), strlen(text));
	e = submit(r, 1);
	OK(pread(nth, text, sizeof(text) - 1, 0));
	EQ(write(nth, "0", 1), 1);
	close(nth);
	if (atoi(text))
		*n = 0;
	if (!*at(r, r->p.cq_off.overflow))
		return false;
	EQ(*at(r, r->p.cq_off.overflow), 1);
	EQ(*at(r, r->p.sq_off.flags), 0);
	EQ(e, 1);
	return true;
}

static struct ring ring_that_lost_one(unsigned int flags)
{
	for (int n = 1;; n++) {
		struct ring r = ring_of_two(flags);

		fill(&r);
		if (is_lost(&r, &n))
			return r;
		end(&r);
	}
}

static void told_once(unsigned int flags)
{
	struct ring r = ring_that_lost_one(flags);
	struct __kernel_timespec t = { 0, 1000000 };
	struct io_uring_getevents_arg a = { .ts = (uintptr_t)&t };

	/* There is what is waited for. */
	wait_for(&r, 1);
	is(&r, 1, 0);
	is(&r, 2, 0);
	/* Something was submitted, or has come: the wait ends, and this is told. */
	sqe(&r, IORING_OP_NOP, -1, 3);
	EQ(enter(&r, 1, 2, IORING_ENTER_GETEVENTS), 1);
	wait_for(&r, 2);
	is(&r, 3, 0);
	ERR(enter(&r, 0, 1, IORING_ENTER_GETEVENTS), EBADR);
	ERR(syscall(SYS_io_uring_enter, r.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
		    &a, sizeof(a)),
	    ETIME);
	sqe(&r, IORING_OP_NOP, -1, 4);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 4, 0);
	end(&r);
}

TEST(a_lost_completion_is_told_once)
{
	need_faults();
	told_once(0);
	told_once(IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER);
}

/*
 * Who waits already is woken. The program's head is nonsense, so that the ring is full all the
 * same.
 */
TEST(a_lost_completion_ends_a_wait)
{
	bool lost = false;

	need_faults();
	for (int n = 1; !lost; n++) {
		struct ring r = ring_of_two(0);
		pid_t pid;

		fill(&r);
		is(&r, 1, 0);
		is(&r, 2, 0);
		pid = OK(fork());
		if (!pid)
			_exit(enter(&r, 0, 1, IORING_ENTER_GETEVENTS) ? 1 : 0);
		t_until_asleep(pid);
		*at(&r, r.p.cq_off.head) = 1000;
		lost = is_lost(&r, &n);
		if (lost) {
			CHECK(t_child_ok(pid));
			*at(&r, r.p.cq_off.head) = 2;
			ERR(enter(&r, 0, 1, IORING_ENTER_GETEVENTS), EBADR);
		} else {
			OK(kill(pid, SIGKILL));
			t_wait(pid);
		}
		end(&r);
	}
}
