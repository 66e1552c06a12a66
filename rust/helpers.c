// SPDX-License-Identifier: MIT
/* C that only Rust calls: see <rust/helpers.h>. */
#include <lib/types.h>
#include <rust/helpers.h>

#include <kernel/bug.h>
#include <kernel/printk.h>

void rust_panic_oops(const char *file, size_t file_len, u32 line, const char *text, size_t text_len)
{
	pr_emerg("rust: panic at %.*s:%u: %.*s\n", (int)file_len, file, line, (int)text_len, text);
	BUG();
}

void rust_print(int level, const char *text, size_t len)
{
	printk("\001%c%.*s", '0' + (level & 7), (int)len, text);
}
