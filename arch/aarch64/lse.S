/* SPDX-License-Identifier: MIT */
/*
 * The atomic operations that Rust's compiler calls by name (its outline-atomics): as in <arch_cpu/atomic.h>, a branch to exclusives is
 * patched to one instruction of FEAT_LSE. The sizes are in bytes.
 */
#include <arch_cpu/alternative.h>

	.arch_extension lse
	.text

/* At 1: the loop's branch; INSN is what replaces it. */
.macro ALT insn:vararg
	.pushsection .alternatives, "a"
	.balign 4
	.long 1b - ., ALT_LSE
	\insn
	.popsection
.endm

/* x0 or w0: value, x1: where; what was there is the result. */
.macro FETCH name, step, insn, sz, r, order, a, l
	.globl __aarch64_\name\sz\order
__aarch64_\name\sz\order:
1:	b 3f
	ret
	.if \sz == 1
3:	ld\a\()xrb w16, [x1]
	.elseif \sz == 2
3:	ld\a\()xrh w16, [x1]
	.else
3:	ld\a\()xr \r\()16, [x1]
	.endif
	.ifc \step, mov
	mov \r\()17, \r\()0
	.else
	\step \r\()17, \r\()16, \r\()0
	.endif
	.if \sz == 1
	st\l\()xrb w15, w17, [x1]
	.elseif \sz == 2
	st\l\()xrh w15, w17, [x1]
	.else
	st\l\()xr w15, \r\()17, [x1]
	.endif
	cbnz w15, 3b
	mov \r\()0, \r\()16
	ret
	.if \sz == 1
	ALT \insn\a\l\()b w0, w0, [x1]
	.elseif \sz == 2
	ALT \insn\a\l\()h w0, w0, [x1]
	.else
	ALT \insn\a\l \r\()0, \r\()0, [x1]
	.endif
.endm

/* x0 or w0: what is expected, x1 or w1: new value, x2: where. */
.macro CAS sz, r, order, a, l
	.globl __aarch64_cas\sz\order
__aarch64_cas\sz\order:
1:	b 3f
	ret
	.if \sz == 1
	ALT cas\a\l\()b w0, w1, [x2]
3:	uxtb w0, w0
4:	ld\a\()xrb w16, [x2]
	.elseif \sz == 2
	ALT cas\a\l\()h w0, w1, [x2]
3:	uxth w0, w0
4:	ld\a\()xrh w16, [x2]
	.else
	ALT cas\a\l \r\()0, \r\()1, [x2]
3:
4:	ld\a\()xr \r\()16, [x2]
	.endif
	cmp \r\()16, \r\()0
	b.ne 5f
	.if \sz == 1
	st\l\()xrb w15, w1, [x2]
	.elseif \sz == 2
	st\l\()xrh w15, w1, [x2]
	.else
	st\l\()xr w15, \r\()1, [x2]
	.endif
	cbnz w15, 4b
5:	mov \r\()0, \r\()16
	ret
.endm

.macro ORDERS sz, r, order, a, l
	CAS \sz, \r, \order, \a, \l
	FETCH swp, mov, swp, \sz, \r, \order, \a, \l
	FETCH ldadd, add, ldadd, \sz, \r, \order, \a, \l
	FETCH ldset, orr, ldset, \sz, \r, \order, \a, \l
	FETCH ldclr, bic, ldclr, \sz, \r, \order, \a, \l
	FETCH ldeor, eor, ldeor, \sz, \r, \order, \a, \l
.endm

.macro SIZE sz, r
	ORDERS \sz, \r, _relax
	ORDERS \sz, \r, _acq, a
	ORDERS \sz, \r, _rel, , l
	ORDERS \sz, \r, _acq_rel, a, l
.endm

	SIZE 1, w
	SIZE 2, w
	SIZE 4, w
	SIZE 8, x

	.section .note.GNU-stack, "", @progbits
