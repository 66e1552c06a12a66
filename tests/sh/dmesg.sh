# The kernel's messages.
head -n 4 /dev/kmsg | grep -c .
echo "<4>hello from a test $$" > /dev/kmsg
dmesg | grep -o "hello from a test $$" | sed "s/$$/PID/"
dmesg -n 1 && echo level
dmesg -n 4
dmesg -c > /dev/null && dmesg | grep -c . 
true
