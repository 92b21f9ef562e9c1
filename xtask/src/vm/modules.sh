#!/bin/sh
# Builds modules that Debian lacks, with its headers: RELEASE SOURCE COMPILER. Runs in its own root directory with
# headers, compiler and the parts of the source; puts the modules into /modules. A module that does not build is reported.
release=$1 source=$2 compiler=$3
headers=/usr/src/linux-headers-$release
symbols=
mkdir -p /modules /build
# Otherwise pahole is needed.
rm -f "$headers/vmlinux"

configured() {
    grep -q "^CONFIG_$1=" "$headers/.config"
}

build() { # NAME FOLDER OPTIONS [FILE]: the modules of a folder with its makefile, or one file of it.
    name=$1 folder=$source/$2 options=$3 file=${4-}
    if [ ! -e "$folder/${file:+$file.c}" ]; then
        echo "$name: not in this version"
        return
    fi
    if [ -n "$file" ]; then
        mkdir "/build/$name"
        cp "$folder"/*.[ch] "/build/$name/"
        echo "obj-m += $file.o" >"/build/$name/Makefile"
    else
        cp -r "$folder" "/build/$name"
    fi
    flags="-I$folder -Wno-error" settings=
    for option in $options; do
        flags="$flags -DCONFIG_${option}_MODULE=1" settings="$settings CONFIG_$option=m"
    done
    # shellcheck disable=SC2086 # several settings
    if make -s -C "$headers" "M=/build/$name" "CC=$compiler" $settings "KCFLAGS=$flags" \
        "KBUILD_EXTRA_SYMBOLS=$symbols" KBUILD_MODPOST_WARN= \
        modules >"/build/$name.log" 2>&1; then
        symbols="$symbols /build/$name/Module.symvers"
        find "/build/$name" -name '*.ko' -exec strip --strip-debug {} + -exec cp {} /modules/ \;
        echo "$name: built"
    else
        echo "$name: does not build"
        grep -E 'error|ERROR|undefined|not found' "/build/$name.log" | head -n 5
    fi
}

configured PTP_1588_CLOCK_MOCK || build ptp_mock drivers/ptp PTP_1588_CLOCK_MOCK ptp_mock
build netdevsim drivers/net/netdevsim NETDEVSIM
configured AMT || build amt drivers/net AMT amt
configured BAREUDP || build bareudp drivers/net BAREUDP bareudp
configured HSR || build hsr net/hsr HSR
configured PFCP || build pfcp drivers/net PFCP pfcp
configured RMNET || build rmnet drivers/net/ethernet/qualcomm/rmnet RMNET
configured WWAN_HWSIM || build wwan_hwsim drivers/net/wwan WWAN_HWSIM wwan_hwsim
configured RDMA_SIW || build siw drivers/infiniband/sw/siw RDMA_SIW
configured VHOST_RING || build vringh drivers/vhost VHOST_RING vringh
configured VDPA || build vdpa drivers/vdpa VDPA vdpa
configured VDPA_SIM || build vdpa_sim drivers/vdpa/vdpa_sim "VDPA_SIM VDPA_SIM_NET VDPA_SIM_BLOCK"
configured NETFILTER_NETLINK_HOOK || build nfnetlink_hook net/netfilter NETFILTER_NETLINK_HOOK nfnetlink_hook
configured XDP_SOCKETS_DIAG || build xsk_diag net/xdp XDP_SOCKETS_DIAG xsk_diag
configured XFRM_IPTFS || build xfrm_iptfs net/xfrm XFRM_IPTFS xfrm_iptfs
