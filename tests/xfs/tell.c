// SPDX-License-Identifier: MIT
/*
 * tell DIR: a line for each name below DIR, in the order of names: what lstat(2) says (times too,
 * but not the last access, which telling changes), the target of a symlink, a sum of a file's bytes,
 * the names and sums of extended attributes. Two kernels that read one file system say the same.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define BASIS 0xcbf29ce484222325ull

/* FNV-1a, of words of 8 bytes and then of what is left. */
static uint64_t sum(uint64_t h, const unsigned char *p, size_t n)
{
	uint64_t word;

	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x100000001b3ull;
		h ^= h >> 29;
	}
	while (n--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

static void tell_bytes(const char *path)
{
	static unsigned char buf[65536];
	uint64_t h = BASIS;
	int fd = open(path, O_RDONLY);
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		h = sum(h, buf, (size_t)n);
	if (n < 0)
		printf(" unreadable");
	else
		printf(" %016llx", (unsigned long long)h);
	close(fd);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void tell_attributes(const char *path)
{
	static char list[65536], value[65536];
	static char *names[65536];
	ssize_t len = llistxattr(path, list, sizeof(list)), n;
	unsigned int count = 0;

	if (len < 0)
		printf(" no-attributes");
	for (char *p = list; p < list + len; p += strlen(p) + 1)
		names[count++] = p;
	qsort(names, count, sizeof(*names), by_name);
	for (unsigned int i = 0; i < count; i++) {
		n = lgetxattr(path, names[i], value, sizeof(value));
		printf(" %s=%zd:%016llx", names[i], n,
		       n < 0 ? 0ull :
			       (unsigned long long)sum(BASIS, (unsigned char *)value, (size_t)n));
	}
}

static void tell(const char *path);

static void tell_names(const char *path)
{
	struct dirent **found;
	char *below;
	int n = scandir(path, &found, NULL, alphasort);

	if (n < 0)
		printf("%s: unreadable\n", path);
	for (int i = 0; i < n; i++) {
		if (strcmp(found[i]->d_name, ".") && strcmp(found[i]->d_name, "..") &&
		    asprintf(&below, "%s/%s", path, found[i]->d_name) >= 0) {
			tell(below);
			free(below);
		}
		free(found[i]);
	}
	if (n >= 0)
		free(found);
}

static void tell(const char *path)
{
	char target[4096] = "";
	struct stat st;

	if (lstat(path, &st)) {
		printf("%s: missing\n", path);
		return;
	}
	printf("%s %#o %ju %u %u %jd %u:%u %jd.%09ld %jd.%09ld", path, st.st_mode,
	       (uintmax_t)st.st_nlink, st.st_uid, st.st_gid, (intmax_t)st.st_size,
	       major(st.st_rdev), minor(st.st_rdev), (intmax_t)st.st_mtim.tv_sec,
	       st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	if (S_ISLNK(st.st_mode) && readlink(path, target, sizeof(target) - 1) >= 0)
		printf(" %s", target);
	if (S_ISREG(st.st_mode))
		tell_bytes(path);
	tell_attributes(path);
	printf("\n");
	if (S_ISDIR(st.st_mode))
		tell_names(path);
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]))
		return 2;
	tell_names(".");
	return 0;
}
