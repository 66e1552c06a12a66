#!/bin/bash
# SPDX-License-Identifier: MIT
# bash and dash: arrays, here-documents, process substitution, coprocesses, traps, job control, arithmetic; coreutils beside them.
cd /tmp
a=(one two three); echo ${#a[@]} ${a[*]:1} "${a[@]/o/0}"
declare -A m=([x]=1 [y]=2); for k in x y; do echo $k=${m[$k]}; done
cat <<END | tr a-z A-Z
here $((6 * 7)) $(printf '%03d' 5)
END
diff <(seq 5) <(seq 4); echo diff: $?
coproc cat; echo through >&${COPROC[1]}; read -r line <&${COPROC[0]}; echo $line; kill $COPROC_PID; wait $COPROC_PID 2>/dev/null; echo coproc: $?
trap 'echo got USR1' USR1; kill -USR1 $$; trap - USR1
(trap 'echo leaving' EXIT; exit 7); echo subshell: $?
set -m; sleep 100 & kill -STOP %1; sleep 0; kill -CONT %1; kill %1; wait %1 2>/dev/null; echo job: $?; set +m
for i in 1 2 3; do (exit $i) & done; wait -n; wait; echo waited
printf '%s\n' b a c | sort | paste -sd,
x=abcdef; echo ${x:2:3} ${x^^} ${x%def} ${#x}
echo 'a b  c' | { read -r p q r; echo "$p|$q|$r"; }
exec 5>five; echo five >&5; exec 5>&-; cat five
yes | head -n 100000 | wc -l; echo ${PIPESTATUS[0]} ${PIPESTATUS[1]}
ulimit -n 50; ulimit -n
{ dash -c 'i=0; while [ $i -lt 3 ]; do i=$((i + 1)); echo dash $i; done; f() { local v=$1; echo "f $v"; }; f x; cat <<END
$(echo nested)
END
trap "echo bye" EXIT; kill -s TERM $$'; } 2>/dev/null; echo dash: $?
seq 1 1000 | split -l 100 - part.; ls part.* | wc -l; cat part.* | md5sum
factor 1234567890; numfmt --to=iec 1048576; date -u -d @86400 +%F; basename /a/b.c .c; realpath /usr/../etc/passwd
mkdir -p d/e; touch -d @1000000000 d/e/f; stat -c '%n %s %Y %A %h' d/e/f; install -m 640 five d/g; stat -c %a d/g
ln -s loop loop; cat loop; mv -T d dd; rm -r dd; ls dd; test -e dd; echo $?
timeout 0.2 sleep 10; echo timeout: $?; nice -n 5 nice; nohup true 2>/dev/null; echo nohup: $?
tail -f --pid=$$ /dev/null & p=$!; kill $p; wait $p 2>/dev/null; echo tail: $?
truncate -s 1G big; du -k big; stat -c %s big; rm big
dd if=/dev/zero bs=1M count=3 2>/dev/null | sha256sum; head -c 1000 /dev/urandom | wc -c; shuf -i 1-10 | sort -n | paste -sd' '
