#!/bin/bash
# SPDX-License-Identifier: MIT
# gdb on a threaded program: breakpoints, threads, watchpoints, stepping, catching calls and forks, calling functions, attaching.
cd /tmp; export LC_ALL=C HOME=/tmp; cat > t.c <<'P'
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
int total; static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
int twice(int x) { return 2 * x; }
static void *worker(void *a) { pthread_mutex_lock(&m); total += twice((int)(long)a); pthread_mutex_unlock(&m); return 0; }
int main(int c, char **v) {
	pthread_t t[4]; for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, worker, (void *)i);
	for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
	if (c > 1) for (;;) pause();
	total++;
	total += 5;
	printf("%d\n", total);
	return 0;
}
P
gcc -g -O0 -pthread -o t t.c
g() { timeout 90 gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'set style enabled off' "$@" 2>&1 | sed 's/0x[0-9a-f]\+/ADDR/g; s/LWP [0-9]*/LWP/; s/process [0-9]*/process N/; s/Hardware watchpoint/Watchpoint/' | grep -v '^\[New Thread\|^\[Thread\|^Using host\|^\[Switching\|^warning\|exited\]$\|^$'; }
g -ex 'break 11' -ex run -ex 'print total' -ex next -ex 'watch total' -ex continue -ex 'print total' -ex 'print twice(21)' -ex delete -ex continue ./t | grep -v '^Breakpoint 1 at'
g -ex 'break worker if a == (void *)2' -ex run -ex 'print (long)a' -ex 'bt 1' -ex 'info threads' -ex 'thread apply 1 -q print 1' -ex up -ex kill ./t | grep -E '^\$|hit Breakpoint' | sed 's/Thread [0-9]*/Thread N/'
./t wait & p=$!; until [ "$(ls /proc/$p/task | wc -l)" = 1 ] && grep -q pause /proc/$p/wchan /proc/$p/stack 2>/dev/null || grep -q '^State:.S' /proc/$p/status; do sleep 0.02; done
g -p $p -ex 'print total' -ex 'set var total = 100' -ex 'print total' -ex 'info inferiors' -ex detach | grep -E '^\$|detached'; kill $p; wait $p 2>/dev/null; echo ended $?
g -ex 'set follow-fork-mode child' -ex 'catch exec' -ex 'run -c "true; exit 0"' -ex 'kill' /bin/sh | grep -c 'Catchpoint\|exited'
ulimit -c 0; g -ex run -ex 'bt 1' --args sh -c 'kill -SEGV $$' | grep -c 'SIGSEGV'
g -ex 'tbreak main' -ex run -ex 'record stop' -ex 'info auxv' ./t | grep -cE 'AT_(PHDR|ENTRY|RANDOM|SYSINFO_EHDR|PAGESZ)'
