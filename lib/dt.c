// SPDX-License-Identifier: MIT
/*
 * The index over a device tree and the questions it answers by itself: names, phandles, addresses. dt_open reads the tree
 * twice (count, fill) and sorts what is looked up; after that nothing walks it. Interrupts are dt_irq.c's, what single bindings
 * say dt_facts.c's.
 */
#include "lib/dt_priv.h"
#include <abi/errno.h>
#include <lib/string.h>

/* One walk over NODE's properties: its cell counts. 255: no number, or more than the four cells that any bus has. */
static u8 count_cells(const struct fdt *f, int node, const char *name, u8 otherwise)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, name, &len);

	if (!p)
		return otherwise;
	return len == 4 && dt_be32(p) <= 4 ? (u8)dt_be32(p) : 255;
}

static u32 phandle_of(const struct fdt *f, int node)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, "phandle", &len);

	if (!p)
		p = fdt_prop(f, node, "linux,phandle", &len);
	return p && len == 4 && dt_be32(p) != ~0U ? dt_be32(p) : 0;
}

/* The next string of a list of LEN bytes at *S: its length with the NUL; 0: no more. */
static u32 next_string(const u8 *s, u32 len)
{
	const u8 *nul = s && len ? memchr(s, 0, len) : NULL;

	return nul ? (u32)(nul - s) + 1 : 0;
}

static size_t index_size(u32 nodes, u32 handles, u32 strings)
{
	return (size_t)nodes * sizeof(struct dt_node) + ((size_t)handles + strings) * sizeof(struct dt_key);
}

static void count(const struct fdt *f, u32 *nodes, u32 *handles, u32 *strings)
{
	*nodes = *handles = *strings = 0;
	for (int n = fdt_next_node(f, FDT_NONE, NULL); n != FDT_NONE; n = fdt_next_node(f, n, NULL)) {
		u32 len = 0, k;
		const u8 *s = fdt_prop(f, n, "compatible", &len);

		++*nodes;
		*handles += phandle_of(f, n) != 0;
		for (; (k = next_string(s, len)); s += k, len -= k)
			++*strings;
	}
}

size_t dt_index_size(const struct fdt *f)
{
	u32 nodes, handles, strings;

	if (!fdt_whole(f, DT_DEPTH_MAX))
		return 0;
	count(f, &nodes, &handles, &strings);
	return index_size(nodes, handles, strings);
}

/* By phandle, then by node. */
static int compare_numbers(const struct dt *t, const struct dt_key *a, const struct dt_key *b)
{
	return a->key != b->key ? (a->key < b->key ? -1 : 1) : a->node < b->node ? -1 : a->node > b->node;
}

static int compare_strings(const struct dt *t, const struct dt_key *a, const struct dt_key *b)
{
	int c = strcmp((const char *)t->fdt.blob + a->key, (const char *)t->fdt.blob + b->key);

	return c ? c : a->node < b->node ? -1 : a->node > b->node;
}

typedef int (*compare_fn)(const struct dt *t, const struct dt_key *a, const struct dt_key *b);

static void sift(const struct dt *t, struct dt_key *k, u32 root, u32 n, compare_fn cmp)
{
	for (u32 child; (child = 2 * root + 1) < n; root = child) {
		struct dt_key tmp = k[root];

		if (child + 1 < n && cmp(t, &k[child], &k[child + 1]) < 0)
			child++;
		if (cmp(t, &k[root], &k[child]) >= 0)
			return;
		k[root] = k[child];
		k[child] = tmp;
	}
}

/* Heap sort: no memory, and no input makes it slow. */
static void sort(const struct dt *t, struct dt_key *k, u32 n, compare_fn cmp)
{
	for (u32 i = n / 2; i-- > 0; )
		sift(t, k, i, n, cmp);
	for (u32 end = n; end-- > 1; ) {
		struct dt_key tmp = k[0];

		k[0] = k[end];
		k[end] = tmp;
		sift(t, k, 0, end, cmp);
	}
}

/* A node that says the same string twice is found once. */
static u32 drop_doubles(const struct dt *t, struct dt_key *k, u32 n)
{
	u32 kept = 0;

	for (u32 i = 0; i < n; i++)
		if (!kept || compare_strings(t, &k[kept - 1], &k[i]))
			k[kept++] = k[i];
	return kept;
}

static void fill_node(struct dt *t, u32 i, int at, u32 parent)
{
	const struct fdt *f = &t->fdt;
	u32 len = 0, k, phandle = phandle_of(f, at);
	const u8 *s = fdt_prop(f, at, "compatible", &len);

	t->nodes[i] = (struct dt_node){ .at = (u32)at, .parent = parent, .next = t->nr_nodes,
					.address_cells = count_cells(f, at, "#address-cells", 2),
					.size_cells = count_cells(f, at, "#size-cells", 1) };
	if (phandle)
		t->handles[t->nr_handles++] = (struct dt_key){ phandle, i };
	for (; (k = next_string(s, len)); s += k, len -= k)
		t->compatibles[t->nr_compatibles++] = (struct dt_key){ (u32)(s - f->blob), i };
}

int dt_open(struct dt *t, const struct fdt *f, void *mem, size_t size)
{
	u32 nodes, handles, strings, i = 0, above = DT_NONE;
	int depth = 0, last = -1;

	if (!fdt_whole(f, DT_DEPTH_MAX))
		return -EINVAL;
	count(f, &nodes, &handles, &strings);
	if (!mem || size < index_size(nodes, handles, strings))
		return -EINVAL;
	*t = (struct dt){ .fdt = *f, .nodes = mem, .nr_nodes = nodes };
	t->handles = (struct dt_key *)(t->nodes + nodes);
	t->compatibles = t->handles + handles;
	for (int n = fdt_next_node(f, FDT_NONE, &depth); n != FDT_NONE; n = fdt_next_node(f, n, &depth), i++) {
		for (; last >= depth && above != DT_NONE; last--, above = t->nodes[above].parent)
			t->nodes[above].next = i;
		fill_node(t, i, n, above);
		above = i;
		last = depth;
	}
	sort(t, t->handles, t->nr_handles, compare_numbers);
	sort(t, t->compatibles, t->nr_compatibles, compare_strings);
	t->nr_compatibles = drop_doubles(t, t->compatibles, t->nr_compatibles);
	return 0;
}

const void *dt_prop(const struct dt *t, u32 node, const char *name, u32 *len)
{
	return node < t->nr_nodes ? fdt_prop(&t->fdt, (int)t->nodes[node].at, name, len) : NULL;
}

const char *dt_string(const struct dt *t, u32 node, const char *name)
{
	return node < t->nr_nodes ? fdt_string(&t->fdt, (int)t->nodes[node].at, name) : NULL;
}

bool dt_number(const struct dt *t, u32 node, const char *name, u64 *out)
{
	return node < t->nr_nodes && fdt_number(&t->fdt, (int)t->nodes[node].at, name, out);
}

bool dt_cell(const struct dt *t, u32 node, const char *name, unsigned int i, u32 *out)
{
	struct cells c = cells_of(t, node, name);

	return skip(&c, i) && take32(&c, out);
}

u32 dt_compatible(const struct dt *t, const char *what, unsigned int i)
{
	u32 lo = 0, hi = t->nr_compatibles;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (strcmp((const char *)t->fdt.blob + t->compatibles[mid].key, what) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (i >= t->nr_compatibles - lo || strcmp((const char *)t->fdt.blob + t->compatibles[lo + i].key, what))
		return DT_NONE;
	return t->compatibles[lo + i].node;
}

u32 dt_by_phandle(const struct dt *t, u32 phandle)
{
	u32 lo = 0, hi = t->nr_handles;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (t->handles[mid].key < phandle)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo >= t->nr_handles || t->handles[lo].key != phandle || (lo + 1 < t->nr_handles && t->handles[lo + 1].key == phandle))
		return DT_NONE;
	return t->handles[lo].node;
}

u32 dt_next_child(const struct dt *t, u32 parent, u32 prev)
{
	u32 n;

	if (parent >= t->nr_nodes || (prev != DT_NONE && prev >= t->nr_nodes))
		return DT_NONE;
	n = prev == DT_NONE ? parent + 1 : t->nodes[prev].next;
	return n < t->nodes[parent].next ? n : DT_NONE;
}

u32 dt_path(const struct dt *t, const char *path, size_t len)
{
	u32 node = 0;

	if (!len || *path != '/')
		return DT_NONE;
	for (;;) {
		size_t n = 0;
		u32 c = DT_NONE;

		for (; len && *path == '/'; len--)
			path++;
		while (n < len && path[n] != '/')
			n++;
		if (!n)
			return node;
		while ((c = dt_next_child(t, node, c)) != DT_NONE) {
			const char *name = fdt_name(&t->fdt, (int)t->nodes[c].at);

			if (strlen(name) == n && !memcmp(name, path, n))
				break;
		}
		if (c == DT_NONE)
			return DT_NONE;
		node = c;
		path += n;
		len -= n;
	}
}

bool dt_enabled(const struct dt *t, u32 node)
{
	if (node >= t->nr_nodes)
		return false;
	for (; node != DT_NONE; node = t->nodes[node].parent)
		if (!fdt_enabled(&t->fdt, (int)t->nodes[node].at))
			return false;
	return true;
}

u32 dt_link(const struct dt *t, u32 node, const char *name)
{
	u32 phandle;

	return dt_cell(t, node, name, 0, &phandle) ? dt_by_phandle(t, phandle) : DT_NONE;
}

/* One bus up: by the entry of BUS's ranges that holds all of it. */
static bool through_ranges(const struct dt *t, u32 bus, u64 *addr, u64 size)
{
	const struct dt_node *b = &t->nodes[bus], *up = &t->nodes[b->parent];
	struct cells c = cells_of(t, bus, "ranges");
	u64 child, parent, len;

	if (!c.p)
		return false;
	if (!c.left)
		return true;
	if (b->address_cells > 4 || b->size_cells > 4 || up->address_cells > 4)
		return false;
	while (c.left) {
		struct cells e = c;
		bool fits;

		/* A number that 64 bits cannot hold (PCI's, whose upper cell names a space) is not for whoever asks here. */
		fits = take(&e, b->address_cells, &child);
		if (!skip(&c, b->address_cells))
			return false;
		e = c;
		fits &= take(&e, up->address_cells, &parent);
		if (!skip(&c, up->address_cells))
			return false;
		fits &= take(&c, b->size_cells, &len);
		if (!fits || *addr < child || *addr - child >= len || size > len - (*addr - child))
			continue;
		if (parent > ~0ULL - (*addr - child) || size > ~0ULL - (parent + (*addr - child)))
			return false;
		*addr = parent + (*addr - child);
		return true;
	}
	return false;
}

bool dt_translate(const struct dt *t, u32 bus, u64 *addr, u64 size)
{
	for (; t->nodes[bus].parent != DT_NONE; bus = t->nodes[bus].parent)
		if (!through_ranges(t, bus, addr, size))
			return false;
	return true;
}

bool dt_reg(const struct dt *t, u32 node, unsigned int i, u64 *addr, u64 *size)
{
	struct cells c = cells_of(t, node, "reg");
	const struct dt_node *up;
	u32 n;

	if (!c.p || t->nodes[node].parent == DT_NONE)
		return false;
	up = &t->nodes[t->nodes[node].parent];
	if (up->address_cells == 0 || up->address_cells > 4 || up->size_cells > 4)
		return false;
	n = up->address_cells + up->size_cells;
	if (c.left % (4 * n) || !skip(&c, (u64)n * i) || !take(&c, up->address_cells, addr) || !take(&c, up->size_cells, size))
		return false;
	if (*addr + *size < *addr)
		return false;
	return dt_translate(t, t->nodes[node].parent, addr, *size);
}

u32 dt_device(const struct dt *t, const char *what, u64 *base, u64 *size)
{
	u32 n;

	for (unsigned int i = 0; (n = dt_compatible(t, what, i)) != DT_NONE; i++)
		if (dt_enabled(t, n) && dt_reg(t, n, 0, base, size))
			return n;
	*base = 0;
	return DT_NONE;
}
