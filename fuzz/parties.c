// SPDX-License-Identifier: MIT
/*
 * Programs of the attacker's against what root has (parties.h). A batch begins with a fresh stage: the referee looks, the programs are played
 * one after another, every other few with all capabilities in a user namespace of their own, and the referee looks again. Where it sees a
 * difference, the first program that makes one is looked for by playing fewer, each time on a fresh stage, and then made small.
 *
 * A process of the attacker's plays a few programs, while it is after each as it was before the first: another process is made where it is not.
 *
 * Programs depend on the seed and their number alone: a batch is the same in whatever machine, and by whichever job, it is played.
 */
#define _GNU_SOURCE
#include "parties.h"
#include "exec_in.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH		1000
#define TOGETHER	16		/* programs, at most, of a process; so many in a row have the same role */
#define SWEEP		50		/* programs, about, until what the attacker left in directories for all is taken away */
#define ATTACKS		"/attacks"	/* written by hand: a hunt begins with them as they are, in both roles */
#define SEEDS		"/seeds"
#define TRIES		1000		/* to make a program with the word */
#define GAINED		77	/* status of a caller that has what it must not */

/* Shared with who plays; a program has it not. */
static struct page {
	uint64_t programs, calls, timeouts, killed, differences;
	uint32_t at;			/* the program that is being played */
	int32_t gained;			/* the number of one that gained rights, -1: none */
	char how[200];
} *page;
static uint64_t *made;			/* calls and forks of those that are played, and which one it is: they have this */
static void (*tell)(const char *text, size_t n);
static void (*post)(const char *text, uint32_t n, int job);
static bool planted;			/* the attacker is root, and nobody looks at what he has: each attack is to be seen by what it does */
static int job;

struct batch {
	char **text;
	uint32_t n;
};

static void say(const char *kind, const char *text)
{
	char line[PROG_BYTES + 16];

	tell(line, (size_t)snprintf(line, sizeof(line), "%s %s\n", kind, text));
}

static void say_figures(void)
{
	char line[200];

	snprintf(line, sizeof(line), "%d %lu %lu %lu %lu %lu", job, page->programs, page->calls, page->timeouts, page->killed, page->differences);
	say("S", line);
}

/* ---- programs ---- */

static char **seed_text, **attack_text;
static uint32_t nseeds, nattacks;
static const char *only;	/* a word that each program has; NULL */

static char *slurp(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;
	ssize_t r;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "fuzz: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	text = must_alloc((size_t)st.st_size + 1);
	for (*n = 0; (r = read(fd, text + *n, (size_t)st.st_size - *n)) > 0; *n += (size_t)r)
		;
	text[*n] = 0;
	close(fd);
	return text;
}

/* The programs of a file, each begins with its line @user or @root. */
static uint32_t split(const char *path, char ***to)
{
	size_t n;
	char *text = slurp(path, &n), *at = strchr(text, '@'), *next;
	uint32_t count = 0, room = 0;

	for (; at && *at; at = next) {
		for (next = at + 1; *next && !(*next == '@' && next[-1] == '\n'); next++)
			;
		if (count == room) {
			room = room * 2 + 64;
			*to = realloc(*to, room * sizeof(**to));
			if (!*to)
				exit(2);
		}
		(*to)[count++] = strndup(at, (size_t)(next - at));
	}
	free(text);
	return count;
}

/* Program NUMBER of a seed: made anew, or another of one that was there; with a word, tried until it has that. */
static char *program(uint64_t seed, uint64_t number)
{
	static char text[PROG_BYTES];
	const char *base;
	struct prog p;
	size_t n;

	uint64_t attack = number / (2 * TOGETHER) * TOGETHER + number % TOGETHER;	/* each comes in both roles */

	rng_seed(seed * 1000000007 + number);
	for (int tries = 0; tries < TRIES; tries++) {
		switch (attack < nattacks ? 3 : rng_below(3)) {
		case 0:
			base = NULL;
			break;
		case 1:
			base = nseeds ? seed_text[rng_below(nseeds)] : NULL;
			break;
		default:
			base = nattacks ? attack_text[attack < nattacks ? attack : rng_below(nattacks)] : NULL;
		}
		if (!base || !prog_parse(&p, base, strlen(base), NULL))
			prog_generate(&p, 1 + (unsigned int)rng_below(10));
		else if (attack >= nattacks)
			prog_mutate(&p);
		p.root = number / TOGETHER & 1;
		n = prog_print(&p, text, sizeof(text) - 1);
		prog_free(&p);
		text[n] = 0;
		if (n && (!only || strstr(text, only)))
			return strdup(text);
	}
	return strdup("@user\ngetpid()\n");
}

/* Of the programs those that have the word. How many. */
static uint32_t with_word(char **text, uint32_t n)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++)
		if (!only || strstr(text[i], only))
			text[left++] = text[i];
	return left;
}

/* ---- the attacker ---- */

/* The attacker's own directory, which he may have given another name. */
static bool go_home(void)
{
	return !chdir("/tmp/w") || !chdir("/tmp");
}

static bool become_attacker(bool root)
{
	char map[40];

	if (planted)
		return go_home();
	if (!go_home() || setgroups(0, NULL) || setresgid(ATTACKER, ATTACKER, ATTACKER) || setresuid(ATTACKER, ATTACKER, ATTACKER) || prctl(PR_SET_DUMPABLE, 1))
		return false;
	if (!root)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || !write_file("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "0 %d 1", ATTACKER);
	return write_file("/proc/self/uid_map", map) && write_file("/proc/self/gid_map", map) && go_home();
}

static struct stat secret[2];

static bool has(const char *path, int flags, const struct stat *what)
{
	struct stat st;
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	bool is = fd >= 0 && !fstat(fd, &st) && st.st_ino == what->st_ino && st.st_dev == what->st_dev;

	if (fd >= 0)
		close(fd);
	return is;
}

/* Whether what is left of a program can do what the attacker cannot: in its own process, with whatever namespaces and rights it has now. */
static int gained(void)
{
	if (planted)
		return 0;
	return has(SECRET, O_RDONLY, &secret[0]) || has(SECRET, O_WRONLY, &secret[0]) || has(MASKED, O_RDONLY, &secret[1]) ? GAINED : 0;
}

/* ---- who plays ---- */

static void gains(const char *how, pid_t pid)
{
	if (page->gained >= 0)
		return;
	page->gained = (int32_t)page->at;
	snprintf(page->how, sizeof(page->how), "! program %u of the batch: %s (process %d)", page->at, how, pid);
}

static bool our_namespace(pid_t pid)
{
	char path[40], own[64] = "", its[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return readlink("/proc/self/ns/user", own, sizeof(own) - 1) > 0 && readlink(path, its, sizeof(its) - 1) > 0 && !strcmp(own, its);
}

/* Whether a process is a set-user-ID program of root's, which is there to be executed, or ended meanwhile. Asked after its ids were seen. */
static bool may_have(pid_t pid)
{
	char path[40], exe[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, exe, sizeof(exe) - 1) < 0 || strstr(exe, "setuid") || strstr(exe, "capable");
}

/* A process that a program left. */
static void judge(pid_t pid)
{
	char path[40], text[4096], *at;
	unsigned int uid[4] = { ATTACKER, ATTACKER, ATTACKER, ATTACKER };
	unsigned long caps = 0;
	size_t n = 0;
	ssize_t r;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n < sizeof(text) - 1 && (r = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)r;
	if (fd >= 0)
		close(fd);
	text[n] = 0;
	at = strstr(text, "\nUid:");
	if (at && sscanf(at, "\nUid: %u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]) == 4)
		for (int i = 0; i < 4; i++)
			if (uid[i] != ATTACKER && !may_have(pid))
				gains("a user id of somebody else's", pid);
	at = strstr(text, "\nCapPrm:");
	if (at && sscanf(at, "\nCapPrm: %lx", &caps) == 1 && caps && our_namespace(pid) && !may_have(pid))
		gains("capabilities over the machine", pid);
}

/* All that a program left: its own children, and theirs when they have come to us. LOOK: says what they gained. */
static void end_all(bool look)
{
	char text[4096], *at, *end;
	ssize_t n;
	int fd;

	do {
		fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		text[n > 0 ? n : 0] = 0;
		for (at = text;; at = end) {
			pid_t pid = (pid_t)strtol(at, &end, 10);

			if (end == at)
				break;
			if (look && !planted)
				judge(pid);
			kill(pid, SIGKILL);
		}
	} while (waitpid(-1, NULL, __WALL) > 0);
}

/* What a process of the attacker's has, and the next program shall find as the first did. Padding is 0. */
struct self {
	uid_t id[6];
	struct rlimit limit[RLIM_NLIMITS];
	int flags[FD_LAST + 1], bits[5];
	struct __user_cap_data_struct caps[2];
	struct { dev_t dev; ino_t ino; } at[5];
};

static void look_at_self(struct self *s)
{
	static const char *const paths[] = { "/", "/v", "/tmp", "/tmp/w", "/proc" };
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct stat st;

	memset(s, 0, sizeof(*s));
	getresuid(&s->id[0], &s->id[1], &s->id[2]);
	getresgid(&s->id[3], &s->id[4], &s->id[5]);
	for (unsigned int i = 0; i < RLIM_NLIMITS; i++)
		getrlimit(i, &s->limit[i]);
	for (int i = 0; i <= FD_LAST; i++)
		if (i < 3 || i >= FD_FIRST)
			s->flags[i] = fcntl(i, F_GETFL);
	s->bits[0] = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	s->bits[1] = prctl(PR_GET_SECCOMP);
	s->bits[2] = prctl(PR_GET_DUMPABLE);
	s->bits[3] = prctl(PR_GET_SECUREBITS);
	s->bits[4] = prctl(PR_GET_PDEATHSIG, &s->bits[4]) ? -1 : s->bits[4];
	syscall(SYS_capget, &head, s->caps);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (!stat(paths[i], &st)) {
			s->at[i].dev = st.st_dev;
			s->at[i].ino = st.st_ino;
		}
}

/* Programs of one process. */
static struct together {
	struct prog p[TOGETHER];
	uint32_t n, at;
	struct self begun;
} group;

static bool become_player(bool root)
{
	bool ok = become_attacker(root);

	look_at_self(&group.begun);
	return ok;
}

static const struct prog *next_of_group(void)
{
	struct itimerval off = { 0 };
	struct self now;
	sigset_t none;

	if (group.at + 1 >= group.n || !go_home() || close_range(FD_LAST + 1, ~0u, 0))
		return NULL;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setitimer(ITIMER_REAL, &off, NULL);
	umask(022);
	look_at_self(&now);
	if (memcmp(&now, &group.begun, sizeof(now)))
		return NULL;
	made[2] = ++group.at;
	return &group.p[group.at];
}

/* Anybody may chown(2) any file to nobody in particular: on Linux too it changes the time of the last change, and takes file capabilities away. */
static bool for_anybody(long nr, const uint64_t *a)
{
	int at = nr == SYS_chown || nr == SYS_lchown || nr == SYS_fchown ? 1 : nr == SYS_fchownat ? 2 : 0;

	return at && (uint32_t)a[at] == UINT32_MAX && (uint32_t)a[at + 1] == UINT32_MAX;
}

/* The programs from TEXT on, at most N, that one process is to play. How many of the texts they are: one that cannot be read is passed over. */
static uint32_t make_group(char **text, uint32_t n)
{
	uint32_t i = 0;

	for (group.n = group.at = 0; i < n && group.n < TOGETHER; i++) {
		struct prog *p = &group.p[group.n];

		if (!prog_parse(p, text[i], strlen(text[i]), NULL))
			continue;
		if (p->root != group.p[0].root) {
			prog_free(p);
			break;
		}
		group.n++;
	}
	return i;
}

/* The programs from TEXT on, at most N. How many of them were played: those that a process did not come to are another's. */
static uint32_t play_some(char **text, uint32_t n)
{
	const struct exec_order order = {
		.calls = &made[0], .forks = &made[1], .become = become_player, .skip = for_anybody, .after = gained, .next = next_of_group
	};
	uint32_t taken = make_group(text, n), played;
	int status = 0;
	pid_t pid;

	if (!group.n)
		return taken;
	made[0] = made[1] = made[2] = 0;
	pid = fork();
	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		write_file("/proc/self/oom_score_adj", "0");
		caller_run(&group.p[0], &order);
	}
	if (pid > 0 && !caller_wait(pid, made, group.n, &status))
		page->timeouts++;
	else if (WIFSIGNALED(status))
		page->killed++;
	played = made[2] < group.n ? (uint32_t)made[2] + 1 : 1;
	page->at += played - 1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == GAINED)
		gains("it opens root's secret", pid);
	else if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 9))
		gains("the attacker could not be made", pid);
	end_all(true);
	page->calls += made[0];
	page->programs += played;
	for (uint32_t i = 0; i < group.n; i++)
		prog_free(&group.p[i]);
	return played == group.n ? taken : played;
}

/* fs.protected_hardlinks lets anybody link to what anybody may read and write, if it is not set-user-ID, as /tmp/opensetuid no longer is when written to. */
static bool may_be_linked(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink > 1 && (st->st_mode & 06) == 06 && !(st->st_mode & S_ISUID) &&
		(st->st_mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP);
}

/* In a directory of the attacker's nothing is anybody else's, and nowhere is a device his. 0:0 is none: anybody may make it. */
static void judge_file(const struct stat *st, bool top)
{
	if (st->st_uid != ATTACKER && !top && !may_be_linked(st))
		gains("a file of somebody else's in his directory", 0);
	if (st->st_uid == ATTACKER && (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) && st->st_rdev)
		gains("a device of his", 0);
}

/* What is the attacker's in a directory in which anybody may make names; his own stays. */
static void sweep(int dir, bool top)
{
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		judge_file(&st, top);
		if (st.st_uid != ATTACKER && (top || S_ISDIR(st.st_mode)))
			continue;
		if (S_ISDIR(st.st_mode))
			sweep(openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), false);
		if (!top || !S_ISDIR(st.st_mode) || strcmp(e->d_name, "w"))
			unlinkat(dirfd(d), e->d_name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
	}
	if (d)
		closedir(d);
}

static void sweep_all(void)
{
	static const char *const dirs[] = { "/tmp", "/dev/shm", "/dev/mqueue" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		sweep(open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC), true);
	if (!mkdir("/tmp/w", 0777) && lchown("/tmp/w", ATTACKER, ATTACKER))
		perror("fuzz: /tmp/w");
}

static bool enter(pid_t stage)
{
	static const char *const kinds[] = { "pid", "ipc", "uts", "net", "mnt" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char path[40];
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", stage, kinds[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, 0))
			return false;
		close(fd);
	}
	return true;
}

/* A process of root's in the stage that does FN; false where it could not, or was ended by somebody. */
static bool in_stage(pid_t stage, int (*fn)(void *arg), void *arg)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!enter(stage))
			_exit(1);
		pid = fork();
		if (!pid)
			_exit(fn(arg));
		_exit(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static int play_all(void *arg)
{
	const struct batch *b = arg;
	sigset_t set;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	setsid();
	if (stat(SECRET, &secret[0]))
		return 1;
	if (stat("/proc/1/fd/50", &secret[1]))
		return 1;
	close_range(3, ~0u, 0);
	if (!stage_descriptors())
		return 1;
	for (int i = 0, null = open("/dev/null", O_RDWR); i < 3; i++)
		dup2(null, i);
	close_range(3, FD_FIRST - 1, 0);
	if (madvise(page, sizeof(*page), MADV_DONTFORK))
		return 1;
	caller_prepare();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (uint32_t i = 0, swept = 0; i < b->n && page->gained < 0;) {
		page->at = i;
		i += play_some(b->text + i, b->n - i);
		if (i >= swept + SWEEP) {
			sweep_all();
			swept = i;
		}
	}
	sweep_all();
	return 0;
}

/* ---- the referee ---- */

struct look { char *text; size_t n; int fd; };

static int look_in(void *arg)
{
	struct look *l = arg;
	FILE *to = fdopen(l->fd, "w");

	if (!to)
		return 1;
	referee_look(to);
	fclose(to);
	return 0;
}

/* What it wrote, in memory of ours. */
static bool look(pid_t stage, struct look *l)
{
	struct stat st;
	bool ok;

	l->text = NULL;
	l->fd = memfd_create("look", MFD_CLOEXEC);
	ok = l->fd >= 0 && in_stage(stage, look_in, l) && !fstat(l->fd, &st);
	if (ok) {
		l->n = (size_t)st.st_size;
		l->text = must_alloc(l->n + 1);
		ok = pread(l->fd, l->text, l->n, 0) == (ssize_t)l->n && l->n > 10 && !memcmp(l->text + l->n - 11, "end\tof all\n", 11);
		l->text[l->n] = 0;
	}
	close(l->fd);
	return ok;
}

/* The lines of A that B has not. How many; said where KIND is given. */
static int missing(const char *kind, const char *sign, const char *a, const char *b)
{
	int found = 0;

	for (const char *at = a, *end; (end = strchr(at, '\n')); at = end + 1) {
		size_t n = (size_t)(end + 1 - at);
		const char *s = memmem(b, strlen(b), at, n);
		char line[600];

		while (s && s != b && s[-1] != '\n')
			s = memmem(s + 1, strlen(s + 1), at, n);
		if (s)
			continue;
		found++;
		if (kind && found <= 40) {
			snprintf(line, sizeof(line), "%s %.*s", sign, (int)(n - 1 < 500 ? n - 1 : 500), at);
			say(kind, line);
		}
	}
	return found;
}

enum outcome { SAME, DIFFERS, BROKEN };

static void end_stage(pid_t stage)
{
	kill(stage, SIGKILL);
	waitpid(stage, NULL, 0);
}

/* One batch on a fresh stage. KIND: what differs is said in lines of it. */
static enum outcome play(const struct batch *b, const char *kind)
{
	struct look before = { 0 }, after = { 0 };
	enum outcome r = SAME;
	pid_t stage = stage_set();
	page->gained = -1;
	if (stage < 0 || !look(stage, &before)) {
		if (stage > 0)
			end_stage(stage);
		free(before.text);
		return BROKEN;
	}
	if (!in_stage(stage, play_all, (void *)b)) {
		r = DIFFERS;
		if (kind)
			say(kind, "! who started the programs, a process of root's, was ended");
	} else if (!look(stage, &after)) {
		r = DIFFERS;
		if (kind)
			say(kind, "! the stage is no more there");
	} else if (strcmp(before.text, after.text) && missing(kind, "-", before.text, after.text) + missing(kind, "+", after.text, before.text)) {
		r = DIFFERS;
	}
	if (page->gained >= 0) {
		r = DIFFERS;
		if (kind)
			say(kind, page->how);
	}
	end_stage(stage);
	free(before.text);
	free(after.text);
	return r;
}

/* ---- the one that did it ---- */

static bool differs(char **text, uint32_t n)
{
	struct page before = *page;
	bool r = play(&(struct batch){ text, n }, NULL) == DIFFERS;

	*page = before;		/* the figures count what is hunted with */
	say_figures();		/* a word now and then, or it passes for a hang */
	return r;
}

/* Calls are left out while the difference is there. */
static char *smaller(char *text)
{
	static char out[PROG_BYTES];
	struct prog p, q;

	if (!prog_parse(&p, text, strlen(text), NULL))
		return text;
	for (uint32_t i = p.n; i-- > 0 && p.n > 1;) {
		char *try;
		size_t n;

		prog_copy(&q, &p);
		prog_remove(&q, i, 1);
		prog_fix(&q);
		n = prog_print(&q, out, sizeof(out) - 1);
		out[n] = 0;
		try = strdup(out);
		if (n && differs(&try, 1)) {
			prog_free(&p);
			p = q;
			text = try;
		} else {
			prog_free(&q);
			free(try);
		}
	}
	prog_free(&p);
	return text;
}

static void say_program(const char *text)
{
	char *copy = strdup(text), *save;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		say("D", line);
	free(copy);
}

/* Leaves out what is not needed of N programs, many at a time first. How many are left. */
static uint32_t fewer(char **text, uint32_t n)
{
	for (uint32_t size = n / 2; size; size /= 2)
		for (uint32_t at = 0; at + size < n;) {
			char **try = must_alloc(n * sizeof(*try));

			memcpy(try, text, at * sizeof(*try));
			memcpy(try + at, text + at + size, (n - at - size) * sizeof(*try));
			if (differs(try, n - size)) {
				n -= size;
				memcpy(text, try, n * sizeof(*text));
			} else {
				at += size;
			}
			free(try);
		}
	return n;
}

static void find(const struct batch *b, uint64_t first)
{
	uint32_t low = 0, high = b->n;
	char line[100], *text;

	if (!differs(b->text, b->n)) {
		say("D", "= it does not come again; all programs of the batch:");
		for (uint32_t i = 0; i < b->n; i++)
			say_program(b->text[i]);
		return;
	}
	while (high - low > 1) {	/* the first LOW do nothing, the first HIGH do */
		uint32_t middle = (low + high) / 2;

		if (differs(b->text, middle))
			high = middle;
		else
			low = middle;
	}
	snprintf(line, sizeof(line), "= program %lu", (unsigned long)(first + high - 1));
	say("D", line);
	text = b->text[high - 1];
	if (!differs(&text, 1)) {
		char **some = must_alloc(high * sizeof(*some));

		memcpy(some, b->text, high * sizeof(*some));
		high = fewer(some, high);
		say("D", "= only after what ran before it:");
		for (uint32_t i = 0; i < high; i++)
			say_program(some[i]);
		play(&(struct batch){ some, high }, "D");
		free(some);
		return;
	}
	text = smaller(text);
	say("D", "= what it comes of:");
	say_program(text);
	play(&(struct batch){ &text, 1 }, "D");
}

/* ---- the hunt ---- */

/* NUMBERS begin at FIRST. */
static bool batch(const struct batch *b, uint64_t first)
{
	char line[80];
	size_t room = 1;
	char *all;

	for (uint32_t i = 0; i < b->n; i++)
		room += strlen(b->text[i]);
	all = must_alloc(room);
	*all = 0;
	for (uint32_t i = 0, at = 0; i < b->n; i++)
		at += (uint32_t)sprintf(all + at, "%s", b->text[i]);
	post(all, (uint32_t)(room - 1 < PROG_BYTES ? room - 1 : PROG_BYTES), job);
	free(all);
	switch (play(b, "D")) {
	case SAME:
		break;
	case BROKEN:
		fprintf(stderr, "fuzz: no stage\n");
		return false;
	case DIFFERS:
		page->differences++;
		snprintf(line, sizeof(line), "= a difference in the batch that begins with program %lu", (unsigned long)first);
		say("D", line);
		find(b, first);
	}
	say_figures();
	return true;
}

static bool hunt(uint64_t seed, uint64_t first, uint64_t count, int jobs)
{
	uint64_t share = (count + (uint64_t)jobs - 1) / (uint64_t)jobs, size = share < BATCH ? share : BATCH;

	for (uint64_t at = (uint64_t)job * size; at < count; at += (uint64_t)jobs * size) {
		struct batch b = { .n = count - at < size ? (uint32_t)(count - at) : (uint32_t)size };
		bool ok;

		b.text = must_alloc(b.n * sizeof(*b.text));
		for (uint32_t i = 0; i < b.n; i++)
			b.text[i] = program(seed, first + at + i);
		ok = batch(&b, first + at);
		for (uint32_t i = 0; i < b.n; i++)
			free(b.text[i]);
		free(b.text);
		if (!ok)
			return false;
	}
	return true;
}

/* The referee's own test: programs that change what root has, each by root on a stage of its own. What it does not see is said. */
static bool all_seen(const struct batch *b)
{
	planted = true;
	for (uint32_t i = 0; i < b->n; i++) {
		bool seen = differs(&b->text[i], 1);

		page->programs++;
		if (!seen) {
			page->differences++;
			say("D", "= not seen:");
			say_program(b->text[i]);
		}
		say_figures();
	}
	return true;
}

static bool prepare(int which)
{
	job = which;
	page = mmap(NULL, sizeof(*page) < 4096 ? 4096 : sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	referee_begin();
	return page != MAP_FAILED && made != MAP_FAILED;
}

int parties_main(int argc, char **argv, const char *word, void (*say_text)(const char *text, size_t n), void (*post_text)(const char *text, uint32_t n, int job))
{
	int jobs, status, worst = 0;

	only = word;
	tell = say_text;
	post = post_text;
	mutate_aim(stage_aims);
	/* As distributions have it: else anybody may make links to files of others. */
	if (!write_file("/proc/sys/fs/protected_hardlinks", "1") || !write_file("/proc/sys/fs/protected_symlinks", "1")) {
		perror("fuzz: protected links");
		return 2;
	}
	if (argc < 3) {
		struct batch b = { NULL, 0 };

		b.n = split(argv[0], &b.text);
		return prepare(0) && b.n && (argc == 2 ? all_seen(&b) : batch(&b, 0)) ? 0 : 2;
	}
	nseeds = split(SEEDS, &seed_text);
	nattacks = split(ATTACKS, &attack_text);
	if (!nseeds || !nattacks) {
		fprintf(stderr, "fuzz: no programs in %s or %s\n", SEEDS, ATTACKS);
		return 2;
	}
	nseeds = with_word(seed_text, nseeds);
	nattacks = with_word(attack_text, nattacks);
	jobs = atoi(argv[3]);
	for (int i = 0; i < jobs; i++)
		if (!fork())
			exit(prepare(i) && hunt(strtoul(argv[0], NULL, 0), strtoul(argv[1], NULL, 0), strtoul(argv[2], NULL, 0), jobs) ? 0 : 2);
	while (wait(&status) > 0)
		if (status)
			worst = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return worst;
}
