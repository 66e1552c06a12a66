// SPDX-License-Identifier: MIT
/*
 * The tree of published names: directories with many children, and walks over children that come
 * and go.
 */
#include <kernel/ktest.h>
#include <kernel/show.h>
#include <lib/format.h>
#include <lib/string.h>

/* The number of the child of that name; 0: there is none. */
static u64 number_of(struct show_node *dir, const char *name)
{
	struct show_node *n = show_lookup(dir, name, strlen(name));
	u64 ino = n ? n->ino : 0;

	show_put(n);
	return ino;
}

/* The first letters of the children behind number *AT, as a walk sees them, up to MOST. */
static size_t walk(struct show_node *dir, u64 *at, char *out, size_t most)
{
	struct show_node *n;
	size_t len = 0;

	while (len < most && (n = show_next_child(dir, at))) {
		out[len++] = n->name[0];
		show_put(n);
	}
	out[len] = 0;
	return len;
}

/* A walk goes on where it was: what goes, comes or comes again changes nothing for the others. */
KTEST(show_walks_while_nodes_come_and_go)
{
	struct show_node *dir = show_dir_pinned(show_path(SHOW_SYS, "kernel/ktest"), "walk");
	char seen[16];
	u64 at = 0;

	KT_ASSERT(dir);
	for (char name[2] = "f"; name[0] >= 'a'; name[0]--)
		KT_ASSERT(show_link(dir, name, "x"));
	KT_EQ(walk(dir, &at, seen, 3), 3u);
	KT_ASSERT(!strcmp(seen, "fed"));
	show_remove_name(dir, "d"); /* the one that the walk stands at */
	show_remove_name(dir, "f"); /* one that it has seen */
	show_remove_name(dir, "b"); /* one that it has not */
	KT_ASSERT(show_link(dir, "d", "x") && show_link(dir, "g", "x"));
	KT_EQ(walk(dir, &at, seen, 15), 4u);
	KT_ASSERT(!strcmp(seen, "cadg"));
	KT_EQ(walk(dir, &at, seen, 15), 0u);
	at = 0;
	KT_EQ(walk(dir, &at, seen, 15), 5u);
	KT_ASSERT(!strcmp(seen, "ecadg"));
	show_remove(dir);
	at = 0;
	KT_EQ(walk(dir, &at, seen, 15), 0u);
	KT_ASSERT(!show_link(dir, "h", "x"));
	show_put(dir);
}

/* A name that begins another one, and one that is cut out of a longer text. */
KTEST(show_names_that_begin_others)
{
	static const char *const names[] = { "ab", "a", "abc", "b", "", "aa" };
	struct show_node *dir = show_dir_pinned(show_path(SHOW_SYS, "kernel/ktest"), "begin");
	u64 number[ARRAY_SIZE(names)];
	struct show_node *n;

	KT_ASSERT(dir);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		n = show_link(dir, names[i], "x");
		KT_ASSERT(n);
		number[i] = n->ino;
		KT_ASSERT(show_link(dir, names[i], "y") == n);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		KT_EQ(number_of(dir, names[i]), number[i]);
	KT_EQ(number_of(dir, "abcd"), 0u);
	n = show_lookup(dir, "abcd", 2);
	KT_ASSERT(n);
	KT_EQ(n->ino, number[0]);
	show_put(n);
	show_remove(dir);
	show_put(dir);
}

#ifdef CONFIG_DEBUG
#define MANY 20000
/* A tree of n nodes is at most 2 log2(n + 1) deep, and each node stands in two of them. */
#define DEEPEST 29

static struct show_node *numbered(struct show_node *dir, unsigned int i, bool make)
{
	char name[16];

	scnprintf(name, sizeof(name), "n%u", i * 7919 % MANY);
	return make ? show_link(dir, name, "x") : show_lookup(dir, name, strlen(name));
}

/* No step of adding, finding, listing and removing costs more where there are many. */
KTEST(show_many_in_one_directory)
{
	struct show_node *dir = show_dir_pinned(show_path(SHOW_SYS, "kernel/ktest"), "many"), *n;
	u64 before = show_steps(), at = 0, last = 0;
	unsigned int count = 0;

	KT_ASSERT(dir);
	for (unsigned int i = 0; i < MANY; i++)
		KT_ASSERT(numbered(dir, i, true));
	KT_ASSERT(show_steps() - before < 2ull * DEEPEST * MANY);
	before = show_steps();
	for (unsigned int i = 0; i < MANY; i++) {
		n = numbered(dir, i, false);
		KT_ASSERT(n);
		show_put(n);
	}
	KT_ASSERT(show_steps() - before < 1ull * DEEPEST * MANY);
	before = show_steps();
	while ((n = show_next_child(dir, &at))) {
		KT_ASSERT(n->ino > last);
		last = n->ino;
		count++;
		show_put(n);
	}
	KT_EQ(count, MANY);
	KT_ASSERT(show_steps() - before < 1ull * DEEPEST * MANY);
	before = show_steps();
	show_remove(dir);
	KT_ASSERT(show_steps() - before < 1ull * DEEPEST * MANY);
	show_put(dir);
}
#endif
