// SPDX-License-Identifier: MIT
/* Directories and names. proves: mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink
 * unlinkat symlink symlinkat readlink readlinkat getdents64 chdir fchdir getcwd mknod mknodat
 * chroot */
#include "t.h"
#include <dirent.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int rename2(int d1, const char *from, int d2, const char *to, unsigned int flags)
{
	return syscall(SYS_renameat2, d1, from, d2, to, flags);
}

static void enter(const char *name)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "rm -rf /tmp/%s", name);
	EQ(system(cmd), 0);
	OK(chdir("/tmp"));
	OK(mkdir(name, 0755));
	OK(chdir(name));
}

static void make(const char *name)
{
	close(OK(open(name, O_CREAT | O_WRONLY, 0644)));
}

static long ino(const char *name)
{
	struct stat st;

	return lstat(name, &st) ? -1 : (long)st.st_ino;
}

TEST(make_and_remove)
{
	enter("d1");
	OK(mkdir("a", 0700));
	ERR(mkdir("a", 0700), EEXIST);
	ERR(mkdir("x/y", 0700), ENOENT);
	OK(mkdir("a/b", 0700));
	ERR(rmdir("a"), ENOTEMPTY);
	ERR(rmdir("a/."), EINVAL);
	ERR(rmdir("a/.."), ENOTEMPTY);
	ERR(unlink("a"), EISDIR);
	make("f");
	ERR(rmdir("f"), ENOTDIR);
	ERR(mkdir("f/x", 0700), ENOTDIR);
	OK(rmdir("a/b/"));
	OK(rmdir("a"));
	ERR(rmdir("a"), ENOENT);
	ERR(rmdir("/"), EBUSY);
	ERR(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
	ERR(unlinkat(AT_FDCWD, "f", 0x40), EINVAL);
	OK(unlink("f"));
}

TEST(link_counts)
{
	struct stat st;

	enter("d2");
	OK(mkdir("a", 0755));
	OK(stat("a", &st));
	EQ(st.st_nlink, 2);
	OK(mkdir("a/b", 0755));
	OK(stat("a", &st));
	EQ(st.st_nlink, 3);
	make("f");
	OK(link("f", "g"));
	OK(stat("f", &st));
	EQ(st.st_nlink, 2);
	EQ(ino("f"), ino("g"));
	OK(unlink("f"));
	OK(stat("g", &st));
	EQ(st.st_nlink, 1);
	ERR(link("a", "h"), EPERM);
	ERR(link("g", "g"), EEXIST);
	ERR(link("no", "h"), ENOENT);
	symlink("g", "s");
	OK(link("s", "hs"));
	EQ(ino("hs"), ino("s"));
	OK(linkat(AT_FDCWD, "s", AT_FDCWD, "hg", AT_SYMLINK_FOLLOW));
	EQ(ino("hg"), ino("g"));
}

TEST(symlinks)
{
	char b[100], deep[300];

	enter("d3");
	OK(symlink("target", "s"));
	EQ(readlink("s", b, sizeof(b)), 6);
	EQ(readlink("s", b, 3), 3);
	ERR(symlink("x", "s"), EEXIST);
	ERR(symlink("", "e"), ENOENT);
	ERR(readlink(".", b, sizeof(b)), EINVAL);
	ERR(syscall(SYS_readlinkat, AT_FDCWD, "s", b, 0), EINVAL);
	ERR(open("s", O_RDONLY), ENOENT);
	close(OK(open("s", O_CREAT | O_WRONLY, 0644)));
	CHECK(ino("target") > 0);
	OK(symlink("loop2", "loop1"));
	OK(symlink("loop1", "loop2"));
	ERR(open("loop1", O_RDONLY), ELOOP);
	ERR(stat("loop1/x", (struct stat *)deep), ELOOP);
	/* 40 links in a row are followed, 41 are not. */
	make("l0");
	for (int i = 1; i <= 41; i++) {
		char from[8], to[8];

		snprintf(to, sizeof(to), "l%d", i - 1);
		snprintf(from, sizeof(from), "l%d", i);
		OK(symlink(to, from));
	}
	close(OK(open("l40", O_RDONLY)));
	ERR(open("l41", O_RDONLY), ELOOP);
	OK(mkdir("dir", 0755));
	OK(symlink("dir", "sd"));
	make("sd/x");
	CHECK(ino("dir/x") > 0);
	ERR(rmdir("sd"), ENOTDIR);
	ERR(rmdir("sd/"), ENOTDIR);
}

TEST(renames)
{
	enter("d4");
	make("a");
	make("b");
	long ia = ino("a"), ib = ino("b");

	OK(rename("a", "b"));
	EQ(ino("b"), ia);
	EQ(ino("a"), -1);
	OK(rename("b", "b"));
	OK(mkdir("d", 0755));
	ERR(rename("b", "d"), EISDIR);
	ERR(rename("d", "b"), ENOTDIR);
	OK(mkdir("e", 0755));
	make("e/x");
	ERR(rename("d", "e"), ENOTEMPTY);
	OK(rename("e", "d"));
	CHECK(ino("d/x") > 0);
	ERR(rename("d", "d/sub"), EINVAL);
	ERR(rename("no", "x"), ENOENT);
	ERR(rename("d/..", "x"), EBUSY);
	make("c");
	ERR(rename2(AT_FDCWD, "b", AT_FDCWD, "c", 1 /* NOREPLACE */), EEXIST);
	OK(rename2(AT_FDCWD, "b", AT_FDCWD, "new", 1));
	EQ(ino("new"), ia);
	long ic = ino("c"), id = ino("d");

	OK(rename2(AT_FDCWD, "c", AT_FDCWD, "d", 2 /* EXCHANGE */));
	EQ(ino("d"), ic);
	EQ(ino("c"), id);
	CHECK(ino("c/x") > 0);
	ERR(rename2(AT_FDCWD, "c", AT_FDCWD, "no", 2), ENOENT);
	ERR(rename2(AT_FDCWD, "c", AT_FDCWD, "d", 3), EINVAL);
	/* A hard link of the same file: nothing happens, both stay. */
	OK(link("new", "new2"));
	OK(rename("new", "new2"));
	CHECK(ino("new") > 0 && ino("new2") > 0);
	(void)ib;
}

TEST(dotdot_after_move)
{
	char b[PATH_MAX];

	enter("d5");
	OK(mkdir("p", 0755));
	OK(mkdir("q", 0755));
	OK(mkdir("p/c", 0755));
	OK(chdir("p/c"));
	OK(rename("/tmp/d5/p/c", "/tmp/d5/q/moved"));
	CHECK(getcwd(b, sizeof(b)));
	CHECK(!strcmp(b, "/tmp/d5/q/moved"));
	EQ(ino(".."), ino("/tmp/d5/q"));
	OK(rmdir("/tmp/d5/q/moved"));
	ERR(getcwd(b, sizeof(b)) ? 0 : -1, ENOENT);
	ERR(mkdir("x", 0755), ENOENT);
	ERR(open("x", O_CREAT | O_WRONLY, 0644), ENOENT);
	OK(chdir("/tmp/d5"));
	ERR(getcwd(b, 3) ? 0 : -1, ERANGE);
}

TEST(long_paths)
{
	char b[PATH_MAX], want[PATH_MAX], name[61];

	enter("d6");
	strcpy(want, "/tmp/d6");
	memset(name, 'n', 60);
	name[60] = 0;
	for (int i = 0; i < 8; i++) {
		OK(mkdir(name, 0755));
		OK(chdir(name));
		strcat(strcat(want, "/"), name);
		CHECK(getcwd(b, sizeof(b)) && !strcmp(b, want));
		EQ(syscall(SYS_getcwd, b, strlen(want) + 1), strlen(want) + 1);
		ERR(syscall(SYS_getcwd, b, strlen(want)), ERANGE);
	}
}

TEST(listing)
{
	char seen[200] = { 0 };
	struct dirent *e;
	int n = 0, dots = 0;
	DIR *d;

	enter("d6");
	for (int i = 0; i < 200; i++) {
		char name[20];

		snprintf(name, sizeof(name), "file%d", i);
		make(name);
	}
	d = opendir(".");
	CHECK(d);
	while ((e = readdir(d))) {
		int i;

		if (e->d_name[0] == '.') {
			dots++;
			EQ(e->d_type, DT_DIR);
			continue;
		}
		EQ(sscanf(e->d_name, "file%d", &i), 1);
		EQ(seen[i]++, 0);
		EQ(e->d_type, DT_REG);
		EQ(e->d_ino, ino(e->d_name));
		n++;
		OK(unlink(e->d_name));		/* removing what was listed loses nothing */
	}
	EQ(n, 200);
	EQ(dots, 2);
	rewinddir(d);
	n = 0;
	while ((e = readdir(d)))
		n++;
	EQ(n, 2);
	closedir(d);
	make("f");
	int fd = OK(open("f", O_RDONLY));

	char b[100];

	ERR(syscall(SYS_getdents64, fd, b, sizeof(b)), ENOTDIR);
	fd = OK(open(".", O_RDONLY));
	ERR(syscall(SYS_getdents64, fd, b, 1), EINVAL);
}

struct entry {
	unsigned long ino;
	long off;
	unsigned short len;
	unsigned char type;
	char name[];
};

/*
 * The number in the name of the next entry but "." and ".."; -1: there is none. Its buffer holds
 * one name.
 */
static int next_number(int fd, long *off)
{
	char b[32] __attribute__((aligned(8)));
	struct entry *e = (struct entry *)b;
	int i;

	do {
		if (!OK((int)syscall(SYS_getdents64, fd, b, sizeof(b))))
			return -1;
		*off = e->off;
	} while (e->name[0] == '.');
	EQ(sscanf(e->name, "n%d", &i), 1);
	return i;
}

#define NAMES 3000

static void name_of(char *name, const char *kind, int i)
{
	sprintf(name, "%s%d", kind, i);
}

/* Each reads one entry at a place of its own, while names around it come, go, and are renamed. */
TEST(places_among_many_names)
{
	static char seen[NAMES];
	static long places[NAMES];
	char name[32], to[64];
	int fd, other, n = 0, i;
	long off;

	enter("places");
	for (i = 0; i < NAMES; i++) {
		name_of(name, "n", i);
		make(name);
	}
	fd = OK(open(".", O_RDONLY | O_DIRECTORY));
	other = OK(open(".", O_RDONLY | O_DIRECTORY));
	while ((i = next_number(fd, &off)) >= 0) {
		EQ(seen[i]++, 0);
		places[n++] = off;
	}
	EQ(n, NAMES);
	/* A place leads to what follows it, from whichever end one comes. */
	for (i = NAMES - 2; i >= 0; i -= 7) {
		int a, b;

		OK(lseek(fd, places[i], SEEK_SET));
		a = next_number(fd, &off);
		EQ(off, places[i + 1]);
		OK(lseek(other, i ? places[i - 1] : 0, SEEK_SET));
		next_number(other, &off);
		b = next_number(other, &off);
		EQ(a, b);
	}
	/*
	 * What is removed is passed by, and so is the place of the last that was read; the rest
	 * stays in its order.
	 */
	OK(lseek(fd, places[NAMES / 2], SEEK_SET));
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < NAMES; i++) {
		name_of(name, "n", i);
		if (i % 3) {
			OK(unlink(name));
		} else if (i % 2) {
			name_of(to, "n", i + 2 * NAMES);	/* a name as new as any */
			OK(rename(name, to));
		}
	}
	while ((i = next_number(fd, &off)) >= 0) {
		CHECK(i < NAMES && i % 6 == 0);
		EQ(seen[i]++, 0);
	}
	for (i = n = 0; i < NAMES; i++)
		n += seen[i];
	CHECK(n >= NAMES / 12 - 1 && n <= NAMES / 12 + 1);
	OK(lseek(fd, 0, SEEK_SET));
	for (n = 0; (i = next_number(fd, &off)) >= 0; n++)
		EQ(i % 3 || (i >= NAMES && i % 2 == 0) || (i < NAMES && i % 2), 0);
	EQ(n, NAMES / 3);
	/* To another directory, and with one of another; then the directory goes. */
	OK(mkdir("../places2", 0700));
	for (i = 0; i < NAMES; i += 6) {
		name_of(name, "n", i);
		sprintf(to, "../places2/%s", name);
		make(to);
		OK(rename2(AT_FDCWD, name, AT_FDCWD, to, i % 4 ? 2 /* RENAME_EXCHANGE */ : 0));
		OK(lseek(fd, places[NAMES / 2], SEEK_SET));
		next_number(fd, &off);
	}
	EQ(system("rm -r ../places ../places2"), 0);
	EQ(syscall(SYS_getdents64, fd, name, sizeof(name)), -1);
	EQ(errno, ENOENT);
}

TEST(long_names)
{
	char name[300], path[5000];

	enter("d7");
	memset(name, 'n', sizeof(name));
	name[255] = 0;
	make(name);
	CHECK(ino(name) > 0);
	name[255] = 'n';
	name[256] = 0;
	ERR(open(name, O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	path[4095] = 0;
	OK(access(path, F_OK));
	path[4095] = '/';
	path[4096] = 0;
	ERR(access(path, F_OK), ENAMETOOLONG);
}

TEST(special_files)
{
	struct stat st;

	enter("d8");
	OK(mkfifo("fifo", 0600));
	OK(stat("fifo", &st));
	CHECK(S_ISFIFO(st.st_mode));
	OK(mknod("null", S_IFCHR | 0600, makedev(1, 3)));
	OK(stat("null", &st));
	EQ(major(st.st_rdev), 1);
	EQ(minor(st.st_rdev), 3);
	ERR(mknod("dir", S_IFDIR | 0600, 0), EPERM);
	OK(mknod("plain", 0600, 0));
	OK(stat("plain", &st));
	CHECK(S_ISREG(st.st_mode));
	ERR(mknod("plain", 0600, 0), EEXIST);
	ERR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
}

TEST(chroot_jail)
{
	pid_t pid;

	enter("d9");
	OK(mkdir("jail", 0755));
	make("jail/inside");
	pid = OK(fork());
	if (pid == 0) {
		char b[100];

		OK(chroot("jail"));
		OK(chdir("/"));
		OK(access("/inside", F_OK));
		OK(access("/../../inside", F_OK));
		ERR(access("/tmp", F_OK), ENOENT);
		CHECK(getcwd(b, sizeof(b)) && !strcmp(b, "/"));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	ERR(chroot("nothere"), ENOENT);
	ERR(chroot("jail/inside"), ENOTDIR);
}

#define MANY 4500

static void many_name(char *name, int i)
{
	sprintf(name, "/tmp/many/%d", i);
}

/* Finds the first hundred names, whatever becomes of the table meanwhile, until *STOP. */
static void find_them(volatile int *stop)
{
	char name[32];
	struct stat st;

	for (int i = 0; !*stop; i = (i + 1) % 100) {
		many_name(name, i);
		OK(stat(name, &st));
		if (!i)
			ERR(open(name, O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
	}
	_exit(0);
}

TEST(names_are_found_while_more_and_more_come)
{
	volatile int *stop =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char name[32];
	pid_t pid[2];

	OK(mkdir("/tmp/many", 0700));
	for (int i = 0; i < MANY; i++) {
		if (i == 100)
			for (int k = 0; k < 2; k++) {
				pid[k] = OK(fork());
				if (!pid[k])
					find_them(stop);
			}
		many_name(name, i);
		close(OK(open(name, O_CREAT | O_EXCL | O_WRONLY, 0600)));
	}
	*stop = 1;
	for (int k = 0; k < 2; k++)
		CHECK(t_child_ok(pid[k]));
	for (int i = 0; i < MANY; i++) {
		many_name(name, i);
		OK(unlink(name));
	}
	OK(rmdir("/tmp/many"));
	munmap((void *)stop, 4096);
}
