#!/bin/bash
# SPDX-License-Identifier: MIT
# A first hour on the network, over loopback: ip, ss, ping, nc, curl, wget, nginx, python, ssh, scp, tcpdump, apt.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C; cd /tmp; ip link set lo up
listens() { for i in $(seq 200); do ss -Htln "sport = :$1" | grep -q . && return; sleep 0.1; done; echo "nobody listens at $1"; }
ip -o addr show lo | sed 's/ *\\.*//'; ip route get 127.0.0.1 | head -1; ip -6 route get ::1 | grep -o 'dev lo'; ip neigh show dev lo; ip rule
ping -c2 -i0.2 127.0.0.1 | grep -o '.*loss'; ping -c1 ::1 | grep -o '.*loss'
(nc -l 127.0.0.1 7000 | tr a-z A-Z) & listens 7000; ss -Htln 'sport = :7000' | awk '{ print $1, $4, $5 }'; echo over tcp | nc -N 127.0.0.1 7000; wait
nc -6 -l ::1 7001 & listens 7001; ss -H6tln 'sport = :7001' | awk '{ print $1, $4, $5 }'; echo over six | nc -6 -N ::1 7001; wait
head -c 3000000 /dev/urandom > big; mkdir www; mv big www; echo hello > www/index.html; sum=$(sha256sum < www/big)
(cd www; exec python3 -m http.server 8000 --bind :: > /dev/null 2>&1) & server=$!; listens 8000
curl -s http://127.0.0.1:8000/; curl -s http://[::1]:8000/; wget -qO- http://localhost:8000/; curl -s http://127.0.0.1:8000/none -o /dev/null -w '%{http_code}\n'
test "$(curl -s http://127.0.0.1:8000/big | sha256sum)" = "$sum"; echo whole $?; ss -tnp state established '( sport = :8000 )' | wc -l; kill $server; wait $server 2> /dev/null
printf 'pid /tmp/nginx.pid; error_log /tmp/nginx.log; events {} http { access_log off; sendfile on; server { listen 8080; listen [::]:8080; root /tmp/www; } }' > nginx.conf; chmod 755 /tmp/www; nginx -c /tmp/nginx.conf; listens 8080
curl -s http://127.0.0.1:8080/; test "$(curl -s http://[::1]:8080/big | sha256sum)" = "$sum"; echo sendfile $?; curl -s -r 10-19 http://127.0.0.1:8080/big | wc -c; nginx -c /tmp/nginx.conf -s quit 2> /dev/null
cat > a.py <<'P'
import asyncio, socket
async def serve(r, w): w.write((await r.read()).upper()); await w.drain(); w.close()
async def ask(i):
    r, w = await asyncio.open_connection("127.0.0.1", 9000); w.write(b"m%d" % i); w.write_eof(); d = await r.read(); w.close(); return d
async def main():
    s = await asyncio.start_server(serve, "127.0.0.1", 9000, backlog=200); print(sorted(await asyncio.gather(*map(ask, range(100))))[-1])
asyncio.run(main()); u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); u.bind(("::", 0)); v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
v.sendto(b"mapped", ("127.0.0.1", u.getsockname()[1])); d, a = u.recvfrom(100); print(d, a[0]); print(sorted({i[4][0] for i in socket.getaddrinfo("localhost", 80)}))
P
python3 a.py
mkdir -p /run/sshd ~/.ssh; chmod 700 ~/.ssh; ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519; cp ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys; ls /etc/ssh/ssh_host_*_key > /dev/null 2>&1 || ssh-keygen -A > /dev/null; /usr/sbin/sshd -p 2222; listens 2222
o='-q -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'; ssh $o -p 2222 127.0.0.1 'echo over ssh; cat' < www/index.html; scp $o -P 2222 www/big 127.0.0.1:/tmp/copy; test "$(sha256sum < copy)" = "$sum"; echo scp $?
timeout 60 tcpdump -n -t -i lo -c 2 icmp > dump 2> dump.err & for i in $(seq 300); do grep -q listening dump.err && break; sleep 0.1; done; ping -c1 127.0.0.1 > /dev/null; wait $!; sed 's/id [0-9]*/id N/' dump
mkdir -p b/DEBIAN b/usr/bin repo; printf 'Package: far\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@b>\nDescription: test\n' > b/DEBIAN/control; printf '#!/bin/sh\necho from afar\n' > b/usr/bin/far; chmod 755 b/usr/bin/far; dpkg-deb --root-owner-group -b b repo/far_1.0_all.deb > /dev/null; (cd repo; dpkg-scanpackages -m . > Packages 2> /dev/null; exec python3 -m http.server 8001 > /dev/null 2>&1) & server=$!; listens 8001
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*; echo 'deb [trusted=yes] http://127.0.0.1:8001/ ./' > /etc/apt/sources.list; q='-qq -o Dpkg::Use-Pty=0'; apt-get $q update; echo update $?; apt-get $q -y install far > /dev/null 2>&1; far; apt-get $q -y purge far > /dev/null 2>&1; rm -rf repo b; kill $server; killall -wq sshd nginx; exit 0
