#!/.vm/busybox sh
# Process 1 of the machine: mounts the usual file systems, runs /out/command on the port in the kernel's command line, writes its
# status to /out/status, and ends the machine.
b=/.vm/busybox
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C

mounted() { # TYPE SOURCE FOLDER: some kernels lack some.
    $b mkdir -p "$3" 2>/dev/null
    $b mount -t "$1" "$2" "$3" 2>/dev/null
}
mounted tmpfs tmp /tmp
mounted tmpfs run /run
mounted cgroup2 cgroup2 /sys/fs/cgroup
mounted debugfs debugfs /sys/kernel/debug
mounted tracefs tracefs /sys/kernel/tracing
mounted bpf bpf /sys/fs/bpf
mounted securityfs securityfs /sys/kernel/security
mounted configfs configfs /sys/kernel/config
mounted devpts devpts /dev/pts
mounted tmpfs shm /dev/shm
$b chmod 1777 /tmp
$b mkdir -p /run/netns /var/run /var/tmp
$b ln -sf /proc/self/fd /dev/fd
$b ln -sf /proc/self/fd/0 /dev/stdin
$b ln -sf /proc/self/fd/1 /dev/stdout
$b ln -sf /proc/self/fd/2 /dev/stderr

shared() { # TAG FOLDER OPTIONS
    $b mkdir -p "$2"
    $b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,$3 "$1" "$2"
}
shared out /out cache=none
modules=/lib/modules/$($b uname -r)
shared modules "$modules" ro,cache=loose
while read -r tag folder; do
    shared "$tag" "$folder" ro,cache=loose
done </out/shares

# Nodes such as /dev/net/tun. Opening them loads their modules.
while read -r module name numbers; do
    case $module in '#'*) continue ;; esac
    case $name in */*) $b mkdir -p "/dev/${name%/*}" ;; esac
    type=${numbers%%[0-9]*}
    numbers=${numbers#?}
    $b mknod "/dev/$name" "$type" "${numbers%:*}" "${numbers#*:}" 2>/dev/null
done <"$modules/modules.devname"

$b hostname vm
$b ip link set lo up

# Not busybox's shell: it prefers its own ip and tc to the real ones.
if [ -e /out/interactive ]; then
    $b setsid -c /bin/sh /out/command </dev/$port >/dev/$port 2>&1
else
    $b stty -F /dev/$port -onlcr
    $b setsid /bin/sh /out/command </dev/null >/dev/$port 2>&1
fi
echo $? >/out/status
$b dmesg >/out/dmesg
$b sync
# Any byte written to the port that qemu watches ends it at once.
[ -c /dev/port ] && $b printf '\000' | $b dd of=/dev/port bs=1 seek=244 2>/dev/null
$b poweroff -f
