/* SPDX-License-Identifier: MIT */
/*
 * printf-style formatting. Conversions: d i u x X o c s p %, flags - 0 + # space, width, precision, and
 * the sizes hh h l ll z t. %p prints the address; %pV is not supported. All return the length the whole
 * output would have; at most SIZE - 1 bytes and a NUL are stored.
 */
#pragma once

#include <lib/types.h>

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
/* As above, but they return what was stored. */
int vscnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
