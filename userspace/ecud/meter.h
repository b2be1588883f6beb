/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reader of the meter at the grid connection: SunSpec models 201 to 204 by Modbus TCP. */
#ifndef ECUD_METER_H
#define ECUD_METER_H

#include <stddef.h>
#include <stdint.h>

#include "ecud.h"

/* Registers from W to W_SF in models 201 to 204, and where W is after the model's length. */
#define METER_W_OFFSET 16
#define METER_REGISTERS 5

/**
 * meter_decode() - power from the registers W, WphA, WphB, WphC, W_SF
 * @registers: METER_REGISTERS of them
 * @ret_total_w: W, positive for import; NAN if not implemented
 * @ret_phase_w: of L1, L2, L3
 */
void meter_decode(const uint16_t *registers, double *ret_total_w, double ret_phase_w[3]);

extern const struct interface interface_meter;

#endif /* ECUD_METER_H */
