// SPDX-License-Identifier: MIT
/*
 * A module in Rust (tests/modules/hello_rust.rs), not signed: /rust.ko. For modules_rust.py, which
 * boots with module.sig_enforce=0.
 */
#define TEST_LIMIT 200
#include "../guest/t.h"
#include <sys/mman.h>

static unsigned char *file;
static size_t size;

static void get_file(void)
{
	struct stat st;
	int fd = OK(open("/rust.ko", O_RDONLY));

	OK(fstat(fd, &st));
	size = (size_t)st.st_size;
	file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(file != MAP_FAILED);
	close(fd);
}

static long load(const char *args)
{
	return syscall(SYS_init_module, file, size, args);
}

static long unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK);
}

static const char *text(const char *name)
{
	static char buf[4096];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static bool is(const char *name, const char *what)
{
	return !strcmp(text(name), what);
}

TEST(loads_and_goes)
{
	get_file();
	OK(load("times=3 who=\"all of you\" limit=0x10"));
	CHECK(is("/sys/module/hello_rust/parameters/times", "3\n"));
	CHECK(is("/sys/module/hello_rust/parameters/limit", "16\n"));
	CHECK(is("/sys/module/hello_rust/parameters/who", "all of you\n"));
	CHECK(is("/sys/module/hello_rust/parameters/forget", "N\n"));
	ERR(open("/sys/module/hello_rust/parameters/fail", O_RDONLY), ENOENT);
	CHECK(is("/sys/module/hello_rust/refcnt", "0\n"));
	ERR(load(""), EEXIST);
	OK(unload("hello_rust"));
	CHECK(is("/proc/modules", ""));
	ERR(open("/dev/hello_rust", O_RDONLY), ENOENT);
}

TEST(an_open_device)
{
	unsigned long n;
	int fd;

	get_file();
	OK(load("limit=700"));
	fd = OK(open("/dev/hello_rust", O_RDWR));
	EQ(write(fd, "12345", 5), 5);
	EQ(read(fd, &n, sizeof(n)), 8);
	EQ(n, 705);
	ERR(read(fd, (void *)8, 8), EFAULT);
	CHECK(is("/sys/module/hello_rust/refcnt", "1\n"));
	ERR(unload("hello_rust"), EWOULDBLOCK);
	close(fd);
	OK(unload("hello_rust"));
}

TEST(refusals)
{
	unsigned char *p;

	get_file();
	ERR(load("fail"), ENOSPC);
	ERR(load("times=many"), EINVAL);
	CHECK(is("/proc/modules", ""));
	p = memmem(file, size, "rust_kernel=", 12);
	CHECK(p);
	p[12 + 63] ^= 1;
	ERR(load(""), EINVAL);
	p[12 + 63] ^= 1;
	p = memmem(file, size, "rust_kmalloc", 12);
	CHECK(p);
	p[0] = 'c';
	ERR(load(""), ENOENT);
	CHECK(is("/proc/modules", ""));
}

static long free_kib(void)
{
	const char *p;

	text("/proc/meminfo");
	p = strstr(text("/proc/meminfo"), "MemFree:");
	return p ? atol(p + 8) : 0;
}

/* How many of N rounds: a tenth where only what depends on the CPU is tried. */
static int of(int n)
{
	return getenv("SHORT") ? n / 10 : n;
}

static void rounds(int n)
{
	for (int i = 0; i < n; i++) {
		int fd;

		OK(load("times=0"));
		fd = OK(open("/dev/hello_rust", O_RDONLY));
		close(fd);
		OK(unload("hello_rust"));
		ERR(load("fail"), ENOSPC);
	}
}

TEST(three_hundred_rounds)
{
	long before;

	get_file();
	rounds(of(150));	/* what the debug kernel keeps for a while */
	before = free_kib();
	rounds(of(300));
	/* One page that is lost each time would be 1200 KiB. */
	CHECK(before - free_kib() < 1000);
}

/* Last: the module stays. What exit leaves registered, nobody frees the code of. */
TEST(what_is_forgotten_stays)
{
	long n;

	get_file();
	OK(load("forget=1 limit=3 times=0"));
	OK(unload("hello_rust"));
	CHECK(strstr(text("/proc/modules"), "hello_rust") &&
	      strstr(text("/proc/modules"), " Unloading "));
	ERR(open("/dev/hello_rust", O_RDONLY), ENXIO);
	ERR(load(""), EBUSY);
	ERR(unload("hello_rust"), EBUSY);
	n = strtol(text("/sys/module/hello_rust/refcnt"), NULL, 10);
	EQ(n, 0);
}
