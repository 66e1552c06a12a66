// SPDX-License-Identifier: MIT
/*
 * Work for tests of power cuts, and its judge (tests/command/xfs_crash.py).
 *
 *	crash work DIR DISK AT TASKS OPS: each task does operations in a directory of its own. What
 *		it does is a function of its number and the operation's. Every few operations it
 *		syncs the directory or a file, and then writes the operation's number to a block of
 *		4 KiB of DISK, past all caches: so the recorder of the disk's writes sees when it
 *		was promised. A task's blocks are the next from AT on: the directory's, its files'.
 *	crash check DIR TASK OPS PROMISED...: is the directory what it was after some operation, not
 *		before the one that was promised? And are its files' data (crash_data.c)?
 *
 * A name has a kind and a number: of the operation that made it. A link's target says it, a file's
 * attribute; files are also held open while they are removed.
 */
#define _GNU_SOURCE
#include "crash.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SLOTS 48
#define HELD 4
#define SYNC_EVERY 8

enum kind { NONE, FILE_, DIR_, LINK_ };
struct slot {
	int kind;
	unsigned int tag;
};

struct task {
	unsigned int nr;
	int dir;			/* -1: only the model changes */
	uint64_t seed;
	int held[HELD], next_held;
	struct slot slots[SLOTS];
};

static unsigned int chance(struct task *t)
{
	t->seed = t->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(t->seed >> 33);
}

void die(const char *what)
{
	fprintf(stderr, "crash: %s: %s\n", what, strerror(errno));
	exit(1);
}

void must(long r, const char *what)
{
	if (r < 0)
		die(what);
}

static char *name_of(int i, char *name)
{
	/* Some are long, so that the directory has several forms. */
	sprintf(name, i % 3 ? "n%d" : "a-name-that-is-long-enough-to-need-blocks-of-its-own-%d", i);
	return name;
}

static char *target_of(unsigned int tag, char *target)
{
	int n = sprintf(target, "%u/", tag);

	/* Half of them do not fit into the inode. */
	memset(target + n, 'x', tag % 2 ? 20 : 700);
	target[n + (tag % 2 ? 20 : 700)] = '\0';
	return target;
}

static void make(struct task *t, int i, unsigned int op)
{
	unsigned int kind = 1 + chance(t) % 3;
	char name[100], target[1024];

	t->slots[i] = (struct slot){ (int)kind, kind == LINK_ ? op : 0 };
	if (t->dir < 0)
		return;
	name_of(i, name);
	if (kind == FILE_) {
		int fd = openat(t->dir, name, O_CREAT | O_EXCL | O_WRONLY, 0644);

		must(fd, "create");
		close(fd);
	} else if (kind == DIR_) {
		must(mkdirat(t->dir, name, 0755), "mkdir");
	} else {
		must(symlinkat(target_of(op, target), t->dir, name), "symlink");
	}
}

static void take_away(struct task *t, int i)
{
	unsigned int hold = chance(t) % 3;
	struct slot was = t->slots[i];
	char name[100];

	t->slots[i] = (struct slot){ NONE, 0 };
	if (t->dir < 0)
		return;
	name_of(i, name);
	if (was.kind == FILE_ && !hold) {
		int *fd = &t->held[t->next_held++ % HELD];

		if (*fd >= 0)
			close(*fd);
		*fd = openat(t->dir, name, O_RDONLY);
		must(*fd, "open");
	}
	must(unlinkat(t->dir, name, was.kind == DIR_ ? AT_REMOVEDIR : 0), "unlink");
}

static void move(struct task *t, int from, int to)
{
	char a[100], b[100];

	t->slots[to] = t->slots[from];
	t->slots[from] = (struct slot){ NONE, 0 };
	if (t->dir >= 0)
		must(renameat(t->dir, name_of(from, a), t->dir, name_of(to, b)), "rename");
}

static void set_attr(struct task *t, int i, unsigned int op)
{
	static const unsigned int sizes[] = { 4, 40, 900, 5000, 20000 };
	unsigned int size = sizes[chance(t) % 5];
	static unsigned char value[20000];
	char name[100];
	int fd;

	t->slots[i].tag = op;
	if (t->dir < 0)
		return;
	memset(value, (int)op, size);
	memcpy(value, &op, sizeof(op));
	fd = openat(t->dir, name_of(i, name), O_RDONLY);
	must(fd, "open");
	must(fsetxattr(fd, "user.crash", value, size, 0), "setxattr");
	close(fd);
}

static void step(struct task *t, unsigned int op)
{
	int i = (int)(chance(t) % SLOTS), to = (int)(chance(t) % SLOTS);
	unsigned int what = chance(t) % 4;
	struct slot *s = &t->slots[i], *d = &t->slots[to];

	if (s->kind == NONE)
		make(t, i, op);
	/* A directory's fsync says nothing of a file's attribute, but of all that came before. */
	else if (s->kind == FILE_ && what == 0 && op % SYNC_EVERY)
		set_attr(t, i, op);
	else if (what == 1 && i != to && (d->kind == NONE || (d->kind != DIR_ && s->kind != DIR_)))
		move(t, i, to);
	else
		take_away(t, i);
}

static void begin(struct task *t, unsigned int nr, int dir)
{
	*t = (struct task){ .nr = nr, .dir = dir, .seed = nr * 7919u + 1 };
	for (int i = 0; i < HELD; i++)
		t->held[i] = -1;
}

/* ---- work ---- */

static int open_dir(const char *top, unsigned int nr, int create)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/t%u", top, nr);
	if (create)
		must(mkdir(path, 0755), path);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	if (create)
		must(fd, path);
	return fd;
}

static void promise(int disk, uint64_t block, unsigned int op)
{
	static _Alignas(4096) unsigned char page[4096];

	memcpy(page, "promised", 8);
	memcpy(page + 8, &op, sizeof(op));
	if (pwrite(disk, page, sizeof(page), (off_t)(block * 4096)) != sizeof(page))
		die("promise");
}

static void work(const char *top, const char *disk, uint64_t at, unsigned int nr, unsigned int ops)
{
	int d = open(disk, O_WRONLY | O_DIRECT), parent = open(top, O_RDONLY | O_DIRECTORY), synced;
	struct data *data;
	struct task t;

	must(d, disk);
	at += (uint64_t)nr * (1 + DATA_FILES);
	begin(&t, nr, open_dir(top, nr, 1));
	data = data_begin(nr, t.dir, 1);
	must(fsync(t.dir), "fsync");
	must(fsync(parent), "fsync");
	promise(d, at, 0);
	for (unsigned int op = 1; op <= ops; op++) {
		step(&t, op);
		synced = data_step(data, op);
		if (synced >= 0)
			promise(d, at + 1 + (uint64_t)synced, op);
		if (op % SYNC_EVERY == 0) {
			must(fsync(t.dir), "fsync");
			promise(d, at, op);
		}
	}
	exit(0);
}

/* ---- judging ---- */

static struct slot look(int dir, int i)
{
	struct slot s = { NONE, 0 };
	char name[100], target[1024], want[1024];
	static unsigned char value[65536];
	struct stat st;
	ssize_t n;
	int fd;

	if (fstatat(dir, name_of(i, name), &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno != ENOENT)
			die(name);
		return s;
	}
	if (S_ISDIR(st.st_mode)) {
		s.kind = DIR_;
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(dir, name, target, sizeof(target) - 1);
		must(n, name);
		target[n] = '\0';
		s = (struct slot){ LINK_, (unsigned int)atoi(target) };
		if (strcmp(target, target_of(s.tag, want)))
			die("a link has another target");
	} else {
		s.kind = FILE_;
		fd = openat(dir, name, O_RDONLY);
		must(fd, name);
		n = fgetxattr(fd, "user.crash", value, sizeof(value));
		close(fd);
		if (n < 0 && errno != ENODATA)
			die("getxattr");
		if (n >= 4)
			memcpy(&s.tag, value, sizeof(s.tag));
		for (ssize_t k = 4; k < n; k++)
			if (value[k] != (unsigned char)s.tag)
				die("an attribute has other bytes");
	}
	return s;
}

static int check_names(unsigned int nr, int dir, unsigned int promised, unsigned int ops)
{
	struct slot found[SLOTS];
	unsigned int when = 0;
	struct task t;
	int best = 0;

	for (int i = 0; i < SLOTS; i++)
		found[i] = look(dir, i);
	begin(&t, nr, -1);
	for (unsigned int op = 0;; op++) {
		int same = 0;

		for (int i = 0; i < SLOTS; i++)
			same += found[i].kind == t.slots[i].kind && found[i].tag == t.slots[i].tag;
		if (op >= promised && same == SLOTS) {
			printf("task %u: as after %u, %u promised\n", nr, op, promised);
			return 0;
		}
		if (same > best) {
			best = same;
			when = op;
		}
		if (op == ops)
			break;
		step(&t, op + 1);
	}
	printf("task %u: as after no operation from %u on; %d names of %d are as after %u\n", nr,
	       promised, best, SLOTS, when);
	return 1;
}

/* PROMISED: the directory's operation, and its files' ("-": no such). */
static int check(const char *top, unsigned int nr, unsigned int ops, char **promised)
{
	int dir = open_dir(top, nr, 0), bad;
	unsigned int of[DATA_FILES];

	if (dir < 0) {
		printf("task %u: no directory\n", nr);
		return 1;
	}
	for (int i = 0; i < DATA_FILES; i++)
		of[i] = (unsigned int)atoi(promised[1 + i]);
	bad = check_names(nr, dir, (unsigned int)atoi(promised[0]), ops);
	if (data_check(nr, dir, of, ops))
		return 1;
	printf("task %u: data as promised\n", nr);
	return bad;
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "work")) {
		unsigned int tasks = (unsigned int)atoi(argv[5]), bad = 0;
		int status;

		for (unsigned int i = 0; i < tasks; i++)
			if (!fork())
				work(argv[2], argv[3], (uint64_t)atoll(argv[4]), i,
				     (unsigned int)atoi(argv[6]));
		while (wait(&status) > 0)
			bad |= (unsigned int)status;
		return bad != 0;
	}
	if (argc == 6 + DATA_FILES && !strcmp(argv[1], "check"))
		return check(argv[2], (unsigned int)atoi(argv[3]), (unsigned int)atoi(argv[4]),
			     argv + 5);
	return 2;
}
