// SPDX-License-Identifier: MIT
/* What the tree of owners says of an AG, and numbers in memory. */
#include "fs/xfs/repair/repair.h"
#include <alloc/slab.h>
#include <lib/minmax.h>
#include <sched/task.h>

/* ---- numbers ---- */

int xfs_list_add(struct xfs_list *l, u64 v)
{
	if (l->n == l->room) {
		u32 room = l->room ? l->room * 2 : 512;
		u64 *new = room > l->room ?
				   kvmalloc_array(room, sizeof(*new), GFP_NOFS | __GFP_NOWARN) :
				   NULL;

		if (!new)
			return -ENOMEM;
		if (l->n)
			memcpy(new, l->v, l->n * sizeof(*new));
		kvfree(l->v);
		l->v = new;
		l->room = room;
	}
	l->v[l->n++] = v;
	return 0;
}

void xfs_list_free(struct xfs_list *l)
{
	kvfree(l->v);
	*l = (struct xfs_list){ 0 };
}

/* Entries of W numbers, sorted by the first, of which the highest LEFT bits do not count. */
struct heap {
	u64 *v;
	u32 w, left;
};

static u64 key_of(const struct heap *h, u64 i)
{
	return h->v[i * h->w] << h->left;
}

static void change(struct heap *h, u64 a, u64 b)
{
	for (u32 k = 0; k < h->w; k++)
		swap(h->v[a * h->w + k], h->v[b * h->w + k]);
}

/* The entry at I goes down to where those below it are smaller; N: how many there are. */
static void sink(struct heap *h, u64 i, u64 n)
{
	for (;;) {
		u64 k = 2 * i + 1;

		if (k >= n)
			return;
		if (k + 1 < n && key_of(h, k + 1) > key_of(h, k))
			k++;
		if (key_of(h, i) >= key_of(h, k))
			return;
		change(h, i, k);
		i = k;
	}
}

/* Heapsort: N log N in any case. */
static void sort(struct heap *h, u32 all)
{
	for (u32 i = all / 2; i-- > 0;)
		sink(h, i, all);
	for (u32 n = all; n > 1; n--) {
		change(h, 0, n - 1);
		sink(h, 0, n - 1);
		if (!(n % 1000))
			cond_resched();
	}
}

void xfs_list_sort(struct xfs_list *l)
{
	struct heap h = { l->v, 1, 0 };

	sort(&h, l->n);
}

void xfs_list_sort_exts(struct xfs_list *l)
{
	/* The first bit says that it is unwritten. */
	struct heap h = { l->v, 2, 1 };

	sort(&h, l->n / 2);
}

int xfs_list_subtract(struct xfs_list *a, const struct xfs_list *b)
{
	u32 to = 0, k = 0;

	for (u32 i = 0; i < a->n; i++)
		if (k < b->n && b->v[k] == a->v[i])
			k++;
		else
			a->v[to++] = a->v[i];
	a->n = to;
	return k == b->n ? 0 : -XFS_CORRUPT;
}

/* ---- sources ---- */

int xfs_repair_sound(struct xfs_repair *r, enum xfs_scrub_type type)
{
	struct xfs_scrub *sc = &r->sc;
	int e;

	r->req = (struct xfs_scrub_req){ .type = type, .agno = r->ag->agno };
	sc->error = 0;
	sc->xref = true;
	memset(sc->no, true, sizeof(sc->no));
	switch (type) {
	case XFS_SCRUB_BNOBT:
	case XFS_SCRUB_CNTBT:
		e = xfs_scrub_alloc(sc);
		break;
	case XFS_SCRUB_INOBT:
	case XFS_SCRUB_FINOBT:
		e = xfs_scrub_ialloc(sc);
		break;
	case XFS_SCRUB_REFCNTBT:
		e = xfs_scrub_refcount(sc);
		break;
	default:
		e = xfs_scrub_rmap(sc);
	}
	return e ?: sc->error ?: xfs_scrub_is_bad(sc) ? -XFS_CORRUPT : 0;
}

static int add_block(struct xfs_scrub *sc, u32 agb, void *ctx)
{
	(void)sc;
	return xfs_list_add(ctx, agb);
}

int xfs_repair_blocks(struct xfs_repair *r, enum xfs_bt kind, struct xfs_list *l)
{
	struct xfs_scrub_tree t = { .kind = kind, .block = add_block, .ctx = l, .last = U32_MAX };

	return xfs_scrub_walk(&r->sc, &t);
}

/* ---- what the owners say ---- */

struct gather {
	struct xfs_repair *r;
	u64 reach;			/* the block behind all that have an owner so far */
};

static int add_blocks(struct xfs_list *l, const struct xfs_bt_rec *rec)
{
	int e = 0;

	for (u32 i = 0; !e && i < rec->count; i++)
		e = xfs_list_add(l, rec->start + i);
	return e;
}

static int add_data(struct xfs_repair *r, const struct xfs_bt_rec *rec)
{
	int e;

	if (rec->offset & (XFS_RMAP_ATTR | XFS_RMAP_BMBT))
		return 0;
	e = xfs_list_add(&r->starts, rec->start);
	return e ?: xfs_list_add(&r->ends, (u64)rec->start + rec->count);
}

static int add_owner(struct xfs_scrub *sc, const struct xfs_bt_rec *rec, void *ctx)
{
	struct gather *g = ctx;
	struct xfs_repair *r = g->r;
	int e = 0;

	(void)sc;
	if (rec->start > g->reach)
		e = xfs_list_add(&r->free, xfs_pair((u32)g->reach, rec->start - (u32)g->reach));
	g->reach = max(g->reach, (u64)rec->start + rec->count);
	if (e)
		return e;
	switch (rec->owner) {
	case XFS_OWN_AG:
		return add_blocks(&r->own, rec);
	case XFS_OWN_INOBT:
		return add_blocks(&r->inobt, rec);
	case XFS_OWN_REFC:
		return add_blocks(&r->refc, rec);
	case XFS_OWN_INODES:
		return xfs_list_add(&r->inodes, xfs_pair(rec->start, rec->count));
	case XFS_OWN_COW:
		return xfs_list_add(&r->staged, xfs_pair(rec->start, rec->count));
	}
	return rec->owner >> 63 ? 0 : add_data(r, rec);
}

int xfs_gather_owners(struct xfs_repair *r)
{
	struct gather g = { .r = r };
	struct xfs_scrub_tree t = {
		.kind = XFS_BT_RMAP, .rec = add_owner, .ctx = &g, .last = U32_MAX
	};
	struct xfs_list own = { 0 };
	int e = xfs_repair_sound(r, XFS_SCRUB_RMAPBT);

	e = e ?: xfs_scrub_walk(&r->sc, &t);
	if (!e && g.reach < r->ag->length)
		e = xfs_list_add(&r->free, xfs_pair((u32)g.reach, r->ag->length - (u32)g.reach));
	e = e ?: xfs_repair_blocks(r, XFS_BT_RMAP, &own);
	r->rmap_blocks = own.n;
	xfs_list_sort(&own);
	e = e ?: xfs_list_subtract(&r->own, &own);
	xfs_list_free(&own);
	return e;
}

void xfs_gather_end(struct xfs_repair *r)
{
	struct xfs_list *all[] = { &r->free,   &r->own,	 &r->inobt,  &r->refc, &r->inodes,
				   &r->starts, &r->ends, &r->staged, &r->old,  &r->pieces };

	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		xfs_list_free(all[i]);
}

/* ---- free space ---- */

struct same {
	const struct xfs_list *l;
	u32 at;
};

static int next_same(struct xfs_scrub *sc, const struct xfs_bt_rec *rec, void *ctx)
{
	struct same *s = ctx;
	u64 v = xfs_pair(rec->start, rec->count);

	if (s->at >= s->l->n)
		return -XFS_CORRUPT;
	if (sc->req->type == XFS_SCRUB_CNTBT)
		v = xfs_pair(rec->count, rec->start);
	return s->l->v[s->at++] == v ? 0 : -XFS_CORRUPT;
}

int xfs_repair_same_space(struct xfs_repair *r, enum xfs_bt kind)
{
	struct xfs_list by_len = { 0 };
	struct same s = { .l = &r->free };
	struct xfs_scrub_tree t = { .kind = kind, .rec = next_same, .ctx = &s, .last = U32_MAX };
	int e = xfs_repair_sound(r, kind == XFS_BT_CNT ? XFS_SCRUB_CNTBT : XFS_SCRUB_BNOBT);

	for (u32 i = 0; !e && kind == XFS_BT_CNT && i < r->free.n; i++)
		e = xfs_list_add(&by_len, r->free.v[i] << 32 | r->free.v[i] >> 32);
	if (kind == XFS_BT_CNT) {
		xfs_list_sort(&by_len);
		s.l = &by_len;
	}
	e = e ?: xfs_scrub_walk(&r->sc, &t);
	if (!e && s.at != r->free.n)
		e = -XFS_CORRUPT;
	xfs_list_free(&by_len);
	return e;
}

int xfs_repair_space_ok(struct xfs_repair *r)
{
	int e = xfs_repair_same_space(r, XFS_BT_BNO);

	return e ?: xfs_repair_same_space(r, XFS_BT_CNT);
}
