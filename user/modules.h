// SPDX-License-Identifier: MIT
/*
 * The modules of the kernel that was started, for a root on a disk: they lie in the loader's
 * archive (OUR_MODULES, a directory for each release), and get in front of what the disk has in
 * /lib/modules, which stays visible beside them. Nothing is written to the disk: where it has no
 * such directory, there is no place, and the log says so.
 */
#define IN_ROOT 0x10		/* RESOLVE_IN_ROOT */
#define OUR_MODULES "/our-modules"

/* Binds the directory FD on PATH. */
static int bind_fd(int fd, const char *path)
{
	char from[40];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	return mount(from, path, NULL, MS_BIND, NULL);
}

/* Another release's directory of the disk is seen beside ours. */
static void keep_release(int modules, const char *name)
{
	char path[300];
	int fd = openat(modules, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	snprintf(path, sizeof(path), OUR_MODULES "/%s", name);
	if (fd >= 0 && !mkdir(path, 0755) && bind_fd(fd, path))
		say(path);
	if (fd >= 0)
		close(fd);
}

static void keep_releases(int modules)
{
	int fd = openat(modules, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			keep_release(modules, d->d_name);
	if (dir)
		closedir(dir);
}

/* /proc is mounted, and the root to come on TOP. */
static void bring_modules(const char *top)
{
	uint64_t how[3] = { O_PATH | O_DIRECTORY | O_CLOEXEC, 0, IN_ROOT };	/* open_how */
	int root, modules;
	char at[40];

	if (access(OUR_MODULES, F_OK))
		return;
	root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	modules = (int)syscall(SYS_openat2, root, "lib/modules", how, sizeof(how));
	if (modules < 0) {
		dprintf(2,
			"init: the disk has no /lib/modules: the kernel's modules are not there (mkdir /lib/modules)\n");
	} else {
		keep_releases(modules);
		snprintf(at, sizeof(at), "/proc/self/fd/%d", modules);
		if (mount(OUR_MODULES, at, NULL, MS_BIND | MS_REC, NULL))
			say("the kernel's modules");
		close(modules);
	}
	close(root);
}
