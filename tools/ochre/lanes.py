# SPDX-License-Identifier: MIT
"""Parts of a long run side by side: each is a process of its own, and as many run at a time as the machine has cores for them."""
import ctypes
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys

from .util import Fail

PR_SET_PDEATHSIG = 1
END = "end"         # (END, error or None): the last that a part says


class Lanes:
    """Parts in the order of add(), but a later one may overtake one that still lacks cores. TAKE(key, what) is called here, in the first process, for each
    tell() in a part; ENDED(key) after the part's last."""

    def __init__(self, cores, take, ended):
        self.cores, self.take, self.ended = cores, take, ended
        self.waiting, self.running = [], {}     # running: pipe -> (key, cores, process)
        self.line = None                        # in a part: its pipe

    def add(self, key, cores, fn, *args):
        """FN(*ARGS) keeps so many CORES busy; more than there are means all."""
        self.waiting.append((key, min(cores, self.cores), fn, args))

    def tell(self, what):
        """From a part to TAKE."""
        self.line.send(what)

    def finish(self):
        """Returns when all parts have ended; raises the first Fail of one. None is left running, however this ends."""
        try:
            while self.waiting or self.running:
                self._start()
                for pipe in multiprocessing.connection.wait(list(self.running)):
                    self._hear(pipe)
        finally:
            self.waiting = []
            for _, _, p in self.running.values():
                p.terminate()
            for _, _, p in self.running.values():
                p.join()
            self.running = {}

    def _start(self):
        free = self.cores - sum(c for _, c, _ in self.running.values())
        for part in list(self.waiting):
            key, cores, fn, args = part
            if cores > free:
                continue
            self.waiting.remove(part)
            mine, its = multiprocessing.Pipe(duplex=False)
            sys.stdout.flush()
            sys.stderr.flush()
            p = multiprocessing.get_context("fork").Process(target=self._part, args=(its, os.getpid(), fn, args))
            p.start()
            its.close()
            self.running[mine] = key, cores, p
            free -= cores

    def _hear(self, pipe):
        key, _, p = self.running[pipe]
        try:
            what = pipe.recv()
        except EOFError:
            what = END, "a part of the run was killed"
        if what[0] != END:
            self.take(key, what)
            return
        p.join()
        del self.running[pipe]
        pipe.close()
        self.ended(key)
        if what[1]:
            raise Fail(what[1])

    def _part(self, line, parent, fn, args):
        """What a part's process does. SIGINT from the terminal reaches it too: it waits for the first process's SIGTERM, which ends it tidily."""
        signal.signal(signal.SIGINT, lambda *_: None)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(143)
        self.line = line
        try:
            fn(*args)
            line.send((END, None))
        except Fail as e:
            line.send((END, str(e)))
