/* SPDX-License-Identifier: MIT */
/* Between the files of exec/: a program being prepared. */
#pragma once

#include <lib/types.h>

struct cred;
struct file;
struct mm;

#define EXEC_HEAD 256		/* bytes of the file that decide its format */

struct exec_prog {
	struct file *file;	/* the file whose format is looked at */
	struct file *executable; /* what /proc/PID/exe shows: the interpreter for a script */
	char head[EXEC_HEAD];
	u32 head_len;
	char *path, *interp;	/* as called; what runs */
	char *fdpath;		/* "/dev/fd/N/..." for execveat */
	struct cred *cred;
	struct mm *mm;
	bool secure;		/* AT_SECURE */
	bool unsafe;		/* others share what a program with more rights must have for itself, or no_new_privs */
	bool unreadable;	/* of a file that the caller may not read: not dumpable */
	unsigned int personality_clear;	/* flags that a program with more rights does not take over */
	u64 stack_limit;	/* RLIMIT_STACK, as it was when the exec began */
	bool past_return;	/* the old program is gone: an error is SIGKILL now */
	bool by_descriptor;	/* called without a path */
	bool interp_unreachable; /* a close-on-exec descriptor: a script could not be opened */
	/* The strings, as they will lie on the stack: pages of text, last byte last. */
	char **pages;
	unsigned int nr_pages;
	size_t used;		/* bytes from the top */
	size_t limit;
	int argc, envc;
	bool noexec_stack;
};

/* Each puts a string in front of what is there. 0, -E2BIG, -ENOMEM. */
int exec_push(struct exec_prog *p, const char *s, size_t len);
/* Drops the front string (argv[0] of a script). */
void exec_pop_front(struct exec_prog *p);
/* The program is (also) made of FILE: one that the caller may not read is not shown to him in memory either. */
void exec_would_dump(struct exec_prog *p, struct file *file);
/* Point of no return: threads gone, address space swapped, credentials installed. 0, or -errno before it. */
int exec_commit(struct exec_prog *p, bool exec_stack);
/* 0; -ENOEXEC: not mine. */
int exec_load_elf(struct exec_prog *p);
int exec_load_script(struct exec_prog *p);
/* Reads exactly LEN bytes at POS. 0, -EIO when the file is shorter. */
int exec_read(struct file *f, void *buf, size_t len, u64 pos);
/* Copies strings and the words at SP to the new stack; sets the mm's arg_start and so on. */
unsigned long exec_string_base(const struct exec_prog *p);
