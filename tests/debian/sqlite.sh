#!/bin/bash
# SPDX-License-Identifier: MIT
# sqlite3: transactions, rollback, the write-ahead log with two connections, integrity, locks between processes.
cd /tmp; sqlite3 t.db <<'Q'
create table a(id integer primary key, x text); create index ax on a(x);
begin; with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) insert into a select i, printf('row %06d', i * 7919 % 20000) from n; commit;
select count(*), max(x) from a; begin; delete from a; select count(*) from a; rollback; select count(*) from a; pragma integrity_check; pragma journal_mode = wal; insert into a(x) values('wal'); select count(*) from a; vacuum; pragma page_count;
Q
for i in 1 2 3 4; do (for j in $(seq 20); do sqlite3 -cmd '.timeout 60000' t.db "insert into a(x) values('p$i-$j')"; done) & done; wait; sqlite3 t.db "select count(*) from a where x like 'p%'; pragma wal_checkpoint(truncate); pragma integrity_check;"
(sqlite3 t.db 'pragma journal_mode = delete; begin exclusive;' '.shell touch held; while [ ! -e seen ]; do sleep 0.01; done' 'commit;') & while [ ! -e held ]; do sleep 0.01; done; sqlite3 t.db 'insert into a(x) values(1)' 2>&1 | grep -o 'database is locked'; touch seen; wait
sqlite3 t.db 'select x from a order by x' | md5sum; sqlite3 :memory: "select group_concat(value) from json_each('[1,2,3]')"
