/* SPDX-License-Identifier: MIT */
/* The model of names.c: inodes, names, and what is chosen at random. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/fs.h>

#define NODES 40000
#define ATTRS 6
#define OPEN 16
#define MANY 5

struct node {
	int used, mode, nlink, parent, uid;
	unsigned rdev;
	char *target;
	int entries;			/* of a directory */
	unsigned attr[ATTRS];		/* 0: not there; else what its value is made of */
	long mtime;
};
struct entry {
	int dir, node;
	char *name;
};
static struct node nodes[NODES];
static struct entry *ents;
static int nents, cap, opened[OPEN], fds[OPEN], nopen;
static unsigned long state;
static long step, nospc;
static int full;

static int rename2(const char *from, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static unsigned rnd(unsigned n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)((state >> 33) % n);
}

static void die(const char *f, ...)
{
	va_list a;

	printf("step %ld: ", step);
	va_start(a, f);
	vprintf(f, a);
	va_end(a);
	printf(" (errno %d, %s)\n", errno, strerror(errno));
	fflush(stdout);
	exit(1);
}

static const char *path_of(int dir, const char *name)
{
	static char buf[4][8192];
	static int which;
	char *p = buf[which = (which + 1) & 3] + 8191;

	*p = 0;
	if (name) {
		p -= strlen(name);
		memcpy(p, name, strlen(name));
		*--p = '/';
	}
	while (dir) {
		const char *n = NULL;

		for (int i = 0; i < nents; i++)
			if (ents[i].node == dir)
				n = ents[i].name;
		p -= strlen(n);
		memcpy(p, n, strlen(n));
		*--p = '/';
		dir = nodes[dir].parent;
	}
	*--p = '.';
	return p;
}

static int is_dir(int n)
{
	return S_ISDIR(nodes[n].mode);
}

static int depth_of(int n)
{
	int d = 0;

	while (n) {
		n = nodes[n].parent;
		d++;
	}
	return d;
}

static int new_node(int mode)
{
	for (int i = 1; i < NODES; i++)
		if (!nodes[i].used) {
			nodes[i] = (struct node){ .used = 1,
						  .mode = mode,
						  .nlink = S_ISDIR(mode) ? 2 : 1 };
			return i;
		}
	return -1;
}

static void free_node(int n)
{
	free(nodes[n].target);
	nodes[n] = (struct node){ 0 };
}

static void add_entry(int dir, const char *name, int node)
{
	if (nents == cap)
		ents = realloc(ents, sizeof(*ents) * (size_t)(cap = cap ? cap * 2 : 64));
	ents[nents++] = (struct entry){ dir, node, strdup(name) };
	nodes[dir].entries++;
	if (is_dir(node)) {
		nodes[node].parent = dir;
		nodes[dir].nlink++;
	}
}

static void del_entry(int i)
{
	nodes[ents[i].dir].entries--;
	if (is_dir(ents[i].node))
		nodes[ents[i].dir].nlink--;
	free(ents[i].name);
	ents[i] = ents[--nents];
}

static int find(int dir, const char *name)
{
	for (int i = 0; i < nents; i++)
		if (ents[i].dir == dir && !strcmp(ents[i].name, name))
			return i;
	return -1;
}

/* Some directories get most of the names, so that they grow through all forms. */
static int some_dir(void)
{
	static int dirs[NODES];
	int n = 0;

	for (int i = 0; i < NODES; i++)
		if (nodes[i].used && is_dir(i))
			dirs[n++] = i;
	return rnd(2) ? dirs[rnd((unsigned)n)] : dirs[rnd(n < 4 ? (unsigned)n : 4)];
}

static const char *some_name(void)
{
	static char buf[4][300];
	static int which;
	char *p = buf[which = (which + 1) & 3];
	unsigned len = rnd(8) ? 1 + rnd(20) : 1 + rnd(255);

	for (unsigned i = 0; i < len; i++)
		p[i] = (char)('a' + rnd(len < 3 ? 26 : 4));
	p[len] = 0;
	return p;
}

static void value_of(unsigned a, unsigned char *v, int *len)
{
	unsigned x = a;

	*len = a % 5 == 0 ? (int)(a % 9000) : (int)(a % 200);
	for (int i = 0; i < *len; i++) {
		x = x * 1664525 + 1013904223;
		v[i] = (unsigned char)(x >> 24);
	}
}

/* What came of it: WANT; or ENOSPC on a disk that is meant to be full. */
static int expect(int r, int want, const char *what, const char *path)
{
	if (full && r == -1 && errno == ENOSPC) {
		nospc++;
		return ENOSPC;
	}
	if ((want ? r != -1 || errno != want : r != 0))
		die("%s %s: %d, not %d", what, path, r, want);
	return want;
}

static void made(int dir, const char *name, int n)
{
	struct stat st;

	add_entry(dir, name, n);
	if (lstat(path_of(dir, name), &st))
		die("lstat %s", path_of(dir, name));
	nodes[n].uid = (int)st.st_uid;
}
