// SPDX-License-Identifier: MIT
/* The range tree against a plain sorted array, with random inserts, erases and moves of starts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../vmatree.c"

static long live;

struct vt_node *vt_node_alloc(void)
{
	live++;
	return calloc(1, sizeof(struct vt_node));
}

void vt_node_free(struct vt_node *n)
{
	live--;
	free(n);
}

#define MAX 4000
static unsigned long ref[MAX];
static int nref;

static int ref_floor(unsigned long a)
{
	int lo = -1, hi = nref;

	while (hi - lo > 1) {
		int mid = (lo + hi) / 2;

		if (ref[mid] <= a)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* An area begins at its key and takes a third of the way to the next: the gap below it is the rest. */
unsigned long vt_gap_below(const struct vma *vma)
{
	unsigned long start = (unsigned long)vma - 1;
	int i = ref_floor(start);

	return i < 1 ? start : start - ref[i - 1] - (start - ref[i - 1]) / 3;
}

static struct vma *ref_gap(unsigned long addr, unsigned long len, int step)
{
	int i = ref_floor(addr);

	if (step > 0 && (i < 0 || ref[i] < addr))
		i++;
	for (; i >= 0 && i < nref; i += step)
		if (vt_gap_below((struct vma *)(ref[i] + 1)) >= len)
			return (struct vma *)(ref[i] + 1);
	return NULL;
}

/* No gap is larger than the bounds above it, and no bound larger than its parent's. */
static unsigned long bounded(struct vt_node *n)
{
	for (unsigned int i = 0; i < n->nr; i++)
		if ((n->level ? bounded(n->slot[i]) : vt_gap_below(n->slot[i])) > n->gap) {
			printf("a gap of %lu at most is larger\n", n->gap);
			exit(1);
		}
	return n->gap;
}

static void check_gaps(struct vma_tree *t)
{
	unsigned long a = (unsigned long)rand() % 2000000, len = 1 + (unsigned long)rand() % (1 + (unsigned long)rand() % 3000);

	if (t->root)
		bounded(t->root);
	if (vt_gap_down(t, a, len) != ref_gap(a, len, -1) || vt_gap_up(t, a, len) != ref_gap(a, len, 1)) {
		printf("gap of %lu about %lu wrong\n", len, a);
		exit(1);
	}
}

static void check(struct vma_tree *t)
{
	check_gaps(t);
	for (int k = 0; k < 50; k++) {
		unsigned long a = (unsigned long)rand() % 2000000;
		int i = ref_floor(a);
		struct vma *want = i < 0 ? NULL : (struct vma *)(ref[i] + 1);

		if (vt_floor(t, a) != want || vt_floor_rcu(t, a) != want) {
			printf("floor(%lu) wrong\n", a);
			exit(1);
		}
	}
	if (vt_first(t) != (nref ? (struct vma *)(ref[0] + 1) : NULL)) {
		printf("first wrong\n");
		exit(1);
	}
}

static void insert(struct vma_tree *t, unsigned long a)
{
	int i = ref_floor(a);

	if (nref == MAX || (i >= 0 && ref[i] == a))
		return;
	memmove(ref + (i + 2), ref + (i + 1), (size_t)(nref - i - 1) * sizeof(*ref));
	ref[i + 1] = a;
	nref++;
	if (vt_reserve(t, 1))
		exit(1);
	vt_insert(t, a, (struct vma *)(a + 1));
}

static void erase(struct vma_tree *t, int i)
{
	unsigned long start = ref[i];

	memmove(ref + i, ref + i + 1, (size_t)(nref - i - 1) * sizeof(*ref));
	nref--;
	vt_erase(t, start);
	if (t->searched && i < nref)
		vt_gap_grew(t, ref[i], vt_gap_below((struct vma *)(ref[i] + 1)));
}

int main(void)
{
	struct vma_tree t = { 0 };

	srand(1);
	for (unsigned long a = 0; a < 3000; a++)
		insert(&t, a * 16);
	check(&t);
	if (!vt_floor(&t, ~0ul) || vt_floor(&t, ~0ul) != vt_floor(&t, ~0ul - 1) || vt_floor_rcu(&t, ~0ul) != vt_floor(&t, ~0ul))
		abort();	/* what unused keys say is no address */
	while (nref)
		erase(&t, rand() % nref);
	check(&t);
	for (long a = 3000; a > 0; a--)
		insert(&t, (unsigned long)a * 16);
	check(&t);
	while (nref)
		erase(&t, 0);
	for (int round = 0; round < 40000; round++) {
		int grow = (round / 5000) % 2 == 0;

		if (nref && rand() % 10 < (grow ? 3 : 7))
			erase(&t, rand() % nref);
		else
			insert(&t, (unsigned long)rand() % 2000000);
		if (nref && rand() % 4 == 0) {
			/* slots hold start + 1, so a moved start takes its VMA along by erase and insert */
			int i = rand() % nref;
			unsigned long lo = i ? ref[i - 1] + 1 : 0, old = ref[i], n;

			n = lo + (unsigned long)rand() % (old - lo + 1);
			vt_rekey(&t, old, n);
			vt_rekey(&t, n, old);
			if (n != old && (i == 0 || n > ref[i - 1])) {
				vt_rekey(&t, old, n);
				if (vt_floor(&t, n) != (struct vma *)(old + 1))
					return 1;
				vt_rekey(&t, n, old);
			}
		}
		if (round % 100 == 0)
			check(&t);
		else if (round % 5 == 0)
			check_gaps(&t);
	}
	vt_destroy(&t);
	nref = 0;
	struct vt_node *leaf = NULL;

	for (unsigned long a = 0; a < 2000; a++) {
		ref[nref++] = a * 7;
		if (vt_reserve(&t, 1))
			return 1;
		vt_append(&t, &leaf, a * 7, (struct vma *)(a * 7 + 1));
	}
	check(&t);
	for (int i = 0; i < 1000; i++)
		erase(&t, rand() % nref);
	check(&t);
	vt_destroy(&t);
	if (live) {
		printf("%ld nodes leaked\n", live);
		return 1;
	}
	return 0;
}
