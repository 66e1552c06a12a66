# Pipes, here-documents, substitution, traps and exit statuses, as a shell uses them.
printf 'c\na\nb\n' | sort | tr a-z A-Z
cat <<END
here $((6 * 7))
END
x=$(echo one; echo two)
echo "$x" | wc -l | tr -d ' '
(exit 3); echo "status $?"
sh -c "kill -KILL \$\$" 2>/dev/null; echo "killed $?"
trap 'echo trapped' USR1
kill -USR1 $$
echo done > file && cat < file && rm file
[ -e file ] || echo gone
