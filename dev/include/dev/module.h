/* SPDX-License-Identifier: MIT */
/* Loading and unloading of modules. All of these sleep. */
#pragma once

#include <lib/types.h>
#include <abi/errno.h>

#ifdef CONFIG_MODULES
/*
 * Loads the module in the SIZE bytes at FILE, which the caller owns, with the arguments at ARGS;
 * FLAGS are MODULE_INIT_*. The caller has asked for the right. 0; -EKEYREJECTED (no good
 * signature), -EBADMSG (an unreadable one), -ENOEXEC (malformed, for another kernel, or with what
 * is not supported), -EEXIST, -ENOENT (an unknown symbol), -EINVAL (a parameter), -EFAULT, -ENOMEM,
 * or what its init says. All but what a program can know by itself is told to the log.
 */
int module_load(const void *file, size_t size, struct uptr args, unsigned int flags) __must_check;
/* 0; -ENOENT; -EBUSY: it is loading or leaving, or cannot leave; -EWOULDBLOCK: it is used. */
int module_unload(const char *name) __must_check;
/* kernel.modules_disabled is set. */
bool module_calls_disabled(void);

struct module_facts {
	const char *name, *state;
	size_t size;
	int uses;
	bool has_users;
	const char *taints;	/* their letters */
	bool is_permanent;	/* it cannot be unloaded */
	unsigned long start;	/* of its text */
	const struct module *module;
};
/* FN for each module, the latest first, with a sleeping lock held. */
void module_for_each(void (*fn)(const struct module_facts *f, void *arg), void *arg);
/*
 * Within FN: the names of the modules that use F's, one a call; *CURSOR begins as NULL. NULL: no
 * more.
 */
const char *module_next_user(const struct module_facts *f, const void **cursor);
/* The running program may see where modules lie. upcall, fs/ */
bool module_addresses_allowed(void);
/*
 * Loads the module of that name or alias, by the program that /proc/sys/kernel/modprobe names. The
 * caller holds no lock that a module's init takes, and afterwards looks again for what it missed:
 * that the program ended well does not say that it is there. 0; the program's wait status (> 0);
 * -ENOENT: no such program, or none is named; -ENAMETOOLONG; -EPERM: kernel.modules_disabled;
 * -EBUSY: the system is not up yet; -ETIME: 50 of them run and none ended within 5 s; -EINTR:
 * killed meanwhile, while the program goes on; -ENOMEM, and what else starting a program says.
 */
int request_module(const char *fmt, ...) __printf(1, 2);
#else
static inline int __printf(1, 2) request_module(const char *fmt, ...)
{
	return -ENOSYS;
}

struct module_facts;
static inline void module_for_each(void (*fn)(const struct module_facts *f, void *arg), void *arg)
{
}
#endif
