// SPDX-License-Identifier: MIT
/* POSIX access control lists, acl(5), by the attributes that setfacl and getfacl use. */
#include "t.h"
#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/mount.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define DIR "/tmp/acl"

struct acl {
	struct posix_acl_xattr_header h;
	struct posix_acl_xattr_entry e[12];
};

static int count;
static struct acl acl;

static void begin(void)
{
	count = 0;
	acl.h.a_version = POSIX_ACL_XATTR_VERSION;
}

static void add(int tag, int perm, unsigned int id)
{
	acl.e[count++] =
		(struct posix_acl_xattr_entry){ (unsigned short)tag, (unsigned short)perm, id };
}

static size_t size(void)
{
	return sizeof(acl.h) + (size_t)count * sizeof(acl.e[0]);
}

static int set(const char *path, const char *name)
{
	return setxattr(path, name, &acl, size(), 0);
}

static void is(const char *path, const char *name)
{
	struct acl got;

	memset(&got, 0, sizeof(got));
	EQ(getxattr(path, name, &got, sizeof(got)), size());
	CHECK(!memcmp(&got, &acl, size()));
}

static unsigned int mode_of(const char *path)
{
	struct stat st;

	OK(stat(path, &st));
	return st.st_mode & 07777;
}

static void start(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mkdir(DIR, 0755))
		EQ(errno, EEXIST);
	OK(mount("none", DIR, "tmpfs", 0, "mode=0777"));
	umask(022);
}

/* What a user with these groups may do: the bits of access(2). */
static int may(const char *path, uid_t uid, gid_t gid, gid_t extra)
{
	pid_t pid = OK(fork());
	int status;

	if (!pid) {
		int r = 0;

		OK(setgroups(extra ? 1 : 0, &extra));
		OK(setgid(gid));
		OK(setuid(uid));
		for (int bit = 1; bit <= 4; bit <<= 1)
			r |= access(path, bit) ? 0 : bit;
		_exit(r);
	}
	status = t_wait(pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(access_by_the_list)
{
	start();
	close(OK(open(DIR "/f", O_CREAT | O_RDWR, 0600)));
	OK(chown(DIR "/f", 1000, 1000));
	begin();
	add(ACL_USER_OBJ, 7, -1);
	add(ACL_USER, 6, 1001);
	add(ACL_USER, 7, 1002);
	add(ACL_GROUP_OBJ, 4, -1);
	add(ACL_GROUP, 2, 2000);
	add(ACL_GROUP, 7, 2001);
	add(ACL_MASK, 6, -1);
	add(ACL_OTHER, 1, -1);
	OK(set(DIR "/f", ACCESS));
	is(DIR "/f", ACCESS);
	EQ(mode_of(DIR "/f"), 0761);		/* the group's bits are the mask */
	EQ(may(DIR "/f", 1000, 5, 0), 7);
	EQ(may(DIR "/f", 1001, 5, 0), 6);
	EQ(may(DIR "/f", 1002, 5, 0), 6);	/* masked */
	EQ(may(DIR "/f", 1003, 1000, 0), 4);
	EQ(may(DIR "/f", 1003, 2000, 0), 2);
	EQ(may(DIR "/f", 1003, 5, 2001), 6);
	/* each bit by one of them; access(2) asks one at a time */
	EQ(may(DIR "/f", 1003, 1000, 2000), 6);
	EQ(may(DIR "/f", 1003, 5, 0), 1);
	EQ(may(DIR "/f", 1001, 1000, 2001), 6);	/* the user's own entry decides */
	/* chmod changes the mask. */
	OK(chmod(DIR "/f", 0740));
	acl.e[6].e_perm = 4;
	acl.e[7].e_perm = 0;
	is(DIR "/f", ACCESS);
	EQ(may(DIR "/f", 1002, 5, 0), 4);
	/* Without: the mode alone again. */
	OK(removexattr(DIR "/f", ACCESS));
	ERR(getxattr(DIR "/f", ACCESS, NULL, 0), ENODATA);
	EQ(mode_of(DIR "/f"), 0740);
	EQ(may(DIR "/f", 1002, 5, 0), 0);
	EQ(may(DIR "/f", 1003, 1000, 0), 4);
}

TEST(one_that_is_only_a_mode)
{
	start();
	close(OK(open(DIR "/f", O_CREAT | O_RDWR, 0600)));
	begin();
	add(ACL_USER_OBJ, 6, -1);
	add(ACL_GROUP_OBJ, 4, -1);
	add(ACL_OTHER, 2, -1);
	OK(set(DIR "/f", ACCESS));
	EQ(mode_of(DIR "/f"), 0642);
	ERR(getxattr(DIR "/f", ACCESS, NULL, 0), ENODATA);
	EQ(listxattr(DIR "/f", NULL, 0), 0);
}

TEST(directories_hand_theirs_down)
{
	start();
	OK(mkdir(DIR "/d", 0755));
	begin();
	add(ACL_USER_OBJ, 7, -1);
	add(ACL_USER, 7, 1001);
	add(ACL_GROUP_OBJ, 5, -1);
	add(ACL_MASK, 7, -1);
	add(ACL_OTHER, 0, -1);
	OK(set(DIR "/d", DEFAULT));
	is(DIR "/d", DEFAULT);
	EQ(mode_of(DIR "/d"), 0755);
	close(OK(open(DIR "/d/f", O_CREAT | O_RDWR, 0666)));	/* the umask does not count */
	EQ(mode_of(DIR "/d/f"), 0660);
	EQ(may(DIR "/d/f", 1001, 5, 0), 6);
	EQ(may(DIR "/d/f", 1002, 5, 0), 0);
	ERR(getxattr(DIR "/d/f", DEFAULT, NULL, 0), ENODATA);
	OK(mkdir(DIR "/d/sub", 0755));
	EQ(mode_of(DIR "/d/sub"), 0750);
	is(DIR "/d/sub", DEFAULT);
	EQ(may(DIR "/d/sub", 1001, 5, 0), 5);
	OK(mknod(DIR "/d/fifo", S_IFIFO | 0644, 0));
	EQ(mode_of(DIR "/d/fifo"), 0640);
	OK(symlink("f", DIR "/d/link"));
	ERR(lgetxattr(DIR "/d/link", ACCESS, NULL, 0), EOPNOTSUPP);
	OK(removexattr(DIR "/d", DEFAULT));
	close(OK(open(DIR "/d/g", O_CREAT | O_RDWR, 0666)));
	EQ(mode_of(DIR "/d/g"), 0644);
	ERR(set(DIR "/d/g", DEFAULT), EACCES);
	/* Searching asks the list, too: all bits are there for others, not for this one. */
	begin();
	add(ACL_USER_OBJ, 7, -1);
	add(ACL_USER, 0, 1001);
	add(ACL_GROUP_OBJ, 7, -1);
	add(ACL_MASK, 7, -1);
	add(ACL_OTHER, 7, -1);
	OK(set(DIR "/d", ACCESS));
	EQ(mode_of(DIR "/d"), 0777);
	EQ(may(DIR "/d/g", 1001, 5, 0), 0);
	EQ(may(DIR "/d/g", 1002, 5, 0), 4);
}

TEST(wrong_ones)
{
	pid_t pid;

	start();
	close(OK(open(DIR "/f", O_CREAT | O_RDWR, 0600)));
	begin();
	add(ACL_USER_OBJ, 6, -1);
	ERR(set(DIR "/f", ACCESS), EINVAL);
	add(ACL_USER, 6, 7);
	add(ACL_GROUP_OBJ, 4, -1);
	add(ACL_OTHER, 2, -1);
	ERR(set(DIR "/f", ACCESS), EINVAL);	/* a named one needs a mask */
	acl.e[3].e_tag = ACL_MASK;
	add(ACL_OTHER, 2, -1);
	OK(set(DIR "/f", ACCESS));
	ERR(setxattr(DIR "/f", ACCESS, &acl, size() - 1, 0), EINVAL);
	ERR(setxattr(DIR "/f", ACCESS, &acl, 3, 0), EINVAL);
	acl.e[1].e_perm = 8;
	ERR(set(DIR "/f", ACCESS), EINVAL);
	acl.e[1].e_perm = 1;
	acl.e[1].e_tag = 0x40;
	ERR(set(DIR "/f", ACCESS), EINVAL);
	acl.e[1].e_tag = ACL_GROUP;
	ERR(set(DIR "/f", ACCESS), EINVAL);
	acl.h.a_version = 1;
	ERR(set(DIR "/f", ACCESS), EOPNOTSUPP);
	ERR(getxattr(DIR "/f", ACCESS, &acl, 10), ERANGE);
	EQ(getxattr(DIR "/f", ACCESS, NULL, 0), 44);
	EQ(listxattr(DIR "/f", NULL, 0), sizeof(ACCESS));
	OK(setxattr(DIR "/f", "user.x", "y", 1, 0));
	EQ(listxattr(DIR "/f", NULL, 0), sizeof(ACCESS) + sizeof("user.x"));
	pid = OK(fork());
	if (!pid) {
		OK(setuid(1000));
		ERR(removexattr(DIR "/f", ACCESS), EPERM);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	OK(removexattr(DIR "/f", ACCESS));
}
