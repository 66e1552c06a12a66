/* SPDX-License-Identifier: MIT */
/*
 * What the system call table says about each call, for whoever dispatches, traces or filters calls.
 * The data are generated from abi/syscalls.tbl into <abi/syscalls.h> and abi/dispatch.c; all of it is constant but for
 * the counters of absent calls, which are only ever added to.
 */
#pragma once

#include <lib/types.h>

struct pt_regs;

enum syscall_restart {
	SYSCALL_RESTART_NONE,	/* a signal does not interrupt it, or it is never started again */
	SYSCALL_RESTART_SYS,	/* ERESTARTSYS: started again with SA_RESTART */
	SYSCALL_RESTART_NOHAND,	/* ERESTARTNOHAND: started again when no handler ran */
	SYSCALL_RESTART_BLOCK,	/* ERESTART_RESTARTBLOCK: continued by restart_syscall */
	SYSCALL_RESTART_EINTR,	/* always EINTR */
};

#define SYSCALL_F_BLOCK 0x01	/* may sleep */
#define SYSCALL_F_RET2 0x02	/* returns a second value in a register on this CPU */
#define SYSCALL_F_REGS 0x04	/* replaces the registers: the result is not stored */
#define SYSCALL_F_URING 0x08	/* an io_uring operation does the same */

/* How an argument is shown. */
enum syscall_arg_kind {
	ARG_INT, ARG_UINT, ARG_LONG, ARG_ULONG, ARG_HEX, ARG_FD, ARG_AT, ARG_MODE, ARG_SIG,
	ARG_FLAGS,		/* what: the name of the set */
	ARG_CMD,		/* what: the name of the set */
	ARG_PTR_IN, ARG_PTR_OUT, ARG_PTR_INOUT,	/* what: the name of the type */
};

struct syscall_arg_desc {
	const char *name;
	const char *what;	/* "path", "str", "data", a structure's name, a set's name; or NULL */
	u8 kind;		/* enum syscall_arg_kind */
	s8 len_arg;		/* index of the argument that counts the elements (bytes for "data"); -1: none */
	u8 len_fixed;		/* or so many elements */
};

struct syscall_desc {
	const char *name;
	const char *ctype;	/* the arguments' C types, for people: "unsigned int, uptr, size_t" */
	u8 nargs;
	u8 restart;		/* enum syscall_restart */
	u8 flags;		/* SYSCALL_F_* */
	struct syscall_arg_desc arg[6];
};

/* The calls by number, NULL for one that does not exist; <abi/syscalls.h> says how many. */
typedef long (*syscall_fn)(const struct pt_regs *regs);
extern const syscall_fn syscall_fns[];
/* -ENOSYS, counted. */
long syscall_absent(unsigned long nr);

/* The description of call nr, NULL where Linux has none. Calls not implemented here have one too. */
const struct syscall_desc *syscall_describe(unsigned long nr);

/* The value of argument n as the call sees it (the CPU's order of arguments taken into account). */
unsigned long syscall_arg_value(unsigned long nr, const struct pt_regs *regs, unsigned int n);

/* How often the absent call nr was made since boot. */
unsigned int syscall_absent_count(unsigned long nr);
