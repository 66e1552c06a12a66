// SPDX-License-Identifier: MIT
/*
 * io_uring(7): operations on names, files, pipes and memory; registered files and buffers.
 * proves: io_uring_enter io_uring_register
 */
#include "uring.h"
#include <dirent.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>

/* Submits one and takes its completion. */
static int run(struct ring *r)
{
	struct cqe c;

	EQ(enter(r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	EQ(there(r), 1);
	c = next(r);
	EQ(c.user_data, 1);
	return c.res;
}

static struct io_uring_sqe *named(struct ring *r, int op, int dfd, const char *name)
{
	struct io_uring_sqe *s = sqe(r, op, dfd, 1);

	s->addr = (uintptr_t)name;
	return s;
}

static long reg(struct ring *r, unsigned int op, const void *arg, unsigned int n)
{
	return syscall(SYS_io_uring_register, r->fd, op, arg, n);
}

static char dir_name[32];

static int in_dir(void)
{
	strcpy(dir_name, "/tmp/uringd-XXXXXX");
	CHECK(mkdtemp(dir_name));
	return OK(open(dir_name, O_RDONLY | O_DIRECTORY));
}

TEST(names)
{
	struct ring r = ring(4);
	struct io_uring_sqe *s;
	struct statx x;
	struct stat st;
	int d = in_dir(), fd;

	named(&r, IORING_OP_MKDIRAT, d, "sub")->len = 0750;
	EQ(run(&r), 0);
	OK(fstatat(d, "sub", &st, 0));
	EQ(st.st_mode & 07777, 0750);
	s = named(&r, IORING_OP_OPENAT, d, "sub/f");
	s->open_flags = O_CREAT | O_RDWR;
	s->len = 0600;
	fd = run(&r);
	CHECK(fd > 2);
	EQ(write(fd, "12345", 5), 5);
	s = named(&r, IORING_OP_STATX, d, "sub/f");
	s->addr2 = (uintptr_t)&x;
	s->len = STATX_SIZE | STATX_MODE;
	EQ(run(&r), 0);
	EQ(x.stx_size, 5);
	EQ(x.stx_mode & 07777, 0600);
	s = named(&r, IORING_OP_STATX, fd, "");
	s->addr2 = (uintptr_t)&x;
	s->statx_flags = AT_EMPTY_PATH;
	EQ(run(&r), 0);
	s = named(&r, IORING_OP_RENAMEAT, d, "sub/f");
	s->len = (unsigned)d;
	s->addr2 = (uintptr_t)"g";
	EQ(run(&r), 0);
	s = named(&r, IORING_OP_LINKAT, d, "g");
	s->len = (unsigned)d;
	s->addr2 = (uintptr_t)"h";
	EQ(run(&r), 0);
	OK(fstat(fd, &st));
	EQ(st.st_nlink, 2);
	s = named(&r, IORING_OP_SYMLINKAT, d, "to");
	s->addr2 = (uintptr_t)"link";
	EQ(run(&r), 0);
	named(&r, IORING_OP_OPENAT, d, "link");
	EQ(run(&r), -ENOENT);
	for (const char **n = (const char *[]){ "g", "h", "link", NULL }; *n; n++) {
		named(&r, IORING_OP_UNLINKAT, d, *n);
		EQ(run(&r), 0);
	}
	named(&r, IORING_OP_UNLINKAT, d, "sub");
	EQ(run(&r), -EISDIR);
	named(&r, IORING_OP_UNLINKAT, d, "sub")->unlink_flags = AT_REMOVEDIR;
	EQ(run(&r), 0);
	named(&r, IORING_OP_UNLINKAT, d, "sub")->unlink_flags = 1;
	EQ(run(&r), -EINVAL);
	named(&r, IORING_OP_OPENAT, d, (const char *)8);
	EQ(run(&r), -EFAULT);
	close(fd);
	close(d);
	OK(rmdir(dir_name));
	end(&r);
}

TEST(openat2_keeps_below)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	struct ring r = ring(4);
	int d = in_dir(), fd;
	struct io_uring_sqe *s = named(&r, IORING_OP_OPENAT2, d, "..");

	s->addr2 = (uintptr_t)&how;
	s->len = sizeof(how);
	EQ(run(&r), -EXDEV);
	s = named(&r, IORING_OP_OPENAT2, d, ".");
	s->addr2 = (uintptr_t)&how;
	s->len = sizeof(how);
	fd = run(&r);
	CHECK(fd > 2);
	close(fd);
	s = named(&r, IORING_OP_OPENAT2, d, ".");
	s->addr2 = (uintptr_t)&how;
	s->len = 23;
	EQ(run(&r), -EINVAL);
	/* How it is to be opened makes no sense: found when it is issued, so more is submitted. */
	how.resolve = 1ull << 40;
	s = named(&r, IORING_OP_OPENAT2, d, ".");
	s->addr2 = (uintptr_t)&how;
	s->len = sizeof(how);
	sqe(&r, IORING_OP_NOP, -1, 2);
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	are(&r, 1, 2, (int[]){ -EINVAL, 0 });
	close(d);
	OK(rmdir(dir_name));
	end(&r);
}

TEST(files_and_memory)
{
	struct ring r = ring(4);
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 9 };
	struct io_uring_sqe *s;
	int fd = file(), ep = OK(epoll_create1(0)), p[2];
	char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stat st;

	s = sqe(&r, IORING_OP_FALLOCATE, fd, 1);
	s->addr = 10000;
	EQ(run(&r), 0);
	OK(fstat(fd, &st));
	EQ(st.st_size, 10000);
	s = sqe(&r, IORING_OP_FADVISE, fd, 1);
	s->fadvise_advice = 4;	/* POSIX_FADV_DONTNEED */
	EQ(run(&r), 0);
	sqe(&r, IORING_OP_FADVISE, fd, 1)->fadvise_advice = 99;
	EQ(run(&r), -EINVAL);
	s = sqe(&r, IORING_OP_SYNC_FILE_RANGE, fd, 1);
	s->sync_range_flags = 7;
	EQ(run(&r), 0);
	CHECK(m != MAP_FAILED);
	m[0] = 'x';
	s = sqe(&r, IORING_OP_MADVISE, -1, 1);
	s->addr = (uintptr_t)m;
	s->len = 4096;
	s->fadvise_advice = MADV_DONTNEED;
	EQ(run(&r), 0);
	EQ(m[0], 0);
	OK(pipe(p));
	s = sqe(&r, IORING_OP_EPOLL_CTL, ep, 1);
	s->len = EPOLL_CTL_ADD;
	s->off = (unsigned)p[0];
	s->addr = (uintptr_t)&ev;
	EQ(run(&r), 0);
	EQ(write(p[1], "abcdef", 6), 6);
	ev.data.u64 = 0;
	EQ(epoll_wait(ep, &ev, 1, 0), 1);
	EQ(ev.data.u64, 9);
	s = sqe(&r, IORING_OP_SPLICE, fd, 1);
	s->splice_fd_in = p[0];
	s->splice_off_in = (unsigned long long)-1;
	s->off = 2;
	s->len = 6;
	EQ(run(&r), 6);
	EQ(pread(fd, m, 8, 0), 8);
	CHECK(!memcmp(m, "\0\0abcdef", 8));
	close(p[0]);
	close(p[1]);
	close(ep);
	close(fd);
	end(&r);
}

TEST(registered_files)
{
	struct io_uring_files_update up = { 0 };
	struct ring r = ring(8);
	int fd = file(), fds[3] = { fd, -1, r.fd };
	struct io_uring_sqe *s;
	char b[8];

	EQ(write(fd, "abcd", 4), 4);
	ERR(reg(&r, IORING_REGISTER_FILES, fds, 3), EBADF);
	/* There is no place yet that could be left as it is. */
	ERR(reg(&r, IORING_REGISTER_FILES, (int[]){ fd, IORING_REGISTER_FILES_SKIP }, 2), EBADF);
	ERR(reg(&r, IORING_UNREGISTER_FILES, NULL, 0), ENXIO);
	rw(&r, IORING_OP_FILES_UPDATE, -1, fds, 1, (unsigned int)IORING_FILE_INDEX_ALLOC, 1);
	EQ(run(&r), -ENXIO);
	OK(reg(&r, IORING_REGISTER_FILES, fds, 2));
	ERR(reg(&r, IORING_REGISTER_FILES, fds, 2), EBUSY);
	close(fd);
	rw(&r, IORING_OP_READ, 0, b, 8, 0, 1)->flags = IOSQE_FIXED_FILE;
	EQ(run(&r), 4);
	rw(&r, IORING_OP_READ, 1, b, 8, 0, 1)->flags = IOSQE_FIXED_FILE;
	EQ(run(&r), -EBADF);
	rw(&r, IORING_OP_READ, 2, b, 8, 0, 1)->flags = IOSQE_FIXED_FILE;
	EQ(run(&r), -EBADF);
	/* An open that becomes one, a read of it in the same chain, and its close. */
	s = named(&r, IORING_OP_OPENAT, AT_FDCWD, "/proc/version");
	s->file_index = IORING_FILE_INDEX_ALLOC;
	EQ(run(&r), 1);
	rw(&r, IORING_OP_READ, 1, b, 8, 0, 1)->flags = IOSQE_FIXED_FILE;
	EQ(run(&r), 8);
	s = named(&r, IORING_OP_OPENAT, AT_FDCWD, "/proc/version");
	s->file_index = IORING_FILE_INDEX_ALLOC;
	EQ(run(&r), -ENFILE);
	sqe(&r, IORING_OP_CLOSE, 0, 1)->file_index = 2;
	EQ(run(&r), 0);
	sqe(&r, IORING_OP_CLOSE, 0, 1)->file_index = 2;
	EQ(run(&r), -EBADF);
	fds[0] = -1;
	up.fds = (uintptr_t)fds;
	EQ(reg(&r, IORING_REGISTER_FILES_UPDATE, &up, 1), 1);
	up.offset = 2;
	ERR(reg(&r, IORING_REGISTER_FILES_UPDATE, &up, 1), EINVAL);
	rw(&r, IORING_OP_READ, 0, b, 8, 0, 1)->flags = IOSQE_FIXED_FILE;
	EQ(run(&r), -EBADF);
	OK(reg(&r, IORING_UNREGISTER_FILES, NULL, 0));
	end(&r);
}

TEST(a_file_goes_with_its_last_request)
{
	struct ring r = ring(8);
	unsigned long long tag = 77;
	int p[2], minus = -1;
	struct io_uring_rsrc_register reg2 = { .nr = 1, .tags = (uintptr_t)&tag };
	struct io_uring_files_update up = { .fds = (uintptr_t)&minus };
	char b[8];

	OK(pipe(p));
	reg2.data = (uintptr_t)&p[0];
	OK(reg(&r, IORING_REGISTER_FILES2, &reg2, sizeof(reg2)));
	close(p[0]);
	rw(&r, IORING_OP_READ, 0, b, 8, 0, 1)->flags = IOSQE_FIXED_FILE;
	EQ(submit(&r, 1), 1);
	EQ(reg(&r, IORING_REGISTER_FILES_UPDATE, &up, 1), 1);
	EQ(there(&r), 0);
	EQ(write(p[1], "xyz", 3), 3);
	while (there(&r) < 2)
		wait_for(&r, 2);
	for (int i = 0; i < 2; i++) {
		struct cqe c = next(&r);

		EQ(c.res, c.user_data == 1 ? 3 : 0);
		CHECK(c.user_data == 1 || c.user_data == 77);
	}
	signal(SIGPIPE, SIG_IGN);
	while (write(p[1], "x", 1) == 1)
		sched_yield();
	EQ(errno, EPIPE);
	close(p[1]);
	end(&r);
}

#ifndef IORING_OP_READV_FIXED	/* of headers that are older */
#define IORING_OP_READV_FIXED 60
#define IORING_OP_WRITEV_FIXED 61
#endif

/* Several parts of the buffer, which is 8,000 bytes from 100 on, at once. */
static void vectors_in(struct ring *r, int fd, char *m)
{
	struct iovec v[3] = { { m + 4094, 4 }, { m + 100, 2 }, { m + 4096, 1 } };

	memcpy(m + 4094, "ABCD", 4);
	memcpy(m + 100, "xy", 2);
	rw(r, IORING_OP_WRITEV_FIXED, fd, v, 3, 0, 1);
	EQ(run(r), 7);
	EQ(pread(fd, m + 200, 10, 0), 10);
	CHECK(!memcmp(m + 200, "ABCDxyC789", 10));
	v[0].iov_len = 3;
	rw(r, IORING_OP_READV_FIXED, fd, v, 2, 5, 1);
	EQ(run(r), 5);
	CHECK(!memcmp(m + 4094, "yC7D", 4) && !memcmp(m + 100, "89y", 2));
	/* One that is empty, outside, or that the kernel cannot read; none. */
	v[1].iov_len = 0;
	rw(r, IORING_OP_READV_FIXED, fd, v, 2, 0, 1);
	EQ(run(r), -EFAULT);
	v[1] = (struct iovec){ m + 99, 4 };
	rw(r, IORING_OP_READV_FIXED, fd, v, 2, 0, 1);
	EQ(run(r), -EFAULT);
	v[1] = (struct iovec){ m + 8099, 2 };
	rw(r, IORING_OP_WRITEV_FIXED, fd, v, 2, 0, 1);
	EQ(run(r), -EFAULT);
	rw(r, IORING_OP_WRITEV_FIXED, fd, (void *)8, 2, 0, 1);
	EQ(run(r), -EFAULT);
	rw(r, IORING_OP_READV_FIXED, fd, v, 0, 0, 1);
	EQ(run(r), 0);
	rw(r, IORING_OP_READV_FIXED, fd, v, 1, 0, 1)->buf_index = 1;
	EQ(run(r), -EFAULT);
	/* As it was. */
	EQ(pwrite(fd, "0123456789", 10, 0), 10);
	memcpy(m + 4090, "0123456789", 10);
}

TEST(registered_buffers)
{
	struct ring r = ring(8);
	char *m = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec v[2] = { { m + 100, 8000 }, { NULL, 0 } };
	int fd = file();

	CHECK(m != MAP_FAILED);
	ERR(reg(&r, IORING_UNREGISTER_BUFFERS, NULL, 0), ENXIO);
	OK(reg(&r, IORING_REGISTER_BUFFERS, v, 2));
	ERR(reg(&r, IORING_REGISTER_BUFFERS, v, 2), EBUSY);
	memset(m, 'a', 3 * 4096);
	memcpy(m + 4090, "0123456789", 10);
	rw(&r, IORING_OP_WRITE_FIXED, fd, m + 4090, 10, 0, 1);
	EQ(run(&r), 10);
	rw(&r, IORING_OP_READ_FIXED, fd, m + 100, 10, 0, 1);
	EQ(run(&r), 10);
	CHECK(!memcmp(m + 100, "0123456789", 10) && m[99] == 'a' && m[110] == 'a');
	rw(&r, IORING_OP_READ_FIXED, fd, m + 99, 10, 0, 1);
	EQ(run(&r), -EFAULT);
	rw(&r, IORING_OP_READ_FIXED, fd, m + 8095, 10, 0, 1);
	EQ(run(&r), -EFAULT);
	rw(&r, IORING_OP_READ_FIXED, fd, m + 100, 10, 0, 1)->buf_index = 1;
	EQ(run(&r), -EFAULT);
	vectors_in(&r, fd, m);
	/* The pages stay, whatever becomes of the mapping. */
	OK(munmap(m + 4096, 4096));
	rw(&r, IORING_OP_WRITE_FIXED, fd, m + 4096, 4, 0, 1);
	EQ(run(&r), 4);
	EQ(pread(fd, m, 4, 0), 4);
	CHECK(!memcmp(m, "6789", 4));
	OK(reg(&r, IORING_UNREGISTER_BUFFERS, NULL, 0));
	v[0].iov_base = (void *)8;
	ERR(reg(&r, IORING_REGISTER_BUFFERS, v, 1), EFAULT);
	v[0] = (struct iovec){ m, 1ul << 31 };
	ERR(reg(&r, IORING_REGISTER_BUFFERS, v, 1), EFAULT);
	close(fd);
	end(&r);
}

TEST(a_file_is_sent)
{
	struct ring r = ring(8), to = ring(8);
	struct io_uring_rsrc_register sparse = { .nr = 2, .flags = IORING_RSRC_REGISTER_SPARSE };
	struct io_uring_sqe *s;
	int fd = file();
	char b[8];

	EQ(write(fd, "abcd", 4), 4);
	OK(reg(&r, IORING_REGISTER_FILES, &fd, 1));
	OK(reg(&to, IORING_REGISTER_FILES2, &sparse, sizeof(sparse)));
	close(fd);
	for (int i = 0; i < 3; i++) {
		s = sqe(&r, IORING_OP_MSG_RING, to.fd, 1);
		s->addr = IORING_MSG_SEND_FD;
		s->off = 50;
		s->file_index = IORING_FILE_INDEX_ALLOC;
		s->msg_ring_flags = i == 1 ? IORING_MSG_RING_CQE_SKIP : 0;
		EQ(run(&r), i < 2 ? i : -ENFILE);
	}
	wait_for(&to, 1);
	is(&to, 50, 0);
	EQ(there(&to), 0);
	rw(&to, IORING_OP_READ, 1, b, 8, 0, 1)->flags = IOSQE_FIXED_FILE;
	EQ(run(&to), 4);
	/* From a place where none is, to itself, with a length. */
	s = sqe(&r, IORING_OP_MSG_RING, to.fd, 1);
	s->addr = IORING_MSG_SEND_FD;
	s->addr3 = 1;
	EQ(run(&r), -EBADF);
	sqe(&r, IORING_OP_MSG_RING, r.fd, 1)->addr = IORING_MSG_SEND_FD;
	EQ(run(&r), -EINVAL);
	s = sqe(&r, IORING_OP_MSG_RING, to.fd, 1);
	s->addr = IORING_MSG_SEND_FD;
	s->len = 1;
	EQ(run(&r), -EINVAL);
	sqe(&r, IORING_OP_MSG_RING, to.fd, 1)->addr = 9;
	EQ(run(&r), -EINVAL);
	end(&to);
	end(&r);
}

/* Free places are chosen in turn, in the range that is for that. */
TEST(places_that_are_chosen)
{
	struct ring r = ring(8);
	struct io_uring_rsrc_register sparse = { .nr = 200, .flags = IORING_RSRC_REGISTER_SPARSE };
	struct io_uring_file_index_range range = { 130, 3, 0 };

	ERR(reg(&r, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0), EINVAL);
	for (unsigned int i = 0; i < 2; i++) {
		named(&r, IORING_OP_OPENAT, AT_FDCWD, "/proc/version")->file_index =
			i ? IORING_FILE_INDEX_ALLOC : 1;
		EQ(run(&r), i ? -ENFILE : -ENXIO);
	}
	OK(reg(&r, IORING_REGISTER_FILES2, &sparse, sizeof(sparse)));
	OK(reg(&r, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0));
	for (int i = 0; i < 4; i++) {
		named(&r, IORING_OP_OPENAT, AT_FDCWD, "/proc/version")->file_index =
			IORING_FILE_INDEX_ALLOC;
		EQ(run(&r), i < 3 ? 130 + i : -ENFILE);
	}
	sqe(&r, IORING_OP_CLOSE, 0, 1)->file_index = 132;
	EQ(run(&r), 0);
	named(&r, IORING_OP_OPENAT, AT_FDCWD, "/proc/version")->file_index = 1;
	EQ(run(&r), 0);
	named(&r, IORING_OP_OPENAT, AT_FDCWD, "/proc/version")->file_index =
		IORING_FILE_INDEX_ALLOC;
	EQ(run(&r), 131);
	range = (struct io_uring_file_index_range){ 199, 2, 0 };
	ERR(reg(&r, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0), EINVAL);
	range.off = ~0u;
	ERR(reg(&r, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0), EOVERFLOW);
	range = (struct io_uring_file_index_range){ 0, 1, 1 };
	ERR(reg(&r, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0), EINVAL);
	end(&r);
}

TEST(buffers_with_tags)
{
	static char a[4096], b[4096];
	struct ring r = ring(8);
	struct iovec v[2] = { { a, sizeof(a) }, { NULL, 0 } };
	unsigned long long tags[2] = { 11, 0 };
	struct io_uring_rsrc_register reg2 = { .nr = 2,
					       .data = (uintptr_t)v,
					       .tags = (uintptr_t)tags };
	struct io_uring_rsrc_update2 up = { .nr = 1, .data = (uintptr_t)v };
	int fd = file();

	/* What fails in its middle tells no tag. */
	v[1] = (struct iovec){ (void *)1, 1 };
	ERR(reg(&r, IORING_REGISTER_BUFFERS2, &reg2, sizeof(reg2)), EFAULT);
	EQ(there(&r), 0);
	v[1] = (struct iovec){ NULL, 0 };
	OK(reg(&r, IORING_REGISTER_BUFFERS2, &reg2, sizeof(reg2)));
	EQ(there(&r), 0);
	v[0].iov_base = b;
	tags[0] = 12;
	up.tags = (uintptr_t)tags;
	EQ(reg(&r, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)), 1);
	wait_for(&r, 1);
	is(&r, 11, 0);
	rw(&r, IORING_OP_WRITE_FIXED, fd, a, 8, 0, 1);
	EQ(run(&r), -EFAULT);
	memcpy(b, "buffer b", 8);
	rw(&r, IORING_OP_WRITE_FIXED, fd, b, 8, 0, 1);
	EQ(run(&r), 8);
	/* One that is none has no tag. */
	v[0] = (struct iovec){ NULL, 0 };
	ERR(reg(&r, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)), EINVAL);
	up.tags = 0;
	up.offset = 2;
	ERR(reg(&r, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)), EINVAL);
	ERR(reg(&r, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up) - 8), EINVAL);
	up.nr = 0;
	ERR(reg(&r, IORING_REGISTER_BUFFERS_UPDATE, &up, sizeof(up)), EINVAL);
	OK(reg(&r, IORING_UNREGISTER_BUFFERS, NULL, 0));
	wait_for(&r, 1);
	is(&r, 12, 0);
	close(fd);
	end(&r);
}

TEST(buffers_count_as_locked)
{
	struct rlimit l = { 8 * 4096, 8 * 4096 };
	char *m = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec v = { m, 16 * 4096 };
	struct ring root = ring(8), r;

	CHECK(m != MAP_FAILED);
	if (sysconf(_SC_PAGESIZE) != 4096)
		SKIP("pages of another size");
	OK(setrlimit(RLIMIT_MEMLOCK, &l));
	OK(setgid(1000));
	OK(setuid(1000));
	r = ring_as_it_is(8, (struct io_uring_params){ 0 });
	ERR(reg(&r, IORING_REGISTER_BUFFERS, &v, 1), ENOMEM);
	/* Whoever made the ring counts: it was not limited. */
	OK(reg(&root, IORING_REGISTER_BUFFERS, &v, 1));
	v.iov_len = 8 * 4096;
	for (int i = 0; i < 3; i++) {
		OK(reg(&r, IORING_REGISTER_BUFFERS, &v, 1));
		OK(reg(&r, IORING_UNREGISTER_BUFFERS, NULL, 0));
	}
	end(&r);
	end(&root);
}

TEST(personalities)
{
	struct ring r = ring(8);
	int d = in_dir(), id = OK(reg(&r, IORING_REGISTER_PERSONALITY, NULL, 0)), fd;
	struct io_uring_sqe *s;

	CHECK(id > 0);
	fd = OK(openat(d, "f", O_CREAT | O_RDWR, 0600));
	close(fd);
	OK(fchmod(d, 0755));
	OK(setgid(1000));
	OK(setuid(1000));
	named(&r, IORING_OP_OPENAT, d, "f");
	EQ(run(&r), -EACCES);
	s = named(&r, IORING_OP_OPENAT, d, "f");
	s->personality = (unsigned short)id;
	fd = run(&r);
	CHECK(fd > 2);
	s = named(&r, IORING_OP_OPENAT, d, "f");
	s->personality = (unsigned short)(id + 1);
	EQ(run(&r), -EINVAL);
	named(&r, IORING_OP_UNLINKAT, d, "f")->personality = (unsigned short)id;
	EQ(run(&r), 0);
	s = named(&r, IORING_OP_UNLINKAT, AT_FDCWD, dir_name);
	s->personality = (unsigned short)id;
	s->unlink_flags = AT_REMOVEDIR;
	EQ(run(&r), 0);
	OK(reg(&r, IORING_UNREGISTER_PERSONALITY, NULL, (unsigned)id));
	ERR(reg(&r, IORING_UNREGISTER_PERSONALITY, NULL, (unsigned)id), EINVAL);
	close(fd);
	close(d);
	end(&r);
}
