// SPDX-License-Identifier: MIT
/* info: the file system, or one inode with its extents and attributes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "tools/image/image.h"
#include <lib/string.h>

static void put_flags(const char *what, u32 bits, const char *const *names, u32 n)
{
	printf("%s:", what);
	for (u32 i = 0; i < 32; i++)
		if (bits >> i & 1 && i < n)
			printf(" %s", names[i]);
		else if (bits >> i & 1)
			printf(" bit%u", i);
	printf("%s\n", bits ? "" : " none");
}

static int whole(struct image *im)
{
	static const char *const ro[] = { "finobt", "rmapbt", "reflink", "inobtcount" };
	static const char *const in[] = { "ftype",	 "sparse",  "meta_uuid", "bigtime",
					  "needsrepair", "nrext64", "exchange",	 "parent",
					  "metadir",	 "zoned",   "zone_gaps" };
	const struct xfs_sb *sb = &im->vol.sb;
	struct xfs_log_state log;
	u32 bits;
	int e = image_log_state(im, &log);

	printf("uuid: ");
	for (int i = 0; i < 16; i++)
		printf("%02x%s", sb->uuid[i], i == 3 || i == 5 || i == 7 || i == 9 ? "-" : "");
	printf("\nlabel: %s\n", printable((const u8 *)sb->label,
					  strnlen((const char *)sb->label, sizeof(sb->label))));
	printf("blocks: %llu of %u bytes, %llu free\n", sb->dblocks, sb->blocksize, sb->fdblocks);
	printf("groups: %u of %u blocks\n", sb->agcount, sb->agblocks);
	printf("sector: %u, inode: %u, directory block: %u\n", sb->sectsize, sb->inodesize,
	       sb->dirblksize);
	printf("inodes: %llu, %llu free\n", sb->icount, sb->ifree);
	put_flags("read-only compatible", sb->ro_compat, ro, 4);
	put_flags("incompatible", sb->incompat, in, 11);
	printf("log: %u blocks, %s\n", sb->logblocks,
	       e	     ? "unreadable" :
	       !sb->logstart ? "external" :
	       log.clean     ? "clean" :
	       log.foreign   ? "dirty, of the other byte order" :
			       "dirty");
	if (xfs_sb_unsupported(sb, &bits))
		printf("Ochre does not mount it: %s (%#x)\n", xfs_sb_unsupported(sb, &bits), bits);
	else if (xfs_sb_unknown_ro(sb))
		printf("Ochre mounts it read-only: unknown features %#x\n", xfs_sb_unknown_ro(sb));
	return e ? 1 : 0;
}

static int put_extents(struct image *im, const struct xfs_node *n, bool attr)
{
	static const char *const format[] = { "device", "inline", "extents", "btree" };
	u8 fmt = attr ? n->core.aformat : n->core.format;
	struct xfs_map m;

	printf("%s: %s, %llu extents\n", attr ? "attributes" : "data", format[fmt & 3],
	       attr ? n->core.anextents : n->core.nextents);
	for (u64 off = 0; off < XFS_OFF_MAX; off = m.off + m.count) {
		int e = xfs_bmap(&im->vol, n, attr, off, &m);

		if (e)
			return e;
		if (m.type != XFS_MAP_HOLE)
			printf("  %llu..%llu at %llu%s\n", m.off, m.off + m.count - 1, m.fsb,
			       m.type == XFS_MAP_UNWRITTEN ? " unwritten" : "");
	}
	return 0;
}

static bool put_attr(void *ctx, const struct xfs_attr *a)
{
	static const char *const space[] = { "user.", "trusted.", "security.", "", "parent " };

	(void)ctx;
	printf("  %s%s: %u bytes%s\n", space[(a->flags & XFS_ATTR_SPACE) >> 1],
	       printable(a->name, a->namelen), a->valuelen, a->value ? "" : " in blocks");
	return true;
}

int cmd_info(struct image *im, const char *path)
{
	static struct file f;
	const struct xfs_core *c = &f.node.core;
	int e;

	if (!path)
		return whole(im);
	e = image_find(im, path, &f);
	if (e) {
		fprintf(stderr, "ochre: %s: %s: %s\n", im->path, path, strerror(-e));
		return 1;
	}
	printf("inode: %llu\nmode: %o\nowner: %u:%u\nlinks: %u\nsize: %llu\nblocks: %llu\ngeneration: %u\nproject: %u\nflags: %#x %#llx\n",
	       c->ino, c->mode, c->uid, c->gid, c->nlink, c->size, c->nblocks, c->gen, c->projid,
	       c->flags, c->flags2);
	printf("modified: %lld.%09u\nborn: %lld.%09u\n", c->mtime.sec, c->mtime.nsec, c->crtime.sec,
	       c->crtime.nsec);
	e = put_extents(im, &f.node, false);
	e = e ?: put_extents(im, &f.node, true);
	e = e ?: xfs_attr_walk(&im->vol, &f.node, put_attr, NULL);
	return e ? 1 : 0;
}
