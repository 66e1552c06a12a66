// SPDX-License-Identifier: MIT
/* ls and cat; which command. Arguments are checked by tools/ochre/image.py. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include "tools/image/image.h"
#include <lib/string.h>

static int fail(const struct image *im, const char *path, int e)
{
	fflush(stdout);
	fprintf(stderr, "ochre: %s: %s: %s\n", im->path, path,
		e == -ESTALE ? "the inode is free" : strerror(-e));
	return 1;
}

static void mode_text(u32 mode, char out[11])
{
	static const char types[] = "?pc?d?b?-?l?s???", rwx[] = "rwxrwxrwx";

	out[0] = types[mode >> 12 & 15];
	for (int i = 0; i < 9; i++)
		out[i + 1] = mode & (0400u >> i) ? rwx[i] : '-';
	if (mode & S_ISUID)
		out[3] = mode & 0100 ? 's' : 'S';
	if (mode & S_ISGID)
		out[6] = mode & 0010 ? 's' : 'S';
	if (mode & S_ISVTX)
		out[9] = mode & 0001 ? 't' : 'T';
	out[10] = 0;
}

static int put_line(struct image *im, const struct file *f, const u8 *name, size_t len)
{
	const struct xfs_core *c = &f->node.core;
	time_t when = c->mtime.sec;
	char mode[11], date[32] = "?", size[32], target[1024];
	struct tm tm;
	int e = 0;

	mode_text(c->mode, mode);
	if (gmtime_r(&when, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	if (S_ISBLK(c->mode) || S_ISCHR(c->mode))
		snprintf(size, sizeof(size), "%u,%u", c->rdev >> 20, c->rdev & 0xfffff);
	else
		snprintf(size, sizeof(size), "%llu", c->size);
	printf("%s %u %u %u %s %s ", mode, c->nlink, c->uid, c->gid, size, date);
	printf("%s", printable(name, len));
	if (S_ISLNK(c->mode)) {
		e = xfs_symlink_read(&im->vol, &f->node, target);
		printf(" -> ");
		if (!e)
			printf("%s", printable((const u8 *)target, c->size));
	}
	putchar('\n');
	return e;
}

struct listing {
	struct image *im;
	int status;
};

static bool list_one(void *ctx, const struct xfs_dirent *d)
{
	struct listing *l = ctx;
	static struct file f;
	int e;

	if (d->name[0] == '.' && (d->len == 1 || (d->len == 2 && d->name[1] == '.')))
		return true;
	e = file_read(l->im, d->ino, &f);
	e = e ?: put_line(l->im, &f, d->name, d->len);
	if (e)
		l->status = fail(l->im, "an entry", e);
	return true;
}

static int cmd_ls(struct image *im, const char *path)
{
	static struct file f;
	struct listing l = { im, 0 };
	u32 cookie = 0;
	int e = image_find(im, path, &f);

	if (!e && !S_ISDIR(f.node.core.mode))
		e = put_line(im, &f, (const u8 *)path, strlen(path));
	else if (!e)
		e = xfs_dir_walk(&im->vol, &f.node, &cookie, list_one, &l);
	return e ? fail(im, path, e) : l.status;
}

static int put_zeroes(u64 n)
{
	static const u8 zero[65536];

	while (n) {
		size_t part = n < sizeof(zero) ? n : sizeof(zero);

		if (fwrite(zero, 1, part, stdout) != part)
			return -errno;
		n -= part;
	}
	return 0;
}

static int put_blocks(struct image *im, u64 fsb, u64 n)
{
	static u8 buf[65536];
	u64 at = xfs_fsb_daddr(&im->vol.sb, fsb) << 9;

	while (n) {
		u32 part = (u32)(n < sizeof(buf) ? n : sizeof(buf));
		int e = image_read(im, at, buf, part);

		if (e)
			return e;
		if (fwrite(buf, 1, part, stdout) != part)
			return -errno;
		at += part;
		n -= part;
	}
	return 0;
}

static int cmd_cat(struct image *im, const char *path)
{
	static struct file f;
	u64 pos = 0, size;
	int e = image_find(im, path, &f);

	if (!e && S_ISDIR(f.node.core.mode))
		e = -EISDIR;
	if (!e && !S_ISREG(f.node.core.mode))
		e = -EINVAL;
	size = f.node.core.size;
	while (!e && pos < size) {
		struct xfs_map m;
		u64 end, in = pos >> im->vol.sb.blocklog;

		e = xfs_bmap(&im->vol, &f.node, false, in, &m);
		if (e)
			break;
		end = m.off + m.count > size >> im->vol.sb.blocklog ?
			      size :
			      (m.off + m.count) << im->vol.sb.blocklog;
		e = m.type == XFS_MAP_DATA ? put_blocks(im, m.fsb + (in - m.off), end - pos) :
					     put_zeroes(end - pos);
		pos = end;
	}
	return e ? fail(im, path, e) : 0;
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 1 ? argv[1] : "", *path = argc > 3 ? argv[3] : NULL;
	struct image im;
	int status;

	if (argc < 3)
		return 2;
	image_open(&im, argv[2]);
	if (!strcmp(cmd, "ls"))
		status = cmd_ls(&im, path ?: "/");
	else if (!strcmp(cmd, "cat") && path)
		status = cmd_cat(&im, path);
	else if (!strcmp(cmd, "info"))
		status = cmd_info(&im, path);
	else if (!strcmp(cmd, "check"))
		status = cmd_check(&im);
	else if (!strcmp(cmd, "replay"))
		status = cmd_replay(&im, path);
	else
		return 2;
	if (fflush(stdout) || ferror(stdout)) {
		perror("ochre: stdout");
		return 1;
	}
	return status;
}
