/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixed.h"

/* sin(i * pi / 128) in Q30: a quarter turn in 64 steps. */
static const int32_t quarter[65] = {
	0,	    26350943,	52686014,   78989349,	105245103,  131437462,	157550647,
	183568930,  209476638,	235258165,  260897982,	286380643,  311690799,	336813204,
	361732726,  386434353,	410903207,  435124548,	459083786,  482766489,	506158392,
	529245404,  552013618,	574449320,  596538995,	618269338,  639627258,	660599890,
	681174602,  701339000,	721080937,  740388522,	759250125,  777654384,	795590213,
	813046808,  830013654,	846480531,  862437520,	877875009,  892783698,	907154608,
	920979082,  934248793,	946955747,  959092290,	970651112,  981625251,	992008094,
	1001793390, 1010975242, 1019548121, 1027506862, 1034846671, 1041563127, 1047652185,
	1053110176, 1057933813, 1062120190, 1065666786, 1068571464, 1070832474, 1072448455,
	1073418433, 1073741824,
};

int32_t qs1_sin(uint32_t phase)
{
	/* Fold onto the first quarter: mirror in odd quarters, negate in the second half. */
	uint32_t x = phase & 0x3fffffffu;
	uint32_t index;
	int32_t y;

	if (phase & 0x40000000u)
		x = 0x40000000u - x;
	index = x >> 24;
	if (index == 64)
		y = quarter[64];
	else
		y = quarter[index] +
		    qs1_mulsh(quarter[index + 1] - quarter[index], (int32_t)(x & 0xffffffu), 24);
	return phase & 0x80000000u ? -y : y;
}

void qs1_root_begin(struct qs1_root *r, uint64_t x)
{
	r->x = x;
	r->root = 0;
	r->bit = 1ull << 62;
}

#ifndef QS1_ARITH

void qs1_root_run(struct qs1_root *r, int n)
{
	while (n--) {
		uint64_t trial = r->root + r->bit;

		r->root >>= 1;
		if (r->x >= trial) {
			r->x -= trial;
			r->root += r->bit;
		}
		r->bit >>= 2;
	}
}

#endif

uint32_t qs1_isqrt64(uint64_t x)
{
	struct qs1_root r;

	qs1_root_begin(&r, x);
	qs1_root_run(&r, QS1_ROOT_STEPS);
	return (uint32_t)r.root;
}
