#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The driver binds by its PCI ID, creates its auxiliary devices, and removes everything when it is unloaded,
# with runtime PM allowed. CYCLES: how often it is unloaded (5). UNBINDS: how often it is unbound (2) in each
# situation: while its devices are read, armed, in bench mode, and in a recovery.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

MODULES="qs1_ivshmem qs1_iio qs1_gpio qs1_pwm qs1_hwmon qs1_core"
LOADED=qs1_ivshmem
UDEV="systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-udevd.service"
CYCLES=${CYCLES:-5}
UNBINDS=${UNBINDS:-2}

ATTRIBUTES="qs1_layout_version firmware_version state status_flags telemetry_ticks fault_flags_active
fault_flags_latched fault_count/GFDI enter_service_remaining_s power_limit_in_force_w armed bench command_result
heartbeat coproc_crashes wave_lost event_log"

loaded()
{
	[ -e "/sys/module/$1" ]
}

all_loaded()
{
	for module in $MODULES; do
		loaded "$module" || {
			echo "$module is not loaded"
			return 1
		}
	done
}

all_present()
{
	[ -n "$(board)" ] && [ -n "$(iio qs1-meter)" ] && [ -n "$(iio qs1-wave)" ] &&
		[ -n "$(rproc)" ] && [ -e /sys/class/leds/qs1:red:fault ] && firmware_running
}

nothing_present()
{
	[ -z "$(board)$(iio qs1-meter)$(iio qs1-wave)$(rproc)" ] &&
		[ ! -e /sys/class/leds/qs1:red:fault ] && ! loaded qs1_core
}

alias_matches()
{
	modinfo -F alias qs1_ivshmem | grep -qx 'pci:v00001AF4d00001110sv\*sd\*bc\*sc\*i\*' || {
		echo "aliases of qs1_ivshmem: $(modinfo -F alias qs1_ivshmem)"
		return 1
	}
}

children_bound()
{
	for child in "$(board)"/qs1.iio.* "$(board)"/qs1.gpio.* "$(board)"/qs1.pwm.* "$(board)"/qs1.hwmon.*; do
		[ -e "$child/driver" ] || {
			echo "$child has no driver"
			return 1
		}
	done
}

attributes_readable()
{
	for attribute in $ATTRIBUTES; do
		cat "$(board)/$attribute" >/dev/null || return 1
	done
}

# udev may still be processing old events, and would load the modules again. After many devices were added
# and removed, that takes minutes on a slow board.
SETTLE_S=600
unload()
{
	[ "$LOADED" = "$MODULES" ] || ! command -v udevadm >/dev/null ||
		udevadm settle --timeout="$SETTLE_S"
	# shellcheck disable=SC2086 # a list
	modprobe -r $MODULES || return 1
	nothing_present || {
		echo "left after unloading: $(board) $(iio qs1-meter) $(iio qs1-wave) $(rproc)"
		return 1
	}
}

load()
{
	# shellcheck disable=SC2086 # a list
	modprobe -a $LOADED || return 1
	wait_for 15 all_present || {
		echo "not back after loading: $(new_log | tail -n 5)"
		return 1
	}
	put auto "$(board)/power/control"
}

cycle()
{
	unload && load
}

# by_name COMMAND...: run it with modules loaded by name, and udev stopped. udev, which loads them by alias,
# would take longer for each device than all the rest.
by_name()
{
	# shellcheck disable=SC2086 # a list
	! command -v udevadm >/dev/null || systemctl --quiet stop $UDEV
	LOADED=$MODULES
	"$@"
	by_name_result=$?
	# shellcheck disable=SC2086 # a list
	! command -v udevadm >/dev/null || systemctl --quiet start $UDEV
	return "$by_name_result"
}

# One process reads the stream, another one keeps the meter's device open.
start_readers()
{
	wave=$(iio qs1-wave)
	select_all 1
	echo 4096 >"$wave/buffer/length"
	echo 1 >"$wave/buffer/enable"
	cat "/dev/${wave##*/}" >/dev/null 2>&1 &
	wave_reader=$!
	# shellcheck disable=SC2217 # it keeps the device open, and does not read
	sleep 100 <"/dev/$(basename "$(iio qs1-meter)")" &
	meter_reader=$!
	sleep 0.5
}

unbind_while_read()
{
	device=$(basename "$(board)")
	start_readers
	echo "$device" >"$QS1_DRIVER/unbind" || return 1
	# Its read ends with an error, without a signal.
	wait_for 15 reader_ended || {
		echo "reader $wave_reader still reads after its device went"
		kill "$wave_reader" "$meter_reader"
		return 1
	}
	kill "$meter_reader"
	wait 2>/dev/null
	[ -z "$(rproc)" ] || return 1
	bind_again
}

bind_again()
{
	put "$device" "$QS1_DRIVER/bind" && wait_for 15 all_present &&
		put auto "$(board)/power/control"
}

in_shutdown()
{
	[ "$(cat "$(board)/state")" = shutdown ]
}

arm()
{
	put x "$(board)/heartbeat" && put 1 "$(board)/armed"
}

# A slow board may be too late for its own heartbeat.
try_bench()
{
	put x "$(board)/heartbeat" && put 1 "$(board)/bench"
}

enter_bench()
{
	put 0 "$(board)/armed" && wait_for 20 in_shutdown && { wait_for 20 try_bench || try_bench; }
}

# The udev rule runs at the event "bind": before it the attributes do not exist.
granted()
{
	[ "$(stat -c %G-%a "$(board)/armed")" = qs1-664 ] &&
		[ "$(stat -c %G-%a "$(board)/clear_fault")" = qs1-220 ] &&
		[ "$(stat -c %G-%a "$(board)/heartbeat")" = qs1-664 ] &&
		[ "$(stat -c %G-%a "$(board)/params/uv1_v_pu")" = qs1-664 ]
}

group_of_qs1d_may_write()
{
	unbind_after arm || return 1
	wait_for 60 granted || {
		ls -l "$(board)/armed" "$(board)/clear_fault" "$(board)/heartbeat" "$(board)/params/uv1_v_pu"
		return 1
	}
}

# A different delay each time, to hit different moments of the recovery.
crash()
{
	put trap "$(echo /sys/kernel/debug/qs1-*/crash)" && sleep "0.$((repeat_left % 7))"
}

# unbind_after COMMAND
unbind_after()
{
	device=$(basename "$(board)")
	"$@" && put "$device" "$QS1_DRIVER/unbind" && bind_again
}

reader_ended()
{
	! kill -0 "$wave_reader" 2>/dev/null
}

pause_service
expect_log 'firmware crashed'
plan 13
check "all modules are loaded" all_loaded
check "the module has the device's PCI alias" alias_matches
check "firmware runs and all devices are there" wait_for 15 all_present
check "all children are bound" children_bound
check "all attributes can be read" attributes_readable
check "$UNBINDS times unbound with open readers, and bound again" \
	leaks_nothing "$UNBINDS" unbind_while_read
check "after binding, qs1d's group may write qs1d's attributes" group_of_qs1d_may_write
check "$UNBINDS times unbound armed" leaks_nothing "$UNBINDS" unbind_after arm
check "$UNBINDS times unbound in bench mode" leaks_nothing "$UNBINDS" unbind_after enter_bench
check "$UNBINDS times unbound in a recovery" leaks_nothing "$UNBINDS" unbind_after crash
check "unloaded, and loaded by the device's alias" cycle
check "$CYCLES times unloaded and loaded" by_name leaks_nothing "$CYCLES" cycle
check "no warning in the kernel's log" log_is_clean
finish
