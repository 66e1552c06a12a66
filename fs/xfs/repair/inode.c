// SPDX-License-Identifier: MIT
/*
 * Inodes: their cores and their forks, with Linux's rules for what a damaged core becomes. A core
 * that nobody can read comes to the table of inodes as what it is made to be, locked, and is found
 * only when that is committed.
 *
 * A fork that cannot be read is made anew in the same transaction, so that nobody ever finds it
 * empty. What is in the record itself (short names, targets and attributes), and a core that does
 * not say what the inode is, has no other source: it stays as it is, with its mark.
 */
#include "fs/xfs/repair/fork.h"
#include <alloc/slab.h>
#include <lib/minmax.h>
#include <mm/filemap.h>
#include <linux/stat.h>

struct mend {
	struct xfs_scrub *sc;
	struct xfs_repair *r;
	struct xfs_owned o;
	struct xfs_lino *li;		/* locked for writing */
	bool adopted;			/* LI came to the table by this repair */
	struct xfs_core core;		/* what LI is to be */
	u8 *literal, *record;
};

#define FLAG_NEWRTBM	0x0004u
#define FLAGS_KNOWN	0x7fffu
#define OF_DIRS (XFS_DIFLAG_RTINHERIT | XFS_DIFLAG_EXTSZINHERIT | XFS_DIFLAG_PROJINHERIT | \
		 XFS_DIFLAG_NOSYMLINKS)

/* ---- the core ---- */

static void mend_flags(const struct xfs_sb *sb, struct xfs_core *c)
{
	bool dir = S_ISDIR(c->mode), reg = S_ISREG(c->mode);

	c->flags &= FLAGS_KNOWN & ~(XFS_DIFLAG_REALTIME | FLAG_NEWRTBM);
	if (!dir)
		c->flags &= (u16)~OF_DIRS;
	if (!reg)
		c->flags &= (u16)~XFS_DIFLAG_EXTSIZE;
	if (!reg && !dir)
		c->flags2 &= ~(u64)(XFS_DIFLAG2_DAX | XFS_DIFLAG2_COWEXTSIZE);
	if (!reg || !(sb->ro_compat & XFS_RO_REFLINK))
		c->flags2 &= ~(u64)XFS_DIFLAG2_REFLINK;
	if (!(sb->ro_compat & XFS_RO_REFLINK))
		c->flags2 &= ~(u64)XFS_DIFLAG2_COWEXTSIZE;
	if (!(sb->incompat & XFS_IN_BIGTIME))
		c->flags2 &= ~(u64)XFS_DIFLAG2_BIGTIME;
	if (!(sb->incompat & XFS_IN_NREXT64))
		c->flags2 &= ~(u64)XFS_DIFLAG2_NREXT64;
}

/* Hints that make no sense go, with the flags that say that there are any. */
static void mend_hints(const struct xfs_sb *sb, struct xfs_core *c)
{
	u16 flags = XFS_DIFLAG_EXTSIZE | XFS_DIFLAG_EXTSZINHERIT;

	if (!xfs_scrub_hint_ok(sb, c->extsize, c->flags & flags)) {
		c->extsize = 0;
		c->flags &= (u16)~flags;
	}
	if (!xfs_scrub_hint_ok(sb, c->cowextsize, c->flags2 & XFS_DIFLAG2_COWEXTSIZE)) {
		c->cowextsize = 0;
		c->flags2 &= ~(u64)XFS_DIFLAG2_COWEXTSIZE;
	}
}

static void mend_size(struct xfs_core *c)
{
	if (S_ISREG(c->mode))
		c->size &= ~(1ull << 63);
	else if (S_ISDIR(c->mode))
		c->size = min(c->size, (u64)XFS_DIR_LEAF_START - 1);
	else if (!S_ISLNK(c->mode))
		c->size = 0;
}

static int mend_core(struct mend *m)
{
	const struct xfs_sb *sb = m->r->sb;
	struct xfs_core *c = &m->core;

	switch (c->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	default:
		return -XFS_CORRUPT;
	}
	mend_flags(sb, c);
	mend_hints(sb, c);
	mend_size(c);
	return 0;
}

/* ---- forks ---- */

/* Would a reader of the record take it? */
static bool record_ok(struct mend *m)
{
	const struct xfs_sb *sb = m->r->sb;
	struct xfs_fault f = { 0 };
	struct xfs_core c;

	memset(m->record, 0, sb->inodesize);
	xfs_inode_encode(sb, &m->core, m->literal, m->record);
	return !xfs_inode_decode(sb, m->core.ino, m->record, &c, &f);
}

static bool of_extents(u8 format)
{
	return format == XFS_FMT_EXTENTS || format == XFS_FMT_BTREE;
}

static bool fork_fits(const struct xfs_sb *sb, const struct xfs_core *c, bool attr)
{
	u32 all = xfs_literal_size(sb);
	u32 room = attr ? all - c->forkoff : c->forkoff ?: all;
	u64 n = attr ? c->anextents : c->nextents;

	return (attr ? c->aformat : c->format) == XFS_FMT_BTREE ? n > room / 16 : n <= room / 16;
}

/* Forks of extents that a core which is no other trouble has, as far as they cannot be read. */
static int mend_forks(struct mend *m)
{
	struct xfs_core *c = &m->core;
	bool data = of_extents(c->format) && !fork_fits(m->r->sb, c, false);
	bool attr = c->forkoff && of_extents(c->aformat) && !fork_fits(m->r->sb, c, true);
	int e;

	if (c->forkoff >= xfs_literal_size(m->r->sb))
		return -XFS_CORRUPT;
	if (!data && !attr && !record_ok(m)) {
		data = of_extents(c->format);
		attr = c->forkoff && of_extents(c->aformat);
	}
	e = data ? xfs_make_fork(m->r, &m->o, false, c, m->literal) : 0;
	if (!e && attr)
		e = xfs_make_fork(m->r, &m->o, true, c, m->literal);
	return e;
}

/* Whether blocks are shared. One that has copies which are not written keeps the flag. */
static void mend_sharing(struct mend *m)
{
	struct xfs_core *c = &m->core;
	struct inode *inode = m->sc->inode;

	if (!S_ISREG(c->mode) || !(m->r->sb->ro_compat & XFS_RO_REFLINK))
		return;
	if (m->o.shared)
		c->flags2 |= XFS_DIFLAG2_REFLINK;
	else if (!inode || RB_EMPTY_ROOT(&XFS_I(inode)->copies))
		c->flags2 &= ~(u64)XFS_DIFLAG2_REFLINK;
}

static int mend_inode(struct mend *m)
{
	int e = mend_core(m);

	m->core.nblocks = m->o.blocks;
	e = e ?: mend_forks(m);
	if (!e)
		mend_sharing(m);
	return e;
}

static int mend_bmap(struct mend *m)
{
	bool attr = m->sc->req->type == XFS_SCRUB_BMBTA;

	if (attr && !m->core.forkoff)
		return -ENOENT;
	if (!of_extents(attr ? m->core.aformat : m->core.format))
		return 0;
	return xfs_make_fork(m->r, &m->o, attr, &m->core, m->literal);
}

/* Promised blocks lie where the file has none: they are kept only where that stays true. */
static bool promises_ok(struct mend *m)
{
	struct inode *inode = m->sc->inode;
	const struct xfs_list *l = &m->o.fork[0].exts;
	u64 first, count;

	if (!m->o.fork[0].made || !inode || !S_ISREG(inode->i_mode))
		return true;
	for (u32 i = 0; i < l->n / 2; i++) {
		u8 rec[16];
		struct xfs_ext x;

		xfs_put64(rec, l->v[2 * i]);
		xfs_put64(rec + 8, l->v[2 * i + 1]);
		xfs_ext_get(rec, &x);
		if (xfs_delay_find(&XFS_I(inode)->delays, x.off, &first, &count) &&
		    first < x.off + x.count)
			return false;
	}
	return true;
}

/* ---- the inode in memory ---- */

/* The record of an inode that nobody can read, as it is. */
static int read_record(struct mend *m, u64 ino)
{
	const struct xfs_sb *sb = m->r->sb;
	u32 blocks, off;
	u64 fsb = xfs_cluster_of(sb, ino, &blocks, &off);
	struct xfs_run run = { xfs_fsb_daddr(sb, fsb), blocks << (sb->blocklog - 9) };
	struct xfs_blk b;
	int e = xfs_scrub_get_block(&m->r->sc, XFS_BLK_INODES, &run, 1, &b);

	if (e)
		return e;
	memcpy(m->record, (const u8 *)b.data + off, sb->inodesize);
	xfs_buf_put(&m->r->mp->cache, &b);
	xfs_inode_decode_as_is(m->record, &m->core);
	memcpy(m->literal, m->record + sizeof(struct xfs_dinode), xfs_literal_size(sb));
	m->core.ino = ino;
	if (!xfs_scrub_any_gen(m->sc))
		m->core.gen = m->sc->req->gen;
	return m->core.mode ? 0 : -XFS_CORRUPT;
}

/* It is in use, as the tree of its AG has it, and stays so: nobody can free what cannot be read. */
static int adopt(struct mend *m)
{
	u64 ino = m->sc->req->ino;
	struct xfs_scrub *sc = &m->r->sc;
	int e = xfs_scrub_lock_agi(sc, xfs_ino_ag(m->r->sb, ino));

	e = e ?: xfs_ino_in_use(&m->r->mp->fs.vol, ino);
	e = e ?: read_record(m, ino);
	if (!e) {
		struct xfs_lino *li = xfs_lino_adopt(m->r->mp, &m->core, m->literal);

		e = PTR_ERR_OR_ZERO(li);
		m->adopted = !e;
		m->li = e ? NULL : li;
	}
	xfs_scrub_unlock_ag(sc);
	return e;
}

static int lock_inode(struct mend *m)
{
	const struct xfs_core *c;

	if (!m->sc->li)
		return m->sc->req->type == XFS_SCRUB_INODE ? adopt(m) : -XFS_CORRUPT;
	m->li = m->sc->li;
	down_write(&m->li->lock);
	c = &m->li->ip.node.core;
	m->core = *c;
	memcpy(m->literal, m->li->ip.node.literal, xfs_literal_size(m->r->sb));
	return c->mode ? 0 : -ENOENT;
}

static void unlock_inode(struct mend *m, int e)
{
	if (!m->li)
		return;
	/* Whoever found it meanwhile finds that it is none. */
	if (m->adopted && e)
		m->li->ip.node.core.mode = 0;
	up_write(&m->li->lock);
	if (m->adopted)
		xfs_lino_put(m->li);
	m->li = NULL;
	m->adopted = false;
}

/* LI becomes what was made, in memory and in the log. */
static void set_inode(struct mend *m)
{
	struct xfs_ino *ip = &m->li->ip;
	struct inode *inode = m->sc->inode;
	struct xfs_core *c = &m->core;

	c->nblocks = xfs_blocks_of(&m->o);
	c->changecount++;
	ip->node.core = *c;
	memcpy(xfs_ino_literal(ip), m->literal, xfs_literal_size(m->r->sb));
	xfs_tx_inode(m->r->tx, ip,
		     XFS_LI_CORE | XFS_LI_DEV | XFS_LI_DDATA | XFS_LI_DEXT | XFS_LI_DBROOT |
			     XFS_LI_ADATA | XFS_LI_AEXT | XFS_LI_ABROOT);
	if (!inode)
		return;
	inode->i_blocks = c->nblocks << (m->r->sb->blocklog - 9);
	inode->i_version = c->changecount;
	xfs_set_vfs_flags(inode, c);
	if (S_ISREG(inode->i_mode))
		xfs_map_changed(inode);
}

/* ---- one repair ---- */

static int make(struct mend *m)
{
	int e = lock_inode(m);

	m->o.ino = m->core.ino;
	e = e ?: xfs_gather_inode(m->r, &m->o, S_ISDIR(m->core.mode));
	e = e ?: m->sc->req->type == XFS_SCRUB_INODE ? mend_inode(m) : mend_bmap(m);
	if (!e)
		m->core.nblocks = xfs_blocks_of(&m->o);
	if (!e && m->sc->req->type == XFS_SCRUB_INODE && !record_ok(m))
		e = -XFS_CORRUPT;
	if (!e && !promises_ok(m))
		e = -EBUSY;
	e = e ?: xfs_own_forks(m->r, &m->o);
	if (!e)
		set_inode(m);
	return e;
}

/* The rest of the old blocks. What cannot be freed stays the inode's, and is in no fork. */
static int reap_rest(struct mend *m)
{
	int e = 0;

	while (!e && xfs_forks_left(&m->o)) {
		e = xfs_repair_begin(m->r);
		if (e)
			break;
		e = xfs_end(m->r->tx, xfs_reap_forks(m->r, &m->o));
	}
	return e;
}

static int mend_once(struct mend *m)
{
	struct xfs_repair *r = m->r;
	int e = xfs_repair_begin(r);

	if (e)
		return e;
	e = xfs_end(r->tx, make(m));
	unlock_inode(m, e);
	return e ?: reap_rest(m);
}

static void forget(struct mend *m)
{
	xfs_gather_end(m->r);
	m->r->at_piece = m->r->at_block = m->r->rmap_blocks = 0;
	m->r->agi = m->r->agf = NULL;
	xfs_owned_end(&m->o);
	memset(&m->o, 0, sizeof(m->o));
}

static int mend_locked(struct mend *m)
{
	const struct xfs_ag *space = xfs_ag_of(&m->r->mp->fs, m->r->space);
	int e;

	do {
		forget(m);
		e = xfs_repair_fill(m->r, m->r->space);
		e = e ?: mend_once(m);
		if (e == -E2BIG)
			e = xfs_repair_has_room(m->r) ? -E2BIG : -ENOSPC;
	} while (e == -E2BIG);
	/* The next try finds that nothing is pending. */
	if (e == -EDEADLK && wait_event_killable(m->r->mp->drained, xfs_ag_drained(space)))
		e = -EINTR;
	return e;
}

/* ---- the VFS's inode ---- */

/* What the VFS may bring at any time is brought, for its locks. */
static void get_inode(struct xfs_scrub *sc)
{
	struct inode *inode;

	if (sc->inode || !sc->li)
		return;
	inode = xfs_iget_outside(sc->mp, xfs_scrub_node(sc)->core.ino, NULL);
	if (IS_ERR(inode))
		return;
	d_mark_dontcache(inode);
	sc->inode = inode;
}

static int mend_all(struct mend *m)
{
	struct inode *inode = m->sc->inode;
	bool file = inode && S_ISREG(inode->i_mode);
	int e;

	if (inode) {
		inode_lock(inode);
		inode_dio_wait(inode);
	}
	if (file)
		filemap_invalidate_lock(&inode->i_data);
	e = mend_locked(m);
	if (file) {
		/* What was read may be of other blocks than the file's. */
		if (!e)
			(void)invalidate_mapping_pages(&inode->i_data, 0, ~0ul);
		filemap_invalidate_unlock(&inode->i_data);
	}
	if (inode)
		inode_unlock(inode);
	return e;
}

/* The AG where a tree goes: the inode's own, or else the one that has most free blocks. */
static u32 choose(struct xfs_mount *mp, u64 ino)
{
	u32 ags = smp_load_acquire(&mp->fs.vol.sb.agcount), own = xfs_ino_ag(&mp->fs.vol.sb, ino);
	u32 best = own;

	if (READ_ONCE(xfs_ag_of(&mp->fs, own)->freeblks) > mp->fs.vol.sb.agblocks / 8)
		return own;
	for (u32 i = 0; i < ags; i++)
		if (READ_ONCE(xfs_ag_of(&mp->fs, i)->freeblks) >
		    READ_ONCE(xfs_ag_of(&mp->fs, best)->freeblks))
			best = i;
	return best;
}

int xfs_repair_inode(struct xfs_scrub *sc)
{
	struct mend *m = kzalloc(sizeof(*m), GFP_KERNEL);
	u64 ino = sc->li ? xfs_scrub_node(sc)->core.ino : sc->req->ino;
	u32 size = sc->mp->fs.vol.sb.inodesize;
	int e = -ENOMEM;

	if (!m)
		return -ENOMEM;
	m->sc = sc;
	m->r = kzalloc(sizeof(*m->r), GFP_KERNEL);
	m->record = kzalloc(size, GFP_KERNEL);
	m->literal = kzalloc(size, GFP_KERNEL);
	if (m->r && m->record && m->literal) {
		xfs_repair_init(m->r, sc);
		m->r->space = choose(sc->mp, ino);
		get_inode(sc);
		e = mend_all(m);
		forget(m);
	}
	kfree(m->literal);
	kfree(m->record);
	kfree(m->r);
	kfree(m);
	return e;
}
