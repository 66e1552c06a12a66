/* SPDX-License-Identifier: MIT */
/* C that only Rust calls: what a macro does, and where a Rust panic goes. Nothing in C depends on Rust. */
#pragma once

#include <lib/types.h>

/* A panic in Rust is an oops of the running task. The texts are not ended by NUL. */
void rust_panic_oops(const char *file, size_t file_len, u32 line, const char *text, size_t text_len) __noreturn;

/* printk of text that is not ended by NUL. LEVEL is 0 (emergency) to 7 (debug). */
void rust_print(int level, const char *text, size_t len);
