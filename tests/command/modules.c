// SPDX-License-Identifier: MIT
/*
 * Loads /plain.ko (tests/modules/hello.c, not signed) in every wrong way and in the right one. For
 * modules.py, which boots with module.sig_enforce=0.
 */
/* proves: init_module finit_module delete_module */
#define TEST_LIMIT 120
/* A relocation of 32 bits by how far a thing is. */
#ifdef __x86_64__
#define DISTANCE32 R_X86_64_PC32
#elif defined(__aarch64__)
#define DISTANCE32 R_AARCH64_PREL32
#elif defined(__riscv)
#define DISTANCE32 R_RISCV_32_PCREL
#else
#define DISTANCE32 99	/* R_LARCH_32_PCREL */
#endif
#include "../guest/t.h"
#include <elf.h>
#include <sched.h>
#include <sys/mman.h>

static unsigned char *file;
static size_t size;

static void get_file(void)
{
	struct stat st;
	int fd = OK(open("/plain.ko", O_RDONLY));

	OK(fstat(fd, &st));
	size = (size_t)st.st_size;
	file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(file != MAP_FAILED);
	close(fd);
}

static long load(const void *p, size_t n, const char *args)
{
	return syscall(SYS_init_module, p, n, args);
}

static long load_file(const char *name, const char *args, int flags)
{
	int fd = open(name, O_RDONLY);
	long r = syscall(SYS_finit_module, fd, args, flags);
	int e = errno;

	if (fd >= 0)
		close(fd);
	errno = e;
	return r;
}

static long unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK);
}

/* The text of NAME; "" where it is not there. */
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
	long n;
	int uses;
	char state[20];

	get_file();
	OK(load(file, size, "times=3 who=\"all of you\" limit=0x10"));
	CHECK(sscanf(text("/proc/modules"), "hello %ld %d - %19s 0x", &n, &uses, state) == 3);
	CHECK(n == 3 * getpagesize() && uses == 0 && !strcmp(state, "Live"));
	CHECK(is("/sys/module/hello/refcnt", "0\n") && is("/sys/module/hello/initstate", "live\n"));
	CHECK(is("/sys/module/hello/taint", "E\n") &&
	      atol(text("/sys/module/hello/coresize")) == n);
	CHECK(is("/sys/module/hello/parameters/times", "3\n") &&
	      is("/sys/module/hello/parameters/limit", "16\n"));
	CHECK(is("/sys/module/hello/parameters/who", "all of you\n") &&
	      is("/sys/module/hello/parameters/stuck", "N\n"));
	ERR(open("/sys/module/hello/parameters/fail", O_RDONLY), ENOENT);
	CHECK(atol(text("/proc/sys/kernel/tainted")) & 8192);
	ERR(load(file, size, ""), EEXIST);
	OK(unload("hello"));
	CHECK(is("/proc/modules", ""));
	ERR(access("/sys/module/hello", F_OK), ENOENT);
	ERR(unload("hello"), ENOENT);
}

TEST(a_file)
{
	OK(load_file("/plain.ko", "device=0", 0));
	OK(unload("hello"));
	ERR(load_file("/plain.ko", "", 8), EINVAL);
	ERR(load_file("/plain.ko", "", 4), EOPNOTSUPP);
	ERR(load_file("/plain.ko", "", 2), ENOEXEC);
	ERR(load_file("/", "", 0), EINVAL);
	ERR(load_file("/proc/modules", "", 0), EINVAL);
	ERR(load_file("/no such file", "", 0), EBADF);
	ERR(load_file("/plain.ko", "", 1), EINVAL);
}

TEST(an_open_device)
{
	int fd;

	get_file();
	OK(load(file, size, ""));
	fd = OK(open("/dev/hello", O_RDONLY));
	CHECK(is("/sys/module/hello/refcnt", "1\n"));
	ERR(unload("hello"), EWOULDBLOCK);
	close(fd);
	CHECK(is("/sys/module/hello/refcnt", "0\n"));
	OK(unload("hello"));
	ERR(open("/dev/hello", O_RDONLY), ENOENT);
}

TEST(arguments)
{
	get_file();
	ERR(load(file, size, "times=many"), EINVAL);
	ERR(load(file, size, "times"), EINVAL);
	ERR(load(file, size, "limit=-1"), EINVAL);
	ERR(load(file, size, "fail=28"), ENOSPC);
	ERR(load(file, size, (char *)8), EFAULT);
	ERR(load((void *)8, size, ""), EFAULT);
	CHECK(is("/proc/modules", ""));
	OK(load(file, size, "nobody=1 device=0 stuck"));
	OK(unload("hello"));
	ERR(unload(""), ENOENT);
	ERR(unload("a name that is longer than a module's name may ever be, as it seems"), ENOENT);
	ERR(unload((char *)8), EFAULT);
}

TEST(cut_off)
{
	get_file();
	for (size_t n = 0; n < size; n += n < 4096 ? 1 : 61)
		ERR(load(file, n, "fail=1"), ENOEXEC);
	CHECK(is("/proc/modules", ""));
}

static Elf64_Shdr *section(unsigned int i)
{
	return (Elf64_Shdr *)(void *)(file + ((Elf64_Ehdr *)(void *)file)->e_shoff) + i;
}

/*
 * Each byte of the file lies in turn. Arguments that cannot be read end the loading after all but
 * init was done: code that is wrong does not run.
 */
TEST(each_byte_lies)
{
	get_file();
	for (size_t i = 0; i < 2 * size; i++) {
		unsigned char *p = file + i / 2, old = *p;

		*p ^= i % 2 ? 0xff : (unsigned char)(1 << i / 2 % 8);
		CHECK(load(file, size, (char *)8) == -1);
		if (errno != ENOEXEC && errno != ENOENT && errno != EINVAL)
			EQ(errno, EFAULT);
		*p = old;
	}
	CHECK(is("/proc/modules", ""));
	ERR(load(file, size, "fail=28"), ENOSPC);
}

/* Relocations by number N of the file: its fields, one after the other. */
TEST(relocations)
{
	Elf64_Ehdr *h;
	unsigned int seen = 0;

	get_file();
	h = (void *)file;
	for (unsigned int i = 0; i < h->e_shnum; i++) {
		Elf64_Rela *r = (void *)(file + section(i)->sh_offset), old;

		if (section(i)->sh_type != SHT_RELA ||
		    !(section(section(i)->sh_info)->sh_flags & SHF_ALLOC))
			continue;
		old = r[0];
		seen++;
		r[0].r_offset = section(section(i)->sh_info)->sh_size - 1;
		ERR(load(file, size, ""), ENOEXEC);
		r[0] = old;
		r[0].r_info = ELF64_R_INFO(ELF64_R_SYM(old.r_info), 250);
		ERR(load(file, size, ""), ENOEXEC);
		r[0].r_info = ELF64_R_INFO(ELF64_R_SYM(old.r_info), DISTANCE32);
		r[0].r_addend = 1L << 40;
		ERR(load(file, size, ""), ENOEXEC);
		r[0] = old;
		r[0].r_info |= 0xffffffffULL << 32;
		ERR(load(file, size, ""), ENOEXEC);
		r[0] = old;
	}
	CHECK(seen >= 2);
	CHECK(is("/proc/modules", ""));
}

/* The first place of WORD in the file. */
static unsigned char *word(const char *w)
{
	unsigned char *p = memmem(file, size, w, strlen(w));

	CHECK(p);
	return p;
}

/* The last one. */
static unsigned char *last_word(const char *w)
{
	unsigned char *p = word(w), *next;

	while ((next = memmem(p + 1, size - (size_t)(p + 1 - file), w, strlen(w))))
		p = next;
	return p;
}

TEST(names)
{
	get_file();
	word("printk")[0] = 'q';
	ERR(load(file, size, ""), ENOENT);
	get_file();
	*last_word("printk") = 'q';	/* in __versions, which lies behind the names */
	ERR(load(file, size, ""), EINVAL);
	get_file();
	last_word("printk")[-1] ^= 1;
	ERR(load(file, size, ""), EINVAL);
	get_file();
	*word("__versions") = '-';
	ERR(load(file, size, ""), EINVAL);
	get_file();
	word("vermagic=")[9] = '6';
	ERR(load(file, size, ""), ENOEXEC);
	get_file();
	memcpy(word(".module_param"), ".extable_oder", 13);
	ERR(load(file, size, ""), ENOEXEC);
	get_file();
	word("cleanup_module")[0] = 'k';
	ERR(load(file, size, "fail=28"), ENOSPC);
}

static void refused(void)
{
	ERR(load(file, size, ""), EPERM);
	ERR(load_file("/plain.ko", "", 0), EPERM);
	ERR(unload("hello"), EPERM);
}

/* Nor sees addresses who has no right to. */
TEST(who_may_not)
{
	int st;

	get_file();
	OK(load(file, size, ""));
	CHECK(strstr(text("/proc/modules"), " Live 0xffff"));
	if (!fork()) {
		OK(setgid(1000));
		OK(setuid(1000));
		refused();
		CHECK(strstr(text("/proc/modules"), " Live 0x0000000000000000 (E)"));
		OK(unshare(CLONE_NEWUSER));
		refused();
		_exit(0);
	}
	OK(wait(&st));
	EQ(st, 0);
	OK(unload("hello"));
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
		OK(load(file, size, i % 2 ? "" : "device=0 times=0"));
		OK(unload("hello"));
		ERR(load(file, size, "fail=28"), ENOSPC);
	}
}

TEST(three_hundred_rounds)
{
	long before;

	get_file();
	rounds(of(30));
	before = free_kib();
	rounds(of(300));
	/* One page that is lost each time would be 1200 KiB. */
	CHECK(before - free_kib() < 1000);
}
