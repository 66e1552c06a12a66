// SPDX-License-Identifier: MIT
/*
 * Calls of libhandle, and the older calls about all inodes, on a directory of a mounted XFS:
 * handle_calls DIR [parents]. It says "calls: ok", or what was wrong. Linux says the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

struct handle {
	uint8_t fsid[8];
	uint16_t len, pad;
	uint32_t gen;
	uint64_t ino;
};
struct req {
	uint32_t fd;
	const void *path;
	uint32_t oflags;
	void *ihandle;
	uint32_t ihandlen;
	void *ohandle;
	uint32_t *ohandlen;
};
struct attrlist {
	struct req h;
	uint32_t pos[4], flags, buflen;
	void *buffer;
};
struct op {
	uint32_t code;
	int32_t error;
	const void *name;
	void *value;
	uint32_t len, flags;
};
struct attrmulti {
	struct req h;
	uint32_t opcount;
	struct op *ops;
};
struct parents {
	uint32_t pos[4];
	uint16_t iflags, oflags;
	uint32_t bufsize;
	uint64_t zero, buffer;
};
struct parents_by {
	struct handle h;
	struct parents g;
};
struct record {
	struct handle parent;
	uint32_t len, zero;
	char name[];
};
struct bulk {
	uint64_t *last;
	int32_t icount;
	void *buffer;
	int32_t *ocount;
};
struct stamp {
	int64_t sec;
	int32_t nsec;
};
struct bstat {
	uint64_t ino;
	uint16_t mode, nlink;
	uint32_t uid, gid, rdev;
	int32_t blksize;
	int64_t size;
	struct stamp atime, mtime, ctime;
	int64_t blocks;
	uint32_t xflags;
	int32_t extsize, extents;
	uint32_t gen;
	uint16_t projid_lo, forkoff, projid_hi, sick, checked;
	unsigned char pad[2];
	uint32_t cowextsize, dmevmask;
	uint16_t dmstate, aextents;
};
struct inogrp {
	uint64_t start;
	int32_t count;
	uint64_t mask;
};

#define GETPARENTS _IOWR('X', 62, struct parents)
#define GETPARENTS_BY _IOWR('X', 63, struct parents_by)
#define BULKSTAT _IOWR('X', 101, struct bulk)
#define BULKSTAT_ONE _IOWR('X', 102, struct bulk)
#define INUMBERS _IOWR('X', 103, struct bulk)
#define PATH_TO_FSHANDLE _IOWR('X', 104, struct req)
#define PATH_TO_HANDLE _IOWR('X', 105, struct req)
#define FD_TO_HANDLE _IOWR('X', 106, struct req)
#define OPEN_BY_HANDLE _IOWR('X', 107, struct req)
#define READLINK_BY_HANDLE _IOWR('X', 108, struct req)
#define ATTRLIST_BY_HANDLE _IOW('X', 122, struct attrlist)
#define ATTRMULTI_BY_HANDLE _IOW('X', 123, struct attrmulti)
enum { OF_ROOT = 2, OF_SECURE = 8, CREATE = 0x10, REPLACE = 0x20 };
enum { GET = 1, SET, REMOVE };

#define CHECK(c) do { if (!(c)) fail(__LINE__, #c); } while (0)
#define ERR(c, want) do { errno = 0; CHECK((c) == -1); if (errno != (want)) fail(__LINE__, #c " is not " #want); } while (0)

static void fail(int line, const char *what)
{
	printf("calls: line %d: not true: %s (errno %d)\n", line, what, errno);
	exit(1);
}

static int dir;

static struct handle handle_of(const char *name)
{
	struct handle h;
	uint32_t len = 0;
	struct req r = { .path = name, .ohandle = &h, .ohandlen = &len };

	CHECK(!ioctl(dir, PATH_TO_HANDLE, &r) && len == sizeof(h));
	return h;
}

static int open_by(struct handle *h, int flags)
{
	struct req r = { .oflags = (uint32_t)flags, .ihandle = h, .ihandlen = sizeof(*h) };

	return ioctl(dir, OPEN_BY_HANDLE, &r);
}

static void make_file(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void making(void)
{
	struct handle h = handle_of("f"), g = { .len = 7 };
	uint32_t len = 0;
	struct req r = { .path = "f", .ohandle = &g, .ohandlen = &len };
	struct stat st;
	int fd = open("f", O_RDONLY);

	CHECK(!stat("f", &st) && h.len == 14 && !h.pad && h.ino == st.st_ino);
	CHECK(!ioctl(dir, PATH_TO_FSHANDLE, &r) && len == 8 && !memcmp(g.fsid, h.fsid, 8) &&
	      g.len == 7);
	r = (struct req){ .fd = (uint32_t)fd, .ohandle = &g, .ohandlen = &len };
	CHECK(!ioctl(dir, FD_TO_HANDLE, &r) && len == sizeof(g) && !memcmp(&g, &h, sizeof(g)));
	r.fd = 99;
	ERR(ioctl(dir, FD_TO_HANDLE, &r), EBADF);
	r.path = "none";
	ERR(ioctl(dir, PATH_TO_HANDLE, &r), ENOENT);
	r.path = "/proc/self";
	ERR(ioctl(dir, PATH_TO_HANDLE, &r), EINVAL);
	r.path = "pipe";
	ERR(ioctl(dir, PATH_TO_HANDLE, &r), EBADF);
	close(fd);
}

static void opening(void)
{
	struct handle f = handle_of("f"), d = handle_of("d/e"), l = handle_of("l"), bad;
	uint32_t len = 100;
	char b[100] = "";
	struct req r = { .ihandle = &l, .ihandlen = sizeof(l), .ohandle = b, .ohandlen = &len };
	struct stat st, now;
	int fd = open_by(&f, O_RDWR), x;

	CHECK(fd >= 0 && !stat("f", &st) && read(fd, b, 4) == 4 && !memcmp(b, "text", 4) &&
	      fcntl(fd, F_GETFL) & O_NOATIME);
	/* Times stay. */
	usleep(20000);
	CHECK(write(fd, "more", 4) == 4 && !fstat(fd, &now) &&
	      now.st_mtim.tv_nsec == st.st_mtim.tv_nsec && now.st_mtim.tv_sec == st.st_mtim.tv_sec);
	close(fd);
	fd = open_by(&d, O_RDONLY);
	CHECK(fd >= 0 && !fstat(fd, &st) && !stat("d/e", &now) && st.st_ino == now.st_ino &&
	      !fstatat(fd, "../../f", &st, 0) && st.st_ino == f.ino);
	close(fd);
	ERR(open_by(&d, O_RDWR), EISDIR);
	ERR(open_by(&l, O_RDONLY), EPERM);
	bad = f;
	bad.gen++;
	ERR(open_by(&bad, O_RDONLY), ESTALE);
	bad = f;
	bad.len = 15;
	ERR(open_by(&bad, O_RDONLY), EINVAL);
	r.ihandlen = 23;
	ERR(ioctl(dir, OPEN_BY_HANDLE, &r), EINVAL);
	x = open("f", O_RDONLY);
	r = (struct req){ .ihandle = &f, .ihandlen = sizeof(f) };
	ERR(ioctl(x, OPEN_BY_HANDLE, &r), ENOTDIR);
	close(x);
	memset(b, 0, sizeof(b));
	r = (struct req){ .ihandle = &l, .ihandlen = sizeof(l), .ohandle = b, .ohandlen = &len };
	CHECK(ioctl(dir, READLINK_BY_HANDLE, &r) == 9 && !strcmp(b, "elsewhere"));
	r.ihandle = &f;
	ERR(ioctl(dir, READLINK_BY_HANDLE, &r), EINVAL);
}

/* How many names of the space there are, in buffers of SIZE bytes; all begin with PREFIX. */
static int names(struct handle *h, uint32_t flags, uint32_t size, const char *prefix)
{
	struct attrlist a = { .h = { .ihandle = h, .ihandlen = sizeof(*h) },
			      .flags = flags,
			      .buflen = size };
	int32_t *b = malloc(size);
	int n = 0, more = 1;

	a.buffer = b;
	for (int calls = 0; more; calls++) {
		CHECK(calls < 1000 && !ioctl(dir, ATTRLIST_BY_HANDLE, &a));
		CHECK(b[0] > 0 || !b[1]);
		for (int i = 0; i < b[0]; i++) {
			const char *entry = (char *)b + b[2 + i];

			CHECK(b[2 + i] > 0 && (uint32_t)b[2 + i] < size &&
			      !strncmp(entry + 4, prefix, strlen(prefix)));
		}
		n += b[0];
		more = b[1];
	}
	free(b);
	return n;
}

static void attributes(void)
{
	struct handle f = handle_of("f");
	char name[40], v[100] = "", w[] = "new";
	struct op ops[] = {
		{ .code = GET, .name = "name3", .value = v, .len = sizeof(v) },
		{ .code = SET, .name = "name3", .value = w, .len = 3, .flags = CREATE },
		{ .code = SET, .name = "fresh", .value = w, .len = 3, .flags = REPLACE },
		{ .code = SET, .name = "secret", .value = w, .len = 3, .flags = OF_ROOT },
		{ .code = GET, .name = "secret", .value = v + 50, .len = 50, .flags = OF_ROOT },
		{ .code = REMOVE, .name = "name4" },
		{ .code = REMOVE, .name = "name4" },
		{ .code = GET, .name = "name5", .value = v + 90, .len = 1 },
		{ .code = 9, .name = "name5" },
		{ .code = GET, .name = "name5", .flags = OF_ROOT | OF_SECURE },
	};
	static const int want[] = { 0, EEXIST, ENODATA, 0, 0, 0, ENODATA, ERANGE, EINVAL, EINVAL };
	struct attrmulti m = { .h = { .ihandle = &f, .ihandlen = sizeof(f) },
			       .opcount = 10,
			       .ops = ops };
	struct attrlist a = { .h = { .ihandle = &f, .ihandlen = sizeof(f) },
			      .flags = OF_ROOT | OF_SECURE,
			      .buflen = 100,
			      .buffer = v };

	ERR(ioctl(dir, ATTRLIST_BY_HANDLE, &a), EINVAL);
	a.flags = 0;
	a.buflen = 4;
	ERR(ioctl(dir, ATTRLIST_BY_HANDLE, &a), EINVAL);
	for (int i = 0; i < 200; i++) {
		sprintf(name, "user.name%d", i);
		CHECK(!setxattr("f", name, "value", 5, 0));
		if (i == 2)
			CHECK(names(&f, 0, 50, "name") == 3);
	}
	CHECK(names(&f, 0, 40000, "name") == 200 && names(&f, 0, 100, "name") == 200);
	CHECK(names(&f, OF_ROOT, 40000, "x") == 0);
	CHECK(!ioctl(dir, ATTRMULTI_BY_HANDLE, &m));
	for (int i = 0; i < 10; i++)
		if (ops[i].error != -want[i])
			fail(-i, "ops");
	CHECK(ops[0].len == 5 && !memcmp(v, "value", 5) && ops[4].len == 3 &&
	      !memcmp(v + 50, "new", 3));
	CHECK(names(&f, OF_ROOT, 4000, "secret") == 1 && names(&f, 0, 1000, "name") == 199);
	CHECK(getxattr("f", "trusted.secret", v, 10) == 3);
	m.opcount = 0;
	ERR(ioctl(dir, ATTRMULTI_BY_HANDLE, &m), E2BIG);
	m.opcount = 1 << 20;
	ERR(ioctl(dir, ATTRMULTI_BY_HANDLE, &m), E2BIG);
}

static void many_parents(void)
{
	struct handle f = handle_of("f"), here = handle_of("."), d = handle_of("d");
	struct parents_by by = { .h = f };
	char buf[400], name[40];
	int n = 0, fd = open("f", O_RDONLY), in_d = 0;
	struct parents p = { .bufsize = sizeof(buf), .buffer = (uintptr_t)buf };

	for (int i = 0; i < 60; i++) {
		sprintf(name, "%slink%d", i & 1 ? "d/" : "", i);
		CHECK(!link("f", name));
	}
	for (int calls = 0; !(p.oflags & 2); calls++) {
		struct record *r = (void *)buf;

		CHECK(calls < 100 && !ioctl(fd, GETPARENTS, &p));
		for (; (char *)r < buf + sizeof(buf); r = (void *)((char *)r + r->len)) {
			bool below = r->parent.ino == d.ino && r->parent.gen == d.gen;

			CHECK(r->len >= 40 && !(r->len & 7));
			CHECK(below || (r->parent.ino == here.ino && r->parent.gen == here.gen));
			CHECK(!strcmp(r->name, "f") || !strncmp(r->name, "link", 4));
			in_d += below;
			n++;
		}
	}
	CHECK(n == 61 && in_d == 30 && !(p.oflags & 1));
	by.g = (struct parents){ .bufsize = 32, .buffer = (uintptr_t)buf };
	ERR(ioctl(dir, GETPARENTS_BY, &by), EINVAL);
	by.g.bufsize = 100000;
	ERR(ioctl(dir, GETPARENTS_BY, &by), ENOMEM);
	make_file("a-name-that-takes-more", "x");
	by.h = handle_of("a-name-that-takes-more");
	by.g.bufsize = 40;
	ERR(ioctl(dir, GETPARENTS_BY, &by), EMSGSIZE);
	by.h = f;
	by.g = (struct parents){ .bufsize = sizeof(buf), .buffer = (uintptr_t)buf };
	by.h.gen++;
	ERR(ioctl(dir, GETPARENTS_BY, &by), ESTALE);
	by.h = here;
	CHECK(!ioctl(dir, GETPARENTS_BY, &by) && by.g.oflags & 2);
	by.h = handle_of("/m");
	CHECK(!ioctl(dir, GETPARENTS_BY, &by) && by.g.oflags == 3);
	close(fd);
}

static void all_inodes(void)
{
	static struct bstat b[50];
	static struct inogrp g[50];
	uint64_t last = 0;
	int32_t n = 1, seen = 0, used = 0;
	struct bulk r = { .last = &last, .icount = 50, .buffer = b, .ocount = &n };
	struct stat st;

	/* What is not written yet is not told of. */
	sync();
	CHECK(!stat("f", &st));
	while (n) {
		CHECK(!ioctl(dir, BULKSTAT, &r) && n >= 0 && n <= 50);
		for (int i = 0; i < n; i++) {
			if (b[i].ino == st.st_ino) {
				CHECK(b[i].size == st.st_size && b[i].mode == st.st_mode &&
				      b[i].nlink == st.st_nlink &&
				      b[i].mtime.sec == st.st_mtim.tv_sec);
				seen++;
			}
		}
		CHECK(!n || last >= b[n - 1].ino);
	}
	CHECK(seen == 1);
	last = st.st_ino;
	CHECK(!ioctl(dir, BULKSTAT_ONE, &r) && b[0].ino == st.st_ino && n == 1 &&
	      last == st.st_ino);
	last = st.st_ino + 50000;
	ERR(ioctl(dir, BULKSTAT_ONE, &r), EINVAL);
	last = 1;
	ERR(ioctl(dir, BULKSTAT_ONE, &r), EINVAL);
	r.icount = 0;
	ERR(ioctl(dir, BULKSTAT, &r), EINVAL);
	last = 0;
	n = 1;
	r.icount = 50;
	r.buffer = g;
	while (n) {
		CHECK(!ioctl(dir, INUMBERS, &r));
		for (int i = 0; i < n; i++) {
			CHECK(g[i].count == __builtin_popcountll(g[i].mask));
			used += g[i].start <= st.st_ino && st.st_ino < g[i].start + 64 &&
				g[i].mask >> (st.st_ino - g[i].start) & 1;
		}
	}
	CHECK(used == 1);
}

/* As nobody: 7 where all are refused. */
static void refused(bool parents)
{
	struct handle f = handle_of("f");
	struct parents p = { .bufsize = 400 };
	struct bulk b = { .icount = 1 };
	struct attrlist a = { .h = { .ihandle = &f, .ihandlen = sizeof(f) } };
	struct attrmulti m = { .h = { .ihandle = &f, .ihandlen = sizeof(f) } };
	struct req r = { .ihandle = &f, .ihandlen = sizeof(f) };
	pid_t pid = fork();
	int status;

	if (!pid) {
		CHECK(!setuid(1000));
		handle_of("f");
		ERR(ioctl(dir, OPEN_BY_HANDLE, &r), EPERM);
		ERR(ioctl(dir, READLINK_BY_HANDLE, &r), EPERM);
		ERR(ioctl(dir, ATTRLIST_BY_HANDLE, &a), EPERM);
		ERR(ioctl(dir, ATTRMULTI_BY_HANDLE, &m), EPERM);
		ERR(ioctl(dir, BULKSTAT, &b), EPERM);
		ERR(ioctl(dir, INUMBERS, &b), EPERM);
		ERR(ioctl(dir, GETPARENTS, &p), EPERM);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && !status);
	if (!parents)
		ERR(ioctl(dir, GETPARENTS, &p), EOPNOTSUPP);
}

int main(int argc, char **argv)
{
	bool parents = argc > 2;

	CHECK(argc >= 2 && !chdir(argv[1]) && (dir = open(".", O_RDONLY | O_DIRECTORY)) >= 0);
	make_file("f", "text");
	CHECK(!mkdir("d", 0755) && !mkdir("d/e", 0755) && !symlink("elsewhere", "l") &&
	      !mkfifo("pipe", 0644));
	making();
	opening();
	attributes();
	if (parents)
		many_parents();
	all_inodes();
	refused(parents);
	puts("calls: ok");
	return 0;
}
