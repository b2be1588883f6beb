// SPDX-License-Identifier: GPL-2.0-only
#include "transformer.h"

#include <math.h>
#include <string.h>

#include "plant.h"

/* A service transformer of 25 kVA, per unit: OpenDSS' example, and its magnetising current. */
#define RESISTANCE 0.012
#define REACTANCE 0.017
#define MAGNETISING 0.005

void transformer_init(struct transformer *t, struct network *net, const int primary[2],
		      const int secondary[2], double va, double volts, double hz, double ratio)
{
	double base = volts * volts / va, omega = 2 * M_PI * hz;
	double leak = REACTANCE / 2 * base / omega, mutual = base / MAGNETISING / omega;
	double n[2] = { ratio, 1 };
	/* L i' = u - R i, with L = n n' mutual + n^2 leak on the diagonal. */
	double scale = leak * (leak + 2 * mutual), inverse[2][2];
	int element[2] = { network_add(net, primary[0], primary[1]),
			   network_add(net, secondary[0], secondary[1]) };

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++)
			inverse[i][j] = (i == j ? leak + mutual : -mutual) / (n[i] * n[j] * scale);
	for (int current = 0; current < 2; current++) {
		for (int voltage = 0; voltage < 2; voltage++) {
			struct network_model model = { .states = 2 };

			for (int i = 0; i < 2; i++) {
				for (int j = 0; j < 2; j++)
					model.a[i][j] = -inverse[i][j] * n[j] * n[j] * RESISTANCE /
							2 * base;
				model.volts[i] = inverse[i][voltage];
			}
			model.amps[current] = 1;
			network_pair_init(current == voltage ? &t->own[current]
							     : &t->cross[current],
					  &model, PLANT_H);
		}
	}
	t->primary = element[0];
	t->secondary = element[1];
	for (int i = 0; i < 2; i++)
		network_use(net, element[i], &t->own[i]);
	network_couple(net, element[0], element[1], &t->cross[0], &t->cross[1]);
	transformer_connect(t, net, true);
}

void transformer_connect(struct transformer *t, struct network *net, bool closed)
{
	const int element[2] = { t->primary, t->secondary };

	for (int i = 0; i < 2; i++) {
		struct network_element *e = network_element(net, element[i]);

		network_connect(net, element[i], closed);
		if (!closed)
			memset(e->x, 0, sizeof(e->x));
	}
}
