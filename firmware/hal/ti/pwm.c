// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "pwm.h"

#include <qs1/stage.h>

#include "fixed.h"
#include "io.h"

/* ePWM, 16-bit registers. */
#define TBCTL 0x00
#define TBCTR 0x08
#define TBPRD 0x0a
#define CMPCTL 0x0e
#define CMPA 0x12
#define CMPB 0x14
#define AQCTLA 0x16
#define AQCTLB 0x18
#define AQSFRC 0x1a
#define AQCSFRC 0x1c
#define DBCTL 0x1e
#define TZSEL 0x24
#define TZCTL 0x28
#define TZFLG 0x2c
#define TZCLR 0x2e
#define TZFRC 0x30
#define ETSEL 0x32
#define ETPS 0x34
#define ETFLG 0x36
#define ETCLR 0x38

#define TBCTL_UP 0x0000 /* CTRMODE 0; period shadowed, clock not divided, no sync */
#define TBCTL_UP_DOWN 0x0002
#define TBCTL_FREEZE 0x0003
#define TBCTL_NO_SYNC 0x0030	   /* SYNCOSEL: none */
#define CMPCTL_LOAD_AT_ZERO 0x0000 /* both compare values shadowed */
#define AQCTLA_INPUT 0x0012	   /* high at zero, low at CMPA */
#define AQCTLB_INPUT 0x0102	   /* high at zero, low at CMPB */
#define AQCTLA_LEG 0x0090	   /* low at CMPA going up, high going down */
#define AQCTLB_LEG 0x0900	   /* the same for CMPB */
#define AQSFRC_IMMEDIATE 0x00c0	   /* AQCSFRC acts at once */
#define AQCSFRC_LOW_A 0x0001
#define AQCSFRC_LOW_B 0x0004
#define DBCTL_BYPASS 0x0000 /* the gate logic makes the dead time */
#define TZCTL_BOTH_LOW 0x000a
#define TZ_ONE_SHOT 0x0004
#define TZ_INTERRUPT 0x0001
#define ETSEL_AT_ZERO 0x0009 /* flag at counter zero */
#define ETPS_EACH 0x0001
#define ET_FLAG 0x0001

/* eCAP in PWM mode, 32-bit registers but for ECCTL2. */
#define TSCTR 0x00
#define CAP1 0x08 /* period in force */
#define CAP2 0x0c /* compare value in force */
#define CAP3 0x10 /* period of the next period */
#define CAP4 0x14 /* compare value of the next period */
#define ECCTL2 0x2a
#define ECCTL2_PWM 0x02d0 /* PWM mode, running, no sync in or out */

#define INPUT_HZ 100000u
#define BRIDGE_HZ 20000u
_Static_assert(QS1_STAGE_FSW_HZ == INPUT_HZ, "input stages switch at another frequency");
_Static_assert(QS1_CONTROL_HZ == BRIDGE_HZ, "the bridge starts the control period");

/* A board without eCAPs on its inputs may save their code. */
#ifndef QS1_PWM_ECAPS
#define QS1_PWM_ECAPS true
#endif

static bool is_ecap(const struct qs1_pwm_map *map, int input)
{
	return QS1_PWM_ECAPS && map->input[input].output == QS1_PWM_ECAP;
}

static void init_epwm(uint32_t base, uint16_t mode, uint16_t period, uint16_t counter)
{
	qs1_io_write16(base + TBCTL, TBCTL_FREEZE);
	qs1_io_write16(base + TZSEL, 0);
	qs1_io_write16(base + TZCTL, TZCTL_BOTH_LOW);
	qs1_io_write16(base + AQSFRC, AQSFRC_IMMEDIATE);
	qs1_io_write16(base + AQCSFRC, AQCSFRC_LOW_A | AQCSFRC_LOW_B);
	qs1_io_write16(base + TZFRC, TZ_ONE_SHOT);
	qs1_io_write16(base + DBCTL, DBCTL_BYPASS);
	qs1_io_write16(base + CMPCTL, CMPCTL_LOAD_AT_ZERO);
	qs1_io_write16(base + CMPA, 0);
	qs1_io_write16(base + CMPB, 0);
	qs1_io_write16(base + AQCTLA, mode == TBCTL_UP ? AQCTLA_INPUT : AQCTLA_LEG);
	qs1_io_write16(base + AQCTLB, mode == TBCTL_UP ? AQCTLB_INPUT : AQCTLB_LEG);
	qs1_io_write16(base + TBPRD, period);
	qs1_io_write16(base + TBCTR, counter);
	qs1_io_write16(base + ETSEL, ETSEL_AT_ZERO);
	qs1_io_write16(base + ETPS, ETPS_EACH);
	qs1_io_write16(base + ETCLR, ET_FLAG);
	qs1_io_write16(base + TBCTL, mode | TBCTL_NO_SYNC);
}

static void init_ecap(uint32_t base, uint16_t period, uint16_t counter)
{
	qs1_io_write16(base + ECCTL2, 0);
	qs1_io_write32(base + TSCTR, counter);
	qs1_io_write32(base + CAP1, period);
	qs1_io_write32(base + CAP3, period);
	qs1_io_write32(base + CAP2, 0);
	qs1_io_write32(base + CAP4, 0);
	qs1_io_write16(base + ECCTL2, ECCTL2_PWM);
}

bool qs1_pwm_init(struct qs1_pwm *pwm, const struct qs1_pwm_map *map)
{
	uint32_t input = map->clock_hz / INPUT_HZ, half = map->clock_hz / (2 * BRIDGE_HZ);
	uint16_t counter;

	/* The same fraction of a period would else drift from one timer to another. */
	if (map->clock_hz % (2 * INPUT_HZ) || half > 0xffff || input < QS1_PWM_INPUT_PERIOD)
		return false;
	pwm->map = map;
	pwm->input_count = (uint16_t)input;
	pwm->bridge_half = (uint16_t)half;
	pwm->input_q16 = (input << 16) / QS1_PWM_INPUT_PERIOD;
	pwm->bridge_q16 = (half << 16) / QS1_PWM_BRIDGE_HALF;
	pwm->dead = (uint16_t)((map->clock_hz / 1000000 * QS1_PWM_DEAD_NS + 999) / 1000);

	init_epwm(map->bridge, TBCTL_UP_DOWN, pwm->bridge_half, 0);
	/*
	 * Each input has two phases half a period apart; the four inputs begin an
	 * eighth apart, where a timer of their own lets them, so that the eight
	 * pulses into the DC link are spread. An ePWM has one counter for both of
	 * its outputs; its second one is initialised with the first.
	 */
	for (int i = 0; i < QS1_INPUTS; i++) {
		counter = (uint16_t)(input * (uint32_t)i / 8);
		if (is_ecap(map, i))
			init_ecap(map->input[i].base, pwm->input_count - 1, counter);
		else if (map->input[i].output == QS1_PWM_EPWM_A)
			init_epwm(map->input[i].base, TBCTL_UP, pwm->input_count - 1, counter);
	}
	return true;
}

uint16_t qs1_pwm_leg(int32_t half, int32_t modulation, int32_t dead)
{
	int32_t compare = (half + modulation) >> 1;

	/* Up and down: a pulse is twice the compare value long, a gap twice the rest. */
	if (2 * compare < dead)
		compare = 4 * compare < dead ? 0 : (dead + 1) >> 1;
	else if (2 * (half - compare) < dead)
		compare = 4 * (half - compare) < dead ? half : half - ((dead + 1) >> 1);
	return (uint16_t)compare;
}

static void apply_input(const struct qs1_pwm *pwm, int i, uint16_t cmp, bool on)
{
	uint32_t base = pwm->map->input[i].base;
	uint16_t count = (uint16_t)((cmp * pwm->input_q16) >> 16);

	if (is_ecap(pwm->map, i)) {
		qs1_io_write32(base + CAP4, on ? count : 0);
		if (!on)
			qs1_io_write32(base + CAP2, 0);
		return;
	}
	qs1_io_write16(base + (pwm->map->input[i].output == QS1_PWM_EPWM_A ? CMPA : CMPB), count);
}

/* The forces of both outputs of an ePWM are one register: from all inputs that it has. */
static uint16_t forces(const struct qs1_pwm_map *map, uint32_t base, uint8_t inputs)
{
	uint16_t force = AQCSFRC_LOW_A | AQCSFRC_LOW_B;

	for (int i = 0; i < QS1_INPUTS; i++) {
		if (map->input[i].base != base || !(inputs & (1u << i)))
			continue;
		force &= (uint16_t) ~(map->input[i].output == QS1_PWM_EPWM_A ? AQCSFRC_LOW_A
									     : AQCSFRC_LOW_B);
	}
	return force;
}

void qs1_pwm_apply(const struct qs1_pwm *pwm, const struct qs1_outputs *out)
{
	const struct qs1_pwm_map *map = pwm->map;
	/* Rounds down on both sides of zero. */
	int32_t modulation = qs1_mulsh(out->cmp_bridge, (int32_t)pwm->bridge_q16, 16);

	for (int i = 0; i < QS1_INPUTS; i++) {
		apply_input(pwm, i, out->cmp_input[i], out->inputs & (1u << i));
		if (map->input[i].output == QS1_PWM_EPWM_A)
			qs1_io_write16(map->input[i].base + AQCSFRC,
				       forces(map, map->input[i].base, out->inputs));
	}
	qs1_io_write16(map->bridge + CMPA, qs1_pwm_leg(pwm->bridge_half, modulation, pwm->dead));
	qs1_io_write16(map->bridge + CMPB, qs1_pwm_leg(pwm->bridge_half, -modulation, pwm->dead));
	qs1_io_write16(map->bridge + AQCSFRC, out->bridge ? 0 : AQCSFRC_LOW_A | AQCSFRC_LOW_B);
}

void qs1_pwm_trip(const struct qs1_pwm *pwm)
{
	const struct qs1_pwm_map *map = pwm->map;

	qs1_io_write16(map->bridge + TZFRC, TZ_ONE_SHOT);
	for (int i = 0; i < QS1_INPUTS; i++) {
		if (is_ecap(map, i)) {
			qs1_io_write32(map->input[i].base + CAP4, 0);
			qs1_io_write32(map->input[i].base + CAP2, 0);
		} else {
			qs1_io_write16(map->input[i].base + TZFRC, TZ_ONE_SHOT);
		}
	}
}

bool qs1_pwm_tripped(const struct qs1_pwm *pwm)
{
	const struct qs1_pwm_map *map = pwm->map;
	uint16_t flags = qs1_io_read16(map->bridge + TZFLG);

	for (int i = 0; i < QS1_INPUTS; i++) {
		if (!is_ecap(map, i))
			flags |= qs1_io_read16(map->input[i].base + TZFLG);
	}
	return flags & TZ_ONE_SHOT;
}

void qs1_pwm_clear(const struct qs1_pwm *pwm)
{
	const struct qs1_pwm_map *map = pwm->map;

	qs1_io_write16(map->bridge + TZCLR, TZ_ONE_SHOT | TZ_INTERRUPT);
	for (int i = 0; i < QS1_INPUTS; i++) {
		if (!is_ecap(map, i))
			qs1_io_write16(map->input[i].base + TZCLR, TZ_ONE_SHOT | TZ_INTERRUPT);
	}
}

bool qs1_pwm_period(const struct qs1_pwm *pwm)
{
	if (!(qs1_io_read16(pwm->map->bridge + ETFLG) & ET_FLAG))
		return false;
	qs1_io_write16(pwm->map->bridge + ETCLR, ET_FLAG);
	return true;
}
