// SPDX-License-Identifier: MIT
/*
 * Signatures of modules. /hello.ko is signed by the key of the build, /plain.ko the same without;
 * /foreign.ko is signed by another key, /short.ko by ours with SHA-256, /by_id.ko names the key by
 * its id. For modules.py, which runs this with and without module.sig_enforce=0.
 */
#define TEST_LIMIT 120
#include "../guest/t.h"
#include <sys/mman.h>

#define TRAILER 40

static unsigned char *file;
static size_t size;

static void get(const char *name)
{
	struct stat st;
	int fd = OK(open(name, O_RDONLY));

	OK(fstat(fd, &st));
	size = (size_t)st.st_size;
	file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(file != MAP_FAILED);
	close(fd);
}

/* Bytes of the message, which lies before the trailer. */
static size_t message(void)
{
	const unsigned char *t = file + size - TRAILER;

	return (size_t)t[10] << 8 | t[11];
}

static long load(const char *args)
{
	return syscall(SYS_init_module, file, size, args);
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

static bool enforced(void)
{
	return !strstr(text("/proc/cmdline"), "module.sig_enforce=0");
}

static bool tainted(void)
{
	return atol(text("/proc/sys/kernel/tainted")) & 8192;
}

/* It loads, with what is said of a module that is signed or is not. */
static void loads(const char *name, bool is_signed)
{
	get(name);
	OK(load("device=0 times=0"));
	CHECK(!strcmp(text("/sys/module/hello/taint"), is_signed ? "\n" : "E\n"));
	CHECK(!strstr(text("/proc/modules"), "(E)") == is_signed);
	OK(syscall(SYS_delete_module, "hello", O_NONBLOCK));
}

TEST(signed_ones)
{
	CHECK(!tainted());
	loads("/hello.ko", true);
	loads("/short.ko", true);
	loads("/by_id.ko", true);
	CHECK(!tainted());
}

TEST(not_by_us)
{
	static const char *const names[] = { "/plain.ko", "/foreign.ko" };

	for (int i = 0; i < 2; i++) {
		get(names[i]);
		if (enforced())
			ERR(load(""), EKEYREJECTED);
		else
			loads(names[i], false);
	}
	CHECK(tainted() == !enforced());
}

/* A changed one is refused even where an unsigned one is not. */
TEST(changed)
{
	get("/hello.ko");
	for (size_t at = 0; at < size - TRAILER - message(); at += 31) {
		file[at] ^= 0x10;
		ERR(load(""), EKEYREJECTED);
		file[at] ^= 0x10;
	}
	for (size_t at = size - TRAILER - 512; at < size - TRAILER; at += 31) {
		file[at] ^= 1;
		ERR(load(""), EKEYREJECTED);
		file[at] ^= 1;
	}
	ERR(load((char *)8), EFAULT);
}

TEST(unreadable)
{
	get("/hello.ko");
	file[size - TRAILER - message()] = 0x31;
	ERR(load(""), EBADMSG);
	get("/hello.ko");
	file[size - TRAILER + 8] = 0x7f;
	ERR(load(""), EBADMSG);
	file[size - TRAILER + 8] = 0;
	file[size - TRAILER + 3] = 1;
	ERR(load(""), EBADMSG);
	file[size - TRAILER + 3] = 0;
	file[size - TRAILER + 11]--;
	ERR(load(""), EBADMSG);
}

/* Any byte of the message: it is refused, or one of those that nobody reads. */
TEST(each_byte_of_the_message)
{
	size_t passed = 0, n;

	if (!enforced())
		return;
	get("/hello.ko");
	n = message();
	for (size_t at = size - TRAILER - n; at < size - TRAILER; at++) {
		file[at] ^= 0x41;
		CHECK(load((char *)8) == -1);
		passed += errno == EFAULT;
		CHECK(errno == EFAULT || errno == EKEYREJECTED || errno == EBADMSG);
		file[at] ^= 0x41;
	}
	CHECK(passed <= 15);	/* the set of digests */
}

/* What a program wants ignored was in what was signed. */
TEST(ignoring)
{
	int fd = OK(open("/hello.ko", O_RDONLY));

	for (int flags = 1; flags < 4; flags++) {
		int want = enforced() ? EKEYREJECTED : flags & 1 ? EINVAL : ENOEXEC;

		ERR(syscall(SYS_finit_module, fd, "", flags), want);
	}
	close(fd);
}

static long set_enforcement(const char *value)
{
	int fd = OK(open("/sys/module/module/parameters/sig_enforce", O_WRONLY));
	long n = write(fd, value, strlen(value));
	int e = errno;

	close(fd);
	errno = e;
	return n;
}

/* Last: it is switched on for good. */
TEST(switched_on)
{
	const char *want = enforced() ? "Y\n" : "N\n";

	CHECK(!strcmp(text("/sys/module/module/parameters/sig_enforce"), want));
	ERR(set_enforcement("maybe"), EINVAL);
	if (enforced())
		ERR(set_enforcement("0"), EROFS);
	else
		EQ(set_enforcement("0"), 1);
	EQ(set_enforcement("1"), 1);
	CHECK(!strcmp(text("/sys/module/module/parameters/sig_enforce"), "Y\n"));
	ERR(set_enforcement("N"), EROFS);
	get("/plain.ko");
	ERR(load(""), EKEYREJECTED);
	loads("/hello.ko", true);
}
