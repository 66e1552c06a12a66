// SPDX-License-Identifier: MIT
/*
 * A root file system on a disk, for init.c: its beginning and its end.
 *
 * OCHRE_ROOT=/dev/NAME (a word of the kernel's command line, which it gives to its first program)
 * names a disk with an XFS. Init lies in the loader's archive then: it loads the modules that lie
 * beside it, mounts the disk, makes it the root directory and goes on. rootflags=, ro and rw of the
 * command line hold for this mount as for the kernel's own; without them it is for reading and
 * writing.
 *
 * At the end every file system of a disk is unmounted or, where it is the root or in use, made
 * read-only: after that its log is empty and the disk's cache flushed.
 */
#define OLD_MODULES "/modules"

static void load_module(const char *name)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), OLD_MODULES "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		say(path);
	if (fd >= 0)
		close(fd);
	unlink(path);
}

/* In the order of their names. */
static void load_modules(void)
{
	struct dirent **list;
	int n = scandir(OLD_MODULES, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.')
			load_module(list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	rmdir(OLD_MODULES);
}

/* What the command line says of the mount: the value of rootflags= into FLAGS, MS_RDONLY or 0. */
static unsigned long root_flags(char *flags, size_t size)
{
	static char line[4096];
	unsigned long ro = 0;
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, line, sizeof(line) - 1) : 0;

	close(fd);
	line[n > 0 ? n : 0] = 0;
	flags[0] = 0;
	for (char *w = strtok(line, " \n"); w && strcmp(w, "--"); w = strtok(NULL, " \n")) {
		if (!strcmp(w, "ro"))
			ro = MS_RDONLY;
		else if (!strcmp(w, "rw"))
			ro = 0;
		else if (!strncmp(w, "rootflags=", 10))
			snprintf(flags, size, "%s", w + 10);
	}
	return ro;
}

/* Mounts DEV, which a driver may find only now, on /disk. */
static int mount_disk(const char *dev)
{
	char flags[512];
	unsigned long ro = root_flags(flags, sizeof(flags));

	for (int i = 0; i < 1000 && access(dev, F_OK); i++)
		usleep(10000);
	if (!mount(dev, "/disk", "xfs", ro, flags))
		return 0;
	if (ro || (errno != EROFS && errno != EACCES))
		return -1;
	dprintf(2, "init: %s cannot be written: it is mounted read-only\n", dev);
	return mount(dev, "/disk", "xfs", MS_RDONLY, flags);
}

/* DEV becomes the root. Without it there is nothing to run: the machine ends. */
static void enter_root(const char *dev)
{
	mount_on("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
	mount_on("proc", "/proc", 0, NULL);
	load_modules();
	if (!access(BOOT_MODULES, F_OK)) {
		mount_on("sysfs", "/sys", 0, NULL);
		bring_drivers(BOOT_MODULES);
		umount2("/sys", MNT_DETACH);
	}
	mkdir("/disk", 0755);
	if (mount_disk(dev)) {
		dprintf(2, "init: the root file system (XFS) of %s cannot be mounted: %s%s\n", dev,
			strerror(errno),
			errno == ENODEV ? " (this kernel has no XFS)" :
			errno == ENOENT ? " (this kernel does not see the disk)" :
					  "");
		reboot(RB_POWER_OFF);
	}
	bring_modules("/disk");
	umount2("/proc", MNT_DETACH);
	umount2("/dev", MNT_DETACH);
	unlink("/init");
	if (chdir("/disk") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/")) {
		say("the root file system cannot be entered");
		reboot(RB_POWER_OFF);
	}
	unsetenv("OCHRE_ROOT");
}

/* Takes \040 and the like for what they are, in place. */
static char *unescape(char *s)
{
	char *to = s;

	for (char *p = s; *p; to++) {
		if (p[0] == '\\' && p[1] && p[2] && p[3]) {
			*to = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = 0;
	return s;
}

/* All of a file of /proc, ended by a NUL; NULL: it cannot be had. */
static char *read_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0, room = 0;
	char *text = NULL;
	ssize_t n = 1;

	while (fd >= 0 && n > 0) {
		if (size + 4096 > room) {
			char *more = realloc(text, room = 2 * room + 8192);

			if (!more)
				break;
			text = more;
		}
		n = read(fd, text + size, room - size - 1);
		size += n > 0 ? n : 0;
	}
	close(fd);
	if (text)
		text[size] = 0;
	return text;
}

/*
 * Of the lines of /proc/self/mounts the last first: what lies in another file system goes before
 * it.
 */
static void leave_disks(void)
{
	char *text = read_all("/proc/self/mounts"), *line;

	while (text && *text) {
		line = strrchr(text, '\n');
		if (line && !line[1]) {
			*line = 0;
			continue;
		}
		line = line ? line + 1 : text;
		if (!strncmp(line, "/dev/", 5) && strchr(line, ' ')) {
			char *dir = strchr(line, ' ') + 1;

			dir[strcspn(dir, " ")] = 0;
			unescape(dir);
			if ((!strcmp(dir, "/") || umount2(dir, UMOUNT_NOFOLLOW)) &&
			    mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) && errno != EINVAL)
				say(dir);
		}
		*line = 0;
	}
	free(text);
}
