#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# qs1-meter: names, labels, scales, and plausible values.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

LABELS="in_voltage0:pv1 in_voltage1:pv2 in_voltage2:pv3 in_voltage3:pv4 in_voltage4:dc-link
in_altvoltage0:grid-rms
in_current0:pv1 in_current1:pv2 in_current2:pv3 in_current3:pv4 in_current4:grid-rms
in_current5:ground-fault
in_power0:pv1 in_power1:pv2 in_power2:pv3 in_power3:pv4 in_power4:grid in_power5:grid-reactive
in_energy0:pv1 in_energy1:pv2 in_energy2:pv3 in_energy3:pv4 in_energy4:grid
in_phase0:pll-error in_temp0:case in_temp1:power-stage"

meter=$(iio qs1-meter)

labels()
{
	for entry in $LABELS; do
		equal "${entry#*:}" "$(cat "$meter/${entry%:*}_label")" "${entry%:*}_label" || return 1
	done
}

nothing_else()
{
	for file in "$meter"/in_*_label; do
		name=${file##*/}
		echo "$LABELS" | grep -q "${name%_label}:" || {
			echo "$name is not in the table"
			return 1
		}
	done
}

scale_of()
{
	case $1 in
	in_energy*) echo 0.001000 ;;
	in_phase*) echo 0.000001 ;;
	*) echo 1 ;;
	esac
}

scales()
{
	for entry in $LABELS; do
		name=${entry%:*}
		equal "$(scale_of "$name")" "$(cat "$meter/${name}_scale")" "${name}_scale" || return 1
	done
}

values()
{
	for entry in $LABELS; do
		name=${entry%:*}
		value=$(cat "$meter/${name}_raw") || return 1
		echo "$value" | grep -qE '^-?[0-9]+$' || {
			echo "${name}_raw reads '$value'"
			return 1
		}
	done
}

# The product's absolute maxima: a wrong unit or offset exceeds them.
ranges()
{
	for n in 0 1 2 3; do
		between -500 60000 "$(cat "$meter/in_voltage${n}_raw")" "in_voltage${n}, mV" &&
			between -100 15000 "$(cat "$meter/in_current${n}_raw")" "in_current${n}, mA" ||
			return 1
	done
	between 0 450000 "$(cat "$meter/in_voltage4_raw")" "DC link, mV" &&
		between 0 340000 "$(cat "$meter/in_altvoltage0_raw")" "grid, mV" &&
		between -40000 100000 "$(cat "$meter/in_temp0_raw")" "case, m degree C" &&
		between 0 66 "$(cat "$meter/in_altvoltage0_frequency")" "frequency, Hz"
}

# Each reading is a mean of 10 ms. Readings one after the other agree when the sun is steady.
power_is_product()
{
	for n in 0 1 2 3; do
		v=$(cat "$meter/in_voltage${n}_raw")
		i=$(cat "$meter/in_current${n}_raw")
		p=$(cat "$meter/in_power${n}_raw")
		product=$(awk -v v="$v" -v i="$i" 'BEGIN { printf "%.0f", v * i / 1000 }')
		# 10 % and 2 W allow for the time between the three readings.
		between "$(awk -v p="$product" 'BEGIN { print p - 2000 - p / 10 }')" \
			"$(awk -v p="$product" 'BEGIN { print p + 2000 + p / 10 }')" \
			"$p" "in_power${n}, mW, at $v mV and $i mA" || return 1
	done
}

energy_grows()
{
	before=$(cat "$meter/in_energy0_raw")
	sleep 0.3
	after=$(cat "$meter/in_energy0_raw")
	between "$before" 9223372036854775807 "$after" "in_energy0 after $before mJ"
}

no_buffer()
{
	[ ! -e "$meter/buffer" ]
}

EVENTS="in_altvoltage0_thresh_either:grid out of range
in_phase0_mag_rising:PLL lost its lock
in_phase0_mag_falling:PLL locked
in_temp0_thresh_rising:over-temperature"

# Each event has a label, and can be switched on and off.
events()
{
	echo "$EVENTS" | while IFS=: read -r name label; do
		event=$meter/events/$name
		equal "$label" "$(cat "${event}_label")" "${name}_label" &&
			put 1 "${event}_en" && equal 1 "$(cat "${event}_en")" "${name}_en" &&
			put 0 "${event}_en" && equal 0 "$(cat "${event}_en")" "${name}_en" || exit 1
	done
}

# The threshold is the parameter overtemp_c, and is changed there.
threshold_is_the_parameter()
{
	value=$meter/events/in_temp0_thresh_rising_value
	equal $(($(cat "$(board)/params/overtemp_c") * 1000)) "$(cat "$value")" "${value##*/}" &&
		refused "Invalid argument" 70000 "$value"
}

tracking()
{
	for n in 0 1 2 3; do
		between 0 1 "$(cat "$meter/in_power${n}_tracking")" "in_power${n}_tracking" || return 1
	done
	[ ! -e "$meter/in_power4_tracking" ]
}

plan 12
check "channels have their labels" labels
check "there is no other channel" nothing_else
check "channels have their scales" scales
check "all values can be read" values
check "values are within the product's limits" ranges
check "power is voltage times current on each input" power_is_product
check "energy never falls" energy_grows
check "inputs show whether they track" tracking
check "events have labels and can be enabled" events
check "the over-temperature event has the threshold in force" threshold_is_the_parameter
check "has no buffer, so no program can occupy it" no_buffer
check "no warning in the kernel's log" log_is_clean
finish
