// SPDX-License-Identifier: MIT
/* The volume over an image's file, and paths in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/image/image.h"
#include <lib/string.h>

int image_read(struct image *im, u64 at, void *buf, u32 len)
{
	u8 *p = buf;

	while (len) {
		ssize_t n = pread(im->fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		p += n;
		at += (u64)n;
		len -= (u32)n;
	}
	return 0;
}

static void image_report(struct xfs_vol *v, const struct xfs_fault *f)
{
	struct image *im = (struct image *)v;

	im->faults++;
	if (!im->quiet)
		printf("%s %llu: %s is wrong (%llu)\n", f->what, f->place, f->field, f->value);
}

static int image_get(struct xfs_vol *v, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
		     struct xfs_blk *out)
{
	struct image *im = (struct image *)v;
	struct xfs_fault f = { 0 };
	u32 len = 0, at = 0;
	u8 *p;
	int e = 0;

	for (u32 i = 0; i < n; i++)
		len += runs[i].bbs << 9;
	p = malloc(len);
	if (!p)
		return -ENOMEM;
	for (u32 i = 0; !e && i < n; i++) {
		e = image_read(im, runs[i].daddr << 9, p + at, runs[i].bbs << 9);
		at += runs[i].bbs << 9;
	}
	if (e)
		f = (struct xfs_fault){ "block", "reading", runs[0].daddr, 0 };
	else
		e = xfs_verify(&v->sb, kind, runs[0].daddr, p, len, &f);
	if (e) {
		image_report(v, &f);
		free(p);
		return e;
	}
	*out = (struct xfs_blk){ p, p };
	return 0;
}

static void image_put(struct xfs_vol *v, struct xfs_blk *b)
{
	(void)v;
	free(b->ref);
	b->ref = NULL;
}

static bool never(struct xfs_vol *v)
{
	(void)v;
	return false;
}

void image_open(struct image *im, const char *path)
{
	struct xfs_fault f = { 0 };
	static u8 sector[32768];
	u64 end;
	int e;

	*im = (struct image){ .vol = { .get = image_get,
				       .put = image_put,
				       .report = image_report,
				       .stop = never },
			      .path = path };
	im->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (im->fd < 0) {
		fprintf(stderr, "ochre: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	im->bytes = (u64)lseek(im->fd, 0, SEEK_END);
	e = image_read(im, 0, sector,
		       (u32)(im->bytes < sizeof(sector) ? im->bytes : sizeof(sector)));
	e = e ?: xfs_sb_decode(sector, sizeof(sector), &im->vol.sb, &f);
	if (!memcmp(sector, "QFI\xfb", 4)) {
		fprintf(stderr,
			"ochre: %s is a qcow2 image: 'qemu-img convert -O raw' makes one that can be read\n",
			path);
		exit(1);
	}
	if (e == -EINVAL || e == -EIO) {
		fprintf(stderr, "ochre: %s has no XFS (version 5) file system\n", path);
		exit(1);
	}
	if (e) {
		printf("%s %llu: %s is wrong (%llu)\n", f.what, f.place, f.field, f.value);
		exit(1);
	}
	end = im->vol.sb.dblocks << im->vol.sb.blocklog;
	if (end > im->bytes) {
		fprintf(stderr, "ochre: %s has %llu bytes, its file system %llu\n", path, im->bytes,
			end);
		exit(1);
	}
}

static int read_log(void *ctx, u64 bb, u32 n, void *buf)
{
	struct image *im = ctx;

	return image_read(im, (xfs_fsb_daddr(&im->vol.sb, im->vol.sb.logstart) + bb) << 9, buf,
			  n << 9);
}

int image_log_state(struct image *im, struct xfs_log_state *s)
{
	struct xfs_log_reader r = { read_log, im };
	static struct xfs_log_work work;
	struct xfs_fault f;
	struct xfs_log l;
	int e;

	if (!im->vol.sb.logstart) {	/* on another device */
		*s = (struct xfs_log_state){ .clean = true };
		return 0;
	}
	e = xfs_log_open(&l, &im->vol.sb, &r, &work, &f);
	e = e ?: xfs_log_find(&l, s, &f);

	if (e == -XFS_CORRUPT)
		image_report(&im->vol, &f);
	return e;
}

int file_read(struct image *im, u64 ino, struct file *f)
{
	return xfs_node_read(&im->vol, ino, f->literal, &f->node);
}

/* PATH from F on, which becomes what it names. */
static int walk_from(struct image *im, const char *path, struct file *f, unsigned int links)
{
	while (*path) {
		struct file dir = *f;
		char target[1025];
		const char *end;
		u64 ino;
		u8 ftype;
		int e;

		dir.node.literal = dir.literal;
		path += strspn(path, "/");
		end = path + strcspn(path, "/");
		if (end == path)
			break;
		if (!S_ISDIR(dir.node.core.mode))
			return -ENOTDIR;
		if (end - path == 1 && *path == '.') {
			path = end;
			continue;
		}
		e = end - path > 255 ? -ENAMETOOLONG :
				       xfs_dir_lookup(&im->vol, &dir.node, (const u8 *)path,
						      (u32)(end - path), &ino, &ftype);
		e = e ?: file_read(im, ino, f);
		if (e)
			return e;
		path = end;
		if (!S_ISLNK(f->node.core.mode) || !*path)
			continue;
		if (links == 40)
			return -ELOOP;
		e = xfs_symlink_read(&im->vol, &f->node, target);
		target[f->node.core.size] = 0;
		if (!e && *target == '/')
			e = file_read(im, im->vol.sb.rootino, f);
		else if (!e)
			*f = dir, f->node.literal = f->literal;
		e = e ?: walk_from(im, target, f, links + 1);
		if (e)
			return e;
	}
	return 0;
}

int image_find(struct image *im, const char *path, struct file *f)
{
	int e = file_read(im, im->vol.sb.rootino, f);

	return e ?: walk_from(im, path, f, 0);
}

/* C1 controls are two bytes in UTF-8; a terminal acts on them as on the others. */
static bool is_control(const u8 *p, size_t left)
{
	return *p < ' ' || *p == 127 || (*p == 0xc2 && left > 1 && p[1] < 0xa0) || *p == '\\';
}

const char *printable(const u8 *name, size_t len)
{
	static char text[4 * 1024 + 1];
	size_t at = 0;

	for (size_t i = 0; i < len && at + 5 <= sizeof(text); i++) {
		if (is_control(name + i, len - i))
			at += (size_t)sprintf(text + at, "\\%03o", name[i]);
		else
			text[at++] = (char)name[i];
	}
	text[at] = 0;
	return text;
}
