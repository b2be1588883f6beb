// SPDX-License-Identifier: GPL-2.0-only
#include "other.h"

#include <math.h>

#include "plant.h"

/* The current follows its reference with this lag: a fast current control. */
#define CURRENT_TAU_S 50e-6
#define SOGI_K M_SQRT2
/* PLL of 5 Hz with damping 0.7. */
#define PLL_W (2 * M_PI * 5)
#define PLL_DAMPING 0.7
#define SLOW_TAU_S 0.02
/* Full power is reached so long after the start. */
#define START_S 0.5

#define SFS_CF0 0.01
#define SFS_K_HZ 0.05
#define SMS_ANGLE (10 * M_PI / 180)
#define SMS_HZ 3.0

/* Of the nominal voltage, and Hz beside the nominal frequency. */
struct limit {
	bool voltage, over;
	double at;
	double seconds;
};

/* IEEE 1547-2003, tables 1 and 2. */
static const struct limit narrow[OTHER_LIMITS] = {
	{ true, false, 0.50, 0.16 }, { true, false, 0.88, 2.0 },   { true, true, 1.10, 1.0 },
	{ true, true, 1.20, 0.16 },  { false, false, -0.7, 0.16 }, { false, true, 0.5, 0.16 },
};
/* IEEE 1547-2018, tables 13 and 18: category III, its shorter times. */
static const struct limit wide[OTHER_LIMITS] = {
	{ true, false, 0.50, 2.0 }, { true, false, 0.88, 21.0 },  { true, true, 1.10, 13.0 },
	{ true, true, 1.20, 0.16 }, { false, false, -3.5, 0.16 }, { false, true, 2.0, 0.16 },
};

const char *other_name(enum other_kind kind)
{
	static const char *const names[OTHER_KINDS] = { "passive", "sfs", "sms" };

	return names[kind];
}

void other_init(struct other *o, struct network *net, int a, int b, double volts, double hz)
{
	const struct network_model model = {
		.states = 1,
		.a = { { -1 / CURRENT_TAU_S } },
		.held = { 1 / CURRENT_TAU_S },
		.amps = { -1 },
	};

	o->volts = volts;
	o->hz = o->slow_hz = hz;
	o->omega = 2 * M_PI * hz;
	o->element = network_add(net, a, b);
	network_pair_init(&o->pair, &model, PLANT_H);
	network_use(net, o->element, &o->pair);
	network_connect(net, o->element, true);
}

/* Angle by which the current leads the voltage. */
static double lead(const struct other *o)
{
	double df = o->slow_hz - o->hz;

	switch (o->kind) {
	case OTHER_SFS:
		return M_PI / 2 * (SFS_CF0 + SFS_K_HZ * df);
	case OTHER_SMS:
		return SMS_ANGLE * sin(M_PI / 2 * fmax(fmin(df / SMS_HZ, 1), -1));
	default:
		return 0;
	}
}

void other_before(struct other *o, struct network *net)
{
	/*
	 * The integrators are a step ahead of the voltage, so @angle is a step beyond the end of
	 * the one to come: back to its middle, and ahead by the current's lag.
	 */
	double angle = o->angle + o->omega * (CURRENT_TAU_S - 1.5 * PLANT_H) + lead(o);

	network_element(net, o->element)->held = o->left ? 0 : o->amps * sin(angle);
}

static void follow(struct other *o, double v)
{
	double size, error;

	o->alpha += PLANT_H * o->omega * (SOGI_K * (v - o->alpha) - o->beta);
	o->beta += PLANT_H * o->omega * o->alpha;
	size = fmax(hypot(o->alpha, o->beta), 0.1 * o->volts);
	error = (o->alpha * cos(o->angle) + o->beta * sin(o->angle)) / size;
	o->integral += PLANT_H * PLL_W * PLL_W * error;
	o->omega = 2 * M_PI * o->hz + o->integral + 2 * PLL_DAMPING * PLL_W * error;
	o->angle = fmod(o->angle + PLANT_H * o->omega, 2 * M_PI);
	o->slow_hz += (o->omega / (2 * M_PI) - o->slow_hz) * PLANT_H / SLOW_TAU_S;
	/* The amplitude of constant power; its voltage is of the last half cycle. */
	o->amps += (2 * o->watts / size - o->amps) * PLANT_H / SLOW_TAU_S;
}

void other_after(struct other *o, struct network *net, double t)
{
	const struct limit *limit = o->wide ? wide : narrow;
	double size = hypot(o->alpha, o->beta) / (M_SQRT2 * o->volts);

	follow(o, network_element(net, o->element)->u[NETWORK_END]);
	for (int n = 0; n < OTHER_LIMITS && !o->left && t > START_S; n++) {
		double x = limit[n].voltage ? size : o->slow_hz - o->hz;
		bool beyond = limit[n].over ? x > limit[n].at : x < limit[n].at;

		o->beyond_s[n] = beyond ? o->beyond_s[n] + PLANT_H : 0;
		if (o->beyond_s[n] > limit[n].seconds) {
			o->left = true;
			o->left_s = t;
		}
	}
}
