#!/bin/bash
# SPDX-License-Identifier: MIT
# gcc and make -j4 on a program of many files, with threads, a shared library and thread-local storage; ar, ld, objdump.
mkdir /tmp/c; cd /tmp/c
for i in $(seq 24); do printf '#include <stdio.h>\n#include <math.h>\nint f%d(int x) { double s = 0; for (int i = 1; i < x; i++) s += sqrt(i) / %d; return (int)s; }\n' $i $i > f$i.c; done
cat > main.c <<'P'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
static __thread int mine; static int total; static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void *run(void *a) { for (int i = 0; i < 1000; i++) { mine++; pthread_mutex_lock(&m); total++; pthread_mutex_unlock(&m); } return (void *)(long)mine; }
int f1(int); int f24(int);
int main(void) { pthread_t t[8]; long s = 0; void *r; for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, run, 0); for (int i = 0; i < 8; i++) { pthread_join(t[i], &r); s += (long)r; }
void *h = dlopen("./libadd.so", RTLD_NOW); int (*add)(int, int) = (int (*)(int, int))dlsym(h, "add"); printf("%d %d %ld %d %d\n", f1(100), f24(100), s, total, add(2, 3)); return 0; }
P
echo 'int add(int a, int b) { return a + b; }' > add.c
cat > Makefile <<'P'
objs := $(patsubst %.c,%.o,$(wildcard f*.c))
prog: main.o libf.a libadd.so
	@$(CC) -o $@ main.o -L. -lf -lm -pthread -ldl
libf.a: $(objs)
	@ar crD $@ $(sort $^)
libadd.so: add.c
	@$(CC) -shared -fPIC -o $@ $<
%.o: %.c
	@$(CC) -O2 -g -c -o $@ $<
P
make -s -j4; echo make $?; ./prog; make -j4; touch f3.c; make -n | grep -c f3.c; nm libf.a | grep -c ' T '; objdump -d add.o 2>/dev/null || objdump -d libadd.so | grep -c '<add>:'
gcc -static -O1 -o st -x c - <<< 'int main(void){return 42;}'; ./st; echo static $?
