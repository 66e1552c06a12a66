// SPDX-License-Identifier: MIT
/* Who a process is, and what it may. proves: getuid geteuid getgid getegid setuid setgid setreuid
 * setregid setresuid setresgid getresuid getresgid setfsuid setfsgid getgroups setgroups capget
 * capset */
#include "t.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static void ids(uid_t r, uid_t e, uid_t s)
{
	uid_t a, b, c;

	OK(getresuid(&a, &b, &c));
	EQ(a, r);
	EQ(b, e);
	EQ(c, s);
}

static uint64_t effective(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	OK((int)syscall(SYS_capget, &h, d));
	return d[0].effective | (uint64_t)d[1].effective << 32;
}

TEST(root_gives_itself_up)
{
	ids(0, 0, 0);
	CHECK(effective() != 0);
	OK(setuid(1000));
	ids(1000, 1000, 1000);
	EQ(effective(), 0);
	ERR(setuid(0), EPERM);
	ERR(setresuid(1000, 0, -1), EPERM);
	ERR(setgroups(0, NULL), EPERM);
	ERR(setgid(5), EPERM);
	OK(setgid(0));
}

TEST(saved_id)
{
	OK(setresuid(1000, 2000, 3000));
	ids(1000, 2000, 3000);
	OK(seteuid(3000));
	ids(1000, 3000, 3000);
	OK(seteuid(1000));
	ERR(seteuid(2000), EPERM);
	OK(setreuid(-1, 1000));
	ids(1000, 1000, 3000);
	OK(setreuid(1000, 3000));
	/* a real ID set, or an effective one other than the real: saved too */
	ids(1000, 3000, 3000);
}

TEST(temporary_drop)
{
	OK(setresuid(0, 1000, 0));
	EQ(effective(), 0);
	ERR(setgroups(0, NULL), EPERM);
	OK(setresuid(0, 0, 0));
	CHECK(effective() != 0);
}

TEST(groups)
{
	gid_t in[3] = { 10, 30, 20 }, out[10];

	OK(setgroups(3, in));
	EQ(getgroups(0, NULL), 3);
	EQ(getgroups(10, out), 3);
	ERR(getgroups(2, out), EINVAL);
	ERR(getgroups(-1, out), EINVAL);
	ERR(setgroups(70000, in), EINVAL);
	OK(setresgid(1, 2, 3));
	gid_t a, b, c;

	OK(getresgid(&a, &b, &c));
	CHECK(a == 1 && b == 2 && c == 3);
	pid_t pid = OK(fork());

	if (pid == 0) {
		EQ(getgroups(10, out), 3);
		EQ(getegid(), 2);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(filesystem_id)
{
	int fd;
	struct stat st;

	unlink("/tmp/fsid");
	OK(chmod("/tmp", 01777));
	EQ(setfsuid(1234), 0);
	EQ(setfsuid(-1), 1234);
	fd = OK(open("/tmp/fsid", O_CREAT | O_WRONLY, 0600));
	OK(fstat(fd, &st));
	EQ(st.st_uid, 1234);
	EQ(geteuid(), 0);
	setfsuid(0);
	unlink("/tmp/fsid");
}

TEST(capabilities)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	OK((int)syscall(SYS_capget, &h, d));
	d[0].effective &= ~(1u << CAP_KILL | 1u << CAP_SYS_CHROOT);
	OK((int)syscall(SYS_capset, &h, d));
	ERR(chroot("/tmp"), EPERM);
	d[0].effective |= 1u << CAP_SYS_CHROOT;
	OK((int)syscall(SYS_capset, &h, d));
	d[0].effective &= ~(1u << CAP_SYS_CHROOT);
	d[0].permitted &= ~(1u << CAP_SYS_CHROOT);
	OK((int)syscall(SYS_capset, &h, d));
	d[0].permitted |= 1u << CAP_SYS_CHROOT;
	ERR(syscall(SYS_capset, &h, d), EPERM);
	EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN), 1);
	OK(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
	EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN), 0);
	ERR(prctl(PR_CAPBSET_READ, 99), EINVAL);
	h.version = 1;
	ERR(syscall(SYS_capget, &h, d), EINVAL);
	EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
	h.pid = 999999;
	ERR(syscall(SYS_capget, &h, d), ESRCH);
}

TEST(kept_over_setuid)
{
	OK(prctl(PR_SET_KEEPCAPS, 1));
	OK(setuid(1000));
	EQ(effective(), 0);
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	OK((int)syscall(SYS_capget, &h, d));
	CHECK(d[0].permitted != 0);
}

TEST(no_new_privileges)
{
	EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
}
