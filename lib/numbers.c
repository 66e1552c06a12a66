// SPDX-License-Identifier: MIT
/* Numbers, sizes, yes and no in text: what is written to files of /proc and /sys and stands on the command line. */
#include <lib/string.h>
#include <lib/minmax.h>
#include <abi/errno.h>

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 99;
}

static const char *take_prefix(const char *s, unsigned int *base)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_of(s[2]) < 16;

	if (*base == 0)
		*base = hex ? 16 : s[0] == '0' ? 8 : 10;
	return *base == 16 && hex ? s + 2 : s;
}

/* Digits at S; the first that is not one. *OVER when they do not fit. */
static const char *take_digits(const char *s, unsigned int base, u64 *out, bool *over)
{
	u64 v = 0;

	*over = false;
	for (; digit_of(*s) < (int)base; s++)
		if (check_mul_overflow(v, (u64)base, &v) || check_add_overflow(v, (u64)digit_of(*s), &v))
			*over = true;
	*out = v;
	return s;
}

int kstrtoull(const char *s, unsigned int base, u64 *out)
{
	const char *e;
	bool over;
	u64 v;

	if (*s == '+')
		s++;
	s = take_prefix(s, &base);
	e = take_digits(s, base, &v, &over);
	if (e == s)
		return -EINVAL;
	if (*e == '\n')
		e++;
	if (*e)
		return -EINVAL;
	if (over)
		return -ERANGE;
	*out = v;
	return 0;
}

int kstrtoll(const char *s, unsigned int base, s64 *out)
{
	u64 v;
	int e;

	if (*s != '-') {
		e = kstrtoull(s, base, &v);
		if (!e && (s64)v < 0)
			return -ERANGE;
		if (!e)
			*out = (s64)v;
		return e;
	}
	if (s[1] == '+')
		return -EINVAL;
	e = kstrtoull(s + 1, base, &v);
	if (e)
		return e;
	if (v > (u64)S64_MAX + 1)
		return -ERANGE;
	*out = (s64)(0 - v);
	return 0;
}

int kstrtoul(const char *s, unsigned int base, unsigned long *out)
{
	u64 v;
	int e = kstrtoull(s, base, &v);

	if (!e)
		*out = v;
	return e;
}

int kstrtol(const char *s, unsigned int base, long *out)
{
	s64 v;
	int e = kstrtoll(s, base, &v);

	if (!e)
		*out = v;
	return e;
}

int kstrtouint(const char *s, unsigned int base, unsigned int *out)
{
	u64 v;
	int e = kstrtoull(s, base, &v);

	if (!e && v > U32_MAX)
		return -ERANGE;
	if (!e)
		*out = (unsigned int)v;
	return e;
}

int kstrtoint(const char *s, unsigned int base, int *out)
{
	s64 v;
	int e = kstrtoll(s, base, &v);

	if (!e && (v > S32_MAX || v < S32_MIN))
		return -ERANGE;
	if (!e)
		*out = (int)v;
	return e;
}

int kstrtobool(const char *s, bool *out)
{
	switch (s[0]) {
	case 'y': case 'Y': case 't': case 'T': case '1':
		*out = true;
		return 0;
	case 'n': case 'N': case 'f': case 'F': case '0':
		*out = false;
		return 0;
	case 'o': case 'O':
		if (s[1] == 'n' || s[1] == 'N' || s[1] == 'f' || s[1] == 'F') {
			*out = s[1] == 'n' || s[1] == 'N';
			return 0;
		}
	}
	return -EINVAL;
}

u64 simple_strtoull(const char *s, char **end, unsigned int base)
{
	bool over;
	u64 v;

	s = take_prefix(s, &base);
	s = take_digits(s, base, &v, &over);
	if (end)
		*end = (char *)s;
	return over ? U64_MAX : v;
}

long simple_strtol(const char *s, char **end, unsigned int base)
{
	if (*s == '-')
		return (long)(0 - simple_strtoull(s + 1, end, base));
	return (long)simple_strtoull(s, end, base);
}

u64 memparse(const char *s, char **end)
{
	char *e;
	u64 v = simple_strtoull(s, &e, 0);

	switch (*e) {
	case 'T': case 't':
		v <<= 10;
		fallthrough;
	case 'G': case 'g':
		v <<= 10;
		fallthrough;
	case 'M': case 'm':
		v <<= 10;
		fallthrough;
	case 'K': case 'k':
		v <<= 10;
		e++;
	}
	if (end)
		*end = e;
	return v;
}
