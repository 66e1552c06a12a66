// SPDX-License-Identifier: MIT
/*
 * Undefined behaviour, reported with file, line and values when the compiler's test of it fails (debug build). The structures
 * are those that clang and gcc emit; type_kind 0 is an integer, type_info has the bits' logarithm and the sign.
 */
#include <lib/types.h>

#ifdef CONFIG_UBSAN
#include <kernel/bug.h>
#include <kernel/ksyms.h>
#include <kernel/printk.h>
#include <kernel/ubsan_runtime.h>
#include <lib/format.h>

#define MAX_REPORTS 50
static unsigned int reports;

static bool begin(const struct ubsan_location *l, const char *what)
{
	/* Once for each place: the column is marked afterwards. */
	u32 column = __atomic_exchange_n(&((struct ubsan_location *)l)->column, ~0U, __ATOMIC_RELAXED);

	if (column == ~0U || reports++ >= MAX_REPORTS)
		return false;
	pr_err("================================================================================\n");
	pr_err("UBSAN: %s in %s:%u:%u\n", what, l->file, l->line, column);
	return true;
}

static void end(void)
{
	dump_stack();
	pr_err("================================================================================\n");
	damage_reported();
}

static bool is_signed(const struct ubsan_type *t) { return t->info & 1; }
static unsigned int width(const struct ubsan_type *t) { return 1U << (t->info >> 1); }

/* Values of up to 64 bits come inline. */
static void print_value(char *buf, size_t size, const struct ubsan_type *t, unsigned long v)
{
	unsigned int w = width(t);

	if (t->kind)
		snprintf(buf, size, "?");
	else if (w > 64)
		snprintf(buf, size, "0x%llx (low half)", *(u64 *)v);
	else if (is_signed(t))
		snprintf(buf, size, "%lld", (s64)(w == 64 ? v : (unsigned long)((s64)(v << (64 - w)) >> (64 - w))));
	else
		snprintf(buf, size, "%llu", (u64)v);
}

void __ubsan_handle_shift_out_of_bounds(struct ubsan_shift *d, unsigned long l, unsigned long r)
{
	char a[40], b[40];

	if (!begin(&d->location, "shift-out-of-bounds"))
		return;
	print_value(a, sizeof(a), d->lhs, l);
	print_value(b, sizeof(b), d->rhs, r);
	pr_err("%s shifted by %s, type %s is %u bits\n", a, b, d->lhs->name, width(d->lhs));
	end();
}

void __ubsan_handle_out_of_bounds(struct ubsan_bounds *d, unsigned long index)
{
	char a[40];

	if (!begin(&d->location, "array-index-out-of-bounds"))
		return;
	print_value(a, sizeof(a), d->index_type, index);
	pr_err("index %s is out of range for type %s\n", a, d->array_type->name);
	end();
}

void __ubsan_handle_divrem_overflow(struct ubsan_overflow *d, unsigned long l, unsigned long r)
{
	if (!begin(&d->location, "division by zero or overflow"))
		return;
	end();
}

void __ubsan_handle_load_invalid_value(struct ubsan_value *d, unsigned long v)
{
	char a[40];

	if (!begin(&d->location, "invalid-load"))
		return;
	print_value(a, sizeof(a), d->type, v);
	pr_err("load of value %s is not valid for type %s\n", a, d->type->name);
	end();
}

void __ubsan_handle_builtin_unreachable(struct ubsan_place *d)
{
	if (begin(&d->location, "reached what cannot be reached"))
		end();
	panic("UBSAN: no way on");
}

void __ubsan_handle_nonnull_arg(struct ubsan_place *d)
{
	if (begin(&d->location, "null passed where it may not be"))
		end();
}

void __ubsan_handle_nonnull_return_v1(struct ubsan_place *d, struct ubsan_location *l)
{
	if (begin(l, "null returned where it may not be"))
		end();
}
#endif
