// SPDX-License-Identifier: MIT
/*
 * /proc/net/fib_trie: routes of the local and the main table, which programs read for addresses of
 * this machine ("/32 host LOCAL"). Tables here are hashes (net/route/fib4_priv.h); the file shows
 * the trie that their prefixes span: inner nodes with one bit each, paths compressed. As on Linux
 * both tables are one while no rule tells them apart, and both headings show all of it.
 */
#include <lib/format.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <net/show.h>
#include <vfs/seq_file.h>
#include <linux/rtnetlink.h>
#include "net/conf/conf.h"
#include "net/route/fib4_priv.h"

struct trie {
	struct seq_file *m;
	const struct fib4_route **routes;	/* by prefix, longer ones first */
	u32 nr;
};

static u32 key(const struct trie *t, u32 i)
{
	return be32_get(t->routes[i]->prefix->prefix);
}

static void indent(struct seq_file *m, u32 depth)
{
	while (depth--)
		seq_puts(m, "   ");
}

static void put_ip(struct seq_file *m, u32 a)
{
	seq_printf(m, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static const char *scope_name(u8 scope, char *buf)
{
	switch (scope) {
	case RT_SCOPE_UNIVERSE:
		return "universe";
	case RT_SCOPE_SITE:
		return "site";
	case RT_SCOPE_LINK:
		return "link";
	case RT_SCOPE_HOST:
		return "host";
	case RT_SCOPE_NOWHERE:
		return "nowhere";
	}
	snprintf(buf, 16, "scope=%d", scope);
	return buf;
}

static const char *type_name(u8 type, char *buf)
{
	static const char *const names[] = { "UNSPEC",	 "UNICAST",   "LOCAL",	   "BROADCAST",
					     "ANYCAST",	 "MULTICAST", "BLACKHOLE", "UNREACHABLE",
					     "PROHIBIT", "THROW",     "NAT",	   "XRESOLVE" };

	if (type < ARRAY_SIZE(names))
		return names[type];
	snprintf(buf, 16, "type %u", type);
	return buf;
}

/* Routes of one prefix, from FIRST on to before LAST. */
static void leaf(struct trie *t, u32 first, u32 last, u32 depth)
{
	char scope[16], type[16];

	indent(t->m, depth);
	seq_puts(t->m, "  |-- ");
	put_ip(t->m, key(t, first));
	seq_putc(t->m, '\n');
	for (; first < last; first++) {
		const struct fib4_route *r = t->routes[first];

		indent(t->m, depth + 1);
		seq_printf(t->m, "  /%u %s %s", r->prefix->len, scope_name(r->scope, scope),
			   type_name(r->type, type));
		if (r->tos)
			seq_printf(t->m, " tos=%u", r->tos);
		seq_putc(t->m, '\n');
	}
}

struct span {
	u32 first, last, depth;
};

/* The first of S whose bit BIT is set: keys are sorted, and differ there. */
static u32 split(const struct trie *t, const struct span *s, u32 bit)
{
	u32 low = s->first, high = s->last;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (key(t, mid) >> bit & 1)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Bits of two children that are inner nodes whose bit follows at once. */
static bool is_full(const struct trie *t, u32 first, u32 last, u32 bit)
{
	u32 differ = key(t, first) ^ key(t, last - 1);

	return bit && differ && (u32)(31 - __builtin_clz(differ)) == bit - 1;
}

static void walk(struct trie *t)
{
	struct span stack[34], s;	/* one of each bit, at most */
	u32 top = 0;

	if (t->nr)
		stack[top++] = (struct span){ 0, t->nr, 0 };
	while (top) {
		u32 differ, bit, at;

		s = stack[--top];
		differ = key(t, s.first) ^ key(t, s.last - 1);
		if (!differ) {
			leaf(t, s.first, s.last, s.depth);
			continue;
		}
		bit = 31 - (u32)__builtin_clz(differ);
		at = split(t, &s, bit);
		indent(t->m, s.depth);
		seq_puts(t->m, "  +-- ");
		put_ip(t->m, (u32)((u64)key(t, s.first) >> (bit + 1) << (bit + 1)));
		seq_printf(t->m, "/%u 1 %u 0\n", 31 - bit,
			   is_full(t, s.first, at, bit) + is_full(t, at, s.last, bit));
		stack[top++] = (struct span){ at, s.last, s.depth + 1 };
		stack[top++] = (struct span){ s.first, at, s.depth + 1 };
	}
}

static bool goes_before(const struct fib4_route *a, const struct fib4_route *b)
{
	u32 x = be32_get(a->prefix->prefix), y = be32_get(b->prefix->prefix);

	return x != y ? x < y : a->prefix->len > b->prefix->len;
}

/* rtnl. Both tables, which are sorted, as one. */
static void merge(struct trie *t, struct net *net)
{
	struct fib4_table *table[2] = { fib4_table(net, RT_TABLE_LOCAL, false),
					fib4_table(net, RT_TABLE_MAIN, false) };
	struct rb_node *n[2];

	for (int i = 0; i < 2; i++)
		n[i] = table[i] ? rb_first(&table[i]->all) : NULL;
	while (n[0] || n[1]) {
		const struct fib4_route *r[2];
		int i;

		for (i = 0; i < 2; i++)
			r[i] = rb_entry_safe(n[i], struct fib4_route, dump);
		i = !r[0] || (r[1] && goes_before(r[1], r[0]));
		t->routes[t->nr++] = r[i];
		n[i] = rb_next(n[i]);
	}
}

static u32 count(struct net *net, u32 id)
{
	struct fib4_table *t = fib4_table(net, id, false);

	return t ? t->count : 0;
}

void net_show_fib_trie(struct seq_file *m, struct net *net)
{
	struct trie t = { .m = m };
	size_t most;

	rtnl_lock();
	most = count(net, RT_TABLE_LOCAL) + count(net, RT_TABLE_MAIN);
	t.routes = kvmalloc((most + 1) * sizeof(t.routes[0]), GFP_KERNEL_ACCOUNT);
	if (t.routes) {
		merge(&t, net);
		seq_puts(m, "Main:\n");
		walk(&t);
		seq_puts(m, "Local:\n");
		walk(&t);
	}
	rtnl_unlock();
	kvfree(t.routes);
}
