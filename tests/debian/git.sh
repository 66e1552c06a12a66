#!/bin/bash
# SPDX-License-Identifier: MIT
# git: commits, branches, merges, clone, gc, fsck, log, bisect, over a few hundred objects.
export HOME=/tmp/h GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000'
mkdir /tmp/h; cd /tmp; git config --global init.defaultBranch main; git config --global advice.detachedHead false; git init -q r; cd r
for i in $(seq 30); do mkdir -p d$((i % 5)); echo "content $i" > d$((i % 5))/f$i; echo $i >> log; git add -A; git commit -qm "commit $i"; done
git log --oneline | wc -l; git rev-parse HEAD; git checkout -q -b side HEAD~5; echo side > side; git add side; git commit -qm side; git checkout -q main; git merge -q --no-edit side; git rev-parse HEAD^{tree}
git clone -q . ../r2; cd ../r2; git gc -q; git fsck 2>&1 | grep -v '^Checking'; git count-objects -v | grep -E '^(count|packs)'; git status --short; echo x > d1/f1; git diff --stat; git stash -q; git status --short | wc -l; git stash pop -q; git checkout -q -- .
git log --graph --format=%s -n 5; git blame log | tail -1 | cut -c1-8 | wc -c; git tag v1; git describe --tags; git archive HEAD | tar t | wc -l; git grep -c 'content 7'; git rev-list --objects --all | wc -l
git bisect start HEAD HEAD~20 >/dev/null 2>&1; git bisect run sh -c '! grep -q "^20$" log' 2>&1 | grep -c 'first bad commit$'; git bisect reset -q 2>/dev/null; git clone -q --bare . ../b.git; git push -q ../b.git main:pushed; git --git-dir=../b.git branch | wc -l; git worktree add -q ../wt v1; ls ../wt | wc -l
