// SPDX-License-Identifier: GPL-2.0-only
#include "matrix.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static void multiply(int n, double *out, const double *a, const double *b)
{
	double c[MATRIX_MAX * MATRIX_MAX];

	for (int i = 0; i < n; i++) {
		for (int j = 0; j < n; j++) {
			double sum = 0;

			for (int k = 0; k < n; k++)
				sum += a[i * n + k] * b[k * n + j];
			c[i * n + j] = sum;
		}
	}
	memcpy(out, c, (size_t)(n * n) * sizeof(*out));
}

/* Taylor series of order 14 after scaling to a norm below 1/4. */
void matrix_exp(int n, double *m)
{
	double sum[MATRIX_MAX * MATRIX_MAX] = { 0 }, term[MATRIX_MAX * MATRIX_MAX] = { 0 };
	double norm = 0;
	int squarings = 0;

	for (int i = 0; i < n; i++) {
		double row = 0;

		for (int j = 0; j < n; j++)
			row += fabs(m[i * n + j]);
		norm = fmax(norm, row);
	}
	while (norm > 0.25) {
		norm /= 2;
		squarings++;
	}
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < n; j++)
			m[i * n + j] = ldexp(m[i * n + j], -squarings);
		sum[i * n + i] = term[i * n + i] = 1;
	}
	for (int k = 1; k <= 14; k++) {
		multiply(n, term, term, m);
		for (int i = 0; i < n * n; i++) {
			term[i] /= k;
			sum[i] += term[i];
		}
	}
	for (int k = 0; k < squarings; k++)
		multiply(n, sum, sum, sum);
	memcpy(m, sum, (size_t)(n * n) * sizeof(*m));
}

/* Gauss and Jordan's elimination, with row pivots. */
int matrix_invert(int n, double *m)
{
	int row[MATRIX_MAX];

	for (int k = 0; k < n; k++) {
		int pivot = k;
		double p;

		for (int i = k + 1; i < n; i++)
			if (fabs(m[i * n + k]) > fabs(m[pivot * n + k]))
				pivot = i;
		row[k] = pivot;
		for (int j = 0; j < n && pivot != k; j++) {
			double swap = m[k * n + j];

			m[k * n + j] = m[pivot * n + j];
			m[pivot * n + j] = swap;
		}
		p = m[k * n + k];
		if (p == 0)
			return -EDOM;
		m[k * n + k] = 1;
		for (int j = 0; j < n; j++)
			m[k * n + j] /= p;
		for (int i = 0; i < n; i++) {
			double factor = m[i * n + k];

			if (i == k)
				continue;
			m[i * n + k] = 0;
			for (int j = 0; j < n; j++)
				m[i * n + j] -= factor * m[k * n + j];
		}
	}
	for (int k = n - 1; k >= 0; k--) {
		for (int i = 0; i < n && row[k] != k; i++) {
			double swap = m[i * n + k];

			m[i * n + k] = m[i * n + row[k]];
			m[i * n + row[k]] = swap;
		}
	}
	return 0;
}
