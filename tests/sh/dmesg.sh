# The kernel's messages.
dmesg | grep -c . | awk '{ print ($1 > 3) ? "messages" : $1 }'
echo "<4>hello from a test $$" > /dev/kmsg
dmesg | grep -o "hello from a test $$" | sed "s/$$/PID/"
dmesg -n 1 && echo level
dmesg -n 4
dmesg -c > /dev/null && dmesg | grep -c . 
true
