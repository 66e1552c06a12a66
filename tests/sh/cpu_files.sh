# What the machine says of itself.
grep -c '^processor' /proc/cpuinfo | sed "s/^$(nproc)$/cpus agree/"
for f in /sys/devices/system/cpu/vulnerabilities/*; do
	case "$(cat $f)" in
	"Not affected"|Mitigation*|Vulnerable*|Unknown*) ;;
	*) echo "$f: $(cat $f)" ;;
	esac
done
[ -e /sys/devices/system/cpu/vulnerabilities/meltdown ] && echo vulnerabilities
grep -q '^flags.*lm' /proc/cpuinfo && echo flags
uname -s
uname -m
[ "$(cat /proc/sys/kernel/ostype)" = Linux ] && echo ostype
case "$(uname -r)" in 7.*) echo release;; esac
