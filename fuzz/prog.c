// SPDX-License-Identifier: MIT
/* Programs: text to tree and back, and changes that keep references right. */
#include "prog.h"
#include "desc.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH	8

void *must_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p) {
		fputs("fuzz: out of memory\n", stderr);
		exit(2);
	}
	return p;
}

const struct call_desc *desc_find(const char *name, uint32_t len)
{
	uint32_t lo = 0, hi = ncall_descs;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		int d = strncmp(call_descs[mid].name, name, len);

		if (!d && call_descs[mid].name[len])
			d = 1;
		if (!d)
			return &call_descs[mid];
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct val val_int(uint64_t n, uint8_t size)
{
	return (struct val){ .kind = VAL_INT, .num = n, .size = size };
}

void val_free(struct val *v)
{
	for (uint32_t i = 0; v->kind == VAL_PTR && i < v->len; i++)
		val_free(&v->piece[i]);
	free(v->piece);
	free(v->bytes);
	*v = val_int(0, 8);
}

void val_copy(struct val *to, const struct val *from)
{
	*to = *from;
	if (from->kind == VAL_BYTES) {
		to->bytes = must_alloc(from->len);
		memcpy(to->bytes, from->bytes, from->len);
	} else if (from->kind == VAL_PTR) {
		to->piece = must_alloc(from->len * sizeof(*to->piece));
		for (uint32_t i = 0; i < from->len; i++)
			val_copy(&to->piece[i], &from->piece[i]);
	}
}

size_t val_size(const struct val *v)
{
	switch (v->kind) {
	case VAL_BYTES:
		return v->len;
	case VAL_FILL:
	case VAL_OUT:
		return v->num;
	default:
		return v->size;
	}
}

size_t val_memory(const struct val *ptr)
{
	size_t n = 0;

	for (uint32_t i = 0; ptr->kind == VAL_PTR && i < ptr->len; i++)
		n += val_size(&ptr->piece[i]);
	return n;
}

void val_each(struct val *v, void (*fn)(struct val *v, void *arg), void *arg)
{
	fn(v, arg);
	for (uint32_t i = 0; v->kind == VAL_PTR && i < v->len; i++)
		val_each(&v->piece[i], fn, arg);
}

static void call_free(struct call *c)
{
	for (int i = 0; i < c->nargs; i++)
		val_free(&c->arg[i]);
}

void prog_free(struct prog *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		call_free(&p->call[i]);
	free(p->call);
	*p = (struct prog){ 0 };
}

static void grow(struct prog *p, uint32_t more)
{
	struct call *c;

	if (p->n + more <= p->room)
		return;
	p->room = (p->n + more) * 2;
	c = must_alloc(p->room * sizeof(*c));
	if (p->n)
		memcpy(c, p->call, p->n * sizeof(*c));
	free(p->call);
	p->call = c;
}

struct shift { uint32_t at; int64_t by; };	/* by < 0: [at, at - by) is gone */

static void shift_ref(struct val *v, void *arg)
{
	const struct shift *s = arg;

	if ((v->kind != VAL_REF && v->kind != VAL_REFMEM) || v->call < s->at)
		return;
	if (s->by < 0 && v->call < s->at - s->by)
		*v = val_int(UINT64_MAX, v->size);
	else
		v->call = (uint32_t)(v->call + s->by);
}

static void shift_refs(struct prog *p, uint32_t from, struct shift s)
{
	for (uint32_t i = from; i < p->n; i++)
		for (int a = 0; a < p->call[i].nargs; a++)
			val_each(&p->call[i].arg[a], shift_ref, &s);
}

struct call *prog_insert(struct prog *p, uint32_t at)
{
	grow(p, 1);
	shift_refs(p, at, (struct shift){ at, 1 });
	memmove(&p->call[at + 1], &p->call[at], (p->n - at) * sizeof(*p->call));
	p->n++;
	p->call[at] = (struct call){ 0 };
	return &p->call[at];
}

void prog_remove(struct prog *p, uint32_t at, uint32_t n)
{
	for (uint32_t i = at; i < at + n; i++)
		call_free(&p->call[i]);
	memmove(&p->call[at], &p->call[at + n], (p->n - at - n) * sizeof(*p->call));
	p->n -= n;
	shift_refs(p, at, (struct shift){ at, -(int64_t)n });
}

void prog_append(struct prog *to, const struct prog *from)
{
	uint32_t old = to->n;

	grow(to, from->n);
	for (uint32_t i = 0; i < from->n; i++) {
		struct call *c = &to->call[old + i];

		*c = from->call[i];
		for (int a = 0; a < c->nargs; a++)
			val_copy(&c->arg[a], &from->call[i].arg[a]);
	}
	to->n += from->n;
	shift_refs(to, old, (struct shift){ 0, old });
}

void prog_copy(struct prog *to, const struct prog *from)
{
	*to = (struct prog){ .root = from->root };
	prog_append(to, from);
}

struct fix { uint32_t call; size_t left; bool wrong; };

static void fix_val(struct val *v, void *arg)
{
	struct fix *f = arg;
	size_t size = v->kind == VAL_PTR ? 0 : val_size(v);

	if ((v->kind == VAL_REF || v->kind == VAL_REFMEM) && v->call >= f->call) {
		*v = val_int(UINT64_MAX, v->size);
		f->wrong = true;
	}
	if (size > f->left) {
		val_free(v);
		f->wrong = true;
		size = 0;
	}
	f->left -= size;
}

bool prog_fix(struct prog *p)
{
	struct fix f = { .left = PROG_MEMORY };

	if (p->n > PROG_CALLS) {
		prog_remove(p, PROG_CALLS, p->n - PROG_CALLS);
		f.wrong = true;
	}
	for (uint32_t i = 0; i < p->n; i++) {
		f.call = i;
		for (int a = 0; a < p->call[i].nargs; a++)
			val_each(&p->call[i].arg[a], fix_val, &f);
	}
	return f.wrong;
}

/* ---- text to tree ---- */

struct scan {
	const char *at, *end;
	char *err;
	unsigned int line;
	uint32_t *name, nname, calls;	/* name[k]: which call `rK` is */
};

static bool wrong(struct scan *s, const char *what)
{
	if (s->err && !s->err[0])
		snprintf(s->err, 120, "line %u: %s", s->line, what);
	return false;
}

static void blanks(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
		s->at++;
}

static bool eat(struct scan *s, char c)
{
	blanks(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 99;
}

static bool number(struct scan *s, uint64_t *n)
{
	bool minus = s->at < s->end && *s->at == '-';
	const char *start;
	int base = 10;

	s->at += minus;
	if (s->end - s->at > 2 && s->at[0] == '0' && s->at[1] == 'x') {
		base = 16;
		s->at += 2;
	}
	start = s->at;
	for (*n = 0; s->at < s->end && digit(*s->at) < base; s->at++)
		*n = *n * (uint64_t)base + (uint64_t)digit(*s->at);
	if (minus)
		*n = -*n;
	return s->at > start || wrong(s, "a number is missing");
}

static bool bytes(struct scan *s, struct val *v)
{
	const char *p = s->at;
	uint32_t n = 0;

	v->kind = VAL_BYTES;
	for (; p < s->end && *p != '"' && *p != '\n'; p++, n++)
		if (*p == '\\') {
			if (s->end - p < 3 || digit(p[1]) > 15 || digit(p[2]) > 15)
				return wrong(s, "\\ is followed by two hexadecimal digits");
			p += 2;
		}
	if (p >= s->end || *p != '"')
		return wrong(s, "a string without its end");
	v->bytes = must_alloc(n);
	for (p = s->at; *p != '"'; p++)
		if (*p == '\\') {
			v->bytes[v->len++] = (uint8_t)(digit(p[1]) << 4 | digit(p[2]));
			p += 2;
		} else {
			v->bytes[v->len++] = (uint8_t)*p;
		}
	s->at = p + 1;
	return true;
}

static bool reference(struct scan *s, struct val *v)
{
	uint64_t n, off;

	if (!number(s, &n))
		return false;
	v->kind = VAL_REF;
	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!number(s, &off))
			return false;
		if (off > PROG_MEMORY)
			return wrong(s, "an offset outside of all memory");
		v->kind = VAL_REFMEM;
		v->off = (uint32_t)off;
	}
	if (n >= s->nname || s->name[n] == UINT32_MAX)
		*v = val_int(UINT64_MAX, 8);	/* its call is gone */
	else
		v->call = s->name[n];
	return true;
}

static bool value(struct scan *s, struct val *v, int depth);

static bool pointer(struct scan *s, struct val *v, int depth)
{
	uint32_t room = 0;

	v->kind = VAL_PTR;
	if (!depth)
		return wrong(s, "pointers too deep");
	if (!eat(s, '('))
		return wrong(s, "& without (");
	if (eat(s, ')'))
		return true;
	do {
		if (v->len == room) {
			struct val *more;

			room = room ? room * 2 : 4;
			more = must_alloc(room * sizeof(*more));
			if (v->len)
				memcpy(more, v->piece, v->len * sizeof(*more));
			free(v->piece);
			v->piece = more;
		}
		if (!value(s, &v->piece[v->len++], depth - 1))
			return false;
	} while (eat(s, ','));
	return eat(s, ')') || wrong(s, "& ( without )");
}

/* V is all zeroes. What was allocated when it fails hangs on V, for val_free. */
static bool value(struct scan *s, struct val *v, int depth)
{
	bool memory = depth < DEPTH;
	uint64_t n;

	*v = val_int(0, 8);
	blanks(s);
	if (s->at == s->end)
		return wrong(s, "a value is missing");
	if (eat(s, '&'))
		return pointer(s, v, depth);
	if (s->end - s->at >= 8 && !memcmp(s->at, "$handler", 8)) {
		s->at += 8;
		v->kind = VAL_HANDLER;
	} else if (*s->at == 'r') {
		s->at++;
		if (!reference(s, v))
			return false;
	} else if (memory && *s->at == '"') {
		s->at++;
		return bytes(s, v);
	} else if (memory && *s->at == '_') {
		s->at++;
		v->kind = VAL_OUT;
		if (!number(s, &v->num))
			return false;
		return v->num <= PROG_MEMORY || wrong(s, "more memory than a program may have");
	} else {
		if (!number(s, &v->num))
			return false;
		if (memory && s->at < s->end && *s->at == '*') {
			s->at++;
			v->kind = VAL_FILL;
			v->fill = (uint8_t)v->num;
			if (!number(s, &v->num))
				return false;
			return v->num <= PROG_MEMORY || wrong(s, "more memory than a program may have");
		}
	}
	if (memory && s->at < s->end && *s->at == ':') {
		s->at++;
		if (!number(s, &n))
			return false;
		if (n != 1 && n != 2 && n != 4 && n != 8)
			return wrong(s, "a size is 1, 2, 4 or 8");
		v->size = (uint8_t)n;
	}
	return true;
}

static bool call_line(struct scan *s, struct prog *p)
{
	uint64_t name = UINT64_MAX, n;
	const char *word;
	struct call *c;

	grow(p, 1);
	c = &p->call[p->n];
	*c = (struct call){ 0 };
	c->nowait = eat(s, '~');
	blanks(s);
	if (s->end - s->at > 2 && s->at[0] == 't' && digit(s->at[1]) < PROG_THREADS && s->at[2] == ' ') {
		c->thread = (uint8_t)digit(s->at[1]);
		s->at += 2;
		blanks(s);
	}
	if (s->end - s->at > 1 && s->at[0] == 'r' && digit(s->at[1]) < 10) {
		s->at++;
		if (!number(s, &name))
			return false;
		if (name >= s->nname)
			return wrong(s, "a result's number is too large");
		if (!eat(s, '='))
			return wrong(s, "a result without =");
		blanks(s);
	}
	for (word = s->at; s->at < s->end && ((*s->at >= 'a' && *s->at <= 'z') || *s->at == '_' || *s->at == '$' || (*s->at >= '0' && *s->at <= '9'));)
		s->at++;
	c->desc = desc_find(word, (uint32_t)(s->at - word));
	if (!c->desc)
		return wrong(s, "no such call");
	p->n++;			/* from here on prog_free finds what hangs on it */
	if (!eat(s, '('))
		return wrong(s, "a call without (");
	if (!eat(s, ')')) {
		do {
			if (c->nargs == 6)
				return wrong(s, "more than six arguments");
			if (!value(s, &c->arg[c->nargs++], DEPTH))
				return false;
		} while (eat(s, ','));
		if (!eat(s, ')'))
			return wrong(s, "a call without )");
	}
	blanks(s);
	if (s->end - s->at > 5 && !memcmp(s->at, "fail=", 5)) {
		s->at += 5;
		if (!number(s, &n))
			return false;
		if (n > UINT16_MAX)
			return wrong(s, "fail= is too large");
		c->fail = (uint16_t)n;
	}
	blanks(s);
	if (s->at < s->end && *s->at == '#')
		while (s->at < s->end && *s->at != '\n')
			s->at++;
	if (s->at < s->end && *s->at != '\n')
		return wrong(s, "more on the line than a call");
	if (name != UINT64_MAX)
		s->name[name] = p->n - 1;
	return true;
}

bool prog_parse(struct prog *p, const char *text, size_t len, char *err)
{
	struct scan s = { .at = text, .end = text + len, .err = err, .nname = 4 * PROG_CALLS };
	bool ok = true;

	if (err)
		err[0] = 0;
	*p = (struct prog){ 0 };
	s.name = must_alloc(s.nname * sizeof(*s.name));
	memset(s.name, 0xff, s.nname * sizeof(*s.name));
	while (ok && s.at < s.end) {
		s.line++;
		blanks(&s);
		if (s.at == s.end)
			break;
		if (*s.at == '#') {
			while (s.at < s.end && *s.at != '\n')
				s.at++;
		} else if (*s.at == '@') {
			p->root = s.end - s.at >= 5 && !memcmp(s.at, "@root", 5);
			if (!p->root && (s.end - s.at < 5 || memcmp(s.at, "@user", 5)))
				ok = wrong(&s, "@user or @root");
			s.at += ok ? 5 : 0;
		} else if (*s.at != '\n') {
			ok = p->n < PROG_CALLS ? call_line(&s, p) : wrong(&s, "too many calls");
		}
		if (ok && s.at < s.end && *s.at++ != '\n')
			ok = wrong(&s, "more on the line");
	}
	free(s.name);
	if (ok)
		prog_fix(p);
	else
		prog_free(p);
	return ok;
}

/* ---- tree to text ---- */

struct out {
	char *at, *end;
	bool full;
};

static void put(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct out *o, const char *fmt, ...)
{
	size_t left = (size_t)(o->end - o->at);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->at, left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= left)
		o->full = true;
	else
		o->at += n;
}

static void put_number(struct out *o, uint64_t n)
{
	if (n < 10 || (n < 4096 && n % 10 == 0))
		put(o, "%" PRIu64, n);
	else if (-n < 4096)
		put(o, "-%" PRIu64, -n);
	else
		put(o, "0x%" PRIx64, n);
}

static void put_value(struct out *o, const struct val *v, bool memory)
{
	switch (v->kind) {
	case VAL_INT:
		put_number(o, v->num);
		break;
	case VAL_REF:
		put(o, "r%u", v->call);
		break;
	case VAL_REFMEM:
		put(o, "r%u.%u", v->call, v->off);
		break;
	case VAL_HANDLER:
		put(o, "$handler");
		break;
	case VAL_PTR:
		put(o, "&(");
		for (uint32_t i = 0; i < v->len && !o->full; i++) {
			if (i)
				put(o, ", ");
			put_value(o, &v->piece[i], true);
		}
		put(o, ")");
		return;
	case VAL_BYTES:
		put(o, "\"");
		for (uint32_t i = 0; i < v->len && !o->full; i++)
			if (v->bytes[i] >= ' ' && v->bytes[i] < 127 && v->bytes[i] != '"' && v->bytes[i] != '\\')
				put(o, "%c", v->bytes[i]);
			else
				put(o, "\\%02x", v->bytes[i]);
		put(o, "\"");
		return;
	case VAL_FILL:
		put(o, "%u*%" PRIu64, v->fill, v->num);
		return;
	case VAL_OUT:
		put(o, "_%" PRIu64, v->num);
		return;
	}
	if (memory && v->size != 8)
		put(o, ":%u", v->size);
}

static void mark_ref(struct val *v, void *arg)
{
	if (v->kind == VAL_REF || v->kind == VAL_REFMEM)
		((bool *)arg)[v->call] = true;
}

size_t prog_print(const struct prog *p, char *text, size_t room)
{
	struct out o = { text, text + room, false };
	bool *named = must_alloc(p->n + 1);

	for (uint32_t i = 0; i < p->n; i++)
		for (int a = 0; a < p->call[i].nargs; a++)
			val_each(&p->call[i].arg[a], mark_ref, named);
	put(&o, "@%s\n", p->root ? "root" : "user");
	for (uint32_t i = 0; i < p->n && !o.full; i++) {
		const struct call *c = &p->call[i];

		if (c->nowait)
			put(&o, "~ ");
		if (c->thread)
			put(&o, "t%u ", c->thread);
		if (named[i])
			put(&o, "r%u = ", i);
		put(&o, "%s(", c->desc->name);
		for (int a = 0; a < c->nargs; a++) {
			if (a)
				put(&o, ", ");
			put_value(&o, &c->arg[a], false);
		}
		put(&o, ")");
		if (c->fail)
			put(&o, " fail=%u", c->fail);
		put(&o, "\n");
	}
	free(named);
	return o.full ? 0 : (size_t)(o.at - text);
}
