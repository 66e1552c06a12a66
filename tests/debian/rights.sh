#!/bin/bash
# SPDX-License-Identifier: MIT
# File capabilities (libcap2-bin), a logger that stamps messages by the kernel's time (rsyslog), a sandbox with message queues of its own (bubblewrap).
user="setpriv --reuid 1000 --regid 1000 --clear-groups"
mkdir -p /opt/r && cd /opt/r || exit 1
cp /usr/bin/nice n; cp /usr/bin/head h; cp /usr/bin/id i
$user ./n -n -5 nice 2>&1; setcap cap_sys_nice+ep n; getcap n; $user ./n -n -5 nice
$user ./h -c 4 /etc/shadow 2>&1; setcap cap_dac_read_search+ep h; $user ./h -c 4 /etc/shadow; echo
setcap cap_net_raw,cap_net_admin+eip i; getcap i; setpriv --bounding-set -net_raw $user ./i -u 2>&1; $user ./i -u
$user --no-new-privs ./n -n -5 nice 2>&1; setcap -r n; getcap n; $user ./n -n -5 nice 2>&1
printf '%s\n' 'module(load="imuxsock")' 'template(name="t" type="string" string="%programname%:%msg%\n")' '*.* action(type="omfile" file="/opt/r/log" template="t")' > conf
rsyslogd -n -iNONE -f conf 2>&1 & d=$!
for _ in $(seq 600); do [ -S /dev/log ] && break; sleep 0.1; done
logger -t seen one; logger -t seen two
for _ in $(seq 600); do [ "$(grep -c ^seen log 2>/dev/null)" = 2 ] && break; sleep 0.1; done
grep ^seen log; kill $d; wait $d; echo $?
mkdir -p /opt/r/q; mount -t mqueue q /opt/r/q && touch q/mine && ls q
bwrap --dev-bind / / --unshare-ipc --mqueue /opt/r/q sh -c 'ls q | wc -l; touch q/other; ls q; findmnt -n -o FSTYPE /opt/r/q'
ls q; umount q; $user bwrap --dev-bind / / --unshare-user --unshare-ipc --mqueue /mnt sh -c 'touch /mnt/theirs && ls /mnt'
