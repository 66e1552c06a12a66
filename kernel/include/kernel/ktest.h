/* SPDX-License-Identifier: MIT */
/*
 * In-kernel tests: KTEST(room_what) { KT_EQ(1 + 1, 2); }. "ktest" on the command line runs all of them in a thread
 * after the late level, "ktest=TEXT" those whose name holds TEXT; then the machine powers off.
 */
#pragma once

#include <lib/types.h>
#include <kernel/printk.h>

struct ktest_run;

struct ktest {
	const char *name;
	void (*fn)(struct ktest_run *run);
};

struct ktest_run {
	int failures;
	const char *skip;	/* why, when the test could not run */
};

#define KTEST(tname)								\
	static void ktest_##tname(struct ktest_run *__kt);			\
	static const struct ktest __ktest_##tname __used __aligned(8)		\
		__section(".ktest") = { #tname, ktest_##tname };		\
	static void ktest_##tname(struct ktest_run *__kt)

/*
 * A check that fails leaves its test as it stands: what the test holds is lost, and the machine goes on to the next
 * test. To the analyzers such a path ends there: neither its memory nor its locks are findings.
 */
#if defined(__clang_analyzer__) || defined(__CHECKER__)
__noreturn void ktest_ends_here(void);
#define __KT_LEAVE ktest_ends_here()
#else
#define __KT_LEAVE return
#endif

#define KT_ASSERT(c) do {							\
	if (!(c)) {								\
		__kt->failures++;						\
		pr_err("ktest: %s:%d: not true: %s\n", __FILE__, __LINE__, #c);	\
		__KT_LEAVE;							\
	} } while (0)
#define KT_EQ(a, b) do {							\
	long long __a = (long long)(a), __b = (long long)(b);			\
	if (__a != __b) {							\
		__kt->failures++;						\
		pr_err("ktest: %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #a, __a, __b); \
		__KT_LEAVE;							\
	} } while (0)
#define KT_SKIP(why) do { __kt->skip = (why); return; } while (0)

/* Runs what FILTER names (NULL: all); the number that failed. */
int ktest_run_all(const char *filter);
bool ktest_requested(void);
