// SPDX-License-Identifier: MIT
/* Who may do what to a file. */
#include "t.h"
#include <grp.h>
#include <sys/stat.h>

static int as(uid_t uid, gid_t gid, void (*fn)(void))
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(setgroups(0, NULL));
		OK(setgid(gid));
		OK(setuid(uid));
		fn();
		_exit(0);
	}
	return t_child_ok(pid);
}

static void owner(void)
{
	close(OK(open("/tmp/perm/own", O_RDWR)));
	/* the owner's bits count, not the others' */
	ERR(open("/tmp/perm/noown", O_RDONLY), EACCES);
	OK(chmod("/tmp/perm/own", 0600));
	ERR(chown("/tmp/perm/own", 0, -1), EPERM);
	OK(access("/tmp/perm/own", R_OK | W_OK));
	ERR(access("/tmp/perm/own", X_OK), EACCES);
}

static void group(void)
{
	close(OK(open("/tmp/perm/grp", O_RDONLY)));
	ERR(open("/tmp/perm/grp", O_WRONLY), EACCES);
	ERR(chmod("/tmp/perm/grp", 0666), EPERM);
}

static void other(void)
{
	ERR(open("/tmp/perm/own", O_RDONLY), EACCES);
	ERR(open("/tmp/perm/closed/x", O_RDONLY), EACCES);
	ERR(unlink("/tmp/perm/grp"), EACCES);
	ERR(open("/tmp/perm/new", O_CREAT | O_WRONLY, 0600), EACCES);
	close(OK(open("/tmp/perm/drop/new", O_CREAT | O_WRONLY, 0600)));
	ERR(open("/tmp/perm/drop", O_RDONLY), EACCES);	/* may enter, may not list */
	ERR(unlink("/tmp/perm/sticky/roots"), EPERM);
	ERR(rename("/tmp/perm/sticky/roots", "/tmp/perm/sticky/mine"), EPERM);
	close(OK(open("/tmp/perm/sticky/mine", O_CREAT | O_WRONLY, 0600)));
	OK(unlink("/tmp/perm/sticky/mine"));
	/*
	 * In a directory where all leave things, links of others lead nowhere, but for those of its
	 * owner.
	 */
	ERR(open("/tmp/perm/sticky/of1000", O_RDONLY), EACCES);
	close(OK(open("/tmp/perm/sticky/of1000/passwd", O_RDONLY)));	/* that one is on the way */
	close(OK(open("/tmp/perm/sticky/ofroot", O_RDONLY)));
	close(OK(open("/tmp/perm/drop/of1000", O_RDONLY)));
	ERR(link("/tmp/perm/grp", "/tmp/perm/sticky/l"), EPERM);
	ERR(mknod("/tmp/perm/drop/dev", S_IFCHR | 0600, 0x103), EPERM);
	ERR(execl("/tmp/perm/noexec", "x", (char *)NULL), EACCES);
	ERR(utimensat(AT_FDCWD, "/tmp/perm/grp", NULL, 0), EACCES);
	struct timespec ts[2] = { { 1, 1 }, { 1, 1 } };

	ERR(utimensat(AT_FDCWD, "/tmp/perm/grp", ts, 0), EPERM);
	ERR(chroot("/tmp"), EPERM);
}

TEST(permissions)
{
	EQ(system("rm -rf /tmp/perm; mkdir -m 755 /tmp/perm; cd /tmp/perm; mkdir -m 700 closed; mkdir -m 733 drop; mkdir -m 1777 sticky;"
		  "touch own noown grp closed/x sticky/roots; echo x > noexec; chmod 644 noexec; chown 1000:1000 own noown; chmod 600 own;"
		  "chmod 077 noown; chown 0:2000 grp; chmod 640 grp; ln -s /etc sticky/of1000; ln -s /etc drop/of1000; chown -h 1000 sticky/of1000 drop/of1000; ln -s /etc sticky/ofroot"),
	   0);
	CHECK(as(1000, 1000, owner));
	CHECK(as(1001, 2000, group));
	CHECK(as(1002, 1002, other));
	/* root reads all of it, but does not run what nobody may. */
	close(OK(open("/tmp/perm/noown", O_RDWR)));
	ERR(access("/tmp/perm/noexec", X_OK), EACCES);
	system("rm -rf /tmp/perm");
}

static void in_group(void)
{
	struct stat st;

	close(OK(open("/tmp/perm2/f", O_CREAT | O_WRONLY, 0644)));
	OK(stat("/tmp/perm2/f", &st));
	EQ(st.st_gid, 3000);
	OK(mkdir("/tmp/perm2/d", 0755));
	OK(stat("/tmp/perm2/d", &st));
	CHECK(st.st_mode & S_ISGID);
}

TEST(setgid_directory)
{
	EQ(system("rm -rf /tmp/perm2; mkdir /tmp/perm2; chown 1000:3000 /tmp/perm2; chmod 2775 /tmp/perm2"),
	   0);
	CHECK(as(1000, 1000, in_group));
	system("rm -rf /tmp/perm2");
}

/* A write by someone else takes set-user-ID away. */
static void writer(void)
{
	int fd = OK(open("/tmp/perm3", O_WRONLY));

	EQ(write(fd, "x", 1), 1);
}

TEST(write_drops_setuid)
{
	struct stat st;

	EQ(system("rm -f /tmp/perm3; touch /tmp/perm3; chown 1000 /tmp/perm3; chmod 4777 /tmp/perm3"),
	   0);
	CHECK(as(1001, 1001, writer));
	OK(stat("/tmp/perm3", &st));
	EQ(st.st_mode & 07777, 0777);
	unlink("/tmp/perm3");
}
