#!/bin/bash
# SPDX-License-Identifier: MIT
# tar, gzip, xz and zstd, with links, modes, holes and long names; what comes out is what went in.
cd /tmp; cp -a /etc in 2>/dev/null; mkdir in/deep; n=in/deep; for i in $(seq 12); do n=$n/a-rather-long-name-of-a-directory; done; mkdir -p $n; echo deep > $n/file
ln in/passwd in/hard; ln -s passwd in/soft; truncate -s 5M in/holes; echo end >> in/holes; mkfifo in/fifo; chmod 4711 in/hostname
tar cSf a.tar in && mkdir out && tar xpf a.tar -C out && diff -r --no-dereference in/passwd out/in/passwd && echo same
[ out/in/hard -ef out/in/passwd ] && echo hard; readlink out/in/soft; stat -c '%s %A' out/in/holes out/in/hostname out/in/fifo; cmp in/holes out/in/holes && echo holes; [ $(du -k out/in/holes | cut -f1) -lt 100 ] && echo sparse
(cd in; find . -printf '%p %m %l %s\n' | grep -v '^\./* [0-9]* *[0-9]*$' | sort) > l1; (cd out/in; find . -printf '%p %m %l %s\n' | grep -v '^\./* [0-9]* *[0-9]*$' | sort) > l2; cmp l1 l2 && echo tree
for z in 'gzip -9' 'xz -2 -T2' 'zstd -q -T2' 'gzip -1'; do $z -c a.tar > z && case $z in gzip*) zcat z;; xz*) xz -dc z;; *) zstd -dcq z;; esac | cmp - a.tar && echo "$z"; done
tar czf b.tgz in && tar tzf b.tgz | wc -l > n1; tar tf a.tar | wc -l | cmp - n1 && echo list
gzip -t z && echo tested; head -c 1000 z | gzip -t 2>&1 | tail -1; xz -t z 2>&1 | tail -1
echo more > in/more; tar rf a.tar in/more && tar tf a.tar | tail -1; tar --delete -f a.tar in/more; tar df a.tar in/passwd && echo no difference
