# The files of /proc that every tool reads.
cd /proc
for f in cmdline cpuinfo filesystems loadavg meminfo mounts stat uptime version self/status self/stat self/statm self/maps self/cmdline self/environ \
	self/comm self/limits self/mountinfo self/io self/cgroup self/oom_score self/smaps self/auxv sys/kernel/hostname sys/kernel/pid_max sys/vm/overcommit_memory \
	sys/fs/file-nr sys/kernel/random/boot_id interrupts devices swaps vmstat; do
	cat $f > /dev/null 2>&1 || echo "cannot read $f"
done
[ "$(cat self/comm)" = cat ] && echo comm
sh -c '[ "$(sed -n "s/^Pid:.//p" /proc/$$/status)" = $$ ]' && echo pid
[ "$(readlink self/exe)" = /bin/busybox ] && echo exe
cd /tmp; [ "$(readlink /proc/$$/cwd)" = /tmp ] && echo cwd
tr '\0' '\n' < /proc/$$/cmdline | head -1
ls /proc/$$/fd 2>/dev/null | head -2 | tr '\n' ' '; echo
ls -d /proc/1/task/1 /proc/self/ns/mnt
[ "$(cat /proc/sys/kernel/hostname)" = "$(hostname)" ] && echo hostname
printf renamed > /proc/$$/comm; cat /proc/$$/comm
a=$(cut -d. -f1 /proc/uptime); [ "$a" -ge 0 ] && echo uptime
grep -q ' /proc proc ' /proc/mounts && echo mounts
awk '/^MemTotal/ { t = $2 } /^MemFree/ { f = $2 } END { if (f > 0 && t > f) print "memory" }' /proc/meminfo
echo x > /proc/version 2>/dev/null || echo "version is not written"
cat /proc/999999/status 2>/dev/null || echo "no such process"
