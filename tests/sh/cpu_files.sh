# What the machine says of itself.
grep -c '^processor' /proc/cpuinfo | sed "s/^$(nproc)$/cpus agree/"
for f in /sys/devices/system/cpu/vulnerabilities/*; do
	case "$(cat $f)" in
	"Not affected"|Mitigation*|Vulnerable*|Unknown*) ;;
	*) echo "$f: $(cat $f)" ;;
	esac
done
[ -e /sys/devices/system/cpu/vulnerabilities/meltdown ] && echo vulnerabilities
case "$(uname -m)" in
x86_64) grep -q '^flags.*lm' /proc/cpuinfo && echo flags ;;
aarch64) grep -q '^Features.*asimd' /proc/cpuinfo && echo flags ;;
riscv64) grep -q '^isa.*: rv64ima' /proc/cpuinfo && echo flags ;;
loongarch64) grep -q '^Features.*cpucfg' /proc/cpuinfo && echo flags ;;
esac
uname -s
[ "$(cat /proc/sys/kernel/ostype)" = Linux ] && echo ostype
case "$(uname -r)" in 7.*) echo release;; esac
