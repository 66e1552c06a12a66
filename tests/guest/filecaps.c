// SPDX-License-Identifier: MIT
/*
 * File capabilities: what a program with the attribute security.capability may (capabilities(7)).
 * proves: execve setxattr getxattr removexattr
 *
 * The program is this file, copied to a file system of the test's own: called "report" it exits
 * after writing to descriptor REPORT_FD what it has.
 */
#include "t.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <grp.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

#define PROGRAM "/tmp/program"
#define NAME "security.capability"
#define REPORT_FD 50
#define RAW (1u << CAP_NET_RAW)
#define OWN (1u << CAP_CHOWN)
#define V2 0x02000000u
#define V3 0x03000000u
#define EFFECTIVE 1u
#define FAILED(e) (1000 + (e))		/* what run() says of an execve() that failed with E */

struct report {
	uint32_t permitted, effective, inheritable;
	int secure, dumpable, ambient;
	uid_t euid;
};

static void caps_of(struct report *r)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	OK((int)syscall(SYS_capget, &h, d));
	r->permitted = d[0].permitted;
	r->effective = d[0].effective;
	r->inheritable = d[0].inheritable;
}

static void set_caps(uint32_t permitted, uint32_t inheritable)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { permitted, permitted, inheritable } };

	OK((int)syscall(SYS_capset, &h, d));
}

__attribute__((constructor)) static void be_program(void)
{
	struct report r = { 0 };

	if (!getenv("REPORT"))
		return;
	caps_of(&r);
	r.secure = (int)getauxval(AT_SECURE);
	r.dumpable = prctl(PR_GET_DUMPABLE);
	r.ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0);
	r.euid = geteuid();
	_exit(write(REPORT_FD, &r, sizeof(r)) != sizeof(r));
}

static void stage(void)
{
	int from, to;

	OK(unshare(CLONE_NEWNS));
	OK(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777"));
	from = OK(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	to = OK(open(PROGRAM, O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
	while (OK(sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	close(from);
	close(to);
	OK(chmod(PROGRAM, 0755));
}

static void set_attribute(uint32_t magic, uint32_t permitted, uint32_t inheritable)
{
	const uint32_t words[6] = { magic, permitted, inheritable };

	if (setxattr(PROGRAM, NAME, words, (magic & V3) == V3 ? 24 : 20, 0)) {
		if (errno == EOPNOTSUPP)
			SKIP("no file capabilities here");
		OK(-1);
	}
}

static void become_user(void)
{
	OK(setgroups(0, NULL));
	OK(setresgid(1000, 1000, 1000));
	OK(setresuid(1000, 1000, 1000));
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static void put(const char *name, const char *text)
{
	int fd = OK(open(name, O_WRONLY));

	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void become_own_root(void)
{
	become_user();
	OK(unshare(CLONE_NEWUSER));
	put("/proc/self/setgroups", "deny");
	put("/proc/self/gid_map", "0 1000 1");
	put("/proc/self/uid_map", "0 1000 1");
}

static int told[2];

static void execute(void)
{
	char *argv[] = { "program", NULL }, *envp[] = { "REPORT=", NULL };

	OK(dup2(told[1], REPORT_FD));
	execve(PROGRAM, argv, envp);
	_exit(errno);
}

/*
 * The program's report, executed by a process that PREPARE made what it is. FAILED(errno) in euid:
 * it did not run.
 */
static struct report run(void (*prepare)(void))
{
	struct report r = { 0 };
	pid_t pid;
	int status;

	OK(pipe2(told, O_CLOEXEC));
	pid = OK(fork());
	if (!pid) {
		prepare();
		execute();
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	close(told[1]);
	if (read(told[0], &r, sizeof(r)) != sizeof(r))
		r.euid = FAILED((uid_t)WEXITSTATUS(status));
	close(told[0]);
	return r;
}

static void check(struct report r, uint32_t permitted, uint32_t effective, int secure)
{
	EQ(r.euid, 1000);
	EQ(r.permitted, permitted);
	EQ(r.effective, effective);
	EQ(r.secure, secure);
}

static void user_who_inherits(void)
{
	OK(prctl(PR_SET_KEEPCAPS, 1));
	become_user();
	set_caps(OWN, OWN);
	OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
}

static void user_with_a_bound(void)
{
	OK(prctl(PR_CAPBSET_DROP, CAP_NET_RAW));
	become_user();
}

TEST(a_program_gets_what_its_file_has)
{
	struct report r;

	stage();
	check(run(become_user), 0, 0, 0);
	set_attribute(V2 | EFFECTIVE, RAW, 0);
	r = run(become_user);
	check(r, RAW, RAW, 1);
	EQ(r.dumpable, 0);
	set_attribute(V2, RAW, 0);
	check(run(become_user), RAW, 0, 1);
	/* What both the process and the file let be inherited; what is ambient goes. */
	set_attribute(V2 | EFFECTIVE, 0, OWN | RAW);
	check(run(become_user), 0, 0, 1);
	r = run(user_who_inherits);
	check(r, OWN, OWN, 1);
	EQ(r.inheritable, OWN);
	EQ(r.ambient, 0);
	OK(removexattr(PROGRAM, NAME));
	r = run(user_who_inherits);
	check(r, OWN, OWN, 0);
	EQ(r.ambient, 1);
}

TEST(the_bounding_set)
{
	stage();
	set_attribute(V2, RAW | OWN, 0);
	check(run(user_with_a_bound), OWN, 0, 1);
	set_attribute(V2 | EFFECTIVE, RAW | OWN, 0);
	EQ(run(user_with_a_bound).euid, FAILED(EPERM));
}

static void user_without_new_privileges(void)
{
	become_user();
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static int sharer(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static void user_who_shares(void)
{
	static char stack[16384] __attribute__((aligned(16)));

	become_user();
	OK(clone(sharer, stack + sizeof(stack) - 64, CLONE_FS | SIGCHLD, NULL));
}

TEST(where_they_do_not_count)
{
	stage();
	set_attribute(V2 | EFFECTIVE, RAW, 0);
	check(run(user_without_new_privileges), 0, 0, 1);
	check(run(user_who_shares), 0, 0, 1);
	OK(mount("", "/tmp", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL));
	check(run(become_user), 0, 0, 0);
	OK(mount("", "/tmp", NULL, MS_REMOUNT | MS_BIND, NULL));
	check(run(become_user), RAW, RAW, 1);
}

static void nothing(void)
{
}

static void root_without_rights(void)
{
	OK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
}

TEST(set_user_id_programs)
{
	struct report r;

	stage();
	OK(chmod(PROGRAM, 04755));
	set_attribute(V2 | EFFECTIVE, RAW, 0); /* chmod(2) leaves it alone, but it was not there */
	r = run(become_user);
	EQ(r.euid, 0);
	EQ(r.permitted, RAW);
	EQ(r.secure, 1);
	r = run(nothing);				/* root itself gets what root gets */
	CHECK((r.permitted & (RAW | OWN)) == (RAW | OWN));
	r = run(root_without_rights);
	EQ(r.permitted, RAW);
	EQ(r.effective, RAW);
}

static uint32_t words_of(uint32_t words[6])
{
	memset(words, 0, 24);
	return (uint32_t)OK(getxattr(PROGRAM, NAME, words, 24));
}

static void own_root_sets(void)
{
	uint32_t w[6];

	become_own_root();
	set_attribute(V2 | EFFECTIVE, RAW, 0);
	EQ(words_of(w), 20);				/* as it was written, for this namespace */
	EQ(w[0], V2 | EFFECTIVE);
	EQ(w[1], RAW);
	/* not mapped */
	ERR(setxattr(PROGRAM, NAME, (uint32_t[6]){ V3, RAW, 0, 0, 0, 7 }, 24, 0), EINVAL);
}

static void own_root(void)
{
	become_own_root();
	OK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
}

static void own_root_removes(void)
{
	become_own_root();
	OK(removexattr(PROGRAM, NAME));
}

static void in_child(void (*fn)(void))
{
	pid_t pid = OK(fork());

	if (!pid) {
		fn();
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(those_of_a_user_namespace)
{
	struct report r;
	uint32_t w[6];

	stage();
	OK(chown(PROGRAM, 1000, 1000));
	in_child(own_root_sets);
	EQ(words_of(w), 24);				/* seen from outside: whose they are */
	EQ(w[0], V3 | EFFECTIVE);
	EQ(w[1], RAW);
	EQ(w[5], 1000);
	check(run(become_user), 0, 0, 0);		/* not outside */
	r = run(own_root);
	EQ(r.permitted, RAW);				/* but in a namespace of that user's */
	EQ(r.effective, RAW);
	in_child(own_root_removes);
	ERR(getxattr(PROGRAM, NAME, w, 24), ENODATA);
	/* Another user's namespace. */
	set_attribute(V3 | EFFECTIVE, RAW, 0);
	EQ(words_of(w), 20);				/* the machine's root: version 2 */
	OK(setxattr(PROGRAM, NAME, (uint32_t[6]){ V3 | EFFECTIVE, RAW, 0, 0, 0, 1234 }, 24, 0));
	r = run(own_root);
	EQ(r.permitted, 0);
}

static void another_roots_look(void)
{
	uint32_t w[6];

	become_own_root();
	ERR(getxattr(PROGRAM, NAME, w, 24), EOVERFLOW);
}

static void user_tries(void)
{
	const uint32_t words[6] = { V2 | EFFECTIVE, RAW };

	become_user();
	ERR(setxattr(PROGRAM, NAME, words, 20, 0), EPERM);
	ERR(removexattr(PROGRAM, NAME), EPERM);
}

static void own_root_tries(void)
{
	const uint32_t words[6] = { V2 | EFFECTIVE, RAW };

	become_own_root();
	ERR(setxattr(PROGRAM, NAME, words, 20, 0), EPERM);	/* root's file */
	ERR(removexattr(PROGRAM, NAME), EPERM);
}

TEST(who_may_set_which)
{
	const uint32_t words[6] = { V2, RAW }, bad[6] = { 0x04000000, RAW },
		       old[6] = { 0x01000000, RAW };
	uint32_t w[6];

	stage();
	ERR(setxattr(PROGRAM, NAME, words, 24, 0), EINVAL);
	ERR(setxattr(PROGRAM, NAME, words, 12, 0), EINVAL);
	ERR(setxattr(PROGRAM, NAME, words, 3, 0), EINVAL);
	ERR(setxattr(PROGRAM, NAME, bad, 20, 0), EINVAL);
	ERR(setxattr(PROGRAM, NAME, old, 12, 0), EINVAL);
	in_child(user_tries);
	in_child(own_root_tries);
	set_attribute(V2, RAW, OWN);
	ERR(setxattr(PROGRAM, NAME, words, 20, XATTR_CREATE), EEXIST);
	EQ(getxattr(PROGRAM, NAME, NULL, 0), 20);
	ERR(getxattr(PROGRAM, NAME, w, 19), ERANGE);
	in_child(user_tries);
	in_child(own_root_tries);
	OK(setxattr(PROGRAM, NAME, (uint32_t[6]){ V3, RAW, 0, 0, 0, 1234 }, 24, 0));
	in_child(another_roots_look);
	EQ(getxattr(PROGRAM, NAME, NULL, 0), 24);
}
