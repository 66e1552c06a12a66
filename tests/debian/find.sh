#!/bin/bash
# SPDX-License-Identifier: MIT
# findutils, grep, sed, awk, xargs over a tree of many files.
cd /tmp; mkdir tree; cd tree
for d in $(seq 20); do mkdir d$d; for f in $(seq 25); do echo "file $f of $d" > d$d/f$f; done; done
find . -type f | wc -l; find . -name 'f1*' -newermt 2000-01-01 | wc -l; find . -type d -empty; find . -size +0 -perm -u+w | wc -l
find . -name f7 -print0 | sort -z | xargs -0 -n 3 -P 4 cat | sort | md5sum
grep -r 'file 25 of' . | wc -l; grep -rlZ 'of 3$' . | xargs -0 sed -i 's/of/OF/'; grep -rc OF . | awk -F: '{ s += $2 } END { print s }'
find . -name 'f2?' -delete; find . -type f | wc -l; find . -type f -exec cat {} + | cksum
find . -depth -type d -name 'd1*' -exec rm -r {} +; ls | paste -sd' '
find / -xdev -path /tmp -prune -o -type c -print 2>/dev/null | head -1; find /proc/self -maxdepth 1 -name status
ls -laR . | grep -c '^-rw'; tree=$(du -s --apparent-size . | cut -f1); [ $tree -gt 0 ] && echo du
