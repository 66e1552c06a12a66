/* SPDX-License-Identifier: MIT */
/* Compiler attributes and the marked memory accesses. Included before every C file by the build. */
#pragma once

#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __section(s) __attribute__((section(s)))
#define __used __attribute__((used))
#define __maybe_unused __attribute__((unused))
#define __always_unused __attribute__((unused))
#define __weak __attribute__((weak))
#define __noreturn __attribute__((noreturn))
#define noinline __attribute__((noinline))
/* For the unlikely call in a hot function: it changes no register, so that the function need not save any. */
#if defined(CONFIG_PRESERVE_MOST) && defined(__clang__)
#define __saves_registers __attribute__((preserve_most))
#else
#define __saves_registers
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define __must_check __attribute__((warn_unused_result))
#define __malloc __attribute__((malloc))
#define __pure __attribute__((pure))
#define __cold __attribute__((cold))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __no_sanitize_address __attribute__((no_sanitize("address", "kernel-address")))
#define fallthrough __attribute__((fallthrough))
#define __cleanup(fn) __attribute__((cleanup(fn)))

/*
 * What sparse reasons with (docs/static-analysis.md): memory that is reached through accessors alone, and what a function does
 * to the locks that its caller holds. The compilers see nothing of it.
 */
#ifdef __CHECKER__
#define __iomem __attribute__((noderef, address_space(__iomem)))
#define __rcu __attribute__((noderef, address_space(__rcu)))
#define __plain __attribute__((address_space(0)))
#define __force __attribute__((force))
#define __acquires(l) __attribute__((context(l, 0, 1)))
#define __releases(l) __attribute__((context(l, 1, 0)))
#define __must_hold(l) __attribute__((context(l, 1, 1)))
#define __acquire(l) __context__(l, 1)
#define __release(l) __context__(l, -1)
/* Calls that take the lock only where they return true, 0, a pointer. */
#define __acquires_if_true(l, call) ((call) ? ({ __acquire(l); 1; }) : 0)
#define __acquires_if_zero(l, call) ((call) ? -4 : ({ __acquire(l); 0; }))
#define __acquires_unless_null(l, call) ({ __typeof__(call) __got = (call); if (__got) __acquire(l); __got; })
#else
#define __iomem
#define __rcu
#define __force
#define __acquires(l)
#define __releases(l)
#define __must_hold(l)
#define __acquire(l) do { } while (0)
#define __release(l) do { } while (0)
#endif

/* Who owns memory, for clang's analyzer: what a function returns is to be freed; it frees, or keeps, its Nth argument. */
#ifdef __clang_analyzer__
#define __gives __attribute__((ownership_returns(malloc)))
#define __frees(n) __attribute__((ownership_takes(malloc, n)))
#else
#define __gives
#define __frees(n)
#endif
/* The size of what a function returns is its Nth argument, or two of them multiplied. */
#define __alloc_size(...) __attribute__((alloc_size(__VA_ARGS__)))

#ifndef __ASSEMBLY__
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier() __asm__ volatile("" ::: "memory")
#define unreachable() __builtin_unreachable()
#define OPTIMIZER_HIDE_VAR(v) __asm__("" : "=r"(v) : "0"(v))

/* One access, of exactly this width, that the compiler neither tears, repeats nor invents. */
#ifndef CONFIG_DEPENDENT_MB
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#else		/* alpha: what is read through a pointer may be older than the pointer, unless a barrier stands between */
#define READ_ONCE(x) ({								\
	__typeof__(x) __once = *(const volatile __typeof__(x) *)&(x);		\
	if (sizeof(x) == sizeof(void *))					\
		__atomic_thread_fence(__ATOMIC_ACQUIRE);			\
	__once; })
#endif
#define WRITE_ONCE(x, v) do { *(volatile __typeof__(x) *)&(x) = (v); } while (0)

/*
 * Behind a sequentially consistent read-modify-write: what is before it is ordered against what is behind. A locked instruction (x86) does so by
 * itself. Elsewhere it may be a load-acquire and a store-release, between which both may slip (tests/litmus/atomic-full*).
 */
#ifdef CONFIG_ATOMIC_FULL
#define __atomic_full() do { } while (0)
#else
#define __atomic_full() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#define __stringify_1(x) #x
#define __stringify(x) __stringify_1(x)
#define __concat_1(a, b) a##b
#define __concat(a, b) __concat_1(a, b)
#define __unique(p) __concat(p, __COUNTER__)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#ifdef __cppcheck__		/* which would take the type's null pointer for one that is followed */
#define container_of(p, type, member) ((type *)((char *)(p) - __builtin_offsetof(type, member)))
#else
#define container_of(p, type, member) ({					\
	const __typeof__(((type *)0)->member) *__mp = (p);			\
	(type *)((char *)(unsigned long)__mp - __builtin_offsetof(type, member)); })
#endif
#define sizeof_field(t, m) sizeof(((t *)0)->m)
#ifndef static_assert
#define static_assert _Static_assert
#endif
#endif

/* Code and data that are only needed until init runs; the memory is given back. */
#ifdef __KERNEL_OCHRE__
#define __init __section(".init.text") __cold
#define __initdata __section(".init.data")
#define __initconst __section(".init.rodata")
#define __ro_after_init __section(".data..ro_after_init")
#else
#define __init
#define __initdata
#define __initconst
#define __ro_after_init
#endif
#define __read_mostly __section(".data..read_mostly")
#define ____cacheline_aligned __aligned(64)
#define L1_CACHE_BYTES 64
