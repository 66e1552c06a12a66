// SPDX-License-Identifier: MIT
/*
 * Programs are made of their descriptions: each call takes what earlier calls gave where that is of the right kind, or one is put before
 * it that gives it. A mutation changes a little: a call more or less, an argument made anew, a number, some bytes, who runs a call.
 */
#include "mutate.h"
#include "desc.h"
#include <stdlib.h>
#include <string.h>

static uint64_t state[2] = { 1, 2 };

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void rng_seed(uint64_t seed)
{
	state[0] = splitmix(&seed);
	state[1] = splitmix(&seed) | 1;
}

/* xoroshiro128+ */
uint64_t rng(void)
{
	uint64_t a = state[0], b = state[1], r = a + b;

	b ^= a;
	state[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
	state[1] = b << 37 | b >> 27;
	return r;
}

uint64_t rng_below(uint64_t n)
{
	return (uint64_t)((unsigned __int128)rng() * n >> 64);
}

static bool one_in(uint64_t n)
{
	return !rng_below(n);
}

#define HINTS	1024
static uint64_t hint[HINTS];
static unsigned int nhints;

void mutate_hint(uint64_t n)
{
	hint[nhints++ % HINTS] = n;
}

static uint64_t some_number(void)
{
	switch (rng_below(8)) {
	case 0:
		return rng();
	case 1:
		return rng_below(256);
	case 2:
		return 1ull << rng_below(64);
	case 3:
		return (1ull << rng_below(64)) - 1;
	case 4:
		return -rng_below(4096);
	case 5:
		if (nhints)
			return hint[rng_below(nhints < HINTS ? nhints : HINTS)];
		/* fall through */
	default:
		return rng_below(8);
	}
}

static uint64_t of_set(const struct set *s)
{
	return s->value[rng_below(s->n)];
}

static const struct aim *aim;

void mutate_aim(const struct aim *aims)
{
	aim = aims;
}

/* The aim that has values for KIND, half of the times that it is asked for. */
static const struct aim *aim_of(const char *kind, bool text)
{
	for (const struct aim *a = aim; a && a->kind; a++)
		if (!!a->text == text && !strcmp(a->kind, kind))
			return one_in(2) ? a : NULL;
	return NULL;
}

static bool is_a(unsigned int res, unsigned int wanted)
{
	while (res && res != wanted)
		res = res_parent[res];
	return res == wanted;
}

/* Where a value is being made: the program, the call, and how many calls may still be put before it. */
struct making {
	struct prog *p;
	uint32_t at;
	unsigned int depth;
};

static struct call *make_call(struct prog *p, uint32_t *at, const struct call_desc *d, unsigned int depth);

static const char *prefer;

void mutate_prefer(const char *word)
{
	prefer = word;
}

static const struct call_desc *preferred(void)
{
	const struct call_desc *r = NULL;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ncall_descs; i++)
		if (call_descs[i].weight && strstr(call_descs[i].name, prefer)) {
			sum += call_descs[i].weight;
			if (rng_below(sum) < call_descs[i].weight)
				r = &call_descs[i];
		}
	return r;
}

static const struct call_desc *any_call(void)
{
	const struct call_desc *d = prefer && one_in(2) ? preferred() : NULL;
	static uint64_t sum;
	uint64_t pick;

	if (d)
		return d;
	if (!sum)
		for (uint32_t i = 0; i < ncall_descs; i++)
			sum += call_descs[i].weight;
	pick = rng_below(sum);
	for (uint32_t i = 0;; i++) {
		if (pick < call_descs[i].weight)
			return &call_descs[i];
		pick -= call_descs[i].weight;
	}
}

static bool gives(const struct call_desc *d, unsigned int res, int *out)
{
	*out = -1;
	if (d->gives && is_a(d->gives, res))
		return true;
	for (int i = 0; i < d->nout; i++)
		if (is_a(d->out[i].res, res)) {
			*out = d->nout == 2 ? (int)rng_below(2) : i;
			return true;
		}
	return false;
}

/* A call that gives RES, chosen by weight; NULL where there is none. */
static const struct call_desc *giver(unsigned int res)
{
	const struct call_desc *r = NULL;
	uint64_t sum = 0;
	int out;

	for (uint32_t i = 0; i < ncall_descs; i++)
		if (call_descs[i].weight && gives(&call_descs[i], res, &out)) {
			sum += call_descs[i].weight;
			if (rng_below(sum) < call_descs[i].weight)
				r = &call_descs[i];
		}
	return r;
}

static struct val resource(const struct type *t, struct making *m)
{
	const struct call_desc *d;
	struct val v = { .kind = VAL_REF, .size = t->size };
	const struct aim *a = NULL;
	uint32_t seen = 0;
	int out;

	for (unsigned int r = t->res; r && !a; r = res_parent[r])
		a = aim_of(res_names[r], false);
	if (a)
		return val_int(a->number[rng_below(a->n)], t->size);
	if (one_in(12) && res_special[t->res])
		return val_int(of_set(res_special[t->res]), t->size);
	for (uint32_t i = 0; i < m->at; i++)		/* one of those there are, any with the same chance */
		if (gives(m->p->call[i].desc, t->res, &out) && one_in(++seen)) {
			v.kind = out < 0 ? VAL_REF : VAL_REFMEM;
			v.off = out < 0 ? 0 : m->p->call[i].desc->out[out].off;
			v.call = i;
		}
	if (seen && !one_in(6))
		return v;
	d = m->depth && m->p->n < PROG_CALLS ? giver(t->res) : NULL;
	if (d) {
		struct call *c = make_call(m->p, &m->at, d, m->depth - 1);

		gives(d, t->res, &out);
		v.kind = out < 0 ? VAL_REF : VAL_REFMEM;
		v.off = out < 0 ? 0 : d->out[out].off;
		v.call = (uint32_t)(c - m->p->call);
		m->at = v.call + 1;
		return v;
	}
	if (seen)
		return v;
	return val_int(res_special[t->res] ? of_set(res_special[t->res]) : some_number(), t->size);
}

struct pieces {
	struct val *v;
	uint32_t n, room;
};

static void add(struct pieces *p, struct val v)
{
	if (p->n == p->room) {
		struct val *more;

		p->room = p->room ? p->room * 2 : 8;
		more = must_alloc(p->room * sizeof(*more));
		if (p->n)
			memcpy(more, p->v, p->n * sizeof(*more));
		free(p->v);
		p->v = more;
	}
	p->v[p->n++] = v;
}

static struct val bytes_of(const void *data, uint32_t n)
{
	struct val v = { .kind = VAL_BYTES, .len = n, .bytes = must_alloc(n) };

	memcpy(v.bytes, data, n);
	return v;
}

static uint32_t some_length(uint32_t max)
{
	uint32_t n = one_in(3) ? max : one_in(2) ? (uint32_t)rng_below(max + 1) : (uint32_t)rng_below(max < 32 ? max + 1 : 32);

	return n;
}

static void data(struct pieces *to, uint32_t max)
{
	uint32_t n = some_length(max);
	uint8_t b[32];

	if (n > sizeof(b)) {
		add(to, (struct val){ .kind = VAL_FILL, .fill = (uint8_t)rng(), .num = n });
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		b[i] = (uint8_t)(one_in(3) ? rng() : rng_below(4));
	add(to, bytes_of(b, n));
}

static uint64_t number_of(const struct type *t)
{
	uint64_t n = 0;

	if (!t->set || one_in(20))
		return some_number();
	if (t->kind != TYPE_FLAGS)
		return of_set(t->set);
	for (uint64_t i = rng_below(4); i; i--)
		n |= of_set(t->set);
	return n;
}

static struct val make_value(const struct type *t, struct making *m);

/* What T is in memory, appended to TO. */
static void make_memory(const struct type *t, struct making *m, struct pieces *to)
{
	uint32_t first = to->n, n;

	switch (t->kind) {
	case TYPE_STRUCT: {
		uint32_t *at = must_alloc(t->nfields * sizeof(*at));

		for (uint32_t i = 0; i < t->nfields; i++) {
			at[i] = to->n;
			make_memory(t->field[i], m, to);
		}
		for (uint32_t i = 0; i < t->nfields; i++)	/* lengths last: now there is what they are of */
			if (t->field[i]->kind == TYPE_LEN && !one_in(15)) {
				uint32_t of = at[t->field[i]->of];

				to->v[at[i]].num = of < to->n ? val_memory(&to->v[of]) / t->field[i]->max : 0;
			}
		free(at);
		break;
	}
	case TYPE_UNION:
		make_memory(t->field[rng_below(t->nfields)], m, to);
		break;
	case TYPE_ARRAY:
		n = some_length(t->max);
		for (uint32_t i = 0; i < n && to->n - first < 256; i++)
			make_memory(t->elem, m, to);
		break;
	case TYPE_STR: {
		const struct aim *a = aim_of(t->set->name, true);
		const char *s = a ? a->text[rng_below(a->n)] : (const char *)(uintptr_t)of_set(t->set);

		add(to, bytes_of(s, (uint32_t)strlen(s) + 1));
		break;
	}
	case TYPE_DATA:
		data(to, t->max);
		break;
	case TYPE_OUT:
		add(to, (struct val){ .kind = VAL_OUT, .num = t->max > 256 && !one_in(4) ? some_length(t->max) : t->max });
		break;
	case TYPE_PAD:
		add(to, (struct val){ .kind = VAL_FILL, .num = t->max });
		break;
	default:
		add(to, make_value(t, m));
	}
}

static struct val make_value(const struct type *t, struct making *m)
{
	struct val v = { .size = t->size ? t->size : 8 };
	struct pieces p = { 0 };

	switch (t->kind) {
	case TYPE_RES:
		return resource(t, m);
	case TYPE_PTR:
		if (one_in(25))
			return val_int(one_in(2) ? 0 : 0x20000000 + rng_below(64) * 4096 - rng_below(16), 8);
		v.kind = VAL_PTR;
		make_memory(t->elem, m, &p);
		v.piece = p.v;
		v.len = p.n;
		return v;
	case TYPE_AREA:
		return val_int(one_in(10) ? some_number() : one_in(8) ? 0 : 0x20000000 + rng_below(16) * 4096 + (one_in(12) ? rng_below(4096) : 0), 8);
	case TYPE_HANDLER:
		v.kind = VAL_HANDLER;
		return v;
	default:
		return val_int(number_of(t), v.size);
	}
}

/* Arguments that are lengths of others. */
static void set_lengths(struct call *c, unsigned int wrong_one_in)
{
	for (int i = 0; i < c->nargs && i < c->desc->nargs; i++) {
		const struct type *t = c->desc->arg[i];

		if (t->kind == TYPE_LEN && !one_in(wrong_one_in)) {
			val_free(&c->arg[i]);
			c->arg[i] = val_int(val_memory(&c->arg[t->of]) / t->max, 8);
		}
	}
}

/* Puts a call before *AT, which moves to it as others are put before. */
static struct call *make_call(struct prog *p, uint32_t *at, const struct call_desc *d, unsigned int depth)
{
	struct making m = { p, *at, depth };
	struct val arg[6];
	struct call *c;

	for (int i = 0; i < d->nargs; i++)
		arg[i] = make_value(d->arg[i], &m);
	c = prog_insert(p, m.at);
	c->desc = d;
	c->nargs = d->nargs;
	memcpy(c->arg, arg, d->nargs * sizeof(arg[0]));
	set_lengths(c, 15);
	if (one_in(8)) {
		c->thread = (uint8_t)rng_below(PROG_THREADS);
		c->nowait = one_in(2);
	}
	*at = m.at;
	return c;
}

void prog_generate(struct prog *p, unsigned int n)
{
	*p = (struct prog){ .root = one_in(3) };
	while (p->n < n && p->n < PROG_CALLS - 8) {
		uint32_t at = p->n;

		make_call(p, &at, any_call(), 3);
	}
}

struct pick { struct val *v; uint32_t seen; };

static void pick_value(struct val *v, void *arg)
{
	struct pick *p = arg;

	if (one_in(++p->seen))
		p->v = v;
}

/* Changes one value somewhere below V, without regard to what it stands for. */
static void mutate_value(struct val *v, struct making *m)
{
	struct pick p = { 0 };

	val_each(v, pick_value, &p);
	v = p.v;
	switch (v->kind) {
	case VAL_BYTES:
		if (v->len && !one_in(4)) {
			v->bytes[rng_below(v->len)] = (uint8_t)some_number();
		} else if (v->len && one_in(2)) {
			v->len = (uint32_t)rng_below(v->len);
		} else {
			struct val w = bytes_of(v->bytes ? v->bytes : (uint8_t *)"", v->len);

			free(v->bytes);
			v->bytes = must_alloc(w.len * 2 + 1);
			memcpy(v->bytes, w.bytes, w.len);
			memcpy(v->bytes + w.len, w.bytes, w.len);
			v->len = w.len * 2 + 1;
			free(w.bytes);
		}
		break;
	case VAL_FILL:
	case VAL_OUT:
		v->num = one_in(2) ? rng_below(v->num * 2 + 2) : rng_below(8192);
		v->fill = (uint8_t)rng();
		break;
	case VAL_PTR:
		if (v->len && one_in(2)) {
			val_free(&v->piece[--v->len]);
		} else {
			val_free(v);
			*v = val_int(some_number(), 8);
		}
		break;
	case VAL_REF:
	case VAL_REFMEM:
		if (m->at && one_in(2))
			v->call = (uint32_t)rng_below(m->at);
		else
			*v = val_int(rng_below(12), v->size);
		break;
	default:
		v->kind = VAL_INT;
		if (one_in(2))
			v->num ^= 1ull << rng_below(v->size * 8);
		else if (one_in(2))
			v->num += rng_below(33) - 16;
		else
			v->num = some_number();
	}
}

static void mutate_call(struct prog *p, uint32_t at)
{
	struct making m = { p, at, 2 };
	const struct call_desc *d = p->call[at].desc;
	struct call *c = &p->call[at];
	int i = c->nargs ? (int)rng_below(c->nargs) : -1;

	if (i < 0 || one_in(12)) {
		c->thread = (uint8_t)rng_below(PROG_THREADS);
		c->nowait = one_in(2);
	} else if (one_in(10)) {
		c->fail = one_in(3) ? 0 : (uint16_t)(1 + rng_below(12));
	} else if (i < d->nargs && one_in(2)) {
		struct val v = make_value(d->arg[i], &m);

		c = &p->call[m.at];		/* calls may have been put before it */
		val_free(&c->arg[i]);
		c->arg[i] = v;
		set_lengths(c, 8);
	} else {
		mutate_value(&c->arg[i], &m);
		if (one_in(2))
			set_lengths(c, 8);
	}
}

/* Mutation makes no program longer, but for calls that give what a new one needs: what long ones find short ones find sooner. */
#define GROWN 16

void prog_mutate(struct prog *p)
{
	do {
		uint32_t at = p->n ? (uint32_t)rng_below(p->n) : 0;

		switch (p->n ? rng_below(10) : 0) {
		case 0:
		case 1: {
			uint32_t to = (uint32_t)rng_below(p->n + 1);

			if (p->n < GROWN)
				make_call(p, &to, any_call(), 2);
			break;
		}
		case 2:		/* what it needs not */
			prog_remove(p, at, (uint32_t)(1 + rng_below((p->n - at + 3) / 4)));
			break;
		case 3:
			prog_remove(p, at, 1);
			break;
		case 4:		/* once more, at the same time */
			if (p->n < GROWN) {
				struct call *c = prog_insert(p, at + 1), *from = &p->call[at];

				*c = *from;
				for (int i = 0; i < c->nargs; i++)
					val_copy(&c->arg[i], &from->arg[i]);
				c->thread = (uint8_t)rng_below(PROG_THREADS);
				c->nowait = true;
			}
			break;
		case 5:
			if (one_in(6))
				p->root = !p->root;
			/* fall through */
		default:
			mutate_call(p, at);
		}
	} while (!p->n || !one_in(3));
	prog_fix(p);
}

void prog_cross(struct prog *to, const struct prog *a, const struct prog *b)
{
	struct prog tail;
	uint32_t cut, room;

	prog_copy(to, a);
	prog_copy(&tail, b);
	cut = (uint32_t)rng_below(to->n + 1);
	prog_remove(to, cut, to->n - cut);
	cut = (uint32_t)rng_below(tail.n + 1);
	room = to->n < GROWN ? GROWN - to->n : 0;
	if (tail.n - cut > room)
		cut = tail.n - room;
	prog_remove(&tail, 0, cut);
	prog_append(to, &tail);
	prog_free(&tail);
	prog_fix(to);
}
