// SPDX-License-Identifier: MIT
/* A program as C that anyone can compile: cc -pthread x.c. It runs in namespaces of its own, as the fuzzer runs programs. */
#include "desc.h"
#include "prog.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static const char prelude[] =
"#define _GNU_SOURCE\n"
"#include <fcntl.h>\n#include <poll.h>\n#include <pthread.h>\n#include <sched.h>\n#include <signal.h>\n#include <stdint.h>\n#include <stdio.h>\n"
"#include <stdlib.h>\n#include <string.h>\n#include <sys/mman.h>\n#include <sys/mount.h>\n#include <sys/stat.h>\n#include <sys/syscall.h>\n"
"#include <sys/wait.h>\n#include <time.h>\n#include <unistd.h>\n\n"
"#define MAYBE __attribute__((unused))\n"
"#define MEMORY ((uint8_t *)0x10000000)\n"
"static size_t used;\n"
"static long r[64];\n"
"static uint8_t *mem[64];		/* the first memory that each call was given */\n"
"static volatile int busy[4];\n\n"
"MAYBE static void handler(int sig) { (void)sig; }\n"
"MAYBE static uint8_t *more(size_t n) { uint8_t *p = MEMORY + used; used = (used + n + 63) & ~63ul; return p; }\n"
"MAYBE static void put(uint8_t *at, uint64_t value, int size) { memcpy(at, &value, size); }\n"
"MAYBE static long word(int call, int off) { int32_t x = -1; if (mem[call] && r[call] >= 0) memcpy(&x, mem[call] + off, 4); return x; }\n"
"static void text(const char *path, const char *s) { int fd = open(path, O_WRONLY); if (fd >= 0) { if (write(fd, s, strlen(s)) < 0) perror(path); close(fd); } }\n"
"MAYBE static void failing(int n) { char s[16]; sprintf(s, \"%d\", n); text(\"/proc/thread-self/fail-nth\", s); }\n\n";

#pragma clang diagnostic ignored "-Wc23-extensions"	/* #embed */
/* uring.h and uring.c as they are: what a program that has the pseudo-call needs. */
static const char uring_h[] = {
#embed "uring.h"
	, 0
};
static const char uring_c[] = {
#embed "uring.c"
	, 0
};

static const char ending[] =
"static void *one(void *arg) { struct job { void (*fn)(void); int thread; } *j = arg; j->fn(); busy[j->thread] = 0; free(j); return NULL; }\n"
"/* A call that does not come back is left to its thread; the next one goes on after 15 ms. */\n"
"static void run(void (*fn)(void), int thread, int wait)\n{\n"
"	struct job { void (*fn)(void); int thread; } *j = malloc(sizeof(*j));\n	pthread_t t;\n\n"
"	for (int i = 0; busy[thread]; i++) { if (i == 15) return; poll(NULL, 0, 1); }\n"
"	j->fn = fn; j->thread = thread; busy[thread] = 1;\n"
"	if (pthread_create(&t, NULL, one, j)) { busy[thread] = 0; return; }\n"
"	pthread_detach(t);\n	for (int i = 0; wait && busy[thread] && i < 15; i++) poll(NULL, 0, 1);\n}\n\n";

static void line(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void line(FILE *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
}

/* Writes what builds V's memory, and gives V as an expression in EXPR. */
static void expression(FILE *f, const struct val *v, char *expr, size_t room, unsigned int *next)
{
	unsigned int me;
	size_t off = 0;
	char inner[64];

	switch (v->kind) {
	case VAL_INT:
		snprintf(expr, room, v->num < 10 ? "%" PRIu64 : "0x%" PRIx64 "ul", v->num);
		return;
	case VAL_REF:
		snprintf(expr, room, "r[%u]", v->call);
		return;
	case VAL_REFMEM:
		snprintf(expr, room, "word(%u, %u)", v->call, v->off);
		return;
	case VAL_HANDLER:
		snprintf(expr, room, "(uint64_t)handler");
		return;
	case VAL_PTR:
		break;
	default:
		snprintf(expr, room, "0");
		return;
	}
	me = (*next)++;
	line(f, "	uint8_t *m%u = more(%zu);\n\n", me, val_memory(v));
	for (uint32_t i = 0; i < v->len; i++) {
		const struct val *p = &v->piece[i];

		switch (p->kind) {
		case VAL_BYTES:
			if (p->len) {
				line(f, "	memcpy(m%u + %zu, \"", me, off);
				for (uint32_t k = 0; k < p->len; k++)
					line(f, "\\%03o", p->bytes[k]);
				line(f, "\", %u);\n", p->len);
			}
			break;
		case VAL_FILL:
			if (p->fill && p->num)
				line(f, "	memset(m%u + %zu, %u, %" PRIu64 ");\n", me, off, p->fill, p->num);
			break;
		case VAL_OUT:
			break;
		default:
			expression(f, p, inner, sizeof(inner), next);
			line(f, "	put(m%u + %zu, (uint64_t)%s, %u);\n", me, off, inner, p->size);
		}
		off += val_size(p);
	}
	snprintf(expr, room, "m%u", me);
}

static bool is_pseudo(const struct call *c)
{
	return c->desc->nr == CALL_URING_RUN;
}

/* All lines but those that only a file of its own has. */
static void without_ours(const char *s, FILE *f)
{
	for (; *s; s = strchr(s, '\n') + 1)
		if (strncmp(s, "#include \"", 10) && strncmp(s, "#pragma", 7))
			line(f, "%.*s", (int)(strchr(s, '\n') + 1 - s), s);
}

/* What uring_run needs, where it is called. */
static void pseudo_calls(const struct prog *p, FILE *f)
{
	bool any = false;

	for (uint32_t i = 0; i < p->n; i++)
		any |= is_pseudo(&p->call[i]);
	if (!any)
		return;
	without_ours(uring_h, f);
	without_ours(uring_c, f);
	line(f, "static const void *ring_params(uint64_t fd)\n{\n	const void *any = NULL;\n\n");
	for (uint32_t i = 0; i < p->n; i++)
		if (!strcmp(p->call[i].desc->name, "io_uring_setup"))
			line(f, "	if (mem[%u] && r[%u] >= 0 && (!any || r[%u] == (long)fd))\n		any = mem[%u];\n", i, i, i, i);
	line(f, "	(void)fd;\n	return any;\n}\n\n"
		"static long run_uring(const uint64_t *a)\n{\n	struct uring_run u;\n	uint64_t e[6];\n	long r;\n\n"
		"	if (uring_begin(&u, ring_params(a[0]), a, e)) {\n		r = syscall(426, e[0], e[1], e[2], e[3], e[4], e[5]);\n"
		"		if (r < 0)\n			r = -errno;\n	} else {\n		r = u.result;\n	}\n	uring_end(&u, a);\n	return r;\n}\n\n");
}

void prog_to_c(const struct prog *p, FILE *f, const char *title, unsigned int times)
{
	fputs("/* ", f);
	for (; *title; title++)		/* a comment that it cannot end */
		fputc(*title < ' ' || *title > '~' || *title == '*' ? ' ' : *title, f);
	line(f, "\n * cc -pthread this.c; as root, or as who may make user namespaces. */\n");
	fputs(prelude, f);
	pseudo_calls(p, f);
	for (uint32_t i = 0; i < p->n; i++) {
		const struct call *c = &p->call[i];
		char arg[6][64];
		unsigned int next = 0;
		bool first = true;

		line(f, "static void call%u(void)	/* %s */\n{\n", i, c->desc->name);
		for (int a = 0; a < c->nargs; a++) {
			expression(f, &c->arg[a], arg[a], sizeof(arg[a]), &next);
			if (c->arg[a].kind == VAL_PTR && first) {
				line(f, "	mem[%u] = %s;\n", i, arg[a]);
				first = false;
			}
		}
		if (c->fail)
			line(f, "	failing(%u);\n", c->fail);
		if (is_pseudo(c))
			line(f, "	r[%u] = run_uring((uint64_t[7]){ 0", i);
		else
			line(f, "	r[%u] = syscall(%u", i, c->desc->nr);
		for (int a = 0; a < c->nargs; a++)
			line(f, is_pseudo(c) ? ", (uint64_t)(%s)" : ", %s", arg[a]);
		fputs(is_pseudo(c) ? " } + 1);\n" : ");\n", f);
		if (!strcmp(c->desc->name, "fork") || !strcmp(c->desc->name, "vfork") || !strncmp(c->desc->name, "clone", 5))
			line(f, "	if (!r[%u])\n		_exit(0);\n", i);
		if (c->fail)
			line(f, "	failing(0);\n");
		line(f, "}\n\n");
	}
	fputs(ending, f);
	line(f, "static void program(void)\n{\n"
	     "	mmap(MEMORY, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);\n"
	     "	mmap((void *)0x20000000, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);\n	setsid();\n");
	if (!p->root)
		line(f, "	if (syscall(SYS_setresgid, 100, 100, 100) || syscall(SYS_setresuid, 100, 100, 100))\n		perror(\"setresuid\");\n");
	for (uint32_t i = 0; i < p->n; i++)
		line(f, "	run(call%u, %u, %d);\n", i, p->call[i].thread, !p->call[i].nowait);
	line(f, "	poll(NULL, 0, 20);\n	_exit(0);\n}\n\n");
	line(f, "int main(void)\n{\n	for (int i = 0; i < %u; i++) {\n		pid_t pid = fork();\n\n		if (!pid) {\n", times);
	line(f, "			char map[64];\n			int status;\n\n"
	     "			sprintf(map, \"0 %%d 1\", (int)getuid());\n"
	     "			if (getuid() && unshare(CLONE_NEWUSER) == 0) {\n				text(\"/proc/self/setgroups\", \"deny\");\n"
	     "				text(\"/proc/self/uid_map\", map);\n				text(\"/proc/self/gid_map\", map);\n			}\n"
	     "			if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS))\n				perror(\"unshare\");\n"
	     "			mkdir(\"/tmp/w\", 0777);\n			mount(\"none\", \"/\", NULL, MS_REC | MS_PRIVATE, NULL);\n"
	     "			mount(\"none\", \"/tmp/w\", \"tmpfs\", 0, \"size=16m,mode=0777\");\n"
	     "			if (chdir(\"/tmp/w\"))\n				perror(\"/tmp/w\");\n"
	     "			pid = fork();\n			if (!pid) {\n				mount(\"none\", \"/proc\", \"proc\", 0, NULL);\n				pid = fork();\n"
	     "				if (!pid)\n					program();\n				waitpid(pid, &status, 0);\n				_exit(0);\n			}\n"
	     "			waitpid(pid, &status, 0);\n			_exit(0);\n		}\n		waitpid(pid, NULL, 0);\n	}\n	return 0;\n}\n");
}
