// SPDX-License-Identifier: MIT
/*
 * The fuzzer in the guest: LLVM's libFuzzer chooses and keeps programs, prog.c and mutate.c make them, exec.c runs them.
 *
 *	fuzz init			as the first program of the machine: does what /fuzz.args says, a word a line, and powers off;
 *					a first word of free=KIB: with so little free memory; of only=WORD: programs that have it alone
 *	fuzz hunt DIR SEED RUNS JOBS	hunts from and into DIR; RUNS programs a job (0: without end)
 *	fuzz run [-v] [-p] [-n N] FILE...	runs each program of each file N times; -v shows results, -p tells what each program reaches
 *	fuzz parties SEED FIRST COUNT JOBS	programs of an attacker's against what root has (parties.h); FILE alone: those of a file; FILE planted:
 *					those of a file, by root: which of them the referee does not see
 *	fuzz exec FILE			runs another program, as root, for at most a minute
 *
 * What it has to say goes to the virtio console, a line each, for ./ochre fuzz:
 *	S JOB PROGRAMS CALLS TIMEOUTS KILLED PLACES		figures, now and then
 *	P ADDRESS ...			places of the kernel reached for the first time by this job
 *	A N ADDRESS OFFSET ...		of the Nth program: places reached, each but the first as its distance to the one before
 *	C BASE64			a program that reached something new
 *	D TEXT			what of root's differs after programs of an attacker's, and which ones
 *	T TEXT				what `run -v` printed, a line each
 *	E TEXT				the end, and why
 * Before a program runs its text stands in pages that begin with a magic word: who reads the machine's memory after the kernel died
 * finds what ran last, however it died.
 */
#define _GNU_SOURCE
#include "balloon.h"
#include "desc.h"
#include "exec.h"
#include "mutate.h"
#include "parties.h"
#include "watch.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define COVER_BITS	16
#define MAGIC_A		0x45524843305a5546ull	/* with MAGIC_B exclusive-or-ed in: only a mailbox has the word itself in memory */
#define MAGIC_B		0x0123456789abcdefull

typedef int test_fn(const uint8_t *data, size_t size);
int LLVMFuzzerRunDriver(int *argc, char ***argv, test_fn *fn);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, uint8_t *out, size_t max, unsigned int seed);

/* What libFuzzer watches. */
__attribute__((section("__libfuzzer_extra_counters"), aligned(4096))) static uint8_t cover[1 << COVER_BITS];

/* Pages lie anywhere in the machine's memory: each says what it is. */
#define PAGE		4096
static struct mail_page {
	volatile uint64_t magic[2];
	uint64_t number;
	uint32_t job, index, total, len;
	char text[PAGE - 40];
} *mailbox;
#define MAIL_PAGES	(PROG_BYTES / sizeof(mailbox->text) + 1)
_Static_assert(sizeof(struct mail_page) == PAGE, "a page");
static int wire = -1, watch = -1, job;
static const char *dir, *only;	/* ONLY: a word that each program has; NULL */

static void make_mailbox(void)
{
	mailbox = mmap(NULL, MAIL_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (mailbox == MAP_FAILED) {
		perror("fuzz: mmap");
		exit(2);
	}
	madvise(mailbox, MAIL_PAGES * PAGE, MADV_DONTFORK);	/* programs must not write there */
}

static void post(const char *text, uint32_t total, uint64_t number)
{
	uint32_t at = 0;

	mailbox->magic[0] = 0;
	for (uint32_t i = 0; at < total; i++) {
		struct mail_page *m = &mailbox[i];

		m->len = total - at < sizeof(m->text) ? total - at : sizeof(m->text);
		memcpy(m->text, text + at, m->len);
		at += m->len;
		m->total = total;
		m->index = i;
		m->job = (uint32_t)job;
		m->number = number;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		m->magic[1] = MAGIC_A;
		m->magic[0] = MAGIC_A ^ MAGIC_B;
	}
}

/* In the process of job OF, which has it of nobody. */
static void post_batch(const char *text, uint32_t total, int of)
{
	static uint64_t number;

	job = of;
	if (!mailbox)
		make_mailbox();
	post(text, total, ++number);
}

/* Whole lines: a terminal takes what one write hands it before it takes another job's. */
static void say(const char *text, size_t n)
{
	while (wire >= 0 && n) {
		ssize_t w = write(wire, text, n);

		if (w < 0 && errno != EINTR)
			return;
		if (w > 0) {
			text += w;
			n -= (size_t)w;
		}
	}
}

static void say_program(const char *name)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static unsigned char raw[PROG_BYTES + 3];
	static char line[PROG_BYTES * 4 / 3 + 16];
	char path[PATH_MAX];
	size_t n = 0, out;
	ssize_t r;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (n < PROG_BYTES && (r = read(fd, raw + n, PROG_BYTES - n)) > 0)
		n += (size_t)r;
	close(fd);
	raw[n] = raw[n + 1] = raw[n + 2] = 0;
	out = (size_t)sprintf(line, "C ");
	for (size_t i = 0; i < n; i += 3) {
		uint32_t w = (uint32_t)raw[i] << 16 | (uint32_t)raw[i + 1] << 8 | raw[i + 2];

		for (int k = 18; k >= 0; k -= 6)
			line[out++] = digits[w >> k & 63];
	}
	for (size_t i = n; i % 3; i++)
		line[out - (3 - i % 3)] = '=';
	line[out++] = '\n';
	say(line, out);
}

static void new_programs(void)
{
	char buf[8192] __attribute__((aligned(8)));
	ssize_t n;

	while (watch >= 0 && (n = read(watch, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)p;

			if (e->len)
				say_program(e->name);
			p += sizeof(*e) + e->len;
		}
}

/* Addresses, as many in a line as fit. */
struct places { char line[2048]; size_t n; long number, took; uint64_t before; };

static void full_line(struct places *s)
{
	if (s->n + 24 <= sizeof(s->line))
		return;
	s->line[s->n++] = '\n';
	say(s->line, s->n);
	s->n = 0;
}

static void say_place(uint64_t pc, void *arg)
{
	struct places *s = arg;

	full_line(s);
	if (!s->n)
		s->line[s->n++] = 'P';
	s->n += (size_t)snprintf(s->line + s->n, 20, " %llx", (unsigned long long)pc);
}

/* What one program reached. */
static void say_distance(uint64_t pc, void *arg)
{
	struct places *s = arg;

	full_line(s);
	if (!s->n) {
		s->n = (size_t)snprintf(s->line, 48, "A %ld %ld", s->number, s->took);
		s->before = 0;
	}
	s->n += (size_t)snprintf(s->line + s->n, 20, " %llx", (unsigned long long)(pc - s->before));
	s->before = pc;
}

/* TOOK: microseconds. */
static void say_each(long number, long took)
{
	struct places s = { .number = number, .took = took };

	exec_new_places(say_distance, &s);
	if (!s.n)
		s.n = (size_t)snprintf(s.line, 48, "A %ld %ld", number, took);
	s.line[s.n++] = '\n';
	say(s.line, s.n);
	exec_forget();
}

static void report(bool now)
{
	static struct timespec last;
	struct timespec t;
	struct places s = { .n = 0 };
	const struct exec_stats *x;
	uint64_t places;
	char line[160];

	clock_gettime(CLOCK_MONOTONIC, &t);
	if (!now && t.tv_sec < last.tv_sec + 2)
		return;
	last = t;
	places = exec_new_places(say_place, &s);
	if (s.n) {
		s.line[s.n++] = '\n';
		say(s.line, s.n);
	}
	x = exec_stats();
	say(line, (size_t)snprintf(line, sizeof(line), "S %d %llu %llu %llu %llu %llu\n", job, (unsigned long long)x->programs, (unsigned long long)x->calls,
				   (unsigned long long)x->timeouts, (unsigned long long)x->killed, (unsigned long long)places));
	new_programs();
}

static int test_one(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	static unsigned int count;
	bool in_time;

	if (!size || size > PROG_BYTES || (only && !memmem(text, size, only, strlen(only))))
		return -1;
	post(text, (uint32_t)size, exec_stats()->programs);
	if (exec_has_cover() && ++count % 32 == 0)
		exec_prog(text, size, false, true);
	/* What had to be ended is not kept: what is made of it would wait as long. */
	in_time = exec_prog(text, size, false, false);
	watch_alive(job);
	report(false);
	return in_time ? 0 : -1;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct prog p;
	size_t n;

	rng_seed(seed);
	/* Without coverage nothing is learnt from what was tried: every other program is new then. */
	if (!rng_below(exec_has_cover() ? 40 : 2) || !prog_parse(&p, (const char *)data, size, NULL) || !p.n)
		prog_generate(&p, 1 + (unsigned int)rng_below(10));
	else
		prog_mutate(&p);
	n = prog_print(&p, (char *)data, max);
	prog_free(&p);
	return n ? n : size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, uint8_t *out, size_t max, unsigned int seed)
{
	struct prog p, q, r;
	size_t n = 0;

	rng_seed(seed);
	if (!prog_parse(&p, (const char *)a, na, NULL))
		return 0;
	if (prog_parse(&q, (const char *)b, nb, NULL)) {
		prog_cross(&r, &p, &q);
		n = prog_print(&r, (char *)out, max);
		prog_free(&r);
		prog_free(&q);
	}
	prog_free(&p);
	return n;
}

static void own_score(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, score, strlen(score)) < 0)
			perror("fuzz: oom_score_adj");
		close(fd);
	}
}

/* A job's processes stay on one processor: one waits while another works. */
static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)job % (size_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* libFuzzer does not come back from its last program: it calls exit(). */
static void last_report(void)
{
	report(true);
}

static int hunt(unsigned long seed, const char *runs, unsigned long jobs)
{
	char seed_arg[40], runs_arg[40], max_arg[40];
	/* What other jobs learnt is read now and then: to look for it is to look at each file of the corpus. */
	char *reload = jobs > 1 ? "-reload=60" : "-reload=0";
	char *args[] = { "fuzz", (char *)dir, seed_arg, runs_arg, max_arg, "-len_control=0", "-entropic=0", "-mutate_depth=2", reload, "-timeout=1000000", "-rss_limit_mb=0", "-malloc_limit_mb=1024",
			 "-handle_segv=0", "-handle_bus=0", "-handle_abrt=0", "-handle_ill=0", "-handle_fpe=0", "-handle_int=0", "-handle_term=0",
			 "-handle_xfsz=0", "-handle_usr1=0", "-handle_usr2=0", "-detect_leaks=0", "-verbosity=0", "-print_final_stats=0", "-use_counters=1", NULL };
	char **argv = args;
	int argc = sizeof(args) / sizeof(args[0]) - 1;

	snprintf(seed_arg, sizeof(seed_arg), "-seed=%lu", seed);
	snprintf(runs_arg, sizeof(runs_arg), "-runs=%s", *runs == '0' && !runs[1] ? "-1" : runs);
	snprintf(max_arg, sizeof(max_arg), "-max_len=%d", PROG_BYTES / 4);
	pin();
	make_mailbox();
	own_score("-1000");
	if (!exec_init(cover, COVER_BITS, false))
		return 2;
	own_score("-999");
	if (!job) {
		watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (inotify_add_watch(watch, dir, IN_CLOSE_WRITE) < 0)
			perror("fuzz: inotify");
	}
	atexit(last_report);
	return LLVMFuzzerRunDriver(&argc, &argv, test_one);
}

static int hunt_jobs(char **argv)
{
	unsigned long seed = strtoul(argv[1], NULL, 0), jobs = strtoul(argv[3], NULL, 0);
	pid_t *pid = must_alloc(jobs * sizeof(*pid)), ended;
	int status, worst = 0;

	dir = argv[0];
	mkdir(dir, 0777);
	chmod(dir, 0777);
	for (unsigned long i = 0; i < jobs; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			job = (int)i;
			exit(hunt(seed + i, argv[2], jobs));
		}
	}
	/* What one job ends by is told at once: the others end with it. */
	while ((ended = wait(&status)) > 0)
		if (status && !worst) {
			worst = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			fprintf(stderr, "fuzz: a job ended, status %#x\n", (unsigned int)status);
			for (unsigned long i = 0; i < jobs; i++)
				if (pid[i] > 0 && pid[i] != ended)
					kill(pid[i], SIGKILL);
		}
	free(pid);
	return worst;
}

static char *slurp(const char *path, size_t *n)
{
	size_t room = 1 << 16;
	char *text = must_alloc(room);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t r;

	*n = 0;
	if (fd < 0) {
		fprintf(stderr, "fuzz: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	while ((r = read(fd, text + *n, room - *n)) > 0) {
		*n += (size_t)r;
		if (*n == room) {
			text = realloc(text, room *= 2);
			if (!text)
				exit(2);
		}
	}
	close(fd);
	return text;
}

/* Files hold programs one after another: each begins with its line @user or @root. */
static int run_files(char **argv)
{
	struct timespec begin, end_time;
	bool trace = false, each = false;
	long times = 1, ran = 0, bad = 0;

	for (; *argv && **argv == '-'; argv++)
		if (!strcmp(*argv, "-v"))
			trace = true;
		else if (!strcmp(*argv, "-p"))
			each = true;
		else if (!strcmp(*argv, "-n") && argv[1])
			times = strtol(*++argv, NULL, 0);
	make_mailbox();
	own_score("-1000");
	if (!exec_init(cover, COVER_BITS, trace))
		return 2;
	for (; *argv; argv++) {
		size_t n;
		char *text = slurp(*argv, &n), *end = text + n, *next;

		for (char *at = text; at < end; at = next) {
			struct prog p;
			char err[120] = "too long";

			for (next = at + 1; next < end && !(*next == '@' && next[-1] == '\n'); next++)
				;
			if (next - at > PROG_BYTES || !prog_parse(&p, at, (size_t)(next - at), err)) {
				fprintf(stderr, "fuzz: %s: %s\n", *argv, err);
				bad++;
				continue;
			}
			prog_free(&p);
			post(at, (uint32_t)(next - at), exec_stats()->programs);
			clock_gettime(CLOCK_MONOTONIC, &begin);
			for (long i = 0; i < times; i++)
				exec_prog(at, (size_t)(next - at), trace, false);
			clock_gettime(CLOCK_MONOTONIC, &end_time);
			watch_alive(0);
			if (each)
				say_each(ran, (end_time.tv_sec - begin.tv_sec) * 1000000 + (end_time.tv_nsec - begin.tv_nsec) / 1000);
			ran++;
			report(false);
		}
		free(text);
	}
	report(true);
	printf("%ld programs, %ld could not be read\n", ran, bad);
	return bad ? 1 : 0;
}

static int run_other(char *path)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		alarm(60);
		execl(path, path, NULL);
		perror(path);
		_exit(127);
	}
	say("S 0 0 0 0 0 0\n", 14);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int command(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "exec"))
		return run_other(argv[2]);
	if (argc == 6 && !strcmp(argv[1], "hunt"))
		return hunt_jobs(argv + 2);
	if ((argc == 6 || argc == 3 || argc == 4) && !strcmp(argv[1], "parties"))
		return parties_main(argc - 2, argv + 2, only, say, post_batch);
	if (argc > 2 && !strcmp(argv[1], "run"))
		return run_files(argv + 2);
	fputs("usage: fuzz init | hunt DIR SEED RUNS JOBS | run [-v] [-p] [-n N] FILE... | parties (SEED FIRST COUNT JOBS | FILE [planted]) | exec FILE\n", stderr);
	return 2;
}

static void mount_on(const char *type, const char *at, const char *options)
{
	mkdir(at, 0755);
	if (mount(type, at, type, 0, options) && errno != EBUSY && errno != ENOENT && errno != ENODEV)
		fprintf(stderr, "fuzz: %s: %s\n", at, strerror(errno));
}

static void say_text(const char *path)
{
	size_t n;
	char *text = slurp(path, &n);

	for (char *at = text, *end; at < text + n; at = end + 1) {
		end = memchr(at, '\n', (size_t)(text + n - at));
		if (!end)
			break;
		say("T ", 2);
		say(at, (size_t)(end + 1 - at));
	}
	free(text);
}

/*
 * Where instructions are the clock there is no disk of the host's, which answers when it likes: the machine's memory is one then, by
 * the disk's name.
 */
static void own_disk(void)
{
	char path[32];
	int file = open("/disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600), control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), loop = -1;
	int n = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	struct stat st;

	snprintf(path, sizeof(path), "/dev/loop%d", n);
	if (n >= 0)
		loop = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0 || loop < 0 || ftruncate(file, 16 << 20) || ioctl(loop, LOOP_SET_FD, file) || fstat(loop, &st) ||
	    mknod("/dev/vda", S_IFBLK | 0666, st.st_rdev))
		perror("fuzz: a disk in memory");
	close(file);
	close(control);
	close(loop);
}

/* A failure that was asked for is nothing to read about: the program says which one it was. */
static void quiet_faults(void)
{
	static const char *const names[] = { "failslab", "fail_page_alloc", "fail_usercopy", "fail_make_request" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", names[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			if (write(fd, "0", 1) != 1)
				perror(path);
			close(fd);
		}
	}
}

/* Bridges and Binder are there for anybody. No file: they are in the image. */
static void load(const char *module)
{
	int fd = open(module, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
		printf("%s: %s\n", module, strerror(errno));
	close(fd);
}

static int init(void)
{
	char *args[32] = { "fuzz" }, *text, line[400], last[300] = "";
	struct termios t;
	int argc = 1, r, log;
	long free_kib = 0;
	size_t n;
	pid_t pid;

	mount_on("proc", "/proc", NULL);
	mount_on("sysfs", "/sys", NULL);
	mount_on("devtmpfs", "/dev", NULL);
	mount_on("devpts", "/dev/pts", "ptmxmode=0666");
	mount_on("tmpfs", "/dev/shm", "mode=1777");
	mount_on("debugfs", "/sys/kernel/debug", NULL);
	quiet_faults();
	load("/bridge.ko");
	load("/binder.ko");
	mkdir("/tmp", 01777);
	mount_on("tmpfs", "/tmp", "mode=1777");
	if (access("/dev/vda", F_OK))
		own_disk();
	chmod("/dev/vda", 0666);		/* the disk is the programs' */
	chmod("/dev/net/tun", 0666);	/* as udev makes it */
	chmod("/dev/kvm", 0666);	/* the same, where there is one */
	wire = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (wire >= 0 && !tcgetattr(wire, &t)) {
		cfmakeraw(&t);
		tcsetattr(wire, TCSANOW, &t);
	}
	text = slurp("/fuzz.args", &n);
	text[n < (1 << 16) ? n : n - 1] = 0;
	for (char *w = strtok(text, "\n"); w && argc < 31; w = strtok(NULL, "\n"))
		if (argc == 1 && !strncmp(w, "only=", 5))
			mutate_prefer(only = w + 5);
		else if (argc > 1 || sscanf(w, "free=%ld", &free_kib) != 1)
			args[argc++] = w;
	/* The console is the kernel's: a word of ours there could look like a report. */
	log = open("/tmp/log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	watch_init();
	own_score("-1000");		/* who keeps the jobs; they set their own */
	if (free_kib > 0)
		balloon_start(free_kib);
	pid = fork();
	if (!pid) {
		dup2(log, 1);
		dup2(log, 2);
		exit(command(argc, args));
	}
	r = watch_wait(pid);
	if (argc > 2 && !strcmp(args[2], "-v"))
		say_text("/tmp/log");
	r = WIFEXITED(r) ? WEXITSTATUS(r) : 128 + WTERMSIG(r);
	if (lseek(log, -(off_t)(sizeof(last) - 1), SEEK_END) < 0)
		lseek(log, 0, SEEK_SET);
	if (r && read(log, last, sizeof(last) - 1) > 0)
		for (char *c = last; *c; c++)
			if (*c < ' ')
				*c = ' ';
	say(line, (size_t)snprintf(line, sizeof(line), "E status %d%s%s\n", r, *last ? ": " : "", last));
	if (wire >= 0)
		tcdrain(wire);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}

int main(int argc, char **argv)
{
	if ((argc == 2 && !strcmp(argv[1], "init")) || getpid() == 1)
		return init();
	return command(argc, argv);
}
