// SPDX-License-Identifier: MIT
/* Running programs. proves: execve execveat */
#include "t.h"
#include <elf.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int run(const char *path, char *const argv[], char *const envp[])
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		execve(path, argv, envp);
		_exit(100 + (errno == ENOENT) + 2 * (errno == EACCES) + 4 * (errno == ENOEXEC) +
		      8 * (errno == ELOOP));
	}
	int st = t_wait(pid);

	return WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st);
}

static void script(const char *name, const char *text, int mode)
{
	int fd;

	unlink(name);
	fd = OK(open(name, O_CREAT | O_WRONLY, mode));
	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	OK(chmod(name, mode));
}

TEST(arguments_and_environment)
{
	char *argv[] = {
		"sh", "-c",  "[ \"$1\" = 'a b' ] && [ \"$X\" = y ] && [ $# = 2 ] && exit 9",
		"sh", "a b", "",
		NULL
	};
	char *envp[] = { "X=y", NULL };

	EQ(run("/bin/busybox", argv, envp), 9);
}

TEST(errors)
{
	char *argv[] = { "x", NULL };

	EQ(run("/nothere", argv, argv), 101);
	EQ(run("/etc", argv, argv), 102);
	script("/tmp/notexec", "exit 1\n", 0644);
	EQ(run("/tmp/notexec", argv, argv), 102);
	script("/tmp/garbage", "\x01\x02\x03", 0755);
	EQ(run("/tmp/garbage", argv, argv), 104);
	script("/tmp/empty", "", 0755);
	EQ(run("/tmp/empty", argv, argv), 104);
	script("/tmp/nointerp", "#!/not/there\n", 0755);
	EQ(run("/tmp/nointerp", argv, argv), 101);
	script("/tmp/bare", "#!\n", 0755);
	EQ(run("/tmp/bare", argv, argv), 104);
	ERR(execve("/bin/busybox", (char **)8, NULL), EFAULT);
}

TEST(scripts)
{
	char *argv[] = { "name", "arg one", NULL };

	script("/tmp/s1", "#!/bin/sh\n[ \"$0\" = /tmp/s1 ] && [ \"$1\" = 'arg one' ] && exit 8\n",
	       0755);
	EQ(run("/tmp/s1", argv, NULL), 8);
	script("/tmp/s2", "#! /bin/sh  -e  \nfalse\nexit 7\n", 0755);
	EQ(run("/tmp/s2", argv, NULL), 1);
	script("/tmp/s3", "#!/tmp/s1\n", 0755);		/* an interpreter that is a script */
	script("/tmp/s4", "#!/bin/sh\nexit 6", 0755);
	script("/tmp/s5", "#!/tmp/s4\n", 0755);
	EQ(run("/tmp/s5", argv, NULL), 6);
	/* The end of the file is the end of the line. */
	script("/tmp/whole", "#!/tmp/s1", 0755);
	script("/tmp/s1",
	       "#!/bin/sh\n[ \"$1\" = /tmp/whole ] && exit 9\n[ \"$1\" = x ] && [ \"$2\" = /tmp/whole_arg ] && exit 10\n",
	       0755);
	EQ(run("/tmp/whole", argv, NULL), 9);
	script("/tmp/whole_arg", "#! /tmp/s1 x", 0755);
	EQ(run("/tmp/whole_arg", argv, NULL), 10);
	script("/tmp/whole_none", "#!", 0755);
	EQ(run("/tmp/whole_none", argv, NULL), 102);	/* no name: the working directory */
	for (int i = 0; i < 6; i++) {
		char name[20], text[40];

		snprintf(name, sizeof(name), "/tmp/chain%d", i + 1);
		snprintf(text, sizeof(text), "#!/tmp/chain%d\n", i);
		script(name, text, 0755);
	}
	script("/tmp/chain0", "#!/bin/sh\nexit 5\n", 0755);
	EQ(run("/tmp/chain4", argv, NULL), 5);
	EQ(run("/tmp/chain6", argv, NULL), 108);
}

TEST(what_stays_and_what_goes)
{
	char *argv[] = {
		"sh", "-c",
		"[ -e /proc/self/fd/50 ] && ! [ -e /proc/self/fd/51 ] && [ $(umask) = 0077 ] && [ $(pwd) = /proc ] && trap | grep -q . || exit 4",
		NULL
	};
	int fd = OK(open("/dev/null", O_RDONLY));
	struct sigaction sa = { .sa_handler = SIG_IGN };

	OK(dup2(fd, 50));
	OK(dup3(fd, 51, O_CLOEXEC));
	umask(077);
	OK(chdir("/proc"));
	OK(sigaction(SIGUSR1, &sa, NULL));
	sa.sa_handler = (void (*)(int))(void *)exit;
	OK(sigaction(SIGUSR2, &sa, NULL));
	EQ(run("/bin/busybox", argv, environ), 4);
	/* Ignored stays ignored, a handler goes. */
	char *argv2[] = { "sh", "-c", "kill -USR1 $$; echo alive > /tmp/alive; kill -USR2 $$",
			  NULL };

	unlink("/tmp/alive");
	EQ(run("/bin/busybox", argv2, environ), -SIGUSR2);
	OK(access("/tmp/alive", F_OK));
}

/*
 * Is a program, executed by a descriptor of /bin/NAME, called NAME? The path that it was called by
 * says nothing then.
 */
static bool named_by_descriptor(const char *name)
{
	char *argv[] = { "cat", "/proc/self/comm", NULL }, path[40], comm[40];
	int fd, out[2], n;
	pid_t pid;

	snprintf(path, sizeof(path), "/bin/%s", name);
	fd = OK(open(path, O_PATH));
	OK(pipe(out));
	pid = OK(fork());
	if (pid == 0) {
		OK(dup2(out[1], 1));
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		_exit(99);
	}
	n = (int)OK(read(out[0], comm, sizeof(comm)));
	CHECK(t_child_ok(pid));
	close(fd);
	return n == (int)strlen(name) + 1 && !memcmp(comm, name, strlen(name));
}

TEST(by_descriptor)
{
	char *argv[] = { "true", NULL };
	int fd = OK(open("/bin/busybox", O_PATH | O_CLOEXEC));
	pid_t pid = OK(fork());

	if (pid == 0) {
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		_exit(99);
	}
	CHECK(t_child_ok(pid));
	CHECK(named_by_descriptor("busybox"));
	ERR(syscall(SYS_execveat, fd, "", argv, environ, 0), ENOENT);
	ERR(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, environ, AT_SYMLINK_NOFOLLOW),
	    ELOOP);
	ERR(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, environ, 0x4000000), EINVAL);
}

static long check(int fd, const char *path, int flags)
{
	return syscall(SYS_execveat, fd, path, NULL, NULL, flags | 0x10000 /* AT_EXECVE_CHECK */);
}

/* May it be executed? Nothing is. */
TEST(only_to_check)
{
	int fd;

	EQ(check(AT_FDCWD, "/bin/busybox", 0), 0);
	fd = OK(open("/tmp/check", O_CREAT | O_WRONLY, 0755));
	EQ(write(fd, "#!/none\n", 8), 8);
	ERR(check(AT_FDCWD, "/tmp/check", 0), ETXTBSY);
	close(fd);
	EQ(check(AT_FDCWD, "/tmp/check", 0), 0);	/* what is in it does not matter */
	fd = OK(open("/tmp/check", O_RDONLY));
	EQ(check(fd, "", AT_EMPTY_PATH), 0);
	OK(fchmod(fd, 0644));
	ERR(check(fd, "", AT_EMPTY_PATH), EACCES);
	ERR(check(AT_FDCWD, "/tmp", 0), EACCES);
	ERR(check(AT_FDCWD, "/tmp/none", 0), ENOENT);
	OK(symlink("/bin/busybox", "/tmp/check.link"));
	EQ(check(AT_FDCWD, "/tmp/check.link", 0), 0);
	ERR(check(AT_FDCWD, "/tmp/check.link", AT_SYMLINK_NOFOLLOW), ELOOP);
	ERR(syscall(SYS_execveat, AT_FDCWD, "/bin/busybox", 8, NULL, 0x10000), EFAULT);
	ERR(check(AT_FDCWD, "/bin/busybox", 0x20000), EINVAL);
	OK(unlink("/tmp/check"));
	OK(unlink("/tmp/check.link"));
}

TEST(argument_limit)
{
	static char *argv[3] = { "true", NULL, NULL };
	char *big = malloc(140000);
	pid_t pid;

	memset(big, 'a', 140000);
	big[131071] = 0;			/* 32 pages with its NUL: the longest */
	argv[1] = big;
	pid = OK(fork());
	if (pid == 0) {
		execv("/bin/busybox", argv);
		_exit(99);
	}
	CHECK(t_child_ok(pid));
	big[131071] = 'a';
	big[131072] = 0;
	ERR(execv("/bin/busybox", argv), E2BIG);
	char **many = calloc(1100000, sizeof(char *));

	for (int i = 0; i < 1000000; i++)
		many[i] = "xxxxxxxx";
	ERR(execv("/bin/busybox", many), E2BIG);
}

TEST(a_running_program_is_not_written)
{
	char *argv[] = { "sleep", "1", NULL };
	pid_t pid;

	EQ(system("cp /bin/busybox /tmp/sleep"), 0);
	pid = OK(fork());
	if (pid == 0) {
		execv("/tmp/sleep", argv);
		_exit(1);
	}
	t_sleep_ms(200);
	ERR(open("/tmp/sleep", O_WRONLY), ETXTBSY);
	CHECK(t_child_ok(pid));
	int fd = OK(open("/tmp/sleep", O_WRONLY));

	ERR(execv("/tmp/sleep", argv), ETXTBSY);
	close(fd);
	unlink("/tmp/sleep");
}

TEST(as_set_user_id)
{
	if (!getenv("AS_SET_USER_ID"))
		return;	/* for the next one, which runs it from another file */
	EQ(getuid(), 1000);
	EQ(geteuid(), 2000);
	EQ(getauxval(AT_SECURE), 1);
	EQ(setuid(1000), 0);
	ERR(setuid(3000), EPERM);
	OK(seteuid(2000));			/* saved */
}

TEST(set_user_id)
{
	char *argv[] = { "suid", "as_set_user_id", NULL }, *envp[] = { "AS_SET_USER_ID=1", NULL };
	static char buf[300000];
	int from = OK(open("/proc/self/exe", O_RDONLY)), to;
	ssize_t n = OK(read(from, buf, sizeof(buf)));
	pid_t pid;

	unlink("/tmp/suid");
	to = OK(open("/tmp/suid", O_CREAT | O_WRONLY, 0755));
	EQ(write(to, buf, n), n);
	close(to);
	OK(chown("/tmp/suid", 2000, -1));
	OK(chmod("/tmp/suid", 04755));
	if (system("mount | grep -q 'on /tmp .*nosuid'") == 0)
		OK(mount("", "/tmp", NULL, MS_REMOUNT, NULL));
	pid = OK(fork());
	if (pid == 0) {
		OK(setuid(1000));
		execve("/tmp/suid", argv, envp);
		_exit(99);
	}
	CHECK(t_child_ok(pid));
	/* On a mount that refuses it, the bit means nothing. */
	OK(mount("", "/tmp", NULL, MS_REMOUNT | MS_NOSUID, NULL));
	pid = OK(fork());
	if (pid == 0) {
		OK(setuid(1000));
		execve("/tmp/suid", argv, envp);
		_exit(99);
	}
	CHECK(!t_child_ok(pid));
	unlink("/tmp/suid");
}

/* The program that thread_runs_it runs: all before main(). */
__attribute__((constructor)) static void has_children(void)
{
	const char *pids = getenv("HAS_CHILDREN");
	int first, second;

	if (!pids)
		return;
	_exit(sscanf(pids, "%d %d", &first, &second) != 2 || t_wait(first) != 5 << 8 ||
	      t_wait(second) != 6 << 8 || waitpid(-1, NULL, 0) != -1 || errno != ECHILD);
}

static pid_t first_child;

static void *exec_from_here(void *arg)
{
	char *argv[] = { "exec", NULL }, env[60], *envp[] = { env, NULL };
	pid_t second = fork();

	(void)arg;
	if (second == 0)
		_exit(6);
	snprintf(env, sizeof(env), "HAS_CHILDREN=%d %d", first_child, second);
	execve("/proc/self/exe", argv, envp);
	_exit(99);
}

/*
 * The new program has all the process's children, whichever thread made them, and whichever runs
 * it.
 */
TEST(thread_runs_it)
{
	pid_t pid = OK(fork());
	pthread_t t;

	if (pid == 0) {
		first_child = fork();
		if (first_child == 0)
			_exit(5);
		if (!pthread_create(&t, NULL, exec_from_here, NULL))
			for (;;)
				pause();
		_exit(98);
	}
	CHECK(t_child_ok(pid));
}

/* What the kernel tells a new program about itself. */
TEST(auxiliary_vector)
{
	EQ(getauxval(AT_PAGESZ), PAGE);
	EQ(getauxval(AT_UID), getuid());
	EQ(getauxval(AT_EGID), getegid());
	EQ(getauxval(AT_SECURE), 0);
	CHECK(getauxval(AT_CLKTCK) == 100);
	CHECK(getauxval(AT_RANDOM));
	CHECK(getauxval(AT_PHDR) && getauxval(AT_PHNUM) > 1);
	CHECK(getauxval(AT_ENTRY));
	CHECK(getauxval(AT_HWCAP));
	CHECK(getauxval(AT_EXECFN) && strstr((char *)getauxval(AT_EXECFN), "exec"));
	CHECK(getauxval(AT_PLATFORM) && *(char *)getauxval(AT_PLATFORM));
	unsigned char *vdso = (unsigned char *)getauxval(AT_SYSINFO_EHDR);

	CHECK(vdso && !memcmp(vdso, ELFMAG, 4));
}

TEST(random_layout)
{
	unsigned long stack[2], map[2], brk[2];
	int p[2];

	OK(pipe(p));
	for (int i = 0; i < 2; i++) {
		pid_t pid = OK(fork());

		if (pid == 0) {
			dup2(p[1], 1);
			execl("/bin/busybox", "cat", "/proc/self/maps", (char *)NULL);
			_exit(1);
		}
		CHECK(t_child_ok(pid));
		char b[8000], *l;
		int n = OK(read(p[0], b, sizeof(b) - 1));

		b[n] = 0;
		stack[i] = map[i] = brk[i] = 0;
		for (l = strtok(b, "\n"); l; l = strtok(NULL, "\n")) {
			unsigned long a = strtoul(l, NULL, 16);

			if (strstr(l, "[stack]"))
				stack[i] = a;
			else if (strstr(l, "[vdso]"))
				map[i] = a;
			else if (strstr(l, "[heap]"))
				brk[i] = a;
		}
		CHECK(stack[i] && map[i] && brk[i]);
	}
	CHECK(stack[0] != stack[1]);
	CHECK(map[0] != map[1]);
	CHECK(brk[0] != brk[1]);
}

TEST(a_second_file_of_the_same_pages)
{
	/*
	 * Programs run from their page cache: changed on disk between two runs, the new one runs.
	 */
	char *argv[] = { "x", NULL };

	script("/tmp/v", "#!/bin/sh\nexit 1\n", 0755);
	EQ(run("/tmp/v", argv, NULL), 1);
	script("/tmp/v", "#!/bin/sh\nexit 2\n", 0755);
	EQ(run("/tmp/v", argv, NULL), 2);
}

#ifdef __x86_64__
/*
 * What a file holds behind a segment's end is not seen in the segment's last page: loaders take
 * memory from there.
 */
TEST(end_of_the_last_page_is_clear)
{
	static const unsigned char code[] = {
		0x0f, 0xb6, 0x3c, 0x25, 0x00, 0x08, 0x40, 0x00,		/* movzbl 0x400800, %edi */
		0xb8, 0x3c, 0x00, 0x00, 0x00, 0x0f, 0x05,			/* exit */
	};
	unsigned char f[4096];
	Elf64_Ehdr h = { .e_type = ET_EXEC,
			 .e_machine = EM_X86_64,
			 .e_version = 1,
			 .e_entry = 0x400078,
			 .e_phoff = 64,
			 .e_ehsize = 64,
			 .e_phentsize = 56,
			 .e_phnum = 1 };
	Elf64_Phdr p = { .p_type = PT_LOAD,
			 .p_flags = 7,
			 .p_vaddr = 0x400000,
			 .p_filesz = 0x100,
			 .p_memsz = 0x110,
			 .p_align = 4096 };
	int fd, status;
	pid_t pid;

	memcpy(h.e_ident, "\177ELF\2\1\1", 7);
	memset(f, 0xaa, sizeof(f));
	memcpy(f, &h, 64);
	memcpy(f + 64, &p, 56);
	memcpy(f + 0x78, code, sizeof(code));
	unlink("/tmp/tail");
	fd = OK(open("/tmp/tail", O_CREAT | O_WRONLY, 0755));
	EQ(write(fd, f, sizeof(f)), (ssize_t)sizeof(f));
	close(fd);
	pid = OK(fork());
	if (pid == 0) {
		execl("/tmp/tail", "tail", (char *)NULL);
		_exit(99);
	}
	status = t_wait(pid);
	CHECK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), 0);
	unlink("/tmp/tail");
}
#endif
