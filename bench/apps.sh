#!/bin/bash
# SPDX-License-Identifier: MIT
# Whole programs, for ./ochre bench --apps, in a Debian root: apps.sh [NAME...]. Says "app NAME MICROSECONDS STATUS" for each;
# the first, nothing, is what the timing itself takes. NAME_make prepares, untimed.
export HOME=/w LC_ALL=C PYTHONHASHSEED=0 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
mkdir -p /w && mount -t tmpfs -o size=1G tmpfs /w && cd /w || exit 1

nothing() { :; }

# Four processes for each of 300 rounds, as configure scripts go.
shell() { for i in {1..300}; do x=$(echo "$i" | sed s/1/2/); [ "$(expr "$i" + 1)" ] && (exit 0); done; }

# 10,000 files in 100 directories, 40 commits that each change 50 of them.
git_make() {
	git -c init.defaultBranch=main init -q repo --template= && python3 - <<'P' && git -C repo fast-import --quiet < repo.in && git -C repo reset -q --hard main
with open("repo.in", "w") as f:
    def commit(n, files):
        f.write("commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata 9\ncommit %02d\n" % (1000000000 + n * 60, n))
        for i in files:
            text = "file %d of commit %d\n" % (i, n) * 8
            f.write("M 100644 inline d%02d/f%04d\ndata %d\n%s\n" % (i % 100, i, len(text), text))
        f.write("\n")
    commit(0, range(10000))
    for n in range(1, 40):
        commit(n, range(n * 50, n * 50 + 50))
P
}
git_status() { for i in 1 2 3; do git -C repo status --short; done; }
git_log() { git -C repo log --stat | cat; }

# 50,000 small files in 500 directories.
tree_make() {
	python3 - <<'P'
import os
for d in range(500):
    os.mkdir("t/%d" % d)
    for i in range(100):
        with open("t/%d/%d" % (d, i), "w") as f:
            f.write("%d\n" % i)
P
}
find_tree() { find t -type f -size +0 -newermt 2001-01-01 | wc -l; }
tar_tree() { tar cf - t | cat > /dev/null; }
untar_tree() { tar cf small.tar t/1* && mkdir u && tar xf small.tar -C u && rm -r u small.tar; }

build_make() {
	mkdir p && for i in {1..12}; do
		printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint f%d(int x) { char b[50]; snprintf(b, 50, "%%d", x); return atoi(b) + (int)strlen(b); }\n' "$i" > p/f$i.c
	done
	printf 'int main(void) { return 0; }\n' > p/main.c
	printf 'OBJ = $(patsubst %%.c,%%.o,$(wildcard *.c))\nprog: $(OBJ)\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -O1 -c -o $@ $<\n' > p/Makefile
}
build() { make -s -C p -j4; }

text_make() { python3 -c 'for i in range(60000): print(i * 7919 % 100003, "some text of line", i)' > text; }
python() { python3 -c 'x = 0
for i in range(1500000): x = (x * 31 + i) & 0xffffff'; }
gzip_text() { gzip -c text > text.gz; }
xz_text() { xz -1 -T1 -c text > text.xz; }

declare -A NEEDS=([git_status]=git [git_log]=git [find_tree]=tree [tar_tree]=tree [untar_tree]=tree [build]=build [gzip_text]=text [xz_text]=text)
declare -A MADE
mkdir t
for name in nothing ${@:-shell git_status git_log find_tree tar_tree untar_tree build python gzip_text xz_text}; do
	need=${NEEDS[$name]}
	if [ -n "$need" ] && [ -z "${MADE[$need]}" ]; then
		"${need}_make" > /w/log 2>&1 || { echo "app $name 0 1"; cat /w/log; continue; }
		MADE[$need]=1
		sync
	fi
	/bench/mark begin
	from=${EPOCHREALTIME/./}
	"$name" > /w/log 2>&1
	status=$?
	to=${EPOCHREALTIME/./}
	/bench/mark end
	echo "app $name $((to - from)) $status"
	[ $status = 0 ] || tail -5 /w/log
done
