#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The glue of real boards on the coprocessor of qs1_fake.ko: boots, stops, attaches
# and recoveries that fail, hang and race. To be run on a board whose device tree has
# qs1_fake.dtbo, in a folder with qs1_fake.ko and a qs1_pruss.ko that was built
# for PRUs. GLUE is carveout or pruss.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. /usr/lib/qs1/kselftest/tap.inc

GLUE=${GLUE:-carveout}
QS1_DRIVER=/sys/bus/platform/drivers/qs1-$GLUE
DEVICE=inverter-$GLUE
FAKE=/sys/kernel/debug/qs1-fake
cd "$(dirname "$0")" || exit 1

# knob NAME VALUE
knob()
{
	put "$2" "$FAKE/$1"
}

seen()
{
	cat "$FAKE/$1"
}

# fake_rproc: its folder
fake_rproc()
{
	for rproc_path in /sys/class/remoteproc/remoteproc*; do
		line_of "$rproc_path/name" && [ "$first_line" = qs1-fake ] && echo "$rproc_path"
	done
}

state_is()
{
	line_of "$(fake_rproc)/state" && [ "$first_line" = "$1" ]
}

# coprocessor STATE: there is one again, whose firmware is offline, running or detached
coprocessor()
{
	unbind_inverter
	! [ -e /sys/module/qs1_pruss ] || rmmod qs1_pruss
	! [ -e /sys/module/qs1_fake ] || rmmod qs1_fake
	insmod ./qs1_fake.ko begin="$1" && wait_for 10 state_is "$1" && insert_glue
}

insert_glue()
{
	case $GLUE in
	carveout) modprobe qs1_carveout ;;
	pruss) insmod ./qs1_pruss.ko ;;
	esac
}

# The inverter is bound when the suite says so, and never by itself.
override()
{
	put "$1" "/sys/bus/platform/devices/$DEVICE/driver_override"
}

bind_inverter()
{
	override "qs1-$GLUE" && put "$DEVICE" "$QS1_DRIVER/bind"
}

unbind_inverter()
{
	override none
	! [ -e "$QS1_DRIVER/$DEVICE" ] || put "$DEVICE" "$QS1_DRIVER/unbind"
}

bind_and_run()
{
	bind_inverter && wait_running
}

wait_running()
{
	wait_for "${1:-20}" firmware_running || {
		echo "firmware does not run; coprocessor is $(cat "$(fake_rproc)/state")"
		new_log | tail -n 5
		return 1
	}
}

# second_started TIMES: PRUs come in pairs
second_started()
{
	[ "$GLUE" = carveout ] || equal "$1" "$(seen second_starts)" "starts of the second coprocessor"
}

# nothing_left: the coprocessor is off and nobody uses it
nothing_left()
{
	equal offline "$(cat "$(fake_rproc)/state")" state && equal 0 "$(seen power)" "references to it" &&
		equal N "$(seen second_runs)" "second coprocessor runs" &&
		equal 0 "$(seen idle_stops)" "stops of what was off"
}

binds_and_runs()
{
	coprocessor offline && bind_and_run && equal 1 "$(seen starts)" starts &&
		equal fake "$(cat "$(board)/firmware_version")" firmware_version &&
		put 1 "$(board)/armed" && put 0 "$(board)/armed" &&
		equal 444 "$(stat -c %a "$(fake_rproc)/state")" "mode of state" &&
		unbind_inverter && nothing_left
}

# The platform booted it: it is stopped and started with the contract cleared, which is no crash.
takes_over_running()
{
	coprocessor running && bind_and_run && equal 2 "$(seen starts)" starts &&
		equal 0 "$(cat "$(board)/coproc_crashes")" coproc_crashes && unbind_inverter && nothing_left
}

# The boot loader started it: it keeps running, and the driver revokes its permission.
attaches_to_detached()
{
	coprocessor detached && bind_and_run && equal 0 "$(seen starts)" starts &&
		equal 1 "$(seen attaches)" attaches && state_is attached &&
		equal 0 "$(cat "$(board)/coproc_crashes")" coproc_crashes &&
		put 1 "$(board)/armed" && put 0 "$(board)/armed" &&
		unbind_inverter && nothing_left
}

attaches_at_last()
{
	coprocessor detached && knob attach_fails 2 && bind_and_run 30 &&
		equal 3 "$(seen attaches)" attaches && unbind_inverter && nothing_left
}

# A start that fails leaves nothing behind, and is tried again.
starts_at_last()
{
	coprocessor offline && knob start_fails 2 && bind_and_run 30 && equal 3 "$(seen starts)" starts &&
		unbind_inverter && nothing_left
}

# Unbind while starts keep failing: the next driver finds the coprocessor free.
unbinds_while_not_starting()
{
	coprocessor offline && knob start_fails 1000 && bind_inverter || return 1
	sleep 1
	unbind_inverter && nothing_left && knob start_fails 0 && bind_and_run && unbind_inverter &&
		nothing_left
}

# A firmware without a handshake delays the start by five seconds.
unbinds_while_silent()
{
	coprocessor offline && knob mute Y && bind_inverter || return 1
	sleep 1
	unbind_inverter && nothing_left && knob mute N && bind_and_run && unbind_inverter && nothing_left
}

crashes_exceed()
{
	line_of "$(board)/coproc_crashes" && [ "$first_line" -gt "$1" ]
}

# recovers KNOB VALUE: it hangs; the recovery's first attempts fail in this way
recovers()
{
	coprocessor offline && bind_and_run || return 1
	crashes=$(cat "$(board)/coproc_crashes")
	starts=$(seen starts)
	[ $# -eq 0 ] || knob "$@"
	knob hang Y
	wait_for 10 crashes_exceed "$crashes" || {
		echo "its standing still was not seen"
		return 1
	}
	wait_running 60 && equal $((crashes + 1)) "$(cat "$(board)/coproc_crashes")" coproc_crashes &&
		equal 0 "$(seen idle_stops)" "stops of what was off" && second_started 1 &&
		unbind_inverter && nothing_left
}

# After a recovery that failed the coprocessor is free for the next driver.
unbinds_in_recovery()
{
	coprocessor offline && bind_and_run && knob start_fails 1000 && knob hang Y || return 1
	sleep "${1:-1.5}"
	unbind_inverter && nothing_left && knob start_fails 0 && bind_and_run && unbind_inverter &&
		nothing_left
}

unbinds_armed()
{
	bind_and_run && put 1 "$(board)/armed" && unbind_inverter && nothing_left
}

unbinds_armed_often()
{
	coprocessor offline && repeat "${UNBINDS:-5}" unbinds_armed
}

rebinds_in_recovery()
{
	bind_and_run && knob start_fails 1 && knob hang Y || return 1
	sleep "0.$((repeat_left % 9))"
	unbind_inverter && knob start_fails 0 && nothing_left
}

unbinds_in_recovery_often()
{
	coprocessor offline && repeat "${UNBINDS:-5}" rebinds_in_recovery
}

log_has()
{
	new_log | grep -q "$1"
}

# The remoteproc core tries once to recover a crash that others report. When it fails, nobody but the
# coprocessor's own driver can free it: ours says so, and so does one that is bound later.
reports_what_the_core_leaves_stuck()
{
	coprocessor offline && bind_and_run && knob start_fails 1 &&
		put 1 "/sys/kernel/debug/remoteproc/$(basename "$(fake_rproc)")/crash" || return 1
	wait_for 15 log_has 'was not recovered, next try in' || {
		echo "nothing in the log: $(new_log | tail -n 5)"
		return 1
	}
	unbind_inverter
	override "qs1-$GLUE" && refused "Device or resource busy" "$DEVICE" "$QS1_DRIVER/bind" &&
		log_has 'was not recovered: bind its driver again' &&
		coprocessor offline && bind_and_run && unbind_inverter && nothing_left
}

# Another driver stops it under ours: a fault, after which it is started again.
restarts_what_others_stop()
{
	coprocessor offline && bind_and_run || return 1
	crashes=$(cat "$(board)/coproc_crashes")
	knob foreign_stop 1 && wait_running && equal 2 "$(seen starts)" starts &&
		equal $((crashes + 1)) "$(cat "$(board)/coproc_crashes")" coproc_crashes &&
		unbind_inverter && nothing_left
}

# Another driver starts it while ours goes: the handshake must not run on what is freed.
survives_starts_while_unbinding()
{
	coprocessor offline && knob start_ms 50 || return 1
	(
		while [ -e "$FAKE" ] && ! [ -e /tmp/qs1-stop ]; do
			echo 1 >"$FAKE/foreign_start"
			echo 1 >"$FAKE/foreign_stop"
		done
	) >/dev/null 2>&1 &
	starter=$!
	repeat "${UNBINDS:-5}" unbind_and_bind
	race_result=$?
	: >/tmp/qs1-stop
	wait "$starter"
	rm -f /tmp/qs1-stop
	unbind_inverter && return "$race_result"
}

unbind_and_bind()
{
	unbind_inverter
	sleep "0.0$((repeat_left % 9))"
	# While somebody else has it, it can not be bound.
	bind_inverter >/dev/null
	sleep 0.1
	return 0
}

# The last user of a gate goes, and the firmware does not confirm that the gate is off.
resets_what_keeps_a_gate_on()
{
	coprocessor offline && bind_and_run && put 1 "$(board)/bench" || return 1
	chip=$(echo "$(board)"/qs1.pwm.*/pwm/pwmchip*)
	crashes=$(cat "$(board)/coproc_crashes")
	put 0 "$chip/export" && put 400 "$chip/pwm0/duty_cycle" && put 1 "$chip/pwm0/enable" &&
		knob deaf Y && put 0 "$chip/unexport" || return 1
	wait_for 10 crashes_exceed "$crashes" || {
		echo "the firmware was not reset"
		return 1
	}
	wait_running && equal 2 "$(seen starts)" starts && unbind_inverter && nothing_left
}

# What the firmware uses has power as long as it runs, and no longer.
power_follows_the_firmware()
{
	coprocessor offline && bind_and_run || return 1
	runtime=$(board)/power
	put auto "$runtime/control"
	sleep 4
	equal active "$(cat "$runtime/runtime_status")" "runtime_status while it runs" &&
		equal 0 "$(seen dark_ms)" "ms that it ran without power" || return 1
	knob start_fails 3
	knob hang Y
	wait_for 15 runtime_is suspended || {
		echo "runtime_status is $(cat "$runtime/runtime_status") without firmware"
		return 1
	}
	wait_running 40 && runtime_is active && equal 0 "$(seen dark_ms)" "ms that it ran without power" &&
		unbind_inverter && nothing_left
}

runtime_is()
{
	[ "$(cat "$runtime/runtime_status")" = "$1" ]
}

# The coprocessor's own driver can sleep, as it is off.
sleeps()
{
	coprocessor offline && bind_and_run && put 1 "$(board)/armed" || return 1
	starts=$(seen starts)
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo devices >/sys/power/pm_test
	put freeze /sys/power/state
	sleep_result=$?
	echo none >/sys/power/pm_test
	[ "$sleep_result" -eq 0 ] && wait_running &&
		equal $((starts + 1)) "$(seen starts)" starts && second_started 2 &&
		equal 0 $(($(cat "$(board)/status_flags") & 0x1200)) "armed and relay after sleep" &&
		equal 0 "$(seen dark_ms)" "ms that it ran without power" &&
		equal 0 "$(cat "$(board)/coproc_crashes")" coproc_crashes && unbind_inverter && nothing_left
}

all_gone()
{
	unbind_inverter && rmmod "qs1_$GLUE" && rmmod qs1_fake
}

modprobe -r qs1_ivshmem
for device in carveout pruss; do
	echo none >"/sys/bus/platform/devices/inverter-$device/driver_override"
done
modprobe -a qs1_iio qs1_gpio qs1_pwm
# Messages of intended failures, from the driver and the remoteproc core.
expect_log 'firmware crashed: watchdog' 'did not start \(-[0-9]+\), next try in' 'did not start: magic is' \
	'coprocessor remoteproc[0-9]+ does not stop \(-13\)' 'stopped by another driver' \
	'no reply to command' 'power stage is still on' "can't (start|stop|attach to) rproc" \
	'failed to (probe|prepare) subdevices' 'Boot failed: -' 'runs and does not stop' \
	'is in use or was not recovered' 'gate [0-9] is not off \(-110\): bench mode ends' \
	'probe with driver qs1-(carveout|pruss) failed with error -16' \
	'crash detected in qs1-fake' 'handling crash #' 'recovering qs1-fake'
plan 21
first_mark=$log_mark
check "binds, runs, and leaves the coprocessor free" binds_and_runs
check "takes over a coprocessor that the platform has booted" takes_over_running
check "attaches to a firmware that the boot loader has started" attaches_to_detached
check "attaches at last" attaches_at_last
check "starts at last" starts_at_last
check "is unbound while the firmware does not start" unbinds_while_not_starting
check "is unbound while the firmware is silent" unbinds_while_silent
check "recovers a firmware that stands still" recovers
check "recovers it when a start fails" recovers start_fails 2
check "recovers it when a stop fails" recovers stop_fails 2
check "is unbound after a recovery that failed" unbinds_in_recovery
check "reports what the remoteproc core could not recover" reports_what_the_core_leaves_stuck
check "is unbound armed" unbinds_armed_often
check "is unbound at any time in a recovery" unbinds_in_recovery_often
check "starts again what others stop" restarts_what_others_stop
check "resets a firmware that keeps a gate on" resets_what_keeps_a_gate_on
check "survives starts by others while it is unbound" survives_starts_while_unbinding
check "the power domain follows the firmware" power_follows_the_firmware
check "the system sleeps with the firmware off" sleeps
check "everything can be unloaded" all_gone
log_mark=$first_mark
check "no warning in the kernel's log" log_is_clean
finish
