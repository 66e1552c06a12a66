# Busybox at its daily work: files, archives, text, jobs.
mkdir -p /tmp/daily/a/b && cd /tmp/daily
for i in 1 2 3; do echo "line $i" >> a/b/f; done
cp -a a c && diff -r a c && echo copied
tar cf t.tar a && mkdir x && tar xf t.tar -C x && diff -r a x/a && echo archived
gzip -c a/b/f | gunzip | cmp - a/b/f && echo packed
find . -name f | sort
grep -rl 'line 2' . | sort | wc -l | tr -d ' '
sed 's/line/LINE/' a/b/f | awk '{ s += $2 } END { print s }'
chmod 700 a; ls -ld a | cut -c1-10
ln -s a/b/f link; readlink link; cat link | wc -l | tr -d ' '
ln a/b/f hard; [ a/b/f -ef hard ] && echo linked
touch -d '2020-01-02 03:04:05' a/b/f; stat -c %Y a/b/f
(sleep 0.2; echo late) & wait; echo waited
seq 1 2000 | sort -rn | head -1
dd if=/dev/zero of=z bs=1k count=128 2>/dev/null; wc -c < z | tr -d ' '
du -s z | cut -f1
md5sum z | cut -c1-8
time true 2>/dev/null; echo timed
ps | grep -q init && echo ps
echo 'echo from a script; exit 3' > s.sh; chmod +x s.sh; sh ./s.sh; echo $?
mkfifo p; (echo through > p &); cat p
[ "$(printf 'b\na\n' | sort | tr '\n' ' ')" = "a b " ] && echo sorted
cd /; rm -rf /tmp/daily; ls /tmp/daily 2>&1 | grep -o 'No such'
