// SPDX-License-Identifier: MIT
/* printf-style formatting, on the output's own terms: a cursor that counts past the end of the buffer. */
#include <lib/format.h>
#include <lib/string.h>

struct out {
	char *buf;
	size_t size, pos;
};

struct spec {
	bool left, zero, alt, space, plus, upper, is_signed;
	int width, prec;	/* -1: not given */
	unsigned int base;
};

static inline void put(struct out *o, char c)
{
	if (o->pos < o->size)
		o->buf[o->pos] = c;
	o->pos++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_string(struct out *o, const char *s, const struct spec *sp)
{
	size_t n;

	if (!s)
		s = "(null)";
	n = sp->prec >= 0 ? strnlen(s, (size_t)sp->prec) : strlen(s);
	if (!sp->left)
		pad(o, ' ', sp->width - (int)n);
	for (size_t i = 0; i < n; i++)
		put(o, s[i]);
	if (sp->left)
		pad(o, ' ', sp->width - (int)n);
}

static void put_number(struct out *o, u64 v, bool negative, const struct spec *sp)
{
	const char *digits = sp->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char tmp[24], sign = negative ? '-' : sp->plus ? '+' : sp->space ? ' ' : 0;
	int n = 0, zeros, prefix = 0, total;

	if (v || sp->prec != 0) {
		do
			tmp[n++] = digits[v % sp->base];
		while (v /= sp->base);
	}
	if (sp->alt && sp->base == 16)
		prefix = 2;
	zeros = sp->prec > n ? sp->prec - n : 0;
	if (sp->alt && sp->base == 8 && !zeros && !(n && tmp[n - 1] == '0'))
		zeros = 1;
	total = n + zeros + prefix + (sign ? 1 : 0);
	if (sp->zero && !sp->left && sp->prec < 0 && sp->width > total) {
		zeros += sp->width - total;
		total = sp->width;
	}
	if (!sp->left)
		pad(o, ' ', sp->width - total);
	if (sign)
		put(o, sign);
	if (prefix) {
		put(o, '0');
		put(o, sp->upper ? 'X' : 'x');
	}
	pad(o, '0', zeros);
	while (n)
		put(o, tmp[--n]);
	if (sp->left)
		pad(o, ' ', sp->width - total);
}

static int take_int(const char **f)
{
	int v = 0;

	while (**f >= '0' && **f <= '9')
		v = v * 10 + (*(*f)++ - '0');
	return v;
}

static const char *take_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		switch (*f) {
		case '-': sp->left = true; break;
		case '0': sp->zero = true; break;
		case '#': sp->alt = true; break;
		case ' ': sp->space = true; break;
		case '+': sp->plus = true; break;
		default: return f;
		}
	}
}

enum size { SZ_INT, SZ_CHAR, SZ_SHORT, SZ_LONG };

static const char *take_size(const char *f, enum size *sz)
{
	*sz = SZ_INT;
	if (*f == 'h') {
		*sz = f[1] == 'h' ? SZ_CHAR : SZ_SHORT;
		f += *sz == SZ_CHAR ? 2 : 1;
	} else if (*f == 'l' || *f == 'z' || *f == 't' || *f == 'j') {
		*sz = SZ_LONG;
		f += f[0] == 'l' && f[1] == 'l' ? 2 : 1;
	}
	return f;
}

static void put_integer(struct out *o, u64 v, enum size sz, const struct spec *sp)
{
	s64 s;

	if (!sp->is_signed) {
		if (sz == SZ_INT)
			v = (u32)v;
		else if (sz == SZ_SHORT)
			v = (u16)v;
		else if (sz == SZ_CHAR)
			v = (u8)v;
		put_number(o, v, false, sp);
		return;
	}
	s = sz == SZ_LONG ? (s64)v : sz == SZ_INT ? (s32)v : sz == SZ_SHORT ? (s16)v : (s8)v;
	put_number(o, s < 0 ? 0 - (u64)s : (u64)s, s < 0, sp);
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { buf, size, 0 };

	for (const char *f = fmt; *f; f++) {
		struct spec sp = { .prec = -1, .base = 10 };
		enum size sz;
		char c;

		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		f = take_flags(f + 1, &sp);
		if (*f == '*') {
			sp.width = va_arg(ap, int);
			f++;
		} else {
			sp.width = take_int(&f);
		}
		if (sp.width < 0) {
			sp.left = true;
			sp.width = -sp.width;
		}
		if (*f == '.') {
			f++;
			if (*f == '*') {
				sp.prec = va_arg(ap, int);
				f++;
			} else {
				sp.prec = take_int(&f);
			}
		}
		f = take_size(f, &sz);
		switch (*f) {
		case 'c':
			c = (char)va_arg(ap, int);
			if (!sp.left)
				pad(&o, ' ', sp.width - 1);
			put(&o, c);
			if (sp.left)
				pad(&o, ' ', sp.width - 1);
			break;
		case 's':
			put_string(&o, va_arg(ap, const char *), &sp);
			break;
		case 'p':
			sp.base = 16;
			if (!sp.width)
				sp.prec = 16;
			put_number(&o, (unsigned long)va_arg(ap, void *), false, &sp);
			break;
		case 'd': case 'i':
			sp.is_signed = true;
			fallthrough;
		case 'u': case 'x': case 'X': case 'o':
			sp.upper = *f == 'X';
			sp.base = *f == 'x' || *f == 'X' ? 16 : *f == 'o' ? 8 : 10;
			put_integer(&o, sz == SZ_LONG ? va_arg(ap, unsigned long) : va_arg(ap, unsigned int), sz, &sp);
			break;
		case '%':
			put(&o, '%');
			break;
		case '\0':
			f--;	/* a lone % at the end */
			put(&o, '%');
			break;
		default:
			put(&o, '%');
			put(&o, *f);
		}
	}
	if (size)
		buf[o.pos < size ? o.pos : size - 1] = '\0';
	return (int)o.pos;
}

int vscnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(buf, size, fmt, ap);

	return (size_t)n < size ? n : size ? (int)size - 1 : 0;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vscnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
