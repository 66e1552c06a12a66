// SPDX-License-Identifier: MIT
/* Id maps of a user namespace, written by its unprivileged creator. */
#include "t.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static int put(const char *name, const char *text)
{
	int fd = OK(open(name, O_WRONLY)), r, e;

	r = write(fd, text, strlen(text));
	e = errno;
	close(fd);
	errno = e;
	return r < 0 ? -1 : 0;
}

TEST(own_id_becomes_root)
{
	char b[100] = "";
	struct stat st;
	int fd;

	OK(setgid(1000));
	OK(setuid(1000));
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	OK(unshare(CLONE_NEWUSER));
	EQ(getuid(), 65534);
	ERR(put("/proc/self/gid_map", "0 1000 1"), EPERM);	/* setgroups first */
	OK(put("/proc/self/setgroups", "deny"));
	OK(put("/proc/self/gid_map", "0 1000 1"));
	ERR(put("/proc/self/uid_map", "0 0 10"), EPERM);
	ERR(put("/proc/self/uid_map", "0 1000"), EINVAL);
	ERR(put("/proc/self/uid_map", "0 1000 0"), EINVAL);
	ERR(put("/proc/self/uid_map", "0 1000 1\n0 1001 1\n"), EINVAL);
	OK(put("/proc/self/uid_map", "0 1000 1\n"));
	EQ(getuid(), 0);
	EQ(getgid(), 0);
	ERR(put("/proc/self/uid_map", "0 1000 1"), EPERM);	/* once */
	ERR(put("/proc/self/setgroups", "allow"), EPERM);
	fd = OK(open("/proc/self/uid_map", O_RDONLY));
	OK(read(fd, b, sizeof(b) - 1));
	CHECK(!strcmp(b, "         0       1000          1\n"));
	close(fd);
	/* Root here, over mounts of one's own, and nobody towards files of others. */
	OK(stat("/", &st));
	EQ(st.st_uid, 65534);
	ERR(chmod("/bin", 0777), EPERM);
	OK(unshare(CLONE_NEWNS));
	OK(mount("t", "/tmp", "tmpfs", 0, NULL));
	close(OK(open("/tmp/mine", O_CREAT | O_WRONLY, 0600)));
	OK(stat("/tmp/mine", &st));
	EQ(st.st_uid, 0);
	ERR(umount("/proc"), EINVAL);				/* locked: came from outside */
	ERR(mknod("/tmp/dev", S_IFCHR | 0600, 0x103), EPERM);
}

/* A child that waits for a byte, and then is in a user namespace of its own. */
static pid_t child_that_unshares(int *go, int *done)
{
	int g[2], d[2];
	pid_t pid;
	char c;

	OK(pipe(g));
	OK(pipe(d));
	pid = OK(fork());
	if (!pid) {
		EQ(read(g[0], &c, 1), 1);
		OK(unshare(CLONE_NEWUSER));
		EQ(write(d[1], "x", 1), 1);
		pause();
	}
	*go = g[1];
	*done = d[0];
	return pid;
}

static int open_of(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags);
}

TEST(a_map_is_of_the_namespace_that_it_was_opened_for)
{
	static const char *const names[] = { "uid_map", "gid_map", "projid_map", "setgroups" };
	int go, done, fd[4];
	pid_t pid = child_that_unshares(&go, &done);
	char b[100] = "";

	for (int i = 0; i < 4; i++)
		fd[i] = OK(open_of(pid, names[i], O_RDWR));
	EQ(write(go, "x", 1), 1);
	EQ(read(done, b, 1), 1);
	for (int i = 0; i < 3; i++)
		/* of the first namespace, which has its map */
		ERR(write(fd[i], "0 0 1", 5), EPERM);
	ERR(write(fd[3], "deny", 4), EPERM);
	EQ(lseek(fd[0], 0, SEEK_SET), 0);
	EQ(read(fd[0], b, sizeof(b)), 33);
	CHECK(!strncmp(b, "         0          0 4294967295\n", 33));
	EQ(kill(pid, SIGKILL), 0);
	t_wait(pid);
	/* It stays that file, whatever became of the process. */
	EQ(lseek(fd[0], 0, SEEK_SET), 0);
	EQ(read(fd[0], b, sizeof(b)), 33);
}

TEST(setgroups_is_opened_for_writing_by_who_may)
{
	OK(setgid(1000));
	OK(setuid(1000));
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	ERR(open("/proc/self/setgroups", O_WRONLY), EACCES);
	ERR(open("/proc/self/setgroups", O_RDWR), EACCES);
	close(OK(open("/proc/self/setgroups", O_RDONLY)));
	OK(unshare(CLONE_NEWUSER));
	close(OK(open("/proc/self/setgroups", O_RDWR)));
}

static void drop(int cap)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	OK(syscall(SYS_capget, &h, d));
	d[cap / 32].effective &= ~(1u << (cap % 32));
	OK(syscall(SYS_capset, &h, d));
}

/* File capabilities of a namespace whose root is the parent's hold in the parent. */
TEST(root_is_mapped_by_who_may_set_file_capabilities)
{
	int go, done, fd;
	pid_t pid = child_that_unshares(&go, &done);
	char c;

	EQ(write(go, "x", 1), 1);
	EQ(read(done, &c, 1), 1);
	drop(CAP_SETFCAP);
	fd = OK(open_of(pid, "uid_map", O_WRONLY));
	ERR(write(fd, "0 0 1", 5), EPERM);
	ERR(write(fd, "5 5 1\n0 0 1\n", 12), EPERM);
	EQ(write(fd, "0 1000 1", 8), 8);
	fd = OK(open_of(pid, "gid_map", O_WRONLY));
	EQ(write(fd, "0 0 1", 5), 5);
	EQ(kill(pid, SIGKILL), 0);
	t_wait(pid);
}

static void put_map(pid_t pid, const char *name, const char *text, int err)
{
	int fd = OK(open_of(pid, name, O_WRONLY));

	if (err)
		ERR(write(fd, text, strlen(text)), err);
	else
		EQ(write(fd, text, strlen(text)), (long)strlen(text));
	close(fd);
}

/* The namespace has two extents of each kind of id: a child namespace may map ids of one extent, none of the gap between. */
static void gives_ids_away(void)
{
	static const char *const names[] = { "uid_map", "gid_map", "projid_map" };
	int go, done;
	pid_t pid = child_that_unshares(&go, &done);
	char b[100] = "";

	EQ(write(go, "x", 1), 1);
	EQ(read(done, b, 1), 1);
	for (int i = 0; i < 3; i++) {
		int fd;

		put_map(pid, names[i], "0 0 40", EPERM);		/* both ends, and a gap */
		put_map(pid, names[i], "0 30 20", EPERM);		/* two pieces side by side */
		put_map(pid, names[i], "0 45 10", EPERM);
		put_map(pid, names[i], "0 12 4", EPERM);
		put_map(pid, names[i], "0 30 4294967200", EPERM);
		put_map(pid, names[i], "0 0 10\n10 32 8\n", 0);
		fd = OK(open_of(pid, names[i], O_RDONLY));
		EQ(read(fd, b, sizeof(b)), 66);
		CHECK(!strncmp(b, "         0          0         10\n        10         32          8\n", 66));
		close(fd);
	}
	EQ(kill(pid, SIGKILL), 0);
	t_wait(pid);
}

TEST(a_piece_of_a_map_lies_in_one_piece_of_the_parents)
{
	static const char *const names[] = { "uid_map", "gid_map", "projid_map" };
	int go[2], status;
	pid_t pid;
	char c;

	OK(pipe(go));
	pid = OK(fork());
	if (!pid) {
		OK(unshare(CLONE_NEWUSER));
		kill(getpid(), SIGSTOP);
		EQ(read(go[0], &c, 1), 1);
		gives_ids_away();
		_exit(0);
	}
	EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	for (int i = 0; i < 3; i++)
		put_map(pid, names[i], "0 0 10\n30 30 10\n40 40 10\n", 0);
	OK(kill(pid, SIGCONT));
	EQ(write(go[1], "x", 1), 1);
	EQ(t_wait(pid), 0);
}
