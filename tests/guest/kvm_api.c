// SPDX-License-Identifier: MIT
/*
 * /dev/kvm (x86_64) without a guest: what each descriptor answers, regions, mappings, and every
 * order of ends.
 */
#include "t.h"
#ifdef __x86_64__
#include <linux/kvm.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#define MB (1ul << 20)

static int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		SKIP("this CPU runs no guests");
	return OK(fd);
}

static int vm_new(void)
{
	int kvm = kvm_open(), vm = OK(ioctl(kvm, KVM_CREATE_VM, 0));

	close(kvm);
	return vm;
}

static void *memory(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static int region(int vm, unsigned int slot, unsigned int flags, uint64_t at, uint64_t size,
		  void *p)
{
	struct kvm_userspace_memory_region r = { slot, flags, at, size, (uintptr_t)p };

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r);
}

static void check_name(int fd, const char *name)
{
	char path[40], link[80];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = OK(readlink(path, link, sizeof(link) - 1));
	link[n] = 0;
	CHECK(!strcmp(link, name));
	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

/* What FD answers to CMD in a child; 0: no error. */
static int in_child(int fd, unsigned long cmd, unsigned long arg)
{
	int status, pid = OK(fork());

	if (!pid)
		_exit(ioctl(fd, cmd, arg) < 0 ? errno : 0);
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(kvm_device)
{
	int kvm = kvm_open(), size;
	struct stat st;
	char c;

	OK(stat("/dev/kvm", &st));
	CHECK(S_ISCHR(st.st_mode));
	EQ(st.st_rdev, makedev(10, 232));
	EQ(st.st_mode & 0777, 0600);
	EQ(ioctl(kvm, KVM_GET_API_VERSION, 0), 12);
	ERR(ioctl(kvm, KVM_GET_API_VERSION, 1), EINVAL);
	ERR(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 1), EINVAL);
	size = OK(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	CHECK(size >= PAGE && !(size % PAGE));
	ERR(ioctl(kvm, KVM_CREATE_VCPU, 0), EINVAL);
	ERR(ioctl(kvm, _IO(KVMIO, 0xff), 0), EINVAL);
	ERR(ioctl(kvm, KVM_CREATE_VM, ~0ul), EINVAL);
	ERR(read(kvm, &c, 1), EINVAL);
	ERR(write(kvm, &c, 1), EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, kvm, 0) == MAP_FAILED && errno == ENODEV);
	EQ(lseek(kvm, 5, SEEK_SET), 0);
}

/* Bits that say how a machine's CPUs belong together are a guest's as far as the CPU has them. */
TEST(kvm_cpuid_of_many_cores)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} id = { { .nent = 256 }, { { 0 } } };
	uint32_t a = 0x80000001, b, c = 0, d;
	int kvm = kvm_open(), found = 0;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	OK(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &id));
	for (uint32_t i = 0; i < id.head.nent; i++) {
		if (id.entries[i].function != 0x80000001)
			continue;
		EQ(id.entries[i].ecx & 2, c & 2);	/* CMP_LEGACY */
		found++;
	}
	EQ(found, 1);
}

struct msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry of[2];
};

/* /dev/kvm names MSRs that say what a guest can have, and has their values. */
TEST(kvm_msr_features)
{
	static const uint32_t all[] = { 0x8b, 0x10a, 0x345, 0xc0011029 };
	struct {
		struct kvm_msr_list head;
		uint32_t of[64];
	} l = { { .nmsrs = 0 }, { 0 } };
	struct msrs x = { { .nmsrs = 256 }, { { .index = 0x10a }, { .index = 0x345 } } };
	int kvm = kvm_open(), v;

	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_GET_MSR_FEATURES), 1);
	ERR(ioctl(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, &l), E2BIG);
	CHECK(l.head.nmsrs >= 4 && l.head.nmsrs <= 64);
	OK(ioctl(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, &l));
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		uint32_t at = 0;

		while (at < l.head.nmsrs && l.of[at] != all[i])
			at++;
		CHECK(at < l.head.nmsrs);
	}
	ERR(ioctl(kvm, KVM_GET_MSRS, &x), E2BIG);
	ERR(ioctl(kvm, KVM_GET_MSRS, 8), EFAULT);
	x.head.nmsrs = 2;
	EQ(ioctl(kvm, KVM_GET_MSRS, &x), 2);
	ERR(ioctl(kvm, KVM_SET_MSRS, &x), EINVAL);
	v = OK(ioctl(vm_new(), KVM_CREATE_VCPU, 0));
	EQ(ioctl(v, KVM_GET_MSRS, &x), 2);
	EQ(x.of[0].data, 0);
	EQ(x.of[1].data, 0);
	EQ(ioctl(v, KVM_SET_MSRS, &x), 2);
	x.of[0].index = 0x8b;
	x.of[1].index = 0x174;		/* a vCPU's alone */
	x.of[1].data = 7;
	EQ(ioctl(kvm, KVM_GET_MSRS, &x), 2);
	EQ(x.of[1].data, 0);
	x.of[1].index = 0x40000200;	/* nobody's */
	EQ(ioctl(kvm, KVM_GET_MSRS, &x), 1);
}

/* What is emulated, in the leaves 0, 1 and 7. */
TEST(kvm_emulated_cpuid)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 of[256];
	} id = { { .nent = 0 }, { { 0 } } };
	int kvm = kvm_open();

	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_EXT_EMUL_CPUID), 1);
	ERR(ioctl(kvm, KVM_GET_EMULATED_CPUID, &id), E2BIG);
	ERR(ioctl(kvm, KVM_GET_EMULATED_CPUID, 8), EFAULT);
	id.head.nent = 2;
	ERR(ioctl(kvm, KVM_GET_EMULATED_CPUID, &id), E2BIG);
	id.head.nent = 256;
	id.of[255].padding[2] = 1;
	ERR(ioctl(kvm, KVM_GET_EMULATED_CPUID, &id), EINVAL);
	EQ(id.head.nent, 256);
	id.of[255].padding[2] = 0;
	OK(ioctl(kvm, KVM_GET_EMULATED_CPUID, &id));
	EQ(id.head.nent, 3);
	EQ(id.of[0].function, 0);
	EQ(id.of[0].eax, 7);
	EQ(id.of[1].function, 1);
	EQ(id.of[2].function, 7);
	EQ(id.of[2].flags, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
}

TEST(kvm_capabilities)
{
	static const int yes[] = { KVM_CAP_USER_MEMORY,
				   KVM_CAP_DESTROY_MEMORY_REGION_WORKS,
				   KVM_CAP_JOIN_MEMORY_REGIONS_WORKS,
				   KVM_CAP_SYNC_MMU,
				   KVM_CAP_READONLY_MEM,
				   KVM_CAP_INTERNAL_ERROR_DATA,
				   KVM_CAP_IMMEDIATE_EXIT,
				   KVM_CAP_CHECK_EXTENSION_VM,
				   KVM_CAP_USER_MEMORY2,
				   KVM_CAP_SET_TSS_ADDR,
				   KVM_CAP_SET_IDENTITY_MAP_ADDR,
				   KVM_CAP_EXT_CPUID,
				   KVM_CAP_MP_STATE,
				   KVM_CAP_VCPU_EVENTS,

				   KVM_CAP_DEBUGREGS,
				   KVM_CAP_XSAVE,
				   KVM_CAP_XCRS,
				   KVM_CAP_USER_NMI,
				   KVM_CAP_NOP_IO_DELAY,
				   KVM_CAP_GET_TSC_KHZ };
	int kvm = kvm_open(), vm = vm_new();

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (ioctl(kvm, KVM_CHECK_EXTENSION, yes[i]) != 1 ||
		    ioctl(vm, KVM_CHECK_EXTENSION, yes[i]) != 1)
			FAIL("there is no capability %d", yes[i]);
	}
	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS), 32764);
	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID), 16384);
	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS), 4096);
	CHECK(OK(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS)) >= 1);
	/* There is no such capability, and there will be none. */
	EQ(ioctl(kvm, KVM_CHECK_EXTENSION, -1ul), 0);
	EQ(ioctl(vm, KVM_CHECK_EXTENSION, 1 << 30), 0);
}

TEST(kvm_vm)
{
	int vm = vm_new();
	uint64_t at = 0xfffbc000;

	check_name(vm, "anon_inode:kvm-vm");
	ERR(ioctl(vm, _IO(KVMIO, 0xff), 0), ENOTTY);
	ERR(ioctl(vm, TIOCGWINSZ, &at), ENOTTY);
	ERR(ioctl(vm, KVM_RUN, 0), ENOTTY);
	ERR(ioctl(vm, KVM_CREATE_VM, 0), ENOTTY);
	OK(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &at));
	ERR(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, 8), EFAULT);
	OK(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000));
	ERR(ioctl(vm, KVM_SET_TSS_ADDR, 0xffffe000), EINVAL);
	OK(ioctl(vm, KVM_CREATE_VCPU, 0));
	ERR(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &at), EINVAL);
}

TEST(kvm_vcpu)
{
	int vm = vm_new(), a = OK(ioctl(vm, KVM_CREATE_VCPU, 0)),
	    b = OK(ioctl(vm, KVM_CREATE_VCPU, 16383));
	struct {
		struct kvm_signal_mask m;
		unsigned char set[8];
	} __attribute__((packed)) mask = { { 8 }, { 0 } };

	check_name(a, "anon_inode:kvm-vcpu:0");
	check_name(b, "anon_inode:kvm-vcpu:16383");
	ERR(ioctl(vm, KVM_CREATE_VCPU, 0), EEXIST);
	ERR(ioctl(vm, KVM_CREATE_VCPU, 16383), EEXIST);
	ERR(ioctl(vm, KVM_CREATE_VCPU, 16384), EINVAL);
	ERR(ioctl(vm, KVM_CREATE_VCPU, -1ul), EINVAL);
	ERR(ioctl(vm, KVM_CREATE_VCPU, 1ul << 32), EINVAL);
	ERR(ioctl(a, KVM_RUN, 1), EINVAL);
	ERR(ioctl(a, TIOCGWINSZ, &mask), EINVAL);
	ERR(ioctl(a, _IO(KVMIO, 0xff), 0), EINVAL);
	OK(ioctl(a, KVM_SET_SIGNAL_MASK, 0));
	OK(ioctl(a, KVM_SET_SIGNAL_MASK, &mask));
	ERR(ioctl(a, KVM_SET_SIGNAL_MASK, 8), EFAULT);
	mask.m.len = 7;
	ERR(ioctl(a, KVM_SET_SIGNAL_MASK, &mask), EINVAL);
}

static volatile sig_atomic_t faults;
static char *volatile probed;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_addr != probed)
		_exit(99);
	faults++;
	/* What the access finds when it is tried again. */
	if (mmap(probed, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		_exit(98);
}

TEST(kvm_run_mapping)
{
	int kvm = kvm_open(), vm = vm_new(), v = OK(ioctl(vm, KVM_CREATE_VCPU, 3));
	size_t size = (size_t)OK(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	struct sigaction sa = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
	char *a = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v, 0), *b, *c;

	OK(sigaction(SIGBUS, &sa, NULL));
	CHECK(a != MAP_FAILED);
	b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v, 0);
	CHECK(b != MAP_FAILED);
	c = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, v, 0);
	CHECK(c != MAP_FAILED);
	/* One page, seen by all; written privately it is a copy. Away and again it is the same. */
	a[1] = 1;
	EQ(b[1], 1);
	EQ(c[1], 1);
	c[1] = 7;
	EQ(b[1], 1);
	OK(munmap(a, PAGE));
	EQ(b[1], 1);
	OK(madvise(b, PAGE, MADV_DONTNEED));
	EQ(b[1], 1);
	/* Behind the last page there is nothing. */
	EQ(faults, 0);
	probed = a + size;
	*(volatile char *)probed = 1;
	EQ(faults, 1);
	probed = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, v, (off_t)PAGE << 20);
	CHECK(probed != MAP_FAILED);
	EQ(*(volatile char *)probed, 0);
	EQ(faults, 2);
	/* It outlives all descriptors, and serves a child. */
	close(v);
	close(vm);
	if (!in_child(-1, 0, 0))
		FAIL("a bad descriptor is none");
	b[1] = 0;
	EQ(b[1], 0);
}

TEST(kvm_run_at_once)
{
	int vm = vm_new(), v = OK(ioctl(vm, KVM_CREATE_VCPU, 0));
	struct kvm_run *run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v, 0);

	CHECK(run != MAP_FAILED);
	run->immediate_exit = 1;
	ERR(ioctl(v, KVM_RUN, 0), EINTR);
	ERR(ioctl(v, KVM_RUN, 0), EINTR);
}

TEST(kvm_region_errors)
{
	int vm = vm_new(), spaces = OK(ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE));
	char *m = memory(MB);

	ERR(region(vm, 0, 0, 1, MB, m), EINVAL);
	ERR(region(vm, 0, 0, 0, 1, m), EINVAL);
	ERR(region(vm, 0, 0, 0, MB, m + 1), EINVAL);
	ERR(region(vm, 0, 1 << 5, 0, MB, m), EINVAL);
	ERR(region(vm, 32764, 0, 0, MB, m), EINVAL);
	ERR(region(vm, spaces << 16, 0, 0, MB, m), EINVAL);
	ERR(region(vm, 0, 0, -(uint64_t)PAGE, 2 * PAGE, m), EINVAL);
	ERR(region(vm, 0, 0, 1ull << 60, MB, m), EINVAL);
	ERR(region(vm, 0, 0, 0, MB, (void *)-MB), EINVAL);
	ERR(region(vm, 0, 0, 0, 0, m), EINVAL);
	ERR(ioctl(vm, KVM_SET_USER_MEMORY_REGION, 8), EFAULT);
	/* The last slot; memory that is not there is nobody's business yet. */
	OK(region(vm, 32763, 0, 0, MB, m));
	OK(region(vm, 1, KVM_MEM_READONLY, MB, MB, (void *)MB));
	/* What may change of one: the flag of its log, and where it lies. */
	ERR(region(vm, 1, 0, MB, MB, (void *)MB), EINVAL);
	ERR(region(vm, 32763, 0, 0, MB / 2, m), EINVAL);
	ERR(region(vm, 32763, 0, 0, MB, m + PAGE), EINVAL);
	OK(region(vm, 32763, 0, 0, MB, m));
	OK(region(vm, 32763, KVM_MEM_LOG_DIRTY_PAGES, 0, MB, m));
	OK(region(vm, 32763, 0, 0, MB, m));
	/* Frames are one slot's; addresses may be many slots'. */
	ERR(region(vm, 2, 0, MB - PAGE, PAGE, m), EEXIST);
	ERR(region(vm, 32763, 0, PAGE, MB, m), EEXIST);
	OK(region(vm, 2, 0, 2 * MB, MB, m));
	OK(region(vm, 32763, 0, 4 * MB, MB, m));
	OK(region(vm, 3, 0, 0, MB, m));
	OK(region(vm, 32763, 0, 0, 0, NULL));
	ERR(region(vm, 32763, 0, 0, 0, NULL), EINVAL);
	OK(region(vm, 4, 0, 4 * MB, MB, m));
}

TEST(kvm_region_log)
{
	int vm = vm_new();
	char *m = memory(MB);
	uint64_t bits[5];
	struct kvm_dirty_log log = { .slot = 7, .dirty_bitmap = bits };

	ERR(ioctl(vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
	OK(region(vm, 7, 0, 0, MB, m));
	ERR(ioctl(vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
	OK(region(vm, 7, KVM_MEM_LOG_DIRTY_PAGES, 0, MB, m));
	memset(bits, 0xa5, sizeof(bits));
	OK(ioctl(vm, KVM_GET_DIRTY_LOG, &log));
	for (int i = 0; i < 4; i++)
		EQ(bits[i], 0);
	EQ(bits[4], 0xa5a5a5a5a5a5a5a5);
	log.dirty_bitmap = (void *)8;
	ERR(ioctl(vm, KVM_GET_DIRTY_LOG, &log), EFAULT);
	log.slot = 40000;
	ERR(ioctl(vm, KVM_GET_DIRTY_LOG, &log), EINVAL);
	ERR(ioctl(vm, KVM_GET_DIRTY_LOG, 8), EFAULT);
	OK(region(vm, 7, 0, 0, 0, m));
}

/* The VM is its owner's: of the space that made it, not of who has the descriptor. */
TEST(kvm_owner)
{
	int kvm = kvm_open(), vm = vm_new(), v = OK(ioctl(vm, KVM_CREATE_VCPU, 0));

	EQ(in_child(kvm, KVM_GET_API_VERSION, 0), 0);
	EQ(in_child(vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), EIO);
	EQ(in_child(vm, KVM_CREATE_VCPU, 1), EIO);
	EQ(in_child(vm, _IO(KVMIO, 0xff), 0), EIO);
	EQ(in_child(v, KVM_RUN, 0), EIO);
	EQ(in_child(v, KVM_RUN, 1), EIO);
	EQ(ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), 1);
	OK(ioctl(vm, KVM_CREATE_VCPU, 1));
}

/* A child makes a VM and dies; its descriptors live on, in another space. */
/* A new program has the descriptors, and no right to the machine of the old one. */
TEST(kvm_exec)
{
	char self[200], text[20];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int vm, v;
	pid_t pid;

	self[n > 0 ? n : 0] = 0;
	if (getenv("VM_FD")) {
		vm = atoi(getenv("VM_FD"));
		ERR(ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), EIO);
		ERR(ioctl(vm, KVM_CREATE_VCPU, 1), EIO);
		ERR(ioctl(vm + 1, KVM_RUN, 0), EIO);
		ERR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, vm, 0) == MAP_FAILED ? -1 : 0, ENODEV);
		OK(close(vm));
		ERR(ioctl(vm + 1, KVM_RUN, 0), EIO);
		return;
	}
	pid = OK(fork());
	if (!pid) {
		vm = vm_new();
		v = OK(ioctl(vm, KVM_CREATE_VCPU, 0));
		OK(region(vm, 0, 0, 0, MB, memory(MB)));
		CHECK(dup2(vm, 100) == 100 && dup2(v, 101) == 101);
		snprintf(text, sizeof(text), "%d", 100);
		setenv("VM_FD", text, 1);
		execl(self, self, "kvm_exec", (char *)NULL);
		_exit(9);
	}
	CHECK(t_child_ok(pid));
}

TEST(kvm_outlives_owner)
{
	int fds[2], pid, status;
	char *m = memory(MB);

	close(kvm_open());
	for (int i = 0; i < 2; i++)
		fds[i] = OK(dup(0));
	pid = OK(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
	if (!pid) {
		int vm = vm_new(), v = OK(ioctl(vm, KVM_CREATE_VCPU, 0));

		OK(region(vm, 0, 0, 0, MB, m));
		OK(dup2(vm, fds[0]));
		OK(dup2(v, fds[1]));
		close(vm);
		close(v);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	ERR(ioctl(fds[0], KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), EIO);
	ERR(region(fds[0], 0, 0, 0, MB, m), EIO);
	ERR(ioctl(fds[1], KVM_RUN, 0), EIO);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fds[1], 0) != MAP_FAILED);
	close(fds[0]);
	ERR(ioctl(fds[1], KVM_RUN, 0), EIO);
	close(fds[1]);
}

/* Every order in which a VM's descriptors and memory go. */
TEST(kvm_ends)
{
	for (int order = 0; order < 24; order++) {
		int vm = vm_new(), v = OK(ioctl(vm, KVM_CREATE_VCPU, 0)), left[4] = { 0, 1, 2, 3 };
		char *m = memory(MB),
		     *run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v, 0);

		CHECK(run != MAP_FAILED);
		memset(m, 1, MB);
		OK(region(vm, 0, 0, 0, MB, m));
		for (int n = 4, rest = order; n; n--) {
			int i = rest % n, what = left[i];

			rest /= n;
			left[i] = left[n - 1];
			if (what == 0)
				OK(close(vm));
			else if (what == 1)
				OK(close(v));
			else if (what == 2)
				OK(munmap(m, MB));
			else
				OK(munmap(run, PAGE));
		}
	}
}
#else
TEST(kvm_api)
{
	SKIP("there is no /dev/kvm on this CPU");
}
#endif
