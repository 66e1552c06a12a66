// SPDX-License-Identifier: MIT
/*
 * What is kept from users beyond the rights of files: the log, terminals' input, addresses of the
 * kernel, low pages, I/O breakpoints.
 */
#include "t.h"
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>

static void become_user(void)
{
	OK(setgroups(0, NULL));
	OK(setresgid(1000, 1000, 1000));
	OK(setresuid(1000, 1000, 1000));
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int read_setting(const char *path)
{
	char b[16] = "";
	int fd = OK(open(path, O_RDONLY));

	OK(read(fd, b, sizeof(b) - 1));
	close(fd);
	return b[0] - '0';
}

static void write_setting(const char *path, const char *v)
{
	int fd = OK(open(path, O_WRONLY));

	EQ(write(fd, v, 1), 1);
	close(fd);
}

TEST(the_log_is_roots)
{
	char b[100];

	EQ(read_setting("/proc/sys/kernel/dmesg_restrict"), 1);
	become_user();
	ERR(klogctl(3, b, sizeof(b)), EPERM);
	ERR(open("/dev/kmsg", O_RDONLY), EPERM);
	ERR(open("/proc/sys/kernel/dmesg_restrict", O_WRONLY), EACCES);
}

static int write_fails(const char *path, const char *v)
{
	int fd = OK(open(path, O_WRONLY)), e;

	e = write(fd, v, strlen(v)) < 0 ? errno : 0;
	close(fd);
	return e;
}

/* Of uid 0 without capabilities the files are, and not the rights. */
TEST(settings_of_root_without_rights)
{
	struct {
		uint32_t version;
		int pid;
	} h = { 0x20080522, 0 };
	uint32_t none[6] = { 0 };

	OK((int)syscall(SYS_capset, &h, none));
	EQ(write_fails("/proc/sys/kernel/dmesg_restrict", "0"), EPERM);
	EQ(write_fails("/proc/sys/vm/mmap_min_addr", "0"), EPERM);
	EQ(read_setting("/proc/sys/kernel/dmesg_restrict"), 1);
}

/*
 * A terminal of one's own; user 1000's, if not ROOT. 0, or the error of putting a character into
 * its input.
 */
static int insert(bool root)
{
	int master = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY)), slave, unlock = 0, n;
	pid_t pid;
	char name[32];

	OK(ioctl(master, TIOCSPTLCK, &unlock));
	OK(ioctl(master, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	OK(chown(name, 1000, 1000));
	pid = OK(fork());
	if (!pid) {
		OK(setsid());
		slave = OK(open(name, O_RDWR));
		if (!root)
			become_user();
		_exit(ioctl(slave, TIOCSTI, "x") ? errno : 0);
	}
	n = WEXITSTATUS(t_wait(pid));
	close(master);
	return n;
}

static const char *const sti = "/proc/sys/dev/tty/legacy_tiocsti";

TEST(typing_for_others)
{
	char was[2] = { (char)('0' + read_setting(sti)) };
	int on, off, roots;

	EQ(was[0], '0');
	write_setting(sti, "1");
	on = insert(false);
	write_setting(sti, "0");
	off = insert(false);
	roots = insert(true);
	write_setting(sti, was);
	EQ(on, 0);
	EQ(off, EIO);
	EQ(roots, 0);
}

TEST(stacks)
{
	char b[2000], *at;
	ssize_t n;
	int fd;
	pid_t pid = OK(fork());

	if (!pid) {
		pause();
		_exit(0);
	}
	t_until_asleep(pid);
	snprintf(b, sizeof(b), "/proc/%d/stack", pid);
	fd = open(b, O_RDONLY);
	if (fd < 0 && errno == ENOENT)
		SKIP("no stacks here");
	OK(fd);
	n = OK(read(fd, b, sizeof(b) - 1));
	b[n] = 0;
	CHECK(n > 0);
	CHECK(!strstr(b, "ffff"));
	for (at = b; *at; at = strchr(at, '\n') + 1)
		CHECK(!strncmp(at, "[<0>] ", 6) && strncmp(at + 6, "0x", 2));
	close(fd);
	kill(pid, SIGKILL);
	t_wait(pid);
	/* Who opened it counts, not who reads. */
	pid = OK(fork());
	if (!pid) {
		become_user();
		ERR(open("/proc/1/stack", O_RDONLY), EACCES);
		fd = open("/proc/self/stack", O_RDONLY);
		ERR(fd < 0 ? fd : (int)read(fd, b, sizeof(b)), EACCES);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(low_pages)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	become_user();
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      MAP_FAILED);
	EQ(errno, EPERM);
	CHECK(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, NULL) == MAP_FAILED);
	EQ(errno, EPERM);
	CHECK(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)PAGE) == MAP_FAILED);
	EQ(errno, EPERM);
}

#ifdef __x86_64__
#define DR(i) ((void *)(offsetof(struct user, u_debugreg) + 8 * (i)))

TEST(io_breakpoints)
{
	pid_t pid = OK(fork());

	if (!pid) {
		OK((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		raise(SIGSTOP);
		_exit(0);
	}
	CHECK(WIFSTOPPED(t_wait(pid)));
	OK((int)ptrace(PTRACE_POKEUSER, pid, DR(0), (void *)0x80));
	for (int i = 0; i < 4; i++)
		ERR(ptrace(PTRACE_POKEUSER, pid, DR(7),
			   (void *)(2ul << (16 + 4 * i) | 1ul << 2 * i)),
		    EINVAL);
	/* a watchpoint may be set */
	OK((int)ptrace(PTRACE_POKEUSER, pid, DR(7), (void *)(1ul << 16 | 1)));
	OK((int)ptrace(PTRACE_POKEUSER, pid, DR(7), NULL));
	OK((int)ptrace(PTRACE_CONT, pid, NULL, NULL));
	CHECK(t_child_ok(pid));
}
#endif
