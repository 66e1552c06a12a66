/* SPDX-License-Identifier: MIT */
/* Assertions. BUG ends the task or the kernel; WARN reports with a backtrace and goes on. */
#pragma once

#include <lib/types.h>

void __noreturn panic(const char *fmt, ...) __printf(1, 2);
void __noreturn bug_at(const char *file, int line, const char *what);
void warn_at(const char *file, int line, const char *fmt, ...) __printf(3, 4);
/* At the end of each report of damage, outside of its locks: panic_on_warn says whether the kernel goes on. */
void damage_reported(void);
/* Set by the first report of damage; shown in every later oops. */
extern bool kernel_tainted;
extern bool kernel_unsigned_module, kernel_outside_module;	/* one has been loaded */

#define BUG() bug_at(__FILE__, __LINE__, "BUG")
#define BUG_ON(c) do { if (unlikely(c)) bug_at(__FILE__, __LINE__, #c); } while (0)
#define WARN(c, fmt, ...) ({							\
	bool __w = !!(c);							\
	if (unlikely(__w))							\
		warn_at(__FILE__, __LINE__, fmt, ##__VA_ARGS__);		\
	unlikely(__w); })
#define WARN_ON(c) WARN(c, "%s", #c)
#define WARN_ONCE(c, fmt, ...) ({						\
	static bool __once __section(".data.once");				\
	bool __w = !!(c);							\
	if (unlikely(__w) && !__once) {						\
		__once = true;							\
		warn_at(__FILE__, __LINE__, fmt, ##__VA_ARGS__);		\
	}									\
	unlikely(__w); })
#define WARN_ON_ONCE(c) WARN_ONCE(c, "%s", #c)
#define BUILD_BUG_ON(c) _Static_assert(!(c), #c)
#ifdef CONFIG_DEBUG
#define DEBUG_ON(c) BUG_ON(c)		/* checked in debug builds only */
#else
#define DEBUG_ON(c) do { (void)sizeof(c); } while (0)
#endif
