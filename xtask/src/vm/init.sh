#!/bin/busybox sh
# The first program of the machine, in the boot archive: mounts the root file system, read-only below a layer in memory,
# and continues there.
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
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /system
$b mkdir /system/.vm
$b cp /main /bin/busybox /system/.vm/
for folder in dev proc sys; do
    $b mount -o move /$folder /system/$folder
done
exec $b switch_root /system /.vm/main
