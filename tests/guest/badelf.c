// SPDX-License-Identifier: MIT
// slow: hundreds of malformed programs
/* Malformed programs: an errno, or a signal for the one that asked; never more. */
#define TEST_LIMIT 55
#include "t.h"
#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>

static unsigned char good[200000];
static size_t size;

static void load(void)
{
	int fd = OK(open("/proc/self/exe", O_RDONLY));
	ssize_t n;

	while (size < sizeof(good) && (n = OK(read(fd, good + size, sizeof(good) - size))) > 0)
		size += n;
}

/* Runs these bytes with an argument that makes this program end with 0 at once. */
static int run(const void *data, size_t len)
{
	int fd;
	pid_t pid;

	unlink("/tmp/elf");
	fd = OK(open("/tmp/elf", O_CREAT | O_WRONLY, 0755));
	EQ(write(fd, data, len), len);
	close(fd);
	pid = OK(fork());
	if (pid == 0) {
		alarm(5);
		execl("/tmp/elf", "elf", "no such test", (char *)NULL);
		_exit(errno == ENOEXEC ? 200 :
		      errno == EINVAL  ? 201 :
		      errno == ENOMEM  ? 202 :
		      errno == EIO     ? 203 :
		      errno == ELIBBAD ? 204 :
					 250);
	}
	int st = t_wait(pid);

	return WIFSIGNALED(st) ? 300 + WTERMSIG(st) : WEXITSTATUS(st);
}

TEST(the_good_one_runs)
{
	load();
	EQ(run(good, size), 0);
}

TEST(header_fields)
{
	static unsigned char bad[sizeof(good)];

	load();
	struct {
		size_t off, len;
		unsigned long val;
		int want;
	} t[] = {
		{ EI_CLASS, 1, ELFCLASS32, -1 },
		{ EI_CLASS, 1, 0, -1 },
		{ EI_DATA, 1, ELFDATA2MSB, -1 },
		{ 0, 1, 0, 200 },
		{ offsetof(Elf64_Ehdr, e_type), 2, ET_REL, 200 },
		{ offsetof(Elf64_Ehdr, e_type), 2, ET_CORE, 200 },
		{ offsetof(Elf64_Ehdr, e_type), 2, 77, 200 },
		{ offsetof(Elf64_Ehdr, e_machine), 2, EM_386, 200 },
		{ offsetof(Elf64_Ehdr, e_machine), 2, 0xffff, 200 },
		{ offsetof(Elf64_Ehdr, e_phentsize), 2, 55, 200 },
		{ offsetof(Elf64_Ehdr, e_phentsize), 2, 0, 200 },
		{ offsetof(Elf64_Ehdr, e_phnum), 2, 0, 200 },
		{ offsetof(Elf64_Ehdr, e_phnum), 2, 0xffff, 200 },
		{ offsetof(Elf64_Ehdr, e_phoff), 8, ~0UL, -1 },
		{ offsetof(Elf64_Ehdr, e_phoff), 8, 1UL << 40, -1 },
		{ offsetof(Elf64_Ehdr, e_phoff), 8, sizeof(good) + 100, -1 },
		{ offsetof(Elf64_Ehdr, e_entry), 8, 0, 300 + SIGSEGV },
		{ offsetof(Elf64_Ehdr, e_entry), 8, ~0UL, -1 },
		{ offsetof(Elf64_Ehdr, e_entry), 8, 0x8000000000000000, -1 },
	};

	for (unsigned int i = 0; i < sizeof(t) / sizeof(*t); i++) {
		memcpy(bad, good, size);
		memcpy(bad + t[i].off, &t[i].val, t[i].len);
		int got = run(bad, size);

		/*
		 * Linux does not look at the byte order; and where the reading fails, which errno
		 * is its own matter.
		 */
		if (t[i].want >= 0 ? got != t[i].want : got == 250)
			FAIL("case %u: %d, not %d", i, got, t[i].want);
	}
}

TEST(segments)
{
	static unsigned char bad[sizeof(good)];
	Elf64_Ehdr *eh = (Elf64_Ehdr *)good;
	static const unsigned long values[] = { 0,
						1,
						0xfff,
						0x1001,
						1UL << 31,
						1UL << 40,
						1UL << 47,
						0xffff800000000000,
						~0UL,
						~0UL - 0xfff,
						0x7fffffffffff,
						0x8000000000000000 };

	load();
	for (int p = 0; p < eh->e_phnum; p++) {
		for (size_t f = 8; f < sizeof(Elf64_Phdr); f += 8) {
			for (unsigned int v = 0; v < sizeof(values) / sizeof(*values); v++) {
				memcpy(bad, good, size);
				memcpy(bad + eh->e_phoff + p * sizeof(Elf64_Phdr) + f, &values[v],
				       8);
				run(bad, size);		/* whatever: this machine is still there */
			}
		}
	}
}

static Elf64_Phdr *headers(unsigned char *file)
{
	return (Elf64_Phdr *)(file + ((Elf64_Ehdr *)file)->e_phoff);
}

/* The headers of loadable segments may stand in any order. */
TEST(segments_out_of_order)
{
	static unsigned char odd[sizeof(good)];
	int n, loads = 0, at[16];
	Elf64_Phdr *h;

	load();
	memcpy(odd, good, size);
	n = ((Elf64_Ehdr *)odd)->e_phnum;
	h = headers(odd);
	for (int i = 0; i < n && loads < 16; i++)
		if (h[i].p_type == PT_LOAD)
			at[loads++] = i;
	CHECK(loads > 1);
	/* The first stays in a file that may lie anywhere: the others are placed by it. */
	for (int i = ((Elf64_Ehdr *)odd)->e_type == ET_DYN, k = loads - 1; i < k; i++, k--) {
		Elf64_Phdr p = h[at[i]];

		h[at[i]] = h[at[k]];
		h[at[k]] = p;
	}
	EQ(run(odd, size), 0);
}

/* One more segment, in the place of a header that nobody needs; what becomes of the program. */
static int with_segment(Elf64_Off skew, Elf64_Xword filesz, Elf64_Xword memsz)
{
	static unsigned char odd[sizeof(good)];
	Elf64_Addr end = 0;
	Elf64_Phdr *h, *spare = NULL;

	load();
	memcpy(odd, good, size);
	h = headers(odd);
	for (int i = 0; i < ((Elf64_Ehdr *)odd)->e_phnum; i++) {
		if (h[i].p_type == PT_LOAD && h[i].p_vaddr + h[i].p_memsz > end)
			end = h[i].p_vaddr + h[i].p_memsz;
		if (h[i].p_type == PT_GNU_STACK || h[i].p_type == PT_NOTE)
			spare = &h[i];
	}
	if (!spare)
		return -1;
	end = (end + 0x20000) & ~0xffffUL;
	*spare = (Elf64_Phdr){ PT_LOAD,	 PF_R | PF_W, skew,  end + 64,
			       end + 64, filesz,      memsz, 0x10000 };
	return run(odd, size);
}

TEST(segments_without_file_bytes)
{
	int r = with_segment(64, 0, 100);

	if (r < 0)
		SKIP("no header to spare");
	EQ(r, 0);
	EQ(with_segment(7, 0, 100000), 0);	/* an offset of nothing does not matter */
	EQ(with_segment(64, 100, 100000), 0);
	/* Not to be mapped; the old program is gone by then. */
	EQ(with_segment(7, 100, 100), 300 + SIGSEGV);
}

TEST(truncated)
{
	load();
	for (size_t n = 0; n < 64; n++)
		CHECK(run(good, n) >= 200);
	for (size_t n = 64; n < size; n += 1777)
		run(good, n);
}

TEST(random_damage)
{
	static unsigned char bad[sizeof(good)];
	unsigned int seed = 12345;

	load();
	for (int i = 0; i < 200; i++) {
		memcpy(bad, good, size);
		for (int k = 0; k < 4; k++)
			bad[rand_r(&seed) % 1024] = rand_r(&seed);
		run(bad, size);
	}
}

TEST(interpreters)
{
	/* A program whose interpreter is itself, a directory, nothing, or has no end. */
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph[2];
		char path[64];
	} e;
	static const char *const paths[] = { "/tmp/elf", "/tmp",     "/not/there",
					     "",	 "relative", "/dev/null" };

	for (unsigned int i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		memset(&e, 0, sizeof(e));
		memcpy(e.eh.e_ident, ELFMAG, 4);
		e.eh.e_ident[EI_CLASS] = ELFCLASS64;
		e.eh.e_ident[EI_DATA] = ELFDATA2LSB;
		e.eh.e_ident[EI_VERSION] = 1;
		e.eh.e_type = ET_EXEC;
		load();
		e.eh.e_machine = ((Elf64_Ehdr *)good)->e_machine;
		e.eh.e_version = 1;
		e.eh.e_phoff = offsetof(typeof(e), ph);
		e.eh.e_phentsize = sizeof(Elf64_Phdr);
		e.eh.e_phnum = 2;
		e.eh.e_entry = 0x400000;
		e.ph[0] = (Elf64_Phdr){ PT_INTERP,
					PF_R,
					offsetof(typeof(e), path),
					0,
					0,
					strlen(paths[i]) + 1,
					strlen(paths[i]) + 1,
					1 };
		e.ph[1] = (Elf64_Phdr){ PT_LOAD,  PF_R | PF_X, 0,	  0x400000,
					0x400000, sizeof(e),   sizeof(e), 4096 };
		strcpy(e.path, paths[i]);
		CHECK(run(&e, sizeof(e)) != 0);
		e.ph[0].p_filesz = i & 1 ? 1 : 5000;
		CHECK(run(&e, sizeof(e)) != 0);
	}
	unlink("/tmp/elf");
}
