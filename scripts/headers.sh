# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Debian's kernel headers for $BOARD_ARCH, made usable on this machine; sourced by scripts/kernel and
# scripts/driver-matrix after lib.sh.
#
# Debian's programs for the module build are used in their armhf (arm64) version, through user-mode
# emulation, and not in the amd64 one: modpost there was compiled with 64-bit device table sizes and
# refuses (or gets wrong) the tables of a 32-bit module.

# The kernel's flavour, the emulator of its programs, their loader, and the word size.
case $BOARD_ARCH in
armhf) FLAVOUR=armmp EMULATOR=qemu-arm-static LOADER=ld-linux-armhf.so.3 WORD=32 ;;
arm64) FLAVOUR=arm64 EMULATOR=qemu-aarch64-static LOADER=ld-linux-aarch64.so.1 WORD=64 ;;
*) die "no kernel is known for $BOARD_ARCH" ;;
esac

# Programs of linux-kbuild that a module build runs, and the file that does the work. Not every
# release has each.
BUILD_PROGRAMS="basic/fixdep:basic/fixdep
genksyms/genksyms:genksyms/genksyms
mod/modpost:mod/modpost.real-lsb-$WORD
recordmcount:recordmcount"

# find_kernel SUITE: sets version, abi and release to those of the suite's newest kernel of the flavour;
# fails when the suite has none.
find_kernel()
{
	local record
	record=$(scripts/apt.sh show "$1" "linux-headers-$FLAVOUR") || return
	version=$(sed -n 's/^Version: //p' <<<"$record")
	abi=$(sed -n 's/^Depends: .*linux-headers-\([^ ]*\).*/\1/p' <<<"$record")
	release=${abi%-"$FLAVOUR"}
	if [ -z "$version" ] || [ "$release" = "$abi" ]; then
		die "linux-headers-$FLAVOUR $version names no kernel ending in -$FLAVOUR, but '$abi'"
	fi
}

# fetch_headers SUITE DIR: the packages of the kernel that find_kernel found.
fetch_headers()
{
	local kbuild
	kbuild=$(scripts/apt.sh show "$1" "linux-headers-$abi" |
		sed -n 's/^Depends:.* \(linux-kbuild-[^ ,]*\).*/\1/p')
	scripts/apt.sh fetch "$1" "$2" "linux-headers-$abi=$version" \
		"linux-headers-$release-common=$version" "$kbuild=$version"
	# The backports suite has no C library.
	scripts/apt.sh fetch "${1%-backports}" "$2" libc6 libgcc-s1
}

# Replace each build program by a shell wrapper that runs it under user-mode emulation. Make needs
# one file name for each, hence files and not command lines.
wrap_programs()
{
	local root=$1 final=$2 scripts name real
	scripts=$(cd "$root" && echo usr/lib/linux-kbuild-*/scripts)
	while IFS=: read -r name real; do
		[ -e "$root/$scripts/$real" ] || continue
		mv "$root/$scripts/$real" "$root/$scripts/$name.armhf"
		cat >"$root/$scripts/$name" <<-END
			#!/bin/sh
			exec $EMULATOR -L "$final" "$final/$scripts/$name.armhf" "\$@"
		END
		chmod +x "$root/$scripts/$name"
	done <<<"$BUILD_PROGRAMS"
}

# unpack_headers FOLDER FINAL DEB...: into FOLDER/root, with a link FOLDER/headers to the build tree
# for make -C; the folder will be named FINAL.
unpack_headers()
{
	local folder=$1 root=$1/root final=$2/root
	shift 2
	mkdir "$root"
	unpack_debs "$root" "$@"
	[ -e "$root/lib/$LOADER" ] || die "no C library in $root"
	wrap_programs "$root" "$final"
	sed -i "s|/usr/src/linux-headers|$final&|g; s|/usr/lib/linux-kbuild|$final&|g" \
		"$root/usr/src/linux-headers-$abi/Makefile"
	ln -s "root/usr/src/linux-headers-$abi" "$folder/headers"
}
