/* SPDX-License-Identifier: MIT */
/*
 * What the source of a loadable module includes. `module_init(f)`, `module_exit(f)`; a module
 * without an exit stays. Parameters are read-only in /sys/module/NAME/parameters where PERM has a
 * bit.
 *
 * Where config/modules.mk builds the same source into the image, as MODULE_NAME, init runs at boot,
 * exit never, and NAME.PARAMETER= on the command line sets a parameter.
 */
#pragma once

#include <lib/types.h>

#ifdef CONFIG_MODULES
#include <abi/version.h>
#include <arch/module.h>

#ifdef CONFIG_DEBUG
#define MODULE_MAGIC OCHRE_RELEASE " SMP mod_unload " ARCH_MODULE_MAGIC " debug "
#else
#define MODULE_MAGIC OCHRE_RELEASE " SMP mod_unload " ARCH_MODULE_MAGIC " "
#endif

enum module_param_type { PARAM_int, PARAM_uint, PARAM_bool, PARAM_charp };

/* One of a module's section .module_param. */
struct module_param {
	const char *name;
	void *value;		/* int, unsigned int, bool, const char * */
	u32 type;		/* enum module_param_type */
	u32 perm;
};
#endif

#ifdef MODULE
#define MODULE_INFO(tag, text) static const char __unique(__modinfo_)[] __used __aligned(1) __section(".modinfo") = #tag "=" text
#define module_param(pname, ptype, pperm)							\
	MODULE_INFO(parmtype, #pname ":" #ptype);						\
	static const struct module_param __param_##pname __used __section(".module_param") =	\
		{ #pname, &(pname), PARAM_##ptype, pperm }
/* MODULE_OUTSIDE is defined by the build of one that is not of this tree. */
#ifdef MODULE_OUTSIDE
#define MODULE_ORIGIN _Static_assert(1, "")
#else
#define MODULE_ORIGIN MODULE_INFO(intree, "Y")
#endif
#define module_init(f) int init_module(void); int init_module(void) { return f(); } MODULE_INFO(vermagic, MODULE_MAGIC); \
	MODULE_INFO(name, MODULE_NAME); MODULE_ORIGIN
#define module_exit(f) void cleanup_module(void); void cleanup_module(void) { f(); }
#else
#include <kernel/init.h>
#include <lib/format.h>

#define MODULE_INFO(tag, text) _Static_assert(1, "")
#define MODULE_SET_int(v, p) kstrtoint(v, 0, p)
#define MODULE_SET_uint(v, p) kstrtouint(v, 0, p)
#define MODULE_SET_bool(v, p) kstrtobool(v, p)
#define module_param(pname, ptype, pperm)							\
	static int __set_##pname(const char *v) { return v ? MODULE_SET_##ptype(v, &(pname)) : -22; } \
	KERNEL_PARAM(MODULE_NAME "." #pname, __set_##pname)
#define module_init(f) INITCALL(device, f)
#define module_exit(f) static void (*const __unique(__never_)) (void) __attribute__((unused)) = f
#endif

#define MODULE_LICENSE(text) MODULE_INFO(license, text)
#define MODULE_AUTHOR(text) MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text) MODULE_INFO(description, text)
/* What else it is found by: `modprobe TEXT`. */
#define MODULE_ALIAS(text) MODULE_INFO(alias, text)
#define MODULE_PARM_DESC(name, text) MODULE_INFO(parm, #name ":" text)
