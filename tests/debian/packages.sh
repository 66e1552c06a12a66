#!/bin/bash
# SPDX-License-Identifier: MIT
# dpkg and apt: a package is built, put into a local repository, installed, upgraded, removed.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C SOURCE_DATE_EPOCH=1000000000; cd /tmp; rm -rf repo b; mkdir repo
pkg() { mkdir -p b/DEBIAN b/usr/bin b/etc; printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: A <a@b>\nDepends: %s\nDescription: test\n' $1 $2 "$3" > b/DEBIAN/control; printf '#!/bin/sh\necho %s %s\n' $1 $2 > b/usr/bin/$1; chmod 755 b/usr/bin/$1; echo conf > b/etc/$1.conf; echo /etc/$1.conf > b/DEBIAN/conffiles; printf '#!/bin/sh\necho postinst $1\n' > b/DEBIAN/postinst; chmod 755 b/DEBIAN/postinst; dpkg-deb --root-owner-group -b b repo/$1_$2_all.deb; rm -r b; }
pkg lower 1.0 dpkg; pkg upper 1.0 'lower (>= 1.0)'; (cd repo; dpkg-scanpackages -m . > Packages 2>/dev/null; grep -c ^Package: Packages)
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*; echo 'deb [trusted=yes] file:/tmp/repo ./' > /etc/apt/sources.list; o='-qq -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0'
apt-get $o update; echo update $?; apt-cache policy upper | sed -n 2,3p; apt-get $o -y install upper 2>&1 | grep -v 'Reading database'; upper; lower; dpkg -s upper | grep Status; dpkg -L lower | grep bin/; dpkg -S /usr/bin/lower
pkg lower 2.0 dpkg; (cd repo; dpkg-scanpackages -m . > Packages 2>/dev/null); apt-get $o update; apt-get $o -y upgrade 2>&1 | grep -v 'Reading database'; lower; dpkg --verify lower; echo verify $?; apt-get $o -y purge lower 2>&1 | grep -v 'Reading database'; dpkg -s upper 2>&1 | head -1 | cut -c1-20; ls /etc/lower.conf 2>&1 | grep -o 'No such'; dpkg -i repo/upper_1.0_all.deb 2>&1 | grep -c 'depends on lower'; dpkg --audit | wc -l | grep -c .
apt-get $o -y purge upper lower > /dev/null 2>&1; dpkg -P upper lower > /dev/null 2>&1; rm -rf repo      # what comes after it finds a sound database
