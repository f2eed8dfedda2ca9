#!/bin/sh
# Tries the V4L2 camera and the v4l2loopback output on a real kernel: boots Debian's own in QEMU with a simulated camera
# (vivid) and v4l2loopback, and runs scripts/v4l2_check.py in it, with this machine's files mounted read-only.
# Not part of ./test.sh. Needs Debian, root (or sudo), qemu-system-x86, busybox-static, kmod, cpio, v4l-utils, gcc and make; downloads
# the kernel (about 80 MB) into the folder given, or into one that is removed again:
#   scripts/v4l2_qemu.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
repository=$PWD
python=${PYTHON:-$repository/.venv/bin/python}
work=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work" && cd "$work" && work=$PWD

if ! [ -d root ]; then
    image=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    version=${image#linux-image-}
    common=linux-headers-${version%-amd64}-common
    kbuild=$(apt-cache depends "linux-headers-$version" | sed -n 's/.*Depends: \(linux-kbuild-[0-9.]*\)/\1/p' | head -n 1)
    apt-get download -qq "$image" "linux-headers-$version" "$common" "$kbuild" v4l2loopback-dkms
    for package in *.deb; do dpkg-deb -x "$package" root; done
fi
version=$(ls root/lib/modules | head -n 1)

if ! [ -d modules ]; then
    # The headers name each other by absolute paths below /usr.
    headers=root/usr/src/linux-headers-$version
    find "$headers" -maxdepth 1 -name Makefile -exec sed -i "s|include /usr/src|include $work/root/usr/src|" {} +
    ln -sfn "$work"/root/usr/lib/linux-kbuild-*/scripts "$headers/scripts"
    ln -sfn "$work"/root/usr/lib/linux-kbuild-*/tools "$headers/tools"
    rm -rf module && cp -r root/usr/src/v4l2loopback-* module
    make -s -C "$headers" M="$work/module" CC=gcc modules >make.log 2>&1 || { tail make.log; exit 1; }
    cp module/v4l2loopback.ko "root/lib/modules/$version/"
    /sbin/depmod -b root "$version"
    for name in virtio_pci 9p 9pnet_virtio vivid v4l2loopback; do
        /sbin/modprobe -d root -S "$version" --show-depends "$name"
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >order
    mkdir modules && xargs -a order cp -t modules
fi

mkdir -p initramfs/bin initramfs/modules initramfs/host
cp "$(command -v busybox)" initramfs/bin/busybox
cp modules/* initramfs/modules/
{
    cat <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc && mount -t proc proc /proc
load() { insmod "/modules/$1" $2 || echo "cannot load $1"; }
INIT
    sed 's|.*/||' order | while read -r module; do
        case $module in
        vivid.ko) echo "load $module 'n_devs=1 node_types=0x1'" ;;
        v4l2loopback.ko) echo "load $module 'video_nr=9 exclusive_caps=1 card_label=clearcall'" ;;
        *) echo "load $module" ;;
        esac
    done
    cat <<INIT
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=1048576 host /host
mount -t devtmpfs dev /host/dev && mount -t proc proc /host/proc && mount -t sysfs sys /host/sys
mount -t tmpfs -o mode=755 run /host/run
chroot /host /usr/bin/env HOME="$HOME" PATH="$PATH" PYTHONPATH="$repository${PYTHONPATH:+:$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1 TMPDIR=/run \\
    XDG_RUNTIME_DIR=/run LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" sh -c 'cd "$repository" && "$python" scripts/v4l2_check.py'
echo "exit status \$?"
poweroff -f
INIT
} >initramfs/init
sed -i 's|^/bin/busybox --install|mkdir -p /bin; &|' initramfs/init
chmod +x initramfs/init
(cd initramfs && find . | cpio -o -H newc --quiet | gzip -1) >initramfs.gz

[ -w /dev/kvm ] && accelerator=kvm || accelerator=tcg
# A virtual machine's own KVM may hang: ACCELERATOR=tcg then does without, ten times slower.
accelerator=${ACCELERATOR:-$accelerator}
[ "$accelerator" = kvm ] && cpu=max,arch-capabilities=off || cpu=max
timeout 500 qemu-system-x86_64 -machine "q35,accel=$accelerator" -cpu "$cpu" -smp 2 -m 2048 -display none -monitor none \
    -serial stdio -no-reboot -nic none -kernel "root/boot/vmlinuz-$version" -initrd initramfs.gz \
    -append "console=ttyS0 quiet panic=-1" \
    -fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
    -device virtio-9p-pci,fsdev=host,mount_tag=host </dev/null | tee console.log
grep -q '^exit status 0' console.log
