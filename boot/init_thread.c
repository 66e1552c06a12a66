// SPDX-License-Identifier: MIT
/*
 * Process 1 before it is a program: the remaining initialisation levels, in-kernel tests, the root file system, then init.
 * Which init: rdinit= or /init of the initramfs; else the root= device is mounted and init=, /sbin/init, /etc/init,
 * /bin/init or /bin/sh of it are tried.
 */
#include <boot/info.h>
#include <abi/errno.h>
#include <alloc/page.h>
#include <arch/cpu.h>
#include <arch/elf.h>
#include <arch/power.h>
#include <alloc/slab.h>
#include <arch/ptrace.h>
#include <exec/exec.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/ktest.h>
#include <kernel/printk.h>
#include <lib/elf.h>
#include <lib/err.h>
#include <lib/string.h>
#include <linux/fcntl.h>
#include <linux/sched.h>
#include <mm/lasting.h>
#include <proc/proc_priv.h>
#include <sched/sched.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include "boot/boot_priv.h"

static void run_tests(void)
{
	int failed = ktest_run_all(command_line_get("ktest"));

	console_settle();
	arch_exit_status(failed ? 1 : 0);
	arch_power_off();
}

static void free_init_memory(void)
{
	phys_addr_t start, end;
	u64 bytes = 0;

	arch_finish_boot(!smp_all_arrived());
	if (!smp_all_arrived())
		return;		/* one that comes yet halts, by code of ours */
	for (unsigned int i = 0; arch_init_memory(i, &start, &end); i++) {
		free_reserved_area(start, end);
		bytes += end - start;
	}
	pr_info("boot: %llu KiB of initialisation code and data given back\n", bytes >> 10);
}

/* Descriptors 0, 1 and 2. */
static void open_console(void)
{
	struct file *f = filp_open("/dev/console", O_RDWR, 0);

	if (IS_ERR(f)) {
		pr_warn("init: /dev/console cannot be opened (%ld): no standard input and output\n", PTR_ERR(f));
		return;
	}
	for (unsigned int i = 0; i < 3; i++) {
		int fd = get_unused_fd_flags(0);

		if (fd < 0)
			break;
		get_file(f);
		fd_install((unsigned int)fd, f);
	}
	fput(f);
}

static bool exists(const char *path)
{
	struct path p;

	if (kern_path(path, LOOKUP_FOLLOW, &p))
		return false;
	path_put(&p);
	return true;
}

/* True: PATH is a program of another CPU, and that was said. */
static bool is_for_another(const char *path)
{
	struct file *f = filp_open(path, O_RDONLY, 0);
	char head[20];
	loff_t pos = 0;
	int machine = -1;

	if (IS_ERR(f))
		return false;
	if (kernel_read(f, head, sizeof(head), &pos) == sizeof(head))
		machine = elf_machine_of(head, sizeof(head));
	fput(f);
	if (machine < 0 || machine == ELF_ARCH)
		return false;
	if (elf_machine_name(machine))
		pr_err("init: %s is a program for %s, this machine is %s\n", path, elf_machine_name(machine), ELF_MACHINE);
	else
		pr_err("init: %s is a program for a CPU of ELF's number %d, this machine is %s\n", path, machine, ELF_MACHINE);
	return true;
}

/* Becomes PATH, or says why not. */
static int run(const char *path)
{
	int err;

	init_argv[0] = path;
	err = kernel_execve(path, init_argv, init_envp);
	if (err && err != -ENOENT && !(err == -ENOEXEC && is_for_another(path)))
		pr_err("init: %s exists but cannot be run (%d)\n", path, err);
	return err;
}

static int run_init(void)
{
	static const char *const usual[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };
	const char *rdinit = command_line_get("rdinit"), *init = command_line_get("init");

	if (!rdinit || !*rdinit)
		rdinit = "/init";
	if (exists(rdinit)) {
		if (!run(rdinit))
			return 0;
	} else if (command_line_get("rdinit")) {
		pr_err("init: %s, which rdinit= asks for, is not there\n", rdinit);
	}
	boot_mount_root();
	if (init && *init) {
		int err = run(init);

		if (!err)
			return 0;
		panic("Requested init %s failed (error %d).", init, err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (!run(usual[i]))
			return 0;
	panic("No working init found. Tried %s, /sbin/init, /etc/init, /bin/init, /bin/sh. Try rdinit= or init=.", rdinit);
}

static int kernel_init(void *arg)
{
	smp_init();
	do_initcalls(INIT_SCHED);
	do_initcalls(INIT_FS);
	if (get_fs_type("tmpfs"))
		vfs_mount_roots();
	for (int level = INIT_SUBSYS; level < INIT_LEVELS; level++)
		do_initcalls(level);
	if (ktest_requested())
		run_tests();
	boot_unpack_initramfs();
	task_work_flush_deferred();	/* or what was written would be busy (ETXTBSY) */
	free_init_memory();
	lasting_begin_limit();
	system_state = SYSTEM_RUNNING;
	open_console();
	return run_init();
}

void boot_start_init_thread(void)
{
	struct kernel_clone_args init = { .flags = CLONE_FS, .fn = kernel_init, .name = "init" };
	pid_t pid = kernel_clone(&init);
	int err;

	if (pid != 1)
		panic("boot: the first thread could not be made: %d", pid);
	err = proc_start_kthreadd();
	if (err)
		panic("boot: kthreadd could not be made: %d", err);
}
