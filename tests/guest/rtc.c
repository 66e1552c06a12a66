// SPDX-License-Identifier: MIT
/* /dev/rtc0 as rtc(4) has it: times, alarms, update and periodic interrupts. */
#define TEST_LIMIT 40
#include "t.h"
#include <linux/rtc.h>
#include <poll.h>
#include <sys/ioctl.h>

static int rtc_open(int flags)
{
	int fd = open("/dev/rtc0", O_RDONLY | flags);

	if (fd < 0 && errno == ENOENT)
		SKIP("no battery clock");
	OK(fd);
	return fd;
}

static long long secs(const struct rtc_time *t)
{
	struct tm tm = { .tm_sec = t->tm_sec,
			 .tm_min = t->tm_min,
			 .tm_hour = t->tm_hour,
			 .tm_mday = t->tm_mday,
			 .tm_mon = t->tm_mon,
			 .tm_year = t->tm_year };

	return timegm(&tm);
}

static struct rtc_time from_secs(long long s)
{
	time_t at = s;
	struct tm tm;

	gmtime_r(&at, &tm);
	return (struct rtc_time){ tm.tm_sec,  tm.tm_min,  tm.tm_hour, tm.tm_mday, tm.tm_mon,
				  tm.tm_year, tm.tm_wday, tm.tm_yday, 0 };
}

static long long now(int fd)
{
	struct rtc_time t;

	OK(ioctl(fd, RTC_RD_TIME, &t));
	return secs(&t);
}

/* Waits for an interrupt; what read gave. */
static unsigned long event(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned long v = 0;

	EQ(poll(&p, 1, 30000), 1);
	CHECK(p.revents & POLLIN);
	EQ(read(fd, &v, sizeof(v)), sizeof(v));
	CHECK(v >> 8 > 0 && (v & RTC_IRQF));
	return v;
}

TEST(the_time)
{
	int fd = rtc_open(0);
	struct rtc_time t, set, want;
	long long before = now(fd);

	OK(ioctl(fd, RTC_RD_TIME, &t));
	want = from_secs(secs(&t));
	EQ(t.tm_yday, want.tm_yday);
	/* 2036-02-29 23:59:58 goes on to March. */
	set = from_secs(2087942398);
	EQ(set.tm_mday, 29);
	OK(ioctl(fd, RTC_SET_TIME, &set));
	while (now(fd) < 2087942400)
		t_sleep_ms(50);
	OK(ioctl(fd, RTC_RD_TIME, &t));
	EQ(t.tm_mon, 2);
	EQ(t.tm_mday, 1);
	EQ(t.tm_hour, 0);
	set = from_secs(before);
	OK(ioctl(fd, RTC_SET_TIME, &set));
	CHECK(now(fd) >= before && now(fd) < before + 60);
}

TEST(bad_arguments)
{
	int fd = rtc_open(0);
	struct rtc_time t = from_secs(now(fd)), bad = t;
	char small[3];

	ERR(open("/dev/rtc0", O_RDONLY), EBUSY);
	ERR(ioctl(fd, RTC_RD_TIME, 8L), EFAULT);
	ERR(ioctl(fd, RTC_SET_TIME, 8L), EFAULT);
	ERR(ioctl(fd, RTC_WKALM_SET, 8L), EFAULT);
	bad.tm_mon = 12;
	ERR(ioctl(fd, RTC_SET_TIME, &bad), EINVAL);
	bad = t;
	bad.tm_mon = 1;
	bad.tm_mday = 30;
	ERR(ioctl(fd, RTC_SET_TIME, &bad), EINVAL);
	bad = t;
	bad.tm_sec = -1;
	ERR(ioctl(fd, RTC_SET_TIME, &bad), EINVAL);
	bad.tm_year = 0x7fffffff;
	ERR(ioctl(fd, RTC_SET_TIME, &bad), EINVAL);
	ERR(ioctl(fd, RTC_IRQP_SET, 0L), EINVAL);
	ERR(ioctl(fd, RTC_IRQP_SET, 100000L), EINVAL);
	ERR(ioctl(fd, _IO('p', 0x7f), 0), ENOTTY);
	ERR(read(fd, small, sizeof(small)), EINVAL);
	ERR(read(fd, &t, 6), EINVAL);
	ERR(lseek(fd, 0, SEEK_SET), ESPIPE);
	OK(fcntl(fd, F_SETFL, O_NONBLOCK));
	ERR(read(fd, &t, sizeof(t)), EAGAIN);
}

TEST(rights)
{
	int fd = rtc_open(0);
	struct rtc_time t = from_secs(now(fd));

	OK(setuid(65534));
	OK(ioctl(fd, RTC_RD_TIME, &t));
	ERR(ioctl(fd, RTC_SET_TIME, &t), EACCES);
	OK(ioctl(fd, RTC_IRQP_SET, 64L));
	ERR(ioctl(fd, RTC_IRQP_SET, 128L), EACCES);
	ERR(open("/dev/rtc0", O_RDONLY), EACCES);
}

/* A clock whose driver serves no interrupts says so, once and for all. */
#define NEEDS_INTERRUPTS(fd) do {									\
	if (ioctl(fd, RTC_UIE_ON, 0) < 0 && errno == EINVAL && access("/sys/class/rtc/rtc0/wakealarm", F_OK))	\
		SKIP("this clock's driver serves no interrupts");					\
	OK(ioctl(fd, RTC_UIE_OFF, 0));									\
} while (0)

TEST(updates)
{
	int fd = rtc_open(0);
	long long first, second;

	NEEDS_INTERRUPTS(fd);
	OK(ioctl(fd, RTC_UIE_ON, 0));
	CHECK(event(fd) & RTC_UF);
	first = now(fd);
	CHECK(event(fd) & RTC_UF);
	second = now(fd);
	CHECK(second > first);
	OK(ioctl(fd, RTC_UIE_OFF, 0));
}

TEST(signals_of_updates)
{
	int fd = rtc_open(0), sig;
	sigset_t set;

	NEEDS_INTERRUPTS(fd);
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	OK(fcntl(fd, F_SETOWN, getpid()));
	OK(fcntl(fd, F_SETFL, O_ASYNC));
	OK(ioctl(fd, RTC_UIE_ON, 0));
	EQ(sigwait(&set, &sig), 0);
	OK(ioctl(fd, RTC_UIE_OFF, 0));
}

TEST(an_alarm)
{
	int fd = rtc_open(0);
	struct rtc_wkalrm w = { .enabled = 1 }, r;
	long long at = now(fd) + 3;

	NEEDS_INTERRUPTS(fd);
	w.time = from_secs(at);
	OK(ioctl(fd, RTC_WKALM_SET, &w));
	OK(ioctl(fd, RTC_WKALM_RD, &r));
	EQ(r.enabled, 1);
	EQ(secs(&r.time), at);
	CHECK(event(fd) & RTC_AF);
	CHECK(now(fd) >= at);
	OK(ioctl(fd, RTC_WKALM_RD, &r));
	EQ(r.enabled, 0);
	/* One that is past comes at once. */
	w.time = from_secs(now(fd) - 100);
	OK(ioctl(fd, RTC_WKALM_SET, &w));
	CHECK(event(fd) & RTC_AF);
	/* One that was taken back does not: the tick after it finds nothing. */
	at = now(fd) + 2;
	w.time = from_secs(at);
	OK(ioctl(fd, RTC_WKALM_SET, &w));
	OK(ioctl(fd, RTC_AIE_OFF, 0));
	OK(ioctl(fd, RTC_UIE_ON, 0));
	while (now(fd) <= at + 1)
		CHECK(!(event(fd) & RTC_AF));
	/* The clock compares the time of day. */
	w.time.tm_mon = 13;
	ERR(ioctl(fd, RTC_WKALM_SET, &w), EINVAL);
}

TEST(an_alarm_by_time_of_day)
{
	int fd = rtc_open(0);
	long long at = now(fd) + 2;
	struct rtc_time t = from_secs(at), r;

	NEEDS_INTERRUPTS(fd);
	t.tm_mday = t.tm_mon = t.tm_year = 0;	/* not looked at */
	OK(ioctl(fd, RTC_ALM_SET, &t));
	OK(ioctl(fd, RTC_ALM_READ, &r));
	EQ(r.tm_hour, t.tm_hour);
	EQ(r.tm_sec, t.tm_sec);
	OK(ioctl(fd, RTC_AIE_ON, 0));
	CHECK(event(fd) & RTC_AF);
	t.tm_hour = 24;
	ERR(ioctl(fd, RTC_ALM_SET, &t), EINVAL);
}

TEST(ticks)
{
	int fd = rtc_open(0);
	unsigned long hz = 0, n = 0;

	NEEDS_INTERRUPTS(fd);
	OK(ioctl(fd, RTC_IRQP_SET, 32L));
	OK(ioctl(fd, RTC_IRQP_READ, &hz));
	EQ(hz, 32);
	OK(ioctl(fd, RTC_PIE_ON, 0));
	for (int i = 0; i < 8; i++) {
		unsigned long v = event(fd);

		CHECK(v & RTC_PF);
		n += v >> 8;
	}
	CHECK(n >= 8);
	OK(ioctl(fd, RTC_PIE_OFF, 0));
}

TEST(sysfs_and_wakealarm)
{
	int fd = rtc_open(0), a;
	char text[32] = "";

	NEEDS_INTERRUPTS(fd);
	a = open("/sys/class/rtc/rtc0/wakealarm", O_RDWR);
	OK(a);
	EQ(write(a, "+3600\n", 6), 6);
	OK(pread(a, text, sizeof(text) - 1, 0));
	CHECK(llabs(atoll(text) - now(fd) - 3600) < 60);
	ERR(write(a, "+60\n", 4), EBUSY);
	EQ(write(a, "0\n", 2), 2);
	EQ(pread(a, text, sizeof(text), 0), 0);
	ERR(write(a, "soon\n", 5), EINVAL);
}
