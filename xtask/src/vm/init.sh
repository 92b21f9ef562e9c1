#!/bin/busybox sh
# First program of the machine, in the archive it booted from: reaches the root file system, read-only below a
# layer in memory, and goes on there.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for module in /modules/*; do
    $b insmod "$module"
done
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose root /lower || {
    echo "no root file system"
    $b poweroff -f
}
$b mount -t tmpfs tmpfs /upper
$b mkdir /upper/files /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /root
$b mkdir /root/.vm
$b cp /main /bin/busybox /root/.vm/
for folder in dev proc sys; do
    $b mount -o move /$folder /root/$folder
done
exec $b switch_root /root /.vm/main
