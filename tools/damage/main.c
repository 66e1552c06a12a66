// SPDX-License-Identifier: MIT
/*
 * damage [OPTION ...] IMAGE: changes one field of one structure of an XFS, the same one for the
 * same seed and image, and says in one line what.
 *
 * With --live the file system is mounted: it is frozen, so that the log is empty and nothing is
 * being written, what is in memory of it is dropped, the damage is written, what has come to memory
 * since is dropped too, and it is thawed. Whoever reads the structure next meets the damage.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "tools/damage/damage.h"
#include <lib/string.h>

static const char usage[] =
	"usage: damage [OPTION ...] IMAGE\n"
	"  --seed N      choose by this number (1)\n"
	"  --type A,B    only these: sb (copies), agf, agfl, agi, bnobt, cntbt, inobt, finobt, rmapbt,\n"
	"                refcountbt, inode, bmapbtd, bmapbta, fscounters\n"
	"  --ag N        only of this AG\n"
	"  --inode N     only of this inode\n"
	"  --checksum W  right: made right again; wrong; either (half and half, the default)\n"
	"  --curable     only what other metadata say again, so that a repair can restore it\n"
	"  --met         only what whoever reads the structure notices\n"
	"  --list        say what there is to damage, and change nothing\n"
	"  --dry-run     say what would be changed\n"
	"  --undo FILE   write there what was there before\n"
	"  --revert FILE put back what --undo wrote\n"
	"  --live DIR    IMAGE is the device of what is mounted at DIR\n";

static int frozen = -1;

static void thaw(void)
{
	if (frozen >= 0 && ioctl(frozen, FITHAW, 0))
		fprintf(stderr, "damage: it cannot be thawed: %s\n", strerror(errno));
	frozen = -1;
}

static void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *fmt, ...)
{
	va_list ap;

	thaw();
	fflush(stdout);
	fprintf(stderr, "damage: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

static void __attribute__((noreturn)) wrong_use(const char *what, const char *value)
{
	fprintf(stderr, "damage: %s: '%s' is wrong (damage --help)\n", what, value);
	exit(2);
}

static u64 number(const char *what, const char *text, u64 most)
{
	char *end;
	u64 v;

	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || v > most)
		wrong_use(what, text);
	return v;
}

static u32 types_of(const char *text)
{
	u32 mask = 0;

	while (*text) {
		size_t n = strcspn(text, ",");
		u32 i = 0;

		while (i < TYPES && (strlen(types[i].name) != n || memcmp(types[i].name, text, n)))
			i++;
		if (i == TYPES)
			wrong_use("--type", text);
		mask |= 1u << i;
		text += n + (text[n] == ',');
	}
	return mask;
}

/* ---- a mounted file system ---- */

/* What is in memory of the disk and need not be. Slabs are given back little by little. */
static void drop(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0)
		fail("/proc/sys/vm/drop_caches: %s", strerror(errno));
	for (int i = 0; i < 8; i++)
		if (write(fd, "3", 1) != 1)
			fail("/proc/sys/vm/drop_caches: %s", strerror(errno));
	close(fd);
}

static void freeze(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		fail("%s: %s", dir, strerror(errno));
	if (ioctl(fd, FIFREEZE, 0))
		fail("%s cannot be frozen: %s", dir, strerror(errno));
	frozen = fd;
	drop();
}

/* ---- writing ---- */

static void write_bytes(const char *path, u64 at, const u8 *p, u32 len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			fail("%s: %s", path, strerror(n ? errno : EIO));
		p += n;
		at += (u64)n;
		len -= (u32)n;
	}
	if (fsync(fd))
		fail("%s: %s", path, strerror(errno));
	close(fd);
}

static void write_undo(const char *path, const struct damage *d)
{
	FILE *f = fopen(path, "we");

	if (!f)
		fail("%s: %s", path, strerror(errno));
	fprintf(f, "%llu %u\n", d->t.at, d->t.len);
	for (u32 i = 0; i < d->t.len; i++)
		fprintf(f, "%02x", d->before[i]);
	fprintf(f, "\n");
	if (fclose(f))
		fail("%s: %s", path, strerror(errno));
}

static void revert(const char *path, const char *image)
{
	unsigned long long at;
	unsigned int len, byte;
	FILE *f = fopen(path, "re");
	u8 *p;

	if (!f)
		fail("%s: %s", path, strerror(errno));
	if (fscanf(f, "%llu %u", &at, &len) != 2 || !len || len > 65536 || at >> 62)
		fail("%s: this is no undo record", path);
	p = malloc(len);
	if (!p)
		fail("no memory");
	for (u32 i = 0; i < len; i++) {
		if (fscanf(f, "%2x", &byte) != 1)
			fail("%s: this is no undo record", path);
		p[i] = (u8)byte;
	}
	fclose(f);
	write_bytes(image, at, p, len);
	free(p);
	printf("reverted: daddr %llu, %u bytes\n", at >> 9, len);
}

/* ---- what is said ---- */

static void say(const struct damage *d)
{
	const struct type *t = &types[d->t.type];
	char place[40] = "";

	if (d->t.type == T_INODE)
		snprintf(place, sizeof(place), " %llu", d->t.ino);
	else if (t->of_inode)
		snprintf(place, sizeof(place), " inode %llu", d->t.ino);
	else if (d->t.type != T_COUNTERS)
		snprintf(place, sizeof(place), " AG %u", d->t.agno);
	printf("%s%s daddr %llu: %s 0x%0*llx -> 0x%0*llx, checksum %s, ", t->name, place,
	       d->t.at >> 9, d->field, (int)(2 * d->width), d->old, (int)(2 * d->width), d->new,
	       d->right ? "right" : "wrong");
	if (d->met)
		printf("met by its readers (%s)\n", d->fault.field);
	else
		printf("not met by its readers\n");
}

static void list(const struct targets *t)
{
	for (u32 type = 0; type < TYPES; type++) {
		for (size_t i = 0; i < t->n;) {
			u32 agno = t->v[i].agno;
			size_t n = 0;

			for (; i < t->n && t->v[i].agno == agno; i++)
				n += t->v[i].type == type;
			if (n)
				printf("%s AG %u: %zu\n", types[type].name, agno, n);
		}
	}
}

struct options {
	struct wish w;
	bool list, dry;
	const char *undo, *revert, *live;
};

/* False: there is no such option. */
static bool option(struct options *o, int c, const char *value)
{
	switch (c) {
	case 's':
		o->w.seed = number("--seed", value, ~0ull);
		return true;
	case 't':
		o->w.types = types_of(value);
		return true;
	case 'a':
		o->w.agno = (u32)number("--ag", value, 0xffffffffu);
		o->w.one_ag = true;
		return true;
	case 'i':
		o->w.ino = number("--inode", value, ~0ull);
		o->w.one_ino = true;
		return true;
	case 'c':
		if (strcmp(value, "right") && strcmp(value, "wrong") && strcmp(value, "either"))
			wrong_use("--checksum", value);
		o->w.crc = *value == 'r' ? 1 : *value == 'w' ? 0 : -1;
		return true;
	case 'u':
		o->undo = value;
		return true;
	case 'r':
		o->revert = value;
		return true;
	case 'L':
		o->live = value;
		return true;
	}
	return false;
}

static void parse(int argc, char **argv, struct options *o)
{
	int curable = 0, met = 0, show = 0, dry = 0, c;
	const struct option longs[] = {
		{ "seed", 1, NULL, 's' },     { "type", 1, NULL, 't' },
		{ "ag", 1, NULL, 'a' },	      { "inode", 1, NULL, 'i' },
		{ "checksum", 1, NULL, 'c' }, { "undo", 1, NULL, 'u' },
		{ "revert", 1, NULL, 'r' },   { "live", 1, NULL, 'L' },
		{ "help", 0, NULL, 'h' },     { "curable", 0, &curable, 1 },
		{ "met", 0, &met, 1 },	      { "list", 0, &show, 1 },
		{ "dry-run", 0, &dry, 1 },    { NULL, 0, NULL, 0 },
	};

	*o = (struct options){ .w = { .types = (1u << TYPES) - 1, .crc = -1, .seed = 1 } };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (c && !option(o, c, optarg)) {
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind != argc - 1) {
		fputs(usage, stderr);
		exit(2);
	}
	o->w.curable = curable;
	o->w.met = met;
	o->list = show;
	o->dry = dry;
}

static void damage_one(const struct options *o, struct image *im, const char *path)
{
	struct targets found;
	struct damage d;
	int e = find_targets(im, &o->w, &found);

	if (e)
		fail("%s: %s", path, strerror(-e));
	if (o->list) {
		list(&found);
		free_targets(&found);
		return;
	}
	e = choose_damage(im, &found, &o->w, &d);
	free_targets(&found);
	if (e == -ENOENT)
		fail("%s has nothing of that to damage", path);
	if (e)
		fail("%s: %s", path, strerror(-e));
	if (o->undo)
		write_undo(o->undo, &d);
	if (!o->dry)
		write_bytes(path, d.t.at, d.after, d.t.len);
	say(&d);
	free_damage(&d);
}

int main(int argc, char **argv)
{
	struct options o;
	struct image im;
	const char *path;

	parse(argc, argv, &o);
	path = argv[optind];
	if (o.live && !o.list && !o.dry)
		freeze(o.live);
	atexit(thaw);
	if (o.revert) {
		revert(o.revert, path);
	} else {
		image_open(&im, path);
		im.quiet = true;
		damage_one(&o, &im, path);
	}
	if (frozen >= 0)
		drop();
	thaw();
	if (fflush(stdout) || ferror(stdout)) {
		perror("damage: stdout");
		return 1;
	}
	return 0;
}
