// SPDX-License-Identifier: MIT
/*
 * The disk as it will be: units of eight 512-byte blocks in memory, read where they are first
 * needed. Each 512 bytes know the object that wrote them last: an object whose place another one
 * has taken is no longer checked.
 */
#include "fs/xfs/log/replay_priv.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

static u64 disk_bbs(const struct xfs_replay *r)
{
	return r->sb->dblocks << (r->sb->blocklog - 9);
}

void xfs_unit_free(struct xfs_replay *r, struct xfs_unit *u)
{
	xfs_rfree(r, u->data, XFS_UNIT_BBS * XFS_SECTOR);
	xfs_rfree(r, u, sizeof(*u));
}

static struct xfs_unit *unit_new(struct xfs_replay *r)
{
	struct xfs_unit *u = xfs_ralloc(r, sizeof(*u));

	if (!u)
		return NULL;
	u->data = xfs_ralloc(r, XFS_UNIT_BBS * XFS_SECTOR);
	if (!u->data) {
		xfs_rfree(r, u, sizeof(*u));
		return NULL;
	}
	return u;
}

/* The unit of DADDR with the sectors of MASK loaded. */
static int unit_get(struct xfs_replay *r, u64 daddr, u8 mask, struct xfs_unit **out)
{
	u32 per = r->sb->sectsize / XFS_SECTOR;
	u64 first = daddr / XFS_UNIT_BBS * XFS_UNIT_BBS;
	struct xfs_unit *u = (struct xfs_unit *)xfs_table_find(&r->units, daddr / XFS_UNIT_BBS);
	int e = 0;

	if (!u) {
		u = unit_new(r);
		if (!u)
			return -ENOMEM;
		e = xfs_table_add(r, &r->units, &u->node, daddr / XFS_UNIT_BBS);
		if (e) {
			xfs_unit_free(r, u);
			return e;
		}
	}
	for (u32 i = 0; !e && i < XFS_UNIT_BBS; i += per) {
		u8 sector = (u8)(((1u << per) - 1) << i);

		if (!(mask & sector) || (u->loaded & sector) == sector)
			continue;
		e = r->env->read(r->env->ctx, first + i, u->data + (size_t)i * XFS_SECTOR,
				 per * XFS_SECTOR);
		if (e)
			*r->f = (struct xfs_fault){ "block", "reading", first + i, (u64)-e };
		else
			u->loaded |= sector;
	}
	*out = u;
	return e;
}

/* Of BBS at DADDR, those in the unit of DADDR: how many, and their mask. */
static u32 part_of(u64 daddr, u32 bbs, u8 *mask)
{
	u32 at = (u32)(daddr % XFS_UNIT_BBS), n = min(bbs, XFS_UNIT_BBS - at);

	*mask = (u8)(((1u << n) - 1) << at);
	return n;
}

int xfs_image_get(struct xfs_replay *r, u64 daddr, u32 bbs, void *buf)
{
	u8 *p = buf;

	if (daddr > disk_bbs(r) || bbs > disk_bbs(r) - daddr)
		return xfs_bad(r->f, "log item", "address", daddr, bbs);
	if (daddr < r->log.place + r->log.blocks && r->log.place < daddr + bbs)
		return xfs_bad(r->f, "log item", "address in the log", daddr, bbs);
	while (bbs) {
		struct xfs_unit *u;
		u8 mask;
		u32 n = part_of(daddr, bbs, &mask);
		int e = unit_get(r, daddr, mask, &u);

		if (e)
			return e;
		memcpy(p, u->data + daddr % XFS_UNIT_BBS * XFS_SECTOR, (size_t)n * XFS_SECTOR);
		p += (size_t)n * XFS_SECTOR;
		daddr += n;
		bbs -= n;
	}
	return 0;
}

bool xfs_image_touched(struct xfs_replay *r, u64 daddr, u32 bbs)
{
	while (bbs) {
		struct xfs_tnode *n = xfs_table_find(&r->units, daddr / XFS_UNIT_BBS);
		u8 mask;
		u32 part = part_of(daddr, bbs, &mask);

		if (n && ((struct xfs_unit *)n)->dirty & mask)
			return true;
		daddr += part;
		bbs -= part;
	}
	return false;
}

/* The object at DADDR of BBS; a new one where there is none of this size. */
static struct xfs_object *object_of(struct xfs_replay *r, u64 daddr, u32 bbs)
{
	struct xfs_tnode *n = xfs_table_find(&r->objects, daddr);
	struct xfs_object *o = (struct xfs_object *)n;

	if (o && o->bbs == bbs)
		return o;
	if (n)
		xfs_table_del(&r->objects, n);
	o = xfs_ralloc(r, sizeof(*o));
	if (!o)
		return NULL;
	o->id = ++r->nr_objects;
	o->daddr = daddr;
	o->bbs = bbs;
	o->next = r->all;
	r->all = o;
	return xfs_table_add(r, &r->objects, &o->node, daddr) ? NULL : o;
}

int xfs_image_put(struct xfs_replay *r, u64 daddr, u32 bbs, const void *buf, u8 kind, u64 lsn)
{
	struct xfs_object *o = object_of(r, daddr, bbs);
	const u8 *p = buf;

	if (!o)
		return -ENOMEM;
	o->kind = kind;
	o->lsn = max(lsn, o->lsn);
	while (bbs) {
		struct xfs_unit *u;
		u8 mask;
		u32 n = part_of(daddr, bbs, &mask);
		int e = unit_get(r, daddr, mask, &u);

		if (e)
			return e;
		memcpy(u->data + daddr % XFS_UNIT_BBS * XFS_SECTOR, p, (size_t)n * XFS_SECTOR);
		u->dirty |= mask;
		for (u32 i = 0; i < n; i++)
			u->owner[daddr % XFS_UNIT_BBS + i] = o->id;
		p += (size_t)n * XFS_SECTOR;
		daddr += n;
		bbs -= n;
	}
	return 0;
}

/* ---- writing ---- */

static void sift(struct xfs_unit **v, u32 at, u32 n)
{
	for (;;) {
		u32 child = 2 * at + 1;

		if (child >= n)
			return;
		if (child + 1 < n && v[child + 1]->node.key > v[child]->node.key)
			child++;
		if (v[at]->node.key >= v[child]->node.key)
			return;
		swap(v[at], v[child]);
		at = child;
	}
}

/* By address, in place. */
static void sort_units(struct xfs_unit **v, u32 n)
{
	for (u32 i = n / 2; i--;)
		sift(v, i, n);
	for (u32 i = n; i > 1; i--) {
		swap(v[0], v[i - 1]);
		sift(v, 0, i - 1);
	}
}

/* The sectors of a unit that have a dirty part, in runs. */
static int write_unit(struct xfs_replay *r, struct xfs_unit *u)
{
	u32 per = r->sb->sectsize / XFS_SECTOR, at = 0;
	u8 mask = 0;
	int e = 0;

	for (u32 i = 0; i < XFS_UNIT_BBS; i += per) {
		u8 sector = (u8)(((1u << per) - 1) << i);

		if (u->dirty & sector)
			mask |= sector;
	}
	while (!e && at < XFS_UNIT_BBS) {
		u32 n = 0;

		while (at + n < XFS_UNIT_BBS && mask >> (at + n) & 1)
			n++;
		if (n) {
			e = r->env->write(r->env->ctx, u->node.key * XFS_UNIT_BBS + at,
					  u->data + (size_t)at * XFS_SECTOR, n * XFS_SECTOR);
			r->out->blocks += n;
		}
		at += n + 1;
	}
	return e;
}

int xfs_image_write(struct xfs_replay *r)
{
	u32 n = r->units.count, at = 0;
	struct xfs_unit **v;
	int e = 0;

	if (!n)
		return 0;
	v = xfs_ralloc(r, (size_t)n * sizeof(struct xfs_unit *));
	if (!v)
		return -ENOMEM;
	for (u32 i = 0; i < r->units.cap; i++)
		for (struct xfs_tnode *k = r->units.buckets[i]; k; k = k->next)
			v[at++] = (struct xfs_unit *)k;
	sort_units(v, n);
	for (u32 i = 0; !e && i < n; i++)
		e = write_unit(r, v[i]);
	xfs_rfree(r, v, (size_t)n * sizeof(struct xfs_unit *));
	return e;
}
