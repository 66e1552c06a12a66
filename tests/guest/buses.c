/* SPDX-License-Identifier: MIT */
/*
 * /sys/bus: PCI and virtio devices as pciutils and udev read them. proves: read readlink getdents64
 */
#include "t.h"
#include <dirent.h>
#include <limits.h>

static ssize_t text(const char *dir, const char *file, char *buf, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;
	int f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = open(path, O_RDONLY);
	if (f < 0)
		return -1;
	n = read(f, buf, size - 1);
	close(f);
	buf[n > 0 ? n : 0] = 0;
	return n;
}

static unsigned long number(const char *dir, const char *file)
{
	char buf[64];

	CHECK(text(dir, file, buf, sizeof(buf)) > 0);
	return strtoul(buf, NULL, 0);
}

/* The last part of where DIR's link leads. */
static const char *leads_to(const char *dir, const char *link)
{
	static char real[PATH_MAX];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, link);
	return realpath(path, real) ? strrchr(real, '/') + 1 : "";
}

static int each(const char *bus, void (*check)(const char *dir, const char *name))
{
	DIR *d = opendir(bus);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d))) {
		char path[PATH_MAX];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", bus, e->d_name);
		check(path, e->d_name);
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

static void a_function(const char *dir, const char *name)
{
	unsigned long long from, to, flags;
	unsigned char config[4096 + 1];
	char resource[4096], alias[128], want[128], uevent[1024];

	CHECK(text(dir, "config", (char *)config, sizeof(config)) >= (getuid() ? 64 : 256));
	EQ(config[0] | config[1] << 8, number(dir, "vendor"));
	EQ(config[2] | config[3] << 8, number(dir, "device"));
	EQ(config[8], number(dir, "revision"));
	EQ(config[9] | config[10] << 8 | config[11] << 16, number(dir, "class"));
	CHECK(text(dir, "irq", resource, sizeof(resource)) > 0);
	EQ(strcmp(leads_to(dir, "subsystem"), "pci"), 0);
	EQ(strcmp(leads_to(dir, ""), name), 0);
	CHECK(text(dir, "resource", resource, sizeof(resource)) >= 7 * 57);
	for (int i = 0; i < 6; i++) {
		EQ(sscanf(resource + i * 57, "%llx %llx %llx", &from, &to, &flags), 3);
		/* Ports and memory are what the register says. */
		if (flags && !(config[14] & 0x7f) && !(flags & 0x20000000))
			EQ(flags & 0x100, (config[16 + 4 * i] & 1) ? 0x100 : 0);
		CHECK(to >= from);
	}
	snprintf(want, sizeof(want), "pci:v%08lXd%08lXsv%08lXsd%08lXbc%02Xsc%02Xi%02X\n",
		 number(dir, "vendor"), number(dir, "device"), number(dir, "subsystem_vendor"),
		 number(dir, "subsystem_device"), config[11], config[10], config[9]);
	CHECK(text(dir, "modalias", alias, sizeof(alias)) > 0);
	EQ(strcmp(alias, want), 0);
	CHECK(text(dir, "uevent", uevent, sizeof(uevent)) > 0);
	CHECK(strstr(uevent, want));
	CHECK(strstr(uevent, name));
	/* DRIVER= names the driver that has it. */
	snprintf(want, sizeof(want), "DRIVER=%s\n", leads_to(dir, "driver"));
	EQ(!strncmp(uevent, want, strlen(want)), leads_to(dir, "driver")[0] != 0);
}

TEST(pci_functions)
{
	if (!each("/sys/bus/pci/devices", a_function))
		SKIP("no PCI");
}

static void short_config(const char *dir, const char *name)
{
	char config[4097];

	EQ(text(dir, "config", config, sizeof(config)), (config[14] & 0x7f) == 2 ? 128 : 64);
}

/* Registers beyond the header are for who may administer. */
TEST(config_of_a_user)
{
	pid_t pid;

	if (getuid())
		SKIP("not root");
	if (access("/sys/bus/pci/devices/0000:00:00.0", F_OK))
		SKIP("no PCI");
	pid = OK(fork());
	if (!pid) {
		OK(setresgid(1000, 1000, 1000));
		OK(setresuid(1000, 1000, 1000));
		_exit(each("/sys/bus/pci/devices", short_config) == 0);
	}
	CHECK(t_child_ok(pid));
}

static void a_virtio(const char *dir, const char *name)
{
	char alias[128], want[128], uevent[256];

	snprintf(want, sizeof(want), "virtio:d%08lXv%08lX\n", number(dir, "device"),
		 number(dir, "vendor"));
	CHECK(text(dir, "modalias", alias, sizeof(alias)) > 0);
	EQ(strcmp(alias, want), 0);
	CHECK(text(dir, "uevent", uevent, sizeof(uevent)) > 0);
	CHECK(strstr(uevent, want));
	EQ(strcmp(leads_to(dir, "subsystem"), "virtio"), 0);
	EQ(strncmp(leads_to(dir, ".."), "virtio", 6) != 0, 1);
	if (strstr(uevent, "DRIVER="))
		EQ(strncmp(leads_to(dir, "driver"), "virtio_", 7), 0);
}

TEST(virtio_devices)
{
	if (!each("/sys/bus/virtio/devices", a_virtio))
		SKIP("no virtio");
}

static void a_disk(const char *dir, const char *name)
{
	char uevent[256], want[64], dev[32];
	const char *bus;

	CHECK(text(dir, "uevent", uevent, sizeof(uevent)) > 0);
	snprintf(want, sizeof(want), "DEVNAME=%s\n", name);
	CHECK(strstr(uevent, want));
	CHECK(text(dir, "dev", dev, sizeof(dev)) > 0);
	dev[strcspn(dev, "\n")] = 0;
	EQ(strcmp(leads_to("/sys/dev/block", dev), name), 0);
	EQ(strcmp(leads_to("/sys/class/block", name), name), 0);
	EQ(strcmp(leads_to(dir, "subsystem"), "block"), 0);
	snprintf(want, sizeof(want), "DISKSEQ=%lu\n", number(dir, "diskseq"));
	CHECK(strstr(uevent, want));
	EQ(number(dir, "hidden"), 0);
	bus = leads_to(dir, "device/subsystem");
	EQ(!strncmp(name, "vd", 2), !strcmp(bus, "virtio"));
}

TEST(disks)
{
	if (!each("/sys/block", a_disk))
		SKIP("no disks");
}

static size_t config_read(int f)
{
	char buf[4096];
	size_t n = 0;
	ssize_t r;

	while ((r = OK(pread(f, buf, sizeof(buf), (off_t)n))) > 0)
		n += (size_t)r;
	close(f);
	return n;
}

static void check_opener(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int all, header;

	(void)name;
	snprintf(path, sizeof(path), "%s/config", dir);
	all = OK(open(path, O_RDONLY));
	OK(seteuid(1000));
	header = OK(open(path, O_RDONLY));
	CHECK(config_read(all) >= 256);
	OK(seteuid(0));
	EQ(config_read(header), 64);
}

/* The rights of the file's opener decide about configuration space behind the header. */
TEST(config_is_for_the_opener)
{
	if (!each("/sys/bus/pci/devices", check_opener))
		SKIP("no PCI here");
}
