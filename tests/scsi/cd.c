// SPDX-License-Identifier: MIT
/*
 * What a CD drive says, line by line: cd DEVICE WHAT..., where WHAT is "open" (which opens
 * succeed), "ask" (the ioctls that only look), "set" (those that change how the drive works),
 * "data" (what is read, through the page cache and directly), "hold" (a file that stays open while
 * the tray is asked for), "eject" and "close" (the tray).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/cdrom.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *device;
static unsigned char data[1 << 16] __attribute__((aligned(4096)));

static void say(const char *what, long r)
{
	printf("%s: %ld%s%s\n", what, r, r < 0 ? " " : "", r < 0 ? strerror(errno) : "");
	fflush(stdout);
}

static void try_open(const char *what, int flags)
{
	int fd = open(device, flags);

	say(what, fd < 0 ? -1 : 0);
	if (fd >= 0)
		close(fd);
}

static void opens(void)
{
	try_open("O_RDONLY", O_RDONLY);
	try_open("O_RDWR", O_RDWR);
	try_open("O_WRONLY", O_WRONLY);
	try_open("O_RDONLY O_NONBLOCK", O_RDONLY | O_NONBLOCK);
	try_open("O_RDWR O_NONBLOCK", O_RDWR | O_NONBLOCK);
}

static void toc(int fd)
{
	static const int tracks[] = { 0, 1, 2, 99, 100, CDROM_LEADOUT };
	struct cdrom_tochdr h = { 77, 77 };
	struct cdrom_tocentry e;
	long r = ioctl(fd, CDROMREADTOCHDR, &h);

	say("CDROMREADTOCHDR", r);
	if (!r)
		printf("tracks %d %d\n", h.cdth_trk0, h.cdth_trk1);
	for (size_t i = 0; i < 2 * sizeof(tracks) / sizeof(tracks[0]); i++) {
		memset(&e, 0, sizeof(e));
		e.cdte_track = (__u8)tracks[i / 2];
		e.cdte_format = i & 1 ? CDROM_LBA : CDROM_MSF;
		r = ioctl(fd, CDROMREADTOCENTRY, &e);
		printf("track %d, ", tracks[i / 2]);
		say("CDROMREADTOCENTRY", r);
		if (r)
			continue;
		printf("adr %d ctrl %d format %d mode %d ", e.cdte_adr, e.cdte_ctrl, e.cdte_format,
		       e.cdte_datamode);
		if (i & 1)
			printf("%d\n", e.cdte_addr.lba);
		else
			printf("%d:%d:%d\n", e.cdte_addr.msf.minute, e.cdte_addr.msf.second,
			       e.cdte_addr.msf.frame);
	}
	e.cdte_track = 1;
	e.cdte_format = 3;
	say("CDROMREADTOCENTRY, another format", ioctl(fd, CDROMREADTOCENTRY, &e));
	say("CDROMREADTOCENTRY, no memory", ioctl(fd, CDROMREADTOCENTRY, NULL));
}

static void sessions(int fd)
{
	struct cdrom_multisession m = { .addr_format = CDROM_LBA };
	long last = -7, r;
	int n = -7;

	r = ioctl(fd, CDROMMULTISESSION, &m);
	say("CDROMMULTISESSION", r);
	if (!r)
		printf("session %d xa %d format %d\n", m.addr.lba, m.xa_flag, m.addr_format);
	m.addr_format = CDROM_MSF;
	r = ioctl(fd, CDROMMULTISESSION, &m);
	say("CDROMMULTISESSION, MSF", r);
	if (!r)
		printf("session %d:%d:%d\n", m.addr.msf.minute, m.addr.msf.second,
		       m.addr.msf.frame);
	m.addr_format = 3;
	say("CDROMMULTISESSION, another format", ioctl(fd, CDROMMULTISESSION, &m));
	r = ioctl(fd, CDROM_LAST_WRITTEN, &last);
	say("CDROM_LAST_WRITTEN", r);
	if (!r)
		printf("last written %ld\n", last);
	say("BLKSSZGET", ioctl(fd, BLKSSZGET, &n));
	printf("%d\n", n);
	say("BLKROGET", ioctl(fd, BLKROGET, &n));
	printf("%d\n", n);
}

static void ask(void)
{
	int fd = open(device, O_RDONLY | O_NONBLOCK), n;

	say("CDROM_DRIVE_STATUS", ioctl(fd, CDROM_DRIVE_STATUS, CDSL_CURRENT));
	say("CDROM_DRIVE_STATUS, slot 0", ioctl(fd, CDROM_DRIVE_STATUS, 0));
	say("CDROM_DRIVE_STATUS, no slot", ioctl(fd, CDROM_DRIVE_STATUS, CDSL_NONE));
	say("CDROM_DISC_STATUS", ioctl(fd, CDROM_DISC_STATUS, 0));
	printf("CDROM_GET_CAPABILITY: %x\n", (unsigned int)ioctl(fd, CDROM_GET_CAPABILITY, 0));
	say("CDROM_CHANGER_NSLOTS", ioctl(fd, CDROM_CHANGER_NSLOTS, 0));
	say("CDROM_SELECT_DISC", ioctl(fd, CDROM_SELECT_DISC, 0));
	toc(fd);
	sessions(fd);
	say("SG_IO, nothing", ioctl(fd, SG_IO, NULL));
	say("SG_GET_VERSION_NUM", ioctl(fd, SG_GET_VERSION_NUM, &n));
	printf("%d\n", n);
	say("an ioctl that there is not", ioctl(fd, 0x5377, 0));
	say("one of no CD", ioctl(fd, 0x4177, 0));
	close(fd);
}

static void changed(void)
{
	int fd = open(device, O_RDONLY | O_NONBLOCK);

	say("CDROM_MEDIA_CHANGED", ioctl(fd, CDROM_MEDIA_CHANGED, CDSL_CURRENT));
	say("CDROM_MEDIA_CHANGED, again", ioctl(fd, CDROM_MEDIA_CHANGED, CDSL_CURRENT));
	close(fd);
}

static void set(void)
{
	int fd = open(device, O_RDONLY | O_NONBLOCK);

	say("CDROM_SET_OPTIONS 0", ioctl(fd, CDROM_SET_OPTIONS, 0));
	say("CDROM_SET_OPTIONS CHECK_TYPE", ioctl(fd, CDROM_SET_OPTIONS, CDO_CHECK_TYPE));
	say("CDROM_SET_OPTIONS 64", ioctl(fd, CDROM_SET_OPTIONS, 64));
	say("CDROM_CLEAR_OPTIONS CHECK_TYPE", ioctl(fd, CDROM_CLEAR_OPTIONS, CDO_CHECK_TYPE));
	say("CDROMEJECT_SW 1", ioctl(fd, CDROMEJECT_SW, 1));
	say("CDROM_SET_OPTIONS 0", ioctl(fd, CDROM_SET_OPTIONS, 0));
	say("CDROMEJECT_SW 0", ioctl(fd, CDROMEJECT_SW, 0));
	say("CDROM_SET_OPTIONS AUTO_CLOSE", ioctl(fd, CDROM_SET_OPTIONS, CDO_AUTO_CLOSE));
	say("CDROM_SELECT_SPEED 4", ioctl(fd, CDROM_SELECT_SPEED, 4));
	say("CDROM_SELECT_SPEED 0", ioctl(fd, CDROM_SELECT_SPEED, 0));
	say("CDROMRESET", ioctl(fd, CDROMRESET, 0));
	say("CDROM_LOCKDOOR 1", ioctl(fd, CDROM_LOCKDOOR, 1));
	say("CDROMEJECT, locked", ioctl(fd, CDROMEJECT, 0));
	say("CDROM_LOCKDOOR 0", ioctl(fd, CDROM_LOCKDOOR, 0));
	close(fd);
}

static void user(void)
{
	int fd = open(device, O_RDONLY | O_NONBLOCK), other;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child) {
		close(fd);
		waitpid(child, NULL, 0);
		return;
	}
	other = open(device, O_RDONLY | O_NONBLOCK);
	if (setresuid(1000, 1000, 1000))
		_exit(1);
	say("CDROMRESET by a user", ioctl(fd, CDROMRESET, 0));
	say("CDROM_DEBUG by a user", ioctl(fd, CDROM_DEBUG, 0));
	say("CDROM_LOCKDOOR 0 by a user, two files", ioctl(fd, CDROM_LOCKDOOR, 0));
	say("CDROM_LOCKDOOR 1 by a user, two files", ioctl(fd, CDROM_LOCKDOOR, 1));
	close(other);
	say("CDROM_LOCKDOOR 0 by a user", ioctl(fd, CDROM_LOCKDOOR, 0));
	say("CDROM_DRIVE_STATUS by a user", ioctl(fd, CDROM_DRIVE_STATUS, CDSL_CURRENT));
	_exit(0);
}

static void contents(void)
{
	int fd = open(device, O_RDONLY), direct = open(device, O_RDONLY | O_DIRECT), n;
	long long size = -7;

	say("open", fd < 0 ? -1 : 0);
	say("BLKGETSIZE64", ioctl(fd, BLKGETSIZE64, &size));
	printf("%lld\n", size);
	n = (int)read(fd, data, 64);
	say("read", n);
	if (n > 0)
		printf("%.16s\n", data);
	memset(data, 0, sizeof(data));
	say("direct read of a block", pread(direct, data, 2048, 2048));
	printf("%.16s\n", data);
	say("direct read of 512", pread(direct, data, 512, 0));
	say("read at the end", pread(fd, data, 4096, size - 2048));
	say("read behind the end", pread(fd, data, 4096, size));
	close(fd);
	close(direct);
}

static void hold(void)
{
	int fd = open(device, O_RDONLY);

	say("open", fd < 0 ? -1 : 0);
	say("CDROMEJECT while it is open for data", ioctl(fd, CDROMEJECT, 0));
	say("CDROM_DRIVE_STATUS", ioctl(fd, CDROM_DRIVE_STATUS, CDSL_CURRENT));
	close(fd);
}

static void tray(unsigned long command, const char *name)
{
	int fd = open(device, O_RDONLY | O_NONBLOCK);

	say(name, ioctl(fd, command, 0));
	say("CDROM_DRIVE_STATUS", ioctl(fd, CDROM_DRIVE_STATUS, CDSL_CURRENT));
	close(fd);
}

int main(int argc, char **argv)
{
	device = argv[1];
	for (int i = 2; i < argc; i++) {
		const char *w = argv[i];

		if (!strcmp(w, "open"))
			opens();
		else if (!strcmp(w, "ask"))
			ask();
		else if (!strcmp(w, "changed"))
			changed();
		else if (!strcmp(w, "set"))
			set();
		else if (!strcmp(w, "user"))
			user();
		else if (!strcmp(w, "data"))
			contents();
		else if (!strcmp(w, "hold"))
			hold();
		else if (!strcmp(w, "eject"))
			tray(CDROMEJECT, "CDROMEJECT");
		else if (!strcmp(w, "close"))
			tray(CDROMCLOSETRAY, "CDROMCLOSETRAY");
	}
	return 0;
}
