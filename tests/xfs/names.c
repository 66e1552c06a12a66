// SPDX-License-Identifier: MIT
/*
 * Run in the guest: names DEVICE DIR OPTIONS SEED COUNT WHAT. Mounts the disk, makes, links,
 * renames, exchanges, removes, and changes modes, owners, times and attributes at random, and keeps
 * a model of all that beside it; what the file system says must be what the model has, also after
 * it was unmounted and mounted read-only. WHAT: 'k' keeps the tree, 'w' removes everything at the
 * end, 'f': the disk is to be full now and then, 'p': several at once.
 */
#define _GNU_SOURCE
#include "names.h"

static void op_make(void)
{
	static const int types[] = { S_IFREG, S_IFREG, S_IFREG, S_IFDIR,
				     S_IFLNK, S_IFIFO, S_IFCHR, S_IFSOCK };
	int dir = some_dir(), type = types[rnd(8)], mode = type | (0600 + (int)rnd(64)), n, r = 0;
	const char *name = some_name(), *p = path_of(dir, name);
	int want = find(dir, name) >= 0 ? EEXIST : 0;
	char target[1100];

	if (type == S_IFDIR && depth_of(dir) > 8)
		return;
	n = new_node(mode);
	if (n < 0)
		return;
	if (type == S_IFREG) {
		r = open(p, O_CREAT | O_EXCL | O_RDWR, mode & 0777);
		if (r >= 0) {
			close(r);
			r = 0;
		}
	} else if (type == S_IFDIR) {
		r = mkdir(p, (mode_t)mode & 0777);
	} else if (type == S_IFLNK) {
		unsigned len = 1 + rnd(rnd(3) ? 60 : 1023);

		memset(target, 'a' + (int)rnd(26), len);
		target[len] = 0;
		nodes[n].target = strdup(target);
		nodes[n].mode = S_IFLNK | 0777;
		r = symlink(target, p);
	} else {
		nodes[n].rdev = type == S_IFCHR ? (unsigned)makedev(rnd(400), rnd(5000)) : 0;
		r = mknod(p, (mode_t)mode, nodes[n].rdev);
	}
	if (expect(r, want, "make", p))
		free_node(n);
	else
		made(dir, name, n);
}

static int some_entry(void)
{
	return nents ? (int)rnd((unsigned)nents) : -1;
}

static void op_remove(void)
{
	int i = some_entry(), n, want;
	const char *p;

	if (i < 0)
		return;
	n = ents[i].node;
	p = path_of(ents[i].dir, ents[i].name);
	if (is_dir(n)) {
		want = nodes[n].entries ? ENOTEMPTY : 0;
		if (expect(rmdir(p), want, "rmdir", p))
			return;
		del_entry(i);
		free_node(n);
		return;
	}
	if (S_ISREG(nodes[n].mode) && nopen < OPEN && !rnd(4)) {
		fds[nopen] = open(p, O_RDONLY);
		if (fds[nopen] < 0)
			die("open %s", p);
		opened[nopen++] = n;
	}
	if (expect(unlink(p), 0, "unlink", p))
		return;
	del_entry(i);
	if (--nodes[n].nlink)
		return;
	for (int k = 0; k < nopen; k++)
		if (opened[k] == n)
			return;
	free_node(n);
}

static void close_one(int k)
{
	int n = opened[k], again = 0;
	struct stat st;

	if (fstat(fds[k], &st) || (int)st.st_nlink != nodes[n].nlink)
		die("fstat: %d links, not %d", (int)st.st_nlink, nodes[n].nlink);
	close(fds[k]);
	fds[k] = fds[nopen - 1];
	opened[k] = opened[--nopen];
	for (k = 0; k < nopen; k++)
		again |= opened[k] == n;
	if (!nodes[n].nlink && !again)
		free_node(n);
}

static void op_link(void)
{
	int i = some_entry(), dir = some_dir(), n, want;
	const char *name = some_name(), *p;

	if (i < 0 || is_dir(ents[i].node))
		return;
	n = ents[i].node;
	p = path_of(dir, name);
	want = find(dir, name) >= 0 ? EEXIST : 0;
	if (!expect(linkat(AT_FDCWD, path_of(ents[i].dir, ents[i].name), AT_FDCWD, p, 0), want,
		    "link", p)) {
		add_entry(dir, name, n);
		nodes[n].nlink++;
	}
}

static void op_tmpfile(void)
{
	int dir = some_dir(), n, fd, want;
	const char *name = some_name(), *p = path_of(dir, name);
	char self[64];

	n = new_node(S_IFREG | 0640);
	if (n < 0)
		return;
	fd = open(path_of(dir, NULL), O_TMPFILE | O_RDWR, 0640);
	if (fd < 0 && full && errno == ENOSPC) {
		free_node(n);
		return;
	}
	if (fd < 0)
		die("O_TMPFILE %s", path_of(dir, NULL));
	want = find(dir, name) >= 0 ? EEXIST : 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (!rnd(3))
		want = -1;
	else
		want = expect(linkat(AT_FDCWD, self, AT_FDCWD, p, AT_SYMLINK_FOLLOW), want,
			      "link of a nameless", p);
	close(fd);
	if (want)
		free_node(n);
	else
		made(dir, name, n);
}

static int above(int a, int n)
{
	for (; n; n = nodes[n].parent)
		if (n == a)
			return 1;
	return a == 0;
}

static void forget(int n)
{
	if (is_dir(n) || !--nodes[n].nlink) {
		for (int k = 0; k < nopen; k++)
			if (opened[k] == n)
				return;
		free_node(n);
	}
}

static void op_rename(void)
{
	int i = some_entry(), dir = some_dir(), j, n, white = -1;
	unsigned flags = rnd(4) ? 0 : rnd(2) ? RENAME_NOREPLACE : RENAME_WHITEOUT;
	const char *name = some_name(), *p, *q;
	int want = 0;
	char old[300];
	int odir;

	if (i < 0)
		return;
	if (rnd(2) && nents) {
		j = some_entry();
		dir = ents[j].dir;
		name = ents[j].name;
	}
	name = strdup(name);
	n = ents[i].node;
	odir = ents[i].dir;
	j = find(dir, name);
	strcpy(old, ents[i].name);
	p = path_of(odir, old);
	q = path_of(dir, name);
	if ((is_dir(n) && above(n, dir)) ||
	    (j >= 0 && is_dir(ents[j].node) && above(ents[j].node, odir)) || depth_of(dir) > 9)
		goto out;
	if (flags == RENAME_WHITEOUT)
		white = new_node(S_IFCHR);
	if (flags == RENAME_WHITEOUT && white < 0)
		goto out;
	if (j >= 0 && flags == RENAME_NOREPLACE)
		want = EEXIST;
	else if (j >= 0 && is_dir(n) && !is_dir(ents[j].node))
		want = ENOTDIR;
	else if (j >= 0 && !is_dir(n) && is_dir(ents[j].node))
		want = EISDIR;
	else if (j >= 0 && ents[j].node != n && is_dir(ents[j].node) && nodes[ents[j].node].entries)
		want = ENOTEMPTY;
	want = expect(rename2(p, q, flags), want, "rename", p);
	if (want || (j >= 0 && ents[j].node == n)) {
		if (white > 0)
			free_node(white);
		goto out;
	}
	if (j >= 0) {
		int o = ents[j].node;

		del_entry(j);
		forget(o);
	}
	del_entry(find(odir, old));
	add_entry(dir, name, n);
	if (white > 0) {
		made(odir, old, white);
	}
out:
	free((char *)name);
}

static void op_exchange(void)
{
	int i = some_entry(), j = some_entry(), a, b, da, db;
	const char *p;
	char na[300], nb[300];

	if (i < 0 || i == j)
		return;
	a = ents[i].node;
	b = ents[j].node;
	da = ents[i].dir;
	db = ents[j].dir;
	if (a == b || (is_dir(a) && above(a, db)) || (is_dir(b) && above(b, da)))
		return;
	strcpy(na, ents[i].name);
	strcpy(nb, ents[j].name);
	p = path_of(da, na);
	if (expect(rename2(p, path_of(db, nb), RENAME_EXCHANGE), 0, "exchange", p))
		return;
	del_entry(find(da, na));
	del_entry(find(db, nb));
	add_entry(da, na, b);
	add_entry(db, nb, a);
}

static void op_change(void)
{
	int i = some_entry(), n, r;
	const char *p;
	struct timespec t[2] = { { 0, UTIME_OMIT }, { 1000000 + (long)rnd(1000000000), 5 } };

	if (i < 0)
		return;
	n = ents[i].node;
	p = path_of(ents[i].dir, ents[i].name);
	switch (rnd(3)) {
	case 0:
		if (S_ISLNK(nodes[n].mode))
			return;
		nodes[n].mode = (nodes[n].mode & S_IFMT) | (int)rnd(512) | 0700;
		r = chmod(p, (mode_t)nodes[n].mode & 07777);
		break;
	case 1:
		nodes[n].uid = (int)rnd(70000);
		r = lchown(p, (uid_t)nodes[n].uid, (gid_t)-1);
		break;
	default:
		nodes[n].mtime = t[1].tv_sec;
		r = utimensat(AT_FDCWD, p, t, AT_SYMLINK_NOFOLLOW);
		if (is_dir(n))
			nodes[n].mtime = 0;
	}
	expect(r, 0, "change", p);
}

static void op_attr(void)
{
	static unsigned char v[10000];
	int i = some_entry(), n, k = (int)rnd(ATTRS), len;
	char name[300];
	const char *p;

	if (i < 0)
		return;
	n = ents[i].node;
	p = path_of(ents[i].dir, ents[i].name);
	snprintf(
		name, sizeof(name), "%s%d%.*s",
		S_ISREG(nodes[n].mode) && k < 2 ? "user." : "trusted.", k, k * 30,
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
	if (!rnd(3)) {
		if (!expect(lremovexattr(p, name), nodes[n].attr[k] ? 0 : ENODATA, "removexattr",
			    p))
			nodes[n].attr[k] = 0;
		return;
	}
	i = rnd(3) == 0 ? XATTR_CREATE : rnd(2) ? XATTR_REPLACE : 0;
	unsigned a = 1 + rnd(1u << 30);
	value_of(a, v, &len);
	int want = i == XATTR_CREATE && nodes[n].attr[k]   ? EEXIST :
		   i == XATTR_REPLACE && !nodes[n].attr[k] ? ENODATA :
							     0;
	if (!expect(lsetxattr(p, name, v, (size_t)len, i), want, "setxattr", p))
		nodes[n].attr[k] = a;
}

/* ---- what is there ---- */

static void verify_attrs(int n, const char *p)
{
	static unsigned char v[10000], got[70000];
	static char list[70000];
	ssize_t total = llistxattr(p, list, sizeof(list)), have = 0, want = 0;
	char name[300];

	for (char *q = list; q < list + total; q += strlen(q) + 1)
		have++;
	for (int k = 0; k < ATTRS; k++) {
		int len;
		ssize_t r;

		snprintf(
			name, sizeof(name), "%s%d%.*s",
			S_ISREG(nodes[n].mode) && k < 2 ? "user." : "trusted.", k, k * 30,
			"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
		if (!nodes[n].attr[k])
			continue;
		want++;
		value_of(nodes[n].attr[k], v, &len);
		r = lgetxattr(p, name, got, sizeof(got));
		if (r != len || memcmp(v, got, (size_t)len))
			die("attribute %s of %s: %zd bytes, not %d", name, p, r, len);
	}
	if (have != want)
		die("%s: %zd attributes, not %zd", p, have, want);
}

static void verify(int quick)
{
	static int count[NODES];
	static struct stat st;

	memset(count, 0, sizeof(count));
	if (lstat(".", &st) || (int)st.st_nlink != nodes[0].nlink)
		die("the root has %d links, not %d", (int)st.st_nlink, nodes[0].nlink);
	for (int i = 0; i < nents; i++) {
		const struct node *n = &nodes[ents[i].node];
		const char *p = path_of(ents[i].dir, ents[i].name);

		if (quick && rnd(16))
			continue;
		if (lstat(p, &st))
			die("lstat %s", p);
		if ((int)st.st_mode != n->mode || (int)st.st_nlink != n->nlink ||
		    (int)st.st_uid != n->uid || st.st_rdev != n->rdev ||
		    (n->mtime && !S_ISDIR(n->mode) && st.st_mtime != n->mtime))
			die("%s: mode %o links %d uid %d rdev %lx mtime %ld, not %o %d %d %x %ld",
			    p, st.st_mode, (int)st.st_nlink, (int)st.st_uid, (long)st.st_rdev,
			    (long)st.st_mtime, n->mode, n->nlink, n->uid, n->rdev, n->mtime);
		if (n->target) {
			static char t[2000];
			ssize_t r = readlink(p, t, sizeof(t));

			if (r != (ssize_t)strlen(n->target) || memcmp(t, n->target, (size_t)r) ||
			    st.st_size != r)
				die("target of %s", p);
		}
		verify_attrs(ents[i].node, p);
	}
	for (int d = 0; !quick && d < NODES; d++) {
		struct dirent *e;
		DIR *dir;

		if (!nodes[d].used || !is_dir(d))
			continue;
		dir = opendir(path_of(d, NULL));
		if (!dir)
			die("opendir %s", path_of(d, NULL));
		while ((e = readdir(dir))) {
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
			    !strcmp(e->d_name, "ballast"))
				continue;
			count[d]++;
			if (find(d, e->d_name) < 0)
				die("%s is there, and should not be", path_of(d, e->d_name));
			if (e->d_type != (unsigned)nodes[ents[find(d, e->d_name)].node].mode >> 12)
				die("%s: type %d", path_of(d, e->d_name), e->d_type);
		}
		closedir(dir);
		if (count[d] != nodes[d].entries)
			die("%s: %d names, not %d", path_of(d, NULL), count[d], nodes[d].entries);
	}
}

static void remove_all(void)
{
	while (nopen)
		close_one(0);
	while (nents) {
		for (int i = nents - 1; i >= 0; i--) {
			int n = ents[i].node;
			const char *p;

			if (is_dir(n) && nodes[n].entries)
				continue;
			p = path_of(ents[i].dir, ents[i].name);
			expect(is_dir(n) ? rmdir(p) : unlink(p), 0, "remove", p);
			del_entry(i);
			if (is_dir(n))
				free_node(n);
			else
				forget(n);
		}
	}
}

static void enter(const char *dev, const char *dir, unsigned long flags, const char *options)
{
	if (mount(dev, dir, "xfs", flags, options))
		die("mount %s %s", dev, options);
	if (chdir(dir))
		die("chdir %s", dir);
}

static void leave(const char *dir)
{
	if (chdir("/") || umount(dir))
		die("umount %s", dir);
}

static void run(long count, int wipe)
{
	for (step = 0; step < count; step++) {
		unsigned what = rnd(20);
		/* Phases: it grows, it shrinks. */
		unsigned removes = step / 1500 % 3 == 2 ? 9 : full ? 1 : 4;

		if (what < removes)
			op_remove();
		else if (what < 12)
			op_make();
		else if (what < 13)
			op_link();
		else if (what < 14)
			op_tmpfile();
		else if (what < 16)
			op_rename();
		else if (what < 17)
			op_exchange();
		else if (what < 18)
			op_change();
		else
			op_attr();
		if (nopen && !rnd(8))
			close_one((int)rnd((unsigned)nopen));
		if (!(step % 500))
			verify(1);
		if (!(step % 1000))
			sync();
	}
	verify(0);
	if (wipe) {
		remove_all();
		verify(0);
	}
	while (nopen)
		close_one(0);
}

/* Several at once, each in a directory of its own, where each looks again after the remount. */
static int many(char **argv, long count, int wipe)
{
	int go[MANY][2], ready[2], bad = 0, status;
	char name[16], c;

	if (pipe(ready))
		die("pipe");
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		if (pipe(go[i]) || mkdir(name, 0755))
			die("mkdir %s", name);
		if (fork())
			continue;
		close(go[i][1]);
		state += (unsigned long)i * 991;
		if (chdir(name))
			die("chdir %s", name);
		run(count, wipe && i & 1);
		if (chdir("/") || write(ready[1], "x", 1) != 1 || read(go[i][0], &c, 1) != 1)
			die("leaving");
		if (chdir(argv[2]) || chdir(name))
			die("chdir %s", name);
		verify(0);
		exit(0);
	}
	close(ready[1]);
	for (int i = 0; i < MANY; i++)
		if (read(ready[0], &c, 1) != 1)
			die("a child is gone");
	leave(argv[2]);
	enter(argv[1], argv[2], MS_RDONLY, "");
	for (int i = 0; i < MANY; i++)
		if (write(go[i][1], "x", 1) != 1)
			die("write");
	while (wait(&status) > 0)
		bad |= status;
	if (bad)
		die("a child failed");
	leave(argv[2]);
	printf("names: ok, %d at once\n", MANY);
	return 0;
}

int main(int argc, char **argv)
{
	long count;

	(void)argc;
	state = strtoul(argv[4], NULL, 0) * 77777 + 5;
	count = atol(argv[5]);
	umask(0);
	full = !!strchr(argv[6], 'f');
	nodes[0] = (struct node){ .used = 1, .mode = S_IFDIR | 0755, .nlink = 2 };
	enter(argv[1], argv[2], 0, argv[3]);
	if (strchr(argv[6], 'p'))
		return many(argv, count, !!strchr(argv[6], 'w'));
	run(count, !!strchr(argv[6], 'w'));
	leave(argv[2]);
	enter(argv[1], argv[2], MS_RDONLY, "");
	verify(0);
	leave(argv[2]);
	if (full && !nospc)
		die("it was never full");
	printf("names: ok, %d names at the end, %ld times no space\n", nents, nospc);
	return 0;
}
