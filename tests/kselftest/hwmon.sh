#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# hwmon and the thermal zone read the same voltages and temperatures as qs1-meter.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

hwmon=$(echo "$(board)"/qs1.hwmon.*/hwmon/hwmon*)
meter=$(iio qs1-meter)
rproc=$(rproc)

labels()
{
	for label in "$hwmon"/*_label; do
		printf '%s ' "$(cat "$label")"
	done
}

names_channels()
{
	equal qs1 "$(cat "$hwmon/name")" name &&
		equal "pv1 pv2 pv3 pv4 dc-link grid-rms case power-stage " "$(labels)" labels
}

# close HWMON-FILE METER-CHANNEL TOLERANCE
close()
{
	meter_value=$(cat "$meter/$2_raw")
	between $((meter_value - $3)) $((meter_value + $3)) "$(cat "$hwmon/$1")" "$1"
}

# The two readings differ in time: 1 V and 1 degree are allowed.
reads_what_the_meter_reads()
{
	between 200000 280000 "$(cat "$hwmon/in5_input")" "grid, mV" || return 1
	for pair in in0_input:in_voltage0 in3_input:in_voltage3 in5_input:in_altvoltage0; do
		close "${pair%:*}" "${pair#*:}" 1000 || return 1
	done
	for pair in temp1_input:in_temp0 temp2_input:in_temp1; do
		close "${pair%:*}" "${pair#*:}" 1000 || return 1
	done
}

has_the_limit_in_force()
{
	limit=$(cat "$(board)/params/overtemp_c")
	equal $((limit * 1000)) "$(cat "$hwmon/temp1_crit")" temp1_crit &&
		equal 0 "$(cat "$hwmon/temp1_crit_alarm")" temp1_crit_alarm || return 1
	low=$(cat "$(board)/params_min/overtemp_c")
	put "$low" "$(board)/params/overtemp_c" &&
		equal $((low * 1000)) "$(cat "$hwmon/temp1_crit")" "temp1_crit after a change"
	limit_result=$?
	put "$limit" "$(board)/params/overtemp_c" && return "$limit_result"
}

zone()
{
	for zone_path in /sys/class/thermal/thermal_zone*; do
		line_of "$zone_path/type" && [ "$first_line" = qs1-case ] && echo "$zone_path"
	done
}

zone_reads()
{
	between -40000 100000 "$(cat "$(zone)/temp")" "temperature of the zone" &&
		close temp1_input in_temp0 1000
}

silent_without_firmware()
{
	put 0 "$(board)/armed" >/dev/null
	put stop "$rproc/state" && unreadable "No data available" "$hwmon/in0_input" &&
		unreadable "No data available" "$hwmon/temp1_crit" &&
		unreadable "No data available" "$(zone)/temp"
	silent_result=$?
	put start "$rproc/state" && wait_for 10 cat "$hwmon/in0_input" && return "$silent_result"
}

pause_service
plan 6
check "channels have their labels" names_channels
check "hwmon reads what the meter reads" reads_what_the_meter_reads
check "the case has the over-temperature limit in force" has_the_limit_in_force
check "the thermal zone reads the case" zone_reads
check "without firmware there are no data" silent_without_firmware
check "no warning in the kernel's log" log_is_clean
finish
