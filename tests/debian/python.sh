#!/bin/bash
# SPDX-License-Identifier: MIT
# python3: threads, subprocess, multiprocessing, asyncio, mmap, selectors, signals, sqlite, os.
cd /tmp; cat > p.py <<'P'
import asyncio, concurrent.futures as cf, ctypes, fcntl, hashlib, mmap, multiprocessing as mp, os, queue, resource, select, selectors, shutil, signal, socket, sqlite3, struct, subprocess, sys, tempfile, threading, time
def square(x): return x * x
def child(q, v, l):
    for _ in range(100):
        with l: v.value += 1
    q.put(os.getpid() != 1)
def main():
    q = queue.Queue(); ts = [threading.Thread(target=lambda i=i: q.put(i * i)) for i in range(50)]
    [t.start() for t in ts]; [t.join() for t in ts]; print("threads", sum(q.get() for _ in range(50)))
    cond, log = threading.Condition(), []
    def waiter():
        with cond: cond.wait_for(lambda: log, timeout=30); log.append("woken")
    t = threading.Thread(target=waiter); t.start()
    with cond: log.append("set"); cond.notify_all()
    t.join(); print(log)
    r = subprocess.run(["cat"], input=b"x" * 1000000, capture_output=True); print("cat", len(r.stdout), r.returncode)
    r = subprocess.run("echo err >&2; exit 3", shell=True, capture_output=True, text=True); print(r)
    p = subprocess.Popen(["sleep", "100"]); p.send_signal(signal.SIGTERM); print("term", p.wait())
    try: subprocess.run(["sleep", "100"], timeout=0.1)
    except subprocess.TimeoutExpired as e: print("timeout")
    with mp.Pool(4) as pool: print("pool", sum(pool.map(square, range(100))))
    for method in ("fork", "spawn", "forkserver"):
        c = mp.get_context(method); q, v, l = c.Queue(), c.Value("i", 0), c.Lock(); ps = [c.Process(target=child, args=(q, v, l)) for _ in range(3)]
        [p.start() for p in ps]; got = [q.get() for _ in ps]; [p.join() for p in ps]; print(method, v.value, got, [p.exitcode for p in ps])
    from multiprocessing import shared_memory
    s = shared_memory.SharedMemory(create=True, size=10000); s2 = shared_memory.SharedMemory(s.name); s.buf[9999] = 7; print("shm", s2.buf[9999]); s2.close(); s.close(); s.unlink()
    with cf.ThreadPoolExecutor(8) as ex: print("executor", sum(ex.map(square, range(1000))))
    with cf.ProcessPoolExecutor(2) as ex: print("processes", sum(ex.map(square, range(100))))
    async def serve():
        async def echo(r, w):
            while d := await r.readline(): w.write(d.upper())
            w.close()
        srv = await asyncio.start_unix_server(echo, "/tmp/as")
        async def client(i):
            r, w = await asyncio.open_unix_connection("/tmp/as"); w.write(b"hello %d\n" % i); d = await r.readline(); w.close(); return d
        print("asyncio", sorted(await asyncio.gather(*[client(i) for i in range(20)]))[:2])
        p = await asyncio.create_subprocess_exec("sh", "-c", "echo out; exit 4", stdout=asyncio.subprocess.PIPE); o, _ = await p.communicate(); print(o, p.returncode)
        loop = asyncio.get_running_loop(); fut = loop.create_future(); loop.add_signal_handler(signal.SIGUSR1, fut.set_result, "signalled"); os.kill(os.getpid(), signal.SIGUSR1); print(await fut)
        try: await asyncio.wait_for(asyncio.sleep(100), 0.05)
        except asyncio.TimeoutError: print("timed out")
        print("thread", await asyncio.to_thread(square, 12)); srv.close()
    asyncio.run(serve())
    f = tempfile.TemporaryFile(); f.truncate(1 << 20); m = mmap.mmap(f.fileno(), 0); m[4096:4101] = b"mmap!"; m.flush(); f.seek(4096); print(f.read(5)); m.resize(2 << 20); print(len(m), os.fstat(f.fileno()).st_size); m.madvise(mmap.MADV_DONTNEED); print(m[4096:4101])
    a = mmap.mmap(-1, 8192)
    if os.fork() == 0: a[0] = 42; os._exit(0)
    os.wait(); print("shared", a[0])
    sel = selectors.DefaultSelector(); x, y = socket.socketpair(); sel.register(x, selectors.EVENT_READ, "x"); y.send(b"ping"); print([(k.data, e) for k, e in sel.select(5)], x.recv(10)); ep = select.epoll(); ep.register(y, select.EPOLLOUT | select.EPOLLET); print([e for _, e in ep.poll(1)], ep.poll(0))
    socket.send_fds(x, [b"fd"], [f.fileno()]); d, fds, _, _ = socket.recv_fds(y, 10, 1); print(d, os.fstat(fds[0]).st_size)
    pid = os.posix_spawn("/bin/true", ["true"], os.environ); print("spawn", os.waitpid(pid, 0)[1]); r, w = os.pipe(); fcntl.fcntl(w, 1031, 65536); print(fcntl.fcntl(w, 1032)); os.set_blocking(r, False)
    try: os.read(r, 1)
    except BlockingIOError as e: print(e.errno)
    print(os.sched_getaffinity(0) == set(range(os.cpu_count())), resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 1024, signal.sigtimedwait([signal.SIGUSR2], 0))
    fd = os.memfd_create("m", os.MFD_ALLOW_SEALING); os.write(fd, b"abc"); fcntl.fcntl(fd, 1033, 8); 
    try: os.write(fd, b"d")
    except PermissionError as e: print("sealed", e.errno)
    e = os.eventfd(5); print("eventfd", os.eventfd_read(e)); print(os.copy_file_range(f.fileno(), fd := os.open("/tmp/cfr", os.O_RDWR | os.O_CREAT), 100)); print(os.getxattr("/tmp/cfr", "user.a") if not os.setxattr("/tmp/cfr", "user.a", b"v") else None)
    db = sqlite3.connect("/tmp/p.db"); db.execute("create table t(a)"); db.executemany("insert into t values(?)", [(i,) for i in range(1000)]); db.commit(); print(db.execute("select sum(a) from t").fetchone()); print(hashlib.sha256(open("/etc/passwd", "rb").read()[:30]).hexdigest()[:10], ctypes.CDLL(None).getpid() == os.getpid(), shutil.which("sh") is not None)
    t0 = time.monotonic(); time.sleep(0.05); print(time.monotonic() - t0 >= 0.05, os.uname().sysname, sys.maxsize)
if __name__ == "__main__": main()
P
python3 p.py; echo status $?
