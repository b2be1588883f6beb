/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of the contract and of the plant as JSON objects. */
#ifndef QS1_VBOARD_STATUS_H
#define QS1_VBOARD_STATUS_H

#include <stdbool.h>

#include <json-c/json.h>

#include <qs1/abi.h>

#include "world.h"

/* A number with as many digits as a reader wants. */
struct json_object *status_number(double value);

/*
 * The plant's truth: "pv1".."pv4" of v, i, p, pmax, sun; "grid" of v, i, f, p,
 * q, energy_wh; "vlink_v", "temp_c", "relay", "utility".
 */
struct json_object *status_truth(const struct qs1_truth *truth);

/*
 * The firmware's telemetry in the same shape, with "state", "faults_active",
 * "faults_latched", and "version"; null while there is no valid contract.
 */
struct json_object *status_firmware(const struct qs1_shm *shm);

/* A snapshot. Return: false while the firmware keeps changing it, or there is none. */
bool status_telemetry(const struct qs1_shm *shm, struct qs1_telemetry *telemetry);

/* The levels that Linux puts on the LED lines: "green", "red". */
struct json_object *status_leds(const struct qs1_shm *shm);

#endif /* QS1_VBOARD_STATUS_H */
