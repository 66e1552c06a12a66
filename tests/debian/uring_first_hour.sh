#!/bin/bash
# SPDX-License-Identifier: MIT
# io_uring's first hour: fio writes and verifies (direct, buffered, registered buffers and files, by workers), node's file system and event loop use rings or not,
# and a program that knows the system calls alone copies a file by chains of read and write.
cd /root
for how in "--rw=randrw --direct=1" "--rw=randrw --direct=0" "--rw=randwrite --fixedbufs=1 --registerfiles=1 --direct=1" "--rw=randrw --force_async=4"; do
	fio --name=j --filename=fio.dat --size=4m --bs=4k --iodepth=32 --ioengine=io_uring --verify=crc32c $how | grep -o 'err= *[0-9]*'
done
fio --name=j --filename=fio.dat --size=4m --bs=4k --iodepth=32 --ioengine=libaio --verify=crc32c --rw=randrw --direct=1 | grep -o 'err= *[0-9]*'
cat > t.js <<'J'
const fs = require('fs'), p = fs.promises, net = require('net');
(async () => {
	const d = fs.mkdtempSync('/root/n');
	await Promise.all([...Array(60).keys()].map(async i => {
		const f = `${d}/${i}`;
		await p.writeFile(f, 'x'.repeat(i * 37));
		if ((await p.stat(f)).size !== i * 37) throw 1;
		if ((await p.readFile(f, 'utf8')).length !== i * 37) throw 2;
		const h = await p.open(f, 'r+');
		await h.sync(); await h.datasync(); await h.close();
		await p.rename(f, `${d}/r${i}`); await p.link(`${d}/r${i}`, `${d}/l${i}`);
		await p.symlink(`r${i}`, `${d}/s${i}`); await p.unlink(`${d}/l${i}`);
	}));
	console.log('files', fs.readdirSync(d).length);
	let n = 0;
	const s = net.createServer(c => c.end('hello')).listen(0, async () => {
		await Promise.all([...Array(40).keys()].map(() => new Promise(done =>
			net.connect(s.address().port, '127.0.0.1').on('data', b => { n += b.length; }).on('close', done))));
		const rings = fs.readdirSync('/proc/self/fd').filter(l => { try { return fs.readlinkSync(`/proc/self/fd/${l}`) === 'anon_inode:[io_uring]'; } catch { return false; } });
		console.log('bytes', n, rings.length > 0 ? 'a ring' : 'no ring'); s.close();
	});
})().catch(e => { console.log('failed', e); process.exit(1); });
J
for u in 0 1; do UV_USE_IO_URING=$u node t.js; echo $?; done
cat > copy.c <<'C'
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static char buffers[8][4096];

int main(int argc, char **argv)
{
	struct io_uring_params p = { 0 };
	int ring = syscall(SYS_io_uring_setup, 32, &p), in = open(argv[1], O_RDONLY), out = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *m = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *s = mmap(0, p.sq_entries * sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	struct io_uring_cqe *cqes = (void *)(m + p.cq_off.cqes);
	unsigned *tail = (void *)(m + p.sq_off.tail), *seen = (void *)(m + p.cq_off.head), *array = (void *)(m + p.sq_off.array), bad = 0, n = 0;

	if (ring < 0)
		return 1;
	for (unsigned i = 0; i < 32; i++)
		array[i] = i;
	for (unsigned long at = 0; at < 1 << 20; at += sizeof(buffers)) {
		for (unsigned i = 0; i < 16; i++)
			s[(*tail + i) & 31] = (struct io_uring_sqe){ .opcode = i & 1 ? IORING_OP_WRITE : IORING_OP_READ, .fd = i & 1 ? out : in, .len = 4096,
				.flags = i & 1 ? 0 : IOSQE_IO_LINK, .addr = (unsigned long)buffers[i / 2], .off = at + i / 2 * 4096 };
		__atomic_store_n(tail, *tail + 16, __ATOMIC_RELEASE);
		if (syscall(SYS_io_uring_enter, ring, 16, 16, IORING_ENTER_GETEVENTS, 0, 0) != 16)
			return 2;
		for (unsigned i = 0; i < 16; i++, n++)
			bad += cqes[(*seen + i) & (p.cq_entries - 1)].res != 4096;
		__atomic_store_n(seen, *seen + 16, __ATOMIC_RELEASE);
	}
	printf("%u completions, %u bad\n", n, bad);
	return 0;
}
C
gcc -O1 -o copy copy.c && head -c 1048576 /dev/urandom > from && ./copy from to && cmp from to && echo copied
rm -rf n?????? t.js copy copy.c from to fio.dat
