/* SPDX-License-Identifier: MIT */
/*
 * The compiler's atomic builtins that read, change and write, as one instruction of FEAT_LSE where the CPU has it and as a loop of
 * exclusives out of line where not: each has one site, patched at boot (<arch_cpu/alternative.h>). Included before everything else
 * (config/aarch64.mk), so that no file needs to know. Rust's go through lse.S.
 *
 * Sequentially consistent ones are full barriers by themselves (CONFIG_ATOMIC_FULL): an instruction that acquires and releases orders what
 * is before it against what is behind (Arm ARM, B2.3.7), the loop ends with a dmb. A comparison that fails writes nothing, so it gets a dmb.
 */
#pragma once

#if !defined(__ASSEMBLY__) && !defined(__CHECKER__) && defined(__KERNEL_OCHRE__)
#include <lib/types.h>
#include <arch_cpu/alternative.h>

#define A64_LSE ".arch_extension lse\n"

/* The address sanitizer does not see into assembly: it is told, where the file is looked into. */
#if defined(CONFIG_KASAN) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#define A64_SANITIZE(p, bytes) __asan_store##bytes##_noabort((unsigned long)(p))
void __asan_store1_noabort(unsigned long a);
void __asan_store2_noabort(unsigned long a);
void __asan_store4_noabort(unsigned long a);
void __asan_store8_noabort(unsigned long a);
#endif
#endif
#ifndef A64_SANITIZE
#define A64_SANITIZE(p, bytes) ((void)0)
#endif

/* OP: what the instruction is called. STEP: %[new] out of %[old] and %[v]. A, L: acquire, release. SZ: b, h or nothing. W: w or x. */
#define A64_RMW(T, op, step, sz, w, a, l, ldx, stx, full, ...)			\
	__asm__ volatile("1: b 3f\n"						\
		"2:\n"								\
		".subsection 1\n"						\
		"3: " ldx sz " %" w "[old], %[mem]\n"				\
		step								\
		stx sz " %w[fail], %" w "[new], %[mem]\n"			\
		"cbnz %w[fail], 3b\n"						\
		full								\
		"b 2b\n"							\
		".previous\n"							\
		ALTERNATIVE(ALT_LSE, A64_LSE op a l sz " %" w "[v], %" w "[old], %[mem]") \
		: [old] "=&r"(old), [new] "=&r"(new), [fail] "=&r"(fail), [mem] "+Q"(*(volatile T *)p) : [v] "r"(v) : __VA_ARGS__)

#define A64_CAS(T, sz, w, a, l, ldx, stx, full, ...)				\
	__asm__ volatile("1: b 3f\n"						\
		"2:\n"								\
		".subsection 1\n"						\
		"3: " ldx sz " %" w "[got], %[mem]\n"				\
		"eor %" w "[fail], %" w "[got], %" w "[old]\n"			\
		"cbnz %" w "[fail], 4f\n"					\
		stx sz " %w[fail], %" w "[v], %[mem]\n"				\
		"cbnz %w[fail], 3b\n"						\
		full								\
		"4: mov %" w "[old], %" w "[got]\n"				\
		"b 2b\n"							\
		".previous\n"							\
		ALTERNATIVE(ALT_LSE, A64_LSE "cas" a l sz " %" w "[old], %" w "[v], %[mem]") \
		: [old] "+&r"(old), [got] "=&r"(got), [fail] "=&r"(fail), [mem] "+Q"(*(volatile T *)p) : [v] "r"(v) : __VA_ARGS__)

#define A64_ORDERED(X, order, ...) do {						\
	if ((order) == __ATOMIC_RELAXED)					\
		X(__VA_ARGS__, "", "", "ldxr", "stxr", "");			\
	else if ((order) == __ATOMIC_ACQUIRE || (order) == __ATOMIC_CONSUME)	\
		X(__VA_ARGS__, "a", "", "ldaxr", "stxr", "", "memory");		\
	else if ((order) == __ATOMIC_RELEASE)					\
		X(__VA_ARGS__, "", "l", "ldxr", "stlxr", "", "memory");		\
	else if ((order) == __ATOMIC_ACQ_REL)					\
		X(__VA_ARGS__, "a", "l", "ldaxr", "stlxr", "", "memory");	\
	else									\
		X(__VA_ARGS__, "a", "l", "ldaxr", "stlxr", "dmb ish\n", "memory"); \
} while (0)

/* R: the type of its register, whose upper bits count where exclusives compare. */
#define A64_FETCH_OP(name, bytes, T, R, op, step, sz, w)			\
static __always_inline T a64_##name##_##bytes(volatile void *p, R v, const int order) \
{										\
	R old, new, fail;							\
										\
	A64_SANITIZE(p, bytes);							\
	A64_ORDERED(A64_RMW, order, T, op, step, sz, w);			\
	return (T)old;								\
}

#define A64_OPS(bytes, T, R, sz, w)						\
A64_FETCH_OP(add, bytes, T, R, "ldadd", "add %" w "[new], %" w "[old], %" w "[v]\n", sz, w) \
A64_FETCH_OP(set, bytes, T, R, "ldset", "orr %" w "[new], %" w "[old], %" w "[v]\n", sz, w) \
A64_FETCH_OP(clr, bytes, T, R, "ldclr", "bic %" w "[new], %" w "[old], %" w "[v]\n", sz, w) \
A64_FETCH_OP(eor, bytes, T, R, "ldeor", "eor %" w "[new], %" w "[old], %" w "[v]\n", sz, w) \
A64_FETCH_OP(swp, bytes, T, R, "swp", "mov %" w "[new], %" w "[v]\n", sz, w)	\
static __always_inline T a64_cas_##bytes(volatile void *p, T expected, R v, const int order) \
{										\
	R old = expected, got, fail;						\
										\
	A64_SANITIZE(p, bytes);							\
	A64_ORDERED(A64_CAS, order, T, sz, w);					\
	if (order == __ATOMIC_SEQ_CST && old != expected)			\
		__asm__ volatile("dmb ish" : : : "memory");			\
	return (T)old;								\
}

#ifndef __BINDGEN__
A64_OPS(1, u8, u32, "b", "w")
A64_OPS(2, u16, u32, "h", "w")
A64_OPS(4, u32, u32, "", "w")
A64_OPS(8, u64, u64, "", "x")
#endif

/* By size: four choices, of which one is compiled. What V is, integer or pointer, goes through a word. */
#define A64_WORD(v) ((unsigned long)(v))
#define A64_BY_SIZE(name, p, v, order) ((__typeof__(*(p)))A64_WORD(			\
	sizeof(*(p)) == 8 ? a64_##name##_8((p), A64_WORD(v), (order)) :		\
	sizeof(*(p)) == 4 ? a64_##name##_4((p), (u32)A64_WORD(v), (order)) :		\
	sizeof(*(p)) == 2 ? a64_##name##_2((p), (u32)A64_WORD(v), (order)) :		\
			    a64_##name##_1((p), (u32)A64_WORD(v), (order))))

#define __atomic_exchange_n(p, v, order) A64_BY_SIZE(swp, p, v, order)
#define __atomic_fetch_add(p, v, order) A64_BY_SIZE(add, p, v, order)
#define __atomic_fetch_sub(p, v, order) A64_BY_SIZE(add, p, -A64_WORD(v), order)
#define __atomic_fetch_or(p, v, order) A64_BY_SIZE(set, p, v, order)
#define __atomic_fetch_and(p, v, order) A64_BY_SIZE(clr, p, ~A64_WORD(v), order)
#define __atomic_fetch_xor(p, v, order) A64_BY_SIZE(eor, p, v, order)

#define A64_AFTER(fetch, op, p, v, order) ({					\
	const __typeof__(*(p)) __a64_v = (__typeof__(*(p)))(v);			\
	(__typeof__(*(p)))(fetch(p, __a64_v, order) op __a64_v); })
#define __atomic_add_fetch(p, v, order) A64_AFTER(__atomic_fetch_add, +, p, v, order)
#define __atomic_sub_fetch(p, v, order) A64_AFTER(__atomic_fetch_sub, -, p, v, order)
#define __atomic_or_fetch(p, v, order) A64_AFTER(__atomic_fetch_or, |, p, v, order)
#define __atomic_and_fetch(p, v, order) A64_AFTER(__atomic_fetch_and, &, p, v, order)
#define __atomic_xor_fetch(p, v, order) A64_AFTER(__atomic_fetch_xor, ^, p, v, order)

/* A failure's order is at most that of success. */
#define __atomic_compare_exchange_n(p, op, n, weak, order, forder) ({		\
	__typeof__(op) __a64_op = (op);						\
	__typeof__(*__a64_op) __a64_e = *__a64_op, __a64_g = (__typeof__(*__a64_op))A64_WORD( \
		sizeof(*(p)) == 8 ? a64_cas_8((p), A64_WORD(__a64_e), A64_WORD(n), (order)) : \
		sizeof(*(p)) == 4 ? a64_cas_4((p), (u32)A64_WORD(__a64_e), (u32)A64_WORD(n), (order)) : \
		sizeof(*(p)) == 2 ? a64_cas_2((p), (u16)A64_WORD(__a64_e), (u32)A64_WORD(n), (order)) : \
				    a64_cas_1((p), (u8)A64_WORD(__a64_e), (u32)A64_WORD(n), (order))); \
	bool __a64_same = __a64_g == __a64_e;					\
	if (!__a64_same)							\
		*__a64_op = __a64_g;						\
	__a64_same; })
#endif
