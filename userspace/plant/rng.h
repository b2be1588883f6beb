/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers of the plant: reproducible from a seed on every machine.
 *
 * xoshiro256** by Blackman and Vigna (public domain), seeded by splitmix64.
 */
#ifndef QS1_PLANT_RNG_H
#define QS1_PLANT_RNG_H

#include <math.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

static inline void rng_seed(struct rng *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		rng->s[i] = z ^ (z >> 31);
	}
}

static inline uint64_t rng_rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t result = rng_rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rng_rotl(s[3], 45);
	return result;
}

/* Uniform in [lo, hi). */
static inline double rng_uniform(struct rng *rng, double lo, double hi)
{
	return lo + (hi - lo) * (double)(rng_next(rng) >> 11) * 0x1p-53;
}

/* Standard normal, by the Box-Muller transform. */
static inline double rng_normal(struct rng *rng)
{
	double u = rng_uniform(rng, 0x1p-53, 1), v = rng_uniform(rng, 0, 1);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

#endif /* QS1_PLANT_RNG_H */
