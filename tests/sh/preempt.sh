# The model that was asked for is the one that runs.
asked=$(sed -n 's/.*preempt=\([a-z]*\).*/\1/p' /proc/cmdline)
mkdir -p /sys/kernel/debug
mount -t debugfs d /sys/kernel/debug 2>/dev/null
have=$(sed -n 's/.*(\([a-z]*\)).*/\1/p' /sys/kernel/debug/sched/preempt)
[ "$have" = "$asked" ] && echo same || echo "asked $asked, have $(cat /sys/kernel/debug/sched/preempt)"
umount /sys/kernel/debug
