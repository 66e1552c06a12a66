// SPDX-License-Identifier: MIT
/*
 * Run in the guest: heal DEVICE DIR, a device with an XFS with parent pointers that nobody has
 * mounted, and where to mount it. Blocks are damaged on the device behind its back, and met by
 * reading and writing: the kernel's own thread repairs them and says so, each once
 * (tests/command/xfs_heal.py).
 */
#define _GNU_SOURCE
#include "hurt_ino.h"
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/klog.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

struct ag_geometry {
	uint32_t number, length, freeblks, icount, ifree, sick, checked, flags;
	uint64_t reserved[12];
};
#define AG_GEOMETRY _IOWR('X', 61, struct ag_geometry)
#define INUMBERS    (int)_IOR('X', 128, unsigned char[64])
#define FSMAP	    (int)_IOWR('X', 59, unsigned char[192])
#define GOINGDOWN   _IOR('X', 125, uint32_t)

/* ---- the log ---- */

static char log_text[1 << 16], awaited[300];
static size_t log_len, log_at;

static void too_late(int sig)
{
	static const char what[] = "no such line came: ";

	(void)sig;
	(void)!write(1, what, sizeof(what) - 1);
	(void)!write(1, awaited, strlen(awaited));
	(void)!write(1, "\n", 1);
	_exit(1);
}

/* The next line of the log, without what is before its text. It is waited for. */
static char *log_line(void)
{
	for (;;) {
		char *end = memchr(log_text + log_at, '\n', log_len - log_at), *line;
		int n;

		if (end) {
			*end = 0;
			line = log_text + log_at;
			log_at = (size_t)(end + 1 - log_text);
			while (*line == '<' || *line == '[')
				line = strchr(line, *line == '<' ? '>' : ']') + 1 + (*line == '[');
			return line;
		}
		memmove(log_text, log_text + log_at, log_len - log_at);
		log_len -= log_at;
		log_at = 0;
		CHECK(log_len < sizeof(log_text));
		n = klogctl(2, log_text + log_len, (int)(sizeof(log_text) - log_len));
		CHECK(n > 0);
		log_len += (size_t)n;
	}
}

/* The next line of the file system, in which a time of N ms is "(N ms)". */
static void expect(const char *fmt, ...)
{
	char line[300], *ms, *from;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(awaited, sizeof(awaited), fmt, ap);
	va_end(ap);
	alarm(60);
	do {
		snprintf(line, sizeof(line), "%s", log_line());
	} while (strncmp(line, "XFS (vda): ", 11));
	alarm(0);
	ms = strstr(line, " ms)");
	if (ms) {
		for (from = ms; from[-1] >= '0' && from[-1] <= '9'; from--)
			;
		CHECK(from[-1] == '(' && from < ms);
		memmove(from + 1, ms, strlen(ms) + 1);
		*from = 'N';
	}
	printf("%s\n", line + 11);
	if (strcmp(line + 11, awaited)) {
		printf("expected: %s\n", awaited);
		exit(1);
	}
}

static void shown(const char *name, char *text, size_t size)
{
	char path[100];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/xfs/vda/%s", name);
	CHECK((fd = open(path, O_RDONLY)) >= 0 && (n = read(fd, text, size - 1)) >= 0);
	text[n] = 0;
	close(fd);
}

static void is_on(bool on)
{
	char text[200];

	shown("heal", text, sizeof(text));
	CHECK(!strncmp(text, on ? "on\n" : "off\n", on ? 3 : 4));
}

static void stats(unsigned found, unsigned repaired, unsigned gave_up)
{
	char text[200], want[200];

	shown("heal_stats", text, sizeof(text));
	sprintf(want, "found %u\nrepaired %u\nfailed %u\n", found, repaired, gave_up);
	if (strcmp(text, want))
		printf("heal_stats: %s", text);
	CHECK(!strcmp(text, want));
}

static void mount_with(const char *options)
{
	end();
	mount_options = options;
	begin();
}

static void mounted_with(const char *what, bool is)
{
	static char text[4096];
	ssize_t n;
	int fd = open("/proc/mounts", O_RDONLY);

	CHECK(fd >= 0 && (n = read(fd, text, sizeof(text) - 1)) > 0 && !close(fd));
	text[n] = 0;
	CHECK(!strstr(text, what) == !is);
}

/* ---- what is there ---- */

static void pieces(const char *name, int n)
{
	int fd = make(name);

	for (int i = 0; i < n; i++)
		CHECK(pwrite(fd, big, 4096, i * 8192) == 4096);
	CHECK(!fsync(fd) && !close(fd));
}

static void fill(void)
{
	char name[64];
	int fd, other;

	memset(big, 'x', sizeof(big));
	pieces("holes", 400);
	CHECK(!mkdir("sub dir", 0755));
	pieces("sub dir/more\nholes", 400);
	CHECK((fd = open("holes", O_RDONLY)) >= 0 && (other = make("shared")) >= 0);
	CHECK(!ioctl(other, FICLONE, fd) && !close(fd) && !close(other));
	CHECK(!mkdir("dir", 0755));
	for (int i = 0; i < 300; i++) {
		sprintf(name, "dir/a name that takes some room %d", i);
		CHECK(!close(make(name)));
	}
	CHECK((fd = make("valued")) >= 0 && (other = make("between")) >= 0);
	for (int i = 0; i < 60; i++) {
		sprintf(name, "user.a%d", i);
		CHECK(!fsetxattr(fd, name, big, 3000, 0));
		CHECK(pwrite(other, big, 4096, i * 8192) == 4096 && !fsync(other));
	}
	CHECK(!close(fd) && !close(other) && !close(make("record")));
	sync();
}

static uint64_t sum_of(const char *name)
{
	static unsigned char b[1 << 16];
	uint64_t sum = 14695981039346656037ull;
	int fd = open(name, O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	while ((n = read(fd, b, sizeof(b))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = (sum ^ b[i]) * 1099511628211ull;
	for (int i = 0; i < 60; i++) {
		char attr[16];

		sprintf(attr, "user.a%d", i);
		if (fgetxattr(fd, attr, b, sizeof(b)) == 3000)
			sum = (sum ^ b[2999]) * 1099511628211ull;
	}
	CHECK(!n && !close(fd));
	return sum;
}

static uint64_t contents(void)
{
	return sum_of("holes") ^ sum_of("sub dir/more\nholes") * 3 ^ sum_of("shared") * 5 ^
	       sum_of("valued") * 7;
}

/* The root of a tree whose number is at OFF of a header in sector SECT of AG 0. */
static uint64_t tree_at(unsigned sect, unsigned off)
{
	forget();
	return ag_at(0) + value(ag_at(0) + sect * sector + off, 4) * block_size;
}

/* ---- meeting it ---- */

static int seek(const char *name)
{
	int fd = open(name, O_RDONLY), n;

	if (fd < 0)
		return -1;
	n = (int)lseek(fd, 0, SEEK_HOLE);
	close(fd);
	return n;
}

static int get_values(const char *name)
{
	for (int i = 0; i < 60; i++) {
		char attr[16];

		sprintf(attr, "user.a%d", i);
		if (getxattr(name, attr, big, sizeof(big)) != 3000)
			return -1;
	}
	return 0;
}

static int look(const char *name)
{
	struct stat st;

	return stat(name, &st);
}

static int list(const char *name)
{
	static char entries[32768];
	int fd = open(name, O_RDONLY | O_DIRECTORY), e;
	long n;

	CHECK(fd >= 0);
	while ((n = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0)
		;
	e = errno;
	close(fd);
	errno = e;
	return (int)n;
}

static int ask_ag(const char *name)
{
	struct ag_geometry g = { .number = 0 };

	(void)name;
	return ioctl(root, AG_GEOMETRY, &g);
}

static int inumbers(const char *name)
{
	uint32_t req[1024] = { [3] = 1 };	/* from inode 0 one record */

	(void)name;
	return ioctl(root, INUMBERS, req);
}

static int map_all(const char *name)
{
	unsigned char head[192] = { 0 };

	(void)name;
	memset(head + 128, 0xff, 32);	/* the high key, but for its length */
	return ioctl(root, FSMAP, head);
}

/* Without CAP_SYS_ADMIN free space is told by its tree. */
static int map_free(const char *name)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		CHECK(!setuid(65534));
		_exit(map_all(name) ? errno : 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static int allocate(const char *name)
{
	int fd = open("new", O_RDWR | O_CREAT, 0644), e;

	(void)name;
	CHECK(fd >= 0);
	e = ftruncate(fd, 0);
	e = fallocate(fd, 0, 0, 65536);
	close(fd);
	return e;
}

/* A block of each two is freed: trees grow, by blocks of the list of free ones. */
static int divide(const char *name)
{
	int fd = open("divided", O_RDWR | O_CREAT, 0644), e;

	(void)name;
	CHECK(fd >= 0);
	e = fallocate(fd, 0, 0, 600 * 1024);
	for (int i = 0; !e && i < 600; i += 2)
		e = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, i * 1024, 1024);
	close(fd);
	return e;
}

static int ask_shared(const char *name)
{
	union {
		struct fiemap m;
		char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
	} u = { .m = { .fm_length = 4096, .fm_extent_count = 1 } };
	int fd = open("shared", O_RDONLY), n;

	(void)name;
	CHECK(fd >= 0);
	n = ioctl(fd, FS_IOC_FIEMAP, &u.m);
	close(fd);
	return n;
}

static int create(const char *name)
{
	static char file[] = "a-file";
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL, 0644);

	(void)name;
	if (fd < 0)
		return -1;
	file[0]++;
	return close(fd);
}

/* ---- repairs ---- */

static uint64_t was;
static unsigned found, repaired, gave_up;

static void repaired_as(const char *what, const char *path, const char *at_first)
{
	expect("found: %s%s", what, at_first);
	expect("repaired: %s%s (N ms)", what, path);
	found++;
	repaired++;
}

/*
 * What is AT is damaged and met by USE(NAME): it is WHAT of an AG, else of the inode, and is
 * repaired.
 */
static void heals(uint64_t at, int (*use)(const char *), const char *name, const char *what,
		  const char *path, const char *at_first)
{
	damage(at);
	/* Who is late enough finds it repaired. */
	if (use(name))
		CHECK(errno == EUCLEAN || errno == EIO);
	repaired_as(what, path, at_first);
	CHECK(!use(name) || use == seek);
	forget();
	CHECK(!use(name) || use == seek);
	CHECK(contents() == was);
	stats(found, repaired, gave_up);
}

static void heals_ag(uint64_t at, int (*use)(const char *), const char *kind)
{
	char what[40];

	sprintf(what, "AG 0 %s", kind);
	heals(at, use, NULL, what, "", "");
}

static void heals_ino(uint64_t at, int (*use)(const char *), const char *name, const char *kind,
		      const char *path)
{
	char what[60];

	sprintf(what, "inode %llu %s", (unsigned long long)ino_of(name), kind);
	/* Parent pointers are attributes: they cannot be read before the repair. */
	heals(at, use, name, what, path, use == look || use == get_values ? "" : path);
}

static void each(void)
{
	CHECK(!close(open("new", O_RDWR | O_CREAT, 0644)));
	heals_ag(ag_at(0) + sector + 40, ask_ag, "agf");
	heals_ag(ag_at(0) + 2 * sector + 100, ask_ag, "agi");
	heals_ag(tree_at(2, 20) + 60, inumbers, "inobt");
	heals_ag(tree_at(1, 88) + 60, ask_shared, "refcountbt");
	heals_ag(tree_at(1, 16) + 60, map_free, "bnobt");
	heals_ag(tree_at(1, 20) + 60, allocate, "cntbt");
	heals_ag(ag_at(0) + 3 * sector + 40, divide, "agfl");
	heals_ag(tree_at(2, 328) + 60, create, "finobt");
	heals_ino(fork_at("holes", false, 3) + 16, seek, "holes", "bmapbtd", " (/holes)");
	heals_ino(fork_at("sub dir/more\nholes", false, 3) + 16, seek, "sub dir/more\nholes",
		  "bmapbtd", " (/sub dir/more\\012holes)");
	heals_ino(fork_at("valued", true, 3) + 16, get_values, "valued", "bmapbta", " (/valued)");
	heals_ino(record_of("record") + 8, look, "record", "inode", " (/record)");
}

static int ask_free(const char *name)
{
	struct statfs s;

	(void)name;
	return statfs(".", &s);
}

/* WIDTH bytes at OFF of the LEN at AT become NEW, and the checksum at CRC right. */
static void change(uint64_t at, size_t len, size_t crc, size_t off, uint32_t new)
{
	static unsigned char b[4096];
	uint32_t sum;

	read_at(at, b, len);
	for (int i = 0; i < 4; i++)
		b[off + (size_t)i] = (unsigned char)(new >> 8 * (3 - i));
	memset(b + crc, 0, 4);
	sum = ~crc32c(~0u, b, len);
	memcpy(b + crc, &sum, 4);
	CHECK(pwrite(raw, b, len, (off_t)at) == (ssize_t)len && !fsync(raw));
}

/* Mounts add up what AGIs say, which is too little; later more inodes are free than there are. */
static void sums(void)
{
	uint64_t agi[2] = { ag_at(0) + 2 * sector, ag_at(1) + 2 * sector };
	uint32_t count[2];
	char name[20];

	mount_with(NULL);
	for (int i = 0; i < 200; i++) {
		sprintf(name, "sum%d", i);
		CHECK(!close(make(name)));
	}
	end();
	forget();
	for (int i = 0; i < 2; i++) {
		count[i] = (uint32_t)value(agi[i] + 16, 4);
		change(agi[i], sector, 312, 16, (uint32_t)value(agi[i] + 28, 4) + 1);
	}
	mount_options = "heal";
	begin();
	for (int i = 0; i < 2; i++)
		change(agi[i], sector, 312, 16, count[i]);
	forget();
	CHECK(!ask_free(NULL));
	stats(0, 0, 0);
	/* All chunks stay: each has a file. */
	for (int i = 0; i < 200; i++) {
		sprintf(name, "sum%d", i);
		CHECK(i % 16 == 0 || !unlink(name));
	}
	sync();
	CHECK(!ask_free(NULL));
	expect("found: fscounters");
	expect("repaired: fscounters (N ms)");
	CHECK(!ask_free(NULL));
	stats(1, 1, 0);
	for (int i = 0; i < 200; i += 16) {
		sprintf(name, "sum%d", i);
		CHECK(!unlink(name));
	}
}

/* What nobody can repair yet is said once, however often it is met. */
static void cannot(void)
{
	uint64_t at = fork_at("dir", false, 2) + 16;
	unsigned long long ino = ino_of("dir");

	damage(at);
	for (int i = 0; i < 3; i++)
		FAILS(list("dir"), EUCLEAN);
	expect("found: inode %llu directory (/dir)", ino);
	expect("not repaired: inode %llu directory (/dir): errno 95", ino);
	expect("cannot be repaired yet: inode %llu directory (/dir)", ino);
	FAILS(list("dir"), EUCLEAN);
	found++;
	gave_up++;
	stats(found, repaired, gave_up);
	make_whole(at);
	CHECK(!list("dir"));
	at = tree_at(1, 24) + 60;
	damage(at);
	FAILS(map_all(NULL), EUCLEAN);
	expect("found: AG 0 rmapbt");
	expect("not repaired: AG 0 rmapbt: errno 95");
	expect("cannot be repaired yet: AG 0 rmapbt");
	found++;
	gave_up++;
	stats(found, repaired, gave_up);
	make_whole(at);
	CHECK(!map_all(NULL));
}

/* A source that is damaged: three tries; a remount begins anew. */
static void gives_up(void)
{
	uint64_t source = tree_at(1, 24) + 60, at = fork_at("holes", false, 3) + 16;
	unsigned long long ino = ino_of("holes");
	unsigned char was_there[8];

	forget();
	read_at(source, was_there, 8);
	CHECK(pwrite(raw, "damaged", 8, (off_t)source) == 8 && !fsync(raw));
	damage(at);
	FAILS(seek("holes"), EUCLEAN);
	expect("found: inode %llu bmapbtd (/holes)", ino);
	for (int i = 0; i < 3; i++)
		expect("not repaired: inode %llu bmapbtd (/holes): errno 117", ino);
	expect("given up: inode %llu bmapbtd (/holes) after 3 tries", ino);
	FAILS(seek("holes"), EUCLEAN);
	found++;
	gave_up++;
	stats(found, repaired, gave_up);
	CHECK(pwrite(raw, was_there, 8, (off_t)source) == 8 && !fsync(raw));
	forget();
	CHECK(!mount(NULL, dir, NULL, MS_REMOUNT, NULL));
	expect("found: inode %llu bmapbtd (/holes)", ino);
	expect("repaired: inode %llu bmapbtd (/holes) (N ms)", ino);
	CHECK(contents() == was);
}

/* ---- on and off ---- */

static void damage_holes(void)
{
	damage(fork_at("holes", false, 3) + 16);
	FAILS(seek("holes"), EUCLEAN);
}

static void holes_repaired(void)
{
	unsigned long long ino = ino_of("holes");

	expect("found: inode %llu bmapbtd (/holes)", ino);
	expect("repaired: inode %llu bmapbtd (/holes) (N ms)", ino);
	CHECK(contents() == was);
}

static void set_attr(const char *value)
{
	CHECK(!setxattr(".", "trusted.xfs:autofsck", value, strlen(value), 0));
}

static void by_attribute(void)
{
	mount_with(NULL);
	is_on(false);
	set_attr("check");
	is_on(false);
	damage_holes();
	stats(0, 0, 0);
	set_attr("repair");
	is_on(true);
	holes_repaired();
	CHECK(!removexattr(".", "trusted.xfs:autofsck"));
	is_on(false);
	/* Of another directory it says nothing. */
	CHECK(!setxattr("dir", "trusted.xfs:autofsck", "repair", 6, 0));
	CHECK(!setxattr(".", "user.xfs:autofsck", "repair", 6, 0));
	is_on(false);
	set_attr("repair");
	mount_with(NULL);
	is_on(true);
	mounted_with("heal", false);
	mount_with("noheal");
	mounted_with(",noheal,", true);
	is_on(false);
	damage_holes();
	set_attr("repair");
	is_on(false);
	stats(0, 0, 0);
	CHECK(!mount(NULL, dir, NULL, MS_REMOUNT, "heal"));
	mounted_with(",heal,", true);
	is_on(true);
	holes_repaired();
	CHECK(!removexattr(".", "trusted.xfs:autofsck"));
	is_on(true);
}

static void read_only(void)
{
	mount_with("heal");
	CHECK(!mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	is_on(false);
	damage_holes();
	stats(0, 0, 0);
	CHECK(!mount(NULL, dir, NULL, MS_REMOUNT, NULL));
	is_on(true);
	holes_repaired();
}

static void frozen(void)
{
	uint64_t at = fork_at("holes", false, 3) + 16;

	damage(at);
	CHECK(!ioctl(root, FIFREEZE, 0));
	FAILS(seek("holes"), EUCLEAN);
	stats(1, 1, 0);
	CHECK(!ioctl(root, FITHAW, 0));
	holes_repaired();
	stats(2, 2, 0);
}

/* What is in memory of the first superblock is written over it, and nobody is stopped. */
static void first_superblock(void)
{
	unsigned char b[4];

	damage(48);
	CHECK(!ioctl(root, FIFREEZE, 0) && !ioctl(root, FITHAW, 0));
	forget();
	read_at(0, b, 4);
	CHECK(!memcmp(b, "XFSB", 4));
	damage(48);
	end();
	begin();
	stats(0, 0, 0);
}

/* What is met just before the end is repaired then, or by the next mount, or is left for it. */
static void ends(void)
{
	for (int i = 0; i < 12; i++) {
		damage(fork_at("holes", false, 3) + 16);
		(void)seek("holes");
		if (i % 3 == 1)
			CHECK(!mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL));
		if (i % 3 == 2)
			CHECK(!ioctl(root, GOINGDOWN, &(uint32_t){ i & 1 ? 2 : 1 }));
		end();
		begin();
		while (seek("holes") < 0)
			CHECK(errno == EUCLEAN);
		CHECK(contents() == was);
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	CHECK(argc == 3);
	dev = argv[1];
	dir = argv[2];
	signal(SIGALRM, too_late);
	open_device(dev);
	mount_options = "heal";
	begin();
	fill();
	mount_with("heal");
	is_on(true);
	mounted_with(",heal,", true);
	was = contents();
	each();
	cannot();
	gives_up();
	by_attribute();
	read_only();
	frozen();
	sums();
	mount_with("heal");
	first_superblock();
	ends();
	end();
	printf("heal: ok\n");
	return 0;
}
