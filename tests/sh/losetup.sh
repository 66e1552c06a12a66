# busybox's losetup binds a file, shows it and lets go of it.
cd /tmp
dd if=/dev/zero of=disk.img bs=1k count=64 2>/dev/null
printf hello | dd of=disk.img bs=1 seek=1024 conv=notrunc 2>/dev/null
d=$(losetup -f)
losetup $d disk.img && losetup -a | sed "s,$d,DEV,"
cat /sys/block/${d#/dev/}/size /sys/block/${d#/dev/}/loop/backing_file
losetup -d $d; cat /sys/block/${d#/dev/}/size
losetup -r -o 1024 $d disk.img; head -c 5 $d; echo; cat /sys/block/${d#/dev/}/ro
echo x 2>/dev/null > $d || echo "not written"
losetup -d $d
losetup -d $d 2>/dev/null || echo "not bound"
grep " loop" /proc/devices
rm disk.img
