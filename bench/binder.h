/* SPDX-License-Identifier: MIT */
/*
 * Calls through Binder, for binder.c: the caller and a server that answers with as much as it was
 * sent. The server is the context manager of a device of its own binderfs. Each side hands commands
 * to the driver and waits in one ioctl, as programs do: what was read is freed with the next
 * command.
 */
#pragma once

#include <linux/android/binder.h>
#include <linux/android/binderfs.h>

#define BINDER_AREA (1 << 20)

struct binder_call {
	uint32_t cmd;
	struct binder_transaction_data t;
} __attribute__((packed));

struct binder_free {
	uint32_t cmd;
	uint64_t buffer;
} __attribute__((packed));

static int binder_fd;
static void *binder_area;
static uint64_t binder_held;	/* the last answer, which the next call frees */

static int binder_open(void)
{
	int f = open("/binder/bench", O_RDWR | O_CLOEXEC);

	must(f >= 0, "binder");
	binder_area = mmap(NULL, BINDER_AREA, PROT_READ, MAP_PRIVATE, f, 0);
	must(binder_area != MAP_FAILED, "area");
	return f;
}

/*
 * Frees HELD and does WHAT with SIZE bytes, where there are such, and waits for the driver to say
 * WANTED. What that brings.
 */
static struct binder_transaction_data binder_turn(int f, uint64_t held, uint32_t what, size_t size,
						  uint32_t wanted)
{
	struct {
		struct binder_free free;
		struct binder_call call;
	} __attribute__((packed)) out = {
		{ BC_FREE_BUFFER, held },
		{ what, { .code = 1, .data_size = size, .data.ptr.buffer = (uintptr_t)buf } },
	};
	size_t from = held ? 0 : sizeof(out.free);
	struct binder_write_read w = { .write_size = what ? sizeof(out) - from : 0,
				       .write_buffer = (uintptr_t)&out + from };
	unsigned char in[256];
	struct binder_transaction_data t;

	for (;;) {
		w.read_buffer = (uintptr_t)in;
		w.read_size = sizeof(in);
		w.read_consumed = 0;
		must(!ioctl(f, BINDER_WRITE_READ, &w), "binder");
		w.write_size = w.write_consumed = 0;
		for (size_t at = 0; at < w.read_consumed;) {
			uint32_t cmd;

			memcpy(&cmd, in + at, 4);
			must(cmd != BR_DEAD_REPLY && cmd != BR_FAILED_REPLY, "answer");
			if (cmd == wanted) {
				memcpy(&t, in + at + 4, sizeof(t));
				return t;
			}
			at += 4 + _IOC_SIZE(cmd);
		}
	}
}

static void binder_serve(int ready)
{
	struct binder_write_read w;
	uint32_t enter = BC_ENTER_LOOPER;
	int f = binder_open(), zero = 0;
	struct binder_transaction_data t;

	must(!ioctl(f, BINDER_SET_CONTEXT_MGR, &zero), "context manager");
	w = (struct binder_write_read){ .write_size = 4, .write_buffer = (uintptr_t)&enter };
	must(!ioctl(f, BINDER_WRITE_READ, &w), "looper");
	must(write(ready, "", 1) == 1, "ready");
	t = binder_turn(f, 0, 0, 0, BR_TRANSACTION);
	for (;;)
		t = binder_turn(f, t.data.ptr.buffer, BC_REPLY, t.data_size, BR_TRANSACTION);
}

/* The module, where it is none of the kernel's image. */
static void binder_load(void)
{
	int f = open("/binder.ko", O_RDONLY);

	if (f < 0)
		return;
	must(!syscall(SYS_finit_module, f, "", 0), "module");
	close(f);
}

static void binder_begin(void)
{
	struct binderfs_device d = { .name = "bench" };
	char c;
	int f;

	if (!mkdir("/binder", 0755))
		binder_load();
	must(!mount("binder", "/binder", "binder", 0, NULL), "binderfs");
	f = open("/binder/binder-control", O_RDONLY);
	must(f >= 0 && !ioctl(f, BINDER_CTL_ADD, &d), "device");
	close(f);
	must(!pipe(pair), "pipe");
	peer = fork();
	if (!peer)
		binder_serve(pair[1]);
	must(read(pair[0], &c, 1) == 1, "server");
	close_pair();
	binder_fd = binder_open();
	binder_held = 0;
}

static void binder_end(void)
{
	munmap(binder_area, BINDER_AREA);
	close(binder_fd);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	must(!umount("/binder"), "umount");
}

static void binder_calls(long n, size_t size)
{
	LOOP binder_held =
		binder_turn(binder_fd, binder_held, BC_TRANSACTION, size, BR_REPLY).data.ptr.buffer;
}

OP(op_binder_0)
{
	binder_calls(n, 0);
}
OP(op_binder_4k)
{
	binder_calls(n, 4096);
}
