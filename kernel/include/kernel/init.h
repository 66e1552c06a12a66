/* SPDX-License-Identifier: MIT */
/*
 * Initialisation in levels, and the command line.
 *
 * INITCALL(level, fn) registers int fn(void); start_kernel runs the levels in this order:
 *   early    one CPU, memory allocators work, interrupts off, no scheduler
 *   core     clocks and timers; interrupts on
 *   sched    the scheduler runs; kernel threads may be made from here on
 *   fs       VFS tables, filesystem types
 *   subsys   buses, block layer, tty, ipc
 *   device   drivers
 *   late     what needs everything else; then init is started
 * A failure is printed and boot goes on.
 */
#pragma once

#include <lib/types.h>

typedef int (*initcall_fn)(void);

struct initcall {
	initcall_fn fn;
	const char *name;
};

#define __initcall_at(level, f)							\
	static const struct initcall __unique(__initcall_) __used __aligned(8)	\
		__section(".initcall." #level) = { f, #f }
#define INITCALL(level, f) __initcall_##level(f)
#define __initcall_early(f) __initcall_at(0, f)
#define __initcall_core(f) __initcall_at(1, f)
#define __initcall_sched(f) __initcall_at(2, f)
#define __initcall_fs(f) __initcall_at(3, f)
#define __initcall_subsys(f) __initcall_at(4, f)
#define __initcall_device(f) __initcall_at(5, f)
#define __initcall_late(f) __initcall_at(6, f)

enum { INIT_EARLY, INIT_CORE, INIT_SCHED, INIT_FS, INIT_SUBSYS, INIT_DEVICE, INIT_LATE, INIT_LEVELS };
void do_initcalls(int level);
extern int system_state;
enum { SYSTEM_BOOTING, SYSTEM_SCHEDULING, SYSTEM_RUNNING, SYSTEM_HALT, SYSTEM_POWER_OFF, SYSTEM_RESTART };

/*
 * KERNEL_PARAM("mem", fn): fn(value) is called once per "mem=VALUE" (or with NULL for a bare "mem")
 * before the early level. 0, or -errno for a value it cannot use (reported).
 */
struct kernel_param {
	const char *name;
	int (*set)(const char *value);
};

#define KERNEL_PARAM(pname, f)							\
	static const struct kernel_param __unique(__param_) __used __aligned(8)	\
		__section(".kernel_param") = { pname, f }

/* The command line as given; parse it into parameters, init's arguments and environment. */
extern char *saved_command_line;
void parse_command_line(const char *cmdline);
/* What is not ours: NULL-terminated, argv[0] is left for the caller. */
extern const char *init_argv[];
extern const char *init_envp[];
/* The value of "name=value" (the last one), "" for a bare "name", or NULL. */
const char *command_line_get(const char *name);
