// SPDX-License-Identifier: MIT
/*
 * Drivers that are modules, for devices of the virtio bus that the kernel found before there was a
 * program to hear of them, by the device's MODALIAS, as udev does it. A device that has a driver
 * costs one look. modprobe(8) does the work in a root that has it; in the loader's archive, of
 * which a root disk's driver may be needed, lie the modules in BOOT_MODULES, as they are, with
 * depmod's tables, and init does.
 */
#include <fnmatch.h>
#include <ftw.h>

#define VIRTIO "/sys/bus/virtio/devices"
#define BOOT_MODULES "/boot-modules"

/* One whole line of F, without its newline, into *LINE; false: there is none. */
static int next_line(FILE *f, char **line, size_t *room)
{
	ssize_t n = getline(line, room, f);

	if (n > 0 && (*line)[n - 1] == '\n')
		(*line)[n - 1] = 0;
	return n > 0;
}

static FILE *table(const char *top, const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return fopen(path, "re");
}

/* FILE is a path below TOP. */
static void insert_file(const char *top, const char *file)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", top, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		say(path);
	if (fd >= 0)
		close(fd);
}

/*
 * The module NAME with what it needs: modules.dep names a module first, and of what it needs the
 * first last.
 */
static void insert_module(const char *top, const char *name)
{
	FILE *f = table(top, "modules.dep");
	char *line = NULL, *end, *base;
	size_t room = 0, len = strlen(name);

	while (f && next_line(f, &line, &room)) {
		end = strchr(line, ':');
		if (!end)
			continue;
		*end = 0;
		base = strrchr(line, '/');
		base = base ? base + 1 : line;
		if (strncmp(base, name, len) || strncmp(base + len, ".ko", 3))
			continue;
		for (char *at; (at = strrchr(end + 1, ' ')); *at = 0)
			insert_file(top, at + 1);
		insert_file(top, line);
		break;
	}
	free(line);
	if (f)
		fclose(f);
}

/* The module of the first alias that ALIAS matches. */
static void insert_for(const char *top, const char *alias)
{
	FILE *f = table(top, "modules.alias");
	char *line = NULL, *name;
	size_t room = 0;

	while (f && next_line(f, &line, &room)) {
		if (strncmp(line, "alias ", 6) || !(name = strrchr(line, ' ')) || name <= line + 6)
			continue;
		*name = 0;
		if (!fnmatch(line + 6, alias, 0)) {
			insert_module(top, name + 1);
			break;
		}
	}
	free(line);
	if (f)
		fclose(f);
}

static void probe_for(const char *alias)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/sbin/modprobe", "modprobe", "-q", "--", alias, NULL);
		_exit(127);	/* a root without it has no modules, either */
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* /sys is mounted. MODULES has those of each release; NULL: modprobe knows. */
static void bring_drivers(const char *modules)
{
	DIR *dir = opendir(VIRTIO);
	struct utsname u;
	struct dirent *d;
	char path[400], top[200], alias[100];

	uname(&u);
	snprintf(top, sizeof(top), "%s/%s", modules ?: "", u.release);
	while (dir && (d = readdir(dir))) {
		FILE *f;

		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), VIRTIO "/%s/driver", d->d_name);
		if (!access(path, F_OK))
			continue;
		snprintf(path, sizeof(path), VIRTIO "/%s/modalias", d->d_name);
		f = fopen(path, "re");
		if (f && fgets(alias, sizeof(alias), f)) {
			alias[strcspn(alias, "\n")] = 0;
			if (modules)
				insert_for(top, alias);
			else
				probe_for(alias);
		}
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
}

/* What lies in BOOT_MODULES goes again. */
static int forget(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	return remove(path);
}
