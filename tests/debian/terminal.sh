#!/bin/bash
# SPDX-License-Identifier: MIT
# tmux, vim, less and script, each with a terminal of its own.
mkdir /tmp/terminal; cd /tmp/terminal; export TERM=xterm LC_ALL=C.UTF-8 SHELL=/bin/sh
until_true() { for i in $(seq 2000); do "$@" > /dev/null 2>&1 && return; sleep 0.02; done; echo "never: $*"; }
shows() { tmux capture-pane -p | grep -q "$1"; }
tmux -f /dev/null new-session -d -x 80 -y 24 'PS1="ready: " sh'; until_true shows ready; tmux send-keys 'stty size > size; echo done > one' Enter; until_true test -s one; cat size
tmux split-window -h 'PS1="ready: " sh'; until_true shows ready; tmux send-keys 'stty size > size2; tty > /dev/null && echo done > two' Enter; until_true test -s two; cat size2; tmux list-panes | wc -l
tmux send-keys 'sleep 1000' Enter; until_true pgrep -x sleep; tmux send-keys C-c; until_true eval '! pgrep -x sleep'; tmux send-keys 'echo status $? > three' Enter; until_true test -s three; cat three
# A pane that changed within the last quarter of a second hears of the next change when that is over (tmux does so).
tmux resize-window -x 100 -y 40; tmux send-keys 'clear; while stty size | grep -q ^24; do sleep 0.02; done; stty size > four' Enter; until_true test -s four; cat four
tmux new-window 'vim -u NONE -N -i NONE text'; until_true shows '^~'; tmux send-keys 'ihello from vim' Escape; until_true shows '^hello from vim'; tmux send-keys ':wq' Enter; until_true test -s text; cat text; tmux kill-server; until_true eval '! pgrep tmux'
vim -es -u NONE -i NONE -c '%s/hello/HELLO/' -c 'normal Go2nd' -c wq text < /dev/null; cat text
script -qec 'stty -echo; printf "a\tb\n"; test -t 1 && echo a terminal; exit 3' /dev/null > out; echo script $?; tr -d '\r' < out
seq 100 | less -F -X | tail -1; expr 1 + 1
