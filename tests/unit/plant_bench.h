/* SPDX-License-Identifier: GPL-2.0-only */
/* A plant by itself, for tests. */
#ifndef QS1_PLANT_BENCH_H
#define QS1_PLANT_BENCH_H

#include <stdlib.h>

#include "plant.h"

static const struct plant_setup quiet = { .seed = 1, .ambient_c = 25, .rg = 0.3, .lg = 0.2e-3 };

static inline struct plant *new_plant(const struct plant_setup *setup)
{
	struct plant *p = malloc(sizeof(*p));

	assert_non_null(p);
	assert_int_equal(plant_init(p, setup), 0);
	return p;
}

static inline void drop(struct plant *p)
{
	plant_free(p);
	free(p);
}

/* One control period with these outputs. */
static inline void step(struct plant *p, const struct qs1_outputs *out)
{
	int16_t adc[QS1_ADC_COUNT];

	if (p->ticks % PLANT_ENV_TICKS == 0)
		plant_env(p);
	plant_step(p, out, adc);
}

#endif /* QS1_PLANT_BENCH_H */
