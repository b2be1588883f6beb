#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# System suspend and runtime suspend. The driver first switches the power stage off
# and stops the firmware; after resume the unit is disarmed. pm_test suspends only
# the devices, and resumes them a second later.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

HEART=/tmp/qs1-heart.$$
TRACING=/sys/kernel/tracing

board=$(board)
rproc=$(rproc)
chip=$(echo "$board"/qs1.pwm.*/pwm/pwmchip*)

# Send heartbeats while the file exists; suspend freezes this process too.
start_heart()
{
	: >"$HEART"
	while [ -e "$HEART" ] && put x "$board/heartbeat"; do
		sleep 0.3
	done >/dev/null 2>&1 &
}

state_is()
{
	[ "$(cat "$board/state")" = "$1" ]
}

armed_is()
{
	[ $(($(cat "$board/status_flags") >> 12 & 1)) -eq "$1" ]
}

bench_is()
{
	[ "$(cat "$board/bench")" = "$1" ]
}

# Inputs, bridge and relay.
stage_is_off()
{
	[ $(($(cat "$board/status_flags") & 0x3f0)) -eq 0 ] || {
		echo "status is $(cat "$board/status_flags")"
		return 1
	}
}

can_sleep()
{
	[ -e /sys/power/pm_test ] && grep -q freeze /sys/power/state
}

# sleep_once: suspend the devices and resume them
sleep_once()
{
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo devices >/sys/power/pm_test
	put freeze /sys/power/state
	sleep_result=$?
	echo none >/sys/power/pm_test
	return "$sleep_result"
}

# boots: starts of the firmware since the board was powered
boots()
{
	sed -n 's/^fw.boots = //p' /sys/kernel/debug/qs1-*/registers
}

# The firmware runs again, and its telemetry is updated.
works_again()
{
	wait_for 20 firmware_running || return 1
	ticks=$(cat "$board/telemetry_ticks")
	wait_for 10 ticks_move && put x "$board/heartbeat" && put 0 "$board/armed"
}

ticks_move()
{
	[ "$(cat "$board/telemetry_ticks")" != "$ticks" ]
}

arm()
{
	put 1 "$board/armed" && wait_for 10 armed_is 1
}

sleeps_disarmed()
{
	crashes=$(cat "$board/coproc_crashes")
	boots_before=$(boots)
	arm && sleep_once || return 1
	works_again && armed_is 0 && stage_is_off &&
		equal $((boots_before + 1)) "$(($(boots)))" "starts of the firmware" &&
		equal "$crashes" "$(cat "$board/coproc_crashes")" coproc_crashes
}

# The firmware that was started after sleep has its default for the heartbeat.
enter_bench()
{
	heart_may_pause yes && put 0 "$board/armed" && wait_for 20 state_is shutdown &&
		put 1 "$board/bench" && wait_for 10 bench_is 1
}

# trace_line COMMAND: the line of the trace in which this command is
trace_line()
{
	grep -n "qs1_mailbox: .*$1" "$TRACING/trace" | tail -n 1 | cut -d : -f 1
}

# enum qs1_op: 12 is a channel's duty, 11 the bench mode, 8 disarms.
stops_pwm_first()
{
	enter_bench && put 1 "$chip/export" || return 1
	put 1000 "$chip/pwm1/duty_cycle" && put 1 "$chip/pwm1/enable" || return 1
	echo >"$TRACING/trace"
	echo 1 >"$TRACING/events/qs1/qs1_mailbox/enable"
	sleep_once
	pwm_result=$?
	echo 0 >"$TRACING/events/qs1/qs1_mailbox/enable"
	[ "$pwm_result" -eq 0 ] && works_again && bench_is 0 && stage_is_off || return 1
	duty=$(trace_line 'op=12 arg=1 value=0')
	bench=$(trace_line 'op=11 arg=0 value=0')
	disarm=$(trace_line 'op=8 ')
	between 1 "$((bench - 1))" "$duty" "line of the duty" &&
		between "$duty" "$((disarm - 1))" "$bench" "line of the bench mode"
}

# Bench mode has ended while a channel is enabled: the system can suspend all the same.
sleeps_without_bench_mode()
{
	enter_bench && put 0 "$chip/pwm1/enable" && put 1 "$chip/pwm1/enable" || return 1
	put 0 "$board/bench" && wait_for 10 bench_is 0 && sleep_once && works_again && stage_is_off
}

# A PWM consumer can enter bench mode and enable the channel again.
pwm_consumer_begins_again()
{
	enter_bench && put 0 "$chip/pwm1/enable" && put 1 "$chip/pwm1/enable"
	again_result=$?
	put 1 "$chip/unexport"
	put 0 "$board/bench" && wait_for 10 bench_is 0 && return "$again_result"
}

# One reader, from before the sleep until after it.
stream_goes_on()
{
	wave=$(iio qs1-wave)
	select_all 1
	echo 8192 >"$wave/buffer/length"
	echo 1 >"$wave/buffer/enable"
	timeout 60 head -c $((40000 * 48)) "/dev/${wave##*/}" | wc -c >"$HEART.bytes" &
	stream_reader=$!
	sleep_once && works_again && wait "$stream_reader" &&
		equal $((40000 * 48)) "$(tr -d ' ' <"$HEART.bytes")" "bytes of a reader over sleep"
	stream_result=$?
	echo 0 >"$wave/buffer/enable"
	rm -f "$HEART.bytes"
	return "$stream_result"
}

runtime_is()
{
	[ "$(cat "$board/power/runtime_status")" = "$1" ]
}

# wait_runtime STATUS
wait_runtime()
{
	wait_for 20 runtime_is "$1" || equal "$1" "$(cat "$board/power/runtime_status")" runtime_status
}

# Runtime suspend may switch the power domain off. So the driver holds a runtime PM reference while the
# firmware runs, and releases it after a stop or a crash.
awake_as_long_as_the_firmware_runs()
{
	put 0 "$board/armed" && put auto "$board/power/control" || return 1
	# Longer than anything that could still be pending.
	sleep 3
	runtime_is active && put stop "$rproc/state" && wait_runtime suspended &&
		put start "$rproc/state" && wait_runtime active || return 1
	crashes=$(cat "$board/coproc_crashes")
	put trap "$(echo /sys/kernel/debug/qs1-*/crash)" && wait_for 20 crashed && works_again &&
		runtime_is active && put stop "$rproc/state" && wait_runtime suspended &&
		put start "$rproc/state" && works_again
}

crashed()
{
	[ "$(cat "$board/coproc_crashes")" -gt "$crashes" ]
}

# The device is suspended and no firmware runs: resume starts none.
system_sleeps_over_device_sleep()
{
	put stop "$rproc/state" && wait_runtime suspended && sleep_once || return 1
	sleep 1
	equal offline "$(cat "$rproc/state")" "state after sleep" && put start "$rproc/state" && works_again
}

# The driver releases its references when it is unbound. Two rounds, because a lost reference shows in the
# second one.
rebinds_suspended_and_running()
{
	device=${board##*/}
	for round in 1 2; do
		put stop "$rproc/state" && wait_runtime suspended || return 1
		rebind "$device" && wait_for 20 firmware_running && wait_runtime active || return 1
		rproc=$(rproc)
		rebind "$device" && wait_for 20 firmware_running && wait_runtime active || return 1
		rproc=$(rproc)
	done
	: "$round"
	! new_log | grep -i 'usage count underflow'
}

rebind()
{
	put "$1" "$QS1_DRIVER/unbind" && put "$1" "$QS1_DRIVER/bind"
}

pause_service
[ -e "$TRACING/events" ] || mount -t tracefs tracefs "$TRACING"
# The PWM core tries to resume an enabled channel, and the firmware loader looks for all files that were ever
# requested.
expect_log 'firmware crashed' 'pwm_class_resume returns -108' 'pwmchip[0-9]+: PM: failed to resume' \
	'qs1-test\.elf failed with error -2'
plan 9
start_heart
heart_may_pause yes
can_sleep || {
	echo "# /sys/power/pm_test is missing, or freeze in /sys/power/state: every kernel of the board has both"
	exit 1
}
check "the system sleeps disarmed, and the firmware is started afterwards" sleeps_disarmed
check "duties end first, then bench mode, then arming" stops_pwm_first
check "an enabled channel without bench mode does not prevent suspend" sleeps_without_bench_mode
check "a PWM consumer begins again" pwm_consumer_begins_again
check "a stream goes on after sleep" stream_goes_on
check "the device is active as long as the firmware runs" awake_as_long_as_the_firmware_runs
check "the system suspends while the device is suspended" system_sleeps_over_device_sleep
check "no reference is lost when it is bound again, suspended or running" rebinds_suspended_and_running
echo on >"$board/power/control"
rm -f "$HEART"
heart_may_pause no
check "no warning in the kernel's log" log_is_clean
finish
