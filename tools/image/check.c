// SPDX-License-Identifier: MIT
/*
 * check: everything that can be read is read, and what two places say of one thing is compared.
 * First the headers and trees of each allocation group, which say what every block and every inode
 * is; then each inode that is in use: its extents claim blocks, its names are found again by their
 * hashes, its attributes are read; at last links are counted. Blocks without an owner are reported
 * too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "tools/image/check.h"
#include <stdarg.h>
#include <lib/string.h>

void wrong(struct check *c, const char *fmt, ...)
{
	va_list ap;

	c->wrong++;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static u64 linear(const struct xfs_sb *sb, u64 fsb)
{
	return (u64)xfs_fsb_ag(sb, fsb) * sb->agblocks + xfs_fsb_agb(sb, fsb);
}

bool claim(struct check *c, u64 fsb, u64 count, u8 as, const char *who, u64 number)
{
	const struct xfs_sb *sb = &c->im->vol.sb;
	u64 at = linear(sb, fsb);
	u8 *b = c->blocks + at;

	if (at >= sb->dblocks || count > sb->dblocks - at) {
		wrong(c, "block %llu: %s %llu has it and more, %llu blocks, beyond the end", fsb,
		      who, number, count);
		return false;
	}
	for (u64 i = 0; i < count; i++) {
		if (as == USED && b[i] == SHARED)
			continue;
		if (b[i] != UNKNOWN) {
			wrong(c, "block %llu: %s %llu has it, but it is %s", fsb + i, who, number,
			      b[i] == FREE ? "free" : "another's");
			return false;
		}
		b[i] = as == TREE ? USED : as;
	}
	return true;
}

/* ---- inodes ---- */

struct inode_info *inode_info(struct check *c, u64 ino)
{
	const struct xfs_sb *sb = &c->im->vol.sb;
	u32 agno = xfs_ino_ag(sb, ino), agino = xfs_ino_agino(sb, ino);
	struct ag_info *ag = &c->ags[agno];
	u32 lo = 0, hi = ag->nr_chunks;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (ag->chunks[mid].start + 64 <= agino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < ag->nr_chunks && ag->chunks[lo].start <= agino ?
		       &ag->chunks[lo].inodes[agino - ag->chunks[lo].start] :
		       NULL;
}

static bool in_use(struct check *c, u64 ino)
{
	struct inode_info *i = xfs_ino_ok(&c->im->vol.sb, ino) ? inode_info(c, ino) : NULL;

	return i && i->used;
}

struct names {
	struct check *c;
	const struct xfs_node *dir;
	u64 count;
};

static bool check_name(void *ctx, const struct xfs_dirent *d)
{
	struct names *n = ctx;
	struct check *c = n->c;
	u64 ino, dir = n->dir->core.ino;
	u8 ftype;
	bool dot = d->len == 1 && d->name[0] == '.',
	     dotdot = d->len == 2 && d->name[0] == '.' && d->name[1] == '.';
	struct inode_info *i;
	int e;

	n->count++;
	if (!in_use(c, d->ino)) {
		wrong(c, "directory %llu: '%s' is inode %llu, which is not in use", dir,
		      printable(d->name, d->len), d->ino);
		return true;
	}
	i = inode_info(c, d->ino);
	i->links++;
	if (dot ? d->ino != dir : false)
		wrong(c, "directory %llu: '.' is inode %llu", dir, d->ino);
	if (!dot && !dotdot && i->mode && xfs_ftype_to_dt(d->ftype) != i->mode >> 12)
		wrong(c, "directory %llu: '%s' has the type of another file", dir,
		      printable(d->name, d->len));
	if (!dot && !dotdot && (i->mode & S_IFMT) == S_IFDIR)
		i->parent = dir;
	if (dotdot)
		inode_info(c, dir)->dotdot = d->ino;
	if (dot && n->dir->core.format == XFS_FMT_LOCAL)
		return true;
	e = xfs_dir_lookup(&c->im->vol, n->dir, d->name, d->len, &ino, &ftype);
	if (e || ino != d->ino)
		wrong(c, "directory %llu: '%s' is not found by its hash", dir,
		      printable(d->name, d->len));
	return true;
}

struct attrs {
	struct check *c;
	const struct xfs_node *n;
};

static bool check_attr(void *ctx, const struct xfs_attr *a)
{
	struct attrs *t = ctx;
	u8 space = a->flags & XFS_ATTR_SPACE;
	static u8 value[XFS_ATTR_MAX_VALUE], again[XFS_ATTR_MAX_VALUE];

	if (xfs_attr_value(&t->c->im->vol, t->n, a, value)) {
		wrong(t->c, "inode %llu: attribute '%s' cannot be read", t->n->core.ino,
		      printable(a->name, a->namelen));
		return true;
	}
	if (space == XFS_ATTR_PARENT)
		return true;	/* its hash is not the name's alone */
	if (xfs_attr_get(&t->c->im->vol, t->n, a->name, a->namelen, space, again, sizeof(again)) !=
		    (long)a->valuelen ||
	    memcmp(value, again, a->valuelen))
		wrong(t->c, "inode %llu: attribute '%s' is not found by its hash", t->n->core.ino,
		      printable(a->name, a->namelen));
	return true;
}

/* Claims what a fork maps; the blocks of its btree are claimed by check_bmbt(). */
static u64 check_fork(struct check *c, const struct xfs_node *n, bool attr)
{
	struct xfs_fork k;
	struct xfs_map m;
	u64 blocks = 0, extents = 0;

	if (!xfs_fork_of(&c->im->vol.sb, &n->core, n->literal, attr, &k) ||
	    (k.format != XFS_FMT_EXTENTS && k.format != XFS_FMT_BTREE))
		return 0;
	if (k.format == XFS_FMT_BTREE)
		blocks = check_bmbt(c, n, &k);
	for (u64 off = 0; off < XFS_OFF_MAX; off = m.off + m.count) {
		if (xfs_bmap(&c->im->vol, n, attr, off, &m))
			return blocks;
		if (m.type == XFS_MAP_HOLE)
			continue;
		claim(c, m.fsb, m.count, USED, "inode", n->core.ino);
		blocks += m.count;
		extents++;
	}
	if (extents != k.nextents)
		wrong(c, "inode %llu: it says %llu extents%s, and has %llu", n->core.ino,
		      k.nextents, attr ? " of attributes" : "", extents);
	return blocks;
}

static void check_inode(struct check *c, u64 ino)
{
	static struct file f;
	struct xfs_vol *v = &c->im->vol;
	struct attrs attrs = { c, &f.node };
	struct names names = { c, &f.node, 0 };
	char target[1024];
	u32 cookie = 0;
	u64 blocks;

	if (file_read(c->im, ino, &f))
		return;
	blocks = check_fork(c, &f.node, false);
	blocks += check_fork(c, &f.node, true);
	if (blocks != f.node.core.nblocks)
		wrong(c, "inode %llu: it says %llu blocks, and has %llu", ino, f.node.core.nblocks,
		      blocks);
	if (S_ISDIR(f.node.core.mode))
		xfs_dir_walk(v, &f.node, &cookie, check_name, &names);
	if (S_ISLNK(f.node.core.mode))
		xfs_symlink_read(v, &f.node, target);
	xfs_attr_walk(v, &f.node, check_attr, &attrs);
}

/* Modes first: names are compared with them. */
static void read_modes(struct check *c, u64 ino, struct inode_info *i)
{
	static struct file f;
	int e = file_read(c->im, ino, &f);

	if (e == -ESTALE)
		wrong(c, "inode %llu: it is in use, and has no mode", ino);
	if (e)
		return;
	i->mode = f.node.core.mode;
	i->nlink = f.node.core.nlink;
	i->metadata = f.node.core.flags2 & XFS_DIFLAG2_METADATA;
}

static void each_inode(struct check *c, void (*fn)(struct check *c, u64 ino, struct inode_info *i))
{
	for (u32 agno = 0; agno < c->im->vol.sb.agcount; agno++)
		for (u32 k = 0; k < c->ags[agno].nr_chunks; k++)
			for (u32 i = 0; i < 64; i++) {
				struct chunk *chunk = &c->ags[agno].chunks[k];

				if (chunk->inodes[i].used)
					fn(c, xfs_ino_make(&c->im->vol.sb, agno, chunk->start + i),
					   &chunk->inodes[i]);
			}
}

static void contents(struct check *c, u64 ino, struct inode_info *i)
{
	if (i->mode)
		check_inode(c, ino);
}

static bool is_special(const struct xfs_sb *sb, u64 ino, const struct inode_info *i)
{
	return i->metadata || ino == sb->uquotino || ino == sb->gquotino || ino == sb->pquotino ||
	       ino == sb->rootino + 1 || ino == sb->rootino + 2;
}

static void links(struct check *c, u64 ino, struct inode_info *i)
{
	const struct xfs_sb *sb = &c->im->vol.sb;

	if (!i->mode || i->unlinked || is_special(sb, ino, i))
		return;
	if (!i->links)
		wrong(c, "inode %llu: no directory has it", ino);
	else if (i->links != i->nlink)
		wrong(c, "inode %llu: it says %u links, and has %u", ino, i->nlink, i->links);
	if (S_ISDIR(i->mode) && ino != sb->rootino && i->dotdot != i->parent)
		wrong(c, "directory %llu: '..' is inode %llu, and it lies in %llu", ino, i->dotdot,
		      i->parent);
}

/* ---- the whole ---- */

static void totals(struct check *c)
{
	const struct xfs_sb *sb = &c->im->vol.sb;
	u64 lost = 0, first = 0;

	if (c->inodes != sb->icount)
		wrong(c, "superblock: it says %llu inodes, and there are %llu", sb->icount,
		      c->inodes);
	if (c->free_inodes != sb->ifree)
		wrong(c, "superblock: it says %llu free inodes, and there are %llu", sb->ifree,
		      c->free_inodes);
	for (u64 i = 0; i < sb->dblocks; i++) {
		if (c->blocks[i] == UNKNOWN && !lost++)
			first = i;
	}
	if (lost)
		wrong(c, "%llu blocks are neither free nor anybody's, the first is %llu", lost,
		      xfs_fsb_make(sb, (u32)(first / sb->agblocks), (u32)(first % sb->agblocks)));
}

int cmd_check(struct image *im)
{
	const struct xfs_sb *sb = &im->vol.sb;
	struct check c = { .im = im };
	struct xfs_log_state log;
	u32 bits;

	c.blocks = calloc(sb->dblocks, 1);
	c.ags = calloc(sb->agcount, sizeof(*c.ags));
	if (!c.blocks || !c.ags) {
		fprintf(stderr, "ochre: no memory\n");
		return 1;
	}
	if (xfs_sb_unsupported(sb, &bits))
		wrong(&c, "superblock: %s (%#x)", xfs_sb_unsupported(sb, &bits), bits);
	if (!image_log_state(im, &log) && !log.clean)
		wrong(&c, "the log is dirty: what is in it is not looked at");
	if (sb->logstart)
		claim(&c, sb->logstart, sb->logblocks, USED, "log", 0);
	for (u32 agno = 0; agno < sb->agcount; agno++)
		check_ag(&c, agno);
	each_inode(&c, read_modes);
	each_inode(&c, contents);
	each_inode(&c, links);
	totals(&c);
	if (c.wrong + im->faults)
		printf("%lu things are wrong\n", c.wrong + im->faults);
	else
		printf("%llu blocks, %llu inodes: nothing is wrong\n", sb->dblocks,
		       c.inodes - c.free_inodes);
	for (u32 agno = 0; agno < sb->agcount; agno++)
		free(c.ags[agno].chunks);
	free(c.ags);
	free(c.blocks);
	return c.wrong + im->faults ? 1 : 0;
}
