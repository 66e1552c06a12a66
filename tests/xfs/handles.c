// SPDX-License-Identifier: MIT
/*
 * Files of a mounted XFS by handle: "handles make DIR" makes a tree, and writes handles of it to
 * stdout; "handles check DIR" reads them, in another mount: each leads to its file, and what is not
 * there is stale; "handles race DIR N" makes and removes files and directories, N times, while
 * others open handles of them and of any number.
 *
 * It says "handles: ok", or what was wrong. Linux says the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTABLE 0x002
#define DEEP 40

struct handle {
	unsigned int bytes;
	int type;
	unsigned char f[128];
};
struct fid {
	uint64_t ino;
	uint32_t gen;
	uint64_t parent;
	uint32_t parent_gen;
} __attribute__((packed));

#define CHECK(c) do { if (!(c)) fail(__LINE__, #c); } while (0)

static void fail(int line, const char *what)
{
	printf("handles: line %d: not true: %s (errno %d)\n", line, what, errno);
	exit(1);
}

static int to_handle(const char *name, struct handle *h, int flags)
{
	int mnt;

	*h = (struct handle){ .bytes = sizeof(h->f) };
	return (int)syscall(SYS_name_to_handle_at, AT_FDCWD, name, h, &mnt, flags);
}

static int by_handle(int mfd, const struct handle *h, int flags)
{
	errno = 0;
	return (int)syscall(SYS_open_by_handle_at, mfd, h, flags);
}

static bool is_stale(const struct handle *h)
{
	int fd = by_handle(AT_FDCWD, h, O_RDONLY | O_NONBLOCK), e = errno;

	if (fd >= 0)
		close(fd);
	return fd < 0 && e == ESTALE;
}

static struct handle of_number(uint64_t ino, uint32_t gen)
{
	struct handle h = { .bytes = 12, .type = 0x81 };
	struct fid f = { .ino = ino, .gen = gen };

	memcpy(h.f, &f, 12);
	return h;
}

static void make_file(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void deep_name(char *name, int depth)
{
	*name = '\0';
	for (int i = 0; i < depth; i++)
		sprintf(name + strlen(name), "%sd%d", i ? "/" : "", i);
}

static struct handle handle_of(const char *name, int flags)
{
	struct handle h;
	struct fid f;
	struct stat st;

	CHECK(!to_handle(name, &h, flags));
	CHECK(!lstat(name, &st));
	memcpy(&f, h.f, sizeof(f));
	CHECK(f.ino == st.st_ino &&
	      h.bytes == (h.type & 0x80 && (h.type & 0xff) == 0x82 ? 24 : 12));
	return h;
}

enum { DIR_DEEP, FILE_DEEP, FILE_CONNECTABLE, DIR_CONNECTABLE, LINK, GONE, DIR_GONE, ROOT, KEPT };

static void make(void)
{
	struct handle h[KEPT];
	char name[DEEP * 5], file[DEEP * 5 + 10];

	for (int i = 1; i <= DEEP; i++) {
		deep_name(name, i);
		CHECK(!mkdir(name, 0755));
	}
	sprintf(file, "%s/file", name);
	make_file(file, "text");
	CHECK(!symlink("elsewhere", "link"));
	make_file("gone", "x");
	CHECK(!mkdir("dirgone", 0755));
	h[DIR_DEEP] = handle_of(name, 0);
	h[FILE_DEEP] = handle_of(file, 0);
	h[FILE_CONNECTABLE] = handle_of(file, CONNECTABLE);
	h[DIR_CONNECTABLE] = handle_of(name, CONNECTABLE);
	h[LINK] = handle_of("link", 0);
	h[GONE] = handle_of("gone", 0);
	h[DIR_GONE] = handle_of("dirgone", 0);
	h[ROOT] = handle_of(".", 0);
	CHECK(h[FILE_DEEP].type == 0x81 && h[FILE_CONNECTABLE].type == 0x10082 &&
	      h[DIR_CONNECTABLE].type == 0x30081);
	CHECK(!unlink("gone") && !rmdir("dirgone"));
	CHECK(fwrite(h, sizeof(h), 1, stdout) == 1);
}

/* The directory that the handle names has the path DEEP says, upwards too. */
static void check_deep(const char *top, const struct handle *h)
{
	char want[8192], got[4096], name[DEEP * 5];
	int here = open(".", O_RDONLY | O_DIRECTORY),
	    fd = by_handle(here, h, O_RDONLY | O_DIRECTORY);
	struct stat a, b;

	CHECK(fd >= 0 && !fchdir(fd) && getcwd(got, sizeof(got)));
	deep_name(name, DEEP);
	sprintf(want, "%s/%s", top, name);
	CHECK(!strcmp(want, got));
	for (int i = DEEP - 1; i >= 0; i--) {
		CHECK(!chdir("..") && getcwd(got, sizeof(got)));
		deep_name(name, i);
		sprintf(want, "%s%s%s", top, i ? "/" : "", name);
		CHECK(!strcmp(want, got));
	}
	CHECK(!stat(".", &a) && !fstat(here, &b) && a.st_ino == b.st_ino);
	close(fd);
	close(here);
}

static void check_file(const char *top, const struct handle *h)
{
	char want[8192], got[4096] = "", link[40], name[DEEP * 5];
	int fd, in, away;

	fd = by_handle(AT_FDCWD, &h[FILE_CONNECTABLE], O_RDONLY);
	CHECK(fd >= 0 && read(fd, got, 10) == 4 && !memcmp(got, "text", 4));
	sprintf(link, "/proc/self/fd/%d", fd);
	memset(got, 0, sizeof(got));
	CHECK(readlink(link, got, sizeof(got) - 1) > 0);
	deep_name(name, DEEP);
	sprintf(want, "%s/%s/file", top, name);
	CHECK(!strcmp(want, got));
	close(fd);
	/* Below the directory that is given, or not at all. */
	CHECK(!mkdir("away", 0755));
	away = open("away", O_RDONLY | O_DIRECTORY);
	in = open("d0/d1", O_RDONLY | O_DIRECTORY);
	fd = by_handle(in, &h[FILE_CONNECTABLE], O_RDONLY);
	CHECK(fd >= 0);
	close(fd);
	fd = by_handle(in, &h[DIR_CONNECTABLE], O_RDONLY);
	CHECK(fd >= 0);
	close(fd);
	CHECK(by_handle(away, &h[FILE_CONNECTABLE], O_RDONLY) < 0 && errno == ESTALE);
	CHECK(by_handle(away, &h[DIR_CONNECTABLE], O_RDONLY) < 0 && errno == ESTALE);
	close(in);
	close(away);
	CHECK(!rmdir("away"));
}

static void check_others(const struct handle *h)
{
	struct handle x;
	struct fid f;
	struct stat st;
	char text[20];
	int fd = by_handle(AT_FDCWD, &h[LINK], O_PATH);

	CHECK(fd >= 0 && readlinkat(fd, "", text, sizeof(text)) == 9);
	close(fd);
	CHECK(by_handle(AT_FDCWD, &h[LINK], O_RDONLY) < 0 && errno == ELOOP);
	fd = by_handle(AT_FDCWD, &h[ROOT], O_RDONLY);
	CHECK(fd >= 0);
	close(fd);
	CHECK(is_stale(&h[GONE]) && is_stale(&h[DIR_GONE]));
	/* The same number with another generation; the kinds with 32 bits. */
	memcpy(&f, h[FILE_DEEP].f, sizeof(f));
	x = of_number(f.ino, f.gen + 1);
	CHECK(is_stale(&x));
	x = (struct handle){ .bytes = 8, .type = 1 };
	memcpy(x.f, (uint32_t[]){ (uint32_t)f.ino, f.gen }, 8);
	fd = by_handle(AT_FDCWD, &x, O_RDONLY);
	CHECK(fd >= 0 && !fstat(fd, &st) && st.st_ino == f.ino);
	close(fd);
	x.bytes = 4;
	CHECK(is_stale(&x));
	x.bytes = 12;
	x.type = 2;
	CHECK(is_stale(&x));
	x.type = 0x77;
	CHECK(is_stale(&x));
	x = h[FILE_CONNECTABLE];
	x.bytes = 20;
	CHECK(is_stale(&x));
	/* A parent that is none: nobody asks for it where the file's place is known. */
	x = h[FILE_CONNECTABLE];
	memcpy(&f, x.f, sizeof(f));
	f.parent = f.ino;
	f.parent_gen = f.gen;
	memcpy(x.f, &f, sizeof(f));
	fd = by_handle(AT_FDCWD, &x, O_RDONLY);
	CHECK(fd >= 0 || errno == ESTALE);
	if (fd >= 0)
		close(fd);
}

/* Numbers that are no inode's, or the file system's own. */
static void check_numbers(const struct handle *root)
{
	struct fid f;

	memcpy(&f, root->f, sizeof(f));
	for (int i = 0; i < 64; i++) {
		struct handle h = of_number(1ull << i, 0xfeedbeef),
			      all = of_number(~(1ull << i), 0);

		CHECK(is_stale(&h) && is_stale(&all));
	}
	for (uint64_t ino = 0; ino < f.ino + 300; ino++) {
		struct handle h = of_number(ino, 0);
		int fd = by_handle(AT_FDCWD, &h, O_PATH);

		/* Generation 0 may be somebody's. */
		CHECK(fd < 0 ? errno == ESTALE : ino != 0 && ino != f.ino + 1 && ino != f.ino + 2);
		if (fd >= 0)
			close(fd);
	}
}

static void check(const char *top)
{
	struct handle h[KEPT];
	char name[DEEP * 5];
	bool writes = !access(".", W_OK);

	CHECK(fread(h, sizeof(h), 1, stdin) == 1);
	/* From the middle first: the way up is found in parts. */
	deep_name(name, DEEP / 2);
	check_deep(top, &h[DIR_DEEP]);
	if (writes)
		check_file(top, h);
	check_others(h);
	check_numbers(&h[ROOT]);
	CHECK(!access(name, F_OK));
}

/* ---- the race ---- */

#define SLOTS 64
#define MAKERS 3
#define OPENERS 4

struct shared {
	struct handle h[SLOTS];
	uint64_t low, high;
	int done;
	unsigned long opened, stale;
};
static struct shared *sh;

static unsigned int next(unsigned int *seed)
{
	return *seed = *seed * 1664525u + 1013904223u;
}

static void maker(int id, int rounds)
{
	unsigned int seed = (unsigned int)id * 77 + 5;
	char name[40], other[40];

	for (int i = 0; i < rounds; i++) {
		unsigned int r = next(&seed) >> 8, slot = r % SLOTS;
		struct handle h;
		struct fid f;
		int e;

		sprintf(name, "m%d-%u", id, slot);
		sprintf(other, "m%d-x%u", id, slot);
		if (r & 0x10000)
			e = mkdir(name, 0755);
		else if (r & 0x20000)
			e = symlink("x", name);
		else
			e = mknod(name, S_IFREG | 0644, 0);
		/* Made for certain: nothing of that name was there, or the last round left it. */
		CHECK(!e || errno == EEXIST);
		CHECK(!to_handle(name, &h, 0));
		memcpy(&f, h.f, sizeof(f));
		memcpy(&sh->h[slot], &h, sizeof(h));
		if (f.ino < __atomic_load_n(&sh->low, __ATOMIC_RELAXED))
			__atomic_store_n(&sh->low, f.ino, __ATOMIC_RELAXED);
		if (f.ino > __atomic_load_n(&sh->high, __ATOMIC_RELAXED))
			__atomic_store_n(&sh->high, f.ino, __ATOMIC_RELAXED);
		if (r & 0x40000)
			CHECK(!rename(name, other));
		else if (r & 0x80000)
			CHECK(!unlink(name) || !rmdir(name));
		if (r & 0x40000 && next(&seed) & 0x1000)
			CHECK(!unlink(other) || !rmdir(other));
		else if (r & 0x40000)
			CHECK(!rename(other, name));
	}
}

static void opener(int id)
{
	unsigned int seed = (unsigned int)id * 99 + 1;
	unsigned long opened = 0, stale = 0;

	while (!__atomic_load_n(&sh->done, __ATOMIC_RELAXED)) {
		unsigned int r = next(&seed) >> 8;
		struct handle h;
		int fd;

		memcpy(&h, &sh->h[r % SLOTS], sizeof(h));
		if (r & 0x10000 || !h.bytes) {
			uint64_t low = sh->low, span = sh->high >= low ? sh->high - low + 40 : 40;
			struct fid f;

			memcpy(&f, h.f, sizeof(f));
			h = of_number(low + next(&seed) % span, f.gen);
		}
		fd = by_handle(AT_FDCWD, &h, r & 0x20000 ? O_PATH : O_RDONLY | O_NONBLOCK);
		CHECK(fd >= 0 || errno == ESTALE || errno == ELOOP || errno == EINVAL);
		if (fd >= 0)
			close(fd);
		fd >= 0 ? opened++ : stale++;
	}
	__atomic_fetch_add(&sh->opened, opened, __ATOMIC_RELAXED);
	__atomic_fetch_add(&sh->stale, stale, __ATOMIC_RELAXED);
	_exit(0);
}

static void dropper(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	while (!__atomic_load_n(&sh->done, __ATOMIC_RELAXED))
		CHECK(pwrite(fd, "2", 1, 0) == 1);
	_exit(0);
}

static pid_t child(void (*fn)(int, int), int id, int n)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		fn(id, n);
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

static void open_some(int id, int n)
{
	(void)n;
	if (id == OPENERS)
		dropper();
	opener(id);
}

static bool ended_well(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, 0) == pid && !status;
}

static void race(int rounds)
{
	pid_t makers[MAKERS], openers[OPENERS + 1];
	bool ok = true;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(sh != MAP_FAILED);
	sh->low = UINT64_MAX;
	for (int i = 0; i <= OPENERS; i++)
		openers[i] = child(open_some, i, 0);
	for (int i = 0; i < MAKERS; i++)
		makers[i] = child(maker, i, rounds);
	for (int i = 0; i < MAKERS; i++)
		ok &= ended_well(makers[i]);
	__atomic_store_n(&sh->done, 1, __ATOMIC_RELAXED);
	for (int i = 0; i <= OPENERS; i++)
		ok &= ended_well(openers[i]);
	CHECK(ok);
	printf("opened %lu, stale %lu\n", sh->opened, sh->stale);
	CHECK(sh->opened && sh->stale);
}

int main(int argc, char **argv)
{
	char top[4096];

	CHECK(argc >= 3 && !chdir(argv[2]) && getcwd(top, sizeof(top)));
	if (!strcmp(argv[1], "make")) {
		make();
		return 0;
	}
	if (!strcmp(argv[1], "check"))
		check(top);
	else
		race(atoi(argv[3]));
	puts("handles: ok");
	return 0;
}
