/* SPDX-License-Identifier: MIT */
/* For spatch, which reads no headers: our macros that are no expressions or stand where it expects none. */
#define __init
#define __initdata
#define __initconst
#define __ro_after_init
#define __read_mostly
#define __must_check
#define __always_inline inline
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#define __iomem
#define __rcu
#define __force
#define noinline
#define __cold
#define __maybe_unused
#define __noreturn
#define __packed
#define KTEST(name) void ktest_##name(void)
#define KERNEL_PARAM(...)
#define list_for_each_entry(...) for (;;)
#define list_for_each_entry_safe(...) for (;;)
#define list_for_each_entry_rcu(...) for (;;)
#define hlist_for_each_entry(...) for (;;)
#define hlist_for_each_entry_safe(...) for (;;)
#define xa_for_each(...) for (;;)
#define for_each_vma(...) for (;;)
#define for_each_cpu(...) for (;;)
#define for_each_possible_cpu(...) for (;;)
#define for_each_online_cpu(...) for (;;)
#define fallthrough
