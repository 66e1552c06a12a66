// SPDX-License-Identifier: MIT
/*
 * A battery clock loses its driver and gets it back by the files bind and unbind, also while its
 * file is open: rtc(4), Linux's Documentation/ABI/testing/sysfs-bus-platform.
 */
#define TEST_LIMIT 60
#include "t.h"
#include <limits.h>
#include <linux/rtc.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define DEBUG "/sys/kernel/debug"
#define RTC0 "/sys/class/rtc/rtc0"
#define RTC1 "/sys/class/rtc/rtc1"

static char driver[PATH_MAX], device[PATH_MAX];

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static int files[2];	/* bind, unbind */

/* A write of the device's name to that file: 0, or -1 with errno. */
static int tell(const char *file)
{
	const char *name = strrchr(device, '/') + 1;

	return write(files[*file == 'u'], name, strlen(name)) < 0 ? -1 : 0;
}

static void find(void)
{
	if (!exists(RTC0))
		SKIP("no battery clock");
	CHECK(realpath(RTC0 "/device/driver", driver));
	CHECK(realpath(RTC0 "/device", device));
	for (int i = 0; i < 2; i++) {
		char path[PATH_MAX + 16];

		snprintf(path, sizeof(path), "%s/%s", driver, i ? "unbind" : "bind");
		files[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (files[i] < 0 && errno == ENOENT && exists(RTC0 "/power"))
			SKIP("this Linux's driver of the clock is not unbound");
		OK(files[i]);
	}
}

static void is_back(void)
{
	CHECK(exists("/dev/rtc0") && exists(RTC0) && exists("/proc/driver/rtc"));
	CHECK(!exists("/dev/rtc1") && !exists(RTC1));
}

/* Not of Linux, whose readers of a clock that has left wait for ever. */
static bool reads_end(void)
{
	return !exists(RTC0 "/power");
}

TEST(an_open_clock_leaves)
{
	struct rtc_time t;
	struct rtc_wkalrm w;
	struct pollfd p = { .events = POLLIN };
	unsigned long v;
	bool ends;
	int fd;

	find();
	ends = reads_end();
	fd = OK(open("/dev/rtc0", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	OK(ioctl(fd, RTC_RD_TIME, &t));
	ERR(tell("bind"), EBUSY);
	OK(tell("unbind"));
	ERR(tell("unbind"), ENODEV);
	CHECK(!exists("/dev/rtc0") && !exists(RTC0) && !exists("/proc/driver/rtc"));
	ERR(ioctl(fd, RTC_RD_TIME, &t), ENODEV);
	ERR(ioctl(fd, RTC_WKALM_RD, &w), ENODEV);
	ERR(ioctl(fd, RTC_SET_TIME, &t), ENODEV);
	ERR(read(fd, &v, sizeof(v)), ends ? ENODEV : EAGAIN);
	p.fd = fd;
	EQ(poll(&p, 1, 0), ends ? 1 : 0);
	/* Its number is the file's as long as that is open. */
	OK(tell("bind"));
	CHECK(exists("/dev/rtc1") && exists(RTC1) && !exists("/dev/rtc0") && !exists(RTC0));
	CHECK(!exists("/proc/driver/rtc"));
	ERR(ioctl(fd, RTC_RD_TIME, &t), ENODEV);
	OK(tell("unbind"));
	close(fd);
	OK(tell("bind"));
	is_back();
	fd = OK(open("/dev/rtc0", O_RDONLY | O_CLOEXEC));
	OK(ioctl(fd, RTC_RD_TIME, &t));
}

TEST(what_was_set_leaves_with_it)
{
	struct rtc_wkalrm w;
	int fd;

	find();
	fd = OK(open("/dev/rtc0", O_RDONLY | O_CLOEXEC));
	memset(&w, 0, sizeof(w));
	OK(ioctl(fd, RTC_RD_TIME, &w.time));
	w.enabled = 1;
	w.time.tm_hour = (w.time.tm_hour + 12) % 24;
	if (ioctl(fd, RTC_WKALM_SET, &w) && errno != EINVAL)
		FAIL("an alarm: %s", strerror(errno));
	/* What comes again and again, where the clock has an interrupt. */
	if (ioctl(fd, RTC_UIE_ON, 0) && errno != EINVAL)
		FAIL("updates: %s", strerror(errno));
	close(fd);
	OK(tell("unbind"));
	OK(tell("bind"));
	is_back();
	fd = OK(open("/dev/rtc0", O_RDONLY | O_CLOEXEC));
	if (!ioctl(fd, RTC_WKALM_RD, &w) && reads_end())
		EQ(w.enabled, 0);
}

TEST(who_waits_for_an_event_is_told)
{
	unsigned long v;
	int fd, status;
	pid_t pid;

	find();
	if (!reads_end())
		SKIP("on Linux it waits for ever");
	fd = OK(open("/dev/rtc0", O_RDONLY));
	pid = OK(fork());
	if (!pid)
		_exit(read(fd, &v, sizeof(v)) < 0 ? errno : 0);
	close(fd);
	OK(tell("unbind"));
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), ENODEV);
	OK(tell("bind"));
	is_back();
}

static void put(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

TEST(a_driver_that_finds_no_memory)
{
	int nth, fd, n, failed = 0;
	struct rtc_time t;

	find();
	if (!exists("/proc/self/fail-nth"))
		SKIP("a kernel without failures");
	if (!exists(DEBUG "/failslab"))
		OK(mount("debugfs", DEBUG, "debugfs", 0, NULL));
	/* Those too that may wait for memory. */
	put(DEBUG "/failslab/ignore-gfp-wait", "N");
	put(DEBUG "/fail_page_alloc/ignore-gfp-wait", "N");
	put(DEBUG "/fail_page_alloc/min-order", "0");
	put(DEBUG "/failslab/verbose", "0");
	put(DEBUG "/fail_page_alloc/verbose", "0");
	nth = OK(open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC));
	for (n = 1;; n++) {
		char text[16] = "";
		int len = sprintf(text, "%d", n), r, e;

		OK(tell("unbind"));
		EQ(pwrite(nth, text, (size_t)len, 0), len);
		r = tell("bind");
		e = errno;
		CHECK(pread(nth, text, sizeof(text) - 1, 0) > 1);
		EQ(write(nth, "0", 1), 1);
		if (r) {
			failed++;
			/* The latter: of the name's copy. */
			if (e != ENOMEM && e != EFAULT)
				FAIL("failure %d: %s", n, strerror(e));
			CHECK(!exists("/dev/rtc0") && !exists(RTC0) && !exists("/proc/driver/rtc"));
			OK(tell("bind"));
		}
		is_back();
		if (atoi(text))
			break;
		/* What failed may be an event's memory: the clock lives without. */
	}
	CHECK(failed >= 10);
	fd = OK(open("/dev/rtc0", O_RDONLY | O_CLOEXEC));
	OK(ioctl(fd, RTC_RD_TIME, &t));
}
