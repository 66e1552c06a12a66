// SPDX-License-Identifier: MIT
/*
 * mess DIR SEED OPS: changes what is in DIR at random, in every way, from two tasks. Any operation
 * may fail: DIR may be of a damaged file system (tests/command/xfs_damage.py). Prints how many
 * succeeded.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <linux/falloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MOST 4000

static char *paths[MOST];
static unsigned int nr_paths;
static uint64_t seed;

static unsigned int chance(unsigned int n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(seed >> 33) % n;
}

static int seen(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	if (nr_paths < MOST)
		paths[nr_paths++] = strdup(path);
	return 0;
}

static const char *some(void)
{
	return paths[chance(nr_paths)];
}

/* A name in the directory that PATH is, or lies in. */
static const char *beside(const char *path, char *name)
{
	struct stat st;
	const char *end = strrchr(path, '/');
	int len = !lstat(path, &st) && S_ISDIR(st.st_mode) ? (int)strlen(path) :
		  end					   ? (int)(end - path) :
							     0;

	snprintf(name, 4096, "%.*s/%s%u", len, path,
		 chance(2) ? "new" : "a-new-name-that-takes-space-", chance(60));
	return name;
}

static int write_file(const char *path)
{
	static char buf[65536];
	int fd = open(path, O_RDWR | O_NOFOLLOW | (chance(4) ? 0 : O_CREAT), 0644), r = 0;
	off_t at = chance(2) ? 0 : (off_t)chance(3 << 20);

	if (fd < 0)
		return -1;
	memset(buf, (int)chance(256), sizeof(buf));
	switch (chance(6)) {
	case 0:
		r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
			      1 + (off_t)chance(1 << 20));
		break;
	case 1:
		r = fallocate(fd, chance(2) ? FALLOC_FL_ZERO_RANGE : 0, at,
			      1 + (off_t)chance(1 << 20));
		break;
	case 2:
		r = ftruncate(fd, at);
		break;
	default:
		r = pwrite(fd, buf, 1 + chance(sizeof(buf)), at) < 0 ? -1 : 0;
	}
	if (!chance(8))
		r |= fsync(fd);
	close(fd);
	return r;
}

static int attribute(const char *path)
{
	static char value[30000];
	char name[300];
	int n = sprintf(name, "user.%s", chance(2) ? "a" : "an-attribute-with-a-longer-name");

	sprintf(name + n, "%u", chance(40));
	if (!chance(3))
		return lremovexattr(path, name);
	return lsetxattr(path, name, value, chance(chance(4) ? 300 : sizeof(value)), 0);
}

static int step(void)
{
	const char *path = some();
	char name[4096], to[4096];

	switch (chance(12)) {
	case 0:
		return mkdir(beside(path, name), 0755);
	case 1:
		return rmdir(path);
	case 2:
	case 3:
		return unlink(path);
	case 4:
		return rename(path, beside(some(), name));
	case 5:
		return (int)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, some(), 2u);
	case 6:
		return link(path, beside(some(), name));
	case 7:
		memset(to, 'x', sizeof(to));
		to[chance(2) ? 20 : 900] = '\0';
		return symlink(to, beside(path, name));
	case 8:
		return attribute(path);
	case 9:
		return write_file(beside(path, name));
	case 10:
		return chance(4) ? chmod(path, chance(07777)) : lchown(path, chance(9), chance(9));
	default:
		return write_file(path);
	}
}

int main(int argc, char **argv)
{
	unsigned int ops = argc > 3 ? (unsigned int)atoi(argv[3]) : 0, done = 0;

	if (!ops || chdir(argv[1]) || nftw(".", seen, 64, FTW_PHYS) < 0 || !nr_paths)
		return 2;
	for (unsigned int t = 0; t < 2; t++) {
		if (fork())
			continue;
		seed = (uint64_t)atoll(argv[2]) * 2 + t;
		for (unsigned int i = 0; i < ops; i++)
			done += !step();
		printf("mess: %u of %u\n", done, ops);
		return 0;
	}
	while (wait(NULL) > 0)
		;
	sync();
	return 0;
}
