/* SPDX-License-Identifier: MIT */
/* What the undefined-behaviour sanitizer calls and hands over (compiler-rt's ABI). */
#pragma once

#include <lib/types.h>

struct ubsan_location {
	const char *file;
	u32 line, column;
};
struct ubsan_type {
	u16 kind, info;
	char name[];
};
struct ubsan_place {
	struct ubsan_location location;
};
struct ubsan_shift {
	struct ubsan_location location;
	struct ubsan_type *lhs, *rhs;
};
struct ubsan_bounds {
	struct ubsan_location location;
	struct ubsan_type *array_type, *index_type;
};
struct ubsan_overflow {
	struct ubsan_location location;
	struct ubsan_type *type;
};
struct ubsan_value {
	struct ubsan_location location;
	struct ubsan_type *type;
};

void __ubsan_handle_shift_out_of_bounds(struct ubsan_shift *d, unsigned long l, unsigned long r);
void __ubsan_handle_out_of_bounds(struct ubsan_bounds *d, unsigned long index);
void __ubsan_handle_divrem_overflow(struct ubsan_overflow *d, unsigned long l, unsigned long r);
void __ubsan_handle_load_invalid_value(struct ubsan_value *d, unsigned long v);
void __ubsan_handle_builtin_unreachable(struct ubsan_place *d) __noreturn;
void __ubsan_handle_nonnull_arg(struct ubsan_place *d);
void __ubsan_handle_nonnull_return_v1(struct ubsan_place *d, struct ubsan_location *l);
