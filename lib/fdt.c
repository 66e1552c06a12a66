// SPDX-License-Identifier: MIT
/*
 * The structure block is a string of big-endian tokens. fdt_token() is the only reader of it: it gives the token at an
 * offset, where its payload lies and where the next one starts, or nothing when any of that leaves the block.
 */
#include <lib/fdt.h>
#include <lib/string.h>

#define FDT_MAGIC 0xd00dfeedU
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE 2
#define FDT_PROP 3
#define FDT_NOP 4
#define FDT_END 9
#define HEADER_SIZE 40
#define MAX_SIZE (16U << 20)

struct token {
	u32 kind;
	u32 name;		/* begin: offset of the name in the blob; prop: offset in the strings */
	u32 data, len;		/* prop */
	u32 next;
};

static u32 be32_at(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static u64 be64_at(const u8 *p)
{
	return (u64)be32_at(p) << 32 | be32_at(p + 4);
}

s64 fdt_size(const void *blob, size_t max)
{
	const u8 *p = blob;
	u32 size;

	if (!p || max < HEADER_SIZE || be32_at(p) != FDT_MAGIC)
		return -22;
	size = be32_at(p + 4);
	return size < HEADER_SIZE || size > MAX_SIZE ? -22 : (s64)size;
}

int fdt_open(struct fdt *f, const void *blob, size_t max)
{
	const u8 *p = blob;
	s64 size = fdt_size(blob, max);
	u64 end;

	if (size < 0 || (u64)size > max)
		return -22;
	/* Version 17 tells the structure block's size; readers of 16 must be able to read it. */
	if (be32_at(p + 20) < 17 || be32_at(p + 24) > 17)
		return -22;
	*f = (struct fdt){ .blob = p, .size = (u32)size, .structs = be32_at(p + 8), .strings = be32_at(p + 12),
			   .reserve = be32_at(p + 16) };
	end = (u64)f->structs + be32_at(p + 36);
	if (end > f->size || (f->structs & 3))
		return -22;
	f->structs_end = (u32)end;
	end = (u64)f->strings + be32_at(p + 32);
	if (end > f->size)
		return -22;
	f->strings_end = (u32)end;
	return 0;
}

/* Bytes of the string at OFF without its NUL, or -1 when it does not end before END. */
static long string_len(const struct fdt *f, u32 off, u32 end)
{
	const u8 *nul;

	if (off >= end)
		return -1;
	nul = memchr(f->blob + off, 0, end - off);
	return nul ? (long)(nul - (f->blob + off)) : -1;
}

static bool fdt_token(const struct fdt *f, u32 at, struct token *t)
{
	u64 next;
	long n;

	if ((at & 3) || at < f->structs || at >= f->structs_end || f->structs_end - at < 4)
		return false;
	t->kind = be32_at(f->blob + at);
	at += 4;
	switch (t->kind) {
	case FDT_BEGIN_NODE:
		n = string_len(f, at, f->structs_end);
		if (n < 0)
			return false;
		t->name = at;
		next = ((u64)at + (u64)n + 1 + 3) & ~3ULL;
		break;
	case FDT_PROP:
		if (f->structs_end - at < 8)
			return false;
		t->len = be32_at(f->blob + at);
		t->name = be32_at(f->blob + at + 4);
		t->data = at + 8;
		if (t->len > f->structs_end - t->data)
			return false;
		next = ((u64)t->data + t->len + 3) & ~3ULL;
		break;
	case FDT_END_NODE:
	case FDT_NOP:
		next = at;
		break;
	default:
		return false;		/* the end, or nonsense */
	}
	if (next > f->structs_end)
		return false;
	t->next = (u32)next;
	return true;
}

int fdt_next_node(const struct fdt *f, int node, int *depth)
{
	struct token t;
	u32 at;

	if (node == FDT_NONE) {
		at = f->structs;
		if (depth)
			*depth = -1;
	} else if (fdt_token(f, (u32)node, &t) && t.kind == FDT_BEGIN_NODE) {
		at = t.next;
	} else {
		return FDT_NONE;
	}
	for (; fdt_token(f, at, &t); at = t.next) {
		if (t.kind == FDT_BEGIN_NODE) {
			if (depth)
				++*depth;
			return (int)at;
		}
		if (t.kind == FDT_END_NODE && depth)
			--*depth;
	}
	return FDT_NONE;
}

bool fdt_whole(const struct fdt *f, int max_depth)
{
	int depth = 0;
	struct token t;
	u32 at = f->structs;
	bool root = false;

	for (; fdt_token(f, at, &t); at = t.next) {
		if (!depth && t.kind != FDT_NOP && (t.kind != FDT_BEGIN_NODE || root))
			return false;
		depth += t.kind == FDT_BEGIN_NODE ? 1 : t.kind == FDT_END_NODE ? -1 : 0;
		root |= t.kind == FDT_BEGIN_NODE;
		if (depth > max_depth)
			return false;
	}
	return root && !depth && f->structs_end - at >= 4 && be32_at(f->blob + at) == FDT_END;
}

const char *fdt_name(const struct fdt *f, int node)
{
	struct token t;

	if (node < 0 || !fdt_token(f, (u32)node, &t) || t.kind != FDT_BEGIN_NODE)
		return "";
	return (const char *)f->blob + t.name;
}

const void *fdt_prop(const struct fdt *f, int node, const char *name, u32 *len)
{
	size_t want = strlen(name);
	struct token t;

	if (node < 0 || !fdt_token(f, (u32)node, &t) || t.kind != FDT_BEGIN_NODE)
		return NULL;
	for (u32 at = t.next; fdt_token(f, at, &t); at = t.next) {
		u32 s;

		if (t.kind == FDT_NOP)
			continue;
		if (t.kind != FDT_PROP)
			return NULL;		/* properties come before children */
		if (t.name >= f->strings_end - f->strings)
			continue;
		s = f->strings + t.name;
		if (string_len(f, s, f->strings_end) != (long)want || memcmp(f->blob + s, name, want))
			continue;
		if (len)
			*len = t.len;
		return f->blob + t.data;
	}
	return NULL;
}

const char *fdt_string(const struct fdt *f, int node, const char *name)
{
	u32 len;
	const char *s = fdt_prop(f, node, name, &len);

	return s && len && memchr(s, 0, len) ? s : NULL;
}

bool fdt_number(const struct fdt *f, int node, const char *name, u64 *out)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, name, &len);

	if (!p || (len != 4 && len != 8))
		return false;
	*out = len == 4 ? be32_at(p) : be64_at(p);
	return true;
}

bool fdt_compatible(const struct fdt *f, int node, const char *what)
{
	size_t want = strlen(what) + 1;
	u32 len;
	const char *s = fdt_prop(f, node, "compatible", &len);

	while (s && len) {
		const char *nul = memchr(s, 0, len);
		u32 n;

		if (!nul)
			return false;
		n = (u32)(nul - s) + 1;
		if (n == want && !memcmp(s, what, n))
			return true;
		s += n;
		len -= n;
	}
	return false;
}

int fdt_find_compatible(const struct fdt *f, int prev, const char *what)
{
	int node = prev;

	while ((node = fdt_next_node(f, node, NULL)) != FDT_NONE)
		if (fdt_compatible(f, node, what))
			return node;
	return FDT_NONE;
}

int fdt_find_path(const struct fdt *f, const char *path)
{
	int depth, level = 0, node = fdt_next_node(f, FDT_NONE, &depth);

	while (*path == '/')
		path++;
	while (*path && node != FDT_NONE) {
		size_t n = 0;

		while (path[n] && path[n] != '/')
			n++;
		/* Children of the node found so far: one level deeper, until the walk comes back up. */
		while ((node = fdt_next_node(f, node, &depth)) != FDT_NONE) {
			const char *name = fdt_name(f, node);

			if (depth <= level)
				return FDT_NONE;
			if (depth == level + 1 && strlen(name) == n && !memcmp(name, path, n))
				break;
		}
		level++;
		path += n;
		while (*path == '/')
			path++;
	}
	return node;
}

int fdt_parent(const struct fdt *f, int node)
{
	int path[32], depth, at = FDT_NONE;

	while ((at = fdt_next_node(f, at, &depth)) != FDT_NONE) {
		if (depth < 0 || depth >= 32)
			return FDT_NONE;
		path[depth] = at;
		if (at == node)
			return depth ? path[depth - 1] : FDT_NONE;
	}
	return FDT_NONE;
}

bool fdt_enabled(const struct fdt *f, int node)
{
	const char *s = fdt_string(f, node, "status");

	return !s || !strcmp(s, "okay") || !strcmp(s, "ok");
}

static bool cells(const u8 **p, u32 *len, u64 n, u64 *out)
{
	*out = 0;
	if (n > 2 || *len < n * 4)
		return false;
	for (u64 i = 0; i < n; i++, *p += 4, *len -= 4)
		*out = *out << 32 | be32_at(*p);
	return true;
}

bool fdt_reg(const struct fdt *f, int node, unsigned int i, u64 *addr, u64 *size)
{
	u64 ac = 2, sc = 1;
	int parent = fdt_parent(f, node);
	u32 len;
	const u8 *p = fdt_prop(f, node, "reg", &len);

	if (!p)
		return false;
	fdt_number(f, parent, "#address-cells", &ac);
	fdt_number(f, parent, "#size-cells", &sc);
	if (!ac)
		return false;
	do {
		if (!cells(&p, &len, ac, addr) || !cells(&p, &len, sc, size))
			return false;
	} while (i--);
	return true;
}

bool fdt_reserved(const struct fdt *f, unsigned int i, u64 *addr, u64 *size)
{
	u64 at = f->reserve;

	for (unsigned int k = 0; ; k++, at += 16) {
		if (at > f->size || f->size - at < 16)
			return false;
		*addr = be64_at(f->blob + at);
		*size = be64_at(f->blob + at + 8);
		if (!*addr && !*size)
			return false;
		if (k == i)
			return true;
	}
}
