/* SPDX-License-Identifier: MIT */
/* Memory and strings. On the host this is the C library's. */
#pragma once

#include <lib/types.h>

#ifndef __KERNEL_OCHRE__
#include <string.h>
#include <strings.h>
#else
void *memcpy(void *d, const void *s, size_t n);
void *memmove(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strchrnul(const char *s, int c);
char *strstr(const char *s, const char *f);
size_t strspn(const char *s, const char *accept);
size_t strcspn(const char *s, const char *reject);
char *strpbrk(const char *s, const char *accept);
char *strsep(char **s, const char *delim);
#define memcpy(d, s, n) __builtin_memcpy(d, s, n)
#define memset(d, c, n) __builtin_memset(d, c, n)
#define memmove(d, s, n) __builtin_memmove(d, s, n)
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)
#define strlen(s) __builtin_strlen(s)
#endif

/* Copies at most SIZE - 1 bytes and always ends with NUL. The length copied, or -E2BIG if cut. */
ssize_t strscpy(char *d, const char *s, size_t size);
/* Clears memory that held a secret; never optimised away. */
void memzero_explicit(void *p, size_t n);
/* How many of the N words from P on are 0 before the first that is not. Others may write to them meanwhile. */
size_t leading_zero_words(const u64 *p, size_t n);
/* First byte in [p, p + n) that is not C, or NULL. */
void *memchr_inv(const void *p, int c, size_t n);
char *skip_spaces(const char *s);
/* Cuts white space off both ends, in place. */
char *strim(char *s);
bool str_has_prefix(const char *s, const char *prefix);
/* True when the strings are equal but for one trailing newline. */
bool sysfs_streq(const char *a, const char *b);

/* Whole-string conversions (one trailing newline allowed). BASE 0 takes 0x and 0 prefixes. -EINVAL, -ERANGE. */
int kstrtoull(const char *s, unsigned int base, u64 *out);
int kstrtoll(const char *s, unsigned int base, s64 *out);
int kstrtoul(const char *s, unsigned int base, unsigned long *out);
int kstrtol(const char *s, unsigned int base, long *out);
int kstrtouint(const char *s, unsigned int base, unsigned int *out);
int kstrtoint(const char *s, unsigned int base, int *out);
int kstrtobool(const char *s, bool *out);
/* Prefix conversion; *END is the first byte not used. */
u64 simple_strtoull(const char *s, char **end, unsigned int base);
long simple_strtol(const char *s, char **end, unsigned int base);
/* A size with an optional K, M, G, T suffix. */
u64 memparse(const char *s, char **end);
