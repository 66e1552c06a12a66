// SPDX-License-Identifier: MIT
/*
 * Who has a block device for himself: O_EXCL of open(2), and what it keeps others from. proves:
 * open ioctl
 */
#include "t.h"
#include <linux/fs.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

static char dev[32];

/* A loop device over a file of 4 MiB; it goes with its last user. */
static int device(void)
{
	int control = open("/dev/loop-control", O_RDWR),
	    file = OK(open("/tmp/hold.img", O_RDWR | O_CREAT | O_TRUNC, 0600)), d;
	struct loop_config c = { .fd = (unsigned int)file,
				 .info = { .lo_flags = LO_FLAGS_AUTOCLEAR } };

	if (control < 0 && errno == ENOENT)
		SKIP("no loop devices");
	OK(ftruncate(file, 4 << 20));
	snprintf(dev, sizeof(dev), "/dev/loop%d", (int)OK(ioctl(control, LOOP_CTL_GET_FREE)));
	d = OK(open(dev, O_RDWR));
	OK(ioctl(d, LOOP_CONFIGURE, &c));
	close(file);
	close(control);
	OK(unlink("/tmp/hold.img"));
	return d;
}

TEST(exclusive)
{
	int d = device(), a, b;

	a = OK(open(dev, O_RDONLY | O_EXCL));
	ERR(open(dev, O_RDONLY | O_EXCL), EBUSY);
	ERR(open(dev, O_RDWR | O_EXCL), EBUSY);
	b = OK(open(dev, O_RDWR));		/* who does not ask for it is not kept out */
	close(b);
	b = OK(dup(a));
	close(a);
	ERR(open(dev, O_RDONLY | O_EXCL), EBUSY);	/* the last descriptor counts */
	close(b);
	close(OK(open(dev, O_RDWR | O_EXCL)));
	close(d);
}

TEST(held_across_fork)
{
	int d = device(), a = OK(open(dev, O_RDONLY | O_EXCL)), status, go[2];
	pid_t pid;

	OK(pipe(go));
	pid = OK(fork());
	if (!pid) {
		char c;

		_exit(read(go[0], &c, 1) == 1 ? 0 : 1);
	}
	close(a);
	ERR(open(dev, O_RDONLY | O_EXCL), EBUSY);	/* the child has it still */
	EQ(write(go[1], "x", 1), 1);
	EQ(OK(waitpid(pid, &status, 0)), pid);
	EQ(status, 0);
	close(OK(open(dev, O_RDONLY | O_EXCL)));
	close(d);
}

TEST(block_size)
{
	int d = device(), n = 0, a;

	n = 1024;
	OK(ioctl(d, BLKBSZSET, &n));
	n = 0;
	OK(ioctl(d, BLKBSZGET, &n));
	EQ(n, 1024);
	n = 1000;
	ERR(ioctl(d, BLKBSZSET, &n), EINVAL);
	n = 256;
	ERR(ioctl(d, BLKBSZSET, &n), EINVAL);
	n = -512;
	ERR(ioctl(d, BLKBSZSET, &n), EINVAL);
	ERR(ioctl(d, BLKBSZSET, NULL), EINVAL);
	ERR(ioctl(d, BLKBSZSET, 8), EFAULT);
	a = OK(open(dev, O_RDONLY | O_EXCL));
	n = 512;
	ERR(ioctl(d, BLKBSZSET, &n), EBUSY);	/* it is another's */
	OK(ioctl(a, BLKBSZSET, &n));
	n = 0;
	OK(ioctl(d, BLKBSZGET, &n));
	EQ(n, 512);
	close(a);
	close(d);
}

TEST(block_size_needs_rights)
{
	int d = device(), n = 1024, status;
	pid_t pid = OK(fork());

	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		if (ioctl(d, BLKBSZSET, &n) != -1 || errno != EACCES)
			_exit(2);
		/* root of his own namespace */
		if (!unshare(CLONE_NEWUSER) && (ioctl(d, BLKBSZSET, &n) != -1 || errno != EACCES))
			_exit(3);
		_exit(0);
	}
	EQ(OK(waitpid(pid, &status, 0)), pid);
	EQ(status, 0);
	close(d);
}

TEST(mount_excludes)
{
	int d = device(), a;

	mkdir("/tmp/hold", 0755);
	ERR(mount("/tmp/hold", "/tmp/hold", "xfs", MS_RDONLY, NULL),
	    errno == ENODEV ? ENODEV : ENOTBLK);
	if (errno == ENODEV)
		SKIP("no xfs");
	a = OK(open(dev, O_RDONLY | O_EXCL));
	ERR(mount(dev, "/tmp/hold", "xfs", MS_RDONLY, NULL), EBUSY);
	close(a);
	/* zeroes are no file system, and what failed holds nothing */
	ERR(mount(dev, "/tmp/hold", "xfs", MS_RDONLY, NULL), EINVAL);
	close(OK(open(dev, O_RDONLY | O_EXCL)));
	ERR(mount("/tmp/none", "/tmp/hold", "xfs", MS_RDONLY, NULL), ENOENT);
	OK(rmdir("/tmp/hold"));
	close(d);
}

TEST(partitions_of_a_held_disk)
{
	int d = device(), a = OK(open(dev, O_RDONLY | O_EXCL));

	ERR(ioctl(d, BLKRRPART), EBUSY);	/* somebody else's */
	OK(ioctl(a, BLKRRPART));		/* the holder's own */
	ERR(open(dev, O_RDONLY | O_EXCL), EBUSY);
	close(a);
	OK(ioctl(d, BLKRRPART));
	close(OK(open(dev, O_RDONLY | O_EXCL)));
	close(d);
}
